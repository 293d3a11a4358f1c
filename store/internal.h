/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What store.c and commit.c share. Nobody else includes it.
 */
#ifndef WW_STORE_INTERNAL_H
#define WW_STORE_INTERNAL_H

#include "store/record.h"
#include "store/store.h"
#include "store/txn.h"

struct ww_store {
  MDB_env *env;
  MDB_dbi meta, sources, payloads;
  int dir_fd; /* of the writer: holds the lock that keeps a second writer out */
  bool readonly;
  bool reading; /* between ww_store_read_begin() and _end() */
  struct ww_txn read;
  uint32_t epoch; /* last one seen */
  struct ww_guard guard;
};

enum ww_meta_key { WW_META_EPOCH, WW_META_NEXT_SOURCE };

/* A number of the meta database; 0 when absent. */
uint32_t ww_store_meta_get(struct ww_store *store, struct ww_txn *t, enum ww_meta_key key);
void ww_store_meta_put(struct ww_store *store, struct ww_txn *t, enum ww_meta_key key, uint32_t value);
/* The stored epoch plus one, written. */
uint32_t ww_store_next_epoch(struct ww_store *store, struct ww_txn *t);

enum ww_err ww_store_record_get(struct ww_store *store, struct ww_txn *t, ww_source_id id, struct ww_source_record *out,
                                struct ww_diag *diag) WW_MUST_USE;
enum ww_err ww_store_record_put(struct ww_store *store, struct ww_txn *t, const struct ww_source_record *record,
                                struct ww_diag *diag) WW_MUST_USE;
/* Removes every payload of a source. */
void ww_store_erase(struct ww_store *store, struct ww_txn *t, ww_source_id id);

/* Runs `work` in one write transaction and commits it; again with a larger map for as long as the map is full, so
 * `work` begins by clearing what it fills. An error that `work` returns ends it without a trace. */
typedef enum ww_err (*ww_store_work)(struct ww_store *store, struct ww_txn *t, void *ctx, struct ww_diag *diag);
enum ww_err ww_store_write(struct ww_store *store, ww_store_work work, void *ctx, struct ww_diag *diag) WW_MUST_USE;
/* Grows the map ahead of a transaction that will add about so much. */
enum ww_err ww_store_reserve(struct ww_store *store, size_t octets, struct ww_diag *diag) WW_MUST_USE;

#endif
