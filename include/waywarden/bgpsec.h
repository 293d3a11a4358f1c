/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WAYWARDEN_BGPSEC_H
#define WAYWARDEN_BGPSEC_H

/**
 * @file
 * BGPsec (RFC 8205): verification of signed paths, with what was found of each signature.
 *
 * A verifier holds what is shared: keys once parsed, tables of the keys used most, signatures verified before. It may
 * be used by any number of threads, each with a worker of its own. Neither has threads or does I/O.
 */
#include <waywarden/verdict.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What becomes of an UPDATE (RFC 8205 §5.2). */
enum ww_bgpsec_state {
  WW_BGPSEC_VALID = 0,
  WW_BGPSEC_NOT_VALID = 1,
  WW_BGPSEC_UNSIGNED = 2,    /**< no Signature_Block of a supported suite, or no BGPsec_PATH: an unsigned route */
  WW_BGPSEC_WITHDRAW = 3,    /**< an error: treat-as-withdraw (RFC 7606), or what `disposition` says */
  WW_BGPSEC_NOT_CHECKED = 4, /**< properly formed; its signatures wait to be checked (RFC 8205 §5, §8.3) */
};

/** Why. The order is that of the checks: the first that fails gives the reason. */
enum ww_bgpsec_reason {
  WW_BGPSEC_REASON_NONE = 0,
  /* of `withdraw` */
  WW_BGPSEC_REASON_UPDATE,         /**< an error elsewhere in the UPDATE (RFC 4271 §6.3) */
  WW_BGPSEC_REASON_AS_PATH,        /**< AS_PATH stands beside BGPsec_PATH: check 4 */
  WW_BGPSEC_REASON_SYNTAX,         /**< lengths do not add up, no segment, no or too many blocks: check 1 */
  WW_BGPSEC_REASON_SUITE_RESERVED, /**< algorithm suite 0 or 255 (RFC 8608 §2.1) */
  WW_BGPSEC_REASON_SUITE_REPEATED, /**< two blocks of one suite (RFC 8205 §3) */
  WW_BGPSEC_REASON_SEGMENTS,       /**< not one signature for each segment of the path: check 3 */
  WW_BGPSEC_REASON_NLRI,           /**< not just one IPv4 or IPv6 unicast prefix, in MP_REACH_NLRI (RFC 8205 §4.1) */
  WW_BGPSEC_REASON_PEER_AS,        /**< the newest segment is not of the peer's AS: check 2 */
  WW_BGPSEC_REASON_CONFED_SET,     /**< Confed_Segment set, from outside the confederation: check 5 */
  WW_BGPSEC_REASON_CONFED_CLEAR,   /**< Confed_Segment clear in the segment of a confederation member: check 6 */
  WW_BGPSEC_REASON_PCOUNT_ZERO,    /**< pCount 0 from a peer that may not: check 7 */
  WW_BGPSEC_REASON_LOOP,           /**< an AS of ours is in the path: check 8 */
  WW_BGPSEC_REASON_PATH_LENGTH,    /**< the equivalent AS_PATH fits no path attribute */
  /* of `unsigned` */
  WW_BGPSEC_REASON_NO_PATH,  /**< no BGPsec_PATH */
  WW_BGPSEC_REASON_NO_SUITE, /**< no block of a supported suite */
  /* of `not-valid`, for the last block looked at */
  WW_BGPSEC_REASON_NO_KEY,    /**< no router key of that AS and SKI */
  WW_BGPSEC_REASON_SIGNATURE, /**< a signature does not verify, or is no ECDSA-Sig-Value */
  /* of `not-checked` */
  WW_BGPSEC_REASON_DEFERRED, /**< the caller asked for the cheap checks only */
};

