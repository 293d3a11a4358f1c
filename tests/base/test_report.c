/* SPDX-License-Identifier: BSD-2-Clause */
/* Words for errors, log lines and verdicts: complete, distinct, one line. */
#include <string.h>
#include <waywarden/verdict.h>

#include "base/log.h"
#include "base/text.h"
#include "tests/base/cmocka_all.h"

static void every_error_has_its_own_name(void **state) {
  (void)state;
  for (int a = WW_OK; a <= WW_ERR_IO; a++) {
    assert_string_not_equal(ww_err_name((enum ww_err)a), "unknown error");
    for (int b = WW_OK; b < a; b++)
      assert_string_not_equal(ww_err_name((enum ww_err)a), ww_err_name((enum ww_err)b));
  }
  assert_string_equal(ww_err_name((enum ww_err)(WW_ERR_IO + 1)), "unknown error");
}

static void fail_fills_a_diagnostic(void **state) {
  (void)state;
  struct ww_diag diag = {.line = 77};
  assert_int_equal(ww_fail(NULL, WW_ERR_LIMIT, 3, NULL, "unused"), WW_ERR_LIMIT);
  assert_int_equal(ww_fail(&diag, WW_ERR_MALFORMED, 19, "RFC 4271 §6.3", "length %u", 5u), WW_ERR_MALFORMED);
  assert_int_equal(diag.offset, 19);
  assert_int_equal(diag.line, 0);
  assert_string_equal(diag.clause, "RFC 4271 §6.3");
  assert_string_equal(diag.text, "length 5");
}

static void diagnostics_are_cut_and_clean(void **state) {
  (void)state;
  struct ww_diag diag;
  char longer[1000];
  memset(longer, 'x', sizeof(longer));
  longer[sizeof(longer) - 1] = '\0';
  (void)ww_fail(&diag, WW_ERR_IO, 0, NULL, "%s", longer);
  assert_int_equal(strlen(diag.text), sizeof(diag.text) - 1);
  (void)ww_fail(&diag, WW_ERR_IO, 0, NULL, "name \"%s\"", "a\n\x1b[2Jb\x7f\xc3\xa9");
  assert_string_equal(diag.text, "name \"a??[2Jb?\xc3\xa9\"");
}

struct sink {
  int lines;
  enum ww_log_level level;
  char text[2048];
};

static void keep(void *ctx, enum ww_log_level level, const char *text) {
  struct sink *sink = ctx;
  sink->lines++;
  sink->level = level;
  assert_true(strlen(text) < sizeof(sink->text));
  memcpy(sink->text, text, strlen(text) + 1);
}

static void log_goes_to_its_sink_by_level(void **state) {
  (void)state;
  struct sink sink = {0};
  struct ww_log log = {.emit = keep, .ctx = &sink, .level = WW_LOG_NOTICE};
  ww_log(NULL, WW_LOG_ERROR, "nobody hears");
  ww_log(&(struct ww_log){.level = WW_LOG_DEBUG}, WW_LOG_ERROR, "nobody hears");
  ww_log(&log, WW_LOG_INFO, "dropped");
  assert_int_equal(sink.lines, 0);
  ww_log(&log, WW_LOG_NOTICE, "peer %s\tup", "192.0.2.1\n");
  assert_int_equal(sink.lines, 1);
  assert_int_equal(sink.level, WW_LOG_NOTICE);
  assert_string_equal(sink.text, "peer 192.0.2.1??up");
}

static void long_log_lines_say_that_they_were_cut(void **state) {
  (void)state;
  struct sink sink = {0};
  struct ww_log log = {.emit = keep, .ctx = &sink, .level = WW_LOG_DEBUG};
  ww_log(&log, WW_LOG_DEBUG, "%1500d", 1);
  assert_int_equal(strlen(sink.text), 1023);
  assert_string_equal(sink.text + 1020, "...");
  ww_log(&log, WW_LOG_DEBUG, "%1023d", 1);
  assert_int_equal(sink.text[1022], '1');
}

