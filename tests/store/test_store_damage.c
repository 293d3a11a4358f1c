/* SPDX-License-Identifier: BSD-2-Clause */
/* What is not ours, not whole, or not allowed: a clear error, and nothing is touched. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
/* */
#include <cmocka.h>
#include <lmdb.h>

#include "tests/store/store_util.h"

struct file {
  uint8_t *data;
  size_t len;
};

static void data_path(char *out, size_t size, const char *dir) { path_join(out, size, dir, "data.mdb"); }

static struct file slurp(const char *dir) {
  char path[128];
  data_path(path, sizeof(path), dir);
  FILE *in = fopen(path, "rb");
  assert_non_null(in);
  struct stat st;
  assert_int_equal(fstat(fileno(in), &st), 0);
  struct file f = {.data = malloc((size_t)st.st_size + 1), .len = (size_t)st.st_size};
  assert_int_equal(fread(f.data, 1, f.len, in), f.len);
  fclose(in);
  return f;
}

static void spill(const char *dir, const void *data, size_t len) {
  char path[128];
  data_path(path, sizeof(path), dir);
  FILE *out = fopen(path, "wb");
  assert_non_null(out);
  assert_int_equal(fwrite(data, 1, len, out), len);
  assert_int_equal(fclose(out), 0);
}

/* Opening fails so for writers and readers, says this, and leaves the file as it was. */
static void assert_refused(const char *dir, enum ww_err want, const char *words) {
  struct file before = slurp(dir);
  for (unsigned flags = 0; flags <= WW_STORE_READONLY; flags++) {
    struct ww_store *store;
    struct ww_diag diag = {0};
    assert_int_equal(ww_store_open(dir, flags, &store, &diag), want);
    assert_null(store);
    assert_non_null(strstr(diag.text, words));
  }
  struct file after = slurp(dir);
  assert_int_equal(before.len, after.len);
  assert_memory_equal(before.data, after.data, before.len);
  free(before.data);
  free(after.data);
}

/* A store with some 30000 VRPs; returns the octets in use. */
static size_t fill(const char *dir) {
  struct ww_store *store;
  struct ww_source_record source;
  struct ww_payloads set = {0};
  assert_int_equal(ww_store_open(dir, WW_STORE_NOSYNC, &store, NULL), WW_OK);
  assert_int_equal(ww_store_source(store, "main", WW_SOURCE_RTR, &source, NULL), WW_OK);
  for (uint32_t i = 0; i < 30000; i++) {
    struct ww_vrp v = {.prefix = {.afi = WW_AFI_IPV4, .len = 24, .addr = {10, (uint8_t)(i >> 8), (uint8_t)i}},
                       .max_len = 24,
                       .asn = 64500};
    assert_int_equal(ww_payloads_add_vrp(&set, &v), WW_OK);
  }
  assert_int_equal(ww_payloads_sort(&set), WW_OK);
  assert_int_equal(ww_store_commit_full(store, &source, &set, NULL, NULL, NULL, NULL, NULL), WW_OK);
  ww_payloads_fini(&set);
  struct ww_store_stats stats;
  ww_store_stats(store, &stats);
  ww_store_close(store);
  return stats.used_bytes;
}

static int setup(void **state) {
  char *dir = malloc(64);
  dir_make(dir);
  *state = dir;
  return 0;
}

static int teardown(void **state) {
  dir_remove(*state);
  free(*state);
  return 0;
}

static void nothing_there(void **state) {
  const char *dir = *state;
  struct ww_store *store;
  struct ww_diag diag;
  char path[128];
  assert_int_equal(ww_store_open(dir, WW_STORE_READONLY, &store, &diag), WW_ERR_NOTFOUND);
  path_join(path, sizeof(path), dir, "none/below");
  assert_int_equal(ww_store_open(path, WW_STORE_READONLY, &store, &diag), WW_ERR_NOTFOUND);
  assert_int_equal(ww_store_open(path, 0, &store, &diag), WW_ERR_IO);
  assert_non_null(strstr(diag.text, path));
  path_join(path, sizeof(path), dir, "file");
  FILE *f = fopen(path, "w");
  fclose(f);
  assert_int_equal(ww_store_open(path, 0, &store, &diag), WW_ERR_INVAL);
  assert_int_not_equal(ww_store_open(path, WW_STORE_READONLY, &store, &diag), WW_OK);
  path_join(path, sizeof(path), dir, "new"); /* one folder is made */
  assert_int_equal(ww_store_open(path, 0, &store, &diag), WW_OK);
  ww_store_close(store);
  assert_int_equal(ww_store_open(path, WW_STORE_READONLY, &store, &diag), WW_OK);
  ww_store_close(store);
}

