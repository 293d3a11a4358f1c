/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Path verification with ASPAs: the state alone, and with all its evidence, beside RTRlib on the same paths and table
 * in the same process; and what a table costs to build and to change.
 *
 *   bench_aspa
 *
 * The table has 100,000 customers with 1 to 8 providers each. Paths have 6 ASes: `random` ones of any customers, which
 * fail at their first hop, and `walks` that follow ASPAs up and then down again, some with ASes that say nothing and
 * some with leaks, as real paths are. Each figure is the best of several rounds of CPU time.
 *
 * The peer is a build of RTRlib's master branch, made elsewhere: cmake -DWW_RTRLIB_MASTER=.../librtrlib_static.a.
 * Without it only our side is measured. What fills RTRlib's table is private to it, hence the static library, and the
 * few declarations that it takes are written out here.
 */
#include <waywarden/aspa.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CUSTOMERS = 100000, PROVIDERS_MAX = 8, HOPS = 6, PATHS = 200000, ROUNDS = 7, DELTAS = 2000 };

static uint64_t seed = 0x1234567887654321;

static uint32_t rnd(uint32_t below) {
  seed ^= seed >> 12;
  seed ^= seed << 25;
  seed ^= seed >> 27;
  return (uint32_t)((seed * UINT64_C(2685821657736338717)) >> 32) % below;
}

static double cpu_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void check(bool ok, const char *what) {
  if (!ok) {
    fprintf(stderr, "bench_aspa: %s\n", what);
    exit(1);
  }
}

/* --- workload ---------------------------------------------------------------------------------------------------- */

struct world {
  uint32_t *asns; /* of customers: as spread as AS numbers are */
  struct ww_payload_delta all;
  uint32_t (*paths)[HOPS]; /* neighbor first */
};

static const struct ww_aspa *aspa_of(const struct world *w, uint32_t customer) {
  size_t low = 0, high = w->all.announce.aspa_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (w->all.announce.aspas[middle].customer < customer)
      low = middle + 1;
    else
      high = middle;
  }
  return low < w->all.announce.aspa_count && w->all.announce.aspas[low].customer == customer
             ? &w->all.announce.aspas[low]
             : NULL;
}

static void build_table(struct world *w) {
  w->asns = malloc(CUSTOMERS * sizeof *w->asns);
  check(w->asns != NULL, "out of memory");
  uint32_t asn = 1;
  for (unsigned i = 0; i < CUSTOMERS; i++) {
    asn += 1 + rnd(i < 50000 ? 2 : 5);
    if (i == 50000)
      asn = 131072;
    w->asns[i] = asn;
  }
  w->all.source = 1;
  for (unsigned i = 0; i < CUSTOMERS; i++) {
    uint32_t providers[PROVIDERS_MAX];
    struct ww_aspa aspa = {.customer = w->asns[i], .provider_count = 1 + rnd(PROVIDERS_MAX), .providers = providers};
    for (uint32_t k = 0; k < aspa.provider_count; k++)
      providers[k] = w->asns[rnd(CUSTOMERS)];
    check(ww_payloads_add_aspa(&w->all.announce, &aspa) == WW_OK, "cannot add an ASPA");
  }
  check(ww_payloads_sort(&w->all.announce) == WW_OK, "cannot sort");
  w->paths = malloc(PATHS * sizeof *w->paths);
  check(w->paths != NULL, "out of memory");
}

static void random_paths(struct world *w) {
  for (unsigned i = 0; i < PATHS; i++)
    for (unsigned k = 0; k < HOPS; k++)
      w->paths[i][k] = w->asns[rnd(CUSTOMERS)];
}

/* Up from the origin for some hops, and down to the neighbor for the others: the down-ramp is a walk up from the
 * neighbor, so that the two meet in a peering. */
static void walks(struct world *w, bool down) {
  for (unsigned i = 0; i < PATHS; i++) {
    uint32_t *path = w->paths[i];
    unsigned apex = down ? 1 + rnd(HOPS - 1) : 0; /* path[apex..] climbs, path[..apex-1] descends */
    path[HOPS - 1] = w->asns[rnd(CUSTOMERS)];
    path[0] = down ? w->asns[rnd(CUSTOMERS)] : 0;
    for (unsigned k = HOPS - 1; k > apex; k--) {
      const struct ww_aspa *aspa = aspa_of(w, path[k]);
      path[k - 1] = aspa ? aspa->providers[rnd(aspa->provider_count)] : w->asns[rnd(CUSTOMERS)];
    }
    for (unsigned k = 0; k + 1 < apex; k++) {
      const struct ww_aspa *aspa = aspa_of(w, path[k]);
      path[k + 1] = aspa ? aspa->providers[rnd(aspa->provider_count)] : w->asns[rnd(CUSTOMERS)];
    }
    if (rnd(4) == 0)
      path[rnd(HOPS)] = 4200000000 + rnd(1000); /* says nothing */
    if (rnd(10) == 0)
      path[rnd(HOPS)] = w->asns[rnd(CUSTOMERS)];
  }
}

