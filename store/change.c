/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * History entries to octets and back, and how a change is undone.
 *
 * The head is a CBOR map (cbor.c). The deltas follow on each other, each with its source, how many records of each
 * part and kind it has, and the records. A history is mostly prefixes, so these are kept small: sets are sorted, and a
 * record says how many octets of its address are those of the record before. Expiries, which most often are those of
 * the record before or not given, take no room of their own then. Numbers are as long as they need to be. A VRP comes
 * to about 8 octets; a whole first set of a cache therefore fits an entry.
 *
 * CHOICE: what a delta only refreshes is counted and not kept. A payload file moves most expiries each time that it is
 * made, so keeping them would make the history as large as the store each hour, and no verdict depends on them: a
 * record past its expiry is gone by an entry of its own.
 *
 * An ASPA is known by its customer, and deltas say what it becomes, not what it was. To be undone a change needs the
 * ASPAs of before: `replaced`, which is kept beside each delta.
 *
 * The decoder trusts nothing: sets out of order, numbers longer than need be, and counts that the octets do not bear
 * are refused, and memory is taken only as records are read.
 */
#include "store/change.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "store/cbor.h"
#include "store/key.h"

/* --- head ------------------------------------------------------------------------------------------------------ */

#define MEMBER(text, kind, field, required)                                                                            \
  { text, kind, offsetof(struct ww_change_head, field), 0, required, 0 }
static const struct ww_cbor_member members[] = {
    MEMBER("time", WW_CBOR_TIME, change.time, true),
    MEMBER("cause", WW_CBOR_U8, change.cause, true),
    MEMBER("source", WW_CBOR_U16, change.source, false),
    MEMBER("vrps-ipv4", WW_CBOR_U64, change.counts.vrps_v4, false),
    MEMBER("vrps-ipv6", WW_CBOR_U64, change.counts.vrps_v6, false),
    MEMBER("aspas", WW_CBOR_U64, change.counts.aspas, false),
    MEMBER("router-keys", WW_CBOR_U64, change.counts.router_keys, false),
    {"hashes", WW_CBOR_BYTES, offsetof(struct ww_change_head, change.hashes),
     sizeof(((struct ww_store_change *)0)->hashes), false, offsetof(struct ww_change_head, change.has_hashes)},
    MEMBER("announced", WW_CBOR_U64, announced, false),
    MEMBER("withdrawn", WW_CBOR_U64, withdrawn, false),
    MEMBER("refreshed", WW_CBOR_U64, change.refreshed, false),
    MEMBER("complete", WW_CBOR_BOOL, change.complete, true),
    MEMBER("octets", WW_CBOR_U32, octets, false),
};
#undef MEMBER

static const struct ww_cbor_map map = {"history entry", WW_CHANGE_HEAD_MAX, members,
                                       sizeof(members) / sizeof(members[0])};

size_t ww_change_head_encode(const struct ww_change_head *head, uint8_t *buf, size_t size) {
  return ww_cbor_write(&map, head, buf, size);
}

enum ww_err ww_change_head_decode(const void *data, size_t len, struct ww_change_head *out, struct ww_diag *diag) {
  struct ww_change_head head = {0};
  enum ww_err err = ww_cbor_read(&map, data, len, &head, diag);
  if (err != WW_OK)
    return err;
  if (head.octets > WW_STORE_CHANGE_MAX)
    return ww_fail(diag, WW_ERR_LIMIT, 0, NULL, "history entry: %u octets of deltas, at most %d are read", head.octets,
                   WW_STORE_CHANGE_MAX);
  *out = head;
  return WW_OK;
}

/* --- pieces ---------------------------------------------------------------------------------------------------- */

enum {
  EXPIRY_AS_BEFORE = 9, /* the codes below are the number of octets */
  SHARED_MAX = 15,
  VRP_OCTETS_MAX = 3 + 16 + 5 + 8,
  ASPA_OCTETS_MAX = 5 + 9 + 5, /* and 5 for each provider */
  KEY_OCTETS_MAX = 5 + WW_SKI_LEN + 9 + 5 + WW_SPKI_MAX,
  DELTA_OCTETS_MAX = 2 + 9 * 5,
};

