/* SPDX-License-Identifier: BSD-2-Clause */
/* bmpout/render*.c: what programs and people see of BMP messages. JSON is read back with jansson. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "bmpout/encode.h"
#include "bmpout/render.h"
#include "wire/bmp_tlv.h"

static const uint8_t next_hop[] = {192, 0, 2, 1};
static const uint8_t attrs[] = {0x40, 1,    1,    0,    0x40, 2, 10,   2,    2, 0, 0,    0xfb, 0xf5, 0,
                                0,    0xfb, 0xfe, 0xc0, 8,    4, 0xfd, 0xea, 0, 1, 0xc0, 99,   1,    7};

struct rig {
  struct ww_render_options options;
  uint8_t msg[8192];
  struct ww_writer w;
  struct ww_buf out;
};

static int set_up(void **state) {
  struct rig *r = calloc(1, sizeof *r);
  r->options = (struct ww_render_options){.pen = WW_PEN_EXAMPLE, .state = ww_render_state_new()};
  r->w = ww_writer_make(r->msg, sizeof r->msg);
  ww_buf_init(&r->out, 0);
  *state = r;
  return 0;
}

static int tear_down(void **state) {
  struct rig *r = *state;
  ww_render_state_free(r->options.state);
  ww_buf_fini(&r->out);
  free(r);
  return 0;
}

/* Renders what was written and starts afresh. */
static json_t *render(struct rig *r) {
  struct ww_diag diag = {0};
  ww_buf_clear(&r->out);
  if (ww_bmp_render(r->msg, r->w.len, &r->options, &r->out, &diag) != WW_OK)
    fail_msg("%s", diag.text);
  r->w.len = 0;
  json_error_t error;
  json_t *j = json_loadb((const char *)ww_buf_head(&r->out), r->out.len, JSON_REJECT_DUPLICATES, &error);
  if (!j)
    fail_msg("%s in %.*s", error.text, (int)r->out.len, (const char *)ww_buf_head(&r->out));
  return j;
}

static const char *render_text(struct rig *r) {
  struct ww_diag diag = {0};
  ww_buf_clear(&r->out);
  if (ww_bmp_render_text(r->msg, r->w.len, &r->options, &r->out, &diag) != WW_OK)
    fail_msg("%s", diag.text);
  r->w.len = 0;
  assert_int_equal(ww_buf_append(&r->out, "", 1), WW_OK);
  return (const char *)ww_buf_head(&r->out);
}

/* "a.b.0.c" in an object. */
static json_t *at(json_t *j, const char *path) {
  char copy[200];
  snprintf(copy, sizeof copy, "%s", path);
  for (char *save, *key = strtok_r(copy, ".", &save); key; key = strtok_r(NULL, ".", &save)) {
    j = json_is_array(j) ? json_array_get(j, strtoul(key, NULL, 10)) : json_object_get(j, key);
    if (!j)
      fail_msg("no %s in %s", key, path);
  }
  return j;
}

#define assert_str(j, path, want) assert_string_equal(json_string_value(at(j, path)), want)
#define assert_num(j, path, want) assert_int_equal(json_integer_value(at(j, path)), want)

static struct ww_bmp_peer peer_of(uint8_t flags) {
  struct ww_bmp_peer p = {.flags = flags, .asn = 64501, .bgp_id = 0xc0000201, .sec = 1767200000, .usec = 5};
  memcpy(p.address + 12, next_hop, 4);
  return p;
}

static void initiation(struct rig *r, const char *name) { ww_bmp_initiation_write(&r->w, 3, "a router", name, NULL); }

