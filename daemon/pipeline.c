/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pipeline turns updates of sources into published snapshots:
 *
 *   job -> [worker: store transaction -> delta -> next snapshot] -> engine, and the source is told
 *
 * Jobs wait in a queue and run one at a time, each in libuv's pool. While one runs, the worker alone uses the store and
 * `snapshot` is not replaced; the loop's thread only reads it. So neither needs a lock. The queue is short by itself: a
 * source has at most one update on its way (it waits for `done`), and there is at most one expiry pass.
 *
 * Start: the first job reads the store, and what is there is served at once. Readiness then follows one rule: at least
 * one source has complete data, and every source has been tried (has data, or has failed, or the start-up grace is
 * over). Before that the engine keeps routes without a verdict.
 *
 * Expiry of single records (payload files say it for each): `next_expiry` is a lower bound of the earliest expiry among
 * the records in force. When it passes, a job walks the snapshot, withdraws one source's expired records like any other
 * update, and finds the next bound. Sources with ignore-expiry do not take part.
 *
 * A job that fails leaves everything as it was: the store's transaction is gone, the snapshot in force stays. The one
 * failure that may not be left so is that of memory for the snapshot once the transaction is done: the update is on
 * disk, so nobody would ever hand in the difference again. Such a job keeps it and goes back to the front of the queue;
 * it is tried until the snapshot is built, and only then is its source told.
 *
 * Clauses: RFC 8210 §6 (data older than Expire is not used), RFC 6811 §2 (what the snapshot answers).
 */
#include "daemon/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/rtr_server_io.h"
#include "engine/engine.h"

enum { EXPIRY_SLEEP_MAX_S = 3600, BUILD_AGAIN_MS = 200 };

enum job_kind { JOB_START, JOB_FULL, JOB_DELTA, JOB_FLUSH, JOB_EXPIRE };

struct job {
  uv_work_t work;
  struct ww_pipeline *pipeline;
  struct job *next;
  enum job_kind kind;
  int source;
  struct ww_payloads set;          /* FULL */
  struct ww_payload_delta changes; /* DELTA */
  struct ww_source_progress progress;
  ww_committed_fn done;
  void *ctx;
  /* set when it starts to run */
  struct ww_source_record record;
  struct ww_source_record *records; /* START, EXPIRE: of every source, so that the worker reads none of the loop's */
  bool ready;
  int64_t now;
  /* results */
  enum ww_err err;
  struct ww_diag diag;
  struct ww_payload_delta delta; /* what changed */
  bool committed;                /* `delta` is on disk as `epoch` */
  uint32_t epoch;
  struct ww_snapshot *snapshot;
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
  struct job *first, **last; /* waiting */
  struct job *running;
  bool ready, grace_over, started, stopped, expire_queued;
  uv_timer_t grace, expiry, again;
  int64_t next_expiry;
  void (*on_started)(void *ctx);
  void *started_ctx;
};

/* ---- in the worker ---- */

static void note_expiry(int64_t *next, int64_t expires) {
  if (expires && expires < *next)
    *next = expires;
}

static void note_payloads(int64_t *next, const struct ww_payloads *set) {
  for (size_t i = 0; i < set->vrp_count; i++)
    note_expiry(next, set->vrps[i].expires);
  for (size_t i = 0; i < set->aspa_count; i++)
    note_expiry(next, set->aspas[i].expires);
  for (size_t i = 0; i < set->key_count; i++)
    note_expiry(next, set->keys[i].expires);
}

static size_t records_in(const struct ww_payloads *set) { return set->vrp_count + set->aspa_count + set->key_count; }

/* The next snapshot from the one in force (or from what this job has built so far). */
static enum ww_err build(struct job *job, struct ww_payload_delta *delta, uint32_t epoch) {
  struct ww_snapshot *base = job->snapshot ? job->snapshot : job->pipeline->snapshot;
  struct ww_snapshot *next;
  enum ww_err err = ww_snapshot_apply(base, delta, epoch, job->ready, &next);
  if (err != WW_OK)
    return ww_fail(&job->diag, err, 0, NULL, "the snapshot could not be built: %s", ww_err_name(err));
  ww_snapshot_unref(job->snapshot);
  job->snapshot = next;
  return WW_OK;
}

