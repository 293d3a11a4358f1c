/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RTR client machine in version 2 (draft-ietf-sidrops-8210bis-26): ASPAs, errors that cost the data, versions from
 * 2 down, and the caches that do it differently. Bad input first.
 */
#include "rtr_script.h"

#include <stdlib.h>
#include <string.h>

#include "wire/rtr.h"

enum { PROVIDERS = 250 };

#define LIST(...)                                                                                                      \
  sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), (const uint32_t[]) { __VA_ARGS__ }

static struct owner *start_between(uint8_t min_version, uint8_t max_version) {
  struct ww_rtr_client_config config = {.name = "test", .min_version = min_version, .max_version = max_version};
  return start_with(&config, NULL);
}

static struct owner *restart(uint8_t version, uint8_t min_version, uint8_t max_version) {
  struct ww_rtr_client_config config = {.name = "test", .min_version = min_version, .max_version = max_version};
  const struct ww_rtr_resume resume = {.valid = true,
                                       .version = version,
                                       .session = SESSION,
                                       .serial = 41,
                                       .refresh = 3600,
                                       .retry = 300,
                                       .expire = 7200,
                                       .last_sync = START_UNIX - 10};
  return start_with(&config, &resume);
}

/* The cache answers what was asked with nothing new, at that serial. */
static void answer_empty(struct owner *o, uint8_t version, uint32_t serial) {
  struct script s = {.len = 0};
  put_response(&s, version, SESSION);
  put_eod(&s, version, SESSION, serial);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  expect_silence(o);
}

static void assert_aspa(const struct ww_payloads *set, size_t i, uint32_t customer, size_t count,
                        const uint32_t *providers) {
  assert_true(i < set->aspa_count);
  assert_int_equal(set->aspas[i].customer, customer);
  assert_int_equal(set->aspas[i].provider_count, count);
  if (count)
    assert_memory_equal(set->aspas[i].providers, providers, count * sizeof(*providers));
}

/* As StayRTR 0.5.1 sends them, octet for octet. */
static void put_old_aspa(struct script *s, uint32_t announce, uint32_t customer, uint32_t provider) {
  put_header(s, 2, 11, 0, 20);
  put(s, announce, 1);
  put(s, 0, 1);
  put(s, 1, 2);
  put(s, customer, 4);
  put(s, provider, 4);
}

/* ------------------------------------------------------------------ bad input */

static void test_truncated_at_every_octet(void **state) {
  (void)state;
  struct script s = {.len = 0};
  put_response(&s, 2, SESSION);
  put_v4(&s, 2, 1, 0xc0000200, 24, 24, 64500);
  put_key(&s, 2, 1, 7, 64500, 0x30020500);
  put_aspa(&s, 1, 64500, LIST(1, 2, 3));
  put_eod(&s, 2, SESSION, 5);
  for (size_t n = 0; n <= s.len; n++) {
    struct owner *o = start(2);
    connect_now(o);
    expect_reset_query(o, 2);
    assert_int_equal(feed_octets(o, s.octets, n), WW_RTR_STAY);
    assert_int_equal(o->updates, n == s.len);
    assert_int_equal(feed_octets(o, s.octets + n, s.len - n), WW_RTR_STAY);
    assert_int_equal(o->updates, 1);
    assert_aspa(&o->update.delta.announce, 0, 64500, LIST(1, 2, 3));
    close_now(o);
    stop(o);
  }
}

/* What is wrong with an ASPA, the code for it, and that all data goes. */
static void test_malformed(void **state) {
  (void)state;
  static const struct {
    uint8_t octets[24];
    uint8_t len;
    uint16_t code;
  } cases[] = {
      {{2, 11, 1, 0, 0, 0, 0, 12, 0, 0, 0, 1}, 12, 9},                            /* no provider */
      {{2, 11, 1, 0, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 2}, 20, 9},    /* not ascending */
      {{2, 11, 1, 0, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2}, 20, 9},    /* not unique */
      {{2, 11, 1, 0, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2}, 20, 9},    /* AS 0 and another */
      {{2, 11, 1, 0, 0, 0, 0, 11}, 8, 0},                                         /* below the customer */
      {{2, 11, 1, 0, 0, 0, 0, 14}, 8, 0},                                         /* half a provider */
      {{2, 11, 1, 0, 0, 1, 0, 0}, 8, 0},                                          /* §5.1: 65535 at most */
      {{2, 4, 0, 0, 0, 0, 0, 20, 1, 24, 24, 0, 192, 0, 2, 1, 0, 0, 0, 1}, 20, 0}, /* host bits */
      {{2, 4, 0, 0, 0, 0, 0, 20, 1, 24, 23, 0, 192, 0, 2, 0, 0, 0, 0, 1}, 20, 0},
      {{2, 5, 0, 0, 0, 0, 0, 8}, 8, 5},
      {{2, 12, 0, 0, 0, 0, 0, 8}, 8, 5},
      {{1, 4, 0, 0, 0, 0, 0, 20, 1, 24, 24, 0, 192, 0, 2, 0, 0, 0, 0, 1}, 20, 8},
      {{1, 4, 0, 0, 0, 0, 0, 21}, 8, 8},
      {{3, 3, 0, 0, 0, 0, 0, 8}, 8, 8},
      {{2, 3, 0x12, 0x34, 0, 0, 0, 8}, 8, 0}, /* a second Cache Response */
      {{2, 2, 0, 0, 0, 0, 0, 8}, 8, 3},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct owner *o = asking(2);
    struct script s = {.len = 0};
    put_response(&s, 2, SESSION);
    put_aspa(&s, 1, 7, LIST(8));
    assert_int_equal(feed(o, &s), WW_RTR_STAY);
    enum ww_rtr_action action = feed_octets(o, cases[i].octets, cases[i].len);
    expect_refusal(o, action, 2, cases[i].code, cases[i].octets, cases[i].len);
    assert_int_equal(o->updates, 1);
    assert_int_equal(o->flushes, 1); /* §12 */
    connect_now(o);
    expect_reset_query(o, 2);
    stop(o);
  }
}

