/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routes to be judged, as people and programs write them.
 */
#ifndef WW_CLI_ROUTE_INPUT_H
#define WW_CLI_ROUTE_INPUT_H

#include <stdio.h>
#include <waywarden/verdict.h>

enum { WW_ROUTE_PATH_MAX = 4096 };

struct ww_route_query {
  struct ww_prefix prefix;
  struct ww_origin origin;
  bool has_path;
  size_t path_len;
  uint8_t path[WW_ROUTE_PATH_MAX]; /* canonical octets (wire/bgp.h) */
};

/* Each fills `out`, or says why not in *diag. */
enum ww_err ww_route_from_asn(struct ww_route_query *out, const char *prefix, const char *asn,
                              struct ww_diag *diag) WW_MUST_USE;
enum ww_err ww_route_from_path(struct ww_route_query *out, const char *prefix, const char *path, uint32_t local_as,
                               struct ww_diag *diag) WW_MUST_USE;

/*
 * Reads routes from `in` and calls `visit` for each; a result other than 0 of it ends the reading. Lines are
 *   PREFIX => ASN     PREFIX ASN     ADDRESS LENGTH ASN     {"prefix": , "asn" or "origin" or "as_path": }
 * or the whole is one object {"routes": [ ... ]} of such objects. Blank lines and those that begin with # are passed
 * over. A bad one is named on standard error as "NAME:LINE: why" and counted in *bad; the others go on.
 */
int ww_routes_read(FILE *in, const char *command, const char *name, uint32_t local_as,
                   int (*visit)(void *ctx, const struct ww_route_query *query), void *ctx, size_t *bad);

#endif
