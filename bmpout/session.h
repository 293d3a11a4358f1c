/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One export session: one monitored router to one station. A machine without I/O that is asked for octets whenever the
 * transport can take some, so that back-pressure is simply not being asked.
 *
 * Order: Initiation; for each peer that is up: Peer Up, RPKI_VALIDATION for its routes, End-of-RIB; then changes from
 * the journal as they come; Termination when told to stop. After loss in the journal: the whole walk again, marked as
 * resynchronisation (Profile TLV flags snapshot-start / -end, trigger 4), so that a station may delete what it did not
 * hear of.
 */
#ifndef WW_BMPOUT_SESSION_H
#define WW_BMPOUT_SESSION_H

#include "base/buf.h"
#include "base/log.h"
#include "bmpout/view.h"

enum ww_profile { WW_PROFILE_V4 = 0, WW_PROFILE_EXP3 = 1, WW_PROFILE_STD3 = 2 };

struct ww_bmpout_config {
  enum ww_profile profile;
  uint32_t pen;                     /* enterprise number of the RPKI TLVs */
  uint8_t tlv_draft;                /* 21 or 19 */
  bool covering;                    /* send Covering Rule TLVs */
  size_t max_message;               /* <= 65535 */
  const char *sys_descr, *sys_name; /* override the view's when not NULL */
};

struct ww_bmpout_session;
struct ww_bmpout_session *ww_bmpout_session_new(const struct ww_bmpout_config *config, const struct ww_out_view *view,
                                                struct ww_journal *journal, const struct ww_log *log);
void ww_bmpout_session_free(struct ww_bmpout_session *session);

/* Appends whole messages to `out` until about `budget` octets were added or nothing is left to say. Returns true when
 * there is more to say at once. */
bool ww_bmpout_session_pull(struct ww_bmpout_session *session, struct ww_buf *out, size_t budget, struct ww_now now);
/* The next pull writes Termination with this reason and then nothing more. */
void ww_bmpout_session_stop(struct ww_bmpout_session *session, uint16_t reason);
bool ww_bmpout_session_finished(const struct ww_bmpout_session *session);

struct ww_bmpout_stats {
  uint64_t messages, validations, nlri, withdrawals, bytes, resyncs;
  uint64_t lag;
};
void ww_bmpout_session_stats(const struct ww_bmpout_session *session, struct ww_bmpout_stats *out);

#endif
