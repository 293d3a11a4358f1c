/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding BGPsec_PATH: {length 2, {pCount 1, flags 1, AS 4} * n} and then one or two {length 2, suite 1,
 * {SKI 20, length 2, signature} * n}. Both lengths count themselves.
 *
 * Nothing is copied and nothing allocated: the decoded path is offsets into the attribute. All of it is walked, so that
 * a path that decodes has no fault left for later, however early its verification ends (RFC 8205 §5.2, check 3).
 *
 * CHOICE: two blocks of one suite are an error: RFC 8205 §3 says that each block is of a different suite, and does not
 * say what a receiver makes of it. The same goes for more than two blocks, and for a Secure_Path without a segment.
 *
 * The AS_PATH of a Secure_Path is written newest AS first, though §4.4 tells how to build it from the oldest: how many
 * AS numbers a run holds is counted first, and what does not fill a segment of 255 stands in the newest one, as
 * prepending leaves it.
 *
 * Clauses: RFC 8205 §3, §3.1, §3.2, §4.4, §5.2; RFC 8608 §2.1.
 */
#include "wire/bgp_bgpsec.h"

#include "wire/bgp.h"

enum { SUITE_RESERVED_LOW = 0, SUITE_RESERVED_HIGH = 255, AS_SEGMENT_MAX = 255 };

static enum ww_bgpsec_reason fault(struct ww_diag *diag, enum ww_bgpsec_reason reason, size_t offset,
                                   const char *clause, const char *text) {
  (void)ww_fail(diag, WW_ERR_MALFORMED, offset, clause, "BGPSEC_PATH: %s", text);
  return reason;
}

bool ww_bgpsec_signature_next(struct ww_reader *left, struct ww_bgpsec_signature *out) {
  if (!ww_reader_left(left))
    return false;
  out->ski = ww_reader_take(left, WW_SKI_LEN);
  out->sig_len = ww_reader_u16(left);
  out->sig = ww_reader_take(left, out->sig_len);
  return !left->bad;
}

/* RFC 8205 §3.2. */
static enum ww_bgpsec_reason read_block(struct ww_reader *r, const uint8_t *start, size_t segments,
                                        struct ww_bgpsec_block *out, struct ww_diag *diag) {
  size_t at = ww_reader_offset(r, start), len = ww_reader_u16(r);
  if (r->bad || len < 3)
    return fault(diag, WW_BGPSEC_REASON_SYNTAX, at, "RFC 8205 §3.2", "Signature_Block too short");
  struct ww_reader block = ww_reader_sub(r, len - 2);
  if (r->bad)
    return fault(diag, WW_BGPSEC_REASON_SYNTAX, at, "RFC 8205 §3.2", "Signature_Block exceeds the attribute");
  out->suite = ww_reader_u8(&block);
  out->signatures = block.p;
  out->len = ww_reader_left(&block);
  /* The block is walked to its end before its suite is judged, so that syntax comes first. */
  struct ww_bgpsec_signature signature;
  size_t count = 0;
  while (ww_bgpsec_signature_next(&block, &signature))
    count++;
  if (!ww_reader_done(&block))
    return fault(diag, WW_BGPSEC_REASON_SYNTAX, at, "RFC 8205 §3.2", "Signature Segment exceeds its block");
  if (out->suite == SUITE_RESERVED_LOW || out->suite == SUITE_RESERVED_HIGH)
    return fault(diag, WW_BGPSEC_REASON_SUITE_RESERVED, at + 2, "RFC 8608 §2.1", "reserved algorithm suite");
  /* RFC 8205 §5.2: check 3. */
  if (count != segments)
    return fault(diag, WW_BGPSEC_REASON_SEGMENTS, at, "RFC 8205 §5.2",
                 count < segments ? "fewer signatures than ASes" : "more signatures than ASes");
  return WW_BGPSEC_REASON_NONE;
}

