/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CCR as a payload file. What a CCR says may be used only once its hashes have been verified, and they stand behind
 * what they are of, so the file is put together in memory first: 10 octets a VRP, a quarter of what its records take.
 * The first header says how long it is; what goes beyond that, or beyond the limit, is refused as it comes.
 */
#include <stdlib.h>
#include <string.h>

#include "sources/ccr_read.h"
#include "sources/payload_file_internal.h"

enum { HEADER_MAX = 6, ROOM_FIRST = 65536 };

struct ww_payload_ccr {
  struct ww_payload_file *file;
  uint8_t *buf;
  size_t len, cap;
  size_t total; /* octets of the whole, 0 not known yet */
};

struct ww_payload_ccr *ww_payload_ccr_new(struct ww_payload_file *file) {
  struct ww_payload_ccr *ccr = calloc(1, sizeof(*ccr));
  if (ccr)
    ccr->file = file;
  return ccr;
}

void ww_payload_ccr_free(struct ww_payload_ccr *ccr) {
  if (!ccr)
    return;
  free(ccr->buf);
  free(ccr);
}

/* The length that the outermost header names. What is wrong with the header is for the reader to say: then the limit
 * stands. */
static void find_total(struct ww_payload_ccr *ccr) {
  size_t octets = ccr->len > 1 && ccr->buf[1] > 0x80 ? ccr->buf[1] & 0x7fu : 0, contents = 0;
  if (ccr->total || ccr->len < 2)
    return;
  if (octets > HEADER_MAX - 2 || ccr->buf[1] == 0x80) {
    ccr->total = WW_PAYLOAD_CCR_MAX;
    return;
  }
  if (ccr->len < 2 + octets)
    return;
  if (octets == 0)
    contents = ccr->buf[1];
  for (size_t i = 0; i < octets; i++)
    contents = contents << 8 | ccr->buf[2 + i];
  ccr->total = 2 + octets + contents;
}

enum ww_err ww_payload_ccr_feed(struct ww_payload_ccr *ccr, const uint8_t *data, size_t len, struct ww_diag *diag) {
  if (ccr->cap - ccr->len < len) {
    size_t cap = ccr->cap ? ccr->cap : ROOM_FIRST;
    while (cap - ccr->len < len)
      cap *= 2;
    uint8_t *larger = realloc(ccr->buf, cap);
    if (!larger)
      return ww_fail(diag, WW_ERR_NOMEM, ccr->len, NULL, "no memory for a CCR of this size");
    ccr->buf = larger;
    ccr->cap = cap;
  }
  memcpy(ccr->buf + ccr->len, data, len);
  ccr->len += len;
  find_total(ccr);
  if (ccr->total > WW_PAYLOAD_CCR_MAX)
    return ww_fail(diag, WW_ERR_LIMIT, 0, NULL, "a CCR of more than %d octets", WW_PAYLOAD_CCR_MAX);
  if (ccr->total && ccr->len > ccr->total)
    return ww_fail(diag, WW_ERR_MALFORMED, ccr->total, NULL, "more than the length in its first header says");
  return WW_OK;
}

enum ww_err ww_payload_ccr_finish(struct ww_payload_ccr *ccr, struct ww_diag *diag) {
  struct ww_payload_file *file = ccr->file;
  struct ww_payloads *set = &file->set;
  struct ww_ccr_info info;
  if (ccr->total < WW_PAYLOAD_CCR_MAX && ccr->len < ccr->total)
    return ww_fail(diag, WW_ERR_SHORT, ccr->len, NULL, "the file ends here: it is cut short (%zu octets of %zu)",
                   ccr->len, ccr->total);
  enum ww_err err = ww_ccr_read(ccr->buf, ccr->len, set, &info, diag);
  if (err != WW_OK)
    return err;
  file->stats.records = set->vrp_count + set->aspa_count + set->key_count;
  file->stats.skipped_members = info.skipped;
  file->stats.produced_at = info.produced_at;
  file->stats.manifests = info.manifests;
  file->stats.trust_anchors = info.trust_anchors;
  /* A CCR of other states must not pass for an RPKI that is empty. */
  const unsigned payloads = 1u << 2 | 1u << 3 | 1u << 5;
  if (!(info.states & payloads))
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "no payloads: no state of VRPs, ASPAs or router keys is there");
  return WW_OK;
}
