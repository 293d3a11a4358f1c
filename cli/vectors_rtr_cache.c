/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vectors of suite `rtr` with the cache under test: routers as a script, and what the cache sends them.
 *
 * The payloads of the test are what the cache serves at the beginning, from a source called "main", under `serial` and
 * `sessions`, one for each version; with `ready` false it has nothing yet. Steps speak of router "1" unless `router`
 * says otherwise; a router is connected by its first step. The steps:
 *
 *   {"receive": hex}         the router sends that
 *   {"send": hex}            the cache must send it just that
 *   {"report": code}         the cache must send it an Error Report of this code, whatever its text and quotation
 *   {"refuse": code}         likewise, and end the connection
 *   {"end": "cache"}         the cache must have ended the connection, and said nothing
 *   {"end": "router"}        the router ends it
 *   {"wait": seconds}        so much time passes; before it everything that was sent must have been expected
 *   {"publish": {...}}       `announce` and `withdraw` of `source`, "main" unless it says otherwise: one serial
 *   {"restart": {...}}       the cache comes back with the same data, and other `sessions` and `serial`; connections
 * end
 *   {"stop": word}           the cache stops, to come back ("restart") or for good ("shutdown")
 *   {"holds": payloads}      what a router holds that has taken everything sent so far
 *
 * Nothing may be sent that no step expects: it shows at the next step of that router, or at the end.
 *
 * Each test runs twice, with every `receive` in one piece and octet by octet.
 */
#include "cli/vectors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "sources/rtr_server.h"

enum { START_MONO = 1000000, ROUTERS_MAX = 8, SOURCES_MAX = 8, WAIT_MAX = 200000, NAME_MAX_LEN = 15 };

enum kind { RECEIVE, SEND, REPORT, REFUSE, END, WAIT, PUBLISH, RESTART, STOP, HOLDS };
static const char *const step_names[] = {"receive", "send",    "report", "refuse", "end",    "wait",
                                         "publish", "restart", "stop",   "holds",  "router", NULL};

struct step {
  enum kind kind;
  char router[NAME_MAX_LEN + 1], source[NAME_MAX_LEN + 1];
  uint8_t *octets;
  size_t len;
  json_int_t number; /* or, of END and STOP: 0 cache or restart, 1 router or shutdown */
  struct ww_payloads payloads, withdraw;
  uint16_t sessions[WW_RTR_VERSIONS];
};

struct script {
  struct ww_rtr_service service;
  uint16_t sessions[WW_RTR_VERSIONS];
  json_int_t serial, expected_serial;
  bool ready, has_serial, has_payloads;
  struct step *steps;
  size_t count;
  struct ww_payloads payloads;
};

static void script_fini(struct script *s) {
  for (size_t i = 0; i < s->count; i++) {
    free(s->steps[i].octets);
    ww_payloads_fini(&s->steps[i].payloads);
    ww_payloads_fini(&s->steps[i].withdraw);
  }
  free(s->steps);
  ww_payloads_fini(&s->payloads);
}

/* ---- playing ---- */

struct router {
  char name[NAME_MAX_LEN + 1];
  struct ww_rtr_session *session;
  struct ww_buf out;    /* sent to it, and not looked at yet */
  struct ww_buf stream; /* looked at, and not a whole PDU yet */
  bool ended;           /* by the cache */
  /* what it makes of it */
  struct ww_payloads held, in, gone;
  bool whole; /* the answer under way is to a Reset Query */
};

struct play {
  const struct script *script;
  struct ww_rtr_server *server;
  struct ww_snapshot *snapshot;
  struct ww_now now;
  struct router routers[ROUTERS_MAX];
  size_t router_count;
  char sources[SOURCES_MAX][NAME_MAX_LEN + 1];
  size_t source_count;
  bool single, no_memory;
  char *message;
  size_t message_size;
};

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

static bool no_memory(struct play *p) {
  p->no_memory = true;
  return false;
}

