/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `waywarden run`: the daemon, in the foreground. Its log goes to standard error, a line each:
 *
 *   2026-11-21T03:28:34.123Z notice ready: epoch 7, 580366 IPv4 and 143155 IPv6 VRPs
 *
 * It neither forks nor writes a pid file: a supervisor does both better.
 */
#include "cli/cli.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/tls.h"

static void emit(void *ctx, enum ww_log_level level, const char *text) {
  struct ww_now now = ww_clock_read();
  time_t seconds = (time_t)now.unix_sec;
  struct tm tm;
  char stamp[32] = "";
  (void)ctx;
  if (gmtime_r(&seconds, &tm))
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
  fprintf(stderr, "%s.%03uZ %s %s\n", stamp, now.unix_usec / 1000, ww_log_level_name(level), text);
}

/* Beyond what reading the file finds: certificates, keys and roots that cannot be used. */
static int check_stations(const struct ww_config *config) {
  int code = WW_EXIT_OK;
  for (size_t i = 0; i < config->station_count; i++) {
    const struct ww_config_station *s = &config->stations[i];
    struct ww_tls_files files = {.certificate = s->certificate, .key = s->key, .ca = s->ca};
    struct ww_diag diag = {0};
    struct ww_tls *tls = NULL;
    if (!s->plain && ww_tls_new(WW_TLS_CLIENT, &files, &tls, &diag) != WW_OK)
      code = ww_cli_fail("run", "station %s: %s", s->name, diag.text);
    ww_tls_unref(tls);
  }
  return code;
}

static int run_daemon(int argc, char **argv) {
  static const struct option long_options[] = {
      {"config", required_argument, NULL, 'c'}, {"check-config", no_argument, NULL, 'C'}, {NULL, 0, NULL, 0}};
  const char *path = NULL;
  bool check = false;
  int opt;
  while ((opt = getopt_long(argc, argv, "c:", long_options, NULL)) != -1) {
    if (opt == 'c')
      path = optarg;
    else if (opt == 'C')
      check = true;
    else
      return WW_EXIT_USAGE;
  }
  if (optind < argc)
    return ww_cli_usage(&ww_cmd_run, "'%s': takes options only", argv[optind]);
  if (!path)
    return ww_cli_usage(&ww_cmd_run, "-c FILE is missing");
  struct ww_config *config;
  struct ww_diag diag;
  enum ww_err err = ww_config_load(path, &config, &diag);
  if (err != WW_OK)
    return ww_cli_fail_diag("run", path, err, &diag);
  if (check) {
    int code = check_stations(config);
    ww_config_free(config);
    if (code == WW_EXIT_OK)
      printf("%s: good\n", path);
    return code;
  }
  setvbuf(stderr, NULL, _IOLBF, 4096); /* a line is one write */
  struct ww_log log = {.emit = emit, .level = config->log_level};
  return ww_daemon_run(config, log) ? WW_EXIT_OK : WW_EXIT_FAILED;
}

const struct ww_command ww_cmd_run = {
    .name = "run",
    .synopsis = "-c FILE [--check-config]",
    .summary = "run the daemon in the foreground",
    .help =
        "  -c, --config FILE   the configuration, see waywarden.conf(5)\n"
        "  --check-config      read it, say what is wrong with it, and end\n"
        "Logs to standard error. TERM and INT stop it in order, HUP reads payload files, static entries, certificates\n"
        "and the log level again.\n",
    .run = run_daemon,
};
