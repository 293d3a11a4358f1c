/* SPDX-License-Identifier: BSD-2-Clause */
/* A signature's DER: whatever is taken for a signature, all tiers must answer alike, and libcrypto asked with the
 * octets as they came must say the same; what is refused, libcrypto must not verify either. The first octet picks the
 * digest and what of a good signature is put into its place. */
#include <stdlib.h>
#include <string.h>

#include "bgpsec/ecdsa.h"

#include <openssl/err.h>
#include <openssl/x509.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
  if (!condition)
    abort();
}

static struct ww_p256 *p256;
static struct ww_p256_scratch *scratch;
static struct ww_p256_key *key;
static struct ww_p256_table *table;
static EVP_PKEY *evp;

/* Key: the private 1, so that the point is G. */
static void start(void) {
  static const uint8_t spki[] = {
      0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
      0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6,
      0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98,
      0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b,
      0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};
  const unsigned char *p = spki;
  require(ww_p256_new(&p256) == WW_OK && ww_p256_scratch_new(p256, &scratch) == WW_OK);
  require(ww_p256_key_new(p256, ww_p256_spki_point(spki, sizeof spki), &key) == WW_OK);
  table = ww_p256_table_new(p256, key);
  evp = d2i_PUBKEY(NULL, &p, sizeof spki);
  require(evp != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!p256)
    start();
  if (size == 0)
    return 0;
  struct ww_p256_job job = {.key = key, .table = table};
  memset(job.digest, data[0], sizeof job.digest);
  size_t len = size - 1;
  uint8_t *der = malloc(len ? len : 1);
  require(der != NULL);
  memcpy(der, data + 1, len);
  bool taken = ww_p256_signature_parse(der, len, &job.signature);
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, evp, NULL);
  require(ctx && EVP_PKEY_verify_init(ctx) == 1);
  bool theirs = EVP_PKEY_verify(ctx, der, len, job.digest, sizeof job.digest) == 1;
  EVP_PKEY_CTX_free(ctx);
  ERR_clear_error();
  require(taken || !theirs);
  static const enum ww_p256_tier tiers[] = {WW_P256_REFERENCE, WW_P256_PLAIN, WW_P256_AUTO};
  for (int i = 0; i < 3 && taken; i++) {
    job.good = !theirs;
    require(ww_p256_verify(scratch, &job, 1, tiers[i]) == WW_OK && job.good == theirs);
  }
  free(der);
  return 0;
}
