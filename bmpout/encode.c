/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building RPKI_VALIDATION (draft-wang-grow-bmp-rpki-mon-reqs-03 §5.2; docs/formats/bmp-rpki.md).
 *
 * A message says of N NLRIs two things: a class (state, reason, trigger, epoch), and any number of rules. Many NLRIs
 * share both, so each distinct class and each distinct rule is written once, under index 0 when it holds for all, under
 * the ordinal when it holds for one, and else under a Group (draft-ietf-grow-bmp-tlv-21 §5.2.1).
 *
 * What was decided about the AS path is the same for all of them: encode_path.c. What was found of signatures is of one
 * NLRI, which is then alone in its message: encode_bgpsec.c.
 *
 * It goes in three steps, none of which allocates:
 *  1. fit: how many routes go in, counting as if nothing were shared. Sharing only ever makes it smaller: a Group of n
 *     costs 6 + 2n octets and saves n - 1 TLVs of at least 14.
 *  2. plan: classes with a chain of their NLRIs; distinct rules, found through a small hash table, with a chain of
 *     theirs; groups for those sets that need one, an equal set reuses its group.
 *  3. write, in the order that the format asks for.
 *
 * The chains are arrays of 16-bit links inside the encoder, which is the only thing owned here.
 */
#include "bmpout/encode.h"

#include <stdlib.h>

#include "base/rules.h"
#include "bmpout/encode_bgpsec.h"
#include "wire/bmp_tlv.h"

enum {
  CLASS_MAX = 16,
  REF_MAX = 2048,  /* rule TLVs before sharing: 65535 / RULE_TLV_MIN */
  SLOT_MAX = 4096, /* power of two, >= 2 * REF_MAX */
  GROUP_MAX = CLASS_MAX + REF_MAX / 2,
  GROUP_LOOK_BACK = 32, /* how many groups an equal set is looked for in */
  NONE = 0xffff,

  TLV_HEAD = 6, /* type, length, index */
  PEN_LEN = 4,
  PROFILE_TLV = TLV_HEAD + PEN_LEN + 8,
  CAPABILITY_TLV = TLV_HEAD + 6,
  SEQUENCE_TLV = TLV_HEAD + 8,
  TIMESTAMP_TLV = TLV_HEAD + 9,
  STATE_TLV = TLV_HEAD + PEN_LEN + 6,
  RESULT_TLV = TLV_HEAD + PEN_LEN + 4,
  LABEL_TLV = TLV_HEAD + PEN_LEN + 5, /* and the name */
  RULE_TLV = TLV_HEAD + PEN_LEN + 16, /* and the content */
  RULE_CONTENT_IPV4 = 12,
  RULE_CONTENT_IPV6 = 24,
  RULE_TLV_MIN = RULE_TLV + RULE_CONTENT_IPV4,

  CAP_AS4 = 65,
  CAP_ADD_PATH = 69,
  GROUP_BIT = 0x8000,
  NLRI_WIRE_MAX = 0x7fff,
};

_Static_assert(REF_MAX *RULE_TLV_MIN >= 65535, "every rule of a message has a place");
_Static_assert((int)WW_VALIDATION_NLRI_MAX <= (int)NLRI_WIRE_MAX, "indexes have 15 bits");

/* A set of NLRI ordinals, ascending. Equal sets have equal count and hash; the members decide. */
struct member_set {
  uint32_t count;
  uint64_t hash;
};

struct class {
  uint8_t state, reason, trigger;
  uint32_t epoch;
  uint16_t first, last; /* positions, chained by next_in_class */
  struct member_set set;
  uint16_t index;
};

struct rule {
  const struct ww_vrp_hit *hit;
  uint16_t type; /* WW_RPKI_TLV_RULE or WW_RPKI_TLV_COVERING_RULE */
  uint16_t flags;
  uint8_t state;
  uint16_t first, last; /* refs */
  struct member_set set;
  uint16_t index;
};

struct ref {
  uint16_t ordinal, next;
};

struct group {
  struct member_set set;
  uint16_t at; /* first of set.count in members */
};

