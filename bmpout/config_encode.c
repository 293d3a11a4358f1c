/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing RPKI_CONFIG.
 *
 * Every field of a group is a TLV with an ordinal of its own, and the group lists the ordinals. So a group is written
 * twice by the same code: once to nowhere, which tells how many fields and octets it has, and, when it fits, once into
 * the message behind its Group TLV. Group indexes and ordinals begin anew in each message.
 *
 * Only the list of SLURM exceptions can be too long for a message; it is the one group that is cut. A source or policy
 * is small by construction: its texts are cut to WW_CONFIG_TEXT_MAX.
 *
 * Clauses: draft-wang-grow-bmp-rpki-mon-reqs-03 §4.1-§4.3; draft-ietf-grow-bmp-tlv-21 §5.2.1 (groups).
 */
#include <string.h>

#include "bmpout/config_message.h"
#include "bmpout/numbers.h"
#include "wire/bmp_tlv.h"

enum { MESSAGE_TAIL = 4 + 2 + 8 + 4 + 2 + 9 /* Sequence Number and Timestamp */, GROUP_FIXED = 6 + 11 };

static const char *const statuses[] = {"not-applicable", "active", "idle", "connecting", "unreachable", "disabled"};
static const char *const transports[] = {"unknown", "tcp", "tls", "ssh", "tcp-md5", "tcp-ao"};
static const char *const overrides[] = {"unknown",       "prefix-assertion", "prefix-filter", "bgpsec-assertion",
                                        "bgpsec-filter", "aspa-assertion",   "aspa-filter"};

#define NAME_IN(list, i) ((i) < sizeof(list) / sizeof *(list) ? (list)[i] : "unknown")
const char *ww_source_status_name(uint8_t status) { return NAME_IN(statuses, status); }
const char *ww_rtr_transport_name(uint8_t transport) { return NAME_IN(transports, transport); }
const char *ww_override_kind_name(uint8_t kind) { return NAME_IN(overrides, kind); }

/* Where fields go: `ordinal` is that of the last one. */
struct fields {
  struct ww_writer *w;
  uint32_t pen;
  unsigned ordinal;
};

static size_t field_begin(struct fields *f, uint16_t type) {
  f->ordinal++;
  return ww_tlv_begin(f->w, type, true, f->pen, true, false, (uint16_t)(f->ordinal & WW_TLV_INDEX_MAX));
}

static void text(struct ww_writer *w, struct ww_text t) {
  ww_writer_bytes(w, t.text, t.len < WW_CONFIG_TEXT_MAX ? t.len : WW_CONFIG_TEXT_MAX);
}

static void field_u8(struct fields *f, uint16_t type, uint8_t value) {
  size_t at = field_begin(f, type);
  ww_writer_u8(f->w, value);
  ww_tlv_end(f->w, at);
}

static void stamp(struct fields *f, uint16_t type, int kind, const struct ww_stamp *s) {
  if (!s->sec)
    return;
  size_t at = field_begin(f, type);
  if (kind)
    ww_writer_u8(f->w, (uint8_t)kind);
  ww_writer_u32(f->w, s->sec);
  ww_writer_u32(f->w, s->usec);
  ww_tlv_end(f->w, at);
}

/* ---- sources ---- */

static void records(struct fields *f, const struct ww_config_source_item *s) {
  bool any = false;
  for (unsigned kind = 1; kind < WW_RECORD_KINDS; kind++)
    any = any || s->has_records[kind];
  if (!any)
    return;
  size_t at = field_begin(f, WW_RPKI_TLV_RECORD_COUNT);
  for (unsigned kind = 1; kind < WW_RECORD_KINDS; kind++)
    if (s->has_records[kind]) {
      ww_writer_u8(f->w, (uint8_t)kind);
      ww_writer_u64(f->w, s->records[kind]);
    }
  ww_tlv_end(f->w, at);
}

