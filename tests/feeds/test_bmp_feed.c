/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BMP station machine: streams made by hand, in every split, and recorded sessions of FRRouting and GoBGP when they
 * are at hand. A small route table stands behind the events, so that what counts is the end state.
 */
#include "tests/wire/hex.h"

#include "feeds/bmp_feed.h"

/* --- what comes out --- */

struct route {
  uint8_t view;
  struct ww_addr peer;
  struct ww_prefix prefix;
  uint32_t path_id;
  char path[256];
};

struct table {
  struct route *routes;
  size_t count, cap;
  unsigned ups, downs, updates, eors, stats, initiations, terminations, withdrawn_unknown;
  int down_reason;
  unsigned disposition;
  char name[64], descr[64];
  bool up[8];        /* by last octet of the address: up and down alternate */
  size_t peak[5][2]; /* routes by view and family, at most */
};

static struct route *find_route(struct table *t, enum ww_rib_view view, const struct ww_addr *peer,
                                const struct ww_prefix *prefix, uint32_t id) {
  for (size_t i = 0; i < t->count; i++)
    if (t->routes[i].view == view && t->routes[i].path_id == id &&
        ww_prefix_compare(&t->routes[i].prefix, prefix) == 0 && memcmp(&t->routes[i].peer, peer, sizeof *peer) == 0)
      return &t->routes[i];
  return NULL;
}

static size_t count_routes(const struct table *t, enum ww_rib_view view, uint8_t afi) {
  size_t n = 0;
  for (size_t i = 0; i < t->count; i++)
    n += t->routes[i].view == view && t->routes[i].prefix.afi == afi;
  return n;
}

static void on_initiation(void *ctx, const char *name, const char *descr) {
  struct table *t = ctx;
  t->initiations++;
  (void)snprintf(t->name, sizeof t->name, "%s", name);
  (void)snprintf(t->descr, sizeof t->descr, "%s", descr);
}

static void on_up(void *ctx, const struct ww_bmp_peer *peer, const struct ww_bmp_msg *msg) {
  struct table *t = ctx;
  bool *up = &t->up[peer->type == WW_BMP_PEER_LOC_RIB ? 7 : peer->address[15] % 7];
  assert_false(*up);
  *up = true;
  t->ups++;
  assert_int_equal(msg->header.type, WW_BMP_PEER_UP);
  assert_true(msg->u.up.sent_len >= 29 && msg->u.up.received_len >= 29);
}

static void on_down(void *ctx, const struct ww_bmp_peer *peer, const struct ww_bmp_msg *msg) {
  struct table *t = ctx;
  bool *up = &t->up[peer->type == WW_BMP_PEER_LOC_RIB ? 7 : peer->address[15] % 7];
  assert_true(*up);
  *up = false;
  t->downs++;
  assert_int_equal(msg->header.type, WW_BMP_PEER_DOWN);
  t->down_reason = msg->u.down.reason;
  struct ww_addr addr = ww_bmp_peer_addr(peer);
  for (size_t i = t->count; i-- > 0;)
    if (memcmp(&t->routes[i].peer, &addr, sizeof addr) == 0)
      t->routes[i] = t->routes[--t->count];
}

static void on_update(void *ctx, const struct ww_bmp_peer *peer, enum ww_rib_view view,
                      const struct ww_bgp_update *update) {
  struct table *t = ctx;
  assert_true(t->up[peer->type == WW_BMP_PEER_LOC_RIB ? 7 : peer->address[15] % 7]);
  struct ww_addr addr = ww_bmp_peer_addr(peer);
  t->updates++;
  t->eors += update->eor;
  t->disposition = update->disposition;
  for (unsigned i = 0; i < 2; i++) {
    struct ww_nlri nlri = update->withdrawn[i];
    struct ww_prefix prefix;
    for (uint32_t id; ww_nlri_next(&nlri, &prefix, &id);) {
      struct route *r = find_route(t, view, &addr, &prefix, id);
      if (r)
        *r = t->routes[--t->count];
      else
        t->withdrawn_unknown++;
    }
  }
  assert_true(update->disposition < WW_BGP_TREAT_AS_WITHDRAW || !update->announced[0].len);
  for (unsigned i = 0; i < 2; i++) {
    struct ww_nlri nlri = update->announced[i];
    struct ww_prefix prefix;
    for (uint32_t id; ww_nlri_next(&nlri, &prefix, &id);) {
      struct route *r = find_route(t, view, &addr, &prefix, id);
      if (!r) {
        if (t->count == t->cap) {
          t->cap = t->cap ? t->cap * 2 : 64;
          t->routes = realloc(t->routes, t->cap * sizeof *t->routes);
          assert_non_null(t->routes);
        }
        r = &t->routes[t->count++];
      }
      *r = (struct route){.view = (uint8_t)view, .peer = addr, .prefix = prefix, .path_id = id};
      (void)ww_as_path_format(update->as_path, r->path, sizeof r->path);
    }
  }
  for (unsigned i = 0; i < 2; i++) {
    size_t n = count_routes(t, view, i ? WW_AFI_IPV6 : WW_AFI_IPV4);
    if (n > t->peak[view][i])
      t->peak[view][i] = n;
  }
}

