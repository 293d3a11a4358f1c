/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control command `routes`: live routes with what a verdict on them rests on (prefix, origin, path, role) and the
 * state of each kind as the engine has it, without evidence. `waywarden slurm --preview` judges them anew by another
 * set.
 *
 * "under" is a list of prefixes, "through" one of AS numbers: a route that a prefix covers or whose path holds an AS is
 * listed; without either all are. The prefixes are put into a snapshot of their own, whose NotFound is "covered by
 * none".
 *
 * All tables are walked in one go, so the answer is of one moment; it is bounded by ROUTES_MAX, and says so.
 */
#include "daemon/control_routes.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/bmp_io.h"
#include "daemon/control_explain.h"
#include "daemon/pipeline.h"
#include "wire/bgp.h"

enum { ROUTES_MAX = 20000, PATH_TEXT = 32768, PATH_OCTETS = 4096 };

struct listing {
  const struct ww_router *router;
  struct ww_snapshot *under; /* NULL: not asked for */
  uint32_t *through;         /* ascending; NULL: not asked for */
  size_t through_count;
  json_t *routes;
  bool truncated, failed;
  char text[PATH_TEXT];
};

static int asn_order(const void *a, const void *b) {
  const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* NULL, or what is wrong with the list. */
static const char *read_under(struct listing *l, json_t *list) {
  static const char wrong[] = "\"under\" is no list of prefixes";
  struct ww_payload_delta delta = {0};
  const char *says = json_is_array(list) ? NULL : wrong;
  size_t i;
  json_t *item;
  json_array_foreach(list, i, item) {
    struct ww_vrp vrp = {.asn = 1};
    const char *text = json_string_value(item);
    if (!text || ww_prefix_parse(text, &vrp.prefix) != WW_OK)
      says = wrong;
    vrp.max_len = vrp.prefix.len;
    if (says || ww_payloads_add_vrp(&delta.announce, &vrp) != WW_OK)
      break;
  }
  struct ww_snapshot *empty = says ? NULL : ww_snapshot_new();
  if (!says && (!empty || i < json_array_size(list) || ww_payloads_sort(&delta.announce) != WW_OK ||
                ww_snapshot_apply(empty, &delta, 1, true, &l->under) != WW_OK))
    l->failed = true;
  ww_snapshot_unref(empty);
  ww_payload_delta_fini(&delta);
  return says;
}

static const char *read_through(struct listing *l, json_t *list) {
  size_t i;
  json_t *item;
  l->through = calloc(json_array_size(list) + 1, sizeof(*l->through));
  l->failed = l->failed || !l->through;
  if (!json_is_array(list))
    return "\"through\" is no list of AS numbers";
  json_array_foreach(list, i, item) {
    json_int_t n = json_integer_value(item);
    if (!json_is_integer(item) || n < 0 || n > UINT32_MAX)
      return "\"through\" is no list of AS numbers";
    if (l->through)
      l->through[l->through_count++] = (uint32_t)n;
  }
  if (l->through)
    qsort(l->through, l->through_count, sizeof(*l->through), asn_order);
  return NULL;
}

static bool is_through(const struct listing *l, struct ww_as_path path) {
  struct ww_as_segment segment;
  while (l->through_count && ww_as_path_next(&path, &segment))
    for (unsigned i = 0; i < segment.count; i++) {
      uint32_t asn = ww_as_segment_at(&segment, i);
      if (bsearch(&asn, l->through, l->through_count, sizeof(asn), asn_order))
        return true;
    }
  return false;
}

static int on_route(void *ctx, const struct ww_engine_route *route) {
  struct listing *l = ctx;
  char address[WW_ADDR_STRLEN], prefix[WW_PREFIX_STRLEN];
  enum ww_reason reason;
  struct ww_as_path path = {0};
  bool has_path = ww_control_route_path(&route->route, &path);
  bool covered = l->under && ww_origin_validate(l->under, &route->route.prefix, (struct ww_origin){.asn = 1},
                                                &reason) != WW_STATE_UNKNOWN;
  if ((l->under || l->through) && !covered && !is_through(l, path))
    return 0;
  if (json_array_size(l->routes) >= ROUTES_MAX) {
    l->truncated = true;
    return 1;
  }
  struct ww_addr peer = ww_bmp_peer_addr(&route->peer);
  uint8_t role = ww_control_role_taken(route);
  bool told = has_path && path.len <= PATH_OCTETS;
  json_t *o =
      json_pack("{s:s, s:s, s:I, s:s, s:s, s:s?, s:s?, s:s, s:s, s:s, s:s}", "router", ww_router_name(l->router),
                "peer", ww_addr_format(&peer, address), "peer_as", (json_int_t)route->peer.asn, "view",
                route->peer.flags & WW_BMP_FLAG_L ? "post-policy" : "pre-policy", "prefix",
                ww_prefix_format(&route->route.prefix, prefix), "as_path",
                told ? ww_as_path_format(path, l->text, sizeof(l->text)) : NULL, "role",
                role == WW_ROLE_NONE ? NULL : ww_role_name((enum ww_role)role), "state",
                ww_state_name((enum ww_state)route->state), "origin_validation",
                ww_state_name((enum ww_state)route->kinds[WW_KIND_ORIGIN - 1].state), "aspa",
                ww_state_name((enum ww_state)route->kinds[WW_KIND_ASPA - 1].state), "bgpsec",
                ww_state_name((enum ww_state)route->kinds[WW_KIND_BGPSEC - 1].state));
  json_object_set_new(o, "origin", route->origin.none ? json_null() : json_integer(route->origin.asn));
  if (o && route->route.add_path)
    json_object_set_new(o, "path_id", json_integer(route->route.path_id));
  l->failed = !o || json_array_append_new(l->routes, o) != 0;
  return l->failed;
}

json_t *ww_control_routes(struct ww_daemon *daemon, json_t *request) {
  struct listing *l = calloc(1, sizeof(*l));
  json_t *under = json_object_get(request, "under"), *through = json_object_get(request, "through"), *reply = NULL;
  const char *wrong = NULL;
  if (!l || !(l->routes = json_array())) {
    free(l);
    return NULL;
  }
  if (under)
    wrong = read_under(l, under);
  if (through && !wrong)
    wrong = read_through(l, through);
  for (size_t i = 0; !wrong && !l->failed && !l->truncated && (l->router = ww_bmp_io_router(daemon->bmp, i)); i++)
    (void)ww_engine_router_routes(ww_router_engine(l->router), NULL, l, on_route);
  if (wrong)
    reply = json_pack("{s:s}", "error", wrong);
  else if (!l->failed)
    reply = json_pack("{s:b, s:I, s:b, s:O}", "ready", ww_pipeline_ready(daemon->pipeline), "epoch",
                      (json_int_t)ww_snapshot_epoch(ww_pipeline_snapshot(daemon->pipeline)), "truncated", l->truncated,
                      "routes", l->routes);
  json_decref(l->routes);
  ww_snapshot_unref(l->under);
  free(l->through);
  free(l);
  return reply;
}
