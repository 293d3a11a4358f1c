/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Export: for each station and each router one BMP session of its own, over TLS.
 */
#ifndef WW_DAEMON_STATION_IO_H
#define WW_DAEMON_STATION_IO_H

#include "bmpout/session.h"
#include "daemon/bmp_io.h"
#include "daemon/daemon.h"

struct ww_station_io;

struct ww_station_io *ww_station_io_new(struct ww_daemon *daemon);
bool ww_station_io_start(struct ww_station_io *io); /* loads certificates; false: could not; said to the log */
/* A router was heard for the first time: sessions for it begin. */
void ww_station_io_add_router(struct ww_station_io *io, struct ww_router *router);
/* The router's journal may have grown: writes what sockets take. NULL: every router's. True when there is more to
 * write at once. */
bool ww_station_io_pump(struct ww_station_io *io, struct ww_router *router);
/* Reads certificates, keys and roots again; sessions begun from now on use them. What is bad is logged and not used. */
void ww_station_io_reload(struct ww_station_io *io);
/* Termination to every station, then ww_daemon_stations_ended(). */
void ww_station_io_stop(struct ww_station_io *io);
void ww_station_io_abort(struct ww_station_io *io); /* those that did not take it in time */
void ww_station_io_free(struct ww_station_io *io);  /* after the loop has ended, before the engine's routers */

struct ww_link_status {
  const char *station, *router, *state, *peer, *tls, *last_error;
  uint64_t connects;
  int64_t since;
  bool has_session;
  struct ww_bmpout_stats session;
};
/* The i-th session; false at the end. */
bool ww_station_io_status(const struct ww_station_io *io, size_t i, struct ww_link_status *out);

#endif
