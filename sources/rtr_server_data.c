/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the RTR server serves, and why 900 routers do not cost 900 encodings.
 *
 * The unit is the block: the payload PDUs of one answer in one version, in the order that version 2 demands, encoded
 * once and shared by reference. A client that is being answered holds a reference and an offset, nothing else. Session
 * ids, timers and serials stand in Cache Response and End of Data, which each client has for itself.
 *
 *   full[v]    the whole set. Made when a Reset Query asks for it and not before: between two restarts of routers
 *              hundreds of publications pass that nobody wants whole. It is encoded from the snapshot, which does not
 *              change, so that may happen on another thread; who asked waits.
 *   cache      answers to Serial Queries, by version and starting serial; the last few that were asked for.
 *   window     the effective change of each of the last publications, as records. An answer from an older serial is
 *              the net of the changes since: for each record its first and its last change decide. Bounded by
 *              publications and by records.
 *
 * A full set is written in one pass over the snapshot. Prefixes come in ascending order and are wanted in descending
 * order, so they are written from the end of their room to its front; only those that share an address are sorted.
 *
 * CHOICE: one serial for all versions, one session id for each. A version to which a publication brings nothing has a
 * new serial with an empty delta, and its clients are not notified.
 *
 * CHOICE: a restart begins with new session ids. The window is not kept on disk, so a client's serial could not be
 * answered anyway; what it gets is a Cache Reset.
 *
 * Memory: blocks of earlier serials live while a client is still reading them. How much that is follows from clients,
 * not from us, so it is bounded: when all blocks together exceed four times the full sets (at least 64 MiB),
 * ww_rtr_data_crowded() says so, and the server cuts whoever is furthest behind.
 *
 * Clauses: RFC 8210 §5.1, §5.3, §5.5, §5.6, §5.10; RFC 1982 §3.2; draft-ietf-sidrops-8210bis-26 §5.3, §5.6, §5.12,
 * §11.2.
 */
#include "sources/rtr_server_data.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
  WINDOW_SERIALS = 512,
  WINDOW_CHANGES_MIN = 100000, /* or half as many as there are records */
  DELTA_CACHE = 32,
  CROWD_MIN = 64 << 20,
  CROWD_FULLS = 4, /* for each version */
  IPV4_PDU = 20,
  IPV6_PDU = 32,
};

struct window_entry {
  uint32_t serial; /* that this change led to */
  struct ww_effective_delta delta;
};

struct cached_delta {
  uint8_t version;
  uint32_t from;
  struct ww_rtr_block *block;
};

struct ww_rtr_data {
  const struct ww_log *log;
  uint16_t sessions[WW_RTR_VERSIONS];
  uint32_t serial;
  struct ww_snapshot *snapshot;
  uint32_t changed[WW_RTR_VERSIONS];
  struct window_entry window[WINDOW_SERIALS]; /* ring: the oldest at `first` */
  size_t first, count, changes;
  struct cached_delta cache[DELTA_CACHE];
  size_t cache_next;
  struct ww_rtr_block *full[WW_RTR_VERSIONS];
  bool wanted[WW_RTR_VERSIONS], building;
  size_t records, full_len; /* of the set; of the largest encoding seen */
  size_t live;
  size_t left_out_said;
  uint64_t publications, builds, deltas;
};

/* ---- blocks ---- */

struct ww_rtr_block *ww_rtr_block_ref(struct ww_rtr_block *block) {
  block->refs++;
  return block;
}

void ww_rtr_block_unref(struct ww_rtr_block *block) {
  if (!block || --block->refs > 0)
    return;
  if (block->live)
    *block->live -= block->len;
  free(block->data);
  free(block);
}

/* Takes `data`. */
static struct ww_rtr_block *block_new(uint8_t version, uint32_t serial, uint8_t *data, size_t len) {
  struct ww_rtr_block *block = (struct ww_rtr_block *)malloc(sizeof *block);
  if (!block) {
    free(data);
    return NULL;
  }
  *block = (struct ww_rtr_block){.refs = 1, .version = version, .serial = serial, .len = len, .data = data};
  return block;
}

static void count_block(struct ww_rtr_data *data, struct ww_rtr_block *block) {
  block->live = &data->live;
  data->live += block->len;
}

/* ---- order ---- */

