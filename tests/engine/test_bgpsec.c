/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signed routes in the engine. The model knows which keys each path was signed with: a route is Valid while all of them
 * are in force, and nobody touched it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"

enum { LOCAL_AS = 64999, PEER_AS = 64500, SIGNERS = 6, ROUTES = 40, ROUNDS = 300, PATH_MAX = 2048 };

static struct ww_bgpsec_signer *signers[SIGNERS]; /* signers[0] is the neighbor's; AS PEER_AS + i */
static struct ww_now now = {.mono = 5, .unix_sec = 7000};

static uint64_t rng_state = 7;

static uint32_t rng(uint32_t below) {
  rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)((uint64_t)(uint32_t)(rng_state >> 32) * below >> 32);
}

struct lab {
  struct ww_engine *engine;
  struct ww_engine_router *router;
  struct ww_bmp_feed_events events;
  struct ww_out_view view;
  struct ww_journal_reader *reader;
  struct ww_snapshot *snapshot;
  uint32_t epoch;
};

static struct ww_router_key key_of(unsigned signer) {
  struct ww_router_key key = {
      .asn = PEER_AS + signer, .spki = ww_bgpsec_signer_spki(signers[signer]), .spki_len = 91, .expires = 9000};
  assert_true(ww_bgpsec_ski(key.spki, key.spki_len, key.ski));
  return key;
}

/* Applies one delta of keys: those of `in` come, those of `out` go. */
static void publish(struct lab *lab, unsigned in, unsigned out) {
  struct ww_payload_delta delta = {.source = 3};
  struct ww_snapshot *next;
  for (unsigned i = 0; i < SIGNERS; i++) {
    struct ww_router_key key = key_of(i);
    if (in >> i & 1)
      assert_int_equal(ww_payloads_add_key(&delta.announce, &key), WW_OK);
    if (out >> i & 1)
      assert_int_equal(ww_payloads_add_key(&delta.withdraw, &key), WW_OK);
  }
  assert_int_equal(ww_payloads_sort(&delta.announce), WW_OK);
  assert_int_equal(ww_payloads_sort(&delta.withdraw), WW_OK);
  assert_int_equal(ww_snapshot_apply(lab->snapshot, &delta, ++lab->epoch, true, &next), WW_OK);
  ww_snapshot_unref(lab->snapshot);
  lab->snapshot = next;
  assert_int_equal(ww_engine_set_snapshot(lab->engine, next, &delta, 1), WW_OK);
  ww_payload_delta_fini(&delta);
}

static struct ww_bmp_peer header(void) {
  return (struct ww_bmp_peer){.address = {[12] = 192, [14] = 2, [15] = 9}, .asn = PEER_AS, .bgp_id = 9, .sec = 77};
}

static void lab_make(struct lab *lab, unsigned keys) {
  static const struct ww_engine_router_config config = {.name = "lab"};
  *lab = (struct lab){.engine = ww_engine_new(NULL), .snapshot = ww_snapshot_new()};
  lab->router = ww_engine_router_new(lab->engine, &config);
  assert_non_null(lab->router);
  ww_engine_router_events(lab->router, &now, &lab->events);
  ww_engine_router_view(lab->router, &lab->view);
  lab->reader = ww_journal_reader_new(ww_engine_router_journal(lab->router));
  publish(lab, keys, 0);
  uint8_t open[128];
  struct ww_writer w = ww_writer_make(open, sizeof open);
  ww_bgp_open_write(&w, LOCAL_AS, 90, 1, NULL, 0);
  struct ww_bmp_msg msg;
  memset(&msg, 0, sizeof msg);
  msg.u.up.sent_open = msg.u.up.received_open = open;
  msg.u.up.sent_len = msg.u.up.received_len = w.len;
  struct ww_bmp_peer peer = header();
  lab->events.peer_up(lab->events.ctx, &peer, &msg);
}

static void lab_free(struct lab *lab) {
  ww_journal_reader_free(lab->reader);
  ww_engine_free(lab->engine);
  ww_snapshot_unref(lab->snapshot);
}

static void work(struct lab *lab) {
  while (ww_engine_work(lab->engine, 1000, now))
    ;
  assert_false(ww_engine_pending(lab->engine));
}

static struct ww_prefix prefix_of(unsigned i) {
  return (struct ww_prefix){.afi = WW_AFI_IPV4, .len = 24, .addr = {10, 0, (uint8_t)i}};
}

