/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verifier: keys by their point, and which of them have a table.
 *
 * A key is found by its 64 octets, whatever AS and SKI a record binds it to: who may use it is asked of the key source
 * each time and is not remembered here. Every entry has a generation, a number that is never given twice, under which
 * its good signatures are known (known.h): forgetting a key forgets them.
 *
 * Locking: one readers-writer lock over the table of keys. Looking a key up takes it shared, for the time of the
 * look-up and of counting references; parsing a key, building a table and verifying happen outside. Entries are changed
 * with the lock held exclusively. What was handed out lives by its references, so an eviction waits for nobody.
 *
 * Tables: ww_p256_key counts its verifications in `uses`, halved now and then so that it says what is used lately. A
 * key with `hot_after` of them wants a table. When all tables are taken, it gets one only if it was used twice as much
 * as the table's owner that was used least: two keys of the same rate do not chase each other, at 20 ms a time.
 */
#include "bgpsec/verifier.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#include <openssl/rand.h>

enum { BUCKETS_MIN = 64, HALVE_AFTER_TABLES = 16 };

struct entry {
  struct entry *next;
  struct ww_p256_key *key;
  struct ww_p256_table *table;
  uint64_t generation;
  atomic_uint_fast64_t met; /* the verifier's clock when last looked up: who is evicted */
};

struct ww_bgpsec_verifier {
  struct ww_p256 *p256;
  struct ww_known *known;
  size_t keys_max, tables_max;
  uint32_t hot_after;
  enum ww_p256_tier tier;
  uint8_t suites[32]; /* a bit for each that is supported */
  struct ww_hash_key secret;

  pthread_rwlock_t lock; /* of what follows, up to the counts */
  struct entry **buckets;
  size_t bucket_count, key_count, table_count;
  uint64_t generation;
  uint64_t halved_at; /* `verified` when uses were last halved */

  atomic_uint_fast64_t clock, verified, known_hits, built, evicted;
};

/* --- life ------------------------------------------------------------------------------------------------------- */

static bool set_suites(struct ww_bgpsec_verifier *v, const struct ww_bgpsec_options *o) {
  static const uint8_t standard = WW_BGPSEC_SUITE_P256;
  const uint8_t *suites = o->suites ? o->suites : &standard;
  size_t count = o->suites ? o->suite_count : 1;
  for (size_t i = 0; i < count; i++) {
    /* RFC 8608 §2.1: experimentation and documentation. */
    if (suites[i] != WW_BGPSEC_SUITE_P256 && (suites[i] < 0xf7 || suites[i] > 0xfe))
      return false;
    v->suites[suites[i] / 8] |= (uint8_t)(1u << suites[i] % 8);
  }
  return true;
}

enum ww_err ww_bgpsec_verifier_new(const struct ww_bgpsec_options *options, struct ww_bgpsec_verifier **out) {
  static const struct ww_bgpsec_options defaults;
  const struct ww_bgpsec_options *o = options ? options : &defaults;
  struct ww_bgpsec_verifier *v = calloc(1, sizeof *v);
  if (!v)
    return WW_ERR_NOMEM;
  enum ww_err err = set_suites(v, o) ? WW_OK : WW_ERR_INVAL;
  v->keys_max = o->keys_max ? o->keys_max : WW_BGPSEC_KEYS_DEFAULT;
  v->tables_max = o->no_tables || o->reference ? 0 : o->tables_max ? o->tables_max : WW_BGPSEC_TABLES_DEFAULT;
  v->hot_after = o->hot_after ? o->hot_after : WW_BGPSEC_HOT_AFTER_DEFAULT;
  v->tier = o->reference ? WW_P256_REFERENCE : WW_P256_AUTO;
  if (!ww_p256_has_tables())
    v->tables_max = 0;
  v->bucket_count = BUCKETS_MIN;
  while (v->bucket_count < v->keys_max / 2 && v->bucket_count < SIZE_MAX / 2 / sizeof *v->buckets)
    v->bucket_count *= 2;
  if (!err) {
    v->buckets = calloc(v->bucket_count, sizeof(struct entry *));
    if (!v->buckets || RAND_bytes((unsigned char *)&v->secret, sizeof v->secret) != 1)
      err = WW_ERR_NOMEM;
  }
  if (!err)
    err = ww_p256_new(&v->p256);
  if (!err && !o->no_known)
    err = ww_known_new(o->known_max ? o->known_max : WW_BGPSEC_KNOWN_DEFAULT, &v->known);
  pthread_rwlock_init(&v->lock, NULL);
  if (err) {
    ww_bgpsec_verifier_free(v);
    return err;
  }
  *out = v;
  return WW_OK;
}

static void free_entry(struct ww_bgpsec_verifier *v, struct entry *entry) {
  v->key_count--;
  v->table_count -= entry->table != NULL;
  ww_p256_table_unref(entry->table);
  ww_p256_key_unref(entry->key);
  free(entry);
}

