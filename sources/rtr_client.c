/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The router side of the RPKI-to-Router protocol.
 *
 * One connection at a time goes through these phases; a lost or refused one always comes back to IDLE, with a back-off:
 *
 *     IDLE --tick--> CONNECTING --connected--> QUERIED --Cache Response--> RESPONSE --End of Data--> COMMIT
 *                                                 ^  \--Cache Reset, once: Reset Query--/               |
 *                                                 |                                                     | committed
 *                                                 +---- refresh, notify, retry ---- WAIT <--------------+
 *     any --error, stall, expiry of what a delta builds on--> CLOSING --closed--> IDLE
 *
 * What is known about the cache beyond a connection: the resume point (version, session, serial, timers: the three are
 * commensurate only together, RFC 8210 §5.1), the protocol version to open with, whether the owner holds data from it
 * and until when, and an update that was handed out and is not committed yet. While there is one, nothing is asked and
 * nothing is connected: the answer would build on a state that may not come to be.
 *
 * Invariants: at most one query is outstanding; records leave only at a sound End of Data; a delta leaves only if it
 * starts at the resume point; an Error Report is never answered; output holds at most one query and one Error Report
 * for each connection phase; after _tick(now) the deadline is later than now.
 *
 * Ownership: `collect` owns the records of the response under way, an update's receiver those handed out, `partial`
 * the octets of at most one incomplete PDU.
 *
 * A fatal error ends the session. In version 2 it also costs what was learnt from the cache, whichever side found it;
 * in versions 0 and 1 that stays until the next complete response or until it expires.
 *
 * TOLERANCE, by name `aspa-old-layout`: a cache that sends ASPAs as revisions up to -15 had them is told so, with code
 * 4, which costs no data, and is spoken with in version 1 from then on.
 *
 * Clauses: RFC 8210 §4 to §8, §12; RFC 6810 §6, §8; RFC 1982 §3.2 (serial comparison);
 * draft-ietf-sidrops-8210bis-26 §5.1, §5.11, §5.12, §7, §8.4 to §8.6, §12.
 */
#include "sources/rtr_client_internal.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  NO_DATA_RETRY_SEC = 60,
  NOTIFY_GAP_MS = 1000, /* between the starts of two queries, when notifications press */
  SERIAL_ATTEMPTS = 2,  /* Serial Queries cut off without an answer before a Reset Query is tried */
  MAX_RECORDS_DEFAULT = 10000000,
  ERROR_PDU_MAX = 32 + WW_SPKI_MAX, /* octets of an offending PDU that are quoted: any legal one but an Error Report */
  ASPA_QUOTED = 250,                /* providers, likewise */
  OUTPUT_MAX = 65536,
};

/* RFC 1982 §3.2: a - b by serial number arithmetic; 0 equal, negative older. Half the circle apart is undefined there:
 * CHOICE: it counts as older. */
static int32_t serial_distance(uint32_t a, uint32_t b) { return (int32_t)(a - b); }

void ww_rtr_note(struct ww_rtr_client *c, enum ww_log_level level, const char *fmt, ...) {
  char text[240];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof(text), fmt, ap);
  va_end(ap);
  ww_text_one_line(text);
  if (level <= WW_LOG_WARNING)
    snprintf(c->last_error, sizeof(c->last_error), "%.*s", (int)sizeof(c->last_error) - 1, text);
  ww_log(c->log, level, "rtr cache %s: %s", c->config.name, text);
}

static bool serial_usable(const struct ww_rtr_client *c) {
  /* RFC 8210 §5.1: sessions of different versions are different sessions. */
  return c->resume.valid && c->resume.version == c->version && !c->force_reset;
}

/* A query that ends without its End of Data. CHOICE: what happens to a Serial Query twice in a row will happen again:
 * perhaps it is our session that the cache cannot stand, or a delta that it cannot tell. Then a Reset Query is tried.
 */
void ww_rtr_query_failed(struct ww_rtr_client *c) {
  if ((c->phase == PHASE_QUERIED || c->phase == PHASE_RESPONSE) && !c->asked_reset &&
      ++c->serial_cut >= SERIAL_ATTEMPTS) {
    c->force_reset = true;
    c->serial_cut = 0;
  }
}

/* Every way to end a connection from here. What was collected is worth nothing without its End of Data. */
enum ww_rtr_action ww_rtr_drop(struct ww_rtr_client *c) {
  ww_rtr_query_failed(c);
  c->phase = PHASE_CLOSING;
  ww_rtr_collect_clear(&c->collect);
  ww_buf_clear(&c->partial);
  return WW_RTR_CLOSE;
}

void ww_rtr_flush(struct ww_rtr_client *c, const char *why) {
  bool held = c->has_data || (c->pending.active && !c->pending.flushed);
  c->resume.valid = false;
  c->has_data = false;
  c->pending.flushed = true;
  if (!held)
    return;
  ww_rtr_note(c, WW_LOG_WARNING, "its data is dropped: %s", why);
  c->events.flush(c->events.ctx, why);
}

