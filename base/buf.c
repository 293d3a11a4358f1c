/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One contiguous allocation with the live octets somewhere inside it. Room is made by moving them to the front when at
 * least as many octets were taken as would have to move, by growing otherwise: both cost O(1) per octet added. For that
 * to hold at the bound too, the allocation may reach twice `max`; the live octets never pass `max`.
 */
#include "base/buf.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST = 512, BUF_KEEP_WHEN_EMPTY = 256 * 1024 };

void ww_buf_init(struct ww_buf *buf, size_t max) { *buf = (struct ww_buf){.max = max}; }

void ww_buf_fini(struct ww_buf *buf) {
  free(buf->data);
  ww_buf_init(buf, buf->max);
}

static bool over_max(const struct ww_buf *buf, size_t n) {
  return n > SIZE_MAX / 4 - buf->len || (buf->max && buf->len + n > buf->max);
}

static bool grow(struct ww_buf *buf, size_t need) {
  size_t cap = buf->cap ? buf->cap : BUF_FIRST;
  while (cap < need)
    cap *= 2;
  if (buf->max && buf->max < SIZE_MAX / 4 && cap > 2 * buf->max)
    cap = 2 * buf->max;
  uint8_t *data = malloc(cap);
  if (!data)
    return false;
  if (buf->data)
    memcpy(data, buf->data + buf->head, buf->len);
  free(buf->data);
  buf->data = data;
  buf->cap = cap;
  buf->head = 0;
  return true;
}

uint8_t *ww_buf_reserve(struct ww_buf *buf, size_t n) {
  if (over_max(buf, n))
    return NULL;
  if (!buf->data || buf->cap - buf->head - buf->len < n) {
    if (buf->data && buf->head >= buf->len && buf->cap - buf->len >= n) {
      memmove(buf->data, buf->data + buf->head, buf->len);
      buf->head = 0;
    } else if (!grow(buf, (buf->head < buf->len ? buf->head : 0) + buf->len + n)) {
      return NULL;
    }
  }
  return buf->data + buf->head + buf->len;
}

void ww_buf_commit(struct ww_buf *buf, size_t n) {
  assert(n <= buf->cap - buf->head - buf->len);
  buf->len += n;
}

enum ww_err ww_buf_append(struct ww_buf *buf, const void *data, size_t n) {
  if (!n)
    return WW_OK;
  if (over_max(buf, n))
    return WW_ERR_LIMIT;
  uint8_t *p = ww_buf_reserve(buf, n);
  if (!p)
    return WW_ERR_NOMEM;
  memcpy(p, data, n);
  ww_buf_commit(buf, n);
  return WW_OK;
}

void ww_buf_consume(struct ww_buf *buf, size_t n) {
  assert(n <= buf->len);
  buf->head += n;
  buf->len -= n;
  if (!buf->len)
    ww_buf_clear(buf);
}

void ww_buf_clear(struct ww_buf *buf) {
  /* A queue that once was long does not keep its memory. */
  if (buf->cap > BUF_KEEP_WHEN_EMPTY) {
    free(buf->data);
    buf->data = NULL;
    buf->cap = 0;
  }
  buf->head = buf->len = 0;
}
