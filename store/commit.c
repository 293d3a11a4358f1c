/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commits: what a completed update of a source does to the store.
 *
 * Both commits go the same way. First the difference between what is stored and what shall be is worked out, by reading
 * alone: for a whole set by merging its records with a cursor over the source, both in one order; for increments by
 * looking up each record. Then the difference is written, and is what the caller gets: verdicts follow from exactly
 * what went to disk. An unchanged set writes nothing but the source's record. Between the two the caller's hook is
 * asked what the difference does to the effective set: that is written with it, as the history's entry of the epoch.
 *
 * Invariants: announce, withdraw and refresh are disjoint and sorted; stored + difference = new set; the epoch moves by
 * one when any of them holds something or the effective set changes, else stays. CHOICE: an expiry that moved counts as
 * a change: a reader that keeps a snapshot for an epoch must learn of it, though no verdict changes.
 *
 * The work may be run again from its start when the map must grow (ww_store_write()), so it clears what it fills.
 */
#include "store/internal.h"

#include <stdlib.h>
#include <string.h>

#include "store/key.h"

struct commit {
  struct ww_source_record *record;  /* the caller's */
  const struct ww_payloads *set;    /* a whole set, or */
  struct ww_payload_delta *changes; /* increments */
  struct ww_payload_delta delta;    /* what really changes */
  struct ww_source_record result;   /* the record as written */
  struct ww_store_hook hook;
  uint32_t epoch;
};

/* A walk over the stored records of one kind. */
struct walk {
  struct ww_txn *t;
  uint8_t prefix[WW_STORE_KEY_MAX];
  MDB_val key, value;
  bool more;
};

static void walk_check(struct walk *w) {
  w->more =
      w->more && w->key.mv_size > WW_STORE_PREFIX_LEN && memcmp(w->key.mv_data, w->prefix, WW_STORE_PREFIX_LEN) == 0;
}

static void walk_begin(struct walk *w, struct ww_store *store, struct ww_txn *t, ww_source_id id,
                       enum ww_store_kind kind) {
  w->t = t;
  (void)ww_store_key_prefix(w->prefix, id, kind);
  w->more = ww_txn_seek(t, store->payloads, w->prefix, WW_STORE_PREFIX_LEN, &w->key, &w->value);
  walk_check(w);
}

static void walk_next(struct walk *w) {
  w->more = ww_txn_next(w->t, &w->key, &w->value);
  walk_check(w);
}

/* As LMDB orders them. */
static int key_order(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len) {
  int c = memcmp(a, b, a_len < b_len ? a_len : b_len);
  return c ? c : (a_len > b_len) - (a_len < b_len);
}

/* Which of the two goes first: -1 the new record, 1 the stored one, 0 they are the same. */
static int merge_step(const struct walk *w, bool have, const uint8_t *key, size_t key_len) {
  if (!w->more)
    return -1;
  return have ? key_order(key, key_len, w->key.mv_data, w->key.mv_size) : 1;
}

static enum ww_err unsorted(struct ww_diag *diag) {
  return ww_fail(diag, WW_ERR_INVAL, 0, NULL, "store: a set that is not sorted");
}

static enum ww_err damaged(struct ww_diag *diag, const char *what) {
  return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "store: %s that cannot be; the store is damaged", what);
}

