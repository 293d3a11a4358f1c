/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making signatures: a router's private key, and the BGPsec_PATH that it originates or hands on.
 *
 * A path to be sent is one that was received with a segment put before its Secure_Path and a signature before each
 * block of a suite that we sign; blocks of other suites are left out, and where none remains the route may only go on
 * unsigned (WW_ERR_UNSUPPORTED). Leaving a confederation first takes off its newest segments (RFC 8205 §4.3). A router
 * in AS migration signs twice, by two calls (RFC 8206 §5.1).
 *
 * Nothing here asks whether what was received is Valid: a Not Valid path that one hands on keeps its signatures (RFC
 * 8205 §4.2). It must be well formed.
 *
 * Secrets: the private key is in libcrypto's hands and wiped by it; k comes from libcrypto's generator (RFC 8205 §7.8).
 * Encoded keys are wiped by ww_bgpsec_secret_free().
 *
 * Clauses: RFC 8205 §4.1, §4.2, §4.3, §7.8; RFC 8206 §5.1; RFC 8608 §2.2.1, §3.1, §4; RFC 6487 §4.8.2.
 */
#include "bgpsec/sign.h"
#include "bgpsec/ecdsa.h"
#include "bgpsec/message.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

/* --- keys ------------------------------------------------------------------------------------------------------- */

/* Takes over `key`. */
static enum ww_err wrap(EVP_PKEY *key, struct ww_bgpsec_signer **out, struct ww_diag *diag) {
  struct ww_bgpsec_signer *signer = calloc(1, sizeof *signer);
  unsigned char *spki = NULL;
  char curve[32] = "";
  size_t curve_len;
  enum ww_err err = WW_OK;
  if (!signer) {
    EVP_PKEY_free(key);
    return WW_ERR_NOMEM;
  }
  signer->key = key;
  /* RFC 8608 §3.1: uncompressed, whatever the file that the key came from has. */
  if (!EVP_PKEY_is_a(key, "EC") || !EVP_PKEY_get_group_name(key, curve, sizeof curve, &curve_len) ||
      strcmp(curve, SN_X9_62_prime256v1) != 0 ||
      !EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed")) {
    err = ww_fail(diag, WW_ERR_INVAL, 0, "RFC 8608 §3", "not a key of P-256");
  } else {
    int len = i2d_PUBKEY(key, &spki);
    if (len == WW_P256_SPKI_LEN && ww_p256_spki_point(spki, (size_t)len))
      memcpy(signer->spki, spki, sizeof signer->spki);
    else
      err = ww_fail(diag, WW_ERR_INVAL, 0, "RFC 8608 §3.1", "not the public key of a router");
  }
  OPENSSL_free(spki);
  if (err) {
    ERR_clear_error();
    ww_bgpsec_signer_free(signer);
    return err;
  }
  *out = signer;
  return WW_OK;
}

enum ww_err ww_bgpsec_signer_generate(struct ww_bgpsec_signer **out) {
  EVP_PKEY *key = EVP_EC_gen("P-256");
  return key ? wrap(key, out, NULL) : WW_ERR_NOMEM;
}

/* A passphrase is never asked for: this is no place to talk to a terminal. */
static int no_passphrase(char *buf, int size, int writing, void *ctx) {
  (void)buf;
  (void)size;
  (void)writing;
  (void)ctx;
  return -1;
}

enum ww_err ww_bgpsec_signer_read(const void *data, size_t len, struct ww_bgpsec_signer **out, struct ww_diag *diag) {
  if (len > WW_BGPSEC_KEY_FILE_MAX)
    return ww_fail(diag, WW_ERR_LIMIT, 0, NULL, "more octets than a private key has");
  BIO *bio = BIO_new_mem_buf(data, (int)len);
  if (!bio)
    return WW_ERR_NOMEM;
  EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
  BIO_free(bio);
  if (!key) {
    const unsigned char *p = data;
    key = d2i_AutoPrivateKey(NULL, &p, (long)len);
  }
  if (!key) {
    ERR_clear_error();
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "not an unencrypted private key in PEM or DER");
  }
  return wrap(key, out, diag);
}

