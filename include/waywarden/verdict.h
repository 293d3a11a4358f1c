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
  WW_REASON_ORIGIN_AS = 1,          /**< covered, long enough, but no VRP names the origin */
  WW_REASON_ORIGIN_LENGTH = 2,      /**< a VRP names the origin, but the route is longer than it allows */
  WW_REASON_ORIGIN_AS0 = 3,         /**< covered only by AS 0 VRPs */
  WW_REASON_ORIGIN_AS_SET = 4,      /**< the path ends in an AS_SET: no origin, and covered */
  WW_REASON_ASPA_NOT_PROVIDER = 16, /**< upstream: some hop is to an AS that is not a provider of the one before */
  WW_REASON_ASPA_VALLEY = 17,       /**< downstream: the ramps do not meet, so the path goes down and up again */
  WW_REASON_ASPA_FIRST_AS = 18,     /**< the first AS of the path is not the neighbor's */
  WW_REASON_ASPA_AS_SET = 19,       /**< an AS_SET in the path */
  WW_REASON_ASPA_CONFED = 20,       /**< a confederation segment in the path */
  WW_REASON_ASPA_EMPTY = 21,        /**< no AS in the path */
  WW_REASON_ASPA_UNATTESTED = 22,   /**< unknown: some hop that decides has no attestation */
  WW_REASON_ASPA_NO_ROLE = 23,      /**< not evaluated: the local role is not known */
  WW_REASON_BGPSEC_SIGNATURE = 32,  /**< a signature does not verify, or is none */
  WW_REASON_BGPSEC_NO_KEY = 33,     /**< no router key of that AS and SKI */
  WW_REASON_BGPSEC_SUITE = 34,   /**< not evaluated: no block of a supported suite, so the route counts as unsigned */
  WW_REASON_BGPSEC_PEER_AS = 35, /**< the newest segment is not of the neighbor's AS */
  WW_REASON_BGPSEC_CONFED = 36,  /**< Confed_Segment is set or clear where it must not be */
  WW_REASON_BGPSEC_PCOUNT = 37,  /**< pCount 0 of a neighbor that may not */
  WW_REASON_BGPSEC_LOOP = 38,    /**< an AS of ours is in the path */
  WW_REASON_BGPSEC_FORM = 39,    /**< not as RFC 8205 §3 and §4.1 have it */
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

/** RFC 9234 §4.1, Role capability values: what we are to the neighbor. */
enum ww_role {
  WW_ROLE_PROVIDER = 0,
  WW_ROLE_RS = 1,
  WW_ROLE_RS_CLIENT = 2,
  WW_ROLE_CUSTOMER = 3,
  WW_ROLE_PEER = 4,
  WW_ROLE_MUTUAL_TRANSIT = 254, /**< each is the other's provider; not a role of RFC 9234 and never on its wire */
  WW_ROLE_NONE = 255,           /**< not known */
};

enum ww_aspa_procedure { WW_ASPA_NONE = 0, WW_ASPA_UPSTREAM = 1, WW_ASPA_DOWNSTREAM = 2 };

/** authorized() of draft-ietf-sidrops-aspa-verification-28 §5.3. */
enum ww_aspa_hop_state { WW_HOP_PROVIDER = 0, WW_HOP_NOT_PROVIDER = 1, WW_HOP_NO_ATTESTATION = 2 };

/** One step between neighbours of the path without prepends. `up`: from `customer`, nearer to the origin, towards us;
 *  else the same two the other way around, as the down-ramp is asked. */
struct ww_aspa_hop {
  uint32_t customer, provider;
  uint8_t state; /**< enum ww_aspa_hop_state */
  bool up;
  bool failing; /**< this hop made the path invalid (or, of an unknown path, kept it from being valid) */
};

/** An ASPA that was asked about, as one source has it. */
struct ww_aspa_hit {
  struct ww_aspa aspa; /**< providers borrow from the snapshot */
  ww_source_id source;
  /** enum ww_aspa_hop_state, what its customer's merged record did: NOT_PROVIDER a failing hop rests on it, PROVIDER it
   *  authorises a hop of a ramp, NO_ATTESTATION it was asked and has no part in the answer (it ends a ramp at the apex,
   *  or lies beyond). */
  uint8_t match;
};

/** ASPA verification with its evidence. Caller owns the storage: ww_aspa_result_fini(). */
struct ww_aspa_result {
  uint8_t state;                               /**< enum ww_state */
  uint8_t reason;                              /**< enum ww_reason */
  uint8_t procedure;                           /**< enum ww_aspa_procedure */
  uint8_t role;                                /**< enum ww_role */
  uint32_t path_len;                           /**< N: ASes of the path without prepends */
  uint32_t max_up, min_up, max_down, min_down; /**< §5.4; the down-ramps are 0 upstream */
  struct ww_aspa_hop *hops; /**< up-ramp from the origin on; downstream then the down-ramp from us on */
  size_t hop_count, hop_cap;
  struct ww_aspa_hit *hits; /**< those of failing hops first; then by customer; then by source */
  size_t hit_count, hit_cap;
};

