/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How payload records lie in LMDB: keys whose octet order is the canonical order of payloads, and small values.
 * docs/formats/store.md has the layout.
 */
#ifndef WW_STORE_KEY_H
#define WW_STORE_KEY_H

#include "base/bytes.h"
#include <waywarden/payload.h>

enum ww_store_kind { WW_STORE_VRP = 1, WW_STORE_ASPA = 2, WW_STORE_ROUTER_KEY = 3 };

enum {
  WW_STORE_PREFIX_LEN = 3, /* source, kind */
  WW_STORE_VRP4_LEN = WW_STORE_PREFIX_LEN + 11,
  WW_STORE_VRP6_LEN = WW_STORE_PREFIX_LEN + 23,
  WW_STORE_ASPA_LEN = WW_STORE_PREFIX_LEN + 4,
  WW_STORE_SPKI_HASH_LEN = 32,
  WW_STORE_ROUTER_KEY_LEN = WW_STORE_PREFIX_LEN + 4 + WW_SKI_LEN + WW_STORE_SPKI_HASH_LEN,
  WW_STORE_KEY_MAX = WW_STORE_ROUTER_KEY_LEN,
  WW_STORE_EXPIRY_MAX = 8,
};

/* Each writes into key[WW_STORE_KEY_MAX] and returns the length. */
size_t ww_store_key_prefix(uint8_t *key, ww_source_id source, enum ww_store_kind kind);
size_t ww_store_key_vrp(uint8_t *key, ww_source_id source, const struct ww_vrp *vrp);
size_t ww_store_key_aspa(uint8_t *key, ww_source_id source, uint32_t customer);
/* 0 when the digest could not be computed. */
size_t ww_store_key_router_key(uint8_t *key, ww_source_id source, const struct ww_router_key *router_key);

/* The value of a VRP: its expiry in as few octets as it needs, none for 0. */
size_t ww_store_expiry_write(uint8_t *value, ww_unix_time expires);
/* False: more octets than need be. */
bool ww_store_expiry_read(const void *value, size_t len, ww_unix_time *out);

/* Back. False: not what a writer of this schema puts there. Pointers borrow from the value; `providers` of an ASPA is
 * left NULL and its octets (4 * provider_count, network order) are in *octets. */
bool ww_store_vrp_read(const void *key, size_t key_len, const void *value, size_t value_len, struct ww_vrp *out);
bool ww_store_aspa_read(const void *key, size_t key_len, const void *value, size_t value_len, struct ww_aspa *out,
                        const uint8_t **octets);
bool ww_store_router_key_read(const void *key, size_t key_len, const void *value, size_t value_len,
                              struct ww_router_key *out);

#endif
