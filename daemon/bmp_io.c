/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection is one BMP session as it comes in; a router is what the engine knows, and outlives its connections, so
 * that stations keep their sessions and learn of a router's absence by Peer Downs.
 *
 * Whose connection it is: with `router` sections, the one whose address it comes from; otherwise the one whose sys-name
 * the Initiation carries, and anyone else is turned away. Without any section every connection is taken and its router
 * is named by its sysName. So octets are kept back until Initiation has been seen, at most WW_BMP_GREETING_MAX of them
 * and for at most GREETING_MS.
 *
 * CHOICE: a second connection for the same router replaces the first. RFC 7854 has the router see to it that there is
 * one session; when there are two the older is the remainder of a router that restarted.
 *
 * Clauses: RFC 7854 §3.2 (connections), §4.3 (Initiation comes first, with sysName).
 */
#include "daemon/bmp_io.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "daemon/listen.h"
#include "daemon/station_io.h"
#include "daemon/stream.h"
#include "wire/bmp.h"

enum { GREETING_MS = 30000, INIT_TLV_SYS_NAME = 2 };

struct connection;

struct ww_router {
  struct ww_bmp_io *io;
  char name[WW_NAME_LEN];
  struct ww_engine_router *engine;
  struct connection *connection; /* NULL: not connected */
  bool announced;                /* stations know of it */
  int64_t since;
  uint64_t connects;
  struct ww_bmp_feed_stats last_feed;
  char last_error[240];
};

struct connection {
  struct ww_bmp_io *io;
  struct connection *next;
  struct ww_stream *stream;
  struct ww_addr address;
  struct ww_router *router; /* NULL until it is known */
  struct ww_bmp_feed *feed; /* with the router */
  struct ww_buf greeting;   /* what came before that */
  uv_timer_t timer;
};

struct ww_bmp_io {
  struct ww_daemon *daemon;
  struct ww_listener **listeners;
  size_t listener_count;
  struct connection *connections;
  size_t connection_count;
  struct ww_router *routers[WW_ROUTERS_MAX];
  size_t router_count;
  bool stopped;
};

/* ---- routers ---- */

static struct ww_router *router_find(struct ww_bmp_io *io, const char *name) {
  for (size_t i = 0; i < io->router_count; i++)
    if (strcmp(io->routers[i]->name, name) == 0)
      return io->routers[i];
  return NULL;
}

static bool set_roles(struct ww_router *router, const struct ww_config_router *config) {
  struct ww_engine_roles roles = {.others = WW_ROLE_NONE, .none = WW_NO_ROLE_SKIP};
  if (config)
    roles = (struct ww_engine_roles){
        .peers = config->peers, .peer_count = config->peer_count, .others = config->role, .none = config->no_role};
  return ww_engine_router_set_roles(router->engine, &roles) == WW_OK;
}

static struct ww_router *router_get(struct ww_bmp_io *io, const char *name, const struct ww_config_router *config) {
  struct ww_router *router = router_find(io, name);
  if (router)
    return router;
  if (io->router_count == WW_ROUTERS_MAX || !(router = calloc(1, sizeof(*router))))
    return NULL;
  struct ww_engine_router_config engine_config = {
      .views = config ? config->views : 1u << WW_VIEW_ADJ_IN_PRE,
      .local_as = config ? config->local_as : 0,
      .journal_entries = io->daemon->config->journal_entries,
  };
  snprintf(router->name, sizeof(router->name), "%s", name);
  memcpy(engine_config.name, router->name, sizeof(engine_config.name));
  router->io = io;
  router->engine = ww_engine_router_new(io->daemon->engine, &engine_config);
  if (!router->engine || !set_roles(router, config)) {
    ww_engine_router_free(router->engine);
    free(router);
    return NULL;
  }
  io->routers[io->router_count++] = router;
  return router;
}

static const struct ww_config_router *config_by_address(const struct ww_bmp_io *io, const struct ww_addr *address) {
  const struct ww_config *config = io->daemon->config;
  for (size_t i = 0; i < config->router_count; i++)
    if (config->routers[i].address.afi && memcmp(&config->routers[i].address, address, sizeof(*address)) == 0)
      return &config->routers[i];
  return NULL;
}

