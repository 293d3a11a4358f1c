/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many routes from a file or a pipe.
 *
 * Input is taken in rounds: whatever has arrived, up to ROUND octets, up to its last line's end. A round is cut into
 * parts of PART octets, small enough that their answers are still in a processor's cache when they are written. Each
 * thread takes the next part, answers it, and puts it down; whoever puts down the part whose turn it is writes it and
 * those behind it, while the others go on, up to SLOTS parts ahead. So answers come in the order of the input whatever
 * the number of threads, and a program that asks line by line gets each answer at once, from the calling thread.
 *
 * A document {"routes": [...]} over several lines can only be the whole input: it is recognised by a first line that
 * opens an object without closing it, and is read whole (bounded).
 */
#include "cli/route_batch.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

enum { ROUND = 4 << 20, PART = 64 << 10, SLOTS_MAX = 2 * WW_BATCH_THREADS_MAX, DOCUMENT_MAX = 256 << 20 };

/* Some lines, and what is said to them. */
struct part {
  char *text;
  size_t len;
  unsigned first_line;
  struct ww_buf out, messages;
  size_t bad;
  int stop; /* not 0: the batch ends here, with this code */
  bool done;
};

struct run;

struct worker {
  struct run *run;
  unsigned thread;
  struct part *part; /* at work on */
  struct ww_route_reader reader;
};

struct run {
  const struct ww_batch *batch;
  struct worker workers[WW_BATCH_THREADS_MAX];
  unsigned threads;
  char *text; /* cap + 1 octets: a line at the end of the input gets its NUL there */
  size_t len, cap;
  bool routes_seen, ended;
  size_t *bad;
  /* Of the round at hand, under the lock. Part k is in slot k % slots. */
  pthread_mutex_t lock;
  pthread_cond_t moved; /* a part was put down or written */
  struct part parts[SLOTS_MAX];
  unsigned slots;
  char *next, *end; /* the text that nobody took yet */
  unsigned line;    /* of `next` */
  size_t taken, written;
  bool writing;
  int stop;
};

/* --- a part ------------------------------------------------------------------------------------------------------ */

static int answer(void *ctx, const struct ww_route_query *query) {
  struct worker *worker = ctx;
  const struct ww_batch *batch = worker->run->batch;
  return batch->answer(batch->ctx, worker->thread, query, &worker->part->out);
}

static void refuse(void *ctx, enum ww_err err, const struct ww_diag *diag) {
  struct worker *worker = ctx;
  struct part *part = worker->part;
  const struct ww_batch *batch = worker->run->batch;
  char text[sizeof(diag->text) + 512], line[16] = "";
  if (diag->line)
    (void)snprintf(line, sizeof line, ":%u", diag->line);
  int n = snprintf(text, sizeof text, "waywarden %s: %.200s%s: %s\n", batch->command, batch->name, line,
                   diag->text[0] ? diag->text : ww_err_name(err));
  if (n > 0 && ww_buf_append(&part->messages, text, (size_t)n) != WW_OK)
    part->stop = WW_EXIT_FAILED;
  part->bad++;
}

static void answer_part(struct worker *worker, struct part *part) {
  char *p = part->text, *end = part->text + part->len;
  worker->part = part;
  for (unsigned number = part->first_line; p < end && !part->stop; number++) {
    char *newline = memchr(p, '\n', (size_t)(end - p));
    char *stop = newline ? newline : end;
    *stop = '\0';
    part->stop = ww_route_line(&worker->reader, p, (size_t)(stop - p), number);
    p = stop + 1;
  }
}

static int cannot_write(const struct run *run) {
  return ww_cli_fail(run->batch->command, "standard output: write failed");
}

