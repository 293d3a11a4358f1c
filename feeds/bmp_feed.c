/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BMP station machine: octets of one router's BMP session in, peers and decoded UPDATEs out.
 *
 * Whole messages are read straight from the caller's octets; only what is cut off at their end is kept, in `pending`,
 * until the rest comes. One arena holds what the decoding of one message needs. A fault in the stream's framing (a
 * version or length that can't be) ends the feed; a fault inside of one message costs just that message, because the
 * frame still says where the next one starts.
 *
 * Peers are kept by identity (feeds/bmp_peers.h). How an UPDATE is read follows from where it stands:
 *   Route Monitoring  AS numbers by the A flag (RFC 7854 §4.2), path ids by the OPENs of Peer Up and the direction of
 *                     the table (RFC 7911 §4, RFC 8671), or by their mere presence for a Loc-RIB (RFC 9069 §5.2)
 *   Route Mirroring   as on the peer's session: AS numbers and path ids both by the OPENs
 *
 * Exporters, as met in the wild:
 *   FRRouting puts the router's own AS in front of every AS_PATH that it reports for an external peer (it encodes the
 *     route as if it were sending it on). It is taken off again, when sysDescr begins with "FRRouting" and the path
 *     begins with the AS of the sent OPEN. Mirrored UPDATEs are the received octets and need no such mending.
 *   FRRouting's pre-policy view leaves out routes that the inbound policy denied (they appear as withdrawals). Only the
 *     mirror has them.
 *   FRRouting 8.0 leaves NEXT_HOP out of some IPv4 routes. In Route Monitoring it may be missing (a DEVIATION from RFC
 *     7606 §3 (d)): withdrawing a route that the router has, for want of an address that nothing here is sent to, would
 *     be wrong.
 *   GoBGP reports its Loc-RIB without a Peer Up; one is made up (RFC 9069 §5.2). FRRouting sends Peer Down before any
 *     Peer Up; that is dropped. Neither sends Termination.
 *   Huawei's VRP repeats Peer Up for each view and family; see is_same_session().
 *
 * CHOICE: Route Mirroring as a source. From the first mirrored UPDATE of a peer on, the mirror is its pre-policy view.
 * Route Monitoring of that view may then only add routes, and only until the dump of that family is over (its
 * End-of-RIB, monitored or mirrored); its withdrawals no longer count, since FRRouting sends them for denied routes
 * that are still there. The price: routes that were denied before this session began are unknown until the peer sends
 * them again, and a router that mirrors only a sample would be misread. When the router says that mirrored messages
 * were lost, the mirror can no longer be trusted to tell what was withdrawn: Route Monitoring is the source again until
 * the next Peer Up of that peer, with what it leaves out, because a missing route is better than a stale one.
 *
 * CHOICE: LOCAL_PREF and its like are discarded (RFC 7606 §7.5, §7.9, §7.10) only from mirrored UPDATEs of external
 * peers; in Route Monitoring the router has done that already, and a post-policy view has them rightly. Confederation
 * segments are always let through: only the router knows who belongs to its confederation.
 */
#include "feeds/bmp_feed.h"

#include "base/arena.h"
#include "base/buf.h"
#include "feeds/bmp_peers.h"

#include <stdlib.h>

/* Bounds one message's decoding: the attributes, twice over. */
enum { ARENA_LIMIT = 4 * WW_BGP_MAX_LEN_EXTENDED, MADE_UP_LEN = 512 };

struct ww_bmp_feed {
  struct ww_bmp_feed_events events;
  const struct ww_log *log;
  struct ww_bmp_peers peers;
  struct ww_arena arena;
  struct ww_buf pending;
  struct ww_bmp_feed_stats stats;
  bool frr;        /* sysDescr begins with "FRRouting" */
  bool terminated; /* Termination was read */
  enum ww_err dead;
  struct ww_diag why;
};

