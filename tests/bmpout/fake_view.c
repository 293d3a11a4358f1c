/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_view.h"

#include <stdlib.h>
#include <string.h>

enum { HITS_MAX = 80 };

/* --- fixed things
 * ------------------------------------------------------------------------------------------------------ */

struct ww_prefix fake_prefix(uint8_t prefix) {
  struct ww_prefix p = {0};
  if (prefix % 2) {
    p.afi = WW_AFI_IPV6;
    p.len = 48;
    memcpy(p.addr, (uint8_t[]){0x20, 0x01, 0x0d, 0xb8, 0, prefix}, 6);
  } else {
    p.afi = WW_AFI_IPV4;
    p.len = prefix % 8 ? 24 : 32;
    memcpy(p.addr, (uint8_t[]){10, prefix, 0}, 3);
  }
  return p;
}

bool fake_add_path(uint8_t peer) { return peer == 2; }

struct ww_bmp_peer fake_header(uint8_t peer) {
  struct ww_bmp_peer h = {.type = peer == 6 ? WW_BMP_PEER_LOC_RIB : WW_BMP_PEER_GLOBAL, .asn = 64500u + peer};
  h.bgp_id = 0xc0000200u + peer;
  if (peer == 3) {
    h.flags = WW_BMP_FLAG_V;
    memcpy(h.address, (uint8_t[]){0x20, 0x01, 0x0d, 0xb8}, 4);
    h.address[15] = peer;
  } else if (peer != 6) {
    h.flags = peer == 4 ? WW_BMP_FLAG_A : peer == 5 ? WW_BMP_FLAG_L : 0;
    memcpy(h.address + 12, (uint8_t[]){192, 0, 2, peer == 5 ? 1 : peer}, 4);
  }
  return h;
}

static void make_attrs(struct fake *f, unsigned i) {
  struct ww_writer w = ww_writer_make(f->attrs[i], sizeof f->attrs[i]);
  ww_writer_bytes(&w, (uint8_t[]){0x40, WW_ATTR_ORIGIN, 1, 0}, 4);
  ww_writer_bytes(&w, (uint8_t[]){0x40, WW_ATTR_AS_PATH, 10, WW_SEG_AS_SEQUENCE, 2}, 5);
  ww_writer_u32(&w, 64500);
  ww_writer_u32(&w, 64600 + i);
  if (i % 3 == 1) {
    ww_writer_bytes(&w, (uint8_t[]){0xc0, WW_ATTR_COMMUNITIES, (uint8_t)(4 * i)}, 3);
    for (unsigned k = 0; k < i; k++)
      ww_writer_u32(&w, 0xfdea0000u + k);
  }
  f->attrs_len[i] = w.len;
}

static void fake_origin(uint32_t seed, const struct ww_prefix *prefix, struct ww_origin_result *result) {
  uint32_t state = seed % 3, count = seed / 3 % 4;
  if (seed % 97 == 0)
    count = HITS_MAX - 10; /* more than go into a message */
  if (!result->hits) {
    result->hits = calloc(HITS_MAX, sizeof *result->hits);
    result->hit_cap = HITS_MAX;
  }
  result->state = (uint8_t)state;
  result->reason = state == WW_STATE_INVALID ? WW_REASON_ORIGIN_AS : WW_REASON_NONE;
  result->hit_count = 0;
  if (state == WW_STATE_UNKNOWN)
    return;
  for (uint32_t i = 0; i < count + 2; i++) {
    struct ww_vrp_hit *hit = &result->hits[result->hit_count++];
    memset(hit, 0, sizeof *hit);
    hit->vrp.prefix = *prefix;
    hit->vrp.prefix.len = (uint8_t)(prefix->len - i % 8);
    ww_prefix_mask(&hit->vrp.prefix);
    hit->vrp.max_len = prefix->len;
    hit->vrp.asn = 64600 + i;
    hit->vrp.expires = 1800000000 + i;
    hit->source = (ww_source_id)(i % 3);
    hit->match = state == WW_STATE_INVALID || i > count ? WW_MATCH_AS : WW_MATCH_VALID;
  }
}