void ww_bgpsec_verifier_free(struct ww_bgpsec_verifier *v) {
  if (!v)
    return;
  for (size_t i = 0; v->buckets && i < v->bucket_count; i++)
    for (struct entry *entry = v->buckets[i], *next; entry; entry = next) {
      next = entry->next;
      free_entry(v, entry);
    }
  free(v->buckets);
  ww_known_free(v->known);
  ww_p256_free(v->p256);
  pthread_rwlock_destroy(&v->lock);
  free(v);
}

/* --- keys ------------------------------------------------------------------------------------------------------- */

static struct entry **place_of(struct ww_bgpsec_verifier *v, const uint8_t *point) {
  struct entry **at = &v->buckets[ww_siphash(&v->secret, point, WW_P256_POINT_LEN) & (v->bucket_count - 1)];
  while (*at && memcmp((*at)->key->point, point, WW_P256_POINT_LEN) != 0)
    at = &(*at)->next;
  return at;
}

/* With the lock held, in either way. */
static void hand_out(struct ww_bgpsec_verifier *v, struct entry *entry, struct ww_verifier_key *out) {
  out->key = ww_p256_key_ref(entry->key);
  out->table = entry->table ? ww_p256_table_ref(entry->table) : NULL;
  out->generation = entry->generation;
  atomic_store_explicit(&entry->met, atomic_fetch_add_explicit(&v->clock, 1, memory_order_relaxed),
                        memory_order_relaxed);
}

/* Makes room for one: drops the key that was met longest ago. Rare, so a walk over all of them will do. */
static void evict_key(struct ww_bgpsec_verifier *v) {
  struct entry **oldest = NULL;
  for (size_t i = 0; i < v->bucket_count; i++)
    for (struct entry **at = &v->buckets[i]; *at; at = &(*at)->next)
      if (!oldest || atomic_load(&(*at)->met) < atomic_load(&(*oldest)->met))
        oldest = at;
  if (!oldest)
    return;
  struct entry *entry = *oldest;
  *oldest = entry->next;
  free_entry(v, entry);
}

enum ww_err ww_verifier_take(struct ww_bgpsec_verifier *v, const uint8_t *point, struct ww_verifier_key *out) {
  pthread_rwlock_rdlock(&v->lock);
  struct entry *entry = *place_of(v, point);
  if (entry)
    hand_out(v, entry, out);
  pthread_rwlock_unlock(&v->lock);
  if (entry)
    return WW_OK;
  struct ww_p256_key *key;
  enum ww_err err = ww_p256_key_new(v->p256, point, &key);
  if (err)
    return err;
  struct entry *fresh = calloc(1, sizeof *fresh);
  if (!fresh) {
    ww_p256_key_unref(key);
    return WW_ERR_NOMEM;
  }
  fresh->key = key;
  atomic_init(&fresh->met, 0);
  pthread_rwlock_wrlock(&v->lock);
  struct entry **at = place_of(v, point);
  if (*at) { /* another thread was faster */
    entry = *at;
  } else {
    if (v->key_count == v->keys_max) {
      evict_key(v);
      at = place_of(v, point);
    }
    fresh->generation = ++v->generation;
    *at = entry = fresh;
    fresh = NULL;
    v->key_count++;
  }
  hand_out(v, entry, out);
  pthread_rwlock_unlock(&v->lock);
  if (fresh) {
    ww_p256_key_unref(fresh->key);
    free(fresh);
  }
  return WW_OK;
}

void ww_verifier_drop(struct ww_verifier_key *key) {
  ww_p256_table_unref(key->table);
  ww_p256_key_unref(key->key);
  *key = (struct ww_verifier_key){0};
}

void ww_bgpsec_forget_key(struct ww_bgpsec_verifier *v, const uint8_t *spki, size_t len) {
  const uint8_t *point = ww_p256_spki_point(spki, len);
  if (!point)
    return;
  pthread_rwlock_wrlock(&v->lock);
  struct entry **at = place_of(v, point), *entry = *at;
  if (entry) {
    *at = entry->next;
    free_entry(v, entry);
  }
  pthread_rwlock_unlock(&v->lock);
}

/* --- tables ----------------------------------------------------------------------------------------------------- */

static uint32_t uses_of(const struct entry *entry) {
  return atomic_load_explicit(&entry->key->uses, memory_order_relaxed);
}

/* With the lock held: the key without a table that was used most, the key with a table that was used least, and how
 * many could have a table. */
struct survey {
  struct entry *best, *least;
  size_t wanted;
};

