/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `waywarden slurm`: checks SLURM files, and applies them to payloads.
 *
 * The files of one call are one set: they are good together or not at all (RFC 8416 §4.1, §4.2). `check` prints what is
 * wrong on standard output, a line each, as compilers do; `apply` says it on standard error and writes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yajl/yajl_gen.h>

#include "cli/cli.h"
#include "cli/json_out.h"
#include "cli/payload_input.h"
#include "cli/payload_output.h"
#include "cli/slurm_preview.h"
#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/slurm_set.h"
#include "slurm/slurm.h"

enum { PROBLEM_TEXT = 700 };

struct request {
  bool json, report, preview;
  const char *control, *config; /* of --preview */
  struct ww_slurm_options options;
  struct ww_output result;
  const char *output;
  struct ww_slurm_file files[WW_SLURM_FILES_MAX];
  size_t file_count;
  struct ww_input input;
};

/* --- reading ---------------------------------------------------------------------------------------------------- */

static bool add_file(struct request *request, const char *name) {
  if (request->file_count == WW_SLURM_FILES_MAX) {
    (void)ww_cli_fail("slurm", "more than %d files", WW_SLURM_FILES_MAX);
    return false;
  }
  request->files[request->file_count++].name = name;
  return true;
}

/* Reads a file to its end, or to one octet more than a SLURM file may have. */
static bool read_file(struct ww_slurm_file *file) {
  bool standard = strcmp(file->name, "-") == 0;
  int fd = standard ? STDIN_FILENO : open(file->name, O_RDONLY | O_CLOEXEC);
  size_t cap = 0, len = 0;
  char *text = NULL;
  bool ok = fd >= 0;
  while (ok && len <= WW_SLURM_FILE_MAX) {
    if (len == cap) {
      cap = cap ? cap * 2 : 16384;
      char *larger = realloc(text, cap);
      ok = larger != NULL;
      if (!ok)
        break;
      text = larger;
    }
    ssize_t n = read(fd, text + len, cap - len);
    if (n == 0)
      break;
    ok = n > 0 || errno == EINTR;
    len += n > 0 ? (size_t)n : 0;
  }
  if (!ok)
    (void)ww_cli_fail("slurm", "%s: %s", file->name, strerror(errno));
  if (fd >= 0 && !standard)
    (void)close(fd);
  file->text = text;
  file->len = len;
  return ok;
}

static void free_files(struct request *request) {
  for (size_t i = 0; i < request->file_count; i++)
    free((void *)(uintptr_t)request->files[i].text);
}

/* An exit code; *slurm is NULL when the set is bad. Files that cannot be read have been named. */
static int read_set(struct request *request, struct ww_slurm **slurm, struct ww_slurm_problems *problems) {
  bool ok = true;
  *slurm = NULL;
  for (size_t i = 0; i < request->file_count; i++)
    ok = read_file(&request->files[i]) && ok;
  if (!ok)
    return WW_EXIT_FAILED;
  enum ww_err err = ww_slurm_read(request->files, request->file_count, &request->options, slurm, problems);
  if (err != WW_OK && err != WW_ERR_MALFORMED)
    return ww_cli_fail("slurm", "%s", ww_err_name(err));
  return err == WW_OK ? WW_EXIT_OK : WW_EXIT_FAILED;
}

static void print_problems(const struct request *request, const struct ww_slurm_problems *problems, FILE *to) {
  char text[PROBLEM_TEXT];
  for (size_t i = 0; i < problems->count; i++) {
    const struct ww_slurm_problem *problem = &problems->list[i];
    fprintf(to, "%s\n", ww_slurm_problem_format(problem, request->files[problem->file].name, text, sizeof(text)));
  }
  if (problems->count < problems->errors + problems->warnings)
    fprintf(to, "and %zu more\n", problems->errors + problems->warnings - problems->count);
}

/* --- JSON ------------------------------------------------------------------------------------------------------- */

static void json_problem(yajl_gen gen, const struct request *request, const struct ww_slurm_problem *problem) {
  (void)yajl_gen_map_open(gen);
  ww_json_out_text(gen, "severity", problem->warning ? "warning" : "error");
  ww_json_out_text(gen, "file", request->files[problem->file].name);
  if (problem->line)
    ww_json_out_number(gen, "line", problem->line);
  ww_json_out_text(gen, "pointer", problem->pointer);
  ww_json_out_text(gen, "text", problem->text);
  if (problem->clause)
    ww_json_out_text(gen, "clause", problem->clause);
  (void)yajl_gen_map_close(gen);
}

