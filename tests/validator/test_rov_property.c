/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index against the model on seeded random data. Address spaces are small, so that prefixes nest, meet and repeat;
 * block limits are small, so that few records reach every shape of the index. Every case is a table that grows and
 * shrinks by deltas of several sources; after each delta single, batch and explain answer as the model does, the walk
 * gives the model's records, the snapshot equals one built at once, and the snapshot before still says what it said.
 *
 * WW_SEED=n runs one seed's cases; the seed is printed in any case.
 */
#include "model_rov.h"
#include "validator/snapshot_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TABLES = 300, DELTAS = 6, ROUTES = 60, SOURCES = 3 };

static uint64_t seed;

static uint32_t rnd(uint32_t below) { /* xorshift64* */
  seed ^= seed >> 12;
  seed ^= seed << 25;
  seed ^= seed >> 27;
  return (uint32_t)((seed * UINT64_C(2685821657736338717)) >> 32) % below;
}

/* What a case draws its prefixes from: `bits` free bits after `fixed` ones; lengths from `shortest` on. */
struct space {
  uint8_t afi, fixed, bits, shortest;
};

static const struct space spaces[] = {
    {WW_AFI_IPV4, 0, 5, 0},    {WW_AFI_IPV4, 8, 8, 0},    {WW_AFI_IPV4, 10, 7, 8},   {WW_AFI_IPV4, 18, 14, 10},
    {WW_AFI_IPV4, 26, 6, 24},  {WW_AFI_IPV4, 0, 32, 0},   {WW_AFI_IPV6, 0, 6, 0},    {WW_AFI_IPV6, 13, 7, 10},
    {WW_AFI_IPV6, 20, 14, 16}, {WW_AFI_IPV6, 42, 6, 40},  {WW_AFI_IPV6, 60, 9, 58},  {WW_AFI_IPV6, 120, 8, 100},
    {WW_AFI_IPV6, 0, 128, 0},  {WW_AFI_IPV6, 28, 22, 29}, {WW_AFI_IPV6, 60, 68, 56},
};

static struct ww_prefix draw_prefix(const struct space *space) {
  struct ww_prefix prefix = {.afi = space->afi};
  unsigned end = space->fixed + space->bits;
  prefix.len = (uint8_t)(space->shortest + rnd(end - space->shortest + 1));
  if (rnd(12) == 0) /* host routes, and lengths between, that few tables hold */
    prefix.len = (uint8_t)(end + rnd(1u + ww_afi_bits(space->afi) - end));
  for (unsigned i = 0; i < ww_afi_bits(space->afi); i++)
    if (i < space->fixed ? i % 3 == 2 : i < end ? rnd(2) : rnd(8) == 0)
      prefix.addr[i / 8] |= (uint8_t)(0x80 >> i % 8);
  ww_prefix_mask(&prefix);
  return prefix;
}

static uint32_t draw_asn(void) {
  static const uint32_t asns[] = {0, 1, 2, 64496, 64497, 0xffffff, 0x1000000, 0xfffffffe, 0xffffffff};
  return asns[rnd(sizeof asns / sizeof asns[0])];
}

static ww_unix_time draw_expires(void) {
  static const ww_unix_time times[] = {0, 1, 1700000000, 4294967295, 4294967296, 1099511627775};
  return times[rnd(sizeof times / sizeof times[0])];
}

static struct ww_vrp draw_vrp(const struct space *space) {
  struct ww_vrp vrp;
  memset(&vrp, 0, sizeof vrp);
  vrp.prefix = draw_prefix(space);
  vrp.max_len = vrp.prefix.len;
  if (rnd(2))
    vrp.max_len = (uint8_t)(vrp.max_len + rnd(1u + ww_afi_bits(space->afi) - vrp.prefix.len));
  else if (rnd(2) && vrp.max_len < ww_afi_bits(space->afi))
    vrp.max_len++;
  vrp.asn = draw_asn();
  vrp.expires = draw_expires();
  return vrp;
}

static void sort(struct ww_payload_delta *delta) {
  assert_int_equal(ww_payloads_sort(&delta->announce), WW_OK);
  assert_int_equal(ww_payloads_sort(&delta->withdraw), WW_OK);
  assert_int_equal(ww_payloads_sort(&delta->refresh), WW_OK);
}

