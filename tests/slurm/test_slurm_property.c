/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter index and the application against the model, on seeded random files and sets. Prefixes, AS numbers and
 * SKIs come from small spaces, so that filters nest, repeat and meet records. Each case writes one or several files as
 * text, reads them, and compares: the result, the filters of single records, what every filter matched, and that each
 * assertion's effect is what the result without it lacks.
 *
 * WW_SEED=n begins with another seed; the seed of a case that fails is printed.
 */
#include "model_slurm.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* */
#include <cmocka.h>

enum { CASES = 3000, FILES = 3, TEXT = 65536 };

static uint64_t seed;

static uint32_t rnd(uint32_t below) { /* xorshift64* */
  seed ^= seed >> 12;
  seed ^= seed << 25;
  seed ^= seed >> 27;
  return (uint32_t)((seed * UINT64_C(2685821657736338717)) >> 32) % below;
}

/* Under 10.0.0.0/8 and 2001:db8::/32, or short and covering those; `zone` keeps files apart. */
static struct ww_prefix draw_prefix(unsigned zone, bool any_length) {
  struct ww_prefix prefix = {.afi = rnd(2) ? WW_AFI_IPV4 : WW_AFI_IPV6};
  static const uint8_t v6[] = {0x20, 0x01, 0x0d, 0xb8};
  unsigned fixed = prefix.afi == WW_AFI_IPV4 ? 8 : 32;
  if (prefix.afi == WW_AFI_IPV4)
    prefix.addr[0] = 10;
  else
    memcpy(prefix.addr, v6, sizeof(v6));
  prefix.addr[fixed / 8] = (uint8_t)(zone << 6 | rnd(4) << 2);
  prefix.addr[fixed / 8 + 1] = (uint8_t)(rnd(4) << 6);
  if (rnd(8) == 0)
    prefix.addr[ww_afi_bits(prefix.afi) / 8 - 1] = (uint8_t)rnd(4);
  prefix.len = (uint8_t)(fixed + 2 + rnd(9));
  if (rnd(10) == 0)
    prefix.len = ww_afi_bits(prefix.afi);
  if (any_length && rnd(12) == 0)
    prefix.len = (uint8_t)rnd(fixed + 2);
  ww_prefix_mask(&prefix);
  return prefix;
}

static uint32_t draw_asn(void) {
  static const uint32_t asns[] = {0, 1, 2, 3, 64496, 64497, 4294967295};
  return asns[rnd(sizeof(asns) / sizeof(asns[0]))];
}

struct text {
  char data[TEXT];
  size_t len;
  bool comma;
};

static void __attribute__((format(printf, 2, 3))) put(struct text *t, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  int n = vsnprintf(t->data + t->len, sizeof(t->data) - t->len, fmt, args);
  va_end(args);
  assert_true(n >= 0 && (size_t)n < sizeof(t->data) - t->len);
  t->len += (size_t)n;
}

static void item_begin(struct text *t) {
  put(t, "%s{", t->comma ? ", " : "");
  t->comma = true;
}

static void array(struct text *t, const char *before, const char *name) {
  put(t, "%s\"%s\": [", before, name);
  t->comma = false;
}

