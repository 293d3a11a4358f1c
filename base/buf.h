/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growable octet queue: bytes are added at the end and taken from the front. Stream reassembly and output queues.
 * Growth is bounded by `max` (0: no bound), and hitting it is an error, not a truncation.
 */
#ifndef WW_BASE_BUF_H
#define WW_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <waywarden/error.h>

struct ww_buf {
  uint8_t *data; /* allocation; live octets are data[head .. head+len) */
  size_t head, len, cap, max;
};

void ww_buf_init(struct ww_buf *buf, size_t max);
void ww_buf_fini(struct ww_buf *buf);
/* Makes room for n more contiguous octets and returns where to write them; NULL on NOMEM or over max. */
uint8_t *ww_buf_reserve(struct ww_buf *buf, size_t n);
/* The octets written after ww_buf_reserve() now belong to the queue. */
void ww_buf_commit(struct ww_buf *buf, size_t n);
enum ww_err ww_buf_append(struct ww_buf *buf, const void *data, size_t n) WW_MUST_USE;
void ww_buf_consume(struct ww_buf *buf, size_t n); /* n <= len */
void ww_buf_clear(struct ww_buf *buf);

static inline const uint8_t *ww_buf_head(const struct ww_buf *buf) { return buf->data ? buf->data + buf->head : NULL; }

#endif
