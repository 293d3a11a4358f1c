/* SPDX-License-Identifier: BSD-2-Clause */
/* What the answer (aspa.c) and its evidence (aspa_explain.c) share. */
#ifndef WW_VALIDATOR_ASPA_PRIVATE_H
#define WW_VALIDATOR_ASPA_PRIVATE_H

#include "validator/snapshot_private.h"
#include <waywarden/aspa.h>

/* What can be said before any ASPA is asked: VALID means that the procedure is to be run. */
enum ww_state ww_aspa_gate(const struct ww_snapshot *snapshot, const struct ww_aspa_path *path,
                           const struct ww_aspa_session *session, enum ww_reason *reason);

static inline void ww_aspa_prefetch(const struct ww_record_table *table, uint32_t customer) {
  if (table)
    ww_aspa_slot_prefetch(table, customer);
}

/* draft-ietf-sidrops-aspa-verification-28 §5.3 */
static inline enum ww_aspa_hop_state ww_aspa_hop(const struct ww_record_table *table, uint32_t customer,
                                                 uint32_t provider) {
  const struct ww_aspa_slot *first, *slot = ww_aspa_slot_find(table, customer, &first);
  if (!slot)
    return WW_HOP_NO_ATTESTATION;
  return ww_aspa_slot_has(first, slot, provider) ? WW_HOP_PROVIDER : WW_HOP_NOT_PROVIDER;
}

#endif
