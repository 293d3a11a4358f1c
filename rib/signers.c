/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From router keys to what was signed with them.
 *
 * Data structure: a signer is an (AS, SKI), found by a keyed hash. Its uses hang in a list linked both ways; the uses
 * of one user hang in a second list, so that entering and leaving cost a few steps for each signature and nothing is
 * ever searched. A use takes 24 octets, where the signature itself takes about a hundred.
 *
 * Invariants: a signer exists exactly while it has uses; each use is in the list of its signer and in that of its user.
 */
#include "rib/signers.h"

#include <string.h>

struct signer {
  uint32_t asn;
  uint8_t ski[WW_SKI_LEN];
  uint32_t hash;
  uint32_t uses; /* head */
};

struct use {
  uint32_t signer, user;
  uint32_t prev, next; /* in the signer's list */
  uint32_t sibling;    /* next of the user's list */
};

static struct signer *signer_at(const struct ww_signer_table *t, uint32_t id) { return ww_slab_at(&t->signers, id); }
static struct use *use_at(const struct ww_signer_table *t, uint32_t id) { return ww_slab_at(&t->uses, id); }

void ww_signers_init(struct ww_signer_table *table, const struct ww_hash_key *key) {
  *table = (struct ww_signer_table){.key = *key};
  ww_slab_init(&table->signers, sizeof(struct signer));
  ww_slab_init(&table->uses, sizeof(struct use));
}

void ww_signers_clear(struct ww_signer_table *table) {
  ww_id_table_fini(&table->index);
  ww_slab_fini(&table->signers);
  ww_slab_fini(&table->uses);
}

void ww_signers_fini(struct ww_signer_table *table) { ww_signers_clear(table); }

struct probe {
  const struct ww_signer_table *table;
  uint32_t asn;
  const uint8_t *ski;
};

static bool same(const void *ctx, uint32_t id) {
  const struct probe *probe = ctx;
  const struct signer *s = signer_at(probe->table, id);
  return s->asn == probe->asn && memcmp(s->ski, probe->ski, WW_SKI_LEN) == 0;
}

static uint32_t hash_of(const struct ww_signer_table *table, uint32_t asn, const uint8_t *ski) {
  uint8_t octets[4 + WW_SKI_LEN];
  memcpy(octets, &asn, 4);
  memcpy(octets + 4, ski, WW_SKI_LEN);
  return (uint32_t)ww_siphash(&table->key, octets, sizeof octets);
}

static uint32_t find(const struct ww_signer_table *table, uint32_t hash, uint32_t asn, const uint8_t *ski) {
  const struct probe probe = {.table = table, .asn = asn, .ski = ski};
  return ww_id_table_find(&table->index, hash, same, &probe);
}

/* The signer, made if need be; 0 when memory ran out. */
static uint32_t signer_enter(struct ww_signer_table *table, uint32_t asn, const uint8_t *ski) {
  uint32_t hash = hash_of(table, asn, ski), id = find(table, hash, asn, ski);
  if (id)
    return id;
  id = ww_slab_alloc(&table->signers);
  if (!id)
    return 0;
  struct signer *s = signer_at(table, id);
  s->asn = asn;
  s->hash = hash;
  memcpy(s->ski, ski, WW_SKI_LEN);
  if (ww_id_table_add(&table->index, hash, id) != WW_OK) {
    ww_slab_free(&table->signers, id);
    return 0;
  }
  return id;
}

static void signer_tidy(struct ww_signer_table *table, uint32_t id) {
  const struct signer *s = signer_at(table, id);
  if (s->uses)
    return;
  ww_id_table_remove(&table->index, s->hash, id);
  ww_slab_free(&table->signers, id);
}

static bool enter_one(struct ww_signer_table *table, uint32_t asn, const uint8_t *ski, uint32_t user, uint32_t *uses) {
  uint32_t signer = signer_enter(table, asn, ski);
  uint32_t id = signer ? ww_slab_alloc(&table->uses) : 0;
  if (!id) {
    if (signer)
      signer_tidy(table, signer);
    return false;
  }
  struct signer *s = signer_at(table, signer);
  *use_at(table, id) = (struct use){.signer = signer, .user = user, .next = s->uses, .sibling = *uses};
  if (s->uses)
    use_at(table, s->uses)->prev = id;
  s->uses = id;
  *uses = id;
  return true;
}

enum ww_err ww_signers_enter(struct ww_signer_table *table, const struct ww_bgpsec_path *path, uint32_t user,
                             uint32_t *uses) {
  *uses = 0;
  for (size_t b = 0; b < path->block_count; b++) {
    struct ww_reader left = ww_reader_make(path->blocks[b].signatures, path->blocks[b].len);
    struct ww_bgpsec_signature signature;
    for (size_t i = 0; i < path->count && ww_bgpsec_signature_next(&left, &signature); i++)
      if (!enter_one(table, ww_bgpsec_segment_at(path, i).asn, signature.ski, user, uses)) {
        ww_signers_leave(table, *uses);
        *uses = 0;
        return WW_ERR_NOMEM;
      }
  }
  return WW_OK;
}

void ww_signers_leave(struct ww_signer_table *table, uint32_t uses) {
  while (uses) {
    const struct use u = *use_at(table, uses);
    if (u.prev)
      use_at(table, u.prev)->next = u.next;
    else
      signer_at(table, u.signer)->uses = u.next;
    if (u.next)
      use_at(table, u.next)->prev = u.prev;
    signer_tidy(table, u.signer);
    ww_slab_free(&table->uses, uses);
    uses = u.sibling;
  }
}

uint32_t ww_signers_next(const struct ww_signer_table *table, uint32_t asn, const uint8_t ski[WW_SKI_LEN],
                         uint32_t *use) {
  if (*use) {
    *use = use_at(table, *use)->next;
  } else {
    uint32_t signer = find(table, hash_of(table, asn, ski), asn, ski);
    *use = signer ? signer_at(table, signer)->uses : 0;
  }
  return *use ? use_at(table, *use)->user : 0;
}

size_t ww_signers_bytes(const struct ww_signer_table *table) {
  return ww_slab_bytes(&table->signers) + ww_slab_bytes(&table->uses) + table->index.cap * sizeof(struct ww_id_slot);
}
