/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the configuration share; nobody else includes it. Each group of sections is a part: its grammar,
 * its checks, and the way into struct ww_config.
 */
#ifndef WW_DAEMON_CONFIG_INTERNAL_H
#define WW_DAEMON_CONFIG_INTERNAL_H

#include <confuse.h>

#include "daemon/config.h"

enum { WW_CONFIG_SECONDS_MAX = 86400 };

struct ww_config_check {
  const char *option; /* as cfg_set_validate_func() takes it: "section|option" */
  cfg_validate_callback_t check;
};

struct ww_config_part {
  const struct ww_config_check *checks;
  size_t check_count;
  bool (*take)(struct ww_config *config, cfg_t *cfg); /* false: no memory */
  void (*fini)(struct ww_config *config);             /* of a configuration that may be half taken */
};

extern const struct ww_config_part ww_config_sources, ww_config_feeds, ww_config_stations, ww_config_rtr_listens;
extern cfg_opt_t ww_config_rtr_options[], ww_config_file_options[], ww_config_static_options[];
extern cfg_opt_t ww_config_listen_options[], ww_config_router_options[];
extern cfg_opt_t ww_config_station_options[];
extern cfg_opt_t ww_config_rtr_listen_options[];

/* Checks of the last value of an option: 0, or -1 when cfg_error() has said what is wrong. */
int ww_config_check_range(cfg_t *cfg, cfg_opt_t *opt, long min, long max);
int ww_config_check_port(cfg_t *cfg, cfg_opt_t *opt);
int ww_config_check_seconds(cfg_t *cfg, cfg_opt_t *opt); /* 1 to WW_CONFIG_SECONDS_MAX */
int ww_config_check_text(cfg_t *cfg, cfg_opt_t *opt);    /* not empty */
int ww_config_check_file(cfg_t *cfg, cfg_opt_t *opt);
int ww_config_check_address(cfg_t *cfg, cfg_opt_t *opt);
int ww_config_check_asn(cfg_t *cfg, cfg_opt_t *opt);
int ww_config_check_word(cfg_t *cfg, cfg_opt_t *opt, const char *const *words);
int ww_config_word_index(const char *const *words, const char *word); /* -1: not among them */
const char *ww_config_last_string(cfg_opt_t *opt);                    /* "" when there is none */

/* Of sections. */
cfg_t *ww_config_last_section(cfg_opt_t *opt);
bool ww_config_has(cfg_t *section, const char *name);
int ww_config_need(cfg_t *cfg, cfg_t *section, const char *name);
int ww_config_check_title(cfg_t *cfg, cfg_t *section);

/* Copies for struct ww_config; *ok goes false when memory runs out. */
char *ww_config_text(cfg_t *section, const char *name, bool *ok); /* NULL stays NULL */
char *ww_config_port(cfg_t *section, bool *ok);
void ww_config_take_name(char *to, cfg_t *section);
void *ww_config_array(size_t count, size_t size, bool *ok);

/* --- config_static.c --- */

int ww_config_check_vrp(cfg_t *cfg, cfg_opt_t *opt);
int ww_config_check_aspa(cfg_t *cfg, cfg_opt_t *opt);
int ww_config_check_router_key(cfg_t *cfg, cfg_opt_t *opt);
/* NULL: there is no such section. */
bool ww_config_take_statics(struct ww_config *config, cfg_t *section);

#endif