static int by_u32(uint32_t a, uint32_t b) { return (a > b) - (a < b); }

/* draft-ietf-sidrops-8210bis-26 §11.2.1: addr, mlen, plen, asn, all ascending: the order of withdrawals. */
static int withdrawal_order(const void *a, const void *b) {
  const struct ww_vrp *x = (const struct ww_vrp *)a, *y = (const struct ww_vrp *)b;
  if (x->prefix.afi != y->prefix.afi) /* §11.2: PDU types ascend */
    return (int)x->prefix.afi - (int)y->prefix.afi;
  int c = memcmp(x->prefix.addr, y->prefix.addr, sizeof x->prefix.addr);
  if (c)
    return c;
  if (x->max_len != y->max_len)
    return (int)x->max_len - (int)y->max_len;
  if (x->prefix.len != y->prefix.len)
    return (int)x->prefix.len - (int)y->prefix.len;
  return by_u32(x->asn, y->asn);
}

/* The order of announcements is the reverse, within a family. */
static int announcement_order(const void *a, const void *b) {
  const struct ww_vrp *x = (const struct ww_vrp *)a, *y = (const struct ww_vrp *)b;
  return x->prefix.afi == y->prefix.afi ? withdrawal_order(b, a) : withdrawal_order(a, b);
}

/* draft-ietf-sidrops-8210bis-26 §11.2.2: ski, spkinfolen, spkinfo, asn. */
static int key_order(const void *a, const void *b) {
  const struct ww_router_key *x = (const struct ww_router_key *)a, *y = (const struct ww_router_key *)b;
  int c = memcmp(x->ski, y->ski, sizeof x->ski);
  if (!c)
    c = by_u32(x->spki_len, y->spki_len);
  if (!c)
    c = memcmp(x->spki, y->spki, x->spki_len);
  return c ? c : by_u32(x->asn, y->asn);
}

/* draft-ietf-sidrops-8210bis-26 §11.2.3 */
static int aspa_order(const void *a, const void *b) {
  return by_u32(((const struct ww_aspa *)a)->customer, ((const struct ww_aspa *)b)->customer);
}

static void sort(void *records, size_t count, size_t size, int (*order)(const void *, const void *)) {
  if (count > 1)
    qsort(records, count, size, order);
}

/* ---- encoding ---- */

static void write_vrp(struct ww_writer *w, uint8_t version, bool announce, const struct ww_vrp *vrp) {
  struct ww_rtr_pdu pdu;
  pdu.version = version;
  pdu.type = vrp->prefix.afi == WW_AFI_IPV4 ? WW_RTR_IPV4_PREFIX : WW_RTR_IPV6_PREFIX;
  pdu.u.prefix.announce = announce;
  pdu.u.prefix.vrp = *vrp;
  ww_rtr_write(w, &pdu);
}

static void write_vrps(struct ww_writer *w, uint8_t version, uint8_t afi, bool announce,
                       const struct ww_payloads *set) {
  for (size_t i = 0; i < set->vrp_count; i++)
    if (set->vrps[i].prefix.afi == afi)
      write_vrp(w, version, announce, &set->vrps[i]);
}

static void write_keys(struct ww_writer *w, uint8_t version, bool announce, const struct ww_payloads *set) {
  for (size_t i = 0; i < set->key_count; i++) {
    struct ww_rtr_pdu pdu = {
        .version = version, .type = WW_RTR_ROUTER_KEY, .u.key = {.announce = announce, .key = set->keys[i]}};
    ww_rtr_write(w, &pdu);
  }
}

static void write_aspas(struct ww_writer *w, uint8_t version, bool announce, const struct ww_payloads *set) {
  for (size_t i = 0; i < set->aspa_count; i++)
    ww_rtr_write_aspa(w, version, announce, &set->aspas[i]);
}

/* draft-ietf-sidrops-8210bis-26 §11.2: by type, and within one all announcements before all withdrawals. CHOICE: the
 * same for versions 0 and 1, as it recommends. */
