/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the store share. Nobody else includes it, but for tests that lower a limit.
 */
#ifndef WW_STORE_INTERNAL_H
#define WW_STORE_INTERNAL_H

#include "store/record.h"
#include "store/store.h"
#include "store/txn.h"

struct ww_store {
  MDB_env *env;
  MDB_dbi meta, sources, payloads, history, slurm;
  int dir_fd; /* of the writer: holds the lock that keeps a second writer out */
  bool readonly;
  bool reading; /* between ww_store_read_begin() and _end() */
  struct ww_txn read;
  uint32_t epoch; /* last one seen */
  size_t map_max; /* WW_STORE_MAP_MAX */
  struct ww_guard guard;
};

enum ww_meta_key { WW_META_EPOCH, WW_META_NEXT_SOURCE };

/* A number of the meta database; 0 when absent. */
uint32_t ww_store_meta_get(struct ww_store *store, struct ww_txn *t, enum ww_meta_key key);
void ww_store_meta_put(struct ww_store *store, struct ww_txn *t, enum ww_meta_key key, uint32_t value);
/* The epoch that follows the stored one, and the same written. */
uint32_t ww_store_epoch_after(struct ww_store *store, struct ww_txn *t);
uint32_t ww_store_next_epoch(struct ww_store *store, struct ww_txn *t);

/* What the history holds: entries, and octets of their heads and deltas. */
struct ww_history_size {
  uint64_t entries, octets;
};
struct ww_history_size ww_store_history_size(struct ww_store *store, struct ww_txn *t);
void ww_store_history_size_put(struct ww_store *store, struct ww_txn *t, struct ww_history_size size);

/* The hook of one commit. */
struct ww_store_hook {
  ww_store_change_fn fn; /* or NULL */
  void *ctx;
  struct ww_store_change change; /* what the last call said */
  bool effective;                /* it has a delta that holds something */
};
enum ww_err ww_store_hook_call(struct ww_store *store, struct ww_txn *t, struct ww_store_hook *hook,
                               const struct ww_payload_delta *raw, struct ww_diag *diag) WW_MUST_USE;
/* Writes what the hook said as the entry of `epoch`, which is the newest. */
enum ww_err ww_store_history_put(struct ww_store *store, struct ww_txn *t, const struct ww_store_hook *hook,
                                 uint32_t epoch, struct ww_diag *diag) WW_MUST_USE;
enum ww_err ww_store_slurm_put(struct ww_store *store, struct ww_txn *t, const struct ww_store_slurm *slurm,
                               struct ww_diag *diag) WW_MUST_USE;
/* Does any part of it hold a record? */
bool ww_store_delta_holds(const struct ww_payload_delta *delta);

enum ww_err ww_store_record_get(struct ww_store *store, struct ww_txn *t, ww_source_id id, struct ww_source_record *out,
                                struct ww_diag *diag) WW_MUST_USE;
enum ww_err ww_store_record_put(struct ww_store *store, struct ww_txn *t, const struct ww_source_record *record,
                                struct ww_diag *diag) WW_MUST_USE;
/* The same for a record of the caller's: name and counts stay as they are stored. */
enum ww_err ww_store_record_update(struct ww_store *store, struct ww_txn *t, const struct ww_source_record *given,
                                   struct ww_diag *diag) WW_MUST_USE;
/* Removes every payload of a source. */
void ww_store_erase(struct ww_store *store, struct ww_txn *t, ww_source_id id);

/* A read transaction: the one that is open, or `own`, begun for this call. `err` goes before what it has to say. */
struct ww_txn *ww_store_read_enter(struct ww_store *store, struct ww_txn *own);
enum ww_err ww_store_read_leave(struct ww_txn *t, struct ww_txn *own, enum ww_err err, struct ww_diag *diag);

/* Runs `work` in one write transaction and commits it; again with a larger map for as long as the map is full, so
 * `work` begins by clearing what it fills. An error that `work` returns ends it without a trace. */
typedef enum ww_err (*ww_store_work)(struct ww_store *store, struct ww_txn *t, void *ctx, struct ww_diag *diag);
enum ww_err ww_store_write(struct ww_store *store, ww_store_work work, void *ctx, struct ww_diag *diag) WW_MUST_USE;
/* Grows the map ahead of a transaction that will add about so much. */
enum ww_err ww_store_reserve(struct ww_store *store, size_t octets, struct ww_diag *diag) WW_MUST_USE;

#endif
