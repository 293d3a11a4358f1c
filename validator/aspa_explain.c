/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AS_PATH verification with ASPAs, with the evidence: every hop in both directions, the four bounds as the draft
 * defines them, which hops are to blame, and every ASPA that was asked.
 *
 * Each AS of the path (without prepends) is looked up once: what its record says of the AS before it and of the AS
 * behind it are the up-ramp's and the down-ramp's hops. Lookups are fetched ahead together, so that their memory
 * latencies overlap. Here AS numbers stand origin first, as the draft counts them: at[0] is AS(1).
 *
 * CHOICE: which hops are to blame (`failing`). Upstream each hop that is NotProvider+ makes the path Invalid by itself,
 * so each of them is named, not only the first one, which ends the ramp. Downstream it takes two, the ones that end the
 * ramps; behind these, hops of the other ramp are not faults. Of an Unknown path: upstream each hop without
 * attestation, downstream the two that end the sure ramps.
 *
 * Clauses: draft-ietf-sidrops-aspa-verification-28 §5.3, §5.4, §5.5, §5.6.
 */
#include "validator/aspa_private.h"

#include <assert.h>
#include <stdlib.h>

/* One AS of the path. */
struct node {
  uint32_t asn;
  bool blamed; /* a failing hop rests on its record */
  bool bears;  /* its record authorises a hop of a ramp */
  const struct ww_aspa_slot *slot, *first;
};

enum { NODES_ON_STACK = 32, INSERTION_MAX = 32 };

static bool reserve(void **array, size_t *cap, size_t count, size_t size) {
  if (count <= *cap)
    return true;
  size_t room = count + count / 2 + 8;
  void *grown = realloc(*array, room * size);
  if (!grown)
    return false;
  *array = grown;
  *cap = room;
  return true;
}

static enum ww_aspa_hop_state ask(const struct node *customer, uint32_t provider) {
  if (!customer->slot)
    return WW_HOP_NO_ATTESTATION;
  return ww_aspa_slot_has(customer->first, customer->slot, provider) ? WW_HOP_PROVIDER : WW_HOP_NOT_PROVIDER;
}

/* --- hops and bounds --------------------------------------------------------------------------------------------- */

/* §5.4: the places, counted along the ramp from 1, of the first hop that is NotProvider+ and the first that is not
 * Provider+; N when there is none. */
static void ramp(const struct ww_aspa_hop *hops, uint32_t n, uint32_t *max, uint32_t *min) {
  *max = *min = n;
  for (uint32_t i = 0; i + 1 < n; i++) {
    if (hops[i].state != WW_HOP_PROVIDER && *min == n)
      *min = i + 1;
    if (hops[i].state == WW_HOP_NOT_PROVIDER) {
      *max = i + 1;
      return;
    }
  }
}

static void fill_hops(struct ww_aspa_result *r, const struct node *at) {
  uint32_t n = r->path_len;
  struct ww_aspa_hop *hop = r->hops;
  for (uint32_t i = 0; i + 1 < n; i++)
    *hop++ = (struct ww_aspa_hop){
        .customer = at[i].asn, .provider = at[i + 1].asn, .state = (uint8_t)ask(&at[i], at[i + 1].asn), .up = true};
  for (uint32_t i = n; r->procedure == WW_ASPA_DOWNSTREAM && --i > 0;)
    *hop++ = (struct ww_aspa_hop){
        .customer = at[i].asn, .provider = at[i - 1].asn, .state = (uint8_t)ask(&at[i], at[i - 1].asn)};
  r->hop_count = (size_t)(hop - r->hops);
}

/* Marks what the hops of one ramp, whose customers are `at`, at + step, ..., did. `end`: where the ramp ends. */
static void judge_ramp(struct ww_aspa_hop *hops, uint32_t n, struct node *at, int step, uint32_t end,
                       bool ends_are_faults) {
  for (uint32_t i = 0; i + 1 < n; i++, at += step) {
    if (i + 1 == end && ends_are_faults)
      hops[i].failing = true;
    at->blamed = at->blamed || hops[i].failing;
    at->bears = at->bears || (hops[i].state == WW_HOP_PROVIDER && i + 1 < end);
  }
}

