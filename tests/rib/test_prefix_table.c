/* SPDX-License-Identifier: BSD-2-Clause */
/* rib/prefix_table.c: against a sorted array, in random and in ascending order, until it is empty again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rib/rib.h"

static uint64_t rng_state;

static uint32_t rng(uint32_t below) {
  rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)((uint64_t)(uint32_t)(rng_state >> 32) * below >> 32);
}

/* Prefixes crowd together, so that they nest and repeat. */
static struct ww_prefix random_prefix(uint8_t afi) {
  struct ww_prefix p;
  memset(&p, 0, sizeof p);
  p.afi = afi;
  p.len = (uint8_t)rng(ww_afi_bits(afi) + 1u);
  if (rng(4))
    p.len = (uint8_t)(8 + rng(17));
  for (size_t i = 0; i < ww_afi_bits(afi) / 8u; i++)
    p.addr[i] = (uint8_t)(rng(3) ? rng(256) & 0xc1 : rng(3) ? 0 : 255);
  ww_prefix_mask(&p);
  return p;
}

struct model {
  struct ww_prefix_entry *entries;
  size_t count, cap;
};

static size_t model_position(const struct model *m, const struct ww_prefix *p) {
  size_t low = 0, high = m->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (ww_prefix_compare(&m->entries[middle].prefix, p) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static bool model_has(const struct model *m, size_t i, const struct ww_prefix *p) {
  return i < m->count && ww_prefix_compare(&m->entries[i].prefix, p) == 0;
}

static void step(struct ww_prefix_table *t, struct model *m, const struct ww_prefix *p, bool enter, uint32_t value) {
  size_t i = model_position(m, p);
  bool had = model_has(m, i, p);
  assert_int_equal(ww_prefix_table_find(t, p), had ? m->entries[i].value : 0);
  if (enter) {
    uint32_t *slot = ww_prefix_table_enter(t, p);
    assert_non_null(slot);
    assert_int_equal(*slot, had ? m->entries[i].value : 0);
    *slot = value;
    if (!had) {
      assert_true(m->count < m->cap);
      memmove(m->entries + i + 1, m->entries + i, (m->count - i) * sizeof *m->entries);
      m->entries[i].prefix = *p;
      m->count++;
    }
    m->entries[i].value = value;
  } else {
    assert_int_equal(ww_prefix_table_remove(t, p), had);
    if (had) {
      memmove(m->entries + i, m->entries + i + 1, (m->count - i - 1) * sizeof *m->entries);
      m->count--;
    }
  }
  assert_int_equal(ww_prefix_table_count(t), m->count);
}

/* The whole table, in slices of a size that never fits the nodes. */
static void check_all(const struct ww_prefix_table *t, const struct model *m, uint8_t afi) {
  struct ww_rib_cursor all = ww_rib_covered(&(struct ww_prefix){.afi = afi});
  struct ww_prefix_entry slice[7];
  size_t seen = 0;
  for (size_t n; (n = ww_prefix_table_scan(t, &all.next, &all.end, slice, 7)) > 0;) {
    for (size_t i = 0; i < n; i++, seen++) {
      assert_true(seen < m->count);
      assert_int_equal(ww_prefix_compare(&slice[i].prefix, &m->entries[seen].prefix), 0);
      assert_int_equal(slice[i].value, m->entries[seen].value);
    }
    all.next = slice[n - 1].prefix;
    all.next.len++;
  }
  assert_int_equal(seen, m->count);
}

static void check_covered(const struct ww_prefix_table *t, const struct model *m, const struct ww_prefix *p) {
  struct ww_rib_cursor c = ww_rib_covered(p);
  struct ww_prefix_entry *found = malloc((m->count + 1) * sizeof *found);
  assert_non_null(found);
  size_t n = ww_prefix_table_scan(t, &c.next, &c.end, found, m->count + 1), expected = 0;
  for (size_t i = 0; i < m->count; i++)
    if (ww_prefix_covers(p, &m->entries[i].prefix)) {
      assert_true(expected < n);
      assert_int_equal(found[expected++].value, m->entries[i].value);
    }
  assert_int_equal(n, expected);
  free(found);
}

static void run(uint8_t afi, uint64_t seed, unsigned steps) {
  struct model m = {.cap = steps};
  m.entries = calloc(m.cap, sizeof *m.entries);
  struct ww_prefix_table *t = ww_prefix_table_new(afi);
  assert_non_null(m.entries);
  assert_non_null(t);
  rng_state = seed;
  for (unsigned i = 0; i < steps; i++) {
    struct ww_prefix p = random_prefix(afi);
    if (rng(8) == 0 && m.count)
      p = m.entries[rng((uint32_t)m.count)].prefix;
    step(t, &m, &p, rng(10) < (i / 3000 % 3 == 2 ? 3u : 8u), i + 1);
    if (i % 1000 == 0)
      check_all(t, &m, afi);
    if (i % 50 == 0) {
      p = random_prefix(afi);
      check_covered(t, &m, &p);
    }
  }
  check_all(t, &m, afi);
  while (m.count) {
    struct ww_prefix p = m.entries[rng((uint32_t)m.count)].prefix;
    step(t, &m, &p, false, 0);
    if (m.count % 997 == 0)
      check_all(t, &m, afi);
  }
  ww_prefix_table_free(t);
  free(m.entries);
}

static void test_random_ipv4(void **state) {
  (void)state;
  run(WW_AFI_IPV4, 1, 20000);
}

static void test_random_ipv6(void **state) {
  (void)state;
  run(WW_AFI_IPV6, 2, 20000);
}

/* A dump in table order fills its leaves; emptying from the front gives everything back. */
static void test_ascending(void **state) {
  (void)state;
  enum { COUNT = 50000 };
  struct ww_prefix_table *t = ww_prefix_table_new(WW_AFI_IPV4);
  size_t empty = ww_prefix_table_bytes(t);
  struct ww_prefix p = {.afi = WW_AFI_IPV4, .len = 24};
  for (uint32_t i = 0; i < COUNT; i++) {
    p.addr[0] = (uint8_t)(i >> 16);
    p.addr[1] = (uint8_t)(i >> 8);
    p.addr[2] = (uint8_t)i;
    *ww_prefix_table_enter(t, &p) = i + 1;
  }
  assert_true(ww_prefix_table_bytes(t) < (size_t)COUNT * 11); /* 9 octets an entry and the head of the nodes */
  size_t full = ww_prefix_table_bytes(t);
  for (uint32_t i = 0; i < COUNT; i++) { /* entering what is there splits nothing */
    p.addr[0] = (uint8_t)(i >> 16);
    p.addr[1] = (uint8_t)(i >> 8);
    p.addr[2] = (uint8_t)i;
    assert_int_equal(*ww_prefix_table_enter(t, &p), i + 1);
  }
  assert_int_equal(ww_prefix_table_bytes(t), full);
  for (uint32_t i = 0; i < COUNT; i++) {
    p.addr[0] = (uint8_t)(i >> 16);
    p.addr[1] = (uint8_t)(i >> 8);
    p.addr[2] = (uint8_t)i;
    assert_true(ww_prefix_table_remove(t, &p));
    assert_false(ww_prefix_table_remove(t, &p));
  }
  assert_int_equal(ww_prefix_table_count(t), 0);
  assert_int_equal(ww_prefix_table_bytes(t), empty);
  ww_prefix_table_free(t);
}

static void test_covered_edges(void **state) {
  (void)state;
  static const char *const texts[] = {"0.0.0.0/0",        "10.0.0.0/8",   "10.0.0.0/9",
                                      "10.0.0.0/32",      "10.128.0.0/9", "10.255.255.255/32",
                                      "9.255.255.255/32", "11.0.0.0/8",   "255.255.255.255/32"};
  struct ww_prefix_table *t = ww_prefix_table_new(WW_AFI_IPV4);
  struct ww_prefix p;
  for (uint32_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    assert_int_equal(ww_prefix_parse(texts[i], &p), WW_OK);
    *ww_prefix_table_enter(t, &p) = i + 1;
  }
  assert_int_equal(ww_prefix_parse("10.0.0.0/8", &p), WW_OK);
  struct ww_rib_cursor c = ww_rib_covered(&p);
  struct ww_prefix_entry found[16];
  assert_int_equal(ww_prefix_table_scan(t, &c.next, &c.end, found, 16), 5);
  assert_int_equal(found[0].value, 2);
  assert_int_equal(found[4].value, 6);
  assert_int_equal(ww_prefix_parse("10.0.0.0/32", &p), WW_OK);
  c = ww_rib_covered(&p);
  assert_int_equal(ww_prefix_table_scan(t, &c.next, &c.end, found, 16), 1);
  assert_int_equal(ww_prefix_parse("0.0.0.0/0", &p), WW_OK);
  c = ww_rib_covered(&p);
  assert_int_equal(ww_prefix_table_scan(t, &c.next, &c.end, found, 16), 9);
  ww_prefix_table_free(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_ipv4),
      cmocka_unit_test(test_random_ipv6),
      cmocka_unit_test(test_ascending),
      cmocka_unit_test(test_covered_edges),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
