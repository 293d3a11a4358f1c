/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model is arrays: which route of which table is here with which attributes, which VRP and which ASPA which source
 * has, who has which role. Verdicts are worked out from scratch by the letter of RFC 6811 §2 and of
 * draft-ietf-sidrops-aspa-verification-28 §5; which ASPAs are evidence and which hops are to blame is asked of the
 * validator, afresh for every route. The stations do what an export session does: walk
 * everything, then follow the journal; after a loss walk again and drop what was not heard of. At a check all work is
 * done and all that is to be read is read; then each station must hold just the model's routes with the model's
 * verdicts and rules.
 *
 * The universe is small, so that everything collides with everything: nested prefixes, few attributes, a journal of 16.
 */
#include "tests/engine/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bmpout/decode.h"
#include "bmpout/session.h"
#include "engine/engine.h"

enum {
  NEIGHBOURS = 3,
  TABLES = NEIGHBOURS * 2, /* pre- and post-policy of each */
  PREFIXES = 20,
  PATHS = 2,
  ATTRS = 12,
  HOPS_MAX = 6,
  CUSTOMERS = 6,
  ASPA_SETS = 6, /* the first: none */
  VRPS = 32,
  SOURCES = 2,
  STATIONS = 3,
  LOCAL_AS = 64999,
  NEIGHBOUR_AS = 64500,
  ADD_PATH_NEIGHBOUR = 2,
};

static const char *const prefix_texts[PREFIXES] = {
    "0.0.0.0/0",          "10.0.0.0/8",
    "10.0.0.0/16",        "10.0.0.0/24",
    "10.0.1.0/24",        "10.0.1.0/25",
    "10.0.1.128/25",      "10.128.0.0/9",
    "10.255.255.255/32",  "11.0.0.0/8",
    "192.0.2.0/24",       "192.0.2.0/28",
    "255.255.255.255/32", "::/0",
    "2001:db8::/32",      "2001:db8::/48",
    "2001:db8:0:1::/64",  "2001:db8:8000::/33",
    "2001:db8::1/128",    "3fff::/20",
};

static const char *const path_texts[ATTRS] = {
    "64500 64501",         "64500 64502",
    "64500 64503",         "64500 64501 64502",
    "64500 {64501,64502}", "",
    "64500 (65001)",       "64500 64500 64501 64502 64502 64503",
    "64501 64502",         "64500 64502 64501 64503",
    "64500 64504",         "64500 64501 64500 64502 64504",
};

/* The same without prepends, neighbor first; those with a set or a confederation segment have none. */
static const struct path {
  unsigned count;
  uint32_t asns[HOPS_MAX];
  bool has_set, has_confed;
} paths[ATTRS] = {
    {2, {64500, 64501}, false, false},
    {2, {64500, 64502}, false, false},
    {2, {64500, 64503}, false, false},
    {3, {64500, 64501, 64502}, false, false},
    {0, {0}, true, false},
    {0, {0}, false, false},
    {0, {0}, false, true},
    {4, {64500, 64501, 64502, 64503}, false, false},
    {2, {64501, 64502}, false, false},
    {4, {64500, 64502, 64501, 64503}, false, false},
    {2, {64500, 64504}, false, false},
    {5, {64500, 64501, 64500, 64502, 64504}, false, false},
};

static const uint32_t customers[CUSTOMERS] = {64500, 64501, 64502, 64503, 64504, 64505};
static const struct {
  unsigned count;
  uint32_t asns[3];
} aspa_sets[ASPA_SETS] = {
    {0, {0}}, {1, {64500}}, {2, {64501, 64502}}, {3, {64500, 64501, 64502}}, {1, {0}}, {2, {64499, 64503}},
};

static const uint8_t roles[] = {WW_ROLE_NONE, WW_ROLE_PROVIDER, WW_ROLE_CUSTOMER, WW_ROLE_RS_CLIENT, WW_ROLE_PEER};
enum { ROLES = sizeof roles / sizeof roles[0] };

struct verdict {
  uint8_t state, reason; /* of all kinds; of the origin */
  uint8_t path_state, path_reason;
  uint64_t rules; /* a sum over the listed rules: order does not matter */
  uint64_t blame; /* the same over the failing hops */
};

struct told {
  bool here, heard;
  uint8_t attrs;
  struct verdict verdict;
};

/* What a station knows of tables and routes. */
struct knowledge {
  bool up[TABLES];
  bool eor[TABLES][3];
  struct told told[TABLES][PREFIXES][PATHS];
};

struct station {
  struct ww_journal_reader *reader; /* NULL: not connected */
  struct knowledge knows;
  bool walking;
  uint32_t peer; /* the walk's */
  void *walker;
};

/* A station at the far end of a real export session, which knows nothing but octets. */
struct receiver {
  struct ww_bmpout_session *session; /* NULL: not connected */
  struct ww_buf octets;
  struct knowledge knows;
};

struct harness {
  struct harness_coverage *coverage;
  jmp_buf failed;
  char text[512];
  /* the universe */
  struct ww_prefix prefixes[PREFIXES];
  uint8_t attrs[ATTRS][64];
  size_t attrs_len[ATTRS], path_at[ATTRS], path_len[ATTRS];
  struct ww_vrp vrps[VRPS];
  /* the model */
  unsigned views;
  bool up[NEIGHBOURS];
  bool eor[TABLES][3];
  struct {
    bool here;
    uint8_t attrs;
  } routes[TABLES][PREFIXES][PATHS];
  bool has[SOURCES][VRPS];
  uint8_t has_aspa[SOURCES][CUSTOMERS]; /* which set */
  uint8_t open_role[NEIGHBOURS];
  struct {
    uint8_t by_address[NEIGHBOURS]; /* WW_ROLE_NONE: not configured */
    uint8_t by_as, others, none;
  } roles;
  ww_unix_time expires;
  bool ready;
  /* the real thing */
  struct ww_now now;
  struct ww_engine *engine;
  struct ww_engine_router *router;
  struct ww_bmp_feed_events events;
  struct ww_out_view view;
  struct ww_journal *journal;
  struct ww_snapshot *snapshot;
  struct ww_verdict result;
  struct ww_aspa_result aspa;
  uint32_t epoch;
  bool pending;
  struct station stations[STATIONS];
  struct receiver receiver;
  struct ww_arena arena;
};

static void __attribute__((noreturn, format(printf, 2, 3))) fail(struct harness *h, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  vsnprintf(h->text, sizeof h->text, fmt, args);
  va_end(args);
  longjmp(h->failed, 1);
}