static void write_sorted(struct ww_writer *w, uint8_t version, const struct ww_payloads *in,
                         const struct ww_payloads *out) {
  for (uint8_t afi = WW_AFI_IPV4; afi <= WW_AFI_IPV6; afi++) {
    write_vrps(w, version, afi, true, in);
    write_vrps(w, version, afi, false, out);
  }
  if (version >= WW_RTR_V1) {
    write_keys(w, version, true, in);
    write_keys(w, version, false, out);
  }
  if (version >= WW_RTR_V2) {
    write_aspas(w, version, true, in);
    write_aspas(w, version, false, out);
  }
}

static void sort_tail(struct ww_payloads *set) {
  sort(set->keys, set->key_count, sizeof *set->keys, key_order);
  sort(set->aspas, set->aspa_count, sizeof *set->aspas, aspa_order);
}

void ww_rtr_encode(struct ww_writer *w, uint8_t version, struct ww_payloads *in, struct ww_payloads *out) {
  sort(in->vrps, in->vrp_count, sizeof *in->vrps, announcement_order);
  sort(out->vrps, out->vrp_count, sizeof *out->vrps, withdrawal_order);
  sort_tail(in);
  sort_tail(out);
  write_sorted(w, version, in, out);
}

/* ---- the whole set ---- */

struct ww_rtr_build {
  struct ww_snapshot *snapshot;
  uint8_t version;
  uint32_t serial;
  struct ww_rtr_block *block; /* NULL after the run: no memory */
  size_t left_out;
};

/* Writes prefixes of one family from the end of their room to its front. */
struct backward {
  uint8_t version;
  size_t size; /* of a PDU */
  uint8_t *start, *at, *end;
  struct ww_vrp *same; /* those that share the address of the last one */
  size_t count, cap;
  bool mixed; /* ... and are of several lengths */
  bool failed;
};

static void flush_same(struct backward *b) {
  if (b->mixed) /* otherwise they came in order */
    qsort(b->same, b->count, sizeof *b->same, withdrawal_order);
  for (size_t i = 0; i < b->count; i++) {
    assert(b->at > b->start); /* there is room for every record of every source */
    b->at -= b->size;
    struct ww_writer w = ww_writer_make(b->at, b->size);
    write_vrp(&w, b->version, true, &b->same[i]);
  }
  b->count = 0;
  b->mixed = false;
}

/* ctx: of IPv4, then of IPv6 */
static int add_backward(void *ctx, const struct ww_vrp *vrp, ww_source_id source) {
  struct backward *b = (struct backward *)ctx + (vrp->prefix.afi == WW_AFI_IPV6);
  (void)source;
  if (b->count > 0) {
    const struct ww_vrp *last = &b->same[b->count - 1];
    if (memcmp(last->prefix.addr, vrp->prefix.addr, sizeof vrp->prefix.addr) != 0)
      flush_same(b);
    else if (ww_vrp_compare(last, vrp) == 0)
      return 0; /* of another source */
    else
      b->mixed |= last->prefix.len != vrp->prefix.len;
  }
  if (b->count == b->cap) {
    size_t cap = b->cap ? b->cap * 2 : 16;
    struct ww_vrp *larger = (struct ww_vrp *)realloc(b->same, cap * sizeof *larger);
    if (!larger) {
      b->failed = true;
      return 1;
    }
    b->same = larger;
    b->cap = cap;
  }
  b->same[b->count++] = *vrp;
  return 0;
}

/* All prefixes, announced, into `room`, which has place for every record of every source; the octets used, or SIZE_MAX
 * without memory. */
static size_t write_prefixes(const struct ww_snapshot *snapshot, uint8_t version, uint8_t *room, size_t v4, size_t v6) {
  struct backward both[2] = {
      {.version = version, .size = IPV4_PDU, .start = room, .at = room + v4, .end = room + v4},
      {.version = version, .size = IPV6_PDU, .start = room + v4, .at = room + v4 + v6, .end = room + v4 + v6}};
  (void)ww_snapshot_walk(snapshot, both, add_backward, NULL, NULL);
  bool failed = both[0].failed || both[1].failed;
  size_t used = 0;
  for (unsigned i = 0; i < 2; i++) {
    struct backward *b = &both[i];
    if (!failed) {
      flush_same(b);
      size_t n = (size_t)(b->end - b->at);
      if (n > 0 && b->at != room + used) /* several sources had the same */
        memmove(room + used, b->at, n);
      used += n;
    }
    free(b->same);
  }
  return failed ? SIZE_MAX : used;
}