static void on_stats(void *ctx, const struct ww_bmp_peer *peer, const struct ww_bmp_msg *msg) {
  (void)peer;
  (void)msg;
  ((struct table *)ctx)->stats++;
}

static void on_termination(void *ctx, uint16_t reason, const char *text) {
  (void)reason;
  (void)text;
  ((struct table *)ctx)->terminations++;
}

static struct ww_bmp_feed *feed_for(struct table *t) {
  struct ww_bmp_feed_events events = {.ctx = t,
                                      .initiation = on_initiation,
                                      .peer_up = on_up,
                                      .peer_down = on_down,
                                      .update = on_update,
                                      .stats = on_stats,
                                      .termination = on_termination};
  struct ww_bmp_feed *feed = ww_bmp_feed_new(&events, NULL);
  assert_non_null(feed);
  return feed;
}

static void table_fini(struct table *t) {
  free(t->routes);
  *t = (struct table){0};
}

static const struct route *route_to(struct table *t, enum ww_rib_view view, const char *prefix) {
  struct ww_prefix p;
  assert_int_equal(ww_prefix_parse(prefix, &p), WW_OK);
  for (size_t i = 0; i < t->count; i++)
    if (t->routes[i].view == view && ww_prefix_compare(&t->routes[i].prefix, &p) == 0)
      return &t->routes[i];
  return NULL;
}

/* --- what goes in --- */

enum { LOCAL_AS = 65000, PEER_AS = 65010 };

struct stream {
  uint8_t data[8192];
  struct ww_writer w;
};

static void stream_init(struct stream *s) { s->w = ww_writer_make(s->data, sizeof s->data); }

static struct ww_bmp_peer peer_of(uint8_t last, uint8_t flags) {
  struct ww_bmp_peer peer = {.flags = flags, .asn = PEER_AS, .bgp_id = 1, .sec = 1};
  peer.address[12] = 127;
  peer.address[15] = last;
  return peer;
}

static struct ww_bmp_peer loc_rib(void) { return (struct ww_bmp_peer){.type = WW_BMP_PEER_LOC_RIB, .asn = LOCAL_AS}; }

/* `caps`: hex of capabilities besides those that ww_bgp_open_write() gives. */
static void put_up(struct stream *s, const struct ww_bmp_peer *peer, const char *sent_caps, const char *received_caps) {
  uint8_t sent[256], received[256];
  struct octets a = hex(sent_caps), b = hex(received_caps);
  struct ww_writer o = ww_writer_make(sent, sizeof sent), i = ww_writer_make(received, sizeof received);
  ww_bgp_open_write(&o, LOCAL_AS, 90, 1, a.data, a.len);
  ww_bgp_open_write(&i, PEER_AS, 90, 2, b.data, b.len);
  struct ww_addr local = {.afi = WW_AFI_IPV4, .bytes = {127, 0, 0, 1}};
  ww_bmp_peer_up_write(&s->w, 3, peer, &local, 179, 40000, sent, o.len, received, i.len, NULL);
  free(a.data);
  free(b.data);
}

/* Whole UPDATE octets from hex of its fields. */
static size_t make_update(uint8_t *buf, size_t size, const char *withdrawn, const char *attrs, const char *nlri) {
  struct octets w = hex(withdrawn), a = hex(attrs), n = hex(nlri);
  struct ww_writer out = ww_writer_make(buf, size);
  for (unsigned i = 0; i < 16; i++)
    ww_writer_u8(&out, 0xff);
  ww_writer_u16(&out, (uint16_t)(23 + w.len + a.len + n.len));
  ww_writer_u8(&out, WW_BGP_UPDATE);
  ww_writer_u16(&out, (uint16_t)w.len);
  ww_writer_bytes(&out, w.data, w.len);
  ww_writer_u16(&out, (uint16_t)a.len);
  ww_writer_bytes(&out, a.data, a.len);
  ww_writer_bytes(&out, n.data, n.len);
  assert_false(out.overflow);
  free(w.data);
  free(a.data);
  free(n.data);
  return out.len;
}

static void put_route(struct stream *s, const struct ww_bmp_peer *peer, const char *withdrawn, const char *attrs,
                      const char *nlri) {
  uint8_t update[1024];
  size_t len = make_update(update, sizeof update, withdrawn, attrs, nlri);
  ww_bmp_route_write(&s->w, peer, update, len);
}

static void put_mirror(struct stream *s, const struct ww_bmp_peer *peer, int code, const char *withdrawn,
                       const char *attrs, const char *nlri) {
  uint8_t update[1024];
  size_t len = attrs ? make_update(update, sizeof update, withdrawn, attrs, nlri) : 0;
  ww_bmp_mirror_write(&s->w, peer, code, update, len);
}

#define ATTRS(path) "40010100 " path "400304c0000201 "
#define PATH_PEER "4002060201 0000fdf2 "                                       /* 65010 */
#define PATH_FRR "50020016 0205 0000fde8 0000fdf2 0000fdf2 0000fde8 00000001 " /* 65000 65010 65010 65000 1 */
#define A "18c63364 "
#define B "18cb0071 "

