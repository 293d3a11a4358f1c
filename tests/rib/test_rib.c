/* SPDX-License-Identifier: BSD-2-Clause */
/* rib/rib.c: routes, bundles and walkers against plain arrays; limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rib/rib.h"

static uint64_t rng_state;

static uint32_t rng(uint32_t below) {
  rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)((uint64_t)(uint32_t)(rng_state >> 32) * below >> 32);
}

static const struct ww_hash_key hash_key = {1, 2};

static struct ww_rib *rib_new(size_t max_routes) {
  struct ww_rib *rib = ww_rib_new(&hash_key, max_routes);
  assert_non_null(rib);
  return rib;
}

static uint32_t add_peer(struct ww_rib *rib, uint8_t number) {
  struct ww_rib_peer_key key = {.address = {[15] = number}};
  uint32_t id = 0;
  assert_int_equal(ww_rib_peer_add(rib, &key, &id), WW_OK);
  return id;
}

/* Attribute set `number` of a peer: some octets, and a next hop in every second. */
static uint32_t hold(struct ww_rib *rib, uint32_t peer, uint8_t number) {
  const uint8_t attrs[3] = {1, 2, number}, next_hop[4] = {192, 0, 2, number};
  const struct ww_rib_bundle contents = {.peer = peer,
                                         .afi = WW_AFI_IPV4,
                                         .attrs = attrs,
                                         .attrs_len = number ? sizeof attrs : 0,
                                         .next_hop = next_hop,
                                         .next_hop_len = number % 2 ? 4 : 0,
                                         .origin = {.asn = 64500u + number}};
  uint32_t id = 0;
  assert_int_equal(ww_rib_bundle_hold(rib, &contents, &id), WW_OK);
  return id;
}

static uint32_t announce(struct ww_rib *rib, uint32_t peer, uint8_t number, const struct ww_prefix *prefix,
                         uint32_t path_id, enum ww_rib_outcome *outcome) {
  uint32_t bundle = hold(rib, peer, number), route = 0;
  assert_int_equal(ww_rib_announce(rib, bundle, prefix, path_id, &route, outcome), WW_OK);
  ww_rib_bundle_drop(rib, bundle);
  return route;
}

