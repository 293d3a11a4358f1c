/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RTR codec against octets written by hand from the diagrams of RFC 6810 §5, RFC 8210 §5 and
 * draft-ietf-sidrops-8210bis-26 §5. Bad input first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "wire/rtr.h"

struct sample {
  const char *name;
  const uint8_t *octets;
  size_t len;
};

#define SAMPLE(label, ...)                                                                                             \
  { .name = (label), .octets = (const uint8_t[]){__VA_ARGS__}, .len = sizeof((const uint8_t[]){__VA_ARGS__}) }

static const struct sample samples[] = {
    SAMPLE("notify v0", 0, 0, 0x12, 0x34, 0, 0, 0, 12, 0, 0, 0, 7),
    SAMPLE("notify v1", 1, 0, 0x12, 0x34, 0, 0, 0, 12, 0xff, 0xff, 0xff, 0xff),
    SAMPLE("notify v2", 2, 0, 0x12, 0x34, 0, 0, 0, 12, 0, 0, 0, 7),
    SAMPLE("serial query", 1, 1, 0x12, 0x34, 0, 0, 0, 12, 0, 0, 0, 7),
    SAMPLE("reset query", 1, 2, 0, 0, 0, 0, 0, 8),
    SAMPLE("cache response", 1, 3, 0xab, 0xcd, 0, 0, 0, 8),
    SAMPLE("ipv4", 1, 4, 0, 0, 0, 0, 0, 20, 1, 24, 25, 0, 192, 0, 2, 0, 0, 0, 0xfd, 0xe8),
    SAMPLE("ipv4 withdrawal, v0", 0, 4, 0, 0, 0, 0, 0, 20, 0, 0, 32, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff),
    SAMPLE("ipv6", 1, 6, 0, 0, 0, 0, 0, 32, 1, 32, 48, 0, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
           0, 0),
    SAMPLE("end of data v0", 0, 7, 0xab, 0xcd, 0, 0, 0, 12, 0, 0, 0, 9),
    SAMPLE("end of data v1", 1, 7, 0xab, 0xcd, 0, 0, 0, 24, 0, 0, 0, 9, 0, 0, 0x0e, 0x10, 0, 0, 2, 0x58, 0, 0, 0x1c,
           0x20),
    SAMPLE("cache reset", 0, 8, 0, 0, 0, 0, 0, 8),
    SAMPLE("router key", 1, 9, 1, 0, 0, 0, 0, 35, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
           0, 0, 0xfd, 0xe8, 0x30, 0x01, 0xff),
    SAMPLE("error report", 1, 10, 0, 6, 0, 0, 0, 26, 0, 0, 0, 8, 1, 2, 0, 0, 0, 0, 0, 8, 0, 0, 0, 2, 'n', 'o'),
    SAMPLE("error report, empty", 0, 10, 0, 2, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0),
    SAMPLE("error report v2", 2, 10, 0, 4, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0),
    SAMPLE("aspa", 2, 11, 1, 0, 0, 0, 0, 20, 0, 0, 0xfd, 0xe8, 0, 0, 0xfd, 0xe9, 0, 1, 0, 0),
    SAMPLE("aspa without providers", 2, 11, 1, 0, 0, 0, 0, 16, 0, 0, 0xfd, 0xe8, 0, 0, 0, 0),
    SAMPLE("aspa withdrawal", 2, 11, 0, 0, 0, 0, 0, 12, 0, 0, 0xfd, 0xe8),
    SAMPLE("aspa withdrawal with a list", 2, 11, 0, 0, 0, 0, 0, 20, 0, 0, 0xfd, 0xe8, 0, 0, 0, 7, 0, 0, 0, 5),
    SAMPLE("router key v2", 2, 9, 0, 0, 0, 0, 0, 33, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
           20, 0, 0, 0xfd, 0xe8, 0x30),
    SAMPLE("end of data v2", 2, 7, 0xab, 0xcd, 0, 0, 0, 24, 0, 0, 0, 9, 0, 0, 0x0e, 0x10, 0, 0, 2, 0x58, 0, 0, 0x1c,
           0x20),
};
enum { SAMPLES = sizeof(samples) / sizeof(samples[0]) };

