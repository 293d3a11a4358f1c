/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BMP version 3 (RFC 7854, 8671, 9069, 9515, 9736, 9972): every message type, octets <-> structs, and the TLV shapes
 * of version 4 (wire/bmp_tlv.h holds the draft's numbers). Pure. Decoded pointers borrow from the input.
 */
#ifndef WW_WIRE_BMP_H
#define WW_WIRE_BMP_H

#include "base/bytes.h"
#include <waywarden/prefix.h>

enum { WW_BMP_HEADER_LEN = 6, WW_BMP_PEER_HEADER_LEN = 42 };
enum { WW_BMP_MAX_LEN = 1 << 20 }; /* CHOICE: no BMP message needs more; RFC 7854 sets no bound */

enum ww_bmp_type {
  WW_BMP_ROUTE_MONITORING = 0,
  WW_BMP_STATISTICS = 1,
  WW_BMP_PEER_DOWN = 2,
  WW_BMP_PEER_UP = 3,
  WW_BMP_INITIATION = 4,
  WW_BMP_TERMINATION = 5,
  WW_BMP_ROUTE_MIRRORING = 6,
};

/* Initiation, Peer Up and Peer Down (types of RFC 7854 §4.4, RFC 9069 §5.2.1, RFC 8671 §6.3.1, parted by RFC 9736). */
enum ww_bmp_info_type {
  WW_BMP_INFO_STRING = 0,
  WW_BMP_INFO_SYS_DESCR = 1,
  WW_BMP_INFO_SYS_NAME = 2,
  WW_BMP_INFO_TABLE_NAME = 3,
  WW_BMP_INFO_ADMIN_LABEL = 4,
};
enum ww_bmp_termination_type { WW_BMP_TERM_STRING = 0, WW_BMP_TERM_REASON = 1 };
enum ww_bmp_mirror_type { WW_BMP_MIRROR_MESSAGE = 0, WW_BMP_MIRROR_INFORMATION = 1 };
enum ww_bmp_mirror_code { WW_BMP_MIRROR_ERRORED_PDU = 0, WW_BMP_MIRROR_MESSAGES_LOST = 1 };

/* RFC 7854 §4.9, RFC 9069 §5.3. */
enum ww_bmp_down_reason {
  WW_BMP_DOWN_LOCAL_NOTIFICATION = 1,
  WW_BMP_DOWN_LOCAL_FSM = 2,
  WW_BMP_DOWN_REMOTE_NOTIFICATION = 3,
  WW_BMP_DOWN_REMOTE = 4,
  WW_BMP_DOWN_DECONFIGURED = 5,
  WW_BMP_DOWN_LOCAL_SYSTEM = 6,
};

enum ww_bmp_peer_type { WW_BMP_PEER_GLOBAL = 0, WW_BMP_PEER_RD = 1, WW_BMP_PEER_LOCAL = 2, WW_BMP_PEER_LOC_RIB = 3 };
enum ww_bmp_peer_flag { /* peer types 0-2; type 3 has WW_BMP_FLAG_F only */
                        WW_BMP_FLAG_V = 0x80,
                        WW_BMP_FLAG_L = 0x40,
                        WW_BMP_FLAG_A = 0x20,
                        WW_BMP_FLAG_O = 0x10,
                        WW_BMP_FLAG_F = 0x80,
};

struct ww_bmp_header {
  uint8_t version;
  uint32_t len; /* whole message */
  uint8_t type;
};

struct ww_bmp_peer {
  uint8_t type, flags;
  uint64_t distinguisher;
  uint8_t address[16]; /* as on the wire: IPv4 in the last four octets */
  uint32_t asn;
  uint32_t bgp_id;
  uint32_t sec, usec;
};
/* WW_AFI_NONE for a Loc-RIB peer, which has no address. */
struct ww_addr ww_bmp_peer_addr(const struct ww_bmp_peer *peer);
void ww_bmp_peer_write(struct ww_writer *w, const struct ww_bmp_peer *peer);
void ww_bmp_peer_read(struct ww_reader *r, struct ww_bmp_peer *peer);

struct ww_bmp_tlv {
  uint16_t type, len;
  const uint8_t *value;
};
/* Next {u16 type, u16 length, value}; false at the end or when the reader went bad. */
bool ww_bmp_tlv_next(struct ww_reader *r, struct ww_bmp_tlv *tlv);
void ww_bmp_tlv_write(struct ww_writer *w, uint16_t type, const void *value, size_t len);

struct ww_bmp_stat {
  uint16_t type, len;
  const uint8_t *value;
};

/* A decoded message: which union member holds is given by header.type. Runs of TLVs are checked and iterated by
 * ww_bmp_tlv_next() on a copy of the reader. Unknown types: `body`. */
struct ww_bmp_msg {
  struct ww_bmp_header header;
  bool has_peer;
  struct ww_bmp_peer peer;
  union {
    struct {
      const uint8_t *update;
      size_t len;
    } route; /* whole BGP message; trailing TLVs ignored */
    struct {
      uint32_t count;
      struct ww_reader stats;
    } stats; /* ww_bmp_stat_next() */
    struct {
      uint8_t reason;
      uint16_t fsm_event;
      const uint8_t *notification;
      size_t notification_len;
      struct ww_reader tlvs;
    } down;
    struct {
      struct ww_addr local;
      uint16_t local_port, remote_port;
      const uint8_t *sent_open, *received_open;
      size_t sent_len, received_len;
      struct ww_reader tlvs;
    } up;
    struct {
      struct ww_reader tlvs;
    } info; /* Initiation, Termination, Route Mirroring */
  } u;
  struct ww_reader body; /* all octets after the common header */
};

/* How long the next message is, from its first 6 octets. WW_ERR_SHORT: need more. A length below 6, over `max`, or a
 * version not 3 or 4 is WW_ERR_MALFORMED and the stream can't go on. */
enum ww_err ww_bmp_frame(const uint8_t *data, size_t avail, size_t max, struct ww_bmp_header *out,
                         struct ww_diag *diag) WW_MUST_USE;
/* `data`, `len`: one whole message of version 3; WW_ERR_UNSUPPORTED for another. An unknown type is WW_OK: see `body`.
 */
enum ww_err ww_bmp_decode(const uint8_t *data, size_t len, struct ww_bmp_msg *out, struct ww_diag *diag) WW_MUST_USE;
bool ww_bmp_stat_next(struct ww_reader *r, struct ww_bmp_stat *stat);

/* Encoders. Each writes a whole message. `version` is 3 or 4. begin/end bracket a message with a back-patched length.
 */
size_t ww_bmp_begin(struct ww_writer *w, uint8_t version, uint8_t type);
void ww_bmp_end(struct ww_writer *w, size_t start);
void ww_bmp_initiation_write(struct ww_writer *w, uint8_t version, const char *sys_descr, const char *sys_name,
                             const char *free_text);
void ww_bmp_termination_write(struct ww_writer *w, uint8_t version, uint16_t reason, const char *free_text);
void ww_bmp_peer_up_write(struct ww_writer *w, uint8_t version, const struct ww_bmp_peer *peer,
                          const struct ww_addr *local, uint16_t local_port, uint16_t remote_port,
                          const uint8_t *sent_open, size_t sent_len, const uint8_t *received_open, size_t received_len,
                          const char *table_name);
void ww_bmp_peer_down_write(struct ww_writer *w, uint8_t version, const struct ww_bmp_peer *peer, uint8_t reason,
                            const void *data, size_t len);
void ww_bmp_route_write(struct ww_writer *w, const struct ww_bmp_peer *peer, const uint8_t *update, size_t len);
void ww_bmp_statistics_write(struct ww_writer *w, const struct ww_bmp_peer *peer, const struct ww_bmp_stat *stats,
                             size_t count);
/* One mirrored BGP message, or (len 0) only the code, e.g. WW_BMP_MIRROR_MESSAGES_LOST; `code` < 0: none. */
void ww_bmp_mirror_write(struct ww_writer *w, const struct ww_bmp_peer *peer, int code, const uint8_t *message,
                         size_t len);

const char *ww_bmp_type_name(uint8_t type);

#endif
