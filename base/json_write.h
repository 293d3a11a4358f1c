/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON text, written member by member to the end of a buffer. For what is written by the million; see json_write.c.
 *
 * Every call takes the key of the member, or NULL for a value that has none: an element of an array, or the document.
 * Keys are written as they are: they are ours, and have nothing to escape. They ought to be literals, so that the
 * compiler knows their length. Failures are sticky and told by ww_jsonw_end().
 */
#ifndef WW_BASE_JSON_WRITE_H
#define WW_BASE_JSON_WRITE_H

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/decimal.h"

struct ww_jsonw {
  struct ww_buf *out;
  char *p, *end; /* room in *out behind its live octets: [p, end) is free */
  size_t before; /* out->len when the document began */
  unsigned depth;
  bool indent, first, failed; /* first: nothing stands yet in the object or array at hand */
};

/* `indent`: for people, two blanks a level, and a newline at the end. Else not a blank that is not in a string. */
void ww_jsonw_begin(struct ww_jsonw *w, struct ww_buf *out, bool indent);
/* WW_OK and the document is at the end of the buffer; or WW_ERR_NOMEM (also for a buffer's bound), and nothing is. */
enum ww_err ww_jsonw_end(struct ww_jsonw *w) WW_MUST_USE;

void ww_jsonw_open(struct ww_jsonw *w, const char *key, char bracket); /* '{' or '[' */
void ww_jsonw_close(struct ww_jsonw *w, char bracket);                 /* '}' or ']' */
/* Any text, NUL-terminated. What is not of well-formed UTF-8 becomes U+FFFD, an octet at a time. */
void ww_jsonw_text(struct ww_jsonw *w, const char *key, const char *value);

/* --- what follows is for the functions below ---------------------------------------------------------------------- */

char *ww_jsonw_more(struct ww_jsonw *w, size_t n);
void ww_jsonw_new_line(struct ww_jsonw *w);

/* Room for n octets, or NULL. */
static inline char *ww_jsonw_room(struct ww_jsonw *w, size_t n) {
  return (size_t)(w->end - w->p) >= n ? w->p : ww_jsonw_more(w, n);
}

/* Puts the comma, the line's start and the key, and returns room for n octets behind them, or NULL. */
static inline char *ww_jsonw_member(struct ww_jsonw *w, const char *key, size_t n) {
  size_t key_len = key ? strlen(key) : 0;
  char *p;
  if (w->indent)
    ww_jsonw_new_line(w);
  p = ww_jsonw_room(w, key_len + 5 + n);
  if (!p)
    return NULL;
  *p = ',';
  p += !w->first && !w->indent;
  w->first = false;
  if (key) {
    *p++ = '"';
    memcpy(p, key, key_len);
    p += key_len;
    *p++ = '"';
    *p++ = ':';
    *p = ' ';
    p += w->indent;
  }
  return p;
}

/* --- values ---------------------------------------------------------------------------------------------------------
 */

static inline void ww_jsonw_u32(struct ww_jsonw *w, const char *key, uint32_t value) {
  char *p = ww_jsonw_member(w, key, WW_DECIMAL_MAX);
  if (p)
    w->p = ww_decimal_u32(p, value);
}

/* null, true, false: as it is. */
static inline void ww_jsonw_raw(struct ww_jsonw *w, const char *key, const char *value) {
  size_t len = strlen(value);
  char *p = ww_jsonw_member(w, key, len);
  if (p) {
    memcpy(p, value, len);
    w->p = p + len;
  }
}

/* A string that is ours: a word, a number, a prefix, with nothing to escape. */
static inline void ww_jsonw_word(struct ww_jsonw *w, const char *key, const char *value) {
  size_t len = strlen(value);
  char *p = ww_jsonw_member(w, key, len + 2);
  if (p) {
    *p++ = '"';
    memcpy(p, value, len);
    p += len;
    *p++ = '"';
    w->p = p;
  }
}

#endif
