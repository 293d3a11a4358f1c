/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a source's update to verdicts: commit to the store, build the next snapshot, publish it to the engine. One step
 * at a time, the slow part of each in a worker thread. Which caches are used and what SLURM lets through is settled
 * here.
 */
#ifndef WW_DAEMON_PIPELINE_H
#define WW_DAEMON_PIPELINE_H

#include "daemon/daemon.h"
#include "daemon/slurm_set.h"
#include "sources/ccr_hash.h"
#include "sources/divergence.h"
#include "store/store.h"
#include <waywarden/snapshot.h>

struct ww_pipeline;

/* A source as the pipeline sees it; read-only for others. */
struct ww_pipeline_source {
  struct ww_source_record record; /* as committed; id 0 until the pipeline has started */
  bool ignore_expiry;
  bool keep_expired; /* on-expiry = "keep" */
  bool tried;        /* has data, or has failed at least once */
  char last_error[240];
  /* Of RTR caches */
  bool in_contact;       /* in sync since the last trouble */
  unsigned troubles;     /* how many there were */
  int64_t contact_since; /* Unix seconds; when that became so */
  bool expired;          /* its data is past its Expire interval and kept all the same */
  int64_t warned;        /* when that was said last */
  bool flush_wanted;     /* a flush could not be stored: tried again */
  /* Beside the other complete caches of its preference; as of the last update of any of them */
  bool compared;
  size_t missing, extra;  /* records that others have and this has not; that this has and another has not */
  int64_t diverges_since; /* Unix seconds; 0: they say the same */
  bool divergence_said;
  /* CCR state hashes of what it delivered, whether it is in force or not */
  bool has_hashes; /* false: no data yet, or memory ran out */
  struct ww_ccr_hashes hashes;
};

/* The store, as it was when the house was kept last. */
struct ww_pipeline_store {
  struct ww_store_stats stats;
  int64_t reader_since; /* Unix seconds; since when the oldest reader has been seen to hold it up; 0: none does */
};

/* What a completed update says of its source beside payloads. */
struct ww_source_progress {
  int64_t last_sync, valid_until;
  bool has_session;
  uint8_t version;
  uint16_t session;
  uint32_t serial, refresh, retry, expire;
};

/* `ok`: it is on disk and published. `unknown`: how many withdrawals named records that were not held. */
typedef void (*ww_committed_fn)(void *ctx, bool ok, size_t unknown);
/* Runs in a worker, alone with the store. */
typedef void (*ww_query_fn)(void *ctx, struct ww_store *store);

/* Opens the store. */
enum ww_err ww_pipeline_new(struct ww_daemon *daemon, struct ww_pipeline **out, struct ww_diag *diag) WW_MUST_USE;
/* Before start, once for each configured source. Returns its number, or -1 when memory ran out. */
int ww_pipeline_add(struct ww_pipeline *pipeline, const char *name, enum ww_source_type type, bool ignore_expiry);
/* An RTR cache of a preference group. */
int ww_pipeline_add_cache(struct ww_pipeline *pipeline, const char *name, uint16_t preference, bool keep_expired);
/* Serves what the store holds; drops sources that are not configured any more. `slurm` (taken; NULL none) is in force
 * from the first epoch that is served. Then calls `started`, after which updates may be submitted. */
bool ww_pipeline_start(struct ww_pipeline *pipeline, struct ww_slurm_set *slurm, void (*started)(void *ctx), void *ctx);

/* Takes *set (zeroed). A whole new set, sorted. */
void ww_pipeline_submit_full(struct ww_pipeline *pipeline, int source, struct ww_payloads *set,
                             const struct ww_source_progress *progress, ww_committed_fn done, void *ctx);
/* Takes *delta (zeroed). */
void ww_pipeline_submit_delta(struct ww_pipeline *pipeline, int source, struct ww_payload_delta *delta,
                              const struct ww_source_progress *progress, ww_committed_fn done, void *ctx);
/* Takes `slurm`, the set to be in force from now on; NULL: none. */
void ww_pipeline_submit_slurm(struct ww_pipeline *pipeline, struct ww_slurm_set *slurm, ww_committed_fn done,
                              void *ctx);
/* All of the source's data goes, and it is incomplete until its next full update. */
void ww_pipeline_flush(struct ww_pipeline *pipeline, int source, const char *why);
/* The source could not be had. Its data, if any, stays; others need not wait for it any longer. */
void ww_pipeline_failed(struct ww_pipeline *pipeline, int source, const char *why);
/* `query` in its turn between updates, then `done` on the loop; `ran` false: the daemon is stopping. */
void ww_pipeline_query(struct ww_pipeline *pipeline, ww_query_fn query, void (*done)(void *ctx, bool ran), void *ctx);

bool ww_pipeline_ready(const struct ww_pipeline *pipeline);
size_t ww_pipeline_count(const struct ww_pipeline *pipeline);
const struct ww_pipeline_source *ww_pipeline_source(const struct ww_pipeline *pipeline, int source);
struct ww_snapshot *ww_pipeline_snapshot(const struct ww_pipeline *pipeline); /* borrowed */
/* CCR state hashes of the set in force, each record once however many sources have it. False: memory ran out. */
bool ww_pipeline_hashes(const struct ww_pipeline *pipeline, struct ww_ccr_hashes *out);
const struct ww_pipeline_store *ww_pipeline_store(const struct ww_pipeline *pipeline);
const struct ww_slurm_set *ww_pipeline_slurm(const struct ww_pipeline *pipeline);            /* in force; NULL: none */
const struct ww_source_record *ww_pipeline_slurm_source(const struct ww_pipeline *pipeline); /* id 0: none */

/* No further jobs; the one under way is completed first. */
void ww_pipeline_stop(struct ww_pipeline *pipeline);
void ww_pipeline_free(struct ww_pipeline *pipeline); /* after the loop has ended */

#endif
