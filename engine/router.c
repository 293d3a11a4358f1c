/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One monitored router: what its feed says goes into its rib, is judged at once, and what changed goes into its
 * journal.
 *
 * Peers. Each (neighbour, view) that the configuration takes is a peer of the rib and keeps its id when it goes and
 * comes back. One Peer Up opens all views of a neighbour, as RFC 7854 §4.10 and RFC 8671 §6.3 mean it to. Peer Down
 * frees the routes at once and is one journal entry, however many they were; entries that named those routes find
 * nothing, or a route with another seq.
 *
 * Withdrawn routes stay, marked, until the entry of their withdrawal has passed: a reader that reaches the entry must
 * still find what was withdrawn. They stand in a queue in the order of these entries, linked through fields that a
 * withdrawn route has no use for. So there are never more of them than the journal has entries. The journal says what
 * has passed from within a reader's step; that only moves a mark, and routes are freed at the next event, when no
 * reader looks at one.
 *
 * End-of-RIB is journaled after the routes before it. Routes that came while no data was ready are told by the first
 * walk over ready data, so an End-of-RIB heard before its end waits for it. Likewise it waits while signatures do.
 *
 * Bounds: journal entries and routes by the configuration, peers and paths by rib/rib.h. What is refused is counted.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/internal.h"

enum { OPEN_ARENA_MAX = 1 << 18 }; /* decoding one OPEN */

/* ---- journal and withdrawn routes ---- */

static void on_passed(void *ctx, const struct ww_change *change, uint64_t seq) {
  struct ww_engine_router *router = ctx;
  (void)change;
  if (seq > router->passed)
    router->passed = seq;
}

void ww_engine_router_note(struct ww_engine_router *router, uint32_t id, uint8_t trigger, uint32_t sec, uint32_t usec) {
  struct ww_rib_route *route = ww_rib_route(router->rib, id);
  route->trigger = trigger;
  route->sec = sec;
  route->usec = usec;
  route->seq = ww_journal_add(router->journal, (struct ww_change){.kind = WW_CHANGE_ROUTE, .id = id});
  router->changed++;
}

static void note_peer(struct ww_engine_router *router, uint8_t kind, uint8_t afi, uint32_t id) {
  (void)ww_journal_add(router->journal, (struct ww_change){.kind = kind, .afi = afi, .id = id});
}

static uint32_t *queue_prev(struct ww_rib_route *route) { return &route->digest; }

static uint32_t *queue_next(struct ww_rib_route *route) { return &route->epoch; }

static void queue_push(struct ww_engine_router *router, uint32_t id) {
  struct ww_rib_route *route = ww_rib_route(router->rib, id);
  *queue_prev(route) = router->withdrawn_tail;
  *queue_next(route) = 0;
  if (router->withdrawn_tail)
    *queue_next(ww_rib_route(router->rib, router->withdrawn_tail)) = id;
  else
    router->withdrawn_head = id;
  router->withdrawn_tail = id;
  router->withdrawn++;
}

static void queue_unlink(struct ww_engine_router *router, const struct ww_rib_route *route) {
  uint32_t prev = route->digest, next = route->epoch; /* queue_prev(), queue_next() */
  if (prev)
    *queue_next(ww_rib_route(router->rib, prev)) = next;
  else
    router->withdrawn_head = next;
  if (next)
    *queue_prev(ww_rib_route(router->rib, next)) = prev;
  else
    router->withdrawn_tail = prev;
  router->withdrawn--;
}

void ww_engine_router_reap(struct ww_engine_router *router) {
  while (router->withdrawn_head) {
    uint32_t id = router->withdrawn_head;
    struct ww_rib_route *route = ww_rib_route(router->rib, id);
    if (route->seq > router->passed)
      break;
    queue_unlink(router, route);
    ww_rib_remove(router->rib, id);
  }
}

/* ---- life ---- */

