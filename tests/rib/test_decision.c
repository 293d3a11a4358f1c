/* SPDX-License-Identifier: BSD-2-Clause */
/* rib/decision.c: every step alone, and the whole against the literal model on random candidates in random order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/rib/model_decision.h"

enum { LOCAL = 64999, MANY = 40 };

static const struct ww_decision_options plain = {0};

static struct ww_candidate candidate(unsigned peer) {
  return (struct ww_candidate){.local_pref = WW_LOCAL_PREF_DEFAULT,
                               .path_length = 3,
                               .neighbor_as = 64500,
                               .router_id = 10,
                               .peer = {.afi = WW_AFI_IPV4, .bytes = {192, 0, 2, (uint8_t)peer}}};
}

/* Decides between two, in both orders. `best`: 0 the first, 1 the second. */
static void expect(const struct ww_candidate *a, const struct ww_candidate *b,
                   const struct ww_decision_options *options, int best, enum ww_decision_step step) {
  struct ww_candidate list[2] = {*a, *b};
  uint32_t scratch[2];
  uint8_t removed[2];
  struct ww_decision d = ww_decide(list, 2, options, scratch, removed);
  assert_int_equal(d.best, best);
  assert_int_equal(d.step, step);
  assert_int_equal(removed[best], WW_STEP_NONE);
  assert_int_equal(removed[1 - best], step);
  list[0] = *b;
  list[1] = *a;
  d = ww_decide(list, 2, options, scratch, NULL);
  assert_int_equal(d.best, 1 - best);
  assert_int_equal(d.step, step);
}

/* `a` wins by the step under test although everything after it speaks for `b`. */
static void test_each_step_alone(void **state) {
  (void)state;
  struct ww_candidate a = candidate(9), b = candidate(1);
  struct ww_decision_options options = {.prefer_oldest = true};
  a.path_id = 2;
  b.path_id = 1;
  a.peer = b.peer;
  expect(&a, &b, &options, 1, WW_STEP_PATH_ID);
  a.path_id = 0;
  expect(&a, &b, &options, 0, WW_STEP_PATH_ID);
  a.path_id = 7;
  b.peer.bytes[3] = 200;
  expect(&a, &b, &options, 0, WW_STEP_PEER_ADDRESS);
  b.peer.bytes[3] = 0;
  b.cluster_list_length = 1;
  expect(&a, &b, &options, 0, WW_STEP_CLUSTER_LIST);
  a.cluster_list_length = 2;
  b.router_id = 11;
  expect(&a, &b, &options, 0, WW_STEP_ROUTER_ID);
  a.router_id = 12;
  b.heard = 1;
  expect(&a, &b, &options, 0, WW_STEP_AGE);
  a.heard = 2;
  b.igp_cost = 1;
  expect(&a, &b, &options, 0, WW_STEP_IGP_COST);
  a.igp_cost = 2;
  b.peer_type = WW_PEER_INTERNAL;
  expect(&a, &b, &options, 0, WW_STEP_PEER_TYPE);
  a.peer_type = WW_PEER_INTERNAL;
  b.peer_type = WW_PEER_EXTERNAL;
  a.has_med = b.has_med = true;
  b.med = 1;
  expect(&a, &b, &options, 0, WW_STEP_MED);
  a.med = 2;
  b.origin = 1;
  expect(&a, &b, &options, 0, WW_STEP_ORIGIN);
  a.origin = 2;
  b.path_length = 4;
  expect(&a, &b, &options, 0, WW_STEP_PATH_LENGTH);
  a.path_length = 5;
  b.local_pref = 99;
  expect(&a, &b, &options, 0, WW_STEP_LOCAL_PREF);
  a.local_pref = 98;
  a.weight = 1;
  expect(&a, &b, &options, 0, WW_STEP_WEIGHT);
  b.ineligible = true;
  a.weight = 0;
  struct ww_candidate list[2] = {b, a};
  uint32_t scratch[2];
  struct ww_decision d = ww_decide(list, 2, &plain, scratch, NULL);
  assert_int_equal(d.best, 1);
  assert_int_equal(d.step, WW_STEP_NONE);
}

static void test_nothing_to_decide(void **state) {
  (void)state;
  struct ww_candidate only = candidate(1);
  uint32_t scratch[1];
  uint8_t removed[1] = {99};
  struct ww_decision d = ww_decide(NULL, 0, &plain, NULL, NULL);
  assert_int_equal(d.best, -1);
  d = ww_decide(&only, 1, &plain, scratch, removed);
  assert_int_equal(d.best, 0);
  assert_int_equal(d.step, WW_STEP_NONE);
  only.ineligible = true;
  d = ww_decide(&only, 1, &plain, scratch, removed);
  assert_int_equal(d.best, -1);
  assert_int_equal(removed[0], WW_STEP_NONE);
}