#define EXPECT(condition)                                                                                              \
  do {                                                                                                                 \
    if (!(condition))                                                                                                  \
      fail(h, "%s:%d: not so: %s", __FILE__, __LINE__, #condition);                                                    \
  } while (0)

/* ---- the universe ---- */

static void universe(struct harness *h) {
  for (unsigned i = 0; i < PREFIXES; i++)
    EXPECT(ww_prefix_parse(prefix_texts[i], &h->prefixes[i]) == WW_OK);
  for (unsigned i = 0; i < ATTRS; i++) {
    struct ww_writer w = ww_writer_make(h->attrs[i], sizeof h->attrs[i]);
    ww_writer_bytes(&w, (const uint8_t[]){0x40, WW_ATTR_ORIGIN, 1, 0, 0x40, WW_ATTR_AS_PATH, 0}, 7);
    h->path_at[i] = w.len;
    EXPECT(ww_as_path_parse(path_texts[i], &w, NULL) == WW_OK);
    h->path_len[i] = w.len - h->path_at[i];
    h->attrs[i][6] = (uint8_t)h->path_len[i];
    ww_writer_bytes(&w, (const uint8_t[]){0x80, WW_ATTR_MED, 4, 0, 0, 0, (uint8_t)i}, 7);
    h->attrs_len[i] = w.len;
  }
  static const uint32_t asns[] = {64501, 64502, 64503, 0, LOCAL_AS};
  for (unsigned i = 0; i < VRPS; i++) {
    struct ww_vrp *vrp = &h->vrps[i];
    vrp->prefix = h->prefixes[i * 7 % PREFIXES];
    vrp->asn = asns[(i + i / PREFIXES) % 5]; /* no two alike */
    uint8_t bits = ww_afi_bits(vrp->prefix.afi);
    vrp->max_len = (uint8_t)(vrp->prefix.len + i % 3 * 8 > bits ? bits : vrp->prefix.len + i % 3 * 8);
    if (i % 11 == 0)
      vrp->max_len = bits;
    vrp->expires = 0;
  }
}

static unsigned table_of(unsigned neighbour, unsigned view) { return neighbour * 2 + view; }

static struct ww_bmp_peer header_of(unsigned neighbour, unsigned view) {
  struct ww_bmp_peer peer = {.asn = NEIGHBOUR_AS, .bgp_id = neighbour + 1, .flags = view ? WW_BMP_FLAG_L : 0, .sec = 1};
  memcpy(peer.address + 12, (const uint8_t[]){192, 0, 2, (uint8_t)(neighbour + 1)}, 4);
  return peer;
}

/* ---- the model's verdict ---- */

static uint64_t rule_number(const struct harness *h, unsigned source, const struct ww_vrp *vrp) {
  uint64_t x = source * 1000003u + vrp->asn * 31u + vrp->max_len;
  (void)h;
  for (unsigned i = 0; i < 16; i++)
    x = (x ^ vrp->prefix.addr[i]) * 0x100000001b3u;
  return ((x ^ vrp->prefix.len) * 0x9e3779b97f4a7c15u) | 1;
}

static uint64_t aspa_number(unsigned source, const struct ww_aspa *aspa) {
  uint64_t x = source * 1000003u + aspa->customer;
  for (uint32_t i = 0; i < aspa->provider_count; i++)
    x = (x ^ aspa->providers[i]) * 0x100000001b3u;
  return (x * 0x9e3779b97f4a7c15u) | 1;
}

static uint64_t blame_of(const struct ww_aspa_hop *hops, size_t count) {
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i++)
    if (hops[i].failing)
      sum +=
          (hops[i].customer * 31u + hops[i].provider + 7u * hops[i].state + 1000u * hops[i].up) * 0x9e3779b97f4a7c15u;
  return sum;
}

/* RFC 6811 §2, one VRP after the other. */
static void model_origin(const struct harness *h, unsigned prefix, unsigned attrs, struct verdict *out) {
  static const uint32_t asns[ATTRS] = {64501,    64502, 64503, 64502, 0,     LOCAL_AS,
                                       LOCAL_AS, 64503, 64502, 64503, 64504, 64504};
  const bool none = attrs == 4;
  bool covered = false, valid = false, named = false, only_as0 = true;
  uint64_t all = 0, matching = 0;
  for (unsigned s = 0; s < SOURCES; s++)
    for (unsigned i = 0; i < VRPS; i++) {
      const struct ww_vrp *vrp = &h->vrps[i];
      if (!h->has[s][i] || !ww_prefix_covers(&vrp->prefix, &h->prefixes[prefix]))
        continue;
      bool origin = !none && vrp->asn != 0 && vrp->asn == asns[attrs];
      bool length = h->prefixes[prefix].len <= vrp->max_len;
      covered = true;
      only_as0 = only_as0 && vrp->asn == 0;
      named = named || origin;
      valid = valid || (origin && length);
      all += rule_number(h, s + 1, vrp);
      if (origin && length)
        matching += rule_number(h, s + 1, vrp);
    }
  *out = (struct verdict){.state = WW_STATE_UNKNOWN, .reason = WW_REASON_NONE};
  if (!covered)
    return;
  out->state = valid ? WW_STATE_VALID : WW_STATE_INVALID;
  out->rules = valid ? matching : all;
  if (!valid)
    out->reason = named      ? WW_REASON_ORIGIN_LENGTH
                  : only_as0 ? WW_REASON_ORIGIN_AS0
                  : none     ? WW_REASON_ORIGIN_AS_SET
                             : WW_REASON_ORIGIN_AS;
}

/* draft-ietf-sidrops-aspa-verification-28 §5.3 */
static enum ww_aspa_hop_state authorized(const struct harness *h, uint32_t customer, uint32_t provider) {
  enum ww_aspa_hop_state answer = WW_HOP_NO_ATTESTATION;
  for (unsigned c = 0; c < CUSTOMERS; c++)
    for (unsigned s = 0; customers[c] == customer && s < SOURCES; s++) {
      unsigned set = h->has_aspa[s][c];
      if (set && answer == WW_HOP_NO_ATTESTATION)
        answer = WW_HOP_NOT_PROVIDER;
      for (unsigned i = 0; i < aspa_sets[set].count; i++)
        if (aspa_sets[set].asns[i] == provider)
          return WW_HOP_PROVIDER;
    }
  return answer;
}

/* What the router is to the neighbor, and the role that stands in where there is none. */
static uint8_t model_role(const struct harness *h, unsigned neighbour) {
  if (h->roles.by_address[neighbour] != WW_ROLE_NONE)
    return h->roles.by_address[neighbour];
  if (h->roles.by_as != WW_ROLE_NONE)
    return h->roles.by_as;
  return h->open_role[neighbour] != WW_ROLE_NONE ? h->open_role[neighbour] : h->roles.others;
}

