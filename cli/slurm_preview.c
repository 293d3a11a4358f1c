/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a SLURM set would change of the verdicts on a running daemon's routes, without putting it in force.
 *
 * The daemon's store has what each source says, unfiltered, and the set in force. From both follows which records would
 * come or go; only routes that these cover, or whose path holds the customer of such an ASPA, can change. The daemon
 * lists those with their states, and they are judged here, as it would, by the records that the new set leaves.
 * Nothing is asked of the daemon but to list.
 *
 * BGPsec is left as it is: what assertions and filters of router keys would do is not worked out.
 *
 * Clauses: RFC 8416 §2, §4.2.
 */
#include "cli/slurm_preview.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/payload_input.h"
#include "cli/route_input.h"
#include "daemon/slurm_set.h"
#include <waywarden/snapshot.h>

enum { QUESTION_MAX = 60000 /* the daemon takes no longer one; then all routes are asked for */ };

struct preview {
  const struct ww_slurm *slurm;
  const char *control;
  struct ww_input input;
  struct ww_snapshot *after;
  json_t *under, *through; /* what would come or go: prefixes, customers */
  json_t *changes;
  size_t seen;
  struct ww_route_query query;
};

struct states {
  enum ww_state all, origin, aspa, bgpsec;
};

static json_t *ask(const struct preview *p, json_t *question) {
  char *text = json_dumps(question, JSON_COMPACT), *line = text ? malloc(strlen(text) + 2) : NULL;
  struct ww_buf answer;
  json_t *reply = NULL;
  json_error_t error;
  ww_buf_init(&answer, WW_ANSWER_MAX);
  if (line) {
    (void)sprintf(line, "%s\n", text);
    if (ww_cli_ask("slurm", p->control, line, &answer) == WW_EXIT_OK) {
      reply = json_loadb((const char *)ww_buf_head(&answer), answer.len, JSON_REJECT_DUPLICATES, &error);
      const char *refused = json_string_value(json_object_get(reply, "error"));
      if (!reply || refused) {
        (void)ww_cli_fail("slurm", "%s: %s", p->control, refused ? refused : error.text);
        json_decref(reply);
        reply = NULL;
      }
    }
  }
  ww_buf_fini(&answer);
  free(line);
  free(text);
  return reply;
}

/* --- what would come or go ---------------------------------------------------------------------------------------- */

static void note(struct preview *p, const struct ww_payloads *set) {
  char text[WW_PREFIX_STRLEN];
  for (size_t i = 0; i < set->vrp_count; i++)
    json_array_append_new(p->under, json_string(ww_prefix_format(&set->vrps[i].prefix, text)));
  for (size_t i = 0; i < set->aspa_count; i++)
    json_array_append_new(p->through, json_integer(set->aspas[i].customer));
}

static void note_delta(struct preview *p, struct ww_payload_delta *delta) {
  note(p, &delta->announce);
  note(p, &delta->withdraw);
  ww_payload_delta_fini(delta);
}

static enum ww_err compare_sets(struct preview *p) {
  const struct ww_slurm *before = p->input.slurm ? p->input.slurm->slurm : NULL;
  struct ww_payload_delta delta = {0};
  enum ww_err err = ww_slurm_change_assertions(before, p->slurm, &delta);
  if (err == WW_OK)
    note_delta(p, &delta);
  for (size_t i = 0; i < p->input.count && err == WW_OK; i++) {
    if (!p->input.sources[i].complete)
      continue;
    memset(&delta, 0, sizeof(delta));
    err = ww_slurm_change_source(before, p->slurm, &p->input.sources[i].set, &delta);
    if (err == WW_OK)
      note_delta(p, &delta);
  }
  return err;
}

