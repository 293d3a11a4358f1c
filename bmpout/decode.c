/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading RPKI_VALIDATION (docs/formats/bmp-rpki.md), strictly: a message that breaks an invariant is refused whole,
 * because a station that believes half of it would show a verdict that nobody gave.
 *
 * Passes over the TLVs: (1) Profile, Stateless Parsing, BGP Message, Sequence and labels, which have index 0; then the
 * UPDATE gives the NLRIs; (2) Groups; (3) results, and counting which rules belong to which NLRI, so that (4) can put
 * them into one array that is cut into the items. What an NLRI is told by index 0, by groups and by its ordinal is
 * simply joined.
 *
 * Bounds: NLRIs and TLVs are bounded by the message; a group makes one Rule TLV count for many NLRIs, so the joined
 * number is bounded by WW_VALIDATION_EXPANDED_MAX before anything is allocated for it.
 *
 * Ignored, as the growth rule and draft-ietf-grow-bmp-tlv-21 §6 have it: unknown TLV types, other enterprises' TLVs,
 * indexes beyond the NLRIs or of no group, validation kinds and rule kinds that are not known, octets after a value.
 *
 * Everything decoded lives in the caller's arena or the input.
 */
#include "bmpout/decode.h"

#include "base/rules.h"
#include "wire/bgp_bgpsec.h"
#include "wire/bmp_tlv.h"

#define DOC "docs/formats/bmp-rpki.md"

enum {
  CAP_AS4 = 65,
  CAP_ADD_PATH = 69,
  NLRI_MAX = 0x7fff,
  GROUP_INDEX_SPACE = 0x8000,
  NO_GROUP = 0xffff,
  HOP_LEN = 10,
  SEGMENT_LEN = 6 + WW_SKI_LEN
};

struct group {
  const uint8_t *members; /* count * 2 octets */
  size_t count;
};

/* One decode. */
struct work {
  const uint8_t *data;
  struct ww_reader tlvs; /* all TLVs; copied for each pass */
  uint32_t pen;
  uint16_t type_group, type_stateless, type_pdu, type_sequence;
  struct ww_arena *arena;
  struct ww_validation_msg *msg;
  struct ww_diag *diag;

  struct ww_bgp_session session;
  const uint8_t *pdu;
  size_t pdu_len;
  size_t label_count;
  struct ww_validation_item *items;
  size_t item_count;
  struct group *groups;
  uint16_t *group_by_index; /* NULL without groups */
  size_t group_count;
};

static size_t tlv_offset(const struct work *w, const struct ww_tlv *tlv) { return (size_t)(tlv->value - w->data); }

static enum ww_err bad(const struct work *w, size_t offset, const char *section, const char *text) {
  return ww_fail(w->diag, WW_ERR_MALFORMED, offset, section, "%s", text);
}

static bool is_ours(const struct work *w, const struct ww_tlv *tlv, uint16_t type) {
  return tlv->enterprise && tlv->pen == w->pen && tlv->type == type;
}

/* --- header and Profile ------------------------------------------------------------------------------------------ */

static enum ww_err read_header(struct work *w, size_t len) {
  struct ww_bmp_header header;
  enum ww_err err = ww_bmp_frame(w->data, len, WW_BMP_MAX_LEN, &header, w->diag);
  if (err != WW_OK)
    return err;
  if (header.type != WW_BMP_RPKI_VALIDATION)
    return ww_fail(w->diag, WW_ERR_INVAL, 5, NULL, "message type %u is not RPKI_VALIDATION", header.type);
  if (header.len > len)
    return ww_fail(w->diag, WW_ERR_SHORT, 1, "RFC 7854 §4.1", "message of %u octets, %zu are here", header.len, len);
  struct ww_reader r = ww_reader_make(w->data, header.len);
  (void)ww_reader_take(&r, WW_BMP_HEADER_LEN);
  w->msg->version = header.version;
  ww_bmp_peer_read(&r, &w->msg->peer);
  if (r.bad)
    return bad(w, WW_BMP_HEADER_LEN, "RFC 7854 §4.2", "message ends inside the per-peer header");
  w->tlvs = r;
  return WW_OK;
}

