/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's life: start, signals, the work between I/O, and the end.
 *
 * Start, in an order that lets each part fail with a message before anything is promised: SLURM files, store,
 * certificates, listeners, control socket; then the pipeline serves what the store has, and only then do sources begin.
 *
 * Between I/O: an idle handle runs while there are routes to judge or octets to send, a slice of each at a time, so
 * that neither sockets nor the other waits for long. It is stopped when there is nothing to do, so that the loop
 * sleeps.
 *
 * End: TERM or INT closes inputs and sends Termination to the stations, for which they have STOP_MS. Then every handle
 * is closed, the loop runs out, and memory is freed from the outside in.
 */
#include "daemon/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/bmp_io.h"
#include "daemon/clock.h"
#include "daemon/control.h"
#include "daemon/payload_io.h"
#include "daemon/pipeline.h"
#include "daemon/rtr_io.h"
#include "daemon/rtr_server_io.h"
#include "daemon/slurm_io.h"
#include "daemon/station_io.h"
#include "engine/engine.h"
#include "ww_version.h"

enum { JUDGE_SLICE = 8192, STOP_MS = 3000 };

struct ww_now ww_daemon_now(struct ww_daemon *daemon) {
  daemon->now = ww_clock_read();
  return daemon->now;
}

static void on_busy(uv_idle_t *idle) {
  struct ww_daemon *d = idle->data;
  struct ww_now now = ww_daemon_now(d);
  bool more = !d->stopping && ww_engine_work(d->engine, JUDGE_SLICE, now);
  more = ww_station_io_pump(d->station, NULL) || more;
  if (!more)
    uv_idle_stop(idle);
}

void ww_daemon_busy(struct ww_daemon *daemon) {
  if (!uv_is_closing((uv_handle_t *)&daemon->busy))
    uv_idle_start(&daemon->busy, on_busy);
}

/* ---- the end ---- */

static void on_stop_timer(uv_timer_t *timer) {
  struct ww_daemon *d = timer->data;
  ww_daemon_now(d);
  ww_daemon_stations_ended(d);
}

void ww_daemon_stop(struct ww_daemon *daemon, bool failed) {
  struct ww_daemon *d = daemon;
  if (d->stopping)
    return;
  d->stopping = true;
  d->failed = failed;
  ww_control_stop(d->control);
  d->control = NULL;
  ww_bmp_io_stop(d->bmp);
  ww_rtr_io_stop(d->rtr);
  ww_rtr_server_io_stop(d->rtr_server);
  ww_payload_io_stop(d->payload);
  ww_slurm_io_stop(d->slurm);
  ww_pipeline_stop(d->pipeline);
  uv_timer_start(&d->stop_timer, on_stop_timer, STOP_MS, 0);
  if (d->station)
    ww_station_io_stop(d->station);
  else
    ww_daemon_stations_ended(d);
}

void ww_daemon_stations_ended(struct ww_daemon *daemon) {
  struct ww_daemon *d = daemon;
  if (uv_is_closing((uv_handle_t *)&d->stop_timer))
    return;
  uv_close((uv_handle_t *)&d->stop_timer, NULL);
  if (d->station)
    ww_station_io_abort(d->station);
  uv_close((uv_handle_t *)&d->busy, NULL);
  uv_close((uv_handle_t *)&d->on_term, NULL);
  uv_close((uv_handle_t *)&d->on_int, NULL);
  uv_close((uv_handle_t *)&d->on_hup, NULL);
}

/* ---- signals ---- */

static void on_stop_signal(uv_signal_t *handle, int number) {
  struct ww_daemon *d = handle->data;
  ww_daemon_now(d);
  ww_log(&d->log, WW_LOG_NOTICE, "stopping: %s", number == SIGTERM ? "TERM" : "INT");
  ww_daemon_stop(d, false);
}

