/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* */
#include <cmocka.h>

#include "sources/payload_file.h"

enum { NOW = 1795219200 /* 2026-11-21 */ };

struct result {
  enum ww_err err;
  struct ww_payloads set;
  struct ww_payload_file_stats stats;
  struct ww_diag diag;
};

/* Reads `text` in pieces of `piece` octets, each a heap block of just its size. */
static struct result read_in(const char *text, size_t len, size_t piece, bool ignore_expiry) {
  struct result r = {.err = WW_OK};
  struct ww_payload_file_options options = {.now = NOW, .ignore_expiry = ignore_expiry};
  struct ww_payload_file *file = ww_payload_file_new(&options);
  assert_non_null(file);
  for (size_t at = 0; at < len && r.err == WW_OK; at += piece) {
    size_t n = len - at < piece ? len - at : piece;
    char *exact = malloc(n);
    memcpy(exact, text + at, n);
    r.err = ww_payload_file_feed(file, exact, n, &r.diag);
    free(exact);
  }
  if (r.err == WW_OK)
    r.err = ww_payload_file_finish(file, &r.set, &r.stats, &r.diag);
  else
    assert_int_equal(ww_payload_file_finish(file, &r.set, NULL, NULL), WW_ERR_STATE);
  ww_payload_file_free(file);
  return r;
}

static struct result read_text(const char *text) { return read_in(text, strlen(text), SIZE_MAX / 2, false); }

static void done(struct result *r) { ww_payloads_fini(&r->set); }

/* The file is refused with this line and these words, wherever it is split. */
static void refused(const char *text, enum ww_err err, unsigned line, const char *words) {
  size_t len = strlen(text);
  for (size_t piece = 1; piece <= len + 1; piece = piece * 3 + 1) {
    struct result r = read_in(text, len, piece, false);
    if (r.err != err || !strstr(r.diag.text, words) || r.diag.line != line)
      fail_msg("in pieces of %zu: error %d at line %u: %s\nof %s", piece, (int)r.err, r.diag.line, r.diag.text, text);
  }
}

static void bad(const char *text, unsigned line, const char *words) { refused(text, WW_ERR_MALFORMED, line, words); }

static void one_vrp(const char *text, const char *prefix, unsigned max_len, uint32_t asn, int64_t expires) {
  size_t len = strlen(text);
  for (size_t piece = 1; piece <= len + 1; piece = piece * 2 + 1) {
    struct result r = read_in(text, len, piece, false);
    if (r.err != WW_OK)
      fail_msg("%s\nof %s", r.diag.text, text);
    char buf[WW_PREFIX_STRLEN];
    assert_int_equal(r.set.vrp_count, 1);
    assert_string_equal(ww_prefix_format(&r.set.vrps[0].prefix, buf), prefix);
    assert_int_equal(r.set.vrps[0].max_len, max_len);
    assert_int_equal(r.set.vrps[0].asn, asn);
    assert_int_equal(r.set.vrps[0].expires, expires);
    done(&r);
  }
}

/* --- bad input ------------------------------------------------------------------------------------------------- */

static void not_a_payload_file(void **state) {
  (void)state;
  refused("", WW_ERR_SHORT, 0, "empty");
  refused(" \n ", WW_ERR_SHORT, 0, "empty");
  bad("[]", 1, "array");
  bad("\n\n[{\"roas\":[]}]", 3, "array");
  bad("42", 1, "neither JSON nor CSV");
  bad("hello\n", 1, "neither JSON nor CSV");
  bad("{}", 0, "no payloads");
  bad("{\"slurmVersion\":1,\"validationOutputFilters\":{\"prefixFilters\":[]}}", 0, "no payloads");
  struct result r = read_text("\x1f\x8b\x08");
  assert_int_equal(r.err, WW_ERR_SHORT);
  assert_non_null(strstr(r.diag.text, "gzip"));
  r = read_in("BZh91AY&SY", 10, 1, false);
  assert_int_equal(r.err, WW_ERR_UNSUPPORTED);
  assert_non_null(strstr(r.diag.text, "bzip2"));
}

