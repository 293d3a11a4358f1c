/* SPDX-License-Identifier: BSD-2-Clause */
/* The Gregorian calendar in UTC, from and to Unix time. No zones, no leap seconds, no system clock. */
#ifndef WW_BASE_CALENDAR_H
#define WW_BASE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

struct ww_calendar {
  unsigned year, month, day; /* month and day from 1 */
  unsigned hour, minute, second;
};

/* False, and *out untouched, where the calendar has no such day or the clock no such second. Years 0 to 9999. */
bool ww_calendar_to_unix(const struct ww_calendar *c, int64_t *out);
/* False for years before 0 or after 9999. */
bool ww_calendar_from_unix(int64_t unix_sec, struct ww_calendar *out);

#endif
