/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RTR client in time: when to connect, in which version to open, when to ask, when to give up.
 *
 * Two clocks run, and ww_rtr_client_deadline() is the earlier of them: that of the phase (the end of the back-off,
 * the connection attempt, the stall, the next query), and beside it the expiry of what the owner holds. A cache's
 * version is remembered over connections, for a day; then the highest one is tried again.
 *
 * Invariants: after _tick(now) the deadline is later than now. The back-off grows with each connection that fails and
 * starts over only after a session that stayed in sync for a while.
 *
 * Clauses: RFC 8210 §6, §7 (versions across connections); RFC 6810 §6, §8; draft-ietf-sidrops-8210bis-26 §6, §7, §8.5,
 * §8.6, §9 (stall).
 */
#include "sources/rtr_client_internal.h"

enum {
  REFRESH_DEFAULT = 3600,
  REFRESH_MAX = 86400, /* seconds, RFC 8210 §6, also for version 0 */
  RETRY_DEFAULT = 600,
  RETRY_MAX = 7200,
  EXPIRE_MIN = 600,
  EXPIRE_MAX = 172800,
  STALL_RETRIES = 3, /* no progress in so many Retry Intervals: the cache is gone */
  CONNECT_TIMEOUT_MS = 30000,
  BACKOFF_FIRST_MS = 1000,
  STABLE_MS = 60000, /* a session in sync for so long was a good one: the back-off starts over */
  VERSION_MEMORY_MS = 24 * 3600 * 1000,
  FAILURES_MAX = 32, /* far beyond where doubling meets the Retry Interval */
  SILENT_V2 = 2,     /* connections closed without a word before a lower version than 2 is guessed */
};

