/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Signature TLV of our BMP messages (docs/formats/bmp-rpki.md): the last TLV of a message of type 251 to 253, a
 * COSE_Sign1 over everything in front of it.
 */
#ifndef WW_BMPOUT_SIGNATURE_H
#define WW_BMPOUT_SIGNATURE_H

#include "base/bytes.h"
#include "bmpout/cose.h"

/* Octets that a signature with this key adds to a message. */
size_t ww_signature_room(const struct ww_cose_key *key);

/* Signs the message that begins at w->buf[start] and ends at w->len: makes its common header's length final, and
 * appends the TLV. WW_ERR_FULL: no room in the writer, or over `max` octets; the message is then as it was. */
enum ww_err ww_signature_append(const struct ww_cose_key *key, uint32_t pen, size_t start, size_t max,
                                struct ww_writer *w, struct ww_diag *diag) WW_MUST_USE;

/* Whether a message carries one, and whether it holds. WW_ERR_NOTFOUND with *present false: there is none. Otherwise as
 * ww_cose_verify1(); WW_ERR_MALFORMED also where the TLV is not the last. */
enum ww_err ww_signature_check(struct ww_cose_key *const *keys, size_t key_count, uint32_t pen, const uint8_t *message,
                               size_t len, bool *present, const struct ww_cose_key **by,
                               struct ww_diag *diag) WW_MUST_USE;

#endif