enum ww_err ww_bgpsec_signer_external(const uint8_t *spki, size_t len, ww_bgpsec_sign_fn sign, void *ctx,
                                      struct ww_bgpsec_signer **out) {
  if (!ww_p256_spki_point(spki, len))
    return WW_ERR_INVAL;
  struct ww_bgpsec_signer *signer = calloc(1, sizeof *signer);
  if (!signer)
    return WW_ERR_NOMEM;
  memcpy(signer->spki, spki, sizeof signer->spki);
  signer->sign = sign;
  signer->ctx = ctx;
  *out = signer;
  return WW_OK;
}

void ww_bgpsec_signer_free(struct ww_bgpsec_signer *signer) {
  if (!signer)
    return;
  EVP_PKEY_free(signer->key);
  free(signer);
}

enum ww_err ww_bgpsec_signer_write(const struct ww_bgpsec_signer *signer, uint8_t **pem, size_t *len) {
  *pem = NULL;
  if (!signer->key)
    return WW_ERR_STATE;
  BIO *bio = BIO_new(BIO_s_secmem());
  char *data = NULL;
  /* PKCS#8 (RFC 8635 §6.2.1). */
  bool ok = bio && PEM_write_bio_PKCS8PrivateKey(bio, signer->key, NULL, NULL, 0, NULL, NULL) == 1;
  long n = ok ? BIO_get_mem_data(bio, &data) : 0;
  if (n > 0 && (*pem = malloc((size_t)n))) {
    memcpy(*pem, data, (size_t)n);
    *len = (size_t)n;
  }
  BIO_free(bio); /* wipes */
  return *pem ? WW_OK : WW_ERR_NOMEM;
}

void ww_bgpsec_secret_free(uint8_t *secret, size_t len) {
  if (!secret)
    return;
  OPENSSL_cleanse(secret, len);
  free(secret);
}

const uint8_t *ww_bgpsec_signer_spki(const struct ww_bgpsec_signer *signer) { return signer->spki; }

bool ww_bgpsec_ski(const uint8_t *spki, size_t len, uint8_t *ski) {
  const uint8_t *point = ww_p256_spki_point(spki, len);
  /* RFC 6487 §4.8.2: SHA-1 of the BIT STRING's contents, which is 04, x and y. */
  return point && EVP_Digest(point - 1, WW_P256_POINT_LEN + 1, ski, NULL, EVP_sha1(), NULL) == 1;
}

/* --- one signature ---------------------------------------------------------------------------------------------- */

static enum ww_err sign_digest(const struct ww_bgpsec_signer *signer, const uint8_t *digest, uint8_t *der,
                               size_t *len) {
  struct ww_p256_signature check;
  bool ok;
  if (signer->sign) {
    ok = signer->sign(signer->ctx, digest, der, len);
  } else {
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, signer->key, NULL);
    ok = ctx && EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_sign(ctx, der, len, digest, WW_P256_OCTETS) == 1;
    EVP_PKEY_CTX_free(ctx);
  }
  ok = ok && *len <= WW_P256_DER_MAX && ww_p256_signature_parse(der, *len, &check);
  if (!ok)
    ERR_clear_error();
  return ok ? WW_OK : WW_ERR_IO;
}

/* --- a path ----------------------------------------------------------------------------------------------------- */

/* What remains of a received path when the confederation is left: K newest segments with Confed_Segment, and K newest
 * signatures of each block, are gone. *none: nothing remains; the route was originated inside. */
static void strip_confed(struct ww_bgpsec_path *path, bool *none) {
  size_t gone = 0;
  while (gone < path->count && ww_bgpsec_segment_at(path, gone).flags & WW_BGPSEC_FLAG_CONFED)
    gone++;
  path->segments += gone * WW_BGPSEC_SEGMENT_LEN;
  path->count -= gone;
  for (size_t b = 0; b < path->block_count; b++) {
    struct ww_bgpsec_block *block = &path->blocks[b];
    struct ww_reader left = ww_reader_make(block->signatures, block->len);
    struct ww_bgpsec_signature signature;
    for (size_t i = 0; i < gone; i++)
      (void)ww_bgpsec_signature_next(&left, &signature);
    block->signatures = left.p;
    block->len = ww_reader_left(&left);
  }
  *none = path->count == 0;
}

static void put_segment(struct ww_writer *w, const struct ww_bgpsec_segment *s) {
  ww_writer_u8(w, s->pcount);
  ww_writer_u8(w, s->flags);
  ww_writer_u32(w, s->asn);
}

