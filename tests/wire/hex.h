/* SPDX-License-Identifier: BSD-2-Clause */
/* Wire octets written as hex text in tests; blanks are skipped. */
#ifndef WW_TESTS_WIRE_HEX_H
#define WW_TESTS_WIRE_HEX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct octets {
  uint8_t *data; /* malloc'd with just this size, so that ASan sees an overrun by one */
  size_t len;
};

static inline struct octets octets_of(const void *data, size_t len) {
  struct octets o = {.data = malloc(len ? len : 1), .len = len};
  assert_non_null(o.data);
  if (len)
    memcpy(o.data, data, len);
  return o;
}

static inline struct octets hex(const char *text) {
  struct octets o = {.data = malloc(strlen(text) / 2 + 1)};
  assert_non_null(o.data);
  unsigned nibbles = 0, value = 0;
  for (; *text; text++) {
    if (*text == ' ')
      continue;
    const char *digits = "0123456789abcdef", *at = strchr(digits, *text);
    assert_non_null(at);
    value = value << 4 | (unsigned)(at - digits);
    if (++nibbles % 2 == 0)
      o.data[o.len++] = (uint8_t)value;
  }
  assert_int_equal(nibbles % 2, 0);
  struct octets exact = octets_of(o.data, o.len);
  free(o.data);
  return exact;
}

static inline void assert_octets(const void *data, size_t len, const char *text) {
  struct octets want = hex(text);
  if (len != want.len || (len && memcmp(data, want.data, len) != 0)) {
    const uint8_t *p = data;
    print_error("got  ");
    for (size_t i = 0; i < len; i++)
      print_error("%02x", p[i]);
    print_error("\nwant %s\n", text);
    fail();
  }
  free(want.data);
}

/* The folder of recorded sessions: $WW_SHARED, else ../shared seen from the sources. Tests skip what is not there. */
static inline struct octets shared_file(const char *name) {
  const char *folder = getenv("WW_SHARED");
  char path[4096];
  (void)snprintf(path, sizeof path, "%s/%s", folder ? folder : "../shared", name);
  struct octets o = {0};
  FILE *f = fopen(path, "rb");
  if (!f)
    return o;
  size_t cap = 1 << 20, len = 0;
  uint8_t *buf = malloc(cap);
  assert_non_null(buf);
  for (size_t n; (n = fread(buf + len, 1, cap - len, f)) != 0;) {
    len += n;
    if (len == cap) {
      buf = realloc(buf, cap *= 2);
      assert_non_null(buf);
    }
  }
  (void)fclose(f);
  o = octets_of(buf, len);
  free(buf);
  return o;
}

#endif
