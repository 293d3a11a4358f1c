/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this room share.
 */
#ifndef WW_ENGINE_INTERNAL_H
#define WW_ENGINE_INTERNAL_H

#include "engine/engine.h"
#include "engine/pending.h"
#include "rib/rib.h"

/* ww_rib_route.flags */
enum {
  WW_ROUTE_WITHDRAWN = 1, /* gone, kept until its journal entry has passed; digest and epoch link the queue of these */
  WW_ROUTE_OWED = 2,      /* a reader was told something else than what stands in the route: emit when judged next */
};

enum { WW_AFI_COUNT = 3 }; /* arrays indexed by AFI */

/* Indexed by the rib's peer id - 1. */
struct ww_engine_peer {
  struct ww_bmp_peer header;
  bool up;
  bool eor_heard[WW_AFI_COUNT], eor_told[WW_AFI_COUNT];
  uint32_t local_as;
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
  struct ww_origin_result scratch;
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
  uint64_t evaluated, changed, ignored, refused;
  struct ww_arena arena;
};

static inline bool ww_engine_ready(const struct ww_engine *engine) { return ww_snapshot_ready(engine->snapshot); }

static inline uint64_t *ww_engine_state_count(struct ww_engine_router *router, uint8_t state) {
  return &router->by_state[state <= WW_STATE_INVALID ? state : 3];
}

/* judge.c */

/* The parts of an evidence that go out with the verdict, as 32 bits: equal digests, equal rules. */
uint32_t ww_engine_digest(const struct ww_origin_result *result);

struct ww_engine_judgement {
  uint32_t route;
  struct ww_prefix prefix;
  struct ww_origin origin;
  bool emit; /* whatever the verdict */
};
enum { WW_ENGINE_BATCH = 64 };
/* Judges up to WW_ENGINE_BATCH live routes by the data in force, stores the verdicts and journals what changed. */
void ww_engine_judge(struct ww_engine_router *router, const struct ww_engine_judgement *items, size_t count,
                     uint8_t trigger, uint32_t sec, uint32_t usec);

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
