/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An open-addressed index of ids by a hash that the caller computes. Eight octets a slot, at most three quarters full;
 * the things themselves live in slabs or arrays, and the caller compares them.
 */
#ifndef WW_RIB_ID_TABLE_H
#define WW_RIB_ID_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <waywarden/error.h>

struct ww_id_slot {
  uint32_t hash, id; /* id 0: empty */
};

/* Zero-initialise, then use. */
struct ww_id_table {
  struct ww_id_slot *slots;
  size_t cap, count; /* cap: 0 or a power of two */
};

void ww_id_table_fini(struct ww_id_table *table);
/* The id whose thing `same` accepts, or 0. */
uint32_t ww_id_table_find(const struct ww_id_table *table, uint32_t hash, bool (*same)(const void *ctx, uint32_t id),
                          const void *ctx);
/* `id` must not be in the table. */
enum ww_err ww_id_table_add(struct ww_id_table *table, uint32_t hash, uint32_t id) WW_MUST_USE;
/* `id` must be in the table under `hash`. */
void ww_id_table_remove(struct ww_id_table *table, uint32_t hash, uint32_t id);

#endif
