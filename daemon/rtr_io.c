/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One ww_rtr_client for each rtr-cache section, with a stream and a timer.
 *
 * The machine decides; this file does what it says. After every call into the machine settle() sends its output, acts
 * on the connection and sets the timer, until the machine says "stay". An update goes to the pipeline as soon as the
 * machine hands it out, and the machine is told when it is on disk; meanwhile it asks for nothing new.
 *
 * What TLS or SSH have against the other side ends a connection before the machine hears of it, or, where a server
 * refuses our certificate, right after: ww_rtr_client_lost() keeps that from being taken for a matter of versions. A
 * plain cut is for the machine to interpret, whatever the transport.
 *
 * Input while the socket is full of our output cannot pile up: the machine's queries are a few octets each.
 */
#include "daemon/rtr_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/listen.h"
#include "daemon/pipeline.h"
#include "daemon/rtr_transport.h"
#include "daemon/stream.h"

struct cache {
  struct ww_rtr_io *io;
  const struct ww_config_rtr *config;
  int source;
  struct ww_rtr_client *client;
  struct ww_stream *stream;
  bool open; /* the stream is connected */
  struct ww_rtr_transport transport;
  bool warned; /* that nothing protects this connection */
  char agreed[256];
  uv_timer_t timer;
};

struct ww_rtr_io {
  struct ww_daemon *daemon;
  struct cache *caches;
  size_t count;
  bool started, stopped;
};

static void settle(struct cache *cache, enum ww_rtr_action action);

static void send_output(struct cache *c) {
  struct ww_buf *out = ww_rtr_client_output(c->client);
  if (!c->open || !out->len)
    return;
  size_t n = ww_stream_write(c->stream, ww_buf_head(out), out->len);
  ww_buf_consume(out, n);
}

/* Other sources need not wait for one that has trouble. */
static void note_trouble(struct cache *c, const char *fallback) {
  struct ww_rtr_client_stats stats;
  ww_rtr_client_stats(c->client, &stats);
  ww_pipeline_failed(c->io->daemon->pipeline, c->source, stats.last_error[0] ? stats.last_error : fallback);
}

/* RFC 8210 §9: with unprotected TCP both MUST be on the same trusted and controlled network. Whether they are is not
 * for us to know; an address that everybody can have is worth a word, once. */
static void warn_unprotected(struct cache *c) {
  struct sockaddr_storage address;
  char text[WW_ENDPOINT_STRLEN];
  if (c->warned || c->config->transport != WW_TRANSPORT_TCP || !ww_stream_address(c->stream, &address) ||
      ww_rtr_address_is_near((struct sockaddr *)&address))
    return;
  c->warned = true;
  ww_log(
      &c->io->daemon->log, WW_LOG_WARNING,
      "rtr cache %s: plain TCP to %s: anybody on the way can change what it says; RFC 8210 §9 wants a trusted network, "
      "or transport tls, ssh or tcp-ao",
      c->config->name, ww_endpoint_format((struct sockaddr *)&address, text));
}

static void on_opened(void *ctx) {
  struct cache *c = ctx;
  struct ww_now now = ww_daemon_now(c->io->daemon);
  c->open = true;
  snprintf(c->agreed, sizeof(c->agreed), "%s", ww_stream_describe(c->stream));
  if (c->config->transport == WW_TRANSPORT_TLS || c->config->transport == WW_TRANSPORT_SSH)
    ww_log(&c->io->daemon->log, WW_LOG_INFO, "rtr cache %s: %s", c->config->name, c->agreed);
  warn_unprotected(c);
  settle(c, ww_rtr_client_connected(c->client, now));
}

static void on_input(void *ctx, const uint8_t *data, size_t len) {
  struct cache *c = ctx;
  struct ww_now now = ww_daemon_now(c->io->daemon);
  settle(c, ww_rtr_client_input(c->client, data, len, now));
}

static void on_writable(void *ctx) {
  struct cache *c = ctx;
  ww_daemon_now(c->io->daemon);
  send_output(c);
}

