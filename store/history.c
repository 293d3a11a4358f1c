/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The history: an entry for each epoch that was committed with a hook, so that "what was, and what changed it" can be
 * answered later.
 *
 *   epoch (4 octets)              -> head (change.c)
 *   epoch, number (4 octets each) -> a piece of its deltas (blob.c)
 *
 * An entry is written in the transaction of its epoch and never touched again until it is pruned; entries are pruned
 * from the oldest on. So whoever walks from the newest back needs no transaction for the whole of the walk: what he
 * finds is what belongs there, and where he finds nothing it was pruned. Each entry is read in a transaction of its
 * own, and none is open while the visitor thinks.
 *
 * meta keeps the count of entries and the octets of their heads and deltas, so that pruning need not look at all.
 */
#include "store/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "store/blob.h"
#include "store/change.h"

enum { EPOCH_KEY_LEN = 4, PRUNE_AT_ONCE = 64 /* entries in one transaction */ };

static void epoch_key(uint8_t key[EPOCH_KEY_LEN], uint32_t epoch) {
  struct ww_writer w = ww_writer_make(key, EPOCH_KEY_LEN);
  ww_writer_u32(&w, epoch);
}

static enum ww_err damaged(struct ww_diag *diag, uint32_t epoch) {
  return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "store: the history of epoch %u is not whole; the store is damaged",
                 epoch);
}

/* --- writing --------------------------------------------------------------------------------------------------- */

enum ww_err ww_store_hook_call(struct ww_store *store, struct ww_txn *t, struct ww_store_hook *hook,
                               const struct ww_payload_delta *raw, struct ww_diag *diag) {
  hook->effective = false;
  if (!hook->fn || !ww_txn_good(t))
    return WW_OK;
  uint32_t epoch = ww_store_epoch_after(store, t);
  hook->change = (struct ww_store_change){.epoch = epoch};
  enum ww_err err = hook->fn(hook->ctx, raw, epoch, &hook->change, diag);
  ww_store_read_end(store); /* if it left one open, the map could not grow */
  for (size_t i = 0; err == WW_OK && i < hook->change.delta_count; i++)
    hook->effective = hook->effective || ww_store_delta_holds(&hook->change.deltas[i]);
  return err;
}

enum ww_err ww_store_history_put(struct ww_store *store, struct ww_txn *t, const struct ww_store_hook *hook,
                                 uint32_t epoch, struct ww_diag *diag) {
  struct ww_change_head head = {.change = hook->change};
  uint8_t key[EPOCH_KEY_LEN], octets[WW_CHANGE_HEAD_MAX], *deltas;
  enum ww_err err = ww_change_deltas_encode(&head, WW_STORE_CHANGE_MAX, &deltas, diag);
  if (err != WW_OK)
    return err;
  size_t len = ww_change_head_encode(&head, octets, sizeof(octets));
  struct ww_history_size size = ww_store_history_size(store, t);
  epoch_key(key, epoch);
  ww_txn_append(t, store->history, key, sizeof(key), octets, len);
  ww_blob_put(t, store->history, key, sizeof(key), deltas, head.octets, true);
  size.entries++;
  size.octets += len + head.octets;
  ww_store_history_size_put(store, t, size);
  free(deltas);
  return WW_OK;
}

/* --- reading --------------------------------------------------------------------------------------------------- */

/* The epoch that a key of the history begins with. */
static bool key_epoch(const MDB_val *k, uint32_t *epoch) {
  struct ww_reader r = ww_reader_make(k->mv_data, k->mv_size);
  *epoch = ww_reader_u32(&r);
  return !r.bad;
}

