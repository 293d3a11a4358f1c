/* SPDX-License-Identifier: BSD-2-Clause */
/* The elements that ccr_encode.h writes, read and checked; private to the ccr_*.c files. */
#ifndef WW_SOURCES_CCR_DECODE_H
#define WW_SOURCES_CCR_DECODE_H

#include <waywarden/payload.h>

#include "base/der.h"

struct ww_ccr_decoding {
  struct ww_payloads *out; /* records are appended */
  enum ww_err err;         /* why adding failed: WW_ERR_NOMEM, WW_ERR_LIMIT */
  bool by_rfc, by_client;  /* prefixes of one address were met in this order (ccr_decode.c) */
};

/* Each reads the next element of `d`, checks its bounds and orders, takes its records, and gives the AS. What is wrong
 * is in `d`, with its place. */
uint32_t ww_ccr_read_roa(struct ww_der *d, struct ww_ccr_decoding *to);
uint32_t ww_ccr_read_aspa(struct ww_der *d, struct ww_ccr_decoding *to);
uint32_t ww_ccr_read_keys(struct ww_der *d, struct ww_ccr_decoding *to);

/* OCTET STRING of just `len` octets. NULL: another, `why`. */
const uint8_t *ww_ccr_read_octets(struct ww_der *d, size_t len, const char *why);

#endif
