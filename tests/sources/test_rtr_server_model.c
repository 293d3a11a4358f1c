/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RTR server against a literal client: random publications of several sources, clients of all versions that ask at
 * random moments, from random serials, and take the answers in random pieces. A client applies PDUs one by one and
 * checks each as the text has it: no announcement of what it holds, no withdrawal of what it does not, each record at
 * most once in an answer, in the order of draft-ietf-sidrops-8210bis-26 §11.2, which is checked by a comparator written
 * from the text. At every End of Data it must hold exactly what was in force at that serial.
 *
 * Everything is drawn from a seed: WW_SEED repeats a run, WW_ROUNDS makes it longer.
 */
#include "sources/rtr_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SOURCES = 3, CLIENTS = 8, HISTORY = 1024, SET_MAX = 400, PROVIDERS = 4 };

/* A record as plain octets, so that equality is memcmp(). */
struct record {
  uint8_t type;
  uint8_t addr[16], plen, mlen;
  uint32_t asn; /* or customer */
  uint8_t ski[WW_SKI_LEN];
  uint8_t spki[4], spki_len;
  uint32_t providers[PROVIDERS * SOURCES];
  uint32_t provider_count;
};

struct set {
  struct record records[SET_MAX];
  size_t count;
};

static uint64_t rng;

static uint32_t draw(uint32_t below) {
  rng ^= rng << 13;
  rng ^= rng >> 7;
  rng ^= rng << 17;
  return (uint32_t)((rng >> 11) % below);
}

/* What a client may hold once: all but an ASPA's providers. */
static bool same_key(const struct record *a, const struct record *b) {
  struct record x = *a, y = *b;
  memset(x.providers, 0, sizeof x.providers);
  memset(y.providers, 0, sizeof y.providers);
  x.provider_count = y.provider_count = 0;
  return memcmp(&x, &y, sizeof x) == 0;
}

static struct record *find(struct set *set, const struct record *record) {
  for (size_t i = 0; i < set->count; i++)
    if (same_key(&set->records[i], record))
      return &set->records[i];
  return NULL;
}

static void put(struct set *set, const struct record *record) {
  assert_true(set->count < SET_MAX);
  set->records[set->count++] = *record;
}

static void take_out(struct set *set, struct record *record) { *record = set->records[--set->count]; }

static int compare_records(const void *a, const void *b) { return memcmp(a, b, sizeof(struct record)); }

static bool same_set(const struct set *a, const struct set *b) {
  static struct set x, y;
  x = *a;
  y = *b;
  qsort(x.records, x.count, sizeof x.records[0], compare_records);
  qsort(y.records, y.count, sizeof y.records[0], compare_records);
  return x.count == y.count && memcmp(x.records, y.records, x.count * sizeof x.records[0]) == 0;
}

/* ---- the world ---- */

struct world {
  struct set sources[SOURCES];
  struct ww_snapshot *snapshot;
  struct ww_rtr_server *server;
  struct ww_rtr_build *build;
  struct set *history; /* by serial - first_serial */
  uint32_t first_serial;
  uint32_t known; /* serials from here on can be asked for: the last publication without a delta */
  struct ww_now now;
};

/* Few distinct values, so that collisions of every kind are common. */
static struct record draw_record(void) {
  struct record r;
  memset(&r, 0, sizeof r);
  uint32_t kind = draw(10);
  if (kind < 4) {
    r.type = WW_RTR_IPV4_PREFIX;
    r.addr[0] = (uint8_t)(10 + draw(3));
    r.plen = (uint8_t)(8 + draw(3));
    r.mlen = (uint8_t)(r.plen + draw(3));
    r.asn = draw(3);
  } else if (kind < 7) {
    r.type = WW_RTR_IPV6_PREFIX;
    r.addr[0] = 0x20;
    r.addr[1] = (uint8_t)(1 + draw(2));
    r.addr[8] = (uint8_t)(draw(2) << 7);
    r.plen = (uint8_t)(65 + draw(3));
    r.mlen = (uint8_t)(r.plen + draw(3));
    r.asn = draw(3);
  } else if (kind < 8) {
    r.type = WW_RTR_ROUTER_KEY;
    memset(r.ski, (int)draw(2), sizeof r.ski);
    r.spki_len = (uint8_t)(1 + draw(3));
    for (unsigned i = 0; i < r.spki_len; i++)
      r.spki[i] = (uint8_t)draw(2);
    r.asn = draw(3);
  } else {
    r.type = WW_RTR_ASPA;
    r.asn = 1 + draw(6);
    if (draw(4) == 0) {
      r.provider_count = 1; /* AS 0 alone */
    } else {
      for (uint32_t asn = 1; asn < 9 && r.provider_count < PROVIDERS; asn++)
        if (draw(3) == 0)
          r.providers[r.provider_count++] = asn;
      if (r.provider_count == 0)
        r.providers[r.provider_count++] = 9;
    }
  }
  return r;
}

