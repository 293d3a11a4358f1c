/* SPDX-License-Identifier: BSD-2-Clause */
/* engine/: one behaviour a test. What no sequence of events may break is in test_model.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"

enum { LOCAL_AS = 64999, PEER_AS = 64500 };

struct lab {
  struct ww_engine *engine;
  struct ww_engine_router *router;
  struct ww_bmp_feed_events events;
  struct ww_out_view view;
  struct ww_journal *journal;
  struct ww_journal_reader *reader;
  struct ww_snapshot *snapshot;
  uint32_t epoch;
};

static struct ww_now now; /* what every router's clock shows */

static void plug(struct lab *lab, const struct ww_engine_router_config *config) {
  lab->router = ww_engine_router_new(lab->engine, config);
  assert_non_null(lab->router);
  ww_engine_router_events(lab->router, &now, &lab->events);
  ww_engine_router_view(lab->router, &lab->view);
  lab->journal = ww_engine_router_journal(lab->router);
  lab->reader = ww_journal_reader_new(lab->journal);
  assert_non_null(lab->reader);
}

static struct lab lab_new(const struct ww_engine_router_config *config) {
  static const struct ww_engine_router_config plain = {.name = "lab"};
  struct lab lab = {.epoch = 0};
  now = (struct ww_now){.mono = 5, .unix_sec = 7000, .unix_usec = 8};
  lab.engine = ww_engine_new(NULL);
  lab.snapshot = ww_snapshot_new();
  assert_non_null(lab.engine);
  assert_non_null(lab.snapshot);
  plug(&lab, config ? config : &plain);
  return lab;
}

static void lab_free(struct lab *lab) {
  ww_journal_reader_free(lab->reader);
  ww_engine_free(lab->engine);
  ww_snapshot_unref(lab->snapshot);
}

/* ---- what the router says ---- */

static struct ww_bmp_peer peer_header(uint8_t number) {
  return (struct ww_bmp_peer){.address = {[12] = 192, [14] = 2, [15] = number}, .asn = PEER_AS, .bgp_id = number};
}

static void peer_up_header(struct lab *lab, const struct ww_bmp_peer *peer) {
  uint8_t sent[128], received[128];
  struct ww_writer s = ww_writer_make(sent, sizeof sent), r = ww_writer_make(received, sizeof received);
  ww_bgp_open_write(&s, LOCAL_AS, 90, 1, NULL, 0);
  ww_bgp_open_write(&r, PEER_AS, 180, 2, NULL, 0);
  struct ww_bmp_msg msg;
  memset(&msg, 0, sizeof msg);
  msg.u.up.local = (struct ww_addr){.afi = WW_AFI_IPV4, .bytes = {192, 0, 2, 1}};
  msg.u.up.local_port = 179;
  msg.u.up.remote_port = 40000;
  msg.u.up.sent_open = sent;
  msg.u.up.sent_len = s.len;
  msg.u.up.received_open = received;
  msg.u.up.received_len = r.len;
  lab->events.peer_up(lab->events.ctx, peer, &msg);
}

static void peer_up(struct lab *lab, uint8_t number) {
  struct ww_bmp_peer peer = peer_header(number);
  peer_up_header(lab, &peer);
}

static void peer_down(struct lab *lab, uint8_t number, const struct ww_bmp_msg *msg) {
  struct ww_bmp_peer peer = peer_header(number);
  lab->events.peer_down(lab->events.ctx, &peer, msg);
}

/* Announces (path given) or withdraws prefixes of a text like "10.0.0.0/8 10.1.0.0/16", all of one family. */
struct said {
  const char *withdraw, *announce, *path;
  uint8_t peer, med, view, eor_afi;
  uint32_t sec, path_id;
  bool add_path;
};

static void write_prefixes(const char *text, struct ww_nlri *nlri, uint8_t *room, size_t size, uint32_t path_id) {
  struct ww_writer w = ww_writer_make(room, size);
  char copy[512], *save = NULL;
  snprintf(copy, sizeof copy, "%s", text);
  for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
    struct ww_prefix prefix;
    assert_int_equal(ww_prefix_parse(p, &prefix), WW_OK);
    nlri->afi = prefix.afi;
    ww_nlri_write(&w, &prefix, nlri->add_path, path_id);
  }
  nlri->data = room;
  nlri->len = w.len;
}

static void say(struct lab *lab, struct said said) {
  static const uint8_t next_hop[16] = {0x20, 1, 0xd, 0xb8, [15] = 9};
  uint8_t out[512], in[512], attrs[256];
  struct ww_bgp_update u;
  memset(&u, 0, sizeof u);
  u.withdrawn[0].add_path = u.announced[0].add_path = said.add_path;
  if (said.withdraw)
    write_prefixes(said.withdraw, &u.withdrawn[0], out, sizeof out, said.path_id);
  if (said.announce) {
    write_prefixes(said.announce, &u.announced[0], in, sizeof in, said.path_id);
    struct ww_writer w = ww_writer_make(attrs, sizeof attrs);
    ww_writer_bytes(&w, (const uint8_t[]){0x80, WW_ATTR_MED, 4, 0, 0, 0, said.med, 0x40, WW_ATTR_AS_PATH, 0}, 10);
    assert_int_equal(ww_as_path_parse(said.path, &w, NULL), WW_OK);
    attrs[9] = (uint8_t)(w.len - 10);
    u.attrs = attrs;
    u.attrs_len = w.len;
    u.has_as_path = true;
    u.as_path = (struct ww_as_path){.data = attrs + 10, .len = w.len - 10};
    u.next_hop[0] = next_hop;
    u.next_hop_len[0] = u.announced[0].afi == WW_AFI_IPV6 ? 16 : 4;
  }
  u.eor = said.eor_afi != 0;
  u.eor_afi = said.eor_afi;
  struct ww_bmp_peer peer = peer_header(said.peer);
  peer.sec = said.sec;
  lab->events.update(lab->events.ctx, &peer, (enum ww_rib_view)said.view, &u);
}

