/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the sections' files share: checks of single values, and the way from libConfuse's tree to plain structures.
 */
#include "daemon/config_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- checks of single values ---- */

int ww_config_check_range(cfg_t *cfg, cfg_opt_t *opt, long min, long max) {
  long value = cfg_opt_getnint(opt, cfg_opt_size(opt) - 1);
  if (value >= min && value <= max)
    return 0;
  cfg_error(cfg, "%s: %ld is not between %ld and %ld", cfg_opt_name(opt), value, min, max);
  return -1;
}

const char *ww_config_last_string(cfg_opt_t *opt) {
  const char *text = cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1);
  return text ? text : "";
}

int ww_config_check_port(cfg_t *cfg, cfg_opt_t *opt) { return ww_config_check_range(cfg, opt, 1, 65535); }

int ww_config_check_seconds(cfg_t *cfg, cfg_opt_t *opt) {
  return ww_config_check_range(cfg, opt, 1, WW_CONFIG_SECONDS_MAX);
}

int ww_config_check_text(cfg_t *cfg, cfg_opt_t *opt) {
  if (ww_config_last_string(opt)[0])
    return 0;
  cfg_error(cfg, "%s: empty", cfg_opt_name(opt));
  return -1;
}

/* A file that must be there and readable now: better said at the start than at the first connection. */
int ww_config_check_file(cfg_t *cfg, cfg_opt_t *opt) {
  if (access(ww_config_last_string(opt), R_OK) == 0)
    return 0;
  cfg_error(cfg, "%s: '%s': %s", cfg_opt_name(opt), ww_config_last_string(opt), strerror(errno));
  return -1;
}

int ww_config_word_index(const char *const *words, const char *word) {
  for (int i = 0; words[i]; i++)
    if (strcmp(words[i], word) == 0)
      return i;
  return -1;
}

int ww_config_check_word(cfg_t *cfg, cfg_opt_t *opt, const char *const *words) {
  if (ww_config_word_index(words, ww_config_last_string(opt)) >= 0)
    return 0;
  char known[128];
  size_t at = 0;
  for (int i = 0; words[i] && at < sizeof(known); i++) {
    int n = snprintf(known + at, sizeof(known) - at, "%s%s", i ? ", " : "", words[i]);
    at += n > 0 ? (size_t)n : 0;
  }
  cfg_error(cfg, "%s: '%s' is none of %s", cfg_opt_name(opt), ww_config_last_string(opt), known);
  return -1;
}

int ww_config_check_address(cfg_t *cfg, cfg_opt_t *opt) {
  struct ww_addr addr;
  if (ww_addr_parse(ww_config_last_string(opt), &addr) == WW_OK)
    return 0;
  cfg_error(cfg, "%s: '%s' is not an address", cfg_opt_name(opt), ww_config_last_string(opt));
  return -1;
}

int ww_config_check_asn(cfg_t *cfg, cfg_opt_t *opt) {
  uint32_t asn;
  if (ww_asn_parse(ww_config_last_string(opt), &asn) == WW_OK)
    return 0;
  cfg_error(cfg, "%s: '%s' is not an AS number", cfg_opt_name(opt), ww_config_last_string(opt));
  return -1;
}

/* ---- checks of whole sections ---- */

bool ww_config_has(cfg_t *section, const char *name) {
  const char *text = cfg_getstr(section, name);
  return text && text[0];
}

int ww_config_need(cfg_t *cfg, cfg_t *section, const char *name) {
  if (ww_config_has(section, name))
    return 0;
  cfg_error(cfg, "%s \"%s\": option '%s' is missing", cfg_name(section), cfg_title(section), name);
  return -1;
}

cfg_t *ww_config_last_section(cfg_opt_t *opt) { return cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1); }

int ww_config_check_title(cfg_t *cfg, cfg_t *section) {
  size_t len = strlen(cfg_title(section));
  if (len > 0 && len < WW_NAME_LEN)
    return 0;
  cfg_error(cfg, "%s: a name has 1 to %d octets", cfg_name(section), WW_NAME_LEN - 1);
  return -1;
}

/* ---- from libConfuse's tree to ours ---- */

/* Copies the text of an option; *ok goes false when memory runs out. NULL stays NULL. */
char *ww_config_text(cfg_t *section, const char *name, bool *ok) {
  const char *text = cfg_getstr(section, name);
  char *copy = text ? strdup(text) : NULL;
  if (text && !copy)
    *ok = false;
  return copy;
}

char *ww_config_port(cfg_t *section, bool *ok) {
  char text[16];
  snprintf(text, sizeof(text), "%ld", cfg_getint(section, "port"));
  char *copy = strdup(text);
  if (!copy)
    *ok = false;
  return copy;
}

void ww_config_take_name(char *to, cfg_t *section) { snprintf(to, WW_NAME_LEN, "%s", cfg_title(section)); }

void *ww_config_array(size_t count, size_t size, bool *ok) {
  void *array = count ? calloc(count, size) : NULL;
  if (count && !array)
    *ok = false;
  return array;
}
