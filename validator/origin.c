/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Origin validation: RFC 6811 §2, asked of the index in vrp_tree.c.
 *
 * A question goes down the fans to one block, begins its search in one slot, finds the last prefix that does not sort
 * after the route's, and climbs its parents. What it learns from each covering prefix is gathered as four bits, and
 * the bits name state and reason; there is no order in which covering VRPs must be met.
 *
 * One question is four or five dependent loads from memory that a cache seldom holds in full. A batch takes a group
 * of routes through the same stages together and asks for each one's next load before it is needed, so that the
 * loads of a group overlap. Both ways run the same inline functions.
 *
 * Nothing here allocates but ww_origin_explain(), which collects the covering VRPs into the caller's result.
 */
#include "validator/snapshot_private.h"

#include <stdlib.h>

/*
 * What the covering VRPs of a route have shown.
 * RFC 6483 §4: a VRP of AS 0 makes what it covers Invalid by itself, and alters nothing beside VRPs of other ASes.
 */
enum { COVERED = 1, NOT_AS0 = 2, NAMED = 4, MATCHED = 8 };

/* A VRP's AS is compared with this many bits, so that one value can equal none. */
static const uint64_t no_as = UINT64_MAX;

struct question {
  uint64_t hi, lo; /* the route's address, left-aligned */
  uint64_t asn;    /* its origin; no_as when nothing can match it */
  uint8_t len;
};

static inline bool ask(struct question *q, const struct ww_prefix *prefix, struct ww_origin origin) {
  /* RFC 6811 §2: no VRP is Matched by a Route whose Origin ASN is "NONE", and no Route is Matched by a VRP of AS 0. */
  q->asn = origin.none || origin.asn == 0 ? no_as : origin.asn;
  q->len = prefix->len;
  q->hi = ww_vrp_octets8(prefix->addr);
  q->lo = ww_vrp_octets8(prefix->addr + 8);
  return (prefix->afi == WW_AFI_IPV4 && q->len <= 32) || (prefix->afi == WW_AFI_IPV6 && q->len <= 128);
}

/* What sorts after every node of a block at `depth` that may cover the question, and before all others. */
static inline ww_vrp_word word_of(const struct question *q, unsigned depth) {
  unsigned length = q->len - depth < WW_VRP_ADDRESS_BITS ? q->len - depth : WW_VRP_ADDRESS_BITS;
  return ww_vrp_word_address(q->hi, depth) | (((ww_vrp_word)(length + 1) << WW_VRP_LENGTH_SHIFT) - 1);
}

/* True when the prefix of a node covers the question whose word this is. */
static inline bool covers(ww_vrp_word node, ww_vrp_word word) {
  return (node ^ word) >> WW_VRP_ADDRESS_SHIFT >> (WW_VRP_ADDRESS_BITS - ww_vrp_word_length(node)) == 0;
}

static inline const struct ww_vrp_part *root_of(const struct ww_snapshot *snapshot, const struct ww_prefix *prefix) {
  return snapshot->vrps[prefix->afi == WW_AFI_IPV6];
}

/*
 * The last of nodes[from..to) that does not sort after the word; from - 1 when there is none. All nodes from `to` on
 * sort after it, and so do the WW_VRP_SPARE words behind the last one: the last few are counted without a look at `to`
 * and without a branch that a processor could guess wrong.
 */
static inline __attribute__((always_inline)) size_t search(const struct ww_vrp_block *block, ww_vrp_word word,
                                                           size_t from, size_t to) {
  while (__builtin_expect(to - from > WW_VRP_SPARE, 0)) {
    size_t mid = from + (to - from) / 2;
    if (block->nodes[mid] <= word)
      from = mid;
    else
      to = mid;
  }
  const ww_vrp_word *at = block->nodes + from;
  size_t count = 0;
#pragma GCC unroll 8
  for (size_t i = 0; i < WW_VRP_SPARE; i++)
    count += at[i] <= word;
  return from + count - 1;
}

static size_t search_wide(const struct ww_vrp_block *block, const struct question *q) {
  size_t from = 0, to = block->count;
  while (from < to) {
    size_t mid = from + (to - from) / 2;
    uint64_t hi = block->nodes[mid], lo = block->low[mid];
    bool after = hi != q->hi ? hi > q->hi : lo != q->lo ? lo > q->lo : block->len[mid] > q->len;
    if (after)
      to = mid;
    else
      from = mid + 1;
  }
  return from - 1;
}

