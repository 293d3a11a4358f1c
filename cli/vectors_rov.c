/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vector suite `rov`: origin validation. Every test is put to the single call, the batch call and the explanation; all
 * three must give the expected state and reason, and the explanation the expected sets of VRPs.
 */
#include "cli/vectors.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "rib/origin.h"
#include <waywarden/snapshot.h>

/* Octets of a path that a vector may write down: some hundred segments. */
enum { PATH_MAX_OCTETS = 65536 };

struct expectation {
  enum ww_state state;
  bool has_reason;
  enum ww_reason reason;
  bool has_set[3]; /* by enum ww_match */
  struct ww_payloads sets[3];
};

static const char *const set_names[] = {
    [WW_MATCH_VALID] = "matched", [WW_MATCH_AS] = "unmatched_as", [WW_MATCH_LENGTH] = "unmatched_length"};

/* --- input and expectation -------------------------------------------------------------------------------------- */

static bool read_origin(struct ww_vector_reader *r, json_t *input, struct ww_origin *origin) {
  static uint8_t octets[PATH_MAX_OCTETS];
  json_t *direct = json_object_get(input, "origin"), *path = json_object_get(input, "as_path");
  json_t *local = json_object_get(input, "local_as");
  uint32_t local_as = 0;
  if (!direct == !path)
    return ww_vector_bad(r, "must have either \"origin\" or \"as_path\"");
  if (direct && local)
    return ww_vector_bad(r, "has \"local_as\", which means nothing without \"as_path\"");
  *origin = (struct ww_origin){.none = json_is_null(direct)};
  if (origin->none)
    return true;
  size_t mark = ww_vector_enter(r, direct ? "origin" : "as_path");
  struct ww_writer w = ww_writer_make(octets, sizeof octets);
  if (direct ? !ww_vector_asn(r, direct, &origin->asn)
             : !ww_vector_member(r, input, "as_path", JSON_ARRAY, true) || !ww_vector_path(r, path, &w))
    return false;
  ww_vector_leave(r, mark);
  if (!path)
    return true;
  mark = ww_vector_enter(r, "local_as");
  if (local && !ww_vector_asn(r, local, &local_as))
    return false;
  ww_vector_leave(r, mark);
  *origin = ww_origin_of_path((struct ww_as_path){.data = octets, .len = w.len}, local_as);
  return true;
}

static bool read_input(struct ww_vector_reader *r, json_t *input, struct ww_prefix *prefix, struct ww_origin *origin) {
  static const char *const names[] = {"prefix", "origin", "as_path", "local_as", NULL};
  if (!input)
    return ww_vector_bad(r, "lacks the member \"input\"");
  size_t mark = ww_vector_enter(r, "input");
  if (!ww_vector_members(r, input, names))
    return false;
  json_t *text = ww_vector_member(r, input, "prefix", JSON_STRING, true);
  if (!text)
    return false;
  size_t inner = ww_vector_enter(r, "prefix");
  if (!ww_vector_prefix(r, text, prefix))
    return false;
  ww_vector_leave(r, inner);
  if (!read_origin(r, input, origin))
    return false;
  ww_vector_leave(r, mark);
  return true;
}

static bool read_state(struct ww_vector_reader *r, json_t *expect, enum ww_state *state) {
  static const enum ww_state states[] = {WW_STATE_VALID, WW_STATE_INVALID, WW_STATE_UNKNOWN};
  json_t *word = ww_vector_member(r, expect, "state", JSON_STRING, true);
  for (int i = 0; word && i < 3; i++)
    if (strcmp(json_string_value(word), ww_origin_state_name(states[i])) == 0) {
      *state = states[i];
      return true;
    }
  if (!word)
    return false;
  (void)ww_vector_enter(r, "state");
  return ww_vector_bad(r, "must be valid, invalid or not-found");
}

static bool read_reason(struct ww_vector_reader *r, json_t *expect, struct expectation *e) {
  json_t *word = ww_vector_member(r, expect, "reason", JSON_STRING, false);
  e->has_reason = word != NULL;
  for (int i = WW_REASON_NONE; word && i <= WW_REASON_ORIGIN_AS_SET; i++)
    if (strcmp(json_string_value(word), ww_reason_name((enum ww_reason)i)) == 0) {
      e->reason = (enum ww_reason)i;
      return true;
    }
  if (!word)
    return !r->error[0];
  (void)ww_vector_enter(r, "reason");
  return ww_vector_bad(r, "must be none, as, length, as0 or as-set");
}

