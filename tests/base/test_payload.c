/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <waywarden/payload.h>

#include "tests/base/cmocka_all.h"

static struct ww_vrp vrp(const char *prefix, uint8_t max_len, uint32_t asn, ww_unix_time expires) {
  struct ww_vrp v = {.max_len = max_len, .asn = asn, .expires = expires};
  assert_int_equal(ww_prefix_parse(prefix, &v.prefix), WW_OK);
  return v;
}

static void add(struct ww_payloads *set, struct ww_vrp v) { assert_int_equal(ww_payloads_add_vrp(set, &v), WW_OK); }

static void refuses_bad_vrps(void **state) {
  (void)state;
  struct ww_payloads set = {0};
  struct ww_vrp v = vrp("192.0.2.0/24", 23, 1, 0);
  assert_int_equal(ww_payloads_add_vrp(&set, &v), WW_ERR_INVAL);
  v.max_len = 33;
  assert_int_equal(ww_payloads_add_vrp(&set, &v), WW_ERR_INVAL);
  v.max_len = 24;
  v.prefix.addr[3] = 1;
  assert_int_equal(ww_payloads_add_vrp(&set, &v), WW_ERR_INVAL);
  v = vrp("2001:db8::/32", 129, 1, 0);
  assert_int_equal(ww_payloads_add_vrp(&set, &v), WW_ERR_INVAL);
  v.max_len = 128;
  v.prefix.afi = 3;
  assert_int_equal(ww_payloads_add_vrp(&set, &v), WW_ERR_INVAL);
  assert_int_equal(set.vrp_count, 0);
  ww_payloads_fini(&set);
}

static void refuses_bad_aspas(void **state) {
  (void)state;
  struct ww_payloads set = {0};
  static const uint32_t zero_and_more[] = {7, 0};
  struct ww_aspa aspa = {.customer = 1, .provider_count = 2, .providers = zero_and_more};
  assert_int_equal(ww_payloads_add_aspa(&set, &aspa), WW_ERR_INVAL);
  uint32_t *many = calloc(WW_ASPA_PROVIDERS_MAX + 1, sizeof(*many));
  assert_non_null(many);
  aspa = (struct ww_aspa){.customer = 1, .provider_count = WW_ASPA_PROVIDERS_MAX + 1, .providers = many};
  assert_int_equal(ww_payloads_add_aspa(&set, &aspa), WW_ERR_LIMIT);
  assert_int_equal(set.aspa_count, 0);
  for (uint32_t i = 0; i < WW_ASPA_PROVIDERS_MAX; i++)
    many[i] = WW_ASPA_PROVIDERS_MAX - i;
  aspa.provider_count = WW_ASPA_PROVIDERS_MAX;
  assert_int_equal(ww_payloads_add_aspa(&set, &aspa), WW_OK);
  assert_int_equal(set.aspas[0].providers[0], 1);
  free(many);
  ww_payloads_fini(&set);
}

static void refuses_bad_keys(void **state) {
  (void)state;
  struct ww_payloads set = {0};
  static uint8_t spki[WW_SPKI_MAX + 1];
  struct ww_router_key key = {.asn = 1, .spki = spki, .spki_len = WW_SPKI_MAX + 1};
  assert_int_equal(ww_payloads_add_key(&set, &key), WW_ERR_LIMIT);
  key.spki_len = 0;
  assert_int_equal(ww_payloads_add_key(&set, &key), WW_ERR_INVAL);
  key.spki_len = WW_SPKI_MAX;
  assert_int_equal(ww_payloads_add_key(&set, &key), WW_OK);
  assert_ptr_not_equal(set.keys[0].spki, spki);
  ww_payloads_fini(&set);
}

