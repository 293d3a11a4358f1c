/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzz target over every file of the folders named on the command line, so that a corpus is a regression test
 * with any compiler. Each input is copied to a heap block of just its size: an overrun by one octet is seen by ASan.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path) {
  FILE *f = fopen(path, "rb");
  if (!f) {
    perror(path);
    return -1;
  }
  size_t cap = 1 << 16, len = 0;
  uint8_t *buf = malloc(cap);
  while (buf) {
    len += fread(buf + len, 1, cap - len, f);
    if (len < cap)
      break;
    cap *= 2;
    uint8_t *bigger = realloc(buf, cap);
    if (!bigger)
      free(buf);
    buf = bigger;
  }
  fclose(f);
  uint8_t *exact = buf ? malloc(len ? len : 1) : NULL;
  if (!exact) {
    free(buf);
    return -1;
  }
  memcpy(exact, buf, len);
  free(buf);
  (void)LLVMFuzzerTestOneInput(exact, len);
  free(exact);
  return 0;
}

int main(int argc, char **argv) {
  unsigned long files = 0;
  for (int i = 1; i < argc; i++) {
    DIR *dir = opendir(argv[i]);
    if (!dir) {
      perror(argv[i]);
      return 1;
    }
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
      if (e->d_name[0] == '.')
        continue;
      char path[4096];
      if (snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name) >= (int)sizeof path || run_file(path) != 0) {
        closedir(dir);
        return 1;
      }
      files++;
    }
    closedir(dir);
  }
  printf("%lu inputs replayed\n", files);
  return files ? 0 : 1; /* an empty corpus tests nothing */
}
