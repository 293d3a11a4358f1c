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

/*
 * What each epoch is: every fifth changes the SLURM set and whether the source is active, and leaves its payloads
 * alone; of the others the odd ones commit a whole set and the even ones increments. All leave an entry in the history,
 * which is pruned along.
 */
enum {
  SLURM_EVERY = 5,
  SLURM_SOURCE = 9,
  LARGE_EVERY = 50, /* the SLURM set has another file then, and the map must grow */
  LARGE_OCTETS = 1500000,
  HISTORY_OCTETS = 100000
};

static void set_at(struct ww_payloads *set, uint32_t epoch) {
  set_of_epoch(set, epoch && epoch % SLURM_EVERY == 0 ? epoch - 1 : epoch);
}

static bool active_at(uint32_t epoch) { return epoch / SLURM_EVERY % 2 == 0; }

static void slurm_text(uint8_t *text, uint32_t epoch, size_t *len) {
  *len = epoch * 37 % 9000;
  memset(text, (int)epoch, *len);
}

static bool commit_slurm(struct ww_store *store, struct ww_source_record *source, uint32_t next) {
  uint8_t text[9000];
  char name[] = "slurm.json", other[] = "large.json";
  bool large = next % LARGE_EVERY == 0;
  struct ww_store_slurm_file files[2] = {{.name = name, .text = text}, {.name = other}};
  struct ww_store_slurm slurm = {.files = files, .count = large ? 2 : 1, .time = next};
  struct ww_payloads before = {0};
  struct pass pass = {.before = &before, .extra = {.source = SLURM_SOURCE}};
  struct ww_vrp v = {.prefix = {.afi = WW_AFI_IPV4, .len = 8, .addr = {10}}, .max_len = 8, .asn = next};
  uint32_t epoch = 0;
  slurm_text(text, next, &files[0].len);
  files[1].len = LARGE_OCTETS * (1 + next / LARGE_EVERY % 4);
  if (large && !(files[1].text = calloc(1, files[1].len)))
    return false;
  source->active = active_at(next);
  bool good = ww_payloads_add_vrp(&pass.extra.announce, &v) == WW_OK &&
              ww_store_commit_change(store, source, 1, &slurm, pass_on, &pass, &epoch, NULL) == WW_OK && epoch == next;
  pass_fini(&pass);
  free(files[1].text);
  return good;
}

/* Increments say an expiry that moved by announcing the record. */
static enum ww_err announce_refreshed(struct ww_payload_delta *changes) {
  enum ww_err err = WW_OK;
  for (size_t i = 0; i < changes->refresh.vrp_count && err == WW_OK; i++)
    err = ww_payloads_add_vrp(&changes->announce, &changes->refresh.vrps[i]);
  for (size_t i = 0; i < changes->refresh.aspa_count && err == WW_OK; i++)
    err = ww_payloads_add_aspa(&changes->announce, &changes->refresh.aspas[i]);
  for (size_t i = 0; i < changes->refresh.key_count && err == WW_OK; i++)
    err = ww_payloads_add_key(&changes->announce, &changes->refresh.keys[i]);
  return err;
}

static bool commit_next(struct ww_store *store, struct ww_source_record *source, uint32_t next) {
  struct ww_payloads set, before;
  struct pass pass = {.before = &before};
  uint32_t epoch = 0;
  bool more;
  if (next % SLURM_EVERY == 0)
    return commit_slurm(store, source, next);
  set_at(&set, next);
  set_at(&before, next - 1);
  source->has_session = true;
  source->rtr_serial = next;
  enum ww_err err;
  if (next % 2) {
    err = ww_store_commit_full(store, source, &set, pass_on, &pass, NULL, &epoch, NULL);
  } else {
    struct ww_payload_delta changes;
    model_diff(&before, &set, &changes);
    err = announce_refreshed(&changes);
    if (err == WW_OK)
      err = ww_store_commit_delta(store, source, &changes, pass_on, &pass, NULL, &epoch, NULL);
    ww_payload_delta_fini(&changes);
  }
  if (err == WW_OK)
    err = ww_store_prune(store, 0, HISTORY_OCTETS, &more, NULL);
  pass_fini(&pass);
  ww_payloads_fini(&before);
  ww_payloads_fini(&set);
  return err == WW_OK && epoch == next;
}

/* --- what must hold whenever somebody looks --------------------------------------------------------------------- */

#define HOLDS(x)                                                                                                       \
  do {                                                                                                                 \
    if (!(x))                                                                                                          \
      return #x;                                                                                                       \
  } while (0)

struct back {
  struct ww_payloads state;
  uint32_t expect;
  unsigned depth, entries;
  const char *broken;
};

