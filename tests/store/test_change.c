/* SPDX-License-Identifier: BSD-2-Clause */
/* History entries and SLURM heads as octets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* */
#include <cmocka.h>

#include "store/change.h"
#include "store/slurm_set.h"
#include "tests/store/store_util.h"

/* From a block of just that size, so that reading beyond it is seen. */
static enum ww_err decode(const void *data, size_t len, struct ww_store_change *out) {
  struct ww_diag diag = {0};
  uint8_t *exact = malloc(len ? len : 1);
  assert_non_null(exact);
  memcpy(exact, data, len);
  *out = (struct ww_store_change){0};
  enum ww_err err = ww_change_deltas_decode(exact, len, out, &diag);
  free(exact);
  assert_true((err == WW_OK) == (diag.text[0] == '\0'));
  if (err != WW_OK)
    assert_true(!out->deltas && !out->replaced && !out->delta_count);
  return err;
}

static void refused_octets(const void *data, size_t len, int line) {
  struct ww_store_change out;
  if (decode(data, len, &out) != WW_ERR_MALFORMED)
    fail_msg("line %d: taken", line);
}
#define REFUSED(text) refused_octets(text, sizeof(text) - 1, __LINE__)

/* Counts, in their order: announced IPv4, IPv6, ASPAs, keys; withdrawn likewise; replaced. */
#define NONE4 "\0\0\0\0"
#define ONE_V4 "\0\1\1\0\0\0" NONE4 "\0"
#define TWO_V4 "\0\1\2\0\0\0" NONE4 "\0"
#define ONE_V6 "\0\1\0\1\0\0" NONE4 "\0"
#define ONE_ASPA "\0\1\0\0\1\0" NONE4 "\0"
#define TWO_ASPAS "\0\1\0\0\2\0" NONE4 "\0"
#define ONE_KEY "\0\1\0\0\0\1" NONE4 "\0"
#define SKI "01234567890123456789"

static void refuses_what_cannot_be(void **state) {
  (void)state;
  struct ww_store_change out;
  /* So that what follows is refused for one reason each. */
  assert_int_equal(decode(ONE_V4 "\x18\0\0\xc0\0\2\1", 18, &out), WW_OK);
  assert_int_equal(out.deltas[0].announce.vrp_count, 1);
  ww_store_change_fini(&out);
  REFUSED("\0");
  REFUSED("\0\1" NONE4 NONE4);                          /* no count of replaced ones */
  REFUSED("\0\1\x80\0\0\0" NONE4 "\0");                 /* a zero in two octets */
  REFUSED("\0\1\x81\0\0\0\0" NONE4 "\0");               /* a one in two */
  REFUSED("\0\1\xff\xff\xff\xff\x1f\0\0\0" NONE4 "\0"); /* beyond 32 bits */
  REFUSED("\0\1\xff\xff\xff\xff\xff\x01\0\0\0" NONE4);  /* and six octets */
  REFUSED("\0\1\xff\xff\xff\xff\x0f\0\0\0" NONE4 "\0"); /* as many VRPs as there are numbers, and none is there */
  REFUSED("\0\1\0\0\xff\xff\xff\xff\x0f\0" NONE4 "\0");
  REFUSED("\0\1\0\0\0\xff\xff\xff\xff\x0f" NONE4 "\0");
  REFUSED("\0\1" NONE4 NONE4 "\xff\xff\xff\xff\x0f");
  REFUSED(ONE_V4 "\x21\0\0\xc0\0\2\0\0\1");             /* /33 */
  REFUSED(ONE_V4 "\x18\x09\0\xc0\0\2\1");               /* maximum length 33 */
  REFUSED(ONE_V4 "\x18\xff\0\xc0\0\2\1");               /* and 279 */
  REFUSED(ONE_V4 "\x17\0\0\xc0\0\1\1");                 /* host bits */
  REFUSED(ONE_V4 "\x18\0\x40\1");                       /* four octets of before, where three are used */
  REFUSED(ONE_V4 "\x18\0\x0a\xc0\0\2\1");               /* expiry code 10 */
  REFUSED(ONE_V4 "\x18\0\x0f\xc0\0\2\1");               /* and 15 */
  REFUSED(ONE_V4 "\x18\0\2\xc0\0\2\1\0\1");             /* an expiry longer than need be */
  REFUSED(ONE_V4 "\x18\0\x08\xc0\0\2\1\1\1\1\1\1\1\1"); /* an octet of it is missing */
  REFUSED(ONE_V4 "\x18\0\0\xc0\0\2\1"
                 "\0"); /* the beginning of another delta */
  REFUSED(TWO_V4 "\x18\0\0\xc0\0\2\1"
                 "\x18\0\x30\1"); /* twice the same */
  REFUSED(TWO_V4 "\x18\0\0\xc0\0\2\2"
                 "\x18\0\x30\1"); /* the wrong order */
  REFUSED(ONE_V6 "\x81\0\0"
                 "0123456789abcdef"
                 "\1"); /* /129 */
  REFUSED(ONE_V6 "\x80\1\0"
                 "0123456789abcdef"
                 "\1");                             /* maximum length 129 */
  REFUSED(ONE_V6 "\x20\0\xf0\1");                   /* 15 octets of nothing */
  REFUSED(ONE_ASPA "\1\0\2\1\0");                   /* the same provider again */
  REFUSED(ONE_ASPA "\1\0\2\0\1");                   /* AS 0 beside another */
  REFUSED(ONE_ASPA "\1\0\2\1\xff\xff\xff\xff\x0f"); /* a provider beyond 32 bits */
  REFUSED(ONE_ASPA "\1\0\x91\x4e\1");               /* 10001 providers */
  REFUSED(ONE_ASPA "\1\x0a\1\1");                   /* expiry code */
  REFUSED(TWO_ASPAS "\1\0\1\1"
                    "\0\0\1\1"); /* the same customer again */
  REFUSED(TWO_ASPAS "\1\0\1\1"
                    "\xff\xff\xff\xff\x0f\0\1\1");
  REFUSED(ONE_KEY "\1" SKI "\0\0");       /* no key */
  REFUSED(ONE_KEY "\1" SKI "\0\2k");      /* half of it */
  REFUSED(ONE_KEY "\1" SKI "\0\x81\x08"); /* 1025 octets */
  REFUSED("\0\1\0\0\0\2" NONE4 "\0"
          "\1" SKI "\0\1k"
          "\1" SKI "\0\1k");
}