static void bad_vrps(void **state) {
  (void)state;
  bad("{\"roas\":{}}", 1, "roas: not an array");
  bad("{\"roas\":7}", 1, "roas: not an array");
  bad("{\"roas\":[7]}", 1, "roas[0]: not an object");
  bad("{\"roas\":[[]]}", 1, "roas[0]: not an object");
  bad("{\"roas\":[{\"prefix\":\"192.0.2.0/24\"}]}", 1, "roas[0]: no \"asn\"");
  bad("{\"roas\":[{\"asn\":1}]}", 1, "roas[0]: no \"prefix\"");
  bad("{\"roas\":[\n{\"asn\":1,\"prefix\":\"10.0.0.0/8\"},\n{\"asn\":1,\"prefix\":\"10.0.0.1/8\"}]}", 3,
      "roas[1].prefix: the prefix has bits set beyond its length");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":\"2001:db8::1/32\"}]}", 1, "bits set beyond");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/33\"}]}", 1, "length is malformed or too large");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/\"}]}", 1, "length is malformed");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0/8\"}]}", 1, "address is malformed");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.256/32\"}]}", 1, "address is malformed");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0\"}]}", 1, "no \"/\"");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":\"\"}]}", 1, "not a prefix");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/8\\u0000\"}]}", 1, "not a prefix");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":8}]}", 1, "roas[0].prefix: of another type");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":null}]}", 1, "roas[0].prefix: of another type");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":[]}]}", 1, "roas[0].prefix: of another type");
  bad("{\"roas\":[{\"asn\":4294967296,\"prefix\":\"10.0.0.0/8\"}]}", 1, "roas[0].asn: not an AS number");
  bad("{\"roas\":[{\"asn\":-1,\"prefix\":\"10.0.0.0/8\"}]}", 1, "roas[0].asn: not an AS number");
  bad("{\"roas\":[{\"asn\":1.0,\"prefix\":\"10.0.0.0/8\"}]}", 1, "roas[0].asn: not an AS number");
  bad("{\"roas\":[{\"asn\":1e3,\"prefix\":\"10.0.0.0/8\"}]}", 1, "roas[0].asn: not an AS number");
  bad("{\"roas\":[{\"asn\":\"AS\",\"prefix\":\"10.0.0.0/8\"}]}", 1, "roas[0].asn: not an AS number");
  bad("{\"roas\":[{\"asn\":\"ASN1\",\"prefix\":\"10.0.0.0/8\"}]}", 1, "roas[0].asn: not an AS number");
  bad("{\"roas\":[{\"asn\":99999999999999999999999999,\"prefix\":\"10.0.0.0/8\"}]}", 1, "roas[0].asn");
  bad("{\"roas\":[{\"asn\":{\"x\":1},\"prefix\":\"10.0.0.0/8\"}]}", 1, "roas[0].asn: of another type");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"maxLength\":7}]}", 1, "roas[0]: maxLength is less");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"maxLength\":33}]}", 1, "roas[0]: maxLength is over 32");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":\"2001:db8::/32\",\"maxLength\":129}]}", 1, "maxLength is over 128");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"maxLength\":264}]}", 1, "maxLength is over 32");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"maxLength\":18446744073709551616}]}", 1, "too large");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"maxLength\":\"\"}]}", 1,
      "roas[0].maxLength: a number is missing");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"expires\":9223372036854775808}]}", 1, "too large");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"expires\":\"2026-02-29T00:00:00Z\"}]}", 1, "not a time");
  bad("{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"expires\":true}]}", 1, "roas[0].expires: of another type");
  bad("{\"roas\":[{\"asn\":1,\"asn\":1,\"prefix\":\"10.0.0.0/8\"}]}", 1, "roas[0].asn: is there twice");
  bad("{\"roas\":[],\n\"roas\":[]}", 2, "roas: is there twice");
}

