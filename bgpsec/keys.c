/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A key source over records: for callers that have router keys and no snapshot.
 *
 * The records lie in the order of ww_payloads_sort(): AS, SKI, key. One pair's keys follow each other, and a search for
 * the first of them is all that a question takes. A search for the SKI alone would not do: it would take a path that
 * one AS signed with its own key for another's (RFC 8205 §5.2, step 2).
 */
#include <waywarden/bgpsec.h>

#include <stdlib.h>
#include <string.h>

struct ww_bgpsec_keys {
  struct ww_payloads set;
};

struct ww_bgpsec_keys *ww_bgpsec_keys_new(const struct ww_router_key *keys, size_t count) {
  struct ww_bgpsec_keys *k = calloc(1, sizeof *k);
  enum ww_err err = k ? WW_OK : WW_ERR_NOMEM;
  for (size_t i = 0; i < count && !err; i++)
    err = ww_payloads_add_key(&k->set, &keys[i]);
  if (!err)
    err = ww_payloads_sort(&k->set);
  if (err) {
    ww_bgpsec_keys_free(k);
    return NULL;
  }
  return k;
}

void ww_bgpsec_keys_free(struct ww_bgpsec_keys *keys) {
  if (!keys)
    return;
  ww_payloads_fini(&keys->set);
  free(keys);
}

static int compare(const struct ww_router_key *key, uint32_t asn, const uint8_t *ski) {
  if (key->asn != asn)
    return key->asn < asn ? -1 : 1;
  return memcmp(key->ski, ski, WW_SKI_LEN);
}

static bool find(const void *ctx, uint32_t asn, const uint8_t *ski, size_t index, struct ww_router_key *out) {
  const struct ww_payloads *set = &((const struct ww_bgpsec_keys *)ctx)->set;
  size_t low = 0, high = set->key_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (compare(&set->keys[middle], asn, ski) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  if (index >= set->key_count - low || compare(&set->keys[low + index], asn, ski) != 0)
    return false;
  *out = set->keys[low + index];
  return true;
}

struct ww_bgpsec_key_source ww_bgpsec_keys_source(const struct ww_bgpsec_keys *keys) {
  return (struct ww_bgpsec_key_source){.ctx = keys, .find = find};
}
