/* SPDX-License-Identifier: BSD-2-Clause */
/* bmpout/config_encode.c and config_decode.c: worked octets, round trips, splitting, and what must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bmpout/config_message.h"
#include "bmpout/numbers.h"
#include "tests/wire/hex.h"

enum { ROOM = 65535 };

static const struct ww_encode_message plain = {.version = 4,
                                               .tlv_draft = 21,
                                               .pen = WW_PEN_EXAMPLE,
                                               .flags = WW_PROFILE_SNAPSHOT_START | WW_PROFILE_SNAPSHOT_END,
                                               .snapshot_id = 1};

static struct ww_text text_of(const char *s) { return (struct ww_text){s, strlen(s)}; }

static struct ww_config_source_item rtr_source(void) {
  struct ww_config_source_item s = {
      .id = 7, .type = WW_RULE_SOURCE_RTR, .label = text_of("rtr-a"), .status = WW_STATUS_ACTIVE};
  s.has_records[1] = s.has_records[2] = s.has_records[3] = true;
  s.records[1] = 451234;
  s.records[2] = 151235;
  s.records[3] = 5000;
  s.last_sync = (struct ww_stamp){0x6955b8f6, 0};
  s.errors = 3;
  s.rtr.present = true;
  s.rtr.version = 2;
  return s;
}

static size_t encode(const struct ww_encode_message *m, bool has_peer, const struct ww_config_item *items, size_t count,
                     uint8_t *buf) {
  struct ww_writer w = ww_writer_make(buf, ROOM);
  size_t taken, part = 0;
  assert_int_equal(ww_config_encode(m, has_peer, items, count, ROOM, &w, &taken, &part), WW_OK);
  assert_int_equal(taken, count);
  assert_int_equal(part, 0);
  return w.len;
}

/* One global RTR source: docs/formats/bmp-rpki.md §10 has the same octets. */
static void test_worked_octets(void **state) {
  (void)state;
  static const char octets[] =
      "04000000aafb8001000c000000007ed901150003000000010001000c8001000100020003000400050006800600058001"
      "00007ed9018010000f000100007ed90100000000077274722d6180110005000200007ed9018012001f000300007ed901"
      "000000000006e2a2020000000000024ec20300000000000013888013000d000400007ed9016955b8f600000000"
      "8014000c000500007ed9000000000000000380190005000600007ed902";
  uint8_t buf[ROOM];
  struct ww_config_source_item source = rtr_source();
  source.records[1] = 0x6e2a2;
  source.records[2] = 0x24ec2;
  struct ww_config_item item = {.kind = WW_CONFIG_SOURCE, .u.source = &source};
  struct octets want = hex(octets);
  size_t len = encode(&plain, false, &item, 1, buf);
  assert_int_equal(len, want.len);
  assert_memory_equal(buf, want.data, len);
  free(want.data);
}

static struct ww_config_message decode(const uint8_t *buf, size_t len, struct ww_arena *arena) {
  struct ww_config_message out;
  struct ww_diag diag = {0};
  struct octets exact = octets_of(buf, len);
  uint8_t *kept = ww_arena_copy(arena, exact.data, len); /* decoded texts borrow from the input */
  free(exact.data);
  if (ww_config_decode(kept, len, WW_PEN_EXAMPLE, arena, &out, &diag) != WW_OK)
    fail_msg("octet %zu: %s", diag.offset, diag.text);
  return out;
}

static void expect_text(struct ww_text got, const char *want) {
  assert_int_equal(got.len, strlen(want));
  if (got.len)
    assert_memory_equal(got.text, want, got.len);
}

