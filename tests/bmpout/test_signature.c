/* SPDX-License-Identifier: BSD-2-Clause */
/* bmpout/cose.c and signature.c: the example of RFC 9052, round trips, every changed octet, and what must be refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "bmpout/numbers.h"
#include "bmpout/signature.h"
#include "wire/bmp.h"
#include "wire/bmp_tlv.h"

enum { PEN = WW_PEN_EXAMPLE, ROOM = 4096 };

struct pem {
  char private[512], public[512];
  size_t private_len, public_len;
};

static size_t bio_text(BIO *bio, char *out, size_t size) {
  int len = BIO_read(bio, out, (int)size - 1);
  assert_true(len > 0);
  out[len] = '\0';
  BIO_free(bio);
  return (size_t)len;
}

static struct pem pem_of(EVP_PKEY *pkey) {
  struct pem pem;
  BIO *bio = BIO_new(BIO_s_mem());
  assert_int_equal(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
  pem.private_len = bio_text(bio, pem.private, sizeof pem.private);
  bio = BIO_new(BIO_s_mem());
  assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
  pem.public_len = bio_text(bio, pem.public, sizeof pem.public);
  EVP_PKEY_free(pkey);
  return pem;
}

static struct pem new_pem(const char *kind) {
  EVP_PKEY *pkey = strcmp(kind, "ED25519") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                                : EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
  assert_non_null(pkey);
  return pem_of(pkey);
}

static struct ww_cose_key *read_key(const char *text, size_t len, bool is_private, const char *id) {
  struct ww_cose_key *key;
  struct ww_diag diag = {0};
  if (ww_cose_key_read(text, len, is_private, id, id ? strlen(id) : 0, &key, &diag) != WW_OK)
    fail_msg("%s", diag.text);
  return key;
}

/* RFC 9052 Appendix C.2.1, its payload taken out; the key is that of Appendix C.7.1 with the id "11". */
static void test_example_of_the_rfc(void **state) {
  (void)state;
  static const uint8_t point[] = {0x04, 0xba, 0xc5, 0xb1, 0x1c, 0xad, 0x8f, 0x99, 0xf9, 0xc7, 0x2b, 0x05, 0xcf,
                                  0x4b, 0x9e, 0x26, 0xd2, 0x44, 0xdc, 0x18, 0x9f, 0x74, 0x52, 0x28, 0x25, 0x5a,
                                  0x21, 0x9a, 0x86, 0xd6, 0xa0, 0x9e, 0xff, 0x20, 0x13, 0x8b, 0xf8, 0x2d, 0xc1,
                                  0xb6, 0xd5, 0x62, 0xbe, 0x0f, 0xa5, 0x4a, 0xb7, 0x80, 0x4a, 0x3a, 0x64, 0xb6,
                                  0xd7, 0x2c, 0xcf, 0xed, 0x6b, 0x6f, 0xb6, 0xed, 0x28, 0xbb, 0xfc, 0x11, 0x7e};
  static const uint8_t sign1[] = {0xd2, 0x84, 0x43, 0xa1, 0x01, 0x26, 0xa1, 0x04, 0x42, 0x31, 0x31, 0xf6, 0x58,
                                  0x40, 0x8e, 0xb3, 0x3e, 0x4c, 0xa3, 0x1d, 0x1c, 0x46, 0x5a, 0xb0, 0x5a, 0xac,
                                  0x34, 0xcc, 0x6b, 0x23, 0xd5, 0x8f, 0xef, 0x5c, 0x08, 0x31, 0x06, 0xc4, 0xd2,
                                  0x5a, 0x91, 0xae, 0xf0, 0xb0, 0x11, 0x7e, 0x2a, 0xf9, 0xa2, 0x91, 0xaa, 0x32,
                                  0xe1, 0x4a, 0xb8, 0x34, 0xdc, 0x56, 0xed, 0x2a, 0x22, 0x34, 0x44, 0x54, 0x7e,
                                  0x01, 0xf1, 0x1d, 0x3b, 0x09, 0x16, 0xe5, 0xa4, 0xc3, 0x45, 0xca, 0xcb, 0x36};
  static const char payload[] = "This is the content.";
  char group[] = "prime256v1";
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("group", group, 0),
                         OSSL_PARAM_construct_octet_string("pub", (void *)(uintptr_t)point, sizeof point),
                         OSSL_PARAM_construct_end()};
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
  EVP_PKEY *pkey = NULL;
  assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
  assert_int_equal(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params), 1);
  EVP_PKEY_CTX_free(ctx);
  char pem[512];
  BIO *bio = BIO_new(BIO_s_mem());
  assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
  EVP_PKEY_free(pkey);
  size_t len = bio_text(bio, pem, sizeof pem);
  struct ww_cose_key *key = read_key(pem, len, false, "11");
  const struct ww_cose_key *by;
  struct ww_diag diag = {0};
  if (ww_cose_verify1(&key, 1, sign1, sizeof sign1, payload, strlen(payload), &by, &diag) != WW_OK)
    fail_msg("%s", diag.text);
  assert_ptr_equal(by, key);
  assert_int_equal(ww_cose_verify1(&key, 1, sign1, sizeof sign1, "This is the content!", 20, &by, &diag), WW_ERR_INVAL);
  assert_null(by);
  ww_cose_key_free(key);
}

