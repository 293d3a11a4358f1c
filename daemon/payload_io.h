/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payload files and static entries: reads them in the worker, looks for changes, and hands whole sets to the pipeline.
 */
#ifndef WW_DAEMON_PAYLOAD_IO_H
#define WW_DAEMON_PAYLOAD_IO_H

#include "daemon/daemon.h"

/* Adds the configured files, and the static section if there is one, to the pipeline. */
struct ww_payload_io *ww_payload_io_new(struct ww_daemon *daemon);
void ww_payload_io_start(struct ww_payload_io *io);   /* after the pipeline has started */
void ww_payload_io_refresh(struct ww_payload_io *io); /* reads every file now, changed or not */
/* New static entries (taken), from a configuration read again. */
void ww_payload_io_statics(struct ww_payload_io *io, struct ww_payloads *statics);
void ww_payload_io_stop(struct ww_payload_io *io);
void ww_payload_io_free(struct ww_payload_io *io); /* after the loop has ended */

#endif
