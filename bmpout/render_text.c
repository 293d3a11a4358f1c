/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BMP messages for a terminal: a line for each route with its verdict and why, a line for anything else. Text from
 * peers loses its control characters, so that no router can steer a terminal.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/rules.h"
#include "bmpout/json.h"
#include "bmpout/render.h"
#include "bmpout/render_state.h"

enum { RENDER_ARENA_MAX = 64 << 20, LINE_MAX_LEN = 1024, RULES_SHOWN = 3, PROVIDERS_SHOWN = 8 };

/* Lines under construction; what does not fit a line is cut. */
struct text {
  struct ww_buf *out;
  struct ww_buf lines; /* handed over when all went well */
  char line[LINE_MAX_LEN];
  size_t len;
  bool failed;
};

static void add(struct text *t, const char *fmt, ...) WW_PRINTF(2, 3);

static void add(struct text *t, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  int n = vsnprintf(t->line + t->len, sizeof t->line - t->len, fmt, args);
  va_end(args);
  if (n > 0)
    t->len += (size_t)n < sizeof t->line - t->len ? (size_t)n : sizeof t->line - t->len - 1;
}

static void add_foreign(struct text *t, const void *data, size_t len) {
  const uint8_t *p = data;
  for (size_t i = 0; i < len; i++)
    add(t, "%c", p[i] >= 0x20 && p[i] != 0x7f && p[i] < 0x80 ? (char)p[i] : '?');
}

static void end_line(struct text *t) {
  t->line[t->len] = '\n';
  if (ww_buf_append(&t->lines, t->line, t->len + 1) != WW_OK)
    t->failed = true;
  t->len = 0;
}

static void start_line(struct text *t, const struct ww_parsed *p, const struct ww_render_options *options) {
  char addr[WW_ADDR_STRLEN];
  if (options->state && ww_render_state_router(options->state)[0]) {
    const char *router = ww_render_state_router(options->state);
    add_foreign(t, router, strlen(router));
    add(t, " ");
  }
  if (!p->has_peer)
    return;
  struct ww_addr peer = ww_bmp_peer_addr(&p->peer);
  add(t, "%s AS%u  ", peer.afi ? ww_addr_format(&peer, addr) : "Loc-RIB", p->peer.asn);
}

static void add_prefix(struct text *t, const struct ww_prefix *prefix, bool add_path, uint32_t path_id) {
  char text[WW_PREFIX_STRLEN];
  add(t, "%s", ww_prefix_format(prefix, text));
  if (add_path)
    add(t, " (path %u)", path_id);
  add(t, "  ");
}

static void add_rule(struct text *t, const struct ww_rule *rule, const struct ww_render_state *state) {
  char text[WW_PREFIX_STRLEN];
  if (rule->kind == WW_RULE_VRP) {
    add(t, "; VRP %s-%u AS%u", ww_prefix_format(&rule->vrp.prefix, text), rule->vrp.max_len, rule->vrp.asn);
  } else if (rule->kind == WW_RULE_ASPA) {
    add(t, "; ASPA AS%u:", rule->aspa.customer);
    for (uint32_t i = 0; i < rule->aspa.provider_count && i < PROVIDERS_SHOWN; i++)
      add(t, " AS%u", rule->aspa.providers[i]);
    if (rule->aspa.provider_count > PROVIDERS_SHOWN)
      add(t, " ...");
  } else if (rule->kind == WW_RULE_ROUTER_KEY) {
    static const uint8_t no_ski[WW_SKI_LEN];
    bool missing = memcmp(rule->ski, no_ski, WW_SKI_LEN) == 0;
    add(t, missing ? "; no router key of AS%u" : "; router key AS%u ", rule->asn);
    for (size_t i = 0; i < WW_SKI_LEN && !missing; i++)
      add(t, "%02x", rule->ski[i]);
    if (missing)
      return;
  } else {
    add(t, "; rule of kind %u", rule->kind);
    return;
  }
  const char *source = ww_render_source(state, rule->source);
  if (source) {
    add(t, " from ");
    add_foreign(t, source, strlen(source));
  }
}

