/* SPDX-License-Identifier: BSD-2-Clause */
/* Payload files (JSON). */
#include "tests/fuzz/payload_file_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0 || data[0] != '{')
    return 0; /* another target's */
  struct ww_payloads set = fuzz_payload_file(data, size);
  ww_payloads_fini(&set);
  return 0;
}
