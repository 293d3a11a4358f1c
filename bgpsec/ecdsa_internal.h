/* SPDX-License-Identifier: BSD-2-Clause */
/* Between ecdsa.c (keys, signatures, the reference tier) and ecdsa_fast.c (the tiers on libcrypto's points). */
#ifndef WW_BGPSEC_ECDSA_INTERNAL_H
#define WW_BGPSEC_ECDSA_INTERNAL_H

#include "bgpsec/ecdsa.h"

#include <openssl/bn.h>

struct ww_p256 {
  EC_GROUP *group;
  BIGNUM *n, *p; /* order of the group, and of the field */
  BN_MONT_CTX *mont_n, *mont_p;
  EVP_MD *sha256;
};

struct ww_p256_scratch {
  const struct ww_p256 *p256;
  BN_CTX *bn;
  EVP_MD_CTX *md;
  EC_POINT *g_part, *q_part;                                            /* u1 * G, u2 * Q */
  BIGNUM *r[WW_P256_BATCH], *s[WW_P256_BATCH], *product[WW_P256_BATCH]; /* s and its products in Montgomery form */
  BIGNUM *e, *u1, *u2, *inverse, *x, *z, *t;
};

/* Up to WW_P256_BATCH jobs. */
enum ww_err ww_p256_verify_fast(struct ww_p256_scratch *c, struct ww_p256_job *jobs, size_t count,
                                bool tables) WW_MUST_USE;

#endif