struct ww_bmp_feed *ww_bmp_feed_new(const struct ww_bmp_feed_events *events, const struct ww_log *log) {
  struct ww_bmp_feed *feed = calloc(1, sizeof *feed);
  if (!feed)
    return NULL;
  feed->events = *events;
  feed->log = log;
  ww_arena_init(&feed->arena, ARENA_LIMIT);
  ww_buf_init(&feed->pending, WW_BMP_MAX_LEN);
  return feed;
}

void ww_bmp_feed_free(struct ww_bmp_feed *feed) {
  if (!feed)
    return;
  ww_bmp_peers_fini(&feed->peers);
  ww_arena_fini(&feed->arena);
  ww_buf_fini(&feed->pending);
  free(feed);
}

void ww_bmp_feed_stats(const struct ww_bmp_feed *feed, struct ww_bmp_feed_stats *out) {
  *out = feed->stats;
  out->peers = feed->peers.count;
}

/* True for 1, 2, 4, 8...: what a peer can repeat at will is logged ever more rarely. */
static bool worth_a_line(uint64_t n) { return (n & (n - 1)) == 0; }

static const char *peer_name(const struct ww_bmp_peer *peer, char buf[WW_ADDR_STRLEN]) {
  struct ww_addr addr = ww_bmp_peer_addr(peer);
  return addr.afi == WW_AFI_NONE ? "Loc-RIB" : ww_addr_format(&addr, buf);
}

static void ignore_message(struct ww_bmp_feed *feed, const struct ww_diag *why) {
  feed->stats.ignored++;
  if (worth_a_line(feed->stats.ignored))
    ww_log(feed->log, WW_LOG_WARNING, "BMP message ignored (%llu so far): %s", (unsigned long long)feed->stats.ignored,
           why->text);
}

static void count_unknown_peer(struct ww_bmp_feed *feed, const struct ww_bmp_msg *msg) {
  feed->stats.unknown_peer++;
  if (worth_a_line(feed->stats.unknown_peer)) {
    char name[WW_ADDR_STRLEN];
    ww_log(feed->log, WW_LOG_NOTICE, "BMP %s of peer %s, which is not up (%llu so far)",
           ww_bmp_type_name(msg->header.type), peer_name(&msg->peer, name),
           (unsigned long long)feed->stats.unknown_peer);
  }
}

/* --- peers --- */

/* Reports that a peer went down, and forgets it. */
static void drop_peer(struct ww_bmp_feed *feed, struct ww_bmp_feed_peer *peer, const struct ww_bmp_msg *msg) {
  if (feed->events.peer_down)
    feed->events.peer_down(feed->events.ctx, &msg->peer, msg);
  ww_bmp_peers_remove(&feed->peers, peer);
}

/* RFC 7854 §4.10 says nothing of a Peer Up for a peer that is up. CHOICE: the old session is over, and is reported so
 * with a Peer Down that is made up. */
static void drop_implicitly(struct ww_bmp_feed *feed, struct ww_bmp_feed_peer *peer) {
  static const uint8_t no_event[2];
  bool loc_rib = peer->header.type == WW_BMP_PEER_LOC_RIB;
  uint8_t octets[MADE_UP_LEN];
  struct ww_writer w = ww_writer_make(octets, sizeof octets);
  ww_bmp_peer_down_write(&w, 3, &peer->header, loc_rib ? WW_BMP_DOWN_LOCAL_SYSTEM : WW_BMP_DOWN_LOCAL_FSM, no_event,
                         loc_rib ? 0 : sizeof no_event);
  struct ww_bmp_msg msg;
  if (ww_bmp_decode(octets, w.len, &msg, NULL) == WW_OK)
    drop_peer(feed, peer, &msg);
}