static enum ww_err merge_vrps(struct ww_store *store, struct ww_txn *t, struct commit *c, struct ww_diag *diag) {
  const struct ww_payloads *set = c->set;
  ww_source_id id = c->record->id;
  struct walk w;
  uint8_t key[WW_STORE_KEY_MAX];
  size_t key_len = 0, encoded = SIZE_MAX;
  walk_begin(&w, store, t, id, WW_STORE_VRP);
  for (size_t i = 0; (i < set->vrp_count || w.more) && ww_txn_good(t);) {
    bool have = i < set->vrp_count;
    if (have && encoded != i) {
      if (i && ww_vrp_compare(&set->vrps[i - 1], &set->vrps[i]) >= 0)
        return unsorted(diag);
      key_len = ww_store_key_vrp(key, id, &set->vrps[i]);
      encoded = i;
    }
    int side = merge_step(&w, have, key, key_len);
    enum ww_err err = WW_OK;
    struct ww_vrp stored;
    if (side >= 0 && !ww_store_vrp_read(w.key.mv_data, w.key.mv_size, w.value.mv_data, w.value.mv_size, &stored))
      return damaged(diag, "a VRP");
    if (side < 0)
      err = ww_payloads_add_vrp(&c->delta.announce, &set->vrps[i]);
    else if (side > 0)
      err = ww_payloads_add_vrp(&c->delta.withdraw, &stored);
    else if (stored.expires != set->vrps[i].expires)
      err = ww_payloads_add_vrp(&c->delta.refresh, &set->vrps[i]);
    if (err != WW_OK)
      return err == WW_ERR_INVAL ? ww_fail(diag, err, 0, NULL, "store: a VRP that cannot be") : err;
    if (side <= 0)
      i++;
    if (side >= 0)
      walk_next(&w);
  }
  return WW_OK;
}

/* Do these octets in network order hold just these providers? */
static bool same_providers(const struct ww_aspa *aspa, uint32_t count, const uint8_t *octets) {
  if (aspa->provider_count != count)
    return false;
  struct ww_reader r = ww_reader_make(octets, (size_t)count * 4);
  for (uint32_t i = 0; i < count; i++)
    if (ww_reader_u32(&r) != aspa->providers[i])
      return false;
  return true;
}

/* What the announcement of `aspa` means where `value` is stored. */
static enum ww_err diff_aspa(struct ww_payload_delta *delta, const struct ww_aspa *aspa, const MDB_val *key,
                             const MDB_val *value, struct ww_diag *diag) {
  struct ww_aspa stored;
  const uint8_t *octets;
  if (!ww_store_aspa_read(key->mv_data, key->mv_size, value->mv_data, value->mv_size, &stored, &octets))
    return damaged(diag, "an ASPA");
  if (!same_providers(aspa, stored.provider_count, octets))
    return ww_payloads_add_aspa(&delta->announce, aspa); /* announce replaces */
  if (aspa->expires != stored.expires)
    return ww_payloads_add_aspa(&delta->refresh, aspa);
  return WW_OK;
}

static enum ww_err merge_aspas(struct ww_store *store, struct ww_txn *t, struct commit *c, struct ww_diag *diag) {
  const struct ww_payloads *set = c->set;
  ww_source_id id = c->record->id;
  struct walk w;
  walk_begin(&w, store, t, id, WW_STORE_ASPA);
  for (size_t i = 0; (i < set->aspa_count || w.more) && ww_txn_good(t);) {
    bool have = i < set->aspa_count;
    uint8_t key[WW_STORE_KEY_MAX];
    size_t key_len = 0;
    if (have) {
      if (i && set->aspas[i - 1].customer >= set->aspas[i].customer)
        return unsorted(diag);
      key_len = ww_store_key_aspa(key, id, set->aspas[i].customer);
    }
    int side = merge_step(&w, have, key, key_len);
    enum ww_err err;
    if (side < 0) {
      err = ww_payloads_add_aspa(&c->delta.announce, &set->aspas[i]);
    } else if (side > 0) {
      struct ww_aspa stored;
      const uint8_t *octets;
      if (!ww_store_aspa_read(w.key.mv_data, w.key.mv_size, w.value.mv_data, w.value.mv_size, &stored, &octets))
        return damaged(diag, "an ASPA");
      stored.provider_count = 0;
      err = ww_payloads_add_aspa(&c->delta.withdraw, &stored);
    } else {
      err = diff_aspa(&c->delta, &set->aspas[i], &w.key, &w.value, diag);
    }
    if (err != WW_OK)
      return err;
    if (side <= 0)
      i++;
    if (side >= 0)
      walk_next(&w);
  }
  return WW_OK;
}