static struct ww_prefix host(uint32_t n) {
  struct ww_prefix p = {.afi = WW_AFI_IPV4, .len = 32, .addr = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
  return p;
}

static void test_peers(void **state) {
  (void)state;
  struct ww_rib *rib = rib_new(10);
  struct ww_rib_peer_key a = {.type = 0, .view = 0, .address = {[15] = 1}}, b = a;
  uint32_t id_a, id_b, again;
  assert_int_equal(ww_rib_peer_find(rib, &a), 0);
  assert_int_equal(ww_rib_peer_add(rib, &a, &id_a), WW_OK);
  b.view = 1;
  assert_int_equal(ww_rib_peer_add(rib, &b, &id_b), WW_OK);
  assert_int_not_equal(id_a, id_b);
  assert_int_equal(ww_rib_peer_add(rib, &a, &again), WW_OK);
  assert_int_equal(again, id_a);
  b.distinguisher = 5;
  assert_int_equal(ww_rib_peer_find(rib, &b), 0);
  for (uint32_t i = 2; i < WW_RIB_PEERS_MAX; i++) {
    struct ww_rib_peer_key key = {.type = 1, .distinguisher = i};
    assert_int_equal(ww_rib_peer_add(rib, &key, &again), WW_OK);
  }
  assert_int_equal(ww_rib_peer_count(rib), WW_RIB_PEERS_MAX);
  assert_int_equal(ww_rib_peer_add(rib, &b, &again), WW_ERR_LIMIT);
  assert_int_equal(ww_rib_peer_find(rib, &a), id_a);
  ww_rib_free(rib);
}

static void test_bundles_are_interned(void **state) {
  (void)state;
  struct ww_rib *rib = rib_new(10);
  uint32_t p1 = add_peer(rib, 1), p2 = add_peer(rib, 2);
  uint32_t a = hold(rib, p1, 1), b = hold(rib, p1, 1), c = hold(rib, p1, 2), d = hold(rib, p2, 1), e = hold(rib, p1, 0);
  assert_int_equal(a, b);
  assert_int_not_equal(a, c);
  assert_int_not_equal(a, d);
  struct ww_rib_bundle got = ww_rib_bundle_get(rib, a);
  assert_int_equal(got.origin.asn, 64501);
  assert_int_equal(got.next_hop_len, 4);
  assert_memory_equal(got.attrs, ((uint8_t[]){1, 2, 1}), 3);
  assert_memory_equal(got.next_hop, ((uint8_t[]){192, 0, 2, 1}), 4);
  assert_int_equal(ww_rib_bundle_get(rib, e).attrs_len, 0);
  struct ww_rib_counts counts;
  ww_rib_counts(rib, &counts);
  assert_int_equal(counts.bundles, 4);
  ww_rib_bundle_drop(rib, a);
  ww_rib_bundle_drop(rib, b);
  ww_rib_bundle_drop(rib, c);
  ww_rib_bundle_drop(rib, d);
  ww_rib_bundle_drop(rib, e);
  ww_rib_counts(rib, &counts);
  assert_int_equal(counts.bundles, 0);
  ww_rib_free(rib);
}

static void test_limits(void **state) {
  (void)state;
  enum ww_rib_outcome outcome;
  struct ww_rib *rib = rib_new(WW_RIB_PREFIX_ROUTES_MAX + 1);
  uint32_t peer = add_peer(rib, 1), route = 0, bundle = hold(rib, peer, 1);
  struct ww_prefix crowded = host(1), other = host(2), third = host(3);
  for (uint32_t path = 0; path < WW_RIB_PREFIX_ROUTES_MAX; path++)
    assert_int_equal(ww_rib_announce(rib, bundle, &crowded, path, &route, &outcome), WW_OK);
  assert_int_equal(ww_rib_announce(rib, bundle, &crowded, 1u << 30, &route, &outcome), WW_ERR_LIMIT);
  assert_int_equal(ww_rib_announce(rib, bundle, &crowded, 5, &route, &outcome), WW_OK); /* it is there */
  assert_int_equal(outcome, WW_RIB_SAME);
  assert_int_equal(ww_rib_announce(rib, bundle, &other, 0, &route, &outcome), WW_OK);
  assert_int_equal(ww_rib_announce(rib, bundle, &third, 0, &route, &outcome), WW_ERR_LIMIT);
  struct ww_rib_counts counts;
  ww_rib_counts(rib, &counts);
  assert_int_equal(counts.prefixes, 2); /* nothing is left of what was refused */
  ww_rib_remove(rib, ww_rib_find(rib, peer, &other, 0));
  assert_int_equal(ww_rib_announce(rib, bundle, &third, 0, &route, &outcome), WW_OK);
  ww_rib_bundle_drop(rib, bundle);
  ww_rib_free(rib);
}

static void test_ids_of_routes_that_are_gone(void **state) {
  (void)state;
  enum ww_rib_outcome outcome;
  struct ww_rib *rib = rib_new(10);
  uint32_t peer = add_peer(rib, 1);
  struct ww_prefix p = host(1);
  assert_null(ww_rib_route(rib, 0));
  assert_null(ww_rib_route(rib, 1));
  assert_null(ww_rib_route(rib, UINT32_MAX));
  uint32_t id = announce(rib, peer, 1, &p, 0, &outcome);
  assert_non_null(ww_rib_route(rib, id));
  ww_rib_remove(rib, id);
  assert_null(ww_rib_route(rib, id));
  assert_int_equal(ww_rib_find(rib, peer, &p, 0), 0);
  ww_rib_free(rib);
}

/* ---- random, against arrays ---- */

enum { PEERS = 3, PREFIXES = 40, PATHS = 2, ATTRS = 5, WALKERS = 3, KEYS = PEERS * PREFIXES * PATHS };

struct model_route {
  bool here;
  uint8_t attrs;
  uint32_t id;
  bool stayed[WALKERS]; /* there since the walk began, in the same bundle */
  unsigned seen[WALKERS];
};

struct model {
  struct ww_rib *rib;
  uint32_t peers[PEERS];
  struct ww_prefix prefixes[PREFIXES];
  struct model_route routes[KEYS];
  struct ww_rib_walker *walkers[WALKERS];
  unsigned walks[WALKERS]; /* the peer */
};

static struct model_route *model_at(struct model *m, unsigned peer, unsigned prefix, unsigned path) {
  return &m->routes[(peer * PREFIXES + prefix) * PATHS + path];
}

static void check(struct model *m) {
  size_t routes = 0, bundles = 0, prefixes = 0;
  for (unsigned x = 0; x < PREFIXES; x++) {
    size_t of_prefix = 0;
    for (unsigned p = 0; p < PEERS; p++)
      for (unsigned path = 0; path < PATHS; path++) {
        const struct model_route *r = model_at(m, p, x, path);
        uint32_t id = ww_rib_find(m->rib, m->peers[p], &m->prefixes[x], path);
        assert_int_equal(id, r->here ? r->id : 0);
        if (!r->here)
          continue;
        const struct ww_rib_route *route = ww_rib_route(m->rib, id);
        struct ww_prefix prefix = ww_rib_route_prefix(m->rib, route);
        assert_int_equal(ww_prefix_compare(&prefix, &m->prefixes[x]), 0);
        assert_int_equal(ww_rib_bundle_get(m->rib, route->bundle).origin.asn, 64500u + r->attrs);
        assert_int_equal(route->seq, 1000u + id); /* the owner's fields stay */
        of_prefix++;
      }
    size_t listed = 0;
    for (uint32_t id = ww_rib_prefix_routes(m->rib, &m->prefixes[x]); id; id = ww_rib_route(m->rib, id)->prefix_next)
      listed++;
    assert_int_equal(listed, of_prefix);
    routes += of_prefix;
    prefixes += of_prefix > 0;
  }
  for (unsigned p = 0; p < PEERS; p++)
    for (uint8_t a = 0; a < ATTRS; a++) {
      bool used = false;
      for (unsigned i = 0; i < PREFIXES * PATHS; i++) {
        const struct model_route *r = &m->routes[p * PREFIXES * PATHS + i];
        used = used || (r->here && r->attrs == a);
      }
      bundles += used;
    }
  struct ww_rib_counts counts;
  ww_rib_counts(m->rib, &counts);
  assert_int_equal(counts.routes, routes);
  assert_int_equal(counts.prefixes, prefixes);
  assert_int_equal(counts.bundles, bundles);
  struct ww_rib_cursor all = ww_rib_covered(NULL);
  struct ww_rib_entry entries[3], before = {0};
  size_t scanned = 0;
  for (size_t n; (n = ww_rib_scan(m->rib, &all, entries, 3)) > 0; scanned += n)
    for (size_t i = 0; i < n; before = entries[i++])
      assert_true(ww_prefix_compare(&before.prefix, &entries[i].prefix) < 0);
  assert_int_equal(scanned, prefixes);
}

static void walk_begin(struct model *m, unsigned w) {
  unsigned peer = m->walks[w] = rng(PEERS);
  ww_rib_walker_free(m->walkers[w]);
  m->walkers[w] = ww_rib_walker_new(m->rib, m->peers[peer]);
  assert_non_null(m->walkers[w]);
  for (unsigned i = 0; i < KEYS; i++) {
    m->routes[i].stayed[w] = m->routes[i].here && i / (PREFIXES * PATHS) == peer;
    m->routes[i].seen[w] = 0;
  }
}

static void walk_step(struct model *m, unsigned w) {
  if (!m->walkers[w])
    return;
  uint32_t id = ww_rib_walker_next(m->walkers[w]);
  if (id) {
    unsigned i = 0;
    while (i < KEYS && !(m->routes[i].here && m->routes[i].id == id))
      i++;
    assert_true(i < KEYS); /* never one that is gone */
    assert_int_equal(i / (PREFIXES * PATHS), m->walks[w]);
    m->routes[i].seen[w]++;
    return;
  }
  for (unsigned i = 0; i < KEYS; i++)
    if (m->routes[i].stayed[w])
      assert_int_equal(m->routes[i].seen[w], 1);
  ww_rib_walker_free(m->walkers[w]);
  m->walkers[w] = NULL;
}

static void left(struct model_route *r) {
  r->here = false;
  memset(r->stayed, 0, sizeof r->stayed);
}

struct gone_count {
  size_t count;
};

static void on_gone(void *ctx, const struct ww_rib_route *route) {
  assert_int_not_equal(route->bundle, 0);
  ((struct gone_count *)ctx)->count++;
}

static void test_model(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 40; seed++) {
    struct model m = {.rib = rib_new(SIZE_MAX)};
    rng_state = seed;
    for (uint8_t p = 0; p < PEERS; p++)
      m.peers[p] = add_peer(m.rib, p);
    for (uint32_t x = 0; x < PREFIXES; x++) {
      m.prefixes[x] = host(x * 771);
      if (x % 4 == 0)
        m.prefixes[x] = (struct ww_prefix){.afi = WW_AFI_IPV6, .len = 48, .addr = {0x20, 1, 0xd, 0xb8, (uint8_t)x}};
    }
    for (unsigned i = 0; i < 1500; i++) {
      unsigned p = rng(PEERS), x = rng(PREFIXES), path = rng(PATHS), w = rng(WALKERS), what = rng(100);
      struct model_route *r = model_at(&m, p, x, path);
      if (what < 45) {
        enum ww_rib_outcome outcome;
        uint8_t attrs = (uint8_t)rng(ATTRS);
        uint32_t id = announce(m.rib, m.peers[p], attrs, &m.prefixes[x], path, &outcome);
        assert_int_equal(outcome, !r->here ? WW_RIB_NEW : r->attrs == attrs ? WW_RIB_SAME : WW_RIB_MOVED);
        if (r->here)
          assert_int_equal(id, r->id);
        if (outcome != WW_RIB_SAME)
          left(r);
        r->here = true;
        r->attrs = attrs;
        r->id = id;
        ww_rib_route(m.rib, id)->seq = 1000u + id;
      } else if (what < 65) {
        if (r->here)
          ww_rib_remove(m.rib, r->id);
        left(r);
      } else if (what < 66) {
        struct gone_count gone = {0};
        size_t had = 0;
        for (unsigned k = 0; k < PREFIXES * PATHS; k++) {
          struct model_route *each = &m.routes[p * PREFIXES * PATHS + k];
          had += each->here;
          left(each);
        }
        ww_rib_peer_clear(m.rib, m.peers[p], &gone, on_gone);
        assert_int_equal(gone.count, had);
      } else if (what < 68) {
        walk_begin(&m, w);
      } else {
        walk_step(&m, w);
      }
      if (i % 10 == 0)
        check(&m);
    }
    check(&m);
    for (unsigned w = 0; w < WALKERS; w++) {
      while (m.walkers[w])
        walk_step(&m, w);
    }
    ww_rib_free(m.rib);
  }
}

