/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ASPA verification against the model: random tables of several sources that change by deltas, with random paths; and
 * every path of 1 to 5 distinct ASes out of 6 with every possible state of its hops, both procedures. In each case the
 * fast answer, the explanation and the model agree, and the explanation agrees with itself.
 *
 * WW_SEED=n runs one seed's cases; the seed is printed in any case.
 */
#include "model_aspa.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TABLES = 60, DELTAS = 6, PATHS = 60, SOURCES = 3, PROVIDERS = 60 };

static uint64_t seed;

static uint32_t rnd(uint32_t below) { /* xorshift64* */
  seed ^= seed >> 12;
  seed ^= seed << 25;
  seed ^= seed >> 27;
  return (uint32_t)((seed * UINT64_C(2685821657736338717)) >> 32) % below;
}

/* --- comparing -------------------------------------------------------------------------------------------------- */

static void check_explanation(const struct model_aspa *model, const struct model_aspa_outcome *want,
                              const struct ww_aspa_result *r) {
  assert_int_equal(r->state, want->state);
  assert_int_equal(r->path_len, want->n);
  assert_int_equal(r->max_up, want->max_up);
  assert_int_equal(r->min_up, want->min_up);
  assert_int_equal(r->max_down, want->max_down);
  assert_int_equal(r->min_down, want->min_down);
  size_t hops = want->n ? want->n - 1 : 0, failing[3] = {0};
  assert_int_equal(r->hop_count, r->procedure == WW_ASPA_DOWNSTREAM ? 2 * hops : hops);
  for (size_t i = 0; i < r->hop_count; i++) {
    const struct ww_aspa_hop *h = &r->hops[i];
    assert_int_equal(h->state, model_authorized(model, h->customer, h->provider));
    assert_int_equal(h->up, i < hops);
    failing[h->state] += h->failing;
  }
  if (want->n == 0)
    assert_int_equal(r->hit_count, 0);
  /* Which hops are to blame. */
  switch (want->n ? want->state : WW_STATE_NOT_EVALUATED) {
  case WW_STATE_VALID:
    assert_int_equal(failing[0] + failing[1] + failing[2], 0);
    break;
  case WW_STATE_INVALID:
    assert_int_equal(failing[WW_HOP_PROVIDER] + failing[WW_HOP_NO_ATTESTATION], 0);
    if (r->procedure == WW_ASPA_DOWNSTREAM) {
      assert_int_equal(failing[WW_HOP_NOT_PROVIDER], 2);
      assert_true(r->hops[want->max_up - 1].failing && r->hops[hops + want->max_down - 1].failing);
    } else {
      assert_true(r->hops[want->max_up - 1].failing);
    }
    break;
  case WW_STATE_UNKNOWN:
    assert_int_equal(failing[WW_HOP_PROVIDER], 0);
    if (r->procedure == WW_ASPA_DOWNSTREAM) {
      assert_int_equal(failing[WW_HOP_NOT_PROVIDER] + failing[WW_HOP_NO_ATTESTATION], 2);
      assert_true(r->hops[want->min_up - 1].failing && r->hops[hops + want->min_down - 1].failing);
    } else {
      assert_true(failing[WW_HOP_NO_ATTESTATION] > 0);
      assert_int_equal(failing[WW_HOP_NOT_PROVIDER], 0);
    }
    break;
  default:
    break;
  }
}

