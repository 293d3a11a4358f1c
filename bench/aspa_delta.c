/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ASPA verification costs an engine: a router's table by twenty peers, judged from scratch for origin and path,
 * and then one changed ASPA at a time, of an origin, of a transit network, and of one that half of all paths go
 * through: from the moment the delta is known until the last verdict that it changed has been read by an exporter.
 * Every run checks that no more routes were judged than have the customer in their path.
 *
 *   bench_aspa_delta [routes]        1000000, of which each prefix comes from all twenty peers
 *
 * The data is made here: UPDATEs of five prefixes, paths of four to six ASes without counting prepends, ASPAs for
 * nine ASes of ten, each with the providers that the paths use and a few more.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/engine.h"

enum { PEERS = 20, PACK = 5, LOCAL_AS = 64999, TIER1S = 12, TRANSITS = 4000, LEN_MAX = 6 };
enum { TIER1 = 100, TRANSIT = 10000, ORIGIN = 200000, PEER_AS = 1000 };

static uint64_t rng_state = 8210;

static uint32_t rng(uint32_t below) {
  rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)((uint64_t)(uint32_t)(rng_state >> 32) * below >> 32);
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void need(bool ok, const char *what) {
  if (!ok) {
    fprintf(stderr, "bench_aspa_delta: %s\n", what);
    exit(1);
  }
}

struct bench {
  struct ww_now now;
  struct ww_engine *engine;
  struct ww_engine_router *router;
  struct ww_bmp_feed_events events;
  struct ww_out_view view;
  struct ww_journal_reader *reader;
  struct ww_snapshot *snapshot;
  struct ww_verdict verdict;
  uint32_t epoch, origins;
};

static struct ww_bmp_peer header_of(unsigned peer) {
  return (struct ww_bmp_peer){.address = {[15] = (uint8_t)(peer + 1)}, .asn = PEER_AS + peer, .sec = 1};
}

/* A fixed choice for a number: the topology. */
static uint32_t pick(uint32_t number, uint32_t salt, uint32_t below) {
  uint64_t x = ((uint64_t)number << 32 | salt) * 0x9e3779b97f4a7c15u;
  x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
  return (uint32_t)((x >> 32) * below >> 32);
}

static uint32_t transit_of(uint32_t origin) { return pick(origin, 1, TRANSITS); }
static uint32_t upper_of(uint32_t transit) { return pick(transit, 2, TRANSITS / 10); }
static uint32_t tier1_of(uint32_t transit) { return pick(transit, 3, 8) < 4 ? 0 : pick(transit, 4, TIER1S); }

/* Peer first, origin last. */
static unsigned path_of(unsigned peer, uint32_t origin, uint32_t out[LEN_MAX]) {
  unsigned n = 0;
  uint32_t transit = transit_of(origin), upper = upper_of(transit);
  out[n++] = PEER_AS + peer;
  if (peer % 4)
    out[n++] = TIER1 + tier1_of(upper);
  if (transit >= TRANSITS / 10)
    out[n++] = TRANSIT + upper;
  out[n++] = TRANSIT + transit;
  out[n++] = ORIGIN + origin;
  return n;
}

static void add_aspa(struct ww_payload_delta *delta, uint32_t customer, const uint32_t *providers, uint32_t count) {
  struct ww_aspa aspa = {.customer = customer, .provider_count = count, .providers = providers};
  need(ww_payloads_add_aspa(&delta->announce, &aspa) == WW_OK, "ASPA");
}