static void test_aspa_of_no_aspa_version(void **state) {
  (void)state;
  /* in a session of version 1, well-formed or not, it is of another version, and no code of version 2 is sent */
  static const uint8_t good[] = {2, 11, 1, 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 2};
  static const uint8_t bad[] = {2, 11, 1, 0, 0, 0, 0, 12, 0, 0, 0, 1};
  struct owner *o = asking(1);
  expect_refusal(o, feed_octets(o, good, sizeof(good)), 1, 8, good, sizeof(good));
  assert_int_equal(o->flushes, 0);
  connect_now(o);
  ww_buf_clear(ww_rtr_client_output(o->client));
  expect_refusal(o, feed_octets(o, bad, sizeof(bad)), 1, 4, bad, sizeof(bad));
  assert_int_equal(o->flushes, 0);
  stop(o);
}

/* Twice in one response. The quoted PDU is whole as far as it fits. */
static void test_twice_in_one_response(void **state) {
  (void)state;
  uint32_t many[PROVIDERS + 10];
  for (uint32_t i = 0; i < PROVIDERS + 10; i++)
    many[i] = i + 1;
  for (int c = 0; c < 6; c++) {
    struct owner *o = c == 5 ? start(2) : asking(2);
    if (c == 5) {
      connect_now(o);
      expect_reset_query(o, 2);
    }
    struct script s = {.len = 0}, bad = {.len = 0};
    put_response(&s, 2, SESSION);
    put_aspa(&s, 1, 6, LIST(9));
    uint16_t code = 7;
    switch (c) {
    case 0: /* the same again */
      put_aspa(&s, 1, 64500, LIST(1, 2));
      put_aspa(&bad, 1, 64500, LIST(1, 2));
      break;
    case 1: /* another list: within one response it does not replace */
    case 5:
      put_aspa(&s, 1, 64500, LIST(1, 2));
      put_aspa(&bad, 1, 64500, LIST(3));
      break;
    case 2:
      put_aspa(&s, 1, 64500, LIST(1, 2));
      put_aspa(&bad, 1, 64500, PROVIDERS + 10, many);
      break;
    case 3:
      put_aspa(&s, 0, 64500, 0, NULL);
      put_aspa(&bad, 0, 64500, 0, NULL);
      code = 6;
      break;
    default: /* the old list goes, the new one was said already: and then once more */
      put_aspa(&s, 1, 64500, LIST(1, 2));
      put_aspa(&s, 0, 64500, LIST(1));
      put_aspa(&bad, 1, 64500, LIST(1, 2));
      break;
    }
    put_aspa(&s, 1, 70000, LIST(9)); /* others in between do not matter */
    memcpy(s.octets + s.len, bad.octets, bad.len);
    s.len += bad.len;
    put_eod(&s, 2, SESSION, 6);
    size_t quoted = bad.len < 12 + 4 * PROVIDERS ? bad.len : 12 + 4 * PROVIDERS;
    expect_refusal(o, feed(o, &s), 2, code, bad.octets, quoted);
    assert_int_equal(o->updates, c != 5);
    assert_int_equal(o->flushes, c != 5); /* nothing was held yet */
    connect_now(o);
    expect_reset_query(o, 2);
    stop(o);
  }
}

static void test_withdrawal_in_full_set(void **state) {
  (void)state;
  struct owner *o = start(2);
  connect_now(o);
  expect_reset_query(o, 2);
  struct script s = {.len = 0}, bad = {.len = 0};
  put_response(&s, 2, SESSION);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  put_aspa(&bad, 0, 64500, 0, NULL);
  expect_refusal(o, feed_octets(o, bad.octets, bad.len), 2, 0, bad.octets, bad.len);
  stop(o);
}

