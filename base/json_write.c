/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON text at the end of a buffer. A general generator (yajl's) took four fifths of the time of a bulk answer: it
 * copies everything octet by octet, keeps a state for each level, and prints numbers with printf. Here a member is one
 * test for room and one copy; the caller's code is what nests rightly, and tests read all of it back.
 *
 * The buffer's own length is brought up to date only when room runs out and at the end, so between ww_jsonw_begin() and
 * ww_jsonw_end() nobody else may use it. A document that fails leaves it as it was.
 *
 * Clauses: RFC 8259 §2, §7 (what is escaped), §8.1 (UTF-8).
 */
#include "base/json_write.h"

#include "base/text.h"

enum { ROOM_MIN = 512 };

static void sync(struct ww_jsonw *w) {
  if (w->p)
    w->out->len = (size_t)((uint8_t *)w->p - w->out->data) - w->out->head;
}

void ww_jsonw_begin(struct ww_jsonw *w, struct ww_buf *out, bool indent) {
  *w = (struct ww_jsonw){.out = out, .before = out->len, .indent = indent, .first = true};
}

char *ww_jsonw_more(struct ww_jsonw *w, size_t n) {
  if (w->failed)
    return NULL;
  sync(w);
  size_t generous = n < ROOM_MIN ? ROOM_MIN : n;
  uint8_t *p = ww_buf_reserve(w->out, generous);
  if (!p) { /* close to the buffer's bound: no more than is needed */
    generous = n;
    p = ww_buf_reserve(w->out, n);
  }
  w->failed = !p;
  w->p = (char *)p;
  w->end = p ? w->p + (w->out->max ? generous : w->out->cap - w->out->head - w->out->len) : NULL;
  return w->p;
}

enum ww_err ww_jsonw_end(struct ww_jsonw *w) {
  if (!w->failed && w->indent && ww_jsonw_room(w, 1))
    *w->p++ = '\n';
  if (w->failed)
    w->out->len = w->before;
  else
    sync(w);
  return w->failed ? WW_ERR_NOMEM : WW_OK;
}

/* Where something is to stand on a line of its own: the comma behind what is before it, and its indentation. */
void ww_jsonw_new_line(struct ww_jsonw *w) {
  if (!w->depth)
    return;
  char *p = ww_jsonw_room(w, 2 + 2 * (size_t)w->depth);
  if (!p)
    return;
  if (!w->first)
    *p++ = ',';
  *p++ = '\n';
  memset(p, ' ', 2 * (size_t)w->depth);
  w->p = p + 2 * (size_t)w->depth;
}

void ww_jsonw_open(struct ww_jsonw *w, const char *key, char bracket) {
  char *p = ww_jsonw_member(w, key, 1);
  if (!p)
    return;
  *p++ = bracket;
  w->p = p;
  w->first = true;
  w->depth++;
}

void ww_jsonw_close(struct ww_jsonw *w, char bracket) {
  bool empty = w->first;
  w->depth -= w->depth > 0;
  char *p = ww_jsonw_room(w, 2 + 2 * (size_t)w->depth);
  if (!p)
    return;
  if (w->indent && !empty) {
    *p++ = '\n';
    memset(p, ' ', 2 * (size_t)w->depth);
    p += 2 * (size_t)w->depth;
  }
  *p++ = bracket;
  w->p = p;
  w->first = false;
}

/* --- strings --------------------------------------------------------------------------------------------------------
 */

/* RFC 8259 §7: the quotation mark, the reverse solidus and what is below U+0020 must be escaped. */
static char *escape(char *p, unsigned char c) {
  static const char digits[] = "0123456789ABCDEF";
  *p++ = '\\';
  switch (c) {
  case '\n':
    *p++ = 'n';
    return p;
  case '\r':
    *p++ = 'r';
    return p;
  case '\t':
    *p++ = 't';
    return p;
  case '\b':
    *p++ = 'b';
    return p;
  case '\f':
    *p++ = 'f';
    return p;
  default:
    break;
  }
  if (c >= 0x20) {
    *p++ = (char)c;
    return p;
  }
  memcpy(p, "u00", 3);
  p[3] = digits[c >> 4];
  p[4] = digits[c & 15];
  return p + 5;
}

void ww_jsonw_text(struct ww_jsonw *w, const char *key, const char *value) {
  const unsigned char *s = (const unsigned char *)value;
  char *p = ww_jsonw_member(w, key, 6 * strlen(value) + 2);
  if (!p)
    return;
  *p++ = '"';
  while (*s) {
    if (*s >= 0x20 && *s < 0x80 && *s != '"' && *s != '\\') {
      *p++ = (char)*s++;
    } else if (*s < 0x80) {
      p = escape(p, *s++);
    } else { /* RFC 8259 §8.1: UTF-8, and nothing else */
      unsigned n = ww_utf8_octets(s);
      memcpy(p, n ? (const char *)s : "\xef\xbf\xbd", n ? n : 3);
      p += n ? n : 3;
      s += n ? n : 1;
    }
  }
  *p++ = '"';
  w->p = p;
}