static enum ww_err read_profile(struct work *w) {
  struct ww_reader r = w->tlvs;
  struct ww_tlv tlv;
  size_t at = ww_reader_offset(&r, w->data);
  if (!ww_tlv_next(&r, true, &tlv))
    return bad(w, at, DOC " §2", r.bad ? "first TLV runs over the end of the message" : "no Profile TLV");
  if (!is_ours(w, &tlv, WW_RPKI_TLV_PROFILE) || tlv.index || tlv.group)
    return ww_fail(w->diag, WW_ERR_UNSUPPORTED, at, DOC " §2",
                   "another's use of message type %u: it does not begin with the Profile TLV of enterprise %u",
                   WW_BMP_RPKI_VALIDATION, w->pen);
  struct ww_reader v = ww_reader_make(tlv.value, tlv.len);
  w->msg->encoding = ww_reader_u8(&v);
  w->msg->tlv_draft = ww_reader_u8(&v);
  w->msg->profile_flags = ww_reader_u16(&v);
  w->msg->snapshot_id = ww_reader_u32(&v);
  if (v.bad)
    return bad(w, tlv_offset(w, &tlv), DOC " §3", "Profile TLV is shorter than 8 octets");
  if (w->msg->encoding != WW_RPKI_ENCODING)
    return ww_fail(w->diag, WW_ERR_UNSUPPORTED, tlv_offset(w, &tlv), DOC " §3", "encoding version %u",
                   w->msg->encoding);
  switch (w->msg->tlv_draft) {
  case 21:
    w->type_group = WW_RM_TLV21_GROUP;
    w->type_stateless = WW_RM_TLV21_STATELESS_PARSING;
    w->type_pdu = WW_RM_TLV21_BGP_MESSAGE;
    w->type_sequence = WW_RM_TLV21_SEQUENCE;
    return WW_OK;
  case 19:
    w->type_group = WW_RM_TLV19_GROUP;
    w->type_stateless = WW_RM_TLV19_STATELESS_PARSING;
    w->type_pdu = WW_RM_TLV19_BGP_MESSAGE;
    w->type_sequence = 0; /* it has none */
    return WW_OK;
  default:
    return ww_fail(w->diag, WW_ERR_UNSUPPORTED, tlv_offset(w, &tlv) + 1, DOC " §3",
                   "numbers of draft-ietf-grow-bmp-tlv-%u", w->msg->tlv_draft);
  }
}

/* --- pass 1: what has index 0 ----------------------------------------------------------------------------------------
 */

static void read_capability(struct work *w, const struct ww_tlv *tlv) {
  struct ww_reader v = ww_reader_make(tlv->value, tlv->len);
  uint8_t code = ww_reader_u8(&v);
  struct ww_reader value = ww_reader_sub(&v, ww_reader_u8(&v));
  if (v.bad)
    return;
  if (code == CAP_AS4)
    w->session.as4 = true;
  while (code == CAP_ADD_PATH && ww_reader_left(&value) >= 4) {
    uint16_t afi = ww_reader_u16(&value);
    uint8_t safi = ww_reader_u8(&value);
    bool on = ww_reader_u8(&value) != 0;
    if (safi == WW_SAFI_UNICAST && afi == WW_AFI_IPV4)
      w->session.add_path_ipv4 = on;
    if (safi == WW_SAFI_UNICAST && afi == WW_AFI_IPV6)
      w->session.add_path_ipv6 = on;
  }
}

static enum ww_err read_whole(struct work *w) {
  struct ww_reader r = w->tlvs;
  struct ww_tlv tlv;
  bool first = true;
  while (ww_tlv_next(&r, true, &tlv)) {
    if (is_ours(w, &tlv, WW_RPKI_TLV_PROFILE) && !first)
      return bad(w, tlv_offset(w, &tlv), DOC " §3", "a second Profile TLV");
    first = false;
    if (is_ours(w, &tlv, WW_RPKI_TLV_SOURCE_LABEL)) {
      if (tlv.len < 5)
        return bad(w, tlv_offset(w, &tlv), DOC " §3", "Source Label TLV is shorter than 5 octets");
      w->label_count++;
    }
    if (tlv.enterprise || tlv.index || tlv.group)
      continue;
    if (tlv.type == w->type_stateless) {
      read_capability(w, &tlv);
    } else if (tlv.type == w->type_pdu) {
      if (w->msg->has_pdu)
        return bad(w, tlv_offset(w, &tlv), "draft-ietf-grow-bmp-tlv-21 §5.2", "a second BGP Message TLV");
      w->msg->has_pdu = true;
      w->pdu = tlv.value;
      w->pdu_len = tlv.len;
    } else if (w->type_sequence && tlv.type == w->type_sequence) {
      if (w->msg->has_sequence)
        return bad(w, tlv_offset(w, &tlv), "draft-ietf-grow-bmp-tlv-21 §5.6.2", "a second Sequence Number TLV");
      struct ww_reader v = ww_reader_make(tlv.value, tlv.len);
      w->msg->sequence = ww_reader_u64(&v);
      if (v.bad)
        return bad(w, tlv_offset(w, &tlv), "draft-ietf-grow-bmp-tlv-21 §5.6.2", "Sequence Number TLV is too short");
      w->msg->has_sequence = true;
    }
  }
  if (r.bad) {
    /* Where the broken TLV begins: walk again, it was the one after the last sound one. */
    struct ww_reader again = w->tlvs, before = w->tlvs;
    while (ww_tlv_next(&again, true, &tlv))
      before = again;
    return bad(w, ww_reader_offset(&before, w->data), "draft-ietf-grow-bmp-tlv-21 §4",
               "TLV runs over the end of the message");
  }
  return WW_OK;
}

