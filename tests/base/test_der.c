/* SPDX-License-Identifier: BSD-2-Clause */
/* What BER allows and DER does not, every way to be cut short, and the writer against the reader. */
#include "base/der.h"

#include <stdlib.h>

#include "tests/base/cmocka_all.h"

/* Reads one thing of `bytes` from a heap block of just that size, and says what was wrong (NULL: nothing). */
enum what { READ_U64, READ_UNSIGNED, READ_BITS, READ_WHOLE_BITS, READ_OID, READ_TIME, READ_SEQUENCE, READ_ANY };

static uint64_t value;
static struct ww_der_span span;
static unsigned unused;
static size_t offset;

static const char *read_one(enum what what, const char *bytes, size_t len) {
  uint8_t *block = malloc(len ? len : 1);
  assert_non_null(block);
  if (len)
    memcpy(block, bytes, len);
  struct ww_der_input input;
  struct ww_der d = ww_der_open(&input, block, len);
  switch (what) {
  case READ_U64:
    value = ww_der_u64(&d, 70000);
    break;
  case READ_UNSIGNED:
    span = ww_der_unsigned(&d);
    break;
  case READ_BITS:
    span = ww_der_bits(&d, &unused);
    break;
  case READ_WHOLE_BITS:
    span = ww_der_bits(&d, NULL);
    break;
  case READ_OID:
    span = ww_der_oid(&d);
    break;
  case READ_TIME:
    value = (uint64_t)ww_der_time(&d);
    break;
  case READ_SEQUENCE: {
    struct ww_der in = ww_der_enter(&d, WW_DER_SEQUENCE);
    value = ww_reader_left(&in.in);
    break;
  }
  case READ_ANY:
    span = ww_der_any(&d);
    break;
  }
  if (ww_der_ok(&d))
    (void)ww_der_end(&d);
  offset = input.offset;
  free(block);
  return input.why;
}

#define READ(what, bytes) read_one(what, bytes, sizeof(bytes) - 1)
#define assert_bad(what, bytes, why) assert_string_equal(READ(what, bytes) ? READ(what, bytes) : "nothing", why)
#define assert_good(what, bytes) assert_null(READ(what, bytes))

static void headers(void **state) {
  (void)state;
  assert_bad(READ_SEQUENCE, "", "ends where an element should be");
  assert_bad(READ_SEQUENCE, "\x30", "ends within the header of an element");
  assert_bad(READ_SEQUENCE, "\x30\x81", "ends within the header of an element");
  assert_bad(READ_SEQUENCE, "\x30\x82\x01", "ends within the header of an element");
  assert_bad(READ_SEQUENCE, "\x30\x80\x00\x00", "an indefinite length");
  assert_bad(READ_SEQUENCE, "\x30\x85\x00\x00\x00\x00\x00", "a length of more than four octets");
  assert_bad(READ_SEQUENCE, "\x30\xff\x00", "a length of more than four octets");
  assert_bad(READ_SEQUENCE, "\x30\x81\x00", "a length that is not in its shortest form");
  assert_bad(READ_SEQUENCE, "\x30\x81\x7f", "a length that is not in its shortest form");
  assert_bad(READ_SEQUENCE, "\x30\x82\x00\xff", "a length that is not in its shortest form");
  assert_bad(READ_SEQUENCE, "\x30\x01", "an element that is longer than what it stands in");
  assert_bad(READ_SEQUENCE, "\x30\x84\xff\xff\xff\xff", "an element that is longer than what it stands in");
  assert_bad(READ_SEQUENCE, "\x31\x00", "not a SEQUENCE");
  assert_bad(READ_ANY, "\x1f\x00", "a tag number above 30");
  assert_bad(READ_ANY, "\xbf\x20\x00", "a tag number above 30");
  assert_bad(READ_SEQUENCE, "\x30\x00\x00", "more than should be here");
  assert_int_equal(offset, 2);
  assert_good(READ_SEQUENCE, "\x30\x00");
  assert_good(READ_ANY, "\xa3\x01x");
  assert_int_equal(span.len, 3);
}