struct ww_encoder {
  struct class classes[CLASS_MAX];
  unsigned class_count;
  uint16_t next_in_class[WW_VALIDATION_NLRI_MAX];
  struct rule rules[REF_MAX];
  unsigned rule_count;
  struct ref refs[REF_MAX];
  unsigned ref_count;
  uint16_t slots[SLOT_MAX]; /* rule + 1 */
  struct group groups[GROUP_MAX];
  unsigned group_count;
  uint16_t members[WW_VALIDATION_NLRI_MAX + REF_MAX];
  unsigned member_count;
};

struct ww_encoder *ww_encoder_new(void) {
  return calloc(1, sizeof(struct ww_encoder));
}
void ww_encoder_free(struct ww_encoder *encoder) { free(encoder); }

static void set_add(struct member_set *set, uint16_t ordinal) {
  set->count++;
  set->hash = (set->hash ^ ordinal) * UINT64_C(0x9e3779b97f4a7c15);
}

/* --- what of a verdict becomes rules --------------------------------------------------------------------------- */

/* Covering VRPs that do not match go out as diagnostics, on demand. */
static bool hit_is_rule(const struct ww_encode_verdict *v, const struct ww_vrp_hit *hit, bool covering,
                        uint16_t *type) {
  if (ww_vrp_hit_decides(v->state, hit)) {
    *type = WW_RPKI_TLV_RULE;
    return true;
  }
  *type = WW_RPKI_TLV_COVERING_RULE;
  return v->state == WW_STATE_VALID && covering;
}

static bool verdict_is_sound(const struct ww_encode_verdict *v) {
  bool matched = v->hit_count && v->hits[0].match == WW_MATCH_VALID; /* matching come first */
  switch (v->state) {
  case WW_STATE_VALID:
    return matched;
  case WW_STATE_INVALID:
    return v->hit_count && !matched;
  case WW_STATE_UNKNOWN:
  case WW_STATE_NOT_EVALUATED:
    return true;
  default:
    return false;
  }
}

bool ww_encode_aspa_is_sound(const struct ww_aspa_result *aspa) {
  switch (aspa->state) {
  case WW_STATE_INVALID: /* those of failing hops come first */
    return ww_reason_is_of_path(aspa->reason) || (aspa->hit_count && aspa->hits[0].match == WW_HOP_NOT_PROVIDER);
  case WW_STATE_VALID:
  case WW_STATE_UNKNOWN:
  case WW_STATE_NOT_EVALUATED:
    return true;
  default:
    return false;
  }
}

static size_t rule_size(const struct ww_vrp_hit *hit) {
  return RULE_TLV + (hit->vrp.prefix.afi == WW_AFI_IPV4 ? (size_t)RULE_CONTENT_IPV4 : (size_t)RULE_CONTENT_IPV6);
}

static size_t nlri_size(const struct ww_bgp_nlri_item *item, bool add_path) {
  return (add_path ? 4u : 0u) + 1u + (item->prefix.len + 7u) / 8u;
}

/* --- 1. fit ------------------------------------------------------------------------------------------------------ */

struct fit {
  struct ww_path_plan path;
  struct ww_signed_plan signatures;
  size_t taken;
  size_t rule_cap; /* for each NLRI */
  bool truncated;
};

static size_t fixed_size(const struct ww_encode_message *m, bool add_path) {
  size_t size = WW_BMP_HEADER_LEN + WW_BMP_PEER_HEADER_LEN + PROFILE_TLV + CAPABILITY_TLV + TLV_HEAD;
  if (add_path)
    size += CAPABILITY_TLV;
  if (m->has_sequence)
    size += SEQUENCE_TLV + TIMESTAMP_TLV;
  for (size_t i = 0; i < m->source_count; i++)
    size += LABEL_TLV + strlen(m->sources[i].name);
  return size;
}

/* Octets of TLVs for one NLRI as if nothing were shared, with at most `cap` rules. */
static size_t verdict_size(const struct ww_encode_message *m, const struct ww_encode_verdict *v, size_t cap,
                           bool *truncated) {
  size_t size = STATE_TLV, rules = 0;
  if (v->state != WW_STATE_NOT_EVALUATED)
    size += RESULT_TLV;
  for (size_t i = 0; i < v->hit_count; i++) {
    uint16_t type;
    if (!hit_is_rule(v, &v->hits[i], m->covering, &type))
      continue;
    if (rules++ == cap) {
      *truncated = true;
      break;
    }
    size += rule_size(&v->hits[i]);
  }
  return size;
}

