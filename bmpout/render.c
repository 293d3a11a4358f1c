/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BMP messages as JSON lines: one object a message, members in the order of the message. The verdict objects of
 * RPKI_VALIDATION have the schema that every output of this project shares.
 */
#include "bmpout/render.h"

#include <string.h>

#include "bmpout/json.h"
#include "bmpout/render_state.h"
#include "wire/bmp_tlv.h"

enum { RENDER_ARENA_MAX = 64 << 20 };

static const char *type_name(uint8_t type) {
  static const char *const standard[] = {"route-monitoring", "statistics",  "peer-down",      "peer-up",
                                         "initiation",       "termination", "route-mirroring"};
  if (type < sizeof standard / sizeof standard[0])
    return standard[type];
  return type == WW_BMP_RPKI_VALIDATION ? "rpki-validation" : "unknown";
}

static const char *peer_type_name(uint8_t type) {
  static const char *const names[] = {"global", "rd", "local", "loc-rib"};
  return type < 4 ? names[type] : "unknown";
}

/* RFC 8671 §4, RFC 9069 §4.1 */
static const char *view_name(const struct ww_bmp_peer *p) {
  if (p->type == WW_BMP_PEER_LOC_RIB)
    return "loc-rib";
  bool post = p->flags & WW_BMP_FLAG_L;
  if (p->flags & WW_BMP_FLAG_O)
    return post ? "adj-rib-out-post" : "adj-rib-out-pre";
  return post ? "adj-rib-in-post" : "adj-rib-in-pre";
}

static void peer_object(struct ww_json *j, const struct ww_bmp_peer *p) {
  struct ww_addr addr = ww_bmp_peer_addr(p);
  ww_json_open(j, "peer");
  ww_json_str(j, "type", peer_type_name(p->type));
  ww_json_str(j, "view", view_name(p));
  ww_json_num(j, "flags", p->flags);
  if (p->distinguisher)
    ww_json_num(j, "distinguisher", p->distinguisher);
  ww_json_addr(j, "address", &addr);
  ww_json_num(j, "asn", p->asn);
  ww_json_ipv4(j, "bgp_id", p->bgp_id);
  if (p->sec)
    ww_json_time(j, "time", p->sec, p->usec);
  ww_json_close(j);
}

/* --- RPKI_VALIDATION
 * ---------------------------------------------------------------------------------------------------- */

static void profile_object(struct ww_json *j, const struct ww_validation_msg *m) {
  static const char *const names[] = {"snapshot-start", "snapshot-end", "delta", "signed", "truncated"};
  ww_json_open(j, "profile");
  ww_json_num(j, "encoding", m->encoding);
  ww_json_num(j, "tlv_draft", m->tlv_draft);
  ww_json_open_array(j, "flags");
  for (unsigned i = 0; i < 5; i++)
    if (m->profile_flags & 1u << i)
      ww_json_str(j, NULL, names[i]);
  ww_json_close_array(j);
  ww_json_num(j, "snapshot", m->snapshot_id);
  ww_json_close(j);
  if (m->has_sequence)
    ww_json_num(j, "sequence", m->sequence);
}

static void validation_members(struct ww_json *j, const struct ww_validation_msg *m,
                               const struct ww_render_state *state) {
  size_t withdrawn = 0;
  profile_object(j, m);
  if (m->source_count) {
    ww_json_open_array(j, "sources");
    for (size_t i = 0; i < m->source_count; i++) {
      ww_json_open(j, NULL);
      ww_json_num(j, "id", m->sources[i].id);
      ww_json_num(j, "type", m->sources[i].type);
      ww_json_text(j, "name", m->sources[i].name, m->sources[i].name_len);
      ww_json_close(j);
    }
    ww_json_close_array(j);
  }
  if (m->eor)
    ww_json_str(j, "end_of_rib", ww_afi_name(m->eor_afi));
  if (m->update.attrs_len)
    ww_json_attributes(j, "attributes", &m->update);
  ww_json_open_array(j, "verdicts");
  for (size_t i = 0; i < m->item_count; i++) {
    if (m->items[i].withdrawn)
      withdrawn++;
    else
      ww_json_verdict(j, m, &m->items[i], state);
  }
  ww_json_close_array(j);
  if (!withdrawn)
    return;
  ww_json_open_array(j, "withdrawn");
  for (size_t i = 0; i < m->item_count; i++) {
    ww_json_open(j, NULL);
    ww_json_prefix(j, "prefix", &m->items[i].prefix);
    if (m->items[i].add_path)
      ww_json_num(j, "path_id", m->items[i].path_id);
    ww_json_close(j);
  }
  ww_json_close_array(j);
}

