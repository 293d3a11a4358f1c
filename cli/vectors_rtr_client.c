/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vectors of suite `rtr` with the router under test: a cache as a script, and what the router sends, holds and refuses.
 *
 * `input.version` is the highest version that the router offers, `min_version` the lowest. The payloads of the test are
 * what it holds from the cache before, under `resume` {version, session, serial}; without `resume` it holds nothing.
 * The router is connected when the exchange begins, and again at each step "connect". The steps:
 *
 *   {"send": hex}            the router must send just that; time passes until it sends something
 *   {"receive": hex}         the cache sends that
 *   {"refuse": code}         the router must send an Error Report of this code, whatever its text and quotation, and
 * end the connection
 *   {"end": "cache"}         the cache ends the connection
 *   {"end": "router"}        the router must have ended it, and said nothing
 *   {"connect": true}        time passes until the router connects again
 *   {"wait": seconds}        so much time passes, in which the router neither sends nor ends anything
 *   {"holds": payloads}      what the router holds at this point
 *
 * Nothing may be sent that no step expects. `expect.error` is a `refuse` after the last step; `payloads`, `serial`,
 * `session` and `version` are what the router holds in the end, and the point where it would go on.
 *
 * Each test runs twice, with every `receive` in one piece and octet by octet: TCP gives no other promise.
 *
 * The owner of the machine is played as the daemon plays it: an update is applied at once and as a whole, and what was
 * withdrawn without being there is counted.
 */
#include "cli/vectors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sources/rtr_client.h"
#include "wire/rtr.h"

enum { START_MONO = 1000000, START_UNIX = 1700000000, PATIENCE_S = 200000, WAKES_MAX = 1000 };

struct play {
  struct ww_rtr_client *client;
  struct ww_now now;
  struct ww_payloads held;
  bool has_point; /* version, session and serial are those of what is held */
  uint8_t version;
  uint16_t session;
  uint32_t serial;
  bool connected, wants_connection;
  bool closing; /* the machine has said CLOSE and is not told yet that it is done: what it sent waits to be looked at */
  bool no_memory;
  bool single; /* octets come one at a time */
  char *message;
  size_t message_size;
};

/* ---- what the router holds ---- */

static bool same_key(const struct ww_router_key *a, const struct ww_router_key *b) {
  return ww_router_key_compare(a, b) == 0;
}

static bool has_vrp(const struct ww_payloads *set, const struct ww_vrp *vrp) {
  for (size_t i = 0; i < set->vrp_count; i++)
    if (ww_vrp_compare(&set->vrps[i], vrp) == 0)
      return true;
  return false;
}

static bool has_key(const struct ww_payloads *set, const struct ww_router_key *key) {
  for (size_t i = 0; i < set->key_count; i++)
    if (same_key(&set->keys[i], key))
      return true;
  return false;
}

static bool has_aspa(const struct ww_payloads *set, uint32_t customer) {
  for (size_t i = 0; i < set->aspa_count; i++)
    if (set->aspas[i].customer == customer)
      return true;
  return false;
}

/* Adds to `out` the records of `set` that are not in `but`. */
static enum ww_err add_all(struct ww_payloads *out, const struct ww_payloads *set, const struct ww_payloads *but) {
  enum ww_err err = WW_OK;
  for (size_t i = 0; err == WW_OK && i < set->vrp_count; i++)
    if (!but || !has_vrp(but, &set->vrps[i]))
      err = ww_payloads_add_vrp(out, &set->vrps[i]);
  for (size_t i = 0; err == WW_OK && i < set->key_count; i++)
    if (!but || !has_key(but, &set->keys[i]))
      err = ww_payloads_add_key(out, &set->keys[i]);
  for (size_t i = 0; err == WW_OK && i < set->aspa_count; i++)
    if (!but || !has_aspa(but, set->aspas[i].customer))
      err = ww_payloads_add_aspa(out, &set->aspas[i]);
  return err;
}

