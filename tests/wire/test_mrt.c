/* SPDX-License-Identifier: BSD-2-Clause */
/* wire/mrt.c: records of each kind, and every way in which one can end early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/wire/hex.h"
#include "wire/mrt.h"

enum { ROOM = 512 };

/* A record of this type around a body in hex. */
static size_t record_of(uint8_t *buf, unsigned type, unsigned subtype, const char *text) {
  struct octets body = hex(text);
  struct ww_writer w = ww_writer_make(buf, ROOM);
  ww_writer_u32(&w, 1700000000);
  ww_writer_u16(&w, (uint16_t)type);
  ww_writer_u16(&w, (uint16_t)subtype);
  ww_writer_u32(&w, (uint32_t)body.len);
  ww_writer_bytes(&w, body.data, body.len);
  assert_false(w.overflow);
  free(body.data);
  return w.len;
}

static struct ww_mrt_record frame(const uint8_t *buf, size_t len) {
  struct ww_mrt_record record;
  assert_int_equal(ww_mrt_frame(buf, len, &record, NULL), WW_OK);
  assert_int_equal(record.len, len);
  assert_int_equal(record.sec, 1700000000);
  return record;
}

#define ORIGIN "40010100"
#define PATH4 "40020a0202 0000fbf4 0000fbf5"
#define HOP "400304c0000201"
#define HOP6 "20010db8000000000000000000000001"
#define SHORT_REACH6 "800e11 10" HOP6

static const char peers[] = "c0000200 0004 76696577 0003"
                            "02 0a000001 c0000201 0000fbf4"                          /* IPv4, AS4 */
                            "00 0a000002 c0000202 fbf5"                              /* IPv4, AS2 */
                            "03 0a000003 20010db8000000000000000000000002 00011170"; /* IPv6, AS4 */

static void test_frame(void **state) {
  (void)state;
  uint8_t buf[ROOM];
  struct ww_diag diag;
  struct ww_mrt_record record;
  size_t len = record_of(buf, WW_MRT_BGP4MP_ET, 4, "000186a0 aabb");
  record = frame(buf, len);
  assert_int_equal(record.usec, 100000);
  assert_int_equal(record.body_len, 2);
  for (size_t cut = 0; cut < len; cut++) {
    assert_int_equal(ww_mrt_frame(buf, cut, &record, &diag), WW_ERR_SHORT);
    assert_int_equal(record.len, cut < WW_MRT_HEADER_LEN ? 0 : len);
  }
  len = record_of(buf, WW_MRT_BGP4MP_ET, 4, "0001");
  assert_int_equal(ww_mrt_frame(buf, len, &record, &diag), WW_ERR_MALFORMED);
  assert_int_equal(record.len, len);
  buf[8] = 0x7f;
  assert_int_equal(ww_mrt_frame(buf, sizeof buf, &record, &diag), WW_ERR_LIMIT);
}

static void test_peer_index(void **state) {
  (void)state;
  uint8_t buf[ROOM];
  struct ww_mrt_peer_index index;
  struct ww_mrt_peer peer;
  size_t len = record_of(buf, WW_MRT_TABLE_DUMP_V2, 1, peers);
  struct ww_mrt_record record = frame(buf, len);
  assert_int_equal(ww_mrt_peer_index_decode(&record, &index, NULL), WW_OK);
  assert_int_equal(index.collector_id, 0xc0000200);
  assert_int_equal(index.view_len, 4);
  assert_memory_equal(index.view, "view", 4);
  static const struct {
    uint32_t asn, id;
    const char *address;
  } want[] = {{64500, 0x0a000001, "192.0.2.1"}, {64501, 0x0a000002, "192.0.2.2"}, {70000, 0x0a000003, "2001:db8::2"}};
  for (size_t i = 0; i < 3; i++) {
    char text[WW_ADDR_STRLEN];
    assert_true(ww_mrt_peer_next(&index, &peer));
    assert_int_equal(peer.asn, want[i].asn);
    assert_int_equal(peer.bgp_id, want[i].id);
    assert_string_equal(ww_addr_format(&peer.address, text), want[i].address);
  }
  assert_false(ww_mrt_peer_next(&index, &peer));
  assert_false(index.peers.bad);
  /* every shorter body is noticed, at once or at the peer that is cut */
  size_t body = record.body_len;
  for (record.body_len = 0; record.body_len < body; record.body_len++) {
    if (ww_mrt_peer_index_decode(&record, &index, NULL) != WW_OK)
      continue;
    while (ww_mrt_peer_next(&index, &peer))
      ;
    assert_true(index.peers.bad);
  }
}