struct ww_engine_router *ww_engine_router_new(struct ww_engine *engine, const struct ww_engine_router_config *config) {
  struct ww_engine_router *router = calloc(1, sizeof *router);
  if (!router)
    return NULL;
  router->engine = engine;
  router->config = *config;
  router->config.name[sizeof router->config.name - 1] = '\0';
  if (!config->views)
    router->config.views = 1u << WW_VIEW_ADJ_IN_PRE;
  router->roles = (struct ww_engine_roles){.others = WW_ROLE_NONE};
  router->revalidation.version = 1; /* no path remembers anything under 0 */
  ww_arena_init(&router->arena, OPEN_ARENA_MAX);
  router->rib = ww_rib_new(&engine->key, config->max_routes ? config->max_routes : WW_ENGINE_ROUTES_DEFAULT);
  router->journal =
      ww_journal_new(config->journal_entries ? config->journal_entries : WW_ENGINE_JOURNAL_DEFAULT, on_passed, router);
  router->next = engine->routers;
  engine->routers = router;
  if (!router->rib || !router->journal || ww_pending_init(&router->pending) != WW_OK) {
    ww_engine_router_free(router);
    return NULL;
  }
  return router;
}

void ww_engine_router_free(struct ww_engine_router *router) {
  if (!router)
    return;
  struct ww_engine *engine = router->engine;
  struct ww_engine_router **link = &engine->routers;
  while (*link != router)
    link = &(*link)->next;
  *link = router->next;
  if (engine->turn == router)
    engine->turn = router->next;
  ww_journal_free(router->journal);
  for (uint32_t i = 0; router->rib && i < ww_rib_peer_count(router->rib); i++) {
    free(router->peers[i].opens);
    free(router->peers[i].down_data);
  }
  free(router->peers);
  ww_engine_aspa_fini(router);
  free(router->waiting.queue);
  ww_path_scratch_fini(&router->path);
  ww_rib_free(router->rib);
  ww_pending_fini(&router->pending);
  ww_arena_fini(&router->arena);
  free(router->sys_name);
  free(router->sys_descr);
  free(router);
}

struct ww_journal *ww_engine_router_journal(struct ww_engine_router *router) {
  return router->journal;
}

/* ---- revalidation ---- */

void ww_engine_router_hold(struct ww_engine_router *router) {
  struct ww_rib_cursor all = ww_rib_covered(NULL);
  struct ww_rib_entry entries[WW_ENGINE_BATCH];
  for (size_t n; (n = ww_rib_scan(router->rib, &all, entries, WW_ENGINE_BATCH)) > 0;)
    for (size_t i = 0; i < n; i++)
      for (uint32_t id = entries[i].first; id;) {
        struct ww_rib_route *route = ww_rib_route(router->rib, id);
        id = route->prefix_next;
        if (route->flags & WW_ROUTE_WITHDRAWN)
          continue;
        ww_engine_tally(router, route, -1);
        ww_engine_unjudge(route);
        ww_engine_tally(router, route, 1);
      }
  /* All will be told anew, to stations that may never have heard an End-of-RIB, so that comes anew behind them. */
  for (uint32_t id = 1; id <= ww_rib_peer_count(router->rib); id++)
    memset(router->peers[id - 1].eor_told, 0, sizeof router->peers[id - 1].eor_told);
}

/* Routes on their way to ww_engine_judge(). */
struct batch {
  struct ww_engine_judgement items[WW_ENGINE_BATCH];
  size_t count;
  uint8_t trigger;
  uint32_t sec, usec;
};

static void batch_flush(struct ww_engine_router *router, struct batch *batch) {
  if (batch->count)
    ww_engine_judge(router, batch->items, batch->count, batch->trigger, batch->sec, batch->usec);
  batch->count = 0;
}

static void batch_add(struct ww_engine_router *router, struct batch *batch, struct ww_engine_judgement item) {
  batch->items[batch->count++] = item;
  if (batch->count == WW_ENGINE_BATCH)
    batch_flush(router, batch);
}

static struct ww_engine_judgement judgement_of(const struct ww_engine_router *router, uint32_t id,
                                               const struct ww_rib_route *route, const struct ww_prefix *prefix) {
  const struct ww_rib_bundle bundle = ww_rib_bundle_get(router->rib, route->bundle);
  return (struct ww_engine_judgement){.route = id,
                                      .path = bundle.path,
                                      .prefix = *prefix,
                                      .origin = bundle.origin,
                                      .is_signed = ww_engine_bgpsec_concerns(router, route->peer, &bundle)};
}

