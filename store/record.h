/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A source record as a CBOR map (RFC 8949). docs/formats/store.md lists the members.
 */
#ifndef WW_STORE_RECORD_H
#define WW_STORE_RECORD_H

#include "store/store.h"

enum { WW_STORE_RECORD_MAX = 4096 /* octets; a longer one is refused */ };

/* `id` is not part of it: it is the key. The octets written, 0 when they do not fit. */
size_t ww_source_record_encode(const struct ww_source_record *record, uint8_t *buf, size_t size);
/* Leaves out->id alone. Unknown members are passed over; one of ours twice or of another type is an error. */
enum ww_err ww_source_record_decode(const void *data, size_t len, struct ww_source_record *out,
                                    struct ww_diag *diag) WW_MUST_USE;

#endif
