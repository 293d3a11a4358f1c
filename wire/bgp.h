/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BGP messages: framing, OPEN, UPDATE with its path attributes, NOTIFICATION. Pure: octets <-> structs.
 *
 * ww_bgp_update_decode() turns an UPDATE into a canonical form that the rest of the program works with: AS_PATH always
 * with 4-octet AS numbers (AS4_PATH merged, RFC 6793 §4.2.3), NLRI taken out of MP_REACH/MP_UNREACH, and every other
 * attribute (unknown ones too) kept as wire octets in `attrs`, ready to be interned and sent again.
 * Errors are dispositions (RFC 7606), never failures: framing of the message survives a bad attribute.
 */
#ifndef WW_WIRE_BGP_H
#define WW_WIRE_BGP_H

#include "base/arena.h"
#include "base/bytes.h"
#include <waywarden/prefix.h>

enum { WW_BGP_HEADER_LEN = 19, WW_BGP_MAX_LEN = 4096, WW_BGP_MAX_LEN_EXTENDED = 65535 /* RFC 8654 */ };

enum ww_bgp_type {
  WW_BGP_OPEN = 1,
  WW_BGP_UPDATE = 2,
  WW_BGP_NOTIFICATION = 3,
  WW_BGP_KEEPALIVE = 4,
  WW_BGP_REFRESH = 5
};

enum ww_bgp_attr {
  WW_ATTR_ORIGIN = 1,
  WW_ATTR_AS_PATH = 2,
  WW_ATTR_NEXT_HOP = 3,
  WW_ATTR_MED = 4,
  WW_ATTR_LOCAL_PREF = 5,
  WW_ATTR_ATOMIC_AGGREGATE = 6,
  WW_ATTR_AGGREGATOR = 7,
  WW_ATTR_COMMUNITIES = 8,
  WW_ATTR_ORIGINATOR_ID = 9,
  WW_ATTR_CLUSTER_LIST = 10,
  WW_ATTR_MP_REACH = 14,
  WW_ATTR_MP_UNREACH = 15,
  WW_ATTR_EXT_COMMUNITIES = 16,
  WW_ATTR_AS4_PATH = 17,
  WW_ATTR_AS4_AGGREGATOR = 18,
  WW_ATTR_IPV6_EXT_COMMUNITIES = 25,
  WW_ATTR_LARGE_COMMUNITIES = 32,
  WW_ATTR_BGPSEC_PATH = 33,
  WW_ATTR_OTC = 35,
};

/* "ORIGIN", "AS_PATH"; "attribute" for a code that has no name here. Static storage. */
const char *ww_bgp_attr_name(uint8_t code);

enum ww_bgp_attr_flag {
  WW_ATTR_OPTIONAL = 0x80,
  WW_ATTR_TRANSITIVE = 0x40,
  WW_ATTR_PARTIAL = 0x20,
  WW_ATTR_EXTENDED = 0x10
};

enum ww_segment_type { WW_SEG_AS_SET = 1, WW_SEG_AS_SEQUENCE = 2, WW_SEG_CONFED_SEQUENCE = 3, WW_SEG_CONFED_SET = 4 };

/* RFC 7606 §2, least to most severe. The worst one of a message is its disposition. */
enum ww_bgp_disposition {
  WW_BGP_ACCEPT = 0,
  WW_BGP_ATTRIBUTE_DISCARD,
  WW_BGP_TREAT_AS_WITHDRAW,
  WW_BGP_AFI_SAFI_DISABLE,
  WW_BGP_SESSION_RESET,
};
const char *ww_bgp_disposition_name(enum ww_bgp_disposition disposition);

/* What the peers agreed on, as far as decoding needs it (from OPENs, or from BMP flags and TLVs). */
struct ww_bgp_session {
  bool as4;           /* AS_PATH has 4-octet AS numbers */
  bool add_path_ipv4; /* NLRI carries path ids (RFC 7911) */
  bool add_path_ipv6;
  bool ebgp;   /* external peer: LOCAL_PREF, ORIGINATOR_ID, CLUSTER_LIST are discarded (RFC 7606 §7.5, 7.9, 7.10) */
  bool confed; /* confederation segments are legal in AS_PATH (RFC 5065) */
  bool next_hop_optional; /* NEXT_HOP may be missing: a router's report over BMP, where some leave it out */
  bool empty_mandatory;   /* ORIGIN and next hops may be empty: pre-policy Adj-RIB-Out over BMP (RFC 8671 §5.2) */
};

