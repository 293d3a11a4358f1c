/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The messages of one export session, in its profile:
 *
 *   v4    every message version 4, verdicts as RPKI_VALIDATION; with tlv_draft 21 each message has Sequence Number and
 *         Timestamp TLVs
 *   exp3  version 3 frames, verdicts as RPKI_VALIDATION with the same TLVs (no Sequence: it counts every message of a
 *         session, and those of version 3 have no place for it)
 *   std3  version 3 and nothing that is not in a standard: Route Monitoring in place of RPKI_VALIDATION
 *
 * Clauses: RFC 7854 §3.3, §4.2, §4.3, §4.6, §4.9, §4.10; RFC 9069 §5; draft-ietf-grow-bmp-tlv-21 §3, §5.6.
 */
#include "bmpout/export.h"
#include "base/rules.h"

#include <string.h>

#include "wire/bmp_tlv.h"

enum { EXTRA_LEN = 4 + 8 + 4 + 9 }; /* Sequence Number and Timestamp TLVs without index */

bool ww_export_has_verdicts(const struct ww_export *e) { return e->config.profile != WW_PROFILE_STD3; }

static uint8_t version(const struct ww_export *e) { return e->config.profile == WW_PROFILE_V4 ? 4 : 3; }
static bool sequenced(const struct ww_export *e) {
  return e->config.profile == WW_PROFILE_V4 && e->config.tlv_draft >= 21;
}

/* Room for one message. */
static bool begin(struct ww_export *e, struct ww_writer *w, size_t room) {
  if (e->failed)
    return false;
  uint8_t *p = ww_buf_reserve(e->out, room);
  if (!p) {
    e->failed = true;
    ww_log(e->log, WW_LOG_ERROR, "export: no memory for a message of up to %zu octets: the session ends", room);
    return false;
  }
  *w = ww_writer_make(p, room);
  return true;
}

static void commit(struct ww_export *e, const struct ww_writer *w) {
  ww_buf_commit(e->out, w->len);
  e->stats.messages++;
  e->stats.bytes += w->len;
  e->sequence++;
}

/* Ends a message of a standard type that a wire encoder wrote from octet 0 on. */
static void commit_standard(struct ww_export *e, struct ww_writer *w) {
  if (sequenced(e)) {
    size_t at = ww_tlv_begin(w, WW_RM_TLV21_SEQUENCE, false, 0, false, false, 0);
    ww_writer_u64(w, e->sequence);
    ww_tlv_end(w, at);
    at = ww_tlv_begin(w, WW_RM_TLV21_TIMESTAMP, false, 0, false, false, 0);
    ww_writer_u8(w, WW_TIMESTAMP21_EXPORT);
    ww_writer_u32(w, (uint32_t)e->now.unix_sec);
    ww_writer_u32(w, e->now.unix_usec);
    ww_tlv_end(w, at);
    ww_bmp_end(w, 0);
  }
  if (w->overflow) {
    ww_log(e->log, WW_LOG_ERROR, "export: a message did not fit and was left out");
    return;
  }
  commit(e, w);
}

/* draft-ietf-grow-bmp-tlv-21 §5.6.1: a time stamp of 0 is not to be. */
static struct ww_bmp_peer stamped(const struct ww_export *e, const struct ww_bmp_peer *header) {
  struct ww_bmp_peer peer = *header;
  if (!peer.sec) {
    peer.sec = (uint32_t)e->now.unix_sec;
    peer.usec = e->now.unix_usec;
  }
  return peer;
}

void ww_export_initiation(struct ww_export *e) {
  const struct ww_out_view *v = e->view;
  const char *descr = e->config.sys_descr ? e->config.sys_descr : v->sys_descr(v->ctx);
  const char *name = e->config.sys_name ? e->config.sys_name : v->sys_name(v->ctx);
  size_t room = 64 + EXTRA_LEN + (descr ? strlen(descr) : 0) + (name ? strlen(name) : 0);
  struct ww_writer w;
  if (!begin(e, &w, room))
    return;
  ww_bmp_initiation_write(&w, version(e), descr, name, NULL);
  commit_standard(e, &w);
}