static struct ww_bmp_open_view read_open(struct ww_bmp_feed *feed, const uint8_t *open, size_t len,
                                         const struct ww_bmp_peer *peer) {
  struct ww_bgp_open decoded;
  struct ww_diag why;
  ww_arena_reset(&feed->arena);
  if (ww_bgp_open_decode(open, len, &feed->arena, &decoded, &why) != WW_OK) {
    char name[WW_ADDR_STRLEN];
    ww_log(feed->log, WW_LOG_WARNING, "OPEN in Peer Up of %s not understood: %s", peer_name(peer, name), why.text);
    return (struct ww_bmp_open_view){.asn = 0, .as4 = true};
  }
  return (struct ww_bmp_open_view){
      .asn = decoded.asn,
      .as4 = decoded.as4,
      .add_path = {decoded.add_path_ipv4, decoded.add_path_ipv6},
  };
}

/* CHOICE: a Peer Up with the timestamp, AS, identifier and ports of the session that is up tells of that session once
 * more. Huawei's VRP sends one for each view and family that it monitors, with the OPEN of a Loc-RIB differing in the
 * family. A timestamp of zero means that there is none (RFC 7854 §4.2) and identifies nothing. */
static bool is_same_session(const struct ww_bmp_feed_peer *peer, const struct ww_bmp_msg *msg) {
  const struct ww_bmp_peer *a = &peer->header, *b = &msg->peer;
  return (a->sec || a->usec) && a->sec == b->sec && a->usec == b->usec && a->asn == b->asn && a->bgp_id == b->bgp_id &&
         peer->local_port == msg->u.up.local_port && peer->remote_port == msg->u.up.remote_port;
}

/* Path ids by family of several OPENs of one session. */
static void merge_open(struct ww_bmp_open_view *into, struct ww_bmp_open_view other) {
  for (unsigned i = 0; i < 2; i++)
    into->add_path[i] |= other.add_path[i];
}

static enum ww_err on_peer_up(struct ww_bmp_feed *feed, const struct ww_bmp_msg *msg) {
  struct ww_bmp_open_view sent = read_open(feed, msg->u.up.sent_open, msg->u.up.sent_len, &msg->peer);
  struct ww_bmp_open_view received = read_open(feed, msg->u.up.received_open, msg->u.up.received_len, &msg->peer);
  struct ww_bmp_feed_peer *peer = ww_bmp_peers_get(&feed->peers, &msg->peer);
  if (peer && is_same_session(peer, msg)) {
    merge_open(&peer->sent, sent);
    merge_open(&peer->received, received);
    return WW_OK;
  }
  if (peer)
    drop_implicitly(feed, peer);
  enum ww_err err = ww_bmp_peers_add(&feed->peers, &msg->peer, &peer);
  if (err == WW_ERR_LIMIT) {
    struct ww_diag why;
    (void)ww_fail(&why, err, 0, NULL, "more than %d peers", WW_BMP_FEED_MAX_PEERS);
    ignore_message(feed, &why);
    return WW_OK;
  }
  if (err != WW_OK)
    return err;
  peer->local_port = msg->u.up.local_port;
  peer->remote_port = msg->u.up.remote_port;
  peer->sent = sent;
  peer->received = received;
  if (feed->events.peer_up)
    feed->events.peer_up(feed->events.ctx, &msg->peer, msg);
  return WW_OK;
}

static void on_peer_down(struct ww_bmp_feed *feed, const struct ww_bmp_msg *msg) {
  struct ww_bmp_feed_peer *peer = ww_bmp_peers_get(&feed->peers, &msg->peer);
  if (peer)
    drop_peer(feed, peer, msg);
  else
    count_unknown_peer(feed, msg);
}

/* DEVIATION: RFC 9069 §5.2 wants a Peer Up before Loc-RIB routes. Routes of a Loc-RIB that lacks one are still good, so
 * the Peer Up is made up: the OPEN that the RFC describes, twice, and "global" for the default instance. */
