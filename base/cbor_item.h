/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CBOR pulled item by item (RFC 8949 §3), by libcbor's streaming decoder: no tree is built and nothing is allocated.
 */
#ifndef WW_BASE_CBOR_ITEM_H
#define WW_BASE_CBOR_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ww_cbor_item_kind {
  WW_ITEM_NONE, /* there is none: the end, or octets that are no item */
  WW_ITEM_UINT,
  WW_ITEM_NEGINT,
  WW_ITEM_TEXT,
  WW_ITEM_BYTES,
  WW_ITEM_BOOL,
  WW_ITEM_NULL,
  WW_ITEM_MAP,
  WW_ITEM_ARRAY,
  WW_ITEM_TAG,
  WW_ITEM_OPEN, /* indefinite length: ends with a break */
  WW_ITEM_BREAK,
  WW_ITEM_OTHER, /* a simple value or a floating-point number */
};

struct ww_cbor_item {
  enum ww_cbor_item_kind kind;
  uint64_t value;      /* of a number or bool, entries of a map or array; of a negative one -1 - n: the n */
  const uint8_t *text; /* of TEXT and BYTES; borrowed from the input */
  size_t text_len;
};

/* Sticky: `bad` after the first item that could not be had. */
struct ww_cbor_pull {
  const uint8_t *data;
  size_t len, at;
  bool bad;
};

struct ww_cbor_item ww_cbor_next(struct ww_cbor_pull *pull);
/* Passes over the rest of a value of which `item` was the first item. Values nested deeper than `depth` are bad. */
void ww_cbor_skip(struct ww_cbor_pull *pull, struct ww_cbor_item item, unsigned depth);

#endif