/* A message of type 252 or 251 with a Profile TLV. */
static size_t message(uint8_t *buf, uint8_t type, bool peer) {
  struct ww_writer w = ww_writer_make(buf, ROOM);
  ww_writer_u8(&w, 4);
  ww_writer_u32(&w, 0);
  ww_writer_u8(&w, type);
  if (peer)
    ww_writer_zero(&w, WW_BMP_PEER_HEADER_LEN);
  size_t at = ww_tlv_begin(&w, WW_RPKI_TLV_PROFILE, true, PEN, true, false, 0);
  ww_writer_u64(&w, 0x0115000800000001);
  ww_tlv_end(&w, at);
  ww_writer_patch_u32(&w, 1, w.len);
  assert_false(w.overflow);
  return w.len;
}

static enum ww_err check(struct ww_cose_key *key, const uint8_t *buf, size_t len, bool *present) {
  struct ww_diag diag = {0};
  enum ww_err err = ww_signature_check(&key, 1, PEN, buf, len, present, NULL, &diag);
  assert_true(err == WW_OK || diag.text[0]);
  return err;
}

static void sign_and_check(const char *kind, uint8_t type, bool peer) {
  struct pem pem = new_pem(kind);
  struct ww_cose_key *private = read_key(pem.private, pem.private_len, true, NULL);
  struct ww_cose_key *public = read_key(pem.public, pem.public_len, false, NULL);
  uint8_t buf[ROOM], copy[ROOM];
  bool present;
  size_t plain = message(buf, type, peer);
  assert_int_equal(check(public, buf, plain, &present), WW_ERR_NOTFOUND);
  assert_false(present);
  struct ww_writer w = {.buf = buf, .cap = ROOM, .len = plain};
  assert_int_equal(ww_signature_append(private, PEN, 0, 65535, &w, NULL), WW_OK);
  assert_int_equal(w.len, plain + ww_signature_room(private));
  assert_int_equal(buf[3] << 8 | buf[4], w.len);
  assert_int_equal(check(public, buf, w.len, &present), WW_OK);
  assert_true(present);
  /* any change to any octet is noticed */
  for (size_t i = 0; i < w.len; i++) {
    memcpy(copy, buf, w.len);
    copy[i] ^= 0x10;
    assert_int_not_equal(check(public, copy, w.len, &present), WW_OK);
  }
  for (size_t cut = 0; cut < w.len; cut++)
    assert_int_not_equal(check(public, buf, cut, &present), WW_OK);
  /* not the last TLV */
  size_t at = ww_tlv_begin(&w, 300, true, PEN, true, false, 0);
  ww_tlv_end(&w, at);
  assert_int_equal(check(public, buf, w.len, &present), WW_ERR_MALFORMED);
  assert_true(present);
  ww_cose_key_free(private);
  ww_cose_key_free(public);
}

