/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader and the writer at their edges: empty, one short, a child that overruns, patches out of range. */
#include "base/bytes.h"

#include <stdlib.h>

#include "tests/base/cmocka_all.h"

/* A heap block of just n octets, so that a read past it is seen by the sanitizer. */
static uint8_t *exact(const void *src, size_t n) {
  uint8_t *p = malloc(n ? n : 1);
  assert_non_null(p);
  if (n)
    memcpy(p, src, n);
  return p;
}

static void reader_of_null_is_empty(void **state) {
  (void)state;
  struct ww_reader r = ww_reader_make(NULL, 0);
  assert_int_equal(ww_reader_left(&r), 0);
  assert_true(ww_reader_done(&r));
  assert_null(ww_reader_take(&r, 0));
  assert_true(ww_reader_done(&r));
  struct ww_reader child = ww_reader_sub(&r, 0);
  assert_true(ww_reader_done(&child));
  uint8_t dst[1] = {7};
  ww_reader_bytes(&r, dst, 0);
  assert_int_equal(dst[0], 7);
  assert_true(ww_reader_done(&r));
  assert_int_equal(ww_reader_u8(&r), 0);
  assert_false(ww_reader_done(&r));
}

static void reader_takes_network_order(void **state) {
  (void)state;
  static const uint8_t wire[] = {0x01, 0x02, 0x03, 0x84, 0x85, 0x86, 0x87, 0xf8, 1, 2, 3, 4, 5, 6, 7};
  uint8_t *p = exact(wire, sizeof(wire));
  struct ww_reader r = ww_reader_make(p, sizeof(wire));
  assert_int_equal(ww_reader_u8(&r), 0x01);
  assert_int_equal(ww_reader_u16(&r), 0x0203);
  assert_int_equal(ww_reader_u32(&r), 0x84858687u);
  assert_true(ww_reader_u64(&r) == UINT64_C(0xf801020304050607));
  assert_int_equal(ww_reader_offset(&r, p), sizeof(wire));
  assert_true(ww_reader_done(&r));
  free(p);
}

static void reader_running_short_is_sticky(void **state) {
  (void)state;
  static const uint8_t wire[] = {1, 2, 3, 4, 5, 6, 7};
  static const size_t widths[] = {2, 4, 8};
  for (size_t i = 0; i < 3; i++) {
    uint8_t *p = exact(wire, widths[i] - 1);
    struct ww_reader r = ww_reader_make(p, widths[i] - 1);
    uint64_t v = widths[i] == 2 ? ww_reader_u16(&r) : widths[i] == 4 ? ww_reader_u32(&r) : ww_reader_u64(&r);
    assert_true(v == 0);
    assert_true(r.bad);
    assert_int_equal(ww_reader_left(&r), 0);
    assert_int_equal(ww_reader_u8(&r), 0);
    assert_false(ww_reader_done(&r));
    free(p);
  }
}

static void reader_bytes_zero_fills_when_short(void **state) {
  (void)state;
  uint8_t *p = exact("abc", 3), dst[4] = {9, 9, 9, 9};
  struct ww_reader r = ww_reader_make(p, 3);
  ww_reader_bytes(&r, dst, 4);
  assert_memory_equal(dst, "\0\0\0\0", 4);
  assert_true(r.bad);
  free(p);
}

static void reader_refuses_a_huge_length(void **state) {
  (void)state;
  uint8_t *p = exact("abc", 3);
  struct ww_reader r = ww_reader_make(p, 3);
  assert_null(ww_reader_take(&r, SIZE_MAX));
  assert_true(r.bad);
  r = ww_reader_make(p, 3);
  struct ww_reader child = ww_reader_sub(&r, SIZE_MAX);
  assert_true(child.bad);
  assert_int_equal(ww_reader_left(&child), 0);
  free(p);
}

/* RFC 7606 §4: a bad attribute must not cost the framing of the ones after it. */
static void reader_child_overrun_leaves_parent_sound(void **state) {
  (void)state;
  static const uint8_t wire[] = {0xaa, 0xbb, 0xcc, 0xdd};
  uint8_t *p = exact(wire, 4);
  struct ww_reader r = ww_reader_make(p, 4);
  struct ww_reader child = ww_reader_sub(&r, 2);
  assert_int_equal(ww_reader_u32(&child), 0);
  assert_true(child.bad);
  assert_false(r.bad);
  assert_int_equal(ww_reader_u16(&r), 0xccdd);
  assert_true(ww_reader_done(&r));
  free(p);
}

static void reader_child_stops_at_its_bound(void **state) {
  (void)state;
  uint8_t *p = exact("\1\2\3\4", 4);
  struct ww_reader r = ww_reader_make(p, 4);
  struct ww_reader child = ww_reader_sub(&r, 3);
  size_t octets = 0;
  while (ww_reader_left(&child)) {
    (void)ww_reader_u16(&child);
    octets++;
  }
  assert_int_equal(octets, 2);
  assert_false(ww_reader_done(&child));
  assert_int_equal(ww_reader_u8(&r), 4);
  free(p);
}

static void reader_child_longer_than_parent_spoils_both(void **state) {
  (void)state;
  uint8_t *p = exact("\1\2", 2);
  struct ww_reader r = ww_reader_make(p, 2);
  struct ww_reader child = ww_reader_sub(&r, 3);
  assert_true(r.bad);
  assert_true(child.bad);
  assert_int_equal(ww_reader_left(&child), 0);
  free(p);
}