/* From a heap block of just `len` octets, so that a read past the end is seen. */
static enum ww_err decode(const uint8_t *octets, size_t len, struct ww_rtr_pdu *pdu, uint16_t *code) {
  static uint8_t *block;
  free(block);
  block = malloc(len ? len : 1);
  assert_non_null(block);
  memcpy(block, octets, len);
  struct ww_diag diag = {0};
  *code = UINT16_MAX;
  enum ww_err err = ww_rtr_decode(block, len, pdu, code, &diag);
  if (err == WW_ERR_MALFORMED) {
    assert_true(diag.text[0]);
    assert_non_null(diag.clause);
  }
  return err;
}

static void assert_malformed(const uint8_t *octets, size_t len, uint16_t expected) {
  struct ww_rtr_pdu pdu;
  uint16_t code;
  assert_int_equal(decode(octets, len, &pdu, &code), WW_ERR_MALFORMED);
  assert_int_equal(code, expected);
}

static void test_truncated_at_every_octet(void **state) {
  (void)state;
  for (size_t i = 0; i < SAMPLES; i++)
    for (size_t n = 0; n < samples[i].len; n++) {
      struct ww_rtr_pdu pdu;
      uint16_t code;
      assert_int_equal(decode(samples[i].octets, n, &pdu, &code), WW_ERR_SHORT);
      assert_int_equal(pdu.len, n < 8 ? 0 : samples[i].len);
    }
}

/* A wrong length is told from the header alone: waiting for 2 GB would be a way to hang us. */
static void test_wrong_lengths(void **state) {
  (void)state;
  static const uint32_t lengths[] = {0, 5, 7, 9, 13, 19, 21, 25, 31, 0x7fffffff, 0xffffffff};
  for (size_t i = 0; i < SAMPLES; i++) {
    uint8_t type = samples[i].octets[1];
    if (type == WW_RTR_ERROR_REPORT || type == WW_RTR_ROUTER_KEY || type == WW_RTR_ASPA)
      continue;
    for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
      uint8_t header[8];
      memcpy(header, samples[i].octets, 8);
      for (int b = 0; b < 4; b++)
        header[4 + b] = (uint8_t)(lengths[k] >> (24 - 8 * b));
      assert_malformed(header, 8, WW_RTR_CORRUPT_DATA);
    }
  }
  /* each type with the length of another version or family */
  static const uint8_t crossed[][8] = {
      {1, 7, 0, 0, 0, 0, 0, 12}, {0, 7, 0, 0, 0, 0, 0, 24}, {1, 4, 0, 0, 0, 0, 0, 32},
      {1, 6, 0, 0, 0, 0, 0, 20}, {1, 3, 0, 0, 0, 0, 0, 12}, {1, 1, 0, 0, 0, 0, 0, 8},
  };
  for (size_t i = 0; i < sizeof(crossed) / sizeof(crossed[0]); i++)
    assert_malformed(crossed[i], 8, WW_RTR_CORRUPT_DATA);
}

static void test_bounded_lengths(void **state) {
  (void)state;
  assert_malformed((const uint8_t[]){1, 9, 1, 0, 0, 0, 0, 31}, 8, WW_RTR_CORRUPT_DATA);
  assert_malformed((const uint8_t[]){1, 9, 1, 0, 0, 0, 0, 32}, 8, WW_RTR_CORRUPT_DATA); /* a key without a key */
  assert_malformed((const uint8_t[]){1, 9, 1, 0, 0, 0, 4, 33}, 8, WW_RTR_CORRUPT_DATA); /* 32 + 1024 + 1 */
  struct ww_rtr_pdu pdu;
  uint16_t code;
  assert_int_equal(decode((const uint8_t[]){1, 9, 1, 0, 0, 0, 4, 32}, 8, &pdu, &code), WW_ERR_SHORT);
  assert_malformed((const uint8_t[]){1, 10, 0, 0, 0, 0, 0, 15}, 8, WW_RTR_CORRUPT_DATA);
  assert_malformed((const uint8_t[]){1, 10, 0, 0, 0, 1, 0, 0}, 8, WW_RTR_CORRUPT_DATA);
  assert_int_equal(decode((const uint8_t[]){1, 10, 0, 0, 0, 0, 0xff, 0xff}, 8, &pdu, &code), WW_ERR_SHORT);
}

