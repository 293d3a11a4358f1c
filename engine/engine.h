/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ties payloads, routes and output together: payload deltas and route events in, verdict changes out through each
 * router's journal. Keeps which route has which verdict; revalidates only what a delta can affect (routes covered by a
 * changed VRP, routes whose path holds the customer of a changed ASPA, routes signed with a changed router key). No
 * I/O, no threads, no clock; several engines may live side by side (shards).
 */
#ifndef WW_ENGINE_ENGINE_H
#define WW_ENGINE_ENGINE_H

#include "base/log.h"
#include "bmpout/view.h"
#include "feeds/bmp_feed.h"
#include "rib/rib.h"
#include <waywarden/bgpsec.h>
#include <waywarden/snapshot.h>

struct ww_engine;
struct ww_engine_router;

struct ww_engine_source {
  ww_source_id id;
  uint8_t type; /* enum ww_source_type */
  char name[64];
};

/* NULL when memory (or the system's randomness, which keys the hash tables) is not to be had. `log` must outlive it. */
struct ww_engine *ww_engine_new(const struct ww_log *log);
/* Frees the routers too. Sessions that read their views must be gone. */
void ww_engine_free(struct ww_engine *engine);

/* The data in force from now on. `deltas` is what changed since the snapshot before, in any order (NULL: judge
 * everything anew). Judging happens in ww_engine_work(), newest data for everything. Takes its own reference; the
 * deltas are read now. */
enum ww_err ww_engine_set_snapshot(struct ww_engine *engine, struct ww_snapshot *snapshot,
                                   const struct ww_payload_delta *deltas, size_t count) WW_MUST_USE;
void ww_engine_set_sources(struct ww_engine *engine, const struct ww_engine_source *sources, size_t count);
/* Revalidates up to `budget` routes, of signed ones fewer (they cost more), and verifies signed ones that were heard;
 * true when more is pending. */
bool ww_engine_work(struct ww_engine *engine, size_t budget, struct ww_now now);

/* Whether ww_engine_work() has something to do: after a feed's input, for signed routes. */
bool ww_engine_pending(const struct ww_engine *engine);
/* What the verifier of BGPsec signatures did and holds; all 0 before the first signed route. */
void ww_engine_bgpsec_counts(const struct ww_engine *engine, struct ww_bgpsec_counts *out);

/* A monitored router. `name` is the configuration's or the session's. `views`: bit mask of 1 << enum ww_rib_view to
 * take routes from (default: Adj-RIB-In pre-policy). local_as: used where RFC 6811 takes the speaker's own AS; 0 learns
 * it from the OPENs in Peer Up. journal_entries 0: default 65536. max_routes 0: WW_ENGINE_ROUTES_DEFAULT; routes over
 * it are not held, and counted as refused. */
enum { WW_ENGINE_JOURNAL_DEFAULT = 65536, WW_ENGINE_ROUTES_DEFAULT = 32 * 1024 * 1024 };
struct ww_engine_router_config {
  char name[64];
  unsigned views;
  uint32_t local_as;
  size_t journal_entries;
  size_t max_routes;
};
struct ww_engine_router *ww_engine_router_new(struct ww_engine *engine, const struct ww_engine_router_config *config);

/* What the router is to its neighbors (RFC 9234 §4.1), which decides how their routes are verified with ASPAs, and what
 * they may do in BGPsec. */
struct ww_engine_role {
  struct ww_addr address; /* of the neighbor; afi 0: all of AS `asn` */
  uint32_t asn;
  uint8_t role;       /* enum ww_role */
  bool role_not_said; /* `role` is not looked at: the session tells */
  bool allow_pcount0; /* RFC 8205 §4.2: a transparent route server */
};
/* When no role is known: the routes are not evaluated, are Unknown, or are verified as if there were a role. */
enum ww_no_role { WW_NO_ROLE_SKIP = 0, WW_NO_ROLE_UNKNOWN = 1, WW_NO_ROLE_UPSTREAM = 2, WW_NO_ROLE_DOWNSTREAM = 3 };
struct ww_engine_roles {
  const struct ww_engine_role *peers; /* an address goes before an AS, then the first one that fits */
  size_t peer_count;
  uint8_t others; /* enum ww_role: of peers not listed whose session told none; WW_ROLE_NONE */
  uint8_t none;   /* enum ww_no_role */
};
/* Takes a copy. Peers that it makes a difference for are judged again. Before the first call no role is configured. */
enum ww_err ww_engine_router_set_roles(struct ww_engine_router *router,
                                       const struct ww_engine_roles *roles) WW_MUST_USE;
/* Sessions that read its view must be gone: their walks stand in its tables. */
void ww_engine_router_free(struct ww_engine_router *router);
/* The router's feed: plug these events into ww_bmp_feed_new(). `now` is read from *clock at each event. */
void ww_engine_router_events(struct ww_engine_router *router, const struct ww_now *clock,
                             struct ww_bmp_feed_events *out);
/* The feed's connection ended: every peer goes down, with reason 5, a Loc-RIB with 6 (RFC 9069 §5.3). */
void ww_engine_router_disconnected(struct ww_engine_router *router);

struct ww_journal *ww_engine_router_journal(struct ww_engine_router *router);
void ww_engine_router_view(struct ww_engine_router *router, struct ww_out_view *out);

enum { WW_ENGINE_KINDS = WW_KIND_BGPSEC }; /* arrays indexed by enum ww_kind - 1 */
struct ww_engine_kind_counts {
  uint64_t valid, invalid, unknown, not_evaluated;
};
struct ww_engine_counts {
  uint64_t peers_up, routes, prefixes, attrs, paths;
  uint64_t valid, invalid, unknown, not_ready;         /* live routes by overall state */
  struct ww_engine_kind_counts kinds[WW_ENGINE_KINDS]; /* live routes that are ready, by the state of each kind */
  uint64_t evaluated, changed;                         /* routes, since start */
  uint64_t paths_evaluated;                            /* AS paths by one procedure, since start */
  uint64_t ignored; /* updates of views not taken or peers not up, unknown withdrawals */
  uint64_t refused; /* routes not held because of a limit or of memory */
  uint64_t bytes;   /* memory held by tables */
};
void ww_engine_router_counts(const struct ww_engine_router *router, struct ww_engine_counts *out);

/* Routes for `status`, tests and the control socket: every live route of a prefix, or all when prefix is NULL. */
struct ww_engine_route {
  uint32_t id;
  struct ww_bmp_peer peer;
  struct ww_out_route route;
  uint8_t state; /* enum ww_state: of all kinds together */
  struct ww_rib_kind kinds[WW_ENGINE_KINDS];
  uint8_t role, procedure; /* enum ww_role, enum ww_aspa_procedure: of its peer's session */
  struct ww_origin origin;
  uint32_t epoch; /* of the data that it was last judged by */
};
/* What is found of a route's signatures with the keys in force. Outside of ww_engine_router_routes() or within. */
enum ww_err ww_engine_router_signatures(struct ww_engine_router *router, uint32_t route,
                                        struct ww_bgpsec_report *report) WW_MUST_USE;
int ww_engine_router_routes(const struct ww_engine_router *router, const struct ww_prefix *prefix, void *ctx,
                            int (*visit)(void *ctx, const struct ww_engine_route *route));

#endif
