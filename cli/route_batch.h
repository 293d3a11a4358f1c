/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many routes from a file or a pipe, answered in order by several threads.
 */
#ifndef WW_CLI_ROUTE_BATCH_H
#define WW_CLI_ROUTE_BATCH_H

#include "base/buf.h"
#include "cli/route_input.h"

enum { WW_BATCH_THREADS_MAX = 16 };

struct ww_batch {
  const char *command, *name; /* for messages: the subcommand, and the input */
  struct ww_route_defaults defaults;
  unsigned threads; /* 1..WW_BATCH_THREADS_MAX; 0: as many as there are processors */
  void *ctx;
  /* Writes the answer to *out. Called from several threads at once, each with its own `thread` number. A result other
   * than 0 ends the batch and is returned. */
  int (*answer)(void *ctx, unsigned thread, const struct ww_route_query *query, struct ww_buf *out);
};

/*
 * Reads lines (route_input.h), or one document over several lines, from `fd` to its end. Answers go to standard output,
 * "NAME:LINE: why" for bad ones to standard error; *bad counts them. What has arrived is answered before more is waited
 * for, so that a program may ask over a pipe.
 */
int ww_batch_run(const struct ww_batch *batch, int fd, size_t *bad);

#endif
