/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine against its model, on scripts that the fuzzer writes (tests/engine/harness.c). */
#include <stdio.h>
#include <stdlib.h>

#include "tests/engine/harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct harness_coverage coverage = {0};
  const char *fault = harness_run(data, size, &coverage);
  if (fault) {
    fprintf(stderr, "%s\n", fault);
    abort();
  }
  return 0;
}
