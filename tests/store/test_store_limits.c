/* SPDX-License-Identifier: BSD-2-Clause */
/* What runs out: the disk, the map, readers that die or stay. Clear errors, data intact, and it goes on afterwards. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>
/* */
#include <cmocka.h>

#include "store/internal.h"
#include "tests/store/store_util.h"

#define CHILD_MUST(x)                                                                                                  \
  do {                                                                                                                 \
    if (!(x))                                                                                                          \
      _exit(1 + __LINE__ % 90);                                                                                        \
  } while (0)

enum { NO_MOUNT = 99 };

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

static int child_code(pid_t pid) {
  int status;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    ;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

/* `count` IPv4 VRPs of this AS. */
static void many(struct ww_payloads *set, uint32_t count, uint32_t asn) {
  *set = (struct ww_payloads){0};
  for (uint32_t i = 0; i < count; i++) {
    struct ww_vrp v = {
        .prefix = {.afi = WW_AFI_IPV4, .len = 32, .addr = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}},
        .max_len = 32,
        .asn = asn};
    if (ww_payloads_add_vrp(set, &v) != WW_OK)
      abort();
  }
}

static enum ww_err commit(struct ww_store *store, struct ww_source_record *source, const struct ww_payloads *set,
                          struct ww_diag *diag) {
  struct pass pass = {0};
  enum ww_err err = ww_store_commit_full(store, source, set, pass_on, &pass, NULL, NULL, diag);
  pass_fini(&pass);
  return err;
}

static int count_entry(void *ctx, const struct ww_store_change *change) {
  (void)change;
  ++*(unsigned *)ctx;
  return 0;
}

/* The store holds this, and as many entries of history. */
static bool holds(struct ww_store *store, ww_source_id id, const struct ww_payloads *set, unsigned entries) {
  struct ww_payloads got;
  unsigned n = 0;
  if (ww_store_read_source(store, id, &got, NULL) != WW_OK)
    return false;
  bool same = set_equal(&got, set);
  ww_payloads_fini(&got);
  return same && ww_store_history(store, UINT32_MAX, &n, count_entry, NULL) == WW_OK && n == entries;
}

/* --- a full disk ------------------------------------------------------------------------------------------------- */

static bool write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
  if (fd >= 0)
    close(fd);
  return good;
}

/* A file system of this size at `dir`, seen by this process alone. */
static bool small_disk(const char *dir, const char *options) {
  char map[64];
  snprintf(map, sizeof(map), "0 %u 1", (unsigned)geteuid());
  bool root = geteuid() == 0;
  if (unshare(root ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0)
    return false;
  if (!root && (!write_file("/proc/self/setgroups", "deny") || !write_file("/proc/self/uid_map", map)))
    return false;
  return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && mount("none", dir, "tmpfs", 0, options) == 0;
}

static void on_a_full_disk(const char *dir) {
  struct ww_store *store;
  struct ww_source_record source;
  struct ww_payloads small, large, other;
  struct ww_diag diag = {0};
  char path[128];
  if (!small_disk(dir, "size=3m"))
    _exit(NO_MOUNT);
  path_join(path, sizeof(path), dir, "store");
  CHILD_MUST(ww_store_open(path, 0, &store, NULL) == WW_OK);
  CHILD_MUST(ww_store_source(store, "main", WW_SOURCE_RTR, &source, NULL) == WW_OK);
  set_random(&small, 5, 50, 5, 5);
  set_random(&other, 6, 50, 5, 5);
  many(&large, 200000, 1);
  CHILD_MUST(commit(store, &source, &small, NULL) == WW_OK);
  for (unsigned i = 0; i < 3; i++) {
    CHILD_MUST(commit(store, &source, &large, &diag) == WW_ERR_IO);
    CHILD_MUST(strstr(diag.text, "store: writing: ") && strstr(diag.text, " octets are left on the disk"));
    CHILD_MUST(holds(store, source.id, &small, 1));
  }
  /* What fits goes on being taken, and what was written in vain does not count. */
  CHILD_MUST(commit(store, &source, &other, NULL) == WW_OK);
  ww_store_close(store);
  CHILD_MUST(ww_store_open(path, 0, &store, NULL) == WW_OK);
  CHILD_MUST(holds(store, source.id, &other, 2));
  CHILD_MUST(mount(NULL, dir, NULL, MS_REMOUNT, "size=64m") == 0);
  CHILD_MUST(commit(store, &source, &large, &diag) == WW_OK);
  CHILD_MUST(holds(store, source.id, &large, 3));
  ww_store_close(store);
  _exit(0);
}

/* Nothing left at all when a store is to be made: not a signal, words. */
static void made_on_a_full_disk(const char *dir) {
  struct ww_store *store;
  struct ww_diag diag = {0};
  char path[128], filler[4096] = {0};
  if (!small_disk(dir, "size=64k"))
    _exit(NO_MOUNT);
  path_join(path, sizeof(path), dir, "filler");
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  for (unsigned left = 0; left < 4; left++) { /* with so many pages free */
    while (write(fd, filler, sizeof(filler)) > 0)
      ;
    CHILD_MUST(ftruncate(fd, (off_t)(16 - left) * (off_t)sizeof(filler)) == 0);
    char name[16];
    snprintf(name, sizeof(name), "store%u", left);
    path_join(path, sizeof(path), dir, name);
    CHILD_MUST(ww_store_open(path, 0, &store, &diag) == WW_ERR_IO);
    CHILD_MUST(strstr(diag.text, "No space left"));
    dir_remove(path);
    CHILD_MUST(lseek(fd, 0, SEEK_END) >= 0);
  }
  _exit(0);
}

static void disk_test(const char *dir, void (*test)(const char *dir)) {
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0)
    test(dir);
  int code = child_code(pid);
  if (code == NO_MOUNT)
    skip(); /* no right to mount */
  assert_int_equal(code, 0);
}

