/* SPDX-License-Identifier: BSD-2-Clause */
/* AS_PATH verification as slowly and literally as can be: the measure for validator/aspa.c and aspa_explain.c. */
#ifndef WW_TESTS_MODEL_ASPA_H
#define WW_TESTS_MODEL_ASPA_H

#include <waywarden/aspa.h>

enum { MODEL_PATH_MAX = 64, MODEL_PROVIDERS_MAX = 512 };

struct model_aspa_record {
  uint32_t customer;
  ww_source_id source;
  ww_unix_time expires;
  uint32_t provider_count;
  uint32_t providers[MODEL_PROVIDERS_MAX];
};

/* Records by customer, source. Zero-initialise. */
struct model_aspa {
  struct model_aspa_record *records;
  size_t count, cap;
};

void model_aspa_fini(struct model_aspa *model);
void model_aspa_apply(struct model_aspa *model, const struct ww_payload_delta *delta);

/* The four bounds and the outcome. `n` and the bounds are 0 when the procedure halts before them. */
struct model_aspa_outcome {
  enum ww_state state;
  uint32_t n, max_up, min_up, max_down, min_down;
};
enum ww_aspa_hop_state model_authorized(const struct model_aspa *model, uint32_t x, uint32_t y);
struct model_aspa_outcome model_upstream(const struct model_aspa *model, const struct ww_aspa_path *path,
                                         uint32_t neighbor, bool rs_client);
struct model_aspa_outcome model_downstream(const struct model_aspa *model, const struct ww_aspa_path *path,
                                           uint32_t neighbor);

#endif
