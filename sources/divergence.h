/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far the caches of one preference group are from saying the same, and since when.
 */
#ifndef WW_SOURCES_DIVERGENCE_H
#define WW_SOURCES_DIVERGENCE_H

#include <waywarden/payload.h>

enum { WW_DIVERGENCE_CACHES = 16 }; /* of a group; more are not compared */

struct ww_divergence;

/* `seed` is secret: the records come from the network. NULL: no memory. */
struct ww_divergence *ww_divergence_new(uint64_t seed);
void ww_divergence_free(struct ww_divergence *divergence); /* NULL is fine */

/* What a commit changed in the records of a cache, which is a number below WW_DIVERGENCE_CACHES. Out of memory: what
 * has been counted is of no use any more; free it. */
enum ww_err ww_divergence_apply(struct ww_divergence *divergence, unsigned cache,
                                const struct ww_payload_delta *delta) WW_MUST_USE;
/* Which caches are compared: those with complete data (bit mask). */
void ww_divergence_compare(struct ww_divergence *divergence, uint32_t caches);

struct ww_divergence_counts {
  size_t differing; /* records that some compared cache has and another has not */
  struct {
    size_t missing; /* others have them, this one has not */
    size_t extra;   /* this one has them, some other has not */
  } of[WW_DIVERGENCE_CACHES];
};
const struct ww_divergence_counts *ww_divergence_counts(const struct ww_divergence *divergence);
size_t ww_divergence_bytes(const struct ww_divergence *divergence);

#endif