/* Seven bits an octet, the low ones first, the top bit set on all but the last octet. */
static void put_number(struct ww_writer *w, uint32_t n) {
  while (n > 0x7f) {
    ww_writer_u8(w, (uint8_t)(n | 0x80));
    n >>= 7;
  }
  ww_writer_u8(w, (uint8_t)n);
}

static uint32_t get_number(struct ww_reader *r) {
  uint64_t n = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    uint8_t octet = ww_reader_u8(r);
    n |= (uint64_t)(octet & 0x7f) << shift;
    if (octet & 0x80)
      continue;
    if ((shift && !octet) || n > UINT32_MAX)
      break; /* longer than need be, or too large */
    return (uint32_t)n;
  }
  r->bad = true;
  r->p = r->end;
  return 0;
}

/* The code of an expiry; its octets, if any, in `octets`. */
static uint8_t expiry_code(ww_unix_time expires, ww_unix_time before, uint8_t octets[WW_STORE_EXPIRY_MAX]) {
  if (expires && expires == before)
    return EXPIRY_AS_BEFORE;
  return (uint8_t)ww_store_expiry_write(octets, expires);
}

static void put_expiry_octets(struct ww_writer *w, uint8_t code, const uint8_t *octets) {
  if (code != EXPIRY_AS_BEFORE)
    ww_writer_bytes(w, octets, code);
}

static ww_unix_time get_expiry(struct ww_reader *r, uint8_t code, ww_unix_time before) {
  ww_unix_time expires = 0;
  if (code == EXPIRY_AS_BEFORE)
    return before;
  const uint8_t *octets = code < EXPIRY_AS_BEFORE ? ww_reader_take(r, code) : NULL;
  if (!octets || !ww_store_expiry_read(octets, code, &expires))
    r->bad = true;
  return expires;
}

/* --- VRPs: IPv4, then IPv6 ------------------------------------------------------------------------------------- */

static size_t count_family(const struct ww_payloads *set, uint8_t afi) {
  size_t n = 0;
  for (size_t i = 0; i < set->vrp_count; i++)
    n += set->vrps[i].prefix.afi == afi;
  return n;
}

static bool vrp_can_be(const struct ww_vrp *v) {
  return ww_prefix_is_canonical(&v->prefix) && v->max_len >= v->prefix.len && v->max_len <= ww_afi_bits(v->prefix.afi);
}

static bool put_vrps(struct ww_writer *w, const struct ww_payloads *set) {
  struct ww_vrp before = {0};
  for (size_t i = 0; i < set->vrp_count; i++) {
    const struct ww_vrp *v = &set->vrps[i];
    if (!vrp_can_be(v) || (i && ww_vrp_compare(&set->vrps[i - 1], v) >= 0))
      return false;
    if (v->prefix.afi != before.prefix.afi)
      before = (struct ww_vrp){.expires = before.expires};
    unsigned octets = (v->prefix.len + 7u) / 8, shared = 0;
    while (shared < octets && shared < SHARED_MAX && v->prefix.addr[shared] == before.prefix.addr[shared])
      shared++;
    uint8_t expiry[WW_STORE_EXPIRY_MAX], code = expiry_code(v->expires, before.expires, expiry);
    ww_writer_u8(w, v->prefix.len);
    ww_writer_u8(w, (uint8_t)(v->max_len - v->prefix.len));
    ww_writer_u8(w, (uint8_t)(shared << 4 | code));
    ww_writer_bytes(w, v->prefix.addr + shared, octets - shared);
    put_number(w, v->asn);
    put_expiry_octets(w, code, expiry);
    before = *v;
  }
  return true;
}

