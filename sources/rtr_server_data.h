/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an RTR server serves: the effective set and its recent changes, encoded once for all clients. Sans-I/O; all of
 * it belongs to one thread, but for ww_rtr_build_run().
 */
#ifndef WW_SOURCES_RTR_SERVER_DATA_H
#define WW_SOURCES_RTR_SERVER_DATA_H

#include "base/log.h"
#include "sources/effective.h"
#include "wire/rtr.h"

enum { WW_RTR_VERSIONS = WW_RTR_VERSION_MAX + 1 };

/* Payload PDUs of one answer, without Cache Response and End of Data. Immutable; references are of one thread. */
struct ww_rtr_block {
  unsigned refs;
  uint8_t version;
  uint32_t serial; /* that a client is at who has it */
  size_t len;
  uint8_t *data;
  size_t *live; /* octets of all blocks alive */
};
struct ww_rtr_block *ww_rtr_block_ref(struct ww_rtr_block *block);
void ww_rtr_block_unref(struct ww_rtr_block *block); /* NULL is fine */

struct ww_rtr_data;

/* `sessions`: a session id for each version. `serial`: of the first publication. The log is borrowed. All blocks must
 * be let go of before _free(). */
struct ww_rtr_data *ww_rtr_data_new(const uint16_t sessions[WW_RTR_VERSIONS], uint32_t serial,
                                    const struct ww_log *log);
void ww_rtr_data_free(struct ww_rtr_data *data);

/*
 * Puts `next` in force and takes *delta (it is empty afterwards), which leads there from the snapshot before. `delta`
 * NULL: what lies between is not known, and older serials end. True: there is a new serial; no record changed
 * otherwise.
 */
bool ww_rtr_data_publish(struct ww_rtr_data *data, struct ww_snapshot *next, struct ww_effective_delta *delta);

bool ww_rtr_data_ready(const struct ww_rtr_data *data);                   /* something was published */
struct ww_snapshot *ww_rtr_data_snapshot(const struct ww_rtr_data *data); /* in force; NULL before the first */
uint32_t ww_rtr_data_serial(const struct ww_rtr_data *data);
uint16_t ww_rtr_data_session(const struct ww_rtr_data *data, uint8_t version);
/* The last serial that brought a change which clients of this version see. */
uint32_t ww_rtr_data_changed(const struct ww_rtr_data *data, uint8_t version);

enum ww_rtr_answer {
  WW_RTR_ANSWER_BLOCK, /* *block: a new reference, NULL for nothing to tell */
  WW_RTR_ANSWER_RESET, /* that serial is not, or no longer, known */
  WW_RTR_ANSWER_WAIT,  /* the set is being encoded: ask again when it is */
  WW_RTR_ANSWER_NOMEM
};
/* From `serial` to now: the least set of changes. */
enum ww_rtr_answer ww_rtr_data_delta(struct ww_rtr_data *data, uint8_t version, uint32_t serial,
                                     struct ww_rtr_block **block);
enum ww_rtr_answer ww_rtr_data_full(struct ww_rtr_data *data, uint8_t version, struct ww_rtr_block **block);

/* A set to be encoded: begun and ended on the data's thread, run on any. One is under way at a time. */
struct ww_rtr_build;
struct ww_rtr_build *ww_rtr_build_begin(struct ww_rtr_data *data); /* NULL: none is wanted */
void ww_rtr_build_run(struct ww_rtr_build *build);
/* Frees the build. Its block now answers ww_rtr_data_full() for that version, which is returned, even if there was a
 * publication meanwhile: who waited is better served with what was true then than made to wait on. Afterwards
 * ww_rtr_data_drop_stale() lets go of it in that case. With memory short *failed is true; who waits is to be told. */
uint8_t ww_rtr_build_end(struct ww_rtr_data *data, struct ww_rtr_build *build, bool *failed);
void ww_rtr_data_drop_stale(struct ww_rtr_data *data);

/* More octets are held for clients that are behind than is good: those with the oldest serial are to go. */
bool ww_rtr_data_crowded(const struct ww_rtr_data *data);

struct ww_rtr_data_stats {
  uint64_t publications, builds, deltas; /* builds, deltas: encodings made */
  size_t window;                         /* serials that a delta can start from, the present one not counted */
  size_t window_changes;
  size_t bytes; /* encoded octets alive */
};
void ww_rtr_data_stats(const struct ww_rtr_data *data, struct ww_rtr_data_stats *out);

/* Appends one answer's PDUs of `in` (announcements) and `out` (withdrawals) in the order of the draft, sorting both in
 * place. */
void ww_rtr_encode(struct ww_writer *w, uint8_t version, struct ww_payloads *in, struct ww_payloads *out);

#endif