static enum ww_err imply_loc_rib(struct ww_bmp_feed *feed, const struct ww_bmp_peer *header) {
  uint8_t open[MADE_UP_LEN / 4], octets[MADE_UP_LEN];
  struct ww_writer o = ww_writer_make(open, sizeof open), w = ww_writer_make(octets, sizeof octets);
  struct ww_addr none = {.afi = WW_AFI_NONE};
  ww_bgp_open_write(&o, header->asn, 0, header->bgp_id, NULL, 0);
  ww_bmp_peer_up_write(&w, 3, header, &none, 0, 0, open, o.len, open, o.len,
                       header->distinguisher == 0 ? "global" : NULL);
  struct ww_bmp_msg msg;
  enum ww_err err = ww_bmp_decode(octets, w.len, &msg, NULL);
  return err != WW_OK ? err : on_peer_up(feed, &msg);
}

/* --- routes --- */

static enum ww_rib_view view_of(const struct ww_bmp_peer *peer) {
  if (peer->type == WW_BMP_PEER_LOC_RIB)
    return WW_VIEW_LOC_RIB;
  bool post = peer->flags & WW_BMP_FLAG_L;
  if (peer->flags & WW_BMP_FLAG_O) /* RFC 8671 §4 */
    return post ? WW_VIEW_ADJ_OUT_POST : WW_VIEW_ADJ_OUT_PRE;
  return post ? WW_VIEW_ADJ_IN_POST : WW_VIEW_ADJ_IN_PRE;
}

enum { MODE_RECEIVES = 1, MODE_SENDS = 2 }; /* RFC 7911 §4: Send/Receive */

static bool has_path_ids(const struct ww_bmp_feed_peer *peer, enum ww_rib_view view, unsigned family) {
  unsigned sent = peer->sent.add_path[family], received = peer->received.add_path[family];
  switch (view) {
  case WW_VIEW_LOC_RIB: /* RFC 9069 §5.2: the capability's presence says it, its mode does not */
    return sent || received;
  case WW_VIEW_ADJ_OUT_PRE:
  case WW_VIEW_ADJ_OUT_POST:
    return (sent & MODE_SENDS) && (received & MODE_RECEIVES);
  case WW_VIEW_ADJ_IN_PRE:
  case WW_VIEW_ADJ_IN_POST:
    break;
  }
  return (sent & MODE_RECEIVES) && (received & MODE_SENDS);
}

static struct ww_bgp_session session_of(const struct ww_bmp_feed_peer *peer, enum ww_rib_view view,
                                        const struct ww_bmp_peer *header, bool mirror) {
  struct ww_bgp_session session = {
      .as4 = true,
      .add_path_ipv4 = has_path_ids(peer, view, 0),
      .add_path_ipv6 = has_path_ids(peer, view, 1),
      .ebgp = mirror && peer->sent.asn != peer->received.asn,
      .confed = true,
      .next_hop_optional = !mirror,
      .empty_mandatory = view == WW_VIEW_ADJ_OUT_PRE,
  };
  if (mirror) /* RFC 7854 §4.2: the A flag has no significance here */
    session.as4 = peer->sent.as4 && peer->received.as4;
  else if (view != WW_VIEW_LOC_RIB) /* RFC 9069 §5.4.1: a Loc-RIB has 4-octet AS numbers always */
    session.as4 = !(header->flags & WW_BMP_FLAG_A);
  return session;
}

static bool is_empty(const struct ww_bgp_update *u) {
  return !u->withdrawn[0].len && !u->withdrawn[1].len && !u->announced[0].len && !u->announced[1].len && !u->eor;
}

static void emit(struct ww_bmp_feed *feed, const struct ww_bmp_peer *header, enum ww_rib_view view,
                 const struct ww_bgp_update *update) {
  if (!is_empty(update) && feed->events.update)
    feed->events.update(feed->events.ctx, header, view, update);
}

