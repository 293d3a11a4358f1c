/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Given to the static analyser in front of every file: ww_fail() returns the error that it is handed. The function is
 * defined elsewhere, so the analyser would follow paths on which a failure comes back as success.
 */
#include <waywarden/error.h>

#define ww_fail(diag, err, ...) ((void)ww_fail(diag, err, __VA_ARGS__), (err))
