/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache side of the RPKI-to-Router protocol.
 *
 * A session answers one question after another:
 *
 *     input -> in -> handle() -> out | block | tail -> output
 *
 *   in     what the client has sent and was not looked at yet
 *   out    octets of this client alone: Cache Response, Cache Reset, Serial Notify, Error Report
 *   block  payload PDUs, shared with every other client that gets the same answer (rtr_server_data.c)
 *   tail   End of Data, with this listener's timers
 *
 * They are sent in that order. While anything of an answer is unsent (or it is still being encoded) no further question
 * is looked at, so output is bounded by one answer, and `in` by IN_MAX, after which the client is not read from. Only
 * an Error Report in front of `in` is taken at once: a router that has broken off does not read on.
 *
 * The version is fixed by the first query that is answered. Until then nothing is said unasked.
 *
 * Invariants: an Error Report is never answered, not even a malformed one; after an Error Report of our own that ends
 * the session nothing else is sent; codes are of the version they are sent in (a version 0 session never hears of code
 * 8); Serial Notify goes to those only who have had an End of Data and would see a change, never inside an answer, and
 * no more than once an interval.
 *
 * CHOICE: a version above ours is answered with code 4 and, when ours is 2, where that code is not fatal, the
 * connection stays open for one more try. In versions 0 and 1 it is fatal, and a version below ours is hopeless
 * (draft-ietf-sidrops-8210bis-26 §7): then it is closed.
 *
 * CHOICE: a Serial Query with a foreign session id is Corrupt Data once this connection has had a Cache Response: the
 * router was told. As a connection's first question it may be of the cache that we were before a restart, which we
 * cannot tell, and is answered with Cache Reset (draft-ietf-sidrops-8210bis-26 §5.3; the same in older versions).
 *
 * CHOICE: a client that has not asked anything within a minute is closed, and so is one that takes nothing of an answer
 * for three times the Retry Interval (draft-ietf-sidrops-8210bis-26 §9). The Transport Error that is recommended then
 * cannot be sent: the octets in front of it are what it does not take.
 *
 * Ownership: the server owns the data and knows its sessions; a session owns its buffers and a reference to at most one
 * block.
 *
 * Clauses: RFC 6810 §5, §6, §7, §10; RFC 8210 §5 to §8, §12; RFC 1982 §3.2; draft-ietf-sidrops-8210bis-26 §5.1 to
 * §5.11, §7, §8, §9, §12.
 */
#include "sources/rtr_server.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  FIRST_QUERY_MS = 60000,
  CLOSING_MS = 10000, /* for a client to take what is left */
  IN_MAX = 2 * (WW_RTR_MAX_LEN + 1),
  QUOTED_MAX = 256, /* octets of an offending PDU in an Error Report */
  TAIL_MAX = 24,
  STALL_RETRIES = 3,
};

const struct ww_rtr_service ww_rtr_service_default = {.min_version = WW_RTR_V0,
                                                      .max_version = WW_RTR_VERSION_MAX,
                                                      .refresh = 3600, /* RFC 8210 §6 */
                                                      .retry = 600,
                                                      .expire = 7200,
                                                      .notify_interval = 60,
                                                      .farewell = WW_RTR_CACHE_RESTART};

struct ww_rtr_server {
  const struct ww_log *log;
  struct ww_rtr_data *data;
  struct ww_rtr_session *sessions;
};

struct ww_rtr_session {
  struct ww_rtr_server *server;
  struct ww_rtr_session *next;
  struct ww_rtr_service service;
  char name[80];

  bool negotiated, told_version; /* told_version: of ours, by code 4 */
  uint8_t version;
  bool opened; /* a Cache Response was sent on this connection */

  struct ww_buf in, out;
  bool waiting;   /* for the set to be encoded */
  bool answering; /* an answer is not sent to its end */
  struct ww_rtr_block *block;
  size_t block_at;
  uint8_t tail[TAIL_MAX];
  size_t tail_len, tail_at;
  uint32_t answer_serial;

  bool has_serial;
  uint32_t serial;
  bool notified;
  ww_mono_ms notified_at;

  bool closing, cut;
  bool farewell; /* to be said when the answer is complete */
  ww_mono_ms opened_at, progress_at;

  uint64_t serial_queries, reset_queries, cache_resets, notifies, errors_sent, octets;
  char last_error[240];
};

