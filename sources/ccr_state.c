/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CCR states kept up to date.
 *
 * Each of the three payload states is a SEQUENCE of elements, one for each AS, ascending. It is held just so: as DER,
 * cut into blocks of some thousands of octets between elements. There is no other copy of the records: a delta decodes
 * the elements of the ASes that it names, changes and encodes them, and only blocks that hold one of them are written
 * anew. The hash is one pass of SHA-256 over a header and the blocks.
 *
 * That takes about as much memory as the DER (10.4 octets a VRP on the RPKI of 2025), and makes the union of several
 * sources cheap: an element that one source alone has is copied, and only those that several have are decoded.
 *
 * Blocks are counted references: a state that equals another shares them, so what one source alone makes costs nothing
 * twice. The counts are plain numbers: states that share blocks belong to one thread at a time.
 *
 * Invariants: elements ascend strictly within and across blocks; no block is empty; blocks[i]->first is the AS of its
 * first element; `len` adds up the blocks. A change builds the new list of blocks aside, and swaps it in when nothing
 * can fail any more.
 *
 * Clauses: draft-ietf-sidrops-rpki-ccr-11 §3, draft-ietf-sidrops-8210bis-26 §5.12, §10 (AS 0 in a union).
 */
#include "sources/ccr_state.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "sources/ccr_decode.h"
#include "sources/ccr_encode.h"

enum { BLOCK_TARGET = 16384, KINDS = 3 };

enum kind { VRPS, ASPAS, KEYS };

struct block {
  size_t refs;
  uint32_t first;
  uint32_t len;
  uint8_t der[];
};

struct sequence {
  struct block **blocks;
  size_t count, cap;
  size_t len;
  bool hashed;
  uint8_t hash[WW_CCR_HASH_LEN];
};

struct ww_ccr_state {
  struct sequence sequences[KINDS];
};

/* --- blocks ---------------------------------------------------------------------------------------------------- */

static void block_unref(struct block *block) {
  if (--block->refs == 0)
    free(block);
}

static void sequence_fini(struct sequence *s) {
  for (size_t i = 0; i < s->count; i++)
    block_unref(s->blocks[i]);
  free(s->blocks);
  *s = (struct sequence){0};
}

static bool sequence_push(struct sequence *s, struct block *block) {
  if (s->count == s->cap) {
    size_t cap = s->cap ? s->cap * 2 : 16;
    struct block **larger = realloc(s->blocks, cap * sizeof(*larger));
    if (!larger)
      return false;
    s->blocks = larger;
    s->cap = cap;
  }
  s->blocks[s->count++] = block;
  s->len += block->len;
  return true;
}

static enum ww_err sequence_copy(struct sequence *to, const struct sequence *from) {
  struct sequence copy = *from;
  copy.cap = from->count;
  copy.blocks = malloc((from->count ? from->count : 1) * sizeof(*copy.blocks));
  if (!copy.blocks)
    return WW_ERR_NOMEM;
  for (size_t i = 0; i < from->count; i++) {
    copy.blocks[i] = from->blocks[i];
    copy.blocks[i]->refs++;
  }
  sequence_fini(to);
  *to = copy;
  return WW_OK;
}

/* Puts a new sequence together out of elements and whole blocks, in order. */
struct builder {
  struct sequence out;
  uint8_t *open; /* elements of the block to come */
  size_t open_len, open_cap;
  uint32_t open_first;
  bool failed;
};

static void builder_close(struct builder *b) {
  if (!b->open_len || b->failed)
    return;
  struct block *block = malloc(sizeof(*block) + b->open_len);
  if (block) {
    block->refs = 1;
    block->first = b->open_first;
    block->len = (uint32_t)b->open_len;
    memcpy(block->der, b->open, b->open_len);
  }
  if (!block || !sequence_push(&b->out, block)) {
    free(block);
    b->failed = true;
  }
  b->open_len = 0;
}

static void builder_append(struct builder *b, uint32_t first, const uint8_t *der, size_t len) {
  if (b->open_len + len > b->open_cap) {
    size_t cap = b->open_cap ? b->open_cap : 4 * (size_t)BLOCK_TARGET;
    while (cap < b->open_len + len)
      cap *= 2;
    uint8_t *larger = cap > UINT32_MAX / 2 ? NULL : realloc(b->open, cap);
    if (!larger) {
      b->failed = true;
      return;
    }
    b->open = larger;
    b->open_cap = cap;
  }
  if (!b->open_len)
    b->open_first = first;
  memcpy(b->open + b->open_len, der, len);
  b->open_len += len;
}

