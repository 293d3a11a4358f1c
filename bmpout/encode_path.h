/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to the encoder: what a message says of its AS path, which is that of all its NLRIs.
 */
#ifndef WW_BMPOUT_ENCODE_PATH_H
#define WW_BMPOUT_ENCODE_PATH_H

#include "bmpout/encode.h"

/* How much of the evidence goes in, from all that may to what is needed at least. */
enum ww_path_cut { WW_PATH_WHOLE = 0, WW_PATH_SHORT = 1, WW_PATH_LEAST = 2 };

struct ww_path_plan {
  const struct ww_aspa_result *aspa; /* NULL: nothing is said */
  bool covering;
  enum ww_path_cut cut;
  size_t size;
  bool truncated;
};

/* What there is to say within a message of `max` octets. */
struct ww_path_plan ww_path_plan(const struct ww_aspa_result *aspa, bool covering, size_t max);
struct ww_path_plan ww_path_plan_least(const struct ww_aspa_result *aspa);

/* Validation Result; Rule; and Path Result TLVs, all of index 0. */
void ww_path_write_result(struct ww_writer *w, const struct ww_encode_message *m, const struct ww_path_plan *plan);
void ww_path_write_evidence(struct ww_writer *w, const struct ww_encode_message *m, const struct ww_encode_routes *r,
                            const struct ww_path_plan *plan);

/* encode.c: a TLV of ours begins. */
size_t ww_encode_tlv(struct ww_writer *w, const struct ww_encode_message *m, uint16_t type, uint16_t index);
/* Rule flags that the source makes. */
uint16_t ww_encode_source_flags(const struct ww_encode_routes *r, ww_source_id source);

#endif
