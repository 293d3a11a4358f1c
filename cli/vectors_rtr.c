/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vector suite `rtr`: conversations of the RPKI-to-Router protocol, octet by octet. `input.role` says who is under
 * test: the router ("client", the default; vectors_rtr_client.c) or the cache ("cache"; vectors_rtr_cache.c).
 */
#include "cli/vectors.h"

#include <stdlib.h>
#include <string.h>

static int hex_digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

uint8_t *ww_vector_octets(struct ww_vector_reader *r, json_t *value, size_t *len) {
  const char *text = json_string_value(value);
  size_t digits = json_string_length(value), n = 0;
  uint8_t *octets = text && digits ? malloc(digits) : NULL;
  *len = 0;
  if (!octets) {
    (void)ww_vector_bad(r, "must be octets as hexadecimal digits");
    return NULL;
  }
  for (size_t i = 0; i < digits;) {
    if (text[i] == ' ') { /* between octets, for those who read */
      i++;
      continue;
    }
    int high = hex_digit(text[i]), low = i + 1 < digits ? hex_digit(text[i + 1]) : -1;
    if (high < 0 || low < 0) {
      (void)ww_vector_bad(r, "must be octets as hexadecimal digits");
      free(octets);
      return NULL;
    }
    octets[n++] = (uint8_t)(high << 4 | low);
    i += 2;
  }
  *len = n;
  return octets;
}

static bool run(struct ww_vector_reader *r, struct ww_vector_test *test) {
  json_t *role = json_object_get(test->input, "role");
  if (!role || (json_is_string(role) && strcmp(json_string_value(role), "client") == 0))
    return ww_vector_rtr_client(r, test);
  if (json_is_string(role) && strcmp(json_string_value(role), "cache") == 0)
    return ww_vector_rtr_cache(r, test);
  (void)ww_vector_enter(r, "input");
  (void)ww_vector_enter(r, "role");
  return ww_vector_bad(r, "must be client or cache");
}

const struct ww_vector_suite ww_vector_suite_rtr = {"rtr", run};
