/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SipHash-1-3 against another implementation: CPython 3.11's hash() of bytes is SipHash-1-3 under a key that
 * PYTHONHASHSEED gives (0: a key of zeros; 42: octets of its documented linear congruential generator).
 */
#include "base/hash.h"

#include <string.h>

#include "tests/base/cmocka_all.h"

static void siphash_agrees_with_cpython(void **state) {
  (void)state;
  static const struct ww_hash_key zero = {0, 0}, seed42 = {UINT64_C(0xdc504fd368cd90af), UINT64_C(0xb920bb9ffe99e9c1)};
  uint8_t counting[63];
  for (uint8_t i = 0; i < sizeof(counting); i++)
    counting[i] = i;
  assert_true(ww_siphash(&zero, "a", 1) == UINT64_C(0x407448d2b89b1813));
  assert_true(ww_siphash(&zero, "1234567", 7) == UINT64_C(0xa33d651594fdae81));
  assert_true(ww_siphash(&zero, "12345678", 8) == UINT64_C(0x3489982430560a87));
  assert_true(ww_siphash(&zero, "123456789", 9) == UINT64_C(0xfbc0f0007965fcf));
  assert_true(ww_siphash(&zero, counting, 63) == UINT64_C(0x385d3e39e5f37359));
  assert_true(ww_siphash(&seed42, "a", 1) == UINT64_C(0xfe4a47335692551e));
  assert_true(ww_siphash(&seed42, "1234567", 7) == UINT64_C(0xf426c87f0d9890ae));
  assert_true(ww_siphash(&seed42, "12345678", 8) == UINT64_C(0x84eb586ab30cc7f5));
  assert_true(ww_siphash(&seed42, "123456789", 9) == UINT64_C(0x2cc2cece25c33444));
  assert_true(ww_siphash(&seed42, counting, 63) == UINT64_C(0x6e24d6f0d014c37));
}

static void siphash_of_nothing_depends_on_the_key(void **state) {
  (void)state;
  static const struct ww_hash_key a = {0, 0}, b = {0, 1};
  assert_true(ww_siphash(&a, NULL, 0) == ww_siphash(&a, "x", 0));
  assert_true(ww_siphash(&a, NULL, 0) != ww_siphash(&b, NULL, 0));
}

static void xxh3_is_the_published_function(void **state) {
  (void)state;
  /* The value for the empty input under seed 0 that the xxHash specification's test vectors give. */
  assert_true(ww_hash(NULL, 0) == UINT64_C(0x2d06800538d394c2));
  assert_true(ww_hash("", 0) == ww_hash(NULL, 0));
  assert_true(ww_hash("a", 1) != ww_hash("b", 1));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(siphash_agrees_with_cpython),
      cmocka_unit_test(siphash_of_nothing_depends_on_the_key),
      cmocka_unit_test(xxh3_is_the_published_function),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