static void add(struct ww_payloads *set, const struct ww_vrp *vrp) {
  assert_int_equal(ww_payloads_add_vrp(set, vrp), WW_OK);
}

/* New ones, and ones that the table has, withdrawn, announced again, refreshed, in any mixture. */
static void draw_delta(const struct model *model, const struct space *space, unsigned phase,
                       struct ww_payload_delta *delta) {
  *delta = (struct ww_payload_delta){.source = (ww_source_id)(1 + rnd(SOURCES))};
  unsigned fresh = phase == 0 ? 1 + rnd(rnd(4) ? 100 : 250) : rnd(12);
  for (unsigned i = 0; i < fresh; i++) {
    struct ww_vrp vrp = draw_vrp(space);
    for (unsigned twins = rnd(8) == 0 ? 1 + rnd(6) : 1; twins > 0; twins--) {
      add(rnd(8) ? &delta->announce : rnd(2) ? &delta->withdraw : &delta->refresh, &vrp);
      vrp.asn = draw_asn();
    }
  }
  bool clear = rnd(5) == 0; /* shrink to next to nothing */
  for (size_t i = 0; i < model->count; i++) {
    struct ww_vrp vrp = model->records[i].vrp;
    unsigned what = rnd(clear ? 6 : 30);
    vrp.expires = rnd(2) ? vrp.expires : draw_expires();
    if (what < 4)
      add(&delta->withdraw, &vrp);
    if (what == 4 || what == 3)
      add(&delta->announce, &vrp);
    if (what == 5)
      add(&delta->refresh, &vrp);
  }
  sort(delta);
}

/* A route near some VRP, or anywhere. */
static struct ww_prefix draw_route(const struct model *model, const struct space *space) {
  struct ww_prefix route = draw_prefix(space);
  if (model->count == 0 || rnd(3) == 0)
    return route;
  const struct ww_prefix *near = &model->records[rnd((uint32_t)model->count)].vrp.prefix;
  unsigned keep = rnd(near->len + 1u), width = ww_afi_bits(space->afi);
  if (rnd(2))
    keep = near->len;
  for (unsigned i = 0; i < keep; i++) {
    uint8_t mask = (uint8_t)(0x80 >> i % 8);
    route.addr[i / 8] = (uint8_t)((route.addr[i / 8] & ~mask) | (near->addr[i / 8] & mask));
  }
  route.len = (uint8_t)(keep + (rnd(2) ? rnd(width - keep + 1) : 0));
  ww_prefix_mask(&route);
  return route;
}

static void assert_same_result(const struct ww_origin_result *got, const struct ww_origin_result *want) {
  assert_int_equal(got->state, want->state);
  assert_int_equal(got->reason, want->reason);
  assert_int_equal(got->hit_count, want->hit_count);
  for (size_t i = 0; i < want->hit_count; i++) {
    assert_int_equal(ww_vrp_compare(&got->hits[i].vrp, &want->hits[i].vrp), 0);
    assert_int_equal(got->hits[i].vrp.expires, want->hits[i].vrp.expires);
    assert_int_equal(got->hits[i].source, want->hits[i].source);
    assert_int_equal(got->hits[i].match, want->hits[i].match);
  }
}

static void check_routes(const struct ww_snapshot *snapshot, const struct model *model, const struct space *space) {
  struct ww_prefix routes[ROUTES];
  struct ww_origin origins[ROUTES];
  uint8_t states[ROUTES], reasons[ROUTES];
  struct ww_origin_result got = {0}, want = {0};
  size_t count = 1 + rnd(ROUTES);
  for (size_t i = 0; i < count; i++) {
    routes[i] = draw_route(model, space);
    origins[i] = (struct ww_origin){.asn = draw_asn(), .none = rnd(10) == 0};
  }
  ww_origin_validate_batch(snapshot, routes, origins, count, states, reasons);
  for (size_t i = 0; i < count; i++) {
    enum ww_reason reason;
    model_validate(model, &routes[i], origins[i], &want);
    assert_int_equal(ww_origin_explain(snapshot, &routes[i], origins[i], &got), WW_OK);
    assert_same_result(&got, &want);
    assert_int_equal(ww_origin_validate(snapshot, &routes[i], origins[i], &reason), want.state);
    assert_int_equal(reason, want.reason);
    assert_int_equal(states[i], want.state);
    assert_int_equal(reasons[i], want.reason);
  }
  ww_origin_result_fini(&got);
  ww_origin_result_fini(&want);
}

