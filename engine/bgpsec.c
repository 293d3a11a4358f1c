/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BGPsec in the flow: signed routes are verified with the router keys in force, and again when one of just their keys
 * comes or goes.
 *
 * A signature takes some 50 microseconds where everything else about a route takes one. So a signed route that comes in
 * is not judged at once but waits in a queue that ww_engine_work() takes from, and counts there for as many routes as
 * it costs. Until then it is not ready. A session that asks for its verdict earlier (view.c) has it verified then.
 * Routes whose key changed wait in the same queue, with the verdict that they had.
 *
 * What was verified is remembered by the verifier, signature by signature and bounded (bgpsec/known.h): the same UPDATE
 * again, or a verdict that is asked for by several stations, costs a look-up. Keys come from the snapshot, by AS and
 * SKI, each time; what is remembered can never stand for a key that is not in force. A key that is withdrawn is
 * forgotten besides.
 *
 * Invariants:
 *  - a live route with WW_ROUTE_WAITING is in the queue; the queue may name routes that are gone or were judged since:
 *    only the flag counts;
 *  - a signed route whose verdict is not that of the data in force is waiting, or lies in a pending range.
 *
 * Ownership: verifier, worker and room for results are the engine's, made when the first signed route is looked at.
 *
 * Clauses: RFC 8205 §4.4, §5, §5.1, §5.2.
 */
#include <stdlib.h>
#include <string.h>

#include "base/rules.h"
#include "engine/internal.h"
#include <waywarden/bgpsec_snapshot.h>

enum { QUEUE_MIN = 64 };

struct ww_engine_bgpsec {
  struct ww_bgpsec_verifier *verifier;
  struct ww_bgpsec_worker *worker;
  struct ww_bgpsec_request requests[WW_ENGINE_BATCH];
  struct ww_bgpsec_result results[WW_ENGINE_BATCH];
  struct ww_bgpsec_report report;
};

void ww_engine_bgpsec_free(struct ww_engine *engine) {
  struct ww_engine_bgpsec *b = engine->bgpsec;
  if (!b)
    return;
  for (size_t i = 0; i < WW_ENGINE_BATCH; i++)
    ww_bgpsec_result_fini(&b->results[i]);
  ww_bgpsec_report_fini(&b->report);
  ww_bgpsec_worker_free(b->worker);
  ww_bgpsec_verifier_free(b->verifier);
  free(b);
  engine->bgpsec = NULL;
}

/* NULL when memory ran out. */
static struct ww_engine_bgpsec *tools(struct ww_engine *engine) {
  if (engine->bgpsec)
    return engine->bgpsec;
  engine->bgpsec = calloc(1, sizeof *engine->bgpsec);
  if (engine->bgpsec && (ww_bgpsec_verifier_new(NULL, &engine->bgpsec->verifier) != WW_OK ||
                         ww_bgpsec_worker_new(engine->bgpsec->verifier, &engine->bgpsec->worker) != WW_OK))
    ww_engine_bgpsec_free(engine);
  return engine->bgpsec;
}

void ww_engine_bgpsec_counts(const struct ww_engine *engine, struct ww_bgpsec_counts *out) {
  *out = (struct ww_bgpsec_counts){0};
  if (engine->bgpsec)
    ww_bgpsec_verifier_counts(engine->bgpsec->verifier, out);
}

/* ---- sessions ---- */

static bool may_pcount0(const struct ww_engine_router *router, const struct ww_engine_peer *peer) {
  const struct ww_engine_roles *roles = &router->roles;
  struct ww_addr address = ww_bmp_peer_addr(&peer->header);
  for (size_t i = 0; i < roles->peer_count; i++)
    if (roles->peers[i].address.afi && memcmp(&roles->peers[i].address, &address, sizeof address) == 0)
      return roles->peers[i].allow_pcount0;
  for (size_t i = 0; i < roles->peer_count; i++)
    if (!roles->peers[i].address.afi && roles->peers[i].asn == peer->header.asn)
      return roles->peers[i].allow_pcount0;
  return false; /* RFC 8205 §4.2: only where the operator says so */
}

bool ww_engine_bgpsec_session(const struct ww_engine_router *router, struct ww_engine_peer *peer,
                              enum ww_rib_view view) {
  struct ww_bgpsec_session before = peer->bgpsec;
  bool applied = peer->verifies;
  peer->bgpsec = (struct ww_bgpsec_session){
      .local_as = peer->own_as, .peer_as = peer->header.asn, .allow_pcount0 = may_pcount0(router, peer)};
  /* CHOICE: only what a neighbor sent. What the router sends, its own neighbors verify; and whom a route in the Loc-RIB
   * came from is not known. Nor can anything be verified without the AS that the newest signature is meant for. */
  peer->verifies = (view == WW_VIEW_ADJ_IN_PRE || view == WW_VIEW_ADJ_IN_POST) && peer->own_as && peer->header.asn;
  return applied != peer->verifies || before.local_as != peer->bgpsec.local_as ||
         before.peer_as != peer->bgpsec.peer_as || before.allow_pcount0 != peer->bgpsec.allow_pcount0;
}