/* Takes the records out of the input. */
static int build(struct preview *p) {
  struct ww_payloads in = {0}, out = {0};
  struct ww_snapshot *empty = ww_snapshot_new();
  enum ww_err err = empty ? compare_sets(p) : WW_ERR_NOMEM;
  int code = err == WW_OK ? ww_input_unite(&p->input, "slurm", &in) : ww_cli_fail("slurm", "%s", ww_err_name(err));
  if (code == WW_EXIT_OK) {
    err = ww_slurm_apply(p->slurm, &in, &out, NULL);
    struct ww_payload_delta all = {.source = 1, .announce = out};
    if (err == WW_OK)
      err = ww_snapshot_apply(empty, &all, p->input.epoch, true, &p->after);
    code = err == WW_OK ? WW_EXIT_OK : ww_cli_fail("slurm", "%s", ww_err_name(err));
  }
  ww_payloads_fini(&in);
  ww_payloads_fini(&out);
  ww_snapshot_unref(empty);
  return code;
}

/* --- routes ---------------------------------------------------------------------------------------------------------
 */

static enum ww_state state_of(json_t *route, const char *member) {
  static const enum ww_state states[] = {WW_STATE_VALID, WW_STATE_INVALID, WW_STATE_UNKNOWN, WW_STATE_NOT_READY};
  const char *text = json_string_value(json_object_get(route, member));
  for (unsigned i = 0; text && i < sizeof(states) / sizeof(states[0]); i++)
    if (strcmp(text, ww_state_name(states[i])) == 0)
      return states[i];
  return WW_STATE_NOT_EVALUATED;
}

static json_t *states_json(const struct states *s) {
  return json_pack("{s:s, s:s, s:s}", "state", ww_state_name(s->all), "origin_validation",
                   ww_origin_state_name(s->origin), "aspa", ww_state_name(s->aspa));
}

/* False: what the daemon says is no route. */
static bool judge(struct preview *p, json_t *route, const struct states *before, struct states *after) {
  const char *prefix = json_string_value(json_object_get(route, "prefix"));
  const char *path = json_string_value(json_object_get(route, "as_path"));
  const char *role = json_string_value(json_object_get(route, "role"));
  json_t *asn = json_object_get(route, "origin");
  struct ww_origin origin = {.asn = (uint32_t)json_integer_value(asn), .none = json_is_null(asn)};
  struct ww_route_defaults defaults = {
      .session = {.role = WW_ROLE_NONE,
                  .neighbor_as = (uint32_t)json_integer_value(json_object_get(route, "peer_as"))}};
  struct ww_prefix parsed;
  struct ww_diag diag = {0};
  enum ww_reason reason;
  if (!prefix || ww_prefix_parse(prefix, &parsed) != WW_OK || (role && !ww_role_parse(role, &defaults.session.role)))
    return false;
  *after = *before;
  after->origin = ww_origin_validate(p->after, &parsed, origin, &reason);
  if (role && path && path[0]) {
    if (ww_route_from_path(&p->query, &defaults, prefix, path, &diag) != WW_OK)
      return false;
    after->aspa = ww_aspa_verify(p->after, &p->query.aspa, &p->query.session, &reason);
  }
  after->all = ww_verdict_combine(after->origin, after->aspa, after->bgpsec);
  return true;
}

static bool look(struct preview *p, json_t *route) {
  struct states after, before = {.all = state_of(route, "state"),
                                 .origin = state_of(route, "origin_validation"),
                                 .aspa = state_of(route, "aspa"),
                                 .bgpsec = state_of(route, "bgpsec")};
  p->seen++;
  if (!judge(p, route, &before, &after))
    return false;
  if (before.all == after.all && before.origin == after.origin && before.aspa == after.aspa)
    return true;
  json_t *change =
      json_pack("{s:O, s:O, s:O, s:O, s:O, s:O, s:o, s:o}", "router", json_object_get(route, "router"), "peer",
                json_object_get(route, "peer"), "peer_as", json_object_get(route, "peer_as"), "view",
                json_object_get(route, "view"), "prefix", json_object_get(route, "prefix"), "as_path",
                json_object_get(route, "as_path"), "before", states_json(&before), "after", states_json(&after));
  return change && json_array_append_new(p->changes, change) == 0;
}

static const char *text_at(json_t *object, const char *a, const char *b) {
  const char *text = json_string_value(b ? json_object_get(json_object_get(object, a), b) : json_object_get(object, a));
  return text ? text : "?";
}

