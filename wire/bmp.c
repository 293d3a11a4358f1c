/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BGP Monitoring Protocol, version 3: framing, all seven messages, and the encoders, which write version 4 headers
 * too for the messages that are the same there.
 *
 * A decoded message borrows everything from its input. Whatever can be checked without knowing the peer is checked
 * here: lengths, that runs of TLVs and statistics end where they should, that OPENs and the monitored UPDATE are
 * framed. What is in those BGP messages is for wire/bgp.h. Octets that a known message has after its known part are
 * ignored: RFC 7854 gives most of them room to grow.
 *
 * Clauses: RFC 7854 §4.1-§4.10, RFC 8671 §4 (O flag), RFC 9069 §4 and §5 (Loc-RIB), RFC 9736.
 */
#include "wire/bmp.h"

#include "wire/bgp.h"

const char *ww_bmp_type_name(uint8_t type) {
  switch (type) {
  case WW_BMP_ROUTE_MONITORING:
    return "Route Monitoring";
  case WW_BMP_STATISTICS:
    return "Statistics Report";
  case WW_BMP_PEER_DOWN:
    return "Peer Down";
  case WW_BMP_PEER_UP:
    return "Peer Up";
  case WW_BMP_INITIATION:
    return "Initiation";
  case WW_BMP_TERMINATION:
    return "Termination";
  case WW_BMP_ROUTE_MIRRORING:
    return "Route Mirroring";
  default:
    return "unknown type";
  }
}

/* An address of a field that has 16 octets for either family (RFC 7854 §4.2, §4.10). */
static struct ww_addr address_of(const uint8_t octets[16], bool ipv6) {
  struct ww_addr addr = {.afi = ipv6 ? WW_AFI_IPV6 : WW_AFI_IPV4};
  if (ipv6)
    memcpy(addr.bytes, octets, 16);
  else
    memcpy(addr.bytes, octets + 12, 4);
  return addr;
}

struct ww_addr ww_bmp_peer_addr(const struct ww_bmp_peer *peer) {
  /* RFC 9069 §4.1: a Loc-RIB peer's address is zero-filled, and its bit 0 is the F flag, not V. */
  if (peer->type == WW_BMP_PEER_LOC_RIB)
    return (struct ww_addr){.afi = WW_AFI_NONE};
  return address_of(peer->address, peer->flags & WW_BMP_FLAG_V);
}

void ww_bmp_peer_write(struct ww_writer *w, const struct ww_bmp_peer *peer) {
  ww_writer_u8(w, peer->type);
  ww_writer_u8(w, peer->flags);
  ww_writer_u64(w, peer->distinguisher);
  ww_writer_bytes(w, peer->address, sizeof peer->address);
  ww_writer_u32(w, peer->asn);
  ww_writer_u32(w, peer->bgp_id);
  ww_writer_u32(w, peer->sec);
  ww_writer_u32(w, peer->usec);
}

void ww_bmp_peer_read(struct ww_reader *r, struct ww_bmp_peer *peer) {
  peer->type = ww_reader_u8(r);
  peer->flags = ww_reader_u8(r);
  peer->distinguisher = ww_reader_u64(r);
  ww_reader_bytes(r, peer->address, sizeof peer->address);
  peer->asn = ww_reader_u32(r);
  peer->bgp_id = ww_reader_u32(r);
  peer->sec = ww_reader_u32(r);
  peer->usec = ww_reader_u32(r);
}

bool ww_bmp_tlv_next(struct ww_reader *r, struct ww_bmp_tlv *tlv) {
  if (!ww_reader_left(r))
    return false;
  tlv->type = ww_reader_u16(r);
  tlv->len = ww_reader_u16(r);
  tlv->value = ww_reader_take(r, tlv->len);
  return !r->bad;
}

void ww_bmp_tlv_write(struct ww_writer *w, uint16_t type, const void *value, size_t len) {
  if (len > UINT16_MAX)
    w->overflow = true;
  ww_writer_u16(w, type);
  ww_writer_u16(w, (uint16_t)len);
  ww_writer_bytes(w, value, len);
}

bool ww_bmp_stat_next(struct ww_reader *r, struct ww_bmp_stat *stat) {
  struct ww_bmp_tlv tlv;
  if (!ww_bmp_tlv_next(r, &tlv))
    return false;
  *stat = (struct ww_bmp_stat){.type = tlv.type, .len = tlv.len, .value = tlv.value};
  return true;
}

