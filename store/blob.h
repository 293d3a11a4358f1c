/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long values in pieces.
 *
 * LMDB puts a value that does not fit a page on as many adjoining pages as it needs, and a run of free pages that long
 * is rarely there when values of all lengths come and go: the file would grow. So a long value is cut into pieces of a
 * page, under its key and a number.
 */
#ifndef WW_STORE_BLOB_H
#define WW_STORE_BLOB_H

#include "store/txn.h"

enum {
  WW_BLOB_KEY_MAX = 8,
  WW_BLOB_PIECE = 4080, /* a page of 4096 octets without its header */
};

/* `append`: as ww_txn_append(). */
void ww_blob_put(struct ww_txn *t, MDB_dbi dbi, const void *key, size_t key_len, const uint8_t *data, size_t len,
                 bool append);
/* Reads the `len` octets that were put. NULL: WW_ERR_MALFORMED (another length), WW_ERR_NOMEM, or WW_OK when the
 * transaction has failed. Freed by the caller. */
uint8_t *ww_blob_get(struct ww_txn *t, MDB_dbi dbi, const void *key, size_t key_len, size_t len, enum ww_err *err);
/* Removes every piece. */
void ww_blob_del(struct ww_txn *t, MDB_dbi dbi, const void *key, size_t key_len);

#endif
