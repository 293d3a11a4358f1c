/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A B+-tree over the prefixes of one family.
 *
 * Why not a trie: a router's table has a million prefixes, and a binary trie spends a cache miss on each of some twenty
 * levels and 50 octets on each prefix. Nodes of 1 KiB give four levels of which all but the leaf stay cached, about 14
 * octets for an IPv4 prefix, and the one question a trie answers by its shape, "what does P cover", is a range here.
 *
 * Data structure: a key is the address octets followed by the length octet, compared as octets: order (address,
 * length). A leaf holds sorted keys and their values and is linked to its neighbours. An inner node holds `count` kids
 * and count - 1 separators; separator i is greater than every key below kid i and not greater than any below kid i + 1.
 *
 * Why a range is enough: let [P/l, last(P)] be the keys from (P, l) to (last address of P, all bits). A key (P, k) lies
 * in it if k >= l: covered. A key (A, k) with P < A <= last(P) has a bit set in A behind the first l bits, and as its
 * host bits are zero, k > l: covered. Every covered prefix is of one of these kinds.
 *
 * Invariants: every leaf has the same depth; no node but an empty root leaf is empty; an inner root has two kids or
 * more. Nodes need not be half full: a node that falls to a quarter is joined to a neighbour where both fit
 * comfortably, which keeps removal short and cannot thrash at a boundary. Leaves filled in ascending order (a router
 * that dumps its table sorted) are left full instead of half full.
 *
 * Ownership: the table owns its nodes; values are the caller's. A failed allocation leaves the table as it was.
 */
#include "rib/prefix_table.h"

#include <stdlib.h>
#include <string.h>

enum {
  NODE_SIZE = 1024,
  DEPTH_MAX = 16, /* each level multiplies by ten or more: 2^32 values fit in ten */
  KEY_MAX = 17,
  CACHE_LINE = 64,
};

struct node {
  struct node *prev, *next; /* neighbouring leaves */
  uint16_t count;           /* entries of a leaf, kids of an inner node */
  bool leaf;
  uint8_t keys[]; /* then, at values_at or kids_at, the values or kids */
};

struct ww_prefix_table {
  struct node *root;
  size_t count, nodes;
  uint8_t afi, key_len;
  uint16_t leaf_cap, inner_cap;
  uint16_t values_at, kids_at; /* octets from the start of a node */
};

struct key {
  uint8_t octets[KEY_MAX];
};

static struct key key_of(const struct ww_prefix_table *t, const struct ww_prefix *prefix) {
  struct key key;
  size_t addr_len = (size_t)t->key_len - 1;
  memcpy(key.octets, prefix->addr, addr_len);
  key.octets[addr_len] = prefix->len;
  return key;
}

static uint8_t *key_at(const struct ww_prefix_table *t, const struct node *n, size_t i) {
  return (uint8_t *)(uintptr_t)n + offsetof(struct node, keys) + i * t->key_len;
}

static uint32_t *values(const struct ww_prefix_table *t, const struct node *n) {
  return (uint32_t *)((uintptr_t)n + t->values_at);
}

static struct node **kids(const struct ww_prefix_table *t, const struct node *n) {
  return (struct node **)((uintptr_t)n + t->kids_at);
}

static int compare(const struct ww_prefix_table *t, const uint8_t *a, const uint8_t *b) {
  return memcmp(a, b, t->key_len);
}

static struct node *node_new(struct ww_prefix_table *t, bool leaf) {
  struct node *n = malloc(NODE_SIZE);
  if (!n)
    return NULL;
  n->prev = n->next = NULL;
  n->count = 0;
  n->leaf = leaf;
  t->nodes++;
  return n;
}

static void node_free(struct ww_prefix_table *t, struct node *n) {
  free(n);
  t->nodes--;
}

static bool node_full(const struct ww_prefix_table *t, const struct node *n) {
  return n->count == (n->leaf ? t->leaf_cap : t->inner_cap);
}

