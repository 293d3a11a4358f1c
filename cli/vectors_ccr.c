/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vector suite `ccr`: the state hashes of a payload set (draft-ietf-sidrops-rpki-ccr-11).
 */
#include "cli/vectors.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "sources/ccr_hash.h"

enum { HASH_TEXT = WW_BASE64_SIZE(WW_CCR_HASH_LEN) };

static bool run(struct ww_vector_reader *r, struct ww_vector_test *test) {
  static const char *const names[] = {"roas_hash", "aspas_hash", "keys_hash", NULL};
  static const char *const none[] = {NULL};
  struct ww_ccr_hashes hashes;
  char text[HASH_TEXT];
  if (test->input) {
    size_t mark = ww_vector_enter(r, "input");
    if (!ww_vector_members(r, test->input, none))
      return false;
    ww_vector_leave(r, mark);
  }
  size_t mark = ww_vector_enter(r, "expect");
  if (!ww_vector_members(r, test->expect, names))
    return false;
  enum ww_err err = ww_ccr_hash(test->payloads, &hashes);
  if (err)
    return ww_vector_bad(r, "%s", ww_err_name(err));
  const uint8_t *const values[] = {hashes.vrps, hashes.aspas, hashes.keys};
  bool any = false;
  for (int i = 0; i < 3; i++) {
    json_t *expected = ww_vector_member(r, test->expect, names[i], JSON_STRING, false);
    if (r->error[0])
      return false;
    if (!expected)
      continue;
    any = true;
    if (strlen(json_string_value(expected)) != HASH_TEXT - 1) {
      (void)ww_vector_enter(r, names[i]);
      return ww_vector_bad(r, "must be base64 of 32 octets");
    }
    (void)ww_base64_encode(values[i], WW_CCR_HASH_LEN, text);
    if (!test->message[0] && strcmp(text, json_string_value(expected)) != 0)
      (void)snprintf(test->message, sizeof test->message, "%s: expected %s, got %s", names[i],
                     json_string_value(expected), text);
  }
  if (!any)
    return ww_vector_bad(r, "expects nothing");
  ww_vector_leave(r, mark);
  return true;
}

const struct ww_vector_suite ww_vector_suite_ccr = {"ccr", run};