/* 20 octets: 0x00 but the first; as base64url. */
static const char *const skis[] = {"AAAAAAAAAAAAAAAAAAAAAAAAAAA", "BAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                   "CAAAAAAAAAAAAAAAAAAAAAAAAAA"};
static const char *const spkis[] = {"MAAA", "MAAB", "MAABAg"};

static void write_items(struct text *t, unsigned zone, bool alone, unsigned density) {
  char buf[WW_PREFIX_STRLEN];
  array(t, "{\"slurmVersion\": 2, \"validationOutputFilters\": {", "prefixFilters");
  for (unsigned n = rnd(density * 2); n > 0; n--) {
    struct ww_prefix prefix = draw_prefix(zone, alone);
    unsigned parts = 1 + rnd(16) % 3 + (rnd(4) == 0);
    item_begin(t);
    if (parts & 1)
      put(t, "\"prefix\": \"%s\"%s", ww_prefix_format(&prefix, buf), parts & 2 ? ", " : "");
    if ((parts & 2) || !(parts & 1))
      put(t, "\"asn\": %u", parts & 1 ? draw_asn() : rnd(3) ? 64496 + rnd(200) : draw_asn());
    put(t, "}");
  }
  array(t, "], ", "bgpsecFilters");
  for (unsigned n = rnd(density) / 4; n > 0; n--) {
    unsigned parts = 1 + rnd(3);
    item_begin(t);
    if (parts & 1)
      put(t, "\"asn\": %u%s", zone * 1000 + rnd(4), parts & 2 ? ", " : "");
    if (parts & 2)
      put(t, "\"SKI\": \"%s\"", rnd(8) ? skis[rnd(3)] : "Zm9v");
    put(t, "}");
  }
  array(t, "], ", "aspaFilters");
  for (unsigned n = rnd(density) / 3; n > 0; n--) {
    item_begin(t);
    put(t, "\"customerAsn\": %u}", rnd(8));
  }
  array(t, "]}, \"locallyAddedAssertions\": {", "prefixAssertions");
  for (unsigned n = rnd(density); n > 0; n--) {
    struct ww_prefix prefix = draw_prefix(zone, alone);
    item_begin(t);
    put(t, "\"prefix\": \"%s\", \"asn\": %u", ww_prefix_format(&prefix, buf), draw_asn());
    if (rnd(2))
      put(t, ", \"maxPrefixLength\": %u", prefix.len + rnd(2) * (ww_afi_bits(prefix.afi) > prefix.len));
    put(t, "}");
  }
  array(t, "], ", "bgpsecAssertions");
  for (unsigned n = rnd(density); n > 0; n--) {
    item_begin(t);
    put(t, "\"asn\": %u, \"SKI\": \"%s\", \"routerPublicKey\": \"%s\"}", zone * 1000 + rnd(4), skis[rnd(3)],
        spkis[rnd(3)]);
  }
  array(t, "], ", "aspaAssertions");
  for (unsigned n = rnd(density); n > 0; n--) {
    uint32_t customer = rnd(8), provider = 8 + rnd(3);
    item_begin(t);
    put(t, "\"customerAsn\": %u, \"providerAsns\": [", customer);
    if (customer && rnd(5) == 0) {
      put(t, "0");
    } else {
      put(t, "%u", provider);
      for (unsigned k = rnd(3); k > 0; k--)
        put(t, ", %u", provider += 1 + rnd(2));
    }
    put(t, "]}");
  }
  put(t, "]}}");
}

static void draw_set(struct ww_payloads *set, const struct ww_slurm_item *items, size_t count) {
  for (unsigned n = rnd(60); n > 0; n--) {
    struct ww_vrp vrp = {.prefix = draw_prefix(rnd(4), true), .asn = draw_asn(), .expires = rnd(2) ? 1800000000 : 0};
    /* What a filter or an assertion names, or something near it. */
    if (count && rnd(2)) {
      const struct ww_slurm_item *item = &items[rnd((uint32_t)count)];
      if (item->has_prefix)
        vrp.prefix = item->prefix;
      if (item->has_asn && rnd(2))
        vrp.asn = item->asn;
      if (vrp.prefix.len < ww_afi_bits(vrp.prefix.afi) && rnd(3) == 0)
        vrp.prefix.len++;
    }
    vrp.max_len = (uint8_t)(vrp.prefix.len + rnd(2) * (ww_afi_bits(vrp.prefix.afi) > vrp.prefix.len));
    assert_int_equal(ww_payloads_add_vrp(set, &vrp), WW_OK);
  }
  for (unsigned n = rnd(12); n > 0; n--) {
    uint8_t spki[] = {0x30, 0x00, (uint8_t)rnd(3), 2};
    struct ww_router_key key = {.asn = rnd(2) * 1000 + rnd(5), .spki = spki, .spki_len = 3 + rnd(2)};
    key.ski[0] = (uint8_t)(rnd(4) << 2);
    assert_int_equal(ww_payloads_add_key(set, &key), WW_OK);
  }
  for (unsigned n = rnd(10); n > 0; n--) {
    uint32_t providers[MODEL_PROVIDERS] = {0};
    struct ww_aspa aspa = {.customer = rnd(10), .providers = providers, .provider_count = 1 + rnd(4)};
    if (rnd(5))
      for (uint32_t i = 0; i < aspa.provider_count; i++)
        providers[i] = 8 + rnd(6);
    assert_int_equal(ww_payloads_add_aspa(set, &aspa), WW_OK);
  }
}

static void check_filters(const struct ww_slurm *slurm, const struct ww_payloads *in,
                          const struct ww_slurm_report *report) {
  size_t count;
  const struct ww_slurm_item *items = ww_slurm_items(slurm, &count);
  static size_t matched[4096];
  assert_true(count < 4096);
  memset(matched, 0, sizeof(matched));
  for (size_t r = 0; r < in->vrp_count; r++) {
    bool any = false;
    for (size_t i = 0; i < count; i++)
      if (model_matches_vrp(&items[i], &in->vrps[r])) {
        any = true;
        matched[i]++;
      }
    assert_int_equal(ww_slurm_filters_vrp(slurm, &in->vrps[r]), any);
  }
  for (size_t r = 0; r < in->key_count; r++) {
    bool any = false;
    for (size_t i = 0; i < count; i++)
      if (model_matches_key(&items[i], &in->keys[r])) {
        any = true;
        matched[i]++;
      }
    assert_int_equal(ww_slurm_filters_key(slurm, &in->keys[r]), any);
  }
  for (size_t r = 0; r < in->aspa_count; r++) {
    bool any = false;
    for (size_t i = 0; i < count; i++)
      if (model_matches_aspa(&items[i], &in->aspas[r])) {
        any = true;
        matched[i]++;
      }
    assert_int_equal(ww_slurm_filters_aspa(slurm, &in->aspas[r]), any);
  }
  assert_int_equal(report->count, count);
  for (size_t i = 0; i < count; i++)
    if (ww_slurm_is_filter(items[i].kind))
      assert_int_equal(report->effects[i], matched[i]);
}

static bool same_set(const struct model_set *a, const struct model_set *b) {
  uint64_t x = 0, y = 0;
  for (size_t i = 0; i < a->aspa_count; i++)
    x += a->aspas[i].count + (a->aspas[i].providers[0] == 0 ? UINT64_C(1) << 32 : 0);
  for (size_t i = 0; i < b->aspa_count; i++)
    y += b->aspas[i].count + (b->aspas[i].providers[0] == 0 ? UINT64_C(1) << 32 : 0);
  return a->vrp_count == b->vrp_count && a->key_count == b->key_count && a->aspa_count == b->aspa_count && x == y;
}

/* An assertion has an effect when the set before it, of all filters and the assertions before it, is another than the
 * one with it. Sets only grow by assertions, but for AS 0, which gives way. */
static void check_effects(const struct ww_slurm *slurm, const struct ww_payloads *in,
                          const struct ww_slurm_report *report) {
  static struct model_set before, with;
  static struct ww_slurm_item reordered[4096];
  size_t count, n = 0;
  const struct ww_slurm_item *items = ww_slurm_items(slurm, &count);
  for (size_t i = 0; i < count; i++)
    if (ww_slurm_is_filter(items[i].kind))
      reordered[n++] = items[i];
  for (size_t i = 0; i < count; i++) {
    if (ww_slurm_is_filter(items[i].kind))
      continue;
    model_apply(reordered, n, in, &before);
    reordered[n++] = items[i];
    model_apply(reordered, n, in, &with);
    assert_int_equal(report->effects[i], !same_set(&before, &with));
  }
}

static size_t records(const struct ww_payloads *set) { return set->vrp_count + set->aspa_count + set->key_count; }

/* What a set does to a source when it comes, undone when it goes; and both sides of a delta (RFC 8416 §2). */
static void check_changes(const struct ww_slurm *slurm, const struct ww_payloads *in,
                          const struct ww_slurm_report *report) {
  size_t filtered = report->filtered.vrps + report->filtered.aspas + report->filtered.keys;
  struct ww_payload_delta raw = {.source = 3, .announce = *in, .withdraw = *in, .refresh = *in}, out = {0};
  assert_int_equal(ww_slurm_filter_delta(slurm, &raw, &out), WW_OK);
  assert_int_equal(out.source, 3);
  assert_int_equal(records(&out.announce), records(in) - filtered);
  assert_int_equal(records(&out.withdraw), records(in) - filtered);
  assert_int_equal(records(&out.refresh), records(in) - filtered);
  for (size_t i = 0; i < out.announce.vrp_count; i++)
    assert_false(ww_slurm_filters_vrp(slurm, &out.announce.vrps[i]));
  ww_payload_delta_fini(&out);
  assert_int_equal(ww_slurm_change_source(NULL, slurm, in, &out), WW_OK);
  assert_int_equal(records(&out.withdraw), filtered);
  assert_int_equal(records(&out.announce), 0);
  for (size_t i = 0; i < out.withdraw.vrp_count; i++)
    assert_true(ww_slurm_filters_vrp(slurm, &out.withdraw.vrps[i]));
  ww_payload_delta_fini(&out);
  assert_int_equal(ww_slurm_change_source(slurm, NULL, in, &out), WW_OK);
  assert_int_equal(records(&out.announce), filtered);
  assert_int_equal(records(&out.withdraw), 0);
  ww_payload_delta_fini(&out);
  assert_int_equal(ww_slurm_change_source(slurm, slurm, in, &out), WW_OK);
  assert_int_equal(records(&out.announce) + records(&out.withdraw), 0);
  ww_payload_delta_fini(&out);
  assert_int_equal(ww_slurm_change_assertions(NULL, slurm, &out), WW_OK);
  assert_int_equal(records(&out.announce), records(ww_slurm_assertions(slurm)));
  assert_int_equal(records(&out.withdraw), 0);
  ww_payload_delta_fini(&out);
  assert_int_equal(ww_slurm_change_assertions(slurm, NULL, &out), WW_OK);
  assert_int_equal(records(&out.withdraw), records(ww_slurm_assertions(slurm)));
  ww_payload_delta_fini(&out);
  assert_int_equal(ww_slurm_change_assertions(slurm, slurm, &out), WW_OK);
  assert_int_equal(records(&out.announce) + records(&out.withdraw), 0);
  ww_payload_delta_fini(&out);
}

static void run_case(bool several, bool deep) {
  static struct text texts[FILES];
  static struct model_set expected;
  struct ww_slurm_file files[FILES] = {0};
  struct ww_slurm_problems problems = {0};
  struct ww_slurm_report report = {0};
  struct ww_slurm *slurm = NULL;
  struct ww_payloads in = {0}, out = {0};
  size_t file_count = several ? 2 + rnd(2) : 1, count;
  for (size_t i = 0; i < file_count; i++) {
    texts[i].len = 0;
    write_items(&texts[i], (unsigned)i, !several, rnd(4) ? 12 : 40);
    files[i] = (struct ww_slurm_file){.name = "text", .text = texts[i].data, .len = texts[i].len};
  }
  enum ww_err err = ww_slurm_read(files, file_count, NULL, &slurm, &problems);
  if (err != WW_OK)
    print_message("%s %s\n%s\n", problems.list[0].pointer, problems.list[0].text, texts[0].data);
  assert_int_equal(err, WW_OK);
  const struct ww_slurm_item *items = ww_slurm_items(slurm, &count);
  draw_set(&in, items, count);
  if (rnd(2))
    assert_int_equal(ww_payloads_sort(&in), WW_OK);
  assert_int_equal(ww_slurm_apply(slurm, &in, &out, &report), WW_OK);
  model_apply(items, count, &in, &expected);
  assert_true(model_equals(&expected, &out));
  for (size_t i = 1; i < out.vrp_count; i++)
    assert_true(ww_vrp_compare(&out.vrps[i - 1], &out.vrps[i]) < 0);
  check_filters(slurm, &in, &report);
  check_changes(slurm, &in, &report);
  if (deep)
    check_effects(slurm, &in, &report);
  assert_int_equal(report.in.vrps, in.vrp_count);
  assert_int_equal(report.out.keys, out.key_count);
  ww_slurm_report_fini(&report);
  ww_payloads_fini(&in);
  ww_payloads_fini(&out);
  ww_slurm_free(slurm);
  ww_slurm_problems_fini(&problems);
}

static void test_model(void **state) {
  (void)state;
  const char *text = getenv("WW_SEED");
  uint64_t first = text ? strtoull(text, NULL, 10) : 8416;
  print_message("seeds from %" PRIu64 "\n", first);
  for (uint64_t i = 0; i < CASES; i++) {
    seed = (first + i) * UINT64_C(0x9e3779b97f4a7c15) + 1;
    run_case(i % 3 == 0, i % 10 == 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_model)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
