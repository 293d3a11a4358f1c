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
 *   block: its prefixes in trie pre-order, that is sorted by (address, length), each with the position of its parent,
 *          the longest shorter prefix that covers it; the records of each prefix; slots to begin the search at
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
 * Memory for a prefix with one record: 16 octets of node, 4 of `first`, 12 of record, and about one of slots.
 */
#include "validator/vrp_tree.h"

#include <assert.h>
#include <stdlib.h>

/* Prefixes for each slot of a block: few enough that the search within a slot is a step or two. */
enum { PREFIXES_PER_SLOT = 4, SLOT_BITS_MAX = 9 };

/* A fan of 16 bits has at most 2^16 - 1 prefixes that are too short for its children: 0xffff stays free. */
static_assert(WW_VRP_NONE == 0xffff && (int)WW_VRP_BLOCK_MAX < (int)WW_VRP_NONE, "positions in a block are 16 bits");
static_assert(WW_VRP_BLOCK_MAX / PREFIXES_PER_SLOT <= 1 << SLOT_BITS_MAX, "slots suffice for a full block");

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
  }
  free(part);
}

static unsigned fan_bits(const struct builder *b, unsigned depth) {
  unsigned bits = depth > 0 ? 8 : b->width == 32 ? 12 : 16;
  return bits < b->width - depth ? bits : b->width - depth;
}

/* --- items ------------------------------------------------------------------------------------------------------ */

