/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a payload delta costs an engine that holds a router's whole table: from the moment the delta is known until the
 * last verdict that it changed has been read by an exporter, building the new snapshot included. Beside it: what
 * librtr takes to judge every route again, which is what a program without an index of its routes has to do.
 *
 *   bench_delta [routes [vrps [changes]]]        1000000 700000 500
 *
 * The data is made here, the same on every run: ASes that hold a few VRPs each, and UPDATEs of 20 prefixes from one AS,
 * most of them the AS's own, some too long, some another's, some covered by nothing. Two tables: every route the only
 * one of its prefix, and every prefix from all four peers.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/engine.h"
#include "rib/prefix_table.h"

#ifdef WW_HAVE_RTRLIB
#include <rtrlib/rtrlib.h>
#endif

enum { PEERS = 4, PACK = 20, ROUNDS = 7, VRPS_PER_AS = 14, LOCAL_AS = 64999 };

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
    fprintf(stderr, "bench_delta: %s\n", what);
    exit(1);
  }
}

/* ---- data ---- */

struct route {
  struct ww_prefix prefix;
  uint32_t origin;
};

struct data {
  struct ww_vrp *vrps; /* VRPS_PER_AS of each AS, ascending by AS */
  size_t vrp_count, route_count, changes;
  struct route *routes; /* PACK of one origin after the other */
};

static uint8_t pick_len(bool six) {
  static const uint8_t v4[] = {24, 24, 24, 24, 24, 24, 23, 22, 22, 21, 20, 19},
                       v6[] = {48, 48, 48, 48, 32, 32, 40, 44, 36};
  return six ? v6[rng(sizeof v6)] : v4[rng(sizeof v4)];
}

static struct ww_prefix pick_prefix(bool six, uint8_t len) {
  struct ww_prefix p;
  memset(&p, 0, sizeof p);
  p.afi = six ? WW_AFI_IPV6 : WW_AFI_IPV4;
  p.len = len;
  for (unsigned i = 0; i < (six ? 8u : 4u); i++)
    p.addr[i] = (uint8_t)rng(256);
  if (six) {
    p.addr[0] = 0x20 | (p.addr[0] & 0x0f);
  } else if (p.addr[0] == 0 || p.addr[0] > 223) {
    p.addr[0] = 5;
  }
  ww_prefix_mask(&p);
  return p;
}

