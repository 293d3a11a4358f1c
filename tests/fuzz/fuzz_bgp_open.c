/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ww_bgp_open_decode() and ww_bgp_notification_decode() on the body of a message. What decodes is written again, with
 * the capabilities it had, and must then say the same.
 */
#include "wire/bgp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition))                                                                                                  \
      abort();                                                                                                         \
  } while (0)

/* The body behind a right header, in a block of just that size. */
static uint8_t *frame(const uint8_t *data, size_t size, uint8_t type) {
  uint8_t *msg = malloc(size + WW_BGP_HEADER_LEN);
  if (!msg)
    abort();
  struct ww_writer w = ww_writer_make(msg, size + WW_BGP_HEADER_LEN);
  for (unsigned i = 0; i < 16; i++)
    ww_writer_u8(&w, 0xff);
  ww_writer_u16(&w, (uint16_t)(size + WW_BGP_HEADER_LEN));
  ww_writer_u8(&w, type);
  ww_writer_bytes(&w, data, size);
  return msg;
}

static void try_open(const uint8_t *data, size_t size) {
  uint8_t *msg = frame(data, size, WW_BGP_OPEN);
  struct ww_arena arena;
  ww_arena_init(&arena, 0);
  struct ww_bgp_open open, again;
  struct ww_diag why = {0};
  enum ww_err err = ww_bgp_open_decode(msg, size + WW_BGP_HEADER_LEN, &arena, &open, &why);
  CHECK((err == WW_OK) == (why.text[0] == '\0'));
  if (err == WW_OK) {
    struct ww_reader caps = ww_reader_make(open.capabilities, open.capabilities_len);
    for (struct ww_bgp_capability cap; ww_bgp_capability_next(&caps, &cap);)
      ;
    CHECK(ww_reader_done(&caps));
    uint8_t buf[WW_BGP_MAX_LEN];
    struct ww_writer w = ww_writer_make(buf, sizeof buf);
    ww_bgp_open_write(&w, open.asn, open.hold_time, open.bgp_id, open.capabilities, open.capabilities_len);
    if (!w.overflow) {
      CHECK(ww_bgp_open_decode(buf, w.len, &arena, &again, NULL) == WW_OK);
      CHECK(again.asn == open.asn && again.hold_time == open.hold_time && again.bgp_id == open.bgp_id);
      CHECK(again.extended_message == open.extended_message && again.add_path_ipv4 == open.add_path_ipv4 &&
            again.add_path_ipv6 == open.add_path_ipv6 && again.has_role == open.has_role && again.role == open.role);
    }
  }
  ww_arena_fini(&arena);
  free(msg);
}

static void try_notification(const uint8_t *data, size_t size) {
  uint8_t *msg = frame(data, size, WW_BGP_NOTIFICATION);
  struct ww_bgp_notification n;
  if (ww_bgp_notification_decode(msg, size + WW_BGP_HEADER_LEN, &n, NULL) == WW_OK) {
    uint8_t buf[WW_BGP_MAX_LEN];
    struct ww_writer w = ww_writer_make(buf, sizeof buf);
    ww_bgp_notification_write(&w, n.code, n.subcode, n.data, n.data_len);
    CHECK(!w.overflow && w.len == size + WW_BGP_HEADER_LEN && memcmp(buf, msg, w.len) == 0);
  }
  free(msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > WW_BGP_MAX_LEN - WW_BGP_HEADER_LEN)
    return 0;
  try_open(data, size);
  try_notification(data, size);
  size_t len;
  uint8_t type;
  (void)!ww_bgp_frame(data, size, WW_BGP_MAX_LEN, &len, &type, NULL);
  return 0;
}