/* A path from hops[count - 1], its origin, to the neighbor, hops[0]. */
static size_t sign(const struct ww_prefix *prefix, const unsigned *hops, unsigned count, uint8_t pcount, uint8_t *out) {
  uint8_t before[PATH_MAX];
  size_t len = 0;
  for (unsigned i = count; i > 0; i--) {
    struct ww_bgpsec_sign_key key = {.suite = WW_BGPSEC_SUITE_P256, .signer = signers[hops[i - 1]]};
    struct ww_bgpsec_sign_request q = {.prefix = *prefix,
                                       .path = len ? before : NULL,
                                       .path_len = len,
                                       .asn = PEER_AS + hops[i - 1],
                                       .pcount = i == 1 ? pcount : 1,
                                       .target_as = i == 1 ? (uint32_t)LOCAL_AS : PEER_AS + hops[i - 2],
                                       .keys = &key,
                                       .key_count = 1};
    assert_int_equal(ww_bgpsec_sign(&q, out, PATH_MAX, &len, NULL), WW_OK);
    memcpy(before, out, len);
  }
  return len;
}

/* Announces a prefix; path NULL: unsigned, from the neighbor. */
static void announce(struct lab *lab, const struct ww_prefix *prefix, const uint8_t *path, size_t len) {
  uint8_t attrs[PATH_MAX + 32], nlri[32];
  struct ww_writer w = ww_writer_make(attrs, sizeof attrs), n = ww_writer_make(nlri, sizeof nlri);
  struct ww_bgp_update u;
  memset(&u, 0, sizeof u);
  ww_writer_bytes(&w, (const uint8_t[]){0x40, WW_ATTR_ORIGIN, 1, 0}, 4);
  if (path) {
    ww_writer_bytes(&w, (const uint8_t[]){0x90, WW_ATTR_BGPSEC_PATH, (uint8_t)(len >> 8), (uint8_t)len}, 4);
    u.bgpsec_path = attrs + w.len;
    u.bgpsec_path_len = len;
    ww_writer_bytes(&w, path, len);
  } else {
    ww_writer_bytes(&w, (const uint8_t[]){0x40, WW_ATTR_AS_PATH, 6, 2, 1}, 5);
    u.has_as_path = true;
    u.as_path = (struct ww_as_path){.data = attrs + w.len - 2, .len = 6};
    ww_writer_u32(&w, PEER_AS);
  }
  u.attrs = attrs;
  u.attrs_len = w.len;
  static const uint8_t next_hop[4] = {192, 0, 2, 9};
  ww_nlri_write(&n, prefix, false, 0);
  u.announced[1] = (struct ww_nlri){.afi = WW_AFI_IPV4, .data = nlri, .len = n.len};
  u.next_hop[1] = next_hop;
  u.next_hop_len[1] = 4;
  struct ww_bmp_peer peer = header();
  lab->events.update(lab->events.ctx, &peer, WW_VIEW_ADJ_IN_PRE, &u);
}

static void withdraw(struct lab *lab, const struct ww_prefix *prefix) {
  uint8_t nlri[32];
  struct ww_writer n = ww_writer_make(nlri, sizeof nlri);
  struct ww_bgp_update u;
  memset(&u, 0, sizeof u);
  ww_nlri_write(&n, prefix, false, 0);
  u.withdrawn[1] = (struct ww_nlri){.afi = WW_AFI_IPV4, .data = nlri, .len = n.len};
  struct ww_bmp_peer peer = header();
  lab->events.update(lab->events.ctx, &peer, WW_VIEW_ADJ_IN_PRE, &u);
}

static int take_route(void *ctx, const struct ww_engine_route *route) {
  *(struct ww_engine_route *)ctx = *route;
  return 1;
}

/* What is stored. */
static void expect(struct lab *lab, const struct ww_prefix *prefix, enum ww_state state, enum ww_reason reason) {
  struct ww_engine_route route;
  assert_int_equal(ww_engine_router_routes(lab->router, prefix, &route, take_route), 1);
  assert_int_equal(route.kinds[WW_KIND_BGPSEC - 1].state, state);
  assert_int_equal(route.kinds[WW_KIND_BGPSEC - 1].reason, reason);
}

/* The next route told; 0 at the end. */
static uint32_t told(struct lab *lab, struct ww_out_route *route) {
  struct ww_change change;
  uint64_t seq;
  while (ww_journal_reader_next(lab->reader, &change, &seq) == 1)
    if (change.kind == WW_CHANGE_ROUTE && lab->view.route(lab->view.ctx, change.id, route) && route->seq == seq)
      return change.id;
  return 0;
}