/* The union of the sources, written as the text has it. */
static void effective(const struct world *world, struct set *out) {
  out->count = 0;
  for (unsigned s = 0; s < SOURCES; s++)
    for (size_t i = 0; i < world->sources[s].count; i++) {
      const struct record *r = &world->sources[s].records[i];
      struct record *have = find(out, r);
      if (!have) {
        put(out, r);
        continue;
      }
      if (r->type != WW_RTR_ASPA)
        continue;
      bool member[16] = {false};
      for (uint32_t k = 0; k < have->provider_count; k++)
        member[have->providers[k]] = true;
      for (uint32_t k = 0; k < r->provider_count; k++)
        member[r->providers[k]] = true;
      memset(have->providers, 0, sizeof have->providers);
      have->provider_count = 0;
      for (uint32_t asn = 1; asn < 16; asn++)
        if (member[asn])
          have->providers[have->provider_count++] = asn;
      if (have->provider_count == 0)
        have->provider_count = 1; /* AS 0 */
    }
}

static void add_to(struct ww_payloads *set, const struct record *r, bool withdraw) {
  struct ww_vrp vrp = {.max_len = r->mlen, .asn = r->asn, .prefix = {.len = r->plen}};
  struct ww_router_key key = {.asn = r->asn, .spki = r->spki, .spki_len = r->spki_len};
  struct ww_aspa aspa = {
      .customer = r->asn, .provider_count = withdraw ? 0 : r->provider_count, .providers = r->providers};
  vrp.prefix.afi = r->type == WW_RTR_IPV4_PREFIX ? WW_AFI_IPV4 : WW_AFI_IPV6;
  memcpy(vrp.prefix.addr, r->addr, 16);
  memcpy(key.ski, r->ski, sizeof key.ski);
  enum ww_err err = r->type == WW_RTR_ROUTER_KEY ? ww_payloads_add_key(set, &key)
                    : r->type == WW_RTR_ASPA     ? ww_payloads_add_aspa(set, &aspa)
                                                 : ww_payloads_add_vrp(set, &vrp);
  assert_int_equal(err, WW_OK);
}

/* Some records of one source come, go, or (ASPAs) change. One change a record. */
static void change_source(struct world *world, unsigned source, unsigned changes, struct ww_payload_delta *delta) {
  struct set *set = &world->sources[source];
  struct record touched[64];
  size_t count = 0;
  *delta = (struct ww_payload_delta){.source = (ww_source_id)(source + 1)};
  for (unsigned i = 0; i < changes && count < 64; i++) {
    struct record r = set->count && draw(3) == 0 ? set->records[draw((uint32_t)set->count)] : draw_record();
    bool again = false;
    for (size_t k = 0; k < count; k++)
      again |= same_key(&touched[k], &r);
    if (again)
      continue;
    touched[count++] = r;
    struct record *have = find(set, &r);
    if (have && (r.type != WW_RTR_ASPA || draw(2))) {
      add_to(&delta->withdraw, &r, true);
      take_out(set, have);
    } else {
      add_to(&delta->announce, &r, false);
      if (have)
        *have = r;
      else
        put(set, &r);
    }
  }
  assert_int_equal(ww_payloads_sort(&delta->announce), WW_OK);
  assert_int_equal(ww_payloads_sort(&delta->withdraw), WW_OK);
}

