/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The choice between caches: the cases an operator thinks of by name, and random lives of up to six caches against the
 * three rules written out as they are worded.
 */
#include "sources/cache_groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* */
#include <cmocka.h>

enum { DELAY = 60, CASES = 20000, STEPS = 12, CACHES = 6 };

/* ---- named cases ---- */

static struct ww_cache cache(uint16_t preference, bool complete, bool in_contact, int64_t since, bool active) {
  return (struct ww_cache){preference, complete, in_contact, since, active};
}

static void test_lowest_complete_group(void **state) {
  (void)state;
  struct ww_cache c[] = {cache(2, true, true, 0, false), cache(1, false, true, 0, false),
                         cache(1, true, true, 0, false), cache(3, true, true, 0, false)};
  assert_int_equal(ww_cache_groups_choose(c, 4, 1000, DELAY), INT64_MAX);
  assert_false(c[0].active);
  assert_false(c[1].active); /* incomplete: nothing of it may be used, though its group is in force */
  assert_true(c[2].active);
  assert_false(c[3].active);
}

static void test_ties_are_a_union(void **state) {
  (void)state;
  struct ww_cache c[] = {cache(1, true, true, 0, false), cache(1, true, true, 0, false), cache(2, true, true, 0, true)};
  (void)ww_cache_groups_choose(c, 3, 1000, DELAY);
  assert_true(c[0].active && c[1].active && !c[2].active);
}

static void test_failover_waits_for_data(void **state) {
  (void)state;
  /* The first cache is lost, the second has nothing yet: the first one's data stays. */
  struct ww_cache c[] = {cache(1, true, false, 0, true), cache(2, false, true, 0, false)};
  (void)ww_cache_groups_choose(c, 2, 1000, DELAY);
  assert_true(c[0].active && !c[1].active);
  c[1].complete = true;
  (void)ww_cache_groups_choose(c, 2, 1000, DELAY);
  assert_true(!c[0].active && c[1].active);
  /* It is back, but not in sync yet; then it is. */
  (void)ww_cache_groups_choose(c, 2, 2000, DELAY);
  assert_true(!c[0].active && c[1].active);
  c[0].in_contact = true;
  c[0].since = 2001;
  (void)ww_cache_groups_choose(c, 2, 2001, DELAY);
  assert_true(c[0].active && !c[1].active);
}

static void test_short_trouble_is_no_loss(void **state) {
  (void)state;
  struct ww_cache c[] = {cache(1, true, false, 1000, true), cache(2, true, true, 0, false)};
  assert_int_equal(ww_cache_groups_choose(c, 2, 1000, DELAY), 1000 + DELAY);
  assert_true(c[0].active);
  assert_int_equal(ww_cache_groups_choose(c, 2, 1000 + DELAY - 1, DELAY), 1000 + DELAY);
  assert_true(c[0].active);
  assert_int_equal(ww_cache_groups_choose(c, 2, 1000 + DELAY, DELAY), INT64_MAX);
  assert_true(!c[0].active && c[1].active);
}

static void test_all_lost_keeps_what_was_in_force(void **state) {
  (void)state;
  /* Group 2 was serving when it was lost too: its data is the newer one, though group 1 is the better group. */
  struct ww_cache c[] = {cache(1, true, false, 0, false), cache(2, true, false, 500, true)};
  (void)ww_cache_groups_choose(c, 2, 5000, DELAY);
  assert_true(!c[0].active && c[1].active);
  c[1].complete = false; /* expired */
  (void)ww_cache_groups_choose(c, 2, 5000, DELAY);
  assert_true(c[0].active && !c[1].active);
  c[0].complete = false;
  (void)ww_cache_groups_choose(c, 2, 5000, DELAY);
  assert_true(!c[0].active && !c[1].active);
}

static void test_no_group_always_counts(void **state) {
  (void)state;
  struct ww_cache c[] = {cache(0, true, false, 0, false), cache(1, true, true, 0, false),
                         cache(0, false, false, 0, true)};
  (void)ww_cache_groups_choose(c, 3, 1000, DELAY);
  assert_true(c[0].active && c[1].active && !c[2].active);
}

static void test_nothing(void **state) {
  (void)state;
  assert_int_equal(ww_cache_groups_choose(NULL, 0, 1000, DELAY), INT64_MAX);
}

/* ---- the rules, literally ---- */

