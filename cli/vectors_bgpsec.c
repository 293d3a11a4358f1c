/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vector suite `bgpsec`: verification of signed UPDATEs. Every test is put to a fresh verifier twice, to libcrypto's
 * own verification and to the faster tier, and both must give the expected state, path and number of signatures; then
 * to the faster tier once more, which now knows the good signatures and must come to the same.
 */
#include "cli/vectors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/bgp.h"
#include <waywarden/bgpsec.h>

enum { MEMBERS_MAX = 64, SUITES_MAX = 16 };

struct question {
  uint8_t *update; /* owned */
  size_t update_len;
  struct ww_bgpsec_session session;
  uint32_t members[MEMBERS_MAX], own[MEMBERS_MAX];
  uint8_t suites[SUITES_MAX];
  size_t suite_count;
};

struct expectation {
  enum ww_bgpsec_state state;
  const char *reason; /* NULL: any */
  json_t *as_path;    /* NULL: any */
  json_int_t checked; /* negative: any number */
};

/* --- reading ---------------------------------------------------------------------------------------------------- */

static int nibble(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

static bool read_update(struct ww_vector_reader *r, json_t *input, struct question *q) {
  json_t *text = ww_vector_member(r, input, "update", JSON_STRING, true);
  if (!text)
    return false;
  const char *digits = json_string_value(text);
  size_t len = json_string_length(text);
  size_t mark = ww_vector_enter(r, "update");
  q->update = malloc(len / 2 + 1);
  if (!q->update)
    return ww_vector_bad(r, "no memory");
  for (size_t i = 0; i + 1 < len; i += 2) {
    int high = nibble(digits[i]), low = nibble(digits[i + 1]);
    if (high < 0 || low < 0)
      return ww_vector_bad(r, "is not hexadecimal");
    q->update[q->update_len++] = (uint8_t)(high << 4 | low);
  }
  if (len % 2 || len == 0)
    return ww_vector_bad(r, "must be an even number of hexadecimal digits");
  ww_vector_leave(r, mark);
  return true;
}

static bool read_as(struct ww_vector_reader *r, json_t *object, const char *name, uint32_t *asn) {
  json_t *value = json_object_get(object, name);
  if (!value)
    return ww_vector_bad(r, "lacks the member \"%s\"", name);
  size_t mark = ww_vector_enter(r, name);
  bool ok = ww_vector_asn(r, value, asn);
  if (ok)
    ww_vector_leave(r, mark);
  return ok;
}

static bool read_asns(struct ww_vector_reader *r, json_t *object, const char *name, uint32_t *asns, size_t *count) {
  json_t *array = ww_vector_member(r, object, name, JSON_ARRAY, false), *item;
  size_t i, mark = ww_vector_enter(r, name);
  if (r->error[0])
    return false;
  if (json_array_size(array) > MEMBERS_MAX)
    return ww_vector_bad(r, "must not have more than %d AS numbers", MEMBERS_MAX);
  json_array_foreach(array, i, item) {
    size_t inner = ww_vector_enter_index(r, i);
    if (!ww_vector_asn(r, item, &asns[i]))
      return false;
    ww_vector_leave(r, inner);
  }
  *count = json_array_size(array);
  ww_vector_leave(r, mark);
  return true;
}

static bool read_flag(struct ww_vector_reader *r, json_t *object, const char *name, bool *flag) {
  json_t *value = json_object_get(object, name);
  size_t mark = ww_vector_enter(r, name);
  if (value && !json_is_boolean(value))
    return ww_vector_bad(r, "must be true or false");
  *flag = json_is_true(value);
  ww_vector_leave(r, mark);
  return true;
}

static bool read_confed(struct ww_vector_reader *r, json_t *input, struct question *q) {
  static const char *const names[] = {"id", "members", NULL};
  json_t *confed = ww_vector_member(r, input, "confed", JSON_OBJECT, false);
  if (!confed)
    return !r->error[0];
  size_t mark = ww_vector_enter(r, "confed");
  if (!ww_vector_members(r, confed, names) || !read_as(r, confed, "id", &q->session.confed_id) ||
      !read_asns(r, confed, "members", q->members, &q->session.confed_member_count))
    return false;
  q->session.confed_members = q->members;
  ww_vector_leave(r, mark);
  return true;
}

static bool read_suites(struct ww_vector_reader *r, json_t *input, struct question *q) {
  json_t *array = ww_vector_member(r, input, "algorithms", JSON_ARRAY, false), *item;
  size_t i, mark = ww_vector_enter(r, "algorithms");
  if (r->error[0])
    return false;
  json_array_foreach(array, i, item) {
    json_int_t value = json_is_integer(item) ? json_integer_value(item) : 0;
    if (i == SUITES_MAX || (value != WW_BGPSEC_SUITE_P256 && (value < 0xf7 || value > 0xfe)))
      return ww_vector_bad(r, "must be at most %d of 1 and 247 to 254", SUITES_MAX);
    q->suites[q->suite_count++] = (uint8_t)value;
  }
  if (!array)
    q->suites[q->suite_count++] = WW_BGPSEC_SUITE_P256;
  ww_vector_leave(r, mark);
  return true;
}

static bool read_input(struct ww_vector_reader *r, json_t *input, struct question *q) {
  static const char *const names[] = {"update",     "peer_as",     "local_as", "allow_pcount0", "confed",
                                      "algorithms", "skip_confed", "internal", "own_as",        NULL};
  if (!input)
    return ww_vector_bad(r, "lacks the member \"input\"");
  size_t mark = ww_vector_enter(r, "input");
  if (!ww_vector_members(r, input, names) || !read_update(r, input, q) ||
      !read_as(r, input, "peer_as", &q->session.peer_as) || !read_as(r, input, "local_as", &q->session.local_as) ||
      !read_flag(r, input, "allow_pcount0", &q->session.allow_pcount0) ||
      !read_flag(r, input, "skip_confed", &q->session.skip_confed_signatures) ||
      !read_flag(r, input, "internal", &q->session.internal) ||
      !read_asns(r, input, "own_as", q->own, &q->session.own_as_count) || !read_confed(r, input, q) ||
      !read_suites(r, input, q))
    return false;
  q->session.own_as = q->own;
  ww_vector_leave(r, mark);
  return true;
}

static bool read_state(struct ww_vector_reader *r, json_t *expect, struct expectation *e) {
  json_t *word = ww_vector_member(r, expect, "state", JSON_STRING, true);
  for (int i = WW_BGPSEC_VALID; word && i <= WW_BGPSEC_WITHDRAW; i++)
    if (strcmp(json_string_value(word), ww_bgpsec_state_name((enum ww_bgpsec_state)i)) == 0) {
      e->state = (enum ww_bgpsec_state)i;
      return true;
    }
  if (!word)
    return false;
  (void)ww_vector_enter(r, "state");
  return ww_vector_bad(r, "must be valid, not-valid, unsigned or withdraw");
}

static bool read_reason(struct ww_vector_reader *r, json_t *expect, struct expectation *e) {
  json_t *word = ww_vector_member(r, expect, "reason", JSON_STRING, false);
  for (int i = WW_BGPSEC_REASON_NONE; word && i < WW_BGPSEC_REASON_DEFERRED; i++)
    if (strcmp(json_string_value(word), ww_bgpsec_reason_name((enum ww_bgpsec_reason)i)) == 0) {
      e->reason = json_string_value(word);
      return true;
    }
  if (!word)
    return !r->error[0];
  (void)ww_vector_enter(r, "reason");
  return ww_vector_bad(r, "is no reason");
}

static bool read_expectation(struct ww_vector_reader *r, json_t *expect, struct expectation *e) {
  static const char *const names[] = {"state", "reason", "as_path", "signatures_checked", NULL};
  size_t mark = ww_vector_enter(r, "expect");
  if (!ww_vector_members(r, expect, names) || !read_state(r, expect, e) || !read_reason(r, expect, e))
    return false;
  e->as_path = ww_vector_member(r, expect, "as_path", JSON_ARRAY, false);
  json_t *checked = ww_vector_member(r, expect, "signatures_checked", JSON_INTEGER, false);
  if (r->error[0])
    return false;
  e->checked = checked ? json_integer_value(checked) : -1;
  if (checked && e->checked < 0)
    return ww_vector_bad(r, "signatures_checked must not be negative");
  ww_vector_leave(r, mark);
  return true;
}

/* --- running ---------------------------------------------------------------------------------------------------- */

/* A path as vectors write it: numbers, and objects for what is inside a confederation. NULL: no memory. */
static json_t *path_json(const struct ww_bgpsec_result *result) {
  struct ww_as_path path = {.data = result->as_path, .len = result->as_path_len};
  struct ww_as_segment segment;
  json_t *array = json_array();
  bool ok = array != NULL;
  while (ok && ww_as_path_next(&path, &segment)) {
    json_t *into = array;
    if (segment.type == WW_SEG_CONFED_SEQUENCE) {
      json_t *object = json_object();
      into = json_array();
      ok = json_object_set_new(object, "confed", into) == 0 && json_array_append_new(array, object) == 0;
    }
    for (unsigned i = 0; ok && i < segment.count; i++)
      ok = json_array_append_new(into, json_integer(ww_as_segment_at(&segment, i))) == 0;
  }
  if (ok)
    return array;
  json_decref(array);
  return NULL;
}

/* `limit`: verifications that are allowed at most. True when all is as expected. */
static bool compare(struct ww_vector_test *test, const struct expectation *e, const char *how,
                    const struct ww_bgpsec_result *result, json_int_t limit) {
  const char *reason = ww_bgpsec_reason_name((enum ww_bgpsec_reason)result->reason);
  if (result->state != e->state || (e->reason && strcmp(e->reason, reason) != 0)) {
    (void)snprintf(test->message, sizeof test->message, "expected %s%s%s, %s gives %s (%s)",
                   ww_bgpsec_state_name(e->state), e->reason ? ", reason " : "", e->reason ? e->reason : "", how,
                   ww_bgpsec_state_name((enum ww_bgpsec_state)result->state), reason);
    return false;
  }
  if (limit >= 0 && (json_int_t)result->signatures_checked > limit) {
    (void)snprintf(test->message, sizeof test->message, "%s verifies %" PRIu32 " signatures, at most %lld are expected",
                   how, result->signatures_checked, (long long)limit);
    return false;
  }
  json_t *path = e->as_path ? path_json(result) : NULL;
  bool same = !e->as_path || json_equal(path, e->as_path);
  if (!same) {
    char *text = path ? json_dumps(path, JSON_COMPACT) : NULL;
    (void)snprintf(test->message, sizeof test->message, "%s gives the AS path %s", how, text ? text : "?");
    free(text);
  }
  json_decref(path);
  return same;
}

/* One verifier, `times` times. */
static enum ww_err ask(struct ww_vector_test *test, const struct question *q, const struct expectation *e,
                       const struct ww_bgpsec_keys *keys, bool reference, unsigned times) {
  static const char *const hows[] = {"a first verification", "a second verification"};
  struct ww_bgpsec_options options = {.suites = q->suites, .suite_count = q->suite_count, .reference = reference};
  struct ww_bgpsec_key_source source = ww_bgpsec_keys_source(keys);
  struct ww_bgpsec_verifier *verifier = NULL;
  struct ww_bgpsec_worker *worker = NULL;
  struct ww_bgpsec_result result = {0};
  enum ww_err err = ww_bgpsec_verifier_new(&options, &verifier);
  if (!err)
    err = ww_bgpsec_worker_new(verifier, &worker);
  for (unsigned i = 0; i < times && !err && !test->message[0]; i++) {
    err = ww_bgpsec_verify_update(worker, &source, &q->session, q->update, q->update_len, &result, NULL);
    if (!err)
      (void)compare(test, e, reference ? "the reference" : hows[i], &result, e->checked);
  }
  ww_bgpsec_result_fini(&result);
  ww_bgpsec_worker_free(worker);
  ww_bgpsec_verifier_free(verifier);
  return err;
}

static bool run(struct ww_vector_reader *r, struct ww_vector_test *test) {
  struct question q = {0};
  struct expectation e = {0};
  bool ok = read_input(r, test->input, &q) && read_expectation(r, test->expect, &e);
  if (ok) {
    struct ww_bgpsec_keys *keys = ww_bgpsec_keys_new(test->payloads->keys, test->payloads->key_count);
    enum ww_err err = keys ? ask(test, &q, &e, keys, true, 1) : WW_ERR_NOMEM;
    if (!err && !test->message[0])
      err = ask(test, &q, &e, keys, false, 2);
    ww_bgpsec_keys_free(keys);
    if (err)
      ok = ww_vector_bad(r, "input/update: %s", ww_err_name(err));
  }
  free(q.update);
  return ok;
}

const struct ww_vector_suite ww_vector_suite_bgpsec = {.name = "bgpsec", .run = run};
