/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool gives batches back in their order, with the results that one thread comes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "daemon/verify_pool.h"

enum { ROUTES = 150, BATCHES = 6, CAP = 512, LOCAL = 65000 };

static struct ww_bgpsec_signer *signer;
static struct ww_bgpsec_keys *keys;
static struct ww_bgpsec_key_source source;
static const struct ww_bgpsec_session session = {.local_as = LOCAL, .peer_as = 1};
static uint8_t paths[ROUTES][CAP];
static struct ww_bgpsec_request requests[ROUTES];
static atomic_uint notified;

static int setup(void **state) {
  (void)state;
  struct ww_router_key record = {.asn = 1, .spki_len = WW_BGPSEC_SPKI_LEN};
  if (ww_bgpsec_signer_generate(&signer))
    return -1;
  record.spki = ww_bgpsec_signer_spki(signer);
  if (!ww_bgpsec_ski(record.spki, record.spki_len, record.ski) || !(keys = ww_bgpsec_keys_new(&record, 1)))
    return -1;
  source = ww_bgpsec_keys_source(keys);
  const struct ww_bgpsec_sign_key key = {.suite = 1, .signer = signer};
  for (unsigned i = 0; i < ROUTES; i++) {
    const struct ww_bgpsec_sign_request q = {.prefix = {.afi = WW_AFI_IPV4, .len = 32, .addr = {192, 0, 2, (uint8_t)i}},
                                             .asn = 1,
                                             .pcount = 1,
                                             .target_as = LOCAL,
                                             .keys = &key,
                                             .key_count = 1};
    requests[i] = (struct ww_bgpsec_request){.session = &session, .prefix = q.prefix, .path = paths[i]};
    if (ww_bgpsec_sign(&q, paths[i], CAP, &requests[i].path_len, NULL))
      return -1;
    if (i % 3 == 1) /* the signature's end */
      paths[i][requests[i].path_len - 1] ^= 1;
  }
  return 0;
}

static int teardown(void **state) {
  (void)state;
  ww_bgpsec_keys_free(keys);
  ww_bgpsec_signer_free(signer);
  return 0;
}

static void note(void *ctx) { atomic_fetch_add((atomic_uint *)ctx, 1); }

static void test_order(void **state) {
  (void)state;
  static struct ww_bgpsec_result results[BATCHES][ROUTES];
  struct ww_verify_batch batches[BATCHES];
  struct ww_bgpsec_verifier *verifier;
  struct ww_verify_pool *pool;
  const struct ww_bgpsec_options options = {.no_known = true, .hot_after = 1};
  assert_int_equal(ww_bgpsec_verifier_new(&options, &verifier), WW_OK);
  assert_int_equal(ww_verify_pool_new(verifier, 0, NULL, NULL, &pool), WW_ERR_INVAL);
  assert_int_equal(ww_verify_pool_new(verifier, WW_VERIFY_THREADS_MAX + 1, NULL, NULL, &pool), WW_ERR_INVAL);
  assert_int_equal(ww_verify_pool_new(verifier, 3, note, &notified, &pool), WW_OK);
  assert_null(ww_verify_pool_take(pool, false));
  assert_null(ww_verify_pool_take(pool, true));
  for (unsigned i = 0; i < BATCHES; i++) {
    /* From large to small, so that later ones are ready first; one has nothing in it. */
    batches[i] = (struct ww_verify_batch){.keys = &source,
                                          .requests = requests,
                                          .results = results[i],
                                          .count = i == 4 ? 0 : ROUTES - 25 * i,
                                          .ctx = &batches[i]};
    ww_verify_pool_submit(pool, &batches[i]);
  }
  for (unsigned i = 0; i < BATCHES; i++) {
    struct ww_verify_batch *batch = ww_verify_pool_take(pool, true);
    assert_ptr_equal(batch, &batches[i]);
    assert_ptr_equal(batch->ctx, batch);
    assert_int_equal(batch->err, WW_OK);
    for (size_t n = 0; n < batch->count; n++)
      assert_int_equal(results[i][n].state, n % 3 == 1 ? WW_BGPSEC_NOT_VALID : WW_BGPSEC_VALID);
  }
  assert_null(ww_verify_pool_take(pool, true));
  assert_int_equal(atomic_load(&notified), BATCHES - 1);
  /* The key is hot: its table comes by itself, where the library has them. */
  struct ww_bgpsec_counts counts = {0};
  const struct timespec pause = {.tv_nsec = 10000000};
  for (unsigned i = 0; i < 1000 && counts.tables == 0 && ww_bgpsec_tables_wanted(verifier) > 0; i++) {
    nanosleep(&pause, NULL);
    ww_bgpsec_verifier_counts(verifier, &counts);
  }
  assert_int_equal(ww_bgpsec_tables_wanted(verifier), 0);
  ww_verify_pool_free(pool);
  ww_bgpsec_verifier_free(verifier);
  for (unsigned i = 0; i < BATCHES; i++)
    for (unsigned n = 0; n < ROUTES; n++)
      ww_bgpsec_result_fini(&results[i][n]);
}

/* Freed with work in it: nothing is touched afterwards. */
static void test_free_early(void **state) {
  (void)state;
  static struct ww_bgpsec_result results[4][ROUTES];
  struct ww_bgpsec_verifier *verifier;
  for (unsigned round = 0; round < 4; round++) {
    struct ww_verify_batch batches[4];
    struct ww_verify_pool *pool;
    assert_int_equal(ww_bgpsec_verifier_new(NULL, &verifier), WW_OK);
    assert_int_equal(ww_verify_pool_new(verifier, 2, NULL, NULL, &pool), WW_OK);
    for (unsigned i = 0; i < 4; i++) {
      batches[i] =
          (struct ww_verify_batch){.keys = &source, .requests = requests, .results = results[i], .count = ROUTES};
      ww_verify_pool_submit(pool, &batches[i]);
    }
    ww_verify_pool_free(pool);
    ww_bgpsec_verifier_free(verifier);
  }
  ww_verify_pool_free(NULL);
  for (unsigned i = 0; i < 4; i++)
    for (unsigned n = 0; n < ROUTES; n++)
      ww_bgpsec_result_fini(&results[i][n]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_free_early)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
