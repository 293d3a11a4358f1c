/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The truth on disk: payload records by source, one record about each source, and the committed epoch, in LMDB.
 *
 * One write transaction for each completed update of a source: a crash at any instant leaves the epoch before it,
 * whole. Other processes may read while the daemon writes. The map grows by itself. All calls of one ww_store are
 * made from one thread at a time; a reader process opens its own with WW_STORE_READONLY.
 */
#ifndef WW_STORE_STORE_H
#define WW_STORE_STORE_H

#include <waywarden/payload.h>

struct ww_store;

enum ww_store_flags { WW_STORE_READONLY = 1, WW_STORE_NOSYNC = 2 /* tests and benchmarks: no fsync */ };

enum ww_source_type {
  WW_SOURCE_RTR = 1,
  WW_SOURCE_IBGP = 2,
  WW_SOURCE_EBGP = 3,
  WW_SOURCE_STATIC = 4,
  WW_SOURCE_SLURM = 5,
  WW_SOURCE_FILE = 6 /* a payload file; on the wire it is reported as static */
};

/* What is kept about a source beside its payloads; stored as a CBOR map (docs/formats/store.md). */
struct ww_source_record {
  ww_source_id id;     /* given by the store to a new name */
  uint8_t type;        /* enum ww_source_type */
  char name[64];       /* from the configuration, unique */
  bool complete;       /* has had one whole set: its payloads count */
  int64_t last_sync;   /* Unix seconds, 0 never */
  int64_t valid_until; /* all of the source's data goes then; 0: no bound as a whole */
  uint64_t errors;     /* cumulative */
  /* RTR */
  bool has_session;
  uint8_t rtr_version;
  uint16_t rtr_session;
  uint32_t rtr_serial;
  uint32_t refresh, retry, expire; /* seconds, as the cache gave them; 0 not given */
  /* counts as committed */
  uint64_t vrps_v4, vrps_v6, aspas, router_keys;
};

/* Opens or creates. WW_ERR_VERSION: another schema version or a foreign file (never overwritten); WW_ERR_NOTFOUND:
 * read-only and nothing there. */
enum ww_err ww_store_open(const char *path, unsigned flags, struct ww_store **out, struct ww_diag *diag) WW_MUST_USE;
void ww_store_close(struct ww_store *store);

uint32_t ww_store_epoch(struct ww_store *store); /* last committed; a reader sees the writer's commits */

/* The record of the named source; creates an id for a new name (a write). */
enum ww_err ww_store_source(struct ww_store *store, const char *name, uint8_t type, struct ww_source_record *out,
                            struct ww_diag *diag) WW_MUST_USE;
/* Every source, by id. */
enum ww_err ww_store_sources(struct ww_store *store, struct ww_source_record **out, size_t *count,
                             struct ww_diag *diag) WW_MUST_USE; /* caller frees *out */
/* Removes sources whose names are not listed (taken out of the configuration) with their payloads; one epoch if any. */
enum ww_err ww_store_keep_sources(struct ww_store *store, const char *const *names, size_t count, uint32_t *epoch,
                                  struct ww_diag *diag) WW_MUST_USE;

/* Commits a whole new set (sorted by ww_payloads_sort()) for record->id. What differs from the stored set is written,
 * and returned in *delta (may be NULL). The epoch goes up by one when payloads changed, else stays. The record is
 * written in the same transaction; its counts are filled in. */
enum ww_err ww_store_commit_full(struct ww_store *store, struct ww_source_record *record, const struct ww_payloads *set,
                                 struct ww_payload_delta *delta, uint32_t *epoch, struct ww_diag *diag) WW_MUST_USE;
/* Commits increments: withdraw, then announce. On return *delta holds what really changed (announces of stored records
 * and withdrawals of unknown ones drop out). `changes` need not be sorted. */
enum ww_err ww_store_commit_delta(struct ww_store *store, struct ww_source_record *record,
                                  struct ww_payload_delta *changes, struct ww_payload_delta *delta, uint32_t *epoch,
                                  struct ww_diag *diag) WW_MUST_USE;
/* Writes the record alone (errors, last sync). No new epoch. */
enum ww_err ww_store_put_source(struct ww_store *store, const struct ww_source_record *record,
                                struct ww_diag *diag) WW_MUST_USE;

/* Reads one source's payloads into `out` (sorted), all in one read transaction, with the epoch they belong to. Several
 * sources under one transaction: ww_store_read_begin .. _end around the calls. */
enum ww_err ww_store_read_begin(struct ww_store *store, uint32_t *epoch, struct ww_diag *diag) WW_MUST_USE;
enum ww_err ww_store_read_source(struct ww_store *store, ww_source_id id, struct ww_payloads *out,
                                 struct ww_diag *diag) WW_MUST_USE;
void ww_store_read_end(struct ww_store *store);

struct ww_store_stats {
  size_t map_bytes, used_bytes;
};
void ww_store_stats(struct ww_store *store, struct ww_store_stats *out);

#endif
