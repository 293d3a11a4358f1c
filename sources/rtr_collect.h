/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records of one RTR response, kept small until End of Data makes them an update. Private to the RTR client.
 */
#ifndef WW_SOURCES_RTR_COLLECT_H
#define WW_SOURCES_RTR_COLLECT_H

#include "wire/rtr.h"

/* Records of one family: `stride` octets each, of which the first `key_len` are their identity in canonical order. */
struct ww_rtr_table {
  uint8_t *data;
  size_t count, cap;
};

struct ww_rtr_collect {
  struct ww_rtr_table v4, v6;
  struct ww_payloads keys; /* in arrival order; owns the SPKIs */
  uint8_t *key_flags;      /* one for each key: announced */
  size_t key_flags_cap;
  size_t used, limit; /* records; a router key counts one more for each 32 octets of its SPKI */
};

void ww_rtr_collect_init(struct ww_rtr_collect *collect, size_t limit);
/* Forgets all records and gives their memory back; usable again at once. */
void ww_rtr_collect_clear(struct ww_rtr_collect *collect);

/* WW_ERR_LIMIT: one more than the limit allows. */
enum ww_err ww_rtr_collect_vrp(struct ww_rtr_collect *collect, const struct ww_vrp *vrp, bool announce) WW_MUST_USE;
enum ww_err ww_rtr_collect_key(struct ww_rtr_collect *collect, const struct ww_router_key *key,
                               bool announce) WW_MUST_USE;

/*
 * Sorts, collapses to one entry a record, and moves the result into `out` (zeroed by the caller); the collection is
 * empty afterwards.
 *
 * WW_ERR_EXISTS or WW_ERR_NOTFOUND: the response contradicts itself, by announcing a record twice or withdrawing it
 * twice; *culprit is the record as a PDU without version, borrowed from the collection, which is then kept until it is
 * cleared. *transient counts withdrawals in `out` of records that the same response announced first: whether they were
 * held before is nobody's fault.
 */
enum ww_err ww_rtr_collect_finish(struct ww_rtr_collect *collect, struct ww_payload_delta *out, size_t *transient,
                                  struct ww_rtr_pdu *culprit) WW_MUST_USE;

#endif
