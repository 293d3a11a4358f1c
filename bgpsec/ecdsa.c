/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * P-256: keys, signatures as octets, and the reference tier of verification.
 *
 * Public keys and signatures arrive in one encoding each (RFC 8608 §3.1 and §4, RFC 3279 §2.2.3), and are judged before
 * libcrypto sees them: a SubjectPublicKeyInfo is 26 constant octets, 04, x and y; a signature is strict DER of two
 * integers from 1 to n - 1. libcrypto is as strict and answers -1 where this refuses; either way the octets came from a
 * peer, so what they make is a bad signature, never an internal error.
 *
 * Everything here handles public data: nothing needs constant time.
 *
 * Clauses: RFC 3279 §2.2.3; RFC 5480 §2.2; RFC 8608 §2.2.1, §3.1, §4.
 */
#include "bgpsec/ecdsa_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/der.h"

#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/x509.h>

/* n and the SubjectPublicKeyInfo up to the point: id-ecPublicKey, prime256v1, BIT STRING, uncompressed. */
static const uint8_t order[WW_P256_OCTETS] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                              0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                              0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
static const uint8_t spki_head[WW_P256_SPKI_LEN - WW_P256_POINT_LEN] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

/* --- the curve -------------------------------------------------------------------------------------------------- */

enum ww_err ww_p256_new(struct ww_p256 **out) {
  struct ww_p256 *c = calloc(1, sizeof *c);
  BN_CTX *bn = BN_CTX_new();
  bool ok = c && bn;
  if (ok) {
    c->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    c->n = BN_bin2bn(order, sizeof order, NULL);
    c->p = BN_new();
    c->mont_n = BN_MONT_CTX_new();
    c->mont_p = BN_MONT_CTX_new();
    c->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    ok = c->group && c->n && c->p && c->mont_n && c->mont_p && c->sha256 &&
         EC_GROUP_get_curve(c->group, c->p, NULL, NULL, bn) && BN_MONT_CTX_set(c->mont_n, c->n, bn) &&
         BN_MONT_CTX_set(c->mont_p, c->p, bn);
  }
  BN_CTX_free(bn);
  if (!ok) {
    ww_p256_free(c);
    return WW_ERR_NOMEM;
  }
  *out = c;
  return WW_OK;
}

void ww_p256_free(struct ww_p256 *c) {
  if (!c)
    return;
  EC_GROUP_free(c->group);
  BN_free(c->n);
  BN_free(c->p);
  BN_MONT_CTX_free(c->mont_n);
  BN_MONT_CTX_free(c->mont_p);
  EVP_MD_free(c->sha256);
  free(c);
}

/* --- keys ------------------------------------------------------------------------------------------------------- */

const uint8_t *ww_p256_spki_point(const uint8_t *spki, size_t len) {
  if (len != WW_P256_SPKI_LEN || memcmp(spki, spki_head, sizeof spki_head) != 0)
    return NULL;
  return spki + sizeof spki_head;
}

enum ww_err ww_p256_key_new(const struct ww_p256 *p256, const uint8_t *point, struct ww_p256_key **out) {
  uint8_t octets[1 + WW_P256_POINT_LEN] = {POINT_CONVERSION_UNCOMPRESSED};
  struct ww_p256_key *key = calloc(1, sizeof *key);
  if (!key || !(key->q = EC_POINT_new(p256->group))) {
    free(key);
    return WW_ERR_NOMEM;
  }
  atomic_init(&key->refs, 1);
  atomic_init(&key->uses, 0);
  atomic_init(&key->evp, NULL);
  memcpy(key->point, point, WW_P256_POINT_LEN);
  memcpy(octets + 1, point, WW_P256_POINT_LEN);
  /* Refuses points that are not on the curve. The point at infinity has no such encoding. */
  if (!EC_POINT_oct2point(p256->group, key->q, octets, sizeof octets, NULL)) {
    ERR_clear_error();
    ww_p256_key_unref(key);
    return WW_ERR_INVAL;
  }
  *out = key;
  return WW_OK;
}