static void builder_element(struct builder *b, uint32_t asn, const uint8_t *der, size_t len) {
  /* A block may grow to twice its size before it is cut, so that elements that come and go do not scatter it. */
  if (b->open_len && b->open_len + len > 2 * (size_t)BLOCK_TARGET)
    builder_close(b);
  if (!b->failed)
    builder_append(b, asn, der, len);
}

static void builder_block(struct builder *b, struct block *block) {
  if (b->open_len && b->open_len + block->len <= BLOCK_TARGET) { /* small ones unite */
    builder_append(b, block->first, block->der, block->len);
    return;
  }
  builder_close(b);
  if (b->failed)
    return;
  if (sequence_push(&b->out, block))
    block->refs++;
  else
    b->failed = true;
}

/* --- elements -------------------------------------------------------------------------------------------------- */

struct element {
  uint32_t asn;
  struct ww_der_span der; /* p == NULL: none */
};

/* Walks a sequence upwards. */
struct cursor {
  const struct sequence *s;
  size_t block;
  size_t at; /* octets into the block: behind `here` */
  struct element here;
};

static void cursor_next(struct cursor *c) {
  c->here = (struct element){0};
  if (c->block < c->s->count && c->at == c->s->blocks[c->block]->len) {
    c->block++;
    c->at = 0;
  }
  if (c->block >= c->s->count)
    return;
  const struct block *block = c->s->blocks[c->block];
  struct ww_der_input input;
  struct ww_der d = ww_der_open(&input, block->der + c->at, block->len - c->at), in = d;
  c->here.der = ww_der_element(&d, WW_DER_SEQUENCE);
  struct ww_der contents = ww_der_enter(&in, WW_DER_SEQUENCE);
  c->here.asn = ww_der_u32(&contents);
  c->at += c->here.der.len;
}

static struct cursor cursor_at_start(const struct sequence *s) {
  struct cursor c = {.s = s};
  cursor_next(&c);
  return c;
}

/* The element of an AS that is not before any asked for earlier. */
static struct element cursor_find(struct cursor *c, uint32_t asn) {
  const struct sequence *s = c->s;
  if (c->here.der.p && c->block + 1 < s->count && s->blocks[c->block + 1]->first <= asn) {
    size_t low = c->block + 1, high = s->count; /* blocks[low]->first <= asn < blocks[high]->first */
    while (high - low > 1) {
      size_t middle = low + (high - low) / 2;
      if (s->blocks[middle]->first <= asn)
        low = middle;
      else
        high = middle;
    }
    c->block = low;
    c->at = 0;
    cursor_next(c);
  }
  while (c->here.der.p && c->here.asn < asn)
    cursor_next(c);
  return c->here.der.p && c->here.asn == asn ? c->here : (struct element){0};
}

/* Elements that take the place of those of their ASes, ascending; length 0: removed. */
struct change {
  uint32_t asn;
  size_t at, len;
};

struct changes {
  struct change *list;
  size_t count, cap;
  uint8_t *der;
  size_t len, der_cap;
  bool failed;
};

static void changes_fini(struct changes *c) {
  free(c->list);
  free(c->der);
}

/* Adds a change, and gives a writer of its `len` octets. */
static struct ww_writer change_begin(struct changes *c, uint32_t asn, size_t len) {
  static uint8_t nowhere[1];
  if (!c->failed && c->count == c->cap) {
    size_t cap = c->cap ? c->cap * 2 : 64;
    struct change *larger = realloc(c->list, cap * sizeof(*larger));
    c->failed = !larger;
    if (larger) {
      c->list = larger;
      c->cap = cap;
    }
  }
  if (!c->failed && c->der_cap - c->len < len) {
    size_t cap = c->der_cap ? c->der_cap : 4096;
    while (cap - c->len < len)
      cap *= 2;
    uint8_t *larger = realloc(c->der, cap);
    c->failed = !larger;
    if (larger) {
      c->der = larger;
      c->der_cap = cap;
    }
  }
  if (c->failed)
    return ww_writer_make(nowhere, 0);
  c->list[c->count++] = (struct change){.asn = asn, .at = c->len, .len = len};
  c->len += len;
  return ww_writer_make(len ? c->der + c->len - len : nowhere, len);
}

