/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Just enough of pcap, IP and TCP to get the octets of each direction of a capture's connections: little-endian files,
 * Ethernet (with VLAN tags) or raw IP, segments in order; a repeated segment is dropped, a gap ends the stream.
 */
#ifndef WW_TESTS_WIRE_PCAP_H
#define WW_TESTS_WIRE_PCAP_H

#include "tests/wire/hex.h"

#include "base/bytes.h"

struct tcp_stream {
  uint8_t ends[36]; /* addresses and ports */
  uint32_t next;
  bool cut;
  struct octets data;
};

struct capture {
  struct tcp_stream streams[128];
  size_t count;
};

static inline uint32_t little32(struct ww_reader *r) {
  uint32_t v = ww_reader_u32(r);
  return v >> 24 | (v >> 8 & 0xff00) | (v << 8 & 0xff0000) | v << 24;
}

static inline void add_segment(struct capture *c, const uint8_t ends[36], uint32_t seq, struct ww_reader payload) {
  size_t len = ww_reader_left(&payload), i = 0;
  if (len == 0)
    return;
  while (i < c->count && memcmp(c->streams[i].ends, ends, 36) != 0)
    i++;
  struct tcp_stream *s = &c->streams[i];
  if (i == c->count) {
    assert_true(c->count < sizeof c->streams / sizeof c->streams[0]);
    c->count++;
    memcpy(s->ends, ends, 36);
    s->next = seq;
  }
  if (s->cut || (int32_t)(seq - s->next) < 0)
    return;
  if (seq != s->next) {
    s->cut = true;
    return;
  }
  s->data.data = realloc(s->data.data, s->data.len + len);
  assert_non_null(s->data.data);
  memcpy(s->data.data + s->data.len, payload.p, len);
  s->data.len += len;
  s->next += (uint32_t)len;
}

static inline void add_packet(struct capture *c, struct ww_reader r) {
  uint8_t ends[36] = {0};
  uint8_t version = ww_reader_left(&r) ? *r.p >> 4 : 0, proto;
  struct ww_reader tcp;
  if (version == 4) {
    const uint8_t *h = ww_reader_take(&r, 20);
    if (!h)
      return;
    size_t head = (h[0] & 15u) * 4u, total = (size_t)h[2] << 8 | h[3];
    proto = h[9];
    memcpy(ends, h + 12, 4);
    memcpy(ends + 16, h + 16, 4);
    (void)ww_reader_take(&r, head - 20);
    if (total < head || total - head > ww_reader_left(&r))
      total = head + ww_reader_left(&r);
    tcp = ww_reader_sub(&r, total - head);
  } else if (version == 6) {
    const uint8_t *h = ww_reader_take(&r, 40);
    if (!h)
      return;
    size_t len = (size_t)h[4] << 8 | h[5];
    proto = h[6];
    memcpy(ends, h + 8, 32);
    if (len > ww_reader_left(&r))
      len = ww_reader_left(&r);
    tcp = ww_reader_sub(&r, len);
  } else {
    return;
  }
  const uint8_t *ports = proto == 6 ? ww_reader_take(&tcp, 4) : NULL;
  if (!ports)
    return;
  memcpy(ends + 32, ports, 4);
  uint32_t seq = ww_reader_u32(&tcp);
  (void)ww_reader_u32(&tcp);
  size_t head = (size_t)(ww_reader_u8(&tcp) >> 4) * 4;
  (void)ww_reader_take(&tcp, head < 13 ? 0 : head - 13);
  if (!tcp.bad)
    add_segment(c, ends, seq, tcp);
}

/* False when the file is not at hand. Free with capture_fini(). */
static inline bool capture_read(struct capture *c, const char *name) {
  *c = (struct capture){0};
  struct octets file = shared_file(name);
  if (!file.data)
    return false;
  struct ww_reader r = ww_reader_make(file.data, file.len);
  uint32_t magic = little32(&r);
  assert_true(magic == 0xa1b2c3d4 || magic == 0xa1b23c4d);
  (void)ww_reader_take(&r, 16);
  uint32_t link = little32(&r);
  assert_true(link == 1 || link == 101);
  while (ww_reader_left(&r)) {
    (void)ww_reader_take(&r, 8);
    size_t len = little32(&r);
    (void)little32(&r);
    struct ww_reader packet = ww_reader_sub(&r, len);
    if (link == 1) {
      (void)ww_reader_take(&packet, 12);
      while (ww_reader_u16(&packet) == 0x8100)
        (void)ww_reader_take(&packet, 2);
    }
    add_packet(c, packet);
  }
  free(file.data);
  return true;
}

static inline void capture_fini(struct capture *c) {
  for (size_t i = 0; i < c->count; i++)
    free(c->streams[i].data.data);
}

#endif