enum ww_err ww_bmp_frame(const uint8_t *data, size_t avail, size_t max, struct ww_bmp_header *out,
                         struct ww_diag *diag) {
  struct ww_reader r = ww_reader_make(data, avail);
  *out = (struct ww_bmp_header){0};
  out->version = ww_reader_u8(&r);
  /* RFC 7854 §4.1: asked before the length is, so that a stream of something else is named as such at once. */
  if (!r.bad && out->version != 3 && out->version != 4)
    return ww_fail(diag, WW_ERR_MALFORMED, 0, "RFC 7854 §4.1", "BMP version %u", out->version);
  out->len = ww_reader_u32(&r);
  out->type = ww_reader_u8(&r);
  if (r.bad)
    return ww_fail(diag, WW_ERR_SHORT, avail, "RFC 7854 §4.1", "BMP header cut off after %zu octets", avail);
  if (out->len < WW_BMP_HEADER_LEN)
    return ww_fail(diag, WW_ERR_MALFORMED, 1, "RFC 7854 §4.1", "BMP message length %u is below %d", out->len,
                   WW_BMP_HEADER_LEN);
  if (out->len > max)
    return ww_fail(diag, WW_ERR_MALFORMED, 1, "RFC 7854 §4.1", "BMP message length %u is over the limit of %zu",
                   out->len, max);
  return WW_OK;
}

static bool tlvs_sound(struct ww_reader r) {
  for (struct ww_bmp_tlv tlv; ww_bmp_tlv_next(&r, &tlv);)
    ;
  return !r.bad;
}

/* Takes one framed BGP message off the front; NULL when there is none. */
static const uint8_t *take_bgp(struct ww_reader *r, uint8_t want, size_t *len) {
  uint8_t type;
  if (ww_bgp_frame(r->p, ww_reader_left(r), WW_BGP_MAX_LEN_EXTENDED, len, &type, NULL) != WW_OK ||
      (want && type != want))
    return NULL;
  return ww_reader_take(r, *len);
}

/* What decode_* say when they fail; the offset is where the reader stopped. */
struct complaint {
  const char *clause, *text;
};

static struct complaint decode_route(struct ww_reader *r, struct ww_bmp_msg *out) {
  out->u.route.update = take_bgp(r, WW_BGP_UPDATE, &out->u.route.len);
  if (!out->u.route.update)
    return (struct complaint){"RFC 7854 §4.6", "no whole BGP UPDATE in it"};
  return (struct complaint){0};
}

static struct complaint decode_stats(struct ww_reader *r, struct ww_bmp_msg *out) {
  out->u.stats.count = ww_reader_u32(r);
  struct ww_reader start = *r;
  /* The count is a claim: the loop ends with the octets there are. */
  for (uint32_t i = 0; i < out->u.stats.count && !r->bad; i++) {
    struct ww_bmp_stat stat;
    if (!ww_bmp_stat_next(r, &stat))
      r->bad = true;
  }
  if (r->bad)
    return (struct complaint){"RFC 7854 §4.8", "fewer statistics than its count says"};
  start.end = r->p;
  out->u.stats.stats = start;
  return (struct complaint){0};
}

static struct complaint decode_down(struct ww_reader *r, struct ww_bmp_msg *out) {
  out->u.down.reason = ww_reader_u8(r);
  if (r->bad)
    return (struct complaint){"RFC 7854 §4.9", "no reason"};
  out->u.down.tlvs = ww_reader_make(r->p, 0);
  switch (out->u.down.reason) {
  case WW_BMP_DOWN_LOCAL_NOTIFICATION:
  case WW_BMP_DOWN_REMOTE_NOTIFICATION:
    out->u.down.notification = take_bgp(r, WW_BGP_NOTIFICATION, &out->u.down.notification_len);
    if (!out->u.down.notification)
      return (struct complaint){"RFC 7854 §4.9", "no whole BGP NOTIFICATION in it"};
    break;
  case WW_BMP_DOWN_LOCAL_FSM:
    out->u.down.fsm_event = ww_reader_u16(r);
    if (r->bad)
      return (struct complaint){"RFC 7854 §4.9", "no event code"};
    break;
  case WW_BMP_DOWN_LOCAL_SYSTEM: /* RFC 9069 §5.3 */
    if (!tlvs_sound(*r))
      return (struct complaint){"RFC 9069 §5.3", "a TLV overruns the message"};
    out->u.down.tlvs = *r;
    break;
  default:
    break;
  }
  return (struct complaint){0};
}

