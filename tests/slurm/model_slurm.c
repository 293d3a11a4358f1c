/* SPDX-License-Identifier: BSD-2-Clause */
#include "model_slurm.h"

#include <string.h>

static bool bit(const uint8_t *address, unsigned i) { return address[i / 8] >> (7 - i % 8) & 1; }

/* "equal to or covered by" */
static bool covers(const struct ww_prefix *filter, const struct ww_prefix *vrp) {
  if (filter->afi != vrp->afi || filter->len > vrp->len)
    return false;
  for (unsigned i = 0; i < filter->len; i++)
    if (bit(filter->addr, i) != bit(vrp->addr, i))
      return false;
  return true;
}

bool model_matches_vrp(const struct ww_slurm_item *filter, const struct ww_vrp *vrp) {
  if (filter->kind != WW_SLURM_PREFIX_FILTER)
    return false;
  /* RFC 8416 §3.3.1: 1. the Prefix Filter only contains an IPv4 or IPv6 prefix. */
  if (filter->has_prefix && !filter->has_asn)
    return covers(&filter->prefix, &vrp->prefix);
  /* 2. only contains an ASN. */
  if (!filter->has_prefix)
    return vrp->asn == filter->asn;
  /* 3. contains both. */
  return covers(&filter->prefix, &vrp->prefix) && vrp->asn == filter->asn;
}

bool model_matches_key(const struct ww_slurm_item *filter, const struct ww_router_key *key) {
  if (filter->kind != WW_SLURM_BGPSEC_FILTER)
    return false;
  bool ski = filter->has_ski && !filter->foreign_ski && memcmp(filter->ski, key->ski, WW_SKI_LEN) == 0;
  /* RFC 8416 §3.3.2: 1. only contains an ASN; 2. only an SKI; 3. both. */
  if (!filter->has_ski)
    return key->asn == filter->asn;
  if (!filter->has_asn)
    return ski;
  return key->asn == filter->asn && ski;
}

bool model_matches_aspa(const struct ww_slurm_item *filter, const struct ww_aspa *aspa) {
  /* draft-ietf-sidrops-aspa-slurm-04 §3.1 */
  return filter->kind == WW_SLURM_ASPA_FILTER && filter->asn == aspa->customer;
}

static void add_vrp(struct model_set *set, const struct ww_vrp *vrp) {
  for (size_t i = 0; i < set->vrp_count; i++)
    if (covers(&set->vrps[i].prefix, &vrp->prefix) && covers(&vrp->prefix, &set->vrps[i].prefix) &&
        set->vrps[i].max_len == vrp->max_len && set->vrps[i].asn == vrp->asn)
      return;
  set->vrps[set->vrp_count++] = *vrp;
}

static bool same_key(const struct ww_router_key *a, const struct ww_router_key *b) {
  return a->asn == b->asn && memcmp(a->ski, b->ski, WW_SKI_LEN) == 0 && a->spki_len == b->spki_len &&
         memcmp(a->spki, b->spki, a->spki_len) == 0;
}

static void add_key(struct model_set *set, const struct ww_router_key *key) {
  for (size_t i = 0; i < set->key_count; i++)
    if (same_key(&set->keys[i], key))
      return;
  set->keys[set->key_count++] = *key;
}

static bool has(const struct model_aspa *aspa, uint32_t provider) {
  for (uint32_t i = 0; i < aspa->count; i++)
    if (aspa->providers[i] == provider)
      return true;
  return false;
}

static void add_provider(struct model_aspa *aspa, uint32_t provider) {
  if (has(aspa, provider) || (provider == 0 && aspa->count))
    return;
  if (has(aspa, 0)) /* AS 0 gives way to any other */
    aspa->count = 0;
  aspa->providers[aspa->count++] = provider;
}

static void add_aspa(struct model_set *set, uint32_t customer, const uint32_t *providers, uint32_t count) {
  size_t i = 0;
  while (i < set->aspa_count && set->aspas[i].customer != customer)
    i++;
  if (i == set->aspa_count) {
    set->aspas[i].customer = customer;
    set->aspas[i].count = 0;
    set->aspa_count++;
  }
  for (uint32_t k = 0; k < count; k++)
    add_provider(&set->aspas[i], providers[k]);
}

void model_apply(const struct ww_slurm_item *items, size_t count, const struct ww_payloads *in, struct model_set *out) {
  out->vrp_count = out->aspa_count = out->key_count = 0;
  /* RFC 8416 §3.2: as if output filtering were performed before locally adding assertions. */
  for (size_t r = 0; r < in->vrp_count; r++) {
    bool filtered = false;
    for (size_t i = 0; i < count; i++)
      filtered = filtered || model_matches_vrp(&items[i], &in->vrps[r]);
    if (!filtered)
      add_vrp(out, &in->vrps[r]);
  }
  for (size_t r = 0; r < in->key_count; r++) {
    bool filtered = false;
    for (size_t i = 0; i < count; i++)
      filtered = filtered || model_matches_key(&items[i], &in->keys[r]);
    if (!filtered)
      add_key(out, &in->keys[r]);
  }
  for (size_t r = 0; r < in->aspa_count; r++) {
    bool filtered = false;
    for (size_t i = 0; i < count; i++)
      filtered = filtered || model_matches_aspa(&items[i], &in->aspas[r]);
    if (!filtered)
      add_aspa(out, in->aspas[r].customer, in->aspas[r].providers, in->aspas[r].provider_count);
  }
  for (size_t i = 0; i < count; i++) {
    const struct ww_slurm_item *item = &items[i];
    struct ww_vrp vrp = {.prefix = item->prefix, .max_len = item->max_len, .asn = item->asn};
    struct ww_router_key key = {.asn = item->asn, .spki = item->spki, .spki_len = item->spki_len};
    memcpy(key.ski, item->ski, WW_SKI_LEN);
    if (item->kind == WW_SLURM_PREFIX_ASSERTION)
      add_vrp(out, &vrp);
    if (item->kind == WW_SLURM_BGPSEC_ASSERTION)
      add_key(out, &key);
    if (item->kind == WW_SLURM_ASPA_ASSERTION)
      add_aspa(out, item->asn, item->providers, item->provider_count);
  }
}

bool model_equals(const struct model_set *model, const struct ww_payloads *set) {
  if (model->vrp_count != set->vrp_count || model->aspa_count != set->aspa_count || model->key_count != set->key_count)
    return false;
  for (size_t i = 0; i < set->vrp_count; i++) {
    bool found = false;
    for (size_t k = 0; k < model->vrp_count && !found; k++)
      found = ww_vrp_compare(&model->vrps[k], &set->vrps[i]) == 0;
    if (!found)
      return false;
  }
  for (size_t i = 0; i < set->key_count; i++) {
    bool found = false;
    for (size_t k = 0; k < model->key_count && !found; k++)
      found = same_key(&model->keys[k], &set->keys[i]);
    if (!found)
      return false;
  }
  for (size_t i = 0; i < set->aspa_count; i++) {
    size_t k = 0;
    while (k < model->aspa_count && model->aspas[k].customer != set->aspas[i].customer)
      k++;
    if (k == model->aspa_count || model->aspas[k].count != set->aspas[i].provider_count)
      return false;
    for (uint32_t p = 0; p < set->aspas[i].provider_count; p++)
      if (!has(&model->aspas[k], set->aspas[i].providers[p]))
        return false;
  }
  return true;
}
