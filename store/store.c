/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store: opening and checking it, source records, reading.
 *
 * A store is a directory with an LMDB environment of five databases:
 *   meta      "program" "waywarden"; "schema", "epoch" and other numbers in network order
 *   sources   source id (2 octets) -> CBOR map (record.c)
 *   payloads  source, kind, fields of the identity -> expiry and the rest (key.c)
 *   history   epoch -> what it changed (history.c, change.c)
 *   slurm     the SLURM files in force (slurm_set.c)
 * docs/formats/store.md is the reference.
 *
 * Invariants: a reader sees the state of one commit, whole. The counts in a source record equal the records stored for
 * it, and reading checks that. One process writes: it holds a lock on the directory. Ids of sources are not given twice
 * until all 65535 have been, so that nothing in memory can take a new source for one that was removed.
 *
 * What opening refuses, and never touches: a file that is not LMDB's, an LMDB environment without our name in it,
 * another schema, a data file shorter than its own last page (it would be read as far as the cut and then kill the
 * process). An LMDB environment that holds nothing at all is what a crash during creation leaves: it is taken as new.
 * A store of schema 1 is one without the last two databases: the writer adds them, in one transaction.
 *
 * Ownership: ww_store owns the environment. LMDB allows one environment for a path in one process, and none across
 * fork(): a child opens its own. Each call begins and ends its own transaction, but for those between
 * ww_store_read_begin() and _end(); pages that an open reader sees cannot be reused, so callers keep that short.
 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/key.h"

enum {
  SCHEMA_OLDEST = 1,
  SCHEMA_VERSION = 2,
  STORE_DBS = 5,
  LOCK_FILE_LEN = 8192 /* LMDB's own, for 126 readers */,
  STORE_MODE = 0640,
  STORE_DIR_MODE = 0750,
  SOURCE_KEY_LEN = 2
};

static const char program_name[] = "waywarden";
static const char *const meta_keys[] = {[WW_META_EPOCH] = "epoch", [WW_META_NEXT_SOURCE] = "next-source"};

static const char history_key[] = "history";

/* --- meta ------------------------------------------------------------------------------------------------------ */

static bool meta_read(struct ww_store *store, struct ww_txn *t, const char *key, uint32_t *out) {
  MDB_val v;
  if (!ww_txn_get(t, store->meta, key, strlen(key), &v))
    return false;
  struct ww_reader r = ww_reader_make(v.mv_data, v.mv_size);
  *out = ww_reader_u32(&r);
  return ww_reader_done(&r);
}

static void meta_write(struct ww_store *store, struct ww_txn *t, const char *key, uint32_t value) {
  uint8_t octets[4];
  struct ww_writer w = ww_writer_make(octets, sizeof(octets));
  ww_writer_u32(&w, value);
  ww_txn_put(t, store->meta, key, strlen(key), octets, w.len);
}

uint32_t ww_store_meta_get(struct ww_store *store, struct ww_txn *t, enum ww_meta_key key) {
  uint32_t value = 0;
  return meta_read(store, t, meta_keys[key], &value) ? value : 0;
}

void ww_store_meta_put(struct ww_store *store, struct ww_txn *t, enum ww_meta_key key, uint32_t value) {
  meta_write(store, t, meta_keys[key], value);
}

uint32_t ww_store_epoch_after(struct ww_store *store, struct ww_txn *t) {
  uint32_t epoch = ww_store_meta_get(store, t, WW_META_EPOCH);
  /* CHOICE: after the last number comes 1; 0 is the store that never held anything. */
  return epoch == UINT32_MAX ? 1 : epoch + 1;
}

uint32_t ww_store_next_epoch(struct ww_store *store, struct ww_txn *t) {
  uint32_t epoch = ww_store_epoch_after(store, t);
  if (epoch == 1) {
    /* CHOICE: the history is in the order of its epochs, so it begins anew with them. */
    ww_txn_clear(t, store->history);
    ww_store_history_size_put(store, t, (struct ww_history_size){0});
  }
  ww_store_meta_put(store, t, WW_META_EPOCH, epoch);
  return epoch;
}

struct ww_history_size ww_store_history_size(struct ww_store *store, struct ww_txn *t) {
  MDB_val v;
  if (!ww_txn_get(t, store->meta, history_key, strlen(history_key), &v))
    return (struct ww_history_size){0};
  struct ww_reader r = ww_reader_make(v.mv_data, v.mv_size);
  struct ww_history_size size = {.entries = ww_reader_u64(&r)};
  size.octets = ww_reader_u64(&r);
  return ww_reader_done(&r) ? size : (struct ww_history_size){0};
}

void ww_store_history_size_put(struct ww_store *store, struct ww_txn *t, struct ww_history_size size) {
  uint8_t octets[16];
  struct ww_writer w = ww_writer_make(octets, sizeof(octets));
  ww_writer_u64(&w, size.entries);
  ww_writer_u64(&w, size.octets);
  ww_txn_put(t, store->meta, history_key, strlen(history_key), octets, w.len);
}

