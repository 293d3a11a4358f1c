/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `waywarden history` and `waywarden explain --at`: what each epoch changed, from a store, beside a running daemon or
 * without one. With --at the question is about one route: its verdict at that time and now, and every record that came
 * into force or went in between and that the verdict can rest on.
 */
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/payload_input.h"
#include "cli/route_input.h"
#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/lookback.h"
#include "sources/payload_file.h"
#include "validator/verdict_json.h"

enum { LIMIT_DEFAULT = 50 };

struct request {
  const struct ww_command *command; /* history, or explain with --at */
  const char *store, *at, *since, *path, *control;
  struct ww_aspa_session session; /* how a path is verified; role WW_ROLE_NONE: not */
  char **positional;
  int positional_count;
  bool json;
  unsigned long limit; /* 0: all */
  int64_t at_time, since_time;
  struct ww_source_record *records;
  size_t record_count;
  json_t *list;
  unsigned long printed;
};

static const char *cause_name(uint8_t cause) {
  switch ((enum ww_change_cause)cause) {
  case WW_CAUSE_UPDATE:
    return "update";
  case WW_CAUSE_EXPIRY:
    return "expiry";
  case WW_CAUSE_FLUSH:
    return "flush";
  case WW_CAUSE_FAILOVER:
    return "failover";
  case WW_CAUSE_SLURM:
    return "slurm";
  case WW_CAUSE_CONFIG:
    return "configuration";
  default:
    return "other";
  }
}

/* "-": none in particular, or one that is gone. */
static const char *source_name(const struct request *r, ww_source_id id) {
  for (size_t i = 0; id && i < r->record_count; i++)
    if (r->records[i].id == id)
      return r->records[i].name;
  return "-";
}

static size_t records_in(const struct ww_payloads *set) { return set->vrp_count + set->aspa_count + set->key_count; }

/* ---- the list of epochs ---- */

/* As `payloads hash` has them. */
static void put_hashes(json_t *o, const struct ww_store_change *c) {
  static const char *const names[] = {"roas_hash", "aspas_hash", "keys_hash"};
  for (int i = 0; i < 3; i++) {
    char text[WW_BASE64_SIZE(sizeof(c->hashes[i]))];
    (void)ww_base64_encode(c->hashes[i], sizeof(c->hashes[i]), text);
    json_object_set_new(o, names[i], json_string(text));
  }
}

static int list_entry(void *ctx, const struct ww_store_change *c) {
  struct request *r = ctx;
  char time[WW_TIME_STRLEN];
  size_t in = 0, out = 0;
  if (c->time < r->since_time || (r->limit && r->printed == r->limit))
    return 1;
  r->printed++;
  for (size_t i = 0; i < c->delta_count; i++) {
    in += records_in(&c->deltas[i].announce);
    out += records_in(&c->deltas[i].withdraw);
  }
  ww_time_format(c->time, time);
  if (!r->json) {
    printf("%8" PRIu32 "  %s  %-13s %-16s %9zu %9zu %9" PRIu64 " %9" PRIu64 " %7" PRIu64 " %7" PRIu64 "%s\n", c->epoch,
           time, cause_name(c->cause), source_name(r, c->source), in, out, c->counts.vrps_v4, c->counts.vrps_v6,
           c->counts.aspas, c->counts.router_keys, c->complete ? "" : "  (too large to keep the records)");
    return 0;
  }
  json_t *o = json_pack("{s:I, s:s, s:s, s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "epoch", (json_int_t)c->epoch,
                        "time", time, "cause", cause_name(c->cause), "source",
                        c->source ? source_name(r, c->source) : NULL, "in", (json_int_t)in, "out", (json_int_t)out,
                        "refreshed", (json_int_t)c->refreshed, "vrps_ipv4", (json_int_t)c->counts.vrps_v4, "vrps_ipv6",
                        (json_int_t)c->counts.vrps_v6, "aspas", (json_int_t)c->counts.aspas, "router_keys",
                        (json_int_t)c->counts.router_keys, "complete", (int)c->complete);
  if (c->has_hashes)
    put_hashes(o, c);
  json_array_append_new(r->list, o);
  return 0;
}

