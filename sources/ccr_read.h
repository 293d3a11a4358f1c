/* SPDX-License-Identifier: BSD-2-Clause */
/* A whole CCR (draft-ietf-sidrops-rpki-ccr-11) in memory, verified, to payloads. */
#ifndef WW_SOURCES_CCR_READ_H
#define WW_SOURCES_CCR_READ_H

#include <waywarden/payload.h>

struct ww_ccr_info {
  ww_unix_time produced_at;
  unsigned states;                 /* bit n: the state with tag [n] is there */
  size_t manifests, trust_anchors; /* verified and counted; nothing else is made of them */
  ww_unix_time most_recent_update; /* of the manifests, 0 none */
  bool by_client;                  /* prefixes are in the order of rpki-client, not in that of RFC 9582 */
  size_t skipped;                  /* states of later revisions */
};

/*
 * Appends the records to *out, in the order of the file. Every state there is verified: its hash, its order and its
 * bounds. WW_ERR_MALFORMED with the offset, the clause where the draft has one, and what is wrong, WW_ERR_UNSUPPORTED
 * for other versions, hash algorithms and contents. After an error *out is of no use.
 */
enum ww_err ww_ccr_read(const void *data, size_t len, struct ww_payloads *out, struct ww_ccr_info *info,
                        struct ww_diag *diag) WW_MUST_USE;

#endif
