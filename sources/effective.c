/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The effective set without its sources, and what changed in it.
 *
 * A snapshot holds records per source. Seen from outside, a VRP or router key is there while any source has it, and the
 * ASPA of a customer is the union of what all sources list (draft-ietf-sidrops-8210bis-26 §5.12), in which AS 0 does
 * not stand beside others (§10). So what a source's delta does to the set is not what it says: each record that it
 * names is looked up before and after. That costs work for each record of the delta, whatever the size of the set.
 *
 * CHOICE: a customer with more than WW_ASPA_PROVIDERS_MAX (10,000) providers in all is not in the set. A PDU of version
 * 2 has room for 16,380, but routers in use take no more than 10,000 from a cache, and some then end the session.
 *
 * Clauses: draft-ietf-sidrops-8210bis-26 §5.6, §5.10, §5.12, §10.
 */
#include "sources/effective.h"

#include <stdlib.h>
#include <string.h>

#include "validator/lookup.h"

void ww_effective_delta_fini(struct ww_effective_delta *delta) {
  ww_payloads_fini(&delta->announce);
  ww_payloads_fini(&delta->withdraw);
  ww_payloads_fini(&delta->before);
  *delta = (struct ww_effective_delta){0};
}

size_t ww_effective_delta_count(const struct ww_effective_delta *d) {
  return d->announce.vrp_count + d->announce.aspa_count + d->announce.key_count + d->withdraw.vrp_count +
         d->withdraw.aspa_count + d->withdraw.key_count;
}

/* ---- reading a snapshot without its sources ---- */

/* Records of several sources follow each other in a walk. */
struct reading {
  struct ww_payloads *out;
  const uint32_t *only; /* customers wanted, ascending; NULL: all of them */
  size_t only_count;
  uint32_t *providers; /* of the customer under way */
  size_t count, cap;
  uint32_t customer;
  bool open;
  size_t left_out;
  enum ww_err err;
};

static int compare_u32(const void *a, const void *b) {
  const uint32_t *x = (const uint32_t *)a, *y = (const uint32_t *)b;
  return (*x > *y) - (*x < *y);
}

static int take_vrp(void *ctx, const struct ww_vrp *vrp, ww_source_id source) {
  struct reading *r = (struct reading *)ctx;
  (void)source;
  const struct ww_payloads *out = r->out;
  if (out->vrp_count == 0 || ww_vrp_compare(&out->vrps[out->vrp_count - 1], vrp) != 0)
    r->err = ww_payloads_add_vrp(r->out, vrp);
  return r->err != WW_OK;
}

static int take_key(void *ctx, const struct ww_router_key *key, ww_source_id source) {
  struct reading *r = (struct reading *)ctx;
  (void)source;
  const struct ww_payloads *out = r->out;
  if (out->key_count == 0 || ww_router_key_compare(&out->keys[out->key_count - 1], key) != 0)
    r->err = ww_payloads_add_key(r->out, key);
  return r->err != WW_OK;
}

static void end_customer(struct reading *r) {
  if (!r->open)
    return;
  r->open = false;
  size_t n = 0;
  if (r->count > 1)
    qsort(r->providers, r->count, sizeof *r->providers, compare_u32);
  for (size_t i = 0; i < r->count; i++)
    if (n == 0 || r->providers[i] != r->providers[n - 1])
      r->providers[n++] = r->providers[i];
  /* draft-ietf-sidrops-8210bis-26 §10: AS 0 of one is excluded when another lists providers. */
  const uint32_t *first = r->providers;
  if (n > 1 && *first == 0) {
    first++;
    n--;
  }
  if (n > WW_ASPA_PROVIDERS_MAX) {
    r->left_out++;
  } else if (n > 0) {
    struct ww_aspa merged = {.customer = r->customer, .provider_count = (uint32_t)n, .providers = first};
    r->err = ww_payloads_add_aspa(r->out, &merged);
  }
}

static int take_aspa(void *ctx, const struct ww_aspa *aspa, ww_source_id source) {
  struct reading *r = (struct reading *)ctx;
  (void)source;
  if (r->only && !bsearch(&aspa->customer, r->only, r->only_count, sizeof *r->only, compare_u32))
    return 0;
  if (!r->open || aspa->customer != r->customer) {
    end_customer(r);
    r->open = true;
    r->customer = aspa->customer;
    r->count = 0;
  }
  if (r->cap - r->count < aspa->provider_count) {
    size_t cap = (r->count + aspa->provider_count) * 2;
    uint32_t *larger = (uint32_t *)realloc(r->providers, cap * sizeof *larger);
    if (!larger) {
      r->err = WW_ERR_NOMEM;
      return 1;
    }
    r->providers = larger;
    r->cap = cap;
  }
  if (aspa->provider_count)
    memcpy(r->providers + r->count, aspa->providers, aspa->provider_count * sizeof *r->providers);
  r->count += aspa->provider_count;
  return r->err != WW_OK;
}