static uint8_t *encode_set(const struct ww_rtr_build *build, const struct ww_payloads *tail, size_t *len) {
  static const struct ww_payloads none;
  struct ww_snapshot_counts counts;
  ww_snapshot_counts(build->snapshot, &counts);
  struct ww_writer size = ww_writer_make(NULL, 0);
  write_sorted(&size, build->version, tail, &none);
  size_t v4 = counts.vrps_v4 * IPV4_PDU, v6 = counts.vrps_v6 * IPV6_PDU;
  uint8_t *data = (uint8_t *)malloc(v4 + v6 + size.len + 1);
  if (!data)
    return NULL;
  size_t used = write_prefixes(build->snapshot, build->version, data, v4, v6);
  if (used == SIZE_MAX) {
    free(data);
    return NULL;
  }
  struct ww_writer w = ww_writer_make(data + used, size.len);
  write_sorted(&w, build->version, tail, &none);
  *len = used + w.len;
  if (*len < v4 + v6 + size.len) {
    uint8_t *smaller = (uint8_t *)realloc(data, *len + 1);
    if (smaller)
      data = smaller;
  }
  return data;
}

struct ww_rtr_build *ww_rtr_build_begin(struct ww_rtr_data *data) {
  if (data->building || !data->snapshot)
    return NULL;
  for (uint8_t v = 0; v < WW_RTR_VERSIONS; v++) {
    if (!data->wanted[v])
      continue;
    struct ww_rtr_build *build = (struct ww_rtr_build *)calloc(1, sizeof *build);
    if (!build)
      return NULL;
    build->snapshot = ww_snapshot_ref(data->snapshot);
    build->version = v;
    build->serial = data->serial;
    data->building = true;
    data->wanted[v] = false;
    return build;
  }
  return NULL;
}

void ww_rtr_build_run(struct ww_rtr_build *build) {
  struct ww_payloads tail = {0};
  size_t len = 0;
  if (ww_effective_set(build->snapshot, false, &tail, &build->left_out) == WW_OK) {
    sort_tail(&tail);
    uint8_t *octets = encode_set(build, &tail, &len);
    if (octets)
      build->block = block_new(build->version, build->serial, octets, len);
  }
  ww_payloads_fini(&tail);
}

uint8_t ww_rtr_build_end(struct ww_rtr_data *data, struct ww_rtr_build *build, bool *failed) {
  uint8_t version = build->version;
  *failed = !build->block;
  data->building = false;
  if (build->block) {
    data->builds++;
    count_block(data, build->block);
    if (build->block->len > data->full_len)
      data->full_len = build->block->len;
    ww_rtr_block_unref(data->full[version]);
    data->full[version] = build->block;
    if (version >= WW_RTR_V2 && build->left_out != data->left_out_said) {
      data->left_out_said = build->left_out;
      ww_log(data->log, WW_LOG_WARNING, "rtr server: %zu ASPAs with more than %d providers are not served",
             build->left_out, WW_ASPA_PROVIDERS_MAX);
    }
  }
  ww_snapshot_unref(build->snapshot);
  free(build);
  return version;
}

/* ---- publications ---- */

struct ww_rtr_data *ww_rtr_data_new(const uint16_t sessions[WW_RTR_VERSIONS], uint32_t serial,
                                    const struct ww_log *log) {
  struct ww_rtr_data *data = (struct ww_rtr_data *)calloc(1, sizeof *data);
  if (!data)
    return NULL;
  memcpy(data->sessions, sessions, sizeof data->sessions);
  data->serial = serial;
  data->log = log;
  return data;
}

static void drop_oldest(struct ww_rtr_data *data) {
  struct window_entry *entry = &data->window[data->first];
  data->changes -= ww_effective_delta_count(&entry->delta);
  ww_effective_delta_fini(&entry->delta);
  data->first = (data->first + 1) % WINDOW_SERIALS;
  data->count--;
}

static void drop_cached(struct ww_rtr_data *data) {
  for (size_t i = 0; i < DELTA_CACHE; i++) {
    ww_rtr_block_unref(data->cache[i].block);
    data->cache[i] = (struct cached_delta){0};
  }
}