/* Router keys in the order of their LMDB keys, which is not theirs (key.c). */
struct placed_key {
  uint8_t key[WW_STORE_ROUTER_KEY_LEN];
  const struct ww_router_key *router_key;
};

static int placed_order(const void *a, const void *b) {
  const struct placed_key *x = a, *y = b;
  return memcmp(x->key, y->key, sizeof(x->key));
}

static enum ww_err place_keys(const struct ww_router_key *keys, size_t count, ww_source_id id,
                              struct placed_key **out) {
  *out = NULL;
  if (!count)
    return WW_OK;
  struct placed_key *placed = calloc(count, sizeof(*placed));
  if (!placed)
    return WW_ERR_NOMEM;
  for (size_t i = 0; i < count; i++) {
    uint8_t key[WW_STORE_KEY_MAX];
    placed[i].router_key = &keys[i];
    if (!ww_store_key_router_key(key, id, &keys[i])) {
      free(placed);
      return WW_ERR_NOMEM; /* the digest of a few octets fails for want of memory only */
    }
    memcpy(placed[i].key, key, sizeof(placed[i].key));
  }
  qsort(placed, count, sizeof(*placed), placed_order);
  *out = placed;
  return WW_OK;
}

static enum ww_err merge_placed(struct walk *w, struct ww_txn *t, const struct placed_key *placed, size_t count,
                                struct ww_payload_delta *delta, struct ww_diag *diag) {
  for (size_t i = 0; (i < count || w->more) && ww_txn_good(t);) {
    bool have = i < count;
    if (have && i && placed_order(&placed[i - 1], &placed[i]) == 0)
      return unsorted(diag);
    const uint8_t *key = have ? placed[i].key : w->prefix; /* not looked at */
    int side = merge_step(w, have, key, have ? sizeof(placed[i].key) : 0);
    struct ww_router_key stored;
    if (side >= 0 &&
        !ww_store_router_key_read(w->key.mv_data, w->key.mv_size, w->value.mv_data, w->value.mv_size, &stored))
      return damaged(diag, "a router key");
    enum ww_err err = WW_OK;
    if (side < 0)
      err = ww_payloads_add_key(&delta->announce, placed[i].router_key);
    else if (side > 0)
      err = ww_payloads_add_key(&delta->withdraw, &stored);
    else if (stored.expires != placed[i].router_key->expires)
      err = ww_payloads_add_key(&delta->refresh, placed[i].router_key);
    if (err != WW_OK)
      return err;
    if (side <= 0)
      i++;
    if (side >= 0)
      walk_next(w);
  }
  return WW_OK;
}

static enum ww_err sort_delta(struct ww_payload_delta *delta) {
  /* In order already but for router keys of one AS and SKI: one pass. */
  enum ww_err err = ww_payloads_sort(&delta->announce);
  if (err == WW_OK)
    err = ww_payloads_sort(&delta->withdraw);
  return err == WW_OK ? ww_payloads_sort(&delta->refresh) : err;
}

static enum ww_err merge_keys(struct ww_store *store, struct ww_txn *t, struct commit *c, struct ww_diag *diag) {
  struct placed_key *placed;
  enum ww_err err = place_keys(c->set->keys, c->set->key_count, c->record->id, &placed);
  if (err != WW_OK)
    return err;
  struct walk w;
  walk_begin(&w, store, t, c->record->id, WW_STORE_ROUTER_KEY);
  err = merge_placed(&w, t, placed, c->set->key_count, &c->delta, diag);
  free(placed);
  return err;
}

/* --- increments: each record looked up ------------------------------------------------------------------------- */

