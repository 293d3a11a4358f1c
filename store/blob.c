/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long values in pieces: key and number (4 octets) -> up to WW_BLOB_PIECE octets. All pieces but the last are full.
 */
#include "store/blob.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

struct piece_key {
  uint8_t octets[WW_BLOB_KEY_MAX + 4];
  size_t len;
};

static struct piece_key piece_key(const void *key, size_t key_len, size_t n) {
  struct piece_key k;
  struct ww_writer w = ww_writer_make(k.octets, sizeof(k.octets));
  ww_writer_bytes(&w, key, key_len);
  ww_writer_u32(&w, (uint32_t)n);
  k.len = w.len;
  return k;
}

void ww_blob_put(struct ww_txn *t, MDB_dbi dbi, const void *key, size_t key_len, const uint8_t *data, size_t len,
                 bool append) {
  for (size_t at = 0, n = 0; at < len && ww_txn_good(t); at += WW_BLOB_PIECE, n++) {
    struct piece_key k = piece_key(key, key_len, n);
    size_t piece = len - at < WW_BLOB_PIECE ? len - at : WW_BLOB_PIECE;
    if (append)
      ww_txn_append(t, dbi, k.octets, k.len, data + at, piece);
    else
      ww_txn_put(t, dbi, k.octets, k.len, data + at, piece);
  }
}

static bool is_piece(const MDB_val *k, const void *key, size_t key_len) {
  return k->mv_size == key_len + 4 && memcmp(k->mv_data, key, key_len) == 0;
}

uint8_t *ww_blob_get(struct ww_txn *t, MDB_dbi dbi, const void *key, size_t key_len, size_t len, enum ww_err *err) {
  uint8_t *data = malloc(len ? len : 1);
  size_t at = 0, n = 0;
  MDB_val k, v;
  bool whole = true;
  *err = data ? WW_OK : WW_ERR_NOMEM;
  if (!data)
    return NULL;
  struct piece_key want = piece_key(key, key_len, 0);
  for (bool more = ww_txn_seek(t, dbi, want.octets, want.len, &k, &v); whole && more && is_piece(&k, key, key_len);
       more = ww_txn_next(t, &k, &v)) {
    want = piece_key(key, key_len, n++);
    whole = memcmp(k.mv_data, want.octets, want.len) == 0 && v.mv_size <= len - at;
    if (whole)
      memcpy(data + at, v.mv_data, v.mv_size);
    at += v.mv_size;
  }
  if (whole && at == len && ww_txn_good(t))
    return data;
  free(data);
  *err = ww_txn_good(t) ? WW_ERR_MALFORMED : WW_OK;
  return NULL;
}

void ww_blob_del(struct ww_txn *t, MDB_dbi dbi, const void *key, size_t key_len) {
  for (size_t n = 0; ww_txn_good(t); n++) {
    struct piece_key k = piece_key(key, key_len, n);
    if (!ww_txn_del(t, dbi, k.octets, k.len))
      return;
  }
}