static void test_unknown_withdrawal_by_store(void **state) {
  (void)state;
  for (int gone = 0; gone < 2; gone++) {
    struct owner *o = asking(2);
    o->commit_at_once = false;
    struct script s = {.len = 0};
    put_response(&s, 2, SESSION);
    put_aspa(&s, 0, 64500, 0, NULL);
    put_eod(&s, 2, SESSION, 6);
    assert_int_equal(feed(o, &s), WW_RTR_STAY);
    if (gone)
      close_now(o);
    enum ww_rtr_action action = ww_rtr_client_committed(o->client, true, 1, o->now);
    if (gone)
      assert_int_equal(action, WW_RTR_STAY);
    else
      expect_refusal(o, action, 2, 6, NULL, 0);
    assert_int_equal(o->flushes, 1);
    connect_now(o);
    expect_reset_query(o, 2);
    stop(o);
  }
}

static void test_too_many(void **state) {
  (void)state;
  struct ww_rtr_client_config config = {.name = "test", .max_version = 2, .max_records = 4};
  for (uint32_t n = 7; n < 18; n++) {
    struct owner *o = start_with(&config, NULL);
    connect_now(o);
    expect_reset_query(o, 2);
    uint32_t providers[20];
    for (uint32_t i = 0; i < n; i++)
      providers[i] = i + 1;
    struct script s = {.len = 0};
    put_response(&s, 2, SESSION);
    put_aspa(&s, 1, 1, n, providers); /* 1 + n/8 records */
    put_aspa(&s, 1, 2, LIST(1));
    put_aspa(&s, 1, 3, LIST(1));
    put_eod(&s, 2, SESSION, 1);
    if (n >= 16)
      expect_refusal(o, feed(o, &s), 2, 1, NULL, 0);
    else
      assert_int_equal(feed(o, &s), WW_RTR_STAY);
    assert_int_equal(o->updates, n < 16);
    stop(o);
  }
}

/* ------------------------------------------------------------------ errors that the cache reports */

static void test_error_reports(void **state) {
  (void)state;
  for (uint32_t code = 0; code < 16; code++) {
    if (code == 2 || code == 12 || code == 13)
      continue;
    struct owner *o = asking(2);
    struct script s = {.len = 0};
    put_error(&s, 2, code);
    assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
    expect_silence(o);
    close_now(o);
    assert_int_equal(o->flushes, code != 4); /* §12: 4 is not fatal, and what is no code is */
    connect_now(o);
    expect_reset_query(o, 2);
    stop(o);
  }
  /* §5.11: malformed ones flush, and are not answered; nor is one of another version */
  static const uint8_t bad[][16] = {{2, 10, 0, 0, 0, 0, 0, 16, 0xff, 0xff, 0xff, 0xff},
                                    {2, 10, 0, 0, 0, 0, 0, 15},
                                    {2, 10, 0, 0, 0, 1, 0, 0},
                                    {1, 10, 0, 0, 0, 0, 0, 16}};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct owner *o = synced(2);
    assert_int_equal(feed_octets(o, bad[i], 16), WW_RTR_CLOSE);
    expect_silence(o);
    assert_int_equal(o->flushes, 1);
    stop(o);
  }
}

static void test_no_data(void **state) {
  (void)state;
  struct owner *o = asking(2);
  struct script s = {.len = 0};
  put_error(&s, 2, 2);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(o->flushes, 0);
  assert_true(ww_rtr_client_deadline(o->client) == o->now.mono + 60000); /* §8.4 */
  assert_int_equal(wake(o), WW_RTR_STAY);
  expect_reset_query(o, 2);
  stop(o);
}

static void test_cache_restart(void **state) {
  (void)state;
  for (int inside = 0; inside < 2; inside++) {
    struct owner *o = synced(2);
    if (inside) {
      assert_int_equal(wake(o), WW_RTR_STAY);
      expect_serial_query(o, 2, SESSION, 5);
    }
    struct script s = {.len = 0};
    put_error(&s, 2, 12);
    assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
    expect_silence(o);
    close_now(o);
    assert_int_equal(o->flushes, 0);
    assert_non_null(strstr(stats(o).last_error, "Cache Restart"));
    /* §8.5: at the Retry Interval, and what we have is still ours */
    assert_true(ww_rtr_client_deadline(o->client) == o->now.mono + 600 * 1000);
    assert_int_equal(wake(o), WW_RTR_CONNECT);
    assert_int_equal(ww_rtr_client_connect_failed(o->client, "refused", o->now), WW_RTR_STAY);
    assert_in_range(ww_rtr_client_deadline(o->client) - o->now.mono, 450 * 1000, 750 * 1000);
    connect_now(o);
    expect_serial_query(o, 2, SESSION, 5);
    stop(o);
  }
}

