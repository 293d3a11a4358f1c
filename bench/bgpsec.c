/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verifying BGPsec, beside `openssl speed ecdsap256` of the same minute.
 *
 *   bench_bgpsec [ROUNDS]      default 5
 *
 * Every round measures each thing once, openssl speed first, and gives ratios to it; what is printed is the median of
 * the rounds, so that a load that comes and goes spoils rounds and not the result. Signatures are all different and of
 * many keys: tables and branch predictors are not flattered. Times are of the thread's own processor time, as those of
 * openssl speed are; for two threads also by the clock on the wall, which on a machine that has other things to do says
 * how much of it was to be had.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bgpsec/ecdsa.h"
#include "wire/bgp.h"
#include "wire/bgp_bgpsec.h"
#include <waywarden/bgpsec.h>

#include <openssl/rand.h>

enum {
  KEYS = 200,
  SIGNATURES = KEYS * 16,
  UPDATES = 1000,
  HOPS = 3,
  LONG_HOPS = 32,
  LONG_UPDATES = 64,
  ROUNDS_MAX = 64,
  PATH_MAX_OCTETS = 4096,
  LOCAL_AS = 65000
};

static struct ww_bgpsec_signer *signers[KEYS];
static struct ww_p256 *p256;
static struct ww_p256_key *keys[KEYS];
static struct ww_p256_table *tables[KEYS];
static struct ww_p256_job jobs[SIGNATURES], other_jobs[SIGNATURES];

static double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *must(void *p) {
  if (!p) {
    fputs("out of memory\n", stderr);
    exit(1);
  }
  return p;
}

static void check(bool ok, const char *what) {
  if (ok)
    return;
  fprintf(stderr, "%s failed\n", what);
  exit(1);
}

static double openssl_speed(void) {
  char line[256];
  double rate = 0;
  FILE *f = must(popen("openssl speed -seconds 1 ecdsap256 2>/dev/null", "r"));
  while (fgets(line, sizeof line, f)) {
    double sign_s, verify_s, signs, verifies;
    if (sscanf(line, " 256 bits ecdsa (nistp256) %lfs %lfs %lf %lf", &sign_s, &verify_s, &signs, &verifies) == 4)
      rate = verifies;
  }
  (void)pclose(f);
  check(rate > 0, "openssl speed");
  return rate;
}

/* --- raw signatures --------------------------------------------------------------------------------------------- */

/* An update of one hop is the shortest way to a signature: what is signed is random enough by its prefix. */
static size_t make_path(uint8_t *path, unsigned first_key, unsigned hops, uint32_t seed, struct ww_prefix *prefix) {
  *prefix =
      (struct ww_prefix){.afi = WW_AFI_IPV4,
                         .len = 32,
                         .addr = {(uint8_t)(seed >> 24), (uint8_t)(seed >> 16), (uint8_t)(seed >> 8), (uint8_t)seed}};
  uint8_t before[PATH_MAX_OCTETS];
  size_t len = 0;
  for (unsigned i = 0; i < hops; i++) {
    unsigned k = (first_key + i) % KEYS;
    const struct ww_bgpsec_sign_key key = {.suite = WW_BGPSEC_SUITE_P256, .signer = signers[k]};
    struct ww_bgpsec_sign_request q = {.prefix = *prefix,
                                       .path = i ? before : NULL,
                                       .path_len = len,
                                       .asn = 1 + k,
                                       .pcount = 1,
                                       .target_as = i + 1 == hops ? LOCAL_AS : 1 + (k + 1) % KEYS,
                                       .keys = &key,
                                       .key_count = 1};
    check(ww_bgpsec_sign(&q, path, PATH_MAX_OCTETS, &len, NULL) == WW_OK, "signing");
    memcpy(before, path, len);
  }
  return len;
}

