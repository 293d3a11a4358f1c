/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RTR client machine against a scripted cache: octets written by hand go in, octets come out, time is a number.
 * Bad input first, then the conversations of RFC 8210 §8 and the version rules of §7.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rtr_script.h"

/* ------------------------------------------------------------------ bad input */

static void test_truncated_at_every_octet(void **state) {
  (void)state;
  struct script s = {.len = 0};
  put_response(&s, 1, SESSION);
  put_v4(&s, 1, 1, 0xc0000200, 24, 24, 64500);
  put_key(&s, 1, 1, 7, 64500, 0x30020500);
  put_eod(&s, 1, SESSION, 5);
  for (size_t n = 0; n < s.len; n++) {
    struct owner *o = start(1);
    connect_now(o);
    expect_reset_query(o, 1);
    assert_int_equal(feed_octets(o, s.octets, n), WW_RTR_STAY);
    close_now(o);
    assert_int_equal(o->updates, 0);
    /* and what was collected is forgotten: the next answer is whole and alone */
    connect_now(o);
    ww_buf_clear(ww_rtr_client_output(o->client));
    struct script again = {.len = 0};
    uint8_t version = stats(o).version;
    put_response(&again, version, SESSION);
    put_v4(&again, version, 1, 0xc6336400, 24, 24, 64502);
    put_eod(&again, version, SESSION, 6);
    assert_int_equal(feed(o, &again), WW_RTR_STAY);
    assert_int_equal(o->updates, 1);
    assert_int_equal(o->update.delta.announce.vrp_count, 1);
    assert_int_equal(o->update.delta.announce.key_count, 0);
    assert_int_equal(o->update.delta.announce.vrps[0].asn, 64502);
    stop(o);
  }
}

static void test_fragmented_at_every_boundary(void **state) {
  (void)state;
  struct script s = {.len = 0};
  put_response(&s, 1, SESSION);
  put_v4(&s, 1, 1, 0xc0000200, 24, 24, 64500);
  put_v6(&s, 1, 1, 0x20010db8, 32, 48, 64501);
  put_key(&s, 1, 1, 7, 64500, 0x30020500);
  put_eod(&s, 1, SESSION, 5);
  for (size_t cut = 0; cut <= s.len + 1; cut++) {
    struct owner *o = start(1);
    connect_now(o);
    if (cut <= s.len) {
      assert_int_equal(feed_octets(o, s.octets, cut), WW_RTR_STAY);
      assert_int_equal(feed_octets(o, s.octets + cut, s.len - cut), WW_RTR_STAY);
    } else { /* octet by octet */
      for (size_t i = 0; i < s.len; i++)
        assert_int_equal(feed_octets(o, s.octets + i, 1), WW_RTR_STAY);
    }
    assert_int_equal(o->updates, 1);
    assert_true(o->update.full);
    assert_int_equal(o->update.delta.announce.vrp_count, 2);
    assert_int_equal(o->update.delta.announce.key_count, 1);
    assert_int_equal(stats(o).pdus, 5);
    stop(o);
  }
}

static void test_malformed(void **state) {
  (void)state;
  static const struct {
    uint8_t octets[20];
    uint8_t len;
    uint16_t code;
  } cases[] = {
      {{1, 4, 0, 0, 0, 0, 0, 21}, 8, 0},                                          /* wrong length */
      {{1, 4, 0, 0, 0x7f, 0xff, 0xff, 0xff}, 8, 0},                               /* would never end */
      {{1, 4, 0, 0, 0, 0, 0, 0}, 8, 0},                                           /* would never begin */
      {{1, 4, 0, 0, 0, 0, 0, 20, 1, 24, 23, 0, 192, 0, 2, 0, 0, 0, 0, 1}, 20, 0}, /* max length < length */
      {{1, 4, 0, 0, 0, 0, 0, 20, 1, 33, 33, 0, 192, 0, 2, 0, 0, 0, 0, 1}, 20, 0},
      {{1, 5, 0, 0, 0, 0, 0, 8}, 8, 5},
      {{1, 11, 1, 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 2}, 16, 5}, /* ASPA is of version 2 */
      {{2, 11, 1, 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 2}, 16, 8},
      {{9, 3, 0, 0, 0, 0, 0, 8}, 8, 8},
      {{0, 3, 0, 0, 0, 0, 0, 8}, 8, 8},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (int inside = 0; inside < 2; inside++) {
      struct owner *o = synced(1);
      if (inside) {
        assert_int_equal(wake(o), WW_RTR_STAY);
        expect_serial_query(o, 1, SESSION, 5);
        struct script s = {.len = 0};
        put_response(&s, 1, SESSION);
        put_v4(&s, 1, 1, 0x0a000000, 8, 8, 1);
        assert_int_equal(feed(o, &s), WW_RTR_STAY);
      }
      enum ww_rtr_action action = feed_octets(o, cases[i].octets, cases[i].len);
      expect_refusal(o, action, 1, cases[i].code, cases[i].octets, cases[i].len);
      assert_int_equal(o->updates, 1);
      assert_int_equal(o->flushes, 0); /* the previous good data stays in force */
      stop(o);
    }
  }
}

/* RFC 6810 §10 has no code 8 */
static void test_other_version_in_version_0(void **state) {
  (void)state;
  struct owner *o = synced(0);
  static const uint8_t notify[] = {1, 0, 0x12, 0x34, 0, 0, 0, 12, 0, 0, 0, 6};
  expect_refusal(o, feed_octets(o, notify, sizeof(notify)), 0, 4, notify, sizeof(notify));
  stop(o);
}

static void test_out_of_place(void **state) {
  (void)state;
  for (int c = 0; c < 9; c++) {
    struct owner *o = synced(1);
    struct script s = {.len = 0}, bad = {.len = 0};
    uint16_t code = 0;
    switch (c) {
    case 0: /* nobody asked */
      put_v4(&bad, 1, 1, 0x0a000000, 8, 8, 1);
      break;
    case 1:
      put_eod(&bad, 1, SESSION, 6);
      break;
    case 2:
      put_response(&bad, 1, SESSION);
      break;
    case 3:
      put_cache_reset(&bad, 1);
      break;
    case 4: /* a cache does not query */
      put_header(&bad, 1, 2, 0, 8);
      code = 3;
      break;
    case 5:
      put_header(&bad, 1, 1, SESSION, 12);
      put(&bad, 5, 4);
      code = 3;
      break;
    default: /* inside a response */
      assert_int_equal(wake(o), WW_RTR_STAY);
      expect_serial_query(o, 1, SESSION, 5);
      put_response(&s, 1, SESSION);
      assert_int_equal(feed(o, &s), WW_RTR_STAY);
      if (c == 6)
        put_response(&bad, 1, SESSION);
      else if (c == 7)
        put_cache_reset(&bad, 1);
      else {
        put_header(&bad, 1, 2, 0, 8);
        code = 3;
      }
      break;
    }
    enum ww_rtr_action action = feed_octets(o, bad.octets, bad.len);
    expect_refusal(o, action, 1, code, bad.octets, bad.len);
    assert_int_equal(o->updates, 1);
    assert_int_equal(o->flushes, 0);
    stop(o);
  }
}