static enum ww_err get_vrps(struct ww_reader *r, struct ww_payloads *set, uint8_t afi, uint32_t count) {
  struct ww_vrp before = {.expires = set->vrp_count ? set->vrps[set->vrp_count - 1].expires : 0};
  for (uint32_t i = 0; i < count && !r->bad; i++) {
    struct ww_vrp v = {.prefix = {.afi = afi, .len = ww_reader_u8(r)}};
    unsigned max_len = v.prefix.len + (unsigned)ww_reader_u8(r);
    uint8_t packed = ww_reader_u8(r);
    unsigned octets = (v.prefix.len + 7u) / 8, shared = packed >> 4;
    if (v.prefix.len > ww_afi_bits(afi) || max_len > ww_afi_bits(afi) || shared > octets) {
      r->bad = true;
      break;
    }
    v.max_len = (uint8_t)max_len;
    memcpy(v.prefix.addr, before.prefix.addr, shared);
    ww_reader_bytes(r, v.prefix.addr + shared, octets - shared);
    v.asn = get_number(r);
    v.expires = get_expiry(r, packed & 15, before.expires);
    if (r->bad)
      break;
    enum ww_err err = i && ww_vrp_compare(&before, &v) >= 0 ? WW_ERR_INVAL : ww_payloads_add_vrp(set, &v);
    if (err != WW_OK)
      return err;
    before = v;
  }
  return WW_OK;
}

/* --- ASPAs ----------------------------------------------------------------------------------------------------- */

static bool put_aspas(struct ww_writer *w, const struct ww_payloads *set) {
  ww_unix_time before = 0;
  for (size_t i = 0; i < set->aspa_count; i++) {
    const struct ww_aspa *a = &set->aspas[i];
    if (a->provider_count > WW_ASPA_PROVIDERS_MAX || (i && set->aspas[i - 1].customer >= a->customer))
      return false;
    uint8_t expiry[WW_STORE_EXPIRY_MAX], code = expiry_code(a->expires, before, expiry);
    put_number(w, i ? a->customer - set->aspas[i - 1].customer : a->customer);
    ww_writer_u8(w, code);
    put_expiry_octets(w, code, expiry);
    put_number(w, a->provider_count);
    for (uint32_t p = 0; p < a->provider_count; p++) {
      if (p && (a->providers[p - 1] >= a->providers[p] || a->providers[0] == 0))
        return false;
      put_number(w, p ? a->providers[p] - a->providers[p - 1] : a->providers[p]);
    }
    before = a->expires;
  }
  return true;
}

/* The next number of a list that ascends; `first` may be anything. */
static uint32_t get_ascending(struct ww_reader *r, bool first, uint32_t before) {
  uint32_t step = get_number(r);
  if (first)
    return step;
  if (step == 0 || step > UINT32_MAX - before)
    r->bad = true;
  return before + step;
}

static enum ww_err get_aspas(struct ww_reader *r, struct ww_payloads *set, uint32_t count) {
  struct ww_aspa a = {0};
  uint32_t *providers = NULL;
  enum ww_err err = WW_OK;
  for (uint32_t i = 0; i < count && !r->bad && err == WW_OK; i++) {
    a.customer = get_ascending(r, i == 0, a.customer);
    a.expires = get_expiry(r, ww_reader_u8(r), a.expires);
    a.provider_count = get_number(r);
    if (a.provider_count > WW_ASPA_PROVIDERS_MAX) {
      r->bad = true;
      break;
    }
    if (a.provider_count && !providers && !(providers = malloc(WW_ASPA_PROVIDERS_MAX * sizeof(*providers))))
      return WW_ERR_NOMEM;
    for (uint32_t p = 0; p < a.provider_count && !r->bad; p++)
      providers[p] = get_ascending(r, p == 0, p ? providers[p - 1] : 0);
    a.providers = providers;
    if (!r->bad)
      err = ww_payloads_add_aspa(set, &a);
  }
  free(providers);
  return err;
}

