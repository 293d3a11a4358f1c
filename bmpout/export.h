/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to bmpout: the messages of one export session in its profile, and the batch that packs routes into them. */
#ifndef WW_BMPOUT_EXPORT_H
#define WW_BMPOUT_EXPORT_H

#include "bmpout/encode.h"
#include "bmpout/session.h"

enum { WW_MESSAGE_MAX = 65535, WW_MESSAGE_MIN = 8192 /* room for one route with its rules */ };

/* Writes messages to `out` during one pull. Once `failed` is set nothing more is written. */
struct ww_export {
  struct ww_bmpout_config config;
  const struct ww_out_view *view;
  const struct ww_log *log;
  struct ww_encoder *encoder;
  struct ww_buf *out;
  struct ww_now now;
  uint64_t sequence; /* of the next message */
  bool failed;       /* out of memory: the stream has a hole, the session ends */
  struct ww_bmpout_stats stats;
  uint8_t told_sources[(UINT16_MAX + 1) / 8]; /* bit set: the station has this source's label */
};

/* Of one walk's messages; zero for what the journal brings. */
struct ww_export_mark {
  uint16_t flags; /* enum ww_profile_flag; cleared by the message that carries them */
  uint32_t snapshot_id;
};

bool ww_export_has_verdicts(const struct ww_export *e);
void ww_export_initiation(struct ww_export *e);
void ww_export_termination(struct ww_export *e, uint16_t reason);
void ww_export_peer_up(struct ww_export *e, const struct ww_bmp_peer *header, const struct ww_out_peer *peer);
/* `peer` NULL: nothing is known any more but that it is gone. */
void ww_export_peer_down(struct ww_export *e, const struct ww_bmp_peer *header, const struct ww_out_peer *peer);
void ww_export_eor(struct ww_export *e, const struct ww_bmp_peer *header, uint8_t afi, struct ww_export_mark *mark);
/* The mark alone; nothing where the profile has no place for it. */
void ww_export_bare(struct ww_export *e, const struct ww_bmp_peer *header, struct ww_export_mark *mark);
/* As many messages as it takes. The header's time stamp is filled in when 0. */
void ww_export_routes(struct ww_export *e, const struct ww_bmp_peer *header, const struct ww_encode_routes *routes,
                      struct ww_export_mark *mark);

/*
 * Routes gathered within one pull, sorted into sets that share peer, attributes and direction. Everything borrowed from
 * the view stays borrowed until ww_batch_flush().
 */
struct ww_batch;
struct ww_batch *ww_batch_new(void);
void ww_batch_free(struct ww_batch *batch);
/* `header` must stay until the flush. `verdict` NULL for a withdrawal (or in a profile without verdicts). Returns false
 * when memory ran out. */
bool ww_batch_add(struct ww_batch *batch, const struct ww_bmp_peer *header, const struct ww_out_route *route,
                  bool withdraw, uint8_t trigger, const struct ww_verdict *verdict, bool covering);
bool ww_batch_full(const struct ww_batch *batch);
size_t ww_batch_count(const struct ww_batch *batch);
/* About how many octets its messages will have. */
size_t ww_batch_estimate(const struct ww_batch *batch);
/* Writes all of it, withdrawals first, and empties the batch. */
void ww_batch_flush(struct ww_batch *batch, struct ww_export *e, struct ww_export_mark *mark);

#endif
