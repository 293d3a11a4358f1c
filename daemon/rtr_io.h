/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gives each configured RTR cache its connection: TCP, time, and the way into the pipeline for ww_rtr_client.
 */
#ifndef WW_DAEMON_RTR_IO_H
#define WW_DAEMON_RTR_IO_H

#include "daemon/daemon.h"
#include "sources/rtr_client.h"

/* Adds the configured caches to the pipeline. */
struct ww_rtr_io *ww_rtr_io_new(struct ww_daemon *daemon);
void ww_rtr_io_start(struct ww_rtr_io *io); /* after the pipeline has started */
void ww_rtr_io_stop(struct ww_rtr_io *io);
void ww_rtr_io_free(struct ww_rtr_io *io); /* after the loop has ended */

/* The client of a source of the pipeline; false when the source is no cache. */
bool ww_rtr_io_stats(const struct ww_rtr_io *io, int source, struct ww_rtr_client_stats *out);

#endif