static void test_round_trips(void **state) {
  (void)state;
  sign_and_check("P-256", WW_BMP_RPKI_VALIDATION, true);
  sign_and_check("ED25519", WW_BMP_RPKI_IMPACT, true);
  sign_and_check("ED25519", WW_BMP_RPKI_CONFIG, false);
  sign_and_check("P-256", WW_BMP_RPKI_CONFIG, true);
}

static void test_no_room(void **state) {
  (void)state;
  struct pem pem = new_pem("ED25519");
  struct ww_cose_key *key = read_key(pem.private, pem.private_len, true, "k1");
  uint8_t buf[ROOM], before[ROOM];
  size_t plain = message(buf, WW_BMP_RPKI_VALIDATION, true), room = ww_signature_room(key);
  memcpy(before, buf, plain);
  struct ww_writer w = {.buf = buf, .cap = plain + room - 1, .len = plain};
  assert_int_equal(ww_signature_append(key, PEN, 0, 65535, &w, NULL), WW_ERR_FULL);
  w.cap = ROOM;
  assert_int_equal(ww_signature_append(key, PEN, 0, plain + room - 1, &w, NULL), WW_ERR_FULL);
  assert_int_equal(w.len, plain);
  assert_memory_equal(buf, before, plain);
  assert_int_equal(ww_signature_append(key, PEN, 0, plain + room, &w, NULL), WW_OK);
  ww_cose_key_free(key);
}

static void test_keys(void **state) {
  (void)state;
  struct pem one = new_pem("P-256"), other = new_pem("P-256"), ed = new_pem("ED25519");
  struct ww_cose_key *private = read_key(one.private, one.private_len, true, NULL);
  struct ww_cose_key *keys[3] = {read_key(other.public, other.public_len, false, NULL),
                                 read_key(ed.public, ed.public_len, false, NULL),
                                 read_key(one.public, one.public_len, false, NULL)};
  uint8_t out[WW_COSE_SIGN1_MAX];
  const struct ww_cose_key *by;
  size_t id_len, want_len;
  assert_memory_equal(ww_cose_key_id(private, &id_len), ww_cose_key_id(keys[2], &want_len), WW_COSE_KEY_ID_DEFAULT);
  assert_int_equal(id_len, want_len);
  assert_int_equal(ww_cose_sign1(private, "payload", 7, out, NULL), WW_OK);
  size_t size = ww_cose_sign1_size(private);
  assert_int_equal(ww_cose_verify1(keys, 3, out, size, "payload", 7, &by, NULL), WW_OK);
  assert_ptr_equal(by, keys[2]);
  assert_int_equal(ww_cose_verify1(keys, 2, out, size, "payload", 7, &by, NULL), WW_ERR_NOTFOUND);
  assert_int_equal(ww_cose_verify1(NULL, 0, out, size, "payload", 7, &by, NULL), WW_ERR_NOTFOUND);
  /* somebody else's key under the same id */
  struct ww_cose_key *liar = read_key(other.public, other.public_len, false, "same"),
                     *signer = read_key(one.private, one.private_len, true, "same");
  assert_int_equal(ww_cose_sign1(signer, "payload", 7, out, NULL), WW_OK);
  assert_int_equal(ww_cose_verify1(&liar, 1, out, ww_cose_sign1_size(signer), "payload", 7, &by, NULL), WW_ERR_INVAL);
  assert_int_equal(ww_cose_sign1(liar, "payload", 7, out, NULL), WW_ERR_INVAL); /* public */
  ww_cose_key_free(liar);
  ww_cose_key_free(signer);
  ww_cose_key_free(private);
  for (size_t i = 0; i < 3; i++)
    ww_cose_key_free(keys[i]);
  struct ww_diag diag = {0};
  struct ww_cose_key *none;
  struct pem p384 = new_pem("P-384");
  assert_int_equal(ww_cose_key_read(p384.private, p384.private_len, true, NULL, 0, &none, &diag), WW_ERR_UNSUPPORTED);
  assert_int_equal(ww_cose_key_read("nonsense", 8, true, NULL, 0, &none, &diag), WW_ERR_MALFORMED);
  assert_int_equal(ww_cose_key_read(one.public, one.public_len, true, NULL, 0, &none, &diag), WW_ERR_MALFORMED);
  assert_int_equal(ww_cose_key_read(one.public, one.public_len, false, "", 0, &none, &diag), WW_ERR_INVAL);
  assert_null(none);
}

