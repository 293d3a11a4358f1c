/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A verdict as JSON: the one rendering that the command line, the vectors and the control socket share. The schema is
 * in docs/formats/verdict.md.
 */
#ifndef WW_VALIDATOR_VERDICT_JSON_H
#define WW_VALIDATOR_VERDICT_JSON_H

#include <waywarden/verdict.h>

#include "base/buf.h"

/* What is to be shown. Everything is borrowed. */
struct ww_verdict_view {
  struct ww_prefix prefix;
  const uint8_t *as_path; /* canonical octets (wire/bgp.h), or NULL: no path is known */
  size_t as_path_len;
  struct ww_origin origin;
  uint32_t neighbor_as; /* 0: not known */
  const struct ww_verdict *verdict;
  const char *(*source_name)(void *ctx, ww_source_id source); /* "" or NULL: the number is shown */
  void *ctx;
};

/* Appends one object: on one line without its end, or indented, for people, with its end. WW_ERR_NOMEM (then *out is as
 * it was). */
enum ww_err ww_verdict_json(struct ww_buf *out, const struct ww_verdict_view *view, bool indent) WW_MUST_USE;

enum { WW_TIME_STRLEN = 32 }; /* with the final NUL */
/* RFC 3339 in UTC. Times beyond the year 9999 become its last second. Returns buf[WW_TIME_STRLEN]. */
char *ww_time_format(int64_t unix_sec, char *buf);

#endif
