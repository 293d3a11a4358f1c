/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records of one RTR response, kept small until End of Data makes them an update. Private to the RTR client.
 */
#ifndef WW_SOURCES_RTR_COLLECT_H
#define WW_SOURCES_RTR_COLLECT_H

#include "base/buf.h"
#include "wire/rtr.h"

/* Records of one family: `stride` octets each, of which the first `key_len` are their identity in canonical order. */
struct ww_rtr_table {
  uint8_t *data;
  size_t count, cap;
};

/* One ASPA PDU; its providers are `provider_count` big-endian ASNs at offset `providers` of aspa_lists. */
struct ww_rtr_aspa_entry {
  size_t providers, seq;
  uint32_t customer, provider_count;
  bool announce;
  bool unusable; /* an announcement with too long a list, kept as a withdrawal */
};

struct ww_rtr_collect {
  struct ww_rtr_table v4, v6;
  struct ww_rtr_aspa_entry *aspas; /* in arrival order */
  size_t aspa_count, aspa_cap;
  struct ww_buf aspa_lists;
  struct ww_payloads keys; /* in arrival order; owns the SPKIs */
  uint8_t *key_flags;      /* one for each key: announced */
  size_t key_flags_cap;
  size_t used, limit; /* records; keys and ASPAs count one more for each 32 octets of SPKI or provider list */
};

void ww_rtr_collect_init(struct ww_rtr_collect *collect, size_t limit);
/* Forgets all records and gives their memory back; usable again at once. */
void ww_rtr_collect_clear(struct ww_rtr_collect *collect);

/* WW_ERR_LIMIT: one more than the limit allows. */
enum ww_err ww_rtr_collect_vrp(struct ww_rtr_collect *collect, const struct ww_vrp *vrp, bool announce) WW_MUST_USE;
enum ww_err ww_rtr_collect_key(struct ww_rtr_collect *collect, const struct ww_router_key *key,
                               bool announce) WW_MUST_USE;
/* An announcement of more than WW_ASPA_PROVIDERS_MAX providers replaces what there was by nothing. */
enum ww_err ww_rtr_collect_aspa(struct ww_rtr_collect *collect, const struct ww_rtr_aspa *aspa) WW_MUST_USE;

/*
 * Sorts, collapses to one entry a record, and moves the result into `out` (zeroed by the caller); the collection is
 * empty afterwards.
 *
 * WW_ERR_EXISTS or WW_ERR_NOTFOUND: the response contradicts itself, by announcing a record twice or withdrawing it
 * twice; *culprit is the record as a PDU without version, borrowed from the collection, which is then kept until it is
 * cleared. *transient counts withdrawals in `out` of records that the same response announced first: whether they were
 * held before is nobody's fault. The same holds for ASPAs whose announcement was unusable.
 *
 * TOLERANCE, by name `aspa-announce-then-withdraw`: a withdrawal with a provider list that comes after an announcement
 * of the same customer with another list names what was there before; the announcement stands. Without a list, or with
 * the same one, the record goes.
 */
enum ww_err ww_rtr_collect_finish(struct ww_rtr_collect *collect, struct ww_payload_delta *out, size_t *transient,
                                  struct ww_rtr_pdu *culprit) WW_MUST_USE;

#endif
