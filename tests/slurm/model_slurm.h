/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RFC 8416 §3 word by word, one filter against one record at a time, bit by bit. It shares no code with slurm/.
 */
#ifndef WW_TESTS_SLURM_MODEL_SLURM_H
#define WW_TESTS_SLURM_MODEL_SLURM_H

#include "slurm/slurm.h"

enum { MODEL_RECORDS = 512, MODEL_PROVIDERS = 16 };

struct model_aspa {
  uint32_t customer;
  uint32_t count;
  uint32_t providers[MODEL_PROVIDERS * 4];
};

/* A set without order and without duplicates. */
struct model_set {
  struct ww_vrp vrps[MODEL_RECORDS];
  size_t vrp_count;
  struct model_aspa aspas[MODEL_RECORDS];
  size_t aspa_count;
  struct ww_router_key keys[MODEL_RECORDS];
  size_t key_count;
};

bool model_matches_vrp(const struct ww_slurm_item *filter, const struct ww_vrp *vrp);
bool model_matches_key(const struct ww_slurm_item *filter, const struct ww_router_key *key);
bool model_matches_aspa(const struct ww_slurm_item *filter, const struct ww_aspa *aspa);
void model_apply(const struct ww_slurm_item *items, size_t count, const struct ww_payloads *in, struct model_set *out);
/* True when both hold the same records, expiry left aside. */
bool model_equals(const struct model_set *model, const struct ww_payloads *set);

#endif