/* A block holds the ASes from its first one up to the first one of the next block. */
static void rewrite_block(struct builder *b, const struct block *block, const struct changes *c, size_t from,
                          size_t to) {
  struct block *one[1];
  memcpy(one, &block, sizeof(block)); /* a sequence of this block alone, to walk */
  struct sequence s = {.blocks = one, .count = 1};
  struct cursor cursor = cursor_at_start(&s);
  while (cursor.here.der.p || from < to) {
    const struct change *change = from < to ? &c->list[from] : NULL;
    if (cursor.here.der.p && (!change || cursor.here.asn < change->asn)) {
      builder_element(b, cursor.here.asn, cursor.here.der.p, cursor.here.der.len);
      cursor_next(&cursor);
      continue;
    }
    if (cursor.here.der.p && cursor.here.asn == change->asn)
      cursor_next(&cursor);
    if (change->len)
      builder_element(b, change->asn, c->der + change->at, change->len);
    from++;
  }
}

/* The sequence with the changes made; *s stays. */
static enum ww_err rewrite(const struct sequence *s, const struct changes *c, struct sequence *out) {
  struct builder b = {0};
  size_t at = 0;
  if (!s->count)
    for (; at < c->count && !b.failed; at++)
      if (c->list[at].len)
        builder_element(&b, c->list[at].asn, c->der + c->list[at].at, c->list[at].len);
  for (size_t i = 0; i < s->count && !b.failed; i++) {
    size_t end = at;
    while (end < c->count && (i + 1 == s->count || c->list[end].asn < s->blocks[i + 1]->first))
      end++;
    if (end == at)
      builder_block(&b, s->blocks[i]);
    else
      rewrite_block(&b, s->blocks[i], c, at, end);
    at = end;
  }
  builder_close(&b);
  free(b.open);
  if (b.failed) {
    sequence_fini(&b.out);
    return WW_ERR_NOMEM;
  }
  *out = b.out;
  return WW_OK;
}

/* --- deltas: what becomes of each AS --------------------------------------------------------------------------- */

/* Appends the records of an element. It is our own, so that only memory can fail. */
static bool decode(struct ww_payloads *to, enum kind kind, struct element element) {
  struct ww_ccr_decoding decoding = {.out = to};
  struct ww_der_input input;
  struct ww_der d = ww_der_open(&input, element.der.p, element.der.len);
  if (!element.der.p)
    return true;
  if (kind == VRPS)
    (void)ww_ccr_read_roa(&d, &decoding);
  else if (kind == ASPAS)
    (void)ww_ccr_read_aspa(&d, &decoding);
  else
    (void)ww_ccr_read_keys(&d, &decoding);
  return ww_der_ok(&d);
}

static void change_vrps(struct changes *c, uint32_t asn, const struct ww_vrp *vrps, size_t count) {
  struct ww_writer w = change_begin(c, asn, count ? ww_ccr_roa_size(vrps, count) : 0);
  if (count && !c->failed)
    ww_ccr_put_roa(&w, vrps, count);
}

static void change_keys(struct changes *c, uint32_t asn, const struct ww_router_key *keys, size_t count) {
  struct ww_writer w = change_begin(c, asn, count ? ww_ccr_keys_size(keys, count) : 0);
  if (count && !c->failed)
    ww_ccr_put_keys(&w, keys, count);
}

static void change_aspa(struct changes *c, const struct ww_aspa *aspa) {
  struct ww_writer w = change_begin(c, aspa->customer, aspa->provider_count ? ww_ccr_aspa_size(aspa) : 0);
  if (aspa->provider_count && !c->failed)
    ww_ccr_put_aspa(&w, aspa);
}

/*
 * VRPs of an AS that has many are not decoded for the sake of a few: the encoded addresses are walked, compared with
 * the records of the delta where they lie, and what stays is copied in runs.
 */

/* An encoded ROAIPAddress, 30 L 03 N U octets... [02 M maxLength...], against a VRP of its family. */
static int compare_address(const uint8_t *p, const struct ww_vrp *vrp) {
  unsigned octets = p[3] - 1u, width = ww_afi_bits(vrp->prefix.afi) / 8u, len = octets * 8 - p[4];
  int c = octets ? memcmp(p + 5, vrp->prefix.addr, octets) : 0;
  for (unsigned i = octets; i < width && c == 0; i++)
    c = vrp->prefix.addr[i] ? -1 : 0;
  if (c == 0)
    c = (int)len - (int)vrp->prefix.len;
  if (c)
    return c;
  const uint8_t *max = p + 5 + octets, *end = p + 2 + p[1];
  return (int)(max < end ? end[-1] : len) - (int)vrp->max_len; /* 128 takes two octets, and the last says it all */
}

