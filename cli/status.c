/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `waywarden status`, `sources` and `metrics`: ask a running daemon over its control socket and print tables, the
 * answer itself (--json), or metrics.
 *
 * What the daemon says is read strictly (jansson) and shown leniently: a member that an older or newer daemon does not
 * send is an empty cell.
 */
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/metrics.h"

#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/config.h"

/* ---- tables ---- */

static const char *text_of(json_t *object, const char *member) {
  const char *text = json_string_value(json_object_get(object, member));
  return text ? text : "-";
}

static long long number_of(json_t *object, const char *member) {
  return (long long)json_integer_value(json_object_get(object, member));
}

static bool true_of(json_t *object, const char *member) { return json_is_true(json_object_get(object, member)); }

static void print_error(json_t *object) {
  const char *error = json_string_value(json_object_get(object, "last_error"));
  if (error)
    printf("    last error: %s\n", error);
}

static void print_sources(json_t *sources) {
  size_t i;
  json_t *s;
  printf("\n%-16s %-7s %-12s %9s %9s %7s %6s  %-20s %s\n", "SOURCE", "TYPE", "STATE", "VRPS4", "VRPS6", "SESSION",
         "SERIAL", "LAST SYNC", "ERRORS");
  json_array_foreach(sources, i, s) {
    char session[24] = "-", serial[24] = "-";
    if (json_is_integer(json_object_get(s, "rtr_session"))) {
      snprintf(session, sizeof(session), "%lld", number_of(s, "rtr_session"));
      snprintf(serial, sizeof(serial), "%lld", number_of(s, "rtr_serial"));
    }
    printf("%-16s %-7s %-12s %9lld %9lld %7s %6s  %-20s %lld\n", text_of(s, "name"), text_of(s, "type"),
           text_of(s, "state"), number_of(s, "vrps_ipv4"), number_of(s, "vrps_ipv6"), session, serial,
           text_of(s, "last_sync"), number_of(s, "errors"));
    if (json_is_string(json_object_get(s, "address")))
      printf("    %s to %s%s%s\n", text_of(s, "transport"), text_of(s, "address"),
             json_is_string(json_object_get(s, "agreed")) ? ": " : "",
             json_is_string(json_object_get(s, "agreed")) ? text_of(s, "agreed") : "");
    print_error(s);
  }
}

/* "3 h", for how long something has been so. */
static void print_age(const char *since, char *text, size_t size) {
  struct tm tm = {0};
  snprintf(text, size, "-");
  if (!strptime(since, "%Y-%m-%dT%H:%M:%SZ", &tm))
    return;
  long long age = (long long)(time(NULL) - timegm(&tm));
  if (age < 120)
    snprintf(text, size, "%lld s", age < 0 ? 0 : age);
  else if (age < 7200)
    snprintf(text, size, "%lld min", age / 60);
  else
    snprintf(text, size, "%lld h", age / 3600);
}

/* CCR state hashes, as `payloads hash` prints them. */
static void print_hashes(json_t *object) {
  if (json_is_string(json_object_get(object, "roas_hash")))
    printf("    hashes: vrps %s aspas %s keys %s\n", text_of(object, "roas_hash"), text_of(object, "aspas_hash"),
           text_of(object, "keys_hash"));
}

/* Another process holds the store up. */
static void print_store(json_t *store) {
  if (json_is_string(json_object_get(store, "reader_since")))
    printf("\nstore: process %lld has been reading since %s or before, and %lld commits\n",
           number_of(store, "oldest_reader"), text_of(store, "reader_since"), number_of(store, "reader_lag"));
}

