/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast an export session turns routes into BMP: RPKI_VALIDATION (profile v4) and, as its measure in the same run,
 * plain Route Monitoring (std3) of the same routes, which has no verdicts to tell. 1M IPv4 routes, 20 of them to an
 * attribute set; of each twenty 8 Valid by a VRP of their own, 8 NotFound, 4 Invalid by one they share.
 *
 *   bench_bmpout [ROUTES [ROUTES-PER-SET]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bmpout/session.h"

struct table {
  struct ww_journal *journal;
  uint32_t count, per_set;
  uint8_t attrs[64];
  size_t attrs_len;
  uint8_t open[128];
  size_t open_len;
  bool aspa; /* verdicts have a result for the path */
};

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *name(void *ctx) {
  (void)ctx;
  return "bench";
}

static uint32_t peer_next(void *ctx, uint32_t id) {
  (void)ctx;
  return id ? 0 : 1;
}

static bool peer(void *ctx, uint32_t id, struct ww_out_peer *out) {
  struct table *t = ctx;
  *out = (struct ww_out_peer){.header = {.asn = 64500 + id, .bgp_id = id}, .up = true};
  out->local.afi = WW_AFI_IPV4;
  out->sent_open = out->received_open = t->open;
  out->sent_len = out->received_len = t->open_len;
  return true;
}

static struct ww_prefix prefix_of(uint32_t id) {
  return (struct ww_prefix){
      .afi = WW_AFI_IPV4, .len = 24, .addr = {(uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id}};
}

static bool route(void *ctx, uint32_t id, struct ww_out_route *out) {
  static const uint8_t next_hop[4] = {192, 0, 2, 1};
  struct table *t = ctx;
  *out = (struct ww_out_route){.peer = 1,
                               .attrs_id = id / t->per_set,
                               .attrs = t->attrs,
                               .attrs_len = t->attrs_len,
                               .next_hop = next_hop,
                               .next_hop_len = 4,
                               .prefix = prefix_of(id),
                               .trigger = WW_TRIGGER_UPDATE,
                               .seq = id,
                               .sec = 1700000000};
  return true;
}

/* What each path is told with: five hops, each by an ASPA of five providers. */
enum { HOPS = 5, PROVIDERS = 5 };

static bool fill_aspa(struct ww_aspa_result *a) {
  static const uint32_t providers[PROVIDERS] = {174, 1299, 2914, 3356, 6939};
  a->state = a->reason = 0;
  a->procedure = WW_ASPA_UPSTREAM;
  a->role = WW_ROLE_PEER;
  a->path_len = a->max_up = a->min_up = HOPS + 1;
  if (a->hits)
    return true;
  a->hits = calloc(HOPS, sizeof *a->hits);
  a->hops = calloc(HOPS, sizeof *a->hops);
  if (!a->hits || !a->hops)
    return false;
  a->hit_count = a->hop_count = a->hit_cap = a->hop_cap = HOPS;
  for (unsigned i = 0; i < HOPS; i++) {
    a->hops[i] = (struct ww_aspa_hop){.customer = 64510 + i, .provider = providers[i], .up = true};
    a->hits[i].aspa = (struct ww_aspa){
        .customer = 64510 + i, .provider_count = PROVIDERS, .providers = providers, .expires = 1800000000};
  }
  return true;
}

static bool verdict(void *ctx, uint32_t id, struct ww_verdict *out) {
  const struct table *t = ctx;
  struct ww_origin_result *v = &out->origin;
  out->epoch = 42;
  out->aspa.state = WW_STATE_NOT_EVALUATED;
  if (t->aspa && !fill_aspa(&out->aspa))
    return false;
  if (!v->hits) {
    v->hits = calloc(1, sizeof *v->hits);
    v->hit_cap = v->hits ? 1 : 0;
    if (!v->hits)
      return false;
  }
  uint32_t kind = id % 20;
  v->state = kind < 8 ? WW_STATE_VALID : kind < 16 ? WW_STATE_UNKNOWN : WW_STATE_INVALID;
  v->reason = v->state == WW_STATE_INVALID ? WW_REASON_ORIGIN_AS : WW_REASON_NONE;
  v->hit_count = v->state == WW_STATE_UNKNOWN ? 0 : 1;
  v->hits[0] =
      (struct ww_vrp_hit){.vrp = {.prefix = prefix_of(id), .max_len = 24, .asn = 64510, .expires = 1800000000}};
  if (v->state == WW_STATE_INVALID) {
    v->hits[0].vrp.prefix.len = 8;
    ww_prefix_mask(&v->hits[0].vrp.prefix);
    v->hits[0].match = WW_MATCH_AS;
  }
  return true;
}

static void *walk_new(void *ctx, uint32_t id) {
  (void)ctx;
  (void)id;
  return calloc(1, sizeof(uint32_t));
}

static uint32_t walk_next(void *ctx, void *walker) {
  const struct table *t = ctx;
  uint32_t *at = walker;
  return *at < t->count ? ++*at : 0;
}

static void walk_free(void *ctx, void *walker) {
  (void)ctx;
  free(walker);
}

static const char *source_name(void *ctx, ww_source_id id) {
  (void)ctx;
  (void)id;
  return "main";
}

static uint8_t source_type(void *ctx, ww_source_id id) {
  (void)ctx;
  (void)id;
  return 1;
}

/* Routes per second, or 0. With `changes`, every route comes through the journal instead of the walk. */
static double measure(struct table *t, enum ww_profile profile, bool changes) {
  struct ww_out_view view = {.ctx = t,
                             .sys_name = name,
                             .sys_descr = name,
                             .peer_next = peer_next,
                             .peer = peer,
                             .route = route,
                             .verdict = verdict,
                             .walk_new = walk_new,
                             .walk_next = walk_next,
                             .walk_free = walk_free,
                             .source_name = source_name,
                             .source_type = source_type};
  struct ww_bmpout_config config = {.profile = profile, .pen = 32473, .tlv_draft = 21, .max_message = 65535};
  struct ww_now now = {.mono = 1, .unix_sec = 1800000000};
  struct ww_bmpout_stats stats;
  struct ww_buf out;
  uint32_t routes = t->count;
  ww_buf_init(&out, 0);
  t->journal = ww_journal_new((size_t)routes + 1, NULL, NULL);
  if (changes)
    t->count = 0; /* an empty walk */
  struct ww_bmpout_session *s = ww_bmpout_session_new(&config, &view, t->journal, NULL);
  while (ww_bmpout_session_pull(s, &out, 256 << 10, now))
    ww_buf_clear(&out);
  ww_buf_clear(&out);
  double took = 0;
  if (changes) {
    for (uint32_t id = 1; id <= routes; id++)
      (void)ww_journal_add(t->journal, (struct ww_change){.kind = WW_CHANGE_ROUTE, .id = id});
  } else { /* what was walked above is walked again, warm */
    ww_bmpout_session_free(s);
    s = ww_bmpout_session_new(&config, &view, t->journal, NULL);
  }
  double start = seconds();
  while (ww_bmpout_session_pull(s, &out, 256 << 10, now))
    ww_buf_clear(&out);
  took = seconds() - start;
  ww_bmpout_session_stats(s, &stats);
  t->count = routes;
  printf("%-5s %-8s %9llu routes %8llu messages %7.1f octets/route %6.2f M routes/s\n",
         profile == WW_PROFILE_V4 ? "v4" : "std3", changes ? "journal" : "walk", (unsigned long long)stats.nlri,
         (unsigned long long)stats.messages, (double)stats.bytes / (double)stats.nlri, (double)stats.nlri / took / 1e6);
  ww_bmpout_session_free(s);
  ww_journal_free(t->journal);
  ww_buf_fini(&out);
  return (double)stats.nlri / took;
}

int main(int argc, char **argv) {
  struct table t = {.count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000,
                    .per_set = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 20};
  if (!t.count || !t.per_set)
    return 2;
  struct ww_writer w = ww_writer_make(t.attrs, sizeof t.attrs);
  ww_writer_bytes(&w, (uint8_t[]){0x40, WW_ATTR_ORIGIN, 1, 0, 0x40, WW_ATTR_AS_PATH, 18, WW_SEG_AS_SEQUENCE, 4}, 9);
  for (uint32_t i = 0; i < 4; i++)
    ww_writer_u32(&w, 64500 + i);
  ww_writer_bytes(&w, (uint8_t[]){0xc0, WW_ATTR_COMMUNITIES, 8, 0xfd, 0xea, 0, 1, 0xfd, 0xea, 0, 2}, 11);
  t.attrs_len = w.len;
  w = ww_writer_make(t.open, sizeof t.open);
  ww_bgp_open_write(&w, 64501, 90, 1, NULL, 0);
  t.open_len = w.len;
  double v4 = measure(&t, WW_PROFILE_V4, false), std3 = measure(&t, WW_PROFILE_STD3, false);
  printf("ratio v4 / std3 (walk): %.2f\n", v4 / std3);
  v4 = measure(&t, WW_PROFILE_V4, true);
  std3 = measure(&t, WW_PROFILE_STD3, true);
  printf("ratio v4 / std3 (journal): %.2f\n", v4 / std3);
  printf("with five hops and five ASPAs to a path:\n");
  t.aspa = true;
  v4 = measure(&t, WW_PROFILE_V4, false);
  printf("ratio v4 / std3 (walk): %.2f\n", v4 / std3);
  return 0;
}