/* ---- from a result to a report ---- */

static enum ww_reason reason_of(const struct ww_bgpsec_result *result) {
  switch ((enum ww_bgpsec_reason)result->reason) {
  case WW_BGPSEC_REASON_NONE:
  case WW_BGPSEC_REASON_NO_PATH:
  case WW_BGPSEC_REASON_DEFERRED:
    return WW_REASON_NONE;
  case WW_BGPSEC_REASON_NO_SUITE:
    return WW_REASON_BGPSEC_SUITE;
  case WW_BGPSEC_REASON_NO_KEY:
    return WW_REASON_BGPSEC_NO_KEY;
  case WW_BGPSEC_REASON_SIGNATURE:
    return WW_REASON_BGPSEC_SIGNATURE;
  case WW_BGPSEC_REASON_PEER_AS:
    return WW_REASON_BGPSEC_PEER_AS;
  case WW_BGPSEC_REASON_CONFED_SET:
  case WW_BGPSEC_REASON_CONFED_CLEAR:
    return WW_REASON_BGPSEC_CONFED;
  case WW_BGPSEC_REASON_PCOUNT_ZERO:
    return WW_REASON_BGPSEC_PCOUNT;
  case WW_BGPSEC_REASON_LOOP:
    return WW_REASON_BGPSEC_LOOP;
  case WW_BGPSEC_REASON_UPDATE:
  case WW_BGPSEC_REASON_AS_PATH:
  case WW_BGPSEC_REASON_SYNTAX:
  case WW_BGPSEC_REASON_SUITE_RESERVED:
  case WW_BGPSEC_REASON_SUITE_REPEATED:
  case WW_BGPSEC_REASON_SEGMENTS:
  case WW_BGPSEC_REASON_NLRI:
  case WW_BGPSEC_REASON_PATH_LENGTH:
    return WW_REASON_BGPSEC_FORM;
  }
  return WW_REASON_BGPSEC_FORM;
}

struct asking {
  struct ww_bgpsec_report *report;
  const struct ww_bgpsec_segment_result *segment;
  bool any;
};

/* Adds a hit; 0, or 1 when memory ran out. CHOICE: a rule names AS and SKI. Several keys of one pair and one source are
 * one rule, and which of them verified is not told. */
static int add_hit(struct asking *a, const struct ww_key_hit *hit) {
  struct ww_bgpsec_report *r = a->report;
  for (size_t i = 0; i < r->hit_count; i++) {
    const struct ww_key_hit *old = &r->hits[i];
    if (old->asn == hit->asn && old->source == hit->source && old->missing == hit->missing &&
        ww_segment_is_bad(old->match) == ww_segment_is_bad(hit->match) && memcmp(old->ski, hit->ski, WW_SKI_LEN) == 0)
      return 0;
  }
  if (r->hit_count == r->hit_cap) {
    size_t cap = r->hit_cap ? r->hit_cap * 2 : 16;
    struct ww_key_hit *bigger = realloc(r->hits, cap * sizeof *bigger);
    if (!bigger)
      return 1;
    r->hits = bigger;
    r->hit_cap = cap;
  }
  r->hits[r->hit_count++] = *hit;
  return 0;
}

static int on_key(void *ctx, const struct ww_router_key *key, ww_source_id source) {
  struct asking *a = ctx;
  struct ww_key_hit hit = {.asn = key->asn, .source = source, .expires = key->expires, .match = a->segment->state};
  memcpy(hit.ski, key->ski, WW_SKI_LEN);
  a->any = true;
  return add_hit(a, &hit);
}

/* The keys of a signature that was looked at. */
static bool ask(const struct ww_snapshot *snapshot, struct ww_bgpsec_report *report,
                const struct ww_bgpsec_segment_result *segment) {
  struct asking a = {.report = report, .segment = segment};
  if (ww_snapshot_router_keys(snapshot, segment->asn, segment->ski, &a, on_key) != 0)
    return false;
  const struct ww_key_hit missing = {.asn = segment->asn, .match = segment->state, .missing = true};
  return a.any || add_hit(&a, &missing) == 0;
}

