/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the system's clocks: monotonic time for timers, Unix time for expiry and message stamps.
 */
#include "daemon/clock.h"

#include <time.h>

struct ww_now ww_clock_read(void) {
  struct timespec mono, real;
  clock_gettime(CLOCK_MONOTONIC, &mono);
  clock_gettime(CLOCK_REALTIME, &real);
  return (struct ww_now){.mono = (ww_mono_ms)mono.tv_sec * 1000 + (ww_mono_ms)mono.tv_nsec / 1000000,
                         .unix_sec = real.tv_sec,
                         .unix_usec = (uint32_t)(real.tv_nsec / 1000)};
}
