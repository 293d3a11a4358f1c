/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pipeline when memory runs out. Every allocation between an update and its `done` fails once, one after another.
 * Whatever fails, the store and the snapshot in force must say the same once the source has its answer: the update is
 * in both, or it is in neither.
 *
 * The allocator is injected by the linker: malloc, calloc and realloc of the program's own objects come here (--wrap).
 */
#include "daemon/pipeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/daemon.h"
#include "engine/engine.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static atomic_int countdown; /* 1: the next allocation fails; 0: none does */
static atomic_int failed;

static bool is_over(void) {
  if (atomic_load(&countdown) == 0 || atomic_fetch_sub(&countdown, 1) != 1)
    return false;
  atomic_fetch_add(&failed, 1);
  return true;
}

void *__wrap_malloc(size_t size) { return is_over() ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) { return is_over() ? NULL : __real_calloc(count, size); }
void *__wrap_realloc(void *old, size_t size) { return is_over() ? NULL : __real_realloc(old, size); }

enum { FEW = 40, MANY = 60, ALLOCATIONS_MAX = 1000 };

struct lab {
  struct ww_daemon daemon;
  struct ww_config config;
  char folder[64], store[96];
  unsigned answers;
  bool ok, started;
};

static void on_log(void *ctx, enum ww_log_level level, const char *text) {
  (void)ctx;
  (void)level;
  (void)text;
}

static void on_started(void *ctx) {
  struct lab *lab = ctx;
  lab->started = true;
}

static void on_done(void *ctx, bool ok, size_t unknown) {
  struct lab *lab = ctx;
  (void)unknown;
  lab->answers++;
  lab->ok = ok;
}

static void add_records(struct ww_payloads *set, unsigned from, unsigned to) {
  for (unsigned i = from; i < to; i++) {
    struct ww_vrp vrp = {
        .prefix = {.afi = WW_AFI_IPV4, .len = 24, .addr = {10, 0, (uint8_t)i}}, .max_len = 24, .asn = 64500 + i};
    assert_int_equal(ww_payloads_add_vrp(set, &vrp), WW_OK);
  }
}

static size_t in_force(const struct lab *lab) {
  struct ww_snapshot_counts counts;
  ww_snapshot_counts(ww_pipeline_snapshot(lab->daemon.pipeline), &counts);
  return counts.vrps_v4;
}

/* Submits what makes `count` records, and waits for the answer. `fail`: which allocation on the way fails; 0 none. */
static void submit(struct lab *lab, unsigned count, bool as_delta, int fail) {
  struct ww_source_progress progress = {.last_sync = 1};
  struct ww_payloads set = {0};
  struct ww_payload_delta delta = {0};
  unsigned before = lab->answers;
  if (as_delta)
    add_records(count == MANY ? &delta.announce : &delta.withdraw, FEW, MANY);
  else
    add_records(&set, 0, count);
  atomic_store(&countdown, fail);
  if (as_delta)
    ww_pipeline_submit_delta(lab->daemon.pipeline, 0, &delta, &progress, on_done, lab);
  else
    ww_pipeline_submit_full(lab->daemon.pipeline, 0, &set, &progress, on_done, lab);
  while (lab->answers == before)
    uv_run(&lab->daemon.loop, UV_RUN_ONCE);
  atomic_store(&countdown, 0);
}

static int open_lab(void **state) {
  static struct lab lab;
  struct ww_daemon *d = &lab.daemon;
  memset(&lab, 0, sizeof lab);
  snprintf(lab.folder, sizeof lab.folder, "/tmp/ww-pipeline-XXXXXX");
  assert_non_null(mkdtemp(lab.folder));
  snprintf(lab.store, sizeof lab.store, "%s/store", lab.folder);
  lab.config.store = lab.store;
  lab.config.startup_grace = 1;
  d->config = &lab.config;
  d->log.emit = on_log;
  uv_loop_init(&d->loop);
  uv_idle_init(&d->loop, &d->busy);
  uv_close((uv_handle_t *)&d->busy, NULL); /* no routes, so nothing is done between I/O */
  ww_daemon_now(d);
  d->engine = ww_engine_new(&d->log);
  assert_non_null(d->engine);
  struct ww_diag diag;
  assert_int_equal(ww_pipeline_new(d, &d->pipeline, &diag), WW_OK);
  assert_int_equal(ww_pipeline_add(d->pipeline, "cache", WW_SOURCE_RTR, false), 0);
  assert_true(ww_pipeline_start(d->pipeline, NULL, on_started, &lab));
  while (!lab.started)
    uv_run(&d->loop, UV_RUN_ONCE);
  *state = &lab;
  return 0;
}

static int close_lab(void **state) {
  struct lab *lab = *state;
  struct ww_daemon *d = &lab->daemon;
  ww_pipeline_stop(d->pipeline);
  uv_run(&d->loop, UV_RUN_DEFAULT);
  ww_engine_free(d->engine);
  ww_pipeline_free(d->pipeline);
  assert_int_equal(uv_loop_close(&d->loop), 0);
  char command[160];
  snprintf(command, sizeof command, "rm -r '%s'", lab->folder);
  return system(command);
}

static void fail_each(struct lab *lab, bool as_delta) {
  submit(lab, FEW, false, 0);
  assert_true(lab->ok);
  unsigned now = FEW;
  int n = 2; /* without memory for the first, the job itself, the daemon ends */
  for (; n < ALLOCATIONS_MAX; n++) {
    unsigned next = now == FEW ? MANY : FEW;
    int before = atomic_load(&failed);
    submit(lab, next, as_delta, n);
    assert_int_equal(in_force(lab), lab->ok ? next : now);
    bool all = atomic_load(&failed) == before;
    /* What the source does when it is refused. Had the store kept the update, nothing would come of this. */
    submit(lab, next, false, 0);
    assert_true(lab->ok);
    assert_int_equal(in_force(lab), next);
    now = next;
    if (all)
      break;
  }
  assert_in_range(n, 3, ALLOCATIONS_MAX - 1); /* some failed, and then none was left to fail */
}

static void test_full_set(void **state) { fail_each(*state, false); }
static void test_delta(void **state) { fail_each(*state, true); }

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_full_set, open_lab, close_lab),
      cmocka_unit_test_setup_teardown(test_delta, open_lab, close_lab),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