static uint64_t random_next(struct ww_rtr_client *c) { /* splitmix64 */
  uint64_t z = (c->random += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

uint32_t ww_rtr_retry_interval(const struct ww_rtr_client *c) {
  return c->resume.retry ? c->resume.retry : RETRY_DEFAULT;
}

/* Grows by doubling from one second to the Retry Interval, give or take a quarter.
 * CHOICE: RFC 8210 §6 has a router not retry a failed query sooner than the Retry Interval, whose default is ten
 * minutes. A restarted cache is back in seconds, so the first attempts come sooner, and only a cache that goes on
 * failing is left alone for that long. */
ww_mono_ms ww_rtr_backoff(struct ww_rtr_client *c, unsigned failures) {
  uint64_t most = (uint64_t)ww_rtr_retry_interval(c) * 1000, wait = BACKOFF_FIRST_MS;
  while (--failures && wait < most)
    wait *= 2;
  if (wait > most)
    wait = most;
  return wait - wait / 4 + random_next(c) % (wait / 2 + 1);
}

static uint32_t clamp_timer(struct ww_rtr_client *c, const char *name, uint32_t value, uint32_t min, uint32_t max) {
  uint32_t clamped = value < min ? min : value > max ? max : value;
  if (clamped != value)
    ww_rtr_note(c, WW_LOG_WARNING, "%s Interval of %u s is outside %u..%u: %u s is used", name, value, min, max,
                clamped);
  return clamped;
}

/* CHOICE: RFC 8210 §6 gives ranges and says nothing of values outside them; they are moved to the nearest bound, for
 * data with odd timers is better than none. */
void ww_rtr_timers_take(struct ww_rtr_client *c, const struct ww_rtr_pdu *eod, struct ww_rtr_resume *point) {
  /* RFC 6810 §6, §8: version 0 has no timers; poll hourly, keep data for two polling periods. */
  point->refresh = REFRESH_DEFAULT;
  point->retry = RETRY_DEFAULT;
  point->expire = WW_RTR_EXPIRE_DEFAULT;
  if (!eod->u.eod.timers)
    return;
  point->refresh = clamp_timer(c, "Refresh", eod->u.eod.refresh, 1, REFRESH_MAX);
  point->retry = clamp_timer(c, "Retry", eod->u.eod.retry, 1, RETRY_MAX);
  point->expire = clamp_timer(c, "Expire", eod->u.eod.expire, EXPIRE_MIN, EXPIRE_MAX);
  /* RFC 8210 §6: Expire MUST be larger than both. Where it is not, the data must still be asked for before it goes. */
  if (point->refresh >= point->expire || point->retry >= point->expire) {
    uint32_t half = point->expire / 2;
    if (point->refresh > half)
      point->refresh = half;
    if (point->retry > half)
      point->retry = half;
    ww_rtr_note(c, WW_LOG_WARNING,
                "Expire Interval of %u s is not larger than Refresh and Retry: those are cut to %u s", point->expire,
                half);
  }
}

bool ww_rtr_version_allowed(const struct ww_rtr_client *c, uint8_t version) {
  return version >= c->config.min_version && version <= c->config.max_version;
}

void ww_rtr_use_version(struct ww_rtr_client *c, uint8_t version, struct ww_now now) {
  ww_rtr_note(c, WW_LOG_NOTICE, "going to version %u", version);
  /* RFC 8210 §6: a version mismatch overrides the Retry Interval. Not for one that was given up already: two that
   * cannot agree are to back off. */
  c->tried |= (uint8_t)(1u << c->version);
  c->reconnect_now = !(c->tried & 1u << version);
  c->version = version;
  c->version_at = now.mono;
  c->version_guessed = false;
  c->silent = 0;
}

void ww_rtr_settle_version(struct ww_rtr_client *c, struct ww_now now) {
  c->negotiated = true;
  c->spoken |= (uint8_t)(1u << c->version);
  if (c->version_guessed)
    c->version_at = now.mono;
  c->version_guessed = false;
  c->silent = 0;
}

void ww_rtr_hold_off(struct ww_rtr_client *c) { c->hold_off = (ww_mono_ms)ww_rtr_retry_interval(c) * 1000; }

/* RFC 8210 §7: a cache of version 0 may just close; then the router MAY retry with version 0. It is a guess: not made
 * of a cache that has ever answered in this version, and taken back if no lower version fares better. CHOICE: no text
 * lets a cache refuse version 2 by closing, but some close so fast after their Error Report that it is lost. There it
 * takes two, for a wrong guess costs the ASPAs. */
static void guess_version(struct ww_rtr_client *c, struct ww_now now) {
  c->silent++;
  if (c->version == WW_RTR_V2 && c->silent < SILENT_V2)
    return;
  if (c->version > c->config.min_version) {
    ww_rtr_use_version(c, c->version - 1, now);
    c->version_guessed = true;
  } else if (c->version_guessed) {
    c->tried |= (uint8_t)(1u << c->version);
    c->version = c->config.max_version;
    c->version_guessed = false;
    c->silent = 0;
  }
}

/* Whatever ended the connection, this is the way back to IDLE. */
static void gone(struct ww_rtr_client *c, struct ww_now now) {
  ww_rtr_collect_clear(&c->collect);
  ww_buf_clear(&c->partial);
  ww_buf_clear(&c->output);
  if (c->synced && now.mono - c->synced_at >= STABLE_MS)
    c->failures = 0;
  c->phase = PHASE_IDLE;
  c->negotiated = c->synced = false;
  if (c->reconnect_now) {
    c->reconnect_now = false;
    c->connect_at = now.mono;
    return;
  }
  if (c->hold_off) {
    c->connect_at = now.mono + c->hold_off;
    c->hold_off = 0;
    c->failures = FAILURES_MAX;
    return;
  }
  if (c->failures < FAILURES_MAX)
    c->failures++;
  c->connect_at = now.mono + ww_rtr_backoff(c, c->failures);
}

enum ww_rtr_action ww_rtr_client_connect_failed(struct ww_rtr_client *c, const char *why, struct ww_now now) {
  if (c->phase != PHASE_CONNECTING)
    return ww_rtr_client_closed(c, now);
  c->errors++;
  ww_rtr_note(c, WW_LOG_WARNING, "cannot connect: %s", why);
  gone(c, now);
  return WW_RTR_STAY;
}

enum ww_rtr_action ww_rtr_client_closed(struct ww_rtr_client *c, struct ww_now now) {
  if (c->phase == PHASE_IDLE)
    return WW_RTR_STAY;
  if (c->phase == PHASE_CONNECTING) {
    c->errors++;
    ww_rtr_note(c, WW_LOG_WARNING, "cannot connect: closed");
  } else if (c->phase != PHASE_CLOSING) {
    bool unanswered = c->phase == PHASE_QUERIED;
    ww_rtr_note(c, WW_LOG_WARNING, "the cache closed the connection%s",
                c->phase == PHASE_RESPONSE ? " inside a response" : "");
    c->errors++;
    if (unanswered && !c->heard && !(c->spoken & 1u << c->version))
      guess_version(c, now);
    else
      ww_rtr_query_failed(c);
  }
  gone(c, now);
  return WW_RTR_STAY;
}

enum ww_rtr_action ww_rtr_client_lost(struct ww_rtr_client *c, const char *why, struct ww_now now) {
  if (c->phase == PHASE_IDLE || c->phase == PHASE_CONNECTING || c->phase == PHASE_CLOSING)
    return ww_rtr_client_closed(c, now);
  c->errors++;
  ww_rtr_note(c, WW_LOG_WARNING, "the connection was lost%s: %s",
              c->phase == PHASE_RESPONSE ? " inside a response" : "", why);
  ww_rtr_query_failed(c);
  gone(c, now);
  return WW_RTR_STAY;
}

static ww_mono_ms stall_at(const struct ww_rtr_client *c) {
  return c->progress_at + (ww_mono_ms)ww_rtr_retry_interval(c) * STALL_RETRIES * 1000;
}

enum ww_rtr_action ww_rtr_client_tick(struct ww_rtr_client *c, struct ww_now now) {
  if (c->has_data && !c->pending.active && now.mono >= c->expire_at && c->config.keep_expired) {
    c->expire_at = WW_MONO_NEVER; /* until the next End of Data sets it */
  } else if (c->has_data && !c->pending.active && now.mono >= c->expire_at) {
    /* RFC 8210 §6: "the client must no longer use it". */
    ww_rtr_flush(c, "the Expire Interval has passed");
    if ((c->phase == PHASE_QUERIED || c->phase == PHASE_RESPONSE) && !c->asked_reset) {
      c->errors++;
      return ww_rtr_drop(c); /* the delta under way builds on what has just gone */
    }
  }
  switch (c->phase) {
  case PHASE_IDLE:
    if (c->pending.active || now.mono < c->connect_at)
      break;
    if (c->version < c->config.max_version && now.mono - c->version_at >= VERSION_MEMORY_MS) {
      ww_rtr_note(c, WW_LOG_INFO, "trying version %u again", c->config.max_version);
      c->version = c->config.max_version;
      c->version_guessed = false;
      c->version_at = now.mono;
      c->silent = 0;
      c->spoken = 0;
    }
    c->phase = PHASE_CONNECTING;
    c->connect_until = now.mono + CONNECT_TIMEOUT_MS;
    c->connects++;
    return WW_RTR_CONNECT;
  case PHASE_CONNECTING:
    if (now.mono < c->connect_until)
      break;
    c->errors++;
    ww_rtr_note(c, WW_LOG_WARNING, "cannot connect: no answer in %d s", CONNECT_TIMEOUT_MS / 1000);
    return ww_rtr_drop(c);
  case PHASE_QUERIED:
  case PHASE_RESPONSE:
    if (now.mono < stall_at(c))
      break;
    /* draft-ietf-sidrops-8210bis-26 §9: three times the keepalive interval, which nobody defines. CHOICE: the Retry
     * Interval. Version 1 has no code for it. */
    if (c->negotiated && c->version >= WW_RTR_V2)
      return ww_rtr_refuse(c, WW_RTR_TRANSPORT_ERROR, NULL, 0, "no progress for %u s",
                           ww_rtr_retry_interval(c) * STALL_RETRIES);
    c->errors++;
    ww_rtr_note(c, WW_LOG_WARNING, "no progress for %u s", ww_rtr_retry_interval(c) * STALL_RETRIES);
    return ww_rtr_drop(c);
  case PHASE_WAIT:
    if (now.mono >= c->query_at)
      return ww_rtr_send_query(c, now);
    break;
  case PHASE_COMMIT:
  case PHASE_CLOSING:
    break;
  }
  return WW_RTR_STAY;
}

ww_mono_ms ww_rtr_client_deadline(const struct ww_rtr_client *c) {
  ww_mono_ms at = WW_MONO_NEVER;
  switch (c->phase) {
  case PHASE_IDLE:
    if (!c->pending.active)
      at = c->connect_at;
    break;
  case PHASE_CONNECTING:
    at = c->connect_until;
    break;
  case PHASE_QUERIED:
  case PHASE_RESPONSE:
    at = stall_at(c);
    break;
  case PHASE_WAIT:
    at = c->query_at;
    break;
  case PHASE_COMMIT:
  case PHASE_CLOSING:
    break;
  }
  if (c->has_data && !c->pending.active && c->expire_at < at)
    at = c->expire_at;
  return at;
}
