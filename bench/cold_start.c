/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cold start: from a store of 700000 VRPs on disk to the first verdict.
 *
 *   bench_cold_start [VRPS] [RUNS]
 *
 * The store is written first, and that is timed too: the first set with an empty store and with the disk's own fsync,
 * without a history and with one, the same set again, and the deltas of a day, 500 records each ten minutes. What the
 * store then takes is counted with the history of that day and of the first set. Then each run, in a process of its
 * own, opens the store, reads it, builds the snapshot and asks for one verdict. The file is in the page cache, as after
 * a restart of the daemon; with the right to drop caches (`sync; echo 1 > /proc/sys/vm/drop_caches`) between runs the
 * disk is measured as well. There is no peer: librtr and StayRTR keep nothing and fetch everything anew.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/store.h"
#include <waywarden/snapshot.h>

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(enum ww_err err, const struct ww_diag *diag, const char *what) {
  if (err == WW_OK)
    return;
  fprintf(stderr, "%s: %s: %s\n", what, ww_err_name(err), diag ? diag->text : "");
  exit(1);
}

static uint64_t next_random(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* Four IPv4 VRPs to one of IPv6, as the real RPKI has them. */
static void make_set(struct ww_payloads *set, size_t count, uint64_t seed) {
  while (set->vrp_count < count) {
    uint64_t r = next_random(&seed), q = next_random(&seed);
    struct ww_vrp v = {.asn = 1 + (uint32_t)(q % 80000), .expires = 1800000000 + (int64_t)(q >> 40)};
    bool v6 = set->vrp_count % 5 == 4;
    v.prefix =
        (struct ww_prefix){.afi = v6 ? WW_AFI_IPV6 : WW_AFI_IPV4, .len = (uint8_t)(v6 ? 32 + r % 17 : 12 + r % 13)};
    v.max_len = v.prefix.len;
    for (unsigned i = 0; i < (v6 ? 8u : 4u); i++)
      v.prefix.addr[i] = (uint8_t)(q >> (8 * i));
    if (v6)
      v.prefix.addr[0] = 0x20;
    ww_prefix_mask(&v.prefix);
    must(ww_payloads_add_vrp(set, &v), NULL, "a VRP");
  }
  must(ww_payloads_sort(set), NULL, "sorting");
}

static enum ww_err keep_change(void *ctx, const struct ww_payload_delta *raw, uint32_t epoch,
                               struct ww_store_change *change, struct ww_diag *diag) {
  struct ww_payload_delta *delta = ctx;
  (void)epoch;
  (void)diag;
  *delta = *raw; /* borrows; the store holds the raw delta until the commit has returned */
  change->time = 1800000000;
  change->cause = WW_CAUSE_UPDATE;
  change->source = raw->source;
  change->has_hashes = true;
  change->deltas = delta;
  change->delta_count = 1;
  return WW_OK;
}

static struct ww_store *first_commit(const char *dir, const struct ww_payloads *set, bool history,
                                     struct ww_source_record *source) {
  struct ww_store *store;
  struct ww_payload_delta borrowed;
  struct ww_diag diag = {0};
  struct ww_store_stats stats;
  must(ww_store_open(dir, 0, &store, &diag), &diag, dir);
  must(ww_store_source(store, "main", WW_SOURCE_RTR, source, &diag), &diag, "source");
  source->complete = true;
  double start = seconds();
  must(ww_store_commit_full(store, source, set, history ? keep_change : NULL, &borrowed, NULL, NULL, &diag), &diag,
       "commit");
  double end = seconds();
  ww_store_stats(store, &stats);
  printf("%s %.3f s  %zu VRPs, %.1f octets each on disk\n", history ? "with its history" : "first commit    ",
         end - start, set->vrp_count, (double)stats.used_bytes / (double)set->vrp_count);
  return store;
}

static void remove_store(const char *dir) {
  static const char *const files[] = {"data.mdb", "lock.mdb"};
  for (unsigned i = 0; i < 2; i++) {
    char path[64];
    snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
    unlink(path);
  }
}

enum { DAY = 144, OF_A_DELTA = 500 };

/* Half of each delta comes, half of the one before goes. */
static void a_day(struct ww_store *store, struct ww_source_record *source, size_t vrps) {
  struct ww_payloads last = {0};
  struct ww_payload_delta borrowed;
  struct ww_diag diag = {0};
  struct ww_store_stats stats;
  double slowest = 0, all = 0;
  for (unsigned i = 0; i < DAY; i++) {
    struct ww_payload_delta changes = {.withdraw = last};
    make_set(&changes.announce, OF_A_DELTA / 2, i + 1);
    last = (struct ww_payloads){0};
    make_set(&last, OF_A_DELTA / 2, i + 1);
    double start = seconds();
    must(ww_store_commit_delta(store, source, &changes, keep_change, &borrowed, NULL, NULL, &diag), &diag, "delta");
    double took = seconds() - start;
    slowest = took > slowest ? took : slowest;
    all += took;
    ww_payload_delta_fini(&changes);
  }
  ww_payloads_fini(&last);
  ww_store_stats(store, &stats);
  printf("delta of %u     %.4f s, the slowest of %u %.4f s\n", OF_A_DELTA, all / DAY, DAY, slowest);
  printf("after that day   %.1f octets a VRP on disk, %llu entries of history with %.1f MB\n",
         (double)stats.used_bytes / (double)vrps, (unsigned long long)stats.history_entries,
         (double)stats.history_bytes / 1e6);
}

static void write_store(const char *dir, size_t count) {
  struct ww_source_record source;
  struct ww_payloads set = {0};
  struct ww_diag diag = {0};
  make_set(&set, count, 8210);
  for (unsigned i = 0; i < 3; i++) { /* side by side: the disk is not the same at all times */
    ww_store_close(first_commit(dir, &set, false, &source));
    remove_store(dir);
    struct ww_store *store = first_commit(dir, &set, true, &source);
    if (i == 2) {
      double start = seconds();
      must(ww_store_commit_full(store, &source, &set, NULL, NULL, NULL, NULL, &diag), &diag, "commit");
      printf("the same again   %.3f s\n", seconds() - start);
      a_day(store, &source, set.vrp_count);
    }
    ww_store_close(store);
    if (i < 2)
      remove_store(dir);
  }
  ww_payloads_fini(&set);
}

static void start_cold(const char *dir) {
  struct ww_store *store;
  struct ww_payload_delta delta = {.source = 1};
  struct ww_diag diag = {0};
  struct ww_snapshot *empty = ww_snapshot_new(), *snapshot;
  uint32_t epoch;
  double start = seconds();
  must(ww_store_open(dir, WW_STORE_READONLY, &store, &diag), &diag, dir);
  must(ww_store_read_begin(store, &epoch, &diag), &diag, "read");
  must(ww_store_read_source(store, 1, &delta.announce, &diag), &diag, "read");
  ww_store_read_end(store);
  double read = seconds();
  must(ww_snapshot_apply(empty, &delta, epoch, true, &snapshot), NULL, "snapshot");
  enum ww_reason reason;
  struct ww_vrp first = delta.announce.vrps[0];
  enum ww_state state =
      ww_origin_validate(snapshot, &first.prefix, (struct ww_origin){.asn = first.asn, .none = false}, &reason);
  double end = seconds();
  printf("cold start       %.3f s  read %.3f, snapshot and verdict %.3f (%s)\n", end - start, read - start, end - read,
         ww_origin_state_name(state));
  fflush(stdout);
  _exit(state == WW_STATE_VALID ? 0 : 1);
}

int main(int argc, char **argv) {
  size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 700000;
  long runs = argc > 2 ? strtol(argv[2], NULL, 10) : 5;
  char dir[] = "/tmp/ww-cold-start-XXXXXX";
  int status = 0;
  if (!mkdtemp(dir)) {
    perror(dir);
    return 1;
  }
  write_store(dir, count);
  fflush(stdout);
  for (long i = 0; i < runs && status == 0; i++) {
    pid_t pid = fork();
    if (pid == 0)
      start_cold(dir);
    while (pid < 0 || (waitpid(pid, &status, 0) < 0 && errno == EINTR))
      if (pid < 0)
        return 1;
  }
  remove_store(dir);
  rmdir(dir);
  return status == 0 ? 0 : 1;
}
