/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SLURM files are one set: good together, or not at all (RFC 8416 §4.1, §4.2).
 *
 * At the start a bad set is an error, and the daemon does not start: the operator is there to see it, and exceptions
 * that are silently not made are worse than no answer. Later a bad set changes nothing: the last good one stays in
 * force, here and in the store, and the log and the counters say what is wrong and where.
 *
 * A timer compares each file's size, time and identity with those of the last reading; when any differs, all are read
 * and parsed in libuv's pool. A set with the same octets as the one in force is no change. Files that change while they
 * are read are read again at the next look.
 */
#include "daemon/slurm_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/pipeline.h"
#include "daemon/slurm_set.h"

enum { LOOK_MS = 2000, PROBLEMS_SAID = 20 };

/* What tells one version of a file from another; `error` when it cannot be had. */
struct version {
  int error;
  dev_t dev;
  ino_t ino;
  off_t size;
  struct timespec mtime;
};

struct problem {
  bool warning;
  char text[512];
};

/* A reading, in the worker. */
struct reading {
  char **paths; /* copies */
  size_t count;
  bool strict;
  int64_t now;
  struct version *versions; /* before */
  bool torn;
  enum ww_err err;
  struct ww_slurm_set *set;
  struct problem problems[PROBLEMS_SAID];
  size_t problem_count, problem_total;
  char first_error[512];
};

struct ww_slurm_io {
  struct ww_daemon *daemon;
  char **paths;
  size_t count;
  bool strict;
  struct version *seen; /* by path; NULL: never read */
  struct ww_slurm_set *first;
  struct reading *reading; /* under way */
  bool again;              /* and once more after it */
  bool waiting;            /* a set is on its way through the pipeline */
  uv_work_t work;
  uv_timer_t timer;
  bool started, stopped;
  uint64_t loads, errors;
  int64_t error_time;
  char last_error[512];
};

static void look(struct ww_slurm_io *io, bool anyway);

/* ---- in the worker ---- */

static struct version version_of(const char *path) {
  struct stat st;
  if (stat(path, &st) != 0)
    return (struct version){.error = errno};
  return (struct version){.dev = st.st_dev, .ino = st.st_ino, .size = st.st_size, .mtime = st.st_mtim};
}

static bool same_version(const struct version *a, const struct version *b) {
  return a->error == b->error && a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
         a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec;
}

static void note_problem(void *ctx, bool warning, const char *text) {
  struct reading *r = ctx;
  if (!warning && !r->first_error[0])
    snprintf(r->first_error, sizeof(r->first_error), "%s", text);
  if (r->problem_count < PROBLEMS_SAID) {
    struct problem *p = &r->problems[r->problem_count++];
    p->warning = warning;
    snprintf(p->text, sizeof(p->text), "%s", text);
  }
  r->problem_total++;
}

static void read_set(struct reading *r) {
  struct ww_store_slurm texts;
  for (size_t i = 0; i < r->count; i++)
    r->versions[i] = version_of(r->paths[i]);
  r->err = ww_slurm_texts_read(r->paths, r->count, r->strict, r->now, r, note_problem, &texts);
  if (r->err == WW_OK && r->count)
    r->err = ww_slurm_set_new(&texts, r, note_problem, &r->set);
  else
    ww_store_slurm_fini(&texts);
  for (size_t i = 0; i < r->count; i++) {
    struct version after = version_of(r->paths[i]);
    r->torn = r->torn || !same_version(&r->versions[i], &after);
  }
}

static void run_reading(uv_work_t *work) {
  struct ww_slurm_io *io = work->data;
  read_set(io->reading);
}

/* ---- on the loop ---- */

static void free_paths(char **paths, size_t count) {
  for (size_t i = 0; paths && i < count; i++)
    free(paths[i]);
  free(paths);
}

static char **copy_paths(char *const *paths, size_t count) {
  char **copy = calloc(count + 1, sizeof(*copy));
  for (size_t i = 0; copy && i < count; i++)
    if (!(copy[i] = strdup(paths[i]))) {
      free_paths(copy, count);
      return NULL;
    }
  return copy;
}

static void reading_free(struct reading *r) {
  if (!r)
    return;
  free_paths(r->paths, r->count);
  free(r->versions);
  ww_slurm_set_free(r->set);
  free(r);
}

static struct reading *reading_new(const struct ww_slurm_io *io) {
  struct reading *r = calloc(1, sizeof(*r));
  if (!r)
    return NULL;
  r->paths = copy_paths(io->paths, io->count);
  r->count = io->count;
  r->strict = io->strict;
  r->now = io->daemon->now.unix_sec;
  r->versions = calloc(io->count + 1, sizeof(*r->versions));
  if (!r->paths || !r->versions) {
    reading_free(r);
    return NULL;
  }
  return r;
}

static void say_problems(struct ww_slurm_io *io, const struct reading *r) {
  struct ww_log *log = &io->daemon->log;
  for (size_t i = 0; i < r->problem_count; i++)
    ww_log(log, r->problems[i].warning ? WW_LOG_WARNING : WW_LOG_ERROR, "SLURM: %s", r->problems[i].text);
  if (r->problem_total > r->problem_count)
    ww_log(log, WW_LOG_WARNING, "SLURM: %zu more problems; waywarden slurm check lists them",
           r->problem_total - r->problem_count);
}

static void refused(struct ww_slurm_io *io, const char *text) {
  io->errors++;
  io->error_time = io->daemon->now.unix_sec;
  snprintf(io->last_error, sizeof(io->last_error), "%s", text);
}