static void judge(struct ww_aspa_result *r, struct node *at) {
  uint32_t n = r->path_len;
  struct ww_aspa_hop *up = r->hops, *down = r->hops + (n - 1);
  bool downstream = r->procedure == WW_ASPA_DOWNSTREAM;
  ramp(up, n, &r->max_up, &r->min_up);
  r->max_down = r->min_down = 0;
  if (downstream)
    ramp(down, n, &r->max_down, &r->min_down);
  if (r->max_up + r->max_down < n) { /* §5.5, §5.6 step 4 */
    r->state = WW_STATE_INVALID;
    r->reason = downstream ? WW_REASON_ASPA_VALLEY : WW_REASON_ASPA_NOT_PROVIDER;
  } else if (r->min_up + r->min_down < n) { /* step 5 */
    r->state = WW_STATE_UNKNOWN;
    r->reason = WW_REASON_ASPA_UNATTESTED;
  } else {
    r->state = WW_STATE_VALID; /* step 6 */
  }
  bool valid = r->state == WW_STATE_VALID, invalid = r->state == WW_STATE_INVALID;
  if (downstream) {
    judge_ramp(up, n, at, 1, invalid ? r->max_up : r->min_up, !valid);
    judge_ramp(down, n, at + (n - 1), -1, invalid ? r->max_down : r->min_down, !valid);
    return;
  }
  for (uint32_t i = 0; i + 1 < n; i++)
    up[i].failing = !valid && up[i].state == (invalid ? WW_HOP_NOT_PROVIDER : WW_HOP_NO_ATTESTATION);
  judge_ramp(up, n, at, 1, n, false);
}

/* --- ASPAs ------------------------------------------------------------------------------------------------------ */