/* What was found out about the path, when it was looked at, by the hop that decided. */
static void add_path_result(struct text *t, const struct ww_validation_item *item) {
  static const char *const words[] = {"valid", "unknown", "invalid"};
  if (!item->result[WW_KIND_ASPA].present || item->result[WW_KIND_ASPA].state > WW_STATE_INVALID)
    return;
  uint16_t reason = item->result[WW_KIND_ASPA].reason;
  add(t, "; ASPA %s", words[item->result[WW_KIND_ASPA].state]);
  if (ww_reason_is_of_path(reason))
    add(t, " (%s)", ww_reason_name((enum ww_reason)reason));
  for (size_t i = 0; item->path && i < item->path->hop_count; i++) {
    const struct ww_aspa_hop *hop = &item->path->hops[i];
    if (!hop->failing)
      continue;
    if (hop->state == WW_HOP_NO_ATTESTATION)
      add(t, ": AS%u has no ASPA", hop->customer);
    else
      add(t, ": AS%u is no provider of AS%u", hop->provider, hop->customer);
    break;
  }
}

/* What became of the signatures, by the one that decided. */
static void add_signatures(struct text *t, const struct ww_validation_item *item) {
  static const char *const words[] = {"valid", "unknown", "not valid", "not evaluated"};
  if (!item->result[WW_KIND_BGPSEC].present)
    return;
  uint16_t reason = item->result[WW_KIND_BGPSEC].reason;
  add(t, "; BGPsec %s", words[item->result[WW_KIND_BGPSEC].state]);
  if (reason)
    add(t, " (%s)", ww_reason_name((enum ww_reason)reason));
  for (size_t i = 0; i < item->segment_count; i++)
    if (ww_segment_is_bad(item->segments[i].state)) {
      add(t, ": signature of AS%u", item->segments[i].asn);
      break;
    }
}

static void verdict_line(struct text *t, const struct ww_parsed *p, const struct ww_validation_item *item,
                         const struct ww_render_options *options) {
  static const char *const words[] = {"VALID", "UNKNOWN", "INVALID", "NOT EVALUATED"};
  bool path_judged = item->result[WW_KIND_ASPA].present && item->result[WW_KIND_ASPA].state <= WW_STATE_INVALID;
  const struct ww_validation_msg *m = &p->validation;
  uint32_t origin;
  start_line(t, p, options);
  add_prefix(t, &item->prefix, item->add_path, item->path_id);
  if (item->withdrawn) {
    add(t, "withdrawn");
    end_line(t);
    return;
  }
  add(t, "%s (", item->state == WW_STATE_UNKNOWN && !path_judged ? "NOT FOUND" : words[item->state]);
  if (m->has_path && ww_path_origin(m->path, &origin))
    add(t, "origin AS%u", origin);
  else
    add(t, "no origin");
  for (size_t i = 0; i < item->rule_count && i < RULES_SHOWN; i++)
    add_rule(t, &item->rules[i], options->state);
  if (item->rule_count > RULES_SHOWN)
    add(t, "; and %zu more", item->rule_count - RULES_SHOWN);
  if (item->result[WW_KIND_ORIGIN].present && item->result[WW_KIND_ORIGIN].state == WW_STATE_UNKNOWN)
    add(t, "; no VRP covers it");
  add_path_result(t, item);
  add_signatures(t, item);
  add(t, ")");
  end_line(t);
}

static void validation_lines(struct text *t, const struct ww_parsed *p, const struct ww_render_options *options) {
  const struct ww_validation_msg *m = &p->validation;
  if (m->profile_flags & WW_PROFILE_SNAPSHOT_START) {
    start_line(t, p, options);
    add(t, "tells everything again (%u)", m->snapshot_id);
    end_line(t);
  }
  for (size_t i = 0; i < m->item_count; i++)
    verdict_line(t, p, &m->items[i], options);
  if (m->eor) {
    start_line(t, p, options);
    add(t, "end of RIB, %s", m->eor_afi == WW_AFI_IPV4 ? "IPv4" : "IPv6");
    end_line(t);
  }
  if (m->profile_flags & WW_PROFILE_SNAPSHOT_END) {
    start_line(t, p, options);
    add(t, "has told everything again (%u)", m->snapshot_id);
    end_line(t);
  }
}

static void nlri_lines(struct text *t, const struct ww_parsed *p, const struct ww_nlri nlri[2],
                       const struct ww_bgp_update *announced, const struct ww_render_options *options) {
  char path[512];
  for (unsigned i = 0; i < 2; i++) {
    struct ww_nlri rest = nlri[i];
    struct ww_prefix prefix;
    uint32_t path_id;
    while (ww_nlri_next(&rest, &prefix, &path_id)) {
      start_line(t, p, options);
      add_prefix(t, &prefix, nlri[i].add_path, path_id);
      if (!announced)
        add(t, "withdrawn");
      else if (announced->has_as_path)
        add(t, "path %s", ww_as_path_format(announced->as_path, path, sizeof path));
      else
        add(t, "announced");
      end_line(t);
    }
  }
}

