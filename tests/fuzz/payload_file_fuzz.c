/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/payload_file_fuzz.h"

#include <stdlib.h>
#include <string.h>

static enum ww_err read_in(const uint8_t *data, size_t size, size_t piece, struct ww_payloads *out,
                           struct ww_diag *diag) {
  struct ww_payload_file_options options = {.now = 1795219200, .unpacked_max = 1 << 22};
  struct ww_payload_file *file = ww_payload_file_new(&options);
  if (!file)
    abort();
  enum ww_err err = WW_OK;
  for (size_t at = 0; at < size && err == WW_OK; at += piece) {
    size_t n = size - at < piece ? size - at : piece;
    uint8_t *exact = malloc(n);
    if (!exact)
      abort();
    memcpy(exact, data + at, n);
    err = ww_payload_file_feed(file, exact, n, diag);
    free(exact);
  }
  if (err == WW_OK)
    err = ww_payload_file_finish(file, out, NULL, diag);
  ww_payload_file_free(file);
  return err;
}

struct ww_payloads fuzz_payload_file(const uint8_t *data, size_t size) {
  struct ww_payloads a = {0}, b = {0};
  struct ww_diag diag = {0};
  enum ww_err whole = read_in(data, size, size + 1, &a, &diag);
  enum ww_err parts = read_in(data, size, 1, &b, NULL);
  if ((whole == WW_OK) != (parts == WW_OK) || a.vrp_count != b.vrp_count || a.aspa_count != b.aspa_count ||
      a.key_count != b.key_count)
    abort();
  if (whole != WW_OK && !diag.text[0])
    abort();
  for (size_t i = 1; i < a.vrp_count; i++)
    if (ww_vrp_compare(&a.vrps[i - 1], &a.vrps[i]) >= 0)
      abort();
  ww_payloads_fini(&b);
  return a;
}
