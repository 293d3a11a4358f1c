/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Days are counted in years that begin on the 1st of March, so that the odd day of a leap year is the last one of its
 * year and a month's first day is a closed formula. 400 years are one period of the calendar.
 */
#include "base/calendar.h"

enum { SECONDS_A_DAY = 86400, DAYS_AN_ERA = 146097, DAYS_TO_1970 = 719468 /* from 0000-03-01 */ };

static bool leap_year(unsigned year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

static unsigned days_in(unsigned year, unsigned month) {
  static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return days[month - 1] + (month == 2 && leap_year(year) ? 1u : 0u);
}

bool ww_calendar_to_unix(const struct ww_calendar *c, int64_t *out) {
  if (c->year > 9999 || c->month < 1 || c->month > 12 || c->day < 1 || c->day > days_in(c->year, c->month))
    return false;
  if (c->hour > 23 || c->minute > 59 || c->second > 59)
    return false;
  int64_t year = (int64_t)c->year - (c->month <= 2);
  int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
  int64_t of_year = (153 * (int64_t)(c->month > 2 ? c->month - 3 : c->month + 9) + 2) / 5 + c->day - 1;
  int64_t days = era * DAYS_AN_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970;
  *out = days * SECONDS_A_DAY + c->hour * 3600 + c->minute * 60 + c->second;
  return true;
}

bool ww_calendar_from_unix(int64_t unix_sec, struct ww_calendar *out) {
  /* 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z */
  if (unix_sec < INT64_C(-62167219200) || unix_sec > INT64_C(253402300799))
    return false;
  int64_t second = unix_sec % SECONDS_A_DAY;
  second += second < 0 ? SECONDS_A_DAY : 0;
  int64_t days = (unix_sec - second) / SECONDS_A_DAY + DAYS_TO_1970;
  int64_t era = (days >= 0 ? days : days - (DAYS_AN_ERA - 1)) / DAYS_AN_ERA, day = days - era * DAYS_AN_ERA;
  int64_t of_era = (day - day / 1460 + day / 36524 - day / (DAYS_AN_ERA - 1)) / 365;
  int64_t of_year = day - (365 * of_era + of_era / 4 - of_era / 100), month = (5 * of_year + 2) / 153;
  out->day = (unsigned)(of_year - (153 * month + 2) / 5 + 1);
  out->month = (unsigned)(month < 10 ? month + 3 : month - 9);
  out->year = (unsigned)(of_era + era * 400 + (out->month <= 2));
  out->hour = (unsigned)(second / 3600);
  out->minute = (unsigned)(second / 60 % 60);
  out->second = (unsigned)(second % 60);
  return true;
}