static void validation(struct rig *r, uint8_t state) {
  struct ww_encoder *e = ww_encoder_new();
  struct ww_vrp_hit hit = {.vrp = {.max_len = 24, .asn = 64500, .expires = 1800000000}, .source = 7};
  struct ww_bgp_nlri_item nlri = {.path_id = 9};
  assert_int_equal(ww_prefix_parse("198.51.100.0/24", &nlri.prefix), WW_OK);
  hit.vrp.prefix = nlri.prefix;
  hit.match = state == WW_STATE_VALID ? WW_MATCH_VALID : WW_MATCH_AS;
  struct ww_encode_verdict verdict = {.state = state, .trigger = 1, .epoch = 42, .hits = &hit, .hit_count = 1};
  verdict.reason = state == WW_STATE_INVALID ? WW_REASON_ORIGIN_AS : WW_REASON_NONE;
  struct ww_encode_source source = {.id = 7, .type = 1, .name = "main"};
  struct ww_encode_message m = {.version = 4, .tlv_draft = 21, .pen = WW_PEN_EXAMPLE, .peer = peer_of(0)};
  m.has_sequence = true;
  m.sequence = 3;
  m.sources = &source;
  m.source_count = state == WW_STATE_INVALID; /* a label travels once */
  struct ww_encode_routes routes = {.afi = WW_AFI_IPV4,
                                    .add_path = true,
                                    .attrs = attrs,
                                    .attrs_len = sizeof attrs,
                                    .next_hop = next_hop,
                                    .next_hop_len = 4,
                                    .nlri = &nlri,
                                    .verdicts = &verdict,
                                    .count = 1};
  size_t taken;
  assert_int_equal(ww_encode_routes(e, &m, &routes, sizeof r->msg, &r->w, &taken), WW_OK);
  ww_encoder_free(e);
}

static void test_verdict_schema(void **state) {
  struct rig *r = *state;
  initiation(r, "edge1");
  json_decref(render(r));
  validation(r, WW_STATE_INVALID);
  json_t *j = render(r);
  assert_str(j, "type", "rpki-validation");
  assert_str(j, "router", "edge1");
  assert_num(j, "sequence", 3);
  assert_str(j, "peer.address", "192.0.2.1");
  assert_str(j, "peer.view", "adj-rib-in-pre");
  assert_str(j, "peer.time", "2025-12-31T16:53:20.000005Z");
  assert_str(j, "verdicts.0.prefix", "198.51.100.0/24");
  assert_num(j, "verdicts.0.path_id", 9);
  assert_num(j, "verdicts.0.as_path.1", 64510);
  assert_num(j, "verdicts.0.origin", 64510);
  assert_str(j, "verdicts.0.state", "invalid");
  assert_num(j, "verdicts.0.epoch", 42);
  assert_str(j, "verdicts.0.origin_validation.state", "invalid");
  assert_str(j, "verdicts.0.origin_validation.reason", "as");
  assert_str(j, "verdicts.0.rules.0.kind", "vrp");
  assert_str(j, "verdicts.0.rules.0.prefix", "198.51.100.0/24");
  assert_num(j, "verdicts.0.rules.0.maxLength", 24);
  assert_num(j, "verdicts.0.rules.0.asn", 64500);
  assert_str(j, "verdicts.0.rules.0.state", "invalid");
  assert_str(j, "verdicts.0.rules.0.why", "as");
  assert_str(j, "verdicts.0.rules.0.source", "main");
  assert_str(j, "verdicts.0.rules.0.expires", "2027-01-15T08:00:00Z");
  assert_str(j, "attributes.communities.0", "65002:1");
  assert_num(j, "attributes.other.0.type", 99);
  assert_str(j, "attributes.other.0.value", "07");
  json_decref(j);
  validation(r, WW_STATE_UNKNOWN);
  j = render(r);
  assert_str(j, "verdicts.0.state", "unknown");
  assert_str(j, "verdicts.0.origin_validation.state", "not-found");
  assert_int_equal(json_array_size(at(j, "verdicts.0.rules")), 0);
  json_decref(j);
}

static void test_text_lines(void **state) {
  struct rig *r = *state;
  initiation(r, "edge1");
  assert_string_equal(render_text(r), "edge1 session begins: a router\n");
  validation(r, WW_STATE_INVALID);
  assert_string_equal(render_text(r), "edge1 192.0.2.1 AS64501  198.51.100.0/24 (path 9)  INVALID (origin AS64510; VRP "
                                      "198.51.100.0/24-24 AS64500 from main)\n");
  validation(r, WW_STATE_VALID);
  assert_string_equal(render_text(r), "edge1 192.0.2.1 AS64501  198.51.100.0/24 (path 9)  VALID (origin AS64510; VRP "
                                      "198.51.100.0/24-24 AS64500 from main)\n");
  validation(r, WW_STATE_UNKNOWN);
  assert_string_equal(
      render_text(r),
      "edge1 192.0.2.1 AS64501  198.51.100.0/24 (path 9)  NOT FOUND (origin AS64510; no VRP covers it)\n");
  struct ww_bmp_peer p = peer_of(0);
  ww_bmp_peer_down_write(&r->w, 3, &p, 4, NULL, 0);
  assert_string_equal(render_text(r), "edge1 192.0.2.1 AS64501  peer down (reason 4)\n");
}