static int compare_prefix(const struct ww_vrp_item *a, const struct ww_vrp_item *b) {
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

static void put_octets(uint8_t *to, uint64_t v, size_t n) {
  for (size_t i = 0; i < n; i++)
    to[i] = (uint8_t)(v >> (56 - 8 * i));
}

void ww_vrp_item_to_vrp(const struct ww_vrp_item *item, uint8_t afi, struct ww_vrp *vrp) {
  memset(vrp, 0, sizeof *vrp);
  vrp->prefix.afi = afi;
  vrp->prefix.len = item->len;
  put_octets(vrp->prefix.addr, item->hi, afi == WW_AFI_IPV4 ? 4 : 8);
  if (afi == WW_AFI_IPV6)
    put_octets(vrp->prefix.addr + 8, item->lo, 8);
  vrp->max_len = item->max_len;
  vrp->asn = item->asn;
  vrp->expires = (ww_unix_time)((uint64_t)item->expires_high << 32 | item->expires_low);
}

void ww_vrp_node_address(const struct ww_vrp_block *block, uint8_t afi, size_t i, uint64_t *hi, uint64_t *lo) {
  uint64_t key = block->nodes[i].key;
  *lo = 0;
  if (block->wide) {
    *hi = key;
    *lo = block->cold->low[i];
  } else if (afi == WW_AFI_IPV4) {
    *hi = key >> 8 << 32;
  } else {
    *hi = (uint64_t)block->top << 56 | key >> 8;
  }
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
  const struct ww_vrp_cold *cold = block->cold;
  struct ww_vrp_item item = {.len = (uint8_t)ww_vrp_node_len(block, i)};
  ww_vrp_node_address(block, w->afi, i, &item.hi, &item.lo);
  if (w->order == WW_VRP_STORED || !block->nodes[i].many) {
    int stop = 0;
    for (uint32_t r = cold->first[i]; r < cold->first[i + 1] && !stop; r++) {
      ww_vrp_item_fill(&item, &cold->records[r]);
      stop = w->visit(w->ctx, &item);
    }
    return stop;
  }
  /* One pass for each max_len that occurs, shortest first: there are at most 129, and no memory is needed. */
  for (unsigned max_len = item.len, next; max_len <= 128; max_len = next) {
    next = 255;
    for (uint32_t r = cold->first[i]; r < cold->first[i + 1]; r++) {
      unsigned here = cold->records[r].max_len;
      if (here > max_len && here < next)
        next = here;
      if (here != max_len)
        continue;
      ww_vrp_item_fill(&item, &cold->records[r]);
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
      ww_vrp_node_address(fan->shorts, w->afi, next, &hi, &lo);
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

static size_t round_up(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

static size_t count_prefixes(const struct ww_vrp_item *items, size_t count) {
  size_t prefixes = 0;
  for (size_t i = 0; i < count; i++)
    prefixes += i == 0 || compare_prefix(&items[i - 1], &items[i]) != 0;
  return prefixes;
}

struct block_layout {
  size_t prefixes, records;
  bool wide;
  unsigned slot_bits;
  size_t nodes, cold, first, record, low, len, size; /* offsets, and all of it */
};

static struct block_layout lay_out(const struct builder *b, const struct ww_vrp_item *items, size_t count,
                                   unsigned depth) {
  struct block_layout l = {.prefixes = count_prefixes(items, count), .records = count};
  if (b->afi == WW_AFI_IPV6) {
    l.wide = depth < 8;
    for (size_t i = 0; i < count && !l.wide; i++)
      l.wide = items[i].len > 64;
  }
  if (!l.wide) {
    unsigned room = (b->width < 64 ? b->width : 64) - depth;
    while (l.slot_bits < SLOT_BITS_MAX && l.slot_bits < room && l.prefixes > (size_t)PREFIXES_PER_SLOT << l.slot_bits)
      l.slot_bits++;
  }
  size_t slots = ((size_t)1 << l.slot_bits) + 1;
  l.nodes = round_up(sizeof(struct ww_vrp_block) + slots * sizeof(uint16_t), 8);
  l.cold = l.nodes + l.prefixes * sizeof(struct ww_vrp_node);
  l.low = l.cold + sizeof(struct ww_vrp_cold);
  l.first = l.low + (l.wide ? l.prefixes * sizeof(uint64_t) : 0);
  l.record = l.first + (l.prefixes + 1) * sizeof(uint32_t);
  l.len = l.record + l.records * sizeof(struct ww_vrp_record);
  l.size = l.len + (l.wide ? l.prefixes : 0);
  return l;
}

/*
 * A block of `items`, sorted; NULL when memory ran out. One allocation: header, slots, nodes (what a question needs),
 * then the cold part (what only evidence and changes need).
 */
static struct ww_vrp_block *block_new(struct builder *b, const struct ww_vrp_item *items, size_t count,
                                      unsigned depth) {
  struct block_layout l = lay_out(b, items, count, depth);
  uint8_t *memory = count <= UINT32_MAX ? (uint8_t *)malloc(l.size) : NULL;
  if (!memory) {
    b->err = WW_ERR_NOMEM;
    return NULL;
  }
  struct ww_vrp_block *block = (struct ww_vrp_block *)(void *)memory;
  struct ww_vrp_node *nodes = (struct ww_vrp_node *)(void *)(memory + l.nodes);
  struct ww_vrp_cold *cold = (struct ww_vrp_cold *)(void *)(memory + l.cold);
  uint32_t *first = (uint32_t *)(void *)(memory + l.first);
  struct ww_vrp_record *records = (struct ww_vrp_record *)(void *)(memory + l.record);
  uint64_t *low = (uint64_t *)(void *)(memory + l.low);
  uint8_t *len = memory + l.len;
  *cold = (struct ww_vrp_cold){.first = first, .records = records, .low = low, .len = len};
  atomic_init(&block->part.refs, 1);
  block->part.is_fan = false;
  block->part.depth = (uint8_t)depth;
  block->part.records = count;
  block->part.bytes = l.size;
  block->wide = l.wide;
  block->top = (uint8_t)(items[0].hi >> 56);
  block->slot_mask = (uint16_t)((1u << l.slot_bits) - 1);
  block->slot_shift = (uint8_t)(l.slot_bits ? 64 - depth - l.slot_bits : 0);
  block->count = (uint32_t)l.prefixes;
  block->nodes = nodes;
  block->cold = cold;

  uint16_t ancestors[130]; /* chain of the prefix before; lengths grow along it */
  const struct ww_vrp_item *at[130];
  unsigned height = 0;
  size_t n = 0, slot = 0;
  for (size_t i = 0; i < count; n++) {
    const struct ww_vrp_item *item = &items[i];
    while (height > 0 &&
           !ww_vrp_same_bits(at[height - 1]->hi, at[height - 1]->lo, item->hi, item->lo, at[height - 1]->len))
      height--;
    struct ww_vrp_node *node = &nodes[n];
    node->key = l.wide ? item->hi : b->afi == WW_AFI_IPV4 ? item->hi >> 24 | item->len : item->hi << 8 | item->len;
    node->asn = item->asn;
    node->max_len = item->max_len;
    node->parent = height ? ancestors[height - 1] : (uint16_t)WW_VRP_NONE;
    ancestors[height] = (uint16_t)n;
    at[height++] = item;
    if (l.wide) {
      low[n] = item->lo;
      len[n] = item->len;
    }
    for (size_t s = item->hi >> block->slot_shift & block->slot_mask; slot <= s; slot++)
      block->slots[slot] = (uint16_t)n;
    first[n] = (uint32_t)i;
    do {
      records[i] = (struct ww_vrp_record){.asn = items[i].asn,
                                          .expires_low = items[i].expires_low,
                                          .source = items[i].source,
                                          .max_len = items[i].max_len,
                                          .expires_high = items[i].expires_high};
      i++;
    } while (i < count && compare_prefix(item, &items[i]) == 0);
    node->many = i - first[n] > 1;
  }
  first[n] = (uint32_t)count;
  for (; slot <= (size_t)block->slot_mask + 1; slot++)
    block->slots[slot] = (uint16_t)n;
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
    ww_vrp_node_address(shorts, b->afi, i, &hi, &lo);
    size_t begin = ww_vrp_bits(hi, lo, fan->part.depth, fan->bits);
    size_t span = (size_t)1 << (fan->part.depth + fan->bits - ww_vrp_node_len(shorts, i));
    for (size_t child = begin; child < begin + span; child++)
      fan->covers[child] = (uint16_t)i;
  }
  return true;
}

static void fan_sum(struct ww_vrp_fan *fan) {
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
  fan->part.bytes = bytes;
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

/* A part of `items`, sorted (and reordered here); NULL for none of them, or with b->err set. */
static struct ww_vrp_part *part_build(struct builder *b, struct ww_vrp_item *items, size_t count, unsigned depth) {
  if (count == 0)
    return NULL;
  if (count <= b->limit || depth == b->width || count_prefixes(items, count) <= b->limit) {
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
  fan_sum(fan);
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
  b->items[b->item_count++] = *item; /* room was made for all of the part */
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

/* A copy that shares every child; NULL when memory ran out. */
static struct ww_vrp_fan *fan_copy(struct builder *b, const struct ww_vrp_fan *old) {
  struct ww_vrp_fan *fan = fan_new(b, old->part.depth);
  if (!fan)
    return NULL;
  size_t children = (size_t)1 << fan->bits;
  for (size_t i = 0; i < children; i++)
    fan->children[i] = ww_vrp_part_ref(old->children[i]);
  if (!old->shorts)
    return fan;
  fan->covers = (uint16_t *)malloc(children * sizeof fan->covers[0]);
  if (!fan->covers) {
    b->err = WW_ERR_NOMEM;
    ww_vrp_part_unref(&fan->part);
    return NULL;
  }
  memcpy(fan->covers, old->covers, children * sizeof fan->covers[0]);
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
  fan_sum(fan);
  if (fan->part.records > b->limit / 4) {
    out = ww_vrp_part_ref(&fan->part);
    goto out;
  }
  /* Nearly empty: a block will do. */
  if (!reserve_items(b, (size_t)fan->part.records))
    goto out;
  b->item_count = 0;
  (void)ww_vrp_tree_walk(&fan->part, b->afi, WW_VRP_STORED, b, collect);
  out = part_build(b, b->items, b->item_count, old->depth);
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