/* --- check ------------------------------------------------------------------------------------------------------ */

static void count_items(const struct ww_slurm *slurm, size_t file, size_t counts[WW_SLURM_KINDS]) {
  size_t count;
  const struct ww_slurm_item *items = ww_slurm_items(slurm, &count);
  for (int kind = 0; kind < WW_SLURM_KINDS; kind++)
    counts[kind] = 0;
  for (size_t i = 0; i < count; i++)
    counts[items[i].kind] += items[i].file == file;
}

static int check_json(const struct request *request, const struct ww_slurm *slurm,
                      const struct ww_slurm_problems *problems) {
  size_t counts[WW_SLURM_KINDS];
  yajl_gen gen = ww_json_out_begin();
  if (!gen)
    return ww_cli_fail("slurm", "%s", ww_err_name(WW_ERR_NOMEM));
  (void)yajl_gen_map_open(gen);
  ww_json_out_bool(gen, "good", slurm != NULL);
  ww_json_out_number(gen, "errors", problems->errors);
  ww_json_out_number(gen, "warnings", problems->warnings);
  ww_json_out_string(gen, "files");
  (void)yajl_gen_array_open(gen);
  for (size_t i = 0; slurm && i < request->file_count; i++) {
    (void)yajl_gen_map_open(gen);
    ww_json_out_text(gen, "file", request->files[i].name);
    ww_json_out_number(gen, "slurmVersion", ww_slurm_file_version(slurm, i));
    count_items(slurm, i, counts);
    for (int kind = 0; kind < WW_SLURM_KINDS; kind++)
      ww_json_out_number(gen, ww_slurm_kind_name((enum ww_slurm_kind)kind), counts[kind]);
    (void)yajl_gen_map_close(gen);
  }
  (void)yajl_gen_array_close(gen);
  ww_json_out_string(gen, "problems");
  (void)yajl_gen_array_open(gen);
  for (size_t i = 0; i < problems->count; i++)
    json_problem(gen, request, &problems->list[i]);
  (void)yajl_gen_array_close(gen);
  (void)yajl_gen_map_close(gen);
  ww_json_out_end(gen);
  return slurm ? WW_EXIT_OK : WW_EXIT_FAILED;
}

static int check(struct request *request) {
  struct ww_slurm_problems problems = {0};
  struct ww_slurm *slurm = NULL;
  size_t counts[WW_SLURM_KINDS];
  int code = read_set(request, &slurm, &problems);
  if (code != WW_EXIT_OK && !problems.errors)
    goto out;
  if (request->json) {
    code = check_json(request, slurm, &problems);
    goto out;
  }
  print_problems(request, &problems, stdout);
  for (size_t i = 0; slurm && i < request->file_count; i++) {
    count_items(slurm, i, counts);
    printf("%s: good, slurmVersion %u: %zu filters (%zu prefix, %zu BGPsec, %zu ASPA), %zu assertions (%zu prefix, "
           "%zu BGPsec, %zu ASPA)\n",
           request->files[i].name, ww_slurm_file_version(slurm, i), counts[0] + counts[1] + counts[2], counts[0],
           counts[1], counts[2], counts[3] + counts[4] + counts[5], counts[3], counts[4], counts[5]);
  }
out:
  ww_slurm_free(slurm);
  ww_slurm_problems_fini(&problems);
  return code;
}

/* --- apply ------------------------------------------------------------------------------------------------------ */

static void format_ski(const uint8_t ski[WW_SKI_LEN], char text[2 * WW_SKI_LEN + 1]) {
  for (unsigned i = 0; i < WW_SKI_LEN; i++)
    (void)snprintf(text + 2 * i, 3, "%02X", ski[i]);
}