static enum ww_err look_vrps(struct ww_store *store, struct ww_txn *t, struct commit *c, struct ww_diag *diag) {
  const struct ww_payloads *in = &c->changes->announce, *gone = &c->changes->withdraw;
  ww_source_id id = c->record->id;
  uint8_t key[WW_STORE_KEY_MAX];
  MDB_val v;
  struct ww_vrp stored;
  enum ww_err err = WW_OK;
  size_t beside = 0; /* first announcement that is not before the withdrawal at hand */
  for (size_t i = 0; i < gone->vrp_count && err == WW_OK; i++) {
    while (beside < in->vrp_count && ww_vrp_compare(&in->vrps[beside], &gone->vrps[i]) < 0)
      beside++;
    if (beside < in->vrp_count && ww_vrp_compare(&in->vrps[beside], &gone->vrps[i]) == 0)
      continue; /* withdrawn, then announced: it stays */
    size_t len = ww_store_key_vrp(key, id, &gone->vrps[i]);
    if (!ww_txn_get(t, store->payloads, key, len, &v))
      continue;
    if (!ww_store_vrp_read(key, len, v.mv_data, v.mv_size, &stored))
      return damaged(diag, "a VRP");
    err = ww_payloads_add_vrp(&c->delta.withdraw, &stored);
  }
  for (size_t i = 0; i < in->vrp_count && err == WW_OK; i++) {
    size_t len = ww_store_key_vrp(key, id, &in->vrps[i]);
    bool found = ww_txn_get(t, store->payloads, key, len, &v);
    if (found && !ww_store_vrp_read(key, len, v.mv_data, v.mv_size, &stored))
      return damaged(diag, "a VRP");
    if (!found)
      err = ww_payloads_add_vrp(&c->delta.announce, &in->vrps[i]);
    else if (stored.expires != in->vrps[i].expires)
      err = ww_payloads_add_vrp(&c->delta.refresh, &in->vrps[i]);
  }
  return err;
}

static enum ww_err look_aspas(struct ww_store *store, struct ww_txn *t, struct commit *c, uint64_t *added,
                              struct ww_diag *diag) {
  const struct ww_payloads *in = &c->changes->announce, *gone = &c->changes->withdraw;
  ww_source_id id = c->record->id;
  uint8_t key[WW_STORE_KEY_MAX];
  MDB_val v;
  enum ww_err err = WW_OK;
  size_t beside = 0;
  for (size_t i = 0; i < gone->aspa_count && err == WW_OK; i++) {
    while (beside < in->aspa_count && in->aspas[beside].customer < gone->aspas[i].customer)
      beside++;
    if (beside < in->aspa_count && in->aspas[beside].customer == gone->aspas[i].customer)
      continue;
    size_t len = ww_store_key_aspa(key, id, gone->aspas[i].customer);
    struct ww_aspa stored;
    const uint8_t *octets;
    if (!ww_txn_get(t, store->payloads, key, len, &v))
      continue;
    if (!ww_store_aspa_read(key, len, v.mv_data, v.mv_size, &stored, &octets))
      return damaged(diag, "an ASPA");
    stored.provider_count = 0;
    err = ww_payloads_add_aspa(&c->delta.withdraw, &stored);
  }
  for (size_t i = 0; i < in->aspa_count && err == WW_OK; i++) {
    size_t len = ww_store_key_aspa(key, id, in->aspas[i].customer);
    if (ww_txn_get(t, store->payloads, key, len, &v)) {
      err = diff_aspa(&c->delta, &in->aspas[i], &(MDB_val){.mv_size = len, .mv_data = key}, &v, diag);
    } else {
      err = ww_payloads_add_aspa(&c->delta.announce, &in->aspas[i]);
      ++*added;
    }
  }
  return err;
}

