/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index of the VRPs of one address family: an immutable, shared tree of blocks. vrp_tree.c tells how it is built,
 * origin.c how it is asked. Private to this room.
 *
 * A tree is a `struct ww_vrp_part *`, NULL when empty. A part is either a block (the VRPs of one stretch of address
 * space, at most a few thousand prefixes) or a fan (2^bits parts for the parts of its stretch, and one block for the
 * prefixes too short to belong to a single one of them). Parts are never changed once built; trees share them by
 * reference count.
 */
#ifndef WW_VALIDATOR_VRP_TREE_H
#define WW_VALIDATOR_VRP_TREE_H

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <waywarden/payload.h>

/* Prefixes that a block holds before it becomes a fan. 16-bit positions inside blocks rest on this bound. */
enum { WW_VRP_BLOCK_MAX = 2048 };

/* Words behind the nodes of a block, all bits set: what a search may read beyond its end. */
enum { WW_VRP_SPARE = 8 };

/* "No prefix": ends a chain of parents. A node's position fits 16 bits. */
enum { WW_VRP_NONE = 0xffff };

struct ww_vrp_part {
  _Atomic uint32_t refs;
  bool is_fan;
  uint8_t depth;    /* leading bits that everything in this part has in common */
  uint64_t records; /* in this part and below */
  uint64_t bytes;   /* likewise, memory */
};

/*
 * A distinct prefix of a block, packed into one word, because what a question costs is the memory that it touches:
 *
 *   63..40  address: 24 bits after those that the block has in common (its depth)
 *   39..35  length - depth
 *   34..30  how many nodes back its parent is, the longest shorter prefix of this block that covers it: 0 none,
 *           31 as `parent` of the block says
 *      24  0 when its only record is here:             1 when there are several, or one that does not fit here:
 *   29..25  max_len - length                             how many; 0: as `first` of the block says
 *   23..0   AS                                           where they are, in units of 4 octets from the block's start
 *
 * Words sort as a walk of the trie meets the prefixes: by address, then length.
 * A block where some prefix does not fit is `wide`: its words are the first 64 bits of the addresses.
 */
typedef uint64_t ww_vrp_word;

enum {
  WW_VRP_ADDRESS_BITS = 24,
  WW_VRP_ADDRESS_SHIFT = 40,
  WW_VRP_LENGTH_SHIFT = 35,
  WW_VRP_PARENT_SHIFT = 30,
  WW_VRP_PARENT_FAR = 31,
  WW_VRP_MAX_LEN_SHIFT = 25,
  WW_VRP_MAX_LEN_MOST = 31,
  WW_VRP_LOOK = 1 << 24,
  WW_VRP_ASN_MOST = (1 << 24) - 1,
  WW_VRP_UNIT = 4,
};

static inline unsigned ww_vrp_word_length(ww_vrp_word word) { return word >> WW_VRP_LENGTH_SHIFT & 31; }
static inline unsigned ww_vrp_word_parent(ww_vrp_word word) { return word >> WW_VRP_PARENT_SHIFT & 31; }
static inline unsigned ww_vrp_word_max_len(ww_vrp_word word) { return word >> WW_VRP_MAX_LEN_SHIFT & 31; }

/* The 24 bits after `depth`, in their place. */
static inline ww_vrp_word ww_vrp_word_address(uint64_t hi, unsigned depth) {
  return hi << depth >> WW_VRP_ADDRESS_SHIFT << WW_VRP_ADDRESS_SHIFT;
}

/*
 * One VRP of one source.
 * CHOICE: expiry is kept as 40-bit unsigned Unix seconds (until the year 36812): 32 bits end in 2106, 64 cost 3 octets
 * more a record. Times beyond are clamped; a time before 1970 becomes 1, as 0 means "not told".
 */
struct ww_vrp_record {
  uint32_t asn;
  uint32_t expires_low;
  uint16_t source;
  uint8_t max_len;
  uint8_t expires_high;
};

struct ww_vrp_block {
  struct ww_vrp_part part;
  bool wide;
  uint32_t count;                      /* nodes */
  uint64_t hi;                         /* an address of this block: its first `depth` bits */
  const struct ww_vrp_record *records; /* those of a node together, by asn, max_len, source */
  const uint32_t *first;               /* node i has records[first[i]] .. records[first[i + 1] - 1] */
  const uint16_t *parent;              /* of node i, or WW_VRP_NONE */
  const uint64_t *low;                 /* wide blocks only: address bits 64..127 of node i */
  const uint8_t *len;                  /* wide blocks only: length of node i */
  ww_vrp_word nodes[];                 /* and WW_VRP_SPARE words that sort after all */
};

struct ww_vrp_fan {
  struct ww_vrp_part part;
  uint8_t bits;                /* children: 2^bits */
  uint8_t slot_bits;           /* slots of a child: 2^slot_bits */
  struct ww_vrp_block *shorts; /* prefixes of depth <= length < depth + bits, or NULL */
  uint16_t *covers;            /* with shorts: node of shorts that covers the whole of child i, or WW_VRP_NONE */
  uint16_t *slots;             /* where in a child to search: ww_vrp_slot(); NULL in a fan of 16 bits */
  struct ww_vrp_part *children[];
};

/* Every slot of a child that is searched in another way: a fan, or a wide block. */
enum { WW_VRP_NO_SLOT = 0xffff };