/* --- router keys ----------------------------------------------------------------------------------------------- */

static bool put_keys(struct ww_writer *w, const struct ww_payloads *set) {
  ww_unix_time before = 0;
  for (size_t i = 0; i < set->key_count; i++) {
    const struct ww_router_key *k = &set->keys[i];
    if (!k->spki_len || k->spki_len > WW_SPKI_MAX || (i && ww_router_key_compare(&set->keys[i - 1], k) >= 0))
      return false;
    uint8_t expiry[WW_STORE_EXPIRY_MAX], code = expiry_code(k->expires, before, expiry);
    put_number(w, k->asn);
    ww_writer_bytes(w, k->ski, sizeof(k->ski));
    ww_writer_u8(w, code);
    put_expiry_octets(w, code, expiry);
    put_number(w, k->spki_len);
    ww_writer_bytes(w, k->spki, k->spki_len);
    before = k->expires;
  }
  return true;
}

static enum ww_err get_keys(struct ww_reader *r, struct ww_payloads *set, uint32_t count) {
  struct ww_router_key k = {0};
  for (uint32_t i = 0; i < count && !r->bad; i++) {
    k.asn = get_number(r);
    ww_reader_bytes(r, k.ski, sizeof(k.ski));
    k.expires = get_expiry(r, ww_reader_u8(r), k.expires);
    k.spki_len = get_number(r);
    k.spki = k.spki_len <= WW_SPKI_MAX ? ww_reader_take(r, k.spki_len) : NULL;
    if (!k.spki)
      r->bad = true;
    enum ww_err err = r->bad ? WW_OK : ww_payloads_add_key(set, &k);
    size_t n = set->key_count;
    if (err == WW_OK && !r->bad && i && ww_router_key_compare(&set->keys[n - 2], &set->keys[n - 1]) >= 0)
      err = WW_ERR_INVAL;
    if (err != WW_OK)
      return err;
  }
  return WW_OK;
}

/* --- deltas ---------------------------------------------------------------------------------------------------- */

static size_t records(const struct ww_payloads *set) { return set->vrp_count + set->aspa_count + set->key_count; }

static size_t octets_at_most(const struct ww_payloads *set) {
  size_t n = set->vrp_count * VRP_OCTETS_MAX + set->key_count * KEY_OCTETS_MAX;
  for (size_t i = 0; i < set->aspa_count; i++)
    n += ASPA_OCTETS_MAX + (size_t)set->aspas[i].provider_count * 5;
  return n;
}

static const struct ww_aspa *find_aspa(const struct ww_payloads *set, uint32_t customer) {
  size_t low = 0, high = set ? set->aspa_count : 0;
  while (low < high) {
    size_t mid = low + (high - low) / 2;
    if (set->aspas[mid].customer == customer)
      return &set->aspas[mid];
    if (set->aspas[mid].customer < customer)
      low = mid + 1;
    else
      high = mid;
  }
  return NULL;
}

static bool can_be_undone(const struct ww_payload_delta *delta, const struct ww_payloads *replaced) {
  for (size_t i = 0; i < delta->withdraw.aspa_count; i++)
    if (!find_aspa(replaced, delta->withdraw.aspas[i].customer))
      return false;
  return true;
}

static bool put_delta(struct ww_writer *w, const struct ww_payload_delta *delta, const struct ww_payloads *replaced) {
  static const struct ww_payloads none = {0};
  const struct ww_payloads *parts[] = {&delta->announce, &delta->withdraw, replaced ? replaced : &none};
  ww_writer_u16(w, delta->source);
  for (unsigned i = 0; i < 2; i++) {
    put_number(w, (uint32_t)count_family(parts[i], WW_AFI_IPV4));
    put_number(w, (uint32_t)count_family(parts[i], WW_AFI_IPV6));
    put_number(w, (uint32_t)parts[i]->aspa_count);
    put_number(w, (uint32_t)parts[i]->key_count);
  }
  put_number(w, (uint32_t)parts[2]->aspa_count);
  for (unsigned i = 0; i < 2; i++)
    if (!put_vrps(w, parts[i]) || !put_aspas(w, parts[i]) || !put_keys(w, parts[i]))
      return false;
  return put_aspas(w, parts[2]);
}

