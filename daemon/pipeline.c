/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pipeline turns updates of sources into published snapshots:
 *
 *   job -> [worker: store transaction, with the next snapshot built inside it] -> engine, and the source is told
 *
 * Jobs wait in a queue and run one at a time, each in libuv's pool; pipeline_work.c has what they do. While one runs,
 * the worker alone uses the store, the snapshot and the SLURM set in force are not replaced, and the loop's thread only
 * reads them. So neither needs a lock: a job gets copies of the sources' records, and the loop takes them back. The
 * queue is short by itself: a source has at most one update on its way (it waits for `done`), and there is at most one
 * expiry pass and one switch.
 *
 * Start: the first job reads the store, and what is there is served at once. Readiness then follows one rule: at least
 * one source has complete data, and every source has been tried (has data, or has failed, or the start-up grace is
 * over). Before that the engine keeps routes without a verdict.
 *
 * Expiry of single records (payload files say it for each): `next_expiry` is a lower bound of the earliest expiry among
 * the records in force. When it passes, a job walks the snapshot, withdraws the expired records like any other update,
 * and finds the next bound. Sources with ignore-expiry do not take part.
 *
 * A job that fails leaves everything as it was: the store's transaction is gone, the snapshot in force stays. Of a job
 * of several steps those before the failure stand.
 *
 * Once a minute, or when a cache is about to count as lost, the house-keeping looks whether other caches are to be
 * used, tries again what could not be stored, warns of what lasts (divergence of caches, expired data that is kept, a
 * process that goes on reading the store), and prunes the history.
 *
 * Clauses: RFC 8210 §6 (data older than Expire is not used), RFC 6811 §2 (what the snapshot answers).
 */
#include "daemon/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/pipeline_internal.h"
#include "daemon/rtr_server_io.h"
#include "engine/engine.h"

enum {
  EXPIRY_SLEEP_MAX_S = 3600,
  HOUSE_S = 60,               /* between looks at what lasts, and between prunings */
  AGAIN_S = 10,               /* until what could not be stored is tried again */
  READER_LONG_S = 300,        /* a reader that holds up the store: said after that long, */
  READER_WARNING_S = 3600,    /* and again that often */
  KEPT_WARNING_S = 3600,      /* expired data that is kept: said that often */
  DIVERGENCE_WARNING_S = 600, /* caches of one preference that disagree: said after that long */
};

static void next_job(struct ww_pipeline *p);
static void arm_expiry(struct ww_pipeline *p);
static void keep_house(struct ww_pipeline *p, int64_t soonest);

/* ---- jobs ---- */

static void job_free(struct ww_job *job) {
  for (size_t i = 0; i < job->epoch_count; i++)
    ww_publication_fini(&job->epochs[i]);
  free(job->epochs);
  free(job->views);
  ww_payloads_fini(&job->set);
  ww_payload_delta_fini(&job->changes);
  ww_slurm_set_free(job->slurm);
  ww_slurm_set_free(job->slurm_retired);
  ww_snapshot_unref(job->snapshot);
  free(job);
}

static struct ww_job *job_new(struct ww_pipeline *p, enum ww_job_kind kind, int source) {
  struct ww_job *job = p->stopped ? NULL : calloc(1, sizeof(*job));
  if (!job) {
    if (!p->stopped) { /* a source that is never told of its update would wait for ever */
      ww_log(&p->daemon->log, WW_LOG_ERROR, "no memory to take an update");
      ww_daemon_stop(p->daemon, true);
    }
    return NULL;
  }
  job->pipeline = p;
  job->kind = kind;
  job->source = source;
  *p->last = job;
  p->last = &job->next;
  return job;
}

/* ---- readiness and publication ---- */

/* `with`: a source that counts as having data already, -1 none. */
static bool would_be_ready(const struct ww_pipeline *p, int with) {
  if (p->ready)
    return true;
  bool any = false, all = true;
  for (size_t i = 0; i < p->source_count; i++) {
    bool data = p->sources[i].record.complete || (int)i == with;
    any = any || data;
    all = all && (data || p->sources[i].tried);
  }
  return any && (all || p->grace_over);
}

static void say_ready(struct ww_pipeline *p) {
  struct ww_snapshot_counts counts;
  ww_snapshot_counts(p->snapshot, &counts);
  p->ready = true;
  uv_timer_stop(&p->grace);
  ww_log(&p->daemon->log, WW_LOG_NOTICE, "ready: epoch %u, %zu IPv4 and %zu IPv6 VRPs", ww_snapshot_epoch(p->snapshot),
         counts.vrps_v4, counts.vrps_v6);
}

