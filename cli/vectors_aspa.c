/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vector suite `aspa`: AS_PATH verification. Every test is put to the call that only answers and to the one that
 * explains; both must give the expected state and reason, and the explanation the expected hops.
 *
 * `local_role` says what we are to the neighbor, `direction` only which procedure that leads to. The neighbor is the
 * path's first AS unless `neighbor_as` says otherwise.
 */
#include "cli/vectors.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/route_input.h"
#include "wire/bgp.h"
#include <waywarden/aspa.h>

enum { PATH_MAX_OCTETS = 65536, PATH_MAX_ASNS = PATH_MAX_OCTETS / 4 };

struct question {
  struct ww_aspa_path path;
  struct ww_aspa_session session;
  uint32_t asns[PATH_MAX_ASNS];
};

struct expectation {
  enum ww_state state;
  bool has_reason;
  enum ww_reason reason;
  json_t *hops; /* NULL: not looked at */
};

/* --- input -------------------------------------------------------------------------------------------------------- */

static bool read_path(struct ww_vector_reader *r, json_t *input, struct question *q) {
  static uint8_t octets[PATH_MAX_OCTETS];
  struct ww_writer w = ww_writer_make(octets, sizeof octets);
  json_t *array = ww_vector_member(r, input, "as_path", JSON_ARRAY, true);
  size_t mark = ww_vector_enter(r, "as_path");
  if (!array || !ww_vector_path(r, array, &w))
    return false;
  ww_vector_leave(r, mark);
  struct ww_as_path path = {octets, w.len};
  struct ww_as_segment segment;
  q->path = (struct ww_aspa_path){.asns = q->asns};
  while (ww_as_path_next(&path, &segment)) {
    q->path.has_set = q->path.has_set || segment.type == WW_SEG_AS_SET;
    q->path.has_confed =
        q->path.has_confed || segment.type == WW_SEG_CONFED_SEQUENCE || segment.type == WW_SEG_CONFED_SET;
    for (unsigned i = 0; i < segment.count; i++)
      q->asns[q->path.count++] = ww_as_segment_at(&segment, i);
  }
  return true;
}

static bool read_word(struct ww_vector_reader *r, json_t *input, const char *name,
                      bool (*parse)(const char *, uint8_t *), uint8_t *role) {
  json_t *word = json_object_get(input, name);
  size_t mark = ww_vector_enter(r, name);
  if (word && (!json_is_string(word) || !parse(json_string_value(word), role)))
    return ww_vector_bad(r, "is none that there is");
  ww_vector_leave(r, mark);
  return true;
}

static bool read_input(struct ww_vector_reader *r, json_t *input, struct question *q) {
  static const char *const names[] = {"as_path", "local_role", "direction", "neighbor_as", NULL};
  uint8_t role = WW_ROLE_NONE, direction = WW_ROLE_NONE;
  if (!input)
    return ww_vector_bad(r, "lacks the member \"input\"");
  size_t mark = ww_vector_enter(r, "input");
  if (!ww_vector_members(r, input, names) || !read_path(r, input, q) ||
      !read_word(r, input, "local_role", ww_role_parse, &role) ||
      !read_word(r, input, "direction", ww_direction_parse, &direction))
    return false;
  if (role == WW_ROLE_NONE && direction == WW_ROLE_NONE)
    return ww_vector_bad(r, "must have \"local_role\" or \"direction\"");
  if (role != WW_ROLE_NONE && direction != WW_ROLE_NONE &&
      ww_aspa_procedure_of((enum ww_role)role) != ww_aspa_procedure_of((enum ww_role)direction))
    return ww_vector_bad(r, "has a role and a direction that contradict each other");
  q->session.role = role != WW_ROLE_NONE ? role : direction;
  q->session.neighbor_as = q->path.count ? q->asns[0] : 0;
  json_t *neighbor = json_object_get(input, "neighbor_as");
  size_t inner = ww_vector_enter(r, "neighbor_as");
  if (neighbor && !ww_vector_asn(r, neighbor, &q->session.neighbor_as))
    return false;
  ww_vector_leave(r, inner);
  ww_vector_leave(r, mark);
  return true;
}

