/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routes, and what they share.
 *
 * Data structure: prefixes stand in an ordered table for each family (rib/prefix_table.h), whose value is the id of a
 * small record with the head of the prefix's routes. Routes are slab objects of 64 octets that name all else by 32-bit
 * ids: their prefix, their bundle, the next route of the prefix, and both neighbours in the bundle. A bundle holds the
 * octets of attributes and next hop once for all its routes and is found by a keyed hash of them; bundles are listed in
 * their peer, and in their AS path (rib/path.h), which other bundles of any peer may share. About 110 octets for a
 * route whose prefix nobody else announces and whose path twenty share, 85 where four peers announce the same.
 *
 * Invariants:
 *  - a prefix record exists exactly while it has routes, a bundle while it has routes or holders;
 *  - a route is in the bundle's peer's table, once for each (peer, prefix, path id);
 *  - bit i of `live` says whether route id i is in use: slots of a slab can't tell;
 *  - a path exists exactly while bundles have it;
 *  - a walker's `route` is live and in the walker's `bundle`, and that is in the list of its peer (or of its path);
 * both 0 at the end.
 *
 * New bundles go to the head of their peer's list and new routes to the head of their bundle, behind every walker's
 * back: a walk ends even while routes keep coming, and its owner hears of those by other means.
 *
 * Bundles with a BGPsec_PATH are entered under the keys that its signatures call for (rib/signers.h).
 *
 * The search for a route runs through the routes of its prefix. That list is as long as peers times paths, which a peer
 * that sends ADD-PATH could stretch at will: hence WW_RIB_PREFIX_ROUTES_MAX.
 *
 * Ownership: the rib owns all but walkers, which belong to whoever made them and must be freed before the rib is.
 */
#include "rib/rib.h"

#include <stdlib.h>
#include <string.h>

#include "base/slab.h"
#include "rib/id_table.h"
#include "rib/signers.h"

#define PREFIX_IPV6 0x80000000u /* in the id of a prefix record: which slab */

struct prefix_record {
  uint32_t routes;
  uint8_t afi, len;
  uint8_t addr[]; /* 4 or 16 */
};

struct bundle {
  uint8_t *data; /* attributes, then next hop */
  uint32_t attrs_len;
  uint32_t origin_asn;
  uint32_t peer;
  uint32_t prev, next; /* in the peer's list */
  uint32_t path;
  uint32_t path_prev, path_next; /* in the path's list */
  uint32_t routes;               /* head */
  uint32_t refs;                 /* routes and holders */
  uint32_t hash;
  uint32_t bgpsec_at, bgpsec_len; /* BGPsec_PATH in data; no length: there is none */
  uint32_t signers;               /* its uses of keys */
  uint8_t afi, add_path, next_hop_len, origin_none;
  bool has_as_path;
};

struct peer {
  struct ww_rib_peer_key key;
  uint32_t bundles; /* head */
};

struct ww_rib_walker {
  struct ww_rib *rib;
  struct ww_rib_walker *prev, *next;
  bool by_path;
  uint32_t bundle, route; /* what ww_rib_walker_next() gives out */
};

struct ww_rib {
  struct ww_hash_key key;
  size_t max_routes;
  struct ww_prefix_table *tables[2]; /* IPv4, IPv6 */
  struct ww_slab prefixes[2];
  struct ww_slab routes;
  uint32_t *live; /* one bit for each route id */
  size_t live_words;
  struct ww_slab bundles;
  struct ww_id_table bundle_index;
  size_t bundle_octets;
  struct peer *peers; /* id - 1 */
  uint32_t peer_count, peer_cap;
  struct ww_id_table peer_index;
  struct ww_path_table paths;
  struct ww_signer_table signers;
  struct ww_rib_walker *walkers;
};

static struct bundle *bundle_at(const struct ww_rib *rib, uint32_t id) { return ww_slab_at(&rib->bundles, id); }

