/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One export session: what to say next. What it looks like on the wire is in export.c and encode.c.
 *
 * Two sources of things to say are read in turns, a batch each, so that neither starves: the journal (what changed) and
 * the sweep (a walk over every peer, at the start, after loss, and when payload data becomes complete).
 *
 * For each peer the session knows whether the station was told that it is up, and a `mark`: the newest journal number
 * at the time the session last looked at the peer as a whole (began its walk, or told that it came up). From that
 * follow the rules that make both sources agree, whatever their timing:
 *
 *  - An entry with a number <= mark is stale: what it says was seen when the session looked.
 *  - A route's entry counts only when it is the route's newest, and says what the route is now. A route that the walk
 *    has sent and that changes is sent again by its entry; one that the walk has yet to reach may be sent twice. Both
 *    end right, since the newest message always tells a newer state.
 *  - Entries of a peer that the sweep is going to walk anyway are skipped.
 *  - A change of a peer is a barrier: routes gathered before it are written before it.
 *
 * After loss nothing that was told can be trusted: every peer becomes `due` for a walk. A walk that is under way goes
 * on, and the peer is walked again in the next sweep: however often loss strikes, each peer gets its turn. Peers that
 * are not there any more get Peer Down. A walk that repeats is marked (Profile flags snapshot-start, snapshot-end, one
 * id, trigger 4): what the station did not hear of in between is gone. Standard messages have no such mark: in profile
 * std3 the peer goes down and comes up again instead, which RFC 7854 §4.9 makes the station forget its routes.
 *
 * While data is not ready (ww_out_view.ready), peers are told and routes are not, and no End-of-RIB is sent: it would
 * claim that all verdicts were told. When data becomes ready, every peer is due for a walk, and its End-of-RIB follows
 * that walk. The engine puts all routes into the journal at that time as well; the walk waits for a moment until the
 * journal is quiet (at most SETTLE_MS), for then its mark covers them and nothing goes out twice.
 *
 * End-of-RIB: one that was heard before a walk began is sent at its end; one that is read from the journal during the
 * walk too; else when it is read.
 *
 * Ownership: the session owns its reader, its encoder and its batch; the view and the journal belong to the engine.
 * Clauses: RFC 7854 §3.3, §4.9, §4.10, §5.
 */
#include "bmpout/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "bmpout/export.h"

enum { AFIS = 3, SETTLE_MS = 1000, NO_PEER = 0 };

enum walk { WALK_NONE, WALK_RUNNING, WALK_DONE };

struct peer {
  uint32_t id;
  bool told;
  bool due;    /* to be walked (again) by a sweep */
  bool walked; /* told of, and walked or about to be, since: the station may hold routes */
  enum walk walk;
  uint64_t mark;
  bool eor_due[AFIS];
  struct ww_bmp_peer header; /* as told; the A flag cleared, since our AS_PATHs have 4-octet AS numbers */
  uint64_t content;          /* hash of what Peer Up said */
};

struct ww_bmpout_session {
  struct ww_export out;
  struct ww_out_view view;
  struct ww_journal_reader *reader;
  char *sys_descr, *sys_name;
  struct ww_batch *batch;
  struct ww_verdict verdict; /* storage reused */

  struct peer **peers; /* by slot; open addressing over id */
  size_t peer_count, peer_slots;

  bool initiated, stopping, finished;
  uint16_t stop_reason;

  bool live; /* data is ready: verdicts flow */
  bool settling;
  ww_mono_ms settle_until;
  bool skipped_routes; /* not live: the journal had some in this pull */

  bool sweeping, sweep_again;
  uint32_t sweep_at; /* last peer id visited */
  struct peer *walking;
  void *walker;
  bool repeats; /* the present walk is a resynchronisation */
  struct ww_export_mark mark;
  uint32_t snapshot_id;
};

/* --- peers
 * ------------------------------------------------------------------------------------------------------------ */

static size_t slot_of(const struct ww_bmpout_session *s, uint32_t id) {
  size_t slot = (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 40) & (s->peer_slots - 1);
  while (s->peers[slot] && s->peers[slot]->id != id)
    slot = (slot + 1) & (s->peer_slots - 1);
  return slot;
}

static struct peer *peer_find(const struct ww_bmpout_session *s, uint32_t id) {
  return s->peer_slots ? s->peers[slot_of(s, id)] : NULL;
}