/* `p` made longer, to `len`, with random bits. */
static struct ww_prefix narrow(struct ww_prefix p, uint8_t len) {
  for (unsigned bit = p.len; bit < len; bit++)
    if (rng(2))
      p.addr[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
  p.len = len;
  return p;
}

static uint32_t asn_of(size_t vrp) { return 1000 + (uint32_t)(vrp / VRPS_PER_AS); }

static void make_data(struct data *d) {
  d->vrps = calloc(d->vrp_count, sizeof *d->vrps);
  d->routes = calloc(d->route_count, sizeof *d->routes);
  need(d->vrps && d->routes, "no memory");
  for (size_t i = 0; i < d->vrp_count; i++) {
    bool six = i / VRPS_PER_AS % 5 == 0; /* an AS has one family, as an UPDATE has */
    uint8_t len = pick_len(six), top = six ? 48 : 24;
    d->vrps[i].prefix = pick_prefix(six, len);
    d->vrps[i].max_len = rng(4) ? len : (uint8_t)(len + rng((uint32_t)(top - len) + 1));
    d->vrps[i].asn = asn_of(i);
  }
  struct ww_prefix_table *seen[2] = {ww_prefix_table_new(WW_AFI_IPV4), ww_prefix_table_new(WW_AFI_IPV6)};
  need(seen[0] && seen[1], "no memory");
  for (size_t i = 0; i < d->route_count; i++) {
    size_t as = (i / PACK * 7919) % (d->vrp_count / VRPS_PER_AS);
    const struct ww_vrp *own = &d->vrps[as * VRPS_PER_AS + i % PACK % VRPS_PER_AS];
    const bool six = own->prefix.afi == WW_AFI_IPV6;
    struct route *r = &d->routes[i];
    r->origin = own->asn;
    uint32_t kind = rng(100);
    for (uint32_t *slot = NULL; !slot || *slot; kind = rng(100)) { /* no prefix twice */
      uint8_t top = six ? 48 : 24;
      if (kind < 50) {
        r->prefix = narrow(own->prefix, (uint8_t)(own->prefix.len + rng(own->max_len - own->prefix.len + 1u)));
      } else if (kind < 60) {
        r->prefix = narrow(own->prefix, top > own->prefix.len ? top : own->prefix.len);
      } else if (kind < 65) {
        do
          r->prefix = d->vrps[rng((uint32_t)d->vrp_count)].prefix;
        while (r->prefix.afi != own->prefix.afi);
      } else {
        r->prefix = pick_prefix(six, pick_len(six));
      }
      slot = ww_prefix_table_enter(seen[six], &r->prefix);
      need(slot != NULL, "no memory");
      if (!*slot) {
        *slot = 1;
        break;
      }
    }
  }
  ww_prefix_table_free(seen[0]);
  ww_prefix_table_free(seen[1]);
}

/* ---- the engine ---- */

struct bench {
  const struct data *data;
  struct ww_now now;
  struct ww_engine *engine;
  struct ww_engine_router *router;
  struct ww_bmp_feed_events events;
  struct ww_out_view view;
  struct ww_journal_reader *reader;
  struct ww_snapshot *snapshot;
  struct ww_verdict verdict;
  uint32_t epoch;
};

static struct ww_bmp_peer header_of(unsigned peer) {
  return (struct ww_bmp_peer){.address = {[15] = (uint8_t)(peer + 1)}, .asn = 64500 + peer, .sec = 1};
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

/* The UPDATE of group `group` from `peer`: PACK prefixes, one path of four ASes, a few communities. */
static void send_group(struct bench *b, size_t group, unsigned peer) {
  static const uint8_t next_hop[16] = {192, 0, 2, 1};
  const struct route *routes = &b->data->routes[group * PACK];
  uint8_t attrs[128], nlri[2][PACK * 17];
  struct ww_writer w = ww_writer_make(attrs, sizeof attrs), n[2];
  ww_writer_bytes(&w, (const uint8_t[]){0x40, WW_ATTR_ORIGIN, 1, 0, 0x40, WW_ATTR_AS_PATH, 18, WW_SEG_AS_SEQUENCE, 4},
                  9);
  ww_writer_u32(&w, 64500 + peer);
  ww_writer_u32(&w, 3356);
  ww_writer_u32(&w, 100000 + (uint32_t)(group % 5000));
  ww_writer_u32(&w, routes[0].origin);
  ww_writer_bytes(&w, (const uint8_t[]){0xc0, WW_ATTR_COMMUNITIES, 12}, 3);
  for (uint32_t i = 0; i < 3; i++)
    ww_writer_u32(&w, 0x0d1c0000 + (uint32_t)group % 64 + i);
  struct ww_bgp_update u;
  memset(&u, 0, sizeof u);
  for (unsigned f = 0; f < 2; f++)
    n[f] = ww_writer_make(nlri[f], sizeof nlri[f]);
  for (unsigned i = 0; i < PACK; i++)
    ww_nlri_write(&n[routes[i].prefix.afi - 1], &routes[i].prefix, false, 0);
  for (unsigned f = 0; f < 2; f++) {
    u.announced[f] = (struct ww_nlri){.afi = (uint8_t)(f + 1), .data = nlri[f], .len = n[f].len};
    u.next_hop[f] = next_hop;
    u.next_hop_len[f] = f ? 16 : 4;
  }
  u.attrs = attrs;
  u.attrs_len = w.len;
  u.has_as_path = true;
  u.as_path = (struct ww_as_path){.data = attrs + 7, .len = 18};
  struct ww_bmp_peer header = header_of(peer);
  b->events.update(b->events.ctx, &header, WW_VIEW_ADJ_IN_PRE, &u);
}

/* What an exporter does with the journal, less the writing of messages. Counts routes read with their evidence. */
static size_t drain(struct bench *b) {
  struct ww_change change;
  struct ww_out_route route;
  uint64_t seq;
  size_t told = 0;
  for (int got; (got = ww_journal_reader_next(b->reader, &change, &seq)) != 0;) {
    need(got > 0, "the reader fell off the journal");
    if (change.kind == WW_CHANGE_ROUTE && b->view.route(b->view.ctx, change.id, &route) && route.seq == seq &&
        !route.withdrawn)
      told += b->view.verdict(b->view.ctx, change.id, &b->verdict);
  }
  return told;
}

static struct ww_engine_counts counts_of(const struct bench *b) {
  struct ww_engine_counts c;
  ww_engine_router_counts(b->router, &c);
  return c;
}

static int by_prefix(const void *a, const void *b) { return ww_prefix_compare(a, b); }

/* How many routes the sorted prefixes cover, found without the engine's index. */
struct cover_count {
  const struct ww_prefix *prefixes;
  size_t count, covered;
  bool lengths[129];
};

static int count_covered(void *ctx, const struct ww_engine_route *r) {
  struct cover_count *c = ctx;
  for (unsigned len = 0; len <= r->route.prefix.len; len++) {
    if (!c->lengths[len])
      continue;
    struct ww_prefix p = r->route.prefix;
    p.len = (uint8_t)len;
    ww_prefix_mask(&p);
    if (bsearch(&p, c->prefixes, c->count, sizeof p, by_prefix)) {
      c->covered++;
      break;
    }
  }
  return 0;
}

/* Half of the changes withdraw VRPs that are there, half announce one beside a VRP that is: the two lists swap roles
 * from round to round, so that each round is a fair delta. */
static void fill_delta(const struct data *d, struct ww_payload_delta *delta, unsigned round,
                       struct ww_prefix *touched) {
  memset(delta, 0, sizeof *delta);
  delta->source = 1;
  for (size_t i = 0; i < d->changes; i++) {
    struct ww_vrp vrp = d->vrps[(i * 104729 + round * 1299709u) % d->vrp_count];
    touched[i] = vrp.prefix;
    struct ww_payloads *part = &delta->withdraw;
    if (i % 2) {
      vrp.asn = 64000 + round;
      part = &delta->announce;
    }
    need(ww_payloads_add_vrp(part, &vrp) == WW_OK, "delta");
  }
  need(ww_payloads_sort(&delta->announce) == WW_OK && ww_payloads_sort(&delta->withdraw) == WW_OK, "delta");
}

static double run(const struct data *d, bool shared, size_t *routes_out) {
  struct bench b = {.data = d, .now = {.mono = 1, .unix_sec = 1}};
  struct ww_payload_delta delta;
  memset(&delta, 0, sizeof delta);
  delta.source = 1;
  for (size_t i = 0; i < d->vrp_count; i++)
    need(ww_payloads_add_vrp(&delta.announce, &d->vrps[i]) == WW_OK, "VRP");
  need(ww_payloads_sort(&delta.announce) == WW_OK, "sort");
  struct ww_snapshot *empty = ww_snapshot_new();
  need(empty && ww_snapshot_apply(empty, &delta, ++b.epoch, true, &b.snapshot) == WW_OK, "snapshot");
  ww_snapshot_unref(empty);
  ww_payload_delta_fini(&delta);

  struct ww_engine_router_config config = {.name = "bench", .journal_entries = 1u << 21};
  b.engine = ww_engine_new(NULL);
  need(b.engine, "engine");
  b.router = ww_engine_router_new(b.engine, &config);
  need(b.router, "router");
  ww_engine_router_events(b.router, &b.now, &b.events);
  ww_engine_router_view(b.router, &b.view);
  b.reader = ww_journal_reader_new(ww_engine_router_journal(b.router));
  need(b.reader && ww_engine_set_snapshot(b.engine, b.snapshot, NULL, 0) == WW_OK, "start");
  open_peers(&b);

  size_t groups = d->route_count / PACK;
  size_t heap = mallinfo2().uordblks + mallinfo2().hblkhd;
  double t = seconds();
  if (shared)
    for (unsigned peer = 0; peer < PEERS; peer++)
      for (size_t g = 0; g < groups / PEERS; g++)
        send_group(&b, g, peer);
  else
    for (size_t g = 0; g < groups; g++)
      send_group(&b, g, (unsigned)(g % PEERS));
  double fed = seconds() - t;
  heap = mallinfo2().uordblks + mallinfo2().hblkhd - heap;
  struct ww_engine_counts c = counts_of(&b);
  t = seconds();
  size_t told = drain(&b);
  double drained = seconds() - t;
  printf("\n%s: %llu routes, %llu prefixes, %llu attribute sets\n",
         shared ? "every prefix from four peers" : "every route alone", (unsigned long long)c.routes,
         (unsigned long long)c.prefixes, (unsigned long long)c.attrs);
  printf("  valid %llu, not found %llu, invalid %llu\n", (unsigned long long)c.valid, (unsigned long long)c.unknown,
         (unsigned long long)c.invalid);
  printf("  heard and judged           %8.0f routes/s\n", (double)c.routes / fed);
  printf("  read with evidence         %8.0f routes/s\n", (double)told / drained);
  printf("  memory                     %8.1f octets a route in tables, %.1f in the heap\n",
         (double)c.bytes / (double)c.routes, (double)heap / (double)c.routes);
  while (ww_engine_work(b.engine, 100000, b.now)) /* the walk that set_snapshot() asked for before there were routes */
    drain(&b);

  struct ww_prefix *touched = calloc(d->changes, sizeof *touched);
  need(touched != NULL, "no memory");
  double best = 0, worst = 0;
  for (unsigned round = 0; round < ROUNDS; round++) {
    fill_delta(d, &delta, round, touched);
    struct ww_engine_counts before = counts_of(&b);
    struct ww_snapshot *next = NULL;
    t = seconds();
    need(ww_snapshot_apply(b.snapshot, &delta, ++b.epoch, true, &next) == WW_OK, "apply");
    double applied = seconds() - t;
    need(ww_engine_set_snapshot(b.engine, next, &delta, 1) == WW_OK, "set");
    bool more;
    told = 0;
    do {
      more = ww_engine_work(b.engine, 2000, b.now);
      told += drain(&b);
    } while (more);
    double took = seconds() - t;
    ww_snapshot_unref(b.snapshot);
    b.snapshot = next;
    c = counts_of(&b);
    struct cover_count cover = {.prefixes = touched, .count = d->changes};
    qsort(touched, d->changes, sizeof *touched, by_prefix);
    for (size_t i = 0; i < d->changes; i++)
      cover.lengths[touched[i].len] = true;
    ww_engine_router_routes(b.router, NULL, &cover, count_covered);
    printf("  delta of %zu: %7.2f ms (snapshot %.2f ms)  covered %zu, judged %llu, told %zu\n", d->changes, took * 1e3,
           applied * 1e3, cover.covered, (unsigned long long)(c.evaluated - before.evaluated), told);
    need(cover.covered == c.evaluated - before.evaluated, "judged is not covered");
    best = best == 0 || took < best ? took : best;
    worst = took > worst ? took : worst;
    ww_payload_delta_fini(&delta);
  }
  printf("  delta, best and worst      %8.2f ms, %.2f ms\n", best * 1e3, worst * 1e3);
  t = seconds();
  struct ww_engine_counts before = counts_of(&b);
  need(ww_engine_set_snapshot(b.engine, b.snapshot, NULL, 0) == WW_OK, "set");
  while (ww_engine_work(b.engine, 100000, b.now))
    ;
  double full = seconds() - t;
  c = counts_of(&b);
  printf("  every route judged again   %8.1f ms (%.0f routes/s, %llu changed)\n", full * 1e3,
         (double)(c.evaluated - before.evaluated) / full, (unsigned long long)(c.changed - before.changed));
  *routes_out = c.routes;
  free(touched);
  ww_journal_reader_free(b.reader);
  ww_engine_free(b.engine);
  ww_snapshot_unref(b.snapshot);
  ww_verdict_fini(&b.verdict);
  return worst;
}

/* ---- the peer ---- */

#ifdef WW_HAVE_RTRLIB
static struct lrtr_ip_addr to_lrtr(const struct ww_prefix *p) {
  struct lrtr_ip_addr a;
  memset(&a, 0, sizeof a);
  uint32_t words[4];
  for (unsigned i = 0; i < 4; i++)
    words[i] = (uint32_t)p->addr[i * 4] << 24 | (uint32_t)p->addr[i * 4 + 1] << 16 | (uint32_t)p->addr[i * 4 + 2] << 8 |
               p->addr[i * 4 + 3];
  a.ver = p->afi == WW_AFI_IPV6 ? LRTR_IPV6 : LRTR_IPV4;
  if (p->afi == WW_AFI_IPV6)
    memcpy(a.u.addr6.addr, words, sizeof words);
  else
    a.u.addr4.addr = words[0];
  return a;
}

static double run_librtr(const struct data *d) {
  struct pfx_table table;
  pfx_table_init(&table, NULL);
  for (size_t i = 0; i < d->vrp_count; i++) {
    struct pfx_record r = {.asn = d->vrps[i].asn,
                           .prefix = to_lrtr(&d->vrps[i].prefix),
                           .min_len = d->vrps[i].prefix.len,
                           .max_len = d->vrps[i].max_len};
    (void)pfx_table_add(&table, &r);
  }
  size_t states[3] = {0};
  double t = seconds();
  for (size_t i = 0; i < d->route_count; i++) {
    enum pfxv_state state;
    struct lrtr_ip_addr a = to_lrtr(&d->routes[i].prefix);
    pfx_table_validate(&table, d->routes[i].origin, &a, d->routes[i].prefix.len, &state);
    states[state <= 2 ? state : 2]++;
  }
  t = seconds() - t;
  printf("\nlibrtr, every route judged again: %.1f ms (%.0f routes/s; valid %zu, not found %zu, invalid %zu)\n",
         t * 1e3, (double)d->route_count / t, states[0], states[1], states[2]);
  pfx_table_free(&table);
  return t;
}
#endif

int main(int argc, char **argv) {
  struct data d = {.route_count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000,
                   .vrp_count = argc > 2 ? strtoul(argv[2], NULL, 10) : 700000,
                   .changes = argc > 3 ? strtoul(argv[3], NULL, 10) : 500};
  d.route_count -= d.route_count % (PACK * PEERS);
  d.vrp_count -= d.vrp_count % VRPS_PER_AS;
  need(d.route_count && d.vrp_count && d.changes && d.changes <= d.vrp_count,
       "usage: bench_delta [routes [vrps [changes]]]");
  make_data(&d);
  size_t routes;
  double worst = run(&d, false, &routes), worst_shared = run(&d, true, &routes);
  if (worst_shared > worst)
    worst = worst_shared;
#ifdef WW_HAVE_RTRLIB
  double peer = run_librtr(&d);
  printf("the slower of the deltas above: %.2f ms, %.0f times less\n", worst * 1e3, peer / worst);
#else
  printf("\nlibrtr is not here to compare with; the slowest delta took %.2f ms\n", worst * 1e3);
#endif
  free(d.vrps);
  free(d.routes);
  return 0;
}