static struct ww_mrt_rib rib_of(uint8_t *buf, unsigned type, unsigned subtype, const char *text) {
  struct ww_mrt_rib rib;
  struct ww_diag diag = {0};
  struct ww_mrt_record record = frame(buf, record_of(buf, type, subtype, text));
  assert_int_equal(ww_mrt_rib_decode(&record, &rib, &diag), WW_OK);
  return rib;
}

static void expect_prefix(const struct ww_prefix *prefix, const char *want) {
  char text[WW_PREFIX_STRLEN];
  assert_string_equal(ww_prefix_format(prefix, text), want);
}

static void expect_path(const struct ww_bgp_update *update, const char *want) {
  char text[128];
  assert_string_equal(ww_as_path_format(update->as_path, text, sizeof text), want);
}

static void test_rib_ipv4(void **state) {
  (void)state;
  uint8_t buf[ROOM];
  struct ww_arena arena;
  struct ww_bgp_update update;
  struct ww_mrt_entry entry;
  ww_arena_init(&arena, 0);
  /* host bits in the prefix, two entries */
  struct ww_mrt_rib rib =
      rib_of(buf, WW_MRT_TABLE_DUMP_V2, 2,
             "00000007 16 c633ff 0002 0000 65000000 0018" ORIGIN PATH4 HOP "0002 65000001 000e" ORIGIN "4002040201 fbf4"
             "800400");
  expect_prefix(&rib.prefix, "198.51.252.0/22");
  assert_true(rib.as4);
  assert_true(ww_mrt_entry_next(&rib, &entry));
  assert_int_equal(entry.peer, 0);
  assert_int_equal(entry.originated, 0x65000000);
  assert_int_equal(entry.path_id, 0);
  assert_int_equal(ww_mrt_entry_update(&rib, &entry, &arena, &update, NULL), WW_OK);
  assert_int_equal(update.disposition, WW_BGP_ACCEPT);
  expect_path(&update, "64500 64501");
  assert_int_equal(update.next_hop_len[0], 4);
  struct ww_prefix prefix;
  uint32_t path_id;
  assert_true(ww_nlri_next(&update.announced[0], &prefix, &path_id));
  expect_prefix(&prefix, "198.51.252.0/22");
  /* the second one's path is cut short: a disposition, not a failure */
  assert_true(ww_mrt_entry_next(&rib, &entry));
  assert_int_equal(entry.peer, 2);
  assert_int_equal(ww_mrt_entry_update(&rib, &entry, &arena, &update, NULL), WW_OK);
  assert_int_equal(update.disposition, WW_BGP_TREAT_AS_WITHDRAW);
  assert_false(ww_mrt_entry_next(&rib, &entry));
  assert_false(rib.entries.bad);
  ww_arena_fini(&arena);
}

/* RFC 6396 §4.3.4: MP_REACH_NLRI holds the next hop alone; some collectors write all of it. */
static void test_rib_ipv6(void **state) {
  (void)state;
  static const char *const attrs[] = {
      "0025" SHORT_REACH6 ORIGIN PATH4,
      "002e 800e1a 0002 01 10" HOP6 "00 2020010db8" ORIGIN PATH4,
  };
  for (size_t i = 0; i < 2; i++) {
    uint8_t buf[ROOM];
    char text[ROOM];
    struct ww_arena arena;
    struct ww_bgp_update update;
    struct ww_mrt_entry entry;
    ww_arena_init(&arena, 0);
    snprintf(text, sizeof text, "00000001 20 20010db8 0001 0001 65000000 %s", attrs[i]);
    struct ww_mrt_rib rib = rib_of(buf, WW_MRT_TABLE_DUMP_V2, 4, text);
    assert_true(ww_mrt_entry_next(&rib, &entry));
    assert_int_equal(ww_mrt_entry_update(&rib, &entry, &arena, &update, NULL), WW_OK);
    assert_int_equal(update.disposition, WW_BGP_ACCEPT);
    expect_path(&update, "64500 64501");
    assert_int_equal(update.next_hop_len[1], 16);
    struct ww_prefix prefix;
    uint32_t path_id;
    assert_true(ww_nlri_next(&update.announced[1], &prefix, &path_id));
    expect_prefix(&prefix, "2001:db8::/32");
    ww_arena_fini(&arena);
  }
}

