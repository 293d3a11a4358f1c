/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the configuration with libConfuse and turns it into plain structures.
 *
 * The tables at the top are the grammar: libConfuse refuses what is not in them, and waywarden.conf(5) is tested
 * against them. Values are checked where they stand, by validation callbacks, so that an error carries the line of
 * the option; what only shows when a section is complete carries the line of its closing brace.
 *
 * libConfuse reports errors through a callback without a context pointer; the diagnostic of the load under way is kept
 * in `loading`, which is the one static variable of this file. Loading is for the main thread.
 */
#include "daemon/config.h"

#include <arpa/inet.h>
#include <confuse.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "bmpout/session.h"
#include "daemon/listen.h"
#include "feeds/bmp_feed.h"
#include "wire/rtr.h"

enum {
  SECONDS_MAX = 86400,
  JOURNAL_MIN = 16,
  JOURNAL_MAX = 1 << 24,
  EXAMPLE_PEN = 32473, /* RFC 5612: for documentation; see waywarden.conf(5), enterprise-number */
};

static cfg_opt_t rtr_options[] = {
    CFG_STR("host", NULL, CFGF_NONE),
    CFG_INT("port", 323, CFGF_NONE), /* RFC 8210 §12: rpki-rtr */
    CFG_INT("min-version", WW_RTR_V0, CFGF_NONE),
    CFG_INT("max-version", WW_RTR_VERSION_MAX, CFGF_NONE),
    CFG_END(),
};

static cfg_opt_t file_options[] = {
    CFG_STR("path", NULL, CFGF_NONE),
    CFG_BOOL("ignore-expiry", cfg_false, CFGF_NONE),
    CFG_INT("refresh-interval", 5, CFGF_NONE),
    CFG_END(),
};

static cfg_opt_t static_options[] = {
    CFG_STR_LIST("vrp", "{}", CFGF_NONE),
    CFG_END(),
};

static cfg_opt_t listen_options[] = {
    CFG_END(),
};

static cfg_opt_t router_options[] = {
    CFG_STR("address", NULL, CFGF_NONE),
    CFG_STR("sys-name", NULL, CFGF_NONE),
    CFG_STR("local-as", "0", CFGF_NONE),
    CFG_STR_LIST("views", "{pre-policy}", CFGF_NONE),
    CFG_END(),
};

static cfg_opt_t station_options[] = {
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

#define NAMED (CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES)

static cfg_opt_t options[] = {
    CFG_STR("store", NULL, CFGF_NONE),
    CFG_STR("control", NULL, CFGF_NONE),
    CFG_STR("log-level", "info", CFGF_NONE),
    CFG_INT("startup-grace", 30, CFGF_NONE),
    CFG_INT("journal-entries", 65536, CFGF_NONE),
    CFG_SEC("rtr-cache", rtr_options, NAMED),
    CFG_SEC("payload-file", file_options, NAMED),
    CFG_SEC("static", static_options, CFGF_NONE),
    CFG_SEC("bmp-listen", listen_options, NAMED),
    CFG_SEC("router", router_options, NAMED),
    CFG_SEC("station", station_options, NAMED),
    CFG_END(),
};

void ww_config_options(void *ctx, void (*visit)(void *ctx, const char *section, const char *option)) {
  for (const cfg_opt_t *o = options; o->name; o++) {
    visit(ctx, NULL, o->name);
    if (o->type != CFGT_SEC)
      continue;
    for (const cfg_opt_t *sub = o->subopts; sub->name; sub++)
      visit(ctx, o->name, sub->name);
  }
}

/* ---- errors ---- */

static struct ww_diag *loading; /* of the load under way; its text empty until the first error */

static void on_error(cfg_t *cfg, const char *fmt, va_list args) WW_PRINTF(2, 0);
static void on_error(cfg_t *cfg, const char *fmt, va_list args) {
  if (!loading || loading->text[0])
    return;
  loading->line = cfg ? (unsigned)cfg->line : 0;
  vsnprintf(loading->text, sizeof(loading->text), fmt, args);
  ww_text_one_line(loading->text);
}

/* ---- checks of single values ---- */

static int check_range(cfg_t *cfg, cfg_opt_t *opt, long min, long max) {
  long value = cfg_opt_getnint(opt, cfg_opt_size(opt) - 1);
  if (value >= min && value <= max)
    return 0;
  cfg_error(cfg, "%s: %ld is not between %ld and %ld", cfg_opt_name(opt), value, min, max);
  return -1;
}

static const char *last_string(cfg_opt_t *opt) {
  const char *text = cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1);
  return text ? text : "";
}