static bool send_pdu(struct ww_rtr_client *c, const struct ww_rtr_pdu *pdu) {
  struct ww_writer size = ww_writer_make(NULL, 0);
  ww_rtr_write(&size, pdu);
  uint8_t *room = ww_buf_reserve(&c->output, size.len);
  if (!room)
    return false;
  struct ww_writer w = ww_writer_make(room, size.len);
  ww_rtr_write(&w, pdu);
  ww_buf_commit(&c->output, w.len);
  return !w.overflow;
}

/* RFC 8210 §5.11: for an error that is not that of one PDU the field is empty. */
enum ww_rtr_action ww_rtr_refuse(struct ww_rtr_client *c, uint16_t code, const uint8_t *pdu, size_t pdu_len,
                                 const char *fmt, ...) {
  char text[200];
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(text, sizeof(text), fmt, ap);
  va_end(ap);
  size_t text_len = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
  c->errors++;
  ww_rtr_note(c, WW_LOG_WARNING, "%s (we report %s)", text, ww_rtr_error_name(code));
  /* draft-ietf-sidrops-8210bis-26 §12: fatal errors flush; §5.11: so does a malformed Error Report. Before there is a
   * session, what counts is whether the PDU wants to be one of version 2. */
  uint8_t version = c->negotiated ? c->version : pdu && pdu_len ? pdu[0] : WW_RTR_V0;
  if (version == WW_RTR_V2 && ww_rtr_error_is_fatal(version, code))
    ww_rtr_flush(c, text);
  /* RFC 8210 §5.11: no Error Report for an Error Report. */
  if (pdu && pdu_len > 1 && pdu[1] == WW_RTR_ERROR_REPORT)
    return ww_rtr_drop(c);
  /* CHOICE: code 8 does not exist in RFC 6810 §10; a session of version 0 is told 4. */
  if (c->version == WW_RTR_V0 && code == WW_RTR_UNEXPECTED_VERSION)
    code = WW_RTR_UNSUPPORTED_VERSION;
  struct ww_rtr_pdu report = {
      .version = c->version,
      .type = WW_RTR_ERROR_REPORT,
      .u.error = {.code = code,
                  .pdu = pdu,
                  .pdu_len = (uint32_t)(!pdu                      ? 0
                                        : pdu_len < ERROR_PDU_MAX ? pdu_len
                                                                  : ERROR_PDU_MAX),
                  .text = (const uint8_t *)text,
                  .text_len = (uint32_t)text_len},
  };
  if (!send_pdu(c, &report))
    ww_rtr_note(c, WW_LOG_WARNING, "no memory for an Error Report");
  return ww_rtr_drop(c);
}

/* As ww_rtr_refuse(), quoting a PDU that is no longer at hand as it was received: it is written anew. */
static enum ww_rtr_action refuse_record(struct ww_rtr_client *c, uint16_t code, struct ww_rtr_pdu *pdu) {
  uint8_t octets[ERROR_PDU_MAX];
  pdu->version = c->version;
  struct ww_writer w = ww_writer_make(octets, sizeof(octets));
  char what[WW_PREFIX_STRLEN + 64];
  if (pdu->type == WW_RTR_ASPA) {
    /* draft-ietf-sidrops-8210bis-26 §5.11: what does not fit is cut off; the length stays that of the whole. */
    uint32_t count = pdu->u.aspa.provider_count;
    if (count > ASPA_QUOTED)
      pdu->u.aspa.provider_count = ASPA_QUOTED;
    ww_rtr_write(&w, pdu);
    ww_writer_patch_u32(&w, 4, w.len + (size_t)(count - pdu->u.aspa.provider_count) * 4);
    snprintf(what, sizeof(what), "ASPA of AS%u", pdu->u.aspa.customer);
  } else if (pdu->type == WW_RTR_ROUTER_KEY) {
    ww_rtr_write(&w, pdu);
    snprintf(what, sizeof(what), "router key of AS%u", pdu->u.key.key.asn);
  } else {
    ww_rtr_write(&w, pdu);
    char prefix[WW_PREFIX_STRLEN];
    snprintf(what, sizeof(what), "%s-%u AS%u", ww_prefix_format(&pdu->u.prefix.vrp.prefix, prefix),
             pdu->u.prefix.vrp.max_len, pdu->u.prefix.vrp.asn);
  }
  return ww_rtr_refuse(c, code, octets, w.len, "%s is %s twice in one response", what,
                       code == WW_RTR_DUPLICATE ? "announced" : "withdrawn");
}

enum ww_rtr_action ww_rtr_send_query(struct ww_rtr_client *c, struct ww_now now) {
  c->asked_reset = !serial_usable(c);
  struct ww_rtr_pdu query = {.version = c->version, .type = c->asked_reset ? WW_RTR_RESET_QUERY : WW_RTR_SERIAL_QUERY};
  if (!c->asked_reset) {
    query.session = c->resume.session;
    query.u.serial.serial = c->resume.serial;
  }
  if (!send_pdu(c, &query)) {
    c->errors++;
    ww_rtr_note(c, WW_LOG_ERROR, "no room to send a query");
    return ww_rtr_drop(c);
  }
  ww_rtr_note(c, WW_LOG_DEBUG, "%s in version %u", ww_rtr_type_name(query.type), c->version);
  ww_rtr_collect_clear(&c->collect);
  c->host_bits_said = c->aspa_list_said = false;
  c->notified = false;
  c->phase = PHASE_QUERIED;
  c->query_sent = c->progress_at = now.mono;
  return WW_RTR_STAY;
}

