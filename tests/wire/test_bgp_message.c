/* SPDX-License-Identifier: BSD-2-Clause */
/* BGP framing, OPEN and NOTIFICATION: what is refused, what is tolerated, and the way back. */
#include "tests/wire/hex.h"

#include "wire/bgp.h"

#define MARKER "ffffffffffffffffffffffffffffffff"

static struct ww_arena arena;

static int setup(void **state) {
  (void)state;
  ww_arena_init(&arena, 0);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  ww_arena_fini(&arena);
  return 0;
}

static void test_frame(void **state) {
  (void)state;
  static const struct {
    const char *what, *octets;
    size_t max;
    enum ww_err err;
    size_t len;
  } c[] = {
      {"nothing", "", 4096, WW_ERR_SHORT, 0},
      {"half a header", MARKER "00", 4096, WW_ERR_SHORT, 0},
      {"KEEPALIVE", MARKER "001304", 4096, WW_OK, 19},
      {"KEEPALIVE and more", MARKER "001304 aabb", 4096, WW_OK, 19},
      {"KEEPALIVE of 20", MARKER "001404 00", 4096, WW_ERR_MALFORMED, 0},
      {"marker", "fffffffffffffffffffffffffffffffe 001304", 4096, WW_ERR_MALFORMED, 0},
      {"type 0", MARKER "001300", 4096, WW_ERR_MALFORMED, 0},
      {"type 6", MARKER "001306", 4096, WW_ERR_MALFORMED, 0},
      {"length 0", MARKER "000002", 4096, WW_ERR_MALFORMED, 0},
      {"length 18", MARKER "001204", 4096, WW_ERR_MALFORMED, 0},
      {"OPEN of 28", MARKER "001c01", 4096, WW_ERR_MALFORMED, 0},
      {"UPDATE of 22", MARKER "001602", 4096, WW_ERR_MALFORMED, 0},
      {"NOTIFICATION of 20", MARKER "001403", 4096, WW_ERR_MALFORMED, 0},
      {"ROUTE-REFRESH of 22", MARKER "001605", 4096, WW_ERR_MALFORMED, 0},
      {"ROUTE-REFRESH", MARKER "001705 00010001", 4096, WW_OK, 23},
      {"UPDATE of 4096, cut", MARKER "100002", 4096, WW_ERR_SHORT, 4096},
      {"UPDATE of 4097", MARKER "100102", 4096, WW_ERR_MALFORMED, 0},
      {"UPDATE of 4097, extended", MARKER "100102", 65535, WW_ERR_SHORT, 4097},
      {"UPDATE of 65535, extended", MARKER "ffff02", 65535, WW_ERR_SHORT, 65535},
      {"OPEN never gets long, RFC 8654 §4", MARKER "100101", 65535, WW_ERR_MALFORMED, 0},
  };
  for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
    struct octets in = hex(c[i].octets);
    size_t len;
    uint8_t type;
    struct ww_diag why = {0};
    print_message("%s\n", c[i].what);
    assert_int_equal(ww_bgp_frame(in.data, in.len, c[i].max, &len, &type, &why), c[i].err);
    assert_int_equal(len, c[i].len);
    assert_true((c[i].err == WW_OK) == (why.text[0] == '\0'));
    free(in.data);
  }
}

/* An OPEN of AS 64500, hold time 90, id 192.0.2.1, with these octets after the identifier. */
static struct octets open_of(const char *tail) {
  struct octets t = hex(tail);
  uint8_t buf[4096];
  struct ww_writer w = ww_writer_make(buf, sizeof buf);
  for (unsigned i = 0; i < 16; i++)
    ww_writer_u8(&w, 0xff);
  ww_writer_u16(&w, (uint16_t)(28 + t.len));
  ww_writer_u8(&w, WW_BGP_OPEN);
  ww_writer_u8(&w, 4);
  ww_writer_u16(&w, 64500);
  ww_writer_u16(&w, 90);
  ww_writer_u32(&w, 0xc0000201);
  ww_writer_bytes(&w, t.data, t.len);
  assert_false(w.overflow);
  free(t.data);
  return octets_of(buf, w.len);
}

