/* SPDX-License-Identifier: BSD-2-Clause */
/* States kept up to date from random deltas, against hashes computed from scratch of a plain model of the sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* */
#include <cmocka.h>

#include "sources/ccr_state.h"

enum { SOURCES = 3, ASNS = 400, VRPS = 3000, KEYS = 40, ROUNDS = 120 };

static uint64_t seed = 20260515;

static uint32_t pick(uint32_t below) {
  seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(seed >> 33) % below;
}

/* The universe: records that a source may have or not. */
static struct ww_vrp vrps[VRPS];
static struct ww_router_key keys[KEYS];
static uint8_t spkis[KEYS][24];
static uint32_t provider_lists[8][6] = {{0}, {1}, {2}, {1, 2}, {3, 4, 5}, {1, 2, 3, 4, 5, 6}, {70000}, {6}};
static const uint32_t provider_counts[8] = {1, 1, 1, 2, 3, 6, 1, 1};

struct model {
  bool vrp[VRPS], key[KEYS];
  int aspa[ASNS]; /* -1 none, else a list of providers */
};

static void make_universe(void) {
  for (unsigned i = 0; i < VRPS; i++) {
    struct ww_prefix *p = &vrps[i].prefix;
    bool v6 = pick(3) == 0;
    p->afi = v6 ? WW_AFI_IPV6 : WW_AFI_IPV4;
    p->len = (uint8_t)pick(v6 ? 129 : 33);
    for (unsigned b = 0; b < (v6 ? 16u : 4u); b++)
      p->addr[b] = (uint8_t)(pick(4) * 64);
    ww_prefix_mask(p);
    vrps[i].max_len = (uint8_t)(p->len + pick(ww_afi_bits(p->afi) - p->len + 1u));
    vrps[i].asn = pick(10) ? pick(ASNS) : UINT32_MAX - pick(3);
  }
  for (unsigned i = 0; i < KEYS; i++) {
    static const uint8_t spki[] = {0x30, 0x0f, 0x30, 0x09, 0x06, 0x07, 0x2a, 0x86,
                                   0x48, 0xce, 0x3d, 0x02, 0x01, 0x03, 0x02, 0};
    memcpy(spkis[i], spki, sizeof(spki));
    spkis[i][sizeof(spki)] = (uint8_t)i;
    keys[i].asn = pick(6);
    keys[i].ski[0] = (uint8_t)pick(3);
    keys[i].spki = spkis[i];
    keys[i].spki_len = sizeof(spki) + 1;
  }
}

static void add_model(const struct model *m, struct ww_payloads *set) {
  for (unsigned i = 0; i < VRPS; i++)
    if (m->vrp[i])
      assert_int_equal(ww_payloads_add_vrp(set, &vrps[i]), WW_OK);
  for (unsigned i = 0; i < KEYS; i++)
    if (m->key[i])
      assert_int_equal(ww_payloads_add_key(set, &keys[i]), WW_OK);
  for (uint32_t i = 0; i < ASNS; i++)
    if (m->aspa[i] >= 0) {
      struct ww_aspa aspa = {
          .customer = i, .providers = provider_lists[m->aspa[i]], .provider_count = provider_counts[m->aspa[i]]};
      assert_int_equal(ww_payloads_add_aspa(set, &aspa), WW_OK);
    }
}

static void assert_state(struct ww_ccr_state *state, const struct model *models, size_t count) {
  struct ww_payloads set = {0};
  struct ww_ccr_hashes want, have;
  for (size_t i = 0; i < count; i++)
    add_model(&models[i], &set);
  assert_int_equal(ww_payloads_sort(&set), WW_OK);
  assert_int_equal(ww_ccr_hash(&set, &want), WW_OK);
  assert_int_equal(ww_ccr_state_hash(state, &have), WW_OK);
  assert_memory_equal(want.vrps, have.vrps, WW_CCR_HASH_LEN);
  assert_memory_equal(want.aspas, have.aspas, WW_CCR_HASH_LEN);
  assert_memory_equal(want.keys, have.keys, WW_CCR_HASH_LEN);
  ww_payloads_fini(&set);
}

/* Two entries of the universe may be one record: a source has it while any of them is set, so they move together. */
static void set_vrp(struct model *m, unsigned i, bool there) {
  for (unsigned k = 0; k < VRPS; k++)
    if (ww_vrp_compare(&vrps[i], &vrps[k]) == 0)
      m->vrp[k] = there;
}