struct cursor {
  const struct model *model;
  size_t at;
};

static int compare_visited(void *ctx, const struct ww_vrp *vrp, ww_source_id source) {
  struct cursor *cursor = ctx;
  assert_in_range(cursor->at + 1, 1, cursor->model->count);
  const struct model_record *want = &cursor->model->records[cursor->at++];
  assert_int_equal(ww_vrp_compare(vrp, &want->vrp), 0);
  assert_int_equal(vrp->expires, want->vrp.expires);
  assert_int_equal(source, want->source);
  return 0;
}

static void check_content(const struct ww_snapshot *snapshot, const struct model *model) {
  struct cursor cursor = {.model = model};
  struct ww_snapshot_counts counts;
  assert_int_equal(ww_snapshot_walk(snapshot, &cursor, compare_visited, NULL, NULL), 0);
  assert_int_equal(cursor.at, model->count);
  ww_snapshot_counts(snapshot, &counts);
  assert_int_equal(counts.vrps_v4 + counts.vrps_v6, model->count);
}

/* The same records, announced source by source to an empty snapshot. */
static struct ww_snapshot *rebuild(const struct model *model, size_t limit) {
  struct ww_snapshot *snapshot = ww_snapshot_new_limited(limit), *next;
  for (unsigned source = 1; source <= SOURCES; source++) {
    struct ww_payload_delta delta = {.source = (ww_source_id)source};
    for (size_t i = 0; i < model->count; i++)
      if (model->records[i].source == source)
        add(&delta.announce, &model->records[i].vrp);
    assert_int_equal(ww_snapshot_apply(snapshot, &delta, 1, true, &next), WW_OK);
    ww_payload_delta_fini(&delta);
    ww_snapshot_unref(snapshot);
    snapshot = next;
  }
  return snapshot;
}

static void copy_model(struct model *to, const struct model *from) {
  to->count = from->count;
  to->records = malloc((from->count + 1) * sizeof *to->records);
  assert_non_null(to->records);
  if (from->count)
    memcpy(to->records, from->records, from->count * sizeof *to->records);
  to->cap = from->count + 1;
}

static void run_table(const struct space *space, size_t limit) {
  struct model model = {0}, before = {0};
  struct ww_snapshot *snapshot = ww_snapshot_new_limited(limit);
  assert_non_null(snapshot);
  for (unsigned phase = 0; phase < DELTAS; phase++) {
    struct ww_payload_delta delta;
    struct ww_snapshot *next;
    copy_model(&before, &model);
    draw_delta(&model, space, phase, &delta);
    model_apply(&model, &delta);
    assert_int_equal(ww_snapshot_apply(snapshot, &delta, phase + 1, true, &next), WW_OK);
    ww_payload_delta_fini(&delta);
    assert_int_equal(ww_snapshot_epoch(next), phase + 1);
    check_content(next, &model);
    check_routes(next, &model, space);
    check_content(snapshot, &before); /* untouched */
    struct ww_snapshot *rebuilt = rebuild(&model, limit);
    check_content(rebuilt, &model);
    check_routes(rebuilt, &model, space);
    ww_snapshot_unref(rebuilt);
    ww_snapshot_unref(snapshot);
    snapshot = next;
    model_fini(&before);
  }
  ww_snapshot_unref(snapshot);
  model_fini(&model);
}

static void test_against_model(void **state) {
  static const size_t limits[] = {1, 2, 4, 9, 40, 100, 2048};
  (void)state;
  const char *wanted = getenv("WW_SEED");
  uint64_t first = wanted ? strtoull(wanted, NULL, 10) : UINT64_C(6811);
  print_message("seed %llu (WW_SEED=n for another)\n", (unsigned long long)first);
  seed = first * UINT64_C(0x9e3779b97f4a7c15) + 1;
  for (unsigned i = 0; i < TABLES; i++) {
    const struct space *space = &spaces[i % (sizeof spaces / sizeof spaces[0])];
    run_table(space, limits[rnd(sizeof limits / sizeof limits[0])]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_model)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