static struct router *router_of(struct play *p, const char *name) {
  for (size_t i = 0; i < p->router_count; i++)
    if (strcmp(p->routers[i].name, name) == 0)
      return &p->routers[i];
  if (p->router_count == ROUTERS_MAX)
    return NULL;
  struct router *r = &p->routers[p->router_count++];
  (void)snprintf(r->name, sizeof r->name, "%s", name);
  return r;
}

/* Takes whatever the cache has to say to anybody. */
static bool drain(struct play *p) {
  for (bool again = true; again;) {
    struct ww_rtr_build *build;
    again = false;
    while ((build = ww_rtr_server_build(p->server)) != NULL) {
      ww_rtr_build_run(build);
      ww_rtr_server_built(p->server, build, p->now);
    }
    for (size_t i = 0; i < p->router_count; i++) {
      struct router *r = &p->routers[i];
      const uint8_t *data;
      size_t len;
      while (r->session && (data = ww_rtr_session_output(r->session, &len)) != NULL) {
        if (ww_buf_append(&r->out, data, len) != WW_OK)
          return no_memory(p);
        ww_rtr_session_sent(r->session, len, p->now);
        again = true;
      }
      if (r->session && ww_rtr_session_fate(r->session) != WW_RTR_GOES_ON) {
        ww_rtr_session_free(r->session);
        r->session = NULL;
        r->ended = true;
      }
    }
  }
  return true;
}

static void router_clear(struct router *r) {
  ww_rtr_session_free(r->session);
  r->session = NULL;
  ww_buf_clear(&r->out);
  ww_buf_clear(&r->stream);
}

static bool connect_router(struct play *p, struct router *r) {
  if (r->session || r->ended)
    return true;
  r->session = ww_rtr_session_new(p->server, &p->script->service, r->name, p->now);
  return r->session || no_memory(p);
}

static bool start(struct play *p, const uint16_t *sessions, uint32_t serial) {
  for (size_t i = 0; i < p->router_count; i++) {
    router_clear(&p->routers[i]);
    p->routers[i].ended = false;
  }
  ww_rtr_server_free(p->server);
  p->server = ww_rtr_server_new(sessions, serial, NULL);
  if (!p->server)
    return no_memory(p);
  if (p->snapshot)
    ww_rtr_server_publish(p->server, p->snapshot, NULL, p->now);
  return true;
}

static enum ww_err add_bare(struct ww_payloads *out, const struct ww_payloads *set) {
  enum ww_err err = WW_OK;
  for (size_t i = 0; err == WW_OK && i < set->vrp_count; i++)
    err = ww_payloads_add_vrp(out, &set->vrps[i]);
  for (size_t i = 0; err == WW_OK && i < set->key_count; i++)
    err = ww_payloads_add_key(out, &set->keys[i]);
  for (size_t i = 0; err == WW_OK && i < set->aspa_count; i++) {
    struct ww_aspa bare = {.customer = set->aspas[i].customer};
    err = ww_payloads_add_aspa(out, &bare);
  }
  return err;
}

static enum ww_err add_all(struct ww_payloads *out, const struct ww_payloads *set) {
  enum ww_err err = ww_payloads_add_set(out, set);
  return err == WW_OK ? ww_payloads_sort(out) : err;
}

