/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `waywarden vectors`: runs or lists conformance vectors (vectors/schema.cddl says how they are written).
 *
 * A file is read as a whole and strictly: unknown members, wrong types and impossible values are errors of the file,
 * not failures of a test, and such a file counts for nothing. Each test is handed to its suite (vectors_<suite>.c), the
 * one place that a new suite is added to being the table below. Results are kept until their file is done, then printed
 * as text, TAP 13 or, at the end, JUnit XML.
 */
#include "cli/vectors.h"
#include "cli/cli.h"

#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ww_vector_suite *const suites[] = {&ww_vector_suite_rov,    &ww_vector_suite_aspa,
                                                       &ww_vector_suite_ccr,    &ww_vector_suite_slurm,
                                                       &ww_vector_suite_bgpsec, &ww_vector_suite_rtr};

enum format { TEXT, TAP, JUNIT };

enum outcome { PASSED, FAILED, MALFORMED };

struct result {
  char *suite, *group, *id; /* owned; a malformed file has only an id, its name */
  char *ref;                /* for `list` */
  char *message;            /* NULL when passed */
  enum outcome outcome;
};

struct run {
  enum format format;
  const char *filter; /* NULL: every test */
  bool list;          /* only read */
  struct result *results;
  size_t count, cap;
  size_t file_first; /* first result of the file in hand */
  size_t passed, failed, malformed;
};

/* --- results ---------------------------------------------------------------------------------------------------- */

static bool add_result(struct run *run, const char *suite, const char *group, const char *id, const char *ref,
                       enum outcome outcome, const char *message) {
  if (run->count == run->cap) {
    size_t cap = run->cap ? run->cap * 2 : 64;
    struct result *results = (struct result *)realloc(run->results, cap * sizeof *results);
    if (!results)
      return false;
    run->results = results;
    run->cap = cap;
  }
  struct result result = {.suite = strdup(suite),
                          .group = strdup(group),
                          .id = strdup(id),
                          .ref = strdup(ref),
                          .message = message ? strdup(message) : NULL,
                          .outcome = outcome};
  run->results[run->count++] = result;
  return result.suite && result.group && result.id && result.ref && (!message || result.message);
}

static void drop_results(struct run *run, size_t from) {
  while (run->count > from) {
    struct result *result = &run->results[--run->count];
    free(result->suite);
    free(result->group);
    free(result->id);
    free(result->ref);
    free(result->message);
  }
}

static void print_one_line(const char *text, FILE *to) {
  for (; *text; text++)
    fputc((unsigned char)*text < ' ' ? '?' : *text, to);
}

static void print_xml(const char *text, FILE *to) {
  for (; *text; text++)
    switch (*text) {
    case '<':
      fputs("&lt;", to);
      break;
    case '>':
      fputs("&gt;", to);
      break;
    case '&':
      fputs("&amp;", to);
      break;
    case '"':
      fputs("&quot;", to);
      break;
    default:
      fputc((unsigned char)*text < ' ' ? '?' : *text, to);
    }
}

static void print_tap(const struct result *result, size_t number) {
  printf("%sok %zu - ", result->outcome == PASSED ? "" : "not ", number);
  for (const char *p = result->id; *p; p++) /* '#' would begin a directive */
    putchar(*p == '#' || (unsigned char)*p < ' ' ? '?' : *p);
  putchar('\n');
  if (!result->message)
    return;
  fputs("  ---\n  message: \"", stdout);
  for (const char *p = result->message; *p; p++) {
    if (*p == '"' || *p == '\\')
      putchar('\\');
    putchar((unsigned char)*p < ' ' ? '?' : *p);
  }
  fputs("\"\n  ...\n", stdout);
}

/* What the file in hand gave, in the formats that do not wait for the end. */
static void report_file(const struct run *run, const char *file) {
  size_t passed = 0, total = run->count - run->file_first;
  for (size_t i = run->file_first; i < run->count; i++) {
    const struct result *result = &run->results[i];
    passed += result->outcome == PASSED;
    if (run->list) {
      printf("%s\t%s\t%s\n", result->suite, result->id, result->ref);
    } else if (run->format == TAP) {
      print_tap(result, i + 1);
    } else if (run->format == TEXT && result->outcome == FAILED) {
      fputs("FAILED ", stdout);
      print_one_line(result->id, stdout);
      fputs(": ", stdout);
      print_one_line(result->message, stdout);
      putchar('\n');
    }
  }
  if (!run->list && run->format == TEXT && !(total == 1 && run->results[run->file_first].outcome == MALFORMED))
    printf("%s: %zu of %zu passed\n", file, passed, total);
}

