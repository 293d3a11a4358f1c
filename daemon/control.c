/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers {"command":"status"} with everything an operator wants to know at a glance: sources, routers, stations;
 * {"command":"explain"} with the verdicts on routes (control_explain.c), {"command":"routes"} with routes and their
 * states alone (control_routes.c). Anything else is answered with
 * {"error":"..."}.
 *
 * CHOICE: JSON lines rather than CBOR. What is asked for ends up as JSON in every client, the answers are small, and a
 * socket that can be used with socat and jq needs no client of ours.
 *
 * A client is served one question after another; what its socket does not take is kept, and it is not read from until
 * it has taken the answer, so a client cannot make the daemon hold more than one answer. Every client is local and has
 * the daemon's user or root's (mode 0600), so there is no authentication beyond that.
 */
#include "daemon/control.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/text.h"
#include "daemon/bmp_io.h"
#include "daemon/control_explain.h"
#include "daemon/control_routes.h"
#include "daemon/listen.h"
#include "daemon/pipeline.h"
#include "daemon/rtr_io.h"
#include "daemon/rtr_server_io.h"
#include "daemon/slurm_io.h"
#include "daemon/station_io.h"
#include "daemon/stream.h"
#include "ww_version.h"

enum { REQUEST_MAX = 65536, CLIENTS_MAX = 16 };

struct client {
  struct ww_control *control;
  struct client *next;
  struct ww_stream *stream;
  struct ww_buf in, out;
};

struct ww_control {
  struct ww_daemon *daemon;
  struct ww_listener *listener;
  struct client *clients;
  size_t client_count;
};

/* ---- status ---- */

/* NULL members (no memory) make the whole object NULL in the end: json_object_set_new() refuses NULL, and what is
 * missing shows as an absent member. */
static json_t *number(uint64_t n) { return json_integer((json_int_t)n); }

