/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CCR state hashes: the DER of three sequences, streamed into SHA-256.
 *
 * DER puts lengths before contents, so everything is measured before it is written: once for the whole, and group by
 * group (all VRPs of an AS, all keys of an AS) again on the way. Sizes are added up from closed formulas; nothing but a
 * small buffer and, for VRPs, one index is held. A set of 700000 VRPs makes 7.5 MB of DER that never exists.
 *
 * A sorted set has VRPs by family, address, length, max_len, AS; the draft wants them by AS, and inside in just the
 * order of the rest. So a stable radix sort of their indexes by AS gives both.
 *
 * Clauses: draft-ietf-sidrops-rpki-ccr-11 (ROAPayloadState, ASPAPayloadState, RouterKeyState), RFC 9582 §4.3 (order and
 * form of ipAddrBlocks), X.690 (DER).
 */
#include "sources/ccr_hash.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
  DER_INTEGER = 0x02,
  DER_BIT_STRING = 0x03,
  DER_OCTET_STRING = 0x04,
  DER_SEQUENCE = 0x30,
  SINK_SIZE = 8192,
  SINK_ROOM = 64 /* more than any one element that is not a key */
};

/* --- sizes ----------------------------------------------------------------------------------------------------- */

static size_t length_size(size_t len) {
  size_t n = 1;
  if (len >= 0x80)
    for (; len; len >>= 8)
      n++;
  return n;
}

/* An element with its tag and length. */
static size_t element_size(size_t len) { return 1 + length_size(len) + len; }

static size_t integer_len(uint32_t v) {
  size_t n = 1;
  while (v > 0x7f) {
    n++;
    v >>= 8;
  }
  return n;
}

static size_t integer_size(uint32_t v) { return 2 + integer_len(v); }

/* ROAIPAddress: SEQUENCE { BIT STRING, maxLength INTEGER OPTIONAL }. Contents. */
static size_t address_len(const struct ww_vrp *vrp) {
  size_t bits = 2 + 1 + (vrp->prefix.len + 7u) / 8;
  /* RFC 9582 §4.3.2.2: a maxLength equal to the prefix length is left out. */
  return bits + (vrp->max_len != vrp->prefix.len ? integer_size(vrp->max_len) : 0);
}

/* --- the sink -------------------------------------------------------------------------------------------------- */

struct sink {
  EVP_MD_CTX *md;
  bool failed;
  size_t len;
  uint8_t buf[SINK_SIZE];
};

static void flush(struct sink *s) {
  if (!s->failed && s->len && !EVP_DigestUpdate(s->md, s->buf, s->len))
    s->failed = true;
  s->len = 0;
}

/* Room for one small element. */
static uint8_t *room(struct sink *s) {
  if (sizeof(s->buf) - s->len < SINK_ROOM)
    flush(s);
  return s->buf + s->len;
}

static void put_header(struct sink *s, uint8_t tag, size_t len) {
  uint8_t *p = room(s), *start = p;
  size_t octets = length_size(len);
  *p++ = tag;
  if (octets == 1) {
    *p++ = (uint8_t)len;
  } else {
    *p++ = (uint8_t)(0x80 | (octets - 1));
    for (size_t i = octets - 1; i-- > 0;)
      *p++ = (uint8_t)(len >> (8 * i));
  }
  s->len += (size_t)(p - start);
}

static void put_integer(struct sink *s, uint32_t v) {
  uint8_t *p = room(s);
  size_t n = integer_len(v);
  p[0] = DER_INTEGER;
  p[1] = (uint8_t)n;
  for (size_t i = 0; i < n; i++) {
    unsigned shift = (unsigned)(8 * (n - 1 - i));
    p[2 + i] = (uint8_t)(shift >= 32 ? 0 : v >> shift);
  }
  s->len += 2 + n;
}

static void put_octets(struct sink *s, const uint8_t *data, size_t len) {
  while (len) {
    size_t n = sizeof(s->buf) - s->len;
    if (n > len)
      n = len;
    memcpy(s->buf + s->len, data, n);
    s->len += n;
    data += n;
    len -= n;
    if (s->len == sizeof(s->buf))
      flush(s);
  }
}

static bool sink_begin(struct sink *s, const EVP_MD *sha256) {
  s->len = 0;
  s->failed = !EVP_DigestInit_ex(s->md, sha256, NULL);
  return !s->failed;
}

static bool sink_end(struct sink *s, uint8_t out[WW_CCR_HASH_LEN]) {
  flush(s);
  return !s->failed && EVP_DigestFinal_ex(s->md, out, NULL);
}