static struct ww_rib_route *route_at(const struct ww_rib *rib, uint32_t id) { return ww_slab_at(&rib->routes, id); }

static struct prefix_record *record_at(const struct ww_rib *rib, uint32_t id) {
  return ww_slab_at(&rib->prefixes[id & PREFIX_IPV6 ? 1 : 0], id & ~PREFIX_IPV6);
}

struct ww_rib *ww_rib_new(const struct ww_hash_key *key, size_t max_routes) {
  struct ww_rib *rib = calloc(1, sizeof *rib);
  if (!rib)
    return NULL;
  rib->key = *key;
  rib->max_routes = max_routes;
  for (unsigned family = 0; family < 2; family++)
    ww_slab_init(&rib->prefixes[family], (offsetof(struct prefix_record, addr) + (family ? 16 : 4) + 3) / 4 * 4);
  ww_slab_init(&rib->routes, sizeof(struct ww_rib_route));
  ww_slab_init(&rib->bundles, sizeof(struct bundle));
  ww_path_table_init(&rib->paths, key);
  ww_signers_init(&rib->signers, key);
  rib->tables[0] = ww_prefix_table_new(WW_AFI_IPV4);
  rib->tables[1] = ww_prefix_table_new(WW_AFI_IPV6);
  if (!rib->tables[0] || !rib->tables[1]) {
    ww_rib_free(rib);
    return NULL;
  }
  return rib;
}

/* All bundles, whoever is in them. */
static void bundles_free(struct ww_rib *rib) {
  for (size_t i = 0; i < rib->bundle_index.cap; i++)
    if (rib->bundle_index.slots[i].id)
      free(bundle_at(rib, rib->bundle_index.slots[i].id)->data);
  ww_id_table_fini(&rib->bundle_index);
  ww_slab_fini(&rib->bundles);
  rib->bundle_octets = 0;
}

void ww_rib_free(struct ww_rib *rib) {
  if (!rib)
    return;
  bundles_free(rib);
  ww_path_table_fini(&rib->paths);
  ww_signers_fini(&rib->signers);
  ww_id_table_fini(&rib->peer_index);
  for (unsigned family = 0; family < 2; family++) {
    ww_prefix_table_free(rib->tables[family]);
    ww_slab_fini(&rib->prefixes[family]);
  }
  ww_slab_fini(&rib->routes);
  free(rib->live);
  free(rib->peers);
  free(rib);
}

/* ---- peers ---- */

/* The key without its padding, for hashing. */
static uint32_t peer_hash(const struct ww_rib *rib, const struct ww_rib_peer_key *key) {
  uint8_t octets[26] = {key->type, key->view};
  memcpy(octets + 2, key->address, sizeof key->address);
  memcpy(octets + 18, &key->distinguisher, sizeof key->distinguisher);
  return (uint32_t)ww_siphash(&rib->key, octets, sizeof octets);
}

struct peer_probe {
  const struct ww_rib *rib;
  const struct ww_rib_peer_key *key;
};

static bool peer_same(const void *ctx, uint32_t id) {
  const struct peer_probe *probe = ctx;
  const struct ww_rib_peer_key *a = &probe->rib->peers[id - 1].key, *b = probe->key;
  return a->type == b->type && a->view == b->view && a->distinguisher == b->distinguisher &&
         memcmp(a->address, b->address, sizeof a->address) == 0;
}

uint32_t ww_rib_peer_find(const struct ww_rib *rib, const struct ww_rib_peer_key *key) {
  struct peer_probe probe = {.rib = rib, .key = key};
  return ww_id_table_find(&rib->peer_index, peer_hash(rib, key), peer_same, &probe);
}