/* The VRPs of one AS and family: a range of a sorted set through its order. */
struct run {
  const struct ww_vrp *vrps;
  const uint32_t *order;
  size_t at, end;
};

static const struct ww_vrp *run_first(const struct run *r) { return r->at < r->end ? &r->vrps[r->order[r->at]] : NULL; }

/* The part of a run that is of one family; *r keeps the rest. */
static struct run run_family(struct run *r, uint8_t afi) {
  struct run part = *r;
  while (r->at < r->end && run_first(r)->prefix.afi == afi)
    r->at++;
  part.end = r->at;
  return part;
}

/* Addresses of one family, without those of `out`, with those of `in`, appended to *w. */
static void patch_addresses(struct ww_writer *w, struct ww_der_span old, struct run in, struct run out) {
  assert(old.p || old.len == 0);
  const uint8_t *p = old.p, *end = old.len ? old.p + old.len : old.p, *kept = p; /* [kept, p) is to be copied */
  for (;;) {
    const struct ww_vrp *add = run_first(&in), *drop = run_first(&out);
    if (!add && !drop)
      break;
    int to_add = !add ? -1 : p == end ? 1 : compare_address(p, add);
    int to_drop = !drop ? -1 : p == end ? 1 : compare_address(p, drop);
    if (to_add < 0 && to_drop < 0) {
      p += 2 + p[1];
      continue;
    }
    if (to_drop > 0) { /* it was not there */
      out.at++;
      continue;
    }
    if (to_drop == 0 || to_add == 0) { /* goes, or is there already: written anew */
      ww_writer_bytes(w, kept, (size_t)(p - kept));
      p += 2 + p[1];
      kept = p;
      out.at += to_drop == 0;
      if (to_add != 0)
        continue;
    } else {
      ww_writer_bytes(w, kept, (size_t)(p - kept));
      kept = p;
    }
    ww_ccr_put_address(w, add);
    in.at++;
  }
  ww_writer_bytes(w, kept, (size_t)(end - kept));
}

/* The addresses of each family of an element. */
static void find_addresses(struct element element, struct ww_der_span families[2]) {
  struct ww_der_input input;
  struct ww_der d = ww_der_open(&input, element.der.p, element.der.len);
  families[0] = families[1] = (struct ww_der_span){0};
  if (!element.der.p)
    return;
  struct ww_der set = ww_der_enter(&d, WW_DER_SEQUENCE);
  (void)ww_der_u32(&set);
  struct ww_der blocks = ww_der_enter(&set, WW_DER_SEQUENCE);
  while (ww_der_more(&blocks)) {
    struct ww_der family = ww_der_enter(&blocks, WW_DER_SEQUENCE);
    struct ww_der_span afi = ww_der_contents(&family, WW_DER_OCTET_STRING);
    if (afi.len == 2)
      families[afi.p[1] == WW_AFI_IPV6] = ww_der_contents(&family, WW_DER_SEQUENCE);
  }
}

struct scratch {
  uint8_t *octets;
  size_t cap;
};

static void patch_roa(struct changes *c, uint32_t asn, struct element old, struct run in, struct run out,
                      struct scratch *scratch) {
  enum { ADDRESS_MAX = 32 }; /* octets of an encoded address are fewer */
  struct ww_der_span families[2], patched[2];
  find_addresses(old, families);
  size_t need = old.der.len + (in.end - in.at) * ADDRESS_MAX;
  if (need > scratch->cap) {
    uint8_t *larger = realloc(scratch->octets, 2 * need);
    if (!larger) {
      c->failed = true;
      return;
    }
    scratch->octets = larger;
    scratch->cap = 2 * need;
  }
  struct ww_writer w = ww_writer_make(scratch->octets, scratch->cap);
  for (unsigned f = 0; f < 2; f++) {
    uint8_t afi = f ? WW_AFI_IPV6 : WW_AFI_IPV4;
    size_t from = w.len;
    patch_addresses(&w, families[f], run_family(&in, afi), run_family(&out, afi));
    patched[f] = (struct ww_der_span){.p = scratch->octets + from, .len = w.len - from};
  }
  struct ww_writer to = change_begin(c, asn, ww_ccr_roa_size_of(asn, patched));
  if (!c->failed)
    ww_ccr_put_roa_of(&to, asn, patched);
}