static int print_list(const struct request *r, json_t *value) {
  int failed = json_dumpf(value, stdout, JSON_INDENT(2));
  putchar('\n');
  json_decref(value);
  return failed ? ww_cli_fail(r->command->name, "standard output: write failed") : WW_EXIT_OK;
}

static int list(struct request *r, struct ww_store *store) {
  struct ww_diag diag = {0};
  if (r->json && !(r->list = json_array()))
    return ww_cli_fail(r->command->name, "out of memory");
  if (!r->json)
    printf("%8s  %-20s  %-13s %-16s %9s %9s %9s %9s %7s %7s\n", "EPOCH", "TIME", "CAUSE", "SOURCE", "IN", "OUT",
           "VRPS4", "VRPS6", "ASPAS", "KEYS");
  enum ww_err err = ww_store_history(store, UINT32_MAX, r, list_entry, &diag);
  if (err != WW_OK)
    return ww_cli_fail_diag(r->command->name, r->store, err, &diag);
  return r->json ? print_list(r, r->list) : WW_EXIT_OK;
}

/* ---- one route ---- */

/* At one time: the states and reasons, without the evidence, which is what the changes are for. */
struct verdict {
  uint32_t epoch;
  enum ww_state state, origin, aspa;
  enum ww_reason origin_reason, aspa_reason;
};

static struct verdict verdict_at(const struct ww_snapshot *snapshot, uint32_t epoch, const struct ww_route_query *q) {
  struct verdict v = {.epoch = epoch, .aspa = WW_STATE_NOT_EVALUATED};
  v.origin = ww_origin_validate(snapshot, &q->prefix, q->origin, &v.origin_reason);
  if (q->has_path && q->session.role != WW_ROLE_NONE)
    v.aspa = ww_aspa_verify(snapshot, &q->aspa, &q->session, &v.aspa_reason);
  v.state = ww_verdict_combine(v.origin, v.aspa, WW_STATE_NOT_EVALUATED);
  return v;
}

static const char *reason_or_null(enum ww_reason reason) { return reason ? ww_reason_name(reason) : NULL; }

static json_t *verdict_json(const struct verdict *v) {
  return json_pack("{s:I, s:s, s:{s:s, s:s?}, s:{s:s, s:s?}}", "epoch", (json_int_t)v->epoch, "state",
                   ww_state_name(v->state), "origin_validation", "state", ww_origin_state_name(v->origin), "reason",
                   reason_or_null(v->origin_reason), "aspa", "state", ww_state_name(v->aspa), "reason",
                   reason_or_null(v->aspa_reason));
}

static void print_kind(const char *what, const char *state, enum ww_reason reason) {
  printf("%s%s", what, state);
  if (reason)
    printf(" (%s)", ww_reason_name(reason));
}

static void print_verdict(const char *when, const struct verdict *v) {
  printf("%-22s epoch %-8" PRIu32 " ", when, v->epoch);
  if (v->aspa == WW_STATE_NOT_EVALUATED) {
    print_kind("", ww_origin_state_name(v->origin), v->origin_reason);
  } else {
    printf("%s", ww_state_name(v->state));
    print_kind(": origin ", ww_origin_state_name(v->origin), v->origin_reason);
    print_kind(", path ", ww_state_name(v->aspa), v->aspa_reason);
  }
  putchar('\n');
}

static void record_text(const struct ww_lookback_event *e, char *text, size_t size) {
  char prefix[WW_PREFIX_STRLEN];
  if (e->is_aspa)
    (void)snprintf(text, size, "ASPA AS%" PRIu32 " with %" PRIu32 " providers", e->customer, e->provider_count);
  else
    (void)snprintf(text, size, "%s-%u AS%" PRIu32, ww_prefix_format(&e->vrp.prefix, prefix), e->vrp.max_len,
                   e->vrp.asn);
}

