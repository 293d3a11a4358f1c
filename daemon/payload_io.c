/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One entry for each payload-file section. A timer looks at the file's size, time and identity; when they differ from
 * those of the last reading the file is read and parsed in libuv's pool, one read of each file at a time, and a good
 * set goes to the pipeline. A bad file is said once for each of its versions, with its line, and changes nothing: the
 * previous data stays in force.
 *
 * A file that changes while it is being read is thrown away and read again at the next look: whoever writes it in place
 * rather than renaming a finished one causes a delay and no error.
 */
#include "daemon/payload_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/pipeline.h"
#include "sources/payload_file.h"

enum { READ_SIZE = 1 << 20 };

/* What tells one version of a file from another. */
struct version {
  dev_t dev;
  ino_t ino;
  off_t size;
  struct timespec mtime;
};

struct file {
  struct ww_payload_io *io;
  const struct ww_config_file *config;
  int source;
  uv_timer_t timer;
  struct version seen; /* last read, well or badly */
  int seen_errno;      /* why it could not even be opened, 0 it could */
  bool any_seen;
  bool busy;  /* being read, or on its way through the pipeline */
  bool again; /* a refresh was asked for meanwhile */
  /* the worker's */
  uv_work_t work;
  int64_t now;
  enum ww_err err;
  int open_errno;
  bool torn;
  struct version version;
  struct ww_payloads set;
  struct ww_payload_file_stats stats;
  struct ww_diag diag;
};

struct ww_payload_io {
  struct ww_daemon *daemon;
  struct file *files;
  size_t count;
  int static_source; /* -1: none */
  bool started, stopped;
};

static void look(struct file *f, bool anyway);

/* ---- in the worker ---- */

static struct version version_of(const struct stat *st) {
  return (struct version){.dev = st->st_dev, .ino = st->st_ino, .size = st->st_size, .mtime = st->st_mtim};
}

static bool same_version(const struct version *a, const struct version *b) {
  return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime.tv_sec == b->mtime.tv_sec &&
         a->mtime.tv_nsec == b->mtime.tv_nsec;
}

static enum ww_err parse(struct file *f, int fd) {
  struct ww_payload_file_options options = {.now = f->now, .ignore_expiry = f->config->ignore_expiry};
  struct ww_payload_file *parser = ww_payload_file_new(&options);
  char *buf = malloc(READ_SIZE);
  enum ww_err err = parser && buf ? WW_OK : ww_fail(&f->diag, WW_ERR_NOMEM, 0, NULL, "no memory to read it");
  while (err == WW_OK) {
    ssize_t n = read(fd, buf, READ_SIZE);
    if (n == 0)
      break;
    if (n < 0 && errno == EINTR)
      continue;
    err = n < 0 ? ww_fail(&f->diag, WW_ERR_IO, 0, NULL, "%s", strerror(errno))
                : ww_payload_file_feed(parser, buf, (size_t)n, &f->diag);
  }
  if (err == WW_OK)
    err = ww_payload_file_finish(parser, &f->set, &f->stats, &f->diag);
  free(buf);
  ww_payload_file_free(parser);
  return err;
}

static void read_file(uv_work_t *work) {
  struct file *f = work->data;
  struct stat st;
  memset(&f->diag, 0, sizeof(f->diag));
  f->open_errno = 0;
  f->torn = false;
  int fd = open(f->config->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* not to wait for a FIFO's writer */
  if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    f->open_errno = fd >= 0 && !S_ISREG(st.st_mode) ? EINVAL : errno;
    f->err = ww_fail(&f->diag, WW_ERR_IO, 0, NULL, "%s",
                     fd >= 0 && !S_ISREG(st.st_mode) ? "not a regular file" : strerror(f->open_errno));
    if (fd >= 0)
      close(fd);
    return;
  }
  f->version = version_of(&st);
  f->err = parse(f, fd);
  struct version after;
  if (fstat(fd, &st) == 0) {
    after = version_of(&st);
    f->torn = !same_version(&f->version, &after);
  }
  close(fd);
}

/* ---- on the loop ---- */

static void on_committed(void *ctx, bool ok, size_t unknown) {
  struct file *f = ctx;
  (void)unknown;
  f->busy = false;
  if (!ok)
    f->any_seen = false; /* read it again at the next look */
  if (f->again && !f->io->stopped) {
    f->again = false;
    look(f, true);
  }
}

static void report_failure(struct file *f) {
  struct ww_daemon *d = f->io->daemon;
  char text[320];
  if (f->diag.line)
    snprintf(text, sizeof(text), "%s:%u: %s", f->config->path, f->diag.line, f->diag.text);
  else
    snprintf(text, sizeof(text), "%s: %s", f->config->path, f->diag.text[0] ? f->diag.text : ww_err_name(f->err));
  bool has_data = ww_pipeline_source(d->pipeline, f->source)->record.complete;
  ww_log(&d->log, WW_LOG_ERROR, "source %s: %s; %s", f->config->name, text,
         has_data ? "the previous data stays in force" : "no data from it");
  ww_pipeline_failed(d->pipeline, f->source, text);
}

/* Metadata that names another hash than the records have: the file is used all the same, as whoever wrote it may have
 * been an older program. */