/* --- standard messages
 * ------------------------------------------------------------------------------------------------------ */

static void info_array(struct ww_json *j, struct ww_reader tlvs, const char *const *names, unsigned name_count) {
  struct ww_bmp_tlv tlv;
  ww_json_open_array(j, "tlvs");
  while (ww_bmp_tlv_next(&tlvs, &tlv)) {
    ww_json_open(j, NULL);
    ww_json_num(j, "type", tlv.type);
    if (tlv.type < name_count && names[tlv.type]) {
      ww_json_str(j, "name", names[tlv.type]);
      ww_json_text(j, "text", tlv.value, tlv.len);
    } else {
      ww_json_hex(j, "value", tlv.value, tlv.len);
    }
    ww_json_close(j);
  }
  ww_json_close_array(j);
}

/* What version 4 adds to every message (draft-ietf-grow-bmp-tlv-21 §5.6). */
static void version4_members(struct ww_json *j, const struct ww_parsed *p) {
  struct ww_reader tlvs = p->tlvs;
  struct ww_tlv tlv;
  bool has_sequence = false, has_export = false;
  uint64_t sequence = 0;
  uint32_t sec = 0, usec = 0;
  while (ww_tlv_next(&tlvs, p->tlvs_indexed, &tlv)) {
    struct ww_reader v = ww_reader_make(tlv.value, tlv.len);
    if (tlv.enterprise)
      continue;
    if (tlv.type == WW_RM_TLV21_SEQUENCE && tlv.len == 8) {
      has_sequence = true;
      sequence = ww_reader_u64(&v);
    } else if (tlv.type == WW_RM_TLV21_TIMESTAMP && tlv.len >= 5 && ww_reader_u8(&v) == WW_TIMESTAMP21_EXPORT) {
      has_export = true;
      sec = ww_reader_u32(&v);
      usec = ww_reader_left(&v) >= 4 ? ww_reader_u32(&v) : 0;
    }
  }
  if (has_sequence)
    ww_json_num(j, "sequence", sequence);
  if (has_export)
    ww_json_time(j, "exported", sec, usec);
}

static enum ww_err bgp_object(struct ww_json *j, const char *key, const uint8_t *data, size_t len,
                              const struct ww_bgp_session *session) {
  struct ww_diag inner = {0};
  ww_json_open(j, key);
  enum ww_err err = ww_json_bgp(j, data, len, session, &inner);
  if (err != WW_OK && err != WW_ERR_NOMEM) {
    ww_json_open(j, "error");
    ww_json_text(j, "text", inner.text, strlen(inner.text));
    ww_json_str(j, "clause", inner.clause);
    ww_json_close(j);
    ww_json_hex(j, "octets", data, len);
    err = WW_OK;
  }
  ww_json_close(j);
  return err;
}

/* RFC 7854 §4.8, RFC 8671 §6.2, RFC 9972; the family of a per-family counter stands before it. */
static const char *stat_name(uint16_t type) {
  static const char *const names[] = {"rejected-by-inbound-policy",
                                      "duplicate-prefixes",
                                      "duplicate-withdraws",
                                      "cluster-list-loops",
                                      "as-path-loops",
                                      "originator-id-loops",
                                      "as-confed-loops",
                                      "adj-rib-in-routes",
                                      "loc-rib-routes",
                                      "adj-rib-in-by-family",
                                      "loc-rib-by-family",
                                      "updates-treat-as-withdraw",
                                      "prefixes-treat-as-withdraw",
                                      "duplicate-updates",
                                      "adj-rib-out-pre-routes",
                                      "adj-rib-out-post-routes",
                                      "adj-rib-out-pre-by-family",
                                      "adj-rib-out-post-by-family"};
  if (type < sizeof names / sizeof names[0])
    return names[type];
  switch (type) {
  case 35:
    return "adj-rib-in-post-rov-invalid";
  case 36:
    return "adj-rib-in-post-rov-valid";
  case 37:
    return "adj-rib-in-post-rov-not-found";
  case 41:
    return "adj-rib-out-post-rov-invalid";
  case 42:
    return "adj-rib-out-post-rov-valid";
  case 43:
    return "adj-rib-out-post-rov-not-found";
  default:
    return NULL;
  }
}