static const struct ww_config_router *config_by_sys_name(const struct ww_bmp_io *io, const char *sys_name) {
  const struct ww_config *config = io->daemon->config;
  for (size_t i = 0; i < config->router_count; i++) {
    const struct ww_config_router *r = &config->routers[i];
    if (!r->address.afi && strcmp(r->sys_name ? r->sys_name : r->name, sys_name) == 0)
      return r;
  }
  return NULL;
}

/* ---- connections ---- */

static void on_timer_closed(uv_handle_t *handle) { free(handle->data); }

/* Takes the connection out of everything. Its stream is gone or about to be. */
static void connection_end(struct connection *c, const char *why) {
  struct ww_router *router = c->router;
  for (struct connection **at = &c->io->connections; *at; at = &(*at)->next)
    if (*at == c) {
      *at = c->next;
      c->io->connection_count--;
      break;
    }
  if (router && router->connection == c) {
    ww_bmp_feed_stats(c->feed, &router->last_feed);
    router->connection = NULL;
    router->since = c->io->daemon->now.unix_sec;
    snprintf(router->last_error, sizeof(router->last_error), "%s", why ? why : "");
    ww_engine_router_disconnected(router->engine);
    ww_daemon_busy(c->io->daemon);
  }
  ww_bmp_feed_free(c->feed);
  ww_buf_fini(&c->greeting);
  uv_close((uv_handle_t *)&c->timer, on_timer_closed);
}

/* We end it. */
static void connection_drop(struct connection *c, enum ww_log_level level, const char *why) {
  ww_log(&c->io->daemon->log, level, "BMP: %s%s%s: %s", ww_stream_peer(c->stream), c->router ? ", router " : "",
         c->router ? c->router->name : "", why);
  ww_stream_abort(c->stream);
  connection_end(c, why);
}

static bool bind_router(struct connection *c, const char *name, const struct ww_config_router *config) {
  struct ww_daemon *d = c->io->daemon;
  struct ww_router *router = router_get(c->io, name, config);
  struct ww_bmp_feed_events events;
  if (!router)
    return false;
  if (router->connection)
    connection_drop(router->connection, WW_LOG_NOTICE, "replaced by a newer connection");
  ww_engine_router_events(router->engine, &d->now, &events);
  c->feed = ww_bmp_feed_new(&events, &d->log);
  if (!c->feed)
    return false;
  c->router = router;
  router->connection = c;
  router->connects++;
  router->since = d->now.unix_sec;
  router->last_error[0] = '\0';
  uv_timer_stop(&c->timer);
  ww_log(&d->log, WW_LOG_NOTICE, "BMP: %s is router %s", ww_stream_peer(c->stream), router->name);
  return true;
}

/* False: the connection is gone. */
static bool feed(struct connection *c, const uint8_t *data, size_t len) {
  struct ww_daemon *d = c->io->daemon;
  struct ww_router *router = c->router;
  struct ww_diag diag = {0};
  enum ww_err err = ww_bmp_feed_input(c->feed, data, len, &diag);
  if (err != WW_OK) {
    char why[400];
    snprintf(why, sizeof(why), "session closed: at octet %zu: %s%s%s%s", diag.offset,
             diag.text[0] ? diag.text : ww_err_name(err), diag.clause ? " (" : "", diag.clause ? diag.clause : "",
             diag.clause ? ")" : "");
    connection_drop(c, WW_LOG_WARNING, why);
    return false;
  }
  if (!router->announced) {
    router->announced = true;
    ww_station_io_add_router(d->station, router);
  }
  ww_station_io_pump(d->station, router);
  if (ww_engine_pending(d->engine))
    ww_daemon_busy(d);
  return true;
}

