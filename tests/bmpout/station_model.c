/* SPDX-License-Identifier: BSD-2-Clause */
#include "station_model.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "bmpout/decode.h"
#include "bmpout/encode.h"
#include "wire/bmp_tlv.h"

static void fault(struct station *s, const char *fmt, ...) WW_PRINTF(2, 3);

static void fault(struct station *s, const char *fmt, ...) {
  if (s->fault[0])
    return;
  va_list args;
  va_start(args, fmt);
  vsnprintf(s->fault, sizeof s->fault, fmt, args);
  va_end(args);
}

void station_init(struct station *s, const struct ww_bmpout_config *config) {
  memset(s, 0, sizeof *s);
  s->config = *config;
  s->verdicts_allowed = true;
}

static bool v4(const struct station *s) { return s->config.profile == WW_PROFILE_V4; }

static uint8_t peer_of(struct station *s, const struct ww_bmp_peer *header) {
  for (uint8_t i = 1; i <= FAKE_PEERS; i++) {
    struct ww_bmp_peer h = fake_header(i);
    if (h.type != WW_BMP_PEER_LOC_RIB)
      h.flags &= (uint8_t)~WW_BMP_FLAG_A;
    if (h.type == header->type && h.flags == header->flags && memcmp(h.address, header->address, 16) == 0 &&
        h.asn == header->asn && h.bgp_id == header->bgp_id) {
      if (v4(s) && !header->sec)
        fault(s, "message %u: time stamp 0", s->messages);
      return i;
    }
  }
  fault(s, "message %u: a peer that does not exist", s->messages);
  return 0;
}

static struct station_record *record_of(struct station *s, struct station_peer *p, const struct ww_prefix *prefix,
                                        uint32_t path_id) {
  for (uint8_t i = 0; i < FAKE_PREFIXES; i++) {
    struct ww_prefix known = fake_prefix(i);
    if (ww_prefix_compare(&known, prefix) == 0 && path_id < 4)
      return &p->records[i][path_id];
  }
  fault(s, "message %u: a prefix that does not exist", s->messages);
  return NULL;
}

static uint8_t attrs_of(struct station *s, struct fake *f, const struct ww_bgp_update *u) {
  for (uint8_t i = 0; i < FAKE_ATTRS; i++)
    if (f->attrs_len[i] == u->attrs_len && memcmp(f->attrs[i], u->attrs, u->attrs_len) == 0)
      return i;
  fault(s, "message %u: attributes that no route has", s->messages);
  return 255;
}

static uint64_t rule_fingerprint(uint8_t state, uint32_t source, const struct ww_vrp *vrp) {
  uint64_t key[5] = {state, source, (uint64_t)vrp->asn << 32 | (uint64_t)vrp->prefix.len << 8 | vrp->max_len,
                     (uint64_t)vrp->expires, ww_hash(vrp->prefix.addr, 16)};
  return ww_hash(key, sizeof key) | 1;
}

static uint64_t aspa_fingerprint(uint8_t state, uint32_t source, const struct ww_aspa *aspa) {
  uint64_t h = state + 4 * (uint64_t)source + ((uint64_t)aspa->customer << 20) + (uint64_t)aspa->expires;
  return (h ^ ww_hash(aspa->providers, aspa->provider_count * sizeof *aspa->providers)) * 0x9e3779b97f4a7c15u | 1;
}

static uint64_t path_fingerprint(const struct ww_aspa_result *p) {
  uint64_t h = p->procedure + 4u * p->role + 2048u * p->path_len + p->max_up + p->min_up + p->max_down + p->min_down;
  for (size_t i = 0; i < p->hop_count; i++)
    h = h * 0x9e3779b97f4a7c15u + p->hops[i].customer + 3u * p->hops[i].provider + 5u * p->hops[i].state +
        64u * p->hops[i].up + 128u * p->hops[i].failing;
  return h;
}