/* A run of NLRI octets of one family. Iterate with ww_nlri_next(); decode has checked it already. */
struct ww_nlri {
  uint8_t afi;
  bool add_path;
  const uint8_t *data;
  size_t len;
};

/* A canonical AS_PATH: wire octets with 4-octet AS numbers, without the attribute header. */
struct ww_as_path {
  const uint8_t *data;
  size_t len;
};

struct ww_bgp_update {
  enum ww_bgp_disposition disposition;
  uint8_t bad_attr;            /* type code of the attribute behind the disposition, 0 for none */
  struct ww_nlri withdrawn[2]; /* IPv4 field, MP_UNREACH; len 0 when absent */
  struct ww_nlri announced[2]; /* IPv4 field, MP_REACH; on treat-as-withdraw these are to be withdrawn */
  bool eor;                    /* End-of-RIB (RFC 4724 §2) for eor_afi */
  uint8_t eor_afi;
  bool other_family;    /* an MP attribute of a family not handled was there and skipped */
  const uint8_t *attrs; /* canonical attribute octets without MP_REACH, MP_UNREACH, NEXT_HOP, AS4_*; arena */
  size_t attrs_len;
  const uint8_t *next_hop[2]; /* of announced[i]: octets as on the wire (4; 16 or 32); NULL when absent */
  uint8_t next_hop_len[2];
  bool has_as_path;
  struct ww_as_path as_path; /* points into attrs */
  /* Value of BGPsec_PATH, for whoever verifies signatures (bgp_bgpsec.h); NULL when absent. Points into attrs. */
  const uint8_t *bgpsec_path;
  size_t bgpsec_path_len;
  uint8_t origin; /* ORIGIN code; 255 absent */
};

/* Splits off one message: checks marker, type and length (RFC 4271 §4.1, §6.1, RFC 8654 §4; `max` is one of
 * WW_BGP_MAX_LEN*). WW_ERR_SHORT: not all of it is there; *len is then the length when the header was complete, else 0.
 * WW_OK: `*len` <= avail octets are one message. */
enum ww_err ww_bgp_frame(const uint8_t *data, size_t avail, size_t max, size_t *len, uint8_t *type,
                         struct ww_diag *diag) WW_MUST_USE;

/* `body`: after the 19-octet header. `diag` is written only when the disposition is not ACCEPT. Returns only NOMEM as
 * failure; anything wrong on the wire is a disposition and a diagnostic of the worst fault. All pointers in *out point
 * into body or arena. */
enum ww_err ww_bgp_update_decode(const uint8_t *body, size_t len, const struct ww_bgp_session *session,
                                 struct ww_arena *arena, struct ww_bgp_update *out, struct ww_diag *diag) WW_MUST_USE;

/* False at the end. Host bits of the wire are cleared in *prefix (RFC 4271 §4.3: trailing bits have no meaning). */
bool ww_nlri_next(struct ww_nlri *nlri, struct ww_prefix *prefix, uint32_t *path_id);
void ww_nlri_write(struct ww_writer *w, const struct ww_prefix *prefix, bool add_path, uint32_t path_id);

struct ww_as_segment {
  uint8_t type; /* enum ww_segment_type */
  uint8_t count;
  const uint8_t *asns; /* count * 4 octets, network order */
};
bool ww_as_path_next(struct ww_as_path *path, struct ww_as_segment *segment);
static inline uint32_t ww_as_segment_at(const struct ww_as_segment *s, unsigned i) {
  struct ww_reader r = ww_reader_make(s->asns + (size_t)i * 4, 4);
  return ww_reader_u32(&r);
}
/* Writes the canonical octets of a path written like "64500 64501 {64502,64503} (65001) [65002]" (sequence, AS_SET,
 * confederation sequence, confederation set); for the command line and tests. */
