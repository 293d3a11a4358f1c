/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* */
#include <cmocka.h>

#include "tests/store/store_util.h"

struct fixture {
  char dir[64];
  struct ww_store *store;
  struct ww_source_record source;
};

static enum ww_err open_store(struct fixture *f, unsigned flags) {
  struct ww_diag diag = {0};
  enum ww_err err = ww_store_open(f->dir, flags, &f->store, &diag);
  if (err != WW_OK)
    print_message("%s\n", diag.text);
  return err;
}

static int setup(void **state) {
  struct fixture *f = calloc(1, sizeof(*f));
  dir_make(f->dir);
  if (open_store(f, WW_STORE_NOSYNC) != WW_OK)
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

static void assert_stored(struct fixture *f, ww_source_id id, const struct ww_payloads *want) {
  struct ww_payloads got = {0};
  struct ww_diag diag = {0};
  if (ww_store_read_source(f->store, id, &got, &diag) != WW_OK)
    fail_msg("%s", diag.text);
  assert_true(set_equal(&got, want));
  ww_payloads_fini(&got);
}

static void refuses_misuse(void **state) {
  struct fixture *f = *state;
  struct ww_source_record r = {.id = 99};
  struct ww_payloads set = {0}, got = {0};
  char name[65];
  memset(name, 'x', 64);
  name[64] = '\0';
  uint32_t epoch;
  assert_int_equal(ww_store_source(f->store, "", WW_SOURCE_RTR, &r, NULL), WW_ERR_INVAL);
  assert_int_equal(ww_store_source(f->store, name, WW_SOURCE_RTR, &r, NULL), WW_ERR_INVAL);
  assert_int_equal(ww_store_commit_full(f->store, &r, &set, NULL, NULL, NULL, &epoch, NULL), WW_ERR_NOTFOUND);
  assert_int_equal(ww_store_put_source(f->store, &r, NULL), WW_ERR_NOTFOUND);
  assert_int_equal(ww_store_read_source(f->store, 99, &got, NULL), WW_ERR_NOTFOUND);
  /* Out of order, or twice the same. */
  set_random(&set, 1, 20, 4, 4);
  struct ww_vrp first = set.vrps[0];
  set.vrps[0] = set.vrps[1];
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, NULL, NULL, NULL, &epoch, NULL), WW_ERR_INVAL);
  set.vrps[0] = first;
  set.vrps[0].max_len = 129;
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, NULL, NULL, NULL, &epoch, NULL), WW_ERR_INVAL);
  set.vrps[0] = first;
  set.aspas[1] = set.aspas[0];
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, NULL, NULL, NULL, &epoch, NULL), WW_ERR_INVAL);
  ww_payloads_fini(&set);
  /* A write within a read would keep the map from growing. */
  assert_int_equal(ww_store_read_begin(f->store, &epoch, NULL), WW_OK);
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, NULL, NULL, NULL, &epoch, NULL), WW_ERR_STATE);
  assert_int_equal(ww_store_read_begin(f->store, &epoch, NULL), WW_ERR_STATE);
  ww_store_read_end(f->store);
  ww_store_read_end(f->store);
  assert_int_equal(ww_store_epoch(f->store), 0);
}

static void all_kinds_come_back(void **state) {
  struct fixture *f = *state;
  struct ww_payloads set;
  set_random(&set, 42, 500, 50, 40);
  assert_true(set.vrp_count > 50 && set.aspa_count > 20 && set.key_count > 20);
  uint32_t epoch = 0;
  f->source.complete = true;
  f->source.last_sync = 1795219200;
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, NULL, NULL, NULL, &epoch, NULL), WW_OK);
  assert_int_equal(epoch, 1);
  assert_stored(f, f->source.id, &set);
  ww_store_close(f->store);
  assert_int_equal(open_store(f, WW_STORE_NOSYNC), WW_OK);
  assert_int_equal(ww_store_epoch(f->store), 1);
  assert_stored(f, f->source.id, &set);
  struct ww_source_record r;
  assert_int_equal(ww_store_source(f->store, "main", WW_SOURCE_RTR, &r, NULL), WW_OK);
  assert_int_equal(r.id, f->source.id);
  assert_true(r.complete);
  assert_int_equal(r.last_sync, 1795219200);
  assert_int_equal(r.vrps_v4 + r.vrps_v6, set.vrp_count);
  assert_int_equal(r.aspas, set.aspa_count);
  assert_int_equal(r.router_keys, set.key_count);
  ww_payloads_fini(&set);
}

