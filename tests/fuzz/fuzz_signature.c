/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message with a Signature TLV, and a bare COSE_Sign1, from nobody we know: whatever they hold, there is an answer,
 * and it is never that the signature is good.
 */
#include <stdlib.h>
#include <string.h>

#include "bmpout/numbers.h"
#include "bmpout/signature.h"

#define CHECK(x)                                                                                                       \
  do {                                                                                                                 \
    if (!(x))                                                                                                          \
      abort();                                                                                                         \
  } while (0)

/* RFC 9052 Appendix C.7.1, the key with the id "11". */
static const char public_key[] = "-----BEGIN PUBLIC KEY-----\n"
                                 "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEusWxHK2PmfnHKwXPS54m0kTcGJ90\n"
                                 "UiglWiGahtagnv8gE4v4LcG21WK+D6VKt4BKOmS21yzP7Wtvtu0ou/wRfg==\n"
                                 "-----END PUBLIC KEY-----\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct ww_cose_key *key;
  struct ww_diag diag;
  bool present;
  if (!key)
    CHECK(ww_cose_key_read(public_key, sizeof public_key - 1, false, "11", 2, &key, &diag) == WW_OK);
  uint8_t *exact = malloc(size ? size : 1);
  if (!exact)
    return 0;
  if (size)
    memcpy(exact, data, size);
  enum ww_err err = ww_signature_check(&key, 1, WW_PEN_EXAMPLE, exact, size, &present, NULL, &diag);
  CHECK(err != WW_OK && diag.text[0]);
  err = ww_cose_verify1(&key, 1, exact, size, "", 0, NULL, &diag);
  CHECK(err != WW_OK && diag.text[0]);
  free(exact);
  return 0;
}
