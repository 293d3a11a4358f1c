/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon: what its parts share, and how it is run. Everything here belongs to the loop's thread.
 *
 *   rtr_io, payload_io, slurm_io -> pipeline -> engine -> station_io
 *                                            -> rtr_server_io
 *                          bmp_io ------------>
 */
#ifndef WW_DAEMON_DAEMON_H
#define WW_DAEMON_DAEMON_H

#include <uv.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/config.h"

struct ww_engine;
struct ww_pipeline;
struct ww_rtr_io;
struct ww_rtr_server_io;
struct ww_payload_io;
struct ww_slurm_io;
struct ww_bmp_io;
struct ww_station_io;
struct ww_control;

struct ww_daemon {
  uv_loop_t loop;
  struct ww_log log;
  struct ww_config *config;
  struct ww_now now; /* of the callback under way: ww_daemon_now() */
  struct ww_now started;
  struct ww_engine *engine;
  struct ww_pipeline *pipeline;
  struct ww_rtr_io *rtr;
  struct ww_rtr_server_io *rtr_server;
  struct ww_payload_io *payload;
  struct ww_slurm_io *slurm;
  struct ww_bmp_io *bmp;
  struct ww_station_io *station;
  struct ww_control *control;
  uv_idle_t busy;
  uv_signal_t on_term, on_int, on_hup;
  uv_timer_t stop_timer;
  bool stopping, failed;
};

/* Runs until TERM or INT. Takes the configuration. False: it could not start, and said why to the log. */
bool ww_daemon_run(struct ww_config *config, struct ww_log log);

/* Reads the clock into daemon->now; each callback from the loop begins with it. */
struct ww_now ww_daemon_now(struct ww_daemon *daemon);
/* There is work for between I/O: routes to judge, octets to send. It is done in slices from the loop. */
void ww_daemon_busy(struct ww_daemon *daemon);
/* Begins to stop: stations are told, then everything ends. `failed`: because of something that cannot be mended. */
void ww_daemon_stop(struct ww_daemon *daemon, bool failed);
/* Every station has been told, or there was none: ends what is left. */
void ww_daemon_stations_ended(struct ww_daemon *daemon);

#endif