/* Tells the End-of-RIBs that waited. */
static void tell_eors(struct ww_engine_router *router) {
  for (uint32_t id = 1; id <= ww_rib_peer_count(router->rib); id++) {
    struct ww_engine_peer *peer = &router->peers[id - 1];
    for (unsigned afi = 0; afi < WW_AFI_COUNT; afi++)
      if (peer->up && peer->eor_heard[afi] && !peer->eor_told[afi]) {
        peer->eor_told[afi] = true;
        note_peer(router, WW_CHANGE_EOR, (uint8_t)afi, id);
      }
  }
}

size_t ww_engine_router_work(struct ww_engine_router *router, size_t budget, const struct ww_now *now) {
  struct batch batch = {.trigger = WW_TRIGGER_DATASET, .sec = (uint32_t)now->unix_sec, .usec = now->unix_usec};
  struct ww_rib_entry entries[WW_ENGINE_BATCH];
  for (struct ww_rib_cursor *range; budget && (range = ww_pending_front(&router->pending)) != NULL;) {
    size_t n = ww_rib_scan(router->rib, range, entries, budget < WW_ENGINE_BATCH ? budget : WW_ENGINE_BATCH);
    if (!n) {
      ww_pending_done(&router->pending);
      continue;
    }
    size_t seen = 0;
    for (size_t i = 0; i < n; i++)
      for (uint32_t id = entries[i].first; id;) {
        const uint32_t this = id;
        const struct ww_rib_route *route = ww_rib_route(router->rib, this);
        id = route->prefix_next;
        seen++;
        if (route->flags & WW_ROUTE_WITHDRAWN)
          continue;
        const struct ww_engine_judgement item = judgement_of(router, this, route, &entries[i].prefix);
        seen += item.is_signed ? (size_t)WW_ENGINE_SIGNED_COST - 1 : 0;
        batch_add(router, &batch, item);
      }
    batch_flush(router, &batch);
    budget -= seen < budget ? seen : budget; /* a prefix is done whole: at most WW_RIB_PREFIX_ROUTES_MAX over */
  }
  for (uint32_t id; (id = ww_engine_aspa_next(router, &budget)) != 0;) {
    const struct ww_rib_route *route = ww_rib_route(router->rib, id);
    const struct ww_prefix prefix = ww_rib_route_prefix(router->rib, route);
    batch_add(router, &batch, judgement_of(router, id, route, &prefix));
  }
  batch_flush(router, &batch);
  for (uint32_t id; budget && (id = ww_engine_bgpsec_next(router)) != 0;) {
    const struct ww_rib_route *route = ww_rib_route(router->rib, id);
    const struct ww_prefix prefix = ww_rib_route_prefix(router->rib, route);
    batch_add(router, &batch, judgement_of(router, id, route, &prefix));
    budget -= budget < WW_ENGINE_SIGNED_COST ? budget : (size_t)WW_ENGINE_SIGNED_COST;
  }
  batch_flush(router, &batch);
  bool walked = router->first_walk && !ww_pending_front(&router->pending);
  router->first_walk = router->first_walk && !walked;
  router->eor_waits = router->eor_waits || walked;
  if (router->eor_waits && !router->first_walk && !ww_engine_bgpsec_pending(router)) {
    router->eor_waits = false;
    tell_eors(router);
  }
  return budget;
}

/* ---- peers ---- */

static struct ww_rib_peer_key key_of(const struct ww_bmp_peer *header, enum ww_rib_view view) {
  struct ww_rib_peer_key key = {.type = header->type, .view = (uint8_t)view, .distinguisher = header->distinguisher};
  memcpy(key.address, header->address, sizeof key.address);
  return key;
}

/* The views that Peer Up and Peer Down of a header speak of, as far as they are taken. */
static unsigned views_of(const struct ww_engine_router *router, const struct ww_bmp_peer *header) {
  unsigned loc_rib = 1u << WW_VIEW_LOC_RIB;
  return router->config.views & (header->type == WW_BMP_PEER_LOC_RIB ? loc_rib : loc_rib - 1);
}

