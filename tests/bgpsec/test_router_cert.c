/* SPDX-License-Identifier: BSD-2-Clause */
/* Router certificates: each rule of the profile broken alone, by certificates of an RSA CA made here. */
#include "tests/wire/hex.h"

#include "bgpsec/ecdsa.h"
#include <waywarden/bgpsec.h>

#include <openssl/pkcs7.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

enum { NOW = 1800000000 };

static EVP_PKEY *ca_key, *router_key, *other_curve;

static int setup(void **state) {
  (void)state;
  ca_key = EVP_RSA_gen(2048);
  router_key = EVP_EC_gen("P-256");
  other_curve = EVP_EC_gen("P-384");
  return !ca_key || !router_key || !other_curve;
}

static int teardown(void **state) {
  (void)state;
  EVP_PKEY_free(ca_key);
  EVP_PKEY_free(router_key);
  EVP_PKEY_free(other_curve);
  return 0;
}

/* What a router certificate has (RFC 8209 §3.1). Values are those of openssl's configuration files; policies, which
 * take a whole file there, in DER. */
enum { KEY_USAGE, PURPOSE, SKI, AKI, AS_RESOURCES, CRL, AUTHORITY_INFO, POLICIES, EXTRA, EXTENSIONS };
#define AS_OID "1.3.6.1.5.5.7.1.8"
static const char *const profile[EXTENSIONS][2] = {
    [KEY_USAGE] = {"keyUsage", "critical,digitalSignature"},
    [PURPOSE] = {"extendedKeyUsage", "1.3.6.1.5.5.7.3.30"},
    [SKI] = {"subjectKeyIdentifier", "hash"},
    [AKI] = {"authorityKeyIdentifier", "keyid:always"},
    [AS_RESOURCES] = {AS_OID, "critical,DER:3009A0073005020300FBF0"},
    [CRL] = {"crlDistributionPoints", "URI:rsync://example.net/ca.crl"},
    [AUTHORITY_INFO] = {"authorityInfoAccess", "caIssuers;URI:rsync://example.net/ca.cer"},
    [POLICIES] = {"2.5.29.32", "critical,DER:300C300A06082B06010505070E02"},
};

struct change {
  const char *name;
  int index;               /* of the extension that is other than in the profile */
  const char *key, *value; /* NULL: it is missing */
  const char *clause;      /* NULL: the certificate is good all the same */
};