static enum ww_err read_aspas(const struct ww_snapshot *snapshot, struct reading *r) {
  (void)ww_snapshot_walk(snapshot, r, NULL, take_aspa, NULL);
  if (r->err == WW_OK)
    end_customer(r);
  free(r->providers);
  r->providers = NULL;
  return r->err;
}

enum ww_err ww_effective_set(const struct ww_snapshot *snapshot, bool with_vrps, struct ww_payloads *out,
                             size_t *left_out) {
  struct reading r = {.out = out};
  (void)ww_snapshot_walk(snapshot, &r, with_vrps ? take_vrp : NULL, NULL, take_key);
  if (r.err == WW_OK)
    r.err = read_aspas(snapshot, &r);
  if (left_out)
    *left_out = r.left_out;
  return r.err;
}

/* ---- what changed ---- */

static bool same_providers(const struct ww_aspa *a, const struct ww_aspa *b) {
  return a->provider_count == b->provider_count &&
         (a->provider_count == 0 || memcmp(a->providers, b->providers, a->provider_count * sizeof *a->providers) == 0);
}

/* ASPAs of both sides, by customer. */
static enum ww_err diff_aspas(const struct ww_payloads *old, const struct ww_payloads *next,
                              struct ww_effective_delta *out) {
  enum ww_err err = WW_OK;
  for (size_t o = 0, n = 0; err == WW_OK && (o < old->aspa_count || n < next->aspa_count);) {
    const struct ww_aspa *was = o < old->aspa_count ? &old->aspas[o] : NULL;
    const struct ww_aspa *is = n < next->aspa_count ? &next->aspas[n] : NULL;
    if (was && is && was->customer != is->customer) {
      if (was->customer < is->customer)
        is = NULL;
      else
        was = NULL;
    }
    o += was != NULL;
    n += is != NULL;
    if (was && is && same_providers(was, is))
      continue;
    struct ww_aspa bare = {.customer = was ? was->customer : 0};
    if (was)
      err = ww_payloads_add_aspa(&out->before, was);
    if (err == WW_OK)
      err = is ? ww_payloads_add_aspa(&out->announce, is) : ww_payloads_add_aspa(&out->withdraw, &bare);
  }
  return err;
}

static enum ww_err diff_keys(const struct ww_payloads *old, const struct ww_payloads *next,
                             struct ww_effective_delta *out) {
  enum ww_err err = WW_OK;
  for (size_t o = 0, n = 0; err == WW_OK && (o < old->key_count || n < next->key_count);) {
    int order = o == old->key_count    ? 1
                : n == next->key_count ? -1
                                       : ww_router_key_compare(&old->keys[o], &next->keys[n]);
    if (order < 0)
      err = ww_payloads_add_key(&out->withdraw, &old->keys[o]);
    else if (order > 0)
      err = ww_payloads_add_key(&out->announce, &next->keys[n]);
    o += order <= 0;
    n += order >= 0;
  }
  return err;
}

static enum ww_err diff_vrps(const struct ww_payloads *old, const struct ww_payloads *next,
                             struct ww_effective_delta *out) {
  enum ww_err err = WW_OK;
  for (size_t o = 0, n = 0; err == WW_OK && (o < old->vrp_count || n < next->vrp_count);) {
    int order = o == old->vrp_count ? 1 : n == next->vrp_count ? -1 : ww_vrp_compare(&old->vrps[o], &next->vrps[n]);
    if (order < 0)
      err = ww_payloads_add_vrp(&out->withdraw, &old->vrps[o]);
    else if (order > 0)
      err = ww_payloads_add_vrp(&out->announce, &next->vrps[n]);
    o += order <= 0;
    n += order >= 0;
  }
  return err;
}

enum ww_err ww_effective_diff(const struct ww_snapshot *old, const struct ww_snapshot *next,
                              struct ww_effective_delta *out) {
  struct ww_payloads was = {0}, is = {0};
  *out = (struct ww_effective_delta){0};
  enum ww_err err = ww_effective_set(old, true, &was, NULL);
  if (err == WW_OK)
    err = ww_effective_set(next, true, &is, NULL);
  if (err == WW_OK)
    err = diff_vrps(&was, &is, out);
  if (err == WW_OK)
    err = diff_keys(&was, &is, out);
  if (err == WW_OK)
    err = diff_aspas(&was, &is, out);
  ww_payloads_fini(&was);
  ww_payloads_fini(&is);
  if (err != WW_OK)
    ww_effective_delta_fini(out);
  return err;
}