/* --- ROAPayloadState.rps --------------------------------------------------------------------------------------- */

/* A run of VRPs of one AS, as a range of the index. */
struct roa {
  size_t first, split, end; /* IPv4 [first, split), IPv6 [split, end) */
  size_t addresses[2];      /* contents of each SEQUENCE OF ROAIPAddress */
  size_t blocks, len;       /* contents of ipAddrBlocks, of the ROAPayloadSet */
};

static size_t family_len(size_t addresses) { return 2 + 2 + element_size(addresses); }

static struct roa measure_roa(const struct ww_vrp *vrps, const uint32_t *order, size_t count, size_t first) {
  struct roa roa = {.first = first};
  uint32_t asn = vrps[order[first]].asn;
  size_t i = first;
  for (; i < count && vrps[order[i]].asn == asn && vrps[order[i]].prefix.afi == WW_AFI_IPV4; i++)
    roa.addresses[0] += element_size(address_len(&vrps[order[i]]));
  roa.split = i;
  for (; i < count && vrps[order[i]].asn == asn; i++)
    roa.addresses[1] += element_size(address_len(&vrps[order[i]]));
  roa.end = i;
  for (unsigned f = 0; f < 2; f++)
    if (roa.addresses[f])
      roa.blocks += element_size(family_len(roa.addresses[f]));
  roa.len = integer_size(asn) + element_size(roa.blocks);
  return roa;
}

static void put_address(struct sink *s, const struct ww_vrp *vrp) {
  /* RFC 3779 §2.1.1: a prefix is a BIT STRING of its bits; the first octet counts those unused at the end. */
  unsigned octets = (vrp->prefix.len + 7u) / 8;
  put_header(s, DER_SEQUENCE, address_len(vrp));
  uint8_t *p = room(s);
  p[0] = DER_BIT_STRING;
  p[1] = (uint8_t)(1 + octets);
  p[2] = (uint8_t)(octets * 8 - vrp->prefix.len);
  memcpy(p + 3, vrp->prefix.addr, octets);
  s->len += 3 + octets;
  if (vrp->max_len != vrp->prefix.len)
    put_integer(s, vrp->max_len);
}

static void put_roa(struct sink *s, const struct ww_vrp *vrps, const uint32_t *order, const struct roa *roa) {
  put_header(s, DER_SEQUENCE, roa->len);
  put_integer(s, vrps[order[roa->first]].asn);
  put_header(s, DER_SEQUENCE, roa->blocks);
  for (unsigned f = 0; f < 2; f++) {
    if (!roa->addresses[f])
      continue;
    const uint8_t afi[2] = {0, (uint8_t)(f ? WW_AFI_IPV6 : WW_AFI_IPV4)};
    put_header(s, DER_SEQUENCE, family_len(roa->addresses[f]));
    put_header(s, DER_OCTET_STRING, sizeof(afi));
    put_octets(s, afi, sizeof(afi));
    put_header(s, DER_SEQUENCE, roa->addresses[f]);
    for (size_t i = f ? roa->split : roa->first; i < (f ? roa->end : roa->split); i++)
      put_address(s, &vrps[order[i]]);
  }
}

/* Indexes by AS, stable: two passes of 16 bits. NULL when memory ran out. */
static uint32_t *order_by_as(const struct ww_vrp *vrps, size_t count) {
  enum { VALUES = 65536 };
  uint32_t *a = malloc((count ? count : 1) * sizeof(*a)), *b = malloc((count ? count : 1) * sizeof(*b));
  uint32_t *starts = malloc(VALUES * sizeof(*starts));
  if (a && b && starts) {
    for (size_t i = 0; i < count; i++)
      a[i] = (uint32_t)i;
    for (unsigned shift = 0; shift < 32; shift += 16) {
      memset(starts, 0, VALUES * sizeof(*starts));
      for (size_t i = 0; i < count; i++)
        starts[vrps[i].asn >> shift & 0xffff]++;
      uint32_t sum = 0;
      for (unsigned v = 0; v < VALUES; v++) {
        uint32_t here = starts[v];
        starts[v] = sum;
        sum += here;
      }
      for (size_t i = 0; i < count; i++)
        b[starts[vrps[a[i]].asn >> shift & 0xffff]++] = a[i];
      uint32_t *t = a;
      a = b;
      b = t;
    }
  } else {
    free(a);
    a = NULL;
  }
  free(b);
  free(starts);
  return a;
}

