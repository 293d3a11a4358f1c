/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the two halves of the RTR client share: rtr_client.c, which speaks with the cache, and rtr_timing.c, which
 * decides when and in which version. Nobody else includes it.
 */
#ifndef WW_SOURCES_RTR_CLIENT_INTERNAL_H
#define WW_SOURCES_RTR_CLIENT_INTERNAL_H

#include "sources/rtr_client.h"
#include "sources/rtr_collect.h"

enum { WW_RTR_EXPIRE_DEFAULT = 7200 }; /* seconds */

enum phase { PHASE_IDLE, PHASE_CONNECTING, PHASE_QUERIED, PHASE_RESPONSE, PHASE_COMMIT, PHASE_WAIT, PHASE_CLOSING };

struct ww_rtr_client {
  struct ww_rtr_client_config config;
  struct ww_rtr_client_events events;
  const struct ww_log *log;
  uint64_t random;

  /* the cache */
  struct ww_rtr_resume resume;
  bool has_data;         /* the owner holds records of this cache ... */
  ww_mono_ms expire_at;  /* ... until then */
  uint8_t version;       /* to open with, or in use */
  ww_mono_ms version_at; /* when it was learnt */
  uint8_t spoken;        /* bit v: the cache has answered in version v */
  bool version_guessed;  /* lowered because the cache closed without a word */
  unsigned silent;       /* connections in a row that the cache closed without a word in this version */
  uint8_t tried;         /* bit v: version v was given up since the last complete response */
  bool force_reset;      /* the next query is a Reset Query, although the resume point stands */
  unsigned serial_cut;   /* Serial Queries in a row that ended without an answer */
  unsigned failures;     /* in a row, for the back-off */
  unsigned refusals;     /* updates in a row that the owner could not store */

  /* the update that waits for _committed() */
  struct {
    bool active, full, flushed; /* flushed: the owner was told to drop everything meanwhile */
    struct ww_rtr_resume point;
    ww_mono_ms eod_at;
    size_t transient;
  } pending;

  /* the connection */
  enum phase phase;
  bool negotiated;
  bool heard;                          /* any PDU came */
  bool asked_reset;                    /* the query under way, or answered last, is a Reset Query */
  bool reconnect_now;                  /* to try another version needs no back-off */
  ww_mono_ms hold_off;                 /* the cache said when to come back; 0: it did not */
  uint16_t session;                    /* of the response under way */
  bool host_bits_said, aspa_list_said; /* in this response */
  bool notified;
  uint32_t notify_serial;
  ww_mono_ms connect_at, connect_until, query_at, query_sent, progress_at, synced_at;
  bool synced; /* synced_at is set */

  struct ww_rtr_collect collect;
  struct ww_buf partial, output;
  uint64_t pdus, errors, connects;
  char last_error[240];
};

/* rtr_client.c */

/* A line in the log; from warning up it is kept as the last error. */
void ww_rtr_note(struct ww_rtr_client *c, enum ww_log_level level, const char *fmt, ...) WW_PRINTF(3, 4);
/* A query ended without its End of Data. */
void ww_rtr_query_failed(struct ww_rtr_client *c);
/* Ends the connection. */
enum ww_rtr_action ww_rtr_drop(struct ww_rtr_client *c);
/* Has the owner drop everything that came from this cache. */
void ww_rtr_flush(struct ww_rtr_client *c, const char *why);
/* Reports an error to the cache and drops the session; in version 2 a fatal one costs its data. `pdu` is the offending
 * PDU as received, or NULL when the error is not that of one PDU. */
enum ww_rtr_action ww_rtr_refuse(struct ww_rtr_client *c, uint16_t code, const uint8_t *pdu, size_t pdu_len,
                                 const char *fmt, ...) WW_PRINTF(5, 6);
enum ww_rtr_action ww_rtr_send_query(struct ww_rtr_client *c, struct ww_now now);

/* rtr_timing.c */

/* Seconds. */
uint32_t ww_rtr_retry_interval(const struct ww_rtr_client *c);
/* How long to wait after so many failures in a row, at least one. */
ww_mono_ms ww_rtr_backoff(struct ww_rtr_client *c, unsigned failures);
/* The timers of an End of Data, moved into bounds. */
void ww_rtr_timers_take(struct ww_rtr_client *c, const struct ww_rtr_pdu *eod, struct ww_rtr_resume *point);
/* The cache is about to go: the next attempt is due then, and those after it at the Retry Interval. */
void ww_rtr_hold_off(struct ww_rtr_client *c);
bool ww_rtr_version_allowed(const struct ww_rtr_client *c, uint8_t version);
/* Opens with another version from now on. */
void ww_rtr_use_version(struct ww_rtr_client *c, uint8_t version, struct ww_now now);
/* The cache has answered in the version in use. */
void ww_rtr_settle_version(struct ww_rtr_client *c, struct ww_now now);

#endif