static void extremes(void **state) {
  struct fixture *f = *state;
  struct ww_payloads set = {0};
  struct ww_vrp v = {.prefix = {.afi = WW_AFI_IPV4}, .max_len = 32, .asn = 0, .expires = INT64_MAX};
  assert_int_equal(ww_payloads_add_vrp(&set, &v), WW_OK); /* 0.0.0.0/0 */
  v = (struct ww_vrp){.prefix = {.afi = WW_AFI_IPV6}, .max_len = 0, .asn = UINT32_MAX, .expires = INT64_MIN};
  assert_int_equal(ww_payloads_add_vrp(&set, &v), WW_OK); /* ::/0 */
  v = (struct ww_vrp){.prefix = {.afi = WW_AFI_IPV6, .len = 128}, .max_len = 128, .asn = 1, .expires = 0};
  memset(v.prefix.addr, 0xff, 16);
  assert_int_equal(ww_payloads_add_vrp(&set, &v), WW_OK);
  uint32_t *providers = malloc(WW_ASPA_PROVIDERS_MAX * sizeof(*providers));
  for (uint32_t i = 0; i < WW_ASPA_PROVIDERS_MAX; i++)
    providers[i] = i * 3 + 1;
  struct ww_aspa a = {.customer = UINT32_MAX, .provider_count = WW_ASPA_PROVIDERS_MAX, .providers = providers};
  assert_int_equal(ww_payloads_add_aspa(&set, &a), WW_OK);
  a = (struct ww_aspa){.customer = 0, .provider_count = 1, .providers = &(uint32_t){0}};
  assert_int_equal(ww_payloads_add_aspa(&set, &a), WW_OK);
  free(providers);
  assert_int_equal(ww_payloads_sort(&set), WW_OK);
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, NULL, NULL, NULL, NULL, NULL), WW_OK);
  assert_stored(f, f->source.id, &set);
  ww_payloads_fini(&set);
}

static void epochs(void **state) {
  struct fixture *f = *state;
  struct ww_payloads set, none = {0};
  uint32_t epoch = 7;
  /* An empty first set changes nothing that is stored. */
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &none, NULL, NULL, NULL, &epoch, NULL), WW_OK);
  assert_int_equal(epoch, 0);
  set_random(&set, 3, 30, 3, 3);
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, NULL, NULL, NULL, &epoch, NULL), WW_OK);
  assert_int_equal(epoch, 1);
  /* The same again: the record is written, the epoch stays. */
  f->source.last_sync = 5;
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, NULL, NULL, NULL, &epoch, NULL), WW_OK);
  assert_int_equal(epoch, 1);
  /* Another expiry is a change, and no announcement. */
  struct ww_payload_delta delta;
  set.vrps[4].expires = 123456;
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, NULL, NULL, &delta, &epoch, NULL), WW_OK);
  assert_int_equal(epoch, 2);
  assert_int_equal(delta.refresh.vrp_count, 1);
  assert_int_equal(delta.announce.vrp_count + delta.withdraw.vrp_count, 0);
  ww_payload_delta_fini(&delta);
  /* The record alone: no epoch, and its counts stay true whatever the caller says. */
  struct ww_source_record lie = f->source, *list;
  lie.vrps_v4 = 1;
  lie.errors = 17;
  assert_int_equal(ww_store_put_source(f->store, &lie, NULL), WW_OK);
  assert_int_equal(ww_store_epoch(f->store), 2);
  size_t count;
  assert_int_equal(ww_store_sources(f->store, &list, &count, NULL), WW_OK);
  assert_int_equal(count, 1);
  assert_int_equal(list[0].errors, 17);
  assert_int_equal(list[0].vrps_v4, f->source.vrps_v4);
  free(list);
  assert_stored(f, f->source.id, &set);
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &none, NULL, NULL, NULL, &epoch, NULL), WW_OK);
  assert_int_equal(epoch, 3);
  assert_stored(f, f->source.id, &none);
  ww_payloads_fini(&set);
}

