/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SLURM beside sources that change, and sources beside a SLURM set that changes.
 *
 * What is in force is the records of each source that no filter matches, kept apart by source, and the assertions,
 * which are kept as a source of their own. Filters look at one record at a time, so a delta of a source passes them
 * record by record, both what comes and what goes; and when the set changes, a record of a source comes into force or
 * goes out of it just when one set filters it and the other does not. Nothing else changes.
 *
 * CHOICE: unlike ww_slurm_apply(), which makes one set, an asserted record and the same one of a source stay two
 * records with two origins: validation counts them once, and explanations show both.
 *
 * Clauses: RFC 8416 §2, §3.2, §4.2.
 */
#include "slurm/internal.h"

#include <string.h>

static bool passes_vrp(const struct ww_slurm *slurm, const struct ww_vrp *vrp) {
  return !slurm || !ww_slurm_filters_vrp(slurm, vrp);
}

static bool passes_aspa(const struct ww_slurm *slurm, const struct ww_aspa *aspa) {
  return !slurm || !ww_slurm_filters_aspa(slurm, aspa);
}

static bool passes_key(const struct ww_slurm *slurm, const struct ww_router_key *key) {
  return !slurm || !ww_slurm_filters_key(slurm, key);
}

bool ww_slurm_lets_all_pass(const struct ww_slurm *slurm) {
  return !slurm || slurm->class_begin[WW_SLURM_RULE_CLASSES] == 0;
}

static enum ww_err filter_set(const struct ww_slurm *slurm, const struct ww_payloads *in, struct ww_payloads *out) {
  enum ww_err err = WW_OK;
  for (size_t i = 0; i < in->vrp_count && err == WW_OK; i++)
    if (passes_vrp(slurm, &in->vrps[i]))
      err = ww_payloads_add_vrp(out, &in->vrps[i]);
  for (size_t i = 0; i < in->aspa_count && err == WW_OK; i++)
    if (passes_aspa(slurm, &in->aspas[i]))
      err = ww_payloads_add_aspa(out, &in->aspas[i]);
  for (size_t i = 0; i < in->key_count && err == WW_OK; i++)
    if (passes_key(slurm, &in->keys[i]))
      err = ww_payloads_add_key(out, &in->keys[i]);
  return err;
}

static enum ww_err finish(struct ww_payload_delta *made, enum ww_err err, struct ww_payload_delta *out) {
  if (err != WW_OK) {
    ww_payload_delta_fini(made);
    memset(made, 0, sizeof(*made));
  }
  *out = *made;
  return err;
}

enum ww_err ww_slurm_filter_delta(const struct ww_slurm *slurm, const struct ww_payload_delta *raw,
                                  struct ww_payload_delta *out) {
  struct ww_payload_delta made = {.source = raw->source};
  /* RFC 8416 §2: the filters see every answer of a cache, and both sides of a Serial Query's: a record that they match
   * never came into force, so its withdrawal takes nothing away. */
  enum ww_err err = filter_set(slurm, &raw->announce, &made.announce);
  if (err == WW_OK)
    err = filter_set(slurm, &raw->withdraw, &made.withdraw);
  if (err == WW_OK)
    err = filter_set(slurm, &raw->refresh, &made.refresh);
  return finish(&made, err, out);
}

enum ww_err ww_slurm_change_source(const struct ww_slurm *before, const struct ww_slurm *after,
                                   const struct ww_payloads *records, struct ww_payload_delta *out) {
  struct ww_payload_delta made = {0};
  enum ww_err err = WW_OK;
  for (size_t i = 0; i < records->vrp_count && err == WW_OK; i++) {
    const struct ww_vrp *vrp = &records->vrps[i];
    bool was = passes_vrp(before, vrp), is = passes_vrp(after, vrp);
    if (was != is)
      err = ww_payloads_add_vrp(is ? &made.announce : &made.withdraw, vrp);
  }
  for (size_t i = 0; i < records->aspa_count && err == WW_OK; i++) {
    struct ww_aspa aspa = records->aspas[i];
    bool was = passes_aspa(before, &aspa), is = passes_aspa(after, &aspa);
    if (was && !is)
      aspa.provider_count = 0; /* as withdrawals have it */
    if (was != is)
      err = ww_payloads_add_aspa(is ? &made.announce : &made.withdraw, &aspa);
  }
  for (size_t i = 0; i < records->key_count && err == WW_OK; i++) {
    const struct ww_router_key *key = &records->keys[i];
    bool was = passes_key(before, key), is = passes_key(after, key);
    if (was != is)
      err = ww_payloads_add_key(is ? &made.announce : &made.withdraw, key);
  }
  return finish(&made, err, out);
}

/* ---- assertions: two sorted sets without duplicates, side by side ---- */

static const struct ww_payloads nothing;

static const struct ww_payloads *assertions_of(const struct ww_slurm *slurm) {
  return slurm ? ww_slurm_assertions(slurm) : &nothing;
}

static int order_aspa(const struct ww_aspa *a, const struct ww_aspa *b) {
  return (a->customer > b->customer) - (a->customer < b->customer);
}

static bool same_providers(const struct ww_aspa *a, const struct ww_aspa *b) {
  return a->provider_count == b->provider_count &&
         (!a->provider_count || memcmp(a->providers, b->providers, a->provider_count * sizeof(*a->providers)) == 0);
}

enum ww_err ww_slurm_change_assertions(const struct ww_slurm *before, const struct ww_slurm *after,
                                       struct ww_payload_delta *out) {
  const struct ww_payloads *was = assertions_of(before), *is = assertions_of(after);
  struct ww_payload_delta made = {0};
  enum ww_err err = WW_OK;
  for (size_t o = 0, n = 0; (o < was->vrp_count || n < is->vrp_count) && err == WW_OK;) {
    int c = o == was->vrp_count ? 1 : n == is->vrp_count ? -1 : ww_vrp_compare(&was->vrps[o], &is->vrps[n]);
    if (c < 0)
      err = ww_payloads_add_vrp(&made.withdraw, &was->vrps[o]);
    else if (c > 0)
      err = ww_payloads_add_vrp(&made.announce, &is->vrps[n]);
    o += c <= 0;
    n += c >= 0;
  }
  for (size_t o = 0, n = 0; (o < was->aspa_count || n < is->aspa_count) && err == WW_OK;) {
    int c = o == was->aspa_count ? 1 : n == is->aspa_count ? -1 : order_aspa(&was->aspas[o], &is->aspas[n]);
    if (c < 0)
      err = ww_payloads_add_aspa(&made.withdraw, &(struct ww_aspa){.customer = was->aspas[o].customer});
    else if (c > 0 || !same_providers(&was->aspas[o], &is->aspas[n]))
      err = ww_payloads_add_aspa(&made.announce, &is->aspas[n]);
    o += c <= 0;
    n += c >= 0;
  }
  for (size_t o = 0, n = 0; (o < was->key_count || n < is->key_count) && err == WW_OK;) {
    int c = o == was->key_count ? 1 : n == is->key_count ? -1 : ww_router_key_compare(&was->keys[o], &is->keys[n]);
    if (c < 0)
      err = ww_payloads_add_key(&made.withdraw, &was->keys[o]);
    else if (c > 0)
      err = ww_payloads_add_key(&made.announce, &is->keys[n]);
    o += c <= 0;
    n += c >= 0;
  }
  return finish(&made, err, out);
}
