/* SPDX-License-Identifier: BSD-2-Clause */
/* The cases of RFC 8416 §3.3 and §3.4 one by one; what the report says; expiry; that a failure leaves nothing behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* */
#include <cmocka.h>

#include "slurm/slurm.h"

static struct ww_slurm *read_slurm(const char *filters, const char *assertions) {
  char text[4096];
  struct ww_slurm *slurm = NULL;
  struct ww_slurm_problems problems = {0};
  (void)snprintf(text, sizeof(text),
                 "{\"slurmVersion\": 2, \"validationOutputFilters\": {%s}, \"locallyAddedAssertions\": {%s}}", filters,
                 assertions);
  struct ww_slurm_file file = {.name = "text", .text = text, .len = strlen(text)};
  if (ww_slurm_read(&file, 1, NULL, &slurm, &problems) != WW_OK)
    fail_msg("%s: %s", problems.list[0].pointer, problems.list[0].text);
  ww_slurm_problems_fini(&problems);
  return slurm;
}

#define NO_FILTERS "\"prefixFilters\": [], \"bgpsecFilters\": [], \"aspaFilters\": []"
#define NO_ASSERTIONS "\"prefixAssertions\": [], \"bgpsecAssertions\": [], \"aspaAssertions\": []"

static struct ww_vrp vrp(const char *prefix, unsigned max_len, uint32_t asn, ww_unix_time expires) {
  struct ww_vrp v = {.max_len = (uint8_t)max_len, .asn = asn, .expires = expires};
  assert_int_equal(ww_prefix_parse(prefix, &v.prefix), WW_OK);
  return v;
}

static void add_vrp(struct ww_payloads *set, const char *prefix, unsigned max_len, uint32_t asn, ww_unix_time expires) {
  struct ww_vrp v = vrp(prefix, max_len, asn, expires);
  assert_int_equal(ww_payloads_add_vrp(set, &v), WW_OK);
}

static void add_aspa(struct ww_payloads *set, uint32_t customer, const uint32_t *providers, uint32_t count,
                     ww_unix_time expires) {
  struct ww_aspa aspa = {.customer = customer, .providers = providers, .provider_count = count, .expires = expires};
  assert_int_equal(ww_payloads_add_aspa(set, &aspa), WW_OK);
}

static void add_key(struct ww_payloads *set, uint32_t asn, uint8_t ski, uint8_t last) {
  uint8_t spki[] = {0x30, 1, last};
  struct ww_router_key key = {.asn = asn, .spki = spki, .spki_len = sizeof(spki), .expires = 77};
  memset(key.ski, ski, sizeof(key.ski));
  assert_int_equal(ww_payloads_add_key(set, &key), WW_OK);
}

static void test_prefix_filters(void **state) {
  (void)state;
  struct ww_slurm *slurm =
      read_slurm("\"prefixFilters\": [{\"prefix\": \"192.0.2.0/24\"}, {\"asn\": 64496}, {\"prefix\": "
                 "\"198.51.100.0/24\", \"asn\": 64497}, {\"prefix\": \"192.0.2.0/24\"}, {\"prefix\": \"::/0\", "
                 "\"asn\": 7}], \"bgpsecFilters\": [], \"aspaFilters\": []",
                 NO_ASSERTIONS);
  struct ww_payloads in = {0}, out = {0};
  struct ww_slurm_report report = {0};
  add_vrp(&in, "192.0.2.0/24", 24, 1, 0);     /* case 1: equal */
  add_vrp(&in, "192.0.2.128/25", 32, 2, 0);   /* case 1: covered */
  add_vrp(&in, "192.0.2.1/32", 32, 64496, 0); /* cases 1 and 2 */
  add_vrp(&in, "192.0.0.0/16", 24, 1, 0);     /* covers, and stays */
  add_vrp(&in, "2001:db8::/32", 32, 64496, 0);
  add_vrp(&in, "198.51.100.0/24", 24, 64497, 0); /* case 3 */
  add_vrp(&in, "198.51.100.0/24", 24, 64498, 0); /* another AS: stays */
  add_vrp(&in, "198.51.0.0/16", 24, 64497, 0);   /* not covered: stays */
  add_vrp(&in, "10.0.0.0/8", 8, 7, 0);           /* the other family: stays */
  assert_int_equal(ww_slurm_apply(slurm, &in, &out, &report), WW_OK);
  assert_int_equal(out.vrp_count, 4);
  assert_int_equal(report.filtered.vrps, 5);
  assert_int_equal(report.effects[0], 3);
  assert_int_equal(report.effects[1], 2);
  assert_int_equal(report.effects[2], 1);
  assert_int_equal(report.effects[3], 3); /* the same filter again */
  assert_int_equal(report.effects[4], 0);
  ww_slurm_report_fini(&report);
  ww_payloads_fini(&in);
  ww_payloads_fini(&out);
  ww_slurm_free(slurm);
}