static void rtr(struct fields *f, const struct ww_config_source_item *s) {
  if (s->rtr.preference) {
    size_t at = field_begin(f, WW_RPKI_TLV_RTR_PREFERENCE);
    ww_writer_u8(f->w, s->rtr.backup ? 2 : 1);
    ww_writer_u16(f->w, s->rtr.preference);
    ww_tlv_end(f->w, at);
  }
  field_u8(f, WW_RPKI_TLV_RTR_VERSION, s->rtr.version);
  if (s->rtr.transport)
    field_u8(f, WW_RPKI_TLV_TRANSPORT, s->rtr.transport);
  if (!s->rtr.port)
    return;
  size_t at = field_begin(f, WW_RPKI_TLV_ENDPOINT);
  ww_writer_u16(f->w, s->rtr.address.afi);
  ww_writer_u16(f->w, s->rtr.port);
  if (s->rtr.address.afi)
    ww_writer_bytes(f->w, s->rtr.address.bytes, ww_afi_bits(s->rtr.address.afi) / 8u);
  else
    text(f->w, s->rtr.host);
  ww_tlv_end(f->w, at);
}

static void bgp(struct fields *f, const struct ww_config_source_item *s) {
  size_t at = field_begin(f, WW_RPKI_TLV_BGP_SOURCE);
  ww_writer_u16(f->w, s->bgp.peer.afi);
  ww_writer_u32(f->w, s->bgp.asn);
  ww_writer_bytes(f->w, s->bgp.peer.bytes, ww_afi_bits(s->bgp.peer.afi) / 8u);
  ww_tlv_end(f->w, at);
  field_u8(f, WW_RPKI_TLV_RELATIONSHIP, s->bgp.role);
}

static void slurm(struct fields *f, const struct ww_config_source_item *s) {
  size_t at = field_begin(f, WW_RPKI_TLV_SLURM_COUNTS);
  for (unsigned kind = 1; kind < WW_OVERRIDE_KINDS; kind++) {
    ww_writer_u8(f->w, (uint8_t)kind);
    ww_writer_u32(f->w, s->slurm.counts[kind]);
  }
  ww_tlv_end(f->w, at);
  at = field_begin(f, WW_RPKI_TLV_SLURM_ERRORS);
  ww_writer_u32(f->w, s->slurm.read_errors);
  ww_writer_u32(f->w, s->slurm.write_errors);
  text(f->w, s->slurm.last_error);
  ww_tlv_end(f->w, at);
}

/* draft-wang-grow-bmp-rpki-mon-reqs-03 §4.1: what every source has, then what its kind has. */
static void source(struct fields *f, const struct ww_config_source_item *s) {
  size_t at = field_begin(f, WW_RPKI_TLV_SOURCE_TYPE);
  ww_writer_u8(f->w, s->type == WW_RULE_SOURCE_FILE ? WW_RULE_SOURCE_STATIC : s->type);
  ww_writer_u8(f->w, 0);
  ww_writer_u32(f->w, s->id);
  text(f->w, s->label);
  ww_tlv_end(f->w, at);
  field_u8(f, WW_RPKI_TLV_STATUS, s->status);
  records(f, s);
  stamp(f, WW_RPKI_TLV_LAST_UPDATE, 1, &s->last_sync);
  stamp(f, WW_RPKI_TLV_LAST_UPDATE, 2, &s->last_attempt);
  at = field_begin(f, WW_RPKI_TLV_ERROR_COUNT);
  ww_writer_u64(f->w, s->errors);
  ww_tlv_end(f->w, at);
  for (unsigned kind = 1; kind < WW_HASH_KINDS; kind++)
    if (s->has_hash[kind]) {
      at = field_begin(f, WW_RPKI_TLV_CCR_HASH);
      ww_writer_u8(f->w, WW_RPKI_HASH_SHA256);
      ww_writer_u8(f->w, (uint8_t)kind);
      ww_writer_bytes(f->w, s->hash[kind], WW_HASH_LEN);
      ww_tlv_end(f->w, at);
    }
  if (s->rtr.present)
    rtr(f, s);
  if (s->bgp.present)
    bgp(f, s);
  stamp(f, WW_RPKI_TLV_MODIFIED, 0, &s->modified);
  if (s->slurm.present)
    slurm(f, s);
}

