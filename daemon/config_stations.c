/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sections that say who is told the verdicts: station.
 */
#include "daemon/config_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "bmpout/session.h"

enum { EXAMPLE_PEN = 32473 /* RFC 5612: for documentation; see waywarden.conf(5), enterprise-number */ };

cfg_opt_t ww_config_station_options[] = {
    CFG_STR("host", NULL, CFGF_NONE),
    CFG_INT("port", 0, CFGF_NONE),
    CFG_BOOL("plain", cfg_false, CFGF_NONE),
    CFG_STR("certificate", NULL, CFGF_NONE),
    CFG_STR("key", NULL, CFGF_NONE),
    CFG_STR("ca", NULL, CFGF_NONE),
    CFG_STR("server-name", NULL, CFGF_NONE),
    CFG_STR("profile", "v4", CFGF_NONE),
    CFG_INT("enterprise-number", EXAMPLE_PEN, CFGF_NONE),
    CFG_INT("tlv-draft", 21, CFGF_NONE),
    CFG_BOOL("covering", cfg_false, CFGF_NONE),
    CFG_INT("retry-min", 30, CFGF_NONE), /* RFC 7854 §3.2: 30 and 720 seconds are suggested */
    CFG_INT("retry-max", 720, CFGF_NONE),
    CFG_END(),
};

static const char *const profiles[] = {
    [WW_PROFILE_V4] = "v4", [WW_PROFILE_EXP3] = "exp3", [WW_PROFILE_STD3] = "std3", NULL};

static int check_pen(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_range(cfg, opt, 1, UINT32_MAX); }

static int check_tlv_draft(cfg_t *cfg, cfg_opt_t *opt) {
  long value = cfg_opt_getnint(opt, cfg_opt_size(opt) - 1);
  if (value == 19 || value == 21)
    return 0;
  cfg_error(cfg, "%s: %ld is not a revision that is spoken here (19, 21)", cfg_opt_name(opt), value);
  return -1;
}

static int check_profile(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_word(cfg, opt, profiles); }

static bool is_loopback(const char *host) {
  struct in_addr v4;
  struct in6_addr v6;
  if (inet_pton(AF_INET, host, &v4) == 1)
    return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
  if (inet_pton(AF_INET6, host, &v6) == 1)
    return IN6_IS_ADDR_LOOPBACK(&v6);
  return false; /* a name may mean something else tomorrow */
}

static int check_station(cfg_t *cfg, cfg_opt_t *opt) {
  static const char *const tls_only[] = {"certificate", "key", "ca", "server-name"};
  cfg_t *section = ww_config_last_section(opt);
  const char *name = cfg_title(section);
  if (ww_config_check_title(cfg, section) || ww_config_need(cfg, section, "host"))
    return -1;
  if (cfg_getint(section, "port") == 0) {
    cfg_error(cfg, "station \"%s\": option 'port' is missing", name); /* BMPS has none assigned */
    return -1;
  }
  if (cfg_getint(section, "retry-min") > cfg_getint(section, "retry-max")) {
    cfg_error(cfg, "station \"%s\": retry-min is longer than retry-max", name);
    return -1;
  }
  if (!cfg_getbool(section, "plain"))
    return ww_config_need(cfg, section, "certificate") || ww_config_need(cfg, section, "key") ||
                   ww_config_need(cfg, section, "ca")
               ? -1
               : 0;
  /* draft-wang-grow-bmp-rpki-mon-reqs-03 §8.1: results are protected on their way. */
  if (!is_loopback(cfg_getstr(section, "host"))) {
    cfg_error(cfg, "station \"%s\": plain is for loopback addresses only, and '%s' is none; use TLS", name,
              cfg_getstr(section, "host"));
    return -1;
  }
  for (unsigned i = 0; i < sizeof(tls_only) / sizeof(tls_only[0]); i++)
    if (ww_config_has(section, tls_only[i])) {
      cfg_error(cfg, "station \"%s\": '%s' has no meaning with plain", name, tls_only[i]);
      return -1;
    }
  return 0;
}

static const struct ww_config_check checks[] = {
    {"station", check_station},
    {"station|host", ww_config_check_text},
    {"station|port", ww_config_check_port},
    {"station|certificate", ww_config_check_file},
    {"station|key", ww_config_check_file},
    {"station|ca", ww_config_check_file},
    {"station|server-name", ww_config_check_text},
    {"station|profile", check_profile},
    {"station|enterprise-number", check_pen},
    {"station|tlv-draft", check_tlv_draft},
    {"station|retry-min", ww_config_check_seconds},
    {"station|retry-max", ww_config_check_seconds},
};

static bool take(struct ww_config *c, cfg_t *cfg) {
  bool ok = true;
  c->stations = ww_config_array(cfg_size(cfg, "station"), sizeof(*c->stations), &ok);
  for (unsigned i = 0; ok && i < cfg_size(cfg, "station"); i++) {
    cfg_t *s = cfg_getnsec(cfg, "station", i);
    struct ww_config_station *to = &c->stations[c->station_count++];
    ww_config_take_name(to->name, s);
    to->host = ww_config_text(s, "host", &ok);
    to->port = ww_config_port(s, &ok);
    to->plain = cfg_getbool(s, "plain") == cfg_true;
    to->certificate = ww_config_text(s, "certificate", &ok);
    to->key = ww_config_text(s, "key", &ok);
    to->ca = ww_config_text(s, "ca", &ok);
    to->server_name = ww_config_text(s, "server-name", &ok);
    to->profile = ww_config_word_index(profiles, cfg_getstr(s, "profile"));
    to->enterprise_number = (uint32_t)cfg_getint(s, "enterprise-number");
    to->tlv_draft = (uint8_t)cfg_getint(s, "tlv-draft");
    to->covering = cfg_getbool(s, "covering") == cfg_true;
    to->retry_min = (unsigned)cfg_getint(s, "retry-min");
    to->retry_max = (unsigned)cfg_getint(s, "retry-max");
  }
  return ok;
}

static void fini(struct ww_config *config) {
  for (size_t i = 0; i < config->station_count; i++) {
    struct ww_config_station *s = &config->stations[i];
    free(s->host);
    free(s->port);
    free(s->certificate);
    free(s->key);
    free(s->ca);
    free(s->server_name);
  }
  free(config->stations);
}

const struct ww_config_part ww_config_stations = {
    .checks = checks,
    .check_count = sizeof(checks) / sizeof(checks[0]),
    .take = take,
    .fini = fini,
};
