/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Route Origin ASN of a route (RFC 6811 §2).
 */
#ifndef WW_RIB_ORIGIN_H
#define WW_RIB_ORIGIN_H

#include "wire/bgp.h"
#include <waywarden/verdict.h>

/* `local_as`: the AS of the BGP speaker that heard the route; stands in where the path names no AS outside of it.
 * 0 (not known) is never matched by a VRP. `path` is canonical: checked, 4-octet AS numbers. */
struct ww_origin ww_origin_of_path(struct ww_as_path path, uint32_t local_as);

/* The same of a decoded UPDATE, whose path is in AS_PATH or in BGPsec_PATH. */
struct ww_origin ww_origin_of_update(const struct ww_bgp_update *update, uint32_t local_as);

/* The segments of an UPDATE's Secure_Path (RFC 8205 §3.1), 6 octets each, the origin's last; at least one. False when
 * there is none, or no sound one. */
enum { WW_SECURE_PATH_CONFED = 0x80 }; /* flag of a segment: Confed_Segment */
bool ww_secure_path_of(const struct ww_bgp_update *update, struct ww_reader *out);

#endif