static uint8_t taken_role(const struct harness *h, unsigned neighbour) {
  uint8_t role = model_role(h, neighbour);
  if (role == WW_ROLE_NONE && h->roles.none == WW_NO_ROLE_UPSTREAM)
    return WW_ROLE_PROVIDER;
  return role == WW_ROLE_NONE && h->roles.none == WW_NO_ROLE_DOWNSTREAM ? (uint8_t)WW_ROLE_CUSTOMER : role;
}

/* draft-ietf-sidrops-aspa-verification-28 §5.4 to §5.6, with AS(1) the origin. */
static void model_path(const struct harness *h, unsigned neighbour, unsigned attrs, struct verdict *out) {
  const struct path *path = &paths[attrs];
  unsigned n = path->count;
  uint8_t role = taken_role(h, neighbour);
  out->path_state = WW_STATE_NOT_EVALUATED;
  out->path_reason = WW_REASON_ASPA_NO_ROLE;
  if (role == WW_ROLE_NONE) {
    if (h->roles.none == WW_NO_ROLE_UNKNOWN)
      out->path_state = WW_STATE_UNKNOWN;
    return;
  }
  out->path_state = WW_STATE_INVALID;
  out->path_reason = path->has_confed                                             ? WW_REASON_ASPA_CONFED
                     : path->has_set                                              ? WW_REASON_ASPA_AS_SET
                     : n == 0                                                     ? WW_REASON_ASPA_EMPTY
                     : path->asns[0] != NEIGHBOUR_AS && role != WW_ROLE_RS_CLIENT ? WW_REASON_ASPA_FIRST_AS
                                                                                  : WW_REASON_NONE;
  if (out->path_reason != WW_REASON_NONE)
    return;
  bool downstream = role == WW_ROLE_CUSTOMER;
  unsigned max_up = n, min_up = n, max_down = downstream ? n : 0, min_down = downstream ? n : 0;
  for (unsigned i = n - 1; i >= 1; i--) { /* hop AS(i) to AS(i + 1), the lowest one last */
    enum ww_aspa_hop_state up = authorized(h, path->asns[n - i], path->asns[n - i - 1]);
    if (up == WW_HOP_NOT_PROVIDER)
      max_up = i;
    if (up != WW_HOP_PROVIDER)
      min_up = i;
  }
  for (unsigned j = 2; downstream && j <= n; j++) { /* hop AS(j) to AS(j - 1), the greatest one last */
    enum ww_aspa_hop_state down = authorized(h, path->asns[n - j], path->asns[n - j + 1]);
    if (down == WW_HOP_NOT_PROVIDER)
      max_down = n - j + 1;
    if (down != WW_HOP_PROVIDER)
      min_down = n - j + 1;
  }
  if (max_up + max_down < n) {
    out->path_reason = downstream ? WW_REASON_ASPA_VALLEY : WW_REASON_ASPA_NOT_PROVIDER;
  } else if (min_up + min_down < n) {
    out->path_state = WW_STATE_UNKNOWN;
    out->path_reason = WW_REASON_ASPA_UNATTESTED;
  } else {
    out->path_state = WW_STATE_VALID;
  }
}

static void model_evidence(struct harness *h, unsigned neighbour, unsigned attrs, struct verdict *out) {
  const struct path *path = &paths[attrs];
  const struct ww_aspa_path p = {
      .asns = path->asns, .count = path->count, .has_set = path->has_set, .has_confed = path->has_confed};
  const struct ww_aspa_session session = {.role = taken_role(h, neighbour), .neighbor_as = NEIGHBOUR_AS};
  EXPECT(ww_aspa_explain(h->snapshot, &p, &session, &h->aspa) == WW_OK);
  if (out->path_state != WW_STATE_UNKNOWN || session.role != WW_ROLE_NONE)
    EXPECT(!h->ready || (h->aspa.state == out->path_state && h->aspa.reason == out->path_reason));
  for (size_t i = 0; i < h->aspa.hit_count; i++) {
    const struct ww_aspa_hit *hit = &h->aspa.hits[i];
    if ((out->path_state == WW_STATE_VALID && hit->match == WW_HOP_PROVIDER) ||
        (out->path_state == WW_STATE_INVALID && hit->match != WW_HOP_NO_ATTESTATION))
      out->rules += aspa_number(hit->source, &hit->aspa);
  }
  out->blame = blame_of(h->aspa.hops, h->aspa.hop_count);
}

static struct verdict model_verdict(struct harness *h, unsigned table, unsigned prefix, unsigned attrs) {
  struct verdict v;
  model_origin(h, prefix, attrs, &v);
  model_path(h, table / 2, attrs, &v);
  model_evidence(h, table / 2, attrs, &v);
  if (v.path_state == WW_STATE_INVALID || (v.path_state == WW_STATE_VALID && v.state != WW_STATE_INVALID))
    v.state = v.path_state;
  return v;
}

/* ---- stations ---- */

static void station_walk(struct harness *h, struct station *s) {
  if (s->walker)
    h->view.walk_free(h->view.ctx, s->walker);
  s->walker = NULL;
  s->walking = true;
  s->peer = 0;
  for (unsigned t = 0; t < TABLES; t++) {
    s->knows.up[t] = false;
    memset(s->knows.eor[t], 0, sizeof s->knows.eor[t]);
    for (unsigned i = 0; i < PREFIXES * PATHS; i++)
      s->knows.told[t][i / PATHS][i % PATHS].heard = false;
  }
}

static void station_disconnect(struct harness *h, struct station *s) {
  if (s->walker)
    h->view.walk_free(h->view.ctx, s->walker);
  ww_journal_reader_free(s->reader);
  memset(s, 0, sizeof *s);
}

static void station_connect(struct harness *h, struct station *s) {
  station_disconnect(h, s);
  s->reader = ww_journal_reader_new(h->journal);
  EXPECT(s->reader);
  station_walk(h, s);
}

/* The table that a peer id of the view stands for, by what the view says of it. */
static unsigned station_table(struct harness *h, uint32_t peer, struct ww_out_peer *out) {
  EXPECT(h->view.peer(h->view.ctx, peer, out));
  unsigned neighbour = out->header.address[15] - 1u;
  EXPECT(neighbour < NEIGHBOURS);
  return table_of(neighbour, out->header.flags & WW_BMP_FLAG_L ? 1 : 0);
}

