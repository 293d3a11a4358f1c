/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the store's tests share: a folder of their own, random payload sets, and a slow model of differences.
 */
#ifndef WW_TESTS_STORE_UTIL_H
#define WW_TESTS_STORE_UTIL_H

#include "store/store.h"

/* A new empty folder; removed with its files by dir_remove(). */
void dir_make(char path[64]);
void dir_remove(const char *path);
void path_join(char *out, size_t size, const char *dir, const char *name);

/* A small deterministic generator: tests are the same every time. */
uint64_t rng_next(uint64_t *state);

/* A sorted set from a small universe, so that two of them share many records. */
void set_random(struct ww_payloads *set, uint64_t seed, size_t vrps, size_t aspas, size_t keys);
/* The set that tests of crashes commit as epoch `epoch`: differs from that of every other epoch. Grows with it. */
void set_of_epoch(struct ww_payloads *set, uint32_t epoch);
void set_copy(struct ww_payloads *to, const struct ww_payloads *from);
bool set_equal(const struct ww_payloads *a, const struct ww_payloads *b);
bool set_same_but_expiry(const struct ww_payloads *a, const struct ww_payloads *b);

/* What leads from `from` to `to`, record by record, each looked for by walking the other set. */
void model_diff(const struct ww_payloads *from, const struct ww_payloads *to, struct ww_payload_delta *out);
/* Withdraws, then announces, record by record. */
void model_apply(const struct ww_payloads *from, const struct ww_payload_delta *changes, struct ww_payloads *out);

/*
 * A hook that hands on the raw delta as the effective one, with the ASPAs of `before` that it replaces. The entry has
 * the time 1000 + epoch, epoch * 10 IPv4 VRPs, and hashes of that many octets at odd epochs.
 */
struct pass {
  const struct ww_payloads *before; /* NULL: no replaced ones */
  struct ww_payload_delta extra;    /* of another source, handed on beside it when its source is not 0 */
  struct ww_payloads replaced[2];
  struct ww_payload_delta deltas[2]; /* borrow */
  unsigned calls;
  uint32_t epoch; /* of the last call */
};
enum ww_err pass_on(void *ctx, const struct ww_payload_delta *raw, uint32_t epoch, struct ww_store_change *change,
                    struct ww_diag *diag);
void pass_fini(struct pass *pass);

#endif