enum ww_err ww_rib_peer_add(struct ww_rib *rib, const struct ww_rib_peer_key *key, uint32_t *id) {
  *id = ww_rib_peer_find(rib, key);
  if (*id)
    return WW_OK;
  if (rib->peer_count == WW_RIB_PEERS_MAX)
    return WW_ERR_LIMIT;
  if (rib->peer_count == rib->peer_cap) {
    uint32_t cap = rib->peer_cap ? rib->peer_cap * 2 : 8;
    struct peer *peers = realloc(rib->peers, cap * sizeof *peers);
    if (!peers)
      return WW_ERR_NOMEM;
    rib->peers = peers;
    rib->peer_cap = cap;
  }
  enum ww_err err = ww_id_table_add(&rib->peer_index, peer_hash(rib, key), rib->peer_count + 1);
  if (err)
    return err;
  rib->peers[rib->peer_count++] = (struct peer){.key = *key};
  *id = rib->peer_count;
  return WW_OK;
}

uint32_t ww_rib_peer_count(const struct ww_rib *rib) { return rib->peer_count; }

const struct ww_rib_peer_key *ww_rib_peer_key(const struct ww_rib *rib, uint32_t id) { return &rib->peers[id - 1].key; }

/* ---- walkers ---- */

static uint32_t bundle_after(const struct ww_rib_walker *w, uint32_t bundle) {
  const struct bundle *b = bundle_at(w->rib, bundle);
  return w->by_path ? b->path_next : b->next;
}

static void walker_to_bundle(struct ww_rib_walker *w, uint32_t bundle) {
  /* A bundle that is held but has no routes yet has nothing to show. */
  while (bundle && !bundle_at(w->rib, bundle)->routes)
    bundle = bundle_after(w, bundle);
  w->bundle = bundle;
  w->route = bundle ? bundle_at(w->rib, bundle)->routes : 0;
}

static void walker_advance(struct ww_rib_walker *w) {
  uint32_t next = route_at(w->rib, w->route)->bundle_next;
  if (next)
    w->route = next;
  else
    walker_to_bundle(w, bundle_after(w, w->bundle));
}

static struct ww_rib_walker *walker_make(struct ww_rib *rib, bool by_path, uint32_t bundle) {
  struct ww_rib_walker *w = calloc(1, sizeof *w);
  if (!w)
    return NULL;
  w->rib = rib;
  w->by_path = by_path;
  w->next = rib->walkers;
  if (w->next)
    w->next->prev = w;
  rib->walkers = w;
  walker_to_bundle(w, bundle);
  return w;
}

struct ww_rib_walker *ww_rib_walker_new(struct ww_rib *rib, uint32_t peer) {
  return walker_make(rib, false, peer && peer <= rib->peer_count ? rib->peers[peer - 1].bundles : 0);
}

struct ww_rib_walker *ww_rib_walker_of_path(struct ww_rib *rib, uint32_t path) {
  return walker_make(rib, true, ww_path_is_live(&rib->paths, path) ? ww_path_at(&rib->paths, path)->bundles : 0);
}

uint32_t ww_rib_walker_next(struct ww_rib_walker *w) {
  uint32_t route = w->route;
  if (route)
    walker_advance(w);
  return route;
}

void ww_rib_walker_free(struct ww_rib_walker *w) {
  if (!w)
    return;
  if (w->prev)
    w->prev->next = w->next;
  else
    w->rib->walkers = w->next;
  if (w->next)
    w->next->prev = w->prev;
  free(w);
}

/* ---- bundles ---- */

static uint32_t bundle_hash(const struct ww_rib *rib, const struct ww_rib_bundle *b) {
  uint64_t inner[2] = {ww_siphash(&rib->key, b->attrs, b->attrs_len),
                       ww_siphash(&rib->key, b->next_hop, b->next_hop_len)};
  uint8_t octets[4 + 3 + sizeof inner];
  memcpy(octets, &b->peer, 4);
  octets[4] = b->afi;
  octets[5] = b->add_path;
  octets[6] = b->next_hop_len;
  memcpy(octets + 7, inner, sizeof inner);
  return (uint32_t)ww_siphash(&rib->key, octets, sizeof octets);
}

