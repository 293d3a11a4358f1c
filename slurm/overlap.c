/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether the files of a set keep out of each other's way (RFC 8416 §4.2). Two files that both name, in prefix filters
 * or prefix assertions, prefixes with an address in common make the whole set unusable; so do two files that both use
 * an AS number in BGPsec filters or assertions. Within one file overlaps are fine, and so are prefix filters by AS
 * number alone, which no case of the text covers.
 *
 * Prefixes are sorted, so that what covers a prefix stands before it; a stack holds the prefixes that cover the one in
 * hand, each with one item and, if there is one, an item of another file. Two prefixes have an address in common just
 * when one covers the other, so looking at the stack is enough. One problem is told for each item that collides.
 *
 * CHOICE: draft-ietf-sidrops-aspa-slurm-04 has no such case for ASPAs. Files that name the same customer are united,
 * and the second of them gets a warning.
 */
#include "slurm/internal.h"

#include <stdlib.h>

struct level {
  const struct ww_slurm_item *first, *other; /* of one prefix; `other` is of a file that `first` is not of, or NULL */
};

static bool is_prefix_item(const struct ww_slurm_item *item) {
  return item->has_prefix; /* only prefix filters and prefix assertions have one */
}

static bool is_bgpsec_item(const struct ww_slurm_item *item) {
  return item->has_asn && (item->kind == WW_SLURM_BGPSEC_FILTER || item->kind == WW_SLURM_BGPSEC_ASSERTION);
}

static bool is_aspa_item(const struct ww_slurm_item *item) {
  return item->kind == WW_SLURM_ASPA_FILTER || item->kind == WW_SLURM_ASPA_ASSERTION;
}

static int order_prefix(const void *a, const void *b) {
  const struct ww_slurm_item *x = *(const struct ww_slurm_item *const *)a, *y = *(const struct ww_slurm_item *const *)b;
  int c = ww_prefix_compare(&x->prefix, &y->prefix);
  return c ? c : (x > y) - (x < y); /* as written */
}

static int order_asn(const void *a, const void *b) {
  const struct ww_slurm_item *x = *(const struct ww_slurm_item *const *)a, *y = *(const struct ww_slurm_item *const *)b;
  int c = (x->asn > y->asn) - (x->asn < y->asn);
  return c ? c : (x > y) - (x < y);
}

static void tell(const struct ww_slurm *slurm, struct ww_slurm_problems *problems, bool warning,
                 const struct ww_slurm_item *item, const struct ww_slurm_item *with, const char *what) {
  char own[WW_SLURM_POINTER_MAX], theirs[WW_SLURM_POINTER_MAX];
  /* The file that comes later is the one to blame. */
  if (item->file < with->file) {
    const struct ww_slurm_item *t = item;
    item = with;
    with = t;
  }
  ww_slurm_problem_add(problems, warning, item->file, item->line, ww_slurm_item_pointer(item, own),
                       warning ? NULL : "RFC 8416 §4.2", "has %s in common with %s:%u: %s", what,
                       slurm->names[with->file], with->line, ww_slurm_item_pointer(with, theirs));
}

static void check_prefixes(const struct ww_slurm *slurm, struct ww_slurm_problems *problems,
                           const struct ww_slurm_item *const *items, size_t count) {
  struct level stack[130]; /* lengths 0 to 128, of one family at a time */
  size_t depth = 0;
  for (size_t i = 0; i < count; i++) {
    const struct ww_slurm_item *item = items[i], *with = NULL;
    while (depth && !ww_prefix_covers(&stack[depth - 1].first->prefix, &item->prefix))
      depth--;
    for (size_t k = depth; k > 0 && !with; k--)
      with = stack[k - 1].first->file != item->file ? stack[k - 1].first : stack[k - 1].other;
    if (with)
      tell(slurm, problems, false, item, with, "addresses");
    if (!depth || ww_prefix_compare(&stack[depth - 1].first->prefix, &item->prefix) != 0)
      stack[depth++] = (struct level){.first = item};
    else if (!stack[depth - 1].other && stack[depth - 1].first->file != item->file)
      stack[depth - 1].other = item;
  }
}

static void check_asns(const struct ww_slurm *slurm, struct ww_slurm_problems *problems, bool warning,
                       const struct ww_slurm_item *const *items, size_t count, const char *what) {
  for (size_t i = 1, first = 0; i < count; i++) {
    if (items[i]->asn != items[first]->asn)
      first = i;
    else if (items[i]->file != items[first]->file)
      tell(slurm, problems, warning, items[i], items[first], what);
  }
}

static size_t pick(const struct ww_slurm *slurm, bool (*wanted)(const struct ww_slurm_item *),
                   const struct ww_slurm_item **items) {
  size_t n = 0;
  for (size_t i = 0; i < slurm->item_count; i++)
    if (wanted(&slurm->items[i]))
      items[n++] = &slurm->items[i];
  return n;
}

enum ww_err ww_slurm_check_overlap(const struct ww_slurm *slurm, struct ww_slurm_problems *problems) {
  if (slurm->file_count < 2 || !slurm->item_count)
    return WW_OK;
  size_t before = problems->errors;
  const struct ww_slurm_item **items = malloc(slurm->item_count * sizeof(*items));
  if (!items)
    return WW_ERR_NOMEM;
  size_t n = pick(slurm, is_prefix_item, items);
  qsort(items, n, sizeof(*items), order_prefix);
  check_prefixes(slurm, problems, items, n);
  n = pick(slurm, is_bgpsec_item, items);
  qsort(items, n, sizeof(*items), order_asn);
  check_asns(slurm, problems, false, items, n, "its AS number");
  n = pick(slurm, is_aspa_item, items);
  qsort(items, n, sizeof(*items), order_asn);
  check_asns(slurm, problems, true, items, n, "its customer");
  free(items);
  return problems->errors > before ? WW_ERR_MALFORMED : WW_OK;
}