/* Puts a snapshot in force: the one place where data leaves the pipeline. Takes the reference. `deltas` is what changed
 * since the one before, in the order of application; NULL: anything may have. */
static void publish(struct ww_pipeline *p, struct ww_snapshot *snapshot, const struct ww_payload_delta *deltas,
                    size_t count) {
  bool first = ww_snapshot_ready(snapshot) && !p->ready;
  ww_snapshot_unref(p->snapshot);
  p->snapshot = snapshot;
  enum ww_err err = ww_engine_set_snapshot(p->daemon->engine, snapshot, first ? NULL : deltas, first ? 0 : count);
  if (err != WW_OK && deltas) /* no memory to list what the deltas touch: judging everything needs no list */
    err = ww_engine_set_snapshot(p->daemon->engine, snapshot, NULL, 0);
  if (err != WW_OK)
    ww_log(&p->daemon->log, WW_LOG_ERROR, "epoch %u could not be handed to the engine: %s", ww_snapshot_epoch(snapshot),
           ww_err_name(err));
  if (first)
    say_ready(p);
  ww_rtr_server_io_publish(p->daemon->rtr_server, snapshot, deltas, count);
  ww_daemon_busy(p->daemon);
}

/* Readiness can come without new data: a source failed, or the grace is over. */
static void check_ready(struct ww_pipeline *p) {
  if (p->ready || p->running || !p->started || p->stopped || !would_be_ready(p, -1))
    return;
  struct ww_payload_delta none = {0};
  struct ww_snapshot *next;
  if (ww_snapshot_apply(p->snapshot, &none, ww_snapshot_epoch(p->snapshot), true, &next) == WW_OK)
    publish(p, next, NULL, 0);
}

static void add_engine_source(struct ww_engine_source *to, const struct ww_source_record *record) {
  to->id = record->id;
  to->type = record->type;
  snprintf(to->name, sizeof(to->name), "%s", record->name);
}

static void tell_engine_sources(struct ww_pipeline *p) {
  struct ww_engine_source *list = calloc(p->source_count + 1, sizeof(*list));
  size_t count = 0;
  if (!list)
    return;
  for (size_t i = 0; i < p->source_count; i++)
    add_engine_source(&list[count++], &p->sources[i].record);
  if (p->slurm_source.id)
    add_engine_source(&list[count++], &p->slurm_source);
  ww_engine_set_sources(p->daemon->engine, list, count);
  free(list);
}

/* ---- what a job brings ---- */

static void take_expiry(struct ww_pipeline *p, const struct ww_job *job) {
  if (job->err == WW_OK && job->whole_expiry)
    p->next_expiry = job->next_expiry;
  else
    ww_note_expiry(&p->next_expiry, job->next_expiry);
  arm_expiry(p);
}

/* The records as the job left them. Errors may have grown meanwhile. */
static void take_views(struct ww_pipeline *p, const struct ww_job *job) {
  for (size_t i = 0; job->views && i < p->source_count && i < job->view_count; i++) {
    uint64_t errors = p->sources[i].record.errors;
    p->sources[i].record = job->views[i].record;
    p->sources[i].has_hashes = job->views[i].has_hashes;
    p->sources[i].hashes = job->views[i].hashes;
    if (job->kind != WW_JOB_START)
      p->sources[i].record.errors = errors;
  }
}

static void take_divergence(struct ww_pipeline *p) {
  int64_t now = p->daemon->now.unix_sec;
  for (size_t g = 0; g < p->group_count; g++) {
    const struct ww_group *group = &p->groups[g];
    const struct ww_divergence_counts *counts = group->divergence ? ww_divergence_counts(group->divergence) : NULL;
    unsigned complete = 0;
    for (unsigned i = 0; i < group->count; i++)
      complete += p->sources[group->sources[i]].record.complete;
    for (unsigned i = 0; i < group->count; i++) {
      struct ww_pipeline_source *s = &p->sources[group->sources[i]];
      s->compared = counts && complete > 1 && s->record.complete;
      s->missing = s->compared ? counts->of[i].missing : 0;
      s->extra = s->compared ? counts->of[i].extra : 0;
      if (!s->missing && !s->extra) {
        if (s->divergence_said)
          ww_log(&p->daemon->log, WW_LOG_NOTICE, "source %s: agrees with the other caches of its preference again",
                 s->record.name);
        s->diverges_since = 0;
        s->divergence_said = false;
      } else if (!s->diverges_since) {
        s->diverges_since = now;
      }
    }
  }
}

