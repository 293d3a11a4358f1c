/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WAYWARDEN_ERROR_H
#define WAYWARDEN_ERROR_H

/**
 * @file
 * What can go wrong, kept apart from what a protocol asks for (dispositions, wire/bgp.h) and from what was decided
 * about a route (verdicts, verdict.h).
 */
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WW_MUST_USE __attribute__((warn_unused_result))
#define WW_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define WW_EXPORT __attribute__((visibility("default")))
#else
#define WW_MUST_USE
#define WW_PRINTF(fmt, args)
#define WW_EXPORT
#endif

enum ww_err {
  WW_OK = 0,
  WW_ERR_NOMEM,       /**< memory ran out */
  WW_ERR_INVAL,       /**< the caller's arguments make no sense */
  WW_ERR_SHORT,       /**< input ends early: more bytes may complete it */
  WW_ERR_MALFORMED,   /**< input breaks its format and no further bytes will mend it */
  WW_ERR_LIMIT,       /**< a named limit was exceeded */
  WW_ERR_UNSUPPORTED, /**< well formed, but of a version or kind that is not handled here */
  WW_ERR_VERSION,     /**< stored data was written under another schema version */
  WW_ERR_NOTFOUND,
  WW_ERR_EXISTS,
  WW_ERR_STATE,    /**< not allowed in the present state */
  WW_ERR_FULL,     /**< an output does not fit: split and try again */
  WW_ERR_NOTREADY, /**< no complete payload data yet */
  WW_ERR_IO,       /**< the system refused; the diagnostic has its words */
};

/** The error as a short lower-case phrase. Static storage. */
WW_EXPORT const char *ww_err_name(enum ww_err err);

/**
 * Where and why something failed. Every function that takes one accepts NULL. `text` is one line without a final dot;
 * `offset` counts octets from the start of the input handed to that function, `line` text lines from 1 (0: not a text).
 */
struct ww_diag {
  size_t offset;
  unsigned line;
  const char *clause; /**< e.g. "RFC 4271 §6.3", static storage, or NULL */
  char text[240];
};

/** Fills `diag` (NULL is fine) and returns `err`, so that a failing path is one statement. */
WW_EXPORT enum ww_err ww_fail(struct ww_diag *diag, enum ww_err err, size_t offset, const char *clause, const char *fmt,
                              ...) WW_PRINTF(5, 6);

#ifdef __cplusplus
}
#endif
#endif
