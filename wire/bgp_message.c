/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BGP messages as such: the header that frames them, OPEN with its capabilities, and NOTIFICATION.
 *
 * Capabilities of an OPEN are handed out as one run of {code 8, length 8, value}. When they come in one Capabilities
 * parameter, as nearly always, that run is borrowed from the message; when they come in several (RFC 5492 §4 allows
 * it), it is put together in the arena.
 *
 * Clauses: RFC 4271 §4.1, §4.2, §4.5, §6.1; RFC 5492 §4; RFC 6793 §3; RFC 7911 §4; RFC 8654 §4; RFC 9072 §2; RFC 9234
 * §4.1.
 */
#include "wire/bgp_internal.h"

enum { MARKER_LEN = 16, OPEN_MIN_LEN = 29, PARAM_CAPABILITIES = 2, PARAM_EXTENDED = 255 };

enum capability {
  CAP_MULTIPROTOCOL = 1,
  CAP_EXTENDED_MESSAGE = 6,
  CAP_ROLE = 9,
  CAP_AS4 = 65,
  CAP_ADD_PATH = 69,
};

const char *ww_bgp_disposition_name(enum ww_bgp_disposition disposition) {
  switch (disposition) {
  case WW_BGP_ACCEPT:
    return "accept";
  case WW_BGP_ATTRIBUTE_DISCARD:
    return "attribute discard";
  case WW_BGP_TREAT_AS_WITHDRAW:
    return "treat-as-withdraw";
  case WW_BGP_AFI_SAFI_DISABLE:
    return "AFI/SAFI disable";
  case WW_BGP_SESSION_RESET:
    return "session reset";
  }
  return "unknown";
}

/* RFC 4271 §6.1: the least length of each type; ROUTE-REFRESH: RFC 2918 §3, exactly 23 without ORF entries. */
static size_t min_len(uint8_t type) {
  switch (type) {
  case WW_BGP_OPEN:
    return OPEN_MIN_LEN;
  case WW_BGP_UPDATE:
  case WW_BGP_REFRESH:
    return 23;
  case WW_BGP_NOTIFICATION:
    return 21;
  default:
    return WW_BGP_HEADER_LEN;
  }
}

