/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who uses which router key: from an (AS, SKI) to the attribute sets with a signature of it.
 */
#ifndef WW_RIB_SIGNERS_H
#define WW_RIB_SIGNERS_H

#include "base/hash.h"
#include "base/slab.h"
#include "rib/id_table.h"
#include "wire/bgp_bgpsec.h"

struct ww_signer_table {
  struct ww_hash_key key;
  struct ww_slab signers, uses;
  struct ww_id_table index;
};

void ww_signers_init(struct ww_signer_table *table, const struct ww_hash_key *key);
void ww_signers_fini(struct ww_signer_table *table);
/* Forgets everything. */
void ww_signers_clear(struct ww_signer_table *table);

/* Enters `user` under each signature of the path's blocks. *uses names the entries, for ww_signers_leave(); 0: none. */
enum ww_err ww_signers_enter(struct ww_signer_table *table, const struct ww_bgpsec_path *path, uint32_t user,
                             uint32_t *uses) WW_MUST_USE;
void ww_signers_leave(struct ww_signer_table *table, uint32_t uses);

/* The users of one (AS, SKI), one after another: 0 at the end. *use: 0 at the start. One may be given more than once.
 * The table must not change in between. */
uint32_t ww_signers_next(const struct ww_signer_table *table, uint32_t asn, const uint8_t ski[WW_SKI_LEN],
                         uint32_t *use);

size_t ww_signers_bytes(const struct ww_signer_table *table);

#endif