static bool read_expectation(struct ww_vector_reader *r, json_t *expect, struct expectation *e) {
  static const char *const names[] = {"state", "reason", "matched", "unmatched_as", "unmatched_length", NULL};
  size_t mark = ww_vector_enter(r, "expect");
  if (!ww_vector_members(r, expect, names) || !read_state(r, expect, &e->state) || !read_reason(r, expect, e))
    return false;
  for (int i = 0; i < 3; i++) {
    json_t *set = json_object_get(expect, set_names[i]);
    size_t inner = ww_vector_enter(r, set_names[i]);
    e->has_set[i] = set != NULL;
    if (set && !ww_vector_roas(r, set, &e->sets[i]))
      return false;
    ww_vector_leave(r, inner);
  }
  ww_vector_leave(r, mark);
  return true;
}

/* --- running ---------------------------------------------------------------------------------------------------- */

/* True when all is as expected; else the message says what is not. */
static bool compare_verdict(struct ww_vector_test *test, const struct expectation *e, const char *call, unsigned state,
                            unsigned reason) {
  if (state == e->state && (!e->has_reason || reason == e->reason))
    return true;
  (void)snprintf(test->message, sizeof test->message, "expected %s%s%s, %s gives %s (%s)",
                 ww_origin_state_name(e->state), e->has_reason ? ", reason " : "",
                 e->has_reason ? ww_reason_name(e->reason) : "", call, ww_origin_state_name((enum ww_state)state),
                 ww_reason_name((enum ww_reason)reason));
  return false;
}

static bool is_in(const struct ww_payloads *set, const struct ww_vrp *vrp) {
  for (size_t i = 0; i < set->vrp_count; i++)
    if (ww_vrp_compare(&set->vrps[i], vrp) == 0)
      return true;
  return false;
}

static bool compare_sets(struct ww_vector_test *test, const struct expectation *e,
                         const struct ww_origin_result *result) {
  size_t found[3] = {0};
  char text[WW_PREFIX_STRLEN];
  for (size_t i = 0; i < result->hit_count; i++) {
    const struct ww_vrp_hit *hit = &result->hits[i];
    found[hit->match]++;
    if (!e->has_set[hit->match] || is_in(&e->sets[hit->match], &hit->vrp))
      continue;
    (void)snprintf(test->message, sizeof test->message, "%s holds %s-%u AS%" PRIu32 ", which is not expected",
                   set_names[hit->match], ww_prefix_format(&hit->vrp.prefix, text), hit->vrp.max_len, hit->vrp.asn);
    return false;
  }
  for (int i = 0; i < 3; i++)
    if (e->has_set[i] && found[i] != e->sets[i].vrp_count) {
      (void)snprintf(test->message, sizeof test->message, "%s holds %zu VRPs, %zu are expected", set_names[i], found[i],
                     e->sets[i].vrp_count);
      return false;
    }
  return true;
}

static enum ww_err ask(struct ww_vector_test *test, const struct ww_prefix *prefix, struct ww_origin origin,
                       const struct expectation *e) {
  /* The delta borrows the records: it is not to be freed. */
  struct ww_payload_delta delta = {.source = 1, .announce = *test->payloads};
  struct ww_snapshot *empty = ww_snapshot_new(), *snapshot = NULL;
  struct ww_origin_result result = {0};
  enum ww_reason reason;
  uint8_t state, reason_code;
  enum ww_err err = empty ? ww_snapshot_apply(empty, &delta, 1, true, &snapshot) : WW_ERR_NOMEM;
  if (!err)
    err = ww_origin_explain(snapshot, prefix, origin, &result);
  if (!err) {
    enum ww_state single = ww_origin_validate(snapshot, prefix, origin, &reason);
    ww_origin_validate_batch(snapshot, prefix, &origin, 1, &state, &reason_code);
    (void)(compare_verdict(test, e, "a single call", single, reason) &&
           compare_verdict(test, e, "a batch", state, reason_code) &&
           compare_verdict(test, e, "the explanation", result.state, result.reason) && compare_sets(test, e, &result));
  }
  ww_origin_result_fini(&result);
  ww_snapshot_unref(snapshot);
  ww_snapshot_unref(empty);
  return err;
}

static bool run(struct ww_vector_reader *r, struct ww_vector_test *test) {
  struct ww_prefix prefix;
  struct ww_origin origin = {0};
  struct expectation e = {0};
  bool ok = read_input(r, test->input, &prefix, &origin) && read_expectation(r, test->expect, &e);
  if (ok) {
    enum ww_err err = ask(test, &prefix, origin, &e);
    ok = err == WW_OK || ww_vector_bad(r, "%s", ww_err_name(err));
  }
  for (int i = 0; i < 3; i++)
    ww_payloads_fini(&e.sets[i]);
  return ok;
}

const struct ww_vector_suite ww_vector_suite_rov = {"rov", run};