static size_t count_unknown(const struct ww_payloads *held, const struct ww_payloads *withdrawn) {
  size_t n = 0;
  for (size_t i = 0; i < withdrawn->vrp_count; i++)
    n += !has_vrp(held, &withdrawn->vrps[i]);
  for (size_t i = 0; i < withdrawn->key_count; i++)
    n += !has_key(held, &withdrawn->keys[i]);
  for (size_t i = 0; i < withdrawn->aspa_count; i++)
    n += !has_aspa(held, withdrawn->aspas[i].customer);
  return n;
}

static void on_update(void *ctx, struct ww_rtr_update *update) {
  struct play *p = ctx;
  const struct ww_payload_delta *delta = &update->delta;
  struct ww_payloads kept = {0}, next = {0};
  size_t unknown = 0;
  enum ww_err err = WW_OK;
  if (!update->full) {
    unknown = count_unknown(&p->held, &delta->withdraw);
    err = add_all(&kept, &p->held, &delta->withdraw);
    if (err == WW_OK)
      err = add_all(&next, &kept, &delta->announce);
  }
  if (err == WW_OK)
    err = add_all(&next, &delta->announce, NULL);
  if (err == WW_OK)
    err = ww_payloads_sort(&next);
  ww_payloads_fini(&kept);
  if (err == WW_OK) {
    ww_payloads_fini(&p->held);
    p->held = next;
    p->has_point = true;
    p->version = update->version;
    p->session = update->session;
    p->serial = update->serial;
  } else {
    ww_payloads_fini(&next);
    p->no_memory = true;
  }
  ww_payload_delta_fini(&update->delta);
  enum ww_rtr_action action = ww_rtr_client_committed(p->client, err == WW_OK, unknown, p->now);
  if (action == WW_RTR_CLOSE) {
    p->connected = false;
    p->closing = true;
  }
}

static void on_flush(void *ctx, const char *why) {
  struct play *p = ctx;
  (void)why;
  ww_payloads_fini(&p->held);
  p->held = (struct ww_payloads){0};
  p->has_point = false;
}

/* ---- the router's connection ---- */

static bool fails(struct play *p, size_t step, const char *fmt, ...) WW_PRINTF(3, 4);
static bool fails(struct play *p, size_t step, const char *fmt, ...) {
  int n = snprintf(p->message, p->message_size, "step %zu%s: ", step, p->single ? ", octet by octet" : "");
  va_list args;
  va_start(args, fmt);
  if (n > 0 && (size_t)n < p->message_size)
    (void)vsnprintf(p->message + n, p->message_size - (size_t)n, fmt, args);
  va_end(args);
  return false;
}

static void act(struct play *p, enum ww_rtr_action action) {
  if (action == WW_RTR_CLOSE) {
    p->connected = false;
    p->closing = true;
  } else if (action == WW_RTR_CONNECT) {
    p->wants_connection = true;
  }
}

static void close_now(struct play *p) {
  if (p->closing)
    act(p, ww_rtr_client_closed(p->client, p->now));
  p->closing = false;
}

/* Sleeps until the machine's next deadline; false when there is none before `until`. */
static bool wake(struct play *p, ww_mono_ms until) {
  ww_mono_ms deadline = ww_rtr_client_deadline(p->client);
  if (deadline > until)
    return false;
  if (deadline > p->now.mono) {
    p->now.unix_sec += (int64_t)((deadline - p->now.mono) / 1000);
    p->now.mono = deadline;
  }
  act(p, ww_rtr_client_tick(p->client, p->now));
  return true;
}

