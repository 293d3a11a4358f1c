/* SPDX-License-Identifier: BSD-2-Clause */
/* CCR files: the example of the draft, every way in which one can be wrong, packed ones, and what is written is read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* */
#include <cmocka.h>
#include <zlib.h>

#include "base/base64.h"
#include "sources/ccr_hash.h"
#include "sources/ccr_read.h"
#include "sources/ccr_state.h"
#include "sources/payload_file.h"
#include "tests/sources/ccr_example.h"
#include "tests/sources/ccr_notation.h"

struct result {
  enum ww_err err;
  struct ww_payloads set;
  struct ww_payload_file_stats stats;
  struct ww_diag diag;
};

static struct result read_in(const uint8_t *data, size_t len, size_t piece, size_t unpacked_max) {
  struct result r = {.err = WW_OK};
  struct ww_payload_file_options options = {.now = 1795219200, .unpacked_max = unpacked_max};
  struct ww_payload_file *file = ww_payload_file_new(&options);
  assert_non_null(file);
  for (size_t at = 0; at < len && r.err == WW_OK; at += piece) {
    size_t n = len - at < piece ? len - at : piece;
    uint8_t *exact = malloc(n);
    memcpy(exact, data + at, n);
    r.err = ww_payload_file_feed(file, exact, n, &r.diag);
    free(exact);
  }
  if (r.err == WW_OK)
    r.err = ww_payload_file_finish(file, &r.set, &r.stats, &r.diag);
  ww_payload_file_free(file);
  return r;
}

static void example(uint8_t out[CCR_EXAMPLE_LEN]) {
  size_t n;
  assert_true(ww_base64_decode(ccr_example, strlen(ccr_example), out, CCR_EXAMPLE_LEN, &n) <= WW_BASE64_LOOSE);
  assert_int_equal(n, CCR_EXAMPLE_LEN);
}

static void assert_hash(const uint8_t *hash, const char *want) {
  char text[WW_BASE64_SIZE(WW_CCR_HASH_LEN)];
  (void)ww_base64_encode(hash, WW_CCR_HASH_LEN, text);
  assert_string_equal(text, want);
}

static void example_of_the_draft(void **state) {
  (void)state;
  uint8_t data[CCR_EXAMPLE_LEN];
  example(data);
  for (size_t piece = 1; piece <= CCR_EXAMPLE_LEN; piece = piece * 5 + 2) {
    struct result r = read_in(data, CCR_EXAMPLE_LEN, piece, 0);
    if (r.err != WW_OK)
      fail_msg("at %zu: %s", r.diag.offset, r.diag.text);
    assert_int_equal(r.set.vrp_count, 5);
    assert_int_equal(r.set.aspa_count, 3);
    assert_int_equal(r.set.key_count, 3);
    assert_true(r.stats.produced_at == 1778803210);
    assert_int_equal(r.stats.manifests, 4);
    assert_int_equal(r.stats.trust_anchors, 2);
    struct ww_ccr_hashes h;
    assert_int_equal(ww_ccr_hash(&r.set, &h), WW_OK);
    assert_hash(h.vrps, "D7GXkab9xejDm5KqaoYNDnApeP+5BX/9ExEBesfHTHo=");
    assert_hash(h.aspas, "JzffEMksigs1JT58SSU+Yhq0UAiy27wg3beHrAslFFM=");
    assert_hash(h.keys, "57BYFM3TNz47lJ6rbykyP58kkXVe/dOKFSLgOVi1GsE=");
    ww_payloads_fini(&r.set);
  }
}

/* Cut anywhere, or with any one octet changed, it is refused and says why. */
static void damaged_anywhere(void **state) {
  (void)state;
  uint8_t data[CCR_EXAMPLE_LEN];
  example(data);
  for (size_t len = 0; len < CCR_EXAMPLE_LEN; len += len < 40 ? 1 : 13) {
    struct result r = read_in(data, len, SIZE_MAX / 2, 0);
    assert_int_not_equal(r.err, WW_OK);
    assert_true(r.diag.text[0]);
    assert_int_equal(r.set.vrp_count, 0);
  }
  size_t survived = 0;
  for (size_t i = 0; i < CCR_EXAMPLE_LEN; i++) {
    data[i] ^= 0x01;
    struct result r = read_in(data, CCR_EXAMPLE_LEN, SIZE_MAX / 2, 0);
    survived += r.err == WW_OK;
    assert_true(r.err == WW_OK || r.diag.text[0]);
    ww_payloads_fini(&r.set);
    data[i] ^= 0x01;
  }
  /* producedAt is under no hash: nine of its digits may be others. */
  assert_in_range(survived, 1, 14);
}

