/* SPDX-License-Identifier: BSD-2-Clause */
/* BMP version 3: every message type, its cuts and its lies about lengths; and the TLVs of version 4. */
#include "tests/wire/hex.h"

#include "wire/bgp.h"
#include "wire/bmp.h"
#include "wire/bmp_tlv.h"

#define MARKER "ffffffffffffffffffffffffffffffff"
#define KEEPALIVE MARKER "001304"
#define EOR MARKER "001702 0000 0000"
#define OPEN MARKER "001d01 04 fbf4 005a c0000201 00"
/* Global peer 192.0.2.1, AS 64500, id 192.0.2.2, at 1.000002. */
#define PEER "00 00 0000000000000000 000000000000000000000000c0000201 0000fbf4 c0000202 00000001 00000002"
#define LOCAL "000000000000000000000000c0000263 00b3 9c40"

/* Common header and body, the length filled in. */
static struct octets message(uint8_t type, const char *body) {
  struct octets b = hex(body);
  uint8_t buf[4096];
  struct ww_writer w = ww_writer_make(buf, sizeof buf);
  size_t start = ww_bmp_begin(&w, 3, type);
  ww_writer_bytes(&w, b.data, b.len);
  ww_bmp_end(&w, start);
  assert_false(w.overflow);
  free(b.data);
  return octets_of(buf, w.len);
}

static void test_frame(void **state) {
  (void)state;
  static const struct {
    const char *octets;
    enum ww_err err;
    uint32_t len;
  } c[] = {
      {"", WW_ERR_SHORT, 0},
      {"03", WW_ERR_SHORT, 0},
      {"0300000030", WW_ERR_SHORT, 0},
      {"030000000004", WW_ERR_MALFORMED, 0},
      {"030000000504", WW_ERR_MALFORMED, 0},
      {"037fffffff04", WW_ERR_MALFORMED, 0},
      {"03ffffffff04", WW_ERR_MALFORMED, 0},
      {"030010000104", WW_ERR_MALFORMED, 0},
      {"030010000004", WW_OK, 1 << 20},
      {"030000000604", WW_OK, 6},
      {"0300000006fe", WW_OK, 6},
      {"040000000604", WW_OK, 6},
      {"000000000604", WW_ERR_MALFORMED, 0},
      {"01", WW_ERR_MALFORMED, 0},
      {"02", WW_ERR_MALFORMED, 0},
      {"05", WW_ERR_MALFORMED, 0},
  };
  for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
    struct octets in = hex(c[i].octets);
    struct ww_bmp_header h;
    assert_int_equal(ww_bmp_frame(in.data, in.len, WW_BMP_MAX_LEN, &h, NULL), c[i].err);
    if (c[i].err == WW_OK)
      assert_int_equal(h.len, c[i].len);
    free(in.data);
  }
}

static const struct {
  const char *what;
  uint8_t type;
  const char *body;
  bool tail_ignored; /* shorter by some octets it is still whole: TLVs at its end, or room to grow */
} whole[] = {
    {"route monitoring", 0, PEER EOR, false},
    {"statistics, none", 1, PEER "00000000", false},
    {"statistics", 1, PEER "00000002 0000 0004 00000001 0009 000b 000101 0000000000000005", false},
    {"peer down 1", 2, PEER "01" MARKER "001503 0602", false},
    {"peer down 2", 2, PEER "02 0011", false},
    {"peer down 3", 2, PEER "03" MARKER "001503 0602", false},
    {"peer down 4", 2, PEER "04", false},
    {"peer down 6", 2, PEER "06 0003 0006 676c6f62616c", true},
    {"peer up", 3, PEER LOCAL OPEN OPEN, false},
    {"peer up with a name", 3, PEER LOCAL OPEN OPEN "0003 0006 676c6f62616c", true},
    {"initiation", 4, "0001 0001 61 0002 0001 62", true},
    {"termination", 5, "0001 0002 0000", true},
    {"route mirroring", 6, PEER "0001 0002 0000 0000 0017" EOR, true},
};

