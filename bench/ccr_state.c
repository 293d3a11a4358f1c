/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CCR states kept up to date: the first build, the same hashes from scratch, deltas of 500 records, writing and reading
 * the file.
 *
 *   bench_ccr_state FILE [ROUNDS]      FILE: any payload file, a full dump of the RPKI
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sources/ccr_state.h"
#include "sources/payload_file.h"

enum { DELTA = 500, READ_SIZE = 1 << 18 };

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void must(enum ww_err err) {
  if (err == WW_OK)
    return;
  fprintf(stderr, "%s\n", ww_err_name(err));
  exit(1);
}

struct octets {
  uint8_t *data;
  size_t len, cap;
};

static bool put(void *ctx, const void *data, size_t len) {
  struct octets *o = ctx;
  while (o->cap - o->len < len) {
    o->cap = o->cap ? 2 * o->cap : 1 << 20;
    o->data = realloc(o->data, o->cap);
    if (!o->data)
      exit(1);
  }
  memcpy(o->data + o->len, data, len);
  o->len += len;
  return true;
}

static void read_octets(const struct octets *o, struct ww_payloads *set) {
  struct ww_payload_file_options options = {.ignore_expiry = true};
  struct ww_payload_file *file = ww_payload_file_new(&options);
  must(file ? ww_payload_file_feed(file, o->data, o->len, NULL) : WW_ERR_NOMEM);
  must(ww_payload_file_finish(file, set, NULL, NULL));
  ww_payload_file_free(file);
}

/* Moves every n-th VRP to another AS, or back. */
static void make_delta(const struct ww_payloads *set, bool back, struct ww_payload_delta *d) {
  size_t step = set->vrp_count / (DELTA / 2) + 1;
  for (size_t i = step / 2; i < set->vrp_count; i += step) {
    struct ww_vrp other = set->vrps[i];
    other.asn ^= 1;
    must(ww_payloads_add_vrp(back ? &d->announce : &d->withdraw, &set->vrps[i]));
    must(ww_payloads_add_vrp(back ? &d->withdraw : &d->announce, &other));
  }
  must(ww_payloads_sort(&d->announce));
  must(ww_payloads_sort(&d->withdraw));
}

int main(int argc, char **argv) {
  FILE *in = argc > 1 ? fopen(argv[1], "rb") : NULL;
  int rounds = argc > 2 ? atoi(argv[2]) : 20;
  if (!in || rounds < 1) {
    fprintf(stderr, "usage: bench_ccr_state FILE [ROUNDS]\n");
    return 2;
  }
  struct octets text = {0}, der = {0};
  char *buf = malloc(READ_SIZE);
  for (size_t n; buf && (n = fread(buf, 1, READ_SIZE, in)) > 0;)
    (void)put(&text, buf, n);
  fclose(in);
  free(buf);
  struct ww_payloads set, again;
  double t = now_ms();
  read_octets(&text, &set);
  printf("reading the file          %8.1f ms (%zu VRPs)\n", now_ms() - t, set.vrp_count);

  struct ww_ccr_state *source = ww_ccr_state_new(), *all = ww_ccr_state_new(), *other = ww_ccr_state_new();
  const struct ww_ccr_state *both[] = {source, other};
  struct ww_ccr_hashes a, b;
  if (!source || !all || !other)
    return 1;
  t = now_ms();
  must(ww_ccr_hash(&set, &a));
  printf("hashes from scratch       %8.1f ms\n", now_ms() - t);
  t = now_ms();
  must(ww_ccr_state_set(source, &set));
  double built = now_ms();
  must(ww_ccr_state_hash(source, &b));
  printf("first build               %8.1f ms, hashing it %.1f ms\n", built - t, now_ms() - built);
  printf("memory                    %8.1f octets a VRP\n",
         (double)ww_ccr_state_memory(source) / (double)(set.vrp_count ? set.vrp_count : 1));
  if (memcmp(&a, &b, sizeof(a)) != 0)
    must(WW_ERR_STATE);
  must(ww_ccr_state_copy(other, source));
  must(ww_ccr_state_unite(all, both, 2, NULL, 0));

  double apply = 0, unite = 0, hash = 0, worst = 0;
  for (int i = 0; i < rounds; i++) {
    struct ww_payload_delta d = {0};
    make_delta(&set, i % 2 == 1, &d);
    double t0 = now_ms();
    must(ww_ccr_state_apply(source, &d));
    double t1 = now_ms();
    must(ww_ccr_state_unite(all, both, 2, &d, 1));
    double t2 = now_ms();
    must(ww_ccr_state_hash(source, &a));
    double t3 = now_ms();
    apply += t1 - t0;
    unite += t2 - t1;
    hash += t3 - t2;
    if (t1 - t0 + t3 - t2 > worst)
      worst = t1 - t0 + t3 - t2;
    ww_payload_delta_fini(&d);
  }
  printf("delta of %d records      %8.1f ms: applying %.1f, hashing %.1f; worst %.1f (mean of %d)\n", DELTA,
         (apply + hash) / rounds, apply / rounds, hash / rounds, worst, rounds);
  printf("  and uniting two sources %8.1f ms\n", unite / rounds);

  t = now_ms();
  must(ww_ccr_state_write(source, 1795219200, put, &der));
  printf("writing a CCR             %8.1f ms (%zu octets)\n", now_ms() - t, der.len);
  t = now_ms();
  read_octets(&der, &again);
  printf("reading a CCR             %8.1f ms (%zu VRPs)\n", now_ms() - t, again.vrp_count);
  ww_payloads_fini(&set);
  ww_payloads_fini(&again);
  ww_ccr_state_free(source);
  ww_ccr_state_free(other);
  ww_ccr_state_free(all);
  free(text.data);
  free(der.data);
  return 0;
}
