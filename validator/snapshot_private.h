/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of this room know about a snapshot and nobody else does. */
#ifndef WW_VALIDATOR_SNAPSHOT_PRIVATE_H
#define WW_VALIDATOR_SNAPSHOT_PRIVATE_H

#include "validator/record_table.h"
#include "validator/vrp_tree.h"
#include <waywarden/snapshot.h>

struct ww_snapshot {
  _Atomic uint32_t refs;
  uint32_t epoch;
  bool ready;
  uint16_t block_limit;
  struct ww_vrp_part *vrps[2];   /* IPv4, IPv6 */
  struct ww_record_table *aspas; /* NULL when empty, likewise below */
  struct ww_record_table *keys;
};

/* ww_snapshot_new() whose blocks become fans beyond `limit` prefixes (1..WW_VRP_BLOCK_MAX): lets a test reach every
 * shape of the index with few records. */
struct ww_snapshot *ww_snapshot_new_limited(size_t limit);

#endif