/* The octets of one delta; the caller frees them. */
static uint8_t *encode(struct ww_payload_delta *delta, struct ww_payloads *replaced, uint32_t *len) {
  struct ww_change_head head = {.change = {.deltas = delta, .replaced = replaced, .delta_count = 1}};
  uint8_t *octets;
  assert_int_equal(ww_change_deltas_encode(&head, WW_STORE_CHANGE_MAX, &octets, NULL), WW_OK);
  *len = head.octets;
  return octets;
}

static void random_delta(struct ww_payload_delta *delta, struct ww_payloads *replaced, uint64_t seed) {
  *delta = (struct ww_payload_delta){.source = (ww_source_id)(seed * 257)};
  set_random(&delta->announce, seed * 3, seed % 60, seed % 11, seed % 5);
  set_random(&delta->withdraw, seed * 3 + 1, seed % 50, seed % 7, seed % 3 + 1);
  set_random(replaced, seed * 3 + 2, 0, seed % 12, 0);
}

static void refuses_what_is_cut(void **state) {
  (void)state;
  struct ww_payload_delta delta;
  struct ww_payloads replaced;
  struct ww_store_change out;
  uint32_t len;
  random_delta(&delta, &replaced, 59);
  uint8_t *octets = encode(&delta, &replaced, &len);
  assert_true(len > 500);
  for (size_t n = 1; n < len; n++)
    assert_int_equal(decode(octets, n, &out), WW_ERR_MALFORMED);
  /* Any octet another: refused or read, and nothing else. */
  uint64_t rng = 1;
  for (size_t i = 0; i < len; i++) {
    uint8_t was = octets[i];
    octets[i] ^= (uint8_t)(1 + rng_next(&rng) % 255);
    if (decode(octets, len, &out) == WW_OK)
      ww_store_change_fini(&out);
    octets[i] = was;
  }
  free(octets);
  ww_payload_delta_fini(&delta);
  ww_payloads_fini(&replaced);
}