static struct complaint decode_up(struct ww_reader *r, struct ww_bmp_msg *out) {
  uint8_t local[16];
  ww_reader_bytes(r, local, sizeof local);
  out->u.up.local_port = ww_reader_u16(r);
  out->u.up.remote_port = ww_reader_u16(r);
  if (r->bad)
    return (struct complaint){"RFC 7854 §4.10", "cut off in its addresses"};
  /* RFC 9069 §5.2: a Loc-RIB peer has no local address. Else the V flag says which family both addresses have. */
  if (out->peer.type == WW_BMP_PEER_LOC_RIB)
    out->u.up.local = (struct ww_addr){.afi = WW_AFI_NONE};
  else
    out->u.up.local = address_of(local, out->peer.flags & WW_BMP_FLAG_V);
  out->u.up.sent_open = take_bgp(r, WW_BGP_OPEN, &out->u.up.sent_len);
  if (!out->u.up.sent_open)
    return (struct complaint){"RFC 7854 §4.10", "no whole sent OPEN"};
  out->u.up.received_open = take_bgp(r, WW_BGP_OPEN, &out->u.up.received_len);
  if (!out->u.up.received_open)
    return (struct complaint){"RFC 7854 §4.10", "no whole received OPEN"};
  if (!tlvs_sound(*r))
    return (struct complaint){"RFC 7854 §4.4", "a TLV overruns the message"};
  out->u.up.tlvs = *r;
  return (struct complaint){0};
}

static struct complaint decode_info(struct ww_reader *r, struct ww_bmp_msg *out) {
  if (!tlvs_sound(*r))
    return (struct complaint){"RFC 7854 §4.4", "a TLV overruns the message"};
  out->u.info.tlvs = *r;
  return (struct complaint){0};
}

enum ww_err ww_bmp_decode(const uint8_t *data, size_t len, struct ww_bmp_msg *out, struct ww_diag *diag) {
  *out = (struct ww_bmp_msg){0};
  enum ww_err err = ww_bmp_frame(data, len, UINT32_MAX, &out->header, diag);
  if (err != WW_OK)
    return err;
  if (out->header.len > len)
    return ww_fail(diag, WW_ERR_SHORT, len, "RFC 7854 §4.1", "BMP message of %u octets cut off after %zu",
                   out->header.len, len);
  if (out->header.len < len)
    return ww_fail(diag, WW_ERR_INVAL, out->header.len, NULL, "more than one BMP message");
  if (out->header.version != 3)
    return ww_fail(diag, WW_ERR_UNSUPPORTED, 0, "RFC 7854 §4.1", "BMP version %u", out->header.version);
  struct ww_reader r = ww_reader_make(data, len);
  (void)ww_reader_take(&r, WW_BMP_HEADER_LEN);
  out->body = r;
  uint8_t type = out->header.type;
  out->has_peer = type <= WW_BMP_ROUTE_MIRRORING && type != WW_BMP_INITIATION && type != WW_BMP_TERMINATION;
  if (out->has_peer)
    ww_bmp_peer_read(&r, &out->peer);
  if (r.bad)
    return ww_fail(diag, WW_ERR_MALFORMED, len, "RFC 7854 §4.2", "%s: cut off in its per-peer header",
                   ww_bmp_type_name(type));
  struct complaint complaint = {0};
  switch (type) {
  case WW_BMP_ROUTE_MONITORING:
    complaint = decode_route(&r, out);
    break;
  case WW_BMP_STATISTICS:
    complaint = decode_stats(&r, out);
    break;
  case WW_BMP_PEER_DOWN:
    complaint = decode_down(&r, out);
    break;
  case WW_BMP_PEER_UP:
    complaint = decode_up(&r, out);
    break;
  case WW_BMP_INITIATION:
  case WW_BMP_TERMINATION:
  case WW_BMP_ROUTE_MIRRORING:
    complaint = decode_info(&r, out);
    break;
  default: /* RFC 7854 §4.1: a station ignores types that it doesn't know */
    break;
  }
  if (complaint.text)
    return ww_fail(diag, WW_ERR_MALFORMED, ww_reader_offset(&r, data), complaint.clause, "%s: %s",
                   ww_bmp_type_name(type), complaint.text);
  return WW_OK;
}

size_t ww_bmp_begin(struct ww_writer *w, uint8_t version, uint8_t type) {
  size_t start = w->len;
  ww_writer_u8(w, version);
  ww_writer_u32(w, 0);
  ww_writer_u8(w, type);
  return start;
}

void ww_bmp_end(struct ww_writer *w, size_t start) { ww_writer_patch_u32(w, start + 1, w->len - start); }

static void string_tlv(struct ww_writer *w, uint16_t type, const char *text) {
  if (text)
    ww_bmp_tlv_write(w, type, text, strlen(text));
}

