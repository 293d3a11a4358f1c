/* SPDX-License-Identifier: BSD-2-Clause */
/* Payload files (JSON): in one piece and octet by octet gives the same, and what comes out is sorted. */
#include <stdlib.h>
#include <string.h>

#include "sources/payload_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum ww_err read_in(const uint8_t *data, size_t size, size_t piece, struct ww_payloads *out,
                           struct ww_diag *diag) {
  struct ww_payload_file_options options = {.now = 1795219200};
  struct ww_payload_file *file = ww_payload_file_new(&options);
  if (!file)
    abort();
  enum ww_err err = WW_OK;
  for (size_t at = 0; at < size && err == WW_OK; at += piece)
    err = ww_payload_file_feed(file, data + at, size - at < piece ? size - at : piece, diag);
  if (err == WW_OK)
    err = ww_payload_file_finish(file, out, NULL, diag);
  ww_payload_file_free(file);
  return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct ww_payloads a = {0}, b = {0};
  struct ww_diag diag = {0};
  if (size == 0 || data[0] != '{')
    return 0; /* the other target's */
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
  ww_payloads_fini(&a);
  ww_payloads_fini(&b);
  return 0;
}
