/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The effective set as whoever it is republished to sees it: without sources. Every VRP and router key once, and one
 * ASPA for a customer with what all sources say of it.
 */
#ifndef WW_SOURCES_EFFECTIVE_H
#define WW_SOURCES_EFFECTIVE_H

#include <waywarden/snapshot.h>

/*
 * What one publication changed. Sorted as by ww_payloads_sort(); no record is in two parts, but for `before`: the ASPAs
 * that `announce` replaces and `withdraw` ends, as they were. Expiry is not part of it.
 */
struct ww_effective_delta {
  struct ww_payloads announce;
  struct ww_payloads withdraw; /* its ASPAs have no providers */
  struct ww_payloads before;
};
void ww_effective_delta_fini(struct ww_effective_delta *delta);
size_t ww_effective_delta_count(const struct ww_effective_delta *delta); /* records that came or went */

/* `deltas` lead from `old` to `next`. Only the records that they name are looked up. */
enum ww_err ww_effective_delta(const struct ww_snapshot *old, const struct ww_snapshot *next,
                               const struct ww_payload_delta *deltas, size_t count,
                               struct ww_effective_delta *out) WW_MUST_USE;
/* The same where nobody knows what lies between: both sets are read whole. */
enum ww_err ww_effective_diff(const struct ww_snapshot *old, const struct ww_snapshot *next,
                              struct ww_effective_delta *out) WW_MUST_USE;

/*
 * The whole set, into an empty *out. A customer for whom the sources together list more than WW_ASPA_PROVIDERS_MAX
 * providers is left out, here and above; *left_out (may be NULL) is how many are.
 */
enum ww_err ww_effective_set(const struct ww_snapshot *snapshot, bool with_vrps, struct ww_payloads *out,
                             size_t *left_out) WW_MUST_USE;

#endif
