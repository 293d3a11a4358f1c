/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a station prints is what the engine would have printed: random routes, roles, VRPs, ASPAs and router keys go
 * through the engine, an export session and the renderer; each verdict object is compared with the one that
 * validator/verdict_json.c makes of the engine's own verdict. The order of records is not compared: a message lists
 * what its NLRIs share once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "bmpout/numbers.h"
#include "bmpout/render.h"
#include "bmpout/session.h"
#include "engine/engine.h"
#include "validator/verdict_json.h"
#include "wire/bgp_bgpsec.h"

enum { SIGNERS = 3, SIGNED_MAX = 2048, PEERS = 4, ROUTES = 40, AS_MAX = 12, LOCAL_AS = 64999, ROUNDS = 60 };

static struct ww_bgpsec_signer *signers[SIGNERS];
static uint64_t rng_state;

static uint32_t rng(uint32_t below) {
  rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)((uint64_t)(uint32_t)(rng_state >> 32) * below >> 32);
}

static struct ww_now now = {.mono = 1, .unix_sec = 1700000000};

struct lab {
  struct ww_engine *engine;
  struct ww_engine_router *router;
  struct ww_bmp_feed_events events;
  struct ww_out_view view;
  struct ww_snapshot *snapshot;
};

static struct ww_bmp_peer header_of(uint32_t peer) {
  return (struct ww_bmp_peer){
      .address = {[12] = 192, [14] = 2, [15] = (uint8_t)peer}, .asn = peer, .bgp_id = 1, .sec = 5};
}

static struct ww_prefix random_prefix(void) {
  struct ww_prefix p = {.afi = rng(3) ? WW_AFI_IPV4 : WW_AFI_IPV6, .len = (uint8_t)(16 + rng(9)), .addr = {10}};
  p.addr[1] = (uint8_t)rng(8);
  p.addr[2] = (uint8_t)rng(256);
  ww_prefix_mask(&p);
  return p;
}

static void make_data(struct lab *lab) {
  struct ww_snapshot *base = ww_snapshot_new();
  for (ww_source_id source = 1; source <= 2; source++) {
    struct ww_payload_delta delta;
    memset(&delta, 0, sizeof delta);
    delta.source = source;
    for (unsigned i = rng(30); i > 0; i--) {
      struct ww_vrp vrp = {.prefix = random_prefix(), .asn = rng(AS_MAX), .expires = rng(2) ? 1800000000 + i : 0};
      vrp.prefix.len = 16;
      ww_prefix_mask(&vrp.prefix);
      vrp.max_len = (uint8_t)(16 + rng(9));
      assert_int_equal(ww_payloads_add_vrp(&delta.announce, &vrp), WW_OK);
    }
    for (uint32_t customer = 1; customer < AS_MAX; customer++) {
      uint32_t providers[8];
      struct ww_aspa aspa = {.customer = customer, .providers = providers, .expires = rng(2) ? 1800000000 : 0};
      for (aspa.provider_count = 0; aspa.provider_count < 1 + rng(7); aspa.provider_count++)
        providers[aspa.provider_count] = 1 + rng(AS_MAX);
      if (rng(3))
        assert_int_equal(ww_payloads_add_aspa(&delta.announce, &aspa), WW_OK);
    }
    for (uint32_t asn = 1; asn <= AS_MAX; asn++)
      for (unsigned i = 0; i < SIGNERS; i++) {
        struct ww_router_key key = {
            .asn = asn, .spki = ww_bgpsec_signer_spki(signers[i]), .spki_len = 91, .expires = 5};
        assert_true(ww_bgpsec_ski(key.spki, key.spki_len, key.ski));
        if (rng(3))
          assert_int_equal(ww_payloads_add_key(&delta.announce, &key), WW_OK);
      }
    assert_int_equal(ww_payloads_sort(&delta.announce), WW_OK);
    struct ww_snapshot *next;
    assert_int_equal(ww_snapshot_apply(base, &delta, source, true, &next), WW_OK);
    ww_snapshot_unref(base);
    base = next;
    ww_payload_delta_fini(&delta);
  }
  lab->snapshot = base;
}