static enum ww_err look_keys(struct ww_store *store, struct ww_txn *t, struct commit *c, struct ww_diag *diag) {
  const struct ww_payloads *in = &c->changes->announce, *gone = &c->changes->withdraw;
  ww_source_id id = c->record->id;
  uint8_t key[WW_STORE_KEY_MAX];
  MDB_val v;
  struct ww_router_key stored;
  enum ww_err err = WW_OK;
  size_t beside = 0;
  for (size_t i = 0; i < gone->key_count && err == WW_OK; i++) {
    while (beside < in->key_count && ww_router_key_compare(&in->keys[beside], &gone->keys[i]) < 0)
      beside++;
    if (beside < in->key_count && ww_router_key_compare(&in->keys[beside], &gone->keys[i]) == 0)
      continue;
    size_t len = ww_store_key_router_key(key, id, &gone->keys[i]);
    if (!len)
      return WW_ERR_NOMEM;
    if (!ww_txn_get(t, store->payloads, key, len, &v))
      continue;
    if (!ww_store_router_key_read(key, len, v.mv_data, v.mv_size, &stored))
      return damaged(diag, "a router key");
    err = ww_payloads_add_key(&c->delta.withdraw, &stored);
  }
  for (size_t i = 0; i < in->key_count && err == WW_OK; i++) {
    size_t len = ww_store_key_router_key(key, id, &in->keys[i]);
    if (!len)
      return WW_ERR_NOMEM;
    bool found = ww_txn_get(t, store->payloads, key, len, &v);
    if (found && !ww_store_router_key_read(key, len, v.mv_data, v.mv_size, &stored))
      return damaged(diag, "a router key");
    if (!found)
      err = ww_payloads_add_key(&c->delta.announce, &in->keys[i]);
    else if (stored.expires != in->keys[i].expires)
      err = ww_payloads_add_key(&c->delta.refresh, &in->keys[i]);
  }
  return err;
}

/* --- writing the difference ------------------------------------------------------------------------------------ */

static void delete_withdrawn(struct ww_store *store, struct ww_txn *t, ww_source_id id, const struct ww_payloads *set) {
  uint8_t key[WW_STORE_KEY_MAX];
  for (size_t i = 0; i < set->vrp_count && ww_txn_good(t); i++)
    (void)ww_txn_del(t, store->payloads, key, ww_store_key_vrp(key, id, &set->vrps[i]));
  for (size_t i = 0; i < set->aspa_count && ww_txn_good(t); i++)
    (void)ww_txn_del(t, store->payloads, key, ww_store_key_aspa(key, id, set->aspas[i].customer));
  for (size_t i = 0; i < set->key_count && ww_txn_good(t); i++) {
    size_t len = ww_store_key_router_key(key, id, &set->keys[i]);
    if (len)
      (void)ww_txn_del(t, store->payloads, key, len);
  }
}

/*
 * A first set fills pages whole, and then the first record that comes between two others splits its page into halves:
 * a day of small deltas would double the store. So a tenth of each page is kept free. LMDB has no such setting; what it
 * has is that a shorter value gives room back. Once in each page's worth of octets a record is appended with a long
 * value (spacer_after() says which), and in a second pass it gets its own.
 */
enum { SPACER = 408, PAGE_WORTH = 4080 - SPACER, NODE_OVERHEAD = 8 + 2 /* header and index entry */ };

static bool spacer_after(size_t *octets, size_t node) {
  *octets += NODE_OVERHEAD + node + node % 2;
  if (*octets < PAGE_WORTH)
    return false;
  *octets -= PAGE_WORTH;
  return true;
}

static void append_vrps(struct ww_store *store, struct ww_txn *t, ww_source_id id, const struct ww_payloads *set) {
  for (unsigned pass = 0; pass < 2; pass++) {
    size_t octets = 0;
    for (size_t i = 0; i < set->vrp_count && ww_txn_good(t); i++) {
      uint8_t key[WW_STORE_KEY_MAX], value[SPACER];
      size_t key_len = ww_store_key_vrp(key, id, &set->vrps[i]);
      size_t len = ww_store_expiry_write(value, set->vrps[i].expires);
      bool spacer = spacer_after(&octets, key_len + len);
      if (spacer)
        memset(value + len, 0, SPACER - len);
      if (pass == 0)
        ww_txn_append(t, store->payloads, key, key_len, value, spacer ? SPACER : len);
      else if (spacer)
        ww_txn_put(t, store->payloads, key, key_len, value, len);
    }
  }
}