static bool publish(struct play *p, const char *source, const struct ww_payloads *announce,
                    const struct ww_payloads *withdraw) {
  size_t id = 0;
  while (id < p->source_count && strcmp(p->sources[id], source) != 0)
    id++;
  if (id == SOURCES_MAX)
    return no_memory(p);
  if (id == p->source_count)
    (void)snprintf(p->sources[p->source_count++], sizeof p->sources[0], "%s", source);
  struct ww_payload_delta delta = {.source = (ww_source_id)(id + 1)};
  struct ww_snapshot *base = p->snapshot ? ww_snapshot_ref(p->snapshot) : ww_snapshot_new(), *next = NULL;
  struct ww_effective_delta change = {{0}, {0}, {0}};
  bool ok = base && add_all(&delta.announce, announce) == WW_OK && add_bare(&delta.withdraw, withdraw) == WW_OK &&
            ww_payloads_sort(&delta.withdraw) == WW_OK && ww_snapshot_apply(base, &delta, 1, true, &next) == WW_OK &&
            ww_effective_delta(base, next, &delta, 1, &change) == WW_OK;
  if (ok) {
    ww_rtr_server_publish(p->server, next, p->snapshot ? &change : NULL, p->now);
    ww_snapshot_unref(p->snapshot);
    p->snapshot = next;
  } else {
    ww_snapshot_unref(next);
    p->no_memory = true;
  }
  ww_effective_delta_fini(&change);
  ww_payload_delta_fini(&delta);
  ww_snapshot_unref(base);
  return ok;
}

/* ---- the router, who takes everything at End of Data ---- */

static bool is_gone(const struct router *r, const struct ww_vrp *vrp) {
  for (size_t i = 0; i < r->gone.vrp_count; i++)
    if (ww_vrp_compare(&r->gone.vrps[i], vrp) == 0)
      return true;
  return false;
}

static bool key_is_gone(const struct router *r, const struct ww_router_key *key) {
  for (size_t i = 0; i < r->gone.key_count; i++)
    if (ww_router_key_compare(&r->gone.keys[i], key) == 0)
      return true;
  return false;
}

static bool has_customer(const struct ww_payloads *set, uint32_t customer) {
  for (size_t i = 0; i < set->aspa_count; i++)
    if (set->aspas[i].customer == customer)
      return true;
  return false;
}

static enum ww_err end_of_data(struct router *r) {
  struct ww_payloads next = {0};
  enum ww_err err = WW_OK;
  for (size_t i = 0; err == WW_OK && !r->whole && i < r->held.vrp_count; i++)
    if (!is_gone(r, &r->held.vrps[i]))
      err = ww_payloads_add_vrp(&next, &r->held.vrps[i]);
  for (size_t i = 0; err == WW_OK && !r->whole && i < r->held.key_count; i++)
    if (!key_is_gone(r, &r->held.keys[i]))
      err = ww_payloads_add_key(&next, &r->held.keys[i]);
  for (size_t i = 0; err == WW_OK && !r->whole && i < r->held.aspa_count; i++)
    if (!has_customer(&r->gone, r->held.aspas[i].customer) && !has_customer(&r->in, r->held.aspas[i].customer))
      err = ww_payloads_add_aspa(&next, &r->held.aspas[i]);
  if (err == WW_OK)
    err = add_all(&next, &r->in);
  ww_payloads_fini(&r->held);
  ww_payloads_fini(&r->in);
  ww_payloads_fini(&r->gone);
  r->held = next;
  r->in = r->gone = (struct ww_payloads){0};
  return err;
}

static enum ww_err take_pdu(struct router *r, const struct ww_rtr_pdu *pdu) {
  if (pdu->type == WW_RTR_IPV4_PREFIX || pdu->type == WW_RTR_IPV6_PREFIX)
    return ww_payloads_add_vrp(pdu->u.prefix.announce ? &r->in : &r->gone, &pdu->u.prefix.vrp);
  if (pdu->type == WW_RTR_ROUTER_KEY)
    return ww_payloads_add_key(pdu->u.key.announce ? &r->in : &r->gone, &pdu->u.key.key);
  if (pdu->type == WW_RTR_END_OF_DATA)
    return end_of_data(r);
  if (pdu->type != WW_RTR_ASPA)
    return WW_OK;
  const struct ww_rtr_aspa *from = &pdu->u.aspa;
  uint32_t *asns = malloc((from->provider_count + 1) * sizeof *asns);
  if (!asns)
    return WW_ERR_NOMEM;
  struct ww_reader list = ww_reader_make(from->providers, (size_t)from->provider_count * sizeof *asns);
  for (uint32_t i = 0; i < from->provider_count; i++)
    asns[i] = ww_reader_u32(&list);
  struct ww_aspa aspa = {.customer = from->customer, .provider_count = from->provider_count, .providers = asns};
  enum ww_err err = ww_payloads_add_aspa(from->announce ? &r->in : &r->gone, &aspa);
  free(asns);
  return err;
}

