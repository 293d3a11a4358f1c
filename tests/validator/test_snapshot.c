/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Snapshots as their header describes them: bad deltas first, then readiness, records of several sources, ASPAs and
 * router keys, what is shared and what is not, and tables of hostile shape. Verdicts in general are the property
 * test's.
 */
#include <waywarden/snapshot.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct ww_prefix prefix(const char *text) {
  struct ww_prefix p;
  if (ww_prefix_parse(text, &p))
    fail_msg("%s is no prefix", text);
  return p;
}

static struct ww_vrp vrp(const char *text, uint8_t max_len, uint32_t asn) {
  struct ww_vrp v;
  memset(&v, 0, sizeof v);
  v.prefix = prefix(text);
  v.max_len = max_len;
  v.asn = asn;
  return v;
}

static void add(struct ww_payloads *set, const char *text, uint8_t max_len, uint32_t asn) {
  struct ww_vrp v = vrp(text, max_len, asn);
  assert_int_equal(ww_payloads_add_vrp(set, &v), WW_OK);
}

/* Takes the delta and the snapshot. */
static struct ww_snapshot *apply(struct ww_snapshot *base, struct ww_payload_delta *delta, bool ready) {
  struct ww_snapshot *next;
  assert_int_equal(ww_payloads_sort(&delta->announce), WW_OK);
  assert_int_equal(ww_payloads_sort(&delta->withdraw), WW_OK);
  assert_int_equal(ww_payloads_sort(&delta->refresh), WW_OK);
  assert_int_equal(ww_snapshot_apply(base, delta, ww_snapshot_epoch(base) + 1, ready, &next), WW_OK);
  ww_snapshot_unref(base);
  ww_source_id source = delta->source;
  ww_payload_delta_fini(delta);
  *delta = (struct ww_payload_delta){.source = source};
  return next;
}

static enum ww_state ask(const struct ww_snapshot *snapshot, const char *text, uint32_t asn, enum ww_reason *reason) {
  struct ww_prefix p = prefix(text);
  return ww_origin_validate(snapshot, &p, (struct ww_origin){.asn = asn}, reason);
}

static void assert_verdict(const struct ww_snapshot *snapshot, const char *text, uint32_t asn, enum ww_state state,
                           enum ww_reason reason) {
  enum ww_reason got;
  assert_int_equal(ask(snapshot, text, asn, &got), state);
  assert_int_equal(got, reason);
}

static void test_refuses_unsound_deltas(void **state) {
  (void)state;
  struct ww_snapshot *base = ww_snapshot_new(), *next = base;
  struct ww_vrp unsorted[2] = {vrp("192.0.2.0/24", 24, 1), vrp("192.0.2.0/25", 25, 1)};
  struct ww_vrp twice[2] = {unsorted[0], unsorted[0]};
  struct ww_vrp too_short = unsorted[0], too_long = unsorted[0], host_bits = unsorted[0], no_family = unsorted[0];
  struct ww_vrp impossible = unsorted[0], tmp = unsorted[0];
  unsorted[0] = unsorted[1];
  unsorted[1] = tmp;
  too_short.max_len = 23;
  too_long.max_len = 33;
  host_bits.prefix.addr[3] = 1;
  no_family.prefix.afi = 3;
  impossible.prefix.len = impossible.max_len = 200;
  const struct {
    struct ww_vrp *vrps;
    size_t count;
  } bad[] = {{unsorted, 2},   {twice, 2},      {&too_short, 1}, {&too_long, 1},
             {&host_bits, 1}, {&no_family, 1}, {&impossible, 1}};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    for (int part = 0; part < 3; part++) {
      struct ww_payload_delta delta = {0};
      struct ww_payloads *set = part == 0 ? &delta.announce : part == 1 ? &delta.withdraw : &delta.refresh;
      set->vrps = bad[i].vrps;
      set->vrp_count = bad[i].count;
      assert_int_equal(ww_snapshot_apply(base, &delta, 1, true, &next), WW_ERR_INVAL);
      assert_null(next);
    }
  struct ww_aspa aspas[2] = {{.customer = 2}, {.customer = 1}};
  struct ww_payload_delta delta = {.announce = {.aspas = aspas, .aspa_count = 2}};
  assert_int_equal(ww_snapshot_apply(base, &delta, 1, true, &next), WW_ERR_INVAL);
  struct ww_router_key keys[2] = {{.asn = 1}, {.asn = 1}};
  delta = (struct ww_payload_delta){.withdraw = {.keys = keys, .key_count = 2}};
  assert_int_equal(ww_snapshot_apply(base, &delta, 1, true, &next), WW_ERR_INVAL);
  ww_snapshot_unref(base);
  ww_snapshot_unref(NULL);
}

