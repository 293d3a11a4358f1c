/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of a verdict against a slow model of docs/formats/verdict.md, built as a tree with jansson: random verdicts
 * of every state, with random hits, hops and paths, and sources with hostile names. Both forms of the text, on one line
 * and indented, are read back strictly and are equal to the tree.
 *
 * WW_SEED=n runs one seed's cases; the seed is printed in any case.
 */
#include "validator/verdict_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/bytes.h"
#include "base/rules.h"

enum { CASES = 4000, SOURCES = 8, HITS = 6, HOPS = 6, PROVIDERS = 12, NAME = 200, PATH = 256 };

static uint64_t seed;

static uint32_t rnd(uint32_t below) { /* xorshift64* */
  seed ^= seed >> 12;
  seed ^= seed << 25;
  seed ^= seed >> 27;
  return (uint32_t)((seed * UINT64_C(2685821657736338717)) >> 32) % below;
}

static uint32_t rnd_asn(void) { return rnd(4) ? rnd(1u << rnd(32)) : UINT32_MAX - rnd(2); }

/* --- a random verdict -----------------------------------------------------------------------------------------------
 */

struct sample {
  char name[SOURCES][NAME], clean[SOURCES][3 * NAME]; /* as it is, and as it is to be read back */
  struct ww_vrp_hit vrps[HITS];
  struct ww_aspa_hit aspas[HITS];
  uint32_t providers[HITS][PROVIDERS];
  struct ww_aspa_hop hops[HOPS];
  struct ww_key_hit keys[HITS];
  struct ww_bgpsec_segment_result segments[HITS];
  uint8_t path[PATH];
  struct ww_verdict verdict;
  struct ww_verdict_view view;
};

static const char *source_name(void *ctx, ww_source_id id) {
  const struct sample *s = ctx;
  return id < SOURCES ? s->name[id] : NULL;
}

