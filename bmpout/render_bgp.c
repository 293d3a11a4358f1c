/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BGP messages as JSON: what wire/bgp.h decodes, every field by its name, attributes that have no words of their own as
 * octets. AS paths are written as in conformance vectors: numbers, an array for an AS_SET, {"confed": []} and
 * {"confed_set": []}.
 */
#include <stdio.h>

#include "bmpout/json.h"
#include "bmpout/render.h"

const char *ww_afi_name(uint8_t afi) { return afi == WW_AFI_IPV4 ? "ipv4" : afi == WW_AFI_IPV6 ? "ipv6" : NULL; }

static void path_numbers(struct ww_json *j, const struct ww_as_segment *s) {
  for (unsigned i = 0; i < s->count; i++)
    ww_json_num(j, NULL, ww_as_segment_at(s, i));
}

void ww_json_as_path(struct ww_json *j, const char *key, struct ww_as_path path) {
  struct ww_as_segment s;
  ww_json_open_array(j, key);
  while (ww_as_path_next(&path, &s)) {
    if (s.type == WW_SEG_AS_SEQUENCE) {
      path_numbers(j, &s);
      continue;
    }
    if (s.type != WW_SEG_AS_SET)
      ww_json_open(j, NULL);
    ww_json_open_array(j, s.type == WW_SEG_AS_SET ? NULL : s.type == WW_SEG_CONFED_SET ? "confed_set" : "confed");
    path_numbers(j, &s);
    ww_json_close_array(j);
    if (s.type != WW_SEG_AS_SET)
      ww_json_close(j);
  }
  ww_json_close_array(j);
}

/* RFC 6811 §2: the rightmost AS of the final segment when that is an AS_SEQUENCE. The other cases have no number here.
 */
bool ww_path_origin(struct ww_as_path path, uint32_t *asn) {
  struct ww_as_segment s, last = {0};
  while (ww_as_path_next(&path, &s))
    last = s;
  if (last.type != WW_SEG_AS_SEQUENCE || !last.count)
    return false;
  *asn = ww_as_segment_at(&last, last.count - 1u);
  return true;
}

void ww_json_origin(struct ww_json *j, const char *key, struct ww_as_path path) {
  uint32_t asn;
  if (ww_path_origin(path, &asn))
    ww_json_num(j, key, asn);
  else
    ww_json_str(j, key, NULL);
}

static void nlri_array(struct ww_json *j, const char *key, const struct ww_nlri nlri[2]) {
  if (!nlri[0].len && !nlri[1].len)
    return;
  ww_json_open_array(j, key);
  for (unsigned i = 0; i < 2; i++) {
    struct ww_nlri rest = nlri[i];
    struct ww_prefix prefix;
    uint32_t path_id;
    while (ww_nlri_next(&rest, &prefix, &path_id)) {
      ww_json_open(j, NULL);
      ww_json_prefix(j, "prefix", &prefix);
      if (nlri[i].add_path)
        ww_json_num(j, "path_id", path_id);
      ww_json_close(j);
    }
  }
  ww_json_close_array(j);
}

static void next_hop(struct ww_json *j, const struct ww_bgp_update *u) {
  for (unsigned i = 0; i < 2; i++) {
    uint8_t len = u->next_hop_len[i];
    if (!u->next_hop[i] || (len != 4 && len != 16 && len != 32))
      continue;
    struct ww_addr addr = {.afi = len == 4 ? WW_AFI_IPV4 : WW_AFI_IPV6};
    memcpy(addr.bytes, u->next_hop[i], len == 4 ? 4 : 16);
    ww_json_addr(j, "next_hop", &addr);
    if (len == 32) { /* RFC 2545 §3 */
      memcpy(addr.bytes, u->next_hop[i] + 16, 16);
      ww_json_addr(j, "next_hop_link_local", &addr);
    }
    return;
  }
}

static void communities(struct ww_json *j, struct ww_reader v) {
  ww_json_open_array(j, "communities");
  while (ww_reader_left(&v) >= 4) {
    char text[16];
    unsigned high = ww_reader_u16(&v), low = ww_reader_u16(&v);
    snprintf(text, sizeof text, "%u:%u", high, low);
    ww_json_str(j, NULL, text);
  }
  ww_json_close_array(j);
}

static void large_communities(struct ww_json *j, struct ww_reader v) {
  ww_json_open_array(j, "large_communities");
  while (ww_reader_left(&v) >= 12) {
    char text[40];
    uint32_t a = ww_reader_u32(&v), b = ww_reader_u32(&v), c = ww_reader_u32(&v);
    snprintf(text, sizeof text, "%u:%u:%u", a, b, c);
    ww_json_str(j, NULL, text);
  }
  ww_json_close_array(j);
}