static const struct change changes[] = {
    {"as it should be", EXTRA, NULL, NULL, NULL},
    {"key usage missing", KEY_USAGE, NULL, NULL, "RFC 6487 §4.8.4"},
    {"key usage not critical", KEY_USAGE, "keyUsage", "digitalSignature", "RFC 6487 §4.8.4"},
    {"key usage of a CA", KEY_USAGE, "keyUsage", "critical,digitalSignature,keyCertSign", "RFC 6487 §4.8.4"},
    {"purpose missing", PURPOSE, NULL, NULL, "RFC 8209 §3.1.3.2"},
    {"purpose critical", PURPOSE, "extendedKeyUsage", "critical,1.3.6.1.5.5.7.3.30", "RFC 8209 §3.1.3.2"},
    {"any purpose", PURPOSE, "extendedKeyUsage", "anyExtendedKeyUsage", "RFC 8209 §3.1.3.2"},
    {"another purpose", PURPOSE, "extendedKeyUsage", "serverAuth", "RFC 8209 §3.1.3.2"},
    {"another purpose besides", PURPOSE, "extendedKeyUsage", "serverAuth,1.3.6.1.5.5.7.3.30", NULL},
    {"SKI missing", SKI, NULL, NULL, "RFC 6487 §4.8.2"},
    {"SKI of something else", SKI, "subjectKeyIdentifier", "0102030405060708090A0B0C0D0E0F1011121314",
     "RFC 6487 §4.8.2"},
    {"AKI missing", AKI, NULL, NULL, "RFC 6487 §4.8.3"},
    {"AS resources missing", AS_RESOURCES, NULL, NULL, "RFC 8209 §3.1.3.5"},
    {"AS resources not critical", AS_RESOURCES, AS_OID, "DER:3009A0073005020300FBF0", "RFC 8209 §3.1.3.5"},
    {"AS numbers inherited", AS_RESOURCES, AS_OID, "critical,DER:3004A0020500", "RFC 8209 §3.1.3.5"},
    {"no AS number", AS_RESOURCES, AS_OID, "critical,DER:3004A0023000", "RFC 8209 §3.1.3.5"},
    {"routing domains, too", AS_RESOURCES, AS_OID, "critical,DER:300DA0073005020300FBF0A1020500", "RFC 6487 §4.8.11"},
    {"routing domains only", AS_RESOURCES, AS_OID, "critical,DER:3004A1020500", "RFC 6487 §4.8.11"},
    {"AS numbers out of order", AS_RESOURCES, AS_OID, "critical,DER:300AA0083006020105020104", "RFC 3779 §3.2.3"},
    {"AS numbers that touch", AS_RESOURCES, AS_OID, "critical,DER:300AA0083006020105020106", "RFC 3779 §3.2.3"},
    {"a range backwards", AS_RESOURCES, AS_OID, "critical,DER:300CA00A30083006020105020104", "RFC 3779 §3.2.3"},
    {"an AS number too large", AS_RESOURCES, AS_OID, "critical,DER:300BA0093007020501 00000000", "RFC 3779 §3.2.3"},
    {"AS resources cut short", AS_RESOURCES, AS_OID, "critical,DER:3009A0073005020300FB", "RFC 3779 §3.2.3"},
    {"something after them", AS_RESOURCES, AS_OID, "critical,DER:3009A0073005020300FBF000", "RFC 3779 §3.2.3"},
    {"a range of all", AS_RESOURCES, AS_OID, "critical,DER:3010A00E300C300A020100020500FFFFFFFF", ""},
    {"CRL missing", CRL, NULL, NULL, "RFC 6487 §4.8.6"},
    {"authority information missing", AUTHORITY_INFO, NULL, NULL, "RFC 6487 §4.8.7"},
    {"policies missing", POLICIES, NULL, NULL, "RFC 6487 §4.8.9"},
    {"policies not critical", POLICIES, "2.5.29.32", "DER:300C300A06082B06010505070E02", "RFC 6487 §4.8.9"},
    {"basic constraints", EXTRA, "basicConstraints", "critical,CA:FALSE", "RFC 8209 §3.1.3.1"},
    {"subject information", EXTRA, "subjectInfoAccess", "1.3.6.1.5.5.7.48.11;URI:rsync://example.net/x",
     "RFC 8209 §3.1.3.3"},
    {"IP resources", EXTRA, "1.3.6.1.5.5.7.1.7", "critical,DER:300A30080402000130020500", "RFC 8209 §3.1.3.4"},
    {"unknown and critical", EXTRA, "1.2.3.4", "critical,DER:0500", "RFC 5280 §4.2"},
    {"unknown", EXTRA, "1.2.3.4", "DER:0500", NULL},
    {"twice", EXTRA, "keyUsage", "critical,digitalSignature", "RFC 5280 §4.2"},
};

static void add_extension(X509 *certificate, X509 *issuer, const char *key, const char *value) {
  X509V3_CTX ctx;
  char compact[256];
  size_t n = 0;
  for (; *value; value++)
    if (*value != ' ')
      compact[n++] = *value;
  compact[n] = '\0';
  X509V3_set_ctx_nodb(&ctx);
  X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf(NULL, &ctx, key, compact);
  if (!extension) {
    print_error("%s = %s\n", key, compact);
    fail();
  }
  assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
  X509_EXTENSION_free(extension);
}

static void set_name(X509_NAME *name, const char *text) {
  assert_int_equal(
      X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_PRINTABLESTRING, (const unsigned char *)text, -1, -1, 0), 1);
}

struct made {
  uint8_t *der;
  size_t len;
};

