/* SPDX-License-Identifier: BSD-2-Clause */
/* DER: walks whatever comes; what was read as a value is written back and must be the same octets. */
#include <stdlib.h>

#include "base/der.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DEPTH_MAX = 40 };

static void check_written(struct ww_der_span element, const struct ww_writer *w) {
  if (w->overflow || !ww_der_span_is(element, w->buf, w->len))
    abort();
}

/* A value of its own input, so that what is wrong with it does not end the walk. */
static void check_value(struct ww_der_span element) {
  struct ww_der_input input;
  struct ww_der d = ww_der_open(&input, element.p, element.len);
  uint8_t buf[32];
  struct ww_writer w = ww_writer_make(buf, sizeof(buf));
  unsigned unused;
  switch (element.p[0]) {
  case WW_DER_INTEGER: {
    uint64_t v = ww_der_u64(&d, UINT64_MAX);
    if (!ww_der_ok(&d))
      return;
    ww_der_put_u64(&w, v);
    check_written(element, &w);
    break;
  }
  case WW_DER_GENERALIZED_TIME: {
    int64_t t = ww_der_time(&d);
    if (!ww_der_ok(&d))
      return;
    ww_der_put_time(&w, t);
    check_written(element, &w);
    break;
  }
  case WW_DER_BIT_STRING:
    if (ww_der_bits(&d, &unused).len == 0 && unused)
      abort();
    break;
  case WW_DER_OID:
    (void)ww_der_oid(&d);
    break;
  default:
    break;
  }
}

static size_t walk(struct ww_der *d, unsigned depth) {
  size_t elements = 0;
  while (ww_der_more(d)) {
    struct ww_der at = *d;
    struct ww_der_span element = ww_der_any(d);
    if (!ww_der_ok(d))
      break;
    elements++;
    if (element.p[0] & 0x20 && depth < DEPTH_MAX) {
      struct ww_der child = ww_der_enter(&at, element.p[0]);
      elements += walk(&child, depth + 1);
    } else {
      check_value(element);
    }
  }
  return elements;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *block = malloc(size ? size : 1);
  if (!block)
    abort();
  if (size)
    memcpy(block, data, size);
  struct ww_der_input input;
  struct ww_der d = ww_der_open(&input, block, size);
  size_t elements = walk(&d, 0);
  if (elements > size / 2 || (input.why && input.offset > size) || ww_der_end(&d) != !input.why)
    abort();
  free(block);
  return 0;
}
