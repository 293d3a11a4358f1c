/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buf.h"

#include <string.h>

#include "tests/base/cmocka_all.h"

static void empty_queue_has_no_head(void **state) {
  (void)state;
  struct ww_buf buf;
  ww_buf_init(&buf, 0);
  assert_null(ww_buf_head(&buf));
  assert_int_equal(ww_buf_append(&buf, NULL, 0), WW_OK);
  ww_buf_consume(&buf, 0);
  ww_buf_clear(&buf);
  assert_int_equal(buf.len, 0);
  ww_buf_fini(&buf);
  ww_buf_fini(&buf);
}

static void bound_is_an_error_not_a_truncation(void **state) {
  (void)state;
  struct ww_buf buf;
  ww_buf_init(&buf, 8);
  assert_int_equal(ww_buf_append(&buf, "12345678", 8), WW_OK);
  assert_int_equal(ww_buf_append(&buf, "9", 1), WW_ERR_LIMIT);
  assert_null(ww_buf_reserve(&buf, 1));
  assert_int_equal(buf.len, 8);
  assert_memory_equal(ww_buf_head(&buf), "12345678", 8);
  ww_buf_consume(&buf, 3);
  assert_int_equal(ww_buf_append(&buf, "abcd", 4), WW_ERR_LIMIT);
  assert_int_equal(ww_buf_append(&buf, "abc", 3), WW_OK);
  assert_memory_equal(ww_buf_head(&buf), "45678abc", 8);
  ww_buf_fini(&buf);
}

static void absurd_sizes_are_refused(void **state) {
  (void)state;
  struct ww_buf buf;
  ww_buf_init(&buf, 0);
  assert_int_equal(ww_buf_append(&buf, "x", 1), WW_OK);
  assert_null(ww_buf_reserve(&buf, SIZE_MAX));
  assert_int_equal(ww_buf_append(&buf, "x", SIZE_MAX), WW_ERR_LIMIT);
  assert_memory_equal(ww_buf_head(&buf), "x", 1);
  ww_buf_fini(&buf);
}

/* What goes in comes out, whatever the pattern of adding and taking; and the allocation stays within twice max. */
static void stream_survives_every_pattern(void **state) {
  (void)state;
  enum { MAX = 5000 };
  struct ww_buf buf;
  ww_buf_init(&buf, MAX);
  uint32_t seed = 1;
  uint8_t in = 0, out = 0;
  for (int step = 0; step < 20000; step++) {
    seed = seed * 1664525u + 1013904223u;
    size_t n = (seed >> 16) % 700;
    if (seed >> 31) {
      uint8_t *p = ww_buf_reserve(&buf, n);
      if (!p) {
        assert_true(buf.len + n > MAX);
        continue;
      }
      for (size_t i = 0; i < n; i++)
        p[i] = in++;
      ww_buf_commit(&buf, n);
    } else {
      if (n > buf.len)
        n = buf.len;
      for (size_t i = 0; i < n; i++)
        assert_int_equal(ww_buf_head(&buf)[i], out++);
      ww_buf_consume(&buf, n);
    }
    assert_true(buf.len <= MAX && buf.cap <= 2 * MAX);
  }
  ww_buf_fini(&buf);
}

/* One octet out, one in, at the bound: must not move the whole queue each time. */
static void full_queue_moves_little(void **state) {
  (void)state;
  enum { MAX = 1 << 16 };
  static uint8_t fill[MAX];
  struct ww_buf buf;
  ww_buf_init(&buf, MAX);
  assert_int_equal(ww_buf_append(&buf, fill, MAX), WW_OK);
  int moves = 0;
  for (int i = 0; i < 2 * MAX; i++) {
    ww_buf_consume(&buf, 1);
    size_t head = buf.head;
    assert_int_equal(ww_buf_append(&buf, "x", 1), WW_OK);
    moves += buf.head != head;
  }
  assert_true(moves <= 3);
  ww_buf_fini(&buf);
}

static void drained_long_queue_gives_memory_back(void **state) {
  (void)state;
  struct ww_buf buf;
  ww_buf_init(&buf, 0);
  assert_non_null(ww_buf_reserve(&buf, 1 << 20));
  ww_buf_commit(&buf, 1 << 20);
  ww_buf_consume(&buf, 1 << 20);
  assert_int_equal(buf.cap, 0);
  assert_int_equal(ww_buf_append(&buf, "a", 1), WW_OK);
  ww_buf_clear(&buf);
  assert_true(buf.cap > 0);
  ww_buf_fini(&buf);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(empty_queue_has_no_head),  cmocka_unit_test(bound_is_an_error_not_a_truncation),
      cmocka_unit_test(absurd_sizes_are_refused), cmocka_unit_test(stream_survives_every_pattern),
      cmocka_unit_test(full_queue_moves_little),  cmocka_unit_test(drained_long_queue_gives_memory_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
