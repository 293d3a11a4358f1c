/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The faster tiers of verification, made of libcrypto's own parts.
 *
 * ECDSA_verify spends a fifth of its time on the inverse of s modulo n, some more on an inverse modulo p to get x from
 * projective coordinates, and most of the rest on u2 * Q for a Q it knows nothing of. Here
 *   - signatures verified together share one inversion: the inverse of the product of all s, taken apart again by
 *     multiplications (Montgomery's trick);
 *   - x is never computed: with R = (X, Y, Z) in Jacobian coordinates, x = X / Z^2, so x = r means r * Z^2 = X. x is
 *     taken modulo n and n < p, so that x may also be r + n, where that is below p;
 *   - a key that has a table is the generator of a copy of the group, and libcrypto's precomputation for generators
 *     (37 * 64 points) makes u2 * Q cost what u1 * G costs. All 150 kB of a table are read each time, whatever the
 *     scalar. With 200 tables in turn that doubles the time of u2 * Q; so a batch is large and goes by key, and a table
 *     that is in the cache is used for all that is to be verified with it.
 *
 * Every call that OpenSSL 3.0 deprecates stands in this file. Where the library lacks them (WW_HAVE_EC_TABLES is not
 * defined) the file gives stubs, and the reference serves alone.
 *
 * Clauses: RFC 8608 §2.2.1.
 */
#include "bgpsec/ecdsa_internal.h"

#ifdef WW_HAVE_EC_TABLES

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

bool ww_p256_has_tables(void) { return true; }

struct ww_p256_table *ww_p256_table_new(const struct ww_p256 *p256, const struct ww_p256_key *key) {
  struct ww_p256_table *table = calloc(1, sizeof *table);
  BN_CTX *bn = BN_CTX_new();
  if (table && bn) {
    atomic_init(&table->refs, 1);
    table->group = EC_GROUP_dup(p256->group);
  }
  if (!table || !table->group || !EC_GROUP_set_generator(table->group, key->q, p256->n, BN_value_one()) ||
      !EC_GROUP_precompute_mult(table->group, bn)) {
    if (table)
      EC_GROUP_free(table->group);
    free(table);
    table = NULL;
  }
  BN_CTX_free(bn);
  return table;
}

/* x(R) = r modulo n, without the division. *equal is the answer; false when memory runs out. */
static bool x_equals(struct ww_p256_scratch *c, const EC_POINT *point, const BIGNUM *r, bool *equal) {
  const struct ww_p256 *p256 = c->p256;
  *equal = false;
  if (EC_POINT_is_at_infinity(p256->group, point))
    return true;
  /* z := Z^2 * R, the Montgomery form of Z^2: a product with it of a plain number is a plain number. */
  if (!EC_POINT_get_Jprojective_coordinates_GFp(p256->group, point, c->x, NULL, c->z, c->bn) ||
      !BN_to_montgomery(c->z, c->z, p256->mont_p, c->bn) ||
      !BN_mod_mul_montgomery(c->z, c->z, c->z, p256->mont_p, c->bn) ||
      !BN_mod_mul_montgomery(c->t, c->z, r, p256->mont_p, c->bn))
    return false;
  *equal = BN_cmp(c->t, c->x) == 0;
  if (*equal)
    return true;
  if (!BN_add(c->e, r, p256->n))
    return false;
  if (BN_cmp(c->e, p256->p) >= 0)
    return true;
  if (!BN_mod_mul_montgomery(c->t, c->z, c->e, p256->mont_p, c->bn))
    return false;
  *equal = BN_cmp(c->t, c->x) == 0;
  return true;
}

struct place {
  uintptr_t key;
  struct ww_p256_job *job;
};

/* Jobs of one key after each other: what they read of its table, which is all of it, is in the cache then. Insertion
 * is fast enough for so few. */
static void order_by_key(struct ww_p256_job *jobs, size_t count, struct place *order) {
  for (size_t i = 0; i < count; i++) {
    const struct place place = {.key = (uintptr_t)jobs[i].key, .job = &jobs[i]};
    size_t at = i;
    for (; at > 0 && order[at - 1].key > place.key; at--)
      order[at] = order[at - 1];
    order[at] = place;
  }
}

/* In the order given: s[i] and product[i] = s[0] * ... * s[i], in Montgomery form; inverse = 1 / product[count - 1],
 * likewise. */
static bool invert_all(struct ww_p256_scratch *c, const struct place *order, size_t count) {
  BN_MONT_CTX *mont = c->p256->mont_n;
  for (size_t i = 0; i < count; i++)
    if (!BN_bin2bn(order[i].job->signature.r, WW_P256_OCTETS, c->r[i]) ||
        !BN_bin2bn(order[i].job->signature.s, WW_P256_OCTETS, c->s[i]) ||
        !BN_to_montgomery(c->s[i], c->s[i], mont, c->bn) ||
        !(i ? BN_mod_mul_montgomery(c->product[i], c->product[i - 1], c->s[i], mont, c->bn)
            : BN_copy(c->product[0], c->s[0]) != NULL))
      return false;
  return BN_from_montgomery(c->inverse, c->product[count - 1], mont, c->bn) &&
         BN_mod_inverse(c->inverse, c->inverse, c->p256->n, c->bn) &&
         BN_to_montgomery(c->inverse, c->inverse, mont, c->bn);
}

/* u1 * G + u2 * Q = R, and x(R) = r? */
static bool decide(struct ww_p256_scratch *c, struct ww_p256_job *job, const BIGNUM *r, bool tables) {
  const EC_GROUP *group = c->p256->group;
  if (!tables || !job->table)
    return EC_POINT_mul(group, c->g_part, c->u1, job->key->q, c->u2, c->bn) && x_equals(c, c->g_part, r, &job->good);
  return EC_POINT_mul(group, c->g_part, c->u1, NULL, NULL, c->bn) &&
         EC_POINT_mul(job->table->group, c->q_part, c->u2, NULL, NULL, c->bn) &&
         EC_POINT_add(group, c->g_part, c->g_part, c->q_part, c->bn) && x_equals(c, c->g_part, r, &job->good);
}

enum ww_err ww_p256_verify_fast(struct ww_p256_scratch *c, struct ww_p256_job *jobs, size_t count, bool tables) {
  BN_MONT_CTX *mont = c->p256->mont_n;
  struct place order[WW_P256_BATCH];
  if (count == 0)
    return WW_OK;
  order_by_key(jobs, count, order);
  bool ok = invert_all(c, order, count);
  for (size_t i = count; ok && i-- > 0;) {
    struct ww_p256_job *job = order[i].job;
    /* t := 1 / s[i]; inverse loses its factor 1 / s[i]. */
    ok = (i ? BN_mod_mul_montgomery(c->t, c->inverse, c->product[i - 1], mont, c->bn)
            : BN_copy(c->t, c->inverse) != NULL) &&
         BN_mod_mul_montgomery(c->inverse, c->inverse, c->s[i], mont, c->bn) &&
         /* The digest may exceed n; u1 must not. */
         BN_bin2bn(job->digest, WW_P256_OCTETS, c->e) &&
         (BN_cmp(c->e, c->p256->n) < 0 || BN_sub(c->e, c->e, c->p256->n)) &&
         BN_mod_mul_montgomery(c->u1, c->t, c->e, mont, c->bn) &&
         BN_mod_mul_montgomery(c->u2, c->t, c->r[i], mont, c->bn) && decide(c, job, c->r[i], tables);
  }
  if (!ok)
    ERR_clear_error();
  return ok ? WW_OK : WW_ERR_NOMEM;
}

#else

bool ww_p256_has_tables(void) { return false; }

struct ww_p256_table *ww_p256_table_new(const struct ww_p256 *p256, const struct ww_p256_key *key) {
  (void)p256;
  (void)key;
  return NULL;
}

enum ww_err ww_p256_verify_fast(struct ww_p256_scratch *c, struct ww_p256_job *jobs, size_t count, bool tables) {
  (void)c;
  (void)jobs;
  (void)count;
  (void)tables;
  return WW_ERR_UNSUPPORTED;
}

#endif