void ww_export_termination(struct ww_export *e, uint16_t reason) {
  struct ww_writer w;
  if (!begin(e, &w, 64 + EXTRA_LEN))
    return;
  ww_bmp_termination_write(&w, version(e), reason, NULL);
  commit_standard(e, &w);
}

/* RFC 7854 §4.10 wants both OPENs; RFC 9069 §5.2.1 tells how to make one up where no session is behind the peer.
 * CHOICE: the same for any peer whose OPENs were never heard: our own RPKI_VALIDATION does not depend on them. */
static void made_up_open(const struct ww_bmp_peer *header, struct ww_writer *w) {
  ww_bgp_open_write(w, header->asn, 0, header->bgp_id ? header->bgp_id : 1, NULL, 0);
}

void ww_export_peer_up(struct ww_export *e, const struct ww_bmp_peer *header, const struct ww_out_peer *peer) {
  uint8_t storage[WW_BGP_HEADER_LEN + 128];
  const uint8_t *sent = peer->sent_open, *received = peer->received_open;
  size_t sent_len = peer->sent_len, received_len = peer->received_len;
  if (!sent_len || !received_len) {
    struct ww_writer open = ww_writer_make(storage, sizeof storage);
    made_up_open(header, &open);
    sent = received = storage;
    sent_len = received_len = open.len;
  }
  struct ww_writer w;
  if (!begin(e, &w, WW_BMP_HEADER_LEN + WW_BMP_PEER_HEADER_LEN + 64 + EXTRA_LEN + sent_len + received_len))
    return;
  struct ww_bmp_peer up = stamped(e, header);
  /* RFC 9069 §5.2.1: "global" is the default table's name. */
  const char *table = header->type == WW_BMP_PEER_LOC_RIB && !header->distinguisher ? "global" : NULL;
  ww_bmp_peer_up_write(&w, version(e), &up, &peer->local, peer->local_port, peer->remote_port, sent, sent_len, received,
                       received_len, table);
  commit_standard(e, &w);
}

void ww_export_peer_down(struct ww_export *e, const struct ww_bmp_peer *header, const struct ww_out_peer *peer) {
  struct ww_bmp_peer down = *header;
  down.sec = 0; /* the time of this event, not of the Peer Up */
  down = stamped(e, &down);
  uint8_t reason = peer ? peer->down_reason : 0;
  const uint8_t *data = peer ? peer->down_data : NULL;
  size_t len = peer ? peer->down_len : 0;
  /* CHOICE: without the router's word for it, reason 5 says the least: no more information about this peer
   * (RFC 7854 §4.9), and does not claim that its session ended. RFC 9069 §5.3: a Loc-RIB peer's is always 6. */
  if (reason == 0) {
    reason = 5;
    len = 0;
  }
  if (header->type == WW_BMP_PEER_LOC_RIB && reason != 6) {
    reason = 6;
    len = 0;
  }
  struct ww_writer w;
  if (!begin(e, &w, WW_BMP_HEADER_LEN + WW_BMP_PEER_HEADER_LEN + 64 + EXTRA_LEN + len))
    return;
  uint8_t storage[16];
  if (reason == 6 && len == 0 && !header->distinguisher && header->type == WW_BMP_PEER_LOC_RIB) {
    struct ww_writer table = ww_writer_make(storage, sizeof storage);
    ww_bmp_tlv_write(&table, 3 /* VRF/Table Name, as in the Peer Up */, "global", 6);
    data = storage;
    len = table.len;
  }
  ww_bmp_peer_down_write(&w, version(e), &down, reason, data, len);
  commit_standard(e, &w);
}

/* --- what speaks of routes ------------------------------------------------------------------------------------------
 */

