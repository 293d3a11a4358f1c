/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to the renderers: what one BMP session said so far, and one message taken apart for JSON or text. */
#ifndef WW_BMPOUT_RENDER_STATE_H
#define WW_BMPOUT_RENDER_STATE_H

#include "base/arena.h"
#include "bmpout/decode.h"
#include "bmpout/render.h"

/* How a peer's UPDATEs of Route Monitoring and Mirroring are to be read. */
struct ww_bgp_session ww_render_session(const struct ww_render_state *state, const struct ww_bmp_peer *peer);
/* The name of a source, or NULL. */
const char *ww_render_source(const struct ww_render_state *state, uint32_t id);

/*
 * One message, of whichever version and type. Version 4 messages of the standard types differ from version 3 in their
 * trailing TLVs alone (but for Route Monitoring and Statistics), so `msg` is filled for those of both versions.
 */
struct ww_parsed {
  uint8_t version, type;
  size_t len;
  bool is_validation;
  struct ww_validation_msg validation;
  struct ww_bmp_msg msg;
  bool has_peer;
  struct ww_bmp_peer peer;
  const uint8_t *update; /* Route Monitoring: the PDU of either version; NULL when there is none */
  size_t update_len;
  struct ww_reader tlvs; /* version 4: TLVs after the fixed part; indexed for Route Monitoring */
  bool tlvs_indexed;
  bool foreign; /* type 252 of another enterprise */
};

/* Takes the message apart and lets it change `options->state`. */
enum ww_err ww_parse(const uint8_t *msg, size_t len, const struct ww_render_options *options, struct ww_arena *arena,
                     struct ww_parsed *out, struct ww_diag *diag) WW_MUST_USE;

/* render_verdict.c: the verdict object of one NLRI. */
struct ww_json;
void ww_json_verdict(struct ww_json *j, const struct ww_validation_msg *m, const struct ww_validation_item *item,
                     const struct ww_render_state *state);

#endif
