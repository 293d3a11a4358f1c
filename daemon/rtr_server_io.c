/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listeners and clients of the RTR server. Each client is a stream, a session (sources/rtr_server.c) and a timer for
 * the session's deadline. What is sent are the octets of the session's output, straight from the memory that all
 * clients share; when a socket is full it is left alone until there is room again, and a client whose session holds
 * enough unanswered questions is not read from.
 *
 * Two things are too long for the loop's thread and go to libuv's pool: encoding the whole set (half a second's worth
 * of routers may wait for it, and all get the same), and finding the difference of two snapshots when the deltas that
 * led from one to the other are very large or not known. While a difference is being looked for, further publications
 * only replace its successor: the next difference then leads to the newest snapshot.
 *
 * A client that takes its answer as fast as it is written, and has asked again already, would keep the loop to itself:
 * after TURN_OCTETS it waits for the others, and `again` comes back to it.
 *
 * TLS: as draft-ietf-sidrops-8210bis-26 §9.2 asks, the client presents a certificate, and unless check-address is off
 * that carries the address it comes from. TCP without protection must be there too (§9), and is for networks one
 * trusts.
 *
 * Clauses: draft-ietf-sidrops-8210bis-26 §8.5, §8.6, §9, §9.2.
 */
#include "daemon/rtr_server_io.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/listen.h"
#include "daemon/stream.h"

enum {
  TURN_OCTETS = 4 << 20,
  DIRECT_RECORDS = 20000, /* of deltas: looked up at once, in some ten milliseconds */
  STOP_MS = 3000,
  DESCRIPTORS_SPARE = 256, /* for everything else in the process */
};

struct listener {
  struct ww_rtr_server_io *io;
  const struct ww_config_rtr_listen *config;
  struct ww_rtr_service service;
  struct ww_listener *socket;
  struct ww_tls *tls; /* NULL: plain */
  size_t clients;
};

struct client {
  struct listener *listener;
  struct client *next;
  struct ww_stream *stream;
  struct ww_rtr_session *session;
  uv_timer_t timer;
  int64_t since;
  bool open, more; /* more: it has had its turn and has not seen the end of it */
};

struct build_job {
  uv_work_t work;
  struct ww_rtr_server_io *io;
  struct ww_rtr_build *build;
};

struct diff_job {
  uv_work_t work;
  struct ww_rtr_server_io *io;
  struct ww_snapshot *old, *next;
  struct ww_effective_delta delta;
  enum ww_err err;
};

struct ww_rtr_server_io {
  struct ww_daemon *daemon;
  struct ww_rtr_server *server;
  struct listener *listeners;
  size_t listener_count;
  struct client *clients;
  size_t client_count;
  uv_idle_t again;
  bool building;
  bool diffing;
  struct ww_snapshot *latest; /* to come after the difference that is being looked for */
  uint64_t connects, refused;
  bool started, stopping;
  ww_mono_ms stop_at;
};

static void settle(struct client *c);

/* ---- clients ---- */

static void on_timer_closed(uv_handle_t *handle) { free(handle->data); }

static void client_end(struct client *c) {
  struct ww_rtr_server_io *io = c->listener->io;
  for (struct client **at = &io->clients; *at; at = &(*at)->next)
    if (*at == c) {
      *at = c->next;
      break;
    }
  io->client_count--;
  c->listener->clients--;
  ww_rtr_session_free(c->session);
  uv_close((uv_handle_t *)&c->timer, on_timer_closed);
  if (io->stopping && !io->clients)
    uv_close((uv_handle_t *)&io->again, NULL);
}

/* Every client, some of which may end meanwhile. */
static void settle_all(struct ww_rtr_server_io *io) {
  for (struct client *next, *c = io->clients; c; c = next) {
    next = c->next;
    if (c->open)
      settle(c);
  }
}

static void on_built(uv_work_t *work, int status) {
  struct build_job *job = work->data;
  struct ww_rtr_server_io *io = job->io;
  struct ww_now now = ww_daemon_now(io->daemon);
  (void)status; /* never cancelled */
  io->building = false;
  ww_rtr_server_built(io->server, job->build, now);
  free(job);
  settle_all(io);
}

