/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking a BMP message apart for people, and remembering what later messages of its session need.
 *
 * Peers are kept by {type, distinguisher, address, L and O flags}: what the OPENs of Peer Up agreed on about ADD-PATH,
 * which is nowhere else in a version 3 Route Monitoring message. Peer Down keeps the entry: the peer comes back, and
 * its Peer Up replaces it. Hashing is keyed by nothing secret, so the table is bounded (WW_RENDER_PEERS_MAX), and full
 * means that further peers are read without ADD-PATH. Sources are names by id, bounded as well.
 *
 * Version 4 of a standard message is decoded as version 3: the fixed parts are the same (draft-ietf-grow-bmp-tlv-21
 * §5.3, §5.5), and what follows is TLVs.
 */
#include "bmpout/render_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "wire/bmp_tlv.h"

enum { SLOTS = 2 * WW_RENDER_PEERS_MAX, ROUTER_MAX = 255, KEY_LEN = 1 + 1 + 8 + 16 };

struct known_peer {
  uint8_t key[KEY_LEN];
  bool add_path_ipv4, add_path_ipv6;
};

struct source {
  uint32_t id;
  char name[WW_SOURCE_LABEL_MAX + 1];
};

struct ww_render_state {
  char router[ROUTER_MAX + 1];
  struct known_peer *peers;
  size_t peer_count, peer_cap;
  uint16_t slots[SLOTS]; /* peer + 1 */
  struct source *sources;
  size_t source_count, source_cap;
};

struct ww_render_state *ww_render_state_new(void) {
  return calloc(1, sizeof(struct ww_render_state));
}

void ww_render_state_free(struct ww_render_state *state) {
  if (!state)
    return;
  free(state->peers);
  free(state->sources);
  free(state);
}

const char *ww_render_state_router(const struct ww_render_state *state) { return state->router; }

static void key_of(const struct ww_bmp_peer *peer, uint8_t key[KEY_LEN]) {
  struct ww_writer w = ww_writer_make(key, KEY_LEN);
  ww_writer_u8(&w, peer->type);
  ww_writer_u8(&w, peer->type == WW_BMP_PEER_LOC_RIB ? 0 : peer->flags & (WW_BMP_FLAG_L | WW_BMP_FLAG_O));
  ww_writer_u64(&w, peer->distinguisher);
  ww_writer_bytes(&w, peer->address, sizeof peer->address);
}

static size_t slot_of(const struct ww_render_state *state, const uint8_t key[KEY_LEN]) {
  size_t slot = (size_t)ww_hash(key, KEY_LEN) % SLOTS;
  while (state->slots[slot] && memcmp(state->peers[state->slots[slot] - 1].key, key, KEY_LEN) != 0)
    slot = (slot + 1) % SLOTS;
  return slot;
}

static struct known_peer *peer_add(struct ww_render_state *state, const struct ww_bmp_peer *peer) {
  uint8_t key[KEY_LEN];
  key_of(peer, key);
  size_t slot = slot_of(state, key);
  if (state->slots[slot])
    return &state->peers[state->slots[slot] - 1];
  if (state->peer_count == WW_RENDER_PEERS_MAX)
    return NULL;
  if (state->peer_count == state->peer_cap) {
    size_t cap = state->peer_cap ? state->peer_cap * 2 : 16;
    struct known_peer *bigger = realloc(state->peers, cap * sizeof *bigger);
    if (!bigger)
      return NULL;
    state->peers = bigger;
    state->peer_cap = cap;
  }
  struct known_peer *p = &state->peers[state->peer_count++];
  *p = (struct known_peer){0};
  memcpy(p->key, key, KEY_LEN);
  state->slots[slot] = (uint16_t)state->peer_count;
  return p;
}

struct ww_bgp_session ww_render_session(const struct ww_render_state *state, const struct ww_bmp_peer *peer) {
  /* RFC 7854 §4.2: the A flag says that AS_PATHs have 2-octet numbers; RFC 9069 §4.2: never in a Loc-RIB. */
  struct ww_bgp_session session = {.as4 = peer->type == WW_BMP_PEER_LOC_RIB || !(peer->flags & WW_BMP_FLAG_A),
                                   .confed = true};
  if (!state)
    return session;
  uint8_t key[KEY_LEN];
  key_of(peer, key);
  size_t slot = slot_of(state, key);
  if (state->slots[slot]) {
    session.add_path_ipv4 = state->peers[state->slots[slot] - 1].add_path_ipv4;
    session.add_path_ipv6 = state->peers[state->slots[slot] - 1].add_path_ipv6;
  }
  return session;
}

