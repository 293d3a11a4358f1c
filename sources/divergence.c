/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two caches of one group should hold the same records within minutes of each other. Where they do not for longer, one
 * of them validates badly, or lags, and which routes are valid depends on who was asked: an operator wants to know.
 *
 * One hash table holds a fingerprint (64 bits, keyed) of each record that any cache of the group has, with the set of
 * caches that have it as bits. The counts are kept up to date record by record, so a delta costs what it touches, and
 * nothing of the store is read again. With 700000 records of two caches the table is 16 MB at most.
 *
 * An ASPA differs when its providers do, so they are part of its fingerprint. A delta does not say which providers an
 * announced customer had before; a second table remembers the fingerprint of each customer's record in each cache.
 *
 * CHOICE: two records with one fingerprint are taken as one. Among a million records that happens with a chance of
 * 1 in 30 million, and costs a count that is off by one.
 */
#include "sources/divergence.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { TABLE_FIRST = 1024 };

struct slot {
  uint64_t key; /* 0: free */
  uint64_t value;
};

/* Open addressing, linear probing, at most two thirds full; deletion moves later entries back. */
struct table {
  struct slot *slots;
  size_t cap, used; /* cap is a power of two, or 0 */
};

struct ww_divergence {
  struct ww_hash_key key;
  struct table records; /* fingerprint -> caches that have it */
  struct table aspas;   /* (cache, customer) -> fingerprint */
  uint32_t compared;
  struct ww_divergence_counts counts;
};

static size_t place(const struct table *t, uint64_t key) {
  size_t at = (size_t)key & (t->cap - 1);
  while (t->slots[at].key && t->slots[at].key != key)
    at = (at + 1) & (t->cap - 1);
  return at;
}

static bool grow(struct table *t) {
  struct table larger = {.cap = t->cap ? t->cap * 2 : TABLE_FIRST, .used = t->used};
  larger.slots = calloc(larger.cap, sizeof(*larger.slots));
  if (!larger.slots)
    return false;
  for (size_t i = 0; i < t->cap; i++)
    if (t->slots[i].key)
      larger.slots[place(&larger, t->slots[i].key)] = t->slots[i];
  free(t->slots);
  *t = larger;
  return true;
}

static uint64_t table_get(const struct table *t, uint64_t key) { return t->cap ? t->slots[place(t, key)].value : 0; }

static void table_drop(struct table *t, size_t hole) {
  size_t mask = t->cap - 1;
  for (size_t at = (hole + 1) & mask; t->slots[at].key; at = (at + 1) & mask) {
    size_t home = (size_t)t->slots[at].key & mask;
    if (((at - home) & mask) >= ((at - hole) & mask)) { /* its home is not behind the hole */
      t->slots[hole] = t->slots[at];
      hole = at;
    }
  }
  t->slots[hole] = (struct slot){0};
  t->used--;
}

/* 0 removes. False: no memory. */
static bool table_set(struct table *t, uint64_t key, uint64_t value) {
  if (value && (t->used + 1) * 3 > t->cap * 2 && !grow(t))
    return false;
  if (!t->cap)
    return true;
  size_t at = place(t, key);
  if (!value) {
    if (t->slots[at].key)
      table_drop(t, at);
    return true;
  }
  t->used += t->slots[at].key == 0;
  t->slots[at] = (struct slot){.key = key, .value = value};
  return true;
}

/* ---- counting ---- */

/* Adds (or takes away) what one record, which the caches `mask` have, is in the counts. */
static void count(struct ww_divergence *d, uint64_t mask, bool add) {
  uint32_t have = (uint32_t)mask & d->compared;
  if (!have || have == d->compared)
    return;
  size_t step = add ? 1 : (size_t)-1;
  d->counts.differing += step;
  for (unsigned i = 0; i < WW_DIVERGENCE_CACHES; i++)
    if (have >> i & 1)
      d->counts.of[i].extra += step;
    else if (d->compared >> i & 1)
      d->counts.of[i].missing += step;
}

static bool set_bit(struct ww_divergence *d, uint64_t fingerprint, unsigned cache, bool has) {
  uint64_t before = table_get(&d->records, fingerprint), bit = UINT64_C(1) << cache;
  uint64_t after = has ? before | bit : before & ~bit;
  if (after == before)
    return true;
  if (!table_set(&d->records, fingerprint, after))
    return false;
  count(d, before, false);
  count(d, after, true);
  return true;
}