static struct survey survey(const struct ww_bgpsec_verifier *v) {
  struct survey s = {0};
  for (size_t i = 0; i < v->bucket_count; i++)
    for (struct entry *entry = v->buckets[i]; entry; entry = entry->next) {
      struct entry **extreme = entry->table ? &s.least : &s.best;
      if (!*extreme || (entry->table ? uses_of(entry) < uses_of(*extreme) : uses_of(entry) > uses_of(*extreme)))
        *extreme = entry;
    }
  if (s.best && uses_of(s.best) < v->hot_after)
    s.best = NULL;
  bool full = v->table_count >= v->tables_max;
  if (!v->tables_max || (s.best && full && (!s.least || uses_of(s.best) / 2 < uses_of(s.least))))
    s.best = NULL;
  for (size_t i = 0; s.best && i < v->bucket_count; i++)
    for (struct entry *entry = v->buckets[i]; entry; entry = entry->next)
      s.wanted += !entry->table && uses_of(entry) >= v->hot_after && (!full || uses_of(entry) / 2 >= uses_of(s.least));
  return s;
}

size_t ww_bgpsec_tables_wanted(const struct ww_bgpsec_verifier *verifier) {
  pthread_rwlock_t *lock = (pthread_rwlock_t *)(uintptr_t)&verifier->lock; /* locking changes nothing that shows */
  pthread_rwlock_rdlock(lock);
  size_t wanted = survey(verifier).wanted;
  pthread_rwlock_unlock(lock);
  return wanted;
}

/* So that what was hot last year gives way. */
static void halve_uses(struct ww_bgpsec_verifier *v) {
  uint64_t verified = atomic_load(&v->verified);
  if (verified - v->halved_at < (uint64_t)v->hot_after * v->tables_max * HALVE_AFTER_TABLES)
    return;
  v->halved_at = verified;
  for (size_t i = 0; i < v->bucket_count; i++)
    for (struct entry *entry = v->buckets[i]; entry; entry = entry->next)
      atomic_store_explicit(&entry->key->uses, uses_of(entry) / 2, memory_order_relaxed);
}

/* Gives `key` its table, if it is still there and there is room. */
static bool install(struct ww_bgpsec_verifier *v, const struct ww_p256_key *key, struct ww_p256_table *table) {
  struct ww_p256_table *victim = NULL;
  pthread_rwlock_wrlock(&v->lock);
  struct entry *entry = *place_of(v, key->point);
  bool wanted = entry && entry->key == key && !entry->table;
  struct entry *least = wanted && v->table_count >= v->tables_max ? survey(v).least : NULL;
  if (least) {
    victim = least->table;
    least->table = NULL;
    v->table_count--;
    atomic_fetch_add(&v->evicted, 1);
  }
  if (wanted) {
    entry->table = table;
    v->table_count++;
    atomic_fetch_add(&v->built, 1);
  }
  pthread_rwlock_unlock(&v->lock);
  ww_p256_table_unref(victim);
  return wanted;
}

size_t ww_bgpsec_build_tables(struct ww_bgpsec_verifier *v, size_t max) {
  size_t built = 0;
  while (built < max) {
    pthread_rwlock_wrlock(&v->lock);
    halve_uses(v);
    struct entry *best = survey(v).best;
    struct ww_p256_key *key = best ? ww_p256_key_ref(best->key) : NULL;
    pthread_rwlock_unlock(&v->lock);
    if (!key)
      break;
    struct ww_p256_table *table = ww_p256_table_new(v->p256, key);
    bool installed = table && install(v, key, table);
    ww_p256_key_unref(key);
    if (!installed)
      ww_p256_table_unref(table);
    if (!table)
      break;
    built += installed;
  }
  return built;
}

/* --- the rest --------------------------------------------------------------------------------------------------- */

const struct ww_p256 *ww_verifier_p256(const struct ww_bgpsec_verifier *v) { return v->p256; }
struct ww_known *ww_verifier_known(struct ww_bgpsec_verifier *v) {
  return v->known;
}
enum ww_p256_tier ww_verifier_tier(const struct ww_bgpsec_verifier *v) { return v->tier; }

bool ww_verifier_supports(const struct ww_bgpsec_verifier *v, uint8_t suite) {
  return v->suites[suite / 8] >> suite % 8 & 1;
}

void ww_verifier_count(struct ww_bgpsec_verifier *v, size_t verified, size_t known) {
  atomic_fetch_add_explicit(&v->verified, verified, memory_order_relaxed);
  atomic_fetch_add_explicit(&v->known_hits, known, memory_order_relaxed);
}

void ww_bgpsec_verifier_counts(const struct ww_bgpsec_verifier *v, struct ww_bgpsec_counts *out) {
  pthread_rwlock_t *lock = (pthread_rwlock_t *)(uintptr_t)&v->lock;
  pthread_rwlock_rdlock(lock);
  *out = (struct ww_bgpsec_counts){.keys = v->key_count,
                                   .tables = v->table_count,
                                   .known = v->known ? ww_known_count(v->known) : 0,
                                   .verified = atomic_load(&v->verified),
                                   .known_hits = atomic_load(&v->known_hits),
                                   .tables_built = atomic_load(&v->built),
                                   .tables_evicted = atomic_load(&v->evicted)};
  pthread_rwlock_unlock(lock);
}
