/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * draft-ietf-sidrops-aspa-verification-28 §5.2 to §5.6, one definition a function, over an unsorted look at every
 * record. Nothing here knows of hashes, early answers or reading a path from two ends.
 */
#include "model_aspa.h"

#include <stdlib.h>
#include <string.h>

/* COMPRESSED_AS_PATH, "the AS_PATH after removing consecutive duplicate ASNs": as[1] is the origin, as[n] the most
 * recently added AS. */
struct compressed {
  uint32_t n, as[MODEL_PATH_MAX + 1];
};

static struct compressed compress(const struct ww_aspa_path *path) {
  struct compressed c = {0};
  for (size_t i = path->count; i > 0; i--)
    if (c.n == 0 || c.as[c.n] != path->asns[i - 1])
      c.as[++c.n] = path->asns[i - 1];
  return c;
}

/* §5.3. The U-SPAS is the union over everything that is held of x; §4: an AS 0 in it "has no influence". */
enum ww_aspa_hop_state model_authorized(const struct model_aspa *model, uint32_t x, uint32_t y) {
  bool found = false;
  for (size_t i = 0; i < model->count; i++) {
    const struct model_aspa_record *r = &model->records[i];
    if (r->customer != x)
      continue;
    found = true;
    for (uint32_t k = 0; k < r->provider_count; k++)
      if (r->providers[k] == y && y != 0)
        return WW_HOP_PROVIDER;
  }
  return found ? WW_HOP_NOT_PROVIDER : WW_HOP_NO_ATTESTATION;
}

/* §5.4 */
static uint32_t max_up_ramp(const struct model_aspa *m, const struct compressed *c) {
  for (uint32_t i = 1; i < c->n; i++)
    if (model_authorized(m, c->as[i], c->as[i + 1]) == WW_HOP_NOT_PROVIDER)
      return i;
  return c->n;
}

static uint32_t min_up_ramp(const struct model_aspa *m, const struct compressed *c) {
  for (uint32_t i = 1; i < c->n; i++)
    if (model_authorized(m, c->as[i], c->as[i + 1]) != WW_HOP_PROVIDER)
      return i;
  return c->n;
}

static uint32_t max_down_ramp(const struct model_aspa *m, const struct compressed *c) {
  for (uint32_t j = c->n; j > 1; j--)
    if (model_authorized(m, c->as[j], c->as[j - 1]) == WW_HOP_NOT_PROVIDER)
      return c->n - j + 1;
  return c->n;
}

static uint32_t min_down_ramp(const struct model_aspa *m, const struct compressed *c) {
  for (uint32_t j = c->n; j > 1; j--)
    if (model_authorized(m, c->as[j], c->as[j - 1]) != WW_HOP_PROVIDER)
      return c->n - j + 1;
  return c->n;
}

static struct model_aspa_outcome halt(enum ww_state state) { return (struct model_aspa_outcome){.state = state}; }

static void steps_4_to_6(struct model_aspa_outcome *o) {
  if (o->max_up + o->max_down < o->n)
    o->state = WW_STATE_INVALID;
  else if (o->min_up + o->min_down < o->n)
    o->state = WW_STATE_UNKNOWN;
  else
    o->state = WW_STATE_VALID;
}

/* §5.5 */
struct model_aspa_outcome model_upstream(const struct model_aspa *model, const struct ww_aspa_path *path,
                                         uint32_t neighbor, bool rs_client) {
  if (path->count == 0 && !path->has_set)
    return halt(WW_STATE_INVALID);
  if (path->has_set || path->has_confed)
    return halt(WW_STATE_INVALID);
  if (!rs_client && neighbor != 0 && path->asns[0] != neighbor)
    return halt(WW_STATE_INVALID);
  struct compressed c = compress(path);
  struct model_aspa_outcome o = {.n = c.n, .max_up = max_up_ramp(model, &c), .min_up = min_up_ramp(model, &c)};
  steps_4_to_6(&o);
  return o;
}

/* §5.6 */
struct model_aspa_outcome model_downstream(const struct model_aspa *model, const struct ww_aspa_path *path,
                                           uint32_t neighbor) {
  if (path->count == 0 && !path->has_set)
    return halt(WW_STATE_INVALID);
  if (path->has_set || path->has_confed)
    return halt(WW_STATE_INVALID);
  if (neighbor != 0 && path->asns[0] != neighbor)
    return halt(WW_STATE_INVALID);
  struct compressed c = compress(path);
  struct model_aspa_outcome o = {.n = c.n,
                                 .max_up = max_up_ramp(model, &c),
                                 .min_up = min_up_ramp(model, &c),
                                 .max_down = max_down_ramp(model, &c),
                                 .min_down = min_down_ramp(model, &c)};
  steps_4_to_6(&o);
  return o;
}

/* --- records ---------------------------------------------------------------------------------------------------- */

void model_aspa_fini(struct model_aspa *model) {
  free(model->records);
  *model = (struct model_aspa){0};
}

static struct model_aspa_record *find(struct model_aspa *model, uint32_t customer, ww_source_id source) {
  for (size_t i = 0; i < model->count; i++)
    if (model->records[i].customer == customer && model->records[i].source == source)
      return &model->records[i];
  return NULL;
}

static int by_customer_source(const void *a, const void *b) {
  const struct model_aspa_record *x = a, *y = b;
  if (x->customer != y->customer)
    return x->customer < y->customer ? -1 : 1;
  return (int)x->source - (int)y->source;
}

static void put(struct model_aspa *model, const struct ww_aspa *aspa, ww_source_id source) {
  struct model_aspa_record *r = find(model, aspa->customer, source);
  if (!r) {
    if (model->count == model->cap) {
      model->cap = model->cap * 2 + 16;
      model->records = realloc(model->records, model->cap * sizeof *model->records);
      if (!model->records)
        abort();
    }
    r = &model->records[model->count++];
  }
  *r = (struct model_aspa_record){
      .customer = aspa->customer, .source = source, .expires = aspa->expires, .provider_count = aspa->provider_count};
  if (aspa->provider_count > MODEL_PROVIDERS_MAX)
    abort();
  for (uint32_t i = 0; i < aspa->provider_count; i++)
    r->providers[i] = aspa->providers[i];
}

void model_aspa_apply(struct model_aspa *model, const struct ww_payload_delta *delta) {
  for (size_t i = 0; i < delta->withdraw.aspa_count; i++) {
    struct model_aspa_record *r = find(model, delta->withdraw.aspas[i].customer, delta->source);
    if (r)
      *r = model->records[--model->count];
  }
  for (size_t i = 0; i < delta->announce.aspa_count; i++)
    put(model, &delta->announce.aspas[i], delta->source);
  for (size_t i = 0; i < delta->refresh.aspa_count; i++) {
    struct model_aspa_record *r = find(model, delta->refresh.aspas[i].customer, delta->source);
    if (r)
      r->expires = delta->refresh.aspas[i].expires;
  }
  if (model->count)
    qsort(model->records, model->count, sizeof *model->records, by_customer_source);
}
