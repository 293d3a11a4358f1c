/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was found of a route's signatures: one Validation Result, the router keys as Rules, and the BGPsec Segments.
 * A signature covers a prefix, so all this is of one NLRI, alone in its message.
 *
 * CHOICE: like that of the path (encode_path.c) this evidence gets a quarter of a message and is cut in two steps where
 * it is more. Kept are the keys that come first, which are those of failing signatures; of segments the failing ones,
 * then the newest.
 */
#include "bmpout/encode_bgpsec.h"

#include <string.h>

#include "base/rules.h"
#include "wire/bmp_tlv.h"

enum {
  TLV_HEAD = 6 + 4, /* type, length, index, enterprise number */
  RESULT_TLV = TLV_HEAD + 4,
  RULE_TLV = TLV_HEAD + 16 + 4 + WW_SKI_LEN,
  SEGMENTS_TLV = TLV_HEAD + 1, /* and the segments */
  SEGMENT_LEN = 6 + WW_SKI_LEN,
};

static const struct limits {
  size_t rules, segments;
} limits[] = {
    [WW_PATH_WHOLE] = {WW_VALIDATION_KEYS_MAX, WW_VALIDATION_SEGMENTS_MAX},
    [WW_PATH_SHORT] = {16, 32},
    [WW_PATH_LEAST] = {1, 1},
};

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static void measure(struct ww_signed_plan *p) {
  const struct limits *most = &limits[p->cut];
  const struct ww_bgpsec_report *b = p->report;
  size_t rules = 0;
  for (size_t i = 0; i < b->hit_count; i++)
    rules += ww_key_hit_decides(b->state, &b->hits[i]);
  p->truncated = rules > most->rules || b->segment_count > most->segments;
  p->size = RESULT_TLV + RULE_TLV * least(rules, most->rules);
  if (b->segment_count)
    p->size += SEGMENTS_TLV + SEGMENT_LEN * least(b->segment_count, most->segments);
}

struct ww_signed_plan ww_signed_plan(const struct ww_bgpsec_report *report, size_t max) {
  struct ww_signed_plan plan = {.report = report};
  if (!report || (report->state == WW_STATE_NOT_EVALUATED && report->reason == WW_REASON_NONE)) {
    plan.report = NULL;
    return plan;
  }
  for (measure(&plan); plan.cut < WW_PATH_LEAST && plan.size > max / 4; measure(&plan))
    plan.cut = (enum ww_path_cut)(plan.cut + 1);
  return plan;
}

struct ww_signed_plan ww_signed_plan_least(const struct ww_bgpsec_report *report) {
  struct ww_signed_plan plan = ww_signed_plan(report, SIZE_MAX);
  plan.cut = WW_PATH_LEAST;
  if (plan.report)
    measure(&plan);
  return plan;
}

bool ww_encode_bgpsec_is_sound(const struct ww_bgpsec_report *report) {
  bool bad = false;
  for (size_t i = 0; i < report->segment_count && !bad; i++)
    bad = ww_segment_is_bad(report->segments[i].state);
  switch (report->state) {
  case WW_STATE_VALID:
  case WW_STATE_NOT_EVALUATED:
    return true;
  case WW_STATE_INVALID: /* keys of failing signatures come first */
    return ww_reason_is_of_path(report->reason) ||
           (bad && report->hit_count && ww_segment_is_bad(report->hits[0].match));
  default:
    return false;
  }
}

void ww_signed_write_result(struct ww_writer *w, const struct ww_encode_message *m, const struct ww_signed_plan *plan) {
  if (!plan->report)
    return;
  size_t at = ww_encode_tlv(w, m, WW_RPKI_TLV_RESULT, 0);
  ww_writer_u8(w, WW_KIND_BGPSEC);
  ww_writer_u8(w, plan->report->state);
  ww_writer_u16(w, plan->report->reason);
  ww_tlv_end(w, at);
}

static void write_rule(struct ww_writer *w, const struct ww_encode_message *m, const struct ww_encode_routes *r,
                       const struct ww_key_hit *hit) {
  static const uint8_t no_ski[WW_SKI_LEN];
  size_t at = ww_encode_tlv(w, m, WW_RPKI_TLV_RULE, 0);
  ww_writer_u8(w, WW_RULE_ROUTER_KEY);
  ww_writer_u8(w, hit->match == WW_BGPSEC_SEGMENT_VALID ? (uint8_t)WW_STATE_VALID : (uint8_t)WW_STATE_INVALID);
  ww_writer_u16(w, hit->missing ? 0 : ww_encode_source_flags(r, hit->source));
  ww_writer_u32(w, hit->missing ? 0 : hit->source);
  ww_writer_u64(w, hit->missing || hit->expires < 0 ? 0 : (uint64_t)hit->expires);
  ww_writer_u32(w, hit->asn);
  ww_writer_bytes(w, hit->missing ? no_ski : hit->ski, WW_SKI_LEN);
  ww_tlv_end(w, at);
}

static void write_segments(struct ww_writer *w, const struct ww_encode_message *m, const struct ww_signed_plan *p) {
  const struct ww_bgpsec_report *b = p->report;
  size_t n = least(b->segment_count, limits[p->cut].segments), failing = 0;
  for (size_t i = 0; i < b->segment_count; i++)
    failing += ww_segment_is_bad(b->segments[i].state);
  size_t others = failing < n ? n - failing : 0;
  size_t at = ww_encode_tlv(w, m, WW_RPKI_TLV_BGPSEC_SEGMENTS, 0);
  ww_writer_u8(w, (uint8_t)n);
  for (size_t i = 0; i < b->segment_count && n; i++) {
    const struct ww_bgpsec_segment_result *s = &b->segments[i];
    bool bad = ww_segment_is_bad(s->state);
    if (!bad && !others)
      continue;
    others -= !bad;
    n--;
    ww_writer_u32(w, s->asn);
    ww_writer_u8(w, s->suite);
    ww_writer_u8(w, s->state);
    ww_writer_bytes(w, s->ski, WW_SKI_LEN);
  }
  ww_tlv_end(w, at);
}

void ww_signed_write_evidence(struct ww_writer *w, const struct ww_encode_message *m, const struct ww_encode_routes *r,
                              const struct ww_signed_plan *plan) {
  const struct ww_bgpsec_report *b = plan->report;
  size_t rules = 0;
  for (size_t i = 0; b && i < b->hit_count && rules < limits[plan->cut].rules; i++)
    if (ww_key_hit_decides(b->state, &b->hits[i])) {
      write_rule(w, m, r, &b->hits[i]);
      rules++;
    }
  if (b && b->segment_count)
    write_segments(w, m, plan);
}