/* Every record that a delta names, once. */
static enum ww_err collect_touched(const struct ww_payload_delta *deltas, size_t count, struct ww_payloads *touched) {
  enum ww_err err = WW_OK;
  for (size_t d = 0; d < count; d++) {
    const struct ww_payloads *parts[] = {&deltas[d].announce, &deltas[d].withdraw};
    for (size_t p = 0; p < 2; p++) {
      for (size_t i = 0; err == WW_OK && i < parts[p]->vrp_count; i++)
        err = ww_payloads_add_vrp(touched, &parts[p]->vrps[i]);
      for (size_t i = 0; err == WW_OK && i < parts[p]->key_count; i++)
        err = ww_payloads_add_key(touched, &parts[p]->keys[i]);
      for (size_t i = 0; err == WW_OK && i < parts[p]->aspa_count; i++) {
        struct ww_aspa bare = {.customer = parts[p]->aspas[i].customer};
        err = ww_payloads_add_aspa(touched, &bare);
      }
    }
  }
  return err == WW_OK ? ww_payloads_sort(touched) : err;
}

static enum ww_err delta_vrps(const struct ww_snapshot *old, const struct ww_snapshot *next,
                              const struct ww_payloads *touched, struct ww_effective_delta *out) {
  enum ww_err err = WW_OK;
  for (size_t i = 0; err == WW_OK && i < touched->vrp_count; i++) {
    const struct ww_vrp *vrp = &touched->vrps[i];
    bool was = ww_snapshot_has_vrp(old, vrp), is = ww_snapshot_has_vrp(next, vrp);
    if (was != is)
      err = ww_payloads_add_vrp(is ? &out->announce : &out->withdraw, vrp);
  }
  return err;
}

static enum ww_err delta_aspas(const struct ww_snapshot *old, const struct ww_snapshot *next,
                               const struct ww_payloads *touched, struct ww_effective_delta *out) {
  if (touched->aspa_count == 0)
    return WW_OK;
  uint32_t *customers = (uint32_t *)malloc(touched->aspa_count * sizeof *customers);
  if (!customers)
    return WW_ERR_NOMEM;
  for (size_t i = 0; i < touched->aspa_count; i++)
    customers[i] = touched->aspas[i].customer;
  struct ww_payloads was = {0}, is = {0};
  struct reading before = {.out = &was, .only = customers, .only_count = touched->aspa_count};
  struct reading after = {.out = &is, .only = customers, .only_count = touched->aspa_count};
  enum ww_err err = read_aspas(old, &before);
  if (err == WW_OK)
    err = read_aspas(next, &after);
  if (err == WW_OK)
    err = diff_aspas(&was, &is, out);
  ww_payloads_fini(&was);
  ww_payloads_fini(&is);
  free(customers);
  return err;
}

/* Router keys are few: both sides are read whole when one of them is touched. */
static enum ww_err delta_keys(const struct ww_snapshot *old, const struct ww_snapshot *next,
                              const struct ww_payloads *touched, struct ww_effective_delta *out) {
  if (touched->key_count == 0)
    return WW_OK;
  struct ww_payloads was = {0}, is = {0};
  struct reading before = {.out = &was}, after = {.out = &is};
  (void)ww_snapshot_walk(old, &before, NULL, NULL, take_key);
  (void)ww_snapshot_walk(next, &after, NULL, NULL, take_key);
  enum ww_err err = before.err != WW_OK ? before.err : after.err;
  if (err == WW_OK)
    err = diff_keys(&was, &is, out);
  ww_payloads_fini(&was);
  ww_payloads_fini(&is);
  return err;
}

enum ww_err ww_effective_delta(const struct ww_snapshot *old, const struct ww_snapshot *next,
                               const struct ww_payload_delta *deltas, size_t count, struct ww_effective_delta *out) {
  struct ww_payloads touched = {0};
  *out = (struct ww_effective_delta){0};
  enum ww_err err = collect_touched(deltas, count, &touched);
  if (err == WW_OK)
    err = delta_vrps(old, next, &touched, out);
  if (err == WW_OK)
    err = delta_keys(old, next, &touched, out);
  if (err == WW_OK)
    err = delta_aspas(old, next, &touched, out);
  ww_payloads_fini(&touched);
  if (err != WW_OK)
    ww_effective_delta_fini(out);
  return err;
}