static bool take(struct play *p, struct router *r, const uint8_t *data, size_t len) {
  if (ww_buf_append(&r->stream, data, len) != WW_OK)
    return no_memory(p);
  struct ww_rtr_pdu pdu;
  uint16_t code;
  while (ww_rtr_decode(ww_buf_head(&r->stream), r->stream.len, &pdu, &code, NULL) == WW_OK) {
    enum ww_err err = take_pdu(r, &pdu);
    ww_buf_consume(&r->stream, pdu.len);
    if (err == WW_ERR_NOMEM)
      return no_memory(p);
  }
  return true;
}

/* ---- steps ---- */

static void describe(const struct ww_buf *out, char *text, size_t size) {
  size_t at = 0;
  text[0] = '\0';
  for (size_t i = 0; i < out->len && at + 3 < size; i++)
    at += (size_t)snprintf(text + at, size - at, "%02x", ww_buf_head(out)[i]);
  if (out->len == 0)
    (void)snprintf(text, size, "nothing");
}

static bool silent(struct play *p, size_t i, const struct router *r) {
  char text[120];
  if (r->out.len == 0)
    return true;
  describe(&r->out, text, sizeof text);
  return fails(p, i, "router %s was sent what no step expects: %s", r->name, text);
}

static bool step_receive(struct play *p, size_t i, struct router *r, const struct step *step) {
  if (!silent(p, i, r) || !connect_router(p, r))
    return false;
  if (!r->session)
    return fails(p, i, "the cache has ended the connection of router %s", r->name);
  if (step->len >= WW_RTR_HEADER_LEN)
    r->whole = step->octets[1] == WW_RTR_RESET_QUERY;
  for (size_t k = 0; p->single && k < step->len; k++)
    ww_rtr_session_input(r->session, step->octets + k, 1, p->now);
  if (!p->single)
    ww_rtr_session_input(r->session, step->octets, step->len, p->now);
  return true;
}

static bool step_send(struct play *p, size_t i, struct router *r, const struct step *step) {
  char text[200];
  size_t same = 0, most = r->out.len < step->len ? r->out.len : step->len;
  while (same < most && ww_buf_head(&r->out)[same] == step->octets[same])
    same++;
  if (same < step->len) {
    ww_buf_consume(&r->out, same);
    describe(&r->out, text, sizeof text);
    return fails(p, i, "expected other octets from %zu on, got %s", same, text);
  }
  if (!take(p, r, step->octets, step->len))
    return false;
  ww_buf_consume(&r->out, step->len);
  return true;
}

static bool step_error(struct play *p, size_t i, struct router *r, const struct step *step) {
  struct ww_rtr_pdu pdu;
  uint16_t code;
  char text[120];
  if (ww_rtr_decode(ww_buf_head(&r->out), r->out.len, &pdu, &code, NULL) != WW_OK || pdu.type != WW_RTR_ERROR_REPORT) {
    describe(&r->out, text, sizeof text);
    return fails(p, i, "expected an Error Report, got %s", text);
  }
  if (pdu.u.error.code != step->number)
    return fails(p, i, "expected code %lld, got %u (%s)", (long long)step->number, pdu.u.error.code,
                 ww_rtr_error_name(pdu.u.error.code));
  ww_buf_consume(&r->out, pdu.len);
  if (r->ended != (step->kind == REFUSE))
    return fails(p, i, r->ended ? "the connection has ended" : "the connection has not ended");
  r->ended = false;
  return silent(p, i, r);
}