static const char *check_entry(struct back *b, const struct ww_store_change *change) {
  HOLDS(change->epoch == b->expect);
  HOLDS(change->time == 1000 + change->epoch);
  HOLDS(change->counts.vrps_v4 == change->epoch * UINT64_C(10));
  HOLDS(change->complete);
  if (b->entries > b->depth)
    return NULL;
  struct ww_payload_delta *undo;
  HOLDS(ww_store_change_undo(change, &undo) == WW_OK);
  for (size_t i = 0; i < change->delta_count; i++) {
    if (undo[i].source != SLURM_SOURCE) {
      struct ww_payloads earlier;
      model_apply(&b->state, &undo[i], &earlier);
      ww_payloads_fini(&b->state);
      b->state = earlier;
    } else {
      HOLDS(change->epoch % SLURM_EVERY == 0 && change->deltas[i].announce.vrps[0].asn == change->epoch);
    }
    ww_payload_delta_fini(&undo[i]);
  }
  free(undo);
  struct ww_payloads want;
  set_at(&want, change->epoch - 1);
  bool same = set_same_but_expiry(&b->state, &want);
  ww_payloads_fini(&want);
  HOLDS(same);
  return NULL;
}

static int visit_entry(void *ctx, const struct ww_store_change *change) {
  struct back *b = ctx;
  b->entries++;
  b->broken = check_entry(b, change);
  b->expect--;
  return b->broken != NULL;
}

/* The history from `epoch`, whose payloads are `set`, which it takes. */
static const char *check_history(struct ww_store *store, uint32_t epoch, struct ww_payloads set, unsigned depth) {
  struct back back = {.state = set, .expect = epoch, .depth = depth};
  enum ww_err err = ww_store_history(store, epoch, &back, visit_entry, NULL);
  ww_payloads_fini(&back.state);
  HOLDS(err == WW_OK);
  if (back.broken)
    return back.broken;
  struct ww_store_stats stats;
  ww_store_stats(store, &stats);
  HOLDS(back.entries > 0 && back.entries <= epoch);
  HOLDS(stats.history_entries == back.entries);
  HOLDS(stats.history_bytes <= HISTORY_OCTETS * 2);
  return NULL;
}

static const char *check_slurm(struct ww_store *store, uint32_t epoch) {
  struct ww_store_slurm slurm;
  uint8_t text[9000];
  size_t len;
  HOLDS(ww_store_read_slurm(store, &slurm, NULL) == WW_OK);
  uint32_t since = epoch - epoch % SLURM_EVERY;
  slurm_text(text, since, &len);
  bool same = slurm.time == since &&
              slurm.count == (since == 0            ? 0
                              : since % LARGE_EVERY ? 1
                                                    : 2) &&
              (!since || (slurm.files[0].len == len && memcmp(slurm.files[0].text, text, len) == 0));
  ww_store_slurm_fini(&slurm);
  HOLDS(same);
  return NULL;
}

/* Payloads, record and SLURM set of `epoch`; source 1 is the one. *set: what was read. */
static const char *check_epoch(struct ww_store *store, uint32_t epoch, struct ww_payloads *set) {
  struct ww_payloads want;
  struct ww_source_record *list;
  size_t count;
  HOLDS(ww_store_sources(store, &list, &count, NULL) == WW_OK);
  struct ww_source_record source = count ? list[0] : (struct ww_source_record){0};
  free(list);
  if (epoch == 0)
    return NULL;
  HOLDS(count >= 1 && source.id == 1);
  HOLDS(source.has_session && source.rtr_serial == (epoch % SLURM_EVERY ? epoch : epoch - 1));
  HOLDS(source.active == active_at(epoch));
  HOLDS(ww_store_read_source(store, 1, set, NULL) == WW_OK);
  set_at(&want, epoch);
  bool same = set_equal(set, &want);
  ww_payloads_fini(&want);
  HOLDS(same);
  return check_slurm(store, epoch);
}

/* --- killed ------------------------------------------------------------------------------------------------------ */

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
    struct ww_payloads set = {0};
    const char *broken = check_epoch(store, epoch, &set);
    if (!broken && epoch)
      broken = check_history(store, epoch, set, 3);
    if (broken)
      fail_msg("after kill %lu, epoch %u: %s", i, epoch, broken);
    ww_store_close(store);
  }
  print_message("%lu writers killed, %lu of them after a commit, last epoch %u\n", kills, advanced, last);
  assert_true(advanced >= kills / 2);
  dir_remove(dir);
}

enum { SHARED_EPOCHS = 151 };

/* Reads every epoch it meets, whole, while the writer goes on and the map grows under it. */
static void follow(const char *dir) {
  struct ww_store *store = NULL;
  alarm(100); /* the writer is gone: do not stay */
  while (ww_store_open(dir, WW_STORE_READONLY, &store, NULL) != WW_OK)
    usleep(1000);
  uint32_t epoch = 0, seen = 0;
  while (epoch < SHARED_EPOCHS) {
    struct ww_payloads got = {0};
    CHILD_MUST(ww_store_read_begin(store, &epoch, NULL) == WW_OK);
    CHILD_MUST(epoch >= seen);
    const char *broken = check_epoch(store, epoch, &got);
    if (!broken && epoch)
      broken = check_history(store, epoch, got, 2);
    else
      ww_payloads_fini(&got);
    ww_store_read_end(store);
    if (broken) {
      print_error("epoch %u: %s\n", epoch, broken);
      _exit(2);
    }
    seen = epoch;
  }
  ww_store_close(store);
  _exit(0);
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
    assert_true(commit_next(store, &source, next));
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