static void station_learn(struct harness *h, struct station *s, uint32_t id, const struct ww_out_route *route) {
  struct ww_out_peer peer;
  unsigned t = station_table(h, route->peer, &peer), p = 0, a = 0;
  while (p < PREFIXES && ww_prefix_compare(&h->prefixes[p], &route->prefix) != 0)
    p++;
  EXPECT(p < PREFIXES);
  EXPECT(route->path_id < PATHS);
  EXPECT(route->add_path || route->path_id == 0);
  struct told *told = &s->knows.told[t][p][route->path_id];
  if (route->withdrawn) {
    told->here = false;
    return;
  }
  if (!h->view.verdict(h->view.ctx, id, &h->result)) {
    EXPECT(!h->ready);
    return;
  }
  EXPECT(h->ready);
  EXPECT(h->result.epoch == h->epoch);
  EXPECT(peer.up && s->knows.up[t]); /* no route of a peer that the station knows to be down */
  while (a < ATTRS && (route->attrs_len != h->attrs_len[a] || memcmp(route->attrs, h->attrs[a], route->attrs_len) != 0))
    a++;
  EXPECT(a < ATTRS);
  EXPECT(route->next_hop_len == (route->prefix.afi == WW_AFI_IPV4 ? 4 : 16));
  told->here = told->heard = true;
  told->attrs = (uint8_t)a;
  const struct ww_origin_result *origin = &h->result.origin;
  const struct ww_aspa_result *aspa = &h->result.aspa;
  told->verdict = (struct verdict){.state = h->result.state,
                                   .reason = origin->reason,
                                   .path_state = aspa->state,
                                   .path_reason = aspa->reason,
                                   .blame = blame_of(aspa->hops, aspa->hop_count)};
  EXPECT(aspa->role == model_role(h, t / 2));
  for (size_t i = 0; i < origin->hit_count; i++)
    if (origin->state == WW_STATE_INVALID || origin->hits[i].match == WW_MATCH_VALID)
      told->verdict.rules += rule_number(h, origin->hits[i].source, &origin->hits[i].vrp);
  for (size_t i = 0; i < aspa->hit_count; i++)
    if ((aspa->state == WW_STATE_VALID && aspa->hits[i].match == WW_HOP_PROVIDER) ||
        (aspa->state == WW_STATE_INVALID && aspa->hits[i].match != WW_HOP_NO_ATTESTATION))
      told->verdict.rules += aspa_number(aspa->hits[i].source, &aspa->hits[i].aspa);
}

/* One step of the walk. */
static void station_walk_step(struct harness *h, struct station *s) {
  struct ww_out_peer peer;
  if (s->walker) {
    uint32_t id = h->view.walk_next(h->view.ctx, s->walker);
    if (id) {
      struct ww_out_route route;
      EXPECT(h->view.route(h->view.ctx, id, &route));
      EXPECT(!route.withdrawn);
      EXPECT(route.peer == s->peer);
      station_learn(h, s, id, &route);
      return;
    }
    h->view.walk_free(h->view.ctx, s->walker);
    s->walker = NULL;
    unsigned t = station_table(h, s->peer, &peer);
    memcpy(s->knows.eor[t], peer.eor, sizeof s->knows.eor[t]);
  }
  s->peer = h->view.peer_next(h->view.ctx, s->peer);
  if (s->peer) {
    unsigned t = station_table(h, s->peer, &peer);
    s->knows.up[t] = peer.up;
    if (peer.up) {
      s->walker = h->view.walk_new(h->view.ctx, s->peer);
      EXPECT(s->walker);
    }
    return;
  }
  s->walking = false;
  for (unsigned t = 0; t < TABLES; t++)
    for (unsigned i = 0; i < PREFIXES * PATHS; i++) {
      struct told *told = &s->knows.told[t][i / PATHS][i % PATHS];
      told->here = told->here && told->heard;
    }
}

/* False when there was nothing to do. */
static bool station_step(struct harness *h, struct station *s) {
  if (!s->reader)
    return false;
  if (s->walking) {
    station_walk_step(h, s);
    return true;
  }
  struct ww_change change;
  struct ww_out_peer peer;
  struct ww_out_route route;
  uint64_t seq = 0;
  int got = ww_journal_reader_next(s->reader, &change, &seq);
  if (got < 0) {
    h->coverage->losses++;
    station_walk(h, s);
    return true;
  }
  if (!got)
    return false;
  switch (change.kind) {
  case WW_CHANGE_ROUTE:
    if (!h->view.route(h->view.ctx, change.id, &route) || route.seq != seq)
      h->coverage->gone++;
    else
      station_learn(h, s, change.id, &route);
    break;
  case WW_CHANGE_PEER_UP:
  case WW_CHANGE_PEER_DOWN: {
    unsigned t = station_table(h, change.id, &peer);
    s->knows.up[t] = change.kind == WW_CHANGE_PEER_UP;
    memset(s->knows.eor[t], 0, sizeof s->knows.eor[t]);
    memset(s->knows.told[t], 0, sizeof s->knows.told[t]);
    break;
  }
  case WW_CHANGE_EOR:
    s->knows.eor[station_table(h, change.id, &peer)][change.afi] = true;
    break;
  default:
    fail(h, "journal entry of kind %u", change.kind);
  }
  return true;
}

/* ---- the receiver ---- */

static void receiver_disconnect(struct harness *h) {
  ww_bmpout_session_free(h->receiver.session);
  ww_buf_fini(&h->receiver.octets);
  memset(&h->receiver, 0, sizeof h->receiver);
}

static void receiver_connect(struct harness *h) {
  static const struct ww_bmpout_config config = {
      .profile = WW_PROFILE_V4, .pen = WW_PEN_EXAMPLE, .tlv_draft = 21, .max_message = 4096};
  receiver_disconnect(h);
  ww_buf_init(&h->receiver.octets, 0);
  h->receiver.session = ww_bmpout_session_new(&config, &h->view, h->journal, NULL);
  EXPECT(h->receiver.session);
}

static unsigned receiver_table(struct harness *h, const struct ww_bmp_peer *peer) {
  unsigned neighbour = peer->address[15] - 1u;
  EXPECT(neighbour < NEIGHBOURS);
  return table_of(neighbour, peer->flags & WW_BMP_FLAG_L ? 1 : 0);
}