static void garbage(void **state) {
  const char *dir = *state;
  uint8_t noise[10000];
  uint64_t rng = 1;
  for (size_t i = 0; i < sizeof(noise); i++)
    noise[i] = (uint8_t)rng_next(&rng);
  static const size_t lengths[] = {1, 16, 4095, 4096, 8191, 8192, sizeof(noise)};
  for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    spill(dir, noise, lengths[i]);
    assert_refused(dir, WW_ERR_MALFORMED, "not an LMDB file");
  }
  memset(noise, 0, sizeof(noise));
  spill(dir, noise, sizeof(noise));
  assert_refused(dir, WW_ERR_MALFORMED, "not an LMDB file");
}

static void cut_in_half(void **state) {
  const char *dir = *state;
  size_t used = fill(dir);
  struct file whole = slurp(dir);
  assert_true(whole.len >= used && used > 100000);
  spill(dir, whole.data, used / 2);
  assert_refused(dir, WW_ERR_MALFORMED, "cut short");
  spill(dir, whole.data, used - 1);
  assert_refused(dir, WW_ERR_MALFORMED, "cut short");
  spill(dir, whole.data, 8192);
  assert_refused(dir, WW_ERR_MALFORMED, "cut short");
  /* Without the sparse end it is whole, and a copy made by tools that drop it is good. */
  spill(dir, whole.data, used);
  struct ww_store *store;
  assert_int_equal(ww_store_open(dir, WW_STORE_NOSYNC, &store, NULL), WW_OK);
  struct ww_payloads set;
  assert_int_equal(ww_store_read_source(store, 1, &set, NULL), WW_OK);
  assert_int_equal(set.vrp_count, 30000);
  ww_payloads_fini(&set);
  ww_store_close(store);
  free(whole.data);
}

static MDB_env *raw_open(const char *dir) {
  MDB_env *env;
  assert_int_equal(mdb_env_create(&env), 0);
  assert_int_equal(mdb_env_set_maxdbs(env, 8), 0);
  assert_int_equal(mdb_env_open(env, dir, MDB_NOSYNC, 0600), 0);
  return env;
}

static void raw_put(MDB_env *env, const char *db, const char *key, const void *value, size_t len) {
  MDB_txn *t;
  MDB_dbi dbi;
  assert_int_equal(mdb_txn_begin(env, NULL, 0, &t), 0);
  assert_int_equal(mdb_dbi_open(t, db, MDB_CREATE, &dbi), 0);
  char key_copy[64], value_copy[64];
  strcpy(key_copy, key);
  memcpy(value_copy, value, len);
  MDB_val k = {.mv_size = strlen(key), .mv_data = key_copy}, v = {.mv_size = len, .mv_data = value_copy};
  assert_int_equal(mdb_put(t, dbi, &k, &v, 0), 0);
  assert_int_equal(mdb_txn_commit(t), 0);
}

static void foreign_lmdb(void **state) {
  const char *dir = *state;
  MDB_env *env = raw_open(dir);
  raw_put(env, NULL, "dear", "diary", 5);
  mdb_env_close(env);
  assert_refused(dir, WW_ERR_VERSION, "another program");
  env = raw_open(dir);
  raw_put(env, NULL, "meta", "not a database", 14);
  mdb_env_close(env);
  assert_refused(dir, WW_ERR_VERSION, "another program");
  dir_remove(dir);
  assert_int_equal(mkdir(dir, 0700), 0);
  env = raw_open(dir);
  raw_put(env, "meta", "program", "knot", 4);
  mdb_env_close(env);
  assert_refused(dir, WW_ERR_VERSION, "another program");
}

static void other_schema(void **state) {
  const char *dir = *state;
  (void)fill(dir);
  MDB_env *env = raw_open(dir);
  raw_put(env, "meta", "schema", "\0\0\0\x03", 4);
  mdb_env_close(env);
  assert_refused(dir, WW_ERR_VERSION, "schema version 3");
  env = raw_open(dir);
  raw_put(env, "meta", "schema", "\x01", 1);
  mdb_env_close(env);
  assert_refused(dir, WW_ERR_VERSION, "schema version");
}