static void empty_and_single_sets_sort(void **state) {
  (void)state;
  struct ww_payloads set = {0};
  assert_int_equal(ww_payloads_sort(&set), WW_OK);
  add(&set, vrp("10.0.0.0/8", 8, 1, 0));
  assert_int_equal(ww_payloads_sort(&set), WW_OK);
  assert_int_equal(set.vrp_count, 1);
  ww_payloads_fini(&set);
  assert_null(set.vrps);
  ww_payloads_fini(&set);
}

static void vrps_keep_the_latest_expiry(void **state) {
  (void)state;
  static const ww_unix_time times[][3] = {{5, 9, 9}, {9, 5, 9}, {0, 5, 0}, {5, 0, 0}, {7, 7, 7}};
  for (size_t i = 0; i < 5; i++) {
    struct ww_payloads set = {0};
    add(&set, vrp("10.0.0.0/8", 24, 64500, times[i][0]));
    add(&set, vrp("10.0.0.0/8", 24, 64500, times[i][1]));
    assert_int_equal(ww_payloads_sort(&set), WW_OK);
    assert_int_equal(set.vrp_count, 1);
    assert_int_equal(set.vrps[0].expires, times[i][2]);
    ww_payloads_fini(&set);
  }
}

static int by_compare(const void *a, const void *b) {
  const struct ww_vrp *x = a, *y = b;
  return ww_vrp_compare(x, y);
}

/* The fast sort against qsort on every kind of crowd: many origins of one prefix, host routes, duplicates. */
static void sort_agrees_with_qsort(void **state) {
  (void)state;
  uint32_t seed = 1;
  for (int round = 0; round < 8; round++) {
    struct ww_payloads set = {0};
    size_t n = 6000;
    struct ww_vrp *model = calloc(n, sizeof(*model));
    assert_non_null(model);
    for (size_t i = 0; i < n; i++) {
      struct ww_vrp v = {0};
      seed = seed * 1664525u + 1013904223u;
      v.prefix.afi = seed >> 31 ? WW_AFI_IPV6 : WW_AFI_IPV4;
      uint8_t bits = ww_afi_bits(v.prefix.afi);
      v.prefix.len = (uint8_t)((seed >> 20) % (bits + 1u));
      for (int b = 0; b < bits / 8; b++) {
        seed = seed * 1664525u + 1013904223u;
        v.prefix.addr[b] = (uint8_t)(round % 2 ? seed >> 24 : seed >> 31);
      }
      ww_prefix_mask(&v.prefix);
      seed = seed * 1664525u + 1013904223u;
      v.max_len = (uint8_t)(v.prefix.len + (seed >> 20) % (bits - v.prefix.len + 1u));
      v.asn = round < 4 ? seed >> 30 : seed ^ seed << 15;
      add(&set, v);
      model[i] = v;
    }
    qsort(model, n, sizeof(*model), by_compare);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
      if (!kept || ww_vrp_compare(&model[kept - 1], &model[i]) != 0)
        model[kept++] = model[i];
    assert_int_equal(ww_payloads_sort(&set), WW_OK);
    assert_int_equal(set.vrp_count, kept);
    for (size_t i = 0; i < kept; i++)
      assert_int_equal(ww_vrp_compare(&model[i], &set.vrps[i]), 0);
    /* In order already: nothing moves. */
    const struct ww_vrp *at = set.vrps;
    assert_int_equal(ww_payloads_sort(&set), WW_OK);
    assert_ptr_equal(set.vrps, at);
    /* And still grows after having been sorted. */
    add(&set, vrp("0.0.0.0/0", 0, 1, 0));
    add(&set, vrp("0.0.0.0/0", 0, 1, 0));
    assert_int_equal(ww_payloads_sort(&set), WW_OK);
    assert_true(set.vrp_count == kept + 1 || set.vrp_count == kept);
    free(model);
    ww_payloads_fini(&set);
  }
}

