/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only place that reads a clock. Rooms below are handed its value.
 */
#ifndef WW_DAEMON_CLOCK_H
#define WW_DAEMON_CLOCK_H

#include "base/clock.h"

struct ww_now ww_clock_read(void);

#endif
