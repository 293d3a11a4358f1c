/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which AS originated a route: the final segment of its AS_PATH decides, and nothing before it matters.
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
