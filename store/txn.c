/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LMDB behind a sticky transaction, and the growth of its map.
 *
 * LMDB asks for a map size ahead of time and answers MDB_MAP_FULL when it is used up; processes that have the old size
 * then get MDB_MAP_RESIZED. Both are handled here and in the retry loop of store.c, so nobody configures a size: the
 * map begins small and doubles, and a reader takes over the new size when it begins its next transaction.
 *
 * Invariant: the data file is always as long as the map (a sparse file; blocks are taken only where pages were
 * written). LMDB may leave the last pages of a commit unwritten when it freed them again in the same transaction, so
 * without this a sound file could be shorter than its own last page number says, and could not be told from one that
 * was cut. Reading beyond the end of a cut file is a SIGBUS; store.c therefore compares lengths before it reads any
 * page.
 *
 * A page that was damaged on the disk fails assertions inside LMDB, which would end the process. Each access to pages
 * is therefore guarded: LMDB's assertion hook jumps back to the call, which reports MDB_CORRUPTED. What LMDB was doing
 * is abandoned with the transaction, the only thing done to it afterwards is to abort it. Committing is not guarded: an
 * assertion there leaves LMDB's own lock in doubt, and ending is right; the epoch before stays whole.
 *
 * A transaction holds one cursor. It is closed with the transaction; in a read transaction LMDB leaves that to us.
 */
#include "store/txn.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static MDB_val val_of(const void *data, size_t len) {
  MDB_val v = {.mv_size = len};
  memcpy(&v.mv_data, &data, sizeof(data)); /* LMDB does not write through it */
  return v;
}

enum ww_err ww_txn_fail(struct ww_diag *diag, int rc, const char *what) {
  enum ww_err err = WW_ERR_IO;
  switch (rc) {
  case ENOMEM:
    err = WW_ERR_NOMEM;
    break;
  case MDB_INVALID:
  case MDB_CORRUPTED:
  case MDB_PAGE_NOTFOUND:
  case MDB_BAD_TXN:
  case MDB_BAD_VALSIZE:
    err = WW_ERR_MALFORMED;
    break;
  case MDB_VERSION_MISMATCH:
    err = WW_ERR_VERSION;
    break;
  case MDB_MAP_FULL:
  case MDB_READERS_FULL:
  case MDB_DBS_FULL:
    err = WW_ERR_LIMIT;
    break;
  default:
    break;
  }
  return ww_fail(diag, err, 0, NULL, "store: %s: %s", what, mdb_strerror(rc));
}

void ww_txn_begin(struct ww_txn *t, MDB_env *env, bool write) {
  *t = (struct ww_txn){.env = env, .write = write};
  bool checked = false;
  for (;;) {
    t->rc = mdb_txn_begin(env, NULL, write ? 0 : MDB_RDONLY, &t->mdb);
    if (t->rc == MDB_MAP_RESIZED) {
      t->rc = mdb_env_set_mapsize(env, 0);
      if (t->rc == MDB_SUCCESS)
        continue;
    } else if (t->rc == MDB_READERS_FULL && !checked) {
      int dead = 0;
      checked = true;
      if (mdb_reader_check(env, &dead) == MDB_SUCCESS && dead > 0)
        continue;
    }
    break;
  }
  if (t->rc != MDB_SUCCESS)
    t->mdb = NULL;
}

static void close_cursor(struct ww_txn *t) {
  if (t->cursor)
    mdb_cursor_close(t->cursor);
  t->cursor = NULL;
}

int ww_txn_commit(struct ww_txn *t) {
  if (!ww_txn_good(t)) {
    ww_txn_abort(t);
    return t->rc;
  }
  close_cursor(t);
  t->rc = mdb_txn_commit(t->mdb); /* frees it, whatever it returns */
  t->mdb = NULL;
  return t->rc;
}

void ww_txn_abort(struct ww_txn *t) {
  close_cursor(t);
  if (t->mdb)
    mdb_txn_abort(t->mdb);
  t->mdb = NULL;
}

static void on_assertion(MDB_env *env, const char *text) {
  (void)text;
  struct ww_guard *guard = mdb_env_get_userctx(env);
  if (guard && guard->armed) {
    guard->armed = false;
    longjmp(guard->at, 1);
  }
}

int ww_guard_init(struct ww_guard *guard, MDB_env *env) {
  guard->armed = false;
  int rc = mdb_env_set_userctx(env, guard);
  return rc == MDB_SUCCESS ? mdb_env_set_assert(env, on_assertion) : rc;
}

enum access {
  ACCESS_GET,
  ACCESS_PUT,
  ACCESS_DEL,
  ACCESS_APPEND,
  ACCESS_SEEK,
  ACCESS_NEXT,
  ACCESS_PREV,
  ACCESS_LAST,
  ACCESS_CLEAR
};

