/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing UPDATE messages from canonical attributes: the inverse of ww_bgp_update_decode() on a session with 4-octet
 * AS numbers. Decoding what was written gives the same attributes, next hop and prefixes back.
 *
 * CHOICE: MP_REACH_NLRI and MP_UNREACH_NLRI come first (RFC 7606 §5.1) and always with an extended length, so that the
 * length can be patched; a message speaks of one family, and either announces or withdraws.
 */
#include "wire/bgp_internal.h"

static const uint8_t unspecified[16];

static void write_nlri(struct ww_writer *w, bool add_path, const struct ww_bgp_nlri_item *items, size_t count) {
  for (size_t i = 0; i < count; i++)
    ww_nlri_write(w, &items[i].prefix, add_path, items[i].path_id);
}

/* Opens an MP attribute; returns where its length stands. */
static size_t mp_begin(struct ww_writer *w, uint8_t type, uint8_t afi) {
  ww_writer_u8(w, WW_ATTR_OPTIONAL | WW_ATTR_EXTENDED);
  ww_writer_u8(w, type);
  size_t at = w->len;
  ww_writer_u16(w, 0);
  ww_writer_u16(w, afi);
  ww_writer_u8(w, WW_SAFI_UNICAST);
  return at;
}

static void length_end(struct ww_writer *w, size_t at) { ww_writer_patch_u16(w, at, w->len - at - 2); }

/* RFC 4271 §5: attributes should be ordered by type: the octets of those that come before NEXT_HOP. */
static size_t before_next_hop(const uint8_t *attrs, size_t len) {
  struct ww_reader r = ww_reader_make(attrs, len);
  while (ww_reader_left(&r)) {
    size_t at = ww_reader_offset(&r, attrs);
    uint8_t flags = ww_reader_u8(&r), type = ww_reader_u8(&r);
    if (type > WW_ATTR_NEXT_HOP)
      return at;
    (void)ww_reader_take(&r, flags & WW_ATTR_EXTENDED ? ww_reader_u16(&r) : ww_reader_u8(&r));
  }
  return len;
}

static void write_withdrawal(struct ww_writer *w, uint8_t afi, bool add_path, const struct ww_bgp_nlri_item *items,
                             size_t count) {
  size_t withdrawn = w->len;
  ww_writer_u16(w, 0);
  if (afi == WW_AFI_IPV4) {
    write_nlri(w, add_path, items, count);
    length_end(w, withdrawn);
    ww_writer_u16(w, 0);
    return;
  }
  size_t total = w->len;
  ww_writer_u16(w, 0);
  size_t at = mp_begin(w, WW_ATTR_MP_UNREACH, afi);
  write_nlri(w, add_path, items, count);
  length_end(w, at);
  length_end(w, total);
}

void ww_bgp_update_write(struct ww_writer *w, uint8_t afi, const uint8_t *attrs, size_t attrs_len,
                         const uint8_t *next_hop, size_t next_hop_len, bool add_path,
                         const struct ww_bgp_nlri_item *items, size_t count) {
  size_t start = ww_bgp_message_begin(w, WW_BGP_UPDATE);
  if (!attrs) {
    write_withdrawal(w, afi, add_path, items, count);
    ww_bgp_message_end(w, start);
    return;
  }
  if (next_hop_len == 0) {
    next_hop = unspecified;
    next_hop_len = afi == WW_AFI_IPV4 ? 4 : 16;
  }
  ww_writer_u16(w, 0);
  size_t total = w->len;
  ww_writer_u16(w, 0);
  if (afi == WW_AFI_IPV4 && next_hop_len == 4) {
    size_t split = before_next_hop(attrs, attrs_len);
    ww_writer_bytes(w, attrs, split);
    ww_writer_u8(w, WW_ATTR_TRANSITIVE);
    ww_writer_u8(w, WW_ATTR_NEXT_HOP);
    ww_writer_u8(w, 4);
    ww_writer_bytes(w, next_hop, 4);
    ww_writer_bytes(w, attrs + split, attrs_len - split);
    length_end(w, total);
    write_nlri(w, add_path, items, count);
  } else { /* RFC 4760 §3; IPv4 with an IPv6 next hop: RFC 8950 §3 */
    size_t at = mp_begin(w, WW_ATTR_MP_REACH, afi);
    ww_writer_u8(w, (uint8_t)next_hop_len);
    ww_writer_bytes(w, next_hop, next_hop_len);
    ww_writer_u8(w, 0);
    write_nlri(w, add_path, items, count);
    length_end(w, at);
    ww_writer_bytes(w, attrs, attrs_len);
    length_end(w, total);
  }
  ww_bgp_message_end(w, start);
}

/* RFC 4724 §2: for IPv4 unicast an UPDATE with nothing in it, else one empty MP_UNREACH_NLRI. */
void ww_bgp_eor_write(struct ww_writer *w, uint8_t afi) {
  ww_bgp_update_write(w, afi, NULL, 0, NULL, 0, false, NULL, 0);
}