/** Zero-initialise, use again and again, ww_bgpsec_result_fini(). */
struct ww_bgpsec_result {
  uint8_t state;               /**< enum ww_bgpsec_state */
  uint8_t reason;              /**< enum ww_bgpsec_reason */
  uint8_t disposition;         /**< of `withdraw`: 2 treat-as-withdraw, 4 session reset (RFC 7606 §2); else 0 */
  uint8_t suite;               /**< of the block that is Valid; 0: none */
  uint32_t signatures_checked; /**< verifications run */
  uint32_t signatures_known;   /**< answered from what was verified before */
  struct ww_bgpsec_segment_result *segments; /**< block by block, newest first */
  size_t segment_count, segment_cap;
  uint8_t *as_path; /**< the equivalent AS_PATH (RFC 8205 §4.4): value octets with 4-octet AS numbers */
  size_t as_path_len, as_path_cap;
};
WW_EXPORT void ww_bgpsec_result_fini(struct ww_bgpsec_result *result);

/** The session that an UPDATE came over, as far as RFC 8205 §5.2 and §4.3 ask. */
struct ww_bgpsec_session {
  uint32_t local_as; /**< in the OPEN that we sent over it: the target of the newest signature */
  uint32_t peer_as;  /**< in the peer's OPEN */
  bool internal;     /**< iBGP though the AS numbers differ (RFC 7705 §4); equal ones are internal anyhow */
  bool allow_pcount0;
  bool skip_confed_signatures;    /**< signatures of confederation members are not verified (RFC 8205 §4.3) */
  uint32_t confed_id;             /**< 0: we are in no confederation */
  const uint32_t *confed_members; /**< Member-AS numbers, ours too */
  size_t confed_member_count;
  const uint32_t *own_as; /**< further AS numbers of ours that the path must not hold: the other AS of a migration
                               (RFC 8206), our Member-AS on a session with the outside */
  size_t own_as_count;
};

/**
 * Where router keys come from. Gives the `index`-th key (from 0) of exactly this AS *and* this SKI, false when there
 * is none. What `out` borrows must stay until the call that asked returns. Called by the thread that verifies.
 */
struct ww_bgpsec_key_source {
  const void *ctx;
  bool (*find)(const void *ctx, uint32_t asn, const uint8_t *ski, size_t index, struct ww_router_key *out);
};

/** A key source over records: a copy, indexed by AS and SKI. Immutable, so any thread may use it. */
struct ww_bgpsec_keys;
WW_EXPORT struct ww_bgpsec_keys *ww_bgpsec_keys_new(const struct ww_router_key *keys, size_t count);
WW_EXPORT void ww_bgpsec_keys_free(struct ww_bgpsec_keys *keys);
WW_EXPORT struct ww_bgpsec_key_source ww_bgpsec_keys_source(const struct ww_bgpsec_keys *keys);

enum {
  WW_BGPSEC_KEYS_TRIED_MAX = 32,     /**< keys of one (AS, SKI) that one signature is tried with */
  WW_BGPSEC_KEYS_DEFAULT = 65536,    /**< parsed keys kept */
  WW_BGPSEC_TABLES_DEFAULT = 256,    /**< tables of hot keys, some 150 kB each */
  WW_BGPSEC_HOT_AFTER_DEFAULT = 512, /**< verifications by which a key earns its table */
  WW_BGPSEC_KNOWN_DEFAULT = 65536,   /**< verified signatures remembered, 40 octets each */
};

/** 0 means the default, where not said otherwise. */
struct ww_bgpsec_options {
  size_t keys_max;
  size_t tables_max;
  size_t known_max;
  uint32_t hot_after;
  bool no_tables;        /**< hot keys get none */
  bool no_known;         /**< nothing is remembered */
  bool reference;        /**< only libcrypto's own ECDSA verification */
  const uint8_t *suites; /**< suites taken for supported; NULL: 1. Beside 1 only 0xf7-0xfe (experiments and
                              documentation) may be named, and they mean what 1 means */
  size_t suite_count;
};

struct ww_bgpsec_verifier;
WW_EXPORT enum ww_err ww_bgpsec_verifier_new(const struct ww_bgpsec_options *options,
                                             struct ww_bgpsec_verifier **out) WW_MUST_USE;
/** All workers must be gone. */
WW_EXPORT void ww_bgpsec_verifier_free(struct ww_bgpsec_verifier *verifier);

/** Scratch of one thread. */
struct ww_bgpsec_worker;
WW_EXPORT enum ww_err ww_bgpsec_worker_new(struct ww_bgpsec_verifier *verifier,
                                           struct ww_bgpsec_worker **out) WW_MUST_USE;