static void test_key_and_aspa_filters(void **state) {
  (void)state;
  struct ww_slurm *slurm = read_slurm(
      "\"prefixFilters\": [], \"bgpsecFilters\": [{\"asn\": 1}, {\"SKI\": \"AQEBAQEBAQEBAQEBAQEBAQEBAQE\"}, {\"asn\": "
      "3, \"SKI\": \"AgICAgICAgICAgICAgICAgICAgI\"}, {\"SKI\": \"AQEB\"}], \"aspaFilters\": [{\"customerAsn\": 5}]",
      NO_ASSERTIONS);
  struct ww_payloads in = {0}, out = {0};
  struct ww_slurm_report report = {0};
  add_key(&in, 1, 9, 0);
  add_key(&in, 2, 1, 0);
  add_key(&in, 1, 1, 0);
  add_key(&in, 3, 2, 0);
  add_key(&in, 3, 3, 0);
  add_key(&in, 2, 2, 0);
  add_aspa(&in, 5, (const uint32_t[]){1}, 1, 0);
  add_aspa(&in, 6, (const uint32_t[]){5}, 1, 0); /* only the customer counts */
  assert_int_equal(ww_slurm_apply(slurm, &in, &out, &report), WW_OK);
  assert_int_equal(out.key_count, 2);
  assert_int_equal(out.keys[0].asn, 2);
  assert_int_equal(out.keys[1].asn, 3);
  assert_int_equal(report.effects[0], 2);
  assert_int_equal(report.effects[1], 2);
  assert_int_equal(report.effects[2], 1);
  assert_int_equal(report.effects[3], 0);
  assert_int_equal(report.effects[4], 1);
  assert_int_equal(out.aspa_count, 1);
  assert_int_equal(out.aspas[0].customer, 6);
  ww_slurm_report_fini(&report);
  ww_payloads_fini(&in);
  ww_payloads_fini(&out);
  ww_slurm_free(slurm);
}

