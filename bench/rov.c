/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Origin validation of many routes against many VRPs: one call at a time, in batches, with evidence; beside Debian's
 * librtr in the same process and on the same data. Also what a delta costs, and the memory a VRP takes.
 *
 *   bench_rov VRPS.csv ROUTES.csv
 *
 * VRPS.csv has lines `asn,prefix,maxLength[,...]`, ROUTES.csv `prefix,asn`. Each figure is the best of several rounds
 * of CPU time, so that what else the machine does weighs equally little on both sides.
 */
#include <waywarden/snapshot.h>

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef WW_HAVE_RTRLIB
#include <rtrlib/rtrlib.h>
#endif

enum { ROUNDS = 5, STRETCH = 8192 };

struct workload {
  struct ww_payload_delta all; /* announces every VRP, sorted */
  struct ww_vrp *vrps;         /* the same in the order of the file */
  size_t vrp_count;
  struct ww_prefix *prefixes;
  struct ww_origin *origins;
  size_t routes;
};

struct tally {
  size_t valid, not_found, invalid;
};

__attribute__((format(printf, 1, 2))) static void die(const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  fputs("bench_rov: ", stderr);
  vfprintf(stderr, fmt, args);
  fputc('\n', stderr);
  va_end(args);
  exit(1);
}

static double cpu_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double min_of(double a, double b) { return a == 0 || b < a ? b : a; }

/* Cuts the next field of a CSV line off `*rest`; empty when there is none. */
static char *field(char **rest) {
  char *at = *rest;
  size_t n = strcspn(at, ",\r\n");
  *rest = at + n + (at[n] != 0);
  at[n] = 0;
  return at;
}

static void check(enum ww_err err, const char *file, size_t line) {
  if (err)
    die("%s:%zu: %s", file, line, ww_err_name(err));
}

static void load_vrps(const char *file, struct workload *load) {
  char text[256];
  FILE *f = fopen(file, "r");
  if (!f)
    die("%s: cannot be opened", file);
  for (size_t line = 1; fgets(text, sizeof text, f); line++) {
    char *rest = text, *asn = field(&rest), *prefix = field(&rest), *max_len = field(&rest);
    struct ww_vrp vrp = {.expires = 4102444800};
    check(ww_asn_parse(asn, &vrp.asn), file, line);
    check(ww_prefix_parse(prefix, &vrp.prefix), file, line);
    vrp.max_len = (uint8_t)atoi(max_len);
    check(ww_payloads_add_vrp(&load->all.announce, &vrp), file, line);
  }
  fclose(f);
  load->vrp_count = load->all.announce.vrp_count;
  load->vrps = malloc(load->vrp_count * sizeof *load->vrps + 1);
  if (load->vrp_count == 0 || !load->vrps)
    die("%s: no VRPs", file);
  memcpy(load->vrps, load->all.announce.vrps, load->vrp_count * sizeof *load->vrps);
  check(ww_payloads_sort(&load->all.announce), file, 0);
}

static void load_routes(const char *file, struct workload *load) {
  char text[256];
  size_t cap = 0;
  FILE *f = fopen(file, "r");
  if (!f)
    die("%s: cannot be opened", file);
  for (size_t line = 1; fgets(text, sizeof text, f); line++) {
    if (load->routes == cap) {
      cap = cap ? cap * 2 : 65536;
      load->prefixes = realloc(load->prefixes, cap * sizeof *load->prefixes);
      load->origins = realloc(load->origins, cap * sizeof *load->origins);
      if (!load->prefixes || !load->origins)
        die("out of memory");
    }
    char *rest = text, *prefix = field(&rest), *asn = field(&rest);
    load->origins[load->routes].none = false;
    check(ww_prefix_parse(prefix, &load->prefixes[load->routes]), file, line);
    check(ww_asn_parse(asn, &load->origins[load->routes].asn), file, line);
    load->routes++;
  }
  fclose(f);
  if (load->routes == 0)
    die("%s: no routes", file);
}

static void count_state(struct tally *tally, enum ww_state state) {
  tally->valid += state == WW_STATE_VALID;
  tally->not_found += state == WW_STATE_UNKNOWN;
  tally->invalid += state == WW_STATE_INVALID;
}

static void report(const char *name, size_t routes, double seconds, const struct tally *tally) {
  printf("%-22s %7.2f M/s  %6.1f ns a route   valid %zu, not-found %zu, invalid %zu\n", name,
         (double)routes / seconds * 1e-6, seconds / (double)routes * 1e9, tally->valid, tally->not_found,
         tally->invalid);
}

/* One way of asking, measured in rounds that take turns with the others': what else the machine does meets all alike.
 */
