/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is decided about an AS path holds for every route of a message, for they share their attributes: one Validation
 * Result, the ASPAs as Rules, and one Path Result with the hops, all of index 0, once for however many NLRIs.
 *
 * An ASPA may list thousands of providers, and a path may be long, but a message is bounded. CHOICE: the evidence of
 * the path gets a quarter of a message. What does not fit is cut in two steps (the table below), and the message says
 * so (Profile flag truncated, rule flag WW_RULE_CUT). Kept are the ASPAs that come first, which are those of failing
 * hops; of providers those that the path asks about, then the lowest; of hops those that failed, then the first.
 */
#include "bmpout/encode_path.h"

#include <stdlib.h>

#include "base/rules.h"
#include "wire/bmp_tlv.h"

enum {
  TLV_HEAD = 6 + 4, /* type, length, index, enterprise number */
  RESULT_TLV = TLV_HEAD + 4,
  RULE_TLV = TLV_HEAD + 16 + 6, /* and the providers */
  PATH_TLV = TLV_HEAD + 24,     /* and the hops */
  HOP_LEN = 10,
};

static const struct limits {
  size_t rules, providers, hops;
} limits[] = {
    [WW_PATH_WHOLE] = {WW_VALIDATION_ASPAS_MAX, WW_VALIDATION_PROVIDERS_MAX, WW_VALIDATION_HOPS_MAX},
    [WW_PATH_SHORT] = {8, 32, 32},
    [WW_PATH_LEAST] = {1, 1, 0},
};

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* What kind of TLV the ASPA becomes; 0: none. */
static uint16_t tlv_type(const struct ww_path_plan *p, const struct ww_aspa_hit *hit) {
  if (ww_aspa_hit_decides(p->aspa->state, hit))
    return WW_RPKI_TLV_RULE;
  return p->covering ? (uint16_t)WW_RPKI_TLV_COVERING_RULE : 0;
}

static void measure(struct ww_path_plan *p) {
  const struct limits *most = &limits[p->cut];
  const struct ww_aspa_result *a = p->aspa;
  p->size = RESULT_TLV;
  p->truncated = false;
  size_t rules = 0;
  for (size_t i = 0; i < a->hit_count; i++) {
    if (!tlv_type(p, &a->hits[i]))
      continue;
    if (rules++ == most->rules) {
      p->truncated = true;
      break;
    }
    p->truncated = p->truncated || a->hits[i].aspa.provider_count > most->providers;
    p->size += RULE_TLV + 4 * least(a->hits[i].aspa.provider_count, most->providers);
  }
  if (a->procedure == WW_ASPA_NONE)
    return;
  p->truncated = p->truncated || a->hop_count > most->hops;
  p->size += PATH_TLV + HOP_LEN * least(a->hop_count, most->hops);
}

struct ww_path_plan ww_path_plan(const struct ww_aspa_result *aspa, bool covering, size_t max) {
  struct ww_path_plan plan = {.aspa = aspa, .covering = covering};
  if (!aspa || (aspa->state == WW_STATE_NOT_EVALUATED && aspa->reason == WW_REASON_NONE)) {
    plan.aspa = NULL;
    return plan;
  }
  for (measure(&plan); plan.cut < WW_PATH_LEAST && plan.size > max / 4; measure(&plan))
    plan.cut = (enum ww_path_cut)(plan.cut + 1);
  return plan;
}

struct ww_path_plan ww_path_plan_least(const struct ww_aspa_result *aspa) {
  struct ww_path_plan plan = ww_path_plan(aspa, false, SIZE_MAX);
  plan.cut = WW_PATH_LEAST;
  if (plan.aspa)
    measure(&plan);
  return plan;
}

void ww_path_write_result(struct ww_writer *w, const struct ww_encode_message *m, const struct ww_path_plan *plan) {
  if (!plan->aspa)
    return;
  size_t at = ww_encode_tlv(w, m, WW_RPKI_TLV_RESULT, 0);
  ww_writer_u8(w, WW_KIND_ASPA);
  ww_writer_u8(w, plan->aspa->state);
  ww_writer_u16(w, plan->aspa->reason);
  ww_tlv_end(w, at);
}

/* ---- rules ---- */

static int compare_asns(const void *a, const void *b) {
  uint32_t x, y;
  memcpy(&x, a, sizeof x);
  memcpy(&y, b, sizeof y);
  return (x > y) - (x < y);
}

/* Whether some hop found this provider in its customer's ASPAs. */
static bool is_asked(const struct ww_aspa_result *a, uint32_t customer, uint32_t provider) {
  for (size_t i = 0; i < a->hop_count; i++)
    if (a->hops[i].customer == customer && a->hops[i].provider == provider)
      return true;
  return false;
}