enum ww_err ww_bgp_frame(const uint8_t *data, size_t avail, size_t max, size_t *len, uint8_t *type,
                         struct ww_diag *diag) {
  static const uint8_t ones[MARKER_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                           0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  *len = 0;
  *type = 0;
  struct ww_reader r = ww_reader_make(data, avail);
  const uint8_t *marker = ww_reader_take(&r, MARKER_LEN);
  size_t n = ww_reader_u16(&r);
  uint8_t t = ww_reader_u8(&r);
  if (r.bad)
    return ww_fail(diag, WW_ERR_SHORT, avail, "RFC 4271 §4.1", "BGP header cut off after %zu octets", avail);
  if (memcmp(marker, ones, MARKER_LEN) != 0)
    return ww_fail(diag, WW_ERR_MALFORMED, 0, "RFC 4271 §6.1", "marker is not all ones");
  if (t < WW_BGP_OPEN || t > WW_BGP_REFRESH)
    return ww_fail(diag, WW_ERR_MALFORMED, 18, "RFC 4271 §6.1", "unknown BGP message type %u", t);
  /* RFC 8654 §4: OPEN and KEEPALIVE never get longer. */
  if (max > WW_BGP_MAX_LEN && (t == WW_BGP_OPEN || t == WW_BGP_KEEPALIVE))
    max = WW_BGP_MAX_LEN;
  if (n < min_len(t) || n > max || (t == WW_BGP_KEEPALIVE && n != WW_BGP_HEADER_LEN))
    return ww_fail(diag, WW_ERR_MALFORMED, MARKER_LEN, "RFC 4271 §6.1", "bad length %zu for BGP message type %u", n, t);
  *len = n;
  *type = t;
  if (n > avail)
    return ww_fail(diag, WW_ERR_SHORT, avail, "RFC 4271 §4.1", "BGP message of %zu octets cut off after %zu", n, avail);
  return WW_OK;
}

size_t ww_bgp_message_begin(struct ww_writer *w, uint8_t type) {
  size_t start = w->len;
  uint8_t *marker = ww_writer_put(w, MARKER_LEN);
  if (marker)
    memset(marker, 0xff, MARKER_LEN);
  ww_writer_u16(w, 0);
  ww_writer_u8(w, type);
  return start;
}

void ww_bgp_message_end(struct ww_writer *w, size_t start) {
  ww_writer_patch_u16(w, start + MARKER_LEN, w->len - start);
}

/* Reads one whole message of the type wanted; gives its body, an empty one on failure. */
static enum ww_err open_message(const uint8_t *msg, size_t len, uint8_t want, struct ww_reader *body,
                                struct ww_diag *diag) {
  *body = ww_reader_make(NULL, 0);
  size_t n;
  uint8_t type;
  enum ww_err err = ww_bgp_frame(msg, len, WW_BGP_MAX_LEN_EXTENDED, &n, &type, diag);
  if (err != WW_OK)
    return err;
  if (type != want)
    return ww_fail(diag, WW_ERR_MALFORMED, 18, "RFC 4271 §4.1", "BGP message type %u where %u is due", type, want);
  if (n != len)
    return ww_fail(diag, WW_ERR_MALFORMED, n, "RFC 4271 §4.1", "%zu octets after the BGP message", len - n);
  *body = ww_reader_make(msg + WW_BGP_HEADER_LEN, n - WW_BGP_HEADER_LEN);
  return WW_OK;
}

bool ww_bgp_capability_next(struct ww_reader *capabilities, struct ww_bgp_capability *out) {
  if (!ww_reader_left(capabilities))
    return false;
  out->code = ww_reader_u8(capabilities);
  out->len = ww_reader_u8(capabilities);
  out->value = ww_reader_take(capabilities, out->len);
  return !capabilities->bad;
}

static void read_capability(const struct ww_bgp_capability *cap, struct ww_bgp_open *out) {
  struct ww_reader r = ww_reader_make(cap->value, cap->len);
  switch (cap->code) {
  case CAP_AS4: /* RFC 6793 §3 */
    if (cap->len == 4) {
      out->as4 = true;
      out->asn = ww_reader_u32(&r);
    }
    break;
  case CAP_EXTENDED_MESSAGE: /* RFC 8654 §3 */
    if (cap->len == 0)
      out->extended_message = true;
    break;
  case CAP_ROLE: /* RFC 9234 §4.1. CHOICE: of several that differ, which §4.2 rejects, the first is shown. */
    if (cap->len == 1 && !out->has_role) {
      out->has_role = true;
      out->role = ww_reader_u8(&r);
    }
    break;
  case CAP_ADD_PATH: /* RFC 7911 §4: any number of {AFI 16, SAFI 8, Send/Receive 8}; other values are ignored */
    while (ww_reader_left(&r) >= 4) {
      unsigned afi = ww_reader_u16(&r), safi = ww_reader_u8(&r);
      uint8_t mode = ww_reader_u8(&r);
      if (safi != WW_SAFI_UNICAST || mode < 1 || mode > 3)
        continue;
      if (afi == WW_AFI_IPV4)
        out->add_path_ipv4 = mode;
      else if (afi == WW_AFI_IPV6)
        out->add_path_ipv6 = mode;
    }
    break;
  default:
    break;
  }
}

/* Goes over the optional parameters: measures the capabilities when `w` is NULL, else copies them. *sole: the one
 * Capabilities parameter, when there is just one. */
static bool walk_parameters(struct ww_reader params, bool extended, struct ww_writer *w, struct ww_reader *sole,
                            unsigned *found, size_t *total) {
  *found = 0;
  *total = 0;
  while (ww_reader_left(&params)) {
    uint8_t type = ww_reader_u8(&params);
    size_t len = extended ? ww_reader_u16(&params) : ww_reader_u8(&params);
    struct ww_reader value = ww_reader_sub(&params, len);
    if (params.bad)
      return false;
    if (type != PARAM_CAPABILITIES)
      continue; /* CHOICE: RFC 4271 §6.2 refuses the session; whoever reads a copy of the OPEN has no use for that */
    *sole = value;
    *found += 1;
    *total += len;
    if (w)
      ww_writer_bytes(w, value.p, len);
    for (struct ww_bgp_capability cap; ww_bgp_capability_next(&value, &cap);)
      ;
    if (value.bad)
      return false;
  }
  return true;
}

enum ww_err ww_bgp_open_decode(const uint8_t *msg, size_t len, struct ww_arena *arena, struct ww_bgp_open *out,
                               struct ww_diag *diag) {
  *out = (struct ww_bgp_open){0};
  struct ww_reader r;
  enum ww_err err = open_message(msg, len, WW_BGP_OPEN, &r, diag);
  if (err != WW_OK)
    return err;
  out->version = ww_reader_u8(&r);
  out->my_as = ww_reader_u16(&r);
  out->asn = out->my_as;
  out->hold_time = ww_reader_u16(&r);
  out->bgp_id = ww_reader_u32(&r);
  size_t params_len = ww_reader_u8(&r);
  if (out->version != 4)
    return ww_fail(diag, WW_ERR_UNSUPPORTED, WW_BGP_HEADER_LEN, "RFC 4271 §6.2", "BGP version %u", out->version);
  /* RFC 9072 §2: a parameter type of 255 announces the extended form; the first length does not count then. */
  struct ww_reader peek = r;
  bool extended = params_len != 0 && ww_reader_u8(&peek) == PARAM_EXTENDED && !peek.bad;
  if (extended) {
    r = peek;
    params_len = ww_reader_u16(&r);
  }
  struct ww_reader params = ww_reader_sub(&r, params_len), sole = ww_reader_make(NULL, 0);
  size_t at = ww_reader_offset(&params, msg);
  if (!ww_reader_done(&r))
    return ww_fail(diag, WW_ERR_MALFORMED, at, "RFC 4271 §4.2", "optional parameters do not fill the OPEN exactly");
  unsigned found;
  size_t total;
  if (!walk_parameters(params, extended, NULL, &sole, &found, &total))
    return ww_fail(diag, WW_ERR_MALFORMED, at, "RFC 5492 §4", "optional parameter or capability overruns its field");
  out->capabilities = sole.p;
  out->capabilities_len = ww_reader_left(&sole);
  if (found > 1) {
    uint8_t *copy = ww_arena_alloc(arena, total);
    if (!copy)
      return ww_fail(diag, WW_ERR_NOMEM, at, NULL, "no memory for capabilities");
    struct ww_writer w = ww_writer_make(copy, total);
    (void)walk_parameters(params, extended, &w, &sole, &found, &total);
    out->capabilities = copy;
    out->capabilities_len = w.len;
  }
  struct ww_reader caps = ww_reader_make(out->capabilities, out->capabilities_len);
  for (struct ww_bgp_capability cap; ww_bgp_capability_next(&caps, &cap);)
    read_capability(&cap, out);
  return WW_OK;
}

void ww_bgp_open_write(struct ww_writer *w, uint32_t asn, uint16_t hold_time, uint32_t bgp_id, const uint8_t *extra,
                       size_t extra_len) {
  size_t start = ww_bgp_message_begin(w, WW_BGP_OPEN);
  ww_writer_u8(w, 4);
  ww_writer_u16(w, asn > UINT16_MAX ? WW_AS_TRANS : (uint16_t)asn); /* RFC 6793 §4.2.1 */
  ww_writer_u16(w, hold_time);
  ww_writer_u32(w, bgp_id);
  size_t caps_len = 3 * 6 + extra_len;
  if (caps_len + 2 <= UINT8_MAX) {
    ww_writer_u8(w, (uint8_t)(caps_len + 2));
    ww_writer_u8(w, PARAM_CAPABILITIES);
    ww_writer_u8(w, (uint8_t)caps_len);
  } else { /* RFC 9072 §2 */
    ww_writer_u8(w, PARAM_EXTENDED);
    ww_writer_u8(w, PARAM_EXTENDED);
    if (caps_len + 3 > UINT16_MAX)
      w->overflow = true;
    ww_writer_u16(w, (uint16_t)(caps_len + 3));
    ww_writer_u8(w, PARAM_CAPABILITIES);
    ww_writer_u16(w, (uint16_t)caps_len);
  }
  for (uint16_t afi = WW_AFI_IPV4; afi <= WW_AFI_IPV6; afi++) { /* RFC 4760 §8 */
    ww_writer_u8(w, CAP_MULTIPROTOCOL);
    ww_writer_u8(w, 4);
    ww_writer_u16(w, afi);
    ww_writer_u8(w, 0);
    ww_writer_u8(w, WW_SAFI_UNICAST);
  }
  ww_writer_u8(w, CAP_AS4);
  ww_writer_u8(w, 4);
  ww_writer_u32(w, asn);
  ww_writer_bytes(w, extra, extra_len);
  ww_bgp_message_end(w, start);
}

enum ww_err ww_bgp_notification_decode(const uint8_t *msg, size_t len, struct ww_bgp_notification *out,
                                       struct ww_diag *diag) {
  *out = (struct ww_bgp_notification){0};
  struct ww_reader r;
  enum ww_err err = open_message(msg, len, WW_BGP_NOTIFICATION, &r, diag);
  if (err != WW_OK)
    return err;
  out->code = ww_reader_u8(&r);
  out->subcode = ww_reader_u8(&r);
  out->data_len = ww_reader_left(&r);
  out->data = ww_reader_take(&r, out->data_len);
  return WW_OK;
}

void ww_bgp_notification_write(struct ww_writer *w, uint8_t code, uint8_t subcode, const void *data, size_t len) {
  size_t start = ww_bgp_message_begin(w, WW_BGP_NOTIFICATION);
  ww_writer_u8(w, code);
  ww_writer_u8(w, subcode);
  ww_writer_bytes(w, data, len);
  ww_bgp_message_end(w, start);
}
