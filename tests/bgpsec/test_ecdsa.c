/* SPDX-License-Identifier: BSD-2-Clause */
/* P-256: what is no signature and no key, and that all tiers give one answer, whatever they are asked. */
#include "tests/wire/hex.h"

#include "bgpsec/ecdsa.h"

#include <openssl/bn.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

static struct ww_p256 *p256;
static struct ww_p256_scratch *scratch;

static int setup(void **state) {
  (void)state;
  return ww_p256_new(&p256) || ww_p256_scratch_new(p256, &scratch);
}

static int teardown(void **state) {
  (void)state;
  ww_p256_scratch_free(scratch);
  ww_p256_free(p256);
  return 0;
}

#define N_HEX "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define N_LESS_1 "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550"
#define N_MORE_1 "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552"

static void test_no_signature(void **state) {
  (void)state;
  static const char *const bad[] = {
      "",
      "30",
      "3000",
      "300302 01 01",
      "3006 020101 0201",
      "3006 020101 020100", /* s = 0 */
      "3006 020100 020101", /* r = 0 */
      "3006 0201ff 020101", /* negative */
      "3006 020101 020181",
      "3007 02020001 020101", /* an idle octet */
      "3007 020101 02020001",
      "3006 020101 020101 00", /* something after it */
      "3007 020101 020101 00", /* something in it */
      "3009 020101 020101 020101",
      "308106 020101 020101", /* a length that could be shorter */
      "3080 020101 020101 0000",
      "3106 020101 020101",
      "3006 030101 020101",
      "3005 0200 020101",
      "3026 022100" N_HEX " 020101",
      "3026 022100" N_MORE_1 " 020101",
      "3026 020101 022100" N_HEX,
      "3027 020101 022200" N_HEX "00",
      "3027 0222 01" N_HEX "00 020101",
  };
  struct ww_p256_signature out;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct octets o = hex(bad[i]);
    if (ww_p256_signature_parse(o.data, o.len, &out)) {
      print_error("%s is taken for a signature\n", bad[i]);
      fail();
    }
    free(o.data);
  }
  /* In parentheses where a constant is part of it: else clang asks whether a comma is missing. */
  static const char *const good[] = {"3006 020101 020101", ("3026 022100" N_LESS_1 " 020101"),
                                     ("3026 020101 022100" N_LESS_1), "3007 02020080 020101"};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    struct octets o = hex(good[i]);
    assert_true(ww_p256_signature_parse(o.data, o.len, &out));
    free(o.data);
  }
}

static void test_no_key(void **state) {
  (void)state;
  struct ww_p256_key *key;
  uint8_t point[WW_P256_POINT_LEN] = {0};
  assert_int_equal(ww_p256_key_new(p256, point, &key), WW_ERR_INVAL);
  memset(point, 0xff, sizeof point);
  assert_int_equal(ww_p256_key_new(p256, point, &key), WW_ERR_INVAL);
  /* G, and G with its y off by one, and negated. */
  struct octets g = hex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
  memcpy(point, g.data, sizeof point);
  free(g.data);
  point[63] ^= 1;
  assert_int_equal(ww_p256_key_new(p256, point, &key), WW_ERR_INVAL);
  point[63] ^= 1;
  assert_int_equal(ww_p256_key_new(p256, point, &key), WW_OK);
  ww_p256_key_unref(key);
  uint8_t spki[WW_P256_SPKI_LEN] = {0};
  assert_null(ww_p256_spki_point(spki, sizeof spki));
  assert_null(ww_p256_spki_point(spki, 0));
}

/* --- one answer ------------------------------------------------------------------------------------------------- */

struct pair {
  EVP_PKEY *private;
  struct ww_p256_key *key;
  struct ww_p256_table *table;
};

static void make_pair(struct pair *p) {
  unsigned char *spki = NULL;
  p->private = EVP_EC_gen("P-256");
  assert_non_null(p->private);
  assert_int_equal(i2d_PUBKEY(p->private, &spki), WW_P256_SPKI_LEN);
  assert_int_equal(ww_p256_key_new(p256, ww_p256_spki_point(spki, WW_P256_SPKI_LEN), &p->key), WW_OK);
  OPENSSL_free(spki);
  p->table = ww_p256_table_new(p256, p->key);
  assert_true(p->table || !ww_p256_has_tables());
}

static void free_pair(struct pair *p) {
  EVP_PKEY_free(p->private);
  ww_p256_key_unref(p->key);
  ww_p256_table_unref(p->table);
}

