/* SPDX-License-Identifier: BSD-2-Clause */
/* Verification as a whole: what is counted, remembered, forgotten, and done by several threads at once. What each check
 * finds is in vectors/bgpsec/. */
#include "tests/wire/hex.h"

#include <pthread.h>

#include "bgpsec/ecdsa.h"
#include "wire/bgp_bgpsec.h"
#include <waywarden/bgpsec.h>
#include <waywarden/bgpsec_snapshot.h>

enum { KEYS = 8, LOCAL = 65000, PATH_MAX_OCTETS = 8192 };

static struct ww_bgpsec_signer *signers[KEYS];
static struct ww_router_key records[KEYS];
static const struct ww_bgpsec_session session_of_first = {.local_as = LOCAL, .peer_as = 1};

static int setup(void **state) {
  (void)state;
  for (uint32_t i = 0; i < KEYS; i++) {
    if (ww_bgpsec_signer_generate(&signers[i]))
      return -1;
    records[i] =
        (struct ww_router_key){.asn = 1 + i, .spki = ww_bgpsec_signer_spki(signers[i]), .spki_len = WW_P256_SPKI_LEN};
    if (!ww_bgpsec_ski(records[i].spki, WW_P256_SPKI_LEN, records[i].ski))
      return -1;
  }
  return 0;
}

static int teardown(void **state) {
  (void)state;
  for (uint32_t i = 0; i < KEYS; i++)
    ww_bgpsec_signer_free(signers[i]);
  return 0;
}

struct signed_path {
  uint8_t octets[PATH_MAX_OCTETS];
  size_t len;
  struct ww_prefix prefix;
  struct ww_bgpsec_session session;
};

/* ASes first .. first + hops - 1 (key of AS a: (a - 1) % KEYS, whatever the record says of it), then us. */
static void make_path(struct signed_path *p, uint32_t first, unsigned hops, uint8_t last_octet) {
  uint8_t before[PATH_MAX_OCTETS];
  p->prefix = (struct ww_prefix){.afi = WW_AFI_IPV4, .len = 32, .addr = {192, 0, 2, last_octet}};
  p->len = 0;
  for (unsigned i = 0; i < hops; i++) {
    uint32_t asn = 1 + (first - 1 + i) % KEYS;
    const struct ww_bgpsec_sign_key key = {.suite = 1, .signer = signers[asn - 1]};
    const struct ww_bgpsec_sign_request q = {.prefix = p->prefix,
                                             .path = i ? before : NULL,
                                             .path_len = p->len,
                                             .asn = asn,
                                             .pcount = 1,
                                             .target_as = i + 1 < hops ? 1 + asn % KEYS : LOCAL,
                                             .keys = &key,
                                             .key_count = 1};
    assert_int_equal(ww_bgpsec_sign(&q, p->octets, sizeof p->octets, &p->len, NULL), WW_OK);
    memcpy(before, p->octets, p->len);
    p->session = (struct ww_bgpsec_session){.local_as = LOCAL, .peer_as = asn};
  }
}

/* Turns the last bit of the index-th signature. */
static void damage(struct signed_path *p, size_t index) {
  struct ww_bgpsec_path path;
  struct ww_bgpsec_signature s = {0};
  assert_int_equal(ww_bgpsec_path_decode(p->octets, p->len, &path, NULL), WW_BGPSEC_REASON_NONE);
  struct ww_reader r = ww_reader_make(path.blocks[0].signatures, path.blocks[0].len);
  for (size_t i = 0; i <= index; i++)
    assert_true(ww_bgpsec_signature_next(&r, &s));
  p->octets[(size_t)(s.sig - p->octets) + s.sig_len - 1] ^= 1;
}

static struct ww_bgpsec_request request_of(const struct signed_path *p) {
  return (struct ww_bgpsec_request){.session = &p->session, .prefix = p->prefix, .path = p->octets, .path_len = p->len};
}