static void sources_come_and_go(void **state) {
  struct fixture *f = *state;
  struct ww_source_record b, c, again;
  struct ww_payloads set_a, set_b, none = {0};
  uint32_t epoch;
  set_random(&set_a, 11, 200, 10, 10);
  set_random(&set_b, 12, 200, 10, 10);
  assert_int_equal(ww_store_source(f->store, "second", WW_SOURCE_FILE, &b, NULL), WW_OK);
  assert_int_equal(ww_store_source(f->store, "third", WW_SOURCE_STATIC, &c, NULL), WW_OK);
  assert_true(f->source.id != b.id && b.id != c.id && c.id != f->source.id);
  assert_int_equal(ww_store_commit_full(f->store, &b, &set_b, NULL, NULL, NULL, &epoch, NULL), WW_OK);
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &set_a, NULL, NULL, NULL, &epoch, NULL),
                   WW_OK); /* before another */
  assert_int_equal(ww_store_commit_full(f->store, &c, &set_a, NULL, NULL, NULL, &epoch, NULL), WW_OK);
  assert_stored(f, f->source.id, &set_a);
  assert_stored(f, b.id, &set_b);
  assert_stored(f, c.id, &set_a);
  /* Taken out of the configuration. */
  const char *const keep[] = {"third", "main", "fourth"};
  assert_int_equal(ww_store_keep_sources(f->store, keep, 3, &epoch, NULL), WW_OK);
  assert_int_equal(epoch, 4);
  assert_int_equal(ww_store_keep_sources(f->store, keep, 3, &epoch, NULL), WW_OK);
  assert_int_equal(epoch, 4);
  assert_int_equal(ww_store_read_source(f->store, b.id, &none, NULL), WW_ERR_NOTFOUND);
  assert_stored(f, f->source.id, &set_a);
  assert_stored(f, c.id, &set_a);
  /* Its id is not given again, and the name begins anew. */
  assert_int_equal(ww_store_source(f->store, "second", WW_SOURCE_FILE, &again, NULL), WW_OK);
  assert_true(again.id != b.id && again.id != c.id && again.id != f->source.id);
  assert_stored(f, again.id, &none);
  /* A file of the name of a cache is not that cache. */
  assert_int_equal(ww_store_source(f->store, "third", WW_SOURCE_FILE, &again, NULL), WW_OK);
  assert_int_equal(again.id, c.id);
  assert_int_equal(again.type, WW_SOURCE_FILE);
  assert_int_equal(again.vrps_v4, 0);
  assert_stored(f, c.id, &none);
  assert_int_equal(ww_store_epoch(f->store), 5);
  ww_payloads_fini(&set_a);
  ww_payloads_fini(&set_b);
}

static void several_sources_in_one_read(void **state) {
  struct fixture *f = *state;
  struct ww_source_record b, *list;
  struct ww_payloads set;
  uint32_t epoch;
  size_t count;
  set_random(&set, 21, 100, 5, 5);
  assert_int_equal(ww_store_source(f->store, "b", WW_SOURCE_RTR, &b, NULL), WW_OK);
  assert_int_equal(ww_store_commit_full(f->store, &b, &set, NULL, NULL, NULL, NULL, NULL), WW_OK);
  assert_int_equal(ww_store_read_begin(f->store, &epoch, NULL), WW_OK);
  assert_int_equal(epoch, 1);
  assert_int_equal(ww_store_sources(f->store, &list, &count, NULL), WW_OK);
  assert_int_equal(count, 2);
  assert_true(list[0].id < list[1].id);
  free(list);
  assert_stored(f, b.id, &set);
  assert_stored(f, f->source.id, &(struct ww_payloads){0});
  assert_int_equal(ww_store_source(f->store, "b", WW_SOURCE_RTR, &b, NULL), WW_OK);
  assert_int_equal(ww_store_source(f->store, "new", WW_SOURCE_RTR, &b, NULL), WW_ERR_STATE);
  ww_store_read_end(f->store);
  ww_payloads_fini(&set);
}

