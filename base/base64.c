/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One decoder for all that the field writes: files mix the two alphabets, and pad or not. It says which it was, so that
 * a caller can be strict. What no encoder makes is refused: a lone character in the last group, padding that does not
 * fill it, bits left over that are not 0.
 *
 * Clauses: RFC 4648 §3.2, §3.5, §4, §5.
 */
#include "base/base64.h"

#include <stdbool.h>

static int digit_of(char c) {
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  if (c == '+' || c == '-')
    return 62;
  return c == '/' || c == '_' ? 63 : -1;
}

enum ww_base64 ww_base64_decode(const char *text, size_t len, uint8_t *out, size_t cap, size_t *out_len) {
  size_t padding = 0, n = 0;
  while (len && padding < 2 && text[len - 1] == '=') {
    len--;
    padding++;
  }
  /* RFC 4648 §3.2: where padding is used it fills the last group of four. */
  if (len % 4 == 1 || (padding && (len + padding) % 4 != 0))
    return WW_BASE64_BAD;
  uint32_t bits = 0;
  unsigned count = 0;
  bool loose = padding > 0;
  for (size_t i = 0; i < len; i++) {
    int digit = digit_of(text[i]);
    if (digit < 0)
      return WW_BASE64_BAD;
    loose = loose || text[i] == '+' || text[i] == '/';
    bits = bits << 6 | (uint32_t)digit;
    count += 6;
    if (count < 8)
      continue;
    count -= 8;
    if (n == cap)
      return WW_BASE64_TOO_LONG;
    out[n++] = (uint8_t)(bits >> count);
  }
  /* RFC 4648 §3.5: bits left over are zero. */
  if (bits & ((UINT32_C(1) << count) - 1))
    return WW_BASE64_BAD;
  *out_len = n;
  return loose ? WW_BASE64_LOOSE : WW_BASE64_URL;
}

static size_t encode(const uint8_t *data, size_t len, const char *digits, bool pad, char *out) {
  char *to = out;
  for (size_t i = 0; i < len; i += 3) {
    size_t left = len - i;
    uint32_t group = (uint32_t)data[i] << 16;
    group |= left > 1 ? (uint32_t)data[i + 1] << 8 : 0;
    group |= left > 2 ? data[i + 2] : 0;
    *to++ = digits[group >> 18 & 63];
    *to++ = digits[group >> 12 & 63];
    if (left > 1)
      *to++ = digits[group >> 6 & 63];
    else if (pad)
      *to++ = '=';
    if (left > 2)
      *to++ = digits[group & 63];
    else if (pad)
      *to++ = '=';
  }
  *to = '\0';
  return (size_t)(to - out);
}

size_t ww_base64_encode(const uint8_t *data, size_t len, char *out) {
  return encode(data, len, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true, out);
}

size_t ww_base64url_encode(const uint8_t *data, size_t len, char *out) {
  return encode(data, len, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false, out);
}