struct bed {
  struct ww_bgpsec_verifier *verifier;
  struct ww_bgpsec_worker *worker;
  struct ww_bgpsec_keys *keys;
  struct ww_bgpsec_key_source source;
  struct ww_bgpsec_result result;
};

static struct bed open_bed(const struct ww_bgpsec_options *options) {
  struct bed b = {.keys = ww_bgpsec_keys_new(records, KEYS)};
  assert_non_null(b.keys);
  b.source = ww_bgpsec_keys_source(b.keys);
  assert_int_equal(ww_bgpsec_verifier_new(options, &b.verifier), WW_OK);
  assert_int_equal(ww_bgpsec_worker_new(b.verifier, &b.worker), WW_OK);
  return b;
}

static void close_bed(struct bed *b) {
  ww_bgpsec_result_fini(&b->result);
  ww_bgpsec_worker_free(b->worker);
  ww_bgpsec_verifier_free(b->verifier);
  ww_bgpsec_keys_free(b->keys);
}

static void ask(struct bed *b, const struct signed_path *p, enum ww_bgpsec_state state, enum ww_bgpsec_reason reason,
                unsigned checked, unsigned known) {
  struct ww_bgpsec_request q = request_of(p);
  assert_int_equal(ww_bgpsec_verify(b->worker, &b->source, &q, &b->result, 1), WW_OK);
  assert_string_equal(ww_bgpsec_state_name(b->result.state), ww_bgpsec_state_name(state));
  assert_string_equal(ww_bgpsec_reason_name(b->result.reason), ww_bgpsec_reason_name(reason));
  assert_int_equal(b->result.signatures_checked, checked);
  assert_int_equal(b->result.signatures_known, known);
}

static void test_options(void **state) {
  (void)state;
  struct ww_bgpsec_verifier *v;
  const uint8_t reserved[] = {1, 0}, unassigned[] = {2};
  struct ww_bgpsec_options options = {.suites = reserved, .suite_count = 2};
  assert_int_equal(ww_bgpsec_verifier_new(&options, &v), WW_ERR_INVAL);
  options = (struct ww_bgpsec_options){.suites = unassigned, .suite_count = 1};
  assert_int_equal(ww_bgpsec_verifier_new(&options, &v), WW_ERR_INVAL);
  ww_bgpsec_verifier_free(NULL);
  ww_bgpsec_worker_free(NULL);
  ww_bgpsec_keys_free(NULL);
}

/* The first bad signature ends a block, and what is behind it is not looked at. */
static void test_early_termination(void **state) {
  (void)state;
  struct ww_bgpsec_options options = {.no_known = true};
  struct bed b = open_bed(&options);
  static struct signed_path p;
  for (unsigned bad = 0; bad < 5; bad++) {
    make_path(&p, 1, 5, 1);
    ask(&b, &p, WW_BGPSEC_VALID, WW_BGPSEC_REASON_NONE, 5, 0);
    assert_int_equal(b.result.suite, 1);
    damage(&p, bad);
    /* Newer signatures cover the damaged one: it is the newest that fails first. */
    ask(&b, &p, WW_BGPSEC_NOT_VALID, WW_BGPSEC_REASON_SIGNATURE, 1, 0);
    assert_int_equal(b.result.segment_count, 5);
    assert_int_equal(b.result.segments[0].state, WW_BGPSEC_SEGMENT_BAD);
    assert_int_equal(b.result.segments[0].asn, 5);
    assert_memory_equal(b.result.segments[0].ski, records[4].ski, WW_SKI_LEN);
    for (unsigned i = 1; i < 5; i++)
      assert_int_equal(b.result.segments[i].state, WW_BGPSEC_SEGMENT_NOT_CHECKED);
  }
  close_bed(&b);
}

