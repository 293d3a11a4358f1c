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

/* What the covering VRPs of a route have shown. */
enum { COVERED = 1, NOT_AS0 = 2, NAMED = 4, MATCHED = 8 };

/* A VRP's AS is compared with this many bits, so that one value can equal none. */
static const uint64_t no_as = UINT64_MAX;

struct question {
  uint64_t hi, lo; /* the route's address, left-aligned */
  uint64_t asn;    /* its origin; no_as when nothing can match it */
  uint64_t key;    /* address and length as keys of a block that is not wide have them */
  uint8_t len;
  uint8_t reach; /* such a key shifted right by reach - n is its first n bits */
};

static inline bool ask(struct question *q, const struct ww_prefix *prefix, struct ww_origin origin) {
  /* RFC 6811 §2: no VRP is Matched by a Route whose Origin ASN is "NONE", and no Route is Matched by a VRP of AS 0. */
  q->asn = origin.none || origin.asn == 0 ? no_as : origin.asn;
  q->len = prefix->len;
  q->hi = ww_vrp_octets8(prefix->addr);
  if (prefix->afi == WW_AFI_IPV4) {
    q->hi &= 0xffffffff00000000;
    q->lo = 0;
    q->key = q->hi >> 24 | q->len;
    q->reach = 40;
    return q->len <= 32;
  }
  q->lo = ww_vrp_octets8(prefix->addr + 8);
  q->key = q->hi << 8 | (q->len < 64 ? q->len : 64);
  q->reach = 72;
  return prefix->afi == WW_AFI_IPV6 && q->len <= 128;
}

static inline const struct ww_vrp_part *root_of(const struct ww_snapshot *snapshot, const struct ww_prefix *prefix) {
  return snapshot->vrps[prefix->afi == WW_AFI_IPV6];
}

/* The last of nodes[from..to) that does not sort after the question; from - 1 when there is none. */
static inline size_t search(const struct ww_vrp_block *block, const struct question *q, size_t from, size_t to) {
  const struct ww_vrp_node *base = block->nodes + from;
  size_t n = to - from;
  if (n == 0)
    return from - 1;
  while (n > 1) { /* the answer stays in base[-1 .. n - 1]; compiles to conditional moves */
    size_t half = n / 2;
    base = base[half].key <= q->key ? base + half : base;
    n -= half;
  }
  return (size_t)(base - block->nodes) - (base->key > q->key);
}

static size_t search_wide(const struct ww_vrp_block *block, const struct question *q) {
  size_t from = 0, to = block->count;
  while (from < to) {
    size_t mid = from + (to - from) / 2;
    uint64_t hi = block->nodes[mid].key, lo = block->cold->low[mid];
    bool after = hi != q->hi ? hi > q->hi : lo != q->lo ? lo > q->lo : block->cold->len[mid] > q->len;
    if (after)
      to = mid;
    else
      from = mid + 1;
  }
  return from - 1;
}

/* The longest prefix of the block that covers the question, by a climb from `at`; WW_VRP_NONE when none does. */
static size_t climb_wide(const struct ww_vrp_block *block, const struct question *q, size_t at) {
  while (at != WW_VRP_NONE &&
         !ww_vrp_same_bits(block->nodes[at].key, block->cold->low[at], q->hi, q->lo, block->cold->len[at]))
    at = block->nodes[at].parent;
  return at;
}

static inline size_t climb(const struct ww_vrp_block *block, const struct question *q, size_t at) {
  while (at != WW_VRP_NONE) {
    const struct ww_vrp_node *node = &block->nodes[at];
    if ((q->key ^ node->key) >> (q->reach - (node->key & 0xff)) == 0)
      break;
    at = node->parent;
  }
  return at;
}

/* Where the search of a block begins and ends. */
static inline void slot_of(const struct ww_vrp_block *block, const struct question *q, size_t *from, size_t *to) {
  size_t slot = q->hi >> block->slot_shift & block->slot_mask;
  *from = block->slots[slot];
  *to = block->slots[slot + 1];
}

