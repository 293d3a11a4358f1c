/* SPDX-License-Identifier: BSD-2-Clause */
/* Hashes that others published or computed: draft-ietf-sidrops-rpki-ccr-11's example, and a full dump when it is at
 * hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* */
#include <cmocka.h>
#include <openssl/evp.h>

#include "sources/ccr_hash.h"
#include "sources/payload_file.h"

static void assert_hash(const uint8_t *hash, const char *want) {
  char text[64];
  EVP_EncodeBlock((unsigned char *)text, hash, WW_CCR_HASH_LEN);
  assert_string_equal(text, want);
}

static void read_all(const char *text, struct ww_payloads *out) {
  struct ww_payload_file_options options = {.ignore_expiry = true};
  struct ww_payload_file *file = ww_payload_file_new(&options);
  struct ww_diag diag = {0};
  if (ww_payload_file_feed(file, text, strlen(text), &diag) != WW_OK ||
      ww_payload_file_finish(file, out, NULL, &diag) != WW_OK)
    fail_msg("%s", diag.text);
  ww_payload_file_free(file);
}

#define EMPTY "5PYNCqbX89O2pklLHIYbmfZJxvnsUauvIBsg8pcyfJU="

static void empty_sequences(void **state) {
  (void)state;
  struct ww_payloads set = {0};
  struct ww_ccr_hashes h;
  assert_int_equal(ww_ccr_hash(&set, &h), WW_OK);
  assert_hash(h.vrps, EMPTY);
  assert_hash(h.aspas, EMPTY);
  assert_hash(h.keys, EMPTY);
}

static void example_of_the_draft(void **state) {
  (void)state;
  struct ww_payloads set;
  struct ww_ccr_hashes h;
  read_all(
      "{\"roas\":[{\"asn\":65551,\"prefix\":\"3fff::/32\"},{\"asn\":65550,\"prefix\":\"3fff::/32\"},"
      "{\"asn\":65536,\"prefix\":\"2001:db8::/48\"},{\"asn\":65536,\"prefix\":\"198.51.100.0/24\",\"maxLength\":28},"
      "{\"asn\":0,\"prefix\":\"192.0.2.0/24\"}],"
      "\"aspas\":[{\"customer_asid\":65550,\"providers\":[0]},{\"customer_asid\":64511,\"providers\":[64496]},"
      "{\"customer_asid\":65536,\"providers\":[65544,65540]}],"
      "\"bgpsec_keys\":[{\"asn\":65551,\"ski\":\"4602B621B017681E61EE1F4A5EFC1D02C3B46F2C\",\"pubkey\":"
      "\"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE4Xt6+"
      "dRDhjmH0QVmXlUPndJeXyzlMcsco6WkrjBf6NoX6gYahESgCm67xkBK4ZxhvCZRFWLxqH8c"
      "gT/Pgvl94w==\"},"
      "{\"asn\":65542,\"ski\":\"BE16E74E10F4BDF3F8C2618B024A9457DFBF89FA\",\"pubkey\":"
      "\"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKjqTNoxSLK3UnLMNj2AdN/5sk5SITnYWK5e/"
      "JebKlJPFFxmBrOXWQyijRQBFFus7GtLLIZBYgp4K"
      "/u8o2/D4ig==\"},"
      "{\"asn\":65542,\"ski\":\"88C5DE295A3276D69E9BB7469BD46EF972DE32AC\",\"pubkey\":"
      "\"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE64mxtNmdKd1bxIjgWrGJutr11LDeA56L8cc1NLL/"
      "WW9RZ+rbi+G4rFSvfrEjxzRPt6tcNWpgEINq"
      "7tOR7J5dAg==\"}]}",
      &set);
  assert_int_equal(ww_ccr_hash(&set, &h), WW_OK);
  assert_hash(h.vrps, "D7GXkab9xejDm5KqaoYNDnApeP+5BX/9ExEBesfHTHo=");
  assert_hash(h.aspas, "JzffEMksigs1JT58SSU+Yhq0UAiy27wg3beHrAslFFM=");
  assert_hash(h.keys, "57BYFM3TNz47lJ6rbykyP58kkXVe/dOKFSLgOVi1GsE=");
  /* Another maxLength, provider or AS is another state. */
  set.vrps[1].max_len = 29;
  set.aspas[0].customer = 64512;
  set.keys[2].asn++;
  struct ww_ccr_hashes other;
  assert_int_equal(ww_ccr_hash(&set, &other), WW_OK);
  assert_memory_not_equal(h.vrps, other.vrps, WW_CCR_HASH_LEN);
  assert_memory_not_equal(h.aspas, other.aspas, WW_CCR_HASH_LEN);
  assert_memory_not_equal(h.keys, other.keys, WW_CCR_HASH_LEN);
  ww_payloads_fini(&set);
}

