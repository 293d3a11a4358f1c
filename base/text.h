/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WW_BASE_TEXT_H
#define WW_BASE_TEXT_H

/* Replaces every control character by '?': text that quotes a peer stays one line and cannot steer a terminal. */
void ww_text_one_line(char *text);

#endif