/* The first place in a leaf whose key is not below `key`. */
static size_t leaf_position(const struct ww_prefix_table *t, const struct node *n, const struct key *key) {
  size_t low = 0, high = n->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (compare(t, key_at(t, n, middle), key->octets) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static bool leaf_holds(const struct ww_prefix_table *t, const struct node *n, size_t i, const struct key *key) {
  return i < n->count && compare(t, key_at(t, n, i), key->octets) == 0;
}

/* Which kid's range has `key`: the number of separators that are not above it. */
static size_t kid_position(const struct ww_prefix_table *t, const struct node *n, const struct key *key) {
  size_t low = 0, high = (size_t)n->count - 1;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (compare(t, key_at(t, n, middle), key->octets) <= 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Asks for all of a node at once: a search in it would meet its lines one after the other, each a wait of its own. */
static inline void node_prefetch(const struct node *n) {
  for (size_t at = 0; at < NODE_SIZE; at += CACHE_LINE)
    __builtin_prefetch((const uint8_t *)n + at);
}

static const struct node *leaf_for(const struct ww_prefix_table *t, const struct key *key) {
  const struct node *n = t->root;
  while (!n->leaf) {
    n = kids(t, n)[kid_position(t, n, key)];
    node_prefetch(n);
  }
  return n;
}

/* Opens a gap of `width` octets for element i of an array of `count`. */
static void gap_open(void *base, size_t i, size_t count, size_t width) {
  uint8_t *at = (uint8_t *)base + i * width;
  memmove(at + width, at, (count - i) * width);
}

static void gap_close(void *base, size_t i, size_t count, size_t width) {
  uint8_t *at = (uint8_t *)base + i * width;
  memmove(at, at + width, (count - i - 1) * width);
}

struct ww_prefix_table *ww_prefix_table_new(uint8_t afi) {
  struct ww_prefix_table *t = calloc(1, sizeof *t);
  if (!t)
    return NULL;
  const size_t head = offsetof(struct node, keys), room = NODE_SIZE - head;
  t->afi = afi;
  t->key_len = (uint8_t)(ww_afi_bits(afi) / 8 + 1);
  t->leaf_cap = (uint16_t)((room - sizeof(uint32_t)) / (t->key_len + sizeof(uint32_t)));
  t->inner_cap = (uint16_t)((room - sizeof(void *)) / (t->key_len + sizeof(void *)));
  t->values_at = (uint16_t)(NODE_SIZE - t->leaf_cap * sizeof(uint32_t));
  t->kids_at = (uint16_t)(NODE_SIZE - t->inner_cap * sizeof(void *));
  t->root = node_new(t, true);
  if (!t->root) {
    free(t);
    return NULL;
  }
  return t;
}

static void subtree_free(struct ww_prefix_table *t, struct node *n) {
  if (!n->leaf)
    for (size_t i = 0; i < n->count; i++)
      subtree_free(t, kids(t, n)[i]);
  node_free(t, n);
}

void ww_prefix_table_free(struct ww_prefix_table *t) {
  if (!t)
    return;
  subtree_free(t, t->root);
  free(t);
}

void ww_prefix_table_clear(struct ww_prefix_table *t) {
  struct node *root = t->root;
  for (size_t i = 0; !root->leaf && i < root->count; i++)
    subtree_free(t, kids(t, root)[i]);
  root->leaf = true;
  root->count = 0;
  t->count = 0;
}

uint32_t ww_prefix_table_find(const struct ww_prefix_table *t, const struct ww_prefix *prefix) {
  const struct key key = key_of(t, prefix);
  const struct node *n = leaf_for(t, &key);
  size_t i = leaf_position(t, n, &key);
  return leaf_holds(t, n, i, &key) ? values(t, n)[i] : 0;
}

/* Moves the elements of kid i of `parent` from `at` on into a new right neighbour. `parent` has room. */
static bool split(struct ww_prefix_table *t, struct node *parent, size_t i, size_t at, const struct key *incoming) {
  struct node *left = kids(t, parent)[i];
  struct node *right = node_new(t, left->leaf);
  if (!right)
    return false;
  size_t moved = left->count - at;
  uint8_t separator[KEY_MAX];
  if (left->leaf) {
    /* Nothing moved: the right leaf is for the incoming key alone. */
    memcpy(separator, moved ? key_at(t, left, at) : incoming->octets, t->key_len);
    memcpy(key_at(t, right, 0), key_at(t, left, at), moved * t->key_len);
    memcpy(values(t, right), values(t, left) + at, moved * sizeof(uint32_t));
    right->prev = left;
    right->next = left->next;
    if (right->next)
      right->next->prev = right;
    left->next = right;
  } else {
    memcpy(separator, key_at(t, left, at - 1), t->key_len);
    memcpy(key_at(t, right, 0), key_at(t, left, at), (moved - 1) * t->key_len);
    memcpy(kids(t, right), kids(t, left) + at, moved * sizeof(struct node *));
  }
  left->count = (uint16_t)at;
  right->count = (uint16_t)moved;
  gap_open(key_at(t, parent, 0), i, (size_t)parent->count - 1, t->key_len);
  memcpy(key_at(t, parent, i), separator, t->key_len);
  gap_open(kids(t, parent), i + 1, parent->count, sizeof(struct node *));
  kids(t, parent)[i + 1] = right;
  parent->count++;
  return true;
}

/* Puts a new root above the present one, so that the present one can be split. */
static bool grow(struct ww_prefix_table *t) {
  struct node *root = node_new(t, false);
  if (!root)
    return false;
  kids(t, root)[0] = t->root;
  root->count = 1;
  t->root = root;
  return true;
}

/* An inner root of one kid gives way to it: after a removal, and when the split that grow() was for failed. */
static void shrink(struct ww_prefix_table *t) {
  while (!t->root->leaf && t->root->count == 1) {
    struct node *root = t->root;
    t->root = kids(t, root)[0];
    node_free(t, root);
  }
}

uint32_t *ww_prefix_table_enter(struct ww_prefix_table *t, const struct ww_prefix *prefix) {
  const struct key key = key_of(t, prefix);
  struct node *parent = NULL, *n = t->root;
  size_t kid = 0;
  /* Full inner nodes are split on the way down, so that a parent always has room; a leaf only if the key is new. */
  for (;;) {
    size_t i = n->leaf ? leaf_position(t, n, &key) : 0;
    if (n->leaf && leaf_holds(t, n, i, &key))
      return values(t, n) + i;
    if (node_full(t, n)) {
      if (!parent) {
        if (!grow(t))
          return NULL;
        parent = t->root;
        kid = 0;
      }
      bool ascending = n->leaf && !n->next && i == n->count;
      if (!split(t, parent, kid, ascending ? n->count : n->count / 2u, &key)) {
        shrink(t);
        return NULL;
      }
      kid = kid_position(t, parent, &key);
      n = kids(t, parent)[kid];
      continue;
    }
    if (n->leaf) {
      gap_open(key_at(t, n, 0), i, n->count, t->key_len);
      memcpy(key_at(t, n, i), key.octets, t->key_len);
      gap_open(values(t, n), i, n->count, sizeof(uint32_t));
      values(t, n)[i] = 0;
      n->count++;
      t->count++;
      return values(t, n) + i;
    }
    parent = n;
    kid = kid_position(t, n, &key);
    n = kids(t, n)[kid];
    node_prefetch(n);
  }
}

/* Takes kid i and the separator beside it out of `parent`. */
static void kid_drop(struct ww_prefix_table *t, struct node *parent, size_t i) {
  struct node *n = kids(t, parent)[i];
  if (n->leaf) {
    if (n->prev)
      n->prev->next = n->next;
    if (n->next)
      n->next->prev = n->prev;
  }
  node_free(t, n);
  if (parent->count > 1)
    gap_close(key_at(t, parent, 0), i ? i - 1 : 0, (size_t)parent->count - 1, t->key_len);
  gap_close(kids(t, parent), i, parent->count, sizeof(struct node *));
  parent->count--;
}

/* Joins kid i + 1 of `parent` into kid i when they fill three quarters of one node or less. */
static bool join(struct ww_prefix_table *t, struct node *parent, size_t i) {
  struct node *left = kids(t, parent)[i], *right = kids(t, parent)[i + 1];
  size_t cap = left->leaf ? t->leaf_cap : t->inner_cap, total = (size_t)left->count + right->count;
  if (total > cap * 3 / 4)
    return false;
  if (left->leaf) {
    memcpy(key_at(t, left, left->count), key_at(t, right, 0), (size_t)right->count * t->key_len);
    memcpy(values(t, left) + left->count, values(t, right), right->count * sizeof(uint32_t));
  } else {
    memcpy(key_at(t, left, (size_t)left->count - 1), key_at(t, parent, i), t->key_len);
    memcpy(key_at(t, left, left->count), key_at(t, right, 0), ((size_t)right->count - 1) * t->key_len);
    memcpy(kids(t, left) + left->count, kids(t, right), right->count * sizeof(struct node *));
  }
  left->count = (uint16_t)total;
  kid_drop(t, parent, i + 1);
  return true;
}

bool ww_prefix_table_remove(struct ww_prefix_table *t, const struct ww_prefix *prefix) {
  const struct key key = key_of(t, prefix);
  struct node *path[DEPTH_MAX], *n = t->root;
  size_t at[DEPTH_MAX], depth = 0;
  while (!n->leaf) {
    path[depth] = n;
    at[depth] = kid_position(t, n, &key);
    n = kids(t, n)[at[depth++]];
    node_prefetch(n);
  }
  size_t i = leaf_position(t, n, &key);
  if (!leaf_holds(t, n, i, &key))
    return false;
  gap_close(key_at(t, n, 0), i, n->count, t->key_len);
  gap_close(values(t, n), i, n->count, sizeof(uint32_t));
  n->count--;
  t->count--;
  while (depth > 0) {
    struct node *parent = path[--depth];
    size_t slot = at[depth];
    size_t cap = n->leaf ? t->leaf_cap : t->inner_cap;
    if (n->count == 0) {
      kid_drop(t, parent, slot);
    } else {
      bool joined = n->count <= cap / 4 &&
                    ((slot + 1 < parent->count && join(t, parent, slot)) || (slot > 0 && join(t, parent, slot - 1)));
      if (!joined)
        break;
    }
    n = parent;
  }
  shrink(t);
  return true;
}

size_t ww_prefix_table_scan(const struct ww_prefix_table *t, const struct ww_prefix *from, const struct ww_prefix *to,
                            struct ww_prefix_entry *out, size_t cap) {
  const struct key low = key_of(t, from), high = key_of(t, to);
  const struct node *n = leaf_for(t, &low);
  size_t i = leaf_position(t, n, &low), filled = 0;
  const size_t addr_len = (size_t)t->key_len - 1;
  while (n && filled < cap) {
    if (i == n->count) {
      n = n->next;
      i = 0;
      continue;
    }
    const uint8_t *k = key_at(t, n, i);
    if (compare(t, k, high.octets) > 0)
      break;
    struct ww_prefix_entry *entry = &out[filled++];
    memset(&entry->prefix, 0, sizeof entry->prefix);
    entry->prefix.afi = t->afi;
    memcpy(entry->prefix.addr, k, addr_len);
    entry->prefix.len = k[addr_len];
    entry->value = values(t, n)[i++];
  }
  return filled;
}

size_t ww_prefix_table_count(const struct ww_prefix_table *t) { return t->count; }

size_t ww_prefix_table_bytes(const struct ww_prefix_table *t) { return sizeof *t + t->nodes * NODE_SIZE; }
