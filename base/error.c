/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Error names and diagnostics.
 *
 * A failure is an enum; what a person needs beside it is a ww_diag that the caller owns and may leave out. Formatting
 * costs only callers who passed one. Diagnostics quote hostile input, so control characters never get through.
 */
#include <waywarden/error.h>

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

void ww_text_one_line(char *text) {
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c < 0x20 || c == 0x7f)
      *text = '?';
  }
}

const char *ww_err_name(enum ww_err err) {
  switch (err) {
  case WW_OK:
    return "no error";
  case WW_ERR_NOMEM:
    return "out of memory";
  case WW_ERR_INVAL:
    return "invalid argument";
  case WW_ERR_SHORT:
    return "input too short";
  case WW_ERR_MALFORMED:
    return "malformed input";
  case WW_ERR_LIMIT:
    return "limit exceeded";
  case WW_ERR_UNSUPPORTED:
    return "not supported";
  case WW_ERR_VERSION:
    return "other schema version";
  case WW_ERR_NOTFOUND:
    return "not found";
  case WW_ERR_EXISTS:
    return "already exists";
  case WW_ERR_STATE:
    return "not allowed in this state";
  case WW_ERR_FULL:
    return "output full";
  case WW_ERR_NOTREADY:
    return "no complete payload data yet";
  case WW_ERR_IO:
    return "input or output failed";
  }
  return "unknown error";
}

enum ww_err ww_fail(struct ww_diag *diag, enum ww_err err, size_t offset, const char *clause, const char *fmt, ...) {
  if (!diag)
    return err;
  diag->offset = offset;
  diag->line = 0;
  diag->clause = clause;
  va_list args;
  va_start(args, fmt);
  if (vsnprintf(diag->text, sizeof(diag->text), fmt, args) < 0)
    diag->text[0] = '\0';
  va_end(args);
  ww_text_one_line(diag->text);
  return err;
}
