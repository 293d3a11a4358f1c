/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decision process, as the RFC words it: by removal. Every step looks at the routes still in consideration and
 * removes those that are not tied for the best value; the first step that leaves one route has decided.
 *
 * Data structure: an array of indices into the caller's candidates, the ones in consideration at its front. A step is a
 * pass that finds the best rank and a pass that keeps those which have it. Only MED needs more: it compares within a
 * neighbor AS alone, so the survivors are brought into order by that AS first and each run is a step of its own.
 * Removal, not comparison of pairs, because "better than" is not transitive where MEDs of several ASes meet; removal
 * gives one answer whatever the order of the candidates, which is what deterministic MED promises elsewhere.
 *
 * Every step ranks by an unsigned number, lowest best. Two routes that no step tells apart (the same peer and path id
 * twice, which a RIB cannot hold) are decided by their place.
 *
 * Clauses: RFC 4271 §9.1.1, §9.1.2.2; RFC 5065 §5.3 (confederation segments, member-AS peers); RFC 4456 §9
 * (ORIGINATOR_ID, CLUSTER_LIST).
 */
#include "rib/decision.h"

#include <stdlib.h>
#include <string.h>

static const char *const step_names[] = {
    [WW_STEP_NONE] = "none",
    [WW_STEP_WEIGHT] = "weight",
    [WW_STEP_LOCAL_PREF] = "local-preference",
    [WW_STEP_PATH_LENGTH] = "as-path-length",
    [WW_STEP_ORIGIN] = "origin",
    [WW_STEP_MED] = "med",
    [WW_STEP_PEER_TYPE] = "peer-type",
    [WW_STEP_IGP_COST] = "igp-cost",
    [WW_STEP_AGE] = "age",
    [WW_STEP_ROUTER_ID] = "router-id",
    [WW_STEP_CLUSTER_LIST] = "cluster-list-length",
    [WW_STEP_PEER_ADDRESS] = "peer-address",
    [WW_STEP_PATH_ID] = "path-id",
};

const char *ww_decision_step_name(enum ww_decision_step step) {
  return (unsigned)step < sizeof step_names / sizeof *step_names ? step_names[step] : "none";
}

/* ---- reading a candidate ---- */

enum { ORIGIN_INCOMPLETE = 2 };

/* Length and neighbor AS of a path. */
static void read_path(struct ww_candidate *c, struct ww_as_path path, uint32_t local_as) {
  struct ww_as_segment segment;
  bool first = true;
  c->path_length = 0;
  c->neighbor_as = local_as;
  while (ww_as_path_next(&path, &segment)) {
    /* RFC 5065 §5.3: "when comparing routes using AS_PATH length, CONFED_SEQUENCE and CONFED_SETs SHOULD NOT be
     * counted" */
    if (segment.type == WW_SEG_CONFED_SEQUENCE || segment.type == WW_SEG_CONFED_SET)
      continue;
    /* RFC 4271 §9.1.2.2 a: "an AS_SET counts as 1, no matter how many ASes are in the set" */
    c->path_length += segment.type == WW_SEG_AS_SET ? 1u : segment.count;
    /* RFC 4271 §9.1.2.2 c: the neighboring AS is the local one where the path "is either empty or begins with an
     * AS_SET" */
    if (first && segment.type == WW_SEG_AS_SEQUENCE && segment.count > 0)
      c->neighbor_as = ww_as_segment_at(&segment, 0);
    first = false;
  }
}

enum { SECURE_SEGMENT_LEN = 6, SECURE_CONFED = 0x80 };

/* RFC 8205 §3.1, §4.4: of a BGPsec route pCount says how often an AS stands in the path. */
static void read_secure_path(struct ww_candidate *c, struct ww_reader value, uint32_t local_as) {
  size_t len = ww_reader_u16(&value);
  struct ww_reader path = ww_reader_sub(&value, len < 2 ? 0 : len - 2);
  bool named = false;
  c->path_length = 0;
  c->neighbor_as = local_as;
  while (ww_reader_left(&path) >= SECURE_SEGMENT_LEN) {
    uint8_t pcount = ww_reader_u8(&path), flags = ww_reader_u8(&path);
    uint32_t asn = ww_reader_u32(&path);
    if (flags & SECURE_CONFED)
      continue;
    c->path_length += pcount;
    if (!named && pcount)
      c->neighbor_as = asn;
    named = named || pcount;
  }
}

