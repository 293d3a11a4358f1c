/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interned paths and the way from an AS to the paths that hold it.
 *
 * Data structure: a path is a slab object with its ASNs in a block of their own, found by a keyed hash of them. Under
 * each AS stands a posting list: an array of path ids in the order they came, doubled when it is full. Leaving is lazy:
 * the list only counts that an id in it may be stale, and is tidied (sorted, each id once, those that do not hold the
 * AS any more dropped) when at least half of it may be. So entering and leaving cost a few steps for each AS of the
 * path, amortised, and a list has at most about twice the entries it needs: some 10 octets for each AS of each path,
 * where links in both directions would take 20 and be slower to follow.
 *
 * Invariants:
 *  - every live path is in the list of every AS that it holds;
 *  - what a list says is checked when it is read: an id may be stale, or stand for another path since, or be there
 *    twice, as an AS may stand twice in a path. `stale` is therefore an upper bound of what tidying would drop;
 *  - a list without entries does not exist.
 *
 * A peer chooses paths: their hash is keyed, and the work for one is linear in its length but for tidying, which is
 * paid for by the departures before it.
 *
 * Clauses: draft-ietf-sidrops-aspa-verification-28 §5.4 (prepends are taken out), RFC 8205 §4.4.
 */
#include "rib/path.h"

#include <stdlib.h>
#include <string.h>

#include "rib/origin.h"

enum { POSTING_MIN = 2, SCRATCH_MIN = 64 };

struct ww_path_posting {
  uint32_t *ids;
  uint32_t asn;
  uint32_t count, cap;
  uint32_t stale;
};

/* ---- the path of an UPDATE ---- */

void ww_path_scratch_fini(struct ww_path_scratch *scratch) {
  free(scratch->asns);
  *scratch = (struct ww_path_scratch){0};
}

static bool append(struct ww_path_scratch *scratch, struct ww_aspa_path *path, uint32_t asn) {
  if (path->count && scratch->asns[path->count - 1] == asn)
    return true; /* a prepend */
  if (path->count == scratch->cap) {
    size_t cap = scratch->cap ? scratch->cap * 2 : SCRATCH_MIN;
    uint32_t *bigger = realloc(scratch->asns, cap * sizeof *bigger);
    if (!bigger)
      return false;
    scratch->asns = bigger;
    scratch->cap = cap;
  }
  scratch->asns[path->count++] = asn;
  return true;
}

static enum ww_err path_of_segments(struct ww_as_path segments, struct ww_path_scratch *scratch,
                                    struct ww_aspa_path *path) {
  struct ww_as_segment s;
  while (ww_as_path_next(&segments, &s)) {
    path->has_set = path->has_set || s.type == WW_SEG_AS_SET;
    path->has_confed = path->has_confed || s.type == WW_SEG_CONFED_SEQUENCE || s.type == WW_SEG_CONFED_SET;
    for (unsigned i = 0; i < s.count && !path->has_set && !path->has_confed; i++)
      if (!append(scratch, path, ww_as_segment_at(&s, i)))
        return WW_ERR_NOMEM;
  }
  return WW_OK;
}

/* CHOICE: the draft speaks of AS_PATH. A BGPsec route has none; its path is the one that RFC 8205 §4.4 reconstructs,
 * where an AS with a pCount of 0 (a transparent route server) does not appear. */
static enum ww_err path_of_secure_path(struct ww_reader secure, struct ww_path_scratch *scratch,
                                       struct ww_aspa_path *path) {
  while (ww_reader_left(&secure)) {
    uint8_t count = ww_reader_u8(&secure), flags = ww_reader_u8(&secure);
    uint32_t asn = ww_reader_u32(&secure);
    path->has_confed = path->has_confed || (flags & WW_SECURE_PATH_CONFED) != 0;
    if (count && !path->has_confed && !append(scratch, path, asn))
      return WW_ERR_NOMEM;
  }
  return WW_OK;
}

enum ww_err ww_path_of_update(const struct ww_bgp_update *update, struct ww_path_scratch *scratch,
                              struct ww_aspa_path *out) {
  *out = (struct ww_aspa_path){0};
  enum ww_err err = WW_OK;
  struct ww_reader secure;
  if (update->has_as_path)
    err = path_of_segments(update->as_path, scratch, out);
  else if (ww_secure_path_of(update, &secure))
    err = path_of_secure_path(secure, scratch, out);
  if (out->has_set || out->has_confed)
    out->count = 0;
  out->asns = out->count ? scratch->asns : NULL;
  return err;
}

/* ---- postings ---- */

static struct ww_path_posting *posting_at(const struct ww_path_table *table, uint32_t id) {
  return ww_slab_at(&table->postings, id);
}

static uint32_t hash_asn(const struct ww_path_table *table, uint32_t asn) {
  return (uint32_t)ww_siphash(&table->key, &asn, sizeof asn);
}

