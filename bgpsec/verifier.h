/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What threads that verify share: keys once parsed, the tables of the hot ones, the known signatures, and counts.
 */
#ifndef WW_BGPSEC_VERIFIER_H
#define WW_BGPSEC_VERIFIER_H

#include "bgpsec/ecdsa.h"
#include "bgpsec/known.h"
#include <waywarden/bgpsec.h>

/* A key with what goes with it; give it back with ww_verifier_drop(). */
struct ww_verifier_key {
  struct ww_p256_key *key;
  struct ww_p256_table *table; /* or NULL */
  uint64_t generation;
};

/* The parsed key of a point. WW_ERR_INVAL: the point is not on the curve. */
enum ww_err ww_verifier_take(struct ww_bgpsec_verifier *verifier, const uint8_t *point,
                             struct ww_verifier_key *out) WW_MUST_USE;
void ww_verifier_drop(struct ww_verifier_key *key);

const struct ww_p256 *ww_verifier_p256(const struct ww_bgpsec_verifier *verifier);
struct ww_known *ww_verifier_known(struct ww_bgpsec_verifier *verifier); /* NULL: nothing is remembered */
enum ww_p256_tier ww_verifier_tier(const struct ww_bgpsec_verifier *verifier);
bool ww_verifier_supports(const struct ww_bgpsec_verifier *verifier, uint8_t suite);
void ww_verifier_count(struct ww_bgpsec_verifier *verifier, size_t verified, size_t known);

#endif
