/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DER in a notation that tests can write, good or bad:
 *
 *   S(...) SEQUENCE    C2(...) [2] constructed    I7 INTEGER       O0a0b OCTET STRING    B4:0a10 BIT STRING, 4 unused
 * bits T20260515000010Z GeneralizedTime               N2a03 OBJECT IDENTIFIER               R0500 octets as they are U:
 * a [6] URI       K: 20 octets of 0 as OCTET STRING with the last octet that follows, as Kff Z: SHA-256 of the first
 * element of what it stands in, as OCTET STRING
 */
#ifndef WW_TESTS_SOURCES_CCR_NOTATION_H
#define WW_TESTS_SOURCES_CCR_NOTATION_H

#include <stddef.h>
#include <stdint.h>

/* The number of octets written to `out`; aborts where the notation is not understood or does not fit. */
size_t der_of(const char *notation, uint8_t *out, size_t cap);

#endif
