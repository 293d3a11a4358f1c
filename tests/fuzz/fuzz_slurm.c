/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SLURM files: the first octet says how many files the rest is cut into (at 0xff octets, which no JSON has) and whether
 * to be strict. A set that is good is applied to a small set of payloads, and the result held against the filters one
 * by one; a set that is bad says where, on a line that exists.
 */
#include <stdlib.h>
#include <string.h>

#include "slurm/slurm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok) {
  if (!ok)
    abort();
}

static void fill(struct ww_payloads *set) {
  static const char *const prefixes[] = {"192.0.2.0/24", "198.51.100.0/25", "10.0.0.0/8", "2001:db8:1::/48"};
  static const uint32_t providers[] = {64497, 64499};
  struct ww_router_key key = {.asn = 64496, .spki = (const uint8_t *)"0", .spki_len = 1};
  for (uint32_t i = 0; i < 8; i++) {
    struct ww_vrp vrp = {.asn = 64496 + i % 3};
    check(ww_prefix_parse(prefixes[i % 4], &vrp.prefix) == WW_OK);
    vrp.max_len = vrp.prefix.len;
    check(ww_payloads_add_vrp(set, &vrp) == WW_OK);
    struct ww_aspa aspa = {.customer = 64494 + i, .providers = providers, .provider_count = 2};
    check(ww_payloads_add_aspa(set, &aspa) == WW_OK);
    key.ski[0] = (uint8_t)i;
    check(ww_payloads_add_key(set, &key) == WW_OK);
  }
}

static void check_result(const struct ww_slurm *slurm, const struct ww_payloads *in) {
  struct ww_payloads out = {0};
  struct ww_slurm_report report = {0};
  enum ww_err err = ww_slurm_apply(slurm, in, &out, &report);
  if (err == WW_ERR_LIMIT)
    return;
  check(err == WW_OK);
  const struct ww_payloads *asserted = ww_slurm_assertions(slurm);
  size_t filtered = 0;
  for (size_t i = 0; i < in->vrp_count; i++)
    filtered += ww_slurm_filters_vrp(slurm, &in->vrps[i]);
  check(report.filtered.vrps == filtered);
  for (size_t i = 1; i < out.vrp_count; i++)
    check(ww_vrp_compare(&out.vrps[i - 1], &out.vrps[i]) < 0);
  check(out.vrp_count >= asserted->vrp_count && out.key_count >= asserted->key_count);
  size_t count;
  const struct ww_slurm_item *items = ww_slurm_items(slurm, &count);
  check(report.count == count);
  for (size_t i = 0; i < count; i++) {
    char pointer[WW_SLURM_POINTER_MAX];
    check(ww_slurm_item_pointer(&items[i], pointer)[0] == '/' && items[i].line > 0);
  }
  ww_slurm_report_fini(&report);
  ww_payloads_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct ww_slurm_file files[4];
  struct ww_slurm_problems problems = {0};
  struct ww_slurm *slurm = NULL;
  size_t count = 0, at = 1;
  if (size == 0)
    return 0;
  struct ww_slurm_options options = {.strict = data[0] & 1};
  for (; count < 4 && at <= size; count++) {
    const uint8_t *cut = memchr(data + at, 0xff, size - at);
    size_t len = cut && count < 3 ? (size_t)(cut - (data + at)) : size - at;
    char *exact = malloc(len ? len : 1);
    check(exact != NULL);
    memcpy(exact, data + at, len);
    files[count] = (struct ww_slurm_file){.name = "file", .text = exact, .len = len};
    at += len + 1;
  }
  enum ww_err err = ww_slurm_read(files, count, &options, &slurm, &problems);
  check((err == WW_OK) == (problems.errors == 0) && (err == WW_OK) == (slurm != NULL));
  for (size_t i = 0; i < problems.count; i++) {
    char text[600];
    unsigned lines = 1;
    const struct ww_slurm_file *file = &files[problems.list[i].file];
    for (size_t k = 0; k < file->len; k++)
      lines += ((const char *)file->text)[k] == '\n';
    check(problems.list[i].line <= lines && problems.list[i].text[0]);
    check(!strchr(ww_slurm_problem_format(&problems.list[i], "file", text, sizeof(text)), '\n'));
  }
  if (slurm) {
    struct ww_payloads in = {0};
    fill(&in);
    check_result(slurm, &in);
    ww_payloads_fini(&in);
  }
  for (size_t i = 0; i < count; i++)
    free((void *)(uintptr_t)files[i].text);
  ww_slurm_free(slurm);
  ww_slurm_problems_fini(&problems);
  return 0;
}