static struct ww_encode_message message_of(const struct ww_export *e, const struct ww_bmp_peer *header,
                                           const struct ww_export_mark *mark) {
  return (struct ww_encode_message){
      .version = version(e),
      .tlv_draft = e->config.tlv_draft,
      .pen = e->config.pen,
      .flags = mark->flags,
      .snapshot_id = mark->snapshot_id,
      .covering = e->config.covering,
      .peer = stamped(e, header),
      .has_sequence = sequenced(e),
      .sequence = e->sequence,
      .export_sec = (uint32_t)e->now.unix_sec,
      .export_usec = e->now.unix_usec,
  };
}

static size_t write_monitoring(struct ww_writer *w, const struct ww_bmp_peer *header, const struct ww_encode_routes *r,
                               size_t count) {
  size_t start = ww_bmp_begin(w, 3, WW_BMP_ROUTE_MONITORING);
  ww_bmp_peer_write(w, header);
  ww_bgp_update_write(w, r->afi, r->attrs, r->attrs_len, r->next_hop, r->next_hop_len, r->add_path, r->nlri, count);
  ww_bmp_end(w, start);
  return w->len - start;
}

void ww_export_eor(struct ww_export *e, const struct ww_bmp_peer *header, uint8_t afi, struct ww_export_mark *mark) {
  struct ww_writer w;
  if (!begin(e, &w, 256))
    return;
  if (ww_export_has_verdicts(e)) {
    struct ww_encode_message m = message_of(e, header, mark);
    ww_encode_eor(&m, afi, &w);
    e->stats.validations++;
    mark->flags = 0;
  } else {
    struct ww_bmp_peer peer = stamped(e, header);
    size_t start = ww_bmp_begin(&w, 3, WW_BMP_ROUTE_MONITORING);
    ww_bmp_peer_write(&w, &peer);
    ww_bgp_eor_write(&w, afi);
    ww_bmp_end(&w, start);
  }
  commit(e, &w);
}

void ww_export_bare(struct ww_export *e, const struct ww_bmp_peer *header, struct ww_export_mark *mark) {
  struct ww_writer w;
  if (!ww_export_has_verdicts(e) || !begin(e, &w, 256))
    return;
  struct ww_encode_message m = message_of(e, header, mark);
  ww_encode_bare(&m, &w);
  e->stats.validations++;
  mark->flags = 0;
  commit(e, &w);
}

enum { LABELS_MAX = 8 };

struct labels {
  struct ww_encode_source sources[LABELS_MAX];
  size_t count;
};

/* Adds the name of a source that the station does not know yet. */
static void add_label(const struct ww_export *e, ww_source_id id, struct labels *out) {
  const struct ww_out_view *v = e->view;
  if ((e->told_sources[id / 8] >> (id % 8) & 1) || out->count == LABELS_MAX)
    return;
  for (size_t s = 0; s < out->count; s++)
    if (out->sources[s].id == id)
      return;
  const char *name = v->source_name(v->ctx, id);
  if (name && name[0] && strlen(name) <= WW_SOURCE_LABEL_MAX)
    out->sources[out->count++] = (struct ww_encode_source){.id = id, .type = v->source_type(v->ctx, id), .name = name};
}

/* The sources that these verdicts refer to and that the station has no name for yet. */
static void untold_sources(const struct ww_export *e, const struct ww_encode_routes *r, struct labels *out) {
  out->count = 0;
  if (!r->attrs)
    return;
  for (size_t k = 0; r->aspa && k < r->aspa->hit_count; k++)
    if (e->config.covering || ww_aspa_hit_decides(r->aspa->state, &r->aspa->hits[k]))
      add_label(e, r->aspa->hits[k].source, out);
  for (size_t k = 0; r->bgpsec && k < r->bgpsec->hit_count; k++)
    if (!r->bgpsec->hits[k].missing && ww_key_hit_decides(r->bgpsec->state, &r->bgpsec->hits[k]))
      add_label(e, r->bgpsec->hits[k].source, out);
  for (size_t i = 0; i < r->count && out->count < LABELS_MAX; i++)
    for (size_t k = 0; k < r->verdicts[i].hit_count; k++)
      add_label(e, r->verdicts[i].hits[k].source, out);
}

