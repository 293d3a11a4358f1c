/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the payload file readers share: the file at hand, spellings of values, and how a finished record is taken.
 * Nobody else includes it.
 */
#ifndef WW_SOURCES_PAYLOAD_FILE_INTERNAL_H
#define WW_SOURCES_PAYLOAD_FILE_INTERNAL_H

#include "sources/payload_file.h"

struct ww_payload_json;
struct ww_payload_csv;
struct ww_payload_ccr;
struct ww_payload_gzip;

struct ww_payload_file {
  struct ww_payload_file_options options;
  struct ww_payload_file_stats stats;
  struct ww_payloads set;
  size_t offset; /* octets of the chunks before this one */
  unsigned line; /* of the first octet of this chunk, from 1 */
  bool failed;
  bool head_done; /* the first octets have been judged */
  uint8_t head[6];
  size_t head_len;
  struct ww_payload_json *json; /* one of the three, once the format is known */
  struct ww_payload_csv *csv;
  struct ww_payload_ccr *ccr;
  struct ww_payload_gzip *gzip; /* unpacks before any of them */
  struct ww_payloads outdated;  /* expired records, where a hash over all of them is to be checked */
  bool expects_hashes;          /* metadata has named some already */
  bool dropped;                 /* expired records are gone: no hash can be checked any more */
  unsigned expected;            /* bit by enum ww_payload_hash: the file names it, and has such records */
  uint8_t expected_hashes[WW_PAYLOAD_HASHES][32];
};

/* A record in the making: the values that were found. */
enum {
  FIELD_ASN = 1,
  FIELD_PREFIX = 2,
  FIELD_MAX_LEN = 4,
  FIELD_EXPIRES = 8,
  FIELD_PROVIDERS = 16,
  FIELD_SKI = 32,
  FIELD_SPKI = 64,
  FIELD_SOURCE = 128
};

struct ww_payload_fields {
  unsigned have;
  uint32_t asn; /* of an ASPA: the customer */
  struct ww_prefix prefix;
  uint64_t max_len;
  int64_t expires;
  uint8_t ski[WW_SKI_LEN];
  uint8_t spki[WW_SPKI_MAX];
  size_t spki_len;
};

/* Each takes `len` octets that need no NUL. False, and *why says what is wrong with the value. */
bool ww_payload_read_asn(const char *text, size_t len, uint32_t *out, const char **why);
bool ww_payload_read_prefix(const char *text, size_t len, struct ww_prefix *out, const char **why);
bool ww_payload_read_number(const char *text, size_t len, uint64_t max, uint64_t *out, const char **why);
/* Unix seconds, or RFC 3339 (with a space for the T, and UTC where no zone is named). */
bool ww_payload_read_time(const char *text, size_t len, int64_t *out, const char **why);
bool ww_payload_read_hex(const char *text, size_t len, uint8_t *out, size_t out_len, const char **why);
/* Both alphabets of RFC 4648 §4 and §5, padded or not. */
bool ww_payload_read_base64(const char *text, size_t len, uint8_t *out, size_t cap, size_t *out_len, const char **why);

/* Checks a finished record and adds it, or counts it as expired. WW_ERR_MALFORMED with *why. */
enum ww_err ww_payload_take_vrp(struct ww_payload_file *file, const struct ww_payload_fields *f, const char **why);
enum ww_err ww_payload_take_aspa(struct ww_payload_file *file, const struct ww_payload_fields *f,
                                 const uint32_t *providers, uint32_t count, const char **why);
enum ww_err ww_payload_take_key(struct ww_payload_file *file, const struct ww_payload_fields *f, const char **why);

/* The readers. Each is fed chunks and fills the diagnostic itself, place and line included. */
struct ww_payload_json *ww_payload_json_new(struct ww_payload_file *file);
void ww_payload_json_free(struct ww_payload_json *json);
enum ww_err ww_payload_json_feed(struct ww_payload_json *json, const uint8_t *data, size_t len, struct ww_diag *diag);
enum ww_err ww_payload_json_finish(struct ww_payload_json *json, struct ww_diag *diag);

struct ww_payload_csv *ww_payload_csv_new(struct ww_payload_file *file);
void ww_payload_csv_free(struct ww_payload_csv *csv);
enum ww_err ww_payload_csv_feed(struct ww_payload_csv *csv, const uint8_t *data, size_t len, struct ww_diag *diag);
enum ww_err ww_payload_csv_finish(struct ww_payload_csv *csv, struct ww_diag *diag);

/* Line ends in a run of octets. */
unsigned ww_payload_lines(const uint8_t *data, size_t len);

struct ww_payload_ccr *ww_payload_ccr_new(struct ww_payload_file *file);
void ww_payload_ccr_free(struct ww_payload_ccr *ccr);
enum ww_err ww_payload_ccr_feed(struct ww_payload_ccr *ccr, const uint8_t *data, size_t len,
                                struct ww_diag *diag) WW_MUST_USE;
enum ww_err ww_payload_ccr_finish(struct ww_payload_ccr *ccr, struct ww_diag *diag) WW_MUST_USE;

struct ww_payload_gzip *ww_payload_gzip_new(void);
void ww_payload_gzip_free(struct ww_payload_gzip *gzip);
enum ww_err ww_payload_gzip_feed(struct ww_payload_gzip *gzip, struct ww_payload_file *file, const uint8_t *data,
                                 size_t len, struct ww_diag *diag) WW_MUST_USE;
enum ww_err ww_payload_gzip_finish(const struct ww_payload_gzip *gzip, struct ww_diag *diag) WW_MUST_USE;
/* Octets of the file as such, after unpacking. */
enum ww_err ww_payload_feed_plain(struct ww_payload_file *file, const uint8_t *data, size_t len,
                                  struct ww_diag *diag) WW_MUST_USE;

#endif