/* The snapshot of what a job has committed. */
static enum ww_err build_committed(struct job *job, uint32_t epoch) {
  job->committed = true;
  job->epoch = epoch;
  job->delta.source = job->record.id;
  return build(job, &job->delta, epoch);
}

/* RFC 8210 §6: data of a cache that has not been heard within its Expire interval is not used, nor after a restart. */
static enum ww_err drop_outdated(struct job *job, struct ww_source_record *record) {
  struct ww_payloads none = {0};
  uint32_t epoch;
  if (!record->complete || !record->valid_until || record->valid_until > job->now)
    return WW_OK;
  record->complete = record->has_session = false;
  return ww_store_commit_full(job->pipeline->store, record, &none, NULL, NULL, NULL, &epoch, &job->diag);
}

static enum ww_err read_source(struct job *job, size_t i, uint32_t epoch) {
  struct ww_payload_delta delta = {.source = job->records[i].id};
  enum ww_err err = ww_store_read_source(job->pipeline->store, delta.source, &delta.announce, &job->diag);
  if (err == WW_OK && !job->pipeline->sources[i].ignore_expiry)
    note_payloads(&job->next_expiry, &delta.announce);
  if (err == WW_OK)
    err = build(job, &delta, epoch);
  ww_payload_delta_fini(&delta);
  return err;
}

static enum ww_err work_start(struct job *job) {
  struct ww_pipeline *p = job->pipeline;
  const char **names = calloc(p->source_count + 1, sizeof(*names));
  uint32_t epoch;
  enum ww_err err = names ? WW_OK : ww_fail(&job->diag, WW_ERR_NOMEM, 0, NULL, "no memory");
  for (size_t i = 0; err == WW_OK && i < p->source_count; i++)
    names[i] = job->records[i].name;
  if (err == WW_OK)
    err = ww_store_keep_sources(p->store, names, p->source_count, &epoch, &job->diag);
  for (size_t i = 0; err == WW_OK && i < p->source_count; i++) {
    struct ww_source_record *record = &job->records[i];
    uint8_t type = record->type;
    char name[sizeof(record->name)];
    memcpy(name, record->name, sizeof(name));
    err = ww_store_source(p->store, name, type, record, &job->diag);
    if (err == WW_OK && record->type != type) { /* the name means another kind of source now */
      record->type = type;
      record->has_session = false;
    }
    if (err == WW_OK)
      err = drop_outdated(job, record);
  }
  free(names);
  if (err != WW_OK || (err = ww_store_read_begin(p->store, &epoch, &job->diag)) != WW_OK)
    return err;
  struct ww_payload_delta none = {0};
  err = build(job, &none, epoch);
  for (size_t i = 0; err == WW_OK && i < p->source_count; i++)
    if (job->records[i].complete)
      err = read_source(job, i, epoch);
  ww_store_read_end(p->store);
  return err;
}

static enum ww_err work_update(struct job *job) {
  struct ww_pipeline *p = job->pipeline;
  uint32_t epoch;
  enum ww_err err;
  if (job->kind == JOB_DELTA) {
    size_t asked = records_in(&job->changes.withdraw);
    err = ww_store_commit_delta(p->store, &job->record, &job->changes, NULL, NULL, &job->delta, &epoch, &job->diag);
    size_t found = records_in(&job->delta.withdraw);
    job->unknown = asked > found ? asked - found : 0;
    /* What was withdrawn without being held says that this set is not the cache's: after a restart it must be asked for
     * anew, not continued from this serial. */
    if (err == WW_OK && job->unknown && job->record.has_session) {
      job->record.has_session = false;
      if (ww_store_put_source(p->store, &job->record, NULL) != WW_OK)
        job->record.has_session = true; /* the data is stored all the same; the next commit puts it right */
    }
  } else {
    err = ww_store_commit_full(p->store, &job->record, &job->set, NULL, NULL, &job->delta, &epoch, &job->diag);
  }
  if (err != WW_OK)
    return err;
  if (!p->sources[job->source].ignore_expiry) {
    note_payloads(&job->next_expiry, &job->delta.announce);
    note_payloads(&job->next_expiry, &job->delta.refresh);
  }
  return build_committed(job, epoch);
}

