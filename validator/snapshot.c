/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Snapshots: the effective payload set, immutable and numbered.
 *
 * A snapshot holds one tree of VRPs for each family (vrp_tree.c) and one table each of ASPAs and router keys
 * (record_table.c). All four are immutable, made of blocks that are shared by reference count, so a new snapshot costs
 * what its delta touches: the blocks with a changed record. Readers hold a reference to the snapshot for as long as
 * they like, on any thread; what only old snapshots use goes away with the last of them.
 *
 * Records are held per source. A delta names its source, and speaks only of that source's records: identity here is
 * (record, source). Steps upon one record are taken in the order withdraw, announce, refresh.
 */
#include "validator/snapshot_private.h"

#include <assert.h>
#include <stdlib.h>

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
  for (size_t i = 0; i < set->aspa_count; i++) {
    const struct ww_aspa *aspa = &set->aspas[i];
    if (i > 0 && set->aspas[i - 1].customer >= aspa->customer)
      return false;
    for (uint32_t k = 1; k < aspa->provider_count; k++)
      if (aspa->providers[k - 1] >= aspa->providers[k])
        return false;
  }
  for (size_t i = 1; i < set->key_count; i++)
    if (ww_router_key_compare(&set->keys[i - 1], &set->keys[i]) >= 0)
      return false;
  return true;
}

static enum ww_err apply_aspas(struct ww_record_table *old, const struct ww_payload_delta *delta,
                               struct ww_record_table **out) {
  const struct ww_record_part announce = {delta->announce.aspas, delta->announce.aspa_count},
                              withdraw = {delta->withdraw.aspas, delta->withdraw.aspa_count},
                              refresh = {delta->refresh.aspas, delta->refresh.aspa_count};
  return ww_record_table_apply(&ww_record_aspas, old, delta->source, &announce, &withdraw, &refresh, out);
}

static enum ww_err apply_keys(struct ww_record_table *old, const struct ww_payload_delta *delta,
                              struct ww_record_table **out) {
  const struct ww_record_part announce = {delta->announce.keys, delta->announce.key_count},
                              withdraw = {delta->withdraw.keys, delta->withdraw.key_count},
                              refresh = {delta->refresh.keys, delta->refresh.key_count};
  return ww_record_table_apply(&ww_record_keys, old, delta->source, &announce, &withdraw, &refresh, out);
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
  ww_record_table_unref(snapshot->aspas);
  ww_record_table_unref(snapshot->keys);
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

struct record_walk {
  void *ctx;
  int (*aspa)(void *ctx, const struct ww_aspa *, ww_source_id);
  int (*key)(void *ctx, const struct ww_router_key *, ww_source_id);
};

static int visit_aspa(void *ctx, const void *entry) {
  const struct record_walk *walk = (const struct record_walk *)ctx;
  const struct ww_aspa_entry *e = (const struct ww_aspa_entry *)entry;
  return walk->aspa(walk->ctx, &e->aspa, e->source);
}

static int visit_key(void *ctx, const void *entry) {
  const struct record_walk *walk = (const struct record_walk *)ctx;
  const struct ww_key_entry *e = (const struct ww_key_entry *)entry;
  return walk->key(walk->ctx, &e->key, e->source);
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
  struct record_walk records = {.ctx = ctx, .aspa = aspa, .key = key};
  if (aspa && !stop)
    stop = ww_record_table_walk(&ww_record_aspas, snapshot->aspas, &records, visit_aspa);
  if (key && !stop)
    stop = ww_record_table_walk(&ww_record_keys, snapshot->keys, &records, visit_key);
  return stop;
}

bool ww_snapshot_aspa(const struct ww_snapshot *snapshot, uint32_t customer, struct ww_aspa *merged) {
  static const uint32_t as0 = 0;
  const struct ww_aspa_slot *first, *slot = ww_aspa_slot_find(snapshot->aspas, customer, &first);
  if (!slot)
    return false;
  *merged = (struct ww_aspa){.customer = customer, .provider_count = 1, .providers = &as0};
  if (slot->count > 0) {
    merged->provider_count = slot->count;
    merged->providers = ww_aspa_slot_providers(first, slot);
  }
  const struct ww_record_block *block = ww_aspa_block_of(snapshot->aspas, customer);
  const struct ww_aspa_entry *entry = ww_aspa_block_entries(block) + slot->entry;
  for (uint32_t i = slot->entry; i < block->count && entry->aspa.customer == customer; i++, entry++)
    if (entry->aspa.expires && (merged->expires == 0 || entry->aspa.expires < merged->expires))
      merged->expires = entry->aspa.expires;
  return true;
}

int ww_snapshot_aspa_sources(const struct ww_snapshot *snapshot, uint32_t customer, void *ctx,
                             int (*visit)(void *ctx, const struct ww_aspa *, ww_source_id)) {
  const struct ww_aspa_slot *first, *slot = ww_aspa_slot_find(snapshot->aspas, customer, &first);
  if (!slot)
    return 0;
  const struct ww_record_block *block = ww_aspa_block_of(snapshot->aspas, customer);
  const struct ww_aspa_entry *entry = ww_aspa_block_entries(block) + slot->entry;
  int stop = 0;
  for (uint32_t i = slot->entry; i < block->count && entry->aspa.customer == customer && !stop; i++, entry++)
    stop = visit(ctx, &entry->aspa, entry->source);
  return stop;
}

int ww_snapshot_router_keys(const struct ww_snapshot *snapshot, uint32_t asn, const uint8_t ski[WW_SKI_LEN], void *ctx,
                            int (*visit)(void *ctx, const struct ww_router_key *, ww_source_id)) {
  const struct ww_record_block *block =
      snapshot->keys ? snapshot->keys->fan[ww_record_block_of(ww_record_hash(asn))].block : NULL;
  if (!block)
    return 0;
  const struct ww_key_entry *entries = (const struct ww_key_entry *)(const void *)block->entries;
  /* The least key with this AS and SKI: an empty one, which is before every other. */
  struct ww_router_key least = {.asn = asn};
  if (ski)
    memcpy(least.ski, ski, WW_SKI_LEN);
  uint32_t low = 0, high = block->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (ww_router_key_compare(&entries[middle].key, &least) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  int stop = 0;
  for (; low < block->count && !stop; low++) {
    const struct ww_router_key *key = &entries[low].key;
    if (key->asn != asn || (ski && memcmp(key->ski, ski, WW_SKI_LEN) != 0))
      break;
    stop = visit(ctx, key, entries[low].source);
  }
  return stop;
}