/* --- expectation ----------------------------------------------------------------------------------------------------
 */

static bool read_state(struct ww_vector_reader *r, json_t *expect, enum ww_state *state) {
  static const enum ww_state states[] = {WW_STATE_VALID, WW_STATE_INVALID, WW_STATE_UNKNOWN};
  json_t *word = ww_vector_member(r, expect, "state", JSON_STRING, true);
  if (!word)
    return false;
  for (unsigned i = 0; i < 3; i++)
    if (strcmp(json_string_value(word), ww_state_name(states[i])) == 0) {
      *state = states[i];
      return true;
    }
  size_t mark = ww_vector_enter(r, "state");
  (void)ww_vector_bad(r, "is not valid, invalid or unknown");
  ww_vector_leave(r, mark);
  return false;
}

static bool read_reason(struct ww_vector_reader *r, json_t *expect, struct expectation *e) {
  static const enum ww_reason reasons[] = {WW_REASON_NONE,          WW_REASON_ASPA_NOT_PROVIDER, WW_REASON_ASPA_VALLEY,
                                           WW_REASON_ASPA_FIRST_AS, WW_REASON_ASPA_AS_SET,       WW_REASON_ASPA_CONFED,
                                           WW_REASON_ASPA_EMPTY,    WW_REASON_ASPA_UNATTESTED};
  json_t *word = json_object_get(expect, "reason");
  e->has_reason = word != NULL;
  for (unsigned i = 0; json_is_string(word) && i < sizeof reasons / sizeof reasons[0]; i++)
    if (strcmp(json_string_value(word), ww_reason_name(reasons[i])) == 0) {
      e->reason = reasons[i];
      return true;
    }
  if (!word)
    return true;
  size_t mark = ww_vector_enter(r, "reason");
  (void)ww_vector_bad(r, "is no reason of this suite");
  ww_vector_leave(r, mark);
  return false;
}

static bool read_hop(struct ww_vector_reader *r, json_t *object, struct ww_aspa_hop *hop) {
  static const char *const names[] = {"customer", "provider", "state", NULL};
  if (!ww_vector_members(r, object, names))
    return false;
  json_t *customer = ww_vector_member(r, object, "customer", JSON_INTEGER, true);
  json_t *provider = ww_vector_member(r, object, "provider", JSON_INTEGER, true);
  json_t *state = ww_vector_member(r, object, "state", JSON_STRING, true);
  if (!customer || !provider || !state || !ww_vector_asn(r, customer, &hop->customer) ||
      !ww_vector_asn(r, provider, &hop->provider))
    return false;
  for (uint8_t i = 0; i <= WW_HOP_NO_ATTESTATION; i++)
    if (strcmp(json_string_value(state), ww_aspa_hop_state_name((enum ww_aspa_hop_state)i)) == 0) {
      hop->state = i;
      return true;
    }
  return ww_vector_bad(r, "has a state that is none of provider, not-provider, no-attestation");
}

static bool read_expectation(struct ww_vector_reader *r, json_t *expect, struct expectation *e) {
  static const char *const names[] = {"state", "reason", "hops", NULL};
  if (!expect)
    return ww_vector_bad(r, "lacks the member \"expect\"");
  size_t mark = ww_vector_enter(r, "expect");
  if (!ww_vector_members(r, expect, names) || !read_state(r, expect, &e->state) || !read_reason(r, expect, e))
    return false;
  e->hops = ww_vector_member(r, expect, "hops", JSON_ARRAY, false);
  size_t list = ww_vector_enter(r, "hops");
  for (size_t i = 0; i < json_array_size(e->hops); i++) {
    struct ww_aspa_hop hop;
    size_t inner = ww_vector_enter_index(r, i);
    if (!read_hop(r, json_array_get(e->hops, i), &hop))
      return false;
    ww_vector_leave(r, inner);
  }
  ww_vector_leave(r, list);
  ww_vector_leave(r, mark);
  return !r->error[0];
}

