/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formats a line and hands it to the sink it was given. A line longer than the buffer is cut and ends in "...".
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { LOG_LINE_MAX = 1024 };

void ww_log(const struct ww_log *log, enum ww_log_level level, const char *fmt, ...) {
  if (!log || !log->emit || level > log->level)
    return;
  char text[LOG_LINE_MAX];
  va_list args;
  va_start(args, fmt);
  int n = vsnprintf(text, sizeof(text), fmt, args);
  va_end(args);
  if (n < 0)
    return;
  if ((size_t)n >= sizeof(text))
    memcpy(text + sizeof(text) - 4, "...", 4);
  ww_text_one_line(text);
  log->emit(log->ctx, level, text);
}

const char *ww_log_level_name(enum ww_log_level level) {
  switch (level) {
  case WW_LOG_ERROR:
    return "error";
  case WW_LOG_WARNING:
    return "warning";
  case WW_LOG_NOTICE:
    return "notice";
  case WW_LOG_INFO:
    return "info";
  case WW_LOG_DEBUG:
    return "debug";
  }
  return "unknown";
}