static void test_options(void **state) {
  (void)state;
  struct ww_candidate a = candidate(1), b = candidate(2);
  struct ww_decision_options options = {0};
  a.path_length = 9;
  expect(&a, &b, &options, 1, WW_STEP_PATH_LENGTH);
  options.ignore_path_length = true;
  expect(&a, &b, &options, 0, WW_STEP_PEER_ADDRESS);
  /* RFC 4271 §9.1.2.2 c: MEDs of two ASes are not compared, a missing one is 0 */
  a.has_med = true;
  a.med = 5;
  b.neighbor_as = 64501;
  expect(&a, &b, &options, 0, WW_STEP_PEER_ADDRESS);
  options.med_always = true;
  expect(&a, &b, &options, 1, WW_STEP_MED);
  options.med_missing_worst = true;
  expect(&a, &b, &options, 0, WW_STEP_MED);
  a.med = UINT32_MAX;
  expect(&a, &b, &options, 0, WW_STEP_MED);
  /* what was heard first counts among external routes alone */
  options = (struct ww_decision_options){.prefer_oldest = true, .ignore_path_length = true};
  a.heard = 9;
  b.heard = 8;
  expect(&a, &b, &options, 1, WW_STEP_AGE);
  a.peer_type = b.peer_type = WW_PEER_CONFEDERATION;
  expect(&a, &b, &options, 0, WW_STEP_PEER_ADDRESS);
  b.peer_type = WW_PEER_INTERNAL; /* RFC 5065 §5.3: member-ASes are internal */
  expect(&a, &b, &options, 0, WW_STEP_PEER_ADDRESS);
}

/* The classic three: A beats B by MED, B beats C and C beats A by router ID. Pairwise comparison answers by order. */
static void test_med_needs_removal(void **state) {
  (void)state;
  struct ww_candidate a = candidate(1), b = candidate(2), c = candidate(3);
  a.has_med = b.has_med = true;
  a.med = 1, b.med = 2;
  a.router_id = 3, b.router_id = 1, c.router_id = 2;
  c.neighbor_as = 64501;
  static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (size_t i = 0; i < 6; i++) {
    struct ww_candidate of[3] = {a, b, c}, list[3];
    uint32_t scratch[3];
    for (size_t k = 0; k < 3; k++)
      list[k] = of[orders[i][k]];
    struct ww_decision d = ww_decide(list, 3, &plain, scratch, NULL);
    assert_int_equal(list[d.best].router_id, 2);
    assert_int_equal(d.step, WW_STEP_ROUTER_ID);
  }
}

static struct ww_candidate random_candidate(unsigned peer) {
  struct ww_candidate c = candidate(peer);
  c.weight = (uint32_t)rand() % 8 == 0;
  c.local_pref = 100 + ((uint32_t)rand() % 6 == 0);
  c.path_length = 3 + ((uint32_t)rand() % 6 == 0);
  c.origin = (uint8_t)(rand() % 6 == 0);
  c.peer_type = (uint8_t)(rand() % 3);
  c.has_med = rand() % 3 != 0;
  c.med = (uint32_t)rand() % 3;
  c.neighbor_as = 64500 + (uint32_t)rand() % 4;
  c.igp_cost = (uint32_t)rand() % 3 == 0;
  c.heard = (uint64_t)rand() % 5;
  c.router_id = (uint32_t)rand() % 4;
  c.cluster_list_length = (uint32_t)rand() % 3;
  c.path_id = (uint32_t)rand() % 1000000;
  c.ineligible = rand() % 5 == 0;
  c.peer.bytes[3] = (uint8_t)(peer % 5);
  if (rand() % 4 == 0)
    c.peer.afi = WW_AFI_IPV6;
  return c;
}

static void test_equals_the_model_in_any_order(void **state) {
  (void)state;
  srand(4271);
  for (int round = 0; round < 20000; round++) {
    struct ww_candidate list[MANY];
    uint32_t scratch[MANY];
    uint8_t removed[MANY], expected_removed[MANY];
    size_t count = (size_t)rand() % (round % 10 ? 7 : MANY);
    struct ww_decision_options options = {.med_always = rand() % 3 == 0,
                                          .med_missing_worst = rand() % 3 == 0,
                                          .ignore_path_length = rand() % 3 == 0,
                                          .prefer_oldest = rand() % 2 == 0};
    for (size_t i = 0; i < count; i++)
      list[i] = random_candidate((unsigned)i);
    struct ww_decision want = model_decide(list, count, &options, expected_removed);
    struct ww_decision got = ww_decide(list, count, &options, scratch, removed);
    assert_int_equal(got.best, want.best);
    assert_int_equal(got.step, want.step);
    assert_memory_equal(removed, expected_removed, count);
    if (want.best < 0)
      continue;
    uint32_t best = list[want.best].path_id;
    for (size_t i = count; i-- > 1;) { /* shuffle */
      size_t k = (size_t)rand() % (i + 1);
      struct ww_candidate swap = list[i];
      list[i] = list[k];
      list[k] = swap;
    }
    got = ww_decide(list, count, &options, scratch, NULL);
    assert_int_equal(list[got.best].path_id, best);
    assert_int_equal(got.step, want.step);
  }
}

