/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RTR server as a router meets it: what it must not accept first, then negotiation, answers, notification, time,
 * the end, and what clients share. Random sequences are test_rtr_server_model.c's.
 */
#include "sources/rtr_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OUT_MAX = 1 << 20, SECOND = 1000, MINUTE = 60 * SECOND };

struct lab {
  struct ww_rtr_server *server;
  struct ww_snapshot *snapshot;
  struct ww_payload_delta delta; /* to come with the next publication */
  struct ww_now now;
  struct ww_log log;
  char said[4096];
  struct ww_rtr_service service;
  uint8_t out[OUT_MAX];
  size_t out_len;
};

static void remember(void *ctx, enum ww_log_level level, const char *text) {
  struct lab *lab = ctx;
  size_t len = strlen(lab->said);
  (void)level;
  snprintf(lab->said + len, sizeof lab->said - len, "%s\n", text);
}

static const uint16_t sessions[WW_RTR_VERSIONS] = {0x1000, 0x1001, 0x1002};

static int setup(void **state) {
  struct lab *lab = calloc(1, sizeof *lab);
  assert_non_null(lab);
  lab->log = (struct ww_log){remember, lab, WW_LOG_DEBUG};
  lab->service = ww_rtr_service_default;
  lab->now.mono = 10 * MINUTE;
  lab->delta.source = 1;
  lab->server = ww_rtr_server_new(sessions, 5, &lab->log);
  lab->snapshot = ww_snapshot_new();
  assert_non_null(lab->server);
  assert_non_null(lab->snapshot);
  *state = lab;
  return 0;
}

static int teardown(void **state) {
  struct lab *lab = *state;
  ww_rtr_server_free(lab->server);
  ww_snapshot_unref(lab->snapshot);
  ww_payload_delta_fini(&lab->delta);
  free(lab);
  return 0;
}

/* ---- data ---- */

static void vrp(struct lab *lab, bool announce, const char *text, uint8_t max_len, uint32_t asn) {
  struct ww_vrp v = {.max_len = max_len, .asn = asn};
  assert_int_equal(ww_prefix_parse(text, &v.prefix), WW_OK);
  assert_int_equal(ww_payloads_add_vrp(announce ? &lab->delta.announce : &lab->delta.withdraw, &v), WW_OK);
}

static void aspa(struct lab *lab, uint32_t customer, uint32_t count, const uint32_t *providers) {
  struct ww_aspa a = {.customer = customer, .provider_count = count, .providers = providers};
  assert_int_equal(ww_payloads_add_aspa(count ? &lab->delta.announce : &lab->delta.withdraw, &a), WW_OK);
}

static void key(struct lab *lab, bool announce, uint8_t ski, uint32_t asn) {
  static const uint8_t spki[] = {0x30, 0x00};
  struct ww_router_key k = {.asn = asn, .spki = spki, .spki_len = sizeof spki};
  memset(k.ski, ski, sizeof k.ski);
  assert_int_equal(ww_payloads_add_key(announce ? &lab->delta.announce : &lab->delta.withdraw, &k), WW_OK);
}

/* What vrp(), aspa() and key() have gathered, as of source `source`. */
static void publish_as(struct lab *lab, ww_source_id source) {
  struct ww_snapshot *next;
  struct ww_effective_delta change;
  lab->delta.source = source;
  assert_int_equal(ww_payloads_sort(&lab->delta.announce), WW_OK);
  assert_int_equal(ww_payloads_sort(&lab->delta.withdraw), WW_OK);
  assert_int_equal(ww_snapshot_apply(lab->snapshot, &lab->delta, 1, true, &next), WW_OK);
  assert_int_equal(ww_effective_delta(lab->snapshot, next, &lab->delta, 1, &change), WW_OK);
  ww_rtr_server_publish(lab->server, next, &change, lab->now);
  ww_effective_delta_fini(&change);
  ww_snapshot_unref(lab->snapshot);
  lab->snapshot = next;
  ww_payload_delta_fini(&lab->delta);
  lab->delta = (struct ww_payload_delta){0};
}

static void publish(struct lab *lab) { publish_as(lab, 1); }

static void publish_one(struct lab *lab) {
  vrp(lab, true, "192.0.2.0/24", 24, 64500);
  publish(lab);
}

static void build(struct lab *lab) {
  struct ww_rtr_build *b;
  while ((b = ww_rtr_server_build(lab->server)) != NULL) {
    ww_rtr_build_run(b);
    ww_rtr_server_built(lab->server, b, lab->now);
  }
}

/* ---- a client ---- */

static struct ww_rtr_session *client(struct lab *lab) {
  struct ww_rtr_session *s = ww_rtr_session_new(lab->server, &lab->service, "192.0.2.1:1234", lab->now);
  assert_non_null(s);
  return s;
}

static size_t octets_of(const char *hex, uint8_t *out) {
  size_t n = 0;
  for (unsigned byte; *hex; hex += 2) {
    while (*hex == ' ')
      hex++;
    assert_int_equal(sscanf(hex, "%2x", &byte), 1);
    out[n++] = (uint8_t)byte;
  }
  return n;
}