static void run_build(uv_work_t *work) {
  struct build_job *job = work->data;
  ww_rtr_build_run(job->build);
}

static void start_build(struct ww_rtr_server_io *io) {
  struct build_job *job;
  if (io->building || !(job = calloc(1, sizeof(*job))))
    return;
  job->io = io;
  job->work.data = job;
  job->build = ww_rtr_server_build(io->server);
  if (!job->build) {
    free(job);
    return;
  }
  io->building = true;
  if (uv_queue_work(&io->daemon->loop, &job->work, run_build, on_built) != 0) {
    run_build(&job->work);
    on_built(&job->work, 0);
  }
}

static void pump(struct client *c) {
  struct ww_now now = c->listener->io->daemon->now;
  size_t sent = 0, len;
  const uint8_t *data;
  c->more = false;
  while ((data = ww_rtr_session_output(c->session, &len)) != NULL) {
    if (sent >= TURN_OCTETS) {
      c->more = true;
      return;
    }
    size_t want = len < TURN_OCTETS ? len : TURN_OCTETS;
    size_t n = ww_stream_write(c->stream, data, want);
    ww_rtr_session_sent(c->session, n, now);
    sent += n;
    if (n < want)
      return;
  }
}

static void on_again(uv_idle_t *idle) {
  struct ww_rtr_server_io *io = idle->data;
  bool more = false;
  ww_daemon_now(io->daemon);
  for (struct client *next, *c = io->clients; c; c = next) {
    next = c->next;
    if (c->more)
      settle(c);
  }
  for (struct client *c = io->clients; c; c = c->next)
    more |= c->more;
  if (!more && !uv_is_closing((uv_handle_t *)idle))
    uv_idle_stop(idle);
}

static void on_timer(uv_timer_t *timer) {
  struct client *c = timer->data;
  struct ww_rtr_server_io *io = c->listener->io;
  struct ww_now now = ww_daemon_now(io->daemon);
  if (io->stopping && now.mono >= io->stop_at) {
    ww_stream_abort(c->stream);
    client_end(c);
    return;
  }
  ww_rtr_session_tick(c->session, now);
  settle(c);
}

static void set_timer(struct client *c) {
  struct ww_rtr_server_io *io = c->listener->io;
  ww_mono_ms now = io->daemon->now.mono, at = ww_rtr_session_deadline(c->session);
  if (io->stopping && io->stop_at < at)
    at = io->stop_at;
  if (at == WW_MONO_NEVER)
    uv_timer_stop(&c->timer);
  else
    uv_timer_start(&c->timer, on_timer, at > now ? at - now : 0, 0);
}

/* After anything that happened to a client: sends what there is, and ends what is over. */
static void settle(struct client *c) {
  struct ww_rtr_server_io *io = c->listener->io;
  pump(c);
  start_build(io);
  switch (ww_rtr_session_fate(c->session)) {
  case WW_RTR_ENDED:
    ww_stream_close(c->stream);
    client_end(c);
    return;
  case WW_RTR_CUT:
    ww_stream_abort(c->stream);
    client_end(c);
    return;
  case WW_RTR_GOES_ON:
    break;
  }
  ww_stream_pause(c->stream, !ww_rtr_session_wants_input(c->session));
  set_timer(c);
  if (c->more)
    uv_idle_start(&io->again, on_again);
}

static void on_opened(void *ctx) {
  struct client *c = ctx;
  ww_daemon_now(c->listener->io->daemon);
  c->open = true;
  ww_log(&c->listener->io->daemon->log, WW_LOG_INFO, "rtr client %s: connected to %s (%s)", ww_stream_peer(c->stream),
         c->listener->config->where, ww_stream_describe(c->stream));
  set_timer(c);
}

static void on_input(void *ctx, const uint8_t *data, size_t len) {
  struct client *c = ctx;
  struct ww_now now = ww_daemon_now(c->listener->io->daemon);
  ww_rtr_session_input(c->session, data, len, now);
  settle(c);
}

