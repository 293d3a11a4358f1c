/* SPDX-License-Identifier: BSD-2-Clause */
/* The decision process as RFC 4271 §9.1.2.2 writes it down: slow, pair by pair. Oracle for rib/decision.c. */
#ifndef WW_TESTS_RIB_MODEL_DECISION_H
#define WW_TESTS_RIB_MODEL_DECISION_H

#include "rib/decision.h"

struct ww_decision model_decide(const struct ww_candidate *candidates, size_t count,
                                const struct ww_decision_options *options, uint8_t *removed_by);

#endif