static void make_jobs(void) {
  for (unsigned i = 0; i < SIGNATURES; i++) {
    struct ww_p256_job *job = &jobs[i];
    uint8_t path[PATH_MAX_OCTETS], octets[64];
    struct ww_prefix prefix;
    struct ww_bgpsec_path decoded;
    struct ww_bgpsec_signature signature;
    unsigned k = i % KEYS;
    size_t len = make_path(path, k, 1, 0x0a000000 + i, &prefix);
    check(ww_bgpsec_path_decode(path, len, &decoded, NULL) == WW_BGPSEC_REASON_NONE, "decoding");
    struct ww_reader r = ww_reader_make(decoded.blocks[0].signatures, decoded.blocks[0].len);
    check(ww_bgpsec_signature_next(&r, &signature) &&
              ww_p256_signature_parse(signature.sig, signature.sig_len, &job->signature),
          "a signature");
    struct ww_writer w = ww_writer_make(octets, sizeof octets);
    ww_writer_u32(&w, LOCAL_AS);
    ww_writer_bytes(&w, decoded.segments, 6);
    ww_writer_u8(&w, 1);
    ww_writer_u16(&w, 1);
    ww_writer_u8(&w, 1);
    ww_writer_u8(&w, 32);
    ww_writer_bytes(&w, prefix.addr, 4);
    check(EVP_Digest(octets, w.len, job->digest, NULL, EVP_sha256(), NULL) == 1, "a digest");
    job->key = keys[k];
    job->table = tables[k];
  }
  /* So that neighbours in a batch are of keys far apart. */
  for (unsigned i = SIGNATURES - 1; i > 0; i--) {
    unsigned j = (unsigned)rand() % (i + 1);
    struct ww_p256_job t = jobs[i];
    jobs[i] = jobs[j];
    jobs[j] = t;
  }
  memcpy(other_jobs, jobs, sizeof jobs);
}

/* Verifications a second for `seconds` of this thread's time. */
static double run_jobs(struct ww_p256_job *all, enum ww_p256_tier tier, double seconds, clockid_t clock) {
  struct ww_p256_scratch *scratch;
  check(ww_p256_scratch_new(p256, &scratch) == WW_OK, "scratch");
  double start = now(clock), end;
  size_t done = 0, at = 0;
  do {
    size_t n = SIGNATURES - at < WW_P256_BATCH ? SIGNATURES - at : WW_P256_BATCH;
    check(ww_p256_verify(scratch, all + at, n, tier) == WW_OK, "verification");
    for (size_t i = at; i < at + n; i++)
      check(all[i].good, "a good signature");
    done += n;
    at = (at + n) % SIGNATURES;
    end = now(clock);
  } while (end - start < seconds);
  ww_p256_scratch_free(scratch);
  return (double)done / (end - start);
}

struct runner {
  struct ww_p256_job *jobs;
  clockid_t clock;
  double rate;
};

static void *runner(void *arg) {
  struct runner *r = arg;
  r->rate = run_jobs(r->jobs, WW_P256_AUTO, 0.7, r->clock);
  return NULL;
}

static double two_threads(clockid_t clock) {
  struct runner r[2] = {{.jobs = jobs, .clock = clock}, {.jobs = other_jobs, .clock = clock}};
  pthread_t t[2];
  for (int i = 0; i < 2; i++)
    check(pthread_create(&t[i], NULL, runner, &r[i]) == 0, "a thread");
  for (int i = 0; i < 2; i++)
    pthread_join(t[i], NULL);
  return r[0].rate + r[1].rate;
}

/* --- updates ---------------------------------------------------------------------------------------------------- */

struct message {
  uint8_t octets[PATH_MAX_OCTETS];
  size_t len;
  struct ww_bgpsec_session session;
};

static void make_message(struct message *m, unsigned first_key, unsigned hops, uint32_t seed, bool first_bad) {
  uint8_t path[PATH_MAX_OCTETS];
  struct ww_prefix prefix;
  size_t len = make_path(path, first_key, hops, seed, &prefix);
  if (first_bad) {
    struct ww_bgpsec_path decoded;
    struct ww_bgpsec_signature signature;
    check(ww_bgpsec_path_decode(path, len, &decoded, NULL) == WW_BGPSEC_REASON_NONE, "decoding");
    struct ww_reader r = ww_reader_make(decoded.blocks[0].signatures, decoded.blocks[0].len);
    check(ww_bgpsec_signature_next(&r, &signature), "a signature");
    path[(size_t)(signature.sig - path) + signature.sig_len - 1] ^= 1;
  }
  struct ww_writer w = ww_writer_make(m->octets, sizeof m->octets);
  static const uint8_t origin[] = {0x40, 1, 1, 0}, hop[] = {0, 1, 1, 4, 192, 0, 2, 1, 0};
  ww_writer_u16(&w, 0);
  ww_writer_u16(&w, 0);
  ww_writer_bytes(&w, origin, sizeof origin);
  ww_writer_u16(&w, 0x800e);
  ww_writer_u8(&w, sizeof hop + 5);
  ww_writer_bytes(&w, hop, sizeof hop);
  ww_writer_u8(&w, 32);
  ww_writer_bytes(&w, prefix.addr, 4);
  ww_writer_u16(&w, 0x9021);
  ww_writer_u16(&w, (uint16_t)len);
  ww_writer_bytes(&w, path, len);
  ww_writer_patch_u16(&w, 2, w.len - 4);
  check(!w.overflow, "an update");
  m->len = w.len;
  m->session = (struct ww_bgpsec_session){.local_as = LOCAL_AS, .peer_as = 1 + (first_key + hops - 1) % KEYS};
}

