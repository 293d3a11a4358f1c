/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MRT records (RFC 6396, ADD-PATH by RFC 8050): routing tables and BGP messages as route collectors store them.
 * Pure: octets -> structs. Everything in a struct is borrowed from the input.
 */
#ifndef WW_WIRE_MRT_H
#define WW_WIRE_MRT_H

#include "wire/bgp.h"

enum {
  WW_MRT_HEADER_LEN = 12,
  WW_MRT_RECORD_MAX = 16 << 20, /* octets after the header; a prefix heard from 65,535 peers takes about 8 MB */
};

enum ww_mrt_type { WW_MRT_TABLE_DUMP = 12, WW_MRT_TABLE_DUMP_V2 = 13, WW_MRT_BGP4MP = 16, WW_MRT_BGP4MP_ET = 17 };

struct ww_mrt_record {
  uint32_t sec, usec; /* usec only of BGP4MP_ET, else 0 */
  uint16_t type, subtype;
  const uint8_t *body; /* after the header, and after the microseconds of BGP4MP_ET */
  size_t body_len;
  size_t len; /* of the whole record */
};

/* Splits off one record. WW_ERR_SHORT: not all of it is there; out->len is then its length when the header was
 * complete, else 0. WW_ERR_LIMIT: longer than WW_MRT_RECORD_MAX; WW_ERR_MALFORMED: too short for its type. After either
 * of these out->len is what the header says. */
enum ww_err ww_mrt_frame(const uint8_t *data, size_t avail, struct ww_mrt_record *out,
                         struct ww_diag *diag) WW_MUST_USE;

/* ---- a routing table ---- */

struct ww_mrt_peer {
  struct ww_addr address;
  uint32_t asn, bgp_id;
};

/* PEER_INDEX_TABLE: what the peer indices of the RIB records after it mean. */
struct ww_mrt_peer_index {
  uint32_t collector_id;
  const char *view; /* UTF-8, not terminated */
  uint16_t view_len, count;
  struct ww_reader peers;
};
enum ww_err ww_mrt_peer_index_decode(const struct ww_mrt_record *record, struct ww_mrt_peer_index *out,
                                     struct ww_diag *diag) WW_MUST_USE;
/* False at the end, or where the record ends early (index->peers.bad). */
bool ww_mrt_peer_next(struct ww_mrt_peer_index *index, struct ww_mrt_peer *out);

/* The routes to one prefix: a RIB record of TABLE_DUMP_V2, or a record of TABLE_DUMP, which has one route and names its
 * peer itself. */
struct ww_mrt_rib {
  struct ww_prefix prefix;
  uint16_t count; /* entries left */
  bool as4;       /* AS_PATH has 4-octet AS numbers */
  bool has_peer;  /* `peer` is the peer of the one entry */
  struct ww_mrt_peer peer;
  bool add_path;         /* routes have path ids */
  bool entry_path_id;    /* each entry has its own ... */
  uint32_t nlri_path_id; /* ... else this is that of all (RIB_GENERIC_ADDPATH) */
  struct ww_reader entries;
};
/* WW_ERR_UNSUPPORTED: a family other than IPv4 and IPv6 unicast, or no RIB record. */
enum ww_err ww_mrt_rib_decode(const struct ww_mrt_record *record, struct ww_mrt_rib *out,
                              struct ww_diag *diag) WW_MUST_USE;

struct ww_mrt_entry {
  uint16_t peer; /* index */
  uint32_t originated;
  uint32_t path_id;
  const uint8_t *attrs; /* as in the record: ww_mrt_entry_update() makes them canonical */
  size_t attrs_len;
};
/* False at the end, or where the record ends early (rib->entries.bad). */
bool ww_mrt_entry_next(struct ww_mrt_rib *rib, struct ww_mrt_entry *out);

/* The UPDATE that would have brought this route: canonical attributes, next hop, and disposition, as
 * ww_bgp_update_decode() gives them. Everything in *out is in `arena` or static. Fails only with WW_ERR_NOMEM. */
enum ww_err ww_mrt_entry_update(const struct ww_mrt_rib *rib, const struct ww_mrt_entry *entry, struct ww_arena *arena,
                                struct ww_bgp_update *out, struct ww_diag *diag) WW_MUST_USE;

/* ---- messages ---- */

struct ww_mrt_message {
  struct ww_mrt_peer peer; /* bgp_id 0: not told */
  uint32_t local_as;
  struct ww_addr local;
  bool state_change;
  uint16_t old_state, new_state; /* RFC 4271 §8.2.2, from 1 Idle to 6 Established */
  bool as4, add_path;
  bool sent;              /* by the collector to the peer */
  const uint8_t *message; /* the BGP message with its header, as far as it is there; of a state change NULL */
  size_t message_len;
};
/* WW_ERR_UNSUPPORTED: no BGP4MP record, or a subtype that is not known. */
enum ww_err ww_mrt_message_decode(const struct ww_mrt_record *record, struct ww_mrt_message *out,
                                  struct ww_diag *diag) WW_MUST_USE;

#endif