static void raw_drop(MDB_env *env, const char *db) {
  MDB_txn *t;
  MDB_dbi dbi;
  assert_int_equal(mdb_txn_begin(env, NULL, 0, &t), 0);
  assert_int_equal(mdb_dbi_open(t, db, 0, &dbi), 0);
  assert_int_equal(mdb_drop(t, dbi, 1), 0);
  assert_int_equal(mdb_txn_commit(t), 0);
}

static int no_entry(void *ctx, const struct ww_store_change *change) {
  (void)ctx;
  (void)change;
  fail_msg("a history");
  return 1;
}

/* As version 1 left it: a reader says what to do, a writer adds what is missing, and the payloads stand. */
static void the_schema_before(void **state) {
  const char *dir = *state;
  (void)fill(dir);
  MDB_env *env = raw_open(dir);
  raw_drop(env, "history");
  raw_drop(env, "slurm");
  raw_put(env, "meta", "schema", "\0\0\0\x01", 4);
  mdb_env_close(env);
  struct ww_store *store;
  struct ww_diag diag = {0};
  assert_int_equal(ww_store_open(dir, WW_STORE_READONLY, &store, &diag), WW_ERR_VERSION);
  assert_non_null(strstr(diag.text, "becomes version 2 when the daemon opens it"));
  assert_int_equal(ww_store_open(dir, WW_STORE_NOSYNC, &store, NULL), WW_OK);
  struct ww_payloads set;
  struct ww_store_slurm slurm;
  struct ww_source_record source;
  assert_int_equal(ww_store_epoch(store), 1);
  assert_int_equal(ww_store_history(store, UINT32_MAX, NULL, no_entry, NULL), WW_OK);
  assert_int_equal(ww_store_read_slurm(store, &slurm, NULL), WW_OK);
  assert_int_equal(slurm.count, 0);
  ww_store_close(store);
  assert_int_equal(ww_store_open(dir, WW_STORE_READONLY, &store, NULL), WW_OK);
  assert_int_equal(ww_store_source(store, "main", WW_SOURCE_RTR, &source, NULL), WW_OK);
  assert_int_equal(ww_store_read_source(store, source.id, &set, NULL), WW_OK);
  assert_int_equal(set.vrp_count, 30000);
  ww_payloads_fini(&set);
  ww_store_close(store);
  /* One that says it is of version 2 and lacks them is not. */
  env = raw_open(dir);
  raw_drop(env, "history");
  mdb_env_close(env);
  assert_refused(dir, WW_ERR_MALFORMED, "lacks a database");
}

/* The number of LMDB's own format, in both of its meta pages. */
static void other_lmdb(void **state) {
  const char *dir = *state;
  (void)fill(dir);
  struct file whole = slurp(dir);
  for (size_t page = 0; page < 2; page++) {
    assert_int_equal(whole.data[page * 4096 + 20], 1);
    whole.data[page * 4096 + 20] = 2;
  }
  spill(dir, whole.data, whole.len);
  assert_refused(dir, WW_ERR_VERSION, "another version of LMDB");
  free(whole.data);
}

struct raw_change {
  const char *db, *key;
  size_t key_len;
  const char *value; /* NULL: removed */
  size_t value_len;
};

static void raw_change(const char *dir, const struct raw_change *change) {
  MDB_env *env = raw_open(dir);
  MDB_txn *t;
  MDB_dbi dbi;
  char key[64], value[128];
  memcpy(key, change->key, change->key_len);
  if (change->value)
    memcpy(value, change->value, change->value_len);
  MDB_val k = {.mv_size = change->key_len, .mv_data = key}, v = {.mv_size = change->value_len, .mv_data = value};
  assert_int_equal(mdb_txn_begin(env, NULL, 0, &t), 0);
  assert_int_equal(mdb_dbi_open(t, change->db, 0, &dbi), 0);
  assert_int_equal(change->value ? mdb_put(t, dbi, &k, &v, 0) : mdb_del(t, dbi, &k, NULL), 0);
  assert_int_equal(mdb_txn_commit(t), 0);
  mdb_env_close(env);
}

