/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A verdict in words. First what was decided, then why in sentences that name the ASes concerned and who said so, then
 * the hops and the records. Sentences speak of what makes the difference: of a Valid route what allows it, of an
 * Invalid one each hop or record that forbids it, of an Unknown one who says nothing.
 *
 * Output goes to a growing buffer. Its failures are sticky: `struct text` remembers the first one.
 *
 * Clauses: RFC 6811 §2, draft-ietf-sidrops-aspa-verification-28 §5.5, §5.6, §6.6 (name the hops that are not
 * Provider+).
 */
#include "validator/verdict_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/rules.h"

enum { LIST_MAX = 12, HOPS_MAX = 100, LINE_MAX_OCTETS = 512 };

struct text {
  struct ww_buf *out;
  const struct ww_verdict_view *view;
  enum ww_err err;
};

static void put(struct text *t, const char *fmt, ...) WW_PRINTF(2, 3);
static void put(struct text *t, const char *fmt, ...) {
  va_list args;
  uint8_t *to = t->err ? NULL : ww_buf_reserve(t->out, LINE_MAX_OCTETS);
  if (!to) {
    t->err = WW_ERR_NOMEM;
    return;
  }
  va_start(args, fmt);
  int n = vsnprintf((char *)to, LINE_MAX_OCTETS, fmt, args);
  va_end(args);
  if (n > 0) /* names are bounded by the configuration, so nothing is cut that has a name */
    ww_buf_commit(t->out, (size_t)n < LINE_MAX_OCTETS ? (size_t)n : LINE_MAX_OCTETS - 1);
}

/* "source main", or by number. */
static void put_source(struct text *t, ww_source_id source) {
  const char *name = t->view->source_name ? t->view->source_name(t->view->ctx, source) : NULL;
  if (name && name[0])
    put(t, "%s", name);
  else
    put(t, "%u", source);
}

static void put_providers(struct text *t, const struct ww_aspa *aspa) {
  for (uint32_t i = 0; i < aspa->provider_count && i < LIST_MAX; i++)
    put(t, "%sAS%" PRIu32, i ? ", " : "", aspa->providers[i]);
  if (aspa->provider_count > LIST_MAX)
    put(t, " and %" PRIu32 " more", aspa->provider_count - LIST_MAX);
}

/* --- the answer -------------------------------------------------------------------------------------------------- */

static void put_state(struct text *t, const char *state, uint8_t reason) {
  put(t, "%s", state);
  if (reason != WW_REASON_NONE)
    put(t, ": %s", ww_reason_name((enum ww_reason)reason));
}

enum ww_err ww_verdict_text_answer(struct ww_buf *out, const struct ww_verdict_view *view, const char *separator) {
  struct text t = {out, view, WW_OK};
  const struct ww_verdict *v = view->verdict;
  const char *origin = ww_origin_state_name((enum ww_state)v->origin.state);
  char prefix[WW_PREFIX_STRLEN];
  put(&t, "%s ", ww_prefix_format(&view->prefix, prefix));
  if (view->origin.none)
    put(&t, "AS_SET");
  else
    put(&t, "AS%" PRIu32, view->origin.asn);
  put(&t, "%s ", separator);
  if (v->aspa.state == WW_STATE_NOT_EVALUATED && v->bgpsec.state == WW_STATE_NOT_EVALUATED) {
    put(&t, "%s", origin);
    if (v->origin.reason != WW_REASON_NONE)
      put(&t, " (%s)", ww_reason_name((enum ww_reason)v->origin.reason));
    return t.err;
  }
  put(&t, "%s (origin ", ww_state_name((enum ww_state)v->state));
  put_state(&t, origin, v->origin.reason);
  if (v->aspa.state != WW_STATE_NOT_EVALUATED) {
    put(&t, ", aspa ");
    put_state(&t, ww_state_name((enum ww_state)v->aspa.state), v->aspa.reason);
  }
  if (v->bgpsec.state != WW_STATE_NOT_EVALUATED) {
    put(&t, ", bgpsec ");
    put_state(&t, ww_state_name((enum ww_state)v->bgpsec.state), v->bgpsec.reason);
  }
  put(&t, ")");
  return t.err;
}

/* --- origin ------------------------------------------------------------------------------------------------------- */

