/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every step is "for m, for n: if n beats m, remove m" over the routes in consideration at the step's beginning, in the
 * words of the RFC's pseudo-code. Nothing is shared with rib/decision.c but the types.
 */
#include "tests/rib/model_decision.h"

#include <stdlib.h>
#include <string.h>

static bool beats(const struct ww_candidate *n, const struct ww_candidate *m, enum ww_decision_step step,
                  const struct ww_decision_options *o, bool all_external) {
  switch (step) {
  case WW_STEP_WEIGHT:
    return n->weight > m->weight;
  case WW_STEP_LOCAL_PREF:
    return n->local_pref > m->local_pref;
  case WW_STEP_PATH_LENGTH:
    return !o->ignore_path_length && n->path_length < m->path_length;
  case WW_STEP_ORIGIN:
    return n->origin < m->origin;
  case WW_STEP_MED: {
    if (n->neighbor_as != m->neighbor_as && !o->med_always)
      return false;
    if (o->med_missing_worst && n->has_med != m->has_med)
      return n->has_med;
    return (n->has_med ? n->med : 0) < (m->has_med ? m->med : 0);
  }
  case WW_STEP_PEER_TYPE:
    return n->peer_type == WW_PEER_EXTERNAL && m->peer_type != WW_PEER_EXTERNAL;
  case WW_STEP_IGP_COST:
    return n->igp_cost < m->igp_cost;
  case WW_STEP_AGE:
    return o->prefer_oldest && all_external && n->heard < m->heard;
  case WW_STEP_ROUTER_ID:
    return n->router_id < m->router_id;
  case WW_STEP_CLUSTER_LIST:
    return n->cluster_list_length < m->cluster_list_length;
  case WW_STEP_PEER_ADDRESS:
    if (n->peer.afi != m->peer.afi)
      return n->peer.afi < m->peer.afi;
    return memcmp(n->peer.bytes, m->peer.bytes, sizeof n->peer.bytes) < 0;
  case WW_STEP_PATH_ID:
    return n->path_id < m->path_id;
  default:
    return false;
  }
}

struct ww_decision model_decide(const struct ww_candidate *candidates, size_t count,
                                const struct ww_decision_options *options, uint8_t *removed_by) {
  bool *in = calloc(count + 1, sizeof *in), *out = calloc(count + 1, sizeof *out);
  size_t left = 0;
  struct ww_decision result = {.best = -1, .step = WW_STEP_NONE};
  if (!in || !out)
    abort();
  for (size_t i = 0; i < count; i++) {
    in[i] = !candidates[i].ineligible;
    left += in[i];
    removed_by[i] = WW_STEP_NONE;
  }
  for (int step = WW_STEP_WEIGHT; step <= WW_STEP_PATH_ID && left > 1; step++) {
    bool all_external = true;
    for (size_t i = 0; i < count; i++)
      all_external = all_external && (!in[i] || candidates[i].peer_type == WW_PEER_EXTERNAL);
    for (size_t m = 0; m < count; m++) {
      out[m] = false;
      for (size_t n = 0; n < count; n++)
        if (in[m] && in[n] && beats(&candidates[n], &candidates[m], (enum ww_decision_step)step, options, all_external))
          out[m] = true;
    }
    for (size_t m = 0; m < count; m++)
      if (out[m]) {
        in[m] = false;
        removed_by[m] = (uint8_t)step;
        left--;
      }
    result.step = (uint8_t)step;
  }
  for (size_t i = 0; i < count && result.best < 0; i++)
    if (in[i])
      result.best = (int)i;
  free(in);
  free(out);
  return result;
}