WW_EXPORT void ww_bgpsec_worker_free(struct ww_bgpsec_worker *worker);

/** A route with a BGPsec_PATH, taken apart already. Everything is borrowed. */
struct ww_bgpsec_request {
  const struct ww_bgpsec_session *session;
  struct ww_prefix prefix; /**< unicast */
  const uint8_t *path;     /**< value of BGPsec_PATH; NULL: there is none */
  size_t path_len;
  bool has_as_path; /**< AS_PATH was there, too */
  bool defer;       /**< only the cheap checks: a well-formed path is then NOT_CHECKED, DEFERRED */
};

/**
 * Verifies `count` requests; results[i] is of requests[i], whatever the order of the work. Stops a block at its first
 * bad signature and a message at its first Valid block. Requests verified together are faster than one by one.
 */
WW_EXPORT enum ww_err ww_bgpsec_verify(struct ww_bgpsec_worker *worker, const struct ww_bgpsec_key_source *keys,
                                       const struct ww_bgpsec_request *requests, struct ww_bgpsec_result *results,
                                       size_t count) WW_MUST_USE;

/** One whole UPDATE message with its header, of a session with 4-octet AS numbers and no ADD-PATH. */
WW_EXPORT enum ww_err ww_bgpsec_verify_update(struct ww_bgpsec_worker *worker, const struct ww_bgpsec_key_source *keys,
                                              const struct ww_bgpsec_session *session, const uint8_t *message,
                                              size_t len, struct ww_bgpsec_result *result,
                                              struct ww_diag *diag) WW_MUST_USE;

/**
 * Builds tables for up to `max` keys that have earned one, most used first; each takes some 20 ms. The number built.
 * For a thread that has the time; one at a time. Evicts the tables that were used least when there are too many.
 */
WW_EXPORT size_t ww_bgpsec_build_tables(struct ww_bgpsec_verifier *verifier, size_t max);
/** Keys that wait for a table. */
WW_EXPORT size_t ww_bgpsec_tables_wanted(const struct ww_bgpsec_verifier *verifier);

/** A key is no more: what is known of its signatures, its table and its parsed form are dropped. */
WW_EXPORT void ww_bgpsec_forget_key(struct ww_bgpsec_verifier *verifier, const uint8_t *spki, size_t len);

struct ww_bgpsec_counts {
  size_t keys, tables, known;
  uint64_t verified, known_hits; /**< signatures verified, and answered from memory */
  uint64_t tables_built, tables_evicted;
};
WW_EXPORT void ww_bgpsec_verifier_counts(const struct ww_bgpsec_verifier *verifier, struct ww_bgpsec_counts *out);

/* --- signing ---------------------------------------------------------------------------------------------------- */

/** The key that a router signs with. */
struct ww_bgpsec_signer;
/** A new P-256 key. */
WW_EXPORT enum ww_err ww_bgpsec_signer_generate(struct ww_bgpsec_signer **out) WW_MUST_USE;
/** An unencrypted private key of P-256 in PEM or DER (PKCS#8, or as `openssl ecparam` writes it). */
WW_EXPORT enum ww_err ww_bgpsec_signer_read(const void *data, size_t len, struct ww_bgpsec_signer **out,
                                            struct ww_diag *diag) WW_MUST_USE;
/** Makes an ECDSA-Sig-Value of a digest of 32 octets: up to *len (72) octets of DER into `der`. */
typedef bool (*ww_bgpsec_sign_fn)(void *ctx, const uint8_t *digest, uint8_t *der, size_t *len);
/** A private key that is kept elsewhere. */
WW_EXPORT enum ww_err ww_bgpsec_signer_external(const uint8_t *spki, size_t len, ww_bgpsec_sign_fn sign, void *ctx,
                                                struct ww_bgpsec_signer **out) WW_MUST_USE;
WW_EXPORT void ww_bgpsec_signer_free(struct ww_bgpsec_signer *signer);
/** The private key as PKCS#8 in PEM; give it to ww_bgpsec_secret_free(), which wipes it. WW_ERR_STATE: kept elsewhere.
 */
