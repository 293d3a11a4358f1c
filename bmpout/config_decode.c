/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading RPKI_CONFIG, strictly, as decode.c reads RPKI_VALIDATION: a message that breaks a rule of the format is
 * refused whole.
 *
 * Passes over the TLVs: (1) what has index 0; (2) Group TLVs: a table says for each ordinal which group it is in, and
 * every group becomes an item; Sub-types say what kind of item; (3) fields are counted where there can be many
 * (SLURM exceptions), and (4) put into their items. Everything is bounded by the message: a group needs a TLV, a member
 * two octets, an exception a TLV.
 *
 * Passed over: TLVs that are not known, fields of no group, groups of a sub-type that is not known, octets behind the
 * known part of a value.
 */
#include <string.h>

#include "bmpout/config_message.h"
#include "bmpout/numbers.h"
#include "wire/bmp_tlv.h"

#define DOC "docs/formats/bmp-rpki.md §10"

enum { ORDINALS = 0x8000 };

struct group {
  uint16_t index;
  uint8_t subtype; /* 0: not said yet */
  bool has_type, has_status;
  size_t override_count, override_at;
  struct ww_config_source_item source;
  struct ww_policy policy;
  struct ww_config_override *overrides;
};

struct work {
  const uint8_t *data;
  struct ww_reader tlvs;
  uint32_t pen;
  uint16_t type_group, type_sequence;
  struct ww_arena *arena;
  struct ww_config_message *msg;
  struct ww_diag *diag;
  struct group *groups;
  size_t group_count;
  uint16_t *group_of; /* by ordinal: 1 + place in groups, 0 none */
};

static enum ww_err bad(const struct work *w, size_t offset, const char *what) {
  return ww_fail(w->diag, WW_ERR_MALFORMED, offset, DOC, "%s", what);
}

static enum ww_err no_memory(const struct work *w) { return ww_fail(w->diag, WW_ERR_NOMEM, 0, NULL, "no memory"); }

static size_t offset_of(const struct work *w, const struct ww_tlv *tlv) { return (size_t)(tlv->value - w->data); }

static bool is_ours(const struct work *w, const struct ww_tlv *tlv) { return tlv->enterprise && tlv->pen == w->pen; }

/* ---- 1: header, Profile, Sequence Number ---- */

static enum ww_err read_front(struct work *w, size_t len) {
  struct ww_bmp_header header;
  struct ww_tlv tlv;
  enum ww_err err = ww_bmp_frame(w->data, len, WW_BMP_MAX_LEN, &header, w->diag);
  if (err != WW_OK)
    return err;
  if (header.type != WW_BMP_RPKI_CONFIG)
    return ww_fail(w->diag, WW_ERR_INVAL, 5, NULL, "message type %u is not RPKI_CONFIG", header.type);
  if (header.len > len)
    return ww_fail(w->diag, WW_ERR_SHORT, 1, "RFC 7854 §4.1", "message of %u octets, %zu are here", header.len, len);
  struct ww_reader r = ww_reader_make(w->data, header.len);
  (void)ww_reader_take(&r, WW_BMP_HEADER_LEN);
  w->msg->version = header.version;
  /* A peer type is below 0x80; the first TLV of a message without per-peer header is enterprise-specific. */
  if (ww_reader_left(&r) && *r.p < 0x80) {
    w->msg->has_peer = true;
    ww_bmp_peer_read(&r, &w->msg->peer);
  }
  size_t at = ww_reader_offset(&r, w->data);
  w->tlvs = r;
  if (!ww_tlv_next(&r, true, &tlv) || !is_ours(w, &tlv) || tlv.type != WW_RPKI_TLV_PROFILE || tlv.index || tlv.group)
    return ww_fail(w->diag, WW_ERR_UNSUPPORTED, at, DOC,
                   "another's use of message type %u: it does not begin with the Profile TLV of enterprise %u",
                   WW_BMP_RPKI_CONFIG, w->pen);
  struct ww_reader v = ww_reader_make(tlv.value, tlv.len);
  uint8_t encoding = ww_reader_u8(&v);
  w->msg->tlv_draft = ww_reader_u8(&v);
  w->msg->profile_flags = ww_reader_u16(&v);
  w->msg->snapshot_id = ww_reader_u32(&v);
  if (v.bad)
    return bad(w, offset_of(w, &tlv), "Profile TLV is shorter than 8 octets");
  if (encoding != WW_RPKI_ENCODING || (w->msg->tlv_draft != 19 && w->msg->tlv_draft != 21))
    return ww_fail(w->diag, WW_ERR_UNSUPPORTED, offset_of(w, &tlv), DOC, "encoding version %u with numbers of draft %u",
                   encoding, w->msg->tlv_draft);
  bool old = w->msg->tlv_draft == 19;
  w->type_group = old ? (uint16_t)WW_RM_TLV19_GROUP : (uint16_t)WW_RM_TLV21_GROUP;
  w->type_sequence = old ? 0 : (uint16_t)WW_RM_TLV21_SEQUENCE;
  return WW_OK;
}

