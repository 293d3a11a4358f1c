/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <waywarden/prefix.h>

#include "tests/base/cmocka_all.h"

static void refuses_what_is_no_prefix(void **state) {
  (void)state;
  static const char *const bad[] = {
      "",
      "/",
      "/24",
      "192.0.2.0",
      "192.0.2.0/",
      "192.0.2.0/33",
      "192.0.2.0/-1",
      "192.0.2.0/+24",
      "192.0.2.0/024",
      "192.0.2.0/24 ",
      " 192.0.2.0/24",
      "192.0.2.0/24/24",
      "192.0.2.0/4294967320",
      "192.0.2.0/18446744073709551640",
      "192.0.2.1/24",
      "192.0.2.0/0",
      "192.0.2/24",
      "192.0.2.256/32",
      "0xc0000200/24",
      "2001:db8::/129",
      "2001:db8::1/64",
      "2001:db8::/0",
      "2001:db8:::/32",
      "2001:db8::%lo/32",
      "2001:db8:0:0:0:0:0:0:0/32",
      ":/0",
      "g::/16",
      "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/32",
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct ww_prefix prefix = {.afi = 77};
    assert_int_equal(ww_prefix_parse(bad[i], &prefix), WW_ERR_MALFORMED);
    assert_int_equal(prefix.afi, 77);
  }
}

static void parses_and_formats(void **state) {
  (void)state;
  static const char *const same[] = {
      "0.0.0.0/0",
      "10.0.0.0/8",
      "192.0.2.0/24",
      "192.0.2.255/32",
      "::/0",
      "2001:db8::/32",
      "2001:db8::1/128",
      "::1/128",
      "1::/16",
      "2001:db8:0:1:1:1:1:1/128",
      "0:1::/32",
      "::ffff:192.0.2.1/128",
      "2001:0:0:1::/64",
      "1:2:3:4:5:6:7:0/112",
  };
  for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
    struct ww_prefix prefix;
    char text[WW_PREFIX_STRLEN];
    assert_int_equal(ww_prefix_parse(same[i], &prefix), WW_OK);
    assert_string_equal(ww_prefix_format(&prefix, text), same[i]);
    assert_true(ww_prefix_is_canonical(&prefix));
  }
}

