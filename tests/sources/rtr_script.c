/* SPDX-License-Identifier: BSD-2-Clause */
/* See rtr_script.h. */
#include "rtr_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void put(struct script *s, uint32_t value, unsigned width) {
  assert_true(s->len + width <= sizeof(s->octets));
  while (width--)
    s->octets[s->len++] = (uint8_t)(value >> (8 * width));
}

void put_header(struct script *s, uint32_t version, uint32_t type, uint32_t session, uint32_t len) {
  put(s, version, 1);
  put(s, type, 1);
  put(s, session, 2);
  put(s, len, 4);
}

void put_notify(struct script *s, uint32_t version, uint32_t session, uint32_t serial) {
  put_header(s, version, 0, session, 12);
  put(s, serial, 4);
}

void put_response(struct script *s, uint32_t version, uint32_t session) { put_header(s, version, 3, session, 8); }

void put_cache_reset(struct script *s, uint32_t version) { put_header(s, version, 8, 0, 8); }

void put_v4(struct script *s, uint32_t version, uint32_t announce, uint32_t addr, uint32_t len, uint32_t max,
            uint32_t asn) {
  put_header(s, version, 4, 0, 20);
  put(s, announce << 24 | len << 16 | max << 8, 4);
  put(s, addr, 4);
  put(s, asn, 4);
}

void put_v6(struct script *s, uint32_t version, uint32_t announce, uint32_t high, uint32_t len, uint32_t max,
            uint32_t asn) {
  put_header(s, version, 6, 0, 32);
  put(s, announce << 24 | len << 16 | max << 8, 4);
  put(s, high, 4);
  for (int i = 0; i < 3; i++)
    put(s, 0, 4);
  put(s, asn, 4);
}

void put_key(struct script *s, uint32_t version, uint32_t announce, uint32_t ski, uint32_t asn, uint32_t spki) {
  put_header(s, version, 9, announce << 8, 36);
  for (int i = 0; i < 5; i++)
    put(s, ski, 4);
  put(s, asn, 4);
  put(s, spki, 4);
}

void put_eod_timers(struct script *s, uint32_t version, uint32_t session, uint32_t serial, uint32_t refresh,
                    uint32_t retry, uint32_t expire) {
  put_header(s, version, 7, session, 24);
  put(s, serial, 4);
  put(s, refresh, 4);
  put(s, retry, 4);
  put(s, expire, 4);
}

void put_eod(struct script *s, uint32_t version, uint32_t session, uint32_t serial) {
  if (version) {
    put_eod_timers(s, version, session, serial, 3600, 600, 7200);
  } else {
    put_header(s, 0, 7, session, 12);
    put(s, serial, 4);
  }
}

void put_aspa(struct script *s, uint32_t announce, uint32_t customer, size_t count, const uint32_t *providers) {
  put_header(s, 2, 11, announce << 8, 12 + 4 * (uint32_t)count);
  put(s, customer, 4);
  for (size_t i = 0; i < count; i++)
    put(s, providers[i], 4);
}

void put_error(struct script *s, uint32_t version, uint32_t code) {
  put_header(s, version, 10, code, 16);
  put(s, 0, 4);
  put(s, 0, 4);
}

static void on_update(void *ctx, struct ww_rtr_update *update) {
  struct owner *o = ctx;
  ww_payload_delta_fini(&o->update.delta);
  o->update = *update;
  *update = (struct ww_rtr_update){0};
  o->updates++;
  if (o->commit_at_once)
    assert_int_equal(ww_rtr_client_committed(o->client, true, 0, o->now), WW_RTR_STAY);
}

static void on_flush(void *ctx, const char *why) {
  struct owner *o = ctx;
  o->flushes++;
  snprintf(o->why, sizeof(o->why), "%s", why);
}

static void on_log(void *ctx, enum ww_log_level level, const char *text) {
  struct owner *o = ctx;
  assert_null(strchr(text, '\n'));
  if (level <= WW_LOG_WARNING) {
    o->warnings++;
    snprintf(o->warning, sizeof(o->warning), "%s", text);
  }
}

static struct owner owner;
static struct ww_log sink;

struct owner *start_with(const struct ww_rtr_client_config *config, const struct ww_rtr_resume *resume) {
  owner = (struct owner){.now = {.mono = 1000000, .unix_sec = START_UNIX}, .commit_at_once = true};
  sink = (struct ww_log){.emit = on_log, .ctx = &owner, .level = WW_LOG_DEBUG};
  const struct ww_rtr_client_events events = {.ctx = &owner, .update = on_update, .flush = on_flush};
  owner.client = ww_rtr_client_new(config, resume, &events, &sink, owner.now);
  assert_non_null(owner.client);
  return &owner;
}

struct owner *start(uint8_t max_version) {
  struct ww_rtr_client_config config = {.name = "test", .max_version = max_version};
  return start_with(&config, NULL);
}

void stop(struct owner *o) {
  ww_rtr_client_free(o->client);
  ww_payload_delta_fini(&o->update.delta);
}