/* --- opening --------------------------------------------------------------------------------------------------- */

/* The writer's directory, made if need be, locked against a second writer. */
static enum ww_err take_directory(struct ww_store *store, const char *path, struct ww_diag *diag) {
  if (mkdir(path, STORE_DIR_MODE) != 0 && errno != EEXIST)
    return ww_fail(diag, WW_ERR_IO, 0, NULL, "store: %s: cannot be made: %s", path, strerror(errno));
  store->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (store->dir_fd < 0)
    return ww_fail(diag, errno == ENOTDIR ? WW_ERR_INVAL : WW_ERR_IO, 0, NULL, "store: %s: %s", path, strerror(errno));
  if (flock(store->dir_fd, LOCK_EX | LOCK_NB) != 0)
    return errno == EWOULDBLOCK
               ? ww_fail(diag, WW_ERR_STATE, 0, NULL, "store: %s: another process has it open for writing", path)
               : ww_fail(diag, WW_ERR_IO, 0, NULL, "store: %s: cannot be locked: %s", path, strerror(errno));
  return WW_OK;
}

/* LMDB writes to its lock file through a mapping: without a block behind it that would be a SIGBUS on a full disk. */
static enum ww_err take_lock_file(struct ww_store *store, const char *path, struct ww_diag *diag) {
  int fd = openat(store->dir_fd, "lock.mdb", O_RDWR | O_CREAT | O_CLOEXEC, STORE_MODE);
  if (fd < 0)
    return ww_fail(diag, WW_ERR_IO, 0, NULL, "store: %s/lock.mdb: %s", path, strerror(errno));
  int rc = posix_fallocate(fd, 0, LOCK_FILE_LEN);
  close(fd);
  if (rc == 0 || rc == EOPNOTSUPP || rc == EINVAL) /* a file system that cannot tell */
    return WW_OK;
  return ww_fail(diag, WW_ERR_IO, 0, NULL, "store: %s/lock.mdb: %s", path, strerror(rc));
}

static enum ww_err open_env(struct ww_store *store, const char *path, unsigned flags, struct ww_diag *diag) {
  int rc = mdb_env_create(&store->env);
  if (rc == MDB_SUCCESS)
    rc = ww_guard_init(&store->guard, store->env);
  if (rc == MDB_SUCCESS)
    rc = mdb_env_set_maxdbs(store->env, STORE_DBS);
  unsigned lmdb_flags = MDB_NOTLS | (store->readonly ? MDB_RDONLY : 0u) | (flags & WW_STORE_NOSYNC ? MDB_NOSYNC : 0u);
  if (rc == MDB_SUCCESS)
    rc = mdb_env_open(store->env, path, lmdb_flags, STORE_MODE);
  if (rc == MDB_SUCCESS)
    return WW_OK;
  if (rc == MDB_INVALID)
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "store: %s/data.mdb is not an LMDB file, or is damaged", path);
  if (rc == MDB_VERSION_MISMATCH)
    return ww_fail(diag, WW_ERR_VERSION, 0, NULL, "store: %s/data.mdb was written by another version of LMDB", path);
  if (rc == ENOENT && store->readonly)
    return ww_fail(diag, WW_ERR_NOTFOUND, 0, NULL, "store: %s: there is no store", path);
  if (rc == EACCES && store->readonly)
    return ww_fail(diag, WW_ERR_IO, 0, NULL, "store: %s: %s (a reader needs to read data.mdb and to write lock.mdb)",
                   path, strerror(rc));
  return ww_txn_fail(diag, rc, path);
}

/* Before any page is read: the file must reach as far as its meta pages say. */
static enum ww_err check_length(struct ww_store *store, const char *path, struct ww_diag *diag) {
  MDB_envinfo info;
  MDB_stat stat;
  struct stat st;
  int fd;
  int rc = mdb_env_info(store->env, &info);
  if (rc == MDB_SUCCESS)
    rc = mdb_env_stat(store->env, &stat);
  if (rc == MDB_SUCCESS)
    rc = mdb_env_get_fd(store->env, &fd);
  if (rc == MDB_SUCCESS && fstat(fd, &st) != 0)
    rc = errno;
  if (rc != MDB_SUCCESS)
    return ww_txn_fail(diag, rc, path);
  uint64_t want = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
  if ((uint64_t)st.st_size < want)
    return ww_fail(diag, WW_ERR_MALFORMED, (size_t)st.st_size, NULL,
                   "store: %s/data.mdb is cut short: %llu octets of %llu are there", path,
                   (unsigned long long)st.st_size, (unsigned long long)want);
  return WW_OK;
}

static bool is_program(struct ww_store *store, struct ww_txn *t) {
  MDB_val v;
  return ww_txn_get(t, store->meta, "program", 7, &v) && v.mv_size == sizeof(program_name) - 1 &&
         memcmp(v.mv_data, program_name, v.mv_size) == 0;
}