/* ---- fingerprints: never 0 ---- */

static uint64_t fingerprint(const struct ww_divergence *d, const void *data, size_t len) {
  uint64_t hash = ww_siphash(&d->key, data, len);
  return hash ? hash : 1;
}

static uint64_t of_vrp(const struct ww_divergence *d, const struct ww_vrp *vrp) {
  uint8_t text[24] = {vrp->prefix.afi, vrp->prefix.len, vrp->max_len, 'v'};
  memcpy(text + 4, &vrp->asn, 4);
  memcpy(text + 8, vrp->prefix.addr, sizeof(vrp->prefix.addr));
  return fingerprint(d, text, sizeof(text));
}

static uint64_t of_aspa(const struct ww_divergence *d, const struct ww_aspa *aspa) {
  uint64_t parts[2] = {aspa->customer, 0};
  if (aspa->provider_count)
    parts[1] = ww_siphash(&d->key, aspa->providers, aspa->provider_count * sizeof(*aspa->providers));
  return fingerprint(d, parts, sizeof(parts));
}

static uint64_t of_key(const struct ww_divergence *d, const struct ww_router_key *key) {
  uint8_t text[32] = {'k'};
  uint64_t spki = ww_siphash(&d->key, key->spki, key->spki_len);
  memcpy(text + 1, key->ski, WW_SKI_LEN);
  memcpy(text + 1 + WW_SKI_LEN, &key->asn, 4);
  uint64_t parts[2] = {ww_siphash(&d->key, text, sizeof(text)), spki};
  return fingerprint(d, parts, sizeof(parts));
}

static bool set_aspa(struct ww_divergence *d, unsigned cache, const struct ww_aspa *aspa, bool has) {
  uint32_t who[3] = {0x61737061, cache, aspa->customer};
  uint64_t key = fingerprint(d, who, sizeof(who)), before = table_get(&d->aspas, key);
  uint64_t after = has ? of_aspa(d, aspa) : 0;
  if (before == after)
    return true;
  return (!before || set_bit(d, before, cache, false)) && (!after || set_bit(d, after, cache, true)) &&
         table_set(&d->aspas, key, after);
}

enum ww_err ww_divergence_apply(struct ww_divergence *divergence, unsigned cache,
                                const struct ww_payload_delta *delta) {
  const struct ww_payloads *parts[2] = {&delta->withdraw, &delta->announce};
  bool ok = true;
  for (unsigned has = 0; has < 2; has++) {
    for (size_t i = 0; ok && i < parts[has]->vrp_count; i++)
      ok = set_bit(divergence, of_vrp(divergence, &parts[has]->vrps[i]), cache, has);
    for (size_t i = 0; ok && i < parts[has]->aspa_count; i++)
      ok = set_aspa(divergence, cache, &parts[has]->aspas[i], has);
    for (size_t i = 0; ok && i < parts[has]->key_count; i++)
      ok = set_bit(divergence, of_key(divergence, &parts[has]->keys[i]), cache, has);
  }
  return ok ? WW_OK : WW_ERR_NOMEM;
}

void ww_divergence_compare(struct ww_divergence *divergence, uint32_t caches) {
  struct ww_divergence *d = divergence;
  if (caches == d->compared)
    return;
  d->compared = caches;
  memset(&d->counts, 0, sizeof(d->counts));
  for (size_t i = 0; i < d->records.cap; i++)
    if (d->records.slots[i].key)
      count(d, d->records.slots[i].value, true);
}

const struct ww_divergence_counts *ww_divergence_counts(const struct ww_divergence *divergence) {
  return &divergence->counts;
}

size_t ww_divergence_bytes(const struct ww_divergence *divergence) {
  return sizeof(*divergence) + (divergence->records.cap + divergence->aspas.cap) * sizeof(struct slot);
}

struct ww_divergence *ww_divergence_new(uint64_t seed) {
  struct ww_divergence *d = calloc(1, sizeof(*d));
  if (d)
    d->key = (struct ww_hash_key){.k0 = seed, .k1 = seed ^ UINT64_C(0x9e3779b97f4a7c15)};
  return d;
}

void ww_divergence_free(struct ww_divergence *divergence) {
  if (!divergence)
    return;
  free(divergence->records.slots);
  free(divergence->aspas.slots);
  free(divergence);
}