struct bundle_probe {
  const struct ww_rib *rib;
  const struct ww_rib_bundle *contents;
};

static bool octets_equal(const uint8_t *a, const uint8_t *b, size_t len) { return len == 0 || memcmp(a, b, len) == 0; }

static bool bundle_same(const void *ctx, uint32_t id) {
  const struct bundle_probe *probe = ctx;
  const struct bundle *a = bundle_at(probe->rib, id);
  const struct ww_rib_bundle *b = probe->contents;
  return a->peer == b->peer && a->afi == b->afi && a->add_path == b->add_path && a->next_hop_len == b->next_hop_len &&
         a->attrs_len == b->attrs_len && octets_equal(a->data, b->attrs, b->attrs_len) &&
         octets_equal(a->data + a->attrs_len, b->next_hop, b->next_hop_len);
}

/* Enters what BGPsec_PATH there is. */
static enum ww_err signers_of(struct ww_rib *rib, const struct ww_rib_bundle *contents, uint32_t id, uint32_t *uses) {
  struct ww_bgpsec_path path;
  *uses = 0;
  if (!contents->bgpsec_path || ww_bgpsec_path_decode(contents->bgpsec_path, contents->bgpsec_path_len, &path, NULL))
    return WW_OK;
  return ww_signers_enter(&rib->signers, &path, id, uses);
}

enum ww_err ww_rib_bundle_hold(struct ww_rib *rib, const struct ww_rib_bundle *contents, uint32_t *out) {
  struct bundle_probe probe = {.rib = rib, .contents = contents};
  uint32_t hash = bundle_hash(rib, contents);
  uint32_t id = ww_id_table_find(&rib->bundle_index, hash, bundle_same, &probe);
  *out = id;
  if (id) {
    bundle_at(rib, id)->refs++;
    return WW_OK;
  }
  uint32_t path;
  if (ww_path_enter(&rib->paths, &contents->as_path, &path) != WW_OK)
    return WW_ERR_NOMEM;
  struct ww_rib_path *p = ww_path_at(&rib->paths, path);
  size_t len = (size_t)contents->attrs_len + contents->next_hop_len;
  uint8_t *data = malloc(len ? len : 1);
  id = data ? ww_slab_alloc(&rib->bundles) : 0;
  uint32_t signers = 0;
  if (!id || signers_of(rib, contents, id, &signers) != WW_OK ||
      ww_id_table_add(&rib->bundle_index, hash, id) != WW_OK) {
    ww_signers_leave(&rib->signers, signers);
    free(data);
    ww_slab_free(&rib->bundles, id);
    if (!p->bundles)
      ww_path_remove(&rib->paths, path);
    return WW_ERR_NOMEM;
  }
  if (contents->attrs_len)
    memcpy(data, contents->attrs, contents->attrs_len);
  if (contents->next_hop_len)
    memcpy(data + contents->attrs_len, contents->next_hop, contents->next_hop_len);
  rib->bundle_octets += len;
  struct peer *peer = &rib->peers[contents->peer - 1];
  *bundle_at(rib, id) = (struct bundle){
      .data = data,
      .attrs_len = contents->attrs_len,
      .origin_asn = contents->origin.asn,
      .origin_none = contents->origin.none,
      .peer = contents->peer,
      .next = peer->bundles,
      .path = path,
      .path_next = p->bundles,
      .refs = 1,
      .hash = hash,
      .bgpsec_at = contents->bgpsec_path ? (uint32_t)(contents->bgpsec_path - contents->attrs) : 0,
      .bgpsec_len = contents->bgpsec_path ? contents->bgpsec_path_len : 0,
      .signers = signers,
      .afi = contents->afi,
      .add_path = contents->add_path,
      .next_hop_len = contents->next_hop_len,
      .has_as_path = contents->has_as_path,
  };
  if (peer->bundles)
    bundle_at(rib, peer->bundles)->prev = id;
  peer->bundles = id;
  if (p->bundles)
    bundle_at(rib, p->bundles)->path_prev = id;
  p->bundles = id;
  *out = id;
  return WW_OK;
}

