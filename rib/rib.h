/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Adj-RIB-Ins of one monitored router: its peers, the routes of each, and three ways through them: by prefix, by
 * what a prefix covers, and by peer with the routes that share attributes side by side.
 *
 * A "peer" here is one table of one neighbour: pre-policy and post-policy are two. A "bundle" is what the routes of one
 * UPDATE have in common: peer, family, path attributes, next hop.
 */
#ifndef WW_RIB_RIB_H
#define WW_RIB_RIB_H

#include "base/hash.h"
#include "rib/origin.h"
#include "rib/path.h"
#include "rib/prefix_table.h"
#include <waywarden/prefix.h>
#include <waywarden/verdict.h>

enum {
  WW_RIB_PEERS_MAX = 16384, /* tables of a router, past ones included: their ids are kept for their return */
  WW_RIB_PREFIX_ROUTES_MAX =
      4096, /* routes of one prefix: bounds the search that path ids chosen by a peer can cause */
};

struct ww_rib;

/* `key` hashes what peers choose; `max_routes` bounds the routes held. NULL when memory ran out. */
struct ww_rib *ww_rib_new(const struct ww_hash_key *key, size_t max_routes);
void ww_rib_free(struct ww_rib *rib);

/* Peers have small ids from 1 up, never reused for another key. */
struct ww_rib_peer_key {
  uint8_t type; /* enum ww_bmp_peer_type */
  uint8_t view; /* which table: the owner's numbers */
  uint8_t address[16];
  uint64_t distinguisher;
};
uint32_t ww_rib_peer_find(const struct ww_rib *rib, const struct ww_rib_peer_key *key); /* 0: not seen yet */
enum ww_err ww_rib_peer_add(struct ww_rib *rib, const struct ww_rib_peer_key *key, uint32_t *id) WW_MUST_USE;
uint32_t ww_rib_peer_count(const struct ww_rib *rib); /* the highest id */
const struct ww_rib_peer_key *ww_rib_peer_key(const struct ww_rib *rib, uint32_t id);

/* Bundles are interned: equal contents, equal id. They live while routes are in them or somebody holds them. */
struct ww_rib_bundle {
  uint32_t peer;
  uint8_t afi;
  bool add_path;
  uint8_t next_hop_len;
  struct ww_origin origin;     /* derived from attrs, not part of the identity */
  struct ww_aspa_path as_path; /* likewise, without prepends; in what ww_rib_bundle_get() returns it is empty */
  uint32_t path;               /* its id: only returned */
  const uint8_t *attrs, *next_hop;
  uint32_t attrs_len;
  const uint8_t *bgpsec_path; /* value of BGPsec_PATH within attrs, likewise; NULL: there is none */
  uint32_t bgpsec_path_len;
  bool has_as_path; /* likewise: AS_PATH is there */
};
/* Finds or makes the bundle (contents are copied) and holds it until ww_rib_bundle_drop(). */
enum ww_err ww_rib_bundle_hold(struct ww_rib *rib, const struct ww_rib_bundle *contents, uint32_t *id) WW_MUST_USE;
void ww_rib_bundle_drop(struct ww_rib *rib, uint32_t id);
struct ww_rib_bundle ww_rib_bundle_get(const struct ww_rib *rib, uint32_t id);

/* Paths are interned likewise: one lives while bundles have it. */
struct ww_rib_path *ww_rib_path(const struct ww_rib *rib, uint32_t id);
bool ww_rib_path_is_live(const struct ww_rib *rib, uint32_t id);
/* Paths that hold an AS: as ww_path_holding(). */
uint32_t ww_rib_path_holding(const struct ww_rib *rib, uint32_t asn, size_t *cursor);

/* One kind of validation of a route: enum ww_state, enum ww_reason. */
struct ww_rib_kind {
  uint8_t state, reason;
};

