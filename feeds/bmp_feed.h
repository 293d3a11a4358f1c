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

enum ww_rib_view { WW_VIEW_ADJ_IN_PRE = 0, WW_VIEW_ADJ_IN_POST = 1, WW_VIEW_ADJ_OUT_PRE = 2, WW_VIEW_ADJ_OUT_POST = 3, WW_VIEW_LOC_RIB = 4 };

/* Every pointer is valid during the callback only. `peer` is the header of the message, `view` the table it speaks of. */
struct ww_bmp_feed_events {
  void *ctx;
  void (*initiation)(void *ctx, const char *sys_name, const char *sys_descr);
  void (*peer_up)(void *ctx, const struct ww_bmp_peer *peer, const struct ww_bmp_msg *msg);
  void (*peer_down)(void *ctx, const struct ww_bmp_peer *peer, const struct ww_bmp_msg *msg);
  /* One UPDATE, decoded; disposition treat-as-withdraw has been turned into withdrawals already. */
  void (*update)(void *ctx, const struct ww_bmp_peer *peer, enum ww_rib_view view, const struct ww_bgp_update *update);
  void (*stats)(void *ctx, const struct ww_bmp_peer *peer, const struct ww_bmp_msg *msg);
  void (*termination)(void *ctx, uint16_t reason, const char *text);
};

struct ww_bmp_feed_stats {
  uint64_t messages, updates, bytes, ignored, malformed_updates, unknown_peer;
};

struct ww_bmp_feed *ww_bmp_feed_new(const struct ww_bmp_feed_events *events, const struct ww_log *log);
void ww_bmp_feed_free(struct ww_bmp_feed *feed);
/* Bytes as they come from the socket. An error means that the stream is lost: close it; *diag says where and why. */
enum ww_err ww_bmp_feed_input(struct ww_bmp_feed *feed, const uint8_t *data, size_t len, struct ww_diag *diag) WW_MUST_USE;
void ww_bmp_feed_stats(const struct ww_bmp_feed *feed, struct ww_bmp_feed_stats *out);

#endif