void ww_candidate_read(struct ww_candidate *c, const uint8_t *attrs, size_t attrs_len, uint32_t local_pref,
                       uint32_t local_as) {
  struct ww_reader r = ww_reader_make(attrs, attrs_len);
  c->local_pref = local_pref;
  c->origin = ORIGIN_INCOMPLETE;
  c->has_med = false;
  c->med = 0;
  c->cluster_list_length = 0;
  c->path_length = 0;
  c->neighbor_as = local_as;
  while (ww_reader_left(&r)) {
    uint8_t flags = ww_reader_u8(&r), type = ww_reader_u8(&r);
    size_t len = flags & WW_ATTR_EXTENDED ? ww_reader_u16(&r) : ww_reader_u8(&r);
    struct ww_reader value = ww_reader_sub(&r, len);
    switch (type) {
    case WW_ATTR_ORIGIN:
      c->origin = ww_reader_u8(&value);
      break;
    case WW_ATTR_AS_PATH:
      read_path(c, (struct ww_as_path){.data = value.p, .len = ww_reader_left(&value)}, local_as);
      break;
    case WW_ATTR_BGPSEC_PATH:
      read_secure_path(c, value, local_as);
      break;
    case WW_ATTR_MED:
      c->med = ww_reader_u32(&value);
      c->has_med = !value.bad;
      break;
    case WW_ATTR_LOCAL_PREF:
      if (len == 4)
        c->local_pref = ww_reader_u32(&value);
      break;
    case WW_ATTR_ORIGINATOR_ID:
      if (len == 4)
        c->router_id = ww_reader_u32(&value);
      break;
    case WW_ATTR_CLUSTER_LIST:
      c->cluster_list_length = (uint32_t)(len / 4);
      break;
    default:
      break;
    }
  }
}

/* ---- deciding ---- */

/* Lowest first; families apart. */
static int compare_addresses(const struct ww_addr *a, const struct ww_addr *b) {
  return a->afi != b->afi ? a->afi - b->afi : memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

static uint64_t rank(const struct ww_candidate *c, enum ww_decision_step step, const struct ww_decision_options *o) {
  switch (step) {
  case WW_STEP_WEIGHT:
    return UINT32_MAX - c->weight;
  case WW_STEP_LOCAL_PREF:
    return UINT32_MAX - c->local_pref;
  case WW_STEP_PATH_LENGTH:
    return c->path_length;
  case WW_STEP_ORIGIN:
    return c->origin;
  case WW_STEP_MED:
    /* RFC 4271 §9.1.2.2 c: routes without the attribute "are considered to have the lowest possible MULTI_EXIT_DISC
     * value", unless the operator says the contrary. */
    return c->has_med ? c->med : o->med_missing_worst ? (uint64_t)UINT32_MAX + 1 : 0;
  case WW_STEP_PEER_TYPE:
    /* RFC 5065 §5.3: "treat a route that is learned from a peer that is in the same confederation (not necessarily the
     * same Member-AS) as "internal"" */
    return c->peer_type != WW_PEER_EXTERNAL;
  case WW_STEP_IGP_COST:
    return c->igp_cost;
  case WW_STEP_AGE:
    return c->heard;
  case WW_STEP_ROUTER_ID:
    return c->router_id;
  case WW_STEP_CLUSTER_LIST:
    return c->cluster_list_length;
  case WW_STEP_PATH_ID:
    return c->path_id;
  default:
    return 0;
  }
}

struct run {
  const struct ww_candidate *candidates;
  const struct ww_decision_options *options;
  uint32_t *in; /* indices in consideration */
  size_t count;
  uint8_t *removed_by;
};

static void remove_from(const struct run *run, uint32_t index, enum ww_decision_step step) {
  if (run->removed_by)
    run->removed_by[index] = (uint8_t)step;
}

/* Keeps those of in[from .. from + count) that tie for the lowest rank; returns how many, moved to in[to ..). */
static size_t keep_lowest(const struct run *run, size_t from, size_t count, size_t to, enum ww_decision_step step) {
  uint64_t lowest = UINT64_MAX;
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    uint64_t value = rank(&run->candidates[run->in[from + i]], step, run->options);
    lowest = value < lowest ? value : lowest;
  }
  for (size_t i = 0; i < count; i++) {
    uint32_t index = run->in[from + i];
    if (rank(&run->candidates[index], step, run->options) == lowest)
      run->in[to + kept++] = index;
    else
      remove_from(run, index, step);
  }
  return kept;
}

