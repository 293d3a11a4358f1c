/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which records of a verdict are its rules, by draft-wang-grow-bmp-rpki-mon-reqs-03 §5.2: with Valid only such as are
 * valid themselves, with Unknown none, with Invalid all that bear on it, at least one of them invalid. Of several kinds
 * of validation each lists by its own state.
 */
#ifndef WW_BASE_RULES_H
#define WW_BASE_RULES_H

#include <waywarden/verdict.h>

/* CHOICE: covering VRPs that do not match a Valid route are no "relevant rules". */
static inline bool ww_vrp_hit_decides(uint8_t state, const struct ww_vrp_hit *hit) {
  return state == WW_STATE_INVALID || (state == WW_STATE_VALID && hit->match == WW_MATCH_VALID);
}

/* CHOICE: ASPAs that authorise a hop are valid rules, those that a failing hop rests on invalid ones; of an Invalid
 * path both are listed. ASPAs of the path that decided nothing are not. */
static inline bool ww_aspa_hit_decides(uint8_t state, const struct ww_aspa_hit *hit) {
  return (state == WW_STATE_VALID && hit->match == WW_HOP_PROVIDER) ||
         (state == WW_STATE_INVALID && hit->match != WW_HOP_NO_ATTESTATION);
}

/* How a signature fared that makes its block Not Valid. */
static inline bool ww_segment_is_bad(uint8_t state) {
  return state == WW_BGPSEC_SEGMENT_BAD || state == WW_BGPSEC_SEGMENT_NO_KEY || state == WW_BGPSEC_SEGMENT_MALFORMED;
}

/* Keys of signatures that were looked at; those that verify are Valid, the others Invalid. */
static inline bool ww_key_hit_decides(uint8_t state, const struct ww_key_hit *hit) {
  return (state == WW_STATE_VALID && hit->match == WW_BGPSEC_SEGMENT_VALID) ||
         (state == WW_STATE_INVALID && (hit->match == WW_BGPSEC_SEGMENT_VALID || ww_segment_is_bad(hit->match)));
}

/* Whether a kind is Invalid for a reason that lies in the path alone, so that there is no rule to list. */
static inline bool ww_reason_is_of_path(uint16_t reason) {
  return reason == WW_REASON_ASPA_FIRST_AS || reason == WW_REASON_ASPA_AS_SET || reason == WW_REASON_ASPA_CONFED ||
         reason == WW_REASON_ASPA_EMPTY || (reason >= WW_REASON_BGPSEC_PEER_AS && reason <= WW_REASON_BGPSEC_FORM);
}

#endif
