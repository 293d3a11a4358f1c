/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payload files: rpki-client, Routinator, StayRTR and RTRTR JSON in all their spellings, and CSV, streamed. Fed in
 * pieces of any size, so that memory holds the records and never the text. The format is told from the first octets.
 */
#ifndef WW_SOURCES_PAYLOAD_FILE_H
#define WW_SOURCES_PAYLOAD_FILE_H

#include <waywarden/payload.h>

struct ww_payload_file;

enum {
  WW_PAYLOAD_FILE_PIECE = 65536,          /* octets that a reader looks at before it looks at its limits */
  WW_PAYLOAD_FILE_RECORDS_MAX = 20000000, /* more are refused */
};

struct ww_payload_file_options {
  int64_t now;        /* Unix seconds: records that expired before are dropped and counted */
  bool ignore_expiry; /* keep them (old dumps), with the expiry they have */
};

struct ww_payload_file_stats {
  size_t records, expired; /* read; dropped as expired */
  size_t skipped_members;  /* unknown members passed over */
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