static void test_no_peer_steers_the_terminal(void **state) {
  struct rig *r = *state;
  initiation(r, "ed\x1b[31m\nge\xff");
  assert_string_equal(render_text(r), "ed?[31m?ge? session begins: a router\n");
  initiation(r, "ed\x1b[31m\nge\xff");
  json_t *j = render(r);
  assert_str(j, "tlvs.1.text", "ed\x1b[31m\nge\xef\xbf\xbd");
  assert_int_equal(memchr(ww_buf_head(&r->out), 0x1b, r->out.len) == NULL, 1); /* escaped in the octets */
  json_decref(j);
}

/* Route Monitoring of version 3 says nothing of path ids: the OPENs did. */
static void test_remembers_the_opens(void **state) {
  struct rig *r = *state;
  static const uint8_t both[] = {69, 8, 0, 1, 1, 3, 0, 2, 1, 1};
  uint8_t open[200], update[200];
  struct ww_writer o = ww_writer_make(open, sizeof open), u = ww_writer_make(update, sizeof update);
  struct ww_bmp_peer p = peer_of(0);
  struct ww_addr local = {.afi = WW_AFI_IPV4, .bytes = {192, 0, 2, 254}};
  ww_bgp_open_write(&o, 64501, 90, 0xc0000201, both, sizeof both);
  ww_bmp_peer_up_write(&r->w, 3, &p, &local, 179, 4711, open, o.len, open, o.len, NULL);
  json_t *j = render(r);
  assert_str(j, "local_address", "192.0.2.254");
  assert_num(j, "sent_open.asn", 64501);
  assert_num(j, "received_open.hold_time", 90);
  json_decref(j);
  struct ww_bgp_nlri_item nlri = {.path_id = 77};
  assert_int_equal(ww_prefix_parse("10.0.0.0/8", &nlri.prefix), WW_OK);
  ww_bgp_update_write(&u, WW_AFI_IPV4, attrs, sizeof attrs, next_hop, 4, true, &nlri, 1);
  ww_bmp_route_write(&r->w, &p, update, u.len);
  j = render(r);
  assert_str(j, "update.announced.0.prefix", "10.0.0.0/8");
  assert_num(j, "update.announced.0.path_id", 77);
  assert_num(j, "update.attributes.as_path.0", 64501);
  assert_str(j, "update.attributes.next_hop", "192.0.2.1");
  json_decref(j);
  ww_bmp_route_write(&r->w, &p, update, u.len);
  assert_string_equal(render_text(r), "192.0.2.1 AS64501  10.0.0.0/8 (path 77)  path 64501 64510\n");
}

static void test_every_standard_type(void **state) {
  struct rig *r = *state;
  struct ww_bmp_peer p = peer_of(WW_BMP_FLAG_L);
  size_t start = ww_bmp_begin(&r->w, 3, WW_BMP_STATISTICS);
  ww_bmp_peer_write(&r->w, &p);
  ww_writer_u32(&r->w, 2);
  ww_bmp_tlv_write(&r->w, 7, "\0\0\0\0\0\0\1\0", 8);
  ww_bmp_tlv_write(&r->w, 35, "\0\1\1\0\0\0\0\0\0\0\5", 11);
  ww_bmp_end(&r->w, start);
  json_t *j = render(r);
  assert_str(j, "peer.view", "adj-rib-in-post");
  assert_str(j, "statistics.0.name", "adj-rib-in-routes");
  assert_num(j, "statistics.0.value", 256);
  assert_str(j, "statistics.1.name", "adj-rib-in-post-rov-invalid");
  assert_num(j, "statistics.1.afi", 1);
  assert_num(j, "statistics.1.value", 5);
  json_decref(j);

  start = ww_bmp_begin(&r->w, 3, WW_BMP_ROUTE_MIRRORING);
  ww_bmp_peer_write(&r->w, &p);
  ww_bmp_tlv_write(&r->w, WW_BMP_MIRROR_MESSAGE, "not BGP", 7);
  ww_bmp_tlv_write(&r->w, WW_BMP_MIRROR_INFORMATION, "\0\1", 2);
  ww_bmp_end(&r->w, start);
  j = render(r);
  assert_str(j, "mirrored.0.octets", "6e6f7420424750");
  assert_str(j, "mirrored.1.information", "messages-lost");
  json_decref(j);

  ww_bmp_termination_write(&r->w, 3, 2, "bye");
  j = render(r);
  assert_str(j, "reason_name", "out-of-resources");
  assert_str(j, "tlvs.1.text", "bye");
  json_decref(j);

  ww_bmp_peer_down_write(&r->w, 3, &p, 2, "\0\7", 2);
  j = render(r);
  assert_str(j, "reason_name", "local-fsm");
  assert_num(j, "fsm_event", 7);
  json_decref(j);

  start = ww_bmp_begin(&r->w, 3, 251);
  ww_writer_u16(&r->w, 0xbeef);
  ww_bmp_end(&r->w, start);
  j = render(r);
  assert_str(j, "type", "unknown");
  assert_num(j, "code", 251);
  assert_str(j, "body", "beef");
  json_decref(j);
}