/* The databases that schema 1 has not. */
static void open_added(struct ww_store *store, struct ww_txn *t, bool create, int *rc) {
  if (*rc == MDB_SUCCESS)
    *rc = ww_txn_open(t, "history", create, &store->history);
  if (*rc == MDB_SUCCESS)
    *rc = ww_txn_open(t, "slurm", create, &store->slurm);
}

/* Opens the named databases of a store that has data. *schema: 0 when it has none at all. */
static enum ww_err open_databases(struct ww_store *store, const char *path, uint32_t *schema, struct ww_diag *diag) {
  struct ww_txn t;
  MDB_dbi main_dbi;
  MDB_stat stat;
  enum ww_err err = WW_OK;
  ww_txn_begin(&t, store->env, false);
  (void)ww_txn_open(&t, WW_DB_MAIN, false, &main_dbi);
  if (ww_txn_good(&t))
    t.rc = mdb_stat(t.mdb, main_dbi, &stat);
  *schema = 0;
  if (!ww_txn_good(&t) || stat.ms_entries == 0)
    goto out;
  int rc = ww_txn_open(&t, "meta", false, &store->meta);
  bool ours = rc == MDB_SUCCESS && is_program(store, &t);
  if (ww_txn_good(&t) && !ours) {
    err = ww_fail(diag, WW_ERR_VERSION, 0, NULL,
                  "store: %s holds an LMDB database of another program; it is left alone", path);
    goto out;
  }
  bool known = meta_read(store, &t, "schema", schema) && *schema >= SCHEMA_OLDEST && *schema <= SCHEMA_VERSION;
  if (ww_txn_good(&t) && !known) {
    err = ww_fail(diag, WW_ERR_VERSION, 0, NULL,
                  "store: %s has schema version %u and this program reads version %d; it is left alone", path, *schema,
                  SCHEMA_VERSION);
    goto out;
  }
  if (ww_txn_good(&t) && *schema < SCHEMA_VERSION && store->readonly) {
    err =
        ww_fail(diag, WW_ERR_VERSION, 0, NULL,
                "store: %s has schema version %u, of an older version of this program: it becomes version %d when the "
                "daemon opens it",
                path, *schema, SCHEMA_VERSION);
    goto out;
  }
  store->epoch = ww_store_meta_get(store, &t, WW_META_EPOCH);
  rc = ww_txn_open(&t, "sources", false, &store->sources);
  if (rc == MDB_SUCCESS)
    rc = ww_txn_open(&t, "payloads", false, &store->payloads);
  if (*schema == SCHEMA_VERSION)
    open_added(store, &t, false, &rc);
  if (ww_txn_good(&t) && rc != MDB_SUCCESS)
    err = ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "store: %s lacks a database of its schema", path);
out:
  if (err != WW_OK) {
    ww_txn_abort(&t);
    return err;
  }
  int end = ww_txn_commit(&t); /* keeps the handles */
  return end == MDB_SUCCESS ? WW_OK : ww_txn_fail(diag, end, path);
}

static enum ww_err initialise(struct ww_store *store, const char *path, struct ww_diag *diag) {
  struct ww_txn t;
  ww_txn_begin(&t, store->env, true);
  (void)ww_txn_open(&t, "meta", true, &store->meta);
  (void)ww_txn_open(&t, "sources", true, &store->sources);
  int rc = ww_txn_open(&t, "payloads", true, &store->payloads);
  open_added(store, &t, true, &rc);
  ww_txn_put(&t, store->meta, "program", 7, program_name, sizeof(program_name) - 1);
  meta_write(store, &t, "schema", SCHEMA_VERSION);
  ww_store_meta_put(store, &t, WW_META_EPOCH, 0);
  ww_store_meta_put(store, &t, WW_META_NEXT_SOURCE, 1);
  rc = ww_txn_commit(&t);
  return rc == MDB_SUCCESS ? WW_OK : ww_txn_fail(diag, rc, path);
}

/* To the present schema. The epoch stays: nothing that was stored changes. */
static enum ww_err upgrade(struct ww_store *store, struct ww_txn *t, void *ctx, struct ww_diag *diag) {
  (void)ctx;
  (void)diag;
  int rc = MDB_SUCCESS;
  open_added(store, t, true, &rc);
  meta_write(store, t, "schema", SCHEMA_VERSION);
  return WW_OK;
}

