/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Error names and diagnostics.
 *
 * A failure is an enum; what a person needs beside it is a ww_diag that the caller owns and may leave out. Formatting
 * costs only callers who passed one. Diagnostics quote hostile input, so control characters never get through.
 */
#include <waywarden/error.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/text.h"

/* Octets of the character at `p` when it is well-formed UTF-8 (RFC 3629 §4), else 0. Octets after the end are not
 * looked at: none that ends a text continues a character. */
unsigned ww_utf8_octets(const unsigned char *p) {
  unsigned n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
  for (unsigned i = 1; i < n; i++)
    if ((p[i] & 0xc0) != 0x80)
      return 0;
  bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
  bool surrogate = p[0] == 0xed && p[1] >= 0xa0, beyond = p[0] == 0xf4 && p[1] >= 0x90;
  return overlong || surrogate || beyond ? 0 : n;
}

void ww_text_one_line(char *text) {
  unsigned char *p = (unsigned char *)text;
  while (*p) {
    unsigned n = ww_utf8_octets(p);
    bool control = (n == 1 && (*p < 0x20 || *p == 0x7f)) || (n == 2 && p[0] == 0xc2 && p[1] < 0xa0);
    if (n && !control) {
      p += n;
      continue;
    }
    for (unsigned i = n ? n : 1; i > 0; i--)
      *p++ = '?';
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