static void order_of_vrps(void **state) {
  (void)state;
  const struct ww_vrp ascending[] = {
      vrp("0.0.0.0/0", 0, 9, 0),         vrp("10.0.0.0/8", 8, 9, 0),     vrp("10.0.0.0/8", 8, 10, 0),
      vrp("10.0.0.0/8", 9, 0, 0),        vrp("10.0.0.0/9", 9, 0, 0),     vrp("10.0.0.0/9", 9, UINT32_MAX, 0),
      vrp("2001:db8::/32", 32, 1, 0),    vrp("2001:db8::/32", 48, 0, 0), vrp("2001:db8::/64", 64, 0, 0),
      vrp("2001:db8::1/128", 128, 0, 0),
  };
  for (size_t i = 0; i < 10; i++)
    for (size_t k = 0; k < 10; k++) {
      int c = ww_vrp_compare(&ascending[i], &ascending[k]);
      assert_int_equal((c > 0) - (c < 0), (i > k) - (i < k));
    }
}

static void add_aspa(struct ww_payloads *set, uint32_t customer, ww_unix_time expires, uint32_t count,
                     const uint32_t *providers) {
  struct ww_aspa aspa = {.customer = customer, .provider_count = count, .providers = providers, .expires = expires};
  assert_int_equal(ww_payloads_add_aspa(set, &aspa), WW_OK);
}

static void providers_become_ascending_and_unique(void **state) {
  (void)state;
  struct ww_payloads set = {0};
  uint32_t providers[] = {9, 3, 9, 1, 3};
  add_aspa(&set, 64500, 0, 5, providers);
  providers[0] = 77; /* the set has its own copy */
  static const uint32_t expect[] = {1, 3, 9};
  assert_int_equal(set.aspas[0].provider_count, 3);
  assert_memory_equal(set.aspas[0].providers, expect, sizeof(expect));
  static const uint32_t zero_twice[] = {0, 0};
  add_aspa(&set, 64501, 0, 2, zero_twice);
  assert_int_equal(set.aspas[1].provider_count, 1);
  ww_payloads_fini(&set);
}

static void aspas_of_one_customer_are_united(void **state) {
  (void)state;
  struct ww_payloads set = {0};
  static const uint32_t a[] = {1, 5}, b[] = {2, 5, 9}, zero[] = {0};
  add_aspa(&set, 300, 7, 1, zero);
  add_aspa(&set, 200, 50, 2, a);
  add_aspa(&set, 100, 0, 1, zero);
  add_aspa(&set, 200, 0, 3, b);
  add_aspa(&set, 200, 40, 1, zero);
  add_aspa(&set, 300, 8, 1, zero);
  add_aspa(&set, 400, 0, 0, NULL);
  add_aspa(&set, 400, 3, 0, NULL);
  assert_int_equal(ww_payloads_sort(&set), WW_OK);
  assert_int_equal(set.aspa_count, 4);
  assert_int_equal(set.aspas[0].customer, 100);
  static const uint32_t united[] = {1, 2, 5, 9};
  assert_int_equal(set.aspas[1].customer, 200);
  assert_int_equal(set.aspas[1].provider_count, 4);
  assert_memory_equal(set.aspas[1].providers, united, sizeof(united));
  assert_int_equal(set.aspas[1].expires, 40);
  assert_int_equal(set.aspas[2].provider_count, 1);
  assert_int_equal(set.aspas[2].providers[0], 0);
  assert_int_equal(set.aspas[2].expires, 7);
  assert_int_equal(set.aspas[3].provider_count, 0);
  assert_int_equal(set.aspas[3].expires, 3);
  ww_payloads_fini(&set);
}

