/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `waywarden explain`: why routes have the verdicts that they have. A running daemon is asked for its routes of the
 * prefix; or for the verdict on a route that need not be there, when an AS number or a path is given. Without a daemon
 * it answers from payload files or a store, exactly as `check` does; and of a time that has passed as `history` does.
 *
 * The sentences are the daemon's: what is printed here is what every other client would show.
 */
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "daemon/config.h"

static int show(const char *path, const struct ww_buf *answer, const char *prefix, bool as_json) {
  json_error_t error;
  json_t *reply = json_loadb((const char *)ww_buf_head(answer), answer->len, JSON_REJECT_DUPLICATES, &error), *route;
  const char *refused = json_string_value(json_object_get(reply, "error"));
  json_t *routes = json_object_get(reply, "routes");
  int code = WW_EXIT_OK;
  size_t i;
  if (!reply) {
    code = ww_cli_fail("explain", "%s: the answer is not JSON: %s", path, error.text);
  } else if (refused) {
    code = ww_cli_fail("explain", "%s: %s", path, refused);
  } else if (as_json) {
    (void)fwrite(ww_buf_head(answer), 1, answer->len, stdout);
  } else if (json_array_size(routes) == 0) {
    printf("%s: no route\n", prefix);
  } else {
    json_array_foreach(routes, i, route) {
      const char *router = json_string_value(json_object_get(route, "router"));
      const char *peer = json_string_value(json_object_get(route, "peer"));
      const char *view = json_string_value(json_object_get(route, "view"));
      const char *words = json_string_value(json_object_get(route, "words"));
      if (router)
        printf("%sFrom %s AS%lld at %s, %s:\n", i ? "\n" : "", peer ? peer : "?",
               (long long)json_integer_value(json_object_get(route, "peer_as")), router, view ? view : "?");
      fputs(words ? words : "?\n", stdout);
    }
    if (json_is_true(json_object_get(reply, "truncated")))
      puts("There are more routes; ask for those of one peer with --peer.");
  }
  if (code == WW_EXIT_OK && !json_is_true(json_object_get(reply, "ready")))
    code = WW_EXIT_NOT_READY;
  json_decref(reply);
  return code;
}

static bool looks_back(int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    if (strcmp(argv[i], "--at") == 0 || strncmp(argv[i], "--at=", 5) == 0)
      return true;
  return false;
}

/* Whether the arguments name a daemon. */
static bool names_daemon(int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    if (strcmp(argv[i], "-c") == 0 || strncmp(argv[i], "--config", 8) == 0 || strncmp(argv[i], "--control", 9) == 0)
      return true;
  return false;
}

struct question {
  const char *config, *control, *path, *peer, *role, *neighbor;
  bool json;
};

static int parse(struct question *q, int argc, char **argv) {
  enum { OPT_CONTROL = 256, OPT_JSON, OPT_PATH, OPT_PEER, OPT_ROLE, OPT_NEIGHBOR };
  static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                          {"control", required_argument, NULL, OPT_CONTROL},
                                          {"json", no_argument, NULL, OPT_JSON},
                                          {"path", required_argument, NULL, OPT_PATH},
                                          {"peer", required_argument, NULL, OPT_PEER},
                                          {"role", required_argument, NULL, OPT_ROLE},
                                          {"neighbor", required_argument, NULL, OPT_NEIGHBOR},
                                          {NULL, 0, NULL, 0}};
  for (int opt; (opt = getopt_long(argc, argv, "c:", options, NULL)) != -1;) {
    switch (opt) {
    case 'c':
      q->config = optarg;
      break;
    case OPT_CONTROL:
      q->control = optarg;
      break;
    case OPT_JSON:
      q->json = true;
      break;
    case OPT_PATH:
      q->path = optarg;
      break;
    case OPT_PEER:
      q->peer = optarg;
      break;
    case OPT_ROLE:
      q->role = optarg;
      break;
    case OPT_NEIGHBOR:
      q->neighbor = optarg;
      break;
    default:
      return WW_EXIT_USAGE;
    }
  }
  return WW_EXIT_OK;
}

