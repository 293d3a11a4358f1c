/* SPDX-License-Identifier: BSD-2-Clause */
/* The vectors of RFC 4648 §10, both alphabets, and what no encoder writes. */
#include "base/base64.h"

#include <stdbool.h>
#include <string.h>

#include "tests/base/cmocka_all.h"

static const char *const vectors[][3] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xff\xbf", "+/+/", "-_-_"},
};

static void published_vectors(void **state) {
  (void)state;
  for (unsigned i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
    const char *plain = vectors[i][0];
    size_t len = strlen(plain), n = 99;
    char text[WW_BASE64_SIZE(8)];
    uint8_t out[8];
    assert_int_equal(ww_base64_encode((const uint8_t *)plain, len, text), strlen(vectors[i][1]));
    assert_string_equal(text, vectors[i][1]);
    assert_int_equal(ww_base64url_encode((const uint8_t *)plain, len, text), strlen(vectors[i][2]));
    assert_string_equal(text, vectors[i][2]);
    for (unsigned form = 1; form < 3; form++) {
      bool loose = form == 1 && strcmp(vectors[i][1], vectors[i][2]) != 0;
      assert_int_equal(ww_base64_decode(vectors[i][form], strlen(vectors[i][form]), out, len, &n),
                       loose ? WW_BASE64_LOOSE : WW_BASE64_URL);
      assert_int_equal(n, len);
      assert_memory_equal(out, plain, len);
    }
  }
}

static void mixed_alphabets(void **state) {
  (void)state;
  uint8_t out[3];
  size_t n;
  assert_int_equal(ww_base64_decode("-/_+", 4, out, 3, &n), WW_BASE64_LOOSE);
  assert_int_equal(n, 3);
}

static void what_no_encoder_writes(void **state) {
  (void)state;
  static const char *const bad[] = {"Z",   "Zm9vY", "Zg=",     "Zm8==",  "Zg===", "=",
                                    "==",  "Zm=v",  "Zm 9v",   "Zm9v\n", "Zh", /* bits left over */
                                    "Zm9", "Z.==",  "Zm9v\x80"};
  uint8_t out[8];
  size_t n = 77;
  for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(ww_base64_decode(bad[i], strlen(bad[i]), out, sizeof(out), &n), WW_BASE64_BAD);
  assert_int_equal(ww_base64_decode("Zm\0v", 4, out, sizeof(out), &n), WW_BASE64_BAD);
  assert_int_equal(ww_base64_decode("Zm9vYmFy", 8, out, 5, &n), WW_BASE64_TOO_LONG);
  assert_int_equal(n, 77);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(published_vectors),
      cmocka_unit_test(mixed_alphabets),
      cmocka_unit_test(what_no_encoder_writes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
