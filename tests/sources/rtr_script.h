/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the RTR client share: a cache as a script of octets, and an owner that plays connection, clock and
 * store for the machine. One owner at a time, in a static.
 */
#ifndef WW_TESTS_RTR_SCRIPT_H
#define WW_TESTS_RTR_SCRIPT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sources/rtr_client.h"

struct script {
  uint8_t octets[4096];
  size_t len;
};

void put(struct script *s, uint32_t value, unsigned width);
void put_header(struct script *s, uint32_t version, uint32_t type, uint32_t session, uint32_t len);
void put_notify(struct script *s, uint32_t version, uint32_t session, uint32_t serial);
void put_response(struct script *s, uint32_t version, uint32_t session);
void put_cache_reset(struct script *s, uint32_t version);
void put_v4(struct script *s, uint32_t version, uint32_t announce, uint32_t addr, uint32_t len, uint32_t max,
            uint32_t asn);
void put_v6(struct script *s, uint32_t version, uint32_t announce, uint32_t high, uint32_t len, uint32_t max,
            uint32_t asn);
/* Of SKI octets `ski` five times over and an SPKI of four octets. */
void put_key(struct script *s, uint32_t version, uint32_t announce, uint32_t ski, uint32_t asn, uint32_t spki);
void put_aspa(struct script *s, uint32_t announce, uint32_t customer, size_t count, const uint32_t *providers);
/* Versions 1 and 2. */
void put_eod_timers(struct script *s, uint32_t version, uint32_t session, uint32_t serial, uint32_t refresh,
                    uint32_t retry, uint32_t expire);
/* With the default timers. */
void put_eod(struct script *s, uint32_t version, uint32_t session, uint32_t serial);
void put_error(struct script *s, uint32_t version, uint32_t code);

enum { SESSION = 0x1234, START_UNIX = 1700000000 };

struct owner {
  struct ww_rtr_client *client;
  struct ww_now now;
  struct ww_rtr_update update; /* the last one */
  unsigned updates, flushes, warnings;
  bool commit_at_once;
  char why[128], warning[256];
};

struct owner *start_with(const struct ww_rtr_client_config *config, const struct ww_rtr_resume *resume);
struct owner *start(uint8_t max_version);
void stop(struct owner *o);
struct ww_rtr_client_stats stats(struct owner *o);
void pass(struct owner *o, uint64_t ms);
/* And checks that the deadline then lies ahead. */
enum ww_rtr_action tick(struct owner *o);
/* Sleeps until the machine wants to be woken. */
enum ww_rtr_action wake(struct owner *o);
/* From a heap block of just that size. */
enum ww_rtr_action feed_octets(struct owner *o, const uint8_t *octets, size_t len);
/* And empties the script. */
enum ww_rtr_action feed(struct owner *o, struct script *s);

void expect_silence(struct owner *o);
void expect_reset_query(struct owner *o, uint8_t version);
void expect_serial_query(struct owner *o, uint8_t version, uint16_t session, uint32_t serial);
/* One Error Report whose inner lengths add up; quotes `pdu_len` octets starting with those of `pdu`. */
void expect_error(struct owner *o, uint8_t version, uint16_t code, const uint8_t *pdu, size_t pdu_len);
void connect_now(struct owner *o);
void close_now(struct owner *o);

/* Connected in that version, two records, serial 5. */
struct owner *synced(uint8_t version);
/* A synchronised session that has just asked for what is new since serial 5. */
struct owner *asking(uint8_t version);
/* The session was dropped for `code`, and is deaf until it is closed, which is done. */
void expect_refusal(struct owner *o, enum ww_rtr_action action, uint8_t version, uint16_t code, const uint8_t *pdu,
                    size_t pdu_len);

#endif