enum ww_err ww_store_open(const char *path, unsigned flags, struct ww_store **out, struct ww_diag *diag) {
  *out = NULL;
  struct ww_store *store = calloc(1, sizeof(*store));
  if (!store)
    return WW_ERR_NOMEM;
  store->dir_fd = -1;
  store->map_max = WW_STORE_MAP_MAX;
  store->readonly = (flags & WW_STORE_READONLY) != 0;
  uint32_t schema = 0;
  int rc;
  enum ww_err err = store->readonly ? WW_OK : take_directory(store, path, diag);
  if (err != WW_OK)
    goto fail;
  if (!store->readonly)
    err = take_lock_file(store, path, diag);
  if (err == WW_OK)
    err = open_env(store, path, flags, diag);
  if (err != WW_OK)
    goto fail;
  err = check_length(store, path, diag);
  if (err != WW_OK)
    goto fail;
  /* Slots of readers that died hold back the reuse of pages. */
  int dead = 0;
  rc = mdb_reader_check(store->env, &dead);
  if (rc == MDB_SUCCESS)
    err = open_databases(store, path, &schema, diag);
  else
    err = ww_txn_fail(diag, rc, path);
  if (err != WW_OK)
    goto fail;
  if (!schema && store->readonly) {
    err = ww_fail(diag, WW_ERR_NOTFOUND, 0, NULL, "store: %s: nothing was stored yet", path);
    goto fail;
  }
  if (!store->readonly) {
    rc = ww_map_grow(store->env, 0, store->map_max);
    err = rc == MDB_SUCCESS ? WW_OK : ww_txn_fail(diag, rc, path);
    if (err == WW_OK && !schema)
      err = initialise(store, path, diag);
    else if (err == WW_OK && schema < SCHEMA_VERSION)
      err = ww_store_write(store, upgrade, NULL, diag);
    if (err != WW_OK)
      goto fail;
  }
  *out = store;
  return WW_OK;
fail:
  ww_store_close(store);
  return err;
}

void ww_store_close(struct ww_store *store) {
  if (!store)
    return;
  ww_store_read_end(store);
  if (store->env)
    mdb_env_close(store->env);
  if (store->dir_fd >= 0)
    close(store->dir_fd);
  free(store);
}

/* --- transactions ---------------------------------------------------------------------------------------------- */

static void map_sizes(struct ww_store *store, struct ww_store_stats *out, size_t *last_txn);

/* The bound is what a reader that never ends its transaction can make of the file: say so where that is the reason. */
static enum ww_err too_large(struct ww_store *store, struct ww_diag *diag) {
  struct ww_store_stats stats;
  ww_store_stats(store, &stats);
  if (stats.reader_lag)
    return ww_fail(diag, WW_ERR_LIMIT, 0, NULL,
                   "store: it would grow beyond %zu octets: process %d has been reading since %llu commits ago, and "
                   "nothing that was dropped since can be used again; end it",
                   store->map_max, stats.oldest_reader, (unsigned long long)stats.reader_lag);
  return ww_fail(diag, WW_ERR_LIMIT, 0, NULL, "store: it would grow beyond %zu octets", store->map_max);
}

static enum ww_err grow(struct ww_store *store, size_t want, struct ww_diag *diag) {
  int rc = ww_map_grow(store->env, want, store->map_max);
  if (rc == MDB_MAP_FULL)
    return too_large(store, diag);
  return rc == MDB_SUCCESS ? WW_OK : ww_txn_fail(diag, rc, "growing the map");
}

enum ww_err ww_store_reserve(struct ww_store *store, size_t octets, struct ww_diag *diag) {
  struct ww_store_stats stats;
  size_t last_txn;
  map_sizes(store, &stats, &last_txn);
  if (store->readonly || store->reading || octets <= stats.map_bytes - stats.used_bytes)
    return WW_OK;
  return grow(store, stats.used_bytes + octets, diag);
}

/* LMDB calls a write that was cut short an I/O error: whether the disk is full is for whoever reads it to see. */
static enum ww_err write_failed(struct ww_store *store, int rc, struct ww_diag *diag) {
  struct statvfs disk;
  if ((rc != EIO && rc != ENOSPC) || fstatvfs(store->dir_fd, &disk) != 0)
    return ww_txn_fail(diag, rc, "writing");
  return ww_fail(diag, WW_ERR_IO, 0, NULL, "store: writing: %s; %llu octets are left on the disk", mdb_strerror(rc),
                 (unsigned long long)disk.f_bavail * disk.f_frsize);
}

enum ww_err ww_store_write(struct ww_store *store, ww_store_work work, void *ctx, struct ww_diag *diag) {
  if (store->readonly)
    return ww_fail(diag, WW_ERR_STATE, 0, NULL, "store: opened for reading only");
  if (store->reading)
    return ww_fail(diag, WW_ERR_STATE, 0, NULL, "store: a write within a read");
  for (;;) {
    struct ww_txn t;
    ww_txn_begin(&t, store->env, true);
    enum ww_err err = ww_txn_good(&t) ? work(store, &t, ctx, diag) : WW_OK;
    if (err != WW_OK && ww_txn_good(&t)) {
      ww_txn_abort(&t);
      return err;
    }
    /* Where the transaction failed, whatever `work` made of it is beside the point. */
    int rc = ww_txn_commit(&t);
    if (rc == MDB_SUCCESS)
      return WW_OK;
    if (rc != MDB_MAP_FULL)
      return write_failed(store, rc, diag);
    /* What a reader saw that has died can be used again: look after those before taking more. */
    int dead = 0;
    if (mdb_reader_check(store->env, &dead) == MDB_SUCCESS && dead > 0)
      continue;
    struct ww_store_stats stats;
    size_t last_txn;
    map_sizes(store, &stats, &last_txn);
    err = grow(store, stats.map_bytes + 1, diag);
    if (err != WW_OK)
      return err;
  }
}

