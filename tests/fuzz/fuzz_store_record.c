/* SPDX-License-Identifier: BSD-2-Clause */
/* Source records from a store: whatever decodes, encodes again to something that decodes to the same. */
#include <stdlib.h>
#include <string.h>

#include "store/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct ww_source_record record, again;
  struct ww_diag diag;
  memset(&record, 0, sizeof(record));
  memset(&again, 0, sizeof(again));
  if (ww_source_record_decode(data, size, &record, &diag) != WW_OK)
    return 0;
  uint8_t buf[WW_STORE_RECORD_MAX];
  size_t len = ww_source_record_encode(&record, buf, sizeof(buf));
  if (!len || ww_source_record_decode(buf, len, &again, NULL) != WW_OK || strcmp(record.name, again.name) != 0 ||
      record.errors != again.errors || record.last_sync != again.last_sync || record.rtr_serial != again.rtr_serial)
    abort();
  return 0;
}