static enum ww_err decode_open(struct octets msg, struct ww_bgp_open *open) {
  ww_arena_reset(&arena);
  return ww_bgp_open_decode(msg.data, msg.len, &arena, open, NULL);
}

static void test_open_bad(void **state) {
  (void)state;
  static const char *const bad[] = {
      "01",                 /* parameters beyond the message */
      "0200",               /* parameter without length */
      "00 aa",              /* octets after the parameters */
      "02 02 01",           /* capability beyond its parameter */
      "03 02 01 41",        /* capability without length */
      "04 02 02 41 01",     /* capability value beyond its parameter */
      "ff ff 00",           /* extended, length cut off */
      "ff ff 0001 02",      /* extended, parameter header cut off */
      "ff ff 0003 02 0001", /* extended, parameter beyond the field */
      "ff ff 0000 00",      /* extended, octets after the parameters */
  };
  struct ww_bgp_open open;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct octets msg = open_of(bad[i]);
    assert_int_equal(decode_open(msg, &open), WW_ERR_MALFORMED);
    free(msg.data);
  }
  struct octets msg = open_of("00");
  msg.data[19] = 3;
  assert_int_equal(decode_open(msg, &open), WW_ERR_UNSUPPORTED);
  free(msg.data);
  msg = hex(MARKER "001304");
  assert_int_equal(decode_open(msg, &open), WW_ERR_MALFORMED); /* not an OPEN */
  free(msg.data);
  msg = hex(MARKER "001d01 04 fbf4 005a c0000201 00 ff");
  assert_int_equal(decode_open(msg, &open), WW_ERR_MALFORMED); /* octets after the message */
  free(msg.data);
}

static void test_open(void **state) {
  (void)state;
  static const struct {
    const char *what, *tail;
    struct ww_bgp_open want;
    size_t capabilities;
  } c[] = {
      {"no parameters", "00", {.asn = 64500}, 0},
      {"4-octet AS", "08 02 06 4104 00011170", {.asn = 70000, .as4 = true}, 6},
      {"several parameters",
       "0c 02 06 4104 00011170 02 02 0600",
       {.asn = 70000, .as4 = true, .extended_message = true},
       8},
      {"parameter of another type", "05 01 00 02 01", {0}, 0},
      {"other parameter skipped", "06 01 00 02 02 0600", {.asn = 64500, .extended_message = true}, 2},
      {"ADD-PATH", "0c 02 0a 4508 0001 01 03 0002 01 01", {.asn = 64500, .add_path_ipv4 = 3, .add_path_ipv6 = 1}, 10},
      {"ADD-PATH of unknown mode and family", "0c 02 0a 4508 0001 01 04 0001 02 03", {.asn = 64500}, 10},
      {"ADD-PATH of odd length", "09 02 07 4505 0001 01 02 00", {.asn = 64500, .add_path_ipv4 = 2}, 7},
      {"role", "05 02 03 0901 03", {.asn = 64500, .has_role = true, .role = 3}, 3},
      {"first of two roles", "08 02 06 0901 03 0901 04", {.asn = 64500, .has_role = true, .role = 3}, 6},
      {"4-octet AS of 2 octets is absent", "06 02 04 4102 fbf4", {.asn = 64500}, 4},
      {"role of 2 octets is absent", "06 02 04 0902 0304", {.asn = 64500}, 4},
      {"extended message of 1 octet is absent", "05 02 03 0601 00", {.asn = 64500}, 3},
      {"RFC 9072", "ff ff 0009 02 0006 4104 00011170", {.asn = 70000, .as4 = true}, 6},
      {"RFC 9072, first length not 255", "01 ff 0009 02 0006 4104 00011170", {.asn = 70000, .as4 = true}, 6},
      {"RFC 9072, no parameters", "ff ff 0000", {.asn = 64500}, 0},
  };
  for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
    struct octets msg = open_of(c[i].tail);
    struct ww_bgp_open got;
    print_message("%s\n", c[i].what);
    if (c[i].want.asn == 0) {
      assert_int_equal(decode_open(msg, &got), WW_ERR_MALFORMED);
      free(msg.data);
      continue;
    }
    assert_int_equal(decode_open(msg, &got), WW_OK);
    assert_int_equal(got.my_as, 64500);
    assert_int_equal(got.hold_time, 90);
    assert_int_equal(got.bgp_id, 0xc0000201);
    assert_int_equal(got.asn, c[i].want.asn);
    assert_int_equal(got.as4, c[i].want.as4);
    assert_int_equal(got.extended_message, c[i].want.extended_message);
    assert_int_equal(got.add_path_ipv4, c[i].want.add_path_ipv4);
    assert_int_equal(got.add_path_ipv6, c[i].want.add_path_ipv6);
    assert_int_equal(got.has_role, c[i].want.has_role);
    assert_int_equal(got.role, c[i].want.role);
    assert_int_equal(got.capabilities_len, c[i].capabilities);
    free(msg.data);
  }
}