/* RFC 7606 §2: treat-as-withdraw. The routes withdrawn anyway and those to be withdrawn instead go in two calls. */
static void emit_withdrawals(struct ww_bmp_feed *feed, const struct ww_bmp_peer *header, enum ww_rib_view view,
                             const struct ww_bgp_update *update) {
  struct ww_bgp_update part = {.disposition = update->disposition, .bad_attr = update->bad_attr, .origin = 255};
  memcpy(part.withdrawn, update->withdrawn, sizeof part.withdrawn);
  emit(feed, header, view, &part);
  memcpy(part.withdrawn, update->announced, sizeof part.withdrawn);
  emit(feed, header, view, &part);
}

static void log_malformed(struct ww_bmp_feed *feed, const struct ww_bmp_peer *header,
                          enum ww_bgp_disposition disposition, const struct ww_diag *why) {
  char name[WW_ADDR_STRLEN];
  if (disposition == WW_BGP_ATTRIBUTE_DISCARD) {
    ww_log(feed->log, WW_LOG_DEBUG, "UPDATE of %s: attribute discard: %s (%s)", peer_name(header, name), why->text,
           why->clause);
    return;
  }
  feed->stats.malformed_updates++;
  if (worth_a_line(feed->stats.malformed_updates))
    ww_log(feed->log, WW_LOG_WARNING, "malformed UPDATE of %s (%llu so far): %s: %s (%s)", peer_name(header, name),
           (unsigned long long)feed->stats.malformed_updates, ww_bgp_disposition_name(disposition), why->text,
           why->clause);
}

/* Leaves of a monitored pre-policy UPDATE what the mirror has not told already: see the head of this file. */
static void subtract_mirror(struct ww_bmp_feed *feed, const struct ww_bmp_feed_peer *peer, struct ww_bgp_update *u) {
  bool had = !is_empty(u);
  for (unsigned i = 0; i < 2; i++) {
    u->withdrawn[i].len = 0;
    unsigned afi = u->announced[i].afi;
    if (u->announced[i].len && (u->disposition >= WW_BGP_TREAT_AS_WITHDRAW || peer->synced[afi == WW_AFI_IPV6]))
      u->announced[i].len = 0;
  }
  if (had && is_empty(u))
    feed->stats.ignored++;
}

/* What there is to say about one UPDATE besides its octets. */
struct origin {
  const struct ww_bmp_peer *header;
  struct ww_bmp_feed_peer *peer;
  enum ww_rib_view view;
  bool mirror;
  bool errored; /* the router found it malformed (RFC 7854 §4.7) */
};

static enum ww_err on_update(struct ww_bmp_feed *feed, const struct origin *from, const uint8_t *msg, size_t len) {
  struct ww_bgp_session session = session_of(from->peer, from->view, from->header, from->mirror);
  struct ww_bgp_update update;
  struct ww_diag why;
  (void)ww_fail(&why, WW_ERR_MALFORMED, 0, "RFC 7854 §4.7", "found malformed by the router");
  ww_arena_reset(&feed->arena);
  enum ww_err err =
      ww_bgp_update_decode(msg + WW_BGP_HEADER_LEN, len - WW_BGP_HEADER_LEN, &session, &feed->arena, &update, &why);
  if (err != WW_OK)
    return err;
  if (from->errored && update.disposition < WW_BGP_TREAT_AS_WITHDRAW)
    update.disposition = WW_BGP_TREAT_AS_WITHDRAW;
  if (update.disposition != WW_BGP_ACCEPT)
    log_malformed(feed, from->header, update.disposition, &why);
  if (update.disposition >= WW_BGP_AFI_SAFI_DISABLE)
    return WW_OK; /* nothing in it can be relied upon, and there is no session here to reset */
  bool adj_in = from->view == WW_VIEW_ADJ_IN_PRE || from->view == WW_VIEW_ADJ_IN_POST;
  if (feed->frr && !from->mirror && adj_in && from->peer->sent.asn != from->peer->received.asn) {
    err = ww_bgp_update_strip_as(&update, from->peer->sent.asn, &feed->arena);
    if (err != WW_OK)
      return err;
  }
  if (from->view == WW_VIEW_ADJ_IN_PRE) {
    if (update.eor)
      from->peer->synced[update.eor_afi == WW_AFI_IPV6] = true;
    if (from->mirror && !is_empty(&update))
      from->peer->mirrored = true;
    if (!from->mirror && from->peer->mirrored && !from->peer->mirror_lost)
      subtract_mirror(feed, from->peer, &update);
  }
  feed->stats.other_family += update.other_family;
  if (is_empty(&update))
    return WW_OK;
  feed->stats.updates++;
  if (update.disposition == WW_BGP_TREAT_AS_WITHDRAW)
    emit_withdrawals(feed, from->header, from->view, &update);
  else
    emit(feed, from->header, from->view, &update);
  return WW_OK;
}

