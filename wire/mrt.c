/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding MRT. Three layers, each bounded by the one above: the record (a length in a header), what is in it (a table
 * of peers, the routes to a prefix, a message), and the attributes of one route.
 *
 * The attributes of a table's route are not those of an UPDATE: MP_REACH_NLRI holds only the next hop, since the NLRI
 * is in the record. So that there is one decoder of path attributes, the UPDATE that would have brought the route is
 * put together in the arena, with MP_REACH_NLRI written out, and decoded like any other. Whoever reads whole tables
 * does well to know equal attribute octets by a hash before coming here: they are far fewer than routes.
 *
 * CHOICE: an MP_REACH_NLRI in its full form is read too. RFC 6396 §4.3.4 wants the short one, but collectors have
 * written the full one; the first octet tells them apart (a next hop's length, or the 0 of an AFI).
 *
 * Clauses: RFC 6396 §2, §3, §4.2, §4.3, §4.4; RFC 8050 §3, §4.
 */
#include "wire/mrt.h"

#include <string.h>

enum table_dump_v2_subtype {
  PEER_INDEX_TABLE = 1,
  RIB_IPV4_UNICAST = 2,
  RIB_IPV6_UNICAST = 4,
  RIB_GENERIC = 6,
  RIB_IPV4_UNICAST_ADDPATH = 8,
  RIB_IPV6_UNICAST_ADDPATH = 10,
  RIB_GENERIC_ADDPATH = 12,
};

enum bgp4mp_subtype {
  STATE_CHANGE = 0,
  MESSAGE = 1,
  MESSAGE_AS4 = 4,
  STATE_CHANGE_AS4 = 5,
  MESSAGE_LOCAL = 6,
  MESSAGE_AS4_LOCAL = 7,
  MESSAGE_ADDPATH = 8,
  MESSAGE_AS4_ADDPATH = 9,
  MESSAGE_LOCAL_ADDPATH = 10,
  MESSAGE_AS4_LOCAL_ADDPATH = 11,
};

enum ww_err ww_mrt_frame(const uint8_t *data, size_t avail, struct ww_mrt_record *out, struct ww_diag *diag) {
  *out = (struct ww_mrt_record){0};
  if (avail < WW_MRT_HEADER_LEN)
    return ww_fail(diag, WW_ERR_SHORT, avail, "RFC 6396 §2", "the header ends after %zu octets", avail);
  struct ww_reader r = ww_reader_make(data, avail);
  out->sec = ww_reader_u32(&r);
  out->type = ww_reader_u16(&r);
  out->subtype = ww_reader_u16(&r);
  uint32_t len = ww_reader_u32(&r);
  out->len = WW_MRT_HEADER_LEN + (size_t)len;
  if (len > WW_MRT_RECORD_MAX)
    return ww_fail(diag, WW_ERR_LIMIT, 8, "RFC 6396 §2", "a record of %u octets; at most %u are taken", (unsigned)len,
                   (unsigned)WW_MRT_RECORD_MAX);
  struct ww_reader body = ww_reader_sub(&r, len);
  if (r.bad)
    return ww_fail(diag, WW_ERR_SHORT, avail, "RFC 6396 §2", "%zu of the record's %zu octets are there", avail,
                   out->len);
  /* RFC 6396 §3: the microseconds are "computed as part of the Length field value" */
  if (out->type == WW_MRT_BGP4MP_ET)
    out->usec = ww_reader_u32(&body);
  if (body.bad)
    return ww_fail(diag, WW_ERR_MALFORMED, 8, "RFC 6396 §3", "no room for the microseconds");
  out->body = body.p;
  out->body_len = ww_reader_left(&body);
  return WW_OK;
}

static struct ww_addr read_address(struct ww_reader *r, uint8_t afi) {
  struct ww_addr address = {.afi = afi};
  ww_reader_bytes(r, address.bytes, ww_afi_bits(afi) / 8u);
  return address;
}

static enum ww_err ends_early(const struct ww_mrt_record *record, const char *clause, const char *what,
                              struct ww_diag *diag) {
  return ww_fail(diag, WW_ERR_MALFORMED, record->body_len, clause, "%s: the record ends early", what);
}

/* ---- a routing table ---- */

enum ww_err ww_mrt_peer_index_decode(const struct ww_mrt_record *record, struct ww_mrt_peer_index *out,
                                     struct ww_diag *diag) {
  *out = (struct ww_mrt_peer_index){0};
  if (record->type != WW_MRT_TABLE_DUMP_V2 || record->subtype != PEER_INDEX_TABLE)
    return ww_fail(diag, WW_ERR_UNSUPPORTED, 0, "RFC 6396 §4.3.1", "not a table of peers");
  struct ww_reader r = ww_reader_make(record->body, record->body_len);
  out->collector_id = ww_reader_u32(&r);
  out->view_len = ww_reader_u16(&r);
  out->view = (const char *)ww_reader_take(&r, out->view_len);
  out->count = ww_reader_u16(&r);
  if (r.bad)
    return ends_early(record, "RFC 6396 §4.3.1", "table of peers", diag);
  out->peers = r;
  return WW_OK;
}

enum { PEER_IPV6 = 1, PEER_AS4 = 2 };

bool ww_mrt_peer_next(struct ww_mrt_peer_index *index, struct ww_mrt_peer *out) {
  struct ww_reader *r = &index->peers;
  if (index->count == 0)
    return false;
  index->count--;
  /* RFC 6396 §4.3.1: bit 7 says the address family, bit 6 the size of the AS number */
  uint8_t type = ww_reader_u8(r);
  out->bgp_id = ww_reader_u32(r);
  out->address = read_address(r, type & PEER_IPV6 ? WW_AFI_IPV6 : WW_AFI_IPV4);
  out->asn = type & PEER_AS4 ? ww_reader_u32(r) : ww_reader_u16(r);
  return !r->bad;
}

/* One prefix of the NLRI form. */
static bool read_nlri(struct ww_reader *r, uint8_t afi, struct ww_prefix *out) {
  *out = (struct ww_prefix){.afi = afi, .len = ww_reader_u8(r)};
  if (out->len > ww_afi_bits(afi))
    return false;
  ww_reader_bytes(r, out->addr, (out->len + 7u) / 8u);
  ww_prefix_mask(out); /* RFC 6396 §4.3.2: "The value of trailing bits is irrelevant" */
  return !r->bad;
}

/* RFC 6396 §4.2 */
static enum ww_err decode_table_dump(const struct ww_mrt_record *record, struct ww_mrt_rib *out, struct ww_diag *diag) {
  if (record->subtype != WW_AFI_IPV4 && record->subtype != WW_AFI_IPV6)
    return ww_fail(diag, WW_ERR_UNSUPPORTED, 0, "RFC 6396 §4.2", "subtype %u", record->subtype);
  uint8_t afi = (uint8_t)record->subtype;
  struct ww_reader r = ww_reader_make(record->body, record->body_len);
  (void)ww_reader_u32(&r); /* view, sequence */
  struct ww_addr address = read_address(&r, afi);
  out->prefix = (struct ww_prefix){.afi = afi, .len = ww_reader_u8(&r)};
  (void)ww_reader_u8(&r); /* status */
  struct ww_reader entry = r;
  (void)ww_reader_u32(&r); /* originated */
  out->peer.address = read_address(&r, afi);
  out->peer.asn = ww_reader_u16(&r);
  if (r.bad)
    return ends_early(record, "RFC 6396 §4.2", "table entry", diag);
  if (out->prefix.len > ww_afi_bits(afi))
    return ww_fail(diag, WW_ERR_MALFORMED, 0, "RFC 6396 §4.2", "a prefix length of %u", out->prefix.len);
  memcpy(out->prefix.addr, address.bytes, sizeof out->prefix.addr);
  ww_prefix_mask(&out->prefix);
  out->has_peer = true;
  out->count = 1;
  out->entries = entry;
  return WW_OK;
}

enum ww_err ww_mrt_rib_decode(const struct ww_mrt_record *record, struct ww_mrt_rib *out, struct ww_diag *diag) {
  *out = (struct ww_mrt_rib){0};
  if (record->type == WW_MRT_TABLE_DUMP)
    return decode_table_dump(record, out, diag);
  if (record->type != WW_MRT_TABLE_DUMP_V2)
    return ww_fail(diag, WW_ERR_UNSUPPORTED, 0, "RFC 6396 §4", "type %u is not a routing table", record->type);
  struct ww_reader r = ww_reader_make(record->body, record->body_len);
  uint8_t afi = 0;
  (void)ww_reader_u32(&r); /* sequence */
  switch (record->subtype) {
  case RIB_IPV4_UNICAST_ADDPATH:
  case RIB_IPV6_UNICAST_ADDPATH:
    out->add_path = out->entry_path_id = true;
    afi = record->subtype == RIB_IPV4_UNICAST_ADDPATH ? WW_AFI_IPV4 : WW_AFI_IPV6;
    break;
  case RIB_IPV4_UNICAST:
  case RIB_IPV6_UNICAST:
    afi = record->subtype == RIB_IPV4_UNICAST ? WW_AFI_IPV4 : WW_AFI_IPV6;
    break;
  case RIB_GENERIC:
  case RIB_GENERIC_ADDPATH: {
    uint16_t family = ww_reader_u16(&r);
    uint8_t safi = ww_reader_u8(&r);
    if (!r.bad && ((family != WW_AFI_IPV4 && family != WW_AFI_IPV6) || safi != WW_SAFI_UNICAST))
      return ww_fail(diag, WW_ERR_UNSUPPORTED, 4, "RFC 6396 §4.3.3", "AFI %u SAFI %u", family, safi);
    afi = (uint8_t)family;
    if (record->subtype == RIB_GENERIC_ADDPATH) { /* RFC 8050 §4.2: the path id is in the NLRI */
      out->add_path = true;
      out->nlri_path_id = ww_reader_u32(&r);
    }
    break;
  }
  default:
    return ww_fail(diag, WW_ERR_UNSUPPORTED, 0, "RFC 6396 §4.3", "subtype %u of TABLE_DUMP_V2", record->subtype);
  }
  if (r.bad || (!read_nlri(&r, afi, &out->prefix) && r.bad))
    return ends_early(record, "RFC 6396 §4.3.2", "routes to a prefix", diag);
  if (out->prefix.len > ww_afi_bits(afi))
    return ww_fail(diag, WW_ERR_MALFORMED, 4, "RFC 6396 §4.3.2", "a prefix length of %u", out->prefix.len);
  out->count = ww_reader_u16(&r);
  if (r.bad)
    return ends_early(record, "RFC 6396 §4.3.2", "routes to a prefix", diag);
  out->as4 = true;
  out->entries = r;
  return WW_OK;
}

bool ww_mrt_entry_next(struct ww_mrt_rib *rib, struct ww_mrt_entry *out) {
  struct ww_reader *r = &rib->entries;
  if (rib->count == 0)
    return false;
  rib->count--;
  *out = (struct ww_mrt_entry){.path_id = rib->nlri_path_id};
  if (rib->has_peer) {
    out->originated = ww_reader_u32(r);
    (void)read_address(r, rib->prefix.afi);
    (void)ww_reader_u16(r); /* AS of the peer */
  } else {
    out->peer = ww_reader_u16(r);
    out->originated = ww_reader_u32(r);
    if (rib->entry_path_id)
      out->path_id = ww_reader_u32(r);
  }
  out->attrs_len = ww_reader_u16(r);
  out->attrs = ww_reader_take(r, out->attrs_len);
  return !r->bad;
}

/* MP_REACH_NLRI of a table entry, written out: AFI, SAFI, next hop, reserved, NLRI. */
static void write_mp_reach(struct ww_writer *w, uint8_t flags, struct ww_reader value, const struct ww_prefix *prefix) {
  struct ww_reader next_hop = value;
  const uint8_t *first = value.p;
  if (ww_reader_left(&value) && *first == 0) { /* in full: AFI, SAFI, then as below */
    (void)ww_reader_u16(&next_hop);
    (void)ww_reader_u8(&next_hop);
  }
  uint8_t len = ww_reader_u8(&next_hop);
  const uint8_t *octets = ww_reader_take(&next_hop, len);
  ww_writer_u8(w, (uint8_t)(flags | WW_ATTR_EXTENDED));
  ww_writer_u8(w, WW_ATTR_MP_REACH);
  size_t at = w->len;
  ww_writer_u16(w, 0);
  ww_writer_u16(w, prefix->afi);
  ww_writer_u8(w, WW_SAFI_UNICAST);
  ww_writer_u8(w, octets ? len : 0);
  if (octets)
    ww_writer_bytes(w, octets, len);
  ww_writer_u8(w, 0);
  ww_nlri_write(w, prefix, false, 0);
  ww_writer_patch_u16(w, at, w->len - at - 2);
}

/* The body of the UPDATE. `room` is what write_mp_reach() may add: an attribute occurs once, or is malformed anyway. */
static void write_update(struct ww_writer *w, const struct ww_mrt_rib *rib, const struct ww_mrt_entry *entry) {
  struct ww_reader r = ww_reader_make(entry->attrs, entry->attrs_len);
  bool mp_reach = false;
  ww_writer_u16(w, 0);
  size_t at = w->len;
  ww_writer_u16(w, 0);
  while (ww_reader_left(&r)) {
    struct ww_reader before = r;
    uint8_t flags = ww_reader_u8(&r), type = ww_reader_u8(&r);
    size_t len = flags & WW_ATTR_EXTENDED ? ww_reader_u16(&r) : ww_reader_u8(&r);
    struct ww_reader value = ww_reader_sub(&r, len);
    if (!r.bad && type == WW_ATTR_MP_REACH && !mp_reach) {
      write_mp_reach(w, flags, value, &rib->prefix);
      mp_reach = true;
    } else {
      ww_writer_bytes(w, before.p, (size_t)(r.p - before.p)); /* what does not parse is the decoder's to judge */
    }
  }
  ww_writer_patch_u16(w, at, w->len - at - 2);
  if (mp_reach)
    return;
  if (rib->prefix.afi == WW_AFI_IPV4)
    ww_nlri_write(w, &rib->prefix, false, 0);
}

/* What expanding MP_REACH_NLRI adds at most: longer header, AFI, SAFI, reserved octet, NLRI; and the message's own. */
enum { ADDED_MAX = 1 + 2 + 1 + 1 + 17 + 4 + 17 };

enum ww_err ww_mrt_entry_update(const struct ww_mrt_rib *rib, const struct ww_mrt_entry *entry, struct ww_arena *arena,
                                struct ww_bgp_update *out, struct ww_diag *diag) {
  const struct ww_bgp_session session = {
      .as4 = rib->as4,
      .confed = true,            /* the table may be that of a member AS */
      .next_hop_optional = true, /* as with BMP: what a collector leaves out is not the peer's fault */
  };
  size_t room = entry->attrs_len + ADDED_MAX;
  uint8_t *body = ww_arena_alloc(arena, room);
  *out = (struct ww_bgp_update){0};
  if (!body)
    return ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "no memory for attributes");
  struct ww_writer w = ww_writer_make(body, room);
  write_update(&w, rib, entry);
  if (w.overflow) { /* attributes that leave no room in an UPDATE's 16-bit length */
    out->disposition = WW_BGP_TREAT_AS_WITHDRAW;
    (void)ww_fail(diag, WW_ERR_MALFORMED, 0, "RFC 6396 §4.3.4", "attributes of %zu octets fit no UPDATE",
                  entry->attrs_len);
    return WW_OK;
  }
  return ww_bgp_update_decode(body, w.len, &session, arena, out, diag);
}