static enum ww_err read_labels(struct work *w) {
  if (!w->label_count)
    return WW_OK;
  struct ww_source_label *labels = ww_arena_alloc(w->arena, w->label_count * sizeof *labels);
  if (!labels)
    return WW_ERR_NOMEM;
  size_t n = 0;
  struct ww_reader r = w->tlvs;
  struct ww_tlv tlv;
  while (ww_tlv_next(&r, true, &tlv)) {
    if (!is_ours(w, &tlv, WW_RPKI_TLV_SOURCE_LABEL))
      continue;
    struct ww_reader v = ww_reader_make(tlv.value, tlv.len);
    struct ww_source_label *label = &labels[n++];
    label->id = ww_reader_u32(&v);
    label->type = ww_reader_u8(&v);
    label->name_len = ww_reader_left(&v);
    label->name = (const char *)ww_reader_take(&v, label->name_len);
  }
  w->msg->sources = labels;
  w->msg->source_count = n;
  return WW_OK;
}

/* --- the UPDATE
 * --------------------------------------------------------------------------------------------------------- */

static size_t count_nlri(struct ww_nlri nlri) {
  struct ww_prefix prefix;
  uint32_t path_id;
  size_t n = 0;
  while (ww_nlri_next(&nlri, &prefix, &path_id))
    n++;
  return n;
}

static void fill_items(struct work *w, struct ww_nlri nlri, bool withdrawn) {
  struct ww_prefix prefix;
  uint32_t path_id;
  while (ww_nlri_next(&nlri, &prefix, &path_id)) {
    struct ww_validation_item *item = &w->items[w->item_count++];
    *item = (struct ww_validation_item){
        .prefix = prefix, .add_path = nlri.add_path, .path_id = path_id, .withdrawn = withdrawn};
  }
}

static enum ww_err rebuild_path(struct work *w) {
  const struct ww_bgp_update *u = &w->msg->update;
  struct ww_bgpsec_path path;
  w->msg->has_path = u->has_as_path;
  w->msg->path = u->as_path;
  if (u->has_as_path || !u->bgpsec_path ||
      ww_bgpsec_path_decode(u->bgpsec_path, u->bgpsec_path_len, &path, NULL) != WW_BGPSEC_REASON_NONE)
    return WW_OK;
  struct ww_writer measure = ww_writer_make(NULL, 0);
  ww_bgpsec_as_path_write(&measure, &path);
  uint8_t *octets = ww_arena_alloc(w->arena, measure.len ? measure.len : 1);
  if (!octets)
    return WW_ERR_NOMEM;
  struct ww_writer out = ww_writer_make(octets, measure.len);
  ww_bgpsec_as_path_write(&out, &path);
  w->msg->has_path = true;
  w->msg->path = (struct ww_as_path){octets, out.len};
  return WW_OK;
}