static void print_junit(const struct run *run) {
  printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"%zu\" failures=\"%zu\" errors=\"%zu\">\n"
         "<testsuite name=\"waywarden-vectors\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\">\n",
         run->count, run->failed, run->malformed, run->count, run->failed, run->malformed);
  for (size_t i = 0; i < run->count; i++) {
    const struct result *result = &run->results[i];
    fputs("<testcase classname=\"", stdout);
    print_xml(result->outcome == MALFORMED ? "file" : result->group, stdout);
    fputs("\" name=\"", stdout);
    print_xml(result->id, stdout);
    if (result->outcome == PASSED) {
      fputs("\"/>\n", stdout);
      continue;
    }
    printf("\"><%s message=\"", result->outcome == FAILED ? "failure" : "error");
    print_xml(result->message, stdout);
    fputs("\"/></testcase>\n", stdout);
  }
  fputs("</testsuite>\n</testsuites>\n", stdout);
}

/* --- reading and running ---------------------------------------------------------------------------------------- */

struct file {
  struct run *run;
  struct ww_vector_reader reader;
  const struct ww_vector_suite *suite;
  json_t *seen; /* ids, to refuse one given twice */
};

/* A `ref`: an array of strings, joined for `list`. */
static bool read_ref(struct ww_vector_reader *r, json_t *object, char *text, size_t size) {
  json_t *ref = ww_vector_member(r, object, "ref", JSON_ARRAY, false), *item;
  size_t i, len = 0;
  if (!ref)
    return !r->error[0];
  size_t mark = ww_vector_enter(r, "ref");
  text[0] = 0;
  json_array_foreach(ref, i, item) {
    size_t inner = ww_vector_enter_index(r, i);
    if (!json_is_string(item))
      return ww_vector_bad(r, "must be a string");
    int n = snprintf(text + len, size - len, "%s%s", i ? ", " : "", json_string_value(item));
    len = n < 0 || (size_t)n >= size - len ? size - 1 : len + (size_t)n;
    ww_vector_leave(r, inner);
  }
  ww_vector_leave(r, mark);
  return true;
}

static bool read_own_payloads(struct ww_vector_reader *r, json_t *object, struct ww_payloads *out) {
  json_t *payloads = json_object_get(object, "payloads");
  size_t mark = ww_vector_enter(r, "payloads");
  if (payloads && !ww_vector_payloads(r, payloads, out))
    return false;
  ww_vector_leave(r, mark);
  return true;
}

static bool run_test(struct file *file, json_t *item, const char *group_id, const char *group_ref,
                     const struct ww_payloads *group_payloads) {
  static const char *const names[] = {"id", "ref", "comment", "payloads", "input", "expect", NULL};
  struct ww_vector_reader *r = &file->reader;
  struct ww_payloads own = {0};
  struct ww_vector_test test = {.payloads = group_payloads};
  char ref[512];
  bool ok = false;
  (void)snprintf(ref, sizeof ref, "%s", group_ref);
  if (!ww_vector_members(r, item, names))
    return false;
  json_t *id = ww_vector_member(r, item, "id", JSON_STRING, true);
  (void)ww_vector_member(r, item, "comment", JSON_STRING, false);
  test.input = ww_vector_member(r, item, "input", JSON_OBJECT, false);
  test.expect = ww_vector_member(r, item, "expect", JSON_OBJECT, true);
  if (r->error[0] || !read_ref(r, item, ref, sizeof ref) || !read_own_payloads(r, item, &own))
    goto out;
  if (json_object_get(file->seen, json_string_value(id))) {
    (void)ww_vector_bad(r, "the id \"%s\" is not unique in this file", json_string_value(id));
    goto out;
  }
  if (json_object_set_new(file->seen, json_string_value(id), json_true()) != 0) {
    (void)ww_vector_bad(r, "%s", ww_err_name(WW_ERR_NOMEM));
    goto out;
  }
  if (json_object_get(item, "payloads"))
    test.payloads = &own;
  if (!file->suite->run(r, &test))
    goto out;
  ok = true;
  if ((!file->run->filter || fnmatch(file->run->filter, json_string_value(id), 0) == 0) &&
      !add_result(file->run, file->suite->name, group_id, json_string_value(id), ref, test.message[0] ? FAILED : PASSED,
                  test.message[0] ? test.message : NULL))
    ok = ww_vector_bad(r, "%s", ww_err_name(WW_ERR_NOMEM));
out:
  ww_payloads_fini(&own);
  return ok;
}