static void on_committed(void *ctx, bool ok, size_t unknown) {
  struct ww_slurm_io *io = ctx;
  (void)unknown;
  io->waiting = false;
  if (ok) {
    io->loads++;
    io->last_error[0] = '\0';
  } else {
    refused(io, "the set could not be stored");
    free(io->seen); /* read it again at the next look */
    io->seen = NULL;
  }
  if (io->again && !io->stopped)
    look(io, true);
}

static void was_read(uv_work_t *work, int status) {
  struct ww_slurm_io *io = work->data;
  struct reading *r = io->reading;
  io->reading = NULL;
  ww_daemon_now(io->daemon);
  if (io->stopped || status < 0 || r->torn || io->again) {
    if (r->torn) {
      free(io->seen);
      io->seen = NULL;
    }
    reading_free(r);
    if (io->again && !io->stopped)
      look(io, true);
    return;
  }
  free(io->seen);
  io->seen = r->versions;
  r->versions = NULL;
  say_problems(io, r);
  const struct ww_slurm_set *in_force = ww_pipeline_slurm(io->daemon->pipeline);
  if (r->err != WW_OK) {
    refused(io, r->first_error[0] ? r->first_error : ww_err_name(r->err));
    ww_log(&io->daemon->log, WW_LOG_ERROR, "SLURM: the files are refused; %s",
           in_force ? "the last good set stays in force" : "none is in force");
  } else if (ww_slurm_set_equal(in_force ? &in_force->texts : NULL, r->set ? &r->set->texts : NULL)) {
    io->last_error[0] = '\0';
  } else {
    struct ww_slurm_set *set = r->set;
    r->set = NULL;
    io->waiting = true;
    ww_pipeline_submit_slurm(io->daemon->pipeline, set, on_committed, io);
  }
  reading_free(r);
}

static bool changed(const struct ww_slurm_io *io) {
  if (!io->seen)
    return true;
  for (size_t i = 0; i < io->count; i++) {
    struct version now = version_of(io->paths[i]);
    if (!same_version(&now, &io->seen[i]))
      return true;
  }
  return false;
}

static void look(struct ww_slurm_io *io, bool anyway) {
  if (io->reading || io->waiting) {
    io->again = io->again || anyway;
    return;
  }
  if (!anyway && !changed(io))
    return;
  io->again = false;
  io->reading = reading_new(io);
  io->work.data = io;
  if (io->reading && uv_queue_work(&io->daemon->loop, &io->work, run_reading, was_read) != 0) {
    reading_free(io->reading);
    io->reading = NULL;
  }
}

static void on_timer(uv_timer_t *timer) {
  struct ww_slurm_io *io = timer->data;
  ww_daemon_now(io->daemon);
  look(io, false);
}

struct ww_slurm_io *ww_slurm_io_new(struct ww_daemon *daemon) {
  const struct ww_config *config = daemon->config;
  struct ww_slurm_io *io = calloc(1, sizeof(*io));
  if (!io)
    return NULL;
  io->daemon = daemon;
  io->paths = copy_paths(config->slurm, config->slurm_count);
  io->count = config->slurm_count;
  io->strict = config->slurm_strict;
  struct reading *r = io->paths ? reading_new(io) : NULL;
  if (!r) {
    ww_log(&daemon->log, WW_LOG_ERROR, "no memory for the SLURM files");
    ww_slurm_io_free(io);
    return NULL;
  }
  read_set(r);
  say_problems(io, r);
  bool ok = r->err == WW_OK;
  if (ok) {
    io->first = r->set;
    io->seen = r->versions;
    r->set = NULL;
    r->versions = NULL;
    io->loads = io->count > 0;
  }
  reading_free(r);
  if (ok)
    return io;
  ww_log(&daemon->log, WW_LOG_ERROR, "SLURM: the files are refused, and nothing is started without them");
  ww_slurm_io_free(io);
  return NULL;
}

struct ww_slurm_set *ww_slurm_io_take(struct ww_slurm_io *io) {
  struct ww_slurm_set *set = io->first;
  io->first = NULL;
  return set;
}

void ww_slurm_io_start(struct ww_slurm_io *io) {
  io->started = true;
  uv_timer_init(&io->daemon->loop, &io->timer);
  io->timer.data = io;
  uv_timer_start(&io->timer, on_timer, LOOK_MS, LOOK_MS);
}

void ww_slurm_io_reload(struct ww_slurm_io *io, char *const *paths, size_t count, bool strict) {
  char **copy = copy_paths(paths, count);
  if (!copy || !io->started) {
    free_paths(copy, count);
    return;
  }
  free_paths(io->paths, io->count);
  io->paths = copy;
  io->count = count;
  io->strict = strict;
  free(io->seen);
  io->seen = NULL;
  look(io, true);
}

void ww_slurm_io_stop(struct ww_slurm_io *io) {
  if (!io || io->stopped)
    return;
  io->stopped = true;
  if (io->started)
    uv_close((uv_handle_t *)&io->timer, NULL);
}

void ww_slurm_io_free(struct ww_slurm_io *io) {
  if (!io)
    return;
  free_paths(io->paths, io->count);
  free(io->seen);
  ww_slurm_set_free(io->first);
  reading_free(io->reading);
  free(io);
}

void ww_slurm_io_status(const struct ww_slurm_io *io, struct ww_slurm_io_status *out) {
  *out = (struct ww_slurm_io_status){.files = io->count,
                                     .loads = io->loads,
                                     .errors = io->errors,
                                     .error_time = io->error_time,
                                     .last_error = io->last_error};
}
