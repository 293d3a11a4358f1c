/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WW_CLI_ROUTE_FLAT_H
#define WW_CLI_ROUTE_FLAT_H

#include "cli/route_input.h"

/* Fills the query from a line that is a plain object and returns true; false: not plain, let jansson judge it. `out` is
 * cleared by the caller; on false its contents are of no use. */
bool ww_route_flat(struct ww_route_query *out, const struct ww_route_defaults *defaults, const char *line, size_t len);

/* The path octets are there: origin, ASNs and flags of the query from them. */
void ww_route_take_path(struct ww_route_query *out, uint32_t local_as);

#endif