static void origin_invalid(struct text *t, const struct ww_origin_result *r) {
  uint32_t asn = t->view->origin.asn;
  unsigned longest = 0;
  switch ((enum ww_reason)r->reason) {
  case WW_REASON_ORIGIN_LENGTH:
    for (size_t i = 0; i < r->hit_count; i++)
      if (r->hits[i].match == WW_MATCH_LENGTH && r->hits[i].vrp.max_len > longest)
        longest = r->hits[i].vrp.max_len;
    put(t, "AS%" PRIu32 " is authorised, but for nothing longer than /%u here; this is a /%u.\n", asn, longest,
        t->view->prefix.len);
    return;
  case WW_REASON_ORIGIN_AS0:
    put(t, "The holder says with AS 0 that nobody is to originate this prefix.\n");
    return;
  case WW_REASON_ORIGIN_AS_SET:
    put(t, "The path ends in an AS_SET, so the route has no origin that a VRP could name, and the prefix is "
           "covered.\n");
    return;
  default:
    put(t, "The prefix is covered, and no VRP names AS%" PRIu32 ".\n", asn);
  }
}

static void origin_reasons(struct text *t) {
  const struct ww_origin_result *r = &t->view->verdict->origin;
  switch ((enum ww_state)r->state) {
  case WW_STATE_VALID:
    put(t, "AS%" PRIu32 " is authorised to originate this prefix.\n", t->view->origin.asn);
    return;
  case WW_STATE_UNKNOWN:
    put(t, "No VRP covers this prefix: the RPKI says nothing about it.\n");
    return;
  case WW_STATE_INVALID:
    origin_invalid(t, r);
    return;
  case WW_STATE_NOT_EVALUATED:
    return;
  case WW_STATE_NOT_READY:
    put(t, "There is no complete data yet, so there is no verdict.\n");
    return;
  }
}

/* --- the path ----------------------------------------------------------------------------------------------------- */

static bool is_as0_only(const struct ww_aspa *aspa) {
  return aspa->provider_count == 0 || (aspa->provider_count == 1 && aspa->providers[0] == 0);
}

/* "AS2 is not a provider of AS1: its ASPA of source main lists AS3, AS4." Several sources have each a clause. */
static void hop_refused(struct text *t, const struct ww_aspa_result *r, const struct ww_aspa_hop *hop) {
  bool first = true;
  put(t, "AS%" PRIu32 " is not a provider of AS%" PRIu32 ":", hop->provider, hop->customer);
  for (size_t i = 0; i < r->hit_count; i++) {
    const struct ww_aspa *aspa = &r->hits[i].aspa;
    if (aspa->customer != hop->customer)
      continue;
    put(t, "%s its ASPA of source ", first ? "" : ";");
    put_source(t, r->hits[i].source);
    if (is_as0_only(aspa)) {
      put(t, " says with AS 0 that it has none");
    } else {
      put(t, " lists ");
      put_providers(t, aspa);
    }
    first = false;
  }
  put(t, ".\n");
}

static void hop_unattested(struct text *t, const struct ww_aspa_hop *hop) {
  put(t, "AS%" PRIu32 " has no ASPA, so nobody can tell whether AS%" PRIu32 " is its provider.\n", hop->customer,
      hop->provider);
}

static void failing_hops(struct text *t, const struct ww_aspa_result *r) {
  size_t told = 0, failing = 0;
  for (size_t i = 0; i < r->hop_count; i++) {
    if (!r->hops[i].failing || ++failing > LIST_MAX)
      continue;
    told++;
    if (r->hops[i].state == WW_HOP_NOT_PROVIDER)
      hop_refused(t, r, &r->hops[i]);
    else
      hop_unattested(t, &r->hops[i]);
  }
  if (failing > told)
    put(t, "So it is with %zu more hops.\n", failing - told);
}

/* AS(i) of the draft: 1 is the origin. */
static uint32_t as_at(const struct ww_aspa_result *r, uint32_t i) {
  return i == 1 ? r->hops[0].customer : r->hops[i - 2].provider;
}

static void path_valid(struct text *t, const struct ww_aspa_result *r) {
  if (r->path_len == 1)
    put(t, "The path is the neighbor alone: there is no hop to verify.\n");
  else if (r->procedure == WW_ASPA_UPSTREAM || r->min_up == r->path_len)
    put(t, "Every hop of the path goes from a customer to a provider that its ASPA lists.\n");
  else if (r->min_down == r->path_len)
    put(t, "Every hop of the path goes from a provider down to a customer whose ASPA lists it.\n");
  else if (r->min_up + r->min_down == r->path_len)
    put(t,
        "The path climbs to AS%" PRIu32 ", crosses to AS%" PRIu32
        " and comes down from there: a peering between the two needs no ASPA.\n",
        as_at(r, r->min_up), as_at(r, r->min_up + 1));
  else
    put(t, "The path climbs to AS%" PRIu32 " and comes down from there, and ASPAs list every provider on it.\n",
        as_at(r, r->min_up));
}

