/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLVs of BMP version 4 and every number of draft-ietf-grow-bmp-tlv that we use, by the draft's revision.
 *
 * Numbers follow draft-ietf-grow-bmp-tlv-21 (July 2026); those of -19 stand beside them because deployed collectors
 * still use them. The codec is the same for both.
 */
#ifndef WW_WIRE_BMP_TLV_H
#define WW_WIRE_BMP_TLV_H

#include "base/bytes.h"

enum { WW_BMP_VERSION_4 = 4 };

/* BMP Route Monitoring TLVs (draft-ietf-grow-bmp-tlv-21 §10.1). */
enum ww_bmp_rm_tlv_21 {
  WW_RM_TLV21_GROUP = 1,
  WW_RM_TLV21_TABLE_NAME = 2,
  WW_RM_TLV21_STATELESS_PARSING = 3,
  WW_RM_TLV21_BGP_MESSAGE = 4,
  WW_RM_TLV21_SEQUENCE = 5,
  WW_RM_TLV21_EXTENDED_FLAGS = 6,
  WW_RM_TLV21_TIMESTAMP = 7,
};

/* The same registry as draft-ietf-grow-bmp-tlv-19 (and the last -18) had it. */
enum ww_bmp_rm_tlv_19 {
  WW_RM_TLV19_STATELESS_PARSING = 1,
  WW_RM_TLV19_GROUP = 2,
  WW_RM_TLV19_TABLE_NAME = 3,
  WW_RM_TLV19_BGP_MESSAGE = 4,
};

/* BMP Stats Reports TLVs (draft-ietf-grow-bmp-tlv-21 §10.2); -19 has none. */
enum ww_bmp_stats_tlv_21 {
  WW_STATS_TLV21_STATS = 1,
  WW_STATS_TLV21_SEQUENCE = 5,
  WW_STATS_TLV21_EXTENDED_FLAGS = 6,
  WW_STATS_TLV21_TIMESTAMP = 7,
};

/* BMP Timestamp Types (draft-ietf-grow-bmp-tlv-21 §10.5): still to be assigned; the values its prose proposes. */
enum ww_bmp_timestamp_kind_21 {
  WW_TIMESTAMP21_TRIGGER = 1,
  WW_TIMESTAMP21_EXPORT = 2,
  WW_TIMESTAMP21_ADJ_RIB_IN = 3,
  WW_TIMESTAMP21_LOC_RIB = 4,
  WW_TIMESTAMP21_ADJ_RIB_OUT = 5,
};

enum { WW_BMP_FLAG_X = 0x01 }; /* per-peer flag: an Extended Flags TLV is there (draft-ietf-grow-bmp-tlv-21 §5.6.3) */

enum { WW_TLV_TYPE_MAX = 0x7fff, WW_TLV_INDEX_MAX = 0x7fff };

/*
 * One TLV of any of the four shapes (draft-ietf-grow-bmp-tlv-21 §4): enterprise-specific or not, indexed or not.
 * `value`, `len`: without PEN and index; borrowed from the input. `pen` is 0 unless enterprise; `index` and `group` are
 * 0 and false unless indexed. `index` excludes the G-bit.
 */
struct ww_tlv {
  bool enterprise;
  uint16_t type; /* 15 bits */
  uint32_t pen;
  bool indexed;
  bool group;
  uint16_t index; /* 15 bits */
  const uint8_t *value;
  size_t len;
};

/* Reads the next TLV. False at the end, and when the TLV is malformed: then r->bad is set. */
bool ww_tlv_next(struct ww_reader *r, bool indexed, struct ww_tlv *tlv);

/*
 * Starts a TLV and returns what ww_tlv_end() needs; write the value between the two. A type or index over 15 bits, or
 * a value that does not fit the 16-bit length, sets overflow. `pen` counts only with `enterprise`, `group` and `index`
 * only with `indexed`.
 */
size_t ww_tlv_begin(struct ww_writer *w, uint16_t type, bool enterprise, uint32_t pen, bool indexed, bool group,
                    uint16_t index);
void ww_tlv_end(struct ww_writer *w, size_t start);

#endif
