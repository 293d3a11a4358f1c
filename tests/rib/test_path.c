/* SPDX-License-Identifier: BSD-2-Clause */
/* rib/path.c: paths of UPDATEs, interning, and the way from an AS to the paths that hold it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rib/path.h"

static const struct ww_hash_key key = {1, 2};

static struct ww_bgp_update update_of(const char *text, uint8_t octets[512]) {
  struct ww_writer w = ww_writer_make(octets, 512);
  assert_int_equal(ww_as_path_parse(text, &w, NULL), WW_OK);
  struct ww_bgp_update u;
  memset(&u, 0, sizeof u);
  u.has_as_path = true;
  u.as_path = (struct ww_as_path){.data = octets, .len = w.len};
  return u;
}

static void test_path_of_update(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t count;
    uint32_t asns[4];
    bool set, confed;
  } cases[] = {
      {"", 0, {0}, false, false},
      {"64500", 1, {64500}, false, false},
      {"64500 64500 64501 64501 64501", 2, {64500, 64501}, false, false},
      {"64500 64501 64500", 3, {64500, 64501, 64500}, false, false},
      {"64500 {64501,64502}", 0, {0}, true, false},
      {"{64501} 64500", 0, {0}, true, false},
      {"(65001) 64500", 0, {0}, false, true},
      {"[65001,65002] {64500}", 0, {0}, true, true},
  };
  struct ww_path_scratch scratch = {0};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint8_t octets[512];
    struct ww_bgp_update u = update_of(cases[i].text, octets);
    struct ww_aspa_path path;
    assert_int_equal(ww_path_of_update(&u, &scratch, &path), WW_OK);
    assert_int_equal(path.count, cases[i].count);
    assert_int_equal(path.has_set, cases[i].set);
    assert_int_equal(path.has_confed, cases[i].confed);
    for (size_t k = 0; k < path.count; k++)
      assert_int_equal(path.asns[k], cases[i].asns[k]);
  }
  ww_path_scratch_fini(&scratch);
}

/* Two segments of 255 are one path, and equal ASNs at their seam are a prepend. */
static void test_long_paths(void **state) {
  (void)state;
  struct ww_path_scratch scratch = {0};
  uint8_t octets[2 * (2 + 255 * 4)];
  struct ww_writer w = ww_writer_make(octets, sizeof octets);
  for (unsigned s = 0; s < 2; s++) {
    ww_writer_u8(&w, WW_SEG_AS_SEQUENCE);
    ww_writer_u8(&w, 255);
    for (uint32_t i = 0; i < 255; i++)
      ww_writer_u32(&w, 1000 + s * 254 + i);
  }
  struct ww_bgp_update u;
  memset(&u, 0, sizeof u);
  u.has_as_path = true;
  u.as_path = (struct ww_as_path){.data = octets, .len = w.len};
  struct ww_aspa_path path;
  assert_int_equal(ww_path_of_update(&u, &scratch, &path), WW_OK);
  assert_int_equal(path.count, 509);
  assert_int_equal(path.asns[508], 1508);
  ww_path_scratch_fini(&scratch);
}

/* RFC 8205 §4.4: the path of a BGPsec route, less what its signer did not prepend. */
static void test_secure_path(void **state) {
  (void)state;
  /* BGPsec_PATH: {pCount 1 AS 64500, pCount 0 AS 64501, pCount 2 AS 64502} */
  uint8_t attrs[] = {0x80, 33, 22, 0, 20, 1, 0, 0, 0, 0xfb, 0xf4, 0, 0, 0, 0, 0xfb, 0xf5, 2, 0, 0, 0, 0xfb, 0xf6, 0, 0};
  struct ww_path_scratch scratch = {0};
  struct ww_bgp_update u;
  memset(&u, 0, sizeof u);
  u.attrs = attrs;
  u.attrs_len = sizeof attrs;
  struct ww_aspa_path path;
  assert_int_equal(ww_path_of_update(&u, &scratch, &path), WW_OK);
  assert_int_equal(path.count, 2);
  assert_int_equal(path.asns[0], 64500);
  assert_int_equal(path.asns[1], 64502);
  attrs[6] = 0x80; /* Confed_Segment */
  assert_int_equal(ww_path_of_update(&u, &scratch, &path), WW_OK);
  assert_true(path.has_confed && path.count == 0);
  attrs[4] = 19; /* no sound one */
  assert_int_equal(ww_path_of_update(&u, &scratch, &path), WW_OK);
  assert_true(!path.has_confed && path.count == 0);
  ww_path_scratch_fini(&scratch);
}

