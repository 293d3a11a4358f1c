/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payload records to LMDB keys and values and back.
 *
 * LMDB compares keys as memcmp does, a shorter one first. Every field is in network order and of fixed size within a
 * kind and family, and the family comes before the address, so that order is just ww_payloads_sort()'s: reading a
 * source is a walk, and comparing a new set with the stored one is a merge. The one exception is router keys: a
 * SubjectPublicKeyInfo may be longer than an LMDB key, so its SHA-256 stands in for it; keys of one AS and SKI (two
 * keys under one SHA-1, or a careless cache) lie in the order of their digests and are put right by the reader.
 *
 * Readers trust nothing: a store may have been damaged. Whatever no writer would have put there is refused.
 */
#include "store/key.h"

#include <openssl/evp.h>

size_t ww_store_key_prefix(uint8_t *key, ww_source_id source, enum ww_store_kind kind) {
  key[0] = (uint8_t)(source >> 8);
  key[1] = (uint8_t)source;
  key[2] = (uint8_t)kind;
  return WW_STORE_PREFIX_LEN;
}

size_t ww_store_key_vrp(uint8_t *key, ww_source_id source, const struct ww_vrp *vrp) {
  struct ww_writer w = ww_writer_make(key, WW_STORE_KEY_MAX);
  ww_writer_u16(&w, source);
  ww_writer_u8(&w, WW_STORE_VRP);
  ww_writer_u8(&w, vrp->prefix.afi);
  ww_writer_bytes(&w, vrp->prefix.addr, vrp->prefix.afi == WW_AFI_IPV4 ? 4 : 16);
  ww_writer_u8(&w, vrp->prefix.len);
  ww_writer_u8(&w, vrp->max_len);
  ww_writer_u32(&w, vrp->asn);
  return w.len;
}

size_t ww_store_key_aspa(uint8_t *key, ww_source_id source, uint32_t customer) {
  struct ww_writer w = ww_writer_make(key, WW_STORE_KEY_MAX);
  ww_writer_u16(&w, source);
  ww_writer_u8(&w, WW_STORE_ASPA);
  ww_writer_u32(&w, customer);
  return w.len;
}

size_t ww_store_key_router_key(uint8_t *key, ww_source_id source, const struct ww_router_key *router_key) {
  uint8_t digest[WW_STORE_SPKI_HASH_LEN];
  if (!EVP_Digest(router_key->spki, router_key->spki_len, digest, NULL, EVP_sha256(), NULL))
    return 0;
  struct ww_writer w = ww_writer_make(key, WW_STORE_KEY_MAX);
  ww_writer_u16(&w, source);
  ww_writer_u8(&w, WW_STORE_ROUTER_KEY);
  ww_writer_u32(&w, router_key->asn);
  ww_writer_bytes(&w, router_key->ski, sizeof(router_key->ski));
  ww_writer_bytes(&w, digest, sizeof(digest));
  return w.len;
}

size_t ww_store_expiry_write(uint8_t *value, ww_unix_time expires) {
  uint64_t bits = (uint64_t)expires;
  size_t len = 0;
  while (len < WW_STORE_EXPIRY_MAX && bits >> (8 * len))
    len++;
  for (size_t i = 0; i < len; i++)
    value[i] = (uint8_t)(bits >> (8 * (len - 1 - i)));
  return len;
}

bool ww_store_expiry_read(const void *value, size_t len, ww_unix_time *out) {
  const uint8_t *v = value;
  uint64_t expires = 0;
  if (len > WW_STORE_EXPIRY_MAX)
    return false;
  for (size_t i = 0; i < len; i++)
    expires = expires << 8 | v[i];
  *out = (int64_t)expires;
  return len == 0 || v[0] != 0;
}

bool ww_store_vrp_read(const void *key, size_t key_len, const void *value, size_t value_len, struct ww_vrp *out) {
  struct ww_reader r = ww_reader_make(key, key_len);
  (void)ww_reader_take(&r, WW_STORE_PREFIX_LEN);
  *out = (struct ww_vrp){.prefix.afi = ww_reader_u8(&r)};
  uint8_t bits = ww_afi_bits(out->prefix.afi);
  ww_reader_bytes(&r, out->prefix.addr, bits / 8u);
  out->prefix.len = ww_reader_u8(&r);
  out->max_len = ww_reader_u8(&r);
  out->asn = ww_reader_u32(&r);
  /* Whether the prefix is canonical and max_len fits is checked by ww_payloads_add_vrp(). */
  return bits && ww_reader_done(&r) && ww_store_expiry_read(value, value_len, &out->expires);
}

bool ww_store_aspa_read(const void *key, size_t key_len, const void *value, size_t value_len, struct ww_aspa *out,
                        const uint8_t **octets) {
  struct ww_reader k = ww_reader_make(key, key_len), v = ww_reader_make(value, value_len);
  (void)ww_reader_take(&k, WW_STORE_PREFIX_LEN);
  *out = (struct ww_aspa){.customer = ww_reader_u32(&k), .expires = (int64_t)ww_reader_u64(&v)};
  size_t left = ww_reader_left(&v);
  *octets = ww_reader_take(&v, left);
  out->provider_count = (uint32_t)(left / 4);
  return ww_reader_done(&k) && ww_reader_done(&v) && left % 4 == 0 && left / 4 <= WW_ASPA_PROVIDERS_MAX;
}

bool ww_store_router_key_read(const void *key, size_t key_len, const void *value, size_t value_len,
                              struct ww_router_key *out) {
  struct ww_reader k = ww_reader_make(key, key_len), v = ww_reader_make(value, value_len);
  (void)ww_reader_take(&k, WW_STORE_PREFIX_LEN);
  *out = (struct ww_router_key){.asn = ww_reader_u32(&k)};
  ww_reader_bytes(&k, out->ski, sizeof(out->ski));
  (void)ww_reader_take(&k, WW_STORE_SPKI_HASH_LEN);
  out->expires = (int64_t)ww_reader_u64(&v);
  size_t left = ww_reader_left(&v);
  out->spki = ww_reader_take(&v, left);
  out->spki_len = (uint32_t)left;
  return ww_reader_done(&k) && ww_reader_done(&v) && left > 0 && left <= WW_SPKI_MAX;
}