static void level_names(void **state) {
  (void)state;
  assert_string_equal(ww_log_level_name(WW_LOG_ERROR), "error");
  assert_string_equal(ww_log_level_name(WW_LOG_WARNING), "warning");
  assert_string_equal(ww_log_level_name(WW_LOG_NOTICE), "notice");
  assert_string_equal(ww_log_level_name(WW_LOG_INFO), "info");
  assert_string_equal(ww_log_level_name(WW_LOG_DEBUG), "debug");
  assert_string_equal(ww_log_level_name((enum ww_log_level)99), "unknown");
}

static void verdict_words(void **state) {
  (void)state;
  assert_string_equal(ww_state_name(WW_STATE_VALID), "valid");
  assert_string_equal(ww_state_name(WW_STATE_UNKNOWN), "unknown");
  assert_string_equal(ww_state_name(WW_STATE_INVALID), "invalid");
  assert_string_equal(ww_state_name(WW_STATE_NOT_EVALUATED), "not-evaluated");
  assert_string_equal(ww_state_name(WW_STATE_NOT_READY), "not-ready");
  assert_string_equal(ww_origin_state_name(WW_STATE_UNKNOWN), "not-found");
  assert_string_equal(ww_origin_state_name(WW_STATE_INVALID), "invalid");
  assert_string_equal(ww_origin_state_name(WW_STATE_NOT_READY), "not-ready");
  assert_string_equal(ww_reason_name(WW_REASON_NONE), "none");
  assert_string_equal(ww_reason_name(WW_REASON_ORIGIN_AS), "as");
  assert_string_equal(ww_reason_name(WW_REASON_ORIGIN_LENGTH), "length");
  assert_string_equal(ww_reason_name(WW_REASON_ORIGIN_AS0), "as0");
  assert_string_equal(ww_reason_name(WW_REASON_ORIGIN_AS_SET), "as-set");
}

static void origin_result_fini_is_repeatable(void **state) {
  (void)state;
  struct ww_origin_result result = {0};
  ww_origin_result_fini(&result);
  ww_origin_result_fini(&result);
  assert_null(result.hits);
  assert_int_equal(result.state, WW_STATE_NOT_EVALUATED);
}

static void test_one_line(void **state) {
  (void)state;
  static const struct {
    const char *in, *out;
  } cases[] = {
      {"", ""},
      {"plain", "plain"},
      {"\xc5\xbc\xe2\x82\xac\xf0\x9f\x90\xa2", "\xc5\xbc\xe2\x82\xac\xf0\x9f\x90\xa2"},
      {"a\tb\nc\x1b[1m\x7f", "a?b?c?[1m?"},
      {"\xc2\x9b"
       "31m",
       "??31m"}, /* CSI in one character */
      {"\xc2\xa0", "\xc2\xa0"},
      {"\xff\xfe", "??"},
      {"\x80", "?"},
      {"\xc3", "?"}, /* cut off, here and below */
      {"\xe2\x82", "??"},
      {"\xf0\x9f\x90", "???"},
      {"\xe2\x28\xa1", "?(?"},
      {"\xc0\xaf", "??"}, /* overlong, here and below */
      {"\xe0\x80\xaf", "???"},
      {"\xf0\x80\x80\xaf", "????"},
      {"\xed\xa0\x80", "???"},      /* a surrogate */
      {"\xf4\x90\x80\x80", "????"}, /* beyond U+10FFFF */
      {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[32];
    strcpy(text, cases[i].in);
    ww_text_one_line(text);
    assert_string_equal(text, cases[i].out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_one_line),
      cmocka_unit_test(every_error_has_its_own_name),
      cmocka_unit_test(fail_fills_a_diagnostic),
      cmocka_unit_test(diagnostics_are_cut_and_clean),
      cmocka_unit_test(log_goes_to_its_sink_by_level),
      cmocka_unit_test(long_log_lines_say_that_they_were_cut),
      cmocka_unit_test(level_names),
      cmocka_unit_test(verdict_words),
      cmocka_unit_test(origin_result_fini_is_repeatable),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
