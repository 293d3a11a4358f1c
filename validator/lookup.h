/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a snapshot holds a record, whichever source it came from. */
#ifndef WW_VALIDATOR_LOOKUP_H
#define WW_VALIDATOR_LOOKUP_H

#include <waywarden/snapshot.h>

/* `vrp` is sound as ww_payloads_add_vrp() wants it; its expiry is not looked at. No allocation; from any thread. */
bool ww_snapshot_has_vrp(const struct ww_snapshot *snapshot, const struct ww_vrp *vrp);

#endif
