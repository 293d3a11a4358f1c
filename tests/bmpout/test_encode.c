/* SPDX-License-Identifier: BSD-2-Clause */
/* bmpout/encode.c and decode.c: what is built is read back; what breaks the format or an invariant is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bmpout/decode.h"
#include "bmpout/encode.h"
#include "bmpout/view.h"
#include "wire/bmp_tlv.h"

enum { PEN = WW_PEN_EXAMPLE };

static uint8_t attrs[] = {0x40, 1, 1, 0, 0x40, 2, 10, 2, 2, 0, 0, 0xfb, 0xf5, 0, 0, 0xfb, 0xfe};
static const uint8_t next_hop[] = {192, 0, 2, 1};

static struct ww_encode_message base_message(void) {
  struct ww_encode_message m = {
      .version = 4, .tlv_draft = 21, .pen = PEN, .snapshot_id = 1, .peer = {.asn = 64501, .bgp_id = 0xc0000201}};
  memcpy(m.peer.address + 12, next_hop, 4);
  m.peer.sec = 0x6955b900;
  return m;
}

static struct ww_prefix prefix_of(const char *text) {
  struct ww_prefix p;
  assert_int_equal(ww_prefix_parse(text, &p), WW_OK);
  return p;
}

static struct ww_vrp_hit hit_of(const char *prefix, uint8_t max_len, uint32_t asn, enum ww_match match) {
  return (struct ww_vrp_hit){
      .vrp = {.prefix = prefix_of(prefix), .max_len = max_len, .asn = asn, .expires = 0x69570a80},
      .source = 7,
      .match = (uint8_t)match};
}

/* The example of docs/formats/bmp-rpki.md: three NLRIs, the first and third Invalid by one VRP, the second Valid. */
struct example {
  struct ww_vrp_hit invalid, valid;
  struct ww_bgp_nlri_item nlri[3];
  struct ww_encode_verdict verdicts[3];
  struct ww_encode_routes routes;
};

static void example_fill(struct example *x) {
  memset(x, 0, sizeof *x);
  x->invalid = hit_of("198.51.100.0/22", 24, 64499, WW_MATCH_AS);
  x->valid = hit_of("203.0.113.0/24", 24, 64510, WW_MATCH_VALID);
  x->nlri[0].prefix = prefix_of("198.51.100.0/24");
  x->nlri[1].prefix = prefix_of("203.0.113.0/24");
  x->nlri[2].prefix = prefix_of("198.51.101.0/24");
  for (unsigned i = 0; i < 3; i++) {
    bool valid = i == 1;
    x->verdicts[i] = (struct ww_encode_verdict){.state = valid ? WW_STATE_VALID : WW_STATE_INVALID,
                                                .reason = valid ? WW_REASON_NONE : WW_REASON_ORIGIN_AS,
                                                .trigger = 1,
                                                .epoch = 42,
                                                .hits = valid ? &x->valid : &x->invalid,
                                                .hit_count = 1};
  }
  x->routes = (struct ww_encode_routes){.afi = WW_AFI_IPV4,
                                        .attrs = attrs,
                                        .attrs_len = sizeof attrs,
                                        .next_hop = next_hop,
                                        .next_hop_len = 4,
                                        .nlri = x->nlri,
                                        .verdicts = x->verdicts,
                                        .count = 3};
}

/* The third example: one NLRI, its origin not found; the path 64501 64510 Invalid, for AS 64510 does not name AS 64501.
 */
struct path_example {
  struct ww_bgp_nlri_item nlri;
  struct ww_encode_verdict verdict;
  uint32_t providers[2];
  struct ww_aspa_hop hop;
  struct ww_aspa_hit hit;
  struct ww_aspa_result aspa;
  struct ww_encode_routes routes;
};

static void path_example_fill(struct path_example *x) {
  memset(x, 0, sizeof *x);
  x->nlri.prefix = prefix_of("198.51.100.0/24");
  x->verdict = (struct ww_encode_verdict){.state = WW_STATE_UNKNOWN, .trigger = WW_TRIGGER_DATASET, .epoch = 42};
  x->providers[0] = 64496;
  x->providers[1] = 64511;
  x->hop = (struct ww_aspa_hop){
      .customer = 64510, .provider = 64501, .state = WW_HOP_NOT_PROVIDER, .up = true, .failing = true};
  x->hit = (struct ww_aspa_hit){
      .aspa = {.customer = 64510, .provider_count = 2, .providers = x->providers, .expires = 0x69570a80},
      .source = 7,
      .match = WW_HOP_NOT_PROVIDER};
  x->aspa = (struct ww_aspa_result){.state = WW_STATE_INVALID,
                                    .reason = WW_REASON_ASPA_NOT_PROVIDER,
                                    .procedure = WW_ASPA_UPSTREAM,
                                    .role = WW_ROLE_PROVIDER,
                                    .path_len = 2,
                                    .max_up = 1,
                                    .min_up = 1,
                                    .hops = &x->hop,
                                    .hop_count = 1,
                                    .hits = &x->hit,
                                    .hit_count = 1};
  x->routes = (struct ww_encode_routes){.afi = WW_AFI_IPV4,
                                        .attrs = attrs,
                                        .attrs_len = sizeof attrs,
                                        .next_hop = next_hop,
                                        .next_hop_len = 4,
                                        .nlri = &x->nlri,
                                        .verdicts = &x->verdict,
                                        .aspa = &x->aspa,
                                        .count = 1};
}

static size_t encode(const struct ww_encode_message *m, const struct ww_encode_routes *r, uint8_t *buf, size_t max) {
  struct ww_encoder *e = ww_encoder_new();
  struct ww_writer w = ww_writer_make(buf, max);
  size_t taken;
  assert_int_equal(ww_encode_routes(e, m, r, max, &w, &taken), WW_OK);
  assert_int_equal(taken, r->count);
  ww_encoder_free(e);
  return w.len;
}

static size_t from_hex(const char *hex, uint8_t *out) {
  size_t n = 0;
  unsigned v;
  for (; sscanf(hex + 2 * n, "%2x", &v) == 1; n++)
    out[n] = (uint8_t)v;
  return n;
}

