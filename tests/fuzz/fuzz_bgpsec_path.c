/* SPDX-License-Identifier: BSD-2-Clause */
/* BGPsec_PATH: what decodes is walked again and must be whole, and its AS_PATH must be one that wire/ takes. */
#include <stdlib.h>
#include <string.h>

#include "wire/bgp.h"
#include "wire/bgp_bgpsec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
  if (!condition)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size ? size : 1);
  struct ww_bgpsec_path path;
  struct ww_diag diag = {0};
  require(copy != NULL);
  if (size)
    memcpy(copy, data, size);
  enum ww_bgpsec_reason reason = ww_bgpsec_path_decode(copy, size, &path, &diag);
  require(!reason == !diag.text[0]);
  if (reason) {
    free(copy);
    return 0;
  }
  size_t total = 2 + path.count * WW_BGPSEC_SEGMENT_LEN, asns = 0;
  for (size_t b = 0; b < path.block_count; b++) {
    struct ww_reader left = ww_reader_make(path.blocks[b].signatures, path.blocks[b].len);
    struct ww_bgpsec_signature signature;
    size_t count = 0;
    while (ww_bgpsec_signature_next(&left, &signature))
      count++;
    require(ww_reader_done(&left) && count == path.count);
    total += 3 + path.blocks[b].len;
  }
  require(total == size);
  for (size_t i = 0; i < path.count; i++)
    asns += ww_bgpsec_segment_at(&path, i).pcount;
  struct ww_writer measure = ww_writer_make(NULL, 0);
  ww_bgpsec_as_path_write(&measure, &path);
  uint8_t *octets = malloc(measure.len ? measure.len : 1);
  require(octets != NULL);
  struct ww_writer w = ww_writer_make(octets, measure.len);
  ww_bgpsec_as_path_write(&w, &path);
  require(!w.overflow && w.len == measure.len);
  struct ww_as_path as_path = {.data = octets, .len = w.len};
  struct ww_as_segment segment;
  while (ww_as_path_next(&as_path, &segment)) {
    require(segment.count > 0 && (segment.type == WW_SEG_AS_SEQUENCE || segment.type == WW_SEG_CONFED_SEQUENCE));
    asns -= segment.count;
  }
  require(as_path.len == 0 && asns == 0);
  free(octets);
  free(copy);
  return 0;
}
