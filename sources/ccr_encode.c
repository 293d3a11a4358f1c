/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DER of the elements of CCR states.
 *
 * DER puts lengths before contents, so each element is measured by closed formulas and then written; nothing is moved.
 * A sorted set has VRPs by family, address, length, max_len, AS; the draft wants them by AS, and inside in just the
 * order of the rest. So a stable radix sort of their indexes by AS gives both.
 *
 * Clauses: draft-ietf-sidrops-rpki-ccr-11 §3.4, RFC 9582 §4.3 (form and order of ipAddrBlocks), X.690 (DER).
 */
#include "sources/ccr_encode.h"

#include <stdlib.h>

/* 1.2.840.113549.1.9.16.1.54 */
const uint8_t ww_ccr_content_oid[11] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x36};
/* 2.16.840.1.101.3.4.2.1 */
const uint8_t ww_ccr_sha256_oid[9] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};

/* --- ROAPayloadSet --------------------------------------------------------------------------------------------- */

/* ROAIPAddress: SEQUENCE { BIT STRING, maxLength INTEGER OPTIONAL }. Contents. */
static size_t address_len(const struct ww_vrp *vrp) {
  size_t bits = 2 + 1 + (vrp->prefix.len + 7u) / 8;
  /* RFC 9582 §4.3.2.2: a maxLength equal to the prefix length is left out. */
  return bits + (vrp->max_len != vrp->prefix.len ? ww_der_u64_size(vrp->max_len) : 0);
}

static size_t family_len(size_t addresses) { return 2 + 2 + ww_der_size(addresses); }

/* Contents of ipAddrBlocks, given those of each SEQUENCE OF ROAIPAddress. */
static size_t blocks_len(const size_t addresses[2]) {
  size_t len = 0;
  for (unsigned f = 0; f < 2; f++)
    if (addresses[f])
      len += ww_der_size(family_len(addresses[f]));
  return len;
}

static size_t roa_len(uint32_t asn, const size_t addresses[2]) {
  return ww_der_u64_size(asn) + ww_der_size(blocks_len(addresses));
}

static void put_roa_header(struct ww_writer *w, uint32_t asn, const size_t addresses[2]) {
  ww_der_put_header(w, WW_DER_SEQUENCE, roa_len(asn, addresses));
  ww_der_put_u64(w, asn);
  ww_der_put_header(w, WW_DER_SEQUENCE, blocks_len(addresses));
}

static void put_family_header(struct ww_writer *w, unsigned family, size_t addresses) {
  const uint8_t afi[2] = {0, (uint8_t)(family ? WW_AFI_IPV6 : WW_AFI_IPV4)};
  ww_der_put_header(w, WW_DER_SEQUENCE, family_len(addresses));
  ww_der_put(w, WW_DER_OCTET_STRING, afi, sizeof(afi));
  ww_der_put_header(w, WW_DER_SEQUENCE, addresses);
}

/* Measures each SEQUENCE OF ROAIPAddress; where IPv6 begins. */
static size_t measure_addresses(const struct ww_vrp *vrps, size_t count, size_t addresses[2]) {
  size_t i = 0, split;
  addresses[0] = addresses[1] = 0;
  for (; i < count && vrps[i].prefix.afi == WW_AFI_IPV4; i++)
    addresses[0] += ww_der_size(address_len(&vrps[i]));
  for (split = i; i < count; i++)
    addresses[1] += ww_der_size(address_len(&vrps[i]));
  return split;
}

void ww_ccr_put_address(struct ww_writer *w, const struct ww_vrp *vrp) {
  /* RFC 3779 §2.1.1: a prefix is a BIT STRING of its bits; the first octet counts those unused at the end. */
  unsigned octets = (vrp->prefix.len + 7u) / 8;
  ww_der_put_header(w, WW_DER_SEQUENCE, address_len(vrp));
  ww_der_put_header(w, WW_DER_BIT_STRING, 1 + octets);
  ww_writer_u8(w, (uint8_t)(octets * 8 - vrp->prefix.len));
  ww_writer_bytes(w, vrp->prefix.addr, octets);
  if (vrp->max_len != vrp->prefix.len)
    ww_der_put_u64(w, vrp->max_len);
}

size_t ww_ccr_roa_size(const struct ww_vrp *vrps, size_t count) {
  size_t addresses[2];
  (void)measure_addresses(vrps, count, addresses);
  return ww_der_size(roa_len(vrps[0].asn, addresses));
}

void ww_ccr_put_roa(struct ww_writer *w, const struct ww_vrp *vrps, size_t count) {
  size_t addresses[2], split = measure_addresses(vrps, count, addresses);
  put_roa_header(w, vrps[0].asn, addresses);
  for (unsigned f = 0; f < 2; f++) {
    if (addresses[f])
      put_family_header(w, f, addresses[f]);
    for (size_t i = f ? split : 0; i < (f ? count : split); i++)
      ww_ccr_put_address(w, &vrps[i]);
  }
}