static void test_rib_with_path_ids(void **state) {
  (void)state;
  uint8_t buf[ROOM];
  struct ww_mrt_entry entry;
  struct ww_mrt_rib rib =
      rib_of(buf, WW_MRT_TABLE_DUMP_V2, 8, "00000007 18 c63364 0001 0003 65000000 00000009 0018" ORIGIN PATH4 HOP);
  assert_true(rib.add_path);
  assert_true(ww_mrt_entry_next(&rib, &entry));
  assert_int_equal(entry.path_id, 9);
  assert_int_equal(entry.peer, 3);
  assert_int_equal(entry.attrs_len, 0x18);
  rib = rib_of(buf, WW_MRT_TABLE_DUMP_V2, 12,
               "00000007 0001 01 00000005 18 c63364 0001 0003 65000000 0018" ORIGIN PATH4 HOP);
  assert_true(ww_mrt_entry_next(&rib, &entry));
  assert_int_equal(entry.path_id, 5);
  assert_int_equal(entry.attrs_len, 0x18);
}

/* RFC 6396 §4.2: one route a record, with AS numbers of two octets. */
static void test_table_dump(void **state) {
  (void)state;
  uint8_t buf[ROOM];
  struct ww_arena arena;
  struct ww_bgp_update update;
  struct ww_mrt_entry entry;
  ww_arena_init(&arena, 0);
  struct ww_mrt_rib rib =
      rib_of(buf, WW_MRT_TABLE_DUMP, 1,
             "0000 0001 c6336400 18 01 3d000000 c0000201 fbf4 0014" ORIGIN "4002060202 fbf4 fbf5" HOP);
  assert_true(rib.has_peer);
  assert_int_equal(rib.peer.asn, 64500);
  expect_prefix(&rib.prefix, "198.51.100.0/24");
  assert_true(ww_mrt_entry_next(&rib, &entry));
  assert_int_equal(entry.originated, 0x3d000000);
  assert_int_equal(ww_mrt_entry_update(&rib, &entry, &arena, &update, NULL), WW_OK);
  assert_int_equal(update.disposition, WW_BGP_ACCEPT);
  expect_path(&update, "64500 64501");
  assert_false(ww_mrt_entry_next(&rib, &entry));
  ww_arena_fini(&arena);
}

static void test_bad_tables(void **state) {
  (void)state;
  static const struct {
    unsigned type, subtype;
    const char *text;
    enum ww_err want;
  } cases[] = {
      {WW_MRT_TABLE_DUMP_V2, 1, "00000000 0000 0000", WW_ERR_UNSUPPORTED},
      {WW_MRT_TABLE_DUMP_V2, 3, "00000007 18 c63364 0000", WW_ERR_UNSUPPORTED}, /* multicast */
      {WW_MRT_TABLE_DUMP_V2, 6, "00000007 0001 02 18 c63364 0000", WW_ERR_UNSUPPORTED},
      {WW_MRT_TABLE_DUMP_V2, 6, "00000007 0003 01 18 c63364 0000", WW_ERR_UNSUPPORTED},
      {WW_MRT_TABLE_DUMP_V2, 2, "00000007 21 c633640000 0000", WW_ERR_MALFORMED},
      {WW_MRT_TABLE_DUMP_V2, 2, "00000007 18 c63364 00", WW_ERR_MALFORMED},
      {WW_MRT_TABLE_DUMP_V2, 2, "00000007 18 c633", WW_ERR_MALFORMED},
      {WW_MRT_TABLE_DUMP_V2, 6, "00000007 00", WW_ERR_MALFORMED},
      {WW_MRT_TABLE_DUMP, 3, "", WW_ERR_UNSUPPORTED},
      {WW_MRT_TABLE_DUMP, 1, "0000 0001 c6336400 18 01 3d000000 c0000201", WW_ERR_MALFORMED},
      {WW_MRT_TABLE_DUMP, 1, "0000 0001 c6336400 21 01 3d000000 c0000201 fbf4 0000", WW_ERR_MALFORMED},
      {WW_MRT_BGP4MP, 4, "", WW_ERR_UNSUPPORTED},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint8_t buf[ROOM];
    struct ww_mrt_rib rib;
    struct ww_diag diag = {0};
    struct ww_mrt_record record = frame(buf, record_of(buf, cases[i].type, cases[i].subtype, cases[i].text));
    if (ww_mrt_rib_decode(&record, &rib, &diag) != cases[i].want || !diag.text[0])
      fail_msg("case %zu: %s", i, diag.text);
  }
  /* a count that promises more than there is */
  uint8_t buf[ROOM];
  struct ww_mrt_entry entry;
  struct ww_mrt_rib rib = rib_of(buf, WW_MRT_TABLE_DUMP_V2, 2, "00000007 18 c63364 ffff 0000 65000000 0002 4001 0000");
  assert_true(ww_mrt_entry_next(&rib, &entry));
  assert_false(ww_mrt_entry_next(&rib, &entry));
  assert_true(rib.entries.bad);
}