static void note(struct ww_rtr_session *s, enum ww_log_level level, const char *fmt, ...) WW_PRINTF(3, 4);
static void note(struct ww_rtr_session *s, enum ww_log_level level, const char *fmt, ...) {
  char text[240];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  ww_text_one_line(text);
  if (level <= WW_LOG_WARNING)
    snprintf(s->last_error, sizeof s->last_error, "%s", text);
  ww_log(s->server->log, level, "rtr client %s: %s", s->name, text);
}

static void cut(struct ww_rtr_session *s) { s->cut = s->closing = true; }

/* ---- sending ---- */

static void send_pdu(struct ww_rtr_session *s, const struct ww_rtr_pdu *pdu, struct ww_now now) {
  struct ww_writer size = ww_writer_make(NULL, 0);
  ww_rtr_write(&size, pdu);
  uint8_t *room = ww_buf_reserve(&s->out, size.len);
  if (!room) {
    note(s, WW_LOG_ERROR, "no memory for an answer");
    cut(s);
    return;
  }
  if (!s->out.len && !s->answering)
    s->progress_at = now.mono;
  struct ww_writer w = ww_writer_make(room, size.len);
  ww_rtr_write(&w, pdu);
  ww_buf_commit(&s->out, w.len);
}

/* RFC 8210 §5.11: for an error that is not that of one PDU the field is empty, and one that is too long is cut. */
static void send_error(struct ww_rtr_session *s, uint8_t version, uint16_t code, const uint8_t *pdu, size_t pdu_len,
                       const char *text, struct ww_now now) {
  struct ww_rtr_pdu report = {.version = version,
                              .type = WW_RTR_ERROR_REPORT,
                              .u.error = {.code = code,
                                          .pdu = pdu,
                                          .pdu_len = (uint32_t)(pdu_len < QUOTED_MAX ? pdu_len : QUOTED_MAX),
                                          .text = (const uint8_t *)text,
                                          .text_len = (uint32_t)strlen(text)}};
  s->errors_sent++;
  send_pdu(s, &report, now);
}

/* Reports an error and ends the session. */
static void refuse(struct ww_rtr_session *s, uint8_t version, uint16_t code, const uint8_t *pdu, size_t pdu_len,
                   const char *text, struct ww_now now) {
  note(s, WW_LOG_WARNING, "%s (we report %s)", text, ww_rtr_error_name(code));
  send_error(s, version, code, pdu, pdu_len, text, now);
  s->closing = true;
}

static void say_farewell(struct ww_rtr_session *s, struct ww_now now) {
  s->farewell = false;
  /* draft-ietf-sidrops-8210bis-26 §8.5, §8.6; older versions have no such codes (§12). */
  if (s->negotiated && s->version >= WW_RTR_V2)
    send_error(s, s->version, (uint16_t)s->service.farewell, NULL, 0,
               s->service.farewell == WW_RTR_CACHE_SHUTDOWN ? "the cache shuts down" : "the cache restarts", now);
  s->closing = true;
}

static void maybe_notify(struct ww_rtr_session *s, struct ww_now now);

/* ---- answers ---- */

static void end_answer(struct ww_rtr_session *s) {
  ww_rtr_block_unref(s->block);
  s->block = NULL;
  s->block_at = s->tail_len = s->tail_at = 0;
  s->answering = false;
  s->has_serial = true;
  s->serial = s->answer_serial;
}

/* Takes the block, which may be NULL for an empty answer. */
static void begin_answer(struct ww_rtr_session *s, struct ww_rtr_block *block, struct ww_now now) {
  struct ww_rtr_data *data = s->server->data;
  uint16_t session = ww_rtr_data_session(data, s->version);
  uint32_t serial = block ? block->serial : ww_rtr_data_serial(data);
  struct ww_rtr_pdu response = {.version = s->version, .type = WW_RTR_CACHE_RESPONSE, .session = session};
  struct ww_rtr_pdu eod = {
      .version = s->version,
      .type = WW_RTR_END_OF_DATA,
      .session = session,
      .u.eod = {
          .serial = serial, .refresh = s->service.refresh, .retry = s->service.retry, .expire = s->service.expire}};
  s->waiting = false;
  s->opened = true;
  s->progress_at = now.mono;
  s->answering = true;
  s->answer_serial = serial;
  s->block = block;
  s->block_at = 0;
  send_pdu(s, &response, now);
  struct ww_writer w = ww_writer_make(s->tail, sizeof s->tail);
  ww_rtr_write(&w, &eod);
  s->tail_len = w.len;
  s->tail_at = 0;
}