static int any_entry(void *ctx, const struct ww_store_change *change) {
  (void)ctx;
  (void)change;
  return 0;
}

/* History and SLURM files that are not whole: said so, and the payloads are read all the same. */
static void history_and_slurm_that_cannot_be(void **state) {
#define OF(text) text, sizeof(text) - 1
  static const struct raw_change bad[] = {
      {"history", OF("\0\0\0\1"), NULL, 0},                         /* pieces without a head */
      {"history", OF("\0\0\0\1"), OF("\xa0")},                      /* a head that says nothing */
      {"history", OF("\0\0\0\1"), OF("\xa1\x64time")},              /* cut */
      {"history", OF("\0\0\0\1\0\0\0\0"), NULL, 0},                 /* the first piece is not there */
      {"history", OF("\0\0\0\1\0\0\0\1"), NULL, 0},                 /* the second */
      {"history", OF("\0\0\0\1\0\0\0\1"), OF("short")},             /* it is shorter */
      {"history", OF("\0\0\0\1\xff\0\0\0"), OF("one too many")},    /* and one more */
      {"history", OF("\0\0\0\1\0\0\0\0"), OF("of another length")}, /* the first is short */
      {"history", OF("\0\0\2"), OF("")},                            /* a key that cannot be */
      {"slurm", OF("\0\0"),
       OF("\xa2\x64time\x01\x65"
          "files\x02")}, /* two files, one is there */
      {"slurm", OF("\0\0"),
       OF("\xa2\x64time\x01\x65"
          "files\x19\x10\x01")}, /* 4097 */
      {"slurm", OF("\0\0"), OF("\xa0")},
      {"slurm", OF("\0\1"), NULL, 0},                                               /* no head of the file */
      {"slurm", OF("\0\1"), OF("\xa2\x64name\x61x\x66octets\x1a\xff\xff\xff\xff")}, /* 4 GB */
      {"slurm", OF("\0\1\0\0\0\0"), NULL, 0},                                       /* no text */
      {"slurm", OF("\0\1\0\0\0\1"), OF("more")},                                    /* too much of it */
  };
#undef OF
  const char *dir = *state;
  char name[] = "x";
  uint8_t text[] = "{}";
  struct ww_store_slurm_file file = {.name = name, .text = text, .len = 2};
  struct ww_store_slurm slurm = {.files = &file, .count = 1, .time = 1}, got;
  for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct ww_store *store;
    struct ww_source_record source;
    struct ww_payloads set, read = {0};
    struct pass pass = {0};
    struct ww_diag diag = {0};
    dir_remove(dir);
    assert_int_equal(ww_store_open(dir, WW_STORE_NOSYNC, &store, NULL), WW_OK);
    assert_int_equal(ww_store_source(store, "main", WW_SOURCE_RTR, &source, NULL), WW_OK);
    set_random(&set, 7, 400, 20, 10);
    assert_int_equal(ww_store_commit_full(store, &source, &set, pass_on, &pass, NULL, NULL, NULL), WW_OK);
    assert_int_equal(ww_store_commit_change(store, NULL, 0, &slurm, NULL, NULL, NULL, NULL), WW_OK);
    ww_store_close(store);
    raw_change(dir, &bad[i]);
    assert_int_equal(ww_store_open(dir, WW_STORE_NOSYNC, &store, NULL), WW_OK);
    bool history = strcmp(bad[i].db, "history") == 0;
    enum ww_err err = ww_store_history(store, UINT32_MAX, NULL, any_entry, &diag);
    if (history ? err != WW_ERR_MALFORMED : err != WW_OK)
      fail_msg("history %u: %s: %s", i, ww_err_name(err), diag.text);
    err = ww_store_read_slurm(store, &got, &diag);
    if (history ? err != WW_OK : err != WW_ERR_MALFORMED && err != WW_ERR_LIMIT)
      fail_msg("slurm %u: %s: %s", i, ww_err_name(err), diag.text);
    assert_true(diag.text[0] != '\0');
    if (err == WW_OK)
      ww_store_slurm_fini(&got);
    assert_int_equal(ww_store_read_source(store, source.id, &read, NULL), WW_OK);
    assert_true(set_equal(&read, &set));
    ww_payloads_fini(&read);
    ww_payloads_fini(&set);
    ww_store_close(store);
  }
}

