/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signing and checking whole messages.
 *
 * What is signed is every octet from the version up to the Signature TLV, with the length in the common header already
 * that of the signed message: a reader verifies the octets as they came, and nobody can take the TLV off without the
 * length giving it away. The order of messages is not in the signature but in what it covers: Sequence Number and
 * Timestamp.
 *
 * Where the TLVs begin depends on the type: behind the per-peer header of types 252 and 253, and in type 251 behind one
 * if the first octet of the body is a peer type (< 0x80: the first TLV is enterprise-specific, so its first octet is
 * not).
 *
 * Clauses: draft-wang-grow-bmp-rpki-mon-reqs-03 §8.1 (integrity of what is reported).
 */
#include "bmpout/signature.h"

#include "bmpout/numbers.h"
#include "wire/bmp.h"
#include "wire/bmp_tlv.h"

enum { TLV_OVERHEAD = 2 + 2 + 2 + 4 /* type, length, index, enterprise number */, LENGTH_AT = 1 };

size_t ww_signature_room(const struct ww_cose_key *key) { return TLV_OVERHEAD + ww_cose_sign1_size(key); }

enum ww_err ww_signature_append(const struct ww_cose_key *key, uint32_t pen, size_t start, size_t max,
                                struct ww_writer *w, struct ww_diag *diag) {
  uint8_t sign1[WW_COSE_SIGN1_MAX];
  size_t len = w->len - start, room = ww_signature_room(key);
  if (w->overflow || !w->buf || w->cap - w->len < room || len + room > max)
    return ww_fail(diag, WW_ERR_FULL, 0, NULL, "no room for a signature of %zu octets", room);
  ww_writer_patch_u32(w, start + LENGTH_AT, len + room);
  enum ww_err err = ww_cose_sign1(key, w->buf + start, len, sign1, diag);
  if (err) {
    ww_writer_patch_u32(w, start + LENGTH_AT, len);
    return err;
  }
  size_t at = ww_tlv_begin(w, WW_RPKI_TLV_SIGNATURE, true, pen, true, false, 0);
  ww_writer_bytes(w, sign1, ww_cose_sign1_size(key));
  ww_tlv_end(w, at);
  return WW_OK;
}

/* The TLVs of a message; false when there is no place for any. */
static bool tlvs_of(const uint8_t *message, size_t len, struct ww_reader *out) {
  struct ww_reader r = ww_reader_make(message, len);
  (void)ww_reader_take(&r, LENGTH_AT + 4);
  uint8_t type = ww_reader_u8(&r);
  if (r.bad || type < WW_BMP_RPKI_CONFIG || type > WW_BMP_RPKI_IMPACT)
    return false;
  if (type != WW_BMP_RPKI_CONFIG || (ww_reader_left(&r) && *r.p < 0x80))
    (void)ww_reader_take(&r, WW_BMP_PEER_HEADER_LEN);
  *out = r;
  return !r.bad;
}

enum ww_err ww_signature_check(struct ww_cose_key *const *keys, size_t key_count, uint32_t pen, const uint8_t *message,
                               size_t len, bool *present, const struct ww_cose_key **by, struct ww_diag *diag) {
  struct ww_reader r;
  struct ww_tlv tlv;
  *present = false;
  if (!tlvs_of(message, len, &r))
    return ww_fail(diag, WW_ERR_NOTFOUND, 0, NULL, "a message of this kind carries no signature");
  for (const uint8_t *start = r.p; ww_tlv_next(&r, true, &tlv); start = r.p) {
    if (!tlv.enterprise || tlv.pen != pen || tlv.type != WW_RPKI_TLV_SIGNATURE)
      continue;
    *present = true;
    size_t covered = (size_t)(start - message);
    if (ww_reader_left(&r) || tlv.group || tlv.index)
      return ww_fail(diag, WW_ERR_MALFORMED, covered, NULL, "the Signature TLV is not the last one, with index 0");
    return ww_cose_verify1(keys, key_count, tlv.value, tlv.len, message, covered, by, diag);
  }
  return ww_fail(diag, r.bad ? WW_ERR_MALFORMED : WW_ERR_NOTFOUND, 0, NULL, r.bad ? "a TLV ends early" : "not signed");
}
