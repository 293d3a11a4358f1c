/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gives each configured RTR cache its connection: transport, time, and the way into the pipeline for ww_rtr_client.
 */
#ifndef WW_DAEMON_RTR_IO_H
#define WW_DAEMON_RTR_IO_H

#include "daemon/daemon.h"
#include "sources/rtr_client.h"

/* Adds the configured caches to the pipeline. */
struct ww_rtr_io *ww_rtr_io_new(struct ww_daemon *daemon);
/* Reads keys and certificates; false when some cannot be used, said to the log. */
bool ww_rtr_io_load(struct ww_rtr_io *io);
/* Again, for connections that begin from then on. What cannot be used leaves the previous ones in use. */
void ww_rtr_io_reload(struct ww_rtr_io *io);
void ww_rtr_io_start(struct ww_rtr_io *io); /* after the pipeline has started */
void ww_rtr_io_stop(struct ww_rtr_io *io);
void ww_rtr_io_free(struct ww_rtr_io *io); /* after the loop has ended */

/* The client of a source of the pipeline; false when the source is no cache. */
bool ww_rtr_io_stats(const struct ww_rtr_io *io, int source, struct ww_rtr_client_stats *out);

/* The connection of a cache. "" where there is nothing to say; texts live until the loop runs on. */
struct ww_rtr_link {
  const char *transport; /* as configured */
  const char *address;   /* connected to */
  const char *agreed;    /* what TLS or SSH agreed on */
};
bool ww_rtr_io_link(const struct ww_rtr_io *io, int source, struct ww_rtr_link *out);

#endif
