/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Elements of CCR payload states, checked as the draft asks: "Readers MUST check contextual bounds on all fields".
 *
 * A CCR is canonical: of every set there is one encoding, and its hash is what caches compare. So an order that is not
 * ascending, a record that is there twice and a maxLength that need not be there are errors, however harmless.
 *
 * Clauses: draft-ietf-sidrops-rpki-ccr-11 §3.4.2, §3.4.3, §3.4.5, §6, RFC 9582 §4.3, RFC 3779 §2.1.1.
 */
#include "sources/ccr_decode.h"

#include <stdlib.h>

const uint8_t *ww_ccr_read_octets(struct ww_der *d, size_t len, const char *why) {
  size_t at = ww_der_offset(d);
  struct ww_der_span s = ww_der_contents(d, WW_DER_OCTET_STRING);
  if (ww_der_ok(d) && s.len != len)
    ww_der_fail_at(d, at, why);
  return ww_der_ok(d) ? s.p : NULL;
}

static void added(struct ww_der *d, size_t at, enum ww_err result, struct ww_ccr_decoding *to) {
  if (result == WW_OK)
    return;
  if (result != WW_ERR_INVAL)
    to->err = result;
  ww_der_fail_at(d, at, result == WW_ERR_INVAL ? "a record that cannot be" : ww_err_name(result));
}

/* --- ROAPayloadSet --------------------------------------------------------------------------------------------- */

static void read_address(struct ww_der *d, struct ww_vrp *vrp) {
  size_t at = ww_der_offset(d);
  struct ww_der in = ww_der_enter(d, WW_DER_SEQUENCE);
  unsigned unused, bits = ww_afi_bits(vrp->prefix.afi);
  struct ww_der_span s = ww_der_bits(&in, &unused);
  if (s.len * 8 - unused > bits) {
    ww_der_fail_at(d, at, bits == 32 ? "a prefix longer than 32 bits" : "a prefix longer than 128 bits");
    return;
  }
  /* RFC 3779 §2.1.1: the bits of the prefix and no more, so what follows in the address is 0. */
  memset(vrp->prefix.addr, 0, sizeof(vrp->prefix.addr));
  if (s.len)
    memcpy(vrp->prefix.addr, s.p, s.len);
  vrp->prefix.len = vrp->max_len = (uint8_t)(s.len * 8 - unused);
  if (ww_der_more(&in)) {
    size_t max_at = ww_der_offset(&in);
    uint64_t max_len = ww_der_u64(&in, UINT64_MAX);
    /* RFC 9582 §4.3.2.2 */
    if (max_len > bits)
      ww_der_fail_at(d, max_at, bits == 32 ? "a maxLength over 32" : "a maxLength over 128");
    else if (max_len < vrp->prefix.len)
      ww_der_fail_at(d, max_at, "a maxLength that is less than the length of the prefix");
    else if (max_len == vrp->prefix.len)
      /* CHOICE: RFC 9582 says SHOULD NOT; in a canonical representation that leaves one form. */
      ww_der_fail_at(d, max_at, "a maxLength that equals the length of the prefix is to be left out");
    else
      vrp->max_len = (uint8_t)max_len;
  }
  (void)ww_der_end(&in);
}

/*
 * Is `b` one that may follow `a`, and not the same?
 *
 * RFC 9582 §4.3.3.1, which the draft names: by address, then the shorter prefix, then the smaller maxLength first.
 * DEVIATION: rpki-client (as of 2026) has the longer prefix and the larger maxLength of one address first, and most
 * CCRs are its. Either order is read; a file that mixes them is in none.
 */
static bool follows(const struct ww_vrp *a, const struct ww_vrp *b, struct ww_ccr_decoding *to) {
  int c = ww_vrp_compare(a, b);
  bool one_address =
      a->prefix.afi == b->prefix.afi && memcmp(a->prefix.addr, b->prefix.addr, sizeof(a->prefix.addr)) == 0;
  if (c == 0 || !one_address)
    return c < 0;
  to->by_rfc = to->by_rfc || c < 0;
  to->by_client = to->by_client || c > 0;
  return !(to->by_rfc && to->by_client);
}

static uint8_t read_family(struct ww_der *family) {
  size_t at = ww_der_offset(family);
  const uint8_t *p = ww_ccr_read_octets(family, 2, "an addressFamily that is not of two octets");
  if (p && p[0] == 0 && (p[1] == WW_AFI_IPV4 || p[1] == WW_AFI_IPV6))
    return p[1];
  ww_der_fail_at(family, at, "an addressFamily that is neither IPv4 nor IPv6");
  return WW_AFI_NONE;
}

