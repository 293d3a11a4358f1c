/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many routes from a file or a pipe.
 *
 * Input is taken in rounds: whatever has arrived, up to ROUND octets, up to its last line's end. A round that is worth
 * it is cut into a part for each thread; each part has its own reader, answers and messages, which are written out in
 * the order of the input when all parts are done. So answers do not depend on the number of threads, and a program that
 * asks line by line gets each answer at once, from the calling thread.
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

enum { ROUND = 4 << 20, PART_MIN = 64 << 10, DOCUMENT_MAX = 256 << 20 };

struct part {
  const struct ww_batch *batch;
  unsigned thread;
  struct ww_route_reader reader;
  char *text;
  size_t len;
  unsigned first_line;
  struct ww_buf out, messages;
  size_t bad;
  int stop;
};

struct run {
  const struct ww_batch *batch;
  struct part parts[WW_BATCH_THREADS_MAX];
  unsigned threads;
  char *text; /* cap + 1 octets: a line at the end of the input gets its NUL there */
  size_t len, cap;
  unsigned line; /* of text[0] */
  bool routes_seen, ended;
  size_t *bad;
};

/* --- a part ------------------------------------------------------------------------------------------------------ */

static int answer(void *ctx, const struct ww_route_query *query) {
  struct part *part = ctx;
  return part->batch->answer(part->batch->ctx, part->thread, query, &part->out);
}

static void refuse(void *ctx, enum ww_err err, const struct ww_diag *diag) {
  struct part *part = ctx;
  char text[sizeof(diag->text) + 512], line[16] = "";
  if (diag->line)
    (void)snprintf(line, sizeof line, ":%u", diag->line);
  int n = snprintf(text, sizeof text, "waywarden %s: %.200s%s: %s\n", part->batch->command, part->batch->name, line,
                   diag->text[0] ? diag->text : ww_err_name(err));
  if (n > 0 && ww_buf_append(&part->messages, text, (size_t)n) != WW_OK)
    part->stop = WW_EXIT_FAILED;
  part->bad++;
}

static void *work(void *ctx) {
  struct part *part = ctx;
  char *p = part->text, *end = part->text + part->len;
  for (unsigned number = part->first_line; p < end && !part->stop; number++) {
    char *newline = memchr(p, '\n', (size_t)(end - p));
    char *stop = newline ? newline : end;
    *stop = '\0';
    part->stop = ww_route_line(&part->reader, p, (size_t)(stop - p), number);
    p = stop + 1;
  }
  return NULL;
}

/* What parts have to say, in their order, up to one that ends the batch. */
static int write_out(struct run *run, unsigned count) {
  int stop = 0;
  for (unsigned i = 0; i < count; i++) {
    struct part *part = &run->parts[i];
    if (!stop) {
      if (part->out.len)
        (void)fwrite(ww_buf_head(&part->out), 1, part->out.len, stdout);
      if (part->messages.len)
        (void)fwrite(ww_buf_head(&part->messages), 1, part->messages.len, stderr);
      *run->bad += part->bad;
      stop = part->stop;
    }
    part->out.head = part->out.len = 0; /* keeps its memory, unlike ww_buf_clear(): as much is needed again */
    ww_buf_clear(&part->messages);
    part->bad = 0;
    part->stop = 0;
  }
  return stop || fflush(stdout) == 0 ? stop : ww_cli_fail(run->batch->command, "standard output: write failed");
}

/* --- a round ------------------------------------------------------------------------------------------------------ */

static unsigned count_lines(const char *text, size_t len) {
  unsigned lines = 0;
  for (const char *p = text, *end = text + len; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
    lines++;
  return lines;
}

/* Answers text[0..len), which ends with a line's end or the input's. */
static int round_of(struct run *run, size_t len) {
  pthread_t threads[WW_BATCH_THREADS_MAX];
  bool started[WW_BATCH_THREADS_MAX] = {false};
  unsigned count = 0, wanted = len / PART_MIN < run->threads ? (unsigned)(len / PART_MIN) : run->threads;
  char *p = run->text, *end = run->text + len;
  for (wanted = wanted ? wanted : 1; p < end && count < wanted; count++) {
    struct part *part = &run->parts[count];
    size_t share = (size_t)(end - p) / (wanted - count);
    char *cut = count + 1 == wanted ? NULL : memchr(p + share, '\n', (size_t)(end - p) - share);
    part->text = p;
    part->len = cut ? (size_t)(cut + 1 - p) : (size_t)(end - p);
    part->first_line = run->line;
    run->line += count_lines(p, part->len);
    p += part->len;
  }
  for (unsigned i = 1; i < count; i++)
    started[i] = pthread_create(&threads[i], NULL, work, &run->parts[i]) == 0;
  for (unsigned i = 0; i < count; i++)
    if (started[i])
      (void)pthread_join(threads[i], NULL);
    else /* part 0, and whatever got no thread */
      (void)work(&run->parts[i]);
  return write_out(run, count);
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
  run->parts[0].stop = ww_route_document(&run->parts[0].reader, run->text, run->len);
  return write_out(run, 1);
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
    for (unsigned i = 0; i < WW_BATCH_THREADS_MAX; i++) {
      struct part *part = &run->parts[i];
      part->batch = batch;
      part->thread = i;
      part->reader.defaults = batch->defaults;
      part->reader.ctx = part;
      part->reader.visit = answer;
      part->reader.refuse = refuse;
      ww_buf_init(&part->out, 0);
      ww_buf_init(&part->messages, 0);
    }
  }
  code = run && run->text ? rounds(run, fd) : ww_cli_fail(batch->command, "out of memory");
  for (unsigned i = 0; run && i < WW_BATCH_THREADS_MAX; i++) {
    ww_buf_fini(&run->parts[i].out);
    ww_buf_fini(&run->parts[i].messages);
  }
  if (run)
    free(run->text);
  free(run);
  return code;
}
