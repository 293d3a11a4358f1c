/* SPDX-License-Identifier: BSD-2-Clause */
/* The history of epochs, the hook that feeds it, and the SLURM set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* */
#include <cmocka.h>
#include <lmdb.h>

#include "store/change.h"
#include "tests/store/store_util.h"

struct fixture {
  char dir[64];
  struct ww_store *store;
  struct ww_source_record source;
};

static int setup(void **state) {
  struct fixture *f = calloc(1, sizeof(*f));
  dir_make(f->dir);
  if (ww_store_open(f->dir, WW_STORE_NOSYNC, &f->store, NULL) != WW_OK)
    return -1;
  *state = f;
  return ww_store_source(f->store, "main", WW_SOURCE_RTR, &f->source, NULL) == WW_OK ? 0 : -1;
}

static int teardown(void **state) {
  struct fixture *f = *state;
  ww_store_close(f->store);
  dir_remove(f->dir);
  free(f);
  return 0;
}

/* --- hooks and visitors --------------------------------------------------------------------------------------------
 */

static enum ww_err refuse(void *ctx, const struct ww_payload_delta *raw, uint32_t epoch, struct ww_store_change *change,
                          struct ww_diag *diag) {
  (void)raw;
  (void)epoch;
  (void)change;
  ++*(unsigned *)ctx;
  return ww_fail(diag, WW_ERR_NOTREADY, 0, NULL, "the hook says no");
}

/* Goes back through the history from `state`, and compares each entry with what is known of its epoch. */
struct back {
  struct ww_payloads state;
  const struct ww_payloads *known; /* by epoch */
  uint32_t expect;                 /* the next epoch to come */
  uint32_t stop;                   /* the last one wanted */
};

static int step_back(void *ctx, const struct ww_store_change *change) {
  struct back *b = ctx;
  struct ww_payload_delta *undo;
  struct ww_payloads earlier;
  assert_int_equal(change->epoch, b->expect);
  assert_int_equal(change->time, 1000 + change->epoch);
  assert_int_equal(change->cause, WW_CAUSE_UPDATE);
  assert_int_equal(change->counts.vrps_v4, change->epoch * 10);
  assert_true(change->counts.router_keys == UINT64_MAX);
  assert_int_equal(change->has_hashes, change->epoch % 2);
  if (change->has_hashes)
    assert_int_equal(change->hashes[2][31], change->epoch & 0xff);
  assert_true(change->complete);
  assert_int_equal(ww_store_change_undo(change, &undo), WW_OK);
  for (size_t i = 0; i < change->delta_count; i++) {
    model_apply(&b->state, &undo[i], &earlier);
    ww_payloads_fini(&b->state);
    b->state = earlier;
    ww_payload_delta_fini(&undo[i]);
  }
  free(undo);
  assert_true(set_same_but_expiry(&b->state, &b->known[change->epoch - 1]));
  b->expect--;
  return change->epoch == b->stop;
}

static int count_entries(void *ctx, const struct ww_store_change *change) {
  (void)change;
  ++*(unsigned *)ctx;
  return 0;
}

static int keep_epoch(void *ctx, const struct ww_store_change *change) {
  *(uint32_t *)ctx = change->epoch;
  return 1;
}

static unsigned entries(struct ww_store *store) {
  unsigned n = 0;
  assert_int_equal(ww_store_history(store, UINT32_MAX, &n, count_entries, NULL), WW_OK);
  return n;
}

/* --- tests ----------------------------------------------------------------------------------------------------- */

static void a_hook_may_refuse(void **state) {
  struct fixture *f = *state;
  struct ww_payloads set, got;
  struct ww_diag diag = {0};
  unsigned calls = 0;
  set_random(&set, 1, 100, 10, 10);
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, refuse, &calls, NULL, NULL, &diag),
                   WW_ERR_NOTREADY);
  assert_string_equal(diag.text, "the hook says no");
  assert_int_equal(calls, 1);
  assert_int_equal(ww_store_epoch(f->store), 0);
  assert_int_equal(ww_store_read_source(f->store, f->source.id, &got, NULL), WW_OK);
  assert_int_equal(got.vrp_count, 0);
  struct ww_store_slurm slurm = {.time = 5};
  assert_int_equal(ww_store_commit_change(f->store, &f->source, 1, &slurm, refuse, &calls, NULL, NULL),
                   WW_ERR_NOTREADY);
  assert_int_equal(ww_store_read_slurm(f->store, &slurm, NULL), WW_OK);
  assert_int_equal(slurm.time, 0);
  assert_int_equal(entries(f->store), 0);
  ww_payloads_fini(&set);
}

