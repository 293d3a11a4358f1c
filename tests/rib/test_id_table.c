/* SPDX-License-Identifier: BSD-2-Clause */
/* rib/id_table.c: against an array, with hashes few enough to collide all the time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rib/id_table.h"

static uint32_t rng_state = 12345;

static uint32_t rng(uint32_t below) {
  rng_state = rng_state * 1664525u + 1013904223u;
  return (uint32_t)((uint64_t)(rng_state >> 8) * below >> 24);
}

static bool same(const void *ctx, uint32_t id) { return *(const uint32_t *)ctx == id; }

/* Ids 1..COUNT; an id's hash depends on the round: all alike, few values, or spread to the end of the table. */
enum { COUNT = 300, STEPS = 60000 };

static uint32_t hash_of(uint32_t id, unsigned round) { return round == 0 ? 7 : round == 1 ? id % 5 : id * 0x9e3779b9u; }

static void test_model(void **state) {
  (void)state;
  for (unsigned round = 0; round < 3; round++) {
    struct ww_id_table table = {0};
    bool in[COUNT + 1] = {false};
    size_t count = 0;
    for (unsigned step = 0; step < STEPS / (round == 0 ? 10u : 1u); step++) {
      uint32_t id = 1 + rng(COUNT);
      assert_int_equal(ww_id_table_find(&table, hash_of(id, round), same, &id), in[id] ? id : 0);
      if (rng(8) < (step / 5000 % 2 ? 2u : 6u) && !in[id]) {
        assert_int_equal(ww_id_table_add(&table, hash_of(id, round), id), WW_OK);
        in[id] = true;
        count++;
      } else if (in[id]) {
        ww_id_table_remove(&table, hash_of(id, round), id);
        in[id] = false;
        count--;
      }
      assert_int_equal(table.count, count);
    }
    for (uint32_t id = 1; id <= COUNT; id++)
      assert_int_equal(ww_id_table_find(&table, hash_of(id, round), same, &id), in[id] ? id : 0);
    ww_id_table_fini(&table);
  }
}

static void test_empty(void **state) {
  (void)state;
  struct ww_id_table table = {0};
  uint32_t id = 1;
  assert_int_equal(ww_id_table_find(&table, 1, same, &id), 0);
  ww_id_table_fini(&table);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_empty), cmocka_unit_test(test_model)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