void ww_bmp_initiation_write(struct ww_writer *w, uint8_t version, const char *sys_descr, const char *sys_name,
                             const char *free_text) {
  size_t start = ww_bmp_begin(w, version, WW_BMP_INITIATION);
  /* RFC 7854 §4.3: sysDescr and sysName MUST be there. */
  string_tlv(w, WW_BMP_INFO_SYS_DESCR, sys_descr ? sys_descr : "");
  string_tlv(w, WW_BMP_INFO_SYS_NAME, sys_name ? sys_name : "");
  string_tlv(w, WW_BMP_INFO_STRING, free_text);
  ww_bmp_end(w, start);
}

void ww_bmp_termination_write(struct ww_writer *w, uint8_t version, uint16_t reason, const char *free_text) {
  size_t start = ww_bmp_begin(w, version, WW_BMP_TERMINATION);
  ww_writer_u16(w, WW_BMP_TERM_REASON); /* RFC 7854 §4.5: MUST be there */
  ww_writer_u16(w, 2);
  ww_writer_u16(w, reason);
  string_tlv(w, WW_BMP_TERM_STRING, free_text);
  ww_bmp_end(w, start);
}

void ww_bmp_peer_up_write(struct ww_writer *w, uint8_t version, const struct ww_bmp_peer *peer,
                          const struct ww_addr *local, uint16_t local_port, uint16_t remote_port,
                          const uint8_t *sent_open, size_t sent_len, const uint8_t *received_open, size_t received_len,
                          const char *table_name) {
  size_t start = ww_bmp_begin(w, version, WW_BMP_PEER_UP);
  ww_bmp_peer_write(w, peer);
  if (local->afi == WW_AFI_IPV6) {
    ww_writer_bytes(w, local->bytes, 16);
  } else { /* RFC 7854 §4.10: IPv4 in the last four octets */
    ww_writer_zero(w, 12);
    ww_writer_bytes(w, local->bytes, 4);
  }
  ww_writer_u16(w, local_port);
  ww_writer_u16(w, remote_port);
  ww_writer_bytes(w, sent_open, sent_len);
  ww_writer_bytes(w, received_open, received_len);
  string_tlv(w, WW_BMP_INFO_TABLE_NAME, table_name);
  ww_bmp_end(w, start);
}

void ww_bmp_peer_down_write(struct ww_writer *w, uint8_t version, const struct ww_bmp_peer *peer, uint8_t reason,
                            const void *data, size_t len) {
  size_t start = ww_bmp_begin(w, version, WW_BMP_PEER_DOWN);
  ww_bmp_peer_write(w, peer);
  ww_writer_u8(w, reason);
  ww_writer_bytes(w, data, len);
  ww_bmp_end(w, start);
}

void ww_bmp_route_write(struct ww_writer *w, const struct ww_bmp_peer *peer, const uint8_t *update, size_t len) {
  size_t start = ww_bmp_begin(w, 3, WW_BMP_ROUTE_MONITORING);
  ww_bmp_peer_write(w, peer);
  ww_writer_bytes(w, update, len);
  ww_bmp_end(w, start);
}

void ww_bmp_statistics_write(struct ww_writer *w, const struct ww_bmp_peer *peer, const struct ww_bmp_stat *stats,
                             size_t count) {
  /* RFC 7854 §4.8: a count, then {type, length, data} as often. */
  size_t start = ww_bmp_begin(w, 3, WW_BMP_STATISTICS);
  ww_bmp_peer_write(w, peer);
  ww_writer_u32(w, (uint32_t)count);
  for (size_t i = 0; i < count; i++)
    ww_bmp_tlv_write(w, stats[i].type, stats[i].value, stats[i].len);
  ww_bmp_end(w, start);
}

void ww_bmp_mirror_write(struct ww_writer *w, const struct ww_bmp_peer *peer, int code, const uint8_t *message,
                         size_t len) {
  /* RFC 7854 §4.7: information about a message goes before the message, which is the last TLV. */
  size_t start = ww_bmp_begin(w, 3, WW_BMP_ROUTE_MIRRORING);
  ww_bmp_peer_write(w, peer);
  if (code >= 0)
    ww_bmp_tlv_write(w, WW_BMP_MIRROR_INFORMATION, (const uint8_t[2]){(uint8_t)(code >> 8), (uint8_t)code}, 2);
  if (len)
    ww_bmp_tlv_write(w, WW_BMP_MIRROR_MESSAGE, message, len);
  ww_bmp_end(w, start);
}
