/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a cache says between Cache Response and End of Data.
 *
 * A full set is 700000 prefixes and must be held beside the set in force until it is complete, so records are packed:
 * 12 octets for IPv4, 24 for IPv6, laid out so that the octets of the identity compare, as octets, in canonical order
 * (address, length, max length, ASN, all big-endian):
 *
 *     address(4 or 16)  length  max_len  asn(4)  announce  0
 *
 * At the end each family is sorted by a least-significant-digit radix sort over those octets. It is stable: records of
 * one identity stay in the order in which they came, so a run of equal keys is that record's history within the
 * response. A sound history alternates between announcement and withdrawal; its last entry is the record's final
 * state. Nothing depends on how different records were ordered: a cache that announces before it withdraws
 * (make before break) and one that does it the other way round give the same update.
 *
 * Router keys are few and large. They stay as they are and are sorted by reference. So are ASPAs, whose identity is the
 * customer alone: their lists lie one after the other as they came, and the entries are sorted.
 *
 * Ownership: the collection owns all it holds; finishing hands exact-size arrays to the update.
 *
 * Clauses: RFC 8210 §5.3 (minimal change set), §5.6, §5.7, §5.10 (one and only one PDU for a record), §12 codes 6, 7;
 * draft-ietf-sidrops-8210bis-26 §5.12 (one ASPA for a customer), §11.2.3 (not relied upon).
 */
#include "sources/rtr_collect.h"

#include <stdlib.h>
#include <string.h>

enum {
  V4_ADDR = 4,
  V6_ADDR = 16,
  KEY_TAIL = 6,                /* length, max_len, asn */
  V4_KEY = V4_ADDR + KEY_TAIL, /* 10 */
  V6_KEY = V6_ADDR + KEY_TAIL, /* 22 */
  V4_STRIDE = V4_KEY + 2,      /* announce, padding */
  V6_STRIDE = V6_KEY + 2,
  FIRST_RECORDS = 1024,
  OCTETS_PER_RECORD = 32, /* of a key or a list: they count as so many records */
  ASN_LEN = 4,
  DIGIT_VALUES = 256,
};

void ww_rtr_collect_init(struct ww_rtr_collect *collect, size_t limit) {
  /* The sort counts in 32 bits. */
  *collect = (struct ww_rtr_collect){.limit = limit < UINT32_MAX ? limit : UINT32_MAX};
  ww_buf_init(&collect->aspa_lists, 0); /* the limit on records bounds it */
}

void ww_rtr_collect_clear(struct ww_rtr_collect *collect) {
  free(collect->v4.data);
  free(collect->v6.data);
  free(collect->key_flags);
  ww_payloads_fini(&collect->keys);
  free(collect->aspas);
  ww_buf_fini(&collect->aspa_lists);
  ww_rtr_collect_init(collect, collect->limit);
}

/* Room for one more record; grows by half, so that little of a big table is waste. */
static uint8_t *table_push(struct ww_rtr_table *table, size_t stride) {
  if (table->count == table->cap) {
    size_t cap = table->cap ? table->cap + table->cap / 2 : FIRST_RECORDS;
    uint8_t *larger = cap > SIZE_MAX / stride ? NULL : realloc(table->data, cap * stride);
    if (!larger)
      return NULL;
    table->data = larger;
    table->cap = cap;
  }
  return table->data + table->count++ * stride;
}

enum ww_err ww_rtr_collect_vrp(struct ww_rtr_collect *collect, const struct ww_vrp *vrp, bool announce) {
  if (collect->used >= collect->limit)
    return WW_ERR_LIMIT;
  bool v4 = vrp->prefix.afi == WW_AFI_IPV4;
  size_t stride = v4 ? V4_STRIDE : V6_STRIDE;
  uint8_t *record = table_push(v4 ? &collect->v4 : &collect->v6, stride);
  if (!record)
    return WW_ERR_NOMEM;
  struct ww_writer w = ww_writer_make(record, stride);
  ww_writer_bytes(&w, vrp->prefix.addr, v4 ? V4_ADDR : V6_ADDR);
  ww_writer_u8(&w, vrp->prefix.len);
  ww_writer_u8(&w, vrp->max_len);
  ww_writer_u32(&w, vrp->asn);
  ww_writer_u8(&w, announce);
  ww_writer_u8(&w, 0);
  collect->used++;
  return WW_OK;
}

