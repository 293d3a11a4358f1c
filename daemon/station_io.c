/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A link is one station for one router: a stream, the ww_bmpout_session on it, and the octets that the session gave and
 * the socket has not taken yet. The session is asked for more only when those are gone, so a slow station costs a
 * bounded buffer and what it has not heard stays in the router's journal.
 *
 *   WAITING --timer--> CONNECTING --opened--> UP --stop--> ENDING
 *      ^------------------------closed----------+
 *
 * Retries follow RFC 7854 §3.2: exponential from retry-min to retry-max, with jitter so that links do not march in
 * step. A connection counts as good, and the back-off starts anew, once it has lasted PROVEN_MS: with TLS 1.3 a
 * station's refusal of our certificate arrives after our handshake is over.
 *
 * Pacing: a router's initial dump may come faster than a station can take it. While a link that used to keep up is more
 * than half the journal behind, reading from the router pauses, for at most PACE_MS; a link that has not caught up by
 * then is slow, is waited for no longer, and will be resynchronised by its session. It counts as keeping up again when
 * it is less than a quarter behind.
 *
 * Ownership: links own stream and session; routers and their journals belong to bmp_io and outlive links.
 */
#include "daemon/station_io.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "daemon/stream.h"
#include "daemon/tls.h"

enum {
  PULL_OCTETS = 128 * 1024,
  PULLS_A_TURN = 8,
  PROVEN_MS = 5000,
  PACE_MS = 250,
  PACE_LOOK_MS = 10,
  MAX_MESSAGE = 65535,
  TERMINATION_ADMIN = 0, /* RFC 7854 §4.5: session administratively closed */
};

enum link_state { LINK_WAITING, LINK_CONNECTING, LINK_UP, LINK_ENDING, LINK_ENDED };
static const char *const link_states[] = {"waiting", "connecting", "up", "ending", "ended"};

struct station {
  struct ww_config_station config; /* strings borrowed from the daemon's configuration */
  struct ww_tls *tls;              /* NULL: plain */
};

struct link {
  struct ww_station_io *io;
  struct station *station;
  struct ww_router *router;
  enum link_state state;
  struct ww_stream *stream;
  struct ww_bmpout_session *session;
  struct ww_buf out;
  bool blocked;          /* the socket is full */
  bool more;             /* the session has more to say at once */
  bool slow;             /* pacing does not wait for it */
  ww_mono_ms pace_since; /* 0: it is not being waited for */
  uv_timer_t timer;
  ww_mono_ms opened_at;
  unsigned failures; /* in a row */
  uint64_t connects;
  int64_t since;
  char last_error[400];
};

struct ww_station_io {
  struct ww_daemon *daemon;
  struct station *stations;
  size_t station_count;
  struct link **links;
  size_t link_count;
  uv_timer_t pacing; /* runs while a router waits */
  bool stopping, ended;
};

static void link_connect(struct link *l);

/* ---- one link ---- */

static void set_state(struct link *l, enum link_state state) {
  l->state = state;
  l->since = l->io->daemon->now.unix_sec;
}

static void check_ended(struct ww_station_io *io) {
  if (!io->stopping || io->ended)
    return;
  for (size_t i = 0; i < io->link_count; i++)
    if (io->links[i]->state != LINK_ENDED)
      return;
  io->ended = true;
  ww_daemon_stations_ended(io->daemon);
}

static void link_reset(struct link *l) {
  ww_bmpout_session_free(l->session);
  l->session = NULL;
  l->stream = NULL;
  ww_buf_clear(&l->out);
  l->blocked = l->more = l->slow = false;
  l->pace_since = 0;
}

static void link_ended(struct link *l) {
  link_reset(l);
  uv_timer_stop(&l->timer);
  set_state(l, LINK_ENDED);
  check_ended(l->io);
}

static void on_retry(uv_timer_t *timer) {
  struct link *l = timer->data;
  ww_daemon_now(l->io->daemon);
  link_connect(l);
}

