/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * COSE_Sign1, written and read by libcbor's streaming calls, signed by libcrypto.
 *
 * What is made has one form: [protected, {}, nil, signature], untagged, with alg and kid in the protected header. What
 * is read may come from others: tagged or not, with more parameters in either header. The protected header enters the
 * signature as the octets that came, so nothing is ever encoded again to be compared.
 *
 * What is signed is Sig_structure (RFC 9052 §4.4): ["Signature1", protected, h'', payload]. It is put together in one
 * buffer, because Ed25519 needs all of it at once.
 *
 * ES256 signatures are r and s, 32 octets each (RFC 9053 §2.1); libcrypto's are DER, and are converted here.
 *
 * Clauses: RFC 9052 §3, §3.1, §4.2, §4.4; RFC 9053 §2.1, §2.2.
 */
#include "bmpout/cose.h"

#include "base/cbor_item.h"

#include <cbor.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

enum { ALG_ES256 = -7, ALG_EDDSA = -8 };               /* RFC 9053 §2 */
enum { LABEL_ALG = 1, LABEL_CRIT = 2, LABEL_KID = 4 }; /* RFC 9052 §3.1 */
/* The octet of tag 18, which libcbor's decoder does not take. */
enum { TAG_SIGN1 = 0xd2 };
enum { P256_OCTETS = 32, SIGNATURE_OCTETS = 64, PROTECTED_MAX = 8 + WW_COSE_KEY_ID_MAX };

struct ww_cose_key {
  EVP_PKEY *pkey;
  int alg;
  bool is_private;
  uint8_t id[WW_COSE_KEY_ID_MAX];
  size_t id_len;
  uint8_t protected[PROTECTED_MAX]; /* the encoded header of what this key signs */
  size_t protected_len;
};

/* ---- keys ---- */

static EVP_PKEY *read_pem(const void *pem, size_t len, bool is_private) {
  BIO *bio = len <= INT32_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
  EVP_PKEY *pkey = NULL;
  /* The password callback's argument is an empty one: an encrypted key is refused, not asked for. */
  if (bio)
    pkey =
        is_private ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"") : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
  BIO_free(bio);
  return pkey;
}

static int algorithm_of(EVP_PKEY *pkey) {
  char group[32] = "";
  if (EVP_PKEY_is_a(pkey, "ED25519"))
    return ALG_EDDSA;
  if (EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 &&
      strcmp(group, "prime256v1") == 0)
    return ALG_ES256;
  return 0;
}

static bool derive_id(struct ww_cose_key *key) {
  unsigned char *spki = NULL, digest[SHA256_DIGEST_LENGTH];
  int len = i2d_PUBKEY(key->pkey, &spki);
  if (len <= 0)
    return false;
  SHA256(spki, (size_t)len, digest);
  OPENSSL_free(spki);
  memcpy(key->id, digest, WW_COSE_KEY_ID_DEFAULT);
  key->id_len = WW_COSE_KEY_ID_DEFAULT;
  return true;
}

static size_t put_octets(uint8_t *at, size_t room, const void *data, size_t len) {
  size_t head = cbor_encode_bytestring_start(len, at, room);
  if (!head || room - head < len)
    return 0;
  if (len)
    memcpy(at + head, data, len);
  return head + len;
}

/* {1: alg, 4: kid} */
static void encode_protected(struct ww_cose_key *key) {
  uint8_t *p = key->protected;
  size_t at = cbor_encode_map_start(2, p, PROTECTED_MAX);
  at += cbor_encode_uint(LABEL_ALG, p + at, PROTECTED_MAX - at);
  at += cbor_encode_negint((uint64_t)(-1 - key->alg), p + at, PROTECTED_MAX - at);
  at += cbor_encode_uint(LABEL_KID, p + at, PROTECTED_MAX - at);
  at += put_octets(p + at, PROTECTED_MAX - at, key->id, key->id_len);
  key->protected_len = at;
}

enum ww_err ww_cose_key_read(const void *pem, size_t len, bool is_private, const void *id, size_t id_len,
                             struct ww_cose_key **out, struct ww_diag *diag) {
  *out = NULL;
  if (id && (id_len == 0 || id_len > WW_COSE_KEY_ID_MAX))
    return ww_fail(diag, WW_ERR_INVAL, 0, NULL, "a key id has 1 to %d octets", WW_COSE_KEY_ID_MAX);
  struct ww_cose_key *key = calloc(1, sizeof *key);
  if (!key)
    return ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "no memory for a key");
  key->pkey = read_pem(pem, len, is_private);
  key->is_private = is_private;
  key->alg = key->pkey ? algorithm_of(key->pkey) : 0;
  enum ww_err err = WW_OK;
  if (!key->pkey)
    err = ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "not a %s key in PEM form", is_private ? "private" : "public");
  else if (!key->alg)
    err = ww_fail(diag, WW_ERR_UNSUPPORTED, 0, NULL, "neither a P-256 nor an Ed25519 key");
  else if (id) {
    memcpy(key->id, id, id_len);
    key->id_len = id_len;
  } else if (!derive_id(key))
    err = ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "no memory for a key");
  if (err) {
    ww_cose_key_free(key);
    return err;
  }
  encode_protected(key);
  *out = key;
  return WW_OK;
}