/* Feeds the stream whole and expects it to be taken. */
static void run(struct table *t, const struct stream *s, struct ww_bmp_feed_stats *stats) {
  struct ww_bmp_feed *feed = feed_for(t);
  struct octets in = octets_of(s->data, s->w.len);
  assert_false(s->w.overflow);
  assert_int_equal(ww_bmp_feed_input(feed, in.data, in.len, NULL), WW_OK);
  struct ww_bmp_feed_stats local;
  ww_bmp_feed_stats(feed, stats ? stats : &local);
  ww_bmp_feed_free(feed);
  free(in.data);
}

/* --- bad input --- */

static void test_bad_frames(void **state) {
  (void)state;
  static const struct {
    const char *octets;
    size_t offset;
    const char *text;
  } c[] = {
      {"030000000004", 1, "below 6"},
      {"030000000504", 1, "below 6"},
      {"037fffffff00", 1, "limit"},
      {"03ffffffff00", 1, "limit"},
      {"030010000100", 1, "limit"},
      {"00", 0, "version 0"},
      {"09000000ff04", 0, "version 9"},
      {"474554202f20", 0, "version 71"}, /* "GET / " */
      {"040000000a04 00000000", 0, "version 4"},
      {"0300000006fe 030000000504", 7, "below 6"},
  };
  for (size_t i = 0; i < sizeof c / sizeof c[0]; i++)
    for (size_t step = 1; step < 13; step += 11) {
      struct table t = {0};
      struct ww_bmp_feed *feed = feed_for(&t);
      struct octets in = hex(c[i].octets);
      struct ww_diag why = {0};
      enum ww_err err = WW_OK;
      for (size_t at = 0; at < in.len && err == WW_OK; at += step)
        err = ww_bmp_feed_input(feed, in.data + at, in.len - at < step ? in.len - at : step, &why);
      assert_true(err == WW_ERR_MALFORMED || err == WW_ERR_UNSUPPORTED);
      assert_int_equal(why.offset, c[i].offset);
      assert_non_null(strstr(why.text, c[i].text));
      /* Dead is dead, and says the same. */
      struct ww_diag again = {0};
      static const uint8_t good[] = {3, 0, 0, 0, 6, 0xfe};
      assert_int_equal(ww_bmp_feed_input(feed, good, sizeof good, &again), err);
      assert_string_equal(again.text, why.text);
      ww_bmp_feed_free(feed);
      free(in.data);
      table_fini(&t);
    }
}

/* A message that is broken inside costs only itself. */
static void test_bad_messages(void **state) {
  (void)state;
  struct stream s;
  stream_init(&s);
  struct ww_bmp_peer peer = peer_of(2, 0);
  put_up(&s, &peer, "", "");
  size_t start = ww_bmp_begin(&s.w, 3, WW_BMP_ROUTE_MONITORING); /* per-peer header cut off */
  ww_writer_zero(&s.w, 10);
  ww_bmp_end(&s.w, start);
  start = ww_bmp_begin(&s.w, 3, WW_BMP_ROUTE_MONITORING); /* no UPDATE in it */
  ww_bmp_peer_write(&s.w, &peer);
  ww_writer_zero(&s.w, 30);
  ww_bmp_end(&s.w, start);
  start = ww_bmp_begin(&s.w, 3, 250); /* unknown type */
  ww_writer_zero(&s.w, 3);
  ww_bmp_end(&s.w, start);
  struct ww_bmp_peer strange = peer_of(3, 0);
  strange.type = 99;
  put_route(&s, &strange, "", ATTRS(PATH_PEER), A);
  put_route(&s, &peer, "", "400101ff" PATH_PEER "400304c0000201", A); /* treat-as-withdraw of nothing known */
  put_route(&s, &peer, "21ffffffffff", "", "");                       /* session reset */
  put_route(&s, &peer, "", ATTRS(PATH_PEER), A);
  struct table t = {0};
  struct ww_bmp_feed_stats stats;
  run(&t, &s, &stats);
  assert_int_equal(t.count, 1);
  assert_int_equal(stats.messages, 8);
  assert_int_equal(stats.ignored, 4);
  assert_int_equal(stats.malformed_updates, 2);
  assert_int_equal(stats.updates, 2);
  assert_int_equal(stats.bytes, s.w.len);
  table_fini(&t);
}

static void test_treat_as_withdraw(void **state) {
  (void)state;
  struct stream s;
  stream_init(&s);
  struct ww_bmp_peer peer = peer_of(2, 0);
  put_up(&s, &peer, "", "");
  put_route(&s, &peer, "", ATTRS(PATH_PEER), A B);
  /* Withdraws A by its own field and B by a bad ORIGIN. */
  put_route(&s, &peer, A, "400101ff" PATH_PEER "400304c0000201", B);
  struct table t = {0};
  run(&t, &s, NULL);
  assert_int_equal(t.count, 0);
  assert_int_equal(t.withdrawn_unknown, 0);
  assert_int_equal(t.updates, 3);
  table_fini(&t);
}

/* --- peers --- */