static void bad_aspas_and_keys(void **state) {
  (void)state;
  bad("{\"aspas\":[{\"customer_asid\":1}]}", 1, "aspas[0]: no \"providers\"");
  bad("{\"aspas\":[{\"providers\":[1]}]}", 1, "aspas[0]: no \"customer_asid\"");
  bad("{\"aspas\":[{\"customer_asid\":1,\"providers\":[]}]}", 1, "aspas[0]: the list of providers is empty");
  bad("{\"aspas\":[{\"customer_asid\":1,\"providers\":[0,2]}]}", 1, "aspas[0]: AS 0 beside other providers");
  bad("{\"aspas\":[{\"customer_asid\":1,\"providers\":[2,3,\"x\"]}]}", 1, "aspas[0].providers[2]: not an AS number");
  bad("{\"aspas\":[{\"customer_asid\":1,\"providers\":[null]}]}", 1, "aspas[0].providers[0]");
  bad("{\"aspas\":[{\"customer_asid\":1,\"providers\":[[1]]}]}", 1, "aspas[0].providers[0]");
  bad("{\"aspas\":[{\"customer_asid\":1,\"providers\":7}]}", 1, "aspas[0].providers: of another type");
  bad("{\"aspas\":[{\"customer_asid\":1,\"customer\":1,\"providers\":[2]}]}", 1, "is there twice");
  bad("{\"provider_authorizations\":[]}", 1, "provider_authorizations: not an object");
  bad("{\"provider_authorizations\":{\"ipv4\":{}}}", 1, "provider_authorizations.ipv4: not an array");
  bad("{\"provider_authorizations\":{\"ipv6\":[{\"customer_asid\":-1}]}}", 1,
      "provider_authorizations.ipv6[0].customer_asid");
#define SKI "\"88C5DE295A3276D69E9BB7469BD46EF972DE32AC\""
  bad("{\"bgpsec_keys\":[{\"asn\":1,\"ski\":\"88C5\",\"pubkey\":\"MAA=\"}]}", 1, "bgpsec_keys[0].ski: not 40 hex");
  bad("{\"bgpsec_keys\":[{\"asn\":1,\"ski\":" SKI "}]}", 1, "no \"pubkey\"");
  bad("{\"bgpsec_keys\":[{\"asn\":1,\"ski\":" SKI ",\"pubkey\":\"\"}]}", 1, "not a DER");
  bad("{\"bgpsec_keys\":[{\"asn\":1,\"ski\":" SKI ",\"pubkey\":\"M\"}]}", 1, "not base64");
  bad("{\"bgpsec_keys\":[{\"asn\":1,\"ski\":" SKI ",\"pubkey\":\"MAA\\u003d=\"}]}", 1, "not base64");
  bad("{\"bgpsec_keys\":[{\"asn\":1,\"ski\":" SKI ",\"pubkey\":\"MAB=\"}]}", 1, "not base64");
  bad("{\"bgpsec_keys\":[{\"asn\":1,\"ski\":" SKI ",\"pubkey\":\"MA A\"}]}", 1, "not base64");
  bad("{\"routerKeys\":[{\"asn\":1,\"SKI\":" SKI ",\"routerPublicKey\":\"MAEA\"},{\"asn\":1,\"SKI\":" SKI "}]}", 1,
      "routerKeys[1]: no \"pubkey\" or \"routerPublicKey\"");
  bad("{\"bgpsec_keys\":[{\"asn\":1,\"ski\":" SKI ",\"pubkey\":\"MAUA\"}]}", 1, "not a DER SubjectPublicKeyInfo");
  char *big = malloc(3000);
  int n = snprintf(big, 3000, "{\"bgpsec_keys\":[{\"asn\":1,\"ski\":" SKI ",\"pubkey\":\"");
  memset(big + n, 'A', 2000);
  strcpy(big + n + 2000, "\"}]}");
  bad(big, 1, "the key is too long");
  free(big);
}