/* DER lengths of one to three octets, AS numbers of one to five, every prefix length: against hashes of an
 * independent encoder (tests/sources/ccr_vectors.py). */
static void lengths_of_every_size(void **state) {
  (void)state;
  struct ww_payloads set = {0};
  static const uint32_t asns[] = {0,     127,     128,     255,        256,         32767,      32768,
                                  65535, 8388607, 8388608, 2147483647, 2147483648u, 4294967295u};
  for (unsigned a = 0; a < sizeof(asns) / sizeof(asns[0]); a++) {
    for (unsigned len = 0; len <= 128; len += a == 3 ? 1 : 16) {
      struct ww_vrp v = {.asn = asns[a], .max_len = 128, .prefix = {.afi = WW_AFI_IPV6, .len = (uint8_t)len}};
      memset(v.prefix.addr, 0xa5, 16);
      ww_prefix_mask(&v.prefix);
      assert_int_equal(ww_payloads_add_vrp(&set, &v), WW_OK);
      if (len > 32)
        continue;
      v.prefix.afi = WW_AFI_IPV4;
      v.max_len = (uint8_t)(len + (32 - len) / 2);
      memset(v.prefix.addr + 4, 0, 12);
      assert_int_equal(ww_payloads_add_vrp(&set, &v), WW_OK);
    }
    struct ww_aspa aspa = {.customer = asns[a], .provider_count = a + 1, .providers = asns};
    if (a == 0)
      aspa.providers = &asns[12];
    else if (asns[0] == 0)
      aspa.providers = &asns[1], aspa.provider_count = a;
    assert_int_equal(ww_payloads_add_aspa(&set, &aspa), WW_OK);
  }
  assert_int_equal(ww_payloads_sort(&set), WW_OK);
  struct ww_ccr_hashes h;
  assert_int_equal(ww_ccr_hash(&set, &h), WW_OK);
  assert_hash(h.vrps, "uyfpwH5vRV0/MaRvdMoX3q6CiX00H+1KW+tEM6k+14Y=");
  assert_hash(h.aspas, "hzVU/QAAAJk4pBSX7rL06ppFiPl9Q0nrKrjIpBoXwuM=");
  ww_payloads_fini(&set);
}

/* The dump of 2025-07-20, where the shared folder has it. */
static void a_full_dump(void **state) {
  (void)state;
  const char *shared = getenv("WW_SHARED");
  char command[512], path[400];
  snprintf(path, sizeof(path), "%s/data/vrp/rpkiclient_summary_20250720T093135Z.json.bz2",
           shared ? shared : "../shared");
  FILE *there = fopen(path, "rb");
  if (!there) {
    print_message("no %s: skipped\n", path);
    skip();
  }
  fclose(there);
  snprintf(command, sizeof(command), "bzip2 -dc '%s'", path);
  FILE *in = popen(command, "r");
  assert_non_null(in);
  struct ww_payload_file_options options = {.ignore_expiry = true};
  struct ww_payload_file *file = ww_payload_file_new(&options);
  char buf[65536];
  size_t n;
  while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
    assert_int_equal(ww_payload_file_feed(file, buf, n, NULL), WW_OK);
  assert_int_equal(pclose(in), 0);
  struct ww_payloads set;
  assert_int_equal(ww_payload_file_finish(file, &set, NULL, NULL), WW_OK);
  ww_payload_file_free(file);
  assert_int_equal(set.vrp_count, 723521);
  struct ww_ccr_hashes h;
  assert_int_equal(ww_ccr_hash(&set, &h), WW_OK);
  assert_hash(h.vrps, "ZeZeaciizHAtojdCV45z0JU9W99xv+l4zpnVmw33nsI=");
  assert_hash(h.aspas, "k+0BQG1zxPtEMeGp6fKItj3KZTlqjcO2StPdCxznyQc=");
  assert_hash(h.keys, "ul+0Sc77a6APNhJ5YqLupuhn/oUSu92t6cbkuLwWwdI=");
  ww_payloads_fini(&set);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(empty_sequences),
      cmocka_unit_test(example_of_the_draft),
      cmocka_unit_test(lengths_of_every_size),
      cmocka_unit_test(a_full_dump),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