static void describe(const struct ww_buf *out, char *text, size_t size) {
  struct ww_rtr_pdu pdu;
  uint16_t code;
  if (!out->len)
    (void)snprintf(text, size, "nothing");
  else if (ww_rtr_decode(ww_buf_head(out), out->len, &pdu, &code, NULL) != WW_OK)
    (void)snprintf(text, size, "%zu octets", out->len);
  else if (pdu.type == WW_RTR_ERROR_REPORT)
    (void)snprintf(text, size, "Error Report %u of version %u: %.*s", pdu.u.error.code, pdu.version,
                   (int)(pdu.u.error.text_len < 100 ? pdu.u.error.text_len : 100),
                   pdu.u.error.text_len ? (const char *)pdu.u.error.text : "");
  else if (pdu.type == WW_RTR_SERIAL_QUERY)
    (void)snprintf(text, size, "Serial Query of version %u, session %u, serial %u", pdu.version, pdu.session,
                   pdu.u.serial.serial);
  else
    (void)snprintf(text, size, "%s of version %u", ww_rtr_type_name(pdu.type), pdu.version);
}

static bool step_silent(struct play *p, size_t step) {
  char text[200];
  const struct ww_buf *out = ww_rtr_client_output(p->client);
  if (!out->len)
    return true;
  describe(out, text, sizeof(text));
  return fails(p, step, "the router sends %s", text);
}

static bool step_connect(struct play *p, size_t step) {
  ww_mono_ms until = p->now.mono + (ww_mono_ms)PATIENCE_S * 1000;
  if (p->connected)
    return fails(p, step, "the router is connected still");
  if (!step_silent(p, step))
    return false;
  close_now(p);
  for (unsigned i = 0; !p->wants_connection; i++)
    if (i == WAKES_MAX || !wake(p, until))
      return fails(p, step, "the router does not connect");
  p->wants_connection = false;
  p->connected = true;
  act(p, ww_rtr_client_connected(p->client, p->now));
  return true;
}

static bool step_send(struct play *p, size_t step, const uint8_t *octets, size_t len) {
  struct ww_buf *out = ww_rtr_client_output(p->client);
  ww_mono_ms until = p->now.mono + (ww_mono_ms)PATIENCE_S * 1000;
  char text[200];
  for (unsigned i = 0; !out->len && p->connected && i < WAKES_MAX && wake(p, until); i++)
    ;
  if (out->len != len || memcmp(ww_buf_head(out), octets, len) != 0) {
    describe(out, text, sizeof(text));
    return fails(p, step, "the router sends %s", text);
  }
  ww_buf_consume(out, len);
  return true;
}

static bool step_receive(struct play *p, size_t step, const uint8_t *octets, size_t len) {
  if (!step_silent(p, step))
    return false;
  if (!p->connected)
    return fails(p, step, "the router has ended the connection");
  size_t piece = p->single ? 1 : len;
  for (size_t at = 0; at < len && p->connected; at += piece) {
    uint8_t *copy = malloc(piece);
    if (!copy) {
      p->no_memory = true;
      return false;
    }
    memcpy(copy, octets + at, piece);
    act(p, ww_rtr_client_input(p->client, copy, piece, p->now));
    free(copy);
  }
  return true;
}

static bool step_refuse(struct play *p, size_t step, json_int_t code) {
  struct ww_buf *out = ww_rtr_client_output(p->client);
  ww_mono_ms until = p->now.mono + (ww_mono_ms)PATIENCE_S * 1000;
  struct ww_rtr_pdu pdu;
  uint16_t wrong;
  char text[200];
  for (unsigned i = 0; !out->len && p->connected && i < WAKES_MAX && wake(p, until); i++)
    ;
  describe(out, text, sizeof(text));
  if (!out->len || ww_rtr_decode(ww_buf_head(out), out->len, &pdu, &wrong, NULL) != WW_OK || pdu.len != out->len ||
      pdu.type != WW_RTR_ERROR_REPORT || pdu.u.error.code != code)
    return fails(p, step, "expected Error Report %lld, the router sends %s", (long long)code, text);
  if (p->connected)
    return fails(p, step, "the router sends %s, and does not end the connection", text);
  close_now(p);
  return true;
}

static bool step_end(struct play *p, size_t step, bool by_cache) {
  if (!step_silent(p, step))
    return false;
  if (by_cache) {
    if (!p->connected)
      return fails(p, step, "the router has ended the connection before");
    p->connected = false;
    act(p, ww_rtr_client_closed(p->client, p->now));
    return true;
  }
  close_now(p);
  return !p->connected || fails(p, step, "the router does not end the connection");
}