static void write_providers(struct ww_writer *w, const struct ww_aspa_result *a, const struct ww_aspa *aspa,
                            size_t most) {
  size_t n = least(aspa->provider_count, most), asked = 0;
  ww_writer_u16(w, (uint16_t)n);
  if (n == aspa->provider_count) {
    for (size_t i = 0; i < n; i++)
      ww_writer_u32(w, aspa->providers[i]);
    return;
  }
  for (size_t i = 0; i < a->hop_count && asked < n; i++)
    asked +=
        a->hops[i].customer == aspa->customer && bsearch(&a->hops[i].provider, aspa->providers, aspa->provider_count,
                                                         sizeof *aspa->providers, compare_asns) != NULL;
  size_t others = n - asked;
  for (size_t i = 0; i < aspa->provider_count && n; i++) {
    /* A customer that the path comes to twice may have counted a provider twice: then the lowest others fill in. */
    bool keep = is_asked(a, aspa->customer, aspa->providers[i]);
    if (!keep && (others || aspa->provider_count - i <= n)) {
      keep = true;
      others -= others != 0;
    }
    if (keep) {
      ww_writer_u32(w, aspa->providers[i]);
      n--;
    }
  }
}

static uint8_t rule_state(const struct ww_aspa_hit *hit) {
  return hit->match == WW_HOP_PROVIDER       ? (uint8_t)WW_STATE_VALID
         : hit->match == WW_HOP_NOT_PROVIDER ? (uint8_t)WW_STATE_INVALID
                                             : (uint8_t)WW_STATE_UNKNOWN;
}

static void write_rules(struct ww_writer *w, const struct ww_encode_message *m, const struct ww_encode_routes *r,
                        const struct ww_path_plan *p) {
  const struct limits *most = &limits[p->cut];
  size_t rules = 0;
  for (size_t i = 0; i < p->aspa->hit_count && rules < most->rules; i++) {
    const struct ww_aspa_hit *hit = &p->aspa->hits[i];
    uint16_t type = tlv_type(p, hit), flags = ww_encode_source_flags(r, hit->source);
    if (!type)
      continue;
    rules++;
    if (hit->aspa.provider_count > most->providers)
      flags |= WW_RULE_CUT;
    size_t at = ww_encode_tlv(w, m, type, 0);
    ww_writer_u8(w, WW_RULE_ASPA);
    ww_writer_u8(w, rule_state(hit));
    ww_writer_u16(w, flags);
    ww_writer_u32(w, hit->source);
    ww_writer_u64(w, hit->aspa.expires > 0 ? (uint64_t)hit->aspa.expires : 0);
    ww_writer_u32(w, hit->aspa.customer);
    write_providers(w, p->aspa, &hit->aspa, most->providers);
    ww_tlv_end(w, at);
  }
}

/* ---- the path ---- */

static void write_path(struct ww_writer *w, const struct ww_encode_message *m, const struct ww_path_plan *p) {
  const struct ww_aspa_result *a = p->aspa;
  size_t n = least(a->hop_count, limits[p->cut].hops), failing = 0;
  for (size_t i = 0; i < a->hop_count; i++)
    failing += a->hops[i].failing;
  size_t others = failing < n ? n - failing : 0;
  size_t at = ww_encode_tlv(w, m, WW_RPKI_TLV_PATH_RESULT, 0);
  ww_writer_u8(w, a->procedure);
  ww_writer_u8(w, a->role);
  ww_writer_u16(w, (uint16_t)n);
  ww_writer_u32(w, a->path_len);
  ww_writer_u32(w, a->max_up);
  ww_writer_u32(w, a->min_up);
  ww_writer_u32(w, a->max_down);
  ww_writer_u32(w, a->min_down);
  for (size_t i = 0; i < a->hop_count && n; i++) {
    const struct ww_aspa_hop *hop = &a->hops[i];
    if (!hop->failing && !others)
      continue;
    others -= !hop->failing;
    n--;
    ww_writer_u32(w, hop->customer);
    ww_writer_u32(w, hop->provider);
    ww_writer_u8(w, hop->state);
    ww_writer_u8(w, (uint8_t)((hop->up ? WW_HOP_FLAG_UP : 0) | (hop->failing ? WW_HOP_FLAG_FAILING : 0)));
  }
  ww_tlv_end(w, at);
}

void ww_path_write_evidence(struct ww_writer *w, const struct ww_encode_message *m, const struct ww_encode_routes *r,
                            const struct ww_path_plan *plan) {
  if (!plan->aspa)
    return;
  write_rules(w, m, r, plan);
  if (plan->aspa->procedure != WW_ASPA_NONE)
    write_path(w, m, plan);
}
