/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payload sets: three growing arrays of plain records and a chain of blocks that owns what ASPAs and router keys point
 * to. Nothing in a block moves or is freed before the set is, so records may be copied and sorted as values.
 *
 * Sorting is what every completed update of a source pays, with 700000 VRPs in it: a set that is already in order costs
 * one pass of comparisons; any other is sorted by a byte-wise radix sort over a 64-bit digest of each VRP that keeps
 * the canonical order, and the few runs of equal digests (long IPv6 prefixes, many origins of one prefix) are finished
 * by qsort. ASPAs and router keys are some thousands: qsort.
 *
 * Clauses: RFC 8210 §5.10 (what makes a router key distinct), draft-ietf-sidrops-8210bis-26 §5.12 (union of ASPAs).
 */
#include <waywarden/payload.h>

#include <stdlib.h>
#include <string.h>

enum { PAYLOAD_BLOCK = 65536, PAYLOAD_FIRST_RECORDS = 64, RADIX_DIGITS = 8, RADIX_VALUES = 256 };

struct ww_payload_block {
  struct ww_payload_block *next;
  size_t cap, used;
  _Alignas(8) uint8_t data[];
};

void ww_payloads_fini(struct ww_payloads *set) {
  struct ww_payload_block *block = set->blocks;
  while (block) {
    struct ww_payload_block *next = block->next;
    free(block);
    block = next;
  }
  free(set->vrps);
  free(set->aspas);
  free(set->keys);
  *set = (struct ww_payloads){0};
}

void ww_payload_delta_fini(struct ww_payload_delta *delta) {
  ww_payloads_fini(&delta->announce);
  ww_payloads_fini(&delta->withdraw);
  ww_payloads_fini(&delta->refresh);
}

/* Room for one more record in an array of `size`-octet records, or NULL. */
static void *grow(void *array, size_t count, size_t *cap, size_t size) {
  if (count < *cap)
    return array;
  size_t want = *cap ? *cap * 2 : PAYLOAD_FIRST_RECORDS;
  if (want > SIZE_MAX / size)
    return NULL;
  void *larger = realloc(array, want * size);
  if (larger)
    *cap = want;
  return larger;
}

/* Octets that live as long as the set, aligned to 8. `n` is bounded by the callers' limits. */
static void *block_alloc(struct ww_payloads *set, size_t n) {
  n = (n + 7) & ~(size_t)7;
  struct ww_payload_block *block = set->blocks;
  if (!block || block->cap - block->used < n) {
    /* Small sets (a delta of one record) are common: begin small. */
    size_t cap = block ? PAYLOAD_BLOCK : 1024;
    if (cap < n)
      cap = n;
    block = malloc(sizeof(*block) + cap);
    if (!block)
      return NULL;
    block->cap = cap;
    block->used = 0;
    block->next = set->blocks;
    set->blocks = block;
  }
  void *p = block->data + block->used;
  block->used += n;
  return p;
}