static void test_round_trip(void **state) {
  (void)state;
  uint8_t buf[ROOM];
  struct ww_arena arena;
  struct ww_config_source_item full = rtr_source(), peer = {0}, slurm = {0};
  full.last_attempt = (struct ww_stamp){0x6955b900, 17};
  full.has_hash[WW_HASH_ASPAS] = true;
  memset(full.hash[WW_HASH_ASPAS], 0xab, WW_HASH_LEN);
  full.rtr.backup = true;
  full.rtr.preference = 300;
  full.rtr.transport = WW_TRANSPORT_TLS;
  full.rtr.host = text_of("rtr.example.net");
  full.rtr.port = 324;
  peer.type = WW_RULE_SOURCE_EBGP;
  peer.status = WW_STATUS_UNREACHABLE;
  peer.bgp.present = true;
  assert_int_equal(ww_addr_parse("2001:db8::1", &peer.bgp.peer), WW_OK);
  peer.bgp.asn = 4200000000;
  peer.bgp.role = WW_ROLE_CUSTOMER;
  slurm.type = WW_RULE_SOURCE_SLURM;
  slurm.status = WW_STATUS_ACTIVE;
  slurm.modified = (struct ww_stamp){5, 6};
  slurm.slurm.present = true;
  slurm.slurm.counts[WW_OVERRIDE_ASPA_FILTER] = 9;
  slurm.slurm.read_errors = 2;
  slurm.slurm.last_error = text_of("a.json:3: /slurmVersion: is 3");
  struct ww_policy policy = {.name = "strict"};
  policy.kinds[WW_KIND_ORIGIN].mode = WW_POLICY_ENFORCE;
  policy.kinds[WW_KIND_ORIGIN].on_invalid.actions = WW_ACTION_DROP;
  policy.kinds[WW_KIND_ORIGIN].on_unknown.actions = WW_ACTION_ACCEPT;
  policy.kinds[WW_KIND_ASPA].mode = WW_POLICY_OBSERVE;
  policy.kinds[WW_KIND_ASPA].on_unknown.actions = WW_ACTION_ACCEPT;
  policy.kinds[WW_KIND_ASPA].on_invalid =
      (struct ww_policy_action){WW_ACTION_LOCAL_PREF | WW_ACTION_COMMUNITY, 50, 0xfde8ffff};
  struct ww_config_override overrides[3] = {
      {.kind = WW_OVERRIDE_PREFIX_ASSERTION, .max_len = 24, .has_asn = true, .asn = 64500},
      {.kind = WW_OVERRIDE_PREFIX_FILTER},
      {.kind = WW_OVERRIDE_ASPA_FILTER, .has_asn = true, .asn = 0}};
  assert_int_equal(ww_prefix_parse("192.0.2.0/24", &overrides[0].prefix), WW_OK);
  assert_int_equal(ww_prefix_parse("2001:db8::/32", &overrides[1].prefix), WW_OK);
  struct ww_config_item items[] = {{.kind = WW_CONFIG_SOURCE, .u.source = &full},
                                   {.kind = WW_CONFIG_SOURCE, .u.source = &peer},
                                   {.kind = WW_CONFIG_SOURCE, .u.source = &slurm},
                                   {.kind = WW_CONFIG_POLICY, .u.policy = &policy},
                                   {.kind = WW_CONFIG_SLURM, .u.overrides = {overrides, 3}}};
  struct ww_encode_message m = plain;
  for (unsigned round = 0; round < 4; round++) {
    m.version = round & 1 ? 3 : 4;
    m.tlv_draft = round & 2 ? 19 : 21;
    m.has_sequence = round == 0;
    m.sequence = 77;
    m.peer = (struct ww_bmp_peer){.asn = 64501, .sec = 1};
    ww_arena_init(&arena, 0);
    size_t len = encode(&m, round == 1, items, 5, buf);
    struct ww_config_message got = decode(buf, len, &arena);
    assert_int_equal(got.version, m.version);
    assert_int_equal(got.tlv_draft, m.tlv_draft);
    assert_int_equal(got.has_peer, round == 1);
    assert_int_equal(got.has_sequence, round == 0);
    assert_int_equal(got.profile_flags, plain.flags);
    assert_int_equal(got.item_count, 5);
    const struct ww_config_source_item *s = got.items[0].u.source;
    expect_text(s->label, "rtr-a");
    assert_int_equal(s->records[2], 151235);
    assert_false(s->has_records[4]);
    assert_int_equal(s->last_attempt.usec, 17);
    assert_true(s->has_hash[WW_HASH_ASPAS] && !s->has_hash[WW_HASH_VRPS]);
    assert_int_equal(s->hash[WW_HASH_ASPAS][31], 0xab);
    assert_true(s->rtr.present && s->rtr.backup && !s->bgp.present && !s->slurm.present);
    assert_int_equal(s->rtr.preference, 300);
    assert_int_equal(s->rtr.transport, WW_TRANSPORT_TLS);
    assert_int_equal(s->rtr.port, 324);
    expect_text(s->rtr.host, "rtr.example.net");
    s = got.items[1].u.source;
    assert_int_equal(s->status, WW_STATUS_UNREACHABLE);
    assert_memory_equal(s->bgp.peer.bytes, peer.bgp.peer.bytes, 16);
    assert_int_equal(s->bgp.asn, 4200000000);
    assert_int_equal(s->bgp.role, WW_ROLE_CUSTOMER);
    s = got.items[2].u.source;
    assert_int_equal(s->modified.usec, 6);
    assert_int_equal(s->slurm.counts[WW_OVERRIDE_ASPA_FILTER], 9);
    assert_int_equal(s->slurm.read_errors, 2);
    expect_text(s->slurm.last_error, "a.json:3: /slurmVersion: is 3");
    assert_memory_equal(got.items[3].u.policy, &policy, sizeof policy);
    assert_int_equal(got.items[4].u.overrides.count, 3);
    for (size_t i = 0; i < 3; i++)
      assert_memory_equal(&got.items[4].u.overrides.list[i], &overrides[i], sizeof overrides[i]);
    /* no octet less is accepted, and no changed octet is read beyond its place (ASan) */
    struct ww_config_message other;
    for (size_t cut = 0; cut < len; cut++) {
      struct octets exact = octets_of(buf, cut);
      assert_int_not_equal(ww_config_decode(exact.data, cut, WW_PEN_EXAMPLE, &arena, &other, NULL), WW_OK);
      free(exact.data);
    }
    ww_arena_fini(&arena);
  }
}