void ww_cose_key_free(struct ww_cose_key *key) {
  if (!key)
    return;
  EVP_PKEY_free(key->pkey);
  free(key);
}

const uint8_t *ww_cose_key_id(const struct ww_cose_key *key, size_t *len) {
  *len = key->id_len;
  return key->id;
}

/* ---- Sig_structure ---- */

/* RFC 9052 §4.4: ["Signature1", body_protected, external_aad, payload]. malloc'd; NULL when memory ran out. */
static uint8_t *sig_structure(const void *protected, size_t protected_len, const void *payload, size_t len,
                              size_t *out_len) {
  static const char context[] = "Signature1";
  size_t room = 64 + protected_len + len, at = 0;
  uint8_t *p = malloc(room);
  if (!p)
    return NULL;
  at += cbor_encode_array_start(4, p, room);
  at += cbor_encode_string_start(sizeof context - 1, p + at, room - at);
  memcpy(p + at, context, sizeof context - 1);
  at += sizeof context - 1;
  at += put_octets(p + at, room - at, protected, protected_len);
  at += put_octets(p + at, room - at, NULL, 0);
  at += put_octets(p + at, room - at, payload, len);
  *out_len = at;
  return p;
}

/* RFC 9053 §2.1: r and s, each of the length of the curve's order, one after the other. */
static bool to_fixed(const uint8_t *der, size_t len, uint8_t out[SIGNATURE_OCTETS]) {
  const unsigned char *p = der;
  ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)len);
  bool ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, P256_OCTETS) == P256_OCTETS &&
            BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + P256_OCTETS, P256_OCTETS) == P256_OCTETS;
  ECDSA_SIG_free(sig);
  return ok;
}

/* The DER form, malloc'd by libcrypto; its length, or 0. */
static size_t to_der(const uint8_t fixed[SIGNATURE_OCTETS], unsigned char **out) {
  ECDSA_SIG *sig = ECDSA_SIG_new();
  BIGNUM *r = BN_bin2bn(fixed, P256_OCTETS, NULL), *s = BN_bin2bn(fixed + P256_OCTETS, P256_OCTETS, NULL);
  int len = 0;
  if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
    r = s = NULL;
    len = i2d_ECDSA_SIG(sig, out);
  }
  BN_free(r);
  BN_free(s);
  ECDSA_SIG_free(sig);
  return len > 0 ? (size_t)len : 0;
}

/* ---- signing ---- */

static bool sign(const struct ww_cose_key *key, const uint8_t *data, size_t len, uint8_t out[SIGNATURE_OCTETS]) {
  uint8_t raw[2 * SIGNATURE_OCTETS];
  size_t raw_len = sizeof raw;
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  bool ok = ctx && EVP_DigestSignInit(ctx, NULL, key->alg == ALG_ES256 ? EVP_sha256() : NULL, NULL, key->pkey) == 1 &&
            EVP_DigestSign(ctx, raw, &raw_len, data, len) == 1;
  EVP_MD_CTX_free(ctx);
  if (!ok)
    return false;
  if (key->alg == ALG_ES256)
    return to_fixed(raw, raw_len, out);
  if (raw_len != SIGNATURE_OCTETS)
    return false;
  memcpy(out, raw, SIGNATURE_OCTETS);
  return true;
}

/* Head of the array, protected header, empty unprotected one, nil; and the head of the signature. */
static size_t encode_front(const struct ww_cose_key *key, uint8_t *p, size_t room) {
  size_t at = cbor_encode_array_start(4, p, room);
  at += put_octets(p + at, room - at, key->protected, key->protected_len);
  at += cbor_encode_map_start(0, p + at, room - at);
  at += cbor_encode_null(p + at, room - at);
  return at + cbor_encode_bytestring_start(SIGNATURE_OCTETS, p + at, room - at);
}

size_t ww_cose_sign1_size(const struct ww_cose_key *key) {
  uint8_t front[PROTECTED_MAX + 16];
  return encode_front(key, front, sizeof front) + SIGNATURE_OCTETS;
}

enum ww_err ww_cose_sign1(const struct ww_cose_key *key, const void *payload, size_t len, uint8_t *out,
                          struct ww_diag *diag) {
  if (!key->is_private)
    return ww_fail(diag, WW_ERR_INVAL, 0, NULL, "a public key signs nothing");
  size_t front = encode_front(key, out, PROTECTED_MAX + 16), tbs_len;
  uint8_t *tbs = sig_structure(key->protected, key->protected_len, payload, len, &tbs_len);
  bool ok = tbs && sign(key, tbs, tbs_len, out + front);
  free(tbs);
  return ok ? WW_OK : ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "the signature could not be made");
}

/* ---- reading ---- */

enum { DEPTH_MAX = 8 }; /* of parameters that are not ours to read */

struct header {
  int alg; /* 0: none, or not one of ours */
  bool critical;
  const uint8_t *id;
  size_t id_len;
};

