/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The `waywarden` program: finds the subcommand, prints help and version, and holds what all subcommands print alike.
 */
#include "cli/cli.h"

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ww_version.h"

static const struct ww_command *const commands[] = {
    &ww_cmd_run, &ww_cmd_check,  &ww_cmd_payloads, &ww_cmd_slurm,   &ww_cmd_station, &ww_cmd_decode,  &ww_cmd_vectors,
    &ww_cmd_pki, &ww_cmd_bgpsec, &ww_cmd_status,   &ww_cmd_sources, &ww_cmd_metrics, &ww_cmd_explain, &ww_cmd_history,
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static const struct ww_command *find_command(const char *name) {
  for (unsigned i = 0; i < COMMAND_COUNT; i++)
    if (strcmp(commands[i]->name, name) == 0)
      return commands[i];
  return NULL;
}

static void print_overview(FILE *to) {
  fputs("usage: waywarden COMMAND [OPTION...] [ARGUMENT...]\n\n", to);
  for (unsigned i = 0; i < COMMAND_COUNT; i++)
    fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
  fputs("\nwaywarden help COMMAND tells a command's options; waywarden --version tells the version.\n", to);
}

static void print_help(const struct ww_command *command, FILE *to) {
  fprintf(to, "usage: waywarden %s %s\n\n%s\n\n%s", command->name, command->synopsis, command->summary, command->help);
}

static int print_version(void) {
  printf("waywarden %s\n%s", WW_VERSION, WW_SPECIFICATIONS);
  return WW_EXIT_OK;
}

int ww_cli_usage(const struct ww_command *command, const char *fmt, ...) {
  va_list args;
  fprintf(stderr, "waywarden %s: ", command->name);
  va_start(args, fmt);
  vfprintf(stderr, fmt, args);
  va_end(args);
  fprintf(stderr, "\nusage: waywarden %s %s\n", command->name, command->synopsis);
  return WW_EXIT_USAGE;
}

int ww_cli_fail(const char *command, const char *fmt, ...) {
  va_list args;
  fprintf(stderr, "waywarden %s: ", command);
  va_start(args, fmt);
  vfprintf(stderr, fmt, args);
  va_end(args);
  fputc('\n', stderr);
  return WW_EXIT_FAILED;
}

int ww_cli_fail_diag(const char *command, const char *file, enum ww_err err, const struct ww_diag *diag) {
  const char *text = diag->text[0] ? diag->text : ww_err_name(err);
  fprintf(stderr, "waywarden %s: %s", command, file);
  if (diag->line)
    fprintf(stderr, ":%u", diag->line);
  else if (diag->offset)
    fprintf(stderr, ": at octet %zu", diag->offset);
  fprintf(stderr, ": %s", text);
  if (diag->clause)
    fprintf(stderr, " (%s)", diag->clause);
  fputc('\n', stderr);
  return WW_EXIT_FAILED;
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  if (argc < 2) {
    print_overview(stderr);
    return WW_EXIT_USAGE;
  }
  const char *name = argv[1];
  if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0)
    return print_version();
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || (strcmp(name, "help") == 0 && argc == 2)) {
    print_overview(stdout);
    return WW_EXIT_OK;
  }
  bool help = strcmp(name, "help") == 0;
  const struct ww_command *command = find_command(help ? argv[2] : name);
  if (!command) {
    fprintf(stderr, "waywarden: no command '%s'; `waywarden help` lists them\n", help ? argv[2] : name);
    return WW_EXIT_USAGE;
  }
  if (help || (argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0))) {
    print_help(command, stdout);
    return WW_EXIT_OK;
  }
  int code = command->run(argc - 1, argv + 1);
  if (fflush(stdout) != 0 && code == WW_EXIT_OK)
    return ww_cli_fail(name, "standard output: write failed");
  return code;
}
