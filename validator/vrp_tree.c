/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index of VRPs: how it is laid out, built and changed. (origin.c asks it questions.)
 *
 * The question of RFC 6811 §2 is "which VRPs cover this prefix": the chain of a trie from the root to the prefix. A
 * trie of nodes costs one cache miss a level. Here a whole stretch of the trie is one block of contiguous memory:
 *
 *   fan (the first 12 bits of IPv4, 16 of IPv6; after that 8 at a time, only where a block overflows)
 *    ├─ shorts: a block with the prefixes too short for any one child, and for each child the longest that covers it
 *    └─ children: fans or blocks
 *   │  and slots, which tell from a few more bits of the address where in a child that is a block to search
 *   block: its prefixes in trie pre-order, that is sorted by (address, length), each with the position of its parent,
 *          the longest shorter prefix that covers it; the records of each prefix
 *
 * Within a block the prefixes that cover p are found by a predecessor search and a climb. Let q be the last prefix of
 * the block that does not sort after p, and c the longest that covers p. c <= q <= p, and what sorts between c and p
 * lies inside c: so c is q or an ancestor of q. Climb from q until the prefix covers p: that is c; its ancestors are
 * the others. A climb is no longer than the address has bits.
 *
 * Small sets are a single block. A block that would exceed `limit` distinct prefixes becomes a fan, a fan that has
 * become nearly empty a block again. Many records on one prefix stay in one block: they are sorted by AS and searched,
 * not scanned. Nothing is worse than O(log n) a level and the depth is bounded by the address, whoever chose the data.
 *
 * Parts are immutable once linked and shared between trees by reference count; a change copies the blocks it touches
 * and the fans above them. Counts are atomic, as readers let go of trees on any thread. A part owns a reference
 * to each of its children.
 *
 * Memory for a prefix with one record: 16 octets of node, 4 of `first`, 12 of record, and one or two of slots and
 * headers.
 */
#include "validator/vrp_tree.h"

#include <assert.h>
#include <stdlib.h>

/* Prefixes for each slot: few enough that the search within a slot is a step or two. And what slots may cost: a table
 * of 2^16 stays in the second cache. */
enum { PREFIXES_PER_SLOT = 4, SLOT_INDEX_BITS = 17 };

/* Prefixes that a wide block below the root holds, at less than this depth, before it becomes a fan. */
enum { WIDE_DEPTH = 32, WIDE_BLOCK_MAX = 64 };

/* A fan of 16 bits has at most 2^16 - 1 prefixes that are too short for its children: 0xffff stays free. */
static_assert(WW_VRP_NONE == 0xffff && (int)WW_VRP_BLOCK_MAX < (int)WW_VRP_NONE, "positions in a block are 16 bits");

struct builder {
  uint8_t afi;
  uint8_t width; /* 32 or 128 */
  size_t limit;
  enum ww_err err;
  struct ww_vrp_item *items; /* the records of the block or small fan that is being made anew */
  size_t item_count, item_cap;
};

/* --- parts ------------------------------------------------------------------------------------------------------ */

static struct ww_vrp_block *block_of(struct ww_vrp_part *part) { return (struct ww_vrp_block *)part; }

static struct ww_vrp_fan *fan_of(struct ww_vrp_part *part) { return (struct ww_vrp_fan *)part; }

struct ww_vrp_part *ww_vrp_part_ref(struct ww_vrp_part *part) {
  if (part)
    atomic_fetch_add_explicit(&part->refs, 1, memory_order_relaxed);
  return part;
}

void ww_vrp_part_unref(struct ww_vrp_part *part) {
  if (!part || atomic_fetch_sub_explicit(&part->refs, 1, memory_order_acq_rel) != 1)
    return;
  if (part->is_fan) {
    struct ww_vrp_fan *fan = fan_of(part);
    for (size_t i = 0; i < (size_t)1 << fan->bits; i++)
      ww_vrp_part_unref(fan->children[i]);
    if (fan->shorts)
      ww_vrp_part_unref(&fan->shorts->part);
    free(fan->covers);
    free(fan->slots);
  }
  free(part);
}