/* Cut at every octet: refused, or (TLVs) understood as far as it goes; with the header's length kept it is SHORT. */
static void test_truncation(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
    struct octets msg = message(whole[i].type, whole[i].body);
    struct ww_bmp_msg out;
    struct ww_diag why = {0};
    print_message("%s\n", whole[i].what);
    assert_int_equal(ww_bmp_decode(msg.data, msg.len, &out, &why), WW_OK);
    for (size_t len = 0; len < msg.len; len++) {
      struct octets cut = octets_of(msg.data, len);
      assert_int_equal(ww_bmp_decode(cut.data, cut.len, &out, &why), WW_ERR_SHORT);
      if (len >= 6) {
        cut.data[3] = (uint8_t)(len >> 8);
        cut.data[4] = (uint8_t)len;
        enum ww_err err = ww_bmp_decode(cut.data, cut.len, &out, &why);
        assert_true(err == WW_ERR_MALFORMED || (err == WW_OK && whole[i].tail_ignored));
        if (err == WW_ERR_MALFORMED)
          assert_true(why.text[0] != '\0' && why.clause && why.offset <= len);
      }
      free(cut.data);
    }
    free(msg.data);
  }
}

static void test_bad(void **state) {
  (void)state;
  static const struct {
    const char *what;
    uint8_t type;
    const char *body;
  } c[] = {
      {"KEEPALIVE in route monitoring", 0, PEER KEEPALIVE},
      {"marker in route monitoring", 0, PEER "00" MARKER},
      {"UPDATE longer than the message", 0, PEER MARKER "001802 0000 0000"},
      {"statistics claim 2^32-1", 1, PEER "ffffffff 0000 0004 00000001"},
      {"statistics claim one more", 1, PEER "00000002 0000 0004 00000001"},
      {"statistic longer than the message", 1, PEER "00000001 0000 ffff 00000001"},
      {"no reason", 2, PEER ""},
      {"reason 1 without NOTIFICATION", 2, PEER "01"},
      {"reason 3 with an OPEN", 2, PEER "03" OPEN},
      {"reason 2 with half a code", 2, PEER "02 00"},
      {"reason 6 with half a TLV", 2, PEER "06 0003 0006 67"},
      {"peer up without OPENs", 3, PEER LOCAL},
      {"peer up with one OPEN", 3, PEER LOCAL OPEN},
      {"peer up with a KEEPALIVE", 3, PEER LOCAL OPEN KEEPALIVE},
      {"peer up with half a TLV", 3, PEER LOCAL OPEN OPEN "0003 0006 67"},
      {"initiation with half a TLV", 4, "0001 0002 61"},
      {"initiation with half a header", 4, "0001 00"},
      {"termination TLV of 65535", 5, "0001 ffff 0000"},
      {"mirroring with half a TLV", 6, PEER "0000 0017" MARKER},
  };
  for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
    struct octets msg = message(c[i].type, c[i].body);
    struct ww_bmp_msg out;
    struct ww_diag why = {0};
    print_message("%s\n", c[i].what);
    assert_int_equal(ww_bmp_decode(msg.data, msg.len, &out, &why), WW_ERR_MALFORMED);
    assert_non_null(strstr(why.text, ww_bmp_type_name(c[i].type)));
    free(msg.data);
  }
  struct octets two = hex("030000000604 030000000604");
  struct ww_bmp_msg out;
  assert_int_equal(ww_bmp_decode(two.data, two.len, &out, NULL), WW_ERR_INVAL);
  two.data[0] = 4;
  assert_int_equal(ww_bmp_decode(two.data, 6, &out, NULL), WW_ERR_UNSUPPORTED);
  free(two.data);
}