/* ---- 2: groups ---- */

static enum ww_err count_groups(struct work *w) {
  struct ww_reader r = w->tlvs;
  struct ww_tlv tlv;
  bool any = false;
  while (ww_tlv_next(&r, true, &tlv)) {
    if (!tlv.enterprise && tlv.type == w->type_group)
      w->group_count++;
    if (!tlv.enterprise && w->type_sequence && tlv.type == w->type_sequence && tlv.len >= 8) {
      struct ww_reader v = ww_reader_make(tlv.value, tlv.len);
      w->msg->has_sequence = true;
      w->msg->sequence = ww_reader_u64(&v);
    }
    if (is_ours(w, &tlv) && tlv.type == WW_RPKI_TLV_SCOPE && tlv.len > 0 && (tlv.value[0] == 1) != w->msg->has_peer)
      return bad(w, offset_of(w, &tlv), "the scope says otherwise than the per-peer header");
    any = true;
  }
  return r.bad || !any ? bad(w, ww_reader_offset(&r, w->data), "a TLV runs over the end of the message") : WW_OK;
}

static enum ww_err read_group(struct work *w, struct group *g, const struct ww_tlv *tlv) {
  size_t place = (size_t)(g - w->groups);
  struct ww_reader v = ww_reader_make(tlv->value, tlv->len);
  g->index = tlv->index;
  if (!tlv->group || tlv->len == 0 || tlv->len % 2)
    return bad(w, offset_of(w, tlv), "a Group without G-bit, or whose members are no list of 16-bit numbers");
  for (size_t i = 0; i < place; i++)
    if (w->groups[i].index == g->index)
      return bad(w, offset_of(w, tlv), "two Groups of one index");
  while (ww_reader_left(&v)) {
    uint16_t ordinal = ww_reader_u16(&v);
    if (ordinal == 0 || ordinal >= ORDINALS || w->group_of[ordinal])
      return bad(w, offset_of(w, tlv), "a member that cannot be, or that is in two groups");
    w->group_of[ordinal] = (uint16_t)(place + 1);
  }
  return WW_OK;
}

static struct group *group_with_index(const struct work *w, uint16_t index) {
  for (size_t i = 0; i < w->group_count; i++)
    if (w->groups[i].index == index)
      return &w->groups[i];
  return NULL;
}

/* The group that a field is of, by its own ordinal. */
static struct group *group_of(const struct work *w, const struct ww_tlv *tlv) {
  uint16_t place = tlv->group || tlv->index >= ORDINALS ? 0 : w->group_of[tlv->index];
  return place ? &w->groups[place - 1] : NULL;
}