/* A missing key and octets that are no signature cost no verification at all, wherever they are. */
static void test_free_faults(void **state) {
  (void)state;
  struct bed b = open_bed(NULL);
  static struct signed_path p;
  make_path(&p, 1, 3, 1);
  ww_bgpsec_keys_free(b.keys);
  b.keys = ww_bgpsec_keys_new(records + 1, KEYS - 1); /* not the origin's */
  b.source = ww_bgpsec_keys_source(b.keys);
  ask(&b, &p, WW_BGPSEC_NOT_VALID, WW_BGPSEC_REASON_NO_KEY, 0, 0);
  assert_int_equal(b.result.segments[2].state, WW_BGPSEC_SEGMENT_NO_KEY);
  assert_int_equal(b.result.segments[0].state, WW_BGPSEC_SEGMENT_NOT_CHECKED);
  p.octets[p.len - 40] ^= 0xff; /* within the origin's signature */
  struct ww_bgpsec_path path;
  assert_int_equal(ww_bgpsec_path_decode(p.octets, p.len, &path, NULL), WW_BGPSEC_REASON_NONE);
  make_path(&p, 2, 3, 1);
  assert_int_equal(ww_bgpsec_path_decode(p.octets, p.len, &path, NULL), WW_BGPSEC_REASON_NONE);
  struct ww_reader r = ww_reader_make(path.blocks[0].signatures, path.blocks[0].len);
  struct ww_bgpsec_signature s;
  assert_true(ww_bgpsec_signature_next(&r, &s) && ww_bgpsec_signature_next(&r, &s));
  p.octets[s.sig - p.octets] = 0x31; /* no SEQUENCE */
  ask(&b, &p, WW_BGPSEC_NOT_VALID, WW_BGPSEC_REASON_SIGNATURE, 0, 0);
  assert_int_equal(b.result.segments[1].state, WW_BGPSEC_SEGMENT_MALFORMED);
  close_bed(&b);
}

static void test_known(void **state) {
  (void)state;
  struct bed b = open_bed(NULL);
  static struct signed_path p, longer;
  make_path(&p, 1, 3, 1);
  ask(&b, &p, WW_BGPSEC_VALID, WW_BGPSEC_REASON_NONE, 3, 0);
  ask(&b, &p, WW_BGPSEC_VALID, WW_BGPSEC_REASON_NONE, 0, 3);
  for (unsigned i = 0; i < 3; i++)
    assert_int_equal(b.result.segments[i].state, WW_BGPSEC_SEGMENT_VALID);
  /* Made anew: other signatures for the same path. */
  make_path(&longer, 1, 3, 1);
  ask(&b, &longer, WW_BGPSEC_VALID, WW_BGPSEC_REASON_NONE, 3, 0);
  damage(&p, 0);
  ask(&b, &p, WW_BGPSEC_NOT_VALID, WW_BGPSEC_REASON_SIGNATURE, 1, 0);
  ask(&b, &p, WW_BGPSEC_NOT_VALID, WW_BGPSEC_REASON_SIGNATURE, 1, 0); /* bad ones are not remembered */
  damage(&p, 0);
  ask(&b, &p, WW_BGPSEC_VALID, WW_BGPSEC_REASON_NONE, 0, 3);
  /* Good signatures, of another prefix: what is remembered is what was signed, too. */
  p.prefix.addr[3] ^= 1;
  ask(&b, &p, WW_BGPSEC_NOT_VALID, WW_BGPSEC_REASON_SIGNATURE, 1, 0);
  p.prefix.addr[3] ^= 1;
  /* A withdrawn key is gone at once, whatever is remembered; forgotten, it is verified again when it comes back. */
  struct ww_bgpsec_keys *fewer = ww_bgpsec_keys_new(records + 1, KEYS - 1), *all = b.keys;
  b.source = ww_bgpsec_keys_source(fewer);
  ask(&b, &p, WW_BGPSEC_NOT_VALID, WW_BGPSEC_REASON_NO_KEY, 0, 0);
  b.source = ww_bgpsec_keys_source(all);
  ask(&b, &p, WW_BGPSEC_VALID, WW_BGPSEC_REASON_NONE, 0, 3);
  ww_bgpsec_forget_key(b.verifier, records[0].spki, records[0].spki_len);
  ww_bgpsec_forget_key(b.verifier, records[0].spki, 3); /* no key at all: nothing happens */
  ask(&b, &p, WW_BGPSEC_VALID, WW_BGPSEC_REASON_NONE, 1, 2);
  ww_bgpsec_keys_free(fewer);
  struct ww_bgpsec_counts counts;
  ww_bgpsec_verifier_counts(b.verifier, &counts);
  assert_int_equal(counts.keys, 3);
  assert_int_equal(counts.verified, 3 + 3 + 2 + 1 + 1);
  assert_int_equal(counts.known_hits, 3 + 3 + 3 + 2);
  assert_int_equal(counts.known, 7);
  close_bed(&b);
}