static void sign(const struct pair *p, const uint8_t *digest, struct ww_p256_signature *out) {
  uint8_t der[WW_P256_DER_MAX];
  size_t len = sizeof der;
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, p->private, NULL);
  assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
  assert_int_equal(EVP_PKEY_sign(ctx, der, &len, digest, 32), 1);
  EVP_PKEY_CTX_free(ctx);
  assert_true(ww_p256_signature_parse(der, len, out));
}

/* Asks every tier; gives what they agree on. */
static unsigned agree(struct ww_p256_job *jobs, size_t count, const char *what) {
  bool first[WW_P256_BATCH * 2];
  unsigned good = 0;
  assert_true(count <= sizeof first / sizeof first[0]);
  static const enum ww_p256_tier tiers[] = {WW_P256_REFERENCE, WW_P256_PLAIN, WW_P256_AUTO};
  for (size_t t = 0; t < 3; t++) {
    for (size_t i = 0; i < count; i++)
      jobs[i].good = !(t ? first[i] : false); /* a tier that does nothing is found out */
    assert_int_equal(ww_p256_verify(scratch, jobs, count, tiers[t]), WW_OK);
    for (size_t i = 0; i < count; i++) {
      if (t && jobs[i].good != first[i]) {
        print_error("%s, job %zu: tier %zu says %d, the reference %d\n", what, i, t, jobs[i].good, first[i]);
        fail();
      }
      first[i] = jobs[i].good;
      good += t == 0 && jobs[i].good;
    }
  }
  return good;
}

static void test_tiers_agree(void **state) {
  (void)state;
  enum { PAIRS = 3, JOBS = WW_P256_BATCH + 7 };
  struct pair pairs[PAIRS];
  static struct ww_p256_job jobs[JOBS];
  for (int i = 0; i < PAIRS; i++)
    make_pair(&pairs[i]);
  for (unsigned round = 0; round < 3; round++) {
    unsigned broken = 0;
    for (unsigned i = 0; i < JOBS; i++) {
      const struct pair *p = &pairs[i % PAIRS];
      struct ww_p256_job *job = &jobs[i];
      *job = (struct ww_p256_job){.key = p->key, .table = p->table};
      assert_int_equal(RAND_bytes(job->digest, 32), 1);
      if (i == 0)
        memset(job->digest, 0, 32); /* u1 = 0: only the key's part remains */
      if (i == 1)
        memset(job->digest, 0xff, 32); /* above n */
      sign(p, job->digest, &job->signature);
      if (i % 4 != 3)
        continue;
      broken++;
      uint8_t *where[] = {job->digest, job->signature.r, job->signature.s};
      where[i / 4 % 3][31] ^= 1;
    }
    assert_int_equal(agree(jobs, JOBS, "random"), JOBS - broken);
  }
  for (int i = 0; i < PAIRS; i++)
    free_pair(&pairs[i]);
}

static void put(const BIGNUM *v, uint8_t *out) { assert_int_equal(BN_bn2binpad(v, out, 32), 32); }

/* Signatures made backwards: choose R, then s and the digest that fit. Reaches x(R) at or above n, which nobody meets
 * by chance: r is then x - n, and who compares r with x alone refuses a good signature. */
