/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the sans-I/O rooms say what an operator should know. They are handed a sink and never print themselves.
 * A NULL sink is silence. One call is one line; text has no newline.
 */
#ifndef WW_BASE_LOG_H
#define WW_BASE_LOG_H

#include <waywarden/error.h>

enum ww_log_level { WW_LOG_ERROR, WW_LOG_WARNING, WW_LOG_NOTICE, WW_LOG_INFO, WW_LOG_DEBUG };

struct ww_log {
  void (*emit)(void *ctx, enum ww_log_level level, const char *text);
  void *ctx;
  enum ww_log_level level; /* lines above it are dropped unformatted */
};

void ww_log(const struct ww_log *log, enum ww_log_level level, const char *fmt, ...) WW_PRINTF(3, 4);
const char *ww_log_level_name(enum ww_log_level level);

#endif
