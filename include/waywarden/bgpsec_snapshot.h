/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WAYWARDEN_BGPSEC_SNAPSHOT_H
#define WAYWARDEN_BGPSEC_SNAPSHOT_H

/**
 * @file
 * The router keys of a snapshot as a key source for BGPsec verification.
 */
#include <waywarden/bgpsec.h>
#include <waywarden/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Private: looks for the `left`-th key that is visited. */
struct ww_bgpsec_snapshot_visit {
  size_t left;
  struct ww_router_key *out;
};

static inline int ww_bgpsec_snapshot_visit_key(void *ctx, const struct ww_router_key *key, ww_source_id source) {
  struct ww_bgpsec_snapshot_visit *visit = (struct ww_bgpsec_snapshot_visit *)ctx;
  (void)source;
  if (visit->left > 0) {
    visit->left--;
    return 0;
  }
  *visit->out = *key;
  return 1;
}

static inline bool ww_bgpsec_snapshot_find(const void *ctx, uint32_t asn, const uint8_t *ski, size_t index,
                                           struct ww_router_key *out) {
  struct ww_bgpsec_snapshot_visit visit = {index, out};
  return ww_snapshot_router_keys((const struct ww_snapshot *)ctx, asn, ski, &visit, ww_bgpsec_snapshot_visit_key) == 1;
}

/** The caller holds the snapshot for as long as it asks, and asks only one that is ready: keys that are not known yet
 *  would make signatures Not Valid. */
static inline struct ww_bgpsec_key_source ww_bgpsec_snapshot_source(const struct ww_snapshot *snapshot) {
  struct ww_bgpsec_key_source source = {snapshot, ww_bgpsec_snapshot_find};
  return source;
}

#ifdef __cplusplus
}
#endif
#endif
