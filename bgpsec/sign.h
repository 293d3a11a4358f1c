/* SPDX-License-Identifier: BSD-2-Clause */
/* What a signer is made of. */
#ifndef WW_BGPSEC_SIGN_H
#define WW_BGPSEC_SIGN_H

#include "bgpsec/ecdsa.h"
#include <waywarden/bgpsec.h>

struct ww_bgpsec_signer {
  EVP_PKEY *key; /* NULL: `sign` makes the signatures */
  ww_bgpsec_sign_fn sign;
  void *ctx;
  uint8_t spki[WW_P256_SPKI_LEN];
};

#endif