struct ww_p256_key *ww_p256_key_ref(struct ww_p256_key *key) {
  atomic_fetch_add_explicit(&key->refs, 1, memory_order_relaxed);
  return key;
}

void ww_p256_key_unref(struct ww_p256_key *key) {
  if (!key || atomic_fetch_sub_explicit(&key->refs, 1, memory_order_acq_rel) != 1)
    return;
  EC_POINT_free(key->q);
  EVP_PKEY_free(atomic_load(&key->evp));
  free(key);
}

struct ww_p256_table *ww_p256_table_ref(struct ww_p256_table *table) {
  atomic_fetch_add_explicit(&table->refs, 1, memory_order_relaxed);
  return table;
}

void ww_p256_table_unref(struct ww_p256_table *table) {
  if (!table || atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) != 1)
    return;
  EC_GROUP_free(table->group);
  free(table);
}

/* --- signatures ------------------------------------------------------------------------------------------------- */

/* 1 to n - 1, into 32 octets. */
static bool read_scalar(struct ww_der_span v, uint8_t out[WW_P256_OCTETS]) {
  static const uint8_t zero[WW_P256_OCTETS];
  if (v.len > WW_P256_OCTETS)
    return false;
  memset(out, 0, WW_P256_OCTETS);
  memcpy(out + WW_P256_OCTETS - v.len, v.p, v.len);
  return memcmp(out, zero, WW_P256_OCTETS) != 0 && memcmp(out, order, WW_P256_OCTETS) < 0;
}

bool ww_p256_signature_parse(const uint8_t *der, size_t len, struct ww_p256_signature *out) {
  struct ww_der_input input;
  struct ww_der d = ww_der_open(&input, der, len);
  struct ww_der sequence = ww_der_enter(&d, WW_DER_SEQUENCE);
  struct ww_der_span r = ww_der_unsigned(&sequence), s = ww_der_unsigned(&sequence);
  return ww_der_end(&sequence) && ww_der_end(&d) && read_scalar(r, out->r) && read_scalar(s, out->s);
}

/* --- scratch ---------------------------------------------------------------------------------------------------- */

enum ww_err ww_p256_scratch_new(const struct ww_p256 *p256, struct ww_p256_scratch **out) {
  struct ww_p256_scratch *c = calloc(1, sizeof *c);
  if (!c)
    return WW_ERR_NOMEM;
  BIGNUM **const single[] = {&c->e, &c->u1, &c->u2, &c->inverse, &c->x, &c->z, &c->t};
  c->p256 = p256;
  c->bn = BN_CTX_new();
  c->md = EVP_MD_CTX_new();
  c->g_part = EC_POINT_new(p256->group);
  c->q_part = EC_POINT_new(p256->group);
  bool ok = c->bn && c->md && c->g_part && c->q_part && EVP_DigestInit_ex2(c->md, p256->sha256, NULL);
  for (unsigned i = 0; i < sizeof single / sizeof single[0]; i++)
    ok = (*single[i] = BN_new()) && ok;
  for (unsigned i = 0; i < WW_P256_BATCH; i++) {
    c->r[i] = BN_new();
    c->s[i] = BN_new();
    c->product[i] = BN_new();
    ok = ok && c->r[i] && c->s[i] && c->product[i];
  }
  if (!ok) {
    ww_p256_scratch_free(c);
    return WW_ERR_NOMEM;
  }
  *out = c;
  return WW_OK;
}

void ww_p256_scratch_free(struct ww_p256_scratch *c) {
  if (!c)
    return;
  BIGNUM *const single[] = {c->e, c->u1, c->u2, c->inverse, c->x, c->z, c->t};
  for (unsigned i = 0; i < sizeof single / sizeof single[0]; i++)
    BN_free(single[i]);
  for (unsigned i = 0; i < WW_P256_BATCH; i++) {
    BN_free(c->r[i]);
    BN_free(c->s[i]);
    BN_free(c->product[i]);
  }
  EC_POINT_free(c->g_part);
  EC_POINT_free(c->q_part);
  EVP_MD_CTX_free(c->md);
  BN_CTX_free(c->bn);
  free(c);
}