static bool step_wait(struct play *p, size_t step, json_int_t seconds) {
  ww_mono_ms until = p->now.mono + (ww_mono_ms)seconds * 1000;
  bool was_connected = p->connected;
  if (!step_silent(p, step))
    return false;
  close_now(p);
  for (unsigned i = 0; i < WAKES_MAX && !p->wants_connection && wake(p, until); i++)
    if (!step_silent(p, step))
      return false;
  if (was_connected && !p->connected)
    return fails(p, step, "the router ends the connection");
  if (until > p->now.mono) {
    p->now.unix_sec += (int64_t)((until - p->now.mono) / 1000);
    p->now.mono = until;
  }
  return true;
}

static bool step_holds(struct play *p, size_t step, const struct ww_payloads *want) {
  char text[300] = "";
  ww_vector_compare(want, &p->held, text, sizeof(text));
  return !text[0] || fails(p, step, "the router holds other %s", text);
}

/* ---- the test as it is written ---- */

struct step {
  enum { SEND, RECEIVE, REFUSE, END_CACHE, END_ROUTER, CONNECT, WAIT, HOLDS } kind;
  uint8_t *octets;
  size_t len;
  json_int_t number;
  struct ww_payloads payloads;
};

struct script {
  struct ww_rtr_client_config config;
  struct ww_rtr_resume resume;
  struct step *steps;
  size_t count;
  struct ww_payloads payloads; /* expected */
  bool has_payloads, has_serial, has_session, has_version, has_error;
  json_int_t serial, session, version, error;
};

static void script_fini(struct script *s) {
  for (size_t i = 0; i < s->count; i++) {
    free(s->steps[i].octets);
    ww_payloads_fini(&s->steps[i].payloads);
  }
  free(s->steps);
  ww_payloads_fini(&s->payloads);
}

/* A whole number up to `max`; absent is fine unless required, and *found says which. */
static bool read_number(struct ww_vector_reader *r, json_t *object, const char *name, json_int_t max, bool required,
                        json_int_t *out, bool *found) {
  json_t *value = ww_vector_member(r, object, name, JSON_INTEGER, required);
  if (r->error[0])
    return false;
  if (found)
    *found = value != NULL;
  if (!value)
    return true;
  *out = json_integer_value(value);
  size_t mark = ww_vector_enter(r, name);
  if (*out < 0 || *out > max)
    return ww_vector_bad(r, "must be a number up to %lld", (long long)max);
  ww_vector_leave(r, mark);
  return true;
}

static bool read_end(struct ww_vector_reader *r, json_t *value, struct step *step) {
  const char *who = json_string_value(value);
  if (who && strcmp(who, "cache") == 0)
    step->kind = END_CACHE;
  else if (who && strcmp(who, "router") == 0)
    step->kind = END_ROUTER;
  else
    return ww_vector_bad(r, "must be cache or router");
  return true;
}

static bool read_step(struct ww_vector_reader *r, json_t *item, struct step *step) {
  static const char *const names[] = {"send", "receive", "refuse", "end", "connect", "wait", "holds", NULL};
  json_t *value = NULL;
  int which = -1;
  if (!ww_vector_members(r, item, names))
    return false;
  for (int i = 0; names[i]; i++) {
    json_t *found = json_object_get(item, names[i]);
    if (found && value)
      return ww_vector_bad(r, "is more than one step");
    if (found) {
      value = found;
      which = i;
    }
  }
  if (!value)
    return ww_vector_bad(r, "is no step");
  if (which == 2 || which == 5) {
    step->kind = which == 2 ? REFUSE : WAIT;
    return read_number(r, item, names[which], which == 2 ? UINT16_MAX : PATIENCE_S, true, &step->number, NULL);
  }
  size_t mark = ww_vector_enter(r, names[which]);
  bool ok = true;
  switch (which) {
  case 0:
  case 1:
    step->kind = which == 0 ? SEND : RECEIVE;
    ok = (step->octets = ww_vector_octets(r, value, &step->len)) != NULL;
    break;
  case 3:
    ok = read_end(r, value, step);
    break;
  case 4:
    step->kind = CONNECT;
    ok = json_is_true(value) || ww_vector_bad(r, "must be true");
    break;
  default:
    step->kind = HOLDS;
    ok = json_is_object(value) ? ww_vector_payloads(r, value, &step->payloads) : ww_vector_bad(r, "must be an object");
  }
  if (ok)
    ww_vector_leave(r, mark);
  return ok;
}

