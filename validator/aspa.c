/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AS_PATH verification with ASPAs: the answer, as fast as it can be had. The evidence is worked out in aspa_explain.c.
 *
 * The draft's procedures speak of a path without prepends, AS(1) the origin to AS(N) the neighbor, and of four bounds:
 * how far the up-ramp from the origin and the down-ramp from us may reach (max) and surely do (min). A path is Invalid
 * when the ramps cannot meet, max_up + max_down < N, and Unknown when they are not sure to, min_up + min_down < N.
 *
 * Nothing of this is computed here. Paths are read as they come, neighbor first, prepends and all, and a hop is a place
 * where two neighbours differ:
 *   up      = place of the hop from which AS the up-ramp cannot go on (NotProvider+); 0 when it reaches the neighbor
 *   sure    = the same for the first hop that is not Provider+; origin or `up`, or somewhere between
 * Let the up-ramp end at asns[up]. The hop from there, asns[up] to asns[up - 1], may be the apex, between two peers,
 * which need not be each other's providers. The ramps meet unless the down-ramp, which begins at asns[0], ends before
 * asns[up - 1], so Invalid is: some hop asns[k] to asns[k + 1] with k + 1 < up is NotProvider+. Unknown is the same
 * with `sure` and "is not Provider+". Hops beyond the apex are never asked about. Upstream there is no down-ramp and no
 * apex: Invalid is up > 0, Unknown is sure > 0.
 *
 * A question costs one cache line of the snapshot's index. The two ramps begin at opposite ends of the path, so the
 * first line that each needs is fetched before either is read.
 *
 * Clauses: draft-ietf-sidrops-aspa-verification-28 §5.3 (authorized), §5.4 (ramps), §5.5 (upstream), §5.6 (downstream).
 */
#include "validator/aspa_private.h"

enum ww_aspa_procedure ww_aspa_procedure_of(enum ww_role role) {
  switch (role) {
  case WW_ROLE_CUSTOMER:
  case WW_ROLE_MUTUAL_TRANSIT: /* what the neighbor sends may come from above it as well as from below */
    return WW_ASPA_DOWNSTREAM;
  case WW_ROLE_PROVIDER:
  case WW_ROLE_PEER:
  case WW_ROLE_RS:
  case WW_ROLE_RS_CLIENT:
    return WW_ASPA_UPSTREAM;
  case WW_ROLE_NONE:
    break;
  }
  return WW_ASPA_NONE;
}

enum ww_aspa_hop_state ww_aspa_authorized(const struct ww_snapshot *snapshot, uint32_t customer, uint32_t provider) {
  return ww_aspa_hop(snapshot->aspas, customer, provider);
}

enum ww_state ww_aspa_gate(const struct ww_snapshot *snapshot, const struct ww_aspa_path *path,
                           const struct ww_aspa_session *session, enum ww_reason *reason) {
  *reason = WW_REASON_NONE;
  if (!snapshot->ready)
    return WW_STATE_NOT_READY;
  if (ww_aspa_procedure_of((enum ww_role)session->role) == WW_ASPA_NONE) {
    *reason = WW_REASON_ASPA_NO_ROLE;
    return WW_STATE_NOT_EVALUATED;
  }
  /* CHOICE: the draft is silent about confederations. A neighbor to whom one has a role is outside of one's
   * confederation, and its segments must not have left there (RFC 5065 §5: such a path is malformed), so a path that
   * still has one is Invalid, as it is in BIRD and OpenBGPD. Who verifies inside a confederation takes them off first.
   */
  if (path->has_confed)
    *reason = WW_REASON_ASPA_CONFED;
  else if (path->has_set) /* §5.5, §5.6 step 3; the neighbor, step 2, cannot make it any other state */
    *reason = WW_REASON_ASPA_AS_SET;
  else if (path->count == 0) /* step 1 */
    *reason = WW_REASON_ASPA_EMPTY;
  /* Step 2. A route server that is transparent is not in the paths that it sends to its clients. */
  else if (session->neighbor_as != 0 && session->role != WW_ROLE_RS_CLIENT && path->asns[0] != session->neighbor_as)
    *reason = WW_REASON_ASPA_FIRST_AS;
  else
    return WW_STATE_VALID;
  return WW_STATE_INVALID;
}

static enum ww_state answer(enum ww_state state, enum ww_reason why, enum ww_reason *reason) {
  *reason = why;
  return state;
}

/* draft-ietf-sidrops-aspa-verification-28 §5.5 */
static enum ww_state verify_upstream(const struct ww_record_table *table, const uint32_t *asns, size_t count,
                                     enum ww_reason *reason) {
  bool sure = true;
  for (size_t i = count - 1; i > 0; i--) {
    if (asns[i] == asns[i - 1])
      continue;
    enum ww_aspa_hop_state hop = ww_aspa_hop(table, asns[i], asns[i - 1]);
    if (hop == WW_HOP_NOT_PROVIDER)
      return answer(WW_STATE_INVALID, WW_REASON_ASPA_NOT_PROVIDER, reason);
    sure = sure && hop == WW_HOP_PROVIDER;
  }
  return sure ? answer(WW_STATE_VALID, WW_REASON_NONE, reason)
              : answer(WW_STATE_UNKNOWN, WW_REASON_ASPA_UNATTESTED, reason);
}

/* draft-ietf-sidrops-aspa-verification-28 §5.6 */
static enum ww_state verify_downstream(const struct ww_record_table *table, const uint32_t *asns, size_t count,
                                       enum ww_reason *reason) {
  size_t up = count - 1, sure = 0;
  ww_aspa_prefetch(table, asns[0]);
  for (; up > 0; up--) {
    if (asns[up] == asns[up - 1])
      continue;
    enum ww_aspa_hop_state hop = ww_aspa_hop(table, asns[up], asns[up - 1]);
    if (hop != WW_HOP_PROVIDER && sure == 0)
      sure = up;
    if (hop == WW_HOP_NOT_PROVIDER)
      break;
  }
  bool unknown = false;
  size_t k = 0;
  for (; k + 1 < up; k++) {
    if (asns[k] == asns[k + 1])
      continue;
    enum ww_aspa_hop_state hop = ww_aspa_hop(table, asns[k], asns[k + 1]);
    if (hop == WW_HOP_NOT_PROVIDER)
      return answer(WW_STATE_INVALID, WW_REASON_ASPA_VALLEY, reason);
    unknown = unknown || hop != WW_HOP_PROVIDER;
  }
  for (; !unknown && k + 1 < sure; k++)
    unknown = asns[k] != asns[k + 1] && ww_aspa_hop(table, asns[k], asns[k + 1]) != WW_HOP_PROVIDER;
  return unknown ? answer(WW_STATE_UNKNOWN, WW_REASON_ASPA_UNATTESTED, reason)
                 : answer(WW_STATE_VALID, WW_REASON_NONE, reason);
}

enum ww_state ww_aspa_verify(const struct ww_snapshot *snapshot, const struct ww_aspa_path *path,
                             const struct ww_aspa_session *session, enum ww_reason *reason) {
  enum ww_reason ignored;
  if (!reason)
    reason = &ignored;
  enum ww_state state = ww_aspa_gate(snapshot, path, session, reason);
  if (state != WW_STATE_VALID)
    return state;
  if (ww_aspa_procedure_of((enum ww_role)session->role) == WW_ASPA_UPSTREAM)
    return verify_upstream(snapshot->aspas, path->asns, path->count, reason);
  return verify_downstream(snapshot->aspas, path->asns, path->count, reason);
}
