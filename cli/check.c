/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `waywarden check`: the verdict on a route, or on many, with what it rests on.
 *
 * Payloads are loaded, made a snapshot with one source for each file (or for each source of a store), and asked. A
 * single route is always explained; in a batch the explanation is worked out only where it is printed (--json). Answers
 * go to standard output, everything else to standard error.
 *
 * Clauses: RFC 6811 §2 (origin validation, and which AS is a route's origin).
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/payload_input.h"
#include "cli/route_input.h"
#include "daemon/clock.h"
#include "validator/verdict_json.h"
#include "wire/bgp.h"
#include <waywarden/snapshot.h>

enum { FAIL_ON_MAX = 4, PATH_TEXT = 1024 };

struct check {
  struct ww_input input;
  struct ww_snapshot *snapshot;
  struct ww_origin_result result;
  yajl_gen gen;
  bool json, batch;
  uint32_t local_as;
  enum ww_state fail_on[FAIL_ON_MAX];
  unsigned fail_on_count;
  bool failed_on;
  size_t answered, bad;
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
  size_t complete = 0;
  for (size_t i = 0; i < c->input.count; i++)
    complete += c->input.sources[i].complete;
  if (!complete) {
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

/* --- words ----------------------------------------------------------------------------------------------------- */

static void print_answer(const struct check *c, const struct ww_route_query *q, enum ww_state state,
                         enum ww_reason reason) {
  char prefix[WW_PREFIX_STRLEN];
  printf("%s ", ww_prefix_format(&q->prefix, prefix));
  if (q->origin.none)
    fputs("AS_SET", stdout);
  else
    printf("AS%" PRIu32, q->origin.asn);
  printf("%s %s", c->batch ? "" : ":", ww_origin_state_name(state));
  if (reason != WW_REASON_NONE)
    printf(" (%s)", ww_reason_name(reason));
  putchar('\n');
}

static void print_why(const struct ww_route_query *q, const struct ww_origin_result *r) {
  uint32_t asn = q->origin.asn;
  unsigned longest = 0;
  for (size_t i = 0; i < r->hit_count; i++)
    if (r->hits[i].match == WW_MATCH_LENGTH && r->hits[i].vrp.max_len > longest)
      longest = r->hits[i].vrp.max_len;
  switch ((enum ww_state)r->state) {
  case WW_STATE_VALID:
    printf("AS%" PRIu32 " is authorised to originate this prefix.\n", asn);
    return;
  case WW_STATE_UNKNOWN:
    puts("No VRP covers this prefix: the RPKI says nothing about it.");
    return;
  default:
    break;
  }
  switch ((enum ww_reason)r->reason) {
  case WW_REASON_ORIGIN_LENGTH:
    printf("AS%" PRIu32 " is authorised, but for nothing longer than /%u here; this is a /%u.\n", asn, longest,
           q->prefix.len);
    return;
  case WW_REASON_ORIGIN_AS0:
    puts("The holder says with AS 0 that nobody is to originate this prefix.");
    return;
  case WW_REASON_ORIGIN_AS_SET:
    puts("The path ends in an AS_SET, so the route has no origin that a VRP could name, and the prefix is covered.");
    return;
  default:
    printf("The prefix is covered, and no VRP names AS%" PRIu32 ".\n", asn);
  }
}

static const char *match_words(const struct ww_vrp_hit *hit) {
  switch ((enum ww_match)hit->match) {
  case WW_MATCH_VALID:
    return "matches";
  case WW_MATCH_LENGTH:
    return "too long";
  default:
    return hit->vrp.asn == 0 ? "AS 0" : "other AS";
  }
}

static void print_records(struct check *c) {
  const struct ww_origin_result *r = &c->result;
  for (size_t i = 0; i < r->hit_count; i++) {
    const struct ww_vrp_hit *hit = &r->hits[i];
    char prefix[WW_PREFIX_STRLEN], time[WW_TIME_STRLEN], vrp[WW_PREFIX_STRLEN + 24];
    const char *name = source_name(c, hit->source);
    (void)snprintf(vrp, sizeof(vrp), "%s-%u AS%" PRIu32, ww_prefix_format(&hit->vrp.prefix, prefix), hit->vrp.max_len,
                   hit->vrp.asn);
    printf("  %-9s %-34s from %s", match_words(hit), vrp, name ? name : "?");
    if (hit->vrp.expires)
      printf(", expires %s", ww_time_format(hit->vrp.expires, time));
    putchar('\n');
  }
}

/* --- answering ------------------------------------------------------------------------------------------------- */

static int print_json(struct check *c, const struct ww_route_query *q) {
  struct ww_verdict_view view = {.prefix = q->prefix,
                                 .as_path = q->has_path ? q->path : NULL,
                                 .as_path_len = q->path_len,
                                 .origin = q->origin,
                                 .epoch = ww_snapshot_epoch(c->snapshot),
                                 .origin_result = &c->result,
                                 .aspa = WW_STATE_NOT_EVALUATED,
                                 .bgpsec = WW_STATE_NOT_EVALUATED,
                                 .source_name = source_name,
                                 .ctx = c};
  const unsigned char *text;
  size_t len;
  if (ww_verdict_json(c->gen, &view) != WW_OK || yajl_gen_get_buf(c->gen, &text, &len) != yajl_gen_status_ok)
    return ww_cli_fail("check", "out of memory");
  (void)fwrite(text, 1, len, stdout);
  if (c->batch)
    putchar('\n');
  yajl_gen_clear(c->gen);
  yajl_gen_reset(c->gen, NULL);
  return 0;
}

static int answer(void *ctx, const struct ww_route_query *q) {
  struct check *c = ctx;
  enum ww_state state;
  enum ww_reason reason;
  int code = 0;
  c->answered++;
  if (c->json || !c->batch) {
    if (ww_origin_explain(c->snapshot, &q->prefix, q->origin, &c->result) != WW_OK)
      return ww_cli_fail("check", "out of memory");
    state = (enum ww_state)c->result.state;
    reason = (enum ww_reason)c->result.reason;
  } else {
    state = ww_origin_validate(c->snapshot, &q->prefix, q->origin, &reason);
  }
  if (c->json) {
    code = print_json(c, q);
  } else {
    print_answer(c, q, state, reason);
    if (!c->batch) {
      print_why(q, &c->result);
      print_records(c);
    }
  }
  for (unsigned i = 0; i < c->fail_on_count; i++)
    c->failed_on = c->failed_on || c->fail_on[i] == state;
  return code;
}

static int run_batch(struct check *c, const char *path) {
  bool standard = strcmp(path, "-") == 0;
  FILE *in = standard ? stdin : fopen(path, "re");
  if (!in)
    return ww_cli_fail("check", "%s: %s", path, strerror(errno));
  if (standard)
    setvbuf(stdout, NULL, _IOLBF, 0); /* whoever asks over a pipe waits for the answer */
  int code = ww_routes_read(in, "check", path, c->local_as, answer, c, &c->bad);
  if (!standard)
    fclose(in);
  return code;
}

static int run_single(struct check *c, const char *prefix, const char *asn, const char *path) {
  struct ww_route_query query;
  struct ww_diag diag = {0};
  enum ww_err err = path ? ww_route_from_path(&query, prefix, path, c->local_as, &diag)
                         : ww_route_from_asn(&query, prefix, asn, &diag);
  if (err != WW_OK)
    return ww_cli_usage(&ww_cmd_check, "%s", diag.text);
  return answer(c, &query);
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
  bool ignore_expiry;
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
    OPT_NOW
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
      if (ww_asn_parse(optarg, &c->local_as) != WW_OK)
        return ww_cli_usage(&ww_cmd_check, "--local-as %s: not an AS number", optarg);
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
  if ((a->store != NULL) == (a->payload_count > 0))
    return ww_cli_usage(&ww_cmd_check, "where are the payloads? --payloads FILE or --store DIR");
  c->gen = c->json ? yajl_gen_alloc(NULL) : NULL;
  if (c->json && !c->gen)
    return ww_cli_fail("check", "out of memory");
  if (c->json && !c->batch) {
    (void)yajl_gen_config(c->gen, yajl_gen_beautify, 1);
    (void)yajl_gen_config(c->gen, yajl_gen_indent_string, "  ");
  }
  code = load(c, a);
  if (code == WW_EXIT_OK)
    code = build(c);
  if (code == WW_EXIT_OK)
    code =
        a->batch ? run_batch(c, a->batch) : run_single(c, argv[optind], given > 1 ? argv[optind + 1] : NULL, a->path);
  if (code != WW_EXIT_OK)
    return code;
  if (c->bad)
    return WW_EXIT_FAILED;
  return c->failed_on ? WW_EXIT_VERDICT : WW_EXIT_OK;
}

static int run_check(int argc, char **argv) {
  struct check c = {0};
  struct arguments a = {.payloads = calloc((size_t)argc + 1, sizeof(*a.payloads))};
  int code = a.payloads ? check(&c, &a, argc, argv) : ww_cli_fail("check", "out of memory");
  if (c.gen)
    yajl_gen_free(c.gen);
  ww_origin_result_fini(&c.result);
  ww_snapshot_unref(c.snapshot);
  ww_input_fini(&c.input);
  free(a.payloads);
  return code;
}

const struct ww_command ww_cmd_check = {
    .name = "check",
    .synopsis = "PREFIX ASN | PREFIX --path \"ASN ...\" | --batch FILE  --payloads FILE | --store DIR",
    .summary = "tell what the RPKI says of a route, and why",
    .help = "  --path \"64500 64501 {64502,64503}\"  the AS path, neighbor first, instead of the origin AS\n"
            "  --local-as ASN      own AS: the origin of an empty path, or of one that ends in a confederation\n"
            "  --batch FILE        many routes, - for standard input. Lines: PREFIX => ASN, PREFIX ASN, ADDRESS LENGTH "
            "ASN,\n"
            "                      {\"prefix\": , \"asn\" or \"origin\" or \"as_path\": }; or one {\"routes\": [...]}\n"
            "  --payloads FILE     JSON or CSV of VRPs; several times for several sources, name=FILE names one\n"
            "  --store DIR         the store of a daemon, which may be running\n"
            "  --json              the verdict with all its evidence; in a batch one object a line\n"
            "  --fail-on STATE     exit code 3 when a verdict is valid, invalid or not-found; several times\n"
            "  --ignore-expiry     keep payloads that have expired (old dumps)\n"
            "  --now TIME          judge expiry at this time: Unix seconds or RFC 3339\n"
            "Exit code 1: a line of the batch is bad (the others are answered). 4: no source has complete data.\n",
    .run = run_check,
};