static void test_known_is_bounded(void **state) {
  (void)state;
  struct ww_bgpsec_options options = {.known_max = 8};
  struct bed b = open_bed(&options);
  static struct signed_path p;
  for (unsigned i = 0; i < 40; i++) {
    make_path(&p, 1, 2, (uint8_t)i);
    ask(&b, &p, WW_BGPSEC_VALID, WW_BGPSEC_REASON_NONE, 2, 0);
    ask(&b, &p, WW_BGPSEC_VALID, WW_BGPSEC_REASON_NONE, 0, 2); /* what came last is never the first to go */
  }
  struct ww_bgpsec_counts counts;
  ww_bgpsec_verifier_counts(b.verifier, &counts);
  assert_true(counts.known <= 8);
  close_bed(&b);
}

static void test_keys_are_bounded(void **state) {
  (void)state;
  struct ww_bgpsec_options options = {.keys_max = 2, .no_known = true};
  struct bed b = open_bed(&options);
  static struct signed_path p;
  make_path(&p, 1, KEYS, 1);
  for (unsigned i = 0; i < 3; i++)
    ask(&b, &p, WW_BGPSEC_VALID, WW_BGPSEC_REASON_NONE, KEYS, 0);
  struct ww_bgpsec_counts counts;
  ww_bgpsec_verifier_counts(b.verifier, &counts);
  assert_int_equal(counts.keys, 2);
  close_bed(&b);
}

/* More keys under one AS and SKI than are tried: the work that they cause has an end. */
static void test_keys_tried(void **state) {
  (void)state;
  enum { MANY = WW_BGPSEC_KEYS_TRIED_MAX + 8 };
  static struct ww_router_key many[MANY];
  static struct ww_bgpsec_signer *others[MANY];
  static struct signed_path p;
  struct ww_bgpsec_options options = {.no_known = true};
  struct bed b = open_bed(&options);
  for (unsigned i = 0; i < MANY; i++) {
    assert_int_equal(ww_bgpsec_signer_generate(&others[i]), WW_OK);
    many[i] = records[0];
    many[i].spki = ww_bgpsec_signer_spki(others[i]);
  }
  ww_bgpsec_keys_free(b.keys);
  b.keys = ww_bgpsec_keys_new(many, MANY);
  b.source = ww_bgpsec_keys_source(b.keys);
  make_path(&p, 1, 1, 1);
  ask(&b, &p, WW_BGPSEC_NOT_VALID, WW_BGPSEC_REASON_SIGNATURE, WW_BGPSEC_KEYS_TRIED_MAX, 0);
  close_bed(&b);
  for (unsigned i = 0; i < MANY; i++)
    ww_bgpsec_signer_free(others[i]);
}

static void test_deferred(void **state) {
  (void)state;
  struct bed b = open_bed(NULL);
  static struct signed_path p;
  make_path(&p, 1, 3, 1);
  struct ww_bgpsec_request q = request_of(&p);
  q.defer = true;
  assert_int_equal(ww_bgpsec_verify(b.worker, &b.source, &q, &b.result, 1), WW_OK);
  assert_int_equal(b.result.state, WW_BGPSEC_NOT_CHECKED);
  assert_int_equal(b.result.reason, WW_BGPSEC_REASON_DEFERRED);
  assert_int_equal(b.result.as_path_len, 2 + 3 * 4); /* what the decision process needs is there */
  assert_int_equal(ww_bgpsec_verdict(WW_BGPSEC_NOT_CHECKED), WW_STATE_NOT_EVALUATED);
  q.session = &session_of_first; /* and an error is an error: the newest AS is 3 */
  assert_int_equal(ww_bgpsec_verify(b.worker, &b.source, &q, &b.result, 1), WW_OK);
  assert_int_equal(b.result.state, WW_BGPSEC_WITHDRAW);
  assert_int_equal(b.result.as_path_len, 0);
  close_bed(&b);
}