static enum ww_err on_route(struct ww_bmp_feed *feed, const struct ww_bmp_msg *msg) {
  struct ww_bmp_feed_peer *peer = ww_bmp_peers_get(&feed->peers, &msg->peer);
  if (!peer && msg->peer.type == WW_BMP_PEER_LOC_RIB) {
    enum ww_err err = imply_loc_rib(feed, &msg->peer);
    if (err != WW_OK)
      return err;
    peer = ww_bmp_peers_get(&feed->peers, &msg->peer);
  }
  if (!peer) {
    count_unknown_peer(feed, msg);
    return WW_OK;
  }
  struct origin from = {.header = &msg->peer, .peer = peer, .view = view_of(&msg->peer)};
  return on_update(feed, &from, msg->u.route.update, msg->u.route.len);
}

static void on_mirror_lost(struct ww_bmp_feed *feed, struct ww_bmp_feed_peer *peer) {
  if (peer->mirror_lost)
    return;
  peer->mirror_lost = true;
  char name[WW_ADDR_STRLEN];
  ww_log(feed->log, WW_LOG_WARNING,
         "the router lost mirrored messages of %s: its pre-policy routes come from Route Monitoring from now on",
         peer_name(&peer->header, name));
}

static enum ww_err on_mirror(struct ww_bmp_feed *feed, const struct ww_bmp_msg *msg) {
  /* RFC 9069 §5.5: not applicable to a Loc-RIB. RFC 8671 §6.1: O is set on what was sent, which is no route source. */
  if (msg->peer.type == WW_BMP_PEER_LOC_RIB || (msg->peer.flags & WW_BMP_FLAG_O))
    return WW_OK;
  struct ww_bmp_feed_peer *peer = ww_bmp_peers_get(&feed->peers, &msg->peer);
  struct origin from = {.header = &msg->peer, .peer = peer, .view = WW_VIEW_ADJ_IN_PRE, .mirror = true};
  struct ww_reader tlvs = msg->u.info.tlvs;
  for (struct ww_bmp_tlv tlv; ww_bmp_tlv_next(&tlvs, &tlv);) {
    struct ww_reader value = ww_reader_make(tlv.value, tlv.len);
    if (tlv.type == WW_BMP_MIRROR_INFORMATION) {
      unsigned code = ww_reader_u16(&value);
      if (value.bad)
        continue;
      if (code == WW_BMP_MIRROR_MESSAGES_LOST && peer)
        on_mirror_lost(feed, peer);
      else if (code == WW_BMP_MIRROR_ERRORED_PDU)
        from.errored = true;
      continue;
    }
    if (tlv.type != WW_BMP_MIRROR_MESSAGE)
      continue;
    size_t len;
    uint8_t type;
    struct ww_diag why;
    if (ww_bgp_frame(tlv.value, tlv.len, WW_BGP_MAX_LEN_EXTENDED, &len, &type, &why) != WW_OK) {
      ignore_message(feed, &why); /* RFC 7854 §4.7: mirrors may well show broken messages */
      continue;
    }
    if (type != WW_BGP_UPDATE)
      continue;
    if (!peer) {
      count_unknown_peer(feed, msg);
      return WW_OK;
    }
    if (peer->mirror_lost)
      continue;
    enum ww_err err = on_update(feed, &from, tlv.value, len);
    if (err != WW_OK)
      return err;
  }
  return WW_OK;
}

