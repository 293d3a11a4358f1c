/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/arena.h"

#include <string.h>

#include "base/asan.h"
#include "tests/base/cmocka_all.h"

static void allocations_are_apart_and_aligned(void **state) {
  (void)state;
  struct ww_arena arena;
  ww_arena_init(&arena, 0);
  uint8_t *p[64];
  for (size_t i = 0; i < 64; i++) {
    p[i] = ww_arena_alloc(&arena, i);
    assert_non_null(p[i]);
    assert_int_equal((uintptr_t)p[i] % 16, 0);
    memset(p[i], (int)i, i);
  }
  for (size_t i = 0; i < 64; i++)
    for (size_t k = 0; k < i; k++)
      assert_int_equal(p[i][k], i);
  assert_ptr_not_equal(p[0], p[1]);
  ww_arena_fini(&arena);
}

static void limit_is_kept_and_lifted_by_reset(void **state) {
  (void)state;
  struct ww_arena arena;
  ww_arena_init(&arena, 1024);
  assert_null(ww_arena_alloc(&arena, 1025));
  assert_non_null(ww_arena_alloc(&arena, 1024));
  assert_null(ww_arena_alloc(&arena, 1));
  ww_arena_reset(&arena);
  assert_int_equal(arena.used, 0);
  assert_non_null(ww_arena_alloc(&arena, 500));
  assert_non_null(ww_arena_alloc(&arena, 500));
  assert_null(ww_arena_alloc(&arena, 17));
  ww_arena_fini(&arena);
  assert_null(arena.first);
  assert_int_equal(arena.limit, 1024);
}

static void absurd_sizes_are_refused(void **state) {
  (void)state;
  struct ww_arena arena;
  ww_arena_init(&arena, 0);
  assert_null(ww_arena_alloc(&arena, SIZE_MAX));
  assert_null(ww_arena_alloc(&arena, SIZE_MAX - 15));
  assert_null(ww_arena_alloc(&arena, SIZE_MAX - 64));
  assert_non_null(ww_arena_alloc(&arena, 1));
  ww_arena_fini(&arena);
}

static void copy_copies(void **state) {
  (void)state;
  struct ww_arena arena;
  ww_arena_init(&arena, 0);
  assert_memory_equal(ww_arena_copy(&arena, "waywarden", 9), "waywarden", 9);
  assert_non_null(ww_arena_copy(&arena, NULL, 0));
  ww_arena_fini(&arena);
}

/* After a few rounds the same requests get the same memory: nothing more is asked of the system. */
static void steady_state_allocates_nothing(void **state) {
  (void)state;
  static const size_t sizes[] = {100, 60000, 16, 20000, 300000, 5000, 40000, 1 << 20, 9000};
  struct ww_arena arena;
  ww_arena_init(&arena, 0);
  void *first[9];
  for (int round = 0; round < 6; round++) {
    for (size_t i = 0; i < 9; i++) {
      void *p = ww_arena_alloc(&arena, sizes[i]);
      assert_non_null(p);
      memset(p, round, sizes[i]);
      if (round == 3)
        first[i] = p;
      if (round > 3)
        assert_ptr_equal(p, first[i]);
    }
    ww_arena_reset(&arena);
  }
  ww_arena_fini(&arena);
}

static void reset_of_unused_arena(void **state) {
  (void)state;
  struct ww_arena arena;
  ww_arena_init(&arena, 0);
  ww_arena_reset(&arena);
  assert_non_null(ww_arena_alloc(&arena, 1));
  ww_arena_fini(&arena);
}

static void sanitizer_sees_ends_and_resets(void **state) {
  (void)state;
#ifdef WW_ASAN
  struct ww_arena arena;
  ww_arena_init(&arena, 0);
  uint8_t *p = ww_arena_alloc(&arena, 24);
  assert_non_null(p);
  assert_false(__asan_address_is_poisoned(p + 23));
  assert_true(__asan_address_is_poisoned(p + 24));
  ww_arena_reset(&arena);
  assert_true(__asan_address_is_poisoned(p));
  ww_arena_fini(&arena);
#else
  skip();
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(allocations_are_apart_and_aligned), cmocka_unit_test(limit_is_kept_and_lifted_by_reset),
      cmocka_unit_test(absurd_sizes_are_refused),          cmocka_unit_test(copy_copies),
      cmocka_unit_test(steady_state_allocates_nothing),    cmocka_unit_test(reset_of_unused_arena),
      cmocka_unit_test(sanitizer_sees_ends_and_resets),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