static void retry_later(struct link *l) {
  uint64_t min = (uint64_t)l->station->config.retry_min * 1000, max = (uint64_t)l->station->config.retry_max * 1000;
  uint64_t wait = min << (l->failures > 16 ? 16 : l->failures);
  uint32_t random = 0;
  if (wait > max)
    wait = max;
  (void)RAND_bytes((unsigned char *)&random, sizeof(random));
  wait = wait * 3 / 4 + wait / 2 * (random % 1024) / 1024; /* three quarters to five quarters */
  l->failures++;
  set_state(l, LINK_WAITING);
  uv_timer_start(&l->timer, on_retry, wait, 0);
}

static void link_failed(struct link *l, const char *why) {
  struct ww_daemon *d = l->io->daemon;
  bool proven = l->state == LINK_UP && d->now.mono - l->opened_at >= PROVEN_MS;
  /* The same failure again and again is said once. */
  bool news = strcmp(l->last_error, why) != 0 || l->state == LINK_UP;
  snprintf(l->last_error, sizeof(l->last_error), "%s", why);
  link_reset(l);
  if (l->io->stopping) {
    link_ended(l);
    return;
  }
  if (proven)
    l->failures = 0;
  retry_later(l);
  ww_log(&d->log, news ? WW_LOG_WARNING : WW_LOG_DEBUG, "station %s, router %s: %s; next try in %.1f s",
         l->station->config.name, ww_router_name(l->router), why, (double)uv_timer_get_due_in(&l->timer) / 1000.0);
}

/* How far the link is behind, as pacing sees it. True: the router should wait for it. */
static bool wants_pace(struct link *l) {
  struct ww_bmpout_stats stats;
  size_t journal = l->io->daemon->config->journal_entries;
  if (l->state != LINK_UP)
    return false;
  ww_bmpout_session_stats(l->session, &stats);
  if (stats.lag < journal / 4) {
    l->slow = false;
    l->pace_since = 0;
    return false;
  }
  ww_mono_ms now = l->io->daemon->now.mono;
  if (l->slow || (!l->pace_since && stats.lag <= journal / 2))
    return false;
  if (!l->pace_since)
    l->pace_since = now;
  l->slow = now - l->pace_since > PACE_MS;
  return !l->slow;
}

static void on_pacing(uv_timer_t *timer);

static void pace(struct ww_station_io *io, struct ww_router *router) {
  bool wait = false;
  for (size_t i = 0; i < io->link_count; i++)
    if (io->links[i]->router == router)
      wait = wants_pace(io->links[i]) || wait;
  ww_router_pause(router, wait);
  if (wait && !io->stopping)
    uv_timer_start(&io->pacing, on_pacing, PACE_LOOK_MS, 0);
}

static void pace_all(struct ww_station_io *io) {
  struct ww_router *router;
  for (size_t i = 0; (router = ww_bmp_io_router(io->daemon->bmp, i)); i++)
    pace(io, router);
}

static void on_pacing(uv_timer_t *timer) {
  struct ww_station_io *io = timer->data;
  ww_daemon_now(io->daemon);
  pace_all(io);
}

/* Moves octets from session to socket until one has no more or the other is full. True: there is more. */
static bool link_pump(struct link *l) {
  if ((l->state != LINK_UP && l->state != LINK_ENDING) || !l->session)
    return false;
  for (int i = 0; i < PULLS_A_TURN && !l->blocked; i++) {
    if (!l->out.len)
      l->more = ww_bmpout_session_pull(l->session, &l->out, PULL_OCTETS, l->io->daemon->now);
    if (!l->out.len)
      break;
    size_t n = ww_stream_write(l->stream, ww_buf_head(&l->out), l->out.len);
    ww_buf_consume(&l->out, n);
    l->blocked = l->out.len > 0;
    if (!l->blocked && !l->more)
      break;
  }
  if (l->state == LINK_ENDING && !l->out.len && ww_bmpout_session_finished(l->session)) {
    ww_stream_close(l->stream);
    link_ended(l);
    return false;
  }
  return l->more && !l->blocked;
}