/* ---- data ---- */

static void add_vrp(struct ww_payloads *set, const char *prefix, uint8_t max_len, uint32_t asn, ww_unix_time expires) {
  struct ww_vrp vrp = {.max_len = max_len, .asn = asn, .expires = expires};
  assert_int_equal(ww_prefix_parse(prefix, &vrp.prefix), WW_OK);
  assert_int_equal(ww_payloads_add_vrp(set, &vrp), WW_OK);
}

/* Applies and frees the delta. */
static void publish(struct lab *lab, struct ww_payload_delta *delta, bool ready) {
  struct ww_snapshot *next = NULL;
  assert_int_equal(ww_payloads_sort(&delta->announce), WW_OK);
  assert_int_equal(ww_payloads_sort(&delta->withdraw), WW_OK);
  delta->source = 1;
  assert_int_equal(ww_snapshot_apply(lab->snapshot, delta, ++lab->epoch, ready, &next), WW_OK);
  ww_snapshot_unref(lab->snapshot);
  lab->snapshot = next;
  assert_int_equal(ww_engine_set_snapshot(lab->engine, next, delta, 1), WW_OK);
  ww_payload_delta_fini(delta);
  memset(delta, 0, sizeof *delta);
}

static void announce_vrp(struct lab *lab, const char *prefix, uint8_t max_len, uint32_t asn) {
  struct ww_payload_delta delta = {0};
  add_vrp(&delta.announce, prefix, max_len, asn, 0);
  publish(lab, &delta, true);
}

static void become_ready(struct lab *lab) {
  struct ww_payload_delta delta = {0};
  publish(lab, &delta, true);
}

static void work(struct lab *lab) {
  while (ww_engine_work(lab->engine, 1000, now))
    ;
}

static struct ww_engine_counts counts_of(const struct lab *lab) {
  struct ww_engine_counts counts;
  ww_engine_router_counts(lab->router, &counts);
  return counts;
}

/* ---- what comes out ---- */

/* Reads the next entry that is still true; its kind as a letter: U up, D down, E End-of-RIB, r route, w withdrawal;
 * 0 at the end. */
static char next_change(struct lab *lab, struct ww_change *change, struct ww_out_route *route) {
  uint64_t seq;
  int got;
  while ((got = ww_journal_reader_next(lab->reader, change, &seq)) != 0) {
    assert_int_equal(got, 1);
    switch (change->kind) {
    case WW_CHANGE_PEER_UP:
      return 'U';
    case WW_CHANGE_PEER_DOWN:
      return 'D';
    case WW_CHANGE_EOR:
      return 'E';
    default:
      if (lab->view.route(lab->view.ctx, change->id, route) && route->seq == seq)
        return route->withdrawn ? 'w' : 'r';
    }
  }
  return 0;
}

/* All that is to be read, as letters. */
static void expect_changes(struct lab *lab, const char *letters) {
  char got[64] = "";
  struct ww_change change;
  struct ww_out_route route;
  for (size_t n = 0; n + 1 < sizeof got; n++)
    if ((got[n] = next_change(lab, &change, &route)) == 0)
      break;
  assert_string_equal(got, letters);
}

static enum ww_state state_of(struct lab *lab, uint32_t id) {
  struct ww_verdict verdict = {0};
  enum ww_state state = WW_STATE_NOT_READY;
  if (lab->view.verdict(lab->view.ctx, id, &verdict)) {
    assert_int_equal(verdict.epoch, lab->epoch);
    state = (enum ww_state)verdict.state;
  }
  ww_verdict_fini(&verdict);
  return state;
}

/* ---- tests ---- */

static void test_verdicts_of_one_update(void **state) {
  (void)state;
  struct lab lab = lab_new(NULL);
  announce_vrp(&lab, "10.0.0.0/8", 16, 64501);
  peer_up(&lab, 1);
  say(&lab, (struct said){.peer = 1, .announce = "10.0.0.0/16 10.0.0.0/24 11.0.0.0/8", .path = "64500 64501"});
  struct ww_engine_counts c = counts_of(&lab);
  assert_int_equal(c.valid, 1);
  assert_int_equal(c.invalid, 1);
  assert_int_equal(c.unknown, 1);
  assert_int_equal(c.not_ready, 0);
  assert_int_equal(c.routes, 3);
  assert_int_equal(c.prefixes, 3);
  assert_int_equal(c.attrs, 1);
  assert_int_equal(c.peers_up, 1);
  assert_int_equal(c.evaluated, 3);
  assert_true(c.bytes > 0);
  struct ww_change change;
  struct ww_out_route route;
  static const enum ww_state expected[] = {WW_STATE_VALID, WW_STATE_INVALID, WW_STATE_UNKNOWN};
  assert_int_equal(next_change(&lab, &change, &route), 'U');
  for (unsigned i = 0; i < 3; i++) {
    assert_int_equal(next_change(&lab, &change, &route), 'r');
    assert_int_equal(route.trigger, WW_TRIGGER_UPDATE);
    assert_int_equal(route.sec, 7000); /* the router gave no time */
    assert_int_equal(state_of(&lab, change.id), expected[i]);
  }
  lab_free(&lab);
}