/* `node` is the word of nodes[at] of a block that is not wide. */
static inline size_t parent_by_word(const struct ww_vrp_block *block, size_t at, ww_vrp_word node) {
  unsigned back = ww_vrp_word_parent(node);
  return back == 0 ? WW_VRP_NONE : __builtin_expect(back == WW_VRP_PARENT_FAR, 0) ? block->parent[at] : at - back;
}

static inline size_t parent_of(const struct ww_vrp_block *block, size_t at) {
  return block->wide ? block->parent[at] : parent_by_word(block, at, block->nodes[at]);
}

/* The longest prefix of the block that covers the question, or WW_VRP_NONE. */
static __attribute__((noinline)) size_t find(const struct ww_vrp_block *block, const struct question *q) {
  size_t at;
  if (block->wide) {
    at = search_wide(block, q);
    while (at < WW_VRP_NONE && !ww_vrp_same_bits(block->nodes[at], block->low[at], q->hi, q->lo, block->len[at]))
      at = parent_of(block, at);
  } else {
    ww_vrp_word word = word_of(q, block->part.depth);
    at = search(block, word, 0, block->count);
    while (at < WW_VRP_NONE && !covers(block->nodes[at], word))
      at = parent_of(block, at);
  }
  return at < WW_VRP_NONE ? at : WW_VRP_NONE;
}

/* The records of a node as they are stored: the last one of the origin's AS has its greatest max_len. */
static __attribute__((noinline)) unsigned weigh_records(const struct ww_vrp_block *block, const struct question *q,
                                                        size_t at) {
  const struct ww_vrp_record *records = block->records;
  size_t begin = block->first[at], from = begin, to = block->first[at + 1];
  unsigned seen = COVERED | (records[to - 1].asn != 0 ? NOT_AS0 : 0);
  while (from < to) {
    size_t mid = from + (to - from) / 2;
    if (records[mid].asn <= q->asn)
      from = mid + 1;
    else
      to = mid;
  }
  if (from > begin && records[from - 1].asn == q->asn)
    seen |= NAMED | (records[from - 1].max_len >= q->len ? MATCHED : 0u);
  return seen;
}

/* What one record of a covering node shows. */
static inline unsigned weigh_one(uint32_t asn, unsigned max_len, const struct question *q) {
  unsigned named = asn == q->asn;
  unsigned fits = q->len <= max_len;
  return COVERED | (unsigned)(asn != 0) * NOT_AS0 | named * NAMED | (named & fits) * MATCHED;
}

/* The only record of a covering node, from its word. */
static inline unsigned weigh_word(ww_vrp_word node, const struct question *q, unsigned depth) {
  return weigh_one(node & WW_VRP_ASN_MOST, depth + ww_vrp_word_length(node) + ww_vrp_word_max_len(node), q);
}

/* Where a node that says WW_VRP_LOOK has its records, if it says so. */
static inline const struct ww_vrp_record *records_of(const struct ww_vrp_block *block, ww_vrp_word node) {
  return (const struct ww_vrp_record *)(const void *)((const uint8_t *)block +
                                                      (size_t)(node & WW_VRP_ASN_MOST) * WW_VRP_UNIT);
}

/* A covering node `at` of a block that is not wide. */
static inline unsigned weigh_node(const struct ww_vrp_block *block, const struct question *q, unsigned depth, size_t at,
                                  ww_vrp_word node) {
  if (!(node & WW_VRP_LOOK))
    return weigh_word(node, q, depth);
  unsigned count = ww_vrp_word_max_len(node), seen = 0;
  if (count == 0)
    return weigh_records(block, q, at);
  for (const struct ww_vrp_record *record = records_of(block, node); count > 0; record++, count--)
    seen |= weigh_one(record->asn, record->max_len, q);
  return seen;
}

/* What the prefix `at`, which covers the question, and all those above it in this block show. */
static __attribute__((noinline)) unsigned weigh(const struct ww_vrp_block *block, const struct question *q, size_t at) {
  unsigned seen = 0;
  for (; at != WW_VRP_NONE; at = parent_of(block, at))
    seen |= block->wide ? weigh_records(block, q, at) : weigh_node(block, q, block->part.depth, at, block->nodes[at]);
  return seen;
}

/*
 * The same for a block that is not wide, from the result of search(): climbs and weighs at once. The usual node has no
 * parent and its record in its word.
 */
