/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is in force, kept by deltas, against starting from scratch: three caches of two groups and a file say and unsay
 * records, come into contact and lose it, SLURM sets come and go; the choice between caches, the filters on both sides
 * of a delta and the changes of a set are the ones that the daemon uses.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "slurm/slurm.h"
#include "sources/cache_groups.h"
#include <waywarden/snapshot.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SOURCES = 4, VRPS = 32, CUSTOMERS = 4, SLURM_ID = 9, DELAY = 10, SETS = 4, STEPS_MAX = 200 };

struct says {
  uint32_t vrps; /* bit by number */
  uint8_t aspas[CUSTOMERS];
};

struct world {
  struct says says[SOURCES];
  struct ww_cache caches[SOURCES];
  struct ww_slurm *sets[SETS + 1]; /* the first is NULL: none */
  unsigned slurm;
  int64_t now;
  struct ww_snapshot *snapshot;
};

#define SET(filters, aspa_filters, assertions, aspa_assertions)                                                        \
  "{\"slurmVersion\":2,\"validationOutputFilters\":{\"prefixFilters\":[" filters                                       \
  "],\"bgpsecFilters\":[],\"aspaFilters\":[" aspa_filters                                                              \
  "]},\"locallyAddedAssertions\":{\"prefixAssertions\":[" assertions                                                   \
  "],\"bgpsecAssertions\":[],\"aspaAssertions\":[" aspa_assertions "]}}"

static const char *const texts[SETS] = {
    SET("{\"asn\":1}", "", "", ""),
    SET("{\"prefix\":\"10.0.0.0/12\"},{\"prefix\":\"10.16.0.0/16\",\"asn\":2}", "{\"customerAsn\":101}",
        "{\"prefix\":\"10.3.0.0/16\",\"asn\":3}", "{\"customerAsn\":101,\"providerAsns\":[5]}"),
    SET("", "{\"customerAsn\":102},{\"customerAsn\":103}", "{\"prefix\":\"192.0.2.0/24\",\"asn\":1}",
        "{\"customerAsn\":101,\"providerAsns\":[5,6]}"),
    SET("{\"prefix\":\"0.0.0.0/0\"}", "", "", ""),
};

static void must(bool ok) {
  if (!ok)
    abort();
}

static void add_vrp(struct ww_payloads *set, unsigned i) {
  struct ww_vrp vrp = {
      .prefix = {.afi = WW_AFI_IPV4, .len = 16, .addr = {10, (uint8_t)i}}, .max_len = 16, .asn = i % 4};
  must(ww_payloads_add_vrp(set, &vrp) == WW_OK);
}

static void add_aspa(struct ww_payloads *set, unsigned i, unsigned providers) {
  uint32_t list[1] = {providers};
  struct ww_aspa aspa = {.customer = 100 + i, .provider_count = providers != 0, .providers = list};
  must(ww_payloads_add_aspa(set, &aspa) == WW_OK);
}

static void records_of(const struct says *says, struct ww_payloads *set) {
  for (unsigned i = 0; i < VRPS; i++)
    if (says->vrps >> i & 1)
      add_vrp(set, i);
  for (unsigned i = 0; i < CUSTOMERS; i++)
    if (says->aspas[i])
      add_aspa(set, i, says->aspas[i]);
  must(ww_payloads_sort(set) == WW_OK);
}

static void apply(struct world *w, struct ww_payload_delta *delta, unsigned source) {
  struct ww_snapshot *next;
  delta->source = (ww_source_id)source;
  must(ww_snapshot_apply(w->snapshot, delta, 1, true, &next) == WW_OK);
  ww_snapshot_unref(w->snapshot);
  w->snapshot = next;
  ww_payload_delta_fini(delta);
}

/* ---- what happens ---- */

static void update(struct world *w, unsigned source, const struct says *next) {
  struct ww_payload_delta raw = {0}, passed;
  struct says *says = &w->says[source];
  for (unsigned i = 0; i < VRPS; i++)
    if ((says->vrps ^ next->vrps) >> i & 1)
      add_vrp(next->vrps >> i & 1 ? &raw.announce : &raw.withdraw, i);
  for (unsigned i = 0; i < CUSTOMERS; i++)
    if (says->aspas[i] != next->aspas[i])
      add_aspa(next->aspas[i] ? &raw.announce : &raw.withdraw, i, next->aspas[i]);
  *says = *next;
  if (w->caches[source].active) {
    must(ww_slurm_filter_delta(w->sets[w->slurm], &raw, &passed) == WW_OK);
    apply(w, &passed, source + 1);
  }
  ww_payload_delta_fini(&raw);
}

static void change_slurm(struct world *w, unsigned slurm) {
  const struct ww_slurm *before = w->sets[w->slurm], *after = w->sets[slurm];
  struct ww_payload_delta delta;
  for (unsigned i = 0; i < SOURCES; i++) {
    struct ww_payloads raw = {0};
    records_of(&w->says[i], &raw);
    must(ww_slurm_change_source(before, after, &raw, &delta) == WW_OK);
    if (w->caches[i].active)
      apply(w, &delta, i + 1);
    else
      ww_payload_delta_fini(&delta);
    ww_payloads_fini(&raw);
  }
  must(ww_slurm_change_assertions(before, after, &delta) == WW_OK);
  apply(w, &delta, SLURM_ID);
  w->slurm = slurm;
}

