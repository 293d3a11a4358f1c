/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* */
#include <cmocka.h>

#include "validator/verdict_json.h"

static const char *name_of(void *ctx, ww_source_id source) {
  (void)ctx;
  return source == 1 ? "main" : source == 2 ? "" : NULL;
}

static struct ww_vrp vrp(const char *prefix, uint8_t max_len, uint32_t asn, ww_unix_time expires) {
  struct ww_vrp v = {.max_len = max_len, .asn = asn, .expires = expires};
  assert_int_equal(ww_prefix_parse(prefix, &v.prefix), WW_OK);
  return v;
}

static void assert_json(const struct ww_verdict_view *view, const char *want) {
  struct ww_buf out;
  ww_buf_init(&out, 0);
  assert_int_equal(ww_verdict_json(&out, view, false), WW_OK);
  assert_int_equal(out.len, strlen(want));
  assert_memory_equal(ww_buf_head(&out), want, out.len);
  ww_buf_fini(&out);
}

static struct ww_verdict blank(enum ww_state state) {
  return (struct ww_verdict){.epoch = 42,
                             .state = (uint8_t)state,
                             .origin = {.state = (uint8_t)state},
                             .aspa = {.state = WW_STATE_NOT_EVALUATED, .role = WW_ROLE_NONE},
                             .bgpsec = {.state = WW_STATE_NOT_EVALUATED}};
}

#define HEAD(origin, state, ov, reason)                                                                                \
  "{\"prefix\":\"192.0.2.0/24\"," origin "\"state\":\"" state "\",\"epoch\":42,\"origin_validation\":{\"state\":\"" ov \
  "\",\"reason\":\"" reason "\"},\"aspa\":{\"state\":\"not-evaluated\"},\"bgpsec\":{\"state\":\"not-evaluated\"},"
#define MATCH                                                                                                          \
  "{\"kind\":\"vrp\",\"prefix\":\"192.0.2.0/"                                                                          \
  "24\",\"maxLength\":24,\"asn\":64500,\"state\":\"valid\",\"source\":\"main\","                                       \
  "\"expires\":\"2026-11-22T00:00:00Z\"}"
#define SHORTER                                                                                                        \
  "{\"kind\":\"vrp\",\"prefix\":\"192.0.2.0/"                                                                          \
  "23\",\"maxLength\":23,\"asn\":64500,\"state\":\"invalid\",\"why\":\"length\","                                      \
  "\"source\":2}"
#define OTHER                                                                                                          \
  "{\"kind\":\"vrp\",\"prefix\":\"192.0.0.0/"                                                                          \
  "16\",\"maxLength\":24,\"asn\":0,\"state\":\"invalid\",\"why\":\"as\",\"source\":3}"

/* Which records stand where, by state: draft-wang-grow-bmp-rpki-mon-reqs-03 §5.2. */
static void records_by_state(void **state) {
  (void)state;
  struct ww_vrp_hit hits[] = {
      {.vrp = vrp("192.0.2.0/24", 24, 64500, 1795305600), .source = 1, .match = WW_MATCH_VALID},
      {.vrp = vrp("192.0.2.0/23", 23, 64500, 0), .source = 2, .match = WW_MATCH_LENGTH},
      {.vrp = vrp("192.0.0.0/16", 24, 0, 0), .source = 3, .match = WW_MATCH_AS},
  };
  struct ww_verdict verdict = blank(WW_STATE_VALID);
  verdict.origin = (struct ww_origin_result){.state = WW_STATE_VALID, .hits = hits, .hit_count = 3};
  struct ww_verdict_view view = {
      .prefix = hits[0].vrp.prefix, .origin = {.asn = 64500}, .verdict = &verdict, .source_name = name_of};
  assert_json(&view, HEAD("\"origin\":64500,", "valid", "valid", "none") "\"rules\":[" MATCH "],\"covering\":[" SHORTER
                                                                         "," OTHER "]}");
  verdict.state = WW_STATE_INVALID;
  verdict.origin = (struct ww_origin_result){
      .state = WW_STATE_INVALID, .reason = WW_REASON_ORIGIN_LENGTH, .hits = hits + 1, .hit_count = 2};
  assert_json(&view, HEAD("\"origin\":64500,", "invalid", "invalid", "length") "\"rules\":[" SHORTER "," OTHER
                                                                               "],\"covering\":[]}");
  verdict = blank(WW_STATE_UNKNOWN);
  assert_json(&view, HEAD("\"origin\":64500,", "unknown", "not-found", "none") "\"rules\":[],\"covering\":[]}");
  view.source_name = NULL;
  verdict.state = WW_STATE_INVALID;
  verdict.origin = (struct ww_origin_result){
      .state = WW_STATE_INVALID, .reason = WW_REASON_ORIGIN_AS0, .hits = hits + 2, .hit_count = 1};
  assert_json(&view, HEAD("\"origin\":64500,", "invalid", "invalid", "as0") "\"rules\":[" OTHER "],\"covering\":[]}");
}

