/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AS paths as text: what parses is formatted and parsed again to the same octets; and the octets of the input, taken
 * for a path that nobody checked, are iterated and formatted into a buffer of any size.
 */
#include "wire/bgp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition))                                                                                                  \
      abort();                                                                                                         \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 4096)
    return 0;
  size_t cap = size * 8 + 16;
  char *text = malloc(size + 1), *again = malloc(cap * 2);
  uint8_t *path = malloc(cap), *back = malloc(cap);
  if (!text || !again || !path || !back)
    abort();
  if (size)
    memcpy(text, data, size);
  text[size] = '\0';
  struct ww_writer w = ww_writer_make(path, cap);
  struct ww_diag why = {0};
  enum ww_err err = ww_as_path_parse(text, &w, &why);
  CHECK(err == WW_OK || (err == WW_ERR_MALFORMED && why.offset <= size));
  if (err == WW_OK) {
    struct ww_as_path p = {.data = path, .len = w.len};
    (void)ww_as_path_format(p, again, cap * 2);
    struct ww_writer v = ww_writer_make(back, cap);
    CHECK(ww_as_path_parse(again, &v, NULL) == WW_OK);
    CHECK(v.len == w.len && memcmp(back, path, w.len) == 0);
  }
  struct ww_as_path raw = {.data = data, .len = size};
  for (size_t n = 0; n < 24; n++) {
    char *small = malloc(n + 1);
    if (!small)
      abort();
    small[n] = 'x';
    (void)ww_as_path_format(raw, small, n);
    CHECK(small[n] == 'x' && (n == 0 || memchr(small, '\0', n) != NULL));
    free(small);
  }
  free(text);
  free(again);
  free(path);
  free(back);
  return 0;
}