static void test_path_too_long(void **state) {
  (void)state;
  struct bed b = open_bed(NULL);
  static uint8_t octets[65536];
  static struct signed_path p;
  struct ww_writer w = ww_writer_make(octets, sizeof octets);
  unsigned hops = 65;
  ww_writer_u16(&w, (uint16_t)(2 + 6 * hops));
  for (unsigned i = 0; i < hops; i++) {
    ww_writer_u16(&w, 0xff00); /* pCount 255 */
    ww_writer_u32(&w, 1);
  }
  ww_writer_u16(&w, (uint16_t)(3 + 22 * hops));
  ww_writer_u8(&w, 1);
  ww_writer_zero(&w, 22 * (size_t)hops);
  struct ww_bgpsec_request q = {
      .session = &session_of_first, .prefix = {.afi = WW_AFI_IPV4}, .path = octets, .path_len = w.len};
  assert_int_equal(ww_bgpsec_verify(b.worker, &b.source, &q, &b.result, 1), WW_OK);
  assert_string_equal(ww_bgpsec_reason_name(b.result.reason), "path-length");
  (void)p;
  close_bed(&b);
}

/* Many at once: every result stands where its request stands, and is what it is alone. */
static void test_batch(void **state) {
  (void)state;
  enum { COUNT = WW_P256_BATCH + 37 };
  static struct signed_path paths[COUNT];
  static struct ww_bgpsec_request requests[COUNT];
  static struct ww_bgpsec_result results[COUNT];
  struct ww_bgpsec_options options = {.no_known = true};
  struct bed b = open_bed(&options);
  for (unsigned i = 0; i < COUNT; i++) {
    make_path(&paths[i], 1 + i % KEYS, 1 + i % 5, (uint8_t)i);
    if (i % 7 == 3)
      damage(&paths[i], 0);
    if (i % 11 == 5)
      paths[i].len--;
    requests[i] = request_of(&paths[i]);
    if (i % 13 == 1)
      requests[i].path = NULL;
  }
  assert_int_equal(ww_bgpsec_verify(b.worker, &b.source, requests, results, COUNT), WW_OK);
  for (unsigned i = 0; i < COUNT; i++) {
    assert_int_equal(ww_bgpsec_verify(b.worker, &b.source, &requests[i], &b.result, 1), WW_OK);
    enum ww_bgpsec_state want = i % 13 == 1   ? WW_BGPSEC_UNSIGNED
                                : i % 11 == 5 ? WW_BGPSEC_WITHDRAW
                                : i % 7 == 3  ? WW_BGPSEC_NOT_VALID
                                              : WW_BGPSEC_VALID;
    assert_int_equal(results[i].state, want);
    assert_int_equal(b.result.state, want);
    assert_int_equal(results[i].reason, b.result.reason);
    assert_int_equal(results[i].signatures_checked, b.result.signatures_checked);
    assert_int_equal(results[i].segment_count, b.result.segment_count);
    assert_int_equal(results[i].as_path_len, b.result.as_path_len);
    if (results[i].as_path_len)
      assert_memory_equal(results[i].as_path, b.result.as_path, b.result.as_path_len);
    ww_bgpsec_result_fini(&results[i]);
  }
  assert_int_equal(ww_bgpsec_verify(b.worker, &b.source, NULL, NULL, 0), WW_OK);
  close_bed(&b);
}