enum ww_err ww_change_deltas_encode(struct ww_change_head *head, size_t max, uint8_t **out, struct ww_diag *diag) {
  struct ww_store_change *change = &head->change;
  size_t bound = 0;
  *out = NULL;
  head->announced = head->withdrawn = change->refreshed = 0;
  head->octets = 0;
  change->complete = true;
  for (size_t i = 0; i < change->delta_count; i++) {
    const struct ww_payload_delta *d = &change->deltas[i];
    const struct ww_payloads *replaced = change->replaced ? &change->replaced[i] : NULL;
    head->announced += records(&d->announce);
    head->withdrawn += records(&d->withdraw);
    change->refreshed += records(&d->refresh);
    bound += DELTA_OCTETS_MAX + octets_at_most(&d->announce) + octets_at_most(&d->withdraw) +
             (replaced ? octets_at_most(replaced) : 0);
    if (!can_be_undone(d, replaced))
      change->complete = false;
  }
  if (head->announced + head->withdrawn == 0)
    return WW_OK;
  uint8_t *buf = malloc(bound < max ? bound : max);
  if (!buf)
    return WW_ERR_NOMEM;
  struct ww_writer w = ww_writer_make(buf, bound < max ? bound : max);
  for (size_t i = 0; i < change->delta_count && !w.overflow; i++) {
    const struct ww_payload_delta *d = &change->deltas[i];
    if (records(&d->announce) + records(&d->withdraw) == 0)
      continue;
    if (!put_delta(&w, d, change->replaced ? &change->replaced[i] : NULL)) {
      free(buf);
      return ww_fail(diag, WW_ERR_INVAL, 0, NULL, "store: a change with a set that is not sorted, or cannot be");
    }
  }
  if (w.overflow) {
    free(buf);
    change->complete = false;
    return WW_OK;
  }
  head->octets = (uint32_t)w.len;
  *out = buf;
  return WW_OK;
}

static enum ww_err get_delta(struct ww_reader *r, struct ww_payload_delta *delta, struct ww_payloads *replaced) {
  struct ww_payloads *parts[] = {&delta->announce, &delta->withdraw};
  uint32_t counts[2][4];
  delta->source = ww_reader_u16(r);
  for (unsigned i = 0; i < 8; i++)
    counts[i / 4][i % 4] = get_number(r);
  uint32_t replaced_count = get_number(r);
  enum ww_err err = WW_OK;
  for (unsigned i = 0; i < 2 && err == WW_OK; i++) {
    err = get_vrps(r, parts[i], WW_AFI_IPV4, counts[i][0]);
    if (err == WW_OK)
      err = get_vrps(r, parts[i], WW_AFI_IPV6, counts[i][1]);
    if (err == WW_OK)
      err = get_aspas(r, parts[i], counts[i][2]);
    if (err == WW_OK)
      err = get_keys(r, parts[i], counts[i][3]);
  }
  return err == WW_OK ? get_aspas(r, replaced, replaced_count) : err;
}

/* Room for one more delta, zeroed. A store has at most 65535 sources, and an entry one delta for each. */
static bool grow_deltas(struct ww_store_change *change, size_t *cap) {
  if (change->delta_count < *cap)
    return true;
  size_t want = *cap ? *cap * 2 : 4;
  struct ww_payload_delta *deltas = calloc(want, sizeof(*deltas));
  struct ww_payloads *replaced = calloc(want, sizeof(*replaced));
  if (!deltas || !replaced) {
    free(deltas);
    free(replaced);
    return false;
  }
  if (*cap) {
    memcpy(deltas, change->deltas, *cap * sizeof(*deltas));
    memcpy(replaced, change->replaced, *cap * sizeof(*replaced));
  }
  free(change->deltas);
  free(change->replaced);
  change->deltas = deltas;
  change->replaced = replaced;
  *cap = want;
  return true;
}

