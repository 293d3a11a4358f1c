/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What others see of a router's tables: export sessions through struct ww_out_view, and operators through counts and
 * listings.
 *
 * Everything handed out is borrowed and stands until the next event or the next ww_engine_work(). Ids of routes that
 * are gone may be asked for: a journal entry can be older than what it names.
 *
 * A verdict is always that of the data in force, also for a route that still waits to be judged by it (judge.c says why
 * that is safe).
 */
#include <string.h>

#include "engine/internal.h"

static const char *view_sys_name(void *ctx) {
  const struct ww_engine_router *router = ctx;
  return router->sys_name ? router->sys_name : router->config.name;
}

static const char *view_sys_descr(void *ctx) {
  const struct ww_engine_router *router = ctx;
  return router->sys_descr ? router->sys_descr : router->config.name;
}

static bool view_ready(void *ctx) {
  const struct ww_engine_router *router = ctx;
  return ww_engine_ready(router->engine);
}

static uint32_t view_peer_next(void *ctx, uint32_t id) {
  const struct ww_engine_router *router = ctx;
  return id < ww_rib_peer_count(router->rib) ? id + 1 : 0;
}

static bool view_peer(void *ctx, uint32_t id, struct ww_out_peer *out) {
  const struct ww_engine_router *router = ctx;
  if (!id || id > ww_rib_peer_count(router->rib))
    return false;
  const struct ww_engine_peer *p = &router->peers[id - 1];
  *out = (struct ww_out_peer){
      .header = p->header,
      .up = p->up,
      .local = p->local,
      .local_port = p->local_port,
      .remote_port = p->remote_port,
      .sent_open = p->opens,
      .received_open = p->opens ? p->opens + p->sent_len : NULL,
      .sent_len = p->sent_len,
      .received_len = p->received_len,
      .down_reason = p->down_reason,
      .down_data = p->down_data,
      .down_len = p->down_len,
      .role = p->aspa.role,
      .procedure = p->aspa.procedure,
  };
  /* Before there is a verdict to tell there is no end of telling them. */
  for (unsigned afi = 0; afi < WW_AFI_COUNT; afi++)
    out->eor[afi] = p->eor_heard[afi] && ww_engine_ready(router->engine);
  return true;
}

static void fill_route(const struct ww_engine_router *router, const struct ww_rib_route *r, struct ww_out_route *out) {
  const struct ww_rib_bundle b = ww_rib_bundle_get(router->rib, r->bundle);
  *out = (struct ww_out_route){
      .peer = r->peer,
      .attrs_id = r->bundle,
      .attrs = b.attrs,
      .attrs_len = b.attrs_len,
      .next_hop = b.next_hop,
      .next_hop_len = b.next_hop_len,
      .prefix = ww_rib_route_prefix(router->rib, r),
      .add_path = b.add_path,
      .path_id = r->path_id,
      .withdrawn = (r->flags & WW_ROUTE_WITHDRAWN) != 0,
      .trigger = r->trigger,
      .seq = r->seq,
      .sec = r->sec,
      .usec = r->usec,
  };
}

static bool view_route(void *ctx, uint32_t id, struct ww_out_route *out) {
  const struct ww_engine_router *router = ctx;
  const struct ww_rib_route *route = ww_rib_route(router->rib, id);
  if (!route)
    return false;
  fill_route(router, route, out);
  return true;
}

static bool view_verdict(void *ctx, uint32_t id, struct ww_verdict *verdict) {
  struct ww_engine_router *router = ctx;
  struct ww_rib_route *route = ww_rib_route(router->rib, id);
  if (!route || (route->flags & WW_ROUTE_WITHDRAWN) || !ww_engine_ready(router->engine))
    return false;
  const struct ww_prefix prefix = ww_rib_route_prefix(router->rib, route);
  const struct ww_rib_bundle bundle = ww_rib_bundle_get(router->rib, route->bundle);
  enum ww_err err = ww_origin_explain(router->engine->snapshot, &prefix, bundle.origin, &verdict->origin);
  if (!err)
    err = ww_engine_aspa_explain(router, bundle.path, &router->peers[route->peer - 1], &verdict->aspa);
  if (!err)
    err = ww_engine_bgpsec_explain(router, route->peer, &prefix, &bundle, &verdict->bgpsec);
  if (err) {
    /* No memory for the evidence. The reader will skip the route, so it is owed to it: judge and tell it again. */
    const struct ww_rib_cursor again = {.next = prefix, .end = prefix};
    route->flags |= WW_ROUTE_OWED;
    ww_pending_add(&router->pending, &again, 1);
    return false;
  }
  verdict->state = (uint8_t)ww_verdict_combine((enum ww_state)verdict->origin.state, (enum ww_state)verdict->aspa.state,
                                               (enum ww_state)verdict->bgpsec.state);
  verdict->epoch = ww_snapshot_epoch(router->engine->snapshot);
  const struct ww_rib_kind kinds[WW_ENGINE_KINDS] = {
      [WW_KIND_ORIGIN - 1] = {verdict->origin.state, verdict->origin.reason},
      [WW_KIND_ASPA - 1] = {verdict->aspa.state, verdict->aspa.reason},
      [WW_KIND_BGPSEC - 1] = {verdict->bgpsec.state, verdict->bgpsec.reason},
  };
  if (memcmp(kinds, route->kinds, sizeof kinds) != 0 || ww_engine_digest(verdict) != route->digest)
    route->flags |= WW_ROUTE_OWED;
  return true;
}

static void *view_walk_new(void *ctx, uint32_t peer) {
  const struct ww_engine_router *router = ctx;
  return ww_rib_walker_new(router->rib, peer);
}

