/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sections that say where payloads come from: rtr-cache, payload-file, static.
 */
#include "daemon/config_internal.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "slurm/slurm.h"
#include "wire/rtr.h"

cfg_opt_t ww_config_rtr_options[] = {
    CFG_STR("host", NULL, CFGF_NONE),
    CFG_INT("port", 0, CFGF_NONE), /* that of the transport */
    CFG_STR("transport", "tcp", CFGF_NONE),
    CFG_STR("source-address", NULL, CFGF_NONE),
    CFG_STR("server-name", NULL, CFGF_NONE),
    CFG_STR("ca", NULL, CFGF_NONE),
    CFG_STR("certificate", NULL, CFGF_NONE),
    CFG_STR("key", NULL, CFGF_NONE),
    CFG_STR("ssh-user", NULL, CFGF_NONE),
    CFG_STR("ssh-key", NULL, CFGF_NONE),
    CFG_STR("ssh-known-hosts", NULL, CFGF_NONE),
    CFG_STR("password-file", NULL, CFGF_NONE),
    CFG_STR("key-file", NULL, CFGF_NONE),
    CFG_INT("preference", 1, CFGF_NONE),
    CFG_STR("on-expiry", "flush", CFGF_NONE),
    CFG_INT("min-version", WW_RTR_V0, CFGF_NONE),
    CFG_INT("max-version", WW_RTR_VERSION_MAX, CFGF_NONE),
    CFG_END(),
};

cfg_opt_t ww_config_file_options[] = {
    CFG_STR("path", NULL, CFGF_NONE),
    CFG_BOOL("ignore-expiry", cfg_false, CFGF_NONE),
    CFG_INT("refresh-interval", 5, CFGF_NONE),
    CFG_END(),
};

static const char *const expiry_words[] = {"flush", "keep", NULL};

static int check_expiry(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_word(cfg, opt, expiry_words); }
static int check_preference(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_range(cfg, opt, 1, UINT16_MAX); }
static int check_delay(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_range(cfg, opt, 0, WW_CONFIG_SECONDS_MAX); }

static int check_slurm(cfg_t *cfg, cfg_opt_t *opt) {
  if (cfg_opt_size(opt) > WW_SLURM_FILES_MAX) {
    cfg_error(cfg, "slurm: more than %d files", WW_SLURM_FILES_MAX);
    return -1;
  }
  return ww_config_check_text(cfg, opt);
}

static int check_version(cfg_t *cfg, cfg_opt_t *opt) {
  return ww_config_check_range(cfg, opt, WW_RTR_V0, WW_RTR_VERSION_MAX);
}

/* Sources of all kinds share the store's one space of names. */
static int check_source_name(cfg_t *cfg, cfg_t *section) {
  static const char *const kinds[] = {"rtr-cache", "payload-file"};
  if (ww_config_check_title(cfg, section) != 0)
    return -1;
  if (strcmp(cfg_title(section), WW_STATIC_SOURCE) == 0) {
    cfg_error(cfg, "%s: the name \"%s\" belongs to the static section", cfg_name(section), WW_STATIC_SOURCE);
    return -1;
  }
  if (strcmp(cfg_title(section), WW_SLURM_SOURCE) == 0) {
    cfg_error(cfg, "%s: the name \"%s\" belongs to SLURM's assertions", cfg_name(section), WW_SLURM_SOURCE);
    return -1;
  }
  for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
    for (unsigned i = 0; i < cfg_size(cfg, kinds[k]); i++) {
      cfg_t *other = cfg_getnsec(cfg, kinds[k], i);
      if (other != section && strcmp(cfg_title(other), cfg_title(section)) == 0) {
        cfg_error(cfg, "%s \"%s\": another source has this name", cfg_name(section), cfg_title(section));
        return -1;
      }
    }
  return 0;
}

/* ---- transports ---- */

static const char *const transports[] = {
    [WW_TRANSPORT_TCP] = "tcp",         [WW_TRANSPORT_TLS] = "tls",       [WW_TRANSPORT_SSH] = "ssh",
    [WW_TRANSPORT_TCP_MD5] = "tcp-md5", [WW_TRANSPORT_TCP_AO] = "tcp-ao", NULL};