void ww_rib_bundle_drop(struct ww_rib *rib, uint32_t id) {
  struct bundle *b = bundle_at(rib, id);
  if (--b->refs)
    return;
  if (b->prev)
    bundle_at(rib, b->prev)->next = b->next;
  else
    rib->peers[b->peer - 1].bundles = b->next;
  if (b->next)
    bundle_at(rib, b->next)->prev = b->prev;
  if (b->path_prev)
    bundle_at(rib, b->path_prev)->path_next = b->path_next;
  else
    ww_path_at(&rib->paths, b->path)->bundles = b->path_next;
  if (b->path_next)
    bundle_at(rib, b->path_next)->path_prev = b->path_prev;
  if (!ww_path_at(&rib->paths, b->path)->bundles)
    ww_path_remove(&rib->paths, b->path);
  ww_signers_leave(&rib->signers, b->signers);
  ww_id_table_remove(&rib->bundle_index, b->hash, id);
  rib->bundle_octets -= (size_t)b->attrs_len + b->next_hop_len;
  free(b->data);
  ww_slab_free(&rib->bundles, id);
}

struct ww_rib_bundle ww_rib_bundle_get(const struct ww_rib *rib, uint32_t id) {
  const struct bundle *b = bundle_at(rib, id);
  return (struct ww_rib_bundle){
      .peer = b->peer,
      .afi = b->afi,
      .add_path = b->add_path,
      .next_hop_len = b->next_hop_len,
      .origin = {.asn = b->origin_asn, .none = b->origin_none},
      .path = b->path,
      .attrs = b->data,
      .next_hop = b->data + b->attrs_len,
      .attrs_len = b->attrs_len,
      .bgpsec_path = b->bgpsec_len ? b->data + b->bgpsec_at : NULL,
      .bgpsec_path_len = b->bgpsec_len,
      .has_as_path = b->has_as_path,
  };
}

bool ww_rib_signed_by(const struct ww_rib *rib, uint32_t asn, const uint8_t ski[WW_SKI_LEN], void *ctx,
                      bool (*visit)(void *ctx, uint32_t route)) {
  uint32_t use = 0, bundle;
  while ((bundle = ww_signers_next(&rib->signers, asn, ski, &use)) != 0)
    for (uint32_t route = bundle_at(rib, bundle)->routes; route; route = route_at(rib, route)->bundle_next)
      if (!visit(ctx, route))
        return false;
  return true;
}

struct ww_rib_path *ww_rib_path(const struct ww_rib *rib, uint32_t id) {
  return ww_path_at(&rib->paths, id);
}

bool ww_rib_path_is_live(const struct ww_rib *rib, uint32_t id) { return ww_path_is_live(&rib->paths, id); }

uint32_t ww_rib_path_holding(const struct ww_rib *rib, uint32_t asn, size_t *cursor) {
  return ww_path_holding(&rib->paths, asn, cursor);
}

static void bundle_link(struct ww_rib *rib, uint32_t bundle, uint32_t route) {
  struct bundle *b = bundle_at(rib, bundle);
  struct ww_rib_route *r = route_at(rib, route);
  r->bundle = bundle;
  r->bundle_prev = 0;
  r->bundle_next = b->routes;
  if (b->routes)
    route_at(rib, b->routes)->bundle_prev = route;
  b->routes = route;
  b->refs++;
}