static inline __attribute__((always_inline)) unsigned weigh_from(const struct ww_vrp_block *block,
                                                                 const struct question *q, unsigned depth, size_t at) {
  if (at == SIZE_MAX)
    return 0;
  const ww_vrp_word word = word_of(q, depth);
  ww_vrp_word node = block->nodes[at];
  unsigned seen = (0u - covers(node, word)) & weigh_word(node, q, depth);
  if (!(node & (WW_VRP_LOOK | (ww_vrp_word)WW_VRP_PARENT_FAR << WW_VRP_PARENT_SHIFT)))
    return seen;
  for (seen = 0; at != WW_VRP_NONE; at = parent_by_word(block, at, node)) {
    node = block->nodes[at];
    if (covers(node, word))
      seen |= weigh_node(block, q, depth, at, node);
  }
  return seen;
}

/* Where a search goes on: in nodes[from..to) of a block or, when `from` is WW_VRP_NO_SLOT, wherever the part says. */
struct place {
  const struct ww_vrp_part *part; /* NULL: nowhere */
  uint32_t from, to;
  uint32_t depth; /* of the part, with `from` */
  unsigned seen;  /* on the way */
};

/*
 * One step down from a fan: adds what the fan's own short prefixes show, and goes to the child where the search goes
 * on. A route shorter than the children are deep has no cover among them.
 */
static inline __attribute__((always_inline)) void descend(struct place *place, const struct question *q) {
  const struct ww_vrp_fan *fan = ww_vrp_as_fan(place->part);
  const unsigned depth = fan->part.depth;
  if (__builtin_expect(q->len < depth + fan->bits, 0)) {
    if (fan->shorts)
      place->seen |= weigh(fan->shorts, q, find(fan->shorts, q));
    place->part = NULL;
    return;
  }
  const size_t child = ww_vrp_bits(q->hi, q->lo, depth, fan->bits);
  if (fan->shorts)
    place->seen |= weigh(fan->shorts, q, fan->covers[child]);
  place->part = fan->children[child];
  if (fan->slots) {
    const uint16_t *slot = ww_vrp_slot(fan, child, q->hi);
    place->from = slot[0];
    place->to = slot[1];
    place->depth = depth + fan->bits;
  }
}

/* True while a place is a fan, and descend() the next step. */
static inline bool is_fan(const struct place *place) {
  return place->from == WW_VRP_NO_SLOT && place->part && place->part->is_fan;
}

/* What was seen on the way, and what the block at its end shows. */
static inline __attribute__((always_inline)) unsigned arrive(const struct place *place, const struct question *q) {
  const struct ww_vrp_block *block = ww_vrp_as_block(place->part);
  if (!block)
    return place->seen;
  return place->seen |
         (place->from == WW_VRP_NO_SLOT
              ? weigh(block, q, find(block, q))
              : weigh_from(block, q, place->depth, search(block, word_of(q, place->depth), place->from, place->to)));
}

struct outcome {
  uint8_t state, reason;
};

/*
 * RFC 6811 §2: NotFound: no VRP Covers; Valid: at least one VRP Matches; Invalid: at least one Covers, none Matches.
 * RFC 6907 §7.1.9: a route that ends in an AS_SET is Invalid when covered, whatever the set holds.
 * Why a route is Invalid, the first that applies: a VRP names its origin, but not for this length; only AS 0 VRPs cover
 * it; it has no origin; it has another origin. A table, as a processor would guess wrong on every third route.
 */
static inline struct outcome outcome_of(unsigned seen, struct ww_origin origin) {
  static const struct outcome outcomes[2][MATCHED + COVERED + NOT_AS0 + NAMED + 1] = {
#define ROW(ORIGIN_REASON)                                                                                             \
  {                                                                                                                    \
      [0] = {WW_STATE_UNKNOWN, WW_REASON_NONE},                                                                        \
      [COVERED] = {WW_STATE_INVALID, WW_REASON_ORIGIN_AS0},                                                            \
      [COVERED | NOT_AS0] = {WW_STATE_INVALID, ORIGIN_REASON},                                                         \
      [COVERED | NOT_AS0 | NAMED] = {WW_STATE_INVALID, WW_REASON_ORIGIN_LENGTH},                                       \
      [COVERED | NOT_AS0 | NAMED | MATCHED] = {WW_STATE_VALID, WW_REASON_NONE},                                        \
  }
      ROW(WW_REASON_ORIGIN_AS),
      ROW(WW_REASON_ORIGIN_AS_SET),
#undef ROW
  };
  return outcomes[origin.none][seen];
}