static void paths(void **state) {
  (void)state;
  /* 64500 64501 {64502 64503}, then (65001) and [65002]. */
  static const uint8_t path[] = {2, 2, 0,    0,    0xfb, 0xf4, 0, 0, 0xfb, 0xf5, 1, 2, 0, 0, 0xfb, 0xf6,
                                 0, 0, 0xfb, 0xf7, 3,    1,    0, 0, 0xfd, 0xe9, 4, 1, 0, 0, 0xfd, 0xea};
  struct ww_verdict verdict = blank(WW_STATE_UNKNOWN);
  struct ww_verdict_view view = {.prefix = vrp("192.0.2.0/24", 24, 0, 0).prefix,
                                 .as_path = path,
                                 .as_path_len = sizeof(path),
                                 .origin = {.none = true},
                                 .verdict = &verdict};
  assert_json(&view, HEAD("\"as_path\":[64500,64501,[64502,64503],{\"confed\":[65001]},{\"confed_set\":[65002]}],"
                          "\"origin\":null,",
                          "unknown", "not-found", "none") "\"rules\":[],\"covering\":[]}");
  view.as_path_len = 0;
  view.origin = (struct ww_origin){.asn = UINT32_MAX};
  assert_json(&view, HEAD("\"as_path\":[],\"origin\":4294967295,", "unknown", "not-found",
                          "none") "\"rules\":[],\"covering\":[]}");
}

