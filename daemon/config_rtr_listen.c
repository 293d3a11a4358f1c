/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The section that says where routers may fetch the effective set: rtr-listen.
 */
#include "daemon/config_internal.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/listen.h"
#include "wire/rtr.h"

enum {
  CLIENTS_MAX = 10000,
  /* RFC 8210 §6 */
  REFRESH_MAX = 86400,
  RETRY_MAX = 7200,
  EXPIRE_MIN = 600,
  EXPIRE_MAX = 172800,
  /* RFC 8210 §5.2: no more than one Serial Notify a minute */
  NOTIFY_MIN = 60,
  NOTIFY_MAX = 3600,
};

cfg_opt_t ww_config_rtr_listen_options[] = {
    CFG_STR("certificate", NULL, CFGF_NONE),
    CFG_STR("key", NULL, CFGF_NONE),
    CFG_STR("ca", NULL, CFGF_NONE),
    CFG_BOOL("check-address", cfg_true, CFGF_NONE),
    CFG_INT("max-clients", 256, CFGF_NONE),
    CFG_INT("min-version", WW_RTR_V0, CFGF_NONE),
    CFG_INT("max-version", WW_RTR_VERSION_MAX, CFGF_NONE),
    CFG_INT("refresh", 3600, CFGF_NONE),
    CFG_INT("retry", 600, CFGF_NONE),
    CFG_INT("expire", 7200, CFGF_NONE),
    CFG_INT("notify-interval", 60, CFGF_NONE),
    CFG_STR("on-stop", "restart", CFGF_NONE),
    CFG_END(),
};

static const char *const farewells[] = {"restart", "shutdown", NULL};

static int check_clients(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_range(cfg, opt, 1, CLIENTS_MAX); }
static int check_version(cfg_t *cfg, cfg_opt_t *opt) {
  return ww_config_check_range(cfg, opt, WW_RTR_V0, WW_RTR_VERSION_MAX);
}
static int check_refresh(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_range(cfg, opt, 1, REFRESH_MAX); }
static int check_retry(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_range(cfg, opt, 1, RETRY_MAX); }
static int check_expire(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_range(cfg, opt, EXPIRE_MIN, EXPIRE_MAX); }
static int check_notify(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_range(cfg, opt, NOTIFY_MIN, NOTIFY_MAX); }
static int check_farewell(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_word(cfg, opt, farewells); }

static int check_listen(cfg_t *cfg, cfg_opt_t *opt) {
  static const char *const files[] = {"certificate", "key", "ca"};
  cfg_t *section = ww_config_last_section(opt);
  const char *where = cfg_title(section);
  struct sockaddr_storage address;
  socklen_t len;
  struct ww_diag diag = {0};
  if (ww_endpoint_parse(where, &address, &len, &diag) != WW_OK) {
    cfg_error(cfg, "rtr-listen: %s", diag.text);
    return -1;
  }
  unsigned given = 0;
  for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++)
    given += ww_config_has(section, files[i]);
  for (unsigned i = 0; given && i < sizeof(files) / sizeof(files[0]); i++)
    if (ww_config_need(cfg, section, files[i]) != 0) /* all three make TLS, none plain TCP */
      return -1;
  long min = cfg_getint(section, "min-version"), max = cfg_getint(section, "max-version");
  if (min > max) {
    cfg_error(cfg, "rtr-listen \"%s\": min-version %ld is above max-version %ld", where, min, max);
    return -1;
  }
  /* RFC 8210 §6: larger than both. */
  long refresh = cfg_getint(section, "refresh"), retry = cfg_getint(section, "retry");
  long expire = cfg_getint(section, "expire");
  if (expire > refresh && expire > retry)
    return 0;
  cfg_error(cfg, "rtr-listen \"%s\": expire %ld is not longer than refresh %ld and retry %ld", where, expire, refresh,
            retry);
  return -1;
}

static const struct ww_config_check checks[] = {
    {"rtr-listen", check_listen},
    {"rtr-listen|certificate", ww_config_check_file},
    {"rtr-listen|key", ww_config_check_file},
    {"rtr-listen|ca", ww_config_check_file},
    {"rtr-listen|max-clients", check_clients},
    {"rtr-listen|min-version", check_version},
    {"rtr-listen|max-version", check_version},
    {"rtr-listen|refresh", check_refresh},
    {"rtr-listen|retry", check_retry},
    {"rtr-listen|expire", check_expire},
    {"rtr-listen|notify-interval", check_notify},
    {"rtr-listen|on-stop", check_farewell},
};

static bool take(struct ww_config *c, cfg_t *cfg) {
  bool ok = true;
  c->rtr_listens = ww_config_array(cfg_size(cfg, "rtr-listen"), sizeof(*c->rtr_listens), &ok);
  for (unsigned i = 0; ok && i < cfg_size(cfg, "rtr-listen"); i++) {
    cfg_t *s = cfg_getnsec(cfg, "rtr-listen", i);
    struct ww_config_rtr_listen *to = &c->rtr_listens[c->rtr_listen_count++];
    to->where = strdup(cfg_title(s));
    ok = to->where != NULL;
    to->certificate = ww_config_text(s, "certificate", &ok);
    to->key = ww_config_text(s, "key", &ok);
    to->ca = ww_config_text(s, "ca", &ok);
    to->check_address = cfg_getbool(s, "check-address") == cfg_true;
    to->max_clients = (size_t)cfg_getint(s, "max-clients");
    to->min_version = (uint8_t)cfg_getint(s, "min-version");
    to->max_version = (uint8_t)cfg_getint(s, "max-version");
    to->refresh = (unsigned)cfg_getint(s, "refresh");
    to->retry = (unsigned)cfg_getint(s, "retry");
    to->expire = (unsigned)cfg_getint(s, "expire");
    to->notify_interval = (unsigned)cfg_getint(s, "notify-interval");
    to->shutdown = strcmp(cfg_getstr(s, "on-stop"), "shutdown") == 0;
  }
  return ok;
}

static void fini(struct ww_config *config) {
  for (size_t i = 0; i < config->rtr_listen_count; i++) {
    struct ww_config_rtr_listen *l = &config->rtr_listens[i];
    free(l->where);
    free(l->certificate);
    free(l->key);
    free(l->ca);
  }
  free(config->rtr_listens);
}

const struct ww_config_part ww_config_rtr_listens = {
    .checks = checks,
    .check_count = sizeof(checks) / sizeof(checks[0]),
    .take = take,
    .fini = fini,
};
