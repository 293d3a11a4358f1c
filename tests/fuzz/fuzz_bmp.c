/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ww_bmp_decode() on one message (its length field is set right, so that the fuzzer gets past it), everything in it
 * iterated; and the TLVs of version 4 on the same octets, read and written back.
 */
#include "wire/bgp.h"
#include "wire/bmp.h"
#include "wire/bmp_tlv.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition))                                                                                                  \
      abort();                                                                                                         \
  } while (0)

static void walk_tlvs(struct ww_reader r) {
  for (struct ww_bmp_tlv tlv; ww_bmp_tlv_next(&r, &tlv);)
    CHECK(tlv.value != NULL);
  CHECK(ww_reader_done(&r)); /* decoding has checked them */
}

static void framed(const uint8_t *data, size_t len, uint8_t want) {
  size_t n;
  uint8_t type;
  CHECK(ww_bgp_frame(data, len, WW_BGP_MAX_LEN_EXTENDED, &n, &type, NULL) == WW_OK && n == len && type == want);
}

static void look_at(const struct ww_bmp_msg *msg) {
  if (msg->has_peer) {
    char text[WW_ADDR_STRLEN];
    struct ww_addr addr = ww_bmp_peer_addr(&msg->peer);
    if (addr.afi != WW_AFI_NONE)
      CHECK(ww_addr_format(&addr, text)[0] != '\0');
  }
  switch (msg->header.type) {
  case WW_BMP_ROUTE_MONITORING:
    framed(msg->u.route.update, msg->u.route.len, WW_BGP_UPDATE);
    break;
  case WW_BMP_STATISTICS: {
    struct ww_reader r = msg->u.stats.stats;
    uint32_t n = 0;
    for (struct ww_bmp_stat stat; ww_bmp_stat_next(&r, &stat);)
      n++;
    CHECK(ww_reader_done(&r) && n == msg->u.stats.count);
    break;
  }
  case WW_BMP_PEER_DOWN:
    if (msg->u.down.notification)
      framed(msg->u.down.notification, msg->u.down.notification_len, WW_BGP_NOTIFICATION);
    walk_tlvs(msg->u.down.tlvs);
    break;
  case WW_BMP_PEER_UP:
    framed(msg->u.up.sent_open, msg->u.up.sent_len, WW_BGP_OPEN);
    framed(msg->u.up.received_open, msg->u.up.received_len, WW_BGP_OPEN);
    walk_tlvs(msg->u.up.tlvs);
    break;
  case WW_BMP_INITIATION:
  case WW_BMP_TERMINATION:
  case WW_BMP_ROUTE_MIRRORING:
    walk_tlvs(msg->u.info.tlvs);
    break;
  default:
    break;
  }
}

/* TLVs that decode are written back to the same octets. */
static void version4_tlvs(const uint8_t *data, size_t size, bool indexed) {
  uint8_t *copy = malloc(size ? size : 1);
  if (!copy)
    abort();
  struct ww_writer w = ww_writer_make(copy, size);
  struct ww_reader r = ww_reader_make(data, size);
  for (struct ww_tlv tlv; ww_tlv_next(&r, indexed, &tlv);) {
    size_t start = ww_tlv_begin(&w, tlv.type, tlv.enterprise, tlv.pen, tlv.indexed, tlv.group, tlv.index);
    ww_writer_bytes(&w, tlv.value, tlv.len);
    ww_tlv_end(&w, start);
    CHECK(!w.overflow);
  }
  CHECK(memcmp(copy, data, w.len) == 0);
  CHECK(r.bad || w.len == size);
  free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct ww_bmp_header header;
  (void)!ww_bmp_frame(data, size, WW_BMP_MAX_LEN, &header, NULL);
  if (size < WW_BMP_HEADER_LEN || size > WW_BMP_MAX_LEN)
    return 0;
  uint8_t *msg = malloc(size);
  if (!msg)
    abort();
  memcpy(msg, data, size);
  struct ww_writer w = ww_writer_make(msg, size);
  ww_writer_u8(&w, 3);
  ww_writer_u32(&w, (uint32_t)size);
  struct ww_bmp_msg out;
  struct ww_diag why = {0};
  enum ww_err err = ww_bmp_decode(msg, size, &out, &why);
  CHECK(err == WW_OK || (err == WW_ERR_MALFORMED && why.text[0] != '\0' && why.offset <= size));
  if (err == WW_OK)
    look_at(&out);
  version4_tlvs(msg + WW_BMP_HEADER_LEN, size - WW_BMP_HEADER_LEN, false);
  version4_tlvs(msg + WW_BMP_HEADER_LEN, size - WW_BMP_HEADER_LEN, true);
  free(msg);
  return 0;
}