/* What each source has to do with what is in force. */
static void print_use(json_t *sources) {
  size_t i;
  json_t *s;
  printf("%-16s %-7s %4s %-10s %-12s %9s %9s %7s %7s %8s %8s %s\n", "SOURCE", "TYPE", "PREF", "USE", "STATE", "VRPS4",
         "VRPS6", "ASPAS", "KEYS", "MISSING", "EXTRA", "DIFFERS FOR");
  json_array_foreach(sources, i, s) {
    char preference[24] = "-", missing[24] = "-", extra[24] = "-", age[32];
    if (json_is_integer(json_object_get(s, "preference")))
      snprintf(preference, sizeof(preference), "%lld", number_of(s, "preference"));
    if (json_is_integer(json_object_get(s, "missing"))) {
      snprintf(missing, sizeof(missing), "%lld", number_of(s, "missing"));
      snprintf(extra, sizeof(extra), "%lld", number_of(s, "extra"));
    }
    print_age(text_of(s, "diverges_since"), age, sizeof(age));
    const char *use = !true_of(s, "complete") ? "no data"
                      : !true_of(s, "active") ? "in reserve"
                      : true_of(s, "expired") ? "EXPIRED"
                                              : "in force";
    printf("%-16s %-7s %4s %-10s %-12s %9lld %9lld %7lld %7lld %8s %8s %s\n", text_of(s, "name"), text_of(s, "type"),
           preference, use, text_of(s, "state"), number_of(s, "vrps_ipv4"), number_of(s, "vrps_ipv6"),
           number_of(s, "aspas"), number_of(s, "router_keys"), missing, extra, age);
    print_hashes(s);
    print_error(s);
  }
}

static void print_slurm(json_t *slurm) {
  json_t *counts = json_object_get(slurm, "counts");
  long long filters =
      number_of(counts, "prefixFilters") + number_of(counts, "bgpsecFilters") + number_of(counts, "aspaFilters");
  long long assertions = number_of(counts, "prefixAssertions") + number_of(counts, "bgpsecAssertions") +
                         number_of(counts, "aspaAssertions");
  if (!number_of(slurm, "configured") && !json_array_size(json_object_get(slurm, "files")))
    return;
  printf("\nSLURM: %zu files, %lld filters, %lld assertions, in force since %s\n",
         json_array_size(json_object_get(slurm, "files")), filters, assertions, text_of(slurm, "loaded"));
  if (json_is_string(json_object_get(slurm, "last_error")))
    printf("    the files on disk are refused, the last good set stays: %s\n", text_of(slurm, "last_error"));
}

/* One kind of validation of a router's routes. */
static void print_kind(const char *kind, json_t *counts, const char *unknown, const char *word) {
  printf("  %-8s %lld valid, %lld invalid, %lld %s, %lld not evaluated\n", kind, number_of(counts, "valid"),
         number_of(counts, "invalid"), number_of(counts, unknown), word, number_of(counts, "not_evaluated"));
}

static void print_routers(json_t *routers) {
  size_t i;
  json_t *r;
  printf("\n%-16s %-22s %5s %10s %10s %10s %10s %10s\n", "ROUTER", "CONNECTED", "PEERS", "ROUTES", "VALID", "INVALID",
         "UNKNOWN", "NOT-READY");
  json_array_foreach(routers, i, r) {
    printf("%-16s %-22s %5lld %10lld %10lld %10lld %10lld %10lld\n", text_of(r, "name"),
           true_of(r, "connected") ? text_of(r, "address") : "no", number_of(r, "peers_up"), number_of(r, "routes"),
           number_of(r, "valid"), number_of(r, "invalid"), number_of(r, "unknown"), number_of(r, "not_ready"));
    print_kind("origin", json_object_get(r, "origin_validation"), "not_found", "not found");
    print_kind("aspa", json_object_get(r, "aspa"), "unknown", "unknown");
    json_t *bgpsec = json_object_get(r, "bgpsec");
    if (json_integer_value(json_object_get(bgpsec, "valid")) || json_integer_value(json_object_get(bgpsec, "invalid")))
      print_kind("bgpsec", bgpsec, "unknown", "unknown");
    print_error(r);
  }
}

