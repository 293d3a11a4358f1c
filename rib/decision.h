/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decision process of a BGP speaker (RFC 4271 §9.1) over the routes to one destination, and which step decided.
 */
#ifndef WW_RIB_DECISION_H
#define WW_RIB_DECISION_H

#include "wire/bgp.h"

/* In the order in which they are applied. */
enum ww_decision_step {
  WW_STEP_NONE = 0,     /* there was nothing to decide: no candidate, or one */
  WW_STEP_WEIGHT,       /* local to the router, which does not say it: from configuration */
  WW_STEP_LOCAL_PREF,   /* RFC 4271 §9.1.1 */
  WW_STEP_PATH_LENGTH,  /* §9.1.2.2 a */
  WW_STEP_ORIGIN,       /* b */
  WW_STEP_MED,          /* c */
  WW_STEP_PEER_TYPE,    /* d: external before internal; within a confederation is internal (RFC 5065 §5.3) */
  WW_STEP_IGP_COST,     /* e: from configuration */
  WW_STEP_AGE,          /* not in the RFC: what was heard first stays, among external routes */
  WW_STEP_ROUTER_ID,    /* f; ORIGINATOR_ID in its place where there is one (RFC 4456 §9) */
  WW_STEP_CLUSTER_LIST, /* RFC 4456 §9 */
  WW_STEP_PEER_ADDRESS, /* g */
  WW_STEP_PATH_ID,      /* ADD-PATH (RFC 7911): several routes of one peer; the lowest id */
};
/* "local-preference", "as-path-length" ... Static storage. */
const char *ww_decision_step_name(enum ww_decision_step step);

enum ww_peer_type { WW_PEER_EXTERNAL = 0, WW_PEER_CONFEDERATION = 1, WW_PEER_INTERNAL = 2 };

/* One route as the decision sees it. */
struct ww_candidate {
  uint32_t weight;      /* higher is better */
  uint32_t local_pref;  /* higher is better */
  uint32_t path_length; /* AS_SET counts one, confederation segments none */
  uint8_t origin;       /* ORIGIN code; an absent one counts as INCOMPLETE */
  uint8_t peer_type;    /* enum ww_peer_type */
  bool has_med;
  bool ineligible; /* takes no part */
  uint32_t med;
  uint32_t neighbor_as; /* the AS that MEDs are comparable within */
  uint32_t igp_cost;    /* to the next hop; the same for all where it is not known */
  uint64_t heard;       /* when, in any unit; lower is older */
  uint32_t router_id;   /* host order */
  uint32_t cluster_list_length;
  struct ww_addr peer;
  uint32_t path_id;
};

enum { WW_LOCAL_PREF_DEFAULT = 100 };

/* What the attributes say of a candidate: local_pref (`local_pref` where there is none), path_length, origin, MED,
 * neighbor_as, cluster_list_length, and router_id where there is an ORIGINATOR_ID. The rest is the caller's. `local_as`
 * stands for the neighbor AS of a route whose path names none. `attrs`: canonical octets (struct ww_bgp_update). */
void ww_candidate_read(struct ww_candidate *candidate, const uint8_t *attrs, size_t attrs_len, uint32_t local_pref,
                       uint32_t local_as);

struct ww_decision_options {
  bool med_always;         /* MEDs of different neighbor ASes are compared too */
  bool med_missing_worst;  /* no MED is the worst one, not 0 */
  bool ignore_path_length; /* step a is left out */
  bool prefer_oldest;      /* WW_STEP_AGE is applied */
};

struct ww_decision {
  int best;     /* index, -1: no eligible candidate */
  uint8_t step; /* enum ww_decision_step: the one that left a single route */
};

/* `removed_by` (NULL, or room for `count`) tells for each candidate the step that removed it: WW_STEP_NONE for the best
 * one and for ineligible ones. O(count), and O(count log count) where MEDs of several neighbor ASes are compared;
 * `scratch` has room for `count` numbers. The result does not depend on the order of the candidates. */
struct ww_decision ww_decide(const struct ww_candidate *candidates, size_t count,
                             const struct ww_decision_options *options, uint32_t *scratch, uint8_t *removed_by);

#endif