static bool read_resume(struct ww_vector_reader *r, json_t *resume, struct ww_rtr_resume *out) {
  static const char *const names[] = {"version", "session", "serial", NULL};
  json_int_t version = 0, session = 0, serial = 0;
  if (!ww_vector_members(r, resume, names) ||
      !read_number(r, resume, "version", WW_RTR_VERSION_MAX, true, &version, NULL) ||
      !read_number(r, resume, "session", UINT16_MAX, true, &session, NULL) ||
      !read_number(r, resume, "serial", UINT32_MAX, true, &serial, NULL))
    return false;
  *out = (struct ww_rtr_resume){.valid = true,
                                .version = (uint8_t)version,
                                .session = (uint16_t)session,
                                .serial = (uint32_t)serial,
                                .last_sync = START_UNIX};
  return true;
}

static bool read_input(struct ww_vector_reader *r, json_t *input, struct script *s) {
  static const char *const names[] = {"role", "version", "min_version", "resume", "exchange", NULL};
  json_int_t version = 0, min_version = 0;
  json_t *item;
  size_t i;
  if (!ww_vector_members(r, input, names) ||
      !read_number(r, input, "version", WW_RTR_VERSION_MAX, true, &version, NULL) ||
      !read_number(r, input, "min_version", version, false, &min_version, NULL))
    return false;
  s->config = (struct ww_rtr_client_config){
      .name = "vector", .max_version = (uint8_t)version, .min_version = (uint8_t)min_version};
  json_t *resume = ww_vector_member(r, input, "resume", JSON_OBJECT, false);
  json_t *exchange = ww_vector_member(r, input, "exchange", JSON_ARRAY, true);
  if (r->error[0])
    return false;
  if (resume) {
    size_t mark = ww_vector_enter(r, "resume");
    if (!read_resume(r, resume, &s->resume))
      return false;
    ww_vector_leave(r, mark);
  }
  size_t mark = ww_vector_enter(r, "exchange");
  s->steps = calloc(json_array_size(exchange) + 1, sizeof(*s->steps));
  if (!s->steps)
    return ww_vector_bad(r, "no memory");
  json_array_foreach(exchange, i, item) {
    size_t inner = ww_vector_enter_index(r, i);
    if (!read_step(r, item, &s->steps[s->count++]))
      return false;
    ww_vector_leave(r, inner);
  }
  ww_vector_leave(r, mark);
  return true;
}

static bool read_expect(struct ww_vector_reader *r, json_t *expect, struct script *s) {
  static const char *const names[] = {"payloads", "serial", "session", "version", "error", NULL};
  static const char *const of_error[] = {"code", NULL};
  if (!ww_vector_members(r, expect, names) ||
      !read_number(r, expect, "serial", UINT32_MAX, false, &s->serial, &s->has_serial) ||
      !read_number(r, expect, "session", UINT16_MAX, false, &s->session, &s->has_session) ||
      !read_number(r, expect, "version", WW_RTR_VERSION_MAX, false, &s->version, &s->has_version))
    return false;
  json_t *payloads = ww_vector_member(r, expect, "payloads", JSON_OBJECT, false);
  json_t *error = ww_vector_member(r, expect, "error", JSON_OBJECT, false);
  if (r->error[0])
    return false;
  s->has_payloads = payloads != NULL;
  s->has_error = error != NULL;
  if (!payloads && !error && !s->has_serial)
    return ww_vector_bad(r, "expects nothing");
  if (payloads) {
    size_t mark = ww_vector_enter(r, "payloads");
    if (!ww_vector_payloads(r, payloads, &s->payloads))
      return false;
    ww_vector_leave(r, mark);
  }
  if (error) {
    size_t mark = ww_vector_enter(r, "error");
    if (!ww_vector_members(r, error, of_error) || !read_number(r, error, "code", UINT16_MAX, true, &s->error, NULL))
      return false;
    ww_vector_leave(r, mark);
  }
  return true;
}