static void integers(void **state) {
  (void)state;
  assert_bad(READ_U64, "\x02\x00", "an INTEGER without octets");
  assert_bad(READ_U64, "\x02\x01\x80", "a negative INTEGER");
  assert_bad(READ_U64, "\x02\x02\xff\x7f", "a negative INTEGER");
  assert_bad(READ_U64, "\x02\x02\x00\x7f", "an INTEGER that is not in its shortest form");
  assert_bad(READ_U64, "\x02\x02\xff\x80", "an INTEGER that is not in its shortest form");
  assert_bad(READ_U64, "\x02\x03\x01\x11\x71", "an INTEGER that is too large");
  assert_bad(READ_U64, "\x02\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00", "an INTEGER that is too large");
  assert_bad(READ_U64, "\x03\x01\x00", "not an INTEGER");
  assert_good(READ_U64, "\x02\x01\x00");
  assert_true(value == 0);
  assert_good(READ_U64, "\x02\x02\x00\x80");
  assert_true(value == 128);
  assert_good(READ_U64, "\x02\x03\x01\x11\x70");
  assert_true(value == 70000);
  assert_good(READ_UNSIGNED, "\x02\x03\x00\x80\x01");
  assert_int_equal(span.len, 2);
  assert_good(READ_UNSIGNED, "\x02\x01\x00");
  assert_int_equal(span.len, 1);
}

static void bit_strings(void **state) {
  (void)state;
  assert_bad(READ_BITS, "\x03\x00", "a BIT STRING without octets");
  assert_bad(READ_BITS, "\x03\x01\x01", "a BIT STRING with more unused bits than there are");
  assert_bad(READ_BITS, "\x03\x02\x08\x00", "a BIT STRING with more unused bits than there are");
  assert_bad(READ_BITS, "\x03\x02\x04\x18", "a BIT STRING whose unused bits are set");
  assert_bad(READ_BITS, "\x23\x02\x00\x00", "not a BIT STRING"); /* constructed: BER */
  assert_bad(READ_WHOLE_BITS, "\x03\x02\x04\x10", "a BIT STRING that does not end with an octet");
  assert_good(READ_BITS, "\x03\x01\x00");
  assert_int_equal(span.len, 0);
  assert_good(READ_BITS, "\x03\x03\x04\x0a\x10");
  assert_int_equal(span.len, 2);
  assert_int_equal(unused, 4);
  assert_good(READ_WHOLE_BITS, "\x03\x02\x00\x01");
  assert_int_equal(span.len, 1);
}

static void object_identifiers(void **state) {
  (void)state;
  assert_bad(READ_OID, "\x06\x00", "a malformed OBJECT IDENTIFIER");
  assert_bad(READ_OID, "\x06\x01\x80", "a malformed OBJECT IDENTIFIER");
  assert_bad(READ_OID, "\x06\x02\x2a\x86", "a malformed OBJECT IDENTIFIER");
  assert_bad(READ_OID, "\x06\x03\x2a\x80\x01", "a malformed OBJECT IDENTIFIER");
  assert_good(READ_OID, "\x06\x03\x55\x1d\x0e");
  assert_good(READ_OID, "\x06\x04\x2a\x86\x80\x01"); /* 0x80 within a subidentifier */
  static const uint8_t ski[] = {0x55, 0x1d, 0x0e};
  struct ww_der_input input;
  struct ww_der d = ww_der_open(&input, "\x06\x03\x55\x1d\x0f", 5);
  ww_der_expect_oid(&d, ski, sizeof(ski), "another");
  assert_string_equal(input.why, "another");
  d = ww_der_open(&input, "\x06\x03\x55\x1d\x0e", 5);
  ww_der_expect_oid(&d, ski, sizeof(ski), "another");
  assert_true(ww_der_end(&d));
}

static void times(void **state) {
  (void)state;
#define TIME_ERROR "not a time of the form YYYYMMDDHHMMSSZ"
  assert_bad(READ_TIME,
             "\x18\x0d"
             "20260515000Z0",
             TIME_ERROR);
  assert_bad(READ_TIME,
             "\x18\x0d"
             "202605150000Z",
             TIME_ERROR); /* no seconds */
  assert_bad(READ_TIME,
             "\x18\x11"
             "20260515000010.5Z",
             TIME_ERROR); /* a fraction */
  assert_bad(READ_TIME,
             "\x18\x13"
             "20260515000010+0100",
             TIME_ERROR); /* a zone */
  assert_bad(READ_TIME,
             "\x18\x0e"
             "20260515000010",
             TIME_ERROR); /* local */
  assert_bad(READ_TIME,
             "\x18\x0f"
             "20260230000010Z",
             TIME_ERROR); /* no such day */
  assert_bad(READ_TIME,
             "\x18\x0f"
             "20260515000060Z",
             TIME_ERROR);
  assert_bad(READ_TIME,
             "\x18\x0f"
             "2026051500001-Z",
             TIME_ERROR);
  assert_bad(READ_TIME,
             "\x17\x0d"
             "260515000010Z",
             "not a GeneralizedTime"); /* UTCTime */
  assert_good(READ_TIME, "\x18\x0f"
                         "20260515000010Z");
  assert_true(value == 1778803210);
}