static void test_tables(void **state) {
  (void)state;
  if (!ww_p256_has_tables())
    skip();
  struct ww_bgpsec_options options = {.hot_after = 4, .tables_max = 2, .no_known = true};
  struct bed b = open_bed(&options);
  static struct signed_path p;
  struct ww_bgpsec_counts counts;
  make_path(&p, 1, 2, 1);
  for (unsigned i = 0; i < 3; i++)
    ask(&b, &p, WW_BGPSEC_VALID, WW_BGPSEC_REASON_NONE, 2, 0);
  assert_int_equal(ww_bgpsec_tables_wanted(b.verifier), 0);
  assert_int_equal(ww_bgpsec_build_tables(b.verifier, 10), 0);
  ask(&b, &p, WW_BGPSEC_VALID, WW_BGPSEC_REASON_NONE, 2, 0);
  assert_int_equal(ww_bgpsec_tables_wanted(b.verifier), 2);
  assert_int_equal(ww_bgpsec_build_tables(b.verifier, 1), 1);
  assert_int_equal(ww_bgpsec_tables_wanted(b.verifier), 1);
  assert_int_equal(ww_bgpsec_build_tables(b.verifier, 10), 1);
  ask(&b, &p, WW_BGPSEC_VALID, WW_BGPSEC_REASON_NONE, 2, 0);
  damage(&p, 1);
  ask(&b, &p, WW_BGPSEC_NOT_VALID, WW_BGPSEC_REASON_SIGNATURE, 1, 0);
  /* A third key gets no table for being as hot as the others, and one for being twice as hot as the least. */
  make_path(&p, 3, 1, 1);
  for (unsigned i = 0; i < 9; i++)
    ask(&b, &p, WW_BGPSEC_VALID, WW_BGPSEC_REASON_NONE, 1, 0);
  assert_int_equal(ww_bgpsec_build_tables(b.verifier, 10), 0);
  for (unsigned i = 0; i < 9; i++)
    ask(&b, &p, WW_BGPSEC_VALID, WW_BGPSEC_REASON_NONE, 1, 0);
  assert_int_equal(ww_bgpsec_tables_wanted(b.verifier), 1);
  assert_int_equal(ww_bgpsec_build_tables(b.verifier, 10), 1);
  ww_bgpsec_verifier_counts(b.verifier, &counts);
  assert_int_equal(counts.tables, 2);
  assert_int_equal(counts.tables_built, 3);
  assert_int_equal(counts.tables_evicted, 1);
  ask(&b, &p, WW_BGPSEC_VALID, WW_BGPSEC_REASON_NONE, 1, 0);
  /* With its key, a table goes. */
  ww_bgpsec_forget_key(b.verifier, records[2].spki, records[2].spki_len);
  ww_bgpsec_verifier_counts(b.verifier, &counts);
  assert_int_equal(counts.tables, 1);
  close_bed(&b);
}

/* The keys of a snapshot; a key from two sources is tried once. */
static void test_snapshot(void **state) {
  (void)state;
  struct bed b = open_bed(NULL);
  static struct signed_path p;
  struct ww_snapshot *empty = ww_snapshot_new(), *one = NULL, *two = NULL, *without = NULL;
  struct ww_payload_delta delta = {.source = 1, .announce = {.keys = records, .key_count = KEYS}}, gone = {.source = 1};
  assert_int_equal(ww_snapshot_apply(empty, &delta, 1, true, &one), WW_OK);
  delta.source = 2;
  assert_int_equal(ww_snapshot_apply(one, &delta, 2, true, &two), WW_OK);
  gone.withdraw = (struct ww_payloads){.keys = records, .key_count = 1};
  assert_int_equal(ww_snapshot_apply(one, &gone, 3, true, &without), WW_OK);
  make_path(&p, 1, 2, 1);
  b.source = ww_bgpsec_snapshot_source(two);
  ask(&b, &p, WW_BGPSEC_VALID, WW_BGPSEC_REASON_NONE, 2, 0);
  damage(&p, 0);
  ask(&b, &p, WW_BGPSEC_NOT_VALID, WW_BGPSEC_REASON_SIGNATURE, 1, 0);
  damage(&p, 0);
  b.source = ww_bgpsec_snapshot_source(without);
  ask(&b, &p, WW_BGPSEC_NOT_VALID, WW_BGPSEC_REASON_NO_KEY, 0, 0);
  ww_snapshot_unref(without);
  ww_snapshot_unref(two);
  ww_snapshot_unref(one);
  ww_snapshot_unref(empty);
  close_bed(&b);
}

