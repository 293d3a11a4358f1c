/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network Layer Reachability Information of IPv4 and IPv6 unicast: {[path id 32] length 8, ceil(length/8) octets}.
 * RFC 4271 §4.3, RFC 4760 §5, RFC 7911 §3. A run is checked once, as a whole, when its message is decoded; iterating
 * it afterwards can't fail, and an unchecked run just ends early.
 */
#include "wire/bgp_internal.h"

static size_t prefix_octets(unsigned bits) { return (bits + 7u) / 8u; }

bool ww_nlri_check(const struct ww_nlri *nlri) {
  struct ww_reader r = ww_reader_make(nlri->data, nlri->len);
  unsigned max = ww_afi_bits(nlri->afi);
  while (ww_reader_left(&r)) {
    if (nlri->add_path)
      (void)ww_reader_u32(&r);
    unsigned bits = ww_reader_u8(&r);
    /* RFC 7606 §5.3: a length that the family does not have, or a prefix running past the field's end. */
    if (bits > max)
      return false;
    (void)ww_reader_take(&r, prefix_octets(bits));
  }
  return ww_reader_done(&r);
}

bool ww_nlri_next(struct ww_nlri *nlri, struct ww_prefix *prefix, uint32_t *path_id) {
  if (nlri->len == 0)
    return false;
  struct ww_reader r = ww_reader_make(nlri->data, nlri->len);
  uint32_t id = nlri->add_path ? ww_reader_u32(&r) : 0;
  unsigned bits = ww_reader_u8(&r);
  size_t octets = prefix_octets(bits);
  if (bits > ww_afi_bits(nlri->afi))
    r.bad = true;
  const uint8_t *addr = ww_reader_take(&r, octets);
  if (r.bad || !addr) {
    nlri->data += nlri->len;
    nlri->len = 0;
    return false;
  }
  *prefix = (struct ww_prefix){.afi = nlri->afi, .len = (uint8_t)bits};
  if (octets) {
    memcpy(prefix->addr, addr, octets);
    /* RFC 4271 §4.3: trailing bits have no meaning; RFC 4760 §5 says the same. */
    if (bits % 8)
      prefix->addr[octets - 1] &= (uint8_t)(0xff00u >> bits % 8);
  }
  if (path_id)
    *path_id = id;
  nlri->data = r.p;
  nlri->len = ww_reader_left(&r);
  return true;
}

void ww_nlri_write(struct ww_writer *w, const struct ww_prefix *prefix, bool add_path, uint32_t path_id) {
  if (add_path)
    ww_writer_u32(w, path_id);
  ww_writer_u8(w, prefix->len);
  ww_writer_bytes(w, prefix->addr, prefix_octets(prefix->len));
}