static void send_hex(struct lab *lab, struct ww_rtr_session *s, const char *hex) {
  uint8_t in[512];
  size_t n = octets_of(hex, in);
  ww_rtr_session_input(s, in, n, lab->now);
}

/* Everything that it has to say, in pieces of `step`. */
static void drain_by(struct lab *lab, struct ww_rtr_session *s, size_t step) {
  size_t len;
  const uint8_t *data;
  build(lab);
  while ((data = ww_rtr_session_output(s, &len)) != NULL) {
    size_t n = len < step ? len : step;
    assert_true(n <= OUT_MAX - lab->out_len);
    memcpy(lab->out + lab->out_len, data, n);
    lab->out_len += n;
    ww_rtr_session_sent(s, n, lab->now);
    build(lab);
  }
}

static void expect(struct lab *lab, struct ww_rtr_session *s, const char *hex) {
  uint8_t want[2048];
  size_t n = octets_of(hex, want);
  lab->out_len = 0;
  drain_by(lab, s, 7);
  if (n != lab->out_len || memcmp(want, lab->out, n) != 0) {
    fprintf(stderr, "wanted %s\ngot    ", hex);
    for (size_t i = 0; i < lab->out_len; i++)
      fprintf(stderr, "%02x", lab->out[i]);
    fail_msg("%zu octets instead of %zu", lab->out_len, n);
  }
}

/* An Error Report of this code and version, whose quoted PDU begins as `quoted` does, and whether the session ends. */
static void expect_error(struct lab *lab, struct ww_rtr_session *s, uint8_t version, uint16_t code, const char *quoted,
                         enum ww_rtr_fate fate) {
  struct ww_rtr_pdu pdu;
  struct ww_diag diag;
  uint16_t error;
  uint8_t want[512];
  size_t n = octets_of(quoted, want);
  lab->out_len = 0;
  drain_by(lab, s, OUT_MAX);
  assert_int_equal(ww_rtr_decode(lab->out, lab->out_len, &pdu, &error, &diag), WW_OK);
  assert_int_equal(pdu.type, WW_RTR_ERROR_REPORT);
  assert_int_equal(pdu.version, version);
  assert_int_equal(pdu.u.error.code, code);
  assert_int_equal(pdu.len, lab->out_len); /* and nothing behind it */
  assert_true(pdu.u.error.pdu_len >= n);
  assert_true(n ? memcmp(pdu.u.error.pdu, want, n) == 0 : pdu.u.error.pdu_len == 0);
  assert_int_equal(ww_rtr_session_fate(s), fate);
}

#define RESET_V0 "0002000000000008"
#define RESET_V1 "0102000000000008"
#define RESET_V2 "0202000000000008"
#define ONE_VRP(version) version "0400000000001401181800c00002000000fbf4 "
#define ANSWER_V2 "0203100200000008 " ONE_VRP("02") "020710020000001800000005 00000e100000025800001c20"

/* ---- bad input ---- */

static void test_refuses_what_routers_do_not_send(void **state) {
  static const struct {
    const char *input;
    uint8_t version;
    uint16_t code;
    bool dies;
  } cases[] = {
      /* lengths: told at the eighth octet */
      {"0202000000000000", 2, WW_RTR_CORRUPT_DATA, true},
      {"0202000000000007", 2, WW_RTR_CORRUPT_DATA, true},
      {"0202000000000009", 2, WW_RTR_CORRUPT_DATA, true},
      {"02020000ffffffff", 2, WW_RTR_CORRUPT_DATA, true},
      {"0101000000000008", 1, WW_RTR_CORRUPT_DATA, true},
      {"000100000000000d", 0, WW_RTR_CORRUPT_DATA, true},
      /* RFC 8210 §12: types that do not exist, in this version */
      {"0205000000000008", 2, WW_RTR_UNSUPPORTED_PDU, true},
      {"02ff000000000008", 2, WW_RTR_UNSUPPORTED_PDU, true},
      {"010b00000000000c", 1, WW_RTR_UNSUPPORTED_PDU, true},
      {"0009000000000020", 0, WW_RTR_UNSUPPORTED_PDU, true},
      /* and those that only caches send */
      {"020000000000000c", 2, WW_RTR_INVALID_REQUEST, true},
      {"0203000000000008", 2, WW_RTR_INVALID_REQUEST, true},
      {"0204000000000014", 2, WW_RTR_INVALID_REQUEST, true},
      {"0206000000000020", 2, WW_RTR_INVALID_REQUEST, true},
      {"0107000000000018", 1, WW_RTR_INVALID_REQUEST, true},
      {"0208000000000008", 2, WW_RTR_INVALID_REQUEST, true},
      {"0209010000000021", 2, WW_RTR_INVALID_REQUEST, true},
      {"020b01000000000c", 2, WW_RTR_INVALID_REQUEST, true},
      /* versions */
      {"0302000000000008", 2, WW_RTR_UNSUPPORTED_VERSION, false},
      {"ff02000000000008", 2, WW_RTR_UNSUPPORTED_VERSION, false},
      {"0300000000000008", 2, WW_RTR_UNSUPPORTED_VERSION, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct lab *lab = *state;
    struct ww_rtr_session *s = client(lab);
    send_hex(lab, s, cases[i].input);
    expect_error(lab, s, cases[i].version, cases[i].code, cases[i].input,
                 cases[i].dies ? WW_RTR_ENDED : WW_RTR_GOES_ON);
    ww_rtr_session_free(s);
  }
}

static void test_says_nothing_before_it_must(void **state) {
  struct lab *lab = *state;
  publish_one(lab);
  struct ww_rtr_session *s = client(lab);
  static const char *const pieces[] = {"02", "02", "0000", "0000", "00"};
  for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
    send_hex(lab, s, pieces[i]);
    expect(lab, s, "");
  }
  send_hex(lab, s, "08");
  expect(lab, s, ANSWER_V2);
}