static bool run_group(struct file *file, json_t *group) {
  static const char *const names[] = {"id", "ref", "comment", "payloads", "tests", NULL};
  struct ww_vector_reader *r = &file->reader;
  struct ww_payloads payloads = {0};
  char ref[512] = "";
  json_t *test;
  size_t i;
  bool ok = false;
  if (!ww_vector_members(r, group, names))
    return false;
  json_t *id = ww_vector_member(r, group, "id", JSON_STRING, true);
  json_t *tests = ww_vector_member(r, group, "tests", JSON_ARRAY, true);
  (void)ww_vector_member(r, group, "comment", JSON_STRING, false);
  if (r->error[0] || !read_ref(r, group, ref, sizeof ref) || !read_own_payloads(r, group, &payloads))
    goto out;
  size_t mark = ww_vector_enter(r, "tests");
  json_array_foreach(tests, i, test) {
    size_t inner = ww_vector_enter_index(r, i);
    if (!run_test(file, test, json_string_value(id), ref, &payloads))
      goto out;
    ww_vector_leave(r, inner);
  }
  ww_vector_leave(r, mark);
  ok = true;
out:
  ww_payloads_fini(&payloads);
  return ok;
}

static bool read_head(struct file *file, json_t *root) {
  static const char *const names[] = {"schema", "suite", "title", "spec", "groups", NULL};
  struct ww_vector_reader *r = &file->reader;
  json_t *item;
  size_t i;
  if (!ww_vector_members(r, root, names))
    return false;
  json_t *schema = ww_vector_member(r, root, "schema", JSON_STRING, true);
  json_t *suite = ww_vector_member(r, root, "suite", JSON_STRING, true);
  json_t *spec = ww_vector_member(r, root, "spec", JSON_ARRAY, false);
  (void)ww_vector_member(r, root, "title", JSON_STRING, true);
  (void)ww_vector_member(r, root, "groups", JSON_ARRAY, true);
  if (r->error[0])
    return false;
  if (strcmp(json_string_value(schema), "waywarden-vectors-1") != 0) {
    (void)ww_vector_enter(r, "schema");
    return ww_vector_bad(r, "must be \"waywarden-vectors-1\"");
  }
  size_t mark = ww_vector_enter(r, "spec");
  json_array_foreach(spec, i, item) if (!json_is_string(item)) return ww_vector_bad(r, "must hold strings only");
  ww_vector_leave(r, mark);
  for (i = 0; i < sizeof suites / sizeof suites[0]; i++)
    if (strcmp(suites[i]->name, json_string_value(suite)) == 0)
      file->suite = suites[i];
  mark = ww_vector_enter(r, "suite");
  if (!file->suite)
    return ww_vector_bad(r, "no runner for the suite \"%s\"", json_string_value(suite));
  ww_vector_leave(r, mark);
  return true;
}

static bool run_groups(struct file *file, json_t *root) {
  json_t *group;
  size_t i;
  size_t mark = ww_vector_enter(&file->reader, "groups");
  json_array_foreach(json_object_get(root, "groups"), i, group) {
    size_t inner = ww_vector_enter_index(&file->reader, i);
    if (!run_group(file, group))
      return false;
    ww_vector_leave(&file->reader, inner);
  }
  ww_vector_leave(&file->reader, mark);
  return true;
}