static unsigned fan_bits(const struct builder *b, unsigned depth) {
  unsigned bits = depth > 0 ? 8 : b->width == 32 ? 12 : 16;
  return bits < b->width - depth ? bits : b->width - depth;
}

/* --- items ------------------------------------------------------------------------------------------------------ */

static int compare_prefix(const struct ww_vrp_item *a, const struct ww_vrp_item *b) {
  /* The analyser does not follow collect(), which fills what merge() compares.
   * NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
  if (a->hi != b->hi)
    return a->hi < b->hi ? -1 : 1;
  if (a->lo != b->lo)
    return a->lo < b->lo ? -1 : 1;
  return (int)a->len - (int)b->len;
}

static int compare_identity(const struct ww_vrp_item *a, const struct ww_vrp_item *b) {
  int order = compare_prefix(a, b);
  if (order)
    return order;
  if (a->asn != b->asn)
    return a->asn < b->asn ? -1 : 1;
  if (a->max_len != b->max_len)
    return (int)a->max_len - (int)b->max_len;
  return (int)a->source - (int)b->source;
}

int ww_vrp_item_compare(const struct ww_vrp_item *a, const struct ww_vrp_item *b) {
  int order = compare_identity(a, b);
  return order ? order : (int)a->step - (int)b->step;
}

void ww_vrp_item_set_expires(struct ww_vrp_item *item, ww_unix_time expires) {
  const ww_unix_time last = ((ww_unix_time)1 << 40) - 1;
  uint64_t t = (uint64_t)(expires < 0 ? 1 : expires > last ? last : expires);
  item->expires_low = (uint32_t)t;
  item->expires_high = (uint8_t)(t >> 32);
}

void ww_vrp_item_to_vrp(const struct ww_vrp_item *item, uint8_t afi, struct ww_vrp *vrp) {
  memset(vrp, 0, sizeof *vrp);
  vrp->prefix.afi = afi;
  vrp->prefix.len = item->len;
  ww_vrp_put_octets8(vrp->prefix.addr, item->hi); /* of an IPv4 address the last 12 octets are 0 */
  ww_vrp_put_octets8(vrp->prefix.addr + 8, item->lo);
  vrp->max_len = item->max_len;
  vrp->asn = item->asn;
  vrp->expires = (ww_unix_time)((uint64_t)item->expires_high << 32 | item->expires_low);
}

void ww_vrp_node_address(const struct ww_vrp_block *block, size_t i, uint64_t *hi, uint64_t *lo) {
  const unsigned depth = block->part.depth;
  *lo = block->wide ? block->low[i] : 0;
  *hi = block->nodes[i];
  if (!block->wide)
    *hi = *hi >> WW_VRP_ADDRESS_SHIFT << WW_VRP_ADDRESS_SHIFT >> depth |
          (depth ? block->hi >> (64 - depth) << (64 - depth) : 0);
}

void ww_vrp_item_fill(struct ww_vrp_item *item, const struct ww_vrp_record *record) {
  item->asn = record->asn;
  item->max_len = record->max_len;
  item->source = record->source;
  item->expires_low = record->expires_low;
  item->expires_high = record->expires_high;
}

/* --- walking ---------------------------------------------------------------------------------------------------- */

struct walk {
  uint8_t afi;
  enum ww_vrp_order order;
  void *ctx;
  int (*visit)(void *ctx, const struct ww_vrp_item *item);
};

static int walk_node(const struct walk *w, const struct ww_vrp_block *block, size_t i) {
  struct ww_vrp_item item = {.len = (uint8_t)ww_vrp_node_len(block, i)};
  ww_vrp_node_address(block, i, &item.hi, &item.lo);
  if (w->order == WW_VRP_STORED || block->first[i + 1] - block->first[i] == 1) {
    int stop = 0;
    for (uint32_t r = block->first[i]; r < block->first[i + 1] && !stop; r++) {
      ww_vrp_item_fill(&item, &block->records[r]);
      stop = w->visit(w->ctx, &item);
    }
    return stop;
  }
  /* One pass for each max_len that occurs, shortest first: there are at most 129, and no memory is needed. */
  for (unsigned max_len = item.len, next; max_len <= 128; max_len = next) {
    next = 255;
    for (uint32_t r = block->first[i]; r < block->first[i + 1]; r++) {
      unsigned here = block->records[r].max_len;
      if (here > max_len && here < next)
        next = here;
      if (here != max_len)
        continue;
      ww_vrp_item_fill(&item, &block->records[r]);
      int stop = w->visit(w->ctx, &item);
      if (stop)
        return stop;
    }
  }
  return 0;
}

