/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ordered map from the prefixes of one family to 32-bit values (0 is "none"). The order (address, then length) puts
 * everything that a prefix covers right behind it, so that "covered by P" is one range scan.
 */
#ifndef WW_RIB_PREFIX_TABLE_H
#define WW_RIB_PREFIX_TABLE_H

#include <stddef.h>
#include <waywarden/prefix.h>

struct ww_prefix_table;

struct ww_prefix_table *ww_prefix_table_new(uint8_t afi); /* NULL when memory ran out */
void ww_prefix_table_free(struct ww_prefix_table *table);

/* The prefix's value, or 0. */
uint32_t ww_prefix_table_find(const struct ww_prefix_table *table, const struct ww_prefix *prefix);
/* Where the prefix's value stands, entered as 0 if it was not there; the caller must then store another value or remove
 * the prefix. Valid until the table changes. NULL when memory ran out (nothing was entered). */
uint32_t *ww_prefix_table_enter(struct ww_prefix_table *table, const struct ww_prefix *prefix);
void ww_prefix_table_clear(struct ww_prefix_table *table);
/* True when it was there. */
bool ww_prefix_table_remove(struct ww_prefix_table *table, const struct ww_prefix *prefix);

struct ww_prefix_entry {
  struct ww_prefix prefix;
  uint32_t value;
};
/* The first `cap` entries from `from` to `to`, both included, in order. Bounds need not be canonical: {P, len + 1} is
 * the place just behind P, and {last address of P, all bits} the end of what P covers. */
size_t ww_prefix_table_scan(const struct ww_prefix_table *table, const struct ww_prefix *from,
                            const struct ww_prefix *to, struct ww_prefix_entry *out, size_t cap);

size_t ww_prefix_table_count(const struct ww_prefix_table *table);
size_t ww_prefix_table_bytes(const struct ww_prefix_table *table);

#endif