static void receiver_validation(struct harness *h, const uint8_t *data, size_t len) {
  struct receiver *r = &h->receiver;
  struct ww_validation_msg msg;
  struct ww_diag diag = {.text = ""};
  ww_arena_reset(&h->arena);
  if (ww_validation_decode(data, len, WW_PEN_EXAMPLE, &h->arena, &msg, &diag) != WW_OK)
    fail(h, "receiver: %s", diag.text);
  unsigned t = receiver_table(h, &msg.peer), a = 0;
  EXPECT(r->knows.up[t]);
  if (msg.profile_flags & WW_PROFILE_SNAPSHOT_START) {
    /* The table begins anew; whether the neighbour's session did too was lost with the journal. */
    memset(r->knows.eor[t], 0, sizeof r->knows.eor[t]);
    for (unsigned i = 0; i < PREFIXES * PATHS; i++)
      r->knows.told[t][i / PATHS][i % PATHS].heard = false;
  }
  for (size_t n = 0; n < msg.item_count; n++) {
    const struct ww_validation_item *item = &msg.items[n];
    unsigned p = 0;
    while (p < PREFIXES && ww_prefix_compare(&h->prefixes[p], &item->prefix) != 0)
      p++;
    EXPECT(p < PREFIXES && item->path_id < PATHS);
    struct told *told = &r->knows.told[t][p][item->path_id];
    told->here = !item->withdrawn;
    if (item->withdrawn)
      continue;
    EXPECT(item->has_state && item->result[WW_KIND_ORIGIN].present);
    for (a = 0; a < ATTRS && (msg.update.attrs_len != h->attrs_len[a] ||
                              memcmp(msg.update.attrs, h->attrs[a], msg.update.attrs_len) != 0);
         a++)
      ;
    EXPECT(a < ATTRS);
    told->heard = true;
    told->attrs = (uint8_t)a;
    EXPECT(item->result[WW_KIND_ASPA].present);
    told->verdict = (struct verdict){.state = item->state,
                                     .reason = (uint8_t)item->result[WW_KIND_ORIGIN].reason,
                                     .path_state = item->result[WW_KIND_ASPA].state,
                                     .path_reason = (uint8_t)item->result[WW_KIND_ASPA].reason};
    if (item->path)
      told->verdict.blame = blame_of(item->path->hops, item->path->hop_count);
    for (size_t i = 0; i < item->rule_count; i++)
      told->verdict.rules += item->rules[i].kind == WW_RULE_ASPA
                                 ? aspa_number(item->rules[i].source, &item->rules[i].aspa)
                                 : rule_number(h, item->rules[i].source, &item->rules[i].vrp);
  }
  if (msg.eor)
    r->knows.eor[t][msg.eor_afi] = true;
  if (msg.profile_flags & WW_PROFILE_SNAPSHOT_END) {
    h->coverage->resyncs++;
    for (unsigned i = 0; i < PREFIXES * PATHS; i++) {
      struct told *told = &r->knows.told[t][i / PATHS][i % PATHS];
      told->here = told->here && told->heard;
    }
  }
}

static void receiver_message(struct harness *h, const uint8_t *data, size_t len, uint8_t type) {
  struct receiver *r = &h->receiver;
  if (type == WW_BMP_RPKI_VALIDATION) {
    receiver_validation(h, data, len);
  } else if (type == WW_BMP_PEER_UP || type == WW_BMP_PEER_DOWN) {
    struct ww_bmp_peer peer;
    struct ww_reader reader = ww_reader_make(data + WW_BMP_HEADER_LEN, len - WW_BMP_HEADER_LEN);
    ww_bmp_peer_read(&reader, &peer);
    EXPECT(!reader.bad);
    unsigned t = receiver_table(h, &peer);
    EXPECT(r->knows.up[t] == (type == WW_BMP_PEER_DOWN));
    r->knows.up[t] = type == WW_BMP_PEER_UP;
    memset(r->knows.eor[t], 0, sizeof r->knows.eor[t]);
    memset(r->knows.told[t], 0, sizeof r->knows.told[t]);
  } else {
    EXPECT(type == WW_BMP_INITIATION);
  }
}

/* Takes about `budget` octets from the session. False when it had no more to say. */
static bool receiver_step(struct harness *h, size_t budget) {
  struct receiver *r = &h->receiver;
  if (!r->session)
    return false;
  h->now.mono += 100;
  bool more = ww_bmpout_session_pull(r->session, &r->octets, budget, h->now);
  EXPECT(!ww_bmpout_session_finished(r->session));
  while (r->octets.len) {
    struct ww_bmp_header header;
    EXPECT(ww_bmp_frame(ww_buf_head(&r->octets), r->octets.len, WW_BMP_MAX_LEN, &header, NULL) == WW_OK);
    EXPECT(header.len <= r->octets.len);
    receiver_message(h, ww_buf_head(&r->octets), header.len, header.type);
    ww_buf_consume(&r->octets, header.len);
  }
  return more;
}

/* ---- checks ---- */

static int count_route(void *ctx, const struct ww_engine_route *route) {
  size_t *count = ctx;
  (void)route;
  ++*count;
  return 0;
}

static void check_counts(struct harness *h) {
  uint64_t states[3] = {0}, kinds[2][4] = {{0}}, routes = 0;
  for (unsigned t = 0; t < TABLES; t++)
    for (unsigned i = 0; i < PREFIXES * PATHS; i++)
      if (h->routes[t][i / PATHS][i % PATHS].here) {
        routes++;
        struct verdict v = model_verdict(h, t, i / PATHS, h->routes[t][i / PATHS][i % PATHS].attrs), origin;
        model_origin(h, i / PATHS, h->routes[t][i / PATHS][i % PATHS].attrs, &origin);
        states[v.state]++;
        kinds[0][origin.state]++;
        kinds[1][v.path_state]++;
      }
  struct ww_engine_counts counts;
  ww_engine_router_counts(h->router, &counts);
  EXPECT(counts.routes == routes);
  EXPECT(counts.not_ready == (h->ready ? 0 : routes));
  EXPECT(counts.valid == (h->ready ? states[WW_STATE_VALID] : 0));
  EXPECT(counts.unknown == (h->ready ? states[WW_STATE_UNKNOWN] : 0));
  EXPECT(counts.invalid == (h->ready ? states[WW_STATE_INVALID] : 0));
  for (unsigned k = 0; k < WW_ENGINE_KINDS; k++) {
    const struct ww_engine_kind_counts *c = &counts.kinds[k];
    uint64_t none[4] = {[WW_STATE_NOT_EVALUATED] = routes};
    const uint64_t *want = k < 2 ? kinds[k] : none;
    EXPECT(c->valid == (h->ready ? want[WW_STATE_VALID] : 0));
    EXPECT(c->unknown == (h->ready ? want[WW_STATE_UNKNOWN] : 0));
    EXPECT(c->invalid == (h->ready ? want[WW_STATE_INVALID] : 0));
    EXPECT(c->not_evaluated == (h->ready ? want[WW_STATE_NOT_EVALUATED] : 0));
  }
  EXPECT(counts.refused == 0);
  size_t listed = 0;
  EXPECT(ww_engine_router_routes(h->router, NULL, &listed, count_route) == 0);
  EXPECT(listed == routes);
}

