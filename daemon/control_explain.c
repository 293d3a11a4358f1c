/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control command `explain`. A verdict is worked out anew from the snapshot in force, with all its evidence, and
 * handed out twice: as the verdict object of docs/formats/verdict.md and in words, so that every client shows people
 * the same sentences.
 *
 * Answers are bounded by ROUTES_MAX; a prefix that more peers than that announce is told as truncated.
 */
#include "daemon/control_explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/bmp_io.h"
#include "daemon/pipeline.h"
#include "rib/origin.h"
#include "validator/verdict_text.h"
#include "wire/bgp.h"
#include "wire/bgp_bgpsec.h"
#include <waywarden/aspa.h>

enum { ROUTES_MAX = 2000, PATH_MAX_OCTETS = 4096 };

struct explain {
  struct ww_daemon *daemon;
  const struct ww_router *router;
  struct ww_addr peer; /* afi 0: all */
  json_t *routes;
  struct ww_verdict verdict;
  uint32_t *asns; /* of the path at hand */
  size_t asn_cap;
  bool truncated, failed;
};

static const char *source_name(void *ctx, ww_source_id id) {
  const struct explain *e = ctx;
  for (size_t i = 0; i < ww_pipeline_count(e->daemon->pipeline); i++) {
    const struct ww_pipeline_source *source = ww_pipeline_source(e->daemon->pipeline, (int)i);
    if (source->record.id == id)
      return source->record.name;
  }
  const struct ww_source_record *slurm = ww_pipeline_slurm_source(e->daemon->pipeline);
  return slurm->id && slurm->id == id ? slurm->name : NULL;
}

/* --- a verdict ------------------------------------------------------------------------------------------------------
 */

static bool read_path(struct explain *e, struct ww_as_path octets, struct ww_aspa_path *path) {
  struct ww_as_segment segment;
  if (octets.len / 4 + 1 > e->asn_cap) {
    uint32_t *larger = realloc(e->asns, (octets.len / 4 + 1) * sizeof(*larger));
    if (!larger)
      return false;
    e->asns = larger;
    e->asn_cap = octets.len / 4 + 1;
  }
  *path = (struct ww_aspa_path){.asns = e->asns};
  while (ww_as_path_next(&octets, &segment)) {
    path->has_set = path->has_set || segment.type == WW_SEG_AS_SET;
    path->has_confed = path->has_confed || segment.type == WW_SEG_CONFED_SEQUENCE || segment.type == WW_SEG_CONFED_SET;
    for (unsigned i = 0; i < segment.count; i++)
      e->asns[path->count++] = ww_as_segment_at(&segment, i);
  }
  return true;
}

/* Fills the verdict on what the view says of a route; without octets of a path it has none. */
static bool judge(struct explain *e, struct ww_verdict_view *view, const struct ww_aspa_session *session) {
  const struct ww_snapshot *snapshot = ww_pipeline_snapshot(e->daemon->pipeline);
  struct ww_verdict *v = &e->verdict;
  struct ww_aspa_path path;
  v->epoch = ww_snapshot_epoch(snapshot);
  ww_bgpsec_report_fini(&v->bgpsec); /* a path alone has no signatures */
  if (ww_origin_explain(snapshot, &view->prefix, view->origin, &v->origin) != WW_OK)
    return false;
  if (view->as_path) {
    if (!read_path(e, (struct ww_as_path){view->as_path, view->as_path_len}, &path) ||
        ww_aspa_explain(snapshot, &path, session, &v->aspa) != WW_OK)
      return false;
  } else {
    ww_aspa_result_fini(&v->aspa); /* not evaluated */
  }
  v->state = (uint8_t)ww_verdict_combine((enum ww_state)v->origin.state, (enum ww_state)v->aspa.state,
                                         (enum ww_state)v->bgpsec.state);
  view->verdict = v;
  view->source_name = source_name;
  view->ctx = e;
  view->neighbor_as = session->neighbor_as;
  return true;
}

static json_t *verdict_object(const struct ww_verdict_view *view) {
  struct ww_buf out;
  json_t *object = NULL;
  ww_buf_init(&out, 0);
  if (ww_verdict_json(&out, view, false) == WW_OK)
    object = json_loadb((const char *)ww_buf_head(&out), out.len, 0, NULL);
  ww_buf_fini(&out);
  return object;
}

static json_t *verdict_words(const struct ww_verdict_view *view) {
  struct ww_buf out;
  json_t *words = NULL;
  ww_buf_init(&out, 0);
  if (ww_verdict_text_answer(&out, view, ":") == WW_OK && ww_buf_append(&out, "\n", 1) == WW_OK &&
      ww_verdict_text_reasons(&out, view) == WW_OK && ww_verdict_text_records(&out, view) == WW_OK)
    words = json_stringn((const char *)ww_buf_head(&out), out.len);
  ww_buf_fini(&out);
  return words;
}