static void test_not_ready_is_no_verdict(void **state) {
  (void)state;
  struct ww_snapshot *snapshot = ww_snapshot_new();
  struct ww_payload_delta delta = {.source = 1};
  struct ww_prefix p = prefix("192.0.2.0/24");
  struct ww_origin origin = {.asn = 1};
  struct ww_origin_result result = {0};
  uint8_t states[2] = {9, 9}, reasons[2] = {9, 9};
  assert_int_equal(ww_snapshot_epoch(snapshot), 0);
  assert_false(ww_snapshot_ready(snapshot));
  assert_verdict(snapshot, "192.0.2.0/24", 1, WW_STATE_NOT_READY, WW_REASON_NONE);
  /* Part of the data is no ground for a verdict either, nor evidence. */
  add(&delta.announce, "192.0.2.0/24", 24, 1);
  snapshot = apply(snapshot, &delta, false);
  assert_verdict(snapshot, "192.0.2.0/24", 1, WW_STATE_NOT_READY, WW_REASON_NONE);
  ww_origin_validate_batch(snapshot, (const struct ww_prefix[]){p, p}, (const struct ww_origin[]){origin, origin}, 2,
                           states, reasons);
  assert_int_equal(states[0], WW_STATE_NOT_READY);
  assert_int_equal(states[1], WW_STATE_NOT_READY);
  assert_int_equal(reasons[1], WW_REASON_NONE);
  ww_origin_validate_batch(snapshot, NULL, NULL, 0, NULL, NULL);
  assert_int_equal(ww_origin_explain(snapshot, &p, origin, &result), WW_OK);
  assert_int_equal(result.state, WW_STATE_NOT_READY);
  assert_int_equal(result.hit_count, 0);
  snapshot = apply(snapshot, &delta, true);
  assert_true(ww_snapshot_ready(snapshot));
  assert_int_equal(ww_snapshot_epoch(snapshot), 2);
  assert_verdict(snapshot, "192.0.2.0/24", 1, WW_STATE_VALID, WW_REASON_NONE);
  assert_int_equal(ww_origin_explain(snapshot, &p, origin, &result), WW_OK);
  assert_int_equal(result.hit_count, 1);
  ww_origin_result_fini(&result);
  ww_snapshot_unref(snapshot);
}

static void test_empty_but_ready(void **state) {
  (void)state;
  struct ww_payload_delta delta = {0};
  struct ww_snapshot *snapshot = apply(ww_snapshot_new(), &delta, true);
  struct ww_prefix odd = {.afi = 3, .len = 8};
  struct ww_prefix too_long = {.afi = WW_AFI_IPV4, .len = 33};
  assert_verdict(snapshot, "0.0.0.0/0", 1, WW_STATE_UNKNOWN, WW_REASON_NONE);
  assert_verdict(snapshot, "::/0", 1, WW_STATE_UNKNOWN, WW_REASON_NONE);
  add(&delta.announce, "0.0.0.0/0", 32, 1);
  snapshot = apply(snapshot, &delta, true);
  assert_int_equal(ww_origin_validate(snapshot, &odd, (struct ww_origin){.asn = 1}, NULL), WW_STATE_UNKNOWN);
  assert_int_equal(ww_origin_validate(snapshot, &too_long, (struct ww_origin){.asn = 1}, NULL), WW_STATE_UNKNOWN);
  assert_verdict(snapshot, "255.255.255.255/32", 1, WW_STATE_VALID, WW_REASON_NONE);
  assert_verdict(snapshot, "::/0", 1, WW_STATE_UNKNOWN, WW_REASON_NONE);
  ww_snapshot_unref(snapshot);
}