/* The newest entry of an epoch <= `from`. WW_ERR_NOTFOUND: none. */
static enum ww_err read_entry(struct ww_store *store, struct ww_txn *t, uint32_t from, struct ww_store_change *out,
                              struct ww_diag *diag) {
  uint8_t beyond[EPOCH_KEY_LEN + 5], key[EPOCH_KEY_LEN];
  MDB_val k, v;
  uint32_t epoch;
  memset(beyond, 0xff, sizeof(beyond)); /* after every piece of `from` */
  epoch_key(beyond, from);
  if (!ww_txn_seek_before(t, store->history, beyond, sizeof(beyond), &k, &v))
    return ww_txn_good(t) ? WW_ERR_NOTFOUND : WW_OK;
  if (!key_epoch(&k, &epoch))
    return damaged(diag, 0);
  struct ww_change_head head;
  epoch_key(key, epoch);
  if (!ww_txn_get(t, store->history, key, sizeof(key), &v))
    return ww_txn_good(t) ? damaged(diag, epoch) : WW_OK;
  enum ww_err err = ww_change_head_decode(v.mv_data, v.mv_size, &head, diag);
  if (err != WW_OK)
    return err;
  head.change.epoch = epoch;
  uint8_t *deltas = ww_blob_get(t, store->history, key, sizeof(key), head.octets, &err);
  if (deltas)
    err = ww_change_deltas_decode(deltas, head.octets, &head.change, diag);
  else if (err == WW_ERR_MALFORMED)
    err = damaged(diag, epoch);
  free(deltas);
  if (err == WW_OK)
    *out = head.change;
  return err;
}

enum ww_err ww_store_history(struct ww_store *store, uint32_t from, void *ctx,
                             int (*visit)(void *ctx, const struct ww_store_change *change), struct ww_diag *diag) {
  for (bool more = true; more;) {
    struct ww_store_change change = {0};
    struct ww_txn own, *t = ww_store_read_enter(store, &own);
    enum ww_err err = read_entry(store, t, from, &change, diag);
    if (err == WW_ERR_NOTFOUND && ww_txn_good(t)) {
      more = false;
      err = WW_OK;
    }
    err = ww_store_read_leave(t, &own, err, diag);
    if (err != WW_OK || !more) {
      ww_store_change_fini(&change);
      return err;
    }
    more = visit(ctx, &change) == 0 && change.epoch > 0;
    from = change.epoch - 1;
    ww_store_change_fini(&change);
  }
  return WW_OK;
}

/* --- pruning --------------------------------------------------------------------------------------------------- */

struct prune_job {
  int64_t before;
  size_t max_octets;
  bool more;
};

/* Removes the oldest entry if it has to go. */
static enum ww_err prune_one(struct ww_store *store, struct ww_txn *t, const struct prune_job *job,
                             struct ww_history_size *size, bool *removed, struct ww_diag *diag) {
  uint8_t key[EPOCH_KEY_LEN];
  MDB_val k, v;
  uint32_t epoch;
  struct ww_change_head head;
  *removed = false;
  epoch_key(key, 0);
  if (size->entries < 2 || !ww_txn_seek(t, store->history, key, sizeof(key), &k, &v))
    return WW_OK;
  if (!key_epoch(&k, &epoch) || k.mv_size != sizeof(key))
    return damaged(diag, 0);
  enum ww_err err = ww_change_head_decode(v.mv_data, v.mv_size, &head, diag);
  /* CHOICE: entries go in their order, by the oldest: one that a wrong clock dates later keeps those after it. */
  if (err != WW_OK || (head.change.time >= job->before && size->octets <= job->max_octets))
    return err;
  uint64_t octets = v.mv_size + head.octets;
  epoch_key(key, epoch);
  (void)ww_txn_del(t, store->history, key, sizeof(key));
  ww_blob_del(t, store->history, key, sizeof(key));
  size->entries--;
  size->octets -= octets < size->octets ? octets : size->octets;
  *removed = true;
  return WW_OK;
}

static enum ww_err prune_work(struct ww_store *store, struct ww_txn *t, void *ctx, struct ww_diag *diag) {
  struct prune_job *job = ctx;
  struct ww_history_size size = ww_store_history_size(store, t);
  bool removed = true;
  unsigned count = 0;
  for (; removed && count < PRUNE_AT_ONCE && ww_txn_good(t); count += removed) {
    enum ww_err err = prune_one(store, t, job, &size, &removed, diag);
    if (err != WW_OK)
      return err;
  }
  job->more = removed;
  if (count)
    ww_store_history_size_put(store, t, size);
  return WW_OK;
}

enum ww_err ww_store_prune(struct ww_store *store, int64_t before, size_t max_octets, bool *more,
                           struct ww_diag *diag) {
  struct prune_job job = {.before = before, .max_octets = max_octets};
  *more = false;
  int dead;
  int rc = mdb_reader_check(store->env, &dead);
  if (rc != MDB_SUCCESS)
    return ww_txn_fail(diag, rc, "looking after readers");
  enum ww_err err = ww_store_write(store, prune_work, &job, diag);
  *more = err == WW_OK && job.more;
  return err;
}