/* ------------------------------------------------------------------ PDUs from the cache */

struct received { /* a PDU and its octets */
  const struct ww_rtr_pdu *pdu;
  const uint8_t *octets;
};

static enum ww_rtr_action out_of_place(struct ww_rtr_client *c, struct received in) {
  /* RFC 8210 §12: code 3 is for requests; the only ones a router can refuse are queries sent to it. Everything else
   * that nobody asked for is Corrupt Data, "not specified by another error code". */
  bool request = in.pdu->type == WW_RTR_SERIAL_QUERY || in.pdu->type == WW_RTR_RESET_QUERY;
  return ww_rtr_refuse(c, request ? WW_RTR_INVALID_REQUEST : WW_RTR_CORRUPT_DATA, in.octets, in.pdu->len,
                       "unexpected %s", ww_rtr_type_name(in.pdu->type));
}

static enum ww_rtr_action session_mismatch(struct ww_rtr_client *c, struct received in, uint16_t expected) {
  /* RFC 8210 §5.1: terminate with code 0 and flush all data learned from that cache. */
  enum ww_rtr_action action =
      ww_rtr_refuse(c, WW_RTR_CORRUPT_DATA, in.octets, in.pdu->len, "session ID %u in a %s, not %u", in.pdu->session,
                    ww_rtr_type_name(in.pdu->type), expected);
  ww_rtr_flush(c, "the cache began another session");
  return action;
}

static enum ww_rtr_action on_notify(struct ww_rtr_client *c, struct received in) {
  bool session_known = false;
  uint16_t session = 0;
  switch (c->phase) {
  case PHASE_RESPONSE:
    session_known = true;
    session = c->session;
    break;
  case PHASE_COMMIT:
    session_known = true;
    session = c->pending.point.session;
    break;
  case PHASE_QUERIED:
    session_known = !c->asked_reset;
    session = c->resume.session;
    break;
  default: /* WAIT: after a synchronisation, or after No Data, when there may be no session yet */
    session_known = serial_usable(c);
    session = c->resume.session;
    break;
  }
  if (session_known && session != in.pdu->session)
    return session_mismatch(c, in, session);
  uint32_t serial = in.pdu->u.serial.serial;
  if (c->phase != PHASE_WAIT) { /* one query at a time: looked at when the answer is committed */
    c->notified = session_known;
    c->notify_serial = serial;
    return WW_RTR_STAY;
  }
  if (session_known && serial_distance(serial, c->resume.serial) <= 0)
    return WW_RTR_STAY; /* nothing that we do not have */
  /* RFC 8210 §6: a notification overrides the Refresh Interval. */
  ww_mono_ms at = c->query_sent + NOTIFY_GAP_MS;
  if (at < c->query_at)
    c->query_at = at;
  return WW_RTR_STAY;
}

static enum ww_rtr_action on_cache_response(struct ww_rtr_client *c, struct received in) {
  if (c->phase != PHASE_QUERIED)
    return out_of_place(c, in);
  if (!c->asked_reset && in.pdu->session != c->resume.session)
    return session_mismatch(c, in, c->resume.session);
  c->session = in.pdu->session;
  c->phase = PHASE_RESPONSE;
  return WW_RTR_STAY;
}

/* The cache speaks another version 2 than we. Said once for each time it is tried, which is once a day. */
static enum ww_rtr_action on_old_aspa(struct ww_rtr_client *c, struct received in, struct ww_now now) {
  bool lower = ww_rtr_version_allowed(c, WW_RTR_V1);
  /* CHOICE: code 4, as it is the version that we do not share. A fatal code would cost the data in force. */
  enum ww_rtr_action action =
      ww_rtr_refuse(c, WW_RTR_UNSUPPORTED_VERSION, in.octets, in.pdu->len,
                    "ASPAs come in the layout of draft-ietf-sidrops-8210bis-15 or older, not of -26: %s",
                    lower ? "going on in version 1, without ASPAs; set max-version = 1 or upgrade the cache"
                          : "upgrade the cache, or allow version 1 by min-version");
  if (lower)
    ww_rtr_use_version(c, WW_RTR_V1, now);
  return action;
}

/* CHOICE: RFC 8210 says nothing of host bits, and caches that send them exist: masked, and said once. In version 2 a
 * cache MUST zero them (draft-ietf-sidrops-8210bis-26 §5.6), and revision -27 has the router refuse what is not. */
static void host_bits_note(struct ww_rtr_client *c, const struct ww_vrp *vrp) {
  if (c->host_bits_said)
    return;
  c->host_bits_said = true;
  char prefix[WW_PREFIX_STRLEN];
  ww_rtr_note(c, WW_LOG_NOTICE, "host bits set beyond %s are ignored", ww_prefix_format(&vrp->prefix, prefix));
}