static enum ww_err read_update(struct work *w) {
  size_t at = (size_t)(w->pdu - w->data), len;
  uint8_t type;
  struct ww_diag inner = {0};
  enum ww_err err = ww_bgp_frame(w->pdu, w->pdu_len, WW_BGP_MAX_LEN_EXTENDED, &len, &type, &inner);
  if (err != WW_OK || type != WW_BGP_UPDATE)
    return ww_fail(w->diag, WW_ERR_MALFORMED, at + inner.offset, inner.clause, "BGP Message TLV: %s",
                   err != WW_OK ? inner.text : "not an UPDATE");
  struct ww_bgp_update *u = &w->msg->update;
  /* Judging attributes was the exporter's: as little as possible is discarded here. */
  w->session.confed = true;
  err = ww_bgp_update_decode(w->pdu + WW_BGP_HEADER_LEN, len - WW_BGP_HEADER_LEN, &w->session, w->arena, u, &inner);
  if (err != WW_OK)
    return err;
  /* draft-ietf-grow-bmp-tlv-21 §4.3: without full decoding no index can be matched. */
  if (u->disposition > WW_BGP_ATTRIBUTE_DISCARD)
    return ww_fail(w->diag, WW_ERR_MALFORMED, at + WW_BGP_HEADER_LEN + inner.offset, inner.clause, "UPDATE: %s",
                   inner.text);
  err = rebuild_path(w);
  if (err != WW_OK)
    return err;
  w->msg->eor = u->eor;
  w->msg->eor_afi = u->eor_afi;
  size_t announced = count_nlri(u->announced[0]) + count_nlri(u->announced[1]);
  size_t withdrawn = count_nlri(u->withdrawn[0]) + count_nlri(u->withdrawn[1]);
  bool ipv4 = u->announced[0].len || u->withdrawn[0].len || (u->announced[1].len && u->announced[1].afi == WW_AFI_IPV4);
  bool ipv6 = (u->announced[1].len && u->announced[1].afi == WW_AFI_IPV6) ||
              (u->withdrawn[1].len && u->withdrawn[1].afi == WW_AFI_IPV6);
  if ((announced && withdrawn) || (ipv4 && ipv6))
    return bad(w, at, DOC " §5", "a PDU must announce or withdraw, and for one family");
  if (announced + withdrawn > NLRI_MAX)
    return bad(w, at, DOC " §5", "more than 32767 NLRIs");
  if (announced + withdrawn == 0)
    return WW_OK;
  w->items = ww_arena_alloc(w->arena, (announced + withdrawn) * sizeof *w->items);
  if (!w->items)
    return WW_ERR_NOMEM;
  for (unsigned i = 0; i < 2; i++)
    fill_items(w, u->announced[i], false);
  for (unsigned i = 0; i < 2; i++)
    fill_items(w, u->withdrawn[i], true);
  w->msg->items = w->items;
  w->msg->item_count = w->item_count;
  return WW_OK;
}

/* --- pass 2: groups
 * ------------------------------------------------------------------------------------------------------ */

static enum ww_err check_group(const struct work *w, const struct ww_tlv *tlv) {
  static const char clause[] = "draft-ietf-grow-bmp-tlv-21 §5.2.1";
  size_t at = tlv_offset(w, tlv);
  if (!tlv->group)
    return bad(w, at, clause, "Group TLV without the G-bit in its index");
  if (tlv->len % 2 || tlv->len < 4)
    return bad(w, at, clause, "Group TLV needs two or more 2-octet indexes");
  struct ww_reader v = ww_reader_make(tlv->value, tlv->len);
  while (ww_reader_left(&v)) {
    uint16_t member = ww_reader_u16(&v);
    if (member == 0 || member > w->item_count)
      return ww_fail(w->diag, WW_ERR_MALFORMED, at, clause, "Group TLV names NLRI %u of %zu", member, w->item_count);
  }
  return WW_OK;
}

static enum ww_err read_groups(struct work *w) {
  struct ww_reader r = w->tlvs;
  struct ww_tlv tlv;
  size_t count = 0;
  while (ww_tlv_next(&r, true, &tlv))
    count += !tlv.enterprise && tlv.type == w->type_group;
  if (!count)
    return WW_OK;
  w->groups = ww_arena_alloc(w->arena, count * sizeof *w->groups);
  w->group_by_index = ww_arena_alloc(w->arena, GROUP_INDEX_SPACE * sizeof *w->group_by_index);
  if (!w->groups || !w->group_by_index)
    return WW_ERR_NOMEM;
  memset(w->group_by_index, 0xff, GROUP_INDEX_SPACE * sizeof *w->group_by_index);
  r = w->tlvs;
  while (ww_tlv_next(&r, true, &tlv)) {
    if (tlv.enterprise || tlv.type != w->type_group)
      continue;
    enum ww_err err = check_group(w, &tlv);
    if (err != WW_OK)
      return err;
    if (w->group_by_index[tlv.index] != NO_GROUP)
      return bad(w, tlv_offset(w, &tlv), "draft-ietf-grow-bmp-tlv-21 §5.2.1", "a group index is used twice");
    w->group_by_index[tlv.index] = (uint16_t)w->group_count;
    w->groups[w->group_count++] = (struct group){.members = tlv.value, .count = tlv.len / 2};
  }
  return WW_OK;
}

/* The NLRIs that an index stands for: next() until NULL. */
struct targets {
  struct ww_validation_item *items; /* NULL: none */
  struct ww_reader members;
  bool by_member;
  size_t at, end;
};

static struct targets targets_of(const struct work *w, const struct ww_tlv *tlv) {
  struct targets t = {.items = w->items};
  if (tlv->group) {
    uint16_t g = w->group_by_index ? w->group_by_index[tlv->index] : (uint16_t)NO_GROUP;
    if (g == NO_GROUP)
      return t;
    t.by_member = true;
    t.members = ww_reader_make(w->groups[g].members, w->groups[g].count * 2);
  } else if (tlv->index == 0) {
    t.end = w->item_count;
  } else if (tlv->index <= w->item_count) {
    t.at = tlv->index - 1u;
    t.end = tlv->index;
  }
  return t;
}