/* Members that are NULL are left out. */
static char *question_line(const struct question *q, const char *prefix, const char *asn) {
  json_t *o = json_pack("{s:s,s:s,s:s*,s:s*,s:s*,s:s*,s:s*}", "command", "explain", "prefix", prefix, "asn", asn,
                        "as_path", q->path, "peer", q->peer, "role", q->role, "neighbor_as", q->neighbor);
  char *text = o ? json_dumps(o, JSON_COMPACT) : NULL, *line = text ? malloc(strlen(text) + 2) : NULL;
  if (line)
    (void)sprintf(line, "%s\n", text);
  free(text);
  json_decref(o);
  return line;
}

static int run_explain(int argc, char **argv) {
  struct question q = {0};
  struct ww_config *config = NULL;
  if (looks_back(argc, argv))
    return ww_cmd_history.run(argc, argv);
  if (!names_daemon(argc, argv))
    return ww_cmd_check.run(argc, argv);
  int code = parse(&q, argc, argv);
  if (code != WW_EXIT_OK)
    return code;
  int given = argc - optind;
  if (given < 1 || given > 2 || (given == 2 && q.path))
    return ww_cli_usage(&ww_cmd_explain, "which route? PREFIX, PREFIX ASN or PREFIX --path \"...\"");
  if (q.peer && (given == 2 || q.path))
    return ww_cli_usage(&ww_cmd_explain, "--peer chooses among the daemon's routes: not with a route of your own");
  if ((q.role || q.neighbor) && !q.path)
    return ww_cli_usage(&ww_cmd_explain, "--role and --neighbor are about a path: give one with --path");
  if (!q.config == !q.control)
    return ww_cli_usage(&ww_cmd_explain, "say where the daemon is: -c FILE or --control PATH");
  if (q.config) {
    struct ww_diag diag;
    enum ww_err err = ww_config_load(q.config, &config, &diag);
    if (err != WW_OK)
      return ww_cli_fail_diag("explain", q.config, err, &diag);
    if (!config->control) {
      ww_config_free(config);
      return ww_cli_fail("explain", "%s: has no option 'control', so that daemon cannot be asked", q.config);
    }
    q.control = config->control;
  }
  char *line = question_line(&q, argv[optind], given == 2 ? argv[optind + 1] : NULL);
  struct ww_buf answer;
  ww_buf_init(&answer, WW_ANSWER_MAX);
  code = line ? ww_cli_ask("explain", q.control, line, &answer) : ww_cli_fail("explain", "the question is not text");
  if (code == WW_EXIT_OK)
    code = show(q.control, &answer, argv[optind], q.json);
  ww_buf_fini(&answer);
  free(line);
  ww_config_free(config);
  return code;
}

const struct ww_command ww_cmd_explain = {
    .name = "explain",
    .synopsis = "PREFIX [ASN | --path \"ASN ...\"] -c FILE | --control PATH | --payloads FILE | --store DIR\n"
                "       waywarden explain PREFIX ASN | PREFIX --path \"ASN ...\" --at TIME -c FILE | --control PATH | "
                "--store DIR",
    .summary = "tell why a running daemon's routes of a prefix have their verdicts",
    .help =
        "  -c, --config FILE   take the daemon's socket from this configuration\n"
        "  --control PATH      the socket\n"
        "  --peer ADDRESS      only the routes of this neighbor\n"
        "  --path \"64500 ...\"  a route that need not be there, judged by the daemon's data; or an AS number\n"
        "  --role ROLE, --neighbor ASN  how that path is to be verified, as in `check`\n"
        "  --json              the daemon's answer as it is: one JSON object\n"
        "  --at TIME           what the verdict on that route was then and is now, and which records have come and\n"
        "                      gone in between, from the daemon's store, as `waywarden history --at` tells\n"
        "With --payloads or --store it answers as `waywarden check` does, with the options of that.\n"
        "Exit code 4: the daemon runs and is not ready.\n",
    .run = run_explain,
};