static bool same_class(const struct class *c, const struct ww_encode_verdict *v) {
  return c->state == v->state && c->reason == v->reason && c->trigger == v->trigger && c->epoch == v->epoch;
}

/* The class of a verdict, made when it is new; NULL when there are too many. */
static struct class *class_of(struct ww_encoder *e, const struct ww_encode_verdict *v) {
  for (unsigned i = e->class_count; i > 0; i--)
    if (same_class(&e->classes[i - 1], v))
      return &e->classes[i - 1];
  if (e->class_count == CLASS_MAX)
    return NULL;
  struct class *c = &e->classes[e->class_count++];
  *c = (struct class){.state = v->state, .reason = v->reason, .trigger = v->trigger, .epoch = v->epoch};
  c->first = c->last = NONE;
  return c;
}

static enum ww_err fit_routes(struct ww_encoder *e, const struct ww_encode_message *m, const struct ww_encode_routes *r,
                              size_t max, struct fit *fit) {
  struct ww_writer measure = ww_writer_make(NULL, 0);
  ww_bgp_update_write(&measure, r->afi, r->attrs, r->attrs_len, r->next_hop, r->next_hop_len, r->add_path, NULL, 0);
  size_t update = measure.len, fixed = fixed_size(m, r->add_path), tlvs = 0;
  *fit = (struct fit){.rule_cap = WW_VALIDATION_RULES_MAX};
  if (r->attrs) {
    if (r->aspa && !ww_encode_aspa_is_sound(r->aspa))
      return WW_ERR_INVAL;
    if (r->bgpsec && !ww_encode_bgpsec_is_sound(r->bgpsec))
      return WW_ERR_INVAL;
    fit->path = ww_path_plan(r->aspa, m->covering, max);
    fit->signatures = ww_signed_plan(r->bgpsec, max);
  }
  e->class_count = 0;
  for (size_t i = 0; i < r->count && i < WW_VALIDATION_NLRI_MAX; i++) {
    size_t nlri = nlri_size(&r->nlri[i], r->add_path), cost = 0;
    bool truncated = false;
    /* CHOICE: routes that came in an extended message (RFC 8654) may make a PDU over 4096 octets, but alone in it. */
    if (i > 0 && update + nlri > WW_BGP_MAX_LEN)
      break;
    if (r->attrs) {
      const struct ww_encode_verdict *v = &r->verdicts[i];
      if (!verdict_is_sound(v))
        return WW_ERR_INVAL;
      cost = verdict_size(m, v, fit->rule_cap, &truncated);
      if (i == 0 && fixed + fit->path.size + fit->signatures.size + update + nlri + cost > max) {
        fit->rule_cap = 1; /* so many rules on such a long route: the first, which decides, is kept */
        fit->path = ww_path_plan_least(r->aspa);
        fit->signatures = ww_signed_plan_least(r->bgpsec);
        truncated = false;
        cost = verdict_size(m, v, fit->rule_cap, &truncated);
      }
      if (!class_of(e, v))
        break;
    }
    if (fixed + fit->path.size + fit->signatures.size + update + nlri + tlvs + cost > max || update + nlri > UINT16_MAX)
      break;
    update += nlri;
    tlvs += cost;
    fit->truncated |= truncated;
    fit->taken++;
    if (fit->rule_cap == 1 || fit->signatures.report)
      break;
  }
  fit->truncated |= fit->path.truncated || fit->signatures.truncated;
  return fit->taken ? WW_OK : WW_ERR_FULL;
}

/* --- 2. plan ----------------------------------------------------------------------------------------------------- */

static uint64_t load64(const uint8_t *p) {
  uint64_t v;
  memcpy(&v, p, sizeof v);
  return v;
}

static uint64_t rule_hash(const struct ww_vrp_hit *hit, uint16_t type) {
  const struct ww_vrp *v = &hit->vrp;
  uint64_t h = (uint64_t)v->asn << 32 | (uint64_t)v->prefix.len << 24 | (uint64_t)v->max_len << 16 | hit->source;
  h = (h ^ load64(v->prefix.addr)) * UINT64_C(0x9e3779b97f4a7c15);
  h = (h ^ h >> 32 ^ load64(v->prefix.addr + 8)) * UINT64_C(0xc2b2ae3d27d4eb4f);
  h = (h ^ h >> 32 ^ (uint64_t)v->expires ^ (uint64_t)type << 40) * UINT64_C(0x9e3779b97f4a7c15);
  return h ^ h >> 29;
}