static void test_unsound_structures(void **state) {
  (void)state;
  static const struct {
    const char *what;
    uint8_t octets[24];
    size_t len;
    enum ww_err want;
  } cases[] = {
      {"nothing", {0}, 0, WW_ERR_MALFORMED},
      {"a number", {1}, 1, WW_ERR_MALFORMED},
      {"another tag", {0xd1, 0x84}, 2, WW_ERR_MALFORMED},
      {"three members", {0x83, 0x40, 0xa0, 0xf6}, 4, WW_ERR_MALFORMED},
      {"payload inside", {0x84, 0x43, 0xa1, 0x01, 0x26, 0xa0, 0x41, 0x00, 0x40}, 9, WW_ERR_MALFORMED},
      {"empty signature", {0x84, 0x43, 0xa1, 0x01, 0x26, 0xa0, 0xf6, 0x40}, 8, WW_ERR_MALFORMED},
      {"no algorithm", {0x84, 0x41, 0xa0, 0xa0, 0xf6, 0x40}, 6, WW_ERR_UNSUPPORTED},
      {"algorithm not signed", {0x84, 0x41, 0xa0, 0xa1, 0x01, 0x26, 0xf6, 0x40}, 8, WW_ERR_UNSUPPORTED},
      {"critical", {0x84, 0x46, 0xa2, 0x01, 0x26, 0x02, 0x81, 0x01, 0xa0, 0xf6, 0x40}, 11, WW_ERR_UNSUPPORTED},
      {"more after it", {0x84, 0x43, 0xa1, 0x01, 0x26, 0xa0, 0xf6, 0x40, 0x00}, 9, WW_ERR_MALFORMED},
      {"a map that goes on for ever",
       {0x84, 0x43, 0xa1, 0x01, 0x26, 0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
       14,
       WW_ERR_MALFORMED},
      {"indefinite length", {0x9f, 0x43, 0xa1, 0x01, 0x26, 0xa0, 0xf6, 0x40, 0xff}, 9, WW_ERR_MALFORMED},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ww_diag diag = {0};
    uint8_t *exact = malloc(cases[i].len + 1);
    assert_non_null(exact);
    memcpy(exact, cases[i].octets, cases[i].len);
    enum ww_err err = ww_cose_verify1(NULL, 0, exact, cases[i].len, "", 0, NULL, &diag);
    free(exact);
    if (err != cases[i].want || !diag.text[0])
      fail_msg("%s: %s (%s)", cases[i].what, ww_err_name(err), diag.text);
  }
  static uint8_t huge[WW_COSE_SIGN1_MAX + 1];
  assert_int_equal(ww_cose_verify1(NULL, 0, huge, sizeof huge, "", 0, NULL, NULL), WW_ERR_LIMIT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_example_of_the_rfc),
      cmocka_unit_test(test_round_trips),
      cmocka_unit_test(test_no_room),
      cmocka_unit_test(test_keys),
      cmocka_unit_test(test_unsound_structures),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
