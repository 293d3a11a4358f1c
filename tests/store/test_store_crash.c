/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A writer killed at any moment leaves an epoch that was committed, whole; a second process reads while the first
 * writes. WW_STORE_KILLS sets how many writers die (default 200).
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* */
#include <cmocka.h>

#include "tests/store/store_util.h"

#define CHILD_MUST(x)                                                                                                  \
  do {                                                                                                                 \
    if (!(x))                                                                                                          \
      _exit(1 + __LINE__ % 90);                                                                                        \
  } while (0)

/* Commits the set of the next epoch: odd ones as a whole, even ones as increments. */
static bool commit_next(struct ww_store *store, struct ww_source_record *source, uint32_t next) {
  struct ww_payloads set, before;
  struct ww_payload_delta changes;
  uint32_t epoch = 0;
  set_of_epoch(&set, next);
  enum ww_err err;
  if (next % 2) {
    err = ww_store_commit_full(store, source, &set, NULL, NULL, NULL, &epoch, NULL);
  } else {
    set_of_epoch(&before, next - 1);
    model_diff(&before, &set, &changes);
    for (size_t i = 0; i < changes.refresh.vrp_count; i++)
      if (ww_payloads_add_vrp(&changes.announce, &changes.refresh.vrps[i]) != WW_OK)
        return false;
    for (size_t i = 0; i < changes.refresh.aspa_count; i++)
      if (ww_payloads_add_aspa(&changes.announce, &changes.refresh.aspas[i]) != WW_OK)
        return false;
    for (size_t i = 0; i < changes.refresh.key_count; i++)
      if (ww_payloads_add_key(&changes.announce, &changes.refresh.keys[i]) != WW_OK)
        return false;
    err = ww_store_commit_delta(store, source, &changes, NULL, NULL, NULL, &epoch, NULL);
    ww_payload_delta_fini(&changes);
    ww_payloads_fini(&before);
  }
  ww_payloads_fini(&set);
  return err == WW_OK && epoch == next;
}

/* Tells of its first commit by an octet in `report`. */
static void write_until_killed(const char *dir, int report) {
  struct ww_store *store;
  struct ww_source_record source;
  CHILD_MUST(ww_store_open(dir, 0, &store, NULL) == WW_OK);
  CHILD_MUST(ww_store_source(store, "main", WW_SOURCE_RTR, &source, NULL) == WW_OK);
  for (uint32_t next = ww_store_epoch(store) + 1, first = next;; next++) {
    CHILD_MUST(commit_next(store, &source, next));
    if (next == first)
      CHILD_MUST(write(report, "", 1) == 1);
  }
}