/* A BGPsec_PATH of random hops from this neighbor; now and then not what it should be. */
static size_t random_signed(const struct ww_prefix *prefix, uint32_t neighbor, uint8_t *out) {
  uint8_t before[SIGNED_MAX];
  uint32_t asns[4] = {rng(12) ? neighbor : 9};
  unsigned count = 1 + rng(3);
  size_t len = 0;
  for (unsigned i = 1; i < count; i++)
    asns[i] = 1 + rng(AS_MAX);
  for (unsigned i = count; i > 0; i--) {
    struct ww_bgpsec_sign_key key = {.suite = WW_BGPSEC_SUITE_P256, .signer = signers[rng(SIGNERS)]};
    struct ww_bgpsec_sign_request q = {.prefix = *prefix,
                                       .path = len ? before : NULL,
                                       .path_len = len,
                                       .asn = asns[i - 1],
                                       .pcount = (uint8_t)(1 + rng(2)),
                                       .target_as = i > 1 ? asns[i - 2] : (uint32_t)LOCAL_AS,
                                       .keys = &key,
                                       .key_count = 1};
    assert_int_equal(ww_bgpsec_sign(&q, out, SIGNED_MAX, &len, NULL), WW_OK);
    memcpy(before, out, len);
  }
  if (rng(6) == 0)
    out[len - 1] ^= 1;
  return len;
}

static void announce_signed(struct lab *lab, uint32_t peer) {
  static const uint8_t next_hop[16] = {192, 0, 2, 1};
  uint8_t path[SIGNED_MAX], attrs[SIGNED_MAX + 16], nlri[64];
  struct ww_prefix prefix = random_prefix();
  size_t len = random_signed(&prefix, peer, path);
  struct ww_writer w = ww_writer_make(attrs, sizeof attrs), n = ww_writer_make(nlri, sizeof nlri);
  struct ww_bgp_update u;
  memset(&u, 0, sizeof u);
  ww_writer_bytes(&w, (const uint8_t[]){0x40, WW_ATTR_ORIGIN, 1, 0, 0x90, WW_ATTR_BGPSEC_PATH}, 6);
  ww_writer_u16(&w, (uint16_t)len);
  u.bgpsec_path = attrs + w.len;
  u.bgpsec_path_len = len;
  ww_writer_bytes(&w, path, len);
  u.attrs = attrs;
  u.attrs_len = w.len;
  ww_nlri_write(&n, &prefix, false, 0);
  if (rng(8) == 0) { /* not allowed, and of other prefixes no signature is good */
    prefix.len = 16;
    ww_prefix_mask(&prefix);
    ww_nlri_write(&n, &prefix, false, 0);
  }
  u.announced[1] = (struct ww_nlri){.afi = prefix.afi, .data = nlri, .len = n.len};
  u.next_hop[1] = next_hop;
  u.next_hop_len[1] = prefix.afi == WW_AFI_IPV6 ? 16 : 4;
  struct ww_bmp_peer header = header_of(peer);
  lab->events.update(lab->events.ctx, &header, WW_VIEW_ADJ_IN_PRE, &u);
}