struct term {
  EVP_PKEY *key, *signer;
  long from, to, version;
};

static X509 *make_ca(void) {
  X509 *ca = X509_new();
  X509_set_version(ca, X509_VERSION_3);
  set_name(X509_get_subject_name(ca), "CA");
  X509_set_issuer_name(ca, X509_get_subject_name(ca));
  X509_set_pubkey(ca, ca_key);
  ASN1_TIME_set(X509_getm_notBefore(ca), NOW - 10);
  ASN1_TIME_set(X509_getm_notAfter(ca), NOW + 10);
  add_extension(ca, ca, "basicConstraints", "critical,CA:TRUE");
  add_extension(ca, ca, "subjectKeyIdentifier", "hash");
  assert_true(X509_sign(ca, ca_key, EVP_sha256()) > 0);
  return ca;
}

static X509 *make(const struct change *c, const struct term *t) {
  X509 *ca = make_ca(), *x = X509_new();
  X509_set_version(x, t->version);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
  set_name(X509_get_subject_name(x), "ROUTER-0000FBF0");
  X509_set_issuer_name(x, X509_get_subject_name(ca));
  X509_set_pubkey(x, t->key);
  ASN1_TIME_set(X509_getm_notBefore(x), t->from);
  ASN1_TIME_set(X509_getm_notAfter(x), t->to);
  for (int i = 0; i < EXTENSIONS; i++) {
    const char *key = c->index == i ? c->key : profile[i][0];
    if (key)
      add_extension(x, ca, key, c->index == i ? c->value : profile[i][1]);
  }
  assert_true(X509_sign(x, t->signer, EVP_sha256()) > 0);
  X509_free(ca);
  return x;
}

static struct made der_of(X509 *x) {
  unsigned char *der = NULL;
  int len = i2d_X509(x, &der);
  assert_true(len > 0);
  struct octets exact = octets_of(der, (size_t)len);
  OPENSSL_free(der);
  X509_free(x);
  return (struct made){.der = exact.data, .len = exact.len};
}

static void test_profile(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
    const struct change *c = &changes[i];
    const struct term good = {
        .key = router_key, .signer = ca_key, .from = NOW - 10, .to = NOW + 10, .version = X509_VERSION_3};
    struct made m = der_of(make(c, &good));
    struct ww_payloads set = {0};
    struct ww_diag diag = {0};
    enum ww_err err = ww_bgpsec_router_certificates(m.der, m.len, NOW, &set, &diag);
    enum ww_err want = !c->clause ? WW_OK : c->clause[0] ? WW_ERR_MALFORMED : WW_ERR_LIMIT;
    if (err != want || (c->clause && c->clause[0] && (!diag.clause || strcmp(diag.clause, c->clause) != 0))) {
      print_error("%s: %s, %s (%s)\n", c->name, ww_err_name(err), diag.text, diag.clause ? diag.clause : "-");
      fail();
    }
    assert_int_equal(set.key_count, c->clause ? 0 : 1);
    ww_payloads_fini(&set);
    free(m.der);
  }
}

static void test_terms(void **state) {
  (void)state;
  const struct {
    struct term term;
    const char *clause;
  } c[] = {
      {{router_key, ca_key, NOW, NOW, X509_VERSION_3}, NULL},
      {{router_key, ca_key, NOW + 1, NOW + 9, X509_VERSION_3}, "RFC 6487 §4.6"},
      {{router_key, ca_key, NOW - 9, NOW - 1, X509_VERSION_3}, "RFC 6487 §4.6"},
      {{router_key, ca_key, NOW + 9, NOW - 9, X509_VERSION_3}, "RFC 6487 §4.6"},
      {{router_key, router_key, NOW - 9, NOW + 9, X509_VERSION_3}, "RFC 6487 §4.3"},
      {{router_key, ca_key, NOW - 9, NOW + 9, X509_VERSION_2}, "RFC 6487 §4.1"},
      {{other_curve, ca_key, NOW - 9, NOW + 9, X509_VERSION_3}, "RFC 8608 §3.1"},
      {{ca_key, ca_key, NOW - 9, NOW + 9, X509_VERSION_3}, "RFC 8608 §3.1"},
  };
  for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
    struct made m = der_of(make(&changes[0], &c[i].term));
    struct ww_payloads set = {0};
    struct ww_diag diag = {0};
    enum ww_err err = ww_bgpsec_router_certificates(m.der, m.len, NOW, &set, &diag);
    assert_int_equal(err, c[i].clause ? WW_ERR_MALFORMED : WW_OK);
    if (c[i].clause)
      assert_string_equal(diag.clause, c[i].clause);
    else
      assert_int_equal(set.keys[0].expires, NOW);
    ww_payloads_fini(&set);
    free(m.der);
  }
}