/* --- each rule ------------------------------------------------------------------------------------------------- */

#define ALGORITHM "S(N608648016503040201)"
#define TIME "T20260515000010Z"
#define CCR(body) "S(N2a864886f70d0109100136 C0(S(" body ")))"
#define VRPS(rps) CCR(ALGORITHM TIME "C2(S(S(" rps ")Z))")
#define VAPS(aps) CCR(ALGORITHM TIME "C3(S(S(" aps ")Z))")
#define RKS(rksets) CCR(ALGORITHM TIME "C5(S(S(" rksets ")Z))")
#define HASH(last)                                                                                                     \
  "O"                                                                                                                  \
  "00000000000000000000000000000000000000000000000000000000000000" last
#define MFT(hash, more) "S(" HASH(hash) "I1000 K01 I7 T20260514000000Z S(S(N2b0601050507300bU))" more ")"
#define SPKI "S(S(N2a8648ce3d0201 N2a8648ce3d030107)B0:04aabb)"

static struct result read_notation(const char *notation) {
  uint8_t data[4096];
  size_t len = der_of(notation, data, sizeof(data));
  return read_in(data, len, SIZE_MAX / 2, 0);
}

static void good(const char *notation, size_t records) {
  struct result r = read_notation(notation);
  if (r.err != WW_OK)
    fail_msg("at %zu: %s\nof %s", r.diag.offset, r.diag.text, notation);
  assert_int_equal(r.set.vrp_count + r.set.aspa_count + r.set.key_count, records);
  ww_payloads_fini(&r.set);
}

static void refused(const char *notation, enum ww_err err, const char *words) {
  struct result r = read_notation(notation);
  if (r.err != err || !strstr(r.diag.text, words))
    fail_msg("error %d at %zu: %s\nof %s", (int)r.err, r.diag.offset, r.diag.text, notation);
}

static void bad(const char *notation, const char *words) { refused(notation, WW_ERR_MALFORMED, words); }

static void bad_frames(void **state) {
  (void)state;
  refused("S(N2a864886f70d010702 C0(S()))", WW_ERR_UNSUPPORTED, "not a Canonical Cache Representation");
  bad("S(N2a864886f70d0109100136 S())", "not the tag");
  bad("S(N2a864886f70d0109100136 C0(S(" ALGORITHM TIME "C3(S(S()Z)))) I1)", "more than should be here");
  bad(CCR("C0(I0)" ALGORITHM TIME "C3(S(S()Z))"), "version 0 is the default");
  refused(CCR("C0(I1)" ALGORITHM TIME "C3(S(S()Z))"), WW_ERR_UNSUPPORTED, "a version of CCR");
  refused(CCR("S(N608648016503040202)" TIME "C3(S(S()Z))"), WW_ERR_UNSUPPORTED, "not SHA-256");
  bad(CCR("S(N608648016503040201R0500)" TIME "C3(S(S()Z))"), "parameters of SHA-256");
  bad(CCR(ALGORITHM "T202605150000Z C3(S(S()Z))"), "not a time");
  bad(CCR(ALGORITHM TIME), "no state");
  bad(CCR(ALGORITHM TIME "C4(S(S(K01)Z))"), "no payloads");
  bad(CCR(ALGORITHM TIME "C3(S(S()Z))C2(S(S()Z))"), "out of order");
  bad(CCR(ALGORITHM TIME "C3(S(S()Z))C3(S(S()Z))"), "out of order");
  bad(CCR(ALGORITHM TIME "C3(S(S()Z))I1"), "not a state");
  bad(CCR(ALGORITHM TIME "C3(S(S()Oaabb))"), "a hash that is not of 32 octets");
  bad(CCR(ALGORITHM TIME "C3(S(S()" HASH("00") "))"), "vaps.aps: the hash is not that of the sequence");
  bad(CCR(ALGORITHM TIME "C3(S(S()Z I1))"), "more than should be here");
  good(CCR(ALGORITHM TIME "C2(S(S()Z))C3(S(S()Z))C5(S(S()Z))"), 0);
  good(CCR(ALGORITHM TIME "C2(S(S()Z))C9(S(I1))"), 0); /* of a later revision */
}

