/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Revalidation that is still owed.
 *
 * Data structure: an ascending array of disjoint ranges of table order. Ranges instead of prefixes, because the one
 * being worked on is half done: what lies behind its cursor is owed, what lies before it is not, and a later delta may
 * add just a part of that again. A union of ranges says this exactly, so that several deltas coalesce without judging a
 * route twice for what one look settles.
 *
 * Invariant: ranges[i].end < ranges[i + 1].next. There is always room for one range, so that ww_pending_all() can't
 * fail.
 */
#include "engine/pending.h"

#include <stdlib.h>
#include <string.h>

enum ww_err ww_pending_init(struct ww_pending *p) {
  *p = (struct ww_pending){.ranges = malloc(sizeof *p->ranges), .cap = 1};
  return p->ranges ? WW_OK : WW_ERR_NOMEM;
}

void ww_pending_fini(struct ww_pending *p) {
  free(p->ranges);
  *p = (struct ww_pending){0};
}

void ww_pending_clear(struct ww_pending *p) { p->first = p->count = 0; }

void ww_pending_all(struct ww_pending *p) {
  p->ranges[0] = ww_rib_covered(NULL);
  p->first = 0;
  p->count = 1;
}

static int by_start(const void *a, const void *b) {
  const struct ww_rib_cursor *x = a, *y = b;
  return ww_prefix_compare(&x->next, &y->next);
}

void ww_pending_add(struct ww_pending *p, const struct ww_rib_cursor *ranges, size_t count) {
  size_t left = p->count - p->first;
  if (!count)
    return;
  if (left + count > p->cap || p->first) {
    size_t cap = left + count > p->cap ? left + count : p->cap;
    struct ww_rib_cursor *all = malloc(cap * sizeof *all);
    if (!all) {
      ww_pending_all(p);
      return;
    }
    if (left)
      memcpy(all, p->ranges + p->first, left * sizeof *all);
    free(p->ranges);
    *p = (struct ww_pending){.ranges = all, .count = left, .cap = cap};
  }
  memcpy(p->ranges + left, ranges, count * sizeof *ranges);
  size_t total = left + count, kept = 0;
  qsort(p->ranges, total, sizeof *p->ranges, by_start);
  for (size_t i = 1; i < total; i++) {
    struct ww_rib_cursor *last = &p->ranges[kept];
    const struct ww_rib_cursor *r = &p->ranges[i];
    if (ww_prefix_compare(&r->next, &last->end) > 0)
      p->ranges[++kept] = *r;
    else if (ww_prefix_compare(&r->end, &last->end) > 0)
      last->end = r->end;
  }
  p->count = kept + 1;
}

struct ww_rib_cursor *ww_pending_front(struct ww_pending *p) {
  return p->first < p->count ? &p->ranges[p->first] : NULL;
}

void ww_pending_done(struct ww_pending *p) {
  p->first++;
  if (p->first == p->count)
    p->first = p->count = 0;
}
