/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * State hashes of a payload set as draft-ietf-sidrops-rpki-ccr-11 defines them: SHA-256 over the DER of
 * ROAPayloadState.rps, ASPAPayloadState.aps and RouterKeyState.rksets. Two caches with the same hash have the same
 * data.
 */
#ifndef WW_SOURCES_CCR_HASH_H
#define WW_SOURCES_CCR_HASH_H

#include <waywarden/payload.h>

enum { WW_CCR_HASH_LEN = 32 };

struct ww_ccr_hashes {
  uint8_t vrps[WW_CCR_HASH_LEN], aspas[WW_CCR_HASH_LEN], keys[WW_CCR_HASH_LEN];
};

/* `set` sorted by ww_payloads_sort(). */
enum ww_err ww_ccr_hash(const struct ww_payloads *set, struct ww_ccr_hashes *out) WW_MUST_USE;

/*
 * The hash of the VRPs in the order in which rpki-client (as of 2026) writes those of one address: longer prefixes and
 * larger maxLengths first, where RFC 9582 §4.3.3.1, and so the draft, has them last. What its JSON and its CCR name.
 */
enum ww_err ww_ccr_hash_client_vrps(const struct ww_payloads *set, uint8_t out[WW_CCR_HASH_LEN]) WW_MUST_USE;

#endif
