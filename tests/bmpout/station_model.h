/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A station that believes every message and remembers what it was told, for comparison with what is so. It also checks
 * what must hold of any session: Initiation first, one version, no route of a peer that is not up, sequence numbers
 * without gap, no message over its limit. The first fault is kept as text.
 */
#ifndef WW_TESTS_STATION_MODEL_H
#define WW_TESTS_STATION_MODEL_H

#include "bmpout/session.h"
#include "fake_view.h"

struct station_record {
  bool held;
  uint32_t heard; /* number of the message */
  uint8_t attrs;
  uint8_t state, reason;
  uint8_t path_state, path_reason;
  uint64_t path;  /* hash of procedure, role, bounds and hops */
  uint64_t rules; /* their count and hash */
};

struct station_peer {
  bool up, eor[3];
  uint32_t eor_at[3]; /* number of the message */
  uint64_t opens;     /* hash of what Peer Up carried */
  bool in_snapshot;
  uint32_t snapshot_since;
  struct station_record records[FAKE_PREFIXES][4]; /* by prefix and path id */
};

struct station {
  struct ww_bmpout_config config;
  bool verdicts_allowed; /* false while data is not ready */
  uint32_t messages;
  uint64_t validations, snapshots, labels;
  bool began, ended;
  struct station_peer peers[FAKE_PEERS + 1];
  char fault[200];
};

void station_init(struct station *s, const struct ww_bmpout_config *config);
/* Takes whole messages off the front of `in`. */
void station_take(struct station *s, struct fake *f, struct ww_buf *in);
/* Compares with what is so; fault is "" when equal. */
void station_compare(struct station *s, struct fake *f);

#endif