static void publish(struct world *world) {
  struct ww_payload_delta deltas[2];
  size_t count = 1 + draw(2);
  struct ww_snapshot *next = ww_snapshot_ref(world->snapshot);
  for (size_t i = 0; i < count; i++) {
    unsigned source = (unsigned)((draw(2) + i) % SOURCES);
    struct ww_snapshot *made;
    change_source(world, source, 1 + draw(draw(4) ? 4 : 40), &deltas[i]);
    assert_int_equal(ww_snapshot_apply(next, &deltas[i], ww_snapshot_epoch(next) + 1, true, &made), WW_OK);
    ww_snapshot_unref(next);
    next = made;
  }
  struct ww_effective_delta change;
  bool known = draw(60) != 0;
  if (draw(4) == 0)
    assert_int_equal(ww_effective_diff(world->snapshot, next, &change), WW_OK);
  else
    assert_int_equal(ww_effective_delta(world->snapshot, next, deltas, count, &change), WW_OK);
  const struct ww_rtr_data *data = ww_rtr_server_data(world->server);
  uint32_t before = ww_rtr_data_serial(data);
  struct set now_in_force;
  effective(world, &now_in_force);
  bool changed = !same_set(&now_in_force, &world->history[before - world->first_serial]);
  assert_int_equal(changed, ww_effective_delta_count(&change) != 0);
  ww_rtr_server_publish(world->server, next, known ? &change : NULL, world->now);
  uint32_t serial = ww_rtr_data_serial(data);
  assert_int_equal(serial - before, changed || !known); /* no serial without a change */
  assert_true(serial - world->first_serial < HISTORY);
  world->history[serial - world->first_serial] = now_in_force;
  if (!known)
    world->known = serial;
  ww_effective_delta_fini(&change);
  for (size_t i = 0; i < count; i++)
    ww_payload_delta_fini(&deltas[i]);
  ww_snapshot_unref(world->snapshot);
  world->snapshot = next;
}

/* ---- the client ---- */

struct client {
  struct ww_rtr_session *session;
  uint8_t version;
  bool has_data, in_answer, asked_reset, asked;
  uint16_t id;
  uint32_t serial;
  struct set held, next;
  struct record last;
  bool last_announced, any;
  struct set seen;
  uint8_t in[65536];
  size_t len;
  ww_mono_ms connected_at;
  unsigned notifies, answers, deltas;
};

static int cmp(uint64_t a, uint64_t b) { return (a > b) - (a < b); }

/* draft-ietf-sidrops-8210bis-26 §11.2, item by item: negative when a precedes b. */
static int draft_order(const struct record *a, bool a_updt, const struct record *b, bool b_updt) {
  int c = cmp(a->type, b->type);
  if (c)
    return c;
  if (a_updt != b_updt)
    return a_updt ? -1 : 1;
  if (a->type == WW_RTR_IPV4_PREFIX || a->type == WW_RTR_IPV6_PREFIX) {
    int up = a_updt ? -1 : 1;
    for (unsigned i = 0; i < 16; i++)
      if (a->addr[i] != b->addr[i])
        return up * cmp(a->addr[i], b->addr[i]);
    if (a->mlen != b->mlen)
      return up * cmp(a->mlen, b->mlen);
    if (a->plen != b->plen)
      return up * cmp(a->plen, b->plen);
    return up * cmp(a->asn, b->asn);
  }
  if (a->type == WW_RTR_ROUTER_KEY) {
    for (unsigned i = 0; i < WW_SKI_LEN; i++)
      if (a->ski[i] != b->ski[i])
        return cmp(a->ski[i], b->ski[i]);
    if (a->spki_len != b->spki_len)
      return cmp(a->spki_len, b->spki_len);
    for (unsigned i = 0; i < a->spki_len; i++)
      if (a->spki[i] != b->spki[i])
        return cmp(a->spki[i], b->spki[i]);
  }
  return cmp(a->asn, b->asn);
}

static uint32_t be32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void apply(struct client *c, const struct record *r, bool announce) {
  assert_true(c->in_answer);
  assert_true(announce || !c->asked_reset);
  if (c->any)
    assert_true(draft_order(&c->last, c->last_announced, r, announce) < 0);
  c->any = true;
  c->last = *r;
  c->last_announced = announce;
  assert_null(find(&c->seen, r)); /* the minimal set: each record once */
  put(&c->seen, r);
  struct record *have = find(&c->next, r);
  if (!announce) {
    assert_non_null(have);
    take_out(&c->next, have);
  } else if (have) {
    assert_int_equal(r->type, WW_RTR_ASPA);
    assert_true(memcmp(have, r, sizeof *r) != 0);
    *have = *r;
  } else {
    put(&c->next, r);
  }
}