static void on_writable(void *ctx) {
  struct client *c = ctx;
  ww_daemon_now(c->listener->io->daemon);
  settle(c);
}

static void on_closed(void *ctx, const char *why) {
  struct client *c = ctx;
  struct ww_daemon *d = c->listener->io->daemon;
  ww_daemon_now(d);
  ww_log(&d->log, c->open ? WW_LOG_INFO : WW_LOG_WARNING, "rtr client %s: %s", ww_stream_peer(c->stream),
         why ? why : "closed by the client");
  client_end(c);
}

static void on_accepted(void *ctx, int fd, const struct sockaddr *peer) {
  struct listener *l = ctx;
  struct ww_rtr_server_io *io = l->io;
  struct ww_daemon *d = io->daemon;
  struct ww_now now = ww_daemon_now(d);
  char address[WW_ENDPOINT_STRLEN];
  ww_endpoint_format(peer, address);
  if (l->clients >= l->config->max_clients) {
    if (io->refused++ % l->config->max_clients == 0) /* once is enough for a burst */
      ww_log(&d->log, WW_LOG_WARNING, "rtr client %s: turned away, %s has %zu clients", address, l->config->where,
             l->clients);
    close(fd);
    return;
  }
  struct client *c = calloc(1, sizeof(*c));
  if (c)
    c->session = ww_rtr_session_new(io->server, &l->service, address, now);
  struct ww_stream_events events = {c, on_opened, on_input, on_writable, on_closed};
  if (c && c->session)
    c->stream = ww_stream_accept(&d->loop, fd, l->tls, &events);
  else
    close(fd);
  if (!c || !c->stream) {
    ww_log(&d->log, WW_LOG_ERROR, "rtr client %s: no memory", address);
    if (c)
      ww_rtr_session_free(c->session);
    free(c);
    return;
  }
  if (l->tls && l->config->check_address)
    ww_stream_check_address(c->stream);
  c->listener = l;
  c->since = now.unix_sec;
  uv_timer_init(&d->loop, &c->timer);
  c->timer.data = c;
  c->next = io->clients;
  io->clients = c;
  io->client_count++;
  l->clients++;
  io->connects++;
}

/* ---- publications ---- */

static void start_diff(struct ww_rtr_server_io *io, struct ww_snapshot *next);

static void publish(struct ww_rtr_server_io *io, struct ww_snapshot *next, struct ww_effective_delta *delta) {
  ww_rtr_server_publish(io->server, next, delta, io->daemon->now);
  settle_all(io);
}

static void run_diff(uv_work_t *work) {
  struct diff_job *job = work->data;
  job->err = ww_effective_diff(job->old, job->next, &job->delta);
}

static void on_diffed(uv_work_t *work, int status) {
  struct diff_job *job = work->data;
  struct ww_rtr_server_io *io = job->io;
  ww_daemon_now(io->daemon);
  (void)status; /* never cancelled */
  io->diffing = false;
  if (!io->stopping) {
    if (job->err != WW_OK)
      ww_log(&io->daemon->log, WW_LOG_ERROR, "rtr server: no memory for a difference: clients begin anew");
    publish(io, job->next, job->err == WW_OK ? &job->delta : NULL);
  }
  ww_effective_delta_fini(&job->delta);
  ww_snapshot_unref(job->old);
  ww_snapshot_unref(job->next);
  free(job);
  struct ww_snapshot *latest = io->latest;
  io->latest = NULL;
  if (latest && !io->stopping)
    start_diff(io, latest);
  ww_snapshot_unref(latest);
}

static void start_diff(struct ww_rtr_server_io *io, struct ww_snapshot *next) {
  struct diff_job *job = calloc(1, sizeof(*job));
  if (!job) {
    publish(io, next, NULL);
    return;
  }
  job->io = io;
  job->work.data = job;
  job->old = ww_snapshot_ref(ww_rtr_data_snapshot(ww_rtr_server_data(io->server)));
  job->next = ww_snapshot_ref(next);
  io->diffing = true;
  if (uv_queue_work(&io->daemon->loop, &job->work, run_diff, on_diffed) != 0) {
    run_diff(&job->work);
    on_diffed(&job->work, 0);
  }
}