/* Takes `route`, an object that says where the verdict belongs; false when memory ran out. */
static bool add(struct explain *e, json_t *route, const struct ww_verdict_view *view) {
  json_object_set_new(route, "verdict", verdict_object(view));
  json_object_set_new(route, "words", verdict_words(view));
  bool whole = json_object_get(route, "verdict") && json_object_get(route, "words");
  return json_array_append_new(e->routes, route) == 0 && whole;
}

/* --- routes ---------------------------------------------------------------------------------------------------------
 */

/* The AS_PATH among canonical attributes (wire/bgp.h): flags, code, length, value. */
bool ww_control_route_path(const struct ww_out_route *route, struct ww_as_path *path) {
  struct ww_reader r = ww_reader_make(route->attrs, route->attrs_len);
  while (ww_reader_left(&r)) {
    uint8_t flags = ww_reader_u8(&r), code = ww_reader_u8(&r);
    size_t len = flags & WW_ATTR_EXTENDED ? ww_reader_u16(&r) : ww_reader_u8(&r);
    struct ww_reader value = ww_reader_sub(&r, len);
    if (code == WW_ATTR_AS_PATH) {
      *path = (struct ww_as_path){value.p, ww_reader_left(&value)};
      return !r.bad;
    }
  }
  return false;
}

/* As the engine takes the session; without a role the configuration may have chosen a procedure, or Unknown. */
uint8_t ww_control_role_taken(const struct ww_engine_route *route) {
  if (route->role != WW_ROLE_NONE || route->procedure == WW_ASPA_NONE)
    return route->role;
  return route->procedure == WW_ASPA_DOWNSTREAM ? WW_ROLE_CUSTOMER : WW_ROLE_PROVIDER;
}

static void as_the_engine_says(struct ww_verdict *v, const struct ww_engine_route *route) {
  v->aspa.role = route->role;
  if (v->aspa.state == WW_STATE_NOT_EVALUATED && route->kinds[WW_KIND_ASPA - 1].state == WW_STATE_UNKNOWN)
    v->aspa.state = WW_STATE_UNKNOWN;
  v->state = (uint8_t)ww_verdict_combine((enum ww_state)v->origin.state, (enum ww_state)v->aspa.state,
                                         (enum ww_state)v->bgpsec.state);
}

/* The AS_PATH that a BGPsec_PATH stands for (RFC 8205 §4.4), in PATH_MAX_OCTETS octets. */
static bool signed_path(const struct ww_out_route *route, uint8_t *octets, struct ww_as_path *out) {
  struct ww_reader r = ww_reader_make(route->attrs, route->attrs_len);
  while (ww_reader_left(&r)) {
    uint8_t flags = ww_reader_u8(&r), code = ww_reader_u8(&r);
    size_t len = flags & WW_ATTR_EXTENDED ? ww_reader_u16(&r) : ww_reader_u8(&r);
    struct ww_reader value = ww_reader_sub(&r, len);
    struct ww_bgpsec_path path;
    if (r.bad || code != WW_ATTR_BGPSEC_PATH)
      continue;
    if (ww_bgpsec_path_decode(value.p, ww_reader_left(&value), &path, NULL) != WW_BGPSEC_REASON_NONE)
      return false;
    struct ww_writer w = ww_writer_make(octets, PATH_MAX_OCTETS);
    ww_bgpsec_as_path_write(&w, &path);
    *out = (struct ww_as_path){octets, w.len};
    return !w.overflow;
  }
  return false;
}

static int on_route(void *ctx, const struct ww_engine_route *route) {
  struct explain *e = ctx;
  char text[WW_ADDR_STRLEN];
  struct ww_addr address = ww_bmp_peer_addr(&route->peer);
  struct ww_as_path path = {0};
  if (e->peer.afi && memcmp(&e->peer, &address, sizeof(address)) != 0)
    return 0;
  if (json_array_size(e->routes) >= ROUTES_MAX) {
    e->truncated = true;
    return 1;
  }
  uint8_t octets[PATH_MAX_OCTETS];
  bool has_path = ww_control_route_path(&route->route, &path) || signed_path(&route->route, octets, &path);
  struct ww_verdict_view view = {.prefix = route->route.prefix,
                                 .as_path = has_path ? path.data : NULL,
                                 .as_path_len = path.len,
                                 .origin = route->origin};
  struct ww_aspa_session session = {.role = ww_control_role_taken(route), .neighbor_as = route->peer.asn};
  json_t *o = json_object();
  e->failed = !o || !judge(e, &view, &session) ||
              ww_engine_router_signatures(ww_router_engine(e->router), route->id, &e->verdict.bgpsec) != WW_OK;
  if (e->failed) {
    json_decref(o);
    return 1;
  }
  as_the_engine_says(&e->verdict, route);
  json_object_set_new(o, "router", json_string(ww_router_name(e->router)));
  json_object_set_new(o, "peer", json_string(ww_addr_format(&address, text)));
  json_object_set_new(o, "peer_as", json_integer(route->peer.asn));
  json_object_set_new(o, "view", json_string(route->peer.flags & WW_BMP_FLAG_L ? "post-policy" : "pre-policy"));
  if (route->route.add_path)
    json_object_set_new(o, "path_id", json_integer(route->route.path_id));
  e->failed = !add(e, o, &view);
  return e->failed;
}