static void check_example(const uint8_t *data, size_t len) {
  struct ww_arena arena;
  struct ww_validation_msg m;
  struct ww_diag diag = {0};
  ww_arena_init(&arena, 0);
  assert_int_equal(ww_validation_decode(data, len, PEN, &arena, &m, &diag), WW_OK);
  assert_int_equal(m.version, 4);
  assert_int_equal(m.tlv_draft, 21);
  assert_int_equal(m.snapshot_id, 1);
  assert_int_equal(m.peer.asn, 64501);
  assert_int_equal(m.item_count, 3);
  for (unsigned i = 0; i < 3; i++) {
    assert_int_equal(m.items[i].state, i == 1 ? WW_STATE_VALID : WW_STATE_INVALID);
    assert_int_equal(m.items[i].epoch, 42);
    assert_int_equal(m.items[i].rule_count, 1);
    assert_int_equal(m.items[i].rules[0].source, 7);
    assert_int_equal(m.items[i].rules[0].expires, 0x69570a80);
    assert_int_equal(m.items[i].rules[0].vrp.asn, i == 1 ? 64510 : 64499);
    assert_true(m.items[i].result[WW_KIND_ORIGIN].present);
  }
  ww_arena_fini(&arena);
}

/* Octets made by hand for this format before there was an encoder. Their rule flags are not checked by anybody. */
static void test_decodes_the_first_sample(void **state) {
  (void)state;
  static const char sample[] =
      "0400000121fc00000000000000000000000000000000000000000000c00002010000fbf5c00002016955b900000000008001000c00000000"
      "7ed901150000000000010001000480010001000300030006000041040000fbf50004003b0000ffffffffffffffffffffffffffffffff003b"
      "02000000184001010040020a02020000fbf50000fbfe400304c000020118c6336418cb007118c633658080000a800100007ed90201000000"
      "2a80810008800100007ed90102000180820020800100007ed901020001000000070000000069570a80000116180000fbf3c6336400808000"
      "0a000200007ed900010000002a80810008000200007ed90100000080820020000200007ed901000007000000070000000069570a80000118"
      "180000fbfecb007100";
  uint8_t data[400];
  size_t len = from_hex(sample, data);
  assert_int_equal(len, 289);
  check_example(data, len);
}

/* The published registry shows what we send: every hex block of it that begins with a BMP header is compared. */
static void test_document_shows_what_is_sent(void **state) {
  (void)state;
  FILE *f = fopen("docs/formats/bmp-rpki.md", "r");
  if (!f)
    skip(); /* not run from the project's folder */
  struct example x;
  example_fill(&x);
  struct ww_encode_message m = base_message();
  m.has_sequence = true;
  m.sequence = 2;
  m.export_sec = 0x6955b901;
  m.export_usec = 250000;
  struct ww_encode_source source = {.id = 7, .type = WW_RULE_SOURCE_RTR, .name = "main"};
  m.sources = &source;
  m.source_count = 1;
  uint8_t want[3][1024];
  size_t want_len[3], found = 0;
  want_len[0] = encode(&m, &x.routes, want[0], sizeof want[0]);
  check_example(want[0], want_len[0]);
  m = base_message();
  m.flags = WW_PROFILE_SNAPSHOT_END;
  struct ww_writer w = ww_writer_make(want[1], sizeof want[1]);
  ww_encode_eor(&m, WW_AFI_IPV4, &w);
  want_len[1] = w.len;
  struct path_example y;
  path_example_fill(&y);
  m = base_message();
  m.snapshot_id = 0;
  want_len[2] = encode(&m, &y.routes, want[2], sizeof want[2]);
  char line[4096];
  uint8_t got[2048];
  size_t got_len = 0;
  bool in_hex = false;
  while (fgets(line, sizeof line, f)) {
    if (strncmp(line, "```", 3) == 0) {
      if (in_hex) {
        assert_true(found < 3);
        assert_int_equal(got_len, want_len[found]);
        assert_memory_equal(got, want[found], got_len);
        found++;
      }
      in_hex = !in_hex && strncmp(line, "```hex", 6) == 0;
      got_len = 0;
    } else if (in_hex) {
      for (char *p = line; *p;) { /* "04 00 ...   what it is": hex digits up to three spaces */
        unsigned v;
        if (strncmp(p, "   ", 3) == 0 || sscanf(p, "%2x", &v) != 1 || got_len == sizeof got)
          break;
        got[got_len++] = (uint8_t)v;
        p += 2;
        if (*p == ' ' && p[1] != ' ')
          p++;
      }
    }
  }
  fclose(f);
  if (found != 3) {
    for (unsigned k = 0; k < 3; k++) {
      for (size_t i = 0; i < want_len[k]; i++)
        fprintf(stderr, "%02x", want[k][i]);
      fprintf(stderr, "\n");
    }
  }
  assert_int_equal(found, 3);
}

static void test_shares_what_is_shared(void **state) {
  (void)state;
  struct example x;
  example_fill(&x);
  struct ww_encode_message m = base_message();
  uint8_t buf[4096];
  size_t len = encode(&m, &x.routes, buf, sizeof buf), groups = 0, states = 0, rules = 0;
  struct ww_reader r = ww_reader_make(buf + 48, len - 48);
  for (struct ww_tlv t; ww_tlv_next(&r, true, &t);) {
    groups += !t.enterprise && t.type == WW_RM_TLV21_GROUP;
    states += t.enterprise && t.type == WW_RPKI_TLV_OVERALL_STATE;
    rules += t.enterprise && t.type == WW_RPKI_TLV_RULE;
  }
  assert_int_equal(groups, 1); /* NLRIs 1 and 3 share state and rule: one group serves both */
  assert_int_equal(states, 2);
  assert_int_equal(rules, 2);
  x.verdicts[1] = x.verdicts[0]; /* all alike now: index 0 and no group */
  x.nlri[1].prefix = prefix_of("198.51.102.0/24");
  len = encode(&m, &x.routes, buf, sizeof buf);
  r = ww_reader_make(buf + 48, len - 48);
  for (struct ww_tlv t; ww_tlv_next(&r, true, &t);)
    assert_int_equal(t.index, 0);
}

