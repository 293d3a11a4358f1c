/* SPDX-License-Identifier: BSD-2-Clause */
/* BGP as real routers spoke it, and as attackers did: captures, when they are at hand. */
#include "tests/wire/pcap.h"

#include "wire/bgp.h"

struct tally {
  unsigned types[6], dispositions[5], bad_frames;
};

static void read_stream(const struct tcp_stream *s, struct ww_bgp_session session, struct tally *t) {
  struct ww_arena arena;
  ww_arena_init(&arena, 0);
  for (size_t at = 0; at < s->data.len;) {
    size_t len;
    uint8_t type;
    enum ww_err err = ww_bgp_frame(s->data.data + at, s->data.len - at, WW_BGP_MAX_LEN_EXTENDED, &len, &type, NULL);
    if (err != WW_OK) {
      t->bad_frames++;
      break;
    }
    struct octets one = octets_of(s->data.data + at, len);
    t->types[type]++;
    ww_arena_reset(&arena);
    if (type == WW_BGP_UPDATE) {
      struct ww_bgp_update u;
      struct ww_diag why = {0};
      assert_int_equal(ww_bgp_update_decode(one.data + 19, len - 19, &session, &arena, &u, &why), WW_OK);
      t->dispositions[u.disposition]++;
      if (u.disposition > WW_BGP_ATTRIBUTE_DISCARD)
        print_message("%s: %s (%s)\n", ww_bgp_disposition_name(u.disposition), why.text, why.clause);
    } else if (type == WW_BGP_OPEN) {
      struct ww_bgp_open open;
      assert_int_equal(ww_bgp_open_decode(one.data, len, &arena, &open, NULL), WW_OK);
    } else if (type == WW_BGP_NOTIFICATION) {
      struct ww_bgp_notification n;
      assert_int_equal(ww_bgp_notification_decode(one.data, len, &n, NULL), WW_OK);
    }
    free(one.data);
    at += len;
  }
  ww_arena_fini(&arena);
}

/* What one end's OPEN says of AS numbers; true when it was not captured. */
static bool offers_as4(const struct tcp_stream *s) {
  struct ww_arena arena;
  ww_arena_init(&arena, 0);
  struct ww_bgp_open open;
  size_t len;
  uint8_t type;
  bool as4 = ww_bgp_frame(s->data.data, s->data.len, WW_BGP_MAX_LEN, &len, &type, NULL) != WW_OK ||
             ww_bgp_open_decode(s->data.data, len, &arena, &open, NULL) != WW_OK || open.as4;
  ww_arena_fini(&arena);
  return as4;
}

/* The other direction of a connection. */
static const struct tcp_stream *partner(const struct capture *c, const struct tcp_stream *s) {
  uint8_t ends[36];
  memcpy(ends, s->ends + 16, 16);
  memcpy(ends + 16, s->ends, 16);
  memcpy(ends + 32, s->ends + 34, 2);
  memcpy(ends + 34, s->ends + 32, 2);
  for (size_t i = 0; i < c->count; i++)
    if (memcmp(c->streams[i].ends, ends, sizeof ends) == 0)
      return &c->streams[i];
  return s;
}

static void check(const char *name, bool add_path, const struct tally *want) {
  static struct capture c;
  if (!capture_read(&c, name))
    skip();
  struct tally got = {0};
  for (size_t i = 0; i < c.count; i++) {
    const struct tcp_stream *s = &c.streams[i];
    struct ww_bgp_session session = {
        .as4 = offers_as4(s) && offers_as4(partner(&c, s)), .add_path_ipv4 = add_path, .confed = true};
    read_stream(s, session, &got);
  }
  capture_fini(&c);
  print_message("types %u %u %u %u %u, accept %u discard %u withdraw %u reset %u, bad frames %u\n", got.types[1],
                got.types[2], got.types[3], got.types[4], got.types[5], got.dispositions[0], got.dispositions[1],
                got.dispositions[2], got.dispositions[4], got.bad_frames);
  assert_memory_equal(&got, want, sizeof got);
}

/* Counts of messages as tshark has them. */
static void test_sessions(void **state) {
  (void)state;
  check("data/bgp/netgauze.bgp_multiple-sessions_traffic.pcap", false,
        &(struct tally){.types = {0, 20, 100, 0, 171}, .dispositions = {100}});
}

/* A session with 2-octet AS numbers and AS4_PATH beside one with 4 octets. */
static void test_4byte(void **state) {
  (void)state;
  check("data/bgp/tcpdump.bgp-4byte-asn.pcap", false,
        &(struct tally){.types = {0, 8, 10, 1, 16}, .dispositions = {10}});
}

/* A test file of tcpdump: MP_REACH_NLRI as a well-known attribute. */
static void test_add_path(void **state) {
  (void)state;
  check("data/bgp/tcpdump.bgp-addpath.pcap", true,
        &(struct tally){.types = {0, 0, 1}, .dispositions = {[WW_BGP_SESSION_RESET] = 1}});
}

/* Fuzzed: an AS_PATH that made tcpdump read beyond its buffer. */
static void test_as_path_overrun(void **state) {
  (void)state;
  check("data/bgp/tcpdump.bgp-as-path-oobr.pcap", false,
        &(struct tally){.types = {0, 0, 6}, .dispositions = {3, [WW_BGP_SESSION_RESET] = 3}, .bad_frames = 2});
}

/* Fuzzed, and not BGP from its first octet on. */
static void test_mp_reach_overrun(void **state) {
  (void)state;
  check("data/bgp/tcpdump.bgp_mp_reach_nlri-oobr.pcap", false, &(struct tally){.bad_frames = 1});
}

/* What is wrong in BGPsec_PATH is not judged here. */
static void test_bgpsec_length(void **state) {
  (void)state;
  check("data/bgp/tcpdump.bgpsec_invalid_signature_block_length.pcap", false,
        &(struct tally){.types = {0, 0, 1}, .dispositions = {1}});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sessions),         cmocka_unit_test(test_4byte),
      cmocka_unit_test(test_add_path),         cmocka_unit_test(test_as_path_overrun),
      cmocka_unit_test(test_mp_reach_overrun), cmocka_unit_test(test_bgpsec_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