static struct ww_validation_item *targets_next(struct targets *t) {
  if (!t->items)
    return NULL;
  if (t->by_member)
    return ww_reader_left(&t->members) ? &t->items[ww_reader_u16(&t->members) - 1u] : NULL;
  return t->at < t->end ? &t->items[t->at++] : NULL;
}

/* --- passes 3 and 4: results
 * ------------------------------------------------------------------------------------------------ */

static enum ww_err read_state(struct work *w, const struct ww_tlv *tlv) {
  struct ww_reader v = ww_reader_make(tlv->value, tlv->len);
  uint8_t state = ww_reader_u8(&v), trigger = ww_reader_u8(&v);
  uint32_t epoch = ww_reader_u32(&v);
  if (v.bad || state > WW_STATE_NOT_EVALUATED)
    return bad(w, tlv_offset(w, tlv), DOC " §3", "Overall State TLV is too short or has a state that does not exist");
  struct targets t = targets_of(w, tlv);
  for (struct ww_validation_item *item; (item = targets_next(&t)) != NULL;) {
    if (item->has_state)
      return bad(w, tlv_offset(w, tlv), DOC " §5", "two Overall State TLVs for one NLRI");
    item->has_state = true;
    item->state = state;
    item->trigger = trigger;
    item->epoch = epoch;
  }
  return WW_OK;
}

static enum ww_err read_result(struct work *w, const struct ww_tlv *tlv) {
  struct ww_reader v = ww_reader_make(tlv->value, tlv->len);
  uint8_t kind = ww_reader_u8(&v), state = ww_reader_u8(&v);
  uint16_t reason = ww_reader_u16(&v);
  if (v.bad || state > WW_STATE_NOT_EVALUATED)
    return bad(w, tlv_offset(w, tlv), DOC " §3",
               "Validation Result TLV is too short or has a state that does not exist");
  if (kind < WW_KIND_ORIGIN || kind > WW_KIND_BGPSEC)
    return WW_OK;
  struct targets t = targets_of(w, tlv);
  for (struct ww_validation_item *item; (item = targets_next(&t)) != NULL;) {
    if (item->result[kind].present)
      return bad(w, tlv_offset(w, tlv), DOC " §5", "two Validation Result TLVs of one kind for one NLRI");
    item->result[kind].present = true;
    item->result[kind].state = state;
    item->result[kind].reason = reason;
  }
  return WW_OK;
}

static ww_unix_time time_of(uint64_t expires) { return expires <= INT64_MAX ? (ww_unix_time)expires : 0; }

static enum ww_err read_aspa(const struct work *w, const struct ww_tlv *tlv, struct ww_reader v, struct ww_aspa *aspa,
                             uint64_t expires) {
  aspa->customer = ww_reader_u32(&v);
  aspa->provider_count = ww_reader_u16(&v);
  aspa->expires = time_of(expires);
  struct ww_reader list = ww_reader_sub(&v, (size_t)aspa->provider_count * 4);
  if (v.bad || !aspa->provider_count)
    return bad(w, tlv_offset(w, tlv), DOC " §3", "Rule TLV holds no possible ASPA");
  uint32_t *providers = ww_arena_alloc(w->arena, aspa->provider_count * sizeof *providers);
  if (!providers)
    return WW_ERR_NOMEM;
  aspa->providers = providers;
  for (uint32_t i = 0; i < aspa->provider_count; i++) {
    providers[i] = ww_reader_u32(&list);
    if (i && providers[i] <= providers[i - 1])
      return bad(w, tlv_offset(w, tlv), DOC " §3", "providers of an ASPA are not in ascending order");
  }
  return WW_OK;
}