static void on_closed(void *ctx, const char *why) {
  struct cache *c = ctx;
  struct ww_now now = ww_daemon_now(c->io->daemon);
  bool was_open = c->open;
  c->stream = NULL;
  c->open = false;
  ww_buf_clear(ww_rtr_client_output(c->client));
  enum ww_rtr_action action = !was_open ? ww_rtr_client_connect_failed(c->client, why ? why : "closed", now)
                              : why && ww_stream_is_verdict(why) ? ww_rtr_client_lost(c->client, why, now)
                                                                 : ww_rtr_client_closed(c->client, now);
  note_trouble(c, why ? why : "the cache closed the connection");
  settle(c, action);
}

static void on_timer(uv_timer_t *timer) {
  struct cache *c = timer->data;
  struct ww_now now = ww_daemon_now(c->io->daemon);
  settle(c, ww_rtr_client_tick(c->client, now));
}

static void set_timer(struct cache *c) {
  ww_mono_ms deadline = ww_rtr_client_deadline(c->client), now = c->io->daemon->now.mono;
  if (c->io->stopped || deadline == WW_MONO_NEVER)
    uv_timer_stop(&c->timer);
  else
    uv_timer_start(&c->timer, on_timer, deadline > now ? deadline - now : 0, 0);
}

static void open_connection(struct cache *c) {
  struct ww_stream_events events = {c, on_opened, on_input, on_writable, on_closed};
  c->open = false;
  struct ww_stream_target target = ww_rtr_transport_target(c->config, &c->transport);
  c->stream = ww_stream_connect(&c->io->daemon->loop, &target, &events);
}

static void settle(struct cache *c, enum ww_rtr_action action) {
  for (;;) {
    send_output(c);
    if (c->io->stopped)
      return;
    struct ww_now now = c->io->daemon->now;
    if (action == WW_RTR_CONNECT && !c->stream) {
      open_connection(c);
      if (c->stream)
        break;
      action = ww_rtr_client_connect_failed(c->client, "no memory for a connection", now);
    } else if (action == WW_RTR_CLOSE && c->stream) {
      ww_stream_close(c->stream);
      c->stream = NULL;
      c->open = false;
      ww_buf_clear(ww_rtr_client_output(c->client));
      action = ww_rtr_client_closed(c->client, now);
      note_trouble(c, "connection closed");
    } else {
      break;
    }
  }
  set_timer(c);
}

static void on_committed(void *ctx, bool ok, size_t unknown) {
  struct cache *c = ctx;
  if (!c->io->stopped)
    settle(c, ww_rtr_client_committed(c->client, ok, unknown, c->io->daemon->now));
}

static void on_update(void *ctx, struct ww_rtr_update *u) {
  struct cache *c = ctx;
  int64_t now = c->io->daemon->now.unix_sec;
  struct ww_source_progress progress = {
      .last_sync = now,
      .valid_until = now + u->expire,
      .has_session = true,
      .version = u->version,
      .session = u->session,
      .serial = u->serial,
      .refresh = u->refresh,
      .retry = u->retry,
      .expire = u->expire,
  };
  struct ww_pipeline *pipeline = c->io->daemon->pipeline;
  if (u->full) {
    struct ww_payloads set = u->delta.announce;
    memset(&u->delta.announce, 0, sizeof(u->delta.announce));
    ww_payload_delta_fini(&u->delta);
    ww_pipeline_submit_full(pipeline, c->source, &set, &progress, on_committed, c);
  } else {
    ww_pipeline_submit_delta(pipeline, c->source, &u->delta, &progress, on_committed, c);
  }
  memset(u, 0, sizeof(*u));
}

static void on_flush(void *ctx, const char *why) {
  struct cache *c = ctx;
  ww_pipeline_flush(c->io->daemon->pipeline, c->source, why);
}

struct ww_rtr_io *ww_rtr_io_new(struct ww_daemon *daemon) {
  const struct ww_config *config = daemon->config;
  struct ww_rtr_io *io = calloc(1, sizeof(*io));
  if (!io || !(io->caches = calloc(config->cache_count + 1, sizeof(*io->caches)))) {
    free(io);
    return NULL;
  }
  io->daemon = daemon;
  for (size_t i = 0; i < config->cache_count; i++) {
    struct cache *c = &io->caches[i];
    c->io = io;
    c->config = &config->caches[i];
    c->source =
        ww_pipeline_add_cache(daemon->pipeline, c->config->name, c->config->preference, c->config->keep_expired);
    if (c->source < 0) {
      ww_rtr_io_free(io);
      return NULL;
    }
    io->count++;
  }
  return io;
}