/* Each source's ASPA of each AS that a hop asked about, once, as the model has it; failing ones first. */
static void check_hits(const struct model_aspa *model, const struct ww_aspa_result *r) {
  size_t want = 0;
  for (size_t m = 0; m < model->count; m++) {
    const struct model_aspa_record *record = &model->records[m];
    bool asked = false, blamed = false;
    for (size_t i = 0; i < r->hop_count; i++)
      if (r->hops[i].customer == record->customer) {
        asked = true;
        blamed = blamed || r->hops[i].failing;
      }
    if (!asked)
      continue;
    want++;
    size_t found = 0;
    for (size_t i = 0; i < r->hit_count; i++) {
      const struct ww_aspa_hit *hit = &r->hits[i];
      if (hit->aspa.customer != record->customer || hit->source != record->source)
        continue;
      found++;
      assert_int_equal(hit->aspa.expires, record->expires);
      assert_int_equal(hit->aspa.provider_count, record->provider_count);
      if (record->provider_count)
        assert_memory_equal(hit->aspa.providers, record->providers, record->provider_count * sizeof(uint32_t));
      assert_int_equal(hit->match == WW_HOP_NOT_PROVIDER, blamed);
    }
    assert_int_equal(found, 1);
  }
  assert_int_equal(r->hit_count, want);
  for (size_t i = 1; i < r->hit_count; i++) {
    const struct ww_aspa_hit *a = &r->hits[i - 1], *b = &r->hits[i];
    bool blamed_a = a->match == WW_HOP_NOT_PROVIDER, blamed_b = b->match == WW_HOP_NOT_PROVIDER;
    assert_true(blamed_a || !blamed_b);
    if (blamed_a == blamed_b)
      assert_true(a->aspa.customer < b->aspa.customer ||
                  (a->aspa.customer == b->aspa.customer && a->source < b->source));
    if (r->state == WW_STATE_VALID)
      assert_false(blamed_a || blamed_b);
  }
}

static void check_path(const struct ww_snapshot *snapshot, const struct model_aspa *model,
                       const struct ww_aspa_path *path, struct ww_aspa_session session, struct ww_aspa_result *result) {
  struct model_aspa_outcome want =
      ww_aspa_procedure_of((enum ww_role)session.role) == WW_ASPA_DOWNSTREAM
          ? model_downstream(model, path, session.neighbor_as)
          : model_upstream(model, path, session.neighbor_as, session.role == WW_ROLE_RS_CLIENT);
  enum ww_reason reason;
  enum ww_state got = ww_aspa_verify(snapshot, path, &session, &reason);
  assert_int_equal(got, want.state);
  assert_int_equal(ww_aspa_verify(snapshot, path, &session, NULL), want.state);
  assert_int_equal(ww_aspa_explain(snapshot, path, &session, result), WW_OK);
  assert_int_equal(result->reason, reason);
  assert_int_equal(result->role, session.role);
  check_explanation(model, &want, result);
}

/* --- random tables ----------------------------------------------------------------------------------------------- */

static uint32_t draw_asn(unsigned universe) {
  if (rnd(40) == 0)
    return rnd(2) ? 0 : UINT32_MAX;
  return 64500 + rnd(universe);
}

static void draw_aspa(struct ww_payloads *set, uint32_t customer, unsigned universe) {
  uint32_t providers[PROVIDERS] = {0};
  uint32_t count = 1 + rnd(rnd(4) ? 4 : PROVIDERS);
  for (uint32_t i = 0; i < count; i++)
    providers[i] = 64500 + rnd(universe);
  if (rnd(8) == 0) { /* AS 0 only */
    count = 1;
    providers[0] = 0;
  }
  struct ww_aspa aspa = {
      .customer = customer, .provider_count = count, .providers = providers, .expires = (ww_unix_time)rnd(5) * 1000};
  assert_int_equal(ww_payloads_add_aspa(set, &aspa), WW_OK);
}

static void draw_delta(const struct model_aspa *model, unsigned universe, bool first, struct ww_payload_delta *delta) {
  *delta = (struct ww_payload_delta){.source = (ww_source_id)(1 + rnd(SOURCES))};
  bool clear = rnd(6) == 0;
  for (unsigned i = first ? rnd(universe) : rnd(6); i > 0; i--)
    draw_aspa(&delta->announce, draw_asn(universe), universe);
  for (size_t i = 0; i < model->count; i++) {
    unsigned what = rnd(clear ? 4 : 20);
    struct ww_aspa aspa = {.customer = model->records[i].customer, .expires = 77};
    static const uint32_t some = 1;
    aspa.providers = &some;
    aspa.provider_count = 1;
    if (what < 3)
      assert_int_equal(ww_payloads_add_aspa(&delta->withdraw, &aspa), WW_OK);
    if (what == 2 || what == 3)
      draw_aspa(&delta->announce, aspa.customer, universe);
    if (what == 4)
      assert_int_equal(ww_payloads_add_aspa(&delta->refresh, &aspa), WW_OK);
  }
  assert_int_equal(ww_payloads_sort(&delta->announce), WW_OK);
  assert_int_equal(ww_payloads_sort(&delta->withdraw), WW_OK);
  assert_int_equal(ww_payloads_sort(&delta->refresh), WW_OK);
}