static void test_cache_reset_to_reset_query(void **state) {
  (void)state;
  struct owner *o = asking(1);
  struct script s = {.len = 0};
  put_cache_reset(&s, 1);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  expect_reset_query(o, 1);
  put_cache_reset(&s, 1);
  const uint8_t bad[] = {1, 8, 0, 0, 0, 0, 0, 8};
  expect_refusal(o, feed(o, &s), 1, 0, bad, sizeof(bad));
  stop(o);
}

static void test_withdrawal_in_full_set(void **state) {
  (void)state;
  struct owner *o = start(1);
  connect_now(o);
  expect_reset_query(o, 1);
  struct script s = {.len = 0}, bad = {.len = 0};
  put_response(&s, 1, SESSION);
  put_v4(&s, 1, 1, 0xc0000200, 24, 24, 64500);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  put_v4(&bad, 1, 0, 0xc0000200, 24, 24, 64500);
  expect_refusal(o, feed_octets(o, bad.octets, bad.len), 1, 0, bad.octets, bad.len);
  assert_int_equal(o->updates, 0);
  stop(o);
}

static void test_duplicates(void **state) {
  (void)state;
  for (int c = 0; c < 6; c++) {
    struct owner *o = c < 3 ? start(1) : asking(1);
    if (c < 3) {
      connect_now(o);
      expect_reset_query(o, 1);
    }
    struct script s = {.len = 0}, bad = {.len = 0};
    uint16_t code = c < 4 ? 7 : 6;
    switch (c) {
    case 0:
    case 3:
    case 4:
      put_v4(&bad, 1, c != 4, 0xcb007100, 24, 32, 64505);
      break;
    case 1:
    case 5:
      put_v6(&bad, 1, c != 5, 0x20010db8, 32, 48, 64505);
      break;
    default:
      put_key(&bad, 1, 1, 9, 64505, 0x30020500);
      break;
    }
    put_response(&s, 1, SESSION);
    for (int i = 0; i < 2; i++) {
      memcpy(s.octets + s.len, bad.octets, bad.len);
      s.len += bad.len;
      put_v4(&s, 1, 1, 0x0a000000u + (uint32_t)i, 32, 32, 64506);
      put_key(&s, 1, 1, 9, 64506u + (uint32_t)i, 0x30020500);
    }
    put_eod(&s, 1, SESSION, 6);
    unsigned before = o->updates;
    expect_refusal(o, feed(o, &s), 1, code, bad.octets, bad.len);
    assert_int_equal(o->updates, before);
    /* the same delta would come again: the next query is for all of it */
    connect_now(o);
    expect_reset_query(o, 1);
    stop(o);
  }
}

static void test_unknown_withdrawal_by_store(void **state) {
  (void)state;
  struct owner *o = asking(1);
  o->commit_at_once = false;
  struct script s = {.len = 0};
  put_response(&s, 1, SESSION);
  put_v4(&s, 1, 0, 0x0a000000, 8, 8, 1);
  put_eod(&s, 1, SESSION, 6);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(o->updates, 2);
  enum ww_rtr_action action = ww_rtr_client_committed(o->client, true, 1, o->now);
  expect_refusal(o, action, 1, 6, NULL, 0);
  assert_int_equal(o->flushes, 0);
  connect_now(o);
  expect_reset_query(o, 1);
  stop(o);
}

/* Announced, then withdrawn in one response: whether it was held before is not the cache's error. */
static void test_transient_record(void **state) {
  (void)state;
  struct owner *o = asking(1);
  o->commit_at_once = false;
  struct script s = {.len = 0};
  put_response(&s, 1, SESSION);
  put_v4(&s, 1, 1, 0x0a000000, 8, 8, 1);
  put_v4(&s, 1, 0, 0x0a000000, 8, 8, 1);
  put_eod(&s, 1, SESSION, 6);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(o->update.delta.announce.vrp_count, 0);
  assert_int_equal(o->update.delta.withdraw.vrp_count, 1);
  assert_int_equal(ww_rtr_client_committed(o->client, true, 1, o->now), WW_RTR_STAY);
  expect_silence(o);
  assert_int_equal(stats(o).serial, 6);
  stop(o);
}

static void test_session_mismatch(void **state) {
  (void)state;
  for (int c = 0; c < 5; c++) {
    struct owner *o = c == 2 ? synced(1) : asking(1);
    struct script s = {.len = 0}, bad = {.len = 0};
    switch (c) {
    case 0:
      put_response(&bad, 1, SESSION + 1);
      break;
    case 1: /* RFC 8210 §5.8 */
      put_response(&s, 1, SESSION);
      put_v4(&s, 1, 1, 0x0a000000, 8, 8, 1);
      put_eod(&bad, 1, SESSION + 1, 6);
      break;
    case 2: /* while nothing is under way */
      put_notify(&bad, 1, SESSION + 1, 6);
      break;
    case 3: /* between query and response */
      put_notify(&bad, 1, SESSION + 1, 6);
      break;
    default:
      put_response(&s, 1, SESSION);
      put_notify(&bad, 1, SESSION + 1, 6);
      break;
    }
    if (s.len)
      assert_int_equal(feed(o, &s), WW_RTR_STAY);
    expect_refusal(o, feed_octets(o, bad.octets, bad.len), 1, 0, bad.octets, bad.len);
    assert_int_equal(o->flushes, 1);
    assert_int_equal(o->updates, 1);
    connect_now(o);
    expect_reset_query(o, 1);
    stop(o);
  }
}

/* A commit that is under way while the session turns out to be another: what it brings was flushed, so it counts not.
 */
