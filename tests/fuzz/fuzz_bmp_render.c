/* SPDX-License-Identifier: BSD-2-Clause */
/* A BMP stream to JSON and to text: whatever comes, each output is whole lines, and a failure adds nothing. */
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "bmpout/numbers.h"
#include "bmpout/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One line that is JSON in sound UTF-8. */
static void check_json(const struct ww_buf *out, size_t from) {
  const uint8_t *p = ww_buf_head(out) + from;
  size_t len = out->len - from;
  if (!len || p[len - 1] != '\n' || memchr(p, '\n', len - 1))
    abort();
  yajl_handle h = yajl_alloc(NULL, NULL, NULL);
  if (yajl_parse(h, p, len) != yajl_status_ok || yajl_complete_parse(h) != yajl_status_ok)
    abort();
  yajl_free(h);
}

static void check_text(const struct ww_buf *out) {
  const uint8_t *p = ww_buf_head(out);
  for (size_t i = 0; i < out->len; i++)
    if ((p[i] < 0x20 && p[i] != '\n') || p[i] > 0x7e)
      abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct ww_render_options options = {.pen = WW_PEN_EXAMPLE, .state = ww_render_state_new()};
  struct ww_buf json, text;
  ww_buf_init(&json, 0);
  ww_buf_init(&text, 0);
  for (size_t at = 0; at < size;) {
    struct ww_bmp_header h;
    struct ww_diag diag = {0};
    if (ww_bmp_frame(data + at, size - at, WW_BMP_MAX_LEN, &h, &diag) != WW_OK || h.len > size - at)
      break;
    size_t before = json.len;
    if (ww_bmp_render(data + at, h.len, &options, &json, &diag) == WW_OK)
      check_json(&json, before);
    else if (json.len != before || !diag.text[0])
      abort();
    before = text.len;
    if (ww_bmp_render_text(data + at, h.len, &options, &text, &diag) != WW_OK && text.len != before)
      abort();
    at += h.len;
  }
  check_text(&text);
  ww_buf_fini(&json);
  ww_buf_fini(&text);
  ww_render_state_free(options.state);
  return 0;
}