static bool step_end(struct play *p, size_t i, struct router *r, const struct step *step) {
  if (!silent(p, i, r))
    return false;
  if (step->number == 1) {
    router_clear(r);
    r->ended = false;
    return true;
  }
  if (!r->ended)
    return fails(p, i, "the cache has not ended the connection");
  r->ended = false;
  return true;
}

static bool step_wait(struct play *p, size_t i, const struct step *step) {
  for (size_t k = 0; k < p->router_count; k++)
    if (!silent(p, i, &p->routers[k]))
      return false;
  ww_mono_ms until = p->now.mono + (ww_mono_ms)step->number * 1000;
  for (;;) {
    ww_mono_ms next = until;
    for (size_t k = 0; k < p->router_count; k++)
      if (p->routers[k].session && ww_rtr_session_deadline(p->routers[k].session) < next)
        next = ww_rtr_session_deadline(p->routers[k].session);
    if (next > p->now.mono)
      p->now.mono = next;
    for (size_t k = 0; k < p->router_count; k++)
      if (p->routers[k].session)
        ww_rtr_session_tick(p->routers[k].session, p->now);
    if (!drain(p))
      return false;
    if (p->now.mono >= until)
      return true;
  }
}

static bool holds(struct play *p, size_t i, const struct router *r, const struct ww_payloads *want) {
  char text[300] = "";
  ww_vector_compare(want, &r->held, text, sizeof text);
  return !text[0] || fails(p, i, "router %s holds something else: %s", r->name, text);
}

static bool play_step(struct play *p, size_t i, const struct step *step) {
  struct router *r = router_of(p, step->router);
  if (!r)
    return fails(p, i, "more than %d routers", ROUTERS_MAX);
  switch (step->kind) {
  case RECEIVE:
    return step_receive(p, i, r, step) && drain(p);
  case SEND:
    return step_send(p, i, r, step);
  case REPORT:
  case REFUSE:
    return step_error(p, i, r, step);
  case END:
    return step_end(p, i, r, step);
  case WAIT:
    return step_wait(p, i, step);
  case PUBLISH:
    return publish(p, step->source, &step->payloads, &step->withdraw) && drain(p);
  case RESTART:
    return start(p, step->sessions, (uint32_t)step->number);
  case STOP:
    ww_rtr_server_stop(p->server, p->now);
    return drain(p);
  case HOLDS:
    break;
  }
  return holds(p, i, r, &step->payloads);
}

static void play(struct play *p, const struct ww_payloads *before) {
  const struct script *s = p->script;
  static const struct ww_payloads none;
  p->now.mono = START_MONO;
  bool ok = start(p, s->sessions, (uint32_t)s->serial) && (!s->ready || publish(p, "main", before, &none));
  for (size_t i = 0; ok && i < s->count; i++)
    ok = play_step(p, i, &s->steps[i]) && !p->no_memory;
  for (size_t k = 0; ok && k < p->router_count; k++)
    ok = silent(p, s->count, &p->routers[k]);
  uint32_t serial = ok ? ww_rtr_data_serial(ww_rtr_server_data(p->server)) : 0;
  if (ok && s->has_serial && serial != s->expected_serial)
    ok = fails(p, s->count, "expected serial %lld, got %u", (long long)s->expected_serial, serial);
  if (ok && s->has_payloads)
    (void)holds(p, s->count, router_of(p, "1"), &s->payloads);
  for (size_t k = 0; k < p->router_count; k++) {
    struct router *r = &p->routers[k];
    router_clear(r);
    ww_buf_fini(&r->out);
    ww_buf_fini(&r->stream);
    ww_payloads_fini(&r->held);
    ww_payloads_fini(&r->in);
    ww_payloads_fini(&r->gone);
  }
  ww_rtr_server_free(p->server);
  ww_snapshot_unref(p->snapshot);
}

/* ---- reading ---- */