static void test_version_4(void **state) {
  struct rig *r = *state;
  struct ww_bmp_peer p = peer_of(0);
  ww_bmp_peer_down_write(&r->w, 4, &p, 2, "\0\7", 2);
  size_t tlv = ww_tlv_begin(&r->w, WW_RM_TLV21_SEQUENCE, false, 0, false, false, 0);
  ww_writer_u64(&r->w, 99);
  ww_tlv_end(&r->w, tlv);
  ww_bmp_end(&r->w, 0);
  json_t *j = render(r);
  assert_num(j, "version", 4);
  assert_num(j, "sequence", 99);
  assert_num(j, "fsm_event", 7);
  json_decref(j);

  size_t start = ww_bmp_begin(&r->w, 4, WW_BMP_STATISTICS);
  ww_bmp_peer_write(&r->w, &p);
  tlv = ww_tlv_begin(&r->w, WW_STATS_TLV21_STATS, false, 0, false, false, 0);
  ww_writer_u32(&r->w, 1);
  size_t stat = ww_tlv_begin(&r->w, 5, true, 32473, false, false, 0);
  ww_writer_u64(&r->w, 12);
  ww_tlv_end(&r->w, stat);
  ww_tlv_end(&r->w, tlv);
  ww_bmp_end(&r->w, start);
  j = render(r);
  assert_num(j, "statistics.0.enterprise", 32473);
  assert_num(j, "statistics.0.value", 12);
  json_decref(j);

  uint8_t update[200];
  struct ww_writer u = ww_writer_make(update, sizeof update);
  ww_bgp_eor_write(&u, WW_AFI_IPV6);
  start = ww_bmp_begin(&r->w, 4, WW_BMP_ROUTE_MONITORING);
  ww_bmp_peer_write(&r->w, &p);
  tlv = ww_tlv_begin(&r->w, WW_RM_TLV21_BGP_MESSAGE, false, 0, true, false, 0);
  ww_writer_bytes(&r->w, update, u.len);
  ww_tlv_end(&r->w, tlv);
  ww_bmp_end(&r->w, start);
  j = render(r);
  assert_str(j, "update.end_of_rib", "ipv6");
  json_decref(j);
}

static void test_failures_add_nothing(void **state) {
  struct rig *r = *state;
  struct ww_bmp_peer p = peer_of(0);
  validation(r, WW_STATE_VALID);
  size_t len = r->w.len;
  for (size_t cut = 0; cut < len; cut++) {
    struct ww_diag diag = {0};
    uint8_t *exact = malloc(cut ? cut : 1);
    memcpy(exact, r->msg, cut);
    assert_int_equal(ww_bmp_render(exact, cut, &r->options, &r->out, &diag), WW_ERR_SHORT);
    assert_int_equal(ww_bmp_render_text(exact, cut, &r->options, &r->out, &diag), WW_ERR_SHORT);
    free(exact);
  }
  r->w.len = 0;
  size_t start = ww_bmp_begin(&r->w, 3, WW_BMP_PEER_UP);
  ww_bmp_peer_write(&r->w, &p);
  ww_bmp_end(&r->w, start);
  struct ww_diag diag = {0};
  assert_int_equal(ww_bmp_render(r->msg, r->w.len, &r->options, &r->out, &diag), WW_ERR_MALFORMED);
  assert_true(diag.text[0]);
  assert_int_equal(r->out.len, 0);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_verdict_schema),       TEST(test_text_lines),          TEST(test_no_peer_steers_the_terminal),
      TEST(test_remembers_the_opens),  TEST(test_every_standard_type), TEST(test_version_4),
      TEST(test_failures_add_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
