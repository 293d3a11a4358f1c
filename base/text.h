/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WW_BASE_TEXT_H
#define WW_BASE_TEXT_H

/* Replaces every control character, and every octet that is not of well-formed UTF-8, by '?': text that quotes a peer
 * stays one line, cannot steer a terminal, and can stand in JSON. The length stays. */
void ww_text_one_line(char *text);

#endif