/* The sysName in the message at the front, if it is an Initiation. 1 found, 0 more octets are needed, -1 no. */
static int read_greeting(const struct ww_buf *buf, char *sys_name, size_t size, struct ww_diag *diag) {
  struct ww_bmp_header header;
  struct ww_bmp_msg msg;
  struct ww_bmp_tlv tlv;
  enum ww_err err = ww_bmp_frame(ww_buf_head(buf), buf->len, WW_BMP_GREETING_MAX, &header, diag);
  if (err == WW_ERR_SHORT || (err == WW_OK && header.len > buf->len))
    return 0;
  if (err == WW_OK && header.type != WW_BMP_INITIATION)
    err = ww_fail(diag, WW_ERR_MALFORMED, 0, "RFC 7854 §4.3", "the first message is %s, not Initiation",
                  ww_bmp_type_name(header.type));
  if (err == WW_OK)
    err = ww_bmp_decode(ww_buf_head(buf), header.len, &msg, diag);
  if (err != WW_OK)
    return -1;
  sys_name[0] = '\0';
  struct ww_reader tlvs = msg.u.info.tlvs;
  while (ww_bmp_tlv_next(&tlvs, &tlv))
    if (tlv.type == INIT_TLV_SYS_NAME)
      snprintf(sys_name, size, "%.*s", (int)tlv.len, (const char *)tlv.value);
  ww_text_one_line(sys_name);
  return 1;
}

static void greet(struct connection *c, const uint8_t *data, size_t len) {
  struct ww_bmp_io *io = c->io;
  char sys_name[WW_NAME_LEN], why[400];
  struct ww_diag diag = {0};
  if (ww_buf_append(&c->greeting, data, len) != WW_OK) {
    connection_drop(c, WW_LOG_WARNING, "no Initiation among its first octets");
    return;
  }
  int found = read_greeting(&c->greeting, sys_name, sizeof(sys_name), &diag);
  if (found == 0)
    return;
  if (found < 0) {
    snprintf(why, sizeof(why), "session closed: at octet %zu: %s%s%s%s", diag.offset, diag.text,
             diag.clause ? " (" : "", diag.clause ? diag.clause : "", diag.clause ? ")" : "");
    connection_drop(c, WW_LOG_WARNING, why);
    return;
  }
  const struct ww_config_router *config = config_by_sys_name(io, sys_name);
  if (!config && io->daemon->config->router_count) {
    snprintf(why, sizeof(why), "turned away: no router section has its address, or sys-name \"%s\"", sys_name);
    connection_drop(c, WW_LOG_WARNING, why);
    return;
  }
  char address[WW_ADDR_STRLEN];
  const char *name = config ? config->name : sys_name[0] ? sys_name : ww_addr_format(&c->address, address);
  if (!bind_router(c, name, config)) {
    connection_drop(c, WW_LOG_ERROR, "turned away: no memory, or too many routers");
    return;
  }
  struct ww_buf all = c->greeting; /* freed here: feeding may end the connection */
  ww_buf_init(&c->greeting, 0);
  feed(c, ww_buf_head(&all), all.len);
  ww_buf_fini(&all);
}

static void on_opened(void *ctx) {
  struct connection *c = ctx;
  ww_daemon_now(c->io->daemon);
  const struct ww_config_router *config = config_by_address(c->io, &c->address);
  if (config && !bind_router(c, config->name, config))
    connection_drop(c, WW_LOG_ERROR, "turned away: no memory, or too many routers");
}

static void on_input(void *ctx, const uint8_t *data, size_t len) {
  struct connection *c = ctx;
  ww_daemon_now(c->io->daemon);
  if (c->feed)
    feed(c, data, len);
  else
    greet(c, data, len);
}

static void on_writable(void *ctx) { (void)ctx; /* RFC 7854 §3.2: nothing is ever sent to a router */ }

static void on_closed(void *ctx, const char *why) {
  struct connection *c = ctx;
  ww_daemon_now(c->io->daemon);
  ww_log(&c->io->daemon->log, WW_LOG_NOTICE, "BMP: %s%s%s: %s", ww_stream_peer(c->stream), c->router ? ", router " : "",
         c->router ? c->router->name : "", why ? why : "closed by the router");
  connection_end(c, why ? why : "closed by the router");
}

static void on_timer(uv_timer_t *timer) {
  struct connection *c = timer->data;
  ww_daemon_now(c->io->daemon);
  connection_drop(c, WW_LOG_WARNING, "no Initiation in 30 s");
}

static void set_address(struct ww_addr *to, const struct sockaddr *from) {
  memset(to, 0, sizeof(*to));
  if (from->sa_family == AF_INET) {
    struct sockaddr_in v4;
    memcpy(&v4, from, sizeof(v4));
    to->afi = WW_AFI_IPV4;
    memcpy(to->bytes, &v4.sin_addr, 4);
  } else if (from->sa_family == AF_INET6) {
    struct sockaddr_in6 v6;
    memcpy(&v6, from, sizeof(v6));
    to->afi = WW_AFI_IPV6;
    memcpy(to->bytes, &v6.sin6_addr, 16);
  }
}