/* A set out of order would be written and never read again. */
static void a_change_that_cannot_be(void **state) {
  struct fixture *f = *state;
  struct ww_payloads set;
  struct ww_payload_delta delta = {.source = 1};
  struct ww_change_head head = {.change = {.deltas = &delta, .delta_count = 1}};
  uint8_t *octets;
  (void)f;
  set_random(&set, 1, 100, 10, 10);
  delta.announce = set;
  assert_int_equal(ww_change_deltas_encode(&head, SIZE_MAX, &octets, NULL), WW_OK);
  free(octets);
  struct ww_vrp vrp = set.vrps[0];
  set.vrps[0] = set.vrps[1];
  set.vrps[1] = vrp;
  assert_int_equal(ww_change_deltas_encode(&head, SIZE_MAX, &octets, NULL), WW_ERR_INVAL);
  assert_null(octets);
  set.vrps[1] = set.vrps[0];
  set.vrps[0] = vrp;
  set.vrps[0].max_len = 200;
  assert_int_equal(ww_change_deltas_encode(&head, SIZE_MAX, &octets, NULL), WW_ERR_INVAL);
  set.vrps[0] = vrp;
  struct ww_aspa aspa = set.aspas[0];
  set.aspas[0] = set.aspas[1];
  assert_int_equal(ww_change_deltas_encode(&head, SIZE_MAX, &octets, NULL), WW_ERR_INVAL);
  set.aspas[0] = aspa;
  struct ww_router_key key = set.keys[0];
  set.keys[0] = set.keys[1];
  assert_int_equal(ww_change_deltas_encode(&head, SIZE_MAX, &octets, NULL), WW_ERR_INVAL);
  set.keys[0] = key;
  /* Longer than it may be: no deltas, and said so. */
  assert_int_equal(ww_change_deltas_encode(&head, 100, &octets, NULL), WW_OK);
  assert_null(octets);
  assert_false(head.change.complete);
  assert_int_equal(head.octets, 0);
  assert_int_equal(head.announced, set.vrp_count + set.aspa_count + set.key_count);
  ww_payloads_fini(&set);
}

static int keep_complete(void *ctx, const struct ww_store_change *change) {
  struct ww_payload_delta *undo;
  *(int *)ctx = change->complete;
  assert_int_equal(change->delta_count, 1);
  assert_int_equal(change->deltas[0].withdraw.aspa_count, change->epoch == 2 ? 5 : 0);
  if (!change->complete) {
    assert_int_equal(ww_store_change_undo(change, &undo), WW_ERR_STATE);
    assert_null(undo);
  }
  return 1;
}

static void an_aspa_that_cannot_come_back(void **state) {
  struct fixture *f = *state;
  struct ww_payloads set = {0}, none = {0};
  struct pass pass = {0};
  uint32_t epoch;
  int complete;
  for (uint32_t i = 0; i < 5; i++) {
    struct ww_aspa a = {.customer = 10 + i, .provider_count = 1, .providers = &(uint32_t){1}};
    assert_int_equal(ww_payloads_add_aspa(&set, &a), WW_OK);
  }
  /* A first one replaces nothing; but what goes without a word of what it was cannot come back. */
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, pass_on, &pass, NULL, &epoch, NULL), WW_OK);
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &none, pass_on, &pass, NULL, &epoch, NULL), WW_OK);
  assert_int_equal(ww_store_history(f->store, 2, &complete, keep_complete, NULL), WW_OK);
  assert_false(complete);
  assert_int_equal(ww_store_history(f->store, 1, &complete, keep_complete, NULL), WW_OK);
  assert_true(complete);
  ww_payloads_fini(&set);
}

