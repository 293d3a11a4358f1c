/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WW_DAEMON_CONTROL_EXPLAIN_H
#define WW_DAEMON_CONTROL_EXPLAIN_H

#include <jansson.h>

#include "daemon/daemon.h"

struct ww_engine_route;
struct ww_out_route;
struct ww_as_path;

/* For whoever else answers about routes: the AS_PATH among a route's attributes, false when there is none; and the role
 * that its session is verified with (enum ww_role). */
bool ww_control_route_path(const struct ww_out_route *route, struct ww_as_path *path);
uint8_t ww_control_role_taken(const struct ww_engine_route *route);

/*
 * Answers {"command":"explain","prefix":"..."}: every route of the prefix, each with its verdict under the present
 * data; with "peer" (an address) only that neighbor's. With "asn" or "as_path" (text), and "role" and "neighbor_as"
 * where the path is to be verified, the verdict of a route that need not be there. NULL when memory runs out.
 */
json_t *ww_control_explain(struct ww_daemon *daemon, json_t *request);

#endif