static void stat_object(struct ww_json *j, uint16_t type, uint32_t pen, const uint8_t *value, size_t len) {
  struct ww_reader v = ww_reader_make(value, len);
  ww_json_open(j, NULL);
  ww_json_num(j, "type", type);
  if (pen)
    ww_json_num(j, "enterprise", pen);
  else if (stat_name(type))
    ww_json_str(j, "name", stat_name(type));
  if (len == 11) {
    uint16_t afi = ww_reader_u16(&v);
    ww_json_num(j, "afi", afi);
    ww_json_num(j, "safi", ww_reader_u8(&v));
    ww_json_num(j, "value", ww_reader_u64(&v));
  } else if (len == 8 || len == 4) {
    ww_json_num(j, "value", len == 8 ? ww_reader_u64(&v) : ww_reader_u32(&v));
  } else {
    ww_json_hex(j, "octets", value, len);
  }
  ww_json_close(j);
}

static void stats_array(struct ww_json *j, const struct ww_parsed *p) {
  ww_json_open_array(j, "statistics");
  if (p->version == WW_BMP_VERSION_4) {
    /* draft-ietf-grow-bmp-tlv-21 §5.4: a container; what is in it has the E-bit too (§4.2). */
    struct ww_reader tlvs = p->tlvs;
    struct ww_tlv tlv, stat;
    while (ww_tlv_next(&tlvs, false, &tlv)) {
      if (tlv.enterprise || tlv.type != WW_STATS_TLV21_STATS)
        continue;
      struct ww_reader v = ww_reader_make(tlv.value, tlv.len);
      (void)ww_reader_u32(&v);
      while (ww_tlv_next(&v, false, &stat))
        stat_object(j, stat.type, stat.enterprise ? stat.pen : 0, stat.value, stat.len);
    }
  } else {
    struct ww_reader stats = p->msg.u.stats.stats;
    struct ww_bmp_stat stat;
    while (ww_bmp_stat_next(&stats, &stat))
      stat_object(j, stat.type, 0, stat.value, stat.len);
  }
  ww_json_close_array(j);
}

static enum ww_err peer_up_members(struct ww_json *j, const struct ww_parsed *p) {
  static const char *const names[] = {"string", NULL, NULL, "table-name", "admin-label"};
  const struct ww_bmp_msg *m = &p->msg;
  struct ww_bgp_session session = {.as4 = true};
  ww_json_addr(j, "local_address", &m->u.up.local);
  ww_json_num(j, "local_port", m->u.up.local_port);
  ww_json_num(j, "remote_port", m->u.up.remote_port);
  enum ww_err err = bgp_object(j, "sent_open", m->u.up.sent_open, m->u.up.sent_len, &session);
  if (err == WW_OK)
    err = bgp_object(j, "received_open", m->u.up.received_open, m->u.up.received_len, &session);
  info_array(j, m->u.up.tlvs, names, sizeof names / sizeof names[0]);
  return err;
}

static enum ww_err peer_down_members(struct ww_json *j, const struct ww_parsed *p) {
  static const char *const reasons[] = {NULL,           "local-notification", "local-fsm",   "remote-notification",
                                        "remote-close", "de-configured",      "local-system"};
  static const char *const names[] = {"string", NULL, NULL, "table-name", "admin-label"};
  const struct ww_bmp_msg *m = &p->msg;
  struct ww_bgp_session session = {.as4 = true};
  ww_json_num(j, "reason", m->u.down.reason);
  ww_json_str(j, "reason_name", m->u.down.reason < 7 ? reasons[m->u.down.reason] : NULL);
  if (m->u.down.reason == WW_BMP_DOWN_LOCAL_FSM)
    ww_json_num(j, "fsm_event", m->u.down.fsm_event);
  if (ww_reader_left(&m->u.down.tlvs))
    info_array(j, m->u.down.tlvs, names, sizeof names / sizeof names[0]);
  if (m->u.down.notification)
    return bgp_object(j, "notification", m->u.down.notification, m->u.down.notification_len, &session);
  return WW_OK;
}

static void termination_members(struct ww_json *j, const struct ww_parsed *p) {
  static const char *const names[] = {"string"};
  static const char *const reasons[] = {"administratively-closed", "unspecified", "out-of-resources",
                                        "redundant-connection", "permanently-administratively-closed"};
  struct ww_reader tlvs = p->msg.u.info.tlvs;
  struct ww_bmp_tlv tlv;
  while (ww_bmp_tlv_next(&tlvs, &tlv)) {
    if (tlv.type != WW_BMP_TERM_REASON || tlv.len < 2)
      continue;
    unsigned reason = (unsigned)tlv.value[0] << 8 | tlv.value[1];
    ww_json_num(j, "reason", reason);
    ww_json_str(j, "reason_name", reason < 5 ? reasons[reason] : NULL);
  }
  info_array(j, p->msg.u.info.tlvs, names, 1);
}

