/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RFC 6811 §2 as it is written, one definition a function, over an unsorted look at every VRP. Nothing here knows of
 * tries, blocks or caches, and nothing is shared with the code under test but the plain value types; bits are compared
 * one by one.
 */
#include "model_rov.h"

#include <stdlib.h>
#include <string.h>

static bool bit_of(const struct ww_prefix *prefix, unsigned i) { return prefix->addr[i / 8] & 0x80 >> i % 8; }

/* "the VRP prefix length is less than or equal to the Route prefix length, and the VRP prefix address and the Route
 * prefix address are identical for all bits specified by the VRP prefix length" */
static bool is_covered(const struct ww_prefix *route, const struct ww_vrp *vrp) {
  if (route->afi != vrp->prefix.afi || vrp->prefix.len > route->len)
    return false;
  for (unsigned i = 0; i < vrp->prefix.len; i++)
    if (bit_of(route, i) != bit_of(&vrp->prefix, i))
      return false;
  return true;
}

/* "the Route Prefix is Covered by that VRP, the Route prefix length is less than or equal to the VRP maximum length,
 * and the Route Origin ASN is equal to the VRP ASN"; "a Route whose Origin ASN is "NONE" cannot be Matched by any VRP";
 * "no Route can be Matched by a VRP whose ASN is zero" */
static bool is_matched(const struct ww_prefix *route, struct ww_origin origin, const struct ww_vrp *vrp) {
  return is_covered(route, vrp) && route->len <= vrp->max_len && !origin.none && vrp->asn != 0 &&
         origin.asn == vrp->asn;
}

static void add_hit(struct ww_origin_result *result, const struct model_record *record, enum ww_match match) {
  if (result->hit_count == result->hit_cap) {
    result->hit_cap = result->hit_cap * 2 + 8;
    result->hits = realloc(result->hits, result->hit_cap * sizeof *result->hits);
    if (!result->hits)
      abort();
  }
  result->hits[result->hit_count++] =
      (struct ww_vrp_hit){.vrp = record->vrp, .source = record->source, .match = (uint8_t)match};
}

static enum ww_match match_of(const struct ww_prefix *route, struct ww_origin origin, const struct ww_vrp *vrp) {
  if (is_matched(route, origin, vrp))
    return WW_MATCH_VALID;
  if (!origin.none && vrp->asn != 0 && origin.asn == vrp->asn)
    return WW_MATCH_LENGTH;
  return WW_MATCH_AS;
}

void model_validate(const struct model *model, const struct ww_prefix *route, struct ww_origin origin,
                    struct ww_origin_result *result) {
  static const enum ww_match order[] = {WW_MATCH_VALID, WW_MATCH_LENGTH, WW_MATCH_AS};
  size_t covered = 0, matched = 0, named = 0, not_as0 = 0;
  result->hit_count = 0;
  for (size_t i = 0; i < model->count; i++) {
    const struct ww_vrp *vrp = &model->records[i].vrp;
    if (!is_covered(route, vrp))
      continue;
    covered++;
    matched += is_matched(route, origin, vrp);
    named += match_of(route, origin, vrp) == WW_MATCH_LENGTH;
    not_as0 += vrp->asn != 0;
  }
  for (unsigned pass = 0; pass < 3; pass++)
    for (size_t i = 0; i < model->count; i++)
      if (is_covered(route, &model->records[i].vrp) && match_of(route, origin, &model->records[i].vrp) == order[pass])
        add_hit(result, &model->records[i], order[pass]);
  result->reason = WW_REASON_NONE;
  if (covered == 0) {
    result->state = WW_STATE_UNKNOWN; /* "NotFound: No VRP Covers the Route Prefix." */
  } else if (matched > 0) {
    result->state = WW_STATE_VALID; /* "Valid: At least one VRP Matches the Route Prefix." */
  } else {
    result->state = WW_STATE_INVALID; /* "Invalid: At least one VRP Covers the Route Prefix, but no VRP Matches it." */
    result->reason = named         ? WW_REASON_ORIGIN_LENGTH
                     : !not_as0    ? WW_REASON_ORIGIN_AS0
                     : origin.none ? WW_REASON_ORIGIN_AS_SET
                                   : WW_REASON_ORIGIN_AS;
  }
}

void model_fini(struct model *model) {
  free(model->records);
  *model = (struct model){0};
}

static int compare(const struct model_record *a, const struct ww_vrp *vrp, ww_source_id source) {
  int order = ww_vrp_compare(&a->vrp, vrp);
  return order ? order : (int)a->source - (int)source;
}

/* Where the record is, or belongs. */
static size_t place_of(const struct model *model, const struct ww_vrp *vrp, ww_source_id source) {
  size_t i = 0;
  while (i < model->count && compare(&model->records[i], vrp, source) < 0)
    i++;
  return i;
}

void model_apply(struct model *model, const struct ww_payload_delta *delta) {
  for (size_t i = 0; i < delta->withdraw.vrp_count; i++) {
    size_t at = place_of(model, &delta->withdraw.vrps[i], delta->source);
    if (at == model->count || compare(&model->records[at], &delta->withdraw.vrps[i], delta->source) != 0)
      continue;
    model->count--;
    memmove(&model->records[at], &model->records[at + 1], (model->count - at) * sizeof *model->records);
  }
  for (size_t i = 0; i < delta->announce.vrp_count; i++) {
    size_t at = place_of(model, &delta->announce.vrps[i], delta->source);
    if (at == model->count || compare(&model->records[at], &delta->announce.vrps[i], delta->source) != 0) {
      if (model->count == model->cap) {
        model->cap = model->cap * 2 + 16;
        model->records = realloc(model->records, model->cap * sizeof *model->records);
        if (!model->records)
          abort();
      }
      memmove(&model->records[at + 1], &model->records[at], (model->count - at) * sizeof *model->records);
      model->count++;
    }
    model->records[at] = (struct model_record){.vrp = delta->announce.vrps[i], .source = delta->source};
  }
  for (size_t i = 0; i < delta->refresh.vrp_count; i++) {
    size_t at = place_of(model, &delta->refresh.vrps[i], delta->source);
    if (at < model->count && compare(&model->records[at], &delta->refresh.vrps[i], delta->source) == 0)
      model->records[at].vrp.expires = delta->refresh.vrps[i].expires;
  }
}