/* An environment without anything in it: what a crash leaves between LMDB's first write and ours. */
static void empty_environment(void **state) {
  const char *dir = *state;
  mdb_env_close(raw_open(dir));
  struct ww_store *store;
  assert_int_equal(ww_store_open(dir, WW_STORE_READONLY, &store, NULL), WW_ERR_NOTFOUND);
  assert_int_equal(ww_store_open(dir, 0, &store, NULL), WW_OK);
  ww_store_close(store);
  spill(dir, "", 0);
  assert_int_equal(ww_store_open(dir, 0, &store, NULL), WW_OK);
  ww_store_close(store);
}

static void second_writer(void **state) {
  const char *dir = *state;
  struct ww_store *store, *other;
  struct ww_diag diag;
  assert_int_equal(ww_store_open(dir, 0, &store, NULL), WW_OK);
  assert_int_equal(ww_store_open(dir, 0, &other, &diag), WW_ERR_STATE);
  assert_non_null(strstr(diag.text, "another process"));
  ww_store_close(store);
  assert_int_equal(ww_store_open(dir, 0, &store, NULL), WW_OK);
  ww_store_close(store);
}

/* Records that no writer would have put there. */
static void records_that_cannot_be(void **state) {
  const char *dir = *state;
  static const struct {
    const char *key;
    size_t key_len;
    const char *value;
    size_t value_len;
  } bad[] = {
      {"\0\1\1\1\x0a\0\0\1\x18\x18\0\0\0\1", 14, "", 0},             /* host bits */
      {"\0\1\1\1\x0a\0\0\0\x18\x17\0\0\0\1", 14, "", 0},             /* max_len < length */
      {"\0\1\1\1\x0a\0\0\0\x18\x21\0\0\0\1", 14, "", 0},             /* max_len 33 */
      {"\0\1\1\3\x0a\0\0\0\x18\x18\0\0\0\1", 14, "", 0},             /* family 3 */
      {"\0\1\1\1\x0a\0\0\0\x18\x18\0\0\0", 13, "", 0},               /* short */
      {"\0\1\1\1\x0a\0\0\0\x18\x18\0\0\0\1", 14, "\0\1", 2},         /* a longer expiry than need be */
      {"\0\1\1\1\x0a\0\0\0\x18\x18\0\0\0\1", 14, "123456789", 9},    /* 9 octets of expiry */
      {"\0\1\2\0\0\0\1", 7, "\0\0\0\0\0\0\0\0\0\0\1", 11},           /* three quarters of a provider */
      {"\0\1\2\0\0\0\1", 7, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16}, /* AS 0 beside another */
      {"\0\1\2\0\0\0\1", 7, "\0\0", 2},
      {"\0\1\3\0\0\0\1", 7, "\0\0\0\0\0\0\0\0k", 9},     /* a short key */
      {"\0\1\1\1\x0a\0\0\0\x18\x18\0\0\0\1", 14, "", 0}, /* good, but not counted */
  };
  for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct ww_store *store;
    struct ww_source_record source;
    dir_remove(dir);
    assert_int_equal(ww_store_open(dir, WW_STORE_NOSYNC, &store, NULL), WW_OK);
    assert_int_equal(ww_store_source(store, "main", WW_SOURCE_RTR, &source, NULL), WW_OK);
    ww_store_close(store);
    MDB_env *env = raw_open(dir);
    MDB_txn *t;
    MDB_dbi dbi;
    char key[64], value[64];
    memcpy(key, bad[i].key, bad[i].key_len);
    memcpy(value, bad[i].value, bad[i].value_len);
    MDB_val k = {.mv_size = bad[i].key_len, .mv_data = key}, v = {.mv_size = bad[i].value_len, .mv_data = value};
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &t), 0);
    assert_int_equal(mdb_dbi_open(t, "payloads", 0, &dbi), 0);
    assert_int_equal(mdb_put(t, dbi, &k, &v, 0), 0);
    assert_int_equal(mdb_txn_commit(t), 0);
    mdb_env_close(env);
    assert_int_equal(ww_store_open(dir, WW_STORE_NOSYNC, &store, NULL), WW_OK);
    struct ww_payloads set = {0};
    struct ww_diag diag = {0};
    assert_int_equal(ww_store_read_source(store, source.id, &set, &diag), WW_ERR_MALFORMED);
    assert_non_null(strstr(diag.text, "damaged"));
    ww_store_close(store);
  }
}