static enum ww_err read_rule(const struct work *w, const struct ww_tlv *tlv, struct ww_rule *rule) {
  struct ww_reader v = ww_reader_make(tlv->value, tlv->len);
  *rule = (struct ww_rule){0};
  rule->kind = ww_reader_u8(&v);
  rule->state = ww_reader_u8(&v);
  rule->flags = ww_reader_u16(&v);
  rule->source = ww_reader_u32(&v);
  rule->expires = ww_reader_u64(&v);
  if (v.bad || rule->state > WW_STATE_NOT_EVALUATED)
    return bad(w, tlv_offset(w, tlv), DOC " §3", "Rule TLV is too short or has a state that does not exist");
  if (rule->kind == WW_RULE_ASPA)
    return read_aspa(w, tlv, v, &rule->aspa, rule->expires);
  if (rule->kind == WW_RULE_ROUTER_KEY) {
    rule->asn = ww_reader_u32(&v);
    ww_reader_bytes(&v, rule->ski, WW_SKI_LEN);
    return v.bad ? bad(w, tlv_offset(w, tlv), DOC " §3", "Rule TLV is too short for a router key") : WW_OK;
  }
  if (rule->kind != WW_RULE_VRP)
    return WW_OK;
  uint16_t afi = ww_reader_u16(&v);
  struct ww_vrp *vrp = &rule->vrp;
  vrp->prefix.afi = (uint8_t)(afi <= WW_AFI_IPV6 ? afi : 0);
  vrp->prefix.len = ww_reader_u8(&v);
  vrp->max_len = ww_reader_u8(&v);
  vrp->asn = ww_reader_u32(&v);
  vrp->expires = time_of(rule->expires);
  uint8_t bits = ww_afi_bits(vrp->prefix.afi);
  ww_reader_bytes(&v, vrp->prefix.addr, bits / 8u);
  if (v.bad || !bits || vrp->max_len < vrp->prefix.len || vrp->max_len > bits || !ww_prefix_is_canonical(&vrp->prefix))
    return bad(w, tlv_offset(w, tlv), DOC " §3", "Rule TLV holds no possible VRP");
  return WW_OK;
}

static enum ww_err read_path(struct work *w, const struct ww_tlv *tlv) {
  struct ww_reader v = ww_reader_make(tlv->value, tlv->len);
  struct ww_aspa_result *path = ww_arena_alloc(w->arena, sizeof *path);
  if (!path)
    return WW_ERR_NOMEM;
  *path = (struct ww_aspa_result){.state = WW_STATE_NOT_EVALUATED};
  path->procedure = ww_reader_u8(&v);
  path->role = ww_reader_u8(&v);
  path->hop_count = ww_reader_u16(&v);
  path->path_len = ww_reader_u32(&v);
  path->max_up = ww_reader_u32(&v);
  path->min_up = ww_reader_u32(&v);
  path->max_down = ww_reader_u32(&v);
  path->min_down = ww_reader_u32(&v);
  struct ww_reader hops = ww_reader_sub(&v, path->hop_count * HOP_LEN);
  if (v.bad || path->procedure < WW_ASPA_UPSTREAM || path->procedure > WW_ASPA_DOWNSTREAM)
    return bad(w, tlv_offset(w, tlv), DOC " §3", "Path Result TLV is too short or has a procedure that does not exist");
  if (path->hop_count) {
    path->hops = ww_arena_alloc(w->arena, path->hop_count * sizeof *path->hops);
    if (!path->hops)
      return WW_ERR_NOMEM;
  }
  for (size_t i = 0; i < path->hop_count; i++) {
    struct ww_aspa_hop *hop = &path->hops[i];
    *hop = (struct ww_aspa_hop){.customer = ww_reader_u32(&hops)};
    hop->provider = ww_reader_u32(&hops);
    hop->state = ww_reader_u8(&hops);
    uint8_t flags = ww_reader_u8(&hops);
    hop->up = (flags & WW_HOP_FLAG_UP) != 0;
    hop->failing = (flags & WW_HOP_FLAG_FAILING) != 0;
    if (hop->state > WW_HOP_NO_ATTESTATION)
      return bad(w, tlv_offset(w, tlv), DOC " §3", "Path Result TLV has a hop in a state that does not exist");
  }
  struct targets t = targets_of(w, tlv);
  for (struct ww_validation_item *item; (item = targets_next(&t)) != NULL;) {
    if (item->path)
      return bad(w, tlv_offset(w, tlv), DOC " §5", "two Path Result TLVs for one NLRI");
    item->path = path;
  }
  return WW_OK;
}

static enum ww_err read_segments(struct work *w, const struct ww_tlv *tlv) {
  struct ww_reader v = ww_reader_make(tlv->value, tlv->len);
  size_t count = ww_reader_u8(&v);
  struct ww_reader list = ww_reader_sub(&v, count * SEGMENT_LEN);
  if (v.bad || !count)
    return bad(w, tlv_offset(w, tlv), DOC " §3", "BGPsec Segments TLV is too short, or empty");
  struct ww_bgpsec_segment_result *segments = ww_arena_alloc(w->arena, count * sizeof *segments);
  if (!segments)
    return WW_ERR_NOMEM;
  for (size_t i = 0; i < count; i++) {
    segments[i] = (struct ww_bgpsec_segment_result){.asn = ww_reader_u32(&list)};
    segments[i].suite = ww_reader_u8(&list);
    segments[i].state = ww_reader_u8(&list);
    ww_reader_bytes(&list, segments[i].ski, WW_SKI_LEN);
    if (segments[i].state > WW_BGPSEC_SEGMENT_UNSUPPORTED)
      return bad(w, tlv_offset(w, tlv), DOC " §3", "BGPsec Segments TLV has a segment in a state that does not exist");
  }
  struct targets t = targets_of(w, tlv);
  for (struct ww_validation_item *item; (item = targets_next(&t)) != NULL;) {
    if (item->segment_count)
      return bad(w, tlv_offset(w, tlv), DOC " §5", "two BGPsec Segments TLVs for one NLRI");
    item->segments = segments;
    item->segment_count = count;
  }
  return WW_OK;
}

