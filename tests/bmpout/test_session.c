/* SPDX-License-Identifier: BSD-2-Clause */
/* bmpout/session.c: whatever happens and whenever octets are asked for, the station ends with what is so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bmpout/session.h"
#include "fake_view.h"
#include "station_model.h"

struct rig {
  struct fake fake;
  struct ww_out_view view;
  struct ww_bmpout_session *session;
  struct station station;
  struct ww_buf wire;
  struct ww_now now;
};

static void rig_open(struct rig *r, struct ww_bmpout_config config, size_t journal, bool ready) {
  fake_init(&r->fake, journal);
  r->fake.ready = ready;
  fake_view(&r->fake, &r->view);
  if (!config.max_message)
    config.max_message = 65535;
  if (!config.tlv_draft)
    config.tlv_draft = 21;
  config.pen = 32473;
  r->session = ww_bmpout_session_new(&config, &r->view, r->fake.journal, NULL);
  assert_non_null(r->session);
  station_init(&r->station, &config);
  ww_buf_init(&r->wire, 0);
  r->now = (struct ww_now){.mono = 1000, .unix_sec = 1800000000, .unix_usec = 7};
}

static bool rig_pull(struct rig *r, size_t budget) {
  r->station.verdicts_allowed = r->fake.ready || r->station.config.profile == WW_PROFILE_STD3;
  bool more = ww_bmpout_session_pull(r->session, &r->wire, budget, r->now);
  station_take(&r->station, &r->fake, &r->wire);
  assert_string_equal(r->station.fault, "");
  return more;
}

static void rig_drain(struct rig *r) {
  for (unsigned i = 0; rig_pull(r, 4096); i++)
    assert_true(i < 100000);
}

static void rig_compare(struct rig *r) {
  rig_drain(r);
  station_compare(&r->station, &r->fake);
  assert_string_equal(r->station.fault, "");
}

static void rig_close(struct rig *r) {
  ww_bmpout_session_free(r->session);
  fake_fini(&r->fake);
  ww_buf_fini(&r->wire);
}

static void fill(struct rig *r, uint8_t peer, uint32_t verdict) {
  fake_peer_up(&r->fake, peer);
  for (uint8_t i = 0; i < FAKE_PREFIXES; i++)
    fake_announce(&r->fake, peer, i, 1, i % FAKE_ATTRS, verdict + i);
}

static void test_walk_then_changes(void **state) {
  (void)state;
  struct rig *r = calloc(1, sizeof *r);
  rig_open(r, (struct ww_bmpout_config){0}, 1024, true);
  fill(r, 1, 5);
  fill(r, 2, 7);
  fake_eor(&r->fake, 1, WW_AFI_IPV4);
  rig_compare(r);
  struct ww_bmpout_stats stats;
  ww_bmpout_session_stats(r->session, &stats);
  assert_int_equal(stats.nlri, 2 * FAKE_PREFIXES); /* once each, although the journal has them too */
  assert_int_equal(stats.resyncs, 0);
  fake_withdraw(&r->fake, 1, 4, 0);
  fake_announce(&r->fake, 1, 5, 0, 9, 2);
  fake_eor(&r->fake, 2, WW_AFI_IPV6);
  rig_compare(r);
  ww_bmpout_session_stats(r->session, &stats);
  assert_int_equal(stats.withdrawals, 1);
  assert_int_equal(stats.nlri, 2 * FAKE_PREFIXES + 1);
  assert_int_equal(stats.lag, 0);
  fake_peer_down(&r->fake, 1);
  fake_peer_up(&r->fake, 1);
  fake_announce(&r->fake, 1, 5, 0, 9, 2);
  rig_compare(r);
  rig_close(r);
  free(r);
}

static void test_changed_five_times_sent_once(void **state) {
  (void)state;
  struct rig *r = calloc(1, sizeof *r);
  rig_open(r, (struct ww_bmpout_config){0}, 1024, true);
  fake_peer_up(&r->fake, 1);
  rig_drain(r);
  for (uint32_t i = 0; i < 5; i++)
    fake_announce(&r->fake, 1, 2, 0, (uint8_t)i, i);
  rig_compare(r);
  struct ww_bmpout_stats stats;
  ww_bmpout_session_stats(r->session, &stats);
  assert_int_equal(stats.nlri, 1);
  rig_close(r);
  free(r);
}