bool ww_rtr_io_load(struct ww_rtr_io *io) {
  for (size_t i = 0; i < io->count; i++) {
    struct cache *c = &io->caches[i];
    struct ww_diag diag = {0};
    if (ww_rtr_transport_load(c->config, &io->daemon->log, &c->transport, &diag) != WW_OK) {
      ww_log(&io->daemon->log, WW_LOG_ERROR, "rtr cache %s: %s", c->config->name, diag.text);
      return false;
    }
  }
  return true;
}

void ww_rtr_io_reload(struct ww_rtr_io *io) {
  for (size_t i = 0; i < io->count; i++) {
    struct cache *c = &io->caches[i];
    struct ww_rtr_transport fresh;
    struct ww_diag diag = {0};
    if (ww_rtr_transport_load(c->config, &io->daemon->log, &fresh, &diag) != WW_OK) {
      ww_log(&io->daemon->log, WW_LOG_ERROR, "rtr cache %s: %s; the previous one stays in use", c->config->name,
             diag.text);
      continue;
    }
    ww_rtr_transport_fini(&c->transport); /* a connection holds references of its own */
    c->transport = fresh;
  }
}

void ww_rtr_io_start(struct ww_rtr_io *io) {
  struct ww_now now = io->daemon->now;
  io->started = true;
  for (size_t i = 0; i < io->count; i++) {
    struct cache *c = &io->caches[i];
    const struct ww_source_record *record = &ww_pipeline_source(io->daemon->pipeline, c->source)->record;
    struct ww_rtr_client_config config = {.min_version = c->config->min_version,
                                          .max_version = c->config->max_version,
                                          .keep_expired = c->config->keep_expired};
    struct ww_rtr_resume resume = {
        .valid = record->complete && record->has_session,
        .version = record->rtr_version,
        .session = record->rtr_session,
        .serial = record->rtr_serial,
        .refresh = record->refresh,
        .retry = record->retry,
        .expire = record->expire,
        .last_sync = record->last_sync,
    };
    struct ww_rtr_client_events events = {c, on_update, on_flush};
    memcpy(config.name, c->config->name, sizeof(config.name));
    uv_timer_init(&io->daemon->loop, &c->timer);
    c->timer.data = c;
    c->client = ww_rtr_client_new(&config, &resume, &events, &io->daemon->log, now);
    if (c->client)
      settle(c, ww_rtr_client_tick(c->client, now));
    else
      ww_pipeline_failed(io->daemon->pipeline, c->source, "no memory for the client");
  }
}

void ww_rtr_io_stop(struct ww_rtr_io *io) {
  if (!io || io->stopped)
    return;
  io->stopped = true;
  for (size_t i = 0; io->started && i < io->count; i++) {
    struct cache *c = &io->caches[i];
    if (c->stream)
      ww_stream_abort(c->stream);
    c->stream = NULL;
    uv_close((uv_handle_t *)&c->timer, NULL);
  }
}

void ww_rtr_io_free(struct ww_rtr_io *io) {
  if (!io)
    return;
  for (size_t i = 0; i < io->count; i++)
    ww_rtr_client_free(io->caches[i].client);
  for (size_t i = 0; i < io->count; i++)
    ww_rtr_transport_fini(&io->caches[i].transport);
  free(io->caches);
  free(io);
}

static const struct cache *cache_of(const struct ww_rtr_io *io, int source) {
  for (size_t i = 0; i < io->count; i++)
    if (io->caches[i].source == source && io->caches[i].client)
      return &io->caches[i];
  return NULL;
}

bool ww_rtr_io_stats(const struct ww_rtr_io *io, int source, struct ww_rtr_client_stats *out) {
  const struct cache *c = cache_of(io, source);
  if (c)
    ww_rtr_client_stats(c->client, out);
  return c != NULL;
}

bool ww_rtr_io_link(const struct ww_rtr_io *io, int source, struct ww_rtr_link *out) {
  const struct cache *c = cache_of(io, source);
  if (!c)
    return false;
  *out = (struct ww_rtr_link){.transport = ww_transport_name(c->config->transport),
                              .address = c->open ? ww_stream_peer(c->stream) : "",
                              .agreed = c->open && (c->transport.tls || c->transport.ssh) ? c->agreed : ""};
  return true;
}