static void path_invalid(struct text *t, const struct ww_aspa_result *r) {
  switch ((enum ww_reason)r->reason) {
  case WW_REASON_ASPA_VALLEY:
    put(t,
        "The path goes down and up again: from its origin it climbs no further than to AS%" PRIu32
        ", and to us it comes down from no higher than AS%" PRIu32
        "; these do not stand side by side. It is a leak, or a forged path.\n",
        as_at(r, r->max_up), as_at(r, r->path_len - r->max_down + 1));
    failing_hops(t, r);
    return;
  case WW_REASON_ASPA_NOT_PROVIDER:
    failing_hops(t, r);
    return;
  case WW_REASON_ASPA_FIRST_AS:
    if (t->view->neighbor_as)
      put(t, "The path does not begin with the neighbor, AS%" PRIu32 ".\n", t->view->neighbor_as);
    else
      put(t, "The path does not begin with the neighbor.\n");
    return;
  case WW_REASON_ASPA_AS_SET:
    put(t, "The path has an AS_SET, which cannot be verified.\n");
    return;
  case WW_REASON_ASPA_CONFED:
    put(t, "The path has a segment of a confederation, which must not leave it.\n");
    return;
  case WW_REASON_ASPA_EMPTY:
    put(t, "The path is empty, although the neighbor must stand in it.\n");
    return;
  default:
    return;
  }
}

static void path_reasons(struct text *t) {
  const struct ww_aspa_result *r = &t->view->verdict->aspa;
  if (r->reason == WW_REASON_ASPA_NO_ROLE) {
    put(t, "The path was not verified with ASPAs: our role towards the neighbor is not known.\n");
    return;
  }
  switch ((enum ww_state)r->state) {
  case WW_STATE_VALID:
    path_valid(t, r);
    return;
  case WW_STATE_INVALID:
    path_invalid(t, r);
    return;
  case WW_STATE_UNKNOWN:
    failing_hops(t, r);
    return;
  case WW_STATE_NOT_EVALUATED:
  case WW_STATE_NOT_READY: /* told once, for the origin */
    return;
  }
}

/* --- the signatures ----------------------------------------------------------------------------------------------- */

static void put_ski(struct text *t, const uint8_t *ski) {
  for (size_t i = 0; i < WW_SKI_LEN; i++)
    put(t, "%02x", ski[i]);
}

/* The failing signatures of the route, each with what is wrong. */
static void bad_signatures(struct text *t, const struct ww_bgpsec_report *r) {
  size_t bad = 0;
  for (size_t i = 0; i < r->segment_count; i++) {
    const struct ww_bgpsec_segment_result *s = &r->segments[i];
    if (!ww_segment_is_bad(s->state) || ++bad > LIST_MAX)
      continue;
    if (s->state == WW_BGPSEC_SEGMENT_NO_KEY) {
      put(t, "AS%" PRIu32 " has no router key with the SKI ", s->asn);
      put_ski(t, s->ski);
      put(t, ", so its signature cannot be verified.\n");
    } else {
      put(t, "The signature of AS%" PRIu32 " %s.\n", s->asn,
          s->state == WW_BGPSEC_SEGMENT_MALFORMED ? "is none in its form"
                                                  : "does not verify with the key that it names");
    }
  }
  if (bad > LIST_MAX)
    put(t, "So it is with %zu more signatures.\n", bad - LIST_MAX);
}

static void signature_reasons(struct text *t) {
  const struct ww_bgpsec_report *r = &t->view->verdict->bgpsec;
  switch ((enum ww_reason)r->reason) {
  case WW_REASON_BGPSEC_SIGNATURE:
  case WW_REASON_BGPSEC_NO_KEY:
    bad_signatures(t, r);
    return;
  case WW_REASON_BGPSEC_SUITE:
    put(t, "The path is signed with an algorithm that is not supported, so it counts as unsigned.\n");
    return;
  case WW_REASON_BGPSEC_PEER_AS:
    put(t, "The newest signature is not of the neighbor's AS.\n");
    return;
  case WW_REASON_BGPSEC_CONFED:
    put(t, "The signed path has a confederation's mark where there must be none, or none where there must be one.\n");
    return;
  case WW_REASON_BGPSEC_PCOUNT:
    put(t, "The neighbor hides its AS (pCount 0), and it is not configured that it may.\n");
    return;
  case WW_REASON_BGPSEC_LOOP:
    put(t, "An AS of ours is in the signed path.\n");
    return;
  case WW_REASON_BGPSEC_FORM:
    put(t, "The signed path is not in the form that RFC 8205 demands.\n");
    return;
  default:
    if (r->state == WW_STATE_VALID)
      put(t, "Every AS of the path signed it, and each signature verifies.\n");
  }
}