static void cut_or_followed_by_garbage(void **state) {
  (void)state;
  static const char whole[] =
      "{\"metadata\":{\"x\":[1]},\n\"roas\":[{\"asn\":\"AS1\",\"prefix\":\"10.0.0.0/8\","
      "\"source\":[{\"type\":\"roa\",\"chainValidity\":{\"notAfter\":\"2027-01-01T00:00:00Z\"}}]}],\n"
      "\"aspas\":[{\"customer\":\"AS1\",\"providers\":[\"AS2\"]}]}";
  size_t len = sizeof(whole) - 1;
  for (size_t cut = 1; cut < len; cut++) {
    struct result r = read_in(whole, cut, len, false);
    assert_int_equal(r.err, WW_ERR_SHORT);
    assert_non_null(strstr(r.diag.text, "cut short"));
    r = read_in(whole, cut, 1, false);
    assert_int_equal(r.err, WW_ERR_SHORT);
  }
  struct result r = read_text(whole);
  assert_int_equal(r.err, WW_OK);
  done(&r);
  bad("{\"roas\":[]} x", 1, "trailing garbage");
  bad("{\"roas\":[]}\n{\"roas\":[]}", 2, "trailing garbage");
  bad("{\"roas\":[}", 1, "roas[0]");
  bad("{\"roas\":[],}", 1, "parse error");
  bad("{\"roas\":[{\"asn\":1,\n\"prefix\":\"10.0.0.0/8}]}\n", 2, "lexical error");
  bad("{\"roas\":[{\"asn\":01}]}", 1, "");
  bad("{'roas':[]}", 1, "lexical error");
}

static void endless(void **state) {
  (void)state;
  char *deep = malloc(200000);
  memcpy(deep, "{\"x\":", 5);
  memset(deep + 5, '[', 100000);
  struct result r = read_in(deep, 100005, 1000, false);
  assert_int_equal(r.err, WW_ERR_LIMIT);
  assert_non_null(strstr(r.diag.text, "nested too deeply"));
  free(deep);
  size_t len = 8 << 20;
  char *text = malloc(len);
  memset(text, 'a', len);
  memcpy(text, "{\"x\":\"", 6);
  r = read_in(text, len, 4096, false);
  assert_int_equal(r.err, WW_ERR_LIMIT);
  assert_non_null(strstr(r.diag.text, "a value of more than"));
  memcpy(text, "ASN,IP Prefix,", 14);
  r = read_in(text, len, 4096, false);
  assert_int_equal(r.err, WW_ERR_LIMIT);
  assert_non_null(strstr(r.diag.text, "line is too long"));
  free(text);
  char *many = malloc(200000);
  size_t n = (size_t)sprintf(many, "{\"aspas\":[{\"customer_asid\":1,\"providers\":[1");
  for (unsigned i = 0; i < WW_ASPA_PROVIDERS_MAX; i++)
    n += (size_t)sprintf(many + n, ",%u", i + 2);
  strcpy(many + n, "]}]}");
  refused(many, WW_ERR_LIMIT, 1, "aspas[0].providers[10000]: too many providers");
  free(many);
}

static void bad_csv(void **state) {
  (void)state;
  bad("ASN,Prefix\n", 1, "header line");
  bad("ASN,IP Prefix,ASN\n", 1, "twice");
  bad("ASN,IP Prefix,Expires,Not After\n", 1, "twice");
  bad("ASN,IP Prefix,Max Length\nAS1,10.0.0.0/8\n", 2, "2 columns, and the header has 3");
  bad("ASN,IP Prefix,Max Length\nAS1,10.0.0.0/8,8,\n", 2, "4 columns, and the header has 3");
  bad("ASN,IP Prefix,Max Length\nAS1,10.0.0.0/8,8\nAS1,10.0.0.1/8,8\n", 3, "IP Prefix: the prefix has bits");
  bad("ASN,IP Prefix,Max Length\r\n\r\nASx,10.0.0.0/8,8\r\n", 3, "ASN: not an AS number");
  bad("ASN,IP Prefix,Max Length\nAS1,10.0.0.0/8,7\n", 2, "maxLength is less");
  bad("ASN,IP Prefix,Max Length\nAS1,10.0.0.0/8,eight\n", 2, "Max Length: not a whole number");
  bad("ASN,IP Prefix,Expires\nAS1,10.0.0.0/8,tomorrow\n", 2, "Expires: not a whole number");
  bad("ASN,IP Prefix\nAS1,\n", 2, "IP Prefix: not a prefix");
  refused("ASN,IP Prefix\nAS1,10.0.0.0/8", WW_ERR_SHORT, 2, "cut short");
  refused("ASN,IP Pre", WW_ERR_SHORT, 1, "cut short");
}

/* --- good input ------------------------------------------------------------------------------------------------ */