static void a_full_disk(void **state) { disk_test(*state, on_a_full_disk); }
static void a_full_disk_at_first(void **state) { disk_test(*state, made_on_a_full_disk); }

/* --- the map's bound --------------------------------------------------------------------------------------------- */

static void the_bound_of_the_map(void **state) {
  struct ww_store *store;
  struct ww_source_record source;
  struct ww_payloads small, large;
  struct ww_diag diag = {0};
  uint32_t epoch = 0;
  assert_int_equal(ww_store_open(*state, WW_STORE_NOSYNC, &store, NULL), WW_OK);
  store->map_max = 4 << 20;
  assert_int_equal(ww_store_source(store, "main", WW_SOURCE_RTR, &source, NULL), WW_OK);
  set_random(&small, 5, 50, 5, 5);
  many(&large, 200000, 1);
  assert_int_equal(commit(store, &source, &small, NULL), WW_OK);
  assert_int_equal(commit(store, &source, &large, &diag), WW_ERR_LIMIT);
  assert_non_null(strstr(diag.text, "grow beyond 4194304 octets"));
  assert_true(holds(store, source.id, &small, 1));
  /* Found out only while writing. */
  struct ww_payload_delta changes = {.announce = large};
  assert_int_equal(ww_store_commit_delta(store, &source, &changes, NULL, NULL, NULL, &epoch, &diag), WW_ERR_LIMIT);
  char name[] = "slurm.json";
  struct ww_store_slurm_file file = {.name = name, .text = calloc(1, 5 << 20), .len = 5 << 20};
  struct ww_store_slurm slurm = {.files = &file, .count = 1, .time = 1};
  assert_int_equal(ww_store_commit_change(store, NULL, 0, &slurm, NULL, NULL, &epoch, &diag), WW_ERR_LIMIT);
  assert_int_equal(ww_store_epoch(store), 1);
  assert_true(holds(store, source.id, &small, 1));
  store->map_max = WW_STORE_MAP_MAX;
  assert_int_equal(ww_store_commit_change(store, NULL, 0, &slurm, NULL, NULL, &epoch, &diag), WW_OK);
  assert_int_equal(commit(store, &source, &large, &diag), WW_OK);
  assert_true(holds(store, source.id, &large, 2));
  free(file.text);
  ww_payloads_fini(&changes.announce);
  ww_payloads_fini(&small);
  ww_store_close(store);
}

/* --- readers ----------------------------------------------------------------------------------------------------- */

struct reader {
  pid_t pid;
  int tell; /* closed: it looks again at what it saw first, and ends */
};

/* A process that begins to read and stays. It ends with 0 if its epoch stood all the time. */
static struct reader reader_start(const char *dir, ww_source_id id) {
  int ready[2], tell[2];
  char octet;
  assert_int_equal(pipe(ready), 0);
  assert_int_equal(pipe(tell), 0);
  struct reader r = {.pid = fork(), .tell = tell[1]};
  assert_true(r.pid >= 0);
  if (r.pid == 0) {
    struct ww_store *store;
    struct ww_payloads first, again;
    uint32_t epoch;
    close(tell[1]);
    alarm(100);
    CHILD_MUST(ww_store_open(dir, WW_STORE_READONLY, &store, NULL) == WW_OK);
    CHILD_MUST(ww_store_read_begin(store, &epoch, NULL) == WW_OK);
    CHILD_MUST(ww_store_read_source(store, id, &first, NULL) == WW_OK);
    CHILD_MUST(write(ready[1], "", 1) == 1);
    CHILD_MUST(read(tell[0], &octet, 1) == 0);
    CHILD_MUST(ww_store_read_source(store, id, &again, NULL) == WW_OK);
    CHILD_MUST(set_equal(&first, &again));
    _exit(0);
  }
  close(ready[1]);
  close(tell[0]);
  assert_int_equal(read(ready[0], &octet, 1), 1);
  close(ready[0]);
  return r;
}