/* The evidence of a path: bounds, hops, and ASPAs that decided apart from those that did not. */
static void aspa_evidence(void **state) {
  (void)state;
  static const uint32_t two[] = {64510, 64511}, none[] = {0};
  struct ww_aspa_hop hops[] = {{64502, 64501, WW_HOP_PROVIDER, true, false},
                               {64501, 64500, WW_HOP_NOT_PROVIDER, true, true}};
  struct ww_aspa_hit hits[] = {
      {.aspa = {.customer = 64501, .provider_count = 1, .providers = none, .expires = 1795305600},
       .source = 1,
       .match = WW_HOP_NOT_PROVIDER},
      {.aspa = {.customer = 64502, .provider_count = 2, .providers = two}, .source = 2, .match = WW_HOP_PROVIDER},
      {.aspa = {.customer = 64503, .provider_count = 1, .providers = two},
       .source = 1,
       .match = WW_HOP_NO_ATTESTATION}};
  struct ww_verdict verdict = blank(WW_STATE_INVALID);
  verdict.origin.state = WW_STATE_UNKNOWN;
  verdict.aspa = (struct ww_aspa_result){.state = WW_STATE_INVALID,
                                         .reason = WW_REASON_ASPA_NOT_PROVIDER,
                                         .procedure = WW_ASPA_UPSTREAM,
                                         .role = WW_ROLE_PROVIDER,
                                         .path_len = 3,
                                         .max_up = 2,
                                         .min_up = 2,
                                         .hops = hops,
                                         .hop_count = 2,
                                         .hits = hits,
                                         .hit_count = 3};
  struct ww_verdict_view view = {.prefix = vrp("192.0.2.0/24", 24, 0, 0).prefix,
                                 .origin = {.asn = 64502},
                                 .verdict = &verdict,
                                 .source_name = name_of};
#define ASPA_HEAD(state, aspa_state, reason)                                                                           \
  "{\"prefix\":\"192.0.2.0/24\",\"origin\":64502,\"state\":\"" state                                                   \
  "\",\"epoch\":42,\"origin_validation\":{\"state\":\"not-found\",\"reason\":\"none\"},"                               \
  "\"aspa\":{\"state\":\"" aspa_state "\",\"reason\":\"" reason "\""
#define ASPA_HOPS                                                                                                      \
  ",\"procedure\":\"upstream\",\"role\":\"provider\",\"length\":3,\"max_up\":2,\"min_up\":2,\"max_down\":0,"           \
  "\"min_down\":0,\"hops\":[{\"customer\":64502,\"provider\":64501,\"ramp\":\"up\",\"state\":\"provider\"},"           \
  "{\"customer\":64501,\"provider\":64500,\"ramp\":\"up\",\"state\":\"not-provider\",\"failing\":true}]},"
#define ASPA_64501                                                                                                     \
  "{\"kind\":\"aspa\",\"customer\":64501,\"providers\":[0],\"state\":\"invalid\",\"why\":\"not-provider\","            \
  "\"source\":\"main\",\"expires\":\"2026-11-22T00:00:00Z\"}"
#define ASPA_64502 "{\"kind\":\"aspa\",\"customer\":64502,\"providers\":[64510,64511],\"state\":\"valid\",\"source\":2}"
#define ASPA_64503                                                                                                     \
  "{\"kind\":\"aspa\",\"customer\":64503,\"providers\":[64510],\"state\":\"unknown\",\"source\":\"main\"}"
#define BGPSEC "\"bgpsec\":{\"state\":\"not-evaluated\"},"
  assert_json(&view, ASPA_HEAD("invalid", "invalid", "not-provider") ASPA_HOPS BGPSEC
              "\"rules\":[" ASPA_64501 "," ASPA_64502 "],\"covering\":[" ASPA_64503 "]}");
  verdict.state = verdict.aspa.state = WW_STATE_UNKNOWN;
  verdict.aspa.reason = WW_REASON_ASPA_UNATTESTED;
  verdict.aspa.hits = hits + 1;
  verdict.aspa.hit_count = 2;
  assert_json(&view, ASPA_HEAD("unknown", "unknown", "unattested") ASPA_HOPS BGPSEC
              "\"rules\":[],\"covering\":[" ASPA_64502 "," ASPA_64503 "]}");
  verdict.state = verdict.aspa.state = WW_STATE_VALID;
  verdict.aspa.reason = WW_REASON_NONE;
  assert_json(&view, ASPA_HEAD("valid", "valid", "none") ASPA_HOPS BGPSEC "\"rules\":[" ASPA_64502
                                                                          "],\"covering\":[" ASPA_64503 "]}");
  /* What halts a procedure before any hop leaves no bounds. */
  verdict.state = verdict.aspa.state = WW_STATE_INVALID;
  verdict.aspa = (struct ww_aspa_result){.state = WW_STATE_INVALID,
                                         .reason = WW_REASON_ASPA_FIRST_AS,
                                         .procedure = WW_ASPA_DOWNSTREAM,
                                         .role = WW_ROLE_CUSTOMER};
  assert_json(&view,
              ASPA_HEAD("invalid", "invalid", "first-as") ",\"procedure\":\"downstream\",\"role\":\"customer\"}," BGPSEC
                                                          "\"rules\":[],\"covering\":[]}");
  verdict.state = WW_STATE_UNKNOWN;
  verdict.aspa =
      (struct ww_aspa_result){.state = WW_STATE_NOT_EVALUATED, .reason = WW_REASON_ASPA_NO_ROLE, .role = WW_ROLE_NONE};
  assert_json(&view, ASPA_HEAD("unknown", "not-evaluated", "no-role") "}," BGPSEC "\"rules\":[],\"covering\":[]}");
}

static void kinds_combined(void **state) {
  (void)state;
  const enum ww_state V = WW_STATE_VALID, U = WW_STATE_UNKNOWN, I = WW_STATE_INVALID, N = WW_STATE_NOT_EVALUATED;
  const enum ww_state R = WW_STATE_NOT_READY;
  const struct {
    enum ww_state origin, aspa, bgpsec, want;
  } cases[] = {{V, N, N, V}, {U, N, N, U}, {I, N, N, I}, {V, I, N, I}, {U, V, N, V}, {I, V, V, I}, {V, U, U, V},
               {U, U, V, V}, {V, V, I, I}, {N, N, N, U}, {R, N, N, R}, {I, R, N, R}, {U, I, V, I}};
  for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    assert_int_equal(ww_verdict_combine(cases[i].origin, cases[i].aspa, cases[i].bgpsec), cases[i].want);
}

static void times(void **state) {
  (void)state;
  char buf[WW_TIME_STRLEN];
  assert_string_equal(ww_time_format(0, buf), "1970-01-01T00:00:00Z");
  assert_string_equal(ww_time_format(1795219200, buf), "2026-11-21T00:00:00Z");
  assert_string_equal(ww_time_format(-1, buf), "1969-12-31T23:59:59Z");
  assert_string_equal(ww_time_format(INT64_MAX, buf), "9999-12-31T23:59:59Z");
  assert_true(strlen(ww_time_format(INT64_MIN, buf)) < WW_TIME_STRLEN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(records_by_state), cmocka_unit_test(paths), cmocka_unit_test(aspa_evidence),
      cmocka_unit_test(kinds_combined),   cmocka_unit_test(times),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