/* What an item is about, and what came of it. */
static void print_item(const struct ww_slurm *slurm, const struct ww_slurm_item *item, size_t effect) {
  char prefix[WW_PREFIX_STRLEN], ski[2 * WW_SKI_LEN + 1], pointer[WW_SLURM_POINTER_MAX];
  printf("%s:%u: %s:", ww_slurm_file_name(slurm, item->file), item->line, ww_slurm_item_pointer(item, pointer));
  if (item->has_prefix)
    printf(" %s", ww_prefix_format(&item->prefix, prefix));
  if (item->kind == WW_SLURM_PREFIX_ASSERTION)
    printf("-%u", item->max_len);
  if (item->has_asn)
    printf(" AS%u", item->asn);
  if (item->has_ski && !item->foreign_ski) {
    format_ski(item->ski, ski);
    printf(" SKI %s", ski);
  }
  for (uint32_t i = 0; i < item->provider_count; i++)
    printf("%s AS%u", i ? "" : " with", item->providers[i]);
  if (ww_slurm_is_filter(item->kind))
    printf(": matches %zu", effect);
  else
    printf(": %s", effect ? "new" : "there already");
  if (item->comment) {
    fputs("  (", stdout);
    for (const char *c = item->comment; *c; c++) /* whoever wrote the file must not steer the terminal */
      putchar((unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c);
    putchar(')');
  }
  putchar('\n');
}

static void print_report(const struct ww_slurm *slurm, const struct ww_slurm_report *report) {
  size_t count;
  const struct ww_slurm_item *items = ww_slurm_items(slurm, &count);
  for (size_t i = 0; i < count; i++)
    print_item(slurm, &items[i], report->effects[i]);
  printf("VRPs         %zu in, %zu filtered, %zu out\n", report->in.vrps, report->filtered.vrps, report->out.vrps);
  printf("ASPAs        %zu in, %zu filtered, %zu out\n", report->in.aspas, report->filtered.aspas, report->out.aspas);
  printf("router keys  %zu in, %zu filtered, %zu out\n", report->in.keys, report->filtered.keys, report->out.keys);
}

static void json_item(yajl_gen gen, const struct ww_slurm *slurm, const struct ww_slurm_item *item, size_t effect) {
  char prefix[WW_PREFIX_STRLEN], ski[2 * WW_SKI_LEN + 1], pointer[WW_SLURM_POINTER_MAX];
  (void)yajl_gen_map_open(gen);
  ww_json_out_text(gen, "file", ww_slurm_file_name(slurm, item->file));
  ww_json_out_number(gen, "line", item->line);
  ww_json_out_text(gen, "pointer", ww_slurm_item_pointer(item, pointer));
  if (item->has_prefix)
    ww_json_out_text(gen, "prefix", ww_prefix_format(&item->prefix, prefix));
  if (item->kind == WW_SLURM_PREFIX_ASSERTION)
    ww_json_out_number(gen, "maxLength", item->max_len);
  if (item->has_asn) {
    bool aspa = item->kind == WW_SLURM_ASPA_FILTER || item->kind == WW_SLURM_ASPA_ASSERTION;
    ww_json_out_number(gen, aspa ? "customer" : "asn", item->asn);
  }
  if (item->has_ski && !item->foreign_ski) {
    format_ski(item->ski, ski);
    ww_json_out_text(gen, "SKI", ski);
  }
  if (item->provider_count) {
    ww_json_out_string(gen, "providers");
    (void)yajl_gen_array_open(gen);
    for (uint32_t i = 0; i < item->provider_count; i++)
      (void)yajl_gen_integer(gen, item->providers[i]);
    (void)yajl_gen_array_close(gen);
  }
  if (item->comment)
    ww_json_out_text(gen, "comment", item->comment);
  if (ww_slurm_is_filter(item->kind))
    ww_json_out_number(gen, "matches", effect);
  else
    ww_json_out_bool(gen, "new", effect > 0);
  (void)yajl_gen_map_close(gen);
}

static void json_counts(yajl_gen gen, const char *key, size_t in, size_t filtered, size_t out) {
  ww_json_out_string(gen, key);
  (void)yajl_gen_map_open(gen);
  ww_json_out_number(gen, "in", in);
  ww_json_out_number(gen, "filtered", filtered);
  ww_json_out_number(gen, "out", out);
  (void)yajl_gen_map_close(gen);
}

static int report_json(const struct ww_slurm *slurm, const struct ww_slurm_report *report) {
  size_t count;
  const struct ww_slurm_item *items = ww_slurm_items(slurm, &count);
  yajl_gen gen = ww_json_out_begin();
  if (!gen)
    return ww_cli_fail("slurm", "%s", ww_err_name(WW_ERR_NOMEM));
  (void)yajl_gen_map_open(gen);
  for (int filters = 1; filters >= 0; filters--) {
    ww_json_out_string(gen, filters ? "filters" : "assertions");
    (void)yajl_gen_array_open(gen);
    for (size_t i = 0; i < count; i++)
      if (ww_slurm_is_filter(items[i].kind) == (filters == 1))
        json_item(gen, slurm, &items[i], report->effects[i]);
    (void)yajl_gen_array_close(gen);
  }
  json_counts(gen, "vrps", report->in.vrps, report->filtered.vrps, report->out.vrps);
  json_counts(gen, "aspas", report->in.aspas, report->filtered.aspas, report->out.aspas);
  json_counts(gen, "router_keys", report->in.keys, report->filtered.keys, report->out.keys);
  (void)yajl_gen_map_close(gen);
  ww_json_out_end(gen);
  return WW_EXIT_OK;
}

/* What the set in force of a store does to the sources in force: the report of `apply`, with nothing written. */
static int list(struct request *request, const char *command, const char *dir) {
  struct ww_slurm_report report = {0};
  struct ww_payloads in = {0}, out = {0};
  request->input.raw = true;
  int code = ww_input_add_store(&request->input, command, dir);
  if (code == WW_EXIT_OK && !request->input.slurm) {
    if (request->json)
      puts("{}");
    else
      puts("no SLURM files are in force");
    return code;
  }
  if (code == WW_EXIT_OK)
    code = ww_input_unite(&request->input, command, &in);
  if (code != WW_EXIT_OK)
    return code;
  const struct ww_slurm *slurm = request->input.slurm->slurm;
  enum ww_err err = ww_slurm_apply(slurm, &in, &out, &report);
  if (err != WW_OK)
    code = ww_cli_fail(command, "%s", ww_err_name(err));
  else if (request->json)
    code = report_json(slurm, &report);
  else
    print_report(slurm, &report);
  ww_slurm_report_fini(&report);
  ww_payloads_fini(&in);
  ww_payloads_fini(&out);
  return code;
}

static int write_set(struct request *request, const struct ww_payloads *set) {
  int code = WW_EXIT_OK;
  request->result.produced_at = request->input.options.now;
  if (request->output || !request->report)
    code = ww_output_payloads("slurm", request->output ? request->output : "-", set, &request->result);
  return code;
}

static int apply(struct request *request) {
  struct ww_slurm_problems problems = {0};
  struct ww_slurm *slurm = NULL;
  struct ww_payloads in = {0}, out = {0};
  struct ww_slurm_report report = {0};
  int code = read_set(request, &slurm, &problems);
  print_problems(request, &problems, stderr);
  if (code == WW_EXIT_OK)
    code = ww_input_unite(&request->input, "slurm", &in);
  if (code == WW_EXIT_OK) {
    enum ww_err err = ww_slurm_apply(slurm, &in, &out, request->report ? &report : NULL);
    code = err == WW_OK ? write_set(request, &out) : ww_cli_fail("slurm", "%s", ww_err_name(err));
  }
  if (code == WW_EXIT_OK && request->report) {
    if (request->json)
      code = report_json(slurm, &report);
    else
      print_report(slurm, &report);
  }
  ww_slurm_report_fini(&report);
  ww_payloads_fini(&in);
  ww_payloads_fini(&out);
  ww_slurm_free(slurm);
  ww_slurm_problems_fini(&problems);
  return code;
}

/* --- preview ---------------------------------------------------------------------------------------------------- */

static int preview(struct request *request) {
  struct ww_slurm_problems problems = {0};
  struct ww_slurm *slurm = NULL;
  struct ww_config *config = NULL;
  struct ww_diag diag = {0};
  int code = read_set(request, &slurm, &problems);
  print_problems(request, &problems, stderr);
  if (code == WW_EXIT_OK && request->config) {
    enum ww_err err = ww_config_load(request->config, &config, &diag);
    if (err != WW_OK)
      code = ww_cli_fail_diag("slurm", request->config, err, &diag);
    else if (!config->control)
      code = ww_cli_fail("slurm", "%s: has no option 'control', so that daemon cannot be asked", request->config);
  }
  if (code == WW_EXIT_OK)
    code = ww_cli_slurm_preview(slurm, config ? config->control : request->control, request->json);
  ww_config_free(config);
  ww_slurm_free(slurm);
  ww_slurm_problems_fini(&problems);
  return code;
}

/* --- the command ------------------------------------------------------------------------------------------------ */

enum {
  OPT_PAYLOADS = 256,
  OPT_SLURM,
  OPT_FORMAT,
  OPT_STRICT,
  OPT_REPORT,
  OPT_JSON,
  OPT_IGNORE_EXPIRY,
  OPT_NOW,
  OPT_STORE,
  OPT_PREVIEW,
  OPT_CONTROL
};

static const struct option check_options[] = {
    {"strict", no_argument, NULL, OPT_STRICT},   {"json", no_argument, NULL, OPT_JSON},
    {"preview", no_argument, NULL, OPT_PREVIEW}, {"control", required_argument, NULL, OPT_CONTROL},
    {"config", required_argument, NULL, 'c'},    {NULL, 0, NULL, 0}};

static const struct option apply_options[] = {{"payloads", required_argument, NULL, OPT_PAYLOADS},
                                              {"slurm", required_argument, NULL, OPT_SLURM},
                                              {"output", required_argument, NULL, 'o'},
                                              {"format", required_argument, NULL, OPT_FORMAT},
                                              {"strict", no_argument, NULL, OPT_STRICT},
                                              {"report", no_argument, NULL, OPT_REPORT},
                                              {"json", no_argument, NULL, OPT_JSON},
                                              {"ignore-expiry", no_argument, NULL, OPT_IGNORE_EXPIRY},
                                              {"now", required_argument, NULL, OPT_NOW},
                                              {"preview", no_argument, NULL, OPT_PREVIEW},
                                              {"control", required_argument, NULL, OPT_CONTROL},
                                              {"config", required_argument, NULL, 'c'},
                                              {NULL, 0, NULL, 0}};

/* The options, and the files named without one. `payloads` gets the arguments of --payloads, which are read last, when
 * --now is known. An exit code. */
static int parse(struct request *request, int argc, char **argv, bool applies, const char **payloads, int *count) {
  for (int c;
       (c = getopt_long(argc, argv, applies ? "c:o:" : "c:", applies ? apply_options : check_options, NULL)) != -1;) {
    switch (c) {
    case OPT_PAYLOADS:
      payloads[(*count)++] = optarg;
      break;
    case OPT_SLURM:
      if (!add_file(request, optarg))
        return WW_EXIT_USAGE;
      break;
    case 'o':
      request->output = optarg;
      break;
    case OPT_FORMAT:
      if (!ww_output_format_parse(optarg, &request->result.format))
        return ww_cli_usage(&ww_cmd_slurm, "--format %s: one of %s", optarg, ww_output_format_names);
      break;
    case OPT_STRICT:
      request->options.strict = true;
      break;
    case OPT_REPORT:
      request->report = true;
      break;
    case OPT_PREVIEW:
      request->preview = true;
      break;
    case OPT_CONTROL:
      request->control = optarg;
      break;
    case 'c':
      request->config = optarg;
      break;
    case OPT_JSON:
      request->json = true;
      break;
    case OPT_IGNORE_EXPIRY:
      request->input.options.ignore_expiry = true;
      break;
    case OPT_NOW:
      if (!ww_input_set_now(&request->input, "slurm", optarg))
        return WW_EXIT_USAGE;
      break;
    default:
      return WW_EXIT_USAGE;
    }
  }
  for (; optind < argc; optind++)
    if (!add_file(request, argv[optind]))
      return WW_EXIT_USAGE;
  return request->file_count ? WW_EXIT_OK : ww_cli_usage(&ww_cmd_slurm, "no SLURM file");
}

/* `waywarden slurm list` */
static int run_list(int argc, char **argv) {
  static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                          {"store", required_argument, NULL, OPT_STORE},
                                          {"json", no_argument, NULL, OPT_JSON},
                                          {NULL, 0, NULL, 0}};
  const char *config_path = NULL, *dir = NULL;
  struct request *request = calloc(1, sizeof(*request));
  struct ww_config *config = NULL;
  struct ww_diag diag;
  if (!request)
    return ww_cli_fail("slurm", "%s", ww_err_name(WW_ERR_NOMEM));
  int code = WW_EXIT_OK;
  for (int c; code == WW_EXIT_OK && (c = getopt_long(argc, argv, "c:", options, NULL)) != -1;) {
    if (c == 'c')
      config_path = optarg;
    else if (c == OPT_STORE)
      dir = optarg;
    else if (c == OPT_JSON)
      request->json = true;
    else
      code = WW_EXIT_USAGE;
  }
  if (code == WW_EXIT_OK && (optind < argc || !config_path == !dir))
    code = ww_cli_usage(&ww_cmd_slurm, "list of which store? -c FILE or --store DIR");
  if (code == WW_EXIT_OK && config_path) {
    enum ww_err err = ww_config_load(config_path, &config, &diag);
    code = err == WW_OK ? WW_EXIT_OK : ww_cli_fail_diag("slurm", config_path, err, &diag);
    dir = config ? config->store : NULL;
  }
  if (code == WW_EXIT_OK) {
    request->input.options.now = ww_clock_read().unix_sec;
    code = list(request, "slurm", dir);
  }
  ww_input_fini(&request->input);
  ww_config_free(config);
  free(request);
  return code;
}

