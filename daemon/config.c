/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the configuration with libConfuse and turns it into plain structures.
 *
 * The tables at the top of this file and of the sections' files (config_sources.c, config_feeds.c, config_stations.c,
 * config_rtr_listen.c) are the grammar: libConfuse refuses what is not in them, and waywarden.conf(5) is tested against
 * them. Values are checked where they stand, by validation callbacks, so that an error carries the line of the option;
 * what only shows when a section is complete carries the line of its closing brace.
 *
 * libConfuse reports errors through a callback without a context pointer; the diagnostic of the load under way is kept
 * in `loading`, which is the one static variable of this file. Loading is for the main thread.
 */
#include "daemon/config_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum {
  JOURNAL_MIN = 16,
  JOURNAL_MAX = 1 << 24,
  HISTORY_MAX = 10 * 366 * 86400,
  HISTORY_SIZE_MAX = 1 << 20, /* MiB */
};

#define NAMED (CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES)

static cfg_opt_t options[] = {
    CFG_STR("store", NULL, CFGF_NONE),
    CFG_STR("control", NULL, CFGF_NONE),
    CFG_STR("log-level", "info", CFGF_NONE),
    CFG_INT("startup-grace", 30, CFGF_NONE),
    CFG_INT("journal-entries", 65536, CFGF_NONE),
    CFG_INT("history", 7 * 86400, CFGF_NONE),
    CFG_INT("history-size", 256, CFGF_NONE),
    CFG_INT("failover-delay", 60, CFGF_NONE),
    CFG_STR_LIST("slurm", "{}", CFGF_NONE),
    CFG_BOOL("slurm-strict", cfg_false, CFGF_NONE),
    CFG_SEC("rtr-cache", ww_config_rtr_options, NAMED),
    CFG_SEC("payload-file", ww_config_file_options, NAMED),
    CFG_SEC("static", ww_config_static_options, CFGF_NONE),
    CFG_SEC("bmp-listen", ww_config_listen_options, NAMED),
    CFG_SEC("router", ww_config_router_options, NAMED),
    CFG_SEC("station", ww_config_station_options, NAMED),
    CFG_SEC("rtr-listen", ww_config_rtr_listen_options, NAMED),
    CFG_END(),
};

static void visit_options(const char *section, const cfg_opt_t *list, void *ctx,
                          void (*visit)(void *ctx, const char *section, const char *option)) {
  for (const cfg_opt_t *o = list; o->name; o++) {
    visit(ctx, section, o->name);
    if (o->type == CFGT_SEC)
      visit_options(o->name, o->subopts, ctx, visit); /* sections stand in sections two deep */
  }
}

void ww_config_options(void *ctx, void (*visit)(void *ctx, const char *section, const char *option)) {
  visit_options(NULL, options, ctx, visit);
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

/* ---- the options outside sections ---- */

static const char *const log_levels[] = {"error", "warning", "notice", "info", "debug", NULL};

static int check_grace(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_range(cfg, opt, 0, WW_CONFIG_SECONDS_MAX); }
static int check_journal(cfg_t *cfg, cfg_opt_t *opt) {
  return ww_config_check_range(cfg, opt, JOURNAL_MIN, JOURNAL_MAX);
}
static int check_history(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_range(cfg, opt, 0, HISTORY_MAX); }
static int check_history_size(cfg_t *cfg, cfg_opt_t *opt) {
  return ww_config_check_range(cfg, opt, 1, HISTORY_SIZE_MAX);
}
static int check_log_level(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_word(cfg, opt, log_levels); }

static const struct ww_config_check checks[] = {
    {"store", ww_config_check_text},      {"control", ww_config_check_text},  {"log-level", check_log_level},
    {"startup-grace", check_grace},       {"journal-entries", check_journal}, {"history", check_history},
    {"history-size", check_history_size},
};

static const struct ww_config_part *const parts[] = {&ww_config_sources, &ww_config_feeds, &ww_config_stations,
                                                     &ww_config_rtr_listens};

enum { PART_COUNT = sizeof(parts) / sizeof(parts[0]) };

static void set_checks(cfg_t *cfg, const struct ww_config_check *list, size_t count) {
  for (size_t i = 0; i < count; i++)
    cfg_set_validate_func(cfg, list[i].option, list[i].check);
}

static bool take_all(struct ww_config *c, cfg_t *cfg, const char *path) {
  bool ok = true;
  c->path = strdup(path);
  c->store = ww_config_text(cfg, "store", &ok);
  c->control = ww_config_text(cfg, "control", &ok);
  c->log_level = (enum ww_log_level)ww_config_word_index(log_levels, cfg_getstr(cfg, "log-level"));
  c->startup_grace = (unsigned)cfg_getint(cfg, "startup-grace");
  c->journal_entries = (size_t)cfg_getint(cfg, "journal-entries");
  c->history = cfg_getint(cfg, "history");
  c->history_size = (size_t)cfg_getint(cfg, "history-size") << 20;
  ok = ok && c->path;
  for (unsigned i = 0; ok && i < PART_COUNT; i++)
    ok = parts[i]->take(c, cfg);
  return ok;
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
  set_checks(cfg, checks, sizeof(checks) / sizeof(checks[0]));
  for (unsigned i = 0; i < PART_COUNT; i++)
    set_checks(cfg, parts[i]->checks, parts[i]->check_count);
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
  for (unsigned i = 0; i < PART_COUNT; i++)
    parts[i]->fini(config);
  free(config->path);
  free(config->store);
  free(config->control);
  free(config);
}