static void bad_vrps(void **state) {
  (void)state;
#define V4(asn, addresses) "S(I" asn " S(S(O0001 S(" addresses "))))"
  good(VRPS(V4("1", "S(B0:0a)S(B0:0a00 I24)S(B7:80)")), 3);
  good(VRPS("S(I0 S(S(O0001 S(S(B0:)))S(O0002 S(S(B0:)S(B0:20010db8 I128)))))"), 3);
  bad(VRPS("S(R02020001 S(S(O0001 S(S(B0:0a)))))"), "shortest form");
  bad(VRPS(V4("4294967296", "S(B0:0a)")), "vrps.rps[0]: an INTEGER that is too large");
  bad(VRPS(V4("1", "")), "without addresses");
  bad(VRPS("S(I1 S())"), "an empty ipAddrBlocks");
  bad(VRPS("S(I1 S(S(O000101 S(S(B0:0a)))))"), "not of two octets");
  bad(VRPS("S(I1 S(S(O0003 S(S(B0:0a)))))"), "neither IPv4 nor IPv6");
  bad(VRPS("S(I1 S(S(O0002 S(S(B0:20)))S(O0001 S(S(B0:0a)))))"), "families that do not ascend");
  bad(VRPS("S(I1 S(S(O0001 S(S(B0:0a)))S(O0001 S(S(B0:0b)))))"), "families that do not ascend");
  bad(VRPS(V4("1", "S(B4:0a18)")), "unused bits are set");
  bad(VRPS(V4("1", "S(B0:0a00000000)")), "longer than 32 bits");
  bad(VRPS(V4("1", "S(B0:0a I7)")), "less than the length");
  bad(VRPS(V4("1", "S(B0:0a I33)")), "over 32");
  bad(VRPS("S(I1 S(S(O0002 S(S(B0:20 I129)))))"), "over 128");
  bad(VRPS(V4("1", "S(B0:0a I8)")), "is to be left out");
  bad(VRPS(V4("1", "S(B0:0a I9 I10)")), "more than should be here");
  bad(VRPS(V4("1", "S(B0:0b)S(B0:0a)")), "prefixes that do not ascend");
  bad(VRPS(V4("1", "S(B0:0a)S(B0:0a)")), "prefixes that do not ascend");
  bad(VRPS(V4("2", "S(B0:0a)") V4("1", "S(B0:0a)")), "vrps.rps[1]: asIDs that do not ascend");
  bad(VRPS(V4("1", "S(B0:0a)") V4("1", "S(B0:0b)")), "asIDs that do not ascend");
}

/* RFC 9582's order of the prefixes of one address, rpki-client's, and neither. */
static void two_orders(void **state) {
  (void)state;
  good(VRPS(V4("1", "S(B0:0a)S(B0:0a I9)S(B0:0a00)")), 3);
  good(VRPS(V4("1", "S(B0:0a00)S(B0:0a I9)S(B0:0a)S(B0:0b)")), 4);
  bad(VRPS(V4("1", "S(B0:0a)S(B0:0a00)S(B0:0b00)S(B0:0b)")), "prefixes that do not ascend");
  bad(VRPS(V4("1", "S(B0:0a)S(B0:0a00)") V4("2", "S(B0:0b00)S(B0:0b)")), "vrps.rps[1]: prefixes that do not");
}

static void bad_aspas(void **state) {
  (void)state;
  good(VAPS("S(I1 S(I0))S(I2 S(I1 I3))"), 2);
  bad(VAPS("S(I1 S())"), "vaps.aps[0]: an empty list of providers");
  bad(VAPS("S(I1 S(I3 I2))"), "providers that do not ascend");
  bad(VAPS("S(I1 S(I2 I2))"), "providers that do not ascend");
  bad(VAPS("S(I1 S(I0 I2))"), "AS 0 beside other providers");
  bad(VAPS("S(I2 S(I1))S(I1 S(I2))"), "vaps.aps[1]: customerASIDs that do not ascend");
  bad(VAPS("S(I1 S(I2) I3)"), "more than should be here");
}

static void bad_keys(void **state) {
  (void)state;
  good(RKS("S(I1 S(S(K01 " SPKI ")S(K02 " SPKI ")))S(I2 S(S(K01 " SPKI ")))"), 3);
  bad(RKS("S(I1 S())"), "an empty set of router keys");
  bad(RKS("S(I1 S(S(Oaabb " SPKI ")))"), "not of 20 octets");
  bad(RKS("S(I1 S(S(K01 S(B0:04aabb))))"), "not a SEQUENCE");
  bad(RKS("S(I1 S(S(K01 S(S(N2a03)B4:04a0))))"), "does not end with an octet");
  bad(RKS("S(I1 S(S(K02 " SPKI ")S(K01 " SPKI ")))"), "router keys that do not ascend");
  bad(RKS("S(I1 S(S(K01 " SPKI ")S(K01 " SPKI ")))"), "router keys that do not ascend");
  bad(RKS("S(I2 S(S(K01 " SPKI ")))S(I1 S(S(K01 " SPKI ")))"), "rks.rksets[1]: asIDs that do not ascend");
}

