/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verdict objects of RPKI_VALIDATION, in the one schema of docs/formats/verdict.md. validator/verdict_json.c writes
 * the same from a verdict that was made here; a test holds the two equal. What only the wire has (trigger, path_id,
 * source_id, where a rule is from) stands beside it.
 */
#include <string.h>

#include "bmpout/json.h"
#include "bmpout/render_state.h"

static const char *reason_name(uint16_t reason) {
  const char *name = reason <= UINT8_MAX ? ww_reason_name((enum ww_reason)reason) : "?";
  return name[0] == '?' ? "other" : name;
}

static const char *trigger_name(uint8_t trigger) {
  static const char *const names[] = {NULL, "update", "dataset", "policy", "resync"};
  return trigger < 5 ? names[trigger] : NULL;
}

static const char *rule_kind(uint8_t kind) {
  static const char *const names[] = {NULL, "vrp", "aspa", "router-key", "as-set"};
  return kind < 5 ? names[kind] : NULL;
}

/* It stands for a key that nobody has. */
static bool is_missing(const struct ww_rule *rule) {
  static const uint8_t no_ski[WW_SKI_LEN];
  return rule->kind == WW_RULE_ROUTER_KEY && memcmp(rule->ski, no_ski, WW_SKI_LEN) == 0;
}

/* What keeps a rule from being valid, or NULL. */
static const char *rule_why(const struct ww_rule *rule) {
  if (rule->kind == WW_RULE_ASPA)
    return rule->state == WW_STATE_INVALID ? "not-provider" : NULL;
  if (rule->kind == WW_RULE_ROUTER_KEY)
    return rule->state != WW_STATE_INVALID ? NULL : is_missing(rule) ? "no-key" : "bad-signature";
  if (!(rule->flags & WW_RULE_ASN_MATCHES))
    return "as";
  return rule->flags & WW_RULE_LENGTH_OK ? NULL : "length";
}

static void providers(struct ww_json *j, const struct ww_aspa *aspa) {
  ww_json_open_array(j, "providers");
  for (uint32_t i = 0; i < aspa->provider_count; i++)
    ww_json_num(j, NULL, aspa->providers[i]);
  ww_json_close_array(j);
}

static void rule_object(struct ww_json *j, const struct ww_rule *rule, const struct ww_render_state *state) {
  ww_json_open(j, NULL);
  ww_json_str(j, "kind", rule_kind(rule->kind));
  if (rule->kind == WW_RULE_VRP) {
    ww_json_prefix(j, "prefix", &rule->vrp.prefix);
    ww_json_num(j, "maxLength", rule->vrp.max_len);
    ww_json_num(j, "asn", rule->vrp.asn);
  } else if (rule->kind == WW_RULE_ASPA) {
    ww_json_num(j, "customer", rule->aspa.customer);
    providers(j, &rule->aspa);
  } else if (rule->kind == WW_RULE_ROUTER_KEY) {
    ww_json_num(j, "asn", rule->asn);
    if (!is_missing(rule))
      ww_json_hex(j, "ski", rule->ski, WW_SKI_LEN);
  }
  ww_json_str(j, "state", ww_state_name((enum ww_state)rule->state));
  if (rule->kind >= WW_RULE_VRP && rule->kind <= WW_RULE_ROUTER_KEY) {
    const char *why = rule_why(rule);
    if (why)
      ww_json_str(j, "why", why);
  }
  if (is_missing(rule)) { /* there is no record */
    ww_json_close(j);
    return;
  }
  const char *source = ww_render_source(state, rule->source);
  if (source)
    ww_json_text(j, "source", source, strlen(source));
  else
    ww_json_num(j, "source", rule->source);
  ww_json_num(j, "source_id", rule->source);
  if (rule->flags & WW_RULE_SLURM)
    ww_json_bool(j, "slurm", true);
  if (rule->flags & WW_RULE_STATIC)
    ww_json_bool(j, "static", true);
  if (rule->flags & WW_RULE_CUT)
    ww_json_bool(j, "truncated", true);
  if (rule->expires)
    ww_json_time(j, "expires", rule->expires, 0);
  ww_json_close(j);
}

static void rule_array(struct ww_json *j, const char *key, const struct ww_rule *rules, size_t count,
                       const struct ww_render_state *state) {
  ww_json_open_array(j, key);
  for (size_t i = 0; i < count; i++)
    rule_object(j, &rules[i], state);
  ww_json_close_array(j);
}