static void bundle_unlink(struct ww_rib *rib, uint32_t route) {
  struct ww_rib_route *r = route_at(rib, route);
  uint32_t bundle = r->bundle;
  for (struct ww_rib_walker *w = rib->walkers; w; w = w->next)
    if (w->route == route)
      walker_advance(w);
  if (r->bundle_prev)
    route_at(rib, r->bundle_prev)->bundle_next = r->bundle_next;
  else
    bundle_at(rib, bundle)->routes = r->bundle_next;
  if (r->bundle_next)
    route_at(rib, r->bundle_next)->bundle_prev = r->bundle_prev;
  ww_rib_bundle_drop(rib, bundle);
}

/* ---- prefixes ---- */

static struct ww_prefix_table *table_of(const struct ww_rib *rib, uint8_t afi) {
  return rib->tables[afi == WW_AFI_IPV6 ? 1 : 0];
}

/* The prefix's record, made if need be; 0 when memory ran out. */
static uint32_t record_enter(struct ww_rib *rib, const struct ww_prefix *prefix) {
  uint32_t *value = ww_prefix_table_enter(table_of(rib, prefix->afi), prefix);
  if (!value)
    return 0;
  uint32_t known = *value;
  if (known)
    return known;
  bool six = prefix->afi == WW_AFI_IPV6;
  uint32_t id = ww_slab_alloc(&rib->prefixes[six]);
  if (!id || id >= PREFIX_IPV6) {
    ww_slab_free(&rib->prefixes[six], id);
    ww_prefix_table_remove(table_of(rib, prefix->afi), prefix);
    return 0;
  }
  *value = id | (six ? PREFIX_IPV6 : 0);
  struct prefix_record *record = record_at(rib, *value);
  record->afi = prefix->afi;
  record->len = prefix->len;
  memcpy(record->addr, prefix->addr, six ? 16 : 4);
  return *value;
}

static struct ww_prefix record_prefix(const struct prefix_record *record) {
  struct ww_prefix prefix = {.afi = record->afi, .len = record->len};
  memcpy(prefix.addr, record->addr, record->afi == WW_AFI_IPV6 ? 16 : 4);
  return prefix;
}

/* A record without routes goes. */
static void record_tidy(struct ww_rib *rib, uint32_t id) {
  const struct prefix_record *record = record_at(rib, id);
  if (record->routes)
    return;
  struct ww_prefix prefix = record_prefix(record);
  ww_prefix_table_remove(table_of(rib, prefix.afi), &prefix);
  ww_slab_free(&rib->prefixes[id & PREFIX_IPV6 ? 1 : 0], id & ~PREFIX_IPV6);
}

static void prefix_unlink(struct ww_rib *rib, uint32_t route) {
  const struct ww_rib_route *r = route_at(rib, route);
  uint32_t *link = &record_at(rib, r->prefix)->routes;
  while (*link != route)
    link = &route_at(rib, *link)->prefix_next;
  *link = r->prefix_next;
  record_tidy(rib, r->prefix);
}

/* ---- routes ---- */

static bool live_reserve(struct ww_rib *rib, uint32_t id) {
  size_t words = (size_t)id / 32 + 1;
  if (words <= rib->live_words)
    return true;
  size_t want = rib->live_words * 2 > words ? rib->live_words * 2 : words + 31;
  uint32_t *live = realloc(rib->live, want * sizeof *live);
  if (!live)
    return false;
  memset(live + rib->live_words, 0, (want - rib->live_words) * sizeof *live);
  rib->live = live;
  rib->live_words = want;
  return true;
}

static void route_free(struct ww_rib *rib, uint32_t id) {
  rib->live[id / 32] &= ~(UINT32_C(1) << id % 32);
  ww_slab_free(&rib->routes, id);
}

struct ww_rib_route *ww_rib_route(const struct ww_rib *rib, uint32_t id) {
  if (id / 32 >= rib->live_words || !(rib->live[id / 32] >> id % 32 & 1))
    return NULL;
  return route_at(rib, id);
}