static bool same_rule(const struct rule *rule, const struct ww_vrp_hit *hit, uint16_t type) {
  const struct ww_vrp *a = &rule->hit->vrp, *b = &hit->vrp;
  return rule->type == type && rule->hit->match == hit->match && rule->hit->source == hit->source && a->asn == b->asn &&
         a->max_len == b->max_len && a->expires == b->expires && a->prefix.len == b->prefix.len &&
         a->prefix.afi == b->prefix.afi && memcmp(a->prefix.addr, b->prefix.addr, sizeof a->prefix.addr) == 0;
}

uint16_t ww_encode_source_flags(const struct ww_encode_routes *r, ww_source_id id) {
  switch (r->source_type ? r->source_type(r->ctx, id) : 0) {
  case WW_RULE_SOURCE_SLURM:
    return WW_RULE_SLURM;
  case WW_RULE_SOURCE_STATIC:
  case WW_RULE_SOURCE_FILE:
    return WW_RULE_STATIC;
  default:
    return 0;
  }
}

static uint16_t rule_flags(const struct ww_encode_routes *r, const struct ww_vrp_hit *hit, uint8_t prefix_len) {
  unsigned flags = ww_encode_source_flags(r, hit->source);
  if (hit->match != WW_MATCH_AS)
    flags |= WW_RULE_ASN_MATCHES;
  if (prefix_len <= hit->vrp.max_len)
    flags |= WW_RULE_LENGTH_OK;
  return (uint16_t)flags;
}

static void plan_rule(struct ww_encoder *e, const struct ww_encode_routes *r, const struct ww_vrp_hit *hit,
                      uint16_t type, uint16_t position, size_t slot_mask) {
  uint16_t flags = rule_flags(r, hit, r->nlri[position].prefix.len);
  size_t slot = (size_t)rule_hash(hit, type) & slot_mask;
  struct rule *rule = NULL;
  for (; e->slots[slot]; slot = (slot + 1) & slot_mask) {
    struct rule *known = &e->rules[e->slots[slot] - 1];
    if (known->flags == flags && same_rule(known, hit, type)) {
      rule = known;
      break;
    }
  }
  if (!rule) {
    rule = &e->rules[e->rule_count++];
    e->slots[slot] = (uint16_t)e->rule_count;
    *rule = (struct rule){.hit = hit, .type = type, .flags = flags, .first = NONE, .last = NONE};
    rule->state = hit->match == WW_MATCH_VALID ? WW_STATE_VALID : WW_STATE_INVALID;
  }
  uint16_t ordinal = (uint16_t)(position + 1);
  if (rule->last != NONE && e->refs[rule->last].ordinal == ordinal)
    return; /* said twice of one NLRI */
  uint16_t at = (uint16_t)e->ref_count++;
  e->refs[at] = (struct ref){.ordinal = ordinal, .next = NONE};
  if (rule->last == NONE)
    rule->first = at;
  else
    e->refs[rule->last].next = at;
  rule->last = at;
  set_add(&rule->set, ordinal);
}

/* A group holds its members; `candidate` are those just appended. */
static uint16_t group_index(struct ww_encoder *e, struct member_set set, unsigned candidate) {
  unsigned oldest = e->group_count > GROUP_LOOK_BACK ? e->group_count - GROUP_LOOK_BACK : 0;
  for (unsigned i = e->group_count; i > oldest; i--) {
    const struct group *g = &e->groups[i - 1];
    if (g->set.count == set.count && g->set.hash == set.hash &&
        memcmp(&e->members[g->at], &e->members[candidate], set.count * sizeof e->members[0]) == 0) {
      e->member_count = candidate;
      return (uint16_t)(GROUP_BIT | i);
    }
  }
  e->groups[e->group_count++] = (struct group){.set = set, .at = (uint16_t)candidate};
  return (uint16_t)(GROUP_BIT | e->group_count);
}