const char *ww_render_source(const struct ww_render_state *state, uint32_t id) {
  for (size_t i = 0; state && i < state->source_count; i++)
    if (state->sources[i].id == id)
      return state->sources[i].name;
  return NULL;
}

static void learn_source(struct ww_render_state *state, const struct ww_source_label *label) {
  struct source *at = NULL;
  for (size_t i = 0; i < state->source_count && !at; i++)
    if (state->sources[i].id == label->id)
      at = &state->sources[i];
  if (!at) {
    if (state->source_count == WW_RENDER_SOURCES_MAX)
      return;
    if (state->source_count == state->source_cap) {
      size_t cap = state->source_cap ? state->source_cap * 2 : 8;
      struct source *bigger = realloc(state->sources, cap * sizeof *bigger);
      if (!bigger)
        return;
      state->sources = bigger;
      state->source_cap = cap;
    }
    at = &state->sources[state->source_count++];
  }
  size_t len = label->name_len < WW_SOURCE_LABEL_MAX ? label->name_len : WW_SOURCE_LABEL_MAX;
  at->id = label->id;
  if (len)
    memcpy(at->name, label->name, len);
  at->name[len] = '\0';
}

/* RFC 7911 §4: path ids are there when one side sends and the other receives. The routes of an Adj-RIB-Out go the other
 * way than those of an Adj-RIB-In. */
static void learn_peer(struct ww_render_state *state, const struct ww_bmp_msg *msg, struct ww_arena *arena) {
  enum { RECEIVE = 1, SEND = 2 };
  struct ww_bgp_open sent, received;
  struct known_peer *p = peer_add(state, &msg->peer);
  if (!p)
    return;
  p->add_path_ipv4 = p->add_path_ipv6 = false;
  if (ww_bgp_open_decode(msg->u.up.sent_open, msg->u.up.sent_len, arena, &sent, NULL) != WW_OK ||
      ww_bgp_open_decode(msg->u.up.received_open, msg->u.up.received_len, arena, &received, NULL) != WW_OK)
    return;
  bool out = msg->peer.type != WW_BMP_PEER_LOC_RIB && (msg->peer.flags & WW_BMP_FLAG_O);
  const struct ww_bgp_open *sender = out ? &sent : &received, *receiver = out ? &received : &sent;
  p->add_path_ipv4 = (sender->add_path_ipv4 & SEND) && (receiver->add_path_ipv4 & RECEIVE);
  p->add_path_ipv6 = (sender->add_path_ipv6 & SEND) && (receiver->add_path_ipv6 & RECEIVE);
}

static void learn_router(struct ww_render_state *state, struct ww_reader tlvs) {
  struct ww_bmp_tlv tlv;
  while (ww_bmp_tlv_next(&tlvs, &tlv)) {
    if (tlv.type != WW_BMP_INFO_SYS_NAME)
      continue;
    size_t len = tlv.len < ROUTER_MAX ? tlv.len : ROUTER_MAX;
    if (len)
      memcpy(state->router, tlv.value, len);
    state->router[len] = '\0';
  }
}

static bool has_peer(uint8_t type) {
  return type <= WW_BMP_ROUTE_MIRRORING && type != WW_BMP_INITIATION && type != WW_BMP_TERMINATION;
}

/* draft-ietf-grow-bmp-tlv-21 §5.2, §5.4: the two that are nothing but TLVs. */
static enum ww_err parse_tlvs_only(const uint8_t *data, struct ww_parsed *out, struct ww_diag *diag) {
  struct ww_reader r = ww_reader_make(data, out->len);
  (void)ww_reader_take(&r, WW_BMP_HEADER_LEN);
  ww_bmp_peer_read(&r, &out->peer);
  if (r.bad)
    return ww_fail(diag, WW_ERR_MALFORMED, out->len, "RFC 7854 §4.2", "%s: cut off in its per-peer header",
                   ww_bmp_type_name(out->type));
  out->has_peer = true;
  out->tlvs = r;
  out->tlvs_indexed = out->type == WW_BMP_ROUTE_MONITORING;
  struct ww_tlv tlv;
  while (ww_tlv_next(&r, out->tlvs_indexed, &tlv))
    if (out->tlvs_indexed && !tlv.enterprise && tlv.type == WW_RM_TLV21_BGP_MESSAGE && !out->update) {
      out->update = tlv.value;
      out->update_len = tlv.len;
    }
  if (r.bad)
    return ww_fail(diag, WW_ERR_MALFORMED, ww_reader_offset(&r, data), "draft-ietf-grow-bmp-tlv-21 §4",
                   "%s: a TLV runs over the end of the message", ww_bmp_type_name(out->type));
  if (out->tlvs_indexed && !out->update)
    return ww_fail(diag, WW_ERR_MALFORMED, out->len, "draft-ietf-grow-bmp-tlv-21 §5.2",
                   "Route Monitoring without a BGP Message TLV");
  return WW_OK;
}