/* More exceptions and sources than one message holds: all of them arrive, in order, each message within its bound. */
static void test_splitting(void **state) {
  (void)state;
  enum { OVERRIDES = 9000, SOURCES = 40, MAX = 4096 };
  static struct ww_config_override overrides[OVERRIDES];
  static struct ww_config_source_item sources[SOURCES];
  static struct ww_config_item items[SOURCES + 1];
  uint8_t buf[ROOM];
  size_t done = 0, part = 0, heard_sources = 0, heard_overrides = 0, messages = 0;
  for (size_t i = 0; i < OVERRIDES; i++)
    overrides[i] = (struct ww_config_override){.kind = WW_OVERRIDE_PREFIX_FILTER, .has_asn = true, .asn = (uint32_t)i};
  for (size_t i = 0; i < SOURCES; i++) {
    sources[i] = rtr_source();
    sources[i].id = (uint32_t)i;
    items[i < 20 ? i : i + 1] = (struct ww_config_item){.kind = WW_CONFIG_SOURCE, .u.source = &sources[i]};
  }
  items[20] = (struct ww_config_item){.kind = WW_CONFIG_SLURM, .u.overrides = {overrides, OVERRIDES}};
  while (done < SOURCES + 1) {
    struct ww_writer w = ww_writer_make(buf, ROOM);
    struct ww_arena arena;
    size_t taken;
    ww_arena_init(&arena, 0);
    assert_int_equal(ww_config_encode(&plain, false, items + done, SOURCES + 1 - done, MAX, &w, &taken, &part), WW_OK);
    assert_true(w.len <= MAX);
    struct ww_config_message got = decode(buf, w.len, &arena);
    for (size_t i = 0; i < got.item_count; i++) {
      if (got.items[i].kind == WW_CONFIG_SOURCE)
        assert_int_equal(got.items[i].u.source->id, heard_sources++);
      for (size_t k = 0; got.items[i].kind == WW_CONFIG_SLURM && k < got.items[i].u.overrides.count; k++)
        assert_int_equal(got.items[i].u.overrides.list[k].asn, heard_overrides++);
    }
    done += taken;
    messages++;
    assert_true(messages < 1000);
    ww_arena_fini(&arena);
  }
  assert_int_equal(heard_sources, SOURCES);
  assert_int_equal(heard_overrides, OVERRIDES);
  struct ww_writer w = ww_writer_make(buf, ROOM);
  size_t taken;
  part = 0;
  assert_int_equal(ww_config_encode(&plain, false, items, 1, 60, &w, &taken, &part), WW_ERR_FULL);
  assert_int_equal(w.len, 0);
}

static void test_empty_message(void **state) {
  (void)state;
  uint8_t buf[ROOM];
  struct ww_arena arena;
  ww_arena_init(&arena, 0);
  struct ww_config_message got = decode(buf, encode(&plain, false, NULL, 0, buf), &arena);
  assert_int_equal(got.item_count, 0);
  struct ww_config_item none = {.kind = WW_CONFIG_SLURM};
  got = decode(buf, encode(&plain, false, &none, 1, buf), &arena);
  assert_int_equal(got.item_count, 0);
  assert_int_equal(got.snapshot_id, 1);
  ww_arena_fini(&arena);
}

#define HEAD "8001000c0000 00007ed9 0115000000000000"
#define GROUP1 "000100028001 0001 800600058001 00007ed9 01"

