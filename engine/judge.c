/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a route and the data in force to a stored verdict and, if it differs from the one before, a journal entry.
 *
 * A verdict is compared by three things: state, reason, and a digest of the rules that are listed with it. The rules
 * themselves are not stored: whoever reports the route asks for them again (view.c), so that a million verdicts cost
 * twelve octets each and the evidence is always that of the newest data.
 *
 * Invariant: a route whose stored verdict is not that of the data in force lies in a pending range. What view.c tells
 * of it is the newest verdict; it then marks the route WW_ROUTE_OWED, and judging it emits even when the data went back
 * to what is stored, because a reader has heard otherwise.
 */
#include <string.h>

#include "engine/internal.h"

/* CHOICE: draft-wang-grow-bmp-rpki-mon-reqs-03 §5.2 lists with Valid only rules that are valid themselves, with Unknown
 * none. A rule that merely covers a Valid route is not listed, so its coming and going is no change. */
static bool listed(uint8_t state, const struct ww_vrp_hit *hit) {
  return state == WW_STATE_INVALID || (state == WW_STATE_VALID && hit->match == WW_MATCH_VALID);
}

uint32_t ww_engine_digest(const struct ww_origin_result *result) {
  uint64_t digest = 0;
  for (size_t i = 0; i < result->hit_count; i++) {
    const struct ww_vrp_hit *hit = &result->hits[i];
    if (!listed(result->state, hit))
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

/* Stores one verdict; true when it has to be told. */
static bool store(struct ww_engine_router *router, struct ww_rib_route *route, uint8_t state, uint8_t reason,
                  uint32_t digest) {
  bool differs = route->state != state || route->reason != reason || route->digest != digest ||
                 (route->flags & WW_ROUTE_OWED) != 0;
  if (route->state != state) {
    --*ww_engine_state_count(router, route->state);
    ++*ww_engine_state_count(router, state);
  }
  route->state = state;
  route->reason = reason;
  route->digest = digest;
  route->epoch = ww_snapshot_epoch(router->engine->snapshot);
  route->flags &= (uint8_t)~WW_ROUTE_OWED;
  return differs;
}

void ww_engine_judge(struct ww_engine_router *router, const struct ww_engine_judgement *items, size_t count,
                     uint8_t trigger, uint32_t sec, uint32_t usec) {
  struct ww_engine *engine = router->engine;
  struct ww_prefix prefixes[WW_ENGINE_BATCH];
  struct ww_origin origins[WW_ENGINE_BATCH];
  uint8_t states[WW_ENGINE_BATCH], reasons[WW_ENGINE_BATCH];
  if (!ww_engine_ready(engine)) {
    for (size_t i = 0; i < count; i++) {
      struct ww_rib_route *route = ww_rib_route(router->rib, items[i].route);
      (void)store(router, route, WW_STATE_NOT_READY, WW_REASON_NONE, 0);
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
  router->evaluated += count;
  for (size_t i = 0; i < count; i++) {
    struct ww_rib_route *route = ww_rib_route(router->rib, items[i].route);
    uint32_t digest = 0;
    bool unsure = false;
    if (states[i] == WW_STATE_VALID || states[i] == WW_STATE_INVALID) {
      if (ww_origin_explain(engine->snapshot, &prefixes[i], origins[i], &engine->scratch) == WW_OK)
        digest = ww_engine_digest(&engine->scratch);
      else
        unsure = true; /* no memory for the rules: tell the route rather than risk silence */
    }
    if (store(router, route, states[i], reasons[i], digest) || items[i].emit || unsure)
      ww_engine_router_note(router, items[i].route, trigger, sec, usec);
  }
}