static void union_over_the_limit_is_an_error_and_loses_nothing(void **state) {
  (void)state;
  struct ww_payloads set = {0};
  uint32_t *many = calloc(WW_ASPA_PROVIDERS_MAX, sizeof(*many));
  assert_non_null(many);
  for (uint32_t k = 0; k < 2; k++) {
    for (uint32_t i = 0; i < WW_ASPA_PROVIDERS_MAX; i++)
      many[i] = 1 + 2 * i + k;
    add_aspa(&set, 5, 0, WW_ASPA_PROVIDERS_MAX, many);
  }
  add_aspa(&set, 1, 0, 1, many);
  add_aspa(&set, 1, 0, 1, many);
  assert_int_equal(ww_payloads_sort(&set), WW_ERR_LIMIT);
  assert_int_equal(set.aspa_count, 3);
  assert_int_equal(set.aspas[0].customer, 1);
  assert_int_equal(set.aspas[2].customer, 5);
  free(many);
  ww_payloads_fini(&set);
}

/* RFC 8210 §5.10: the same AS and SKI with another key is another record. */
static void router_keys_are_told_apart_by_key_too(void **state) {
  (void)state;
  struct ww_payloads set = {0};
  struct ww_router_key key = {.asn = 2, .ski = {1}, .spki = (const uint8_t *)"bb", .spki_len = 2, .expires = 4};
  assert_int_equal(ww_payloads_add_key(&set, &key), WW_OK);
  key.expires = 6;
  assert_int_equal(ww_payloads_add_key(&set, &key), WW_OK);
  key.spki_len = 1;
  assert_int_equal(ww_payloads_add_key(&set, &key), WW_OK);
  key.spki = (const uint8_t *)"ab";
  key.spki_len = 2;
  assert_int_equal(ww_payloads_add_key(&set, &key), WW_OK);
  key.ski[19] = 1;
  assert_int_equal(ww_payloads_add_key(&set, &key), WW_OK);
  key.asn = 1;
  assert_int_equal(ww_payloads_add_key(&set, &key), WW_OK);
  key.expires = 0;
  assert_int_equal(ww_payloads_add_key(&set, &key), WW_OK);
  assert_int_equal(ww_payloads_sort(&set), WW_OK);
  assert_int_equal(set.key_count, 5);
  assert_int_equal(set.keys[0].asn, 1);
  assert_int_equal(set.keys[0].expires, 0);
  assert_memory_equal(set.keys[1].spki, "ab", 2);
  assert_int_equal(set.keys[2].spki_len, 1);
  assert_memory_equal(set.keys[3].spki, "bb", 2);
  assert_int_equal(set.keys[3].expires, 6);
  assert_int_equal(set.keys[4].ski[19], 1);
  ww_payloads_fini(&set);
}

static void delta_frees_all_parts(void **state) {
  (void)state;
  struct ww_payload_delta delta = {.source = 3};
  struct ww_payloads *parts[] = {&delta.announce, &delta.withdraw, &delta.refresh};
  static const uint32_t providers[] = {1, 2};
  for (size_t i = 0; i < 3; i++) {
    add(parts[i], vrp("10.0.0.0/8", 8, 1, 0));
    /* More than one block of provider lists. */
    for (uint32_t k = 0; k < 5000; k++)
      add_aspa(parts[i], k, 0, 2, providers);
  }
  ww_payload_delta_fini(&delta);
  for (size_t i = 0; i < 3; i++)
    assert_true(!parts[i]->vrps && !parts[i]->aspas && !parts[i]->blocks && !parts[i]->vrp_count);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(refuses_bad_vrps),
      cmocka_unit_test(refuses_bad_aspas),
      cmocka_unit_test(refuses_bad_keys),
      cmocka_unit_test(empty_and_single_sets_sort),
      cmocka_unit_test(vrps_keep_the_latest_expiry),
      cmocka_unit_test(sort_agrees_with_qsort),
      cmocka_unit_test(order_of_vrps),
      cmocka_unit_test(providers_become_ascending_and_unique),
      cmocka_unit_test(aspas_of_one_customer_are_united),
      cmocka_unit_test(union_over_the_limit_is_an_error_and_loses_nothing),
      cmocka_unit_test(router_keys_are_told_apart_by_key_too),
      cmocka_unit_test(delta_frees_all_parts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
