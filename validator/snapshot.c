/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Snapshots: the effective payload set, immutable and numbered.
 *
 * A snapshot holds one tree of VRPs for each family (vrp_tree.c) and one table each of ASPAs and router keys. All four
 * are immutable and shared by reference count, so a new snapshot costs what its delta touches: the VRP blocks with a
 * changed record, and a whole table only when one of its records changes (these are small). Readers hold a reference to
 * the snapshot for as long as they like, on any thread; what only old snapshots use goes away with the last of them.
 *
 * Records are held per source. A delta names its source, and speaks only of that source's records: identity here is
 * (record, source). Steps upon one record are taken in the order withdraw, announce, refresh.
 */
#include "validator/snapshot_private.h"

#include <assert.h>
#include <stdlib.h>

/* --- ASPAs ------------------------------------------------------------------------------------------------------ */

struct aspa_entry {
  struct ww_aspa aspa; /* providers lie behind the entries of the same table */
  ww_source_id source;
};

struct ww_aspa_table {
  _Atomic uint32_t refs;
  size_t count, bytes;
  struct aspa_entry entries[]; /* by customer, source */
};

static struct ww_aspa_table *aspa_table_ref(struct ww_aspa_table *table) {
  if (table)
    atomic_fetch_add_explicit(&table->refs, 1, memory_order_relaxed);
  return table;
}

static void aspa_table_unref(struct ww_aspa_table *table) {
  if (table && atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) == 1)
    free(table);
}

/* Owns copies of the providers that `entries` borrow. NULL with *err untouched for no entries. */
static enum ww_err aspa_table_new(const struct aspa_entry *entries, size_t count, struct ww_aspa_table **out) {
  *out = NULL;
  if (count == 0)
    return WW_OK;
  size_t providers = 0;
  for (size_t i = 0; i < count; i++)
    providers += entries[i].aspa.provider_count;
  size_t bytes = sizeof(struct ww_aspa_table) + count * sizeof entries[0] + providers * sizeof(uint32_t);
  struct ww_aspa_table *table = (struct ww_aspa_table *)malloc(bytes);
  if (!table)
    return WW_ERR_NOMEM;
  atomic_init(&table->refs, 1);
  table->count = count;
  table->bytes = bytes;
  uint32_t *pool = (uint32_t *)(void *)&table->entries[count];
  for (size_t i = 0; i < count; i++) {
    table->entries[i] = entries[i];
    table->entries[i].aspa.providers = pool;
    if (entries[i].aspa.provider_count)
      memcpy(pool, entries[i].aspa.providers, entries[i].aspa.provider_count * sizeof *pool);
    pool += entries[i].aspa.provider_count;
  }
  *out = table;
  return WW_OK;
}

static int compare_customers(const void *a, const void *b) {
  const struct ww_aspa *x = (const struct ww_aspa *)a, *y = (const struct ww_aspa *)b;
  return (x->customer > y->customer) - (x->customer < y->customer);
}

static const struct ww_aspa *find_aspa(const struct ww_payloads *set, const struct ww_aspa *aspa) {
  if (set->aspa_count == 0)
    return NULL;
  return (const struct ww_aspa *)bsearch(aspa, set->aspas, set->aspa_count, sizeof *aspa, compare_customers);
}

static enum ww_err apply_aspas(struct ww_aspa_table *old, const struct ww_payload_delta *delta,
                               struct ww_aspa_table **out) {
  const struct ww_payloads *announce = &delta->announce, *withdraw = &delta->withdraw, *refresh = &delta->refresh;
  if (announce->aspa_count + withdraw->aspa_count + refresh->aspa_count == 0) {
    *out = aspa_table_ref(old);
    return WW_OK;
  }
  size_t old_count = old ? old->count : 0, count = 0;
  struct aspa_entry *entries = (struct aspa_entry *)calloc(old_count + announce->aspa_count + 1, sizeof *entries);
  if (!entries)
    return WW_ERR_NOMEM;
  for (size_t o = 0, a = 0; o < old_count || a < announce->aspa_count;) {
    struct aspa_entry *entry = &entries[count];
    int order = o == old_count              ? 1
                : a == announce->aspa_count ? -1
                                            : compare_customers(&old->entries[o].aspa, &announce->aspas[a]);
    if (order == 0)
      order = (int)old->entries[o].source - (int)delta->source;
    if (order < 0)
      *entry = old->entries[o++];
    else
      *entry = (struct aspa_entry){.aspa = announce->aspas[a++], .source = delta->source};
    o += order == 0;
    if (entry->source == delta->source) {
      if (order < 0 && find_aspa(withdraw, &entry->aspa))
        continue;
      const struct ww_aspa *moved = find_aspa(refresh, &entry->aspa);
      if (moved)
        entry->aspa.expires = moved->expires;
    }
    count++;
  }
  enum ww_err err = aspa_table_new(entries, count, out);
  free(entries);
  return err;
}

