/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the session that an UPDATE came over says of its path.
 *
 * There are three kinds of peer. One in our own AS (or treated so) does not change the path, so the newest segment is
 * somebody else's: checks 2, 6 and 7, which are about the peer's segment, do not apply. RFC 8206 §5.3 says so of
 * pCount 0. One of another Member-AS of our confederation must set Confed_Segment. All others are outside, and nothing
 * of the inside of a confederation may come from there.
 *
 * CHOICE: check 8 looks for each AS number that we go by: that of the session, the confederation's, and those that the
 * caller names. RFC 8205 §5.2 speaks of "the local AS number" only; RFC 5065 §4 and RFC 8206 give a speaker several.
 *
 * Clauses: RFC 8205 §4.3, §5.2; RFC 8206 §5.3; RFC 5065 §4.
 */
#include "bgpsec/check.h"

static bool is_in(const uint32_t *asns, size_t count, uint32_t asn) {
  for (size_t i = 0; i < count; i++)
    if (asns[i] == asn)
      return true;
  return false;
}

static bool is_ours(const struct ww_bgpsec_session *s, uint32_t asn) {
  return asn == s->local_as || (s->confed_id && asn == s->confed_id) || is_in(s->own_as, s->own_as_count, asn);
}

enum ww_bgpsec_reason ww_bgpsec_check_session(const struct ww_bgpsec_session *s, const struct ww_bgpsec_path *path) {
  bool internal = s->internal || s->peer_as == s->local_as;
  bool inside = s->confed_id && (internal || is_in(s->confed_members, s->confed_member_count, s->peer_as));
  struct ww_bgpsec_segment newest = ww_bgpsec_segment_at(path, 0);
  /* RFC 8205 §5.2: check 2. */
  if (!internal && newest.asn != s->peer_as)
    return WW_BGPSEC_REASON_PEER_AS;
  /* RFC 8205 §5.2: check 5. */
  for (size_t i = 0; !inside && i < path->count; i++)
    if (ww_bgpsec_segment_at(path, i).flags & WW_BGPSEC_FLAG_CONFED)
      return WW_BGPSEC_REASON_CONFED_SET;
  /* RFC 8205 §5.2: check 6. */
  if (inside && !internal && !(newest.flags & WW_BGPSEC_FLAG_CONFED))
    return WW_BGPSEC_REASON_CONFED_CLEAR;
  /* RFC 8205 §5.2: check 7; RFC 8206 §5.3: not of an internal peer. */
  if (!internal && !s->allow_pcount0 && newest.pcount == 0)
    return WW_BGPSEC_REASON_PCOUNT_ZERO;
  /* RFC 8205 §5.2: check 8; a segment with pCount 0 is not in the equivalent AS_PATH. */
  for (size_t i = 0; i < path->count; i++) {
    struct ww_bgpsec_segment segment = ww_bgpsec_segment_at(path, i);
    if (segment.pcount && is_ours(s, segment.asn))
      return WW_BGPSEC_REASON_LOOP;
  }
  return WW_BGPSEC_REASON_NONE;
}
