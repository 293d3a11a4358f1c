/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cold start: from a store of 700000 VRPs on disk to the first verdict.
 *
 *   bench_cold_start [VRPS] [RUNS]
 *
 * The store is written first, and that is timed too: the first set with an empty store and with the disk's own fsync,
 * the same set again, and a delta of 500. Then each run, in a process of its own, opens the store, reads it, builds the
 * snapshot and asks for one verdict. The file is in the page cache, as after a restart of the daemon; with the right to
 * drop caches (`sync; echo 1 > /proc/sys/vm/drop_caches`) between runs the disk is measured as well. There is no peer:
 * librtr and StayRTR keep nothing and fetch everything anew.
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

static void write_store(const char *dir, size_t count) {
  struct ww_store *store;
  struct ww_source_record source;
  struct ww_payloads set = {0};
  struct ww_payload_delta delta = {0}, changes = {0};
  struct ww_diag diag = {0};
  struct ww_store_stats stats;
  make_set(&set, count, 8210);
  must(ww_store_open(dir, 0, &store, &diag), &diag, dir);
  must(ww_store_source(store, "main", WW_SOURCE_RTR, &source, &diag), &diag, "source");
  source.complete = true;
  double start = seconds();
  must(ww_store_commit_full(store, &source, &set, NULL, NULL, &delta, NULL, &diag), &diag, "commit");
  ww_store_stats(store, &stats);
  printf("first commit     %.3f s  %zu VRPs, %.1f octets each on disk\n", seconds() - start, set.vrp_count,
         (double)stats.used_bytes / (double)set.vrp_count);
  ww_payload_delta_fini(&delta);
  start = seconds();
  must(ww_store_commit_full(store, &source, &set, NULL, NULL, &delta, NULL, &diag), &diag, "commit");
  printf("the same again   %.3f s\n", seconds() - start);
  ww_payload_delta_fini(&delta);
  make_set(&changes.announce, 500, 1);
  start = seconds();
  must(ww_store_commit_delta(store, &source, &changes, NULL, NULL, &delta, NULL, &diag), &diag, "delta");
  printf("delta of 500     %.4f s\n", seconds() - start);
  ww_payload_delta_fini(&delta);
  ww_payload_delta_fini(&changes);
  ww_payloads_fini(&set);
  ww_store_close(store);
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
  char dir[] = "/tmp/ww-cold-start-XXXXXX", path[64];
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
  static const char *const files[] = {"data.mdb", "lock.mdb"};
  for (unsigned i = 0; i < 2; i++) {
    snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
    unlink(path);
  }
  rmdir(dir);
  return status == 0 ? 0 : 1;
}
