/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hashes for tables. ww_hash() is xxhash (XXH3), for keys that nobody outside chooses. ww_siphash() is SipHash-1-3
 * under a secret key, for tables whose keys arrive from a peer, who could otherwise choose them to collide.
 */
#ifndef WW_BASE_HASH_H
#define WW_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct ww_hash_key {
  uint64_t k0, k1;
};

uint64_t ww_hash(const void *data, size_t len);
uint64_t ww_siphash(const struct ww_hash_key *key, const void *data, size_t len);

#endif