static void print_stations(json_t *stations) {
  size_t i;
  json_t *s;
  printf("\n%-16s %-16s %-10s %10s %12s %8s %7s\n", "STATION", "ROUTER", "STATE", "MESSAGES", "BYTES", "LAG",
         "RESYNCS");
  json_array_foreach(stations, i, s) {
    printf("%-16s %-16s %-10s %10lld %12lld %8lld %7lld\n", text_of(s, "station"), text_of(s, "router"),
           text_of(s, "state"), number_of(s, "messages"), number_of(s, "bytes"), number_of(s, "lag"),
           number_of(s, "resyncs"));
    print_error(s);
  }
}

static void print_rtr_server(json_t *server) {
  size_t i;
  json_t *c;
  if (!json_is_object(server)) /* without rtr-listen */
    return;
  printf("\nRTR server: serial %lld, deltas from %lld serials back, %lld refused\n", number_of(server, "serial"),
         number_of(server, "window"), number_of(server, "refused"));
  printf("%-24s %-24s %-10s %7s %6s %6s %6s %6s %12s\n", "CLIENT", "LISTENER", "STATE", "VERSION", "SERIAL", "LAG",
         "RESETS", "DELTAS", "BYTES");
  json_array_foreach(json_object_get(server, "clients"), i, c) {
    printf("%-24s %-24s %-10s %7lld %6lld %6lld %6lld %6lld %12lld\n", text_of(c, "address"), text_of(c, "listener"),
           text_of(c, "state"), number_of(c, "version"), number_of(c, "serial"), number_of(c, "lag"),
           number_of(c, "reset_queries"), number_of(c, "serial_queries"), number_of(c, "bytes"));
    print_error(c);
  }
}

static void print_status(json_t *status) {
  printf("waywarden %s, process %lld, since %s\n", text_of(status, "version"), number_of(status, "pid"),
         text_of(status, "started"));
  if (true_of(status, "ready"))
    printf("ready: epoch %lld, %lld IPv4 and %lld IPv6 VRPs\n", number_of(status, "epoch"),
           number_of(status, "vrps_ipv4"), number_of(status, "vrps_ipv6"));
  else
    printf("not ready: no complete payload data yet\n");
  print_hashes(status);
  print_store(json_object_get(status, "store"));
  print_sources(json_object_get(status, "sources"));
  print_slurm(json_object_get(status, "slurm"));
  print_routers(json_object_get(status, "routers"));
  print_stations(json_object_get(status, "stations"));
  print_rtr_server(json_object_get(status, "rtr_server"));
}

static void print_json(json_t *value) {
  (void)json_dumpf(value, stdout, JSON_COMPACT);
  putchar('\n');
}

static int show(const char *name, const char *path, const struct ww_buf *answer, bool as_json) {
  json_error_t error;
  json_t *status = json_loadb((const char *)ww_buf_head(answer), answer->len, JSON_REJECT_DUPLICATES, &error);
  const char *refused = json_string_value(json_object_get(status, "error"));
  int code = WW_EXIT_OK;
  if (!status)
    code = ww_cli_fail(name, "%s: the answer is not JSON: %s", path, error.text);
  else if (refused)
    code = ww_cli_fail(name, "%s: %s", path, refused);
  else if (as_json && strcmp(name, "sources") == 0)
    print_json(json_object_get(status, "sources"));
  else if (strcmp(name, "metrics") == 0) {
    ww_metrics_print(stdout, status);
    json_decref(status);
    return code; /* that the daemon is not ready is a metric of its own */
  } else if (as_json)
    fwrite(ww_buf_head(answer), 1, answer->len, stdout);
  else if (strcmp(name, "sources") == 0)
    print_use(json_object_get(status, "sources"));
  else
    print_status(status);
  if (code == WW_EXIT_OK && !true_of(status, "ready"))
    code = WW_EXIT_NOT_READY;
  json_decref(status);
  return code;
}