static int run_slurm(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "list") == 0)
    return run_list(argc - 1, argv + 1);
  bool applies = argc > 1 && strcmp(argv[1], "apply") == 0;
  if (!applies && (argc < 2 || strcmp(argv[1], "check") != 0))
    return ww_cli_usage(&ww_cmd_slurm, "check, apply or list?");
  struct request *request = calloc(1, sizeof(*request));
  const char **payloads = calloc((size_t)argc, sizeof(*payloads));
  if (!request || !payloads) {
    free(request);
    free(payloads);
    return ww_cli_fail("slurm", "%s", ww_err_name(WW_ERR_NOMEM));
  }
  int count = 0;
  request->input.options.now = ww_clock_read().unix_sec;
  int code = parse(request, argc - 1, argv + 1, applies, payloads, &count);
  bool previews = request->preview || request->control || request->config;
  if (code == WW_EXIT_OK && previews &&
      (!request->preview || !request->control == !request->config || count || request->report || request->output))
    code = ww_cli_usage(&ww_cmd_slurm, "--preview is of a daemon's routes and nothing else: -c FILE or --control PATH");
  if (code == WW_EXIT_OK && previews) {
    code = preview(request);
    goto out;
  }
  if (code == WW_EXIT_OK && applies && !count)
    code = ww_cli_usage(&ww_cmd_slurm, "apply to what? --payloads FILE");
  if (code == WW_EXIT_OK && applies && request->json && !request->report)
    code = ww_cli_usage(&ww_cmd_slurm, "--json is the format of --report; --format is that of the payloads");
  for (int i = 0; i < count && code == WW_EXIT_OK; i++)
    code = ww_input_add(&request->input, "slurm", payloads[i]);
  if (code == WW_EXIT_OK)
    code = applies ? apply(request) : check(request);