/* What §5.12 forbids and does not matter. */
static void aspa_note(struct ww_rtr_client *c, const struct ww_rtr_aspa *aspa) {
  if (aspa->announce && aspa->provider_count > WW_ASPA_PROVIDERS_MAX)
    ww_rtr_note(c, WW_LOG_WARNING, "ASPA of AS%u with %u providers is not used: the limit is %u", aspa->customer,
                aspa->provider_count, (unsigned)WW_ASPA_PROVIDERS_MAX);
  if (aspa->announce || !aspa->provider_count || c->aspa_list_said)
    return;
  c->aspa_list_said = true;
  ww_rtr_note(c, WW_LOG_NOTICE,
              "ASPA withdrawals come with provider lists (AS%u), against draft-ietf-sidrops-8210bis-26 §5.12",
              aspa->customer);
}

static enum ww_rtr_action on_record(struct ww_rtr_client *c, struct received in, struct ww_now now) {
  const struct ww_rtr_pdu *pdu = in.pdu;
  if (c->phase != PHASE_RESPONSE)
    return out_of_place(c, in);
  if (pdu->type == WW_RTR_ASPA && pdu->u.aspa.old_layout)
    return on_old_aspa(c, in, now);
  bool announce = pdu->type == WW_RTR_ASPA         ? pdu->u.aspa.announce
                  : pdu->type == WW_RTR_ROUTER_KEY ? pdu->u.key.announce
                                                   : pdu->u.prefix.announce;
  /* RFC 8210 §5.5: in the answer to a Reset Query the flag MUST be announce. CHOICE: code 0, not 6: the PDU is wrong
   * whatever it names. */
  if (!announce && c->asked_reset)
    return ww_rtr_refuse(c, WW_RTR_CORRUPT_DATA, in.octets, pdu->len, "a withdrawal in the answer to a Reset Query");
  enum ww_err err;
  switch (pdu->type) {
  case WW_RTR_ASPA:
    aspa_note(c, &pdu->u.aspa);
    if (c->asked_reset && pdu->u.aspa.provider_count > WW_ASPA_PROVIDERS_MAX)
      return WW_RTR_STAY; /* there is nothing that it could replace */
    err = ww_rtr_collect_aspa(&c->collect, &pdu->u.aspa);
    break;
  case WW_RTR_ROUTER_KEY:
    err = ww_rtr_collect_key(&c->collect, &pdu->u.key.key, announce);
    break;
  default:
    if (pdu->u.prefix.host_bits && c->version >= WW_RTR_V2) {
      char prefix[WW_PREFIX_STRLEN];
      return ww_rtr_refuse(c, WW_RTR_CORRUPT_DATA, in.octets, pdu->len, "host bits set beyond %s",
                           ww_prefix_format(&pdu->u.prefix.vrp.prefix, prefix));
    }
    if (pdu->u.prefix.host_bits)
      host_bits_note(c, &pdu->u.prefix.vrp);
    err = ww_rtr_collect_vrp(&c->collect, &pdu->u.prefix.vrp, announce);
    break;
  }
  if (err == WW_OK)
    return WW_RTR_STAY;
  /* RFC 8210 §12 code 1: "ran out of memory"; §5.11: a generic error quotes no PDU. */
  if (err == WW_ERR_LIMIT)
    return ww_rtr_refuse(c, WW_RTR_INTERNAL_ERROR, NULL, 0, "more than %zu records in one response",
                         c->config.max_records);
  return ww_rtr_refuse(c, WW_RTR_INTERNAL_ERROR, NULL, 0, "%s", ww_err_name(err));
}

static enum ww_rtr_action on_end_of_data(struct ww_rtr_client *c, struct received in, struct ww_now now) {
  if (c->phase != PHASE_RESPONSE)
    return out_of_place(c, in);
  /* RFC 8210 §5.8: the Session ID MUST be that of the Cache Response. */
  if (in.pdu->session != c->session)
    return session_mismatch(c, in, c->session);
  uint32_t serial = in.pdu->u.eod.serial;
  if (!c->asked_reset && serial_distance(serial, c->resume.serial) < 0) {
    c->resume.valid = false;
    return ww_rtr_refuse(c, WW_RTR_CORRUPT_DATA, in.octets, in.pdu->len, "a delta from serial %u back to %u",
                         c->resume.serial, serial);
  }
  struct ww_rtr_update update = {
      .full = c->asked_reset, .version = c->version, .session = c->session, .serial = serial};
  struct ww_rtr_pdu culprit;
  size_t transient;
  enum ww_err err = ww_rtr_collect_finish(&c->collect, &update.delta, &transient, &culprit);
  if (err) {
    c->resume.valid = false; /* the same query would bring the same answer */
    if (err == WW_ERR_EXISTS || err == WW_ERR_NOTFOUND)
      return refuse_record(c, err == WW_ERR_EXISTS ? WW_RTR_DUPLICATE : WW_RTR_UNKNOWN_WITHDRAWAL, &culprit);
    return ww_rtr_refuse(c, WW_RTR_INTERNAL_ERROR, NULL, 0, "%s", ww_err_name(err));
  }
  c->pending.active = true;
  c->pending.full = update.full;
  c->pending.flushed = false;
  c->pending.eod_at = now.mono;
  c->pending.transient = transient;
  c->pending.point = (struct ww_rtr_resume){
      .valid = true, .version = c->version, .session = c->session, .serial = serial, .last_sync = now.unix_sec};
  ww_rtr_timers_take(c, in.pdu, &c->pending.point);
  update.refresh = c->pending.point.refresh;
  update.retry = c->pending.point.retry;
  update.expire = c->pending.point.expire;
  c->phase = PHASE_COMMIT;
  c->tried = 0;
  c->serial_cut = 0;
  const struct ww_payloads *in_force = &update.delta.announce, *gone = &update.delta.withdraw;
  ww_rtr_note(c, WW_LOG_INFO,
              "%s complete at serial %u: %zu prefixes, %zu keys and %zu ASPAs announced, %zu, %zu and %zu withdrawn",
              update.full ? "full set" : "delta", serial, in_force->vrp_count, in_force->key_count,
              in_force->aspa_count, gone->vrp_count, gone->key_count, gone->aspa_count);
  c->events.update(c->events.ctx, &update); /* last: the owner may commit, and call us, from in there */
  return WW_RTR_STAY;
}