enum ww_state ww_origin_validate(const struct ww_snapshot *snapshot, const struct ww_prefix *prefix,
                                 struct ww_origin origin, enum ww_reason *reason) {
  struct question q;
  if (reason)
    *reason = WW_REASON_NONE;
  if (!snapshot->ready)
    return WW_STATE_NOT_READY;
  /* RFC 8481 §4: every route is evaluated. CHOICE: a prefix of another family, or longer than its family has bits, is
   * covered by nothing: NotFound. */
  if (!ask(&q, prefix, origin))
    return WW_STATE_UNKNOWN;
  struct place place = {.part = root_of(snapshot, prefix), .from = WW_VRP_NO_SLOT};
  while (is_fan(&place))
    descend(&place, &q);
  const struct outcome outcome = outcome_of(arrive(&place, &q), origin);
  if (reason)
    *reason = (enum ww_reason)outcome.reason;
  return (enum ww_state)outcome.state;
}

/* --- batch ------------------------------------------------------------------------------------------------------ */

/* Routes that go through the stages together: enough to hide a load from memory, few enough for the first cache. */
enum { GROUP = 32 };

struct lane {
  struct question q;
  struct place place;
  size_t at; /* what the search of a slot found */
};

/* One step down, and what comes next is asked for. True when that is again a part whose kind must be seen. */
static inline __attribute__((always_inline)) bool descend_ahead(struct lane *lane) {
  lane->place.from = WW_VRP_NO_SLOT;
  descend(&lane->place, &lane->q);
  const struct ww_vrp_block *block = ww_vrp_as_block(lane->place.part);
  if (!block)
    return false;
  if (lane->place.from == WW_VRP_NO_SLOT) {
    __builtin_prefetch(block);
    return true;
  }
  __builtin_prefetch(&block->nodes[lane->place.from]);
  __builtin_prefetch(&block->nodes[lane->place.from + WW_VRP_SPARE - 1]);
  return false;
}

/* Searches the slot, and asks for what the node that is found points to: its records, or else its parent. */
static inline __attribute__((always_inline)) void search_ahead(struct lane *lane) {
  const struct ww_vrp_block *block = ww_vrp_as_block(lane->place.part);
  if (!block || lane->place.from == WW_VRP_NO_SLOT)
    return;
  lane->at = search(block, word_of(&lane->q, lane->place.depth), lane->place.from, lane->place.to);
  if (lane->at == SIZE_MAX)
    return;
  const ww_vrp_word node = block->nodes[lane->at];
  const unsigned back = ww_vrp_word_parent(node);
  const void *next = &block->nodes[lane->at - back];
  next = node & WW_VRP_LOOK ? (const void *)records_of(block, node) : next;
  __builtin_prefetch(next);
}

static void validate_group(const struct ww_snapshot *snapshot, const struct ww_prefix *prefixes,
                           const struct ww_origin *origins, size_t count, uint8_t *states, uint8_t *reasons) {
  struct lane lanes[GROUP];
  struct lane *deeper[GROUP];
  size_t more = 0;
  /* The root is small and hot: no need to fetch it ahead. */
  for (size_t i = 0; i < count; i++) {
    struct lane *lane = &lanes[i];
    lane->place.part = ask(&lane->q, &prefixes[i], origins[i]) ? root_of(snapshot, &prefixes[i]) : NULL;
    lane->place.from = WW_VRP_NO_SLOT;
    lane->place.seen = 0;
    if (is_fan(&lane->place) && descend_ahead(lane))
      deeper[more++] = lane;
  }
  while (more > 0) {
    size_t left = more;
    more = 0;
    for (size_t i = 0; i < left; i++)
      if (is_fan(&deeper[i]->place) && descend_ahead(deeper[i]))
        deeper[more++] = deeper[i];
  }
  for (size_t i = 0; i < count; i++)
    search_ahead(&lanes[i]);
  for (size_t i = 0; i < count; i++) {
    const struct lane *lane = &lanes[i];
    const bool searched = lane->place.part && lane->place.from != WW_VRP_NO_SLOT;
    const unsigned seen = searched ? lane->place.seen | weigh_from(ww_vrp_as_block(lane->place.part), &lane->q,
                                                                   lane->place.depth, lane->at)
                                   : arrive(&lane->place, &lane->q);
    const struct outcome outcome = outcome_of(seen, origins[i]);
    states[i] = outcome.state;
    if (reasons)
      reasons[i] = outcome.reason;
  }
}

void ww_origin_validate_batch(const struct ww_snapshot *snapshot, const struct ww_prefix *prefixes,
                              const struct ww_origin *origins, size_t count, uint8_t *states, uint8_t *reasons) {
  if (!snapshot->ready) {
    if (count)
      memset(states, WW_STATE_NOT_READY, count);
    if (count && reasons)
      memset(reasons, WW_REASON_NONE, count);
    return;
  }
  for (size_t i = 0; i < count; i += GROUP)
    validate_group(snapshot, prefixes + i, origins + i, count - i < GROUP ? count - i : GROUP, states + i,
                   reasons ? reasons + i : NULL);
}

