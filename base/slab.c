/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chunks of 4096 objects that never move; the id is the chunk's number and the place in it. Slot 0 of chunk 0 is left
 * unused so that id 0 can mean "none". A free slot holds the id of the next free one in its first four octets.
 */
#include "base/slab.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/asan.h"

enum { SLAB_CHUNK_OBJECTS = 1 << WW_SLAB_CHUNK_SHIFT };

void ww_slab_init(struct ww_slab *slab, size_t object_size) {
  assert(object_size >= 4 && object_size % 4 == 0);
  *slab = (struct ww_slab){.object_size = object_size, .next = 1};
}

void ww_slab_fini(struct ww_slab *slab) {
  for (size_t i = 0; i < slab->chunk_count; i++) {
    ww_asan_unpoison(slab->chunks[i], SLAB_CHUNK_OBJECTS * slab->object_size);
    free(slab->chunks[i]);
  }
  free(slab->chunks);
  ww_slab_init(slab, slab->object_size);
}

/* Appends one chunk. False when memory ran out. */
static int add_chunk(struct ww_slab *slab) {
  if (slab->chunk_count == slab->chunk_cap) {
    size_t cap = slab->chunk_cap ? slab->chunk_cap * 2 : 16;
    uint8_t **chunks = realloc(slab->chunks, cap * sizeof(*chunks));
    if (!chunks)
      return 0;
    slab->chunks = chunks;
    slab->chunk_cap = cap;
  }
  if (slab->object_size > SIZE_MAX / SLAB_CHUNK_OBJECTS)
    return 0;
  uint8_t *chunk = malloc(SLAB_CHUNK_OBJECTS * slab->object_size);
  if (!chunk)
    return 0;
  ww_asan_poison(chunk, SLAB_CHUNK_OBJECTS * slab->object_size);
  slab->chunks[slab->chunk_count++] = chunk;
  return 1;
}

uint32_t ww_slab_alloc(struct ww_slab *slab) {
  uint32_t id = slab->free_head;
  if (id) {
    void *object = ww_slab_at(slab, id);
    ww_asan_unpoison(object, slab->object_size);
    memcpy(&slab->free_head, object, sizeof(slab->free_head));
  } else {
    if (slab->next == UINT32_MAX)
      return 0;
    if (slab->next >> WW_SLAB_CHUNK_SHIFT >= slab->chunk_count && !add_chunk(slab))
      return 0;
    id = slab->next++;
    ww_asan_unpoison(ww_slab_at(slab, id), slab->object_size);
  }
  memset(ww_slab_at(slab, id), 0, slab->object_size);
  slab->live++;
  return id;
}

void ww_slab_free(struct ww_slab *slab, uint32_t id) {
  if (!id)
    return;
  void *object = ww_slab_at(slab, id);
  memcpy(object, &slab->free_head, sizeof(slab->free_head));
  ww_asan_poison(object, slab->object_size);
  slab->free_head = id;
  slab->live--;
}

size_t ww_slab_bytes(const struct ww_slab *slab) {
  return slab->chunk_count * SLAB_CHUNK_OBJECTS * slab->object_size + slab->chunk_cap * sizeof(*slab->chunks);
}
