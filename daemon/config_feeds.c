/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sections that say which routers may send their routes: bmp-listen, router.
 */
#include "daemon/config_internal.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/listen.h"
#include "feeds/bmp_feed.h"

cfg_opt_t ww_config_listen_options[] = {
    CFG_END(),
};

static cfg_opt_t peer_options[] = {
    CFG_STR("role", NULL, CFGF_NONE),
    CFG_BOOL("allow-pcount-0", cfg_false, CFGF_NONE),
    CFG_END(),
};

cfg_opt_t ww_config_router_options[] = {
    CFG_STR("address", NULL, CFGF_NONE),
    CFG_STR("sys-name", NULL, CFGF_NONE),
    CFG_STR("local-as", "0", CFGF_NONE),
    CFG_STR_LIST("views", "{pre-policy}", CFGF_NONE),
    CFG_STR("role", "none", CFGF_NONE),
    CFG_STR("no-role", "not-evaluated", CFGF_NONE),
    CFG_SEC("peer", peer_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
    CFG_END(),
};

/* RFC 9234 §4.1, by value; behind them what is no value there. */
static const char *const roles[] = {"provider", "rs", "rs-client", "customer", "peer", "mutual-transit", "none", NULL};
static const char *const no_roles[] = {[WW_NO_ROLE_SKIP] = "not-evaluated",
                                       [WW_NO_ROLE_UNKNOWN] = "unknown",
                                       [WW_NO_ROLE_UPSTREAM] = "upstream",
                                       [WW_NO_ROLE_DOWNSTREAM] = "downstream",
                                       NULL};

/* Of a word that was checked. */
static uint8_t role_of(const char *word) {
  int i = ww_config_word_index(roles, word);
  if (i >= WW_ROLE_PROVIDER && i <= WW_ROLE_PEER)
    return (uint8_t)i;
  return i == WW_ROLE_PEER + 1 ? (uint8_t)WW_ROLE_MUTUAL_TRANSIT : (uint8_t)WW_ROLE_NONE;
}

static int check_role(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_word(cfg, opt, roles); }
static int check_no_role(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_word(cfg, opt, no_roles); }

/* A neighbor by its address, or all of an AS. */
static bool parse_peer(const char *text, struct ww_engine_role *out) {
  *out = (struct ww_engine_role){.role = WW_ROLE_NONE};
  if (ww_addr_parse(text, &out->address) == WW_OK)
    return true;
  out->address = (struct ww_addr){.afi = 0};
  return strncmp(text, "AS", 2) == 0 && ww_asn_parse(text, &out->asn) == WW_OK && out->asn != 0;
}

static int check_peer(cfg_t *cfg, cfg_opt_t *opt) {
  struct ww_engine_role peer;
  const char *title = cfg_title(ww_config_last_section(opt));
  if (parse_peer(title, &peer))
    return 0;
  cfg_error(cfg, "peer \"%s\": is neither the address of a neighbor nor an AS number such as AS64500", title);
  return -1;
}

static const char *const views[] = {[WW_VIEW_ADJ_IN_PRE] = "pre-policy", [WW_VIEW_ADJ_IN_POST] = "post-policy", NULL};

/* Of a word that was checked. */
static unsigned view_bit(const char *word) {
  int i = ww_config_word_index(views, word);
  return i < 0 ? 0 : 1u << i;
}

static int check_view(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_word(cfg, opt, views); }

static int check_listen(cfg_t *cfg, cfg_opt_t *opt) {
  struct sockaddr_storage address;
  socklen_t len;
  struct ww_diag diag = {0};
  if (ww_endpoint_parse(cfg_title(ww_config_last_section(opt)), &address, &len, &diag) == WW_OK)
    return 0;
  cfg_error(cfg, "bmp-listen: %s", diag.text);
  return -1;
}

static int check_router(cfg_t *cfg, cfg_opt_t *opt) {
  cfg_t *section = ww_config_last_section(opt);
  if (ww_config_check_title(cfg, section) != 0)
    return -1;
  if (ww_config_has(section, "address") && ww_config_has(section, "sys-name")) {
    cfg_error(cfg, "router \"%s\": is found by its address or by its sys-name, not by both", cfg_title(section));
    return -1;
  }
  return 0;
}

static const struct ww_config_check checks[] = {
    {"bmp-listen", check_listen},
    {"router", check_router},
    {"router|address", ww_config_check_address},
    {"router|sys-name", ww_config_check_text},
    {"router|local-as", ww_config_check_asn},
    {"router|views", check_view},
    {"router|role", check_role},
    {"router|no-role", check_no_role},
    {"router|peer", check_peer},
    {"router|peer|role", check_role},
};

static void take_roles(struct ww_config_router *to, cfg_t *s, bool *ok) {
  to->role = role_of(cfg_getstr(s, "role"));
  to->no_role = (uint8_t)ww_config_word_index(no_roles, cfg_getstr(s, "no-role"));
  to->peers = ww_config_array(cfg_size(s, "peer"), sizeof(*to->peers), ok);
  for (unsigned i = 0; *ok && i < cfg_size(s, "peer"); i++) {
    cfg_t *peer = cfg_getnsec(s, "peer", i);
    *ok = parse_peer(cfg_title(peer), &to->peers[i]);
    const char *role = cfg_getstr(peer, "role");
    to->peers[i].role_not_said = !role;
    if (role)
      to->peers[i].role = role_of(role);
    to->peers[i].allow_pcount0 = cfg_getbool(peer, "allow-pcount-0");
    to->peer_count++;
  }
}

static bool take(struct ww_config *c, cfg_t *cfg) {
  bool ok = true;
  c->listens = ww_config_array(cfg_size(cfg, "bmp-listen"), sizeof(*c->listens), &ok);
  c->routers = ww_config_array(cfg_size(cfg, "router"), sizeof(*c->routers), &ok);
  for (unsigned i = 0; ok && i < cfg_size(cfg, "bmp-listen"); i++) {
    c->listens[c->listen_count] = strdup(cfg_title(cfg_getnsec(cfg, "bmp-listen", i)));
    ok = c->listens[c->listen_count++] != NULL;
  }
  for (unsigned i = 0; ok && i < cfg_size(cfg, "router"); i++) {
    cfg_t *s = cfg_getnsec(cfg, "router", i);
    struct ww_config_router *to = &c->routers[c->router_count++];
    ww_config_take_name(to->name, s);
    to->sys_name = ww_config_text(s, "sys-name", &ok);
    /* These parsed when they were checked. */
    if (ww_config_has(s, "address"))
      ok = ok && ww_addr_parse(cfg_getstr(s, "address"), &to->address) == WW_OK;
    ok = ok && ww_asn_parse(cfg_getstr(s, "local-as"), &to->local_as) == WW_OK;
    for (unsigned k = 0; k < cfg_size(s, "views"); k++)
      to->views |= view_bit(cfg_getnstr(s, "views", k));
    take_roles(to, s, &ok);
  }
  return ok;
}

static void fini(struct ww_config *config) {
  for (size_t i = 0; i < config->listen_count; i++)
    free(config->listens[i]);
  for (size_t i = 0; i < config->router_count; i++) {
    free(config->routers[i].sys_name);
    free(config->routers[i].peers);
  }
  free(config->listens);
  free(config->routers);
}

const struct ww_config_part ww_config_feeds = {
    .checks = checks,
    .check_count = sizeof(checks) / sizeof(checks[0]),
    .take = take,
    .fini = fini,
};
