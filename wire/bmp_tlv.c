/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TLV codec of BMP version 4: draft-ietf-grow-bmp-tlv-21 §4, all four shapes.
 *
 *     E|type(15)  length(16)  [G|index(15)]  [PEN(32)]  value
 *
 * Length counts PEN and value but not the index. A writer leaves the length open and ww_tlv_end() patches it; `start`
 * is the place of the first octet of the TLV, and whether there is an index in between is asked again by
 * ww_tlv_begin() keeping it in the lowest bit of what it returns: places are therefore doubled.
 */
#include "wire/bmp_tlv.h"

enum { TLV_FLAG_BIT = 0x8000 }; /* E in the type, G in the index */

bool ww_tlv_next(struct ww_reader *r, bool indexed, struct ww_tlv *tlv) {
  if (!ww_reader_left(r))
    return false;
  uint16_t type = ww_reader_u16(r);
  size_t len = ww_reader_u16(r);
  uint16_t index = indexed ? ww_reader_u16(r) : 0;
  struct ww_reader body = ww_reader_sub(r, len);
  *tlv = (struct ww_tlv){
      .enterprise = (type & TLV_FLAG_BIT) != 0,
      .type = type & WW_TLV_TYPE_MAX,
      .indexed = indexed,
      .group = (index & TLV_FLAG_BIT) != 0,
      .index = index & WW_TLV_INDEX_MAX,
  };
  if (tlv->enterprise)
    tlv->pen = ww_reader_u32(&body);
  tlv->len = ww_reader_left(&body);
  tlv->value = ww_reader_take(&body, tlv->len);
  if (body.bad) /* an enterprise TLV too short for its PEN */
    r->bad = true;
  if (r->bad)
    r->p = r->end;
  return !r->bad;
}

size_t ww_tlv_begin(struct ww_writer *w, uint16_t type, bool enterprise, uint32_t pen, bool indexed, bool group,
                    uint16_t index) {
  size_t start = w->len;
  if (type > WW_TLV_TYPE_MAX || (indexed && index > WW_TLV_INDEX_MAX) || start > SIZE_MAX / 2)
    w->overflow = true;
  ww_writer_u16(w, (uint16_t)(type | (enterprise ? TLV_FLAG_BIT : 0)));
  ww_writer_u16(w, 0);
  if (indexed)
    ww_writer_u16(w, (uint16_t)(index | (group ? TLV_FLAG_BIT : 0)));
  if (enterprise)
    ww_writer_u32(w, pen);
  return start << 1 | (indexed ? 1 : 0);
}

void ww_tlv_end(struct ww_writer *w, size_t start) {
  size_t place = start >> 1, head = 4 + (start & 1) * 2;
  if (w->overflow || w->len < place + head) {
    w->overflow = true;
    return;
  }
  ww_writer_patch_u16(w, place + 2, w->len - place - head);
}
