/* SPDX-License-Identifier: BSD-2-Clause */
/* base64 and base64url (RFC 4648 §4, §5). */
#ifndef WW_BASE_BASE64_H
#define WW_BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

enum ww_base64 {
  WW_BASE64_URL,      /* base64url without padding, or what both alphabets spell alike without it */
  WW_BASE64_LOOSE,    /* padded, or of the standard alphabet, or of both */
  WW_BASE64_BAD,      /* neither */
  WW_BASE64_TOO_LONG, /* for `cap` octets */
};

/* Decodes `len` characters of either alphabet, padded or not. *out_len is set for the first two. */
enum ww_base64 ww_base64_decode(const char *text, size_t len, uint8_t *out, size_t cap, size_t *out_len);

/* Room for the encoding of n octets, with the final NUL. */
#define WW_BASE64_SIZE(n) (4 * (((n) + 2) / 3) + 1)

/* Standard alphabet, padded; and base64url without padding. `out` has WW_BASE64_SIZE(len). The length of the text. */
size_t ww_base64_encode(const uint8_t *data, size_t len, char *out);
size_t ww_base64url_encode(const uint8_t *data, size_t len, char *out);

#endif