static void no_more_deltas_than_sources(void **state) {
  (void)state;
  enum { DELTA = 11, MANY = 65536 };
  struct ww_store_change out;
  uint8_t *octets = calloc(MANY, DELTA);
  assert_non_null(octets);
  assert_int_equal(decode(octets, (size_t)MANY * DELTA, &out), WW_ERR_MALFORMED);
  assert_int_equal(decode(octets, (size_t)(MANY - 1) * DELTA, &out), WW_OK);
  assert_int_equal(out.delta_count, MANY - 1);
  ww_store_change_fini(&out);
  free(octets);
}

/* What docs/formats/store.md says, octet by octet. */
static void as_documented(void **state) {
  (void)state;
  static const uint8_t want[] = {
      0x00, 0x07, 1,    0,    0,    0,    0,    0,    1,    0,    1,                /* source, counts */
      24,   2,    0x04, 0xc0, 0x00, 0x02, 0xf4, 0xf7, 0x03, 0x6b, 0x49, 0xd2, 0x00, /* 192.0.2.0/24-26 AS64500 */
      0xe8, 0xfb, 0x03, 0,    0,                                                    /* AS65000 */
      0xe8, 0xfb, 0x03, 0,    2,    1,    4                                         /* was AS1 and AS5 */
  };
  struct ww_payload_delta delta = {.source = 7};
  struct ww_payloads replaced = {0};
  struct ww_vrp v = {.prefix = {.afi = WW_AFI_IPV4, .len = 24, .addr = {192, 0, 2}},
                     .max_len = 26,
                     .asn = 64500,
                     .expires = 1800000000};
  assert_int_equal(ww_payloads_add_vrp(&delta.announce, &v), WW_OK);
  struct ww_aspa gone = {.customer = 65000};
  assert_int_equal(ww_payloads_add_aspa(&delta.withdraw, &gone), WW_OK);
  struct ww_aspa was = {.customer = 65000, .provider_count = 2, .providers = (const uint32_t[]){1, 5}};
  assert_int_equal(ww_payloads_add_aspa(&replaced, &was), WW_OK);
  uint32_t len;
  uint8_t *octets = encode(&delta, &replaced, &len);
  assert_int_equal(len, sizeof(want));
  assert_memory_equal(octets, want, sizeof(want));
  free(octets);
  ww_payload_delta_fini(&delta);
  ww_payloads_fini(&replaced);
}

static void deltas_come_back(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 300; seed++) {
    struct ww_payload_delta deltas[3];
    struct ww_payloads replaced[3];
    struct ww_store_change got;
    uint8_t *octets;
    for (unsigned i = 0; i < 3; i++)
      random_delta(&deltas[i], &replaced[i], seed * 3 + i);
    struct ww_change_head head = {.change = {.deltas = deltas, .replaced = replaced, .delta_count = 3}};
    assert_int_equal(ww_change_deltas_encode(&head, WW_STORE_CHANGE_MAX, &octets, NULL), WW_OK);
    assert_int_equal(decode(octets, head.octets, &got), WW_OK);
    assert_int_equal(got.delta_count, 3);
    for (unsigned i = 0; i < 3; i++) {
      assert_int_equal(got.deltas[i].source, deltas[i].source);
      assert_true(set_equal(&got.deltas[i].announce, &deltas[i].announce));
      assert_true(set_equal(&got.deltas[i].withdraw, &deltas[i].withdraw));
      assert_true(set_equal(&got.replaced[i], &replaced[i]));
      ww_payload_delta_fini(&deltas[i]);
      ww_payloads_fini(&replaced[i]);
    }
    ww_store_change_fini(&got);
    free(octets);
  }
}

/* As most changes are: one expiry, prefixes that lie near each other. */
static void small(void **state) {
  (void)state;
  struct ww_payload_delta delta = {.source = 1};
  for (uint32_t i = 0; i < 1000; i++) {
    struct ww_vrp v = {.prefix = {.afi = WW_AFI_IPV4, .len = 24, .addr = {10, (uint8_t)(i >> 8), (uint8_t)i}},
                       .max_len = 24,
                       .asn = 200000 + i,
                       .expires = 1800000000};
    assert_int_equal(ww_payloads_add_vrp(&delta.announce, &v), WW_OK);
  }
  uint32_t len;
  uint8_t *octets = encode(&delta, NULL, &len);
  assert_true(len < 8 * 1000);
  free(octets);
  ww_payload_delta_fini(&delta);
}