/* RFC 8210 §14: rpki-rtr, rpki-rtr-tls; §9: the normal SSH port. */
static const char *const default_ports[] = {[WW_TRANSPORT_TCP] = "323",
                                            [WW_TRANSPORT_TLS] = "324",
                                            [WW_TRANSPORT_SSH] = "22",
                                            [WW_TRANSPORT_TCP_MD5] = "323",
                                            [WW_TRANSPORT_TCP_AO] = "323"};

/* Options that one transport has and the others have not. */
static const struct {
  const char *option;
  enum ww_transport transport;
  bool needed;
} transport_options[] = {
    {"server-name", WW_TRANSPORT_TLS, false},    {"ca", WW_TRANSPORT_TLS, true},
    {"certificate", WW_TRANSPORT_TLS, true},     {"key", WW_TRANSPORT_TLS, true},
    {"ssh-user", WW_TRANSPORT_SSH, true},        {"ssh-key", WW_TRANSPORT_SSH, true},
    {"ssh-known-hosts", WW_TRANSPORT_SSH, true}, {"password-file", WW_TRANSPORT_TCP_MD5, true},
    {"key-file", WW_TRANSPORT_TCP_AO, true},
};

const char *ww_transport_name(enum ww_transport transport) { return transports[transport]; }

static int check_transport(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_word(cfg, opt, transports); }

/* A number, with a scope where one is needed (RFC 4007 §11). */
static int check_source(cfg_t *cfg, cfg_opt_t *opt) {
  const char *text = ww_config_last_string(opt);
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
  struct addrinfo *found = NULL;
  int rc = getaddrinfo(text, NULL, &hints, &found);
  if (rc == 0) {
    freeaddrinfo(found);
    return 0;
  }
  cfg_error(cfg, "%s: '%s' is not an address", cfg_opt_name(opt), text);
  return -1;
}

static int check_transport_options(cfg_t *cfg, cfg_t *section) {
  int transport = ww_config_word_index(transports, cfg_getstr(section, "transport"));
  for (unsigned i = 0; i < sizeof(transport_options) / sizeof(transport_options[0]); i++) {
    const char *option = transport_options[i].option;
    bool mine = (int)transport_options[i].transport == transport;
    if (mine && transport_options[i].needed && ww_config_need(cfg, section, option))
      return -1;
    if (!mine && ww_config_has(section, option)) {
      cfg_error(cfg, "rtr-cache \"%s\": '%s' has no meaning with transport \"%s\"", cfg_title(section), option,
                transports[transport]);
      return -1;
    }
  }
  return 0;
}

static int check_rtr(cfg_t *cfg, cfg_opt_t *opt) {
  cfg_t *section = ww_config_last_section(opt);
  if (check_source_name(cfg, section) || ww_config_need(cfg, section, "host") || check_transport_options(cfg, section))
    return -1;
  long min = cfg_getint(section, "min-version"), max = cfg_getint(section, "max-version");
  if (min <= max)
    return 0;
  cfg_error(cfg, "rtr-cache \"%s\": min-version %ld is above max-version %ld", cfg_title(section), min, max);
  return -1;
}

static int check_payload_file(cfg_t *cfg, cfg_opt_t *opt) {
  cfg_t *section = ww_config_last_section(opt);
  return check_source_name(cfg, section) || ww_config_need(cfg, section, "path") ? -1 : 0;
}

static const struct ww_config_check checks[] = {
    {"slurm", check_slurm},
    {"failover-delay", check_delay},
    {"rtr-cache", check_rtr},
    {"rtr-cache|preference", check_preference},
    {"rtr-cache|on-expiry", check_expiry},
    {"rtr-cache|host", ww_config_check_text},
    {"rtr-cache|port", ww_config_check_port},
    {"rtr-cache|transport", check_transport},
    {"rtr-cache|source-address", check_source},
    {"rtr-cache|server-name", ww_config_check_text},
    {"rtr-cache|ca", ww_config_check_file},
    {"rtr-cache|certificate", ww_config_check_file},
    {"rtr-cache|key", ww_config_check_file},
    {"rtr-cache|ssh-user", ww_config_check_text},
    {"rtr-cache|ssh-key", ww_config_check_file},
    {"rtr-cache|ssh-known-hosts", ww_config_check_file},
    {"rtr-cache|password-file", ww_config_check_file},
    {"rtr-cache|key-file", ww_config_check_file},
    {"rtr-cache|min-version", check_version},
    {"rtr-cache|max-version", check_version},
    {"payload-file", check_payload_file},
    {"payload-file|path", ww_config_check_text},
    {"payload-file|refresh-interval", ww_config_check_seconds},
    {"static|vrp", ww_config_check_vrp},
    {"static|aspa", ww_config_check_aspa},
    {"static|router-key", ww_config_check_router_key},
};