static void make_routes(struct lab *lab) {
  uint8_t open[128];
  struct ww_writer w = ww_writer_make(open, sizeof open);
  ww_bgp_open_write(&w, LOCAL_AS, 90, 1, NULL, 0);
  struct ww_bmp_msg msg;
  memset(&msg, 0, sizeof msg);
  msg.u.up.sent_open = msg.u.up.received_open = open;
  msg.u.up.sent_len = msg.u.up.received_len = w.len;
  for (uint32_t peer = 1; peer <= PEERS; peer++) {
    struct ww_bmp_peer header = header_of(peer);
    lab->events.peer_up(lab->events.ctx, &header, &msg);
  }
  for (unsigned i = 0; i < ROUTES; i++) {
    static const uint8_t next_hop[16] = {192, 0, 2, 1};
    if (rng(3) == 0) {
      announce_signed(lab, 1 + rng(PEERS));
      continue;
    }
    uint32_t peer = 1 + rng(PEERS), asn = rng(8) ? peer : 1 + rng(AS_MAX);
    char path[128];
    size_t at = (size_t)snprintf(path, sizeof path, "%u", asn);
    for (unsigned n = rng(6); n > 0; n--) {
      asn = rng(4) ? 1 + rng(AS_MAX) : asn;
      at += (size_t)snprintf(path + at, sizeof path - at, rng(30) ? " %u" : " {%u}", asn);
    }
    uint8_t attrs[256], nlri[64];
    w = ww_writer_make(attrs, sizeof attrs);
    ww_writer_bytes(&w, (const uint8_t[]){0x40, WW_ATTR_ORIGIN, 1, 0, 0x40, WW_ATTR_AS_PATH, 0}, 7);
    assert_int_equal(ww_as_path_parse(path, &w, NULL), WW_OK);
    attrs[6] = (uint8_t)(w.len - 7);
    struct ww_bgp_update u;
    memset(&u, 0, sizeof u);
    u.attrs = attrs;
    u.attrs_len = w.len;
    u.has_as_path = true;
    u.as_path = (struct ww_as_path){.data = attrs + 7, .len = w.len - 7};
    struct ww_prefix prefix = random_prefix();
    struct ww_writer n = ww_writer_make(nlri, sizeof nlri);
    ww_nlri_write(&n, &prefix, false, 0);
    prefix.len = 16; /* another one of the same attributes */
    ww_prefix_mask(&prefix);
    ww_nlri_write(&n, &prefix, false, 0);
    unsigned field = prefix.afi - 1u;
    u.announced[field] = (struct ww_nlri){.afi = prefix.afi, .data = nlri, .len = n.len};
    u.next_hop[field] = next_hop;
    u.next_hop_len[field] = field ? 16 : 4;
    struct ww_bmp_peer header = header_of(peer);
    lab->events.update(lab->events.ctx, &header, WW_VIEW_ADJ_IN_PRE, &u);
  }
}

static void lab_make(struct lab *lab) {
  static const uint8_t roles[] = {WW_ROLE_PROVIDER, WW_ROLE_CUSTOMER, WW_ROLE_PEER, WW_ROLE_RS_CLIENT, WW_ROLE_NONE};
  static const struct ww_engine_source sources[] = {{.id = 1, .type = 1, .name = "main"},
                                                    {.id = 2, .type = 4, .name = "lab"}};
  struct ww_engine_router_config config = {.name = "edge1"};
  struct ww_engine_role peers[PEERS];
  for (uint32_t i = 0; i < PEERS; i++)
    peers[i] = (struct ww_engine_role){.asn = i + 1, .role = roles[rng(5)]};
  lab->engine = ww_engine_new(NULL);
  lab->router = ww_engine_router_new(lab->engine, &config);
  assert_non_null(lab->router);
  ww_engine_set_sources(lab->engine, sources, 2);
  struct ww_engine_roles all = {.peers = peers, .peer_count = PEERS, .others = WW_ROLE_NONE, .none = (uint8_t)rng(4)};
  assert_int_equal(ww_engine_router_set_roles(lab->router, &all), WW_OK);
  ww_engine_router_events(lab->router, &now, &lab->events);
  ww_engine_router_view(lab->router, &lab->view);
  make_data(lab);
  assert_int_equal(ww_engine_set_snapshot(lab->engine, lab->snapshot, NULL, 0), WW_OK);
  make_routes(lab);
  while (ww_engine_work(lab->engine, 100, now))
    ;
}

static void lab_free(struct lab *lab) {
  ww_engine_free(lab->engine);
  ww_snapshot_unref(lab->snapshot);
}

static const char *source_name(void *ctx, ww_source_id id) {
  const struct lab *lab = ctx;
  return lab->view.source_name(lab->view.ctx, id);
}