static void assert_delta(struct ww_payload_delta *got, struct ww_payload_delta *want, ww_source_id id) {
  assert_int_equal(got->source, id);
  assert_true(set_equal(&got->announce, &want->announce));
  assert_true(set_equal(&got->withdraw, &want->withdraw));
  assert_true(set_equal(&got->refresh, &want->refresh));
  ww_payload_delta_fini(got);
  ww_payload_delta_fini(want);
}

/* Random sequences of whole sets and increments against the model. */
static void differences_are_exact(void **state) {
  struct fixture *f = *state;
  struct ww_source_record sources[3] = {f->source};
  struct ww_payloads model[3] = {{0}, {0}, {0}};
  assert_int_equal(ww_store_source(f->store, "b", WW_SOURCE_RTR, &sources[1], NULL), WW_OK);
  assert_int_equal(ww_store_source(f->store, "c", WW_SOURCE_FILE, &sources[2], NULL), WW_OK);
  uint64_t rng = 8210;
  uint32_t want_epoch = 0;
  for (unsigned round = 0; round < 400; round++) {
    uint64_t r = rng_next(&rng);
    unsigned s = (unsigned)(r % 3);
    struct ww_payloads next;
    struct ww_payload_delta want, got, changes = {0};
    uint32_t epoch = 0;
    if (r >> 8 & 1) {
      set_random(&next, r, r >> 16 & 127, r >> 24 & 15, r >> 32 & 15);
      assert_int_equal(ww_store_commit_full(f->store, &sources[s], &next, NULL, NULL, &got, &epoch, NULL), WW_OK);
    } else {
      set_random(&changes.withdraw, rng_next(&rng), r >> 16 & 31, r >> 24 & 7, r >> 32 & 7);
      set_random(&changes.announce, rng_next(&rng), r >> 40 & 31, r >> 48 & 7, r >> 52 & 7);
      for (size_t i = 0; i < changes.withdraw.aspa_count; i++)
        changes.withdraw.aspas[i].provider_count = 0;
      if (changes.announce.vrp_count > 1) { /* they need not be sorted */
        struct ww_vrp v = changes.announce.vrps[0];
        changes.announce.vrps[0] = changes.announce.vrps[1];
        changes.announce.vrps[1] = v;
      }
      model_apply(&model[s], &changes, &next);
      assert_int_equal(ww_store_commit_delta(f->store, &sources[s], &changes, NULL, NULL, &got, &epoch, NULL), WW_OK);
      ww_payload_delta_fini(&changes);
    }
    model_diff(&model[s], &next, &want);
    const struct ww_payloads *parts[] = {&want.announce, &want.withdraw, &want.refresh};
    size_t changed = 0;
    for (unsigned i = 0; i < 3; i++)
      changed += parts[i]->vrp_count + parts[i]->aspa_count + parts[i]->key_count;
    want_epoch += changed > 0;
    assert_int_equal(epoch, want_epoch);
    assert_delta(&got, &want, sources[s].id);
    ww_payloads_fini(&model[s]);
    model[s] = next;
    for (unsigned i = 0; i < 3; i++)
      assert_stored(f, sources[i].id, &model[i]); /* counts in the record are checked by the reader */
    assert_int_equal(sources[s].vrps_v4 + sources[s].vrps_v6, next.vrp_count);
  }
  for (unsigned i = 0; i < 3; i++)
    ww_payloads_fini(&model[i]);
}