static int walk_part(const struct walk *w, const struct ww_vrp_part *part) {
  if (!part)
    return 0;
  int stop = 0;
  if (!part->is_fan) {
    const struct ww_vrp_block *block = ww_vrp_as_block(part);
    for (size_t i = 0; i < block->count && !stop; i++)
      stop = walk_node(w, block, i);
    return stop;
  }
  /* A short prefix comes before everything in the child where its address lies. */
  const struct ww_vrp_fan *fan = ww_vrp_as_fan(part);
  size_t next = 0, count = fan->shorts ? fan->shorts->count : 0;
  for (size_t child = 0; child < (size_t)1 << fan->bits; child++) {
    for (; next < count; next++) {
      uint64_t hi, lo;
      ww_vrp_node_address(fan->shorts, next, &hi, &lo);
      if (ww_vrp_bits(hi, lo, part->depth, fan->bits) != child)
        break;
      stop = walk_node(w, fan->shorts, next);
      if (stop)
        return stop;
    }
    stop = walk_part(w, fan->children[child]);
    if (stop)
      return stop;
  }
  return 0;
}

int ww_vrp_tree_walk(const struct ww_vrp_part *part, uint8_t afi, enum ww_vrp_order order, void *ctx,
                     int (*visit)(void *ctx, const struct ww_vrp_item *item)) {
  const struct walk w = {.afi = afi, .order = order, .ctx = ctx, .visit = visit};
  return walk_part(&w, part);
}

/* --- building from records -------------------------------------------------------------------------------------- */

static size_t count_prefixes(const struct ww_vrp_item *items, size_t count) {
  size_t prefixes = 0;
  for (size_t i = 0; i < count; i++)
    prefixes += i == 0 || compare_prefix(&items[i - 1], &items[i]) != 0;
  return prefixes;
}

/* True when one of the prefixes does not fit the word of a node. */
static bool needs_wide(const struct ww_vrp_item *items, size_t count, unsigned depth) {
  unsigned longest = depth + WW_VRP_ADDRESS_BITS < 64 ? depth + WW_VRP_ADDRESS_BITS : 64;
  if (depth >= 64)
    return true;
  for (size_t i = 0; i < count; i++)
    if (items[i].len > longest)
      return true;
  return false;
}

/* The word of a node of a block that is not wide. Its records are items[0..count), in the block `at` octets from its
 * start; its parent is `back` nodes back. */
static ww_vrp_word make_word(const struct ww_vrp_item *items, size_t count, unsigned depth, size_t back, size_t at) {
  const struct ww_vrp_item *item = &items[0];
  ww_vrp_word word = ww_vrp_word_address(item->hi, depth);
  word |= (ww_vrp_word)(item->len - depth) << WW_VRP_LENGTH_SHIFT;
  word |= (ww_vrp_word)(back < WW_VRP_PARENT_FAR ? back : WW_VRP_PARENT_FAR) << WW_VRP_PARENT_SHIFT;
  unsigned beyond = (unsigned)item->max_len - item->len;
  if (count > 1 || beyond > WW_VRP_MAX_LEN_MOST || item->asn > WW_VRP_ASN_MOST) {
    word |= WW_VRP_LOOK;
    if (count > WW_VRP_MAX_LEN_MOST || at / WW_VRP_UNIT > WW_VRP_ASN_MOST)
      return word;
    return word | (ww_vrp_word)count << WW_VRP_MAX_LEN_SHIFT | at / WW_VRP_UNIT;
  }
  return word | (ww_vrp_word)beyond << WW_VRP_MAX_LEN_SHIFT | item->asn;
}

