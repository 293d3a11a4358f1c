/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The section static: VRPs, ASPAs and router keys that are written in the configuration itself.
 *
 * Each entry is one string. It is parsed when libConfuse reads it, so that what is wrong has its line, and once more
 * when it is taken. A router key may stand in a file, which is read both times.
 *
 * Clauses: RFC 6811 §2 (VRP), draft-ietf-sidrops-8210bis-26 §5.12 (what an ASPA may hold), RFC 8208 §3.1 (keys).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/der.h"
#include "daemon/config_internal.h"

enum { KEY_FILE_MAX = 8192 };

cfg_opt_t ww_config_static_options[] = {
    CFG_STR_LIST("vrp", "{}", CFGF_NONE),
    CFG_STR_LIST("aspa", "{}", CFGF_NONE),
    CFG_STR_LIST("router-key", "{}", CFGF_NONE),
    CFG_END(),
};

/* What an entry is parsed into: room for any of them. */
struct entry {
  struct ww_vrp vrp;
  struct ww_aspa aspa;
  struct ww_router_key key;
  uint32_t providers[WW_ASPA_PROVIDERS_MAX];
  uint8_t spki[WW_SPKI_MAX];
};

/* "192.0.2.0/24 AS64500", "192.0.2.0/22-24 AS64500": prefix, optional maxLength, origin. */
static const char *parse_vrp(const char *text, struct entry *entry) {
  struct ww_vrp *vrp = &entry->vrp;
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

static int order_asns(const void *a, const void *b) {
  const uint32_t *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

/* "AS64500: AS64501 AS64502": the customer, then its providers; "AS64500: AS0" for none. */
static const char *parse_aspa(const char *text, struct entry *entry) {
  struct ww_aspa *aspa = &entry->aspa;
  char asn[16];
  int end = -1;
  memset(aspa, 0, sizeof(*aspa));
  if (sscanf(text, " %15[^ \t:] :%n", asn, &end) != 1 || end < 0 || ww_asn_parse(asn, &aspa->customer) != WW_OK)
    return "is not CUSTOMER: PROVIDER...";
  for (text += end; sscanf(text, " %15[^ \t,]%n", asn, &end) == 1;) {
    if (aspa->provider_count == WW_ASPA_PROVIDERS_MAX)
      return "has too many providers";
    if (ww_asn_parse(asn, &entry->providers[aspa->provider_count]) != WW_OK)
      return "has a provider that is no AS number";
    if (entry->providers[aspa->provider_count++] == aspa->customer)
      return "has the customer among its providers";
    text += end;
    text += strspn(text, " \t");
    text += *text == ',';
  }
  if (text[strspn(text, " \t")])
    return "has a provider that is no AS number";
  if (!aspa->provider_count)
    return "has no providers (AS0 says that there are none)";
  qsort(entry->providers, aspa->provider_count, sizeof(entry->providers[0]), order_asns);
  for (uint32_t i = 1; i < aspa->provider_count; i++)
    if (entry->providers[i] == entry->providers[i - 1])
      return "has a provider twice";
  /* draft-ietf-sidrops-8210bis-26 §5.12: AS 0 stands alone. */
  if (entry->providers[0] == 0 && aspa->provider_count > 1)
    return "has AS0 beside other providers";
  aspa->providers = entry->providers;
  return NULL;
}

/* A SubjectPublicKeyInfo as DER, as base64, or as the same between the lines of PEM. */
static bool read_spki(const char *text, size_t len, struct entry *entry) {
  static const char begin[] = "-----BEGIN PUBLIC KEY-----", end[] = "-----END PUBLIC KEY-----";
  char packed[KEY_FILE_MAX];
  size_t n = 0, out = 0;
  if (len && text[0] == WW_DER_SEQUENCE && (uint8_t)text[1] != 0 && len <= sizeof(entry->spki) &&
      (uint8_t)text[1] + 2u == len) {
    memcpy(entry->spki, text, len);
    out = len;
  } else {
    if (len > sizeof(begin) && memcmp(text, begin, sizeof(begin) - 1) == 0) {
      const char *stop = memmem(text, len, end, sizeof(end) - 1);
      if (!stop)
        return false;
      text += sizeof(begin) - 1;
      len = (size_t)(stop - text);
    }
    for (size_t i = 0; i < len && n < sizeof(packed); i++)
      if (!strchr(" \t\r\n", text[i]) || !text[i])
        packed[n++] = text[i];
    if (ww_base64_decode(packed, n, entry->spki, sizeof(entry->spki), &out) >= WW_BASE64_BAD)
      return false;
  }
  struct ww_der_input input;
  struct ww_der d = ww_der_open(&input, entry->spki, out), spki = ww_der_enter(&d, WW_DER_SEQUENCE);
  (void)ww_der_contents(&spki, WW_DER_SEQUENCE);
  (void)ww_der_bits(&spki, NULL);
  (void)ww_der_end(&spki);
  entry->key.spki = entry->spki;
  entry->key.spki_len = (uint32_t)out;
  return ww_der_end(&d);
}

static const char *read_key_file(const char *path, struct entry *entry) {
  char text[KEY_FILE_MAX];
  FILE *file = fopen(path, "rb");
  if (!file)
    return "names a key file that cannot be read";
  size_t len = fread(text, 1, sizeof(text), file);
  bool ok = !ferror(file) && len < sizeof(text);
  (void)fclose(file);
  return ok && read_spki(text, len, entry) ? NULL : "names a file that holds no SubjectPublicKeyInfo";
}

/* "AS64500 SKI KEY": 40 hexadecimal digits; the key in base64, or the path of its file. */
static const char *parse_router_key(const char *text, struct entry *entry) {
  struct ww_router_key *key = &entry->key;
  char asn[16], ski[2 * WW_SKI_LEN + 2];
  int at = -1;
  memset(key, 0, sizeof(*key));
  if (sscanf(text, " %15s %41s %n", asn, ski, &at) != 2 || at < 0 || !text[at])
    return "is not ASN SKI KEY";
  if (ww_asn_parse(asn, &key->asn) != WW_OK)
    return "has no AS number in front";
  if (strlen(ski) != 2 * (size_t)WW_SKI_LEN || strspn(ski, "0123456789abcdefABCDEF") != strlen(ski))
    return "has an SKI that is not 40 hexadecimal digits";
  for (unsigned i = 0; i < WW_SKI_LEN; i++) {
    const char pair[3] = {ski[2 * i], ski[2 * i + 1], '\0'};
    key->ski[i] = (uint8_t)strtoul(pair, NULL, 16);
  }
  text += at;
  /* The base64 of a SEQUENCE begins with M. */
  if (text[0] == '/' || text[0] == '.')
    return read_key_file(text, entry);
  return read_spki(text, strlen(text), entry) ? NULL
                                              : "has a key that is neither base64 of a SubjectPublicKeyInfo nor a path";
}

static int check(cfg_t *cfg, cfg_opt_t *opt, const char *(*parse)(const char *, struct entry *)) {
  struct entry *entry = malloc(sizeof(*entry));
  const char *wrong = entry ? parse(ww_config_last_string(opt), entry) : "cannot be kept: no memory";
  free(entry);
  if (!wrong)
    return 0;
  cfg_error(cfg, "%s: '%s' %s", cfg_opt_name(opt), ww_config_last_string(opt), wrong);
  return -1;
}

int ww_config_check_vrp(cfg_t *cfg, cfg_opt_t *opt) { return check(cfg, opt, parse_vrp); }
int ww_config_check_aspa(cfg_t *cfg, cfg_opt_t *opt) { return check(cfg, opt, parse_aspa); }
int ww_config_check_router_key(cfg_t *cfg, cfg_opt_t *opt) { return check(cfg, opt, parse_router_key); }

bool ww_config_take_statics(struct ww_config *c, cfg_t *section) {
  struct entry *entry = malloc(sizeof(*entry));
  unsigned vrps = section ? cfg_size(section, "vrp") : 0, aspas = section ? cfg_size(section, "aspa") : 0;
  unsigned keys = section ? cfg_size(section, "router-key") : 0;
  bool ok = entry != NULL;
  /* All of them parsed when they were checked; a key file may have gone since. */
  for (unsigned i = 0; ok && i < vrps; i++)
    ok = !parse_vrp(cfg_getnstr(section, "vrp", i), entry) && ww_payloads_add_vrp(&c->statics, &entry->vrp) == WW_OK;
  for (unsigned i = 0; ok && i < aspas; i++)
    ok =
        !parse_aspa(cfg_getnstr(section, "aspa", i), entry) && ww_payloads_add_aspa(&c->statics, &entry->aspa) == WW_OK;
  for (unsigned i = 0; ok && i < keys; i++)
    ok = !parse_router_key(cfg_getnstr(section, "router-key", i), entry) &&
         ww_payloads_add_key(&c->statics, &entry->key) == WW_OK;
  free(entry);
  c->has_static = vrps + aspas + keys > 0;
  return ok && ww_payloads_sort(&c->statics) == WW_OK;
}