static void test_cache_restart_for_ever(void **state) {
  (void)state;
  struct owner *o = synced(2);
  ww_mono_ms at = o->now.mono;
  struct script s = {.len = 0};
  put_error(&s, 2, 12);
  assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
  close_now(o);
  while (!o->flushes)
    if (wake(o) == WW_RTR_CONNECT)
      assert_int_equal(ww_rtr_client_connect_failed(o->client, "refused", o->now), WW_RTR_STAY);
  assert_true(o->now.mono == at + 7200 * 1000); /* §8.5: until Expire */
  stop(o);
}

static void test_cache_shutdown(void **state) {
  (void)state;
  for (int committing = 0; committing < 2; committing++) {
    struct owner *o = asking(2);
    struct script s = {.len = 0};
    put_response(&s, 2, SESSION);
    put_eod_timers(&s, 2, SESSION, 6, 100, 50, 7200);
    o->commit_at_once = !committing;
    put_error(&s, 2, 13);
    assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
    expect_silence(o);
    assert_int_equal(o->flushes, 1);
    close_now(o);
    if (committing) /* what was under way counts not */
      assert_int_equal(ww_rtr_client_committed(o->client, true, 0, o->now), WW_RTR_STAY);
    /* §8.6: the default Retry Interval, not the cache's */
    assert_true(ww_rtr_client_deadline(o->client) == o->now.mono + 600 * 1000);
    connect_now(o);
    expect_reset_query(o, 2);
    stop(o);
  }
}

/* The codes of version 2 mean nothing in version 1. */
static void test_restart_in_version_1(void **state) {
  (void)state;
  for (uint32_t code = 12; code < 14; code++) {
    struct owner *o = synced(1);
    struct script s = {.len = 0};
    put_error(&s, 1, code);
    assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
    close_now(o);
    assert_int_equal(o->flushes, 0);
    assert_true(ww_rtr_client_deadline(o->client) <= o->now.mono + 1250);
    stop(o);
  }
}

static void test_stall(void **state) {
  (void)state;
  struct owner *o = asking(2);
  pass(o, 1800 * 1000 - 1);
  assert_int_equal(tick(o), WW_RTR_STAY);
  pass(o, 1);
  expect_refusal(o, tick(o), 2, 10, NULL, 0);
  assert_int_equal(o->flushes, 1);
  stop(o);
  /* before there is a session there is nobody to tell */
  o = restart(2, 0, 2);
  connect_now(o);
  expect_serial_query(o, 2, SESSION, 41);
  assert_int_equal(wake(o), WW_RTR_CLOSE);
  expect_silence(o);
  assert_int_equal(o->flushes, 0);
  stop(o);
}

static void test_session_mismatch(void **state) {
  (void)state;
  struct owner *o = asking(2);
  struct script s = {.len = 0}, bad = {.len = 0};
  put_response(&s, 2, SESSION);
  put_eod(&bad, 2, SESSION + 1, 6);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  expect_refusal(o, feed_octets(o, bad.octets, bad.len), 2, 0, bad.octets, bad.len);
  assert_int_equal(o->flushes, 1); /* once */
  stop(o);
}

/* ------------------------------------------------------------------ ASPAs */

static void test_full_then_deltas(void **state) {
  (void)state;
  struct owner *o = start(2);
  connect_now(o);
  expect_reset_query(o, 2);
  struct script s = {.len = 0};
  put_response(&s, 2, SESSION);
  put_aspa(&s, 1, 64502, LIST(5)); /* §11.2.3 wants them in order, and nobody depends on it */
  put_key(&s, 2, 1, 3, 64510, 0x30020500);
  put_aspa(&s, 1, 4200000000, LIST(0));
  put_v4(&s, 2, 1, 0xc0000200, 24, 24, 64500);
  put_aspa(&s, 1, 64500, LIST(1, 2, 4294967295));
  put_eod(&s, 2, SESSION, 5);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(o->updates, 1);
  assert_true(o->update.full);
  assert_int_equal(o->update.version, 2);
  const struct ww_payloads *in = &o->update.delta.announce, *out = &o->update.delta.withdraw;
  assert_int_equal(in->vrp_count, 1);
  assert_int_equal(in->key_count, 1);
  assert_int_equal(in->aspa_count, 3);
  assert_aspa(in, 0, 64500, LIST(1, 2, 4294967295));
  assert_aspa(in, 1, 64502, LIST(5));
  assert_aspa(in, 2, 4200000000, LIST(0));

  pass(o, 5000);
  put_notify(&s, 2, SESSION, 6);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(tick(o), WW_RTR_STAY);
  expect_serial_query(o, 2, SESSION, 5);
  put_response(&s, 2, SESSION);
  put_aspa(&s, 1, 64502, LIST(5, 6)); /* replaces, without a withdrawal */
  put_aspa(&s, 1, 64503, LIST(7));
  put_aspa(&s, 0, 64500, 0, NULL); /* the whole customer */
  put_eod(&s, 2, SESSION, 6);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(o->updates, 2);
  assert_false(o->update.full);
  assert_int_equal(in->aspa_count, 2);
  assert_aspa(in, 0, 64502, LIST(5, 6));
  assert_aspa(in, 1, 64503, LIST(7));
  assert_int_equal(out->aspa_count, 1);
  assert_aspa(out, 0, 64500, 0, NULL);
  assert_int_equal(stats(o).serial, 6);
  assert_int_equal(o->flushes, 0);
  stop(o);
}