/* One VRP, and two NLRIs of which it allows the length of one: not the same rule. */
static void test_flags_are_of_the_nlri(void **state) {
  (void)state;
  struct example x;
  example_fill(&x);
  x.nlri[1].prefix = prefix_of("198.51.102.0/25");
  x.verdicts[1] = x.verdicts[0];
  struct ww_encode_message m = base_message();
  uint8_t buf[4096];
  size_t len = encode(&m, &x.routes, buf, sizeof buf);
  struct ww_arena arena;
  struct ww_validation_msg out;
  ww_arena_init(&arena, 0);
  assert_int_equal(ww_validation_decode(buf, len, PEN, &arena, &out, NULL), WW_OK);
  for (unsigned i = 0; i < 3; i++) {
    assert_int_equal(out.items[i].rule_count, 1);
    assert_int_equal(out.items[i].rules[0].flags, i == 1 ? 0 : WW_RULE_LENGTH_OK);
  }
  ww_arena_fini(&arena);
}

static void test_withdrawals_say_nothing_else(void **state) {
  (void)state;
  struct example x;
  example_fill(&x);
  struct ww_encode_message m = base_message();
  uint8_t buf[4096];
  x.routes.attrs = NULL;
  size_t len = encode(&m, &x.routes, buf, sizeof buf);
  struct ww_arena arena;
  struct ww_validation_msg out;
  ww_arena_init(&arena, 0);
  assert_int_equal(ww_validation_decode(buf, len, PEN, &arena, &out, NULL), WW_OK);
  assert_int_equal(out.item_count, 3);
  for (unsigned i = 0; i < 3; i++)
    assert_true(out.items[i].withdrawn && !out.items[i].has_state && !out.items[i].rule_count);
  struct ww_writer w = ww_writer_make(buf, sizeof buf);
  m.flags = WW_PROFILE_SNAPSHOT_START;
  ww_encode_bare(&m, &w);
  assert_int_equal(ww_validation_decode(buf, w.len, PEN, &arena, &out, NULL), WW_OK);
  assert_false(out.has_pdu);
  assert_int_equal(out.profile_flags, WW_PROFILE_SNAPSHOT_START);
  ww_arena_fini(&arena);
}

static void test_path_is_said_once(void **state) {
  (void)state;
  struct path_example x;
  struct example many;
  path_example_fill(&x);
  example_fill(&many);
  many.routes.aspa = &x.aspa;
  struct ww_encode_message m = base_message();
  uint8_t buf[4096];
  size_t len = encode(&m, &many.routes, buf, sizeof buf), results = 0, paths = 0;
  struct ww_reader r = ww_reader_make(buf + 48, len - 48);
  for (struct ww_tlv t; ww_tlv_next(&r, true, &t);) {
    if (t.enterprise && t.type == WW_RPKI_TLV_PATH_RESULT)
      paths++;
    if (t.enterprise && t.type == WW_RPKI_TLV_RESULT && t.value[0] == WW_KIND_ASPA) {
      results++;
      assert_int_equal(t.index, 0);
    }
  }
  assert_int_equal(results, 1);
  assert_int_equal(paths, 1);
  struct ww_arena arena;
  struct ww_validation_msg out;
  ww_arena_init(&arena, 0);
  assert_int_equal(ww_validation_decode(buf, len, PEN, &arena, &out, NULL), WW_OK);
  assert_int_equal(out.item_count, 3);
  for (unsigned i = 0; i < 3; i++) {
    const struct ww_validation_item *item = &out.items[i];
    assert_int_equal(item->state, WW_STATE_INVALID); /* of the second one the origin is Valid */
    assert_int_equal(item->rule_count, 2);
    assert_int_equal(item->rules[1].kind, WW_RULE_ASPA);
    assert_int_equal(item->rules[1].state, WW_STATE_INVALID);
    assert_int_equal(item->rules[1].aspa.customer, 64510);
    assert_int_equal(item->rules[1].aspa.provider_count, 2);
    assert_int_equal(item->rules[1].aspa.providers[1], 64511);
    assert_int_equal(item->result[WW_KIND_ASPA].reason, WW_REASON_ASPA_NOT_PROVIDER);
    assert_int_equal(item->path->role, WW_ROLE_PROVIDER);
    assert_int_equal(item->path->max_up, 1);
    assert_int_equal(item->path->hop_count, 1);
    assert_true(item->path->hops[0].up && item->path->hops[0].failing);
  }
  ww_arena_fini(&arena);
}

/* Invalid for the path's own sake needs no rule, but not for any other reason. */
static void test_path_alone_may_be_invalid(void **state) {
  (void)state;
  static const struct {
    enum ww_reason reason;
    bool sound;
  } cases[] = {{WW_REASON_ASPA_FIRST_AS, true}, {WW_REASON_ASPA_AS_SET, true},        {WW_REASON_ASPA_CONFED, true},
               {WW_REASON_ASPA_EMPTY, true},    {WW_REASON_ASPA_NOT_PROVIDER, false}, {WW_REASON_ASPA_VALLEY, false}};
  struct ww_encoder *e = ww_encoder_new();
  struct ww_encode_message m = base_message();
  uint8_t buf[4096];
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct path_example x;
    path_example_fill(&x);
    x.aspa.reason = (uint8_t)cases[i].reason;
    x.aspa.hit_count = x.aspa.hop_count = x.aspa.path_len = 0;
    struct ww_writer w = ww_writer_make(buf, sizeof buf);
    size_t taken;
    assert_int_equal(ww_encode_routes(e, &m, &x.routes, sizeof buf, &w, &taken), cases[i].sound ? WW_OK : WW_ERR_INVAL);
    if (!cases[i].sound)
      continue;
    struct ww_arena arena;
    struct ww_validation_msg out;
    ww_arena_init(&arena, 0);
    assert_int_equal(ww_validation_decode(buf, w.len, PEN, &arena, &out, NULL), WW_OK);
    assert_int_equal(out.items[0].state, WW_STATE_INVALID);
    assert_int_equal(out.items[0].rule_count, 0);
    ww_arena_fini(&arena);
  }
  ww_encoder_free(e);
}