/* A whole number up to `max`; absent leaves *out alone. */
static bool read_number(struct ww_vector_reader *r, json_t *object, const char *name, json_int_t max, json_int_t *out) {
  json_t *value = ww_vector_member(r, object, name, JSON_INTEGER, false);
  if (!value)
    return !r->error[0];
  *out = json_integer_value(value);
  size_t mark = ww_vector_enter(r, name);
  if (*out < 0 || *out > max)
    return ww_vector_bad(r, "must be a number up to %lld", (long long)max);
  ww_vector_leave(r, mark);
  return true;
}

static bool read_sessions(struct ww_vector_reader *r, json_t *object, uint16_t *sessions) {
  json_t *array = ww_vector_member(r, object, "sessions", JSON_ARRAY, false);
  if (!array)
    return !r->error[0];
  size_t mark = ww_vector_enter(r, "sessions");
  for (size_t v = 0; v < WW_RTR_VERSIONS; v++) {
    json_t *value = json_array_get(array, v);
    json_int_t id = json_integer_value(value);
    if (json_array_size(array) != WW_RTR_VERSIONS || !json_is_integer(value) || id < 0 || id > UINT16_MAX)
      return ww_vector_bad(r, "must be a session id for each version");
    sessions[v] = (uint16_t)id;
  }
  ww_vector_leave(r, mark);
  return true;
}

static bool read_name(struct ww_vector_reader *r, json_t *object, const char *member, const char *absent, char *out) {
  json_t *value = ww_vector_member(r, object, member, JSON_STRING, false);
  const char *name = value ? json_string_value(value) : absent;
  if (r->error[0])
    return false;
  if (strlen(name) > NAME_MAX_LEN)
    return ww_vector_bad(r, "%s: a name has at most %d octets", member, NAME_MAX_LEN);
  memset(out, 0, NAME_MAX_LEN + 1);
  memcpy(out, name, strlen(name));
  return true;
}

static bool read_word(struct ww_vector_reader *r, json_t *value, const char *zero, const char *one, json_int_t *out) {
  const char *word = json_string_value(value);
  *out = word && strcmp(word, one) == 0;
  return (word && (*out || strcmp(word, zero) == 0)) || ww_vector_bad(r, "must be %s or %s", zero, one);
}

static bool read_part(struct ww_vector_reader *r, json_t *object, const char *name, struct ww_payloads *out) {
  json_t *part = ww_vector_member(r, object, name, JSON_OBJECT, false);
  if (!part)
    return !r->error[0];
  size_t mark = ww_vector_enter(r, name);
  bool ok = ww_vector_payloads(r, part, out);
  if (ok)
    ww_vector_leave(r, mark);
  return ok;
}

static bool read_publish(struct ww_vector_reader *r, json_t *value, struct step *step) {
  static const char *const names[] = {"source", "announce", "withdraw", NULL};
  return ww_vector_members(r, value, names) && read_name(r, value, "source", "main", step->source) &&
         read_part(r, value, "announce", &step->payloads) && read_part(r, value, "withdraw", &step->withdraw);
}

static bool read_restart(struct ww_vector_reader *r, json_t *value, const struct script *s, struct step *step) {
  static const char *const names[] = {"sessions", "serial", NULL};
  memcpy(step->sessions, s->sessions, sizeof step->sessions);
  step->number = 1;
  return ww_vector_members(r, value, names) && read_sessions(r, value, step->sessions) &&
         read_number(r, value, "serial", UINT32_MAX, &step->number);
}