static enum ww_err monitoring_lines(struct text *t, const struct ww_parsed *p, const struct ww_render_options *options,
                                    struct ww_arena *arena) {
  struct ww_bgp_session session = ww_render_session(options->state, &p->peer);
  struct ww_bgp_update u;
  struct ww_diag inner = {0};
  size_t len;
  uint8_t type;
  if (ww_bgp_frame(p->update, p->update_len, WW_BGP_MAX_LEN_EXTENDED, &len, &type, &inner) != WW_OK ||
      type != WW_BGP_UPDATE) {
    start_line(t, p, options);
    add(t, "Route Monitoring without a sound UPDATE");
    end_line(t);
    return WW_OK;
  }
  enum ww_err err =
      ww_bgp_update_decode(p->update + WW_BGP_HEADER_LEN, len - WW_BGP_HEADER_LEN, &session, arena, &u, &inner);
  if (err != WW_OK)
    return err;
  if (u.disposition != WW_BGP_ACCEPT) {
    start_line(t, p, options);
    add(t, "UPDATE: %s: %s", ww_bgp_disposition_name(u.disposition), inner.text);
    end_line(t);
  }
  nlri_lines(t, p, u.withdrawn, NULL, options);
  nlri_lines(t, p, u.announced, u.disposition < WW_BGP_TREAT_AS_WITHDRAW ? &u : NULL, options);
  if (u.eor) {
    start_line(t, p, options);
    add(t, "end of RIB, %s", u.eor_afi == WW_AFI_IPV4 ? "IPv4" : "IPv6");
    end_line(t);
  }
  return WW_OK;
}

static void other_line(struct text *t, const struct ww_parsed *p, const struct ww_render_options *options) {
  struct ww_bmp_tlv tlv;
  start_line(t, p, options);
  switch (p->type) {
  case WW_BMP_PEER_UP:
    add(t, "peer up");
    break;
  case WW_BMP_PEER_DOWN:
    add(t, "peer down (reason %u)", p->msg.u.down.reason);
    break;
  case WW_BMP_INITIATION:
    add(t, "session begins");
    for (struct ww_reader r = p->msg.u.info.tlvs; ww_bmp_tlv_next(&r, &tlv);)
      if (tlv.type == WW_BMP_INFO_SYS_DESCR) {
        add(t, ": ");
        add_foreign(t, tlv.value, tlv.len);
      }
    break;
  case WW_BMP_TERMINATION:
    add(t, "session ends");
    for (struct ww_reader r = p->msg.u.info.tlvs; ww_bmp_tlv_next(&r, &tlv);)
      if (tlv.type == WW_BMP_TERM_REASON && tlv.len >= 2)
        add(t, " (reason %u)", (unsigned)tlv.value[0] << 8 | tlv.value[1]);
    break;
  default:
    add(t, "%s", p->foreign ? "message 252 of another enterprise" : ww_bmp_type_name(p->type));
    if (!p->foreign && p->type > WW_BMP_ROUTE_MIRRORING)
      add(t, " %u, %zu octets", p->type, p->len);
    break;
  }
  end_line(t);
}

enum ww_err ww_bmp_render_text(const uint8_t *msg, size_t len, const struct ww_render_options *options,
                               struct ww_buf *out, struct ww_diag *diag) {
  struct ww_arena arena;
  struct ww_parsed p;
  struct text t = {.out = out};
  ww_arena_init(&arena, RENDER_ARENA_MAX);
  ww_buf_init(&t.lines, 0);
  enum ww_err err = ww_parse(msg, len, options, &arena, &p, diag);
  if (err == WW_OK) {
    if (p.is_validation)
      validation_lines(&t, &p, options);
    else if (p.type == WW_BMP_ROUTE_MONITORING)
      err = monitoring_lines(&t, &p, options, &arena);
    else
      other_line(&t, &p, options);
  }
  if (err == WW_OK && (t.failed || (t.lines.len && ww_buf_append(out, ww_buf_head(&t.lines), t.lines.len) != WW_OK)))
    err = WW_ERR_NOMEM;
  ww_buf_fini(&t.lines);
  ww_arena_fini(&arena);
  return err == WW_ERR_NOMEM ? ww_fail(diag, err, 0, NULL, "memory ran out") : err;
}
