/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The station side of a router's BMP session (RFC 7854 v3), as a machine without I/O: octets in, route events out.
 *
 * It keeps per peer what Peer Up said (how to decode that peer's UPDATEs) and turns Route Monitoring, and Route
 * Mirroring where the router gives no other view, into announcements and withdrawals in canonical form. Quirks of real
 * exporters that it knows are named in the .c file's head.
 */
#ifndef WW_FEEDS_BMP_FEED_H
#define WW_FEEDS_BMP_FEED_H

#include "base/log.h"
#include "wire/bgp.h"
#include "wire/bmp.h"

struct ww_bmp_feed;

enum ww_rib_view {
  WW_VIEW_ADJ_IN_PRE = 0,
  WW_VIEW_ADJ_IN_POST = 1,
  WW_VIEW_ADJ_OUT_PRE = 2,
  WW_VIEW_ADJ_OUT_POST = 3,
  WW_VIEW_LOC_RIB = 4
};

/* The peers of one feed; a Peer Up beyond them is dropped and counted. */
enum { WW_BMP_FEED_MAX_PEERS = 16384 };

/* Every pointer is valid during the callback only. Any function may be NULL. Up and down of a peer alternate strictly,
 * and no update of a peer comes while it is down: where an exporter leaves a message out, the feed makes one (a Peer
 * Down with reason 2 and event 0, or 6 for a Loc-RIB; a Loc-RIB Peer Up as RFC 9069 §5.2 describes it). `peer` is the
 * header of the message, `view` the table it speaks of. */
struct ww_bmp_feed_events {
  void *ctx;
  void (*initiation)(void *ctx, const char *sys_name, const char *sys_descr);
  void (*peer_up)(void *ctx, const struct ww_bmp_peer *peer, const struct ww_bmp_msg *msg);
  void (*peer_down)(void *ctx, const struct ww_bmp_peer *peer, const struct ww_bmp_msg *msg);
  /* One UPDATE, decoded; disposition treat-as-withdraw has been turned into withdrawals already, and a message whose
   * routes can't be told (session reset) does not get here. An UPDATE can be given in two calls. */
  void (*update)(void *ctx, const struct ww_bmp_peer *peer, enum ww_rib_view view, const struct ww_bgp_update *update);
  void (*stats)(void *ctx, const struct ww_bmp_peer *peer, const struct ww_bmp_msg *msg);
  void (*termination)(void *ctx, uint16_t reason, const char *text);
};

struct ww_bmp_feed_stats {
  uint64_t messages, bytes;   /* BMP messages read, octets given */
  uint64_t updates;           /* BGP UPDATEs handed on */
  uint64_t ignored;           /* messages of unknown type, malformed ones, and routes that the mirror already told */
  uint64_t malformed_updates; /* BGP UPDATEs with treat-as-withdraw or worse */
  uint64_t unknown_peer;      /* messages of a peer that is not up */
  uint64_t other_family;      /* BGP UPDATEs with an address family that is not handled */
  uint64_t peers;             /* up now */
};

struct ww_bmp_feed *ww_bmp_feed_new(const struct ww_bmp_feed_events *events, const struct ww_log *log);
void ww_bmp_feed_free(struct ww_bmp_feed *feed);
/* Bytes as they come from the socket, in any portions. An error means that the stream is lost: close it; *diag says
 * where and why, its offset counting from the start of the stream; every later call fails the same way. After a
 * Termination message further octets are counted and dropped. */
enum ww_err ww_bmp_feed_input(struct ww_bmp_feed *feed, const uint8_t *data, size_t len,
                              struct ww_diag *diag) WW_MUST_USE;
void ww_bmp_feed_stats(const struct ww_bmp_feed *feed, struct ww_bmp_feed_stats *out);

#endif