/* Routes that share a bundle come one after another. */
static void test_walk_is_grouped(void **state) {
  (void)state;
  enum ww_rib_outcome outcome;
  struct ww_rib *rib = rib_new(SIZE_MAX);
  uint32_t peer = add_peer(rib, 1);
  for (uint32_t i = 0; i < 200; i++) {
    struct ww_prefix p = host(i);
    (void)announce(rib, peer, (uint8_t)(i % 7), &p, 0, &outcome);
  }
  struct ww_rib_walker *w = ww_rib_walker_new(rib, peer);
  size_t routes = 0, groups = 0;
  uint32_t bundle = 0;
  for (uint32_t id; (id = ww_rib_walker_next(w)) != 0; routes++) {
    groups += ww_rib_route(rib, id)->bundle != bundle;
    bundle = ww_rib_route(rib, id)->bundle;
  }
  assert_int_equal(routes, 200);
  assert_int_equal(groups, 7);
  ww_rib_walker_free(w);
  ww_rib_free(rib);
}

static void test_clear(void **state) {
  (void)state;
  enum ww_rib_outcome outcome;
  struct ww_rib *rib = rib_new(SIZE_MAX);
  struct ww_rib_counts empty, counts;
  uint32_t peers[2] = {add_peer(rib, 1), add_peer(rib, 2)};
  ww_rib_counts(rib, &empty);
  for (int round = 0; round < 2; round++) {
    for (uint32_t i = 0; i < 20000; i++) { /* three levels of nodes */
      struct ww_prefix p = host(i);
      (void)announce(rib, peers[i % 2], (uint8_t)(i % 7), &p, 0, &outcome);
      assert_int_equal(outcome, WW_RIB_NEW);
    }
    struct ww_rib_walker *w = ww_rib_walker_new(rib, peers[0]);
    uint32_t id = ww_rib_walker_next(w);
    assert_non_null(ww_rib_route(rib, id));
    ww_rib_clear(rib);
    assert_int_equal(ww_rib_walker_next(w), 0);
    ww_rib_walker_free(w);
    assert_null(ww_rib_route(rib, id));
    struct ww_rib_cursor all = ww_rib_covered(NULL);
    struct ww_rib_entry entry;
    assert_int_equal(ww_rib_scan(rib, &all, &entry, 1), 0);
    ww_rib_counts(rib, &counts);
    assert_int_equal(counts.routes + counts.prefixes + counts.bundles, 0);
    assert_true(counts.bytes < empty.bytes + 8192); /* what says which ids live stays */
    assert_int_equal(ww_rib_peer_count(rib), 2);
  }
  ww_rib_free(rib);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_peers),           cmocka_unit_test(test_bundles_are_interned),
      cmocka_unit_test(test_limits),          cmocka_unit_test(test_ids_of_routes_that_are_gone),
      cmocka_unit_test(test_walk_is_grouped), cmocka_unit_test(test_clear),
      cmocka_unit_test(test_model),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