/* Finds what has expired: the records of one source go into `changes`. */
struct expiry_walk {
  struct job *job;
  bool failed;
  bool more; /* another source has some too */
};

static bool takes_part(struct expiry_walk *walk, ww_source_id id, int64_t expires) {
  struct ww_pipeline *p = walk->job->pipeline;
  if (!expires)
    return false;
  for (size_t i = 0; i < p->source_count; i++)
    if (walk->job->records[i].id == id) {
      if (p->sources[i].ignore_expiry)
        return false;
      if (expires >= walk->job->now) {
        note_expiry(&walk->job->next_expiry, expires);
        return false;
      }
      if (walk->job->source < 0)
        walk->job->source = (int)i;
      if (walk->job->source != (int)i)
        walk->more = true;
      return walk->job->source == (int)i;
    }
  return false;
}

static int walk_vrp(void *ctx, const struct ww_vrp *vrp, ww_source_id id) {
  struct expiry_walk *walk = ctx;
  if (takes_part(walk, id, vrp->expires) && ww_payloads_add_vrp(&walk->job->changes.withdraw, vrp) != WW_OK)
    walk->failed = true;
  return walk->failed;
}

static int walk_aspa(void *ctx, const struct ww_aspa *aspa, ww_source_id id) {
  struct expiry_walk *walk = ctx;
  struct ww_aspa bare = {.customer = aspa->customer};
  if (takes_part(walk, id, aspa->expires) && ww_payloads_add_aspa(&walk->job->changes.withdraw, &bare) != WW_OK)
    walk->failed = true;
  return walk->failed;
}

static int walk_key(void *ctx, const struct ww_router_key *key, ww_source_id id) {
  struct expiry_walk *walk = ctx;
  if (takes_part(walk, id, key->expires) && ww_payloads_add_key(&walk->job->changes.withdraw, key) != WW_OK)
    walk->failed = true;
  return walk->failed;
}

static enum ww_err work_expire(struct job *job) {
  struct expiry_walk walk = {.job = job};
  job->source = -1;
  job->whole_expiry = true;
  ww_snapshot_walk(job->pipeline->snapshot, &walk, walk_vrp, walk_aspa, walk_key);
  if (walk.failed)
    return ww_fail(&job->diag, WW_ERR_NOMEM, 0, NULL, "no memory to expire records");
  if (walk.more)
    job->next_expiry = job->now - 1; /* at once again, for the next source */
  if (job->source < 0)
    return WW_OK;
  uint32_t epoch;
  job->record = job->records[job->source];
  job->changes.source = job->record.id;
  enum ww_err err = ww_store_commit_delta(job->pipeline->store, &job->record, &job->changes, NULL, NULL, &job->delta,
                                          &epoch, &job->diag);
  return err != WW_OK ? err : build_committed(job, epoch);
}

static void run_job(uv_work_t *work) {
  struct job *job = work->data;
  if (job->committed) {
    job->err = build_committed(job, job->epoch);
    return;
  }
  job->next_expiry = INT64_MAX;
  switch (job->kind) {
  case JOB_START:
  case JOB_EXPIRE:
    if (!job->records)
      job->err = ww_fail(&job->diag, WW_ERR_NOMEM, 0, NULL, "no memory");
    else
      job->err = job->kind == JOB_START ? work_start(job) : work_expire(job);
    break;
  default:
    job->err = work_update(job);
  }
}

/* ---- on the loop ---- */

static void next_job(struct ww_pipeline *p);
static void arm_expiry(struct ww_pipeline *p);