static void test_flush_while_committing(void **state) {
  (void)state;
  struct owner *o = asking(1);
  o->commit_at_once = false;
  struct script s = {.len = 0};
  put_response(&s, 1, SESSION);
  put_eod(&s, 1, SESSION, 6);
  put_notify(&s, 1, SESSION + 1, 9);
  assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
  assert_int_equal(o->flushes, 1);
  close_now(o);
  assert_true(ww_rtr_client_deadline(o->client) == WW_MONO_NEVER); /* nothing is asked before the commit is known */
  pass(o, 3600000);
  assert_int_equal(tick(o), WW_RTR_STAY);
  assert_int_equal(ww_rtr_client_committed(o->client, true, 0, o->now), WW_RTR_STAY);
  connect_now(o);
  expect_reset_query(o, 1);
  stop(o);
}

static void test_serial_backwards(void **state) {
  (void)state;
  struct owner *o = asking(1);
  struct script s = {.len = 0}, eod = {.len = 0};
  put_response(&s, 1, SESSION);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  put_eod(&eod, 1, SESSION, 4);
  expect_refusal(o, feed_octets(o, eod.octets, eod.len), 1, 0, eod.octets, eod.len);
  connect_now(o);
  expect_reset_query(o, 1);
  stop(o);
}

static void test_too_many_records(void **state) {
  (void)state;
  struct ww_rtr_client_config config = {.name = "test", .max_version = 1, .max_records = 3};
  for (int keys = 0; keys < 2; keys++) {
    struct owner *o = start_with(&config, NULL);
    connect_now(o);
    expect_reset_query(o, 1);
    struct script s = {.len = 0};
    put_response(&s, 1, SESSION);
    for (uint32_t i = 0; i < 3; i++) {
      if (keys)
        put_key(&s, 1, 1, i, 1, 0x30020500);
      else
        put_v4(&s, 1, 1, i, 32, 32, 1);
    }
    assert_int_equal(feed(o, &s), WW_RTR_STAY);
    put_v6(&s, 1, 1, 0x20010db8, 32, 32, 1);
    put_eod(&s, 1, SESSION, 1);
    expect_refusal(o, feed(o, &s), 1, 1, NULL, 0);
    assert_int_equal(o->updates, 0);
    stop(o);
  }
}

/* A full response of a quarter of a million records in arrival order backwards: sorted, unique, and complete. */
static void test_huge_response(void **state) {
  (void)state;
  struct owner *o = start(1);
  connect_now(o);
  struct script s = {.len = 0};
  put_response(&s, 1, SESSION);
  enum { N = 250000 };
  for (uint32_t i = N; i-- > 0;) {
    if (i % 5)
      put_v4(&s, 1, 1, i << 8, 24, 24 + i % 9, i);
    else
      put_v6(&s, 1, 1, 0x20000000u + i, 32, 32 + i % 90, i * 7);
    if (s.len > 4000)
      assert_int_equal(feed(o, &s), WW_RTR_STAY);
  }
  assert_int_equal(o->updates, 0);
  put_eod(&s, 1, SESSION, 1);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(o->updates, 1);
  assert_int_equal(o->update.delta.announce.vrp_count, N);
  for (size_t i = 1; i < N; i++)
    assert_true(ww_vrp_compare(&o->update.delta.announce.vrps[i - 1], &o->update.delta.announce.vrps[i]) < 0);
  stop(o);
}

static void test_error_reports_are_not_answered(void **state) {
  (void)state;
  for (uint32_t code = 0; code < 12; code++) {
    if (code == 2)
      continue;
    struct owner *o = asking(1);
    struct script s = {.len = 0};
    put_error(&s, 1, code);
    assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
    expect_silence(o);
    close_now(o);
    assert_int_equal(o->flushes, 0);
    /* whatever was wrong with our Serial Query, it is not repeated */
    connect_now(o);
    expect_reset_query(o, 1);
    stop(o);
  }
  /* nor one that is itself malformed, or of another version */
  static const uint8_t bad[][16] = {{1, 10, 0, 0, 0, 0, 0, 16, 0xff, 0xff, 0xff, 0xff},
                                    {1, 10, 0, 0, 0, 0, 0, 15},
                                    {2, 10, 0, 0, 0, 0, 0, 16},
                                    {0, 10, 0, 0, 0, 0, 0, 16}};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct owner *o = synced(1);
    assert_int_equal(feed_octets(o, bad[i], 16), WW_RTR_CLOSE);
    expect_silence(o);
    stop(o);
  }
}

static void test_error_text_is_tamed(void **state) {
  (void)state;
  struct owner *o = synced(1);
  static const uint8_t report[] = {1, 10, 0, 0, 0, 0, 0, 22, 0, 0, 0, 0, 0, 0, 0, 6, 'a', '\n', 0x1b, '[', '2', 'J'};
  assert_int_equal(feed_octets(o, report, sizeof(report)), WW_RTR_CLOSE);
  assert_null(strchr(stats(o).last_error, 0x1b));
  assert_non_null(strstr(stats(o).last_error, "Corrupt Data"));
  stop(o);
}

static void test_host_bits_are_masked(void **state) {
  (void)state;
  struct owner *o = asking(1);
  struct script s = {.len = 0};
  put_response(&s, 1, SESSION);
  put_v4(&s, 1, 1, 0x0a0b0c0d, 16, 16, 1);
  put_eod(&s, 1, SESSION, 6);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  char text[WW_PREFIX_STRLEN];
  assert_string_equal(ww_prefix_format(&o->update.delta.announce.vrps[0].prefix, text), "10.11.0.0/16");
  stop(o);
}

/* ------------------------------------------------------------------ notifications */

static void test_notify_during_negotiation(void **state) {
  (void)state;
  struct owner *o = start(1);
  connect_now(o);
  expect_reset_query(o, 1);
  struct script s = {.len = 0};
  put_notify(&s, 1, SESSION + 9, 77); /* any version, any session */
  put_notify(&s, 0, SESSION + 9, 77);
  put_notify(&s, 2, SESSION + 9, 77);
  put_notify(&s, 255, SESSION + 9, 77);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  expect_silence(o);
  assert_int_equal(stats(o).status, WW_RTR_NEGOTIATING);
  put_response(&s, 1, SESSION);
  put_eod(&s, 1, SESSION, 5);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(o->updates, 1);
  /* none of them is remembered: the next query is at Refresh */
  assert_true(ww_rtr_client_deadline(o->client) == o->now.mono + 3600000);
  stop(o);
}