/* --- the peer ---------------------------------------------------------------------------------------------------- */

#ifdef WW_HAVE_RTRLIB_MASTER
struct rtr_aspa_record {
  uint32_t customer_asn;
  size_t provider_count;
  uint32_t *provider_asns;
};
struct aspa_update_operation {
  size_t index;
  uint8_t type;
  struct rtr_aspa_record record;
  bool is_no_op;
};
enum { RTR_ASPA_ADD = 1, RTR_UPSTREAM = 0, RTR_DOWNSTREAM = 1 };
enum { RTR_UNKNOWN = 0, RTR_INVALID = 1, RTR_VALID = 2 };
void rtr_aspa_table_init(void *table, void *update_fp);
int aspa_table_update_swap_in_compute(void *table, void *socket, struct aspa_update_operation *operations, size_t count,
                                      void **update);
void aspa_table_update_swap_in_apply(void **update);
int rtr_aspa_verify_as_path(void *table, uint32_t *as_path, size_t len, int direction);

static _Alignas(64) char peer_table[1024];

static void peer_build(const struct world *w) {
  static char socket[4096];
  struct aspa_update_operation *ops = calloc(w->all.announce.aspa_count, sizeof *ops);
  void *update = NULL;
  check(ops != NULL, "out of memory");
  for (size_t i = 0; i < w->all.announce.aspa_count; i++) {
    const struct ww_aspa *aspa = &w->all.announce.aspas[i];
    uint32_t *providers = malloc(aspa->provider_count * sizeof *providers);
    check(providers != NULL, "out of memory");
    memcpy(providers, aspa->providers, aspa->provider_count * sizeof *providers);
    ops[i] = (struct aspa_update_operation){
        .index = i, .type = RTR_ASPA_ADD, .record = {aspa->customer, aspa->provider_count, providers}};
  }
  rtr_aspa_table_init(peer_table, NULL);
  check(aspa_table_update_swap_in_compute(peer_table, socket, ops, w->all.announce.aspa_count, &update) == 0,
        "RTRlib refuses the table");
  aspa_table_update_swap_in_apply(&update);
}

static double peer_time(struct world *w, bool down, size_t tally[3]) {
  double best = 0;
  for (unsigned r = 0; r < ROUNDS; r++) {
    tally[0] = tally[1] = tally[2] = 0;
    double start = cpu_now();
    for (unsigned i = 0; i < PATHS; i++)
      tally[rtr_aspa_verify_as_path(peer_table, w->paths[i], HOPS, down ? RTR_DOWNSTREAM : RTR_UPSTREAM)]++;
    double took = cpu_now() - start;
    best = best == 0 || took < best ? took : best;
  }
  return best / PATHS * 1e9;
}
#endif

/* --- ours --------------------------------------------------------------------------------------------------------- */

static double our_time(const struct ww_snapshot *s, const struct world *w, bool down, size_t tally[4]) {
  double best = 0;
  for (unsigned r = 0; r < ROUNDS; r++) {
    memset(tally, 0, 4 * sizeof *tally);
    double start = cpu_now();
    for (unsigned i = 0; i < PATHS; i++) {
      struct ww_aspa_path path = {.asns = w->paths[i], .count = HOPS};
      struct ww_aspa_session session = {down ? WW_ROLE_CUSTOMER : WW_ROLE_PROVIDER, w->paths[i][0]};
      enum ww_reason reason;
      tally[ww_aspa_verify(s, &path, &session, &reason)]++;
    }
    double took = cpu_now() - start;
    best = best == 0 || took < best ? took : best;
  }
  return best / PATHS * 1e9;
}