/* --- router keys ------------------------------------------------------------------------------------------------ */

struct key_entry {
  struct ww_router_key key; /* spki lies behind the entries of the same table */
  ww_source_id source;
};

struct ww_key_table {
  _Atomic uint32_t refs;
  size_t count, bytes;
  struct key_entry entries[]; /* by ww_router_key_compare(), source */
};

static struct ww_key_table *key_table_ref(struct ww_key_table *table) {
  if (table)
    atomic_fetch_add_explicit(&table->refs, 1, memory_order_relaxed);
  return table;
}

static void key_table_unref(struct ww_key_table *table) {
  if (table && atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) == 1)
    free(table);
}

static enum ww_err key_table_new(const struct key_entry *entries, size_t count, struct ww_key_table **out) {
  *out = NULL;
  if (count == 0)
    return WW_OK;
  size_t octets = 0;
  for (size_t i = 0; i < count; i++)
    octets += entries[i].key.spki_len;
  size_t bytes = sizeof(struct ww_key_table) + count * sizeof entries[0] + octets;
  struct ww_key_table *table = (struct ww_key_table *)malloc(bytes);
  if (!table)
    return WW_ERR_NOMEM;
  atomic_init(&table->refs, 1);
  table->count = count;
  table->bytes = bytes;
  uint8_t *pool = (uint8_t *)&table->entries[count];
  for (size_t i = 0; i < count; i++) {
    table->entries[i] = entries[i];
    table->entries[i].key.spki = pool;
    if (entries[i].key.spki_len)
      memcpy(pool, entries[i].key.spki, entries[i].key.spki_len);
    pool += entries[i].key.spki_len;
  }
  *out = table;
  return WW_OK;
}

static int compare_keys(const void *a, const void *b) {
  return ww_router_key_compare((const struct ww_router_key *)a, (const struct ww_router_key *)b);
}

static const struct ww_router_key *find_key(const struct ww_payloads *set, const struct ww_router_key *key) {
  if (set->key_count == 0)
    return NULL;
  return (const struct ww_router_key *)bsearch(key, set->keys, set->key_count, sizeof *key, compare_keys);
}

static enum ww_err apply_keys(struct ww_key_table *old, const struct ww_payload_delta *delta,
                              struct ww_key_table **out) {
  const struct ww_payloads *announce = &delta->announce, *withdraw = &delta->withdraw, *refresh = &delta->refresh;
  if (announce->key_count + withdraw->key_count + refresh->key_count == 0) {
    *out = key_table_ref(old);
    return WW_OK;
  }
  size_t old_count = old ? old->count : 0, count = 0;
  struct key_entry *entries = (struct key_entry *)calloc(old_count + announce->key_count + 1, sizeof *entries);
  if (!entries)
    return WW_ERR_NOMEM;
  for (size_t o = 0, a = 0; o < old_count || a < announce->key_count;) {
    struct key_entry *entry = &entries[count];
    int order = o == old_count             ? 1
                : a == announce->key_count ? -1
                                           : ww_router_key_compare(&old->entries[o].key, &announce->keys[a]);
    if (order == 0)
      order = (int)old->entries[o].source - (int)delta->source;
    if (order < 0)
      *entry = old->entries[o++];
    else
      *entry = (struct key_entry){.key = announce->keys[a++], .source = delta->source};
    o += order == 0;
    if (entry->source == delta->source) {
      if (order < 0 && find_key(withdraw, &entry->key))
        continue;
      const struct ww_router_key *moved = find_key(refresh, &entry->key);
      if (moved)
        entry->key.expires = moved->expires;
    }
    count++;
  }
  enum ww_err err = key_table_new(entries, count, out);
  free(entries);
  return err;
}

/* --- VRPs ------------------------------------------------------------------------------------------------------- */

/* The records of one family in a sorted part of a delta. */
struct run {
  const struct ww_vrp *at, *end;
};

static struct run run_of(const struct ww_payloads *set, uint8_t afi) {
  struct run run = {set->vrps, set->vrps};
  if (set->vrp_count == 0)
    return run;
  run.end += set->vrp_count;
  while (run.at < run.end && run.at->prefix.afi < afi)
    run.at++;
  const struct ww_vrp *end = run.at;
  while (end < run.end && end->prefix.afi == afi)
    end++;
  run.end = end;
  return run;
}