static void send_cache_reset(struct ww_rtr_session *s, struct ww_now now) {
  struct ww_rtr_pdu reset = {.version = s->version, .type = WW_RTR_CACHE_RESET};
  s->cache_resets++;
  s->has_serial = false; /* it is about to begin anew, and needs no Serial Notify for that */
  send_pdu(s, &reset, now);
}

static void answer_full(struct ww_rtr_session *s, struct ww_now now) {
  struct ww_rtr_block *block;
  if (ww_rtr_data_full(s->server->data, s->version, &block) == WW_RTR_ANSWER_WAIT)
    s->waiting = true;
  else
    begin_answer(s, block, now);
}

static void answer_serial(struct ww_rtr_session *s, const struct ww_rtr_pdu *query, const uint8_t *pdu,
                          struct ww_now now) {
  struct ww_rtr_data *data = s->server->data;
  struct ww_rtr_block *block;
  if (query->session != ww_rtr_data_session(data, s->version)) {
    if (s->opened) /* draft-ietf-sidrops-8210bis-26 §5.1, §5.3 */
      refuse(s, s->version, WW_RTR_CORRUPT_DATA, pdu, query->len, "Serial Query with another session id", now);
    else
      send_cache_reset(s, now);
    return;
  }
  switch (ww_rtr_data_delta(data, s->version, query->u.serial.serial, &block)) {
  case WW_RTR_ANSWER_BLOCK:
    begin_answer(s, block, now);
    break;
  case WW_RTR_ANSWER_RESET: /* RFC 8210 §8.3 */
    send_cache_reset(s, now);
    break;
  default:
    refuse(s, s->version, WW_RTR_INTERNAL_ERROR, NULL, 0, "no memory for an answer", now);
  }
}

/* ---- questions ---- */

/* RFC 8210 §7, draft-ietf-sidrops-8210bis-26 §7. True: the PDU may be looked at. */
static bool check_version(struct ww_rtr_session *s, const struct ww_rtr_pdu *pdu, const uint8_t *data, size_t len,
                          struct ww_now now) {
  char text[96];
  if (s->negotiated) {
    if (pdu->version == s->version)
      return true;
    snprintf(text, sizeof text, "version %u in a session of version %u", pdu->version, s->version);
    /* RFC 6810 §10 has no code 8: there a version that is not the session's is one that is not supported. */
    refuse(s, s->version, s->version == WW_RTR_V0 ? WW_RTR_UNSUPPORTED_VERSION : WW_RTR_UNEXPECTED_VERSION, data, len,
           text, now);
    return false;
  }
  if (pdu->version >= s->service.min_version && pdu->version <= s->service.max_version)
    return true;
  snprintf(text, sizeof text, "version %u is not spoken here (%u to %u are)", pdu->version, s->service.min_version,
           s->service.max_version);
  if (pdu->version > s->service.max_version && s->service.max_version >= WW_RTR_V2 && !s->told_version) {
    s->told_version = true;
    note(s, WW_LOG_INFO, "%s", text);
    send_error(s, s->service.max_version, WW_RTR_UNSUPPORTED_VERSION, data, len, text, now);
  } else {
    refuse(s, s->service.max_version, WW_RTR_UNSUPPORTED_VERSION, data, len, text, now);
  }
  return false;
}

/* What a router has to say is logged as its word, and the session is over: an Error Report from a router is about data
 * that will not change by repeating it. */
static void take_error(struct ww_rtr_session *s, const struct ww_rtr_pdu *pdu, bool sound) {
  if (!sound)
    note(s, WW_LOG_WARNING, "it sent a malformed Error Report");
  else
    note(s, WW_LOG_WARNING, "it reports %s (code %u): %.*s", ww_rtr_error_name(pdu->u.error.code), pdu->u.error.code,
         (int)(pdu->u.error.text_len < 150 ? pdu->u.error.text_len : 150), (const char *)pdu->u.error.text);
  cut(s);
}

static void take_query(struct ww_rtr_session *s, const struct ww_rtr_pdu *pdu, const uint8_t *data, struct ww_now now) {
  s->negotiated = true;
  s->version = pdu->version;
  if (pdu->type == WW_RTR_SERIAL_QUERY)
    s->serial_queries++;
  else
    s->reset_queries++;
  if (!ww_rtr_data_ready(s->server->data)) { /* RFC 8210 §8.4: not fatal */
    note(s, WW_LOG_INFO, "it asks, and there is no data yet");
    send_error(s, s->version, WW_RTR_NO_DATA, data, pdu->len, "no data available yet", now);
  } else if (pdu->type == WW_RTR_SERIAL_QUERY) {
    answer_serial(s, pdu, data, now);
  } else {
    answer_full(s, now);
  }
}

