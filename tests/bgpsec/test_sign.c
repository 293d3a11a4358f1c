/* SPDX-License-Identifier: BSD-2-Clause */
/* Signing: the examples of RFC 8608 octet for octet, and what RFC 8205 §4 asks of those who hand a path on. */
#include "tests/wire/hex.h"

#include "bgpsec/ecdsa.h"
#include "wire/bgp_bgpsec.h"
#include <waywarden/bgpsec.h>

#include <openssl/bn.h>
#include <openssl/x509.h>

enum { CAP = 4096 };

/* --- RFC 8608, Appendix A, from its fixed k: for tests only ------------------------------------------------------ */

struct fixed {
  const char *private;
  uint8_t spki[WW_P256_SPKI_LEN], ski[WW_SKI_LEN];
  struct ww_bgpsec_signer *signer;
};

/* s = (e + r x) / k, r = x(k G): what no one may do but to reproduce an example. */
static bool sign_with_fixed_k(void *ctx, const uint8_t *digest, uint8_t *der, size_t *len) {
  const struct fixed *f = ctx;
  BN_CTX *bn = BN_CTX_new();
  EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  EC_POINT *point = EC_POINT_new(group);
  BIGNUM *k = NULL, *x = NULL, *n = BN_new(), *r = BN_new(), *s = BN_new(), *e = BN_bin2bn(digest, 32, NULL);
  BN_hex2bn(&k, "A6E3C57DD01ABE90086538398355DD4C3B17AA873382B0F24D6129493D8AAD60");
  BN_hex2bn(&x, f->private);
  EC_GROUP_get_order(group, n, bn);
  EC_POINT_mul(group, point, k, NULL, NULL, bn);
  EC_POINT_get_affine_coordinates(group, point, r, NULL, bn);
  BN_nnmod(r, r, n, bn);
  BN_mod_mul(s, r, x, n, bn);
  BN_mod_add(s, s, e, n, bn);
  BN_mod_inverse(k, k, n, bn);
  BN_mod_mul(s, s, k, n, bn);
  ECDSA_SIG *signature = ECDSA_SIG_new();
  ECDSA_SIG_set0(signature, r, s);
  unsigned char *p = der;
  *len = (size_t)i2d_ECDSA_SIG(signature, &p);
  ECDSA_SIG_free(signature);
  BN_free(k);
  BN_free(x);
  BN_free(n);
  BN_free(e);
  EC_POINT_free(point);
  EC_GROUP_free(group);
  BN_CTX_free(bn);
  return true;
}

static void open_fixed(struct fixed *f, const char *private, const char *point, const char *ski) {
  struct octets spki = hex("3059301306072a8648ce3d020106082a8648ce3d030107034200 04"), xy = hex(point), id = hex(ski);
  memcpy(f->spki, spki.data, spki.len);
  memcpy(f->spki + spki.len, xy.data, xy.len);
  f->private = private;
  assert_int_equal(ww_bgpsec_signer_external(f->spki, sizeof f->spki, sign_with_fixed_k, f, &f->signer), WW_OK);
  assert_true(ww_bgpsec_ski(f->spki, sizeof f->spki, f->ski));
  assert_memory_equal(f->ski, id.data, WW_SKI_LEN);
  free(spki.data);
  free(xy.data);
  free(id.data);
}

