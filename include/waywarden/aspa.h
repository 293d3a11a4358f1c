/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WAYWARDEN_ASPA_H
#define WAYWARDEN_ASPA_H

/**
 * @file
 * AS_PATH verification with ASPAs (draft-ietf-sidrops-aspa-verification-28).
 */
#include <waywarden/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A path as the procedures take it. Wire order: asns[0] is the neighbor, the last one the origin. Prepends may stand in
 * it: consecutive equal ASNs are taken as one.
 */
struct ww_aspa_path {
  const uint32_t *asns;
  size_t count;
  bool has_set;    /**< an AS_SET is somewhere in the path; `asns` is not looked at then */
  bool has_confed; /**< likewise AS_CONFED_SEQUENCE or AS_CONFED_SET */
};

/** What the verifying AS knows of the neighbor. */
struct ww_aspa_session {
  uint8_t role;         /**< enum ww_role: ours */
  uint32_t neighbor_as; /**< 0: not known, and then not checked */
};

/** The procedure for a local role: customer and mutual-transit take the downstream one, the others the upstream one.
 *  WW_ASPA_NONE for WW_ROLE_NONE. */
WW_EXPORT enum ww_aspa_procedure ww_aspa_procedure_of(enum ww_role role);

/**
 * The state of a path: valid, invalid or unknown; NOT_EVALUATED without a role, NOT_READY while the snapshot is not.
 * Stops as soon as the answer stands. No allocation. `reason` may be NULL. Family-independent: that only IPv4 and IPv6
 * unicast routes are verified is the caller's to see to.
 */
WW_EXPORT enum ww_state ww_aspa_verify(const struct ww_snapshot *snapshot, const struct ww_aspa_path *path,
                                       const struct ww_aspa_session *session, enum ww_reason *reason);

/** The same with every hop, the four bounds, and each ASPA used. `result` is reused: its storage is overwritten. The
 *  records in it borrow from the snapshot. */
WW_EXPORT enum ww_err ww_aspa_explain(const struct ww_snapshot *snapshot, const struct ww_aspa_path *path,
                                      const struct ww_aspa_session *session, struct ww_aspa_result *result) WW_MUST_USE;

/** authorized(customer, provider) of §5.3 over the merged records of all sources. */
WW_EXPORT enum ww_aspa_hop_state ww_aspa_authorized(const struct ww_snapshot *snapshot, uint32_t customer,
                                                    uint32_t provider);

#ifdef __cplusplus
}
#endif
#endif