static struct ww_vrp_item make_step(const struct ww_vrp *vrp, ww_source_id source, enum ww_vrp_step step) {
  struct ww_vrp_item item = {.hi = ww_vrp_octets8(vrp->prefix.addr),
                             .lo = ww_vrp_octets8(vrp->prefix.addr + 8),
                             .asn = vrp->asn,
                             .source = source,
                             .len = vrp->prefix.len,
                             .max_len = vrp->max_len,
                             .step = (uint8_t)step};
  ww_vrp_item_set_expires(&item, vrp->expires);
  return item;
}

static int compare_items(const void *a, const void *b) {
  return ww_vrp_item_compare((const struct ww_vrp_item *)a, (const struct ww_vrp_item *)b);
}

/* The three parts arrive sorted by (prefix, max_len, asn), the tree wants (prefix, asn, max_len): only the steps of one
 * prefix, mostly a single one, need sorting. */
static void sort_steps(struct ww_vrp_item *steps, size_t count) {
  for (size_t i = 0, end; i < count; i = end) {
    bool sorted = true;
    for (end = i + 1;
         end < count && steps[end].hi == steps[i].hi && steps[end].lo == steps[i].lo && steps[end].len == steps[i].len;
         end++)
      sorted = sorted && ww_vrp_item_compare(&steps[end - 1], &steps[end]) < 0;
    if (!sorted)
      qsort(steps + i, end - i, sizeof *steps, compare_items);
  }
}

static enum ww_err apply_vrps(const struct ww_snapshot *base, const struct ww_payload_delta *delta, uint8_t afi,
                              struct ww_vrp_part **out) {
  struct ww_vrp_part *old = base->vrps[afi == WW_AFI_IPV6];
  struct run runs[3] = {[WW_VRP_WITHDRAW] = run_of(&delta->withdraw, afi),
                        [WW_VRP_ANNOUNCE] = run_of(&delta->announce, afi),
                        [WW_VRP_REFRESH] = run_of(&delta->refresh, afi)};
  size_t total = 0, count = 0;
  for (int i = 0; i < 3; i++)
    total += (size_t)(runs[i].end - runs[i].at);
  if (total == 0) {
    *out = ww_vrp_part_ref(old);
    return WW_OK;
  }
  struct ww_vrp_item *steps = (struct ww_vrp_item *)malloc(total * sizeof *steps);
  if (!steps)
    return WW_ERR_NOMEM;
  while (count < total) {
    int least = -1;
    for (int i = 0; i < 3; i++)
      if (runs[i].at < runs[i].end &&
          (least < 0 || ww_prefix_compare(&runs[i].at->prefix, &runs[least].at->prefix) < 0))
        least = i;
    steps[count++] = make_step(runs[least].at++, delta->source, (enum ww_vrp_step)least);
  }
  sort_steps(steps, count);
  enum ww_err err = ww_vrp_tree_apply(old, afi, base->block_limit, steps, count, out);
  free(steps);
  return err;
}

/* --- snapshots -------------------------------------------------------------------------------------------------- */

/* The index rests on sorted, sound records: one look at each is cheap beside what comes after. */
static bool is_sound(const struct ww_payloads *set) {
  for (size_t i = 0; i < set->vrp_count; i++) {
    const struct ww_vrp *vrp = &set->vrps[i];
    if (!ww_prefix_is_canonical(&vrp->prefix) || vrp->max_len < vrp->prefix.len ||
        vrp->max_len > ww_afi_bits(vrp->prefix.afi) || (i > 0 && ww_vrp_compare(vrp - 1, vrp) >= 0))
      return false;
  }
  for (size_t i = 1; i < set->aspa_count; i++)
    if (set->aspas[i - 1].customer >= set->aspas[i].customer)
      return false;
  for (size_t i = 1; i < set->key_count; i++)
    if (ww_router_key_compare(&set->keys[i - 1], &set->keys[i]) >= 0)
      return false;
  return true;
}

struct ww_snapshot *ww_snapshot_new_limited(size_t limit) {
  assert(limit >= 1 && limit <= WW_VRP_BLOCK_MAX);
  struct ww_snapshot *snapshot = (struct ww_snapshot *)calloc(1, sizeof *snapshot);
  if (!snapshot)
    return NULL;
  atomic_init(&snapshot->refs, 1);
  snapshot->block_limit = (uint16_t)limit;
  return snapshot;
}