/* The first thing that was wrong stays, with its place, whatever is done afterwards. */
static void errors_stick(void **state) {
  (void)state;
  static const uint8_t bytes[] = {0x30, 0x06, 0x02, 0x01, 0x80, 0x02, 0x01, 0x05};
  struct ww_der_input input;
  struct ww_der d = ww_der_open(&input, bytes, sizeof(bytes));
  struct ww_der s = ww_der_enter(&d, WW_DER_SEQUENCE);
  assert_true(ww_der_more(&s));
  assert_true(ww_der_is(&s, WW_DER_INTEGER));
  assert_true(ww_der_u64(&s, 9) == 0);
  assert_false(ww_der_more(&s));
  assert_false(ww_der_is(&s, WW_DER_INTEGER));
  assert_true(ww_der_u64(&s, 9) == 0);
  assert_int_equal(ww_der_any(&s).len, 0);
  assert_int_equal(ww_der_bits(&s, NULL).len, 0);
  assert_int_equal(ww_der_oid(&s).len, 0);
  assert_true(ww_der_time(&s) == 0);
  ww_der_fail(&d, "later");
  assert_false(ww_der_end(&d));
  assert_string_equal(input.why, "a negative INTEGER");
  assert_int_equal(input.offset, 2);
}

/* A child may not reach beyond its parent, though the input has more. */
static void children_are_bounded(void **state) {
  (void)state;
  static const uint8_t bytes[] = {0x30, 0x02, 0x04, 0x01, 0xaa, 0xbb};
  struct ww_der_input input;
  struct ww_der d = ww_der_open(&input, bytes, sizeof(bytes));
  struct ww_der s = ww_der_enter(&d, WW_DER_SEQUENCE);
  assert_int_equal(ww_der_contents(&s, WW_DER_OCTET_STRING).len, 0);
  assert_string_equal(input.why, "an element that is longer than what it stands in");
  assert_int_equal(input.offset, 2);
}

static void what_is_written_is_read(void **state) {
  (void)state;
  static const uint64_t numbers[] = {
      0, 1, 127, 128, 255, 256, 32767, 32768, UINT32_MAX, INT64_MAX, UINT64_MAX, (uint64_t)1 << 63, 8388607, 8388608};
  static const size_t lengths[] = {0, 1, 127, 128, 255, 256, 65535, 65536};
  static uint8_t buf[70000];
  for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
    struct ww_writer w = ww_writer_make(buf, sizeof(buf));
    struct ww_der_input input;
    ww_der_put_u64(&w, numbers[i]);
    assert_int_equal(w.len, ww_der_u64_size(numbers[i]));
    struct ww_der d = ww_der_open(&input, buf, w.len);
    assert_true(ww_der_u64(&d, UINT64_MAX) == numbers[i]);
    assert_true(ww_der_end(&d));
  }
  for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    struct ww_writer w = ww_writer_make(buf, sizeof(buf));
    struct ww_der_input input;
    static uint8_t zeros[65536];
    ww_der_put(&w, WW_DER_OCTET_STRING, zeros, lengths[i]);
    assert_false(w.overflow);
    assert_int_equal(w.len, ww_der_size(lengths[i]));
    struct ww_der d = ww_der_open(&input, buf, w.len);
    assert_int_equal(ww_der_contents(&d, WW_DER_OCTET_STRING).len, lengths[i]);
    assert_true(ww_der_end(&d));
  }
  struct ww_writer w = ww_writer_make(buf, sizeof(buf));
  struct ww_der_input input;
  ww_der_put_time(&w, 1778803210);
  assert_memory_equal(buf,
                      "\x18\x0f"
                      "20260515000010Z",
                      17);
  struct ww_der d = ww_der_open(&input, buf, w.len);
  assert_true(ww_der_time(&d) == 1778803210);
  ww_der_put_time(&w, INT64_MAX);
  assert_true(w.overflow);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(headers),
      cmocka_unit_test(integers),
      cmocka_unit_test(bit_strings),
      cmocka_unit_test(object_identifiers),
      cmocka_unit_test(times),
      cmocka_unit_test(errors_stick),
      cmocka_unit_test(children_are_bounded),
      cmocka_unit_test(what_is_written_is_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
