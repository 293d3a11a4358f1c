/* SPDX-License-Identifier: BSD-2-Clause */
/* RPKI_VALIDATION: any octets; what decodes must keep the invariants that a reader relies on. */
#include <stdlib.h>

#include "base/rules.h"
#include "bmpout/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct ww_validation_item *item) {
  size_t valid = 0, invalid = 0;
  for (size_t i = 0; i < item->rule_count; i++) {
    valid += item->rules[i].state == WW_STATE_VALID;
    invalid += item->rules[i].state == WW_STATE_INVALID;
  }
  if (item->withdrawn ? item->has_state || item->rule_count : !item->has_state)
    abort();
  if (item->withdrawn)
    return;
  for (size_t i = 0; i < item->rule_count + item->covering_count; i++) {
    const struct ww_rule *rule = i < item->rule_count ? &item->rules[i] : &item->covering[i - item->rule_count];
    if (rule->kind != WW_RULE_ASPA)
      continue;
    for (uint32_t k = 1; k < rule->aspa.provider_count; k++)
      if (rule->aspa.providers[k] <= rule->aspa.providers[k - 1])
        abort();
  }
  for (size_t i = 0; item->path && i < item->path->hop_count; i++)
    if (item->path->hops[i].state > WW_HOP_NO_ATTESTATION)
      abort();
  bool of_path = false;
  for (unsigned kind = WW_KIND_ASPA; kind <= WW_KIND_BGPSEC; kind++)
    of_path |= item->result[kind].state == WW_STATE_INVALID && ww_reason_is_of_path(item->result[kind].reason);
  bool bad_segment = false, bad_key = false;
  for (size_t i = 0; i < item->segment_count; i++) {
    if (item->segments[i].state > WW_BGPSEC_SEGMENT_UNSUPPORTED)
      abort();
    bad_segment |= ww_segment_is_bad(item->segments[i].state);
  }
  for (size_t i = 0; i < item->rule_count; i++)
    bad_key |= item->rules[i].kind == WW_RULE_ROUTER_KEY && item->rules[i].state == WW_STATE_INVALID;
  if (item->result[WW_KIND_BGPSEC].state == WW_STATE_INVALID && !(bad_segment && bad_key) &&
      !ww_reason_is_of_path(item->result[WW_KIND_BGPSEC].reason))
    abort();
  if ((item->state == WW_STATE_VALID && valid != item->rule_count) ||
      (item->state == WW_STATE_UNKNOWN && item->rule_count) ||
      (item->state == WW_STATE_INVALID && !invalid && !of_path))
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct ww_arena arena;
  struct ww_validation_msg m;
  struct ww_diag diag = {0};
  ww_arena_init(&arena, (size_t)64 << 20);
  if (ww_validation_decode(data, size, WW_PEN_EXAMPLE, &arena, &m, &diag) == WW_OK)
    for (size_t i = 0; i < m.item_count; i++)
      check(&m.items[i]);
  else if (!diag.text[0] || diag.offset > size)
    abort(); /* a failure says where and why */
  ww_arena_fini(&arena);
  return 0;
}