/* More than one batch of the judge. */
static void test_long_update(void **state) {
  (void)state;
  struct lab lab = lab_new(NULL);
  announce_vrp(&lab, "10.0.0.0/8", 16, 64501);
  peer_up(&lab, 1);
  char text[512] = "";
  for (unsigned n = 0; n < 40; n++)
    snprintf(text + strlen(text), sizeof text - strlen(text), "10.%u.0.0/16 ", n);
  for (uint32_t path = 0; path < 4; path++)
    say(&lab, (struct said){.peer = 1, .announce = text, .path = "64501", .add_path = true, .path_id = path});
  assert_int_equal(counts_of(&lab).valid, 160);
  assert_int_equal(counts_of(&lab).prefixes, 40);
  announce_vrp(&lab, "10.0.0.0/9", 10, 64501); /* they stay Valid, and by the same rule */
  work(&lab);
  assert_int_equal(counts_of(&lab).evaluated, 320);
  assert_int_equal(counts_of(&lab).changed, 160);
  lab_free(&lab);
}

static void test_same_again_says_nothing(void **state) {
  (void)state;
  struct lab lab = lab_new(NULL);
  become_ready(&lab);
  peer_up(&lab, 1);
  const struct said first = {.peer = 1, .announce = "10.0.0.0/8 11.0.0.0/8", .path = "64500 64501", .sec = 50};
  say(&lab, first);
  expect_changes(&lab, "Urr");
  say(&lab, first);
  expect_changes(&lab, "");
  struct said other = first;
  other.med = 1;
  other.announce = "11.0.0.0/8";
  say(&lab, other);
  expect_changes(&lab, "r");
  say(&lab, first); /* one of the two is back to what it was */
  expect_changes(&lab, "r");
  lab_free(&lab);
}

static void test_withdrawals(void **state) {
  (void)state;
  struct lab lab = lab_new(NULL);
  become_ready(&lab);
  peer_up(&lab, 1);
  say(&lab, (struct said){.peer = 1, .announce = "10.0.0.0/8 11.0.0.0/8", .path = "64501"});
  say(&lab, (struct said){.peer = 1, .withdraw = "10.0.0.0/8 12.0.0.0/8"});
  say(&lab, (struct said){.peer = 1, .withdraw = "10.0.0.0/8"}); /* again, and one never announced */
  assert_int_equal(counts_of(&lab).ignored, 2);
  assert_int_equal(counts_of(&lab).routes, 1);
  expect_changes(&lab, "Urw");
  assert_int_equal(counts_of(&lab).prefixes, 2); /* the withdrawn one is kept until its entry has passed */
  say(&lab, (struct said){.peer = 1, .announce = "13.0.0.0/8", .path = "64501"});
  expect_changes(&lab, "r");
  say(&lab, (struct said){.peer = 1, .announce = "14.0.0.0/8", .path = "64501"});
  assert_int_equal(counts_of(&lab).prefixes, 3);
  assert_int_equal(counts_of(&lab).routes, 3);
  /* One that comes back before anybody has read that it went. */
  say(&lab, (struct said){.peer = 1, .withdraw = "11.0.0.0/8"});
  say(&lab, (struct said){.peer = 1, .announce = "11.0.0.0/8", .path = "64501"});
  expect_changes(&lab, "rr");
  /* RFC 4271 §4.3: both in one UPDATE is an announcement. */
  say(&lab, (struct said){.peer = 1, .withdraw = "11.0.0.0/8", .announce = "11.0.0.0/8", .path = "64502"});
  expect_changes(&lab, "r");
  assert_int_equal(counts_of(&lab).routes, 3);
  lab_free(&lab);
}

/* Withdrawals of several peers wait between each other; those of the peer that goes leave, the others stay in order. */
static void test_withdrawals_of_a_peer_that_goes(void **state) {
  (void)state;
  struct lab lab = lab_new(NULL);
  become_ready(&lab);
  for (uint8_t peer = 1; peer <= 2; peer++) {
    peer_up(&lab, peer);
    say(&lab, (struct said){.peer = peer, .announce = "10.0.0.0/8 11.0.0.0/8 12.0.0.0/8", .path = "64501"});
  }
  expect_changes(&lab, "UrrrUrrr");
  for (uint8_t i = 0; i < 3; i++)
    for (uint8_t peer = 1; peer <= 2; peer++)
      say(&lab, (struct said){.peer = peer, .withdraw = (const char *[]){"10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8"}[i]});
  struct ww_bmp_msg msg;
  memset(&msg, 0, sizeof msg);
  msg.u.down.reason = 4;
  peer_down(&lab, 1, &msg);
  assert_int_equal(counts_of(&lab).prefixes, 3); /* of the other peer */
  expect_changes(&lab, "wwwD");
  say(&lab, (struct said){.peer = 2, .announce = "13.0.0.0/8", .path = "64501"});
  expect_changes(&lab, "r");
  assert_int_equal(counts_of(&lab).prefixes, 1);
  assert_int_equal(counts_of(&lab).routes, 1);
  lab_free(&lab);
}

