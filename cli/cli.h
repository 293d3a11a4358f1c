/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The conventions that all subcommands share. A subcommand is one file cli/<name>.c with one function and one row in
 * the table of main.c. It parses its own options with getopt_long and returns the exit code.
 */
#ifndef WW_CLI_CLI_H
#define WW_CLI_CLI_H

#include <waywarden/error.h>

enum ww_exit {
  WW_EXIT_OK = 0,
  WW_EXIT_FAILED = 1, /* fatal, or a check failed */
  WW_EXIT_USAGE = 2,
  WW_EXIT_VERDICT = 3,   /* some verdict is what --fail-on named */
  WW_EXIT_NOT_READY = 4, /* no complete data */
};

struct ww_command {
  const char *name;
  const char *synopsis;              /* arguments after the name */
  const char *summary;               /* one line */
  const char *help;                  /* options, a line each; printed by `waywarden help NAME` and --help */
  int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name */
};

/* Prints "waywarden NAME: text" to stderr and returns WW_EXIT_USAGE / WW_EXIT_FAILED. */
int ww_cli_usage(const struct ww_command *command, const char *fmt, ...) WW_PRINTF(2, 3);
int ww_cli_fail(const char *command, const char *fmt, ...) WW_PRINTF(2, 3);
/* "FILE:LINE: text" or "FILE: at octet N: text (clause)", as the diagnostic has it. */
int ww_cli_fail_diag(const char *command, const char *file, enum ww_err err, const struct ww_diag *diag);

extern const struct ww_command ww_cmd_run, ww_cmd_check, ww_cmd_payloads, ww_cmd_slurm, ww_cmd_station, ww_cmd_decode,
    ww_cmd_vectors, ww_cmd_pki, ww_cmd_bgpsec, ww_cmd_status, ww_cmd_sources, ww_cmd_explain, ww_cmd_history,
    ww_cmd_metrics;

#endif