/* ---- attributes ---- */

static struct ww_candidate read_attrs(const void *attrs, size_t len) {
  struct ww_candidate c = {.router_id = 77};
  ww_candidate_read(&c, attrs, len, 250, LOCAL);
  return c;
}

static void test_reads_attributes(void **state) {
  (void)state;
  const uint8_t attrs[] = {0x40, 1,  1,  1,                                                  /* ORIGIN EGP */
                           0x40, 2,  28, 3,  1,    0,    0,    0xfd, 0xe9,                   /* confed sequence 65001 */
                           2,    2,  0,  0,  0xfb, 0xf4, 0,    0,    0xfb, 0xf5,             /* 64500 64501 */
                           1,    3,  0,  0,  0,    1,    0,    0,    0,    2,    0, 0, 0, 3, /* set of three */
                           0x80, 4,  4,  0,  0,    0,    9,                                  /* MED */
                           0x40, 5,  4,  0,  0,    1,    0x2c,                               /* LOCAL_PREF 300 */
                           0x80, 9,  4,  10, 0,    0,    1,                                  /* ORIGINATOR_ID */
                           0x90, 10, 0,  8,  1,    1,    1,    1,    2,    2,    2, 2};      /* CLUSTER_LIST of two */
  uint8_t fixed[sizeof attrs];
  memcpy(fixed, attrs, sizeof attrs);
  fixed[6] = 6 + 10 + 14;
  struct ww_candidate c = read_attrs(fixed, sizeof fixed);
  assert_int_equal(c.origin, 1);
  assert_int_equal(c.path_length, 3);
  assert_int_equal(c.neighbor_as, 64500);
  assert_true(c.has_med);
  assert_int_equal(c.med, 9);
  assert_int_equal(c.local_pref, 300);
  assert_int_equal(c.router_id, 0x0a000001);
  assert_int_equal(c.cluster_list_length, 2);
}

static void test_absent_attributes(void **state) {
  (void)state;
  struct ww_candidate c = read_attrs(NULL, 0);
  assert_int_equal(c.local_pref, 250);
  assert_int_equal(c.origin, 2);
  assert_int_equal(c.path_length, 0);
  assert_int_equal(c.neighbor_as, LOCAL);
  assert_false(c.has_med);
  assert_int_equal(c.router_id, 77);
  /* a path that begins with an AS_SET has no neighbor AS of its own */
  const uint8_t set_first[] = {0x40, 2, 12, 1, 1, 0, 0, 0, 5, 2, 1, 0, 0, 0, 6};
  c = read_attrs(set_first, sizeof set_first);
  assert_int_equal(c.path_length, 2);
  assert_int_equal(c.neighbor_as, LOCAL);
  /* attributes that end early are read as far as they go */
  const uint8_t cut[] = {0x80, 4, 4, 0, 0};
  c = read_attrs(cut, sizeof cut);
  assert_false(c.has_med);
}

/* RFC 8205 §4.4: pCount is how often the AS stands in the path; 0 and confederation segments do not count. */
static void test_secure_path(void **state) {
  (void)state;
  const uint8_t attrs[] = {0x80, 33, 26, 0, 26, 1, 0x80, 0, 0, 0, 1, 0, 0, 0, 0,
                           0,    2,  3,  0, 0,  0, 0,    3, 1, 0, 0, 0, 0, 4};
  struct ww_candidate c = read_attrs(attrs, sizeof attrs);
  assert_int_equal(c.path_length, 4);
  assert_int_equal(c.neighbor_as, 3);
}

static void test_names(void **state) {
  (void)state;
  assert_string_equal(ww_decision_step_name(WW_STEP_LOCAL_PREF), "local-preference");
  assert_string_equal(ww_decision_step_name(WW_STEP_PATH_ID), "path-id");
  assert_string_equal(ww_decision_step_name((enum ww_decision_step)99), "none");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_step_alone),
      cmocka_unit_test(test_nothing_to_decide),
      cmocka_unit_test(test_options),
      cmocka_unit_test(test_med_needs_removal),
      cmocka_unit_test(test_equals_the_model_in_any_order),
      cmocka_unit_test(test_reads_attributes),
      cmocka_unit_test(test_absent_attributes),
      cmocka_unit_test(test_secure_path),
      cmocka_unit_test(test_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