/* The end of the run of one AS that begins at `at`. */
static size_t vrp_run(const struct ww_payloads *set, const uint32_t *order, size_t at, uint32_t asn) {
  while (at < set->vrp_count && set->vrps[order[at]].asn == asn)
    at++;
  return at;
}

static void collect_vrps(const struct sequence *s, const struct ww_payload_delta *delta, struct changes *c) {
  const struct ww_payloads *in = &delta->announce, *out = &delta->withdraw;
  uint32_t *in_order = ww_ccr_order(in->vrps, in->vrp_count), *out_order = ww_ccr_order(out->vrps, out->vrp_count);
  struct cursor cursor = cursor_at_start(s);
  struct scratch scratch = {0};
  c->failed = c->failed || !in_order || !out_order;
  for (size_t i = 0, o = 0; !c->failed && (i < in->vrp_count || o < out->vrp_count);) {
    uint32_t a = i < in->vrp_count ? in->vrps[in_order[i]].asn : UINT32_MAX;
    uint32_t b = o < out->vrp_count ? out->vrps[out_order[o]].asn : UINT32_MAX, asn = a < b ? a : b;
    struct run added = {in->vrps, in_order, i, vrp_run(in, in_order, i, asn)};
    struct run gone = {out->vrps, out_order, o, vrp_run(out, out_order, o, asn)};
    i = added.end;
    o = gone.end;
    patch_roa(c, asn, cursor_find(&cursor, asn), added, gone, &scratch);
  }
  free(scratch.octets);
  free(in_order);
  free(out_order);
}

static void collect_aspas(const struct ww_payload_delta *delta, struct changes *c) {
  const struct ww_payloads *in = &delta->announce, *out = &delta->withdraw;
  for (size_t i = 0, o = 0; !c->failed && (i < in->aspa_count || o < out->aspa_count);) {
    if (o == out->aspa_count || (i < in->aspa_count && in->aspas[i].customer <= out->aspas[o].customer)) {
      o += o < out->aspa_count && in->aspas[i].customer == out->aspas[o].customer; /* an announcement replaces */
      change_aspa(c, &in->aspas[i++]);
    } else {
      (void)change_begin(c, out->aspas[o++].customer, 0);
    }
  }
}

static size_t key_run(const struct ww_payloads *set, size_t at, uint32_t asn) {
  while (at < set->key_count && set->keys[at].asn == asn)
    at++;
  return at;
}

static void collect_keys(const struct sequence *s, const struct ww_payload_delta *delta, struct changes *c) {
  const struct ww_payloads *in = &delta->announce, *out = &delta->withdraw;
  struct cursor cursor = cursor_at_start(s);
  struct ww_payloads set = {0};
  for (size_t i = 0, o = 0; !c->failed && (i < in->key_count || o < out->key_count);) {
    uint32_t a = i < in->key_count ? in->keys[i].asn : UINT32_MAX;
    uint32_t b = o < out->key_count ? out->keys[o].asn : UINT32_MAX, asn = a < b ? a : b;
    size_t in_end = key_run(in, i, asn), out_end = key_run(out, o, asn), kept = 0;
    ww_payloads_fini(&set);
    c->failed = !decode(&set, KEYS, cursor_find(&cursor, asn));
    for (size_t k = 0; k < set.key_count; k++) {
      bool gone = false;
      for (size_t x = o; x < out_end && !gone; x++)
        gone = ww_router_key_compare(&out->keys[x], &set.keys[k]) == 0;
      if (!gone)
        set.keys[kept++] = set.keys[k];
    }
    set.key_count = kept;
    for (; i < in_end && !c->failed; i++)
      c->failed = ww_payloads_add_key(&set, &in->keys[i]) != WW_OK;
    if (!c->failed && ww_payloads_sort(&set) != WW_OK)
      c->failed = true;
    if (!c->failed)
      change_keys(c, asn, set.keys, set.key_count);
    o = out_end;
  }
  ww_payloads_fini(&set);
}

static bool touches(const struct ww_payload_delta *d, enum kind kind) {
  if (kind == VRPS)
    return d->announce.vrp_count || d->withdraw.vrp_count;
  if (kind == ASPAS)
    return d->announce.aspa_count || d->withdraw.aspa_count;
  return d->announce.key_count || d->withdraw.key_count;
}

/* --- unions ---------------------------------------------------------------------------------------------------- */