enum ww_bgpsec_reason ww_bgpsec_path_decode(const uint8_t *value, size_t len, struct ww_bgpsec_path *out,
                                            struct ww_diag *diag) {
  struct ww_reader r = ww_reader_make(value, len);
  *out = (struct ww_bgpsec_path){0};
  size_t secure_len = ww_reader_u16(&r);
  /* RFC 8205 §3.1: two greater than six times the number of segments, of which there is at least one. */
  if (r.bad || secure_len < 2 + WW_BGPSEC_SEGMENT_LEN || (secure_len - 2) % WW_BGPSEC_SEGMENT_LEN)
    return fault(diag, WW_BGPSEC_REASON_SYNTAX, 0, "RFC 8205 §3.1", "bad Secure_Path Length");
  out->segments = ww_reader_take(&r, secure_len - 2);
  if (r.bad)
    return fault(diag, WW_BGPSEC_REASON_SYNTAX, 0, "RFC 8205 §3.1", "Secure_Path exceeds the attribute");
  out->count = (secure_len - 2) / WW_BGPSEC_SEGMENT_LEN;
  do {
    if (out->block_count == WW_BGPSEC_BLOCKS_MAX)
      return fault(diag, WW_BGPSEC_REASON_SYNTAX, ww_reader_offset(&r, value), "RFC 8205 §3",
                   "more than two Signature_Blocks");
    enum ww_bgpsec_reason reason = read_block(&r, value, out->count, &out->blocks[out->block_count], diag);
    if (reason)
      return reason;
    out->block_count++;
  } while (ww_reader_left(&r));
  if (out->block_count == 2 && out->blocks[0].suite == out->blocks[1].suite)
    return fault(diag, WW_BGPSEC_REASON_SUITE_REPEATED, 0, "RFC 8205 §3", "two Signature_Blocks of one suite");
  return WW_BGPSEC_REASON_NONE;
}

/* One run: neighbouring segments, pCount 0 passed over, that agree on Confed_Segment. */
static size_t write_run(struct ww_writer *w, const struct ww_bgpsec_path *path, size_t from) {
  uint8_t confed = 0;
  size_t total = 0, to = from;
  for (; to < path->count; to++) {
    struct ww_bgpsec_segment s = ww_bgpsec_segment_at(path, to);
    if (s.pcount && total == 0)
      confed = s.flags & WW_BGPSEC_FLAG_CONFED;
    if (s.pcount && (s.flags & WW_BGPSEC_FLAG_CONFED) != confed)
      break;
    total += s.pcount;
  }
  /* RFC 8205 §4.4: no segment exceeds 255 AS numbers; filled from the oldest, so the newest has what remains. */
  size_t room = 0;
  for (size_t i = from; i < to; i++) {
    struct ww_bgpsec_segment s = ww_bgpsec_segment_at(path, i);
    for (unsigned n = 0; n < s.pcount; n++, room--, total--) {
      if (room == 0) {
        room = total % AS_SEGMENT_MAX ? total % AS_SEGMENT_MAX : AS_SEGMENT_MAX;
        ww_writer_u8(w, confed ? WW_SEG_CONFED_SEQUENCE : WW_SEG_AS_SEQUENCE);
        ww_writer_u8(w, (uint8_t)room);
      }
      ww_writer_u32(w, s.asn);
    }
  }
  return to;
}

void ww_bgpsec_as_path_write(struct ww_writer *w, const struct ww_bgpsec_path *path) {
  for (size_t i = 0; i < path->count;)
    i = write_run(w, path, i);
}

void ww_bgpsec_update_write(struct ww_writer *w, const struct ww_prefix *prefix, const uint8_t *next_hop,
                            size_t next_hop_len, const uint8_t *attrs, size_t attrs_len, const uint8_t *path,
                            size_t path_len) {
  size_t start = w->len, nlri = 1 + (prefix->len + 7u) / 8;
  for (unsigned i = 0; i < 16; i++)
    ww_writer_u8(w, 0xff);
  ww_writer_u16(w, 0);
  ww_writer_u8(w, WW_BGP_UPDATE);
  ww_writer_u16(w, 0); /* no withdrawn routes */
  size_t attrs_at = w->len;
  ww_writer_u16(w, 0);
  ww_writer_bytes(w, attrs, attrs_len);
  ww_writer_u8(w, WW_ATTR_OPTIONAL);
  ww_writer_u8(w, WW_ATTR_MP_REACH);
  ww_writer_u8(w, (uint8_t)(5 + next_hop_len + nlri));
  ww_writer_u16(w, prefix->afi);
  ww_writer_u8(w, WW_SAFI_UNICAST);
  ww_writer_u8(w, (uint8_t)next_hop_len);
  ww_writer_bytes(w, next_hop, next_hop_len);
  ww_writer_u8(w, 0);
  ww_nlri_write(w, prefix, false, 0);
  bool extended = path_len > UINT8_MAX;
  ww_writer_u8(w, WW_ATTR_OPTIONAL | (extended ? WW_ATTR_EXTENDED : 0));
  ww_writer_u8(w, WW_ATTR_BGPSEC_PATH);
  if (extended)
    ww_writer_u16(w, (uint16_t)path_len);
  else
    ww_writer_u8(w, (uint8_t)path_len);
  ww_writer_bytes(w, path, path_len);
  ww_writer_patch_u16(w, attrs_at, w->len - attrs_at - 2);
  ww_writer_patch_u16(w, start + 16, w->len - start);
}
