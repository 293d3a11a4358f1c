/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine against its model on random scripts: no loss, no stale verdict (harness.c says how). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/engine/harness.h"

static uint64_t rng_state;

static uint8_t rng_octet(void) {
  rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
  return (uint8_t)(rng_state >> 40);
}

static void test_random_scripts(void **state) {
  (void)state;
  static uint8_t script[6000];
  struct harness_coverage coverage = {0};
  const char *seeds = getenv("WW_SEEDS"); /* more of them by hand */
  uint64_t count = seeds ? strtoull(seeds, NULL, 10) : 150;
  for (uint64_t seed = 1; seed <= count; seed++) {
    rng_state = seed * 77;
    size_t len = seed % 5 == 0 ? sizeof script : 60 + (size_t)(seed * 131 % 1500);
    for (size_t i = 0; i < len; i++)
      script[i] = rng_octet();
    const char *fault = harness_run(script, len, &coverage);
    if (fault)
      fail_msg("seed %llu: %s", (unsigned long long)seed, fault);
  }
  print_message("%llu steps, %llu checks, %llu losses, %llu peers resynchronised, %llu entries of routes gone or "
                "newer, %llu peer downs, "
                "%llu times not ready, %llu coalesced\n",
                (unsigned long long)coverage.steps, (unsigned long long)coverage.checks,
                (unsigned long long)coverage.losses, (unsigned long long)coverage.resyncs,
                (unsigned long long)coverage.gone, (unsigned long long)coverage.peer_downs,
                (unsigned long long)coverage.not_ready, (unsigned long long)coverage.coalesced);
  print_message("%llu ASPA deltas (%llu routes judged again, %llu not), %llu role changes\n",
                (unsigned long long)coverage.aspa_deltas, (unsigned long long)coverage.reevaluated,
                (unsigned long long)coverage.spared, (unsigned long long)coverage.role_changes);
  assert_true(coverage.aspa_deltas > 100);
  assert_true(coverage.role_changes > 100);
  assert_true(coverage.reevaluated > 20);
  assert_true(coverage.spared > 20);
  assert_true(coverage.losses > 20);
  assert_true(coverage.resyncs > 20);
  assert_true(coverage.gone > 100);
  assert_true(coverage.coalesced > 100);
  assert_true(coverage.not_ready > 20);
}

static void test_empty_script(void **state) {
  (void)state;
  struct harness_coverage coverage = {0};
  assert_null(harness_run(NULL, 0, &coverage));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_empty_script), cmocka_unit_test(test_random_scripts)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
