/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of peers of one BMP session: an array of pointers, sorted by key, each peer allocated by itself so that
 * pointers stand while the array moves. Peers come and go rarely and are looked up for every message.
 */
#include "feeds/bmp_peers.h"

#include "feeds/bmp_feed.h"

#include <stdlib.h>

static struct ww_bmp_peer_key key_of(const struct ww_bmp_peer *header) {
  struct ww_bmp_peer_key key;
  struct ww_writer w = ww_writer_make(key.octets, sizeof key.octets);
  ww_writer_u8(&w, header->type);
  /* Bit 0 is V for a peer with an address (RFC 7854 §4.2), but F for a Loc-RIB (RFC 9069 §4.2). */
  ww_writer_u8(&w, header->type == WW_BMP_PEER_LOC_RIB ? 0 : header->flags & WW_BMP_FLAG_V);
  ww_writer_u64(&w, header->distinguisher);
  ww_writer_bytes(&w, header->address, sizeof header->address);
  return key;
}

/* Where the key is, or would be. */
static size_t place_of(const struct ww_bmp_peers *peers, const struct ww_bmp_peer_key *key, bool *found) {
  size_t low = 0, high = peers->count;
  *found = false;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = memcmp(key->octets, peers->sorted[middle]->key.octets, sizeof key->octets);
    if (order == 0) {
      *found = true;
      return middle;
    }
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

void ww_bmp_peers_fini(struct ww_bmp_peers *peers) {
  for (size_t i = 0; i < peers->count; i++)
    free(peers->sorted[i]);
  free(peers->sorted);
  *peers = (struct ww_bmp_peers){0};
}

struct ww_bmp_feed_peer *ww_bmp_peers_get(struct ww_bmp_peers *peers, const struct ww_bmp_peer *header) {
  struct ww_bmp_peer_key key = key_of(header);
  if (peers->last && memcmp(peers->last->key.octets, key.octets, sizeof key.octets) == 0)
    return peers->last;
  bool found;
  size_t at = place_of(peers, &key, &found);
  if (!found)
    return NULL;
  peers->last = peers->sorted[at];
  return peers->last;
}

enum ww_err ww_bmp_peers_add(struct ww_bmp_peers *peers, const struct ww_bmp_peer *header,
                             struct ww_bmp_feed_peer **out) {
  struct ww_bmp_peer_key key = key_of(header);
  bool found;
  size_t at = place_of(peers, &key, &found);
  if (found)
    return WW_ERR_EXISTS;
  if (peers->count >= WW_BMP_FEED_MAX_PEERS)
    return WW_ERR_LIMIT;
  if (peers->count == peers->cap) {
    size_t cap = peers->cap ? peers->cap * 2 : 16;
    struct ww_bmp_feed_peer **bigger = realloc(peers->sorted, cap * sizeof(*bigger));
    if (!bigger)
      return WW_ERR_NOMEM;
    peers->sorted = bigger;
    peers->cap = cap;
  }
  struct ww_bmp_feed_peer *peer = calloc(1, sizeof *peer);
  if (!peer)
    return WW_ERR_NOMEM;
  peer->key = key;
  peer->header = *header;
  memmove(peers->sorted + at + 1, peers->sorted + at, (peers->count - at) * sizeof(struct ww_bmp_feed_peer *));
  peers->sorted[at] = peer;
  peers->count++;
  *out = peer;
  return WW_OK;
}

void ww_bmp_peers_remove(struct ww_bmp_peers *peers, struct ww_bmp_feed_peer *peer) {
  bool found;
  size_t at = place_of(peers, &peer->key, &found);
  if (!found)
    return;
  peers->count--;
  memmove(peers->sorted + at, peers->sorted + at + 1, (peers->count - at) * sizeof(struct ww_bmp_feed_peer *));
  if (peers->last == peer)
    peers->last = NULL;
  free(peer);
}