WW_EXPORT enum ww_err ww_bgpsec_signer_write(const struct ww_bgpsec_signer *signer, uint8_t **pem,
                                             size_t *len) WW_MUST_USE;
WW_EXPORT void ww_bgpsec_secret_free(uint8_t *secret, size_t len);
/** The public key: 91 octets of DER SubjectPublicKeyInfo, borrowed. */
WW_EXPORT const uint8_t *ww_bgpsec_signer_spki(const struct ww_bgpsec_signer *signer);
/** SKI of a public key (RFC 6487 §4.8.2). False: not a key of a BGPsec router. */
WW_EXPORT bool ww_bgpsec_ski(const uint8_t *spki, size_t len, uint8_t *ski);

/** A PKCS#10 request for a router certificate (RFC 8209 §3.2, RFC 8635 §6) in DER, from malloc. `common_name` NULL: an
 *  empty subject. The AS number and BGP Identifier are not in it: they go to the CA beside it. */
WW_EXPORT enum ww_err ww_bgpsec_request(const struct ww_bgpsec_signer *signer, const char *common_name, uint8_t **der,
                                        size_t *len) WW_MUST_USE;

enum {
  WW_BGPSEC_SPKI_LEN = 91,          /**< octets of every router's SubjectPublicKeyInfo */
  WW_BGPSEC_KEY_FILE_MAX = 16384,   /**< octets of a private key's file */
  WW_ROUTER_CERT_FILE_MAX = 262144, /**< octets of a certificate's file */
  WW_ROUTER_CERT_ASNS_MAX = 1024,   /**< AS numbers of one certificate */
};

/**
 * The router keys of a certificate in DER or PEM, or of the router certificates in a PKCS#7 certs-only message (RFC
 * 8635 §7), added to `out` unsorted. The profile of RFC 8209 is checked and the term of validity against `now`, Unix
 * seconds. NOT checked is whether a trust anchor stands behind it: path validation is the relying party's job.
 */
WW_EXPORT enum ww_err ww_bgpsec_router_certificates(const uint8_t *data, size_t len, int64_t now,
                                                    struct ww_payloads *out, struct ww_diag *diag) WW_MUST_USE;

/** A suite and the key for it. All suites that can be named are ECDSA P-256 with SHA-256 (see ww_bgpsec_options). */
struct ww_bgpsec_sign_key {
  uint8_t suite;
  const struct ww_bgpsec_signer *signer;
};

/** A path that is to be sent. Everything is borrowed. */
struct ww_bgpsec_sign_request {
  struct ww_prefix prefix;
  const uint8_t *path; /**< value of the BGPsec_PATH that was received; NULL: the route is originated */
  size_t path_len;
  uint32_t asn; /**< of the segment that is added, as are the two below */
  uint8_t pcount;
  bool confed;                           /**< Confed_Segment */
  uint32_t target_as;                    /**< whom it is sent to */
  bool leave_confed;                     /**< first take off the newest segments with Confed_Segment (RFC 8205 §4.3) */
  const struct ww_bgpsec_sign_key *keys; /**< one or two */
  size_t key_count;
};

/** Writes the value of the BGPsec_PATH to be sent. WW_ERR_UNSUPPORTED: no received block is of these suites, so that
 * the route may only go on unsigned; WW_ERR_FULL: `cap`; WW_ERR_MALFORMED: `path`; WW_ERR_IO: the key does not sign. */
WW_EXPORT enum ww_err ww_bgpsec_sign(const struct ww_bgpsec_sign_request *request, uint8_t *out, size_t cap,
                                     size_t *len, struct ww_diag *diag) WW_MUST_USE;

/** valid, not-valid, unsigned, withdraw, not-checked. Static storage, as the one below. */
WW_EXPORT const char *ww_bgpsec_state_name(enum ww_bgpsec_state state);
WW_EXPORT const char *ww_bgpsec_reason_name(enum ww_bgpsec_reason reason);
/** For a verdict: Not Valid is invalid, and so is what was to be withdrawn; unsigned and unchecked routes are not
 *  evaluated. */
WW_EXPORT enum ww_state ww_bgpsec_verdict(enum ww_bgpsec_state state);

#ifdef __cplusplus
}
#endif
#endif