static void keep_lowest_address(struct run *run) {
  const struct ww_addr *lowest = &run->candidates[run->in[0]].peer;
  size_t kept = 0;
  for (size_t i = 1; i < run->count; i++) {
    const struct ww_addr *peer = &run->candidates[run->in[i]].peer;
    lowest = compare_addresses(peer, lowest) < 0 ? peer : lowest;
  }
  for (size_t i = 0; i < run->count; i++) {
    uint32_t index = run->in[i];
    if (compare_addresses(&run->candidates[index].peer, lowest) == 0)
      run->in[kept++] = index;
    else
      remove_from(run, index, WW_STEP_PEER_ADDRESS);
  }
  run->count = kept;
}

/* Heap order by neighbor AS, for an in-place sort whose worst case is known. */
static void sift(const struct run *run, size_t root, size_t count) {
  for (;;) {
    size_t child = 2 * root + 1, most = root;
    for (size_t i = child; i < child + 2 && i < count; i++)
      if (run->candidates[run->in[i]].neighbor_as > run->candidates[run->in[most]].neighbor_as)
        most = i;
    if (most == root)
      return;
    uint32_t index = run->in[root];
    run->in[root] = run->in[most];
    run->in[most] = index;
    root = most;
  }
}

static void sort_by_neighbor(const struct run *run) {
  bool sorted = true;
  for (size_t i = 1; i < run->count; i++)
    sorted = sorted && run->candidates[run->in[i - 1]].neighbor_as <= run->candidates[run->in[i]].neighbor_as;
  if (sorted)
    return;
  for (size_t i = run->count / 2; i-- > 0;)
    sift(run, i, run->count);
  for (size_t last = run->count; last-- > 1;) {
    uint32_t index = run->in[0];
    run->in[0] = run->in[last];
    run->in[last] = index;
    sift(run, 0, last);
  }
}

/* RFC 4271 §9.1.2.2 c: "MULTI_EXIT_DISC is only comparable between routes learned from the same neighboring AS" */
static void keep_lowest_med(struct run *run) {
  if (run->options->med_always) {
    run->count = keep_lowest(run, 0, run->count, 0, WW_STEP_MED);
    return;
  }
  size_t kept = 0;
  sort_by_neighbor(run);
  for (size_t from = 0, end; from < run->count; from = end) {
    uint32_t neighbor = run->candidates[run->in[from]].neighbor_as;
    for (end = from + 1; end < run->count && run->candidates[run->in[end]].neighbor_as == neighbor; end++)
      ;
    kept += keep_lowest(run, from, end - from, kept, WW_STEP_MED);
  }
  run->count = kept;
}

/* CHOICE: what was heard first stays only where every route left is external, as routers do it: internal routers must
 * all come to one answer, and each has heard things in an order of its own. */
static bool age_counts(const struct run *run) {
  for (size_t i = 0; i < run->count; i++)
    if (run->candidates[run->in[i]].peer_type != WW_PEER_EXTERNAL)
      return false;
  return run->options->prefer_oldest;
}

static void apply(struct run *run, enum ww_decision_step step) {
  if (step == WW_STEP_MED)
    keep_lowest_med(run);
  else if (step == WW_STEP_PEER_ADDRESS)
    keep_lowest_address(run);
  else if ((step != WW_STEP_PATH_LENGTH || !run->options->ignore_path_length) &&
           (step != WW_STEP_AGE || age_counts(run)))
    run->count = keep_lowest(run, 0, run->count, 0, step);
}

struct ww_decision ww_decide(const struct ww_candidate *candidates, size_t count,
                             const struct ww_decision_options *options, uint32_t *scratch, uint8_t *removed_by) {
  struct run run = {candidates, options, scratch, 0, removed_by};
  for (size_t i = 0; i < count; i++) {
    remove_from(&run, (uint32_t)i, WW_STEP_NONE);
    if (!candidates[i].ineligible)
      run.in[run.count++] = (uint32_t)i;
  }
  if (run.count == 0)
    return (struct ww_decision){.best = -1, .step = WW_STEP_NONE};
  uint8_t decided = WW_STEP_NONE;
  for (unsigned step = WW_STEP_WEIGHT; step <= WW_STEP_PATH_ID && run.count > 1; step++) {
    apply(&run, (enum ww_decision_step)step);
    decided = (uint8_t)step;
  }
  uint32_t best = run.in[0];
  for (size_t i = 1; i < run.count; i++)
    best = run.in[i] < best ? run.in[i] : best;
  return (struct ww_decision){.best = (int)best, .step = decided};
}