static void make_data(struct bench *b) {
  struct ww_payload_delta delta;
  memset(&delta, 0, sizeof delta);
  delta.source = 1;
  uint32_t providers[PEERS + 4];
  for (uint32_t o = 0; o < b->origins; o++) {
    providers[0] = TRANSIT + transit_of(o);
    providers[1] = 500 + rng(400);
    if (rng(10))
      add_aspa(&delta, ORIGIN + o, providers, 1 + rng(2));
    struct ww_vrp vrp = {
        .prefix = {.afi = WW_AFI_IPV4, .len = 20, .addr = {(uint8_t)(o >> 12), (uint8_t)(o >> 4), (uint8_t)(o << 4)}},
        .max_len = 24,
        .asn = rng(10) ? ORIGIN + o : 7};
    need(rng(2) == 0 || ww_payloads_add_vrp(&delta.announce, &vrp) == WW_OK, "VRP");
  }
  for (uint32_t t = 0; t < TRANSITS; t++) {
    uint32_t n = 0;
    providers[n++] = TRANSIT + upper_of(t);
    providers[n++] = TIER1 + tier1_of(t);
    for (uint32_t p = 0; p < PEERS; p += 4)
      providers[n++] = PEER_AS + p;
    if (rng(10))
      add_aspa(&delta, TRANSIT + t, providers, n);
  }
  for (uint32_t p = 0; p < PEERS; p++)
    providers[p] = PEER_AS + p;
  for (uint32_t t = 0; t < TIER1S; t++)
    add_aspa(&delta, TIER1 + t, providers, PEERS);
  need(ww_payloads_sort(&delta.announce) == WW_OK, "sort");
  struct ww_snapshot *empty = ww_snapshot_new();
  need(empty && ww_snapshot_apply(empty, &delta, ++b->epoch, true, &b->snapshot) == WW_OK, "snapshot");
  ww_snapshot_unref(empty);
  printf("%zu VRPs, %zu ASPAs\n", delta.announce.vrp_count, delta.announce.aspa_count);
  ww_payload_delta_fini(&delta);
}

static void open_peers(struct bench *b) {
  uint8_t open[64];
  struct ww_writer w = ww_writer_make(open, sizeof open);
  ww_bgp_open_write(&w, LOCAL_AS, 90, 1, NULL, 0);
  struct ww_bmp_msg msg;
  memset(&msg, 0, sizeof msg);
  msg.u.up.sent_open = msg.u.up.received_open = open;
  msg.u.up.sent_len = msg.u.up.received_len = w.len;
  for (unsigned peer = 0; peer < PEERS; peer++) {
    struct ww_bmp_peer header = header_of(peer);
    b->events.peer_up(b->events.ctx, &header, &msg);
  }
}

static void send_routes(struct bench *b, unsigned peer, uint32_t origin) {
  static const uint8_t next_hop[4] = {192, 0, 2, 1};
  uint32_t path[LEN_MAX];
  unsigned n = path_of(peer, origin, path);
  uint8_t attrs[128], nlri[PACK * 5];
  struct ww_writer w = ww_writer_make(attrs, sizeof attrs), r = ww_writer_make(nlri, sizeof nlri);
  ww_writer_bytes(&w,
                  (const uint8_t[]){0x40, WW_ATTR_ORIGIN, 1, 0, 0x40, WW_ATTR_AS_PATH, (uint8_t)(2 + 4 * n),
                                    WW_SEG_AS_SEQUENCE, (uint8_t)n},
                  9);
  for (unsigned i = 0; i < n; i++)
    ww_writer_u32(&w, path[i]);
  ww_writer_bytes(&w, (const uint8_t[]){0xc0, WW_ATTR_COMMUNITIES, 12}, 3);
  for (uint32_t i = 0; i < 3; i++)
    ww_writer_u32(&w, 0x0d1c0000 + path[1] % 64 + i);
  for (unsigned i = 0; i < PACK; i++) {
    struct ww_prefix p = {.afi = WW_AFI_IPV4,
                          .len = 24,
                          .addr = {(uint8_t)(origin >> 12), (uint8_t)(origin >> 4), (uint8_t)(origin << 4 | i)}};
    ww_nlri_write(&r, &p, false, 0);
  }
  struct ww_bgp_update u;
  memset(&u, 0, sizeof u);
  u.announced[0] = (struct ww_nlri){.afi = WW_AFI_IPV4, .data = nlri, .len = r.len};
  u.next_hop[0] = next_hop;
  u.next_hop_len[0] = 4;
  u.attrs = attrs;
  u.attrs_len = w.len;
  u.has_as_path = true;
  u.as_path = (struct ww_as_path){.data = attrs + 7, .len = 2 + 4 * n};
  struct ww_bmp_peer header = header_of(peer);
  b->events.update(b->events.ctx, &header, WW_VIEW_ADJ_IN_PRE, &u);
}

