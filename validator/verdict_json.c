/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verdicts as JSON: nothing is collected, members are written as they come, straight to the caller's buffer. A batch of
 * routes is answered by this code, so it is written for speed: no printf, no copies, and names of ours unescaped.
 *
 * `rules` are the records that decided, kind by kind: for Valid those that match, or authorise a hop; for Invalid all
 * that cover the route, or were part of the answer about its path or signatures; for Unknown none. `covering` are the
 * records beside the point: those that cover a valid route without matching it, ASPAs of the path that decided nothing.
 * AS paths are written as the conformance vectors write them: numbers, an array for an AS_SET, {"confed": []} and
 * {"confed_set": []} for the segments of confederations.
 *
 * Clauses: draft-wang-grow-bmp-rpki-mon-reqs-03 §5.2 (which rules a verdict lists), RFC 3339 §5.6.
 */
#include "validator/verdict_json.h"

#include "base/bytes.h"
#include "base/calendar.h"
#include "base/json_write.h"
#include "base/rules.h"

enum { SEGMENT_SET = 1, SEGMENT_SEQUENCE = 2, SEGMENT_CONFED_SEQUENCE = 3, SEGMENT_CONFED_SET = 4 }; /* RFC 5065 §3 */

char *ww_time_format(int64_t unix_sec, char *buf) {
  static const int64_t last = INT64_C(253402300799), first = INT64_C(-62167219200); /* years 9999 and 0 */
  struct ww_calendar c;
  (void)ww_calendar_from_unix(unix_sec > last ? last : unix_sec < first ? first : unix_sec, &c);
  const unsigned parts[] = {c.month, c.day, c.hour, c.minute, c.second};
  char *p = ww_decimal_pair(ww_decimal_pair(buf, c.year / 100), c.year % 100);
  for (unsigned i = 0; i < 5; i++) {
    *p++ = "--T::"[i];
    p = ww_decimal_pair(p, parts[i]);
  }
  *p++ = 'Z';
  *p = '\0';
  return buf;
}

static void as_path(struct ww_jsonw *w, const uint8_t *octets, size_t len) {
  struct ww_reader r = ww_reader_make(octets, len);
  ww_jsonw_open(w, "as_path", '[');
  while (ww_reader_left(&r)) {
    uint8_t type = ww_reader_u8(&r);
    uint8_t count = ww_reader_u8(&r);
    struct ww_reader asns = ww_reader_sub(&r, (size_t)count * 4);
    bool confed = type == SEGMENT_CONFED_SEQUENCE || type == SEGMENT_CONFED_SET;
    if (confed)
      ww_jsonw_open(w, NULL, '{');
    if (type != SEGMENT_SEQUENCE)
      ww_jsonw_open(w, !confed ? NULL : type == SEGMENT_CONFED_SET ? "confed_set" : "confed", '[');
    while (ww_reader_left(&asns))
      ww_jsonw_u32(w, NULL, ww_reader_u32(&asns));
    if (type != SEGMENT_SEQUENCE)
      ww_jsonw_close(w, ']');
    if (confed)
      ww_jsonw_close(w, '}');
  }
  ww_jsonw_close(w, ']');
}

static void source_member(struct ww_jsonw *w, const struct ww_verdict_view *view, ww_source_id source) {
  const char *name = view->source_name ? view->source_name(view->ctx, source) : NULL;
  if (name && name[0])
    ww_jsonw_text(w, "source", name);
  else
    ww_jsonw_u32(w, "source", source);
}

static void expires_member(struct ww_jsonw *w, ww_unix_time expires) {
  char buf[WW_TIME_STRLEN];
  if (expires)
    ww_jsonw_word(w, "expires", ww_time_format(expires, buf));
}

static void vrp_rule(struct ww_jsonw *w, const struct ww_verdict_view *view, const struct ww_vrp_hit *hit) {
  char buf[WW_PREFIX_STRLEN];
  ww_jsonw_open(w, NULL, '{');
  ww_jsonw_word(w, "kind", "vrp");
  ww_jsonw_word(w, "prefix", ww_prefix_format(&hit->vrp.prefix, buf));
  ww_jsonw_u32(w, "maxLength", hit->vrp.max_len);
  ww_jsonw_u32(w, "asn", hit->vrp.asn);
  ww_jsonw_word(w, "state", hit->match == WW_MATCH_VALID ? "valid" : "invalid");
  if (hit->match != WW_MATCH_VALID)
    ww_jsonw_word(w, "why", hit->match == WW_MATCH_LENGTH ? "length" : "as");
  source_member(w, view, hit->source);
  expires_member(w, hit->vrp.expires);
  ww_jsonw_close(w, '}');
}