struct posting_probe {
  const struct ww_path_table *table;
  uint32_t asn;
};

static bool posting_same(const void *ctx, uint32_t id) {
  const struct posting_probe *probe = ctx;
  return posting_at(probe->table, id)->asn == probe->asn;
}

static uint32_t posting_find(const struct ww_path_table *table, uint32_t asn) {
  struct posting_probe probe = {.table = table, .asn = asn};
  return ww_id_table_find(&table->posting_index, hash_asn(table, asn), posting_same, &probe);
}

static bool holds(const struct ww_path_table *table, uint32_t id, uint32_t asn) {
  if (!ww_path_is_live(table, id))
    return false;
  const struct ww_rib_path *path = ww_path_at(table, id);
  for (uint32_t i = 0; i < path->count; i++)
    if (path->asns[i] == asn)
      return true;
  return false;
}

static int by_id(const void *a, const void *b) {
  uint32_t x, y;
  memcpy(&x, a, sizeof x);
  memcpy(&y, b, sizeof y);
  return x < y ? -1 : x > y;
}

static void posting_free(struct ww_path_table *table, uint32_t at) {
  struct ww_path_posting *p = posting_at(table, at);
  ww_id_table_remove(&table->posting_index, hash_asn(table, p->asn), at);
  table->octets -= p->cap * sizeof *p->ids;
  free(p->ids);
  ww_slab_free(&table->postings, at);
}

static void posting_tidy(struct ww_path_table *table, uint32_t at) {
  struct ww_path_posting *p = posting_at(table, at);
  uint32_t kept = 0;
  qsort(p->ids, p->count, sizeof *p->ids, by_id);
  for (uint32_t i = 0; i < p->count; i++)
    if ((!kept || p->ids[kept - 1] != p->ids[i]) && holds(table, p->ids[i], p->asn))
      p->ids[kept++] = p->ids[i];
  p->count = kept;
  p->stale = 0;
  if (!kept) {
    posting_free(table, at);
    return;
  }
  uint32_t cap = p->cap;
  while (cap / 4 >= kept && cap / 2 >= POSTING_MIN)
    cap /= 2;
  uint32_t *smaller = cap < p->cap ? realloc(p->ids, cap * sizeof *smaller) : NULL;
  if (smaller) {
    table->octets -= (p->cap - cap) * sizeof *p->ids;
    p->ids = smaller;
    p->cap = cap;
  }
}

static bool posting_add(struct ww_path_table *table, uint32_t asn, uint32_t path) {
  uint32_t at = posting_find(table, asn);
  if (!at) {
    at = ww_slab_alloc(&table->postings);
    if (!at)
      return false;
    posting_at(table, at)->asn = asn;
    if (ww_id_table_add(&table->posting_index, hash_asn(table, asn), at) != WW_OK) {
      ww_slab_free(&table->postings, at);
      return false;
    }
  }
  struct ww_path_posting *p = posting_at(table, at);
  if (p->count && p->ids[p->count - 1] == path)
    return true;
  if (p->count == p->cap) {
    uint32_t cap = p->cap ? p->cap * 2 : POSTING_MIN;
    uint32_t *bigger = realloc(p->ids, cap * sizeof *bigger);
    if (!bigger) {
      if (!p->count)
        posting_free(table, at);
      return false;
    }
    table->octets += (cap - p->cap) * sizeof *bigger;
    p->ids = bigger;
    p->cap = cap;
  }
  p->ids[p->count++] = path;
  return true;
}

/* One of the AS's paths is gone, or was never entered whole. */
static void posting_leave(struct ww_path_table *table, uint32_t asn) {
  uint32_t at = posting_find(table, asn);
  if (!at)
    return; /* the AS stood more than once, and the first departure tidied the list away */
  struct ww_path_posting *p = posting_at(table, at);
  p->stale++;
  if (p->stale >= p->count - p->count / 2)
    posting_tidy(table, at);
}

uint32_t ww_path_holding(const struct ww_path_table *table, uint32_t asn, size_t *cursor) {
  uint32_t at = posting_find(table, asn);
  if (!at)
    return 0;
  const struct ww_path_posting *p = posting_at(table, at);
  while (*cursor < p->count) {
    uint32_t id = p->ids[(*cursor)++];
    if (holds(table, id, asn))
      return id;
  }
  return 0;
}

/* ---- paths ---- */

void ww_path_table_init(struct ww_path_table *table, const struct ww_hash_key *key) {
  *table = (struct ww_path_table){.key = *key};
  ww_slab_init(&table->paths, sizeof(struct ww_rib_path));
  ww_slab_init(&table->postings, sizeof(struct ww_path_posting));
}

