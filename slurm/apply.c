/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A payload set after SLURM: filters first, then assertions, which no filter touches (RFC 8416 §3.2).
 *
 * The records that no filter matches are copied and sorted, which costs one pass when the input was in order. Only then
 * are assertions put in: VRPs that are not there already are merged into the sorted ones from the back, so that a
 * handful of assertions does not cost sorting 700000 records again; ASPAs and router keys are few and sorted anew.
 *
 * CHOICE: an assertion has no expiry, so a VRP or key that is asserted too loses its own. An ASPA that is asserted too
 * becomes one record with the providers of both and keeps the expiry of the one that had it, because a part of what it
 * says ends then: whoever writes the result to a file applies SLURM again before that time.
 *
 * Clauses: RFC 8416 §2, §3.2, §3.4.1, §3.4.2; draft-ietf-sidrops-aspa-slurm-04 §3.2.
 */
#include "slurm/internal.h"

#include <stdlib.h>
#include <string.h>

struct work {
  const struct ww_slurm *slurm;
  struct ww_payloads kept;
  size_t *rule_counts; /* by rule; NULL when nobody asks */
  size_t *effects;     /* by item; likewise */
  bool *vrp_new;       /* by asserted VRP: not in the filtered input */
  bool *key_new;       /* by asserted key: likewise */
  struct ww_slurm_counts filtered;
};

/* --- filters ---------------------------------------------------------------------------------------------------- */

static enum ww_err filter(struct work *w, const struct ww_payloads *in) {
  enum ww_err err = WW_OK;
  for (size_t i = 0; i < in->vrp_count && err == WW_OK; i++)
    if (ww_slurm_count_vrp(w->slurm, &in->vrps[i], w->rule_counts))
      w->filtered.vrps++;
    else
      err = ww_payloads_add_vrp(&w->kept, &in->vrps[i]);
  for (size_t i = 0; i < in->aspa_count && err == WW_OK; i++)
    if (ww_slurm_count_aspa(w->slurm, &in->aspas[i], w->rule_counts))
      w->filtered.aspas++;
    else
      err = ww_payloads_add_aspa(&w->kept, &in->aspas[i]);
  for (size_t i = 0; i < in->key_count && err == WW_OK; i++)
    if (ww_slurm_count_key(w->slurm, &in->keys[i], w->rule_counts))
      w->filtered.keys++;
    else
      err = ww_payloads_add_key(&w->kept, &in->keys[i]);
  return err == WW_OK ? ww_payloads_sort(&w->kept) : err;
}

/* --- assertions ------------------------------------------------------------------------------------------------- */

static int order_vrp(const void *a, const void *b) { return ww_vrp_compare(a, b); }
static int order_key(const void *a, const void *b) { return ww_router_key_compare(a, b); }

static int order_aspa(const void *a, const void *b) {
  const struct ww_aspa *x = a, *y = b;
  return (x->customer > y->customer) - (x->customer < y->customer);
}

/* bsearch() must not be handed NULL, which an empty array is. */
static void *search(const void *key, const void *array, size_t count, size_t size,
                    int (*order)(const void *, const void *)) {
  return count ? bsearch(key, array, count, size, order) : NULL;
}

static enum ww_err assert_vrps(struct work *w) {
  const struct ww_payloads *asserted = &w->slurm->assertions;
  size_t old = w->kept.vrp_count;
  enum ww_err err = WW_OK;
  for (size_t i = 0; i < asserted->vrp_count && err == WW_OK; i++) {
    struct ww_vrp *there = search(&asserted->vrps[i], w->kept.vrps, old, sizeof(*there), order_vrp);
    w->vrp_new[i] = !there;
    if (there)
      there->expires = 0;
    else
      err = ww_payloads_add_vrp(&w->kept, &asserted->vrps[i]);
  }
  size_t added = w->kept.vrp_count - old;
  if (err != WW_OK || !added)
    return err;
  /* Two sorted runs, the second one short: merge from the back, with the second moved aside. */
  struct ww_vrp *tail = malloc(added * sizeof(*tail));
  if (!tail)
    return WW_ERR_NOMEM;
  memcpy(tail, w->kept.vrps + old, added * sizeof(*tail));
  for (size_t to = old + added; added > 0;) {
    if (old && ww_vrp_compare(&w->kept.vrps[old - 1], &tail[added - 1]) > 0)
      w->kept.vrps[--to] = w->kept.vrps[--old];
    else
      w->kept.vrps[--to] = tail[--added];
  }
  free(tail);
  return WW_OK;
}