static int check_port(cfg_t *cfg, cfg_opt_t *opt) { return check_range(cfg, opt, 1, 65535); }
static int check_seconds(cfg_t *cfg, cfg_opt_t *opt) { return check_range(cfg, opt, 1, SECONDS_MAX); }
static int check_grace(cfg_t *cfg, cfg_opt_t *opt) { return check_range(cfg, opt, 0, SECONDS_MAX); }
static int check_journal(cfg_t *cfg, cfg_opt_t *opt) { return check_range(cfg, opt, JOURNAL_MIN, JOURNAL_MAX); }
static int check_version(cfg_t *cfg, cfg_opt_t *opt) { return check_range(cfg, opt, WW_RTR_V0, WW_RTR_VERSION_MAX); }
static int check_pen(cfg_t *cfg, cfg_opt_t *opt) { return check_range(cfg, opt, 1, UINT32_MAX); }

static int check_text(cfg_t *cfg, cfg_opt_t *opt) {
  if (last_string(opt)[0])
    return 0;
  cfg_error(cfg, "%s: empty", cfg_opt_name(opt));
  return -1;
}

/* A file that must be there and readable now: better said at the start than at the first connection. */
static int check_file(cfg_t *cfg, cfg_opt_t *opt) {
  if (access(last_string(opt), R_OK) == 0)
    return 0;
  cfg_error(cfg, "%s: '%s': %s", cfg_opt_name(opt), last_string(opt), strerror(errno));
  return -1;
}

static int check_tlv_draft(cfg_t *cfg, cfg_opt_t *opt) {
  long value = cfg_opt_getnint(opt, cfg_opt_size(opt) - 1);
  if (value == 19 || value == 21)
    return 0;
  cfg_error(cfg, "%s: %ld is not a revision that is spoken here (19, 21)", cfg_opt_name(opt), value);
  return -1;
}

static const char *const log_levels[] = {"error", "warning", "notice", "info", "debug", NULL};
static const char *const profiles[] = {
    [WW_PROFILE_V4] = "v4", [WW_PROFILE_EXP3] = "exp3", [WW_PROFILE_STD3] = "std3", NULL};
static const char *const views[] = {[WW_VIEW_ADJ_IN_PRE] = "pre-policy", [WW_VIEW_ADJ_IN_POST] = "post-policy", NULL};

static int word_index(const char *const *words, const char *word) {
  for (int i = 0; words[i]; i++)
    if (strcmp(words[i], word) == 0)
      return i;
  return -1;
}

/* Of a word that was checked. */
static unsigned view_bit(const char *word) {
  int i = word_index(views, word);
  return i < 0 ? 0 : 1u << i;
}

static int check_word(cfg_t *cfg, cfg_opt_t *opt, const char *const *words) {
  if (word_index(words, last_string(opt)) >= 0)
    return 0;
  char known[128];
  size_t at = 0;
  for (int i = 0; words[i] && at < sizeof(known); i++) {
    int n = snprintf(known + at, sizeof(known) - at, "%s%s", i ? ", " : "", words[i]);
    at += n > 0 ? (size_t)n : 0;
  }
  cfg_error(cfg, "%s: '%s' is none of %s", cfg_opt_name(opt), last_string(opt), known);
  return -1;
}

static int check_log_level(cfg_t *cfg, cfg_opt_t *opt) { return check_word(cfg, opt, log_levels); }
static int check_profile(cfg_t *cfg, cfg_opt_t *opt) { return check_word(cfg, opt, profiles); }
static int check_view(cfg_t *cfg, cfg_opt_t *opt) { return check_word(cfg, opt, views); }

