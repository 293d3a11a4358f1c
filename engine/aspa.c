/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ASPA verification of a router's routes: who is verified how, what is remembered, and what a delta makes anew.
 *
 * Roles. What the router is to a neighbor decides the procedure. In this order: the configuration's word on the peer,
 * by address and then by AS; the Role capability in the OPEN that the router sent; the configuration's word on all
 * peers; else there is no role, and what that means is configured too.
 *
 * Memo. A result depends on path, procedure and data, and on the neighbor in one step only (is it the first AS of the
 * path), which is taken here by itself. So the rest is remembered in the path (rib/path.h), once for each procedure:
 * state, reason, and a digest of the evidence. A full table has some five routes to a path.
 *
 * Delta. An ASPA that came or went can change only results of paths that hold its customer. These become stale and
 * queue up; ww_engine_aspa_work() evaluates each anew and judges the routes of those whose result differs, but no
 * others. A stale memo that is asked for earlier, because a route came, is evaluated then: that it differs from what
 * the path's other routes were judged by is kept in `changed` until the queue comes to it.
 *
 * Invariants:
 *  - a memo that is FRESH is the result under the data in force; a path with a STALE or changed one is QUEUED;
 *  - what is remembered under another `version` counts as nothing: that voids every path at once;
 *  - the queue may name paths that are gone, or new ones of the same id: only the flag in the path counts.
 *
 * Clauses: draft-ietf-sidrops-aspa-verification-28 §5.3 to §5.6, RFC 9234 §4.1, §4.2.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/rules.h"
#include "engine/internal.h"

enum { UNKNOWN = 0, FRESH = 1, STALE = 2 }; /* ww_path_memo.known */
enum { QUEUED = 1 };                        /* ww_rib_path.flags */
enum { ALL_PROCEDURES = 0xff };

/* More customers than this in one delta: evaluating every path anew costs less than looking for those concerned. */
enum { CUSTOMERS_MAX = 8192 };

/* ---- roles ---- */

static enum ww_role role_of(const struct ww_engine_router *router, const struct ww_engine_peer *peer) {
  const struct ww_engine_roles *roles = &router->roles;
  assert(roles->peers || roles->peer_count == 0);
  struct ww_addr address = ww_bmp_peer_addr(&peer->header);
  for (size_t i = 0; i < roles->peer_count; i++)
    if (!roles->peers[i].role_not_said && roles->peers[i].address.afi &&
        memcmp(&roles->peers[i].address, &address, sizeof address) == 0)
      return (enum ww_role)roles->peers[i].role;
  for (size_t i = 0; i < roles->peer_count; i++)
    if (!roles->peers[i].role_not_said && !roles->peers[i].address.afi && roles->peers[i].asn == peer->header.asn)
      return (enum ww_role)roles->peers[i].role;
  /* CHOICE: the draft does not recommend verification between routers of one AS; there it happens only where the
   * configuration names the peer. RFC 9234 §4: roles are for external sessions. */
  if (peer->header.asn == peer->own_as)
    return WW_ROLE_NONE;
  /* CHOICE: what the neighbor says that it is, in the OPEN received, decides nothing: it could choose the milder
   * procedure. */
  if (peer->open_role != WW_ROLE_NONE)
    return (enum ww_role)peer->open_role;
  return (enum ww_role)roles->others;
}

void ww_engine_aspa_session(const struct ww_engine_router *router, struct ww_engine_peer *peer, enum ww_rib_view view) {
  struct ww_engine_aspa *s = &peer->aspa;
  *s = (struct ww_engine_aspa){.role = WW_ROLE_NONE, .taken_as = WW_ROLE_NONE, .without = WW_STATE_NOT_EVALUATED};
  if (view != WW_VIEW_ADJ_IN_PRE && view != WW_VIEW_ADJ_IN_POST)
    return; /* no neighbor's routes */
  s->role = s->taken_as = (uint8_t)role_of(router, peer);
  bool internal = peer->header.asn == peer->own_as;
  if (s->role == WW_ROLE_NONE && !internal)
    switch (router->roles.none) {
    case WW_NO_ROLE_UPSTREAM:
      s->taken_as = WW_ROLE_PROVIDER;
      break;
    case WW_NO_ROLE_DOWNSTREAM:
      s->taken_as = WW_ROLE_CUSTOMER;
      break;
    case WW_NO_ROLE_UNKNOWN:
      s->without = WW_STATE_UNKNOWN;
      break;
    case WW_NO_ROLE_SKIP:
      break;
    }
  s->procedure = (uint8_t)ww_aspa_procedure_of((enum ww_role)s->taken_as);
}