static enum ww_rtr_action on_cache_reset(struct ww_rtr_client *c, struct received in, struct ww_now now) {
  /* RFC 8210 §5.9: the answer to a Serial Query, and to nothing else. */
  if (c->phase != PHASE_QUERIED || c->asked_reset)
    return out_of_place(c, in);
  /* RFC 8210 §8.3: MUST issue a Reset Query. What we hold stays until the new set is complete. */
  c->force_reset = true;
  return ww_rtr_send_query(c, now);
}

static enum ww_rtr_action on_error_report(struct ww_rtr_client *c, struct received in, struct ww_now now) {
  const struct ww_rtr_pdu *pdu = in.pdu;
  bool negotiating = !c->negotiated;
  bool asked = c->phase == PHASE_QUERIED || c->phase == PHASE_RESPONSE;
  bool ours = pdu->version == c->version;
  bool lower = pdu->version < c->version && ww_rtr_version_allowed(c, pdu->version);
  uint16_t code = pdu->u.error.code;
  char text[200];
  snprintf(text, sizeof(text), "the cache reports %s (%u, version %u): %.*s", ww_rtr_error_name(code), code,
           pdu->version, (int)(pdu->u.error.text_len < 80 ? pdu->u.error.text_len : 80),
           pdu->u.error.text_len ? (const char *)pdu->u.error.text : "");
  ww_text_one_line(text);
  c->errors++;
  ww_rtr_note(c, code == WW_RTR_NO_DATA ? WW_LOG_NOTICE : WW_LOG_WARNING, "%s", text);

  if (code == WW_RTR_NO_DATA && asked && (ours || (negotiating && lower))) {
    /* RFC 8210 §8.4: not fatal; MUST issue periodic Reset Queries. DEVIATION: not at the Retry Interval of §6, which is
     * ten minutes by default, but about once a minute, as draft-ietf-sidrops-8210bis-26 §8.4 advises. */
    if (!ours)
      ww_rtr_use_version(c, pdu->version, now);
    c->reconnect_now = false; /* the connection is as good as another */
    ww_rtr_settle_version(c, now);
    ww_rtr_collect_clear(&c->collect);
    c->force_reset = true;
    c->phase = PHASE_WAIT;
    uint32_t wait = ww_rtr_retry_interval(c) < NO_DATA_RETRY_SEC ? ww_rtr_retry_interval(c) : NO_DATA_RETRY_SEC;
    c->query_at = now.mono + (ww_mono_ms)wait * 1000;
    return WW_RTR_STAY;
  }
  if (negotiating && (code == WW_RTR_UNSUPPORTED_VERSION || pdu->version < c->version)) {
    /* RFC 8210 §7: a cache of version 0 may end the connection, perhaps with a report of version 0 (CHOICE: of any
     * code); one of version 1 may refuse version 0 with a report of version 1.
     * draft-ietf-sidrops-8210bis-26 §7: the version of the report is the one to go on with. */
    if (!ours && ww_rtr_version_allowed(c, pdu->version))
      ww_rtr_use_version(c, pdu->version, now);
    else if (ours && c->version > c->config.min_version)
      ww_rtr_use_version(c, c->version - 1, now);
    else
      ww_rtr_note(c, WW_LOG_ERROR, "no common version: the cache wants %u, the configuration %u to %u", pdu->version,
                  c->config.min_version, c->config.max_version);
    return ww_rtr_drop(c);
  }
  if (ours && c->version == WW_RTR_V2) {
    if (code == WW_RTR_CACHE_RESTART) {
      /* draft-ietf-sidrops-8210bis-26 §8.5: retry at the Retry Interval; the data is good until it expires. */
      ww_rtr_hold_off(c);
      return ww_rtr_drop(c);
    }
    /* draft-ietf-sidrops-8210bis-26 §12: fatal errors flush, and codes that version 2 does not know, too. */
    if (ww_rtr_error_is_fatal(c->version, code))
      ww_rtr_flush(c, text);
    if (code == WW_RTR_CACHE_SHUTDOWN) {
      c->resume.retry = 0; /* §8.6: the default Retry Interval */
      ww_rtr_hold_off(c);
      return ww_rtr_drop(c);
    }
  }
  /* A fatal error. CHOICE: after a Serial Query the next one is a Reset Query whatever the code was: caches answer an
   * old session ID with code 0 and say no more. In versions 0 and 1 the data in force stays until that set is complete,
   * or expires: RFC 8210 §5.1 asks for a flush on a session mismatch, but this report does not say that there was one.
   */
  if (asked && !c->asked_reset)
    c->force_reset = true;
  return ww_rtr_drop(c);
}

