/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket: questions to a running daemon. A Unix socket of mode 0600; one JSON object a line each way.
 */
#ifndef WW_DAEMON_CONTROL_H
#define WW_DAEMON_CONTROL_H

#include "daemon/daemon.h"

/* NULL: cannot listen; said to the log. */
struct ww_control *ww_control_new(struct ww_daemon *daemon, const char *path);
void ww_control_stop(struct ww_control *control); /* frees it too; NULL is fine */

#endif