/* --- threads ---------------------------------------------------------------------------------------------------- */

enum { THREADS = 3, SHARED_PATHS = 24, TURNS = 12 };
static struct signed_path shared_paths[SHARED_PATHS];
static atomic_bool finished;

struct thread {
  struct bed *bed;
  unsigned number, wrong;
};

static void *verify_often(void *arg) {
  struct thread *t = arg;
  struct ww_bgpsec_worker *worker;
  static _Thread_local struct ww_bgpsec_result results[SHARED_PATHS];
  struct ww_bgpsec_request requests[SHARED_PATHS];
  if (ww_bgpsec_worker_new(t->bed->verifier, &worker)) {
    t->wrong = 1;
    return NULL;
  }
  for (unsigned turn = 0; turn < TURNS; turn++) {
    for (unsigned i = 0; i < SHARED_PATHS; i++)
      requests[i] = request_of(&shared_paths[(i + turn + t->number) % SHARED_PATHS]);
    t->wrong += ww_bgpsec_verify(worker, &t->bed->source, requests, results, SHARED_PATHS) != WW_OK;
    for (unsigned i = 0; i < SHARED_PATHS; i++)
      t->wrong += results[i].state !=
                  (((i + turn + t->number) % SHARED_PATHS) % 4 == 3 ? WW_BGPSEC_NOT_VALID : WW_BGPSEC_VALID);
  }
  for (unsigned i = 0; i < SHARED_PATHS; i++)
    ww_bgpsec_result_fini(&results[i]);
  ww_bgpsec_worker_free(worker);
  return NULL;
}

/* What an owner does meanwhile: builds tables, forgets keys. */
static void *disturb(void *arg) {
  struct bed *b = arg;
  for (unsigned i = 0; !atomic_load(&finished); i++) {
    (void)ww_bgpsec_build_tables(b->verifier, 1);
    ww_bgpsec_forget_key(b->verifier, records[i % KEYS].spki, records[i % KEYS].spki_len);
  }
  return NULL;
}

static void test_threads(void **state) {
  (void)state;
  struct ww_bgpsec_options options = {.hot_after = 3, .tables_max = 2, .keys_max = 6, .known_max = 16};
  struct bed b = open_bed(&options);
  pthread_t threads[THREADS], other;
  struct thread args[THREADS];
  for (unsigned i = 0; i < SHARED_PATHS; i++) {
    make_path(&shared_paths[i], 1 + i % KEYS, 1 + i % 4, (uint8_t)i);
    if (i % 4 == 3)
      damage(&shared_paths[i], 0);
  }
  atomic_store(&finished, false);
  assert_int_equal(pthread_create(&other, NULL, disturb, &b), 0);
  for (unsigned i = 0; i < THREADS; i++) {
    args[i] = (struct thread){.bed = &b, .number = i};
    assert_int_equal(pthread_create(&threads[i], NULL, verify_often, &args[i]), 0);
  }
  for (unsigned i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    assert_int_equal(args[i].wrong, 0);
  }
  atomic_store(&finished, true);
  pthread_join(other, NULL);
  close_bed(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_options),          cmocka_unit_test(test_early_termination),
      cmocka_unit_test(test_free_faults),      cmocka_unit_test(test_known),
      cmocka_unit_test(test_known_is_bounded), cmocka_unit_test(test_keys_are_bounded),
      cmocka_unit_test(test_keys_tried),       cmocka_unit_test(test_deferred),
      cmocka_unit_test(test_path_too_long),    cmocka_unit_test(test_batch),
      cmocka_unit_test(test_tables),           cmocka_unit_test(test_snapshot),
      cmocka_unit_test(test_threads),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
