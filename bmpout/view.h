/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an exporter needs to see of peers and routes, and the change journal between them and it. The engine provides
 * the view; bmpout never looks into tables itself.
 *
 * The journal is a bounded ring of "this object changed". A session reads it at its own speed and sends each object as
 * it is when it is read, so an object that changed five times is sent once. An object's newest entry is the only one
 * that counts (ww_out_route.seq); older ones are skipped. A session that falls off the end walks everything again.
 */
#ifndef WW_BMPOUT_VIEW_H
#define WW_BMPOUT_VIEW_H

#include "base/clock.h"
#include "wire/bgp.h"
#include "wire/bmp.h"
#include <waywarden/verdict.h>

enum ww_change_kind { WW_CHANGE_ROUTE = 1, WW_CHANGE_PEER_UP = 2, WW_CHANGE_PEER_DOWN = 3, WW_CHANGE_EOR = 4 };

struct ww_change {
  uint8_t kind; /* enum ww_change_kind */
  uint8_t afi;  /* EOR */
  uint32_t id;  /* route or peer id of the view */
};

struct ww_journal; /* one for each monitored router */

/* `entries` is rounded up to a power of two. on_passed is called for every entry that no reader needs any more (all
 * have read it, or it was overwritten, or there is no reader): the owner may then free a withdrawn route whose seq it
 * is. Each entry is passed exactly once, in order. Never inside the ww_journal_add() that made it, so that the owner
 * can note its number first; and never while it is the last one that a reader was given, so that the reader can look at
 * the object. on_passed must not call the journal. NULL when memory runs out or `entries` is absurd. */
struct ww_journal *ww_journal_new(size_t entries, void (*on_passed)(void *ctx, const struct ww_change *, uint64_t seq),
                                  void *ctx);
void ww_journal_free(struct ww_journal *journal);
/* Returns the entry's sequence number, from 1 up. */
uint64_t ww_journal_add(struct ww_journal *journal, struct ww_change change);

struct ww_journal_reader; /* one for each export session */
struct ww_journal_reader *
ww_journal_reader_new(struct ww_journal *journal); /* at the end: sees what is added from now */
void ww_journal_reader_free(struct ww_journal_reader *reader);
/* 1: *out and *seq filled; 0: nothing new; -1: entries were lost since the last call (the reader is now at the end). */
int ww_journal_reader_next(struct ww_journal_reader *reader, struct ww_change *out, uint64_t *seq);
uint64_t ww_journal_reader_lag(const struct ww_journal_reader *reader);
/* The newest sequence number given out so far. */
uint64_t ww_journal_reader_end(const struct ww_journal_reader *reader);

struct ww_out_peer {
  struct ww_bmp_peer header; /* L flag etc. as heard */
  bool up;
  struct ww_addr local;
  uint16_t local_port, remote_port;
  const uint8_t *sent_open, *received_open; /* as heard in Peer Up */
  size_t sent_len, received_len;
  uint8_t down_reason;
  const uint8_t *down_data;
  size_t down_len;
  bool eor[3];             /* by AFI */
  uint8_t role, procedure; /* enum ww_role, enum ww_aspa_procedure: how its routes are verified; not exported */
};

struct ww_out_route {
  uint32_t peer;
  uint32_t attrs_id; /* routes with equal `attrs_id` share peer, attributes, next hop, family */
  const uint8_t *attrs;
  size_t attrs_len;
  const uint8_t *next_hop;
  uint8_t next_hop_len;
  struct ww_prefix prefix;
  bool add_path;
  uint32_t path_id;
  bool withdrawn;
  uint8_t trigger;    /* enum ww_trigger */
  uint64_t seq;       /* its newest journal entry */
  uint32_t sec, usec; /* when it was heard, or judged anew */
};

enum ww_trigger { WW_TRIGGER_UPDATE = 1, WW_TRIGGER_DATASET = 2, WW_TRIGGER_POLICY = 3, WW_TRIGGER_RESYNC = 4 };

struct ww_out_view {
  void *ctx;
  const char *(*sys_name)(void *ctx);
  const char *(*sys_descr)(void *ctx);
  /* Whether the payload data is complete, so that verdict() can answer. NULL: it always is. Until then a session sends
   * no verdict and no End-of-RIB; when it turns true, the session walks every peer. */
  bool (*ready)(void *ctx);
  /* Next peer id after `id` (0 starts), 0 at the end. */
  uint32_t (*peer_next)(void *ctx, uint32_t id);
  bool (*peer)(void *ctx, uint32_t id, struct ww_out_peer *out);
  bool (*route)(void *ctx, uint32_t id, struct ww_out_route *out); /* false: no such route any more */
  /* The verdict of a live route under the present data, in reused storage; its records borrow from the data. False
   * while the data is not ready. Routes of one attrs_id have one ASPA result. */
  bool (*verdict)(void *ctx, uint32_t id, struct ww_verdict *verdict);
  /* Walks one peer's live routes, those that share attributes one after another; safe while routes come and go: one
   * that stays through the whole walk is seen once. new -> walker; next -> route id or 0. */
  void *(*walk_new)(void *ctx, uint32_t peer);
  uint32_t (*walk_next)(void *ctx, void *walker);
  void (*walk_free)(void *ctx, void *walker);
  /* Name and type (enum ww_rule_source, which has the numbers of the store's source types) for rule evidence; NULL and
   * 0 for an id that is not known. */
  const char *(*source_name)(void *ctx, ww_source_id id);
  uint8_t (*source_type)(void *ctx, ww_source_id id);
};

#endif