/* --- comparing ---------------------------------------------------------------------------------------------------- */

static bool compare_answer(struct ww_vector_test *test, const struct expectation *e, const char *who,
                           enum ww_state state, enum ww_reason reason) {
  if (state != e->state)
    (void)snprintf(test->message, sizeof test->message, "%s says %s (%s), %s is expected", who, ww_state_name(state),
                   ww_reason_name(reason), ww_state_name(e->state));
  else if (e->has_reason && reason != e->reason)
    (void)snprintf(test->message, sizeof test->message, "%s gives the reason %s, %s is expected", who,
                   ww_reason_name(reason), ww_reason_name(e->reason));
  return !test->message[0];
}

static void compare_hops(struct ww_vector_reader *r, struct ww_vector_test *test, const struct expectation *e,
                         const struct ww_aspa_result *result) {
  if (!e->hops)
    return;
  if (json_array_size(e->hops) != result->hop_count) {
    (void)snprintf(test->message, sizeof test->message, "there are %zu hops, %zu are expected", result->hop_count,
                   json_array_size(e->hops));
    return;
  }
  for (size_t i = 0; i < result->hop_count; i++) {
    struct ww_aspa_hop want = {0};
    const struct ww_aspa_hop *got = &result->hops[i];
    (void)read_hop(r, json_array_get(e->hops, i), &want); /* read before, and sound */
    if (got->customer != want.customer || got->provider != want.provider || got->state != want.state) {
      (void)snprintf(test->message, sizeof test->message,
                     "hop %zu is %" PRIu32 " to %" PRIu32 ", %s; %" PRIu32 " to %" PRIu32 ", %s is expected", i,
                     got->customer, got->provider, ww_aspa_hop_state_name((enum ww_aspa_hop_state)got->state),
                     want.customer, want.provider, ww_aspa_hop_state_name((enum ww_aspa_hop_state)want.state));
      return;
    }
  }
}

static enum ww_err ask(struct ww_vector_reader *r, struct ww_vector_test *test, const struct question *q,
                       const struct expectation *e) {
  /* The delta borrows the records: it is not to be freed. */
  struct ww_payload_delta delta = {.source = 1, .announce = *test->payloads};
  struct ww_snapshot *empty = ww_snapshot_new(), *snapshot = NULL;
  struct ww_aspa_result result = {0};
  enum ww_reason reason;
  enum ww_err err = empty ? ww_snapshot_apply(empty, &delta, 1, true, &snapshot) : WW_ERR_NOMEM;
  if (!err)
    err = ww_aspa_explain(snapshot, &q->path, &q->session, &result);
  if (!err) {
    enum ww_state state = ww_aspa_verify(snapshot, &q->path, &q->session, &reason);
    if (compare_answer(test, e, "the answer", state, reason) &&
        compare_answer(test, e, "the explanation", (enum ww_state)result.state, (enum ww_reason)result.reason))
      compare_hops(r, test, e, &result);
  }
  ww_aspa_result_fini(&result);
  ww_snapshot_unref(snapshot);
  ww_snapshot_unref(empty);
  return err;
}

static bool run(struct ww_vector_reader *r, struct ww_vector_test *test) {
  static struct question q; /* large, and one test runs at a time */
  struct expectation e = {0};
  if (!read_input(r, test->input, &q) || !read_expectation(r, test->expect, &e))
    return false;
  enum ww_err err = ask(r, test, &q, &e);
  return err == WW_OK || ww_vector_bad(r, "%s", ww_err_name(err));
}

const struct ww_vector_suite ww_vector_suite_aspa = {"aspa", run};