static void aspa_rule(struct ww_jsonw *w, const struct ww_verdict_view *view, const struct ww_aspa_hit *hit) {
  ww_jsonw_open(w, NULL, '{');
  ww_jsonw_word(w, "kind", "aspa");
  ww_jsonw_u32(w, "customer", hit->aspa.customer);
  ww_jsonw_open(w, "providers", '[');
  for (uint32_t i = 0; i < hit->aspa.provider_count; i++)
    ww_jsonw_u32(w, NULL, hit->aspa.providers[i]);
  ww_jsonw_close(w, ']');
  ww_jsonw_word(w, "state",
                hit->match == WW_HOP_PROVIDER       ? "valid"
                : hit->match == WW_HOP_NOT_PROVIDER ? "invalid"
                                                    : "unknown");
  if (hit->match == WW_HOP_NOT_PROVIDER)
    ww_jsonw_word(w, "why", "not-provider");
  source_member(w, view, hit->source);
  expires_member(w, hit->aspa.expires);
  ww_jsonw_close(w, '}');
}

static void ski_member(struct ww_jsonw *w, const uint8_t *ski) {
  static const char digits[] = "0123456789abcdef";
  char text[2 * WW_SKI_LEN + 1] = {0};
  for (size_t i = 0; i < WW_SKI_LEN; i++) {
    text[2 * i] = digits[ski[i] >> 4];
    text[2 * i + 1] = digits[ski[i] & 15];
  }
  ww_jsonw_word(w, "ski", text);
}

static void key_rule(struct ww_jsonw *w, const struct ww_verdict_view *view, const struct ww_key_hit *hit) {
  bool valid = hit->match == WW_BGPSEC_SEGMENT_VALID;
  ww_jsonw_open(w, NULL, '{');
  ww_jsonw_word(w, "kind", "router-key");
  ww_jsonw_u32(w, "asn", hit->asn);
  if (!hit->missing)
    ski_member(w, hit->ski);
  ww_jsonw_word(w, "state", valid ? "valid" : "invalid");
  if (!valid)
    ww_jsonw_word(w, "why", hit->missing ? "no-key" : "bad-signature");
  if (!hit->missing) {
    source_member(w, view, hit->source);
    expires_member(w, hit->expires);
  }
  ww_jsonw_close(w, '}');
}

/* The hits that decided, or the others. Of router keys only the former: what failed in a block that another one made up
 * for stands in the segments. */
static void rules(struct ww_jsonw *w, const char *key, const struct ww_verdict_view *view, bool decided) {
  const struct ww_origin_result *origin = &view->verdict->origin;
  const struct ww_aspa_result *aspa = &view->verdict->aspa;
  ww_jsonw_open(w, key, '[');
  for (size_t i = 0; i < origin->hit_count; i++)
    if (ww_vrp_hit_decides(origin->state, &origin->hits[i]) == decided)
      vrp_rule(w, view, &origin->hits[i]);
  for (size_t i = 0; i < aspa->hit_count; i++)
    if (ww_aspa_hit_decides(aspa->state, &aspa->hits[i]) == decided)
      aspa_rule(w, view, &aspa->hits[i]);
  const struct ww_bgpsec_report *bgpsec = &view->verdict->bgpsec;
  for (size_t i = 0; decided && i < bgpsec->hit_count; i++)
    if (ww_key_hit_decides(bgpsec->state, &bgpsec->hits[i]))
      key_rule(w, view, &bgpsec->hits[i]);
  ww_jsonw_close(w, ']');
}

static void hop(struct ww_jsonw *w, const struct ww_aspa_hop *h) {
  ww_jsonw_open(w, NULL, '{');
  ww_jsonw_u32(w, "customer", h->customer);
  ww_jsonw_u32(w, "provider", h->provider);
  ww_jsonw_word(w, "ramp", h->up ? "up" : "down");
  ww_jsonw_word(w, "state", ww_aspa_hop_state_name((enum ww_aspa_hop_state)h->state));
  if (h->failing)
    ww_jsonw_raw(w, "failing", "true");
  ww_jsonw_close(w, '}');
}