static uint16_t class_index(struct ww_encoder *e, const struct class *c, size_t total) {
  if (c->set.count == total)
    return 0;
  if (c->set.count == 1)
    return (uint16_t)(c->first + 1);
  unsigned candidate = e->member_count;
  for (uint16_t at = c->first; at != NONE; at = e->next_in_class[at])
    e->members[e->member_count++] = (uint16_t)(at + 1);
  return group_index(e, c->set, candidate);
}

static uint16_t rule_index(struct ww_encoder *e, const struct rule *rule, size_t total) {
  if (rule->set.count == total)
    return 0;
  if (rule->set.count == 1)
    return e->refs[rule->first].ordinal;
  unsigned candidate = e->member_count;
  for (uint16_t at = rule->first; at != NONE; at = e->refs[at].next)
    e->members[e->member_count++] = e->refs[at].ordinal;
  return group_index(e, rule->set, candidate);
}

static size_t count_hits(const struct ww_encode_routes *r, size_t taken) {
  size_t hits = 0;
  for (size_t i = 0; i < taken; i++)
    hits += r->verdicts[i].state == WW_STATE_UNKNOWN ? 0 : r->verdicts[i].hit_count;
  return hits;
}

static void plan(struct ww_encoder *e, const struct ww_encode_message *m, const struct ww_encode_routes *r,
                 const struct fit *fit) {
  e->class_count = e->rule_count = e->ref_count = e->group_count = e->member_count = 0;
  size_t hits = count_hits(r, fit->taken), slots = 16;
  while (slots < 2 * hits && slots < SLOT_MAX)
    slots *= 2;
  if (hits)
    memset(e->slots, 0, slots * sizeof e->slots[0]);
  for (size_t i = 0; i < fit->taken; i++) {
    const struct ww_encode_verdict *v = &r->verdicts[i];
    uint16_t position = (uint16_t)i;
    struct class *c = class_of(e, v);
    e->next_in_class[i] = NONE;
    if (c->last == NONE)
      c->first = position;
    else
      e->next_in_class[c->last] = position;
    c->last = position;
    set_add(&c->set, (uint16_t)(i + 1));
    size_t rules = 0;
    for (size_t k = 0; k < v->hit_count && rules < fit->rule_cap; k++) {
      uint16_t type;
      if (!hit_is_rule(v, &v->hits[k], m->covering, &type))
        continue;
      plan_rule(e, r, &v->hits[k], type, position, slots - 1);
      rules++;
    }
  }
  for (unsigned i = 0; i < e->class_count; i++)
    e->classes[i].index = class_index(e, &e->classes[i], fit->taken);
  for (unsigned i = 0; i < e->rule_count; i++)
    e->rules[i].index = rule_index(e, &e->rules[i], fit->taken);
}

/* --- 3. write ------------------------------------------------------------------------------------------------------
 */

size_t ww_encode_tlv(struct ww_writer *w, const struct ww_encode_message *m, uint16_t type, uint16_t index) {
  return ww_tlv_begin(w, type, true, m->pen, true, (index & GROUP_BIT) != 0, index & NLRI_WIRE_MAX);
}

static size_t drafts_begin(struct ww_writer *w, uint16_t type, uint16_t index) {
  return ww_tlv_begin(w, type, false, 0, true, (index & GROUP_BIT) != 0, index & NLRI_WIRE_MAX);
}

static void write_profile(struct ww_writer *w, const struct ww_encode_message *m, uint16_t flags) {
  size_t at = ww_encode_tlv(w, m, WW_RPKI_TLV_PROFILE, 0);
  ww_writer_u8(w, WW_RPKI_ENCODING);
  ww_writer_u8(w, m->tlv_draft);
  ww_writer_u16(w, flags);
  ww_writer_u32(w, m->snapshot_id);
  ww_tlv_end(w, at);
}

void ww_encode_profile(const struct ww_encode_message *message, struct ww_writer *w) {
  write_profile(w, message, message->flags);
}

static size_t message_begin(struct ww_writer *w, const struct ww_encode_message *m, uint16_t more_flags) {
  size_t start = ww_bmp_begin(w, m->version, WW_BMP_RPKI_VALIDATION);
  ww_bmp_peer_write(w, &m->peer);
  write_profile(w, m, (uint16_t)(m->flags | more_flags));
  return start;
}