static int show_route(const struct request *r, const struct ww_lookback *back, const struct ww_route_query *q,
                      uint32_t epoch) {
  const struct verdict then = verdict_at(back->then, back->epoch_then, q), now = verdict_at(back->now, epoch, q);
  char at[WW_TIME_STRLEN], text[160];
  ww_time_format(r->at_time, at);
  if (r->json) {
    json_t *changes = json_array(), *o = json_pack("{s:s}", "at", at);
    /* Before the first epoch nothing was known: not ready is not not-found. */
    json_object_set_new(o, "then", back->epoch_then ? verdict_json(&then) : json_null());
    json_object_set_new(o, "now", verdict_json(&now));
    for (size_t i = 0; i < back->event_count; i++) {
      const struct ww_lookback_event *e = &back->events[i];
      char time[WW_TIME_STRLEN];
      record_text(e, text, sizeof(text));
      json_array_append_new(changes,
                            json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s}", "epoch", (json_int_t)e->epoch, "time",
                                      ww_time_format(e->time, time), "cause", cause_name(e->cause), "source",
                                      source_name(r, e->source), "change", e->announced ? "announced" : "withdrawn",
                                      "kind", e->is_aspa ? "aspa" : "vrp", "record", text));
    }
    json_object_set_new(o, "changes", changes);
    return print_list(r, o);
  }
  if (back->epoch_then)
    print_verdict(at, &then);
  else
    printf("%-22s nothing had been learnt yet: no verdict\n", at);
  for (size_t i = back->event_count; i-- > 0;) {
    const struct ww_lookback_event *e = &back->events[i];
    char time[WW_TIME_STRLEN];
    record_text(e, text, sizeof(text));
    printf("  %-20s epoch %-8" PRIu32 " %s %s, source %s (%s)\n", ww_time_format(e->time, time), e->epoch,
           e->announced ? "+" : "-", text, source_name(r, e->source), cause_name(e->cause));
  }
  if (!back->event_count)
    puts("  nothing has changed since that this route can rest on");
  print_verdict("now", &now);
  return WW_EXIT_OK;
}

static int route_at(struct request *r, struct ww_store *store, struct ww_input *input) {
  static struct ww_route_query query;
  struct ww_lookback back = {0};
  struct ww_diag diag = {0};
  char **words = r->positional;
  const struct ww_route_defaults defaults = {.session = r->session};
  enum ww_err err = r->path ? ww_route_from_path(&query, &defaults, words[0], r->path, &diag)
                            : ww_route_from_asn(&query, &defaults, words[0], words[1], &diag);
  if (err != WW_OK) {
    (void)ww_cli_fail(r->command->name, "%s", diag.text);
    return WW_EXIT_USAGE;
  }
  if (!ww_input_complete(input)) {
    (void)ww_cli_fail(r->command->name, "no source has complete data: there is no verdict");
    return WW_EXIT_NOT_READY;
  }
  struct ww_lookback_route route = {.prefix = query.prefix};
  if (query.has_path && query.session.role != WW_ROLE_NONE) {
    route.customers = query.asns;
    route.customer_count = query.aspa.count;
  }
  for (size_t i = 0; i < input->count && err == WW_OK; i++)
    if (input->sources[i].complete)
      err = ww_lookback_add(&back, &route, input->sources[i].id, &input->sources[i].set);
  if (err == WW_OK)
    err = ww_lookback_run(&back, &route, store, input->epoch, r->at_time, &diag);
  int code;
  if (err == WW_OK) {
    code = show_route(r, &back, &query, input->epoch);
  } else if (err == WW_ERR_NOTFOUND) {
    char oldest[WW_TIME_STRLEN];
    (void)ww_cli_fail(r->command->name, "%s; it begins at %s", diag.text,
                      back.oldest ? ww_time_format(back.oldest, oldest) : "the present");
    code = WW_EXIT_NOT_READY;
  } else {
    code = ww_cli_fail_diag(r->command->name, r->store, err, &diag);
  }
  ww_lookback_fini(&back);
  return code;
}

