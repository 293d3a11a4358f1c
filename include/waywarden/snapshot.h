/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WAYWARDEN_SNAPSHOT_H
#define WAYWARDEN_SNAPSHOT_H

/**
 * @file
 * The effective payload set, immutable and numbered, and the questions it answers.
 *
 * A snapshot is made from its predecessor and a delta and shares with it whatever did not change. Readers hold a
 * reference for as long as they like and may use it from any thread; making snapshots is for one thread at a time.
 */
#include <waywarden/verdict.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ww_snapshot;

/** The empty set, epoch 0, not ready. NULL when memory ran out. */
WW_EXPORT struct ww_snapshot *ww_snapshot_new(void);
WW_EXPORT struct ww_snapshot *ww_snapshot_ref(struct ww_snapshot *snapshot);
WW_EXPORT void ww_snapshot_unref(struct ww_snapshot *snapshot); /**< NULL is fine */

/**
 * A new snapshot: `base` with the delta applied. `base` is untouched. Announcing a record that its source already has
 * replaces it; withdrawing one that it has not is ignored. `*out` is the caller's reference.
 * Records are held per source: the same VRP from two sources counts once for verdicts and is shown twice as evidence.
 */
WW_EXPORT enum ww_err ww_snapshot_apply(struct ww_snapshot *base, const struct ww_payload_delta *delta, uint32_t epoch,
                                        bool ready, struct ww_snapshot **out) WW_MUST_USE;

WW_EXPORT uint32_t ww_snapshot_epoch(const struct ww_snapshot *snapshot);
WW_EXPORT bool ww_snapshot_ready(const struct ww_snapshot *snapshot);

struct ww_snapshot_counts {
  size_t vrps_v4, vrps_v6, aspas, router_keys; /**< records, one for each source that has it */
  size_t bytes;                                /**< memory held by the index, shared parts included */
};
WW_EXPORT void ww_snapshot_counts(const struct ww_snapshot *snapshot, struct ww_snapshot_counts *out);

/** RFC 6811 §2. WW_STATE_NOT_READY while the snapshot is not ready. No allocation. */
WW_EXPORT enum ww_state ww_origin_validate(const struct ww_snapshot *snapshot, const struct ww_prefix *prefix,
                                           struct ww_origin origin, enum ww_reason *reason);

/** `count` routes at once; overlapping their memory latency makes this 2x or more the speed of single calls.
 *  `states[i]` is enum ww_state, `reasons` may be NULL. */
WW_EXPORT void ww_origin_validate_batch(const struct ww_snapshot *snapshot, const struct ww_prefix *prefixes,
                                        const struct ww_origin *origins, size_t count, uint8_t *states,
                                        uint8_t *reasons);

/** As ww_origin_validate() and collects every covering VRP. `result` is reused: its hits are overwritten. */
WW_EXPORT enum ww_err ww_origin_explain(const struct ww_snapshot *snapshot, const struct ww_prefix *prefix,
                                        struct ww_origin origin, struct ww_origin_result *result) WW_MUST_USE;

/** Calls `visit` for every record in canonical order (records of several sources follow each other); a non-zero
 *  return stops the walk and is returned. Any visitor may be NULL. */
WW_EXPORT int ww_snapshot_walk(const struct ww_snapshot *snapshot, void *ctx,
                               int (*vrp)(void *ctx, const struct ww_vrp *, ww_source_id),
                               int (*aspa)(void *ctx, const struct ww_aspa *, ww_source_id),
                               int (*key)(void *ctx, const struct ww_router_key *, ww_source_id));

/**
 * What all sources together say of a customer: the union of their providers, AS 0 only when none lists any other
 * (8210bis-26 §10), and the earliest expiry. False: nothing. The providers are borrowed from the snapshot.
 */
WW_EXPORT bool ww_snapshot_aspa(const struct ww_snapshot *snapshot, uint32_t customer, struct ww_aspa *merged);

/** Each source's ASPA of one customer, by source. A non-zero return stops and is returned; 0 when there is none. */
WW_EXPORT int ww_snapshot_aspa_sources(const struct ww_snapshot *snapshot, uint32_t customer, void *ctx,
                                       int (*visit)(void *ctx, const struct ww_aspa *, ww_source_id));

/** Router keys of an AS with this SKI (`ski` NULL: every key of the AS), in order, once for each source that has it.
 *  A non-zero return stops and is returned; 0 when there is none. */
WW_EXPORT int ww_snapshot_router_keys(const struct ww_snapshot *snapshot, uint32_t asn, const uint8_t ski[WW_SKI_LEN],
                                      void *ctx, int (*visit)(void *ctx, const struct ww_router_key *, ww_source_id));

#ifdef __cplusplus
}
#endif
#endif
