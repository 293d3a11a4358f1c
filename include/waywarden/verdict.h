/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WAYWARDEN_VERDICT_H
#define WAYWARDEN_VERDICT_H

/**
 * @file
 * A verdict: what was decided about a route, and the evidence. It is data, never an error.
 * Numbers are those of docs/formats/bmp-rpki.md, so that a verdict goes to the wire without translation.
 */
#include <waywarden/payload.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ww_state {
  WW_STATE_VALID = 0,
  WW_STATE_UNKNOWN = 1, /**< NotFound for origin validation */
  WW_STATE_INVALID = 2,
  WW_STATE_NOT_EVALUATED = 3,
  WW_STATE_NOT_READY = 255, /**< no complete data yet: never sent, never mistaken for NotFound */
};

enum ww_kind { WW_KIND_ORIGIN = 1, WW_KIND_ASPA = 2, WW_KIND_BGPSEC = 3 };

enum ww_reason {
  WW_REASON_NONE = 0,
  WW_REASON_ORIGIN_AS = 1,     /**< covered, long enough, but no VRP names the origin */
  WW_REASON_ORIGIN_LENGTH = 2, /**< a VRP names the origin, but the route is longer than it allows */
  WW_REASON_ORIGIN_AS0 = 3,    /**< covered only by AS 0 VRPs */
  WW_REASON_ORIGIN_AS_SET = 4, /**< the path ends in an AS_SET: no origin, and covered */
};

/** Why one VRP does or does not match. */
enum ww_match { WW_MATCH_VALID = 0, WW_MATCH_AS = 1, WW_MATCH_LENGTH = 2 };

/** A VRP that covers the route, with how it fared and who said it. */
struct ww_vrp_hit {
  struct ww_vrp vrp;
  ww_source_id source;
  uint8_t match; /**< enum ww_match */
};

/** The origin of a route as RFC 6811 §2 defines it. `none`: the path ends in an AS_SET. */
struct ww_origin {
  uint32_t asn;
  bool none;
};

/** Origin validation with its evidence. Caller owns `hits` storage: ww_origin_result_fini(). */
struct ww_origin_result {
  uint8_t state;           /**< enum ww_state */
  uint8_t reason;          /**< enum ww_reason */
  struct ww_vrp_hit *hits; /**< every covering VRP: matching first, then wrong length, then wrong AS; inside by order */
  size_t hit_count, hit_cap;
};

WW_EXPORT void ww_origin_result_fini(struct ww_origin_result *result);

/** Lower-case, hyphenated words for JSON and people. Static storage. */
WW_EXPORT const char *ww_state_name(enum ww_state state); /**< valid, unknown, invalid, not-evaluated, not-ready */
WW_EXPORT const char *ww_origin_state_name(enum ww_state state); /**< the same with not-found for unknown */
WW_EXPORT const char *ww_reason_name(enum ww_reason reason);     /**< none, as, length, as0, as-set */

#ifdef __cplusplus
}
#endif
#endif
