/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building one RPKI_VALIDATION message (docs/formats/bmp-rpki.md) from routes that share peer and attributes. Pure:
 * what is known goes in, octets come out.
 */
#ifndef WW_BMPOUT_ENCODE_H
#define WW_BMPOUT_ENCODE_H

#include "bmpout/numbers.h"
#include "wire/bgp.h"
#include "wire/bmp.h"
#include <waywarden/verdict.h>

/* What was decided about one NLRI's origin. `hits`: every covering VRP, matching first (struct ww_origin_result). */
struct ww_encode_verdict {
  uint8_t state;   /* enum ww_state, never WW_STATE_NOT_READY */
  uint8_t reason;  /* enum ww_reason */
  uint8_t trigger; /* enum ww_trigger */
  uint32_t epoch;
  const struct ww_vrp_hit *hits;
  size_t hit_count;
};

struct ww_encode_source {
  uint32_t id;
  uint8_t type;
  const char *name;
};

/* Everything of a message that is not about a single NLRI. */
struct ww_encode_message {
  uint8_t version;   /* 3 or 4 */
  uint8_t tlv_draft; /* 21 or 19 */
  uint32_t pen;
  uint16_t flags; /* enum ww_profile_flag */
  uint32_t snapshot_id;
  bool covering;           /* Covering Rule TLVs too */
  struct ww_bmp_peer peer; /* time stamp set by the caller, never 0 */
  bool has_sequence;       /* Sequence and Timestamp TLVs (version 4 with draft 21) */
  uint64_t sequence;
  uint32_t export_sec, export_usec;
  const struct ww_encode_source *sources; /* Source Label TLVs to put in */
  size_t source_count;
};

/* Routes of one attribute set: `nlri[i]` has `verdicts[i]`, all have what was decided about their path. What was found
 * of signatures is of the first alone. attrs NULL: they are withdrawn, verdicts are not looked at. */
struct ww_encode_routes {
  uint8_t afi;
  bool add_path;
  const uint8_t *attrs;
  size_t attrs_len;
  const uint8_t *next_hop;
  size_t next_hop_len;
  const struct ww_bgp_nlri_item *nlri;
  const struct ww_encode_verdict *verdicts;
  const struct ww_aspa_result *aspa; /* NULL: not evaluated, and nothing is said of it; likewise: */
  const struct ww_bgpsec_report *bgpsec;
  size_t count;
  uint8_t (*source_type)(void *ctx, ww_source_id id); /* NULL: none is static or SLURM */
  void *ctx;
};

/* Whether the evidence bears the state out, as ww_encode_routes() demands. */
bool ww_encode_aspa_is_sound(const struct ww_aspa_result *aspa);
bool ww_encode_bgpsec_is_sound(const struct ww_bgpsec_report *report);

struct ww_encoder; /* working space, reused from message to message */
struct ww_encoder *ww_encoder_new(void);
void ww_encoder_free(struct ww_encoder *encoder);

/*
 * Appends one message of at most `max` octets to `w` with the first `*taken` routes: as many as fit. WW_ERR_FULL: not
 * even one fits, and `w` is as before. WW_ERR_INVAL: a verdict breaks the invariants (Invalid without an unmatched
 * rule, though its reason does not lie in the path alone; or a state that is not for the wire).
 */
enum ww_err ww_encode_routes(struct ww_encoder *encoder, const struct ww_encode_message *message,
                             const struct ww_encode_routes *routes, size_t max, struct ww_writer *w,
                             size_t *taken) WW_MUST_USE;
/* What every message of ours has: the Profile TLV in front; Sequence Number and Timestamp, if any, at the end. */
void ww_encode_profile(const struct ww_encode_message *message, struct ww_writer *w);
void ww_encode_tail(const struct ww_encode_message *message, struct ww_writer *w);
/* A message with an End-of-RIB PDU of this family. */
void ww_encode_eor(const struct ww_encode_message *message, uint8_t afi, struct ww_writer *w);
/* A message without BGP PDU, for its Profile flags and labels alone. */
void ww_encode_bare(const struct ww_encode_message *message, struct ww_writer *w);

#endif