/* The PDU in front of `in`. False: it is not complete. */
static bool take_pdu(struct ww_rtr_session *s, struct ww_now now) {
  const uint8_t *data = ww_buf_head(&s->in);
  size_t avail = s->in.len;
  struct ww_rtr_pdu pdu;
  struct ww_diag diag = {0};
  uint16_t code;
  enum ww_err err = ww_rtr_decode(data, avail, &pdu, &code, &diag);
  if (err == WW_ERR_SHORT && !pdu.len)
    return false;
  size_t quoted = pdu.len >= WW_RTR_HEADER_LEN && pdu.len < avail ? pdu.len : avail;
  if (pdu.type == WW_RTR_ERROR_REPORT) {
    if (err == WW_ERR_SHORT)
      return false;
    take_error(s, &pdu, err == WW_OK);
    return true;
  }
  /* What the PDU of a version that is not ours is does not matter, but who is told to come back with another version
   * goes on after its end. */
  if (!s->negotiated && pdu.version > s->service.max_version && pdu.len <= WW_RTR_MAX_LEN && pdu.len > avail)
    return false;
  if (!check_version(s, &pdu, data, quoted, now)) {
    if (pdu.len < WW_RTR_HEADER_LEN || pdu.len > avail)
      s->closing = true;
    if (!s->closing)
      ww_buf_consume(&s->in, pdu.len);
    return true;
  }
  bool query = pdu.type == WW_RTR_SERIAL_QUERY || pdu.type == WW_RTR_RESET_QUERY;
  if (!query && !(err == WW_ERR_MALFORMED && code == WW_RTR_UNSUPPORTED_PDU)) {
    char text[96]; /* RFC 8210 §12: what a router has no business to send */
    snprintf(text, sizeof text, "a router does not send %s", ww_rtr_type_name(pdu.type));
    refuse(s, pdu.version, WW_RTR_INVALID_REQUEST, data, quoted, text, now);
    return true;
  }
  if (err == WW_ERR_SHORT)
    return false;
  if (err != WW_OK) {
    refuse(s, pdu.version, code, data, quoted, diag.text, now);
    return true;
  }
  take_query(s, &pdu, data, now);
  ww_buf_consume(&s->in, pdu.len);
  return true;
}

static bool busy(const struct ww_rtr_session *s) { return s->answering || s->waiting || s->out.len > 0; }

static void handle(struct ww_rtr_session *s, struct ww_now now) {
  while (!s->closing && !busy(s) && take_pdu(s, now))
    ;
  if (!s->closing && busy(s) && s->in.len >= WW_RTR_HEADER_LEN && ww_buf_head(&s->in)[1] == WW_RTR_ERROR_REPORT)
    (void)take_pdu(s, now);
  if (s->closing)
    ww_buf_clear(&s->in);
  else if (!busy(s))
    maybe_notify(s, now);
}

void ww_rtr_session_input(struct ww_rtr_session *session, const uint8_t *data, size_t len, struct ww_now now) {
  struct ww_rtr_session *s = session;
  while (len > 0 && !s->closing) {
    size_t room = IN_MAX - s->in.len, n = len < room ? len : room;
    if (n == 0 || ww_buf_append(&s->in, data, n) != WW_OK) {
      /* More than a whole Error Report and a few dozen questions ahead of the answer, against the flow control. */
      note(s, WW_LOG_WARNING, n == 0 ? "it asks faster than it takes answers" : "no memory for its input");
      cut(s);
      break;
    }
    data += n;
    len -= n;
    handle(s, now);
  }
}

bool ww_rtr_session_wants_input(const struct ww_rtr_session *session) {
  return session->closing || session->in.len <= IN_MAX / 2;
}

/* ---- output ---- */

const uint8_t *ww_rtr_session_output(const struct ww_rtr_session *session, size_t *len) {
  const struct ww_rtr_session *s = session;
  *len = 0;
  if (s->cut)
    return NULL;
  if (s->out.len > 0) {
    *len = s->out.len;
    return ww_buf_head(&s->out);
  }
  if (s->block && s->block_at < s->block->len) {
    *len = s->block->len - s->block_at;
    return s->block->data + s->block_at;
  }
  *len = s->tail_len - s->tail_at;
  return *len ? s->tail + s->tail_at : NULL;
}