void ww_rtr_data_free(struct ww_rtr_data *data) {
  if (!data)
    return;
  while (data->count)
    drop_oldest(data);
  drop_cached(data);
  for (unsigned v = 0; v < WW_RTR_VERSIONS; v++)
    ww_rtr_block_unref(data->full[v]);
  ww_snapshot_unref(data->snapshot);
  free(data);
}

static void count_records(struct ww_rtr_data *data) {
  struct ww_snapshot_counts counts;
  ww_snapshot_counts(data->snapshot, &counts);
  data->records = counts.vrps_v4 + counts.vrps_v6 + counts.aspas + counts.router_keys;
}

bool ww_rtr_data_publish(struct ww_rtr_data *data, struct ww_snapshot *next, struct ww_effective_delta *delta) {
  bool first = !data->snapshot;
  if (first)
    delta = NULL;
  size_t size = delta ? ww_effective_delta_count(delta) : 0;
  struct ww_snapshot *before = data->snapshot;
  data->snapshot = ww_snapshot_ref(next);
  ww_snapshot_unref(before);
  count_records(data);
  if (delta && size == 0) {
    ww_effective_delta_fini(delta);
    return false;
  }
  /* RFC 1982 §3.1: it wraps from 2^32-1 to 0, which unsigned arithmetic does. */
  if (!first)
    data->serial++;
  data->publications++;
  bool vrps = !delta || delta->announce.vrp_count + delta->withdraw.vrp_count > 0;
  bool keys = !delta || delta->announce.key_count + delta->withdraw.key_count > 0;
  bool aspas = !delta || delta->announce.aspa_count + delta->withdraw.aspa_count > 0;
  const bool seen[WW_RTR_VERSIONS] = {vrps, vrps || keys, vrps || keys || aspas};
  for (unsigned v = 0; v < WW_RTR_VERSIONS; v++) {
    if (seen[v])
      data->changed[v] = data->serial;
    ww_rtr_block_unref(data->full[v]);
    data->full[v] = NULL;
  }
  drop_cached(data);
  size_t most = data->records / 2 > WINDOW_CHANGES_MIN ? data->records / 2 : WINDOW_CHANGES_MIN;
  while (data->count && (!delta || size > most || data->changes + size > most || data->count == WINDOW_SERIALS))
    drop_oldest(data);
  if (delta && size > most)
    ww_effective_delta_fini(delta);
  if (delta && size <= most) {
    struct window_entry *entry = &data->window[(data->first + data->count) % WINDOW_SERIALS];
    entry->serial = data->serial;
    entry->delta = *delta;
    *delta = (struct ww_effective_delta){0};
    data->count++;
    data->changes += size;
  }
  return true;
}

bool ww_rtr_data_ready(const struct ww_rtr_data *data) { return data->snapshot != NULL; }
struct ww_snapshot *ww_rtr_data_snapshot(const struct ww_rtr_data *data) {
  return data->snapshot;
}
uint32_t ww_rtr_data_serial(const struct ww_rtr_data *data) { return data->serial; }
uint16_t ww_rtr_data_session(const struct ww_rtr_data *data, uint8_t version) { return data->sessions[version]; }
uint32_t ww_rtr_data_changed(const struct ww_rtr_data *data, uint8_t version) { return data->changed[version]; }

bool ww_rtr_data_crowded(const struct ww_rtr_data *data) {
  size_t most = (size_t)CROWD_FULLS * WW_RTR_VERSIONS * data->full_len;
  return data->live > (most > CROWD_MIN ? most : CROWD_MIN);
}

void ww_rtr_data_drop_stale(struct ww_rtr_data *data) {
  for (unsigned v = 0; v < WW_RTR_VERSIONS; v++)
    if (data->full[v] && data->full[v]->serial != data->serial) {
      ww_rtr_block_unref(data->full[v]);
      data->full[v] = NULL;
    }
}

void ww_rtr_data_stats(const struct ww_rtr_data *data, struct ww_rtr_data_stats *out) {
  *out = (struct ww_rtr_data_stats){.publications = data->publications,
                                    .builds = data->builds,
                                    .deltas = data->deltas,
                                    .window = data->count,
                                    .window_changes = data->changes,
                                    .bytes = data->live};
}

/* ---- answers ---- */

