/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set-associative memory: a tag's first octets name its set of four, the longest unused of which makes room. Sets are
 * guarded by one of 64 locks. It never grows and never shrinks.
 *
 * Only good signatures are kept: bad ones are a peer's to make without end, and would push the good ones out.
 *
 * Clauses: RFC 8205 §7.4.
 */
#include "bgpsec/known.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

enum { WAYS = 4, LOCKS = 64, SECRET_LEN = 32 };

struct entry {
  struct ww_known_tag tag;
  uint32_t used; /* the set's clock when last met; 0: free */
};

struct set {
  struct entry entries[WAYS];
};

struct ww_known {
  uint8_t secret[SECRET_LEN];
  struct set *sets;
  size_t set_count; /* a power of two */
  atomic_size_t count;
  pthread_mutex_t locks[LOCKS];
};

enum ww_err ww_known_new(size_t max, struct ww_known **out) {
  size_t sets = 1;
  while (sets * WAYS < max && sets < SIZE_MAX / 2 / sizeof(struct set))
    sets *= 2;
  struct ww_known *k = calloc(1, sizeof *k);
  if (k)
    k->sets = calloc(sets, sizeof *k->sets);
  if (!k || !k->sets || RAND_bytes(k->secret, sizeof k->secret) != 1) {
    if (k)
      free(k->sets);
    free(k);
    return WW_ERR_NOMEM;
  }
  k->set_count = sets;
  atomic_init(&k->count, 0);
  for (unsigned i = 0; i < LOCKS; i++)
    pthread_mutex_init(&k->locks[i], NULL);
  *out = k;
  return WW_OK;
}

void ww_known_free(struct ww_known *k) {
  if (!k)
    return;
  for (unsigned i = 0; i < LOCKS; i++)
    pthread_mutex_destroy(&k->locks[i]);
  free(k->sets);
  free(k);
}

bool ww_known_tag(const struct ww_known *k, struct ww_p256_scratch *scratch, uint64_t generation,
                  const struct ww_p256_job *job, struct ww_known_tag *out) {
  struct {
    uint8_t secret[SECRET_LEN];
    uint64_t generation;
    uint8_t digest[WW_P256_OCTETS], r[WW_P256_OCTETS], s[WW_P256_OCTETS];
  } input; /* no padding: 32 + 8 + 96 */
  _Static_assert(sizeof input == SECRET_LEN + 8 + 3 * WW_P256_OCTETS, "padding would be hashed");
  memcpy(input.secret, k->secret, sizeof input.secret);
  input.generation = generation;
  memcpy(input.digest, job->digest, sizeof input.digest);
  memcpy(input.r, job->signature.r, sizeof input.r);
  memcpy(input.s, job->signature.s, sizeof input.s);
  return ww_p256_digest(scratch, &input, sizeof input, out->octets);
}

static size_t set_of(const struct ww_known *k, const struct ww_known_tag *tag) {
  uint64_t v;
  memcpy(&v, tag->octets, sizeof v);
  return (size_t)v & (k->set_count - 1);
}

/* Called with the set's lock held. The clock is the highest `used` plus one; it starts anew when it is full. */
static void touch(struct set *set, struct entry *entry) {
  uint32_t highest = 0;
  for (unsigned i = 0; i < WAYS; i++)
    highest = set->entries[i].used > highest ? set->entries[i].used : highest;
  if (highest == UINT32_MAX) {
    for (unsigned i = 0; i < WAYS; i++)
      set->entries[i].used = set->entries[i].used ? 1 : 0;
    highest = 1;
  }
  entry->used = highest + 1;
}

static struct entry *find(struct set *set, const struct ww_known_tag *tag) {
  for (unsigned i = 0; i < WAYS; i++)
    if (set->entries[i].used && memcmp(&set->entries[i].tag, tag, sizeof *tag) == 0)
      return &set->entries[i];
  return NULL;
}

bool ww_known_has(struct ww_known *k, const struct ww_known_tag *tag) {
  size_t at = set_of(k, tag);
  pthread_mutex_t *lock = &k->locks[at % LOCKS];
  pthread_mutex_lock(lock);
  struct entry *entry = find(&k->sets[at], tag);
  if (entry)
    touch(&k->sets[at], entry);
  pthread_mutex_unlock(lock);
  return entry != NULL;
}

void ww_known_add(struct ww_known *k, const struct ww_known_tag *tag) {
  size_t at = set_of(k, tag);
  struct set *set = &k->sets[at];
  pthread_mutex_t *lock = &k->locks[at % LOCKS];
  pthread_mutex_lock(lock);
  struct entry *entry = find(set, tag), *oldest = &set->entries[0];
  for (unsigned i = 1; i < WAYS; i++)
    oldest = set->entries[i].used < oldest->used ? &set->entries[i] : oldest;
  if (!entry) {
    entry = oldest;
    if (!entry->used)
      atomic_fetch_add_explicit(&k->count, 1, memory_order_relaxed);
    entry->tag = *tag;
  }
  touch(set, entry);
  pthread_mutex_unlock(lock);
}

size_t ww_known_count(const struct ww_known *k) { return atomic_load_explicit(&k->count, memory_order_relaxed); }