static void test_rfc8608(void **state) {
  (void)state;
  struct fixed a, b;
  open_fixed(&a, "D8AA4DFBE2478F86E88A7451BF075565709C575AC1C136D081C540254CA440B9",
             "7391babb92a0cb3be10e59b19ebffb214e04a91e0cba1b139a7d38d90f77e55a"
             "a05b8e695678e0fa16904b55d9d4f5c0dfc58895ee50bc4f75d205a25bd36ff5",
             "ab4d910f55cae71a215ef3cafe3acc45b5eec154");
  open_fixed(&b, "6CB2E931B112F24554BCDCAAFD9553A9519A9AF33C023B60846A21FC95583172",
             "28fc5fe9afcf5f4cab3f5f85cb212fc1e9d0e0dbeaee425bd2f0d3175aa0e989"
             "ea9b603e38f35fb329df495641f2ba040f1c3ac6138307f257cba6b8b588f41f",
             "47f23bf1ab2f8a9d26864ebbd8df2711c74406ec");
  static const struct {
    const char *prefix, *path;
  } c[] = {
      {"192.0.2.0/24", "000e 0100 00010000 0100 0000fbf0 00bf 01"
                       "47f23bf1ab2f8a9d26864ebbd8df2711c74406ec 0048"
                       "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
                       "02210090f2c129abb2f39b6a07963bd555a87ab2b7333b7b91f1668fd8618c83fac3f1"
                       "ab4d910f55cae71a215ef3cafe3acc45b5eec154 0048"
                       "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
                       "0221008e21f60e44c6066c8b8a95a3c09d3ad4379585a2d728eead07a17ed7aa055eca"},
      {"2001:db8::/32", "000e 0100 00010000 0100 0000fbf0 00bf 01"
                        "47f23bf1ab2f8a9d26864ebbd8df2711c74406ec 0048"
                        "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
                        "022100d1b94f6251046d2136a105b0f4727cc5bcd674d97d28e61b8f43bdde91c30626"
                        "ab4d910f55cae71a215ef3cafe3acc45b5eec154 0048"
                        "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
                        "022100e2a02c68fe53cb96934c781f5a14a2971979200c9156edf855058e8053f4acd3"},
  };
  for (size_t i = 0; i < 2; i++) {
    uint8_t one[CAP], two[CAP];
    size_t one_len, two_len;
    const struct ww_bgpsec_sign_key ka = {.suite = 1, .signer = a.signer}, kb = {.suite = 1, .signer = b.signer};
    struct ww_bgpsec_sign_request q = {.asn = 64496, .pcount = 1, .target_as = 65536, .keys = &ka, .key_count = 1};
    assert_int_equal(ww_prefix_parse(c[i].prefix, &q.prefix), WW_OK);
    assert_int_equal(ww_bgpsec_sign(&q, one, CAP, &one_len, NULL), WW_OK);
    q.path = one;
    q.path_len = one_len;
    q.asn = 65536;
    q.target_as = 65537;
    q.keys = &kb;
    assert_int_equal(ww_bgpsec_sign(&q, two, CAP, &two_len, NULL), WW_OK);
    assert_octets(two, two_len, c[i].path);
  }
  ww_bgpsec_signer_free(a.signer);
  ww_bgpsec_signer_free(b.signer);
}

/* --- the rules of RFC 8205 §4 ------------------------------------------------------------------------------------ */

static struct ww_bgpsec_signer *signers[4]; /* of AS 1 to 4 */

static int setup(void **state) {
  (void)state;
  for (unsigned i = 0; i < 4; i++)
    if (ww_bgpsec_signer_generate(&signers[i]))
      return -1;
  return 0;
}

static int teardown(void **state) {
  (void)state;
  for (unsigned i = 0; i < 4; i++)
    ww_bgpsec_signer_free(signers[i]);
  return 0;
}

struct made {
  uint8_t octets[CAP];
  size_t len;
};

static const struct ww_prefix prefix = {.afi = WW_AFI_IPV4, .len = 23, .addr = {192, 0, 2}};

/* By AS `asn`, whose key is signers[asn - 1], for `target`; `suites` is "a" for 1, "b" for 247, or both. */
static enum ww_err add(struct made *m, const struct made *before, uint32_t asn, uint32_t target, uint8_t pcount,
                       bool confed, bool leave, const char *suites) {
  struct ww_bgpsec_sign_key keys[2];
  struct ww_bgpsec_sign_request q = {.prefix = prefix,
                                     .path = before ? before->octets : NULL,
                                     .path_len = before ? before->len : 0,
                                     .asn = asn,
                                     .pcount = pcount,
                                     .confed = confed,
                                     .leave_confed = leave,
                                     .target_as = target,
                                     .keys = keys};
  for (; *suites; suites++)
    keys[q.key_count++] =
        (struct ww_bgpsec_sign_key){.suite = *suites == 'a' ? 1 : 247, .signer = signers[(asn - 1) % 4]};
  struct made out;
  enum ww_err err = ww_bgpsec_sign(&q, out.octets, CAP, &out.len, NULL);
  if (!err)
    *m = out;
  return err;
}