static void test_never_answers_an_error_report(void **state) {
  static const char *const reports[] = {
      "020a000000000010 00000000 00000000",          /* corrupt data */
      "020a000600000010 00000000 00000000",          /* withdrawal of unknown record */
      "020a000700000010 00000000 00000000",          /* duplicate */
      "020a000900000010 00000000 00000000",          /* ASPA list */
      "020a000b00000010 00000000 00000000",          /* ordering */
      "020a00ff00000010 00000000 00000000",          /* a code that does not exist */
      "020a000000000014 00000004 02020000 00000000", /* with a PDU */
      "020a000000000013 00000000 00000003 41 0a 1b", /* with a text that steers terminals */
      "020a000000000010 00000001 00000000",          /* inner lengths that do not add up */
      "020a000000000010 ffffffff 00000000",          "020a00000000000f", "020a0000ffffffff", "020a000000000000",
      "090a000800000010 00000000 00000000", /* of an unknown version */
  };
  struct lab *lab = *state;
  publish_one(lab);
  for (unsigned served = 0; served < 2; served++)
    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++) {
      struct ww_rtr_session *s = client(lab);
      if (served) {
        send_hex(lab, s, RESET_V2);
        expect(lab, s, ANSWER_V2);
      }
      lab->said[0] = '\0';
      send_hex(lab, s, reports[i]);
      assert_int_equal(ww_rtr_session_fate(s), WW_RTR_CUT);
      expect(lab, s, "");
      assert_non_null(strstr(lab->said, "192.0.2.1:1234"));
      assert_null(strchr(lab->said, '\x1b'));
      struct ww_rtr_session_stats stats;
      ww_rtr_session_stats(s, &stats);
      assert_int_equal(stats.errors_sent, 0);
      assert_true(stats.last_error[0]);
      ww_rtr_session_free(s);
    }
}

static void test_takes_an_error_report_inside_an_answer(void **state) {
  struct lab *lab = *state;
  publish_one(lab);
  struct ww_rtr_session *s = client(lab);
  send_hex(lab, s, RESET_V2);
  build(lab);
  ww_rtr_session_sent(s, 8, lab->now);
  ww_rtr_session_sent(s, 1, lab->now); /* the router has seen a PDU that it cannot stand */
  send_hex(lab, s, "020a00090000001000000000");
  assert_int_equal(ww_rtr_session_fate(s), WW_RTR_GOES_ON);
  send_hex(lab, s, "00000000");
  assert_int_equal(ww_rtr_session_fate(s), WW_RTR_CUT);
  assert_non_null(strstr(lab->said, "it reports ASPA Provider List Error (code 9)"));
}

static void test_bounds_what_it_keeps(void **state) {
  struct lab *lab = *state;
  publish_one(lab);
  struct ww_rtr_session *s = client(lab);
  uint8_t many[8 * 4096];
  for (size_t i = 0; i < sizeof many; i += 8)
    octets_of(RESET_V2, many + i);
  ww_rtr_session_input(s, many, sizeof many, lab->now);
  assert_true(ww_rtr_session_wants_input(s));
  ww_rtr_session_input(s, many, sizeof many, lab->now);
  ww_rtr_session_input(s, many, sizeof many, lab->now);
  assert_false(ww_rtr_session_wants_input(s));
  build(lab);
  size_t len;
  assert_non_null(ww_rtr_session_output(s, &len));
  assert_int_equal(len, 8); /* one answer begun, not twelve thousand */
  ww_rtr_session_input(s, many, sizeof many, lab->now);
  ww_rtr_session_input(s, many, sizeof many, lab->now);
  assert_int_equal(ww_rtr_session_fate(s), WW_RTR_CUT);
}

/* ---- versions ---- */