/* How many routes are told, up to now. */
static size_t count_told(struct lab *lab) {
  struct ww_out_route route;
  size_t n = 0;
  while (told(lab, &route))
    n++;
  return n;
}

static void test_valid_with_evidence(void **state) {
  (void)state;
  struct lab lab;
  uint8_t path[PATH_MAX];
  struct ww_prefix p = prefix_of(1);
  struct ww_out_route route;
  struct ww_verdict verdict = {0};
  lab_make(&lab, 0x3f);
  announce(&lab, &p, path, sign(&p, (const unsigned[]){0, 2, 1}, 3, 1, path));
  expect(&lab, &p, WW_STATE_NOT_READY, WW_REASON_NONE);
  assert_true(ww_engine_pending(lab.engine));
  assert_int_equal(told(&lab, &route), 0);
  work(&lab);
  expect(&lab, &p, WW_STATE_VALID, WW_REASON_NONE);
  uint32_t id = told(&lab, &route);
  assert_int_not_equal(id, 0);
  assert_int_equal(route.trigger, WW_TRIGGER_UPDATE);
  assert_int_equal(route.sec, 77); /* when it was heard */
  assert_true(lab.view.verdict(lab.view.ctx, id, &verdict));
  assert_int_equal(verdict.state, WW_STATE_VALID);
  assert_int_equal(verdict.bgpsec.segment_count, 3);
  assert_int_equal(verdict.bgpsec.hit_count, 3);
  static const uint32_t asns[] = {PEER_AS, PEER_AS + 2, PEER_AS + 1};
  for (unsigned i = 0; i < 3; i++) {
    assert_int_equal(verdict.bgpsec.segments[i].asn, asns[i]);
    assert_int_equal(verdict.bgpsec.segments[i].state, WW_BGPSEC_SEGMENT_VALID);
    assert_int_equal(verdict.bgpsec.hits[i].asn, asns[i]);
    assert_int_equal(verdict.bgpsec.hits[i].source, 3);
    assert_int_equal(verdict.bgpsec.hits[i].expires, 9000);
    assert_memory_equal(verdict.bgpsec.hits[i].ski, verdict.bgpsec.segments[i].ski, WW_SKI_LEN);
  }
  /* Three signatures were verified once; asking for the verdict cost none. */
  struct ww_bgpsec_counts counts;
  ww_engine_bgpsec_counts(lab.engine, &counts);
  assert_int_equal(counts.verified, 3);
  assert_int_equal(counts.known_hits, 3);
  /* The same again says nothing new. */
  announce(&lab, &p, path, sign(&p, (const unsigned[]){0, 2, 1}, 3, 1, path));
  work(&lab);
  assert_int_equal(count_told(&lab), 1); /* another random k, so other attributes */
  ww_verdict_fini(&verdict);
  lab_free(&lab);
}

static void test_unsigned_and_broken(void **state) {
  (void)state;
  struct lab lab;
  uint8_t path[PATH_MAX];
  size_t len;
  lab_make(&lab, 0x3f);
  struct ww_prefix plain = prefix_of(1), bad = prefix_of(2), other = prefix_of(3), short_path = prefix_of(4),
                   not_ours = prefix_of(5), hidden = prefix_of(6), suite = prefix_of(7);
  announce(&lab, &plain, NULL, 0);
  expect(&lab, &plain, WW_STATE_NOT_EVALUATED, WW_REASON_NONE); /* it did not wait */
  len = sign(&bad, (const unsigned[]){0, 1}, 2, 1, path);
  path[len - 1] ^= 1; /* the origin's signature */
  announce(&lab, &bad, path, len);
  announce(&lab, &other, path, sign(&plain, (const unsigned[]){0, 1}, 2, 1, path));
  announce(&lab, &short_path, path, 5);
  announce(&lab, &not_ours, path, sign(&not_ours, (const unsigned[]){3, 1}, 2, 1, path));
  announce(&lab, &hidden, path, sign(&hidden, (const unsigned[]){0, 1}, 2, 0, path));
  len = sign(&suite, (const unsigned[]){0}, 1, 1, path);
  path[2 + 6 + 2] = 9; /* behind one segment and the length of the block */
  announce(&lab, &suite, path, len);
  work(&lab);
  expect(&lab, &plain, WW_STATE_NOT_EVALUATED, WW_REASON_NONE);
  expect(&lab, &bad, WW_STATE_INVALID, WW_REASON_BGPSEC_SIGNATURE);
  expect(&lab, &other, WW_STATE_INVALID, WW_REASON_BGPSEC_SIGNATURE);
  expect(&lab, &short_path, WW_STATE_INVALID, WW_REASON_BGPSEC_FORM);
  expect(&lab, &not_ours, WW_STATE_INVALID, WW_REASON_BGPSEC_PEER_AS);
  expect(&lab, &hidden, WW_STATE_INVALID, WW_REASON_BGPSEC_PCOUNT);
  expect(&lab, &suite, WW_STATE_NOT_EVALUATED, WW_REASON_BGPSEC_SUITE);
  struct ww_engine_counts counts;
  ww_engine_router_counts(lab.router, &counts);
  assert_int_equal(counts.kinds[WW_KIND_BGPSEC - 1].invalid, 5);
  assert_int_equal(counts.kinds[WW_KIND_BGPSEC - 1].not_evaluated, 2);
  assert_int_equal(count_told(&lab), 7);
  /* A route server may hide itself, once the operator says so. */
  const struct ww_engine_role rs = {.asn = PEER_AS, .role = WW_ROLE_NONE, .allow_pcount0 = true};
  const struct ww_engine_roles roles = {.peers = &rs, .peer_count = 1, .others = WW_ROLE_NONE};
  assert_int_equal(ww_engine_router_set_roles(lab.router, &roles), WW_OK);
  work(&lab);
  expect(&lab, &hidden, WW_STATE_VALID, WW_REASON_NONE);
  assert_int_equal(count_told(&lab), 1);
  lab_free(&lab);
}

