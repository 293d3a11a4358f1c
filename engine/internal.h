/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this room share.
 */
#ifndef WW_ENGINE_INTERNAL_H
#define WW_ENGINE_INTERNAL_H

#include "engine/engine.h"
#include "engine/pending.h"
#include "rib/rib.h"
#include <waywarden/bgpsec.h>

/* ww_rib_route.flags */
enum {
  WW_ROUTE_WITHDRAWN = 1, /* gone, kept until its journal entry has passed; digest and epoch link the queue of these */
  WW_ROUTE_OWED = 2,      /* a reader was told something else than what stands in the route: emit when judged next */
  WW_ROUTE_WAITING = 4,   /* in the queue of routes whose signatures are to be verified: engine/bgpsec.c */
  WW_ROUTE_FRESH = 8,     /* waits for the first time since it was heard: sec and usec say when that was */
};

enum { WW_AFI_COUNT = 3 }; /* arrays indexed by AFI */

/* How the routes of a peer are verified with ASPAs. */
struct ww_engine_aspa {
  uint8_t role;      /* enum ww_role */
  uint8_t taken_as;  /* the role that the procedures are given: differs where there is none */
  uint8_t procedure; /* enum ww_aspa_procedure */
  uint8_t without;   /* enum ww_state: the result when there is no procedure */
};

/* Indexed by the rib's peer id - 1. */
struct ww_engine_peer {
  struct ww_bmp_peer header;
  bool up;
  bool eor_heard[WW_AFI_COUNT], eor_told[WW_AFI_COUNT];
  uint32_t local_as; /* by configuration, or as own_as */
  uint32_t own_as;   /* the router's in the OPEN that it sent; local_as when that can't be read */
  uint8_t open_role; /* enum ww_role, of that OPEN */
  struct ww_engine_aspa aspa;
  bool due; /* all its routes are to be judged again */
  struct ww_bgpsec_session bgpsec;
  bool verifies; /* signatures of its routes */
  struct ww_addr local;
  uint16_t local_port, remote_port;
  uint8_t *opens; /* sent, then received */
  size_t sent_len, received_len;
  uint8_t down_reason;
  uint8_t *down_data;
  size_t down_len;
};

struct ww_engine {
  const struct ww_log *log;
  struct ww_hash_key key;
  struct ww_snapshot *snapshot;            /* never NULL */
  bool was_ready;                          /* routes may have been told to stations */
  struct ww_engine_router *routers, *turn; /* turn: whose work comes first */
  struct ww_engine_source *sources;
  size_t source_count;
  struct ww_verdict scratch;
  struct ww_engine_bgpsec *bgpsec; /* NULL: no signed route was looked at yet */
};

/* Routes whose signatures wait to be verified: engine/bgpsec.c. */
struct ww_engine_waiting {
  uint32_t *queue; /* [first .. count) */
  size_t first, count, cap;
};

/* What ASPA verification still owes: engine/aspa.c. */
struct ww_engine_revalidation {
  uint32_t version; /* of what paths remember */
  uint32_t *queue;  /* [first .. count): paths with a stale result */
  size_t first, count, cap;
  uint32_t peers_due;           /* how many */
  struct ww_rib_walker *walker; /* through the routes of what is under way; NULL: nothing is */
  uint8_t procedures;           /* bit mask of 1 << enum ww_aspa_procedure: whose routes are concerned */
};

struct ww_engine_router {
  struct ww_engine *engine;
  struct ww_engine_router *next;
  struct ww_engine_router_config config;
  const struct ww_now *clock;
  char *sys_name, *sys_descr; /* as the router said; NULL before */
  struct ww_rib *rib;
  struct ww_journal *journal;
  uint64_t passed; /* newest journal entry that no reader needs */
  struct ww_engine_peer *peers;
  size_t peer_cap;
  struct ww_pending pending;
  bool first_walk;                         /* the walk after data became ready has not ended: End-of-RIB waits for it */
  uint32_t withdrawn_head, withdrawn_tail; /* queue of withdrawn routes by seq */
  uint64_t withdrawn;                      /* its length */
  uint64_t by_state[4];                    /* live routes: valid, unknown, invalid, not ready */
  uint64_t by_kind[WW_ENGINE_KINDS][4];    /* those that are ready: valid, unknown, invalid, not evaluated */
  uint64_t evaluated, paths_evaluated, changed, ignored, refused;
  struct ww_engine_roles roles; /* peers: role_storage */
  struct ww_engine_role *role_storage;
  struct ww_engine_revalidation revalidation;
  struct ww_engine_waiting waiting;
  bool eor_waits; /* some End-of-RIB waits for signatures */
  struct ww_path_scratch path;
  struct ww_arena arena;
};

static inline bool ww_engine_ready(const struct ww_engine *engine) { return ww_snapshot_ready(engine->snapshot); }

/* judge.c */

/* The result of one kind of validation for one route. */
struct ww_engine_result {
  struct ww_rib_kind kind;
  uint32_t digest; /* of the evidence that goes out with it: equal digests, equal evidence */
};