static const char *cause_words(const struct ww_publication *e) {
  switch ((enum ww_change_cause)e->cause) {
  case WW_CAUSE_EXPIRY:
    return "expired";
  case WW_CAUSE_FLUSH:
    return "flushed";
  case WW_CAUSE_CONFIG:
    return "not configured any more";
  default:
    return "updated";
  }
}

static void log_switch(struct ww_pipeline *p, uint32_t epoch) {
  char text[512] = "";
  size_t at = 0;
  for (size_t i = 0; i < p->source_count; i++)
    if (p->sources[i].record.active && p->sources[i].record.preference && at < sizeof(text)) {
      int n = snprintf(text + at, sizeof(text) - at, "%s%s", at ? ", " : "", p->sources[i].record.name);
      at += n > 0 ? (size_t)n : 0;
    }
  ww_log(&p->daemon->log, WW_LOG_NOTICE, "the caches in use are now: %s; epoch %u", at ? text : "none", epoch);
}

static void log_epoch(struct ww_pipeline *p, const struct ww_job *job, const struct ww_publication *e) {
  size_t in = 0, out = 0;
  for (size_t i = 0; i < e->count; i++) {
    in += ww_payloads_count(&e->deltas[i].announce);
    out += ww_payloads_count(&e->deltas[i].withdraw);
  }
  if (e->cause == WW_CAUSE_FAILOVER)
    log_switch(p, e->epoch);
  else if (e->cause == WW_CAUSE_SLURM)
    ww_log(&p->daemon->log, WW_LOG_NOTICE, "SLURM: %zu files in force: %zu in, %zu out, epoch %u",
           p->slurm ? p->slurm->texts.count : 0, in, out, e->epoch);
  else
    ww_log(&p->daemon->log, in || out ? WW_LOG_INFO : WW_LOG_DEBUG, "source %s: %s: %zu in, %zu out, epoch %u%s",
           job->views[e->source].record.name, cause_words(e), in, out, e->epoch,
           job->views[e->source].record.active || e->cause != WW_CAUSE_UPDATE ? "" : " (in reserve)");
}

static void take_epochs(struct ww_pipeline *p, struct ww_job *job) {
  static const struct ww_payload_delta none;
  for (size_t i = 0; i < job->epoch_count; i++) {
    struct ww_publication *e = &job->epochs[i];
    struct ww_snapshot *snapshot = e->snapshot;
    e->snapshot = NULL;
    log_epoch(p, job, e);
    if (p->has_hashes && !e->has_hashes)
      ww_log(&p->daemon->log, WW_LOG_ERROR, "no memory for the hashes of epoch %u: none are given until a restart",
             e->epoch);
    p->has_hashes = e->has_hashes;
    p->hashes = e->hashes;
    publish(p, snapshot, e->count ? e->deltas : &none, e->count);
  }
}

static void started(struct ww_pipeline *p, struct ww_job *job) {
  p->started = true;
  if (job->err != WW_OK) {
    /* What is on disk cannot be read, so nothing could be kept there either. */
    ww_log(&p->daemon->log, WW_LOG_ERROR, "%s", job->diag.text[0] ? job->diag.text : ww_err_name(job->err));
    ww_daemon_stop(p->daemon, true);
    return;
  }
  size_t complete = 0;
  for (size_t i = 0; i < p->source_count; i++) {
    p->sources[i].contact_since = p->daemon->now.unix_sec;
    if (p->sources[i].record.complete) {
      p->sources[i].tried = true;
      complete++;
    }
  }
  tell_engine_sources(p);
  for (size_t i = 0; i < job->epoch_count; i++)
    if (job->epochs[i].source < (int)p->source_count)
      log_epoch(p, job, &job->epochs[i]);
  struct ww_snapshot *snapshot = job->snapshot;
  job->snapshot = NULL;
  p->has_hashes = job->has_hashes;
  p->hashes = job->hashes;
  if (complete)
    ww_log(&p->daemon->log, WW_LOG_INFO, "store: epoch %u, data of %zu of %zu sources", ww_snapshot_epoch(snapshot),
           complete, p->source_count);
  publish(p, snapshot, NULL, 0);
  if (!p->ready)
    uv_timer_start(&p->grace, p->grace.timer_cb, (uint64_t)p->daemon->config->startup_grace * 1000, 0);
  p->on_started(p->started_ctx);
}