static uint32_t view_walk_next(void *ctx, void *walker) {
  const struct ww_engine_router *router = ctx;
  uint32_t id;
  do {
    id = ww_rib_walker_next(walker);
  } while (id && (ww_rib_route(router->rib, id)->flags & WW_ROUTE_WITHDRAWN));
  return id;
}

static void view_walk_free(void *ctx, void *walker) {
  (void)ctx;
  ww_rib_walker_free(walker);
}

static const struct ww_engine_source *source_of(const struct ww_engine_router *router, ww_source_id id) {
  for (size_t i = 0; i < router->engine->source_count; i++)
    if (router->engine->sources[i].id == id)
      return &router->engine->sources[i];
  return NULL;
}

static const char *view_source_name(void *ctx, ww_source_id id) {
  const struct ww_engine_source *source = source_of(ctx, id);
  return source ? source->name : NULL;
}

static uint8_t view_source_type(void *ctx, ww_source_id id) {
  const struct ww_engine_source *source = source_of(ctx, id);
  return source ? source->type : 0;
}

void ww_engine_router_view(struct ww_engine_router *router, struct ww_out_view *out) {
  *out = (struct ww_out_view){
      .ctx = router,
      .sys_name = view_sys_name,
      .sys_descr = view_sys_descr,
      .ready = view_ready,
      .peer_next = view_peer_next,
      .peer = view_peer,
      .route = view_route,
      .verdict = view_verdict,
      .walk_new = view_walk_new,
      .walk_next = view_walk_next,
      .walk_free = view_walk_free,
      .source_name = view_source_name,
      .source_type = view_source_type,
  };
}

void ww_engine_router_counts(const struct ww_engine_router *router, struct ww_engine_counts *out) {
  struct ww_rib_counts counts;
  ww_rib_counts(router->rib, &counts);
  uint32_t peers = ww_rib_peer_count(router->rib);
  *out = (struct ww_engine_counts){
      .routes = counts.routes - router->withdrawn,
      .prefixes = counts.prefixes,
      .attrs = counts.bundles,
      .paths = counts.paths,
      .valid = router->by_state[WW_STATE_VALID],
      .invalid = router->by_state[WW_STATE_INVALID],
      .unknown = router->by_state[WW_STATE_UNKNOWN],
      .not_ready = router->by_state[3],
      .evaluated = router->evaluated,
      .paths_evaluated = router->paths_evaluated,
      .changed = router->changed,
      .ignored = router->ignored,
      .refused = router->refused,
      .bytes = counts.bytes + router->peer_cap * sizeof *router->peers +
               router->pending.cap * sizeof *router->pending.ranges +
               router->revalidation.cap * sizeof *router->revalidation.queue +
               router->waiting.cap * sizeof *router->waiting.queue +
               router->roles.peer_count * sizeof *router->roles.peers,
  };
  for (unsigned k = 0; k < WW_ENGINE_KINDS; k++)
    out->kinds[k] = (struct ww_engine_kind_counts){
        .valid = router->by_kind[k][WW_STATE_VALID],
        .unknown = router->by_kind[k][WW_STATE_UNKNOWN],
        .invalid = router->by_kind[k][WW_STATE_INVALID],
        .not_evaluated = router->by_kind[k][3],
    };
  for (uint32_t i = 0; i < peers; i++)
    out->peers_up += router->peers[i].up;
}

static int visit_prefix(const struct ww_engine_router *router, uint32_t id, void *ctx,
                        int (*visit)(void *ctx, const struct ww_engine_route *route)) {
  while (id) {
    const uint32_t this = id;
    const struct ww_rib_route *r = ww_rib_route(router->rib, this);
    id = r->prefix_next;
    if (r->flags & WW_ROUTE_WITHDRAWN)
      continue;
    const struct ww_engine_peer *peer = &router->peers[r->peer - 1];
    struct ww_engine_route route = {
        .id = this,
        .peer = peer->header,
        .state = r->state,
        .role = peer->aspa.role,
        .procedure = peer->aspa.procedure,
        .origin = ww_rib_bundle_get(router->rib, r->bundle).origin,
        .epoch = r->epoch,
    };
    memcpy(route.kinds, r->kinds, sizeof route.kinds);
    fill_route(router, r, &route.route);
    int stop = visit(ctx, &route);
    if (stop)
      return stop;
  }
  return 0;
}

enum ww_err ww_engine_router_signatures(struct ww_engine_router *router, uint32_t id, struct ww_bgpsec_report *report) {
  const struct ww_rib_route *route = ww_rib_route(router->rib, id);
  if (!route)
    return WW_ERR_NOTFOUND;
  const struct ww_prefix prefix = ww_rib_route_prefix(router->rib, route);
  const struct ww_rib_bundle bundle = ww_rib_bundle_get(router->rib, route->bundle);
  return ww_engine_bgpsec_explain(router, route->peer, &prefix, &bundle, report);
}

int ww_engine_router_routes(const struct ww_engine_router *router, const struct ww_prefix *prefix, void *ctx,
                            int (*visit)(void *ctx, const struct ww_engine_route *route)) {
  if (prefix)
    return visit_prefix(router, ww_rib_prefix_routes(router->rib, prefix), ctx, visit);
  struct ww_rib_cursor all = ww_rib_covered(NULL);
  struct ww_rib_entry entries[WW_ENGINE_BATCH];
  for (size_t n; (n = ww_rib_scan(router->rib, &all, entries, WW_ENGINE_BATCH)) > 0;)
    for (size_t i = 0; i < n; i++) {
      int stop = visit_prefix(router, entries[i].first, ctx, visit);
      if (stop)
        return stop;
    }
  return 0;
}
