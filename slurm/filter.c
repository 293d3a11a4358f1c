/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which filters match a record, without asking each of them.
 *
 * Filters that ask for the same are one rule. Rules are sorted by class and content, so those that name AS numbers,
 * customers and SKIs are found by bisection. Prefix rules hang on nodes, one for each distinct prefix, sorted by
 * address and length, each knowing the longest other that covers it. The filters that cover a VRP are then a chain:
 * bisection finds the last node that is not greater than the VRP's prefix, and from there on up the parents, the first
 * that covers the VRP begins the chain. That is about log2(filters) comparisons and as many steps as filters are
 * nested.
 *
 * Clauses: RFC 8416 §3.3.1, §3.3.2; draft-ietf-sidrops-aspa-slurm-04 §3.1.
 */
#include "slurm/internal.h"

#include <stdlib.h>
#include <string.h>

static int compare_rules(const struct ww_slurm_rule *a, const struct ww_slurm_rule *b) {
  if (a->rule_class != b->rule_class)
    return (int)a->rule_class - (int)b->rule_class;
  int c = ww_prefix_compare(&a->prefix, &b->prefix);
  if (c)
    return c;
  if (a->has_asn != b->has_asn)
    return a->has_asn ? 1 : -1;
  if (a->asn != b->asn)
    return a->asn < b->asn ? -1 : 1;
  return memcmp(a->ski, b->ski, sizeof(a->ski));
}

static int order_rules(const void *a, const void *b) { return compare_rules(a, b); }

/* False for what matches nothing. */
static bool make_rule(const struct ww_slurm_item *item, struct ww_slurm_rule *rule) {
  *rule = (struct ww_slurm_rule){.asn = item->has_asn ? item->asn : 0};
  switch (item->kind) {
  case WW_SLURM_PREFIX_FILTER:
    rule->rule_class = item->has_prefix ? WW_SLURM_RULE_PREFIX : WW_SLURM_RULE_ASN;
    rule->has_asn = item->has_asn;
    if (item->has_prefix)
      rule->prefix = item->prefix;
    return true;
  case WW_SLURM_BGPSEC_FILTER:
    if (item->foreign_ski)
      return false;
    rule->rule_class = !item->has_ski   ? WW_SLURM_RULE_KEY_ASN
                       : !item->has_asn ? WW_SLURM_RULE_KEY_SKI
                                        : WW_SLURM_RULE_KEY_BOTH;
    if (item->has_ski)
      memcpy(rule->ski, item->ski, sizeof(rule->ski));
    return true;
  case WW_SLURM_ASPA_FILTER:
    rule->rule_class = WW_SLURM_RULE_CUSTOMER;
    return true;
  default:
    return false;
  }
}

/* The position of a rule, or WW_SLURM_NONE. */
static uint32_t find_rule(const struct ww_slurm *slurm, uint32_t begin, uint32_t end,
                          const struct ww_slurm_rule *rule) {
  while (begin < end) {
    uint32_t middle = begin + (end - begin) / 2;
    int c = compare_rules(&slurm->rules[middle], rule);
    if (c == 0)
      return middle;
    if (c < 0)
      begin = middle + 1;
    else
      end = middle;
  }
  return WW_SLURM_NONE;
}

static uint32_t find_in_class(const struct ww_slurm *slurm, const struct ww_slurm_rule *rule) {
  return find_rule(slurm, slurm->class_begin[rule->rule_class], slurm->class_begin[rule->rule_class + 1], rule);
}

static void link_nodes(struct ww_slurm *slurm) {
  uint32_t n = 0, above = WW_SLURM_NONE; /* the node in hand, or one that covers it */
  for (uint32_t r = 0; r < slurm->class_begin[WW_SLURM_RULE_PREFIX + 1]; r++) {
    const struct ww_prefix *prefix = &slurm->rules[r].prefix;
    if (n && ww_prefix_compare(&slurm->nodes[n - 1].prefix, prefix) == 0) {
      slurm->nodes[n - 1].end = r + 1;
      continue;
    }
    while (above != WW_SLURM_NONE && !ww_prefix_covers(&slurm->nodes[above].prefix, prefix))
      above = slurm->nodes[above].parent;
    slurm->nodes[n] = (struct ww_slurm_node){.prefix = *prefix, .parent = above, .first = r, .end = r + 1};
    above = n++;
  }
  slurm->node_count = n;
}

