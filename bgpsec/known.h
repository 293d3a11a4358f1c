/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signatures that were verified and found good, so that the same one is not verified again: a peer that comes back, a
 * route that revalidation asks about, the older part of a path that changed only in its newest hops.
 *
 * What is remembered is a SHA-256 over a secret, the key's generation, the digest and the signature. It names exactly
 * one verification: an entry can't be met by anything else that a peer may send, and goes dead when its key does,
 * because a key that comes back has a new generation. Any thread may call.
 */
#ifndef WW_BGPSEC_KNOWN_H
#define WW_BGPSEC_KNOWN_H

#include "bgpsec/ecdsa.h"

struct ww_known;

/* Room for `max` signatures, rounded up. */
enum ww_err ww_known_new(size_t max, struct ww_known **out) WW_MUST_USE;
void ww_known_free(struct ww_known *known);

struct ww_known_tag {
  uint8_t octets[WW_P256_OCTETS];
};
bool ww_known_tag(const struct ww_known *known, struct ww_p256_scratch *scratch, uint64_t generation,
                  const struct ww_p256_job *job, struct ww_known_tag *out) WW_MUST_USE;

bool ww_known_has(struct ww_known *known, const struct ww_known_tag *tag);
void ww_known_add(struct ww_known *known, const struct ww_known_tag *tag);
size_t ww_known_count(const struct ww_known *known);

#endif