static void test_unknown_peer(void **state) {
  (void)state;
  struct stream s;
  stream_init(&s);
  struct ww_bmp_peer peer = peer_of(2, 0), other = peer_of(3, 0), six = peer_of(2, WW_BMP_FLAG_V);
  static const uint8_t event[2];
  ww_bmp_peer_down_write(&s.w, 3, &peer, 2, event, 2); /* as FRRouting begins */
  put_route(&s, &peer, "", ATTRS(PATH_PEER), A);
  put_up(&s, &peer, "", "");
  put_route(&s, &other, "", ATTRS(PATH_PEER), A);
  put_route(&s, &six, "", ATTRS(PATH_PEER), A); /* ::127.0.0.2 is another peer */
  put_mirror(&s, &other, -1, "", ATTRS(PATH_PEER), A);
  ww_bmp_peer_down_write(&s.w, 3, &peer, 4, NULL, 0);
  put_route(&s, &peer, "", ATTRS(PATH_PEER), A);
  struct table t = {0};
  struct ww_bmp_feed_stats stats;
  run(&t, &s, &stats);
  assert_int_equal(t.ups, 1);
  assert_int_equal(t.downs, 1);
  assert_int_equal(t.updates, 0);
  assert_int_equal(stats.unknown_peer, 6);
  assert_int_equal(stats.peers, 0);
  table_fini(&t);
}

static void test_up_again(void **state) {
  (void)state;
  struct stream s;
  stream_init(&s);
  struct ww_bmp_peer peer = peer_of(2, 0);
  put_up(&s, &peer, "", "");
  put_route(&s, &peer, "", ATTRS(PATH_PEER), A);
  peer.sec = 2;
  put_up(&s, &peer, "", "");
  put_route(&s, &peer, "", ATTRS(PATH_PEER), B);
  struct table t = {0};
  run(&t, &s, NULL);
  assert_int_equal(t.ups, 2);
  assert_int_equal(t.downs, 1);
  assert_int_equal(t.down_reason, WW_BMP_DOWN_LOCAL_FSM);
  assert_int_equal(t.count, 1);
  table_fini(&t);
}

/* As Huawei's VRP does: a Peer Up for every view and family of one session, whose OPENs may differ. */
static void test_up_repeated(void **state) {
  (void)state;
  struct stream s;
  stream_init(&s);
  struct ww_bmp_peer pre = peer_of(2, 0), post = peer_of(2, WW_BMP_FLAG_L);
  put_up(&s, &pre, "", "");
  put_route(&s, &pre, "", ATTRS(PATH_PEER), A);
  put_up(&s, &pre, "", "");
  put_up(&s, &post, "4504 0001 01 01", "4504 0001 01 02");
  put_route(&s, &post, "", ATTRS(PATH_PEER), "00000001" A);
  struct table t = {0};
  run(&t, &s, NULL);
  assert_int_equal(t.ups, 1);
  assert_int_equal(t.downs, 0);
  assert_int_equal(t.count, 2);
  table_fini(&t);
  /* Without a timestamp nobody can tell: then it is a new session. */
  stream_init(&s);
  pre.sec = 0;
  put_up(&s, &pre, "", "");
  put_up(&s, &pre, "", "");
  run(&t, &s, NULL);
  assert_int_equal(t.ups, 2);
  assert_int_equal(t.downs, 1);
  table_fini(&t);
}

/* FRRouting 8.0: no NEXT_HOP in Route Monitoring. In a mirrored UPDATE it must be there. */
static void test_next_hop_missing(void **state) {
  (void)state;
  struct stream s;
  stream_init(&s);
  struct ww_bmp_peer pre = peer_of(2, 0);
  put_up(&s, &pre, "", "");
  put_route(&s, &pre, "", "40010100" PATH_PEER, A);
  struct table t = {0};
  struct ww_bmp_feed_stats stats;
  run(&t, &s, &stats);
  assert_int_equal(t.count, 1);
  assert_int_equal(stats.malformed_updates, 0);
  table_fini(&t);
  put_mirror(&s, &pre, -1, "", "40010100" PATH_PEER, A);
  run(&t, &s, &stats);
  assert_int_equal(t.count, 0);
  assert_int_equal(stats.malformed_updates, 1);
  table_fini(&t);
}

static void test_many_peers(void **state) {
  (void)state;
  struct ww_bmp_feed_events none = {0};
  struct ww_bmp_feed *feed = ww_bmp_feed_new(&none, NULL);
  assert_non_null(feed);
  struct ww_bmp_feed_stats stats;
  for (unsigned i = 0; i < WW_BMP_FEED_MAX_PEERS + 2; i++) {
    struct stream s;
    stream_init(&s);
    struct ww_bmp_peer peer = peer_of(1, 0);
    peer.distinguisher = (uint64_t)i * 2654435761u % 4294967291u; /* in no order */
    put_up(&s, &peer, "", "");
    assert_int_equal(ww_bmp_feed_input(feed, s.data, s.w.len, NULL), WW_OK);
  }
  ww_bmp_feed_stats(feed, &stats);
  assert_int_equal(stats.peers, WW_BMP_FEED_MAX_PEERS);
  assert_int_equal(stats.ignored, 2);
  for (unsigned i = 0; i < WW_BMP_FEED_MAX_PEERS; i++) {
    struct stream s;
    stream_init(&s);
    struct ww_bmp_peer peer = peer_of(1, 0);
    peer.distinguisher = (uint64_t)i * 2654435761u % 4294967291u;
    ww_bmp_peer_down_write(&s.w, 3, &peer, 4, NULL, 0);
    assert_int_equal(ww_bmp_feed_input(feed, s.data, s.w.len, NULL), WW_OK);
  }
  ww_bmp_feed_stats(feed, &stats);
  assert_int_equal(stats.peers, 0);
  assert_int_equal(stats.unknown_peer, 0);
  ww_bmp_feed_free(feed);
}

