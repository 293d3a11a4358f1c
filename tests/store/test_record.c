/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* */
#include <cmocka.h>

#include "store/record.h"

static const struct ww_source_record sample = {.id = 7,
                                               .type = WW_SOURCE_RTR,
                                               .name = "main cache",
                                               .complete = true,
                                               .last_sync = 1795219200,
                                               .valid_until = -7,
                                               .errors = UINT64_MAX,
                                               .has_session = true,
                                               .rtr_version = 1,
                                               .rtr_session = 65535,
                                               .rtr_serial = UINT32_MAX,
                                               .refresh = 3600,
                                               .retry = 600,
                                               .expire = 7200,
                                               .vrps_v4 = 580366,
                                               .vrps_v6 = 143155,
                                               .aspas = 100,
                                               .router_keys = 2};

static enum ww_err decode(const void *data, size_t len, struct ww_source_record *out) {
  struct ww_diag diag = {0};
  uint8_t *exact = malloc(len ? len : 1);
  assert_non_null(exact);
  memcpy(exact, data, len);
  enum ww_err err = ww_source_record_decode(exact, len, out, &diag);
  free(exact);
  assert_true((err == WW_OK) == (diag.text[0] == '\0'));
  return err;
}

/* As a C string with its length. */
#define REFUSED(text) assert_int_equal(decode(text, sizeof(text) - 1, &(struct ww_source_record){0}), WW_ERR_MALFORMED)
#define TAKEN(text, out) assert_int_equal(decode(text, sizeof(text) - 1, out), WW_OK)

static void refuses_what_is_cut(void **state) {
  (void)state;
  uint8_t buf[WW_STORE_RECORD_MAX];
  size_t len = ww_source_record_encode(&sample, buf, sizeof(buf));
  assert_true(len > 100);
  struct ww_source_record out = {0};
  for (size_t n = 0; n < len; n++)
    assert_int_equal(decode(buf, n, &out), WW_ERR_MALFORMED);
  buf[len] = 0;
  assert_int_equal(decode(buf, len + 1, &out), WW_ERR_MALFORMED);
  assert_int_equal(decode(buf, sizeof(buf), &out), WW_ERR_MALFORMED);
  uint8_t *large = calloc(1, WW_STORE_RECORD_MAX + 1);
  assert_int_equal(ww_source_record_decode(large, WW_STORE_RECORD_MAX + 1, &out, NULL), WW_ERR_LIMIT);
  free(large);
}

static void refuses_what_cannot_be(void **state) {
  (void)state;
  REFUSED("\x80");                                  /* an array */
  REFUSED("\xa0");                                  /* nothing in it */
  REFUSED("\xa1\x64name\x61x");                     /* no type */
  REFUSED("\xa1\x64type\x01");                      /* no name */
  REFUSED("\xa2\x64name\x61x\x64type\x19\x01\x00"); /* type 256 */
  REFUSED("\xa2\x64name\x61x\x64type\x20");         /* type -1 */
  REFUSED("\xa2\x64name\x60\x64type\x01");          /* an empty name */
  REFUSED("\xa2\x64name\x62x\x00\x64type\x01");     /* a name with a NUL */
  REFUSED("\xa2\x64name\x41x\x64type\x01");         /* octets, not text */
  REFUSED("\xa2\x64name\x78\x40"
          "0123456789012345678901234567890123456789012345678901234567890123"
          "\x64type\x01");
  REFUSED("\xa3\x64name\x61x\x64type\x01\x64type\x01"); /* twice */
  REFUSED("\xa3\x64name\x61x\x64type\x01\x68"
          "complete"
          "\x01");                                                                       /* a number for a bool */
  REFUSED("\xbb\xff\xff\xff\xff\xff\xff\xff\xff\x64name\x61x");                          /* 2^64 - 1 members */
  REFUSED("\xa3\x64name\x61x\x64type\x01\x61u\x9b\x7f\xff\xff\xff\xff\xff\xff\xff\x01"); /* an endless array */
  REFUSED("\xa3\x64name\x61x\x64type\x01\x61u\x7b\x7f\xff\xff\xff\xff\xff\xff\xff"
          "a");                                                                          /* an endless text */
  REFUSED("\xa3\x64name\x61x\x64type\x01\x61u\x81\x81\x81\x81\x81\x81\x81\x81\x81\x01"); /* too deep */
  REFUSED("\xa3\x64name\x61x\x64type\x01\x61u\xff");                                     /* a break out of place */
  REFUSED("\xa3\x64name\x61x\x64type\x01\x61u\xfc");                                     /* reserved */
}

static void passes_over_what_is_new(void **state) {
  (void)state;
  struct ww_source_record out = {.id = 3};
  TAKEN("\xa2\x64type\x06\x64name\x61x", &out);
  assert_int_equal(out.id, 3);
  assert_int_equal(out.type, WW_SOURCE_FILE);
  assert_string_equal(out.name, "x");
  assert_false(out.complete);
  TAKEN("\xa6\x64name\x61x\x64type\x01"
        "\x61u\x9f\x01\xbf\x61"
        "a\x82\x01\xf6\xff\xff"                         /* [_ 1, {_ "a": [1, null]}] */
        "\x01\x02"                                      /* a key that is a number */
        "\x61v\xc1\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00" /* 1(1.0) */
        "\x61w\x7f\x61"
        "a\x61"
        "b\xff", /* (_ "a", "b") */
        &out);
}

static void round_trip(void **state) {
  (void)state;
  uint8_t buf[WW_STORE_RECORD_MAX];
  struct ww_source_record out = {.id = 7};
  size_t len = ww_source_record_encode(&sample, buf, sizeof(buf));
  assert_int_equal(decode(buf, len, &out), WW_OK);
  assert_string_equal(out.name, sample.name);
  assert_true(out.complete && out.has_session);
  assert_int_equal(out.last_sync, sample.last_sync);
  assert_int_equal(out.valid_until, sample.valid_until);
  assert_true(out.errors == UINT64_MAX && out.rtr_serial == UINT32_MAX);
  assert_int_equal(out.rtr_session, 65535);
  assert_int_equal(out.vrps_v4 + out.vrps_v6 + out.aspas + out.router_keys, 580366 + 143155 + 100 + 2);
  assert_int_equal(out.refresh + out.retry + out.expire, 3600 + 600 + 7200);
  for (size_t n = 0; n < len; n++)
    assert_int_equal(ww_source_record_encode(&sample, buf, n), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(refuses_what_is_cut),
      cmocka_unit_test(refuses_what_cannot_be),
      cmocka_unit_test(passes_over_what_is_new),
      cmocka_unit_test(round_trip),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