static void test_nothing_before_ready(void **state) {
  (void)state;
  struct lab lab = lab_new(NULL);
  peer_up(&lab, 1);
  say(&lab, (struct said){.peer = 1, .announce = "10.0.0.0/8 11.0.0.0/8", .path = "64501"});
  say(&lab, (struct said){.peer = 1, .withdraw = "11.0.0.0/8"});
  say(&lab, (struct said){.peer = 1, .eor_afi = WW_AFI_IPV4});
  assert_false(ww_engine_work(lab.engine, 1000, now));
  expect_changes(&lab, "U");
  assert_false(lab.view.ready(lab.view.ctx));
  assert_int_equal(counts_of(&lab).not_ready, 1);
  assert_int_equal(counts_of(&lab).evaluated, 0);
  void *walker = lab.view.walk_new(lab.view.ctx, 1);
  uint32_t id = lab.view.walk_next(lab.view.ctx, walker);
  assert_int_not_equal(id, 0);
  assert_int_equal(state_of(&lab, id), WW_STATE_NOT_READY);
  assert_int_equal(lab.view.walk_next(lab.view.ctx, walker), 0);
  lab.view.walk_free(lab.view.ctx, walker);
  struct ww_out_peer peer;
  assert_true(lab.view.peer(lab.view.ctx, 1, &peer));
  assert_false(peer.eor[WW_AFI_IPV4]);
  /* The End-of-RIB comes behind the routes that were held, and those behind an End-of-RIB of their own stay before it.
   */
  become_ready(&lab);
  assert_true(lab.view.ready(lab.view.ctx));
  say(&lab, (struct said){.peer = 1, .eor_afi = WW_AFI_IPV6});
  expect_changes(&lab, "");
  work(&lab);
  expect_changes(&lab, "rEE");
  assert_int_equal(counts_of(&lab).not_ready, 0);
  assert_int_equal(counts_of(&lab).unknown, 1);
  assert_true(lab.view.peer(lab.view.ctx, 1, &peer));
  assert_true(peer.eor[WW_AFI_IPV4]);
  say(&lab, (struct said){.peer = 1, .eor_afi = WW_AFI_IPV4});
  expect_changes(&lab, "E");
  lab_free(&lab);
}

static void test_data_that_expires(void **state) {
  (void)state;
  struct lab lab = lab_new(NULL);
  announce_vrp(&lab, "10.0.0.0/8", 8, 64501);
  peer_up(&lab, 1);
  say(&lab, (struct said){.peer = 1, .announce = "10.0.0.0/8", .path = "64501"});
  expect_changes(&lab, "Ur");
  struct ww_payload_delta nothing = {0};
  publish(&lab, &nothing, false);
  assert_int_equal(counts_of(&lab).not_ready, 1);
  work(&lab);
  expect_changes(&lab, "");
  publish(&lab, &nothing, true);
  work(&lab);
  expect_changes(&lab, "r"); /* told anew, though it is what it was */
  assert_int_equal(counts_of(&lab).valid, 1);
  lab_free(&lab);
}

/* 10.x.y.0/24 for 40 x and 10 y, by one peer; every second x by another peer too. */
static void fill(struct lab *lab) {
  char text[512];
  for (unsigned x = 0; x < 40; x++) {
    text[0] = '\0';
    for (unsigned y = 0; y < 10; y++)
      snprintf(text + strlen(text), sizeof text - strlen(text), "10.%u.%u.0/24 ", x, y);
    say(lab, (struct said){.peer = 1, .announce = text, .path = "64501"});
    if (x % 2)
      say(lab, (struct said){.peer = 2, .announce = text, .path = "64501"});
  }
}

static void test_work_is_proportional(void **state) {
  (void)state;
  struct ww_engine_router_config config = {.name = "lab"};
  struct lab lab = lab_new(&config);
  become_ready(&lab);
  peer_up(&lab, 1);
  peer_up(&lab, 2);
  fill(&lab);
  assert_int_equal(counts_of(&lab).routes, 600);
  work(&lab);
  uint64_t before = counts_of(&lab).evaluated, changed = counts_of(&lab).changed;
  announce_vrp(&lab, "10.4.0.0/16", 24, 64501); /* 10 routes of one peer */
  work(&lab);
  assert_int_equal(counts_of(&lab).evaluated - before, 10);
  assert_int_equal(counts_of(&lab).changed - changed, 10);
  before = counts_of(&lab).evaluated;
  announce_vrp(&lab, "10.5.3.0/24", 24, 64502); /* one prefix, two peers */
  work(&lab);
  assert_int_equal(counts_of(&lab).evaluated - before, 2);
  before = counts_of(&lab).evaluated;
  announce_vrp(&lab, "10.5.3.0/25", 32, 64502); /* covers nothing that is here */
  announce_vrp(&lab, "2001:db8::/32", 48, 64502);
  work(&lab);
  assert_int_equal(counts_of(&lab).evaluated - before, 0);
  /* Nested, repeated, and spread over several deltas: each route once. */
  struct ww_payload_delta delta = {0};
  add_vrp(&delta.announce, "10.6.0.0/15", 24, 64501, 0);
  add_vrp(&delta.announce, "10.6.0.0/16", 24, 64501, 0);
  add_vrp(&delta.announce, "10.7.1.0/24", 24, 64501, 0);
  publish(&lab, &delta, true);
  announce_vrp(&lab, "10.6.2.0/24", 24, 64503);
  announce_vrp(&lab, "10.6.0.0/15", 25, 64503);
  work(&lab);
  assert_int_equal(counts_of(&lab).evaluated - before, 30);
  /* A change of what is listed but of no verdict is told; one of what is not listed is not. */
  changed = counts_of(&lab).changed;
  announce_vrp(&lab, "10.6.0.0/16", 32, 64501); /* second matching rule */
  work(&lab);
  assert_int_equal(counts_of(&lab).changed - changed, 10);
  announce_vrp(&lab, "10.6.0.0/16", 16, 64504); /* covers, does not match: they stay Valid */
  work(&lab);
  assert_int_equal(counts_of(&lab).changed - changed, 10);
  before = counts_of(&lab).evaluated;
  add_vrp(&delta.refresh, "10.6.0.0/16", 32, 64501, 99999);
  publish(&lab, &delta, true);
  assert_false(ww_engine_work(lab.engine, 1000, now));
  assert_int_equal(counts_of(&lab).evaluated, before);
  /* Judged anew without a delta: all looked at, nothing told. */
  changed = counts_of(&lab).changed;
  assert_int_equal(ww_engine_set_snapshot(lab.engine, lab.snapshot, NULL, 0), WW_OK);
  work(&lab);
  assert_int_equal(counts_of(&lab).evaluated - before, 600);
  assert_int_equal(counts_of(&lab).changed, changed);
  lab_free(&lab);
}