/* Pieces that stay what they are beside one another. */
static void random_name(char *name, char *clean) {
  static const char *const pieces[][2] = {{"\"", "\""},
                                          {"\\", "\\"},
                                          {"\\u0041", "\\u0041"},
                                          {"\n", "\n"},
                                          {"\x01", "\x01"},
                                          {"\x1f", "\x1f"},
                                          {"\x7f", "\x7f"},
                                          {"</script>", "</script>"},
                                          {"\",\"state\":\"valid\",\"x\":\"", "\",\"state\":\"valid\",\"x\":\""},
                                          {"\xc3\xbc", "\xc3\xbc"},
                                          {"\xe2\x80\xa8", "\xe2\x80\xa8"},
                                          {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
                                          {"\xff.", "\xef\xbf\xbd."},
                                          {"\xc3.", "\xef\xbf\xbd."},
                                          {"\xed\xa0\x80.", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd."},
                                          {"\xc0\xa2.", "\xef\xbf\xbd\xef\xbf\xbd."},
                                          {"main", "main"}};
  name[0] = clean[0] = '\0';
  for (unsigned i = rnd(8); i > 0; i--) {
    const char *const *piece = pieces[rnd(sizeof(pieces) / sizeof(pieces[0]))];
    strcat(name, piece[0]);
    strcat(clean, piece[1]);
  }
}

static struct ww_prefix random_prefix(void) {
  struct ww_prefix p = {.afi = rnd(2) ? WW_AFI_IPV4 : WW_AFI_IPV6};
  p.len = (uint8_t)rnd(ww_afi_bits(p.afi) + 1u);
  for (unsigned i = 0; i < ww_afi_bits(p.afi) / 8u; i++)
    p.addr[i] = (uint8_t)(rnd(3) ? rnd(256) : 0);
  ww_prefix_mask(&p);
  return p;
}

static ww_unix_time random_time(void) { return rnd(3) ? (ww_unix_time)rnd(UINT32_MAX) * (1 + rnd(50)) : 0; }

static size_t random_path(uint8_t *octets) {
  struct ww_writer w = ww_writer_make(octets, PATH);
  for (unsigned segments = rnd(5); segments > 0; segments--) {
    uint8_t count = (uint8_t)(1 + rnd(8));
    ww_writer_u8(&w, (uint8_t)(1 + rnd(4)));
    ww_writer_u8(&w, count);
    while (count--)
      ww_writer_u32(&w, rnd_asn());
  }
  assert_false(w.overflow);
  return w.len;
}

static void fill(struct sample *s) {
  static const uint8_t states[] = {WW_STATE_VALID, WW_STATE_UNKNOWN, WW_STATE_INVALID, WW_STATE_NOT_EVALUATED,
                                   WW_STATE_NOT_READY};
  static const uint8_t roles[] = {0, 1, 2, 3, 4, WW_ROLE_MUTUAL_TRANSIT, WW_ROLE_NONE};
  struct ww_verdict *v = &s->verdict;
  memset(s, 0, sizeof *s);
  for (unsigned i = 0; i < SOURCES; i++)
    random_name(s->name[i], s->clean[i]);
  for (unsigned i = 0; i < HITS; i++) {
    s->vrps[i] = (struct ww_vrp_hit){
        .vrp = {.prefix = random_prefix(), .max_len = (uint8_t)rnd(129), .asn = rnd_asn(), .expires = random_time()},
        .source = (ww_source_id)rnd(SOURCES + 3),
        .match = (uint8_t)rnd(3)};
    for (unsigned k = 0; k < PROVIDERS; k++)
      s->providers[i][k] = rnd_asn();
    s->aspas[i] = (struct ww_aspa_hit){.aspa = {.customer = rnd_asn(),
                                                .provider_count = rnd(PROVIDERS + 1),
                                                .providers = s->providers[i],
                                                .expires = random_time()},
                                       .source = (ww_source_id)(rnd(8) ? rnd(SOURCES + 3) : UINT16_MAX),
                                       .match = (uint8_t)rnd(3)};
  }
  for (unsigned i = 0; i < HOPS; i++)
    s->hops[i] = (struct ww_aspa_hop){rnd_asn(), rnd_asn(), (uint8_t)rnd(3), rnd(2) != 0, rnd(2) != 0};
  v->epoch = rnd_asn();
  v->state = states[rnd(5)];
  for (unsigned i = 0; i < HITS; i++) {
    s->keys[i] = (struct ww_key_hit){.asn = rnd_asn(),
                                     .source = (ww_source_id)rnd(SOURCES + 3),
                                     .expires = random_time(),
                                     .match = (uint8_t)rnd(7),
                                     .missing = rnd(4) == 0};
    s->segments[i] =
        (struct ww_bgpsec_segment_result){.asn = rnd_asn(), .suite = (uint8_t)rnd(256), .state = (uint8_t)rnd(7)};
    for (unsigned k = 0; k < WW_SKI_LEN; k++)
      s->keys[i].ski[k] = s->segments[i].ski[k] = (uint8_t)rnd(256);
  }
  v->bgpsec = (struct ww_bgpsec_report){.state = states[rnd(5)],
                                        .reason = (uint8_t)(rnd(2) ? 32 + rnd(8) : 0),
                                        .segments = s->segments,
                                        .segment_count = rnd(HITS + 1),
                                        .hits = s->keys,
                                        .hit_count = rnd(HITS + 1)};
  v->origin = (struct ww_origin_result){
      .state = states[rnd(5)], .reason = (uint8_t)rnd(5), .hits = s->vrps, .hit_count = rnd(HITS + 1)};
  v->aspa = (struct ww_aspa_result){.state = states[rnd(5)],
                                    .reason = (uint8_t)(rnd(2) ? 16 + rnd(8) : 0),
                                    .procedure = (uint8_t)rnd(3),
                                    .role = roles[rnd(7)],
                                    .path_len = rnd(3) ? 1 + rnd(UINT16_MAX) : 0,
                                    .max_up = rnd(100),
                                    .min_up = rnd(1000),
                                    .max_down = rnd(10),
                                    .min_down = rnd_asn(),
                                    .hops = s->hops,
                                    .hop_count = rnd(HOPS + 1),
                                    .hits = s->aspas,
                                    .hit_count = rnd(HITS + 1)};
  s->view = (struct ww_verdict_view){.prefix = random_prefix(),
                                     .origin = {.asn = rnd_asn(), .none = rnd(4) == 0},
                                     .verdict = v,
                                     .source_name = rnd(8) ? source_name : NULL,
                                     .ctx = s};
  s->view.as_path_len = random_path(s->path);
  s->view.as_path = rnd(4) ? s->path : NULL;
}

/* --- the model ------------------------------------------------------------------------------------------------------
 */

static void put(json_t *o, const char *key, json_t *value) {
  assert_non_null(value);
  assert_int_equal(json_object_set_new(o, key, value), 0);
}

static json_t *numbers(const uint32_t *values, size_t count) {
  json_t *a = json_array();
  for (size_t i = 0; i < count; i++)
    json_array_append_new(a, json_integer(values[i]));
  return a;
}

static json_t *model_prefix(const struct ww_prefix *prefix) {
  char text[WW_PREFIX_STRLEN];
  return json_string(ww_prefix_format(prefix, text));
}

static json_t *model_path(const uint8_t *p, size_t len) {
  json_t *out = json_array();
  for (size_t at = 0; at < len;) {
    uint32_t asns[256];
    unsigned type = p[at], count = p[at + 1];
    at += 2;
    for (unsigned i = 0; i < count; i++, at += 4)
      asns[i] = (uint32_t)p[at] << 24 | (uint32_t)p[at + 1] << 16 | (uint32_t)p[at + 2] << 8 | p[at + 3];
    json_t *list = numbers(asns, count);
    if (type == 2)
      json_array_extend(out, list);
    else if (type == 1)
      json_array_append(out, list);
    else
      json_array_append_new(out, json_pack("{s:O}", type == 3 ? "confed" : "confed_set", list));
    json_decref(list);
  }
  return out;
}

static void model_origin_of_record(json_t *o, const struct sample *s, ww_source_id id, ww_unix_time expires) {
  bool named = s->view.source_name && id < SOURCES && s->name[id][0];
  put(o, "source", named ? json_string(s->clean[id]) : json_integer(id));
  if (expires) {
    char text[64];
    time_t t = (time_t)(expires > 253402300799 ? 253402300799 : expires);
    struct tm tm;
    gmtime_r(&t, &tm);
    assert_true(strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm));
    put(o, "expires", json_string(text));
  }
}

static json_t *model_vrp(const struct sample *s, const struct ww_vrp_hit *hit) {
  static const char *const why[] = {NULL, "as", "length"};
  json_t *o = json_pack("{s:s,s:i,s:I,s:s}", "kind", "vrp", "maxLength", (int)hit->vrp.max_len, "asn",
                        (json_int_t)hit->vrp.asn, "state", hit->match == WW_MATCH_VALID ? "valid" : "invalid");
  put(o, "prefix", model_prefix(&hit->vrp.prefix));
  if (why[hit->match])
    put(o, "why", json_string(why[hit->match]));
  model_origin_of_record(o, s, hit->source, hit->vrp.expires);
  return o;
}

static json_t *model_aspa_record(const struct sample *s, const struct ww_aspa_hit *hit) {
  static const char *const words[] = {"valid", "invalid", "unknown"};
  json_t *o = json_pack("{s:s,s:I,s:s}", "kind", "aspa", "customer", (json_int_t)hit->aspa.customer, "state",
                        words[hit->match]);
  put(o, "providers", numbers(hit->aspa.providers, hit->aspa.provider_count));
  if (hit->match == WW_HOP_NOT_PROVIDER)
    put(o, "why", json_string("not-provider"));
  model_origin_of_record(o, s, hit->source, hit->aspa.expires);
  return o;
}

static json_t *hex(const uint8_t *octets, size_t count) {
  char text[2 * WW_SKI_LEN + 1] = "";
  for (size_t i = 0; i < count; i++)
    snprintf(text + 2 * i, 3, "%02x", octets[i]);
  return json_string(text);
}

static json_t *model_key(const struct sample *s, const struct ww_key_hit *hit) {
  bool valid = hit->match == 0;
  json_t *o = json_pack("{s:s,s:I,s:s}", "kind", "router-key", "asn", (json_int_t)hit->asn, "state",
                        valid ? "valid" : "invalid");
  if (!valid)
    put(o, "why", json_string(hit->missing ? "no-key" : "bad-signature"));
  if (hit->missing)
    return o;
  put(o, "ski", hex(hit->ski, WW_SKI_LEN));
  model_origin_of_record(o, s, hit->source, hit->expires);
  return o;
}

static json_t *model_bgpsec(const struct ww_bgpsec_report *r) {
  static const char *const words[] = {"valid", "bad", "no-key", "malformed", "not-checked", "skipped", "unsupported"};
  json_t *o = json_pack("{s:s}", "state", ww_state_name((enum ww_state)r->state));
  if (r->state == WW_STATE_NOT_EVALUATED && !r->reason)
    return o;
  put(o, "reason", json_string(ww_reason_name((enum ww_reason)r->reason)));
  json_t *segments = json_array();
  for (size_t i = 0; i < r->segment_count; i++) {
    const struct ww_bgpsec_segment_result *s = &r->segments[i];
    json_t *segment =
        json_pack("{s:I,s:i,s:s}", "asn", (json_int_t)s->asn, "suite", (int)s->suite, "state", words[s->state]);
    put(segment, "ski", hex(s->ski, WW_SKI_LEN));
    json_array_append_new(segments, segment);
  }
  if (r->segment_count)
    put(o, "segments", segments);
  else
    json_decref(segments);
  return o;
}

static json_t *model_rules(const struct sample *s, bool decided) {
  const struct ww_verdict *v = &s->verdict;
  json_t *out = json_array();
  for (size_t i = 0; i < v->origin.hit_count; i++)
    if (ww_vrp_hit_decides(v->origin.state, &s->vrps[i]) == decided)
      json_array_append_new(out, model_vrp(s, &s->vrps[i]));
  for (size_t i = 0; i < v->aspa.hit_count; i++)
    if (ww_aspa_hit_decides(v->aspa.state, &s->aspas[i]) == decided)
      json_array_append_new(out, model_aspa_record(s, &s->aspas[i]));
  for (size_t i = 0; decided && i < v->bgpsec.hit_count; i++)
    if (ww_key_hit_decides(v->bgpsec.state, &s->keys[i]))
      json_array_append_new(out, model_key(s, &s->keys[i]));
  return out;
}

static json_t *model_aspa(const struct ww_aspa_result *r) {
  static const char *const hop_states[] = {"provider", "not-provider", "no-attestation"};
  json_t *o = json_pack("{s:s}", "state", ww_state_name((enum ww_state)r->state));
  if (r->state != WW_STATE_NOT_EVALUATED || r->reason)
    put(o, "reason", json_string(ww_reason_name((enum ww_reason)r->reason)));
  if (r->procedure) {
    put(o, "procedure", json_string(r->procedure == WW_ASPA_UPSTREAM ? "upstream" : "downstream"));
    put(o, "role", json_string(ww_role_name((enum ww_role)r->role)));
  }
  if (!r->path_len)
    return o;
  put(o, "length", json_integer(r->path_len));
  put(o, "max_up", json_integer(r->max_up));
  put(o, "min_up", json_integer(r->min_up));
  put(o, "max_down", json_integer(r->max_down));
  put(o, "min_down", json_integer(r->min_down));
  json_t *hops = json_array();
  for (size_t i = 0; i < r->hop_count; i++) {
    const struct ww_aspa_hop *h = &r->hops[i];
    json_t *hop = json_pack("{s:I,s:I,s:s,s:s}", "customer", (json_int_t)h->customer, "provider",
                            (json_int_t)h->provider, "ramp", h->up ? "up" : "down", "state", hop_states[h->state]);
    if (h->failing)
      put(hop, "failing", json_true());
    json_array_append_new(hops, hop);
  }
  put(o, "hops", hops);
  return o;
}

static json_t *model(const struct sample *s) {
  const struct ww_verdict *v = &s->verdict;
  json_t *o = json_object();
  put(o, "prefix", model_prefix(&s->view.prefix));
  if (s->view.as_path)
    put(o, "as_path", model_path(s->view.as_path, s->view.as_path_len));
  put(o, "origin", s->view.origin.none ? json_null() : json_integer(s->view.origin.asn));
  put(o, "state", json_string(ww_state_name((enum ww_state)v->state)));
  put(o, "epoch", json_integer(v->epoch));
  put(o, "origin_validation",
      json_pack("{s:s,s:s}", "state", ww_origin_state_name((enum ww_state)v->origin.state), "reason",
                ww_reason_name((enum ww_reason)v->origin.reason)));
  put(o, "aspa", model_aspa(&v->aspa));
  put(o, "bgpsec", model_bgpsec(&v->bgpsec));
  put(o, "rules", model_rules(s, true));
  put(o, "covering", model_rules(s, false));
  return o;
}

/* --- the test -------------------------------------------------------------------------------------------------------
 */

static void text_is_the_model(void **state) {
  (void)state;
  struct sample *s = malloc(sizeof *s);
  struct ww_buf out;
  assert_non_null(s);
  ww_buf_init(&out, 0);
  for (unsigned i = 0; i < CASES; i++) {
    fill(s);
    json_t *want = model(s);
    for (int indent = 0; indent < 2; indent++) {
      json_error_t error;
      assert_int_equal(ww_verdict_json(&out, &s->view, indent), WW_OK);
      const char *text = (const char *)ww_buf_head(&out);
      json_t *got = json_loadb(text, out.len, JSON_REJECT_DUPLICATES, &error);
      if (!got || !json_equal(got, want)) {
        char *wanted = json_dumps(want, JSON_COMPACT);
        fail_msg("case %u: %s\n%.*s\n%s", i, got ? "differs" : error.text, (int)out.len, text, wanted);
      }
      assert_int_equal(memchr(text, '\n', out.len) != NULL, indent); /* NDJSON: names cannot break the line */
      json_decref(got);
      ww_buf_consume(&out, out.len);
    }
    json_decref(want);
  }
  ww_buf_fini(&out);
  free(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(text_is_the_model)};
  const char *given = getenv("WW_SEED");
  seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
  printf("seed %llu\n", (unsigned long long)seed);
  seed = seed * 2 + 1;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