/* One path for each set of attributes: what is found about it depends on nothing else. */
static void fake_aspa(uint8_t attrs, struct ww_aspa_result *result) {
  static const uint32_t providers[] = {64496, 64500, 64501};
  static const struct {
    uint8_t state, reason;
  } kinds[] = {{WW_STATE_NOT_EVALUATED, WW_REASON_ASPA_NO_ROLE},
               {WW_STATE_VALID, WW_REASON_NONE},
               {WW_STATE_INVALID, WW_REASON_ASPA_NOT_PROVIDER},
               {WW_STATE_UNKNOWN, WW_REASON_ASPA_UNATTESTED},
               {WW_STATE_INVALID, WW_REASON_ASPA_FIRST_AS}};
  unsigned kind = attrs % 5;
  if (!result->hits) {
    result->hits = calloc(2, sizeof *result->hits);
    result->hops = calloc(2, sizeof *result->hops);
    result->hit_cap = result->hop_cap = 2;
  }
  result->state = kinds[kind].state;
  result->reason = kinds[kind].reason;
  result->procedure = kind ? WW_ASPA_UPSTREAM : WW_ASPA_NONE;
  result->role = kind ? WW_ROLE_PROVIDER : WW_ROLE_NONE;
  bool hops = kind && kind < 4;
  result->path_len = hops ? 3 : 0;
  result->hop_count = hops ? 2 : 0;
  result->hit_count = hops ? 2 : 0;
  for (unsigned i = 0; i < 2; i++) {
    result->hops[i] = (struct ww_aspa_hop){.customer = 64600 + i, .provider = 64500 + i, .up = true};
    result->hops[i].state = i ? WW_HOP_PROVIDER : kind == 2 ? WW_HOP_NOT_PROVIDER : WW_HOP_NO_ATTESTATION;
    result->hops[i].failing = !i && kind > 1;
    result->hits[i] = (struct ww_aspa_hit){
        .aspa = {.customer = 64600 + i, .provider_count = 1 + attrs % 3, .providers = providers, .expires = attrs},
        .source = (ww_source_id)i,
        .match = i || kind == 1 ? WW_HOP_PROVIDER
                 : kind == 2    ? WW_HOP_NOT_PROVIDER
                                : WW_HOP_NO_ATTESTATION};
  }
}

void fake_verdict(uint32_t seed, uint8_t attrs, const struct ww_prefix *prefix, struct ww_verdict *verdict) {
  fake_origin(seed, prefix, &verdict->origin);
  fake_aspa(attrs, &verdict->aspa);
  verdict->bgpsec.state = WW_STATE_NOT_EVALUATED;
  verdict->state = (uint8_t)ww_verdict_combine((enum ww_state)verdict->origin.state, (enum ww_state)verdict->aspa.state,
                                               WW_STATE_NOT_EVALUATED);
}

/* --- changes
 * -------------------------------------------------------------------------------------------------------------- */

static void route_free(struct fake *f, uint32_t id) {
  f->routes[id].used = false;
  f->free_ids[f->free_count++] = id;
}

static void on_passed(void *ctx, const struct ww_change *change, uint64_t seq) {
  struct fake *f = ctx;
  f->passed++;
  if (change->kind != WW_CHANGE_ROUTE)
    return;
  struct fake_route *r = &f->routes[change->id];
  if (r->used && r->withdrawn && r->seq == seq)
    route_free(f, change->id);
}

void fake_init(struct fake *f, size_t journal_entries) {
  memset(f, 0, sizeof *f);
  f->journal = ww_journal_new(journal_entries, on_passed, f);
  f->ready = true;
  f->epoch = 1;
  for (uint32_t id = FAKE_ROUTES - 1; id > 0; id--)
    f->free_ids[f->free_count++] = id;
  for (unsigned i = 0; i < FAKE_ATTRS; i++)
    make_attrs(f, i);
}

void fake_fini(struct fake *f) { ww_journal_free(f->journal); }

static uint64_t add(struct fake *f, uint8_t kind, uint32_t id, uint8_t afi) {
  return ww_journal_add(f->journal, (struct ww_change){.kind = kind, .id = id, .afi = afi});
}

static void touch(struct fake *f, uint32_t id, uint8_t trigger) {
  f->routes[id].trigger = trigger;
  f->routes[id].seq = 0; /* what add() passes must not look like this one */
  f->routes[id].seq = add(f, WW_CHANGE_ROUTE, id, 0);
}