/* RFC 8671 §4: L tells post- from pre-policy, O Adj-RIB-Out from Adj-RIB-In. */
static uint8_t flags_for(const struct ww_bmp_peer *header, enum ww_rib_view view) {
  if (view == WW_VIEW_LOC_RIB)
    return header->flags;
  unsigned flags = header->flags & ~(unsigned)(WW_BMP_FLAG_L | WW_BMP_FLAG_O);
  if (view == WW_VIEW_ADJ_IN_POST || view == WW_VIEW_ADJ_OUT_POST)
    flags |= WW_BMP_FLAG_L;
  if (view == WW_VIEW_ADJ_OUT_PRE || view == WW_VIEW_ADJ_OUT_POST)
    flags |= WW_BMP_FLAG_O;
  return (uint8_t)flags;
}

/* The peer's engine side, made if need be; 0 when it can't be had. */
static uint32_t peer_enter(struct ww_engine_router *router, const struct ww_rib_peer_key *key) {
  size_t need = (size_t)ww_rib_peer_count(router->rib) + 1;
  if (need > router->peer_cap) {
    size_t cap = router->peer_cap ? router->peer_cap * 2 : 8;
    struct ww_engine_peer *peers = realloc(router->peers, cap * sizeof *peers);
    if (!peers)
      return 0;
    memset(peers + router->peer_cap, 0, (cap - router->peer_cap) * sizeof *peers);
    router->peers = peers;
    router->peer_cap = cap;
  }
  uint32_t id;
  return ww_rib_peer_add(router->rib, key, &id) == WW_OK ? id : 0;
}

static void route_gone(void *ctx, const struct ww_rib_route *route) {
  struct ww_engine_router *router = ctx;
  if (route->flags & WW_ROUTE_WITHDRAWN)
    queue_unlink(router, route);
  else
    ww_engine_tally(router, route, -1);
}

static void peer_down(struct ww_engine_router *router, uint32_t id, uint8_t reason, const void *data, size_t len) {
  struct ww_engine_peer *peer = &router->peers[id - 1];
  ww_rib_peer_clear(router->rib, id, router, route_gone);
  free(peer->opens);
  free(peer->down_data);
  peer->opens = NULL;
  peer->sent_len = peer->received_len = 0;
  peer->up = false;
  memset(peer->eor_heard, 0, sizeof peer->eor_heard);
  memset(peer->eor_told, 0, sizeof peer->eor_told);
  peer->down_reason = reason;
  peer->down_data = len ? malloc(len) : NULL;
  peer->down_len = peer->down_data ? len : 0;
  if (peer->down_data)
    memcpy(peer->down_data, data, len);
  else if (len)
    peer->down_reason = WW_BMP_DOWN_REMOTE; /* no memory for the details: RFC 7854 §4.9 has a reason that needs none */
  note_peer(router, WW_CHANGE_PEER_DOWN, 0, id);
}

/* What the OPEN that the router sent says of itself. */
static void read_own_open(struct ww_engine_router *router, struct ww_engine_peer *peer, const struct ww_bmp_msg *msg) {
  struct ww_bgp_open open;
  ww_arena_reset(&router->arena);
  peer->local_as = peer->own_as = router->config.local_as;
  peer->open_role = WW_ROLE_NONE;
  if (ww_bgp_open_decode(msg->u.up.sent_open, msg->u.up.sent_len, &router->arena, &open, NULL) != WW_OK)
    return;
  peer->own_as = open.asn;
  if (!peer->local_as)
    peer->local_as = open.asn;
  /* RFC 9234 §4.1: the capability says what its sender is to the other; values over 4 are unassigned. */
  if (open.has_role && open.role <= WW_ROLE_PEER)
    peer->open_role = open.role;
}