/* Tolerance: an answer without a change. */
static void test_empty_deltas(void **state) {
  (void)state;
  struct owner *o = asking(2);
  answer_empty(o, 2, 5); /* the same serial, too */
  assert_int_equal(o->updates, 2);
  assert_false(o->update.full);
  assert_int_equal(wake(o), WW_RTR_STAY);
  expect_serial_query(o, 2, SESSION, 5);
  answer_empty(o, 2, 9);
  assert_int_equal(wake(o), WW_RTR_STAY);
  expect_serial_query(o, 2, SESSION, 9);
  assert_int_equal(o->flushes, 0);
  stop(o);
}

/* Tolerance aspa-announce-then-withdraw: a cache that thinks of an ASPA as {customer, providers} says a change as the
 * announcement of the new list and the withdrawal of the old. */
static void test_announce_then_withdraw(void **state) {
  (void)state;
  static const struct {
    uint32_t list[2];
    size_t count;
    bool withdrawn_first, held;
  } cases[] = {
      {{1, 2}, 2, false, true},                             /* the old list: the new one stands */
      {{4, 0}, 1, false, true},  {{3, 0}, 1, false, false}, /* the announced list itself: gone */
      {{0, 0}, 0, false, false},                            /* no list: §5.12, the whole customer */
      {{1, 2}, 2, true, true},                              /* the other way round: replaced */
      {{3, 0}, 1, true, true},   {{0, 0}, 0, true, true},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct owner *o = asking(2);
    o->commit_at_once = false;
    struct script s = {.len = 0};
    put_response(&s, 2, SESSION);
    if (cases[i].withdrawn_first)
      put_aspa(&s, 0, 64500, cases[i].count, cases[i].list);
    put_aspa(&s, 1, 64500, LIST(3));
    put_aspa(&s, 1, 64501, LIST(3));
    if (!cases[i].withdrawn_first)
      put_aspa(&s, 0, 64500, cases[i].count, cases[i].list);
    put_eod(&s, 2, SESSION, 6);
    assert_int_equal(feed(o, &s), WW_RTR_STAY);
    assert_int_equal(o->update.delta.announce.aspa_count, cases[i].held ? 2 : 1);
    assert_int_equal(o->update.delta.withdraw.aspa_count, cases[i].held ? 0 : 1);
    if (cases[i].held)
      assert_aspa(&o->update.delta.announce, 0, 64500, LIST(3));
    else
      assert_aspa(&o->update.delta.withdraw, 0, 64500, 0, NULL);
    /* announced and withdrawn at once: whether it was held before is nobody's fault */
    assert_int_equal(ww_rtr_client_committed(o->client, true, cases[i].held ? 0 : 1, o->now), WW_RTR_STAY);
    assert_int_equal(o->flushes, 0);
    stop(o);
  }
}

