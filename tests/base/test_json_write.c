/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/json_write.h"

#include <stdio.h>
#include <string.h>

#include "tests/base/cmocka_all.h"

static void assert_text(const struct ww_buf *buf, const char *want) {
  assert_int_equal(buf->len, strlen(want));
  if (buf->len)
    assert_memory_equal(ww_buf_head(buf), want, buf->len);
}

static void assert_string(const char *value, const char *want) {
  struct ww_buf buf;
  struct ww_jsonw w;
  ww_buf_init(&buf, 0);
  ww_jsonw_begin(&w, &buf, false);
  ww_jsonw_text(&w, NULL, value);
  assert_int_equal(ww_jsonw_end(&w), WW_OK);
  assert_text(&buf, want);
  ww_buf_fini(&buf);
}

/* RFC 8259 §8.1: what is no UTF-8 must not get out. */
static void ill_formed_text(void **state) {
  (void)state;
  assert_string("\x80", "\"\xef\xbf\xbd\"");
  assert_string("a\xc3", "\"a\xef\xbf\xbd\"");                                 /* cut at the end */
  assert_string("\xc3\"", "\"\xef\xbf\xbd\\\"\"");                             /* does not swallow the quote */
  assert_string("\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"");                   /* overlong */
  assert_string("\xed\xa0\x80x", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\""); /* a surrogate */
  assert_string("\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
  assert_string("\xff\xfe", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void escapes(void **state) {
  (void)state;
  char value[2] = "", want[16];
  assert_string("", "\"\"");
  assert_string("\n\r\t\b\f\"\\", "\"\\n\\r\\t\\b\\f\\\"\\\\\"");
  for (unsigned c = 1; c < 0x80; c++) {
    if (strchr("\n\r\t\b\f\"\\", (int)c))
      continue;
    value[0] = (char)c;
    (void)snprintf(want, sizeof want, c < 0x20 ? "\"\\u%04X\"" : "\"%c\"", c);
    assert_string(value, want);
  }
  assert_string("J\xc3\xb6rg \xe2\x82\xac \xf0\x9f\x98\x80", "\"J\xc3\xb6rg \xe2\x82\xac \xf0\x9f\x98\x80\"");
}

static void write_sample(struct ww_jsonw *w) {
  ww_jsonw_open(w, NULL, '{');
  ww_jsonw_word(w, "word", "valid");
  ww_jsonw_open(w, "list", '[');
  ww_jsonw_u32(w, NULL, 1);
  ww_jsonw_open(w, NULL, '[');
  ww_jsonw_close(w, ']');
  ww_jsonw_open(w, NULL, '{');
  ww_jsonw_u32(w, "n", UINT32_MAX);
  ww_jsonw_close(w, '}');
  ww_jsonw_close(w, ']');
  ww_jsonw_raw(w, "none", "null");
  ww_jsonw_open(w, "empty", '{');
  ww_jsonw_close(w, '}');
  ww_jsonw_text(w, "last", "\n");
  ww_jsonw_close(w, '}');
}

#define SAMPLE "{\"word\":\"valid\",\"list\":[1,[],{\"n\":4294967295}],\"none\":null,\"empty\":{},\"last\":\"\\n\"}"

static void nesting(void **state) {
  (void)state;
  struct ww_buf buf;
  struct ww_jsonw w;
  ww_buf_init(&buf, 0);
  assert_int_equal(ww_buf_append(&buf, "before", 6), WW_OK);
  ww_buf_consume(&buf, 2);
  ww_jsonw_begin(&w, &buf, false);
  write_sample(&w);
  assert_int_equal(ww_jsonw_end(&w), WW_OK);
  assert_text(&buf, "fore" SAMPLE);
  ww_buf_consume(&buf, buf.len);
  ww_jsonw_begin(&w, &buf, true);
  write_sample(&w);
  assert_int_equal(ww_jsonw_end(&w), WW_OK);
  assert_text(&buf, "{\n  \"word\": \"valid\",\n  \"list\": [\n    1,\n    [],\n    {\n      \"n\": "
                    "4294967295\n    }\n  ],\n  \"none\": null,\n  \"empty\": {},\n  \"last\": \"\\n\"\n}\n");
  ww_buf_fini(&buf);
}

/* Whatever the bound is, there is the whole document or nothing of it. */
static void bounded(void **state) {
  (void)state;
  bool fitted = false;
  for (size_t max = 1; max < sizeof(SAMPLE) + 40; max++) {
    struct ww_buf buf;
    struct ww_jsonw w;
    ww_buf_init(&buf, max);
    assert_int_equal(ww_buf_append(&buf, "x", 1), WW_OK);
    ww_jsonw_begin(&w, &buf, false);
    write_sample(&w);
    if (ww_jsonw_end(&w) == WW_OK) {
      fitted = true;
      assert_true(max >= sizeof(SAMPLE));
      assert_text(&buf, "x" SAMPLE);
    } else {
      assert_text(&buf, "x");
    }
    ww_buf_fini(&buf);
  }
  assert_true(fitted);
}

/* Long documents, so that the buffer moves again and again under the writer. */
static void growing(void **state) {
  (void)state;
  struct ww_buf buf;
  struct ww_jsonw w;
  char want[16];
  ww_buf_init(&buf, 0);
  ww_jsonw_begin(&w, &buf, false);
  ww_jsonw_open(&w, NULL, '[');
  for (uint32_t i = 0; i < 100000; i++)
    ww_jsonw_u32(&w, NULL, i);
  ww_jsonw_close(&w, ']');
  assert_int_equal(ww_jsonw_end(&w), WW_OK);
  const char *p = (const char *)ww_buf_head(&buf);
  for (uint32_t i = 0; i < 100000; i++) {
    int n = snprintf(want, sizeof want, "%c%u", i ? ',' : '[', (unsigned)i);
    assert_memory_equal(p, want, (size_t)n);
    p += n;
  }
  assert_int_equal(*p, ']');
  assert_ptr_equal(p + 1, ww_buf_head(&buf) + buf.len);
  ww_buf_fini(&buf);
}

static void assert_decimal(uint32_t value) {
  char text[WW_DECIMAL_MAX + 1], want[WW_DECIMAL_MAX + 1];
  *ww_decimal_u32(text, value) = '\0';
  (void)snprintf(want, sizeof want, "%lu", (unsigned long)value);
  assert_string_equal(text, want);
}

static void numbers(void **state) {
  (void)state;
  for (uint32_t i = 0; i < 1000; i++)
    assert_decimal(i);
  for (uint64_t power = 10; power <= UINT32_MAX; power *= 10)
    for (uint32_t d = 0; d < 3; d++)
      assert_decimal((uint32_t)power - 1 + d);
  for (unsigned shift = 1; shift <= 32; shift++)
    assert_decimal((uint32_t)((UINT64_C(1) << shift) - 1));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ill_formed_text), cmocka_unit_test(escapes), cmocka_unit_test(nesting),
      cmocka_unit_test(bounded),         cmocka_unit_test(growing), cmocka_unit_test(numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