/* A record outside a tree; also one step of a change. */
struct ww_vrp_item {
  uint64_t hi, lo; /* address, left-aligned in 128 bits */
  uint32_t asn;
  uint32_t expires_low;
  uint16_t source;
  uint8_t len;
  uint8_t max_len;
  uint8_t expires_high;
  uint8_t step; /* enum ww_vrp_step */
};

/* In the order in which steps upon one record are taken. */
enum ww_vrp_step { WW_VRP_WITHDRAW, WW_VRP_ANNOUNCE, WW_VRP_REFRESH };

static inline const struct ww_vrp_block *ww_vrp_as_block(const struct ww_vrp_part *part) {
  return (const struct ww_vrp_block *)part;
}

static inline const struct ww_vrp_fan *ww_vrp_as_fan(const struct ww_vrp_part *part) {
  return (const struct ww_vrp_fan *)part;
}

/* Written out in octets, which compilers know for a swap and one access. */
static inline uint64_t ww_vrp_octets8(const uint8_t *p) {
  return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 | (uint64_t)p[3] << 32 |
         (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 | (uint64_t)p[6] << 8 | p[7];
}

static inline void ww_vrp_put_octets8(uint8_t *p, uint64_t v) {
  p[0] = (uint8_t)(v >> 56);
  p[1] = (uint8_t)(v >> 48);
  p[2] = (uint8_t)(v >> 40);
  p[3] = (uint8_t)(v >> 32);
  p[4] = (uint8_t)(v >> 24);
  p[5] = (uint8_t)(v >> 16);
  p[6] = (uint8_t)(v >> 8);
  p[7] = (uint8_t)v;
}

/* `n` bits of the address from bit `at`: 1 <= n <= 16, at + n <= 128, and not across bit 64. */
static inline size_t ww_vrp_bits(uint64_t hi, uint64_t lo, unsigned at, unsigned n) {
  uint64_t word = at < 64 ? hi : lo;
  return (size_t)(word << (at & 63) >> (64 - n));
}

/* True when the first `len` bits agree; len <= 128. */
static inline bool ww_vrp_same_bits(uint64_t hi_a, uint64_t lo_a, uint64_t hi_b, uint64_t lo_b, unsigned len) {
  uint64_t hi = hi_a ^ hi_b, lo = lo_a ^ lo_b;
  if (len <= 64)
    return len == 0 || hi >> (64 - len) == 0;
  return hi == 0 && lo >> (128 - len) == 0;
}

static inline unsigned ww_vrp_node_len(const struct ww_vrp_block *block, size_t i) {
  return block->wide ? block->len[i] : block->part.depth + ww_vrp_word_length(block->nodes[i]);
}

/*
 * Slots cut a child's stretch of addresses into 2^slot_bits equal parts. The answer for an address in slot s is among
 * nodes[slot[s] - 1] .. nodes[slot[s + 1] - 1] of the child: only these need searching, and the child's own header, one
 * more line of memory, is not looked at. A child has one slot more than it has parts, for the end of the last one.
 */
static inline size_t ww_vrp_slot_row(const struct ww_vrp_fan *fan) { return ((size_t)1 << fan->slot_bits) + 1; }

static inline const uint16_t *ww_vrp_slot(const struct ww_vrp_fan *fan, size_t child, uint64_t hi) {
  size_t part =
      (size_t)(hi >> (64 - fan->part.depth - fan->bits - fan->slot_bits)) & (((size_t)1 << fan->slot_bits) - 1);
  return fan->slots + child * ww_vrp_slot_row(fan) + part;
}

void ww_vrp_node_address(const struct ww_vrp_block *block, size_t i, uint64_t *hi, uint64_t *lo);

/* All but the prefix. */
void ww_vrp_item_fill(struct ww_vrp_item *item, const struct ww_vrp_record *record);
void ww_vrp_item_set_expires(struct ww_vrp_item *item, ww_unix_time expires);
void ww_vrp_item_to_vrp(const struct ww_vrp_item *item, uint8_t afi, struct ww_vrp *vrp);

struct ww_vrp_part *ww_vrp_part_ref(struct ww_vrp_part *part); /* NULL is fine */
void ww_vrp_part_unref(struct ww_vrp_part *part);              /* NULL is fine */

/*
 * The tree `old` with `steps` taken, all of one source, ordered by ww_vrp_item_compare(). Reorders `steps`. `*out` is
 * the caller's reference: to `old` itself when nothing changed. `limit` <= WW_VRP_BLOCK_MAX: prefixes in a block.
 */
enum ww_err ww_vrp_tree_apply(struct ww_vrp_part *old, uint8_t afi, size_t limit, struct ww_vrp_item *steps,
                              size_t count, struct ww_vrp_part **out) WW_MUST_USE;

/* By prefix, asn, max_len, source, step. */
int ww_vrp_item_compare(const struct ww_vrp_item *a, const struct ww_vrp_item *b);

enum ww_vrp_order {
  WW_VRP_STORED,    /* records of a prefix by asn, max_len, source */
  WW_VRP_CANONICAL, /* by max_len, asn, source: payload.h's order */
};

/* Visits every record by prefix; a non-zero return stops the walk and is returned. */
int ww_vrp_tree_walk(const struct ww_vrp_part *part, uint8_t afi, enum ww_vrp_order order, void *ctx,
                     int (*visit)(void *ctx, const struct ww_vrp_item *item));

#endif