static int run(const struct ww_command *command, int argc, char **argv) {
  const char *name = command->name;
  enum { OPT_CONTROL = 256, OPT_JSON };
  static const struct option long_options[] = {{"config", required_argument, NULL, 'c'},
                                               {"control", required_argument, NULL, OPT_CONTROL},
                                               {"json", no_argument, NULL, OPT_JSON},
                                               {NULL, 0, NULL, 0}};
  const char *config_path = NULL, *control = NULL;
  bool as_json = false;
  int opt;
  while ((opt = getopt_long(argc, argv, "c:", long_options, NULL)) != -1) {
    if (opt == 'c')
      config_path = optarg;
    else if (opt == OPT_CONTROL)
      control = optarg;
    else if (opt == OPT_JSON && strcmp(name, "metrics") != 0)
      as_json = true;
    else
      return WW_EXIT_USAGE;
  }
  if (optind < argc)
    return ww_cli_usage(command, "'%s': takes options only", argv[optind]);
  if (!config_path == !control)
    return ww_cli_usage(command, "say where the daemon is: -c FILE or --control PATH");
  struct ww_config *config = NULL;
  if (config_path) {
    struct ww_diag diag;
    enum ww_err err = ww_config_load(config_path, &config, &diag);
    if (err != WW_OK)
      return ww_cli_fail_diag(name, config_path, err, &diag);
    if (!config->control) {
      ww_config_free(config);
      return ww_cli_fail(name, "%s: has no option 'control', so that daemon cannot be asked", config_path);
    }
    control = config->control;
  }
  struct ww_buf answer;
  ww_buf_init(&answer, WW_ANSWER_MAX);
  int code = ww_cli_ask(name, control, "{\"command\":\"status\"}\n", &answer);
  if (code == WW_EXIT_OK)
    code = show(name, control, &answer, as_json);
  ww_buf_fini(&answer);
  ww_config_free(config);
  return code;
}

static int run_status(int argc, char **argv) { return run(&ww_cmd_status, argc, argv); }
static int run_metrics(int argc, char **argv) { return run(&ww_cmd_metrics, argc, argv); }
static int run_sources(int argc, char **argv) { return run(&ww_cmd_sources, argc, argv); }

const struct ww_command ww_cmd_sources = {
    .name = "sources",
    .synopsis = "-c FILE | --control PATH [--json]",
    .summary = "ask a running daemon what each source of payloads has, and which are in force",
    .help =
        "  -c, --config FILE   take the socket's path from this configuration\n"
        "  --control PATH      the socket\n"
        "  --json              one JSON array, of the objects that status has, too\n"
        "MISSING counts the payloads that other caches of the same preference have and this one has not, EXTRA\n"
        "those that it has and another has not. The hashes are the CCR state hashes of what the source delivered, in\n"
        "force or not, as `payloads hash` prints them.\n"
        "Exit code 4: the daemon runs and is not ready.\n",
    .run = run_sources,
};

const struct ww_command ww_cmd_status = {
    .name = "status",
    .synopsis = "-c FILE | --control PATH [--json]",
    .summary = "ask a running daemon for sources, routers, stations and RTR clients",
    .help = "  -c, --config FILE   take the socket's path from this configuration\n"
            "  --control PATH      the socket\n"
            "  --json              print the daemon's answer as it is: one JSON object\n"
            "Exit code 4: the daemon runs and is not ready.\n",
    .run = run_status,
};

const struct ww_command ww_cmd_metrics = {
    .name = "metrics",
    .synopsis = "-c FILE | --control PATH",
    .summary = "ask a running daemon for its counters, in the text format of Prometheus",
    .help = "  -c, --config FILE   take the socket's path from this configuration\n"
            "  --control PATH      the socket\n"
            "Fit for a textfile collector. What the daemon does not know is left out.\n",
    .run = run_metrics,
};
