/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WAYWARDEN_PAYLOAD_H
#define WAYWARDEN_PAYLOAD_H

/**
 * @file
 * What the RPKI says: VRPs, ASPAs and router keys, as a source delivers them, and sets of them.
 *
 * Identity (what makes two records the same record): a VRP is {prefix, max_len, asn}; an ASPA is {customer}; a router
 * key is {asn, ski, spki} (RFC 8210 §5.10 compares the key too). `expires` is never part of it.
 */
#include <waywarden/prefix.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WW_SKI_LEN = 20, WW_SPKI_MAX = 1024, WW_ASPA_PROVIDERS_MAX = 10000 };

/** Unix time in seconds after which the record must not be used; 0 when the source does not say. */
typedef int64_t ww_unix_time;

struct ww_vrp {
  struct ww_prefix prefix;
  uint8_t max_len; /**< prefix.len <= max_len <= 32 or 128 */
  uint32_t asn;
  ww_unix_time expires;
};

/** Providers ascending and unique; AS 0 only alone. */
struct ww_aspa {
  uint32_t customer;
  uint32_t provider_count;
  const uint32_t *providers; /**< borrowed from the set that holds the record */
  ww_unix_time expires;
};

struct ww_router_key {
  uint32_t asn;
  uint8_t ski[WW_SKI_LEN];
  const uint8_t *spki; /**< DER SubjectPublicKeyInfo; borrowed from the set that holds the record */
  uint32_t spki_len;
  ww_unix_time expires;
};

/** Source of a record: a small number given by the configuration (or the loader), stable within a store. */
typedef uint16_t ww_source_id;

/**
 * A set of records in arrival order until ww_payloads_sort(). Owns every byte that its records point to.
 * Zero-initialise, then use; free with ww_payloads_fini().
 */
struct ww_payloads {
  struct ww_vrp *vrps;
  size_t vrp_count, vrp_cap;
  struct ww_aspa *aspas;
  size_t aspa_count, aspa_cap;
  struct ww_router_key *keys;
  size_t key_count, key_cap;
  struct ww_payload_block *blocks; /**< private: provider lists and keys */
};

WW_EXPORT void ww_payloads_fini(struct ww_payloads *set);
/** Checks max_len and host bits (WW_ERR_INVAL), then copies. */
WW_EXPORT enum ww_err ww_payloads_add_vrp(struct ww_payloads *set, const struct ww_vrp *vrp) WW_MUST_USE;
/** Sorts and de-duplicates the providers; drops AS 0 beside others never: that is WW_ERR_INVAL. Copies. */
WW_EXPORT enum ww_err ww_payloads_add_aspa(struct ww_payloads *set, const struct ww_aspa *aspa) WW_MUST_USE;
WW_EXPORT enum ww_err ww_payloads_add_key(struct ww_payloads *set, const struct ww_router_key *key) WW_MUST_USE;
/** Every record of `from`, one after another; after a failure those before it are there. */
WW_EXPORT enum ww_err ww_payloads_add_set(struct ww_payloads *set, const struct ww_payloads *from) WW_MUST_USE;
/**
 * Brings the set into canonical order and makes records unique: of equal VRPs or keys the latest expiry stays; ASPAs of
 * one customer become one with the union of the providers (8210bis-26 §5.12), the earliest expiry.
 * Order: VRPs by family, address, length, max_len, asn; ASPAs by customer; keys by asn, ski, spki.
 */
WW_EXPORT enum ww_err ww_payloads_sort(struct ww_payloads *set) WW_MUST_USE;

WW_EXPORT int ww_vrp_compare(const struct ww_vrp *a, const struct ww_vrp *b);
WW_EXPORT int ww_router_key_compare(const struct ww_router_key *a, const struct ww_router_key *b);

/**
 * What a completed update of one source changed; every part sorted as by ww_payloads_sort().
 * `refresh` holds records whose identity and content stand but whose expiry moved: no verdict changes by them.
 * An ASPA whose providers changed is in `announce` only (announce replaces).
 * A withdrawn ASPA has no providers.
 */
struct ww_payload_delta {
  ww_source_id source;
  struct ww_payloads announce;
  struct ww_payloads withdraw;
  struct ww_payloads refresh;
};

WW_EXPORT void ww_payload_delta_fini(struct ww_payload_delta *delta);

#ifdef __cplusplus
}
#endif
#endif