void ww_rtr_server_io_publish(struct ww_rtr_server_io *io, struct ww_snapshot *snapshot,
                              const struct ww_payload_delta *deltas, size_t count) {
  if (!io || io->stopping || !io->listener_count || !ww_snapshot_ready(snapshot))
    return;
  if (io->diffing) {
    ww_snapshot_unref(io->latest);
    io->latest = ww_snapshot_ref(snapshot);
    return;
  }
  struct ww_snapshot *old = ww_rtr_data_snapshot(ww_rtr_server_data(io->server));
  if (!old) {
    publish(io, snapshot, NULL);
    return;
  }
  size_t records = 0;
  for (size_t i = 0; i < count; i++) {
    const struct ww_payloads *in = &deltas[i].announce, *out = &deltas[i].withdraw;
    records += in->vrp_count + in->aspa_count + in->key_count + out->vrp_count + out->aspa_count + out->key_count;
  }
  struct ww_effective_delta delta;
  if (deltas && records <= DIRECT_RECORDS && ww_effective_delta(old, snapshot, deltas, count, &delta) == WW_OK) {
    publish(io, snapshot, &delta);
    ww_effective_delta_fini(&delta);
  } else {
    start_diff(io, snapshot);
  }
}

/* ---- life ---- */

static enum ww_err load_tls(const struct ww_config_rtr_listen *config, struct ww_tls **out, struct ww_diag *diag) {
  struct ww_tls_files files = {config->certificate, config->key, config->ca};
  return ww_tls_new(WW_TLS_SERVER, &files, out, diag);
}

/* RFC 8210 §5.1: a new Session ID, and one of its own for each version. */
static void choose_sessions(uint16_t sessions[WW_RTR_VERSIONS], struct ww_now now) {
  uint16_t random = 0;
  if (RAND_bytes((unsigned char *)&random, sizeof(random)) != 1)
    random = (uint16_t)now.unix_sec;
  for (unsigned v = 0; v < WW_RTR_VERSIONS; v++)
    sessions[v] = (uint16_t)(random + v);
}

struct ww_rtr_server_io *ww_rtr_server_io_new(struct ww_daemon *daemon) {
  const struct ww_config *config = daemon->config;
  struct ww_rtr_server_io *io = calloc(1, sizeof(*io));
  uint16_t sessions[WW_RTR_VERSIONS];
  if (!io)
    return NULL;
  io->daemon = daemon;
  choose_sessions(sessions, daemon->now);
  io->server = ww_rtr_server_new(sessions, 1, &daemon->log);
  io->listeners = calloc(config->rtr_listen_count + 1, sizeof(*io->listeners));
  if (!io->server || !io->listeners) {
    ww_rtr_server_io_free(io);
    return NULL;
  }
  for (size_t i = 0; i < config->rtr_listen_count; i++) {
    struct listener *l = &io->listeners[io->listener_count++];
    const struct ww_config_rtr_listen *c = &config->rtr_listens[i];
    l->io = io;
    l->config = c;
    l->service = (struct ww_rtr_service){.min_version = c->min_version,
                                         .max_version = c->max_version,
                                         .refresh = c->refresh,
                                         .retry = c->retry,
                                         .expire = c->expire,
                                         .notify_interval = c->notify_interval,
                                         .farewell = c->shutdown ? WW_RTR_CACHE_SHUTDOWN : WW_RTR_CACHE_RESTART};
  }
  return io;
}

/* Every client is a descriptor, and the usual limit is 1024. */
static void raise_limit(struct ww_rtr_server_io *io) {
  rlim_t want = DESCRIPTORS_SPARE;
  struct rlimit limit;
  for (size_t i = 0; i < io->listener_count; i++)
    want += io->listeners[i].config->max_clients;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= want)
    return;
  limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
  if (limit.rlim_cur < want || setrlimit(RLIMIT_NOFILE, &limit) != 0)
    ww_log(&io->daemon->log, WW_LOG_WARNING,
           "rtr-listen: max-clients needs %llu descriptors, and the system allows %llu", (unsigned long long)want,
           (unsigned long long)limit.rlim_max);
}