/* What a station was told against what is so. */
static void check_told(struct harness *h, const char *who, unsigned number, const struct knowledge *knows) {
  for (unsigned t = 0; t < TABLES; t++) {
    bool up = h->up[t / 2] && (h->views >> t % 2 & 1);
    if (knows->up[t] != up)
      fail(h, "%s %u: table %u is %s", who, number, t, up ? "not up" : "up");
    if (!h->ready)
      continue; /* what a station was told before stands; nothing is said now */
    for (unsigned afi = 1; afi <= 2; afi++)
      if (knows->eor[t][afi] != h->eor[t][afi])
        fail(h, "%s %u: table %u afi %u: End-of-RIB %s", who, number, t, afi,
             knows->eor[t][afi] ? "too early" : "missing");
    for (unsigned i = 0; i < PREFIXES * PATHS; i++) {
      unsigned p = i / PATHS, path = i % PATHS;
      const struct told *told = &knows->told[t][p][path];
      if (told->here != h->routes[t][p][path].here)
        fail(h, "%s %u: table %u %s path %u: %s", who, number, t, prefix_texts[p], path,
             told->here ? "told, but gone" : "never told");
      if (!told->here)
        continue;
      unsigned attrs = h->routes[t][p][path].attrs;
      struct verdict v = model_verdict(h, t, p, attrs);
      if (told->attrs != attrs || memcmp(&told->verdict, &v, sizeof v) != 0)
        fail(h,
             "%s %u: table %u %s path %u: told attrs %u state %u reason %u, path %u %u%s%s, should be %u %u %u, %u %u",
             who, number, t, prefix_texts[p], path, told->attrs, told->verdict.state, told->verdict.reason,
             told->verdict.path_state, told->verdict.path_reason,
             told->verdict.rules != v.rules ? " with other rules" : "",
             told->verdict.blame != v.blame ? " with other hops" : "", attrs, v.state, v.reason, v.path_state,
             v.path_reason);
    }
  }
}

static void work(struct harness *h, size_t budget) {
  h->now.unix_sec++;
  h->pending = ww_engine_work(h->engine, budget, h->now);
}

static void check(struct harness *h) {
  h->coverage->checks++;
  do
    work(h, 5);
  while (h->pending);
  for (unsigned n = 0; n < STATIONS; n++)
    while (station_step(h, &h->stations[n]))
      ;
  check_counts(h);
  for (unsigned n = 0; n < STATIONS; n++)
    if (h->stations[n].reader)
      check_told(h, "station", n, &h->stations[n].knows);
  while (receiver_step(h, 4000))
    ;
  if (h->receiver.session)
    check_told(h, "receiver", 0, &h->receiver.knows);
}

/* ---- operations ---- */

static struct ww_nlri nlri_begin(struct ww_writer *w, uint8_t afi, bool add_path, uint8_t *room, size_t size) {
  *w = ww_writer_make(room, size);
  return (struct ww_nlri){.afi = afi, .add_path = add_path, .data = room};
}

/* One UPDATE for `count` prefixes from `first` on, in steps of `stride`, split by family as the wire does. */
static void update(struct harness *h, bool announce, unsigned neighbour, unsigned view, unsigned first, unsigned stride,
                   unsigned count, unsigned path, unsigned attrs) {
  static const uint8_t next_hops[2][16] = {{192, 0, 2, 254}, {0x20, 1, 0xd, 0xb8, [15] = 254}};
  uint8_t room[2][256];
  struct ww_writer w[2];
  struct ww_bgp_update u;
  memset(&u, 0, sizeof u);
  const bool add_path = neighbour == ADD_PATH_NEIGHBOUR;
  struct ww_nlri *fields = announce ? u.announced : u.withdrawn;
  if (!add_path)
    path = 0;
  for (unsigned f = 0; f < 2; f++)
    fields[f] = nlri_begin(&w[f], (uint8_t)(f + 1), add_path, room[f], sizeof room[f]);
  const unsigned t = table_of(neighbour, view);
  const bool taken = h->up[neighbour] && (h->views >> view & 1);
  for (unsigned i = 0; i < count; i++) {
    unsigned p = (first + i * stride) % PREFIXES;
    ww_nlri_write(&w[h->prefixes[p].afi - 1], &h->prefixes[p], add_path, path);
    if (taken) {
      h->routes[t][p][path].here = announce;
      h->routes[t][p][path].attrs = (uint8_t)attrs;
    }
  }
  for (unsigned f = 0; f < 2; f++)
    fields[f].len = w[f].len;
  if (announce) {
    u.attrs = h->attrs[attrs];
    u.attrs_len = h->attrs_len[attrs];
    u.has_as_path = true;
    u.as_path = (struct ww_as_path){.data = h->attrs[attrs] + h->path_at[attrs], .len = h->path_len[attrs]};
    for (unsigned f = 0; f < 2; f++) {
      u.next_hop[f] = next_hops[f];
      u.next_hop_len[f] = f ? 16 : 4;
    }
  }
  const struct ww_bmp_peer peer = header_of(neighbour, view);
  h->events.update(h->events.ctx, &peer, view ? WW_VIEW_ADJ_IN_POST : WW_VIEW_ADJ_IN_PRE, &u);
}

static void end_of_rib(struct harness *h, unsigned neighbour, unsigned view, uint8_t afi) {
  struct ww_bgp_update u;
  memset(&u, 0, sizeof u);
  u.eor = true;
  u.eor_afi = afi;
  if (h->up[neighbour] && (h->views >> view & 1))
    h->eor[table_of(neighbour, view)][afi] = true;
  const struct ww_bmp_peer peer = header_of(neighbour, view);
  h->events.update(h->events.ctx, &peer, view ? WW_VIEW_ADJ_IN_POST : WW_VIEW_ADJ_IN_PRE, &u);
}

static void forget(struct harness *h, unsigned neighbour) {
  h->up[neighbour] = false;
  for (unsigned view = 0; view < 2; view++) {
    memset(h->routes[table_of(neighbour, view)], 0, sizeof h->routes[0]);
    memset(h->eor[table_of(neighbour, view)], 0, sizeof h->eor[0]);
  }
}

static void peer_up(struct harness *h, unsigned neighbour, uint8_t role) {
  uint8_t open[128], theirs[128], capability[3] = {9, 1, role};
  struct ww_writer w = ww_writer_make(open, sizeof open), v = ww_writer_make(theirs, sizeof theirs);
  ww_bgp_open_write(&w, LOCAL_AS, 90, 1, capability, role == WW_ROLE_NONE ? 0 : sizeof capability);
  capability[2] = WW_ROLE_PROVIDER; /* what the neighbor says of itself decides nothing */
  ww_bgp_open_write(&v, NEIGHBOUR_AS, 90, 1, capability, sizeof capability);
  struct ww_bmp_msg msg;
  memset(&msg, 0, sizeof msg);
  msg.u.up.sent_open = open;
  msg.u.up.sent_len = w.len;
  msg.u.up.received_open = theirs;
  msg.u.up.received_len = v.len;
  h->open_role[neighbour] = role;
  forget(h, neighbour); /* a second Peer Up is a new session */
  h->up[neighbour] = true;
  const struct ww_bmp_peer peer = header_of(neighbour, 0);
  h->events.peer_up(h->events.ctx, &peer, &msg);
}