/* A walk up, a peering and a walk down by what the table says, with noise; or anything at all. */
static size_t draw_path(const struct model_aspa *model, unsigned universe, uint32_t *asns) {
  size_t count = 0, length = 1 + rnd(rnd(10) ? 7 : MODEL_PATH_MAX - 1);
  bool random = rnd(3) == 0, down = false;
  uint32_t asn = draw_asn(universe);
  while (count < length) {
    asns[count++] = asn;
    if (rnd(6) == 0) /* a prepend */
      continue;
    down = down || rnd(4) == 0;
    uint32_t next = draw_asn(universe);
    for (unsigned try = 0; !random && model->count && try < 40; try++) {
      const struct model_aspa_record *r = &model->records[rnd((uint32_t)model->count)];
      uint32_t provider = r->provider_count ? r->providers[rnd(r->provider_count)] : 0;
      if ((down ? provider : r->customer) == asn) {
        next = down ? r->customer : provider;
        break;
      }
    }
    asn = next;
  }
  if (rnd(2)) /* the neighbor stands first: half of the walks are seen from their end */
    for (size_t i = 0; i < count / 2; i++) {
      uint32_t t = asns[i];
      asns[i] = asns[count - 1 - i];
      asns[count - 1 - i] = t;
    }
  return count;
}

static void check_paths(const struct ww_snapshot *snapshot, const struct model_aspa *model, unsigned universe,
                        struct ww_aspa_result *result) {
  static const uint8_t roles[] = {WW_ROLE_PROVIDER, WW_ROLE_RS,   WW_ROLE_RS_CLIENT,
                                  WW_ROLE_CUSTOMER, WW_ROLE_PEER, WW_ROLE_MUTUAL_TRANSIT};
  for (unsigned i = 0; i < PATHS; i++) {
    uint32_t asns[MODEL_PATH_MAX];
    struct ww_aspa_path path = {.asns = asns, .count = draw_path(model, universe, asns)};
    struct ww_aspa_session session = {.role = roles[rnd(sizeof roles)]};
    if (rnd(3))
      session.neighbor_as = rnd(8) ? asns[0] : draw_asn(universe);
    if (rnd(30) == 0)
      path.count = 0;
    path.has_set = rnd(40) == 0;
    path.has_confed = rnd(40) == 0;
    check_path(snapshot, model, &path, session, result);
    check_hits(model, result);
  }
}

/* --- the table itself -------------------------------------------------------------------------------------------- */

struct cursor {
  const struct model_aspa *model;
  size_t at;
};

static int compare_record(void *ctx, const struct ww_aspa *aspa, ww_source_id source) {
  struct cursor *c = ctx;
  assert_true(c->at < c->model->count);
  const struct model_aspa_record *r = &c->model->records[c->at++];
  assert_int_equal(aspa->customer, r->customer);
  assert_int_equal(source, r->source);
  assert_int_equal(aspa->expires, r->expires);
  assert_int_equal(aspa->provider_count, r->provider_count);
  if (r->provider_count)
    assert_memory_equal(aspa->providers, r->providers, r->provider_count * sizeof(uint32_t));
  return 0;
}

static int stop_at_once(void *ctx, const struct ww_aspa *aspa, ww_source_id source) {
  (void)ctx;
  (void)aspa;
  return 1 + source;
}