static void say_failure(struct ww_pipeline *p, const struct ww_job *job) {
  const char *text = job->diag.text[0] ? job->diag.text : ww_err_name(job->err);
  const char *name = job->source >= 0 ? p->sources[job->source].record.name : "";
  if (job->source >= 0 && job->stored)
    ww_log(&p->daemon->log, WW_LOG_ERROR, "source %s: stored, but the caches in use could not be changed: %s", name,
           text);
  else if (job->source >= 0)
    ww_log(&p->daemon->log, WW_LOG_ERROR, "source %s: update not stored, the data in force stays: %s", name, text);
  else
    ww_log(&p->daemon->log, WW_LOG_ERROR, "%s: the data in force stays: %s",
           job->kind == WW_JOB_SLURM    ? "SLURM"
           : job->kind == WW_JOB_SWITCH ? "other caches could not be taken"
                                        : "expired records could not be withdrawn",
           text);
}

/* A source was heard, or its data went. */
static void take_source(struct ww_pipeline *p, const struct ww_job *job) {
  struct ww_pipeline_source *s = &p->sources[job->source];
  if (!job->stored) {
    s->flush_wanted = s->flush_wanted || job->kind == WW_JOB_FLUSH;
    ww_pipeline_failed(p, job->source, job->diag.text[0] ? job->diag.text : ww_err_name(job->err));
    return;
  }
  s->flush_wanted = false;
  s->tried = s->tried || s->record.complete;
  if (job->kind == WW_JOB_FLUSH || s->in_contact || s->troubles != job->troubles)
    return;
  s->in_contact = true;
  s->contact_since = p->daemon->now.unix_sec;
}

static void take_result(struct ww_pipeline *p, struct ww_job *job) {
  bool had_slurm = p->slurm_source.id != 0;
  take_views(p, job);
  if (job->views) { /* it ran */
    p->slurm = job->slurm_in_force;
    p->slurm_source = job->slurm_source;
  }
  take_divergence(p);
  if (job->kind == WW_JOB_START) {
    take_expiry(p, job);
    started(p, job);
    return;
  }
  if (!had_slurm && p->slurm_source.id)
    tell_engine_sources(p);
  take_epochs(p, job);
  if (job->err != WW_OK)
    say_failure(p, job);
  if (job->source >= 0)
    take_source(p, job);
  take_expiry(p, job);
}

static void job_done(uv_work_t *work, int status) {
  struct ww_job *job = work->data;
  struct ww_pipeline *p = job->pipeline;
  ww_daemon_now(p->daemon);
  p->running = NULL;
  if (status < 0)
    job->err = ww_fail(&job->diag, WW_ERR_STATE, 0, NULL, "cancelled");
  if (job->kind == WW_JOB_EXPIRE)
    p->expire_queued = false;
  if (job->kind == WW_JOB_SWITCH)
    p->switch_queued = false;
  if (!p->stopped) {
    take_result(p, job);
    if (job->done)
      job->done(job->ctx, job->stored, job->unknown);
    keep_house(p, job->err == WW_OK ? 0 : AGAIN_S);
  } else if (job->views) {
    p->slurm = job->slurm_in_force; /* so that it is freed */
  }
  if (job->query_done)
    job->query_done(job->ctx, status >= 0 && !p->stopped);
  job_free(job);
  check_ready(p);
  next_job(p);
}

/* What the worker is to know of the pipeline as it is now. */
static void job_prepare(struct ww_pipeline *p, struct ww_job *job) {
  job->now = p->daemon->now.unix_sec;
  /* At the start it is decided by what is found. */
  job->ready = job->kind != WW_JOB_START && would_be_ready(p, job->kind == WW_JOB_FULL ? job->source : -1);
  job->slurm_in_force = p->slurm;
  job->slurm_source = p->slurm_source;
  job->views = calloc(p->source_count + 1, sizeof(*job->views));
  job->view_count = job->views ? p->source_count : 0;
  for (size_t i = 0; i < job->view_count; i++) {
    const struct ww_pipeline_source *s = &p->sources[i];
    job->views[i] = (struct ww_source_view){.record = s->record,
                                            .cache = {.preference = s->record.preference,
                                                      .complete = s->record.complete,
                                                      .in_contact = s->in_contact,
                                                      .since = s->contact_since,
                                                      .active = s->record.active},
                                            .ignore_expiry = s->ignore_expiry,
                                            .keep_expired = s->keep_expired,
                                            .has_hashes = s->has_hashes,
                                            .hashes = s->hashes};
  }
}