/* ---- the command ---- */

static int answer(struct request *r) {
  struct ww_store *store = NULL;
  struct ww_input input = {0};
  struct ww_diag diag = {0};
  int code = WW_EXIT_OK;
  if (r->at) { /* the present; it closes the store again, which one process may open once */
    input.options.ignore_expiry = true;
    code = ww_input_add_store(&input, r->command->name, r->store);
  }
  enum ww_err err = code == WW_EXIT_OK ? ww_store_open(r->store, WW_STORE_READONLY, &store, &diag) : WW_OK;
  if (err == WW_OK && code == WW_EXIT_OK)
    err = ww_store_sources(store, &r->records, &r->record_count, &diag);
  if (err != WW_OK) {
    diag.offset = 0;
    (void)ww_cli_fail_diag(r->command->name, r->store, err, &diag);
    code = err == WW_ERR_NOTFOUND ? WW_EXIT_NOT_READY : WW_EXIT_FAILED;
  }
  if (code == WW_EXIT_OK)
    code = r->at ? route_at(r, store, &input) : list(r, store);
  free(r->records);
  ww_store_close(store);
  ww_input_fini(&input);
  return code;
}

/* Where a running daemon has its store. */
static int ask_store(struct request *r, char *path, size_t size) {
  struct ww_buf reply;
  ww_buf_init(&reply, WW_ANSWER_MAX);
  int code = ww_cli_ask(r->command->name, r->control, "{\"command\":\"status\"}\n", &reply);
  if (code == WW_EXIT_OK) {
    json_t *status = json_loadb((const char *)ww_buf_head(&reply), reply.len, JSON_REJECT_DUPLICATES, NULL);
    const char *text = json_string_value(json_object_get(json_object_get(status, "store"), "path"));
    if (text && strlen(text) < size) {
      memcpy(path, text, strlen(text) + 1);
      r->store = path;
    } else {
      code = ww_cli_fail(r->command->name, "%s: that daemon does not say where its store is", r->control);
    }
    json_decref(status);
  }
  ww_buf_fini(&reply);
  return code;
}