static bool rule_tlv(const struct work *w, const struct ww_tlv *tlv, bool *covering) {
  *covering = is_ours(w, tlv, WW_RPKI_TLV_COVERING_RULE);
  return *covering || is_ours(w, tlv, WW_RPKI_TLV_RULE);
}

static enum ww_err count_results(struct work *w, size_t *rules) {
  struct ww_reader r = w->tlvs;
  struct ww_tlv tlv;
  size_t total = 0;
  while (ww_tlv_next(&r, true, &tlv)) {
    enum ww_err err = WW_OK;
    bool covering;
    if (is_ours(w, &tlv, WW_RPKI_TLV_OVERALL_STATE))
      err = read_state(w, &tlv);
    else if (is_ours(w, &tlv, WW_RPKI_TLV_RESULT))
      err = read_result(w, &tlv);
    else if (is_ours(w, &tlv, WW_RPKI_TLV_PATH_RESULT))
      err = read_path(w, &tlv);
    else if (is_ours(w, &tlv, WW_RPKI_TLV_BGPSEC_SEGMENTS))
      err = read_segments(w, &tlv);
    else if (rule_tlv(w, &tlv, &covering)) {
      struct targets t = targets_of(w, &tlv);
      for (struct ww_validation_item *item; (item = targets_next(&t)) != NULL;) {
        if (++total > WW_VALIDATION_EXPANDED_MAX)
          return ww_fail(w->diag, WW_ERR_LIMIT, tlv_offset(w, &tlv), DOC " §5", "more than %u rules for all NLRIs",
                         WW_VALIDATION_EXPANDED_MAX);
        if (covering)
          item->covering_count++;
        else
          item->rule_count++;
      }
    }
    if (err != WW_OK)
      return err;
  }
  *rules = total;
  return WW_OK;
}

static enum ww_err fill_rules(struct work *w, size_t total) {
  if (!total)
    return WW_OK;
  struct ww_rule *rules = ww_arena_alloc(w->arena, total * sizeof *rules), *next = rules;
  struct cursor {
    struct ww_rule *rule, *covering;
  } *at = ww_arena_alloc(w->arena, w->item_count * sizeof *at);
  if (!rules || !at)
    return WW_ERR_NOMEM;
  for (size_t i = 0; i < w->item_count; i++) {
    struct ww_validation_item *item = &w->items[i];
    item->rules = at[i].rule = next;
    next += item->rule_count;
    item->covering = at[i].covering = next;
    next += item->covering_count;
  }
  struct ww_reader r = w->tlvs;
  struct ww_tlv tlv;
  while (ww_tlv_next(&r, true, &tlv)) {
    bool covering;
    if (!rule_tlv(w, &tlv, &covering))
      continue;
    struct ww_rule rule;
    enum ww_err err = read_rule(w, &tlv, &rule);
    if (err != WW_OK)
      return err;
    struct targets t = targets_of(w, &tlv);
    for (struct ww_validation_item *item; (item = targets_next(&t)) != NULL;) {
      if (rule.kind == WW_RULE_VRP && !ww_prefix_covers(&rule.vrp.prefix, &item->prefix))
        return ww_fail(w->diag, WW_ERR_MALFORMED, tlv_offset(w, &tlv), DOC " §5",
                       "a rule is given for NLRI %zu that its VRP does not cover", (size_t)(item - w->items) + 1);
      struct cursor *c = &at[item - w->items];
      *(covering ? c->covering++ : c->rule++) = rule;
    }
  }
  return WW_OK;
}

/* --- the invariants of §5
 * --------------------------------------------------------------------------------------------------- */

/* BGPsec is Invalid because of signatures: some segment is bad, and some router key is Invalid. */
static bool blames_a_key(const struct ww_validation_item *item) {
  bool segment = false, key = false;
  for (size_t i = 0; i < item->segment_count && !segment; i++)
    segment = ww_segment_is_bad(item->segments[i].state);
  for (size_t i = 0; i < item->rule_count && !key; i++)
    key = item->rules[i].kind == WW_RULE_ROUTER_KEY && item->rules[i].state == WW_STATE_INVALID;
  return segment && key;
}