/* Decodes and verifies; signatures a second. */
static double run_messages(struct ww_bgpsec_verifier *verifier, const struct ww_bgpsec_key_source *source,
                           struct message *messages, unsigned count, double seconds, uint8_t expect, uint64_t *checked,
                           uint64_t *asked) {
  static struct ww_bgpsec_result results[WW_P256_BATCH];
  struct ww_bgpsec_request requests[WW_P256_BATCH];
  struct ww_bgpsec_worker *worker;
  struct ww_arena arena;
  const struct ww_bgp_session bgp = {.as4 = true, .ebgp = true};
  ww_arena_init(&arena, 0);
  check(ww_bgpsec_worker_new(verifier, &worker) == WW_OK, "a worker");
  double start = now(CLOCK_THREAD_CPUTIME_ID), end;
  unsigned at = 0;
  *checked = *asked = 0;
  do {
    unsigned n = count - at < WW_P256_BATCH ? count - at : WW_P256_BATCH;
    ww_arena_reset(&arena);
    for (unsigned i = 0; i < n; i++) {
      struct message *m = &messages[at + i];
      struct ww_bgp_update update;
      check(ww_bgp_update_decode(m->octets, m->len, &bgp, &arena, &update, NULL) == WW_OK && update.bgpsec_path,
            "an update");
      requests[i] = (struct ww_bgpsec_request){
          .session = &m->session, .path = update.bgpsec_path, .path_len = update.bgpsec_path_len};
      check(ww_nlri_next(&update.announced[1], &requests[i].prefix, NULL), "a prefix");
    }
    check(ww_bgpsec_verify(worker, source, requests, results, n) == WW_OK, "verifying");
    for (unsigned i = 0; i < n; i++) {
      check(results[i].state == expect, "the expected state");
      *checked += results[i].signatures_checked;
    }
    *asked += n;
    at = (at + n) % count;
    end = now(CLOCK_THREAD_CPUTIME_ID);
  } while (end - start < seconds);
  ww_bgpsec_worker_free(worker);
  for (unsigned i = 0; i < WW_P256_BATCH; i++)
    ww_bgpsec_result_fini(&results[i]);
  ww_arena_fini(&arena);
  return (double)*checked / (end - start);
}