static void spellings_of_a_vrp(void **state) {
  (void)state;
  one_vrp(
      "{\"roas\":[{\"asn\":13335,\"prefix\":\"1.0.0.0/24\",\"maxLength\":25,\"ta\":\"apnic\",\"expires\":1795219200}]}",
      "1.0.0.0/24", 25, 13335, 1795219200);
  one_vrp("{\"roas\":[{\"asn\":\"AS13335\",\"prefix\":\"2001:DB8::/32\",\"maxLength\":48,\"ta\":\"apnic\"}]}",
          "2001:db8::/32", 48, 13335, 0);
  one_vrp("{\"roas\":[{\"prefix\":\"0.0.0.0/0\",\"asn\":\"0\",\"maxLength\":\"32\"}]}", "0.0.0.0/0", 32, 0, 0);
  one_vrp("{\"roas\":[{\"asn\":4294967295,\"prefix\":\"255.255.255.255/32\"}]}", "255.255.255.255/32", 32, UINT32_MAX,
          0);
  one_vrp("\xef\xbb\xbf \r\n\t{\"roas\":[{\"asn\":\"as1\",\"prefix\":\"10.0.0.0\\/8\",\"expires\":null}]}",
          "10.0.0.0/8", 8, 1, 0);
  one_vrp("{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"expires\":\"2027-03-01T00:00:00Z\"}]}", "10.0.0.0/8", 8, 1,
          1803859200);
  /* Routinator jsonext: the longest chain counts, and its own time before that of the object. */
  one_vrp("{\"metadata\":{\"generated\":1},\"roas\":[{\"asn\":\"AS1\",\"prefix\":\"10.0.0.0/"
          "8\",\"maxLength\":8,\"source\":["
          "{\"type\":\"roa\",\"uri\":\"rsync://x\",\"validity\":{\"notBefore\":\"2020-01-01T00:00:00Z\",\"notAfter\":"
          "\"2030-01-01T00:00:00Z\"},\"chainValidity\":{\"notBefore\":\"2020-01-01T00:00:00Z\",\"notAfter\":\"2027-03-"
          "01T00:00:00Z\"}},"
          "{\"type\":\"roa\",\"chainValidity\":{\"notAfter\":\"2027-01-01T00:00:00Z\"}}]}]}",
          "10.0.0.0/8", 8, 1, 1803859200);
  one_vrp("{\"roas\":[{\"asn\":\"AS1\",\"prefix\":\"10.0.0.0/"
          "8\",\"source\":[{\"type\":\"roa\",\"chainValidity\":{\"notAfter\":"
          "\"2027-03-01T00:00:00Z\"}},{\"type\":\"exception\",\"path\":\"/x\"}]}]}",
          "10.0.0.0/8", 8, 1, 0);
  one_vrp("ASN,IP Prefix,Max Length,Trust Anchor\nAS64500,192.0.2.0/24,25,ripe\n", "192.0.2.0/24", 25, 64500, 0);
  one_vrp("ASN,IP Prefix,Max Length,Trust Anchor,Expires\r\nAS64500,192.0.2.0/24,25,ripe,1795219201\r\n",
          "192.0.2.0/24", 25, 64500, 1795219201);
  one_vrp("\"ASN\",\"IP Prefix\",\"Trust Anchor\",\"Max Length\"\n\"64500\", \"192.0.2.0/24\" ,\"ripe\",\"\"\n\n",
          "192.0.2.0/24", 24, 64500, 0);
  one_vrp(
      "URI,ASN,IP Prefix,Max Length,Not Before,Not After\nrsync://x,AS1,10.0.0.0/8,8,2020-01-01 00:00:00,2027-03-01 "
      "00:00:00\n",
      "10.0.0.0/8", 8, 1, 1803859200);
}