static void test_dataset_changes_say_so(void **state) {
  (void)state;
  struct lab lab = lab_new(NULL);
  become_ready(&lab);
  peer_up(&lab, 1);
  say(&lab, (struct said){.peer = 1, .announce = "10.0.0.0/8", .path = "64501", .sec = 50});
  struct ww_change change;
  struct ww_out_route route;
  assert_int_equal(next_change(&lab, &change, &route), 'U');
  assert_int_equal(next_change(&lab, &change, &route), 'r');
  assert_int_equal(route.sec, 50);
  announce_vrp(&lab, "10.0.0.0/8", 8, 64502);
  now.unix_sec = 9000;
  work(&lab);
  assert_int_equal(next_change(&lab, &change, &route), 'r');
  assert_int_equal(route.trigger, WW_TRIGGER_DATASET);
  assert_int_equal(route.sec, 9000);
  assert_int_equal(state_of(&lab, change.id), WW_STATE_INVALID);
  lab_free(&lab);
}

/* Work is done in slices, and a delta that comes between two of them repeats only what it touches. */
static void test_slices_and_coalescing(void **state) {
  (void)state;
  struct lab lab = lab_new(NULL);
  become_ready(&lab);
  peer_up(&lab, 1);
  fill(&lab); /* 400 routes, of peer 1 alone */
  work(&lab);
  uint64_t before = counts_of(&lab).evaluated;
  announce_vrp(&lab, "10.0.0.0/8", 24, 64501);
  assert_true(ww_engine_work(lab.engine, 100, now));
  assert_int_equal(counts_of(&lab).evaluated - before, 100); /* 10.0 to 10.9 */
  announce_vrp(&lab, "10.3.0.0/16", 24, 64502);              /* before the cursor: again */
  announce_vrp(&lab, "10.30.0.0/16", 24, 64502);             /* behind it: once */
  unsigned slices = 0;
  while (ww_engine_work(lab.engine, 7, now))
    slices++;
  assert_int_equal(counts_of(&lab).evaluated - before, 410);
  assert_true(slices >= 310 / 7);
  assert_int_equal(counts_of(&lab).valid, 400);
  lab_free(&lab);
}

/* More VRPs than are worth a visit each: one walk through the table. */
static void test_large_delta_is_one_walk(void **state) {
  (void)state;
  struct lab lab = lab_new(NULL);
  become_ready(&lab);
  peer_up(&lab, 1);
  fill(&lab);
  work(&lab);
  uint64_t before = counts_of(&lab).evaluated;
  struct ww_payload_delta delta = {0};
  char text[32];
  for (unsigned i = 0; i < 5000; i++) {
    snprintf(text, sizeof text, "11.%u.%u.0/24", i / 256, i % 256);
    add_vrp(&delta.announce, text, 24, 64501, 0);
  }
  publish(&lab, &delta, true);
  work(&lab);
  assert_int_equal(counts_of(&lab).evaluated - before, 400);
  lab_free(&lab);
}

