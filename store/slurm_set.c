/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SLURM files in force, kept as they were read: a restart with a broken file can go on with the last good set, and
 * a process that reads the store applies what the daemon applies.
 *
 *   0 (2 octets)                   -> head of the set
 *   file, from 1 on (2 octets)     -> head of the file
 *   file, number (2 and 4 octets)  -> a piece of its text (blob.c)
 *
 * A new set takes the place of the old one whole, in the transaction of the epoch that it makes.
 */
#include "store/slurm_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "store/blob.h"
#include "store/cbor.h"
#include "store/internal.h"

enum { FILE_KEY_LEN = 2 };

#define SET(text, kind, field, required)                                                                               \
  { text, kind, offsetof(struct ww_slurm_set_head, field), 0, required, 0 }
static const struct ww_cbor_member set_members[] = {
    SET("time", WW_CBOR_TIME, time, true),
    SET("strict", WW_CBOR_BOOL, strict, false),
    SET("files", WW_CBOR_U32, files, true),
};
#undef SET
static const struct ww_cbor_map set_map = {"SLURM set", WW_STORE_SLURM_HEAD_MAX, set_members,
                                           sizeof(set_members) / sizeof(set_members[0])};

static const struct ww_cbor_member file_members[] = {
    {"name", WW_CBOR_TEXT, offsetof(struct ww_slurm_file_head, name), WW_STORE_SLURM_NAME_MAX + 1, true, 0},
    {"octets", WW_CBOR_U32, offsetof(struct ww_slurm_file_head, octets), 0, true, 0},
};
static const struct ww_cbor_map file_map = {"SLURM file", WW_STORE_SLURM_HEAD_MAX, file_members,
                                            sizeof(file_members) / sizeof(file_members[0])};

size_t ww_slurm_set_head_encode(const struct ww_slurm_set_head *head, uint8_t *buf, size_t size) {
  return ww_cbor_write(&set_map, head, buf, size);
}

size_t ww_slurm_file_head_encode(const struct ww_slurm_file_head *head, uint8_t *buf, size_t size) {
  return ww_cbor_write(&file_map, head, buf, size);
}

enum ww_err ww_slurm_set_head_decode(const void *data, size_t len, struct ww_slurm_set_head *out,
                                     struct ww_diag *diag) {
  *out = (struct ww_slurm_set_head){0};
  enum ww_err err = ww_cbor_read(&set_map, data, len, out, diag);
  if (err == WW_OK && out->files > WW_STORE_SLURM_FILES_MAX)
    err = ww_fail(diag, WW_ERR_LIMIT, 0, NULL, "SLURM set: %u files, at most %d are read", out->files,
                  WW_STORE_SLURM_FILES_MAX);
  return err;
}

enum ww_err ww_slurm_file_head_decode(const void *data, size_t len, struct ww_slurm_file_head *out,
                                      struct ww_diag *diag) {
  memset(out, 0, sizeof(*out));
  enum ww_err err = ww_cbor_read(&file_map, data, len, out, diag);
  if (err == WW_OK && out->octets > WW_STORE_SLURM_TEXT_MAX)
    err = ww_fail(diag, WW_ERR_LIMIT, 0, NULL, "SLURM file: %u octets, at most %d are read", out->octets,
                  WW_STORE_SLURM_TEXT_MAX);
  return err;
}

static void file_key(uint8_t key[FILE_KEY_LEN], size_t n) {
  struct ww_writer w = ww_writer_make(key, FILE_KEY_LEN);
  ww_writer_u16(&w, (uint16_t)n);
}

/* --- writing --------------------------------------------------------------------------------------------------- */

static enum ww_err put_file(struct ww_store *store, struct ww_txn *t, size_t n, const struct ww_store_slurm_file *file,
                            struct ww_diag *diag) {
  uint8_t key[FILE_KEY_LEN], octets[WW_STORE_SLURM_HEAD_MAX];
  struct ww_slurm_file_head head = {.octets = (uint32_t)file->len};
  size_t name_len = strlen(file->name);
  if (!name_len || name_len > WW_STORE_SLURM_NAME_MAX || file->len > WW_STORE_SLURM_TEXT_MAX)
    return ww_fail(diag, WW_ERR_LIMIT, 0, NULL,
                   "store: a SLURM file has a name of 1 to %d octets and at most %d octets", WW_STORE_SLURM_NAME_MAX,
                   WW_STORE_SLURM_TEXT_MAX);
  memcpy(head.name, file->name, name_len);
  size_t len = ww_slurm_file_head_encode(&head, octets, sizeof(octets));
  file_key(key, n);
  ww_txn_put(t, store->slurm, key, sizeof(key), octets, len);
  ww_blob_put(t, store->slurm, key, sizeof(key), file->text, file->len, false);
  return WW_OK;
}