static void test_sources_are_apart(void **state) {
  (void)state;
  struct ww_payload_delta delta = {.source = 7};
  struct ww_snapshot_counts counts;
  struct ww_origin_result result = {0};
  struct ww_prefix p = prefix("2001:db8::/48");
  add(&delta.announce, "2001:db8::/32", 48, 1);
  struct ww_snapshot *snapshot = apply(ww_snapshot_new(), &delta, true);
  delta.source = 3;
  add(&delta.announce, "2001:db8::/32", 48, 1);
  snapshot = apply(snapshot, &delta, true);
  ww_snapshot_counts(snapshot, &counts);
  assert_int_equal(counts.vrps_v6, 2);
  assert_int_equal(ww_origin_explain(snapshot, &p, (struct ww_origin){.asn = 1}, &result), WW_OK);
  assert_int_equal(result.hit_count, 2);
  assert_int_equal(result.hits[0].source, 3);
  assert_int_equal(result.hits[1].source, 7);
  /* A source takes back its own record only, and only what it has. */
  delta.source = 5;
  add(&delta.withdraw, "2001:db8::/32", 48, 1);
  add(&delta.withdraw, "2001:db8::/32", 47, 1);
  snapshot = apply(snapshot, &delta, true);
  delta.source = 7;
  add(&delta.withdraw, "2001:db8::/32", 48, 1);
  snapshot = apply(snapshot, &delta, true);
  assert_verdict(snapshot, "2001:db8::/48", 1, WW_STATE_VALID, WW_REASON_NONE);
  delta.source = 3;
  add(&delta.withdraw, "2001:db8::/32", 48, 1);
  snapshot = apply(snapshot, &delta, true);
  assert_verdict(snapshot, "2001:db8::/48", 1, WW_STATE_UNKNOWN, WW_REASON_NONE);
  ww_snapshot_counts(snapshot, &counts);
  assert_int_equal(counts.vrps_v6, 0);
  ww_origin_result_fini(&result);
  ww_snapshot_unref(snapshot);
}

static int sum_expiry(void *ctx, const struct ww_vrp *v, ww_source_id source) {
  (void)source;
  *(ww_unix_time *)ctx += v->expires;
  return 0;
}

static int stop_at_once(void *ctx, const struct ww_vrp *v, ww_source_id source) {
  (void)v;
  (void)source;
  ++*(int *)ctx;
  return 42;
}

static void test_expiry(void **state) {
  static const struct {
    ww_unix_time given, kept;
  } times[] = {{0, 0}, {1, 1}, {-5, 1}, {4294967296, 4294967296}, {INT64_MAX, 1099511627775}};
  (void)state;
  for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
    struct ww_payload_delta delta = {.source = 1};
    struct ww_vrp v = vrp("192.0.2.0/24", 24, 1);
    ww_unix_time sum = 0;
    assert_int_equal(ww_payloads_add_vrp(&delta.announce, &v), WW_OK);
    struct ww_snapshot *snapshot = apply(ww_snapshot_new(), &delta, true);
    v.expires = times[i].given;
    assert_int_equal(ww_payloads_add_vrp(&delta.refresh, &v), WW_OK);
    add(&delta.refresh, "198.51.100.0/24", 24, 1); /* not there: nothing to refresh */
    snapshot = apply(snapshot, &delta, true);
    int calls = 0;
    assert_int_equal(ww_snapshot_walk(snapshot, &sum, sum_expiry, NULL, NULL), 0);
    assert_int_equal(sum, times[i].kept);
    assert_int_equal(ww_snapshot_walk(snapshot, &calls, stop_at_once, NULL, NULL), 42);
    assert_int_equal(calls, 1);
    ww_snapshot_unref(snapshot);
  }
}

struct text {
  char *at, *end;
};

static int print_aspa(void *ctx, const struct ww_aspa *aspa, ww_source_id source) {
  struct text *out = ctx;
  out->at += snprintf(out->at, (size_t)(out->end - out->at), "%u:", aspa->customer);
  for (uint32_t i = 0; i < aspa->provider_count; i++)
    out->at += snprintf(out->at, (size_t)(out->end - out->at), " %u", aspa->providers[i]);
  out->at += snprintf(out->at, (size_t)(out->end - out->at), " @%d/%d; ", (int)aspa->expires, source);
  return 0;
}

static int print_key(void *ctx, const struct ww_router_key *key, ww_source_id source) {
  struct text *out = ctx;
  out->at += snprintf(out->at, (size_t)(out->end - out->at), "%u %02x %.*s @%d/%d; ", key->asn, key->ski[0],
                      (int)key->spki_len, (const char *)key->spki, (int)key->expires, source);
  return 0;
}