static void test_fields(void **state) {
  (void)state;
  struct ww_bmp_msg m;
  struct octets msg = message(0, PEER EOR "0000 0001 aa"); /* what follows the UPDATE is ignored */
  assert_int_equal(ww_bmp_decode(msg.data, msg.len, &m, NULL), WW_OK);
  assert_true(m.has_peer);
  assert_int_equal(m.peer.asn, 64500);
  assert_int_equal(m.peer.bgp_id, 0xc0000202);
  assert_int_equal(m.peer.sec, 1);
  assert_int_equal(m.peer.usec, 2);
  assert_int_equal(m.u.route.len, 23);
  struct ww_addr addr = ww_bmp_peer_addr(&m.peer);
  char text[WW_ADDR_STRLEN];
  assert_string_equal(ww_addr_format(&addr, text), "192.0.2.1");
  free(msg.data);

  msg = message(1, PEER "00000001 0009 000b 000101 0000000000000005 ff"); /* surplus ignored */
  assert_int_equal(ww_bmp_decode(msg.data, msg.len, &m, NULL), WW_OK);
  struct ww_bmp_stat stat;
  struct ww_reader r = m.u.stats.stats;
  assert_true(ww_bmp_stat_next(&r, &stat));
  assert_int_equal(stat.type, 9);
  assert_octets(stat.value, stat.len, "000101 0000000000000005");
  assert_false(ww_bmp_stat_next(&r, &stat));
  assert_true(ww_reader_done(&r));
  free(msg.data);

  msg = message(2, PEER "03" MARKER "001703 0602 aabb");
  assert_int_equal(ww_bmp_decode(msg.data, msg.len, &m, NULL), WW_OK);
  assert_int_equal(m.u.down.reason, WW_BMP_DOWN_REMOTE_NOTIFICATION);
  assert_int_equal(m.u.down.notification_len, 23);
  free(msg.data);
  msg = message(2, PEER "02 0011");
  assert_int_equal(ww_bmp_decode(msg.data, msg.len, &m, NULL), WW_OK);
  assert_int_equal(m.u.down.fsm_event, 17);
  free(msg.data);

  msg = message(3, PEER LOCAL OPEN OPEN "0003 0006 676c6f62616c");
  assert_int_equal(ww_bmp_decode(msg.data, msg.len, &m, NULL), WW_OK);
  assert_string_equal(ww_addr_format(&m.u.up.local, text), "192.0.2.99");
  assert_int_equal(m.u.up.local_port, 179);
  assert_int_equal(m.u.up.remote_port, 40000);
  assert_int_equal(m.u.up.sent_len, 29);
  assert_int_equal(m.u.up.received_len, 29);
  struct ww_bmp_tlv tlv;
  r = m.u.up.tlvs;
  assert_true(ww_bmp_tlv_next(&r, &tlv));
  assert_int_equal(tlv.type, WW_BMP_INFO_TABLE_NAME);
  assert_octets(tlv.value, tlv.len, "676c6f62616c");
  assert_false(ww_bmp_tlv_next(&r, &tlv));
  free(msg.data);

  /* Bit 0 of the flags: V, or F for a Loc-RIB, which has no address. */
  struct ww_bmp_peer peer = {.flags = WW_BMP_FLAG_V, .address = {0x20, 1, 0x0d, 0xb8}};
  addr = ww_bmp_peer_addr(&peer);
  assert_string_equal(ww_addr_format(&addr, text), "2001:db8::");
  peer.type = WW_BMP_PEER_LOC_RIB;
  assert_int_equal(ww_bmp_peer_addr(&peer).afi, WW_AFI_NONE);

  msg = message(250, "aabb"); /* RFC 7854 §4.1: to be ignored, not an error */
  assert_int_equal(ww_bmp_decode(msg.data, msg.len, &m, NULL), WW_OK);
  assert_false(m.has_peer);
  assert_octets(m.body.p, ww_reader_left(&m.body), "aabb");
  free(msg.data);
}