/* Random commits, and then back through all of them. */
static void every_epoch_can_be_gone_back_to(void **state) {
  enum { EPOCHS = 150 };
  struct fixture *f = *state;
  struct ww_payloads known[EPOCHS + 1] = {{0}};
  for (uint32_t e = 1; e <= EPOCHS; e++) {
    struct pass pass = {.before = &known[e - 1]};
    uint32_t epoch;
    set_random(&known[e], e, e % 40 * 3, e % 10, e % 7 + 1);
    assert_int_equal(ww_store_commit_full(f->store, &f->source, &known[e], pass_on, &pass, NULL, &epoch, NULL), WW_OK);
    assert_int_equal(epoch, e);
    assert_int_equal(pass.epoch, e);
    pass_fini(&pass);
  }
  struct back back = {.known = known, .expect = EPOCHS, .stop = 1};
  set_copy(&back.state, &known[EPOCHS]);
  assert_int_equal(ww_store_history(f->store, UINT32_MAX, &back, step_back, NULL), WW_OK);
  assert_int_equal(back.expect, 0);
  /* From the middle, and within one transaction. */
  uint32_t epoch, at = 0;
  assert_int_equal(ww_store_history(f->store, 77, &at, keep_epoch, NULL), WW_OK);
  assert_int_equal(at, 77);
  assert_int_equal(ww_store_read_begin(f->store, &epoch, NULL), WW_OK);
  assert_int_equal(entries(f->store), EPOCHS);
  ww_store_read_end(f->store);
  assert_int_equal(ww_store_history(f->store, 0, &at, keep_epoch, NULL), WW_OK);
  assert_int_equal(at, 77); /* nobody was called */
  ww_payloads_fini(&back.state);
  for (uint32_t e = 0; e <= EPOCHS; e++)
    ww_payloads_fini(&known[e]);
}

static void epochs_and_entries(void **state) {
  struct fixture *f = *state;
  struct ww_payloads set;
  struct pass pass = {0};
  uint32_t epoch;
  set_random(&set, 1, 50, 0, 0);
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, pass_on, &pass, NULL, &epoch, NULL), WW_OK);
  assert_int_equal(epoch, 1);
  /* Nothing changes: the hook is asked, nothing comes of it. */
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, pass_on, &pass, NULL, &epoch, NULL), WW_OK);
  assert_int_equal(epoch, 1);
  assert_int_equal(pass.calls, 2);
  assert_int_equal(pass.epoch, 2);
  assert_int_equal(entries(f->store), 1);
  /* Without a hook: an epoch that the history lacks. */
  set.vrps[0].expires = 99;
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, NULL, NULL, NULL, &epoch, NULL), WW_OK);
  assert_int_equal(epoch, 2);
  assert_int_equal(entries(f->store), 1);
  assert_int_equal(ww_store_commit_change(f->store, NULL, 0, NULL, NULL, NULL, &epoch, NULL), WW_OK);
  assert_int_equal(epoch, 3);
  /* Only refreshed: an entry without a delta. */
  set.vrps[0].expires = 100;
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, pass_on, &pass, NULL, &epoch, NULL), WW_OK);
  assert_int_equal(epoch, 4);
  assert_int_equal(entries(f->store), 2);
  ww_payloads_fini(&set);
}

static void active_and_idle(void **state) {
  struct fixture *f = *state;
  struct ww_payloads set;
  struct pass pass = {0};
  struct ww_source_record *list;
  uint32_t epoch;
  size_t count;
  assert_true(f->source.active);
  assert_int_equal(f->source.preference, 0);
  set_random(&set, 1, 50, 3, 3);
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, NULL, NULL, NULL, &epoch, NULL), WW_OK);
  struct ww_source_record idle = f->source;
  idle.active = false;
  idle.preference = 7;
  idle.vrps_v4 = 0; /* a lie */
  strcpy(idle.name, "other");
  assert_int_equal(ww_store_commit_change(f->store, &idle, 1, NULL, pass_on, &pass, &epoch, NULL), WW_OK);
  assert_int_equal(epoch, 1); /* the hook added nothing */
  assert_int_equal(ww_store_sources(f->store, &list, &count, NULL), WW_OK);
  assert_false(list[0].active);
  assert_int_equal(list[0].preference, 7);
  assert_int_equal(list[0].vrps_v4, f->source.vrps_v4);
  assert_string_equal(list[0].name, "main");
  free(list);
  idle.id = 77;
  assert_int_equal(ww_store_commit_change(f->store, &idle, 1, NULL, NULL, NULL, &epoch, NULL), WW_ERR_NOTFOUND);
  ww_payloads_fini(&set);
}

