/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * COSE_Sign1 with a detached payload (RFC 9052 §4.2): ES256 with P-256 keys, EdDSA with Ed25519 keys (RFC 9053 §2).
 */
#ifndef WW_BMPOUT_COSE_H
#define WW_BMPOUT_COSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <waywarden/error.h>

enum {
  WW_COSE_KEY_ID_MAX = 32,
  WW_COSE_KEY_ID_DEFAULT = 8, /* octets of SHA-256 of the SubjectPublicKeyInfo, where no id is given */
  WW_COSE_SIGN1_MAX = 512,    /* octets of one that is read; those made here have about 90 */
};

struct ww_cose_key; /* never changes: threads may share one for verifying, each signs with one of its own */

/* Reads a PEM private key (to sign and verify) or public key (to verify). `id` NULL: derived from the key. */
enum ww_err ww_cose_key_read(const void *pem, size_t len, bool is_private, const void *id, size_t id_len,
                             struct ww_cose_key **out, struct ww_diag *diag) WW_MUST_USE;
void ww_cose_key_free(struct ww_cose_key *key); /* NULL is fine */
const uint8_t *ww_cose_key_id(const struct ww_cose_key *key, size_t *len);

/* Octets that ww_cose_sign1() writes. */
size_t ww_cose_sign1_size(const struct ww_cose_key *key);
/* Signs `payload` into out[ww_cose_sign1_size()]. */
enum ww_err ww_cose_sign1(const struct ww_cose_key *key, const void *payload, size_t len, uint8_t *out,
                          struct ww_diag *diag) WW_MUST_USE;

/* Verifies with the key that the structure names; *by (may be NULL) is that key. WW_ERR_MALFORMED: not such a
 * structure; WW_ERR_UNSUPPORTED: an algorithm or a critical parameter not known here; WW_ERR_NOTFOUND: no key with its
 * id; WW_ERR_INVAL: the signature is not that key's over this payload. */
enum ww_err ww_cose_verify1(struct ww_cose_key *const *keys, size_t key_count, const void *sign1, size_t sign1_len,
                            const void *payload, size_t len, const struct ww_cose_key **by,
                            struct ww_diag *diag) WW_MUST_USE;

#endif