static void test_write(void **state) {
  (void)state;
  uint8_t buf[512];
  struct ww_bmp_peer peer = {.asn = 64500, .bgp_id = 0xc0000202, .sec = 1, .usec = 2};
  peer.address[12] = 192;
  peer.address[14] = 2;
  peer.address[15] = 1;
  struct ww_addr local = {.afi = WW_AFI_IPV4, .bytes = {192, 0, 2, 99}};
  struct octets open = hex(OPEN), eor = hex(EOR);

  struct ww_writer w = ww_writer_make(buf, sizeof buf);
  ww_bmp_initiation_write(&w, 3, "descr", "name", NULL);
  assert_octets(buf, w.len, "0300000017 04 00010005 6465736372 00020004 6e616d65");
  w = ww_writer_make(buf, sizeof buf);
  ww_bmp_initiation_write(&w, 4, NULL, NULL, "x");
  assert_octets(buf, w.len, "0400000013 04 00010000 00020000 00000001 78");
  w = ww_writer_make(buf, sizeof buf);
  ww_bmp_termination_write(&w, 3, 4, "x");
  assert_octets(buf, w.len, "0300000011 05 00010002 0004 00000001 78");
  w = ww_writer_make(buf, sizeof buf);
  ww_bmp_peer_up_write(&w, 3, &peer, &local, 179, 40000, open.data, open.len, open.data, open.len, "global");
  assert_octets(buf, w.len, "0300000088 03" PEER LOCAL OPEN OPEN "00030006 676c6f62616c");
  w = ww_writer_make(buf, sizeof buf);
  ww_bmp_peer_down_write(&w, 3, &peer, 4, NULL, 0);
  assert_octets(buf, w.len, "0300000031 02" PEER "04");
  w = ww_writer_make(buf, sizeof buf);
  ww_bmp_route_write(&w, &peer, eor.data, eor.len);
  assert_octets(buf, w.len, "0300000047 00" PEER EOR);
  w = ww_writer_make(buf, sizeof buf);
  const uint8_t counter[4] = {0, 0, 0, 7}, gauge[8] = {0, 0, 0, 0, 0, 0, 1, 0};
  ww_bmp_statistics_write(&w, &peer, (struct ww_bmp_stat[]){{0, 4, counter}, {7, 8, gauge}}, 2);
  assert_octets(buf, w.len, "0300000048 01" PEER "00000002 0000 0004 00000007 0007 0008 0000000000000100");
  w = ww_writer_make(buf, sizeof buf);
  ww_bmp_mirror_write(&w, &peer, -1, eor.data, eor.len);
  assert_octets(buf, w.len, "030000004b 06" PEER "0000 0017" EOR);
  w = ww_writer_make(buf, sizeof buf);
  ww_bmp_mirror_write(&w, &peer, WW_BMP_MIRROR_MESSAGES_LOST, NULL, 0);
  assert_octets(buf, w.len, "0300000036 06" PEER "0001 0002 0001");
  for (size_t cap = 0; cap < 71; cap++) {
    struct octets room = octets_of(buf, cap);
    struct ww_writer tight = ww_writer_make(room.data, cap);
    ww_bmp_route_write(&tight, &peer, eor.data, eor.len);
    assert_true(tight.overflow);
    free(room.data);
  }
  free(open.data);
  free(eor.data);
}

/* --- draft-ietf-grow-bmp-tlv-21 §4 --- */

static void test_tlv_shapes(void **state) {
  (void)state;
  static const struct {
    bool enterprise, indexed, group;
    const char *octets;
  } c[] = {
      {false, false, false, "0004 0002 aabb"},
      {true, false, false, "8004 0006 00007ed9 aabb"},
      {false, true, false, "0004 0002 0007 aabb"},
      {false, true, true, "0004 0002 8007 aabb"},
      {true, true, false, "8004 0006 0007 00007ed9 aabb"}, /* the index is before the PEN and not in the length */
      {true, true, true, "8004 0006 8007 00007ed9 aabb"},
  };
  static const uint8_t value[] = {0xaa, 0xbb};
  for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
    uint8_t buf[32];
    struct ww_writer w = ww_writer_make(buf, sizeof buf);
    ww_writer_u8(&w, 0xee); /* not at the start */
    size_t start = ww_tlv_begin(&w, 4, c[i].enterprise, 32473, c[i].indexed, c[i].group, 7);
    ww_writer_bytes(&w, value, sizeof value);
    ww_tlv_end(&w, start);
    assert_false(w.overflow);
    assert_octets(buf + 1, w.len - 1, c[i].octets);
    struct octets in = hex(c[i].octets);
    struct ww_reader r = ww_reader_make(in.data, in.len);
    struct ww_tlv tlv;
    assert_true(ww_tlv_next(&r, c[i].indexed, &tlv));
    assert_int_equal(tlv.type, 4);
    assert_int_equal(tlv.enterprise, c[i].enterprise);
    assert_int_equal(tlv.pen, c[i].enterprise ? 32473 : 0);
    assert_int_equal(tlv.indexed, c[i].indexed);
    assert_int_equal(tlv.group, c[i].group);
    assert_int_equal(tlv.index, c[i].indexed ? 7 : 0);
    assert_octets(tlv.value, tlv.len, "aabb");
    assert_false(ww_tlv_next(&r, c[i].indexed, &tlv));
    assert_true(ww_reader_done(&r));
    for (size_t len = 1; len < in.len; len++) { /* every cut is malformed */
      struct octets cut = octets_of(in.data, len);
      r = ww_reader_make(cut.data, cut.len);
      assert_false(ww_tlv_next(&r, c[i].indexed, &tlv));
      assert_true(r.bad);
      free(cut.data);
    }
    free(in.data);
  }
}

