/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gathering routes so that those which share attributes leave in one message, whatever order they came in.
 *
 * Data structure: an array of routes in the order they were added, chained into sets; a small hash table finds the set
 * of a route (peer, attributes id, direction). Rules are copied into one pool, because the view reuses its result; the
 * pool may move while it grows, so a route has an offset until the flush. All arrays stay from batch to batch.
 *
 * A route with signatures to speak of makes a set of its own (encode.h).
 *
 * Order: a batch is filled within one pull, during which nothing changes. So of any one NLRI it holds at most one live
 * route, and that is the truth now; withdrawals of it are of earlier routes. Writing all withdrawals first therefore
 * always ends right, and sets may leave in any order.
 */
#include "bmpout/export.h"

#include <stdlib.h>
#include <string.h>

enum {
  ROUTES = 1024,
  SLOTS = 2048,
  NONE = 0xffff,
  MESSAGE_OVERHEAD = 200,
  ROUTE_OVERHEAD = 44,
  RULE_OVERHEAD = 44,
  HOP_OVERHEAD = 10,
  KEY_OVERHEAD = 50,
  SEGMENT_OVERHEAD = 26
};

struct set {
  const struct ww_bmp_peer *header;
  uint32_t attrs_id;
  bool withdraw, add_path;
  uint8_t afi;
  const uint8_t *attrs, *next_hop;
  size_t attrs_len;
  uint8_t next_hop_len;
  uint32_t sec, usec; /* the newest of its routes */
  uint16_t first, last;
  bool has_aspa;
  struct ww_aspa_result aspa; /* hops and hits: filled in at the flush */
  size_t aspa_hit_at, aspa_hop_at;
  bool has_bgpsec;
  struct ww_bgpsec_report bgpsec; /* segments and hits: likewise */
  size_t key_hit_at, segment_at;
};

struct route {
  struct ww_bgp_nlri_item nlri;
  struct ww_encode_verdict verdict; /* hits: filled in at the flush */
  size_t hit_at;
  uint16_t next;
};

struct ww_batch {
  struct route routes[ROUTES];
  size_t count;
  struct set sets[ROUTES];
  size_t set_count;
  uint16_t slots[SLOTS]; /* set + 1 */
  struct ww_vrp_hit *hits;
  size_t hit_count, hit_cap;
  struct ww_aspa_hit *aspa_hits;
  size_t aspa_hit_count, aspa_hit_cap;
  struct ww_aspa_hop *aspa_hops;
  size_t aspa_hop_count, aspa_hop_cap;
  struct ww_key_hit *key_hits;
  size_t key_hit_count, key_hit_cap;
  struct ww_bgpsec_segment_result *segments;
  size_t segment_count, segment_cap;
  size_t estimate;
  /* one set in a row, for the encoder */
  struct ww_bgp_nlri_item nlri[ROUTES];
  struct ww_encode_verdict verdicts[ROUTES];
};

struct ww_batch *ww_batch_new(void) {
  return calloc(1, sizeof(struct ww_batch));
}

void ww_batch_free(struct ww_batch *b) {
  if (!b)
    return;
  free(b->hits);
  free(b->aspa_hits);
  free(b->aspa_hops);
  free(b->key_hits);
  free(b->segments);
  free(b);
}

bool ww_batch_full(const struct ww_batch *b) { return b->count == ROUTES; }
size_t ww_batch_count(const struct ww_batch *b) { return b->count; }
size_t ww_batch_estimate(const struct ww_batch *b) { return b->estimate; }

static bool same_set(const struct set *s, const struct ww_bmp_peer *header, const struct ww_out_route *r,
                     bool withdraw) {
  return !s->has_bgpsec && s->header == header && s->withdraw == withdraw && s->afi == r->prefix.afi &&
         s->add_path == r->add_path && (withdraw || s->attrs_id == r->attrs_id);
}

static struct set *set_of(struct ww_batch *b, const struct ww_bmp_peer *header, const struct ww_out_route *r,
                          bool withdraw, bool alone) {
  if (!alone && b->set_count && same_set(&b->sets[b->set_count - 1], header, r, withdraw))
    return &b->sets[b->set_count - 1]; /* a walk gives them in order */
  uint64_t hash = ((uint64_t)(uintptr_t)header ^ (withdraw ? 1 : (uint64_t)r->attrs_id << 20)) + r->prefix.afi;
  hash *= UINT64_C(0x9e3779b97f4a7c15);
  size_t slot = (size_t)(hash >> 53) & (SLOTS - 1);
  for (; b->slots[slot]; slot = (slot + 1) & (SLOTS - 1))
    if (!alone && same_set(&b->sets[b->slots[slot] - 1], header, r, withdraw))
      return &b->sets[b->slots[slot] - 1];
  struct set *s = &b->sets[b->set_count++];
  b->slots[slot] = (uint16_t)b->set_count;
  static const uint8_t no_attributes[1];
  *s = (struct set){.header = header,
                    .attrs_id = r->attrs_id,
                    .withdraw = withdraw,
                    .add_path = r->add_path,
                    .afi = r->prefix.afi,
                    .first = NONE,
                    .last = NONE};
  if (!withdraw) {
    s->attrs = r->attrs ? r->attrs : no_attributes;
    s->attrs_len = r->attrs ? r->attrs_len : 0;
    s->next_hop = r->next_hop;
    s->next_hop_len = r->next_hop_len;
  }
  b->estimate += MESSAGE_OVERHEAD + s->attrs_len;
  return s;
}