static void test_speaks_each_version(void **state) {
  struct lab *lab = *state;
  static const uint32_t providers[] = {64501, 64502};
  vrp(lab, true, "192.0.2.0/24", 24, 64500);
  key(lab, true, 0xaa, 64500);
  aspa(lab, 64500, 2, providers);
  publish(lab);
  struct ww_rtr_session *v0 = client(lab), *v1 = client(lab), *v2 = client(lab);
  send_hex(lab, v0, RESET_V0);
  send_hex(lab, v1, RESET_V1);
  send_hex(lab, v2, RESET_V2);
  expect(lab, v0, "0003100000000008" ONE_VRP("00") "000710000000000c00000005");
  expect(lab, v1,
         "0103100100000008" ONE_VRP("01") "0109010000000022 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 0000fbf4 3000"
                                          "010710010000001800000005 00000e100000025800001c20");
  expect(lab, v2,
         "0203100200000008" ONE_VRP("02") "0209010000000022 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 0000fbf4 3000"
                                          "020b0100000000140000fbf40000fbf50000fbf6"
                                          "020710020000001800000005 00000e100000025800001c20");
}

static void test_negotiates(void **state) {
  struct lab *lab = *state;
  publish_one(lab);
  /* told once that version 2 it is, and taken at that */
  struct ww_rtr_session *s = client(lab);
  send_hex(lab, s, "030200000000");
  expect(lab, s, "");
  send_hex(lab, s, "0010 0011223344556677");
  expect_error(lab, s, 2, WW_RTR_UNSUPPORTED_VERSION, "0302", WW_RTR_GOES_ON);
  send_hex(lab, s, RESET_V2);
  expect(lab, s, ANSWER_V2);
  ww_rtr_session_free(s);
  /* who does not listen is not told twice */
  s = client(lab);
  send_hex(lab, s, "0302000000000008");
  expect_error(lab, s, 2, WW_RTR_UNSUPPORTED_VERSION, "0302", WW_RTR_GOES_ON);
  send_hex(lab, s, "0302000000000008");
  expect_error(lab, s, 2, WW_RTR_UNSUPPORTED_VERSION, "0302", WW_RTR_ENDED);
  ww_rtr_session_free(s);
  /* with version 1 at most, where the code is fatal */
  lab->service.max_version = 1;
  s = client(lab);
  send_hex(lab, s, RESET_V2);
  expect_error(lab, s, 1, WW_RTR_UNSUPPORTED_VERSION, RESET_V2, WW_RTR_ENDED);
  ww_rtr_session_free(s);
  /* below the lowest: hopeless */
  lab->service.max_version = lab->service.min_version = 2;
  s = client(lab);
  send_hex(lab, s, RESET_V0);
  expect_error(lab, s, 2, WW_RTR_UNSUPPORTED_VERSION, RESET_V0, WW_RTR_ENDED);
  ww_rtr_session_free(s);
}

static void test_keeps_to_the_version(void **state) {
  struct lab *lab = *state;
  publish_one(lab);
  static const struct {
    const char *first, *second;
    uint8_t version;
    uint16_t code;
  } cases[] = {{RESET_V2, RESET_V1, 2, WW_RTR_UNEXPECTED_VERSION},
               {RESET_V1, RESET_V2, 1, WW_RTR_UNEXPECTED_VERSION},
               {RESET_V1, "0902000000000008", 1, WW_RTR_UNEXPECTED_VERSION},
               {RESET_V0, RESET_V1, 0, WW_RTR_UNSUPPORTED_VERSION}}; /* RFC 6810 has no other code */
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct ww_rtr_session *s = client(lab);
    send_hex(lab, s, cases[i].first);
    drain_by(lab, s, 100);
    send_hex(lab, s, cases[i].second);
    expect_error(lab, s, cases[i].version, cases[i].code, cases[i].second, WW_RTR_ENDED);
    ww_rtr_session_free(s);
  }
}

/* ---- answers ---- */

static void test_has_no_data_at_first(void **state) {
  struct lab *lab = *state;
  struct ww_rtr_session *s = client(lab);
  send_hex(lab, s, RESET_V2);
  expect_error(lab, s, 2, WW_RTR_NO_DATA, RESET_V2, WW_RTR_GOES_ON);
  send_hex(lab, s, "020110020000000c00000005");
  expect_error(lab, s, 2, WW_RTR_NO_DATA, "0201", WW_RTR_GOES_ON);
  publish_one(lab);
  expect(lab, s, ""); /* it has no session to be notified in */
  send_hex(lab, s, RESET_V2);
  expect(lab, s, ANSWER_V2);
}

static void test_empty_set_is_not_no_data(void **state) {
  struct lab *lab = *state;
  publish(lab);
  struct ww_rtr_session *s = client(lab);
  send_hex(lab, s, RESET_V2);
  expect(lab, s, "0203100200000008 020710020000001800000005 00000e100000025800001c20");
}

