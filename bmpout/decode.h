/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reading side of what bmpout writes: RPKI_VALIDATION in every profile, checked against the invariants of
 * docs/formats/bmp-rpki.md §5. Decoded pointers borrow from the input or the arena.
 */
#ifndef WW_BMPOUT_DECODE_H
#define WW_BMPOUT_DECODE_H

#include "base/arena.h"
#include "bmpout/numbers.h"
#include "wire/bgp.h"
#include "wire/bmp.h"
#include <waywarden/verdict.h>

struct ww_rule {
  uint8_t kind, state;
  uint16_t flags;
  uint32_t source;
  uint64_t expires;
  struct ww_vrp vrp;   /* kind WW_RULE_VRP */
  struct ww_aspa aspa; /* kind WW_RULE_ASPA */
  uint32_t asn;        /* kind WW_RULE_ROUTER_KEY, as is ski: zero where there is no key */
  uint8_t ski[WW_SKI_LEN];
};

/* What the message says of one NLRI, gathered from index 0, its groups and its own ordinal. */
struct ww_validation_item {
  struct ww_prefix prefix;
  bool add_path;
  uint32_t path_id;
  bool withdrawn;
  bool has_state;
  uint8_t state, trigger;
  uint32_t epoch;
  struct {
    bool present;
    uint8_t state;
    uint16_t reason;
  } result[4]; /* by vtype (enum ww_kind): 1..3 */
  const struct ww_aspa_result
      *path; /* NULL, or procedure, role, bounds and hops: the rest of it is in result and rules */
  const struct ww_bgpsec_segment_result *segments; /* asn, suite, state and ski; in the order of the message */
  size_t segment_count;
  const struct ww_rule *rules, *covering;
  size_t rule_count, covering_count;
};

/* The name of a source that rules of this session refer to by id. Not terminated. */
struct ww_source_label {
  uint32_t id;
  uint8_t type; /* enum ww_rule_source */
  const char *name;
  size_t name_len;
};

struct ww_validation_msg {
  uint8_t version;
  struct ww_bmp_peer peer;
  uint8_t encoding, tlv_draft;
  uint16_t profile_flags; /* b0 snapshot-start b1 snapshot-end b2 delta b3 signed b4 truncated */
  uint32_t snapshot_id;
  bool has_sequence;
  uint64_t sequence;
  bool has_pdu; /* false: housekeeping only (Profile flags, labels) */
  bool eor;
  uint8_t eor_afi;
  struct ww_bgp_update update;
  bool has_path; /* AS_PATH, or what BGPsec_PATH stands for (RFC 8205 §4.4) */
  struct ww_as_path path;
  const struct ww_source_label *sources;
  size_t source_count;
  const struct ww_validation_item *items;
  size_t item_count;
};

/* `data`: one whole message of type 252. WW_ERR_UNSUPPORTED: another enterprise's. */
enum ww_err ww_validation_decode(const uint8_t *data, size_t len, uint32_t pen, struct ww_arena *arena,
                                 struct ww_validation_msg *out, struct ww_diag *diag) WW_MUST_USE;

#endif
