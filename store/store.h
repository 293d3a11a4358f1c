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
  bool active;         /* its payloads are in the effective set: false while a more preferred cache group serves */
  uint16_t preference; /* of RTR caches: lower is better; 0 for sources outside groups, which always count */
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

/* Why an epoch came to be. */
enum ww_change_cause {
  WW_CAUSE_UPDATE = 1,   /* a source delivered */
  WW_CAUSE_EXPIRY = 2,   /* records reached their expiry */
  WW_CAUSE_FLUSH = 3,    /* a source's data had to go */
  WW_CAUSE_FAILOVER = 4, /* other sources became the active ones */
  WW_CAUSE_SLURM = 5,    /* the SLURM set changed */
  WW_CAUSE_CONFIG = 6,   /* sources came or went with the configuration */
};

/* What one epoch changed in the effective set: an entry of the history. */
struct ww_store_change {
  uint32_t epoch;
  int64_t time; /* Unix seconds */
  uint8_t cause;
  ww_source_id source; /* that brought it about; 0: none in particular */
  struct {
    uint64_t vrps_v4, vrps_v6, aspas, router_keys;
  } counts; /* of the effective set, after */
  bool has_hashes;
  uint8_t hashes[3][32];           /* CCR state hashes of the effective set after: VRPs, ASPAs, router keys */
  struct ww_payload_delta *deltas; /* what the snapshot was given, one for each source concerned; borrowed on writing */
  /* Beside each delta: the ASPAs that were effective before in the place of those it announces and withdraws, with
   * their providers (a withdrawn ASPA has none, and what an announced one replaced is not in the delta: without these
   * it could not be put back). NULL: none. Borrowed on writing like the deltas. */
  struct ww_payloads *replaced;
  size_t delta_count;
  /* Given by the store, on reading */
  uint64_t refreshed; /* records of which the expiry alone moved: counted, not kept; refresh of each delta is empty */
  bool complete; /* the change can be undone. False: the entry was larger than WW_STORE_CHANGE_MAX and its deltas are
                  * not there (delta_count is 0), or an ASPA was withdrawn and `replaced` does not have it */
};
enum { WW_STORE_CHANGE_MAX = 16 << 20 /* octets of an entry's deltas as they are stored; some 8 a VRP */ };
void ww_store_change_fini(struct ww_store_change *change); /* of one that was read */
/* What leads back: as many deltas as the change has, to be applied to what holds after it, the last one first. False
 * expiries aside (records that come back have the expiry they went with; those refreshed keep the present one), the
 * set of before. WW_ERR_STATE: the change is not complete. The caller frees the array and each delta. */
enum ww_err ww_store_change_undo(const struct ww_store_change *change, struct ww_payload_delta **out) WW_MUST_USE;

/*
 * Called inside a write transaction once it is known what it does to the payloads of its source, and before anything is
 * written: `raw` (may be empty) will be stored as `epoch`, the next one; but the present one stays, and no entry is
 * made, when raw is empty and the hook adds no deltas. It fills *change, which it gets zeroed, all but `epoch`; what
 * change points to it keeps alive until the commit returns. An error ends the transaction without a trace. May be
 * called again in one commit (the map had to grow): then only the last call counts. It may read from the store, and
 * then sees the epoch before.
 */
typedef enum ww_err (*ww_store_change_fn)(void *ctx, const struct ww_payload_delta *raw, uint32_t epoch,
                                          struct ww_store_change *change, struct ww_diag *diag);

/* Commits a whole new set (sorted by ww_payloads_sort()) for record->id. What differs from the stored set is written,
 * and returned in *delta (may be NULL). The epoch goes up by one when payloads or the effective set changed, else
 * stays. The record is written in the same transaction; its counts are filled in. `change` may be NULL: no history
 * entry. */
enum ww_err ww_store_commit_full(struct ww_store *store, struct ww_source_record *record, const struct ww_payloads *set,
                                 ww_store_change_fn change, void *ctx, struct ww_payload_delta *delta, uint32_t *epoch,
                                 struct ww_diag *diag) WW_MUST_USE;
/* Commits increments: withdraw, then announce. On return *delta holds what really changed (announces of stored records
 * and withdrawals of unknown ones drop out). `changes` need not be sorted. */
enum ww_err ww_store_commit_delta(struct ww_store *store, struct ww_source_record *record,
                                  struct ww_payload_delta *changes, ww_store_change_fn change, void *ctx,
                                  struct ww_payload_delta *delta, uint32_t *epoch, struct ww_diag *diag) WW_MUST_USE;
/* The SLURM files in force, as they were read: the last good set. */
struct ww_store_slurm {
  struct ww_store_slurm_file {
    char *name;
    uint8_t *text;
    size_t len;
  } * files;
  size_t count;
  bool strict;
  int64_t time; /* Unix seconds when it came into force */
};

/* Commits what changes the effective set without any source having delivered: failover, other SLURM files. Writes the
 * `count` records (of sources that became active or idle; names and counts stay as stored), and the SLURM set unless
 * `slurm` is NULL. The hook gets an empty `raw`. Without a hook the epoch goes up by one. */
enum ww_err ww_store_commit_change(struct ww_store *store, const struct ww_source_record *records, size_t count,
                                   const struct ww_store_slurm *slurm, ww_store_change_fn change, void *ctx,
                                   uint32_t *epoch, struct ww_diag *diag) WW_MUST_USE;

/* A store that never had any: WW_OK, no files and time 0. */
enum ww_err ww_store_read_slurm(struct ww_store *store, struct ww_store_slurm *out, struct ww_diag *diag) WW_MUST_USE;
void ww_store_slurm_fini(struct ww_store_slurm *slurm);

/* History, newest first: entries of epochs <= `from`, until `visit` returns non-zero (which ends the walk, not an
 * error). Each entry is valid during its call, and read in a transaction of its own unless one is open: a slow visitor
 * holds nothing back. Epochs that were made without a hook, by ww_store_keep_sources() or by ww_store_source() for a
 * name that changed its type have no entry: who undoes changes stops where epochs do not follow on each other. */
enum ww_err ww_store_history(struct ww_store *store, uint32_t from, void *ctx,
                             int (*visit)(void *ctx, const struct ww_store_change *change),
                             struct ww_diag *diag) WW_MUST_USE;
/* Drops entries from before `before` (Unix seconds), and the oldest ones beyond `max_octets`, but never the newest; a
 * bounded number in one call, *more says that it was reached. Clears the slots of readers that died, too. */
enum ww_err ww_store_prune(struct ww_store *store, int64_t before, size_t max_octets, bool *more,
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
  uint64_t history_entries, history_bytes; /* entries kept, and their octets as ww_store_prune() counts them */
  /* Readers within a transaction now. The pages that the oldest one sees cannot be used again: while it stays, each
   * commit makes the file grow. */
  unsigned readers;
  int oldest_reader;   /* its process, 0: none */
  uint64_t reader_txn; /* the commit that it sees: as long as process and commit stay, it is one and the same reading */
  uint64_t reader_lag; /* commits made since it began */
};
void ww_store_stats(struct ww_store *store, struct ww_store_stats *out);

#endif
