/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RPKI_CONFIG (docs/formats/bmp-rpki.md): data sources, policies and SLURM exceptions, to octets and back. Pure.
 *
 * A message is a run of groups; a group is one source, one policy, or a number of SLURM exceptions. Global ones come
 * without a per-peer header, those of a peer behind one.
 */
#ifndef WW_BMPOUT_CONFIG_MESSAGE_H
#define WW_BMPOUT_CONFIG_MESSAGE_H

#include "base/arena.h"
#include "bmpout/encode.h"
#include <waywarden/policy.h>

enum ww_source_status {
  WW_STATUS_NOT_APPLICABLE = 0,
  WW_STATUS_ACTIVE = 1,
  WW_STATUS_IDLE = 2,
  WW_STATUS_CONNECTING = 3,
  WW_STATUS_UNREACHABLE = 4,
  WW_STATUS_DISABLED = 5,
};
const char *ww_source_status_name(uint8_t status); /* "active" ...; "unknown" for what is not one. Static storage. */

enum ww_rtr_transport {
  WW_TRANSPORT_TCP = 1,
  WW_TRANSPORT_TLS = 2,
  WW_TRANSPORT_SSH = 3,
  WW_TRANSPORT_TCP_MD5 = 4,
  WW_TRANSPORT_TCP_AO = 5
};
const char *ww_rtr_transport_name(uint8_t transport); /* "tcp", "tls", "ssh", "tcp-md5", "tcp-ao", "unknown" */

enum ww_record_kind {
  WW_RECORD_VRP_IPV4 = 1,
  WW_RECORD_VRP_IPV6 = 2,
  WW_RECORD_ASPA = 3,
  WW_RECORD_ROUTER_KEY = 4,
  WW_RECORD_KINDS = 5
};

enum ww_hash_kind { WW_HASH_VRPS = 1, WW_HASH_ASPAS = 2, WW_HASH_ROUTER_KEYS = 3, WW_HASH_KINDS = 4 };

/* As in RFC 8416 and draft-ietf-sidrops-aspa-slurm-04. */
enum ww_override_kind {
  WW_OVERRIDE_PREFIX_ASSERTION = 1,
  WW_OVERRIDE_PREFIX_FILTER = 2,
  WW_OVERRIDE_BGPSEC_ASSERTION = 3,
  WW_OVERRIDE_BGPSEC_FILTER = 4,
  WW_OVERRIDE_ASPA_ASSERTION = 5,
  WW_OVERRIDE_ASPA_FILTER = 6,
  WW_OVERRIDE_KINDS = 7
};
const char *ww_override_kind_name(uint8_t kind); /* "prefix-assertion" ... */

struct ww_stamp {
  uint32_t sec, usec; /* sec 0: never, or not known */
};

enum { WW_HASH_LEN = 32, WW_CONFIG_TEXT_MAX = 1024 /* octets of a label, host, name or error message on the wire */ };

struct ww_text { /* not terminated; borrowed */
  const char *text;
  size_t len;
};

/* A data source. Members that are zero, empty or not applicable to `type` are left out of the message. */
struct ww_config_source_item {
  uint32_t id;
  uint8_t type; /* enum ww_rule_source */
  struct ww_text label;
  uint8_t status; /* enum ww_source_status */
  bool has_records[WW_RECORD_KINDS];
  uint64_t records[WW_RECORD_KINDS];
  struct ww_stamp last_sync, last_attempt, modified;
  uint64_t errors;
  bool has_hash[WW_HASH_KINDS];
  uint8_t hash[WW_HASH_KINDS][WW_HASH_LEN]; /* CCR state hashes, SHA-256 */
  struct {
    bool present, backup; /* backup: a cache of a more preferred group serves */
    uint16_t preference;
    uint8_t version, transport;
    struct ww_addr address; /* afi 0: `host` */
    struct ww_text host;
    uint16_t port;
  } rtr;
  struct {
    bool present;
    struct ww_addr peer;
    uint32_t asn; /* 0: not given */
    uint8_t role; /* enum ww_role */
  } bgp;
  struct {
    bool present;
    uint32_t counts[WW_OVERRIDE_KINDS], read_errors, write_errors;
    struct ww_text last_error;
  } slurm;
};

struct ww_config_override {
  uint8_t kind;    /* enum ww_override_kind */
  uint8_t max_len; /* of a prefix assertion */
  bool has_asn;    /* else any */
  uint32_t asn;
  struct ww_prefix prefix; /* afi 0: none */
};

enum ww_config_kind { WW_CONFIG_SOURCE = 1, WW_CONFIG_POLICY = 2, WW_CONFIG_SLURM = 3 };

/* One group. */
struct ww_config_item {
  uint8_t kind; /* enum ww_config_kind */
  union {
    const struct ww_config_source_item *source;
    const struct ww_policy *policy;
    struct {
      const struct ww_config_override *list;
      size_t count;
    } overrides;
  } u;
};

/*
 * Appends one message with the first items that fit into `max` octets; *taken says how many. The list of exceptions of
 * an item that does not fit whole is cut: the item is then not counted in *taken, and *part (in and out) is how many of
 * its exceptions are done. `has_peer`: behind message->peer, scope "peer"; else global. WW_ERR_FULL: not even a part of
 * one fits. No items at all make a message for its Profile flags alone.
 */
enum ww_err ww_config_encode(const struct ww_encode_message *message, bool has_peer, const struct ww_config_item *items,
                             size_t count, size_t max, struct ww_writer *w, size_t *taken, size_t *part) WW_MUST_USE;

struct ww_config_message {
  uint8_t version;
  bool has_peer;
  struct ww_bmp_peer peer;
  uint8_t tlv_draft;
  uint16_t profile_flags;
  uint32_t snapshot_id;
  bool has_sequence;
  uint64_t sequence;
  const struct ww_config_item *items; /* in the arena */
  size_t item_count;
};

/* `data`: one whole message of type 251. Strict: a group without its sub-type or a source without type and status is
 * refused. Unknown TLVs and sub-types are passed over. WW_ERR_UNSUPPORTED: another enterprise's. */
enum ww_err ww_config_decode(const uint8_t *data, size_t len, uint32_t pen, struct ww_arena *arena,
                             struct ww_config_message *out, struct ww_diag *diag) WW_MUST_USE;

#endif