/* The longest prefix of the block that covers the question, or WW_VRP_NONE. */
static inline size_t find(const struct ww_vrp_block *block, const struct question *q, size_t from, size_t to) {
  if (__builtin_expect(block->wide, 0)) {
    size_t at = search_wide(block, q);
    return at == SIZE_MAX ? WW_VRP_NONE : climb_wide(block, q, at);
  }
  size_t at = search(block, q, from, to);
  return at == SIZE_MAX ? WW_VRP_NONE : climb(block, q, at);
}

/* Many records on one prefix: the last one of the origin's AS has its greatest max_len. */
static unsigned weigh_many(const struct ww_vrp_block *block, const struct question *q, size_t at) {
  const struct ww_vrp_record *records = block->cold->records;
  size_t from = block->cold->first[at], to = block->cold->first[at + 1];
  unsigned seen = COVERED | (records[to - 1].asn != 0 ? NOT_AS0 : 0);
  size_t begin = from;
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

/* What the prefix `at` and all that cover it in this block show. */
static inline unsigned weigh(const struct ww_vrp_block *block, const struct question *q, size_t at) {
  unsigned seen = 0;
  while (at != WW_VRP_NONE) {
    const struct ww_vrp_node *node = &block->nodes[at];
    if (__builtin_expect(node->many, 0)) {
      seen |= weigh_many(block, q, at);
    } else {
      unsigned named = node->asn == q->asn;
      unsigned fits = q->len <= node->max_len;
      seen |= COVERED | (unsigned)(node->asn != 0) * NOT_AS0 | named * NAMED | (named & fits) * MATCHED;
    }
    at = node->parent;
  }
  return seen;
}

/*
 * One step down: adds what the fan's own short prefixes show, and gives the child where the search goes on. A route
 * shorter than the children are deep has no cover among them.
 */
static inline const struct ww_vrp_part *descend(const struct ww_vrp_fan *fan, const struct question *q,
                                                unsigned *seen) {
  unsigned depth = fan->part.depth;
  if (__builtin_expect(q->len < depth + fan->bits, 0)) {
    if (fan->shorts) {
      size_t from, to;
      slot_of(fan->shorts, q, &from, &to);
      *seen |= weigh(fan->shorts, q, find(fan->shorts, q, from, to));
    }
    return NULL;
  }
  size_t child = ww_vrp_bits(q->hi, q->lo, depth, fan->bits);
  if (fan->shorts)
    *seen |= weigh(fan->shorts, q, fan->covers[child]);
  return fan->children[child];
}

/* RFC 6811 §2: NotFound: no VRP Covers; Valid: at least one VRP Matches; Invalid: otherwise. */
static inline enum ww_state state_of(unsigned seen) {
  return seen & MATCHED ? WW_STATE_VALID : seen & COVERED ? WW_STATE_INVALID : WW_STATE_UNKNOWN;
}

static inline enum ww_reason reason_of(unsigned seen, struct ww_origin origin) {
  if (state_of(seen) != WW_STATE_INVALID)
    return WW_REASON_NONE;
  if (seen & NAMED)
    return WW_REASON_ORIGIN_LENGTH;
  if (!(seen & NOT_AS0))
    return WW_REASON_ORIGIN_AS0;
  return origin.none ? WW_REASON_ORIGIN_AS_SET : WW_REASON_ORIGIN_AS;
}

enum ww_state ww_origin_validate(const struct ww_snapshot *snapshot, const struct ww_prefix *prefix,
                                 struct ww_origin origin, enum ww_reason *reason) {
  struct question q;
  unsigned seen = 0;
  if (reason)
    *reason = WW_REASON_NONE;
  if (!snapshot->ready)
    return WW_STATE_NOT_READY;
  /* CHOICE: a prefix of another family, or longer than its family has bits, is covered by nothing: NotFound. */
  if (!ask(&q, prefix, origin))
    return WW_STATE_UNKNOWN;
  const struct ww_vrp_part *part = root_of(snapshot, prefix);
  while (part && part->is_fan)
    part = descend(ww_vrp_as_fan(part), &q, &seen);
  if (part) {
    const struct ww_vrp_block *block = ww_vrp_as_block(part);
    size_t from, to;
    slot_of(block, &q, &from, &to);
    seen |= weigh(block, &q, find(block, &q, from, to));
  }
  if (reason)
    *reason = reason_of(seen, origin);
  return state_of(seen);
}

/* --- batch ------------------------------------------------------------------------------------------------------ */

/* Routes that go through the stages together: enough to hide a load from memory, few enough for the first cache. */
enum { GROUP = 32 };

struct lane {
  struct question q;
  const struct ww_vrp_part *part;
  uint32_t from, to;
  unsigned seen;
};

static void validate_group(const struct ww_snapshot *snapshot, const struct ww_prefix *prefixes,
                           const struct ww_origin *origins, size_t count, uint8_t *states, uint8_t *reasons) {
  struct lane lanes[GROUP];
  for (size_t i = 0; i < count; i++) {
    struct lane *lane = &lanes[i];
    lane->seen = 0;
    lane->part = ask(&lane->q, &prefixes[i], origins[i]) ? root_of(snapshot, &prefixes[i]) : NULL;
  }
  /* Down the fans, a level at a time. The first level is small and hot: no need to fetch it ahead. */
  for (bool more = true; more;) {
    more = false;
    for (size_t i = 0; i < count; i++) {
      struct lane *lane = &lanes[i];
      if (!lane->part || !lane->part->is_fan)
        continue;
      lane->part = descend(ww_vrp_as_fan(lane->part), &lane->q, &lane->seen);
      __builtin_prefetch(lane->part);
      more = true;
    }
  }
  for (size_t i = 0; i < count; i++) {
    struct lane *lane = &lanes[i];
    if (!lane->part)
      continue;
    const struct ww_vrp_block *block = ww_vrp_as_block(lane->part);
    size_t from, to;
    slot_of(block, &lane->q, &from, &to);
    lane->from = (uint32_t)from;
    lane->to = (uint32_t)to;
    __builtin_prefetch(block->nodes + from);
    __builtin_prefetch(block->nodes + to);
  }
  for (size_t i = 0; i < count; i++) {
    struct lane *lane = &lanes[i];
    if (lane->part) {
      const struct ww_vrp_block *block = ww_vrp_as_block(lane->part);
      lane->seen |= weigh(block, &lane->q, find(block, &lane->q, lane->from, lane->to));
    }
    states[i] = (uint8_t)state_of(lane->seen);
    if (reasons)
      reasons[i] = (uint8_t)reason_of(lane->seen, origins[i]);
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
  for (; at != WW_VRP_NONE; at = block->nodes[at].parent) {
    struct ww_vrp_item item = {.len = (uint8_t)ww_vrp_node_len(block, at)};
    ww_vrp_node_address(block, afi, at, &item.hi, &item.lo);
    size_t from = block->cold->first[at], to = block->cold->first[at + 1];
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
      ww_vrp_item_fill(&item, &block->cold->records[from]);
      ww_vrp_item_to_vrp(&item, afi, &hit->vrp);
      hit->source = item.source;
      hit->match = item.asn != q->asn ? WW_MATCH_AS : q->len <= item.max_len ? WW_MATCH_VALID : WW_MATCH_LENGTH;
    }
  }
  return WW_OK;
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
  unsigned seen = 0;
  enum ww_err err = WW_OK;
  result->hit_count = 0;
  result->reason = WW_REASON_NONE;
  result->state = WW_STATE_NOT_READY;
  if (!snapshot->ready)
    return WW_OK;
  result->state = WW_STATE_UNKNOWN;
  if (!ask(&q, prefix, origin))
    return WW_OK;
  const struct ww_vrp_part *part = root_of(snapshot, prefix);
  while (part && !err) {
    const struct ww_vrp_block *block = ww_vrp_as_block(part);
    const struct ww_vrp_part *next = NULL;
    if (part->is_fan) {
      block = ww_vrp_as_fan(part)->shorts;
      next = descend(ww_vrp_as_fan(part), &q, &seen);
    }
    if (block) {
      size_t from, to;
      slot_of(block, &q, &from, &to);
      size_t at = find(block, &q, from, to);
      seen |= weigh(block, &q, at);
      err = add_hits(result, block, prefix->afi, &q, at);
    }
    part = next;
  }
  if (err) {
    result->hit_count = 0;
    return err;
  }
  if (result->hit_count > 1)
    qsort(result->hits, result->hit_count, sizeof *result->hits, compare_hits);
  result->state = (uint8_t)state_of(seen);
  result->reason = (uint8_t)reason_of(seen, origin);
  return WW_OK;
}