struct way {
  const char *name;
  void (*ask)(struct way *way, size_t from, size_t to); /* routes[from..to) */
  const struct workload *load;
  const struct ww_snapshot *snapshot;
  struct tally tally;
  size_t hits;
  double *best; /* of each stretch, seconds */
};

static void ask_single(struct way *way, size_t from, size_t to) {
  const struct workload *load = way->load;
  for (size_t i = from; i < to; i++) {
    enum ww_reason reason;
    count_state(&way->tally, ww_origin_validate(way->snapshot, &load->prefixes[i], load->origins[i], &reason));
  }
}

static void ask_batch(struct way *way, size_t from, size_t to) {
  static uint8_t states[STRETCH], reasons[STRETCH];
  const struct workload *load = way->load;
  ww_origin_validate_batch(way->snapshot, load->prefixes + from, load->origins + from, to - from, states, reasons);
  for (size_t i = 0; i < to - from; i++)
    count_state(&way->tally, (enum ww_state)states[i]);
}

static void ask_explain(struct way *way, size_t from, size_t to) {
  const struct workload *load = way->load;
  struct ww_origin_result result = {0};
  for (size_t i = from; i < to; i++) {
    if (ww_origin_explain(way->snapshot, &load->prefixes[i], load->origins[i], &result))
      die("out of memory");
    count_state(&way->tally, (enum ww_state)result.state);
    way->hits += result.hit_count;
  }
  ww_origin_result_fini(&result);
}

static void run_round(struct way *way) {
  way->tally = (struct tally){0};
  way->hits = 0;
  for (size_t from = 0, k = 0; from < way->load->routes; from += STRETCH, k++) {
    size_t to = way->load->routes - from < STRETCH ? way->load->routes : from + STRETCH;
    double start = cpu_now();
    way->ask(way, from, to);
    way->best[k] = min_of(way->best[k], cpu_now() - start);
  }
}

static double total(const struct way *way) {
  double sum = 0;
  for (size_t k = 0; k * STRETCH < way->load->routes; k++)
    sum += way->best[k];
  return sum;
}

/* `count` VRPs spread over the whole set: half of them withdrawn, and for each of these one announced with another AS.
 */
static void bench_delta(struct ww_snapshot *snapshot, const struct workload *load, size_t count) {
  struct ww_payload_delta delta = {.source = load->all.source};
  const struct ww_payloads *all = &load->all.announce;
  double best = 0;
  for (size_t i = 0; i < count / 2; i++) {
    struct ww_vrp vrp = all->vrps[i * all->vrp_count / (count / 2)];
    check(ww_payloads_add_vrp(&delta.withdraw, &vrp), "delta", i);
    vrp.asn ^= 0x10000000;
    check(ww_payloads_add_vrp(&delta.announce, &vrp), "delta", i);
  }
  for (int round = 0; round < ROUNDS; round++) {
    struct ww_snapshot *next;
    double start = cpu_now();
    check(ww_snapshot_apply(snapshot, &delta, 2, true, &next), "delta", 0);
    best = min_of(best, cpu_now() - start);
    ww_snapshot_unref(next);
  }
  printf("delta of %4zu VRPs      %.2f ms\n", count, best * 1e3);
  ww_payload_delta_fini(&delta);
}

#ifdef WW_HAVE_RTRLIB
static void to_rtrlib(const struct ww_prefix *prefix, struct lrtr_ip_addr *out) {
  const uint8_t *p = prefix->addr;
  uint32_t words[4];
  for (int i = 0; i < 4; i++)
    words[i] = (uint32_t)p[i * 4] << 24 | (uint32_t)p[i * 4 + 1] << 16 | (uint32_t)p[i * 4 + 2] << 8 | p[i * 4 + 3];
  memset(out, 0, sizeof *out);
  if (prefix->afi == WW_AFI_IPV4) {
    out->ver = LRTR_IPV4;
    out->u.addr4.addr = words[0];
  } else {
    out->ver = LRTR_IPV6;
    memcpy(out->u.addr6.addr, words, sizeof words);
  }
}

static struct pfx_table rtrlib_table;
static struct lrtr_ip_addr *rtrlib_addresses;

/* In the order of the file, as a router learns VRPs from a cache. */
static void build_rtrlib(const struct workload *load) {
  rtrlib_addresses = calloc(load->routes, sizeof *rtrlib_addresses);
  if (!rtrlib_addresses)
    die("out of memory");
  pfx_table_init(&rtrlib_table, NULL);
  size_t heap = mallinfo2().uordblks;
  double start = cpu_now();
  for (size_t i = 0; i < load->vrp_count; i++) {
    const struct ww_vrp *vrp = &load->vrps[i];
    struct pfx_record record = {.asn = vrp->asn, .min_len = vrp->prefix.len, .max_len = vrp->max_len};
    to_rtrlib(&vrp->prefix, &record.prefix);
    int done = pfx_table_add(&rtrlib_table, &record);
    if (done != PFX_SUCCESS && done != PFX_DUPLICATE_RECORD)
      die("librtr refuses VRP %zu", i);
  }
  printf("librtr:    %zu VRPs built in %.0f ms, %.1f octets a VRP\n", load->vrp_count, (cpu_now() - start) * 1e3,
         (double)(mallinfo2().uordblks - heap) / (double)load->vrp_count);
  for (size_t i = 0; i < load->routes; i++)
    to_rtrlib(&load->prefixes[i], &rtrlib_addresses[i]);
}