/* --- evidence --------------------------------------------------------------------------------------------------- */

static enum ww_err add_hits(struct ww_origin_result *result, const struct ww_vrp_block *block, uint8_t afi,
                            const struct question *q, size_t at) {
  for (; at != WW_VRP_NONE; at = parent_of(block, at)) {
    struct ww_vrp_item item = {.len = (uint8_t)ww_vrp_node_len(block, at)};
    ww_vrp_node_address(block, at, &item.hi, &item.lo);
    size_t from = block->first[at], to = block->first[at + 1];
    if (to - from > result->hit_cap - result->hit_count) {
      size_t cap = (result->hit_count + to - from) * 2;
      struct ww_vrp_hit *hits = (struct ww_vrp_hit *)realloc(result->hits, cap * sizeof *hits);
      if (!hits)
        return WW_ERR_NOMEM;
      result->hits = hits;
      result->hit_cap = cap;
    }
    for (; from < to; from++) {
      struct ww_vrp_hit *hit = &result->hits[result->hit_count++];
      ww_vrp_item_fill(&item, &block->records[from]);
      ww_vrp_item_to_vrp(&item, afi, &hit->vrp);
      hit->source = item.source;
      hit->match = item.asn != q->asn ? WW_MATCH_AS : q->len <= item.max_len ? WW_MATCH_VALID : WW_MATCH_LENGTH;
    }
  }
  return WW_OK;
}

/* The longest short prefix of a fan that covers the question, or WW_VRP_NONE. */
static size_t cover_among_shorts(const struct ww_vrp_fan *fan, const struct question *q) {
  const unsigned depth = fan->part.depth;
  return q->len < depth + fan->bits ? find(fan->shorts, q) : fan->covers[ww_vrp_bits(q->hi, q->lo, depth, fan->bits)];
}

/* The same of the block that a place has come to. */
static size_t cover_at(const struct place *place, const struct question *q) {
  const struct ww_vrp_block *block = ww_vrp_as_block(place->part);
  if (place->from == WW_VRP_NO_SLOT)
    return find(block, q);
  const ww_vrp_word word = word_of(q, place->depth);
  size_t at = search(block, word, place->from, place->to);
  while (at < WW_VRP_NONE && !covers(block->nodes[at], word))
    at = parent_by_word(block, at, block->nodes[at]);
  return at < WW_VRP_NONE ? at : WW_VRP_NONE;
}

static int compare_hits(const void *a, const void *b) {
  static const int8_t rank[] = {[WW_MATCH_VALID] = 0, [WW_MATCH_LENGTH] = 1, [WW_MATCH_AS] = 2};
  const struct ww_vrp_hit *x = (const struct ww_vrp_hit *)a, *y = (const struct ww_vrp_hit *)b;
  if (x->match != y->match)
    return rank[x->match] - rank[y->match];
  int order = ww_vrp_compare(&x->vrp, &y->vrp);
  return order ? order : (int)x->source - (int)y->source;
}

enum ww_err ww_origin_explain(const struct ww_snapshot *snapshot, const struct ww_prefix *prefix,
                              struct ww_origin origin, struct ww_origin_result *result) {
  struct question q;
  enum ww_err err = WW_OK;
  result->hit_count = 0;
  result->reason = WW_REASON_NONE;
  result->state = WW_STATE_NOT_READY;
  if (!snapshot->ready)
    return WW_OK;
  result->state = WW_STATE_UNKNOWN;
  if (!ask(&q, prefix, origin))
    return WW_OK;
  struct place place = {.part = root_of(snapshot, prefix), .from = WW_VRP_NO_SLOT};
  while (is_fan(&place) && !err) {
    const struct ww_vrp_fan *fan = ww_vrp_as_fan(place.part);
    descend(&place, &q);
    if (fan->shorts)
      err = add_hits(result, fan->shorts, prefix->afi, &q, cover_among_shorts(fan, &q));
  }
  if (place.part && !err)
    err = add_hits(result, ww_vrp_as_block(place.part), prefix->afi, &q, cover_at(&place, &q));
  if (err) {
    result->hit_count = 0;
    return err;
  }
  if (result->hit_count > 1)
    qsort(result->hits, result->hit_count, sizeof *result->hits, compare_hits);
  const struct outcome outcome = outcome_of(arrive(&place, &q), origin);
  result->state = outcome.state;
  result->reason = outcome.reason;
  return WW_OK;
}