struct ww_prefix ww_rib_route_prefix(const struct ww_rib *rib, const struct ww_rib_route *route) {
  return record_prefix(record_at(rib, route->prefix));
}

enum ww_err ww_rib_announce(struct ww_rib *rib, uint32_t bundle, const struct ww_prefix *prefix, uint32_t path_id,
                            uint32_t *route, enum ww_rib_outcome *outcome) {
  uint32_t peer = bundle_at(rib, bundle)->peer;
  uint32_t record = record_enter(rib, prefix);
  if (!record)
    return WW_ERR_NOMEM;
  size_t length = 0;
  for (uint32_t id = record_at(rib, record)->routes; id; length++) {
    const struct ww_rib_route *r = route_at(rib, id);
    if (r->peer == peer && r->path_id == path_id) {
      *route = id;
      *outcome = r->bundle == bundle ? WW_RIB_SAME : WW_RIB_MOVED;
      if (*outcome == WW_RIB_MOVED) {
        bundle_unlink(rib, id);
        bundle_link(rib, bundle, id);
      }
      return WW_OK;
    }
    id = r->prefix_next;
  }
  if (length >= WW_RIB_PREFIX_ROUTES_MAX || rib->routes.live >= rib->max_routes) {
    record_tidy(rib, record);
    return WW_ERR_LIMIT;
  }
  uint32_t id = ww_slab_alloc(&rib->routes);
  if (!id || !live_reserve(rib, id)) {
    ww_slab_free(&rib->routes, id);
    record_tidy(rib, record);
    return WW_ERR_NOMEM;
  }
  rib->live[id / 32] |= UINT32_C(1) << id % 32;
  struct ww_rib_route *r = route_at(rib, id);
  r->prefix = record;
  r->peer = peer;
  r->path_id = path_id;
  r->prefix_next = record_at(rib, record)->routes;
  record_at(rib, record)->routes = id;
  bundle_link(rib, bundle, id);
  *route = id;
  *outcome = WW_RIB_NEW;
  return WW_OK;
}

uint32_t ww_rib_prefix_routes(const struct ww_rib *rib, const struct ww_prefix *prefix) {
  uint32_t record = ww_prefix_table_find(table_of(rib, prefix->afi), prefix);
  return record ? record_at(rib, record)->routes : 0;
}

uint32_t ww_rib_find(const struct ww_rib *rib, uint32_t peer, const struct ww_prefix *prefix, uint32_t path_id) {
  uint32_t id = ww_rib_prefix_routes(rib, prefix);
  while (id) {
    const struct ww_rib_route *r = route_at(rib, id);
    if (r->peer == peer && r->path_id == path_id)
      return id;
    id = r->prefix_next;
  }
  return 0;
}

void ww_rib_remove(struct ww_rib *rib, uint32_t route) {
  prefix_unlink(rib, route);
  bundle_unlink(rib, route);
  route_free(rib, route);
}

void ww_rib_peer_clear(struct ww_rib *rib, uint32_t peer, void *ctx,
                       void (*gone)(void *ctx, const struct ww_rib_route *route)) {
  const struct peer *p = &rib->peers[peer - 1];
  for (struct ww_rib_walker *w = rib->walkers; w; w = w->next) /* or it would step aside for every single route */
    while (w->bundle && bundle_at(rib, w->bundle)->peer == peer)
      walker_to_bundle(w, w->by_path ? bundle_after(w, w->bundle) : 0);
  for (uint32_t bundle = p->bundles, next; bundle; bundle = next) {
    next = bundle_at(rib, bundle)->next;
    for (uint32_t id = bundle_at(rib, bundle)->routes, after; id; id = after) {
      const struct ww_rib_route *r = route_at(rib, id);
      after = r->bundle_next;
      if (gone)
        gone(ctx, r);
      ww_rib_remove(rib, id);
    }
  }
}