/* What a part has to say. Empties it. Returns what ends the batch, or 0. */
static int write_part(struct run *run, struct part *part) {
  bool written = !part->out.len || fwrite(ww_buf_head(&part->out), 1, part->out.len, stdout) == part->out.len;
  if (part->messages.len)
    (void)fwrite(ww_buf_head(&part->messages), 1, part->messages.len, stderr);
  *run->bad += part->bad;
  int stop = written ? part->stop : cannot_write(run);
  part->out.head = part->out.len = 0; /* keeps its memory, unlike ww_buf_clear(): as much is needed again */
  ww_buf_clear(&part->messages);
  part->bad = 0;
  part->stop = 0;
  part->done = false;
  return stop;
}

/* --- a round ------------------------------------------------------------------------------------------------------ */

static unsigned count_lines(const char *text, size_t len) {
  unsigned lines = 0;
  for (const char *p = text, *end = text + len; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
    lines++;
  return lines;
}

/* The next part of the round, or NULL: there is none, or no slot is free. */
static struct part *take(struct run *run) {
  if (run->next == run->end || run->taken - run->written == run->slots)
    return NULL;
  struct part *part = &run->parts[run->taken++ % run->slots];
  size_t left = (size_t)(run->end - run->next);
  char *cut = left > PART ? memchr(run->next + PART, '\n', left - PART) : NULL;
  part->text = run->next;
  part->len = cut ? (size_t)(cut + 1 - run->next) : left;
  part->first_line = run->line;
  run->line += count_lines(part->text, part->len);
  run->next += part->len;
  return part;
}

/* Writes a part that is done and whose turn it is. False: there is none, or somebody is at it. */
static bool write_next(struct run *run) {
  struct part *part = &run->parts[run->written % run->slots];
  if (run->writing || run->written == run->taken || !part->done)
    return false;
  run->writing = true;
  (void)pthread_mutex_unlock(&run->lock);
  int stop = write_part(run, part);
  (void)pthread_mutex_lock(&run->lock);
  run->writing = false;
  run->written++;
  if (stop && !run->stop) { /* nobody takes any more, and what was taken is not told */
    run->stop = stop;
    run->next = run->end;
  }
  (void)pthread_cond_broadcast(&run->moved);
  return true;
}

static void *work(void *ctx) {
  struct worker *worker = ctx;
  struct run *run = worker->run;
  struct part *part;
  (void)pthread_mutex_lock(&run->lock);
  while (!run->stop && (run->next != run->end || run->written != run->taken)) {
    if (write_next(run))
      continue;
    if ((part = take(run))) {
      (void)pthread_mutex_unlock(&run->lock);
      answer_part(worker, part);
      (void)pthread_mutex_lock(&run->lock);
      part->done = true;
      (void)pthread_cond_broadcast(&run->moved);
    } else {
      (void)pthread_cond_wait(&run->moved, &run->lock);
    }
  }
  (void)pthread_mutex_unlock(&run->lock);
  return NULL;
}

/* Answers text[0..len), which ends with a line's end or the input's. */
static int round_of(struct run *run, size_t len) {
  pthread_t threads[WW_BATCH_THREADS_MAX];
  bool started[WW_BATCH_THREADS_MAX] = {false};
  size_t parts = len / PART + 1;
  run->next = run->text;
  run->end = run->text + len;
  run->taken = run->written = 0;
  for (unsigned i = 1; i < run->threads && i < parts; i++)
    started[i] = pthread_create(&threads[i], NULL, work, &run->workers[i]) == 0;
  (void)work(&run->workers[0]); /* does what got no thread */
  for (unsigned i = 1; i < run->threads; i++)
    if (started[i])
      (void)pthread_join(threads[i], NULL);
  return run->stop || fflush(stdout) == 0 ? run->stop : cannot_write(run);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static bool grow(struct run *run) {
  size_t cap = run->cap * 2;
  char *larger = cap <= DOCUMENT_MAX ? realloc(run->text, cap + 1) : NULL;
  if (!larger)
    return false;
  run->text = larger;
  run->cap = cap;
  return true;
}

/* Takes what is there, waiting only for the first of it. */
static int fill(struct run *run, int fd) {
  bool any = false;
  while (run->len < run->cap) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (any && poll(&ready, 1, 0) <= 0)
      return 0;
    ssize_t n = read(fd, run->text + run->len, run->cap - run->len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return ww_cli_fail(run->batch->command, "%s: %s", run->batch->name, strerror(errno));
    if (n == 0) {
      run->ended = true;
      return 0;
    }
    run->len += (size_t)n;
    any = true;
  }
  return 0;
}

/* Everything up to the end is one document. */
static int whole_document(struct run *run, int fd) {
  while (!run->ended) {
    int code = fill(run, fd);
    if (code)
      return code;
    if (run->len == run->cap && !grow(run))
      return ww_cli_fail(run->batch->command, "%s: the document is too long: give one route a line", run->batch->name);
  }
  struct worker *worker = &run->workers[0];
  worker->part = &run->parts[0];
  worker->part->stop = ww_route_document(&worker->reader, run->text, run->len);
  int stop = write_part(run, worker->part);
  return stop || fflush(stdout) == 0 ? stop : cannot_write(run);
}

/* Passes over lines without a route, until the first one tells what the input is. */
static bool is_document(struct run *run, size_t len) {
  for (size_t at = 0; at < len && !run->routes_seen;) {
    char *line = run->text + at, *newline = memchr(line, '\n', len - at);
    char *end = newline ? newline : run->text + len, kept = *end;
    *end = '\0';
    bool blank = ww_route_line_is_blank(line), cut = !blank && ww_route_line_is_cut(line, (size_t)(end - line));
    *end = kept;
    if (cut)
      return true;
    run->routes_seen = !blank;
    at = (size_t)(end - run->text) + 1;
  }
  return false;
}

static int rounds(struct run *run, int fd) {
  while (!run->ended) {
    int code = fill(run, fd);
    if (code)
      return code;
    size_t len = run->len;
    if (!run->ended)
      while (len > 0 && run->text[len - 1] != '\n')
        len--;
    if (len == 0 && run->len == run->cap && !grow(run))
      return ww_cli_fail(run->batch->command, "%s: a line is too long", run->batch->name);
    if (len == 0)
      continue;
    if (!run->routes_seen && is_document(run, len))
      return whole_document(run, fd);
    code = round_of(run, len);
    if (code)
      return code;
    memmove(run->text, run->text + len, run->len - len);
    run->len -= len;
  }
  return 0;
}

int ww_batch_run(const struct ww_batch *batch, int fd, size_t *bad) {
  struct run *run = calloc(1, sizeof *run);
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  int code;
  *bad = 0;
  if (run) {
    run->batch = batch;
    run->bad = bad;
    run->line = 1;
    run->cap = ROUND;
    run->text = malloc(run->cap + 1);
    run->threads = batch->threads ? batch->threads : processors > 1 ? (unsigned)processors : 1;
    if (run->threads > WW_BATCH_THREADS_MAX)
      run->threads = WW_BATCH_THREADS_MAX;
    run->slots = 2 * run->threads;
    (void)pthread_mutex_init(&run->lock, NULL);
    (void)pthread_cond_init(&run->moved, NULL);
    for (unsigned i = 0; i < run->threads; i++) {
      struct worker *worker = &run->workers[i];
      worker->run = run;
      worker->thread = i;
      worker->reader.defaults = batch->defaults;
      worker->reader.ctx = worker;
      worker->reader.visit = answer;
      worker->reader.refuse = refuse;
    }
    for (unsigned i = 0; i < run->slots; i++) {
      ww_buf_init(&run->parts[i].out, 0);
      ww_buf_init(&run->parts[i].messages, 0);
    }
  }
  code = run && run->text ? rounds(run, fd) : ww_cli_fail(batch->command, "out of memory");
  for (unsigned i = 0; run && i < run->slots; i++) {
    ww_buf_fini(&run->parts[i].out);
    ww_buf_fini(&run->parts[i].messages);
  }
  if (run) {
    (void)pthread_cond_destroy(&run->moved);
    (void)pthread_mutex_destroy(&run->lock);
    free(run->text);
  }
  free(run);
  return code;
}