/* What follows the fixed part in version 4. */
static struct ww_reader trailing_tlvs(const struct ww_parsed *p) {
  const struct ww_bmp_msg *m = &p->msg;
  struct ww_reader r;
  switch (p->type) {
  case WW_BMP_PEER_UP:
    return m->u.up.tlvs;
  case WW_BMP_INITIATION:
  case WW_BMP_TERMINATION:
  case WW_BMP_ROUTE_MIRRORING:
    return m->u.info.tlvs;
  case WW_BMP_PEER_DOWN:
    r = m->body;
    (void)ww_reader_take(&r, WW_BMP_PEER_HEADER_LEN + 1);
    if (m->u.down.reason == WW_BMP_DOWN_LOCAL_FSM)
      (void)ww_reader_take(&r, 2);
    else if (m->u.down.notification)
      (void)ww_reader_take(&r, m->u.down.notification_len);
    return r;
  default:
    return ww_reader_make(NULL, 0);
  }
}

static enum ww_err parse_standard(const uint8_t *data, struct ww_arena *arena, struct ww_parsed *out,
                                  struct ww_diag *diag) {
  bool v4 = out->version == WW_BMP_VERSION_4;
  if (v4 && (out->type == WW_BMP_ROUTE_MONITORING || out->type == WW_BMP_STATISTICS))
    return parse_tlvs_only(data, out, diag);
  if (v4) {
    uint8_t *copy = ww_arena_copy(arena, data, out->len);
    if (!copy)
      return ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "memory ran out");
    copy[0] = 3;
    data = copy;
  }
  enum ww_err err = ww_bmp_decode(data, out->len, &out->msg, diag);
  if (err != WW_OK)
    return err;
  out->has_peer = out->msg.has_peer && has_peer(out->type);
  out->peer = out->msg.peer;
  if (out->type == WW_BMP_ROUTE_MONITORING) {
    out->update = out->msg.u.route.update;
    out->update_len = out->msg.u.route.len;
  }
  if (v4)
    out->tlvs = trailing_tlvs(out);
  return WW_OK;
}

enum ww_err ww_parse(const uint8_t *msg, size_t len, const struct ww_render_options *options, struct ww_arena *arena,
                     struct ww_parsed *out, struct ww_diag *diag) {
  *out = (struct ww_parsed){.tlvs = ww_reader_make(NULL, 0)};
  struct ww_bmp_header header;
  enum ww_err err = ww_bmp_frame(msg, len, WW_BMP_MAX_LEN, &header, diag);
  if (err != WW_OK)
    return err;
  if (header.len > len)
    return ww_fail(diag, WW_ERR_SHORT, len, "RFC 7854 §4.1", "BMP message of %u octets cut off after %zu", header.len,
                   len);
  out->version = header.version;
  out->type = header.type;
  out->len = header.len;
  struct ww_render_state *state = options->state;
  if (header.type == WW_BMP_RPKI_VALIDATION) {
    err = ww_validation_decode(msg, header.len, options->pen, arena, &out->validation, diag);
    if (err == WW_OK) {
      out->is_validation = out->has_peer = true;
      out->peer = out->validation.peer;
      for (size_t i = 0; state && i < out->validation.source_count; i++)
        learn_source(state, &out->validation.sources[i]);
      return WW_OK;
    }
    if (err != WW_ERR_UNSUPPORTED)
      return err;
    out->foreign = true;
    out->msg.body = ww_reader_make(msg + WW_BMP_HEADER_LEN, header.len - WW_BMP_HEADER_LEN);
    return WW_OK;
  }
  err = parse_standard(msg, arena, out, diag);
  if (err == WW_OK && state && out->type == WW_BMP_PEER_UP)
    learn_peer(state, &out->msg, arena);
  if (err == WW_OK && state && out->type == WW_BMP_INITIATION)
    learn_router(state, out->msg.u.info.tlvs);
  return err;
}
