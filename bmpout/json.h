/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A JSON line under construction, for the renderers here and for `waywarden decode`. yajl keeps its first error, so
 * calls are made without looking and the end is checked.
 */
#ifndef WW_BMPOUT_JSON_H
#define WW_BMPOUT_JSON_H

#include <yajl/yajl_gen.h>

#include "base/arena.h"
#include "base/buf.h"
#include "wire/bgp.h"
#include "wire/bmp.h"

struct ww_json {
  yajl_gen g;
  struct ww_arena *arena; /* working space */
  bool failed;            /* memory ran out */
};

bool ww_json_begin(struct ww_json *j, struct ww_arena *arena);
/* Appends what was built and a newline; frees. */
enum ww_err ww_json_end(struct ww_json *j, struct ww_buf *out) WW_MUST_USE;
void ww_json_drop(struct ww_json *j);

void ww_json_open(struct ww_json *j, const char *key); /* an object; key NULL inside an array */
void ww_json_close(struct ww_json *j);
void ww_json_open_array(struct ww_json *j, const char *key);
void ww_json_close_array(struct ww_json *j);
void ww_json_str(struct ww_json *j, const char *key, const char *value); /* NULL becomes null */
/* Text from a peer: what is not UTF-8 becomes U+FFFD. */
void ww_json_text(struct ww_json *j, const char *key, const void *text, size_t len);
void ww_json_hex(struct ww_json *j, const char *key, const uint8_t *data, size_t len);
void ww_json_num(struct ww_json *j, const char *key, uint64_t value);
void ww_json_bool(struct ww_json *j, const char *key, bool value);
void ww_json_addr(struct ww_json *j, const char *key, const struct ww_addr *addr);
void ww_json_ipv4(struct ww_json *j, const char *key, uint32_t addr);
void ww_json_prefix(struct ww_json *j, const char *key, const struct ww_prefix *prefix);
/* RFC 3339, UTC; usec over 999999 is left out. */
void ww_json_time(struct ww_json *j, const char *key, uint64_t sec, uint32_t usec);

/* bmpout/render_bgp.c */
void ww_json_as_path(struct ww_json *j, const char *key, struct ww_as_path path);
/* The origin that a path names (RFC 6811 §2); null for an AS_SET, and where it would be the speaker's own. */
void ww_json_origin(struct ww_json *j, const char *key, struct ww_as_path path);
bool ww_path_origin(struct ww_as_path path, uint32_t *asn);
/* The members of one whole BGP message, into the object that is open. WW_ERR_MALFORMED when it is not framed. */
enum ww_err ww_json_bgp(struct ww_json *j, const uint8_t *msg, size_t len, const struct ww_bgp_session *session,
                        struct ww_diag *diag) WW_MUST_USE;
void ww_json_attributes(struct ww_json *j, const char *key, const struct ww_bgp_update *update);
const char *ww_afi_name(uint8_t afi);

#endif