static void killed_at_any_moment(void **state) {
  (void)state;
  const char *kills_text = getenv("WW_STORE_KILLS");
  unsigned long kills = kills_text ? strtoul(kills_text, NULL, 10) : 200;
  char dir[64];
  dir_make(dir);
  uint64_t rng = 9;
  uint32_t last = 0;
  unsigned long advanced = 0;
  for (unsigned long i = 0; i < kills; i++) {
    int report[2];
    char octet;
    assert_int_equal(pipe(report), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
      write_until_killed(dir, report[1]);
    /* One half dies at any moment since its start, the other at any moment after a commit. */
    close(report[1]);
    if (i % 2)
      assert_int_equal(read(report[0], &octet, 1), 1);
    usleep((useconds_t)(rng_next(&rng) % 10000));
    close(report[0]);
    assert_int_equal(kill(pid, SIGKILL), 0);
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
      ;
    assert_true(WIFSIGNALED(status)); /* it did not fail by itself */
    struct ww_store *store;
    struct ww_diag diag = {0};
    if (ww_store_open(dir, 0, &store, &diag) != WW_OK)
      fail_msg("after kill %lu: %s", i, diag.text);
    uint32_t epoch = ww_store_epoch(store);
    assert_true(epoch >= last);
    advanced += epoch > last;
    last = epoch;
    struct ww_source_record *list;
    size_t count;
    assert_int_equal(ww_store_sources(store, &list, &count, NULL), WW_OK);
    assert_true(count <= 1);
    if (epoch > 0) {
      struct ww_payloads want, got;
      set_of_epoch(&want, epoch);
      assert_int_equal(count, 1);
      if (ww_store_read_source(store, list[0].id, &got, &diag) != WW_OK)
        fail_msg("after kill %lu: %s", i, diag.text);
      assert_true(set_equal(&got, &want));
      ww_payloads_fini(&want);
      ww_payloads_fini(&got);
    }
    free(list);
    ww_store_close(store);
  }
  print_message("%lu writers killed, %lu of them after a commit, last epoch %u\n", kills, advanced, last);
  assert_true(advanced >= kills / 2);
  dir_remove(dir);
}

enum { SHARED_EPOCHS = 151, LARGE_EVERY = 50 /* such an epoch changes another source */ };

/* Reads every epoch it meets, whole, while the writer goes on and the map grows under it. */
static void follow(const char *dir) {
  struct ww_store *store = NULL;
  alarm(100); /* the writer is gone: do not stay */
  while (ww_store_open(dir, WW_STORE_READONLY, &store, NULL) != WW_OK)
    usleep(1000);
  uint32_t epoch = 0, seen = 0;
  while (epoch < SHARED_EPOCHS) {
    struct ww_payloads got = {0}, want;
    CHILD_MUST(ww_store_read_begin(store, &epoch, NULL) == WW_OK);
    CHILD_MUST(epoch >= seen);
    if (epoch > 0)
      CHILD_MUST(ww_store_read_source(store, 1, &got, NULL) == WW_OK);
    ww_store_read_end(store);
    set_of_epoch(&want, epoch && epoch % LARGE_EVERY == 0 ? epoch - 1 : epoch);
    CHILD_MUST(set_equal(&got, &want));
    ww_payloads_fini(&got);
    ww_payloads_fini(&want);
    seen = epoch;
  }
  ww_store_close(store);
  _exit(0);
}

/* Another source, and so much of it that the map must grow. */
static void commit_large(struct ww_store *store, uint32_t nth) {
  struct ww_source_record other;
  struct ww_payloads set = {0};
  assert_int_equal(ww_store_source(store, "other", WW_SOURCE_FILE, &other, NULL), WW_OK);
  for (uint32_t i = 0; i < nth * 25000; i++) {
    struct ww_vrp v = {.max_len = 32};
    v.prefix =
        (struct ww_prefix){.afi = WW_AFI_IPV4, .len = 24, .addr = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
    assert_int_equal(ww_payloads_add_vrp(&set, &v), WW_OK);
  }
  assert_int_equal(ww_store_commit_full(store, &other, &set, NULL, NULL, NULL, NULL, NULL), WW_OK);
  ww_payloads_fini(&set);
}

static void readers_beside_a_writer(void **state) {
  (void)state;
  char dir[64];
  dir_make(dir);
  pid_t readers[2];
  for (unsigned i = 0; i < 2; i++) {
    readers[i] = fork();
    assert_true(readers[i] >= 0);
    if (readers[i] == 0)
      follow(dir);
  }
  struct ww_store *store;
  struct ww_source_record source;
  struct ww_diag diag = {0};
  if (ww_store_open(dir, WW_STORE_NOSYNC, &store, &diag) != WW_OK)
    fail_msg("%s", diag.text);
  assert_int_equal(ww_store_source(store, "main", WW_SOURCE_RTR, &source, NULL), WW_OK);
  for (uint32_t next = 1; next <= SHARED_EPOCHS; next++)
    if (next % LARGE_EVERY)
      assert_true(commit_next(store, &source, next));
    else
      commit_large(store, next / LARGE_EVERY);
  struct ww_store_stats stats;
  ww_store_stats(store, &stats);
  assert_true(stats.map_bytes >= 4 << 20);
  for (unsigned i = 0; i < 2; i++) {
    int status;
    while (waitpid(readers[i], &status, 0) < 0 && errno == EINTR)
      ;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
  }
  /* Slots of readers that died are cleared when a store is opened. */
  ww_store_close(store);
  dir_remove(dir);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(killed_at_any_moment),
      cmocka_unit_test(readers_beside_a_writer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