/* draft-ietf-grow-bmp-tlv-21 §5.6.2, §5.6.1.1.2 */
void ww_encode_tail(const struct ww_encode_message *m, struct ww_writer *w) {
  if (!m->has_sequence)
    return;
  size_t at = drafts_begin(w, WW_RM_TLV21_SEQUENCE, 0);
  ww_writer_u64(w, m->sequence);
  ww_tlv_end(w, at);
  at = drafts_begin(w, WW_RM_TLV21_TIMESTAMP, 0);
  ww_writer_u8(w, WW_TIMESTAMP21_EXPORT);
  ww_writer_u32(w, m->export_sec);
  ww_writer_u32(w, m->export_usec);
  ww_tlv_end(w, at);
}

static void message_end(struct ww_writer *w, const struct ww_encode_message *m, size_t start) {
  for (size_t i = 0; i < m->source_count; i++) {
    const struct ww_encode_source *source = &m->sources[i];
    size_t at = ww_encode_tlv(w, m, WW_RPKI_TLV_SOURCE_LABEL, 0);
    ww_writer_u32(w, source->id);
    ww_writer_u8(w, source->type == WW_RULE_SOURCE_FILE ? WW_RULE_SOURCE_STATIC : source->type);
    ww_writer_bytes(w, source->name, strlen(source->name));
    ww_tlv_end(w, at);
  }
  ww_encode_tail(m, w);
  ww_bmp_end(w, start);
}

/* draft-ietf-grow-bmp-tlv-21 §5.2.3: our PDUs are parsable without the Peer Up: 4-octet AS numbers always, and path
 * ids where there are any. */
static void write_capabilities(struct ww_writer *w, const struct ww_encode_message *m, uint8_t afi, bool add_path) {
  uint16_t type =
      m->tlv_draft == 19 ? (uint16_t)WW_RM_TLV19_STATELESS_PARSING : (uint16_t)WW_RM_TLV21_STATELESS_PARSING;
  size_t at = drafts_begin(w, type, 0);
  ww_writer_u8(w, CAP_AS4);
  ww_writer_u8(w, 4);
  ww_writer_u32(w, m->peer.asn);
  ww_tlv_end(w, at);
  if (!add_path)
    return;
  at = drafts_begin(w, type, 0);
  ww_writer_u8(w, CAP_ADD_PATH);
  ww_writer_u8(w, 4);
  ww_writer_u16(w, afi);
  ww_writer_u8(w, WW_SAFI_UNICAST);
  ww_writer_u8(w, 3); /* send and receive: whichever way, path ids are in the PDU */
  ww_tlv_end(w, at);
}

static size_t pdu_begin(struct ww_writer *w, const struct ww_encode_message *m) {
  return drafts_begin(w, m->tlv_draft == 19 ? (uint16_t)WW_RM_TLV19_BGP_MESSAGE : (uint16_t)WW_RM_TLV21_BGP_MESSAGE, 0);
}

static void write_groups(struct ww_writer *w, const struct ww_encode_message *m, const struct ww_encoder *e) {
  uint16_t type = m->tlv_draft == 19 ? (uint16_t)WW_RM_TLV19_GROUP : (uint16_t)WW_RM_TLV21_GROUP;
  for (unsigned i = 0; i < e->group_count; i++) {
    const struct group *g = &e->groups[i];
    size_t at = drafts_begin(w, type, (uint16_t)(GROUP_BIT | (i + 1)));
    for (uint32_t k = 0; k < g->set.count; k++)
      ww_writer_u16(w, e->members[g->at + k]);
    ww_tlv_end(w, at);
  }
}

/* All kinds together; what no kind has looked at is not evaluated. */
static uint8_t overall(const struct class *c, const struct fit *fit) {
  uint8_t path = fit->path.aspa ? fit->path.aspa->state : (uint8_t)WW_STATE_NOT_EVALUATED;
  uint8_t signatures = fit->signatures.report ? fit->signatures.report->state : (uint8_t)WW_STATE_NOT_EVALUATED;
  if (c->state == WW_STATE_NOT_EVALUATED && path == WW_STATE_NOT_EVALUATED && signatures == WW_STATE_NOT_EVALUATED)
    return WW_STATE_NOT_EVALUATED;
  return (uint8_t)ww_verdict_combine((enum ww_state)c->state, (enum ww_state)path, (enum ww_state)signatures);
}

