/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong with SLURM files: a list that is bounded, and goes on counting when it is full. An error that is not
 * listed still counts, so a set is good just when `errors` is 0. Running out of memory for an entry is the same case.
 *
 * Clauses: RFC 6901 §3 (how a pointer spells names).
 */
#include "slurm/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void ww_slurm_problems_fini(struct ww_slurm_problems *problems) {
  free(problems->list);
  *problems = (struct ww_slurm_problems){0};
}

/* Takes the octets of a character that was cut off the end of `text`, so that it stays UTF-8. */
static void trim_character(char *text) {
  size_t len = strlen(text), at = len;
  while (at > 0 && ((unsigned char)text[at - 1] & 0xc0) == 0x80)
    at--;
  if (at == 0)
    return;
  unsigned char lead = (unsigned char)text[at - 1];
  size_t need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  if (lead >= 0xc0 && len - (at - 1) < need)
    text[at - 1] = '\0';
}

void ww_slurm_problem_add(struct ww_slurm_problems *problems, bool warning, uint32_t file, unsigned line,
                          const char *pointer, const char *clause, const char *fmt, ...) {
  if (warning)
    problems->warnings++;
  else
    problems->errors++;
  /* Warnings leave room for errors. */
  if (problems->count >= (warning ? WW_SLURM_PROBLEMS_MAX / 2 : WW_SLURM_PROBLEMS_MAX))
    return;
  if (problems->count == problems->cap) {
    size_t cap = problems->cap ? problems->cap * 2 : 8;
    struct ww_slurm_problem *list = realloc(problems->list, cap * sizeof(*list));
    if (!list)
      return;
    problems->list = list;
    problems->cap = cap;
  }
  struct ww_slurm_problem *problem = &problems->list[problems->count++];
  *problem = (struct ww_slurm_problem){.warning = warning, .file = file, .line = line, .clause = clause};
  (void)snprintf(problem->pointer, sizeof(problem->pointer), "%s", pointer);
  va_list args;
  va_start(args, fmt);
  if (vsnprintf(problem->text, sizeof(problem->text), fmt, args) < 0)
    problem->text[0] = '\0';
  va_end(args);
  trim_character(problem->text);
  ww_text_one_line(problem->text);
}

char *ww_slurm_problem_format(const struct ww_slurm_problem *problem, const char *name, char *buf, size_t size) {
  char line[24] = "";
  if (problem->line)
    (void)snprintf(line, sizeof(line), ":%u", problem->line);
  (void)snprintf(buf, size, "%s%s: %s%s%s%s%s%s%s", name, line, problem->warning ? "warning: " : "", problem->pointer,
                 problem->pointer[0] ? ": " : "", problem->text, problem->clause ? " (" : "",
                 problem->clause ? problem->clause : "", problem->clause ? ")" : "");
  ww_text_one_line(buf);
  return buf;
}

size_t ww_slurm_pointer_enter(char *pointer, const char *name, size_t len) {
  size_t mark = strlen(pointer), at = mark;
  if (at + 1 < WW_SLURM_POINTER_MAX)
    pointer[at++] = '/';
  /* RFC 6901 §3: "~" and "/" in a name are written "~0" and "~1". */
  for (size_t i = 0; i < len && at + 2 < WW_SLURM_POINTER_MAX; i++) {
    bool escape = name[i] == '~' || name[i] == '/';
    pointer[at++] = escape ? '~' : name[i];
    if (escape)
      pointer[at++] = name[i] == '~' ? '0' : '1';
  }
  pointer[at] = '\0';
  trim_character(pointer);
  return mark;
}

size_t ww_slurm_pointer_enter_index(char *pointer, size_t index) {
  char text[24];
  int n = snprintf(text, sizeof(text), "%zu", index);
  return ww_slurm_pointer_enter(pointer, text, n > 0 ? (size_t)n : 0);
}
