/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routes to be judged, as people and programs write them: one line, or one object, at a time.
 */
#ifndef WW_CLI_ROUTE_INPUT_H
#define WW_CLI_ROUTE_INPUT_H

#include <waywarden/aspa.h>

enum { WW_ROUTE_PATH_MAX = 4096 };

struct ww_route_query {
  struct ww_prefix prefix;
  struct ww_origin origin;
  bool has_path;
  size_t path_len;                 /* of `path` */
  struct ww_aspa_path aspa;        /* of the path; its ASNs are `asns` */
  struct ww_aspa_session session;  /* role WW_ROLE_NONE: not told */
  uint8_t path[WW_ROUTE_PATH_MAX]; /* canonical octets (wire/bgp.h) */
  uint32_t asns[WW_ROUTE_PATH_MAX / 4];
};

/* What routes do not say themselves. */
struct ww_route_defaults {
  uint32_t local_as;
  struct ww_aspa_session session;
};

/* Each fills `out`, or says why not in *diag. */
enum ww_err ww_route_from_asn(struct ww_route_query *out, const struct ww_route_defaults *defaults, const char *prefix,
                              const char *asn, struct ww_diag *diag) WW_MUST_USE;
enum ww_err ww_route_from_path(struct ww_route_query *out, const struct ww_route_defaults *defaults, const char *prefix,
                               const char *path, struct ww_diag *diag) WW_MUST_USE;

/* A role by its name, or by the procedure that it leads to ("upstream", "downstream"). */
bool ww_role_parse(const char *text, uint8_t *role);
bool ww_direction_parse(const char *text, uint8_t *role);

/* Reads lines or documents and hands out what they hold. The query is only good during the call. */
struct ww_route_reader {
  struct ww_route_defaults defaults;
  void *ctx;
  int (*visit)(void *ctx, const struct ww_route_query *query); /* a result other than 0 ends the reading */
  void (*refuse)(void *ctx, enum ww_err err,
                 const struct ww_diag *diag); /* diag->line: of the input; 0: see the text */
  struct ww_route_query query;
};

/*
 * One line of `len` octets, NUL-terminated, which is written to:
 *   PREFIX => ASN     PREFIX ASN     ADDRESS LENGTH ASN     {"prefix": , "asn" or "origin" or "as_path": , "role": ...}
 * or {"routes": [ ... ]}. Blank lines and those that begin with # are passed over. A bad one is refused.
 */
int ww_route_line(struct ww_route_reader *reader, char *line, size_t len, unsigned number);
/* {"routes": [ ... ]} over several lines. */
int ww_route_document(struct ww_route_reader *reader, const char *text, size_t len);
/* Whether the line holds anything, and if so whether it opens an object that it does not close. */
bool ww_route_line_is_blank(const char *line);
bool ww_route_line_is_cut(const char *line, size_t len);

#endif