static void job_free(struct job *job) {
  free(job->records);
  ww_payloads_fini(&job->set);
  ww_payload_delta_fini(&job->changes);
  ww_payload_delta_fini(&job->delta);
  ww_snapshot_unref(job->snapshot);
  free(job);
}

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

/* Puts a snapshot in force. Takes the reference. */
static void publish(struct ww_pipeline *p, struct ww_snapshot *snapshot, const struct ww_payload_delta *delta) {
  bool first = ww_snapshot_ready(snapshot) && !p->ready;
  ww_snapshot_unref(p->snapshot);
  p->snapshot = snapshot;
  enum ww_err err = ww_engine_set_snapshot(p->daemon->engine, snapshot, first ? NULL : delta, delta ? 1 : 0);
  if (err != WW_OK && delta) /* no memory to list what the delta touches: judging everything needs no list */
    err = ww_engine_set_snapshot(p->daemon->engine, snapshot, NULL, 0);
  if (err != WW_OK)
    ww_log(&p->daemon->log, WW_LOG_ERROR, "epoch %u could not be handed to the engine: %s", ww_snapshot_epoch(snapshot),
           ww_err_name(err));
  if (first)
    say_ready(p);
  ww_rtr_server_io_publish(p->daemon->rtr_server, snapshot, delta, delta ? 1 : 0);
  ww_daemon_busy(p->daemon);
}

/* Readiness can come without new data: a source failed, or the grace is over. */
static void check_ready(struct ww_pipeline *p) {
  if (p->ready || p->running || !p->started || p->stopped || !would_be_ready(p, -1))
    return;
  struct ww_payload_delta none = {0};
  struct ww_snapshot *next;
  if (ww_snapshot_apply(p->snapshot, &none, ww_snapshot_epoch(p->snapshot), true, &next) == WW_OK)
    publish(p, next, NULL);
}

static void tell_engine_sources(struct ww_pipeline *p) {
  struct ww_engine_source *list = calloc(p->source_count + 1, sizeof(*list));
  if (!list)
    return;
  for (size_t i = 0; i < p->source_count; i++) {
    list[i].id = p->sources[i].record.id;
    list[i].type = p->sources[i].record.type;
    snprintf(list[i].name, sizeof(list[i].name), "%s", p->sources[i].record.name);
  }
  ww_engine_set_sources(p->daemon->engine, list, p->source_count);
  free(list);
}

static void take_expiry(struct ww_pipeline *p, const struct job *job) {
  if (job->err == WW_OK && job->whole_expiry)
    p->next_expiry = job->next_expiry;
  else
    note_expiry(&p->next_expiry, job->next_expiry);
  arm_expiry(p);
}

static void started(struct ww_pipeline *p, struct job *job) {
  p->started = true;
  if (job->err != WW_OK) {
    /* What is on disk cannot be read, so nothing could be kept there either. */
    ww_log(&p->daemon->log, WW_LOG_ERROR, "%s", job->diag.text[0] ? job->diag.text : ww_err_name(job->err));
    ww_daemon_stop(p->daemon, true);
    return;
  }
  size_t complete = 0;
  for (size_t i = 0; i < p->source_count; i++)
    p->sources[i].record = job->records[i];
  for (size_t i = 0; i < p->source_count; i++)
    if (p->sources[i].record.complete) {
      p->sources[i].tried = true;
      complete++;
    }
  tell_engine_sources(p);
  struct ww_snapshot *snapshot = job->snapshot;
  job->snapshot = NULL;
  if (complete)
    ww_log(&p->daemon->log, WW_LOG_INFO, "store: epoch %u, data of %zu of %zu sources", ww_snapshot_epoch(snapshot),
           complete, p->source_count);
  publish(p, snapshot, NULL);
  if (!p->ready)
    uv_timer_start(&p->grace, p->grace.timer_cb, (uint64_t)p->daemon->config->startup_grace * 1000, 0);
  p->on_started(p->started_ctx);
}

