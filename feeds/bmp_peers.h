/* SPDX-License-Identifier: BSD-2-Clause */
/* The peers of one BMP session that are up, and how to read what each of them sends. Private to feeds/. */
#ifndef WW_FEEDS_BMP_PEERS_H
#define WW_FEEDS_BMP_PEERS_H

#include "wire/bgp.h"
#include "wire/bmp.h"

enum { WW_BMP_PEER_KEY_LEN = 26 };

/* Which peer a per-peer header speaks of (RFC 7854 §4.2): type, family, distinguisher, address. L, A, O and F say what
 * a message holds, not whose it is. */
struct ww_bmp_peer_key {
  uint8_t octets[WW_BMP_PEER_KEY_LEN];
};

/* What one OPEN of a Peer Up says about decoding. Index 0 IPv4, 1 IPv6; bit 0 receives path ids, bit 1 sends them. */
struct ww_bmp_open_view {
  uint32_t asn;
  bool as4;
  uint8_t add_path[2];
};

struct ww_bmp_feed_peer {
  struct ww_bmp_peer_key key;
  struct ww_bmp_peer header; /* of its Peer Up */
  uint16_t local_port, remote_port;
  struct ww_bmp_open_view sent, received;
  bool mirrored;    /* an UPDATE of it was mirrored */
  bool mirror_lost; /* the router said that mirrored messages were lost */
  bool synced[2];   /* by family: the dump of its Adj-RIB-In is over */
};

/* Sorted by key: lookups are a binary search that nobody can degrade by choosing addresses. */
struct ww_bmp_peers {
  struct ww_bmp_feed_peer **sorted;
  size_t count, cap;
  struct ww_bmp_feed_peer *last; /* found last: messages of one peer come in runs */
};

void ww_bmp_peers_fini(struct ww_bmp_peers *peers);
struct ww_bmp_feed_peer *ww_bmp_peers_get(struct ww_bmp_peers *peers, const struct ww_bmp_peer *header);
/* Adds a peer that is not there yet. WW_ERR_NOMEM; WW_ERR_LIMIT over WW_BMP_FEED_MAX_PEERS. */
enum ww_err ww_bmp_peers_add(struct ww_bmp_peers *peers, const struct ww_bmp_peer *header,
                             struct ww_bmp_feed_peer **out) WW_MUST_USE;
void ww_bmp_peers_remove(struct ww_bmp_peers *peers, struct ww_bmp_feed_peer *peer);

#endif