static enum ww_err read_groups(struct work *w) {
  struct ww_reader r = w->tlvs;
  struct ww_tlv tlv;
  size_t filled = 0, octets = w->group_count * sizeof *w->groups;
  if (!w->group_count)
    return WW_OK;
  w->groups = ww_arena_alloc(w->arena, octets);
  w->group_of = ww_arena_alloc(w->arena, ORDINALS * sizeof *w->group_of);
  if (!w->groups || !w->group_of)
    return no_memory(w);
  memset(w->groups, 0, octets);
  memset(w->group_of, 0, ORDINALS * sizeof *w->group_of);
  while (ww_tlv_next(&r, true, &tlv))
    if (!tlv.enterprise && tlv.type == w->type_group) {
      enum ww_err err = read_group(w, &w->groups[filled], &tlv);
      if (err)
        return err;
      filled++;
    }
  r = w->tlvs;
  while (ww_tlv_next(&r, true, &tlv)) {
    if (!is_ours(w, &tlv))
      continue;
    struct group *g = tlv.group ? group_with_index(w, tlv.index) : group_of(w, &tlv);
    if (tlv.type == WW_RPKI_TLV_SUBTYPE && g && tlv.len > 0) {
      if (g->subtype)
        return bad(w, offset_of(w, &tlv), "two sub-types of one group");
      g->subtype = tlv.value[0];
    }
    if (tlv.type == WW_RPKI_TLV_SLURM_OVERRIDE && g)
      g->override_count++;
  }
  for (size_t i = 0; i < w->group_count; i++) {
    struct group *g = &w->groups[i];
    if (!g->subtype)
      return bad(w, 0, "a group without sub-type");
    if (g->override_count && !(g->overrides = ww_arena_alloc(w->arena, g->override_count * sizeof *g->overrides)))
      return no_memory(w);
  }
  return WW_OK;
}

/* ---- 3: fields ---- */

static struct ww_text rest(struct ww_reader *v) {
  size_t len = ww_reader_left(v);
  return (struct ww_text){.text = (const char *)ww_reader_take(v, len), .len = len};
}

static struct ww_addr address(struct ww_reader *v, uint16_t afi) {
  struct ww_addr a = {.afi = (uint8_t)afi};
  if (afi == WW_AFI_IPV4 || afi == WW_AFI_IPV6)
    ww_reader_bytes(v, a.bytes, ww_afi_bits((uint8_t)afi) / 8u);
  else
    v->bad = v->bad || afi != WW_AFI_NONE;
  return a;
}

static struct ww_stamp stamp(struct ww_reader *v) {
  struct ww_stamp s;
  s.sec = ww_reader_u32(v);
  s.usec = ww_reader_u32(v);
  return s;
}