static void on_opened(void *ctx) {
  struct link *l = ctx;
  struct ww_daemon *d = l->io->daemon;
  struct ww_now now = ww_daemon_now(d);
  const struct ww_config_station *c = &l->station->config;
  struct ww_bmpout_config config = {
      .profile = (enum ww_profile)c->profile,
      .pen = c->enterprise_number,
      .tlv_draft = c->tlv_draft,
      .covering = c->covering,
      .max_message = MAX_MESSAGE,
  };
  struct ww_out_view view;
  ww_engine_router_view(ww_router_engine(l->router), &view);
  l->session = ww_bmpout_session_new(&config, &view, ww_engine_router_journal(ww_router_engine(l->router)), &d->log);
  if (!l->session) {
    ww_stream_abort(l->stream);
    link_failed(l, "no memory for a session");
    return;
  }
  l->opened_at = now.mono;
  l->connects++;
  set_state(l, LINK_UP);
  ww_log(&d->log, WW_LOG_NOTICE, "station %s, router %s: connected to %s (%s)", c->name, ww_router_name(l->router),
         ww_stream_peer(l->stream), ww_stream_describe(l->stream));
  if (link_pump(l))
    ww_daemon_busy(d);
}

static void on_input(void *ctx, const uint8_t *data, size_t len) {
  (void)ctx; /* RFC 7854 §3.2: a station never sends BMP; what it sends anyway means nothing */
  (void)data;
  (void)len;
}

static void on_writable(void *ctx) {
  struct link *l = ctx;
  ww_daemon_now(l->io->daemon);
  l->blocked = false;
  if (link_pump(l))
    ww_daemon_busy(l->io->daemon);
  pace(l->io, l->router);
}

static void on_closed(void *ctx, const char *why) {
  struct link *l = ctx;
  ww_daemon_now(l->io->daemon);
  link_failed(l, why ? why : "the station closed the session");
}

static void link_connect(struct link *l) {
  const struct ww_config_station *c = &l->station->config;
  struct ww_stream_events events = {l, on_opened, on_input, on_writable, on_closed};
  set_state(l, LINK_CONNECTING);
  struct ww_stream_target target = {.host = c->host,
                                    .port = c->port,
                                    .tls = l->station->tls,
                                    .server_name = c->server_name ? c->server_name : c->host};
  l->stream = ww_stream_connect(&l->io->daemon->loop, &target, &events);
  if (!l->stream)
    link_failed(l, "no memory for a connection");
}

/* ---- all of them ---- */

static enum ww_err load_tls(const struct ww_config_station *config, struct ww_tls **out, struct ww_diag *diag) {
  struct ww_tls_files files = {.certificate = config->certificate, .key = config->key, .ca = config->ca};
  return ww_tls_new(WW_TLS_CLIENT, &files, out, diag);
}

struct ww_station_io *ww_station_io_new(struct ww_daemon *daemon) {
  struct ww_station_io *io = calloc(1, sizeof(*io));
  if (!io || !(io->stations = calloc(daemon->config->station_count + 1, sizeof(*io->stations)))) {
    free(io);
    return NULL;
  }
  io->daemon = daemon;
  uv_timer_init(&daemon->loop, &io->pacing);
  io->pacing.data = io;
  return io;
}

bool ww_station_io_start(struct ww_station_io *io) {
  const struct ww_config *config = io->daemon->config;
  for (size_t i = 0; i < config->station_count; i++) {
    struct station *s = &io->stations[io->station_count++];
    struct ww_diag diag = {0};
    s->config = config->stations[i];
    if (!s->config.plain && load_tls(&s->config, &s->tls, &diag) != WW_OK) {
      ww_log(&io->daemon->log, WW_LOG_ERROR, "station %s: %s", s->config.name, diag.text);
      return false;
    }
  }
  return true;
}

