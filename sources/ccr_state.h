/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A payload set as its CCR states in DER, kept up to date from deltas, so that its state hashes cost one pass of
 * SHA-256 instead of a walk of the set. One for each source, and one for what they make together.
 */
#ifndef WW_SOURCES_CCR_STATE_H
#define WW_SOURCES_CCR_STATE_H

#include "sources/ccr_hash.h"

struct ww_ccr_state;

/* Of an empty set. NULL when memory ran out. */
struct ww_ccr_state *ww_ccr_state_new(void);
void ww_ccr_state_free(struct ww_ccr_state *state);

/* Each of these leaves *state as it was when it fails (only memory can run out). */

/* Makes it the state of `set`, sorted by ww_payloads_sort(). */
enum ww_err ww_ccr_state_set(struct ww_ccr_state *state, const struct ww_payloads *set) WW_MUST_USE;
/* What a source's delta does. `refresh` does nothing: expiry is no part of a CCR. */
enum ww_err ww_ccr_state_apply(struct ww_ccr_state *state, const struct ww_payload_delta *delta) WW_MUST_USE;
/* Makes it equal to `from`, sharing its memory until either changes. */
enum ww_err ww_ccr_state_copy(struct ww_ccr_state *state, const struct ww_ccr_state *from) WW_MUST_USE;

/*
 * Makes it the union of `sources`: VRPs and keys once, one ASPA for each customer with the providers of all, AS 0 only
 * where nobody names another (8210bis §5.12). With `deltas` it must have been the union before they were applied to the
 * sources, and only the ASes that they name are looked at; with NULL all of it is made anew. One source alone shares
 * its memory.
 */
enum ww_err ww_ccr_state_unite(struct ww_ccr_state *state, const struct ww_ccr_state *const *sources, size_t count,
                               const struct ww_payload_delta *deltas, size_t delta_count) WW_MUST_USE;

/* Hashes what changed since the last call. */
enum ww_err ww_ccr_state_hash(struct ww_ccr_state *state, struct ww_ccr_hashes *out) WW_MUST_USE;

/* Octets held, shared ones included. */
size_t ww_ccr_state_memory(const struct ww_ccr_state *state);

/* Writes the set as a CCR file with VRPs, ASPAs and router keys: `put` is called with piece after piece, and false ends
 * it with WW_ERR_IO. WW_ERR_INVAL: a time that GeneralizedTime cannot say. */
enum ww_err ww_ccr_state_write(struct ww_ccr_state *state, ww_unix_time produced_at,
                               bool (*put)(void *ctx, const void *data, size_t len), void *ctx) WW_MUST_USE;

#endif