static void source_field(struct group *g, uint16_t type, struct ww_reader *v) {
  struct ww_config_source_item *s = &g->source;
  switch (type) {
  case WW_RPKI_TLV_SOURCE_TYPE:
    g->has_type = true;
    s->type = ww_reader_u8(v);
    (void)ww_reader_u8(v);
    s->id = ww_reader_u32(v);
    s->label = rest(v);
    break;
  case WW_RPKI_TLV_STATUS:
    g->has_status = true;
    s->status = ww_reader_u8(v);
    break;
  case WW_RPKI_TLV_RECORD_COUNT:
    while (!v->bad && ww_reader_left(v)) {
      uint8_t kind = ww_reader_u8(v);
      uint64_t records = ww_reader_u64(v);
      if (kind > 0 && kind < WW_RECORD_KINDS && !v->bad) {
        s->has_records[kind] = true;
        s->records[kind] = records;
      }
    }
    break;
  case WW_RPKI_TLV_LAST_UPDATE:
    *(ww_reader_u8(v) == 2 ? &s->last_attempt : &s->last_sync) = stamp(v);
    break;
  case WW_RPKI_TLV_ERROR_COUNT:
    s->errors = ww_reader_u64(v);
    break;
  case WW_RPKI_TLV_CCR_HASH: {
    uint8_t algorithm = ww_reader_u8(v), kind = ww_reader_u8(v);
    if (algorithm == WW_RPKI_HASH_SHA256 && kind > 0 && kind < WW_HASH_KINDS) {
      ww_reader_bytes(v, s->hash[kind], WW_HASH_LEN);
      s->has_hash[kind] = true;
    }
    break;
  }
  case WW_RPKI_TLV_RTR_PREFERENCE:
    s->rtr.present = true;
    s->rtr.backup = ww_reader_u8(v) == 2;
    s->rtr.preference = ww_reader_u16(v);
    break;
  case WW_RPKI_TLV_RTR_VERSION:
    s->rtr.present = true;
    s->rtr.version = ww_reader_u8(v);
    break;
  case WW_RPKI_TLV_TRANSPORT:
    s->rtr.present = true;
    s->rtr.transport = ww_reader_u8(v);
    break;
  case WW_RPKI_TLV_ENDPOINT: {
    uint16_t afi = ww_reader_u16(v);
    s->rtr.present = true;
    s->rtr.port = ww_reader_u16(v);
    s->rtr.address = address(v, afi);
    if (afi == WW_AFI_NONE)
      s->rtr.host = rest(v);
    break;
  }
  case WW_RPKI_TLV_BGP_SOURCE: {
    uint16_t afi = ww_reader_u16(v);
    s->bgp.present = true;
    s->bgp.asn = ww_reader_u32(v);
    s->bgp.peer = address(v, afi);
    break;
  }
  case WW_RPKI_TLV_RELATIONSHIP:
    s->bgp.present = true;
    s->bgp.role = ww_reader_u8(v);
    break;
  case WW_RPKI_TLV_MODIFIED:
    s->modified = stamp(v);
    break;
  case WW_RPKI_TLV_SLURM_COUNTS:
    s->slurm.present = true;
    while (!v->bad && ww_reader_left(v)) {
      uint8_t kind = ww_reader_u8(v);
      uint32_t count = ww_reader_u32(v);
      if (kind > 0 && kind < WW_OVERRIDE_KINDS && !v->bad)
        s->slurm.counts[kind] = count;
    }
    break;
  case WW_RPKI_TLV_SLURM_ERRORS:
    s->slurm.present = true;
    s->slurm.read_errors = ww_reader_u32(v);
    s->slurm.write_errors = ww_reader_u32(v);
    s->slurm.last_error = rest(v);
    break;
  default:
    break;
  }
}

static void read_action(struct ww_policy *p, struct ww_reader *v) {
  uint8_t kind = ww_reader_u8(v), state = ww_reader_u8(v);
  struct ww_policy_action a = {.actions = ww_reader_u16(v)};
  while (!v->bad && ww_reader_left(v)) {
    uint8_t attr = ww_reader_u8(v);
    struct ww_reader value = ww_reader_sub(v, ww_reader_u8(v));
    if (attr == WW_ATTR_LOCAL_PREF)
      a.local_pref = ww_reader_u32(&value);
    if (attr == WW_ATTR_COMMUNITIES)
      a.community = ww_reader_u32(&value);
    v->bad = v->bad || value.bad;
  }
  if (kind < WW_KIND_ORIGIN || kind > WW_KIND_BGPSEC)
    return;
  if (state == WW_STATE_UNKNOWN)
    p->kinds[kind].on_unknown = a;
  if (state == WW_STATE_INVALID)
    p->kinds[kind].on_invalid = a;
}

static void policy_field(struct ww_policy *p, uint16_t type, struct ww_reader *v) {
  switch (type) {
  case WW_RPKI_TLV_POLICY_NAME: {
    struct ww_text name = rest(v);
    size_t len = name.len < sizeof p->name - 1 ? name.len : sizeof p->name - 1;
    if (len)
      memcpy(p->name, name.text, len);
    p->name[len] = '\0';
    break;
  }
  case WW_RPKI_TLV_VALIDATION_ENABLE:
    while (!v->bad && ww_reader_left(v)) {
      uint8_t kind = ww_reader_u8(v), mode = ww_reader_u8(v);
      (void)ww_reader_u8(v); /* points */
      if (kind >= WW_KIND_ORIGIN && kind <= WW_KIND_BGPSEC && !v->bad)
        p->kinds[kind].mode = mode;
    }
    break;
  case WW_RPKI_TLV_STATE_ACTION:
    read_action(p, v);
    break;
  default:
    break;
  }
}