static void test_unknown_types_and_versions(void **state) {
  (void)state;
  for (unsigned type = 0; type < 256; type++) {
    uint8_t header[8] = {1, (uint8_t)type, 0, 0, 0, 0, 0, 8};
    if (type == 5 || type > 10)
      assert_malformed(header, 8, WW_RTR_UNSUPPORTED_PDU);
    header[0] = 2;
    if (type == 5 || type > 11)
      assert_malformed(header, 8, WW_RTR_UNSUPPORTED_PDU);
    header[0] = 3;
    if (type != WW_RTR_SERIAL_NOTIFY && type != WW_RTR_ERROR_REPORT)
      assert_malformed(header, 8, WW_RTR_UNSUPPORTED_VERSION);
  }
  /* RFC 8210 has no ASPA, RFC 6810 no Router Key either */
  assert_malformed((const uint8_t[]){1, 11, 1, 0, 0, 0, 0, 16}, 8, WW_RTR_UNSUPPORTED_PDU);
  assert_malformed((const uint8_t[]){0, 9, 1, 0, 0, 0, 0, 123}, 8, WW_RTR_UNSUPPORTED_PDU);
  assert_malformed((const uint8_t[]){255, 3, 0, 0, 0, 0, 0, 8}, 8, WW_RTR_UNSUPPORTED_VERSION);
}

static void test_prefix_lengths(void **state) {
  (void)state;
  for (unsigned len = 0; len < 256; len++)
    for (unsigned max = 0; max < 256; max++) {
      uint8_t v4[20] = {1, 4, 0, 0, 0, 0, 0, 20, 1, (uint8_t)len, (uint8_t)max};
      uint8_t v6[32] = {1, 6, 0, 0, 0, 0, 0, 32, 1, (uint8_t)len, (uint8_t)max};
      struct ww_rtr_pdu pdu;
      uint16_t code;
      assert_int_equal(ww_rtr_decode(v4, 20, &pdu, &code, NULL), len <= max && max <= 32 ? WW_OK : WW_ERR_MALFORMED);
      assert_int_equal(code, WW_RTR_CORRUPT_DATA);
      assert_int_equal(ww_rtr_decode(v6, 32, &pdu, &code, NULL), len <= max && max <= 128 ? WW_OK : WW_ERR_MALFORMED);
      assert_int_equal(code, WW_RTR_CORRUPT_DATA);
    }
}

static void test_host_bits(void **state) {
  (void)state;
  for (unsigned len = 0; len <= 128; len++) {
    uint8_t v6[32] = {1, 6, 0, 0, 0, 0, 0, 32, 1, (uint8_t)len, 128};
    memset(v6 + 12, 0xff, 16);
    struct ww_rtr_pdu pdu;
    uint16_t code;
    assert_int_equal(decode(v6, 32, &pdu, &code), WW_OK);
    assert_int_equal(pdu.u.prefix.host_bits, len < 128);
    assert_true(ww_prefix_is_canonical(&pdu.u.prefix.vrp.prefix));
    for (unsigned bit = 0; bit < 128; bit++)
      assert_int_equal(pdu.u.prefix.vrp.prefix.addr[bit / 8] >> (7 - bit % 8) & 1, bit < len);
    if (len > 32)
      continue;
    uint8_t v4[20] = {1, 4, 0, 0, 0, 0, 0, 20, 1, (uint8_t)len, 32, 0, 0xff, 0xff, 0xff, 0xff};
    assert_int_equal(decode(v4, 20, &pdu, &code), WW_OK);
    assert_int_equal(pdu.u.prefix.host_bits, len < 32);
    assert_true(ww_prefix_is_canonical(&pdu.u.prefix.vrp.prefix));
    for (unsigned bit = 0; bit < 32; bit++)
      assert_int_equal(pdu.u.prefix.vrp.prefix.addr[bit / 8] >> (7 - bit % 8) & 1, bit < len);
  }
}

static void test_error_report_inner_lengths(void **state) {
  (void)state;
  /* 24 octets: 8 header, L1, 4 octets, L2, 4 octets */
  uint8_t report[24] = {1, 10, 0, 0, 0, 0, 0, 24, 0, 0, 0, 4, 1, 2, 3, 4, 0, 0, 0, 4, 't', 'e', 'x', 't'};
  struct ww_rtr_pdu pdu;
  uint16_t code;
  assert_int_equal(decode(report, 24, &pdu, &code), WW_OK);
  for (unsigned l1 = 0; l1 < 256; l1++) {
    report[11] = (uint8_t)l1;
    if (l1 != 4)
      assert_malformed(report, 24, WW_RTR_CORRUPT_DATA);
  }
  report[11] = 4;
  for (unsigned l2 = 0; l2 < 256; l2++) {
    report[19] = (uint8_t)l2;
    if (l2 != 4)
      assert_malformed(report, 24, WW_RTR_CORRUPT_DATA);
  }
  static const uint8_t huge[] = {1, 10, 0, 0, 0, 0, 0, 16, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0};
  assert_malformed(huge, sizeof(huge), WW_RTR_CORRUPT_DATA);
  assert_int_equal(ww_rtr_decode(huge, sizeof(huge), &pdu, &code, NULL), WW_ERR_MALFORMED);
  assert_int_equal(pdu.type, WW_RTR_ERROR_REPORT); /* so that nobody answers it */
}