static void run_job(uv_work_t *work) { ww_job_run(work->data); }

static void next_job(struct ww_pipeline *p) {
  if (p->running || !p->first || p->stopped)
    return;
  struct ww_job *job = p->first;
  p->first = job->next;
  if (!p->first)
    p->last = &p->first;
  job_prepare(p, job);
  job->work.data = job;
  p->running = job;
  if (uv_queue_work(&p->daemon->loop, &job->work, run_job, job_done) != 0) {
    /* Only a loop without threads refuses. Whoever waits must hear of it all the same. */
    (void)ww_fail(&job->diag, WW_ERR_STATE, 0, NULL, "no worker to do it");
    job->err = WW_ERR_STATE;
    job_done(&job->work, UV_ECANCELED);
  }
}

/* ---- what comes in ---- */

void ww_pipeline_submit_full(struct ww_pipeline *pipeline, int source, struct ww_payloads *set,
                             const struct ww_source_progress *progress, ww_committed_fn done, void *ctx) {
  struct ww_job *job = job_new(pipeline, WW_JOB_FULL, source);
  if (!job) {
    ww_payloads_fini(set);
    return;
  }
  job->set = *set;
  memset(set, 0, sizeof(*set));
  job->progress = *progress;
  job->troubles = pipeline->sources[source].troubles;
  job->done = done;
  job->ctx = ctx;
  next_job(pipeline);
}

void ww_pipeline_submit_delta(struct ww_pipeline *pipeline, int source, struct ww_payload_delta *delta,
                              const struct ww_source_progress *progress, ww_committed_fn done, void *ctx) {
  struct ww_job *job = job_new(pipeline, WW_JOB_DELTA, source);
  if (!job) {
    ww_payload_delta_fini(delta);
    return;
  }
  job->changes = *delta;
  memset(delta, 0, sizeof(*delta));
  job->progress = *progress;
  job->troubles = pipeline->sources[source].troubles;
  job->done = done;
  job->ctx = ctx;
  next_job(pipeline);
}

void ww_pipeline_submit_slurm(struct ww_pipeline *pipeline, struct ww_slurm_set *slurm, ww_committed_fn done,
                              void *ctx) {
  struct ww_job *job = job_new(pipeline, WW_JOB_SLURM, -1);
  if (!job) {
    ww_slurm_set_free(slurm);
    return;
  }
  job->slurm = slurm;
  job->done = done;
  job->ctx = ctx;
  next_job(pipeline);
}

void ww_pipeline_query(struct ww_pipeline *pipeline, ww_query_fn query, void (*done)(void *ctx, bool ran), void *ctx) {
  struct ww_job *job = job_new(pipeline, WW_JOB_QUERY, -1);
  if (!job) {
    done(ctx, false);
    return;
  }
  job->query = query;
  job->query_done = done;
  job->ctx = ctx;
  next_job(pipeline);
}

void ww_pipeline_flush(struct ww_pipeline *pipeline, int source, const char *why) {
  if (pipeline->sources[source].record.complete)
    ww_log(&pipeline->daemon->log, WW_LOG_WARNING, "source %s: its data is dropped: %s",
           pipeline->sources[source].record.name, why);
  if (job_new(pipeline, WW_JOB_FLUSH, source))
    next_job(pipeline);
}

void ww_pipeline_failed(struct ww_pipeline *pipeline, int source, const char *why) {
  struct ww_pipeline_source *s = &pipeline->sources[source];
  s->tried = true;
  s->record.errors++;
  s->troubles++;
  if (s->in_contact) {
    s->in_contact = false;
    s->contact_since = pipeline->daemon->now.unix_sec;
  }
  snprintf(s->last_error, sizeof(s->last_error), "%s", why);
  check_ready(pipeline);
  keep_house(pipeline, 0);
}

/* ---- keeping house ---- */

/* Somebody reads in one transaction, and the store grows as long as he does. LMDB does not say since when: what counts
 * is how long he has been seen. */