static enum ww_err assert_keys(struct work *w) {
  const struct ww_payloads *asserted = &w->slurm->assertions;
  size_t old = w->kept.key_count;
  enum ww_err err = WW_OK;
  for (size_t i = 0; i < asserted->key_count && err == WW_OK; i++) {
    struct ww_router_key *there = search(&asserted->keys[i], w->kept.keys, old, sizeof(*there), order_key);
    w->key_new[i] = !there;
    if (there)
      there->expires = 0;
    else
      err = ww_payloads_add_key(&w->kept, &asserted->keys[i]);
  }
  return err;
}

static enum ww_err assert_aspas(struct work *w) {
  const struct ww_payloads *asserted = &w->slurm->assertions;
  enum ww_err err = WW_OK;
  for (size_t i = 0; i < asserted->aspa_count && err == WW_OK; i++)
    err = ww_payloads_add_aspa(&w->kept, &asserted->aspas[i]);
  return err;
}

/* --- the report ------------------------------------------------------------------------------------------------- */

/* The first assertion that says something new gets a 1, those that say it again get a 0. */
static void note_records(struct work *w) {
  const struct ww_slurm *slurm = w->slurm;
  const struct ww_payloads *asserted = &slurm->assertions;
  for (size_t i = 0; i < slurm->item_count; i++) {
    const struct ww_slurm_item *item = &slurm->items[i];
    bool *is_new = NULL;
    if (item->kind == WW_SLURM_PREFIX_ASSERTION) {
      struct ww_vrp vrp = {.prefix = item->prefix, .max_len = item->max_len, .asn = item->asn};
      struct ww_vrp *at = search(&vrp, asserted->vrps, asserted->vrp_count, sizeof(vrp), order_vrp);
      is_new = at ? &w->vrp_new[at - asserted->vrps] : NULL;
    } else if (item->kind == WW_SLURM_BGPSEC_ASSERTION) {
      struct ww_router_key key = {.asn = item->asn, .spki = item->spki, .spki_len = item->spki_len};
      memcpy(key.ski, item->ski, sizeof(key.ski));
      struct ww_router_key *at = search(&key, asserted->keys, asserted->key_count, sizeof(key), order_key);
      is_new = at ? &w->key_new[at - asserted->keys] : NULL;
    }
    if (is_new && *is_new) {
      w->effects[i] = 1;
      *is_new = false;
    }
  }
}

static int order_item(const void *a, const void *b) {
  const struct ww_slurm_item *x = *(const struct ww_slurm_item *const *)a, *y = *(const struct ww_slurm_item *const *)b;
  int c = (x->asn > y->asn) - (x->asn < y->asn);
  return c ? c : (x > y) - (x < y);
}

/* Puts the providers of `from` into `set` (sorted, of room enough); true when that changed what the set says. */
static bool unite(uint32_t *set, size_t *count, const uint32_t *from, size_t from_count) {
  bool changed = false;
  for (size_t i = 0; i < from_count; i++) {
    size_t begin = 0, end = *count;
    /* AS 0 says that there are no providers: beside one it says nothing. */
    if (from[i] == 0 && *count)
      continue;
    while (begin < end) {
      size_t middle = begin + (end - begin) / 2;
      if (set[middle] < from[i])
        begin = middle + 1;
      else
        end = middle;
    }
    if (begin < *count && set[begin] == from[i])
      continue;
    memmove(set + begin + 1, set + begin, (*count - begin) * sizeof(*set));
    set[begin] = from[i];
    ++*count;
    changed = true;
  }
  return changed;
}