/* --- views and how UPDATEs are read --- */

static void test_views(void **state) {
  (void)state;
  static const struct {
    uint8_t flags;
    enum ww_rib_view view;
  } c[] = {{0, WW_VIEW_ADJ_IN_PRE},
           {WW_BMP_FLAG_L, WW_VIEW_ADJ_IN_POST},
           {WW_BMP_FLAG_O, WW_VIEW_ADJ_OUT_PRE},
           {WW_BMP_FLAG_O | WW_BMP_FLAG_L, WW_VIEW_ADJ_OUT_POST}};
  struct stream s;
  stream_init(&s);
  struct ww_bmp_peer up = peer_of(2, 0);
  put_up(&s, &up, "", "");
  for (size_t i = 0; i < 4; i++) {
    struct ww_bmp_peer peer = peer_of(2, c[i].flags);
    put_route(&s, &peer, "", ATTRS(PATH_PEER), A);
  }
  struct ww_bmp_peer out = peer_of(2, WW_BMP_FLAG_O); /* RFC 8671 §5.2: empty mandatory attributes */
  put_route(&s, &out, "", "400100 400200 400300", B);
  struct table t = {0};
  run(&t, &s, NULL);
  assert_int_equal(t.count, 5);
  for (size_t i = 0; i < 4; i++)
    assert_non_null(route_to(&t, c[i].view, "198.51.100.0/24"));
  assert_non_null(route_to(&t, WW_VIEW_ADJ_OUT_PRE, "203.0.113.0/24"));
  table_fini(&t);
}

static void test_loc_rib(void **state) {
  (void)state;
  struct stream s;
  stream_init(&s);
  struct ww_bmp_peer loc = loc_rib();
  put_route(&s, &loc, "", ATTRS(PATH_PEER), A); /* as GoBGP does, without Peer Up */
  loc.flags = WW_BMP_FLAG_F;                    /* the same peer, in spite of its bit 0 */
  put_route(&s, &loc, "", ATTRS(PATH_PEER), B);
  put_mirror(&s, &loc, -1, "", ATTRS(PATH_PEER), "00"); /* RFC 9069 §5.5: ignored */
  struct table t = {0};
  run(&t, &s, NULL);
  assert_int_equal(t.ups, 1);
  assert_int_equal(count_routes(&t, WW_VIEW_LOC_RIB, WW_AFI_IPV4), 2);
  table_fini(&t);
  /* A real Peer Up afterwards replaces the one made up. */
  put_up(&s, &loc, "", "");
  run(&t, &s, NULL);
  assert_int_equal(t.ups, 2);
  assert_int_equal(t.downs, 1);
  assert_int_equal(t.down_reason, WW_BMP_DOWN_LOCAL_SYSTEM);
  assert_int_equal(t.count, 0);
  table_fini(&t);
  /* RFC 9069 §5.2: ADD-PATH by mere presence; §5.4.1: 4-octet AS numbers, and no A flag to say otherwise. */
  stream_init(&s);
  loc.flags = WW_BMP_FLAG_A;
  put_up(&s, &loc, "4504 0001 01 01", "4504 0001 01 01");
  put_route(&s, &loc, "", ATTRS(PATH_PEER), "00000005" A);
  run(&t, &s, NULL);
  assert_int_equal(t.count, 1);
  assert_int_equal(t.routes[0].path_id, 5);
  table_fini(&t);
}

/* RFC 7854 §4.2: the A flag decides in Route Monitoring, the OPENs decide in mirrored messages. */
static void test_as_width(void **state) {
  (void)state;
  struct stream s;
  stream_init(&s);
  struct ww_bmp_peer peer = peer_of(2, WW_BMP_FLAG_L), legacy = peer_of(2, WW_BMP_FLAG_A | WW_BMP_FLAG_L);
  put_up(&s, &peer, "", "");
  put_route(&s, &peer, "", ATTRS(PATH_PEER), A);
  put_route(&s, &legacy, "", ATTRS("4002040201 fdf3 "), B);
  put_mirror(&s, &legacy, -1, "", ATTRS(PATH_PEER), "00"); /* A flag of no significance */
  struct table t = {0};
  run(&t, &s, NULL);
  assert_int_equal(t.count, 3);
  assert_string_equal(route_to(&t, WW_VIEW_ADJ_IN_POST, "198.51.100.0/24")->path, "65010");
  assert_string_equal(route_to(&t, WW_VIEW_ADJ_IN_POST, "203.0.113.0/24")->path, "65011");
  assert_string_equal(route_to(&t, WW_VIEW_ADJ_IN_PRE, "0.0.0.0/0")->path, "65010");
  table_fini(&t);
}