static uint64_t seed = 1;

static uint32_t rnd(uint32_t below) { /* xorshift64* */
  seed ^= seed >> 12;
  seed ^= seed << 25;
  seed ^= seed >> 27;
  return (uint32_t)((seed * UINT64_C(2685821657736338717)) >> 32) % below;
}

static bool lost(const struct ww_cache *c, int64_t now) { return !c->in_contact && c->since + DELAY <= now; }

static bool serves(const struct ww_cache *c, int64_t now) { return c->complete && c->preference && !lost(c, now); }

static bool group_serves(const struct ww_cache *all, size_t n, unsigned group, int64_t now) {
  for (size_t i = 0; i < n; i++)
    if (all[i].preference == group && serves(&all[i], now))
      return true;
  return false;
}

static bool group_has_data(const struct ww_cache *all, size_t n, unsigned group) {
  for (size_t i = 0; i < n; i++)
    if (all[i].preference == group && all[i].complete)
      return true;
  return false;
}

static bool model(const struct ww_cache *all, size_t n, size_t which, int64_t now) {
  const struct ww_cache *c = &all[which];
  if (!c->complete)
    return false;
  if (c->preference == 0)
    return true;
  for (unsigned group = 1; group <= UINT16_MAX; group = group == 4 ? UINT16_MAX : group + 1) {
    if (group_serves(all, n, group, now)) /* rule 1 */
      return c->preference == group && serves(c, now);
    if (group == UINT16_MAX)
      break;
  }
  for (size_t i = 0; i < n; i++) /* rule 2 */
    if (all[i].active && all[i].complete && all[i].preference)
      return c->active;
  for (unsigned group = 1; group < c->preference; group++) /* rule 3 */
    if (group_has_data(all, n, group))
      return false;
  return true;
}

static void test_against_model(void **state) {
  (void)state;
  static const uint16_t preferences[] = {0, 1, 1, 2, 2, 3, UINT16_MAX};
  for (unsigned k = 0; k < CASES; k++) {
    struct ww_cache c[CACHES];
    size_t n = 1 + rnd(CACHES);
    int64_t now = 100000;
    for (size_t i = 0; i < n; i++)
      c[i] = cache(preferences[rnd(7)], false, false, now, false);
    for (unsigned step = 0; step < STEPS; step++) {
      bool expected[CACHES], any = false, data = false;
      struct ww_cache before[CACHES];
      struct ww_cache *moved = &c[rnd((uint32_t)n)];
      now += rnd(3) ? rnd(20) : rnd(200);
      switch (rnd(4)) {
      case 0: /* it delivered */
        if (!moved->in_contact)
          moved->since = now;
        moved->complete = moved->in_contact = true;
        break;
      case 1: /* trouble */
        if (moved->in_contact)
          moved->since = now;
        moved->in_contact = false;
        break;
      case 2: /* expired */
        moved->complete = rnd(3) == 0 && moved->complete;
        break;
      default: /* only time passed */
        break;
      }
      memcpy(before, c, sizeof(c));
      for (size_t i = 0; i < n; i++)
        expected[i] = model(before, n, i, now);
      int64_t next = ww_cache_groups_choose(c, n, now, DELAY);
      for (size_t i = 0; i < n; i++) {
        if (c[i].active != expected[i])
          fail_msg("case %u, step %u: cache %zu is %d, the model says %d", k, step, i, c[i].active, expected[i]);
        any = any || c[i].active;
        data = data || c[i].complete;
      }
      assert_int_equal(any, data); /* no gap */
      /* Nothing changes by itself before the time that it named, and asking twice changes nothing. */
      assert_true(next > now);
      struct ww_cache later[CACHES];
      memcpy(later, c, sizeof(c));
      (void)ww_cache_groups_choose(later, n, next == INT64_MAX ? now + 1000000 : next - 1, DELAY);
      for (size_t i = 0; i < n; i++)
        assert_int_equal(later[i].active, c[i].active);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lowest_complete_group),
      cmocka_unit_test(test_ties_are_a_union),
      cmocka_unit_test(test_failover_waits_for_data),
      cmocka_unit_test(test_short_trouble_is_no_loss),
      cmocka_unit_test(test_all_lost_keeps_what_was_in_force),
      cmocka_unit_test(test_no_group_always_counts),
      cmocka_unit_test(test_nothing),
      cmocka_unit_test(test_against_model),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
