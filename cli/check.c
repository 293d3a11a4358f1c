/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `waywarden check`: the verdict on a route, or on many, with what it rests on.
 *
 * Payloads are loaded, made a snapshot with one source for each file (or for each source of a store), and asked. A
 * single route is always explained; in a batch the explanation is worked out only where it is printed (--json), and
 * several threads share the work. Answers go to standard output, everything else to standard error.
 *
 * A path is verified with ASPAs when our role towards the neighbor is told, by option or by the route itself; without
 * one it is not evaluated. The neighbor's AS is compared with the path's first when it is told.
 *
 * Clauses: RFC 6811 §2 (origin validation, and which AS is a route's origin),
 * draft-ietf-sidrops-aspa-verification-28 §5, §6.3.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/payload_input.h"
#include "cli/route_batch.h"
#include "daemon/clock.h"
#include "validator/verdict_text.h"
#include <waywarden/snapshot.h>

enum { FAIL_ON_MAX = 4 };

/* What one thread works with. */
struct asker {
  struct ww_verdict verdict;
  bool failed_on;
};

struct check {
  struct ww_input input;
  struct ww_snapshot *snapshot;
  struct asker askers[WW_BATCH_THREADS_MAX];
  struct ww_route_defaults defaults;
  bool json, batch;
  enum ww_state fail_on[FAIL_ON_MAX];
  unsigned fail_on_count;
};

static const char *source_name(void *ctx, ww_source_id id) {
  const struct check *c = ctx;
  for (size_t i = 0; i < c->input.count; i++)
    if (c->input.sources[i].id == id)
      return c->input.sources[i].name;
  return NULL;
}

/* --- the snapshot ---------------------------------------------------------------------------------------------- */

static int build(struct check *c) {
  if (!ww_input_complete(&c->input)) {
    (void)ww_cli_fail("check", "no source has complete data: there is no verdict");
    return WW_EXIT_NOT_READY;
  }
  c->snapshot = ww_snapshot_new();
  enum ww_err err = c->snapshot ? WW_OK : WW_ERR_NOMEM;
  for (size_t i = 0; i < c->input.count && err == WW_OK; i++) {
    struct ww_input_source *source = &c->input.sources[i];
    if (!source->complete)
      continue;
    struct ww_payload_delta delta = {.source = source->id, .announce = source->set};
    struct ww_snapshot *next;
    err = ww_snapshot_apply(c->snapshot, &delta, c->input.epoch, true, &next);
    ww_payloads_fini(&source->set);
    if (err == WW_OK) {
      ww_snapshot_unref(c->snapshot);
      c->snapshot = next;
    }
  }
  return err == WW_OK ? WW_EXIT_OK : ww_cli_fail("check", "%s", ww_err_name(err));
}

/* --- answering ------------------------------------------------------------------------------------------------- */

/* Everything about a route, or (a batch in words) the states alone. */
static enum ww_err judge(const struct check *c, const struct ww_route_query *q, struct ww_verdict *v) {
  bool explain = c->json || !c->batch;
  enum ww_reason reason;
  enum ww_err err = WW_OK;
  v->epoch = ww_snapshot_epoch(c->snapshot);
  v->bgpsec.state = WW_STATE_NOT_EVALUATED; /* a path alone has no signatures */
  if (explain) {
    err = ww_origin_explain(c->snapshot, &q->prefix, q->origin, &v->origin);
  } else {
    v->origin.state = (uint8_t)ww_origin_validate(c->snapshot, &q->prefix, q->origin, &reason);
    v->origin.reason = (uint8_t)reason;
  }
  if (!q->has_path) { /* an origin alone has no path that could be verified */
    v->aspa.state = WW_STATE_NOT_EVALUATED;
    v->aspa.reason = WW_REASON_NONE;
    v->aspa.procedure = WW_ASPA_NONE;
    v->aspa.role = WW_ROLE_NONE;
    v->aspa.path_len = 0;
    v->aspa.hop_count = v->aspa.hit_count = 0;
  } else if (explain) {
    err = err ? err : ww_aspa_explain(c->snapshot, &q->aspa, &q->session, &v->aspa);
  } else {
    v->aspa.state = (uint8_t)ww_aspa_verify(c->snapshot, &q->aspa, &q->session, &reason);
    v->aspa.reason = (uint8_t)reason;
  }
  v->state = (uint8_t)ww_verdict_combine((enum ww_state)v->origin.state, (enum ww_state)v->aspa.state,
                                         (enum ww_state)v->bgpsec.state);
  return err;
}

static int answer(void *ctx, unsigned thread, const struct ww_route_query *q, struct ww_buf *out) {
  struct check *c = ctx;
  struct asker *a = &c->askers[thread];
  struct ww_verdict_view view = {.prefix = q->prefix,
                                 .as_path = q->has_path ? q->path : NULL,
                                 .as_path_len = q->path_len,
                                 .origin = q->origin,
                                 .neighbor_as = q->session.neighbor_as,
                                 .verdict = &a->verdict,
                                 .source_name = source_name,
                                 .ctx = c};
  enum ww_err err = judge(c, q, &a->verdict);
  if (err == WW_OK && c->json)
    err = ww_verdict_json(out, &view, !c->batch);
  else if (err == WW_OK)
    err = ww_verdict_text_answer(out, &view, c->batch ? "" : ":");
  if (err == WW_OK && (c->batch || !c->json))
    err = ww_buf_append(out, "\n", 1);
  if (err == WW_OK && !c->json && !c->batch)
    err = ww_verdict_text_reasons(out, &view);
  if (err == WW_OK && !c->json && !c->batch)
    err = ww_verdict_text_records(out, &view);
  for (unsigned i = 0; i < c->fail_on_count; i++)
    a->failed_on = a->failed_on || (uint8_t)c->fail_on[i] == a->verdict.state;
  return err == WW_OK ? 0 : ww_cli_fail("check", "%s", ww_err_name(err));
}

static int run_batch(struct check *c, const char *path, size_t *bad) {
  bool standard = strcmp(path, "-") == 0;
  int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return ww_cli_fail("check", "%s: %s", path, strerror(errno));
  struct ww_batch batch = {.command = "check", .name = path, .defaults = c->defaults, .ctx = c, .answer = answer};
  int code = ww_batch_run(&batch, fd, bad);
  if (!standard)
    close(fd);
  return code;
}

static int run_single(struct check *c, const char *prefix, const char *asn, const char *path) {
  struct ww_route_query query;
  struct ww_diag diag = {0};
  struct ww_buf out;
  enum ww_err err = path ? ww_route_from_path(&query, &c->defaults, prefix, path, &diag)
                         : ww_route_from_asn(&query, &c->defaults, prefix, asn, &diag);
  if (err != WW_OK)
    return ww_cli_usage(&ww_cmd_check, "%s", diag.text);
  ww_buf_init(&out, 0);
  int code = answer(c, 0, &query, &out);
  if (code == 0)
    (void)fwrite(ww_buf_head(&out), 1, out.len, stdout);
  ww_buf_fini(&out);
  return code;
}

/* --- the command ----------------------------------------------------------------------------------------------- */

static bool add_fail_on(struct check *c, const char *text) {
  static const struct {
    const char *word;
    enum ww_state state;
  } words[] = {{"valid", WW_STATE_VALID},
               {"invalid", WW_STATE_INVALID},
               {"not-found", WW_STATE_UNKNOWN},
               {"unknown", WW_STATE_UNKNOWN}};
  for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
    if (strcmp(words[i].word, text) == 0 && c->fail_on_count < FAIL_ON_MAX) {
      c->fail_on[c->fail_on_count++] = words[i].state;
      return true;
    }
  return false;
}

struct arguments {
  const char *path, *batch, *store, *now;
  const char **payloads;
  size_t payload_count;
  bool ignore_expiry, role, direction;
};

static int parse(struct check *c, struct arguments *a, int argc, char **argv) {
  enum {
    OPT_PATH = 256,
    OPT_BATCH,
    OPT_PAYLOADS,
    OPT_STORE,
    OPT_JSON,
    OPT_FAIL_ON,
    OPT_LOCAL_AS,
    OPT_IGNORE_EXPIRY,
    OPT_NOW,
    OPT_ROLE,
    OPT_DIRECTION,
    OPT_NEIGHBOR
  };
  static const struct option options[] = {{"path", required_argument, NULL, OPT_PATH},
                                          {"batch", required_argument, NULL, OPT_BATCH},
                                          {"payloads", required_argument, NULL, OPT_PAYLOADS},
                                          {"store", required_argument, NULL, OPT_STORE},
                                          {"json", no_argument, NULL, OPT_JSON},
                                          {"fail-on", required_argument, NULL, OPT_FAIL_ON},
                                          {"local-as", required_argument, NULL, OPT_LOCAL_AS},
                                          {"ignore-expiry", no_argument, NULL, OPT_IGNORE_EXPIRY},
                                          {"now", required_argument, NULL, OPT_NOW},
                                          {"role", required_argument, NULL, OPT_ROLE},
                                          {"direction", required_argument, NULL, OPT_DIRECTION},
                                          {"neighbor", required_argument, NULL, OPT_NEIGHBOR},
                                          {NULL, 0, NULL, 0}};
  for (int opt; (opt = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    switch (opt) {
    case OPT_PATH:
      a->path = optarg;
      break;
    case OPT_BATCH:
      a->batch = optarg;
      break;
    case OPT_PAYLOADS:
      a->payloads[a->payload_count++] = optarg;
      break;
    case OPT_STORE:
      a->store = optarg;
      break;
    case OPT_JSON:
      c->json = true;
      break;
    case OPT_FAIL_ON:
      if (!add_fail_on(c, optarg))
        return ww_cli_usage(&ww_cmd_check, "--fail-on %s: valid, invalid or not-found", optarg);
      break;
    case OPT_LOCAL_AS:
      if (ww_asn_parse(optarg, &c->defaults.local_as) != WW_OK)
        return ww_cli_usage(&ww_cmd_check, "--local-as %s: not an AS number", optarg);
      break;
    case OPT_ROLE:
      if (!ww_role_parse(optarg, &c->defaults.session.role))
        return ww_cli_usage(&ww_cmd_check, "--role %s: provider, customer, peer, rs, rs-client or mutual-transit",
                            optarg);
      a->role = true;
      break;
    case OPT_DIRECTION:
      if (!ww_direction_parse(optarg, &c->defaults.session.role))
        return ww_cli_usage(&ww_cmd_check, "--direction %s: upstream or downstream", optarg);
      a->direction = true;
      break;
    case OPT_NEIGHBOR:
      if (ww_asn_parse(optarg, &c->defaults.session.neighbor_as) != WW_OK)
        return ww_cli_usage(&ww_cmd_check, "--neighbor %s: not an AS number", optarg);
      break;
    case OPT_IGNORE_EXPIRY:
      a->ignore_expiry = true;
      break;
    case OPT_NOW:
      a->now = optarg;
      break;
    default:
      return WW_EXIT_USAGE;
    }
  }
  return WW_EXIT_OK;
}

static int load(struct check *c, const struct arguments *a) {
  c->input.options =
      (struct ww_payload_file_options){.now = ww_clock_read().unix_sec, .ignore_expiry = a->ignore_expiry};
  if (a->now && !ww_input_set_now(&c->input, "check", a->now))
    return WW_EXIT_USAGE;
  if (a->store)
    return ww_input_add_store(&c->input, "check", a->store);
  int code = WW_EXIT_OK;
  for (size_t i = 0; i < a->payload_count && code == WW_EXIT_OK; i++)
    code = ww_input_add(&c->input, "check", a->payloads[i]);
  return code;
}

static int check(struct check *c, struct arguments *a, int argc, char **argv) {
  int code = parse(c, a, argc, argv);
  if (code != WW_EXIT_OK)
    return code;
  int given = argc - optind;
  c->batch = a->batch != NULL;
  if (c->batch ? given != 0 || a->path : given != (a->path ? 1 : 2))
    return ww_cli_usage(&ww_cmd_check, "which route? PREFIX ASN, PREFIX --path \"...\", or --batch FILE");
  if (a->role && a->direction)
    return ww_cli_usage(&ww_cmd_check, "--role says the direction too: give one of them");
  if (!c->batch && !a->path && (a->role || a->direction || c->defaults.session.neighbor_as))
    return ww_cli_usage(&ww_cmd_check, "--role, --direction and --neighbor are about a path: give one with --path");
  if ((a->store != NULL) == (a->payload_count > 0))
    return ww_cli_usage(&ww_cmd_check, "where are the payloads? --payloads FILE or --store DIR");
  code = load(c, a);
  if (code == WW_EXIT_OK)
    code = build(c);
  size_t bad = 0;
  if (code == WW_EXIT_OK)
    code = a->batch ? run_batch(c, a->batch, &bad)
                    : run_single(c, argv[optind], given > 1 ? argv[optind + 1] : NULL, a->path);
  if (code != WW_EXIT_OK)
    return code;
  if (bad)
    return WW_EXIT_FAILED;
  for (unsigned i = 0; i < WW_BATCH_THREADS_MAX; i++)
    if (c->askers[i].failed_on)
      return WW_EXIT_VERDICT;
  return WW_EXIT_OK;
}

static int run_check(int argc, char **argv) {
  struct check c = {.defaults.session.role = WW_ROLE_NONE};
  struct arguments a = {.payloads = calloc((size_t)argc + 1, sizeof(*a.payloads))};
  int code = a.payloads ? check(&c, &a, argc, argv) : ww_cli_fail("check", "out of memory");
  for (unsigned i = 0; i < WW_BATCH_THREADS_MAX; i++)
    ww_verdict_fini(&c.askers[i].verdict);
  ww_snapshot_unref(c.snapshot);
  ww_input_fini(&c.input);
  free(a.payloads);
  return code;
}

const struct ww_command ww_cmd_check = {
    .name = "check",
    .synopsis = "PREFIX ASN | PREFIX --path \"ASN ...\" | --batch FILE  --payloads FILE | --store DIR",
    .summary = "tell what the RPKI says of a route, and why",
    .help =
        "  --path \"64500 64501 {64502,64503}\"  the AS path, neighbor first, instead of the origin AS\n"
        "  --role ROLE         what we are to the neighbor: provider, customer, peer, rs, rs-client, mutual-transit;\n"
        "                      the path is then verified with ASPAs\n"
        "  --direction upstream|downstream  instead of a role: the procedure\n"
        "  --neighbor ASN      the AS that the path must begin with\n"
        "  --local-as ASN      own AS: the origin of an empty path, or of one that ends in a confederation\n"
        "  --batch FILE        many routes, - for standard input. Lines: PREFIX => ASN, PREFIX ASN, ADDRESS LENGTH "
        "ASN,\n"
        "                      {\"prefix\": , \"asn\" or \"origin\" or \"as_path\": }, with \"role\" or \"direction\" "
        "and\n"
        "                      \"neighbor_as\" where they differ from the options; or one {\"routes\": [...]}\n"
        "  --payloads FILE     JSON, CSV or CCR of payloads; several times for several sources, name=FILE names one\n"
        "  --store DIR         the store of a daemon, which may be running\n"
        "  --json              the verdict with all its evidence; in a batch one object a line\n"
        "  --fail-on STATE     exit code 3 when a verdict is valid, invalid or not-found; several times\n"
        "  --ignore-expiry     keep payloads that have expired (old dumps)\n"
        "  --now TIME          judge expiry at this time: Unix seconds or RFC 3339\n"
        "Exit code 1: a line of the batch is bad (the others are answered). 4: no source has complete data.\n",
    .run = run_check,
};
