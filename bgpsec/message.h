/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The octets that BGPsec signatures cover (RFC 8205 §4.2, Figure 8, and §5.2, Figure 9).
 *
 * What the signature of an older hop covers is a suffix of what the newest one's covers: it begins at the AS number of
 * the next newer Secure_Path Segment, which is its target. So one buffer serves all hops of a block.
 */
#ifndef WW_BGPSEC_MESSAGE_H
#define WW_BGPSEC_MESSAGE_H

#include "wire/bgp_bgpsec.h"

/* One hop of a block: its signature, and where in the buffer the octets that it covers begin. */
struct ww_bgpsec_hop {
  struct ww_bgpsec_segment segment;
  struct ww_bgpsec_signature signature;
  uint32_t offset;
};

/* Zero-initialise; reused; ww_bgpsec_message_fini(). */
struct ww_bgpsec_message {
  uint8_t *octets;
  size_t len, cap;
  struct ww_bgpsec_hop *hops; /* newest first */
  size_t hop_count, hop_cap;
};

void ww_bgpsec_message_fini(struct ww_bgpsec_message *message);

/* Lays out one block of a decoded path. `target` is the AS that the newest signature was made for. The hops' signatures
 * borrow from the path. */
enum ww_err ww_bgpsec_message_build(struct ww_bgpsec_message *message, const struct ww_bgpsec_path *path, size_t block,
                                    uint32_t target, const struct ww_prefix *prefix) WW_MUST_USE;

/* The same for a signature that is yet to be made: by `segment`, which goes before all that `path` has (NULL: an
 * origination), in a block of this suite. There is nothing in hops[] then. */
enum ww_err ww_bgpsec_message_begin(struct ww_bgpsec_message *message, const struct ww_bgpsec_path *path, size_t block,
                                    uint8_t suite, const struct ww_bgpsec_segment *segment, uint32_t target,
                                    const struct ww_prefix *prefix) WW_MUST_USE;

static inline const uint8_t *ww_bgpsec_message_of(const struct ww_bgpsec_message *m, size_t hop, size_t *len) {
  *len = m->len - m->hops[hop].offset;
  return m->octets + m->hops[hop].offset;
}

#endif