static void take_payload(struct client *c, const uint8_t *pdu, size_t len) {
  struct record r;
  bool announce;
  memset(&r, 0, sizeof r);
  r.type = pdu[1];
  if (r.type == WW_RTR_IPV4_PREFIX || r.type == WW_RTR_IPV6_PREFIX) {
    size_t width = r.type == WW_RTR_IPV4_PREFIX ? 4 : 16;
    assert_int_equal(len, 16 + width);
    assert_int_equal(pdu[2] | pdu[3] | pdu[11], 0);
    announce = pdu[8];
    r.plen = pdu[9];
    r.mlen = pdu[10];
    memcpy(r.addr, pdu + 12, width);
    r.asn = be32(pdu + 12 + width);
  } else if (r.type == WW_RTR_ROUTER_KEY) {
    assert_true(c->version >= 1 && len > 32 && len <= 36);
    announce = pdu[2];
    memcpy(r.ski, pdu + 8, WW_SKI_LEN);
    r.asn = be32(pdu + 28);
    r.spki_len = (uint8_t)(len - 32);
    memcpy(r.spki, pdu + 32, len - 32);
  } else {
    assert_int_equal(r.type, WW_RTR_ASPA);
    assert_true(c->version >= 2);
    announce = pdu[2];
    r.asn = be32(pdu + 8);
    assert_true(announce ? len > 12 : len == 12);
    for (size_t at = 12; at < len; at += 4)
      r.providers[r.provider_count++] = be32(pdu + at);
  }
  apply(c, &r, announce);
}

/* What a version can carry of a set. */
static void visible(const struct set *all, uint8_t version, struct set *out) {
  out->count = 0;
  for (size_t i = 0; i < all->count; i++)
    if ((all->records[i].type != WW_RTR_ROUTER_KEY || version >= 1) &&
        (all->records[i].type != WW_RTR_ASPA || version >= 2))
      put(out, &all->records[i]);
}

static void take_pdu(struct world *world, struct client *c, const uint8_t *pdu, size_t len) {
  static struct set want;
  uint16_t session = (uint16_t)(pdu[2] << 8 | pdu[3]);
  assert_int_equal(pdu[0], c->version);
  switch (pdu[1]) {
  case WW_RTR_SERIAL_NOTIFY:
    assert_false(c->in_answer);
    assert_true(c->has_data);
    assert_int_equal(session, c->id);
    assert_true(be32(pdu + 8) != c->serial);
    /* RFC 8210 §5.2; counted, as it is read later than it was sent */
    assert_true(c->notifies++ <= (world->now.mono - c->connected_at) / 60000);
    break;
  case WW_RTR_CACHE_RESPONSE:
    assert_true(c->asked && !c->in_answer);
    assert_true(!c->has_data || session == c->id);
    c->id = session;
    c->in_answer = true;
    c->any = false;
    c->seen.count = 0;
    if (c->asked_reset)
      c->next.count = 0;
    else
      c->next = c->held;
    break;
  case WW_RTR_END_OF_DATA:
    assert_true(c->in_answer);
    assert_int_equal(len, c->version ? 24 : 12);
    assert_int_equal(session, c->id);
    c->held = c->next;
    c->serial = be32(pdu + 8);
    c->has_data = true;
    c->in_answer = c->asked = false;
    c->answers++;
    c->deltas += !c->asked_reset;
    visible(&world->history[c->serial - world->first_serial], c->version, &want);
    assert_true(same_set(&c->held, &want));
    break;
  case WW_RTR_CACHE_RESET:
    assert_true(c->asked && !c->asked_reset && !c->in_answer);
    assert_true((int32_t)(c->serial - world->known) < 0); /* only when the window was cleared */
    c->has_data = c->asked = false;
    break;
  default:
    take_payload(c, pdu, len);
  }
}

static void read_some(struct world *world, struct client *c, size_t budget) {
  while (budget > 0) {
    size_t have, n;
    const uint8_t *out = ww_rtr_session_output(c->session, &have);
    if (!out)
      break;
    n = have < budget ? have : budget;
    n = n < sizeof c->in - c->len ? n : sizeof c->in - c->len;
    memcpy(c->in + c->len, out, n);
    c->len += n;
    budget -= n;
    ww_rtr_session_sent(c->session, n, world->now);
    size_t at = 0;
    while (c->len - at >= 8 && c->len - at >= be32(c->in + at + 4)) {
      size_t len = be32(c->in + at + 4);
      take_pdu(world, c, c->in + at, len);
      at += len;
    }
    memmove(c->in, c->in + at, c->len - at);
    c->len -= at;
  }
  assert_int_equal(ww_rtr_session_fate(c->session), WW_RTR_GOES_ON);
}

static void ask(struct world *world, struct client *c) {
  if (c->asked)
    return;
  c->asked = true;
  c->asked_reset = !c->has_data || draw(6) == 0;
  uint8_t query[12] = {c->version, c->asked_reset ? WW_RTR_RESET_QUERY : WW_RTR_SERIAL_QUERY};
  size_t len = c->asked_reset ? 8 : 12;
  query[7] = (uint8_t)len;
  if (!c->asked_reset) {
    query[2] = (uint8_t)(c->id >> 8);
    query[3] = (uint8_t)c->id;
    for (unsigned i = 0; i < 4; i++)
      query[8 + i] = (uint8_t)(c->serial >> (24 - 8 * i));
  }
  size_t first = draw((uint32_t)len + 1); /* in two pieces, draft-ietf-sidrops-8210bis-26 §9 */
  ww_rtr_session_input(c->session, query, first, world->now);
  ww_rtr_session_input(c->session, query + first, len - first, world->now);
}