struct asns {
  uint32_t *list;
  size_t count, cap;
  bool failed;
};

static void asns_add(struct asns *a, uint32_t asn) {
  if (a->count && a->list[a->count - 1] == asn)
    return;
  if (a->count == a->cap) {
    size_t cap = a->cap ? a->cap * 2 : 256;
    uint32_t *larger = realloc(a->list, cap * sizeof(*larger));
    if (!larger) {
      a->failed = true;
      return;
    }
    a->list = larger;
    a->cap = cap;
  }
  a->list[a->count++] = asn;
}

static void asns_of_set(struct asns *a, const struct ww_payloads *set, enum kind kind) {
  for (size_t i = 0; kind == VRPS && i < set->vrp_count; i++)
    asns_add(a, set->vrps[i].asn);
  for (size_t i = 0; kind == ASPAS && i < set->aspa_count; i++)
    asns_add(a, set->aspas[i].customer);
  for (size_t i = 0; kind == KEYS && i < set->key_count; i++)
    asns_add(a, set->keys[i].asn);
}

static int asn_order(const void *a, const void *b) {
  const uint32_t *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

static void asns_sort(struct asns *a) {
  size_t kept = 0;
  if (a->count)
    qsort(a->list, a->count, sizeof(*a->list), asn_order);
  for (size_t i = 0; i < a->count; i++)
    if (i == 0 || a->list[i] != a->list[kept - 1])
      a->list[kept++] = a->list[i];
  a->count = kept;
}

/* What several sources say of one AS, as one element. `set` is scratch. */
static void unite_elements(struct changes *c, enum kind kind, uint32_t asn, const struct element *elements,
                           size_t count, struct ww_payloads *set) {
  ww_payloads_fini(set);
  for (size_t i = 0; i < count && !c->failed; i++)
    c->failed = !decode(set, kind, elements[i]);
  if (!c->failed && ww_payloads_sort(set) != WW_OK)
    c->failed = true;
  if (c->failed)
    return;
  if (kind == VRPS)
    change_vrps(c, asn, set->vrps, set->vrp_count);
  else if (kind == KEYS)
    change_keys(c, asn, set->keys, set->key_count);
  else /* draft-ietf-sidrops-8210bis-26 §5.12, §10: sorting has made one ASPA of them, by the rule for AS 0 */
    change_aspa(c, &set->aspas[0]);
}

static void collect_union(enum kind kind, const struct ww_ccr_state *const *sources, size_t count,
                          const struct asns *asns, struct changes *c) {
  struct cursor *cursors = malloc(count * sizeof(*cursors));
  struct element *elements = malloc(count * sizeof(*elements));
  struct ww_payloads set = {0};
  c->failed = c->failed || !cursors || !elements || asns->failed;
  for (size_t i = 0; i < count && !c->failed; i++)
    cursors[i] = cursor_at_start(&sources[i]->sequences[kind]);
  for (size_t a = 0; a < asns->count && !c->failed; a++) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
      struct element e = cursor_find(&cursors[i], asns->list[a]);
      bool same = found && e.der.p && ww_der_span_is(e.der, elements[0].der.p, elements[0].der.len);
      if (e.der.p && !same)
        elements[found++] = e;
    }
    if (found > 1) {
      unite_elements(c, kind, asns->list[a], elements, found, &set);
      continue;
    }
    struct ww_writer w = change_begin(c, asns->list[a], found ? elements[0].der.len : 0);
    if (found && !c->failed)
      ww_writer_bytes(&w, elements[0].der.p, elements[0].der.len);
  }
  ww_payloads_fini(&set);
  free(cursors);
  free(elements);
}

/* --- the calls ------------------------------------------------------------------------------------------------- */

struct ww_ccr_state *ww_ccr_state_new(void) {
  return calloc(1, sizeof(struct ww_ccr_state));
}

void ww_ccr_state_free(struct ww_ccr_state *state) {
  if (!state)
    return;
  for (unsigned k = 0; k < KINDS; k++)
    sequence_fini(&state->sequences[k]);
  free(state);
}

/* Swaps in the sequences of `next` that are `made`, or throws them away. */
static enum ww_err conclude(struct ww_ccr_state *state, struct sequence next[KINDS], const bool made[KINDS],
                            enum ww_err err) {
  for (unsigned k = 0; k < KINDS; k++) {
    if (!made[k])
      continue;
    if (err == WW_OK) {
      sequence_fini(&state->sequences[k]);
      state->sequences[k] = next[k];
    } else {
      sequence_fini(&next[k]);
    }
  }
  return err;
}

