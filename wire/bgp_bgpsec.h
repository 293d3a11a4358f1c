/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BGPsec_PATH attribute (RFC 8205 §3) and the AS_PATH that it stands for (§4.4). Syntax only: keys, sessions and
 * signatures are for the room bgpsec/.
 */
#ifndef WW_WIRE_BGP_BGPSEC_H
#define WW_WIRE_BGP_BGPSEC_H

#include "base/bytes.h"
#include <waywarden/bgpsec.h>

enum {
  WW_BGPSEC_SEGMENT_LEN = 6, /* pCount, flags, AS number */
  WW_BGPSEC_BLOCKS_MAX = 2,
  WW_BGPSEC_SEGMENTS_MAX = (UINT16_MAX - 2) / WW_BGPSEC_SEGMENT_LEN,
  WW_BGPSEC_FLAG_CONFED = 0x80,
  WW_BGPSEC_SIGNATURE_HEADER = WW_SKI_LEN + 2,
};

/* A Secure_Path Segment. */
struct ww_bgpsec_segment {
  uint8_t pcount, flags;
  uint32_t asn;
};

/* A Signature Segment; all borrowed. */
struct ww_bgpsec_signature {
  const uint8_t *ski; /* WW_SKI_LEN octets; also where the segment begins on the wire */
  const uint8_t *sig;
  uint16_t sig_len;
};

struct ww_bgpsec_block {
  uint8_t suite;
  const uint8_t *signatures; /* the Signature Segments as on the wire, newest first */
  size_t len;
};

struct ww_bgpsec_path {
  const uint8_t *segments; /* count * WW_BGPSEC_SEGMENT_LEN octets, newest first */
  size_t count;            /* 1 or more */
  struct ww_bgpsec_block blocks[WW_BGPSEC_BLOCKS_MAX];
  size_t block_count; /* 1 or 2 */
};

/* Takes the attribute's value apart; everything in *out borrows from it. Checks 1 and 3 of RFC 8205 §5.2: NONE, SYNTAX,
 * SUITE_RESERVED, SUITE_REPEATED or SEGMENTS, and then the diagnostic says where and what. */
enum ww_bgpsec_reason ww_bgpsec_path_decode(const uint8_t *value, size_t len, struct ww_bgpsec_path *out,
                                            struct ww_diag *diag) WW_MUST_USE;

static inline struct ww_bgpsec_segment ww_bgpsec_segment_at(const struct ww_bgpsec_path *path, size_t i) {
  const uint8_t *p = path->segments + i * WW_BGPSEC_SEGMENT_LEN;
  struct ww_reader r = ww_reader_make(p + 2, 4);
  return (struct ww_bgpsec_segment){.pcount = p[0], .flags = p[1], .asn = ww_reader_u32(&r)};
}

/* The next of a block's signatures; *left is a reader made of block->signatures. False at the end. */
bool ww_bgpsec_signature_next(struct ww_reader *left, struct ww_bgpsec_signature *out);

/* Writes the value of the equivalent AS_PATH (RFC 8205 §4.4), with 4-octet AS numbers. */
void ww_bgpsec_as_path_write(struct ww_writer *w, const struct ww_bgpsec_path *path);

/* Writes a whole UPDATE that announces one prefix with this path, as RFC 8205 §4.1 wants it: in MP_REACH_NLRI, and
 * without AS_PATH. `attrs`: other attributes, complete. */
void ww_bgpsec_update_write(struct ww_writer *w, const struct ww_prefix *prefix, const uint8_t *next_hop,
                            size_t next_hop_len, const uint8_t *attrs, size_t attrs_len, const uint8_t *path,
                            size_t path_len);

#endif