static void assert_others(const struct ww_snapshot *snapshot, const char *aspas, const char *keys) {
  char buf[1000] = "";
  struct text text = {buf, buf + sizeof buf};
  assert_int_equal(ww_snapshot_walk(snapshot, &text, NULL, print_aspa, NULL), 0);
  assert_string_equal(buf, aspas);
  buf[0] = 0;
  text.at = buf;
  assert_int_equal(ww_snapshot_walk(snapshot, &text, NULL, NULL, print_key), 0);
  assert_string_equal(buf, keys);
}

static void add_aspa(struct ww_payloads *set, uint32_t customer, uint32_t a, uint32_t b, int expires) {
  const uint32_t providers[] = {a, b};
  struct ww_aspa aspa = {.customer = customer, .providers = providers, .provider_count = a ? 2 : 0, .expires = expires};
  assert_int_equal(ww_payloads_add_aspa(set, &aspa), WW_OK);
}

static void add_key(struct ww_payloads *set, uint32_t asn, uint8_t ski, const char *spki, int expires) {
  struct ww_router_key key = {
      .asn = asn, .ski = {ski}, .spki = (const uint8_t *)spki, .spki_len = (uint32_t)strlen(spki), .expires = expires};
  assert_int_equal(ww_payloads_add_key(set, &key), WW_OK);
}

static void test_aspas_and_keys(void **state) {
  (void)state;
  struct ww_payload_delta delta = {.source = 2};
  struct ww_snapshot_counts counts;
  add_aspa(&delta.announce, 10, 1, 2, 5);
  add_aspa(&delta.announce, 20, 3, 4, 5);
  add_key(&delta.announce, 10, 0xaa, "one", 5);
  add_key(&delta.announce, 10, 0xaa, "two", 5);
  struct ww_snapshot *first = apply(ww_snapshot_new(), &delta, true);
  struct ww_snapshot *snapshot = ww_snapshot_ref(first);
  assert_others(snapshot, "10: 1 2 @5/2; 20: 3 4 @5/2; ", "10 aa one @5/2; 10 aa two @5/2; ");
  delta.source = 1;
  add_aspa(&delta.announce, 10, 7, 8, 6);
  add_aspa(&delta.announce, 15, 7, 8, 6);
  add_key(&delta.announce, 10, 0xaa, "two", 6);
  add_key(&delta.announce, 9, 0xaa, "two", 6);
  snapshot = apply(snapshot, &delta, true);
  assert_others(snapshot, "10: 7 8 @6/1; 10: 1 2 @5/2; 15: 7 8 @6/1; 20: 3 4 @5/2; ",
                "9 aa two @6/1; 10 aa one @5/2; 10 aa two @6/1; 10 aa two @5/2; ");
  ww_snapshot_counts(snapshot, &counts);
  assert_int_equal(counts.aspas, 4);
  assert_int_equal(counts.router_keys, 4);
  /* Replace, withdraw, refresh; and of what source 2 does not have. */
  delta.source = 2;
  add_aspa(&delta.announce, 10, 1, 9, 7);
  add_aspa(&delta.withdraw, 15, 0, 0, 0);
  add_aspa(&delta.refresh, 15, 7, 8, 99);
  add_aspa(&delta.refresh, 20, 3, 4, 8);
  add_key(&delta.withdraw, 10, 0xaa, "one", 0);
  add_key(&delta.withdraw, 9, 0xaa, "two", 0);
  add_key(&delta.refresh, 10, 0xaa, "two", 8);
  snapshot = apply(snapshot, &delta, true);
  assert_others(snapshot, "10: 7 8 @6/1; 10: 1 9 @7/2; 15: 7 8 @6/1; 20: 3 4 @8/2; ",
                "9 aa two @6/1; 10 aa two @6/1; 10 aa two @8/2; ");
  add_aspa(&delta.withdraw, 10, 0, 0, 0);
  add_aspa(&delta.withdraw, 20, 0, 0, 0);
  add_key(&delta.withdraw, 10, 0xaa, "two", 0);
  snapshot = apply(snapshot, &delta, true);
  assert_others(snapshot, "10: 7 8 @6/1; 15: 7 8 @6/1; ", "9 aa two @6/1; 10 aa two @6/1; ");
  assert_others(first, "10: 1 2 @5/2; 20: 3 4 @5/2; ", "10 aa one @5/2; 10 aa two @5/2; ");
  ww_snapshot_unref(first);
  ww_snapshot_unref(snapshot);
}

