/* SPDX-License-Identifier: BSD-2-Clause */
/* bmpout/journal.c: order, loss, and that every entry is passed exactly once and never too early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bmpout/view.h"

/* What on_passed said so far. */
struct passed {
  uint64_t count, last_seq;
  uint32_t last_id;
  bool disorder;
};

static void on_passed(void *ctx, const struct ww_change *change, uint64_t seq) {
  struct passed *p = ctx;
  if (seq != p->last_seq + 1)
    p->disorder = true;
  p->last_seq = seq;
  p->last_id = change->id;
  p->count++;
}

static struct ww_change route(uint32_t id) { return (struct ww_change){.kind = WW_CHANGE_ROUTE, .id = id}; }

static void test_reads_in_order(void **state) {
  (void)state;
  struct passed p = {0};
  struct ww_journal *j = ww_journal_new(16, on_passed, &p);
  struct ww_journal_reader *r = ww_journal_reader_new(j);
  struct ww_change c;
  uint64_t seq = 0;
  assert_int_equal(ww_journal_reader_next(r, &c, &seq), 0);
  for (uint32_t i = 1; i <= 5; i++)
    assert_int_equal(ww_journal_add(j, route(100 + i)), i);
  assert_int_equal(ww_journal_reader_lag(r), 5);
  for (uint32_t i = 1; i <= 5; i++) {
    assert_int_equal(ww_journal_reader_next(r, &c, &seq), 1);
    assert_int_equal(seq, i);
    assert_int_equal(c.id, 100 + i);
    assert_int_equal(p.count, i - 1); /* the one in hand is held */
  }
  assert_int_equal(ww_journal_reader_next(r, &c, &seq), 0);
  assert_int_equal(p.count, 5);
  assert_int_equal(ww_journal_reader_lag(r), 0);
  assert_false(p.disorder);
  ww_journal_reader_free(r);
  ww_journal_free(j);
}

static void test_reader_starts_at_the_end(void **state) {
  (void)state;
  struct ww_journal *j = ww_journal_new(16, NULL, NULL);
  ww_journal_add(j, route(1));
  struct ww_journal_reader *r = ww_journal_reader_new(j);
  struct ww_change c;
  uint64_t seq;
  assert_int_equal(ww_journal_reader_next(r, &c, &seq), 0);
  ww_journal_add(j, route(2));
  assert_int_equal(ww_journal_reader_next(r, &c, &seq), 1);
  assert_int_equal(c.id, 2);
  assert_int_equal(seq, 2);
  ww_journal_reader_free(r);
  ww_journal_free(j);
}

static void test_loss_is_told_once(void **state) {
  (void)state;
  struct passed p = {0};
  struct ww_journal *j = ww_journal_new(16, on_passed, &p);
  struct ww_journal_reader *slow = ww_journal_reader_new(j), *quick = ww_journal_reader_new(j);
  struct ww_change c;
  uint64_t seq;
  for (uint32_t i = 1; i <= 16; i++)
    ww_journal_add(j, route(i));
  assert_int_equal(p.count, 0); /* full, nothing lost */
  while (ww_journal_reader_next(quick, &c, &seq) == 1) {
  }
  assert_int_equal(p.count, 0); /* the slow one still needs them all */
  ww_journal_add(j, route(17));
  /* The slow reader fell off: nobody holds 1..16 now, and all of them are passed, before 17 is. */
  assert_int_equal(p.count, 16);
  ww_journal_add(j, route(18));
  assert_int_equal(ww_journal_reader_next(slow, &c, &seq), -1);
  assert_int_equal(ww_journal_reader_next(slow, &c, &seq), 0);
  ww_journal_add(j, route(19));
  assert_int_equal(ww_journal_reader_next(slow, &c, &seq), 1);
  assert_int_equal(seq, 19);
  for (uint32_t i = 17; i <= 19; i++) {
    assert_int_equal(ww_journal_reader_next(quick, &c, &seq), 1);
    assert_int_equal(seq, i);
  }
  assert_int_equal(ww_journal_reader_next(quick, &c, &seq), 0);
  assert_int_equal(ww_journal_reader_next(slow, &c, &seq), 0);
  assert_int_equal(p.count, 19);
  assert_false(p.disorder);
  ww_journal_reader_free(slow);
  ww_journal_reader_free(quick);
  ww_journal_free(j);
}