static bool peers_grow(struct ww_bmpout_session *s) {
  size_t old_slots = s->peer_slots, slots = old_slots ? old_slots * 2 : 64;
  struct peer **old = s->peers, **bigger = calloc(slots, sizeof(struct peer *));
  if (!bigger)
    return false;
  s->peers = bigger;
  s->peer_slots = slots;
  for (size_t i = 0; i < old_slots; i++)
    if (old[i])
      s->peers[slot_of(s, old[i]->id)] = old[i];
  free(old);
  return true;
}

/* NULL when memory ran out; the session then ends. */
static struct peer *peer_get(struct ww_bmpout_session *s, uint32_t id) {
  struct peer *p = peer_find(s, id);
  if (p)
    return p;
  if (s->peer_count * 2 >= s->peer_slots && !peers_grow(s)) {
    s->out.failed = true;
    return NULL;
  }
  p = calloc(1, sizeof *p);
  if (!p) {
    s->out.failed = true;
    return NULL;
  }
  p->id = id;
  s->peers[slot_of(s, id)] = p;
  s->peer_count++;
  return p;
}

static struct ww_bmp_peer header_of(const struct ww_out_peer *peer) {
  struct ww_bmp_peer header = peer->header;
  /* RFC 7854 §4.2: the A flag speaks of AS_PATHs with 2-octet AS numbers, and we write none. RFC 9069 has no such flag.
   */
  if (header.type != WW_BMP_PEER_LOC_RIB)
    header.flags &= (uint8_t)~WW_BMP_FLAG_A;
  return header;
}

/* Everything that Peer Up tells, but its time stamp. */
static uint64_t content_of(const struct ww_out_peer *peer) {
  uint8_t fixed[WW_BMP_PEER_HEADER_LEN + 32];
  struct ww_writer w = ww_writer_make(fixed, sizeof fixed);
  struct ww_bmp_peer header = header_of(peer);
  header.sec = header.usec = 0;
  ww_bmp_peer_write(&w, &header);
  ww_writer_u8(&w, peer->local.afi);
  ww_writer_bytes(&w, peer->local.bytes, sizeof peer->local.bytes);
  ww_writer_u16(&w, peer->local_port);
  ww_writer_u16(&w, peer->remote_port);
  uint64_t hash = ww_hash(fixed, w.len);
  if (peer->sent_len)
    hash = (hash ^ ww_hash(peer->sent_open, peer->sent_len)) * UINT64_C(0x9e3779b97f4a7c15);
  if (peer->received_len)
    hash = (hash ^ ww_hash(peer->received_open, peer->received_len)) * UINT64_C(0x9e3779b97f4a7c15);
  return hash;
}

static void flush(struct ww_bmpout_session *s) {
  struct ww_export_mark none = {0};
  ww_batch_flush(s->batch, &s->out, &none);
}

static void walk_end(struct ww_bmpout_session *s) {
  if (!s->walking)
    return;
  s->view.walk_free(s->view.ctx, s->walker);
  s->walking->walk = WALK_DONE;
  s->walking = NULL;
  s->walker = NULL;
}

static void tell_down(struct ww_bmpout_session *s, struct peer *p, const struct ww_out_peer *now) {
  if (s->walking == p)
    walk_end(s);
  ww_export_peer_down(&s->out, &p->header, now);
  p->told = p->due = p->walked = false;
  p->walk = WALK_NONE;
  memset(p->eor_due, 0, sizeof p->eor_due);
}

static void tell_up(struct ww_bmpout_session *s, struct peer *p, const struct ww_out_peer *now, uint64_t mark) {
  p->header = header_of(now);
  p->content = content_of(now);
  ww_export_peer_up(&s->out, &p->header, now);
  p->header.sec = p->header.usec = 0;
  p->told = true;
  p->due = p->walked = false;
  p->walk = WALK_NONE;
  p->mark = mark;
  memset(p->eor_due, 0, sizeof p->eor_due);
}

/* --- the sweep
 * -------------------------------------------------------------------------------------------------------- */

/* Sweeps from the start, or once more after the present one. */
static void sweep_start(struct ww_bmpout_session *s) {
  if (s->sweeping) {
    s->sweep_again = true;
    return;
  }
  s->sweeping = true;
  s->sweep_again = false;
  s->sweep_at = 0;
  for (size_t i = 0; i < s->peer_slots; i++) {
    struct peer *p = s->peers[i];
    struct ww_out_peer now;
    if (!p || !p->told)
      continue;
    bool there = s->view.peer(s->view.ctx, p->id, &now);
    if (!there || !now.up)
      tell_down(s, p, there ? &now : NULL);
  }
}

static void all_due(struct ww_bmpout_session *s) {
  for (size_t i = 0; i < s->peer_slots; i++)
    if (s->peers[i] && s->peers[i]->told)
      s->peers[i]->due = true;
  sweep_start(s);
}