/* What an exporter does with the journal, less the writing of messages. */
static size_t drain(struct bench *b) {
  struct ww_change change;
  struct ww_out_route route;
  uint64_t seq;
  size_t told = 0;
  for (int got; (got = ww_journal_reader_next(b->reader, &change, &seq)) != 0;) {
    need(got > 0, "the reader fell off the journal");
    if (change.kind == WW_CHANGE_ROUTE && b->view.route(b->view.ctx, change.id, &route) && route.seq == seq)
      told += b->view.verdict(b->view.ctx, change.id, &b->verdict);
  }
  return told;
}

static struct ww_engine_counts counts_of(const struct bench *b) {
  struct ww_engine_counts c;
  ww_engine_router_counts(b->router, &c);
  return c;
}

struct holding {
  uint32_t asn;
  size_t count;
};

static int count_holding(void *ctx, const struct ww_engine_route *r) {
  struct holding *h = ctx;
  struct ww_as_path path = {.data = r->route.attrs + 7, .len = r->route.attrs[6]};
  struct ww_as_segment s;
  bool holds = false;
  while (ww_as_path_next(&path, &s))
    for (unsigned i = 0; i < s.count; i++)
      holds = holds || ww_as_segment_at(&s, i) == h->asn;
  h->count += holds;
  return 0;
}

/* The customer's ASPA without its first provider, or with others in their place. */
static void change_one(struct bench *b, const char *what, uint32_t customer, const uint32_t *providers,
                       uint32_t count) {
  struct ww_payload_delta delta;
  memset(&delta, 0, sizeof delta);
  delta.source = 1;
  add_aspa(&delta, customer, providers, count);
  need(ww_payloads_sort(&delta.announce) == WW_OK, "sort");
  struct holding h = {.asn = customer};
  ww_engine_router_routes(b->router, NULL, &h, count_holding);
  struct ww_engine_counts before = counts_of(b);
  struct ww_snapshot *next = NULL;
  double t = seconds();
  need(ww_snapshot_apply(b->snapshot, &delta, ++b->epoch, true, &next) == WW_OK, "apply");
  need(ww_engine_set_snapshot(b->engine, next, &delta, 1) == WW_OK, "set");
  bool more;
  size_t told = 0;
  do {
    more = ww_engine_work(b->engine, 2000, b->now);
    told += drain(b);
  } while (more);
  double took = seconds() - t;
  struct ww_engine_counts after = counts_of(b);
  printf("  %-28s %8.2f ms  in the path of %zu routes; %llu paths evaluated, %llu routes judged, %zu told\n", what,
         took * 1e3, h.count, (unsigned long long)(after.paths_evaluated - before.paths_evaluated),
         (unsigned long long)(after.evaluated - before.evaluated), told);
  need(after.evaluated - before.evaluated <= h.count, "more was judged than is concerned");
  ww_snapshot_unref(b->snapshot);
  b->snapshot = next;
  ww_payload_delta_fini(&delta);
}

