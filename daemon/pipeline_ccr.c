/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CCR state hashes of the effective set, for each epoch, and of what each source delivered.
 *
 * There is one state for each source that has ever been in force, and one of their union. The next epoch's are made
 * beside them, sharing what does not change, because the transaction that they belong to may still fail; only after it
 * do they take the others' place. A copy shares its blocks with the original, so copying costs a list of pointers.
 *
 * What a source delivered has a state of its own beside these, in force or not. Where all of it is in force the two are
 * one in memory, and where it is all there is they are hashed once.
 *
 * Clauses: draft-ietf-sidrops-rpki-ccr-11 §3.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/pipeline_internal.h"

void ww_ccr_fini(struct ww_ccr *ccr) {
  for (size_t i = 0; i < ccr->count; i++)
    ww_ccr_state_free(ccr->parts[i].state);
  free(ccr->parts);
  ww_ccr_state_free(ccr->all);
  memset(ccr, 0, sizeof(*ccr));
}

struct ww_ccr_state *ww_ccr_part_of(const struct ww_ccr *ccr, ww_source_id id) {
  for (size_t i = 0; i < ccr->count; i++)
    if (ccr->parts[i].id == id)
      return ccr->parts[i].state;
  return NULL;
}

static bool copy_state(struct ww_ccr_state **to, const struct ww_ccr_state *from) {
  *to = ww_ccr_state_new();
  return *to && (!from || ww_ccr_state_copy(*to, from) == WW_OK);
}

static bool make_next(const struct ww_ccr *ccr, const struct ww_payload_delta *deltas, size_t count,
                      struct ww_ccr *next) {
  const struct ww_ccr_state **list = calloc(ccr->count + count + 1, sizeof(*list));
  bool ok = list && (next->parts = calloc(ccr->count + count + 1, sizeof(*next->parts)));
  for (size_t i = 0; ok && i < ccr->count; i++) {
    next->parts[next->count].id = ccr->parts[i].id;
    ok = copy_state(&next->parts[next->count++].state, ccr->parts[i].state);
  }
  for (size_t i = 0; ok && i < count; i++) {
    struct ww_ccr_state *part = ww_ccr_part_of(next, deltas[i].source);
    if (!part) {
      next->parts[next->count].id = deltas[i].source;
      ok = copy_state(&next->parts[next->count++].state, NULL);
      part = next->parts[next->count - 1].state;
    }
    ok = ok && ww_ccr_state_apply(part, &deltas[i]) == WW_OK;
  }
  for (size_t i = 0; ok && i < next->count; i++)
    list[i] = next->parts[i].state;
  ok = ok && copy_state(&next->all, ccr->all) &&
       ww_ccr_state_unite(next->all, list, next->count, deltas, count) == WW_OK;
  free(list);
  return ok;
}

void ww_ccr_next(const struct ww_ccr *ccr, const struct ww_payload_delta *deltas, size_t count, struct ww_ccr *next) {
  memset(next, 0, sizeof(*next));
  if (!ccr->all || !make_next(ccr, deltas, count, next))
    ww_ccr_fini(next);
}

bool ww_ccr_hashes_of(struct ww_ccr *ccr, struct ww_ccr_hashes *out) {
  return ccr->all && ww_ccr_state_hash(ccr->all, out) == WW_OK;
}

bool ww_ccr_deliver(struct ww_ccr_state **delivered, const struct ww_payload_delta *raw,
                    const struct ww_ccr_state *same, struct ww_ccr_hashes *out) {
  enum ww_err err = WW_ERR_NOMEM;
  if (*delivered && same)
    err = ww_ccr_state_copy(*delivered, same);
  else if (*delivered)
    err = ww_ccr_state_apply(*delivered, raw);
  if (err == WW_OK)
    err = ww_ccr_state_hash(*delivered, out);
  if (err == WW_OK)
    return true;
  ww_ccr_state_free(*delivered);
  *delivered = NULL;
  return false;
}
