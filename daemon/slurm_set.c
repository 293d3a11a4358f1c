/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SLURM files from disk, and what is made of them. The texts are kept beside the parsed set because they are what goes
 * to the store: the last good set can then be read again by any version of the program, and by other processes.
 */
#include "daemon/slurm_set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROBLEM_TEXT = 700, READ_SIZE = 65536 };

enum ww_err ww_slurm_set_new(struct ww_store_slurm *texts, void *ctx,
                             void (*say)(void *ctx, bool warning, const char *text), struct ww_slurm_set **out) {
  struct ww_slurm_set *set = calloc(1, sizeof(*set));
  struct ww_slurm_file *files = calloc(texts->count + 1, sizeof(*files));
  struct ww_slurm_options options = {.strict = texts->strict};
  struct ww_slurm_problems problems = {0};
  enum ww_err err = set && files ? WW_OK : WW_ERR_NOMEM;
  *out = NULL;
  for (size_t i = 0; i < texts->count && err == WW_OK; i++)
    files[i] =
        (struct ww_slurm_file){.name = texts->files[i].name, .text = texts->files[i].text, .len = texts->files[i].len};
  if (err == WW_OK)
    err = ww_slurm_read(files, texts->count, &options, &set->slurm, &problems);
  for (size_t i = 0; i < problems.count; i++) {
    char text[PROBLEM_TEXT];
    const struct ww_slurm_problem *problem = &problems.list[i];
    say(ctx, problem->warning, ww_slurm_problem_format(problem, files[problem->file].name, text, sizeof(text)));
  }
  if (err == WW_ERR_NOMEM)
    say(ctx, false, "no memory for the SLURM files");
  ww_slurm_problems_fini(&problems);
  free(files);
  if (err != WW_OK) {
    free(set);
    ww_store_slurm_fini(texts);
    return err;
  }
  set->texts = *texts;
  memset(texts, 0, sizeof(*texts));
  size_t count;
  const struct ww_slurm_item *items = ww_slurm_items(set->slurm, &count);
  for (size_t i = 0; i < count; i++)
    set->counts[items[i].kind]++;
  *out = set;
  return WW_OK;
}

void ww_slurm_set_free(struct ww_slurm_set *set) {
  if (!set)
    return;
  ww_slurm_free(set->slurm);
  ww_store_slurm_fini(&set->texts);
  free(set);
}

bool ww_slurm_set_equal(const struct ww_store_slurm *a, const struct ww_store_slurm *b) {
  size_t a_count = a ? a->count : 0, b_count = b ? b->count : 0;
  if (a_count != b_count || (a_count && a->strict != b->strict))
    return false;
  for (size_t i = 0; i < a_count; i++)
    if (strcmp(a->files[i].name, b->files[i].name) != 0 || a->files[i].len != b->files[i].len ||
        (a->files[i].len && memcmp(a->files[i].text, b->files[i].text, a->files[i].len) != 0))
      return false;
  return true;
}

/* Reads to the end, or to one octet more than a SLURM file may have. 0, or an errno. */
static int read_text(const char *path, uint8_t **text, size_t *text_len) {
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* not to wait for a FIFO's writer */
  if (fd < 0)
    return errno;
  int error = fstat(fd, &st) != 0 ? errno : !S_ISREG(st.st_mode) ? EINVAL : 0;
  uint8_t *buf = NULL;
  size_t len = 0, cap = 0;
  while (!error && len <= WW_SLURM_FILE_MAX) {
    if (cap - len < READ_SIZE) {
      uint8_t *larger = realloc(buf, cap += cap + READ_SIZE);
      if (!larger) {
        error = ENOMEM;
        break;
      }
      buf = larger;
    }
    ssize_t n = read(fd, buf + len, READ_SIZE);
    if (n == 0)
      break;
    error = n < 0 && errno != EINTR ? errno : 0;
    len += n > 0 ? (size_t)n : 0;
  }
  close(fd);
  if (error) {
    free(buf);
    return error;
  }
  *text = buf;
  *text_len = len;
  return 0;
}

enum ww_err ww_slurm_texts_read(char *const *paths, size_t count, bool strict, int64_t now, void *ctx,
                                void (*say)(void *ctx, bool warning, const char *text), struct ww_store_slurm *out) {
  *out = (struct ww_store_slurm){.strict = strict, .time = now};
  out->files = calloc(count + 1, sizeof(*out->files));
  for (size_t i = 0; i < count; i++) {
    int error = out->files && (out->files[i].name = strdup(paths[i]))
                    ? read_text(paths[i], &out->files[i].text, &out->files[i].len)
                    : ENOMEM;
    if (error) {
      char text[512];
      (void)snprintf(text, sizeof(text), "%s: %s", paths[i], error == EINVAL ? "not a regular file" : strerror(error));
      say(ctx, false, text);
      out->count = out->files ? i + 1 : 0;
      ww_store_slurm_fini(out);
      return error == ENOMEM ? WW_ERR_NOMEM : WW_ERR_IO;
    }
    out->count = i + 1;
  }
  return WW_OK;
}
