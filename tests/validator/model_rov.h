/* SPDX-License-Identifier: BSD-2-Clause */
/* A slow, literal model of RFC 6811 §2 over a plain array, to hold the index against. */
#ifndef WW_TESTS_VALIDATOR_MODEL_ROV_H
#define WW_TESTS_VALIDATOR_MODEL_ROV_H

#include <waywarden/verdict.h>

struct model_record {
  struct ww_vrp vrp;
  ww_source_id source;
};

struct model {
  struct model_record *records; /* canonical order: VRP, source */
  size_t count, cap;
};

void model_fini(struct model *model);
/* Steps as ww_snapshot_apply() documents them: withdraw, announce, refresh. */
void model_apply(struct model *model, const struct ww_payload_delta *delta);
/* Fills the result as ww_origin_explain() documents it. */
void model_validate(const struct model *model, const struct ww_prefix *route, struct ww_origin origin,
                    struct ww_origin_result *result);

#endif
