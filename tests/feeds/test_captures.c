/* SPDX-License-Identifier: BSD-2-Clause */
/* The BMP station machine on captures of other routers' exporters, when they are at hand. */
#include "tests/wire/pcap.h"

#include "feeds/bmp_feed.h"

struct tally {
  unsigned ups, downs, updates, initiations, stats, other_families, malformed;
};

static void on_initiation(void *ctx, const char *name, const char *descr) {
  print_message("sysName \"%s\", sysDescr \"%.60s\"\n", name, descr);
  ((struct tally *)ctx)->initiations++;
}

static void on_up(void *ctx, const struct ww_bmp_peer *peer, const struct ww_bmp_msg *msg) {
  (void)peer;
  (void)msg;
  ((struct tally *)ctx)->ups++;
}

static void on_down(void *ctx, const struct ww_bmp_peer *peer, const struct ww_bmp_msg *msg) {
  (void)peer;
  (void)msg;
  ((struct tally *)ctx)->downs++;
}

static void on_update(void *ctx, const struct ww_bmp_peer *peer, enum ww_rib_view view,
                      const struct ww_bgp_update *update) {
  (void)peer;
  (void)view;
  (void)update;
  ((struct tally *)ctx)->updates++;
}

static void on_stats(void *ctx, const struct ww_bmp_peer *peer, const struct ww_bmp_msg *msg) {
  (void)peer;
  (void)msg;
  ((struct tally *)ctx)->stats++;
}

static void on_log(void *ctx, enum ww_log_level level, const char *text) {
  (void)ctx;
  print_message("%s: %s\n", ww_log_level_name(level), text);
}

static void check(const char *name, const struct tally *want, enum ww_err end) {
  static struct capture c;
  if (!capture_read(&c, name))
    skip();
  struct tally got = {0};
  struct ww_log log = {.emit = on_log, .level = WW_LOG_NOTICE};
  struct ww_bmp_feed_events events = {.ctx = &got,
                                      .initiation = on_initiation,
                                      .peer_up = on_up,
                                      .peer_down = on_down,
                                      .update = on_update,
                                      .stats = on_stats};
  struct ww_bmp_feed *feed = ww_bmp_feed_new(&events, &log);
  assert_non_null(feed);
  assert_int_equal(c.count, 1);
  struct ww_diag why = {0};
  enum ww_err err = ww_bmp_feed_input(feed, c.streams[0].data.data, c.streams[0].data.len, &why);
  struct ww_bmp_feed_stats stats;
  ww_bmp_feed_stats(feed, &stats);
  got.other_families = (unsigned)stats.other_family;
  got.malformed = (unsigned)stats.malformed_updates;
  print_message("ups %u downs %u updates %u initiations %u stats %u other families %u malformed %u; %s %s\n", got.ups,
                got.downs, got.updates, got.initiations, got.stats, got.other_families, got.malformed, ww_err_name(err),
                why.text);
  ww_bmp_feed_free(feed);
  capture_fini(&c);
  assert_int_equal(err, end);
  assert_memory_equal(&got, want, sizeof got);
  assert_int_equal(stats.ignored, 0);
  assert_int_equal(stats.unknown_peer, 0);
}

/* 18 Peer Ups tell of 5 peers. */
static void test_huawei(void **state) {
  (void)state;
  check("data/bmp/pmacct.200-BMP-HUAWEI-locrib_instance_traffic-00.pcap",
        &(struct tally){.ups = 5, .updates = 7, .initiations = 1, .other_families = 77}, WW_OK);
}

static void test_cisco(void **state) {
  (void)state;
  check("data/bmp/pmacct.201-BMP-CISCO-rd_instance_traffic-00.pcap",
        &(struct tally){.ups = 42, .updates = 251, .initiations = 1, .stats = 42}, WW_OK);
}

static void test_cisco_down(void **state) {
  (void)state;
  check("data/bmp/pmacct.204-BMP-CISCO-peer_down_traffic-00.pcap",
        &(struct tally){.ups = 10, .downs = 3, .updates = 52, .initiations = 1, .stats = 28, .other_families = 249},
        WW_OK);
}

/* Routes without NEXT_HOP; two VPN routes with 2-octet AS numbers and no A flag; a Loc-RIB without Peer Up. */
static void test_6wind(void **state) {
  (void)state;
  check("data/bmp/pmacct.205-BMP-6wind-FRR-peer_down_traffic-00.pcap",
        &(struct tally){
            .ups = 8, .downs = 2, .updates = 142, .initiations = 1, .stats = 48, .other_families = 309, .malformed = 2},
        WW_OK);
}

/* draft-ietf-grow-bmp-tlv: not for a station of version 3. */
static void test_version4(void **state) {
  (void)state;
  check("data/bmp/netgauze.bmp_stateless-with-add-path_ipv4_unicast_all.pcap", &(struct tally){0}, WW_ERR_UNSUPPORTED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_huawei), cmocka_unit_test(test_cisco),    cmocka_unit_test(test_cisco_down),
      cmocka_unit_test(test_6wind),  cmocka_unit_test(test_version4),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