/* RFC 7911 §4: path ids when one side sends and the other receives, by direction. 45: capability 69. */
static void test_add_path(void **state) {
  (void)state;
  static const struct {
    const char *sent, *received;
    uint8_t flags;
    bool ids;
  } c[] = {
      {"4504 0001 01 01", "4504 0001 01 02", 0, true},
      {"4504 0001 01 03", "4504 0001 01 03", 0, true},
      {"4504 0001 01 02", "4504 0001 01 01", 0, false},
      {"4504 0001 01 01", "", 0, false},
      {"4504 0001 01 01", "4504 0001 01 01", 0, false},
      {"4504 0002 01 03", "4504 0002 01 03", 0, false}, /* IPv6 only */
      {"4504 0001 02 03", "4504 0001 02 03", 0, false}, /* multicast only */
      {"4504 0001 01 04", "4504 0001 01 04", 0, false}, /* RFC 7911 §4: other values are ignored */
      {"4504 0001 01 02", "4504 0001 01 01", WW_BMP_FLAG_O | WW_BMP_FLAG_L, true},
      {"4504 0001 01 01", "4504 0001 01 02", WW_BMP_FLAG_O | WW_BMP_FLAG_L, false},
  };
  for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
    struct stream s;
    stream_init(&s);
    struct ww_bmp_peer up = peer_of(2, 0), peer = peer_of(2, c[i].flags);
    put_up(&s, &up, c[i].sent, c[i].received);
    put_route(&s, &peer, "", ATTRS(PATH_PEER), c[i].ids ? "00000001" A "00000002" A : A);
    struct table t = {0};
    run(&t, &s, NULL);
    assert_int_equal(t.count, c[i].ids ? 2 : 1);
    assert_non_null(route_to(&t, (enum ww_rib_view)t.routes[0].view, "198.51.100.0/24"));
    table_fini(&t);
  }
}

/* --- exporters --- */

static void test_frr_prepends(void **state) {
  (void)state;
  static const struct {
    const char *descr, *path;
  } c[] = {{"FRRouting 8.4.4", "65010 65010 65000 1"}, {"BIRD 9", "65000 65010 65010 65000 1"}};
  for (size_t i = 0; i < 2; i++) {
    struct stream s;
    stream_init(&s);
    struct ww_bmp_peer pre = peer_of(2, 0), post = peer_of(2, WW_BMP_FLAG_L);
    ww_bmp_initiation_write(&s.w, 3, c[i].descr, "r\n1", "hello");
    put_up(&s, &pre, "", "");
    put_route(&s, &pre, "", ATTRS(PATH_FRR), A);
    put_route(&s, &post, "", ATTRS(PATH_FRR), A);
    put_route(&s, &post, "", ATTRS(PATH_PEER), B); /* does not begin with the router's AS */
    struct table t = {0};
    run(&t, &s, NULL);
    assert_string_equal(t.name, "r?1");
    assert_string_equal(t.descr, c[i].descr);
    assert_string_equal(route_to(&t, WW_VIEW_ADJ_IN_PRE, "198.51.100.0/24")->path, c[i].path);
    assert_string_equal(route_to(&t, WW_VIEW_ADJ_IN_POST, "198.51.100.0/24")->path, c[i].path);
    assert_string_equal(route_to(&t, WW_VIEW_ADJ_IN_POST, "203.0.113.0/24")->path, "65010");
    table_fini(&t);
  }
}

/* The mirror as source: a denied route, which Route Monitoring withdraws, stays. */
static void test_mirror(void **state) {
  (void)state;
  struct stream s;
  stream_init(&s);
  struct ww_bmp_peer pre = peer_of(2, 0), post = peer_of(2, WW_BMP_FLAG_L), out = peer_of(2, WW_BMP_FLAG_O);
  put_up(&s, &pre, "", "");
  put_route(&s, &pre, "", ATTRS(PATH_PEER), "08 0a");  /* dumped before anything was mirrored */
  put_mirror(&s, &pre, -1, "", ATTRS(PATH_PEER), A B); /* B is denied: */
  put_route(&s, &post, B, "", "");
  put_route(&s, &pre, B, "", "");                     /* does not count */
  put_route(&s, &pre, "", ATTRS(PATH_PEER), "08 0b"); /* the dump goes on: counts */
  put_mirror(&s, &out, -1, A, ATTRS(PATH_PEER), "");  /* sent, not received: does not count */
  struct table t = {0};
  struct ww_bmp_feed_stats stats;
  run(&t, &s, &stats);
  assert_int_equal(count_routes(&t, WW_VIEW_ADJ_IN_PRE, WW_AFI_IPV4), 4);
  assert_int_equal(stats.ignored, 1);
  table_fini(&t);
  put_route(&s, &pre, "", "", "");                    /* End-of-RIB: the dump is over, */
  put_route(&s, &pre, "", ATTRS(PATH_PEER), "08 0c"); /* so this does not count any more, */
  put_route(&s, &pre, "", "40010100" PATH_PEER "800e1a 0002 01 10 20010db8000000000000000000000001 00 2020010db8", "");
  put_mirror(&s, &pre, -1, A, "", ""); /* nor is A kept; IPv6 has its own dump */
  run(&t, &s, &stats);
  assert_int_equal(count_routes(&t, WW_VIEW_ADJ_IN_PRE, WW_AFI_IPV4), 3);
  assert_int_equal(count_routes(&t, WW_VIEW_ADJ_IN_PRE, WW_AFI_IPV6), 1);
  assert_int_equal(t.eors, 1);
  table_fini(&t);
  put_mirror(&s, &pre, WW_BMP_MIRROR_MESSAGES_LOST, "", NULL, ""); /* back to Route Monitoring */
  put_route(&s, &pre, B, "", "");
  put_mirror(&s, &pre, -1, "", ATTRS(PATH_PEER), B);
  put_route(&s, &pre, "", ATTRS(PATH_PEER), "08 0c");
  run(&t, &s, NULL);
  assert_null(route_to(&t, WW_VIEW_ADJ_IN_PRE, "203.0.113.0/24"));
  assert_non_null(route_to(&t, WW_VIEW_ADJ_IN_PRE, "12.0.0.0/8"));
  table_fini(&t);
}