static void look_at_reader(struct ww_pipeline *p) {
  struct ww_pipeline_store *seen = &p->store_seen;
  int64_t now = p->daemon->now.unix_sec;
  const struct ww_store_stats is = p->store_stats;
  bool same = is.oldest_reader == seen->stats.oldest_reader && is.reader_txn == seen->stats.reader_txn;
  if (!is.reader_lag)
    seen->reader_since = 0;
  else if (!same || !seen->reader_since)
    seen->reader_since = now;
  if (!same || !is.reader_lag)
    p->reader_warned = 0;
  seen->stats = is;
  if (!seen->reader_since || now - seen->reader_since < READER_LONG_S ||
      (p->reader_warned && now - p->reader_warned < READER_WARNING_S))
    return;
  p->reader_warned = now;
  ww_log(
      &p->daemon->log, WW_LOG_WARNING,
      "store: process %d has been reading for %lld s or more, since %llu commits ago; until it ends, nothing that was "
      "dropped since can be used again, and the store grows",
      is.oldest_reader, (long long)(now - seen->reader_since), (unsigned long long)is.reader_lag);
}

static void pruned(void *ctx, bool ran) {
  struct ww_pipeline *p = ctx;
  if (p->stopped)
    return;
  p->next_prune = p->daemon->now.unix_sec + HOUSE_S;
  if (ran)
    look_at_reader(p);
}

static void prune(void *ctx, struct ww_store *store) {
  struct ww_pipeline *p = ctx;
  const struct ww_config *config = p->daemon->config;
  int64_t now = ww_clock_read().unix_sec;
  bool more = true;
  while (more && ww_store_prune(store, config->history ? now - config->history : now + 1, config->history_size, &more,
                                NULL) == WW_OK)
    continue;
  ww_store_stats(store, &p->store_stats);
}

/* Expired data that is kept because the configuration says so. */
static void look_at_kept(struct ww_pipeline *p, struct ww_pipeline_source *s, int64_t now) {
  const struct ww_source_record *r = &s->record;
  int64_t end = r->last_sync + r->expire;
  s->expired = s->keep_expired && r->complete && r->expire && now >= end;
  if (!s->expired) {
    s->warned = 0;
    return;
  }
  if (s->warned && now - s->warned < KEPT_WARNING_S)
    return;
  ww_log(&p->daemon->log, WW_LOG_WARNING,
         "source %s: its data expired %lld s ago and is kept%s, because on-expiry says so; not heard since %lld s",
         r->name, (long long)(now - end), r->active ? " in force" : "", (long long)(now - r->last_sync));
  s->warned = now;
}

static void look_at_divergence(struct ww_pipeline *p, struct ww_pipeline_source *s, int64_t now) {
  if (!s->diverges_since || s->divergence_said || now - s->diverges_since < DIVERGENCE_WARNING_S)
    return;
  ww_log(&p->daemon->log, WW_LOG_WARNING,
         "source %s: for %lld s it has lacked %zu records that other caches of preference %u have, and had %zu that "
         "another has not",
         s->record.name, (long long)(now - s->diverges_since), s->missing, s->record.preference, s->extra);
  s->divergence_said = true;
}

/* When the answer to "which caches?" may become another by itself; asks for a switch where it is another already. */
static int64_t look_at_groups(struct ww_pipeline *p, int64_t now) {
  struct ww_cache *caches = calloc(p->source_count + 1, sizeof(*caches));
  bool other = false;
  if (!caches)
    return now + AGAIN_S;
  for (size_t i = 0; i < p->source_count; i++) {
    const struct ww_pipeline_source *s = &p->sources[i];
    caches[i] = (struct ww_cache){.preference = s->record.preference,
                                  .complete = s->record.complete,
                                  .in_contact = s->in_contact,
                                  .since = s->contact_since,
                                  .active = s->record.active};
  }
  int64_t next = ww_cache_groups_choose(caches, p->source_count, now, p->daemon->config->failover_delay);
  for (size_t i = 0; i < p->source_count; i++)
    other = other || caches[i].active != p->sources[i].record.active;
  free(caches);
  if (other && !p->switch_queued && job_new(p, WW_JOB_SWITCH, -1)) {
    p->switch_queued = true;
    next_job(p);
  }
  return next;
}

static void on_house(uv_timer_t *timer) {
  struct ww_pipeline *p = timer->data;
  ww_daemon_now(p->daemon);
  p->house_at = 0;
  for (size_t i = 0; i < p->source_count; i++)
    if (p->sources[i].flush_wanted) {
      p->sources[i].flush_wanted = false;
      ww_pipeline_flush(p, (int)i, "it could not be before");
    }
  if (p->started && p->daemon->now.unix_sec >= p->next_prune) {
    p->next_prune = INT64_MAX; /* until it is done */
    ww_pipeline_query(p, prune, pruned, p);
  }
  keep_house(p, 0);
}

