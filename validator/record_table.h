/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ASPAs and router keys of a snapshot: an immutable table that is made from its predecessor and a delta. The essay is
 * in record_table.c.
 */
#ifndef WW_VALIDATOR_RECORD_TABLE_H
#define WW_VALIDATOR_RECORD_TABLE_H

#include <stdatomic.h>
#include <string.h>

#include <waywarden/payload.h>

enum { WW_RECORD_FAN = 256 };

struct ww_aspa_entry {
  struct ww_aspa aspa; /* providers lie in the same block */
  ww_source_id source;
};

struct ww_key_entry {
  struct ww_router_key key; /* spki lies in the same block */
  ww_source_id source;
};

/*
 * What all sources together say of one customer, one cache line. `count` WW_ASPA_SLOT_EMPTY: nobody. AS 0 is not among
 * the providers: it authorises nobody, so a customer that has only AS 0 has a slot without providers. Up to
 * WW_ASPA_INLINE providers are in the slot, zeroes after them; of more the slot has the place: 4-octet words from the
 * first slot of the block on. Where one source alone has the customer, the slot has the rest of its record too.
 */
enum { WW_ASPA_INLINE = 10, WW_ASPA_SLOT_EMPTY = 0x7fffffff };
struct ww_aspa_slot {
  uint32_t customer;
  uint32_t count;
  uint32_t entry; /* the first of its records among the block's entries */
  ww_source_id source;
  bool single; /* there is one record, and its providers are those of the slot */
  ww_unix_time expires;
  uint32_t providers[WW_ASPA_INLINE];
};
_Static_assert(sizeof(struct ww_aspa_slot) == 64, "a slot is a cache line");

struct ww_record_block {
  _Atomic uint32_t refs;
  uint32_t count; /* of entries */
  uint32_t slot_count;
  size_t bytes;
  struct ww_aspa_slot *slots; /* in the same allocation, likewise entries; NULL for router keys */
  char *entries;              /* by record, source */
};

struct ww_record_table {
  _Atomic uint32_t refs;
  size_t count, bytes;
  struct {
    struct ww_record_block *block; /* NULL: no record falls here */
    const struct ww_aspa_slot *slots;
    uint32_t slot_count;
  } fan[WW_RECORD_FAN];
};

/* Where a record's parts lie, so that one code serves both kinds. The AS number that it is found by stands first. */
struct ww_record_kind {
  size_t record_size, entry_size;
  size_t source_at, expires_at, blob_at, blob_count_at, blob_unit;
  int (*compare)(const void *a, const void *b); /* records; entries begin with one */
  bool indexed;
};
extern const struct ww_record_kind ww_record_aspas, ww_record_keys;

/* One part of a delta: records in order, without duplicates. */
struct ww_record_part {
  const void *records;
  size_t count;
};

/* `old` and *out may be NULL: an empty table. *out is a new reference. */
enum ww_err ww_record_table_apply(const struct ww_record_kind *kind, struct ww_record_table *old, ww_source_id source,
                                  const struct ww_record_part *announce, const struct ww_record_part *withdraw,
                                  const struct ww_record_part *refresh, struct ww_record_table **out) WW_MUST_USE;
void ww_record_table_unref(struct ww_record_table *table);
/* Every entry in order; a non-zero return of `visit` ends it and is returned. */
int ww_record_table_walk(const struct ww_record_kind *kind, const struct ww_record_table *table, void *ctx,
                         int (*visit)(void *ctx, const void *entry));

/* The product's high bits choose the block, those below it the slot. AS numbers are handed out, not chosen, so that no
 * secret is needed. */
static inline uint64_t ww_record_hash(uint32_t asn) { return asn * UINT64_C(0x9e3779b97f4a7c15); }
static inline unsigned ww_record_block_of(uint64_t hash) { return (unsigned)(hash >> 56); }
static inline uint32_t ww_record_slot_of(uint64_t hash, uint32_t slot_count) {
  return (uint32_t)(((hash >> 24 & UINT32_MAX) * slot_count) >> 32);
}

static inline const uint32_t *ww_aspa_slot_providers(const struct ww_aspa_slot *slots,
                                                     const struct ww_aspa_slot *slot) {
  return slot->count <= WW_ASPA_INLINE ? slot->providers : (const uint32_t *)slots + slot->providers[0];
}

/* The block that a customer's records are in, if it has any. */
static inline const struct ww_record_block *ww_aspa_block_of(const struct ww_record_table *table, uint32_t customer) {
  return table->fan[ww_record_block_of(ww_record_hash(customer))].block;
}
static inline const struct ww_aspa_entry *ww_aspa_block_entries(const struct ww_record_block *block) {
  return (const struct ww_aspa_entry *)(const void *)block->entries;
}

/* NULL: nobody says anything of this customer. `table` may be NULL. *first is the block's first slot. */
static inline const struct ww_aspa_slot *ww_aspa_slot_find(const struct ww_record_table *table, uint32_t customer,
                                                           const struct ww_aspa_slot **first) {
  if (!table)
    return NULL;
  uint64_t hash = ww_record_hash(customer);
  unsigned b = ww_record_block_of(hash);
  const struct ww_aspa_slot *slots = table->fan[b].slots;
  uint32_t slot_count = table->fan[b].slot_count;
  if (!slots)
    return NULL;
  *first = slots;
  for (uint32_t i = ww_record_slot_of(hash, slot_count);;) {
    if (slots[i].customer == customer && slots[i].count != WW_ASPA_SLOT_EMPTY)
      return &slots[i];
    if (slots[i].count == WW_ASPA_SLOT_EMPTY) /* a third of the slots are */
      return NULL;
    i = i + 1 == slot_count ? 0 : i + 1;
  }
}

static inline void ww_aspa_slot_prefetch(const struct ww_record_table *table, uint32_t customer) {
  uint64_t hash = ww_record_hash(customer);
  unsigned b = ww_record_block_of(hash);
  if (table->fan[b].slots)
    __builtin_prefetch(&table->fan[b].slots[ww_record_slot_of(hash, table->fan[b].slot_count)]);
}

static inline bool ww_aspa_slot_has(const struct ww_aspa_slot *slots, const struct ww_aspa_slot *slot,
                                    uint32_t provider) {
  enum { SCAN_MAX = 16 };
  const uint32_t *providers = slot->providers;
  uint32_t count = slot->count;
  if (count <= WW_ASPA_INLINE) { /* without a branch for each: how many there are is hard to foretell */
    uint32_t found = 0;
    for (uint32_t i = 0; i < 8; i++)
      found |= (uint32_t)(providers[i] == provider);
    for (uint32_t i = 8; i < WW_ASPA_INLINE; i++)
      found |= (uint32_t)(providers[i] == provider);
    return found && provider != 0;
  }
  providers = ww_aspa_slot_providers(slots, slot);
  while (count > SCAN_MAX) { /* halves until few are left */
    uint32_t half = count / 2;
    if (providers[half] <= provider) {
      providers += half;
      count -= half;
    } else {
      count = half;
    }
  }
  for (uint32_t i = 0; i < count; i++)
    if (providers[i] == provider)
      return true;
  return false;
}

#endif