static void choose(struct world *w) {
  bool was[SOURCES], any = false, data = false;
  for (unsigned i = 0; i < SOURCES; i++)
    was[i] = w->caches[i].active;
  must(ww_cache_groups_choose(w->caches, SOURCES, w->now, DELAY) > w->now);
  for (unsigned i = 0; i < SOURCES; i++) {
    struct ww_payload_delta all = {0}, passed;
    any = any || w->caches[i].active;
    data = data || w->caches[i].complete;
    must(w->caches[i].complete || !w->caches[i].active);
    if (w->caches[i].active == was[i])
      continue;
    records_of(&w->says[i], was[i] ? &all.withdraw : &all.announce);
    for (size_t k = 0; k < all.withdraw.aspa_count; k++)
      all.withdraw.aspas[k].provider_count = 0;
    must(ww_slurm_filter_delta(w->sets[w->slurm], &all, &passed) == WW_OK);
    apply(w, &passed, i + 1);
    ww_payload_delta_fini(&all);
  }
  must(any == data);
}

/* ---- from scratch ---- */

struct sum {
  uint64_t hash;
  size_t count;
};

static void mix(struct sum *sum, uint64_t value) {
  sum->hash = (sum->hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
  sum->hash ^= sum->hash >> 29;
  sum->count++;
}

static int sum_vrp(void *ctx, const struct ww_vrp *vrp, ww_source_id id) {
  mix(ctx, (uint64_t)vrp->prefix.addr[0] << 40 | (uint64_t)vrp->prefix.addr[1] << 32 | (uint64_t)vrp->asn << 8 | id);
  return 0;
}

static int sum_aspa(void *ctx, const struct ww_aspa *aspa, ww_source_id id) {
  mix(ctx, (uint64_t)aspa->customer << 32 | id);
  for (uint32_t i = 0; i < aspa->provider_count; i++)
    mix(ctx, aspa->providers[i]);
  return 0;
}

static void check(const struct world *w) {
  struct world scratch = {.snapshot = ww_snapshot_new()};
  const struct ww_slurm *slurm = w->sets[w->slurm];
  for (unsigned i = 0; i < SOURCES; i++) {
    struct ww_payloads all = {0};
    struct ww_payload_delta kept = {0};
    records_of(&w->says[i], &all);
    for (size_t k = 0; k < all.vrp_count; k++)
      if (!slurm || !ww_slurm_filters_vrp(slurm, &all.vrps[k]))
        must(ww_payloads_add_vrp(&kept.announce, &all.vrps[k]) == WW_OK);
    for (size_t k = 0; k < all.aspa_count; k++)
      if (!slurm || !ww_slurm_filters_aspa(slurm, &all.aspas[k]))
        must(ww_payloads_add_aspa(&kept.announce, &all.aspas[k]) == WW_OK);
    if (w->caches[i].active)
      apply(&scratch, &kept, i + 1);
    else
      ww_payload_delta_fini(&kept);
    ww_payloads_fini(&all);
  }
  if (slurm) {
    struct ww_payload_delta kept;
    must(ww_slurm_change_assertions(NULL, slurm, &kept) == WW_OK);
    apply(&scratch, &kept, SLURM_ID);
  }
  struct sum want = {0}, got = {0};
  ww_snapshot_walk(scratch.snapshot, &want, sum_vrp, sum_aspa, NULL);
  ww_snapshot_walk(w->snapshot, &got, sum_vrp, sum_aspa, NULL);
  must(want.hash == got.hash && want.count == got.count);
  ww_snapshot_unref(scratch.snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint16_t preferences[SOURCES] = {1, 1, 2, 0};
  struct world w = {.snapshot = ww_snapshot_new(), .now = 1000};
  struct ww_reader r = ww_reader_make(data, size);
  for (unsigned i = 0; i < SETS; i++) {
    struct ww_slurm_file file = {.name = "set", .text = texts[i], .len = strlen(texts[i])};
    struct ww_slurm_problems problems = {0};
    must(ww_slurm_read(&file, 1, NULL, &w.sets[i + 1], &problems) == WW_OK);
    ww_slurm_problems_fini(&problems);
  }
  for (unsigned i = 0; i < SOURCES; i++)
    w.caches[i] = (struct ww_cache){.preference = preferences[i], .since = w.now};
  for (unsigned step = 0; step < STEPS_MAX && ww_reader_left(&r); step++) {
    uint8_t what = ww_reader_u8(&r);
    unsigned source = what >> 6;
    struct ww_cache *cache = &w.caches[source];
    struct says next = w.says[source];
    switch (what & 7) {
    case 0:
    case 1:
    case 2:
      next.vrps ^= ww_reader_u32(&r);
      next.aspas[what >> 3 & 3] = ww_reader_u8(&r) & 3;
      update(&w, source, &next);
      if (!cache->in_contact)
        cache->since = w.now;
      cache->complete = cache->in_contact = true;
      break;
    case 3:
      if (cache->in_contact)
        cache->since = w.now;
      cache->in_contact = false;
      break;
    case 4: /* all of it goes; what stands ready in its place comes first */
      cache->complete = false;
      choose(&w);
      memset(&next, 0, sizeof(next));
      update(&w, source, &next);
      break;
    case 5:
      change_slurm(&w, (what >> 3 & 7) % (SETS + 1));
      break;
    default:
      w.now += ww_reader_u8(&r);
    }
    choose(&w);
    check(&w);
  }
  for (unsigned i = 0; i <= SETS; i++)
    ww_slurm_free(w.sets[i]);
  ww_snapshot_unref(w.snapshot);
  return 0;
}
