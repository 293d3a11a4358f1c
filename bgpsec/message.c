/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Laying out the octets that are hashed:
 *
 *   target AS | Signature N-1 | Segment N | ... | Signature 1 | Segment 2 | Segment 1 | suite | AFI | SAFI | NLRI
 *
 * with N the newest hop, which is the first on the wire. hops[0] is the newest; its octets are the whole buffer, those
 * of hops[i] begin at the AS number of segment i - 1. A buffer is measured before it is written.
 *
 * Clauses: RFC 8205 §4.2, §5.2.
 */
#include "bgpsec/message.h"

#include <stdlib.h>
#include <string.h>

enum { TARGET_LEN = 4, ASN_IN_SEGMENT = 2, TAIL_MAX = 1 + 2 + 1 + 1 + 16 };

void ww_bgpsec_message_fini(struct ww_bgpsec_message *m) {
  free(m->octets);
  free(m->hops);
  *m = (struct ww_bgpsec_message){0};
}

static bool reserve(struct ww_bgpsec_message *m, size_t octets, size_t hops) {
  if (octets > m->cap) {
    uint8_t *larger = realloc(m->octets, octets);
    if (!larger)
      return false;
    m->octets = larger;
    m->cap = octets;
  }
  if (hops > m->hop_cap) {
    struct ww_bgpsec_hop *larger = realloc(m->hops, hops * sizeof *larger);
    if (!larger)
      return false;
    m->hops = larger;
    m->hop_cap = hops;
  }
  return true;
}

static void put_segment(struct ww_writer *w, const struct ww_bgpsec_segment *s) {
  ww_writer_u8(w, s->pcount);
  ww_writer_u8(w, s->flags);
  ww_writer_u32(w, s->asn);
}

static void put_signature(struct ww_writer *w, const struct ww_bgpsec_signature *s) {
  ww_writer_bytes(w, s->ski, (size_t)WW_BGPSEC_SIGNATURE_HEADER + s->sig_len);
}

/* RFC 8205 §5.2: suite, AFI, SAFI and NLRI, whose trailing bits are 0: no prefix that was decoded has others. */
static void put_tail(struct ww_writer *w, uint8_t suite, const struct ww_prefix *prefix) {
  ww_writer_u8(w, suite);
  ww_writer_u16(w, prefix->afi);
  ww_writer_u8(w, WW_SAFI_UNICAST);
  ww_writer_u8(w, prefix->len);
  ww_writer_bytes(w, prefix->addr, (prefix->len + 7u) / 8);
}

enum ww_err ww_bgpsec_message_build(struct ww_bgpsec_message *m, const struct ww_bgpsec_path *path, size_t block,
                                    uint32_t target, const struct ww_prefix *prefix) {
  const struct ww_bgpsec_block *b = &path->blocks[block];
  size_t n = path->count;
  if (!reserve(m, TARGET_LEN + n * WW_BGPSEC_SEGMENT_LEN + b->len + TAIL_MAX, n))
    return WW_ERR_NOMEM;
  struct ww_writer w = ww_writer_make(m->octets, m->cap);
  struct ww_reader r = ww_reader_make(b->signatures, b->len);
  m->hop_count = n;
  ww_writer_u32(&w, target);
  for (size_t i = 0; i < n; i++) {
    struct ww_bgpsec_hop *hop = &m->hops[i];
    hop->segment = ww_bgpsec_segment_at(path, i);
    hop->offset = 0;
    if (!ww_bgpsec_signature_next(&r, &hop->signature))
      return WW_ERR_INVAL;
    if (i == 0)
      continue;
    /* The signature of this hop and the segment of the one before stand together. */
    put_signature(&w, &hop->signature);
    hop->offset = (uint32_t)(w.len + ASN_IN_SEGMENT);
    put_segment(&w, &m->hops[i - 1].segment);
  }
  put_segment(&w, &m->hops[n - 1].segment);
  put_tail(&w, b->suite, prefix);
  m->len = w.len;
  return w.overflow ? WW_ERR_INVAL : WW_OK;
}

enum ww_err ww_bgpsec_message_begin(struct ww_bgpsec_message *m, const struct ww_bgpsec_path *path, size_t block,
                                    uint8_t suite, const struct ww_bgpsec_segment *segment, uint32_t target,
                                    const struct ww_prefix *prefix) {
  size_t n = path ? path->count : 0, signatures = path ? path->blocks[block].len : 0;
  if (!reserve(m, TARGET_LEN + (n + 1) * WW_BGPSEC_SEGMENT_LEN + signatures + TAIL_MAX, 0))
    return WW_ERR_NOMEM;
  struct ww_writer w = ww_writer_make(m->octets, m->cap);
  struct ww_reader r = ww_reader_make(path ? path->blocks[block].signatures : NULL, signatures);
  struct ww_bgpsec_segment last = *segment;
  struct ww_bgpsec_signature signature;
  ww_writer_u32(&w, target);
  for (size_t i = 0; i < n; i++) {
    if (!ww_bgpsec_signature_next(&r, &signature))
      return WW_ERR_INVAL;
    put_signature(&w, &signature);
    put_segment(&w, &last);
    last = ww_bgpsec_segment_at(path, i);
  }
  put_segment(&w, &last);
  put_tail(&w, suite, prefix);
  m->hop_count = 0;
  m->len = w.len;
  return w.overflow ? WW_ERR_INVAL : WW_OK;
}
