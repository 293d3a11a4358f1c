/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CCR files, packed or not. Random octets never carry the right hash, so the hashes of the states are put right first.
 * What is taken is written again, and must be read as the same.
 */
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "sources/ccr_read.h"
#include "sources/ccr_state.h"
#include "tests/fuzz/payload_file_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Puts right what can be found of the hashes. */
static void mend(uint8_t *data, size_t size) {
  struct ww_der_input input;
  struct ww_der d = ww_der_open(&input, data, size), info = ww_der_enter(&d, WW_DER_SEQUENCE);
  (void)ww_der_any(&info);
  struct ww_der content = ww_der_enter(&info, WW_DER_CONTEXT), ccr = ww_der_enter(&content, WW_DER_SEQUENCE);
  while (ww_der_more(&ccr)) {
    struct ww_der at = ccr;
    if ((at.in.p[0] & 0xe0) != WW_DER_CONTEXT) {
      (void)ww_der_any(&ccr);
      continue;
    }
    struct ww_der outer = ww_der_enter(&ccr, at.in.p[0]), state = ww_der_enter(&outer, WW_DER_SEQUENCE);
    struct ww_der_span list = ww_der_element(&state, WW_DER_SEQUENCE);
    if (ww_der_is(&state, WW_DER_GENERALIZED_TIME))
      (void)ww_der_any(&state);
    struct ww_der_span hash = ww_der_contents(&state, WW_DER_OCTET_STRING);
    if (ww_der_ok(&ccr) && hash.len == SHA256_DIGEST_LENGTH)
      SHA256(list.p, list.len, data + (hash.p - data));
  }
}

struct written {
  uint8_t *data;
  size_t len, cap;
};

static bool put(void *ctx, const void *data, size_t len) {
  struct written *w = ctx;
  while (w->cap - w->len < len) {
    w->cap = w->cap ? 2 * w->cap : 4096;
    w->data = realloc(w->data, w->cap);
    if (!w->data)
      abort();
  }
  memcpy(w->data + w->len, data, len);
  w->len += len;
  return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size ? size : 1);
  if (!copy)
    abort();
  if (size)
    memcpy(copy, data, size);
  mend(copy, size);
  struct ww_payloads set = fuzz_payload_file(copy, size), again = {0};
  struct ww_ccr_state *state = ww_ccr_state_new();
  struct ww_ccr_hashes a, b, c;
  struct ww_ccr_info info;
  struct written w = {0};
  if (!state || ww_ccr_state_set(state, &set) != WW_OK || ww_ccr_state_hash(state, &a) != WW_OK ||
      ww_ccr_hash(&set, &b) != WW_OK || memcmp(&a, &b, sizeof(a)) != 0)
    abort();
  if (ww_ccr_state_write(state, 1778803210, put, &w) != WW_OK ||
      ww_ccr_read(w.data, w.len, &again, &info, NULL) != WW_OK || ww_payloads_sort(&again) != WW_OK ||
      ww_ccr_hash(&again, &c) != WW_OK || memcmp(&a, &c, sizeof(a)) != 0)
    abort();
  ww_ccr_state_free(state);
  ww_payloads_fini(&set);
  ww_payloads_fini(&again);
  free(w.data);
  free(copy);
  return 0;
}