static void test_equal_paths_have_one_id(void **state) {
  (void)state;
  struct ww_path_table t;
  ww_path_table_init(&t, &key);
  const uint32_t asns[] = {1, 2, 3};
  struct ww_aspa_path paths[] = {{asns, 3, false, false}, {asns, 2, false, false}, {asns + 1, 2, false, false},
                                 {NULL, 0, false, false}, {NULL, 0, true, false},  {NULL, 0, false, true}};
  uint32_t ids[6], again;
  for (unsigned i = 0; i < 6; i++) {
    assert_int_equal(ww_path_enter(&t, &paths[i], &ids[i]), WW_OK);
    for (unsigned k = 0; k < i; k++)
      assert_int_not_equal(ids[i], ids[k]);
  }
  for (unsigned i = 0; i < 6; i++) {
    assert_int_equal(ww_path_enter(&t, &paths[i], &again), WW_OK);
    assert_int_equal(again, ids[i]);
  }
  assert_int_equal(t.paths.live, 6);
  for (unsigned i = 0; i < 6; i++)
    ww_path_remove(&t, ids[i]);
  assert_int_equal(t.paths.live, 0);
  assert_int_equal(t.postings.live, 0);
  assert_int_equal(t.octets, 0);
  ww_path_table_fini(&t);
}

/* Against a plain array: after any history each AS leads to exactly the paths that hold it, and the lists stay in
 * proportion to what is there. */
enum { UNIVERSE = 400, ASES = 12, LEN_MAX = 7 };

struct model {
  uint32_t asns[UNIVERSE][LEN_MAX];
  unsigned len[UNIVERSE];
  uint32_t id[UNIVERSE]; /* 0: not there */
};

static uint64_t rng_state = 4271;

static uint32_t rng(uint32_t below) {
  rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)((uint64_t)(uint32_t)(rng_state >> 32) * below >> 32);
}

static void check(const struct ww_path_table *t, const struct model *m) {
  for (uint32_t asn = 1; asn <= ASES; asn++) {
    bool given[UNIVERSE] = {false};
    size_t cursor = 0;
    for (uint32_t id; (id = ww_path_holding(t, asn, &cursor)) != 0;) {
      unsigned i = 0;
      while (i < UNIVERSE && m->id[i] != id)
        i++;
      assert_true(i < UNIVERSE);
      given[i] = true;
    }
    for (unsigned i = 0; i < UNIVERSE; i++) {
      bool holds = false;
      for (unsigned k = 0; k < m->len[i]; k++)
        holds = holds || m->asns[i][k] == asn;
      assert_int_equal(given[i], m->id[i] && holds);
    }
  }
}

static void test_ases_lead_to_their_paths(void **state) {
  (void)state;
  static struct model m;
  struct ww_path_table t;
  ww_path_table_init(&t, &key);
  for (unsigned i = 0; i < UNIVERSE; i++) { /* no two alike: the number is in the path */
    m.len[i] = 2 + rng(LEN_MAX - 1);
    m.asns[i][0] = 100 + i;
    for (unsigned k = 1; k < m.len[i]; k++)
      m.asns[i][k] = 1 + rng(ASES);
  }
  for (unsigned step = 0; step < 60000; step++) {
    unsigned i = rng(step % 20000 < 10000 ? UNIVERSE : UNIVERSE / 10); /* wide and narrow in turns */
    if (m.id[i]) {
      ww_path_remove(&t, m.id[i]);
      m.id[i] = 0;
    } else {
      struct ww_aspa_path path = {.asns = m.asns[i], .count = m.len[i]};
      assert_int_equal(ww_path_enter(&t, &path, &m.id[i]), WW_OK);
    }
    if (step % 1500 == 0)
      check(&t, &m);
  }
  check(&t, &m);
  /* Churn of sixty thousand leaves nothing behind: 400 paths of seven ASes, twice, and room to double. */
  assert_true(t.octets < (size_t)UNIVERSE * LEN_MAX * 4 * 5);
  for (unsigned i = 0; i < UNIVERSE; i++)
    if (m.id[i])
      ww_path_remove(&t, m.id[i]);
  assert_int_equal(t.postings.live, 0);
  assert_int_equal(t.octets, 0);
  ww_path_table_fini(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_path_of_update),
      cmocka_unit_test(test_long_paths),
      cmocka_unit_test(test_secure_path),
      cmocka_unit_test(test_equal_paths_have_one_id),
      cmocka_unit_test(test_ases_lead_to_their_paths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