static void aspa_object(struct ww_jsonw *w, const struct ww_aspa_result *r) {
  ww_jsonw_open(w, "aspa", '{');
  ww_jsonw_word(w, "state", ww_state_name((enum ww_state)r->state));
  if (r->state != WW_STATE_NOT_EVALUATED || r->reason != WW_REASON_NONE)
    ww_jsonw_word(w, "reason", ww_reason_name((enum ww_reason)r->reason));
  if (r->procedure != WW_ASPA_NONE) {
    ww_jsonw_word(w, "procedure", ww_aspa_procedure_name((enum ww_aspa_procedure)r->procedure));
    ww_jsonw_word(w, "role", ww_role_name((enum ww_role)r->role));
  }
  if (r->path_len > 0) {
    ww_jsonw_u32(w, "length", r->path_len);
    ww_jsonw_u32(w, "max_up", r->max_up);
    ww_jsonw_u32(w, "min_up", r->min_up);
    ww_jsonw_u32(w, "max_down", r->max_down);
    ww_jsonw_u32(w, "min_down", r->min_down);
    ww_jsonw_open(w, "hops", '[');
    for (size_t i = 0; i < r->hop_count; i++)
      hop(w, &r->hops[i]);
    ww_jsonw_close(w, ']');
  }
  ww_jsonw_close(w, '}');
}

static void bgpsec_object(struct ww_jsonw *w, const struct ww_bgpsec_report *r) {
  ww_jsonw_open(w, "bgpsec", '{');
  ww_jsonw_word(w, "state", ww_state_name((enum ww_state)r->state));
  if (r->state != WW_STATE_NOT_EVALUATED || r->reason != WW_REASON_NONE) {
    ww_jsonw_word(w, "reason", ww_reason_name((enum ww_reason)r->reason));
    if (r->segment_count)
      ww_jsonw_open(w, "segments", '[');
    for (size_t i = 0; i < r->segment_count; i++) {
      const struct ww_bgpsec_segment_result *s = &r->segments[i];
      ww_jsonw_open(w, NULL, '{');
      ww_jsonw_u32(w, "asn", s->asn);
      ski_member(w, s->ski);
      ww_jsonw_u32(w, "suite", s->suite);
      ww_jsonw_word(w, "state", ww_bgpsec_segment_state_name((enum ww_bgpsec_segment_state)s->state));
      ww_jsonw_close(w, '}');
    }
    if (r->segment_count)
      ww_jsonw_close(w, ']');
  }
  ww_jsonw_close(w, '}');
}

static void verdict_object(struct ww_jsonw *w, const struct ww_verdict_view *view) {
  const struct ww_verdict *verdict = view->verdict;
  char buf[WW_PREFIX_STRLEN];
  ww_jsonw_open(w, NULL, '{');
  ww_jsonw_word(w, "prefix", ww_prefix_format(&view->prefix, buf));
  if (view->as_path)
    as_path(w, view->as_path, view->as_path_len);
  if (view->origin.none)
    ww_jsonw_raw(w, "origin", "null");
  else
    ww_jsonw_u32(w, "origin", view->origin.asn);
  ww_jsonw_word(w, "state", ww_state_name((enum ww_state)verdict->state));
  ww_jsonw_u32(w, "epoch", verdict->epoch);
  ww_jsonw_open(w, "origin_validation", '{');
  ww_jsonw_word(w, "state", ww_origin_state_name((enum ww_state)verdict->origin.state));
  ww_jsonw_word(w, "reason", ww_reason_name((enum ww_reason)verdict->origin.reason));
  ww_jsonw_close(w, '}');
  aspa_object(w, &verdict->aspa);
  bgpsec_object(w, &verdict->bgpsec);
  rules(w, "rules", view, true);
  rules(w, "covering", view, false);
  ww_jsonw_close(w, '}');
}

enum ww_err ww_verdict_json(struct ww_buf *out, const struct ww_verdict_view *view, bool indent) {
  struct ww_jsonw w;
  ww_jsonw_begin(&w, out, indent);
  verdict_object(&w, view);
  return ww_jsonw_end(&w);
}