static bool same_session(const struct ww_engine_aspa *a, const struct ww_engine_aspa *b) {
  return a->role == b->role && a->taken_as == b->taken_as && a->without == b->without;
}

enum ww_err ww_engine_router_set_roles(struct ww_engine_router *router, const struct ww_engine_roles *roles) {
  struct ww_engine_role *copy = NULL;
  if (roles->peer_count) {
    copy = malloc(roles->peer_count * sizeof *copy);
    if (!copy)
      return WW_ERR_NOMEM;
    memcpy(copy, roles->peers, roles->peer_count * sizeof *copy);
  }
  free(router->role_storage);
  router->role_storage = copy;
  router->roles = *roles;
  router->roles.peers = copy;
  for (uint32_t id = 1; id <= ww_rib_peer_count(router->rib); id++) {
    struct ww_engine_peer *peer = &router->peers[id - 1];
    struct ww_engine_aspa before = peer->aspa;
    if (!peer->up)
      continue;
    enum ww_rib_view view = (enum ww_rib_view)ww_rib_peer_key(router->rib, id)->view;
    ww_engine_aspa_session(router, peer, view);
    bool differs = ww_engine_bgpsec_session(router, peer, view) || !same_session(&before, &peer->aspa);
    if (!differs || peer->due || !ww_engine_ready(router->engine))
      continue;
    peer->due = true;
    router->revalidation.peers_due++;
  }
  return WW_OK;
}

/* ---- one result ---- */

/* CHOICE: what makes a result another one, beside state and reason: the ASPAs that are listed with it, and the hops
 * that are to blame. The rest of the explanation (bounds, hops that were in order) is as of the epoch that the verdict
 * names; were its every change told, an ASPA of a big network would bring all routes through it again for nothing. */
uint32_t ww_engine_aspa_digest(const struct ww_aspa_result *result) {
  uint64_t digest = 0;
  uint8_t octets[40];
  for (size_t i = 0; i < result->hop_count; i++) {
    const struct ww_aspa_hop *hop = &result->hops[i];
    if (!hop->failing)
      continue;
    struct ww_writer w = ww_writer_make(octets, sizeof octets);
    ww_writer_u64(&w, digest);
    ww_writer_u32(&w, hop->customer);
    ww_writer_u32(&w, hop->provider);
    ww_writer_u8(&w, hop->state);
    ww_writer_u8(&w, hop->up);
    digest = ww_hash(octets, w.len);
  }
  for (size_t i = 0; i < result->hit_count; i++) {
    const struct ww_aspa_hit *hit = &result->hits[i];
    if (!ww_aspa_hit_decides(result->state, hit))
      continue;
    struct ww_writer w = ww_writer_make(octets, sizeof octets);
    ww_writer_u64(&w, digest);
    ww_writer_u32(&w, hit->aspa.customer);
    ww_writer_u16(&w, hit->source);
    ww_writer_u8(&w, hit->match);
    ww_writer_u64(&w, ww_hash(hit->aspa.providers, hit->aspa.provider_count * sizeof *hit->aspa.providers));
    digest = ww_hash(octets, w.len);
  }
  return (uint32_t)digest;
}

static struct ww_aspa_path path_of(const struct ww_rib_path *path) {
  return (struct ww_aspa_path){
      .asns = path->asns, .count = path->count, .has_set = path->has_set, .has_confed = path->has_confed};
}

/* False: memory ran out; state and reason are right then, the digest is not. */
static bool evaluate(struct ww_engine_router *router, const struct ww_rib_path *path, unsigned procedure,
                     struct ww_path_memo *out) {
  struct ww_engine *engine = router->engine;
  const struct ww_aspa_path p = path_of(path);
  const struct ww_aspa_session session = {.role =
                                              procedure == WW_ASPA_DOWNSTREAM ? WW_ROLE_CUSTOMER : WW_ROLE_PROVIDER};
  router->paths_evaluated++;
  if (ww_aspa_explain(engine->snapshot, &p, &session, &engine->scratch.aspa) == WW_OK) {
    out->state = engine->scratch.aspa.state;
    out->reason = engine->scratch.aspa.reason;
    out->digest = ww_engine_aspa_digest(&engine->scratch.aspa);
    out->known = FRESH;
    return true;
  }
  enum ww_reason reason;
  out->state = (uint8_t)ww_aspa_verify(engine->snapshot, &p, &session, &reason);
  out->reason = (uint8_t)reason;
  out->digest = 0;
  out->known = UNKNOWN;
  return false;
}