static void all_routes(struct explain *e, const struct ww_prefix *prefix) {
  for (size_t i = 0; !e->failed && !e->truncated && (e->router = ww_bmp_io_router(e->daemon->bmp, i)); i++)
    (void)ww_engine_router_routes(ww_router_engine(e->router), prefix, e, on_route);
}

/* --- a route that need not be there ------------------------------------------------------------------------------ */

static bool role_of(const char *word, uint8_t *role) {
  static const uint8_t roles[] = {WW_ROLE_PROVIDER, WW_ROLE_RS,   WW_ROLE_RS_CLIENT,
                                  WW_ROLE_CUSTOMER, WW_ROLE_PEER, WW_ROLE_MUTUAL_TRANSIT};
  for (unsigned i = 0; i < sizeof(roles); i++)
    if (strcmp(word, ww_role_name((enum ww_role)roles[i])) == 0) {
      *role = roles[i];
      return true;
    }
  return false;
}

/* NULL, or what is wrong with the question. */
static const char *one_route(struct explain *e, const struct ww_prefix *prefix, json_t *request) {
  static const char bad_asn[] = "an AS number that is none";
  const char *path = json_string_value(json_object_get(request, "as_path"));
  const char *asn = json_string_value(json_object_get(request, "asn"));
  const char *role = json_string_value(json_object_get(request, "role"));
  const char *neighbor = json_string_value(json_object_get(request, "neighbor_as"));
  uint8_t octets[PATH_MAX_OCTETS];
  struct ww_writer w = ww_writer_make(octets, sizeof(octets));
  struct ww_verdict_view view = {.prefix = *prefix};
  struct ww_aspa_session session = {.role = WW_ROLE_NONE};
  if (!path == !asn)
    return "either \"as_path\" or \"asn\" is to be there, as a string";
  if (asn && ww_asn_parse(asn, &view.origin.asn) != WW_OK)
    return bad_asn;
  if (neighbor && ww_asn_parse(neighbor, &session.neighbor_as) != WW_OK)
    return bad_asn;
  if (role && !role_of(role, &session.role))
    return "no such role";
  if (path) {
    if (ww_as_path_parse(path, &w, NULL) != WW_OK)
      return "\"as_path\" is none";
    view.as_path = octets;
    view.as_path_len = w.len;
    view.origin = ww_origin_of_path((struct ww_as_path){octets, w.len}, 0);
  }
  json_t *o = json_object();
  e->failed = !o || !judge(e, &view, &session);
  if (e->failed)
    json_decref(o);
  else
    e->failed = !add(e, o, &view);
  return NULL;
}

json_t *ww_control_explain(struct ww_daemon *daemon, json_t *request) {
  struct explain e = {.daemon = daemon, .routes = json_array()};
  const char *text = json_string_value(json_object_get(request, "prefix"));
  const char *peer = json_string_value(json_object_get(request, "peer")), *wrong = NULL;
  struct ww_prefix prefix;
  json_t *reply = NULL;
  if (!text || ww_prefix_parse(text, &prefix) != WW_OK)
    wrong = "\"prefix\" is none";
  else if (peer && ww_addr_parse(peer, &e.peer) != WW_OK)
    wrong = "\"peer\" is no address";
  else if (json_object_get(request, "asn") || json_object_get(request, "as_path"))
    wrong = one_route(&e, &prefix, request);
  else
    all_routes(&e, &prefix);
  if (wrong)
    reply = json_pack("{s:s}", "error", wrong);
  else if (!e.failed && e.routes)
    reply = json_pack("{s:b,s:I,s:b,s:O}", "ready", ww_pipeline_ready(daemon->pipeline), "epoch",
                      (json_int_t)ww_snapshot_epoch(ww_pipeline_snapshot(daemon->pipeline)), "truncated", e.truncated,
                      "routes", e.routes);
  json_decref(e.routes);
  ww_verdict_fini(&e.verdict);
  free(e.asns);
  return reply;
}