static void test_judges_session_and_serial(void **state) {
  struct lab *lab = *state;
  publish_one(lab);
  struct ww_rtr_session *s = client(lab);
  /* as the first question it may be of the time before a restart */
  send_hex(lab, s, "0201beef0000000c00000005");
  expect(lab, s, "0208000000000008");
  assert_int_equal(ww_rtr_session_fate(s), WW_RTR_GOES_ON);
  /* of another version's session: the same */
  send_hex(lab, s, "020110010000000c00000005");
  expect(lab, s, "0208000000000008");
  send_hex(lab, s, "020110020000000c00000005"); /* nothing new */
  expect(lab, s, "0203100200000008 020710020000001800000005 00000e100000025800001c20");
  /* serials that are not in the window: past, future, and half the circle away */
  send_hex(lab, s, "020110020000000c00000004");
  expect(lab, s, "0208000000000008");
  send_hex(lab, s, "020110020000000c00000006");
  expect(lab, s, "0208000000000008");
  send_hex(lab, s, "020110020000000c80000005");
  expect(lab, s, "0208000000000008");
  /* now that it has been told the session */
  send_hex(lab, s, "0201beef0000000c00000005");
  expect_error(lab, s, 2, WW_RTR_CORRUPT_DATA, "0201beef", WW_RTR_ENDED);
}

static void test_tells_the_net_change(void **state) {
  struct lab *lab = *state;
  static const uint32_t one[] = {1}, two[] = {1, 2};
  vrp(lab, true, "192.0.2.0/24", 24, 64500);
  aspa(lab, 64500, 1, one);
  key(lab, true, 1, 64500);
  publish(lab); /* 5 */
  vrp(lab, false, "192.0.2.0/24", 24, 64500);
  vrp(lab, true, "198.51.100.0/24", 24, 64500);
  aspa(lab, 64500, 2, two);
  key(lab, false, 1, 64500);
  publish(lab); /* 6 */
  vrp(lab, true, "192.0.2.0/24", 24, 64500);
  vrp(lab, false, "198.51.100.0/24", 24, 64500);
  aspa(lab, 64500, 1, one);
  key(lab, true, 1, 64500);
  publish(lab); /* 7: as 5 */
  struct ww_rtr_session *s = client(lab);
  send_hex(lab, s, "020110020000000c00000005");
  expect(lab, s, "0203100200000008 020710020000001800000007 00000e100000025800001c20");
  send_hex(lab, s, "020110020000000c00000006"); /* announcements before withdrawals within a type */
  expect(lab, s,
         "0203100200000008 0204000000000014 01181800c00002000000fbf4 0204000000000014 00181800c63364000000fbf4"
         "0209010000000022 0101010101010101010101010101010101010101 0000fbf4 3000 020b0100000000100000fbf400000001"
         "020710020000001800000007 00000e100000025800001c20");
  aspa(lab, 64500, 0, NULL);
  publish(lab); /* 8 */
  expect(lab, s, "020010020000000c00000008");
  send_hex(lab, s, "020110020000000c00000005");
  expect(lab, s, "0203100200000008 020b00000000000c0000fbf4 020710020000001800000008 00000e100000025800001c20");
  /* version 1 has a new serial, and nothing in it */
  struct ww_rtr_session *v1 = client(lab);
  send_hex(lab, v1, "010110010000000c00000007");
  expect(lab, v1, "0103100100000008 010710010000001800000008 00000e100000025800001c20");
}

static void test_orders_the_whole_set(void **state) {
  struct lab *lab = *state;
  vrp(lab, true, "10.0.0.0/8", 24, 3);
  vrp(lab, true, "10.0.0.0/8", 24, 0);
  vrp(lab, true, "10.0.0.0/9", 16, 7);
  vrp(lab, true, "10.0.0.0/16", 24, 1);
  vrp(lab, true, "10.0.1.0/24", 24, 1);
  vrp(lab, true, "2001:db8::/32", 32, 1);
  vrp(lab, true, "2001:db9::/32", 32, 1);
  publish(lab);
  struct ww_rtr_session *s = client(lab);
  send_hex(lab, s, RESET_V0);
  expect(lab, s,
         "0003100000000008"
         "0004000000000014 01181800 0a000100 00000001"
         "0004000000000014 01101800 0a000000 00000001" /* addr, then mlen, then plen: 16 before 8 */
         "0004000000000014 01081800 0a000000 00000003"
         "0004000000000014 01081800 0a000000 00000000" /* AS 0 last of equals */
         "0004000000000014 01091000 0a000000 00000007"
         "0006000000000020 01202000 20010db9000000000000000000000000 00000001"
         "0006000000000020 01202000 20010db8000000000000000000000000 00000001"
         "000710000000000c00000005");
}

/* RFC 8210 §5.6: one VRP, whoever has it; §10 of the draft for AS 0. */
static void test_sources_do_not_show(void **state) {
  struct lab *lab = *state;
  static const uint32_t zero[] = {0}, some[] = {3, 4};
  vrp(lab, true, "192.0.2.0/24", 24, 64500);
  aspa(lab, 64500, 1, zero);
  publish_as(lab, 1); /* 5 */
  vrp(lab, true, "192.0.2.0/24", 24, 64500);
  publish_as(lab, 2); /* still 5 */
  assert_int_equal(ww_rtr_data_serial(ww_rtr_server_data(lab->server)), 5);
  struct ww_rtr_session *s = client(lab);
  send_hex(lab, s, RESET_V2);
  expect(lab, s,
         "0203100200000008" ONE_VRP("02") "020b0100000000100000fbf400000000"
                                          "020710020000001800000005 00000e100000025800001c20");
  vrp(lab, false, "192.0.2.0/24", 24, 64500);
  publish_as(lab, 1); /* the other has it yet */
  expect(lab, s, "");
  aspa(lab, 64500, 2, some);
  publish_as(lab, 2); /* 6 */
  expect(lab, s, "020010020000000c00000006");
  send_hex(lab, s, "020110020000000c00000005");
  expect(lab, s,
         "0203100200000008 020b0100000000140000fbf40000000300000004 020710020000001800000006 00000e100000025800001c20");
}