enum ww_rtr_answer ww_rtr_data_full(struct ww_rtr_data *data, uint8_t version, struct ww_rtr_block **block) {
  *block = NULL;
  if (!data->full[version]) {
    data->wanted[version] = true;
    return WW_RTR_ANSWER_WAIT;
  }
  *block = ww_rtr_block_ref(data->full[version]);
  return WW_RTR_ANSWER_BLOCK;
}

/* One change of one record, and how many publications ago. */
struct change {
  const void *record;
  size_t age;
  bool announced;
  const struct ww_aspa *before; /* ASPAs */
};

struct changes {
  struct change *items;
  size_t count;
};

static int vrp_change_order(const void *a, const void *b) {
  const struct change *x = (const struct change *)a, *y = (const struct change *)b;
  int c = ww_vrp_compare((const struct ww_vrp *)x->record, (const struct ww_vrp *)y->record);
  return c ? c : (x->age < y->age) - (x->age > y->age);
}

static int key_change_order(const void *a, const void *b) {
  const struct change *x = (const struct change *)a, *y = (const struct change *)b;
  int c = ww_router_key_compare((const struct ww_router_key *)x->record, (const struct ww_router_key *)y->record);
  return c ? c : (x->age < y->age) - (x->age > y->age);
}

static int aspa_change_order(const void *a, const void *b) {
  const struct change *x = (const struct change *)a, *y = (const struct change *)b;
  int c = aspa_order(x->record, y->record);
  return c ? c : (x->age < y->age) - (x->age > y->age);
}

static const struct ww_aspa *find_aspa(const struct ww_payloads *set, const struct ww_aspa *aspa) {
  if (set->aspa_count == 0)
    return NULL;
  return (const struct ww_aspa *)bsearch(aspa, set->aspas, set->aspa_count, sizeof *aspa, aspa_order);
}

enum kind { KIND_VRP, KIND_KEY, KIND_ASPA };

static size_t records_of(const struct ww_payloads *set, enum kind kind) {
  return kind == KIND_VRP ? set->vrp_count : kind == KIND_KEY ? set->key_count : set->aspa_count;
}

static const void *record_at(const struct ww_payloads *set, enum kind kind, size_t i) {
  return kind == KIND_VRP   ? (const void *)&set->vrps[i]
         : kind == KIND_KEY ? (const void *)&set->keys[i]
                            : (const void *)&set->aspas[i];
}

/* The changes of one kind in the newest `depth` entries of the window, by record, oldest first. */
static bool gather(const struct ww_rtr_data *data, size_t depth, enum kind kind, struct changes *out) {
  size_t most = 0;
  *out = (struct changes){0};
  for (size_t i = data->count - depth; i < data->count; i++) {
    const struct ww_effective_delta *d = &data->window[(data->first + i) % WINDOW_SERIALS].delta;
    most += records_of(&d->announce, kind) + records_of(&d->withdraw, kind);
  }
  if (most == 0)
    return true;
  out->items = (struct change *)malloc(most * sizeof *out->items);
  if (!out->items)
    return false;
  for (size_t i = data->count - depth; i < data->count; i++) {
    const struct ww_effective_delta *d = &data->window[(data->first + i) % WINDOW_SERIALS].delta;
    for (unsigned announced = 0; announced < 2; announced++) {
      const struct ww_payloads *set = announced ? &d->announce : &d->withdraw;
      for (size_t k = 0; k < records_of(set, kind); k++) {
        const void *record = record_at(set, kind, k);
        out->items[out->count++] =
            (struct change){.record = record,
                            .age = data->count - i,
                            .announced = announced,
                            .before = kind == KIND_ASPA ? find_aspa(&d->before, (const struct ww_aspa *)record) : NULL};
      }
    }
  }
  qsort(out->items, out->count, sizeof *out->items,
        kind == KIND_VRP   ? vrp_change_order
        : kind == KIND_KEY ? key_change_order
                           : aspa_change_order);
  return true;
}