/* Attributes that fit the record's 16-bit length but, written out, no UPDATE. */
static void test_attributes_too_long(void **state) {
  (void)state;
  static uint8_t attrs[65535];
  struct ww_arena arena;
  struct ww_bgp_update update;
  struct ww_mrt_rib rib = {.prefix = {.afi = WW_AFI_IPV6, .len = 128}, .as4 = true};
  struct ww_mrt_entry entry = {.attrs = attrs, .attrs_len = sizeof attrs};
  struct ww_diag diag = {0};
  struct octets short_reach = hex(SHORT_REACH6);
  size_t reach = short_reach.len;
  memcpy(attrs, short_reach.data, reach);
  free(short_reach.data);
  const uint8_t filler[] = {0xd0, 200, (65535 - 20 - 4) >> 8, (65535 - 20 - 4) & 0xff};
  assert_int_equal(reach, 20);
  memcpy(attrs + reach, filler, sizeof filler);
  ww_arena_init(&arena, 0);
  assert_int_equal(ww_mrt_entry_update(&rib, &entry, &arena, &update, &diag), WW_OK);
  assert_int_equal(update.disposition, WW_BGP_TREAT_AS_WITHDRAW);
  assert_true(diag.text[0]);
  ww_arena_fini(&arena);
}

static void test_messages(void **state) {
  (void)state;
  uint8_t buf[ROOM];
  struct ww_mrt_message message;
  static const char as2[] = "fbf4 fbf5 0000 0001 c0000201 c0000202 ffff";
  static const char as4[] = "0000fbf4 0000fbf5 0000 0002 " HOP6 HOP6 "ffffff";
  for (unsigned subtype = 0; subtype <= 12; subtype++) {
    static const char *const kinds[] = {"s2",  "m2",  NULL,  NULL,   "m4",   "s4", "m2l",
                                        "m4l", "m2p", "m4p", "m2lp", "m4lp", NULL};
    const char *kind = kinds[subtype];
    bool wide = kind && kind[1] == '4';
    struct ww_mrt_record record = frame(buf, record_of(buf, WW_MRT_BGP4MP, subtype, wide ? as4 : as2));
    struct ww_diag diag = {0};
    enum ww_err err = ww_mrt_message_decode(&record, &message, &diag);
    if (!kind) {
      assert_int_equal(err, WW_ERR_UNSUPPORTED);
      continue;
    }
    if (kind[0] == 's') { /* the bodies above hold no states */
      assert_int_equal(err, WW_ERR_MALFORMED);
      continue;
    }
    assert_int_equal(err, WW_OK);
    assert_int_equal(message.peer.asn, 64500);
    assert_int_equal(message.local_as, 64501);
    assert_int_equal(message.peer.address.afi, wide ? WW_AFI_IPV6 : WW_AFI_IPV4);
    assert_int_equal(message.as4, wide);
    assert_int_equal(message.message_len, wide ? 3 : 2);
    assert_int_equal(message.sent, strchr(kind, 'l') != NULL);
    assert_int_equal(message.add_path, strchr(kind, 'p') != NULL);
    assert_false(message.state_change);
  }
  struct ww_mrt_record record =
      frame(buf, record_of(buf, WW_MRT_BGP4MP, 0, "fbf4 fbf5 0000 0001 c0000201 c0000202 0006 0001"));
  assert_int_equal(ww_mrt_message_decode(&record, &message, NULL), WW_OK);
  assert_true(message.state_change);
  assert_int_equal(message.old_state, 6);
  assert_int_equal(message.new_state, 1);
  record = frame(buf, record_of(buf, WW_MRT_BGP4MP, 1, "fbf4 fbf5 0000 0009 c0000201 c0000202"));
  assert_int_equal(ww_mrt_message_decode(&record, &message, NULL), WW_ERR_MALFORMED);
  record = frame(buf, record_of(buf, WW_MRT_BGP4MP, 1, "fbf4 fbf5 0000 0001 c0000201 c00002"));
  assert_int_equal(ww_mrt_message_decode(&record, &message, NULL), WW_ERR_MALFORMED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_frame),      cmocka_unit_test(test_peer_index),          cmocka_unit_test(test_rib_ipv4),
      cmocka_unit_test(test_rib_ipv6),   cmocka_unit_test(test_rib_with_path_ids),   cmocka_unit_test(test_table_dump),
      cmocka_unit_test(test_bad_tables), cmocka_unit_test(test_attributes_too_long), cmocka_unit_test(test_messages),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