/* Pages of zeroes in the middle, as a disk may leave them. */
static void a_hole(void **state) {
  const char *dir = *state;
  size_t used = fill(dir);
  struct file whole = slurp(dir);
  size_t from = used / 4 / 4096 * 4096, to = used / 2 / 4096 * 4096;
  memset(whole.data + from, 0, to - from);
  spill(dir, whole.data, whole.len);
  struct ww_store *store;
  struct ww_payloads set = {0};
  struct ww_diag diag = {0};
  enum ww_err err = ww_store_open(dir, WW_STORE_READONLY, &store, &diag);
  if (err == WW_OK) {
    err = ww_store_read_source(store, 1, &set, &diag);
    ww_store_close(store);
  }
  assert_int_equal(err, WW_ERR_MALFORMED);
  free(whole.data);
}

static int child_code(pid_t pid) {
  int status;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    ;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

#define CHILD_MUST(x)                                                                                                  \
  do {                                                                                                                 \
    if (!(x))                                                                                                          \
      _exit(1 + __LINE__ % 90);                                                                                        \
  } while (0)

/* Every page in turn: reading and writing either work or say that the store is damaged; nothing dies. */
static void a_hole_anywhere(void **state) {
  const char *dir = *state;
  size_t used = fill(dir);
  struct file whole = slurp(dir);
  size_t step = used / 4096 > 150 ? used / 4096 / 150 * 4096 : 4096, refused = 0;
  for (size_t page = 2 * 4096; page + 4096 <= used; page += step) {
    uint8_t kept[4096];
    memcpy(kept, whole.data + page, sizeof(kept));
    memset(whole.data + page, 0, sizeof(kept));
    spill(dir, whole.data, whole.len);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
      struct ww_store *store;
      struct ww_payloads set = {0}, none = {0};
      struct ww_source_record source;
      struct ww_diag diag = {0};
      enum ww_err err = ww_store_open(dir, WW_STORE_NOSYNC, &store, &diag);
      if (err != WW_OK)
        _exit(err == WW_ERR_MALFORMED || err == WW_ERR_VERSION ? 1 : 2);
      err = ww_store_read_source(store, 1, &set, &diag);
      if (err != WW_OK && err != WW_ERR_MALFORMED)
        _exit(3);
      enum ww_err again = ww_store_source(store, "main", WW_SOURCE_RTR, &source, &diag);
      if (again == WW_OK)
        again = ww_store_commit_full(store, &source, &none, NULL, NULL, NULL, NULL, &diag);
      ww_store_close(store);
      ww_payloads_fini(&set);
      _exit(again != WW_OK && again != WW_ERR_MALFORMED ? 4 : err != WW_OK);
    }
    int code = child_code(pid);
    if (code > 1)
      fail_msg("a hole at %zu: %d", page, code);
    refused += code == 1;
    memcpy(whole.data + page, kept, sizeof(kept));
  }
  assert_true(refused > 0);
  free(whole.data);
}

/* A file that may not grow: the commit fails in words, the data of before stays, and room helps. */
static void disk_full(void **state) {
  const char *dir = *state;
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    struct ww_store *store;
    struct ww_source_record source;
    struct ww_payloads small, large = {0}, got;
    struct ww_diag diag = {0};
    signal(SIGXFSZ, SIG_IGN);
    CHILD_MUST(ww_store_open(dir, 0, &store, NULL) == WW_OK);
    CHILD_MUST(ww_store_source(store, "main", WW_SOURCE_RTR, &source, NULL) == WW_OK);
    set_random(&small, 5, 50, 5, 5);
    CHILD_MUST(ww_store_commit_full(store, &source, &small, NULL, NULL, NULL, NULL, NULL) == WW_OK);
    for (uint32_t i = 0; i < 200000; i++) {
      struct ww_vrp v = {
          .prefix = {.afi = WW_AFI_IPV4, .len = 32, .addr = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}},
          .max_len = 32};
      CHILD_MUST(ww_payloads_add_vrp(&large, &v) == WW_OK);
    }
    struct rlimit limit;
    CHILD_MUST(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    rlim_t was = limit.rlim_cur;
    static const rlim_t limits[] = {1 << 17 /* inside the map */, 1 << 20 /* the map */, 1 << 22 /* beyond */};
    for (unsigned i = 0; i < 3; i++) {
      limit.rlim_cur = limits[i];
      CHILD_MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
      large.vrp_count = i == 0 ? 10000 : 200000; /* the first needs no growth, and more than the limit */
      CHILD_MUST(ww_store_commit_full(store, &source, &large, NULL, NULL, NULL, NULL, &diag) == WW_ERR_IO);
      /* LMDB calls a write that was cut an I/O error. */
      CHILD_MUST(strstr(diag.text, i == 0 ? "store: writing" : "File too large"));
      CHILD_MUST(ww_store_read_source(store, source.id, &got, NULL) == WW_OK);
      CHILD_MUST(set_equal(&got, &small));
      ww_payloads_fini(&got);
    }
    limit.rlim_cur = was;
    CHILD_MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHILD_MUST(ww_store_commit_full(store, &source, &large, NULL, NULL, NULL, NULL, NULL) == WW_OK);
    CHILD_MUST(ww_store_read_source(store, source.id, &got, NULL) == WW_OK);
    CHILD_MUST(got.vrp_count == 200000);
    _exit(0);
  }
  assert_int_equal(child_code(pid), 0);
}