static void on_accepted(void *ctx, int fd, const struct sockaddr *peer) {
  struct ww_bmp_io *io = ctx;
  struct ww_daemon *d = io->daemon;
  ww_daemon_now(d);
  struct connection *c = io->connection_count < WW_BMP_CONNECTIONS_MAX ? calloc(1, sizeof(*c)) : NULL;
  if (!c) {
    char text[WW_ENDPOINT_STRLEN];
    ww_log(&d->log, WW_LOG_WARNING, "BMP: %s turned away: %d connections are the most there may be",
           ww_endpoint_format(peer, text), WW_BMP_CONNECTIONS_MAX);
    close(fd);
    return;
  }
  struct ww_stream_events events = {c, on_opened, on_input, on_writable, on_closed};
  c->io = io;
  set_address(&c->address, peer);
  ww_buf_init(&c->greeting, WW_BMP_GREETING_MAX + 64 * 1024);
  uv_timer_init(&d->loop, &c->timer);
  c->timer.data = c;
  uv_timer_start(&c->timer, on_timer, GREETING_MS, 0);
  c->next = io->connections;
  io->connections = c;
  io->connection_count++;
  c->stream = ww_stream_accept(&d->loop, fd, NULL, &events);
  if (!c->stream)
    connection_end(c, NULL);
}

/* ---- life ---- */

struct ww_bmp_io *ww_bmp_io_new(struct ww_daemon *daemon) {
  struct ww_bmp_io *io = calloc(1, sizeof(*io));
  if (!io || !(io->listeners = calloc(daemon->config->listen_count + 1, sizeof(struct ww_listener *)))) {
    free(io);
    return NULL;
  }
  io->daemon = daemon;
  return io;
}

bool ww_bmp_io_start(struct ww_bmp_io *io) {
  struct ww_daemon *d = io->daemon;
  for (size_t i = 0; i < d->config->listen_count; i++) {
    struct ww_diag diag = {0};
    if (ww_listen(&d->loop, d->config->listens[i], on_accepted, io, &io->listeners[i], &diag) != WW_OK) {
      ww_log(&d->log, WW_LOG_ERROR, "BMP: %s", diag.text);
      return false;
    }
    io->listener_count++;
    ww_log(&d->log, WW_LOG_NOTICE, "BMP: listening on %s", ww_listener_address(io->listeners[i]));
  }
  return true;
}

void ww_bmp_io_stop(struct ww_bmp_io *io) {
  if (!io || io->stopped)
    return;
  io->stopped = true;
  for (size_t i = 0; i < io->listener_count; i++)
    ww_listener_close(io->listeners[i]);
  for (struct connection *next, *c = io->connections; c; c = next) {
    next = c->next;
    if (c->router)
      c->router->connection = NULL; /* stations get Termination, not a Peer Down for every peer */
    ww_stream_abort(c->stream);
    connection_end(c, NULL);
  }
}

void ww_bmp_io_free(struct ww_bmp_io *io) {
  if (!io)
    return;
  for (size_t i = 0; i < io->router_count; i++) {
    ww_engine_router_free(io->routers[i]->engine);
    free(io->routers[i]);
  }
  free(io->listeners);
  free(io);
}

struct ww_router *ww_bmp_io_router(const struct ww_bmp_io *io, size_t i) {
  return i < io->router_count ? io->routers[i] : NULL;
}

struct ww_engine_router *ww_router_engine(const struct ww_router *router) {
  return router->engine;
}
const char *ww_router_name(const struct ww_router *router) { return router->name; }

void ww_router_status(const struct ww_router *router, struct ww_router_status *out) {
  memset(out, 0, sizeof(*out));
  out->feed = router->last_feed;
  if (router->connection) {
    out->peer = ww_stream_peer(router->connection->stream);
    ww_bmp_feed_stats(router->connection->feed, &out->feed);
  }
  out->since = router->since;
  out->connects = router->connects;
  out->last_error = router->last_error;
}

void ww_router_pause(struct ww_router *router, bool pause) {
  if (router->connection)
    ww_stream_pause(router->connection->stream, pause);
}
