/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache side of RPKI-to-Router, versions 0 to 2, as machines without I/O: one server that holds what is served, and
 * a session for each client. Everything belongs to one thread.
 */
#ifndef WW_SOURCES_RTR_SERVER_H
#define WW_SOURCES_RTR_SERVER_H

#include "base/buf.h"
#include "base/clock.h"
#include "sources/rtr_server_data.h"

struct ww_rtr_server;
struct ww_rtr_session;

/* How clients of one listener are served. RFC 8210 §6 has the bounds of the timers; seconds. */
struct ww_rtr_service {
  uint8_t min_version, max_version;
  uint32_t refresh, retry, expire;
  uint32_t notify_interval; /* between two Serial Notifies to one client; RFC 8210 §5.2: at least 60 */
  /* What clients of version 2 are told when the server stops: WW_RTR_CACHE_RESTART, or WW_RTR_CACHE_SHUTDOWN, which has
   * them drop the data. */
  enum ww_rtr_error farewell;
};
extern const struct ww_rtr_service ww_rtr_service_default;

/* The log is borrowed. `sessions` must differ from those of the process before; `serial` is that of the first set. */
struct ww_rtr_server *ww_rtr_server_new(const uint16_t sessions[WW_RTR_VERSIONS], uint32_t serial,
                                        const struct ww_log *log);
void ww_rtr_server_free(struct ww_rtr_server *server); /* ends every session left */

/* As ww_rtr_data_publish(). Sessions may have something to send, and another deadline, afterwards. */
void ww_rtr_server_publish(struct ww_rtr_server *server, struct ww_snapshot *next, struct ww_effective_delta *delta,
                           struct ww_now now);
/* A set that a client waits for, to be encoded by ww_rtr_build_run() on any thread; NULL: none. One at a time. */
struct ww_rtr_build *ww_rtr_server_build(struct ww_rtr_server *server);
void ww_rtr_server_built(struct ww_rtr_server *server, struct ww_rtr_build *build, struct ww_now now);
const struct ww_rtr_data *ww_rtr_server_data(const struct ww_rtr_server *server);

/* The server is about to go: every session ends with its service's farewell; one that is being answered when its answer
 * is complete. */
void ww_rtr_server_stop(struct ww_rtr_server *server, struct ww_now now);

/* `name` is for the log. NULL when memory ran out. */
struct ww_rtr_session *ww_rtr_session_new(struct ww_rtr_server *server, const struct ww_rtr_service *service,
                                          const char *name, struct ww_now now);
void ww_rtr_session_free(struct ww_rtr_session *session);

/*
 * Octets from the client. After every call here, and after publications and builds: send what ww_rtr_session_output()
 * gives, look at ww_rtr_session_fate(), and call _tick() no later than _deadline().
 */
void ww_rtr_session_input(struct ww_rtr_session *session, const uint8_t *data, size_t len, struct ww_now now);
void ww_rtr_session_tick(struct ww_rtr_session *session, struct ww_now now);
ww_mono_ms ww_rtr_session_deadline(const struct ww_rtr_session *session);
/* False: its buffer is full of questions that wait for the answer under way; do not read. */
bool ww_rtr_session_wants_input(const struct ww_rtr_session *session);
/* The next octets to send, contiguous and not all of them; NULL: none. Borrowed until the next call. */
const uint8_t *ww_rtr_session_output(const struct ww_rtr_session *session, size_t *len);
void ww_rtr_session_sent(struct ww_rtr_session *session, size_t n, struct ww_now now);

enum ww_rtr_fate {
  WW_RTR_GOES_ON,
  WW_RTR_ENDED, /* everything is sent: close in order */
  WW_RTR_CUT    /* close at once */
};
enum ww_rtr_fate ww_rtr_session_fate(const struct ww_rtr_session *session);

struct ww_rtr_session_stats {
  bool negotiated, answering;
  uint8_t version;
  bool has_serial;
  uint32_t serial; /* of the last End of Data sent */
  uint32_t lag;    /* publications since */
  uint64_t serial_queries, reset_queries, cache_resets, notifies, errors_sent, octets;
  char last_error[240]; /* "" none */
};
void ww_rtr_session_stats(const struct ww_rtr_session *session, struct ww_rtr_session_stats *out);

#endif