/* Every access to pages, guarded. Nothing here changes between setjmp() and a jump back to it. */
static int access_pages(struct ww_txn *t, enum access what, MDB_dbi dbi, MDB_val *k, MDB_val *v) {
  struct ww_guard *guard = mdb_env_get_userctx(t->env);
  if (setjmp(guard->at))
    return MDB_CORRUPTED;
  guard->armed = true;
  int rc = EINVAL;
  switch (what) {
  case ACCESS_GET:
    rc = mdb_get(t->mdb, dbi, k, v);
    break;
  case ACCESS_PUT:
    rc = mdb_put(t->mdb, dbi, k, v, 0);
    break;
  case ACCESS_DEL:
    rc = mdb_del(t->mdb, dbi, k, NULL);
    break;
  case ACCESS_APPEND:
    rc = mdb_cursor_put(t->cursor, k, v, MDB_APPEND);
    break;
  case ACCESS_SEEK:
    rc = mdb_cursor_get(t->cursor, k, v, MDB_SET_RANGE);
    break;
  case ACCESS_NEXT:
    rc = mdb_cursor_get(t->cursor, k, v, MDB_NEXT);
    break;
  case ACCESS_PREV:
    rc = mdb_cursor_get(t->cursor, k, v, MDB_PREV);
    break;
  case ACCESS_LAST:
    rc = mdb_cursor_get(t->cursor, k, v, MDB_LAST);
    break;
  case ACCESS_CLEAR:
    rc = mdb_drop(t->mdb, dbi, 0);
    break;
  }
  guard->armed = false;
  return rc;
}

int ww_txn_open(struct ww_txn *t, const char *name, bool create, MDB_dbi *dbi) {
  if (!ww_txn_good(t))
    return t->rc;
  struct ww_guard *guard = mdb_env_get_userctx(t->env);
  if (setjmp(guard->at)) {
    t->rc = MDB_CORRUPTED;
    return MDB_CORRUPTED;
  }
  guard->armed = true;
  int rc = mdb_dbi_open(t->mdb, name, create ? MDB_CREATE : 0, dbi);
  guard->armed = false;
  if (rc != MDB_NOTFOUND && rc != MDB_INCOMPATIBLE)
    t->rc = rc;
  return rc;
}

/* For what may be absent. */
static bool found(struct ww_txn *t, int rc) {
  if (rc != MDB_SUCCESS && rc != MDB_NOTFOUND)
    t->rc = rc;
  return rc == MDB_SUCCESS;
}

bool ww_txn_get(struct ww_txn *t, MDB_dbi dbi, const void *key, size_t key_len, MDB_val *value) {
  if (!ww_txn_good(t))
    return false;
  MDB_val k = val_of(key, key_len);
  return found(t, access_pages(t, ACCESS_GET, dbi, &k, value));
}

void ww_txn_put(struct ww_txn *t, MDB_dbi dbi, const void *key, size_t key_len, const void *value, size_t value_len) {
  if (!ww_txn_good(t))
    return;
  MDB_val k = val_of(key, key_len), v = val_of(value, value_len);
  t->rc = access_pages(t, ACCESS_PUT, dbi, &k, &v);
}

static bool open_cursor(struct ww_txn *t, MDB_dbi dbi) {
  if (!ww_txn_good(t))
    return false;
  if (t->cursor && t->cursor_dbi == dbi)
    return true;
  close_cursor(t);
  t->rc = mdb_cursor_open(t->mdb, dbi, &t->cursor);
  t->cursor_dbi = dbi;
  if (t->rc != MDB_SUCCESS)
    t->cursor = NULL;
  return t->rc == MDB_SUCCESS;
}

void ww_txn_append(struct ww_txn *t, MDB_dbi dbi, const void *key, size_t key_len, const void *value,
                   size_t value_len) {
  if (!open_cursor(t, dbi))
    return;
  MDB_val k = val_of(key, key_len), v = val_of(value, value_len);
  t->rc = access_pages(t, ACCESS_APPEND, dbi, &k, &v);
}

bool ww_txn_del(struct ww_txn *t, MDB_dbi dbi, const void *key, size_t key_len) {
  if (!ww_txn_good(t))
    return false;
  MDB_val k = val_of(key, key_len);
  return found(t, access_pages(t, ACCESS_DEL, dbi, &k, NULL));
}

bool ww_txn_seek(struct ww_txn *t, MDB_dbi dbi, const void *key, size_t key_len, MDB_val *at, MDB_val *value) {
  if (!open_cursor(t, dbi))
    return false;
  *at = val_of(key, key_len);
  return found(t, access_pages(t, ACCESS_SEEK, dbi, at, value));
}

bool ww_txn_next(struct ww_txn *t, MDB_val *at, MDB_val *value) {
  if (!ww_txn_good(t) || !t->cursor)
    return false;
  return found(t, access_pages(t, ACCESS_NEXT, t->cursor_dbi, at, value));
}

bool ww_txn_seek_before(struct ww_txn *t, MDB_dbi dbi, const void *key, size_t key_len, MDB_val *at, MDB_val *value) {
  bool beyond = ww_txn_seek(t, dbi, key, key_len, at, value);
  return ww_txn_good(t) && found(t, access_pages(t, beyond ? ACCESS_PREV : ACCESS_LAST, dbi, at, value));
}

void ww_txn_clear(struct ww_txn *t, MDB_dbi dbi) {
  close_cursor(t);
  if (ww_txn_good(t))
    t->rc = access_pages(t, ACCESS_CLEAR, dbi, NULL, NULL);
}

int ww_map_grow(MDB_env *env, size_t want, size_t max) {
  MDB_envinfo info;
  int rc = mdb_env_info(env, &info);
  if (rc != MDB_SUCCESS)
    return rc;
  size_t size = info.me_mapsize;
  while (size < want) {
    if (size > max / 2)
      return MDB_MAP_FULL;
    size *= 2;
  }
  int fd;
  struct stat st;
  rc = mdb_env_get_fd(env, &fd);
  if (rc != MDB_SUCCESS)
    return rc;
  if (fstat(fd, &st) != 0)
    return errno;
  if ((size_t)st.st_size < size && ftruncate(fd, (off_t)size) != 0)
    return errno;
  return size == info.me_mapsize ? MDB_SUCCESS : mdb_env_set_mapsize(env, size);
}