/* --- the session --- */

/* A TLV's text as a C string without control characters, in the arena; "" when memory is short. */
static const char *text_of(struct ww_bmp_feed *feed, const struct ww_bmp_tlv *tlv) {
  char *text = ww_arena_alloc(&feed->arena, (size_t)tlv->len + 1);
  if (!text)
    return "";
  for (size_t i = 0; i < tlv->len; i++)
    text[i] = tlv->value[i] < 0x20 || tlv->value[i] == 0x7f ? '?' : (char)tlv->value[i];
  text[tlv->len] = '\0';
  return text;
}

static void on_initiation(struct ww_bmp_feed *feed, const struct ww_bmp_msg *msg) {
  const char *name = "", *descr = "";
  struct ww_reader tlvs = msg->u.info.tlvs;
  ww_arena_reset(&feed->arena);
  for (struct ww_bmp_tlv tlv; ww_bmp_tlv_next(&tlvs, &tlv);) {
    if (tlv.type == WW_BMP_INFO_SYS_NAME)
      name = text_of(feed, &tlv);
    else if (tlv.type == WW_BMP_INFO_SYS_DESCR)
      descr = text_of(feed, &tlv);
  }
  feed->frr = strncmp(descr, "FRRouting", 9) == 0;
  if (feed->events.initiation)
    feed->events.initiation(feed->events.ctx, name, descr);
}

static void on_termination(struct ww_bmp_feed *feed, const struct ww_bmp_msg *msg) {
  uint16_t reason = 1; /* RFC 7854 §4.5: unspecified */
  const char *text = "";
  struct ww_reader tlvs = msg->u.info.tlvs;
  ww_arena_reset(&feed->arena);
  for (struct ww_bmp_tlv tlv; ww_bmp_tlv_next(&tlvs, &tlv);) {
    struct ww_reader value = ww_reader_make(tlv.value, tlv.len);
    if (tlv.type == WW_BMP_TERM_REASON && tlv.len == 2)
      reason = ww_reader_u16(&value);
    else if (tlv.type == WW_BMP_TERM_STRING)
      text = text_of(feed, &tlv);
  }
  feed->terminated = true;
  if (feed->events.termination)
    feed->events.termination(feed->events.ctx, reason, text);
}

static void on_stats(struct ww_bmp_feed *feed, const struct ww_bmp_msg *msg) {
  if (!ww_bmp_peers_get(&feed->peers, &msg->peer))
    count_unknown_peer(feed, msg);
  else if (feed->events.stats)
    feed->events.stats(feed->events.ctx, &msg->peer, msg);
}

static enum ww_err on_message(struct ww_bmp_feed *feed, const uint8_t *data, size_t len, struct ww_diag *diag) {
  struct ww_bmp_msg msg;
  struct ww_diag why;
  feed->stats.messages++;
  enum ww_err err = ww_bmp_decode(data, len, &msg, &why);
  if (err == WW_ERR_UNSUPPORTED) /* draft-ietf-grow-bmp-tlv-21 §3: close when the version is not supported */
    return ww_fail(diag, err, 0, why.clause, "%s", why.text);
  if (err != WW_OK) {
    ignore_message(feed, &why);
    return WW_OK;
  }
  if (msg.has_peer && msg.peer.type > WW_BMP_PEER_LOC_RIB) {
    (void)ww_fail(&why, WW_ERR_UNSUPPORTED, 0, "RFC 7854 §4.2", "peer type %u", msg.peer.type);
    ignore_message(feed, &why);
    return WW_OK;
  }
  switch (msg.header.type) {
  case WW_BMP_ROUTE_MONITORING:
    err = on_route(feed, &msg);
    break;
  case WW_BMP_ROUTE_MIRRORING:
    err = on_mirror(feed, &msg);
    break;
  case WW_BMP_STATISTICS:
    on_stats(feed, &msg);
    break;
  case WW_BMP_PEER_UP:
    err = on_peer_up(feed, &msg);
    break;
  case WW_BMP_PEER_DOWN:
    on_peer_down(feed, &msg);
    break;
  case WW_BMP_INITIATION:
    on_initiation(feed, &msg);
    break;
  case WW_BMP_TERMINATION:
    on_termination(feed, &msg);
    break;
  default: /* RFC 7854 §4.1 */
    (void)ww_fail(&why, WW_ERR_UNSUPPORTED, 5, "RFC 7854 §4.1", "message type %u", msg.header.type);
    ignore_message(feed, &why);
    break;
  }
  if (err != WW_OK)
    return ww_fail(diag, err, 0, NULL, "%s: %s", ww_bmp_type_name(msg.header.type), ww_err_name(err));
  return WW_OK;
}