static void test_peers(void **state) {
  (void)state;
  struct lab lab = lab_new(NULL);
  struct ww_out_peer peer;
  struct ww_bmp_msg msg;
  become_ready(&lab);
  memset(&msg, 0, sizeof msg);
  msg.u.down.reason = 4;
  peer_down(&lab, 1, &msg); /* before any Peer Up, as FRR sends it */
  assert_int_equal(counts_of(&lab).ignored, 1);
  expect_changes(&lab, "");
  peer_up(&lab, 1);
  peer_up(&lab, 2);
  uint32_t one = lab.view.peer_next(lab.view.ctx, 0), two = lab.view.peer_next(lab.view.ctx, one);
  assert_int_equal(lab.view.peer_next(lab.view.ctx, two), 0);
  assert_false(lab.view.peer(lab.view.ctx, 0, &peer));
  assert_false(lab.view.peer(lab.view.ctx, two + 1, &peer));
  assert_true(lab.view.peer(lab.view.ctx, two, &peer));
  assert_true(peer.up);
  assert_int_equal(peer.header.address[15], 2);
  assert_int_equal(peer.local_port, 179);
  assert_int_equal(peer.remote_port, 40000);
  struct ww_bgp_open open;
  struct ww_arena arena;
  ww_arena_init(&arena, 0);
  assert_int_equal(ww_bgp_open_decode(peer.sent_open, peer.sent_len, &arena, &open, NULL), WW_OK);
  assert_int_equal(open.asn, LOCAL_AS);
  assert_int_equal(ww_bgp_open_decode(peer.received_open, peer.received_len, &arena, &open, NULL), WW_OK);
  assert_int_equal(open.asn, PEER_AS);
  ww_arena_fini(&arena);

  say(&lab, (struct said){.peer = 1, .announce = "10.0.0.0/8 11.0.0.0/8", .path = "64501"});
  say(&lab, (struct said){.peer = 2, .announce = "10.0.0.0/8", .path = "64501"});
  say(&lab, (struct said){.peer = 1, .withdraw = "11.0.0.0/8"});
  expect_changes(&lab, "UUrrw");
  const uint8_t notification[] = {1, 2, 3, 4, 5};
  msg.u.down.reason = 1;
  msg.u.down.notification = notification;
  msg.u.down.notification_len = sizeof notification;
  peer_down(&lab, 1, &msg);
  assert_int_equal(counts_of(&lab).routes, 1);
  assert_int_equal(counts_of(&lab).peers_up, 1);
  expect_changes(&lab, "D"); /* and not one for each route */
  assert_true(lab.view.peer(lab.view.ctx, one, &peer));
  assert_false(peer.up);
  assert_int_equal(peer.down_reason, 1);
  assert_int_equal(peer.down_len, sizeof notification);
  assert_memory_equal(peer.down_data, notification, sizeof notification);

  peer_up(&lab, 1); /* it returns under its id */
  peer_up(&lab, 2); /* and this one never said that it went: its routes are gone */
  expect_changes(&lab, "UDU");
  assert_int_equal(counts_of(&lab).routes, 0);
  assert_true(lab.view.peer(lab.view.ctx, two, &peer));
  assert_int_equal(peer.down_reason, 2);
  assert_memory_equal(peer.down_data, "\0\0", 2);

  msg.u.down.reason = 2;
  msg.u.down.fsm_event = 0x0118;
  peer_down(&lab, 2, &msg);
  assert_true(lab.view.peer(lab.view.ctx, two, &peer));
  assert_memory_equal(peer.down_data, "\1\x18", 2);
  expect_changes(&lab, "D");
  say(&lab, (struct said){.peer = 2, .announce = "10.0.0.0/8", .path = "64501"}); /* of a peer that is down */
  say(&lab, (struct said){.peer = 3, .announce = "10.0.0.0/8", .path = "64501"}); /* of one never seen */
  assert_int_equal(counts_of(&lab).ignored, 3);
  assert_int_equal(counts_of(&lab).routes, 0);

  ww_engine_router_disconnected(lab.router);
  expect_changes(&lab, "D");
  assert_true(lab.view.peer(lab.view.ctx, one, &peer));
  assert_int_equal(peer.down_reason, 5);
  assert_int_equal(peer.down_len, 0);
  assert_true(lab.view.peer(lab.view.ctx, two, &peer));
  assert_int_equal(peer.down_reason, 2); /* the router said otherwise */
  lab_free(&lab);
}

static void test_views(void **state) {
  (void)state;
  struct lab lab = lab_new(NULL);
  become_ready(&lab);
  peer_up(&lab, 1);
  const struct ww_bmp_peer loc_rib = {.type = WW_BMP_PEER_LOC_RIB, .asn = LOCAL_AS};
  peer_up_header(&lab, &loc_rib);
  say(&lab, (struct said){.peer = 1, .view = WW_VIEW_ADJ_IN_POST, .announce = "10.0.0.0/8", .path = "64501"});
  say(&lab, (struct said){.peer = 1, .view = WW_VIEW_LOC_RIB, .announce = "10.0.0.0/8", .path = "64501"});
  assert_int_equal(counts_of(&lab).ignored, 3);
  assert_int_equal(counts_of(&lab).routes, 0);
  assert_int_equal(counts_of(&lab).peers_up, 1);
  expect_changes(&lab, "U");
  lab_free(&lab);

  struct ww_engine_router_config config = {.name = "all", .views = 0x1f};
  lab = lab_new(&config);
  become_ready(&lab);
  peer_up(&lab, 1);
  peer_up_header(&lab, &loc_rib);
  expect_changes(&lab, "UUUUU");
  static const uint8_t flags[] = {0, WW_BMP_FLAG_L, WW_BMP_FLAG_O, WW_BMP_FLAG_O | WW_BMP_FLAG_L, 0};
  struct ww_out_peer peer;
  for (uint32_t id = 1; id <= 5; id++) {
    assert_true(lab.view.peer(lab.view.ctx, id, &peer));
    assert_int_equal(peer.header.flags, flags[id - 1]);
    assert_int_equal(peer.header.type, id == 5 ? WW_BMP_PEER_LOC_RIB : WW_BMP_PEER_GLOBAL);
  }
  say(&lab, (struct said){.peer = 1, .view = WW_VIEW_ADJ_IN_POST, .announce = "10.0.0.0/8", .path = "64501"});
  struct ww_change change;
  struct ww_out_route route;
  assert_int_equal(next_change(&lab, &change, &route), 'r');
  assert_int_equal(route.peer, 2);
  struct ww_bmp_msg msg;
  memset(&msg, 0, sizeof msg);
  msg.u.down.reason = 4;
  peer_down(&lab, 1, &msg);
  expect_changes(&lab, "DDDD");
  assert_int_equal(counts_of(&lab).peers_up, 1);
  peer_up_header(&lab, &loc_rib); /* RFC 9069 §5.3: a Loc-RIB goes down with reason 6 and no other */
  expect_changes(&lab, "DU");
  assert_true(lab.view.peer(lab.view.ctx, 5, &peer));
  assert_int_equal(peer.down_reason, 6);
  lab_free(&lab);
}