static void verify(const struct made *m, const struct ww_bgpsec_session *session, enum ww_bgpsec_state state,
                   unsigned checked, const char *as_path) {
  static const uint8_t suites[] = {1, 247};
  struct ww_bgpsec_options options = {.suites = suites, .suite_count = 2};
  struct ww_router_key records[4];
  for (uint32_t i = 0; i < 4; i++) {
    records[i] =
        (struct ww_router_key){.asn = 1 + i, .spki = ww_bgpsec_signer_spki(signers[i]), .spki_len = WW_P256_SPKI_LEN};
    assert_true(ww_bgpsec_ski(records[i].spki, WW_P256_SPKI_LEN, records[i].ski));
  }
  struct ww_bgpsec_keys *keys = ww_bgpsec_keys_new(records, 4);
  struct ww_bgpsec_key_source source = ww_bgpsec_keys_source(keys);
  struct ww_bgpsec_verifier *verifier;
  struct ww_bgpsec_worker *worker;
  struct ww_bgpsec_result result = {0};
  assert_int_equal(ww_bgpsec_verifier_new(&options, &verifier), WW_OK);
  assert_int_equal(ww_bgpsec_worker_new(verifier, &worker), WW_OK);
  const struct ww_bgpsec_request q = {.session = session, .prefix = prefix, .path = m->octets, .path_len = m->len};
  assert_int_equal(ww_bgpsec_verify(worker, &source, &q, &result, 1), WW_OK);
  assert_string_equal(ww_bgpsec_state_name(result.state), ww_bgpsec_state_name(state));
  assert_int_equal(result.signatures_checked, checked);
  assert_octets(result.as_path, result.as_path_len, as_path);
  ww_bgpsec_result_fini(&result);
  ww_bgpsec_worker_free(worker);
  ww_bgpsec_verifier_free(verifier);
  ww_bgpsec_keys_free(keys);
}

static void test_refused(void **state) {
  (void)state;
  struct made m, one;
  const struct ww_bgpsec_sign_key key = {.suite = 1, .signer = signers[0]}, twice[] = {key, key};
  struct ww_bgpsec_sign_request q = {.prefix = prefix, .asn = 1, .pcount = 1, .target_as = 2};
  struct ww_diag diag = {0};
  assert_int_equal(ww_bgpsec_sign(&q, m.octets, CAP, &m.len, &diag), WW_ERR_INVAL); /* no key */
  q.keys = twice;
  q.key_count = 2;
  assert_int_equal(ww_bgpsec_sign(&q, m.octets, CAP, &m.len, &diag), WW_ERR_INVAL); /* one suite twice */
  q.key_count = 1;
  q.prefix.addr[3] = 1; /* bits beyond its length */
  assert_int_equal(ww_bgpsec_sign(&q, m.octets, CAP, &m.len, &diag), WW_ERR_INVAL);
  q.prefix = prefix;
  assert_int_equal(ww_bgpsec_sign(&q, m.octets, 20, &m.len, &diag), WW_ERR_FULL);
  q.path = (const uint8_t *)"\0\0";
  q.path_len = 2;
  assert_int_equal(ww_bgpsec_sign(&q, m.octets, CAP, &m.len, &diag), WW_ERR_MALFORMED);
  /* RFC 8205 §4.2: no suite that we sign: not with a BGPsec_PATH. */
  assert_int_equal(add(&one, NULL, 1, 2, 1, false, false, "b"), WW_OK);
  assert_int_equal(add(&m, &one, 2, 3, 1, false, false, "a"), WW_ERR_UNSUPPORTED);
}

