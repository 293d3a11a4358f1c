/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Router certificates: the profile of RFC 8209 §3.1, which is that of RFC 6487 §4 with five differences, and the keys
 * that a certificate binds to AS numbers.
 *
 * What is checked is what the certificate itself says. Whether a trust anchor stands behind it is not: no signature, no
 * CRL, no manifest and no resource of an issuer is looked at. That is the relying party's job (RFC 6487 §7, RFC 8209
 * §3.3), and whoever puts a certificate where this reads it vouches for it.
 *
 * The certificate is read by libcrypto; the AS resources by our own DER reader, because libcrypto may be built without
 * RFC 3779. A certificate may name many AS numbers, each of which becomes a record; CHOICE: up to
 * WW_ROUTER_CERT_ASNS_MAX of them, since a range of all of them is one line to write.
 *
 * Clauses: RFC 3779 §3.2; RFC 6487 §4.1 to §4.8; RFC 8209 §3.1; RFC 8608 §3.1; RFC 8635 §7.
 */
#include "base/calendar.h"
#include "base/der.h"
#include "bgpsec/ecdsa.h"
#include <waywarden/bgpsec.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>

static const uint8_t oid_as_resources[] = {0x2b, 6, 1, 5, 5, 7, 1, 8}; /* RFC 3779 §3.2.1 */
static const uint8_t oid_ip_resources[] = {0x2b, 6, 1, 5, 5, 7, 1, 7};
static const uint8_t oid_router_purpose[] = {0x2b, 6, 1, 5, 5, 7, 3, 30}; /* RFC 8209 §3.1.3.2 */

static enum ww_err bad(struct ww_diag *diag, const char *clause, const char *text) {
  return ww_fail(diag, WW_ERR_MALFORMED, 0, clause, "router certificate: %s", text);
}

/* --- extensions ------------------------------------------------------------------------------------------------- */

struct extension {
  const uint8_t *value; /* NULL: absent */
  size_t len;
  bool critical;
  unsigned count;
};

static bool is_oid(const ASN1_OBJECT *object, const uint8_t *oid, size_t len) {
  return OBJ_length(object) == len && memcmp(OBJ_get0_data(object), oid, len) == 0;
}

static void note(struct extension *e, X509_EXTENSION *x) {
  const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(x);
  e->value = ASN1_STRING_get0_data(value);
  e->len = (size_t)ASN1_STRING_length(value);
  e->critical = X509_EXTENSION_get_critical(x) != 0;
  e->count++;
}

struct extensions {
  struct extension key_usage, purpose, ski, aki, as_resources, ip_resources, basic, info_access, crl, authority_info,
      policies;
  bool unknown_critical, repeated;
};

static void collect(const X509 *certificate, struct extensions *out) {
  const struct {
    int nid;
    struct extension *to;
  } wanted[] = {{NID_key_usage, &out->key_usage},          {NID_ext_key_usage, &out->purpose},
                {NID_subject_key_identifier, &out->ski},   {NID_authority_key_identifier, &out->aki},
                {NID_basic_constraints, &out->basic},      {NID_sinfo_access, &out->info_access},
                {NID_crl_distribution_points, &out->crl},  {NID_info_access, &out->authority_info},
                {NID_certificate_policies, &out->policies}};
  for (int i = 0; i < X509_get_ext_count(certificate); i++) {
    X509_EXTENSION *x = X509_get_ext(certificate, i);
    const ASN1_OBJECT *object = X509_EXTENSION_get_object(x);
    struct extension *to = is_oid(object, oid_as_resources, sizeof oid_as_resources)   ? &out->as_resources
                           : is_oid(object, oid_ip_resources, sizeof oid_ip_resources) ? &out->ip_resources
                                                                                       : NULL;
    for (unsigned n = 0; n < sizeof wanted / sizeof wanted[0] && !to; n++)
      if (OBJ_obj2nid(object) == wanted[n].nid)
        to = wanted[n].to;
    if (!to) {
      out->unknown_critical |= X509_EXTENSION_get_critical(x) != 0;
      continue;
    }
    note(to, x);
    out->repeated |= to->count > 1;
  }
}