static int compare_u32(const void *a, const void *b) {
  const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* Ascending and unique, in place; the new count. */
static uint32_t sort_unique(uint32_t *asns, uint32_t count) {
  bool sorted = true;
  for (uint32_t i = 1; i < count && sorted; i++)
    sorted = asns[i - 1] < asns[i];
  if (sorted)
    return count;
  qsort(asns, count, sizeof(*asns), compare_u32);
  uint32_t n = 1;
  for (uint32_t i = 1; i < count; i++)
    if (asns[i] != asns[n - 1])
      asns[n++] = asns[i];
  return n;
}

enum ww_err ww_payloads_add_vrp(struct ww_payloads *set, const struct ww_vrp *vrp) {
  if (!ww_prefix_is_canonical(&vrp->prefix) || vrp->max_len < vrp->prefix.len ||
      vrp->max_len > ww_afi_bits(vrp->prefix.afi))
    return WW_ERR_INVAL;
  struct ww_vrp *vrps = grow(set->vrps, set->vrp_count, &set->vrp_cap, sizeof(*vrps));
  if (!vrps)
    return WW_ERR_NOMEM;
  set->vrps = vrps;
  vrps[set->vrp_count++] = *vrp;
  return WW_OK;
}

enum ww_err ww_payloads_add_aspa(struct ww_payloads *set, const struct ww_aspa *aspa) {
  if (aspa->provider_count > WW_ASPA_PROVIDERS_MAX)
    return WW_ERR_LIMIT;
  struct ww_aspa *aspas = grow(set->aspas, set->aspa_count, &set->aspa_cap, sizeof(*aspas));
  if (!aspas)
    return WW_ERR_NOMEM;
  set->aspas = aspas;
  struct ww_aspa copy = *aspa;
  copy.providers = NULL;
  if (aspa->provider_count) {
    uint32_t *providers = block_alloc(set, aspa->provider_count * sizeof(*providers));
    if (!providers)
      return WW_ERR_NOMEM;
    memcpy(providers, aspa->providers, aspa->provider_count * sizeof(*providers));
    copy.provider_count = sort_unique(providers, aspa->provider_count);
    copy.providers = providers;
    if (providers[0] == 0 && copy.provider_count > 1)
      return WW_ERR_INVAL;
  }
  aspas[set->aspa_count++] = copy;
  return WW_OK;
}

enum ww_err ww_payloads_add_key(struct ww_payloads *set, const struct ww_router_key *key) {
  if (!key->spki_len)
    return WW_ERR_INVAL;
  if (key->spki_len > WW_SPKI_MAX)
    return WW_ERR_LIMIT;
  struct ww_router_key *keys = grow(set->keys, set->key_count, &set->key_cap, sizeof(*keys));
  if (!keys)
    return WW_ERR_NOMEM;
  set->keys = keys;
  uint8_t *spki = block_alloc(set, key->spki_len);
  if (!spki)
    return WW_ERR_NOMEM;
  memcpy(spki, key->spki, key->spki_len);
  struct ww_router_key copy = *key;
  copy.spki = spki;
  keys[set->key_count++] = copy;
  return WW_OK;
}

int ww_vrp_compare(const struct ww_vrp *a, const struct ww_vrp *b) {
  int c = ww_prefix_compare(&a->prefix, &b->prefix);
  if (c)
    return c;
  if (a->max_len != b->max_len)
    return (int)a->max_len - (int)b->max_len;
  return (a->asn > b->asn) - (a->asn < b->asn);
}

int ww_router_key_compare(const struct ww_router_key *a, const struct ww_router_key *b) {
  /* RFC 8210 §5.10: two Router Key PDUs are the same when AS, SKI and SPKI are. */
  if (a->asn != b->asn)
    return a->asn < b->asn ? -1 : 1;
  int c = memcmp(a->ski, b->ski, sizeof(a->ski));
  if (c)
    return c;
  uint32_t shorter = a->spki_len < b->spki_len ? a->spki_len : b->spki_len;
  c = shorter ? memcmp(a->spki, b->spki, shorter) : 0;
  return c ? c : (a->spki_len > b->spki_len) - (a->spki_len < b->spki_len);
}

static int vrp_order(const void *a, const void *b) {
  const struct ww_vrp *x = a, *y = b;
  return ww_vrp_compare(x, y);
}

static int aspa_order(const void *a, const void *b) {
  const struct ww_aspa *x = a, *y = b;
  return (x->customer > y->customer) - (x->customer < y->customer);
}

static int key_order(const void *a, const void *b) {
  const struct ww_router_key *x = a, *y = b;
  return ww_router_key_compare(x, y);
}

/* CHOICE: 0 means that the source does not say, so it is later than any time that is said... */
static ww_unix_time latest(ww_unix_time a, ww_unix_time b) {
  if (!a || !b)
    return 0;
  return a > b ? a : b;
}

/* ... and where the earliest counts, a time that is said goes before one that is not. */
static ww_unix_time earliest(ww_unix_time a, ww_unix_time b) {
  if (!a || !b)
    return a ? a : b;
  return a < b ? a : b;
}

/*
 * VRPs whose digests differ compare as their digests do. IPv4: address, length, max_len (44 bits), the upper 19 bits of
 * the AS number. IPv6: a 1, the upper 63 bits of the address.
 */
static uint64_t vrp_digest(const struct ww_vrp *vrp) {
  const uint8_t *b = vrp->prefix.addr;
  uint64_t high = (uint64_t)b[0] << 24 | (uint64_t)b[1] << 16 | (uint64_t)b[2] << 8 | b[3];
  if (vrp->prefix.afi == WW_AFI_IPV4)
    return high << 31 | (uint64_t)vrp->prefix.len << 25 | (uint64_t)vrp->max_len << 19 | vrp->asn >> 13;
  uint64_t low = (uint64_t)b[4] << 24 | (uint64_t)b[5] << 16 | (uint64_t)b[6] << 8 | b[7];
  return UINT64_C(1) << 63 | (high << 32 | low) >> 1;
}

struct ranked {
  uint64_t digest;
  size_t index;
};

/* Stable, least significant byte first; bytes that are the same in all entries cost nothing. The result is in `a`
 * or in `b`: returned. */
static struct ranked *radix_sort(struct ranked *a, struct ranked *b, size_t n, size_t (*counts)[RADIX_VALUES]) {
  for (size_t i = 0; i < n; i++)
    for (unsigned d = 0; d < RADIX_DIGITS; d++)
      counts[d][a[i].digest >> (8 * d) & 0xff]++;
  for (unsigned d = 0; d < RADIX_DIGITS; d++) {
    size_t *count = counts[d];
    if (count[a[0].digest >> (8 * d) & 0xff] == n)
      continue;
    size_t sum = 0;
    for (unsigned v = 0; v < RADIX_VALUES; v++) {
      size_t here = count[v];
      count[v] = sum;
      sum += here;
    }
    for (size_t i = 0; i < n; i++)
      b[count[a[i].digest >> (8 * d) & 0xff]++] = a[i];
    struct ranked *t = a;
    a = b;
    b = t;
  }
  return a;
}

static enum ww_err sort_vrps(struct ww_payloads *set) {
  size_t n = set->vrp_count;
  bool ordered = true;
  for (size_t i = 1; i < n && ordered; i++)
    ordered = ww_vrp_compare(&set->vrps[i - 1], &set->vrps[i]) < 0;
  if (ordered)
    return WW_OK;
  enum ww_err err = WW_ERR_NOMEM;
  struct ww_vrp *sorted = NULL;
  struct ranked *ranks = NULL;
  size_t(*counts)[RADIX_VALUES] = calloc(RADIX_DIGITS, sizeof(*counts));
  if (!counts || n > SIZE_MAX / 2 / sizeof(*ranks))
    goto out;
  ranks = malloc(2 * n * sizeof(*ranks));
  sorted = malloc(n * sizeof(*sorted));
  if (!ranks || !sorted)
    goto out;
  for (size_t i = 0; i < n; i++)
    ranks[i] = (struct ranked){.digest = vrp_digest(&set->vrps[i]), .index = i};
  const struct ranked *order = radix_sort(ranks, ranks + n, n, counts);
  for (size_t i = 0; i < n; i++)
    sorted[i] = set->vrps[order[i].index];
  for (size_t i = 0; i < n;) {
    size_t end = i + 1;
    while (end < n && order[end].digest == order[i].digest)
      end++;
    if (end - i > 1)
      qsort(sorted + i, end - i, sizeof(*sorted), vrp_order);
    i = end;
  }
  size_t kept = 1;
  for (size_t i = 1; i < n; i++) {
    struct ww_vrp *last = &sorted[kept - 1];
    if (ww_vrp_compare(last, &sorted[i]) == 0)
      last->expires = latest(last->expires, sorted[i].expires);
    else
      sorted[kept++] = sorted[i];
  }
  free(set->vrps);
  set->vrps = sorted;
  set->vrp_count = kept;
  set->vrp_cap = n;
  sorted = NULL;
  err = WW_OK;
out:
  free(counts);
  free(ranks);
  free(sorted);
  return err;
}

/* Makes one record of `count` >= 2 records of one customer. */
static enum ww_err unite_aspas(struct ww_payloads *set, const struct ww_aspa *aspas, size_t count,
                               struct ww_aspa *out) {
  struct ww_aspa united = aspas[0];
  size_t total = 0;
  for (size_t i = 0; i < count; i++) {
    total += aspas[i].provider_count;
    united.expires = earliest(united.expires, aspas[i].expires);
  }
  if (total > UINT32_MAX / sizeof(uint32_t))
    return WW_ERR_LIMIT;
  if (!total) {
    *out = united;
    return WW_OK;
  }
  uint32_t *providers = block_alloc(set, total * sizeof(*providers));
  if (!providers)
    return WW_ERR_NOMEM;
  uint32_t n = 0;
  for (size_t i = 0; i < count; i++) {
    if (aspas[i].provider_count)
      memcpy(providers + n, aspas[i].providers, aspas[i].provider_count * sizeof(*providers));
    n += aspas[i].provider_count;
  }
  n = sort_unique(providers, n);
  /* draft-ietf-sidrops-8210bis-26 §5.12: AS 0 must not stand beside other providers. It authorises nobody, so it adds
   * nothing to a union. */
  if (n > 1 && providers[0] == 0) {
    providers++;
    n--;
  }
  if (n > WW_ASPA_PROVIDERS_MAX)
    return WW_ERR_LIMIT;
  united.providers = providers;
  united.provider_count = n;
  *out = united;
  return WW_OK;
}

static enum ww_err sort_aspas(struct ww_payloads *set) {
  size_t n = set->aspa_count;
  struct ww_aspa *aspas = set->aspas;
  bool ordered = true;
  for (size_t i = 1; i < n && ordered; i++)
    ordered = aspas[i - 1].customer < aspas[i].customer;
  if (ordered)
    return WW_OK;
  qsort(aspas, n, sizeof(*aspas), aspa_order);
  size_t kept = 0;
  for (size_t i = 0; i < n;) {
    size_t end = i + 1;
    while (end < n && aspas[end].customer == aspas[i].customer)
      end++;
    struct ww_aspa one = aspas[i];
    if (end - i > 1) {
      enum ww_err err = unite_aspas(set, aspas + i, end - i, &one);
      if (err != WW_OK) {
        /* What was united stays, what was not follows: no record is lost. */
        memmove(aspas + kept, aspas + i, (n - i) * sizeof(*aspas));
        set->aspa_count = kept + n - i;
        return err;
      }
    }
    aspas[kept++] = one;
    i = end;
  }
  set->aspa_count = kept;
  return WW_OK;
}

static void sort_keys(struct ww_payloads *set) {
  size_t n = set->key_count;
  struct ww_router_key *keys = set->keys;
  bool ordered = true;
  for (size_t i = 1; i < n && ordered; i++)
    ordered = ww_router_key_compare(&keys[i - 1], &keys[i]) < 0;
  if (ordered)
    return;
  qsort(keys, n, sizeof(*keys), key_order);
  size_t kept = 1;
  for (size_t i = 1; i < n; i++) {
    struct ww_router_key *last = &keys[kept - 1];
    if (ww_router_key_compare(last, &keys[i]) == 0)
      last->expires = latest(last->expires, keys[i].expires);
    else
      keys[kept++] = keys[i];
  }
  set->key_count = kept;
}

enum ww_err ww_payloads_add_set(struct ww_payloads *set, const struct ww_payloads *from) {
  enum ww_err err = WW_OK;
  for (size_t i = 0; i < from->vrp_count && err == WW_OK; i++)
    err = ww_payloads_add_vrp(set, &from->vrps[i]);
  for (size_t i = 0; i < from->aspa_count && err == WW_OK; i++)
    err = ww_payloads_add_aspa(set, &from->aspas[i]);
  for (size_t i = 0; i < from->key_count && err == WW_OK; i++)
    err = ww_payloads_add_key(set, &from->keys[i]);
  return err;
}

enum ww_err ww_payloads_sort(struct ww_payloads *set) {
  enum ww_err err = sort_vrps(set);
  if (err != WW_OK)
    return err;
  err = sort_aspas(set);
  if (err != WW_OK)
    return err;
  sort_keys(set);
  return WW_OK;
}