static void warn_of_hashes(const struct file *f) {
  static const char *const names[WW_PAYLOAD_HASHES] = {"ccr_vrps_hash", "ccr_vaps_hash", "ccr_brks_hash"};
  for (unsigned i = 0; i < WW_PAYLOAD_HASHES; i++)
    if (f->stats.hashes_wrong & 1u << i)
      ww_log(&f->io->daemon->log, WW_LOG_WARNING,
             "source %s: %s: metadata.%s is not the hash of the records in the file", f->config->name, f->config->path,
             names[i]);
}

static void file_read(uv_work_t *work, int status) {
  struct file *f = work->data;
  struct ww_daemon *d = f->io->daemon;
  struct ww_now now = ww_daemon_now(d);
  if (status < 0 || f->io->stopped) {
    f->busy = false;
    ww_payloads_fini(&f->set);
    return;
  }
  if (f->torn) {
    ww_payloads_fini(&f->set);
    f->busy = false;
    f->any_seen = false;
    ww_log(&d->log, WW_LOG_INFO, "source %s: %s changed while it was read; once more", f->config->name,
           f->config->path);
    return;
  }
  f->any_seen = true;
  f->seen = f->version;
  f->seen_errno = f->open_errno;
  if (f->err != WW_OK) {
    ww_payloads_fini(&f->set);
    f->busy = false;
    report_failure(f);
    return;
  }
  ww_log(&d->log, WW_LOG_INFO, "source %s: %s read: %zu records, %zu expired", f->config->name, f->config->path,
         f->stats.records, f->stats.expired);
  if (!f->stats.records && f->stats.expired)
    ww_log(&d->log, WW_LOG_WARNING, "source %s: everything in %s has expired (option ignore-expiry)", f->config->name,
           f->config->path);
  warn_of_hashes(f);
  struct ww_source_progress progress = {.last_sync = now.unix_sec};
  ww_pipeline_submit_full(d->pipeline, f->source, &f->set, &progress, on_committed, f);
}

/* Reads the file if it is another version than the one seen last. */
static void look(struct file *f, bool anyway) {
  if (f->busy) {
    f->again = f->again || anyway;
    return;
  }
  struct stat st;
  struct version version = {0};
  int error = stat(f->config->path, &st) == 0 ? 0 : errno;
  if (!error)
    version = version_of(&st);
  if (!anyway && f->any_seen && f->seen_errno == error && (error || same_version(&f->seen, &version)))
    return;
  f->busy = true;
  f->now = f->io->daemon->now.unix_sec;
  f->work.data = f;
  if (uv_queue_work(&f->io->daemon->loop, &f->work, read_file, file_read) != 0)
    f->busy = false;
}

static void on_timer(uv_timer_t *timer) {
  struct file *f = timer->data;
  ww_daemon_now(f->io->daemon);
  look(f, false);
}

struct ww_payload_io *ww_payload_io_new(struct ww_daemon *daemon) {
  const struct ww_config *config = daemon->config;
  struct ww_payload_io *io = calloc(1, sizeof(*io));
  if (!io || !(io->files = calloc(config->file_count + 1, sizeof(*io->files)))) {
    free(io);
    return NULL;
  }
  io->daemon = daemon;
  io->static_source = -1;
  for (size_t i = 0; i < config->file_count; i++) {
    struct file *f = &io->files[i];
    f->io = io;
    f->config = &config->files[i];
    f->source = ww_pipeline_add(daemon->pipeline, f->config->name, WW_SOURCE_FILE, f->config->ignore_expiry);
    if (f->source < 0)
      goto fail;
    io->count++;
  }
  if (config->has_static) {
    io->static_source = ww_pipeline_add(daemon->pipeline, WW_STATIC_SOURCE, WW_SOURCE_STATIC, false);
    if (io->static_source < 0)
      goto fail;
  }
  return io;
fail:
  ww_payload_io_free(io);
  return NULL;
}

void ww_payload_io_start(struct ww_payload_io *io) {
  io->started = true;
  if (io->static_source >= 0)
    ww_payload_io_statics(io, &io->daemon->config->statics);
  for (size_t i = 0; i < io->count; i++) {
    struct file *f = &io->files[i];
    uint64_t interval = (uint64_t)f->config->refresh_interval * 1000;
    uv_timer_init(&io->daemon->loop, &f->timer);
    f->timer.data = f;
    uv_timer_start(&f->timer, on_timer, interval, interval);
    look(f, true);
  }
}

void ww_payload_io_refresh(struct ww_payload_io *io) {
  for (size_t i = 0; io->started && i < io->count; i++)
    look(&io->files[i], true);
}

void ww_payload_io_statics(struct ww_payload_io *io, struct ww_payloads *statics) {
  struct ww_source_progress progress = {.last_sync = io->daemon->now.unix_sec};
  if (io->static_source >= 0)
    ww_pipeline_submit_full(io->daemon->pipeline, io->static_source, statics, &progress, NULL, NULL);
}

void ww_payload_io_stop(struct ww_payload_io *io) {
  if (!io || io->stopped)
    return;
  io->stopped = true;
  for (size_t i = 0; io->started && i < io->count; i++)
    uv_close((uv_handle_t *)&io->files[i].timer, NULL);
}

void ww_payload_io_free(struct ww_payload_io *io) {
  if (!io)
    return;
  free(io->files);
  free(io);
}
