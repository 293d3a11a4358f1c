/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gathering routes so that those which share attributes leave in one message, whatever order they came in.
 *
 * Data structure: an array of routes in the order they were added, chained into sets; a small hash table finds the set
 * of a route (peer, attributes id, direction). Rules are copied into one pool, because the view reuses its result; the
 * pool may move while it grows, so a route has an offset until the flush. All arrays stay from batch to batch.
 *
 * Order: a batch is filled within one pull, during which nothing changes. So of any one NLRI it holds at most one live
 * route, and that is the truth now; withdrawals of it are of earlier routes. Writing all withdrawals first therefore
 * always ends right, and sets may leave in any order.
 */
#include "bmpout/export.h"

#include <stdlib.h>
#include <string.h>

enum { ROUTES = 1024, SLOTS = 2048, NONE = 0xffff, MESSAGE_OVERHEAD = 200, ROUTE_OVERHEAD = 44, RULE_OVERHEAD = 44 };

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
  free(b);
}

bool ww_batch_full(const struct ww_batch *b) { return b->count == ROUTES; }
size_t ww_batch_count(const struct ww_batch *b) { return b->count; }
size_t ww_batch_estimate(const struct ww_batch *b) { return b->estimate; }

static bool same_set(const struct set *s, const struct ww_bmp_peer *header, const struct ww_out_route *r,
                     bool withdraw) {
  return s->header == header && s->withdraw == withdraw && s->afi == r->prefix.afi && s->add_path == r->add_path &&
         (withdraw || s->attrs_id == r->attrs_id);
}

static struct set *set_of(struct ww_batch *b, const struct ww_bmp_peer *header, const struct ww_out_route *r,
                          bool withdraw) {
  if (b->set_count && same_set(&b->sets[b->set_count - 1], header, r, withdraw))
    return &b->sets[b->set_count - 1]; /* a walk gives them in order */
  uint64_t hash = ((uint64_t)(uintptr_t)header ^ (withdraw ? 1 : (uint64_t)r->attrs_id << 20)) + r->prefix.afi;
  hash *= UINT64_C(0x9e3779b97f4a7c15);
  size_t slot = (size_t)(hash >> 53) & (SLOTS - 1);
  for (; b->slots[slot]; slot = (slot + 1) & (SLOTS - 1))
    if (same_set(&b->sets[b->slots[slot] - 1], header, r, withdraw))
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

/* Copies the hits that can become rules, and one more, so that the encoder sees that some were cut. */
static bool copy_hits(struct ww_batch *b, struct route *route, const struct ww_origin_result *v, bool covering) {
  route->hit_at = b->hit_count;
  size_t want = 0;
  while (want < v->hit_count && want <= WW_VALIDATION_RULES_MAX &&
         (v->state != WW_STATE_VALID || covering || v->hits[want].match == WW_MATCH_VALID))
    want++;
  if (b->hit_cap - b->hit_count < want) {
    size_t cap = b->hit_cap ? b->hit_cap * 2 : 1024;
    while (cap - b->hit_count < want)
      cap *= 2;
    struct ww_vrp_hit *bigger = realloc(b->hits, cap * sizeof *bigger);
    if (!bigger)
      return false;
    b->hits = bigger;
    b->hit_cap = cap;
  }
  if (want)
    memcpy(b->hits + b->hit_count, v->hits, want * sizeof *v->hits);
  b->hit_count += want;
  route->verdict.hit_count = want;
  b->estimate += want * RULE_OVERHEAD;
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
                  uint8_t trigger, const struct ww_origin_result *verdict, uint32_t epoch, bool covering) {
  struct route *route = &b->routes[b->count];
  *route = (struct route){.nlri = {.prefix = r->prefix, .path_id = r->path_id}, .next = NONE};
  route->verdict.trigger = trigger;
  route->verdict.epoch = epoch;
  if (!withdraw && verdict) {
    bool sound = has_evidence(verdict);
    route->verdict.state = sound ? verdict->state : (uint8_t)WW_STATE_NOT_EVALUATED;
    route->verdict.reason = sound ? verdict->reason : (uint8_t)WW_REASON_NONE;
    if (sound && verdict->state != WW_STATE_UNKNOWN && !copy_hits(b, route, verdict, covering))
      return false;
  }
  struct set *s = set_of(b, header, r, withdraw);
  uint16_t at = (uint16_t)b->count++;
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

static void flush_set(struct ww_batch *b, const struct set *s, struct ww_export *e, struct ww_export_mark *mark) {
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
  struct ww_encode_routes routes = {.afi = s->afi,
                                    .add_path = s->add_path,
                                    .attrs = s->attrs,
                                    .attrs_len = s->attrs_len,
                                    .next_hop = s->next_hop,
                                    .next_hop_len = s->next_hop_len,
                                    .nlri = b->nlri,
                                    .verdicts = b->verdicts,
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
  b->count = b->set_count = b->hit_count = b->estimate = 0;
}