/* Looks around, and sets the timer for the next look. Not sooner than in `soonest` seconds after a failure. */
static void keep_house(struct ww_pipeline *p, int64_t soonest) {
  int64_t now = p->daemon->now.unix_sec, next = now + HOUSE_S;
  if (p->stopped || !p->started)
    return;
  if (!p->next_prune) /* the first time soon after the start */
    next = now + 1;
  for (size_t i = 0; i < p->source_count; i++) {
    look_at_kept(p, &p->sources[i], now);
    look_at_divergence(p, &p->sources[i], now);
    if (p->sources[i].flush_wanted && now + AGAIN_S < next)
      next = now + AGAIN_S;
  }
  if (soonest)
    next = now + soonest;
  else if (!p->running) {
    int64_t change = look_at_groups(p, now);
    next = change < next ? change : next;
  }
  if (!soonest && p->house_at > now && p->house_at < next) /* updates come often: they must not put it off for ever */
    next = p->house_at;
  p->house_at = next;
  int64_t wait = next > now ? next - now : 1;
  uv_timer_start(&p->house, on_house, (uint64_t)wait * 1000, 0);
}

/* ---- timers ---- */

static void on_grace(uv_timer_t *timer) {
  struct ww_pipeline *p = timer->data;
  ww_daemon_now(p->daemon);
  p->grace_over = true;
  if (!p->ready && !would_be_ready(p, -1))
    ww_log(&p->daemon->log, WW_LOG_WARNING, "not ready after %u s: no source has complete data yet",
           p->daemon->config->startup_grace);
  check_ready(p);
}

static void on_expiry(uv_timer_t *timer) {
  struct ww_pipeline *p = timer->data;
  ww_daemon_now(p->daemon);
  if (p->daemon->now.unix_sec <= p->next_expiry) {
    arm_expiry(p);
    return;
  }
  if (p->expire_queued || !job_new(p, WW_JOB_EXPIRE, -1))
    return;
  p->expire_queued = true;
  next_job(p);
}

/* A record may be used through the second that it names. */
static void arm_expiry(struct ww_pipeline *p) {
  if (p->stopped || p->next_expiry == INT64_MAX) {
    uv_timer_stop(&p->expiry);
    return;
  }
  int64_t wait = p->next_expiry + 1 - p->daemon->now.unix_sec;
  wait = wait < 1 ? 1 : wait > EXPIRY_SLEEP_MAX_S ? EXPIRY_SLEEP_MAX_S : wait;
  uv_timer_start(&p->expiry, on_expiry, (uint64_t)wait * 1000, 0);
}

/* ---- life ---- */

enum ww_err ww_pipeline_new(struct ww_daemon *daemon, struct ww_pipeline **out, struct ww_diag *diag) {
  struct ww_pipeline *p = calloc(1, sizeof(*p));
  *out = NULL;
  if (!p || !(p->snapshot = ww_snapshot_new())) {
    free(p);
    return ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "no memory for the pipeline");
  }
  enum ww_err err = ww_store_open(daemon->config->store, 0, &p->store, diag);
  if (err != WW_OK) {
    ww_snapshot_unref(p->snapshot);
    free(p);
    return err;
  }
  p->daemon = daemon;
  p->last = &p->first;
  p->next_expiry = INT64_MAX;
  uv_timer_init(&daemon->loop, &p->grace);
  uv_timer_init(&daemon->loop, &p->expiry);
  uv_timer_init(&daemon->loop, &p->house);
  p->grace.data = p->expiry.data = p->house.data = p;
  p->grace.timer_cb = on_grace;
  *out = p;
  return WW_OK;
}

int ww_pipeline_add(struct ww_pipeline *pipeline, const char *name, enum ww_source_type type, bool ignore_expiry) {
  struct ww_pipeline_source *sources =
      realloc(pipeline->sources, (pipeline->source_count + 1) * sizeof(*pipeline->sources));
  if (!sources)
    return -1;
  pipeline->sources = sources;
  struct ww_pipeline_source *s = &sources[pipeline->source_count];
  memset(s, 0, sizeof(*s));
  snprintf(s->record.name, sizeof(s->record.name), "%s", name);
  s->record.type = (uint8_t)type;
  s->ignore_expiry = ignore_expiry;
  return (int)pipeline->source_count++;
}