static void test_leaves_out_what_routers_do_not_take(void **state) {
  struct lab *lab = *state;
  enum { HALF = WW_ASPA_PROVIDERS_MAX / 2 + 1 };
  static uint32_t low[HALF], high[HALF];
  for (uint32_t i = 0; i < HALF; i++) {
    low[i] = 1 + i;
    high[i] = 100000 + i;
  }
  publish_one(lab); /* 5 */
  aspa(lab, 64500, HALF, low);
  publish_as(lab, 1); /* 6 */
  aspa(lab, 64500, HALF, high);
  publish_as(lab, 2); /* 7: too many now */
  struct ww_rtr_session *s = client(lab);
  send_hex(lab, s, "020110020000000c00000006");
  expect(lab, s, "0203100200000008 020b00000000000c0000fbf4 020710020000001800000007 00000e100000025800001c20");
  send_hex(lab, s, RESET_V2);
  expect(lab, s, "0203100200000008" ONE_VRP("02") "020710020000001800000007 00000e100000025800001c20");
  assert_non_null(strstr(lab->said, "1 ASPAs with more than 10000 providers are not served"));
}

static void test_begins_anew_when_nothing_is_known(void **state) {
  struct lab *lab = *state;
  publish_one(lab);
  struct ww_rtr_session *s = client(lab);
  send_hex(lab, s, RESET_V2);
  expect(lab, s, ANSWER_V2);
  ww_rtr_server_publish(lab->server, lab->snapshot, NULL, lab->now);
  expect(lab, s, "020010020000000c00000006");
  send_hex(lab, s, "020110020000000c00000005");
  expect(lab, s, "0208000000000008");
}

static void test_window_is_bounded(void **state) {
  struct lab *lab = *state;
  publish_one(lab);
  for (unsigned i = 0; i < 600; i++) {
    vrp(lab, i % 2 == 0, "198.51.100.0/24", 24, 1);
    publish(lab);
  }
  struct ww_rtr_data_stats stats;
  ww_rtr_data_stats(ww_rtr_server_data(lab->server), &stats);
  assert_int_equal(stats.window, 512);
  assert_int_equal(stats.window_changes, 512);
  struct ww_rtr_session *s = client(lab);
  send_hex(lab, s, "020110020000000c0000005d"); /* 605 - 512 = 93 */
  expect(lab, s, "0203100200000008 02071002000000180000025d 00000e100000025800001c20");
  send_hex(lab, s, "020110020000000c0000005c");
  expect(lab, s, "0208000000000008");
}

static void test_answers_what_was_asked_meanwhile(void **state) {
  struct lab *lab = *state;
  publish_one(lab);
  struct ww_rtr_session *s = client(lab);
  send_hex(lab, s, RESET_V2 "020110020000000c00000005" RESET_V2);
  expect(lab, s, ANSWER_V2 "0203100200000008 020710020000001800000005 00000e100000025800001c20" ANSWER_V2);
}

/* A publication while the set is being encoded: who waits gets what was in force, and is told that there is more. */
static void test_publication_during_encoding(void **state) {
  struct lab *lab = *state;
  publish_one(lab);
  struct ww_rtr_session *s = client(lab);
  send_hex(lab, s, RESET_V2);
  struct ww_rtr_build *b = ww_rtr_server_build(lab->server);
  assert_non_null(b);
  assert_null(ww_rtr_server_build(lab->server)); /* one at a time */
  vrp(lab, true, "198.51.100.0/24", 24, 1);
  publish(lab);
  ww_rtr_build_run(b);
  ww_rtr_server_built(lab->server, b, lab->now);
  expect(lab, s, ANSWER_V2 "020010020000000c00000006");
  struct ww_rtr_session *late = client(lab); /* who asks now gets the present */
  send_hex(lab, late, RESET_V2);
  expect(lab, late,
         "0203100200000008 0204000000000014 01181800 c6336400 00000001" ONE_VRP("02") "020710020000001800000006"
                                                                                      "00000e100000025800001c20");
}

/* ---- notification and time ---- */

static void change(struct lab *lab, bool announce) {
  vrp(lab, announce, "198.51.100.0/24", 24, 1);
  publish(lab);
}