static void check_table(const struct ww_snapshot *snapshot, const struct model_aspa *model, unsigned universe) {
  struct cursor all = {model, 0};
  struct ww_snapshot_counts counts;
  assert_int_equal(ww_snapshot_walk(snapshot, &all, NULL, compare_record, NULL), 0);
  assert_int_equal(all.at, model->count);
  if (model->count)
    assert_int_equal(ww_snapshot_walk(snapshot, NULL, NULL, stop_at_once, NULL), 1 + model->records[0].source);
  ww_snapshot_counts(snapshot, &counts);
  assert_int_equal(counts.aspas, model->count);
  for (uint32_t customer = 64499; customer < 64500 + universe; customer++) {
    struct cursor one = {model, 0};
    while (one.at < model->count && model->records[one.at].customer < customer)
      one.at++;
    size_t from = one.at, to = from;
    while (to < model->count && model->records[to].customer == customer)
      to++;
    assert_int_equal(ww_snapshot_aspa_sources(snapshot, customer, &one, compare_record), 0);
    assert_int_equal(one.at, to);
    struct ww_aspa merged;
    assert_int_equal(ww_snapshot_aspa(snapshot, customer, &merged), to > from);
    if (to == from)
      continue;
    assert_int_equal(merged.customer, customer);
    uint32_t listed = 0;
    for (uint32_t provider = 64500; provider < 64500 + universe; provider++)
      listed += model_authorized(model, customer, provider) == WW_HOP_PROVIDER;
    if (listed == 0) {
      assert_int_equal(merged.provider_count, 1);
      assert_int_equal(merged.providers[0], 0);
    } else {
      assert_int_equal(merged.provider_count, listed);
      for (uint32_t i = 0; i < listed; i++) {
        assert_int_equal(model_authorized(model, customer, merged.providers[i]), WW_HOP_PROVIDER);
        assert_true(i == 0 || merged.providers[i - 1] < merged.providers[i]);
      }
    }
    ww_unix_time earliest = 0;
    for (size_t i = from; i < to; i++)
      if (model->records[i].expires && (!earliest || model->records[i].expires < earliest))
        earliest = model->records[i].expires;
    assert_int_equal(merged.expires, earliest);
  }
}

static void random_tables(void **state) {
  (void)state;
  struct ww_aspa_result result = {0};
  for (unsigned t = 0; t < TABLES; t++) {
    unsigned universe = 3 + rnd(t % 12 == 0 ? 900 : 40);
    struct model_aspa model = {0}, before = {0};
    struct ww_snapshot *snapshot = ww_snapshot_new(), *next;
    for (unsigned d = 0; d < DELTAS; d++) {
      struct ww_payload_delta delta;
      draw_delta(&model, universe, d == 0, &delta);
      assert_int_equal(ww_snapshot_apply(snapshot, &delta, d + 1, true, &next), WW_OK);
      before = model;
      before.records = malloc((model.count + 1) * sizeof *model.records);
      assert_non_null(before.records);
      if (model.count)
        memcpy(before.records, model.records, model.count * sizeof *model.records);
      model_aspa_apply(&model, &delta);
      check_table(next, &model, universe);
      check_table(snapshot, &before, universe); /* what was handed out does not change */
      check_paths(next, &model, universe, &result);
      ww_payload_delta_fini(&delta);
      model_aspa_fini(&before);
      ww_snapshot_unref(snapshot);
      snapshot = next;
    }
    ww_snapshot_unref(snapshot);
    model_aspa_fini(&model);
  }
  ww_aspa_result_fini(&result);
}

/* --- everything short --------------------------------------------------------------------------------------------- */

/*
 * A path's outcome depends on what each AS says of the one before and the one behind it: nothing at all, or any subset
 * of the two. One table holds, for every place of the path, a variant of its AS for each of these five; the variants of
 * neighbouring places name each other's variants all or not at all. Labels decide how the AS numbers of the places are
 * ordered, so that every choice of 1 to 5 distinct ones out of 6 is made.
 */