int ww_pipeline_add_cache(struct ww_pipeline *pipeline, const char *name, uint16_t preference, bool keep_expired) {
  int source = ww_pipeline_add(pipeline, name, WW_SOURCE_RTR, false);
  if (source >= 0) {
    pipeline->sources[source].record.preference = preference;
    pipeline->sources[source].keep_expired = keep_expired;
  }
  return source;
}

/* A group for each preference that several caches share. */
static bool make_groups(struct ww_pipeline *p) {
  p->groups = calloc(p->source_count + 1, sizeof(*p->groups));
  p->delivered = calloc(p->source_count + 1, sizeof(*p->delivered));
  if (!p->groups || !p->delivered)
    return false;
  for (size_t i = 0; i < p->source_count; i++) {
    uint16_t preference = p->sources[i].record.preference;
    size_t g = 0;
    if (!preference)
      continue;
    while (g < p->group_count && p->groups[g].preference != preference)
      g++;
    p->group_count += g == p->group_count;
    struct ww_group *group = &p->groups[g];
    group->preference = preference;
    if (group->count < WW_DIVERGENCE_CACHES)
      group->sources[group->count++] = (int)i;
  }
  for (size_t i = 0; i < p->source_count; i++)
    p->delivered[i] = ww_ccr_state_new(); /* NULL: no hashes of it */
  for (size_t g = 0; g < p->group_count; g++) {
    uint64_t seed;
    if (p->groups[g].count > 1 && getentropy(&seed, sizeof(seed)) == 0)
      p->groups[g].divergence = ww_divergence_new(seed);
  }
  return true;
}

bool ww_pipeline_start(struct ww_pipeline *pipeline, struct ww_slurm_set *slurm, void (*on_started)(void *ctx),
                       void *ctx) {
  pipeline->on_started = on_started;
  pipeline->started_ctx = ctx;
  struct ww_job *job = make_groups(pipeline) ? job_new(pipeline, WW_JOB_START, -1) : NULL;
  if (!job) {
    ww_slurm_set_free(slurm);
    return false;
  }
  job->slurm = slurm;
  next_job(pipeline);
  return true;
}

bool ww_pipeline_ready(const struct ww_pipeline *pipeline) { return pipeline->ready; }
size_t ww_pipeline_count(const struct ww_pipeline *pipeline) { return pipeline->source_count; }

const struct ww_pipeline_source *ww_pipeline_source(const struct ww_pipeline *pipeline, int source) {
  return &pipeline->sources[source];
}

struct ww_snapshot *ww_pipeline_snapshot(const struct ww_pipeline *pipeline) {
  return pipeline->snapshot;
}

bool ww_pipeline_hashes(const struct ww_pipeline *pipeline, struct ww_ccr_hashes *out) {
  *out = pipeline->hashes;
  return pipeline->has_hashes;
}

const struct ww_pipeline_store *ww_pipeline_store(const struct ww_pipeline *pipeline) { return &pipeline->store_seen; }

const struct ww_slurm_set *ww_pipeline_slurm(const struct ww_pipeline *pipeline) { return pipeline->slurm; }

const struct ww_source_record *ww_pipeline_slurm_source(const struct ww_pipeline *pipeline) {
  return &pipeline->slurm_source;
}

void ww_pipeline_stop(struct ww_pipeline *pipeline) {
  struct ww_pipeline *p = pipeline;
  if (!p || p->stopped)
    return;
  p->stopped = true;
  while (p->first) {
    struct ww_job *job = p->first;
    p->first = job->next;
    if (job->query_done)
      job->query_done(job->ctx, false);
    job_free(job);
  }
  p->last = &p->first;
  uv_close((uv_handle_t *)&p->grace, NULL);
  uv_close((uv_handle_t *)&p->expiry, NULL);
  uv_close((uv_handle_t *)&p->house, NULL);
}

void ww_pipeline_free(struct ww_pipeline *pipeline) {
  if (!pipeline)
    return;
  ww_store_close(pipeline->store);
  ww_snapshot_unref(pipeline->snapshot);
  ww_slurm_set_free(pipeline->slurm);
  for (size_t g = 0; g < pipeline->group_count; g++)
    ww_divergence_free(pipeline->groups[g].divergence);
  ww_ccr_fini(&pipeline->ccr);
  for (size_t i = 0; pipeline->delivered && i < pipeline->source_count; i++)
    ww_ccr_state_free(pipeline->delivered[i]);
  free(pipeline->delivered);
  free(pipeline->groups);
  free(pipeline->sources);
  free(pipeline);
}