void fake_peer_up(struct fake *f, uint8_t peer) {
  struct fake_peer *p = &f->peers[peer];
  if (p->up)
    return;
  memset(p->eor, 0, sizeof p->eor);
  p->present = p->up = true;
  p->incarnation++;
  /* Every third time the session comes back as another. */
  struct ww_writer w = ww_writer_make(p->opens, sizeof p->opens);
  static const uint8_t add_path[] = {69, 8, 0, 1, 1, 3, 0, 2, 1, 3};
  ww_bgp_open_write(&w, 64500u + peer, (uint16_t)(90 + p->incarnation / 3), 0xc0000200u + peer, add_path,
                    fake_add_path(peer) ? sizeof add_path : 0);
  p->open_len = w.len;
  add(f, WW_CHANGE_PEER_UP, peer, 0);
}

void fake_peer_down(struct fake *f, uint8_t peer) {
  if (!f->peers[peer].up)
    return;
  f->peers[peer].up = false;
  for (uint32_t id = 1; id < FAKE_ROUTES; id++)
    if (f->routes[id].used && f->routes[id].peer == peer)
      route_free(f, id);
  memset(f->live[peer], 0, sizeof f->live[peer]);
  add(f, WW_CHANGE_PEER_DOWN, peer, 0);
}

struct fake_route *fake_find(struct fake *f, uint8_t peer, uint8_t prefix, uint8_t path_id) {
  uint16_t id = f->live[peer][prefix][path_id];
  return id ? &f->routes[id] : NULL;
}

void fake_announce(struct fake *f, uint8_t peer, uint8_t prefix, uint8_t path_id, uint8_t attrs, uint32_t verdict) {
  if (!f->peers[peer].up)
    return;
  if (!fake_add_path(peer))
    path_id = 0;
  struct fake_route *r = fake_find(f, peer, prefix, path_id);
  if (!r) {
    if (!f->free_count)
      return;
    r = &f->routes[f->free_ids[--f->free_count]];
    *r = (struct fake_route){.used = true, .peer = peer, .prefix = prefix, .path_id = path_id, .birth = ++f->births};
    f->live[peer][prefix][path_id] = (uint16_t)(r - f->routes);
  }
  r->attrs = attrs;
  r->verdict = verdict;
  touch(f, (uint32_t)(r - f->routes), WW_TRIGGER_UPDATE);
}

void fake_withdraw(struct fake *f, uint8_t peer, uint8_t prefix, uint8_t path_id) {
  struct fake_route *r = fake_find(f, peer, prefix, fake_add_path(peer) ? path_id : 0);
  if (!r)
    return;
  r->withdrawn = true;
  f->live[peer][prefix][r->path_id] = 0;
  touch(f, (uint32_t)(r - f->routes), WW_TRIGGER_UPDATE);
}

void fake_eor(struct fake *f, uint8_t peer, uint8_t afi) {
  if (!f->peers[peer].up)
    return;
  f->peers[peer].eor[afi] = true;
  add(f, WW_CHANGE_EOR, peer, afi);
}

void fake_dataset(struct fake *f, uint32_t first, uint32_t step) {
  f->epoch++;
  for (uint32_t id = 1 + first; id < FAKE_ROUTES; id += step)
    if (f->routes[id].used && !f->routes[id].withdrawn) {
      f->routes[id].verdict = f->routes[id].verdict * 7 + 1;
      if (f->ready)
        touch(f, id, WW_TRIGGER_DATASET);
    }
}

void fake_ready(struct fake *f) {
  if (f->ready)
    return;
  f->ready = true;
  for (uint32_t id = 1; id < FAKE_ROUTES; id++)
    if (f->routes[id].used && !f->routes[id].withdrawn)
      touch(f, id, WW_TRIGGER_DATASET);
}

/* --- the view
 * ------------------------------------------------------------------------------------------------------------- */

static const char *sys_name(void *ctx) {
  (void)ctx;
  return "edge1";
}

static const char *sys_descr(void *ctx) {
  (void)ctx;
  return "a fake router";
}

static bool ready(void *ctx) { return ((struct fake *)ctx)->ready; }

static uint32_t peer_next(void *ctx, uint32_t id) {
  const struct fake *f = ctx;
  while (++id <= FAKE_PEERS)
    if (f->peers[id].present)
      return id;
  return 0;
}