/* ---- policies ---- */

static void action(struct fields *f, uint8_t kind, uint8_t state, const struct ww_policy_action *a) {
  size_t at = field_begin(f, WW_RPKI_TLV_STATE_ACTION);
  ww_writer_u8(f->w, kind);
  ww_writer_u8(f->w, state);
  ww_writer_u16(f->w, a->actions ? a->actions : WW_ACTION_ACCEPT);
  if (a->actions & WW_ACTION_LOCAL_PREF) {
    ww_writer_u8(f->w, WW_ATTR_LOCAL_PREF);
    ww_writer_u8(f->w, 4);
    ww_writer_u32(f->w, a->local_pref);
  }
  if (a->actions & WW_ACTION_COMMUNITY) {
    ww_writer_u8(f->w, WW_ATTR_COMMUNITIES);
    ww_writer_u8(f->w, 4);
    ww_writer_u32(f->w, a->community);
  }
  ww_tlv_end(f->w, at);
}

enum { POINT_IMPORT = 1 };

/* draft-wang-grow-bmp-rpki-mon-reqs-03 §4.2: what is enabled, and what Invalid and NotFound lead to. */
static void policy(struct fields *f, const struct ww_policy *p) {
  size_t at = field_begin(f, WW_RPKI_TLV_POLICY_NAME);
  text(f->w, (struct ww_text){p->name, strnlen(p->name, sizeof p->name)});
  ww_tlv_end(f->w, at);
  at = field_begin(f, WW_RPKI_TLV_VALIDATION_ENABLE);
  for (uint8_t kind = WW_KIND_ORIGIN; kind <= WW_KIND_BGPSEC; kind++) {
    ww_writer_u8(f->w, kind);
    ww_writer_u8(f->w, p->kinds[kind].mode);
    ww_writer_u8(f->w, POINT_IMPORT);
  }
  ww_tlv_end(f->w, at);
  for (uint8_t kind = WW_KIND_ORIGIN; kind <= WW_KIND_BGPSEC; kind++)
    if (p->kinds[kind].mode != WW_POLICY_OFF) {
      action(f, kind, WW_STATE_UNKNOWN, &p->kinds[kind].on_unknown);
      action(f, kind, WW_STATE_INVALID, &p->kinds[kind].on_invalid);
    }
}

/* ---- SLURM exceptions ---- */

static void override(struct fields *f, const struct ww_config_override *o) {
  bool adds = o->kind == WW_OVERRIDE_PREFIX_ASSERTION || o->kind == WW_OVERRIDE_BGPSEC_ASSERTION ||
              o->kind == WW_OVERRIDE_ASPA_ASSERTION;
  size_t at = field_begin(f, WW_RPKI_TLV_SLURM_OVERRIDE);
  ww_writer_u8(f->w, o->kind);
  ww_writer_u8(f->w, adds ? 1 : 2);
  ww_writer_u16(f->w, o->prefix.afi);
  ww_writer_u8(f->w, o->prefix.len);
  ww_writer_u8(f->w, o->max_len);
  ww_writer_u8(f->w, o->has_asn);
  ww_writer_u8(f->w, 0);
  ww_writer_u32(f->w, o->asn);
  ww_writer_bytes(f->w, o->prefix.addr, ww_afi_bits(o->prefix.afi) / 8u);
  ww_tlv_end(f->w, at);
}

/* ---- groups and messages ---- */

struct span { /* of the exceptions of an item */
  size_t first, count;
};

