/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BMP messages for people and programs: one message becomes one JSON line with every field named, or lines of plain
 * text. Version 3 (all types), version 4 (draft-ietf-grow-bmp-tlv) and RPKI_VALIDATION.
 */
#ifndef WW_BMPOUT_RENDER_H
#define WW_BMPOUT_RENDER_H

#include "base/buf.h"
#include "wire/bgp.h"
#include "wire/bmp.h"

/* What one BMP session said so far that later messages need: the peers' OPENs, the router's name, names of sources.
 * One for each connection; bounded (WW_RENDER_PEERS_MAX, WW_RENDER_SOURCES_MAX: beyond, no more are remembered). */
enum { WW_RENDER_PEERS_MAX = 4096, WW_RENDER_SOURCES_MAX = 1024 };
struct ww_render_state;
struct ww_render_state *ww_render_state_new(void);
void ww_render_state_free(struct ww_render_state *state);
/* sysName of the Initiation; "" before it. */
const char *ww_render_state_router(const struct ww_render_state *state);

struct ww_render_options {
  uint32_t pen;                  /* whose RPKI_VALIDATION to read */
  struct ww_render_state *state; /* NULL: every message stands alone */
};

/* `msg`, `len`: one whole message (ww_bmp_frame()). Appends one line with its newline to `out`; nothing on failure. */
enum ww_err ww_bmp_render(const uint8_t *msg, size_t len, const struct ww_render_options *options, struct ww_buf *out,
                          struct ww_diag *diag) WW_MUST_USE;
/* The same for a terminal: a line for each route of RPKI_VALIDATION and Route Monitoring, one for anything else. */
enum ww_err ww_bmp_render_text(const uint8_t *msg, size_t len, const struct ww_render_options *options,
                               struct ww_buf *out, struct ww_diag *diag) WW_MUST_USE;
/* One whole BGP message (header included) as one JSON line. */
enum ww_err ww_bgp_render(const uint8_t *msg, size_t len, const struct ww_bgp_session *session, struct ww_buf *out,
                          struct ww_diag *diag) WW_MUST_USE;

#endif