enum ww_err ww_ccr_state_apply(struct ww_ccr_state *state, const struct ww_payload_delta *delta) {
  struct sequence next[KINDS] = {0};
  bool made[KINDS] = {0};
  enum ww_err err = WW_OK;
  for (unsigned k = 0; k < KINDS && err == WW_OK; k++) {
    struct changes c = {0};
    if (!touches(delta, (enum kind)k))
      continue;
    if (k == VRPS)
      collect_vrps(&state->sequences[k], delta, &c);
    else if (k == ASPAS)
      collect_aspas(delta, &c);
    else
      collect_keys(&state->sequences[k], delta, &c);
    err = c.failed ? WW_ERR_NOMEM : rewrite(&state->sequences[k], &c, &next[k]);
    made[k] = err == WW_OK;
    changes_fini(&c);
  }
  return conclude(state, next, made, err);
}

enum ww_err ww_ccr_state_set(struct ww_ccr_state *state, const struct ww_payloads *set) {
  struct ww_ccr_state fresh = {0};
  struct ww_payload_delta all = {.announce = *set}; /* borrowed */
  enum ww_err err = ww_ccr_state_apply(&fresh, &all);
  if (err != WW_OK)
    return err;
  const bool made[KINDS] = {true, true, true};
  return conclude(state, fresh.sequences, made, WW_OK);
}

enum ww_err ww_ccr_state_copy(struct ww_ccr_state *state, const struct ww_ccr_state *from) {
  struct sequence next[KINDS] = {0};
  bool made[KINDS] = {0};
  enum ww_err err = WW_OK;
  for (unsigned k = 0; k < KINDS && err == WW_OK; k++) {
    err = sequence_copy(&next[k], &from->sequences[k]);
    made[k] = err == WW_OK;
  }
  return conclude(state, next, made, err);
}

enum ww_err ww_ccr_state_unite(struct ww_ccr_state *state, const struct ww_ccr_state *const *sources, size_t count,
                               const struct ww_payload_delta *deltas, size_t delta_count) {
  static const struct sequence empty;
  struct ww_ccr_state none = {0};
  if (count < 2)
    return ww_ccr_state_copy(state, count ? sources[0] : &none);
  struct sequence next[KINDS] = {0};
  bool made[KINDS] = {0};
  enum ww_err err = WW_OK;
  for (unsigned k = 0; k < KINDS && err == WW_OK; k++) {
    struct asns asns = {0};
    struct changes c = {0};
    for (size_t i = 0; deltas && i < delta_count; i++) {
      asns_of_set(&asns, &deltas[i].announce, (enum kind)k);
      asns_of_set(&asns, &deltas[i].withdraw, (enum kind)k);
    }
    for (size_t i = 0; !deltas && i < count; i++)
      for (struct cursor at = cursor_at_start(&sources[i]->sequences[k]); at.here.der.p; cursor_next(&at))
        asns_add(&asns, at.here.asn);
    asns_sort(&asns);
    if (asns.count || !deltas) {
      collect_union((enum kind)k, sources, count, &asns, &c);
      err = c.failed ? WW_ERR_NOMEM : rewrite(deltas ? &state->sequences[k] : &empty, &c, &next[k]);
      made[k] = err == WW_OK;
    }
    changes_fini(&c);
    free(asns.list);
  }
  return conclude(state, next, made, err);
}

static struct ww_writer header_of(uint8_t *buf, size_t size, size_t len) {
  struct ww_writer w = ww_writer_make(buf, size);
  ww_der_put_header(&w, WW_DER_SEQUENCE, len);
  return w;
}

static enum ww_err hash_sequence(struct sequence *s, EVP_MD_CTX *md, const EVP_MD *sha256) {
  uint8_t buf[16];
  struct ww_writer w = header_of(buf, sizeof(buf), s->len);
  bool ok = EVP_DigestInit_ex(md, sha256, NULL) && EVP_DigestUpdate(md, w.buf, w.len);
  for (size_t i = 0; i < s->count && ok; i++)
    ok = EVP_DigestUpdate(md, s->blocks[i]->der, s->blocks[i]->len);
  ok = ok && EVP_DigestFinal_ex(md, s->hash, NULL);
  s->hashed = ok;
  /* With the algorithm in hand a digest fails for want of memory only. */
  return ok ? WW_OK : WW_ERR_NOMEM;
}