/* One route that no message can hold: the station must at least not keep an older record of it. */
static void give_up_route(struct ww_export *e, const struct ww_bmp_peer *header, const struct ww_encode_routes *r,
                          struct ww_export_mark *mark) {
  char prefix[WW_PREFIX_STRLEN];
  ww_log(e->log, WW_LOG_WARNING, "export: %s with %zu octets of attributes fits no message of %zu octets: not reported",
         ww_prefix_format(&r->nlri[0].prefix, prefix), r->attrs_len, e->config.max_message);
  struct ww_encode_routes one = *r;
  one.attrs = NULL;
  one.count = 1;
  ww_export_routes(e, header, &one, mark);
}

static size_t export_validation(struct ww_export *e, const struct ww_bmp_peer *header, const struct ww_encode_routes *r,
                                struct ww_export_mark *mark) {
  struct ww_writer w;
  if (!begin(e, &w, e->config.max_message))
    return 0;
  struct labels labels;
  struct ww_encode_message m = message_of(e, header, mark);
  untold_sources(e, r, &labels);
  m.sources = labels.sources;
  m.source_count = labels.count;
  size_t taken = 0;
  enum ww_err err = ww_encode_routes(e->encoder, &m, r, e->config.max_message, &w, &taken);
  if (err == WW_ERR_FULL && m.source_count) {
    m.source_count = 0;
    err = ww_encode_routes(e->encoder, &m, r, e->config.max_message, &w, &taken);
  }
  if (err != WW_OK)
    return 0;
  for (size_t i = 0; i < m.source_count; i++)
    e->told_sources[labels.sources[i].id / 8] |= (uint8_t)(1u << (labels.sources[i].id % 8));
  e->stats.validations++;
  mark->flags = 0;
  commit(e, &w);
  return taken;
}

static size_t export_monitoring(struct ww_export *e, const struct ww_bmp_peer *header,
                                const struct ww_encode_routes *r) {
  struct ww_writer measure = ww_writer_make(NULL, 0);
  ww_bgp_update_write(&measure, r->afi, r->attrs, r->attrs_len, r->next_hop, r->next_hop_len, r->add_path, NULL, 0);
  size_t update = measure.len, taken = 0, room = e->config.max_message - WW_BMP_HEADER_LEN - WW_BMP_PEER_HEADER_LEN;
  for (; taken < r->count; taken++) {
    size_t nlri = (r->add_path ? 4u : 0u) + 1u + (r->nlri[taken].prefix.len + 7u) / 8u;
    if (update + nlri > room || (taken > 0 && update + nlri > WW_BGP_MAX_LEN))
      break;
    update += nlri;
  }
  struct ww_writer w;
  if (!taken || !begin(e, &w, e->config.max_message))
    return 0;
  struct ww_bmp_peer peer = stamped(e, header);
  (void)write_monitoring(&w, &peer, r, taken);
  commit(e, &w);
  return taken;
}

void ww_export_routes(struct ww_export *e, const struct ww_bmp_peer *header, const struct ww_encode_routes *routes,
                      struct ww_export_mark *mark) {
  struct ww_encode_routes rest = *routes;
  while (rest.count && !e->failed) {
    size_t taken =
        ww_export_has_verdicts(e) ? export_validation(e, header, &rest, mark) : export_monitoring(e, header, &rest);
    if (e->failed)
      return;
    if (taken && rest.attrs)
      e->stats.nlri += taken;
    else
      e->stats.withdrawals += taken;
    if (!taken) {
      if (rest.attrs)
        give_up_route(e, header, &rest, mark);
      taken = 1;
    }
    rest.bgpsec = NULL; /* of the first alone */
    rest.nlri += taken;
    if (rest.verdicts)
      rest.verdicts += taken;
    rest.count -= taken;
  }
}