struct ww_txn *ww_store_read_enter(struct ww_store *store, struct ww_txn *own) {
  if (store->reading)
    return &store->read;
  ww_txn_begin(own, store->env, false);
  return own;
}

enum ww_err ww_store_read_leave(struct ww_txn *t, struct ww_txn *own, enum ww_err err, struct ww_diag *diag) {
  if (err == WW_OK && t->rc != MDB_SUCCESS)
    err = ww_txn_fail(diag, t->rc, "reading");
  if (t == own)
    ww_txn_abort(t);
  return err;
}

enum ww_err ww_store_read_begin(struct ww_store *store, uint32_t *epoch, struct ww_diag *diag) {
  if (store->reading)
    return ww_fail(diag, WW_ERR_STATE, 0, NULL, "store: a read within a read");
  ww_txn_begin(&store->read, store->env, false);
  if (!ww_txn_good(&store->read))
    return ww_txn_fail(diag, store->read.rc, "reading");
  store->reading = true;
  store->epoch = ww_store_meta_get(store, &store->read, WW_META_EPOCH);
  *epoch = store->epoch;
  return WW_OK;
}

void ww_store_read_end(struct ww_store *store) {
  if (!store->reading)
    return;
  ww_txn_abort(&store->read);
  store->reading = false;
}

uint32_t ww_store_epoch(struct ww_store *store) {
  struct ww_txn own, *t = ww_store_read_enter(store, &own);
  uint32_t epoch = ww_store_meta_get(store, t, WW_META_EPOCH);
  if (ww_txn_good(t))
    store->epoch = epoch;
  if (t == &own)
    ww_txn_abort(t);
  return store->epoch;
}

static void map_sizes(struct ww_store *store, struct ww_store_stats *out, size_t *last_txn) {
  MDB_envinfo info;
  MDB_stat stat;
  *out = (struct ww_store_stats){0};
  *last_txn = 0;
  if (mdb_env_info(store->env, &info) != MDB_SUCCESS || mdb_env_stat(store->env, &stat) != MDB_SUCCESS)
    return;
  out->map_bytes = info.me_mapsize;
  out->used_bytes = (info.me_last_pgno + 1) * stat.ms_psize;
  *last_txn = info.me_last_txnid;
}

struct reader_list {
  unsigned count;
  int oldest;
  size_t oldest_txn;
};

/* A line of LMDB's list of readers: process, thread, and the transaction whose state it sees; "-" where it is idle. */
static int on_reader(const char *line, void *ctx) {
  struct reader_list *list = ctx;
  char *end;
  long pid = strtol(line, &end, 10);
  if (end == line)
    return 0; /* the heading */
  (void)strtoull(end, &end, 16);
  const char *at = end;
  unsigned long long txn = strtoull(at, &end, 10);
  if (end == at)
    return 0;
  if (!list->count || txn < list->oldest_txn) {
    list->oldest = (int)pid;
    list->oldest_txn = (size_t)txn;
  }
  list->count++;
  return 0;
}

void ww_store_stats(struct ww_store *store, struct ww_store_stats *out) {
  struct reader_list list = {0};
  size_t last_txn;
  map_sizes(store, out, &last_txn);
  if (mdb_reader_list(store->env, on_reader, &list) >= 0 && list.count) {
    out->readers = list.count;
    out->oldest_reader = list.oldest;
    out->reader_txn = list.oldest_txn;
    out->reader_lag = last_txn > list.oldest_txn ? last_txn - list.oldest_txn : 0;
  }
  struct ww_txn own, *t = ww_store_read_enter(store, &own);
  struct ww_history_size size = ww_store_history_size(store, t);
  out->history_entries = size.entries;
  out->history_bytes = size.octets;
  if (t == &own)
    ww_txn_abort(t);
}

/* --- source records -------------------------------------------------------------------------------------------- */

static void source_key(uint8_t key[SOURCE_KEY_LEN], ww_source_id id) {
  struct ww_writer w = ww_writer_make(key, SOURCE_KEY_LEN);
  ww_writer_u16(&w, id);
}

enum ww_err ww_store_record_get(struct ww_store *store, struct ww_txn *t, ww_source_id id, struct ww_source_record *out,
                                struct ww_diag *diag) {
  uint8_t key[SOURCE_KEY_LEN];
  MDB_val v;
  source_key(key, id);
  if (!ww_txn_get(t, store->sources, key, sizeof(key), &v))
    return ww_txn_good(t) ? ww_fail(diag, WW_ERR_NOTFOUND, 0, NULL, "store: there is no source %u", id)
                          : ww_txn_fail(diag, t->rc, "reading");
  out->id = id;
  return ww_source_record_decode(v.mv_data, v.mv_size, out, diag);
}

