/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XXH3 comes from libxxhash. SipHash-1-3 is written out here: one compression round per word and three at the end,
 * which is what hash tables elsewhere (Rust, Python, Ruby) settled on against chosen keys; it is no MAC.
 * Words are read in little-endian order on every machine, so a value may be stored.
 */
#include "base/hash.h"

#include <string.h>
#include <xxhash.h>

uint64_t ww_hash(const void *data, size_t len) {
  /* An empty string may come as NULL; xxhash wants a pointer. */
  return XXH3_64bits(len ? data : "", len);
}

static inline uint64_t rotl(uint64_t x, unsigned b) { return x << b | x >> (64 - b); }

static inline void sip_round(uint64_t v[4]) {
  v[0] += v[1];
  v[1] = rotl(v[1], 13) ^ v[0];
  v[0] = rotl(v[0], 32);
  v[2] += v[3];
  v[3] = rotl(v[3], 16) ^ v[2];
  v[0] += v[3];
  v[3] = rotl(v[3], 21) ^ v[0];
  v[2] += v[1];
  v[1] = rotl(v[1], 17) ^ v[2];
  v[2] = rotl(v[2], 32);
}

/* n <= 8 octets, little-endian, zero-extended. */
static inline uint64_t load_le(const uint8_t *p, size_t n) {
  uint64_t word = 0;
  for (size_t i = 0; i < n; i++)
    word |= (uint64_t)p[i] << (8 * i);
  return word;
}

uint64_t ww_siphash(const struct ww_hash_key *key, const void *data, size_t len) {
  uint64_t v[4] = {key->k0 ^ 0x736f6d6570736575u, key->k1 ^ 0x646f72616e646f6du, key->k0 ^ 0x6c7967656e657261u,
                   key->k1 ^ 0x7465646279746573u};
  const uint8_t *p = (const uint8_t *)data;
  size_t left = len;
  for (; left >= 8; left -= 8, p += 8) {
    uint64_t word = load_le(p, 8);
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
  }
  uint64_t last = (uint64_t)len << 56 | load_le(p, left);
  v[3] ^= last;
  sip_round(v);
  v[0] ^= last;
  v[2] ^= 0xff;
  sip_round(v);
  sip_round(v);
  sip_round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}