static void test_open_write(void **state) {
  (void)state;
  uint8_t buf[WW_BGP_MAX_LEN], extra[400] = {0};
  for (size_t i = 0; i + 4 <= sizeof extra; i += 4) { /* a private capability of two octets, many times */
    extra[i] = 240;
    extra[i + 1] = 2;
  }
  static const size_t lengths[] = {0, 4, 232, 236, 400};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    struct ww_writer w = ww_writer_make(buf, sizeof buf);
    ww_bgp_open_write(&w, 4200000000u, 180, 7, extra, lengths[i]);
    assert_false(w.overflow);
    struct octets msg = octets_of(buf, w.len);
    struct ww_bgp_open open;
    assert_int_equal(decode_open(msg, &open), WW_OK);
    assert_int_equal(open.my_as, 23456);
    assert_int_equal(open.asn, 4200000000u);
    assert_true(open.as4);
    assert_int_equal(open.hold_time, 180);
    assert_int_equal(open.bgp_id, 7);
    assert_int_equal(open.capabilities_len, 18 + lengths[i]);
    for (size_t len = 0; len < msg.len; len++) { /* every cut is refused */
      struct octets cut = octets_of(buf, len);
      assert_true(decode_open(cut, &open) != WW_OK);
      free(cut.data);
    }
    free(msg.data);
  }
  struct ww_writer w = ww_writer_make(buf, sizeof buf);
  ww_bgp_open_write(&w, 64500, 0, 7, NULL, 0);
  assert_octets(buf, w.len, MARKER "003101 04 fbf4 0000 00000007 14 02 12 010400010001 010400020001 4104 0000fbf4");
}

static void test_notification(void **state) {
  (void)state;
  struct octets msg = hex(MARKER "001703 06 02 aabb");
  struct ww_bgp_notification n;
  assert_int_equal(ww_bgp_notification_decode(msg.data, msg.len, &n, NULL), WW_OK);
  assert_int_equal(n.code, 6);
  assert_int_equal(n.subcode, 2);
  assert_octets(n.data, n.data_len, "aabb");
  uint8_t buf[64];
  struct ww_writer w = ww_writer_make(buf, sizeof buf);
  ww_bgp_notification_write(&w, n.code, n.subcode, n.data, n.data_len);
  assert_int_equal(w.len, msg.len);
  assert_memory_equal(buf, msg.data, msg.len);
  for (size_t len = 0; len < msg.len; len++) {
    struct octets cut = octets_of(msg.data, len);
    assert_true(ww_bgp_notification_decode(cut.data, cut.len, &n, NULL) != WW_OK);
    free(cut.data);
  }
  free(msg.data);
}

static void test_names(void **state) {
  (void)state;
  assert_string_equal(ww_bgp_disposition_name(WW_BGP_TREAT_AS_WITHDRAW), "treat-as-withdraw");
  assert_string_equal(ww_bgp_attr_name(WW_ATTR_AS_PATH), "AS_PATH");
  assert_string_equal(ww_bgp_attr_name(0), "attribute");
  assert_string_equal(ww_bgp_attr_name(255), "attribute");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_frame),      cmocka_unit_test(test_open_bad),     cmocka_unit_test(test_open),
      cmocka_unit_test(test_open_write), cmocka_unit_test(test_notification), cmocka_unit_test(test_names),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