size_t ww_ccr_roa_size_of(uint32_t asn, const struct ww_der_span families[2]) {
  const size_t addresses[2] = {families[0].len, families[1].len};
  return addresses[0] || addresses[1] ? ww_der_size(roa_len(asn, addresses)) : 0;
}

void ww_ccr_put_roa_of(struct ww_writer *w, uint32_t asn, const struct ww_der_span families[2]) {
  const size_t addresses[2] = {families[0].len, families[1].len};
  if (!addresses[0] && !addresses[1])
    return;
  put_roa_header(w, asn, addresses);
  for (unsigned f = 0; f < 2; f++)
    if (addresses[f]) {
      put_family_header(w, f, addresses[f]);
      ww_writer_bytes(w, families[f].p, families[f].len);
    }
}

uint32_t *ww_ccr_order(const struct ww_vrp *vrps, size_t count) {
  enum { BITS = 8, VALUES = 1 << BITS }; /* small enough that sorting a few records costs no more than these */
  if (count > UINT32_MAX)
    return NULL;
  uint32_t *a = malloc((count ? count : 1) * sizeof(*a)), *b = malloc((count ? count : 1) * sizeof(*b));
  uint32_t starts[VALUES];
  if (a && b) {
    for (size_t i = 0; i < count; i++)
      a[i] = (uint32_t)i;
    for (unsigned shift = 0; shift < 32; shift += BITS) {
      memset(starts, 0, sizeof(starts));
      for (size_t i = 0; i < count; i++)
        starts[vrps[i].asn >> shift & (VALUES - 1)]++;
      uint32_t sum = 0;
      for (unsigned v = 0; v < VALUES; v++) {
        uint32_t here = starts[v];
        starts[v] = sum;
        sum += here;
      }
      for (size_t i = 0; i < count; i++)
        b[starts[vrps[a[i]].asn >> shift & (VALUES - 1)]++] = a[i];
      uint32_t *t = a;
      a = b;
      b = t;
    }
  } else {
    free(a);
    a = NULL;
  }
  free(b);
  return a;
}

/* --- ASPAPayloadSet -------------------------------------------------------------------------------------------- */

static size_t providers_len(const struct ww_aspa *aspa) {
  size_t len = 0;
  for (uint32_t i = 0; i < aspa->provider_count; i++)
    len += ww_der_u64_size(aspa->providers[i]);
  return len;
}

static size_t aspa_len(const struct ww_aspa *aspa, size_t providers) {
  return ww_der_u64_size(aspa->customer) + ww_der_size(providers);
}

size_t ww_ccr_aspa_size(const struct ww_aspa *aspa) { return ww_der_size(aspa_len(aspa, providers_len(aspa))); }

void ww_ccr_put_aspa(struct ww_writer *w, const struct ww_aspa *aspa) {
  size_t providers = providers_len(aspa);
  ww_der_put_header(w, WW_DER_SEQUENCE, aspa_len(aspa, providers));
  ww_der_put_u64(w, aspa->customer);
  ww_der_put_header(w, WW_DER_SEQUENCE, providers);
  for (uint32_t i = 0; i < aspa->provider_count; i++)
    ww_der_put_u64(w, aspa->providers[i]);
}

/* --- RouterKeySet ---------------------------------------------------------------------------------------------- */

/* RouterKey: SEQUENCE { ski, spki }. The SPKI is an element already. Contents. */
static size_t key_len(const struct ww_router_key *key) { return ww_der_size(WW_SKI_LEN) + key->spki_len; }

static size_t keys_len(const struct ww_router_key *keys, size_t count) {
  size_t len = 0;
  for (size_t i = 0; i < count; i++)
    len += ww_der_size(key_len(&keys[i]));
  return len;
}

size_t ww_ccr_keys_size(const struct ww_router_key *keys, size_t count) {
  return ww_der_size(ww_der_u64_size(keys[0].asn) + ww_der_size(keys_len(keys, count)));
}

void ww_ccr_put_keys(struct ww_writer *w, const struct ww_router_key *keys, size_t count) {
  size_t len = keys_len(keys, count);
  ww_der_put_header(w, WW_DER_SEQUENCE, ww_der_u64_size(keys[0].asn) + ww_der_size(len));
  ww_der_put_u64(w, keys[0].asn);
  ww_der_put_header(w, WW_DER_SEQUENCE, len);
  for (size_t i = 0; i < count; i++) {
    ww_der_put_header(w, WW_DER_SEQUENCE, key_len(&keys[i]));
    ww_der_put(w, WW_DER_OCTET_STRING, keys[i].ski, WW_SKI_LEN);
    ww_writer_bytes(w, keys[i].spki, keys[i].spki_len);
  }
}
