/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long-lived objects of one size, named by 32-bit ids: half the space of pointers, stable while the slab grows, and
 * the count of octets held is exact. Id 0 is never given out. Freed slots are reused last-in first-out.
 */
#ifndef WW_BASE_SLAB_H
#define WW_BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

enum { WW_SLAB_CHUNK_SHIFT = 12 }; /* objects in a chunk: 4096 */

struct ww_slab {
  uint8_t **chunks;
  size_t chunk_count, chunk_cap;
  size_t object_size; /* multiple of 4, >= 4 */
  uint32_t next;      /* first id never used */
  uint32_t free_head; /* 0: none */
  size_t live;
};

void ww_slab_init(struct ww_slab *slab, size_t object_size);
void ww_slab_fini(struct ww_slab *slab);
uint32_t ww_slab_alloc(struct ww_slab *slab); /* zeroed object; 0 when memory ran out */
void ww_slab_free(struct ww_slab *slab, uint32_t id);
size_t ww_slab_bytes(const struct ww_slab *slab);

static inline void *ww_slab_at(const struct ww_slab *slab, uint32_t id) {
  return slab->chunks[id >> WW_SLAB_CHUNK_SHIFT] + (size_t)(id & ((1u << WW_SLAB_CHUNK_SHIFT) - 1)) * slab->object_size;
}

#endif