static void test_notify(void **state) {
  (void)state;
  struct owner *o = synced(1);
  struct script s = {.len = 0};
  pass(o, 5000);
  static const uint32_t old[] = {5, 4, 0, 5 + 0x80000000u, 0xffffffff};
  for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++) { /* nothing new in RFC 1982 arithmetic */
    put_notify(&s, 1, SESSION, old[i]);
    assert_int_equal(feed(o, &s), WW_RTR_STAY);
    assert_int_equal(tick(o), WW_RTR_STAY);
    expect_silence(o);
  }
  put_notify(&s, 1, SESSION, 6);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(tick(o), WW_RTR_STAY);
  expect_serial_query(o, 1, SESSION, 5);
  stop(o);
}

static void test_serial_wraps(void **state) {
  (void)state;
  struct ww_rtr_client_config config = {.name = "test", .max_version = 1};
  struct ww_rtr_resume resume = {.valid = true,
                                 .version = 1,
                                 .session = SESSION,
                                 .serial = 0xffffffff,
                                 .refresh = 3600,
                                 .retry = 600,
                                 .expire = 7200,
                                 .last_sync = START_UNIX - 10};
  struct owner *o = start_with(&config, &resume);
  connect_now(o);
  expect_serial_query(o, 1, SESSION, 0xffffffff);
  struct script s = {.len = 0};
  put_response(&s, 1, SESSION);
  put_eod(&s, 1, SESSION, 0); /* one step on, not back */
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(o->updates, 1);
  assert_false(o->update.full);
  pass(o, 5000);
  put_notify(&s, 1, SESSION, 1);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(tick(o), WW_RTR_STAY);
  expect_serial_query(o, 1, SESSION, 0);
  stop(o);
}

static void test_notify_storm(void **state) {
  (void)state;
  struct owner *o = synced(1);
  struct script s = {.len = 0};
  unsigned queries = 0;
  uint32_t serial = 5;
  pass(o, 10000);
  for (int ms = 0; ms < 10000; ms += 10) { /* a thousand in ten seconds, each answered with an empty delta */
    put_notify(&s, 1, SESSION, serial + 1);
    put_notify(&s, 1, SESSION, serial + 1);
    assert_int_equal(feed(o, &s), WW_RTR_STAY);
    assert_int_equal(tick(o), WW_RTR_STAY);
    struct ww_buf *out = ww_rtr_client_output(o->client);
    if (out->len) {
      expect_serial_query(o, 1, SESSION, serial);
      queries++;
      put_notify(&s, 1, SESSION, serial + 2); /* before and inside the response, too */
      put_response(&s, 1, SESSION);
      put_notify(&s, 1, SESSION, serial + 2);
      assert_int_equal(feed(o, &s), WW_RTR_STAY);
      expect_silence(o); /* one query at a time */
      put_eod(&s, 1, SESSION, ++serial);
      assert_int_equal(feed(o, &s), WW_RTR_STAY);
      expect_silence(o);
    }
    pass(o, 10);
  }
  assert_in_range(queries, 9, 11);
  stop(o);
}

/* ------------------------------------------------------------------ conversations */

static void test_full_then_delta(void **state) {
  (void)state;
  struct owner *o = synced(1);
  assert_true(o->update.full);
  assert_int_equal(o->update.version, 1);
  assert_int_equal(o->update.session, SESSION);
  assert_int_equal(o->update.serial, 5);
  assert_int_equal(o->update.refresh, 3600);
  assert_int_equal(o->update.delta.announce.vrp_count, 2);
  assert_int_equal(o->update.delta.announce.vrps[0].prefix.afi, WW_AFI_IPV4);
  assert_int_equal(o->update.delta.announce.vrps[1].max_len, 48);
  assert_true(ww_rtr_client_deadline(o->client) == o->now.mono + 3600000);
  assert_int_equal(wake(o), WW_RTR_STAY);
  expect_serial_query(o, 1, SESSION, 5);
  struct script s = {.len = 0};
  put_response(&s, 1, SESSION);
  put_v4(&s, 1, 1, 0xc0000200, 24, 24, 64510); /* a new origin before the old one goes */
  put_v4(&s, 1, 0, 0xc0000200, 24, 24, 64500);
  put_v6(&s, 1, 0, 0x20010db8, 32, 48, 64501); /* gone and come back: stays */
  put_v6(&s, 1, 1, 0x20010db8, 32, 48, 64501);
  put_key(&s, 1, 1, 3, 64510, 0x30020500);
  put_key(&s, 1, 1, 3, 64510, 0x30020501); /* one SKI, two keys: two records (§5.10) */
  put_key(&s, 1, 0, 2, 64510, 0x30020500);
  put_eod(&s, 1, SESSION, 6);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(o->updates, 2);
  assert_false(o->update.full);
  assert_int_equal(o->update.delta.announce.vrp_count, 2);
  assert_int_equal(o->update.delta.announce.vrps[0].asn, 64510);
  assert_int_equal(o->update.delta.announce.vrps[1].asn, 64501);
  assert_int_equal(o->update.delta.withdraw.vrp_count, 1);
  assert_int_equal(o->update.delta.withdraw.vrps[0].asn, 64500);
  assert_int_equal(o->update.delta.announce.key_count, 2);
  assert_int_equal(o->update.delta.withdraw.key_count, 1);
  assert_int_equal(stats(o).serial, 6);
  stop(o);
}

static void test_empty_answers(void **state) {
  (void)state;
  struct owner *o = start(1);
  connect_now(o);
  expect_reset_query(o, 1);
  struct script s = {.len = 0};
  put_response(&s, 1, SESSION);
  put_eod(&s, 1, SESSION, 0);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(o->updates, 1); /* an empty set is a set */
  assert_true(o->update.full);
  stop(o);
}

static void test_waits_for_commit(void **state) {
  (void)state;
  struct owner *o = asking(1);
  o->commit_at_once = false;
  struct script s = {.len = 0};
  put_response(&s, 1, SESSION);
  put_eod(&s, 1, SESSION, 6);
  put_notify(&s, 1, SESSION, 7);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  pass(o, 100 * 3600 * 1000ull);
  assert_int_equal(tick(o), WW_RTR_STAY);
  expect_silence(o);
  assert_int_equal(stats(o).serial, 5);
  assert_int_equal(ww_rtr_client_committed(o->client, true, 0, o->now), WW_RTR_STAY);
  assert_int_equal(stats(o).serial, 6);
  stop(o);
}

