/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ECDSA verification over P-256 with SHA-256 digests (RFC 8608 §2.2.1), in tiers that give the same answer:
 *
 *   reference  libcrypto's own verification, by EVP
 *   plain      the same mathematics on libcrypto's points, where signatures verified together share one inversion
 *   table      the same again, for a key that has a table of multiples of its point
 *
 * A ww_p256 is immutable once made and shared. Keys and tables are counted references, immutable but for their counts:
 * who holds a reference may use them from any thread. A scratch belongs to one thread at a time.
 */
#ifndef WW_BGPSEC_ECDSA_H
#define WW_BGPSEC_ECDSA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <waywarden/error.h>

#include <openssl/ec.h>
#include <openssl/evp.h>

enum {
  WW_P256_OCTETS = 32,
  WW_P256_POINT_LEN = 64, /* x, y */
  WW_P256_SPKI_LEN = 91,
  WW_P256_BATCH = 1024,         /* jobs that share an inversion */
  WW_P256_DER_MAX = 72,         /* of a signature */
  WW_P256_TABLE_BYTES = 155000, /* about what a table holds, for the books */
};

enum ww_p256_tier {
  WW_P256_AUTO = 0, /* table for a job that has one, else plain; the reference where the library lacks the rest */
  WW_P256_REFERENCE,
  WW_P256_PLAIN,
};

/* The curve and what is precomputed about it. */
struct ww_p256;
enum ww_err ww_p256_new(struct ww_p256 **out) WW_MUST_USE;
void ww_p256_free(struct ww_p256 *p256);
/* True when the library has what the tiers plain and table need. */
bool ww_p256_has_tables(void);

/* The point of a SubjectPublicKeyInfo in the one form that RFC 8608 §3.1 allows: 64 octets within `spki`, or NULL. */
const uint8_t *ww_p256_spki_point(const uint8_t *spki, size_t len);

struct ww_p256_key {
  atomic_uint refs;
  uint8_t point[WW_P256_POINT_LEN];
  EC_POINT *q;
  atomic_uint uses;        /* verifications lately; for whoever decides on tables */
  _Atomic(EVP_PKEY *) evp; /* made when the reference first needs it */
};
/* WW_ERR_INVAL: not a point of the curve. */
enum ww_err ww_p256_key_new(const struct ww_p256 *p256, const uint8_t *point, struct ww_p256_key **out) WW_MUST_USE;
struct ww_p256_key *ww_p256_key_ref(struct ww_p256_key *key);
void ww_p256_key_unref(struct ww_p256_key *key);

struct ww_p256_table {
  atomic_uint refs;
  EC_GROUP *group; /* P-256 whose generator is the key's point */
};
/* Some 20 ms. NULL when memory ran out or the library has no tables. */
struct ww_p256_table *ww_p256_table_new(const struct ww_p256 *p256, const struct ww_p256_key *key);
struct ww_p256_table *ww_p256_table_ref(struct ww_p256_table *table);
void ww_p256_table_unref(struct ww_p256_table *table);

struct ww_p256_signature {
  uint8_t r[WW_P256_OCTETS], s[WW_P256_OCTETS]; /* both 1 to n - 1 */
};
/* An ECDSA-Sig-Value (RFC 3279 §2.2.3) in DER, nothing else: false for BER, trailing octets, values out of range. */
bool ww_p256_signature_parse(const uint8_t *der, size_t len, struct ww_p256_signature *out);

struct ww_p256_job {
  struct ww_p256_key *key;     /* borrowed */
  struct ww_p256_table *table; /* borrowed, or NULL */
  uint8_t digest[WW_P256_OCTETS];
  struct ww_p256_signature signature;
  bool good; /* the answer */
};

struct ww_p256_scratch;
enum ww_err ww_p256_scratch_new(const struct ww_p256 *p256, struct ww_p256_scratch **out) WW_MUST_USE;
void ww_p256_scratch_free(struct ww_p256_scratch *scratch);

/* Answers every job. Fails only when memory runs out; a job's answer is then not to be used. */
enum ww_err ww_p256_verify(struct ww_p256_scratch *scratch, struct ww_p256_job *jobs, size_t count,
                           enum ww_p256_tier tier) WW_MUST_USE;

/* SHA-256 of `len` octets. */
bool ww_p256_digest(struct ww_p256_scratch *scratch, const void *data, size_t len, uint8_t *digest) WW_MUST_USE;

#endif