/* The engine's own words on a route. */
static json_t *verdict_here(struct lab *lab, const struct ww_out_route *route, uint32_t id,
                            struct ww_verdict *verdict) {
  assert_true(lab->view.verdict(lab->view.ctx, id, verdict));
  struct ww_verdict_view view = {.prefix = route->prefix,
                                 .as_path = route->attrs + 7,
                                 .as_path_len = route->attrs_len - 7,
                                 .neighbor_as = route->peer,
                                 .verdict = verdict,
                                 .source_name = source_name,
                                 .ctx = lab};
  uint8_t octets[512];
  if (route->attrs[5] == WW_ATTR_BGPSEC_PATH) {
    struct ww_bgpsec_path secure;
    struct ww_writer w = ww_writer_make(octets, sizeof octets);
    assert_int_equal(ww_bgpsec_path_decode(route->attrs + 8, route->attrs_len - 8, &secure, NULL),
                     WW_BGPSEC_REASON_NONE);
    ww_bgpsec_as_path_write(&w, &secure);
    view.as_path = octets;
    view.as_path_len = w.len;
  }
  struct ww_as_path path = {.data = view.as_path, .len = view.as_path_len};
  view.origin = (struct ww_origin){.none = true};
  for (struct ww_as_segment s; ww_as_path_next(&path, &s);)
    view.origin = (struct ww_origin){.asn = s.type == WW_SEG_AS_SET ? 0 : ww_as_segment_at(&s, s.count - 1u),
                                     .none = s.type == WW_SEG_AS_SET};
  struct ww_buf text;
  ww_buf_init(&text, 0);
  assert_int_equal(ww_verdict_json(&text, &view, false), WW_OK);
  json_t *json = json_loadb((const char *)ww_buf_head(&text), text.len, 0, NULL);
  ww_buf_fini(&text);
  assert_non_null(json);
  return json;
}

/* Sorts an array by its members' text. */
static json_t *sorted(const json_t *array) {
  json_t *rest = json_copy((json_t *)(uintptr_t)array), *out = json_array();
  while (json_array_size(rest)) {
    size_t least = 0;
    char *text = json_dumps(json_array_get(rest, 0), JSON_SORT_KEYS | JSON_ENCODE_ANY);
    for (size_t i = 1; i < json_array_size(rest); i++) {
      char *other = json_dumps(json_array_get(rest, i), JSON_SORT_KEYS | JSON_ENCODE_ANY);
      if (strcmp(other, text) < 0) {
        char *swap = text;
        text = other;
        other = swap;
        least = i;
      }
      free(other);
    }
    free(text);
    json_array_append(out, json_array_get(rest, least));
    json_array_remove(rest, least);
  }
  json_decref(rest);
  return out;
}

/* Takes out what only the wire has, and orders the records. */
static void comparable(json_t *verdict) {
  static const char *const lists[] = {"rules", "covering"};
  json_object_del(verdict, "trigger");
  json_object_del(verdict, "path_id");
  for (unsigned l = 0; l < 2; l++) {
    json_t *list = json_object_get(verdict, lists[l]), *record;
    size_t i;
    json_array_foreach(list, i, record) {
      json_object_del(record, "source_id");
      json_object_del(record, "static");
      json_object_del(record, "slurm");
    }
    json_object_set_new(verdict, lists[l], sorted(list));
  }
}

/* Everything that a station prints, by "peer prefix". */
static json_t *verdicts_there(struct lab *lab, bool covering, size_t max_message) {
  struct ww_bmpout_config config = {.profile = WW_PROFILE_V4,
                                    .pen = WW_PEN_EXAMPLE,
                                    .tlv_draft = 21,
                                    .covering = covering,
                                    .max_message = max_message};
  struct ww_bmpout_session *s = ww_bmpout_session_new(&config, &lab->view, ww_engine_router_journal(lab->router), NULL);
  struct ww_render_options options = {.pen = WW_PEN_EXAMPLE, .state = ww_render_state_new()};
  struct ww_buf octets, line;
  json_t *out = json_object();
  ww_buf_init(&octets, 0);
  ww_buf_init(&line, 0);
  bool more = true;
  while (more || octets.len) {
    now.mono += 100;
    more = ww_bmpout_session_pull(s, &octets, 5000, now);
    while (octets.len) {
      struct ww_bmp_header header;
      struct ww_diag diag = {0};
      assert_int_equal(ww_bmp_frame(ww_buf_head(&octets), octets.len, WW_BMP_MAX_LEN, &header, NULL), WW_OK);
      if (ww_bmp_render(ww_buf_head(&octets), header.len, &options, &line, &diag) != WW_OK)
        fail_msg("%s", diag.text);
      ww_buf_consume(&octets, header.len);
      json_t *json = json_loadb((const char *)ww_buf_head(&line), line.len, 0, NULL), *verdict;
      assert_non_null(json);
      ww_buf_clear(&line);
      size_t i;
      json_array_foreach(json_object_get(json, "verdicts"), i, verdict) {
        char key[128];
        snprintf(key, sizeof key, "%lld %s", json_integer_value(json_object_get(json_object_get(json, "peer"), "asn")),
                 json_string_value(json_object_get(verdict, "prefix")));
        json_object_set(out, key, verdict);
      }
      json_decref(json);
    }
  }
  ww_bmpout_session_free(s);
  ww_render_state_free(options.state);
  ww_buf_fini(&octets);
  ww_buf_fini(&line);
  return out;
}