/* The path's memo brought up to date. NULL: memory ran out, *fallback has the state. */
static const struct ww_path_memo *memo_of(struct ww_engine_router *router, struct ww_rib_path *path, unsigned procedure,
                                          struct ww_path_memo *fallback) {
  struct ww_path_memo *memo = &path->memo[procedure - 1];
  if (path->version != router->revalidation.version) {
    memset(path->memo, 0, sizeof path->memo);
    path->version = router->revalidation.version;
    path->flags = path->changed = 0; /* the queue was emptied with the version, or had no memory for this path */
  }
  if (memo->known == FRESH)
    return memo;
  struct ww_path_memo now;
  if (!evaluate(router, path, procedure, &now)) {
    *fallback = now;
    return NULL;
  }
  if (memo->known == STALE && (memo->state != now.state || memo->reason != now.reason || memo->digest != now.digest))
    path->changed |= (uint8_t)(1u << procedure);
  *memo = now;
  return memo;
}

bool ww_engine_aspa_judge(struct ww_engine_router *router, uint32_t path_id, const struct ww_engine_peer *peer,
                          struct ww_engine_result *out) {
  *out = (struct ww_engine_result){.kind = {peer->aspa.without, WW_REASON_ASPA_NO_ROLE}};
  if (peer->aspa.procedure == WW_ASPA_NONE)
    return true;
  struct ww_rib_path *path = ww_rib_path(router->rib, path_id);
  struct ww_path_memo fallback;
  const struct ww_path_memo *memo = memo_of(router, path, peer->aspa.procedure, &fallback);
  bool sure = memo != NULL;
  if (!sure)
    memo = &fallback;
  *out = (struct ww_engine_result){.kind = {memo->state, memo->reason}, .digest = memo->digest};
  /* draft-ietf-sidrops-aspa-verification-28 §5.5: the neighbor's AS must be the first of the path, but for a client of
   * route servers, which need not be in it. */
  if (path->count && peer->header.asn && peer->aspa.taken_as != WW_ROLE_RS_CLIENT &&
      path->asns[0] != peer->header.asn && !ww_reason_is_of_path(memo->reason))
    *out = (struct ww_engine_result){.kind = {WW_STATE_INVALID, WW_REASON_ASPA_FIRST_AS}};
  return sure;
}

enum ww_err ww_engine_aspa_explain(const struct ww_engine_router *router, uint32_t path_id,
                                   const struct ww_engine_peer *peer, struct ww_aspa_result *result) {
  const struct ww_aspa_path path = path_of(ww_rib_path(router->rib, path_id));
  const struct ww_aspa_session session = {.role = peer->aspa.taken_as, .neighbor_as = peer->header.asn};
  enum ww_err err = ww_aspa_explain(router->engine->snapshot, &path, &session, result);
  result->role = peer->aspa.role;
  if (err == WW_OK && result->state == WW_STATE_NOT_EVALUATED)
    result->state = peer->aspa.without;
  return err;
}

/* ---- what is to be done again ---- */

static void walk_stop(struct ww_engine_revalidation *r) {
  ww_rib_walker_free(r->walker);
  r->walker = NULL;
  r->procedures = 0;
}

void ww_engine_aspa_void(struct ww_engine_router *router) {
  struct ww_engine_revalidation *r = &router->revalidation;
  walk_stop(r);
  for (size_t i = r->first; i < r->count; i++)
    if (ww_rib_path_is_live(router->rib, r->queue[i]))
      ww_rib_path(router->rib, r->queue[i])->flags = 0;
  r->first = r->count = 0;
  for (uint32_t id = 1; r->peers_due && id <= ww_rib_peer_count(router->rib); id++)
    router->peers[id - 1].due = false;
  r->peers_due = 0;
  r->version++;
}

void ww_engine_aspa_fini(struct ww_engine_router *router) {
  walk_stop(&router->revalidation);
  free(router->revalidation.queue);
  free(router->role_storage);
}

