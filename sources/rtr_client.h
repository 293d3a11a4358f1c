/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The router side of RPKI-to-Router, versions 0 to 2, as a machine without I/O: it is told of connections, octets
 * and time, and says what to send, when to wake it, and what to do with the connection. Data is handed out whole, at
 * End of Data, never before.
 */
#ifndef WW_SOURCES_RTR_CLIENT_H
#define WW_SOURCES_RTR_CLIENT_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include <waywarden/payload.h>

struct ww_rtr_client;

struct ww_rtr_client_config {
  char name[64];
  uint8_t max_version;  /* WW_RTR_VERSION_MAX at most; the one to open with */
  uint8_t min_version;  /* max_version at most */
  size_t max_records;   /* 0: default 10 million; more in one response is an error and drops the session. Router keys
                           and ASPAs count one more for each 32 octets of SPKI or provider list */
  bool keep_expired;    /* what has passed its Expire Interval stays and is built on; its owner says so to people */
  uint64_t jitter_seed; /* spreads reconnects; different for each daemon and cache */
};

/* Where a session resumes: from the store. */
struct ww_rtr_resume {
  bool valid;
  uint8_t version;
  uint16_t session;
  uint32_t serial;
  uint32_t refresh, retry, expire;
  int64_t last_sync; /* Unix seconds of the last End of Data */
};

enum ww_rtr_action {
  WW_RTR_STAY = 0,
  WW_RTR_CONNECT, /* open a connection now (and then call _connected) */
  WW_RTR_CLOSE,   /* send what is queued, then close (and then call _closed) */
};

enum ww_rtr_status {
  WW_RTR_IDLE,
  WW_RTR_CONNECTING,
  WW_RTR_NEGOTIATING,
  WW_RTR_SYNCING,
  WW_RTR_ESTABLISHED,
  WW_RTR_BACKOFF
};

/* A completed response. Ownership of the records moves to the callback's owner. */
struct ww_rtr_update {
  bool full;                     /* answer to a Reset Query: `delta.announce` is the whole set, sorted */
  struct ww_payload_delta delta; /* incremental: one entry a record, in its final state; sorted */
  uint8_t version;
  uint16_t session;
  uint32_t serial;
  uint32_t refresh, retry, expire; /* seconds; in force */
};

/* Callbacks may call _committed() but must not free the client. */
struct ww_rtr_client_events {
  void *ctx;
  /* Take the update (set *update to zero or free it). The machine regards the serial as its resume point only after
   * ww_rtr_client_committed(). Until then it asks for nothing new. */
  void (*update)(void *ctx, struct ww_rtr_update *update);
  /* All data from this cache must go: expired, or the session ended in a way that demands it. */
  void (*flush)(void *ctx, const char *why);
};

struct ww_rtr_client *ww_rtr_client_new(const struct ww_rtr_client_config *config, const struct ww_rtr_resume *resume,
                                        const struct ww_rtr_client_events *events, const struct ww_log *log,
                                        struct ww_now now);
void ww_rtr_client_free(struct ww_rtr_client *client);

/* Each returns what to do with the connection. After every call: send ww_rtr_client_output() (then consume it), and
 * call _tick() no later than ww_rtr_client_deadline(). CLOSE is said once; until _closed() the machine then sleeps and
 * ignores input. The log is borrowed and must outlive the client; config, resume and events are copied. */
enum ww_rtr_action ww_rtr_client_tick(struct ww_rtr_client *client, struct ww_now now);
enum ww_rtr_action ww_rtr_client_connected(struct ww_rtr_client *client, struct ww_now now);
enum ww_rtr_action ww_rtr_client_connect_failed(struct ww_rtr_client *client, const char *why, struct ww_now now);
enum ww_rtr_action ww_rtr_client_input(struct ww_rtr_client *client, const uint8_t *data, size_t len,
                                       struct ww_now now);
enum ww_rtr_action ww_rtr_client_closed(struct ww_rtr_client *client, struct ww_now now);
/* The connection was refused or broke for a reason of the transport's own, which says nothing of the cache's versions:
 * a certificate that it does not take, a session that TLS or SSH ended. */
enum ww_rtr_action ww_rtr_client_lost(struct ww_rtr_client *client, const char *why, struct ww_now now);
/* The update handed out was stored (ok) or refused (then the machine resets to a full query). `unknown` > 0: so many
 * withdrawals named records that were not held, which is error 6. */
enum ww_rtr_action ww_rtr_client_committed(struct ww_rtr_client *client, bool ok, size_t unknown, struct ww_now now);

struct ww_buf *ww_rtr_client_output(struct ww_rtr_client *client);
ww_mono_ms ww_rtr_client_deadline(const struct ww_rtr_client *client);

struct ww_rtr_client_stats {
  enum ww_rtr_status status;
  uint8_t version;
  uint16_t session;
  uint32_t serial;
  uint64_t pdus, errors, connects;
  char last_error[240];
};
void ww_rtr_client_stats(const struct ww_rtr_client *client, struct ww_rtr_client_stats *out);
const char *ww_rtr_status_name(enum ww_rtr_status status);

#endif