enum ww_err ww_slurm_index(struct ww_slurm *slurm) {
  uint32_t count = 0;
  slurm->rules = calloc(slurm->item_count + 1, sizeof(*slurm->rules));
  slurm->item_rule = calloc(slurm->item_count + 1, sizeof(*slurm->item_rule));
  if (!slurm->rules || !slurm->item_rule)
    return WW_ERR_NOMEM;
  for (size_t i = 0; i < slurm->item_count; i++)
    if (make_rule(&slurm->items[i], &slurm->rules[count]))
      count++;
  if (count)
    qsort(slurm->rules, count, sizeof(*slurm->rules), order_rules);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < count; i++)
    if (!kept || compare_rules(&slurm->rules[kept - 1], &slurm->rules[i]) != 0)
      slurm->rules[kept++] = slurm->rules[i];
  for (uint32_t c = 0, at = 0; c <= WW_SLURM_RULE_CLASSES; c++) {
    while (at < kept && slurm->rules[at].rule_class < c)
      at++;
    slurm->class_begin[c] = at;
  }
  for (size_t i = 0; i < slurm->item_count; i++) {
    struct ww_slurm_rule rule;
    slurm->item_rule[i] = make_rule(&slurm->items[i], &rule) ? find_in_class(slurm, &rule) : WW_SLURM_NONE;
  }
  slurm->nodes = calloc((size_t)slurm->class_begin[WW_SLURM_RULE_PREFIX + 1] + 1, sizeof(*slurm->nodes));
  if (!slurm->nodes)
    return WW_ERR_NOMEM;
  link_nodes(slurm);
  return WW_OK;
}

/* Notes a rule that matches. `counts` NULL: the first is enough, and true says so. */
static bool note(size_t *counts, uint32_t rule, size_t *matches) {
  if (rule == WW_SLURM_NONE)
    return false;
  ++*matches;
  if (!counts)
    return true;
  counts[rule]++;
  return false;
}

/* The longest prefix among the nodes that covers a VRP's. */
static uint32_t find_covering(const struct ww_slurm *slurm, const struct ww_prefix *prefix) {
  uint32_t begin = 0, end = slurm->node_count;
  while (begin < end) {
    uint32_t middle = begin + (end - begin) / 2;
    if (ww_prefix_compare(&slurm->nodes[middle].prefix, prefix) <= 0)
      begin = middle + 1;
    else
      end = middle;
  }
  uint32_t node = begin ? begin - 1 : WW_SLURM_NONE;
  while (node != WW_SLURM_NONE && !ww_prefix_covers(&slurm->nodes[node].prefix, prefix))
    node = slurm->nodes[node].parent;
  return node;
}

size_t ww_slurm_count_vrp(const struct ww_slurm *slurm, const struct ww_vrp *vrp, size_t *counts) {
  size_t matches = 0;
  /* RFC 8416 §3.3.1, case 2: the AS number alone. */
  struct ww_slurm_rule rule = {.rule_class = WW_SLURM_RULE_ASN, .has_asn = true, .asn = vrp->asn};
  if (note(counts, find_in_class(slurm, &rule), &matches))
    return matches;
  for (uint32_t at = find_covering(slurm, &vrp->prefix); at != WW_SLURM_NONE; at = slurm->nodes[at].parent) {
    const struct ww_slurm_node *node = &slurm->nodes[at];
    uint32_t first = node->first;
    /* Case 1: the prefix alone. */
    if (!slurm->rules[first].has_asn && note(counts, first++, &matches))
      return matches;
    /* Case 3: both. */
    rule = (struct ww_slurm_rule){
        .rule_class = WW_SLURM_RULE_PREFIX, .has_asn = true, .asn = vrp->asn, .prefix = node->prefix};
    if (note(counts, find_rule(slurm, first, node->end, &rule), &matches))
      return matches;
  }
  return matches;
}

size_t ww_slurm_count_key(const struct ww_slurm *slurm, const struct ww_router_key *key, size_t *counts) {
  /* RFC 8416 §3.3.2, cases 1 to 3. */
  struct ww_slurm_rule asn = {.rule_class = WW_SLURM_RULE_KEY_ASN, .asn = key->asn};
  struct ww_slurm_rule ski = {.rule_class = WW_SLURM_RULE_KEY_SKI};
  struct ww_slurm_rule both = {.rule_class = WW_SLURM_RULE_KEY_BOTH, .asn = key->asn};
  memcpy(ski.ski, key->ski, sizeof(ski.ski));
  memcpy(both.ski, key->ski, sizeof(both.ski));
  size_t matches = 0;
  (void)(note(counts, find_in_class(slurm, &asn), &matches) || note(counts, find_in_class(slurm, &ski), &matches) ||
         note(counts, find_in_class(slurm, &both), &matches));
  return matches;
}

size_t ww_slurm_count_aspa(const struct ww_slurm *slurm, const struct ww_aspa *aspa, size_t *counts) {
  struct ww_slurm_rule rule = {.rule_class = WW_SLURM_RULE_CUSTOMER, .asn = aspa->customer};
  size_t matches = 0;
  (void)note(counts, find_in_class(slurm, &rule), &matches);
  return matches;
}

bool ww_slurm_filters_vrp(const struct ww_slurm *slurm, const struct ww_vrp *vrp) {
  return ww_slurm_count_vrp(slurm, vrp, NULL) > 0;
}

bool ww_slurm_filters_key(const struct ww_slurm *slurm, const struct ww_router_key *key) {
  return ww_slurm_count_key(slurm, key, NULL) > 0;
}

bool ww_slurm_filters_aspa(const struct ww_slurm *slurm, const struct ww_aspa *aspa) {
  return ww_slurm_count_aspa(slurm, aspa, NULL) > 0;
}