enum ww_err ww_as_path_parse(const char *text, struct ww_writer *out, struct ww_diag *diag) WW_MUST_USE;
/* Takes `asn` off the front of the update's AS_PATH, once, when it is the first of a leading AS_SEQUENCE: a new copy of
 * the attributes, in `arena`. An update whose path starts otherwise is left as it is. */
enum ww_err ww_bgp_update_strip_as(struct ww_bgp_update *update, uint32_t asn, struct ww_arena *arena) WW_MUST_USE;
/* And back; cuts with "..." when buf is too small. Returns buf. */
char *ww_as_path_format(struct ww_as_path path, char *buf, size_t size);

/* Writes a whole UPDATE message (header included) that announces `count` prefixes of one family with these canonical
 * attributes and next hop, or withdraws them (attrs NULL). AS_PATH keeps its 4-octet AS numbers. A message over 65,535
 * octets, or over the writer's room, sets overflow. Give a writer of WW_BGP_MAX_LEN octets to stay within RFC 4271.
 * IPv4 with a 4-octet next hop goes into the classic fields, all else into MP_REACH/MP_UNREACH; no next hop
 * (next_hop_len 0) is written as the unspecified address of the family, because the message would be malformed. */
struct ww_bgp_nlri_item {
  struct ww_prefix prefix;
  uint32_t path_id;
};
void ww_bgp_update_write(struct ww_writer *w, uint8_t afi, const uint8_t *attrs, size_t attrs_len,
                         const uint8_t *next_hop, size_t next_hop_len, bool add_path,
                         const struct ww_bgp_nlri_item *items, size_t count);
void ww_bgp_eor_write(struct ww_writer *w, uint8_t afi);

/* OPEN (RFC 4271 §4.2, capabilities RFC 5492, extended length RFC 9072). */
struct ww_bgp_capability {
  uint8_t code;
  uint8_t len;
  const uint8_t *value;
};
struct ww_bgp_open {
  uint8_t version;
  uint16_t my_as; /* AS_TRANS for a 4-octet AS */
  uint32_t asn;   /* from the 4-octet AS capability, else my_as */
  uint16_t hold_time;
  uint32_t bgp_id;
  bool as4;                             /* capability 65 present */
  bool extended_message;                /* capability 6 */
  uint8_t add_path_ipv4, add_path_ipv6; /* capability 69: 1 receive, 2 send, 3 both, 0 absent; unicast */
  bool has_role;                        /* capability 9, RFC 9234 */
  uint8_t role;
  const uint8_t *capabilities; /* all capability triples as wire octets, concatenated; arena or body */
  size_t capabilities_len;
};
/* `msg`: with its header. A capability of a length that its specification doesn't allow counts as absent, but stays in
 * `capabilities`. WW_ERR_UNSUPPORTED: a version other than 4. */
enum ww_err ww_bgp_open_decode(const uint8_t *msg, size_t len, struct ww_arena *arena, struct ww_bgp_open *out,
                               struct ww_diag *diag) WW_MUST_USE;
bool ww_bgp_capability_next(struct ww_reader *capabilities, struct ww_bgp_capability *out);
/* Writes an OPEN with the 4-octet AS capability, multiprotocol IPv4 and IPv6 unicast, and `extra` capability octets. */
void ww_bgp_open_write(struct ww_writer *w, uint32_t asn, uint16_t hold_time, uint32_t bgp_id, const uint8_t *extra,
                       size_t extra_len);

/* NOTIFICATION (RFC 4271 §4.5). `msg`: with its header. */
struct ww_bgp_notification {
  uint8_t code, subcode;
  const uint8_t *data; /* borrowed from msg */
  size_t data_len;
};
enum ww_err ww_bgp_notification_decode(const uint8_t *msg, size_t len, struct ww_bgp_notification *out,
                                       struct ww_diag *diag) WW_MUST_USE;
void ww_bgp_notification_write(struct ww_writer *w, uint8_t code, uint8_t subcode, const void *data, size_t len);

#endif