static enum ww_state state_of(const struct ww_validation_item *item, enum ww_kind kind) {
  return item->result[kind].present ? (enum ww_state)item->result[kind].state : WW_STATE_NOT_EVALUATED;
}

static void path_members(struct ww_json *j, const struct ww_aspa_result *path) {
  ww_json_str(j, "procedure", ww_aspa_procedure_name((enum ww_aspa_procedure)path->procedure));
  ww_json_str(j, "role", ww_role_name((enum ww_role)path->role));
  if (!path->path_len)
    return;
  ww_json_num(j, "length", path->path_len);
  ww_json_num(j, "max_up", path->max_up);
  ww_json_num(j, "min_up", path->min_up);
  ww_json_num(j, "max_down", path->max_down);
  ww_json_num(j, "min_down", path->min_down);
  ww_json_open_array(j, "hops");
  for (size_t i = 0; i < path->hop_count; i++) {
    const struct ww_aspa_hop *hop = &path->hops[i];
    ww_json_open(j, NULL);
    ww_json_num(j, "customer", hop->customer);
    ww_json_num(j, "provider", hop->provider);
    ww_json_str(j, "ramp", hop->up ? "up" : "down");
    ww_json_str(j, "state", ww_aspa_hop_state_name((enum ww_aspa_hop_state)hop->state));
    if (hop->failing)
      ww_json_bool(j, "failing", true);
    ww_json_close(j);
  }
  ww_json_close_array(j);
}

static void segment_array(struct ww_json *j, const struct ww_validation_item *item) {
  ww_json_open_array(j, "segments");
  for (size_t i = 0; i < item->segment_count; i++) {
    const struct ww_bgpsec_segment_result *s = &item->segments[i];
    ww_json_open(j, NULL);
    ww_json_num(j, "asn", s->asn);
    ww_json_hex(j, "ski", s->ski, WW_SKI_LEN);
    ww_json_num(j, "suite", s->suite);
    ww_json_str(j, "state", ww_bgpsec_segment_state_name((enum ww_bgpsec_segment_state)s->state));
    ww_json_close(j);
  }
  ww_json_close_array(j);
}

static void result_objects(struct ww_json *j, const struct ww_validation_item *item) {
  ww_json_open(j, "origin_validation");
  ww_json_str(j, "state", ww_origin_state_name(state_of(item, WW_KIND_ORIGIN)));
  ww_json_str(j, "reason", reason_name(item->result[WW_KIND_ORIGIN].reason));
  ww_json_close(j);
  ww_json_open(j, "aspa");
  ww_json_str(j, "state", ww_state_name(state_of(item, WW_KIND_ASPA)));
  if (item->result[WW_KIND_ASPA].present)
    ww_json_str(j, "reason", reason_name(item->result[WW_KIND_ASPA].reason));
  if (item->path)
    path_members(j, item->path);
  ww_json_close(j);
  ww_json_open(j, "bgpsec");
  ww_json_str(j, "state", ww_state_name(state_of(item, WW_KIND_BGPSEC)));
  if (item->result[WW_KIND_BGPSEC].present)
    ww_json_str(j, "reason", reason_name(item->result[WW_KIND_BGPSEC].reason));
  if (item->segment_count)
    segment_array(j, item);
  ww_json_close(j);
}

void ww_json_verdict(struct ww_json *j, const struct ww_validation_msg *m, const struct ww_validation_item *item,
                     const struct ww_render_state *state) {
  ww_json_open(j, NULL);
  ww_json_prefix(j, "prefix", &item->prefix);
  if (item->add_path)
    ww_json_num(j, "path_id", item->path_id);
  if (m->has_path) {
    ww_json_as_path(j, "as_path", m->path);
    ww_json_origin(j, "origin", m->path);
  }
  ww_json_str(j, "state", ww_state_name((enum ww_state)item->state));
  ww_json_num(j, "epoch", item->epoch);
  ww_json_str(j, "trigger", trigger_name(item->trigger));
  result_objects(j, item);
  rule_array(j, "rules", item->rules, item->rule_count, state);
  rule_array(j, "covering", item->covering, item->covering_count, state);
  ww_json_close(j);
}
