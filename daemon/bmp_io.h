/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listens for routers' BMP sessions and leads each to its router in the engine.
 */
#ifndef WW_DAEMON_BMP_IO_H
#define WW_DAEMON_BMP_IO_H

#include "daemon/daemon.h"
#include "engine/engine.h"

enum {
  WW_BMP_CONNECTIONS_MAX = 256,
  WW_ROUTERS_MAX = 256,
  WW_BMP_GREETING_MAX = 64 * 1024, /* octets before Initiation must have come */
};

struct ww_bmp_io;
struct ww_router;

struct ww_bmp_io *ww_bmp_io_new(struct ww_daemon *daemon);
bool ww_bmp_io_start(struct ww_bmp_io *io); /* false: cannot listen; said to the log */
void ww_bmp_io_stop(struct ww_bmp_io *io);
void ww_bmp_io_free(struct ww_bmp_io *io); /* after the loop has ended, before the engine */

/* Routers that have been heard since the start, in order; NULL at the end. */
struct ww_router *ww_bmp_io_router(const struct ww_bmp_io *io, size_t i);
struct ww_engine_router *ww_router_engine(const struct ww_router *router);
const char *ww_router_name(const struct ww_router *router);
/* What a status wants to know. `peer` is NULL while no connection is there. */
struct ww_router_status {
  const char *peer;
  int64_t since; /* Unix seconds of the last change of connection */
  uint64_t connects;
  struct ww_bmp_feed_stats feed; /* of this connection */
  const char *last_error;        /* "" none */
};
void ww_router_status(const struct ww_router *router, struct ww_router_status *out);
/* Stops and resumes reading from the router: a station needs a moment to keep up. */
void ww_router_pause(struct ww_router *router, bool pause);

#endif