/* A hundred thousand VRPs on one prefix, and as many in one /16: sound, and no slower than their number. */
static void test_hostile_shapes(void **state) {
  (void)state;
  struct ww_payload_delta delta = {.source = 1};
  struct ww_snapshot_counts counts;
  for (uint32_t i = 0; i < 100000; i++) {
    struct ww_vrp v = vrp("192.0.2.0/24", (uint8_t)(24 + i % 9), i + 1);
    assert_int_equal(ww_payloads_add_vrp(&delta.announce, &v), WW_OK);
    v = vrp("198.51.0.0/16", 32, 64496);
    v.prefix.len = (uint8_t)(32 - i % 2);
    v.prefix.addr[2] = (uint8_t)(i >> 9);
    v.prefix.addr[3] = (uint8_t)(i >> 1);
    ww_prefix_mask(&v.prefix);
    v.asn = 1 + i;
    assert_int_equal(ww_payloads_add_vrp(&delta.announce, &v), WW_OK);
    v = vrp("2001:db8::/128", 128, 1 + i);
    v.prefix.addr[14] = (uint8_t)(i >> 8);
    v.prefix.addr[15] = (uint8_t)i;
    assert_int_equal(ww_payloads_add_vrp(&delta.announce, &v), WW_OK);
  }
  struct ww_snapshot *snapshot = apply(ww_snapshot_new(), &delta, true), *full = ww_snapshot_ref(snapshot);
  ww_snapshot_counts(snapshot, &counts);
  assert_int_equal(counts.vrps_v4, 200000);
  assert_int_equal(counts.vrps_v6, 100000);
  assert_in_range(counts.bytes / 300000, 12, 48);
  for (uint32_t asn = 1; asn < 100000; asn += 9) {
    assert_verdict(snapshot, "192.0.2.0/24", asn, WW_STATE_VALID, WW_REASON_NONE);
    assert_verdict(snapshot, "192.0.2.128/25", asn, WW_STATE_INVALID, WW_REASON_ORIGIN_LENGTH);
    assert_verdict(snapshot, "192.0.2.128/25", asn + 1, WW_STATE_VALID, WW_REASON_NONE);
  }
  assert_verdict(snapshot, "192.0.2.0/24", 100001, WW_STATE_INVALID, WW_REASON_ORIGIN_AS);
  assert_verdict(snapshot, "198.51.0.0/32", 1, WW_STATE_VALID, WW_REASON_NONE);
  assert_verdict(snapshot, "198.51.195.79/32", 99999, WW_STATE_VALID, WW_REASON_NONE);
  assert_verdict(snapshot, "198.51.195.80/32", 99999, WW_STATE_UNKNOWN, WW_REASON_NONE);
  assert_verdict(snapshot, "2001:db8::/128", 1, WW_STATE_VALID, WW_REASON_NONE);
  assert_verdict(snapshot, "2001:db8::869f/128", 100000, WW_STATE_VALID, WW_REASON_NONE);
  /* One record more in each, and everything out again. */
  add(&delta.announce, "192.0.2.0/24", 24, 0);
  add(&delta.announce, "198.51.0.0/17", 17, 5);
  add(&delta.announce, "2001:db8::/120", 120, 5);
  snapshot = apply(snapshot, &delta, true);
  assert_verdict(snapshot, "198.51.100.0/24", 5, WW_STATE_INVALID, WW_REASON_ORIGIN_LENGTH);
  assert_verdict(snapshot, "2001:db8::/120", 5, WW_STATE_VALID, WW_REASON_NONE);
  ww_snapshot_unref(snapshot);
  ww_snapshot_unref(full);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_refuses_unsound_deltas),
      cmocka_unit_test(test_not_ready_is_no_verdict),
      cmocka_unit_test(test_empty_but_ready),
      cmocka_unit_test(test_sources_are_apart),
      cmocka_unit_test(test_expiry),
      cmocka_unit_test(test_aspas_and_keys),
      cmocka_unit_test(test_hostile_shapes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