/* RFC 6811 §2: the speaker's own AS where the path names none. */
static void test_local_as(void **state) {
  (void)state;
  struct lab lab = lab_new(NULL);
  announce_vrp(&lab, "10.0.0.0/8", 8, LOCAL_AS);
  peer_up(&lab, 1);
  say(&lab, (struct said){.peer = 1, .announce = "10.0.0.0/8", .path = ""});
  assert_int_equal(counts_of(&lab).valid, 1);
  lab_free(&lab);
  struct ww_engine_router_config config = {.name = "lab", .local_as = 64777};
  lab = lab_new(&config);
  announce_vrp(&lab, "10.0.0.0/8", 8, 64777);
  peer_up(&lab, 1);
  say(&lab, (struct said){.peer = 1, .announce = "10.0.0.0/8", .path = "(65001)"});
  assert_int_equal(counts_of(&lab).valid, 1);
  lab_free(&lab);
}

static void test_route_limit(void **state) {
  (void)state;
  struct ww_engine_router_config config = {.name = "lab", .max_routes = 2};
  struct lab lab = lab_new(&config);
  become_ready(&lab);
  peer_up(&lab, 1);
  say(&lab, (struct said){.peer = 1, .announce = "10.0.0.0/8 11.0.0.0/8 12.0.0.0/8", .path = "64501"});
  assert_int_equal(counts_of(&lab).routes, 2);
  assert_int_equal(counts_of(&lab).refused, 1);
  say(&lab, (struct said){.peer = 1, .announce = "10.0.0.0/8", .path = "64502"}); /* what is held may change */
  assert_int_equal(counts_of(&lab).refused, 1);
  expect_changes(&lab, "Urr");
  lab_free(&lab);
}

static void test_add_path(void **state) {
  (void)state;
  struct lab lab = lab_new(NULL);
  become_ready(&lab);
  peer_up(&lab, 1);
  say(&lab, (struct said){.peer = 1, .announce = "10.0.0.0/8", .path = "64501", .add_path = true, .path_id = 7});
  say(&lab, (struct said){.peer = 1, .announce = "10.0.0.0/8", .path = "64502", .add_path = true, .path_id = 8});
  assert_int_equal(counts_of(&lab).routes, 2);
  say(&lab, (struct said){.peer = 1, .withdraw = "10.0.0.0/8", .add_path = true, .path_id = 7});
  assert_int_equal(counts_of(&lab).routes, 1);
  struct ww_change change;
  struct ww_out_route route;
  assert_int_equal(next_change(&lab, &change, &route), 'U');
  assert_int_equal(next_change(&lab, &change, &route), 'r');
  assert_int_equal(route.path_id, 8);
  assert_true(route.add_path);
  assert_int_equal(next_change(&lab, &change, &route), 'w');
  assert_int_equal(route.path_id, 7);
  lab_free(&lab);
}

static int first_route(void *ctx, const struct ww_engine_route *route) {
  *(struct ww_engine_route *)ctx = *route;
  return 5;
}

static int count_routes(void *ctx, const struct ww_engine_route *route) {
  (void)route;
  ++*(unsigned *)ctx;
  return 0;
}

static void test_listing(void **state) {
  (void)state;
  struct lab lab = lab_new(NULL);
  announce_vrp(&lab, "11.0.0.0/8", 8, 64501);
  peer_up(&lab, 1);
  peer_up(&lab, 2);
  say(&lab, (struct said){.peer = 1, .announce = "11.0.0.0/8", .path = "64502"});
  say(&lab, (struct said){.peer = 2, .announce = "11.0.0.0/8", .path = "64502"});
  say(&lab, (struct said){.peer = 2, .announce = "10.0.0.0/8 12.0.0.0/8", .path = "64502"});
  say(&lab, (struct said){.peer = 2, .announce = "2001:db8::/32", .path = "64502"});
  say(&lab, (struct said){.peer = 2, .withdraw = "12.0.0.0/8"});
  unsigned count = 0;
  assert_int_equal(ww_engine_router_routes(lab.router, NULL, &count, count_routes), 0);
  assert_int_equal(count, 4);
  struct ww_prefix p;
  assert_int_equal(ww_prefix_parse("11.0.0.0/8", &p), WW_OK);
  count = 0;
  assert_int_equal(ww_engine_router_routes(lab.router, &p, &count, count_routes), 0);
  assert_int_equal(count, 2);
  struct ww_engine_route route;
  assert_int_equal(ww_engine_router_routes(lab.router, &p, &route, first_route), 5);
  assert_int_equal(route.state, WW_STATE_INVALID);
  assert_int_equal(route.kinds[WW_KIND_ORIGIN - 1].reason, WW_REASON_ORIGIN_AS);
  assert_int_equal(route.origin.asn, 64502);
  assert_int_equal(route.epoch, 1);
  assert_int_equal(ww_prefix_compare(&route.route.prefix, &p), 0);
  assert_int_equal(ww_prefix_parse("11.0.0.0/9", &p), WW_OK);
  assert_int_equal(ww_engine_router_routes(lab.router, &p, &route, first_route), 0);
  lab_free(&lab);
}