/* The members of one of the two headers. The key id may be in either (RFC 9052 §3.1 does not care); the algorithm only
 * where it is signed. */
static void read_header(struct ww_cbor_pull *in, struct ww_cbor_item map, bool is_protected, struct header *out) {
  in->bad = in->bad || map.kind != WW_ITEM_MAP;
  for (uint64_t i = 0; !in->bad && i < map.value; i++) {
    struct ww_cbor_item label = ww_cbor_next(in);
    bool ours = label.kind == WW_ITEM_UINT;
    ww_cbor_skip(in, label, DEPTH_MAX);
    struct ww_cbor_item value = ww_cbor_next(in);
    if (ours && is_protected && label.value == LABEL_ALG && value.kind == WW_ITEM_NEGINT && value.value < 64)
      out->alg = -1 - (int)value.value;
    if (ours && label.value == LABEL_KID && value.kind == WW_ITEM_BYTES && (is_protected || !out->id)) {
      out->id = value.text;
      out->id_len = value.text_len;
    }
    out->critical = out->critical || (ours && label.value == LABEL_CRIT);
    ww_cbor_skip(in, value, DEPTH_MAX);
  }
}

static bool verify(const struct ww_cose_key *key, const uint8_t *data, size_t len, const uint8_t *signature) {
  unsigned char *der = NULL;
  size_t der_len = 0;
  if (key->alg == ALG_ES256 && (der_len = to_der(signature, &der)) == 0)
    return false;
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, key->alg == ALG_ES256 ? EVP_sha256() : NULL, NULL, key->pkey) == 1 &&
            EVP_DigestVerify(ctx, der ? der : signature, der ? der_len : (size_t)SIGNATURE_OCTETS, data, len) == 1;
  EVP_MD_CTX_free(ctx);
  OPENSSL_free(der);
  return ok;
}

static enum ww_err malformed(struct ww_diag *diag) {
  return ww_fail(diag, WW_ERR_MALFORMED, 0, "RFC 9052 §4.2", "not a COSE_Sign1 with a detached payload");
}

enum ww_err ww_cose_verify1(struct ww_cose_key *const *keys, size_t key_count, const void *sign1, size_t sign1_len,
                            const void *payload, size_t len, const struct ww_cose_key **by, struct ww_diag *diag) {
  struct ww_cbor_pull in = {.data = sign1, .len = sign1_len};
  struct header header = {0};
  if (by)
    *by = NULL;
  if (sign1_len > WW_COSE_SIGN1_MAX)
    return ww_fail(diag, WW_ERR_LIMIT, 0, "RFC 9052 §4.2", "a COSE_Sign1 of %zu octets; at most %d are read", sign1_len,
                   WW_COSE_SIGN1_MAX);
  if (in.len && *in.data == TAG_SIGN1)
    in.at = 1;
  struct ww_cbor_item item = ww_cbor_next(&in);
  if (item.kind != WW_ITEM_ARRAY || item.value != 4)
    return malformed(diag);
  struct ww_cbor_item protected = ww_cbor_next(&in);
  if (protected.kind != WW_ITEM_BYTES)
    return malformed(diag);
  struct ww_cbor_pull inner = {.data = protected.text, .len = protected.text_len};
  read_header(&inner, ww_cbor_next(&inner), true, &header);
  read_header(&in, ww_cbor_next(&in), false, &header);
  struct ww_cbor_item body = ww_cbor_next(&in), signature = ww_cbor_next(&in);
  if (inner.bad || inner.at != inner.len || in.bad || in.at != in.len || body.kind != WW_ITEM_NULL ||
      signature.kind != WW_ITEM_BYTES)
    return malformed(diag);
  /* RFC 9052 §3.1: parameters listed in crit must be understood; none but ours is */
  if (header.critical || (header.alg != ALG_ES256 && header.alg != ALG_EDDSA))
    return ww_fail(diag, WW_ERR_UNSUPPORTED, 0, "RFC 9052 §3.1", "an algorithm or a critical parameter not known here");
  if (signature.text_len != SIGNATURE_OCTETS)
    return malformed(diag);
  const struct ww_cose_key *key = NULL;
  for (size_t i = 0; i < key_count && !key; i++)
    if (keys[i]->alg == header.alg && keys[i]->id_len == header.id_len && header.id_len &&
        memcmp(keys[i]->id, header.id, header.id_len) == 0)
      key = keys[i];
  if (!key)
    return ww_fail(diag, WW_ERR_NOTFOUND, 0, NULL, "signed with a key that is not known here");
  size_t tbs_len;
  uint8_t *tbs = sig_structure(protected.text, protected.text_len, payload, len, &tbs_len);
  if (!tbs)
    return ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "no memory to verify");
  bool ok = verify(key, tbs, tbs_len, signature.text);
  free(tbs);
  if (!ok)
    return ww_fail(diag, WW_ERR_INVAL, 0, "RFC 9052 §4.4", "the signature does not verify");
  if (by)
    *by = key;
  return WW_OK;
}