static void test_blocks(void **state) {
  (void)state;
  struct made one, two;
  struct ww_bgpsec_path path;
  const struct ww_bgpsec_session session = {.local_as = 3, .peer_as = 2};
  assert_int_equal(add(&one, NULL, 1, 2, 2, false, false, "ab"), WW_OK);
  assert_int_equal(add(&two, &one, 2, 3, 1, false, false, "ba"), WW_OK); /* the order is that of what came */
  assert_int_equal(ww_bgpsec_path_decode(two.octets, two.len, &path, NULL), WW_BGPSEC_REASON_NONE);
  assert_int_equal(path.block_count, 2);
  assert_int_equal(path.blocks[0].suite, 1);
  assert_int_equal(path.blocks[1].suite, 247);
  verify(&two, &session, WW_BGPSEC_VALID, 2, "0203 00000002 00000001 00000001");
  /* A block of a suite that we don't sign is taken out. */
  assert_int_equal(add(&two, &one, 2, 3, 1, false, false, "b"), WW_OK);
  assert_int_equal(ww_bgpsec_path_decode(two.octets, two.len, &path, NULL), WW_BGPSEC_REASON_NONE);
  assert_int_equal(path.block_count, 1);
  assert_int_equal(path.blocks[0].suite, 247);
  verify(&two, &session, WW_BGPSEC_VALID, 2, "0203 00000002 00000001 00000001");
  /* One that we sign and that is not there is not made up. */
  assert_int_equal(add(&one, NULL, 1, 2, 1, false, false, "a"), WW_OK);
  assert_int_equal(add(&two, &one, 2, 3, 1, false, false, "ab"), WW_OK);
  assert_int_equal(ww_bgpsec_path_decode(two.octets, two.len, &path, NULL), WW_BGPSEC_REASON_NONE);
  assert_int_equal(path.block_count, 1);
  /* What is Not Valid is handed on with its signatures all the same. */
  one.octets[one.len - 1] ^= 1;
  assert_int_equal(add(&two, &one, 2, 3, 1, false, false, "a"), WW_OK);
  verify(&two, &session, WW_BGPSEC_NOT_VALID, 2, "0202 00000002 00000001");
}

static void test_confederation(void **state) {
  (void)state;
  /* 1 outside, 2 the confederation, 3 and 4 its members. */
  static const uint32_t members[] = {3, 4};
  const struct ww_bgpsec_session inside = {
      .local_as = 4, .peer_as = 3, .confed_id = 2, .confed_members = members, .confed_member_count = 2};
  const struct ww_bgpsec_session outside = {.local_as = 9, .peer_as = 2};
  struct made m;
  assert_int_equal(add(&m, NULL, 1, 2, 1, false, false, "a"), WW_OK);
  assert_int_equal(add(&m, &m, 2, 3, 0, true, false, "a"), WW_OK); /* the border router, to its own Member-AS */
  assert_int_equal(add(&m, &m, 3, 4, 1, true, false, "a"), WW_OK);
  verify(&m, &inside, WW_BGPSEC_VALID, 3, "0301 00000003 0201 00000001");
  /* Out again: both segments go, and 2 signs once, upon what 1 made. */
  assert_int_equal(add(&m, &m, 2, 9, 1, false, true, "a"), WW_OK);
  verify(&m, &outside, WW_BGPSEC_VALID, 2, "0202 00000002 00000001");
  /* A route of the confederation itself: nothing remains of what members made. */
  assert_int_equal(add(&m, NULL, 3, 4, 1, true, false, "ab"), WW_OK);
  assert_int_equal(add(&m, &m, 2, 9, 1, false, true, "a"), WW_OK);
  verify(&m, &outside, WW_BGPSEC_VALID, 1, "0201 00000002");
}

/* RFC 8206 §5.1: 2 is the new AS and 3 the old one; §5.2 the other way. */
static void test_migration(void **state) {
  (void)state;
  struct made m;
  const struct ww_bgpsec_session customer = {.local_as = 4, .peer_as = 3}, internal = {.local_as = 2, .peer_as = 2};
  assert_int_equal(add(&m, NULL, 1, 2, 1, false, false, "a"), WW_OK);
  assert_int_equal(add(&m, &m, 2, 3, 0, false, false, "a"), WW_OK);
  assert_int_equal(add(&m, &m, 3, 4, 1, false, false, "a"), WW_OK);
  verify(&m, &customer, WW_BGPSEC_VALID, 3, "0202 00000003 00000001");
  assert_int_equal(add(&m, NULL, 4, 3, 1, false, false, "a"), WW_OK);
  assert_int_equal(add(&m, &m, 3, 2, 0, false, false, "a"), WW_OK);
  verify(&m, &internal, WW_BGPSEC_VALID, 2, "0201 00000004");
}

/* --- keys and requests ------------------------------------------------------------------------------------------- */