/* False when memory ran out; a bad file is a result like others. */
static bool run_file(struct run *run, const char *name) {
  struct file file = {.run = run, .seen = json_object()};
  json_error_t error;
  char message[1024];
  bool ok = file.seen != NULL;
  run->file_first = run->count;
  /* Members given twice are refused: which of them would count? */
  json_t *root = ok ? json_load_file(name, JSON_REJECT_DUPLICATES, &error) : NULL;
  if (ok && !root) {
    if (error.line > 0)
      (void)snprintf(message, sizeof message, "%s:%d: %s", name, error.line, error.text);
    else
      (void)snprintf(message, sizeof message, "%s", error.text);
  } else if (ok && !(read_head(&file, root) && run_groups(&file, root))) {
    (void)snprintf(message, sizeof message, "%s: %s", name, file.reader.error);
    json_decref(root);
    root = NULL;
  }
  if (ok && !root) {
    fprintf(stderr, "waywarden vectors: ");
    print_one_line(message, stderr);
    fputc('\n', stderr);
    drop_results(run, run->file_first);
    ok = add_result(run, "", "", name, "", MALFORMED, message);
  }
  if (ok)
    report_file(run, name);
  for (size_t i = run->file_first; i < run->count; i++) {
    run->passed += run->results[i].outcome == PASSED;
    run->failed += run->results[i].outcome == FAILED;
    run->malformed += run->results[i].outcome == MALFORMED;
  }
  json_decref(root);
  json_decref(file.seen);
  return ok;
}

/* --- the command ------------------------------------------------------------------------------------------------ */

static bool parse_format(const char *text, enum format *format) {
  static const char *const names[] = {[TEXT] = "text", [TAP] = "tap", [JUNIT] = "junit"};
  for (int i = TEXT; i <= JUNIT; i++)
    if (strcmp(text, names[i]) == 0) {
      *format = (enum format)i;
      return true;
    }
  return false;
}

static int finish(struct run *run) {
  if (run->malformed == 0 && run->count == 0)
    return ww_cli_usage(&ww_cmd_vectors, run->filter ? "no test is named like '%s'" : "the files hold no tests%s",
                        run->filter ? run->filter : "");
  if (!run->list && run->format == JUNIT)
    print_junit(run);
  if (!run->list && run->format == TAP)
    printf("1..%zu\n", run->count);
  return run->malformed ? WW_EXIT_USAGE : !run->list && run->failed ? WW_EXIT_FAILED : WW_EXIT_OK;
}

static int run_vectors(int argc, char **argv) {
  static const struct option options[] = {
      {"format", required_argument, NULL, 'f'}, {"filter", required_argument, NULL, 'g'}, {0}};
  struct run run = {0};
  int option, code = WW_EXIT_OK;
  if (argc < 2 || (strcmp(argv[1], "run") != 0 && strcmp(argv[1], "list") != 0))
    return ww_cli_usage(&ww_cmd_vectors, "say `run` or `list`");
  run.list = strcmp(argv[1], "list") == 0;
  argc--;
  argv++;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
    if (option == 'f' && run.list)
      return ww_cli_usage(&ww_cmd_vectors, "`list` has one format");
    else if (option == 'f' && !parse_format(optarg, &run.format))
      return ww_cli_usage(&ww_cmd_vectors, "no format '%s'", optarg);
    else if (option == 'g')
      run.filter = optarg;
    else if (option == '?')
      return ww_cli_usage(&ww_cmd_vectors, "bad option");
  if (optind == argc)
    return ww_cli_usage(&ww_cmd_vectors, "no files");
  if (!run.list && run.format == TAP)
    puts("TAP version 13");
  for (int i = optind; i < argc && code == WW_EXIT_OK; i++)
    if (!run_file(&run, argv[i]))
      code = ww_cli_fail("vectors", "%s", ww_err_name(WW_ERR_NOMEM));
  if (code == WW_EXIT_OK)
    code = finish(&run);
  drop_results(&run, 0);
  free(run.results);
  return code;
}

const struct ww_command ww_cmd_vectors = {
    .name = "vectors",
    .synopsis =
        "run [--format text|tap|junit] [--filter GLOB] FILE...\n       waywarden vectors list [--filter GLOB] FILE...",
    .summary = "runs conformance vectors (suites rov, aspa, ccr, slurm, rtr and bgpsec), or lists them",
    .help = "  --format text|tap|junit  how to print results (text: failures and a line a file)\n"
            "  --filter GLOB            only tests whose id matches\n"
            "\n"
            "Exit: 0 every test passes, 1 one fails, 2 a file is not well formed or nothing matches.\n",
    .run = run_vectors,
};