/* RFC 7606 §7.5 on mirrored octets of an external peer; RFC 7854 §4.7: Errored PDU. */
static void test_mirror_dispositions(void **state) {
  (void)state;
  struct stream s;
  stream_init(&s);
  struct ww_bmp_peer pre = peer_of(2, 0);
  put_up(&s, &pre, "", "");
  put_route(&s, &pre, "", ATTRS(PATH_PEER) "400504 00000064", A);
  struct table t = {0};
  run(&t, &s, NULL);
  assert_int_equal(t.disposition, WW_BGP_ACCEPT);
  table_fini(&t);
  put_mirror(&s, &pre, -1, "", ATTRS(PATH_PEER) "400504 00000064", A);
  run(&t, &s, NULL);
  assert_int_equal(t.disposition, WW_BGP_ATTRIBUTE_DISCARD);
  assert_int_equal(t.count, 1);
  table_fini(&t);
  struct ww_bmp_feed_stats stats;
  put_mirror(&s, &pre, WW_BMP_MIRROR_ERRORED_PDU, "", ATTRS(PATH_PEER), A);
  run(&t, &s, &stats);
  assert_int_equal(t.disposition, WW_BGP_TREAT_AS_WITHDRAW);
  assert_int_equal(t.count, 0);
  assert_int_equal(stats.malformed_updates, 1);
  table_fini(&t);
}

static void test_termination(void **state) {
  (void)state;
  struct stream s;
  stream_init(&s);
  struct ww_bmp_peer pre = peer_of(2, 0);
  ww_bmp_termination_write(&s.w, 3, 0, "bye");
  put_up(&s, &pre, "", "");
  struct table t = {0};
  struct ww_bmp_feed_stats stats;
  run(&t, &s, &stats);
  assert_int_equal(t.terminations, 1);
  assert_int_equal(t.ups, 0);
  assert_int_equal(stats.bytes, s.w.len);
  table_fini(&t);
}

/* Any portions give the same result. */
static void test_splits(void **state) {
  (void)state;
  struct stream s;
  stream_init(&s);
  struct ww_bmp_peer pre = peer_of(2, 0), post = peer_of(2, WW_BMP_FLAG_L);
  ww_bmp_initiation_write(&s.w, 3, "FRRouting", "r1", NULL);
  put_up(&s, &pre, "", "");
  put_route(&s, &pre, "", ATTRS(PATH_FRR), A);
  put_route(&s, &post, "", ATTRS(PATH_FRR), A B);
  put_mirror(&s, &pre, -1, "", ATTRS(PATH_PEER), A B);
  put_route(&s, &post, A, "", "");
  for (size_t cut = 0; cut <= s.w.len; cut++) {
    struct table t = {0};
    struct ww_bmp_feed *feed = feed_for(&t);
    struct octets first = octets_of(s.data, cut), rest = octets_of(s.data + cut, s.w.len - cut);
    assert_int_equal(ww_bmp_feed_input(feed, first.data, first.len, NULL), WW_OK);
    assert_int_equal(ww_bmp_feed_input(feed, rest.data, rest.len, NULL), WW_OK);
    assert_int_equal(t.count, 3);
    struct ww_bmp_feed_stats stats;
    ww_bmp_feed_stats(feed, &stats);
    assert_int_equal(stats.messages, 6);
    assert_int_equal(stats.bytes, s.w.len);
    ww_bmp_feed_free(feed);
    free(first.data);
    free(rest.data);
    table_fini(&t);
  }
  for (size_t step = 1; step < 100; step++) {
    struct table t = {0};
    struct ww_bmp_feed *feed = feed_for(&t);
    for (size_t at = 0; at < s.w.len; at += step)
      assert_int_equal(ww_bmp_feed_input(feed, s.data + at, s.w.len - at < step ? s.w.len - at : step, NULL), WW_OK);
    assert_int_equal(t.count, 3);
    ww_bmp_feed_free(feed);
    table_fini(&t);
  }
}

/* --- recorded sessions --- */