enum ww_err ww_store_record_put(struct ww_store *store, struct ww_txn *t, const struct ww_source_record *record,
                                struct ww_diag *diag) {
  uint8_t key[SOURCE_KEY_LEN], value[WW_STORE_RECORD_MAX];
  source_key(key, record->id);
  size_t len = ww_source_record_encode(record, value, sizeof(value));
  if (!len)
    return ww_fail(diag, WW_ERR_LIMIT, 0, NULL, "store: the record of source %u is too long", record->id);
  ww_txn_put(t, store->sources, key, sizeof(key), value, len);
  return WW_OK;
}

/* The next record at or after `id`. False: none, or *err says why. */
static bool next_source(struct ww_store *store, struct ww_txn *t, uint32_t id, struct ww_source_record *out,
                        enum ww_err *err, struct ww_diag *diag) {
  uint8_t key[SOURCE_KEY_LEN];
  MDB_val k, v;
  *err = WW_OK;
  if (id > UINT16_MAX)
    return false;
  source_key(key, (ww_source_id)id);
  if (!ww_txn_seek(t, store->sources, key, sizeof(key), &k, &v))
    return false;
  struct ww_reader r = ww_reader_make(k.mv_data, k.mv_size);
  out->id = ww_reader_u16(&r);
  *err = ww_reader_done(&r) ? ww_source_record_decode(v.mv_data, v.mv_size, out, diag)
                            : ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "store: a source has a key that cannot be");
  return *err == WW_OK;
}

struct source_job {
  const char *name;
  uint8_t type;
  struct ww_source_record record;
};

/* An id that no source has: the one after the last given, and around. 0: all are taken. */
static ww_source_id free_id(struct ww_store *store, struct ww_txn *t) {
  uint32_t id = ww_store_meta_get(store, t, WW_META_NEXT_SOURCE);
  for (uint32_t tries = 0; tries < UINT16_MAX && ww_txn_good(t); tries++, id++) {
    if (id == 0 || id > UINT16_MAX)
      id = 1;
    uint8_t key[SOURCE_KEY_LEN];
    MDB_val v;
    source_key(key, (ww_source_id)id);
    if (!ww_txn_get(t, store->sources, key, sizeof(key), &v))
      return (ww_source_id)id;
  }
  return 0;
}

static uint64_t payload_count(const struct ww_source_record *r) {
  return r->vrps_v4 + r->vrps_v6 + r->aspas + r->router_keys;
}

static enum ww_err find_source(struct ww_store *store, struct ww_txn *t, const char *name, struct ww_source_record *out,
                               struct ww_diag *diag) {
  struct ww_source_record record;
  enum ww_err err = WW_OK;
  for (uint32_t id = 1; next_source(store, t, id, &record, &err, diag); id = record.id + 1u)
    if (strcmp(record.name, name) == 0) {
      *out = record;
      return WW_OK;
    }
  return err != WW_OK ? err : WW_ERR_NOTFOUND;
}

static enum ww_err source_work(struct ww_store *store, struct ww_txn *t, void *ctx, struct ww_diag *diag) {
  struct source_job *job = ctx;
  struct ww_source_record record, fresh = {.type = job->type, .active = true};
  memcpy(fresh.name, job->name, strlen(job->name) + 1);
  enum ww_err err = find_source(store, t, job->name, &record, diag);
  if (err == WW_OK) {
    /* CHOICE: what a cache said says nothing of a file of the same name. Another type is another source under the id
     * of the old one, and begins empty. */
    fresh.id = record.id;
    ww_store_erase(store, t, record.id);
    if (payload_count(&record))
      (void)ww_store_next_epoch(store, t);
  } else if (err == WW_ERR_NOTFOUND) {
    fresh.id = free_id(store, t);
    if (!fresh.id && ww_txn_good(t))
      return ww_fail(diag, WW_ERR_LIMIT, 0, NULL, "store: all %d source ids are taken", UINT16_MAX);
    ww_store_meta_put(store, t, WW_META_NEXT_SOURCE, fresh.id + 1u);
  } else {
    return err;
  }
  job->record = fresh;
  return ww_store_record_put(store, t, &fresh, diag);
}

enum ww_err ww_store_source(struct ww_store *store, const char *name, uint8_t type, struct ww_source_record *out,
                            struct ww_diag *diag) {
  struct source_job job = {.name = name, .type = type};
  if (!name[0] || strlen(name) >= sizeof(out->name))
    return ww_fail(diag, WW_ERR_INVAL, 0, NULL, "store: the name of a source has 1 to %zu octets",
                   sizeof(out->name) - 1);
  struct ww_txn own, *t = ww_store_read_enter(store, &own);
  enum ww_err err = find_source(store, t, name, &job.record, diag);
  if (t->rc != MDB_SUCCESS)
    err = WW_OK; /* the transaction says what happened */
  bool absent = err == WW_ERR_NOTFOUND;
  err = ww_store_read_leave(t, &own, absent ? WW_OK : err, diag);
  if (err == WW_OK && (absent || job.record.type != type))
    err = ww_store_write(store, source_work, &job, diag);
  if (err == WW_OK)
    *out = job.record;
  return err;
}