static void walk_start(struct ww_bmpout_session *s, struct peer *p, const struct ww_out_peer *now) {
  s->repeats = p->walked;
  if (s->repeats && !ww_export_has_verdicts(&s->out)) {
    ww_export_peer_down(&s->out, &p->header, NULL);
    tell_up(s, p, now, 0);
    s->repeats = false;
  }
  p->mark = ww_journal_reader_end(s->reader);
  p->due = false;
  p->walked = true;
  p->walk = WALK_RUNNING;
  for (unsigned afi = 0; afi < AFIS; afi++)
    p->eor_due[afi] = now->eor[afi];
  s->walker = s->view.walk_new(s->view.ctx, p->id);
  s->walking = p;
  if (!s->walker)
    s->out.failed = true;
  s->mark = (struct ww_export_mark){0};
  if (!s->repeats)
    return;
  /* Said at once and by itself: what the journal brings from now on must come after it, or its end would undo that. */
  s->mark = (struct ww_export_mark){.flags = WW_PROFILE_SNAPSHOT_START, .snapshot_id = ++s->snapshot_id};
  ww_export_bare(&s->out, &p->header, &s->mark);
}

/* Brings the sweep to its next peer: tells it, and starts its walk if it is due. False when there are no more. */
static bool sweep_next(struct ww_bmpout_session *s) {
  uint32_t id = s->view.peer_next(s->view.ctx, s->sweep_at);
  if (id == NO_PEER) {
    s->sweeping = false;
    if (!s->sweep_again)
      return false;
    sweep_start(s);
    return true;
  }
  s->sweep_at = id;
  struct ww_out_peer now;
  if (!s->view.peer(s->view.ctx, id, &now) || !now.up)
    return true; /* if it was told, its entry in the journal will come */
  struct peer *p = peer_get(s, id);
  if (!p)
    return false;
  if (p->told && p->due && p->content != content_of(&now))
    tell_down(s, p, NULL); /* another peer has taken its place meanwhile, or it came back otherwise */
  if (!p->told) {
    tell_up(s, p, &now, ww_journal_reader_end(s->reader));
    p->due = true;
  }
  if (p->due && s->live)
    walk_start(s, p, &now);
  return true;
}

static void walk_finish(struct ww_bmpout_session *s) {
  struct peer *p = s->walking;
  unsigned last = 0;
  for (unsigned afi = 1; afi < AFIS; afi++)
    if (p->eor_due[afi])
      last = afi;
  for (unsigned afi = 1; afi < AFIS; afi++) {
    if (!p->eor_due[afi])
      continue;
    p->eor_due[afi] = false;
    if (s->repeats && afi == last)
      s->mark.flags |= WW_PROFILE_SNAPSHOT_END;
    ww_export_eor(&s->out, &p->header, (uint8_t)afi, &s->mark);
  }
  if (s->repeats && !last) {
    s->mark.flags |= WW_PROFILE_SNAPSHOT_END;
    ww_export_bare(&s->out, &p->header, &s->mark);
  }
  walk_end(s);
}

/* The verdict where the profile tells it. False: the route can't be told now. */
static bool judge(struct ww_bmpout_session *s, uint32_t id, const struct ww_verdict **verdict) {
  *verdict = NULL;
  if (!ww_export_has_verdicts(&s->out))
    return true;
  if (!s->view.verdict(s->view.ctx, id, &s->verdict) || s->verdict.state == WW_STATE_NOT_READY)
    return false;
  *verdict = &s->verdict;
  return true;
}

static void gather(struct ww_bmpout_session *s, const struct peer *p, const struct ww_out_route *route, bool withdraw,
                   uint8_t trigger, const struct ww_verdict *verdict) {
  if (!ww_batch_add(s->batch, &p->header, route, withdraw, trigger, verdict, s->out.config.covering))
    s->out.failed = true;
}

static bool batch_open(const struct ww_bmpout_session *s, size_t room) {
  return !s->out.failed && !ww_batch_full(s->batch) && ww_batch_estimate(s->batch) < room;
}

/* One piece of the sweep of about `room` octets. False: nothing is left of it. */
static bool sweep_step(struct ww_bmpout_session *s, size_t room) {
  if (!s->sweeping)
    return false;
  if (!s->walking)
    return sweep_next(s);
  struct peer *p = s->walking;
  uint32_t id = 1;
  while (batch_open(s, room) && (id = s->view.walk_next(s->view.ctx, s->walker)) != 0) {
    struct ww_out_route route;
    const struct ww_verdict *verdict;
    if (!s->view.route(s->view.ctx, id, &route) || route.withdrawn || route.peer != p->id || !judge(s, id, &verdict))
      continue;
    gather(s, p, &route, false, s->repeats ? (uint8_t)WW_TRIGGER_RESYNC : route.trigger, verdict);
  }
  ww_batch_flush(s->batch, &s->out, &s->mark);
  if (id == 0 && !s->out.failed)
    walk_finish(s);
  return true;
}