/*
 * A block of `items`, sorted; NULL when memory ran out. One allocation: header and nodes (what a question needs), then
 * what only evidence, changes and the unusual node need.
 */
static struct ww_vrp_block *block_new(struct builder *b, const struct ww_vrp_item *items, size_t count,
                                      unsigned depth) {
  const size_t prefixes = count_prefixes(items, count);
  const bool wide = needs_wide(items, count, depth);
  const size_t low_at = sizeof(struct ww_vrp_block) + (prefixes + WW_VRP_SPARE) * sizeof(ww_vrp_word);
  const size_t first_at = low_at + (wide ? prefixes * sizeof(uint64_t) : 0);
  const size_t records_at = first_at + (prefixes + 1) * sizeof(uint32_t);
  const size_t parent_at = records_at + count * sizeof(struct ww_vrp_record);
  const size_t len_at = parent_at + prefixes * sizeof(uint16_t);
  const size_t size = len_at + (wide ? prefixes : 0);
  uint8_t *memory = count < UINT32_MAX ? (uint8_t *)malloc(size) : NULL;
  if (!memory) {
    b->err = WW_ERR_NOMEM;
    return NULL;
  }
  struct ww_vrp_block *block = (struct ww_vrp_block *)(void *)memory;
  uint64_t *low = (uint64_t *)(void *)(memory + low_at);
  uint32_t *first = (uint32_t *)(void *)(memory + first_at);
  struct ww_vrp_record *records = (struct ww_vrp_record *)(void *)(memory + records_at);
  uint16_t *parent = (uint16_t *)(void *)(memory + parent_at);
  uint8_t *len = memory + len_at;
  atomic_init(&block->part.refs, 1);
  block->part.is_fan = false;
  block->part.depth = (uint8_t)depth;
  block->part.records = count;
  block->part.bytes = size;
  block->wide = wide;
  block->count = (uint32_t)prefixes;
  block->hi = items[0].hi;
  block->records = records;
  block->first = first;
  block->parent = parent;
  block->low = wide ? low : NULL;
  block->len = wide ? len : NULL;

  uint16_t ancestors[130]; /* chain of the prefix before; lengths grow along it */
  const struct ww_vrp_item *at[130];
  unsigned height = 0;
  size_t n = 0;
  for (size_t i = 0; i < count; n++) {
    const struct ww_vrp_item *item = &items[i];
    while (height > 0 &&
           !ww_vrp_same_bits(at[height - 1]->hi, at[height - 1]->lo, item->hi, item->lo, at[height - 1]->len))
      height--;
    parent[n] = height ? ancestors[height - 1] : (uint16_t)WW_VRP_NONE;
    ancestors[height] = (uint16_t)n;
    at[height++] = item;
    first[n] = (uint32_t)i;
    do {
      records[i] = (struct ww_vrp_record){.asn = items[i].asn,
                                          .expires_low = items[i].expires_low,
                                          .source = items[i].source,
                                          .max_len = items[i].max_len,
                                          .expires_high = items[i].expires_high};
      i++;
    } while (i < count && compare_prefix(item, &items[i]) == 0);
    if (wide) {
      block->nodes[n] = item->hi;
      low[n] = item->lo;
      len[n] = item->len;
    } else {
      block->nodes[n] = make_word(item, i - first[n], depth, parent[n] == WW_VRP_NONE ? 0 : n - parent[n],
                                  records_at + first[n] * sizeof records[0]);
    }
  }
  first[n] = (uint32_t)count;
  memset(&block->nodes[n], 0xff, WW_VRP_SPARE * sizeof(ww_vrp_word));
  return block;
}

/* An empty fan; NULL when memory ran out. */
static struct ww_vrp_fan *fan_new(struct builder *b, unsigned depth) {
  unsigned bits = fan_bits(b, depth);
  struct ww_vrp_fan *fan = (struct ww_vrp_fan *)calloc(1, sizeof *fan + ((size_t)1 << bits) * sizeof fan->children[0]);
  if (!fan) {
    b->err = WW_ERR_NOMEM;
    return NULL;
  }
  atomic_init(&fan->part.refs, 1);
  fan->part.is_fan = true;
  fan->part.depth = (uint8_t)depth;
  fan->bits = (uint8_t)bits;
  return fan;
}