enum ww_err ww_change_deltas_decode(const void *data, size_t len, struct ww_store_change *change,
                                    struct ww_diag *diag) {
  struct ww_reader r = ww_reader_make(data, len);
  size_t cap = 0;
  enum ww_err err = WW_OK;
  change->deltas = NULL;
  change->replaced = NULL;
  change->delta_count = 0;
  while (ww_reader_left(&r) && !r.bad && err == WW_OK) {
    if (change->delta_count == UINT16_MAX)
      err = WW_ERR_INVAL;
    else if (!grow_deltas(change, &cap))
      err = WW_ERR_NOMEM;
    else {
      size_t i = change->delta_count++;
      err = get_delta(&r, &change->deltas[i], &change->replaced[i]);
    }
  }
  if (err == WW_OK && !ww_reader_done(&r))
    err = WW_ERR_INVAL;
  if (err == WW_OK)
    return WW_OK;
  size_t at = ww_reader_offset(&r, data);
  ww_store_change_fini(change);
  return err == WW_ERR_NOMEM ? err : ww_fail(diag, WW_ERR_MALFORMED, at, NULL, "history entry: a delta that cannot be");
}

void ww_store_change_fini(struct ww_store_change *change) {
  for (size_t i = 0; i < change->delta_count; i++) {
    ww_payload_delta_fini(&change->deltas[i]);
    if (change->replaced)
      ww_payloads_fini(&change->replaced[i]);
  }
  free(change->deltas);
  free(change->replaced);
  *change = (struct ww_store_change){0};
}

/* --- undoing --------------------------------------------------------------------------------------------------- */

static enum ww_err add_all(struct ww_payloads *to, const struct ww_payloads *from) {
  enum ww_err err = WW_OK;
  for (size_t i = 0; i < from->vrp_count && err == WW_OK; i++)
    err = ww_payloads_add_vrp(to, &from->vrps[i]);
  for (size_t i = 0; i < from->key_count && err == WW_OK; i++)
    err = ww_payloads_add_key(to, &from->keys[i]);
  return err;
}

static enum ww_err undo_delta(const struct ww_payload_delta *delta, const struct ww_payloads *replaced,
                              struct ww_payload_delta *out) {
  out->source = delta->source;
  enum ww_err err = add_all(&out->announce, &delta->withdraw);
  if (err == WW_OK)
    err = add_all(&out->withdraw, &delta->announce);
  for (size_t i = 0; replaced && i < replaced->aspa_count && err == WW_OK; i++)
    err = ww_payloads_add_aspa(&out->announce, &replaced->aspas[i]);
  for (size_t i = 0; i < delta->announce.aspa_count && err == WW_OK; i++)
    if (!find_aspa(replaced, delta->announce.aspas[i].customer))
      err = ww_payloads_add_aspa(&out->withdraw, &(struct ww_aspa){.customer = delta->announce.aspas[i].customer});
  return err;
}

enum ww_err ww_store_change_undo(const struct ww_store_change *change, struct ww_payload_delta **out) {
  *out = NULL;
  if (!change->complete)
    return WW_ERR_STATE;
  struct ww_payload_delta *deltas = calloc(change->delta_count + 1, sizeof(*deltas));
  enum ww_err err = deltas ? WW_OK : WW_ERR_NOMEM;
  for (size_t i = 0; i < change->delta_count && err == WW_OK; i++)
    err = undo_delta(&change->deltas[i], change->replaced ? &change->replaced[i] : NULL, &deltas[i]);
  if (err != WW_OK) {
    for (size_t i = 0; deltas && i < change->delta_count; i++)
      ww_payload_delta_fini(&deltas[i]);
    free(deltas);
    return err;
  }
  *out = deltas;
  return WW_OK;
}
