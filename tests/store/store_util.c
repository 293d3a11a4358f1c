/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/store/store_util.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Helpers of tests: whatever goes wrong here ends the program. */
static void must(bool ok) {
  if (!ok) {
    perror("store_util");
    abort();
  }
}

void dir_make(char path[64]) {
  strcpy(path, "/tmp/ww-store-XXXXXX");
  must(mkdtemp(path) != NULL);
}

void path_join(char *out, size_t size, const char *dir, const char *name) {
  must((size_t)snprintf(out, size, "%s/%s", dir, name) < size);
}

void dir_remove(const char *path) {
  DIR *dir = opendir(path);
  if (!dir)
    return;
  for (struct dirent *e; (e = readdir(dir)) != NULL;) {
    char name[512];
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
      continue;
    path_join(name, sizeof(name), path, e->d_name);
    if (unlink(name) != 0)
      dir_remove(name);
  }
  closedir(dir);
  rmdir(path);
}

uint64_t rng_next(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

static void add_vrp(struct ww_payloads *set, uint64_t *rng) {
  static const ww_unix_time expiries[] = {0, 1, 255, 256, 1800000000, INT64_C(1) << 40, -5};
  uint64_t r = rng_next(rng);
  struct ww_vrp v = {.asn = r & 1 ? 64500 + (uint32_t)(r >> 8 & 3) : UINT32_MAX, .expires = expiries[(r >> 16) % 7]};
  v.prefix.afi = r >> 32 & 1 ? WW_AFI_IPV6 : WW_AFI_IPV4;
  v.prefix.len = v.prefix.afi == WW_AFI_IPV6 ? (uint8_t)(r >> 40 & 1 ? 128 : 33) : (uint8_t)(r >> 40 & 1 ? 32 : 9);
  v.max_len = r >> 48 & 1 ? v.prefix.len : ww_afi_bits(v.prefix.afi);
  v.prefix.addr[0] = (uint8_t)(r >> 50 & 7);
  v.prefix.addr[3] = (uint8_t)(r >> 53 & 7);
  ww_prefix_mask(&v.prefix);
  must(ww_payloads_add_vrp(set, &v) == WW_OK);
}

static void add_aspa(struct ww_payloads *set, uint64_t *rng, size_t universe) {
  uint64_t r = rng_next(rng);
  uint32_t providers[4] = {(uint32_t)(r >> 8 & 3) + 1, (uint32_t)(r >> 10 & 3) + 1, 4200000000u, 77};
  struct ww_aspa a = {.customer = 65536 + (uint32_t)(r >> 12) % (uint32_t)(universe * 2),
                      .provider_count = (uint32_t)(r & 3) + 1,
                      .providers = providers,
                      .expires = (r >> 40 & 1) * 1800000000};
  must(ww_payloads_add_aspa(set, &a) == WW_OK);
}

static void add_key(struct ww_payloads *set, uint64_t *rng) {
  uint64_t r = rng_next(rng);
  uint8_t spki[WW_SPKI_MAX];
  memset(spki, (int)(r & 15), sizeof(spki)); /* several keys of one AS and SKI: their digests are in no order */
  struct ww_router_key k = {.asn = 64496 + (uint32_t)(r >> 8 & 1),
                            .spki = spki,
                            .spki_len = r >> 9 & 1 ? WW_SPKI_MAX : 91,
                            .expires = (ww_unix_time)(r >> 10 & 1)};
  k.ski[19] = (uint8_t)(r >> 11 & 1);
  must(ww_payloads_add_key(set, &k) == WW_OK);
}

void set_random(struct ww_payloads *set, uint64_t seed, size_t vrps, size_t aspas, size_t keys) {
  *set = (struct ww_payloads){0};
  for (size_t i = 0; i < vrps; i++)
    add_vrp(set, &seed);
  for (size_t i = 0; i < aspas; i++)
    add_aspa(set, &seed, aspas);
  for (size_t i = 0; i < keys; i++)
    add_key(set, &seed);
  must(ww_payloads_sort(set) == WW_OK);
}

void set_of_epoch(struct ww_payloads *set, uint32_t epoch) {
  *set = (struct ww_payloads){0};
  if (epoch == 0)
    return;
  set_random(set, epoch, 20 + epoch % 50, 5, 3);
  uint32_t count = epoch % 16 * 20 + 1;
  for (uint32_t i = 0; i < count; i++) {
    struct ww_vrp v = {.prefix = {.afi = WW_AFI_IPV4, .len = 32}, .max_len = 32, .asn = epoch, .expires = epoch};
    uint32_t address = 0x80000000u + i * 16 + epoch % 7;
    for (unsigned b = 0; b < 4; b++)
      v.prefix.addr[b] = (uint8_t)(address >> (24 - 8 * b));
    must(ww_payloads_add_vrp(set, &v) == WW_OK);
  }
  must(ww_payloads_sort(set) == WW_OK);
}

void set_copy(struct ww_payloads *to, const struct ww_payloads *from) {
  *to = (struct ww_payloads){0};
  for (size_t i = 0; i < from->vrp_count; i++)
    must(ww_payloads_add_vrp(to, &from->vrps[i]) == WW_OK);
  for (size_t i = 0; i < from->aspa_count; i++)
    must(ww_payloads_add_aspa(to, &from->aspas[i]) == WW_OK);
  for (size_t i = 0; i < from->key_count; i++)
    must(ww_payloads_add_key(to, &from->keys[i]) == WW_OK);
}

static bool same_providers(const struct ww_aspa *a, const struct ww_aspa *b) {
  return a->provider_count == b->provider_count &&
         (!a->provider_count || memcmp(a->providers, b->providers, a->provider_count * sizeof(*a->providers)) == 0);
}

static bool equal(const struct ww_payloads *a, const struct ww_payloads *b, bool expiry) {
  if (a->vrp_count != b->vrp_count || a->aspa_count != b->aspa_count || a->key_count != b->key_count)
    return false;
  for (size_t i = 0; i < a->vrp_count; i++)
    if (ww_vrp_compare(&a->vrps[i], &b->vrps[i]) != 0 || (expiry && a->vrps[i].expires != b->vrps[i].expires))
      return false;
  for (size_t i = 0; i < a->aspa_count; i++)
    if (a->aspas[i].customer != b->aspas[i].customer || (expiry && a->aspas[i].expires != b->aspas[i].expires) ||
        !same_providers(&a->aspas[i], &b->aspas[i]))
      return false;
  for (size_t i = 0; i < a->key_count; i++)
    if (ww_router_key_compare(&a->keys[i], &b->keys[i]) != 0 || (expiry && a->keys[i].expires != b->keys[i].expires))
      return false;
  return true;
}

bool set_equal(const struct ww_payloads *a, const struct ww_payloads *b) { return equal(a, b, true); }

bool set_same_but_expiry(const struct ww_payloads *a, const struct ww_payloads *b) { return equal(a, b, false); }

static const struct ww_vrp *find_vrp(const struct ww_payloads *set, const struct ww_vrp *v) {
  for (size_t i = 0; i < set->vrp_count; i++)
    if (ww_vrp_compare(&set->vrps[i], v) == 0)
      return &set->vrps[i];
  return NULL;
}

static const struct ww_aspa *find_aspa(const struct ww_payloads *set, uint32_t customer) {
  for (size_t i = 0; i < set->aspa_count; i++)
    if (set->aspas[i].customer == customer)
      return &set->aspas[i];
  return NULL;
}

static const struct ww_router_key *find_key(const struct ww_payloads *set, const struct ww_router_key *k) {
  for (size_t i = 0; i < set->key_count; i++)
    if (ww_router_key_compare(&set->keys[i], k) == 0)
      return &set->keys[i];
  return NULL;
}

void model_diff(const struct ww_payloads *from, const struct ww_payloads *to, struct ww_payload_delta *out) {
  *out = (struct ww_payload_delta){0};
  for (size_t i = 0; i < to->vrp_count; i++) {
    const struct ww_vrp *v = &to->vrps[i], *old = find_vrp(from, v);
    if (!old || old->expires != v->expires)
      must(ww_payloads_add_vrp(old ? &out->refresh : &out->announce, v) == WW_OK);
  }
  for (size_t i = 0; i < from->vrp_count; i++)
    if (!find_vrp(to, &from->vrps[i]))
      must(ww_payloads_add_vrp(&out->withdraw, &from->vrps[i]) == WW_OK);
  for (size_t i = 0; i < to->aspa_count; i++) {
    const struct ww_aspa *a = &to->aspas[i], *old = find_aspa(from, a->customer);
    if (!old || !same_providers(old, a))
      must(ww_payloads_add_aspa(&out->announce, a) == WW_OK);
    else if (old->expires != a->expires)
      must(ww_payloads_add_aspa(&out->refresh, a) == WW_OK);
  }
  for (size_t i = 0; i < from->aspa_count; i++)
    if (!find_aspa(to, from->aspas[i].customer)) {
      struct ww_aspa a = {.customer = from->aspas[i].customer, .expires = from->aspas[i].expires};
      must(ww_payloads_add_aspa(&out->withdraw, &a) == WW_OK);
    }
  for (size_t i = 0; i < to->key_count; i++) {
    const struct ww_router_key *k = &to->keys[i], *old = find_key(from, k);
    if (!old || old->expires != k->expires)
      must(ww_payloads_add_key(old ? &out->refresh : &out->announce, k) == WW_OK);
  }
  for (size_t i = 0; i < from->key_count; i++)
    if (!find_key(to, &from->keys[i]))
      must(ww_payloads_add_key(&out->withdraw, &from->keys[i]) == WW_OK);
}

void model_apply(const struct ww_payloads *from, const struct ww_payload_delta *changes, struct ww_payloads *out) {
  const struct ww_payloads *in = &changes->announce, *gone = &changes->withdraw;
  *out = (struct ww_payloads){0};
  for (size_t i = 0; i < from->vrp_count; i++)
    if (!find_vrp(gone, &from->vrps[i]) && !find_vrp(in, &from->vrps[i]))
      must(ww_payloads_add_vrp(out, &from->vrps[i]) == WW_OK);
  for (size_t i = 0; i < from->aspa_count; i++)
    if (!find_aspa(gone, from->aspas[i].customer) && !find_aspa(in, from->aspas[i].customer))
      must(ww_payloads_add_aspa(out, &from->aspas[i]) == WW_OK);
  for (size_t i = 0; i < from->key_count; i++)
    if (!find_key(gone, &from->keys[i]) && !find_key(in, &from->keys[i]))
      must(ww_payloads_add_key(out, &from->keys[i]) == WW_OK);
  for (size_t i = 0; i < in->vrp_count; i++)
    must(ww_payloads_add_vrp(out, &in->vrps[i]) == WW_OK);
  for (size_t i = 0; i < in->aspa_count; i++)
    must(ww_payloads_add_aspa(out, &in->aspas[i]) == WW_OK);
  for (size_t i = 0; i < in->key_count; i++)
    must(ww_payloads_add_key(out, &in->keys[i]) == WW_OK);
  must(ww_payloads_sort(out) == WW_OK);
}

static void keep_replaced(struct pass *p, const struct ww_payloads *part) {
  for (size_t i = 0; i < part->aspa_count; i++) {
    const struct ww_aspa *a = find_aspa(p->before, part->aspas[i].customer);
    if (a)
      must(ww_payloads_add_aspa(&p->replaced[0], a) == WW_OK);
  }
}

enum ww_err pass_on(void *ctx, const struct ww_payload_delta *raw, uint32_t epoch, struct ww_store_change *change,
                    struct ww_diag *diag) {
  struct pass *p = ctx;
  (void)diag;
  must(change->epoch == epoch && !change->deltas && !change->delta_count && !change->has_hashes);
  p->calls++;
  p->epoch = epoch;
  p->deltas[0] = *raw;
  p->deltas[1] = p->extra;
  ww_payloads_fini(&p->replaced[0]);
  if (p->before) {
    keep_replaced(p, &raw->announce);
    keep_replaced(p, &raw->withdraw);
    must(ww_payloads_sort(&p->replaced[0]) == WW_OK);
  }
  change->time = 1000 + epoch;
  change->cause = WW_CAUSE_UPDATE;
  change->source = raw->source;
  change->counts.vrps_v4 = (uint64_t)epoch * 10;
  change->counts.router_keys = UINT64_MAX;
  change->has_hashes = epoch % 2;
  memset(change->hashes, (int)epoch, sizeof(change->hashes));
  change->deltas = p->deltas;
  change->replaced = p->before ? p->replaced : NULL;
  change->delta_count = p->extra.source ? 2 : 1;
  return WW_OK;
}

void pass_fini(struct pass *pass) {
  ww_payloads_fini(&pass->replaced[0]);
  ww_payload_delta_fini(&pass->extra);
}