/* Makes `shorts` (may be NULL, taken) those of the fan, and works out which of them covers which child. */
static bool fan_set_shorts(struct builder *b, struct ww_vrp_fan *fan, struct ww_vrp_block *shorts) {
  if (fan->shorts)
    ww_vrp_part_unref(&fan->shorts->part);
  free(fan->covers);
  fan->shorts = shorts;
  fan->covers = NULL;
  if (!shorts)
    return true;
  size_t children = (size_t)1 << fan->bits;
  fan->covers = (uint16_t *)malloc(children * sizeof fan->covers[0]);
  if (!fan->covers) {
    b->err = WW_ERR_NOMEM;
    return false;
  }
  memset(fan->covers, 0xff, children * sizeof fan->covers[0]);
  for (size_t i = 0; i < shorts->count; i++) { /* pre-order: the longer overwrite the shorter */
    uint64_t hi, lo;
    ww_vrp_node_address(shorts, i, &hi, &lo);
    size_t begin = ww_vrp_bits(hi, lo, fan->part.depth, fan->bits);
    size_t span = (size_t)1 << (fan->part.depth + fan->bits - ww_vrp_node_len(shorts, i));
    for (size_t child = begin; child < begin + span; child++)
      fan->covers[child] = (uint16_t)i;
  }
  return true;
}

/* Fills the slots of one child. */
static void fan_set_slots(struct ww_vrp_fan *fan, size_t child) {
  if (!fan->slots)
    return;
  size_t parts = (size_t)1 << fan->slot_bits, part = 0;
  uint16_t *row = fan->slots + child * ww_vrp_slot_row(fan);
  const struct ww_vrp_part *at = fan->children[child];
  const struct ww_vrp_block *block = ww_vrp_as_block(at);
  if (at && (at->is_fan || block->wide)) {
    for (part = 0; part <= parts; part++)
      row[part] = WW_VRP_NO_SLOT;
    return;
  }
  /* The part of a node: the first address bits in its word. */
  for (size_t i = 0; at && i < block->count; i++)
    for (size_t here = (size_t)(block->nodes[i] >> WW_VRP_ADDRESS_SHIFT >> (WW_VRP_ADDRESS_BITS - fan->slot_bits));
         part <= here; part++)
      row[part] = (uint16_t)i;
  for (; part <= parts; part++)
    row[part] = (uint16_t)(at ? block->count : 0);
}

/* Gives the fan as many slots as suit its number of records. False when memory ran out. */
static bool fan_make_slots(struct builder *b, struct ww_vrp_fan *fan) {
  unsigned child_depth = (unsigned)fan->part.depth + fan->bits;
  unsigned most = (b->width < 64 ? b->width : 64u) - (child_depth < 64 ? child_depth : 64);
  unsigned bits = 0;
  if (fan->bits >= SLOT_INDEX_BITS || child_depth >= 64)
    return true;
  if (most > SLOT_INDEX_BITS - (unsigned)fan->bits)
    most = SLOT_INDEX_BITS - (unsigned)fan->bits;
  while (bits < most && fan->part.records >> (fan->bits + bits) > PREFIXES_PER_SLOT)
    bits++;
  /* Not for every little change: twice too few, or four times too many. */
  if (fan->slots && bits <= fan->slot_bits && bits + 1 >= fan->slot_bits)
    return true;
  free(fan->slots);
  fan->slot_bits = (uint8_t)bits;
  fan->slots = (uint16_t *)malloc(ww_vrp_slot_row(fan) * sizeof fan->slots[0] << fan->bits);
  if (!fan->slots) {
    b->err = WW_ERR_NOMEM;
    return false;
  }
  for (size_t child = 0; child < (size_t)1 << fan->bits; child++)
    fan_set_slots(fan, child);
  return true;
}

