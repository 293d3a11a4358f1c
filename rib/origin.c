/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which AS originated a route: the final segment of its AS_PATH decides, and nothing before it matters.
 *
 * A BGPsec route has no AS_PATH (RFC 8205 §3). What its path would be is in the Secure_Path, whose last segment is that
 * of the origin. Whether its signatures are good is another question.
 *
 * Stateless. The path is borrowed. The update decoder has refused segments without an AS (RFC 7606 §7.2); should one
 * come here by another way, it names no AS and so gives no origin.
 */
#include "rib/origin.h"

struct ww_origin ww_origin_of_path(struct ww_as_path path, uint32_t local_as) {
  struct ww_as_segment segment, last = {.type = 0};
  bool empty = true;
  while (ww_as_path_next(&path, &segment)) {
    last = segment;
    empty = false;
  }
  /* RFC 6811 §2: "the BGP speaker's own AS number if that segment is of type AS_CONFED_SEQUENCE or AS_CONFED_SET or if
   * the AS_PATH is empty" */
  if (empty || last.type == WW_SEG_CONFED_SEQUENCE || last.type == WW_SEG_CONFED_SET)
    return (struct ww_origin){.asn = local_as, .none = false};
  /* RFC 6811 §2: "the rightmost AS in the final segment [...] if that segment is of type AS_SEQUENCE" */
  if (last.type == WW_SEG_AS_SEQUENCE && last.count > 0)
    return (struct ww_origin){.asn = ww_as_segment_at(&last, last.count - 1u), .none = false};
  /* RFC 6811 §2: "the distinguished value "NONE" if the final segment of the AS_PATH attribute is of any other type" */
  return (struct ww_origin){.asn = 0, .none = true};
}

enum { SECURE_SEGMENT_LEN = 6 };

/* RFC 8205 §3.1: {length 16, itself included; {pCount 8, flags 8, AS 32} for each AS, the origin's last}. */
static bool read_secure_path(struct ww_reader value, struct ww_reader *out) {
  size_t len = ww_reader_u16(&value);
  if (value.bad || len < 2 + SECURE_SEGMENT_LEN || (len - 2) % SECURE_SEGMENT_LEN != 0)
    return false;
  *out = ww_reader_sub(&value, len - 2);
  return !value.bad;
}

bool ww_secure_path_of(const struct ww_bgp_update *update, struct ww_reader *out) {
  struct ww_reader r = ww_reader_make(update->attrs, update->attrs_len);
  while (ww_reader_left(&r)) {
    uint8_t flags = ww_reader_u8(&r), type = ww_reader_u8(&r);
    size_t len = flags & WW_ATTR_EXTENDED ? ww_reader_u16(&r) : ww_reader_u8(&r);
    struct ww_reader value = ww_reader_sub(&r, len);
    if (type == WW_ATTR_BGPSEC_PATH)
      return read_secure_path(value, out);
  }
  return false;
}

struct ww_origin ww_origin_of_update(const struct ww_bgp_update *update, uint32_t local_as) {
  if (update->has_as_path)
    return ww_origin_of_path(update->as_path, local_as);
  struct ww_reader path;
  if (!ww_secure_path_of(update, &path))
    return (struct ww_origin){.asn = 0, .none = true};
  (void)ww_reader_take(&path, ww_reader_left(&path) - SECURE_SEGMENT_LEN);
  (void)ww_reader_u8(&path);
  uint8_t flags = ww_reader_u8(&path);
  uint32_t asn = ww_reader_u32(&path);
  /* RFC 8205 §4.4: such a segment becomes an AS_CONFED_SEQUENCE when AS_PATH is reconstructed. */
  return (struct ww_origin){.asn = flags & WW_SECURE_PATH_CONFED ? local_as : asn, .none = false};
}