static void spellings_of_aspas(void **state) {
  (void)state;
  static const char *const texts[] = {
      "{\"aspas\":[{\"customer_asid\":64500,\"expires\":1795219300,\"providers\":[64502,64501,64502]}]}",
      "{\"aspas\":[{\"customer\":\"AS64500\",\"providers\":[\"AS64501\",\"AS64502\"],\"ta\":\"ripe\",\"expires\":"
      "1795219300}]}",
      "{\"aspas\":[{\"customer\":\"64500\",\"afi\":\"ipv4\",\"provider_asids\":[\"64501\",64502],\"expires\":"
      "1795219300}]}",
      "{\"roas\":[],\"provider_authorizations\":{\"ipv4\":[{\"customer_asid\":64500,\"providers\":[64501],\"expires\":"
      "1795219400}],\"ipv6\":[{\"customer_asid\":64500,\"providers\":[64502],\"expires\":1795219300}],\"new\":[{}]}}",
  };
  for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    struct result r = read_in(texts[i], strlen(texts[i]), 7, false);
    if (r.err != WW_OK)
      fail_msg("%s\nof %s", r.diag.text, texts[i]);
    assert_int_equal(r.set.aspa_count, 1);
    assert_int_equal(r.set.aspas[0].customer, 64500);
    assert_int_equal(r.set.aspas[0].provider_count, 2);
    assert_int_equal(r.set.aspas[0].providers[0], 64501);
    assert_int_equal(r.set.aspas[0].providers[1], 64502);
    assert_int_equal(r.set.aspas[0].expires, 1795219300);
    assert_int_equal(r.stats.skipped_members, i == 3);
    done(&r);
  }
}

#define SPKI                                                                                                           \
  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE64mxtNmdKd1bxIjgWrGJutr11LDeA56L8cc1NLL/"                                       \
  "WW9RZ+rbi+G4rFSvfrEjxzRPt6tcNWpgEINq7tOR7J5"                                                                        \
  "dAg"
#define SPKI_URL                                                                                                       \
  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE64mxtNmdKd1bxIjgWrGJutr11LDeA56L8cc1NLL_WW9RZ-rbi-"                             \
  "G4rFSvfrEjxzRPt6tcNWpgEINq7tOR7J5"                                                                                  \
  "dAg"

static void spellings_of_router_keys(void **state) {
  (void)state;
  static const char *const texts[] = {
      "{\"bgpsec_keys\":[{\"asn\":65542,\"ski\":" SKI ",\"pubkey\":\"" SPKI
      "==\",\"ta\":\"x\",\"expires\":1795219300}]}",
      "{\"routerKeys\":[{\"asn\":\"AS65542\",\"SKI\":\"88c5de295a3276d69e9bb7469bd46ef972de32ac\",\"routerPublicKey\":"
      "\"" SPKI_URL "\",\"ta\":\"x\"}]}",
  };
  for (unsigned i = 0; i < 2; i++) {
    struct result r = read_in(texts[i], strlen(texts[i]), 11, false);
    if (r.err != WW_OK)
      fail_msg("%s", r.diag.text);
    assert_int_equal(r.set.key_count, 1);
    assert_int_equal(r.set.keys[0].asn, 65542);
    assert_int_equal(r.set.keys[0].ski[0], 0x88);
    assert_int_equal(r.set.keys[0].ski[19], 0xac);
    assert_int_equal(r.set.keys[0].spki_len, 91);
    assert_int_equal(r.set.keys[0].spki[90], 0x02);
    assert_int_equal(r.set.keys[0].expires, i ? 0 : 1795219300);
    done(&r);
  }
}

static void unknown_members_are_passed_over(void **state) {
  (void)state;
  struct result r =
      read_text("{\"metadata\":{\"vrps\":1,\"talfiles\":[\"x\"]},\"nonfunc_cas\":[{\"a\":[1]}],\"new\":{\"roas\":[1]},"
                "\"roas\":[{\"asn\":1,\"new\":[{\"asn\":7,\"x\":{\"asn\":9}}],\"prefix\":\"10.0.0.0/8\",\"n\":null,"
                "\"m\":true,\"comment\":\"hi\"}],\"signedprefixlists\":[],\"other\":3}");
  assert_int_equal(r.err, WW_OK);
  assert_int_equal(r.set.vrp_count, 1);
  assert_int_equal(r.set.vrps[0].asn, 1);
  assert_int_equal(r.stats.skipped_members, 6);
  assert_int_equal(r.stats.records, 1);
  done(&r);
  r = read_text("ASN,IP Prefix,Colour\n1,10.0.0.0/8,\"blue\"\n");
  assert_int_equal(r.err, WW_OK);
  assert_int_equal(r.stats.skipped_members, 1);
  done(&r);
}