static void test_refused(void **state) {
  (void)state;
  static const struct {
    const char *what, *body;
    enum ww_err want;
  } cases[] = {
      {"no Profile", "", WW_ERR_UNSUPPORTED},
      {"another enterprise", "8001000c0000 00007ed8 1501000000000000", WW_ERR_UNSUPPORTED},
      {"another encoding", "8001000c0000 00007ed9 0215000000000000", WW_ERR_UNSUPPORTED},
      {"another draft", "8001000c0000 00007ed9 0116000000000000", WW_ERR_UNSUPPORTED},
      {"short Profile", "8001000b0000 00007ed9 01150000000000", WW_ERR_MALFORMED},
      {"scope of a peer without one", HEAD " 800500050000 00007ed9 01", WW_ERR_MALFORMED},
      {"group without sub-type", HEAD " 000100028001 0001", WW_ERR_MALFORMED},
      {"source without status", HEAD "" GROUP1 "8010000a0001 00007ed9 010000000001", WW_ERR_MALFORMED},
      {"group without G-bit", HEAD " 000100020001 0001", WW_ERR_MALFORMED},
      {"member 0", HEAD " 000100028001 0000", WW_ERR_MALFORMED},
      {"member in two groups", HEAD " 000100028001 0001 000100028002 0001", WW_ERR_MALFORMED},
      {"two groups of one index", HEAD " 000100028001 0001 000100028001 0002", WW_ERR_MALFORMED},
      {"two sub-types", HEAD "" GROUP1 "800600058001 00007ed9 02", WW_ERR_MALFORMED},
      {"count cut short", HEAD "" GROUP1 "801200080001 00007ed9 01000000", WW_ERR_MALFORMED},
      {"exception with host bits",
       HEAD " 000100028001 0001 800600058001 00007ed9 03"
            "804300140001 00007ed9 02 02 0001 18 00 00 00 00000000 c0000201",
       WW_ERR_MALFORMED},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct octets body = hex(cases[i].body);
    uint8_t buf[ROOM];
    struct ww_arena arena;
    struct ww_config_message out;
    struct ww_diag diag = {0};
    struct ww_writer w = ww_writer_make(buf, sizeof buf);
    ww_arena_init(&arena, 0);
    ww_writer_u8(&w, 4);
    ww_writer_u32(&w, (uint32_t)(6 + body.len));
    ww_writer_u8(&w, WW_BMP_RPKI_CONFIG);
    ww_writer_bytes(&w, body.data, body.len);
    struct octets exact = octets_of(buf, w.len);
    enum ww_err err = ww_config_decode(exact.data, w.len, WW_PEN_EXAMPLE, &arena, &out, &diag);
    if (err != cases[i].want || !diag.text[0])
      fail_msg("%s: %s (%s)", cases[i].what, ww_err_name(err), diag.text);
    free(exact.data);
    free(body.data);
    ww_arena_fini(&arena);
  }
}

/* Unknown TLVs, groups of an unknown sub-type and octets behind a value are no errors. */
static void test_passed_over(void **state) {
  (void)state;
  struct octets body = hex("04 00000061 fb" HEAD "000100048001 00010002 800600058001 00007ed9 01 000100028002 0003"
                           "800600058002 00007ed9 09 8010000a0001 00007ed9 010000000001 801100070002 00007ed9 01ffff"
                           "83e700040002 00007ed9 000900000000");
  struct ww_arena arena;
  ww_arena_init(&arena, 0);
  body.data[4] = (uint8_t)body.len;
  struct ww_config_message got = decode(body.data, body.len, &arena);
  assert_int_equal(got.item_count, 1);
  assert_int_equal(got.items[0].u.source->status, WW_STATUS_ACTIVE);
  ww_arena_fini(&arena);
  free(body.data);
}

static void test_names(void **state) {
  (void)state;
  assert_string_equal(ww_source_status_name(WW_STATUS_UNREACHABLE), "unreachable");
  assert_string_equal(ww_source_status_name(99), "unknown");
  assert_string_equal(ww_rtr_transport_name(WW_TRANSPORT_TCP_AO), "tcp-ao");
  assert_string_equal(ww_override_kind_name(WW_OVERRIDE_ASPA_FILTER), "aspa-filter");
  assert_string_equal(ww_override_kind_name(200), "unknown");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_worked_octets), cmocka_unit_test(test_round_trip), cmocka_unit_test(test_splitting),
      cmocka_unit_test(test_empty_message), cmocka_unit_test(test_refused),    cmocka_unit_test(test_passed_over),
      cmocka_unit_test(test_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