/* Brings the sums up to date, and then the slots. False when memory ran out. */
static bool fan_finish(struct builder *b, struct ww_vrp_fan *fan) {
  size_t children = (size_t)1 << fan->bits;
  uint64_t records = 0, bytes = sizeof *fan + children * sizeof fan->children[0];
  if (fan->shorts) {
    records += fan->shorts->part.records;
    bytes += fan->shorts->part.bytes + children * sizeof fan->covers[0];
  }
  for (size_t i = 0; i < children; i++)
    if (fan->children[i]) {
      records += fan->children[i]->records;
      bytes += fan->children[i]->bytes;
    }
  fan->part.records = records;
  if (!fan_make_slots(b, fan))
    return false;
  fan->part.bytes = bytes + (fan->slots ? ww_vrp_slot_row(fan) * sizeof fan->slots[0] << fan->bits : 0);
  return true;
}

/*
 * Stable partition of sorted items for a fan: those that belong to one child close up to the front, in order; the short
 * ones go to *shorts (allocated, NULL when there are none). Returns how many are in front; SIZE_MAX: no memory.
 */
static size_t split_shorts(struct builder *b, struct ww_vrp_item *items, size_t count, unsigned child_depth,
                           struct ww_vrp_item **shorts) {
  size_t short_count = 0, kept = 0, moved = 0;
  for (size_t i = 0; i < count; i++)
    short_count += items[i].len < child_depth;
  *shorts = NULL;
  if (short_count == 0)
    return count;
  *shorts = (struct ww_vrp_item *)malloc(short_count * sizeof **shorts);
  if (!*shorts) {
    b->err = WW_ERR_NOMEM;
    return SIZE_MAX;
  }
  for (size_t i = 0; i < count; i++)
    if (items[i].len < child_depth)
      (*shorts)[moved++] = items[i];
    else
      items[kept++] = items[i];
  return kept;
}

/* Where the run of items of the same child ends. */
static size_t child_run(const struct ww_vrp_fan *fan, const struct ww_vrp_item *items, size_t from, size_t count,
                        size_t *child) {
  *child = ww_vrp_bits(items[from].hi, items[from].lo, fan->part.depth, fan->bits);
  size_t end = from + 1;
  while (end < count && ww_vrp_bits(items[end].hi, items[end].lo, fan->part.depth, fan->bits) == *child)
    end++;
  return end;
}

/* Wide blocks are slower to search, so it pays to leave them early, near the root where the prefixes then fit. */
static bool fits_block(const struct builder *b, const struct ww_vrp_item *items, size_t count, unsigned depth) {
  size_t limit = b->limit;
  if (depth > 0 && depth < WIDE_DEPTH && limit > WIDE_BLOCK_MAX && needs_wide(items, count, depth))
    limit = WIDE_BLOCK_MAX;
  return count <= limit || depth == b->width || count_prefixes(items, count) <= limit;
}

/* A part of `items`, sorted (and reordered here); NULL for none of them, or with b->err set. */
static struct ww_vrp_part *part_build(struct builder *b, struct ww_vrp_item *items, size_t count, unsigned depth) {
  if (count == 0)
    return NULL;
  if (fits_block(b, items, count, depth)) {
    struct ww_vrp_block *block = block_new(b, items, count, depth);
    return block ? &block->part : NULL;
  }
  struct ww_vrp_fan *fan = fan_new(b, depth);
  if (!fan)
    return NULL;
  struct ww_vrp_item *shorts;
  unsigned child_depth = depth + fan->bits;
  size_t kept = split_shorts(b, items, count, child_depth, &shorts);
  if (kept == SIZE_MAX)
    goto fail;
  if (shorts) {
    struct ww_vrp_block *block = block_new(b, shorts, count - kept, depth);
    free(shorts);
    if (!block || !fan_set_shorts(b, fan, block))
      goto fail;
  }
  for (size_t i = 0, end, child; i < kept; i = end) {
    end = child_run(fan, items, i, kept, &child);
    fan->children[child] = part_build(b, items + i, end - i, child_depth);
    if (!fan->children[child])
      goto fail;
  }
  if (fan_finish(b, fan))
    return &fan->part;
fail:
  ww_vrp_part_unref(&fan->part);
  return NULL;
}