static enum ww_err mirror_members(struct ww_json *j, const struct ww_parsed *p,
                                  const struct ww_render_options *options) {
  struct ww_reader tlvs = p->msg.u.info.tlvs;
  struct ww_bmp_tlv tlv;
  struct ww_bgp_session session = ww_render_session(options->state, &p->peer);
  enum ww_err err = WW_OK;
  ww_json_open_array(j, "mirrored");
  while (err == WW_OK && ww_bmp_tlv_next(&tlvs, &tlv)) {
    if (tlv.type == WW_BMP_MIRROR_MESSAGE) {
      err = bgp_object(j, NULL, tlv.value, tlv.len, &session);
      continue;
    }
    ww_json_open(j, NULL);
    if (tlv.type == WW_BMP_MIRROR_INFORMATION && tlv.len == 2) {
      unsigned code = (unsigned)tlv.value[0] << 8 | tlv.value[1];
      ww_json_str(j, "information",
                  code == WW_BMP_MIRROR_ERRORED_PDU     ? "errored-pdu"
                  : code == WW_BMP_MIRROR_MESSAGES_LOST ? "messages-lost"
                                                        : "unknown");
      ww_json_num(j, "code", code);
    } else {
      ww_json_num(j, "type", tlv.type);
      ww_json_hex(j, "value", tlv.value, tlv.len);
    }
    ww_json_close(j);
  }
  ww_json_close_array(j);
  return err;
}

static enum ww_err body_members(struct ww_json *j, const struct ww_parsed *p, const struct ww_render_options *options) {
  static const char *const initiation[] = {"string", "sysDescr", "sysName"};
  if (p->is_validation) {
    validation_members(j, &p->validation, options->state);
    return WW_OK;
  }
  if (!p->foreign) {
    struct ww_bgp_session session;
    switch (p->type) {
    case WW_BMP_ROUTE_MONITORING:
      session = ww_render_session(options->state, &p->peer);
      return bgp_object(j, "update", p->update, p->update_len, &session);
    case WW_BMP_STATISTICS:
      stats_array(j, p);
      return WW_OK;
    case WW_BMP_PEER_DOWN:
      return peer_down_members(j, p);
    case WW_BMP_PEER_UP:
      return peer_up_members(j, p);
    case WW_BMP_INITIATION:
      info_array(j, p->msg.u.info.tlvs, initiation, 3);
      return WW_OK;
    case WW_BMP_TERMINATION:
      termination_members(j, p);
      return WW_OK;
    case WW_BMP_ROUTE_MIRRORING:
      return mirror_members(j, p, options);
    default:
      break;
    }
  }
  ww_json_hex(j, "body", p->msg.body.p, ww_reader_left(&p->msg.body));
  return WW_OK;
}

enum ww_err ww_bmp_render(const uint8_t *msg, size_t len, const struct ww_render_options *options, struct ww_buf *out,
                          struct ww_diag *diag) {
  struct ww_arena arena;
  struct ww_parsed p;
  struct ww_json j = {0};
  ww_arena_init(&arena, RENDER_ARENA_MAX);
  enum ww_err err = ww_parse(msg, len, options, &arena, &p, diag);
  if (err != WW_OK)
    goto out;
  err = WW_ERR_NOMEM;
  if (!ww_json_begin(&j, &arena))
    goto out;
  ww_json_open(&j, NULL);
  ww_json_num(&j, "version", p.version);
  ww_json_str(&j, "type", type_name(p.type));
  ww_json_num(&j, "code", p.type);
  ww_json_num(&j, "length", p.len);
  if (options->state && ww_render_state_router(options->state)[0]) {
    const char *router = ww_render_state_router(options->state);
    ww_json_text(&j, "router", router, strlen(router));
  }
  if (p.has_peer)
    peer_object(&j, &p.peer);
  if (p.version == WW_BMP_VERSION_4 && !p.is_validation && !p.foreign)
    version4_members(&j, &p);
  err = body_members(&j, &p, options);
  ww_json_close(&j);
  if (err == WW_OK)
    err = ww_json_end(&j, out);
out:
  ww_json_drop(&j);
  ww_arena_fini(&arena);
  return err == WW_ERR_NOMEM ? ww_fail(diag, err, 0, NULL, "memory ran out") : err;
}