void ww_rib_clear(struct ww_rib *rib) {
  for (struct ww_rib_walker *w = rib->walkers; w; w = w->next)
    w->bundle = w->route = 0;
  for (uint32_t i = 0; i < rib->peer_count; i++)
    rib->peers[i].bundles = 0;
  bundles_free(rib);
  ww_path_table_clear(&rib->paths);
  ww_signers_clear(&rib->signers);
  for (unsigned family = 0; family < 2; family++) {
    ww_prefix_table_clear(rib->tables[family]);
    ww_slab_fini(&rib->prefixes[family]);
  }
  ww_slab_fini(&rib->routes);
  if (rib->live_words)
    memset(rib->live, 0, rib->live_words * sizeof *rib->live);
}

/* ---- ways through ---- */

struct ww_rib_cursor ww_rib_covered(const struct ww_prefix *prefix) {
  struct ww_rib_cursor c;
  memset(&c, 0, sizeof c);
  if (!prefix) {
    c.next.afi = WW_AFI_IPV4;
    c.end.afi = WW_AFI_IPV6;
    c.end.len = 128;
    memset(c.end.addr, 0xff, sizeof c.end.addr);
    return c;
  }
  c.next = c.end = *prefix;
  uint8_t bits = ww_afi_bits(prefix->afi);
  for (unsigned bit = prefix->len; bit < bits; bit++)
    c.end.addr[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
  c.end.len = bits;
  return c;
}

size_t ww_rib_scan(const struct ww_rib *rib, struct ww_rib_cursor *cursor, struct ww_rib_entry *out, size_t cap) {
  struct ww_prefix_entry entries[64];
  size_t filled = 0;
  while (filled < cap && ww_prefix_compare(&cursor->next, &cursor->end) <= 0) {
    const struct ww_rib_cursor whole = ww_rib_covered(NULL);
    struct ww_prefix last = cursor->end;
    if (cursor->next.afi != last.afi) {
      last.len = 32; /* the end of IPv4; the rest stands in the other table */
      last.afi = cursor->next.afi;
      memset(last.addr, 0xff, 4);
    }
    size_t want = cap - filled < sizeof entries / sizeof *entries ? cap - filled : sizeof entries / sizeof *entries;
    size_t got = ww_prefix_table_scan(table_of(rib, cursor->next.afi), &cursor->next, &last, entries, want);
    for (size_t i = 0; i < got; i++)
      out[filled++] = (struct ww_rib_entry){entries[i].prefix, record_at(rib, entries[i].value)->routes};
    if (got == want) {
      cursor->next = entries[got - 1].prefix;
      cursor->next.len++; /* just behind it */
    } else if (cursor->next.afi != cursor->end.afi) {
      cursor->next = whole.next;
      cursor->next.afi = WW_AFI_IPV6;
    } else {
      cursor->next = cursor->end;
      cursor->next.len++; /* past the end */
    }
  }
  return filled;
}

void ww_rib_counts(const struct ww_rib *rib, struct ww_rib_counts *out) {
  *out = (struct ww_rib_counts){
      .routes = rib->routes.live,
      .prefixes = rib->prefixes[0].live + rib->prefixes[1].live,
      .bundles = rib->bundles.live,
      .paths = rib->paths.paths.live,
      .bytes = sizeof *rib + ww_path_table_bytes(&rib->paths) + ww_signers_bytes(&rib->signers) +
               ww_slab_bytes(&rib->routes) + ww_slab_bytes(&rib->bundles) + rib->bundle_octets +
               ww_slab_bytes(&rib->prefixes[0]) + ww_slab_bytes(&rib->prefixes[1]) +
               ww_prefix_table_bytes(rib->tables[0]) + ww_prefix_table_bytes(rib->tables[1]) +
               rib->live_words * sizeof *rib->live +
               (rib->bundle_index.cap + rib->peer_index.cap) * sizeof(struct ww_id_slot) +
               rib->peer_cap * sizeof *rib->peers,
  };
}