static void test_commit_after_close(void **state) {
  (void)state;
  struct owner *o = asking(1);
  o->commit_at_once = false;
  struct script s = {.len = 0};
  put_response(&s, 1, SESSION);
  put_eod(&s, 1, SESSION, 6);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  close_now(o);
  assert_int_equal(ww_rtr_client_committed(o->client, true, 0, o->now), WW_RTR_STAY);
  connect_now(o);
  expect_serial_query(o, 1, SESSION, 6);
  stop(o);
}

static void test_store_refuses(void **state) {
  (void)state;
  struct owner *o = asking(1);
  o->commit_at_once = false;
  struct script s = {.len = 0};
  ww_mono_ms waited = 0;
  for (int i = 0; i < 4; i++) {
    put_response(&s, 1, SESSION);
    put_eod(&s, 1, SESSION, 6);
    assert_int_equal(feed(o, &s), WW_RTR_STAY);
    assert_int_equal(ww_rtr_client_committed(o->client, false, 0, o->now), WW_RTR_STAY);
    expect_silence(o);
    ww_mono_ms wait = ww_rtr_client_deadline(o->client) - o->now.mono;
    assert_true(wait > waited); /* a full disk is not cured by full sets at full speed */
    waited = wait;
    assert_int_equal(wake(o), WW_RTR_STAY);
    expect_reset_query(o, 1);
  }
  stop(o);
}

static void test_cache_reset(void **state) {
  (void)state;
  struct owner *o = asking(1);
  struct script s = {.len = 0};
  put_cache_reset(&s, 1);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  expect_reset_query(o, 1);
  assert_int_equal(o->flushes, 0);
  put_response(&s, 1, SESSION + 1); /* a Reset Query may bring another session */
  put_v4(&s, 1, 1, 0x0a000000, 8, 8, 1);
  put_eod(&s, 1, SESSION + 1, 1);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_true(o->update.full);
  assert_int_equal(wake(o), WW_RTR_STAY);
  expect_serial_query(o, 1, SESSION + 1, 1);
  stop(o);
}

static void test_no_data(void **state) {
  (void)state;
  struct owner *o = start(1);
  connect_now(o);
  expect_reset_query(o, 1);
  struct script s = {.len = 0};
  for (int i = 0; i < 3; i++) {
    put_error(&s, 1, 2);
    assert_int_equal(feed(o, &s), WW_RTR_STAY); /* not fatal */
    expect_silence(o);
    assert_int_equal(o->updates, 0);
    assert_true(ww_rtr_client_deadline(o->client) == o->now.mono + 60000);
    assert_int_equal(wake(o), WW_RTR_STAY);
    expect_reset_query(o, 1);
  }
  put_error(&s, 1, 2);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  pass(o, 2000);
  put_notify(&s, 1, SESSION, 1); /* it has some now */
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(tick(o), WW_RTR_STAY);
  expect_reset_query(o, 1);
  stop(o);
}

static void test_no_data_to_serial_query(void **state) {
  (void)state;
  struct owner *o = asking(1);
  struct script s = {.len = 0};
  put_error(&s, 1, 2);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(o->flushes, 0);
  assert_int_equal(wake(o), WW_RTR_STAY);
  expect_reset_query(o, 1); /* RFC 8210 §8.4: periodic Reset Queries */
  stop(o);
}

static void test_timers(void **state) {
  (void)state;
  static const struct {
    uint32_t in[3], out[3];
    bool warned;
  } cases[] = {
      {{3600, 600, 7200}, {3600, 600, 7200}, false},
      {{1, 1, 600}, {1, 1, 600}, false},
      {{86400, 7200, 172800}, {86400, 7200, 172800}, false},
      {{0, 0, 0}, {1, 1, 600}, true},
      {{86401, 7201, 172801}, {86400, 7200, 172800}, true},
      {{0xffffffff, 0xffffffff, 0xffffffff}, {86400, 7200, 172800}, true},
      {{7200, 600, 7200}, {3600, 600, 7200}, true}, /* Expire must be larger than Refresh ... */
      {{10, 7200, 3600}, {10, 1800, 3600}, true},   /* ... and Retry */
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct owner *o = asking(1);
    unsigned warnings = o->warnings;
    struct script s = {.len = 0};
    put_response(&s, 1, SESSION);
    put_eod_timers(&s, 1, SESSION, 6, cases[i].in[0], cases[i].in[1], cases[i].in[2]);
    assert_int_equal(feed(o, &s), WW_RTR_STAY);
    assert_int_equal(o->update.refresh, cases[i].out[0]);
    assert_int_equal(o->update.retry, cases[i].out[1]);
    assert_int_equal(o->update.expire, cases[i].out[2]);
    assert_int_equal(o->warnings > warnings, cases[i].warned);
    assert_true(ww_rtr_client_deadline(o->client) == o->now.mono + cases[i].out[0] * 1000ull);
    stop(o);
  }
}

static void test_version_0_timers(void **state) {
  (void)state;
  struct owner *o = synced(0);
  assert_int_equal(o->update.refresh, 3600);
  assert_int_equal(o->update.retry, 600);
  assert_int_equal(o->update.expire, 7200);
  assert_int_equal(wake(o), WW_RTR_STAY);
  expect_serial_query(o, 0, SESSION, 5);
  stop(o);
}

static void test_stall(void **state) {
  (void)state;
  struct owner *o = asking(1);
  struct script s = {.len = 0};
  put_response(&s, 1, SESSION);
  pass(o, 1000);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  ww_mono_ms stall = o->now.mono + 3 * 600 * 1000;
  assert_true(ww_rtr_client_deadline(o->client) == stall);
  pass(o, 1799 * 1000);
  put_notify(&s, 1, SESSION, 9); /* chatter is no progress */
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(tick(o), WW_RTR_STAY);
  pass(o, 1000);
  assert_int_equal(tick(o), WW_RTR_CLOSE);
  expect_silence(o);
  close_now(o);
  assert_int_equal(o->updates, 1);
  /* once more, and the Serial Query is not trusted any longer */
  connect_now(o);
  expect_serial_query(o, 1, SESSION, 5);
  close_now(o);
  connect_now(o);
  expect_reset_query(o, 1);
  stop(o);
}