void ww_path_table_clear(struct ww_path_table *table) {
  for (size_t i = 0; i < table->index.cap; i++)
    if (table->index.slots[i].id)
      free(ww_path_at(table, table->index.slots[i].id)->asns);
  for (size_t i = 0; i < table->posting_index.cap; i++)
    if (table->posting_index.slots[i].id)
      free(posting_at(table, table->posting_index.slots[i].id)->ids);
  ww_id_table_fini(&table->index);
  ww_id_table_fini(&table->posting_index);
  ww_slab_fini(&table->paths);
  ww_slab_fini(&table->postings);
  if (table->live_words)
    memset(table->live, 0, table->live_words * sizeof *table->live);
  table->octets = 0;
}

void ww_path_table_fini(struct ww_path_table *table) {
  ww_path_table_clear(table);
  free(table->live);
  table->live = NULL;
  table->live_words = 0;
}

static uint32_t hash_path(const struct ww_path_table *table, const struct ww_aspa_path *path) {
  uint64_t h = ww_siphash(&table->key, path->asns, path->count * sizeof *path->asns);
  return (uint32_t)(h ^ h >> 32) + (path->has_set ? 1u : 0u) + (path->has_confed ? 2u : 0u);
}

struct path_probe {
  const struct ww_path_table *table;
  const struct ww_aspa_path *path;
};

static bool path_same(const void *ctx, uint32_t id) {
  const struct path_probe *probe = ctx;
  const struct ww_rib_path *a = ww_path_at(probe->table, id);
  const struct ww_aspa_path *b = probe->path;
  return a->count == b->count && a->has_set == b->has_set && a->has_confed == b->has_confed &&
         (!a->count || memcmp(a->asns, b->asns, a->count * sizeof *a->asns) == 0);
}

static bool live_reserve(struct ww_path_table *table, uint32_t id) {
  size_t words = (size_t)id / 32 + 1;
  if (words <= table->live_words)
    return true;
  size_t want = table->live_words * 2 > words ? table->live_words * 2 : words + 31;
  uint32_t *live = realloc(table->live, want * sizeof *live);
  if (!live)
    return false;
  memset(live + table->live_words, 0, (want - table->live_words) * sizeof *live);
  table->live = live;
  table->live_words = want;
  return true;
}

/* Takes out what ww_path_enter() has done so far: `posted` ASNs of the path are in their lists. */
static void path_free(struct ww_path_table *table, uint32_t id, uint32_t posted) {
  struct ww_rib_path *path = ww_path_at(table, id);
  uint32_t *asns = path->asns;
  table->live[id / 32] &= ~(UINT32_C(1) << id % 32);
  table->octets -= path->count * sizeof *asns;
  ww_slab_free(&table->paths, id);
  for (uint32_t i = 0; i < posted; i++)
    posting_leave(table, asns[i]);
  free(asns);
}

enum ww_err ww_path_enter(struct ww_path_table *table, const struct ww_aspa_path *path, uint32_t *out) {
  struct path_probe probe = {.table = table, .path = path};
  uint32_t hash = hash_path(table, path);
  *out = ww_id_table_find(&table->index, hash, path_same, &probe);
  if (*out)
    return WW_OK;
  if (path->count > UINT32_MAX / sizeof *path->asns)
    return WW_ERR_LIMIT;
  uint32_t *asns = path->count ? malloc(path->count * sizeof *asns) : NULL;
  uint32_t id = asns || !path->count ? ww_slab_alloc(&table->paths) : 0;
  if (!id || !live_reserve(table, id)) {
    ww_slab_free(&table->paths, id);
    free(asns);
    return WW_ERR_NOMEM;
  }
  if (asns)
    memcpy(asns, path->asns, path->count * sizeof *asns);
  struct ww_rib_path *p = ww_path_at(table, id);
  p->asns = asns;
  p->count = (uint32_t)path->count;
  p->hash = hash;
  p->has_set = path->has_set;
  p->has_confed = path->has_confed;
  table->live[id / 32] |= UINT32_C(1) << id % 32;
  table->octets += p->count * sizeof *asns;
  uint32_t posted = 0;
  while (posted < p->count && posting_add(table, asns[posted], id))
    posted++;
  if (posted < p->count || ww_id_table_add(&table->index, hash, id) != WW_OK) {
    path_free(table, id, posted);
    return WW_ERR_NOMEM;
  }
  *out = id;
  return WW_OK;
}

void ww_path_remove(struct ww_path_table *table, uint32_t id) {
  const struct ww_rib_path *path = ww_path_at(table, id);
  ww_id_table_remove(&table->index, path->hash, id);
  path_free(table, id, path->count);
}

size_t ww_path_table_bytes(const struct ww_path_table *table) {
  return ww_slab_bytes(&table->paths) + ww_slab_bytes(&table->postings) + table->octets +
         table->live_words * sizeof *table->live +
         (table->index.cap + table->posting_index.cap) * sizeof(struct ww_id_slot);
}
