/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AS paths as ASPA verification takes them: without prepends, held once however many attribute sets have them, and
 * found by the ASes that stand in them.
 */
#ifndef WW_RIB_PATH_H
#define WW_RIB_PATH_H

#include "base/hash.h"
#include "base/slab.h"
#include "rib/id_table.h"
#include "wire/bgp.h"
#include <waywarden/aspa.h>

/* Room for a path under construction, reused from one to the next. Zero-initialise; ww_path_scratch_fini(). */
struct ww_path_scratch {
  uint32_t *asns;
  size_t cap;
};
void ww_path_scratch_fini(struct ww_path_scratch *scratch);

/* The path of a decoded UPDATE, from AS_PATH or from BGPsec_PATH, consecutive equal ASNs once; `*out` borrows from
 * `scratch`. A path with a set or a confederation segment has no ASNs here: nobody looks at them. */
enum ww_err ww_path_of_update(const struct ww_bgp_update *update, struct ww_path_scratch *scratch,
                              struct ww_aspa_path *out) WW_MUST_USE;

/* What the owner remembers of one procedure's result. */
struct ww_path_memo {
  uint32_t digest;
  uint8_t state, reason;
  uint8_t known; /* 0: nothing is remembered */
};

struct ww_rib_path {
  /* The table's: read only elsewhere. */
  uint32_t *asns; /* NULL for none; neighbor first */
  uint32_t count;
  uint32_t hash;
  uint32_t bundles; /* the rib's: head of the list of attribute sets that have this path */
  bool has_set, has_confed;
  /* The owner's: zero in a new path, else never touched here. */
  uint8_t flags, changed;
  uint32_t version;
  struct ww_path_memo memo[2];
};

/* The path ids that stand under one AS. */
struct ww_path_posting;

struct ww_path_table {
  struct ww_hash_key key;
  struct ww_slab paths;
  uint32_t *live; /* one bit for each id */
  size_t live_words;
  struct ww_id_table index;
  struct ww_slab postings;
  struct ww_id_table posting_index; /* by AS */
  size_t octets;                    /* of paths and postings outside of the slabs */
};

void ww_path_table_init(struct ww_path_table *table, const struct ww_hash_key *key);
void ww_path_table_fini(struct ww_path_table *table);
void ww_path_table_clear(struct ww_path_table *table);

/* The id of the path, entered if it is new. Whoever holds paths counts them: here it stays until it is removed. */
enum ww_err ww_path_enter(struct ww_path_table *table, const struct ww_aspa_path *path, uint32_t *id) WW_MUST_USE;
void ww_path_remove(struct ww_path_table *table, uint32_t id);

static inline struct ww_rib_path *ww_path_at(const struct ww_path_table *table, uint32_t id) {
  return ww_slab_at(&table->paths, id);
}
static inline bool ww_path_is_live(const struct ww_path_table *table, uint32_t id) {
  return id / 32 < table->live_words && (table->live[id / 32] >> id % 32 & 1);
}

/* The paths that hold `asn`: 0 at the end. *cursor: 0 at the start. One may be given more than once. The table must not
 * change in between. */
uint32_t ww_path_holding(const struct ww_path_table *table, uint32_t asn, size_t *cursor);

size_t ww_path_table_bytes(const struct ww_path_table *table);

#endif