/* A list that no relying party would pass on costs that customer its record, and nobody else anything. */
static void test_too_many_providers(void **state) {
  (void)state;
  enum { N = WW_ASPA_PROVIDERS_MAX + 1, LEN = 12 + 4 * N };
  uint8_t *octets = malloc(LEN);
  assert_non_null(octets);
  struct ww_writer w = ww_writer_make(octets, LEN);
  ww_writer_u32(&w, 0x020b0100);
  ww_writer_u32(&w, LEN);
  ww_writer_u32(&w, 64500);
  for (uint32_t i = 0; i < N; i++)
    ww_writer_u32(&w, i + 1);
  for (int full = 0; full < 2; full++) {
    struct owner *o = full ? start(2) : asking(2);
    if (full) {
      connect_now(o);
      expect_reset_query(o, 2);
    }
    o->commit_at_once = false;
    struct script s = {.len = 0};
    put_response(&s, 2, SESSION);
    assert_int_equal(feed(o, &s), WW_RTR_STAY);
    assert_int_equal(feed_octets(o, octets, LEN), WW_RTR_STAY);
    assert_non_null(strstr(o->warning, "AS64500"));
    put_aspa(&s, 1, 64501, LIST(3));
    put_eod(&s, 2, SESSION, 6);
    assert_int_equal(feed(o, &s), WW_RTR_STAY);
    assert_int_equal(o->update.full, full);
    assert_int_equal(o->update.delta.announce.aspa_count, 1);
    assert_int_equal(o->update.delta.withdraw.aspa_count, full ? 0 : 1);
    assert_int_equal(ww_rtr_client_committed(o->client, true, full ? 0 : 1, o->now), WW_RTR_STAY);
    assert_int_equal(o->flushes, 0);
    stop(o);
  }
  free(octets);
  /* ten thousand are many, and fine */
  octets = malloc(LEN - 4);
  assert_non_null(octets);
  w = ww_writer_make(octets, LEN - 4);
  ww_writer_u32(&w, 0x020b0100);
  ww_writer_u32(&w, LEN - 4);
  ww_writer_u32(&w, 64500);
  for (uint32_t i = 0; i < N - 1; i++)
    ww_writer_u32(&w, i + 1);
  struct owner *o = asking(2);
  struct script s = {.len = 0};
  put_response(&s, 2, SESSION);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(feed_octets(o, octets, LEN - 4), WW_RTR_STAY);
  put_eod(&s, 2, SESSION, 6);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(o->update.delta.announce.aspas[0].provider_count, N - 1);
  free(octets);
  stop(o);
}

/* ------------------------------------------------------------------ caches of the old layout */

/* Tolerance aspa-old-layout. */
static void test_old_layout(void **state) {
  (void)state;
  for (int held = 0; held < 2; held++) {
    struct owner *o = held ? restart(2, 0, 2) : start(2);
    connect_now(o);
    struct script s = {.len = 0}, old = {.len = 0};
    if (held) {
      expect_serial_query(o, 2, SESSION, 41);
      put_cache_reset(&s, 2);
      assert_int_equal(feed(o, &s), WW_RTR_STAY);
    }
    expect_reset_query(o, 2);
    put_response(&s, 2, SESSION);
    put_v4(&s, 2, 1, 0xc0000200, 24, 24, 64500);
    assert_int_equal(feed(o, &s), WW_RTR_STAY);
    put_old_aspa(&old, 1, 65000, 65001);
    put_old_aspa(&old, 1, 65002, 65001);
    put_eod(&old, 2, SESSION, 5);
    enum ww_rtr_action action = feed_octets(o, old.octets, old.len);
    expect_refusal(o, action, 2, 4, old.octets, 20);
    assert_int_equal(o->updates, 0);
    assert_int_equal(o->flushes, 0); /* the data in force is none the worse for it */
    /* said in plain words: which draft, and what to do */
    const struct ww_rtr_client_stats st = stats(o);
    assert_non_null(strstr(st.last_error, "draft-ietf-sidrops-8210bis-15"));
    assert_non_null(strstr(st.last_error, "max-version = 1"));
    assert_non_null(strstr(o->warning, "draft-ietf-sidrops-8210bis-15"));
    /* at once, in version 1 */
    assert_int_equal(tick(o), WW_RTR_CONNECT);
    assert_int_equal(ww_rtr_client_connected(o->client, o->now), WW_RTR_STAY);
    expect_reset_query(o, 1);
    answer_empty(o, 1, 5);
    assert_int_equal(o->updates, 1);
    assert_int_equal(o->update.version, 1);
    /* no flapping: over reconnects it stays there, for a day */
    for (int i = 0; i < 3; i++) {
      close_now(o);
      connect_now(o);
      expect_serial_query(o, 1, SESSION, 5);
      answer_empty(o, 1, 5);
    }
    assert_int_equal(o->flushes, 0);
    close_now(o);
    pass(o, 7100 * 1000);
    connect_now(o);
    expect_serial_query(o, 1, SESSION, 5);
    answer_empty(o, 1, 6);
    /* it may have been upgraded: tried again, to no harm */
    close_now(o);
    pass(o, 24 * 3600 * 1000 - 7100 * 1000);
    connect_now(o);
    expect_reset_query(o, 2);
    stop(o);
  }
}

/* In a delta: the cache had no ASPA when the session began. */
static void test_old_layout_in_delta(void **state) {
  (void)state;
  struct owner *o = asking(2);
  struct script s = {.len = 0}, old = {.len = 0};
  put_response(&s, 2, SESSION);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  put_old_aspa(&old, 1, 65000, 65001);
  expect_refusal(o, feed_octets(o, old.octets, old.len), 2, 4, old.octets, 20);
  assert_int_equal(o->flushes, 0);
  connect_now(o);
  expect_reset_query(o, 1);
  stop(o);
}