static bool read_step(struct ww_vector_reader *r, json_t *item, struct script *s, struct step *step) {
  int which = -1;
  if (!ww_vector_members(r, item, step_names) || !read_name(r, item, "router", "1", step->router))
    return false;
  for (int i = 0; i <= HOLDS; i++)
    if (json_object_get(item, step_names[i])) {
      if (which >= 0)
        return ww_vector_bad(r, "is more than one step");
      which = i;
    }
  if (which < 0)
    return ww_vector_bad(r, "is no step");
  step->kind = (enum kind)which;
  json_t *value = json_object_get(item, step_names[which]);
  if (step->kind == REPORT || step->kind == REFUSE)
    return read_number(r, item, step_names[which], UINT16_MAX, &step->number);
  if (step->kind == WAIT)
    return read_number(r, item, "wait", WAIT_MAX, &step->number);
  size_t mark = ww_vector_enter(r, step_names[which]);
  bool ok;
  switch (step->kind) {
  case RECEIVE:
  case SEND:
    ok = (step->octets = ww_vector_octets(r, value, &step->len)) != NULL;
    break;
  case END:
    ok = read_word(r, value, "cache", "router", &step->number);
    break;
  case STOP:
    ok = read_word(r, value, "restart", "shutdown", &step->number);
    if (step->number)
      s->service.farewell = WW_RTR_CACHE_SHUTDOWN;
    break;
  case PUBLISH:
    ok = read_publish(r, value, step);
    break;
  case RESTART:
    ok = read_restart(r, value, s, step);
    break;
  default:
    ok = ww_vector_payloads(r, value, &step->payloads);
  }
  if (ok)
    ww_vector_leave(r, mark);
  return ok;
}

static bool read_input(struct ww_vector_reader *r, json_t *input, struct script *s) {
  static const char *const names[] = {"role",        "sessions",    "serial", "ready",
                                      "min_version", "max_version", "steps",  NULL};
  static const uint16_t sessions[WW_RTR_VERSIONS] = {0x1000, 0x1001, 0x1002};
  json_int_t min = WW_RTR_V0, max = WW_RTR_VERSION_MAX;
  size_t i;
  json_t *item, *ready = json_object_get(input, "ready");
  s->serial = 1;
  memcpy(s->sessions, sessions, sizeof s->sessions);
  if (!ww_vector_members(r, input, names) || !read_sessions(r, input, s->sessions) ||
      !read_number(r, input, "serial", UINT32_MAX, &s->serial) ||
      !read_number(r, input, "max_version", WW_RTR_VERSION_MAX, &max) ||
      !read_number(r, input, "min_version", max, &min))
    return false;
  if (ready && !json_is_boolean(ready))
    return ww_vector_bad(r, "ready: must be true or false");
  s->ready = !json_is_false(ready);
  s->service = ww_rtr_service_default;
  s->service.min_version = (uint8_t)min;
  s->service.max_version = (uint8_t)max;
  json_t *steps = ww_vector_member(r, input, "steps", JSON_ARRAY, true);
  if (!steps)
    return false;
  size_t mark = ww_vector_enter(r, "steps");
  s->steps = calloc(json_array_size(steps) + 1, sizeof *s->steps);
  if (!s->steps)
    return ww_vector_bad(r, "no memory");
  json_array_foreach(steps, i, item) {
    size_t inner = ww_vector_enter_index(r, i);
    if (!read_step(r, item, s, &s->steps[s->count++]))
      return false;
    ww_vector_leave(r, inner);
  }
  ww_vector_leave(r, mark);
  return true;
}

static bool read_expect(struct ww_vector_reader *r, json_t *expect, struct script *s) {
  static const char *const names[] = {"payloads", "serial", NULL};
  s->expected_serial = -1;
  if (!ww_vector_members(r, expect, names) || !read_number(r, expect, "serial", UINT32_MAX, &s->expected_serial) ||
      !read_part(r, expect, "payloads", &s->payloads))
    return false;
  s->has_serial = s->expected_serial >= 0;
  s->has_payloads = json_object_get(expect, "payloads") != NULL;
  return s->has_serial || s->has_payloads || ww_vector_bad(r, "expects nothing");
}

bool ww_vector_rtr_cache(struct ww_vector_reader *r, struct ww_vector_test *test) {
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
    struct play p = {
        .script = &script, .single = single, .message = test->message, .message_size = sizeof test->message};
    play(&p, test->payloads);
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