static void peer_down(struct harness *h, unsigned neighbour) {
  struct ww_bmp_msg msg;
  memset(&msg, 0, sizeof msg);
  msg.u.down.reason = 4;
  forget(h, neighbour);
  h->coverage->peer_downs++;
  const struct ww_bmp_peer peer = header_of(neighbour, 0);
  h->events.peer_down(h->events.ctx, &peer, &msg);
}

/* Hands the engine a snapshot with `delta` applied. */
static void publish(struct harness *h, const struct ww_payload_delta *delta, bool all) {
  struct ww_snapshot *next = NULL;
  EXPECT(ww_snapshot_apply(h->snapshot, delta, ++h->epoch, h->ready, &next) == WW_OK);
  ww_snapshot_unref(h->snapshot);
  h->snapshot = next;
  h->coverage->coalesced += h->pending;
  EXPECT(ww_engine_set_snapshot(h->engine, next, all ? NULL : delta, 1) == WW_OK);
  h->pending = true;
}

enum { ALL = 1, REFRESH = 2 };

static void change_data(struct harness *h, unsigned source, unsigned first, unsigned stride, unsigned count,
                        unsigned how) {
  struct ww_payload_delta delta;
  memset(&delta, 0, sizeof delta);
  delta.source = (ww_source_id)(source + 1);
  bool touched[VRPS] = {false};
  for (unsigned i = 0; i < count; i++) {
    unsigned v = (first + i * stride) % VRPS;
    if (touched[v])
      continue;
    touched[v] = true;
    struct ww_vrp vrp = h->vrps[v];
    vrp.expires = h->expires;
    struct ww_payloads *part = h->has[source][v] ? &delta.withdraw : &delta.announce;
    if (how & REFRESH) {
      if (!h->has[source][v])
        continue;
      vrp.expires = ++h->expires;
      part = &delta.refresh;
    } else {
      h->has[source][v] = !h->has[source][v];
    }
    EXPECT(ww_payloads_add_vrp(part, &vrp) == WW_OK);
  }
  EXPECT(ww_payloads_sort(&delta.announce) == WW_OK);
  EXPECT(ww_payloads_sort(&delta.withdraw) == WW_OK);
  EXPECT(ww_payloads_sort(&delta.refresh) == WW_OK);
  publish(h, &delta, (how & ALL) != 0);
  ww_payload_delta_fini(&delta);
}

/* Finishes what is pending, so that what follows can be counted. */
static void work_off(struct harness *h) {
  do
    work(h, 7);
  while (h->pending);
}

/* Routes that are verified with ASPAs and whose path holds one of the customers, and how many such paths there can be:
 * a path stays while a withdrawn route of it waits for the journal. */
static void count_concerned(const struct harness *h, const bool touched[CUSTOMERS], uint64_t *routes,
                            uint64_t *concerned_paths) {
  bool holds[ATTRS] = {false};
  *routes = *concerned_paths = 0;
  for (unsigned a = 0; a < ATTRS; a++) {
    for (unsigned k = 0; k < paths[a].count; k++)
      for (unsigned c = 0; c < CUSTOMERS; c++)
        holds[a] = holds[a] || (touched[c] && customers[c] == paths[a].asns[k]);
    *concerned_paths += holds[a];
  }
  for (unsigned t = 0; t < TABLES; t++)
    for (unsigned i = 0; taken_role(h, t / 2) != WW_ROLE_NONE && i < PREFIXES * PATHS; i++)
      *routes += h->routes[t][i / PATHS][i % PATHS].here && holds[h->routes[t][i / PATHS][i % PATHS].attrs];
}

static void change_aspas(struct harness *h, unsigned source, unsigned first, unsigned count, unsigned set,
                         bool counted) {
  struct ww_payload_delta delta;
  struct ww_engine_counts before, after;
  bool touched[CUSTOMERS] = {false};
  memset(&delta, 0, sizeof delta);
  delta.source = (ww_source_id)(source + 1);
  if (counted)
    work_off(h);
  ww_engine_router_counts(h->router, &before);
  for (unsigned i = 0; i < count; i++) {
    unsigned c = (first + i) % CUSTOMERS, now = (set + i) % ASPA_SETS;
    uint8_t *has = &h->has_aspa[source][c];
    if (touched[c] || (!now && !*has))
      continue;
    touched[c] = true;
    struct ww_aspa aspa = {.customer = customers[c],
                           .provider_count = aspa_sets[now].count,
                           .providers = aspa_sets[now].asns,
                           .expires = h->expires};
    struct ww_payloads *part = now == *has ? &delta.refresh : now ? &delta.announce : &delta.withdraw;
    if (now == *has)
      aspa.expires = ++h->expires;
    EXPECT(ww_payloads_add_aspa(part, &aspa) == WW_OK); /* a withdrawn ASPA has no providers: set 0 */
    *has = (uint8_t)now;
  }
  EXPECT(ww_payloads_sort(&delta.announce) == WW_OK);
  EXPECT(ww_payloads_sort(&delta.withdraw) == WW_OK);
  EXPECT(ww_payloads_sort(&delta.refresh) == WW_OK);
  publish(h, &delta, false);
  ww_payload_delta_fini(&delta);
  h->coverage->aspa_deltas++;
  if (!counted || !h->ready)
    return;
  uint64_t routes, concerned_paths;
  work_off(h);
  ww_engine_router_counts(h->router, &after);
  count_concerned(h, touched, &routes, &concerned_paths);
  EXPECT(after.evaluated - before.evaluated <= routes);
  EXPECT(after.paths_evaluated - before.paths_evaluated <= 2 * concerned_paths);
  h->coverage->spared += routes - (after.evaluated - before.evaluated);
  h->coverage->reevaluated += after.evaluated - before.evaluated;
}