static uint64_t rules_of(const struct ww_validation_item *item) {
  uint64_t sum = 0;
  for (size_t i = 0; i < item->rule_count; i++) {
    const struct ww_rule *rule = &item->rules[i];
    struct ww_vrp vrp = rule->vrp;
    vrp.expires = (ww_unix_time)rule->expires;
    sum += rule->kind == WW_RULE_ASPA ? aspa_fingerprint(rule->state, rule->source, &rule->aspa)
                                      : rule_fingerprint(rule->state, rule->source, &vrp);
  }
  return sum;
}

static void take_validation(struct station *s, struct fake *f, const uint8_t *data, size_t len,
                            struct ww_arena *arena) {
  struct ww_validation_msg m;
  struct ww_diag diag = {0};
  if (ww_validation_decode(data, len, s->config.pen, arena, &m, &diag) != WW_OK) {
    fault(s, "message %u: %s", s->messages, diag.text);
    return;
  }
  uint8_t id = peer_of(s, &m.peer);
  struct station_peer *p = &s->peers[id];
  if (!id || !p->up || !s->verdicts_allowed) {
    fault(s, "message %u: RPKI_VALIDATION for peer %u, which is %s%s", s->messages, id, p->up ? "up" : "down",
          s->verdicts_allowed ? "" : ", without data");
    return;
  }
  s->validations++;
  s->labels += m.source_count;
  if (m.has_sequence != (v4(s) && s->config.tlv_draft == 21) || (m.has_sequence && m.sequence != s->messages))
    fault(s, "message %u: sequence %llu", s->messages, (unsigned long long)m.sequence);
  if (m.profile_flags & WW_PROFILE_SNAPSHOT_START) {
    p->in_snapshot = true;
    memset(p->eor, 0, sizeof p->eor); /* it is told anew too */
    p->snapshot_since = s->messages;
    s->snapshots++;
  }
  for (size_t i = 0; i < m.item_count; i++) {
    const struct ww_validation_item *item = &m.items[i];
    struct station_record *r = record_of(s, p, &item->prefix, item->path_id);
    if (!r || item->add_path != fake_add_path(id)) {
      fault(s, "message %u: path ids where there are none", s->messages);
      return;
    }
    *r = (struct station_record){.held = !item->withdrawn, .heard = s->messages};
    if (item->withdrawn)
      continue;
    r->attrs = attrs_of(s, f, &m.update);
    r->state = item->state;
    r->reason = (uint8_t)item->result[WW_KIND_ORIGIN].reason;
    r->rules = rules_of(item);
    r->path_state = item->result[WW_KIND_ASPA].state;
    r->path_reason = (uint8_t)item->result[WW_KIND_ASPA].reason;
    r->path = item->path ? path_fingerprint(item->path) : 0;
  }
  if (m.eor) {
    p->eor[m.eor_afi] = true;
    p->eor_at[m.eor_afi] = s->messages;
  }
  if (m.profile_flags & WW_PROFILE_SNAPSHOT_END) {
    if (!p->in_snapshot)
      fault(s, "message %u: a snapshot ends that did not begin", s->messages);
    p->in_snapshot = false;
    for (unsigned i = 0; i < FAKE_PREFIXES; i++)
      for (unsigned k = 0; k < 4; k++)
        if (p->records[i][k].heard < p->snapshot_since)
          p->records[i][k].held = false;
  }
}

static void take_monitoring(struct station *s, struct fake *f, const struct ww_bmp_msg *m, struct ww_arena *arena) {
  uint8_t id = peer_of(s, &m->peer);
  struct station_peer *p = &s->peers[id];
  struct ww_bgp_session session = {.as4 = true, .add_path_ipv4 = fake_add_path(id), .add_path_ipv6 = fake_add_path(id)};
  struct ww_bgp_update u;
  struct ww_diag diag = {0};
  if (s->config.profile != WW_PROFILE_STD3 || !id || !p->up) {
    fault(s, "message %u: Route Monitoring out of place", s->messages);
    return;
  }
  if (ww_bgp_update_decode(m->u.route.update + WW_BGP_HEADER_LEN, m->u.route.len - WW_BGP_HEADER_LEN, &session, arena,
                           &u, &diag) != WW_OK ||
      u.disposition != WW_BGP_ACCEPT) {
    fault(s, "message %u: %s", s->messages, diag.text);
    return;
  }
  for (unsigned i = 0; i < 4; i++) {
    struct ww_nlri rest = i < 2 ? u.announced[i] : u.withdrawn[i - 2];
    struct ww_prefix prefix;
    uint32_t path_id;
    while (ww_nlri_next(&rest, &prefix, &path_id)) {
      struct station_record *r = record_of(s, p, &prefix, path_id);
      if (!r)
        return;
      *r = (struct station_record){.held = i < 2, .heard = s->messages};
      if (i < 2)
        r->attrs = attrs_of(s, f, &u);
    }
  }
  if (u.eor)
    p->eor[u.eor_afi] = true;
}

