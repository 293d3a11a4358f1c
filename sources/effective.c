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
  const struct ww_snapshot *snapshot;
  struct ww_payloads *out;
  bool any_customer;
  uint32_t customer; /* the last one read */
  size_t left_out;
  enum ww_err err;
};

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

/* What all sources say of a customer; nothing when none says anything. */
static void read_customer(struct reading *r, uint32_t customer) {
  struct ww_aspa merged;
  if (!ww_snapshot_aspa(r->snapshot, customer, &merged))
    return;
  merged.expires = 0;
  if (merged.provider_count > WW_ASPA_PROVIDERS_MAX)
    r->left_out++;
  else
    r->err = ww_payloads_add_aspa(r->out, &merged);
}

static int take_aspa(void *ctx, const struct ww_aspa *aspa, ww_source_id source) {
  struct reading *r = (struct reading *)ctx;
  (void)source;
  if (!r->any_customer || aspa->customer != r->customer)
    read_customer(r, aspa->customer);
  r->any_customer = true;
  r->customer = aspa->customer;
  return r->err != WW_OK;
}

enum ww_err ww_effective_set(const struct ww_snapshot *snapshot, bool with_vrps, struct ww_payloads *out,
                             size_t *left_out) {
  struct reading r = {.snapshot = snapshot, .out = out};
  (void)ww_snapshot_walk(snapshot, &r, with_vrps ? take_vrp : NULL, take_aspa, take_key);
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
  struct ww_payloads was = {0}, is = {0};
  struct reading before = {.snapshot = old, .out = &was}, after = {.snapshot = next, .out = &is};
  for (size_t i = 0; before.err == WW_OK && after.err == WW_OK && i < touched->aspa_count; i++) {
    read_customer(&before, touched->aspas[i].customer);
    read_customer(&after, touched->aspas[i].customer);
  }
  enum ww_err err = before.err != WW_OK ? before.err : after.err;
  if (err == WW_OK)
    err = diff_aspas(&was, &is, out);
  ww_payloads_fini(&was);
  ww_payloads_fini(&is);
  return err;
}

static int is_key(void *ctx, const struct ww_router_key *key, ww_source_id source) {
  const struct ww_router_key *wanted = (const struct ww_router_key *)ctx;
  (void)source;
  return ww_router_key_compare(wanted, key) == 0;
}

static bool has_key(const struct ww_snapshot *snapshot, struct ww_router_key *key) {
  return ww_snapshot_router_keys(snapshot, key->asn, key->ski, key, is_key) != 0;
}

static enum ww_err delta_keys(const struct ww_snapshot *old, const struct ww_snapshot *next,
                              const struct ww_payloads *touched, struct ww_effective_delta *out) {
  enum ww_err err = WW_OK;
  for (size_t i = 0; err == WW_OK && i < touched->key_count; i++) {
    struct ww_router_key *key = &touched->keys[i];
    bool was = has_key(old, key), is = has_key(next, key);
    if (was != is)
      err = ww_payloads_add_key(is ? &out->announce : &out->withdraw, key);
  }
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
