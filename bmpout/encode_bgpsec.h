/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to the encoder: what a message says of signatures. There is then one NLRI in it.
 */
#ifndef WW_BMPOUT_ENCODE_BGPSEC_H
#define WW_BMPOUT_ENCODE_BGPSEC_H

#include "bmpout/encode_path.h"

struct ww_signed_plan {
  const struct ww_bgpsec_report *report; /* NULL: nothing is said */
  enum ww_path_cut cut;
  size_t size;
  bool truncated;
};

/* What there is to say within a message of `max` octets. */
struct ww_signed_plan ww_signed_plan(const struct ww_bgpsec_report *report, size_t max);
struct ww_signed_plan ww_signed_plan_least(const struct ww_bgpsec_report *report);

/* Validation Result; Rule; and BGPsec Segments TLVs, all of index 0. */
void ww_signed_write_result(struct ww_writer *w, const struct ww_encode_message *m, const struct ww_signed_plan *plan);
void ww_signed_write_evidence(struct ww_writer *w, const struct ww_encode_message *m, const struct ww_encode_routes *r,
                              const struct ww_signed_plan *plan);

#endif