static void override_field(struct group *g, struct ww_reader *v) {
  struct ww_config_override o = {.kind = ww_reader_u8(v)};
  (void)ww_reader_u8(v); /* adds or removes: the kind says it */
  uint16_t afi = ww_reader_u16(v);
  o.prefix.len = ww_reader_u8(v);
  o.max_len = ww_reader_u8(v);
  o.has_asn = ww_reader_u8(v) != 0;
  (void)ww_reader_u8(v);
  o.asn = ww_reader_u32(v);
  struct ww_addr a = address(v, afi);
  o.prefix.afi = a.afi;
  memcpy(o.prefix.addr, a.bytes, sizeof o.prefix.addr);
  v->bad = v->bad || o.prefix.len > ww_afi_bits(o.prefix.afi) || o.max_len > ww_afi_bits(o.prefix.afi);
  if (!v->bad && a.afi)
    v->bad = !ww_prefix_is_canonical(&o.prefix);
  if (!v->bad)
    g->overrides[g->override_at++] = o;
}

static enum ww_err read_fields(struct work *w) {
  struct ww_reader r = w->tlvs;
  struct ww_tlv tlv;
  while (w->group_count && ww_tlv_next(&r, true, &tlv)) {
    struct group *g = is_ours(w, &tlv) ? group_of(w, &tlv) : NULL;
    if (!g)
      continue;
    struct ww_reader v = ww_reader_make(tlv.value, tlv.len);
    if (g->subtype == WW_CONFIG_SOURCE)
      source_field(g, tlv.type, &v);
    else if (g->subtype == WW_CONFIG_POLICY)
      policy_field(&g->policy, tlv.type, &v);
    else if (g->subtype == WW_CONFIG_SLURM && tlv.type == WW_RPKI_TLV_SLURM_OVERRIDE)
      override_field(g, &v);
    if (v.bad)
      return ww_fail(w->diag, WW_ERR_MALFORMED, offset_of(w, &tlv), DOC,
                     "TLV %u ends early or has a value that cannot be", tlv.type);
  }
  return WW_OK;
}

static enum ww_err gather(struct work *w) {
  if (!w->group_count)
    return WW_OK;
  struct ww_config_item *items = ww_arena_alloc(w->arena, w->group_count * sizeof *items);
  if (!items)
    return no_memory(w);
  for (size_t i = 0; i < w->group_count; i++) {
    struct group *g = &w->groups[i];
    struct ww_config_item *item = &items[w->msg->item_count];
    *item = (struct ww_config_item){.kind = g->subtype};
    if (g->subtype == WW_CONFIG_SOURCE) {
      /* docs/formats/bmp-rpki.md §10: a source has at least type and status */
      if (!g->has_type || !g->has_status)
        return bad(w, 0, "a data source without type or status");
      item->u.source = &g->source;
    } else if (g->subtype == WW_CONFIG_POLICY) {
      item->u.policy = &g->policy;
    } else if (g->subtype == WW_CONFIG_SLURM) {
      item->u.overrides.list = g->overrides;
      item->u.overrides.count = g->override_at;
    } else {
      continue;
    }
    w->msg->item_count++;
  }
  w->msg->items = items;
  return WW_OK;
}

enum ww_err ww_config_decode(const uint8_t *data, size_t len, uint32_t pen, struct ww_arena *arena,
                             struct ww_config_message *out, struct ww_diag *diag) {
  struct work w = {.data = data, .pen = pen, .arena = arena, .msg = out, .diag = diag};
  *out = (struct ww_config_message){0};
  enum ww_err err = read_front(&w, len);
  if (!err)
    err = count_groups(&w);
  if (!err)
    err = read_groups(&w);
  if (!err)
    err = read_fields(&w);
  return err ? err : gather(&w);
}