static void test_key_files(void **state) {
  (void)state;
  struct ww_bgpsec_signer *again;
  struct ww_diag diag = {0};
  uint8_t *pem;
  size_t len;
  assert_int_equal(ww_bgpsec_signer_read("", 0, &again, &diag), WW_ERR_MALFORMED);
  assert_int_equal(ww_bgpsec_signer_read("no key", 6, &again, &diag), WW_ERR_MALFORMED);
  assert_int_equal(ww_bgpsec_signer_read("", WW_BGPSEC_KEY_FILE_MAX + 1, &again, &diag), WW_ERR_LIMIT);
  EVP_PKEY *other = EVP_EC_gen("P-384");
  unsigned char *der = NULL;
  int der_len = i2d_PrivateKey(other, &der);
  assert_int_equal(ww_bgpsec_signer_read(der, (size_t)der_len, &again, &diag), WW_ERR_INVAL);
  OPENSSL_free(der);
  EVP_PKEY_free(other);
  assert_int_equal(ww_bgpsec_signer_write(signers[0], &pem, &len), WW_OK);
  assert_memory_equal(pem, "-----BEGIN PRIVATE KEY-----", 27);
  assert_int_equal(ww_bgpsec_signer_read(pem, len, &again, &diag), WW_OK);
  assert_memory_equal(ww_bgpsec_signer_spki(again), ww_bgpsec_signer_spki(signers[0]), WW_P256_SPKI_LEN);
  ww_bgpsec_signer_free(again);
  ww_bgpsec_secret_free(pem, len);
  /* Keys that are elsewhere can't be written, and make no requests. */
  assert_int_equal(ww_bgpsec_signer_external((const uint8_t *)"", 0, sign_with_fixed_k, NULL, &again), WW_ERR_INVAL);
  assert_int_equal(
      ww_bgpsec_signer_external(ww_bgpsec_signer_spki(signers[0]), WW_P256_SPKI_LEN, sign_with_fixed_k, NULL, &again),
      WW_OK);
  assert_int_equal(ww_bgpsec_signer_write(again, &pem, &len), WW_ERR_STATE);
  assert_int_equal(ww_bgpsec_request(again, NULL, &pem, &len), WW_ERR_STATE);
  ww_bgpsec_signer_free(again);
}

static bool sign_nonsense(void *ctx, const uint8_t *digest, uint8_t *der, size_t *len) {
  (void)digest;
  der[0] = 0x30;
  *len = 1;
  return ctx == NULL;
}

/* A signer that fails, or gives what is no signature, makes no path. */
static void test_bad_signer(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    struct made m;
    struct ww_bgpsec_sign_key key = {.suite = 1};
    struct ww_bgpsec_signer *signer;
    assert_int_equal(ww_bgpsec_signer_external(ww_bgpsec_signer_spki(signers[0]), WW_P256_SPKI_LEN, sign_nonsense,
                                               i ? &key : NULL, &signer),
                     WW_OK);
    key.signer = signer;
    struct ww_bgpsec_sign_request q = {
        .prefix = prefix, .asn = 1, .pcount = 1, .target_as = 2, .keys = &key, .key_count = 1};
    assert_int_equal(ww_bgpsec_sign(&q, m.octets, CAP, &m.len, NULL), WW_ERR_IO);
    ww_bgpsec_signer_free(signer);
  }
}

static void test_request(void **state) {
  (void)state;
  for (int named = 0; named < 2; named++) {
    uint8_t *der;
    size_t len;
    assert_int_equal(ww_bgpsec_request(signers[0], named ? "ROUTER-0000FBF0" : NULL, &der, &len), WW_OK);
    const unsigned char *p = der;
    X509_REQ *request = d2i_X509_REQ(NULL, &p, (long)len);
    assert_non_null(request);
    assert_int_equal(X509_REQ_get_version(request), 0);
    assert_int_equal(X509_REQ_verify(request, X509_REQ_get0_pubkey(request)), 1);
    assert_int_equal(X509_REQ_get_signature_nid(request), NID_ecdsa_with_SHA256);
    assert_int_equal(X509_NAME_entry_count(X509_REQ_get_subject_name(request)), named);
    STACK_OF(X509_EXTENSION) *list = X509_REQ_get_extensions(request);
    assert_int_equal(sk_X509_EXTENSION_num(list), 2);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    X509_REQ_free(request);
    free(der);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rfc8608),       cmocka_unit_test(test_refused),   cmocka_unit_test(test_blocks),
      cmocka_unit_test(test_confederation), cmocka_unit_test(test_migration), cmocka_unit_test(test_key_files),
      cmocka_unit_test(test_bad_signer),    cmocka_unit_test(test_request),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
