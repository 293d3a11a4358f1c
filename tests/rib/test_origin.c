/* SPDX-License-Identifier: BSD-2-Clause */
/* rib/origin.c: every kind of final segment in RFC 6811 §2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rib/origin.h"

enum { LOCAL = 64999 };

static struct ww_origin origin_of(const char *text) {
  uint8_t octets[4096];
  struct ww_writer w = ww_writer_make(octets, sizeof octets);
  assert_int_equal(ww_as_path_parse(text, &w, NULL), WW_OK);
  return ww_origin_of_path((struct ww_as_path){.data = octets, .len = w.len}, LOCAL);
}

static void test_cases(void **state) {
  (void)state;
  static const struct {
    const char *path;
    uint32_t asn;
    bool none;
  } cases[] = {
      {"64500", 64500, false},          {"64500 64501 64502", 64502, false},   {"64500 4294967295", 4294967295, false},
      {"64500 {64501}", 0, true},                                        /* RFC 6907 §7.1.9: even of one member */
      {"64500 {64501,64502}", 0, true}, {"{64501} 64500", 64500, false}, /* only the final segment counts */
      {"(65001)", LOCAL, false},        {"[65001,65002]", LOCAL, false},       {"64500 (65001)", LOCAL, false},
      {"64500 [65001]", LOCAL, false},  {"(65001 65002) 64500", 64500, false}, {"(65001) {64500}", 0, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ww_origin origin = origin_of(cases[i].path);
    if (origin.asn != cases[i].asn || origin.none != cases[i].none)
      fail_msg("%s: AS%u%s", cases[i].path, (unsigned)origin.asn, origin.none ? " none" : "");
  }
}

static void test_empty_path_is_ours(void **state) {
  (void)state;
  struct ww_origin origin = ww_origin_of_path((struct ww_as_path){.data = NULL, .len = 0}, LOCAL);
  assert_int_equal(origin.asn, LOCAL);
  assert_false(origin.none);
}

static void test_more_than_one_full_segment(void **state) {
  (void)state;
  uint8_t octets[2 * (2 + 255 * 4)];
  struct ww_writer w = ww_writer_make(octets, sizeof octets);
  for (uint32_t s = 0; s < 2; s++) {
    ww_writer_u8(&w, WW_SEG_AS_SEQUENCE);
    ww_writer_u8(&w, 255);
    for (uint32_t i = 0; i < 255; i++)
      ww_writer_u32(&w, 1000 * (s + 1) + i);
  }
  struct ww_origin origin = ww_origin_of_path((struct ww_as_path){.data = octets, .len = w.len}, LOCAL);
  assert_int_equal(origin.asn, 2254);
}

/* Never from the decoder, which refuses them; but no path may make this read what is not there. */
static void test_unsound_paths_give_no_origin(void **state) {
  (void)state;
  const uint8_t empty_sequence[] = {WW_SEG_AS_SEQUENCE, 0};
  struct ww_origin origin = ww_origin_of_path((struct ww_as_path){.data = empty_sequence, .len = 2}, LOCAL);
  assert_true(origin.none);
  const uint8_t unknown_type[] = {9, 1, 0, 0, 0xfb, 0xf4};
  origin = ww_origin_of_path((struct ww_as_path){.data = unknown_type, .len = sizeof unknown_type}, LOCAL);
  assert_true(origin.none);
}

/* RFC 8205 §3.1: what an UPDATE with this Secure_Path, behind an ORIGIN, gives. */
static struct ww_origin origin_of_secure(const uint8_t *secure_path, size_t len) {
  uint8_t attrs[64] = {WW_ATTR_TRANSITIVE, WW_ATTR_ORIGIN, 1, 0, WW_ATTR_OPTIONAL, WW_ATTR_BGPSEC_PATH, (uint8_t)len};
  assert_true(len <= sizeof attrs - 7);
  memcpy(attrs + 7, secure_path, len);
  struct ww_bgp_update update = {.attrs = attrs, .attrs_len = 7 + len};
  return ww_origin_of_update(&update, LOCAL);
}

static void test_bgpsec(void **state) {
  (void)state;
  const uint8_t two[] = {0, 14, 1, 0, 0, 0, 0xfb, 0xf4, 2, 0, 0, 0, 0xfb, 0xf5, 0, 9, 1 /* a Signature_Block */};
  struct ww_origin origin = origin_of_secure(two, sizeof two);
  assert_false(origin.none);
  assert_int_equal(origin.asn, 64501); /* the last one, not ours because AS_PATH is absent */
  const uint8_t confed[] = {0, 8, 1, 0x80, 0, 0, 0xfd, 0xe9};
  origin = origin_of_secure(confed, sizeof confed);
  assert_false(origin.none);
  assert_int_equal(origin.asn, LOCAL);
  const uint8_t bad_lengths[] = {0, 1, 2, 7, 9, 13, 15, 20};
  for (size_t i = 0; i < sizeof bad_lengths; i++) {
    uint8_t bad[14];
    memcpy(bad, two, sizeof bad);
    bad[1] = bad_lengths[i];
    assert_true(origin_of_secure(bad, sizeof bad).none);
  }
  assert_true(origin_of_secure(two, 0).none);
  assert_true(origin_of_secure(two, 13).none);
}

static void test_update(void **state) {
  (void)state;
  uint8_t octets[64];
  struct ww_writer w = ww_writer_make(octets, sizeof octets);
  assert_int_equal(ww_as_path_parse("64500 64501", &w, NULL), WW_OK);
  struct ww_bgp_update update = {.has_as_path = true, .as_path = {.data = octets, .len = w.len}};
  assert_int_equal(ww_origin_of_update(&update, LOCAL).asn, 64501);
  update = (struct ww_bgp_update){.has_as_path = true}; /* empty: ours */
  assert_int_equal(ww_origin_of_update(&update, LOCAL).asn, LOCAL);
  update.has_as_path = false; /* no path of either kind: the decoder refuses it */
  assert_true(ww_origin_of_update(&update, LOCAL).none);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cases),
      cmocka_unit_test(test_empty_path_is_ours),
      cmocka_unit_test(test_more_than_one_full_segment),
      cmocka_unit_test(test_unsound_paths_give_no_origin),
      cmocka_unit_test(test_bgpsec),
      cmocka_unit_test(test_update),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