/*
 * Where the records of another source lie beyond, each page that fills is split in half and never met again: a set that
 * is put in order leaves all pages half full. So of many, five of nine are put first, and the others in between: that
 * leaves a tenth of each page free, as above.
 */
enum { MANY = 4096, ROUND = 9, OF_A_ROUND_FIRST = 5 };

static void put_vrps(struct ww_store *store, struct ww_txn *t, ww_source_id id, const struct ww_payloads *set) {
  bool in_turns = set->vrp_count >= MANY;
  for (unsigned pass = 0; pass < (in_turns ? 2 : 1); pass++)
    for (size_t i = 0; i < set->vrp_count && ww_txn_good(t); i++) {
      uint8_t key[WW_STORE_KEY_MAX], value[WW_STORE_EXPIRY_MAX];
      if (in_turns && (i % ROUND < OF_A_ROUND_FIRST) != (pass == 0))
        continue;
      size_t key_len = ww_store_key_vrp(key, id, &set->vrps[i]);
      size_t len = ww_store_expiry_write(value, set->vrps[i].expires);
      ww_txn_put(t, store->payloads, key, key_len, value, len);
    }
}

/* `append`: no key of the database is beyond those of this source, and the source has none yet. */
static enum ww_err put_records(struct ww_store *store, struct ww_txn *t, ww_source_id id, const struct ww_payloads *set,
                               bool append) {
  uint8_t key[WW_STORE_KEY_MAX];
  if (append)
    append_vrps(store, t, id, set);
  else
    put_vrps(store, t, id, set);
  uint8_t *value = NULL;
  size_t value_cap = 8 + 4 * (size_t)WW_ASPA_PROVIDERS_MAX; /* more than a key's 8 + WW_SPKI_MAX */
  if ((set->aspa_count || set->key_count) && !(value = malloc(value_cap)))
    return WW_ERR_NOMEM;
  for (size_t i = 0; i < set->aspa_count && ww_txn_good(t); i++) {
    const struct ww_aspa *aspa = &set->aspas[i];
    struct ww_writer w = ww_writer_make(value, value_cap);
    ww_writer_u64(&w, (uint64_t)aspa->expires);
    for (uint32_t p = 0; p < aspa->provider_count; p++)
      ww_writer_u32(&w, aspa->providers[p]);
    ww_txn_put(t, store->payloads, key, ww_store_key_aspa(key, id, aspa->customer), value, w.len);
  }
  for (size_t i = 0; i < set->key_count && ww_txn_good(t); i++) {
    const struct ww_router_key *router_key = &set->keys[i];
    struct ww_writer w = ww_writer_make(value, value_cap);
    ww_writer_u64(&w, (uint64_t)router_key->expires);
    ww_writer_bytes(&w, router_key->spki, router_key->spki_len);
    size_t key_len = ww_store_key_router_key(key, id, router_key);
    if (!key_len) {
      free(value);
      return WW_ERR_NOMEM;
    }
    ww_txn_put(t, store->payloads, key, key_len, value, w.len);
  }
  free(value);
  return WW_OK;
}

static uint64_t count_v4(const struct ww_payloads *set) {
  size_t low = 0, high = set->vrp_count; /* IPv4 comes first: find where it ends */
  while (low < high) {
    size_t mid = low + (high - low) / 2;
    if (set->vrps[mid].prefix.afi == WW_AFI_IPV4)
      low = mid + 1;
    else
      high = mid;
  }
  return low;
}

static bool holds_any(const struct ww_payloads *set) { return set->vrp_count || set->aspa_count || set->key_count; }

bool ww_store_delta_holds(const struct ww_payload_delta *delta) {
  return holds_any(&delta->announce) || holds_any(&delta->withdraw) || holds_any(&delta->refresh);
}