enum ww_err ww_verdict_text_reasons(struct ww_buf *out, const struct ww_verdict_view *view) {
  struct text t = {out, view, WW_OK};
  origin_reasons(&t);
  path_reasons(&t);
  signature_reasons(&t);
  return t.err;
}

/* --- hops and records ----------------------------------------------------------------------------------------------
 */

static void put_origin_of_record(struct text *t, ww_source_id source, ww_unix_time expires) {
  char time[WW_TIME_STRLEN];
  put(t, " from ");
  put_source(t, source);
  if (expires)
    put(t, ", expires %s", ww_time_format(expires, time));
  put(t, "\n");
}

static const char *match_words(const struct ww_vrp_hit *hit) {
  switch ((enum ww_match)hit->match) {
  case WW_MATCH_VALID:
    return "matches";
  case WW_MATCH_LENGTH:
    return "too long";
  default:
    return hit->vrp.asn == 0 ? "AS 0" : "other AS";
  }
}

static void put_vrp(struct text *t, const struct ww_vrp_hit *hit) {
  char prefix[WW_PREFIX_STRLEN], vrp[WW_PREFIX_STRLEN + 24];
  (void)snprintf(vrp, sizeof(vrp), "%s-%u AS%" PRIu32, ww_prefix_format(&hit->vrp.prefix, prefix), hit->vrp.max_len,
                 hit->vrp.asn);
  put(t, "  %-9s %-34s", match_words(hit), vrp);
  put_origin_of_record(t, hit->source, hit->vrp.expires);
}

static void put_aspa(struct text *t, const struct ww_aspa_hit *hit) {
  put(t, "  %-9s ASPA AS%" PRIu32 ": ",
      hit->match == WW_HOP_PROVIDER       ? "allows"
      : hit->match == WW_HOP_NOT_PROVIDER ? "forbids"
                                          : "no part",
      hit->aspa.customer);
  put_providers(t, &hit->aspa);
  put_origin_of_record(t, hit->source, hit->aspa.expires);
}

static void put_key(struct text *t, const struct ww_key_hit *hit) {
  put(t, "  %-9s router key AS%" PRIu32 " ", hit->match == WW_BGPSEC_SEGMENT_VALID ? "verifies" : "fails", hit->asn);
  put_ski(t, hit->ski);
  put_origin_of_record(t, hit->source, hit->expires);
}

static const char *hop_words(uint8_t state) {
  switch ((enum ww_aspa_hop_state)state) {
  case WW_HOP_PROVIDER:
    return "provider";
  case WW_HOP_NOT_PROVIDER:
    return "not a provider";
  default:
    return "no ASPA";
  }
}

enum ww_err ww_verdict_text_records(struct ww_buf *out, const struct ww_verdict_view *view) {
  struct text t = {out, view, WW_OK};
  const struct ww_origin_result *origin = &view->verdict->origin;
  const struct ww_aspa_result *aspa = &view->verdict->aspa;
  for (size_t i = 0; i < origin->hit_count; i++)
    put_vrp(&t, &origin->hits[i]);
  for (size_t i = 0; i < aspa->hop_count && i < HOPS_MAX; i++) {
    const struct ww_aspa_hop *hop = &aspa->hops[i];
    put(&t, "  hop %-5s AS%" PRIu32 " to AS%" PRIu32 ": %s%s\n", hop->up ? "up" : "down",
        hop->up ? hop->customer : hop->provider, hop->up ? hop->provider : hop->customer, hop_words(hop->state),
        hop->failing ? ", fails" : "");
  }
  if (aspa->hop_count > HOPS_MAX)
    put(&t, "  and %zu more hops\n", aspa->hop_count - HOPS_MAX);
  for (size_t i = 0; i < aspa->hit_count; i++)
    put_aspa(&t, &aspa->hits[i]);
  const struct ww_bgpsec_report *bgpsec = &view->verdict->bgpsec;
  for (size_t i = 0; i < bgpsec->segment_count && i < HOPS_MAX; i++) {
    put(&t, "  signature AS%" PRIu32 " ", bgpsec->segments[i].asn);
    put_ski(&t, bgpsec->segments[i].ski);
    put(&t, ": %s\n", ww_bgpsec_segment_state_name((enum ww_bgpsec_segment_state)bgpsec->segments[i].state));
  }
  if (bgpsec->segment_count > HOPS_MAX)
    put(&t, "  and %zu more signatures\n", bgpsec->segment_count - HOPS_MAX);
  for (size_t i = 0; i < bgpsec->hit_count; i++)
    if (!bgpsec->hits[i].missing && ww_key_hit_decides(bgpsec->state, &bgpsec->hits[i]))
      put_key(&t, &bgpsec->hits[i]);
  return t.err;
}