bool ww_rtr_server_io_start(struct ww_rtr_server_io *io) {
  uv_idle_init(&io->daemon->loop, &io->again);
  io->again.data = io;
  io->started = true;
  raise_limit(io);
  for (size_t i = 0; i < io->listener_count; i++) {
    struct listener *l = &io->listeners[i];
    struct ww_diag diag = {0};
    if ((l->config->certificate && load_tls(l->config, &l->tls, &diag) != WW_OK) ||
        ww_listen(&io->daemon->loop, l->config->where, on_accepted, l, &l->socket, &diag) != WW_OK) {
      ww_log(&io->daemon->log, WW_LOG_ERROR, "rtr-listen %s: %s", l->config->where, diag.text);
      return false;
    }
    ww_log(&io->daemon->log, WW_LOG_NOTICE, "RTR: routers may connect to %s (%s)", ww_listener_address(l->socket),
           l->tls ? "TLS" : "plain TCP");
  }
  return true;
}

void ww_rtr_server_io_reload(struct ww_rtr_server_io *io) {
  for (size_t i = 0; i < io->listener_count; i++) {
    struct listener *l = &io->listeners[i];
    struct ww_diag diag = {0};
    struct ww_tls *tls;
    if (!l->tls)
      continue;
    if (load_tls(l->config, &tls, &diag) != WW_OK) {
      ww_log(&io->daemon->log, WW_LOG_ERROR, "rtr-listen %s: %s; the previous certificate stays in use",
             l->config->where, diag.text);
      continue;
    }
    ww_tls_unref(l->tls); /* connections hold their own references */
    l->tls = tls;
  }
}

void ww_rtr_server_io_stop(struct ww_rtr_server_io *io) {
  if (!io || io->stopping || !io->started)
    return;
  io->stopping = true;
  io->stop_at = io->daemon->now.mono + STOP_MS;
  for (size_t i = 0; i < io->listener_count; i++)
    ww_listener_close(io->listeners[i].socket);
  ww_rtr_server_stop(io->server, io->daemon->now);
  if (!io->clients) {
    uv_close((uv_handle_t *)&io->again, NULL);
    return;
  }
  for (struct client *next, *c = io->clients; c; c = next) {
    next = c->next;
    if (c->open) {
      settle(c);
    } else { /* in the middle of its handshake */
      ww_stream_abort(c->stream);
      client_end(c);
    }
  }
}

void ww_rtr_server_io_free(struct ww_rtr_server_io *io) {
  if (!io)
    return;
  for (size_t i = 0; i < io->listener_count; i++)
    ww_tls_unref(io->listeners[i].tls);
  ww_rtr_server_free(io->server);
  ww_snapshot_unref(io->latest);
  free(io->listeners);
  free(io);
}

/* ---- status ---- */

bool ww_rtr_server_io_client(const struct ww_rtr_server_io *io, size_t i, struct ww_rtr_client_status *out) {
  const struct client *c = io->clients;
  while (c && i-- > 0)
    c = c->next;
  if (!c)
    return false;
  out->address = ww_stream_peer(c->stream);
  out->listener = c->listener->config->where;
  out->transport = c->open ? ww_stream_describe(c->stream) : "connecting";
  out->since = c->since;
  ww_rtr_session_stats(c->session, &out->session);
  return true;
}

void ww_rtr_server_io_status(const struct ww_rtr_server_io *io, struct ww_rtr_server_status *out) {
  const struct ww_rtr_data *data = ww_rtr_server_data(io->server);
  *out = (struct ww_rtr_server_status){.listeners = io->listener_count,
                                       .clients = io->client_count,
                                       .connects = io->connects,
                                       .refused = io->refused,
                                       .ready = ww_rtr_data_ready(data),
                                       .serial = ww_rtr_data_serial(data)};
  for (uint8_t v = 0; v < WW_RTR_VERSIONS; v++)
    out->sessions[v] = ww_rtr_data_session(data, v);
  ww_rtr_data_stats(data, &out->data);
}