enum ww_err ww_ccr_state_hash(struct ww_ccr_state *state, struct ww_ccr_hashes *out) {
  EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
  EVP_MD_CTX *md = EVP_MD_CTX_new();
  enum ww_err err = sha256 && md ? WW_OK : WW_ERR_NOMEM;
  for (unsigned k = 0; k < KINDS && err == WW_OK; k++)
    if (!state->sequences[k].hashed)
      err = hash_sequence(&state->sequences[k], md, sha256);
  EVP_MD_CTX_free(md);
  EVP_MD_free(sha256);
  if (err != WW_OK)
    return err;
  memcpy(out->vrps, state->sequences[VRPS].hash, WW_CCR_HASH_LEN);
  memcpy(out->aspas, state->sequences[ASPAS].hash, WW_CCR_HASH_LEN);
  memcpy(out->keys, state->sequences[KEYS].hash, WW_CCR_HASH_LEN);
  return WW_OK;
}

size_t ww_ccr_state_memory(const struct ww_ccr_state *state) {
  size_t octets = sizeof(*state);
  for (unsigned k = 0; k < KINDS; k++) {
    const struct sequence *s = &state->sequences[k];
    octets += s->cap * sizeof(struct block *) + s->count * sizeof(struct block) + s->len;
  }
  return octets;
}

/* --- the file -------------------------------------------------------------------------------------------------- */

/* Contents of a ...State: the sequence and its hash. */
static size_t state_len(const struct sequence *s) { return ww_der_size(s->len) + ww_der_size(WW_CCR_DIGEST_LEN); }

enum ww_err ww_ccr_state_write(struct ww_ccr_state *state, ww_unix_time produced_at,
                               bool (*put)(void *ctx, const void *data, size_t len), void *ctx) {
  static const unsigned tags[KINDS] = {WW_CCR_VRPS, WW_CCR_ASPAS, WW_CCR_KEYS};
  struct ww_ccr_hashes hashes;
  enum ww_err err = ww_ccr_state_hash(state, &hashes);
  if (err != WW_OK)
    return err;
  uint8_t buf[128];
  size_t algorithm = ww_der_size(sizeof(ww_ccr_sha256_oid));
  size_t len = ww_der_size(algorithm) + ww_der_size(WW_DER_TIME_LEN);
  for (unsigned k = 0; k < KINDS; k++)
    len += ww_der_size(ww_der_size(state_len(&state->sequences[k])));
  struct ww_writer w = ww_writer_make(buf, sizeof(buf));
  ww_der_put_header(&w, WW_DER_SEQUENCE, ww_der_size(sizeof(ww_ccr_content_oid)) + ww_der_size(ww_der_size(len)));
  ww_der_put(&w, WW_DER_OID, ww_ccr_content_oid, sizeof(ww_ccr_content_oid));
  ww_der_put_header(&w, WW_DER_CONTEXT, ww_der_size(len));
  ww_der_put_header(&w, WW_DER_SEQUENCE, len); /* version 0 is the default, and so left out */
  ww_der_put_header(&w, WW_DER_SEQUENCE, algorithm);
  ww_der_put(&w, WW_DER_OID, ww_ccr_sha256_oid, sizeof(ww_ccr_sha256_oid));
  ww_der_put_time(&w, produced_at);
  if (w.overflow)
    return WW_ERR_INVAL;
  bool ok = put(ctx, w.buf, w.len);
  for (unsigned k = 0; k < KINDS && ok; k++) {
    const struct sequence *s = &state->sequences[k];
    w = ww_writer_make(buf, sizeof(buf));
    ww_der_put_header(&w, WW_DER_CONTEXT | tags[k], ww_der_size(state_len(s)));
    ww_der_put_header(&w, WW_DER_SEQUENCE, state_len(s));
    ww_der_put_header(&w, WW_DER_SEQUENCE, s->len);
    ok = put(ctx, w.buf, w.len);
    for (size_t i = 0; i < s->count && ok; i++)
      ok = put(ctx, s->blocks[i]->der, s->blocks[i]->len);
    w = ww_writer_make(buf, sizeof(buf));
    ww_der_put(&w, WW_DER_OCTET_STRING, s->hash, WW_CCR_HASH_LEN);
    ok = ok && put(ctx, w.buf, w.len);
  }
  return ok ? WW_OK : WW_ERR_IO;
}
