/* SPDX-License-Identifier: BSD-2-Clause */
/* AS paths as text. */
#include "tests/wire/hex.h"

#include "wire/bgp.h"

static void test_bad_text(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t offset;
  } c[] = {
      {"x", 0},    {"1 -2", 2},    {"1,2", 1},        {"{", 1},       {"{1", 2},   {"{1]", 2},
      {"{}", 1},   {"( )", 2},     {"}", 0},          {"1 {2} }", 6}, {"{1,}", 3}, {"{1,,2}", 3},
      {"{,1}", 1}, {"{1 {2}}", 3}, {"4294967296", 0}, {"1.2", 1},     {"AS", 0},   {"1 99999999999999999999", 2},
      {"1\n2", 1},
  };
  for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
    uint8_t buf[256];
    struct ww_writer w = ww_writer_make(buf, sizeof buf);
    struct ww_diag why = {0};
    if (ww_as_path_parse(c[i].text, &w, &why) != WW_ERR_MALFORMED || why.offset != c[i].offset) {
      print_error("\"%s\": offset %zu, %s\n", c[i].text, why.offset, why.text);
      fail();
    }
  }
  uint8_t small[9];
  struct ww_writer w = ww_writer_make(small, sizeof small);
  assert_int_equal(ww_as_path_parse("1 2", &w, NULL), WW_ERR_FULL);
}

static void test_text(void **state) {
  (void)state;
  static const struct {
    const char *text, *octets, *again;
  } c[] = {
      {"", "", ""},
      {"  ", "", ""},
      {"64500", "0201 0000fbf4", "64500"},
      {"AS64500  as1", "0202 0000fbf4 00000001", "64500 1"},
      {"0 4294967295", "0202 00000000 ffffffff", "0 4294967295"},
      {"1 {2,3} 4", "0201 00000001 0102 00000002 00000003 0201 00000004", "1 {2,3} 4"},
      {"1 { 2 3 }4", "0201 00000001 0102 00000002 00000003 0201 00000004", "1 {2,3} 4"},
      {"(65001 65002) [65003,65004] 1", "0302 0000fde9 0000fdea 0402 0000fdeb 0000fdec 0201 00000001",
       "(65001 65002) [65003,65004] 1"},
      {"(1,2)", "0302 00000001 00000002", "(1 2)"},
  };
  for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
    uint8_t buf[256];
    struct ww_writer w = ww_writer_make(buf, sizeof buf);
    assert_int_equal(ww_as_path_parse(c[i].text, &w, NULL), WW_OK);
    assert_octets(buf, w.len, c[i].octets);
    char text[128];
    assert_string_equal(ww_as_path_format((struct ww_as_path){.data = buf, .len = w.len}, text, sizeof text),
                        c[i].again);
  }
}

/* Too small a buffer: cut, marked, terminated, and nothing written beyond. */
static void test_cut(void **state) {
  (void)state;
  uint8_t buf[64];
  struct ww_writer w = ww_writer_make(buf, sizeof buf);
  assert_int_equal(ww_as_path_parse("64500 64501 {64502,64503}", &w, NULL), WW_OK);
  struct ww_as_path path = {.data = buf, .len = w.len};
  for (size_t size = 0; size <= 26; size++) {
    char *text = malloc(size ? size : 1);
    assert_non_null(text);
    text[0] = 'x';
    assert_ptr_equal(ww_as_path_format(path, text, size), text);
    if (size == 0)
      assert_int_equal(text[0], 'x');
    else if (size < 26)
      assert_true(strlen(text) < size && (size < 5 || strcmp(text + strlen(text) - 3, "...") == 0));
    else
      assert_string_equal(text, "64500 64501 {64502,64503}");
    free(text);
  }
}

/* RFC 4271 §4.3: a segment counts to 255; longer ones are split. */
static void test_long(void **state) {
  (void)state;
  char text[256 * 6 + 16], again[256 * 6 + 16];
  size_t len = 0;
  for (unsigned i = 0; i < 256; i++)
    len += (size_t)snprintf(text + len, sizeof text - len, "%s%u", i ? " " : "", 10000 + i);
  uint8_t buf[2048];
  struct ww_writer w = ww_writer_make(buf, sizeof buf);
  assert_int_equal(ww_as_path_parse(text, &w, NULL), WW_OK);
  assert_int_equal(w.len, 2 + 255 * 4 + 2 + 4);
  struct ww_as_path path = {.data = buf, .len = w.len};
  assert_string_equal(ww_as_path_format(path, again, sizeof again), text);
  struct ww_as_segment s;
  assert_true(ww_as_path_next(&path, &s));
  assert_int_equal(s.count, 255);
  assert_true(ww_as_path_next(&path, &s));
  assert_int_equal(s.count, 1);
  assert_int_equal(ww_as_segment_at(&s, 0), 10255);
  assert_false(ww_as_path_next(&path, &s));
}

/* Iterating octets that nobody checked ends early, and within them. */
static void test_unchecked(void **state) {
  (void)state;
  struct octets in = hex("0203 00000001 00000002 00000003");
  for (size_t len = 0; len < in.len; len++) {
    struct octets cut = octets_of(in.data, len);
    struct ww_as_path path = {.data = cut.data, .len = cut.len};
    struct ww_as_segment s;
    assert_false(ww_as_path_next(&path, &s));
    free(cut.data);
  }
  free(in.data);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bad_text), cmocka_unit_test(test_text),      cmocka_unit_test(test_cut),
      cmocka_unit_test(test_long),     cmocka_unit_test(test_unchecked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