enum ww_err ww_store_slurm_put(struct ww_store *store, struct ww_txn *t, const struct ww_store_slurm *slurm,
                               struct ww_diag *diag) {
  uint8_t key[FILE_KEY_LEN], octets[WW_STORE_SLURM_HEAD_MAX];
  if (slurm->count > WW_STORE_SLURM_FILES_MAX)
    return ww_fail(diag, WW_ERR_LIMIT, 0, NULL, "store: %zu SLURM files, at most %d are kept", slurm->count,
                   WW_STORE_SLURM_FILES_MAX);
  struct ww_slurm_set_head head = {.time = slurm->time, .strict = slurm->strict, .files = (uint32_t)slurm->count};
  size_t len = ww_slurm_set_head_encode(&head, octets, sizeof(octets));
  ww_txn_clear(t, store->slurm);
  file_key(key, 0);
  ww_txn_put(t, store->slurm, key, sizeof(key), octets, len);
  enum ww_err err = WW_OK;
  for (size_t i = 0; i < slurm->count && err == WW_OK; i++)
    err = put_file(store, t, i + 1, &slurm->files[i], diag);
  return err;
}

/* --- reading --------------------------------------------------------------------------------------------------- */

static enum ww_err damaged(struct ww_diag *diag) {
  return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL,
                 "store: the SLURM files in force are not whole; the store is damaged");
}

static enum ww_err get_file(struct ww_store *store, struct ww_txn *t, size_t n, struct ww_store_slurm_file *out,
                            struct ww_diag *diag) {
  uint8_t key[FILE_KEY_LEN];
  MDB_val v;
  struct ww_slurm_file_head head;
  file_key(key, n);
  if (!ww_txn_get(t, store->slurm, key, sizeof(key), &v))
    return ww_txn_good(t) ? damaged(diag) : WW_OK;
  enum ww_err err = ww_slurm_file_head_decode(v.mv_data, v.mv_size, &head, diag);
  if (err != WW_OK)
    return err;
  out->len = head.octets;
  out->name = strdup(head.name);
  if (!out->name)
    return WW_ERR_NOMEM;
  out->text = ww_blob_get(t, store->slurm, key, sizeof(key), head.octets, &err);
  return err == WW_ERR_MALFORMED ? damaged(diag) : err;
}

static enum ww_err get_set(struct ww_store *store, struct ww_txn *t, struct ww_store_slurm *out, struct ww_diag *diag) {
  uint8_t key[FILE_KEY_LEN];
  MDB_val v;
  struct ww_slurm_set_head head;
  file_key(key, 0);
  if (!ww_txn_get(t, store->slurm, key, sizeof(key), &v))
    return WW_OK;
  enum ww_err err = ww_slurm_set_head_decode(v.mv_data, v.mv_size, &head, diag);
  if (err != WW_OK)
    return err;
  out->time = head.time;
  out->strict = head.strict;
  if (head.files && !(out->files = calloc(head.files, sizeof(*out->files))))
    return WW_ERR_NOMEM;
  for (out->count = 0; out->count < head.files && err == WW_OK && ww_txn_good(t); out->count++)
    err = get_file(store, t, out->count + 1, &out->files[out->count], diag);
  return err;
}

enum ww_err ww_store_read_slurm(struct ww_store *store, struct ww_store_slurm *out, struct ww_diag *diag) {
  struct ww_store_slurm set = {0};
  struct ww_txn own, *t = ww_store_read_enter(store, &own);
  enum ww_err err = get_set(store, t, &set, diag);
  err = ww_store_read_leave(t, &own, err, diag);
  if (err != WW_OK) {
    ww_store_slurm_fini(&set);
    return err;
  }
  *out = set;
  return WW_OK;
}

void ww_store_slurm_fini(struct ww_store_slurm *slurm) {
  for (size_t i = 0; i < slurm->count; i++) {
    free(slurm->files[i].name);
    free(slurm->files[i].text);
  }
  free(slurm->files);
  *slurm = (struct ww_store_slurm){0};
}
