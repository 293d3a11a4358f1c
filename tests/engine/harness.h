/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the engine and a slow model of it side by side on a script of octets, with stations that believe only what
 * journal and view tell them. Shared by the property test (random scripts) and the fuzz target (the fuzzer's).
 */
#ifndef WW_TESTS_ENGINE_HARNESS_H
#define WW_TESTS_ENGINE_HARNESS_H

#include <stddef.h>
#include <stdint.h>

/* What a run has met, so that a test can tell that its scripts reach the interesting places. */
struct harness_coverage {
  uint64_t steps, checks, losses, resyncs, not_ready, coalesced, gone, peer_downs;
  uint64_t aspa_deltas, role_changes;
  uint64_t reevaluated,
      spared; /* routes of counted ASPA deltas: judged again, and not though their path holds the AS */
};

/* NULL when engine, model and stations agreed throughout, else what did not (static storage). */
const char *harness_run(const uint8_t *script, size_t len, struct harness_coverage *coverage);

#endif