static void bad_trust_anchors(void **state) {
  (void)state;
  bad(CCR(ALGORITHM TIME "C4(S(S()Z))C5(S(S()Z))"), "an empty list");
  good(CCR(ALGORITHM TIME "C3(S(S()Z))C4(S(S(K01 K02)Z))"), 0);
  bad(CCR(ALGORITHM TIME "C3(S(S()Z))C4(S(S(K02 K01)Z))"), "tas.skis: trust anchors that do not ascend");
  bad(CCR(ALGORITHM TIME "C3(S(S()Z))C4(S(S(O01)Z))"), "a key identifier that is not of 20 octets");
}

static void bad_manifests(void **state) {
  (void)state;
#define M(mis, time) CCR(ALGORITHM TIME "C1(S(S(" mis ")" time "Z))C3(S(S()Z))")
#define AT "T20260514000000Z"
  good(M("", "T19700101000000Z"), 0);
  good(M(MFT("01", "") MFT("02", "S(K01 K02)"), AT), 0);
  bad(M("", AT), "mfts.mis: a mostRecentUpdate that is not the latest");
  bad(M(MFT("01", ""), "T20260513000000Z"), "a mostRecentUpdate that is not the latest");
  bad(M("S(" HASH("01") "I1000 K01 I7 T20260516000000Z S(S(N2b0601050507300bU)))", "T20260516000000Z"),
      "after producedAt");
  bad(M(MFT("02", "") MFT("01", ""), AT), "mfts.mis[1]: manifests whose hashes do not ascend");
  bad(M("S(" HASH("01") "I999 K01 I7 " AT " S(S(N2b0601050507300bU)))", AT), "less than 1000 octets");
  bad(M("S(" HASH("01") "I1000 O01 I7 " AT " S(S(N2b0601050507300bU)))", AT), "not of 20 octets");
  bad(M("S(" HASH("01") "I1000 K01 R0215010203040506070809101112131415161718192021 " AT " S(S(N2b0601050507300bU)))",
        AT),
      "a manifestNumber of more than 20 octets");
  bad(M("S(" HASH("01") "I1000 K01 I7 " AT " S())", AT), "without locations");
  bad(M("S(" HASH("01") "I1000 K01 I7 " AT " S(S(N2b0601050507300b R86022020)))", AT), "not a URI");
  bad(M(MFT("01", "S()"), AT), "an empty list of key identifiers");
  bad(M(MFT("01", "S(K02 K01)"), AT), "subordinates that do not ascend");
}

static void lengths_that_lie(void **state) {
  (void)state;
  static const uint8_t large[] = {0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0},
                       odd[] = {0x30, 0x89, 1, 2, 3, 4, 5, 6, 7};
  struct result r = read_in(large, sizeof(large), 1, 0);
  assert_int_equal(r.err, WW_ERR_LIMIT);
  r = read_in(odd, sizeof(odd), 1, 0);
  assert_int_equal(r.err, WW_ERR_MALFORMED);
  uint8_t data[CCR_EXAMPLE_LEN + 1];
  example(data);
  data[CCR_EXAMPLE_LEN] = 0;
  r = read_in(data, sizeof(data), 100, 0);
  assert_int_equal(r.err, WW_ERR_MALFORMED);
  assert_int_equal(r.diag.offset, CCR_EXAMPLE_LEN);
  r = read_in(data, CCR_EXAMPLE_LEN - 1, 100, 0);
  assert_int_equal(r.err, WW_ERR_SHORT);
}

/* --- packed ---------------------------------------------------------------------------------------------------- */

static size_t pack(const uint8_t *data, size_t len, uint8_t *out, size_t cap) {
  z_stream z = {0};
  assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  uint8_t *copy = malloc(len);
  memcpy(copy, data, len);
  z.next_in = copy;
  z.avail_in = (uInt)len;
  z.next_out = out;
  z.avail_out = (uInt)cap;
  assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
  deflateEnd(&z);
  free(copy);
  return cap - z.avail_out;
}