static void on_peer_up(void *ctx, const struct ww_bmp_peer *header, const struct ww_bmp_msg *msg) {
  struct ww_engine_router *router = ctx;
  unsigned views = views_of(router, header);
  ww_engine_router_reap(router);
  if (!views) {
    router->ignored++;
    return;
  }
  for (unsigned v = 0; v <= WW_VIEW_LOC_RIB; v++) {
    if (!(views >> v & 1))
      continue;
    struct ww_rib_peer_key key = key_of(header, (enum ww_rib_view)v);
    uint32_t id = peer_enter(router, &key);
    if (!id) {
      router->refused++;
      ww_log(router->engine->log, WW_LOG_ERROR, "%s: a peer of AS%u can't be held (limit %u peers, or no memory)",
             router->config.name, (unsigned)header->asn, (unsigned)WW_RIB_PEERS_MAX);
      continue;
    }
    struct ww_engine_peer *peer = &router->peers[id - 1];
    /* CHOICE: RFC 7854 §4.10 does not say what a second Peer Up means. A new session starts with no routes, so the
     * first one has ended unheard: reason 2 with FSM event 0, "no relevant Event code". RFC 9069 §5.3: 6 for a Loc-RIB.
     */
    if (peer->up) {
      bool loc_rib = header->type == WW_BMP_PEER_LOC_RIB;
      peer_down(router, id, loc_rib ? WW_BMP_DOWN_LOCAL_SYSTEM : WW_BMP_DOWN_LOCAL_FSM, (const uint8_t[2]){0, 0},
                loc_rib ? 0 : 2);
    }
    size_t sent = msg->u.up.sent_len, received = msg->u.up.received_len;
    peer->opens = malloc(sent + received + 1);
    if (!peer->opens) {
      router->refused++;
      continue;
    }
    if (sent)
      memcpy(peer->opens, msg->u.up.sent_open, sent);
    if (received)
      memcpy(peer->opens + sent, msg->u.up.received_open, received);
    peer->sent_len = sent;
    peer->received_len = received;
    peer->header = *header;
    peer->header.flags = flags_for(header, (enum ww_rib_view)v);
    peer->local = msg->u.up.local;
    peer->local_port = msg->u.up.local_port;
    peer->remote_port = msg->u.up.remote_port;
    read_own_open(router, peer, msg);
    ww_engine_aspa_session(router, peer, (enum ww_rib_view)v);
    (void)ww_engine_bgpsec_session(router, peer, (enum ww_rib_view)v);
    peer->up = true;
    note_peer(router, WW_CHANGE_PEER_UP, 0, id);
  }
}

static void on_peer_down(void *ctx, const struct ww_bmp_peer *header, const struct ww_bmp_msg *msg) {
  struct ww_engine_router *router = ctx;
  unsigned views = views_of(router, header);
  bool known = false;
  /* RFC 7854 §4.9, RFC 9069 §5.3: what follows the reason depends on it. */
  uint8_t event[2] = {(uint8_t)(msg->u.down.fsm_event >> 8), (uint8_t)msg->u.down.fsm_event};
  const uint8_t *data = NULL;
  size_t len = 0;
  switch (msg->u.down.reason) {
  case WW_BMP_DOWN_LOCAL_NOTIFICATION:
  case WW_BMP_DOWN_REMOTE_NOTIFICATION:
    data = msg->u.down.notification;
    len = msg->u.down.notification_len;
    break;
  case WW_BMP_DOWN_LOCAL_FSM:
    data = event;
    len = sizeof event;
    break;
  case WW_BMP_DOWN_LOCAL_SYSTEM:
    data = msg->u.down.tlvs.p;
    len = ww_reader_left(&msg->u.down.tlvs);
    break;
  default:
    break;
  }
  ww_engine_router_reap(router);
  for (unsigned v = 0; v <= WW_VIEW_LOC_RIB; v++) {
    if (!(views >> v & 1))
      continue;
    struct ww_rib_peer_key key = key_of(header, (enum ww_rib_view)v);
    uint32_t id = ww_rib_peer_find(router->rib, &key);
    if (!id || !router->peers[id - 1].up)
      continue;
    known = true;
    router->peers[id - 1].header.sec = header->sec;
    router->peers[id - 1].header.usec = header->usec;
    peer_down(router, id, msg->u.down.reason, data, len);
  }
  if (!known)
    router->ignored++; /* some routers send Peer Down before any Peer Up */
}

void ww_engine_router_disconnected(struct ww_engine_router *router) {
  /* Only peers that are up have routes. */
  ww_engine_aspa_void(router);
  ww_engine_bgpsec_clear(router);
  ww_rib_clear(router->rib);
  router->withdrawn_head = router->withdrawn_tail = 0;
  router->withdrawn = 0;
  memset(router->by_state, 0, sizeof router->by_state);
  memset(router->by_kind, 0, sizeof router->by_kind);
  /* CHOICE: RFC 7854 §4.9: that we hear no more of a peer does not say that the peer is down. Reason 5 is the one that
   * means just this ("will no longer be sent"); RFC 9069 §5.3 leaves 6 alone for a Loc-RIB. */
  for (uint32_t id = 1; id <= ww_rib_peer_count(router->rib); id++) {
    const struct ww_engine_peer *peer = &router->peers[id - 1];
    if (peer->up)
      peer_down(router, id,
                peer->header.type == WW_BMP_PEER_LOC_RIB ? WW_BMP_DOWN_LOCAL_SYSTEM : WW_BMP_DOWN_DECONFIGURED, NULL,
                0);
  }
}