static bool peer(void *ctx, uint32_t id, struct ww_out_peer *out) {
  struct fake *f = ctx;
  if (!id || id > FAKE_PEERS || !f->peers[id].present)
    return false;
  struct fake_peer *p = &f->peers[id];
  *out = (struct ww_out_peer){.header = fake_header((uint8_t)id), .up = p->up, .local_port = 179, .remote_port = 4711};
  out->local = (struct ww_addr){.afi = WW_AFI_IPV4, .bytes = {192, 0, 2, 254}};
  if (id != 5) { /* one peer whose OPENs nobody heard */
    out->sent_open = out->received_open = p->opens;
    out->sent_len = out->received_len = p->open_len;
  }
  if (!p->up)
    out->down_reason = 4;
  memcpy(out->eor, p->eor, sizeof p->eor);
  return true;
}

static bool route(void *ctx, uint32_t id, struct ww_out_route *out) {
  static const uint8_t next_hop[32] = {192, 0, 2, 1};
  struct fake *f = ctx;
  const struct fake_route *r = &f->routes[id];
  if (!r->used)
    return false;
  *out = (struct ww_out_route){.peer = r->peer,
                               .attrs_id = (uint32_t)r->peer << 16 | (uint32_t)r->attrs << 8 | r->prefix % 2,
                               .attrs = f->attrs[r->attrs],
                               .attrs_len = f->attrs_len[r->attrs],
                               .next_hop = next_hop,
                               .next_hop_len = r->prefix % 2 ? (r->attrs % 2 ? 32 : 16) : 4,
                               .prefix = fake_prefix(r->prefix),
                               .add_path = fake_add_path(r->peer),
                               .path_id = r->path_id,
                               .withdrawn = r->withdrawn,
                               .trigger = r->trigger,
                               .seq = r->seq,
                               .sec = 1700000000,
                               .usec = r->prefix};
  return true;
}

static bool verdict(void *ctx, uint32_t id, struct ww_verdict *out) {
  struct fake *f = ctx;
  if (!f->ready || !f->routes[id].used)
    return false;
  struct ww_prefix prefix = fake_prefix(f->routes[id].prefix);
  fake_verdict(f->routes[id].verdict, f->routes[id].attrs, &prefix, out);
  out->epoch = f->epoch;
  return true;
}

struct walker {
  size_t at, count;
  struct {
    uint32_t id, birth;
  } routes[FAKE_PREFIXES * FAKE_PATHS];
};

static void *walk_new(void *ctx, uint32_t peer_id) {
  struct fake *f = ctx;
  struct walker *w = calloc(1, sizeof *w);
  for (unsigned attrs = 0; attrs < FAKE_ATTRS; attrs++)
    for (unsigned i = 0; i < FAKE_PREFIXES * FAKE_PATHS; i++) {
      const struct fake_route *r = &f->routes[f->live[peer_id][i / FAKE_PATHS][i % FAKE_PATHS]];
      if (r->used && r->attrs == attrs) {
        w->routes[w->count].id = (uint32_t)(r - f->routes);
        w->routes[w->count++].birth = r->birth;
      }
    }
  return w;
}

static uint32_t walk_next(void *ctx, void *walker) {
  struct fake *f = ctx;
  struct walker *w = walker;
  while (w->at < w->count) {
    uint32_t id = w->routes[w->at].id, birth = w->routes[w->at].birth;
    w->at++;
    if (f->routes[id].used && !f->routes[id].withdrawn && f->routes[id].birth == birth)
      return id;
  }
  return 0;
}

static void walk_free(void *ctx, void *walker) {
  (void)ctx;
  free(walker);
}

static const char *source_name(void *ctx, ww_source_id id) {
  static const char *const names[] = {"main", "lab", ""};
  (void)ctx;
  return id < 3 ? names[id] : NULL;
}

static uint8_t source_type(void *ctx, ww_source_id id) {
  static const uint8_t types[] = {1, 6, 5};
  (void)ctx;
  return id < 3 ? types[id] : 0;
}

void fake_view(struct fake *f, struct ww_out_view *out) {
  *out = (struct ww_out_view){.ctx = f,
                              .sys_name = sys_name,
                              .sys_descr = sys_descr,
                              .ready = ready,
                              .peer_next = peer_next,
                              .peer = peer,
                              .route = route,
                              .verdict = verdict,
                              .walk_new = walk_new,
                              .walk_next = walk_next,
                              .walk_free = walk_free,
                              .source_name = source_name,
                              .source_type = source_type};
}
