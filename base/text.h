/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WW_BASE_TEXT_H
#define WW_BASE_TEXT_H

/* How many octets the character at p has (RFC 3629 §4), 0 where there is no well-formed one. NUL-terminated: nothing
 * behind the NUL is looked at. */
unsigned ww_utf8_octets(const unsigned char *p);

/* Replaces every control character, and every octet that is not of well-formed UTF-8, by '?': text that quotes a peer
 * stays one line, cannot steer a terminal, and can stand in JSON. The length stays. */
void ww_text_one_line(char *text);

#endif
