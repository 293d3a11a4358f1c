/* SPDX-License-Identifier: BSD-2-Clause */
/* make_store DIR NAME FILE...: commits each file in turn to the source NAME of the store DIR. FILE "-": an incomplete
 * source without data. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sources/payload_file.h"
#include "store/store.h"

static void die(const char *what, const struct ww_diag *diag) {
  fprintf(stderr, "make_store: %s: %s\n", what, diag->text);
  exit(1);
}

static void load(const char *path, struct ww_payloads *set) {
  struct ww_payload_file_options options = {.ignore_expiry = true};
  struct ww_payload_file *file = ww_payload_file_new(&options);
  struct ww_diag diag = {.text = "cannot be read"};
  FILE *in = fopen(path, "rb");
  static char buf[65536];
  if (!in || !file)
    die(path, &diag);
  for (size_t n; (n = fread(buf, 1, sizeof(buf), in)) > 0;)
    if (ww_payload_file_feed(file, buf, n, &diag) != WW_OK)
      die(path, &diag);
  if (ww_payload_file_finish(file, set, NULL, &diag) != WW_OK)
    die(path, &diag);
  ww_payload_file_free(file);
  fclose(in);
}

int main(int argc, char **argv) {
  struct ww_store *store;
  struct ww_source_record source;
  struct ww_diag diag = {0};
  if (argc < 4)
    return 2;
  if (ww_store_open(argv[1], 0, &store, &diag) != WW_OK ||
      ww_store_source(store, argv[2], WW_SOURCE_FILE, &source, &diag) != WW_OK)
    die(argv[1], &diag);
  for (int i = 3; i < argc; i++) {
    struct ww_payloads set = {0};
    if (strcmp(argv[i], "-") == 0)
      continue;
    load(argv[i], &set);
    source.complete = source.active = true;
    source.last_sync = 1795219200;
    if (ww_store_commit_full(store, &source, &set, NULL, NULL, NULL, NULL, &diag) != WW_OK)
      die(argv[1], &diag);
    ww_payloads_fini(&set);
  }
  ww_store_close(store);
  return 0;
}