static void test_packs_what_shares_attributes(void **state) {
  (void)state;
  struct rig *r = calloc(1, sizeof *r);
  rig_open(r, (struct ww_bmpout_config){0}, 1024, true);
  fake_peer_up(&r->fake, 1);
  rig_drain(r);
  uint64_t before = r->station.validations;
  for (uint8_t i = 0; i < FAKE_PREFIXES; i += 2) /* interleaved, as live updates are */
    fake_announce(&r->fake, 1, i, 0, i % 4, i);
  rig_pull(r, 1 << 20);
  assert_int_equal(r->station.validations - before, 2); /* attribute sets 0 and 2 */
  for (uint8_t i = 0; i < FAKE_PREFIXES; i += 2)
    fake_withdraw(&r->fake, 1, i, 0);
  before = r->station.validations;
  rig_compare(r);
  assert_int_equal(r->station.validations - before, 1);
  rig_close(r);
  free(r);
}

static void test_end_of_rib_comes_after_its_routes(void **state) {
  (void)state;
  struct rig *r = calloc(1, sizeof *r);
  rig_open(r, (struct ww_bmpout_config){0}, 1024, true);
  fake_peer_up(&r->fake, 1);
  rig_drain(r);
  for (uint8_t i = 0; i < 9; i++)
    fake_announce(&r->fake, 1, i, 0, 1, i);
  fake_eor(&r->fake, 1, WW_AFI_IPV4);
  fake_announce(&r->fake, 1, 10, 0, 1, 1);
  rig_pull(r, 1 << 20);
  const struct station_peer *p = &r->station.peers[1];
  for (uint8_t i = 0; i < 9; i++)
    assert_true(p->records[i][0].held && p->records[i][0].heard < p->eor_at[WW_AFI_IPV4]);
  assert_true(p->records[10][0].heard > p->eor_at[WW_AFI_IPV4]);
  rig_compare(r);
  rig_close(r);
  free(r);
}

static void test_not_ready(void **state) {
  (void)state;
  for (size_t journal = 16; journal <= 1024; journal *= 64) {
    struct rig *r = calloc(1, sizeof *r);
    rig_open(r, (struct ww_bmpout_config){0}, journal, false);
    fill(r, 1, 5);
    fake_eor(&r->fake, 1, WW_AFI_IPV4);
    rig_drain(r);
    fill(r, 3, 5);
    fake_peer_up(&r->fake, 4); /* without a route, but with its End-of-RIB */
    fake_eor(&r->fake, 4, WW_AFI_IPV4);
    rig_drain(r);
    assert_true(r->station.peers[1].up && r->station.peers[3].up);
    assert_int_equal(r->station.validations, 0); /* no verdict, no End-of-RIB */
    fake_ready(&r->fake);
    rig_compare(r);
    struct ww_bmpout_stats stats;
    ww_bmpout_session_stats(r->session, &stats);
    assert_int_equal(stats.nlri, 2 * FAKE_PREFIXES); /* not twice, although the journal has all of them too */
    rig_close(r);
    free(r);
  }
}

static void test_ready_under_churn_does_not_wait_for_ever(void **state) {
  (void)state;
  struct rig *r = calloc(1, sizeof *r);
  rig_open(r, (struct ww_bmpout_config){0}, 1024, false);
  fill(r, 1, 5);
  rig_drain(r);
  fake_ready(&r->fake);
  for (unsigned i = 0; i < 20 && !r->station.validations; i++) {
    fake_announce(&r->fake, 1, 3, 0, (uint8_t)(i % FAKE_ATTRS), i);
    r->now.mono += 100;
    rig_pull(r, 100000);
  }
  assert_true(r->station.validations > 0);
  rig_compare(r);
  rig_close(r);
  free(r);
}

static void test_loss_is_resynchronised(void **state) {
  (void)state;
  for (int profile = WW_PROFILE_V4; profile <= WW_PROFILE_STD3; profile++) {
    struct rig *r = calloc(1, sizeof *r);
    rig_open(r, (struct ww_bmpout_config){.profile = (enum ww_profile)profile}, 16, true);
    fill(r, 1, 5);
    fill(r, 2, 5);
    fill(r, 3, 5);
    fake_eor(&r->fake, 2, WW_AFI_IPV6);
    rig_drain(r);
    /* More than the journal holds: routes go, a peer goes, a peer comes, one comes back as another. */
    for (uint8_t i = 0; i < FAKE_PREFIXES; i += 3)
      fake_withdraw(&r->fake, 1, i, 0);
    for (uint8_t i = 0; i < FAKE_PREFIXES; i++)
      fake_withdraw(&r->fake, 2, i, 1);
    fake_peer_down(&r->fake, 3);
    fill(r, 4, 9);
    rig_compare(r);
    struct ww_bmpout_stats stats;
    ww_bmpout_session_stats(r->session, &stats);
    assert_true(stats.resyncs > 0);
    if (profile != WW_PROFILE_STD3)
      assert_true(r->station.snapshots >= 2);
    else
      assert_int_equal(r->station.snapshots, 0);
    rig_close(r);
    free(r);
  }
}