struct ww_rtr_client_stats stats(struct owner *o) {
  struct ww_rtr_client_stats s;
  ww_rtr_client_stats(o->client, &s);
  return s;
}

void pass(struct owner *o, uint64_t ms) {
  o->now.mono += ms;
  o->now.unix_sec += (int64_t)(ms / 1000);
}

enum ww_rtr_action tick(struct owner *o) {
  enum ww_rtr_action action = ww_rtr_client_tick(o->client, o->now);
  assert_true(ww_rtr_client_deadline(o->client) > o->now.mono);
  return action;
}

enum ww_rtr_action wake(struct owner *o) {
  ww_mono_ms deadline = ww_rtr_client_deadline(o->client);
  assert_true(deadline != WW_MONO_NEVER);
  if (deadline > o->now.mono)
    pass(o, deadline - o->now.mono);
  return tick(o);
}

enum ww_rtr_action feed_octets(struct owner *o, const uint8_t *octets, size_t len) {
  uint8_t *block = malloc(len ? len : 1);
  assert_non_null(block);
  memcpy(block, octets, len);
  enum ww_rtr_action action = ww_rtr_client_input(o->client, block, len, o->now);
  free(block);
  return action;
}

enum ww_rtr_action feed(struct owner *o, struct script *s) {
  enum ww_rtr_action action = feed_octets(o, s->octets, s->len);
  s->len = 0;
  return action;
}

void expect_silence(struct owner *o) { assert_int_equal(ww_rtr_client_output(o->client)->len, 0); }

void expect_reset_query(struct owner *o, uint8_t version) {
  const uint8_t want[] = {version, 2, 0, 0, 0, 0, 0, 8};
  struct ww_buf *out = ww_rtr_client_output(o->client);
  assert_int_equal(out->len, sizeof(want));
  assert_memory_equal(ww_buf_head(out), want, sizeof(want));
  ww_buf_consume(out, out->len);
}

void expect_serial_query(struct owner *o, uint8_t version, uint16_t session, uint32_t serial) {
  struct script want = {.len = 0};
  put_header(&want, version, 1, session, 12);
  put(&want, serial, 4);
  struct ww_buf *out = ww_rtr_client_output(o->client);
  assert_int_equal(out->len, want.len);
  assert_memory_equal(ww_buf_head(out), want.octets, want.len);
  ww_buf_consume(out, out->len);
}

void expect_error(struct owner *o, uint8_t version, uint16_t code, const uint8_t *pdu, size_t pdu_len) {
  struct ww_buf *out = ww_rtr_client_output(o->client);
  const uint8_t *p = ww_buf_head(out);
  assert_true(out->len >= 16 + pdu_len);
  assert_int_equal(p[0], version);
  assert_int_equal(p[1], 10);
  assert_int_equal(p[2] << 8 | p[3], code);
  assert_int_equal(p[4] << 24 | p[5] << 16 | p[6] << 8 | p[7], out->len);
  assert_int_equal(p[8] << 24 | p[9] << 16 | p[10] << 8 | p[11], pdu_len);
  if (pdu_len)
    assert_memory_equal(p + 12, pdu, pdu_len);
  p += 12 + pdu_len;
  assert_int_equal(p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3], out->len - 16 - pdu_len);
  ww_buf_consume(out, out->len);
}

void connect_now(struct owner *o) {
  assert_int_equal(wake(o), WW_RTR_CONNECT);
  assert_int_equal(ww_rtr_client_connected(o->client, o->now), WW_RTR_STAY);
}

void close_now(struct owner *o) { assert_int_equal(ww_rtr_client_closed(o->client, o->now), WW_RTR_STAY); }

struct owner *synced(uint8_t version) {
  struct owner *o = start(version);
  connect_now(o);
  expect_reset_query(o, version);
  struct script s = {.len = 0};
  put_response(&s, version, SESSION);
  put_v4(&s, version, 1, 0xc0000200, 24, 24, 64500);
  put_v6(&s, version, 1, 0x20010db8, 32, 48, 64501);
  put_eod(&s, version, SESSION, 5);
  assert_int_equal(feed(o, &s), WW_RTR_STAY);
  expect_silence(o);
  assert_int_equal(o->updates, 1);
  assert_int_equal(stats(o).status, WW_RTR_ESTABLISHED);
  return o;
}

struct owner *asking(uint8_t version) {
  struct owner *o = synced(version);
  assert_int_equal(wake(o), WW_RTR_STAY);
  expect_serial_query(o, version, SESSION, 5);
  return o;
}

void expect_refusal(struct owner *o, enum ww_rtr_action action, uint8_t version, uint16_t code, const uint8_t *pdu,
                    size_t pdu_len) {
  assert_int_equal(action, WW_RTR_CLOSE);
  expect_error(o, version, code, pdu, pdu_len);
  struct script more = {.len = 0};
  put_response(&more, version, SESSION);
  assert_int_equal(feed(o, &more), WW_RTR_STAY); /* deaf until closed */
  expect_silence(o);
  close_now(o);
}