/* RFC 8210 §5.3: what cancels out is not mentioned. `first` and `last`: the changes of one record. */
static enum ww_err add_net(enum kind kind, const struct change *first, const struct change *last,
                           struct ww_payloads *in, struct ww_payloads *out) {
  if (kind == KIND_ASPA) {
    const struct ww_aspa *was = first->before, *is = last->announced ? (const struct ww_aspa *)last->record : NULL;
    if ((!was && !is) || (was && is && was->provider_count == is->provider_count &&
                          memcmp(was->providers, is->providers, is->provider_count * sizeof *is->providers) == 0))
      return WW_OK;
    return is ? ww_payloads_add_aspa(in, is) : ww_payloads_add_aspa(out, (const struct ww_aspa *)last->record);
  }
  if (first->announced != last->announced) /* it was there and is again, or was not and is not */
    return WW_OK;
  struct ww_payloads *to = last->announced ? in : out;
  return kind == KIND_VRP ? ww_payloads_add_vrp(to, (const struct ww_vrp *)last->record)
                          : ww_payloads_add_key(to, (const struct ww_router_key *)last->record);
}

static enum ww_err net(const struct ww_rtr_data *data, size_t depth, enum kind kind, struct ww_payloads *in,
                       struct ww_payloads *out) {
  struct changes changes;
  if (!gather(data, depth, kind, &changes))
    return WW_ERR_NOMEM;
  int (*order)(const void *, const void *) = kind == KIND_VRP   ? vrp_change_order
                                             : kind == KIND_KEY ? key_change_order
                                                                : aspa_change_order;
  enum ww_err err = WW_OK;
  for (size_t i = 0, end; err == WW_OK && i < changes.count; i = end) {
    struct change same = changes.items[i];
    for (end = i + 1; end < changes.count; end++) {
      same.age = changes.items[end].age;
      if (order(&same, &changes.items[end]) != 0)
        break;
    }
    err = add_net(kind, &changes.items[i], &changes.items[end - 1], in, out);
  }
  free(changes.items);
  return err;
}

static struct ww_rtr_block *encode_delta(struct ww_rtr_data *data, uint8_t version, size_t depth) {
  struct ww_payloads in = {0}, out = {0};
  struct ww_rtr_block *block = NULL;
  enum ww_err err = net(data, depth, KIND_VRP, &in, &out);
  if (err == WW_OK && version >= WW_RTR_V1)
    err = net(data, depth, KIND_KEY, &in, &out);
  if (err == WW_OK && version >= WW_RTR_V2)
    err = net(data, depth, KIND_ASPA, &in, &out);
  if (err == WW_OK) {
    struct ww_writer size = ww_writer_make(NULL, 0);
    ww_rtr_encode(&size, version, &in, &out);
    uint8_t *octets = (uint8_t *)malloc(size.len + 1);
    if (octets) {
      struct ww_writer w = ww_writer_make(octets, size.len);
      write_sorted(&w, version, &in, &out);
      block = block_new(version, data->serial, octets, w.len);
    }
  }
  ww_payloads_fini(&in);
  ww_payloads_fini(&out);
  if (block) {
    count_block(data, block);
    data->deltas++;
  }
  return block;
}

enum ww_rtr_answer ww_rtr_data_delta(struct ww_rtr_data *data, uint8_t version, uint32_t serial,
                                     struct ww_rtr_block **block) {
  *block = NULL;
  /* RFC 1982 §3.2: how far back, with the wrap taken into account. A serial that is not in the window, be it from the
   * past or never issued, is one that we know nothing of. */
  uint32_t depth = data->serial - serial;
  if (depth == 0)
    return WW_RTR_ANSWER_BLOCK;
  if (depth > data->count)
    return WW_RTR_ANSWER_RESET;
  for (size_t i = 0; i < DELTA_CACHE; i++) {
    const struct cached_delta *cached = &data->cache[i];
    if (cached->block && cached->version == version && cached->from == serial) {
      *block = ww_rtr_block_ref(cached->block);
      return WW_RTR_ANSWER_BLOCK;
    }
  }
  if (ww_rtr_data_crowded(data)) /* the whole set is shared by all, this would be one more */
    return WW_RTR_ANSWER_RESET;
  struct ww_rtr_block *made = encode_delta(data, version, depth);
  if (!made)
    return WW_RTR_ANSWER_NOMEM;
  struct cached_delta *slot = &data->cache[data->cache_next];
  data->cache_next = (data->cache_next + 1) % DELTA_CACHE;
  ww_rtr_block_unref(slot->block);
  *slot = (struct cached_delta){.version = version, .from = serial, .block = made};
  *block = ww_rtr_block_ref(made);
  return WW_RTR_ANSWER_BLOCK;
}