/* Room for `want` more objects in a pool. */
static bool pool_reserve(void **pool, size_t *cap, size_t count, size_t want, size_t size) {
  if (*cap - count >= want)
    return true;
  size_t bigger = *cap ? *cap * 2 : 1024;
  while (bigger - count < want)
    bigger *= 2;
  void *moved = realloc(*pool, bigger * size);
  if (!moved)
    return false;
  *pool = moved;
  *cap = bigger;
  return true;
}

/* Copies the hits that can become rules, and one more, so that the encoder sees that some were cut. */
static bool copy_hits(struct ww_batch *b, struct route *route, const struct ww_origin_result *v, bool covering) {
  route->hit_at = b->hit_count;
  size_t want = 0;
  while (want < v->hit_count && want <= WW_VALIDATION_RULES_MAX &&
         (v->state != WW_STATE_VALID || covering || v->hits[want].match == WW_MATCH_VALID))
    want++;
  void *pool = b->hits;
  if (!pool_reserve(&pool, &b->hit_cap, b->hit_count, want, sizeof *b->hits))
    return false;
  b->hits = pool;
  if (want)
    memcpy(b->hits + b->hit_count, v->hits, want * sizeof *v->hits);
  b->hit_count += want;
  route->verdict.hit_count = want;
  b->estimate += want * RULE_OVERHEAD;
  return true;
}

/* The ASPA result of a set is that of its first route: all have the same path (struct ww_out_view.verdict). */
static bool copy_aspa(struct ww_batch *b, struct set *s, const struct ww_aspa_result *v) {
  void *hits = b->aspa_hits, *hops = b->aspa_hops;
  if (!pool_reserve(&hits, &b->aspa_hit_cap, b->aspa_hit_count, v->hit_count, sizeof *b->aspa_hits))
    return false;
  b->aspa_hits = hits;
  if (!pool_reserve(&hops, &b->aspa_hop_cap, b->aspa_hop_count, v->hop_count, sizeof *b->aspa_hops))
    return false;
  b->aspa_hops = hops;
  s->has_aspa = true;
  s->aspa = *v;
  s->aspa_hit_at = b->aspa_hit_count;
  s->aspa_hop_at = b->aspa_hop_count;
  if (v->hit_count)
    memcpy(b->aspa_hits + b->aspa_hit_count, v->hits, v->hit_count * sizeof *v->hits);
  if (v->hop_count)
    memcpy(b->aspa_hops + b->aspa_hop_count, v->hops, v->hop_count * sizeof *v->hops);
  b->aspa_hit_count += v->hit_count;
  b->aspa_hop_count += v->hop_count;
  b->estimate += v->hit_count * RULE_OVERHEAD + v->hop_count * HOP_OVERHEAD;
  return true;
}

static bool is_told(const struct ww_bgpsec_report *v) {
  return (v->state != WW_STATE_NOT_EVALUATED || v->reason != WW_REASON_NONE) && ww_encode_bgpsec_is_sound(v);
}

static bool copy_bgpsec(struct ww_batch *b, struct set *s, const struct ww_bgpsec_report *v) {
  void *hits = b->key_hits, *segments = b->segments;
  if (!pool_reserve(&hits, &b->key_hit_cap, b->key_hit_count, v->hit_count, sizeof *b->key_hits))
    return false;
  b->key_hits = hits;
  if (!pool_reserve(&segments, &b->segment_cap, b->segment_count, v->segment_count, sizeof *b->segments))
    return false;
  b->segments = segments;
  s->has_bgpsec = true;
  s->bgpsec = *v;
  s->key_hit_at = b->key_hit_count;
  s->segment_at = b->segment_count;
  if (v->hit_count)
    memcpy(b->key_hits + b->key_hit_count, v->hits, v->hit_count * sizeof *v->hits);
  if (v->segment_count)
    memcpy(b->segments + b->segment_count, v->segments, v->segment_count * sizeof *v->segments);
  b->key_hit_count += v->hit_count;
  b->segment_count += v->segment_count;
  b->estimate += v->hit_count * KEY_OVERHEAD + v->segment_count * SEGMENT_OVERHEAD;
  return true;
}