static void pruned_from_the_oldest(void **state) {
  enum { EPOCHS = 200 };
  struct fixture *f = *state;
  uint32_t epoch;
  bool more;
  for (uint32_t e = 1; e <= EPOCHS; e++) {
    struct ww_payloads set;
    struct pass pass = {0};
    set_random(&set, e, 30, 0, 0);
    assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, pass_on, &pass, NULL, &epoch, NULL), WW_OK);
    ww_payloads_fini(&set);
  }
  struct ww_store_stats all, stats;
  ww_store_stats(f->store, &all);
  assert_int_equal(all.history_entries, EPOCHS);
  assert_true(all.history_bytes > EPOCHS * 200);
  assert_int_equal(ww_store_prune(f->store, 0, SIZE_MAX, &more, NULL), WW_OK);
  assert_false(more);
  assert_int_equal(entries(f->store), EPOCHS);
  /* By age, in turns. */
  unsigned turns = 1;
  assert_int_equal(ww_store_prune(f->store, 1101, SIZE_MAX, &more, NULL), WW_OK);
  for (; more; turns++)
    assert_int_equal(ww_store_prune(f->store, 1101, SIZE_MAX, &more, NULL), WW_OK);
  assert_true(turns > 1);
  assert_int_equal(entries(f->store), EPOCHS - 100);
  ww_store_stats(f->store, &stats);
  assert_int_equal(stats.history_entries, EPOCHS - 100);
  /* By size. */
  do
    assert_int_equal(ww_store_prune(f->store, 0, all.history_bytes / 4, &more, NULL), WW_OK);
  while (more);
  ww_store_stats(f->store, &stats);
  assert_true(stats.history_bytes <= all.history_bytes / 4);
  assert_in_range(stats.history_entries, EPOCHS / 4 - 10, EPOCHS / 4 + 10);
  assert_int_equal(entries(f->store), stats.history_entries);
  /* The newest stays whatever is asked. */
  do
    assert_int_equal(ww_store_prune(f->store, INT64_MAX, 0, &more, NULL), WW_OK);
  while (more);
  uint32_t at = 0;
  assert_int_equal(entries(f->store), 1);
  assert_int_equal(ww_store_history(f->store, UINT32_MAX, &at, keep_epoch, NULL), WW_OK);
  assert_int_equal(at, EPOCHS);
}

/* After the last epoch comes 1, and a history of its own. */
static void the_last_epoch(void **state) {
  struct fixture *f = *state;
  struct ww_payloads set;
  struct pass pass = {0};
  uint32_t epoch, at = 0;
  ww_store_close(f->store);
  MDB_env *env;
  MDB_txn *t;
  MDB_dbi dbi;
  char key[] = "epoch", value[] = "\xff\xff\xff\xfd";
  MDB_val k = {.mv_size = 5, .mv_data = key}, v = {.mv_size = 4, .mv_data = value};
  assert_int_equal(mdb_env_create(&env), 0);
  assert_int_equal(mdb_env_set_maxdbs(env, 8), 0);
  assert_int_equal(mdb_env_open(env, f->dir, MDB_NOSYNC, 0600), 0);
  assert_int_equal(mdb_txn_begin(env, NULL, 0, &t), 0);
  assert_int_equal(mdb_dbi_open(t, "meta", 0, &dbi), 0);
  assert_int_equal(mdb_put(t, dbi, &k, &v, 0), 0);
  assert_int_equal(mdb_txn_commit(t), 0);
  mdb_env_close(env);
  assert_int_equal(ww_store_open(f->dir, WW_STORE_NOSYNC, &f->store, NULL), WW_OK);
  static const uint32_t want[] = {UINT32_MAX - 1, UINT32_MAX, 1, 2};
  static const unsigned kept[] = {1, 2, 1, 2};
  for (unsigned i = 0; i < 4; i++) {
    set_random(&set, i, 30, 3, 3);
    assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, pass_on, &pass, NULL, &epoch, NULL), WW_OK);
    assert_int_equal(epoch, want[i]);
    assert_int_equal(entries(f->store), kept[i]);
    assert_int_equal(ww_store_history(f->store, UINT32_MAX, &at, keep_epoch, NULL), WW_OK);
    assert_int_equal(at, want[i]);
    struct ww_store_stats stats;
    ww_store_stats(f->store, &stats);
    assert_int_equal(stats.history_entries, kept[i]);
    ww_payloads_fini(&set);
  }
}