static void test_r_plus_n(void **state) {
  (void)state;
  BN_CTX *bn = BN_CTX_new();
  EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  BIGNUM *n = BN_new(), *x = BN_new(), *r = BN_new(), *e = BN_new(), *s = BN_new(), *u1 = BN_new(), *u2 = BN_new(),
         *t = BN_new();
  EC_POINT *R = EC_POINT_new(group), *Q = EC_POINT_new(group);
  assert_int_equal(EC_GROUP_get_order(group, n, bn), 1);
  unsigned made = 0;
  struct ww_p256_job jobs[8];
  struct ww_p256_key *keys[8];
  struct ww_p256_table *tables[8];
  for (BN_copy(x, n); made < 4; BN_add_word(x, 1)) {
    if (!EC_POINT_set_compressed_coordinates(group, R, x, 0, bn))
      continue; /* no point has this x */
    BN_sub(r, x, n);
    if (BN_is_zero(r))
      continue;
    /* Any u1, u2 give a key Q = (R - u1 G) / u2 for which s = r / u2 and e = u1 s are a signature. */
    assert_true(BN_rand_range(u1, n) && BN_rand_range(u2, n));
    BN_mod_inverse(t, u2, n, bn);
    BN_mod_mul(s, r, t, n, bn);
    BN_mod_mul(e, u1, s, n, bn);
    EC_POINT_mul(group, Q, u1, NULL, NULL, bn);
    EC_POINT_invert(group, Q, bn);
    EC_POINT_add(group, Q, Q, R, bn);
    EC_POINT_mul(group, Q, NULL, Q, t, bn);
    uint8_t octets[65];
    assert_int_equal(EC_POINT_point2oct(group, Q, POINT_CONVERSION_UNCOMPRESSED, octets, sizeof octets, bn), 65);
    assert_int_equal(ww_p256_key_new(p256, octets + 1, &keys[made]), WW_OK);
    tables[made] = ww_p256_table_new(p256, keys[made]);
    jobs[made] = (struct ww_p256_job){.key = keys[made], .table = tables[made]};
    put(r, jobs[made].signature.r);
    put(s, jobs[made].signature.s);
    put(e, jobs[made].digest);
    made++;
  }
  assert_int_equal(agree(jobs, made, "r + n"), made);
  for (unsigned i = 0; i < made; i++)
    jobs[i].signature.r[31] ^= 1;
  assert_int_equal(agree(jobs, made, "r + n, broken"), 0);
  for (unsigned i = 0; i < made; i++) {
    ww_p256_key_unref(keys[i]);
    ww_p256_table_unref(tables[i]);
  }
  BIGNUM *all[] = {n, x, r, e, s, u1, u2, t};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    BN_free(all[i]);
  EC_POINT_free(R);
  EC_POINT_free(Q);
  EC_GROUP_free(group);
  BN_CTX_free(bn);
}

/* u1 G + u2 Q = infinity, and u1 G = u2 Q: what an addition must not stumble over. The key is known to us: Q = d G. */
static void test_odd_points(void **state) {
  (void)state;
  BN_CTX *bn = BN_CTX_new();
  BIGNUM *n = BN_new(), *d = BN_new(), *r = BN_new(), *e = BN_new();
  EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  EC_POINT *q = EC_POINT_new(group);
  assert_int_equal(EC_GROUP_get_order(group, n, bn), 1);
  static struct ww_p256_job jobs[64];
  struct ww_p256_key *keys[4];
  struct ww_p256_table *tables[4];
  unsigned count = 0;
  for (unsigned k = 0; k < 4; k++) {
    uint8_t octets[65];
    if (k == 0)
      BN_one(d); /* Q = G */
    else if (k == 1)
      BN_sub(d, n, BN_value_one()); /* Q = -G */
    else
      assert_true(BN_rand_range(d, n));
    EC_POINT_mul(group, q, d, NULL, NULL, bn);
    assert_int_equal(EC_POINT_point2oct(group, q, POINT_CONVERSION_UNCOMPRESSED, octets, sizeof octets, bn), 65);
    assert_int_equal(ww_p256_key_new(p256, octets + 1, &keys[k]), WW_OK);
    tables[k] = ww_p256_table_new(p256, keys[k]);
    for (unsigned i = 0; i < 16; i++) {
      struct ww_p256_job *job = &jobs[count++];
      *job = (struct ww_p256_job){.key = keys[k], .table = tables[k]};
      /* r and s from 1, 2, n - 2, n - 1; e so that e + r d = 0 (the sum is infinity) or e = r d (the summands are
       * equal). s scales both, so it may be anything. */
      BN_set_word(r, 1 + i % 2);
      if (i & 2)
        BN_sub(r, n, r);
      put(r, job->signature.r);
      BN_mod_mul(e, r, d, n, bn);
      if (i & 4)
        BN_sub(e, n, e);
      put(e, job->digest);
      BN_set_word(r, i & 8 ? 1 : 7);
      if (i & 8)
        BN_sub(r, n, r);
      put(r, job->signature.s);
    }
  }
  (void)agree(jobs, count, "odd points");
  for (unsigned k = 0; k < 4; k++) {
    ww_p256_key_unref(keys[k]);
    ww_p256_table_unref(tables[k]);
  }
  BN_free(n);
  BN_free(d);
  BN_free(r);
  BN_free(e);
  EC_POINT_free(q);
  EC_GROUP_free(group);
  BN_CTX_free(bn);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_no_signature), cmocka_unit_test(test_no_key),     cmocka_unit_test(test_tiers_agree),
      cmocka_unit_test(test_r_plus_n),     cmocka_unit_test(test_odd_points),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
