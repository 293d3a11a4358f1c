/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SLURM over a full table: 700000 VRPs and ever more filters, prefixes and AS numbers mixed. Beside the index stands
 * the loop that asks every filter about every record, which is what the text of RFC 8416 says and what some validators
 * do; it runs on a sample, and its time is scaled to all. It only asks; applying also copies, sorts and asserts.
 *
 *   bench_slurm [VRPS]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "slurm/slurm.h"

enum { SAMPLE = 2000 };

static uint64_t seed = 8416;

static uint32_t rnd(uint32_t below) { /* xorshift64* */
  seed ^= seed >> 12;
  seed ^= seed << 25;
  seed ^= seed >> 27;
  return (uint32_t)((seed * UINT64_C(2685821657736338717)) >> 32) % below;
}

/* CPU time: there is one thread, and what else runs on the machine does not count. */
static double now(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct ww_prefix draw_prefix(void) {
  struct ww_prefix prefix = {.afi = rnd(5) ? WW_AFI_IPV4 : WW_AFI_IPV6};
  prefix.addr[0] = (uint8_t)(prefix.afi == WW_AFI_IPV4 ? 1 + rnd(223) : 0x20 + rnd(10));
  for (unsigned i = 1; i < 6; i++)
    prefix.addr[i] = (uint8_t)rnd(256);
  prefix.len = (uint8_t)(prefix.afi == WW_AFI_IPV4 ? (rnd(2) ? 24 : 16 + rnd(9)) : 32 + rnd(17));
  ww_prefix_mask(&prefix);
  return prefix;
}

static struct ww_slurm *make_slurm(unsigned filters, const struct ww_payloads *set, double *seconds) {
  char *text = NULL, buf[WW_PREFIX_STRLEN];
  size_t len = 0;
  FILE *f = open_memstream(&text, &len);
  if (!f)
    return NULL;
  fputs("{\"slurmVersion\": 1, \"validationOutputFilters\": {\"prefixFilters\": [", f);
  for (unsigned i = 0; i < filters; i++) {
    struct ww_prefix prefix = set->vrps[rnd((uint32_t)set->vrp_count)].prefix;
    fprintf(f, "%s{", i ? ", " : "");
    if (i % 4 != 3)
      fprintf(f, "\"prefix\": \"%s\"%s", ww_prefix_format(&prefix, buf), i % 4 == 2 ? ", " : "");
    if (i % 4 >= 2)
      fprintf(f, "\"asn\": %u", 1 + rnd(75000));
    fputs("}", f);
  }
  fputs("], \"bgpsecFilters\": []}, \"locallyAddedAssertions\": {\"prefixAssertions\": [", f);
  for (unsigned i = 0; i < filters; i++) {
    struct ww_prefix prefix = draw_prefix();
    fprintf(f, "%s{\"prefix\": \"%s\", \"asn\": %u}", i ? ", " : "", ww_prefix_format(&prefix, buf), 1 + rnd(75000));
  }
  fputs("], \"bgpsecAssertions\": []}}", f);
  if (fclose(f) != 0)
    return NULL;
  struct ww_slurm_file file = {.name = "bench", .text = text, .len = len};
  struct ww_slurm_problems problems = {0};
  struct ww_slurm *slurm = NULL;
  double begin = now();
  if (ww_slurm_read(&file, 1, NULL, &slurm, &problems) != WW_OK)
    slurm = NULL;
  *seconds = now() - begin;
  ww_slurm_problems_fini(&problems);
  free(text);
  return slurm;
}

static bool matches(const struct ww_slurm_item *item, const struct ww_vrp *vrp) {
  return item->kind == WW_SLURM_PREFIX_FILTER && (!item->has_asn || item->asn == vrp->asn) &&
         (!item->has_prefix || ww_prefix_covers(&item->prefix, &vrp->prefix));
}

static size_t ask_each(const struct ww_slurm *slurm, const struct ww_payloads *set, size_t step) {
  size_t count, filtered = 0;
  const struct ww_slurm_item *items = ww_slurm_items(slurm, &count);
  for (size_t i = 0; i < set->vrp_count; i += step)
    for (size_t k = 0; k < count; k++)
      if (matches(&items[k], &set->vrps[i])) {
        filtered++;
        break;
      }
  return filtered;
}

int main(int argc, char **argv) {
  size_t vrps = argc > 1 ? strtoul(argv[1], NULL, 10) : 700000;
  struct ww_payloads set = {0};
  for (size_t i = 0; i < vrps; i++) {
    struct ww_vrp vrp = {.prefix = draw_prefix(), .asn = 1 + rnd(75000)};
    vrp.max_len = vrp.prefix.len;
    if (ww_payloads_add_vrp(&set, &vrp) != WW_OK)
      return 1;
  }
  if (ww_payloads_sort(&set) != WW_OK || !set.vrp_count)
    return 1;
  printf("%zu VRPs\n%8s %8s %10s %10s %10s %12s %8s\n", set.vrp_count, "filters", "asserted", "read ms", "apply ms",
         "report ms", "ask each ms", "ratio");
  static const unsigned sizes[] = {1, 10, 100, 1000, 10000};
  for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    struct ww_payloads out = {0}, again = {0};
    struct ww_slurm_report report = {0};
    double reading;
    struct ww_slurm *slurm = make_slurm(sizes[i], &set, &reading);
    double begin = now();
    if (!slurm || ww_slurm_apply(slurm, &set, &out, NULL) != WW_OK)
      return 1;
    double applying = now() - begin;
    begin = now();
    if (ww_slurm_apply(slurm, &set, &again, &report) != WW_OK)
      return 1;
    double reporting = now() - begin;
    size_t step = set.vrp_count / SAMPLE + 1, filtered = 0;
    begin = now();
    size_t asked = ask_each(slurm, &set, step);
    double asking = (now() - begin) * (double)step;
    for (size_t k = 0; k < set.vrp_count; k += step)
      filtered += ww_slurm_filters_vrp(slurm, &set.vrps[k]);
    if (asked != filtered)
      return 1;
    printf("%8u %8u %10.1f %10.1f %10.1f %12.1f %8.1f\n", sizes[i], sizes[i], reading * 1e3, applying * 1e3,
           reporting * 1e3, asking * 1e3, asking / applying);
    ww_slurm_report_fini(&report);
    ww_payloads_fini(&out);
    ww_payloads_fini(&again);
    ww_slurm_free(slurm);
  }
  ww_payloads_fini(&set);
  return 0;
}