/* RFC 8416 §3.2: assertions are not removed by filters, of their own file or any other. */
static void test_assertions(void **state) {
  (void)state;
  struct ww_slurm *slurm =
      read_slurm("\"prefixFilters\": [{\"prefix\": \"0.0.0.0/0\"}], \"bgpsecFilters\": [{\"asn\": 1}], "
                 "\"aspaFilters\": [{\"customerAsn\": 5}]",
                 "\"prefixAssertions\": [{\"prefix\": \"10.0.0.0/8\", \"asn\": 1}, {\"prefix\": \"2001:db8::/32\", "
                 "\"asn\": 2, \"maxPrefixLength\": 48}, {\"prefix\": \"10.0.0.0/8\", \"asn\": 1, "
                 "\"maxPrefixLength\": 8}], \"bgpsecAssertions\": [{\"asn\": 1, \"SKI\": "
                 "\"AQEBAQEBAQEBAQEBAQEBAQEBAQE\", \"routerPublicKey\": \"MAEA\"}], \"aspaAssertions\": "
                 "[{\"customerAsn\": 5, \"providerAsns\": [7]}, {\"customerAsn\": 6, \"providerAsns\": [7, 8]}, "
                 "{\"customerAsn\": 6, \"providerAsns\": [8]}, {\"customerAsn\": 9, \"providerAsns\": [0]}]");
  struct ww_payloads in = {0}, out = {0};
  struct ww_slurm_report report = {0};
  add_vrp(&in, "10.0.0.0/8", 8, 1, 100);
  add_vrp(&in, "2001:db8::/32", 48, 2, 100);
  add_key(&in, 1, 1, 0);
  add_aspa(&in, 5, (const uint32_t[]){1}, 1, 50);
  add_aspa(&in, 6, (const uint32_t[]){7}, 1, 50);
  add_aspa(&in, 9, (const uint32_t[]){3}, 1, 50);
  assert_int_equal(ww_slurm_apply(slurm, &in, &out, &report), WW_OK);
  assert_int_equal(out.vrp_count, 2);
  assert_int_equal(out.vrps[0].expires, 0); /* filtered, then asserted */
  assert_int_equal(out.vrps[1].expires, 0); /* there, and asserted: holds as long as the assertion */
  assert_int_equal(out.key_count, 1);
  assert_int_equal(out.aspa_count, 3);
  assert_int_equal(out.aspas[0].provider_count, 1); /* filtered, then asserted */
  assert_int_equal(out.aspas[0].providers[0], 7);
  assert_int_equal(out.aspas[1].provider_count, 2); /* united: an assertion is no filter */
  assert_int_equal(out.aspas[1].expires, 50);
  assert_int_equal(out.aspas[2].provider_count, 1); /* AS 0 adds nothing to others */
  assert_int_equal(out.aspas[2].providers[0], 3);
  static const size_t effects[] = {1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0};
  assert_int_equal(report.count, 11);
  for (size_t i = 0; i < 11; i++)
    assert_int_equal(report.effects[i], effects[i]);
  assert_int_equal(report.in.vrps, 2);
  assert_int_equal(report.out.aspas, 3);
  /* Once more, without a report, gives the same. */
  struct ww_payloads again = {0};
  assert_int_equal(ww_slurm_apply(slurm, &in, &again, NULL), WW_OK);
  assert_int_equal(again.vrp_count, out.vrp_count);
  assert_int_equal(again.aspas[1].provider_count, 2);
  ww_payloads_fini(&again);
  ww_slurm_report_fini(&report);
  ww_payloads_fini(&in);
  ww_payloads_fini(&out);
  ww_slurm_free(slurm);
}

/* Nothing in, nothing configured. */
static void test_nothing(void **state) {
  (void)state;
  struct ww_slurm *slurm = read_slurm(NO_FILTERS, NO_ASSERTIONS);
  struct ww_payloads in = {0}, out = {0};
  struct ww_slurm_report report = {0};
  assert_int_equal(ww_slurm_apply(slurm, &in, &out, &report), WW_OK);
  assert_int_equal(out.vrp_count + out.aspa_count + out.key_count + report.count, 0);
  ww_slurm_report_fini(&report);
  ww_payloads_fini(&out);
  ww_slurm_free(slurm);
}

/* Assertions and kept providers that only together are too many. */
static void test_union_too_large(void **state) {
  (void)state;
  struct ww_slurm *slurm =
      read_slurm(NO_FILTERS, "\"prefixAssertions\": [], \"bgpsecAssertions\": [], \"aspaAssertions\": "
                             "[{\"customerAsn\": 5, \"providerAsns\": [7]}]");
  static uint32_t providers[WW_ASPA_PROVIDERS_MAX];
  struct ww_payloads in = {0}, out = {0};
  struct ww_slurm_report report = {0};
  for (uint32_t i = 0; i < WW_ASPA_PROVIDERS_MAX; i++)
    providers[i] = 100 + i;
  add_aspa(&in, 5, providers, WW_ASPA_PROVIDERS_MAX, 0);
  assert_int_equal(ww_slurm_apply(slurm, &in, &out, &report), WW_ERR_LIMIT);
  assert_null(out.aspas);
  assert_null(report.effects);
  ww_payloads_fini(&in);
  ww_slurm_free(slurm);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_prefix_filters),  cmocka_unit_test(test_key_and_aspa_filters),
      cmocka_unit_test(test_assertions),      cmocka_unit_test(test_nothing),
      cmocka_unit_test(test_union_too_large),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
