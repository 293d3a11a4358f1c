/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vector suite `slurm`: SLURM files applied to a payload set, or refused.
 *
 * `input` has the texts of the files, in the order in which they are given, and whether to be strict. `expect` has
 * either the payloads that come out, in any order and without regard to expiry, or an error: the index of the file that
 * has it, and the JSON pointer of the place. A file with several errors passes when one of those reported is the one.
 */
#include "cli/vectors.h"

#include <stdio.h>
#include <string.h>

#include "slurm/slurm.h"

/* What a test expects. */
struct expected {
  bool error;
  size_t file;
  const char *pointer; /* NULL: any */
  struct ww_payloads payloads;
};

static bool read_error(struct ww_vector_reader *r, json_t *error, size_t file_count, struct expected *out) {
  static const char *const names[] = {"file", "pointer", NULL};
  if (!ww_vector_members(r, error, names))
    return false;
  json_t *file = ww_vector_member(r, error, "file", JSON_INTEGER, true);
  json_t *pointer = ww_vector_member(r, error, "pointer", JSON_STRING, false);
  if (r->error[0])
    return false;
  json_int_t index = json_integer_value(file);
  if (index < 0 || (size_t)index >= file_count) {
    (void)ww_vector_enter(r, "file");
    return ww_vector_bad(r, "must be the index of a file");
  }
  out->error = true;
  out->file = (size_t)index;
  out->pointer = json_string_value(pointer);
  return true;
}

static bool read_expect(struct ww_vector_reader *r, json_t *expect, size_t file_count, struct expected *out) {
  static const char *const names[] = {"payloads", "error", NULL};
  if (!ww_vector_members(r, expect, names))
    return false;
  json_t *payloads = ww_vector_member(r, expect, "payloads", JSON_OBJECT, false);
  json_t *error = ww_vector_member(r, expect, "error", JSON_OBJECT, false);
  if (r->error[0])
    return false;
  if ((payloads == NULL) == (error == NULL))
    return ww_vector_bad(r, "must have \"payloads\" or \"error\"");
  size_t mark = ww_vector_enter(r, payloads ? "payloads" : "error");
  if (payloads ? !ww_vector_payloads(r, payloads, &out->payloads) : !read_error(r, error, file_count, out))
    return false;
  ww_vector_leave(r, mark);
  return true;
}

static bool read_input(struct ww_vector_reader *r, json_t *input, struct ww_slurm_file *files, size_t *count,
                       bool *strict) {
  static const char *const names[] = {"files", "strict", NULL};
  json_t *text;
  size_t i;
  if (!ww_vector_members(r, input, names))
    return false;
  json_t *list = ww_vector_member(r, input, "files", JSON_ARRAY, true);
  json_t *flag = json_object_get(input, "strict");
  size_t mark = ww_vector_enter(r, "strict");
  if (r->error[0] || (flag && !json_is_boolean(flag)))
    return ww_vector_bad(r, "must be true or false");
  ww_vector_leave(r, mark);
  mark = ww_vector_enter(r, "files");
  if (json_array_size(list) > WW_SLURM_FILES_MAX)
    return ww_vector_bad(r, "must hold %d texts at most", WW_SLURM_FILES_MAX);
  json_array_foreach(list, i, text) {
    size_t inner = ww_vector_enter_index(r, i);
    if (!json_is_string(text))
      return ww_vector_bad(r, "must be a string, the text of a file");
    files[i] = (struct ww_slurm_file){.name = "file", .text = json_string_value(text), .len = json_string_length(text)};
    ww_vector_leave(r, inner);
  }
  ww_vector_leave(r, mark);
  *count = json_array_size(list);
  *strict = json_is_true(flag);
  return true;
}

static void judge_error(const struct expected *expected, const struct ww_slurm_problems *problems, char *message,
                        size_t size) {
  for (size_t i = 0; i < problems->count; i++) {
    const struct ww_slurm_problem *problem = &problems->list[i];
    if (!problem->warning && problem->file == expected->file &&
        (!expected->pointer || strcmp(problem->pointer, expected->pointer) == 0))
      return;
  }
  for (size_t i = 0; i < problems->count; i++)
    if (!problems->list[i].warning) {
      (void)snprintf(message, size, "expected an error in file %zu at \"%s\", got one in file %u at \"%s\": %s",
                     expected->file, expected->pointer ? expected->pointer : "any place", problems->list[i].file,
                     problems->list[i].pointer, problems->list[i].text);
      return;
    }
}

static bool run(struct ww_vector_reader *r, struct ww_vector_test *test) {
  struct ww_slurm_file files[WW_SLURM_FILES_MAX];
  struct ww_slurm_options options = {0};
  struct ww_slurm_problems problems = {0};
  struct expected expected = {0};
  struct ww_payloads got = {0};
  struct ww_slurm *slurm = NULL;
  size_t count = 0;
  bool ok = false;
  size_t mark = ww_vector_enter(r, "input");
  if (!read_input(r, test->input, files, &count, &options.strict))
    return false;
  ww_vector_leave(r, mark);
  mark = ww_vector_enter(r, "expect");
  if (!read_expect(r, test->expect, count, &expected))
    goto out;
  ww_vector_leave(r, mark);
  enum ww_err err = ww_slurm_read(files, count, &options, &slurm, &problems);
  if (err == WW_OK)
    err = ww_slurm_apply(slurm, test->payloads, &got, NULL);
  if (err != WW_OK && err != WW_ERR_MALFORMED) {
    (void)ww_vector_bad(r, "%s", ww_err_name(err));
    goto out;
  }
  if (expected.error && err == WW_OK)
    (void)snprintf(test->message, sizeof(test->message), "expected an error, and the files were accepted");
  else if (expected.error)
    judge_error(&expected, &problems, test->message, sizeof(test->message));
  else if (err != WW_OK)
    (void)snprintf(test->message, sizeof(test->message), "expected payloads, but file %u at \"%s\": %s",
                   problems.count ? problems.list[0].file : 0, problems.count ? problems.list[0].pointer : "",
                   problems.count ? problems.list[0].text : "is bad");
  else
    ww_vector_compare(&expected.payloads, &got, test->message, sizeof(test->message));
  ok = true;
out:
  ww_payloads_fini(&expected.payloads);
  ww_payloads_fini(&got);
  ww_slurm_free(slurm);
  ww_slurm_problems_fini(&problems);
  return ok;
}

const struct ww_vector_suite ww_vector_suite_slurm = {"slurm", run};
