/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one checked reader and the one checked writer. Every octet that comes from or goes to a wire passes here.
 *
 * Both are sticky: the first overrun sets a flag, later calls do nothing, and the flag is looked at once, at the end.
 * A getter that runs short returns 0 and moves to the end, so a loop on ww_reader_left() always stops. Integers are
 * in network order. A bounded child (ww_reader_sub) that goes bad leaves its parent sound: that is what lets one bad
 * path attribute be discarded without losing the message's framing (RFC 7606 §4).
 */
#ifndef WW_BASE_BYTES_H
#define WW_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ww_reader {
  const uint8_t *p, *end;
  bool bad;
};

static inline struct ww_reader ww_reader_make(const void *data, size_t len) {
  const uint8_t *p = (const uint8_t *)data;
  return (struct ww_reader){.p = p, .end = len ? p + len : p, .bad = false};
}

static inline size_t ww_reader_left(const struct ww_reader *r) { return (size_t)(r->end - r->p); }

/* Octets read so far, given where the input began: for diagnostics. */
static inline size_t ww_reader_offset(const struct ww_reader *r, const void *start) {
  return (size_t)(r->p - (const uint8_t *)start);
}

/* Borrows the next n octets, or NULL (and the reader is bad). n == 0 gives a non-NULL pointer unless data was NULL. */
static inline const uint8_t *ww_reader_take(struct ww_reader *r, size_t n) {
  if (ww_reader_left(r) < n) {
    r->bad = true;
    r->p = r->end;
    return NULL;
  }
  const uint8_t *p = r->p;
  if (n)
    r->p += n;
  return p;
}

static inline uint8_t ww_reader_u8(struct ww_reader *r) {
  const uint8_t *p = ww_reader_take(r, 1);
  return p ? p[0] : 0;
}

static inline uint16_t ww_reader_u16(struct ww_reader *r) {
  const uint8_t *p = ww_reader_take(r, 2);
  return p ? (uint16_t)((unsigned)p[0] << 8 | p[1]) : 0;
}

static inline uint32_t ww_reader_u32(struct ww_reader *r) {
  const uint8_t *p = ww_reader_take(r, 4);
  return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t ww_reader_u64(struct ww_reader *r) {
  if (ww_reader_left(r) < 8) {
    (void)ww_reader_take(r, 8);
    return 0;
  }
  uint64_t hi = ww_reader_u32(r);
  return hi << 32 | ww_reader_u32(r);
}

/* Copies n octets; zero-fills dst when they are not there. */
static inline void ww_reader_bytes(struct ww_reader *r, void *dst, size_t n) {
  const uint8_t *p = ww_reader_take(r, n);
  if (p && n)
    memcpy(dst, p, n);
  else if (n)
    memset(dst, 0, n);
}

/* A child bounded to the next n octets; the parent moves past them. Too short: both are bad, the child empty. */
static inline struct ww_reader ww_reader_sub(struct ww_reader *r, size_t n) {
  const uint8_t *p = ww_reader_take(r, n);
  if (!p)
    return (struct ww_reader){.p = r->end, .end = r->end, .bad = r->bad};
  return ww_reader_make(p, n);
}

/* Ends a decode: true when nothing overran and nothing is left over. */
static inline bool __attribute__((warn_unused_result)) ww_reader_done(const struct ww_reader *r) {
  return !r->bad && r->p == r->end;
}

/*
 * buf == NULL measures: nothing is stored, len counts. Otherwise running past cap sets overflow and stores no more,
 * and len stays at what was stored before.
 */
struct ww_writer {
  uint8_t *buf;
  size_t cap, len;
  bool overflow;
};

static inline struct ww_writer ww_writer_make(void *buf, size_t cap) {
  return (struct ww_writer){.buf = (uint8_t *)buf, .cap = buf ? cap : SIZE_MAX, .len = 0, .overflow = false};
}

/* Room for n octets, or NULL when measuring or full. */
static inline uint8_t *ww_writer_put(struct ww_writer *w, size_t n) {
  if (w->overflow || w->cap - w->len < n) {
    w->overflow = true;
    return NULL;
  }
  uint8_t *p = w->buf ? w->buf + w->len : NULL;
  w->len += n;
  return p;
}

static inline void ww_writer_u8(struct ww_writer *w, uint8_t v) {
  uint8_t *p = ww_writer_put(w, 1);
  if (p)
    p[0] = v;
}

static inline void ww_writer_u16(struct ww_writer *w, uint16_t v) {
  uint8_t *p = ww_writer_put(w, 2);
  if (p) {
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
  }
}

static inline void ww_writer_u32(struct ww_writer *w, uint32_t v) {
  uint8_t *p = ww_writer_put(w, 4);
  if (p) {
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
  }
}

static inline void ww_writer_u64(struct ww_writer *w, uint64_t v) {
  ww_writer_u32(w, (uint32_t)(v >> 32));
  ww_writer_u32(w, (uint32_t)v);
}

static inline void ww_writer_bytes(struct ww_writer *w, const void *src, size_t n) {
  uint8_t *p = ww_writer_put(w, n);
  if (p && n)
    memcpy(p, src, n);
}

static inline void ww_writer_zero(struct ww_writer *w, size_t n) {
  uint8_t *p = ww_writer_put(w, n);
  if (p && n)
    memset(p, 0, n);
}

/* Back-patching: remember `at = w->len`, write a placeholder, later patch it. Out of range sets overflow. */
static inline void ww_writer_patch_u16(struct ww_writer *w, size_t at, size_t v) {
  if (w->overflow || v > UINT16_MAX || w->len < 2 || at > w->len - 2) {
    w->overflow = true;
    return;
  }
  if (w->buf) {
    w->buf[at] = (uint8_t)(v >> 8);
    w->buf[at + 1] = (uint8_t)v;
  }
}

static inline void ww_writer_patch_u32(struct ww_writer *w, size_t at, size_t v) {
  if (w->overflow || v > UINT32_MAX || w->len < 4 || at > w->len - 4) {
    w->overflow = true;
    return;
  }
  if (w->buf) {
    w->buf[at] = (uint8_t)(v >> 24);
    w->buf[at + 1] = (uint8_t)(v >> 16);
    w->buf[at + 2] = (uint8_t)(v >> 8);
    w->buf[at + 3] = (uint8_t)v;
  }
}

#endif