enum ww_err ww_rtr_collect_key(struct ww_rtr_collect *collect, const struct ww_router_key *key, bool announce) {
  size_t cost = 1 + key->spki_len / OCTETS_PER_RECORD;
  if (collect->limit - collect->used < cost)
    return WW_ERR_LIMIT;
  if (collect->keys.key_count == collect->key_flags_cap) {
    size_t cap = collect->key_flags_cap ? collect->key_flags_cap * 2 : FIRST_RECORDS;
    uint8_t *larger = realloc(collect->key_flags, cap);
    if (!larger)
      return WW_ERR_NOMEM;
    collect->key_flags = larger;
    collect->key_flags_cap = cap;
  }
  enum ww_err err = ww_payloads_add_key(&collect->keys, key);
  if (err)
    return err;
  collect->key_flags[collect->keys.key_count - 1] = announce;
  collect->used += cost;
  return WW_OK;
}

enum ww_err ww_rtr_collect_aspa(struct ww_rtr_collect *collect, const struct ww_rtr_aspa *aspa) {
  /* CHOICE: draft-ietf-sidrops-8210bis-26 §5.12 bounds the list by the PDU alone, WW_ASPA_PROVIDERS_MAX is the bound of
   * relying parties. One customer with a longer list must not cost the whole cache, so it has no record, as with
   * OpenBGPD. */
  bool unusable = aspa->announce && aspa->provider_count > WW_ASPA_PROVIDERS_MAX;
  size_t len = unusable ? 0 : (size_t)aspa->provider_count * ASN_LEN;
  size_t cost = 1 + len / OCTETS_PER_RECORD;
  if (collect->limit - collect->used < cost)
    return WW_ERR_LIMIT;
  if (collect->aspa_count == collect->aspa_cap) {
    size_t cap = collect->aspa_cap ? collect->aspa_cap * 2 : FIRST_RECORDS;
    struct ww_rtr_aspa_entry *larger = realloc(collect->aspas, cap * sizeof(*larger));
    if (!larger)
      return WW_ERR_NOMEM;
    collect->aspas = larger;
    collect->aspa_cap = cap;
  }
  size_t at = collect->aspa_lists.len;
  if (len && ww_buf_append(&collect->aspa_lists, aspa->providers, len))
    return WW_ERR_NOMEM;
  collect->aspas[collect->aspa_count] = (struct ww_rtr_aspa_entry){
      .providers = at,
      .seq = collect->aspa_count,
      .customer = aspa->customer,
      .provider_count = unusable ? 0 : aspa->provider_count,
      .announce = aspa->announce && !unusable,
      .unusable = unusable,
  };
  collect->aspa_count++;
  collect->used += cost;
  return WW_OK;
}

/* One pass of the sort by the octet at `digit`. Called with a constant stride, so that copies are moves. */
static inline void scatter(const uint8_t *from, uint8_t *to, size_t count, size_t stride, size_t digit,
                           const uint32_t *histogram) {
  uint32_t place[DIGIT_VALUES];
  uint32_t sum = 0;
  for (size_t v = 0; v < DIGIT_VALUES; v++) {
    place[v] = sum;
    sum += histogram[v];
  }
  for (size_t i = 0; i < count; i++, from += stride)
    memcpy(to + (size_t)place[from[digit]]++ * stride, from, stride);
}