bool ww_p256_digest(struct ww_p256_scratch *c, const void *data, size_t len, uint8_t *digest) {
  /* NULL: again with the digest that the context has; fetching it anew costs as much as hashing. */
  return EVP_DigestInit_ex2(c->md, NULL, NULL) && EVP_DigestUpdate(c->md, data, len) &&
         EVP_DigestFinal_ex(c->md, digest, NULL);
}

/* --- the reference ---------------------------------------------------------------------------------------------- */

/* The key for EVP; made once, by whichever thread is first. NULL when memory runs out. */
static EVP_PKEY *evp_of(struct ww_p256_key *key) {
  EVP_PKEY *evp = atomic_load_explicit(&key->evp, memory_order_acquire);
  if (evp)
    return evp;
  uint8_t spki[WW_P256_SPKI_LEN];
  const uint8_t *p = spki;
  memcpy(spki, spki_head, sizeof spki_head);
  memcpy(spki + sizeof spki_head, key->point, WW_P256_POINT_LEN);
  EVP_PKEY *made = d2i_PUBKEY(NULL, &p, sizeof spki);
  if (!made)
    return NULL;
  if (atomic_compare_exchange_strong_explicit(&key->evp, &evp, made, memory_order_acq_rel, memory_order_acquire))
    return made;
  EVP_PKEY_free(made);
  return evp;
}

static void put_integer(struct ww_writer *w, const uint8_t *octets) {
  unsigned skip = 0;
  while (skip < WW_P256_OCTETS - 1 && octets[skip] == 0)
    skip++;
  bool sign = octets[skip] >= 0x80;
  ww_der_put_header(w, WW_DER_INTEGER, WW_P256_OCTETS - skip + sign);
  if (sign)
    ww_writer_u8(w, 0);
  ww_writer_bytes(w, octets + skip, WW_P256_OCTETS - skip);
}

/* The one DER encoding of a signature, which is what was parsed. */
static size_t signature_der(const struct ww_p256_signature *signature, uint8_t out[WW_P256_DER_MAX]) {
  struct ww_writer body = ww_writer_make(out + 2, WW_P256_DER_MAX - 2);
  put_integer(&body, signature->r);
  put_integer(&body, signature->s);
  struct ww_writer w = ww_writer_make(out, 2);
  ww_der_put_header(&w, WW_DER_SEQUENCE, body.len);
  return w.len + body.len;
}

static enum ww_err verify_reference(struct ww_p256_job *job) {
  uint8_t der[WW_P256_DER_MAX];
  size_t len = signature_der(&job->signature, der);
  EVP_PKEY *key = evp_of(job->key);
  EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
  bool ready = ctx && EVP_PKEY_verify_init(ctx) == 1;
  /* 0 says that it does not verify, -1 that it is malformed: both are the peer's doing. */
  job->good = ready && EVP_PKEY_verify(ctx, der, len, job->digest, sizeof job->digest) == 1;
  EVP_PKEY_CTX_free(ctx);
  if (!job->good)
    ERR_clear_error();
  return ready ? WW_OK : WW_ERR_NOMEM;
}

enum ww_err ww_p256_verify(struct ww_p256_scratch *c, struct ww_p256_job *jobs, size_t count, enum ww_p256_tier tier) {
  bool reference = tier == WW_P256_REFERENCE || !ww_p256_has_tables();
  enum ww_err err = WW_OK;
  for (size_t i = 0, n; i < count && !err; i += n) {
    n = reference ? 1 : count - i < WW_P256_BATCH ? count - i : WW_P256_BATCH;
    err = reference ? verify_reference(&jobs[i]) : ww_p256_verify_fast(c, jobs + i, n, tier != WW_P256_PLAIN);
  }
  return err;
}
