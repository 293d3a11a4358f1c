/* SPDX-License-Identifier: BSD-2-Clause */
/* The control command `routes`: routes as they are and as they were judged, for a client that reckons with them. */
#ifndef WW_DAEMON_CONTROL_ROUTES_H
#define WW_DAEMON_CONTROL_ROUTES_H

#include <jansson.h>

#include "daemon/daemon.h"

/* The answer, an object; NULL when memory ran out. */
json_t *ww_control_routes(struct ww_daemon *daemon, json_t *request);

#endif