static void slurm_comes_back(void **state) {
  struct fixture *f = *state;
  struct ww_store_slurm got = {.time = 9};
  assert_int_equal(ww_store_read_slurm(f->store, &got, NULL), WW_OK);
  assert_int_equal(got.time, 0);
  assert_int_equal(got.count, 0);
  enum { LONG = 100000 };
  uint8_t *text = malloc(LONG);
  for (size_t i = 0; i < LONG; i++)
    text[i] = (uint8_t)(i * 7 >> 3);
  char first[] = "/etc/waywarden/a.json", second[] = "b";
  struct ww_store_slurm_file files[] = {{first, text, LONG}, {second, NULL, 0}};
  struct ww_store_slurm set = {.files = files, .count = 2, .strict = true, .time = 1795219200};
  uint32_t epoch;
  for (unsigned round = 0; round < 3; round++) {
    files[0].len = LONG - round * 30000; /* what is left of a longer one does not show */
    assert_int_equal(ww_store_commit_change(f->store, NULL, 0, &set, NULL, NULL, &epoch, NULL), WW_OK);
    assert_int_equal(ww_store_read_slurm(f->store, &got, NULL), WW_OK);
    assert_int_equal(got.count, 2);
    assert_true(got.strict);
    assert_int_equal(got.time, 1795219200);
    assert_string_equal(got.files[0].name, first);
    assert_int_equal(got.files[0].len, files[0].len);
    assert_memory_equal(got.files[0].text, text, files[0].len);
    assert_string_equal(got.files[1].name, "b");
    assert_int_equal(got.files[1].len, 0);
    ww_store_slurm_fini(&got);
  }
  /* One bad file, and nothing of the set is taken. */
  char empty[] = "";
  files[1].name = empty;
  assert_int_equal(ww_store_commit_change(f->store, NULL, 0, &set, NULL, NULL, &epoch, NULL), WW_ERR_LIMIT);
  assert_int_equal(ww_store_read_slurm(f->store, &got, NULL), WW_OK);
  assert_int_equal(got.count, 2);
  assert_int_equal(got.files[0].len, LONG - 60000);
  ww_store_slurm_fini(&got);
  set = (struct ww_store_slurm){.time = 3};
  assert_int_equal(ww_store_commit_change(f->store, NULL, 0, &set, NULL, NULL, &epoch, NULL), WW_OK);
  assert_int_equal(ww_store_read_slurm(f->store, &got, NULL), WW_OK);
  assert_int_equal(got.count, 0);
  assert_int_equal(got.time, 3);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_hook_may_refuse, setup, teardown),
      cmocka_unit_test_setup_teardown(a_change_that_cannot_be, setup, teardown),
      cmocka_unit_test_setup_teardown(an_aspa_that_cannot_come_back, setup, teardown),
      cmocka_unit_test_setup_teardown(every_epoch_can_be_gone_back_to, setup, teardown),
      cmocka_unit_test_setup_teardown(epochs_and_entries, setup, teardown),
      cmocka_unit_test_setup_teardown(active_and_idle, setup, teardown),
      cmocka_unit_test_setup_teardown(pruned_from_the_oldest, setup, teardown),
      cmocka_unit_test_setup_teardown(the_last_epoch, setup, teardown),
      cmocka_unit_test_setup_teardown(slurm_comes_back, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