static enum ww_err hash_vrps(struct sink *s, const struct ww_payloads *set) {
  if (set->vrp_count > UINT32_MAX)
    return WW_ERR_LIMIT;
  uint32_t *order = order_by_as(set->vrps, set->vrp_count);
  if (!order)
    return WW_ERR_NOMEM;
  size_t total = 0;
  for (size_t i = 0; i < set->vrp_count;) {
    struct roa roa = measure_roa(set->vrps, order, set->vrp_count, i);
    total += element_size(roa.len);
    i = roa.end;
  }
  put_header(s, DER_SEQUENCE, total);
  for (size_t i = 0; i < set->vrp_count;) {
    struct roa roa = measure_roa(set->vrps, order, set->vrp_count, i);
    put_roa(s, set->vrps, order, &roa);
    i = roa.end;
  }
  free(order);
  return WW_OK;
}

/* --- ASPAPayloadState.aps -------------------------------------------------------------------------------------- */

static size_t providers_len(const struct ww_aspa *aspa) {
  size_t len = 0;
  for (uint32_t i = 0; i < aspa->provider_count; i++)
    len += integer_size(aspa->providers[i]);
  return len;
}

static void hash_aspas(struct sink *s, const struct ww_payloads *set) {
  size_t total = 0;
  for (size_t i = 0; i < set->aspa_count; i++)
    total += element_size(integer_size(set->aspas[i].customer) + element_size(providers_len(&set->aspas[i])));
  put_header(s, DER_SEQUENCE, total);
  for (size_t i = 0; i < set->aspa_count; i++) {
    const struct ww_aspa *aspa = &set->aspas[i];
    size_t providers = providers_len(aspa);
    put_header(s, DER_SEQUENCE, integer_size(aspa->customer) + element_size(providers));
    put_integer(s, aspa->customer);
    put_header(s, DER_SEQUENCE, providers);
    for (uint32_t p = 0; p < aspa->provider_count; p++)
      put_integer(s, aspa->providers[p]);
  }
}

/* --- RouterKeyState.rksets ------------------------------------------------------------------------------------- */

static size_t router_key_len(const struct ww_router_key *key) { return element_size(WW_SKI_LEN) + key->spki_len; }

/* The contents of routerKeys of the AS at `first`; *end: behind its last key. */
static size_t measure_keys(const struct ww_payloads *set, size_t first, size_t *end) {
  size_t len = 0, i = first;
  for (; i < set->key_count && set->keys[i].asn == set->keys[first].asn; i++)
    len += element_size(router_key_len(&set->keys[i]));
  *end = i;
  return len;
}

static void hash_keys(struct sink *s, const struct ww_payloads *set) {
  size_t total = 0, end;
  for (size_t i = 0; i < set->key_count; i = end) {
    size_t keys = measure_keys(set, i, &end);
    total += element_size(integer_size(set->keys[i].asn) + element_size(keys));
  }
  put_header(s, DER_SEQUENCE, total);
  for (size_t i = 0; i < set->key_count; i = end) {
    size_t keys = measure_keys(set, i, &end);
    put_header(s, DER_SEQUENCE, integer_size(set->keys[i].asn) + element_size(keys));
    put_integer(s, set->keys[i].asn);
    put_header(s, DER_SEQUENCE, keys);
    for (size_t k = i; k < end; k++) {
      put_header(s, DER_SEQUENCE, router_key_len(&set->keys[k]));
      put_header(s, DER_OCTET_STRING, WW_SKI_LEN);
      put_octets(s, set->keys[k].ski, WW_SKI_LEN);
      put_octets(s, set->keys[k].spki, set->keys[k].spki_len);
    }
  }
}

enum ww_err ww_ccr_hash(const struct ww_payloads *set, struct ww_ccr_hashes *out) {
  enum ww_err err = WW_ERR_NOMEM;
  struct sink *s = malloc(sizeof(*s));
  EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
  if (!s || !sha256)
    goto out;
  s->md = EVP_MD_CTX_new();
  if (!s->md)
    goto out;
  err = sink_begin(s, sha256) ? hash_vrps(s, set) : WW_ERR_NOMEM;
  if (err != WW_OK)
    goto done;
  bool ok = sink_end(s, out->vrps) && sink_begin(s, sha256);
  if (ok)
    hash_aspas(s, set);
  ok = ok && sink_end(s, out->aspas) && sink_begin(s, sha256);
  if (ok)
    hash_keys(s, set);
  ok = ok && sink_end(s, out->keys);
  /* With the algorithm in hand a digest fails for want of memory only. */
  err = ok ? WW_OK : WW_ERR_NOMEM;
done:
  EVP_MD_CTX_free(s->md);
out:
  EVP_MD_free(sha256);
  free(s);
  return err;
}
