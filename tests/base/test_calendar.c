/* SPDX-License-Identifier: BSD-2-Clause */
/* The calendar against known days, its edges, and itself over four centuries. */
#include "base/calendar.h"

#include "tests/base/cmocka_all.h"

static int64_t unix_of(unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute, unsigned second) {
  struct ww_calendar c = {year, month, day, hour, minute, second};
  int64_t out = -1;
  assert_true(ww_calendar_to_unix(&c, &out));
  return out;
}

static void known_times(void **state) {
  (void)state;
  assert_true(unix_of(1970, 1, 1, 0, 0, 0) == 0);
  assert_true(unix_of(1969, 12, 31, 23, 59, 59) == -1);
  assert_true(unix_of(2000, 2, 29, 12, 0, 0) == 951825600);
  assert_true(unix_of(2026, 11, 21, 0, 0, 0) == 1795219200);
  assert_true(unix_of(2038, 1, 19, 3, 14, 8) == INT64_C(2147483648));
  assert_true(unix_of(0, 1, 1, 0, 0, 0) == INT64_C(-62167219200));
  assert_true(unix_of(9999, 12, 31, 23, 59, 59) == INT64_C(253402300799));
}

static void days_that_are_none(void **state) {
  (void)state;
  static const struct ww_calendar bad[] = {
      {2026, 0, 1, 0, 0, 0},  {2026, 13, 1, 0, 0, 0}, {2026, 1, 0, 0, 0, 0},  {2026, 4, 31, 0, 0, 0},
      {2026, 2, 29, 0, 0, 0}, {1900, 2, 29, 0, 0, 0}, {2026, 1, 1, 24, 0, 0}, {2026, 1, 1, 0, 60, 0},
      {2026, 1, 1, 0, 0, 60}, {10000, 1, 1, 0, 0, 0},
  };
  int64_t out = 7;
  for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_false(ww_calendar_to_unix(&bad[i], &out));
  assert_true(out == 7);
  struct ww_calendar c;
  assert_false(ww_calendar_from_unix(INT64_C(-62167219201), &c));
  assert_false(ww_calendar_from_unix(INT64_C(253402300800), &c));
  assert_false(ww_calendar_from_unix(INT64_MIN, &c));
  assert_false(ww_calendar_from_unix(INT64_MAX, &c));
}

static void there_and_back(void **state) {
  (void)state;
  /* Every day of 400 years and more, at another time of day each. */
  struct ww_calendar last = {0, 0, 0, 0, 0, 0};
  for (int64_t day = -719528, i = 0; day < 200000; day++, i += 12347) {
    int64_t at = day * 86400 + i % 86400, back = 0;
    struct ww_calendar c;
    assert_true(ww_calendar_from_unix(at, &c));
    assert_true(ww_calendar_to_unix(&c, &back));
    assert_true(back == at);
    bool follows = c.year == last.year
                       ? c.month == last.month ? c.day == last.day + 1 : c.month == last.month + 1 && c.day == 1
                       : c.year == last.year + 1 && c.month == 1 && c.day == 1;
    assert_true(follows || i == 0);
    last = c;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_times),
      cmocka_unit_test(days_that_are_none),
      cmocka_unit_test(there_and_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
