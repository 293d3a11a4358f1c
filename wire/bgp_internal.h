/* SPDX-License-Identifier: BSD-2-Clause */
/* What the BGP files of this room share with each other and with nobody else. */
#ifndef WW_WIRE_BGP_INTERNAL_H
#define WW_WIRE_BGP_INTERNAL_H

#include "wire/bgp.h"

enum { WW_AS_TRANS = 23456 }; /* RFC 6793 §9 */

/* Reserves a message's header; ww_bgp_message_end() patches its length. */
size_t ww_bgp_message_begin(struct ww_writer *w, uint8_t type);
void ww_bgp_message_end(struct ww_writer *w, size_t start);

/* RFC 7606 §5.3: true when every prefix length suits the family and the last prefix ends with the run. */
bool ww_nlri_check(const struct ww_nlri *nlri);

/* NULL, or what is wrong with the value of an AS_PATH whose AS numbers take `width` (2 or 4) octets. */
const char *ww_as_path_fault(const uint8_t *data, size_t len, unsigned width, bool confed);
/* The same for AS4_PATH, whose rules differ (RFC 6793 §6). *confed: it has confederation segments, to be left out. */
const char *ww_as4_path_fault(const uint8_t *data, size_t len, bool *confed);
/* Writes a checked 2-octet AS_PATH in canonical form. */
void ww_as_path_widen(struct ww_writer *w, const uint8_t *path, size_t len);
/* Writes a checked 2-octet AS_PATH merged with a checked AS4_PATH (RFC 6793 §4.2.3). */
void ww_as_path_merge(struct ww_writer *w, const uint8_t *path, size_t len, const uint8_t *as4, size_t as4_len);

#endif