/* The epoch of a commit, and its entry. */
static enum ww_err write_epoch(struct ww_store *store, struct ww_txn *t, const struct ww_store_hook *hook, bool changed,
                               uint32_t *epoch, struct ww_diag *diag) {
  if (!changed && !hook->effective) {
    *epoch = ww_store_meta_get(store, t, WW_META_EPOCH);
    return WW_OK;
  }
  *epoch = ww_store_next_epoch(store, t);
  return hook->fn ? ww_store_history_put(store, t, hook, *epoch, diag) : WW_OK;
}

static enum ww_err write_difference(struct ww_store *store, struct ww_txn *t, struct commit *c, struct ww_diag *diag) {
  struct ww_payload_delta *d = &c->delta;
  ww_source_id id = c->record->id;
  MDB_val k, v;
  uint8_t first[WW_STORE_KEY_MAX];
  size_t first_len = ww_store_key_prefix(first, id, WW_STORE_VRP);
  enum ww_err err = ww_store_hook_call(store, t, &c->hook, d, diag);
  if (err != WW_OK)
    return err;
  delete_withdrawn(store, t, id, &d->withdraw);
  bool append = !ww_txn_seek(t, store->payloads, first, first_len, &k, &v);
  err = put_records(store, t, id, &d->announce, append);
  if (err == WW_OK)
    err = put_records(store, t, id, &d->refresh, false);
  if (err == WW_OK)
    err = write_epoch(store, t, &c->hook, ww_store_delta_holds(d), &c->epoch, diag);
  return err == WW_OK ? ww_store_record_put(store, t, &c->result, diag) : err;
}

/* The record as it shall be written, with the counts as they are stored now. */
static enum ww_err begin_work(struct ww_store *store, struct ww_txn *t, struct commit *c, struct ww_diag *diag) {
  struct ww_source_record stored = {0};
  enum ww_err err = ww_store_record_get(store, t, c->record->id, &stored, diag);
  if (err != WW_OK)
    return err;
  ww_payload_delta_fini(&c->delta);
  c->delta.source = stored.id;
  c->result = *c->record;
  memcpy(c->result.name, stored.name, sizeof(stored.name));
  c->result.vrps_v4 = stored.vrps_v4;
  c->result.vrps_v6 = stored.vrps_v6;
  c->result.aspas = stored.aspas;
  c->result.router_keys = stored.router_keys;
  return WW_OK;
}

static enum ww_err full_work(struct ww_store *store, struct ww_txn *t, void *ctx, struct ww_diag *diag) {
  struct commit *c = ctx;
  enum ww_err err = begin_work(store, t, c, diag);
  if (err == WW_OK)
    err = merge_vrps(store, t, c, diag);
  if (err == WW_OK)
    err = merge_aspas(store, t, c, diag);
  if (err == WW_OK)
    err = merge_keys(store, t, c, diag);
  if (err == WW_OK)
    err = sort_delta(&c->delta);
  if (err != WW_OK)
    return err;
  c->result.vrps_v4 = count_v4(c->set);
  c->result.vrps_v6 = c->set->vrp_count - c->result.vrps_v4;
  c->result.aspas = c->set->aspa_count;
  c->result.router_keys = c->set->key_count;
  return write_difference(store, t, c, diag);
}

static enum ww_err delta_work(struct ww_store *store, struct ww_txn *t, void *ctx, struct ww_diag *diag) {
  struct commit *c = ctx;
  uint64_t added = 0;
  enum ww_err err = begin_work(store, t, c, diag);
  if (err == WW_OK)
    err = look_vrps(store, t, c, diag);
  if (err == WW_OK)
    err = look_aspas(store, t, c, &added, diag);
  if (err == WW_OK)
    err = look_keys(store, t, c, diag);
  if (err != WW_OK)
    return err;
  const struct ww_payload_delta *d = &c->delta;
  uint64_t in4 = count_v4(&d->announce), out4 = count_v4(&d->withdraw);
  c->result.vrps_v4 += in4 - out4;
  c->result.vrps_v6 += d->announce.vrp_count - in4 - (d->withdraw.vrp_count - out4);
  c->result.aspas += added - d->withdraw.aspa_count;
  c->result.router_keys += d->announce.key_count - d->withdraw.key_count;
  return write_difference(store, t, c, diag);
}