static void test_reserved_ignored(void **state) {
  (void)state;
  static const uint8_t v4[] = {1, 4, 0xff, 0xff, 0, 0, 0, 20, 0xff, 24, 24, 0xff, 192, 0, 2, 0, 0, 0, 0, 1};
  static const uint8_t reset[] = {1, 8, 0xff, 0xff, 0, 0, 0, 8};
  struct ww_rtr_pdu pdu;
  uint16_t code;
  assert_int_equal(decode(v4, sizeof(v4), &pdu, &code), WW_OK);
  assert_true(pdu.u.prefix.announce);
  assert_int_equal(pdu.session, 0);
  assert_int_equal(decode(reset, sizeof(reset), &pdu, &code), WW_OK);
  assert_int_equal(pdu.session, 0);
}

static void test_fields(void **state) {
  (void)state;
  struct ww_rtr_pdu pdu;
  uint16_t code;
  for (size_t i = 0; i < SAMPLES; i++) {
    assert_int_equal(decode(samples[i].octets, samples[i].len, &pdu, &code), WW_OK);
    assert_int_equal(pdu.version, samples[i].octets[0]);
    assert_int_equal(pdu.type, samples[i].octets[1]);
    assert_int_equal(pdu.len, samples[i].len);
    switch (pdu.type) {
    case WW_RTR_SERIAL_NOTIFY:
    case WW_RTR_SERIAL_QUERY:
      assert_int_equal(pdu.session, 0x1234);
      assert_int_equal(pdu.u.serial.serial, i == 1 ? 0xffffffff : 7);
      break;
    case WW_RTR_CACHE_RESPONSE:
      assert_int_equal(pdu.session, 0xabcd);
      break;
    case WW_RTR_END_OF_DATA:
      assert_int_equal(pdu.session, 0xabcd);
      assert_int_equal(pdu.u.eod.serial, 9);
      assert_int_equal(pdu.u.eod.timers, pdu.version >= 1);
      assert_int_equal(pdu.u.eod.refresh, pdu.version ? 3600 : 0);
      assert_int_equal(pdu.u.eod.retry, pdu.version ? 600 : 0);
      assert_int_equal(pdu.u.eod.expire, pdu.version ? 7200 : 0);
      break;
    case WW_RTR_ROUTER_KEY:
      if (pdu.version == 2)
        break;
      assert_true(pdu.u.key.announce);
      assert_int_equal(pdu.u.key.key.asn, 65000);
      assert_int_equal(pdu.u.key.key.ski[19], 20);
      assert_int_equal(pdu.u.key.key.spki_len, 3);
      assert_int_equal(pdu.u.key.key.spki[2], 0xff);
      break;
    default:
      break;
    }
  }
  assert_int_equal(decode(samples[6].octets, 20, &pdu, &code), WW_OK);
  char text[WW_PREFIX_STRLEN];
  assert_string_equal(ww_prefix_format(&pdu.u.prefix.vrp.prefix, text), "192.0.2.0/24");
  assert_int_equal(pdu.u.prefix.vrp.max_len, 25);
  assert_int_equal(pdu.u.prefix.vrp.asn, 65000);
  assert_int_equal(pdu.u.prefix.vrp.expires, 0);
  assert_false(pdu.u.prefix.host_bits);
  assert_int_equal(decode(samples[8].octets, 32, &pdu, &code), WW_OK);
  assert_string_equal(ww_prefix_format(&pdu.u.prefix.vrp.prefix, text), "2001:db8::/32");
  assert_int_equal(pdu.u.prefix.vrp.asn, 65536);
  assert_int_equal(decode(samples[13].octets, 26, &pdu, &code), WW_OK);
  assert_int_equal(pdu.u.error.code, 6);
  assert_int_equal(pdu.u.error.pdu_len, 8);
  assert_int_equal(pdu.u.error.text_len, 2);
  assert_memory_equal(pdu.u.error.text, "no", 2);
}

