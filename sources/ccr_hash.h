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

#endif