static enum ww_err table_sort(struct ww_rtr_table *table, size_t stride, size_t key_len) {
  bool sorted = true;
  for (size_t i = 1; i < table->count && sorted; i++)
    sorted = memcmp(table->data + (i - 1) * stride, table->data + i * stride, key_len) <= 0;
  if (sorted)
    return WW_OK;
  uint32_t(*histogram)[DIGIT_VALUES] = calloc(key_len, sizeof(*histogram));
  uint8_t *other = malloc(table->count * stride);
  if (!histogram || !other) {
    free(histogram);
    free(other);
    return WW_ERR_NOMEM;
  }
  for (size_t i = 0; i < table->count; i++)
    for (size_t k = 0; k < key_len; k++)
      histogram[k][table->data[i * stride + k]]++;
  for (size_t k = key_len; k-- > 0;) {
    if (histogram[k][table->data[k]] == table->count) /* the same in all records */
      continue;
    if (stride == V4_STRIDE)
      scatter(table->data, other, table->count, V4_STRIDE, k, histogram[k]);
    else
      scatter(table->data, other, table->count, V6_STRIDE, k, histogram[k]);
    uint8_t *swap = table->data;
    table->data = other;
    other = swap;
  }
  table->cap = table->count; /* either block holds at least that */
  free(histogram);
  free(other);
  return WW_OK;
}

static struct ww_vrp record_vrp(const uint8_t *record, uint8_t afi) {
  size_t addr_len = afi == WW_AFI_IPV4 ? V4_ADDR : V6_ADDR;
  struct ww_reader r = ww_reader_make(record, addr_len + KEY_TAIL);
  struct ww_vrp vrp = {.prefix = {.afi = afi}};
  ww_reader_bytes(&r, vrp.prefix.addr, addr_len);
  vrp.prefix.len = ww_reader_u8(&r);
  vrp.max_len = ww_reader_u8(&r);
  vrp.asn = ww_reader_u32(&r);
  return vrp;
}

/* What a second entry with the same direction as the one before it means. */
static enum ww_err contradiction(bool announce) {
  /* RFC 8210 §5.6, §12: announced while active is code 7; withdrawn while not held is code 6. */
  return announce ? WW_ERR_EXISTS : WW_ERR_NOTFOUND;
}

/* Keeps the last entry of each run of equal keys; counts the announcements among them. */
static enum ww_err table_collapse(struct ww_rtr_table *table, size_t stride, uint8_t afi, size_t *announced,
                                  size_t *transient, struct ww_rtr_pdu *culprit) {
  size_t key_len = stride - 2, kept = 0;
  bool first = false; /* direction of the first entry of the run */
  for (size_t i = 0; i < table->count; i++) {
    const uint8_t *record = table->data + i * stride;
    bool announce = record[key_len];
    if (kept && memcmp(table->data + (kept - 1) * stride, record, key_len) == 0) {
      uint8_t *before = table->data + (kept - 1) * stride;
      if (before[key_len] == announce) {
        *culprit = (struct ww_rtr_pdu){.type = afi == WW_AFI_IPV4 ? WW_RTR_IPV4_PREFIX : WW_RTR_IPV6_PREFIX,
                                       .u.prefix = {.announce = announce, .vrp = record_vrp(record, afi)}};
        return contradiction(announce);
      }
      before[key_len] = announce;
      *announced = announce ? *announced + 1 : *announced - 1;
      if (first) /* announced first: held afterwards or transient, by turns */
        *transient = announce ? *transient - 1 : *transient + 1;
      continue;
    }
    first = announce;
    *announced += announce;
    memmove(table->data + kept++ * stride, record, stride);
  }
  table->count = kept;
  return WW_OK;
}

static void vrps_emit(const struct ww_rtr_table *table, size_t stride, uint8_t afi, struct ww_payload_delta *out) {
  for (size_t i = 0; i < table->count; i++) {
    const uint8_t *record = table->data + i * stride;
    struct ww_payloads *set = record[stride - 2] ? &out->announce : &out->withdraw;
    set->vrps[set->vrp_count++] = record_vrp(record, afi);
  }
}