static void test_names(void **state) {
  (void)state;
  struct lab lab = lab_new(NULL);
  assert_string_equal(lab.view.sys_name(lab.view.ctx), "lab");
  assert_string_equal(lab.view.sys_descr(lab.view.ctx), "lab");
  lab.events.initiation(lab.events.ctx, "r1", "FRRouting 8.4.4");
  assert_string_equal(lab.view.sys_name(lab.view.ctx), "r1");
  assert_string_equal(lab.view.sys_descr(lab.view.ctx), "FRRouting 8.4.4");
  lab.events.initiation(lab.events.ctx, NULL, NULL);
  assert_string_equal(lab.view.sys_name(lab.view.ctx), "lab");
  assert_null(lab.view.source_name(lab.view.ctx, 7));
  const struct ww_engine_source sources[] = {{.id = 3, .type = 4, .name = "static"},
                                             {.id = 7, .type = 1, .name = "rtr"}};
  ww_engine_set_sources(lab.engine, sources, 2);
  assert_string_equal(lab.view.source_name(lab.view.ctx, 7), "rtr");
  assert_int_equal(lab.view.source_type(lab.view.ctx, 3), 4);
  ww_engine_set_sources(lab.engine, NULL, 0);
  assert_null(lab.view.source_name(lab.view.ctx, 7));
  lab_free(&lab);
}

/* Two routers of one engine: each its own tables and journal, work shared between them. */
static void test_two_routers(void **state) {
  (void)state;
  struct lab a = lab_new(NULL), b = a;
  struct ww_engine_router_config config = {.name = "second"};
  plug(&b, &config);
  b.epoch = a.epoch;
  become_ready(&a);
  for (unsigned i = 0; i < 2; i++) {
    peer_up(i ? &b : &a, 1);
    peer_up(i ? &b : &a, 2);
    fill(i ? &b : &a);
  }
  say(&b, (struct said){.peer = 1, .withdraw = "10.0.0.0/24"});
  assert_int_equal(counts_of(&a).routes, 600);
  assert_int_equal(counts_of(&b).routes, 599);
  announce_vrp(&a, "10.0.0.0/8", 24, 64501);
  bool more = ww_engine_work(a.engine, 100, now);
  more = ww_engine_work(a.engine, 100, now) && more;
  assert_true(more);
  assert_int_not_equal(counts_of(&a).valid, 0); /* neither waits for the other to end */
  assert_int_not_equal(counts_of(&b).valid, 0);
  work(&a);
  assert_int_equal(counts_of(&a).valid, 600);
  assert_int_equal(counts_of(&b).valid, 599);
  ww_journal_reader_free(b.reader);
  announce_vrp(&a, "10.0.0.0/8", 23, 64501);
  ww_engine_router_free(b.router);
  work(&a);
  assert_int_equal(counts_of(&a).valid, 600);
  lab_free(&a);
}

static void test_bad_arguments(void **state) {
  (void)state;
  struct lab lab = lab_new(NULL);
  assert_int_equal(ww_engine_set_snapshot(lab.engine, NULL, NULL, 0), WW_ERR_INVAL);
  struct ww_engine_router_config config = {.name = "huge", .journal_entries = SIZE_MAX};
  assert_null(ww_engine_router_new(lab.engine, &config));
  assert_false(ww_engine_work(lab.engine, 10, now));
  struct ww_out_route route;
  struct ww_verdict verdict = {0};
  assert_false(lab.view.route(lab.view.ctx, 1, &route));
  assert_false(lab.view.verdict(lab.view.ctx, UINT32_MAX, &verdict));
  void *walker = lab.view.walk_new(lab.view.ctx, 9);
  assert_int_equal(lab.view.walk_next(lab.view.ctx, walker), 0);
  lab.view.walk_free(lab.view.ctx, walker);
  ww_engine_router_free(NULL);
  lab_free(&lab);
  ww_engine_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bad_arguments),
      cmocka_unit_test(test_verdicts_of_one_update),
      cmocka_unit_test(test_long_update),
      cmocka_unit_test(test_same_again_says_nothing),
      cmocka_unit_test(test_withdrawals),
      cmocka_unit_test(test_withdrawals_of_a_peer_that_goes),
      cmocka_unit_test(test_nothing_before_ready),
      cmocka_unit_test(test_data_that_expires),
      cmocka_unit_test(test_work_is_proportional),
      cmocka_unit_test(test_dataset_changes_say_so),
      cmocka_unit_test(test_slices_and_coalescing),
      cmocka_unit_test(test_large_delta_is_one_walk),
      cmocka_unit_test(test_peers),
      cmocka_unit_test(test_views),
      cmocka_unit_test(test_local_as),
      cmocka_unit_test(test_route_limit),
      cmocka_unit_test(test_add_path),
      cmocka_unit_test(test_listing),
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_two_routers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
