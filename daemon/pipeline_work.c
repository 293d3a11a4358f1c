/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker's half of the pipeline: what a job does to the store and to the set in force.
 *
 * What is in force of a source that is active is its records in the store less those that a SLURM filter matches; of an
 * idle one it is nothing; and SLURM's assertions are a source of their own. Every step here keeps that true, and none
 * of them starts over:
 *
 *   commit_raw()    a source's update. Its own activity may change with it.
 *   commit_switch() other sources become active or idle, another SLURM set takes its place, or both; no source
 * delivers.
 *
 * Either is one transaction and one epoch, and the snapshot is built inside it (the store's hook): when memory for the
 * snapshot runs out the update is not stored either, and its source is told so. A job may take several steps, and each
 * leaves a set that is whole. Their order leaves no gap:
 *
 *   - Data that goes while other caches stand ready: first the switch to those, then the flush of what is idle by then.
 *   - A better cache that delivers: first its update is stored while it is idle, then the switch.
 *
 * A step that fails ends the job; the steps before it are on disk, and are published.
 *
 * Clauses: RFC 8210 §6 (data older than Expire is not used), §10; RFC 8416 §2, §4.2;
 * draft-ietf-sidrops-8210bis-26 §10.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/pipeline_internal.h"

/* ---- small things ---- */

void ww_note_expiry(int64_t *next, int64_t expires) {
  if (expires && expires < *next)
    *next = expires;
}

static void note_payloads(int64_t *next, const struct ww_payloads *set) {
  for (size_t i = 0; i < set->vrp_count; i++)
    ww_note_expiry(next, set->vrps[i].expires);
  for (size_t i = 0; i < set->aspa_count; i++)
    ww_note_expiry(next, set->aspas[i].expires);
  for (size_t i = 0; i < set->key_count; i++)
    ww_note_expiry(next, set->keys[i].expires);
}

size_t ww_payloads_count(const struct ww_payloads *set) { return set->vrp_count + set->aspa_count + set->key_count; }

static size_t delta_count(const struct ww_payload_delta *delta) {
  return ww_payloads_count(&delta->announce) + ww_payloads_count(&delta->withdraw) + ww_payloads_count(&delta->refresh);
}

static enum ww_err no_memory(struct ww_job *job) {
  return ww_fail(&job->diag, WW_ERR_NOMEM, 0, NULL, "no memory for an update");
}

static const struct ww_slurm *slurm_of(const struct ww_slurm_set *set) { return set ? set->slurm : NULL; }

/* ---- publications ---- */

static void clear_deltas(struct ww_publication *p) {
  for (size_t i = 0; i < p->count; i++) {
    if (!p->borrowed[i])
      ww_payload_delta_fini(&p->deltas[i]);
    ww_payloads_fini(&p->replaced[i]);
  }
  p->count = 0;
}

void ww_publication_fini(struct ww_publication *publication) {
  clear_deltas(publication);
  free(publication->deltas);
  free(publication->replaced);
  free(publication->borrowed);
  ww_payload_delta_fini(&publication->raw);
  ww_snapshot_unref(publication->snapshot);
}

/* Takes *delta; `borrowed`: its records belong to somebody who outlives the publication. Nothing is kept of an empty
 * one. */
static enum ww_err add_delta(struct ww_publication *p, struct ww_payload_delta *delta, bool borrowed) {
  if (!delta_count(delta)) {
    if (!borrowed)
      ww_payload_delta_fini(delta);
    return WW_OK;
  }
  if (p->count == p->cap) {
    size_t cap = p->cap ? p->cap * 2 : 4;
    void *deltas = realloc(p->deltas, cap * sizeof(*p->deltas));
    if (deltas)
      p->deltas = deltas;
    void *replaced = realloc(p->replaced, cap * sizeof(*p->replaced));
    if (replaced)
      p->replaced = replaced;
    void *flags = realloc(p->borrowed, cap * sizeof(*p->borrowed));
    if (flags)
      p->borrowed = flags;
    if (!deltas || !replaced || !flags) {
      if (!borrowed)
        ww_payload_delta_fini(delta);
      return WW_ERR_NOMEM;
    }
    p->cap = cap;
  }
  p->deltas[p->count] = *delta;
  p->borrowed[p->count] = borrowed;
  memset(&p->replaced[p->count++], 0, sizeof(*p->replaced));
  return WW_OK;
}

/* ---- one epoch ---- */

struct step {
  struct ww_job *job;
  struct ww_publication *epoch;
  int source;                    /* of a raw commit; -1: the deltas stand already */
  bool is;                       /* it will be active */
  const struct ww_payloads *set; /* its whole new set, when it turns active */
  struct ww_ccr ccr;             /* the states after it */
};

static struct ww_snapshot *snapshot_of(const struct ww_job *job) {
  return job->snapshot ? job->snapshot : job->pipeline->snapshot;
}

/* What an update of a source changes in force. */
static enum ww_err filter_raw(struct step *s, const struct ww_payload_delta *raw) {
  const struct ww_source_view *view = &s->job->views[s->source];
  const struct ww_slurm *slurm = slurm_of(s->job->slurm_in_force);
  struct ww_payload_delta in = {.source = view->record.id}, out;
  if (view->record.active)
    in = *raw;
  else if (s->is)
    in.announce = *s->set;
  else
    return WW_OK;
  in.source = view->record.id;
  if (ww_slurm_lets_all_pass(slurm))
    return add_delta(s->epoch, &in, true);
  enum ww_err err = ww_slurm_filter_delta(slurm, &in, &out);
  return err == WW_OK ? add_delta(s->epoch, &out, false) : err;
}

/* For the history: the ASPAs in force that a delta takes the place of. */
struct replaced_walk {
  const struct ww_payload_delta *delta;
  struct ww_payloads *out;
  enum ww_err err;
};

static bool names_customer(const struct ww_payloads *set, uint32_t customer) {
  size_t begin = 0, end = set->aspa_count;
  while (begin < end) {
    size_t middle = begin + (end - begin) / 2;
    if (set->aspas[middle].customer < customer)
      begin = middle + 1;
    else
      end = middle;
  }
  return begin < set->aspa_count && set->aspas[begin].customer == customer;
}

static int visit_replaced(void *ctx, const struct ww_aspa *aspa, ww_source_id id) {
  struct replaced_walk *walk = ctx;
  if (id == walk->delta->source && (names_customer(&walk->delta->announce, aspa->customer) ||
                                    names_customer(&walk->delta->withdraw, aspa->customer)))
    walk->err = ww_payloads_add_aspa(walk->out, aspa);
  return walk->err != WW_OK;
}

/* The next snapshot from the last one, and what the history is to say of it. */
static enum ww_err build(struct step *s, uint32_t epoch) {
  struct ww_publication *p = s->epoch;
  struct ww_snapshot *base = ww_snapshot_ref(snapshot_of(s->job));
  const struct ww_payload_delta none = {0};
  enum ww_err err = WW_OK;
  for (size_t i = 0; i < (p->count ? p->count : 1) && err == WW_OK; i++) {
    const struct ww_payload_delta *delta = p->count ? &p->deltas[i] : &none;
    struct ww_snapshot *next;
    if (delta->announce.aspa_count + delta->withdraw.aspa_count) {
      struct replaced_walk walk = {.delta = delta, .out = &p->replaced[i]};
      (void)ww_snapshot_walk(base, &walk, NULL, visit_replaced, NULL);
      err = walk.err == WW_OK ? ww_payloads_sort(&p->replaced[i]) : walk.err;
    }
    if (err == WW_OK && (err = ww_snapshot_apply(base, delta, epoch, s->job->ready, &next)) == WW_OK) {
      ww_snapshot_unref(base);
      base = next;
    }
  }
  if (err != WW_OK) {
    ww_snapshot_unref(base);
    return err;
  }
  ww_snapshot_unref(p->snapshot);
  p->snapshot = base;
  return WW_OK;
}

/* The store asks: what is this going to be? Nothing is written yet. */
static enum ww_err on_change(void *ctx, const struct ww_payload_delta *raw, uint32_t epoch,
                             struct ww_store_change *change, struct ww_diag *diag) {
  struct step *s = ctx;
  struct ww_publication *p = s->epoch;
  struct ww_snapshot_counts counts;
  enum ww_err err = WW_OK;
  if (s->source >= 0) {
    clear_deltas(p); /* of a first attempt */
    err = filter_raw(s, raw);
  } else {
    for (size_t i = 0; i < p->count; i++)
      ww_payloads_fini(&p->replaced[i]);
  }
  if (err == WW_OK)
    err = build(s, epoch);
  if (err != WW_OK)
    return ww_fail(diag, err, 0, NULL, "the snapshot could not be built: %s", ww_err_name(err));
  ww_ccr_fini(&s->ccr);
  ww_ccr_next(&s->job->pipeline->ccr, p->deltas, p->count, &s->ccr);
  change->has_hashes = p->has_hashes = ww_ccr_hashes_of(&s->ccr, &p->hashes);
  memcpy(change->hashes[0], p->hashes.vrps, sizeof(change->hashes[0]));
  memcpy(change->hashes[1], p->hashes.aspas, sizeof(change->hashes[1]));
  memcpy(change->hashes[2], p->hashes.keys, sizeof(change->hashes[2]));
  ww_snapshot_counts(p->snapshot, &counts);
  change->epoch = epoch;
  change->time = s->job->now;
  change->cause = p->cause;
  change->source = p->source >= 0 ? s->job->views[p->source].record.id : 0;
  change->counts.vrps_v4 = counts.vrps_v4;
  change->counts.vrps_v6 = counts.vrps_v6;
  change->counts.aspas = counts.aspas;
  change->counts.router_keys = counts.router_keys;
  change->deltas = p->deltas;
  change->replaced = p->replaced;
  change->delta_count = p->count;
  return WW_OK;
}

static struct ww_publication *epoch_new(struct ww_job *job, enum ww_change_cause cause, int source) {
  struct ww_publication *epochs = realloc(job->epochs, (job->epoch_count + 1) * sizeof(*epochs));
  if (!epochs)
    return NULL;
  job->epochs = epochs;
  struct ww_publication *p = &epochs[job->epoch_count++];
  memset(p, 0, sizeof(*p));
  p->cause = (uint8_t)cause;
  p->source = source;
  return p;
}

/* After the transaction. Neither a failure nor a commit that changed nothing leaves an epoch. */
static enum ww_err epoch_done(struct ww_job *job, struct ww_publication *p, struct ww_ccr *ccr, enum ww_err err,
                              uint32_t epoch) {
  if (err != WW_OK || epoch == ww_snapshot_epoch(snapshot_of(job))) {
    ww_publication_fini(p);
    ww_ccr_fini(ccr);
    job->epoch_count--;
    return err;
  }
  ww_ccr_fini(&job->pipeline->ccr);
  job->pipeline->ccr = *ccr;
  job->has_hashes = p->has_hashes;
  job->hashes = p->hashes;
  p->epoch = epoch;
  ww_snapshot_unref(job->snapshot);
  job->snapshot = ww_snapshot_ref(p->snapshot);
  return WW_OK;
}

/* ---- divergence ---- */

static void forget(struct ww_group *group) {
  ww_divergence_free(group->divergence);
  group->divergence = NULL;
}

static void note_divergence(struct ww_job *job, int source, const struct ww_payload_delta *raw) {
  struct ww_pipeline *p = job->pipeline;
  for (size_t g = 0; g < p->group_count; g++) {
    struct ww_group *group = &p->groups[g];
    uint32_t complete = 0;
    for (unsigned i = 0; i < group->count; i++) {
      if (group->divergence && group->sources[i] == source && ww_divergence_apply(group->divergence, i, raw) != WW_OK)
        forget(group);
      complete |= (uint32_t)job->views[group->sources[i]].record.complete << i;
    }
    if (group->divergence)
      ww_divergence_compare(group->divergence, complete);
  }
}

/* ---- hashes of what was delivered ---- */

/* After what it did in force. */
static void deliver(struct ww_job *job, int source, const struct ww_payload_delta *raw) {
  struct ww_pipeline *p = job->pipeline;
  struct ww_source_view *view = &job->views[source];
  if ((size_t)source >= p->source_count)
    return;
  const struct ww_ccr_state *same = NULL;
  if (p->ccr.all && view->record.active && ww_slurm_lets_all_pass(slurm_of(job->slurm_in_force))) {
    struct ww_ccr_state *part = ww_ccr_part_of(&p->ccr, view->record.id);
    same = p->ccr.count == 1 && part ? p->ccr.all : part; /* that one is hashed already */
  }
  view->has_hashes = ww_ccr_deliver(&p->delivered[source], raw, same, &view->hashes) && view->record.complete;
}

/* ---- the two kinds of commit ---- */

/* Stores the source's whole set (`set`) or its changes. Its record as in the view goes with it, with `is` as its
 * activity. */
static enum ww_err commit_raw(struct ww_job *job, int source, const struct ww_payloads *set,
                              struct ww_payload_delta *changes, bool is, enum ww_change_cause cause) {
  struct ww_store *store = job->pipeline->store;
  struct ww_source_view *view = &job->views[source];
  struct ww_publication *p = epoch_new(job, cause, source);
  if (!p)
    return no_memory(job);
  struct step s = {.job = job, .epoch = p, .source = source, .is = is, .set = set};
  struct ww_source_record record = view->record;
  uint32_t epoch = 0;
  record.active = is;
  enum ww_err err = set ? ww_store_commit_full(store, &record, set, on_change, &s, &p->raw, &epoch, &job->diag)
                        : ww_store_commit_delta(store, &record, changes, on_change, &s, &p->raw, &epoch, &job->diag);
  if (err == WW_OK) {
    view->record = record;
    view->cache.active = is;
    if (!view->ignore_expiry) {
      note_payloads(&job->next_expiry, &p->raw.announce);
      note_payloads(&job->next_expiry, &p->raw.refresh);
    }
    if (changes) {
      size_t asked = ww_payloads_count(&changes->withdraw), found = ww_payloads_count(&p->raw.withdraw);
      job->unknown = asked > found ? asked - found : 0;
    }
    note_divergence(job, source, &p->raw);
  }
  /* When nothing changed the publication goes, and its delta with it. */
  bool stored = err == WW_OK, changed = stored && epoch != ww_snapshot_epoch(snapshot_of(job));
  err = epoch_done(job, p, &s.ccr, err, epoch);
  if (stored)
    deliver(job, source, changed ? &p->raw : &(struct ww_payload_delta){0});
  return err;
}

struct collect {
  ww_source_id id;
  struct ww_payloads *out;
  enum ww_err err;
};

static int collect_vrp(void *ctx, const struct ww_vrp *vrp, ww_source_id id) {
  struct collect *c = ctx;
  if (id == c->id)
    c->err = ww_payloads_add_vrp(c->out, vrp);
  return c->err != WW_OK;
}

static int collect_aspa(void *ctx, const struct ww_aspa *aspa, ww_source_id id) {
  struct collect *c = ctx;
  struct ww_aspa bare = {.customer = aspa->customer}; /* as withdrawals have it */
  if (id == c->id)
    c->err = ww_payloads_add_aspa(c->out, &bare);
  return c->err != WW_OK;
}

static int collect_key(void *ctx, const struct ww_router_key *key, ww_source_id id) {
  struct collect *c = ctx;
  if (id == c->id)
    c->err = ww_payloads_add_key(c->out, key);
  return c->err != WW_OK;
}

/* What a switch changes in force of one source. */
static enum ww_err switch_source(struct ww_job *job, struct ww_publication *p, const struct ww_source_view *view,
                                 bool is, const struct ww_slurm *before, const struct ww_slurm *after) {
  struct ww_payload_delta delta = {.source = view->record.id};
  struct ww_payloads raw = {0};
  enum ww_err err;
  if (view->record.active && !is) {
    struct collect c = {.id = view->record.id, .out = &delta.withdraw};
    (void)ww_snapshot_walk(snapshot_of(job), &c, collect_vrp, collect_aspa, collect_key);
    err = c.err;
  } else if ((err = ww_store_read_source(job->pipeline->store, view->record.id, &raw, &job->diag)) != WW_OK) {
    return err;
  } else if (view->record.active) {
    err = ww_slurm_change_source(before, after, &raw, &delta);
  } else if (ww_slurm_lets_all_pass(after)) {
    delta.announce = raw;
    memset(&raw, 0, sizeof(raw));
  } else {
    struct ww_payload_delta all = {.announce = raw};
    err = ww_slurm_filter_delta(after, &all, &delta);
  }
  ww_payloads_fini(&raw);
  delta.source = view->record.id;
  if (err != WW_OK) {
    ww_payload_delta_fini(&delta);
    return err;
  }
  if (!view->ignore_expiry)
    note_payloads(&job->next_expiry, &delta.announce);
  return add_delta(p, &delta, false);
}

/* Assertions need a source to be held under, from the first time on that there are any. */
static enum ww_err name_slurm(struct ww_job *job) {
  struct ww_source_record *record = &job->slurm_source;
  return record->id ? WW_OK
                    : ww_store_source(job->pipeline->store, WW_SLURM_SOURCE, WW_SOURCE_SLURM, record, &job->diag);
}

/* Makes the sources active that `target` says, and with `new_slurm` job->slurm the set in force. */
static enum ww_err commit_switch(struct ww_job *job, const struct ww_cache *target, bool new_slurm,
                                 enum ww_change_cause cause, int source) {
  struct ww_pipeline *pipeline = job->pipeline;
  const struct ww_slurm *before = slurm_of(job->slurm_in_force), *after = new_slurm ? slurm_of(job->slurm) : before;
  enum ww_err err = new_slurm ? name_slurm(job) : WW_OK;
  struct ww_publication *p = err == WW_OK ? epoch_new(job, cause, source) : NULL;
  struct ww_source_record *records = calloc(job->view_count + 1, sizeof(*records));
  struct step s = {.job = job, .epoch = p, .source = -1};
  size_t count = 0;
  uint32_t epoch = 0;
  if (err == WW_OK && (!p || !records))
    err = no_memory(job);
  for (size_t i = 0; i < job->view_count && err == WW_OK; i++) {
    const struct ww_source_view *view = &job->views[i];
    bool is = target[i].active;
    if (view->record.active != is) {
      records[count] = view->record;
      records[count++].active = is;
    } else if (!is || !new_slurm) {
      continue;
    }
    err = switch_source(job, p, view, is, before, after);
  }
  if (err == WW_OK && new_slurm) {
    struct ww_payload_delta delta;
    err = ww_slurm_change_assertions(before, after, &delta);
    delta.source = job->slurm_source.id;
    if (err == WW_OK)
      err = add_delta(p, &delta, false);
  }
  if (err == WW_OK) {
    const struct ww_store_slurm none = {.time = job->now};
    const struct ww_store_slurm *texts = !new_slurm ? NULL : job->slurm ? &job->slurm->texts : &none;
    err = ww_store_commit_change(pipeline->store, records, count, texts, on_change, &s, &epoch, &job->diag);
  }
  if (err == WW_OK) {
    for (size_t i = 0; i < job->view_count; i++)
      job->views[i].record.active = job->views[i].cache.active = target[i].active;
    if (new_slurm) {
      job->slurm_retired = job->slurm_in_force;
      job->slurm_in_force = job->slurm;
      job->slurm = NULL;
    }
  } else if (!job->diag.text[0]) {
    (void)ww_fail(&job->diag, err, 0, NULL, "%s", ww_err_name(err));
  }
  free(records);
  return p ? epoch_done(job, p, &s.ccr, err, epoch) : err;
}

/* ---- which sources shall be active ---- */

/* As of the views. The caller frees it. */
static struct ww_cache *choose(const struct ww_job *job) {
  struct ww_cache *target = calloc(job->view_count + 1, sizeof(*target));
  if (!target)
    return NULL;
  for (size_t i = 0; i < job->view_count; i++)
    target[i] = job->views[i].cache;
  (void)ww_cache_groups_choose(target, job->view_count, job->now, job->pipeline->daemon->config->failover_delay);
  return target;
}

/* Another one than `but` would have to change. */
static bool others_change(const struct ww_job *job, const struct ww_cache *target, int but) {
  for (size_t i = 0; i < job->view_count; i++)
    if ((int)i != but && target[i].active != job->views[i].record.active)
      return true;
  return false;
}

static enum ww_err switch_if_needed(struct ww_job *job, const struct ww_cache *target, int source) {
  return others_change(job, target, -1) ? commit_switch(job, target, false, WW_CAUSE_FAILOVER, source) : WW_OK;
}

/* ---- jobs ---- */

/* All of a source's data goes. What stands ready in its place comes first. */
static enum ww_err drop_source(struct ww_job *job, int source, enum ww_change_cause cause) {
  const struct ww_payloads nothing = {0};
  struct ww_source_view *view = &job->views[source];
  bool was_complete = view->cache.complete;
  view->cache.complete = false;
  struct ww_cache *target = choose(job);
  enum ww_err err = target ? WW_OK : no_memory(job);
  if (err == WW_OK && others_change(job, target, source))
    err = commit_switch(job, target, false, WW_CAUSE_FAILOVER, source);
  if (err == WW_OK) {
    struct ww_source_record before = view->record;
    view->record.complete = view->record.has_session = false;
    view->record.valid_until = 0;
    err = commit_raw(job, source, &nothing, NULL, false, cause);
    if (err != WW_OK)
      view->record = before;
  }
  if (err != WW_OK)
    view->cache.complete = was_complete;
  free(target);
  return err;
}

static void take_progress(struct ww_source_view *view, const struct ww_source_progress *g) {
  struct ww_source_record *record = &view->record;
  record->complete = true;
  record->last_sync = g->last_sync;
  record->valid_until = view->keep_expired ? 0 : g->valid_until; /* 0: readers of the store use it, too */
  record->has_session = g->has_session;
  record->rtr_version = g->version;
  record->rtr_session = g->session;
  record->rtr_serial = g->serial;
  record->refresh = g->refresh;
  record->retry = g->retry;
  record->expire = g->expire;
}

static enum ww_err work_update(struct ww_job *job) {
  struct ww_source_view *view = &job->views[job->source];
  struct ww_source_view before = *view;
  struct ww_payload_delta *changes = job->kind == WW_JOB_DELTA ? &job->changes : NULL;
  take_progress(view, &job->progress);
  if (!view->cache.in_contact)
    view->cache.since = job->now;
  view->cache.complete = view->cache.in_contact = true;
  struct ww_cache *target = choose(job);
  if (!target)
    return no_memory(job);
  /* A whole set can come into force by itself, with its commit. Where others have to give way for it, or it for others,
   * or where its records would have to be read first, that is a step of its own. */
  bool at_once = !others_change(job, target, job->source) && !changes && target[job->source].active;
  bool is = at_once ? target[job->source].active : before.record.active;
  enum ww_err err = commit_raw(job, job->source, changes ? NULL : &job->set, changes, is, WW_CAUSE_UPDATE);
  job->stored = err == WW_OK;
  if (err == WW_OK) {
    /* What was withdrawn without being held says that this set is not the cache's: after a restart it must be asked for
     * anew, not continued from this serial. */
    if (job->unknown && view->record.has_session) {
      view->record.has_session = false;
      if (ww_store_put_source(job->pipeline->store, &view->record, NULL) != WW_OK)
        view->record.has_session = true; /* the data is stored all the same; the next commit puts it right */
    }
    err = switch_if_needed(job, target, job->source);
  } else {
    *view = before;
  }
  free(target);
  return err;
}

static enum ww_err work_switch(struct ww_job *job) {
  struct ww_cache *target = choose(job);
  enum ww_err err = target ? switch_if_needed(job, target, -1) : no_memory(job);
  free(target);
  return err;
}

/* ---- expiry of single records ---- */

/* Finds what has expired: the records of one source go into `changes`. */
struct expiry_walk {
  struct ww_job *job;
  int source; /* -1: none found yet */
  struct ww_payload_delta changes;
  bool failed;
};

static bool takes_part(struct expiry_walk *walk, ww_source_id id, int64_t expires) {
  struct ww_job *job = walk->job;
  if (!expires)
    return false;
  for (size_t i = 0; i < job->view_count; i++)
    if (job->views[i].record.id == id) {
      if (job->views[i].ignore_expiry)
        return false;
      if (expires >= job->now) {
        ww_note_expiry(&job->next_expiry, expires);
        return false;
      }
      if (walk->source < 0)
        walk->source = (int)i;
      return walk->source == (int)i;
    }
  return false;
}

static int walk_vrp(void *ctx, const struct ww_vrp *vrp, ww_source_id id) {
  struct expiry_walk *walk = ctx;
  if (takes_part(walk, id, vrp->expires) && ww_payloads_add_vrp(&walk->changes.withdraw, vrp) != WW_OK)
    walk->failed = true;
  return walk->failed;
}

static int walk_aspa(void *ctx, const struct ww_aspa *aspa, ww_source_id id) {
  struct expiry_walk *walk = ctx;
  struct ww_aspa bare = {.customer = aspa->customer};
  if (takes_part(walk, id, aspa->expires) && ww_payloads_add_aspa(&walk->changes.withdraw, &bare) != WW_OK)
    walk->failed = true;
  return walk->failed;
}

static int walk_key(void *ctx, const struct ww_router_key *key, ww_source_id id) {
  struct expiry_walk *walk = ctx;
  if (takes_part(walk, id, key->expires) && ww_payloads_add_key(&walk->changes.withdraw, key) != WW_OK)
    walk->failed = true;
  return walk->failed;
}

/* Source after source, until nothing in force has expired. */
static enum ww_err work_expire(struct ww_job *job) {
  for (;;) {
    struct expiry_walk walk = {.job = job, .source = -1};
    job->next_expiry = INT64_MAX;
    job->whole_expiry = true;
    ww_snapshot_walk(snapshot_of(job), &walk, walk_vrp, walk_aspa, walk_key);
    enum ww_err err = walk.failed ? no_memory(job) : WW_OK;
    if (err == WW_OK && walk.source >= 0) {
      err = commit_raw(job, walk.source, NULL, &walk.changes, true, WW_CAUSE_EXPIRY);
      if (err == WW_OK && job->unknown) /* or this would not end */
        err = ww_fail(&job->diag, WW_ERR_STATE, 0, NULL, "%zu expired records are in force and not in the store",
                      job->unknown);
    }
    ww_payload_delta_fini(&walk.changes);
    if (err != WW_OK || walk.source < 0)
      return err;
  }
}

static enum ww_err work_slurm(struct ww_job *job) {
  struct ww_cache *same = calloc(job->view_count + 1, sizeof(*same));
  for (size_t i = 0; same && i < job->view_count; i++)
    same[i].active = job->views[i].record.active;
  enum ww_err err = same ? commit_switch(job, same, true, WW_CAUSE_SLURM, -1) : no_memory(job);
  free(same);
  job->stored = err == WW_OK;
  /* What a filter kept out of force may have expired there. */
  return err == WW_OK ? work_expire(job) : err;
}

/* ---- the start ---- */

static void say_nothing(void *ctx, bool warning, const char *text) {
  (void)ctx;
  (void)warning;
  (void)text;
}

/* The set that was in force when the store was last written. Its assertions and filters made the epoch that is stored;
 * a set that this version cannot read is taken as none, and the switch that follows makes that true. */
static enum ww_err load_slurm(struct ww_job *job) {
  struct ww_store_slurm texts = {0};
  enum ww_err err = ww_store_read_slurm(job->pipeline->store, &texts, &job->diag);
  if (err == WW_OK && texts.count) {
    err = name_slurm(job);
    if (err == WW_OK)
      err = ww_slurm_set_new(&texts, NULL, say_nothing, &job->slurm_in_force);
    job->slurm_unreadable = err == WW_ERR_MALFORMED;
    err = job->slurm_unreadable ? WW_OK : err;
  }
  ww_store_slurm_fini(&texts);
  return err;
}

/* The states of a part of what is in force as it is loaded. Out of memory: there will be no hashes. */
static void load_ccr(struct ww_job *job, ww_source_id id, const struct ww_payloads *set) {
  struct ww_ccr *ccr = &job->pipeline->ccr;
  struct ww_ccr_part *parts = ccr->all ? realloc(ccr->parts, (ccr->count + 1) * sizeof(*parts)) : NULL;
  if (parts) {
    ccr->parts = parts;
    parts[ccr->count] = (struct ww_ccr_part){.id = id, .state = ww_ccr_state_new()};
    if (parts[ccr->count++].state && ww_ccr_state_set(parts[ccr->count - 1].state, set) == WW_OK)
      return;
  }
  ww_ccr_fini(ccr);
}

static void unite_ccr(struct ww_job *job) {
  struct ww_ccr *ccr = &job->pipeline->ccr;
  const struct ww_ccr_state **list = calloc(ccr->count + 1, sizeof(*list));
  for (size_t i = 0; list && i < ccr->count; i++)
    list[i] = ccr->parts[i].state;
  if (!list || !ccr->all || ww_ccr_state_unite(ccr->all, list, ccr->count, NULL, 0) != WW_OK)
    ww_ccr_fini(ccr);
  free(list);
  job->has_hashes = ww_ccr_hashes_of(ccr, &job->hashes);
}

static enum ww_err load_source(struct ww_job *job, const struct ww_source_view *view, int source, uint32_t epoch) {
  struct ww_pipeline *p = job->pipeline;
  struct ww_payload_delta all = {.source = view->record.id}, passed = {0}, *in = &all;
  enum ww_err err = ww_store_read_source(p->store, all.source, &all.announce, &job->diag);
  if (err == WW_OK && source >= 0)
    note_divergence(job, source, &all);
  const struct ww_payload_delta raw = all;
  if (err == WW_OK && !ww_slurm_lets_all_pass(slurm_of(job->slurm_in_force))) {
    err = ww_slurm_filter_delta(slurm_of(job->slurm_in_force), &all, &passed);
    in = &passed;
  }
  if (err == WW_OK && view->record.active) {
    struct ww_snapshot *next;
    err = ww_snapshot_apply(snapshot_of(job), in, epoch, job->ready, &next);
    if (err == WW_OK) {
      ww_snapshot_unref(job->snapshot);
      job->snapshot = next;
      load_ccr(job, all.source, &in->announce);
    }
  }
  if (err == WW_OK && source >= 0)
    deliver(job, source, &raw);
  ww_payload_delta_fini(&all);
  ww_payload_delta_fini(&passed);
  return err;
}

static enum ww_err load_assertions(struct ww_job *job, uint32_t epoch) {
  struct ww_payload_delta delta;
  struct ww_snapshot *next;
  enum ww_err err = ww_slurm_change_assertions(NULL, slurm_of(job->slurm_in_force), &delta);
  delta.source = job->slurm_source.id;
  if (err == WW_OK && (err = ww_snapshot_apply(snapshot_of(job), &delta, epoch, job->ready, &next)) == WW_OK) {
    ww_snapshot_unref(job->snapshot);
    job->snapshot = next;
    load_ccr(job, delta.source, &delta.announce);
  }
  ww_payload_delta_fini(&delta);
  return err;
}

/* The views of configured sources get what the store has of them, and those of sources that are not configured any more
 * are put behind them. */
static enum ww_err load_views(struct ww_job *job) {
  struct ww_pipeline *p = job->pipeline;
  struct ww_source_record *stored = NULL;
  size_t count = 0, configured = job->view_count;
  enum ww_err err = ww_store_sources(p->store, &stored, &count, &job->diag);
  for (size_t i = 0; err == WW_OK && i < configured; i++) {
    struct ww_source_record *record = &job->views[i].record;
    uint8_t type = record->type;
    uint16_t preference = record->preference;
    uint8_t stored_type = type;
    char name[sizeof(record->name)];
    memcpy(name, record->name, sizeof(name));
    for (size_t k = 0; k < count; k++)
      if (strcmp(stored[k].name, name) == 0)
        stored_type = stored[k].type;
    /* When the name means another kind of source now, its data goes as other data does, with an entry in the history.
     */
    job->views[i].new_type = stored_type == type ? 0 : type;
    err = ww_store_source(p->store, name, stored_type, record, &job->diag);
    record->preference = preference;
    record->active = record->active && record->complete;
  }
  struct ww_source_view *views = err == WW_OK ? realloc(job->views, (configured + count + 1) * sizeof(*views)) : NULL;
  if (err == WW_OK && !views)
    err = no_memory(job);
  job->views = views ? views : job->views;
  for (size_t i = 0; err == WW_OK && i < count; i++) {
    bool known = stored[i].type == WW_SOURCE_SLURM;
    for (size_t k = 0; k < configured; k++)
      known = known || job->views[k].record.id == stored[i].id;
    if (stored[i].type == WW_SOURCE_SLURM)
      job->slurm_source = stored[i];
    if (!known)
      job->views[job->view_count++] = (struct ww_source_view){.record = stored[i], .ignore_expiry = true};
  }
  for (size_t i = 0; i < job->view_count; i++) {
    struct ww_source_view *view = &job->views[i];
    view->cache.complete = view->record.complete;
    view->cache.active = view->record.active;
    view->cache.preference = view->record.preference;
    view->cache.since = job->now;
  }
  free(stored);
  return err;
}

/* When all of a source's data has to go: 0 never. */
static int64_t outdated_at(const struct ww_source_view *view) {
  const struct ww_source_record *r = &view->record;
  if (view->keep_expired || !r->complete)
    return 0;
  /* It may have been kept under another configuration. */
  return r->valid_until ? r->valid_until : r->type == WW_SOURCE_RTR && r->expire ? r->last_sync + r->expire : 0;
}

/* The name begins anew, as a source of another kind, when what it had is gone. */
static enum ww_err drop_retyped(struct ww_job *job, int source) {
  struct ww_source_view *view = &job->views[source];
  struct ww_source_record fresh;
  uint16_t preference = view->record.preference;
  enum ww_err err = drop_source(job, source, WW_CAUSE_CONFIG);
  if (err == WW_OK)
    err = ww_store_source(job->pipeline->store, view->record.name, view->new_type, &fresh, &job->diag);
  if (err != WW_OK)
    return err;
  view->record = fresh;
  view->record.preference = preference;
  view->record.active = view->cache.active = false;
  return WW_OK;
}

static enum ww_err drop_unconfigured(struct ww_job *job, size_t configured) {
  struct ww_pipeline *p = job->pipeline;
  const char **names = calloc(configured + 2, sizeof(*names));
  size_t count = 0;
  uint32_t epoch = 0;
  enum ww_err err = names ? WW_OK : no_memory(job);
  for (size_t i = configured; err == WW_OK && i < job->view_count; i++)
    err = drop_source(job, (int)i, WW_CAUSE_CONFIG);
  job->view_count = configured;
  for (size_t i = 0; err == WW_OK && i < configured; i++)
    if (job->views[i].new_type)
      err = drop_retyped(job, (int)i);
  for (size_t i = 0; names && i < configured; i++)
    names[count++] = job->views[i].record.name;
  if (job->slurm_source.id && names)
    names[count++] = WW_SLURM_SOURCE;
  if (err == WW_OK)
    err = ww_store_keep_sources(p->store, names, count, &epoch, &job->diag);
  free(names);
  return err;
}

static enum ww_err work_start(struct ww_job *job) {
  struct ww_pipeline *p = job->pipeline;
  size_t configured = job->view_count;
  uint32_t epoch;
  enum ww_err err = load_views(job);
  if (err == WW_OK)
    err = load_slurm(job);
  if (err != WW_OK || (err = ww_store_read_begin(p->store, &epoch, &job->diag)) != WW_OK)
    return err;
  /* First what was in force, so that all that follows is a change to it, with its entry in the history. */
  p->ccr.all = ww_ccr_state_new();
  err = load_assertions(job, epoch);
  for (size_t i = 0; err == WW_OK && i < job->view_count; i++)
    if (job->views[i].record.complete)
      err = load_source(job, &job->views[i], i < configured ? (int)i : -1, epoch);
  ww_store_read_end(p->store);
  unite_ccr(job);
  if (err == WW_OK)
    err = drop_unconfigured(job, configured);
  /* RFC 8210 §6: data of a cache that has not been heard within its Expire interval is not used, nor after a restart.
   */
  for (size_t i = 0; err == WW_OK && i < job->view_count; i++)
    if (outdated_at(&job->views[i]) && outdated_at(&job->views[i]) <= job->now)
      err = drop_source(job, (int)i, WW_CAUSE_FLUSH);
  const struct ww_store_slurm *was = job->slurm_in_force ? &job->slurm_in_force->texts : NULL,
                              *is = job->slurm ? &job->slurm->texts : NULL;
  if (err == WW_OK && (job->slurm_unreadable || !ww_slurm_set_equal(was, is)))
    err = work_slurm(job);
  if (err == WW_OK)
    err = work_switch(job); /* preferences may be others now */
  return err == WW_OK ? work_expire(job) : err;
}

void ww_job_run(struct ww_job *job) {
  job->next_expiry = INT64_MAX;
  if (!job->views) {
    job->err = no_memory(job);
    return;
  }
  switch (job->kind) {
  case WW_JOB_START:
    job->err = work_start(job);
    break;
  case WW_JOB_FULL:
  case WW_JOB_DELTA:
    job->err = work_update(job);
    break;
  case WW_JOB_FLUSH:
    job->err = drop_source(job, job->source, WW_CAUSE_FLUSH);
    job->stored = job->err == WW_OK;
    break;
  case WW_JOB_EXPIRE:
    job->err = work_expire(job);
    break;
  case WW_JOB_SWITCH:
    job->err = work_switch(job);
    break;
  case WW_JOB_SLURM:
    job->err = work_slurm(job);
    break;
  case WW_JOB_QUERY:
    job->query(job->ctx, job->pipeline->store);
    break;
  }
}