/* Reads whole messages off the front. *used: octets of them. */
static enum ww_err read_messages(struct ww_bmp_feed *feed, const uint8_t *data, size_t len, size_t *used,
                                 struct ww_diag *diag) {
  *used = 0;
  while (*used < len && !feed->terminated) {
    struct ww_bmp_header header;
    enum ww_err err = ww_bmp_frame(data + *used, len - *used, WW_BMP_MAX_LEN, &header, diag);
    if (err == WW_ERR_SHORT || (err == WW_OK && header.len > len - *used))
      return WW_OK;
    if (err == WW_OK)
      err = on_message(feed, data + *used, header.len, diag);
    if (err != WW_OK)
      return err;
    *used += header.len;
  }
  return WW_OK;
}

/* How many octets the message that begins in `pending` still lacks, as far as is known. */
static size_t lacking(const struct ww_buf *pending) {
  struct ww_bmp_header header;
  size_t want = WW_BMP_HEADER_LEN;
  if (ww_bmp_frame(ww_buf_head(pending), pending->len, WW_BMP_MAX_LEN, &header, NULL) == WW_OK)
    want = header.len;
  return want > pending->len ? want - pending->len : 0;
}

static enum ww_err feed_octets(struct ww_bmp_feed *feed, const uint8_t *data, size_t len, struct ww_diag *diag) {
  size_t used;
  enum ww_err err;
  /* Once at most for the header, once for the rest of its message. */
  while (feed->pending.len && len) {
    size_t take = lacking(&feed->pending);
    if (take > len)
      take = len;
    err = ww_buf_append(&feed->pending, data, take);
    if (err != WW_OK)
      return ww_fail(diag, err, 0, NULL, "no memory for a BMP message");
    data += take;
    len -= take;
    feed->stats.bytes += take;
    err = read_messages(feed, ww_buf_head(&feed->pending), feed->pending.len, &used, diag);
    if (err != WW_OK)
      return err;
    ww_buf_consume(&feed->pending, used);
  }
  err = read_messages(feed, data, len, &used, diag);
  feed->stats.bytes += err == WW_OK ? len : used;
  if (err != WW_OK || feed->terminated)
    return err;
  if (used < len && ww_buf_append(&feed->pending, data + used, len - used) != WW_OK)
    return ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "no memory for a BMP message");
  return WW_OK;
}

enum ww_err ww_bmp_feed_input(struct ww_bmp_feed *feed, const uint8_t *data, size_t len, struct ww_diag *diag) {
  if (feed->terminated) {
    feed->stats.bytes += len;
    return WW_OK;
  }
  if (feed->dead == WW_OK) {
    struct ww_diag why = {0};
    feed->dead = feed_octets(feed, data, len, &why);
    if (feed->dead != WW_OK)
      why.offset += (size_t)feed->stats.bytes - feed->pending.len;
    feed->why = why;
  }
  if (feed->dead != WW_OK && diag)
    *diag = feed->why;
  return feed->dead;
}
