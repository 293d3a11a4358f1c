/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bump allocation for one message's worth of decoding: allocate freely, reset once after dispatch. Blocks are kept
 * across resets, so a steady stream allocates nothing. `limit` bounds the sum (0: none); over it NULL is returned.
 */
#ifndef WW_BASE_ARENA_H
#define WW_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct ww_arena_block;

struct ww_arena {
  struct ww_arena_block *first, *current;
  size_t used, limit;
};

void ww_arena_init(struct ww_arena *arena, size_t limit);
void ww_arena_fini(struct ww_arena *arena);
void ww_arena_reset(struct ww_arena *arena);
/* Aligned to 16 octets; NULL when memory or the limit is exhausted. Contents undefined. */
void *ww_arena_alloc(struct ww_arena *arena, size_t size);
void *ww_arena_copy(struct ww_arena *arena, const void *data, size_t size);

#endif