static enum ww_err check_item(const struct work *w, const struct ww_validation_item *item, size_t ordinal) {
  size_t at = (size_t)(w->pdu - w->data), valid = 0, invalid = 0;
  if (item->withdrawn) {
    if (item->has_state || item->rule_count || item->covering_count || item->path || item->segment_count)
      return ww_fail(w->diag, WW_ERR_MALFORMED, at, DOC " §5", "NLRI %zu is withdrawn and has a verdict", ordinal);
    return WW_OK;
  }
  if (!item->has_state)
    return ww_fail(w->diag, WW_ERR_MALFORMED, at, DOC " §5", "NLRI %zu has no Overall State", ordinal);
  bool any = false, any_valid = false, any_invalid = false, of_path = false;
  for (unsigned kind = WW_KIND_ORIGIN; kind <= WW_KIND_BGPSEC; kind++) {
    if (!item->result[kind].present || item->result[kind].state == WW_STATE_NOT_EVALUATED)
      continue;
    any = true;
    any_valid |= item->result[kind].state == WW_STATE_VALID;
    any_invalid |= item->result[kind].state == WW_STATE_INVALID;
    of_path |= kind != WW_KIND_ORIGIN && item->result[kind].state == WW_STATE_INVALID &&
               ww_reason_is_of_path(item->result[kind].reason);
  }
  uint8_t combined = any_invalid ? WW_STATE_INVALID : any_valid ? WW_STATE_VALID : WW_STATE_UNKNOWN;
  if (any && item->state != combined)
    return ww_fail(w->diag, WW_ERR_MALFORMED, at, DOC " §5", "NLRI %zu: Overall State %s, but its results make %s",
                   ordinal, ww_state_name((enum ww_state)item->state), ww_state_name((enum ww_state)combined));
  const uint16_t reason = item->result[WW_KIND_BGPSEC].reason;
  if (item->result[WW_KIND_BGPSEC].present && item->result[WW_KIND_BGPSEC].state == WW_STATE_INVALID &&
      !ww_reason_is_of_path(reason) && !blames_a_key(item))
    return ww_fail(w->diag, WW_ERR_MALFORMED, at, DOC " §5",
                   "NLRI %zu: BGPsec is Invalid without a bad segment and an Invalid router key", ordinal);
  for (size_t i = 0; i < item->rule_count; i++) {
    valid += item->rules[i].state == WW_STATE_VALID;
    invalid += item->rules[i].state == WW_STATE_INVALID;
  }
  /* draft-wang-grow-bmp-rpki-mon-reqs-03 §5.2, the note at its end */
  if (item->state == WW_STATE_VALID && valid != item->rule_count)
    return ww_fail(w->diag, WW_ERR_MALFORMED, at, DOC " §5", "NLRI %zu is Valid with a rule that is not", ordinal);
  if (item->state == WW_STATE_UNKNOWN && item->rule_count)
    return ww_fail(w->diag, WW_ERR_MALFORMED, at, DOC " §5", "NLRI %zu is Unknown, but a rule hit it", ordinal);
  if (item->state == WW_STATE_INVALID && !invalid && !of_path)
    return ww_fail(w->diag, WW_ERR_MALFORMED, at, DOC " §5", "NLRI %zu is Invalid without an Invalid rule", ordinal);
  return WW_OK;
}

enum ww_err ww_validation_decode(const uint8_t *data, size_t len, uint32_t pen, struct ww_arena *arena,
                                 struct ww_validation_msg *out, struct ww_diag *diag) {
  struct work w = {.data = data, .pen = pen, .arena = arena, .msg = out, .diag = diag};
  *out = (struct ww_validation_msg){0};
  size_t rules = 0;
  enum ww_err err = read_header(&w, len);
  if (err == WW_OK)
    err = read_profile(&w);
  if (err == WW_OK)
    err = read_whole(&w);
  if (err == WW_OK)
    err = read_labels(&w);
  if (err == WW_OK && out->has_pdu)
    err = read_update(&w);
  if (err == WW_OK)
    err = read_groups(&w);
  if (err == WW_OK)
    err = count_results(&w, &rules);
  if (err == WW_OK)
    err = fill_rules(&w, rules);
  for (size_t i = 0; err == WW_OK && i < w.item_count; i++)
    err = check_item(&w, &w.items[i], i + 1);
  if (err == WW_ERR_NOMEM)
    return ww_fail(diag, err, 0, NULL, "memory ran out");
  return err;
}
