/* SPDX-License-Identifier: BSD-2-Clause */
/* One JSON document on standard output, indented, written as it is found. */
#ifndef WW_CLI_JSON_OUT_H
#define WW_CLI_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <yajl/yajl_gen.h>

/* NULL when memory ran out. Ends with ww_json_out_end(). */
yajl_gen ww_json_out_begin(void);
void ww_json_out_end(yajl_gen gen);

void ww_json_out_string(yajl_gen gen, const char *text);
/* A member of the object at hand. */
void ww_json_out_text(yajl_gen gen, const char *key, const char *value);
void ww_json_out_number(yajl_gen gen, const char *key, uint64_t value);
void ww_json_out_bool(yajl_gen gen, const char *key, bool value);

#endif