static void take_transport(struct ww_config_rtr *to, cfg_t *s, bool *ok) {
  to->transport = (enum ww_transport)ww_config_word_index(transports, cfg_getstr(s, "transport"));
  to->host = ww_config_text(s, "host", ok);
  if (cfg_getint(s, "port"))
    to->port = ww_config_port(s, ok);
  else if (!(to->port = strdup(default_ports[to->transport])))
    *ok = false;
  to->source_address = ww_config_text(s, "source-address", ok);
  to->server_name = ww_config_text(s, "server-name", ok);
  to->ca = ww_config_text(s, "ca", ok);
  to->certificate = ww_config_text(s, "certificate", ok);
  to->key = ww_config_text(s, "key", ok);
  to->ssh_user = ww_config_text(s, "ssh-user", ok);
  to->ssh_key = ww_config_text(s, "ssh-key", ok);
  to->ssh_known_hosts = ww_config_text(s, "ssh-known-hosts", ok);
  to->password_file = ww_config_text(s, "password-file", ok);
  to->key_file = ww_config_text(s, "key-file", ok);
}

static bool take(struct ww_config *c, cfg_t *cfg) {
  bool ok = true;
  c->caches = ww_config_array(cfg_size(cfg, "rtr-cache"), sizeof(*c->caches), &ok);
  c->files = ww_config_array(cfg_size(cfg, "payload-file"), sizeof(*c->files), &ok);
  for (unsigned i = 0; ok && i < cfg_size(cfg, "rtr-cache"); i++) {
    cfg_t *s = cfg_getnsec(cfg, "rtr-cache", i);
    struct ww_config_rtr *to = &c->caches[c->cache_count++];
    ww_config_take_name(to->name, s);
    take_transport(to, s, &ok);
    to->preference = (uint16_t)cfg_getint(s, "preference");
    to->keep_expired = ww_config_word_index(expiry_words, cfg_getstr(s, "on-expiry")) == 1;
    to->min_version = (uint8_t)cfg_getint(s, "min-version");
    to->max_version = (uint8_t)cfg_getint(s, "max-version");
  }
  for (unsigned i = 0; ok && i < cfg_size(cfg, "payload-file"); i++) {
    cfg_t *s = cfg_getnsec(cfg, "payload-file", i);
    struct ww_config_file *to = &c->files[c->file_count++];
    ww_config_take_name(to->name, s);
    to->path = ww_config_text(s, "path", &ok);
    to->ignore_expiry = cfg_getbool(s, "ignore-expiry") == cfg_true;
    to->refresh_interval = (unsigned)cfg_getint(s, "refresh-interval");
  }
  c->failover_delay = (unsigned)cfg_getint(cfg, "failover-delay");
  c->slurm_strict = cfg_getbool(cfg, "slurm-strict") == cfg_true;
  c->slurm = ww_config_array(cfg_size(cfg, "slurm"), sizeof(*c->slurm), &ok);
  for (unsigned i = 0; ok && i < cfg_size(cfg, "slurm"); i++) {
    c->slurm[c->slurm_count] = strdup(cfg_getnstr(cfg, "slurm", i));
    ok = c->slurm[c->slurm_count++] != NULL;
  }
  return ok && ww_config_take_statics(c, cfg_getsec(cfg, "static"));
}

static void fini(struct ww_config *config) {
  for (size_t i = 0; i < config->cache_count; i++) {
    struct ww_config_rtr *c = &config->caches[i];
    char *const texts[] = {c->host,          c->port,    c->source_address, c->server_name, c->ca,
                           c->certificate,   c->key,     c->ssh_user,       c->ssh_key,     c->ssh_known_hosts,
                           c->password_file, c->key_file};
    for (unsigned k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
      free(texts[k]);
  }
  for (size_t i = 0; i < config->file_count; i++)
    free(config->files[i].path);
  for (size_t i = 0; i < config->slurm_count; i++)
    free(config->slurm[i]);
  free(config->slurm);
  ww_payloads_fini(&config->statics);
  free(config->caches);
  free(config->files);
}

const struct ww_config_part ww_config_sources = {
    .checks = checks,
    .check_count = sizeof(checks) / sizeof(checks[0]),
    .take = take,
    .fini = fini,
};