/* An exact array, filled afterwards without further checks: it is what ww_payloads_fini() frees. */
static enum ww_err vrps_reserve(struct ww_payloads *set, size_t count) {
  if (!count)
    return WW_OK;
  set->vrps = malloc(count * sizeof(*set->vrps));
  if (!set->vrps)
    return WW_ERR_NOMEM;
  set->vrp_cap = count;
  return WW_OK;
}

struct key_entry {
  const struct ww_router_key *key;
  size_t seq;
  bool announce;
};

static int key_entry_compare(const void *a, const void *b) {
  const struct key_entry *x = a, *y = b;
  int c = ww_router_key_compare(x->key, y->key);
  return c ? c : (x->seq > y->seq) - (x->seq < y->seq);
}

static enum ww_err keys_finish(struct ww_rtr_collect *collect, struct ww_payload_delta *out, size_t *transient,
                               struct ww_rtr_pdu *culprit) {
  size_t count = collect->keys.key_count;
  if (!count)
    return WW_OK;
  struct key_entry *entries = malloc(count * sizeof(*entries));
  if (!entries)
    return WW_ERR_NOMEM;
  for (size_t i = 0; i < count; i++)
    entries[i] = (struct key_entry){.key = &collect->keys.keys[i], .seq = i, .announce = collect->key_flags[i]};
  qsort(entries, count, sizeof(*entries), key_entry_compare);
  enum ww_err err = WW_OK;
  for (size_t i = 0; i < count && !err;) {
    size_t end = i + 1;
    for (; end < count && ww_router_key_compare(entries[i].key, entries[end].key) == 0; end++) {
      if (entries[end].announce == entries[end - 1].announce) {
        *culprit = (struct ww_rtr_pdu){.type = WW_RTR_ROUTER_KEY,
                                       .u.key = {.announce = entries[end].announce, .key = *entries[end].key}};
        err = contradiction(entries[end].announce);
        goto out;
      }
    }
    const struct key_entry *last = &entries[end - 1];
    if (entries[i].announce && !last->announce)
      ++*transient;
    err = ww_payloads_add_key(last->announce ? &out->announce : &out->withdraw, last->key);
    i = end;
  }
out:
  free(entries);
  return err;
}

static int aspa_entry_compare(const void *a, const void *b) {
  const struct ww_rtr_aspa_entry *x = a, *y = b;
  int c = (x->customer > y->customer) - (x->customer < y->customer);
  return c ? c : (x->seq > y->seq) - (x->seq < y->seq);
}

static const uint8_t *aspa_list(const struct ww_rtr_collect *collect, const struct ww_rtr_aspa_entry *entry) {
  return entry->provider_count ? ww_buf_head(&collect->aspa_lists) + entry->providers : NULL;
}

/* The list of a withdrawal is another one than that of the announcement before it. */
static bool names_another(const struct ww_rtr_collect *collect, const struct ww_rtr_aspa_entry *announced,
                          const struct ww_rtr_aspa_entry *withdrawn) {
  return withdrawn->provider_count && (withdrawn->provider_count != announced->provider_count ||
                                       memcmp(aspa_list(collect, withdrawn), aspa_list(collect, announced),
                                              (size_t)withdrawn->provider_count * ASN_LEN) != 0);
}