/* The evidence of an Invalid route: the key that is there and does not fit, or that there is none. */
static void test_evidence_of_invalid(void **state) {
  (void)state;
  struct lab lab;
  uint8_t path[PATH_MAX];
  struct ww_prefix p = prefix_of(1);
  struct ww_out_route route;
  struct ww_verdict verdict = {0};
  lab_make(&lab, 0x01);
  announce(&lab, &p, path, sign(&p, (const unsigned[]){0, 1}, 2, 1, path));
  work(&lab);
  expect(&lab, &p, WW_STATE_INVALID, WW_REASON_BGPSEC_NO_KEY);
  assert_true(lab.view.verdict(lab.view.ctx, told(&lab, &route), &verdict));
  assert_int_equal(verdict.state, WW_STATE_INVALID);
  assert_int_equal(verdict.bgpsec.segments[0].state, WW_BGPSEC_SEGMENT_NOT_CHECKED); /* the answer stood before */
  assert_int_equal(verdict.bgpsec.segments[1].state, WW_BGPSEC_SEGMENT_NO_KEY);
  assert_int_equal(verdict.bgpsec.hit_count, 1);
  assert_true(verdict.bgpsec.hits[0].missing);
  assert_int_equal(verdict.bgpsec.hits[0].asn, PEER_AS + 1);
  size_t len = sign(&p, (const unsigned[]){0, 1}, 2, 1, path);
  path[len - 1] ^= 1;
  publish(&lab, 0x02, 0);
  announce(&lab, &p, path, len);
  work(&lab);
  assert_true(lab.view.verdict(lab.view.ctx, told(&lab, &route), &verdict));
  assert_int_equal(verdict.bgpsec.segments[0].state, WW_BGPSEC_SEGMENT_BAD); /* it covers the older one */
  assert_int_equal(verdict.bgpsec.hit_count, 1);
  assert_false(verdict.bgpsec.hits[0].missing);
  assert_int_equal(verdict.bgpsec.hits[0].asn, PEER_AS);
  ww_verdict_fini(&verdict);
  lab_free(&lab);
}

static void test_end_of_rib_waits(void **state) {
  (void)state;
  struct lab lab;
  uint8_t path[PATH_MAX];
  struct ww_prefix p = prefix_of(1), gone = prefix_of(2);
  struct ww_change change;
  uint64_t seq;
  lab_make(&lab, 0x3f);
  announce(&lab, &p, path, sign(&p, (const unsigned[]){0, 1}, 2, 1, path));
  announce(&lab, &gone, path, sign(&gone, (const unsigned[]){0, 1}, 2, 1, path));
  withdraw(&lab, &gone); /* while it waits */
  struct ww_bgp_update u;
  memset(&u, 0, sizeof u);
  u.eor = true;
  u.eor_afi = WW_AFI_IPV4;
  struct ww_bmp_peer peer = header();
  lab.events.update(lab.events.ctx, &peer, WW_VIEW_ADJ_IN_PRE, &u);
  work(&lab);
  char order[8] = "";
  for (size_t n = 0; n < sizeof order - 1 && ww_journal_reader_next(lab.reader, &change, &seq) == 1; n++)
    order[n] = (char)('0' + change.kind);
  assert_string_equal(order, "2114"); /* up, withdrawal, route, End-of-RIB */
  lab_free(&lab);
}