static bool has_router_purpose(const struct extension *e) {
  struct ww_der_input input;
  struct ww_der d = ww_der_open(&input, e->value, e->len), list = ww_der_enter(&d, WW_DER_SEQUENCE);
  bool found = false;
  while (ww_der_more(&list))
    found |= ww_der_span_is(ww_der_oid(&list), oid_router_purpose, sizeof oid_router_purpose);
  return ww_der_end(&d) && found;
}

static bool only_digital_signature(const struct extension *e) {
  struct ww_der_input input;
  struct ww_der d = ww_der_open(&input, e->value, e->len);
  unsigned unused;
  struct ww_der_span bits = ww_der_bits(&d, &unused);
  return ww_der_end(&d) && bits.len == 1 && bits.p[0] == 0x80;
}

/* RFC 3779 §3.2.3: ASIdentifiers, of which only AS numbers and ranges written out may be there (RFC 6487 §4.8.11). */
static enum ww_err read_asns(const struct extension *e, uint32_t *asns, size_t *count, struct ww_diag *diag) {
  struct ww_der_input input;
  struct ww_der d = ww_der_open(&input, e->value, e->len), both = ww_der_enter(&d, WW_DER_SEQUENCE);
  if (ww_der_is(&both, WW_DER_CONTEXT | 1))
    return bad(diag, "RFC 6487 §4.8.11", "routing domain identifiers");
  struct ww_der choice = ww_der_enter(&both, WW_DER_CONTEXT | 0);
  if (ww_der_is(&both, WW_DER_CONTEXT | 1))
    return bad(diag, "RFC 6487 §4.8.11", "routing domain identifiers");
  if (ww_der_is(&choice, WW_DER_NULL))
    return bad(diag, "RFC 8209 §3.1.3.5", "AS numbers are inherited");
  struct ww_der list = ww_der_enter(&choice, WW_DER_SEQUENCE);
  uint64_t next = 0; /* ascending and not touching (RFC 3779 §3.2.3.4) */
  *count = 0;
  while (ww_der_more(&list)) {
    uint64_t low, high;
    if (ww_der_is(&list, WW_DER_SEQUENCE)) {
      struct ww_der range = ww_der_enter(&list, WW_DER_SEQUENCE);
      low = ww_der_u32(&range);
      high = ww_der_u32(&range);
      (void)ww_der_end(&range);
    } else {
      low = high = ww_der_u32(&list);
    }
    if (low > high || low < next) {
      ww_der_fail(&list, "not in order");
      break;
    }
    next = high + 2;
    if (ww_der_ok(&list) && high - low >= WW_ROUTER_CERT_ASNS_MAX - *count)
      return ww_fail(diag, WW_ERR_LIMIT, 0, NULL, "router certificate: more than %d AS numbers",
                     WW_ROUTER_CERT_ASNS_MAX);
    for (uint64_t asn = low; asn <= high && ww_der_ok(&list); asn++)
      asns[(*count)++] = (uint32_t)asn;
  }
  if (!ww_der_end(&choice) || !ww_der_end(&both) || !ww_der_end(&d))
    return ww_fail(diag, WW_ERR_MALFORMED, 0, "RFC 3779 §3.2.3", "router certificate: AS resources: %s", input.why);
  return *count ? WW_OK : bad(diag, "RFC 8209 §3.1.3.5", "no AS number");
}

/* --- the certificate -------------------------------------------------------------------------------------------- */

static bool time_of(const ASN1_TIME *time, int64_t *out) {
  struct tm tm;
  if (!ASN1_TIME_to_tm(time, &tm) || tm.tm_year < 0)
    return false;
  const struct ww_calendar c = {.year = (unsigned)tm.tm_year + 1900,
                                .month = (unsigned)tm.tm_mon + 1,
                                .day = (unsigned)tm.tm_mday,
                                .hour = (unsigned)tm.tm_hour,
                                .minute = (unsigned)tm.tm_min,
                                .second = (unsigned)tm.tm_sec};
  return ww_calendar_to_unix(&c, out);
}