/* ---- routes ---- */

static void withdraw(struct ww_engine_router *router, uint32_t id, uint32_t sec, uint32_t usec) {
  struct ww_rib_route *route = ww_rib_route(router->rib, id);
  ww_engine_tally(router, route, -1);
  /* Nothing was ever told of any route: nobody needs to hear that it is gone. */
  if (!router->engine->was_ready) {
    ww_rib_remove(router->rib, id);
    return;
  }
  route->flags = WW_ROUTE_WITHDRAWN;
  queue_push(router, id);
  ww_engine_router_note(router, id, WW_TRIGGER_UPDATE, sec, usec);
}

static void withdraw_all(struct ww_engine_router *router, uint32_t peer, struct ww_nlri nlri, uint32_t sec,
                         uint32_t usec) {
  struct ww_prefix prefix;
  uint32_t path_id = 0;
  while (ww_nlri_next(&nlri, &prefix, &path_id)) {
    uint32_t id = ww_rib_find(router->rib, peer, &prefix, nlri.add_path ? path_id : 0);
    if (id && !(ww_rib_route(router->rib, id)->flags & WW_ROUTE_WITHDRAWN))
      withdraw(router, id, sec, usec);
    else
      router->ignored++; /* RFC 4271 §4.3 does not forbid it, and FRR does it for routes its policy denied */
  }
}

static void refuse(struct ww_engine_router *router, enum ww_err err) {
  if (router->refused++ == 0)
    ww_log(router->engine->log, WW_LOG_ERROR, "%s: a route can't be held: %s (this is said once, then counted)",
           router->config.name, ww_err_name(err));
}

/* Leaves a signed route to ww_engine_work(). False: memory ran out. */
static bool defer(struct ww_engine_router *router, const struct ww_engine_judgement *item, uint32_t sec,
                  uint32_t usec) {
  struct ww_rib_route *route = ww_rib_route(router->rib, item->route);
  if (!ww_engine_bgpsec_wait(router, item->route))
    return false;
  if (item->emit) { /* the verdict that stands there is of another path */
    ww_engine_tally(router, route, -1);
    ww_engine_unjudge(route);
    ww_engine_tally(router, route, 1);
  }
  route->flags |= WW_ROUTE_FRESH;
  route->trigger = WW_TRIGGER_UPDATE;
  route->sec = sec;
  route->usec = usec;
  return true;
}

static void announce_all(struct ww_engine_router *router, uint32_t peer, const struct ww_bgp_update *update,
                         unsigned field, uint32_t sec, uint32_t usec) {
  struct ww_nlri nlri = update->announced[field];
  struct ww_rib_bundle contents = {
      .peer = peer,
      .afi = nlri.afi,
      .add_path = nlri.add_path,
      .attrs = update->attrs,
      .attrs_len = (uint32_t)update->attrs_len,
      .next_hop = update->next_hop[field],
      .next_hop_len = update->next_hop[field] ? update->next_hop_len[field] : 0,
      .origin = ww_origin_of_update(update, router->peers[peer - 1].local_as),
      .bgpsec_path = update->bgpsec_path,
      .bgpsec_path_len = (uint32_t)update->bgpsec_path_len,
      .has_as_path = update->has_as_path,
  };
  uint32_t bundle = 0;
  enum ww_err err = ww_path_of_update(update, &router->path, &contents.as_path);
  if (!err)
    err = ww_rib_bundle_hold(router->rib, &contents, &bundle);
  if (err) {
    /* The routes are not what they were before, so they can't stay either. */
    refuse(router, err);
    withdraw_all(router, peer, nlri, sec, usec);
    return;
  }
  struct batch batch = {.trigger = WW_TRIGGER_UPDATE, .sec = sec, .usec = usec};
  struct ww_engine_judgement item = {.origin = contents.origin,
                                     .path = ww_rib_bundle_get(router->rib, bundle).path,
                                     .is_signed = ww_engine_bgpsec_concerns(router, peer, &contents)};
  uint32_t path_id = 0;
  while (ww_nlri_next(&nlri, &item.prefix, &path_id)) {
    enum ww_rib_outcome outcome;
    err = ww_rib_announce(router->rib, bundle, &item.prefix, nlri.add_path ? path_id : 0, &item.route, &outcome);
    if (err) {
      refuse(router, err);
      continue;
    }
    struct ww_rib_route *route = ww_rib_route(router->rib, item.route);
    bool revived = (route->flags & WW_ROUTE_WITHDRAWN) != 0;
    item.emit = outcome == WW_RIB_MOVED; /* a new or revived one differs from not ready, whatever the verdict */
    if (revived)
      queue_unlink(router, route);
    if (outcome == WW_RIB_NEW || revived) {
      route->flags = 0;
      ww_engine_unjudge(route);
      ww_engine_tally(router, route, 1);
    }
    if (!item.is_signed || !ww_engine_ready(router->engine) || !defer(router, &item, sec, usec))
      batch_add(router, &batch, item);
  }
  batch_flush(router, &batch);
  ww_rib_bundle_drop(router->rib, bundle);
}

