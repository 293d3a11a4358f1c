/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A history entry as octets: a CBOR map for its head, a compact form for its deltas. docs/formats/store.md has both.
 */
#ifndef WW_STORE_CHANGE_H
#define WW_STORE_CHANGE_H

#include "store/store.h"

enum { WW_CHANGE_HEAD_MAX = 512 /* octets */ };

struct ww_change_head {
  struct ww_store_change change; /* all but epoch and deltas */
  uint64_t announced, withdrawn; /* records of all deltas, also where they are not kept */
  uint32_t octets;               /* of the deltas; 0: none are kept, or there are none */
};

/* The octets written; WW_CHANGE_HEAD_MAX is always enough. */
size_t ww_change_head_encode(const struct ww_change_head *head, uint8_t *buf, size_t size);
enum ww_err ww_change_head_decode(const void *data, size_t len, struct ww_change_head *out,
                                  struct ww_diag *diag) WW_MUST_USE;

/* The deltas of head->change, as far as they announce or withdraw, into new octets that the caller frees (NULL when
 * there are none); fills in the rest of the head. More than `max`: none, and the change is not complete. WW_ERR_INVAL:
 * a set that is not sorted, or holds what cannot be. */
enum ww_err ww_change_deltas_encode(struct ww_change_head *head, size_t max, uint8_t **out,
                                    struct ww_diag *diag) WW_MUST_USE;
/* Fills deltas, replaced and delta_count of *change. */
enum ww_err ww_change_deltas_decode(const void *data, size_t len, struct ww_store_change *change,
                                    struct ww_diag *diag) WW_MUST_USE;

#endif