/* RFC 5952 §4: the longest run of zero groups is shortened, the first of equals, never a single group. */
static void formats_ipv6_one_way(void **state) {
  (void)state;
  static const char *const pairs[][2] = {
      {"2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"0:0:0:0:0:0:0:0", "::"},
      {"1:0:0:0:0:0:0:0", "1::"},
      {"0:0:0:0:0:0:0:1", "::1"},
      {"1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"},
      {"::192.0.2.1", "::c000:201"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
      {"::ffff:255.255.255.255", "::ffff:255.255.255.255"},
  };
  for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
    struct ww_addr addr;
    char text[WW_ADDR_STRLEN];
    assert_int_equal(ww_addr_parse(pairs[i][0], &addr), WW_OK);
    assert_int_equal(addr.afi, WW_AFI_IPV6);
    assert_string_equal(ww_addr_format(&addr, text), pairs[i][1]);
    struct ww_addr again;
    assert_int_equal(ww_addr_parse(text, &again), WW_OK);
    assert_memory_equal(again.bytes, addr.bytes, 16);
  }
}

static void addresses(void **state) {
  (void)state;
  struct ww_addr addr = {.afi = 9};
  assert_int_equal(ww_addr_parse("", &addr), WW_ERR_MALFORMED);
  assert_int_equal(ww_addr_parse("localhost", &addr), WW_ERR_MALFORMED);
  assert_int_equal(ww_addr_parse("1.2.3.4.5", &addr), WW_ERR_MALFORMED);
  assert_int_equal(ww_addr_parse("01.2.3.4", &addr), WW_ERR_MALFORMED);
  assert_int_equal(addr.afi, 9);
  assert_int_equal(ww_addr_parse("1.2.3.4", &addr), WW_OK);
  assert_int_equal(addr.afi, WW_AFI_IPV4);
  assert_memory_equal(addr.bytes, "\1\2\3\4\0\0\0\0\0\0\0\0\0\0\0\0", 16);
  char text[WW_ADDR_STRLEN];
  assert_string_equal(ww_addr_format(&(struct ww_addr){0}, text), "none");
}

static struct ww_prefix parse(const char *text) {
  struct ww_prefix prefix;
  assert_int_equal(ww_prefix_parse(text, &prefix), WW_OK);
  return prefix;
}

static void order_is_family_address_length(void **state) {
  (void)state;
  static const char *const ascending[] = {"0.0.0.0/0",   "0.0.0.0/8", "10.0.0.0/8", "10.0.0.0/9",    "10.0.0.1/32",
                                          "255.0.0.0/8", "::/0",      "::/128",     "2001:db8::/32", "2001:db8::/33"};
  for (size_t i = 0; i < 10; i++)
    for (size_t k = 0; k < 10; k++) {
      struct ww_prefix a = parse(ascending[i]), b = parse(ascending[k]);
      int c = ww_prefix_compare(&a, &b);
      assert_int_equal((c > 0) - (c < 0), (i > k) - (i < k));
    }
}

/* Against the definition, bit by bit. */
static bool covers_by_bits(const struct ww_prefix *outer, const struct ww_prefix *inner) {
  if (outer->afi != inner->afi || outer->len > inner->len)
    return false;
  for (unsigned i = 0; i < outer->len; i++)
    if ((outer->addr[i / 8] ^ inner->addr[i / 8]) >> (7 - i % 8) & 1)
      return false;
  return true;
}

static void covering(void **state) {
  (void)state;
  struct ww_prefix v4 = parse("0.0.0.0/0"), v6 = parse("::/0"), host = parse("255.255.255.255/32");
  assert_true(ww_prefix_covers(&v4, &host));
  assert_true(ww_prefix_covers(&host, &host));
  assert_false(ww_prefix_covers(&host, &v4));
  assert_false(ww_prefix_covers(&v6, &host));
  struct ww_prefix full = parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
  assert_true(ww_prefix_covers(&full, &full));
  uint32_t seed = 7;
  int hits = 0;
  for (int i = 0; i < 200000; i++) {
    struct ww_prefix pair[2];
    for (int k = 0; k < 2; k++) {
      seed = seed * 1664525u + 1013904223u;
      uint8_t afi = (seed >> 13) % 8 ? WW_AFI_IPV4 : WW_AFI_IPV6;
      pair[k] = (struct ww_prefix){.afi = afi, .len = (uint8_t)((seed >> 16) % (ww_afi_bits(afi) + 1u))};
      seed = seed * 1664525u + 1013904223u;
      /* Few distinct octets, so that long prefixes agree often. */
      for (int b = 0; b < ww_afi_bits(afi) / 8; b++)
        pair[k].addr[b] = (seed >> (8 + b)) & 1 ? 0x80 : 0x90;
      ww_prefix_mask(&pair[k]);
      assert_true(ww_prefix_is_canonical(&pair[k]));
    }
    bool expect = covers_by_bits(&pair[0], &pair[1]);
    hits += expect;
    assert_int_equal(ww_prefix_covers(&pair[0], &pair[1]), expect);
  }
  assert_true(hits > 1000);
}

static void canonical_means_no_host_bits(void **state) {
  (void)state;
  struct ww_prefix prefix = {.afi = WW_AFI_IPV4, .len = 24, .addr = {192, 0, 2, 1}};
  assert_false(ww_prefix_is_canonical(&prefix));
  ww_prefix_mask(&prefix);
  assert_true(ww_prefix_is_canonical(&prefix));
  prefix.addr[15] = 1; /* beyond the family's address */
  assert_false(ww_prefix_is_canonical(&prefix));
  prefix = (struct ww_prefix){.afi = WW_AFI_IPV4, .len = 33};
  assert_false(ww_prefix_is_canonical(&prefix));
  prefix = (struct ww_prefix){.afi = WW_AFI_NONE};
  assert_false(ww_prefix_is_canonical(&prefix));
  prefix = (struct ww_prefix){.afi = 25};
  assert_false(ww_prefix_is_canonical(&prefix));
  memset(prefix.addr, 0xff, 16);
  prefix.afi = WW_AFI_IPV6;
  prefix.len = 128;
  assert_true(ww_prefix_is_canonical(&prefix));
  ww_prefix_mask(&prefix);
  assert_int_equal(prefix.addr[15], 0xff);
  prefix.len = 127;
  ww_prefix_mask(&prefix);
  assert_int_equal(prefix.addr[15], 0xfe);
  prefix.len = 0;
  ww_prefix_mask(&prefix);
  assert_int_equal(prefix.addr[0], 0);
}

static void as_numbers(void **state) {
  (void)state;
  static const char *const bad[] = {"",     "AS",   "as ",   "A64500", "S1",
                                    "-1",   "+1",   " 1",    "1 ",     "4294967296",
                                    "1.10", "0x10", "ASAS1", "007",    "99999999999999999999999999"};
  uint32_t asn = 5;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(ww_asn_parse(bad[i], &asn), WW_ERR_MALFORMED);
  assert_int_equal(asn, 5);
  assert_int_equal(ww_asn_parse("0", &asn), WW_OK);
  assert_int_equal(asn, 0);
  assert_int_equal(ww_asn_parse("4294967295", &asn), WW_OK);
  assert_true(asn == UINT32_MAX);
  assert_int_equal(ww_asn_parse("AS64500", &asn), WW_OK);
  assert_int_equal(asn, 64500);
  assert_int_equal(ww_asn_parse("aS1", &asn), WW_OK);
  assert_int_equal(asn, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(refuses_what_is_no_prefix),      cmocka_unit_test(parses_and_formats),
      cmocka_unit_test(formats_ipv6_one_way),           cmocka_unit_test(addresses),
      cmocka_unit_test(order_is_family_address_length), cmocka_unit_test(covering),
      cmocka_unit_test(canonical_means_no_host_bits),   cmocka_unit_test(as_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