/* Feeds a recording up to its last Peer Down, in portions that cut messages. NULL when it is not at hand. */
static struct ww_bmp_feed *replay(struct octets in, struct table *t, size_t *last_down) {
  *last_down = in.len;
  for (size_t at = 0; at < in.len;) {
    struct ww_bmp_header h;
    assert_int_equal(ww_bmp_frame(in.data + at, in.len - at, WW_BMP_MAX_LEN, &h, NULL), WW_OK);
    if (h.type == WW_BMP_PEER_DOWN)
      *last_down = at;
    at += h.len;
  }
  struct ww_bmp_feed *feed = feed_for(t);
  for (size_t at = 0, step; at < *last_down; at += step) {
    step = *last_down - at < 1000 ? *last_down - at : 1000;
    assert_int_equal(ww_bmp_feed_input(feed, in.data + at, step, NULL), WW_OK);
  }
  return feed;
}

static void assert_view(const struct table *t, enum ww_rib_view view, size_t v4, size_t v6, size_t peak4,
                        size_t peak6) {
  assert_int_equal(count_routes(t, view, WW_AFI_IPV4), v4);
  assert_int_equal(count_routes(t, view, WW_AFI_IPV6), v6);
  assert_int_equal(t->peak[view][0], peak4);
  assert_int_equal(t->peak[view][1], peak6);
}

/* 360 IPv4 and 180 IPv6 routes are announced, 50 and 30 of them withdrawn; the route-map denies 77 and 11. */
static void test_recorded_frr(void **state) {
  (void)state;
  struct octets in = shared_file("data/bmp/bmp-frr.bin");
  if (!in.data)
    skip();
  struct table t = {0};
  size_t last_down;
  struct ww_bmp_feed *feed = replay(in, &t, &last_down);
  assert_string_equal(t.descr, "FRRouting 8.4.4");
  assert_view(&t, WW_VIEW_ADJ_IN_PRE, 310, 150, 360, 180); /* from the mirror, denied ones included */
  assert_view(&t, WW_VIEW_ADJ_IN_POST, 242, 142, 283, 169);
  /* What Route Monitoring says, with the router's AS taken off, is what the mirror says. */
  for (size_t i = 0; i < t.count; i++)
    if (t.routes[i].view == WW_VIEW_ADJ_IN_POST) {
      const struct route *pre = find_route(&t, WW_VIEW_ADJ_IN_PRE, &t.routes[i].peer, &t.routes[i].prefix, 0);
      assert_non_null(pre);
      assert_string_equal(pre->path, t.routes[i].path);
    }
  assert_int_equal(ww_bmp_feed_input(feed, in.data + last_down, in.len - last_down, NULL), WW_OK);
  struct ww_bmp_feed_stats stats;
  ww_bmp_feed_stats(feed, &stats);
  assert_int_equal(stats.messages, 1919);
  assert_int_equal(stats.ignored, 648); /* pre-policy Route Monitoring, all of it */
  assert_int_equal(stats.malformed_updates, 0);
  assert_int_equal(stats.unknown_peer, 1); /* the Peer Down that came first */
  assert_int_equal(t.stats, 4);
  assert_int_equal(t.count, 0);
  ww_bmp_feed_free(feed);
  free(in.data);
  table_fini(&t);
}

static void test_recorded_gobgp(void **state) {
  (void)state;
  struct octets in = shared_file("data/bmp/bmp-gobgp.bin");
  if (!in.data)
    skip();
  struct table t = {0};
  size_t last_down;
  struct ww_bmp_feed *feed = replay(in, &t, &last_down);
  assert_string_equal(t.name, "gobgp-test");
  assert_view(&t, WW_VIEW_ADJ_IN_PRE, 310, 150, 360, 180);
  /* GoBGP withdraws these one by one before the Peer Down. */
  assert_view(&t, WW_VIEW_ADJ_IN_POST, 0, 0, 360, 180);
  assert_view(&t, WW_VIEW_LOC_RIB, 0, 0, 360, 180);
  assert_int_equal(t.ups, 2); /* one of them made up, for the Loc-RIB */
  assert_int_equal(ww_bmp_feed_input(feed, in.data + last_down, in.len - last_down, NULL), WW_OK);
  struct ww_bmp_feed_stats stats;
  ww_bmp_feed_stats(feed, &stats);
  assert_int_equal(stats.messages, 2856);
  assert_int_equal(stats.ignored, 0);
  assert_int_equal(stats.malformed_updates, 0);
  assert_int_equal(stats.unknown_peer, 0);
  assert_int_equal(t.count, 0);
  ww_bmp_feed_free(feed);
  free(in.data);
  table_fini(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bad_frames),
      cmocka_unit_test(test_bad_messages),
      cmocka_unit_test(test_treat_as_withdraw),
      cmocka_unit_test(test_unknown_peer),
      cmocka_unit_test(test_up_again),
      cmocka_unit_test(test_up_repeated),
      cmocka_unit_test(test_next_hop_missing),
      cmocka_unit_test(test_many_peers),
      cmocka_unit_test(test_views),
      cmocka_unit_test(test_loc_rib),
      cmocka_unit_test(test_as_width),
      cmocka_unit_test(test_add_path),
      cmocka_unit_test(test_frr_prepends),
      cmocka_unit_test(test_mirror),
      cmocka_unit_test(test_mirror_dispositions),
      cmocka_unit_test(test_termination),
      cmocka_unit_test(test_splits),
      cmocka_unit_test(test_recorded_frr),
      cmocka_unit_test(test_recorded_gobgp),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