/* --- changing --------------------------------------------------------------------------------------------------- */

static bool reserve_items(struct builder *b, size_t count) {
  if (count <= b->item_cap)
    return true;
  size_t cap = count > b->item_cap * 2 ? count : b->item_cap * 2;
  struct ww_vrp_item *items = (struct ww_vrp_item *)realloc(b->items, cap * sizeof *items);
  if (!items) {
    b->err = WW_ERR_NOMEM;
    return false;
  }
  b->items = items;
  b->item_cap = cap;
  return true;
}

static int collect(void *ctx, const struct ww_vrp_item *item) {
  struct builder *b = (struct builder *)ctx;
  assert(b->item_count < b->item_cap && b->items); /* room was made for all of the part */
  b->items[b->item_count++] = *item;
  return 0;
}

/* What is left of `have` (NULL: nothing yet) after one step upon the same record. */
static const struct ww_vrp_item *take_step(const struct ww_vrp_item *have, const struct ww_vrp_item *step,
                                           struct ww_vrp_item *made) {
  if (step->step == WW_VRP_WITHDRAW || (step->step == WW_VRP_REFRESH && !have))
    return NULL;
  *made = *step;
  made->step = 0;
  return made;
}

/* Writes the records of `block` (may be NULL) after the steps to b->items. False when nothing changed or memory ran
 * out. */
static bool merge(struct builder *b, const struct ww_vrp_block *block, const struct ww_vrp_item *steps, size_t count) {
  const size_t had = block ? (size_t)block->part.records : 0;
  if (!reserve_items(b, had * 2 + count))
    return false;
  assert(b->items); /* there is a step at least */
  /* The old records wait in the upper part of the buffer, where the merge cannot overtake them. */
  b->item_count = had + count;
  const struct ww_vrp_item *old = b->items + had + count, *old_end = old + had;
  if (block)
    (void)ww_vrp_tree_walk(&block->part, b->afi, WW_VRP_STORED, b, collect);
  bool changed = false;
  size_t n = 0;
  for (size_t i = 0; i < count;) {
    while (old < old_end && compare_identity(old, &steps[i]) < 0)
      b->items[n++] = *old++;
    bool had_it = old < old_end && compare_identity(old, &steps[i]) == 0;
    struct ww_vrp_item made;
    const struct ww_vrp_item *have = had_it ? old : NULL;
    size_t first = i;
    do
      have = take_step(have, &steps[i], &made);
    while (++i < count && compare_identity(&steps[first], &steps[i]) == 0);
    if (have)
      b->items[n++] = *have;
    if (!have != !had_it ||
        (have && (have->expires_low != old->expires_low || have->expires_high != old->expires_high)))
      changed = true;
    if (had_it)
      old++;
  }
  while (old < old_end)
    b->items[n++] = *old++;
  b->item_count = n;
  return changed;
}

static void *copy_of(const void *data, size_t size) {
  void *copy = malloc(size);
  return copy ? memcpy(copy, data, size) : NULL;
}

/* A copy that shares every child; NULL when memory ran out. */
static struct ww_vrp_fan *fan_copy(struct builder *b, const struct ww_vrp_fan *old) {
  struct ww_vrp_fan *fan = fan_new(b, old->part.depth);
  if (!fan)
    return NULL;
  size_t children = (size_t)1 << fan->bits;
  for (size_t i = 0; i < children; i++)
    fan->children[i] = ww_vrp_part_ref(old->children[i]);
  fan->slot_bits = old->slot_bits;
  size_t slot_size = ww_vrp_slot_row(old) * sizeof fan->slots[0] << old->bits;
  fan->slots = old->slots ? (uint16_t *)copy_of(old->slots, slot_size) : NULL;
  fan->covers = old->covers ? (uint16_t *)copy_of(old->covers, children * sizeof fan->covers[0]) : NULL;
  if ((old->slots && !fan->slots) || (old->covers && !fan->covers)) {
    b->err = WW_ERR_NOMEM;
    ww_vrp_part_unref(&fan->part);
    return NULL;
  }
  if (old->shorts)
    fan->shorts = block_of(ww_vrp_part_ref(&old->shorts->part));
  return fan;
}