static void test_notifies_once_a_minute(void **state) {
  struct lab *lab = *state;
  publish_one(lab);
  struct ww_rtr_session *silent = client(lab), *s = client(lab);
  send_hex(lab, s, RESET_V1);
  drain_by(lab, s, 100);
  change(lab, true);
  expect(lab, s, "010010010000000c00000006"); /* at once */
  expect(lab, silent, "");                    /* RFC 8210 §7: not before negotiation */
  lab->now.mono += 30 * SECOND;
  change(lab, false);
  expect(lab, s, "");
  assert_int_equal(ww_rtr_session_deadline(s), lab->now.mono + 30 * SECOND);
  lab->now.mono += 30 * SECOND - 1;
  ww_rtr_session_tick(s, lab->now);
  expect(lab, s, "");
  lab->now.mono++;
  ww_rtr_session_tick(s, lab->now);
  expect(lab, s, "010010010000000c00000007");
  assert_int_equal(ww_rtr_session_deadline(s), lab->now.mono + MINUTE); /* it has not asked: it will be told again */
  send_hex(lab, s, "010110010000000c00000005");
  drain_by(lab, s, 100);
  assert_int_equal(ww_rtr_session_deadline(s), WW_MONO_NEVER);
  lab->now.mono += 10 * MINUTE;
  ww_rtr_session_tick(s, lab->now);
  expect(lab, s, "");
}

static void test_does_not_notify_of_what_a_version_does_not_see(void **state) {
  struct lab *lab = *state;
  static const uint32_t providers[] = {1};
  publish_one(lab);
  struct ww_rtr_session *v1 = client(lab), *v2 = client(lab);
  send_hex(lab, v1, RESET_V1);
  send_hex(lab, v2, RESET_V2);
  drain_by(lab, v1, 100);
  drain_by(lab, v2, 100);
  aspa(lab, 64500, 1, providers);
  publish(lab);
  expect(lab, v1, "");
  expect(lab, v2, "020010020000000c00000006");
}

static void test_does_not_notify_inside_an_answer(void **state) {
  struct lab *lab = *state;
  publish_one(lab);
  struct ww_rtr_session *s = client(lab);
  send_hex(lab, s, RESET_V2);
  build(lab);
  ww_rtr_session_sent(s, 3, lab->now);
  change(lab, true);
  expect(lab, s,
         "0200000008" ONE_VRP("02") "020710020000001800000005 00000e100000025800001c20"
                                    "020010020000000c00000006");
}

static void test_closes_who_does_not_ask(void **state) {
  struct lab *lab = *state;
  struct ww_rtr_session *s = client(lab);
  assert_int_equal(ww_rtr_session_deadline(s), lab->now.mono + MINUTE);
  send_hex(lab, s, "0202");
  lab->now.mono += MINUTE;
  ww_rtr_session_tick(s, lab->now);
  assert_int_equal(ww_rtr_session_fate(s), WW_RTR_ENDED);
  assert_non_null(strstr(lab->said, "has not asked"));
}

static void test_cuts_who_does_not_take(void **state) {
  struct lab *lab = *state;
  publish_one(lab);
  struct ww_rtr_session *s = client(lab);
  send_hex(lab, s, RESET_V2);
  build(lab);
  lab->now.mono += 1799 * SECOND;
  ww_rtr_session_tick(s, lab->now);
  ww_rtr_session_sent(s, 1, lab->now); /* one octet counts */
  assert_int_equal(ww_rtr_session_deadline(s), lab->now.mono + 1800 * SECOND);
  lab->now.mono += 1800 * SECOND;
  ww_rtr_session_tick(s, lab->now);
  assert_int_equal(ww_rtr_session_fate(s), WW_RTR_CUT);
  assert_non_null(strstr(lab->said, "has taken nothing for 1800 s"));
}

/* ---- the end ---- */

static void test_says_farewell(void **state) {
  struct lab *lab = *state;
  publish_one(lab);
  struct ww_rtr_session *v1 = client(lab), *v2 = client(lab), *mute = client(lab), *busy = client(lab);
  lab->service.farewell = WW_RTR_CACHE_SHUTDOWN;
  struct ww_rtr_session *down = client(lab);
  send_hex(lab, v1, RESET_V1);
  send_hex(lab, v2, RESET_V2);
  send_hex(lab, down, RESET_V2);
  drain_by(lab, v1, 100);
  drain_by(lab, v2, 100);
  drain_by(lab, down, 100);
  send_hex(lab, busy, RESET_V2);
  ww_rtr_session_sent(busy, 8, lab->now);
  ww_rtr_server_stop(lab->server, lab->now);
  expect_error(lab, v2, 2, WW_RTR_CACHE_RESTART, "", WW_RTR_ENDED);
  expect_error(lab, down, 2, WW_RTR_CACHE_SHUTDOWN, "", WW_RTR_ENDED);
  expect(lab, v1, "");
  assert_int_equal(ww_rtr_session_fate(v1), WW_RTR_ENDED);
  assert_int_equal(ww_rtr_session_fate(mute), WW_RTR_ENDED);
  /* the answer first, whole */
  assert_int_equal(ww_rtr_session_fate(busy), WW_RTR_GOES_ON);
  size_t len = 0;
  for (unsigned i = 0; i < 2; i++) {
    assert_non_null(ww_rtr_session_output(busy, &len));
    ww_rtr_session_sent(busy, len, lab->now);
  }
  assert_int_equal(len, 24);
  expect_error(lab, busy, 2, WW_RTR_CACHE_RESTART, "", WW_RTR_ENDED);
}

