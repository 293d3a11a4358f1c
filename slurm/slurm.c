/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of SLURM files, read as one.
 *
 * Every file is parsed, whether or not one before it was bad, so that all problems are told at once. Only when all are
 * good are they held against each other; only then is the set of assertions made and the index of the filters built. A
 * `struct ww_slurm` that a caller has in hand is therefore always whole: that is the atomicity that RFC 8416 §4.1 asks
 * for.
 *
 * Clauses: RFC 8416 §4.1, §4.2 (the union of the files, and their overlaps).
 */
#include "slurm/internal.h"

#include <stdlib.h>
#include <string.h>

static enum ww_err add_assertion(struct ww_payloads *set, const struct ww_slurm_item *item) {
  switch (item->kind) {
  case WW_SLURM_PREFIX_ASSERTION:
    return ww_payloads_add_vrp(set,
                               &(struct ww_vrp){.prefix = item->prefix, .max_len = item->max_len, .asn = item->asn});
  case WW_SLURM_BGPSEC_ASSERTION: {
    struct ww_router_key key = {.asn = item->asn, .spki = item->spki, .spki_len = item->spki_len};
    memcpy(key.ski, item->ski, sizeof(key.ski));
    return ww_payloads_add_key(set, &key);
  }
  case WW_SLURM_ASPA_ASSERTION:
    return ww_payloads_add_aspa(
        set,
        &(struct ww_aspa){.customer = item->asn, .provider_count = item->provider_count, .providers = item->providers});
  default:
    return WW_OK;
  }
}

static enum ww_err collect_assertions(struct ww_slurm *slurm, struct ww_slurm_problems *problems) {
  enum ww_err err = WW_OK;
  for (size_t i = 0; i < slurm->item_count && err == WW_OK; i++)
    err = add_assertion(&slurm->assertions, &slurm->items[i]);
  if (err == WW_OK)
    err = ww_payloads_sort(&slurm->assertions);
  if (err != WW_ERR_LIMIT)
    return err;
  ww_slurm_problem_add(problems, false, 0, 0, "", NULL, "more than %d providers are asserted for one customer",
                       WW_ASPA_PROVIDERS_MAX);
  return WW_ERR_MALFORMED;
}

static enum ww_err name_files(struct ww_slurm *slurm, const struct ww_slurm_file *files, size_t count) {
  slurm->names = calloc(count + 1, sizeof(*slurm->names));
  slurm->versions = calloc(count + 1, sizeof(*slurm->versions));
  if (!slurm->names || !slurm->versions)
    return WW_ERR_NOMEM;
  slurm->file_count = count;
  for (size_t i = 0; i < count; i++) {
    slurm->names[i] = ww_arena_copy(&slurm->arena, files[i].name, strlen(files[i].name) + 1);
    if (!slurm->names[i])
      return WW_ERR_NOMEM;
  }
  return WW_OK;
}

enum ww_err ww_slurm_read(const struct ww_slurm_file *files, size_t count, const struct ww_slurm_options *options,
                          struct ww_slurm **out, struct ww_slurm_problems *problems) {
  *out = NULL;
  if (count > WW_SLURM_FILES_MAX) {
    ww_slurm_problem_add(problems, false, 0, 0, "", NULL, "there are more than %d files", WW_SLURM_FILES_MAX);
    return WW_ERR_MALFORMED;
  }
  struct ww_slurm *slurm = calloc(1, sizeof(*slurm));
  if (!slurm)
    return WW_ERR_NOMEM;
  ww_arena_init(&slurm->arena, 0);
  bool bad = false;
  enum ww_err err = name_files(slurm, files, count);
  for (size_t i = 0; i < count && err == WW_OK; i++) {
    err = ww_slurm_parse(slurm, (uint32_t)i, &files[i], options, problems);
    if (err == WW_ERR_MALFORMED) {
      bad = true;
      err = WW_OK;
    }
  }
  if (err == WW_OK && bad)
    err = WW_ERR_MALFORMED;
  if (err == WW_OK)
    err = ww_slurm_check_overlap(slurm, problems);
  if (err == WW_OK)
    err = collect_assertions(slurm, problems);
  if (err == WW_OK)
    err = ww_slurm_index(slurm);
  if (err != WW_OK) {
    ww_slurm_free(slurm);
    return err;
  }
  *out = slurm;
  return WW_OK;
}

void ww_slurm_free(struct ww_slurm *slurm) {
  if (!slurm)
    return;
  ww_arena_fini(&slurm->arena);
  ww_payloads_fini(&slurm->assertions);
  free(slurm->names);
  free(slurm->versions);
  free(slurm->items);
  free(slurm->item_rule);
  free(slurm->rules);
  free(slurm->nodes);
  free(slurm);
}

const struct ww_slurm_item *ww_slurm_items(const struct ww_slurm *slurm, size_t *count) {
  *count = slurm->item_count;
  return slurm->items;
}

size_t ww_slurm_file_count(const struct ww_slurm *slurm) { return slurm->file_count; }

const char *ww_slurm_file_name(const struct ww_slurm *slurm, size_t file) { return slurm->names[file]; }

unsigned ww_slurm_file_version(const struct ww_slurm *slurm, size_t file) { return slurm->versions[file]; }

const struct ww_payloads *ww_slurm_assertions(const struct ww_slurm *slurm) { return &slurm->assertions; }

const char *ww_slurm_kind_name(enum ww_slurm_kind kind) {
  static const char *const names[WW_SLURM_KINDS] = {"prefixFilters",    "bgpsecFilters",    "aspaFilters",
                                                    "prefixAssertions", "bgpsecAssertions", "aspaAssertions"};
  return kind < WW_SLURM_KINDS ? names[kind] : "unknown";
}

char *ww_slurm_item_pointer(const struct ww_slurm_item *item, char buf[WW_SLURM_POINTER_MAX]) {
  const char *section = ww_slurm_is_filter(item->kind) ? "validationOutputFilters" : "locallyAddedAssertions";
  const char *array = ww_slurm_kind_name(item->kind);
  buf[0] = '\0';
  (void)ww_slurm_pointer_enter(buf, section, strlen(section));
  (void)ww_slurm_pointer_enter(buf, array, strlen(array));
  (void)ww_slurm_pointer_enter_index(buf, item->index);
  return buf;
}