static json_t *when(int64_t unix_sec) {
  char text[32];
  struct tm tm;
  time_t t = (time_t)unix_sec;
  if (!unix_sec || !gmtime_r(&t, &tm) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
    return json_null();
  return json_string(text);
}

/* A peer's words, cut somewhere to fit, may end inside a character: still a string of JSON. Null when empty. */
static json_t *words(const char *text) {
  char copy[256];
  snprintf(copy, sizeof(copy), "%s", text);
  ww_text_one_line(copy);
  return copy[0] ? json_string(copy) : json_null();
}

static const char *source_type(uint8_t type) {
  switch (type) {
  case WW_SOURCE_RTR:
    return "rtr";
  case WW_SOURCE_STATIC:
    return "static";
  case WW_SOURCE_FILE:
    return "file";
  case WW_SOURCE_SLURM:
    return "slurm";
  default:
    return "other";
  }
}

static json_t *hash(const uint8_t octets[WW_CCR_HASH_LEN]) {
  char text[WW_BASE64_SIZE(WW_CCR_HASH_LEN)];
  (void)ww_base64_encode(octets, WW_CCR_HASH_LEN, text);
  return json_string(text);
}

/* The CCR state hashes, as `payloads hash` has them. */
static void put_hashes(json_t *o, bool known, const struct ww_ccr_hashes *hashes) {
  json_object_set_new(o, "roas_hash", known ? hash(hashes->vrps) : json_null());
  json_object_set_new(o, "aspas_hash", known ? hash(hashes->aspas) : json_null());
  json_object_set_new(o, "keys_hash", known ? hash(hashes->keys) : json_null());
}

static json_t *store_status(struct ww_daemon *d) {
  const struct ww_pipeline_store *s = ww_pipeline_store(d->pipeline);
  json_t *o = json_object();
  json_object_set_new(o, "path", json_string(d->config->store));
  json_object_set_new(o, "used_bytes", number(s->stats.used_bytes));
  json_object_set_new(o, "map_bytes", number(s->stats.map_bytes));
  json_object_set_new(o, "history_entries", number(s->stats.history_entries));
  json_object_set_new(o, "history_bytes", number(s->stats.history_bytes));
  json_object_set_new(o, "readers", number(s->stats.readers));
  json_object_set_new(o, "oldest_reader", s->stats.readers ? json_integer(s->stats.oldest_reader) : json_null());
  json_object_set_new(o, "reader_lag", number(s->stats.reader_lag));
  json_object_set_new(o, "reader_since", when(s->reader_since));
  return o;
}

static json_t *source_status(struct ww_daemon *d, int i) {
  const struct ww_pipeline_source *s = ww_pipeline_source(d->pipeline, i);
  const struct ww_source_record *r = &s->record;
  json_t *o = json_object();
  struct ww_rtr_client_stats rtr;
  bool is_rtr = ww_rtr_io_stats(d->rtr, i, &rtr);
  const char *error = is_rtr && rtr.last_error[0] ? rtr.last_error : s->last_error;
  json_object_set_new(o, "name", json_string(r->name));
  json_object_set_new(o, "type", json_string(source_type(r->type)));
  json_object_set_new(o, "state",
                      json_string(is_rtr             ? ww_rtr_status_name(rtr.status)
                                  : r->complete      ? "loaded"
                                  : s->last_error[0] ? "failed"
                                                     : "waiting"));
  json_object_set_new(o, "complete", json_boolean(r->complete));
  json_object_set_new(o, "active", json_boolean(r->active));
  json_object_set_new(o, "records", number(r->vrps_v4 + r->vrps_v6 + r->aspas + r->router_keys));
  json_object_set_new(o, "vrps_ipv4", number(r->vrps_v4));
  json_object_set_new(o, "vrps_ipv6", number(r->vrps_v6));
  json_object_set_new(o, "aspas", number(r->aspas));
  json_object_set_new(o, "router_keys", number(r->router_keys));
  put_hashes(o, s->has_hashes, &s->hashes);
  json_object_set_new(o, "last_sync", when(r->last_sync));
  json_object_set_new(o, "errors", number(r->errors));
  json_object_set_new(o, "last_error", words(error));
  if (is_rtr) {
    struct ww_rtr_link link;
    if (ww_rtr_io_link(d->rtr, i, &link)) {
      json_object_set_new(o, "transport", json_string(link.transport));
      json_object_set_new(o, "address", words(link.address));
      json_object_set_new(o, "agreed", words(link.agreed));
    }
    json_object_set_new(o, "rtr_version", number(rtr.version));
    json_object_set_new(o, "rtr_session", r->has_session ? number(r->rtr_session) : json_null());
    json_object_set_new(o, "rtr_serial", r->has_session ? number(r->rtr_serial) : json_null());
    json_object_set_new(o, "valid_until", when(r->valid_until));
    json_object_set_new(o, "preference", number(r->preference));
    json_object_set_new(o, "in_contact", json_boolean(s->in_contact));
    json_object_set_new(o, "contact_since", when(s->contact_since));
    json_object_set_new(o, "expired", json_boolean(s->expired));
    json_object_set_new(o, "missing", s->compared ? number(s->missing) : json_null());
    json_object_set_new(o, "extra", s->compared ? number(s->extra) : json_null());
    json_object_set_new(o, "diverges_since", when(s->diverges_since));
  }
  return o;
}

static json_t *slurm_status(struct ww_daemon *d) {
  const struct ww_slurm_set *set = ww_pipeline_slurm(d->pipeline);
  json_t *o = json_object(), *files = json_array(), *counts = json_object();
  struct ww_slurm_io_status io;
  ww_slurm_io_status(d->slurm, &io);
  for (size_t i = 0; set && i < set->texts.count; i++)
    json_array_append_new(files, words(set->texts.files[i].name));
  for (int kind = 0; kind < WW_SLURM_KINDS; kind++)
    json_object_set_new(counts, ww_slurm_kind_name((enum ww_slurm_kind)kind), number(set ? set->counts[kind] : 0));
  json_object_set_new(o, "configured", number(io.files));
  json_object_set_new(o, "files", files);
  json_object_set_new(o, "loaded", when(set ? set->texts.time : 0));
  json_object_set_new(o, "strict", json_boolean(set && set->texts.strict));
  json_object_set_new(o, "counts", counts);
  json_object_set_new(o, "loads", number(io.loads));
  json_object_set_new(o, "errors", number(io.errors));
  json_object_set_new(o, "last_error", words(io.last_error));
  json_object_set_new(o, "last_error_time", when(io.error_time));
  return o;
}

static json_t *peer_status(const struct ww_out_peer *peer) {
  char text[WW_ADDR_STRLEN];
  struct ww_addr address = ww_bmp_peer_addr(&peer->header);
  json_t *o = json_object();
  json_object_set_new(o, "address", json_string(ww_addr_format(&address, text)));
  json_object_set_new(o, "asn", number(peer->header.asn));
  json_object_set_new(o, "type", number(peer->header.type));
  json_object_set_new(o, "view", json_string(peer->header.flags & WW_BMP_FLAG_L ? "post-policy" : "pre-policy"));
  json_object_set_new(o, "up", json_boolean(peer->up));
  json_object_set_new(o, "role", peer->up ? json_string(ww_role_name((enum ww_role)peer->role)) : json_null());
  json_object_set_new(o, "procedure",
                      peer->up ? json_string(ww_aspa_procedure_name((enum ww_aspa_procedure)peer->procedure))
                               : json_null());
  return o;
}

static json_t *kind_counts(const struct ww_engine_kind_counts *c, const char *unknown) {
  json_t *o = json_object();
  json_object_set_new(o, "valid", number(c->valid));
  json_object_set_new(o, "invalid", number(c->invalid));
  json_object_set_new(o, unknown, number(c->unknown));
  json_object_set_new(o, "not_evaluated", number(c->not_evaluated));
  return o;
}

static json_t *router_status(const struct ww_router *router) {
  struct ww_router_status s;
  struct ww_engine_counts c;
  struct ww_out_view view;
  json_t *o = json_object(), *peers = json_array();
  ww_router_status(router, &s);
  ww_engine_router_counts(ww_router_engine(router), &c);
  ww_engine_router_view(ww_router_engine(router), &view);
  json_object_set_new(o, "name", json_string(ww_router_name(router)));
  json_object_set_new(o, "connected", json_boolean(s.peer != NULL));
  json_object_set_new(o, "address", s.peer ? json_string(s.peer) : json_null());
  json_object_set_new(o, "since", when(s.since));
  json_object_set_new(o, "connects", number(s.connects));
  json_object_set_new(o, "last_error", words(s.last_error));
  json_object_set_new(o, "peers_up", number(c.peers_up));
  json_object_set_new(o, "routes", number(c.routes));
  json_object_set_new(o, "prefixes", number(c.prefixes));
  json_object_set_new(o, "valid", number(c.valid));
  json_object_set_new(o, "invalid", number(c.invalid));
  json_object_set_new(o, "unknown", number(c.unknown));
  json_object_set_new(o, "not_ready", number(c.not_ready));
  json_object_set_new(o, "origin_validation", kind_counts(&c.kinds[WW_KIND_ORIGIN - 1], "not_found"));
  json_object_set_new(o, "aspa", kind_counts(&c.kinds[WW_KIND_ASPA - 1], "unknown"));
  json_object_set_new(o, "bgpsec", kind_counts(&c.kinds[WW_KIND_BGPSEC - 1], "unknown"));
  json_object_set_new(o, "as_paths", number(c.paths));
  json_object_set_new(o, "paths_evaluated", number(c.paths_evaluated));
  json_object_set_new(o, "evaluated", number(c.evaluated));
  json_object_set_new(o, "changed", number(c.changed));
  json_object_set_new(o, "table_bytes", number(c.bytes));
  json_object_set_new(o, "messages", number(s.feed.messages));
  json_object_set_new(o, "bytes", number(s.feed.bytes));
  json_object_set_new(o, "ignored", number(s.feed.ignored));
  json_object_set_new(o, "malformed_updates", number(s.feed.malformed_updates));
  json_object_set_new(o, "unknown_peer", number(s.feed.unknown_peer));
  for (uint32_t id = 0; (id = view.peer_next(view.ctx, id)) != 0;) {
    struct ww_out_peer peer;
    if (view.peer(view.ctx, id, &peer))
      json_array_append_new(peers, peer_status(&peer));
  }
  json_object_set_new(o, "peers", peers);
  return o;
}

static json_t *link_status(const struct ww_link_status *s) {
  json_t *o = json_object();
  json_object_set_new(o, "station", json_string(s->station));
  json_object_set_new(o, "router", json_string(s->router));
  json_object_set_new(o, "state", json_string(s->state));
  json_object_set_new(o, "address", s->peer[0] ? json_string(s->peer) : json_null());
  json_object_set_new(o, "transport", s->tls[0] ? json_string(s->tls) : json_null());
  json_object_set_new(o, "since", when(s->since));
  json_object_set_new(o, "connects", number(s->connects));
  json_object_set_new(o, "last_error", words(s->last_error));
  json_object_set_new(o, "messages", number(s->session.messages));
  json_object_set_new(o, "validations", number(s->session.validations));
  json_object_set_new(o, "nlri", number(s->session.nlri));
  json_object_set_new(o, "withdrawals", number(s->session.withdrawals));
  json_object_set_new(o, "bytes", number(s->session.bytes));
  json_object_set_new(o, "resyncs", number(s->session.resyncs));
  json_object_set_new(o, "lag", number(s->session.lag));
  return o;
}

static json_t *rtr_client_status(const struct ww_rtr_client_status *s) {
  const struct ww_rtr_session_stats *n = &s->session;
  json_t *o = json_object();
  json_object_set_new(o, "address", json_string(s->address));
  json_object_set_new(o, "listener", json_string(s->listener));
  json_object_set_new(o, "transport", json_string(s->transport));
  json_object_set_new(o, "since", when(s->since));
  json_object_set_new(o, "state",
                      json_string(!n->negotiated  ? "connected"
                                  : n->answering  ? "answering"
                                  : n->has_serial ? "served"
                                                  : "waiting"));
  json_object_set_new(o, "version", n->negotiated ? number(n->version) : json_null());
  json_object_set_new(o, "serial", n->has_serial ? number(n->serial) : json_null());
  json_object_set_new(o, "lag", n->has_serial ? number(n->lag) : json_null());
  json_object_set_new(o, "reset_queries", number(n->reset_queries));
  json_object_set_new(o, "serial_queries", number(n->serial_queries));
  json_object_set_new(o, "cache_resets", number(n->cache_resets));
  json_object_set_new(o, "notifies", number(n->notifies));
  json_object_set_new(o, "errors_sent", number(n->errors_sent));
  json_object_set_new(o, "bytes", number(n->octets));
  json_object_set_new(o, "last_error", words(n->last_error));
  return o;
}

/* Null without rtr-listen. */
static json_t *rtr_server_status(const struct ww_rtr_server_io *io) {
  struct ww_rtr_server_status s;
  struct ww_rtr_client_status client;
  ww_rtr_server_io_status(io, &s);
  if (!s.listeners)
    return json_null();
  json_t *o = json_object(), *sessions = json_array(), *clients = json_array();
  json_object_set_new(o, "ready", json_boolean(s.ready));
  json_object_set_new(o, "serial", number(s.serial));
  for (unsigned v = 0; v < WW_RTR_VERSIONS; v++)
    json_array_append_new(sessions, number(s.sessions[v]));
  json_object_set_new(o, "sessions", sessions);
  json_object_set_new(o, "connects", number(s.connects));
  json_object_set_new(o, "refused", number(s.refused));
  json_object_set_new(o, "publications", number(s.data.publications));
  json_object_set_new(o, "sets_encoded", number(s.data.builds));
  json_object_set_new(o, "deltas_encoded", number(s.data.deltas));
  json_object_set_new(o, "window", number(s.data.window));
  json_object_set_new(o, "window_changes", number(s.data.window_changes));
  json_object_set_new(o, "encoded_bytes", number(s.data.bytes));
  for (size_t i = 0; ww_rtr_server_io_client(io, i, &client); i++)
    json_array_append_new(clients, rtr_client_status(&client));
  json_object_set_new(o, "clients", clients);
  return o;
}

static json_t *status(struct ww_daemon *d) {
  json_t *o = json_object(), *sources = json_array(), *routers = json_array(), *stations = json_array();
  struct ww_snapshot *snapshot = ww_pipeline_snapshot(d->pipeline);
  struct ww_snapshot_counts counts;
  struct ww_link_status link;
  const struct ww_router *router;
  ww_snapshot_counts(snapshot, &counts);
  json_object_set_new(o, "version", json_string(WW_VERSION));
  json_object_set_new(o, "pid", json_integer(getpid()));
  json_object_set_new(o, "started", when(d->started.unix_sec));
  json_object_set_new(o, "ready", json_boolean(ww_pipeline_ready(d->pipeline)));
  json_object_set_new(o, "epoch", number(ww_snapshot_epoch(snapshot)));
  json_object_set_new(o, "vrps_ipv4", number(counts.vrps_v4));
  json_object_set_new(o, "vrps_ipv6", number(counts.vrps_v6));
  json_object_set_new(o, "aspas", number(counts.aspas));
  json_object_set_new(o, "index_bytes", number(counts.bytes));
  struct ww_ccr_hashes hashes;
  bool hashed = ww_pipeline_hashes(d->pipeline, &hashes);
  put_hashes(o, hashed, &hashes);
  json_object_set_new(o, "store", store_status(d));
  for (size_t i = 0; i < ww_pipeline_count(d->pipeline); i++)
    json_array_append_new(sources, source_status(d, (int)i));
  for (size_t i = 0; (router = ww_bmp_io_router(d->bmp, i)); i++)
    json_array_append_new(routers, router_status(router));
  for (size_t i = 0; ww_station_io_status(d->station, i, &link); i++)
    json_array_append_new(stations, link_status(&link));
  json_object_set_new(o, "sources", sources);
  json_object_set_new(o, "slurm", slurm_status(d));
  json_object_set_new(o, "routers", routers);
  json_object_set_new(o, "stations", stations);
  json_object_set_new(o, "rtr_server", rtr_server_status(d->rtr_server));
  return o;
}

static json_t *answer(struct ww_daemon *d, const char *line, size_t len) {
  json_error_t error;
  json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
  const char *command = request ? json_string_value(json_object_get(request, "command")) : NULL;
  json_t *reply;
  if (!request)
    reply = json_pack("{s:s}", "error", error.text);
  else if (command && strcmp(command, "status") == 0)
    reply = status(d);
  else if (command && strcmp(command, "explain") == 0)
    reply = ww_control_explain(d, request);
  else if (command && strcmp(command, "routes") == 0)
    reply = ww_control_routes(d, request);
  else
    reply = json_pack("{s:s}", "error",
                      command ? "no such command; there are: status, explain, routes" : "no member \"command\"");
  json_decref(request);
  return reply;
}

/* ---- clients ---- */

static void client_free(struct client *c) {
  for (struct client **at = &c->control->clients; *at; at = &(*at)->next)
    if (*at == c) {
      *at = c->next;
      c->control->client_count--;
      break;
    }
  ww_buf_fini(&c->in);
  ww_buf_fini(&c->out);
  free(c);
}

static void client_drop(struct client *c) {
  ww_stream_abort(c->stream);
  client_free(c);
}

static void client_flush(struct client *c) {
  if (c->out.len)
    ww_buf_consume(&c->out, ww_stream_write(c->stream, ww_buf_head(&c->out), c->out.len));
  ww_stream_pause(c->stream, c->out.len > 0);
}

/* False: the client is gone. */
static bool client_answer(struct client *c) {
  const uint8_t *newline;
  while (!c->out.len && (newline = memchr(ww_buf_head(&c->in), '\n', c->in.len)) != NULL) {
    size_t len = (size_t)(newline - ww_buf_head(&c->in));
    json_t *reply = answer(c->control->daemon, (const char *)ww_buf_head(&c->in), len);
    char *text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
    json_decref(reply);
    bool ok = text && ww_buf_append(&c->out, text, strlen(text)) == WW_OK && ww_buf_append(&c->out, "\n", 1) == WW_OK;
    free(text);
    ww_buf_consume(&c->in, len + 1);
    if (!ok) {
      client_drop(c);
      return false;
    }
    client_flush(c);
  }
  return true;
}

static void on_opened(void *ctx) { (void)ctx; }

static void on_input(void *ctx, const uint8_t *data, size_t len) {
  struct client *c = ctx;
  ww_daemon_now(c->control->daemon);
  if (ww_buf_append(&c->in, data, len) != WW_OK) /* a question longer than any there is */
    client_drop(c);
  else
    client_answer(c);
}

static void on_writable(void *ctx) {
  struct client *c = ctx;
  ww_daemon_now(c->control->daemon);
  client_flush(c);
  client_answer(c);
}

static void on_closed(void *ctx, const char *why) {
  (void)why;
  client_free(ctx);
}

static void on_accepted(void *ctx, int fd, const struct sockaddr *peer) {
  struct ww_control *control = ctx;
  (void)peer;
  struct client *c = control->client_count < CLIENTS_MAX ? calloc(1, sizeof(*c)) : NULL;
  if (!c) {
    close(fd);
    return;
  }
  struct ww_stream_events events = {c, on_opened, on_input, on_writable, on_closed};
  c->control = control;
  ww_buf_init(&c->in, REQUEST_MAX);
  ww_buf_init(&c->out, 0);
  c->next = control->clients;
  control->clients = c;
  control->client_count++;
  c->stream = ww_stream_accept(&control->daemon->loop, fd, NULL, &events);
  if (!c->stream)
    client_free(c);
}

struct ww_control *ww_control_new(struct ww_daemon *daemon, const char *path) {
  struct ww_control *control = calloc(1, sizeof(*control));
  struct ww_diag diag = {0};
  if (!control)
    return NULL;
  control->daemon = daemon;
  if (ww_listen_unix(&daemon->loop, path, on_accepted, control, &control->listener, &diag) != WW_OK) {
    ww_log(&daemon->log, WW_LOG_ERROR, "control: %s", diag.text);
    free(control);
    return NULL;
  }
  return control;
}

void ww_control_stop(struct ww_control *control) {
  if (!control)
    return;
  ww_listener_close(control->listener);
  for (struct client *next, *c = control->clients; c; c = next) {
    next = c->next;
    client_drop(c);
  }
  free(control);
}