static void a_reader_that_died(void **state) {
  struct ww_store *store;
  struct ww_source_record source;
  struct ww_payloads set;
  struct ww_store_stats stats;
  bool more;
  assert_int_equal(ww_store_open(*state, WW_STORE_NOSYNC, &store, NULL), WW_OK);
  assert_int_equal(ww_store_source(store, "main", WW_SOURCE_RTR, &source, NULL), WW_OK);
  ww_store_stats(store, &stats);
  assert_int_equal(stats.readers, 0);
  for (unsigned round = 0; round < 2; round++) {
    struct reader r = reader_start(*state, source.id);
    for (uint32_t i = 0; i < 5; i++) {
      set_random(&set, round * 10 + i + 1, 50, 5, 5);
      assert_int_equal(commit(store, &source, &set, NULL), WW_OK);
      ww_payloads_fini(&set);
    }
    ww_store_stats(store, &stats);
    assert_int_equal(stats.readers, 1);
    assert_int_equal(stats.oldest_reader, r.pid);
    assert_int_equal(stats.reader_lag, 5);
    assert_int_equal(kill(r.pid, SIGKILL), 0);
    assert_int_equal(child_code(r.pid), 100);
    close(r.tell);
    ww_store_stats(store, &stats);
    assert_int_equal(stats.readers, 1); /* its slot is still there */
    if (round == 0) {
      assert_int_equal(ww_store_prune(store, 0, SIZE_MAX, &more, NULL), WW_OK);
    } else {
      ww_store_close(store);
      assert_int_equal(ww_store_open(*state, WW_STORE_NOSYNC, &store, NULL), WW_OK);
    }
    ww_store_stats(store, &stats);
    assert_int_equal(stats.readers, 0);
    assert_int_equal(stats.oldest_reader, 0);
    assert_int_equal(stats.reader_lag, 0);
  }
  ww_store_close(store);
}

enum { ENOUGH = 100 };

/* Commits another 2000 VRPs until that fails; how many times that went well, ENOUGH at most. */
static unsigned commit_until_refused(struct ww_store *store, struct ww_source_record *source, struct ww_diag *diag) {
  for (uint32_t i = 0; i < ENOUGH; i++) {
    struct ww_payloads set;
    many(&set, 2000, i + 1);
    enum ww_err err = ww_store_commit_full(store, source, &set, NULL, NULL, NULL, NULL, diag);
    ww_payloads_fini(&set);
    if (err == WW_OK)
      continue;
    assert_int_equal(err, WW_ERR_LIMIT);
    return i;
  }
  return ENOUGH;
}

static void a_reader_that_stays(void **state) {
  struct ww_store *store;
  struct ww_source_record source;
  struct ww_payloads set;
  struct ww_store_stats before, after;
  struct ww_diag diag = {0};
  char words[64];
  assert_int_equal(ww_store_open(*state, WW_STORE_NOSYNC, &store, NULL), WW_OK);
  store->map_max = 4 << 20;
  assert_int_equal(ww_store_source(store, "main", WW_SOURCE_RTR, &source, NULL), WW_OK);
  many(&set, 2000, 77777);
  assert_int_equal(ww_store_commit_full(store, &source, &set, NULL, NULL, NULL, NULL, NULL), WW_OK);
  ww_payloads_fini(&set);
  /* Without it a hundred commits find their room in what the ones before have left. */
  assert_int_equal(commit_until_refused(store, &source, &diag), ENOUGH);
  ww_store_stats(store, &before);
  assert_true(before.map_bytes < store->map_max);
  struct reader r = reader_start(*state, source.id);
  unsigned commits = commit_until_refused(store, &source, &diag);
  assert_in_range(commits, 5, ENOUGH - 1);
  snprintf(words, sizeof(words), "process %d has been reading since", (int)r.pid);
  assert_non_null(strstr(diag.text, words));
  ww_store_stats(store, &after);
  assert_true(after.map_bytes <= store->map_max);
  assert_int_equal(after.oldest_reader, r.pid);
  assert_int_equal(after.reader_lag, commits);
  /* What it sees has stood, and once it has gone all is well. */
  close(r.tell);
  assert_int_equal(child_code(r.pid), 0);
  assert_int_equal(commit_until_refused(store, &source, &diag), ENOUGH);
  ww_store_stats(store, &after);
  assert_int_equal(after.reader_lag, 0);
  /* One that was killed is cleared away in the commit that needs its room. */
  r = reader_start(*state, source.id);
  assert_int_not_equal(commit_until_refused(store, &source, &diag), ENOUGH);
  assert_int_equal(kill(r.pid, SIGKILL), 0);
  assert_int_equal(child_code(r.pid), 100);
  close(r.tell);
  assert_int_equal(commit_until_refused(store, &source, &diag), ENOUGH);
  ww_store_close(store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_full_disk, setup, teardown),
      cmocka_unit_test_setup_teardown(a_full_disk_at_first, setup, teardown),
      cmocka_unit_test_setup_teardown(the_bound_of_the_map, setup, teardown),
      cmocka_unit_test_setup_teardown(a_reader_that_died, setup, teardown),
      cmocka_unit_test_setup_teardown(a_reader_that_stays, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
