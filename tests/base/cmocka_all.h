/* SPDX-License-Identifier: BSD-2-Clause */
/* cmocka wants these before itself. */
#ifndef WW_TESTS_BASE_CMOCKA_ALL_H
#define WW_TESTS_BASE_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* */
#include <cmocka.h>

#endif
