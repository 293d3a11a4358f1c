/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A writer publishes snapshots while readers take references, ask and let go, so that the last reference to most
 * snapshots, and to the parts that only they hold, is dropped on a reader's thread. Worth most under ThreadSanitizer
 * and AddressSanitizer; without them it still checks that every snapshot answers as of its own epoch.
 *
 * In epoch e exactly the VRPs 10.i.0.0/16 with AS e stand, for every i.
 */
#include "validator/snapshot_private.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { READERS = 3, EPOCHS = 300, PREFIXES = 64 };

static pthread_mutex_t publish = PTHREAD_MUTEX_INITIALIZER;
static struct ww_snapshot *current; /* under `publish` */

static struct ww_snapshot *take_current(void) {
  pthread_mutex_lock(&publish);
  struct ww_snapshot *snapshot = ww_snapshot_ref(current);
  pthread_mutex_unlock(&publish);
  return snapshot;
}

static void *read_snapshots(void *arg) {
  size_t *wrong = arg;
  struct ww_snapshot *held = NULL;
  for (uint32_t epoch = 0; epoch < EPOCHS;) {
    struct ww_snapshot *snapshot = take_current();
    epoch = ww_snapshot_epoch(snapshot);
    struct ww_prefix prefixes[PREFIXES];
    struct ww_origin origins[PREFIXES];
    uint8_t states[PREFIXES];
    for (unsigned i = 0; i < PREFIXES; i++) {
      prefixes[i] = (struct ww_prefix){.afi = WW_AFI_IPV4, .len = 16, .addr = {10, (uint8_t)i}};
      origins[i] = (struct ww_origin){.asn = epoch};
      *wrong += ww_origin_validate(snapshot, &prefixes[i], origins[i], NULL) != WW_STATE_VALID;
    }
    ww_origin_validate_batch(snapshot, prefixes, origins, PREFIXES, states, NULL);
    for (unsigned i = 0; i < PREFIXES; i++)
      *wrong += states[i] != WW_STATE_VALID;
    ww_snapshot_unref(held); /* one stays behind, to outlive its successors for a while */
    held = snapshot;
  }
  ww_snapshot_unref(held);
  return NULL;
}

static struct ww_snapshot *next_epoch(struct ww_snapshot *base) {
  struct ww_payload_delta delta = {.source = 1};
  struct ww_snapshot *next = NULL;
  uint32_t epoch = ww_snapshot_epoch(base);
  for (unsigned i = 0; i < PREFIXES; i++) {
    struct ww_vrp vrp = {.prefix = {.afi = WW_AFI_IPV4, .len = 16, .addr = {10, (uint8_t)i}}, .max_len = 16};
    vrp.asn = epoch;
    if (ww_payloads_add_vrp(&delta.withdraw, &vrp))
      abort();
    vrp.asn = epoch + 1;
    if (ww_payloads_add_vrp(&delta.announce, &vrp))
      abort();
  }
  if (ww_snapshot_apply(base, &delta, epoch + 1, true, &next))
    abort();
  ww_payload_delta_fini(&delta);
  return next;
}

static void test_readers_and_a_writer(void **state) {
  (void)state;
  pthread_t threads[READERS];
  size_t wrong[READERS] = {0};
  struct ww_snapshot *empty = ww_snapshot_new_limited(8); /* many small shared parts */
  current = next_epoch(empty);
  ww_snapshot_unref(empty);
  for (unsigned i = 0; i < READERS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, read_snapshots, &wrong[i]), 0);
  for (unsigned epoch = 2; epoch <= EPOCHS; epoch++) {
    struct ww_snapshot *next = next_epoch(current), *old;
    pthread_mutex_lock(&publish);
    old = current;
    current = next;
    pthread_mutex_unlock(&publish);
    ww_snapshot_unref(old);
  }
  for (unsigned i = 0; i < READERS; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(wrong[i], 0);
  }
  ww_snapshot_unref(current);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_readers_and_a_writer)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