static void reader_done_refuses_leftovers(void **state) {
  (void)state;
  uint8_t *p = exact("\1\2", 2);
  struct ww_reader r = ww_reader_make(p, 2);
  (void)ww_reader_u8(&r);
  assert_false(ww_reader_done(&r));
  (void)ww_reader_u8(&r);
  assert_true(ww_reader_done(&r));
  free(p);
}

static void writer_stores_network_order(void **state) {
  (void)state;
  uint8_t *p = malloc(18);
  assert_non_null(p);
  struct ww_writer w = ww_writer_make(p, 18);
  ww_writer_u8(&w, 1);
  ww_writer_u16(&w, 0x0203);
  ww_writer_u32(&w, 0x04050607);
  ww_writer_u64(&w, UINT64_C(0x08090a0b0c0d0e0f));
  ww_writer_bytes(&w, "\x10", 1);
  ww_writer_zero(&w, 2);
  assert_false(w.overflow);
  assert_int_equal(w.len, 18);
  for (uint8_t i = 0; i < 16; i++)
    assert_int_equal(p[i], i + 1);
  assert_int_equal(p[16] | p[17], 0);
  free(p);
}

static void writer_overflow_is_sticky_and_keeps_len(void **state) {
  (void)state;
  uint8_t *p = malloc(3);
  assert_non_null(p);
  struct ww_writer w = ww_writer_make(p, 3);
  ww_writer_u16(&w, 0x0102);
  ww_writer_u16(&w, 0x0304);
  assert_true(w.overflow);
  assert_int_equal(w.len, 2);
  ww_writer_u8(&w, 9); /* would fit, but the output already has a hole */
  assert_int_equal(w.len, 2);
  ww_writer_patch_u16(&w, 0, 0xffff);
  assert_int_equal(p[0], 1);
  free(p);
}

static void writer_overflow_in_the_middle_of_u64(void **state) {
  (void)state;
  uint8_t *p = malloc(7);
  assert_non_null(p);
  struct ww_writer w = ww_writer_make(p, 7);
  ww_writer_u64(&w, 1);
  assert_true(w.overflow);
  free(p);
}

static void writer_without_buffer_measures(void **state) {
  (void)state;
  struct ww_writer w = ww_writer_make(NULL, 0);
  ww_writer_u64(&w, 1);
  ww_writer_bytes(&w, "abc", 3);
  ww_writer_zero(&w, 70000);
  ww_writer_patch_u32(&w, 0, 5);
  assert_false(w.overflow);
  assert_int_equal(w.len, 70011);
  /* The sum of lengths must not wrap. */
  assert_null(ww_writer_put(&w, SIZE_MAX));
  assert_true(w.overflow);
  assert_int_equal(w.len, 70011);
}

static void writer_of_no_room_takes_nothing(void **state) {
  (void)state;
  uint8_t octet = 5;
  struct ww_writer w = ww_writer_make(&octet, 0);
  ww_writer_bytes(&w, NULL, 0);
  assert_false(w.overflow);
  ww_writer_u8(&w, 1);
  assert_true(w.overflow);
  assert_int_equal(octet, 5);
}

static void patch_in_range(void **state) {
  (void)state;
  uint8_t p[6];
  struct ww_writer w = ww_writer_make(p, sizeof(p));
  ww_writer_zero(&w, 6);
  ww_writer_patch_u16(&w, 0, 0x0102);
  ww_writer_patch_u32(&w, 2, 0x03040506);
  assert_false(w.overflow);
  assert_memory_equal(p, "\1\2\3\4\5\6", 6);
  ww_writer_patch_u16(&w, 4, 0xffff);
  assert_memory_equal(p, "\1\2\3\4\xff\xff", 6);
}

static void patch_out_of_range_is_overflow(void **state) {
  (void)state;
  static const struct {
    size_t len, at, value;
    int wide;
  } cases[] = {
    {1, 0, 0, 0},
    {4, 3, 0, 0},
    {4, SIZE_MAX, 0, 0},
    {3, 0, 0, 1},
    {6, 3, 0, 1},
    {6, SIZE_MAX, 0, 1},
    {4, 0, (size_t)UINT16_MAX + 1, 0},
    {4, SIZE_MAX - 1, 0, 0},
    {6, SIZE_MAX - 3, 0, 1},
#if SIZE_MAX > UINT32_MAX
    {4, 0, (size_t)UINT32_MAX + 1, 1},
#endif
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint8_t p[8];
    struct ww_writer w = ww_writer_make(p, sizeof(p));
    ww_writer_zero(&w, cases[i].len);
    if (cases[i].wide)
      ww_writer_patch_u32(&w, cases[i].at, cases[i].value);
    else
      ww_writer_patch_u16(&w, cases[i].at, cases[i].value);
    assert_true(w.overflow);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reader_of_null_is_empty),
      cmocka_unit_test(reader_takes_network_order),
      cmocka_unit_test(reader_running_short_is_sticky),
      cmocka_unit_test(reader_bytes_zero_fills_when_short),
      cmocka_unit_test(reader_refuses_a_huge_length),
      cmocka_unit_test(reader_child_overrun_leaves_parent_sound),
      cmocka_unit_test(reader_child_stops_at_its_bound),
      cmocka_unit_test(reader_child_longer_than_parent_spoils_both),
      cmocka_unit_test(reader_done_refuses_leftovers),
      cmocka_unit_test(writer_stores_network_order),
      cmocka_unit_test(writer_overflow_is_sticky_and_keeps_len),
      cmocka_unit_test(writer_overflow_in_the_middle_of_u64),
      cmocka_unit_test(writer_without_buffer_measures),
      cmocka_unit_test(writer_of_no_room_takes_nothing),
      cmocka_unit_test(patch_in_range),
      cmocka_unit_test(patch_out_of_range_is_overflow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