uint32_t ww_ccr_read_roa(struct ww_der *d, struct ww_ccr_decoding *to) {
  struct ww_der set = ww_der_enter(d, WW_DER_SEQUENCE);
  struct ww_vrp vrp = {.asn = ww_der_u32(&set)}, last = {0};
  struct ww_der blocks = ww_der_enter(&set, WW_DER_SEQUENCE);
  if (ww_der_ok(d) && !ww_der_more(&blocks))
    ww_der_fail(&blocks, "an empty ipAddrBlocks");
  while (ww_der_more(&blocks)) {
    size_t family_at = ww_der_offset(&blocks);
    struct ww_der family = ww_der_enter(&blocks, WW_DER_SEQUENCE);
    uint8_t afi = read_family(&family);
    /* RFC 9582 §4.3.3.1: by afi, addr, plen, mlen, each once; here over the whole of ipAddrBlocks. */
    if (afi <= vrp.prefix.afi)
      ww_der_fail_at(d, family_at, "address families that do not ascend");
    vrp.prefix.afi = afi;
    struct ww_der addresses = ww_der_enter(&family, WW_DER_SEQUENCE);
    if (ww_der_ok(d) && !ww_der_more(&addresses))
      ww_der_fail(&addresses, "an address family without addresses");
    while (ww_der_more(&addresses)) {
      size_t at = ww_der_offset(&addresses);
      read_address(&addresses, &vrp);
      if (!ww_der_ok(d))
        break;
      if (last.prefix.afi && !follows(&last, &vrp, to))
        ww_der_fail_at(d, at, "prefixes that do not ascend");
      else
        added(d, at, ww_payloads_add_vrp(to->out, &vrp), to);
      last = vrp;
    }
    (void)ww_der_end(&family);
  }
  (void)ww_der_end(&set);
  return vrp.asn;
}

/* --- ASPAPayloadSet -------------------------------------------------------------------------------------------- */

uint32_t ww_ccr_read_aspa(struct ww_der *d, struct ww_ccr_decoding *to) {
  size_t at = ww_der_offset(d);
  struct ww_der set = ww_der_enter(d, WW_DER_SEQUENCE);
  struct ww_aspa aspa = {.customer = ww_der_u32(&set)};
  struct ww_der list = ww_der_enter(&set, WW_DER_SEQUENCE);
  uint32_t few[64], *providers = few, cap = sizeof(few) / sizeof(few[0]), count = 0;
  if (ww_der_ok(d) && !ww_der_more(&list))
    ww_der_fail(&list, "an empty list of providers");
  while (ww_der_more(&list)) {
    size_t provider_at = ww_der_offset(&list);
    uint32_t provider = ww_der_u32(&list);
    if (count && provider <= providers[count - 1])
      ww_der_fail_at(d, provider_at, "providers that do not ascend");
    /* draft-ietf-sidrops-rpki-ccr-11 §3.4.3: AS 0 stands alone. */
    if (count == 1 && providers[0] == 0)
      ww_der_fail_at(d, provider_at, "AS 0 beside other providers");
    if (count == cap) {
      uint32_t *larger = malloc((size_t)cap * 2 * sizeof(*larger));
      if (!larger) {
        added(d, at, WW_ERR_NOMEM, to);
        break;
      }
      memcpy(larger, providers, count * sizeof(*larger));
      if (providers != few)
        free(providers);
      providers = larger;
      cap *= 2;
    }
    providers[count++] = provider;
  }
  (void)ww_der_end(&set);
  aspa.providers = providers;
  aspa.provider_count = count;
  if (ww_der_ok(d))
    added(d, at, ww_payloads_add_aspa(to->out, &aspa), to);
  if (providers != few)
    free(providers);
  return aspa.customer;
}

/* --- RouterKeySet ---------------------------------------------------------------------------------------------- */

/* SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING }, in one piece. */
static struct ww_der_span read_spki(struct ww_der *d) {
  struct ww_der at = *d;
  struct ww_der_span whole = ww_der_element(d, WW_DER_SEQUENCE);
  struct ww_der in = ww_der_enter(&at, WW_DER_SEQUENCE);
  struct ww_der algorithm = ww_der_enter(&in, WW_DER_SEQUENCE);
  (void)ww_der_oid(&algorithm);
  if (ww_der_more(&algorithm))
    (void)ww_der_any(&algorithm);
  (void)ww_der_end(&algorithm);
  (void)ww_der_bits(&in, NULL);
  (void)ww_der_end(&in);
  return whole;
}

uint32_t ww_ccr_read_keys(struct ww_der *d, struct ww_ccr_decoding *to) {
  struct ww_der set = ww_der_enter(d, WW_DER_SEQUENCE);
  struct ww_router_key key = {.asn = ww_der_u32(&set)}, last = {0};
  struct ww_der list = ww_der_enter(&set, WW_DER_SEQUENCE);
  if (ww_der_ok(d) && !ww_der_more(&list))
    ww_der_fail(&list, "an empty set of router keys");
  while (ww_der_more(&list)) {
    size_t at = ww_der_offset(&list);
    struct ww_der one = ww_der_enter(&list, WW_DER_SEQUENCE);
    const uint8_t *ski = ww_ccr_read_octets(&one, WW_SKI_LEN, "an SKI that is not of 20 octets");
    struct ww_der_span spki = read_spki(&one);
    if (!ww_der_end(&one) || !ski)
      break;
    memcpy(key.ski, ski, WW_SKI_LEN);
    key.spki = spki.p;
    key.spki_len = spki.len > WW_SPKI_MAX ? WW_SPKI_MAX + 1 : (uint32_t)spki.len;
    /* CHOICE: the draft orders by SKI and is silent on two keys with one SKI; then by the octets of the SPKI. */
    if (last.spki && ww_router_key_compare(&last, &key) >= 0)
      ww_der_fail_at(d, at, "router keys that do not ascend");
    else
      added(d, at, ww_payloads_add_key(to->out, &key), to);
    last = key;
  }
  (void)ww_der_end(&set);
  return key.asn;
}