static void expiry(void **state) {
  (void)state;
  static const char text[] =
      "{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"expires\":1795219199},"
      "{\"asn\":2,\"prefix\":\"10.0.0.0/8\",\"expires\":1795219200},"
      "{\"asn\":3,\"prefix\":\"10.0.0.0/8\",\"expires\":0},{\"asn\":4,\"prefix\":\"10.0.0.0/8\"}],"
      "\"aspas\":[{\"customer_asid\":1,\"providers\":[2],\"expires\":5}]}";
  struct result r = read_text(text);
  assert_int_equal(r.err, WW_OK);
  assert_int_equal(r.stats.records, 5);
  assert_int_equal(r.stats.expired, 2);
  assert_int_equal(r.set.vrp_count, 3);
  assert_int_equal(r.set.vrps[0].asn, 2);
  assert_int_equal(r.set.aspa_count, 0);
  done(&r);
  r = read_in(text, sizeof(text) - 1, 10, true);
  assert_int_equal(r.err, WW_OK);
  assert_int_equal(r.stats.expired, 0);
  assert_int_equal(r.set.vrp_count, 4);
  assert_int_equal(r.set.vrps[0].expires, 1795219199);
  assert_int_equal(r.set.aspas[0].expires, 5);
  done(&r);
  /* What has expired must still be well formed. */
  bad("{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"maxLength\":7,\"expires\":1}]}", 1, "maxLength");
}

/* The same VRP from several ROAs is one, with the latest time; the result is sorted. */
static void duplicates(void **state) {
  (void)state;
  struct result r = read_text("{\"roas\":[{\"asn\":9,\"prefix\":\"2001:db8::/32\"},"
                              "{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"expires\":1800000000},"
                              "{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"maxLength\":8,\"expires\":1800000001},"
                              "{\"asn\":0,\"prefix\":\"10.0.0.0/8\"}]}");
  assert_int_equal(r.err, WW_OK);
  assert_int_equal(r.stats.records, 4);
  assert_int_equal(r.set.vrp_count, 3);
  assert_int_equal(r.set.vrps[0].asn, 0);
  assert_int_equal(r.set.vrps[1].expires, 1800000001);
  assert_int_equal(r.set.vrps[2].prefix.afi, WW_AFI_IPV6);
  done(&r);
}

static void times(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t want;
  } good[] = {
      {"2026-11-21T00:00:00Z", 1795219200},
      {"2026-11-21t01:30:00+01:30", 1795219200},
      {"2026-11-20T23:00:00.999-01:00", 1795219200},
      {"2026-11-21 00:00:00", 1795219200},
      {"2028-02-29T00:00:00Z", 1835395200},
      {"1795219200", 1795219200},
      {"9999-12-31T23:59:59Z", INT64_C(253402300799)},
  };
  for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    char text[200];
    snprintf(text, sizeof(text), "{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"expires\":\"%s\"}]}", good[i].text);
    one_vrp(text, "10.0.0.0/8", 8, 1, good[i].want);
  }
  static const char *const wrong[] = {"2026-13-01T00:00:00Z",     "2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z",
                                      "2026-01-01T24:00:00Z",     "2026-01-01T00:60:00Z", "2026-01-01T00:00:00Zx",
                                      "2026-01-01T00:00:00+1:00", "2026-1-01T00:00:00Z",  "2026-01-01",
                                      "20260101T000000Z"};
  for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    char text[200];
    snprintf(text, sizeof(text), "{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/8\",\"expires\":\"%s\"}]}", wrong[i]);
    bad(text, 1, "roas[0].expires: not a");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(not_a_payload_file),
      cmocka_unit_test(bad_vrps),
      cmocka_unit_test(bad_aspas_and_keys),
      cmocka_unit_test(cut_or_followed_by_garbage),
      cmocka_unit_test(endless),
      cmocka_unit_test(bad_csv),
      cmocka_unit_test(spellings_of_a_vrp),
      cmocka_unit_test(spellings_of_aspas),
      cmocka_unit_test(spellings_of_router_keys),
      cmocka_unit_test(unknown_members_are_passed_over),
      cmocka_unit_test(expiry),
      cmocka_unit_test(duplicates),
      cmocka_unit_test(times),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
