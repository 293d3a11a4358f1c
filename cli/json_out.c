/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * yajl's generator, set up once for every command that prints one document.
 */
#include "cli/json_out.h"

#include <stdio.h>
#include <string.h>

static void print(void *ctx, const char *text, size_t len) { (void)fwrite(text, 1, len, ctx); }

yajl_gen ww_json_out_begin(void) {
  yajl_gen gen = yajl_gen_alloc(NULL);
  if (gen) {
    (void)yajl_gen_config(gen, yajl_gen_beautify, 1);
    (void)yajl_gen_config(gen, yajl_gen_indent_string, "  ");
    (void)yajl_gen_config(gen, yajl_gen_print_callback, print, stdout);
  }
  return gen;
}

void ww_json_out_end(yajl_gen gen) { yajl_gen_free(gen); }

void ww_json_out_string(yajl_gen gen, const char *text) {
  (void)yajl_gen_string(gen, (const unsigned char *)text, strlen(text));
}

void ww_json_out_text(yajl_gen gen, const char *key, const char *value) {
  ww_json_out_string(gen, key);
  ww_json_out_string(gen, value);
}

void ww_json_out_number(yajl_gen gen, const char *key, uint64_t value) {
  ww_json_out_string(gen, key);
  (void)yajl_gen_integer(gen, (long long)value);
}

void ww_json_out_bool(yajl_gen gen, const char *key, bool value) {
  ww_json_out_string(gen, key);
  (void)yajl_gen_bool(gen, value);
}