static int check_address(cfg_t *cfg, cfg_opt_t *opt) {
  struct ww_addr addr;
  if (ww_addr_parse(last_string(opt), &addr) == WW_OK)
    return 0;
  cfg_error(cfg, "%s: '%s' is not an address", cfg_opt_name(opt), last_string(opt));
  return -1;
}

static int check_asn(cfg_t *cfg, cfg_opt_t *opt) {
  uint32_t asn;
  if (ww_asn_parse(last_string(opt), &asn) == WW_OK)
    return 0;
  cfg_error(cfg, "%s: '%s' is not an AS number", cfg_opt_name(opt), last_string(opt));
  return -1;
}

/* "192.0.2.0/24 AS64500", "192.0.2.0/22-24 AS64500": prefix, optional maxLength, origin. */
static const char *parse_vrp(const char *text, struct ww_vrp *vrp) {
  char prefix[WW_PREFIX_STRLEN + 4], asn[16];
  int end = -1;
  memset(vrp, 0, sizeof(*vrp));
  if (sscanf(text, " %53s %15s %n", prefix, asn, &end) != 2 || end < 0 || text[end])
    return "is not PREFIX[-MAXLENGTH] ASN";
  char *dash = strchr(prefix, '-');
  if (dash)
    *dash++ = '\0';
  if (ww_prefix_parse(prefix, &vrp->prefix) != WW_OK)
    return "has no prefix in front, or one with host bits";
  vrp->max_len = vrp->prefix.len;
  if (dash) {
    char *rest;
    unsigned long max = strtoul(dash, &rest, 10);
    if (*dash < '0' || *dash > '9' || *rest || max > ww_afi_bits(vrp->prefix.afi))
      return "has no maxLength after '-'";
    if (max < vrp->prefix.len)
      return "has a maxLength shorter than the prefix";
    vrp->max_len = (uint8_t)max;
  }
  if (ww_asn_parse(asn, &vrp->asn) != WW_OK)
    return "has no AS number at the end";
  return NULL;
}

static int check_vrp(cfg_t *cfg, cfg_opt_t *opt) {
  struct ww_vrp vrp;
  const char *wrong = parse_vrp(last_string(opt), &vrp);
  if (!wrong)
    return 0;
  cfg_error(cfg, "%s: '%s' %s", cfg_opt_name(opt), last_string(opt), wrong);
  return -1;
}

/* ---- checks of whole sections ---- */

static bool has(cfg_t *section, const char *name) {
  const char *text = cfg_getstr(section, name);
  return text && text[0];
}

static int need(cfg_t *cfg, cfg_t *section, const char *name) {
  if (has(section, name))
    return 0;
  cfg_error(cfg, "%s \"%s\": option '%s' is missing", cfg_name(section), cfg_title(section), name);
  return -1;
}

static cfg_t *last_section(cfg_opt_t *opt) { return cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1); }

static int check_title(cfg_t *cfg, cfg_t *section) {
  size_t len = strlen(cfg_title(section));
  if (len > 0 && len < WW_NAME_LEN)
    return 0;
  cfg_error(cfg, "%s: a name has 1 to %d octets", cfg_name(section), WW_NAME_LEN - 1);
  return -1;
}

