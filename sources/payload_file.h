/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payload files: rpki-client, Routinator, StayRTR and RTRTR JSON in all their spellings, CSV, and CCR, each of them as
 * it is or packed by gzip. Fed in pieces of any size, so that memory holds the records and never the text. The format
 * is told from the first octets.
 */
#ifndef WW_SOURCES_PAYLOAD_FILE_H
#define WW_SOURCES_PAYLOAD_FILE_H

#include <waywarden/payload.h>

struct ww_payload_file;

enum {
  WW_PAYLOAD_FILE_PIECE = 65536,          /* octets that a reader looks at before it looks at its limits */
  WW_PAYLOAD_FILE_RECORDS_MAX = 20000000, /* more are refused */
  WW_PAYLOAD_CCR_MAX = 1 << 28,           /* octets of a CCR: it is held in memory */
};
#define WW_PAYLOAD_UNPACKED_MAX ((size_t)1 << 32) /* octets that a packed file may unpack to */

/* What rpki-client's metadata may name: the CCR state hash of all that was written. */
enum ww_payload_hash { WW_PAYLOAD_HASH_VRPS, WW_PAYLOAD_HASH_ASPAS, WW_PAYLOAD_HASH_KEYS, WW_PAYLOAD_HASHES };

struct ww_payload_file_options {
  int64_t now;         /* Unix seconds: records that expired before are dropped and counted */
  bool ignore_expiry;  /* keep them (old dumps), with the expiry they have */
  bool strict;         /* a CCR hash in metadata that is not that of the records is an error */
  size_t unpacked_max; /* 0: WW_PAYLOAD_UNPACKED_MAX */
};

struct ww_payload_file_stats {
  size_t records, expired; /* read; dropped as expired */
  size_t skipped_members;  /* unknown members passed over; states of a CCR that are not known here */
  unsigned hashes_checked; /* bit by enum ww_payload_hash: metadata named it */
  unsigned hashes_wrong;   /* and the records have another */
  /* of a CCR */
  int64_t produced_at; /* 0: no CCR */
  size_t manifests, trust_anchors;
};

struct ww_payload_file *ww_payload_file_new(const struct ww_payload_file_options *options);
void ww_payload_file_free(struct ww_payload_file *file);
/* WW_ERR_MALFORMED with line and place for the first bad record; after an error only _free() may be called. */
enum ww_err ww_payload_file_feed(struct ww_payload_file *file, const void *data, size_t len,
                                 struct ww_diag *diag) WW_MUST_USE;
/* Ends the input: a file cut short is an error here. On success moves the sorted set to *out. */
enum ww_err ww_payload_file_finish(struct ww_payload_file *file, struct ww_payloads *out,
                                   struct ww_payload_file_stats *stats, struct ww_diag *diag) WW_MUST_USE;

/* A point of time as payload files spell it: Unix seconds, or RFC 3339. */
enum ww_err ww_payload_time_parse(const char *text, int64_t *out) WW_MUST_USE;

#endif
