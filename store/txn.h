/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sticky LMDB transaction: after the first failure every call does nothing, and ww_txn_commit() reports it. So the
 * code that reads and writes records is straight lines, and one place decides what a failure means.
 */
#ifndef WW_STORE_TXN_H
#define WW_STORE_TXN_H

#include <lmdb.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <waywarden/error.h>

/* Largest map that growth asks for: the bound of the file, for whatever reason it grows. Some thousand times what all
 * VRPs of today take. */
#define WW_STORE_MAP_MAX ((size_t)1 << 36)

/* Where an assertion inside LMDB leads, instead of abort(). One for each environment. */
struct ww_guard {
  jmp_buf at;
  bool armed;
};
/* To be called before the environment is opened; `guard` outlives it. */
int ww_guard_init(struct ww_guard *guard, MDB_env *env);

struct ww_txn {
  MDB_env *env;
  MDB_txn *mdb;       /* NULL when not open */
  MDB_cursor *cursor; /* on the database of the last seek; belongs to the transaction */
  MDB_dbi cursor_dbi;
  int rc; /* first failure, or MDB_SUCCESS */
  bool write;
};

/* An LMDB or system error as ours, with its words. */
enum ww_err ww_txn_fail(struct ww_diag *diag, int rc, const char *what);

/* Begins; follows a map that another process has grown. On failure t->rc says why and t is closed. */
void ww_txn_begin(struct ww_txn *t, MDB_env *env, bool write);
/* Ends. The first failure since _begin, or that of the commit. */
int ww_txn_commit(struct ww_txn *t);
void ww_txn_abort(struct ww_txn *t);

static inline bool ww_txn_good(const struct ww_txn *t) { return t->mdb && t->rc == MDB_SUCCESS; }

/* Opens a named database, WW_DB_MAIN the unnamed one. An error of MDB_NOTFOUND or MDB_INCOMPATIBLE is returned and
 * leaves the transaction good; MDB_SUCCESS, and the others, are in t->rc too. */
#define WW_DB_MAIN NULL
int ww_txn_open(struct ww_txn *t, const char *name, bool create, MDB_dbi *dbi);
/* False: absent, or the transaction has failed. The value is LMDB's, until the next write. */
bool ww_txn_get(struct ww_txn *t, MDB_dbi dbi, const void *key, size_t key_len, MDB_val *value);
void ww_txn_put(struct ww_txn *t, MDB_dbi dbi, const void *key, size_t key_len, const void *value, size_t value_len);
/* The same for keys that ascend beyond every key of the database: fills pages whole. */
void ww_txn_append(struct ww_txn *t, MDB_dbi dbi, const void *key, size_t key_len, const void *value, size_t value_len);
/* False: absent, or failed. */
bool ww_txn_del(struct ww_txn *t, MDB_dbi dbi, const void *key, size_t key_len);
/* Moves the transaction's one cursor to the first record >= key. False: none, or failed. */
bool ww_txn_seek(struct ww_txn *t, MDB_dbi dbi, const void *key, size_t key_len, MDB_val *at, MDB_val *value);
/* The record after. Only after a seek with no write in between. */
bool ww_txn_next(struct ww_txn *t, MDB_val *at, MDB_val *value);
/* Moves it to the last record < key. False: none, or failed. */
bool ww_txn_seek_before(struct ww_txn *t, MDB_dbi dbi, const void *key, size_t key_len, MDB_val *at, MDB_val *value);
/* Removes every record. */
void ww_txn_clear(struct ww_txn *t, MDB_dbi dbi);

/* Grows the map of the writer to at least `want` octets and makes the file as long as the map. Outside transactions.
 * MDB_MAP_FULL: that would be more than `max`. */
int ww_map_grow(MDB_env *env, size_t want, size_t max);

#endif
