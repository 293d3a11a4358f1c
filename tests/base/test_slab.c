/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/slab.h"

#include <string.h>

#include "base/asan.h"
#include "tests/base/cmocka_all.h"

static void id_zero_is_never_given(void **state) {
  (void)state;
  struct ww_slab slab;
  ww_slab_init(&slab, 8);
  assert_int_equal(ww_slab_bytes(&slab), 0);
  for (uint32_t i = 1; i <= 10000; i++)
    assert_int_equal(ww_slab_alloc(&slab), i);
  assert_int_equal(slab.live, 10000);
  ww_slab_free(&slab, 0);
  assert_int_equal(slab.live, 10000);
  ww_slab_fini(&slab);
  assert_int_equal(slab.live, 0);
  assert_int_equal(ww_slab_alloc(&slab), 1);
  ww_slab_fini(&slab);
}

static void objects_come_zeroed_and_stay_put(void **state) {
  (void)state;
  struct ww_slab slab;
  ww_slab_init(&slab, 12);
  uint32_t id = ww_slab_alloc(&slab);
  void *at = ww_slab_at(&slab, id);
  memset(at, 0xee, 12);
  for (int i = 0; i < 200000; i++)
    assert_int_not_equal(ww_slab_alloc(&slab), 0);
  assert_ptr_equal(ww_slab_at(&slab, id), at);
  assert_memory_equal(at, "\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee", 12);
  ww_slab_free(&slab, id);
  assert_int_equal(ww_slab_alloc(&slab), id);
  assert_memory_equal(at, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
  ww_slab_fini(&slab);
}

static void freed_slots_are_reused_last_in_first_out(void **state) {
  (void)state;
  struct ww_slab slab;
  ww_slab_init(&slab, 4);
  uint32_t a = ww_slab_alloc(&slab), b = ww_slab_alloc(&slab), c = ww_slab_alloc(&slab);
  ww_slab_free(&slab, a);
  ww_slab_free(&slab, c);
  ww_slab_free(&slab, b);
  assert_int_equal(slab.live, 0);
  assert_int_equal(ww_slab_alloc(&slab), b);
  assert_int_equal(ww_slab_alloc(&slab), c);
  assert_int_equal(ww_slab_alloc(&slab), a);
  assert_int_equal(ww_slab_alloc(&slab), 4);
  ww_slab_fini(&slab);
}

static void bytes_count_what_is_held(void **state) {
  (void)state;
  struct ww_slab slab;
  ww_slab_init(&slab, 16);
  (void)ww_slab_alloc(&slab);
  size_t one = ww_slab_bytes(&slab);
  assert_int_equal(one, 16 * 4096 + slab.chunk_cap * sizeof(void *));
  for (int i = 0; i < 4096; i++)
    (void)ww_slab_alloc(&slab);
  assert_int_equal(ww_slab_bytes(&slab), one + 16 * 4096);
  ww_slab_fini(&slab);
}

static void ids_run_out_without_wrapping(void **state) {
  (void)state;
  struct ww_slab slab;
  ww_slab_init(&slab, 4);
  slab.next = UINT32_MAX;
  assert_int_equal(ww_slab_alloc(&slab), 0);
  assert_int_equal(slab.live, 0);
  ww_slab_fini(&slab);
}

static void sanitizer_sees_freed_objects(void **state) {
  (void)state;
#ifdef WW_ASAN
  struct ww_slab slab;
  ww_slab_init(&slab, 16);
  uint32_t id = ww_slab_alloc(&slab);
  uint8_t *p = ww_slab_at(&slab, id);
  assert_false(__asan_address_is_poisoned(p));
  ww_slab_free(&slab, id);
  assert_true(__asan_address_is_poisoned(p));
  ww_slab_fini(&slab);
#else
  skip();
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(id_zero_is_never_given),
      cmocka_unit_test(objects_come_zeroed_and_stay_put),
      cmocka_unit_test(freed_slots_are_reused_last_in_first_out),
      cmocka_unit_test(bytes_count_what_is_held),
      cmocka_unit_test(ids_run_out_without_wrapping),
      cmocka_unit_test(sanitizer_sees_freed_objects),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