static void attribute(struct ww_json *j, uint8_t type, struct ww_reader v, bool *others) {
  size_t len = ww_reader_left(&v);
  if (type == WW_ATTR_ORIGIN || type == WW_ATTR_AS_PATH)
    return;
  if (type == WW_ATTR_MED && len == 4)
    ww_json_num(j, "med", ww_reader_u32(&v));
  else if (type == WW_ATTR_LOCAL_PREF && len == 4)
    ww_json_num(j, "local_pref", ww_reader_u32(&v));
  else if (type == WW_ATTR_ATOMIC_AGGREGATE)
    ww_json_bool(j, "atomic_aggregate", true);
  else if (type == WW_ATTR_AGGREGATOR && len == 8) {
    ww_json_open(j, "aggregator");
    ww_json_num(j, "asn", ww_reader_u32(&v));
    ww_json_ipv4(j, "address", ww_reader_u32(&v));
    ww_json_close(j);
  } else if (type == WW_ATTR_COMMUNITIES && len % 4 == 0)
    communities(j, v);
  else if (type == WW_ATTR_LARGE_COMMUNITIES && len % 12 == 0)
    large_communities(j, v);
  else
    *others = true;
}

/* The ones without a name of their own: type, flags, octets. */
static void other_attributes(struct ww_json *j, const struct ww_bgp_update *u) {
  ww_json_open_array(j, "other");
  struct ww_reader r = ww_reader_make(u->attrs, u->attrs_len);
  while (ww_reader_left(&r)) {
    uint8_t flags = ww_reader_u8(&r), type = ww_reader_u8(&r);
    struct ww_reader v = ww_reader_sub(&r, flags & 0x10 ? ww_reader_u16(&r) : ww_reader_u8(&r));
    size_t len = ww_reader_left(&v);
    bool named = type == WW_ATTR_ORIGIN || type == WW_ATTR_AS_PATH || type == WW_ATTR_ATOMIC_AGGREGATE ||
                 ((type == WW_ATTR_MED || type == WW_ATTR_LOCAL_PREF) && len == 4) ||
                 (type == WW_ATTR_AGGREGATOR && len == 8) || (type == WW_ATTR_COMMUNITIES && len % 4 == 0) ||
                 (type == WW_ATTR_LARGE_COMMUNITIES && len % 12 == 0);
    if (r.bad || named)
      continue;
    ww_json_open(j, NULL);
    ww_json_num(j, "type", type);
    ww_json_num(j, "flags", flags);
    ww_json_hex(j, "value", v.p, len);
    ww_json_close(j);
  }
  ww_json_close_array(j);
}

void ww_json_attributes(struct ww_json *j, const char *key, const struct ww_bgp_update *u) {
  static const char *const origins[] = {"igp", "egp", "incomplete"};
  bool others = false;
  ww_json_open(j, key);
  if (u->origin < 3)
    ww_json_str(j, "origin", origins[u->origin]);
  if (u->has_as_path)
    ww_json_as_path(j, "as_path", u->as_path);
  next_hop(j, u);
  struct ww_reader r = ww_reader_make(u->attrs, u->attrs_len);
  while (ww_reader_left(&r)) {
    uint8_t flags = ww_reader_u8(&r), type = ww_reader_u8(&r);
    struct ww_reader v = ww_reader_sub(&r, flags & 0x10 ? ww_reader_u16(&r) : ww_reader_u8(&r));
    if (!r.bad)
      attribute(j, type, v, &others);
  }
  if (others)
    other_attributes(j, u);
  ww_json_close(j);
}

/* The dispositions of RFC 7606 §2 as JSON has its words. */
static const char *disposition_word(enum ww_bgp_disposition disposition) {
  static const char *const words[] = {"accept", "attribute-discard", "treat-as-withdraw", "afi-safi-disable",
                                      "session-reset"};
  return words[disposition];
}

static enum ww_err update_members(struct ww_json *j, const uint8_t *body, size_t len,
                                  const struct ww_bgp_session *session) {
  struct ww_bgp_update u;
  struct ww_diag inner = {0};
  enum ww_err err = ww_bgp_update_decode(body, len, session, j->arena, &u, &inner);
  if (err != WW_OK)
    return err;
  if (u.disposition != WW_BGP_ACCEPT) {
    ww_json_open(j, "error");
    ww_json_str(j, "disposition", disposition_word(u.disposition));
    if (u.bad_attr)
      ww_json_num(j, "attribute", u.bad_attr);
    ww_json_text(j, "text", inner.text, strlen(inner.text));
    ww_json_str(j, "clause", inner.clause);
    ww_json_close(j);
  }
  nlri_array(j, "announced", u.announced);
  nlri_array(j, "withdrawn", u.withdrawn);
  if (u.eor)
    ww_json_str(j, "end_of_rib", ww_afi_name(u.eor_afi));
  if (u.other_family)
    ww_json_bool(j, "other_family", true);
  if (u.attrs_len)
    ww_json_attributes(j, "attributes", &u);
  return WW_OK;
}