static enum ww_err report_of(const struct ww_snapshot *snapshot, const struct ww_bgpsec_result *result,
                             struct ww_bgpsec_report *report) {
  report->state = (uint8_t)ww_bgpsec_verdict((enum ww_bgpsec_state)result->state);
  report->reason = (uint8_t)reason_of(result);
  report->segment_count = report->hit_count = 0;
  if (result->segment_count > report->segment_cap) {
    struct ww_bgpsec_segment_result *bigger = realloc(report->segments, result->segment_count * sizeof *bigger);
    if (!bigger)
      return WW_ERR_NOMEM;
    report->segments = bigger;
    report->segment_cap = result->segment_count;
  }
  if (result->segment_count)
    memcpy(report->segments, result->segments, result->segment_count * sizeof *result->segments);
  report->segment_count = result->segment_count;
  for (unsigned good = 0; good < 2; good++)
    for (size_t i = 0; i < report->segment_count; i++) {
      const struct ww_bgpsec_segment_result *segment = &report->segments[i];
      bool takes = good ? segment->state == WW_BGPSEC_SEGMENT_VALID : ww_segment_is_bad(segment->state);
      if (takes && !ask(snapshot, report, segment))
        return WW_ERR_NOMEM;
    }
  return WW_OK;
}

uint32_t ww_engine_bgpsec_digest(const struct ww_bgpsec_report *report) {
  uint64_t digest = 0;
  uint8_t octets[48];
  for (size_t i = 0; i < report->segment_count; i++) {
    struct ww_writer w = ww_writer_make(octets, sizeof octets);
    ww_writer_u64(&w, digest);
    ww_writer_u32(&w, report->segments[i].asn);
    ww_writer_u8(&w, report->segments[i].state);
    ww_writer_bytes(&w, report->segments[i].ski, WW_SKI_LEN);
    digest = ww_hash(octets, w.len);
  }
  for (size_t i = 0; i < report->hit_count; i++) {
    const struct ww_key_hit *hit = &report->hits[i];
    if (!ww_key_hit_decides(report->state, hit))
      continue;
    struct ww_writer w = ww_writer_make(octets, sizeof octets);
    ww_writer_u64(&w, digest);
    ww_writer_u32(&w, hit->asn);
    ww_writer_u16(&w, hit->source);
    ww_writer_u8(&w, hit->match);
    ww_writer_u8(&w, hit->missing);
    ww_writer_bytes(&w, hit->ski, WW_SKI_LEN);
    digest = ww_hash(octets, w.len);
  }
  return (uint32_t)digest;
}

/* ---- verdicts ---- */

bool ww_engine_bgpsec_concerns(const struct ww_engine_router *router, uint32_t peer,
                               const struct ww_rib_bundle *bundle) {
  return bundle->bgpsec_path != NULL && router->peers[peer - 1].verifies;
}

static void make_request(struct ww_engine_router *router, uint32_t peer_id, const struct ww_prefix *prefix,
                         const struct ww_rib_bundle *bundle, struct ww_bgpsec_request *out) {
  struct ww_engine_peer *peer = &router->peers[peer_id - 1];
  /* RFC 8206: the AS that the configuration names and that of the OPEN are both ours. */
  peer->bgpsec.own_as = &peer->local_as;
  peer->bgpsec.own_as_count = peer->local_as && peer->local_as != peer->own_as;
  /* CHOICE: a BGPsec_PATH of an UPDATE with several prefixes (against RFC 8205 §4.1) is taken for each of them. A
   * signature covers one prefix, so that at most one is Valid. */
  *out = (struct ww_bgpsec_request){.session = &peer->bgpsec,
                                    .prefix = *prefix,
                                    .path = bundle->bgpsec_path,
                                    .path_len = bundle->bgpsec_path_len,
                                    .has_as_path = bundle->has_as_path};
}

bool ww_engine_bgpsec_judge(struct ww_engine_router *router, const struct ww_engine_judgement *items, size_t count,
                            struct ww_engine_result *results) {
  struct ww_engine *engine = router->engine;
  size_t places[WW_ENGINE_BATCH], n = 0;
  for (size_t i = 0; i < count; i++) {
    results[i] = (struct ww_engine_result){.kind = {WW_STATE_NOT_EVALUATED, WW_REASON_NONE}};
    if (items[i].is_signed)
      places[n++] = i;
  }
  struct ww_engine_bgpsec *b = n ? tools(engine) : NULL;
  if (n && !b)
    return false;
  for (size_t k = 0; k < n; k++) {
    const struct ww_engine_judgement *item = &items[places[k]];
    const struct ww_rib_route *route = ww_rib_route(router->rib, item->route);
    const struct ww_rib_bundle bundle = ww_rib_bundle_get(router->rib, route->bundle);
    make_request(router, route->peer, &item->prefix, &bundle, &b->requests[k]);
  }
  const struct ww_bgpsec_key_source keys = ww_bgpsec_snapshot_source(engine->snapshot);
  if (n && ww_bgpsec_verify(b->worker, &keys, b->requests, b->results, n) != WW_OK)
    return false;
  bool sure = true;
  for (size_t k = 0; k < n; k++) {
    struct ww_engine_result *out = &results[places[k]];
    if (report_of(engine->snapshot, &b->results[k], &b->report) == WW_OK)
      out->digest = ww_engine_bgpsec_digest(&b->report);
    else
      sure = false;
    out->kind = (struct ww_rib_kind){b->report.state, b->report.reason};
  }
  return sure;
}