/* ---- sharing ---- */

static void test_clients_share_octets(void **state) {
  struct lab *lab = *state;
  struct ww_rtr_session *s[200];
  const uint8_t *at = NULL;
  size_t len;
  publish_one(lab);
  for (unsigned i = 0; i < 200; i++) {
    s[i] = client(lab);
    send_hex(lab, s[i], RESET_V2);
  }
  build(lab);
  for (unsigned i = 0; i < 200; i++) {
    ww_rtr_session_sent(s[i], 8, lab->now);
    const uint8_t *here = ww_rtr_session_output(s[i], &len);
    assert_int_equal(len, 20);
    assert_true(!at || here == at);
    at = here;
  }
  struct ww_rtr_data_stats stats;
  ww_rtr_data_stats(ww_rtr_server_data(lab->server), &stats);
  assert_int_equal(stats.builds, 1);
  assert_int_equal(stats.bytes, 20);
  for (unsigned i = 0; i < 200; i++)
    drain_by(lab, s[i], OUT_MAX), lab->out_len = 0;
  change(lab, true);
  for (unsigned i = 0; i < 200; i++) {
    lab->out_len = 0;
    drain_by(lab, s[i], OUT_MAX);
    send_hex(lab, s[i], "020110020000000c00000005");
    ww_rtr_session_sent(s[i], 8, lab->now);
    const uint8_t *here = ww_rtr_session_output(s[i], &len);
    assert_true(i == 0 || here == at);
    at = here;
  }
  ww_rtr_data_stats(ww_rtr_server_data(lab->server), &stats);
  assert_int_equal(stats.deltas, 1);
}

/* Routers that stop reading, each in an answer of its own, while publications go on: memory stays bounded, and it is
 * those furthest behind who go. */
static void test_cuts_who_is_far_behind(void **state) {
  struct lab *lab = *state;
  enum { RECORDS = 200000, LIMIT = 64 << 20, CLIENTS = 40 };
  struct ww_vrp v = {.prefix = {.afi = WW_AFI_IPV4, .len = 32}, .max_len = 32};
  for (uint32_t i = 0; i < RECORDS; i++) {
    v.prefix.addr[1] = (uint8_t)(i >> 16);
    v.prefix.addr[2] = (uint8_t)(i >> 8);
    v.prefix.addr[3] = (uint8_t)i;
    assert_int_equal(ww_payloads_add_vrp(&lab->delta.announce, &v), WW_OK);
  }
  publish(lab);
  struct ww_rtr_session *s[CLIENTS];
  struct ww_rtr_data_stats stats;
  for (unsigned i = 0; i < CLIENTS; i++) {
    s[i] = client(lab);
    send_hex(lab, s[i], RESET_V0);
    build(lab);
    ww_rtr_session_sent(s[i], 8, lab->now);
    change(lab, i % 2 == 0);
    ww_rtr_data_stats(ww_rtr_server_data(lab->server), &stats);
    assert_true(stats.bytes <= LIMIT);
  }
  assert_int_equal(ww_rtr_session_fate(s[0]), WW_RTR_CUT);
  assert_int_equal(ww_rtr_session_fate(s[CLIENTS - 1]), WW_RTR_GOES_ON);
  assert_non_null(strstr(lab->said, "publications behind in the middle of an answer"));
  lab->service = ww_rtr_service_default;
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_refuses_what_routers_do_not_send),
      TEST(test_says_nothing_before_it_must),
      TEST(test_never_answers_an_error_report),
      TEST(test_takes_an_error_report_inside_an_answer),
      TEST(test_bounds_what_it_keeps),
      TEST(test_speaks_each_version),
      TEST(test_negotiates),
      TEST(test_keeps_to_the_version),
      TEST(test_has_no_data_at_first),
      TEST(test_empty_set_is_not_no_data),
      TEST(test_judges_session_and_serial),
      TEST(test_tells_the_net_change),
      TEST(test_orders_the_whole_set),
      TEST(test_sources_do_not_show),
      TEST(test_leaves_out_what_routers_do_not_take),
      TEST(test_begins_anew_when_nothing_is_known),
      TEST(test_window_is_bounded),
      TEST(test_answers_what_was_asked_meanwhile),
      TEST(test_publication_during_encoding),
      TEST(test_notifies_once_a_minute),
      TEST(test_does_not_notify_of_what_a_version_does_not_see),
      TEST(test_does_not_notify_inside_an_answer),
      TEST(test_closes_who_does_not_ask),
      TEST(test_cuts_who_does_not_take),
      TEST(test_says_farewell),
      TEST(test_clients_share_octets),
      TEST(test_cuts_who_is_far_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