static int print(const struct preview *p, bool as_json) {
  size_t i;
  json_t *c;
  if (as_json) {
    json_t *o = json_pack("{s:I, s:I, s:O}", "epoch", (json_int_t)p->input.epoch, "routes_judged", (json_int_t)p->seen,
                          "changes", p->changes);
    int failed = json_dumpf(o, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(o);
    return failed ? ww_cli_fail("slurm", "standard output: write failed") : WW_EXIT_OK;
  }
  json_array_foreach(p->changes, i, c) {
    printf("%s AS_PATH %s, from %s AS%lld at %s, %s: %s -> %s", text_at(c, "prefix", NULL), text_at(c, "as_path", NULL),
           text_at(c, "peer", NULL), (long long)json_integer_value(json_object_get(c, "peer_as")),
           text_at(c, "router", NULL), text_at(c, "view", NULL), text_at(c, "before", "state"),
           text_at(c, "after", "state"));
    printf(" (origin %s -> %s, path %s -> %s)\n", text_at(c, "before", "origin_validation"),
           text_at(c, "after", "origin_validation"), text_at(c, "before", "aspa"), text_at(c, "after", "aspa"));
  }
  printf("%zu of %zu routes that could change would change\n", json_array_size(p->changes), p->seen);
  return WW_EXIT_OK;
}

static int look_at_routes(struct preview *p) {
  size_t i;
  json_t *route,
      *question = json_pack("{s:s, s:O, s:O}", "command", "routes", "under", p->under, "through", p->through);
  char *text = question ? json_dumps(question, JSON_COMPACT) : NULL;
  if (text && strlen(text) > QUESTION_MAX) {
    json_object_del(question, "under");
    json_object_del(question, "through");
  }
  free(text);
  json_t *reply = question ? ask(p, question) : NULL;
  json_decref(question);
  int code = reply ? WW_EXIT_OK : WW_EXIT_FAILED;
  if (reply && !json_is_true(json_object_get(reply, "ready"))) {
    (void)ww_cli_fail("slurm", "the daemon has no complete payload data yet: its routes have no verdicts");
    code = WW_EXIT_NOT_READY;
  } else if (reply && json_integer_value(json_object_get(reply, "epoch")) != (json_int_t)p->input.epoch) {
    code = ww_cli_fail("slurm", "the daemon's data changed meanwhile; ask again");
  } else if (json_is_true(json_object_get(reply, "truncated"))) {
    code = ww_cli_fail("slurm", "too many routes could change for the daemon to list them all");
  }
  if (code == WW_EXIT_OK)
    json_array_foreach(json_object_get(reply, "routes"), i, route) if (!look(p, route)) {
      code = ww_cli_fail("slurm", "%s: a route that is none, or no memory for it", p->control);
      break;
    }
  json_decref(reply);
  return code;
}

int ww_cli_slurm_preview(const struct ww_slurm *slurm, const char *control, bool as_json) {
  struct preview *p = calloc(1, sizeof(*p));
  int code = WW_EXIT_FAILED;
  json_t *status = NULL;
  if (!p || !(p->under = json_array()) || !(p->through = json_array()) || !(p->changes = json_array())) {
    (void)ww_cli_fail("slurm", "%s", ww_err_name(WW_ERR_NOMEM));
    goto out;
  }
  p->slurm = slurm;
  p->control = control;
  p->input.raw = p->input.options.ignore_expiry = true; /* what the store has is what the daemon holds */
  json_t *question = json_pack("{s:s}", "command", "status");
  status = ask(p, question);
  json_decref(question);
  const char *store = json_string_value(json_object_get(json_object_get(status, "store"), "path"));
  if (status && !store)
    (void)ww_cli_fail("slurm", "%s: that daemon does not say where its store is", control);
  if (!store)
    goto out;
  code = ww_input_add_store(&p->input, "slurm", store);
  if (code == WW_EXIT_OK)
    code = build(p);
  if (code == WW_EXIT_OK && json_array_size(p->under) + json_array_size(p->through) > 0)
    code = look_at_routes(p);
  if (code == WW_EXIT_OK)
    code = print(p, as_json);
out:
  json_decref(status);
  if (p) {
    json_decref(p->under);
    json_decref(p->through);
    json_decref(p->changes);
    ww_snapshot_unref(p->after);
    ww_input_fini(&p->input);
  }
  free(p);
  return code;
}