static double explain_time(const struct ww_snapshot *s, const struct world *w, bool down, size_t tally[4]) {
  struct ww_aspa_result result = {0};
  double best = 0;
  for (unsigned r = 0; r < ROUNDS; r++) {
    memset(tally, 0, 4 * sizeof *tally);
    double start = cpu_now();
    for (unsigned i = 0; i < PATHS; i++) {
      struct ww_aspa_path path = {.asns = w->paths[i], .count = HOPS};
      struct ww_aspa_session session = {down ? WW_ROLE_CUSTOMER : WW_ROLE_PROVIDER, w->paths[i][0]};
      check(ww_aspa_explain(s, &path, &session, &result) == WW_OK, "out of memory");
      tally[result.state]++;
    }
    double took = cpu_now() - start;
    best = best == 0 || took < best ? took : best;
  }
  ww_aspa_result_fini(&result);
  return best / PATHS * 1e9;
}

static void compare(const struct ww_snapshot *s, struct world *w, const char *what, bool down) {
  size_t ours[4], explained[4];
  double fast = our_time(s, w, down, ours), full = explain_time(s, w, down, explained);
  check(memcmp(ours, explained, sizeof ours) == 0, "the explanations differ from the answers");
  printf("%-7s %-10s %8.1f ns, with evidence %8.1f ns", what, down ? "downstream" : "upstream", fast, full);
#ifdef WW_HAVE_RTRLIB_MASTER
  size_t theirs[3];
  double peer = peer_time(w, down, theirs);
  printf(", RTRlib %8.1f ns: %.2f times, with evidence %.2f times", peer, peer / fast, peer / full);
#endif
  printf("  (%zu valid, %zu invalid, %zu unknown", ours[WW_STATE_VALID], ours[WW_STATE_INVALID],
         ours[WW_STATE_UNKNOWN]);
#ifdef WW_HAVE_RTRLIB_MASTER
  /* It wants paths without prepends, and a walk may come to hold one by chance. */
  if (theirs[RTR_VALID] != ours[WW_STATE_VALID] || theirs[RTR_INVALID] != ours[WW_STATE_INVALID])
    printf("; RTRlib says %zu, %zu, %zu", theirs[RTR_VALID], theirs[RTR_INVALID], theirs[RTR_UNKNOWN]);
#endif
  puts(")");
}

static void measure_table(struct world *w, struct ww_snapshot **out) {
  double best = 0;
  struct ww_snapshot *empty = ww_snapshot_new(), *s = NULL, *next;
  struct ww_snapshot_counts counts;
  check(empty != NULL, "out of memory");
  for (unsigned r = 0; r < ROUNDS; r++) {
    ww_snapshot_unref(s);
    double start = cpu_now();
    check(ww_snapshot_apply(empty, &w->all, 1, true, &s) == WW_OK, "cannot build");
    double took = cpu_now() - start;
    best = best == 0 || took < best ? took : best;
  }
  ww_snapshot_counts(s, &counts);
  printf("build   %d ASPAs: %.1f ms, %.1f MB\n", CUSTOMERS, best * 1e3, (double)counts.bytes / 1e6);
  double start = cpu_now();
  for (unsigned i = 0; i < DELTAS; i++) {
    uint32_t provider = w->asns[rnd(CUSTOMERS)];
    struct ww_aspa aspa = {.customer = w->asns[rnd(CUSTOMERS)], .provider_count = 1, .providers = &provider};
    struct ww_payload_delta delta = {.source = 1};
    check(ww_payloads_add_aspa(&delta.announce, &aspa) == WW_OK, "cannot add an ASPA");
    check(ww_snapshot_apply(s, &delta, i + 2, true, &next) == WW_OK, "cannot apply");
    ww_payload_delta_fini(&delta);
    ww_snapshot_unref(next);
  }
  printf("delta   of one ASPA: %.1f us\n", (cpu_now() - start) / DELTAS * 1e6);
  ww_snapshot_unref(empty);
  *out = s;
}

int main(void) {
  struct world w = {0};
  struct ww_snapshot *s;
  build_table(&w);
  measure_table(&w, &s);
#ifdef WW_HAVE_RTRLIB_MASTER
  peer_build(&w);
#else
  puts("(without RTRlib: cmake -DWW_RTRLIB_MASTER=PATH/librtrlib_static.a)");
#endif
  random_paths(&w);
  compare(s, &w, "random", false);
  compare(s, &w, "random", true);
  walks(&w, false);
  compare(s, &w, "walks", false);
  walks(&w, true);
  compare(s, &w, "walks", true);
  ww_snapshot_unref(s);
  ww_payload_delta_fini(&w.all);
  free(w.asns);
  free(w.paths);
  return 0;
}