/* RFC 8210 §7, before the first answer. *done: the PDU needs no more handling. */
static enum ww_rtr_action negotiate(struct ww_rtr_client *c, struct received in, struct ww_now now, bool *done) {
  const struct ww_rtr_pdu *pdu = in.pdu;
  *done = true;
  if (pdu->type == WW_RTR_SERIAL_NOTIFY)
    return WW_RTR_STAY; /* RFC 8210 §7: MUST ignore, whatever its version */
  *done = false;
  if (pdu->type == WW_RTR_ERROR_REPORT)
    return WW_RTR_STAY;
  if (pdu->version < c->config.min_version) {
    *done = true;
    return ww_rtr_refuse(c, WW_RTR_UNSUPPORTED_VERSION, in.octets, pdu->len,
                         "%s of version %u, which the configuration (min-version) does not allow",
                         ww_rtr_type_name(pdu->type), pdu->version);
  }
  if (pdu->version < c->version) {
    /* RFC 8210 §7: the cache answers in version 0: MUST downgrade or terminate. A delta cannot be used: it belongs to
     * a session of that version, and ours was of this one. */
    ww_rtr_use_version(c, pdu->version, now);
    if (!c->asked_reset && pdu->type != WW_RTR_CACHE_RESET) {
      *done = true;
      return ww_rtr_drop(c);
    }
    c->reconnect_now = false; /* no need to */
  } else if (pdu->version > c->version) {
    *done = true;
    bool known = pdu->version <= c->config.max_version;
    enum ww_rtr_action action = ww_rtr_refuse(c, known ? WW_RTR_UNEXPECTED_VERSION : WW_RTR_UNSUPPORTED_VERSION,
                                              in.octets, pdu->len, "%s of version %u to a query of version %u",
                                              ww_rtr_type_name(pdu->type), pdu->version, c->version);
    if (known)
      ww_rtr_use_version(c, pdu->version, now);
    return action;
  }
  ww_rtr_settle_version(c, now);
  return WW_RTR_STAY;
}

static enum ww_rtr_action on_pdu(struct ww_rtr_client *c, struct received in, struct ww_now now) {
  const struct ww_rtr_pdu *pdu = in.pdu;
  c->pdus++;
  c->heard = true;
  if (!c->negotiated) {
    bool done;
    enum ww_rtr_action action = negotiate(c, in, now, &done);
    if (done)
      return action;
  } else if (pdu->version != c->version) {
    /* RFC 8210 §7: MUST drop the session, with code 8 unless the PDU is an Error Report. */
    return ww_rtr_refuse(c, WW_RTR_UNEXPECTED_VERSION, in.octets, pdu->len,
                         "%s of version %u in a session of version %u", ww_rtr_type_name(pdu->type), pdu->version,
                         c->version);
  }
  if (pdu->type != WW_RTR_SERIAL_NOTIFY)
    c->progress_at = now.mono;
  switch (pdu->type) {
  case WW_RTR_IPV4_PREFIX:
  case WW_RTR_IPV6_PREFIX:
  case WW_RTR_ROUTER_KEY:
  case WW_RTR_ASPA:
    return on_record(c, in, now);
  case WW_RTR_SERIAL_NOTIFY:
    return on_notify(c, in);
  case WW_RTR_CACHE_RESPONSE:
    return on_cache_response(c, in);
  case WW_RTR_END_OF_DATA:
    return on_end_of_data(c, in, now);
  case WW_RTR_CACHE_RESET:
    return on_cache_reset(c, in, now);
  case WW_RTR_ERROR_REPORT:
    return on_error_report(c, in, now);
  default:
    return out_of_place(c, in);
  }
}

/* ------------------------------------------------------------------ octets */

static bool listening(const struct ww_rtr_client *c) {
  return c->phase == PHASE_QUERIED || c->phase == PHASE_RESPONSE || c->phase == PHASE_COMMIT || c->phase == PHASE_WAIT;
}

/* Handles one PDU at the front of `data`; *used is 0 when it is not complete and *want then says how many octets it
 * needs as far as is known. */