static void test_expiry(void **state) {
  (void)state;
  struct owner *o = synced(1);
  ww_mono_ms synced_at = o->now.mono;
  close_now(o);
  unsigned attempts = 0;
  while (!o->flushes) { /* nobody there */
    if (wake(o) == WW_RTR_CONNECT) {
      attempts++;
      assert_int_equal(ww_rtr_client_connect_failed(o->client, "refused", o->now), WW_RTR_STAY);
    }
    assert_true(attempts < 100);
  }
  assert_true(o->now.mono == synced_at + 7200 * 1000);
  assert_true(attempts > 10); /* 1, 2, 4 ... 512, then every ten minutes */
  connect_now(o);
  expect_reset_query(o, 1);
  assert_int_equal(o->flushes, 1);
  stop(o);
}

/* Expire runs out while a delta is under way: there is nothing left for it to build on. */
static void test_expiry_inside_delta(void **state) {
  (void)state;
  struct owner *o = start(1);
  connect_now(o);
  struct script s = {.len = 0};
  put_response(&s, 1, SESSION);
  put_eod_timers(&s, 1, SESSION, 5, 599, 590, 600);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  ww_buf_clear(ww_rtr_client_output(o->client));
  assert_int_equal(wake(o), WW_RTR_STAY);
  expect_serial_query(o, 1, SESSION, 5);
  put_response(&s, 1, SESSION);
  put_v4(&s, 1, 1, 0x0a000000, 8, 8, 1);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(wake(o), WW_RTR_CLOSE);
  assert_int_equal(o->flushes, 1);
  close_now(o);
  connect_now(o);
  expect_reset_query(o, 1);
  assert_int_equal(o->updates, 1);
  stop(o);
}

static void test_backoff(void **state) {
  (void)state;
  ww_mono_ms first[2][12];
  for (int seed = 0; seed < 2; seed++) {
    struct ww_rtr_client_config config = {.name = "test", .max_version = 1, .jitter_seed = (uint64_t)seed + 1};
    struct owner *o = start_with(&config, NULL);
    for (int i = 0; i < 12; i++) {
      assert_int_equal(wake(o), WW_RTR_CONNECT);
      assert_int_equal(ww_rtr_client_connect_failed(o->client, "refused", o->now), WW_RTR_STAY);
      first[seed][i] = ww_rtr_client_deadline(o->client) - o->now.mono;
      uint64_t base = i < 10 ? 1000ull << i : 600000;
      assert_in_range(first[seed][i], base * 3 / 4, base * 5 / 4);
    }
    stop(o);
  }
  assert_memory_not_equal(first[0], first[1], sizeof(first[0])); /* the jitter is the seed's */
}

/* Only a session that stayed in sync for a while proves that the trouble is over. */
static void test_backoff_starts_over(void **state) {
  (void)state;
  for (int stable = 0; stable < 2; stable++) {
    struct owner *o = start(1);
    for (int i = 0; i < 6; i++) {
      assert_int_equal(wake(o), WW_RTR_CONNECT);
      assert_int_equal(ww_rtr_client_connect_failed(o->client, "refused", o->now), WW_RTR_STAY);
    }
    connect_now(o);
    struct script s = {.len = 0};
    put_response(&s, 1, SESSION);
    put_eod(&s, 1, SESSION, 5);
    assert_int_equal(feed(o, &s), WW_RTR_STAY);
    pass(o, stable ? 60000 : 59999);
    close_now(o);
    ww_mono_ms wait = ww_rtr_client_deadline(o->client) - o->now.mono;
    if (stable)
      assert_in_range(wait, 750, 1250);
    else
      assert_in_range(wait, 48000, 80000);
    stop(o);
  }
}

static void test_connect_timeout(void **state) {
  (void)state;
  struct owner *o = start(1);
  assert_int_equal(wake(o), WW_RTR_CONNECT);
  assert_int_equal(wake(o), WW_RTR_CLOSE);
  /* too late */
  assert_int_equal(ww_rtr_client_connected(o->client, o->now), WW_RTR_CLOSE);
  close_now(o);
  assert_int_equal(stats(o).status, WW_RTR_BACKOFF);
  connect_now(o);
  expect_reset_query(o, 1);
  stop(o);
}

/* ------------------------------------------------------------------ resuming */

static const struct ww_rtr_resume stored = {.valid = true,
                                            .version = 1,
                                            .session = SESSION,
                                            .serial = 41,
                                            .refresh = 3600,
                                            .retry = 600,
                                            .expire = 7200,
                                            .last_sync = START_UNIX - 7000};

static struct owner *restart(struct ww_rtr_resume resume, uint8_t max_version) {
  struct ww_rtr_client_config config = {.name = "test", .max_version = max_version};
  return start_with(&config, &resume);
}

static void test_resume(void **state) {
  (void)state;
  struct owner *o = restart(stored, 1);
  connect_now(o);
  expect_serial_query(o, 1, SESSION, 41);
  struct script s = {.len = 0};
  put_response(&s, 1, SESSION);
  put_v4(&s, 1, 1, 0x0a000000, 8, 8, 1);
  put_eod(&s, 1, SESSION, 43);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(o->updates, 1);
  assert_false(o->update.full);
  assert_int_equal(o->flushes, 0);
  stop(o);
}

static void test_resume_expires(void **state) {
  (void)state;
  struct owner *o = restart(stored, 1); /* 200 s are left */
  assert_int_equal(tick(o), WW_RTR_CONNECT);
  assert_int_equal(ww_rtr_client_connect_failed(o->client, "refused", o->now), WW_RTR_STAY);
  while (!o->flushes)
    if (wake(o) == WW_RTR_CONNECT)
      assert_int_equal(ww_rtr_client_connect_failed(o->client, "refused", o->now), WW_RTR_STAY);
  assert_true(o->now.mono == 1000000 + 200 * 1000);
  stop(o);

  struct ww_rtr_resume old = stored;
  old.last_sync = START_UNIX - 7200;
  o = restart(old, 1);
  assert_int_equal(tick(o), WW_RTR_CONNECT);
  assert_int_equal(o->flushes, 1);
  assert_int_equal(ww_rtr_client_connected(o->client, o->now), WW_RTR_STAY);
  expect_reset_query(o, 1);
  stop(o);

  old.last_sync = START_UNIX + 100000; /* the clock went back: not immortal */
  o = restart(old, 1);
  assert_int_equal(tick(o), WW_RTR_CONNECT);
  assert_int_equal(ww_rtr_client_connect_failed(o->client, "refused", o->now), WW_RTR_STAY);
  while (!o->flushes)
    if (wake(o) == WW_RTR_CONNECT)
      assert_int_equal(ww_rtr_client_connect_failed(o->client, "refused", o->now), WW_RTR_STAY);
  assert_true(o->now.mono == 1000000 + 7200 * 1000);
  stop(o);
}

