/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file of MRT records. Framing must move forward and stay inside, prefixes must be canonical, entries and messages
 * lie within their record, and the attributes of every route must give a disposition, never a failure.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/mrt.h"

#define CHECK(x)                                                                                                       \
  do {                                                                                                                 \
    if (!(x))                                                                                                          \
      abort();                                                                                                         \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void table(const struct ww_mrt_record *record, struct ww_arena *arena) {
  struct ww_mrt_rib rib;
  struct ww_mrt_entry entry;
  struct ww_bgp_update update;
  struct ww_diag diag;
  if (ww_mrt_rib_decode(record, &rib, &diag) != WW_OK)
    return;
  CHECK(ww_prefix_is_canonical(&rib.prefix));
  for (unsigned left = 64; left && ww_mrt_entry_next(&rib, &entry); left--) {
    CHECK(entry.attrs_len == 0 ||
          (entry.attrs >= record->body && entry.attrs + entry.attrs_len <= record->body + record->body_len));
    ww_arena_reset(arena);
    CHECK(ww_mrt_entry_update(&rib, &entry, arena, &update, &diag) == WW_OK);
    for (unsigned i = 0; i < 2 && update.disposition == WW_BGP_ACCEPT; i++) {
      struct ww_prefix prefix;
      uint32_t path_id;
      while (ww_nlri_next(&update.announced[i], &prefix, &path_id))
        CHECK(ww_prefix_compare(&prefix, &rib.prefix) == 0);
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *exact = malloc(size ? size : 1);
  struct ww_arena arena;
  if (!exact)
    return 0;
  if (size)
    memcpy(exact, data, size);
  ww_arena_init(&arena, 0);
  for (size_t at = 0;;) {
    struct ww_mrt_record record;
    struct ww_mrt_peer_index index;
    struct ww_mrt_peer peer;
    struct ww_mrt_message message;
    struct ww_diag diag;
    if (ww_mrt_frame(exact + at, size - at, &record, &diag) != WW_OK)
      break;
    CHECK(record.len >= WW_MRT_HEADER_LEN && record.len <= size - at);
    if (ww_mrt_peer_index_decode(&record, &index, &diag) == WW_OK)
      while (ww_mrt_peer_next(&index, &peer))
        CHECK(ww_afi_bits(peer.address.afi));
    table(&record, &arena);
    if (ww_mrt_message_decode(&record, &message, &diag) == WW_OK && !message.state_change)
      CHECK(message.message_len <= record.body_len);
    at += record.len;
  }
  ww_arena_fini(&arena);
  free(exact);
  return 0;
}