/* From the smallest map, by increments that nobody announced ahead, to some 20 times its size. */
static void the_map_grows(void **state) {
  struct fixture *f = *state;
  struct ww_store_stats before, after;
  ww_store_stats(f->store, &before);
  struct ww_payloads all = {0};
  uint32_t epoch = 0;
  for (uint32_t round = 0; round < 4; round++) {
    struct ww_payload_delta changes = {0}, delta;
    for (uint32_t i = 0; i < 60000; i++) {
      uint32_t address = (round * 60000 + i) << 8;
      struct ww_vrp v = {.prefix = {.afi = WW_AFI_IPV4, .len = 24}, .max_len = 24, .asn = i, .expires = 1800000000};
      for (unsigned b = 0; b < 4; b++)
        v.prefix.addr[b] = (uint8_t)(address >> (24 - 8 * b));
      assert_int_equal(ww_payloads_add_vrp(&changes.announce, &v), WW_OK);
      assert_int_equal(ww_payloads_add_vrp(&all, &v), WW_OK);
    }
    assert_int_equal(ww_store_commit_delta(f->store, &f->source, &changes, NULL, NULL, &delta, &epoch, NULL), WW_OK);
    assert_int_equal(delta.announce.vrp_count, 60000);
    assert_int_equal(epoch, round + 1);
    ww_payload_delta_fini(&delta);
    ww_payload_delta_fini(&changes);
  }
  ww_store_stats(f->store, &after);
  assert_true(before.map_bytes <= 1 << 20);
  assert_true(after.map_bytes >= 8 * before.map_bytes);
  assert_true(after.used_bytes <= after.map_bytes);
  assert_stored(f, f->source.id, &all);
  ww_payloads_fini(&all);
}

/* The size on disk is part of the contract, whichever source came first. */
static void octets_on_disk(void **state) {
  struct fixture *f = *state;
  struct ww_payloads set = {0};
  struct ww_source_record second;
  struct ww_store_stats stats, before;
  enum { N = 50000 };
  for (uint32_t i = 0; i < N; i++) {
    struct ww_vrp v = {.max_len = 48, .asn = i, .expires = 1800000000};
    v.prefix = (struct ww_prefix){.afi = WW_AFI_IPV6, .len = 48, .addr = {0x20, 1, 0, (uint8_t)(i >> 8), (uint8_t)i}};
    assert_int_equal(ww_payloads_add_vrp(&set, &v), WW_OK);
  }
  ww_store_stats(f->store, &before);
  assert_int_equal(ww_store_source(f->store, "second", WW_SOURCE_RTR, &second, NULL), WW_OK);
  assert_int_equal(ww_store_commit_full(f->store, &second, &set, NULL, NULL, NULL, NULL, NULL), WW_OK);
  ww_store_stats(f->store, &stats);
  assert_true((stats.used_bytes - before.used_bytes) / N <= 46); /* 40 in a page, a tenth of it free */
  before = stats;
  assert_int_equal(ww_store_commit_full(f->store, &f->source, &set, NULL, NULL, NULL, NULL, NULL), WW_OK);
  ww_store_stats(f->store, &stats);
  assert_true((stats.used_bytes - before.used_bytes) / N <= 50);
  assert_stored(f, f->source.id, &set);
  assert_stored(f, second.id, &set);
  /* And a tenth more, between all of them, finds room in the pages that are there. */
  struct ww_payload_delta changes = {0};
  for (uint32_t i = 0; i < N; i += 10) {
    struct ww_vrp v = set.vrps[i];
    v.asn += 70000;
    assert_int_equal(ww_payloads_add_vrp(&changes.announce, &v), WW_OK);
  }
  before = stats;
  assert_int_equal(ww_store_commit_delta(f->store, &second, &changes, NULL, NULL, NULL, NULL, NULL), WW_OK);
  ww_store_stats(f->store, &stats);
  assert_true(stats.used_bytes - before.used_bytes < (size_t)N * 46 * 5 / 4); /* LMDB writes the pages anew, once */
  ww_payload_delta_fini(&changes);
  ww_payloads_fini(&set);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(refuses_misuse, setup, teardown),
      cmocka_unit_test_setup_teardown(all_kinds_come_back, setup, teardown),
      cmocka_unit_test_setup_teardown(extremes, setup, teardown),
      cmocka_unit_test_setup_teardown(epochs, setup, teardown),
      cmocka_unit_test_setup_teardown(sources_come_and_go, setup, teardown),
      cmocka_unit_test_setup_teardown(several_sources_in_one_read, setup, teardown),
      cmocka_unit_test_setup_teardown(differences_are_exact, setup, teardown),
      cmocka_unit_test_setup_teardown(the_map_grows, setup, teardown),
      cmocka_unit_test_setup_teardown(octets_on_disk, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
