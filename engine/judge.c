/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a route and the data in force to a stored verdict and, if it differs from the one before, a journal entry.
 *
 * A verdict has kinds (enum ww_kind): each of them gives a state, a reason and a digest of the evidence that is told
 * with it. A verdict is compared by just these. The evidence itself is not stored: whoever reports the route asks for
 * it again (view.c), so that a million verdicts cost sixteen octets each and the evidence is always that of the newest
 * data.
 *
 * Invariant: a route whose stored verdict is not that of the data in force lies in a pending range. What view.c tells
 * of it is the newest verdict; it then marks the route WW_ROUTE_OWED, and judging it emits even when the data went back
 * to what is stored, because a reader has heard otherwise.
 */
#include <string.h>

#include "base/rules.h"
#include "engine/internal.h"

static uint32_t origin_digest(const struct ww_origin_result *result) {
  uint64_t digest = 0;
  for (size_t i = 0; i < result->hit_count; i++) {
    const struct ww_vrp_hit *hit = &result->hits[i];
    if (!ww_vrp_hit_decides(result->state, hit))
      continue;
    struct ww_writer w;
    uint8_t octets[40];
    w = ww_writer_make(octets, sizeof octets);
    ww_writer_u64(&w, digest);
    ww_writer_u16(&w, hit->source);
    ww_writer_u8(&w, hit->match);
    ww_writer_u32(&w, hit->vrp.asn);
    ww_writer_u8(&w, hit->vrp.max_len);
    ww_writer_u8(&w, hit->vrp.prefix.afi);
    ww_writer_u8(&w, hit->vrp.prefix.len);
    ww_writer_bytes(&w, hit->vrp.prefix.addr, sizeof hit->vrp.prefix.addr);
    digest = ww_hash(octets, w.len);
  }
  return (uint32_t)digest;
}

/* Of the kinds' digests, in the order of enum ww_kind. */
static uint32_t join(uint32_t digest, uint32_t more) { return (digest << 13 | digest >> 19) ^ more; }

uint32_t ww_engine_digest(const struct ww_verdict *verdict) {
  uint32_t digest = join(origin_digest(&verdict->origin), ww_engine_aspa_digest(&verdict->aspa));
  return join(digest, ww_engine_bgpsec_digest(&verdict->bgpsec));
}

static unsigned state_slot(uint8_t state) { return state <= WW_STATE_INVALID ? state : 3; }

void ww_engine_tally(struct ww_engine_router *router, const struct ww_rib_route *route, int sign) {
  const uint64_t one = sign < 0 ? UINT64_MAX : 1;
  router->by_state[state_slot(route->state)] += one;
  for (unsigned k = 0; route->state != WW_STATE_NOT_READY && k < WW_ENGINE_KINDS; k++)
    router->by_kind[k][state_slot(route->kinds[k].state)] += one;
}

void ww_engine_unjudge(struct ww_rib_route *route) {
  route->state = WW_STATE_NOT_READY;
  for (unsigned k = 0; k < WW_ENGINE_KINDS; k++)
    route->kinds[k] = (struct ww_rib_kind){WW_STATE_NOT_READY, WW_REASON_NONE};
  route->digest = 0;
}

/* Stores one verdict; true when it has to be told. */
static bool store(struct ww_engine_router *router, struct ww_rib_route *route,
                  const struct ww_engine_result results[WW_ENGINE_KINDS]) {
  struct ww_rib_kind kinds[WW_ENGINE_KINDS];
  uint32_t digest = 0;
  for (unsigned k = 0; k < WW_ENGINE_KINDS; k++) {
    kinds[k] = results[k].kind;
    digest = join(digest, results[k].digest);
  }
  bool differs = route->state == WW_STATE_NOT_READY || route->digest != digest || (route->flags & WW_ROUTE_OWED) != 0 ||
                 memcmp(route->kinds, kinds, sizeof kinds) != 0;
  if (differs) {
    ww_engine_tally(router, route, -1);
    memcpy(route->kinds, kinds, sizeof kinds);
    route->state = (uint8_t)ww_verdict_combine((enum ww_state)kinds[WW_KIND_ORIGIN - 1].state,
                                               (enum ww_state)kinds[WW_KIND_ASPA - 1].state,
                                               (enum ww_state)kinds[WW_KIND_BGPSEC - 1].state);
    route->digest = digest;
    ww_engine_tally(router, route, 1);
  }
  route->epoch = ww_snapshot_epoch(router->engine->snapshot);
  route->flags &= (uint8_t) ~(WW_ROUTE_OWED | WW_ROUTE_WAITING);
  return differs;
}

void ww_engine_judge(struct ww_engine_router *router, const struct ww_engine_judgement *items, size_t count,
                     uint8_t trigger, uint32_t sec, uint32_t usec) {
  struct ww_engine *engine = router->engine;
  struct ww_prefix prefixes[WW_ENGINE_BATCH];
  struct ww_origin origins[WW_ENGINE_BATCH];
  uint8_t states[WW_ENGINE_BATCH], reasons[WW_ENGINE_BATCH];
  struct ww_engine_result bgpsec[WW_ENGINE_BATCH];
  if (!ww_engine_ready(engine)) {
    for (size_t i = 0; i < count; i++) {
      struct ww_rib_route *route = ww_rib_route(router->rib, items[i].route);
      ww_engine_tally(router, route, -1);
      ww_engine_unjudge(route);
      ww_engine_tally(router, route, 1);
      route->flags &= (uint8_t) ~(WW_ROUTE_OWED | WW_ROUTE_WAITING | WW_ROUTE_FRESH);
      route->epoch = ww_snapshot_epoch(engine->snapshot);
      route->sec = sec;
      route->usec = usec;
    }
    return;
  }
  for (size_t i = 0; i < count; i++) {
    prefixes[i] = items[i].prefix;
    origins[i] = items[i].origin;
  }
  ww_origin_validate_batch(engine->snapshot, prefixes, origins, count, states, reasons);
  bool verified = ww_engine_bgpsec_judge(router, items, count, bgpsec);
  router->evaluated += count;
  for (size_t i = 0; i < count; i++) {
    struct ww_rib_route *route = ww_rib_route(router->rib, items[i].route);
    struct ww_engine_result results[WW_ENGINE_KINDS] = {0};
    results[WW_KIND_ORIGIN - 1].kind = (struct ww_rib_kind){states[i], reasons[i]};
    results[WW_KIND_BGPSEC - 1] = bgpsec[i];
    /* No memory for the evidence: tell the route rather than risk silence. */
    bool unsure = items[i].is_signed && !verified;
    if (states[i] == WW_STATE_VALID || states[i] == WW_STATE_INVALID) {
      if (ww_origin_explain(engine->snapshot, &prefixes[i], origins[i], &engine->scratch.origin) == WW_OK)
        results[WW_KIND_ORIGIN - 1].digest = origin_digest(&engine->scratch.origin);
      else
        unsure = true;
    }
    unsure |= !ww_engine_aspa_judge(router, items[i].path, &router->peers[route->peer - 1], &results[WW_KIND_ASPA - 1]);
    bool fresh = (route->flags & WW_ROUTE_FRESH) != 0;
    route->flags &= (uint8_t)~WW_ROUTE_FRESH;
    if (!store(router, route, results) && !items[i].emit && !unsure)
      continue;
    if (fresh)
      ww_engine_router_note(router, items[i].route, WW_TRIGGER_UPDATE, route->sec, route->usec);
    else
      ww_engine_router_note(router, items[i].route, trigger, sec, usec);
  }
}