static void test_entry_in_hand_overwritten_is_no_loss(void **state) {
  (void)state;
  struct passed p = {0};
  struct ww_journal *j = ww_journal_new(16, on_passed, &p);
  struct ww_journal_reader *r = ww_journal_reader_new(j);
  struct ww_change c;
  uint64_t seq;
  ww_journal_add(j, route(1));
  assert_int_equal(ww_journal_reader_next(r, &c, &seq), 1);
  for (uint32_t i = 2; i <= 17; i++)
    ww_journal_add(j, route(i)); /* the 17th takes the place of the first, which was read */
  assert_int_equal(p.count, 1);
  for (uint32_t i = 2; i <= 17; i++) {
    assert_int_equal(ww_journal_reader_next(r, &c, &seq), 1);
    assert_int_equal(c.id, i);
  }
  ww_journal_reader_free(r);
  assert_int_equal(p.count, 17);
  ww_journal_free(j);
}

static void test_without_reader_passes_at_once_but_the_newest(void **state) {
  (void)state;
  struct passed p = {0};
  struct ww_journal *j = ww_journal_new(0, on_passed, &p);
  for (uint32_t i = 1; i <= 100; i++) {
    ww_journal_add(j, route(i));
    assert_int_equal(p.count, i - 1); /* the owner must get the number before it is passed */
  }
  struct ww_journal_reader *r = ww_journal_reader_new(j);
  ww_journal_reader_free(r);
  assert_int_equal(p.count, 100);
  ww_journal_free(j);
}

static void test_either_may_go_first(void **state) {
  (void)state;
  struct ww_journal *j = ww_journal_new(16, NULL, NULL);
  struct ww_journal_reader *r = ww_journal_reader_new(j);
  ww_journal_add(j, route(1));
  ww_journal_free(j);
  struct ww_change c;
  uint64_t seq;
  assert_int_equal(ww_journal_reader_next(r, &c, &seq), 0);
  assert_int_equal(ww_journal_reader_lag(r), 0);
  ww_journal_reader_free(r);
  ww_journal_reader_free(NULL);
  ww_journal_free(NULL);
  assert_null(ww_journal_new(SIZE_MAX, NULL, NULL));
}

/* Many readers at random speeds: each sees a gapless run between losses; passing never overtakes a reader. */
static void test_random_readers(void **state) {
  (void)state;
  enum { READERS = 4, STEPS = 200000 };
  struct passed p = {0};
  struct ww_journal *j = ww_journal_new(64, on_passed, &p);
  struct ww_journal_reader *r[READERS];
  uint64_t seen[READERS] = {0}, added = 0, losses = 0;
  uint32_t rng = 12345;
  for (unsigned i = 0; i < READERS; i++)
    r[i] = ww_journal_reader_new(j);
  for (unsigned step = 0; step < STEPS; step++) {
    rng = rng * 1664525u + 1013904223u;
    unsigned pick = rng >> 24;
    if (pick < 100) {
      added = ww_journal_add(j, route((uint32_t)(added + 1)));
      continue;
    }
    unsigned i = pick % READERS;
    if (i == 3 && pick < 220)
      continue; /* one that is often too slow */
    struct ww_change c;
    uint64_t seq;
    int got = ww_journal_reader_next(r[i], &c, &seq);
    if (got == 1) {
      assert_int_equal(seq, seen[i] + 1);
      assert_int_equal(c.id, (uint32_t)seq);
      assert_true(p.last_seq < seq);
      seen[i] = seq;
    } else if (got == -1) {
      losses++;
      seen[i] = added;
    } else {
      assert_int_equal(seen[i], added);
    }
    assert_true(added - p.last_seq <= 64);
  }
  assert_true(losses > 0);
  for (unsigned i = 0; i < READERS; i++)
    ww_journal_reader_free(r[i]);
  assert_int_equal(p.count, added);
  assert_false(p.disorder);
  ww_journal_free(j);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reads_in_order),
      cmocka_unit_test(test_reader_starts_at_the_end),
      cmocka_unit_test(test_loss_is_told_once),
      cmocka_unit_test(test_entry_in_hand_overwritten_is_no_loss),
      cmocka_unit_test(test_without_reader_passes_at_once_but_the_newest),
      cmocka_unit_test(test_either_may_go_first),
      cmocka_unit_test(test_random_readers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
