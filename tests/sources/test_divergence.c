/* SPDX-License-Identifier: BSD-2-Clause */
/* Divergence: random deltas of several caches against counting from scratch. */
#include "sources/divergence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* */
#include <cmocka.h>

enum { CACHES = 3, VRPS = 3000, CUSTOMERS = 40, KEYS = 20, STEPS = 400 };

static uint64_t seed = 7;

static uint32_t rnd(uint32_t below) { /* xorshift64* */
  seed ^= seed >> 12;
  seed ^= seed << 25;
  seed ^= seed >> 27;
  return (uint32_t)((seed * UINT64_C(2685821657736338717)) >> 32) % below;
}

/* What each cache has: VRPs and keys by number, ASPAs by customer as a provider set's number, 0 none. */
struct model {
  bool vrp[VRPS][CACHES], key[KEYS][CACHES];
  unsigned aspa[CUSTOMERS][CACHES];
};

static struct ww_vrp vrp_of(unsigned i) {
  struct ww_vrp vrp = {.prefix = {.afi = WW_AFI_IPV4, .len = 24, .addr = {10, (uint8_t)(i >> 8), (uint8_t)i}},
                       .max_len = 24,
                       .asn = 64500};
  return vrp;
}

static struct ww_router_key key_of(unsigned i, uint8_t *spki) {
  spki[0] = (uint8_t)(i % 5);
  return (struct ww_router_key){.asn = 64500 + i / 5, .ski = {1}, .spki = spki, .spki_len = 1};
}

static void expect(const struct model *m, uint32_t compared, const struct ww_divergence_counts *got) {
  struct ww_divergence_counts want = {0};
  unsigned total = VRPS + KEYS;
  for (unsigned i = 0; i < total + CUSTOMERS * 4; i++) {
    bool has[CACHES], some = false, all = true;
    for (unsigned c = 0; c < CACHES; c++) {
      has[c] = i < VRPS    ? m->vrp[i][c]
               : i < total ? m->key[i - VRPS][c]
                           : m->aspa[(i - total) / 4][c] == (i - total) % 4 + 1;
      if (compared >> c & 1) {
        some = some || has[c];
        all = all && has[c];
      }
    }
    if (!some || all)
      continue;
    want.differing++;
    for (unsigned c = 0; c < CACHES; c++)
      if (compared >> c & 1)
        (has[c] ? (want.of[c].extra++) : (want.of[c].missing++));
  }
  assert_memory_equal(&want, got, sizeof(want));
}

static void test_against_counting(void **state) {
  (void)state;
  static struct model m;
  struct ww_divergence *d = ww_divergence_new(12345);
  uint32_t compared = 0;
  assert_non_null(d);
  for (unsigned step = 0; step < STEPS; step++) {
    unsigned c = rnd(CACHES), count = rnd(8) ? rnd(20) : rnd(1500), from = rnd(VRPS);
    struct ww_payload_delta delta = {0};
    uint8_t spki;
    for (unsigned i = 0; i < count; i++) {
      unsigned v = (from + i) % VRPS; /* a delta says one thing of a record */
      struct ww_vrp vrp = vrp_of(v);
      bool add = rnd(3) > 0;
      if (m.vrp[v][c] == add)
        continue;
      m.vrp[v][c] = add;
      assert_int_equal(ww_payloads_add_vrp(add ? &delta.announce : &delta.withdraw, &vrp), WW_OK);
    }
    unsigned customer = rnd(CUSTOMERS), set = rnd(5);
    uint32_t providers[2] = {set, 100 + set};
    struct ww_aspa aspa = {.customer = 64500 + customer, .provider_count = set ? 2 : 0, .providers = providers};
    assert_int_equal(ww_payloads_add_aspa(set ? &delta.announce : &delta.withdraw, &aspa), WW_OK);
    m.aspa[customer][c] = set;
    unsigned k = rnd(KEYS);
    struct ww_router_key key = key_of(k, &spki);
    m.key[k][c] = !m.key[k][c];
    assert_int_equal(ww_payloads_add_key(m.key[k][c] ? &delta.announce : &delta.withdraw, &key), WW_OK);
    assert_int_equal(ww_divergence_apply(d, c, &delta), WW_OK);
    assert_int_equal(ww_divergence_apply(d, c, &delta), WW_OK); /* the same again says nothing new */
    ww_payload_delta_fini(&delta);
    if (rnd(4) == 0)
      ww_divergence_compare(d, compared = rnd(1u << CACHES));
    expect(&m, compared, ww_divergence_counts(d));
  }
  ww_divergence_free(d);
}

static void test_alone(void **state) {
  (void)state;
  struct ww_divergence *d = ww_divergence_new(1);
  struct ww_payload_delta delta = {0};
  struct ww_vrp vrp = vrp_of(1);
  assert_int_equal(ww_payloads_add_vrp(&delta.announce, &vrp), WW_OK);
  ww_divergence_compare(d, 1);
  assert_int_equal(ww_divergence_apply(d, 0, &delta), WW_OK);
  assert_int_equal(ww_divergence_counts(d)->differing, 0);
  ww_divergence_compare(d, 3); /* another one has become complete, with nothing */
  assert_int_equal(ww_divergence_counts(d)->differing, 1);
  assert_int_equal(ww_divergence_counts(d)->of[0].extra, 1);
  assert_int_equal(ww_divergence_counts(d)->of[1].missing, 1);
  ww_payload_delta_fini(&delta);
  ww_divergence_free(d);
  ww_divergence_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_counting), cmocka_unit_test(test_alone)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