static void set_roles(struct harness *h, unsigned who, unsigned role, unsigned none) {
  struct ww_engine_role configured[NEIGHBOURS + 1];
  struct ww_engine_roles all = {.peers = configured};
  if (who < NEIGHBOURS)
    h->roles.by_address[who] = roles[role];
  else if (who == NEIGHBOURS)
    h->roles.by_as = roles[role];
  else
    h->roles.others = roles[role];
  h->roles.none = (uint8_t)none;
  /* The AS first, though addresses go before it. */
  if (h->roles.by_as != WW_ROLE_NONE)
    configured[all.peer_count++] = (struct ww_engine_role){.asn = NEIGHBOUR_AS, .role = h->roles.by_as};
  for (unsigned i = 0; i < NEIGHBOURS; i++) { /* a section that says nothing of the role changes nothing */
    const struct ww_bmp_peer header = header_of(i, 0);
    bool said = h->roles.by_address[i] != WW_ROLE_NONE;
    configured[all.peer_count++] = (struct ww_engine_role){.address = ww_bmp_peer_addr(&header),
                                                           .role = said ? h->roles.by_address[i] : WW_ROLE_CUSTOMER,
                                                           .role_not_said = !said};
  }
  all.others = h->roles.others;
  all.none = h->roles.none;
  EXPECT(ww_engine_router_set_roles(h->router, &all) == WW_OK);
  h->pending = true;
  h->coverage->role_changes++;
}

static void toggle_ready(struct harness *h) {
  struct ww_payload_delta nothing;
  memset(&nothing, 0, sizeof nothing);
  h->ready = !h->ready;
  h->coverage->not_ready += !h->ready;
  publish(h, &nothing, false);
}

/* ---- scripts ---- */

struct script {
  const uint8_t *p, *end;
};

static unsigned take(struct script *s, unsigned below) { return s->p < s->end ? *s->p++ % below : 0; }

/* Arguments are taken one a statement: their order must not depend on the compiler. */
static void operate(struct harness *h, struct script *s) {
  unsigned what = take(s, 84);
  unsigned n = take(s, NEIGHBOURS);
  h->coverage->steps++;
  h->now.unix_sec++;
  if (what < 27) {
    unsigned view = take(s, 8) == 0;
    unsigned first = take(s, PREFIXES);
    unsigned stride = 1 + take(s, PREFIXES - 1);
    unsigned count = 1 + take(s, 4);
    unsigned path = take(s, PATHS);
    unsigned attrs = what < 18 ? take(s, ATTRS) : 0;
    update(h, what < 18, n, view, first, stride, count, path, attrs);
  } else if (what < 30) {
    peer_up(h, n, roles[take(s, ROLES)]);
  } else if (what < 31) {
    peer_down(h, n);
  } else if (what < 39) {
    unsigned first = take(s, VRPS);
    unsigned stride = 1 + take(s, VRPS - 1);
    unsigned count = 1 + take(s, 5);
    change_data(h, n % SOURCES, first, stride, count, 0);
  } else if (what < 41) {
    change_data(h, n % SOURCES, take(s, VRPS), 1, 3, what < 40 ? ALL : REFRESH);
  } else if (what < 43) {
    toggle_ready(h);
  } else if (what < 47) {
    work(h, 1 + take(s, 12));
  } else if (what < 57) {
    struct station *station = &h->stations[n % STATIONS];
    for (unsigned i = take(s, 24) + 1; i && station_step(h, station); i--)
      ;
  } else if (what < 59) {
    station_connect(h, &h->stations[n % STATIONS]);
  } else if (what < 60) {
    if (take(s, 4)) {
      station_disconnect(h, &h->stations[n % STATIONS]);
    } else {
      ww_engine_router_disconnected(h->router);
      for (unsigned i = 0; i < NEIGHBOURS; i++)
        forget(h, i);
    }
  } else if (what < 62) {
    unsigned view = take(s, 2);
    end_of_rib(h, n, view, (uint8_t)(1 + take(s, 2)));
  } else if (what < 64) {
    check(h);
  } else if (what < 69) {
    (void)receiver_step(h, 100 + 100 * (size_t)take(s, 20));
  } else if (what < 70) {
    receiver_connect(h);
  } else if (what < 80) {
    unsigned first = take(s, CUSTOMERS);
    unsigned count = 1 + take(s, 3);
    unsigned set = take(s, ASPA_SETS);
    change_aspas(h, n % SOURCES, first, count, set, what < 73);
  } else {
    unsigned who = take(s, NEIGHBOURS + 2);
    unsigned role = take(s, ROLES);
    set_roles(h, who, role, take(s, 4));
  }
}

static void begin(struct harness *h, struct script *s) {
  unsigned first = take(s, 256);
  universe(h);
  h->now = (struct ww_now){.mono = 1, .unix_sec = 1000};
  memset(&h->roles, WW_ROLE_NONE, sizeof h->roles);
  h->roles.none = WW_NO_ROLE_SKIP;
  h->engine = ww_engine_new(NULL);
  EXPECT(h->engine);
  struct ww_engine_router_config config = {.name = "lab", .journal_entries = 16, .local_as = first & 1 ? LOCAL_AS : 0};
  config.views = first & 2 ? 1u << WW_VIEW_ADJ_IN_PRE | 1u << WW_VIEW_ADJ_IN_POST : 0;
  h->views = first & 2 ? 3 : 1;
  if (first & 4)
    config.journal_entries = 256;
  h->router = ww_engine_router_new(h->engine, &config);
  EXPECT(h->router);
  ww_engine_router_events(h->router, &h->now, &h->events);
  ww_engine_router_view(h->router, &h->view);
  h->journal = ww_engine_router_journal(h->router);
  h->snapshot = ww_snapshot_new();
  EXPECT(h->snapshot);
  ww_arena_init(&h->arena, 0);
  if (first & 8)
    receiver_connect(h);
  station_connect(h, &h->stations[0]); /* this one hears everything from the start */
}

const char *harness_run(const uint8_t *octets, size_t len, struct harness_coverage *coverage) {
  static char text[600];
  struct harness *h = calloc(1, sizeof *h);
  if (!h)
    return "no memory";
  struct script s = {.p = octets, .end = octets ? octets + len : NULL};
  h->coverage = coverage;
  text[0] = '\0';
  if (setjmp(h->failed)) {
    snprintf(text, sizeof text, "%s (step %llu)", h->text, (unsigned long long)coverage->steps);
  } else {
    begin(h, &s);
    while (s.p < s.end)
      operate(h, &s);
    check(h);
    if (!h->ready) {
      toggle_ready(h);
      check(h);
    }
  }
  for (unsigned n = 0; n < STATIONS; n++)
    station_disconnect(h, &h->stations[n]);
  receiver_disconnect(h);
  ww_arena_fini(&h->arena);
  ww_engine_free(h->engine);
  ww_snapshot_unref(h->snapshot);
  ww_verdict_fini(&h->result);
  ww_aspa_result_fini(&h->aspa);
  free(h);
  return text[0] ? text : NULL;
}
