/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WAYWARDEN_PREFIX_H
#define WAYWARDEN_PREFIX_H

/**
 * @file
 * Addresses, prefixes and AS numbers: plain values, compared and printed one way everywhere.
 */
#include <stdbool.h>
#include <stdint.h>

#include <waywarden/error.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WW_AFI_NONE = 0, WW_AFI_IPV4 = 1, WW_AFI_IPV6 = 2 }; /* IANA Address Family Numbers */
enum { WW_SAFI_UNICAST = 1 };

/** `afi` WW_AFI_IPV4 uses bytes[0..3], the others are 0; WW_AFI_NONE means "no address". Network order. */
struct ww_addr {
  uint8_t afi;
  uint8_t bytes[16];
};

/** Host bits beyond `len` are 0 in every prefix that left a decoder or a parser. len <= 32 or 128. */
struct ww_prefix {
  uint8_t afi;
  uint8_t len;
  uint8_t addr[16];
};

enum { WW_ADDR_STRLEN = 46, WW_PREFIX_STRLEN = 50 }; /* with the final NUL */

/** 32 or 128; 0 for an unknown family. */
static inline uint8_t ww_afi_bits(uint8_t afi) {
  return (uint8_t)(afi == WW_AFI_IPV4 ? 32 : afi == WW_AFI_IPV6 ? 128 : 0);
}

/** Parses "192.0.2.0/24" or "2001:db8::/32". WW_ERR_MALFORMED for anything else, set host bits included. */
WW_EXPORT enum ww_err ww_prefix_parse(const char *text, struct ww_prefix *out) WW_MUST_USE;
/** Writes the RFC 5952 form into `buf` (>= WW_PREFIX_STRLEN) and returns it. */
WW_EXPORT char *ww_prefix_format(const struct ww_prefix *prefix, char *buf);
WW_EXPORT enum ww_err ww_addr_parse(const char *text, struct ww_addr *out) WW_MUST_USE;
WW_EXPORT char *ww_addr_format(const struct ww_addr *addr, char *buf);

/** Order: family, address, length. Negative, 0 or positive. */
WW_EXPORT int ww_prefix_compare(const struct ww_prefix *a, const struct ww_prefix *b);
/** True when `outer` contains `inner` or equals it; false across families. */
WW_EXPORT bool ww_prefix_covers(const struct ww_prefix *outer, const struct ww_prefix *inner);
/** True when the length suits the family and no host bit is set. */
WW_EXPORT bool ww_prefix_is_canonical(const struct ww_prefix *prefix);
/** Zeroes host bits. The length must suit the family. */
WW_EXPORT void ww_prefix_mask(struct ww_prefix *prefix);

/** Parses "64500", "AS64500" (any case); 0..4294967295. RFC 5396 asplain only. */
WW_EXPORT enum ww_err ww_asn_parse(const char *text, uint32_t *out) WW_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