void ww_rtr_session_sent(struct ww_rtr_session *session, size_t n, struct ww_now now) {
  struct ww_rtr_session *s = session;
  if (n == 0)
    return;
  s->progress_at = now.mono;
  s->octets += n;
  if (s->out.len > 0)
    ww_buf_consume(&s->out, n);
  else if (s->block && s->block_at < s->block->len)
    s->block_at += n;
  else
    s->tail_at += n;
  if (s->answering && s->out.len == 0 && s->tail_at == s->tail_len && (!s->block || s->block_at == s->block->len)) {
    end_answer(s);
    if (s->farewell)
      say_farewell(s, now);
  }
  if (!busy(s))
    handle(s, now);
}

enum ww_rtr_fate ww_rtr_session_fate(const struct ww_rtr_session *session) {
  if (session->cut)
    return WW_RTR_CUT;
  return session->closing && session->out.len == 0 && !session->answering ? WW_RTR_ENDED : WW_RTR_GOES_ON;
}

/* ---- time ---- */

static bool wants_notify(const struct ww_rtr_session *s) {
  const struct ww_rtr_data *data = s->server->data;
  if (!s->has_serial || s->closing)
    return false;
  /* RFC 1982 §3.2: the client's serial is older than the last that changed what it sees. */
  return (int32_t)(s->serial - ww_rtr_data_changed(data, s->version)) < 0;
}

/* RFC 8210 §5.2: no more than one a minute. */
static ww_mono_ms notify_due(const struct ww_rtr_session *s) {
  return s->notified ? s->notified_at + (ww_mono_ms)s->service.notify_interval * 1000 : 0;
}

static void maybe_notify(struct ww_rtr_session *s, struct ww_now now) {
  if (busy(s) || !wants_notify(s) || now.mono < notify_due(s))
    return;
  struct ww_rtr_pdu notify = {.version = s->version,
                              .type = WW_RTR_SERIAL_NOTIFY,
                              .session = ww_rtr_data_session(s->server->data, s->version),
                              .u.serial = {.serial = ww_rtr_data_serial(s->server->data)}};
  s->notified = true;
  s->notified_at = now.mono;
  s->notifies++;
  send_pdu(s, &notify, now);
}

static ww_mono_ms stall_at(const struct ww_rtr_session *s) {
  return s->progress_at + (s->closing ? CLOSING_MS : (ww_mono_ms)s->service.retry * 1000 * STALL_RETRIES);
}

ww_mono_ms ww_rtr_session_deadline(const struct ww_rtr_session *session) {
  const struct ww_rtr_session *s = session;
  ww_mono_ms at = WW_MONO_NEVER;
  if (s->cut)
    return at;
  if (s->answering || s->out.len > 0)
    at = stall_at(s);
  else if (!s->negotiated && !s->closing)
    at = s->opened_at + FIRST_QUERY_MS;
  if (!busy(s) && wants_notify(s) && notify_due(s) < at)
    at = notify_due(s);
  return at;
}

void ww_rtr_session_tick(struct ww_rtr_session *session, struct ww_now now) {
  struct ww_rtr_session *s = session;
  if (s->cut)
    return;
  if ((s->answering || s->out.len > 0) && now.mono >= stall_at(s)) {
    note(s, WW_LOG_WARNING, "it has taken nothing for %llu s: the connection is closed",
         (unsigned long long)((now.mono - s->progress_at) / 1000));
    cut(s);
  } else if (!s->negotiated && !busy(s) && !s->closing && now.mono >= s->opened_at + FIRST_QUERY_MS) {
    note(s, WW_LOG_WARNING, "it has not asked for anything in %d s", FIRST_QUERY_MS / 1000);
    s->closing = true;
  } else {
    maybe_notify(s, now);
  }
}

/* ---- the server ---- */

struct ww_rtr_server *ww_rtr_server_new(const uint16_t sessions[WW_RTR_VERSIONS], uint32_t serial,
                                        const struct ww_log *log) {
  struct ww_rtr_server *server = (struct ww_rtr_server *)calloc(1, sizeof *server);
  if (!server || !(server->data = ww_rtr_data_new(sessions, serial, log))) {
    free(server);
    return NULL;
  }
  server->log = log;
  return server;
}

void ww_rtr_server_free(struct ww_rtr_server *server) {
  if (!server)
    return;
  for (struct ww_rtr_session *s = server->sessions, *next; s; s = next) {
    next = s->next;
    ww_rtr_session_free(s);
  }
  ww_rtr_data_free(server->data);
  free(server);
}