/* Version 4: the Sequence TLV is the last but one. */
static void check_sequence(struct station *s, const uint8_t *data, size_t len) {
  enum { TAIL = 4 + 8 + 4 + 9 };
  struct ww_reader r = ww_reader_make(data + len - TAIL, TAIL);
  struct ww_tlv tlv;
  if (len < TAIL || !ww_tlv_next(&r, false, &tlv) || tlv.type != WW_RM_TLV21_SEQUENCE || tlv.len != 8) {
    fault(s, "message %u: no Sequence Number", s->messages);
    return;
  }
  struct ww_reader v = ww_reader_make(tlv.value, tlv.len);
  if (ww_reader_u64(&v) != s->messages)
    fault(s, "message %u: wrong Sequence Number", s->messages);
}

static void take_standard(struct station *s, struct fake *f, uint8_t *data, size_t len, struct ww_arena *arena) {
  struct ww_bmp_msg m;
  struct ww_diag diag = {0};
  if (v4(s) && s->config.tlv_draft == 21)
    check_sequence(s, data, len);
  data[0] = 3;
  if (ww_bmp_decode(data, len, &m, &diag) != WW_OK) {
    fault(s, "message %u: %s", s->messages, diag.text);
    return;
  }
  uint8_t id = m.has_peer ? peer_of(s, &m.peer) : 0;
  switch (m.header.type) {
  case WW_BMP_INITIATION:
    s->began = true;
    return;
  case WW_BMP_TERMINATION:
    s->ended = true;
    return;
  case WW_BMP_PEER_UP:
    if (s->peers[id].up)
      fault(s, "message %u: Peer Up of a peer that is up", s->messages);
    memset(&s->peers[id], 0, sizeof s->peers[id]);
    s->peers[id].up = true;
    s->peers[id].opens = ww_hash(m.u.up.received_open, m.u.up.received_len);
    return;
  case WW_BMP_PEER_DOWN:
    if (!s->peers[id].up)
      fault(s, "message %u: Peer Down of a peer that is down", s->messages);
    memset(&s->peers[id], 0, sizeof s->peers[id]);
    return;
  case WW_BMP_ROUTE_MONITORING:
    take_monitoring(s, f, &m, arena);
    return;
  default:
    fault(s, "message %u: type %u", s->messages, m.header.type);
  }
}

void station_take(struct station *s, struct fake *f, struct ww_buf *in) {
  struct ww_arena arena;
  ww_arena_init(&arena, 0);
  while (in->len && !s->fault[0]) {
    uint8_t *data = in->data + in->head;
    struct ww_bmp_header h;
    struct ww_diag diag = {0};
    if (ww_bmp_frame(data, in->len, s->config.max_message, &h, &diag) != WW_OK || h.len > in->len) {
      fault(s, "message %u: %s", s->messages, diag.text[0] ? diag.text : "cut off");
      break;
    }
    if (h.version != (v4(s) ? 4 : 3))
      fault(s, "message %u: version %u", s->messages, h.version);
    if (s->ended || (s->messages == 0) != (h.type == WW_BMP_INITIATION))
      fault(s, "message %u: type %u out of order", s->messages, h.type);
    if (h.type == WW_BMP_RPKI_VALIDATION)
      take_validation(s, f, data, h.len, &arena);
    else
      take_standard(s, f, data, h.len, &arena);
    s->messages++;
    ww_buf_consume(in, h.len);
    ww_arena_reset(&arena);
  }
  ww_arena_fini(&arena);
}

