/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking back for one route. What its verdict rests on is a handful of records: the VRPs that cover its prefix and the
 * ASPAs of the customers in its path. So the past set is never rebuilt. The handful is taken from the present, and the
 * changes of each epoch since, newest first, are undone on it as far as they touch it; those are the events, too.
 *
 * The way back ends where an epoch has no entry (pruned, or its deltas were too large to keep): what lies beyond cannot
 * be known, and is not guessed.
 */
#include "daemon/lookback.h"

#include <stdlib.h>
#include <string.h>

static bool touches_customer(const struct ww_lookback_route *route, uint32_t customer) {
  for (size_t i = 0; i < route->customer_count; i++)
    if (route->customers[i] == customer)
      return true;
  return false;
}

/* The part of a set that the route can rest on. */
static enum ww_err pick(const struct ww_lookback_route *route, const struct ww_payloads *from, struct ww_payloads *to) {
  enum ww_err err = WW_OK;
  for (size_t i = 0; i < from->vrp_count && err == WW_OK; i++)
    if (ww_prefix_covers(&from->vrps[i].prefix, &route->prefix))
      err = ww_payloads_add_vrp(to, &from->vrps[i]);
  for (size_t i = 0; i < from->aspa_count && err == WW_OK; i++)
    if (touches_customer(route, from->aspas[i].customer))
      err = ww_payloads_add_aspa(to, &from->aspas[i]);
  return err;
}

static enum ww_err apply(struct ww_snapshot **snapshot, const struct ww_lookback_route *route,
                         const struct ww_payload_delta *delta, uint32_t epoch) {
  struct ww_payload_delta part = {.source = delta->source};
  struct ww_snapshot *next;
  enum ww_err err = pick(route, &delta->announce, &part.announce);
  if (err == WW_OK)
    err = pick(route, &delta->withdraw, &part.withdraw);
  if (err == WW_OK)
    err = ww_snapshot_apply(*snapshot, &part, epoch, true, &next);
  ww_payload_delta_fini(&part);
  if (err == WW_OK) {
    ww_snapshot_unref(*snapshot);
    *snapshot = next;
  }
  return err;
}

enum ww_err ww_lookback_add(struct ww_lookback *lookback, const struct ww_lookback_route *route, ww_source_id source,
                            const struct ww_payloads *records) {
  struct ww_payload_delta delta = {.source = source, .announce = *records};
  if (!lookback->now && !(lookback->now = ww_snapshot_new()))
    return WW_ERR_NOMEM;
  return apply(&lookback->now, route, &delta, 0);
}

struct way_back {
  struct ww_lookback *out;
  const struct ww_lookback_route *route;
  int64_t at;
  uint32_t expect; /* the epoch that must come next */
  bool there;
  enum ww_err err;
};

static enum ww_err note(struct way_back *w, const struct ww_store_change *change, struct ww_lookback_event event) {
  struct ww_lookback *out = w->out;
  if (out->event_count == out->event_cap) {
    size_t cap = out->event_cap ? out->event_cap * 2 : 16;
    struct ww_lookback_event *larger = realloc(out->events, cap * sizeof(*larger));
    if (!larger)
      return WW_ERR_NOMEM;
    out->events = larger;
    out->event_cap = cap;
  }
  event.epoch = change->epoch;
  event.time = change->time;
  event.cause = change->cause;
  out->events[out->event_count++] = event;
  return WW_OK;
}

static enum ww_err note_set(struct way_back *w, const struct ww_store_change *change, ww_source_id source,
                            const struct ww_payloads *set, bool announced) {
  enum ww_err err = WW_OK;
  for (size_t i = 0; i < set->vrp_count && err == WW_OK; i++)
    if (ww_prefix_covers(&set->vrps[i].prefix, &w->route->prefix))
      err = note(w, change, (struct ww_lookback_event){.source = source, .announced = announced, .vrp = set->vrps[i]});
  for (size_t i = 0; i < set->aspa_count && err == WW_OK; i++)
    if (touches_customer(w->route, set->aspas[i].customer))
      err = note(w, change,
                 (struct ww_lookback_event){.source = source,
                                            .announced = announced,
                                            .is_aspa = true,
                                            .customer = set->aspas[i].customer,
                                            .provider_count = set->aspas[i].provider_count});
  return err;
}

static int visit(void *ctx, const struct ww_store_change *change) {
  struct way_back *w = ctx;
  struct ww_payload_delta *deltas = NULL;
  if (change->epoch != w->expect)
    return 1;
  if (change->time <= w->at) {
    w->there = true;
    return 1;
  }
  if (!change->complete)
    return 1;
  for (size_t i = change->delta_count; i-- > 0 && w->err == WW_OK;) {
    const struct ww_payload_delta *delta = &change->deltas[i];
    w->err = note_set(w, change, delta->source, &delta->announce, true);
    if (w->err == WW_OK)
      w->err = note_set(w, change, delta->source, &delta->withdraw, false);
  }
  if (w->err == WW_OK)
    w->err = ww_store_change_undo(change, &deltas);
  for (size_t i = 0; deltas && i < change->delta_count; i++) {
    if (w->err == WW_OK)
      w->err = apply(&w->out->then, w->route, &deltas[i], change->epoch - 1);
    ww_payload_delta_fini(&deltas[i]);
  }
  free(deltas);
  w->out->oldest = change->time;
  w->expect--;
  return w->err != WW_OK;
}

enum ww_err ww_lookback_run(struct ww_lookback *lookback, const struct ww_lookback_route *route, struct ww_store *store,
                            uint32_t epoch, int64_t at, struct ww_diag *diag) {
  struct way_back w = {.out = lookback, .route = route, .at = at, .expect = epoch};
  if (!lookback->now && !(lookback->now = ww_snapshot_new()))
    return ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "no memory");
  lookback->then = ww_snapshot_ref(lookback->now);
  enum ww_err err = ww_store_history(store, epoch, &w, visit, diag);
  if (err == WW_OK && w.err != WW_OK)
    err = ww_fail(diag, w.err, 0, NULL, "%s", ww_err_name(w.err));
  if (err != WW_OK)
    return err;
  lookback->epoch_then = w.expect;
  if (w.there)
    return WW_OK;
  if (w.expect == 0) { /* everything is undone: nothing had been learnt at that time */
    lookback->oldest = 0;
    return WW_OK;
  }
  return ww_fail(diag, WW_ERR_NOTFOUND, 0, NULL, "the history does not lead back that far");
}

void ww_lookback_fini(struct ww_lookback *lookback) {
  ww_snapshot_unref(lookback->now);
  ww_snapshot_unref(lookback->then);
  free(lookback->events);
  *lookback = (struct ww_lookback){0};
}