/* ---- messages ---- */

enum ww_err ww_mrt_message_decode(const struct ww_mrt_record *record, struct ww_mrt_message *out,
                                  struct ww_diag *diag) {
  *out = (struct ww_mrt_message){0};
  if (record->type != WW_MRT_BGP4MP && record->type != WW_MRT_BGP4MP_ET)
    return ww_fail(diag, WW_ERR_UNSUPPORTED, 0, "RFC 6396 §4.4", "type %u holds no BGP message", record->type);
  uint16_t s = record->subtype;
  if (s > MESSAGE_AS4_LOCAL_ADDPATH || s == 2 || s == 3)
    return ww_fail(diag, WW_ERR_UNSUPPORTED, 0, "RFC 6396 §4.4", "subtype %u of BGP4MP", s);
  out->state_change = s == STATE_CHANGE || s == STATE_CHANGE_AS4;
  out->as4 = s == MESSAGE_AS4 || s == STATE_CHANGE_AS4 || s == MESSAGE_AS4_LOCAL || s == MESSAGE_AS4_ADDPATH ||
             s == MESSAGE_AS4_LOCAL_ADDPATH;
  out->add_path = s >= MESSAGE_ADDPATH;
  out->sent =
      s == MESSAGE_LOCAL || s == MESSAGE_AS4_LOCAL || s == MESSAGE_LOCAL_ADDPATH || s == MESSAGE_AS4_LOCAL_ADDPATH;
  struct ww_reader r = ww_reader_make(record->body, record->body_len);
  out->peer.asn = out->as4 ? ww_reader_u32(&r) : ww_reader_u16(&r);
  out->local_as = out->as4 ? ww_reader_u32(&r) : ww_reader_u16(&r);
  (void)ww_reader_u16(&r); /* interface */
  uint16_t afi = ww_reader_u16(&r);
  if (!r.bad && afi != WW_AFI_IPV4 && afi != WW_AFI_IPV6)
    return ww_fail(diag, WW_ERR_MALFORMED, 0, "RFC 6396 §4.4.2", "addresses of family %u", afi);
  out->peer.address = read_address(&r, (uint8_t)afi);
  out->local = read_address(&r, (uint8_t)afi);
  if (out->state_change) {
    out->old_state = ww_reader_u16(&r);
    out->new_state = ww_reader_u16(&r);
  } else {
    out->message_len = ww_reader_left(&r);
    out->message = ww_reader_take(&r, out->message_len);
  }
  return r.bad ? ends_early(record, "RFC 6396 §4.4", "message", diag) : WW_OK;
}