void ww_station_io_add_router(struct ww_station_io *io, struct ww_router *router) {
  if (io->stopping)
    return;
  struct link **links = realloc(io->links, (io->link_count + io->station_count) * sizeof(struct link *));
  if (!links && io->station_count)
    return;
  io->links = links;
  for (size_t i = 0; i < io->station_count; i++) {
    struct link *l = calloc(1, sizeof(*l));
    if (!l) {
      ww_log(&io->daemon->log, WW_LOG_ERROR, "station %s, router %s: no memory", io->stations[i].config.name,
             ww_router_name(router));
      return;
    }
    l->io = io;
    l->station = &io->stations[i];
    l->router = router;
    ww_buf_init(&l->out, 0);
    uv_timer_init(&io->daemon->loop, &l->timer);
    l->timer.data = l;
    io->links[io->link_count++] = l;
    link_connect(l);
  }
}

bool ww_station_io_pump(struct ww_station_io *io, struct ww_router *router) {
  bool more = false;
  if (!io)
    return false;
  for (size_t i = 0; i < io->link_count; i++)
    if (!router || io->links[i]->router == router)
      more = link_pump(io->links[i]) || more;
  if (router)
    pace(io, router);
  else
    pace_all(io);
  if (more)
    ww_daemon_busy(io->daemon);
  return more;
}

void ww_station_io_reload(struct ww_station_io *io) {
  for (size_t i = 0; i < io->station_count; i++) {
    struct station *s = &io->stations[i];
    struct ww_diag diag = {0};
    struct ww_tls *tls;
    if (s->config.plain)
      continue;
    if (load_tls(&s->config, &tls, &diag) != WW_OK) {
      ww_log(&io->daemon->log, WW_LOG_ERROR, "station %s: %s; the previous certificate stays in use", s->config.name,
             diag.text);
      continue;
    }
    ww_tls_unref(s->tls); /* connections hold their own references */
    s->tls = tls;
  }
}

void ww_station_io_stop(struct ww_station_io *io) {
  io->stopping = true;
  for (size_t i = 0; i < io->link_count; i++) {
    struct link *l = io->links[i];
    if (l->state == LINK_UP) {
      ww_bmpout_session_stop(l->session, TERMINATION_ADMIN);
      set_state(l, LINK_ENDING);
      link_pump(l);
    } else if (l->state != LINK_ENDED) {
      if (l->stream)
        ww_stream_abort(l->stream);
      link_ended(l);
    }
  }
  check_ended(io);
}

void ww_station_io_abort(struct ww_station_io *io) {
  io->stopping = io->ended = true;
  for (size_t i = 0; i < io->link_count; i++) {
    struct link *l = io->links[i];
    if (l->state == LINK_ENDED)
      continue;
    ww_log(&io->daemon->log, WW_LOG_WARNING, "station %s, router %s: did not take the end of its session in time",
           l->station->config.name, ww_router_name(l->router));
    if (l->stream)
      ww_stream_abort(l->stream);
    link_ended(l);
  }
  for (size_t i = 0; i < io->link_count; i++)
    uv_close((uv_handle_t *)&io->links[i]->timer, NULL);
  uv_close((uv_handle_t *)&io->pacing, NULL);
}

void ww_station_io_free(struct ww_station_io *io) {
  if (!io)
    return;
  for (size_t i = 0; i < io->link_count; i++) {
    ww_bmpout_session_free(io->links[i]->session);
    ww_buf_fini(&io->links[i]->out);
    free(io->links[i]);
  }
  for (size_t i = 0; i < io->station_count; i++)
    ww_tls_unref(io->stations[i].tls);
  free(io->links);
  free(io->stations);
  free(io);
}

bool ww_station_io_status(const struct ww_station_io *io, size_t i, struct ww_link_status *out) {
  if (i >= io->link_count)
    return false;
  const struct link *l = io->links[i];
  *out = (struct ww_link_status){
      .station = l->station->config.name,
      .router = ww_router_name(l->router),
      .state = link_states[l->state],
      .peer = l->stream ? ww_stream_peer(l->stream) : "",
      .tls = l->state == LINK_UP ? ww_stream_describe(l->stream) : "",
      .last_error = l->last_error,
      .connects = l->connects,
      .since = l->since,
  };
  out->has_session = l->session != NULL;
  if (l->session)
    ww_bmpout_session_stats(l->session, &out->session);
  return true;
}