/* Of a whole verdict. */
uint32_t ww_engine_digest(const struct ww_verdict *verdict);

/* Counts a live route by its states: in (1) or out (-1). */
void ww_engine_tally(struct ww_engine_router *router, const struct ww_rib_route *route, int sign);
/* Makes the route not ready; it is not counted. */
void ww_engine_unjudge(struct ww_rib_route *route);

struct ww_engine_judgement {
  uint32_t route;
  uint32_t path;
  struct ww_prefix prefix;
  struct ww_origin origin;
  bool emit;      /* whatever the verdict */
  bool is_signed; /* ww_engine_bgpsec_concerns() */
};
enum { WW_ENGINE_BATCH = 64, WW_ENGINE_SIGNED_COST = 64 /* of a budget, for a signed route */ };
/* Judges up to WW_ENGINE_BATCH live routes by the data in force, stores the verdicts and journals what changed. */
void ww_engine_judge(struct ww_engine_router *router, const struct ww_engine_judgement *items, size_t count,
                     uint8_t trigger, uint32_t sec, uint32_t usec);

/* aspa.c */

/* Works out peer->aspa from header, own_as, open_role and the router's roles. */
void ww_engine_aspa_session(const struct ww_engine_router *router, struct ww_engine_peer *peer, enum ww_rib_view view);
/* The result for a path from this peer. False: memory ran out, and the digest is not to be relied upon. */
bool ww_engine_aspa_judge(struct ww_engine_router *router, uint32_t path, const struct ww_engine_peer *peer,
                          struct ww_engine_result *out);
/* The same with its evidence. */
enum ww_err ww_engine_aspa_explain(const struct ww_engine_router *router, uint32_t path,
                                   const struct ww_engine_peer *peer, struct ww_aspa_result *result) WW_MUST_USE;
uint32_t ww_engine_aspa_digest(const struct ww_aspa_result *result);
/* Makes stale what the delta concerns. False: everything must be judged again instead. */
bool ww_engine_aspa_delta(struct ww_engine_router *router, const struct ww_payload_delta *delta) WW_MUST_USE;
/* Forgets all that is remembered and all that is owed: everything is judged again anyway, or nothing. */
void ww_engine_aspa_void(struct ww_engine_router *router);
void ww_engine_aspa_fini(struct ww_engine_router *router);
bool ww_engine_aspa_pending(const struct ww_engine_router *router);
/* The next live route to judge again, or 0: nothing is left, or the budget. */
uint32_t ww_engine_aspa_next(struct ww_engine_router *router, size_t *budget);

/* bgpsec.c */

void ww_engine_bgpsec_free(struct ww_engine *engine);
/* Works out peer->bgpsec and peer->verifies from header, own_as and the configuration; true when that is a change. */
bool ww_engine_bgpsec_session(const struct ww_engine_router *router, struct ww_engine_peer *peer,
                              enum ww_rib_view view);
/* Whether routes of the bundle, of this peer, have signatures to verify. */
bool ww_engine_bgpsec_concerns(const struct ww_engine_router *router, uint32_t peer,
                               const struct ww_rib_bundle *bundle);
/* results[i] is of items[i]. False: memory ran out, and the digests are not to be relied upon. */
bool ww_engine_bgpsec_judge(struct ww_engine_router *router, const struct ww_engine_judgement *items, size_t count,
                            struct ww_engine_result *results);
enum ww_err ww_engine_bgpsec_explain(struct ww_engine_router *router, uint32_t peer, const struct ww_prefix *prefix,
                                     const struct ww_rib_bundle *bundle, struct ww_bgpsec_report *report) WW_MUST_USE;
uint32_t ww_engine_bgpsec_digest(const struct ww_bgpsec_report *report);
/* Puts a live route into the queue. False: memory ran out. */
bool ww_engine_bgpsec_wait(struct ww_engine_router *router, uint32_t route) WW_MUST_USE;
/* The same for all that were signed with a key of the delta. */
bool ww_engine_bgpsec_delta(struct ww_engine_router *router, const struct ww_payload_delta *delta) WW_MUST_USE;
void ww_engine_bgpsec_forget(struct ww_engine *engine, const struct ww_payload_delta *delta);
bool ww_engine_bgpsec_pending(const struct ww_engine_router *router);
/* The next waiting route, out of the queue; 0: there is none. */
uint32_t ww_engine_bgpsec_next(struct ww_engine_router *router);
/* Every route is gone. */
void ww_engine_bgpsec_clear(struct ww_engine_router *router);

/* router.c */

void ww_engine_router_note(struct ww_engine_router *router, uint32_t route, uint8_t trigger, uint32_t sec,
                           uint32_t usec);
/* Frees the withdrawn routes that every reader has passed. */
void ww_engine_router_reap(struct ww_engine_router *router);
/* Every route becomes not ready: what was told of it is void. */
void ww_engine_router_hold(struct ww_engine_router *router);
/* Revalidates; returns how much of the budget is left. */
size_t ww_engine_router_work(struct ww_engine_router *router, size_t budget, const struct ww_now *now);

#endif