/* The history of one customer, from entry `i` up to `end`: its last state, or NULL and the culprit. */
static const struct ww_rtr_aspa_entry *aspa_last(const struct ww_rtr_collect *collect, size_t i, size_t end,
                                                 struct ww_rtr_pdu *culprit) {
  const struct ww_rtr_aspa_entry *last = &collect->aspas[i];
  while (++i < end) {
    const struct ww_rtr_aspa_entry *next = &collect->aspas[i];
    /* CHOICE: draft-ietf-sidrops-8210bis-26 §12 lists an active customer under code 7, §5.12 has the announcement
     * replace it. It replaces over responses; within one, where §5.3 wants one PDU for a customer, it is code 7. */
    if (next->announce == last->announce && !next->unusable && !last->unusable) {
      *culprit = (struct ww_rtr_pdu){.version = WW_RTR_V2,
                                     .type = WW_RTR_ASPA,
                                     .u.aspa = {.announce = next->announce,
                                                .customer = next->customer,
                                                .provider_count = next->provider_count,
                                                .providers = aspa_list(collect, next)}};
      return NULL;
    }
    if (!next->announce && last->announce && names_another(collect, last, next))
      continue;
    last = next;
  }
  return last;
}

static enum ww_err aspas_finish(struct ww_rtr_collect *collect, struct ww_payload_delta *out, size_t *transient,
                                struct ww_rtr_pdu *culprit) {
  struct ww_rtr_aspa_entry *entries = collect->aspas;
  size_t count = collect->aspa_count;
  if (!count)
    return WW_OK;
  qsort(entries, count, sizeof(*entries), aspa_entry_compare);
  uint32_t *providers = malloc(WW_ASPA_PROVIDERS_MAX * sizeof(*providers));
  if (!providers)
    return WW_ERR_NOMEM;
  enum ww_err err = WW_OK;
  for (size_t i = 0, end; i < count && !err; i = end) {
    bool unusable = false, first = entries[i].announce;
    for (end = i; end < count && entries[end].customer == entries[i].customer; end++)
      unusable |= entries[end].unusable;
    const struct ww_rtr_aspa_entry *last = aspa_last(collect, i, end, culprit);
    if (!last) {
      err = contradiction(culprit->u.aspa.announce);
      break;
    }
    struct ww_aspa aspa = {.customer = last->customer};
    if (last->announce) {
      struct ww_reader r = ww_reader_make(aspa_list(collect, last), (size_t)last->provider_count * ASN_LEN);
      for (uint32_t k = 0; k < last->provider_count; k++)
        providers[k] = ww_reader_u32(&r);
      aspa.provider_count = last->provider_count;
      aspa.providers = providers;
    } else if (first || unusable) {
      ++*transient;
    }
    err = ww_payloads_add_aspa(last->announce ? &out->announce : &out->withdraw, &aspa);
  }
  free(providers);
  return err;
}

enum ww_err ww_rtr_collect_finish(struct ww_rtr_collect *collect, struct ww_payload_delta *out, size_t *transient,
                                  struct ww_rtr_pdu *culprit) {
  struct ww_rtr_table *v4 = &collect->v4, *v6 = &collect->v6;
  size_t announced = 0;
  *transient = 0;
  enum ww_err err = table_sort(v4, V4_STRIDE, V4_KEY);
  if (!err)
    err = table_sort(v6, V6_STRIDE, V6_KEY);
  if (!err)
    err = table_collapse(v4, V4_STRIDE, WW_AFI_IPV4, &announced, transient, culprit);
  if (!err)
    err = table_collapse(v6, V6_STRIDE, WW_AFI_IPV6, &announced, transient, culprit);
  if (!err)
    err = keys_finish(collect, out, transient, culprit);
  if (!err)
    err = aspas_finish(collect, out, transient, culprit);
  if (!err)
    err = vrps_reserve(&out->announce, announced);
  if (!err)
    err = vrps_reserve(&out->withdraw, v4->count + v6->count - announced);
  if (err) {
    ww_payload_delta_fini(out);
    return err;
  }
  vrps_emit(v4, V4_STRIDE, WW_AFI_IPV4, out);
  vrps_emit(v6, V6_STRIDE, WW_AFI_IPV6, out);
  ww_rtr_collect_clear(collect);
  return WW_OK;
}