/* What the encoder makes of a verdict: the rules that are listed, at most WW_VALIDATION_RULES_MAX. */
static uint64_t rules_due(const struct ww_verdict *verdict) {
  const struct ww_origin_result *v = &verdict->origin;
  uint64_t sum = 0;
  size_t n = 0;
  for (size_t i = 0; i < v->hit_count && n < WW_VALIDATION_RULES_MAX; i++) {
    bool matches = v->hits[i].match == WW_MATCH_VALID;
    if (v->state == WW_STATE_VALID && !matches)
      continue;
    sum += rule_fingerprint(matches ? WW_STATE_VALID : WW_STATE_INVALID, v->hits[i].source, &v->hits[i].vrp);
    n++;
  }
  const struct ww_aspa_result *a = &verdict->aspa;
  for (size_t i = 0; i < a->hit_count; i++)
    if ((a->state == WW_STATE_VALID && a->hits[i].match == WW_HOP_PROVIDER) || a->state == WW_STATE_INVALID)
      sum += aspa_fingerprint(a->hits[i].match == WW_HOP_PROVIDER ? WW_STATE_VALID : WW_STATE_INVALID,
                              a->hits[i].source, &a->hits[i].aspa);
  return sum;
}

static void compare_record(struct station *s, uint8_t peer, uint8_t prefix, uint8_t path_id,
                           const struct fake_route *route, struct ww_verdict *verdict) {
  const struct station_record *r = &s->peers[peer].records[prefix][path_id];
  if (r->held != (route != NULL)) {
    fault(s, "peer %u prefix %u path %u: %s", peer, prefix, path_id,
          r->held ? "the station keeps a route that is gone" : "the station lacks a route");
    return;
  }
  if (!route)
    return;
  if (r->attrs != route->attrs)
    fault(s, "peer %u prefix %u path %u: attributes %u, should be %u", peer, prefix, path_id, r->attrs, route->attrs);
  if (s->config.profile == WW_PROFILE_STD3)
    return;
  struct ww_prefix p = fake_prefix(prefix);
  fake_verdict(route->verdict, route->attrs, &p, verdict);
  if (r->path_state != verdict->aspa.state || r->path_reason != verdict->aspa.reason ||
      r->path != (verdict->aspa.procedure ? path_fingerprint(&verdict->aspa) : 0))
    fault(s, "peer %u prefix %u path %u: another result for the path", peer, prefix, path_id);
  if (r->state != verdict->state || r->reason != verdict->origin.reason || r->rules != rules_due(verdict))
    fault(s, "peer %u prefix %u path %u: another verdict (%u, should be %u)", peer, prefix, path_id, r->state,
          verdict->state);
}

void station_compare(struct station *s, struct fake *f) {
  struct ww_verdict verdict = {0};
  for (uint8_t peer = 1; peer <= FAKE_PEERS; peer++) {
    if (s->peers[peer].up != f->peers[peer].up)
      fault(s, "peer %u is %s for the station", peer, s->peers[peer].up ? "up" : "down");
    if (f->peers[peer].up && peer != 5 &&
        s->peers[peer].opens != ww_hash(f->peers[peer].opens, f->peers[peer].open_len))
      fault(s, "peer %u: its Peer Up is of an earlier session", peer);
    if (s->peers[peer].in_snapshot)
      fault(s, "peer %u: a snapshot has no end", peer);
    for (unsigned afi = 1; afi < 3; afi++)
      if (f->peers[peer].up && s->peers[peer].eor[afi] != f->peers[peer].eor[afi])
        fault(s, "peer %u: End-of-RIB of family %u %s", peer, afi, s->peers[peer].eor[afi] ? "too early" : "missing");
    for (uint8_t prefix = 0; prefix < FAKE_PREFIXES; prefix++)
      for (uint8_t path_id = 0; path_id < 4; path_id++)
        compare_record(s, peer, prefix, path_id, fake_find(f, peer, prefix, path_id), &verdict);
  }
  ww_verdict_fini(&verdict);
}