enum ww_err ww_engine_bgpsec_explain(struct ww_engine_router *router, uint32_t peer, const struct ww_prefix *prefix,
                                     const struct ww_rib_bundle *bundle, struct ww_bgpsec_report *report) {
  report->state = WW_STATE_NOT_EVALUATED;
  report->reason = WW_REASON_NONE;
  report->segment_count = report->hit_count = 0;
  if (!ww_engine_bgpsec_concerns(router, peer, bundle))
    return WW_OK;
  struct ww_engine_bgpsec *b = tools(router->engine);
  if (!b)
    return WW_ERR_NOMEM;
  make_request(router, peer, prefix, bundle, &b->requests[0]);
  const struct ww_bgpsec_key_source keys = ww_bgpsec_snapshot_source(router->engine->snapshot);
  enum ww_err err = ww_bgpsec_verify(b->worker, &keys, b->requests, b->results, 1);
  return err ? err : report_of(router->engine->snapshot, &b->results[0], report);
}

/* ---- what is to be done again ---- */

bool ww_engine_bgpsec_wait(struct ww_engine_router *router, uint32_t id) {
  struct ww_engine_waiting *q = &router->waiting;
  struct ww_rib_route *route = ww_rib_route(router->rib, id);
  if (route->flags & (WW_ROUTE_WAITING | WW_ROUTE_WITHDRAWN))
    return true;
  if (q->count == q->cap && q->first > q->cap / 2) {
    memmove(q->queue, q->queue + q->first, (q->count - q->first) * sizeof *q->queue);
    q->count -= q->first;
    q->first = 0;
  }
  if (q->count == q->cap) {
    size_t cap = q->cap ? q->cap * 2 : QUEUE_MIN;
    uint32_t *bigger = realloc(q->queue, cap * sizeof *bigger);
    if (!bigger)
      return false;
    q->queue = bigger;
    q->cap = cap;
  }
  q->queue[q->count++] = id;
  route->flags |= WW_ROUTE_WAITING;
  return true;
}

static bool wait_for(void *ctx, uint32_t route) { return ww_engine_bgpsec_wait(ctx, route); }

bool ww_engine_bgpsec_delta(struct ww_engine_router *router, const struct ww_payload_delta *delta) {
  const struct ww_payloads *parts[2] = {&delta->announce, &delta->withdraw};
  for (unsigned part = 0; part < 2; part++)
    for (size_t i = 0; i < parts[part]->key_count; i++) {
      const struct ww_router_key *key = &parts[part]->keys[i];
      if (!ww_rib_signed_by(router->rib, key->asn, key->ski, router, wait_for))
        return false;
    }
  return true;
}

void ww_engine_bgpsec_forget(struct ww_engine *engine, const struct ww_payload_delta *delta) {
  for (size_t i = 0; engine->bgpsec && i < delta->withdraw.key_count; i++)
    ww_bgpsec_forget_key(engine->bgpsec->verifier, delta->withdraw.keys[i].spki, delta->withdraw.keys[i].spki_len);
}

bool ww_engine_bgpsec_pending(const struct ww_engine_router *router) {
  return router->waiting.first < router->waiting.count;
}

uint32_t ww_engine_bgpsec_next(struct ww_engine_router *router) {
  struct ww_engine_waiting *q = &router->waiting;
  while (q->first < q->count) {
    uint32_t id = q->queue[q->first++];
    const struct ww_rib_route *route = ww_rib_route(router->rib, id);
    if (q->first == q->count)
      q->first = q->count = 0;
    if (route && (route->flags & WW_ROUTE_WAITING) && !(route->flags & WW_ROUTE_WITHDRAWN))
      return id;
  }
  return 0;
}

void ww_engine_bgpsec_clear(struct ww_engine_router *router) { router->waiting.first = router->waiting.count = 0; }