/* --- putting it together ---------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double median(double *values, unsigned count) {
  qsort(values, count, sizeof *values, by_value);
  return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

int main(int argc, char **argv) {
  unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 5;
  if (rounds < 1 || rounds > ROUNDS_MAX)
    rounds = 5;
  struct ww_router_key records[KEYS];
  check(ww_p256_new(&p256) == WW_OK, "the curve");
  printf("tables: %s\n", ww_p256_has_tables() ? "yes" : "no, the library lacks the calls");
  for (unsigned i = 0; i < KEYS; i++) {
    check(ww_bgpsec_signer_generate(&signers[i]) == WW_OK, "a key");
    const uint8_t *spki = ww_bgpsec_signer_spki(signers[i]);
    check(ww_p256_key_new(p256, ww_p256_spki_point(spki, WW_P256_SPKI_LEN), &keys[i]) == WW_OK, "a key");
    records[i] = (struct ww_router_key){.asn = 1 + i, .spki = spki, .spki_len = WW_P256_SPKI_LEN};
    check(ww_bgpsec_ski(spki, WW_P256_SPKI_LEN, records[i].ski), "an SKI");
  }
  double before = now(CLOCK_THREAD_CPUTIME_ID);
  for (unsigned i = 0; i < KEYS; i++)
    tables[i] = ww_p256_table_new(p256, keys[i]);
  printf("table of one key: %.1f ms\n", (now(CLOCK_THREAD_CPUTIME_ID) - before) * 1e3 / KEYS);
  make_jobs();

  struct ww_bgpsec_keys *store = must(ww_bgpsec_keys_new(records, KEYS));
  struct ww_bgpsec_key_source source = ww_bgpsec_keys_source(store);
  /* Nothing remembered: every update is to be verified each time. */
  struct ww_bgpsec_options options = {.no_known = true, .hot_after = 1, .tables_max = KEYS};
  struct ww_bgpsec_verifier *verifier;
  check(ww_bgpsec_verifier_new(&options, &verifier) == WW_OK, "a verifier");
  static struct message updates[UPDATES], bad[LONG_UPDATES];
  for (unsigned i = 0; i < UPDATES; i++)
    make_message(&updates[i], (unsigned)rand() % KEYS, HOPS, 0x14000000 + i, false);
  for (unsigned i = 0; i < LONG_UPDATES; i++)
    make_message(&bad[i], (unsigned)rand() % KEYS, LONG_HOPS, 0x28000000 + i, true);
  uint64_t checked, asked;
  (void)run_messages(verifier, &source, updates, UPDATES, 0.3, WW_BGPSEC_VALID, &checked, &asked);
  (void)ww_bgpsec_build_tables(verifier, KEYS);

  double speed[ROUNDS_MAX], hot[ROUNDS_MAX], cold[ROUNDS_MAX], reference[ROUNDS_MAX], two[ROUNDS_MAX],
      two_wall[ROUNDS_MAX], mixed[ROUNDS_MAX], hot_rate[ROUNDS_MAX], bad_rate[ROUNDS_MAX];
  for (unsigned i = 0; i < rounds; i++) {
    speed[i] = openssl_speed();
    hot_rate[i] = run_jobs(jobs, WW_P256_AUTO, 0.7, CLOCK_THREAD_CPUTIME_ID);
    mixed[i] = run_messages(verifier, &source, updates, UPDATES, 0.7, WW_BGPSEC_VALID, &checked, &asked) / hot_rate[i];
    hot[i] = hot_rate[i] / speed[i];
    cold[i] = run_jobs(jobs, WW_P256_PLAIN, 0.7, CLOCK_THREAD_CPUTIME_ID) / speed[i];
    reference[i] = run_jobs(jobs, WW_P256_REFERENCE, 0.7, CLOCK_THREAD_CPUTIME_ID) / speed[i];
    double one = run_jobs(jobs, WW_P256_AUTO, 0.7, CLOCK_MONOTONIC);
    two_wall[i] = two_threads(CLOCK_MONOTONIC) / one;
    two[i] = two_threads(CLOCK_THREAD_CPUTIME_ID) / hot_rate[i];
    (void)run_messages(verifier, &source, bad, LONG_UPDATES, 0.3, WW_BGPSEC_NOT_VALID, &checked, &asked);
    bad_rate[i] = (double)checked / (double)asked;
    printf("round %u: openssl %.0f/s, hot %.0f/s (%.2fx), cold %.2fx, reference %.2fx, two threads %.2fx (wall %.2fx), "
           "3-hop updates %.2f of raw, first of %d bad: %.2f verifications\n",
           i + 1, speed[i], hot_rate[i], hot[i], cold[i], reference[i], two[i], two_wall[i], mixed[i], LONG_HOPS,
           bad_rate[i]);
    fflush(stdout);
  }
  printf("\nmedian of %u rounds, %d keys, %d different signatures\n", rounds, KEYS, SIGNATURES);
  printf("openssl speed ecdsap256              %8.0f verify/s\n", median(speed, rounds));
  printf("hot keys, one core                   %8.0f verify/s\n", median(hot_rate, rounds));
  printf("hot keys / openssl speed             %8.2f   (target 3.0)\n", median(hot, rounds));
  printf("cold keys / openssl speed            %8.2f   (target 0.95)\n", median(cold, rounds));
  printf("reference (EVP) / openssl speed      %8.2f\n", median(reference, rounds));
  printf("two threads / one                    %8.2f   (target 1.9; by the wall clock %.2f)\n", median(two, rounds),
         median(two_wall, rounds));
  printf("%d-hop updates / raw rate             %8.2f   (target 0.9)\n", HOPS, median(mixed, rounds));
  printf("%d hops, first signature bad         %8.2f   verifications each (target 1)\n", LONG_HOPS,
         median(bad_rate, rounds));
  ww_bgpsec_verifier_free(verifier);
  ww_bgpsec_keys_free(store);
  for (unsigned i = 0; i < KEYS; i++) {
    ww_p256_table_unref(tables[i]);
    ww_p256_key_unref(keys[i]);
    ww_bgpsec_signer_free(signers[i]);
  }
  ww_p256_free(p256);
  return 0;
}
