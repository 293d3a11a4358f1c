/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data in force, and the routers that it is applied to.
 *
 * RFC 6811 §4 wants every affected route looked at again when a VRP comes or goes. A route can be affected only by a
 * VRP that covers it, so a delta becomes ranges of prefixes (engine/pending.h), for each router its own, and
 * ww_engine_work() works them off as the caller's time allows. ASPAs become paths to evaluate again (engine/aspa.c),
 * router keys routes to verify again (engine/bgpsec.c). Deltas that arrive meanwhile join in; judging always uses the
 * newest data, so that any number of deltas costs a route one look, or two where both VRPs and ASPAs concern it.
 *
 * While no complete data is there, routes are held and nothing is said of them. Data that becomes ready makes every
 * route pending; data that stops being ready (all of it expired) voids every verdict at once, so that the next ready
 * data tells all of them again.
 *
 * Ownership: the engine holds a reference to the snapshot and owns its routers. Nothing here is shared between engines.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/internal.h"

/* A delta with more VRPs than this, and more than a quarter of the table's prefixes, is cheaper as one walk through the
 * table: entering it at a prefix costs about four steps along it. */
enum { FULL_WALK_MIN = 4096, FULL_WALK_SHARE = 4 };

struct ww_engine *ww_engine_new(const struct ww_log *log) {
  struct ww_engine *engine = calloc(1, sizeof *engine);
  if (!engine)
    return NULL;
  engine->log = log;
  engine->snapshot = ww_snapshot_new();
  /* CHOICE: the hash key is the one thing not handed in. It shows in no result, and a caller who forgot it would lose
   * the protection that it is for. */
  if (!engine->snapshot || getentropy(&engine->key, sizeof engine->key) != 0) {
    ww_engine_free(engine);
    return NULL;
  }
  return engine;
}

void ww_engine_free(struct ww_engine *engine) {
  if (!engine)
    return;
  while (engine->routers)
    ww_engine_router_free(engine->routers);
  ww_snapshot_unref(engine->snapshot);
  ww_verdict_fini(&engine->scratch);
  ww_engine_bgpsec_free(engine);
  free(engine->sources);
  free(engine);
}

void ww_engine_set_sources(struct ww_engine *engine, const struct ww_engine_source *sources, size_t count) {
  struct ww_engine_source *copy = NULL;
  if (count) {
    copy = malloc(count * sizeof *copy);
    if (!copy) {
      ww_log(engine->log, WW_LOG_ERROR, "no memory for the names of %zu sources: the former ones stay", count);
      return;
    }
    memcpy(copy, sources, count * sizeof *copy);
    for (size_t i = 0; i < count; i++)
      copy[i].name[sizeof copy[i].name - 1] = '\0';
  }
  free(engine->sources);
  engine->sources = copy;
  engine->source_count = count;
}

/* Makes what the delta's VRPs cover pending everywhere. RFC 6811 §4: "the implementation MUST re-validate any affected
 * prefixes". CHOICE: not just routes that were matched by a withdrawn VRP or could be matched by an announced one, but
 * all that it covers: a covering VRP alone turns NotFound into Invalid, and it is evidence. */
static void add_vrps(struct ww_engine *engine, const struct ww_payload_delta *delta) {
  const struct ww_payloads *parts[2] = {&delta->announce, &delta->withdraw};
  size_t count = parts[0]->vrp_count + parts[1]->vrp_count, filled = 0;
  if (!count)
    return;
  struct ww_rib_cursor *ranges = NULL;
  for (struct ww_engine_router *r = engine->routers; r; r = r->next) {
    struct ww_rib_counts counts;
    ww_rib_counts(r->rib, &counts);
    if (count > FULL_WALK_MIN && count > counts.prefixes / FULL_WALK_SHARE) {
      ww_pending_all(&r->pending);
      continue;
    }
    if (!ranges) {
      ranges = malloc(count * sizeof *ranges);
      for (unsigned part = 0; ranges && part < 2; part++)
        for (size_t i = 0; i < parts[part]->vrp_count; i++)
          ranges[filled++] = ww_rib_covered(&parts[part]->vrps[i].prefix);
    }
    if (ranges)
      ww_pending_add(&r->pending, ranges, filled);
    else
      ww_pending_all(&r->pending); /* no memory for less */
  }
  free(ranges);
}

static void judge_all(struct ww_engine_router *router) {
  ww_pending_all(&router->pending);
  ww_engine_aspa_void(router);
}

static void add_aspas(struct ww_engine *engine, const struct ww_payload_delta *delta) {
  for (struct ww_engine_router *r = engine->routers; r; r = r->next)
    if (!ww_engine_aspa_delta(r, delta))
      judge_all(r);
}

static void add_keys(struct ww_engine *engine, const struct ww_payload_delta *delta) {
  ww_engine_bgpsec_forget(engine, delta);
  for (struct ww_engine_router *r = engine->routers; r; r = r->next)
    if (!ww_engine_bgpsec_delta(r, delta))
      judge_all(r);
}

enum ww_err ww_engine_set_snapshot(struct ww_engine *engine, struct ww_snapshot *snapshot,
                                   const struct ww_payload_delta *deltas, size_t count) {
  if (!snapshot)
    return WW_ERR_INVAL;
  bool was = ww_engine_ready(engine), is = ww_snapshot_ready(snapshot);
  struct ww_snapshot *before = engine->snapshot;
  engine->snapshot = ww_snapshot_ref(snapshot);
  ww_snapshot_unref(before);
  if (was && is && deltas) {
    for (size_t i = 0; i < count; i++) {
      add_vrps(engine, &deltas[i]);
      add_aspas(engine, &deltas[i]);
      add_keys(engine, &deltas[i]);
    }
    return WW_OK;
  }
  for (struct ww_engine_router *r = engine->routers; r; r = r->next) {
    ww_engine_aspa_void(r);
    if (is) {
      ww_pending_all(&r->pending);
      r->first_walk = r->first_walk || !was;
    } else if (was) {
      ww_pending_clear(&r->pending);
      r->first_walk = false;
      ww_engine_router_hold(r);
    }
  }
  engine->was_ready = engine->was_ready || is;
  return WW_OK;
}

static bool owes(const struct ww_engine_router *r) {
  return r->pending.first < r->pending.count || ww_engine_aspa_pending(r) || ww_engine_bgpsec_pending(r);
}

bool ww_engine_pending(const struct ww_engine *engine) {
  const struct ww_engine_router *r = engine->routers;
  while (r && !owes(r))
    r = r->next;
  return r != NULL;
}

bool ww_engine_work(struct ww_engine *engine, size_t budget, struct ww_now now) {
  bool more = false;
  /* Each call begins with another router, so that one with endless work can't starve the others. */
  struct ww_engine_router *start = engine->turn ? engine->turn : engine->routers, *r = start;
  if (!r)
    return false;
  engine->turn = start->next;
  do {
    ww_engine_router_reap(r);
    budget = ww_engine_router_work(r, budget, &now);
    more = more || owes(r);
    r = r->next ? r->next : engine->routers;
  } while (r != start);
  return more;
}