static enum ww_rtr_action one_pdu(struct ww_rtr_client *c, const uint8_t *data, size_t len, size_t *used, size_t *want,
                                  struct ww_now now) {
  struct ww_rtr_pdu pdu;
  struct ww_diag diag;
  uint16_t code;
  *used = 0;
  switch (ww_rtr_decode(data, len, &pdu, &code, &diag)) {
  case WW_OK:
    *used = pdu.len;
    return on_pdu(c, (struct received){.pdu = &pdu, .octets = data}, now);
  case WW_ERR_SHORT:
    *want = len < WW_RTR_HEADER_LEN ? WW_RTR_HEADER_LEN : pdu.len;
    return WW_RTR_STAY;
  default:
    c->heard = true;
    /* RFC 8210 §7: whatever else is wrong with a PDU of another version, and only codes of our version are sent. */
    if (c->negotiated && pdu.version != c->version)
      code = WW_RTR_UNEXPECTED_VERSION;
    else if (pdu.version > c->version)
      code = WW_RTR_UNSUPPORTED_VERSION;
    /* RFC 8210 §5.11: of a PDU with a possibly corrupt length no more than is here. */
    return ww_rtr_refuse(c, code, data,
                         pdu.len < WW_RTR_HEADER_LEN ? WW_RTR_HEADER_LEN
                         : pdu.len < len             ? pdu.len
                                                     : len,
                         "%s", diag.text);
  }
}

enum ww_rtr_action ww_rtr_client_input(struct ww_rtr_client *c, const uint8_t *data, size_t len, struct ww_now now) {
  enum ww_rtr_action action = WW_RTR_STAY;
  size_t used, want = 0;
  /* A PDU that an earlier call left incomplete is completed first, and no more than it: the rest is read in place. */
  while (listening(c) && action == WW_RTR_STAY && c->partial.len) {
    want = WW_RTR_HEADER_LEN;
    if (c->partial.len >= WW_RTR_HEADER_LEN) {
      action = one_pdu(c, ww_buf_head(&c->partial), c->partial.len, &used, &want, now);
      if (used || !listening(c)) {
        ww_buf_clear(&c->partial);
        break;
      }
    }
    if (!len)
      return action;
    size_t more = want - c->partial.len < len ? want - c->partial.len : len;
    if (ww_buf_append(&c->partial, data, more))
      return ww_rtr_refuse(c, WW_RTR_INTERNAL_ERROR, NULL, 0, "no memory for a PDU");
    data += more;
    len -= more;
  }
  while (listening(c) && action == WW_RTR_STAY && len) {
    action = one_pdu(c, data, len, &used, &want, now);
    if (!listening(c) || action != WW_RTR_STAY)
      break;
    if (!used) {
      if (ww_buf_append(&c->partial, data, len))
        return ww_rtr_refuse(c, WW_RTR_INTERNAL_ERROR, NULL, 0, "no memory for a PDU");
      break;
    }
    data += used;
    len -= used;
  }
  return action;
}

/* ------------------------------------------------------------------ beginning, end, and the owner's answers */

struct ww_rtr_client *ww_rtr_client_new(const struct ww_rtr_client_config *config, const struct ww_rtr_resume *resume,
                                        const struct ww_rtr_client_events *events, const struct ww_log *log,
                                        struct ww_now now) {
  struct ww_rtr_client *c = calloc(1, sizeof(*c));
  if (!c)
    return NULL;
  c->config = *config;
  c->config.name[sizeof(c->config.name) - 1] = '\0';
  if (c->config.max_version > WW_RTR_VERSION_MAX)
    c->config.max_version = WW_RTR_VERSION_MAX;
  if (c->config.min_version > c->config.max_version)
    c->config.min_version = c->config.max_version;
  if (!c->config.max_records)
    c->config.max_records = MAX_RECORDS_DEFAULT;
  c->events = *events;
  c->log = log;
  c->random = config->jitter_seed;
  c->version = c->config.max_version;
  c->version_at = now.mono;
  c->connect_at = now.mono;
  ww_rtr_collect_init(&c->collect, c->config.max_records);
  ww_buf_init(&c->partial, WW_RTR_MAX_LEN);
  ww_buf_init(&c->output, OUTPUT_MAX);
  if (!resume)
    return c;
  c->resume = *resume;
  if (!c->resume.expire)
    c->resume.expire = WW_RTR_EXPIRE_DEFAULT;
  if (c->resume.valid) {
    /* CHOICE: the version of the stored session is where we begin, for only there its serial means something. A cache
     * that has learnt a higher one meanwhile is found out when the memory of this one lapses. */
    c->spoken = (uint8_t)(c->resume.version <= WW_RTR_VERSION_MAX ? 1u << c->resume.version : 0);
    if (ww_rtr_version_allowed(c, c->resume.version))
      c->version = c->resume.version;
  }
  /* RFC 8210 §6: data MUST NOT be kept past Expire, counted from End of Data, whether or not we were running. A clock
   * that went back since then does not make it live longer. */
  if (c->resume.last_sync > 0) {
    int64_t age = now.unix_sec - c->resume.last_sync;
    int64_t left = age < 0 ? c->resume.expire : (int64_t)c->resume.expire - age;
    c->has_data = true;
    c->expire_at = now.mono + (left > 0 ? (ww_mono_ms)left * 1000 : 0);
  }
  return c;
}