/* A verdict is only as good as its evidence: without it, it goes out as not evaluated. */
static bool has_evidence(const struct ww_origin_result *v) {
  bool matched = v->hit_count && v->hits[0].match == WW_MATCH_VALID;
  switch (v->state) {
  case WW_STATE_VALID:
    return matched;
  case WW_STATE_INVALID:
    return v->hit_count && !matched;
  default:
    return v->state == WW_STATE_UNKNOWN;
  }
}

bool ww_batch_add(struct ww_batch *b, const struct ww_bmp_peer *header, const struct ww_out_route *r, bool withdraw,
                  uint8_t trigger, const struct ww_verdict *verdict, bool covering) {
  struct route *route = &b->routes[b->count];
  *route = (struct route){.nlri = {.prefix = r->prefix, .path_id = r->path_id}, .next = NONE};
  route->verdict.trigger = trigger;
  if (!withdraw && verdict) {
    const struct ww_origin_result *origin = &verdict->origin;
    bool sound = has_evidence(origin);
    route->verdict.epoch = verdict->epoch;
    route->verdict.state = sound ? origin->state : (uint8_t)WW_STATE_NOT_EVALUATED;
    route->verdict.reason = sound ? origin->reason : (uint8_t)WW_REASON_NONE;
    if (sound && origin->state != WW_STATE_UNKNOWN && !copy_hits(b, route, origin, covering))
      return false;
  }
  bool is_signed = !withdraw && verdict && is_told(&verdict->bgpsec);
  struct set *s = set_of(b, header, r, withdraw, is_signed);
  uint16_t at = (uint16_t)b->count++;
  if (!withdraw && verdict && s->last == NONE && ww_encode_aspa_is_sound(&verdict->aspa) &&
      !copy_aspa(b, s, &verdict->aspa))
    return false;
  if (is_signed && !copy_bgpsec(b, s, &verdict->bgpsec))
    return false;
  if (s->last == NONE)
    s->first = at;
  else
    b->routes[s->last].next = at;
  s->last = at;
  if (r->sec > s->sec || (r->sec == s->sec && r->usec > s->usec)) {
    s->sec = r->sec;
    s->usec = r->usec;
  }
  b->estimate += ROUTE_OVERHEAD;
  return true;
}

static void flush_set(struct ww_batch *b, struct set *s, struct ww_export *e, struct ww_export_mark *mark) {
  size_t n = 0;
  for (uint16_t at = s->first; at != NONE; at = b->routes[at].next) {
    b->nlri[n] = b->routes[at].nlri;
    b->verdicts[n] = b->routes[at].verdict;
    b->verdicts[n].hits = b->routes[at].verdict.hit_count ? b->hits + b->routes[at].hit_at : NULL;
    n++;
  }
  /* CHOICE: one message has one time stamp: the newest of its routes, when all of them were there. */
  struct ww_bmp_peer header = *s->header;
  header.sec = s->sec;
  header.usec = s->usec;
  s->aspa.hits = s->aspa.hit_count ? b->aspa_hits + s->aspa_hit_at : NULL;
  s->aspa.hops = s->aspa.hop_count ? b->aspa_hops + s->aspa_hop_at : NULL;
  s->bgpsec.hits = s->bgpsec.hit_count ? b->key_hits + s->key_hit_at : NULL;
  s->bgpsec.segments = s->bgpsec.segment_count ? b->segments + s->segment_at : NULL;
  struct ww_encode_routes routes = {.afi = s->afi,
                                    .add_path = s->add_path,
                                    .attrs = s->attrs,
                                    .attrs_len = s->attrs_len,
                                    .next_hop = s->next_hop,
                                    .next_hop_len = s->next_hop_len,
                                    .nlri = b->nlri,
                                    .verdicts = b->verdicts,
                                    .aspa = s->has_aspa ? &s->aspa : NULL,
                                    .bgpsec = s->has_bgpsec ? &s->bgpsec : NULL,
                                    .count = n,
                                    .source_type = e->view->source_type,
                                    .ctx = e->view->ctx};
  ww_export_routes(e, &header, &routes, mark);
}

void ww_batch_flush(struct ww_batch *b, struct ww_export *e, struct ww_export_mark *mark) {
  if (!b->count)
    return;
  for (unsigned live = 0; live < 2; live++)
    for (size_t i = 0; i < b->set_count; i++)
      if (b->sets[i].withdraw == !live)
        flush_set(b, &b->sets[i], e, mark);
  memset(b->slots, 0, sizeof b->slots);
  b->count = b->set_count = b->hit_count = b->aspa_hit_count = b->aspa_hop_count = 0;
  b->key_hit_count = b->segment_count = b->estimate = 0;
}