/* --- the journal
 * ------------------------------------------------------------------------------------------------------ */

static bool sweep_will_visit(const struct ww_bmpout_session *s, uint32_t peer_id) {
  return s->sweeping && peer_id > s->sweep_at;
}

static void on_route(struct ww_bmpout_session *s, uint32_t id, uint64_t seq) {
  struct ww_out_route route;
  if (!s->live) {
    s->skipped_routes = true;
    return;
  }
  if (!s->view.route(s->view.ctx, id, &route) || route.seq != seq)
    return;
  const struct peer *p = peer_find(s, route.peer);
  if (!p || !p->told || p->due || seq <= p->mark)
    return;
  const struct ww_verdict *verdict = NULL;
  if (!route.withdrawn && !judge(s, id, &verdict))
    return; /* it is judged again when it can be, and comes again then */
  gather(s, p, &route, route.withdrawn, route.trigger, verdict);
}

static void on_peer_up(struct ww_bmpout_session *s, uint32_t id, uint64_t seq) {
  struct ww_out_peer now;
  if (!s->view.peer(s->view.ctx, id, &now) || !now.up)
    return;
  struct peer *p = peer_find(s, id);
  if (p && p->told) {
    if (seq > p->mark && p->content != content_of(&now)) {
      /* Up again without having been down. */
      tell_down(s, p, NULL);
      tell_up(s, p, &now, seq);
      p->due = true;
      sweep_start(s);
    }
    return;
  }
  if (sweep_will_visit(s, id) || !(p = peer_get(s, id)))
    return;
  /* All its routes come after this entry: no walk. */
  tell_up(s, p, &now, seq);
  p->walked = s->live;
  p->walk = WALK_DONE;
}

static void on_peer_down(struct ww_bmpout_session *s, uint32_t id, uint64_t seq) {
  struct peer *p = peer_find(s, id);
  if (!p || !p->told || seq <= p->mark)
    return;
  struct ww_out_peer now;
  bool there = s->view.peer(s->view.ctx, id, &now);
  tell_down(s, p, there ? &now : NULL);
}

static void on_eor(struct ww_bmpout_session *s, uint32_t id, uint8_t afi, uint64_t seq) {
  struct peer *p = peer_find(s, id);
  struct ww_out_peer now;
  if (!s->live || !p || !p->told || p->due || seq <= p->mark || afi == 0 || afi >= AFIS)
    return;
  if (!s->view.peer(s->view.ctx, id, &now) || !now.eor[afi])
    return; /* of a session that has ended since */
  if (p->walk == WALK_RUNNING) {
    p->eor_due[afi] = true;
    return;
  }
  struct ww_export_mark none = {0};
  ww_export_eor(&s->out, &p->header, afi, &none);
}

static void on_loss(struct ww_bmpout_session *s) {
  s->out.stats.resyncs++;
  ww_log(s->out.log, WW_LOG_NOTICE,
         "export: the station fell behind by more changes than are kept: telling it everything again");
  all_due(s);
}

/* Reads entries until about `room` octets are gathered, or a peer changed. False: there was nothing to read. */
static bool journal_step(struct ww_bmpout_session *s, size_t room) {
  bool any = false, barrier = false;
  while (!barrier && batch_open(s, room)) {
    struct ww_change change;
    uint64_t seq;
    int got = ww_journal_reader_next(s->reader, &change, &seq);
    if (got == 0)
      break;
    any = true;
    if (got > 0 && change.kind == WW_CHANGE_ROUTE) {
      on_route(s, change.id, seq);
      continue;
    }
    flush(s);
    barrier = true;
    if (got < 0)
      on_loss(s);
    else if (change.kind == WW_CHANGE_PEER_UP)
      on_peer_up(s, change.id, seq);
    else if (change.kind == WW_CHANGE_PEER_DOWN)
      on_peer_down(s, change.id, seq);
    else if (change.kind == WW_CHANGE_EOR)
      on_eor(s, change.id, change.afi, seq);
  }
  flush(s);
  return any;
}

/* --- readiness
 * --------------------------------------------------------------------------------------------------------- */

