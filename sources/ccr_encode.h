/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The elements of which the payload states of a CCR (draft-ietf-sidrops-rpki-ccr-11) consist, in DER: one for each AS.
 * Sizes and octets; private to the ccr_*.c files.
 */
#ifndef WW_SOURCES_CCR_ENCODE_H
#define WW_SOURCES_CCR_ENCODE_H

#include <waywarden/payload.h>

#include "base/der.h"

/* draft-ietf-sidrops-rpki-ccr-11 §3.4: the states and their tags. */
enum ww_ccr_tag {
  WW_CCR_MANIFESTS = 1,
  WW_CCR_VRPS = 2,
  WW_CCR_ASPAS = 3,
  WW_CCR_TRUST_ANCHORS = 4,
  WW_CCR_KEYS = 5,
};

enum { WW_CCR_DIGEST_LEN = 32 }; /* SHA-256 */

/* OBJECT IDENTIFIERs as ww_der_oid() gives them. */
extern const uint8_t ww_ccr_content_oid[11]; /* id-ct-rpkiCanonicalCacheRepresentation */
extern const uint8_t ww_ccr_sha256_oid[9];

/* ROAPayloadSet: `count` >= 1 VRPs, all of one AS, in the order of ww_vrp_compare(). */
size_t ww_ccr_roa_size(const struct ww_vrp *vrps, size_t count);
void ww_ccr_put_roa(struct ww_writer *w, const struct ww_vrp *vrps, size_t count);
/* One ROAIPAddress; and a ROAPayloadSet of those of IPv4 and IPv6, encoded and in order. Size 0 when there are none. */
void ww_ccr_put_address(struct ww_writer *w, const struct ww_vrp *vrp);
size_t ww_ccr_roa_size_of(uint32_t asn, const struct ww_der_span families[2]);
void ww_ccr_put_roa_of(struct ww_writer *w, uint32_t asn, const struct ww_der_span families[2]);
/* ASPAPayloadSet */
size_t ww_ccr_aspa_size(const struct ww_aspa *aspa);
void ww_ccr_put_aspa(struct ww_writer *w, const struct ww_aspa *aspa);
/* RouterKeySet: `count` >= 1 keys, all of one AS, in the order of ww_router_key_compare(). */
size_t ww_ccr_keys_size(const struct ww_router_key *keys, size_t count);
void ww_ccr_put_keys(struct ww_writer *w, const struct ww_router_key *keys, size_t count);

/* The order that the draft wants: indexes into `vrps` (sorted) by AS, and within an AS as they were. Caller frees; NULL
 * when memory ran out. */
uint32_t *ww_ccr_order(const struct ww_vrp *vrps, size_t count);

#endif