static bool enqueue(struct ww_engine_revalidation *r, uint32_t path) {
  if (r->count == r->cap && r->first > r->cap / 2) {
    memmove(r->queue, r->queue + r->first, (r->count - r->first) * sizeof *r->queue);
    r->count -= r->first;
    r->first = 0;
  }
  if (r->count == r->cap) {
    size_t cap = r->cap ? r->cap * 2 : 256;
    uint32_t *bigger = realloc(r->queue, cap * sizeof *bigger);
    if (!bigger)
      return false;
    r->queue = bigger;
    r->cap = cap;
  }
  r->queue[r->count++] = path;
  return true;
}

static bool make_stale(struct ww_engine_router *router, uint32_t id) {
  struct ww_rib_path *path = ww_rib_path(router->rib, id);
  if (path->version != router->revalidation.version)
    return true; /* nothing is remembered */
  bool any = false;
  for (unsigned i = 0; i < 2; i++)
    if (path->memo[i].known) {
      path->memo[i].known = STALE;
      any = true;
    }
  if (!any || (path->flags & QUEUED))
    return true;
  path->flags |= QUEUED;
  return enqueue(&router->revalidation, id);
}

bool ww_engine_aspa_delta(struct ww_engine_router *router, const struct ww_payload_delta *delta) {
  const struct ww_payloads *parts[2] = {&delta->announce, &delta->withdraw};
  if (parts[0]->aspa_count + parts[1]->aspa_count > CUSTOMERS_MAX)
    return false;
  for (unsigned part = 0; part < 2; part++)
    for (size_t i = 0; i < parts[part]->aspa_count; i++) {
      size_t cursor = 0;
      uint32_t asn = parts[part]->aspas[i].customer, id;
      while ((id = ww_rib_path_holding(router->rib, asn, &cursor)) != 0)
        if (!make_stale(router, id))
          return false;
    }
  return true;
}

bool ww_engine_aspa_pending(const struct ww_engine_router *router) {
  const struct ww_engine_revalidation *r = &router->revalidation;
  return r->walker || r->peers_due || r->first < r->count;
}

/* Starts to walk what is next: a peer's routes, or those of a path whose result differs. False: there is nothing more,
 * or no memory to walk with, which makes everything pending. */
static bool walk_start(struct ww_engine_router *router, size_t *budget) {
  struct ww_engine_revalidation *r = &router->revalidation;
  for (uint32_t id = 1; r->peers_due && id <= ww_rib_peer_count(router->rib); id++) {
    if (!router->peers[id - 1].due)
      continue;
    router->peers[id - 1].due = false;
    r->peers_due--;
    r->procedures = ALL_PROCEDURES;
    r->walker = ww_rib_walker_new(router->rib, id);
    break;
  }
  uint8_t changed = 0;
  while (!r->procedures && !changed && *budget && r->first < r->count) {
    uint32_t id = r->queue[r->first++];
    if (r->first == r->count)
      r->first = r->count = 0;
    struct ww_rib_path *path = ww_rib_path_is_live(router->rib, id) ? ww_rib_path(router->rib, id) : NULL;
    if (!path || !(path->flags & QUEUED))
      continue;
    --*budget;
    path->flags = 0;
    for (unsigned procedure = WW_ASPA_UPSTREAM; procedure <= WW_ASPA_DOWNSTREAM; procedure++) {
      struct ww_path_memo fallback;
      if (path->memo[procedure - 1].known == STALE && !memo_of(router, path, procedure, &fallback)) {
        path->memo[procedure - 1].known = UNKNOWN;
        path->changed |= (uint8_t)(1u << procedure);
      }
    }
    changed = path->changed;
    path->changed = 0;
    if (changed) {
      r->procedures = changed;
      r->walker = ww_rib_walker_of_path(router->rib, id);
    }
  }
  if (r->procedures && !r->walker) {
    r->procedures = 0;
    ww_pending_all(&router->pending);
    return false;
  }
  return r->walker != NULL;
}

uint32_t ww_engine_aspa_next(struct ww_engine_router *router, size_t *budget) {
  struct ww_engine_revalidation *r = &router->revalidation;
  while (*budget) {
    if (!r->walker && !walk_start(router, budget))
      return 0;
    for (uint32_t id; (id = ww_rib_walker_next(r->walker)) != 0;) {
      const struct ww_rib_route *route = ww_rib_route(router->rib, id);
      --*budget;
      bool concerned =
          r->procedures == ALL_PROCEDURES || (r->procedures >> router->peers[route->peer - 1].aspa.procedure & 1);
      if (concerned && !(route->flags & WW_ROUTE_WITHDRAWN))
        return id;
      if (!*budget)
        return 0;
    }
    walk_stop(r);
  }
  return 0;
}