static void test_files(void **state) {
  (void)state;
  struct ww_payloads set = {0};
  struct ww_diag diag = {0};
  const struct term good = {
      .key = router_key, .signer = ca_key, .from = NOW - 10, .to = NOW + 10, .version = X509_VERSION_3};
  assert_int_equal(ww_bgpsec_router_certificates((const uint8_t *)"", 0, NOW, &set, &diag), WW_ERR_MALFORMED);
  assert_int_equal(ww_bgpsec_router_certificates((const uint8_t *)"x", 1, NOW, &set, &diag), WW_ERR_MALFORMED);
  assert_int_equal(ww_bgpsec_router_certificates((const uint8_t *)"", WW_ROUTER_CERT_FILE_MAX + 1, NOW, &set, &diag),
                   WW_ERR_LIMIT);
  /* Three AS numbers, two of them as a range, are three records of one key. */
  const struct change three = {"", AS_RESOURCES, AS_OID, "critical,DER:3013A011300F30080202008002020081020300FBF0",
                               NULL};
  struct made m = der_of(make(&three, &good));
  assert_int_equal(ww_bgpsec_router_certificates(m.der, m.len, NOW, &set, &diag), WW_OK);
  assert_int_equal(set.key_count, 3);
  assert_int_equal(set.keys[0].asn, 0x80);
  assert_int_equal(set.keys[1].asn, 0x81);
  assert_int_equal(set.keys[2].asn, 64496);
  assert_int_equal(set.keys[0].spki_len, WW_BGPSEC_SPKI_LEN);
  ww_payloads_fini(&set);
  /* With an octet more it is no certificate. */
  struct octets longer = octets_of(m.der, m.len);
  longer.data = realloc(longer.data, m.len + 1);
  longer.data[m.len] = 0;
  assert_int_equal(ww_bgpsec_router_certificates(longer.data, m.len + 1, NOW, &set, &diag), WW_ERR_MALFORMED);
  free(longer.data);
  free(m.der);
  /* PKCS#7 certs-only, with the CA's certificate beside the router's (RFC 8635 §7). */
  for (int with_router = 0; with_router < 2; with_router++) {
    PKCS7 *message = PKCS7_new();
    X509 *ca = make_ca(), *router = make(&changes[0], &good);
    assert_true(PKCS7_set_type(message, NID_pkcs7_signed) && PKCS7_content_new(message, NID_pkcs7_data));
    assert_true(PKCS7_add_certificate(message, ca) && PKCS7_add_certificate(message, ca));
    if (with_router)
      assert_true(PKCS7_add_certificate(message, router));
    unsigned char *der = NULL;
    int len = i2d_PKCS7(message, &der);
    assert_true(len > 0);
    struct octets exact = octets_of(der, (size_t)len);
    assert_int_equal(ww_bgpsec_router_certificates(exact.data, exact.len, NOW, &set, &diag),
                     with_router ? WW_OK : WW_ERR_MALFORMED);
    assert_int_equal(set.key_count, with_router);
    ww_payloads_fini(&set);
    free(exact.data);
    OPENSSL_free(der);
    X509_free(ca);
    X509_free(router);
    PKCS7_free(message);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_profile), cmocka_unit_test(test_terms),
                                     cmocka_unit_test(test_files)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