static void reconnect(struct world *world, struct client *c) {
  ww_rtr_session_free(c->session);
  c->session = ww_rtr_session_new(world->server, &ww_rtr_service_default, "model", world->now);
  assert_non_null(c->session);
  c->len = 0;
  c->in_answer = c->asked = false;
  c->notifies = 0;
  c->connected_at = world->now.mono;
  if (!c->has_data)
    c->version = (uint8_t)draw(WW_RTR_VERSIONS);
  ask(world, c); /* or the minute that it has for it may pass */
}

static void build_step(struct world *world) {
  if (!world->build)
    world->build = ww_rtr_server_build(world->server);
  else if (draw(2)) {
    ww_rtr_build_run(world->build);
    ww_rtr_server_built(world->server, world->build, world->now);
    world->build = NULL;
  }
}

static void run(uint64_t seed, unsigned steps) {
  static struct client clients[CLIENTS];
  struct world world = {.first_serial = 0xfffffff0, .now = {.mono = 1000000}};
  rng = seed * 0x9e3779b97f4a7c15u + 1;
  memset(clients, 0, sizeof clients);
  world.history = calloc(HISTORY, sizeof *world.history);
  assert_non_null(world.history);
  const uint16_t sessions[WW_RTR_VERSIONS] = {100, 101, 102};
  world.server = ww_rtr_server_new(sessions, world.first_serial, NULL);
  world.snapshot = ww_snapshot_new();
  world.known = world.first_serial;
  assert_non_null(world.server);
  ww_rtr_server_publish(world.server, world.snapshot, NULL, world.now);
  for (unsigned i = 0; i < CLIENTS; i++)
    reconnect(&world, &clients[i]);
  for (unsigned step = 0; step < steps; step++) {
    struct client *c = &clients[draw(CLIENTS)];
    world.now.mono += draw(4000);
    switch (draw(8)) {
    case 0:
      publish(&world);
      break;
    case 1:
    case 2:
      ask(&world, c);
      break;
    case 3:
      build_step(&world);
      break;
    case 4:
      if (draw(10) == 0)
        reconnect(&world, c);
      else
        ww_rtr_session_tick(c->session, world.now);
      break;
    default:
      read_some(&world, c, 1 + draw(draw(3) ? 40 : 4000));
    }
    assert_true(ww_rtr_session_deadline(c->session) > 0);
  }
  /* All get to the end. */
  unsigned answers = 0, deltas = 0;
  for (unsigned i = 0; i < CLIENTS; i++) {
    for (unsigned turn = 0; turn < 20; turn++) {
      if (!clients[i].asked && clients[i].has_data &&
          clients[i].serial == ww_rtr_data_serial(ww_rtr_server_data(world.server)))
        break;
      read_some(&world, &clients[i], 1 << 20);
      build_step(&world);
      ask(&world, &clients[i]);
    }
    assert_int_equal(clients[i].serial, ww_rtr_data_serial(ww_rtr_server_data(world.server)));
    answers += clients[i].answers;
    deltas += clients[i].deltas;
  }
  assert_true(answers > 0 && deltas > 0);
  if (world.build) {
    ww_rtr_build_run(world.build);
    ww_rtr_server_built(world.server, world.build, world.now);
  }
  for (unsigned i = 0; i < CLIENTS; i++)
    ww_rtr_session_free(clients[i].session);
  struct ww_rtr_data_stats stats;
  ww_rtr_data_stats(ww_rtr_server_data(world.server), &stats);
  ww_rtr_server_free(world.server);
  ww_snapshot_unref(world.snapshot);
  free(world.history);
}

static void test_clients_hold_what_is_in_force(void **state) {
  (void)state;
  const char *seed = getenv("WW_SEED"), *rounds = getenv("WW_ROUNDS");
  unsigned long first = seed ? strtoul(seed, NULL, 10) : 1, count = rounds ? strtoul(rounds, NULL, 10) : 3;
  for (unsigned long i = 0; i < count; i++) {
    print_message("seed %lu\n", first + i);
    run(first + i, 6000);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_clients_hold_what_is_in_force)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