static void test_termination_is_the_last(void **state) {
  (void)state;
  struct rig *r = calloc(1, sizeof *r);
  rig_open(r, (struct ww_bmpout_config){0}, 64, true);
  fill(r, 1, 5);
  rig_pull(r, 300);
  ww_bmpout_session_stop(r->session, 0);
  assert_false(rig_pull(r, 4096));
  assert_true(r->station.ended);
  assert_true(ww_bmpout_session_finished(r->session));
  assert_false(rig_pull(r, 4096));
  rig_close(r);
  free(r);
  r = calloc(1, sizeof *r);
  rig_open(r, (struct ww_bmpout_config){0}, 64, true);
  ww_bmpout_session_stop(r->session, 1); /* before anything was said */
  assert_false(rig_pull(r, 4096));
  assert_true(r->station.began && r->station.ended);
  rig_close(r);
  free(r);
}

static void test_full_output_ends_the_session(void **state) {
  (void)state;
  struct rig *r = calloc(1, sizeof *r);
  rig_open(r, (struct ww_bmpout_config){0}, 64, true);
  fill(r, 1, 5);
  r->wire.max = 100; /* what the transport should never do */
  assert_false(ww_bmpout_session_pull(r->session, &r->wire, 1 << 20, r->now));
  assert_true(ww_bmpout_session_finished(r->session));
  rig_close(r);
  free(r);
}

/* --- the strong one
 * ------------------------------------------------------------------------------------------------------- */

static uint32_t rng;
static uint32_t roll(uint32_t n) {
  rng = rng * 1664525u + 1013904223u;
  return (rng >> 8) % n;
}

static void random_change(struct rig *r) {
  struct fake *f = &r->fake;
  uint8_t peer = (uint8_t)(1 + roll(FAKE_PEERS)), prefix = (uint8_t)roll(FAKE_PREFIXES);
  switch (roll(40)) {
  case 0:
    fake_peer_down(f, peer);
    break;
  case 1:
  case 2:
    fake_peer_up(f, peer);
    break;
  case 3:
    fake_eor(f, peer, (uint8_t)(1 + roll(2)));
    break;
  case 4:
    fake_dataset(f, roll(8), 1 + roll(8));
    break;
  case 5: /* a flap */
    fake_peer_down(f, peer);
    fake_peer_up(f, peer);
    break;
  case 6:
    fake_ready(f);
    break;
  case 7:
  case 8:
  case 9:
  case 10:
  case 11:
  case 12:
  case 13:
  case 14:
    fake_withdraw(f, peer, prefix, (uint8_t)roll(3));
    break;
  default:
    fake_announce(f, peer, prefix, (uint8_t)roll(3), (uint8_t)roll(FAKE_ATTRS), roll(400));
    break;
  }
}

static void run_random(uint32_t seed) {
  struct rig *r = calloc(1, sizeof *r);
  rng = seed;
  struct ww_bmpout_config config = {.profile = (enum ww_profile)roll(3), .tlv_draft = roll(4) ? 21 : 19};
  config.covering = roll(2);
  config.max_message = roll(2) ? 8192 : 65535;
  rig_open(r, config, (size_t)1 << (4 + roll(8)), roll(3) != 0);
  unsigned rounds = 20 + roll(60), burst = 1 + roll(80);
  for (unsigned round = 0; round < rounds; round++) {
    unsigned changes = roll(burst);
    for (unsigned i = 0; i < changes; i++)
      random_change(r);
    unsigned pulls = roll(4);
    for (unsigned i = 0; i < pulls; i++)
      rig_pull(r, roll(2) ? 1 : roll(3000));
    r->now.mono += roll(200);
  }
  fake_ready(&r->fake);
  rig_drain(r);
  station_compare(&r->station, &r->fake);
  if (r->station.fault[0])
    fail_msg("seed %u: %s", seed, r->station.fault);
  rig_close(r);
  free(r);
}

static void test_random_histories(void **state) {
  (void)state;
  const char *seeds = getenv("WW_SEEDS"), *from = getenv("WW_SEED");
  uint32_t first = from ? (uint32_t)strtoul(from, NULL, 10) : 1;
  uint32_t count = seeds ? (uint32_t)strtoul(seeds, NULL, 10) : 500;
  for (uint32_t seed = first; seed < first + count; seed++)
    run_random(seed);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_walk_then_changes),
      cmocka_unit_test(test_changed_five_times_sent_once),
      cmocka_unit_test(test_packs_what_shares_attributes),
      cmocka_unit_test(test_end_of_rib_comes_after_its_routes),
      cmocka_unit_test(test_not_ready),
      cmocka_unit_test(test_ready_under_churn_does_not_wait_for_ever),
      cmocka_unit_test(test_loss_is_resynchronised),
      cmocka_unit_test(test_termination_is_the_last),
      cmocka_unit_test(test_full_output_ends_the_session),
      cmocka_unit_test(test_random_histories),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