enum ww_err ww_store_sources(struct ww_store *store, struct ww_source_record **out, size_t *count,
                             struct ww_diag *diag) {
  struct ww_source_record *list = NULL, record;
  size_t n = 0, cap = 0;
  struct ww_txn own, *t = ww_store_read_enter(store, &own);
  enum ww_err err = WW_OK;
  for (uint32_t id = 0; next_source(store, t, id, &record, &err, diag); id = record.id + 1u) {
    if (n == cap) {
      cap = cap ? cap * 2 : 8;
      struct ww_source_record *larger = realloc(list, cap * sizeof(*list));
      if (!larger) {
        err = WW_ERR_NOMEM;
        break;
      }
      list = larger;
    }
    list[n++] = record;
  }
  err = ww_store_read_leave(t, &own, err, diag);
  if (err != WW_OK) {
    free(list);
    return err;
  }
  *out = list;
  *count = n;
  return WW_OK;
}

struct keep_job {
  const char *const *names;
  size_t count;
  uint32_t epoch;
};

static enum ww_err keep_work(struct ww_store *store, struct ww_txn *t, void *ctx, struct ww_diag *diag) {
  struct keep_job *job = ctx;
  struct ww_source_record record;
  enum ww_err err = WW_OK;
  uint64_t removed = 0;
  for (uint32_t id = 0; next_source(store, t, id, &record, &err, diag); id = record.id + 1u) {
    bool keep = false;
    for (size_t i = 0; i < job->count && !keep; i++)
      keep = strcmp(job->names[i], record.name) == 0;
    if (keep)
      continue;
    uint8_t key[SOURCE_KEY_LEN];
    source_key(key, record.id);
    ww_store_erase(store, t, record.id);
    (void)ww_txn_del(t, store->sources, key, sizeof(key));
    removed += payload_count(&record);
  }
  job->epoch = removed ? ww_store_next_epoch(store, t) : ww_store_meta_get(store, t, WW_META_EPOCH);
  return err;
}

enum ww_err ww_store_keep_sources(struct ww_store *store, const char *const *names, size_t count, uint32_t *epoch,
                                  struct ww_diag *diag) {
  struct keep_job job = {.names = names, .count = count};
  enum ww_err err = ww_store_write(store, keep_work, &job, diag);
  if (err == WW_OK) {
    store->epoch = job.epoch;
    if (epoch)
      *epoch = job.epoch;
  }
  return err;
}

enum ww_err ww_store_record_update(struct ww_store *store, struct ww_txn *t, const struct ww_source_record *given,
                                   struct ww_diag *diag) {
  struct ww_source_record record = *given, stored = {0};
  enum ww_err err = ww_store_record_get(store, t, record.id, &stored, diag);
  if (err != WW_OK)
    return err;
  /* Name and counts are the store's own: they must go on telling the truth about the payloads. */
  memcpy(record.name, stored.name, sizeof(record.name));
  record.vrps_v4 = stored.vrps_v4;
  record.vrps_v6 = stored.vrps_v6;
  record.aspas = stored.aspas;
  record.router_keys = stored.router_keys;
  return ww_store_record_put(store, t, &record, diag);
}

static enum ww_err put_work(struct ww_store *store, struct ww_txn *t, void *ctx, struct ww_diag *diag) {
  return ww_store_record_update(store, t, ctx, diag);
}

enum ww_err ww_store_put_source(struct ww_store *store, const struct ww_source_record *record, struct ww_diag *diag) {
  struct ww_source_record copy = *record;
  return ww_store_write(store, put_work, &copy, diag);
}

/* --- reading payloads ------------------------------------------------------------------------------------------ */

static enum ww_err damaged(struct ww_diag *diag, ww_source_id id, const char *what) {
  return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "store: source %u: %s that cannot be; the store is damaged", id,
                 what);
}

/* Cursor over one kind of one source. */
static bool kind_first(struct ww_store *store, struct ww_txn *t, ww_source_id id, enum ww_store_kind kind,
                       uint8_t *prefix, MDB_val *k, MDB_val *v) {
  (void)ww_store_key_prefix(prefix, id, kind);
  return ww_txn_seek(t, store->payloads, prefix, WW_STORE_PREFIX_LEN, k, v);
}

static bool in_kind(const uint8_t *prefix, const MDB_val *k) {
  return k->mv_size > WW_STORE_PREFIX_LEN && memcmp(k->mv_data, prefix, WW_STORE_PREFIX_LEN) == 0;
}