static void log_update(struct ww_pipeline *p, const struct job *job) {
  const struct ww_payload_delta *d = &job->delta;
  size_t in = records_in(&d->announce), out = records_in(&d->withdraw);
  const char *what = job->kind == JOB_EXPIRE ? "expired" : job->kind == JOB_FLUSH ? "flushed" : "updated";
  ww_log(&p->daemon->log, in || out ? WW_LOG_INFO : WW_LOG_DEBUG, "source %s: %s: %zu in, %zu out, epoch %u",
         job->record.name, what, in, out, ww_snapshot_epoch(job->snapshot));
}

static void on_again(uv_timer_t *timer) {
  struct ww_pipeline *p = timer->data;
  ww_daemon_now(p->daemon);
  next_job(p);
}

/* Back to the front: what waits behind it builds on it. */
static void build_again(struct ww_pipeline *p, struct job *job) {
  ww_log(&p->daemon->log, WW_LOG_ERROR, "source %s: epoch %u is stored, but not in force yet: %s", job->record.name,
         job->epoch, job->diag.text);
  job->next = p->first;
  p->first = job;
  if (!job->next)
    p->last = &job->next;
  uv_timer_start(&p->again, on_again, BUILD_AGAIN_MS, 0);
}

static void job_done(uv_work_t *work, int status) {
  struct job *job = work->data;
  struct ww_pipeline *p = job->pipeline;
  ww_daemon_now(p->daemon);
  p->running = NULL;
  if (status < 0)
    job->err = ww_fail(&job->diag, WW_ERR_STATE, 0, NULL, "cancelled");
  if (job->err != WW_OK && job->committed && !p->stopped) {
    build_again(p, job);
    return;
  }
  if (job->kind == JOB_EXPIRE)
    p->expire_queued = false;
  if (!p->stopped) {
    if (job->kind == JOB_START) {
      take_expiry(p, job);
      started(p, job);
    } else if (job->err != WW_OK) {
      const char *text = job->diag.text[0] ? job->diag.text : ww_err_name(job->err);
      ww_log(&p->daemon->log, WW_LOG_ERROR, "source %s: update not stored, the data in force stays: %s",
             job->source >= 0 ? p->sources[job->source].record.name : "?", text);
      if (job->source >= 0)
        ww_pipeline_failed(p, job->source, text);
    } else if (job->source >= 0) {
      struct ww_pipeline_source *source = &p->sources[job->source];
      uint64_t errors = source->record.errors; /* may have grown meanwhile */
      source->record = job->record;
      source->record.errors = errors;
      source->tried = source->tried || job->record.complete;
      log_update(p, job);
      struct ww_snapshot *snapshot = job->snapshot;
      job->snapshot = NULL;
      publish(p, snapshot, &job->delta);
    }
    if (job->kind != JOB_START)
      take_expiry(p, job);
    if (job->done)
      job->done(job->ctx, job->err == WW_OK, job->unknown);
  }
  job_free(job);
  check_ready(p);
  next_job(p);
}

/* What the worker is to know of the pipeline as it is now. */
static void job_prepare(struct ww_pipeline *p, struct job *job) {
  bool gives_data = job->kind == JOB_FULL;
  job->now = p->daemon->now.unix_sec;
  if (job->kind == JOB_START) {
    job->ready = false; /* publish() below decides by what was found */
  } else {
    job->ready = would_be_ready(p, gives_data ? job->source : -1);
    if (job->committed)
      return; /* the rest was settled before it was */
    if (job->source >= 0)
      job->record = p->sources[job->source].record;
  }
  if (job->kind == JOB_FULL || job->kind == JOB_DELTA) {
    const struct ww_source_progress *g = &job->progress;
    job->record.complete = true;
    job->record.last_sync = g->last_sync;
    job->record.valid_until = g->valid_until;
    job->record.has_session = g->has_session;
    job->record.rtr_version = g->version;
    job->record.rtr_session = g->session;
    job->record.rtr_serial = g->serial;
    job->record.refresh = g->refresh;
    job->record.retry = g->retry;
    job->record.expire = g->expire;
  } else if (job->kind == JOB_FLUSH) {
    job->record.complete = job->record.has_session = false;
    job->record.valid_until = 0;
  }
  if (job->kind == JOB_START || job->kind == JOB_EXPIRE) {
    job->records = calloc(p->source_count + 1, sizeof(*job->records));
    for (size_t i = 0; job->records && i < p->source_count; i++)
      job->records[i] = p->sources[i].record;
  }
}