static void capability_list(struct ww_json *j, const struct ww_bgp_open *open) {
  struct ww_reader caps = ww_reader_make(open->capabilities, open->capabilities_len);
  struct ww_bgp_capability c;
  ww_json_open_array(j, "capabilities");
  while (ww_bgp_capability_next(&caps, &c)) {
    ww_json_open(j, NULL);
    ww_json_num(j, "code", c.code);
    ww_json_hex(j, "value", c.value, c.len);
    ww_json_close(j);
  }
  ww_json_close_array(j);
}

static enum ww_err open_members(struct ww_json *j, const uint8_t *msg, size_t len) {
  static const char *const roles[] = {"provider", "rs", "rs-client", "customer", "peer"};
  struct ww_bgp_open open;
  struct ww_diag inner = {0};
  enum ww_err err = ww_bgp_open_decode(msg, len, j->arena, &open, &inner);
  if (err == WW_ERR_NOMEM)
    return err;
  if (err != WW_OK) {
    ww_json_open(j, "error");
    ww_json_text(j, "text", inner.text, strlen(inner.text));
    ww_json_str(j, "clause", inner.clause);
    ww_json_close(j);
    ww_json_hex(j, "octets", msg, len);
    return WW_OK;
  }
  ww_json_num(j, "bgp_version", open.version);
  ww_json_num(j, "asn", open.asn);
  ww_json_num(j, "hold_time", open.hold_time);
  ww_json_ipv4(j, "bgp_id", open.bgp_id);
  ww_json_bool(j, "as4", open.as4);
  if (open.extended_message)
    ww_json_bool(j, "extended_message", true);
  if (open.has_role && open.role < 5)
    ww_json_str(j, "role", roles[open.role]);
  capability_list(j, &open);
  return WW_OK;
}

enum ww_err ww_json_bgp(struct ww_json *j, const uint8_t *msg, size_t len, const struct ww_bgp_session *session,
                        struct ww_diag *diag) {
  static const char *const names[] = {NULL, "open", "update", "notification", "keepalive", "route-refresh"};
  uint8_t type;
  size_t whole;
  enum ww_err err = ww_bgp_frame(msg, len, WW_BGP_MAX_LEN_EXTENDED, &whole, &type, diag);
  if (err != WW_OK)
    return err;
  const uint8_t *body = msg + WW_BGP_HEADER_LEN;
  size_t body_len = whole - WW_BGP_HEADER_LEN;
  ww_json_str(j, "bgp", type < sizeof names / sizeof names[0] ? names[type] : NULL);
  switch (type) {
  case WW_BGP_OPEN:
    return open_members(j, msg, whole);
  case WW_BGP_UPDATE:
    return update_members(j, body, body_len, session);
  case WW_BGP_NOTIFICATION:
    if (body_len < 2)
      return ww_fail(diag, WW_ERR_MALFORMED, WW_BGP_HEADER_LEN, "RFC 4271 §4.5", "NOTIFICATION without its codes");
    ww_json_num(j, "code", body[0]);
    ww_json_num(j, "subcode", body[1]);
    if (body_len > 2)
      ww_json_hex(j, "data", body + 2, body_len - 2);
    return WW_OK;
  default:
    if (body_len)
      ww_json_hex(j, "body", body, body_len);
    return WW_OK;
  }
}

enum ww_err ww_bgp_render(const uint8_t *msg, size_t len, const struct ww_bgp_session *session, struct ww_buf *out,
                          struct ww_diag *diag) {
  struct ww_arena arena;
  struct ww_json j;
  ww_arena_init(&arena, (size_t)16 << 20);
  if (!ww_json_begin(&j, &arena)) {
    ww_arena_fini(&arena);
    return ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "memory ran out");
  }
  ww_json_open(&j, NULL);
  ww_json_num(&j, "length", len);
  enum ww_err err = ww_json_bgp(&j, msg, len, session, diag);
  ww_json_close(&j);
  if (err == WW_OK)
    err = ww_json_end(&j, out);
  else
    ww_json_drop(&j);
  ww_arena_fini(&arena);
  return err == WW_ERR_NOMEM ? ww_fail(diag, err, 0, NULL, "memory ran out") : err;
}
