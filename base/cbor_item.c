/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcbor's callbacks turned into items that are pulled one at a time. A callback sets the one item that
 * cbor_stream_decode() was asked for; so whoever reads a structure writes down what it expects, in order.
 *
 * Bounds: an item lies within the input or is none, and skipping counts depth, not what an array or map claims to hold:
 * each value takes an octet at least, so a false count runs into the end.
 *
 * CHOICE: of the tags libcbor's decoder takes only some (18, COSE_Sign1, is none of them); others are no item.
 *
 * Clauses: RFC 8949 §3.
 */
#include "base/cbor_item.h"

#include <cbor.h>

static void set(void *ctx, enum ww_cbor_item_kind kind, uint64_t value) {
  *(struct ww_cbor_item *)ctx = (struct ww_cbor_item){.kind = kind, .value = value};
}
static void on_u8(void *ctx, uint8_t v) { set(ctx, WW_ITEM_UINT, v); }
static void on_u16(void *ctx, uint16_t v) { set(ctx, WW_ITEM_UINT, v); }
static void on_u32(void *ctx, uint32_t v) { set(ctx, WW_ITEM_UINT, v); }
static void on_u64(void *ctx, uint64_t v) { set(ctx, WW_ITEM_UINT, v); }
static void on_n8(void *ctx, uint8_t v) { set(ctx, WW_ITEM_NEGINT, v); }
static void on_n16(void *ctx, uint16_t v) { set(ctx, WW_ITEM_NEGINT, v); }
static void on_n32(void *ctx, uint32_t v) { set(ctx, WW_ITEM_NEGINT, v); }
static void on_n64(void *ctx, uint64_t v) { set(ctx, WW_ITEM_NEGINT, v); }
static void on_open(void *ctx) { set(ctx, WW_ITEM_OPEN, 0); }
static void on_break(void *ctx) { set(ctx, WW_ITEM_BREAK, 0); }
static void on_array(void *ctx, size_t n) { set(ctx, WW_ITEM_ARRAY, n); }
static void on_map(void *ctx, size_t n) { set(ctx, WW_ITEM_MAP, n); }
static void on_tag(void *ctx, uint64_t v) { set(ctx, WW_ITEM_TAG, v); }
static void on_bool(void *ctx, bool v) { set(ctx, WW_ITEM_BOOL, v); }
static void on_null(void *ctx) { set(ctx, WW_ITEM_NULL, 0); }
static void on_other(void *ctx) { set(ctx, WW_ITEM_OTHER, 0); }
static void on_float(void *ctx, float v) {
  (void)v;
  set(ctx, WW_ITEM_OTHER, 0);
}
static void on_double(void *ctx, double v) {
  (void)v;
  set(ctx, WW_ITEM_OTHER, 0);
}
static void on_bytes(void *ctx, cbor_data data, size_t len) {
  *(struct ww_cbor_item *)ctx = (struct ww_cbor_item){.kind = WW_ITEM_BYTES, .text = data, .text_len = len};
}
static void on_text(void *ctx, cbor_data data, size_t len) {
  *(struct ww_cbor_item *)ctx = (struct ww_cbor_item){.kind = WW_ITEM_TEXT, .text = data, .text_len = len};
}

static const struct cbor_callbacks callbacks = {
    .uint8 = on_u8,
    .uint16 = on_u16,
    .uint32 = on_u32,
    .uint64 = on_u64,
    .negint8 = on_n8,
    .negint16 = on_n16,
    .negint32 = on_n32,
    .negint64 = on_n64,
    .byte_string_start = on_open,
    .byte_string = on_bytes,
    .string = on_text,
    .string_start = on_open,
    .indef_array_start = on_open,
    .array_start = on_array,
    .indef_map_start = on_open,
    .map_start = on_map,
    .tag = on_tag,
    .float2 = on_float,
    .float4 = on_float,
    .float8 = on_double,
    .undefined = on_other,
    .null = on_null,
    .boolean = on_bool,
    .indef_break = on_break,
};

struct ww_cbor_item ww_cbor_next(struct ww_cbor_pull *p) {
  struct ww_cbor_item item = {.kind = WW_ITEM_NONE};
  if (p->bad || p->at >= p->len) {
    p->bad = true;
    return item;
  }
  struct cbor_decoder_result got = cbor_stream_decode(p->data + p->at, p->len - p->at, &callbacks, &item);
  if (got.status != CBOR_DECODER_FINISHED || item.kind == WW_ITEM_NONE || got.read > p->len - p->at) {
    p->bad = true;
    return (struct ww_cbor_item){.kind = WW_ITEM_NONE};
  }
  p->at += got.read;
  return item;
}

/* Passes over the rest of a value of which `item` was the first item. */
void ww_cbor_skip(struct ww_cbor_pull *p, struct ww_cbor_item item, unsigned depth) {
  if (depth == 0 || item.kind == WW_ITEM_BREAK || item.kind == WW_ITEM_NONE) {
    p->bad = true;
    return;
  }
  if (item.kind == WW_ITEM_TAG) {
    ww_cbor_skip(p, ww_cbor_next(p), depth - 1);
  } else if (item.kind == WW_ITEM_OPEN) {
    for (struct ww_cbor_item inner = ww_cbor_next(p); !p->bad && inner.kind != WW_ITEM_BREAK; inner = ww_cbor_next(p))
      ww_cbor_skip(p, inner, depth - 1);
  } else if (item.kind == WW_ITEM_MAP || item.kind == WW_ITEM_ARRAY) {
    /* Each value takes at least one octet: a count beyond that runs into the end and stops. */
    for (uint64_t half = item.kind == WW_ITEM_MAP ? 2 : 1; half > 0; half--)
      for (uint64_t i = 0; i < item.value && !p->bad; i++)
        ww_cbor_skip(p, ww_cbor_next(p), depth - 1);
  }
}
