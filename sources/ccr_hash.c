/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CCR state hashes from scratch: the DER of three sequences, streamed into SHA-256.
 *
 * Each sequence is walked twice, once to add up its length, which comes first, and once to write its elements. An
 * element is put together in a small buffer that grows to the largest; for VRPs one index and the VRPs of one AS are
 * held beside it. A set of 700000 VRPs makes 7.5 MB of DER that never exists.
 *
 * ccr_state.c keeps the same hashes up to date from deltas; a property test holds the two against each other.
 *
 * Clauses: draft-ietf-sidrops-rpki-ccr-11 §3.4.2, §3.4.3, §3.4.5.
 */
#include "sources/ccr_hash.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "sources/ccr_encode.h"

struct hasher {
  EVP_MD_CTX *md;
  const struct ww_payloads *set;
  uint32_t *order;         /* of VRPs */
  struct ww_vrp *gathered; /* those of one AS */
  size_t gathered_cap;
  uint8_t *buf;
  size_t cap;
  size_t total;   /* pass 1: contents of the sequence */
  bool measuring; /* pass 1 */
  bool by_client; /* rpki-client's order of VRPs */
  enum ww_err err;
};

static void update(struct hasher *h, const uint8_t *data, size_t len) {
  if (h->err == WW_OK && !EVP_DigestUpdate(h->md, data, len))
    h->err = WW_ERR_NOMEM;
}

/* Counts an element of `size` octets, or gives a writer to put it to. False: nothing to write. */
static bool begin_element(struct hasher *h, size_t size, struct ww_writer *w) {
  if (h->measuring) {
    h->total += size;
    return false;
  }
  if (size > h->cap) {
    uint8_t *larger = realloc(h->buf, size);
    if (!larger) {
      h->err = WW_ERR_NOMEM;
      return false;
    }
    h->buf = larger;
    h->cap = size;
  }
  *w = ww_writer_make(h->buf, size);
  return true;
}

/* Turns round every run of VRPs with one address. */
static void turn_addresses(struct ww_vrp *vrps, size_t count) {
  for (size_t i = 0, end; i < count; i = end) {
    for (end = i + 1; end < count && vrps[end].prefix.afi == vrps[i].prefix.afi &&
                      memcmp(vrps[end].prefix.addr, vrps[i].prefix.addr, sizeof(vrps[i].prefix.addr)) == 0;)
      end++;
    for (size_t a = i, b = end; a + 1 < b; a++) {
      struct ww_vrp t = vrps[a];
      vrps[a] = vrps[--b];
      vrps[b] = t;
    }
  }
}

static void each_roa(struct hasher *h) {
  const struct ww_vrp *vrps = h->set->vrps;
  struct ww_writer w;
  for (size_t i = 0, n; i < h->set->vrp_count && h->err == WW_OK; i += n) {
    uint32_t asn = vrps[h->order[i]].asn;
    for (n = 0; i + n < h->set->vrp_count && vrps[h->order[i + n]].asn == asn; n++) {
      if (n == h->gathered_cap) {
        size_t cap = h->gathered_cap ? h->gathered_cap * 2 : 256;
        struct ww_vrp *larger = realloc(h->gathered, cap * sizeof(*larger));
        if (!larger) {
          h->err = WW_ERR_NOMEM;
          return;
        }
        h->gathered = larger;
        h->gathered_cap = cap;
      }
      h->gathered[n] = vrps[h->order[i + n]];
    }
    if (h->by_client)
      turn_addresses(h->gathered, n);
    if (begin_element(h, ww_ccr_roa_size(h->gathered, n), &w)) {
      ww_ccr_put_roa(&w, h->gathered, n);
      update(h, w.buf, w.len);
    }
  }
}

static void each_aspa(struct hasher *h) {
  struct ww_writer w;
  for (size_t i = 0; i < h->set->aspa_count && h->err == WW_OK; i++) {
    const struct ww_aspa *aspa = &h->set->aspas[i];
    if (begin_element(h, ww_ccr_aspa_size(aspa), &w)) {
      ww_ccr_put_aspa(&w, aspa);
      update(h, w.buf, w.len);
    }
  }
}

static void each_keys(struct hasher *h) {
  const struct ww_router_key *keys = h->set->keys;
  struct ww_writer w;
  for (size_t i = 0, n; i < h->set->key_count && h->err == WW_OK; i += n) {
    for (n = 1; i + n < h->set->key_count && keys[i + n].asn == keys[i].asn;)
      n++;
    if (begin_element(h, ww_ccr_keys_size(keys + i, n), &w)) {
      ww_ccr_put_keys(&w, keys + i, n);
      update(h, w.buf, w.len);
    }
  }
}

static void hash_sequence(struct hasher *h, const EVP_MD *sha256, void (*each)(struct hasher *), uint8_t *out) {
  if (h->err != WW_OK)
    return;
  h->total = 0;
  h->measuring = true;
  each(h);
  h->measuring = false;
  uint8_t buf[16];
  struct ww_writer w = ww_writer_make(buf, sizeof(buf));
  ww_der_put_header(&w, WW_DER_SEQUENCE, h->total);
  /* With the algorithm in hand a digest fails for want of memory only. */
  if (!EVP_DigestInit_ex(h->md, sha256, NULL))
    h->err = WW_ERR_NOMEM;
  update(h, w.buf, w.len);
  each(h);
  if (h->err == WW_OK && !EVP_DigestFinal_ex(h->md, out, NULL))
    h->err = WW_ERR_NOMEM;
}

static enum ww_err hash_all(const struct ww_payloads *set, bool by_client, uint8_t *vrps, uint8_t *aspas,
                            uint8_t *keys) {
  if (set->vrp_count > UINT32_MAX)
    return WW_ERR_LIMIT;
  EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
  struct hasher h = {
      .md = EVP_MD_CTX_new(), .set = set, .order = ww_ccr_order(set->vrps, set->vrp_count), .by_client = by_client};
  if (!h.md || !sha256 || !h.order)
    h.err = WW_ERR_NOMEM;
  hash_sequence(&h, sha256, each_roa, vrps);
  if (aspas)
    hash_sequence(&h, sha256, each_aspa, aspas);
  if (keys)
    hash_sequence(&h, sha256, each_keys, keys);
  EVP_MD_CTX_free(h.md);
  EVP_MD_free(sha256);
  free(h.order);
  free(h.gathered);
  free(h.buf);
  return h.err;
}

enum ww_err ww_ccr_hash(const struct ww_payloads *set, struct ww_ccr_hashes *out) {
  return hash_all(set, false, out->vrps, out->aspas, out->keys);
}

enum ww_err ww_ccr_hash_client_vrps(const struct ww_payloads *set, uint8_t out[WW_CCR_HASH_LEN]) {
  return hash_all(set, true, out, NULL, NULL);
}