WW_EXPORT void ww_aspa_result_fini(struct ww_aspa_result *result);

/** How one signature fared. */
enum ww_bgpsec_segment_state {
  WW_BGPSEC_SEGMENT_VALID = 0,
  WW_BGPSEC_SEGMENT_BAD = 1,         /**< no key of the pair verifies it */
  WW_BGPSEC_SEGMENT_NO_KEY = 2,      /**< no router key of that AS and SKI */
  WW_BGPSEC_SEGMENT_MALFORMED = 3,   /**< not DER of an ECDSA-Sig-Value in range: nothing to verify */
  WW_BGPSEC_SEGMENT_NOT_CHECKED = 4, /**< the answer stood before */
  WW_BGPSEC_SEGMENT_SKIPPED = 5,     /**< of a confederation member, and not to be verified (RFC 8205 §4.3) */
  WW_BGPSEC_SEGMENT_UNSUPPORTED = 6, /**< of a suite that is not supported */
};

enum { WW_BGPSEC_SUITE_P256 = 1 }; /* RFC 8608 §2.2.1: ECDSA P-256 with SHA-256 */

/** One signature of one Signature_Block. */
struct ww_bgpsec_segment_result {
  uint32_t asn;
  uint8_t ski[WW_SKI_LEN];
  uint8_t suite, pcount, flags;
  uint8_t state; /**< enum ww_bgpsec_segment_state */
};

/** A router key that a signature called for, as one source has it. */
struct ww_key_hit {
  uint32_t asn;
  uint8_t ski[WW_SKI_LEN]; /**< zero when it is missing */
  ww_source_id source;
  ww_unix_time expires;
  uint8_t match; /**< enum ww_bgpsec_segment_state: how the signature fared */
  bool missing;  /**< no source has a key of that AS and SKI; `source` and `expires` say nothing */
};

/** BGPsec verification (RFC 8205 §5) with its evidence. Caller owns the storage: ww_bgpsec_report_fini(). */
struct ww_bgpsec_report {
  uint8_t state;                             /**< enum ww_state; an unsigned route is NOT_EVALUATED */
  uint8_t reason;                            /**< enum ww_reason */
  struct ww_bgpsec_segment_result *segments; /**< block by block, newest first */
  size_t segment_count, segment_cap;
  struct ww_key_hit *hits; /**< of failing signatures first */
  size_t hit_count, hit_cap;
};

WW_EXPORT void ww_bgpsec_report_fini(struct ww_bgpsec_report *report);

/** A whole verdict. Kinds that were not run are NOT_EVALUATED. Zero-initialise; ww_verdict_fini(). */
struct ww_verdict {
  uint32_t epoch;
  uint8_t state; /**< ww_verdict_combine() of the three */
  struct ww_origin_result origin;
  struct ww_aspa_result aspa;
  struct ww_bgpsec_report bgpsec;
};

WW_EXPORT void ww_verdict_fini(struct ww_verdict *verdict);
/** Any kind Invalid gives Invalid, else any Valid gives Valid, else Unknown; not ready stays so. */
WW_EXPORT enum ww_state ww_verdict_combine(enum ww_state origin, enum ww_state aspa, enum ww_state bgpsec);
/** provider, rs, rs-client, customer, peer, mutual-transit, none */
WW_EXPORT const char *ww_role_name(enum ww_role role);
WW_EXPORT const char *ww_aspa_hop_state_name(enum ww_aspa_hop_state state);     /**< provider, not-provider, ... */
WW_EXPORT const char *ww_aspa_procedure_name(enum ww_aspa_procedure procedure); /**< upstream, downstream, none */

/** valid, bad, no-key, malformed, not-checked, skipped, unsupported */
WW_EXPORT const char *ww_bgpsec_segment_state_name(enum ww_bgpsec_segment_state state);

/** Lower-case, hyphenated words for JSON and people. Static storage. */
WW_EXPORT const char *ww_state_name(enum ww_state state); /**< valid, unknown, invalid, not-evaluated, not-ready */
WW_EXPORT const char *ww_origin_state_name(enum ww_state state); /**< the same with not-found for unknown */
WW_EXPORT const char *ww_reason_name(enum ww_reason reason); /**< none, as, length, as0, as-set, not-provider, ... */

#ifdef __cplusplus
}
#endif
#endif