static void write_class(struct ww_writer *w, const struct ww_encode_message *m, const struct class *c,
                        const struct fit *fit) {
  size_t at = ww_encode_tlv(w, m, WW_RPKI_TLV_OVERALL_STATE, c->index);
  ww_writer_u8(w, overall(c, fit));
  ww_writer_u8(w, c->trigger);
  ww_writer_u32(w, c->epoch);
  ww_tlv_end(w, at);
  if (c->state == WW_STATE_NOT_EVALUATED)
    return;
  at = ww_encode_tlv(w, m, WW_RPKI_TLV_RESULT, c->index);
  ww_writer_u8(w, WW_KIND_ORIGIN);
  ww_writer_u8(w, c->state);
  ww_writer_u16(w, c->reason);
  ww_tlv_end(w, at);
}

static void write_rule(struct ww_writer *w, const struct ww_encode_message *m, const struct rule *rule) {
  const struct ww_vrp *vrp = &rule->hit->vrp;
  size_t at = ww_encode_tlv(w, m, rule->type, rule->index);
  ww_writer_u8(w, WW_RULE_VRP);
  ww_writer_u8(w, rule->state);
  ww_writer_u16(w, rule->flags);
  ww_writer_u32(w, rule->hit->source);
  ww_writer_u64(w, vrp->expires > 0 ? (uint64_t)vrp->expires : 0);
  ww_writer_u16(w, vrp->prefix.afi);
  ww_writer_u8(w, vrp->prefix.len);
  ww_writer_u8(w, vrp->max_len);
  ww_writer_u32(w, vrp->asn);
  ww_writer_bytes(w, vrp->prefix.addr, vrp->prefix.afi == WW_AFI_IPV4 ? 4 : 16);
  ww_tlv_end(w, at);
}

enum ww_err ww_encode_routes(struct ww_encoder *e, const struct ww_encode_message *m, const struct ww_encode_routes *r,
                             size_t max, struct ww_writer *w, size_t *taken) {
  struct fit fit;
  *taken = 0;
  if (max > UINT16_MAX)
    max = UINT16_MAX; /* the arrays are made for that, and some collectors close above it */
  if (!r->count)
    return WW_ERR_INVAL;
  enum ww_err err = fit_routes(e, m, r, max, &fit);
  if (err != WW_OK)
    return err;
  if (w->cap - w->len < max && !w->overflow && w->buf)
    return WW_ERR_INVAL; /* the caller promised `max` octets of room */
  e->group_count = e->class_count = e->rule_count = 0;
  if (r->attrs)
    plan(e, m, r, &fit);
  size_t start = message_begin(w, m, fit.truncated ? WW_PROFILE_TRUNCATED : 0);
  write_groups(w, m, e);
  write_capabilities(w, m, r->afi, r->add_path);
  size_t at = pdu_begin(w, m);
  ww_bgp_update_write(w, r->afi, r->attrs, r->attrs_len, r->next_hop, r->next_hop_len, r->add_path, r->nlri, fit.taken);
  ww_tlv_end(w, at);
  for (unsigned i = 0; i < e->class_count; i++)
    write_class(w, m, &e->classes[i], &fit);
  ww_path_write_result(w, m, &fit.path);
  ww_signed_write_result(w, m, &fit.signatures);
  for (unsigned i = 0; i < e->rule_count; i++)
    write_rule(w, m, &e->rules[i]);
  ww_path_write_evidence(w, m, r, &fit.path);
  ww_signed_write_evidence(w, m, r, &fit.signatures);
  message_end(w, m, start);
  *taken = fit.taken;
  return w->overflow ? WW_ERR_FULL : WW_OK;
}

void ww_encode_eor(const struct ww_encode_message *m, uint8_t afi, struct ww_writer *w) {
  size_t start = message_begin(w, m, 0);
  write_capabilities(w, m, afi, false);
  size_t at = pdu_begin(w, m);
  ww_bgp_eor_write(w, afi);
  ww_tlv_end(w, at);
  message_end(w, m, start);
}

void ww_encode_bare(const struct ww_encode_message *m, struct ww_writer *w) {
  size_t start = message_begin(w, m, 0);
  message_end(w, m, start);
}