enum { LABELS = 6, PLACES = 5, VARIANTS = 5 /* silent, or bit 0: names the AS behind, bit 1: the one before */ };

static uint32_t variant(const unsigned *labels, unsigned place, unsigned v) {
  return 1000 + labels[place] * VARIANTS + v;
}

static void build_variants(const unsigned *labels, unsigned n, struct model_aspa *model, struct ww_snapshot **out) {
  struct ww_payload_delta delta = {.source = 1};
  for (unsigned place = 0; place < n; place++)
    for (unsigned v = 1; v < VARIANTS; v++) {
      uint32_t providers[2 * VARIANTS + 1] = {999}; /* somebody else */
      struct ww_aspa aspa = {.customer = variant(labels, place, v), .provider_count = 1, .providers = providers};
      for (unsigned w = 0; w < VARIANTS; w++) {
        if ((v - 1) & 1 && place > 0)
          providers[aspa.provider_count++] = variant(labels, place - 1, w);
        if ((v - 1) & 2 && place + 1 < n)
          providers[aspa.provider_count++] = variant(labels, place + 1, w);
      }
      assert_int_equal(ww_payloads_add_aspa(&delta.announce, &aspa), WW_OK);
    }
  assert_int_equal(ww_payloads_sort(&delta.announce), WW_OK);
  struct ww_snapshot *empty = ww_snapshot_new();
  assert_int_equal(ww_snapshot_apply(empty, &delta, 1, true, out), WW_OK);
  model_aspa_apply(model, &delta);
  ww_snapshot_unref(empty);
  ww_payload_delta_fini(&delta);
}

static size_t every_state(const unsigned *labels, unsigned n, struct ww_aspa_result *result) {
  struct model_aspa model = {0};
  struct ww_snapshot *snapshot;
  size_t cases = 0;
  unsigned total = 1;
  build_variants(labels, n, &model, &snapshot);
  for (unsigned i = 0; i < n; i++)
    total *= VARIANTS;
  for (unsigned code = 0; code < total; code++) {
    uint32_t asns[PLACES];
    unsigned rest = code;
    for (unsigned i = 0; i < n; i++, rest /= VARIANTS)
      asns[i] = variant(labels, i, rest % VARIANTS);
    struct ww_aspa_path path = {.asns = asns, .count = n};
    check_path(snapshot, &model, &path, (struct ww_aspa_session){WW_ROLE_PROVIDER, asns[0]}, result);
    check_path(snapshot, &model, &path, (struct ww_aspa_session){WW_ROLE_CUSTOMER, asns[0]}, result);
    cases += 2;
  }
  ww_snapshot_unref(snapshot);
  model_aspa_fini(&model);
  return cases;
}

static size_t choose(unsigned *labels, unsigned chosen, struct ww_aspa_result *result) {
  size_t cases = chosen ? every_state(labels, chosen, result) : 0;
  for (unsigned next = 0; chosen < PLACES && next < LABELS; next++) {
    bool taken = false;
    for (unsigned i = 0; i < chosen; i++)
      taken = taken || labels[i] == next;
    labels[chosen] = next;
    cases += taken ? 0 : choose(labels, chosen + 1, result);
  }
  return cases;
}

static void all_short_paths(void **state) {
  (void)state;
  unsigned labels[PLACES];
  struct ww_aspa_result result = {0};
  /* 6 + 30 + 120 + 360 + 720 choices, each with 5^n states, both procedures. */
  assert_int_equal(choose(labels, 0, &result), 2 * (6 * 5 + 30 * 25 + 120 * 125 + 360 * 625 + 720 * 3125));
  ww_aspa_result_fini(&result);
}

int main(void) {
  const char *given = getenv("WW_SEED");
  seed = given ? strtoull(given, NULL, 0) : 0x5eed5eed5eedULL;
  seed += seed == 0;
  printf("WW_SEED=%llu\n", (unsigned long long)seed);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_tables),
      cmocka_unit_test(all_short_paths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
