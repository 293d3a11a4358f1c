/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ASPAs and router keys of a snapshot.
 *
 * A table is a fan of 256 blocks: a record belongs to the block that a hash of its AS number names (an ASPA's customer,
 * a router key's AS). A block is one allocation that is never written to again: entries by record and source, what they
 * borrow (providers, keys), and for ASPAs an open-addressing index from customer to merged provider list. Tables share
 * blocks by reference count. Applying a delta copies the blocks that its records fall into and takes the others as they
 * are, so that one changed ASPA among 100,000 costs some 400 copied entries; a whole set costs each block once.
 *
 * Steps upon one record are taken in the order withdraw, announce, refresh, as everywhere in a snapshot. Records are
 * held per source: identity here is (record, source).
 *
 * The merged list of a customer is the union over its sources. An AS 0 among providers is left out of it, because no AS
 * of a path is AS 0; that is also the rule for sources that disagree: where one source says AS 0 only and another one
 * lists providers, those stand.
 *
 * Clauses: draft-ietf-sidrops-8210bis-26 §5.12 (announce replaces; union), §10 (several caches).
 */
#include "validator/record_table.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

static int compare_aspas(const void *a, const void *b) {
  const struct ww_aspa *x = (const struct ww_aspa *)a, *y = (const struct ww_aspa *)b;
  return (x->customer > y->customer) - (x->customer < y->customer);
}

static int compare_keys(const void *a, const void *b) {
  return ww_router_key_compare((const struct ww_router_key *)a, (const struct ww_router_key *)b);
}

const struct ww_record_kind ww_record_aspas = {.record_size = sizeof(struct ww_aspa),
                                               .entry_size = sizeof(struct ww_aspa_entry),
                                               .source_at = offsetof(struct ww_aspa_entry, source),
                                               .expires_at = offsetof(struct ww_aspa, expires),
                                               .blob_at = offsetof(struct ww_aspa, providers),
                                               .blob_count_at = offsetof(struct ww_aspa, provider_count),
                                               .blob_unit = sizeof(uint32_t),
                                               .compare = compare_aspas,
                                               .indexed = true};
const struct ww_record_kind ww_record_keys = {.record_size = sizeof(struct ww_router_key),
                                              .entry_size = sizeof(struct ww_key_entry),
                                              .source_at = offsetof(struct ww_key_entry, source),
                                              .expires_at = offsetof(struct ww_router_key, expires),
                                              .blob_at = offsetof(struct ww_router_key, spki),
                                              .blob_count_at = offsetof(struct ww_router_key, spki_len),
                                              .blob_unit = 1,
                                              .compare = compare_keys};

_Static_assert(offsetof(struct ww_aspa_entry, aspa) == 0 && offsetof(struct ww_key_entry, key) == 0 &&
                   offsetof(struct ww_aspa, customer) == 0 && offsetof(struct ww_router_key, asn) == 0,
               "entries begin with their record, and records with their AS number");

/* --- parts of records ------------------------------------------------------------------------------------------- */

static uint32_t number_of(const void *record) {
  uint32_t asn;
  memcpy(&asn, record, sizeof asn);
  return asn;
}

static ww_source_id source_of(const struct ww_record_kind *kind, const char *entry) {
  ww_source_id source;
  memcpy(&source, entry + kind->source_at, sizeof source);
  return source;
}

static size_t blob_len(const struct ww_record_kind *kind, const char *record) {
  uint32_t count;
  memcpy(&count, record + kind->blob_count_at, sizeof count);
  return count * kind->blob_unit;
}

/* --- the index of a block of ASPAs ------------------------------------------------------------------------------- */

static const struct ww_aspa_entry *aspa_at(const struct ww_record_block *block, uint32_t i) {
  return (const struct ww_aspa_entry *)(const void *)block->entries + i;
}

/* How many entries from `i` on are of one customer. */
static uint32_t customer_run(const struct ww_aspa_entry *entries, uint32_t count, uint32_t i) {
  uint32_t end = i + 1;
  while (end < count && entries[end].aspa.customer == entries[i].aspa.customer)
    end++;
  return end - i;
}

/* Adds `list` to the ascending set out[0..count); room for both is there. Returns the new count. */
static uint32_t unite(uint32_t *out, uint32_t count, const uint32_t *list, uint32_t list_count) {
  if (count == list_count && (count == 0 || memcmp(out, list, count * sizeof *list) == 0))
    return count; /* sources mostly agree */
  /* From the back: what is still to be placed always fits below `to`. */
  uint32_t total = count + list_count, to = total, a = count, b = list_count;
  while (b > 0) {
    uint32_t value = a > 0 && out[a - 1] >= list[b - 1] ? out[a - 1] : list[b - 1];
    a -= a > 0 && out[a - 1] == value;
    b -= list[b - 1] == value;
    out[--to] = value;
  }
  /* out[a..to) is the gap that equal values left. */
  memmove(out + a, out + to, (total - to) * sizeof *out);
  return a + total - to;
}

/* Fills the slot of one customer; merged lists that no source has as they are go to *words. */
static void fill_slot(struct ww_record_block *block, struct ww_aspa_slot *slot, uint32_t first, uint32_t run,
                      uint32_t **words) {
  const struct ww_aspa_entry *entries = aspa_at(block, first);
  const uint32_t *list = entries[0].aspa.providers;
  uint32_t count = entries[0].aspa.provider_count;
  if (run > 1) {
    uint32_t *merged = *words;
    count = 0;
    for (uint32_t i = 0; i < run; i++)
      count = unite(merged, count, entries[i].aspa.providers, entries[i].aspa.provider_count);
    *words += count;
    list = merged;
  }
  if (count > 0 &&
      list[0] == 0) { /* draft-ietf-sidrops-8210bis-26 §10: AS 0 yields to providers; alone it authorises nobody. */
    list++;
    count--;
  }
  *slot = (struct ww_aspa_slot){.customer = entries[0].aspa.customer,
                                .count = count,
                                .entry = first,
                                .source = entries[0].source,
                                .single = run == 1 && count == entries[0].aspa.provider_count,
                                .expires = entries[0].aspa.expires};
  if (count > WW_ASPA_INLINE)
    slot->providers[0] = (uint32_t)(list - (const uint32_t *)(const void *)block->slots);
  else if (count > 0)
    memcpy(slot->providers, list, count * sizeof *list);
}

static void fill_index(struct ww_record_block *block, uint32_t *words) {
  for (uint32_t i = 0; i < block->slot_count; i++)
    block->slots[i] = (struct ww_aspa_slot){.count = WW_ASPA_SLOT_EMPTY};
  for (uint32_t i = 0, run; i < block->count; i += run) {
    run = customer_run(aspa_at(block, 0), block->count, i);
    uint32_t at = ww_record_slot_of(ww_record_hash(aspa_at(block, i)->aspa.customer), block->slot_count);
    while (block->slots[at].count != WW_ASPA_SLOT_EMPTY)
      at = at + 1 == block->slot_count ? 0 : at + 1;
    fill_slot(block, &block->slots[at], i, run, &words);
  }
}

/* How many slots the customers of these entries get, and how many words their merged lists take at most while they are
 * being merged. */
static uint32_t size_index(const struct ww_aspa_entry *entries, uint32_t count, size_t *words) {
  uint32_t customers = 0;
  *words = 0;
  for (uint32_t i = 0, run; i < count; i += run) {
    run = customer_run(entries, count, i);
    customers++;
    for (uint32_t k = 0; run > 1 && k < run; k++)
      *words += entries[i + k].aspa.provider_count;
  }
  return customers + customers / 2 + 1;
}

/* --- blocks ----------------------------------------------------------------------------------------------------- */

static void block_unref(struct ww_record_block *block) {
  if (block && atomic_fetch_sub_explicit(&block->refs, 1, memory_order_acq_rel) == 1)
    free(block);
}

/* Owns copies of what the entries borrow. *out is NULL for no entries. */
static enum ww_err block_new(const struct ww_record_kind *kind, const char *entries, uint32_t count,
                             struct ww_record_block **out) {
  enum { ALIGN = 64 };
  *out = NULL;
  if (count == 0)
    return WW_OK;
  size_t words = 0, blobs = 0, head = (sizeof(struct ww_record_block) + ALIGN - 1) / ALIGN * ALIGN;
  uint32_t slot_count = 0;
  if (kind->indexed)
    slot_count = size_index((const struct ww_aspa_entry *)(const void *)entries, count, &words);
  for (uint32_t i = 0; i < count; i++)
    blobs += blob_len(kind, entries + i * kind->entry_size);
  size_t entries_at = head + slot_count * sizeof(struct ww_aspa_slot);
  size_t words_at = entries_at + count * kind->entry_size;
  size_t bytes = (words_at + words * sizeof(uint32_t) + blobs + ALIGN - 1) / ALIGN * ALIGN;
  char *memory = (char *)aligned_alloc(ALIGN, bytes);
  if (!memory)
    return WW_ERR_NOMEM;
  struct ww_record_block *block = (struct ww_record_block *)(void *)memory;
  *block = (struct ww_record_block){.count = count, .slot_count = slot_count, .bytes = bytes};
  atomic_init(&block->refs, 1);
  block->slots = slot_count ? (struct ww_aspa_slot *)(void *)(memory + head) : NULL;
  block->entries = memory + entries_at;
  memcpy(block->entries, entries, count * kind->entry_size);
  char *blob = memory + words_at + words * sizeof(uint32_t);
  for (uint32_t i = 0; i < count; i++) {
    char *entry = block->entries + i * kind->entry_size;
    size_t len = blob_len(kind, entry);
    const void *from;
    memcpy(&from, entry + kind->blob_at, sizeof from);
    if (len)
      memcpy(blob, from, len);
    memcpy(entry + kind->blob_at, &blob, sizeof blob);
    blob += len;
  }
  if (kind->indexed)
    fill_index(block, (uint32_t *)(void *)(memory + words_at));
  *out = block;
  return WW_OK;
}

/* --- applying a delta ------------------------------------------------------------------------------------------- */

/* The records of one part by the block that they fall into; inside a block the part's order stays. */
struct sorted_part {
  const char *records;
  uint32_t *order; /* numbers of records */
  uint32_t start[WW_RECORD_FAN + 1];
};

static const char *part_at(const struct ww_record_kind *kind, const struct sorted_part *part, uint32_t i) {
  return part->records + part->order[i] * kind->record_size;
}

static void sort_part(const struct ww_record_kind *kind, const struct ww_record_part *from, uint32_t *order,
                      struct sorted_part *part) {
  uint32_t at[WW_RECORD_FAN];
  *part = (struct sorted_part){.records = (const char *)from->records, .order = order};
  for (size_t i = 0; i < from->count; i++)
    part->start[ww_record_block_of(ww_record_hash(number_of(part->records + i * kind->record_size))) + 1]++;
  for (unsigned b = 0; b < WW_RECORD_FAN; b++) {
    part->start[b + 1] += part->start[b];
    at[b] = part->start[b];
  }
  for (size_t i = 0; i < from->count; i++)
    order[at[ww_record_block_of(ww_record_hash(number_of(part->records + i * kind->record_size)))]++] = (uint32_t)i;
}

/* Whether the part has this record; *at moves on, records are asked about in order. */
static const char *part_find(const struct ww_record_kind *kind, const struct sorted_part *part, uint32_t end,
                             uint32_t *at, const char *record) {
  for (; *at < end; ++*at) {
    int order = kind->compare(part_at(kind, part, *at), record);
    if (order >= 0)
      return order == 0 ? part_at(kind, part, *at) : NULL;
  }
  return NULL;
}

enum { ANNOUNCE, WITHDRAW, REFRESH, PARTS };

/* Merges one block with what the delta has for it into `entries`, where there is room. Returns how many there are. */
static uint32_t merge_block(const struct ww_record_kind *kind, const struct ww_record_block *old,
                            const struct sorted_part parts[PARTS], unsigned b, ww_source_id source, char *entries) {
  uint32_t at[PARTS], end[PARTS], o = 0, count = 0, old_count = old ? old->count : 0;
  for (int i = 0; i < PARTS; i++) {
    at[i] = parts[i].start[b];
    end[i] = parts[i].start[b + 1];
  }
  while (o < old_count || at[ANNOUNCE] < end[ANNOUNCE]) {
    char *entry = entries + count * kind->entry_size;
    const char *held = o < old_count ? old->entries + o * kind->entry_size : NULL;
    const char *announced = at[ANNOUNCE] < end[ANNOUNCE] ? part_at(kind, &parts[ANNOUNCE], at[ANNOUNCE]) : NULL;
    int order = !held ? 1 : !announced ? -1 : kind->compare(held, announced);
    if (order == 0)
      order = (int)source_of(kind, held) - (int)source;
    if (order < 0) {
      memcpy(entry, held, kind->entry_size);
    } else {
      assert(announced); /* order < 0 when there is none */
      memset(entry, 0, kind->entry_size);
      memcpy(entry, announced, kind->record_size);
      memcpy(entry + kind->source_at, &source, sizeof source);
      at[ANNOUNCE]++;
    }
    o += order <= 0;
    if (source_of(kind, entry) == source) {
      if (order < 0 && part_find(kind, &parts[WITHDRAW], end[WITHDRAW], &at[WITHDRAW], entry))
        continue;
      const char *moved = part_find(kind, &parts[REFRESH], end[REFRESH], &at[REFRESH], entry);
      if (moved)
        memcpy(entry + kind->expires_at, moved + kind->expires_at, sizeof(ww_unix_time));
    }
    count++;
  }
  return count;
}

static void set_block(struct ww_record_table *table, unsigned b, struct ww_record_block *block) {
  table->fan[b].block = block;
  if (block) {
    table->fan[b].slots = block->slots;
    table->fan[b].slot_count = block->slot_count;
    table->count += block->count;
    table->bytes += block->bytes;
  }
}

/* Every block of `table` that the delta leaves alone is the old one's, every other is new. */
static enum ww_err fill_table(const struct ww_record_kind *kind, const struct ww_record_table *old,
                              const struct sorted_part parts[PARTS], ww_source_id source,
                              struct ww_record_table *table) {
  char *entries = NULL;
  size_t room = 0;
  enum ww_err err = WW_OK;
  for (unsigned b = 0; b < WW_RECORD_FAN && err == WW_OK; b++) {
    struct ww_record_block *block = old ? old->fan[b].block : NULL;
    size_t touched = 0;
    for (int i = 0; i < PARTS; i++)
      touched += parts[i].start[b + 1] - parts[i].start[b];
    if (touched == 0) {
      if (block)
        atomic_fetch_add_explicit(&block->refs, 1, memory_order_relaxed);
      set_block(table, b, block);
      continue;
    }
    size_t need = (block ? block->count : 0) + (parts[ANNOUNCE].start[b + 1] - parts[ANNOUNCE].start[b]);
    if (need > room) {
      free(entries);
      room = need + need / 4;
      entries = (char *)malloc(room * kind->entry_size);
    }
    if (need > 0 && !entries) {
      err = WW_ERR_NOMEM;
      break;
    }
    uint32_t count = need ? merge_block(kind, block, parts, b, source, entries) : 0;
    struct ww_record_block *made;
    err = block_new(kind, entries, count, &made);
    set_block(table, b, made);
  }
  free(entries);
  return err;
}

enum ww_err ww_record_table_apply(const struct ww_record_kind *kind, struct ww_record_table *old, ww_source_id source,
                                  const struct ww_record_part *announce, const struct ww_record_part *withdraw,
                                  const struct ww_record_part *refresh, struct ww_record_table **out) {
  *out = NULL;
  size_t total = announce->count + withdraw->count + refresh->count;
  if (total == 0) {
    if (old)
      atomic_fetch_add_explicit(&old->refs, 1, memory_order_relaxed);
    *out = old;
    return WW_OK;
  }
  struct ww_record_table *table = (struct ww_record_table *)calloc(1, sizeof *table);
  struct sorted_part *parts = (struct sorted_part *)calloc(PARTS, sizeof *parts);
  uint32_t *order = (uint32_t *)calloc(total, sizeof *order);
  enum ww_err err = table && parts && order ? WW_OK : WW_ERR_NOMEM;
  if (table)
    atomic_init(&table->refs, 1);
  if (!err) {
    table->bytes = sizeof *table;
    sort_part(kind, announce, order, &parts[ANNOUNCE]);
    sort_part(kind, withdraw, order + announce->count, &parts[WITHDRAW]);
    sort_part(kind, refresh, order + announce->count + withdraw->count, &parts[REFRESH]);
    err = fill_table(kind, old, parts, source, table);
  }
  free(order);
  free(parts);
  if (!err && table->count > 0)
    *out = table;
  else
    ww_record_table_unref(table);
  return err;
}

void ww_record_table_unref(struct ww_record_table *table) {
  if (!table || atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) != 1)
    return;
  for (unsigned b = 0; b < WW_RECORD_FAN; b++)
    block_unref(table->fan[b].block);
  free(table);
}