static void test_old_layout_and_no_way_down(void **state) {
  (void)state;
  struct owner *o = start_between(2, 2);
  ww_mono_ms waited = 0;
  for (int i = 0; i < 6; i++) {
    connect_now(o);
    expect_reset_query(o, 2);
    struct script s = {.len = 0}, old = {.len = 0};
    put_response(&s, 2, SESSION);
    assert_int_equal(feed(o, &s), WW_RTR_STAY);
    put_old_aspa(&old, 1, 65000, 65001);
    expect_refusal(o, feed_octets(o, old.octets, old.len), 2, 4, old.octets, 20);
    assert_non_null(strstr(stats(o).last_error, "min-version"));
    ww_mono_ms wait = ww_rtr_client_deadline(o->client) - o->now.mono;
    assert_true(wait > waited);
    waited = wait;
  }
  stop(o);
}

/* ------------------------------------------------------------------ versions */

static void test_downgrade_by_error(void **state) {
  (void)state;
  static const struct {
    uint8_t version, code, next;
  } cases[] = {
      {1, 4, 1}, {0, 4, 0}, {2, 4, 1}, {1, 0, 1}, {0, 3, 0}, {1, 5, 1},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct owner *o = start(2);
    connect_now(o);
    expect_reset_query(o, 2);
    struct script s = {.len = 0};
    put_error(&s, cases[i].version, cases[i].code);
    assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
    expect_silence(o);
    close_now(o);
    assert_int_equal(tick(o), WW_RTR_CONNECT); /* §6: a version mismatch overrides the Retry Interval */
    assert_int_equal(ww_rtr_client_connected(o->client, o->now), WW_RTR_STAY);
    expect_reset_query(o, cases[i].next);
    answer_empty(o, cases[i].next, 5);
    assert_int_equal(o->update.version, cases[i].next);
    close_now(o);
    connect_now(o);
    expect_serial_query(o, cases[i].next, SESSION, 5); /* and is remembered */
    stop(o);
  }
}

static void test_all_the_way_down(void **state) {
  (void)state;
  struct owner *o = start(2);
  for (uint8_t version = 3; version-- > 0;) {
    connect_now(o);
    expect_reset_query(o, version);
    struct script s = {.len = 0};
    put_error(&s, version, 4);
    assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
    close_now(o);
    if (version)
      assert_true(ww_rtr_client_deadline(o->client) == o->now.mono);
  }
  assert_non_null(strstr(stats(o).last_error, "no common version")); /* §7: hopeless */
  assert_true(ww_rtr_client_deadline(o->client) >= o->now.mono + 750);
  stop(o);
}

/* A cache that answers in its own version instead of refusing ours. */
static void test_downgrade_in_place(void **state) {
  (void)state;
  for (uint8_t version = 0; version < 2; version++) {
    struct owner *o = start(2);
    connect_now(o);
    expect_reset_query(o, 2);
    answer_empty(o, version, 5);
    assert_int_equal(o->updates, 1);
    assert_int_equal(stats(o).version, version);
    close_now(o);
    connect_now(o);
    expect_serial_query(o, version, SESSION, 5);
    stop(o);
  }
  /* the answer to a Serial Query of version 2 is a delta of another session */
  struct owner *o = restart(2, 0, 2);
  connect_now(o);
  expect_serial_query(o, 2, SESSION, 41);
  struct script s = {.len = 0};
  put_response(&s, 1, SESSION);
  assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
  close_now(o);
  connect_now(o);
  expect_reset_query(o, 1);
  assert_int_equal(o->flushes, 0);
  stop(o);
}

/* Closing is no answer of version 2: once may be anything. */
static void test_downgrade_by_close(void **state) {
  (void)state;
  struct owner *o = start(2);
  static const uint8_t expected[] = {2, 2, 1, 0, 2, 2, 1};
  for (size_t i = 0; i < sizeof(expected); i++) {
    connect_now(o);
    expect_reset_query(o, expected[i]);
    close_now(o);
    assert_int_equal(ww_rtr_client_deadline(o->client) == o->now.mono,
                     i == 1 || i == 2); /* new versions cost no wait */
  }
  stop(o);
}