/* ASPA: providers from network order into a buffer of WW_ASPA_PROVIDERS_MAX. */
static enum ww_err read_aspas(struct ww_store *store, struct ww_txn *t, ww_source_id id, struct ww_payloads *out,
                              struct ww_diag *diag) {
  uint8_t prefix[WW_STORE_KEY_MAX];
  MDB_val k, v;
  uint32_t *providers = NULL;
  enum ww_err err = WW_OK;
  for (bool more = kind_first(store, t, id, WW_STORE_ASPA, prefix, &k, &v); more && in_kind(prefix, &k) && err == WW_OK;
       more = ww_txn_next(t, &k, &v)) {
    struct ww_aspa aspa;
    const uint8_t *octets;
    if (!providers && !(providers = malloc(WW_ASPA_PROVIDERS_MAX * sizeof(*providers))))
      return WW_ERR_NOMEM;
    if (!ww_store_aspa_read(k.mv_data, k.mv_size, v.mv_data, v.mv_size, &aspa, &octets)) {
      err = damaged(diag, id, "an ASPA");
      break;
    }
    struct ww_reader r = ww_reader_make(octets, (size_t)aspa.provider_count * 4);
    for (uint32_t i = 0; i < aspa.provider_count; i++)
      providers[i] = ww_reader_u32(&r);
    aspa.providers = providers;
    err = ww_payloads_add_aspa(out, &aspa);
    if (err == WW_ERR_INVAL)
      err = damaged(diag, id, "an ASPA");
  }
  free(providers);
  return err;
}

static enum ww_err read_all(struct ww_store *store, struct ww_txn *t, ww_source_id id, struct ww_payloads *out,
                            size_t *v4, struct ww_diag *diag) {
  uint8_t prefix[WW_STORE_KEY_MAX];
  MDB_val k, v;
  enum ww_err err = WW_OK;
  for (bool more = kind_first(store, t, id, WW_STORE_VRP, prefix, &k, &v); more && in_kind(prefix, &k);
       more = ww_txn_next(t, &k, &v)) {
    struct ww_vrp vrp;
    if (!ww_store_vrp_read(k.mv_data, k.mv_size, v.mv_data, v.mv_size, &vrp))
      return damaged(diag, id, "a VRP");
    err = ww_payloads_add_vrp(out, &vrp);
    if (err != WW_OK)
      return err == WW_ERR_INVAL ? damaged(diag, id, "a VRP") : err;
    *v4 += vrp.prefix.afi == WW_AFI_IPV4;
  }
  err = read_aspas(store, t, id, out, diag);
  if (err != WW_OK)
    return err;
  bool unordered = false;
  for (bool more = kind_first(store, t, id, WW_STORE_ROUTER_KEY, prefix, &k, &v); more && in_kind(prefix, &k);
       more = ww_txn_next(t, &k, &v)) {
    struct ww_router_key key;
    if (!ww_store_router_key_read(k.mv_data, k.mv_size, v.mv_data, v.mv_size, &key))
      return damaged(diag, id, "a router key");
    err = ww_payloads_add_key(out, &key);
    if (err != WW_OK)
      return err;
    size_t n = out->key_count;
    unordered = unordered || (n > 1 && ww_router_key_compare(&out->keys[n - 2], &out->keys[n - 1]) > 0);
  }
  return unordered ? ww_payloads_sort(out) : WW_OK;
}

enum ww_err ww_store_read_source(struct ww_store *store, ww_source_id id, struct ww_payloads *out,
                                 struct ww_diag *diag) {
  struct ww_payloads set = {0};
  struct ww_source_record record;
  size_t v4 = 0;
  struct ww_txn own, *t = ww_store_read_enter(store, &own);
  enum ww_err err = ww_txn_good(t) ? ww_store_record_get(store, t, id, &record, diag) : WW_OK;
  if (err == WW_OK && ww_txn_good(t))
    err = read_all(store, t, id, &set, &v4, diag);
  if (err == WW_OK && ww_txn_good(t) &&
      (record.vrps_v4 != v4 || record.vrps_v6 != set.vrp_count - v4 || record.aspas != set.aspa_count ||
       record.router_keys != set.key_count))
    err =
        ww_fail(diag, WW_ERR_MALFORMED, 0, NULL,
                "store: source %u: %zu VRPs, %zu ASPAs and %zu router keys are there, its record counts %llu, %llu and "
                "%llu; the store is damaged",
                id, set.vrp_count, set.aspa_count, set.key_count, (unsigned long long)(record.vrps_v4 + record.vrps_v6),
                (unsigned long long)record.aspas, (unsigned long long)record.router_keys);
  err = ww_store_read_leave(t, &own, err, diag);
  if (err != WW_OK) {
    ww_payloads_fini(&set);
    return err;
  }
  *out = set;
  return WW_OK;
}

void ww_store_erase(struct ww_store *store, struct ww_txn *t, ww_source_id id) {
  uint8_t prefix[WW_STORE_KEY_MAX];
  MDB_val k, v;
  for (unsigned kind = WW_STORE_VRP; kind <= WW_STORE_ROUTER_KEY; kind++)
    while (kind_first(store, t, id, (enum ww_store_kind)kind, prefix, &k, &v) && in_kind(prefix, &k)) {
      uint8_t key[WW_STORE_KEY_MAX];
      size_t len = k.mv_size < sizeof(key) ? k.mv_size : sizeof(key);
      memcpy(key, k.mv_data, len);
      if (!ww_txn_del(t, store->payloads, key, len))
        return;
    }
}