static void test_aspa_lengths(void **state) {
  (void)state;
  static const uint32_t bad[] = {0, 8, 11, 13, 14, 15, 17, 21, 65533, 65536, 0x80000000};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    uint8_t header[8] = {2, 11, 1, 0};
    for (int b = 0; b < 4; b++)
      header[4 + b] = (uint8_t)(bad[i] >> (24 - 8 * b));
    assert_malformed(header, 8, WW_RTR_CORRUPT_DATA);
  }
  /* 16380 providers is the most that fits */
  struct ww_rtr_pdu pdu;
  uint16_t code;
  size_t len = 65532;
  uint8_t *most = calloc(1, len);
  assert_non_null(most);
  memcpy(most, (const uint8_t[]){2, 11, 1, 0, 0, 0, 0xff, 0xfc, 0, 0, 0, 1}, 12);
  for (size_t i = 12; i < len; i += 4) {
    most[i + 2] = (uint8_t)(i >> 8);
    most[i + 3] = (uint8_t)i;
  }
  assert_int_equal(decode(most, len, &pdu, &code), WW_OK);
  assert_int_equal(pdu.u.aspa.provider_count, 16380);
  free(most);
}

/* draft-ietf-sidrops-8210bis-26 §5.12 */
static void test_aspa_lists(void **state) {
  (void)state;
  static const struct {
    uint32_t count;
    uint8_t providers[3]; /* low octets */
    bool good;
  } cases[] = {
      {0, {0}, false},       {1, {7}, true},        {1, {0}, true},        {2, {7, 8}, true},  {2, {8, 7}, false},
      {2, {7, 7}, false},    {2, {0, 7}, false},    {2, {7, 0}, false},    {2, {0, 0}, false}, {3, {1, 2, 255}, true},
      {3, {1, 3, 2}, false}, {3, {1, 2, 2}, false}, {3, {0, 1, 2}, false},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int announce = 0; announce < 2; announce++) {
      uint32_t len = 12 + 4 * cases[i].count;
      uint8_t aspa[24] = {2, 11, (uint8_t)announce, 0, 0, 0, 0, (uint8_t)len, 0x7f, 0, 0, 1};
      for (uint32_t k = 0; k < cases[i].count; k++)
        aspa[12 + 4 * k + 3] = cases[i].providers[k];
      struct ww_rtr_pdu pdu;
      uint16_t code;
      if (announce && !cases[i].good) {
        assert_malformed(aspa, len, WW_RTR_ASPA_LIST);
        continue;
      }
      assert_int_equal(decode(aspa, len, &pdu, &code), WW_OK);
      assert_int_equal(pdu.u.aspa.announce, announce);
      assert_false(pdu.u.aspa.old_layout);
      assert_int_equal(pdu.u.aspa.customer, 0x7f000001);
      assert_int_equal(pdu.u.aspa.provider_count, cases[i].count);
    }
}

/* The form of revisions up to -15; the first is StayRTR 0.5.1, octet for octet. */
static void test_aspa_of_old_layout(void **state) {
  (void)state;
  static const struct {
    uint8_t octets[24];
    uint8_t len;
    bool old;
  } cases[] = {
      {{2, 11, 0, 0, 0, 0, 0, 20, 1, 0, 0, 1, 0, 0, 0xfd, 0xe8, 0, 0, 0xfd, 0xe9}, 20, true},
      {{2, 11, 0, 0, 0, 0, 0, 24, 1, 1, 0, 2, 0, 0, 0xfd, 0xe8, 0, 0, 0, 9, 0, 0, 0, 8}, 24, true},
      {{2, 11, 0, 0, 0, 0, 0, 16, 1, 0, 0, 0, 0, 0, 0xfd, 0xe8}, 16, true},
      {{2, 11, 0xfe, 0xff, 0, 0, 0, 16, 1, 0, 0, 0, 0, 0, 0xfd, 0xe8}, 16, true}, /* reserved bits are not looked at */
      {{2, 11, 0, 0, 0, 0, 0, 20, 1, 0, 0, 2, 0, 0, 0xfd, 0xe8, 0, 0, 0xfd, 0xe9}, 20, false}, /* wrong count */
      {{2, 11, 0, 0, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0xfd, 0xe8, 0, 0, 0xfd, 0xe9}, 20, false}, /* a withdrawal of AS1 */
      {{2, 11, 0, 0, 0, 0, 0, 20, 1, 4, 0, 1, 0, 0, 0xfd, 0xe8, 0, 0, 0xfd, 0xe9}, 20, false},
      {{2, 11, 1, 0, 0, 0, 0, 20, 1, 0, 0, 1, 0, 0, 0xfd, 0xe8, 0, 0, 0xfd, 0xe9}, 20, false}, /* of AS16777217 */
      {{2, 11, 0, 0, 0, 0, 0, 12, 1, 0, 0, 0}, 12, false},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct ww_rtr_pdu pdu;
    uint16_t code;
    assert_int_equal(decode(cases[i].octets, cases[i].len, &pdu, &code), WW_OK);
    assert_int_equal(pdu.u.aspa.old_layout, cases[i].old);
    if (!cases[i].old)
      continue;
    assert_true(pdu.u.aspa.announce);
    assert_int_equal(pdu.u.aspa.customer, 65000);
    assert_int_equal(pdu.u.aspa.provider_count, (cases[i].len - 16) / 4);
    if (pdu.u.aspa.provider_count)
      assert_int_equal(pdu.u.aspa.providers[3], cases[i].octets[19]);
  }
}