static int compare_keys(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* Paths are short, but they need not be. */
static void sort_keys(uint64_t *keys, size_t count) {
  if (count > INSERTION_MAX) {
    qsort(keys, count, sizeof *keys, compare_keys);
    return;
  }
  for (size_t i = 1; i < count; i++) {
    uint64_t moving = keys[i];
    size_t to = i;
    for (; to > 0 && moving < keys[to - 1]; to--)
      keys[to] = keys[to - 1];
    keys[to] = moving;
  }
}

/* The places of the ASes that have an ASPA, by AS number, each AS once: a path may come to an AS twice. */
static size_t gather(struct node *nodes, size_t count, uint64_t *keys) {
  size_t kept = 0, unique = 0;
  for (size_t i = 0; i < count; i++)
    if (nodes[i].slot)
      keys[kept++] = (uint64_t)nodes[i].asn << 32 | i;
  sort_keys(keys, kept);
  for (size_t i = 0; i < kept; i++) {
    struct node *node = &nodes[(uint32_t)keys[i]], *last = unique ? &nodes[(uint32_t)keys[unique - 1]] : NULL;
    if (last && last->asn == node->asn) {
      last->blamed = last->blamed || node->blamed;
      last->bears = last->bears || node->bears;
    } else {
      keys[unique++] = keys[i];
    }
  }
  return unique;
}

static enum ww_err add_hits(const struct ww_record_table *table, const struct node *node, struct ww_aspa_result *r) {
  enum ww_aspa_hop_state match = node->blamed  ? WW_HOP_NOT_PROVIDER
                                 : node->bears ? WW_HOP_PROVIDER
                                               : WW_HOP_NO_ATTESTATION;
  if (node->slot->single) { /* room for one is there already */
    r->hits[r->hit_count++] =
        (struct ww_aspa_hit){.aspa = {.customer = node->asn,
                                      .provider_count = node->slot->count,
                                      .providers = ww_aspa_slot_providers(node->first, node->slot),
                                      .expires = node->slot->expires},
                             .source = node->slot->source,
                             .match = (uint8_t)match};
    return WW_OK;
  }
  const struct ww_record_block *block = ww_aspa_block_of(table, node->asn);
  const struct ww_aspa_entry *entries = ww_aspa_block_entries(block);
  for (uint32_t i = node->slot->entry; i < block->count && entries[i].aspa.customer == node->asn; i++) {
    if (!reserve((void **)&r->hits, &r->hit_cap, r->hit_count + 1, sizeof *r->hits))
      return WW_ERR_NOMEM;
    r->hits[r->hit_count++] =
        (struct ww_aspa_hit){.aspa = entries[i].aspa, .source = entries[i].source, .match = (uint8_t)match};
  }
  return WW_OK;
}

/* --- putting it together ------------------------------------------------------------------------------------------ */

/* The path without prepends, origin first. Returns N. */
static uint32_t collapse(const struct ww_aspa_path *path, struct node *nodes) {
  uint32_t n = 0;
  for (size_t i = path->count; i-- > 0;)
    if (n == 0 || nodes[n - 1].asn != path->asns[i])
      nodes[n++] = (struct node){.asn = path->asns[i]};
  return n;
}

static enum ww_err explain(const struct ww_record_table *table, const struct ww_aspa_path *path, struct node *nodes,
                           uint64_t *keys, struct ww_aspa_result *r) {
  assert(path->count > 0); /* ww_aspa_gate() lets no empty path through */
  uint32_t n = r->path_len = collapse(path, nodes);
  /* Upstream nobody asks what the neighbor itself says. A path of one AS has no hop. */
  uint32_t asked = r->procedure == WW_ASPA_DOWNSTREAM && n > 1 ? n : n - 1;
  for (uint32_t i = 0; i < asked; i++)
    ww_aspa_prefetch(table, nodes[i].asn);
  if (!reserve((void **)&r->hops, &r->hop_cap, 2 * (size_t)n, sizeof *r->hops))
    return WW_ERR_NOMEM;
  for (uint32_t i = 0; i < asked; i++)
    nodes[i].slot = ww_aspa_slot_find(table, nodes[i].asn, &nodes[i].first);
  fill_hops(r, nodes);
  judge(r, nodes);
  size_t count = gather(nodes, asked, keys);
  enum ww_err err = WW_OK;
  for (int blamed = 1; blamed >= 0; blamed--)
    for (size_t i = 0; i < count && err == WW_OK; i++) {
      const struct node *node = &nodes[(uint32_t)keys[i]];
      if (node->blamed != (bool)blamed)
        continue;
      if (!reserve((void **)&r->hits, &r->hit_cap, r->hit_count + 1, sizeof *r->hits))
        return WW_ERR_NOMEM;
      err = add_hits(table, node, r);
    }
  return err;
}

enum ww_err ww_aspa_explain(const struct ww_snapshot *snapshot, const struct ww_aspa_path *path,
                            const struct ww_aspa_session *session, struct ww_aspa_result *result) {
  enum ww_reason reason;
  result->state = (uint8_t)ww_aspa_gate(snapshot, path, session, &reason);
  result->reason = (uint8_t)reason;
  result->role = session->role;
  result->procedure = (uint8_t)ww_aspa_procedure_of((enum ww_role)session->role);
  result->path_len = result->max_up = result->min_up = result->max_down = result->min_down = 0;
  result->hop_count = result->hit_count = 0;
  if (result->state != WW_STATE_VALID)
    return WW_OK;
  struct node few[NODES_ON_STACK], *nodes = few;
  uint64_t few_keys[NODES_ON_STACK], *keys = few_keys;
  if (path->count > NODES_ON_STACK) {
    nodes = (struct node *)malloc(path->count * (sizeof *nodes + sizeof *keys));
    keys = (uint64_t *)(nodes + path->count);
  }
  if (!nodes)
    return WW_ERR_NOMEM;
  enum ww_err err = explain(snapshot->aspas, path, nodes, keys, result);
  if (nodes != few)
    free(nodes);
  return err;
}
