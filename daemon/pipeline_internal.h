/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the loop's half of the pipeline (pipeline.c) and the worker's half (pipeline_work.c) share. Nobody else includes
 * it.
 */
#ifndef WW_DAEMON_PIPELINE_INTERNAL_H
#define WW_DAEMON_PIPELINE_INTERNAL_H

#include "daemon/pipeline.h"
#include "sources/cache_groups.h"
#include "sources/ccr_state.h"

enum ww_job_kind {
  WW_JOB_START,
  WW_JOB_FULL,
  WW_JOB_DELTA,
  WW_JOB_FLUSH,
  WW_JOB_EXPIRE, /* single records whose time has come */
  WW_JOB_SWITCH, /* other caches may have become the ones to use */
  WW_JOB_SLURM,
  WW_JOB_QUERY, /* somebody else's function, with the store */
};

/* A source as a job sees it: a copy of the loop's, changed as the job commits. */
struct ww_source_view {
  struct ww_source_record record; /* .active: in force as of the last commit */
  struct ww_cache cache;
  bool ignore_expiry, keep_expired;
  uint8_t new_type; /* at the start: the name was another kind of source; 0: it was not */
  bool has_hashes;  /* of what it delivered */
  struct ww_ccr_hashes hashes;
};

/* An epoch that was committed, on its way to the engine. */
struct ww_publication {
  struct ww_snapshot *snapshot;
  uint32_t epoch;
  uint8_t cause;
  int source;                      /* index; -1: none in particular */
  struct ww_payload_delta raw;     /* what changed in the store, of `source` */
  struct ww_payload_delta *deltas; /* what changed in force; one for each source concerned */
  struct ww_payloads *replaced;    /* beside each: the ASPAs that it takes the place of */
  bool *borrowed;                  /* beside each: its records are those of `raw` or of the job */
  size_t count, cap;
  bool has_hashes;
  struct ww_ccr_hashes hashes;
};

/* The caches of one preference, when there are several; the worker's. */
struct ww_group {
  uint16_t preference;
  int sources[WW_DIVERGENCE_CACHES];
  unsigned count;
  struct ww_divergence *divergence; /* NULL: memory ran out, nothing is said */
};

/* What is in force of a source, as CCR states; the worker's. */
struct ww_ccr_part {
  ww_source_id id;
  struct ww_ccr_state *state;
};

struct ww_ccr {
  struct ww_ccr_part *parts;
  size_t count;
  struct ww_ccr_state *all; /* their union; NULL: memory ran out, and no hashes are given until the next start */
};

struct ww_job {
  uv_work_t work;
  struct ww_pipeline *pipeline;
  struct ww_job *next;
  enum ww_job_kind kind;
  int source;                      /* -1: none */
  struct ww_payloads set;          /* FULL */
  struct ww_payload_delta changes; /* DELTA */
  struct ww_source_progress progress;
  struct ww_slurm_set *slurm; /* START, SLURM: to be put in force; owned until it is */
  ww_committed_fn done;
  ww_query_fn query; /* QUERY */
  void (*query_done)(void *ctx, bool ran);
  void *ctx;
  /* set when it starts to run */
  struct ww_source_view *views;
  size_t view_count;
  bool ready;
  unsigned troubles; /* of its source, when the update was handed in */
  int64_t now;
  /* the worker's copies; the loop takes them back when the job is done */
  struct ww_slurm_set *slurm_in_force, *slurm_retired;
  bool slurm_unreadable; /* the store's, by this version */
  struct ww_source_record slurm_source;
  /* results */
  enum ww_err err;
  struct ww_diag diag;
  bool stored;                  /* the source's update is on disk; what came after it may have failed */
  struct ww_snapshot *snapshot; /* the last one built; NULL: the one in force still is it */
  struct ww_publication *epochs;
  size_t epoch_count;
  bool has_hashes; /* START: of what it ended with */
  struct ww_ccr_hashes hashes;
  int64_t next_expiry; /* among the records that the job saw; INT64_MAX none */
  bool whole_expiry;   /* next_expiry is exact, not just a bound for what came in */
  size_t unknown;
};

struct ww_pipeline {
  struct ww_daemon *daemon;
  struct ww_store *store;
  struct ww_pipeline_source *sources;
  size_t source_count;
  struct ww_snapshot *snapshot;
  struct ww_slurm_set *slurm;           /* in force; NULL: none. Changes between jobs only */
  struct ww_source_record slurm_source; /* what assertions are held under; id 0: there were never any */
  struct ww_group *groups;
  size_t group_count;
  struct ww_ccr ccr;
  struct ww_ccr_state **delivered; /* beside each source, what it delivered; the worker's */
  bool has_hashes;                 /* of the snapshot in force */
  struct ww_ccr_hashes hashes;
  struct ww_job *first, **last; /* waiting */
  struct ww_job *running;
  bool ready, grace_over, started, stopped, expire_queued, switch_queued;
  uv_timer_t grace, expiry, house;
  int64_t next_expiry, next_prune, house_at;
  struct ww_pipeline_store store_seen; /* the loop's */
  struct ww_store_stats store_stats;   /* the worker's, while it looks */
  int64_t reader_warned;
  void (*on_started)(void *ctx);
  void *started_ctx;
};

/* daemon/pipeline_ccr.c */

/* The states with the deltas applied, beside those of `ccr`, which stay. Its `all` is NULL when memory ran out. */
void ww_ccr_next(const struct ww_ccr *ccr, const struct ww_payload_delta *deltas, size_t count, struct ww_ccr *next);
bool ww_ccr_hashes_of(struct ww_ccr *ccr, struct ww_ccr_hashes *out);
void ww_ccr_fini(struct ww_ccr *ccr);
/* The state of one source in it; NULL: never in force. */
struct ww_ccr_state *ww_ccr_part_of(const struct ww_ccr *ccr, ww_source_id id);
/* Changes the state of what a source delivered by `raw`; `same`: NULL, or a state that is equal to it by now, to share
 * the memory of. *delivered is NULL when memory has run out. */
bool ww_ccr_deliver(struct ww_ccr_state **delivered, const struct ww_payload_delta *raw,
                    const struct ww_ccr_state *same, struct ww_ccr_hashes *out);

/* In the worker: everything that a job does. */
void ww_job_run(struct ww_job *job);
void ww_publication_fini(struct ww_publication *publication);

size_t ww_payloads_count(const struct ww_payloads *set);
void ww_note_expiry(int64_t *next, int64_t expires);

#endif