/* A signed route is alone in its message; what was found of its signatures is read back. */
static void test_signatures(void **state) {
  (void)state;
  enum { SEGMENTS = 300, KEYS = 100 };
  static struct ww_bgpsec_segment_result segments[SEGMENTS];
  static struct ww_key_hit keys[KEYS];
  for (unsigned i = 0; i < SEGMENTS; i++)
    segments[i] = (struct ww_bgpsec_segment_result){
        .asn = i, .suite = 1, .state = i == SEGMENTS - 1 ? WW_BGPSEC_SEGMENT_BAD : WW_BGPSEC_SEGMENT_VALID};
  for (unsigned i = 0; i < KEYS; i++)
    keys[i] = (struct ww_key_hit){.asn = SEGMENTS - 1 - i,
                                  .ski = {9, (uint8_t)i},
                                  .source = 7,
                                  .expires = 5,
                                  .match = i ? WW_BGPSEC_SEGMENT_VALID : WW_BGPSEC_SEGMENT_BAD};
  static const struct {
    size_t segments, keys, max, want_segments, want_keys;
  } cases[] = {{3, 2, 4096, 0, 0},
               {SEGMENTS, KEYS, 65535, 255, 64},
               {SEGMENTS, KEYS, 8192, 32, 16},
               {SEGMENTS, KEYS, 400, 1, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct example x;
    example_fill(&x);
    struct ww_bgpsec_report report = {.state = WW_STATE_INVALID,
                                      .reason = WW_REASON_BGPSEC_SIGNATURE,
                                      .segments = segments + SEGMENTS - cases[i].segments,
                                      .segment_count = cases[i].segments,
                                      .hits = keys,
                                      .hit_count = cases[i].keys};
    x.routes.bgpsec = &report;
    x.verdicts[0].state = WW_STATE_NOT_EVALUATED;
    x.verdicts[0].reason = WW_REASON_NONE;
    x.verdicts[0].hit_count = 0;
    struct ww_encode_message m = base_message();
    struct ww_encoder *e = ww_encoder_new();
    static uint8_t buf[65535];
    struct ww_writer w = ww_writer_make(buf, cases[i].max);
    size_t taken;
    assert_int_equal(ww_encode_routes(e, &m, &x.routes, cases[i].max, &w, &taken), WW_OK);
    assert_int_equal(taken, 1);
    struct ww_arena arena;
    struct ww_validation_msg out;
    struct ww_diag diag = {0};
    ww_arena_init(&arena, 0);
    if (ww_validation_decode(buf, w.len, PEN, &arena, &out, &diag) != WW_OK)
      fail_msg("%s", diag.text);
    const struct ww_validation_item *item = &out.items[0];
    bool cut = cases[i].want_keys != 0;
    assert_int_equal(item->state, WW_STATE_INVALID);
    assert_int_equal(item->result[WW_KIND_BGPSEC].reason, WW_REASON_BGPSEC_SIGNATURE);
    assert_int_equal(item->segment_count, cut ? cases[i].want_segments : cases[i].segments);
    assert_int_equal(item->rule_count, cut ? cases[i].want_keys : cases[i].keys);
    assert_int_equal((out.profile_flags & WW_PROFILE_TRUNCATED) != 0, cut);
    assert_int_equal(item->segments[item->segment_count - 1].state, WW_BGPSEC_SEGMENT_BAD); /* is kept */
    assert_int_equal(item->segments[item->segment_count - 1].asn, SEGMENTS - 1);
    assert_int_equal(item->rules[0].kind, WW_RULE_ROUTER_KEY);
    assert_int_equal(item->rules[0].state, WW_STATE_INVALID);
    assert_int_equal(item->rules[0].asn, SEGMENTS - 1);
    assert_int_equal(item->rules[0].expires, 5);
    assert_memory_equal(item->rules[0].ski, keys[0].ski, WW_SKI_LEN);
    ww_arena_fini(&arena);
    /* Without a key to blame it is not sent. */
    report.hit_count = 0;
    assert_int_equal(ww_encode_routes(e, &m, &x.routes, cases[i].max, &w, &taken), WW_ERR_INVAL);
    ww_encoder_free(e);
  }
}

/* ASPAs of ten thousand providers, and a path of a thousand hops: every message fits, says that it is cut, and keeps
 * what decided. */
static void test_cuts_long_evidence(void **state) {
  (void)state;
  enum { HOPS = 1000, PROVIDERS = WW_ASPA_PROVIDERS_MAX, ASPAS = 60 };
  struct path_example x;
  path_example_fill(&x);
  uint32_t *providers = calloc(PROVIDERS, sizeof *providers);
  struct ww_aspa_hop *hops = calloc(HOPS, sizeof *hops);
  struct ww_aspa_hit *hits = calloc(ASPAS, sizeof *hits);
  uint8_t *buf = malloc(65535);
  for (uint32_t i = 0; i < PROVIDERS; i++)
    providers[i] = 100 + i;
  for (uint32_t i = 0; i < HOPS; i++) { /* the last but one failed; the one after it found a high provider */
    hops[i] = (struct ww_aspa_hop){.customer = 70000 + i, .provider = 70001 + i, .up = true, .state = WW_HOP_PROVIDER};
    hops[i].failing = i == HOPS - 2;
    hops[i].state = i == HOPS - 2 ? WW_HOP_NOT_PROVIDER : WW_HOP_PROVIDER;
  }
  hops[HOPS - 1].provider = 9999;
  for (unsigned i = 0; i < ASPAS; i++)
    hits[i] = (struct ww_aspa_hit){
        .aspa = {.customer = 70000 + HOPS - 2 + i, .provider_count = PROVIDERS, .providers = providers},
        .match = i ? WW_HOP_PROVIDER : WW_HOP_NOT_PROVIDER};
  x.aspa.hops = hops;
  x.aspa.hop_count = HOPS;
  x.aspa.hits = hits;
  x.aspa.hit_count = ASPAS;
  x.aspa.path_len = HOPS + 1;
  struct ww_encoder *e = ww_encoder_new();
  struct ww_encode_message m = base_message();
  for (size_t max = 400; max <= 65535; max += max / 4) {
    struct ww_writer w = ww_writer_make(buf, max);
    struct ww_arena arena;
    struct ww_validation_msg out;
    size_t taken;
    ww_arena_init(&arena, 0);
    assert_int_equal(ww_encode_routes(e, &m, &x.routes, max, &w, &taken), WW_OK);
    assert_true(w.len <= max);
    assert_int_equal(ww_validation_decode(buf, w.len, PEN, &arena, &out, NULL), WW_OK);
    assert_int_equal(out.profile_flags, WW_PROFILE_TRUNCATED);
    const struct ww_validation_item *item = &out.items[0];
    assert_true(item->rule_count >= 1);
    assert_int_equal(item->rules[0].state, WW_STATE_INVALID);
    assert_int_equal(item->rules[0].flags & WW_RULE_CUT, WW_RULE_CUT);
    if (item->rule_count > 1) {
      const struct ww_aspa *aspa = &item->rules[1].aspa;
      assert_int_equal(aspa->customer, 70000 + HOPS - 1);
      assert_int_equal(aspa->providers[0], 100);
      assert_int_equal(aspa->providers[aspa->provider_count - 1], 9999);
    }
    bool failing = false;
    for (size_t i = 0; i < item->path->hop_count; i++)
      failing = failing || (item->path->hops[i].failing && item->path->hops[i].customer == 70000 + HOPS - 2);
    assert_int_equal(failing, item->path->hop_count != 0);
    ww_arena_fini(&arena);
  }
  ww_encoder_free(e);
  free(providers);
  free(hops);
  free(hits);
  free(buf);
}

static void test_refuses_unsound_verdicts(void **state) {
  (void)state;
  struct ww_encoder *e = ww_encoder_new();
  uint8_t buf[4096];
  size_t taken;
  for (unsigned k = 0; k < 4; k++) {
    struct example x;
    example_fill(&x);
    struct ww_encode_message m = base_message();
    struct ww_writer w = ww_writer_make(buf, sizeof buf);
    if (k == 0)
      x.verdicts[2].hit_count = 0; /* Invalid without evidence */
    else if (k == 1)
      x.verdicts[1].hit_count = 0;
    else if (k == 2)
      x.verdicts[2].state = WW_STATE_NOT_READY;
    else
      x.invalid.match = WW_MATCH_VALID; /* Invalid, but a VRP matches */
    assert_int_equal(ww_encode_routes(e, &m, &x.routes, sizeof buf, &w, &taken), WW_ERR_INVAL);
    assert_int_equal(w.len, 0);
  }
  ww_encoder_free(e);
}

/* --- limits
 * ---------------------------------------------------------------------------------------------------------------- */

static void test_splits_at_every_limit(void **state) {
  (void)state;
  enum { N = 5000 };
  struct ww_encoder *e = ww_encoder_new();
  struct ww_bgp_nlri_item *nlri = calloc(N, sizeof *nlri);
  struct ww_encode_verdict *verdicts = calloc(N, sizeof *verdicts);
  struct ww_vrp_hit *hits = calloc(N, sizeof *hits);
  uint8_t *buf = malloc(65535);
  for (unsigned i = 0; i < N; i++) {
    nlri[i].prefix = (struct ww_prefix){.afi = WW_AFI_IPV4, .len = 24, .addr = {10, (uint8_t)(i >> 8), (uint8_t)i}};
    hits[i] = (struct ww_vrp_hit){.vrp = {.prefix = nlri[i].prefix, .max_len = 24, .asn = 64510}};
    verdicts[i] =
        (struct ww_encode_verdict){.state = i % 3 == 1 ? WW_STATE_UNKNOWN : WW_STATE_VALID, .trigger = 1, .epoch = 1};
    verdicts[i].hits = &hits[i];
    verdicts[i].hit_count = i % 3 == 1 ? 0 : 1;
  }
  for (size_t max = 400; max <= 65535; max += max / 3) {
    struct ww_encode_message m = base_message();
    struct ww_encode_routes r = {.afi = WW_AFI_IPV4,
                                 .attrs = attrs,
                                 .attrs_len = sizeof attrs,
                                 .next_hop = next_hop,
                                 .next_hop_len = 4,
                                 .nlri = nlri,
                                 .verdicts = verdicts,
                                 .count = N};
    struct ww_arena arena;
    ww_arena_init(&arena, 0);
    while (r.count) {
      struct ww_writer w = ww_writer_make(buf, max);
      size_t taken;
      struct ww_validation_msg out;
      assert_int_equal(ww_encode_routes(e, &m, &r, max, &w, &taken), WW_OK);
      assert_true(taken > 0 && w.len <= max);
      assert_int_equal(ww_validation_decode(buf, w.len, PEN, &arena, &out, NULL), WW_OK);
      assert_int_equal(out.item_count, taken);
      for (size_t i = 0; i < taken; i++) {
        assert_int_equal(out.items[i].state, r.verdicts[i].state);
        assert_int_equal(out.items[i].rule_count, r.verdicts[i].hit_count);
        if (out.items[i].rule_count)
          assert_int_equal(ww_prefix_compare(&out.items[i].rules[0].vrp.prefix, &r.nlri[i].prefix), 0);
      }
      r.nlri += taken;
      r.verdicts += taken;
      r.count -= taken;
      ww_arena_reset(&arena);
    }
    ww_arena_fini(&arena);
  }
  free(buf);
  free(hits);
  free(verdicts);
  free(nlri);
  ww_encoder_free(e);
}

static void test_cuts_rules_and_says_so(void **state) {
  (void)state;
  enum { N = WW_VALIDATION_RULES_MAX + 1 };
  struct ww_vrp_hit hits[N];
  struct example x;
  example_fill(&x);
  for (unsigned i = 0; i < N; i++) {
    hits[i] = x.invalid;
    hits[i].vrp.asn = i;
  }
  for (unsigned n = N - 1; n <= N; n++) {
    x.verdicts[0].hits = hits;
    x.verdicts[0].hit_count = n;
    x.routes.count = 1;
    uint8_t buf[8192];
    struct ww_encode_message m = base_message();
    size_t len = encode(&m, &x.routes, buf, sizeof buf);
    struct ww_arena arena;
    struct ww_validation_msg out;
    ww_arena_init(&arena, 0);
    assert_int_equal(ww_validation_decode(buf, len, PEN, &arena, &out, NULL), WW_OK);
    assert_int_equal(out.items[0].rule_count, WW_VALIDATION_RULES_MAX);
    assert_int_equal(out.profile_flags & WW_PROFILE_TRUNCATED, n == N ? WW_PROFILE_TRUNCATED : 0);
    ww_arena_fini(&arena);
  }
}

static void test_long_attributes(void **state) {
  (void)state;
  struct example x;
  example_fill(&x);
  uint8_t *big = calloc(1, 70000), *buf = malloc(65535);
  struct ww_encoder *e = ww_encoder_new();
  struct ww_encode_message m = base_message();
  for (size_t value = 3000; value <= 66000; value += 21000) {
    struct ww_writer a = ww_writer_make(big, 70000);
    ww_writer_bytes(&a, attrs, sizeof attrs);
    ww_writer_bytes(&a, (uint8_t[]){0xd0, 99}, 2); /* an unknown one, extended length */
    ww_writer_u16(&a, (uint16_t)value);
    ww_writer_zero(&a, (uint16_t)value);
    x.routes.attrs = big;
    x.routes.attrs_len = value > UINT16_MAX ? value : a.len;
    struct ww_writer w = ww_writer_make(buf, 65535);
    size_t taken;
    enum ww_err err = ww_encode_routes(e, &m, &x.routes, 65535, &w, &taken);
    assert_int_equal(err, value > UINT16_MAX ? WW_ERR_FULL : WW_OK);
    if (err != WW_OK)
      continue;
    assert_int_equal(taken, value > 4096 ? 1 : 3); /* RFC 8654: alone in its message */
    struct ww_arena arena;
    struct ww_validation_msg out;
    ww_arena_init(&arena, 0);
    assert_int_equal(ww_validation_decode(buf, w.len, PEN, &arena, &out, NULL), WW_OK);
    ww_arena_fini(&arena);
  }
  ww_encoder_free(e);
  free(buf);
  free(big);
}

/* --- bad input
 * ---------------------------------------------------------------------------------------------------------------- */

static void test_every_truncation_is_an_error(void **state) {
  (void)state;
  struct example x;
  example_fill(&x);
  struct ww_encode_message m = base_message();
  m.has_sequence = true;
  uint8_t buf[4096];
  size_t len = encode(&m, &x.routes, buf, sizeof buf);
  struct ww_arena arena;
  struct ww_validation_msg out;
  ww_arena_init(&arena, 0);
  for (size_t cut = 0; cut < len; cut++) {
    uint8_t *exact = malloc(cut ? cut : 1);
    memcpy(exact, buf, cut);
    struct ww_diag diag = {0};
    assert_int_equal(ww_validation_decode(exact, cut, PEN, &arena, &out, &diag), WW_ERR_SHORT);
    assert_true(diag.text[0]);
    if (cut >= WW_BMP_HEADER_LEN) { /* the same with a length that claims to be right */
      struct ww_writer w = ww_writer_make(exact, cut);
      ww_writer_u8(&w, 4);
      ww_writer_u32(&w, (uint32_t)cut);
      enum ww_err err = ww_validation_decode(exact, cut, PEN, &arena, &out, NULL);
      /* What is left may be a message of its own: Profile alone; without Timestamp, Sequence, the Valid one's rule. */
      bool whole = cut == 48 + 18 || cut == len - 15 || cut == len - 29 || cut == len - 29 - 38;
      assert_int_equal(err == WW_OK, whole);
    }
    free(exact);
    ww_arena_reset(&arena);
  }
  ww_arena_fini(&arena);
}

/* A message with the example's UPDATE and TLVs of the test's own. */
struct forge {
  uint8_t buf[4096];
  struct ww_writer w;
  size_t start;
};

static void forge_begin(struct forge *f) {
  struct ww_encode_message m = base_message();
  f->w = ww_writer_make(f->buf, sizeof f->buf);
  f->start = ww_bmp_begin(&f->w, 4, WW_BMP_RPKI_VALIDATION);
  ww_bmp_peer_write(&f->w, &m.peer);
}

static void forge_tlv(struct forge *f, bool ours, uint16_t type, uint16_t index, const char *hex) {
  size_t at = ww_tlv_begin(&f->w, type, ours, PEN, true, index & 0x8000, index & 0x7fff);
  uint8_t value[512];
  ww_writer_bytes(&f->w, value, from_hex(hex, value));
  ww_tlv_end(&f->w, at);
}

static void forge_head(struct forge *f) {
  forge_begin(f);
  forge_tlv(f, true, WW_RPKI_TLV_PROFILE, 0, "0115000000000000");
  forge_tlv(f, false, WW_RM_TLV21_STATELESS_PARSING, 0, "41040000fbf5");
  struct example x;
  example_fill(&x);
  size_t at = ww_tlv_begin(&f->w, WW_RM_TLV21_BGP_MESSAGE, false, 0, true, false, 0);
  ww_bgp_update_write(&f->w, WW_AFI_IPV4, attrs, sizeof attrs, next_hop, 4, false, x.nlri, 3);
  ww_tlv_end(&f->w, at);
}

static enum ww_err forge_decode(struct forge *f, struct ww_validation_msg *out) {
  static struct ww_arena arena;
  struct ww_diag diag = {0};
  ww_arena_init(&arena, 0);
  ww_bmp_end(&f->w, f->start);
  enum ww_err err = ww_validation_decode(f->buf, f->w.len, PEN, &arena, out, &diag);
  assert_true(err == WW_OK || (diag.text[0] && diag.offset <= f->w.len));
  ww_arena_fini(&arena);
  return err;
}

#define RULE_INVALID "010200020000000700000000000000000001161800000001c6336400"
#define RULE_OTHER "010000030000000700000000000000000001181800000001cb007100"

#define ASPA_HEAD "02020000000000070000000000000000"
#define PATH_EMPTY                                                                                                     \
  "0100000000000000"                                                                                                   \
  "0000000000000000"                                                                                                   \
  "0000000000000000"
#define PATH_ONE                                                                                                       \
  "0100000100000002"                                                                                                   \
  "0000000200000001"                                                                                                   \
  "0000000000000000"

#define SKI_TEXT "00112233445566778899aabbccddeeff00112233"
#define KEY_INVALID                                                                                                    \
  "03020000"                                                                                                           \
  "00000007"                                                                                                           \
  "0000000000000000"                                                                                                   \
  "0000fbf5" SKI_TEXT
#define SEGMENT_BAD                                                                                                    \
  "0000fbf5"                                                                                                           \
  "01"                                                                                                                 \
  "01" SKI_TEXT
#define SEGMENT_GOOD                                                                                                   \
  "0000fbf5"                                                                                                           \
  "01"                                                                                                                 \
  "00" SKI_TEXT

static void test_refuses_what_breaks_an_invariant(void **state) {
  (void)state;
  static const struct {
    const char *what;
    enum ww_err want;
    struct {
      bool ours;
      uint16_t type, index;
      const char *value;
    } tlvs[6];
  } cases[] = {
      {"all Unknown", WW_OK, {{true, 128, 0, "01010000002a"}, {true, 129, 0, "01010000"}}},
      {"octets after a value are ignored", WW_OK, {{true, 128, 0, "01010000002affff"}}},
      {"unknown types are ignored", WW_OK, {{true, 128, 0, "01010000002a"}, {true, 999, 9, "00"}, {false, 77, 3, ""}}},
      {"an index beyond the NLRIs is ignored", WW_OK, {{true, 128, 0, "01010000002a"}, {true, 128, 4, "02010000002a"}}},
      {"an index of no group is ignored", WW_OK, {{true, 128, 0, "01010000002a"}, {true, 129, 0x8005, "01020000"}}},
      {"an unknown kind of validation is ignored", WW_OK, {{true, 128, 0, "01010000002a"}, {true, 129, 0, "09020000"}}},
      {"no state at all", WW_ERR_MALFORMED, {{true, 129, 0, "01010000"}}},
      {"no state for one NLRI", WW_ERR_MALFORMED, {{true, 128, 1, "01010000002a"}, {true, 128, 2, "01010000002a"}}},
      {"two states", WW_ERR_MALFORMED, {{true, 128, 0, "01010000002a"}, {true, 128, 2, "01010000002a"}}},
      {"two results of a kind",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "01010000002a"}, {true, 129, 0, "01010000"}, {true, 129, 3, "01010000"}}},
      {"a state that does not exist", WW_ERR_MALFORMED, {{true, 128, 0, "04010000002a"}}},
      {"a state cut off", WW_ERR_MALFORMED, {{true, 128, 0, "0101000000"}}},
      {"Unknown with a rule", WW_ERR_MALFORMED, {{true, 128, 0, "01010000002a"}, {true, 130, 1, RULE_INVALID}}},
      {"Invalid without a rule", WW_ERR_MALFORMED, {{true, 128, 0, "02010000002a"}}},
      {"Valid with an Invalid rule", WW_ERR_MALFORMED, {{true, 128, 0, "00010000002a"}, {true, 130, 1, RULE_INVALID}}},
      {"Valid with a covering one", WW_OK, {{true, 128, 0, "00010000002a"}, {true, 132, 1, RULE_INVALID}}},
      {"a rule that does not cover", WW_ERR_MALFORMED, {{true, 128, 0, "00010000002a"}, {true, 130, 1, RULE_OTHER}}},
      {"overall against its parts", WW_ERR_MALFORMED, {{true, 128, 0, "00010000002a"}, {true, 129, 0, "01020001"}}},
      {"a rule of maxLength 33",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "00010000002a"}, {true, 130, 2, "010000030000000700000000000000000001182100000001cb007100"}}},
      {"a rule with host bits",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "00010000002a"}, {true, 130, 2, "010000030000000700000000000000000001181800000001cb007101"}}},
      {"a rule cut off", WW_ERR_MALFORMED, {{true, 128, 0, "00010000002a"}, {true, 130, 2, "0100000300"}}},
      {"a group of one", WW_ERR_MALFORMED, {{true, 128, 0, "01010000002a"}, {false, 1, 0x8001, "0001"}}},
      {"a group with an odd octet",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "01010000002a"}, {false, 1, 0x8001, "0001000200"}}},
      {"a group of index 0", WW_ERR_MALFORMED, {{true, 128, 0, "01010000002a"}, {false, 1, 0x8001, "00000001"}}},
      {"a group beyond the NLRIs", WW_ERR_MALFORMED, {{true, 128, 0, "01010000002a"}, {false, 1, 0x8001, "00010004"}}},
      {"a group of groups", WW_ERR_MALFORMED, {{true, 128, 0, "01010000002a"}, {false, 1, 0x8001, "00018001"}}},
      {"a group without G", WW_ERR_MALFORMED, {{true, 128, 0, "01010000002a"}, {false, 1, 1, "00010002"}}},
      {"a group index twice",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "01010000002a"}, {false, 1, 0x8001, "00010002"}, {false, 1, 0x8001, "00010003"}}},
      {"Invalid by an empty path",
       WW_OK,
       {{true, 128, 0, "02010000002a"}, {true, 129, 0, "02020015"}, {true, 134, 0, PATH_EMPTY}}},
      {"Invalid by a valley without an ASPA",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "02010000002a"}, {true, 129, 0, "02020011"}, {true, 134, 0, PATH_EMPTY}}},
      {"an ASPA",
       WW_OK,
       {{true, 128, 0, "02010000002a"},
        {true, 130, 0,
         ASPA_HEAD "0000fbfe"
                   "0001"
                   "0000fbf0"}}},
      {"an ASPA without providers",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "02010000002a"},
        {true, 130, 0,
         ASPA_HEAD "0000fbfe"
                   "0000"}}},
      {"an ASPA cut off",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "02010000002a"},
        {true, 130, 0,
         ASPA_HEAD "0000fbfe"
                   "0002"
                   "0000fbf0"}}},
      {"providers out of order",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "02010000002a"},
        {true, 130, 0,
         ASPA_HEAD "0000fbfe"
                   "0002"
                   "0000fbf0"
                   "0000fbf0"}}},
      {"a path result",
       WW_OK,
       {{true, 128, 0, "01010000002a"},
        {true, 134, 2,
         PATH_ONE "0000000100000002"
                  "0001"}}},
      {"two path results",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "01010000002a"}, {true, 134, 0, PATH_EMPTY}, {true, 134, 3, PATH_EMPTY}}},
      {"a path result cut off",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "01010000002a"}, {true, 134, 0, PATH_ONE "00000001"}}},
      {"a procedure that does not exist",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "01010000002a"},
        {true, 134, 0,
         "03000000"
         "00000000"
         "0000000000000000"
         "0000000000000000"}}},
      {"a hop state that does not exist",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "01010000002a"},
        {true, 134, 0,
         PATH_ONE "0000000100000002"
                  "0301"}}},
      {"a bad signature, its segment and its key",
       WW_OK,
       {{true, 128, 0, "02010000002a"},
        {true, 129, 0, "03020020"},
        {true, 130, 0, KEY_INVALID},
        {true, 131, 0, "01" SEGMENT_BAD}}},
      {"a bad signature without its key",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "02010000002a"},
        {true, 129, 0, "03020020"},
        {true, 130, 1, RULE_INVALID},
        {true, 131, 0, "01" SEGMENT_BAD}}},
      {"a bad signature with good segments only",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "02010000002a"},
        {true, 129, 0, "03020020"},
        {true, 130, 0, KEY_INVALID},
        {true, 131, 0, "01" SEGMENT_GOOD}}},
      {"a bad signature without segments",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "02010000002a"}, {true, 129, 0, "03020021"}, {true, 130, 0, KEY_INVALID}}},
      {"a signed path that loops", WW_OK, {{true, 128, 0, "02010000002a"}, {true, 129, 0, "03020026"}}},
      {"an unsupported suite", WW_OK, {{true, 128, 0, "01010000002a"}, {true, 129, 0, "03030022"}}},
      {"a router key cut off",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "02010000002a"},
        {true, 130, 0,
         "03020000"
         "00000000"
         "0000000000000000"
         "0000fbf5"
         "00"}}},
      {"no segments", WW_ERR_MALFORMED, {{true, 128, 0, "01010000002a"}, {true, 131, 0, "00"}}},
      {"segments cut off", WW_ERR_MALFORMED, {{true, 128, 0, "01010000002a"}, {true, 131, 0, "02" SEGMENT_GOOD}}},
      {"two lots of segments",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "01010000002a"}, {true, 131, 0, "01" SEGMENT_GOOD}, {true, 131, 1, "01" SEGMENT_GOOD}}},
      {"a segment state that does not exist",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "01010000002a"},
        {true, 131, 0,
         "01"
         "0000fbf5"
         "01"
         "07" SKI_TEXT}}},
      {"two PDUs", WW_ERR_MALFORMED, {{true, 128, 0, "01010000002a"}, {false, 4, 0, ""}}},
      {"two sequences",
       WW_ERR_MALFORMED,
       {{true, 128, 0, "01010000002a"}, {false, 5, 0, "0000000000000001"}, {false, 5, 0, "0000000000000001"}}},
      {"two Profiles", WW_ERR_MALFORMED, {{true, 128, 0, "01010000002a"}, {true, 1, 0, "0115000000000000"}}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct forge f;
    struct ww_validation_msg out;
    forge_head(&f);
    for (unsigned k = 0; k < 6 && cases[i].tlvs[k].value; k++)
      forge_tlv(&f, cases[i].tlvs[k].ours, cases[i].tlvs[k].type, cases[i].tlvs[k].index, cases[i].tlvs[k].value);
    enum ww_err got = forge_decode(&f, &out);
    if (got != cases[i].want)
      fail_msg("%s: %s, should be %s", cases[i].what, ww_err_name(got), ww_err_name(cases[i].want));
  }
}