static void packed_by_gzip(void **state) {
  (void)state;
  uint8_t data[CCR_EXAMPLE_LEN], packed[2 * CCR_EXAMPLE_LEN], twice[3 * CCR_EXAMPLE_LEN];
  example(data);
  size_t len = pack(data, sizeof(data), packed, sizeof(packed));
  for (size_t piece = 1; piece <= len; piece = piece * 4 + 1) {
    struct result r = read_in(packed, len, piece, 0);
    if (r.err != WW_OK)
      fail_msg("%s", r.diag.text);
    assert_int_equal(r.set.vrp_count, 5);
    ww_payloads_fini(&r.set);
  }
  for (size_t cut = 0; cut < len; cut += 7)
    assert_int_not_equal(read_in(packed, cut, SIZE_MAX / 2, 0).err, WW_OK);
  assert_int_equal(read_in(packed, len - 1, SIZE_MAX / 2, 0).err, WW_ERR_SHORT);
  struct result r = read_in(packed, len, 100, sizeof(data) - 1);
  assert_int_equal(r.err, WW_ERR_LIMIT);
  assert_non_null(strstr(r.diag.text, "unpacks to more than 1527 octets"));
  size_t n = pack(packed, len, twice, sizeof(twice));
  r = read_in(twice, n, 100, 0);
  assert_int_equal(r.err, WW_ERR_UNSUPPORTED);
  packed[len - 6] ^= 1; /* the check sum */
  assert_int_equal(read_in(packed, len, 100, 0).err, WW_ERR_MALFORMED);
  /* Two members are one file; JSON may be packed, too. */
  static const char head[] = "{\"roas\":[{\"asn\":1,", tail[] = "\"prefix\":\"10.0.0.0/8\"}]}\n";
  len = pack((const uint8_t *)head, strlen(head), packed, sizeof(packed));
  len += pack((const uint8_t *)tail, strlen(tail), packed + len, sizeof(packed) - len);
  for (size_t piece = 1; piece <= len; piece = piece * 4 + 1) {
    r = read_in(packed, len, piece, 0);
    if (r.err != WW_OK)
      fail_msg("%s", r.diag.text);
    assert_int_equal(r.set.vrp_count, 1);
    ww_payloads_fini(&r.set);
  }
}

/* --- written --------------------------------------------------------------------------------------------------- */

struct sink {
  uint8_t data[4096];
  size_t len, max;
};

static bool put(void *ctx, const void *data, size_t len) {
  struct sink *s = ctx;
  if (s->max - s->len < len)
    return false;
  memcpy(s->data + s->len, data, len);
  s->len += len;
  return true;
}

static void what_is_written_is_read(void **state) {
  (void)state;
  uint8_t data[CCR_EXAMPLE_LEN];
  example(data);
  struct result r = read_in(data, sizeof(data), 500, 0), again;
  struct ww_ccr_state *s = ww_ccr_state_new();
  struct sink sink = {.max = sizeof(sink.data)};
  assert_int_equal(ww_ccr_state_set(s, &r.set), WW_OK);
  assert_int_equal(ww_ccr_state_write(s, 1778803210, put, &sink), WW_OK);
  again = read_in(sink.data, sink.len, 100, 0);
  if (again.err != WW_OK)
    fail_msg("%s", again.diag.text);
  assert_true(again.stats.produced_at == 1778803210);
  struct ww_ccr_hashes a, b;
  assert_int_equal(ww_ccr_hash(&r.set, &a), WW_OK);
  assert_int_equal(ww_ccr_hash(&again.set, &b), WW_OK);
  assert_memory_equal(&a, &b, sizeof(a));
  size_t written = sink.len;
  for (sink.max = 0; sink.max < written; sink.max += 50) {
    sink.len = 0;
    assert_int_equal(ww_ccr_state_write(s, 1778803210, put, &sink), WW_ERR_IO);
  }
  assert_int_equal(ww_ccr_state_write(s, INT64_MAX, put, &sink), WW_ERR_INVAL);
  ww_ccr_state_free(s);
  ww_payloads_fini(&r.set);
  ww_payloads_fini(&again.set);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(example_of_the_draft),
      cmocka_unit_test(damaged_anywhere),
      cmocka_unit_test(bad_frames),
      cmocka_unit_test(bad_vrps),
      cmocka_unit_test(two_orders),
      cmocka_unit_test(bad_aspas),
      cmocka_unit_test(bad_keys),
      cmocka_unit_test(bad_trust_anchors),
      cmocka_unit_test(bad_manifests),
      cmocka_unit_test(lengths_that_lie),
      cmocka_unit_test(packed_by_gzip),
      cmocka_unit_test(what_is_written_is_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