/* ---- the run ---- */

static bool play_step(struct play *p, size_t i, const struct step *step) {
  switch (step->kind) {
  case SEND:
    return step_send(p, i, step->octets, step->len);
  case RECEIVE:
    return step_receive(p, i, step->octets, step->len);
  case REFUSE:
    return step_refuse(p, i, step->number);
  case END_CACHE:
    return step_end(p, i, true);
  case END_ROUTER:
    return step_end(p, i, false);
  case CONNECT:
    return step_connect(p, i);
  case WAIT:
    return step_wait(p, i, step->number);
  case HOLDS:
    break;
  }
  return step_holds(p, i, &step->payloads);
}

static bool judge_point(struct play *p, const struct script *s) {
  if (!s->has_serial && !s->has_session && !s->has_version)
    return true;
  if (!p->has_point)
    return fails(p, s->count, "the router has no session to go on with");
  if (s->has_serial && p->serial != s->serial)
    return fails(p, s->count, "expected serial %lld, got %u", (long long)s->serial, p->serial);
  if (s->has_session && p->session != s->session)
    return fails(p, s->count, "expected session %lld, got %u", (long long)s->session, p->session);
  if (s->has_version && p->version != s->version)
    return fails(p, s->count, "expected version %lld, got %u", (long long)s->version, p->version);
  return true;
}

static void play(struct play *p, const struct script *s, const struct ww_payloads *before) {
  const struct ww_rtr_client_events events = {p, on_update, on_flush};
  p->now = (struct ww_now){.mono = START_MONO, .unix_sec = START_UNIX};
  if (s->resume.valid) {
    p->has_point = true;
    p->version = s->resume.version;
    p->session = s->resume.session;
    p->serial = s->resume.serial;
    p->no_memory = add_all(&p->held, before, NULL) != WW_OK || ww_payloads_sort(&p->held) != WW_OK;
  }
  p->client = ww_rtr_client_new(&s->config, s->resume.valid ? &s->resume : NULL, &events, NULL, p->now);
  if (!p->client)
    p->no_memory = true;
  bool ok = !p->no_memory && step_connect(p, 0);
  for (size_t i = 0; ok && i < s->count; i++)
    ok = play_step(p, i, &s->steps[i]) && !p->no_memory;
  if (ok)
    ok = s->has_error ? step_refuse(p, s->count, s->error) : step_silent(p, s->count);
  if (ok && judge_point(p, s) && s->has_payloads)
    (void)step_holds(p, s->count, &s->payloads);
  ww_rtr_client_free(p->client);
  ww_payloads_fini(&p->held);
}

bool ww_vector_rtr_client(struct ww_vector_reader *r, struct ww_vector_test *test) {
  struct script script = {0};
  bool ok = false;
  size_t mark = ww_vector_enter(r, "input");
  if (!read_input(r, test->input, &script))
    goto out;
  ww_vector_leave(r, mark);
  mark = ww_vector_enter(r, "expect");
  if (!read_expect(r, test->expect, &script))
    goto out;
  ww_vector_leave(r, mark);
  for (int single = 0; single < 2 && !test->message[0]; single++) {
    struct play p = {.single = single, .message = test->message, .message_size = sizeof(test->message)};
    play(&p, &script, test->payloads);
    if (p.no_memory) {
      (void)ww_vector_bad(r, "no memory");
      goto out;
    }
  }
  ok = true;
out:
  script_fini(&script);
  return ok;
}