static void test_min_version(void **state) {
  (void)state;
  static const struct { uint8_t min, offered; } cases[] = {{1, 0}, {2, 0}, {2, 1}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct owner *o = start_between(cases[i].min, 2);
    connect_now(o);
    expect_reset_query(o, 2);
    struct script s = {.len = 0}, bad = {.len = 0};
    put_error(&s, cases[i].offered, 4);
    assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
    expect_silence(o);
    assert_non_null(strstr(stats(o).last_error, "no common version"));
    close_now(o);
    connect_now(o);
    expect_reset_query(o, 2);
    put_response(&bad, cases[i].offered, SESSION);
    expect_refusal(o, feed_octets(o, bad.octets, bad.len), 2, 4, bad.octets, bad.len);
    assert_non_null(strstr(stats(o).last_error, "min-version"));
    connect_now(o);
    expect_reset_query(o, 2);
    put_error(&s, cases[i].offered, 2); /* No Data in that version */
    assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
    close_now(o);
    connect_now(o);
    expect_reset_query(o, 2);
    assert_int_equal(o->updates, 0);
    stop(o);
  }
  /* nor by guessing, nor from the store */
  struct owner *o = start_between(2, 2);
  for (int i = 0; i < 4; i++) {
    connect_now(o);
    expect_reset_query(o, 2);
    close_now(o);
    assert_true(ww_rtr_client_deadline(o->client) > o->now.mono);
  }
  stop(o);
  o = restart(1, 2, 2);
  connect_now(o);
  expect_reset_query(o, 2);
  assert_int_equal(o->flushes, 0);
  stop(o);
  /* one version, and it is version 0 */
  o = start_between(0, 0);
  connect_now(o);
  expect_reset_query(o, 0);
  stop(o);
}

static void test_resume(void **state) {
  (void)state;
  struct owner *o = restart(2, 0, 2);
  connect_now(o);
  expect_serial_query(o, 2, SESSION, 41);
  struct script s = {.len = 0};
  put_response(&s, 2, SESSION);
  put_aspa(&s, 1, 64500, LIST(1));
  put_eod(&s, 2, SESSION, 42);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_false(o->update.full);
  assert_int_equal(o->update.delta.announce.aspa_count, 1);
  stop(o);
  /* §5.1: sessions of different versions are different sessions */
  o = restart(2, 0, 1);
  connect_now(o);
  expect_reset_query(o, 1);
  stop(o);
  /* §5.1, §12: the cache knows our session no longer and says so with a fatal code */
  o = restart(2, 0, 2);
  connect_now(o);
  expect_serial_query(o, 2, SESSION, 41);
  put_error(&s, 2, 0);
  assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
  assert_int_equal(o->flushes, 1);
  close_now(o);
  connect_now(o);
  expect_reset_query(o, 2);
  stop(o);
}

/* §7: MUST be ignored until versions are settled, whatever they say. */
static void test_notify_during_negotiation(void **state) {
  (void)state;
  struct owner *o = start(2);
  connect_now(o);
  expect_reset_query(o, 2);
  struct script s = {.len = 0};
  for (uint32_t version = 0; version < 5; version++)
    put_notify(&s, version, SESSION + 9, 77);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  expect_silence(o);
  assert_int_equal(stats(o).status, WW_RTR_NEGOTIATING);
  answer_empty(o, 2, 5);
  assert_true(ww_rtr_client_deadline(o->client) == o->now.mono + 3600000);
  stop(o);
}

/* What is no RTR at all does not cost the data. */
static void test_garbage_before_a_session(void **state) {
  (void)state;
  struct owner *o = restart(2, 0, 2);
  connect_now(o);
  expect_serial_query(o, 2, SESSION, 41);
  static const uint8_t http[] = "HTTP/1.1 400 Bad Request";
  assert_int_equal(feed_octets(o, http, sizeof(http) - 1), WW_RTR_CLOSE);
  assert_int_equal(o->flushes, 0);
  stop(o);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_truncated_at_every_octet),
      cmocka_unit_test(test_malformed),
      cmocka_unit_test(test_aspa_of_no_aspa_version),
      cmocka_unit_test(test_twice_in_one_response),
      cmocka_unit_test(test_withdrawal_in_full_set),
      cmocka_unit_test(test_unknown_withdrawal_by_store),
      cmocka_unit_test(test_too_many),
      cmocka_unit_test(test_error_reports),
      cmocka_unit_test(test_no_data),
      cmocka_unit_test(test_cache_restart),
      cmocka_unit_test(test_cache_restart_for_ever),
      cmocka_unit_test(test_cache_shutdown),
      cmocka_unit_test(test_restart_in_version_1),
      cmocka_unit_test(test_stall),
      cmocka_unit_test(test_session_mismatch),
      cmocka_unit_test(test_full_then_deltas),
      cmocka_unit_test(test_empty_deltas),
      cmocka_unit_test(test_announce_then_withdraw),
      cmocka_unit_test(test_too_many_providers),
      cmocka_unit_test(test_old_layout),
      cmocka_unit_test(test_old_layout_in_delta),
      cmocka_unit_test(test_old_layout_and_no_way_down),
      cmocka_unit_test(test_downgrade_by_error),
      cmocka_unit_test(test_all_the_way_down),
      cmocka_unit_test(test_downgrade_in_place),
      cmocka_unit_test(test_downgrade_by_close),
      cmocka_unit_test(test_min_version),
      cmocka_unit_test(test_resume),
      cmocka_unit_test(test_notify_during_negotiation),
      cmocka_unit_test(test_garbage_before_a_session),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
