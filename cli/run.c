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
#include "daemon/rtr_transport.h"
#include "daemon/slurm_set.h"
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

static void say_slurm(void *ctx, bool warning, const char *text) {
  (void)ctx;
  fprintf(stderr, "waywarden run: slurm: %s%s\n", text, warning ? " (warning)" : "");
}

/* The daemon would not start with SLURM files that are bad. */
static int check_slurm(const struct ww_config *config) {
  struct ww_store_slurm texts;
  struct ww_slurm_set *set = NULL;
  enum ww_err err = ww_slurm_texts_read(config->slurm, config->slurm_count, config->slurm_strict,
                                        ww_clock_read().unix_sec, NULL, say_slurm, &texts);
  if (err == WW_OK)
    err = ww_slurm_set_new(&texts, NULL, say_slurm, &set);
  ww_slurm_set_free(set);
  return err == WW_OK ? WW_EXIT_OK : WW_EXIT_FAILED;
}

/* Likewise the keys and certificates of caches. */
static int check_caches(const struct ww_config *config, const struct ww_log *log) {
  int code = WW_EXIT_OK;
  for (size_t i = 0; i < config->cache_count; i++) {
    struct ww_rtr_transport transport = {0};
    struct ww_diag diag = {0};
    if (ww_rtr_transport_load(&config->caches[i], log, &transport, &diag) != WW_OK)
      code = ww_cli_fail("run", "rtr cache %s: %s", config->caches[i].name, diag.text);
    ww_rtr_transport_fini(&transport);
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
    struct ww_log log = {.emit = emit, .level = WW_LOG_WARNING};
    int code = check_stations(config);
    if (check_slurm(config) != WW_EXIT_OK || check_caches(config, &log) != WW_EXIT_OK)
      code = WW_EXIT_FAILED;
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
        "Logs to standard error. TERM and INT stop it in order, HUP reads SLURM and payload files, static entries,\n"
        "certificates and the log level again.\n",
    .run = run_daemon,
};