/* RFC 6487 §4.2 to §4.8 and RFC 8209 §3.1, but for the AS numbers and the key. */
static enum ww_err check_extensions(const struct extensions *e, struct ww_diag *diag) {
  if (e->repeated)
    return bad(diag, "RFC 5280 §4.2", "an extension twice");
  if (e->basic.value)
    return bad(diag, "RFC 8209 §3.1.3.1", "basic constraints");
  if (e->info_access.value)
    return bad(diag, "RFC 8209 §3.1.3.3", "subject information access");
  if (e->ip_resources.value)
    return bad(diag, "RFC 8209 §3.1.3.4", "IP resources");
  if (!e->purpose.value || e->purpose.critical || !has_router_purpose(&e->purpose))
    return bad(diag, "RFC 8209 §3.1.3.2", "no extended key usage of a BGPsec router, or a critical one");
  if (!e->as_resources.value || !e->as_resources.critical)
    return bad(diag, "RFC 8209 §3.1.3.5", "no critical AS resources");
  if (!e->key_usage.value || !e->key_usage.critical || !only_digital_signature(&e->key_usage))
    return bad(diag, "RFC 6487 §4.8.4", "key usage is not digitalSignature alone, and critical");
  if (!e->ski.value || e->ski.critical)
    return bad(diag, "RFC 6487 §4.8.2", "no subject key identifier, or a critical one");
  if (!e->aki.value || e->aki.critical)
    return bad(diag, "RFC 6487 §4.8.3", "no authority key identifier, or a critical one");
  if (!e->crl.value || e->crl.critical)
    return bad(diag, "RFC 6487 §4.8.6", "no CRL distribution point, or a critical one");
  if (!e->authority_info.value || e->authority_info.critical)
    return bad(diag, "RFC 6487 §4.8.7", "no authority information access, or a critical one");
  if (!e->policies.value || !e->policies.critical)
    return bad(diag, "RFC 6487 §4.8.9", "no critical certificate policy");
  if (e->unknown_critical)
    return bad(diag, "RFC 5280 §4.2", "an unknown critical extension");
  return WW_OK;
}

/* RFC 6487 §4.8.2: the SHA-1 of the key, in an OCTET STRING. */
static bool ski_matches(const struct extension *e, const uint8_t *ski) {
  struct ww_der_input input;
  struct ww_der d = ww_der_open(&input, e->value, e->len);
  struct ww_der_span value = ww_der_contents(&d, WW_DER_OCTET_STRING);
  return ww_der_end(&d) && ww_der_span_is(value, ski, WW_SKI_LEN);
}

static bool on_curve(const uint8_t *point) {
  struct ww_p256 *p256;
  struct ww_p256_key *key = NULL;
  if (ww_p256_new(&p256))
    return false;
  bool good = ww_p256_key_new(p256, point, &key) == WW_OK;
  ww_p256_key_unref(key);
  ww_p256_free(p256);
  return good;
}