static enum ww_err run(struct ww_store *store, ww_store_work work, struct commit *c, struct ww_payload_delta *delta,
                       uint32_t *epoch, struct ww_diag *diag) {
  enum ww_err err = ww_store_write(store, work, c, diag);
  if (err != WW_OK) {
    ww_payload_delta_fini(&c->delta);
    return err;
  }
  *c->record = c->result;
  store->epoch = c->epoch;
  if (epoch)
    *epoch = c->epoch;
  if (delta)
    *delta = c->delta;
  else
    ww_payload_delta_fini(&c->delta);
  return WW_OK;
}

enum ww_err ww_store_commit_full(struct ww_store *store, struct ww_source_record *record, const struct ww_payloads *set,
                                 ww_store_change_fn change, void *ctx, struct ww_payload_delta *delta, uint32_t *epoch,
                                 struct ww_diag *diag) {
  struct commit c = {.record = record, .set = set, .hook = {.fn = change, .ctx = ctx}};
  /* A first set would otherwise find the map full a dozen times over. About 32 octets a VRP, pages half full. */
  uint64_t stored = record->vrps_v4 + record->vrps_v6;
  if (set->vrp_count > stored) {
    enum ww_err err = ww_store_reserve(store, (set->vrp_count - stored) * 64, diag);
    if (err != WW_OK)
      return err;
  }
  return run(store, full_work, &c, delta, epoch, diag);
}

enum ww_err ww_store_commit_delta(struct ww_store *store, struct ww_source_record *record,
                                  struct ww_payload_delta *changes, ww_store_change_fn change, void *ctx,
                                  struct ww_payload_delta *delta, uint32_t *epoch, struct ww_diag *diag) {
  struct commit c = {.record = record, .changes = changes, .hook = {.fn = change, .ctx = ctx}};
  enum ww_err err = ww_payloads_sort(&changes->announce);
  if (err == WW_OK)
    err = ww_payloads_sort(&changes->withdraw);
  return err == WW_OK ? run(store, delta_work, &c, delta, epoch, diag) : err;
}

/* --- without a source ------------------------------------------------------------------------------------------- */

struct other_commit {
  const struct ww_source_record *records;
  size_t count;
  const struct ww_store_slurm *slurm;
  struct ww_store_hook hook;
  uint32_t epoch;
};

static enum ww_err other_work(struct ww_store *store, struct ww_txn *t, void *ctx, struct ww_diag *diag) {
  struct other_commit *c = ctx;
  const struct ww_payload_delta nothing = {0};
  enum ww_err err = ww_store_hook_call(store, t, &c->hook, &nothing, diag);
  for (size_t i = 0; i < c->count && err == WW_OK; i++)
    err = ww_store_record_update(store, t, &c->records[i], diag);
  if (err == WW_OK && c->slurm)
    err = ww_store_slurm_put(store, t, c->slurm, diag);
  return err == WW_OK ? write_epoch(store, t, &c->hook, c->hook.fn == NULL, &c->epoch, diag) : err;
}

enum ww_err ww_store_commit_change(struct ww_store *store, const struct ww_source_record *records, size_t count,
                                   const struct ww_store_slurm *slurm, ww_store_change_fn change, void *ctx,
                                   uint32_t *epoch, struct ww_diag *diag) {
  struct other_commit c = {
      .records = records, .count = count, .slurm = slurm, .hook = {.fn = change, .ctx = ctx}, .epoch = 0};
  enum ww_err err = ww_store_write(store, other_work, &c, diag);
  if (err != WW_OK)
    return err;
  store->epoch = c.epoch;
  if (epoch)
    *epoch = c.epoch;
  return WW_OK;
}