/* ---- the model ---- */

struct model {
  bool there, touched;
  unsigned hops[3], count;
};

static enum ww_state state_by_model(const struct model *m, unsigned keys, enum ww_reason *reason) {
  *reason = WW_REASON_NONE;
  for (unsigned i = 0; i < m->count; i++)
    if (!(keys >> m->hops[i] & 1)) {
      *reason = WW_REASON_BGPSEC_NO_KEY;
      return WW_STATE_INVALID;
    }
  if (m->touched)
    *reason = WW_REASON_BGPSEC_SIGNATURE;
  return m->touched ? WW_STATE_INVALID : WW_STATE_VALID;
}

static bool uses(const struct model *m, unsigned changed) {
  for (unsigned i = 0; m->there && i < m->count; i++)
    if (changed >> m->hops[i] & 1)
      return true;
  return false;
}

static void random_route(struct lab *lab, struct model *m, unsigned i) {
  struct ww_prefix p = prefix_of(i);
  uint8_t path[PATH_MAX];
  if (m->there && rng(4) == 0) {
    withdraw(lab, &p);
    m->there = false;
    return;
  }
  *m = (struct model){.there = true, .touched = rng(5) == 0, .hops = {0}, .count = 1 + rng(3)};
  m->hops[1] = 1 + rng(SIGNERS - 1);
  m->hops[2] = 1 + rng(SIGNERS - 1);
  size_t len = sign(&p, m->hops, m->count, 1, path);
  if (m->touched)
    path[len - 1] ^= 1;
  announce(lab, &p, path, len);
}

static void test_model(void **state) {
  (void)state;
  struct lab lab;
  struct model routes[ROUTES] = {{0}};
  unsigned keys = 0x3f;
  size_t valid = 0, invalid = 0, spared = 0;
  lab_make(&lab, keys);
  for (unsigned round = 0; round < ROUNDS; round++) {
    for (unsigned n = rng(4); n > 0; n--) {
      unsigned i = rng(ROUTES);
      random_route(&lab, &routes[i], i);
    }
    if (rng(2))
      (void)ww_engine_work(lab.engine, 1 + rng(300), now); /* not all of it */
    if (rng(3) == 0) {
      work(&lab);
      struct ww_engine_counts before, after;
      ww_engine_router_counts(lab.router, &before);
      unsigned changed = 1u << rng(SIGNERS);
      publish(&lab, changed & ~keys, changed & keys);
      keys ^= changed;
      work(&lab);
      ww_engine_router_counts(lab.router, &after);
      size_t concerned = 0;
      for (unsigned i = 0; i < ROUTES; i++) {
        concerned += uses(&routes[i], changed);
        spared += routes[i].there && !uses(&routes[i], changed);
      }
      assert_int_equal(after.evaluated - before.evaluated, concerned); /* these, each once, and no others */
    }
    if (rng(8))
      continue;
    work(&lab);
    for (unsigned i = 0; i < ROUTES; i++) {
      struct ww_prefix p = prefix_of(i);
      enum ww_reason reason;
      if (!routes[i].there)
        continue;
      enum ww_state want = state_by_model(&routes[i], keys, &reason);
      expect(&lab, &p, want, reason);
      valid += want == WW_STATE_VALID;
      invalid += want == WW_STATE_INVALID;
    }
  }
  print_message("valid %zu, invalid %zu; a key's change spared %zu routes\n", valid, invalid, spared);
  assert_true(valid > 100 && invalid > 100 && spared > 100);
  lab_free(&lab);
}

static int make_signers(void **state) {
  (void)state;
  for (unsigned i = 0; i < SIGNERS; i++)
    if (ww_bgpsec_signer_generate(&signers[i]) != WW_OK)
      return 1;
  return 0;
}

static int free_signers(void **state) {
  (void)state;
  for (unsigned i = 0; i < SIGNERS; i++)
    ww_bgpsec_signer_free(signers[i]);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_valid_with_evidence),
      cmocka_unit_test(test_unsigned_and_broken),
      cmocka_unit_test(test_evidence_of_invalid),
      cmocka_unit_test(test_end_of_rib_waits),
      cmocka_unit_test(test_model),
  };
  return cmocka_run_group_tests(tests, make_signers, free_signers);
}