void ww_rtr_client_free(struct ww_rtr_client *c) {
  if (!c)
    return;
  ww_rtr_collect_clear(&c->collect);
  ww_buf_fini(&c->partial);
  ww_buf_fini(&c->output);
  free(c);
}

enum ww_rtr_action ww_rtr_client_connected(struct ww_rtr_client *c, struct ww_now now) {
  if (c->phase != PHASE_CONNECTING)
    return c->phase == PHASE_CLOSING ? WW_RTR_CLOSE : WW_RTR_STAY;
  ww_buf_clear(&c->output);
  ww_buf_clear(&c->partial);
  c->negotiated = c->heard = c->notified = c->reconnect_now = c->synced = false;
  /* RFC 8210 §7: a router MUST start each transport connection with a query; it says our version. */
  return ww_rtr_send_query(c, now);
}

enum ww_rtr_action ww_rtr_client_committed(struct ww_rtr_client *c, bool ok, size_t unknown, struct ww_now now) {
  if (!c->pending.active)
    return WW_RTR_STAY;
  c->pending.active = false;
  bool connected = c->phase == PHASE_COMMIT; /* else the connection went in the meantime */
  /* CHOICE: RFC 8210 §5.6 lets an announcement of a record already held be refused (code 7). Within one response it is;
   * across responses the record simply stays, because a cache that merges deltas may repeat itself and nothing is wrong
   * with the data. A withdrawal of what is not held means that the two sides differ, and is refused. */
  bool contradicted = unknown > c->pending.transient;
  if (contradicted || !ok || c->pending.flushed) {
    /* The next set is a full one. What the owner holds, it holds until then or until it expires. */
    c->resume.valid = false;
    if (contradicted && connected)
      /* RFC 8210 §12: code 6, fatal. DEVIATION: the PDU is not quoted; it is known to the store alone. */
      return ww_rtr_refuse(c, WW_RTR_UNKNOWN_WITHDRAWAL, NULL, 0, "%zu withdrawals of records that are not held",
                           unknown);
    if (contradicted && c->pending.point.version == WW_RTR_V2)
      ww_rtr_flush(c, "it withdrew records that are not held");
    if (!connected)
      return WW_RTR_STAY;
    if (c->refusals < 32)
      c->refusals++;
    c->phase = PHASE_WAIT;
    c->query_at = now.mono + ww_rtr_backoff(c, c->refusals);
    return WW_RTR_STAY;
  }
  c->resume = c->pending.point;
  c->force_reset = false;
  c->refusals = 0;
  c->has_data = true;
  c->expire_at = c->pending.eod_at + (ww_mono_ms)c->resume.expire * 1000;
  if (!connected)
    return WW_RTR_STAY;
  if (!c->synced)
    c->synced_at = now.mono;
  c->synced = true;
  c->phase = PHASE_WAIT;
  /* RFC 8210 §6: Refresh counts from End of Data. */
  c->query_at = c->pending.eod_at + (ww_mono_ms)c->resume.refresh * 1000;
  if (c->notified && serial_distance(c->notify_serial, c->resume.serial) > 0 &&
      c->query_sent + NOTIFY_GAP_MS < c->query_at)
    c->query_at = c->query_sent + NOTIFY_GAP_MS;
  c->notified = false;
  return WW_RTR_STAY;
}

struct ww_buf *ww_rtr_client_output(struct ww_rtr_client *c) {
  return &c->output;
}

static enum ww_rtr_status status_of(const struct ww_rtr_client *c) {
  switch (c->phase) {
  case PHASE_IDLE:
    return c->connects ? WW_RTR_BACKOFF : WW_RTR_IDLE;
  case PHASE_CONNECTING:
    return WW_RTR_CONNECTING;
  case PHASE_QUERIED:
    return c->negotiated ? WW_RTR_SYNCING : WW_RTR_NEGOTIATING;
  case PHASE_RESPONSE:
  case PHASE_COMMIT:
    return WW_RTR_SYNCING;
  case PHASE_WAIT:
    return WW_RTR_ESTABLISHED;
  case PHASE_CLOSING:
    break;
  }
  return WW_RTR_BACKOFF;
}

void ww_rtr_client_stats(const struct ww_rtr_client *c, struct ww_rtr_client_stats *out) {
  *out = (struct ww_rtr_client_stats){.status = status_of(c),
                                      .version = c->version,
                                      .session = c->resume.session,
                                      .serial = c->resume.serial,
                                      .pdus = c->pdus,
                                      .errors = c->errors,
                                      .connects = c->connects};
  memcpy(out->last_error, c->last_error, sizeof(out->last_error));
}

const char *ww_rtr_status_name(enum ww_rtr_status status) {
  switch (status) {
  case WW_RTR_IDLE:
    return "idle";
  case WW_RTR_CONNECTING:
    return "connecting";
  case WW_RTR_NEGOTIATING:
    return "negotiating";
  case WW_RTR_SYNCING:
    return "syncing";
  case WW_RTR_ESTABLISHED:
    return "established";
  case WW_RTR_BACKOFF:
    return "backoff";
  }
  return "unknown";
}
