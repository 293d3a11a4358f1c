/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Octets written in base64, and what they should be.
 *
 * RFC 8416 asks for base64url without padding (RFC 4648 §5). Files in the field use the standard alphabet, padding, or
 * both alphabets in one file (the example of draft-ietf-sidrops-aspa-slurm-04 does), so both are read, and told apart.
 *
 * Clauses: RFC 4648 §3.2, §3.5, §4, §5; RFC 8208 §3.1.
 */
#include "slurm/internal.h"

#include <string.h>

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

enum ww_slurm_base64 ww_slurm_base64(const char *text, size_t len, uint8_t *out, size_t cap, size_t *out_len) {
  size_t padding = 0, n = 0;
  while (len && padding < 2 && text[len - 1] == '=') {
    len--;
    padding++;
  }
  /* RFC 4648 §3.2: where padding is used it fills the last group of four. */
  if (len % 4 == 1 || (padding && (len + padding) % 4 != 0))
    return WW_SLURM_BASE64_BAD;
  uint32_t bits = 0;
  unsigned count = 0;
  bool loose = padding > 0;
  for (size_t i = 0; i < len; i++) {
    int digit = digit_of(text[i]);
    if (digit < 0)
      return WW_SLURM_BASE64_BAD;
    loose = loose || text[i] == '+' || text[i] == '/';
    bits = bits << 6 | (uint32_t)digit;
    count += 6;
    if (count < 8)
      continue;
    count -= 8;
    if (n == cap)
      return WW_SLURM_BASE64_TOO_LONG;
    out[n++] = (uint8_t)(bits >> count);
  }
  /* RFC 4648 §3.5: bits left over are zero. */
  if (bits & ((UINT32_C(1) << count) - 1))
    return WW_SLURM_BASE64_BAD;
  *out_len = n;
  return loose ? WW_SLURM_BASE64_LOOSE : WW_SLURM_BASE64_OK;
}

bool ww_slurm_is_p256_spki(const uint8_t *spki, size_t len) {
  /* SEQUENCE { SEQUENCE { id-ecPublicKey, secp256r1 }, BIT STRING { 0 unused bits, 4: uncompressed, x, y } } */
  static const uint8_t head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
  return len == sizeof(head) + 64 && memcmp(spki, head, sizeof(head)) == 0;
}