int main(int argc, char **argv) {
  size_t routes = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
  struct bench b = {.now = {.mono = 1, .unix_sec = 1}, .origins = (uint32_t)(routes / PEERS / PACK)};
  need(b.origins > 0 && b.origins <= 1u << 20, "usage: bench_aspa_delta [routes]");
  struct ww_engine_router_config config = {.name = "bench", .journal_entries = 1u << 21};
  struct ww_engine_roles roles = {.others = WW_ROLE_PEER};
  struct ww_engine_role customers[PEERS / 4];
  for (unsigned i = 0; i < PEERS / 4; i++) /* every fourth peer sells transit */
    customers[i] = (struct ww_engine_role){.asn = PEER_AS + i * 4, .role = WW_ROLE_CUSTOMER};
  roles.peers = customers;
  roles.peer_count = PEERS / 4;
  make_data(&b);
  b.engine = ww_engine_new(NULL);
  need(b.engine != NULL, "engine");
  b.router = ww_engine_router_new(b.engine, &config);
  need(b.router && ww_engine_router_set_roles(b.router, &roles) == WW_OK, "router");
  ww_engine_router_events(b.router, &b.now, &b.events);
  ww_engine_router_view(b.router, &b.view);
  b.reader = ww_journal_reader_new(ww_engine_router_journal(b.router));
  need(b.reader && ww_engine_set_snapshot(b.engine, b.snapshot, NULL, 0) == WW_OK, "start");
  open_peers(&b);

  size_t heap = mallinfo2().uordblks + mallinfo2().hblkhd;
  double t = seconds();
  for (unsigned peer = 0; peer < PEERS; peer++)
    for (uint32_t o = 0; o < b.origins; o++)
      send_routes(&b, peer, o);
  double fed = seconds() - t;
  heap = mallinfo2().uordblks + mallinfo2().hblkhd - heap;
  struct ww_engine_counts c = counts_of(&b);
  t = seconds();
  size_t told = drain(&b);
  double drained = seconds() - t;
  const struct ww_engine_kind_counts *aspa = &c.kinds[WW_KIND_ASPA - 1];
  printf("%llu routes, %llu prefixes, %llu attribute sets, %llu paths\n", (unsigned long long)c.routes,
         (unsigned long long)c.prefixes, (unsigned long long)c.attrs, (unsigned long long)c.paths);
  printf("  ASPA: valid %llu, unknown %llu, invalid %llu\n", (unsigned long long)aspa->valid,
         (unsigned long long)aspa->unknown, (unsigned long long)aspa->invalid);
  printf("  heard and judged           %8.0f routes/s\n", (double)c.routes / fed);
  printf("  read with evidence         %8.0f routes/s\n", (double)told / drained);
  printf("  memory                     %8.1f octets a route in tables, %.1f in the heap\n",
         (double)c.bytes / (double)c.routes, (double)heap / (double)c.routes);
  for (unsigned round = 0; round < 3; round++) {
    t = seconds();
    need(ww_engine_set_snapshot(b.engine, b.snapshot, NULL, 0) == WW_OK, "set");
    while (ww_engine_work(b.engine, 100000, b.now))
      drain(&b);
    printf("  origin and path of every route from scratch %8.1f ms\n", (seconds() - t) * 1e3);
  }
  uint32_t none[1] = {0}, all[PEERS];
  for (uint32_t p = 0; p < PEERS; p++)
    all[p] = PEER_AS + p;
  char what[64];
  for (uint32_t i = 0; i < 3; i++) {
    uint32_t origin = pick(i, 9, b.origins), transit = transit_of(origin), upper = upper_of(transit);
    uint32_t right[1] = {TRANSIT + transit};
    snprintf(what, sizeof what, "origin AS%u: AS 0", ORIGIN + origin);
    change_one(&b, what, ORIGIN + origin, none, 1);
    snprintf(what, sizeof what, "origin AS%u: mended", ORIGIN + origin);
    change_one(&b, what, ORIGIN + origin, right, 1);
    snprintf(what, sizeof what, "transit AS%u: AS 0", TRANSIT + upper);
    change_one(&b, what, TRANSIT + upper, none, 1);
  }
  change_one(&b, "AS100: one provider less", TIER1, all, PEERS - 1);
  change_one(&b, "AS100: as before", TIER1, all, PEERS);
  change_one(&b, "AS100: AS 0", TIER1, none, 1);
  t = seconds();
  b.events.peer_down(b.events.ctx, &(struct ww_bmp_peer){.address = {[15] = 1}, .asn = PEER_AS, .sec = 2},
                     &(struct ww_bmp_msg){.u.down.reason = 4});
  printf("  Peer Down of one of %u: %.1f ms for %llu routes\n", PEERS, (seconds() - t) * 1e3,
         (unsigned long long)(c.routes / PEERS));
  ww_journal_reader_free(b.reader);
  ww_engine_free(b.engine);
  ww_snapshot_unref(b.snapshot);
  ww_verdict_fini(&b.verdict);
  return 0;
}
