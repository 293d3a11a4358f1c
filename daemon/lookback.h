/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was in force for one route at a time that has passed, and which records have come and gone since: from the
 * present and the history of epochs in a store. Works beside a running daemon as well as without one.
 */
#ifndef WW_DAEMON_LOOKBACK_H
#define WW_DAEMON_LOOKBACK_H

#include "store/store.h"
#include <waywarden/snapshot.h>

/* What a route's verdict can rest on: VRPs that cover the prefix, ASPAs of these customers. */
struct ww_lookback_route {
  struct ww_prefix prefix;
  const uint32_t *customers;
  size_t customer_count;
};

/* A record that came into force or went. */
struct ww_lookback_event {
  uint32_t epoch;
  int64_t time; /* Unix seconds */
  uint8_t cause;
  ww_source_id source; /* whose record it is */
  bool announced;
  bool is_aspa;
  struct ww_vrp vrp;
  uint32_t customer, provider_count; /* of an ASPA; what it lists is in the snapshots */
};

struct ww_lookback {
  struct ww_snapshot *now, *then; /* of what the route can rest on alone */
  uint32_t epoch_then;
  struct ww_lookback_event *events; /* newest first */
  size_t event_count, event_cap;
  int64_t oldest; /* Unix seconds: how far back the history leads; 0: to the very beginning */
};

/* Picks what the route can rest on from a source's records in force, sorted, and adds it to the present. */
enum ww_err ww_lookback_add(struct ww_lookback *lookback, const struct ww_lookback_route *route, ww_source_id source,
                            const struct ww_payloads *records) WW_MUST_USE;
/*
 * Undoes what was made after `at` (Unix seconds), from `epoch` on, which is that of what was added. WW_ERR_NOTFOUND:
 * the history does not lead back that far; `oldest` says how far it does.
 */
enum ww_err ww_lookback_run(struct ww_lookback *lookback, const struct ww_lookback_route *route, struct ww_store *store,
                            uint32_t epoch, int64_t at, struct ww_diag *diag) WW_MUST_USE;
void ww_lookback_fini(struct ww_lookback *lookback);

#endif