static void test_resume_versions(void **state) {
  (void)state;
  struct ww_rtr_resume resume = stored;
  resume.version = 0; /* begin where the session is */
  struct owner *o = restart(resume, 1);
  connect_now(o);
  expect_serial_query(o, 0, SESSION, 41);
  stop(o);
  o = restart(stored, 0); /* the configuration forbids the session's version */
  connect_now(o);
  expect_reset_query(o, 0);
  assert_int_equal(o->flushes, 0);
  stop(o);
}

/* A certificate that the cache does not take shows right after the first query, and is no matter of versions. */
static void test_lost_is_no_downgrade(void **state) {
  (void)state;
  struct owner *o = start(1);
  for (unsigned i = 1; i < 5; i++) {
    connect_now(o);
    expect_reset_query(o, 1); /* test_downgrade_by_close has it otherwise */
    assert_int_equal(ww_rtr_client_lost(o->client, "TLS: refused", o->now), WW_RTR_STAY);
    assert_int_equal(stats(o).status, WW_RTR_BACKOFF);
    assert_int_equal(stats(o).errors, i);
    assert_string_equal(stats(o).last_error, "the connection was lost: TLS: refused");
  }
  stop(o);

  o = asking(2); /* inside a response nothing is kept of it, and the data stays */
  struct script s = {.len = 0};
  put_response(&s, 2, SESSION);
  put_v4(&s, 2, 0, 0xc0000200, 24, 24, 64500);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(ww_rtr_client_lost(o->client, "SSH: gone", o->now), WW_RTR_STAY);
  assert_string_equal(stats(o).last_error, "the connection was lost inside a response: SSH: gone");
  assert_int_equal(o->flushes, 0);
  assert_int_equal(o->updates, 1);
  connect_now(o);
  expect_serial_query(o, 2, SESSION, 5);
  /* told to close, it is not told twice */
  put_response(&s, 2, SESSION + 1);
  assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
  assert_int_equal(ww_rtr_client_lost(o->client, "SSH: gone", o->now), WW_RTR_STAY);
  assert_null(strstr(stats(o).last_error, "SSH"));
  stop(o);
}

/* StayRTR and others answer an old session ID with Error Report 0. The data stays until the full set has come. */
static void test_resume_refused(void **state) {
  (void)state;
  struct owner *o = restart(stored, 1);
  connect_now(o);
  expect_serial_query(o, 1, SESSION, 41);
  struct script s = {.len = 0};
  put_error(&s, 1, 0);
  assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
  expect_silence(o);
  close_now(o);
  assert_int_equal(o->flushes, 0);
  connect_now(o);
  expect_reset_query(o, 1);
  stop(o);
}

/* ------------------------------------------------------------------ versions */

static void test_downgrade_by_error(void **state) {
  (void)state;
  static const struct { uint8_t version, code; } cases[] = {{0, 4}, {1, 4}, {0, 0}, {0, 3}, {0, 1}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct owner *o = start(1);
    connect_now(o);
    expect_reset_query(o, 1);
    struct script s = {.len = 0};
    put_error(&s, cases[i].version, cases[i].code);
    assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
    expect_silence(o);
    close_now(o);
    /* RFC 8210 §6: a version mismatch overrides the Retry Interval */
    assert_int_equal(tick(o), WW_RTR_CONNECT);
    assert_int_equal(ww_rtr_client_connected(o->client, o->now), WW_RTR_STAY);
    expect_reset_query(o, 0);
    put_response(&s, 0, SESSION);
    put_eod(&s, 0, SESSION, 5);
    assert_int_equal(feed(o, &s), WW_RTR_STAY);
    assert_int_equal(o->updates, 1);
    assert_int_equal(o->update.version, 0);
    /* and is remembered */
    close_now(o);
    connect_now(o);
    expect_serial_query(o, 0, SESSION, 5);
    stop(o);
  }
}

static void test_downgrade_in_place(void **state) {
  (void)state;
  struct owner *o = start(1);
  connect_now(o);
  expect_reset_query(o, 1);
  struct script s = {.len = 0};
  put_response(&s, 0, SESSION);
  put_v4(&s, 0, 1, 0x0a000000, 8, 8, 1);
  put_eod(&s, 0, SESSION, 5);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(o->updates, 1);
  assert_int_equal(stats(o).version, 0);
  static const uint8_t one[] = {1, 0, 0x12, 0x34, 0, 0, 0, 12, 0, 0, 0, 9};
  expect_refusal(o, feed_octets(o, one, sizeof(one)), 0, 4, one, sizeof(one)); /* stable from now on */
  connect_now(o);
  expect_serial_query(o, 0, SESSION, 5);
  stop(o);
}

/* The answer of version 0 to a Serial Query of version 1 is a delta of another session, whatever its ID says. */
static void test_downgrade_of_serial_query(void **state) {
  (void)state;
  struct owner *o = restart(stored, 1);
  connect_now(o);
  expect_serial_query(o, 1, SESSION, 41);
  struct script s = {.len = 0};
  put_response(&s, 0, SESSION);
  put_v4(&s, 0, 1, 0x0a000000, 8, 8, 1);
  put_eod(&s, 0, SESSION, 42);
  assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
  expect_silence(o);
  assert_int_equal(o->updates, 0);
  close_now(o);
  connect_now(o);
  expect_reset_query(o, 0);
  stop(o);

  o = restart(stored, 1);
  connect_now(o);
  expect_serial_query(o, 1, SESSION, 41);
  put_cache_reset(&s, 0); /* but this is an answer in any version */
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  expect_reset_query(o, 0);
  stop(o);
}

static void test_downgrade_by_close(void **state) {
  (void)state;
  struct owner *o = start(1);
  connect_now(o);
  expect_reset_query(o, 1);
  close_now(o);
  connect_now(o);
  expect_reset_query(o, 0);
  close_now(o); /* no better: then it was not the version */
  connect_now(o);
  expect_reset_query(o, 1);
  close_now(o);
  assert_true(ww_rtr_client_deadline(o->client) > o->now.mono); /* and not in a busy loop */
  connect_now(o);
  expect_reset_query(o, 0);
  struct script s = {.len = 0};
  put_response(&s, 0, SESSION);
  put_eod(&s, 0, SESSION, 5);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  close_now(o);
  connect_now(o);
  expect_serial_query(o, 0, SESSION, 5); /* the guess was right */
  stop(o);
}