/* One block: its header, the new signature, the old ones. `old` NULL: there are none. */
static enum ww_err put_block(struct ww_writer *w, struct ww_bgpsec_message *message, const struct ww_bgpsec_path *path,
                             size_t index, const struct ww_bgpsec_sign_key *key,
                             const struct ww_bgpsec_segment *segment, const struct ww_bgpsec_sign_request *q) {
  uint8_t digest[WW_P256_OCTETS], ski[WW_SKI_LEN], der[WW_P256_DER_MAX];
  size_t len = sizeof der, start = w->len;
  enum ww_err err = ww_bgpsec_message_begin(message, path, index, key->suite, segment, q->target_as, &q->prefix);
  if (!err && EVP_Digest(message->octets, message->len, digest, NULL, EVP_sha256(), NULL) != 1)
    err = WW_ERR_NOMEM;
  if (!err)
    err = sign_digest(key->signer, digest, der, &len);
  if (err)
    return err;
  if (!ww_bgpsec_ski(key->signer->spki, sizeof key->signer->spki, ski))
    return WW_ERR_NOMEM;
  ww_writer_u16(w, 0);
  ww_writer_u8(w, key->suite);
  ww_writer_bytes(w, ski, sizeof ski);
  ww_writer_u16(w, (uint16_t)len);
  ww_writer_bytes(w, der, len);
  if (path)
    ww_writer_bytes(w, path->blocks[index].signatures, path->blocks[index].len);
  ww_writer_patch_u16(w, start, w->len - start);
  return WW_OK;
}

static const struct ww_bgpsec_sign_key *key_of(const struct ww_bgpsec_sign_request *q, uint8_t suite) {
  for (size_t i = 0; i < q->key_count; i++)
    if (q->keys[i].suite == suite)
      return &q->keys[i];
  return NULL;
}

enum ww_err ww_bgpsec_sign(const struct ww_bgpsec_sign_request *q, uint8_t *out, size_t cap, size_t *len,
                           struct ww_diag *diag) {
  struct ww_bgpsec_path path;
  bool origination = !q->path;
  if (q->key_count == 0 || q->key_count > WW_BGPSEC_BLOCKS_MAX || !ww_prefix_is_canonical(&q->prefix) ||
      (q->key_count == 2 && q->keys[0].suite == q->keys[1].suite))
    return ww_fail(diag, WW_ERR_INVAL, 0, NULL, "one or two suites, each with its key, and a prefix are needed");
  if (!origination && ww_bgpsec_path_decode(q->path, q->path_len, &path, diag))
    return WW_ERR_MALFORMED;
  if (!origination && q->leave_confed)
    strip_confed(&path, &origination);
  const struct ww_bgpsec_segment segment = {
      .pcount = q->pcount, .flags = q->confed ? WW_BGPSEC_FLAG_CONFED : 0, .asn = q->asn};
  struct ww_bgpsec_message message = {0};
  struct ww_writer w = ww_writer_make(out, cap);
  size_t count = origination ? 0 : path.count, blocks = 0;
  ww_writer_u16(&w, (uint16_t)(2 + (count + 1) * WW_BGPSEC_SEGMENT_LEN));
  put_segment(&w, &segment);
  if (count)
    ww_writer_bytes(&w, path.segments, count * WW_BGPSEC_SEGMENT_LEN);
  enum ww_err err = WW_OK;
  for (size_t i = 0; origination && i < q->key_count && !err; i++, blocks++)
    err = put_block(&w, &message, NULL, 0, &q->keys[i], &segment, q);
  /* RFC 8205 §4.2: a block for each suite that was there and that we sign, no others. */
  for (size_t i = 0; !origination && i < path.block_count && !err; i++) {
    const struct ww_bgpsec_sign_key *key = key_of(q, path.blocks[i].suite);
    if (!key)
      continue;
    err = put_block(&w, &message, &path, i, key, &segment, q);
    blocks++;
  }
  ww_bgpsec_message_fini(&message);
  if (err)
    return ww_fail(diag, err, 0, NULL, "%s", err == WW_ERR_IO ? "the key does not sign" : ww_err_name(err));
  if (!blocks)
    return ww_fail(diag, WW_ERR_UNSUPPORTED, 0, "RFC 8205 §4.2",
                   "no block of a suite that is signed here: the route may only go on unsigned");
  if (w.overflow || w.len > UINT16_MAX)
    return ww_fail(diag, WW_ERR_FULL, 0, "RFC 8205 §4.1", "the path does not fit");
  *len = w.len;
  return WW_OK;
}
