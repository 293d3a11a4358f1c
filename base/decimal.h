/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decimal numbers without printf, two digits a step: they are most of what a verdict is made of as text. Each function
 * returns where the text ends; no NUL is written.
 */
#ifndef WW_BASE_DECIMAL_H
#define WW_BASE_DECIMAL_H

#include <stdint.h>

enum { WW_DECIMAL_MAX = 10 }; /* digits of the largest uint32_t */

/* Exactly two digits: 00 to 99. */
static inline char *ww_decimal_pair(char *p, unsigned value) {
  p[0] = (char)('0' + value / 10);
  p[1] = (char)('0' + value % 10);
  return p + 2;
}

static inline char *ww_decimal_u32(char *p, uint32_t value) {
  unsigned digits = value < 10           ? 1
                    : value < 100        ? 2
                    : value < 1000       ? 3
                    : value < 10000      ? 4
                    : value < 100000     ? 5
                    : value < 1000000    ? 6
                    : value < 10000000   ? 7
                    : value < 100000000  ? 8
                    : value < 1000000000 ? 9
                                         : 10;
  char *end = p + digits, *at = end;
  for (; value >= 100; value /= 100)
    (void)ww_decimal_pair(at -= 2, value % 100);
  if (value >= 10)
    (void)ww_decimal_pair(p, value);
  else
    p[0] = (char)('0' + value);
  return end;
}

#endif
