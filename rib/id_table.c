/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linear probing with backward-shift deletion: no tombstones, so a table under churn never degrades.
 *
 * Invariant: between a slot's home (hash modulo cap) and the slot itself no slot is empty. The hash must be keyed where
 * a peer chooses what is hashed (base/hash.h): probing is linear in the longest run.
 */
#include "rib/id_table.h"

#include <stdlib.h>

enum { ID_TABLE_MIN = 16 };

void ww_id_table_fini(struct ww_id_table *table) {
  free(table->slots);
  *table = (struct ww_id_table){0};
}

uint32_t ww_id_table_find(const struct ww_id_table *table, uint32_t hash, bool (*same)(const void *ctx, uint32_t id),
                          const void *ctx) {
  if (!table->count)
    return 0;
  size_t mask = table->cap - 1;
  for (size_t i = hash & mask; table->slots[i].id; i = (i + 1) & mask)
    if (table->slots[i].hash == hash && same(ctx, table->slots[i].id))
      return table->slots[i].id;
  return 0;
}

static void place(struct ww_id_slot *slots, size_t mask, struct ww_id_slot slot) {
  size_t i = slot.hash & mask;
  while (slots[i].id)
    i = (i + 1) & mask;
  slots[i] = slot;
}

enum ww_err ww_id_table_add(struct ww_id_table *table, uint32_t hash, uint32_t id) {
  if (table->count + 1 > table->cap / 4 * 3) {
    size_t cap = table->cap ? table->cap * 2 : ID_TABLE_MIN;
    struct ww_id_slot *slots = calloc(cap, sizeof *slots);
    if (!slots)
      return WW_ERR_NOMEM;
    for (size_t i = 0; i < table->cap; i++)
      if (table->slots[i].id)
        place(slots, cap - 1, table->slots[i]);
    free(table->slots);
    table->slots = slots;
    table->cap = cap;
  }
  place(table->slots, table->cap - 1, (struct ww_id_slot){.hash = hash, .id = id});
  table->count++;
  return WW_OK;
}

void ww_id_table_remove(struct ww_id_table *table, uint32_t hash, uint32_t id) {
  size_t mask = table->cap - 1, hole = hash & mask;
  while (table->slots[hole].id != id)
    hole = (hole + 1) & mask;
  /* Pull back whatever may stand nearer to its home, until the run ends. */
  for (size_t i = (hole + 1) & mask; table->slots[i].id; i = (i + 1) & mask) {
    size_t home = table->slots[i].hash & mask;
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      table->slots[hole] = table->slots[i];
      hole = i;
    }
  }
  table->slots[hole] = (struct ww_id_slot){0};
  table->count--;
}