static void ask_rtrlib(struct way *way, size_t from, size_t to) {
  const struct workload *load = way->load;
  for (size_t i = from; i < to; i++) {
    enum pfxv_state state = BGP_PFXV_STATE_NOT_FOUND;
    pfx_table_validate(&rtrlib_table, load->origins[i].asn, &rtrlib_addresses[i], load->prefixes[i].len, &state);
    count_state(&way->tally, state == BGP_PFXV_STATE_VALID       ? WW_STATE_VALID
                             : state == BGP_PFXV_STATE_NOT_FOUND ? WW_STATE_UNKNOWN
                                                                 : WW_STATE_INVALID);
  }
}
#endif

static struct ww_snapshot *bench_build(const struct workload *load) {
  double best = 0;
  struct ww_snapshot *built = NULL, *empty = ww_snapshot_new();
  if (!empty)
    die("out of memory");
  for (int round = 0; round < ROUNDS; round++) {
    ww_snapshot_unref(built);
    double start = cpu_now();
    check(ww_snapshot_apply(empty, &load->all, 1, true, &built), "snapshot", 0);
    best = min_of(best, cpu_now() - start);
  }
  ww_snapshot_unref(empty);
  struct ww_snapshot_counts counts;
  ww_snapshot_counts(built, &counts);
  size_t vrps = counts.vrps_v4 + counts.vrps_v6;
  printf("waywarden: %zu VRPs (%zu IPv4, %zu IPv6) built in %.0f ms, %.1f octets a VRP\n", vrps, counts.vrps_v4,
         counts.vrps_v6, best * 1e3, (double)counts.bytes / (double)vrps);
  return built;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fputs("usage: bench_rov VRPS.csv ROUTES.csv\n", stderr);
    return 2;
  }
  struct workload load = {0};
  load_vrps(argv[1], &load);
  load_routes(argv[2], &load);
  struct ww_snapshot *snapshot = bench_build(&load);

  struct way ways[] = {
      {.name = "single calls", .ask = ask_single},
      {.name = "batch calls", .ask = ask_batch},
      {.name = "explain", .ask = ask_explain},
#ifdef WW_HAVE_RTRLIB
      {.name = "librtr", .ask = ask_rtrlib},
#endif
  };
  enum { WAYS = sizeof ways / sizeof ways[0] };
#ifdef WW_HAVE_RTRLIB
  build_rtrlib(&load);
#else
  puts("librtr is not installed (librtr-dev): nothing to compare with");
#endif
  for (int i = 0; i < WAYS; i++) {
    ways[i].load = &load;
    ways[i].snapshot = snapshot;
    ways[i].best = calloc(load.routes / STRETCH + 1, sizeof *ways[i].best);
    if (!ways[i].best)
      die("out of memory");
  }
  for (int round = 0; round < ROUNDS; round++)
    for (int i = 0; i < WAYS; i++)
      run_round(&ways[i]);
  bool same = true;
  for (int i = 0; i < WAYS; i++) {
    report(ways[i].name, load.routes, total(&ways[i]), &ways[i].tally);
    same = same && memcmp(&ways[0].tally, &ways[i].tally, sizeof ways[0].tally) == 0;
  }
  printf("covering VRPs a route  %.2f\n", (double)ways[2].hits / (double)load.routes);
#ifdef WW_HAVE_RTRLIB
  printf("times librtr           single %.1f, batch %.1f, explain %.1f\n", total(&ways[3]) / total(&ways[0]),
         total(&ways[3]) / total(&ways[1]), total(&ways[3]) / total(&ways[2]));
  pfx_table_free(&rtrlib_table);
  free(rtrlib_addresses);
#endif
  for (int i = 0; i < WAYS; i++)
    free(ways[i].best);
  bench_delta(snapshot, &load, 500);
  bench_delta(snapshot, &load, 1000);
  printf("counts agree: %s\n", same ? "yes" : "NO");
  ww_snapshot_unref(snapshot);
  ww_payload_delta_fini(&load.all);
  free(load.vrps);
  free(load.prefixes);
  free(load.origins);
  return same ? 0 : 1;
}