static void item_fields(struct fields *f, const struct ww_config_item *item, struct span span) {
  if (item->kind == WW_CONFIG_SOURCE)
    source(f, item->u.source);
  else if (item->kind == WW_CONFIG_POLICY)
    policy(f, item->u.policy);
  else
    for (size_t i = 0; i < span.count; i++)
      override(f, &item->u.overrides.list[span.first + i]);
}

/* Fields and octets of a group, its Group and Sub-type TLVs included. */
static size_t measure(const struct ww_config_item *item, struct span span, unsigned *count) {
  struct ww_writer w = ww_writer_make(NULL, 0);
  struct fields f = {.w = &w};
  item_fields(&f, item, span);
  *count = f.ordinal;
  return w.len + GROUP_FIXED + 2 * (size_t)f.ordinal;
}

static void write_group(struct fields *f, const struct ww_encode_message *m, unsigned index, unsigned count,
                        const struct ww_config_item *item, struct span span) {
  uint16_t type = m->tlv_draft == 19 ? (uint16_t)WW_RM_TLV19_GROUP : (uint16_t)WW_RM_TLV21_GROUP;
  size_t at = ww_tlv_begin(f->w, type, false, 0, true, true, (uint16_t)index);
  for (unsigned i = 1; i <= count; i++)
    ww_writer_u16(f->w, (uint16_t)(f->ordinal + i));
  ww_tlv_end(f->w, at);
  at = ww_tlv_begin(f->w, WW_RPKI_TLV_SUBTYPE, true, f->pen, true, true, (uint16_t)index);
  ww_writer_u8(f->w, item->kind);
  ww_tlv_end(f->w, at);
  item_fields(f, item, span);
}

/* How much of the item fits into `room`: all of it, a part of its exceptions, or nothing. */
static bool fit(const struct ww_config_item *item, size_t room, unsigned ordinals_left, struct span *span,
                unsigned *count) {
  while (measure(item, *span, count) > room || *count > ordinals_left) {
    if (item->kind != WW_CONFIG_SLURM || span->count <= 1)
      return false;
    span->count /= 2;
  }
  return true;
}

enum ww_err ww_config_encode(const struct ww_encode_message *m, bool has_peer, const struct ww_config_item *items,
                             size_t count, size_t max, struct ww_writer *w, size_t *taken, size_t *part) {
  struct fields f = {.w = w, .pen = m->pen};
  size_t before = w->len;
  unsigned groups = 0;
  *taken = 0;
  max = max > UINT16_MAX ? UINT16_MAX : max;
  size_t start = ww_bmp_begin(w, m->version, WW_BMP_RPKI_CONFIG);
  if (has_peer)
    ww_bmp_peer_write(w, &m->peer);
  ww_encode_profile(m, w);
  if (has_peer) {
    size_t at = ww_tlv_begin(w, WW_RPKI_TLV_SCOPE, true, m->pen, true, false, 0);
    ww_writer_u8(w, 1);
    ww_tlv_end(w, at);
  }
  while (*taken < count) {
    const struct ww_config_item *item = &items[*taken];
    bool list = item->kind == WW_CONFIG_SLURM;
    struct span span = {.first = list ? *part : 0, .count = list ? item->u.overrides.count - *part : 0};
    size_t used = w->len - start + MESSAGE_TAIL;
    unsigned fields;
    if (used >= max || !fit(item, max - used, WW_TLV_INDEX_MAX - f.ordinal, &span, &fields))
      break;
    if (fields) /* an empty list has nothing to tell */
      write_group(&f, m, ++groups, fields, item, span);
    if (list && span.first + span.count < item->u.overrides.count) {
      *part = span.first + span.count;
      break;
    }
    *part = 0;
    ++*taken;
  }
  if (count && !*taken && !*part) {
    w->len = before;
    return WW_ERR_FULL;
  }
  ww_encode_tail(m, w);
  ww_bmp_end(w, start);
  return w->overflow ? WW_ERR_FULL : WW_OK;
}