static void next_job(struct ww_pipeline *p) {
  if (p->running || !p->first || p->stopped || uv_is_active((uv_handle_t *)&p->again))
    return;
  struct job *job = p->first;
  p->first = job->next;
  if (!p->first)
    p->last = &p->first;
  job_prepare(p, job);
  job->work.data = job;
  p->running = job;
  if (uv_queue_work(&p->daemon->loop, &job->work, run_job, job_done) != 0) {
    p->running = NULL;
    job_free(job);
  }
}

static struct job *job_new(struct ww_pipeline *p, enum job_kind kind, int source) {
  struct job *job = p->stopped ? NULL : calloc(1, sizeof(*job));
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

void ww_pipeline_submit_full(struct ww_pipeline *pipeline, int source, struct ww_payloads *set,
                             const struct ww_source_progress *progress, ww_committed_fn done, void *ctx) {
  struct job *job = job_new(pipeline, JOB_FULL, source);
  if (!job) {
    ww_payloads_fini(set);
    return;
  }
  job->set = *set;
  memset(set, 0, sizeof(*set));
  job->progress = *progress;
  job->done = done;
  job->ctx = ctx;
  next_job(pipeline);
}

void ww_pipeline_submit_delta(struct ww_pipeline *pipeline, int source, struct ww_payload_delta *delta,
                              const struct ww_source_progress *progress, ww_committed_fn done, void *ctx) {
  struct job *job = job_new(pipeline, JOB_DELTA, source);
  if (!job) {
    ww_payload_delta_fini(delta);
    return;
  }
  job->changes = *delta;
  memset(delta, 0, sizeof(*delta));
  job->progress = *progress;
  job->done = done;
  job->ctx = ctx;
  next_job(pipeline);
}

void ww_pipeline_flush(struct ww_pipeline *pipeline, int source, const char *why) {
  if (pipeline->sources[source].record.complete)
    ww_log(&pipeline->daemon->log, WW_LOG_WARNING, "source %s: its data is dropped: %s",
           pipeline->sources[source].record.name, why);
  if (job_new(pipeline, JOB_FLUSH, source))
    next_job(pipeline);
}

void ww_pipeline_failed(struct ww_pipeline *pipeline, int source, const char *why) {
  struct ww_pipeline_source *s = &pipeline->sources[source];
  s->tried = true;
  s->record.errors++;
  snprintf(s->last_error, sizeof(s->last_error), "%s", why);
  check_ready(pipeline);
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
  if (p->expire_queued || !job_new(p, JOB_EXPIRE, -1))
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
  uv_timer_init(&daemon->loop, &p->again);
  p->grace.data = p->expiry.data = p->again.data = p;
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

bool ww_pipeline_start(struct ww_pipeline *pipeline, void (*on_started)(void *ctx), void *ctx) {
  pipeline->on_started = on_started;
  pipeline->started_ctx = ctx;
  if (!job_new(pipeline, JOB_START, -1))
    return false;
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

void ww_pipeline_stop(struct ww_pipeline *pipeline) {
  struct ww_pipeline *p = pipeline;
  if (!p || p->stopped)
    return;
  p->stopped = true;
  while (p->first) {
    struct job *job = p->first;
    p->first = job->next;
    job_free(job);
  }
  p->last = &p->first;
  uv_close((uv_handle_t *)&p->grace, NULL);
  uv_close((uv_handle_t *)&p->expiry, NULL);
  uv_close((uv_handle_t *)&p->again, NULL);
}

void ww_pipeline_free(struct ww_pipeline *pipeline) {
  if (!pipeline)
    return;
  ww_store_close(pipeline->store);
  ww_snapshot_unref(pipeline->snapshot);
  free(pipeline->sources);
  free(pipeline);
}