struct ww_rib_route {
  /* The rib's: read only outside of rib.c. */
  uint32_t prefix, bundle, peer, path_id;
  uint32_t prefix_next; /* next route of the prefix, 0 at the end */
  uint32_t bundle_prev, bundle_next;
  /* The owner's: zero in a new route, else never touched here. */
  uint32_t digest, epoch, sec, usec;
  struct ww_rib_kind kinds[3]; /* by enum ww_kind - 1 */
  uint8_t state, trigger, flags;
  uint64_t seq;
};

enum ww_rib_outcome { WW_RIB_NEW, WW_RIB_MOVED, WW_RIB_SAME }; /* MOVED: it was there in another bundle */
/* WW_ERR_LIMIT when a limit above is reached, WW_ERR_NOMEM; the rib is then as it was. */
enum ww_err ww_rib_announce(struct ww_rib *rib, uint32_t bundle, const struct ww_prefix *prefix, uint32_t path_id,
                            uint32_t *route, enum ww_rib_outcome *outcome) WW_MUST_USE;
uint32_t ww_rib_find(const struct ww_rib *rib, uint32_t peer, const struct ww_prefix *prefix, uint32_t path_id);
void ww_rib_remove(struct ww_rib *rib, uint32_t route);
/* Removes every route of a peer, telling of each before it goes (`gone` may be NULL). */
void ww_rib_peer_clear(struct ww_rib *rib, uint32_t peer, void *ctx,
                       void (*gone)(void *ctx, const struct ww_rib_route *route));
/* Removes every route of every peer, in a small part of the time that it takes one by one. Nobody may hold a bundle. */
void ww_rib_clear(struct ww_rib *rib);

/* NULL when there is no such route: ids of routes that are gone may be asked for. */
struct ww_rib_route *ww_rib_route(const struct ww_rib *rib, uint32_t id);
struct ww_prefix ww_rib_route_prefix(const struct ww_rib *rib, const struct ww_rib_route *route);
/* First route of a prefix, or 0; follow prefix_next. */
uint32_t ww_rib_prefix_routes(const struct ww_rib *rib, const struct ww_prefix *prefix);

/* Prefixes in order (family, address, length). */
struct ww_rib_cursor {
  struct ww_prefix next, end; /* the first place not yet looked at and the last one, both included */
};
/* All that `prefix` covers; NULL: everything. */
struct ww_rib_cursor ww_rib_covered(const struct ww_prefix *prefix);
struct ww_rib_entry {
  struct ww_prefix prefix;
  uint32_t first; /* its first route */
};
/* Fills `out` and moves the cursor on; 0 at the end. The cursor is a value: the rib may change in between. */
size_t ww_rib_scan(const struct ww_rib *rib, struct ww_rib_cursor *cursor, struct ww_rib_entry *out, size_t cap);

/* The routes of a peer, bundle by bundle. A route that keeps its place during the walk is seen once; one that comes or
 * moves meanwhile may be missed or seen again; one that went is not given out. */
struct ww_rib_walker;
struct ww_rib_walker *ww_rib_walker_new(struct ww_rib *rib, uint32_t peer); /* NULL when memory ran out */
/* The same for the routes that have a path, of whichever peer. Moving within the path is keeping one's place. */
struct ww_rib_walker *ww_rib_walker_of_path(struct ww_rib *rib, uint32_t path);
uint32_t ww_rib_walker_next(struct ww_rib_walker *walker); /* 0 at the end */
void ww_rib_walker_free(struct ww_rib_walker *walker);

/* The routes whose BGPsec_PATH has a signature of this AS and SKI; one may be told more than once. The rib must not
 * change meanwhile. False as soon as `visit` says false. */
bool ww_rib_signed_by(const struct ww_rib *rib, uint32_t asn, const uint8_t ski[WW_SKI_LEN], void *ctx,
                      bool (*visit)(void *ctx, uint32_t route));

struct ww_rib_counts {
  size_t routes, prefixes, bundles, paths, bytes;
};
void ww_rib_counts(const struct ww_rib *rib, struct ww_rib_counts *out);

#endif