static struct ww_vrp_part *part_apply(struct builder *b, struct ww_vrp_part *old, unsigned depth,
                                      struct ww_vrp_item *steps, size_t count);

static bool fan_apply_shorts(struct builder *b, struct ww_vrp_fan *fan, const struct ww_vrp_item *steps, size_t count,
                             bool *changed) {
  if (!merge(b, fan->shorts, steps, count))
    return b->err == WW_OK;
  *changed = true;
  struct ww_vrp_block *block = NULL;
  if (b->item_count > 0) {
    block = block_new(b, b->items, b->item_count, fan->part.depth);
    if (!block)
      return false;
  }
  return fan_set_shorts(b, fan, block);
}

static bool fan_apply_children(struct builder *b, struct ww_vrp_fan *fan, struct ww_vrp_item *steps, size_t count,
                               bool *changed) {
  for (size_t i = 0, end, child; i < count; i = end) {
    end = child_run(fan, steps, i, count, &child);
    struct ww_vrp_part *made =
        part_apply(b, fan->children[child], (unsigned)fan->part.depth + fan->bits, steps + i, end - i);
    if (b->err)
      return false;
    *changed |= made != fan->children[child];
    ww_vrp_part_unref(fan->children[child]);
    fan->children[child] = made;
    fan_set_slots(fan, child);
  }
  return true;
}

static struct ww_vrp_part *fan_apply(struct builder *b, struct ww_vrp_part *old, struct ww_vrp_item *steps,
                                     size_t count) {
  struct ww_vrp_part *out = NULL;
  struct ww_vrp_item *shorts = NULL;
  struct ww_vrp_fan *fan = fan_copy(b, ww_vrp_as_fan(old));
  if (!fan)
    return NULL;
  size_t kept = split_shorts(b, steps, count, (unsigned)old->depth + fan->bits, &shorts);
  bool changed = false;
  if (kept == SIZE_MAX || (shorts && !fan_apply_shorts(b, fan, shorts, count - kept, &changed)) ||
      !fan_apply_children(b, fan, steps, kept, &changed))
    goto out;
  if (!changed) {
    out = ww_vrp_part_ref(old);
    goto out;
  }
  if (!fan_finish(b, fan))
    goto out;
  if (fan->part.records <= b->limit / 4 && reserve_items(b, (size_t)fan->part.records)) {
    b->item_count = 0;
    (void)ww_vrp_tree_walk(&fan->part, b->afi, WW_VRP_STORED, b, collect);
    if (fits_block(b, b->items, b->item_count, old->depth)) {
      out = part_build(b, b->items, b->item_count, old->depth);
      goto out;
    }
  }
  if (!b->err)
    out = ww_vrp_part_ref(&fan->part);
out:
  free(shorts);
  ww_vrp_part_unref(&fan->part);
  return out;
}

/* A new reference to what `old` (may be NULL) becomes; NULL when it becomes empty, or with b->err set. */
static struct ww_vrp_part *part_apply(struct builder *b, struct ww_vrp_part *old, unsigned depth,
                                      struct ww_vrp_item *steps, size_t count) {
  if (count == 0)
    return ww_vrp_part_ref(old);
  if (old && old->is_fan)
    return fan_apply(b, old, steps, count);
  if (!merge(b, old ? block_of(old) : NULL, steps, count))
    return b->err ? NULL : ww_vrp_part_ref(old);
  return part_build(b, b->items, b->item_count, depth);
}

enum ww_err ww_vrp_tree_apply(struct ww_vrp_part *old, uint8_t afi, size_t limit, struct ww_vrp_item *steps,
                              size_t count, struct ww_vrp_part **out) {
  struct builder b = {.afi = afi, .width = ww_afi_bits(afi), .limit = limit};
  *out = part_apply(&b, old, 0, steps, count);
  free(b.items);
  return b.err;
}