static bool data_ready(const struct ww_bmpout_session *s) {
  return !ww_export_has_verdicts(&s->out) || !s->view.ready || s->view.ready(s->view.ctx);
}

static void check_readiness(struct ww_bmpout_session *s) {
  bool ready = data_ready(s);
  if (ready && !s->live && !s->settling) {
    s->settling = true;
    s->settle_until = s->out.now.mono + SETTLE_MS;
  } else if (!ready) {
    s->settling = false;
    if (s->live) {
      /* What was told stands until there is something better; everything is told anew then. */
      s->live = false;
      walk_end(s);
    }
  }
}

/* Ready, and everything in the journal was read. True: look again at once. */
static bool settle(struct ww_bmpout_session *s) {
  if (!s->settling)
    return false;
  if (s->skipped_routes && s->out.now.mono < s->settle_until)
    return true;
  s->settling = false;
  s->live = true;
  all_due(s);
  return true;
}

/* --- the session
 * ------------------------------------------------------------------------------------------------------- */

static char *copy_text(const char *text) { return text ? strdup(text) : NULL; }

struct ww_bmpout_session *ww_bmpout_session_new(const struct ww_bmpout_config *config, const struct ww_out_view *view,
                                                struct ww_journal *journal, const struct ww_log *log) {
  struct ww_bmpout_session *s = calloc(1, sizeof *s);
  if (!s)
    return NULL;
  s->view = *view;
  s->out.view = &s->view;
  s->out.log = log;
  s->out.config = *config;
  if (s->out.config.max_message > WW_MESSAGE_MAX || !config->max_message)
    s->out.config.max_message = WW_MESSAGE_MAX;
  if (s->out.config.max_message < WW_MESSAGE_MIN)
    s->out.config.max_message = WW_MESSAGE_MIN;
  if (config->tlv_draft != 19)
    s->out.config.tlv_draft = 21;
  s->out.config.sys_descr = s->sys_descr = copy_text(config->sys_descr);
  s->out.config.sys_name = s->sys_name = copy_text(config->sys_name);
  s->out.encoder = ww_encoder_new();
  s->batch = ww_batch_new();
  s->reader = ww_journal_reader_new(journal);
  if (!s->out.encoder || !s->batch || !s->reader || (config->sys_descr && !s->sys_descr) ||
      (config->sys_name && !s->sys_name)) {
    ww_bmpout_session_free(s);
    return NULL;
  }
  s->live = data_ready(s);
  return s;
}

void ww_bmpout_session_free(struct ww_bmpout_session *s) {
  if (!s)
    return;
  walk_end(s);
  for (size_t i = 0; i < s->peer_slots; i++)
    free(s->peers[i]);
  free(s->peers);
  ww_journal_reader_free(s->reader);
  ww_batch_free(s->batch);
  ww_encoder_free(s->out.encoder);
  ww_verdict_fini(&s->verdict);
  free(s->sys_descr);
  free(s->sys_name);
  free(s);
}

void ww_bmpout_session_stop(struct ww_bmpout_session *s, uint16_t reason) {
  s->stopping = true;
  s->stop_reason = reason;
}

bool ww_bmpout_session_finished(const struct ww_bmpout_session *s) { return s->finished; }

bool ww_bmpout_session_pull(struct ww_bmpout_session *s, struct ww_buf *out, size_t budget, struct ww_now now) {
  if (s->finished)
    return false;
  size_t start = out->len;
  s->out.out = out;
  s->out.now = now;
  s->skipped_routes = false;
  if (!s->initiated) {
    s->initiated = true;
    ww_export_initiation(&s->out);
    if (!s->stopping)
      sweep_start(s);
  }
  if (s->stopping) {
    walk_end(s);
    ww_export_termination(&s->out, s->stop_reason);
    s->finished = true;
    return false;
  }
  check_readiness(s);
  bool more = true;
  while (!s->out.failed && out->len - start < budget) {
    size_t room = budget - (out->len - start);
    bool journal = journal_step(s, room);
    room = out->len - start < budget ? budget - (out->len - start) : 0;
    bool sweep = room && sweep_step(s, room);
    if (!journal && !sweep) {
      if (room && settle(s)) {
        if (s->settling)
          break; /* still filling: let the others work, then look again */
        continue;
      }
      more = room == 0;
      break;
    }
  }
  if (s->out.failed) {
    s->finished = true;
    return false;
  }
  return more;
}

void ww_bmpout_session_stats(const struct ww_bmpout_session *s, struct ww_bmpout_stats *out) {
  *out = s->out.stats;
  out->lag = ww_journal_reader_lag(s->reader);
}