static void test_leaves_others_messages_alone(void **state) {
  (void)state;
  static const char *const firsts[] = {"0215000000000000" /* another encoding */, "0116000000000000" /* draft 22 */};
  struct forge f;
  struct ww_validation_msg out;
  for (unsigned i = 0; i < 2; i++) {
    forge_begin(&f);
    forge_tlv(&f, true, WW_RPKI_TLV_PROFILE, 0, firsts[i]);
    assert_int_equal(forge_decode(&f, &out), WW_ERR_UNSUPPORTED);
  }
  forge_begin(&f);
  size_t at = ww_tlv_begin(&f.w, WW_RPKI_TLV_PROFILE, true, PEN + 1, true, false, 0);
  ww_writer_zero(&f.w, 8);
  ww_tlv_end(&f.w, at);
  assert_int_equal(forge_decode(&f, &out), WW_ERR_UNSUPPORTED);
  forge_begin(&f);
  forge_tlv(&f, false, 4, 0, "00");
  assert_int_equal(forge_decode(&f, &out), WW_ERR_UNSUPPORTED);
  forge_begin(&f); /* not even one TLV */
  assert_int_equal(forge_decode(&f, &out), WW_ERR_MALFORMED);
}

/* One rule for a group of many, many times: the product is bounded before it is allocated. */
static void test_bounds_what_groups_multiply(void **state) {
  (void)state;
  enum { N = 900, RULES = 100 };
  uint8_t *buf = malloc(65535);
  struct ww_bgp_nlri_item *nlri = calloc(N, sizeof *nlri);
  struct ww_encode_message m = base_message();
  struct ww_writer w = ww_writer_make(buf, 65535);
  for (unsigned i = 0; i < N; i++)
    nlri[i].prefix = (struct ww_prefix){.afi = WW_AFI_IPV4, .len = 24, .addr = {10, (uint8_t)(i >> 8), (uint8_t)i}};
  ww_encode_bare(&m, &w);
  size_t at = ww_tlv_begin(&w, WW_RM_TLV21_STATELESS_PARSING, false, 0, true, false, 0);
  ww_writer_bytes(&w, (uint8_t[]){65, 4, 0, 0, 0xfb, 0xf5}, 6);
  ww_tlv_end(&w, at);
  at = ww_tlv_begin(&w, WW_RM_TLV21_BGP_MESSAGE, false, 0, true, false, 0);
  ww_bgp_update_write(&w, WW_AFI_IPV4, attrs, sizeof attrs, next_hop, 4, false, nlri, N);
  ww_tlv_end(&w, at);
  for (unsigned i = 0; i < RULES; i++) {
    at = ww_tlv_begin(&w, WW_RPKI_TLV_RULE, true, PEN, true, false, 0);
    ww_writer_zero(&w, 28);
    ww_tlv_end(&w, at);
  }
  ww_bmp_end(&w, 0);
  struct ww_arena arena;
  struct ww_validation_msg out;
  ww_arena_init(&arena, 0);
  assert_false(w.overflow);
  assert_int_equal(ww_validation_decode(buf, w.len, PEN, &arena, &out, NULL), WW_ERR_LIMIT);
  ww_arena_fini(&arena);
  free(nlri);
  free(buf);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_decodes_the_first_sample),
      cmocka_unit_test(test_document_shows_what_is_sent),
      cmocka_unit_test(test_shares_what_is_shared),
      cmocka_unit_test(test_flags_are_of_the_nlri),
      cmocka_unit_test(test_withdrawals_say_nothing_else),
      cmocka_unit_test(test_path_is_said_once),
      cmocka_unit_test(test_path_alone_may_be_invalid),
      cmocka_unit_test(test_signatures),
      cmocka_unit_test(test_cuts_long_evidence),
      cmocka_unit_test(test_refuses_unsound_verdicts),
      cmocka_unit_test(test_splits_at_every_limit),
      cmocka_unit_test(test_cuts_rules_and_says_so),
      cmocka_unit_test(test_long_attributes),
      cmocka_unit_test(test_every_truncation_is_an_error),
      cmocka_unit_test(test_refuses_what_breaks_an_invariant),
      cmocka_unit_test(test_leaves_others_messages_alone),
      cmocka_unit_test(test_bounds_what_groups_multiply),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