const struct ww_rtr_data *ww_rtr_server_data(const struct ww_rtr_server *server) { return server->data; }

/* Cuts who is furthest behind until what is left fits. */
static void make_room(struct ww_rtr_server *server) {
  uint32_t serial = ww_rtr_data_serial(server->data);
  while (ww_rtr_data_crowded(server->data)) {
    uint32_t most = 0;
    for (struct ww_rtr_session *s = server->sessions; s; s = s->next)
      if (s->block && serial - s->block->serial > most)
        most = serial - s->block->serial;
    if (most == 0)
      return; /* nobody is behind: it is the present set that is large */
    for (struct ww_rtr_session *s = server->sessions; s; s = s->next)
      if (s->block && serial - s->block->serial == most) {
        note(s, WW_LOG_WARNING, "it is %u publications behind in the middle of an answer: the connection is closed",
             most);
        ww_rtr_block_unref(s->block);
        s->block = NULL;
        cut(s);
      }
  }
}

void ww_rtr_server_publish(struct ww_rtr_server *server, struct ww_snapshot *next, struct ww_effective_delta *delta,
                           struct ww_now now) {
  if (!ww_rtr_data_publish(server->data, next, delta))
    return;
  make_room(server);
  for (struct ww_rtr_session *s = server->sessions; s; s = s->next)
    maybe_notify(s, now);
}

struct ww_rtr_build *ww_rtr_server_build(struct ww_rtr_server *server) {
  return ww_rtr_build_begin(server->data);
}

void ww_rtr_server_built(struct ww_rtr_server *server, struct ww_rtr_build *build, struct ww_now now) {
  bool failed;
  uint8_t version = ww_rtr_build_end(server->data, build, &failed);
  for (struct ww_rtr_session *s = server->sessions; s; s = s->next) {
    if (!s->waiting || s->version != version)
      continue;
    s->waiting = false;
    if (failed)
      refuse(s, s->version, WW_RTR_INTERNAL_ERROR, NULL, 0, "no memory for an answer", now);
    else
      answer_full(s, now);
  }
  ww_rtr_data_drop_stale(server->data);
  make_room(server);
}

void ww_rtr_server_stop(struct ww_rtr_server *server, struct ww_now now) {
  for (struct ww_rtr_session *s = server->sessions; s; s = s->next) {
    if (s->closing)
      continue;
    s->waiting = false;
    if (s->answering)
      s->farewell = true;
    else
      say_farewell(s, now);
  }
}

struct ww_rtr_session *ww_rtr_session_new(struct ww_rtr_server *server, const struct ww_rtr_service *service,
                                          const char *name, struct ww_now now) {
  struct ww_rtr_session *s = (struct ww_rtr_session *)calloc(1, sizeof *s);
  if (!s)
    return NULL;
  s->server = server;
  s->service = *service;
  snprintf(s->name, sizeof s->name, "%s", name);
  s->opened_at = s->progress_at = now.mono;
  ww_buf_init(&s->in, IN_MAX);
  ww_buf_init(&s->out, 0);
  s->next = server->sessions;
  server->sessions = s;
  return s;
}

void ww_rtr_session_free(struct ww_rtr_session *session) {
  struct ww_rtr_session *s = session;
  if (!s)
    return;
  for (struct ww_rtr_session **at = &s->server->sessions; *at; at = &(*at)->next)
    if (*at == s) {
      *at = s->next;
      break;
    }
  ww_rtr_block_unref(s->block);
  ww_buf_fini(&s->in);
  ww_buf_fini(&s->out);
  free(s);
}

void ww_rtr_session_stats(const struct ww_rtr_session *session, struct ww_rtr_session_stats *out) {
  const struct ww_rtr_session *s = session;
  *out = (struct ww_rtr_session_stats){.negotiated = s->negotiated,
                                       .answering = s->answering || s->waiting,
                                       .version = s->version,
                                       .has_serial = s->has_serial,
                                       .serial = s->serial,
                                       .lag = s->has_serial ? ww_rtr_data_serial(s->server->data) - s->serial : 0,
                                       .serial_queries = s->serial_queries,
                                       .reset_queries = s->reset_queries,
                                       .cache_resets = s->cache_resets,
                                       .notifies = s->notifies,
                                       .errors_sent = s->errors_sent,
                                       .octets = s->octets};
  memcpy(out->last_error, s->last_error, sizeof out->last_error);
}
