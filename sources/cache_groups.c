/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The choice between caches. It is a function of what each cache has and of what was in force before; there is no state
 * beside that, so a restart goes on where the stored flags say.
 *
 *   1. A group is used when it has a cache that is complete and not lost. The lowest-numbered such group is in force,
 *      with all its caches that are complete and not lost: their union.
 *   2. When there is none, what was in force stays, as far as it is still complete. Data of a lost cache is complete
 *      until it expires, so losing every cache changes nothing for that long.
 *   3. When nothing of that is left either, the lowest-numbered group with any complete cache comes into force.
 *
 * So a switch happens only towards a group that has complete data at that moment, and what was in force goes in the
 * same step. At no time is nothing in force while some cache is complete.
 *
 * CHOICE: a cache whose connection broke is not lost at once: it has `delay` seconds to be in sync again. A cache that
 * is restarted would otherwise cost two switches, with all that they make routers and stations do.
 * CHOICE: the data of a lost cache is left out of the union as soon as another cache of its group serves. It could only
 * add what the others have withdrawn since.
 *
 * Clauses: RFC 8210 §10, draft-ietf-sidrops-8210bis-26 §10.
 */
#include "sources/cache_groups.h"

static bool is_lost(const struct ww_cache *c, int64_t now, int64_t delay) {
  return !c->in_contact && now - c->since >= delay;
}

/* Lower is better; 0 is in no group. */
static uint32_t lowest(uint32_t best, uint16_t preference) {
  return preference && preference < best ? preference : best;
}

int64_t ww_cache_groups_choose(struct ww_cache *caches, size_t count, int64_t now, int64_t delay) {
  enum { NO_GROUP = UINT16_MAX + 1 };
  uint32_t good = NO_GROUP, any = NO_GROUP;
  bool kept = false;
  int64_t next = INT64_MAX;
  for (size_t i = 0; i < count; i++) {
    const struct ww_cache *c = &caches[i];
    if (!c->complete || !c->preference)
      continue;
    any = lowest(any, c->preference);
    kept = kept || c->active;
    if (is_lost(c, now, delay))
      continue;
    good = lowest(good, c->preference);
    if (!c->in_contact && c->since + delay < next)
      next = c->since + delay;
  }
  for (size_t i = 0; i < count; i++) {
    struct ww_cache *c = &caches[i];
    if (!c->complete || !c->preference)
      c->active = c->complete;
    else if (good != NO_GROUP)
      /* 8210bis-26 §10: the most preferred cache; equal ones together. */
      c->active = c->preference == good && !is_lost(c, now, delay);
    else if (!kept)
      c->active = c->preference == any;
    /* else: 8210bis-26 §10: "it SHOULD retain the data from the previous cache until it has a full set of data from one
     * or more other caches". */
  }
  return next;
}