/* Called before the assertions are put in: what do they add, one after the other, to the ASPAs that were kept? */
static enum ww_err note_aspas(struct work *w) {
  const struct ww_slurm *slurm = w->slurm;
  const struct ww_slurm_item **items = malloc((slurm->item_count + 1) * sizeof(*items));
  /* Neither the kept nor the asserted providers of a customer are more than the maximum. */
  uint32_t *set = malloc((2 * (size_t)WW_ASPA_PROVIDERS_MAX + 1) * sizeof(*set));
  enum ww_err err = items && set ? WW_OK : WW_ERR_NOMEM;
  size_t n = 0, count = 0;
  for (size_t i = 0; i < slurm->item_count && err == WW_OK; i++)
    if (slurm->items[i].kind == WW_SLURM_ASPA_ASSERTION)
      items[n++] = &slurm->items[i];
  if (n)
    qsort(items, n, sizeof(*items), order_item);
  for (size_t i = 0; i < n; i++) {
    const struct ww_slurm_item *item = items[i];
    if (i == 0 || items[i - 1]->asn != item->asn) {
      struct ww_aspa key = {.customer = item->asn};
      const struct ww_aspa *there = search(&key, w->kept.aspas, w->kept.aspa_count, sizeof(key), order_aspa);
      count = there ? there->provider_count : 0;
      if (count)
        memcpy(set, there->providers, count * sizeof(*set));
    }
    w->effects[item - slurm->items] = unite(set, &count, item->providers, item->provider_count);
  }
  free(items);
  free(set);
  return err;
}

static struct ww_slurm_counts counts_of(const struct ww_payloads *set) {
  return (struct ww_slurm_counts){.vrps = set->vrp_count, .aspas = set->aspa_count, .keys = set->key_count};
}

/* --- all of it -------------------------------------------------------------------------------------------------- */

enum ww_err ww_slurm_apply(const struct ww_slurm *slurm, const struct ww_payloads *in, struct ww_payloads *out,
                           struct ww_slurm_report *report) {
  struct work w = {.slurm = slurm};
  w.vrp_new = calloc(slurm->assertions.vrp_count + 1, sizeof(*w.vrp_new));
  w.key_new = calloc(slurm->assertions.key_count + 1, sizeof(*w.key_new));
  enum ww_err err = w.vrp_new && w.key_new ? WW_OK : WW_ERR_NOMEM;
  if (err == WW_OK && report) {
    w.rule_counts = calloc((size_t)slurm->class_begin[WW_SLURM_RULE_CLASSES] + 1, sizeof(*w.rule_counts));
    w.effects = calloc(slurm->item_count + 1, sizeof(*w.effects));
    err = w.rule_counts && w.effects ? WW_OK : WW_ERR_NOMEM;
  }
  if (err == WW_OK)
    err = filter(&w, in);
  if (err == WW_OK && report)
    err = note_aspas(&w);
  if (err == WW_OK)
    err = assert_vrps(&w);
  if (err == WW_OK)
    err = assert_keys(&w);
  if (err == WW_OK)
    err = assert_aspas(&w);
  if (err == WW_OK)
    err = ww_payloads_sort(&w.kept);
  if (err == WW_OK && report) {
    note_records(&w);
    for (size_t i = 0; i < slurm->item_count; i++)
      if (slurm->item_rule[i] != WW_SLURM_NONE)
        w.effects[i] = w.rule_counts[slurm->item_rule[i]];
    *report = (struct ww_slurm_report){.effects = w.effects,
                                       .count = slurm->item_count,
                                       .in = counts_of(in),
                                       .filtered = w.filtered,
                                       .out = counts_of(&w.kept)};
    w.effects = NULL;
  }
  if (err == WW_OK) {
    *out = w.kept;
    w.kept = (struct ww_payloads){0};
  }
  ww_payloads_fini(&w.kept);
  free(w.rule_counts);
  free(w.effects);
  free(w.vrp_new);
  free(w.key_new);
  return err;
}

void ww_slurm_report_fini(struct ww_slurm_report *report) {
  free(report->effects);
  *report = (struct ww_slurm_report){0};
}