static void heads(void **state) {
  (void)state;
  struct ww_change_head head = {.change = {.time = -5,
                                           .cause = WW_CAUSE_CONFIG,
                                           .source = UINT16_MAX,
                                           .counts = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
                                           .has_hashes = true,
                                           .refreshed = UINT64_MAX,
                                           .complete = true},
                                .announced = UINT64_MAX,
                                .withdrawn = UINT64_MAX,
                                .octets = WW_STORE_CHANGE_MAX},
                        got;
  memset(head.change.hashes, 0xab, sizeof(head.change.hashes));
  uint8_t buf[WW_CHANGE_HEAD_MAX];
  size_t len = ww_change_head_encode(&head, buf, sizeof(buf));
  assert_true(len > 0); /* the largest fits */
  for (size_t n = 0; n < len; n++)
    assert_int_equal(ww_change_head_decode(buf, n, &got, NULL), WW_ERR_MALFORMED);
  assert_int_equal(ww_change_head_decode(buf, len, &got, NULL), WW_OK);
  assert_memory_equal(got.change.hashes, head.change.hashes, sizeof(got.change.hashes));
  assert_int_equal(got.change.time, -5);
  assert_int_equal(got.change.source, UINT16_MAX);
  assert_true(got.change.has_hashes && got.change.complete);
  assert_int_equal(got.octets, WW_STORE_CHANGE_MAX);
  head.octets++;
  len = ww_change_head_encode(&head, buf, sizeof(buf));
  assert_int_equal(ww_change_head_decode(buf, len, &got, NULL), WW_ERR_LIMIT);
  head = (struct ww_change_head){.change.time = 1};
  len = ww_change_head_encode(&head, buf, sizeof(buf));
  memset(&got, 0xff, sizeof(got));
  assert_int_equal(ww_change_head_decode(buf, len, &got, NULL), WW_OK);
  assert_false(got.change.has_hashes);
  assert_int_equal(got.octets, 0);
  assert_null(got.change.deltas);
  static const char hashes95[] = "\xa4\x64time\x01\x65"
                                 "cause\x01\x68"
                                 "complete\xf5\x66hashes\x58\x01x";
  assert_int_equal(ww_change_head_decode(hashes95, sizeof(hashes95) - 1, &got, NULL), WW_ERR_MALFORMED);
}

static void slurm_heads(void **state) {
  (void)state;
  uint8_t buf[WW_STORE_SLURM_HEAD_MAX];
  static struct ww_slurm_file_head file, got;
  memset(file.name, 'n', sizeof(file.name) - 1);
  file.octets = WW_STORE_SLURM_TEXT_MAX;
  size_t len = ww_slurm_file_head_encode(&file, buf, sizeof(buf));
  assert_true(len > WW_STORE_SLURM_NAME_MAX); /* the longest name fits */
  assert_int_equal(ww_slurm_file_head_decode(buf, len, &got, NULL), WW_OK);
  assert_memory_equal(&got, &file, sizeof(got));
  for (size_t n = 0; n < len; n += 97)
    assert_int_equal(ww_slurm_file_head_decode(buf, n, &got, NULL), WW_ERR_MALFORMED);
  file.octets++;
  len = ww_slurm_file_head_encode(&file, buf, sizeof(buf));
  assert_int_equal(ww_slurm_file_head_decode(buf, len, &got, NULL), WW_ERR_LIMIT);
  struct ww_slurm_set_head set = {.time = 5, .strict = true, .files = WW_STORE_SLURM_FILES_MAX}, back;
  len = ww_slurm_set_head_encode(&set, buf, sizeof(buf));
  assert_int_equal(ww_slurm_set_head_decode(buf, len, &back, NULL), WW_OK);
  assert_true(back.time == 5 && back.strict && back.files == WW_STORE_SLURM_FILES_MAX);
  set.files++;
  len = ww_slurm_set_head_encode(&set, buf, sizeof(buf));
  assert_int_equal(ww_slurm_set_head_decode(buf, len, &back, NULL), WW_ERR_LIMIT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(refuses_what_cannot_be),
      cmocka_unit_test(refuses_what_is_cut),
      cmocka_unit_test(no_more_deltas_than_sources),
      cmocka_unit_test(as_documented),
      cmocka_unit_test(deltas_come_back),
      cmocka_unit_test(small),
      cmocka_unit_test(heads),
      cmocka_unit_test(slurm_heads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
