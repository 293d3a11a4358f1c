/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several caches, SLURM and history through the whole pipeline with a real store: after whatever happens, what is in
 * force is what one gets by starting from scratch (the active sources' records, filtered, and the assertions), and the
 * stored history leads back to every set that was in force before.
 */
#include "daemon/pipeline.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/daemon.h"
#include "engine/engine.h"
#include "sources/effective.h"

enum { SOURCES = 4, VRPS = 64, CUSTOMERS = 6, DUMP = 65536, EPOCHS = 4096 };

/* What a source said last. */
struct says {
  bool complete;
  bool vrp[VRPS];
  unsigned aspa[CUSTOMERS]; /* number of a provider set; 0 none */
};

struct lab {
  struct ww_daemon daemon;
  struct ww_config config;
  char folder[64], store[96];
  struct says says[SOURCES];
  size_t sources;
  unsigned answers;
  bool ok, started;
  uint8_t file_type;     /* of what is no cache; 0: a file */
  char slurm_text[2048]; /* in force; "" none */
};

static const char *const names[SOURCES] = {"a", "b", "c", "file"};
static const uint16_t preferences[SOURCES] = {1, 1, 2, 0};

static void on_log(void *ctx, enum ww_log_level level, const char *text) {
  (void)ctx;
  if (getenv("WW_LOG"))
    printf("  %s %s\n", ww_log_level_name(level), text);
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

static void on_query(void *ctx, struct ww_store *store) {
  (void)ctx;
  (void)store;
}

static void on_query_done(void *ctx, bool ran) {
  struct lab *lab = ctx;
  assert_true(ran);
  lab->answers++;
}

/* Until everything that waits is done: a question takes its turn behind it. Twice, as jobs may ask for others. */
static void settle(struct lab *lab) {
  for (unsigned i = 0; i < 3; i++) {
    unsigned before = lab->answers;
    ww_pipeline_query(lab->daemon.pipeline, on_query, on_query_done, lab);
    while (lab->answers == before)
      uv_run(&lab->daemon.loop, UV_RUN_ONCE);
  }
}

static void say_problem(void *ctx, bool warning, const char *text) {
  (void)ctx;
  (void)warning;
  fail_msg("%s", text);
}

static struct ww_slurm_set *slurm_set(const char *text) {
  struct ww_store_slurm texts = {0};
  struct ww_slurm_set *set;
  if (!text[0])
    return NULL;
  texts.files = calloc(1, sizeof(*texts.files));
  texts.count = 1;
  texts.files[0].name = strdup("local.json");
  texts.files[0].text = (uint8_t *)strdup(text);
  texts.files[0].len = strlen(text);
  assert_int_equal(ww_slurm_set_new(&texts, NULL, say_problem, &set), WW_OK);
  return set;
}

static void start(struct lab *lab) {
  struct ww_daemon *d = &lab->daemon;
  struct ww_diag diag;
  memset(d, 0, sizeof(*d));
  lab->config.store = lab->store;
  d->config = &lab->config;
  d->log.emit = on_log;
  d->log.level = WW_LOG_DEBUG;
  uv_loop_init(&d->loop);
  uv_idle_init(&d->loop, &d->busy);
  uv_close((uv_handle_t *)&d->busy, NULL); /* no routes, so nothing is done between I/O */
  ww_daemon_now(d);
  d->engine = ww_engine_new(&d->log);
  assert_non_null(d->engine);
  assert_int_equal(ww_pipeline_new(d, &d->pipeline, &diag), WW_OK);
  for (size_t i = 0; i < lab->sources; i++) {
    int number = preferences[i]
                     ? ww_pipeline_add_cache(d->pipeline, names[i], preferences[i], false)
                     : ww_pipeline_add(d->pipeline, names[i], lab->file_type ? lab->file_type : WW_SOURCE_FILE, false);
    assert_int_equal(number, i);
  }
}

static void run(struct lab *lab) {
  lab->started = false;
  assert_true(ww_pipeline_start(lab->daemon.pipeline, slurm_set(lab->slurm_text), on_started, lab));
  while (!lab->started)
    uv_run(&lab->daemon.loop, UV_RUN_ONCE);
  settle(lab);
}

static void stop(struct lab *lab) {
  struct ww_daemon *d = &lab->daemon;
  ww_pipeline_stop(d->pipeline);
  uv_run(&d->loop, UV_RUN_DEFAULT);
  ww_engine_free(d->engine);
  ww_pipeline_free(d->pipeline);
  assert_int_equal(uv_loop_close(&d->loop), 0);
}

static int open_lab(void **state) {
  static struct lab lab;
  memset(&lab, 0, sizeof(lab));
  snprintf(lab.folder, sizeof(lab.folder), "/tmp/ww-sources-XXXXXX");
  assert_non_null(mkdtemp(lab.folder));
  snprintf(lab.store, sizeof(lab.store), "%s/store", lab.folder);
  lab.sources = SOURCES;
  lab.config.history = 86400;
  lab.config.history_size = 64 << 20;
  start(&lab);
  run(&lab);
  *state = &lab;
  return 0;
}

static int close_lab(void **state) {
  struct lab *lab = *state;
  char command[160];
  stop(lab);
  snprintf(command, sizeof(command), "rm -r '%s'", lab->folder);
  return system(command);
}

/* ---- records ---- */

static struct ww_vrp vrp_of(unsigned i) {
  return (struct ww_vrp){.prefix = {.afi = WW_AFI_IPV4, .len = 24, .addr = {10, (uint8_t)(i / 16), (uint8_t)i}},
                         .max_len = 24,
                         .asn = 64500 + i % 4};
}

static void add_aspa(struct ww_payloads *set, unsigned customer, unsigned providers) {
  uint32_t list[2] = {1000 + providers, 2000 + providers};
  struct ww_aspa aspa = {.customer = 100 + customer, .provider_count = providers ? 2 : 0, .providers = list};
  assert_int_equal(ww_payloads_add_aspa(set, &aspa), WW_OK);
}

static void add_vrp(struct ww_payloads *set, unsigned i) {
  struct ww_vrp vrp = vrp_of(i);
  assert_int_equal(ww_payloads_add_vrp(set, &vrp), WW_OK);
}

static void records_of(const struct says *says, struct ww_payloads *set) {
  for (unsigned i = 0; i < VRPS; i++)
    if (says->vrp[i])
      add_vrp(set, i);
  for (unsigned i = 0; i < CUSTOMERS; i++)
    if (says->aspa[i])
      add_aspa(set, i, says->aspa[i]);
  assert_int_equal(ww_payloads_sort(set), WW_OK);
}

/* ---- what sources do ---- */

static struct ww_source_progress progress_of(const struct lab *lab) {
  int64_t now = lab->daemon.now.unix_sec;
  return (struct ww_source_progress){.last_sync = now,
                                     .valid_until = now + 7200,
                                     .has_session = true,
                                     .version = 2,
                                     .session = 7,
                                     .serial = lab->answers,
                                     .expire = 7200};
}

static void wait_answer(struct lab *lab, unsigned before) {
  while (lab->answers == before)
    uv_run(&lab->daemon.loop, UV_RUN_ONCE);
  assert_true(lab->ok);
  settle(lab);
}

static void deliver(struct lab *lab, int source) {
  struct ww_payloads set = {0};
  struct ww_source_progress progress = progress_of(lab);
  unsigned before = lab->answers;
  records_of(&lab->says[source], &set);
  lab->says[source].complete = true;
  ww_pipeline_submit_full(lab->daemon.pipeline, source, &set, &progress, on_done, lab);
  wait_answer(lab, before);
}

static void deliver_delta(struct lab *lab, int source, const struct says *next) {
  struct ww_payload_delta delta = {0};
  struct ww_source_progress progress = progress_of(lab);
  struct says *says = &lab->says[source];
  unsigned before = lab->answers;
  for (unsigned i = 0; i < VRPS; i++)
    if (says->vrp[i] != next->vrp[i])
      add_vrp(next->vrp[i] ? &delta.announce : &delta.withdraw, i);
  for (unsigned i = 0; i < CUSTOMERS; i++)
    if (says->aspa[i] != next->aspa[i])
      add_aspa(next->aspa[i] ? &delta.announce : &delta.withdraw, i, next->aspa[i]);
  *says = *next;
  says->complete = true;
  ww_pipeline_submit_delta(lab->daemon.pipeline, source, &delta, &progress, on_done, lab);
  wait_answer(lab, before);
}

static void lose(struct lab *lab, int source) {
  ww_pipeline_failed(lab->daemon.pipeline, source, "gone");
  settle(lab);
}

static void flush(struct lab *lab, int source) {
  ww_pipeline_flush(lab->daemon.pipeline, source, "told to");
  memset(&lab->says[source], 0, sizeof(lab->says[source]));
  settle(lab);
}

static void put_slurm(struct lab *lab, const char *text) {
  unsigned before = lab->answers;
  snprintf(lab->slurm_text, sizeof(lab->slurm_text), "%s", text);
  ww_pipeline_submit_slurm(lab->daemon.pipeline, slurm_set(text), on_done, lab);
  wait_answer(lab, before);
}

static void range(struct says *says, unsigned from, unsigned to) {
  memset(says, 0, sizeof(*says));
  for (unsigned i = from; i < to; i++)
    says->vrp[i] = true;
}

/* ---- what is in force, as text ---- */

struct dump {
  char text[DUMP];
  size_t len;
};

static void put(struct dump *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct dump *d, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  int n = vsnprintf(d->text + d->len, sizeof(d->text) - d->len, fmt, args);
  va_end(args);
  assert_true(n > 0 && d->len + (size_t)n < sizeof(d->text));
  d->len += (size_t)n;
}

static int dump_vrp(void *ctx, const struct ww_vrp *vrp, ww_source_id id) {
  char prefix[WW_PREFIX_STRLEN];
  put(ctx, "%s-%u %u %u\n", ww_prefix_format(&vrp->prefix, prefix), vrp->max_len, vrp->asn, id);
  return 0;
}

static int dump_aspa(void *ctx, const struct ww_aspa *aspa, ww_source_id id) {
  put(ctx, "aspa %u %u:", aspa->customer, id);
  for (uint32_t i = 0; i < aspa->provider_count; i++)
    put(ctx, " %u", aspa->providers[i]);
  put(ctx, "\n");
  return 0;
}

static void dump(struct dump *d, const struct ww_snapshot *snapshot) {
  d->len = 0;
  d->text[0] = '\0';
  ww_snapshot_walk(snapshot, d, dump_vrp, dump_aspa, NULL);
}

static struct ww_snapshot *add_to(struct ww_snapshot *snapshot, ww_source_id id, const struct ww_payloads *set) {
  struct ww_payload_delta delta = {.source = id, .announce = *set};
  struct ww_snapshot *next;
  assert_int_equal(ww_snapshot_apply(snapshot, &delta, 1, true, &next), WW_OK);
  ww_snapshot_unref(snapshot);
  return next;
}

/* From scratch, filter by filter. */
static struct ww_snapshot *expected(const struct lab *lab) {
  struct ww_snapshot *snapshot = ww_snapshot_new();
  struct ww_slurm_set *slurm = slurm_set(lab->slurm_text);
  for (size_t i = 0; i < lab->sources; i++) {
    const struct ww_pipeline_source *s = ww_pipeline_source(lab->daemon.pipeline, (int)i);
    struct ww_payloads all = {0}, kept = {0};
    records_of(&lab->says[i], &all);
    for (size_t k = 0; k < all.vrp_count; k++)
      if (!slurm || !ww_slurm_filters_vrp(slurm->slurm, &all.vrps[k]))
        assert_int_equal(ww_payloads_add_vrp(&kept, &all.vrps[k]), WW_OK);
    for (size_t k = 0; k < all.aspa_count; k++)
      if (!slurm || !ww_slurm_filters_aspa(slurm->slurm, &all.aspas[k]))
        assert_int_equal(ww_payloads_add_aspa(&kept, &all.aspas[k]), WW_OK);
    if (s->record.active)
      snapshot = add_to(snapshot, s->record.id, &kept);
    ww_payloads_fini(&all);
    ww_payloads_fini(&kept);
  }
  if (slurm)
    snapshot = add_to(snapshot, ww_pipeline_slurm_source(lab->daemon.pipeline)->id, ww_slurm_assertions(slurm->slurm));
  ww_slurm_set_free(slurm);
  return snapshot;
}

static void check(const struct lab *lab) {
  static struct dump want, got;
  struct ww_snapshot *snapshot = expected(lab);
  unsigned complete = 0, active = 0, group = 0;
  dump(&want, snapshot);
  dump(&got, ww_pipeline_snapshot(lab->daemon.pipeline));
  assert_string_equal(want.text, got.text);
  struct ww_payloads effective = {0};
  struct ww_ccr_hashes scratch, kept;
  assert_int_equal(ww_effective_set(snapshot, true, &effective, NULL), WW_OK);
  assert_int_equal(ww_ccr_hash(&effective, &scratch), WW_OK);
  assert_true(ww_pipeline_hashes(lab->daemon.pipeline, &kept));
  assert_memory_equal(&scratch, &kept, sizeof(kept));
  ww_payloads_fini(&effective);
  ww_snapshot_unref(snapshot);
  for (size_t i = 0; i < lab->sources; i++) {
    const struct ww_pipeline_source *s = ww_pipeline_source(lab->daemon.pipeline, (int)i);
    assert_int_equal(s->record.complete, lab->says[i].complete);
    struct ww_payloads said = {0}; /* all of it, in force or not */
    records_of(&lab->says[i], &said);
    assert_int_equal(ww_ccr_hash(&said, &scratch), WW_OK);
    assert_int_equal(s->has_hashes, s->record.complete);
    if (s->has_hashes)
      assert_memory_equal(&scratch, &s->hashes, sizeof(scratch));
    ww_payloads_fini(&said);
    if (!s->record.preference) {
      assert_int_equal(s->record.active, s->record.complete);
      continue;
    }
    complete += s->record.complete;
    active += s->record.active;
    if (s->record.active) {
      assert_true(s->record.complete);
      assert_true(!group || group == s->record.preference);
      group = s->record.preference;
    }
  }
  assert_int_equal(active > 0, complete > 0);
}

static size_t in_force(const struct lab *lab) {
  struct ww_snapshot_counts counts;
  ww_snapshot_counts(ww_pipeline_snapshot(lab->daemon.pipeline), &counts);
  return counts.vrps_v4;
}

static bool active(const struct lab *lab, int source) {
  return ww_pipeline_source(lab->daemon.pipeline, source)->record.active;
}

/* ---- history ---- */

struct entries {
  struct ww_store_change list[EPOCHS]; /* newest first; without deltas */
  size_t count;
};

static int visit_entry(void *ctx, const struct ww_store_change *change) {
  struct entries *e = ctx;
  assert_true(e->count < EPOCHS);
  e->list[e->count] = *change;
  e->list[e->count++].deltas = NULL;
  return 0;
}

static void read_history(struct lab *lab, struct entries *entries) {
  struct ww_store *store;
  struct ww_diag diag;
  entries->count = 0;
  /* LMDB wants one opening a process: the pipeline's must be closed. */
  stop(lab);
  assert_int_equal(ww_store_open(lab->store, WW_STORE_READONLY, &store, &diag), WW_OK);
  assert_int_equal(ww_store_history(store, UINT32_MAX, entries, visit_entry, &diag), WW_OK);
  ww_store_close(store);
  start(lab);
  run(lab);
}

/* ---- tests ---- */

static void test_union_and_reserve(void **state) {
  struct lab *lab = *state;
  range(&lab->says[2], 40, 60);
  deliver(lab, 2); /* the only one: serves, though its preference is the worse */
  assert_true(active(lab, 2));
  check(lab);
  range(&lab->says[0], 0, 20);
  deliver(lab, 0);
  check(lab);
  assert_true(active(lab, 0) && !active(lab, 2));
  assert_int_equal(in_force(lab), 20);
  range(&lab->says[1], 10, 30);
  deliver(lab, 1);
  check(lab);
  assert_int_equal(in_force(lab), 40); /* each with its source: provenance is kept */
  /* An update of the one in reserve is stored and changes nothing. */
  uint32_t epoch = ww_snapshot_epoch(ww_pipeline_snapshot(lab->daemon.pipeline));
  struct says next;
  range(&next, 50, 64);
  deliver_delta(lab, 2, &next);
  check(lab);
  assert_int_equal(in_force(lab), 40);
  assert_int_equal(ww_snapshot_epoch(ww_pipeline_snapshot(lab->daemon.pipeline)), epoch + 1);
  assert_int_equal(ww_pipeline_source(lab->daemon.pipeline, 2)->record.vrps_v4, 14);
  /* A file counts beside them. */
  range(&lab->says[3], 0, 2);
  deliver(lab, 3);
  check(lab);
  assert_int_equal(in_force(lab), 42);
}

static void test_failover_without_gap(void **state) {
  struct lab *lab = *state;
  static struct entries history;
  range(&lab->says[0], 0, 20);
  deliver(lab, 0);
  range(&lab->says[1], 0, 20);
  deliver(lab, 1);
  lose(lab, 0); /* the other one of the group still serves */
  check(lab);
  assert_true(!active(lab, 0) && active(lab, 1) && !active(lab, 2));
  lose(lab, 1); /* nobody else has data: it stays */
  check(lab);
  assert_true(active(lab, 1));
  range(&lab->says[2], 0, 25);
  deliver(lab, 2);
  check(lab);
  assert_true(!active(lab, 0) && !active(lab, 1) && active(lab, 2));
  /* Back: an empty answer to a Serial Query is enough. */
  struct says same = lab->says[0];
  deliver_delta(lab, 0, &same);
  check(lab);
  assert_true(active(lab, 0) && !active(lab, 1) && !active(lab, 2));
  /* Its data goes: the one in reserve first takes its place. */
  flush(lab, 0);
  check(lab);
  assert_true(active(lab, 2));
  read_history(lab, &history);
  check(lab);
  assert_true(history.count >= 6);
  for (size_t i = 0; i < history.count; i++)
    assert_true(history.list[i].counts.vrps_v4 >= 20); /* never empty, never partial */
  assert_int_equal(history.list[0].cause, WW_CAUSE_FLUSH);
  assert_int_equal(history.list[1].cause, WW_CAUSE_FAILOVER);
}

/* A name that means another kind of source: what it had goes with an entry in the history, and it begins anew. */
static void test_another_kind_of_source(void **state) {
  struct lab *lab = *state;
  static struct entries history;
  range(&lab->says[0], 0, 20);
  deliver(lab, 0);
  range(&lab->says[3], 30, 40);
  deliver(lab, 3);
  check(lab);
  stop(lab);
  lab->file_type = WW_SOURCE_STATIC;
  memset(&lab->says[3], 0, sizeof(lab->says[3]));
  start(lab);
  run(lab);
  check(lab);
  assert_int_equal(ww_pipeline_source(lab->daemon.pipeline, 3)->record.type, WW_SOURCE_STATIC);
  assert_int_equal(in_force(lab), 20);
  range(&lab->says[3], 30, 41);
  deliver(lab, 3);
  check(lab);
  lab->sources = 3; /* and taken out altogether */
  read_history(lab, &history);
  check(lab);
  assert_int_equal(in_force(lab), 20);
  stop(lab);
  start(lab);
  run(lab);
  read_history(lab, &history);
  const uint8_t causes[] = {WW_CAUSE_CONFIG, WW_CAUSE_UPDATE, WW_CAUSE_CONFIG, WW_CAUSE_UPDATE, WW_CAUSE_UPDATE};
  assert_int_equal(history.count, sizeof(causes));
  for (size_t i = 0; i < history.count; i++) {
    assert_int_equal(history.list[i].cause, causes[i]);
    assert_int_equal(history.list[i].epoch, history.count - i);
  }
}

/* A process that reads in one transaction while there are commits is seen, and gone when it is gone. */
static void test_reader_is_seen(void **state) {
  struct lab *lab = *state;
  int ready[2];
  char octet;
  range(&lab->says[3], 0, 20);
  deliver(lab, 3);
  stop(lab);
  assert_int_equal(pipe(ready), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    struct ww_store *store;
    uint32_t epoch;
    bool ok = ww_store_open(lab->store, WW_STORE_READONLY, &store, NULL) == WW_OK &&
              ww_store_read_begin(store, &epoch, NULL) == WW_OK && write(ready[1], "r", 1) == 1;
    if (ok)
      pause();
    _exit(1);
  }
  assert_int_equal(read(ready[0], &octet, 1), 1);
  lab->file_type = WW_SOURCE_STATIC; /* so that the start commits something, however slow the machine is */
  memset(&lab->says[3], 0, sizeof(lab->says[3]));
  start(lab);
  run(lab);
  const struct ww_pipeline_store *seen = ww_pipeline_store(lab->daemon.pipeline);
  while (!seen->stats.map_bytes) /* the first look around, a second after the start */
    uv_run(&lab->daemon.loop, UV_RUN_ONCE);
  assert_int_equal(seen->stats.oldest_reader, child);
  assert_true(seen->stats.reader_lag > 0);
  assert_true(seen->reader_since != 0);
  assert_int_equal(kill(child, SIGKILL), 0);
  assert_int_equal(waitpid(child, NULL, 0), child);
  close(ready[0]);
  close(ready[1]);
}

static void test_last_cache_flushed(void **state) {
  struct lab *lab = *state;
  range(&lab->says[0], 0, 20);
  deliver(lab, 0);
  flush(lab, 0);
  check(lab);
  assert_int_equal(in_force(lab), 0);
}

#define SLURM(filters, aspa_filters, assertions, aspa_assertions)                                                      \
  "{\"slurmVersion\": 2, \"validationOutputFilters\": {\"prefixFilters\": [" filters                                   \
  "], \"bgpsecFilters\": [], \"aspaFilters\": [" aspa_filters                                                          \
  "]}, \"locallyAddedAssertions\": {\"prefixAssertions\": [" assertions                                                \
  "], \"bgpsecAssertions\": [], \"aspaAssertions\": [" aspa_assertions "]}}"

static const char *const slurms[] = {
    "",
    SLURM("{\"asn\": 64501}", "", "", ""),
    SLURM("{\"prefix\": \"10.0.0.0/16\"}, {\"prefix\": \"10.2.0.0/16\", \"asn\": 64502}", "{\"customerAsn\": 101}",
          "{\"prefix\": \"10.0.3.0/24\", \"asn\": 64503}, {\"prefix\": \"192.0.2.0/24\", \"asn\": 1}",
          "{\"customerAsn\": 101, \"providerAsns\": [5]}"),
    SLURM("", "{\"customerAsn\": 102}, {\"customerAsn\": 103}", "{\"prefix\": \"192.0.2.0/24\", \"asn\": 1}",
          "{\"customerAsn\": 101, \"providerAsns\": [5, 6]}"),
    SLURM("{\"prefix\": \"0.0.0.0/0\"}", "", "", ""),
};
enum { SLURMS = sizeof(slurms) / sizeof(slurms[0]) };

static void test_slurm_filters_both_sides(void **state) {
  struct lab *lab = *state;
  static struct entries history;
  struct says next;
  range(&lab->says[0], 0, 32); /* every fourth has AS 64501 */
  deliver(lab, 0);
  put_slurm(lab, slurms[1]);
  check(lab);
  assert_int_equal(in_force(lab), 24);
  range(&next, 0, 64); /* announcements pass the filter, too */
  deliver_delta(lab, 0, &next);
  check(lab);
  assert_int_equal(in_force(lab), 48);
  /* And withdrawals: one of what the filter holds back is no change of what is in force. */
  next.vrp[1] = next.vrp[5] = false;
  uint32_t epoch = ww_snapshot_epoch(ww_pipeline_snapshot(lab->daemon.pipeline));
  deliver_delta(lab, 0, &next);
  check(lab);
  assert_int_equal(in_force(lab), 48);
  assert_int_equal(ww_snapshot_epoch(ww_pipeline_snapshot(lab->daemon.pipeline)), epoch + 1);
  put_slurm(lab, ""); /* what was held back comes into force; what was withdrawn meanwhile does not */
  check(lab);
  assert_int_equal(in_force(lab), 62);
  put_slurm(lab, slurms[4]); /* everything */
  check(lab);
  assert_int_equal(in_force(lab), 0);
  put_slurm(lab, slurms[2]);
  check(lab);
  read_history(lab, &history);
  check(lab);
  assert_int_equal(history.list[0].cause, WW_CAUSE_SLURM);
}

static void test_restart_with_everything(void **state) {
  struct lab *lab = *state;
  static struct dump before, after;
  range(&lab->says[0], 0, 32);
  lab->says[0].aspa[1] = 1;
  lab->says[0].aspa[2] = 2;
  deliver(lab, 0);
  range(&lab->says[2], 0, 10);
  deliver(lab, 2);
  put_slurm(lab, slurms[2]);
  dump(&before, ww_pipeline_snapshot(lab->daemon.pipeline));
  uint32_t epoch = ww_snapshot_epoch(ww_pipeline_snapshot(lab->daemon.pipeline));
  stop(lab);
  start(lab);
  run(lab);
  dump(&after, ww_pipeline_snapshot(lab->daemon.pipeline));
  assert_string_equal(before.text, after.text);
  assert_int_equal(ww_snapshot_epoch(ww_pipeline_snapshot(lab->daemon.pipeline)), epoch);
  check(lab);
  /* Other SLURM files than before, and a source less. */
  stop(lab);
  snprintf(lab->slurm_text, sizeof(lab->slurm_text), "%s", slurms[3]);
  lab->sources = 2;
  start(lab);
  run(lab);
  check(lab);
  assert_true(ww_snapshot_epoch(ww_pipeline_snapshot(lab->daemon.pipeline)) > epoch);
  /* The source that serves is taken out of the configuration. */
  stop(lab);
  lab->sources = 0;
  lab->slurm_text[0] = '\0';
  start(lab);
  run(lab);
  assert_int_equal(in_force(lab), 0);
}

static void test_expired(void **state) {
  struct lab *lab = *state;
  struct ww_payloads set = {0};
  struct ww_source_progress progress = progress_of(lab);
  for (int keep = 0; keep < 2; keep++) {
    unsigned before = lab->answers;
    progress.last_sync = 1000;
    progress.valid_until = 1000 + (int64_t)progress.expire;
    stop(lab);
    lab->sources = 0;
    start(lab);
    assert_int_equal(ww_pipeline_add_cache(lab->daemon.pipeline, "a", 1, keep), 0);
    lab->sources = 1;
    run(lab);
    range(&lab->says[0], 0, 10);
    records_of(&lab->says[0], &set);
    ww_pipeline_submit_full(lab->daemon.pipeline, 0, &set, &progress, on_done, lab);
    lab->says[0].complete = true;
    before = lab->answers;
    wait_answer(lab, before);
    check(lab);
    assert_int_equal(ww_pipeline_source(lab->daemon.pipeline, 0)->expired, keep);
    /* After a restart it is gone, or kept and still said to be expired. */
    stop(lab);
    lab->sources = 0;
    start(lab);
    assert_int_equal(ww_pipeline_add_cache(lab->daemon.pipeline, "a", 1, keep), 0);
    lab->sources = 1;
    if (!keep)
      memset(&lab->says[0], 0, sizeof(lab->says[0]));
    run(lab);
    check(lab);
    assert_int_equal(in_force(lab), keep ? 10 : 0);
    assert_int_equal(ww_pipeline_source(lab->daemon.pipeline, 0)->expired, keep);
  }
  /* What was kept is dropped when the configuration does not want that any more. */
  stop(lab);
  start(lab);
  memset(&lab->says[0], 0, sizeof(lab->says[0]));
  run(lab);
  check(lab);
  assert_int_equal(in_force(lab), 0);
}

static void test_divergence(void **state) {
  struct lab *lab = *state;
  range(&lab->says[0], 0, 20);
  deliver(lab, 0);
  assert_false(ww_pipeline_source(lab->daemon.pipeline, 0)->compared);
  range(&lab->says[1], 5, 22);
  deliver(lab, 1);
  for (int restart = 0; restart < 2; restart++) {
    const struct ww_pipeline_source *a = ww_pipeline_source(lab->daemon.pipeline, 0);
    const struct ww_pipeline_source *b = ww_pipeline_source(lab->daemon.pipeline, 1);
    assert_true(a->compared && b->compared);
    assert_int_equal(a->missing, 2);
    assert_int_equal(a->extra, 5);
    assert_int_equal(b->missing, 5);
    assert_true(a->diverges_since > 0);
    stop(lab);
    start(lab);
    run(lab);
  }
  struct says next;
  range(&next, 0, 20);
  deliver_delta(lab, 1, &next);
  assert_int_equal(ww_pipeline_source(lab->daemon.pipeline, 0)->diverges_since, 0);
}

/* ---- anything, in any order ---- */

static uint64_t seed = 20261121;

static uint32_t rnd(uint32_t below) { /* xorshift64* */
  seed ^= seed >> 12;
  seed ^= seed << 25;
  seed ^= seed >> 27;
  return (uint32_t)((seed * UINT64_C(2685821657736338717)) >> 32) % below;
}

static void vary(struct says *says) {
  for (unsigned n = rnd(12); n > 0; n--) {
    unsigned i = rnd(VRPS);
    says->vrp[i] = !says->vrp[i];
  }
  if (rnd(2))
    says->aspa[rnd(CUSTOMERS)] = rnd(4);
}

struct lookback {
  struct ww_snapshot *snapshot;
  char **dumps; /* by epoch */
  uint32_t expect;
  unsigned compared;
};

static int undo(void *ctx, const struct ww_store_change *change) {
  struct lookback *back = ctx;
  static struct dump now;
  struct ww_payload_delta *deltas;
  assert_int_equal(change->epoch, back->expect--); /* no epoch without an entry */
  if (back->dumps[change->epoch]) {
    dump(&now, back->snapshot);
    assert_string_equal(now.text, back->dumps[change->epoch]);
    back->compared++;
  }
  assert_true(change->complete);
  assert_int_equal(ww_store_change_undo(change, &deltas), WW_OK);
  for (size_t i = 0; i < change->delta_count; i++) {
    struct ww_snapshot *next;
    assert_int_equal(ww_snapshot_apply(back->snapshot, &deltas[i], change->epoch, true, &next), WW_OK);
    ww_snapshot_unref(back->snapshot);
    back->snapshot = next;
    ww_payload_delta_fini(&deltas[i]);
  }
  free(deltas);
  return 0;
}

static void check_history(struct lab *lab, char **dumps) {
  struct ww_snapshot *snapshot = ww_pipeline_snapshot(lab->daemon.pipeline);
  struct lookback back = {.snapshot = ww_snapshot_ref(snapshot), .dumps = dumps, .expect = ww_snapshot_epoch(snapshot)};
  struct ww_store *store;
  struct ww_diag diag;
  static struct dump now;
  stop(lab);
  assert_int_equal(ww_store_open(lab->store, WW_STORE_READONLY, &store, &diag), WW_OK);
  assert_int_equal(ww_store_history(store, UINT32_MAX, &back, undo, &diag), WW_OK);
  ww_store_close(store);
  assert_int_equal(back.expect, 0);
  dump(&now, back.snapshot);
  assert_string_equal(now.text, "");
  assert_true(back.compared > 20);
  ww_snapshot_unref(back.snapshot);
  start(lab);
  run(lab);
}

static void test_anything(void **state) {
  struct lab *lab = *state;
  static char *dumps[EPOCHS];
  static struct dump now;
  for (unsigned step = 0; step < 250; step++) {
    int source = (int)rnd(SOURCES);
    struct says next = lab->says[source];
    switch (rnd(10)) {
    case 0:
    case 1:
      vary(&lab->says[source]);
      deliver(lab, source);
      break;
    case 2:
    case 3:
    case 4:
      vary(&next);
      if (source < 3 && next.complete)
        deliver_delta(lab, source, &next);
      break;
    case 5:
    case 6:
      lose(lab, source);
      break;
    case 7:
      if (source < 3)
        flush(lab, source);
      break;
    case 8:
      put_slurm(lab, slurms[rnd(SLURMS)]);
      break;
    default:
      if (rnd(3))
        break;
      stop(lab);
      if (rnd(2))
        snprintf(lab->slurm_text, sizeof(lab->slurm_text), "%s", slurms[rnd(SLURMS)]);
      start(lab);
      run(lab);
    }
    check(lab);
    struct ww_snapshot *snapshot = ww_pipeline_snapshot(lab->daemon.pipeline);
    dump(&now, snapshot);
    assert_true(ww_snapshot_epoch(snapshot) < EPOCHS);
    free(dumps[ww_snapshot_epoch(snapshot)]);
    dumps[ww_snapshot_epoch(snapshot)] = strdup(now.text);
  }
  check_history(lab, dumps);
  for (unsigned i = 0; i < EPOCHS; i++)
    free(dumps[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_union_and_reserve, open_lab, close_lab),
      cmocka_unit_test_setup_teardown(test_failover_without_gap, open_lab, close_lab),
      cmocka_unit_test_setup_teardown(test_another_kind_of_source, open_lab, close_lab),
      cmocka_unit_test_setup_teardown(test_reader_is_seen, open_lab, close_lab),
      cmocka_unit_test_setup_teardown(test_last_cache_flushed, open_lab, close_lab),
      cmocka_unit_test_setup_teardown(test_slurm_filters_both_sides, open_lab, close_lab),
      cmocka_unit_test_setup_teardown(test_restart_with_everything, open_lab, close_lab),
      cmocka_unit_test_setup_teardown(test_expired, open_lab, close_lab),
      cmocka_unit_test_setup_teardown(test_divergence, open_lab, close_lab),
      cmocka_unit_test_setup_teardown(test_anything, open_lab, close_lab),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