out:
  free_files(request);
  ww_input_fini(&request->input);
  free(request);
  free(payloads);
  return code;
}

const struct ww_command ww_cmd_slurm = {
    .name = "slurm",
    .synopsis = "check [--strict] [--json] FILE...\n"
                "       waywarden slurm list -c FILE | --store DIR [--json]\n"
                "       waywarden slurm check|apply --preview -c FILE | --control PATH [--strict] [--json] FILE...\n"
                "       waywarden slurm apply --payloads FILE [--slurm FILE]... [-o FILE] [OPTION...] [FILE...]",
    .summary = "checks SLURM files (local exceptions to the RPKI), applies them to payloads",
    .help =
        "  check              every error with file, line and JSON pointer; exit code 1 when there is one\n"
        "  apply              filters and assertions applied to payload files; the result goes to standard output\n"
        "  list               every filter and assertion that a daemon has in force, with what it matches or adds "
        "there\n"
        "All files of a call are one set, which is used as a whole or not at all.\n"
        "  --strict           refuse what the RFC does not allow and other programs write: padded or standard base64,\n"
        "                     \"customerAsid\", SKIs that are not 20 octets, keys that are no P-256 keys\n"
        "  --json             check: one JSON document; apply: the format of --report\n"
        "  --preview          which verdicts on a running daemon's routes these files would change, in the place of\n"
        "                     those in force; nothing is changed\n"
        "  -c, --config FILE  list: takes the store's path from this configuration; --preview: the socket's\n"
        "  --control PATH     --preview: the daemon's control socket\n"
        "  --store DIR        list: the store of a daemon, which may be running\n"
        "  --payloads FILE    JSON, CSV or CCR, - for standard input, or a store; several times\n"
        "  --slurm FILE       a SLURM file, as are those named without an option\n"
        "  -o, --output FILE  write the result there, whole or not at all\n"
        "  --format FORMAT    of the result, as payloads convert writes them; rpki-client's JSON without it\n"
        "  --report           what each filter matched and each assertion added, on standard output instead of the\n"
        "                     result, which then needs -o\n"
        "  --ignore-expiry    keep payloads that have expired\n"
        "  --now TIME         judge expiry at this time: Unix seconds or RFC 3339\n"
        "Exit code 4: no source has complete data.\n",
    .run = run_slurm,
};