/* Sources of all kinds share the store's one space of names. */
static int check_source_name(cfg_t *cfg, cfg_t *section) {
  static const char *const kinds[] = {"rtr-cache", "payload-file"};
  if (check_title(cfg, section) != 0)
    return -1;
  if (strcmp(cfg_title(section), WW_STATIC_SOURCE) == 0) {
    cfg_error(cfg, "%s: the name \"%s\" belongs to the static section", cfg_name(section), WW_STATIC_SOURCE);
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

static int check_rtr(cfg_t *cfg, cfg_opt_t *opt) {
  cfg_t *section = last_section(opt);
  if (check_source_name(cfg, section) || need(cfg, section, "host"))
    return -1;
  long min = cfg_getint(section, "min-version"), max = cfg_getint(section, "max-version");
  if (min <= max)
    return 0;
  cfg_error(cfg, "rtr-cache \"%s\": min-version %ld is above max-version %ld", cfg_title(section), min, max);
  return -1;
}

static int check_payload_file(cfg_t *cfg, cfg_opt_t *opt) {
  cfg_t *section = last_section(opt);
  return check_source_name(cfg, section) || need(cfg, section, "path") ? -1 : 0;
}

static int check_listen(cfg_t *cfg, cfg_opt_t *opt) {
  struct sockaddr_storage address;
  socklen_t len;
  struct ww_diag diag = {0};
  if (ww_endpoint_parse(cfg_title(last_section(opt)), &address, &len, &diag) == WW_OK)
    return 0;
  cfg_error(cfg, "bmp-listen: %s", diag.text);
  return -1;
}

static int check_router(cfg_t *cfg, cfg_opt_t *opt) {
  cfg_t *section = last_section(opt);
  if (check_title(cfg, section) != 0)
    return -1;
  if (has(section, "address") && has(section, "sys-name")) {
    cfg_error(cfg, "router \"%s\": is found by its address or by its sys-name, not by both", cfg_title(section));
    return -1;
  }
  return 0;
}

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
  cfg_t *section = last_section(opt);
  const char *name = cfg_title(section);
  if (check_title(cfg, section) || need(cfg, section, "host"))
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
    return need(cfg, section, "certificate") || need(cfg, section, "key") || need(cfg, section, "ca") ? -1 : 0;
  /* draft-wang-grow-bmp-rpki-mon-reqs-03 §8.1: results are protected on their way. */
  if (!is_loopback(cfg_getstr(section, "host"))) {
    cfg_error(cfg, "station \"%s\": plain is for loopback addresses only, and '%s' is none; use TLS", name,
              cfg_getstr(section, "host"));
    return -1;
  }
  for (unsigned i = 0; i < sizeof(tls_only) / sizeof(tls_only[0]); i++)
    if (has(section, tls_only[i])) {
      cfg_error(cfg, "station \"%s\": '%s' has no meaning with plain", name, tls_only[i]);
      return -1;
    }
  return 0;
}

static const struct {
  const char *option;
  cfg_validate_callback_t check;
} checks[] = {
    {"store", check_text},
    {"control", check_text},
    {"log-level", check_log_level},
    {"startup-grace", check_grace},
    {"journal-entries", check_journal},
    {"rtr-cache", check_rtr},
    {"rtr-cache|host", check_text},
    {"rtr-cache|port", check_port},
    {"rtr-cache|min-version", check_version},
    {"rtr-cache|max-version", check_version},
    {"payload-file", check_payload_file},
    {"payload-file|path", check_text},
    {"payload-file|refresh-interval", check_seconds},
    {"static|vrp", check_vrp},
    {"bmp-listen", check_listen},
    {"router", check_router},
    {"router|address", check_address},
    {"router|sys-name", check_text},
    {"router|local-as", check_asn},
    {"router|views", check_view},
    {"station", check_station},
    {"station|host", check_text},
    {"station|port", check_port},
    {"station|certificate", check_file},
    {"station|key", check_file},
    {"station|ca", check_file},
    {"station|server-name", check_text},
    {"station|profile", check_profile},
    {"station|enterprise-number", check_pen},
    {"station|tlv-draft", check_tlv_draft},
    {"station|retry-min", check_seconds},
    {"station|retry-max", check_seconds},
};

/* ---- from libConfuse's tree to ours ---- */

/* Copies the text of an option; *ok goes false when memory runs out. NULL stays NULL. */
static char *text_of(cfg_t *section, const char *name, bool *ok) {
  const char *text = cfg_getstr(section, name);
  char *copy = text ? strdup(text) : NULL;
  if (text && !copy)
    *ok = false;
  return copy;
}

static char *port_of(cfg_t *section, bool *ok) {
  char text[16];
  snprintf(text, sizeof(text), "%ld", cfg_getint(section, "port"));
  char *copy = strdup(text);
  if (!copy)
    *ok = false;
  return copy;
}

static void take_name(char *to, cfg_t *section) { snprintf(to, WW_NAME_LEN, "%s", cfg_title(section)); }

static void *array_of(size_t count, size_t size, bool *ok) {
  void *array = count ? calloc(count, size) : NULL;
  if (count && !array)
    *ok = false;
  return array;
}

static bool take_sources(struct ww_config *c, cfg_t *cfg) {
  bool ok = true;
  c->caches = array_of(cfg_size(cfg, "rtr-cache"), sizeof(*c->caches), &ok);
  c->files = array_of(cfg_size(cfg, "payload-file"), sizeof(*c->files), &ok);
  for (unsigned i = 0; ok && i < cfg_size(cfg, "rtr-cache"); i++) {
    cfg_t *s = cfg_getnsec(cfg, "rtr-cache", i);
    struct ww_config_rtr *to = &c->caches[c->cache_count++];
    take_name(to->name, s);
    to->host = text_of(s, "host", &ok);
    to->port = port_of(s, &ok);
    to->min_version = (uint8_t)cfg_getint(s, "min-version");
    to->max_version = (uint8_t)cfg_getint(s, "max-version");
  }
  for (unsigned i = 0; ok && i < cfg_size(cfg, "payload-file"); i++) {
    cfg_t *s = cfg_getnsec(cfg, "payload-file", i);
    struct ww_config_file *to = &c->files[c->file_count++];
    take_name(to->name, s);
    to->path = text_of(s, "path", &ok);
    to->ignore_expiry = cfg_getbool(s, "ignore-expiry") == cfg_true;
    to->refresh_interval = (unsigned)cfg_getint(s, "refresh-interval");
  }
  cfg_t *s = cfg_getsec(cfg, "static");
  unsigned vrps = s ? cfg_size(s, "vrp") : 0;
  for (unsigned i = 0; ok && i < vrps; i++) {
    struct ww_vrp vrp;
    ok = !parse_vrp(cfg_getnstr(s, "vrp", i), &vrp) && ww_payloads_add_vrp(&c->statics, &vrp) == WW_OK;
  }
  c->has_static = vrps > 0;
  return ok && ww_payloads_sort(&c->statics) == WW_OK;
}

static bool take_routers(struct ww_config *c, cfg_t *cfg) {
  bool ok = true;
  c->listens = array_of(cfg_size(cfg, "bmp-listen"), sizeof(*c->listens), &ok);
  c->routers = array_of(cfg_size(cfg, "router"), sizeof(*c->routers), &ok);
  for (unsigned i = 0; ok && i < cfg_size(cfg, "bmp-listen"); i++) {
    c->listens[c->listen_count] = strdup(cfg_title(cfg_getnsec(cfg, "bmp-listen", i)));
    ok = c->listens[c->listen_count++] != NULL;
  }
  for (unsigned i = 0; ok && i < cfg_size(cfg, "router"); i++) {
    cfg_t *s = cfg_getnsec(cfg, "router", i);
    struct ww_config_router *to = &c->routers[c->router_count++];
    take_name(to->name, s);
    to->sys_name = text_of(s, "sys-name", &ok);
    /* These parsed when they were checked. */
    if (has(s, "address"))
      ok = ok && ww_addr_parse(cfg_getstr(s, "address"), &to->address) == WW_OK;
    ok = ok && ww_asn_parse(cfg_getstr(s, "local-as"), &to->local_as) == WW_OK;
    for (unsigned k = 0; k < cfg_size(s, "views"); k++)
      to->views |= view_bit(cfg_getnstr(s, "views", k));
  }
  return ok;
}

static bool take_stations(struct ww_config *c, cfg_t *cfg) {
  bool ok = true;
  c->stations = array_of(cfg_size(cfg, "station"), sizeof(*c->stations), &ok);
  for (unsigned i = 0; ok && i < cfg_size(cfg, "station"); i++) {
    cfg_t *s = cfg_getnsec(cfg, "station", i);
    struct ww_config_station *to = &c->stations[c->station_count++];
    take_name(to->name, s);
    to->host = text_of(s, "host", &ok);
    to->port = port_of(s, &ok);
    to->plain = cfg_getbool(s, "plain") == cfg_true;
    to->certificate = text_of(s, "certificate", &ok);
    to->key = text_of(s, "key", &ok);
    to->ca = text_of(s, "ca", &ok);
    to->server_name = text_of(s, "server-name", &ok);
    to->profile = word_index(profiles, cfg_getstr(s, "profile"));
    to->enterprise_number = (uint32_t)cfg_getint(s, "enterprise-number");
    to->tlv_draft = (uint8_t)cfg_getint(s, "tlv-draft");
    to->covering = cfg_getbool(s, "covering") == cfg_true;
    to->retry_min = (unsigned)cfg_getint(s, "retry-min");
    to->retry_max = (unsigned)cfg_getint(s, "retry-max");
  }
  return ok;
}

static bool take_all(struct ww_config *c, cfg_t *cfg, const char *path) {
  bool ok = true;
  c->path = strdup(path);
  c->store = text_of(cfg, "store", &ok);
  c->control = text_of(cfg, "control", &ok);
  c->log_level = (enum ww_log_level)word_index(log_levels, cfg_getstr(cfg, "log-level"));
  c->startup_grace = (unsigned)cfg_getint(cfg, "startup-grace");
  c->journal_entries = (size_t)cfg_getint(cfg, "journal-entries");
  return ok && c->path && take_sources(c, cfg) && take_routers(c, cfg) && take_stations(c, cfg);
}

enum ww_err ww_config_load(const char *path, struct ww_config **out, struct ww_diag *diag) {
  struct ww_diag local;
  *out = NULL;
  if (!diag)
    diag = &local;
  memset(diag, 0, sizeof(*diag));
  cfg_t *cfg = cfg_init(options, CFGF_NONE);
  if (!cfg)
    return ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "no memory for the configuration");
  loading = diag;
  cfg_set_error_function(cfg, on_error);
  for (unsigned i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
    cfg_set_validate_func(cfg, checks[i].option, checks[i].check);
  errno = 0;
  int parsed = cfg_parse(cfg, path);
  int file_errno = errno;
  loading = NULL;
  enum ww_err err = WW_OK;
  struct ww_config *c = NULL;
  if (parsed == CFG_FILE_ERROR) {
    err = ww_fail(diag, WW_ERR_IO, 0, NULL, "%s", file_errno ? strerror(file_errno) : "cannot be read");
  } else if (parsed != CFG_SUCCESS) {
    if (!diag->text[0])
      ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "not a configuration file");
    err = WW_ERR_MALFORMED;
  } else if (!(c = calloc(1, sizeof(*c))) || !take_all(c, cfg, path)) {
    err = ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "no memory for the configuration");
  } else if (!c->store || !c->store[0]) {
    err = ww_fail(diag, WW_ERR_INVAL, 0, NULL, "option 'store' is missing: the folder that keeps the payloads");
  } else if (c->cache_count + c->file_count == 0 && !c->has_static) {
    err = ww_fail(diag, WW_ERR_INVAL, 0, NULL,
                  "no source of payloads: add an rtr-cache, a payload-file or a static section");
  }
  cfg_free(cfg);
  if (err != WW_OK)
    ww_config_free(c);
  else
    *out = c;
  return err;
}

void ww_config_free(struct ww_config *config) {
  if (!config)
    return;
  for (size_t i = 0; i < config->cache_count; i++) {
    free(config->caches[i].host);
    free(config->caches[i].port);
  }
  for (size_t i = 0; i < config->file_count; i++)
    free(config->files[i].path);
  for (size_t i = 0; i < config->listen_count; i++)
    free(config->listens[i]);
  for (size_t i = 0; i < config->router_count; i++)
    free(config->routers[i].sys_name);
  for (size_t i = 0; i < config->station_count; i++) {
    struct ww_config_station *s = &config->stations[i];
    free(s->host);
    free(s->port);
    free(s->certificate);
    free(s->key);
    free(s->ca);
    free(s->server_name);
  }
  ww_payloads_fini(&config->statics);
  free(config->caches);
  free(config->files);
  free(config->listens);
  free(config->routers);
  free(config->stations);
  free(config->path);
  free(config->store);
  free(config->control);
  free(config);
}
