/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A C structure as a CBOR map of text keys (RFC 8949), by a table.
 */
#ifndef WW_STORE_CBOR_H
#define WW_STORE_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <waywarden/error.h>

enum { WW_CBOR_DEPTH = 8 /* of values that are not ours to read */ };

enum ww_cbor_type {
  WW_CBOR_U8,
  WW_CBOR_U16,
  WW_CBOR_U32,
  WW_CBOR_U64,
  WW_CBOR_TIME, /* int64_t */
  WW_CBOR_BOOL,
  WW_CBOR_TEXT, /* 1 .. size - 1 octets and a NUL */
  WW_CBOR_BYTES /* just `size` octets */
};

struct ww_cbor_member {
  const char *key;
  enum ww_cbor_type type;
  size_t offset, size; /* of the field */
  bool required;
  size_t present; /* of a bool that says whether it is there, set when it is; 0: always there */
};

struct ww_cbor_map {
  const char *what; /* for diagnostics */
  size_t max;       /* octets; a longer one is refused */
  const struct ww_cbor_member *members;
  unsigned count; /* at most 32 */
};

/* Unknown members are passed over; one of ours twice or of another type is an error. Fields of members that are absent
 * keep what they have; after an error *out may be filled in part. */
enum ww_err ww_cbor_read(const struct ww_cbor_map *map, const void *data, size_t len, void *out,
                         struct ww_diag *diag) WW_MUST_USE;
/* The octets written, 0 when they do not fit. */
size_t ww_cbor_write(const struct ww_cbor_map *map, const void *in, uint8_t *buf, size_t size);

#endif