/* What waywarden.conf(5) says of HUP: SLURM and payload files, static entries, certificates, log-level. */
static void on_hup_signal(uv_signal_t *handle, int number) {
  struct ww_daemon *d = handle->data;
  struct ww_config *fresh;
  struct ww_diag diag;
  (void)number;
  ww_daemon_now(d);
  if (ww_config_load(d->config->path, &fresh, &diag) != WW_OK) {
    ww_log(&d->log, WW_LOG_ERROR, "%s:%u: %s; the previous configuration stays in force", d->config->path, diag.line,
           diag.text);
  } else {
    ww_log(&d->log, WW_LOG_NOTICE, "%s read again", d->config->path);
    d->log.level = d->config->log_level = fresh->log_level;
    if (d->config->has_static) /* without entries now: an empty set */
      ww_payload_io_statics(d->payload, &fresh->statics);
    else if (fresh->has_static)
      ww_log(&d->log, WW_LOG_WARNING, "the static section is new: it takes a restart");
    ww_slurm_io_reload(d->slurm, fresh->slurm, fresh->slurm_count, fresh->slurm_strict);
    ww_config_free(fresh);
  }
  ww_station_io_reload(d->station);
  ww_rtr_server_io_reload(d->rtr_server);
  ww_rtr_io_reload(d->rtr);
  ww_payload_io_refresh(d->payload);
}

/* ---- the start ---- */

static void on_pipeline_started(void *ctx) {
  struct ww_daemon *d = ctx;
  ww_rtr_io_start(d->rtr);
  ww_payload_io_start(d->payload);
  ww_slurm_io_start(d->slurm);
}

static bool start(struct ww_daemon *d) {
  struct ww_diag diag = {0};
  if (!(d->engine = ww_engine_new(&d->log))) {
    ww_log(&d->log, WW_LOG_ERROR, "no memory for the engine");
    return false;
  }
  if (!(d->slurm = ww_slurm_io_new(d)))
    return false;
  if (ww_pipeline_new(d, &d->pipeline, &diag) != WW_OK) {
    ww_log(&d->log, WW_LOG_ERROR, "%s", diag.text);
    return false;
  }
  if (!(d->rtr = ww_rtr_io_new(d)) || !(d->rtr_server = ww_rtr_server_io_new(d)) ||
      !(d->payload = ww_payload_io_new(d)) || !(d->bmp = ww_bmp_io_new(d)) || !(d->station = ww_station_io_new(d))) {
    ww_log(&d->log, WW_LOG_ERROR, "no memory");
    return false;
  }
  if (!ww_rtr_io_load(d->rtr) || !ww_station_io_start(d->station) || !ww_bmp_io_start(d->bmp) ||
      !ww_rtr_server_io_start(d->rtr_server))
    return false;
  if (d->config->control && !(d->control = ww_control_new(d, d->config->control)))
    return false;
  return ww_pipeline_start(d->pipeline, ww_slurm_io_take(d->slurm), on_pipeline_started, d);
}

static void watch_signal(struct ww_daemon *d, uv_signal_t *handle, uv_signal_cb callback, int number) {
  uv_signal_init(&d->loop, handle);
  handle->data = d;
  uv_signal_start(handle, callback, number);
}

bool ww_daemon_run(struct ww_config *config, struct ww_log log) {
  struct ww_daemon *d = calloc(1, sizeof(*d));
  if (!d || uv_loop_init(&d->loop) != 0) {
    ww_log(&log, WW_LOG_ERROR, "no event loop");
    ww_config_free(config);
    free(d);
    return false;
  }
  d->config = config;
  d->log = log;
  d->started = ww_daemon_now(d);
  uv_idle_init(&d->loop, &d->busy);
  uv_timer_init(&d->loop, &d->stop_timer);
  d->busy.data = d->stop_timer.data = d;
  watch_signal(d, &d->on_term, on_stop_signal, SIGTERM);
  watch_signal(d, &d->on_int, on_stop_signal, SIGINT);
  watch_signal(d, &d->on_hup, on_hup_signal, SIGHUP);
  ww_log(&d->log, WW_LOG_NOTICE, "waywarden %s starts", WW_VERSION);
  if (!start(d))
    ww_daemon_stop(d, true);
  uv_run(&d->loop, UV_RUN_DEFAULT);
  bool ok = !d->failed;
  ww_station_io_free(d->station);
  ww_bmp_io_free(d->bmp);
  ww_payload_io_free(d->payload);
  ww_slurm_io_free(d->slurm);
  ww_rtr_io_free(d->rtr);
  ww_rtr_server_io_free(d->rtr_server);
  ww_pipeline_free(d->pipeline);
  ww_engine_free(d->engine);
  uv_loop_close(&d->loop);
  if (ok)
    ww_log(&d->log, WW_LOG_NOTICE, "stopped");
  ww_config_free(d->config);
  free(d);
  return ok;
}