static enum ww_err read_certificate(X509 *certificate, int64_t now, struct ww_payloads *out, struct ww_diag *diag) {
  static const char *const times = "RFC 6487 §4.6";
  struct extensions e = {0};
  uint32_t asns[WW_ROUTER_CERT_ASNS_MAX];
  size_t asn_count = 0;
  int64_t from, to;
  if (X509_get_version(certificate) != X509_VERSION_3)
    return bad(diag, "RFC 6487 §4.1", "not version 3");
  /* RFC 7935 §2: what CAs of the RPKI sign with; a certificate signed otherwise is none of theirs. */
  if (X509_get_signature_nid(certificate) != NID_sha256WithRSAEncryption)
    return bad(diag, "RFC 6487 §4.3", "not signed with RSA and SHA-256");
  if (!time_of(X509_get0_notBefore(certificate), &from) || !time_of(X509_get0_notAfter(certificate), &to) || from > to)
    return bad(diag, times, "no term of validity");
  if (now < from)
    return bad(diag, times, "not valid yet");
  if (now > to)
    return bad(diag, times, "expired");
  collect(certificate, &e);
  enum ww_err err = check_extensions(&e, diag);
  if (!err)
    err = read_asns(&e.as_resources, asns, &asn_count, diag);
  if (err)
    return err;
  unsigned char *spki = NULL;
  int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
  const uint8_t *point = len > 0 ? ww_p256_spki_point(spki, (size_t)len) : NULL;
  struct ww_router_key key = {.spki = spki, .spki_len = (uint32_t)len, .expires = to};
  if (!point || !on_curve(point))
    err = bad(diag, "RFC 8608 §3.1", "not a key of P-256");
  else if (!ww_bgpsec_ski(spki, (size_t)len, key.ski) || !ski_matches(&e.ski, key.ski))
    err = bad(diag, "RFC 6487 §4.8.2", "the subject key identifier is not the hash of the key");
  for (size_t i = 0; i < asn_count && !err; i++) {
    key.asn = asns[i];
    err = ww_payloads_add_key(out, &key);
  }
  OPENSSL_free(spki);
  return err;
}

/* --- files ------------------------------------------------------------------------------------------------------ */

/* The certificates of a file: one in DER or PEM, or those of a PKCS#7 certs-only message (RFC 8635 §7). */
static STACK_OF(X509) * read_file(const uint8_t *data, size_t len) {
  STACK_OF(X509) *list = sk_X509_new_null();
  BIO *bio = BIO_new_mem_buf(data, (int)len);
  const unsigned char *p = data;
  X509 *one = list ? d2i_X509(NULL, &p, (long)len) : NULL;
  if (one && p != data + len) { /* trailing octets */
    X509_free(one);
    one = NULL;
  } else if (!one && bio) {
    one = PEM_read_bio_X509(bio, NULL, NULL, NULL);
  }
  if (one && sk_X509_push(list, one) <= 0)
    X509_free(one);
  PKCS7 *message = NULL;
  if (!one && list) {
    p = data;
    message = d2i_PKCS7(NULL, &p, (long)len);
    if (!message && bio && BIO_reset(bio) == 1)
      message = PEM_read_bio_PKCS7(bio, NULL, NULL, NULL);
  }
  if (message && PKCS7_type_is_signed(message) && message->d.sign->cert)
    for (int i = 0; i < sk_X509_num(message->d.sign->cert); i++) {
      X509 *certificate = sk_X509_value(message->d.sign->cert, i);
      if (X509_up_ref(certificate) && sk_X509_push(list, certificate) <= 0)
        X509_free(certificate);
    }
  PKCS7_free(message);
  BIO_free(bio);
  ERR_clear_error();
  return list;
}

/* A CA's certificate, such as may come with the router's in a PKCS#7 message: not for us to judge. */
static bool is_ca(X509 *certificate) { return X509_get_extension_flags(certificate) & EXFLAG_CA; }

enum ww_err ww_bgpsec_router_certificates(const uint8_t *data, size_t len, int64_t now, struct ww_payloads *out,
                                          struct ww_diag *diag) {
  if (len > WW_ROUTER_CERT_FILE_MAX)
    return ww_fail(diag, WW_ERR_LIMIT, 0, NULL, "more than %d octets", WW_ROUTER_CERT_FILE_MAX);
  STACK_OF(X509) *list = read_file(data, len);
  enum ww_err err = list ? WW_OK : WW_ERR_NOMEM;
  size_t routers = 0;
  for (int i = 0; i < sk_X509_num(list) && !err; i++) {
    X509 *certificate = sk_X509_value(list, i);
    if (sk_X509_num(list) > 1 && is_ca(certificate))
      continue;
    err = read_certificate(certificate, now, out, diag);
    routers++;
  }
  sk_X509_pop_free(list, X509_free);
  ERR_clear_error();
  if (!err && !routers)
    err = ww_fail(diag, WW_ERR_MALFORMED, 0, "RFC 8635 §7",
                  "not a certificate, nor a PKCS#7 certs-only message with one of a router");
  return err;
}