static void on_update(void *ctx, const struct ww_bmp_peer *header, enum ww_rib_view view,
                      const struct ww_bgp_update *update) {
  struct ww_engine_router *router = ctx;
  ww_engine_router_reap(router);
  struct ww_rib_peer_key key = key_of(header, view);
  uint32_t id = router->config.views >> view & 1 ? ww_rib_peer_find(router->rib, &key) : 0;
  if (!id || !router->peers[id - 1].up) {
    router->ignored++;
    return;
  }
  struct ww_engine_peer *peer = &router->peers[id - 1];
  uint32_t sec = header->sec, usec = header->usec;
  if (!sec) { /* RFC 7854 §4.2: zero says that the router can't tell */
    sec = (uint32_t)router->clock->unix_sec;
    usec = router->clock->unix_usec;
  }
  /* RFC 4271 §4.3: a prefix both withdrawn and announced in one UPDATE is treated as announced. */
  for (unsigned field = 0; field < 2; field++)
    if (update->withdrawn[field].len)
      withdraw_all(router, id, update->withdrawn[field], sec, usec);
  for (unsigned field = 0; field < 2; field++)
    if (update->announced[field].len)
      announce_all(router, id, update, field, sec, usec);
  if (update->eor && update->eor_afi < WW_AFI_COUNT) {
    peer->eor_heard[update->eor_afi] = true;
    if (ww_engine_bgpsec_pending(router)) {
      router->eor_waits = true;
    } else if (ww_engine_ready(router->engine) && !router->first_walk) {
      peer->eor_told[update->eor_afi] = true;
      note_peer(router, WW_CHANGE_EOR, update->eor_afi, id);
    }
  }
}

/* ---- the rest of the feed ---- */

static void replace_text(char **text, const char *with) {
  char *copy = with ? strdup(with) : NULL;
  if (with && !copy)
    return;
  free(*text);
  *text = copy;
}

static void on_initiation(void *ctx, const char *sys_name, const char *sys_descr) {
  struct ww_engine_router *router = ctx;
  replace_text(&router->sys_name, sys_name);
  replace_text(&router->sys_descr, sys_descr);
}

static void on_stats(void *ctx, const struct ww_bmp_peer *peer, const struct ww_bmp_msg *msg) {
  (void)ctx, (void)peer, (void)msg; /* the router's own counts; ours are made from its routes */
}

static void on_termination(void *ctx, uint16_t reason, const char *text) {
  struct ww_engine_router *router = ctx;
  ww_log(router->engine->log, WW_LOG_NOTICE, "%s: the router ended its BMP session, reason %u%s%s", router->config.name,
         reason, text && *text ? ": " : "", text ? text : "");
}

void ww_engine_router_events(struct ww_engine_router *router, const struct ww_now *clock,
                             struct ww_bmp_feed_events *out) {
  router->clock = clock;
  *out = (struct ww_bmp_feed_events){
      .ctx = router,
      .initiation = on_initiation,
      .peer_up = on_peer_up,
      .peer_down = on_peer_down,
      .update = on_update,
      .stats = on_stats,
      .termination = on_termination,
  };
}
