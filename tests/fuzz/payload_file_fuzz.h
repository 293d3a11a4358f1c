/* SPDX-License-Identifier: BSD-2-Clause */
/* What the fuzz targets of payload files share. */
#ifndef WW_TESTS_FUZZ_PAYLOAD_FILE_FUZZ_H
#define WW_TESTS_FUZZ_PAYLOAD_FILE_FUZZ_H

#include "sources/payload_file.h"

/* Reads the file in one piece and octet by octet: both give the same, a reason comes with a refusal, and what comes out
 * is sorted. Empty when the file was refused. The caller ends it with ww_payloads_fini(). */
struct ww_payloads fuzz_payload_file(const uint8_t *data, size_t size);

#endif
