/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which prefixes of a table are still to be judged again: disjoint ranges in table order, worked off from the front.
 */
#ifndef WW_ENGINE_PENDING_H
#define WW_ENGINE_PENDING_H

#include "rib/rib.h"
#include <waywarden/payload.h>

struct ww_pending {
  struct ww_rib_cursor *ranges; /* ranges[first .. count) are left, ascending and disjoint */
  size_t first, count, cap;
};

enum ww_err ww_pending_init(struct ww_pending *pending) WW_MUST_USE;
void ww_pending_fini(struct ww_pending *pending);
void ww_pending_clear(struct ww_pending *pending);
void ww_pending_all(struct ww_pending *pending);
/* Adds ranges in any order, overlapping or not. Falls back to everything when memory is short: never less than asked.
 */
void ww_pending_add(struct ww_pending *pending, const struct ww_rib_cursor *ranges, size_t count);
/* The range to work on, or NULL when nothing is left. Move its cursor; call ww_pending_done() when it is exhausted. */
struct ww_rib_cursor *ww_pending_front(struct ww_pending *pending);
void ww_pending_done(struct ww_pending *pending);

#endif
