/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A chain of blocks, filled front to back. Blocks before and including `current` hold live memory; those behind it
 * are empty leftovers of earlier rounds and are taken again before the system is asked for more. A new block is at
 * least twice the one before, so their number stays logarithmic. `used` counts what was handed out since the last
 * reset, rounded up to the alignment, and that is what `limit` bounds.
 */
#include "base/arena.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/asan.h"

enum { ARENA_ALIGN = 16, ARENA_FIRST_BLOCK = 16384, ARENA_DOUBLE_UP_TO = 1 << 20 };

struct ww_arena_block {
  struct ww_arena_block *next;
  size_t cap, used;
  _Alignas(ARENA_ALIGN) uint8_t data[];
};

void ww_arena_init(struct ww_arena *arena, size_t limit) { *arena = (struct ww_arena){.limit = limit}; }

void ww_arena_fini(struct ww_arena *arena) {
  struct ww_arena_block *block = arena->first;
  while (block) {
    struct ww_arena_block *next = block->next;
    ww_asan_unpoison(block->data, block->cap);
    free(block);
    block = next;
  }
  *arena = (struct ww_arena){.limit = arena->limit};
}

void ww_arena_reset(struct ww_arena *arena) {
  if (!arena->first)
    return;
  for (struct ww_arena_block *block = arena->first;; block = block->next) {
    ww_asan_poison(block->data, block->used);
    block->used = 0;
    if (block == arena->current)
      break;
  }
  arena->current = arena->first;
  arena->used = 0;
}

/* Makes `current` a block with room for n octets: a leftover, moved up to stand next, or a new one. */
static bool next_block(struct ww_arena *arena, size_t n) {
  struct ww_arena_block *current = arena->current;
  for (struct ww_arena_block **link = current ? &current->next : &arena->first; *link; link = &(*link)->next) {
    struct ww_arena_block *block = *link;
    if (block->cap < n)
      continue;
    if (current && current->next != block) {
      *link = block->next;
      block->next = current->next;
      current->next = block;
    }
    arena->current = block;
    return true;
  }
  size_t cap = current ? current->cap : ARENA_FIRST_BLOCK / 2;
  if (cap < ARENA_DOUBLE_UP_TO)
    cap *= 2;
  if (cap < n)
    cap = n;
  if (cap > SIZE_MAX - sizeof(struct ww_arena_block))
    return false;
  struct ww_arena_block *block = malloc(sizeof(*block) + cap);
  if (!block)
    return false;
  block->cap = cap;
  block->used = 0;
  ww_asan_poison(block->data, cap);
  struct ww_arena_block **link = current ? &current->next : &arena->first;
  block->next = *link;
  *link = block;
  arena->current = block;
  return true;
}

void *ww_arena_alloc(struct ww_arena *arena, size_t size) {
  if (size > PTRDIFF_MAX)
    return NULL;
  /* A zero-sized object still gets an address of its own. */
  size_t n = ((size ? size : 1) + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
  if (arena->limit && (arena->used > arena->limit || arena->limit - arena->used < n))
    return NULL;
  if ((!arena->current || arena->current->cap - arena->current->used < n) && !next_block(arena, n))
    return NULL;
  struct ww_arena_block *block = arena->current;
  uint8_t *p = block->data + block->used;
  block->used += n;
  arena->used += n;
  ww_asan_unpoison(p, size);
  return p;
}

void *ww_arena_copy(struct ww_arena *arena, const void *data, size_t size) {
  void *p = ww_arena_alloc(arena, size);
  if (p && size)
    memcpy(p, data, size);
  return p;
}
