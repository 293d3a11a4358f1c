/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verdicts as JSON, by yajl's generator: nothing is collected, members are written as they come.
 *
 * `rules` are the records that decided: for a valid route those that match, for an invalid one all that cover it, for
 * an unknown one none. `covering` are the records beside the point: those that cover a valid route without matching it.
 * AS paths are written as the conformance vectors write them: numbers, an array for an AS_SET, {"confed": []} and
 * {"confed_set": []} for the segments of confederations.
 *
 * yajl_gen is sticky: after the first failure every call reports it. It is asked once, at the end, by closing the
 * object.
 *
 * Clauses: draft-wang-grow-bmp-rpki-mon-reqs-03 §5.2 (which rules a verdict lists), RFC 3339 §5.6.
 */
#include "validator/verdict_json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"

enum { SEGMENT_SET = 1, SEGMENT_SEQUENCE = 2, SEGMENT_CONFED_SEQUENCE = 3, SEGMENT_CONFED_SET = 4 }; /* RFC 5065 §3 */

static void json_text(yajl_gen gen, const char *text) {
  (void)yajl_gen_string(gen, (const unsigned char *)text, strlen(text));
}

static void text_member(yajl_gen gen, const char *key, const char *value) {
  json_text(gen, key);
  json_text(gen, value);
}

static void number_member(yajl_gen gen, const char *key, int64_t value) {
  json_text(gen, key);
  (void)yajl_gen_integer(gen, value);
}

char *ww_time_format(int64_t unix_sec, char *buf) {
  static const int64_t last = INT64_C(253402300799), first = INT64_C(-62167219200); /* years 9999 and 0 */
  time_t t = (time_t)(unix_sec > last ? last : unix_sec < first ? first : unix_sec);
  struct tm tm;
  if (!gmtime_r(&t, &tm) || !strftime(buf, WW_TIME_STRLEN, "%Y-%m-%dT%H:%M:%SZ", &tm))
    (void)snprintf(buf, WW_TIME_STRLEN, "%lld", (long long)unix_sec);
  return buf;
}

static void as_path(yajl_gen gen, const uint8_t *octets, size_t len) {
  struct ww_reader r = ww_reader_make(octets, len);
  (void)yajl_gen_array_open(gen);
  while (ww_reader_left(&r)) {
    uint8_t type = ww_reader_u8(&r);
    uint8_t count = ww_reader_u8(&r);
    struct ww_reader asns = ww_reader_sub(&r, (size_t)count * 4);
    bool confed = type == SEGMENT_CONFED_SEQUENCE || type == SEGMENT_CONFED_SET;
    if (confed) {
      (void)yajl_gen_map_open(gen);
      json_text(gen, type == SEGMENT_CONFED_SET ? "confed_set" : "confed");
    }
    if (type != SEGMENT_SEQUENCE)
      (void)yajl_gen_array_open(gen);
    while (ww_reader_left(&asns))
      (void)yajl_gen_integer(gen, ww_reader_u32(&asns));
    if (type != SEGMENT_SEQUENCE)
      (void)yajl_gen_array_close(gen);
    if (confed)
      (void)yajl_gen_map_close(gen);
  }
  (void)yajl_gen_array_close(gen);
}

static void rule(yajl_gen gen, const struct ww_verdict_view *view, const struct ww_vrp_hit *hit) {
  char buf[WW_PREFIX_STRLEN]; /* more than a time needs */
  _Static_assert(sizeof(buf) >= WW_TIME_STRLEN, "a time must fit");
  (void)yajl_gen_map_open(gen);
  text_member(gen, "kind", "vrp");
  text_member(gen, "prefix", ww_prefix_format(&hit->vrp.prefix, buf));
  number_member(gen, "maxLength", hit->vrp.max_len);
  number_member(gen, "asn", hit->vrp.asn);
  text_member(gen, "state", hit->match == WW_MATCH_VALID ? "valid" : "invalid");
  if (hit->match != WW_MATCH_VALID)
    text_member(gen, "why", hit->match == WW_MATCH_LENGTH ? "length" : "as");
  const char *name = view->source_name ? view->source_name(view->ctx, hit->source) : NULL;
  if (name && name[0])
    text_member(gen, "source", name);
  else
    number_member(gen, "source", hit->source);
  if (hit->vrp.expires)
    text_member(gen, "expires", ww_time_format(hit->vrp.expires, buf));
  (void)yajl_gen_map_close(gen);
}

/* The hits that decided, or the others. */
static void rules(yajl_gen gen, const char *key, const struct ww_verdict_view *view, bool decided) {
  const struct ww_origin_result *result = view->origin_result;
  json_text(gen, key);
  (void)yajl_gen_array_open(gen);
  for (size_t i = 0; i < result->hit_count; i++) {
    bool listed = result->state == WW_STATE_INVALID ||
                  (result->state == WW_STATE_VALID && result->hits[i].match == WW_MATCH_VALID);
    if (listed == decided)
      rule(gen, view, &result->hits[i]);
  }
  (void)yajl_gen_array_close(gen);
}

static void kind_state(yajl_gen gen, const char *key, const char *state) {
  json_text(gen, key);
  (void)yajl_gen_map_open(gen);
  text_member(gen, "state", state);
  (void)yajl_gen_map_close(gen);
}

enum ww_err ww_verdict_json(yajl_gen gen, const struct ww_verdict_view *view) {
  const struct ww_origin_result *result = view->origin_result;
  enum ww_state origin = (enum ww_state)result->state;
  char buf[WW_PREFIX_STRLEN];
  if (yajl_gen_map_open(gen) != yajl_gen_status_ok)
    return WW_ERR_STATE;
  text_member(gen, "prefix", ww_prefix_format(&view->prefix, buf));
  if (view->as_path) {
    json_text(gen, "as_path");
    as_path(gen, view->as_path, view->as_path_len);
  }
  json_text(gen, "origin");
  if (view->origin.none)
    (void)yajl_gen_null(gen);
  else
    (void)yajl_gen_integer(gen, view->origin.asn);
  text_member(gen, "state", ww_state_name(ww_verdict_combine(origin, view->aspa, view->bgpsec)));
  number_member(gen, "epoch", view->epoch);
  json_text(gen, "origin_validation");
  (void)yajl_gen_map_open(gen);
  text_member(gen, "state", ww_origin_state_name(origin));
  text_member(gen, "reason", ww_reason_name((enum ww_reason)result->reason));
  (void)yajl_gen_map_close(gen);
  kind_state(gen, "aspa", ww_state_name(view->aspa));
  kind_state(gen, "bgpsec", ww_state_name(view->bgpsec));
  rules(gen, "rules", view, true);
  rules(gen, "covering", view, false);
  return yajl_gen_map_close(gen) == yajl_gen_status_ok ? WW_OK : WW_ERR_STATE;
}