/* --- walking ---------------------------------------------------------------------------------------------------- */

/* A heap of blocks by the entry that is next in each: the records of a block are in order, and of the table they are to
 * be. No record is in two blocks. */
struct walk {
  const struct ww_record_kind *kind;
  const struct ww_record_table *table;
  uint32_t at[WW_RECORD_FAN];
  uint8_t heap[WW_RECORD_FAN];
  unsigned heap_count;
};

static const char *walk_entry(const struct walk *w, uint8_t b) {
  return w->table->fan[b].block->entries + w->at[b] * w->kind->entry_size;
}

static void sift_down(struct walk *w, unsigned i) {
  uint8_t moving = w->heap[i];
  for (unsigned child; (child = 2 * i + 1) < w->heap_count; i = child) {
    if (child + 1 < w->heap_count &&
        w->kind->compare(walk_entry(w, w->heap[child + 1]), walk_entry(w, w->heap[child])) < 0)
      child++;
    if (w->kind->compare(walk_entry(w, moving), walk_entry(w, w->heap[child])) <= 0)
      break;
    w->heap[i] = w->heap[child];
  }
  w->heap[i] = moving;
}

int ww_record_table_walk(const struct ww_record_kind *kind, const struct ww_record_table *table, void *ctx,
                         int (*visit)(void *ctx, const void *entry)) {
  struct walk w = {.kind = kind, .table = table};
  if (!table)
    return 0;
  for (unsigned b = 0; b < WW_RECORD_FAN; b++)
    if (table->fan[b].block)
      w.heap[w.heap_count++] = (uint8_t)b;
  for (unsigned i = w.heap_count / 2; i-- > 0;)
    sift_down(&w, i);
  while (w.heap_count > 0) {
    uint8_t b = w.heap[0];
    int stop = visit(ctx, walk_entry(&w, b));
    if (stop)
      return stop;
    if (++w.at[b] == table->fan[b].block->count)
      w.heap[0] = w.heap[--w.heap_count];
    if (w.heap_count > 0)
      sift_down(&w, 0);
  }
  return 0;
}