static void test_tlv_bad(void **state) {
  (void)state;
  struct octets in = hex("8004 0003 007ed9"); /* too short for its PEN */
  struct ww_reader r = ww_reader_make(in.data, in.len);
  struct ww_tlv tlv;
  assert_false(ww_tlv_next(&r, false, &tlv));
  assert_true(r.bad);
  free(in.data);
  /* What does not fit 15 bits, or a length of 16, is refused. */
  static uint8_t buf[70000];
  struct ww_writer w = ww_writer_make(buf, sizeof buf);
  (void)ww_tlv_begin(&w, 0x8000, false, 0, false, false, 0);
  assert_true(w.overflow);
  w = ww_writer_make(buf, sizeof buf);
  (void)ww_tlv_begin(&w, 1, false, 0, true, false, 0x8000);
  assert_true(w.overflow);
  for (size_t len = 65531; len <= 65536; len++) {
    w = ww_writer_make(buf, sizeof buf);
    size_t start = ww_tlv_begin(&w, 1, true, 1, true, false, 1);
    ww_writer_zero(&w, len);
    ww_tlv_end(&w, start);
    assert_int_equal(w.overflow, len + 4 > 65535);
  }
  struct ww_writer measure = ww_writer_make(NULL, 0);
  size_t start = ww_tlv_begin(&measure, 1, true, 1, true, false, 1);
  ww_writer_zero(&measure, 3);
  ww_tlv_end(&measure, start);
  assert_false(measure.overflow);
  assert_int_equal(measure.len, 13);
}

/* --- recorded sessions --- */

static void check_recording(const char *name, const unsigned want[7]) {
  struct octets in = shared_file(name);
  if (!in.data)
    skip();
  unsigned got[7] = {0};
  for (size_t at = 0; at < in.len;) {
    struct ww_bmp_header h;
    assert_int_equal(ww_bmp_frame(in.data + at, in.len - at, WW_BMP_MAX_LEN, &h, NULL), WW_OK);
    struct octets one = octets_of(in.data + at, h.len);
    struct ww_bmp_msg m;
    struct ww_diag why;
    assert_int_equal(ww_bmp_decode(one.data, one.len, &m, &why), WW_OK);
    assert_true(m.header.type < 7);
    got[m.header.type]++;
    free(one.data);
    at += h.len;
  }
  for (unsigned i = 0; i < 7; i++)
    assert_int_equal(got[i], want[i]);
  free(in.data);
}

static void test_recorded_frr(void **state) {
  (void)state;
  check_recording("data/bmp/bmp-frr.bin", (const unsigned[7]){1296, 4, 2, 1, 1, 0, 615});
}

static void test_recorded_gobgp(void **state) {
  (void)state;
  check_recording("data/bmp/bmp-gobgp.bin", (const unsigned[7]){2852, 1, 1, 1, 1, 0, 0});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_frame),   cmocka_unit_test(test_truncation),   cmocka_unit_test(test_bad),
      cmocka_unit_test(test_fields),  cmocka_unit_test(test_write),        cmocka_unit_test(test_tlv_shapes),
      cmocka_unit_test(test_tlv_bad), cmocka_unit_test(test_recorded_frr), cmocka_unit_test(test_recorded_gobgp),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