static int run_history(int argc, char **argv) {
  enum { OPT_STORE = 256, OPT_JSON, OPT_SINCE, OPT_LIMIT, OPT_AT, OPT_PATH, OPT_CONTROL, OPT_ROLE, OPT_NEIGHBOR };
  static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                          {"store", required_argument, NULL, OPT_STORE},
                                          {"json", no_argument, NULL, OPT_JSON},
                                          {"since", required_argument, NULL, OPT_SINCE},
                                          {"limit", required_argument, NULL, OPT_LIMIT},
                                          {"at", required_argument, NULL, OPT_AT},
                                          {"path", required_argument, NULL, OPT_PATH},
                                          {"control", required_argument, NULL, OPT_CONTROL},
                                          {"role", required_argument, NULL, OPT_ROLE},
                                          {"neighbor", required_argument, NULL, OPT_NEIGHBOR},
                                          {NULL, 0, NULL, 0}};
  const struct ww_command *command = strcmp(argv[0], ww_cmd_explain.name) == 0 ? &ww_cmd_explain : &ww_cmd_history;
  struct request r = {.command = command, .limit = LIMIT_DEFAULT, .session.role = WW_ROLE_NONE};
  char store[PATH_MAX];
  const char *config_path = NULL;
  char *rest;
  for (int opt; (opt = getopt_long(argc, argv, "c:", options, NULL)) != -1;) {
    switch (opt) {
    case 'c':
      config_path = optarg;
      break;
    case OPT_STORE:
      r.store = optarg;
      break;
    case OPT_JSON:
      r.json = true;
      break;
    case OPT_SINCE:
      r.since = optarg;
      break;
    case OPT_LIMIT:
      r.limit = strtoul(optarg, &rest, 10);
      if (*optarg < '0' || *optarg > '9' || *rest)
        return ww_cli_usage(command, "--limit %s: not a number", optarg);
      break;
    case OPT_AT:
      r.at = optarg;
      break;
    case OPT_PATH:
      r.path = optarg;
      break;
    case OPT_CONTROL:
      r.control = optarg;
      break;
    case OPT_ROLE:
      if (!ww_role_parse(optarg, &r.session.role))
        return ww_cli_usage(command, "--role %s: provider, customer, peer, rs, rs-client or mutual-transit", optarg);
      break;
    case OPT_NEIGHBOR:
      if (ww_asn_parse(optarg, &r.session.neighbor_as) != WW_OK)
        return ww_cli_usage(command, "--neighbor %s: not an AS number", optarg);
      break;
    default:
      return WW_EXIT_USAGE;
    }
  }
  r.positional = argv + optind;
  r.positional_count = argc - optind;
  if ((config_path != NULL) + (r.store != NULL) + (r.control != NULL) != 1)
    return ww_cli_usage(command, "where is the store? -c FILE, --store DIR or --control PATH");
  if ((r.session.role != WW_ROLE_NONE || r.session.neighbor_as) && !r.path)
    return ww_cli_usage(command, "--role and --neighbor are about a path: give one with --path");
  if (r.at ? r.positional_count != (r.path ? 1 : 2) : r.positional_count != 0 || r.path)
    return ww_cli_usage(command, "--at TIME goes with a route: PREFIX ASN, or PREFIX --path \"...\"");
  if (r.at && ww_payload_time_parse(r.at, &r.at_time) != WW_OK)
    return ww_cli_usage(command, "--at %s: neither Unix seconds nor a time like 2026-11-21T00:00:00Z", r.at);
  if (r.since && ww_payload_time_parse(r.since, &r.since_time) != WW_OK)
    return ww_cli_usage(command, "--since %s: neither Unix seconds nor a time like 2026-11-21T00:00:00Z", r.since);
  struct ww_config *config = NULL;
  if (config_path) {
    struct ww_diag diag;
    enum ww_err err = ww_config_load(config_path, &config, &diag);
    if (err != WW_OK)
      return ww_cli_fail_diag(command->name, config_path, err, &diag);
    r.store = config->store;
  }
  int code = r.control ? ask_store(&r, store, sizeof(store)) : WW_EXIT_OK;
  if (code == WW_EXIT_OK)
    code = answer(&r);
  ww_config_free(config);
  return code;
}

const struct ww_command ww_cmd_history = {
    .name = "history",
    .synopsis = "-c FILE | --control PATH | --store DIR [--since TIME] [--limit N] [--json]\n"
                "       waywarden history -c FILE | --control PATH | --store DIR --at TIME PREFIX ASN | PREFIX --path "
                "\"ASN ...\"",
    .summary = "tell what each epoch changed, and which record flipped a route and when",
    .help =
        "  -c, --config FILE   take the store's path from this configuration\n"
        "  --store DIR         the store of a daemon, which may be running\n"
        "  --control PATH      the store of the daemon that has this socket\n"
        "  --since TIME        only epochs from then on: Unix seconds or RFC 3339\n"
        "  --limit N           at most N epochs, the newest; default 50, 0 for all\n"
        "  --at TIME           of one route: its verdict at that time and now, and the records that came into force\n"
        "                      (+) or went (-) in between and that it can rest on; `explain --at` does the same\n"
        "  --path \"64500 64501\"  the AS path, neighbor first, instead of the origin AS\n"
        "  --role ROLE, --neighbor ASN  verify that path with ASPAs, too, as in `check`\n"
        "  --json              one JSON document\n"
        "Exit code 4: the history does not lead back that far, or there is no complete data.\n",
    .run = run_history,
};