/* As a user who may not write there. */
static void read_only_folder(void **state) {
  const char *dir = *state;
  (void)fill(dir);
  char path[128];
  assert_int_equal(chmod(dir, 0555), 0);
  path_join(path, sizeof(path), dir, "data.mdb");
  assert_int_equal(chmod(path, 0444), 0);
  path_join(path, sizeof(path), dir, "lock.mdb");
  assert_int_equal(chmod(path, 0444), 0);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    struct ww_store *store;
    struct ww_diag diag = {0};
    if (geteuid() == 0)
      CHILD_MUST(setgid(65534) == 0 && setuid(65534) == 0);
    CHILD_MUST(ww_store_open(dir, 0, &store, &diag) == WW_ERR_IO);
    CHILD_MUST(ww_store_open(dir, WW_STORE_READONLY, &store, &diag) == WW_ERR_IO);
    CHILD_MUST(strstr(diag.text, "lock.mdb"));
    char below[128];
    path_join(below, sizeof(below), dir, "below");
    CHILD_MUST(ww_store_open(below, 0, &store, &diag) == WW_ERR_IO);
    CHILD_MUST(strstr(diag.text, below));
    _exit(0);
  }
  assert_int_equal(child_code(pid), 0);
  assert_int_equal(chmod(dir, 0755), 0);
  /* A reader is no writer. */
  struct ww_store *store;
  struct ww_source_record source;
  assert_int_equal(chmod(path, 0644), 0);
  assert_int_equal(ww_store_open(dir, WW_STORE_READONLY, &store, NULL), WW_OK);
  assert_int_equal(ww_store_source(store, "main", WW_SOURCE_RTR, &source, NULL), WW_OK);
  assert_int_equal(ww_store_source(store, "new", WW_SOURCE_RTR, &source, NULL), WW_ERR_STATE);
  assert_int_equal(ww_store_put_source(store, &source, NULL), WW_ERR_STATE);
  ww_store_close(store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(nothing_there, setup, teardown),
      cmocka_unit_test_setup_teardown(garbage, setup, teardown),
      cmocka_unit_test_setup_teardown(cut_in_half, setup, teardown),
      cmocka_unit_test_setup_teardown(foreign_lmdb, setup, teardown),
      cmocka_unit_test_setup_teardown(other_schema, setup, teardown),
      cmocka_unit_test_setup_teardown(the_schema_before, setup, teardown),
      cmocka_unit_test_setup_teardown(other_lmdb, setup, teardown),
      cmocka_unit_test_setup_teardown(history_and_slurm_that_cannot_be, setup, teardown),
      cmocka_unit_test_setup_teardown(empty_environment, setup, teardown),
      cmocka_unit_test_setup_teardown(second_writer, setup, teardown),
      cmocka_unit_test_setup_teardown(records_that_cannot_be, setup, teardown),
      cmocka_unit_test_setup_teardown(a_hole, setup, teardown),
      cmocka_unit_test_setup_teardown(a_hole_anywhere, setup, teardown),
      cmocka_unit_test_setup_teardown(disk_full, setup, teardown),
      cmocka_unit_test_setup_teardown(read_only_folder, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
