/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the octets of a router key should be.
 *
 * Clauses: RFC 8208 §3.1.
 */
#include "slurm/internal.h"

#include <string.h>

bool ww_slurm_is_p256_spki(const uint8_t *spki, size_t len) {
  /* SEQUENCE { SEQUENCE { id-ecPublicKey, secp256r1 }, BIT STRING { 0 unused bits, 4: uncompressed, x, y } } */
  static const uint8_t head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
  return len == sizeof(head) + 64 && memcmp(spki, head, sizeof(head)) == 0;
}