static void test_fatality(void **state) {
  (void)state;
  /* RFC 8210 §12, draft-ietf-sidrops-8210bis-26 §12; codes of no version are fatal */
  for (uint16_t code = 0; code < 20; code++) {
    assert_int_equal(ww_rtr_error_is_fatal(0, code), code != 2);
    assert_int_equal(ww_rtr_error_is_fatal(1, code), code != 2);
    assert_int_equal(ww_rtr_error_is_fatal(2, code), code != 2 && code != 4 && code != 12);
  }
}

static void test_round_trip(void **state) {
  (void)state;
  for (size_t i = 0; i < SAMPLES; i++) {
    struct ww_rtr_pdu pdu;
    uint16_t code;
    assert_int_equal(decode(samples[i].octets, samples[i].len, &pdu, &code), WW_OK);
    uint8_t out[64];
    struct ww_writer w = ww_writer_make(out, sizeof(out));
    ww_rtr_write(&w, &pdu);
    assert_false(w.overflow);
    assert_int_equal(w.len, samples[i].len);
    assert_memory_equal(out, samples[i].octets, samples[i].len);
    struct ww_writer measure = ww_writer_make(NULL, 0);
    ww_rtr_write(&measure, &pdu);
    assert_int_equal(measure.len, samples[i].len);
    for (size_t cap = 0; cap < samples[i].len; cap++) {
      w = ww_writer_make(out, cap);
      ww_rtr_write(&w, &pdu);
      assert_true(w.overflow);
    }
  }
}

static void test_stops_at_the_first(void **state) {
  (void)state;
  static const uint8_t two[] = {1, 8, 0, 0, 0, 0, 0, 8, 1, 3, 0, 1, 0, 0, 0, 8};
  struct ww_rtr_pdu pdu;
  uint16_t code;
  assert_int_equal(decode(two, sizeof(two), &pdu, &code), WW_OK);
  assert_int_equal(pdu.len, 8);
}

static void test_names(void **state) {
  (void)state;
  assert_string_equal(ww_rtr_error_name(WW_RTR_UNKNOWN_WITHDRAWAL), "Withdrawal of Unknown Record");
  assert_string_equal(ww_rtr_error_name(WW_RTR_ASPA_LIST), "ASPA Provider List Error");
  assert_string_equal(ww_rtr_error_name(WW_RTR_CACHE_SHUTDOWN), "Cache Shutdown");
  assert_string_equal(ww_rtr_error_name(14), "unknown error");
  assert_string_equal(ww_rtr_type_name(WW_RTR_ASPA), "ASPA");
  assert_string_equal(ww_rtr_type_name(WW_RTR_END_OF_DATA), "End of Data");
  assert_string_equal(ww_rtr_type_name(5), "unknown PDU");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_truncated_at_every_octet),
      cmocka_unit_test(test_wrong_lengths),
      cmocka_unit_test(test_bounded_lengths),
      cmocka_unit_test(test_unknown_types_and_versions),
      cmocka_unit_test(test_prefix_lengths),
      cmocka_unit_test(test_host_bits),
      cmocka_unit_test(test_error_report_inner_lengths),
      cmocka_unit_test(test_reserved_ignored),
      cmocka_unit_test(test_fields),
      cmocka_unit_test(test_aspa_lengths),
      cmocka_unit_test(test_aspa_lists),
      cmocka_unit_test(test_aspa_of_old_layout),
      cmocka_unit_test(test_fatality),
      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_stops_at_the_first),
      cmocka_unit_test(test_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