/* A cache that has answered in version 1 and closes later just closed. */
static void test_no_downgrade_of_a_known_cache(void **state) {
  (void)state;
  struct owner *o = synced(1);
  close_now(o);
  for (int i = 0; i < 2; i++) {
    connect_now(o);
    expect_serial_query(o, 1, SESSION, 5);
    close_now(o);
  }
  connect_now(o);
  expect_reset_query(o, 1); /* perhaps it is the serial */
  stop(o);
}

static void test_downgrade_is_forgotten(void **state) {
  (void)state;
  struct owner *o = start(1);
  connect_now(o);
  struct script s = {.len = 0};
  put_response(&s, 0, SESSION);
  put_eod(&s, 0, SESSION, 5);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  close_now(o);
  pass(o, 24 * 3600 * 1000);
  connect_now(o);
  expect_reset_query(o, 1); /* it may have learnt version 1 */
  put_error(&s, 0, 4);
  assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
  close_now(o);
  assert_int_equal(tick(o), WW_RTR_CONNECT); /* it has not, which costs no back-off */
  assert_int_equal(ww_rtr_client_connected(o->client, o->now), WW_RTR_STAY);
  expect_reset_query(o, 0);
  stop(o);
}

static void test_upgrade_demanded(void **state) {
  (void)state;
  struct ww_rtr_resume resume = stored;
  resume.version = 0;
  struct owner *o = restart(resume, 1);
  connect_now(o);
  expect_serial_query(o, 0, SESSION, 41);
  struct script s = {.len = 0};
  put_error(&s, 1, 4); /* RFC 8210 §7: a cache may refuse version 0 */
  assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
  close_now(o);
  assert_int_equal(tick(o), WW_RTR_CONNECT);
  assert_int_equal(ww_rtr_client_connected(o->client, o->now), WW_RTR_STAY);
  expect_reset_query(o, 1);
  put_error(&s, 0, 4); /* and now the other way round: not for ever */
  assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
  close_now(o);
  assert_true(ww_rtr_client_deadline(o->client) >= o->now.mono + 750);
  stop(o);
}

static void test_no_common_version(void **state) {
  (void)state;
  struct owner *o = start(1);
  connect_now(o);
  expect_reset_query(o, 1);
  struct script s = {.len = 0};
  put_error(&s, 2, 4);
  assert_int_equal(feed(o, &s), WW_RTR_CLOSE);
  expect_silence(o);
  assert_non_null(strstr(stats(o).last_error, "no common version"));
  close_now(o);
  assert_true(ww_rtr_client_deadline(o->client) >= o->now.mono + 750);
  connect_now(o);
  expect_reset_query(o, 1);
  static const uint8_t two[] = {2, 3, 0, 0, 0, 0, 0, 8}; /* RFC 8210 §7: unrecognized version */
  expect_refusal(o, feed_octets(o, two, sizeof(two)), 1, 4, two, sizeof(two));
  stop(o);
}

static void test_no_data_downgrades(void **state) {
  (void)state;
  struct owner *o = start(1);
  connect_now(o);
  expect_reset_query(o, 1);
  struct script s = {.len = 0};
  put_error(&s, 0, 2);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  assert_int_equal(wake(o), WW_RTR_STAY);
  expect_reset_query(o, 0);
  stop(o);
}

static void test_names(void **state) {
  (void)state;
  assert_string_equal(ww_rtr_status_name(WW_RTR_IDLE), "idle");
  assert_string_equal(ww_rtr_status_name(WW_RTR_BACKOFF), "backoff");
  struct owner *o = start(1);
  assert_int_equal(stats(o).status, WW_RTR_IDLE);
  stop(o);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_truncated_at_every_octet),
      cmocka_unit_test(test_fragmented_at_every_boundary),
      cmocka_unit_test(test_malformed),
      cmocka_unit_test(test_other_version_in_version_0),
      cmocka_unit_test(test_out_of_place),
      cmocka_unit_test(test_cache_reset_to_reset_query),
      cmocka_unit_test(test_withdrawal_in_full_set),
      cmocka_unit_test(test_duplicates),
      cmocka_unit_test(test_unknown_withdrawal_by_store),
      cmocka_unit_test(test_transient_record),
      cmocka_unit_test(test_session_mismatch),
      cmocka_unit_test(test_flush_while_committing),
      cmocka_unit_test(test_serial_backwards),
      cmocka_unit_test(test_too_many_records),
      cmocka_unit_test(test_huge_response),
      cmocka_unit_test(test_error_reports_are_not_answered),
      cmocka_unit_test(test_error_text_is_tamed),
      cmocka_unit_test(test_host_bits_are_masked),
      cmocka_unit_test(test_notify_during_negotiation),
      cmocka_unit_test(test_notify),
      cmocka_unit_test(test_serial_wraps),
      cmocka_unit_test(test_notify_storm),
      cmocka_unit_test(test_full_then_delta),
      cmocka_unit_test(test_empty_answers),
      cmocka_unit_test(test_waits_for_commit),
      cmocka_unit_test(test_commit_after_close),
      cmocka_unit_test(test_store_refuses),
      cmocka_unit_test(test_cache_reset),
      cmocka_unit_test(test_no_data),
      cmocka_unit_test(test_no_data_to_serial_query),
      cmocka_unit_test(test_timers),
      cmocka_unit_test(test_version_0_timers),
      cmocka_unit_test(test_stall),
      cmocka_unit_test(test_expiry),
      cmocka_unit_test(test_expiry_inside_delta),
      cmocka_unit_test(test_backoff),
      cmocka_unit_test(test_backoff_starts_over),
      cmocka_unit_test(test_connect_timeout),
      cmocka_unit_test(test_resume),
      cmocka_unit_test(test_resume_expires),
      cmocka_unit_test(test_resume_versions),
      cmocka_unit_test(test_resume_refused),
      cmocka_unit_test(test_downgrade_by_error),
      cmocka_unit_test(test_downgrade_in_place),
      cmocka_unit_test(test_downgrade_of_serial_query),
      cmocka_unit_test(test_downgrade_by_close),
      cmocka_unit_test(test_lost_is_no_downgrade),
      cmocka_unit_test(test_no_downgrade_of_a_known_cache),
      cmocka_unit_test(test_downgrade_is_forgotten),
      cmocka_unit_test(test_upgrade_demanded),
      cmocka_unit_test(test_no_common_version),
      cmocka_unit_test(test_no_data_downgrades),
      cmocka_unit_test(test_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
