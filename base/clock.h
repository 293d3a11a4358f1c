/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time is always an argument: rooms below the daemon never read a clock. Monotonic milliseconds drive timers, Unix
 * time judges expiry and stamps messages.
 */
#ifndef WW_BASE_CLOCK_H
#define WW_BASE_CLOCK_H

#include <stdint.h>

typedef uint64_t ww_mono_ms; /* monotonic, milliseconds, any origin */
#define WW_MONO_NEVER UINT64_MAX

struct ww_now {
  ww_mono_ms mono;
  int64_t unix_sec;
  uint32_t unix_usec;
};

#endif