struct seen {
  size_t routes, invalid_paths, valid_paths, unknown_paths, aspas, covering;
  size_t valid_signed, invalid_signed;
};

static void compare(struct lab *lab, bool covering, size_t max_message, struct seen *seen) {
  json_t *there = verdicts_there(lab, covering, max_message);
  struct ww_verdict verdict = {0};
  size_t count = 0;
  for (uint32_t peer = 0; (peer = lab->view.peer_next(lab->view.ctx, peer)) != 0;) {
    void *walker = lab->view.walk_new(lab->view.ctx, peer);
    for (uint32_t id; (id = lab->view.walk_next(lab->view.ctx, walker)) != 0; count++) {
      struct ww_out_route route;
      assert_true(lab->view.route(lab->view.ctx, id, &route));
      json_t *here = verdict_here(lab, &route, id, &verdict);
      char key[128];
      snprintf(key, sizeof key, "%u %s", peer, json_string_value(json_object_get(here, "prefix")));
      json_t *told = json_object_get(there, key);
      if (!told)
        fail_msg("%s was not told", key);
      if (!covering)
        json_object_set_new(here, "covering", json_array());
      comparable(here);
      comparable(told);
      if (!json_equal(here, told))
        fail_msg("%s\nhere:  %s\nthere: %s", key, json_dumps(here, JSON_SORT_KEYS), json_dumps(told, JSON_SORT_KEYS));
      seen->invalid_paths += verdict.aspa.state == WW_STATE_INVALID && verdict.aspa.hop_count;
      seen->valid_paths += verdict.aspa.state == WW_STATE_VALID && verdict.aspa.hop_count;
      seen->unknown_paths += verdict.aspa.state == WW_STATE_UNKNOWN;
      seen->aspas += verdict.aspa.hit_count;
      seen->valid_signed += verdict.bgpsec.state == WW_STATE_VALID;
      seen->invalid_signed += verdict.bgpsec.state == WW_STATE_INVALID;
      seen->covering += json_array_size(json_object_get(here, "covering"));
      json_decref(here);
    }
    lab->view.walk_free(lab->view.ctx, walker);
  }
  assert_int_equal(count, json_object_size(there));
  seen->routes += count;
  ww_verdict_fini(&verdict);
  json_decref(there);
}

static void test_station_prints_what_the_engine_says(void **state) {
  (void)state;
  struct seen seen = {0};
  for (unsigned i = 0; i < SIGNERS; i++)
    assert_int_equal(ww_bgpsec_signer_generate(&signers[i]), WW_OK);
  for (unsigned round = 0; round < ROUNDS; round++) {
    struct lab lab;
    rng_state = round * 7919 + 3;
    lab_make(&lab);
    compare(&lab, round % 2, round % 3 ? 65535 : 8192, &seen);
    lab_free(&lab);
  }
  print_message("%zu routes; paths valid %zu, unknown %zu, invalid %zu; %zu ASPAs, %zu covering\n", seen.routes,
                seen.valid_paths, seen.unknown_paths, seen.invalid_paths, seen.aspas, seen.covering);
  assert_true(seen.routes > 1000 && seen.valid_paths > 50 && seen.unknown_paths > 50 && seen.invalid_paths > 50);
  assert_true(seen.aspas > 1000 && seen.covering > 100);
  print_message("signed routes valid %zu, invalid %zu\n", seen.valid_signed, seen.invalid_signed);
  assert_true(seen.valid_signed > 50 && seen.invalid_signed > 50);
  for (unsigned i = 0; i < SIGNERS; i++)
    ww_bgpsec_signer_free(signers[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_station_prints_what_the_engine_says)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
