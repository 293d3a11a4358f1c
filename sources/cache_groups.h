/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of several RTR caches are used: groups by preference, with failover and fail-back that leave no gap.
 */
#ifndef WW_SOURCES_CACHE_GROUPS_H
#define WW_SOURCES_CACHE_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a source, as it is now. All times in Unix seconds. */
struct ww_cache {
  uint16_t preference; /* the lower the better; 0: in no group (files, static entries), counts when complete */
  bool complete;       /* holds one whole set that may be used */
  bool in_contact;     /* and it is as the cache has it: in sync since the last trouble */
  int64_t since;       /* when `in_contact` became what it is */
  bool active;         /* its data is in force */
};

/*
 * Sets `active` of each to what it shall be now, from what it was. A cache that has not been in contact for `delay`
 * seconds is lost. Returns the time when the answer may become another one by itself; INT64_MAX never.
 */
int64_t ww_cache_groups_choose(struct ww_cache *caches, size_t count, int64_t now, int64_t delay);

#endif