/* Changes the model at random, and says what it did. */
static void change(struct model *m, unsigned size, struct ww_payload_delta *d) {
  struct model before = *m;
  for (unsigned n = 0; n < size; n++) {
    unsigned i = pick(VRPS);
    set_vrp(m, i, pick(2));
    if (pick(4) == 0)
      m->key[pick(KEYS)] = pick(2);
    if (pick(3) == 0)
      m->aspa[pick(ASNS)] = pick(3) ? (int)pick(8) : -1;
  }
  struct model in = {0}, out = {0};
  for (unsigned i = 0; i < VRPS; i++) {
    in.vrp[i] = m->vrp[i] && !before.vrp[i];
    out.vrp[i] = !m->vrp[i] && before.vrp[i];
  }
  for (unsigned i = 0; i < KEYS; i++) {
    in.key[i] = m->key[i] && !before.key[i];
    out.key[i] = !m->key[i] && before.key[i];
  }
  for (uint32_t i = 0; i < ASNS; i++) {
    in.aspa[i] = m->aspa[i] != before.aspa[i] ? m->aspa[i] : -1;
    out.aspa[i] = -1;
    if (before.aspa[i] >= 0 && m->aspa[i] < 0) {
      struct ww_aspa bare = {.customer = i};
      assert_int_equal(ww_payloads_add_aspa(&d->withdraw, &bare), WW_OK);
    }
  }
  add_model(&in, &d->announce);
  add_model(&out, &d->withdraw);
  assert_int_equal(ww_payloads_sort(&d->announce), WW_OK);
  assert_int_equal(ww_payloads_sort(&d->withdraw), WW_OK);
}

static void random_deltas(void **state) {
  (void)state;
  static struct model models[SOURCES];
  struct ww_ccr_state *sources[SOURCES], *all = ww_ccr_state_new(), *fresh = ww_ccr_state_new();
  const struct ww_ccr_state *borrowed[SOURCES];
  make_universe();
  for (unsigned i = 0; i < SOURCES; i++) {
    borrowed[i] = sources[i] = ww_ccr_state_new();
    for (unsigned k = 0; k < ASNS; k++)
      models[i].aspa[k] = -1;
  }
  for (unsigned round = 0; round < ROUNDS; round++) {
    unsigned i = pick(SOURCES);
    struct ww_payload_delta d = {0};
    change(&models[i], round % 7 == 0 ? 2000 : 1 + pick(30), &d);
    assert_int_equal(ww_ccr_state_apply(sources[i], &d), WW_OK);
    assert_state(sources[i], &models[i], 1);
    assert_int_equal(ww_ccr_state_unite(all, borrowed, SOURCES, &d, 1), WW_OK);
    assert_state(all, models, SOURCES);
    ww_payload_delta_fini(&d);
    if (round % 10 == 0) { /* made anew it is the same; of one or none, too */
      assert_int_equal(ww_ccr_state_unite(fresh, borrowed, SOURCES, NULL, 0), WW_OK);
      assert_state(fresh, models, SOURCES);
      assert_int_equal(ww_ccr_state_unite(fresh, borrowed + 1, 1, NULL, 0), WW_OK);
      assert_state(fresh, models + 1, 1);
      assert_int_equal(ww_ccr_state_unite(fresh, borrowed, 0, NULL, 0), WW_OK);
      assert_state(fresh, models, 0);
    }
  }
  /* A copy shares, and goes its own way. */
  assert_int_equal(ww_ccr_state_copy(fresh, all), WW_OK);
  struct ww_payload_delta d = {0};
  static struct model before[SOURCES];
  memcpy(before, models, sizeof(models));
  change(&models[0], 100, &d);
  assert_int_equal(ww_ccr_state_apply(sources[0], &d), WW_OK);
  assert_int_equal(ww_ccr_state_unite(all, borrowed, SOURCES, &d, 1), WW_OK);
  assert_state(all, models, SOURCES);
  assert_state(fresh, before, SOURCES);
  /* The whole set at once, and everything gone. */
  struct ww_payloads set = {0};
  add_model(&models[1], &set);
  assert_int_equal(ww_payloads_sort(&set), WW_OK);
  assert_int_equal(ww_ccr_state_set(fresh, &set), WW_OK);
  assert_state(fresh, &models[1], 1);
  struct ww_payload_delta gone = {.withdraw = set};
  assert_int_equal(ww_ccr_state_apply(fresh, &gone), WW_OK);
  assert_state(fresh, NULL, 0);
  ww_payloads_fini(&set);
  ww_payload_delta_fini(&d);
  for (unsigned i = 0; i < SOURCES; i++)
    ww_ccr_state_free(sources[i]);
  ww_ccr_state_free(all);
  ww_ccr_state_free(fresh);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(random_deltas)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