struct ww_snapshot *ww_snapshot_new(void) {
  return ww_snapshot_new_limited(WW_VRP_BLOCK_MAX);
}

struct ww_snapshot *ww_snapshot_ref(struct ww_snapshot *snapshot) {
  atomic_fetch_add_explicit(&snapshot->refs, 1, memory_order_relaxed);
  return snapshot;
}

void ww_snapshot_unref(struct ww_snapshot *snapshot) {
  if (!snapshot || atomic_fetch_sub_explicit(&snapshot->refs, 1, memory_order_acq_rel) != 1)
    return;
  ww_vrp_part_unref(snapshot->vrps[0]);
  ww_vrp_part_unref(snapshot->vrps[1]);
  aspa_table_unref(snapshot->aspas);
  key_table_unref(snapshot->keys);
  free(snapshot);
}

enum ww_err ww_snapshot_apply(struct ww_snapshot *base, const struct ww_payload_delta *delta, uint32_t epoch,
                              bool ready, struct ww_snapshot **out) {
  *out = NULL;
  if (!is_sound(&delta->announce) || !is_sound(&delta->withdraw) || !is_sound(&delta->refresh))
    return WW_ERR_INVAL;
  struct ww_snapshot *next = ww_snapshot_new_limited(base->block_limit);
  if (!next)
    return WW_ERR_NOMEM;
  next->epoch = epoch;
  next->ready = ready;
  enum ww_err err = apply_vrps(base, delta, WW_AFI_IPV4, &next->vrps[0]);
  if (!err)
    err = apply_vrps(base, delta, WW_AFI_IPV6, &next->vrps[1]);
  if (!err)
    err = apply_aspas(base->aspas, delta, &next->aspas);
  if (!err)
    err = apply_keys(base->keys, delta, &next->keys);
  if (err)
    ww_snapshot_unref(next);
  else
    *out = next;
  return err;
}

uint32_t ww_snapshot_epoch(const struct ww_snapshot *snapshot) { return snapshot->epoch; }

bool ww_snapshot_ready(const struct ww_snapshot *snapshot) { return snapshot->ready; }

void ww_snapshot_counts(const struct ww_snapshot *snapshot, struct ww_snapshot_counts *out) {
  *out = (struct ww_snapshot_counts){.bytes = sizeof *snapshot};
  for (int i = 0; i < 2; i++)
    if (snapshot->vrps[i]) {
      *(i == 0 ? &out->vrps_v4 : &out->vrps_v6) = (size_t)snapshot->vrps[i]->records;
      out->bytes += (size_t)snapshot->vrps[i]->bytes;
    }
  if (snapshot->aspas) {
    out->aspas = snapshot->aspas->count;
    out->bytes += snapshot->aspas->bytes;
  }
  if (snapshot->keys) {
    out->router_keys = snapshot->keys->count;
    out->bytes += snapshot->keys->bytes;
  }
}

struct vrp_walk {
  uint8_t afi;
  void *ctx;
  int (*visit)(void *ctx, const struct ww_vrp *, ww_source_id);
};

static int visit_item(void *ctx, const struct ww_vrp_item *item) {
  const struct vrp_walk *walk = (const struct vrp_walk *)ctx;
  struct ww_vrp vrp;
  ww_vrp_item_to_vrp(item, walk->afi, &vrp);
  return walk->visit(walk->ctx, &vrp, item->source);
}

int ww_snapshot_walk(const struct ww_snapshot *snapshot, void *ctx,
                     int (*vrp)(void *ctx, const struct ww_vrp *, ww_source_id),
                     int (*aspa)(void *ctx, const struct ww_aspa *, ww_source_id),
                     int (*key)(void *ctx, const struct ww_router_key *, ww_source_id)) {
  int stop = 0;
  for (int i = 0; vrp && i < 2 && !stop; i++) {
    struct vrp_walk walk = {.afi = i == 0 ? WW_AFI_IPV4 : WW_AFI_IPV6, .ctx = ctx, .visit = vrp};
    stop = ww_vrp_tree_walk(snapshot->vrps[i], walk.afi, WW_VRP_CANONICAL, &walk, visit_item);
  }
  for (size_t i = 0; aspa && snapshot->aspas && i < snapshot->aspas->count && !stop; i++)
    stop = aspa(ctx, &snapshot->aspas->entries[i].aspa, snapshot->aspas->entries[i].source);
  for (size_t i = 0; key && snapshot->keys && i < snapshot->keys->count && !stop; i++)
    stop = key(ctx, &snapshot->keys->entries[i].key, snapshot->keys->entries[i].source);
  return stop;
}
