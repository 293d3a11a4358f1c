/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payload sets as files. Records are written one after the other, so memory holds the set and never the text; of a CCR
 * it holds the DER, a quarter of the set.
 *
 * Each format says in one row of `formats` what it has a place for. What no format here has is the trust anchor, which
 * is not known: where a program insists on one, it is "N/A". A record that has no expiry has no "expires".
 *
 * The hash of the VRPs in rpki-client's JSON is in rpki-client's order (sources/ccr_hash.h), as its readers expect.
 */
#include "cli/payload_output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "cli/cli.h"
#include "sources/ccr_hash.h"
#include "sources/ccr_state.h"
#include "validator/verdict_json.h"

/* --- JSON ------------------------------------------------------------------------------------------------------ */

static void put_expires(FILE *to, ww_unix_time expires) {
  if (expires)
    fprintf(to, ", \"expires\": %" PRId64, expires);
}

static void put_hash(FILE *to, const char *key, const uint8_t hash[WW_CCR_HASH_LEN]) {
  char text[WW_BASE64_SIZE(WW_CCR_HASH_LEN)];
  (void)ww_base64_encode(hash, WW_CCR_HASH_LEN, text);
  fprintf(to, ", \"%s\": \"%s\"", key, text);
}

/* What tells the JSON formats apart. */
struct json_style {
  const char *asn;  /* of a VRP */
  const char *tail; /* of every record */
  bool expires, keys, aspas;
};

static void put_vrps(FILE *to, const struct ww_payloads *set, const struct json_style *style) {
  char prefix[WW_PREFIX_STRLEN];
  fputs("\"roas\": [", to);
  for (size_t i = 0; i < set->vrp_count; i++) {
    const struct ww_vrp *vrp = &set->vrps[i];
    fprintf(to, "%s{\"asn\": %s%" PRIu32 "%s, \"prefix\": \"%s\", \"maxLength\": %u%s", i ? ",\n" : "\n", style->asn,
            vrp->asn, style->asn[0] ? "\"" : "", ww_prefix_format(&vrp->prefix, prefix), vrp->max_len, style->tail);
    put_expires(to, style->expires ? vrp->expires : 0);
    fputc('}', to);
  }
  fputs("\n]", to);
}

static void put_ski(FILE *to, const uint8_t ski[WW_SKI_LEN]) {
  for (unsigned i = 0; i < WW_SKI_LEN; i++)
    fprintf(to, "%02X", ski[i]);
}

static void put_keys(FILE *to, const struct ww_payloads *set) {
  char spki[WW_BASE64_SIZE(WW_SPKI_MAX)];
  fputs(",\n\"bgpsec_keys\": [", to);
  for (size_t i = 0; i < set->key_count; i++) {
    const struct ww_router_key *key = &set->keys[i];
    (void)ww_base64_encode(key->spki, key->spki_len, spki);
    fprintf(to, "%s{\"asn\": %" PRIu32 ", \"ski\": \"", i ? ",\n" : "\n", key->asn);
    put_ski(to, key->ski);
    fprintf(to, "\", \"pubkey\": \"%s\"", spki);
    put_expires(to, key->expires);
    fputc('}', to);
  }
  fputs("\n]", to);
}

static void put_aspas(FILE *to, const struct ww_payloads *set) {
  fputs(",\n\"aspas\": [", to);
  for (size_t i = 0; i < set->aspa_count; i++) {
    const struct ww_aspa *aspa = &set->aspas[i];
    fprintf(to, "%s{\"customer_asid\": %" PRIu32 ", \"providers\": [", i ? ",\n" : "\n", aspa->customer);
    for (uint32_t k = 0; k < aspa->provider_count; k++)
      fprintf(to, "%s%" PRIu32, k ? ", " : "", aspa->providers[k]);
    fputc(']', to);
    put_expires(to, aspa->expires);
    fputc('}', to);
  }
  fputs("\n]", to);
}

static enum ww_err put_rpki_client(FILE *to, const struct ww_payloads *set, ww_unix_time at) {
  static const struct json_style style = {.asn = "", .tail = "", .expires = true};
  char time[WW_TIME_STRLEN];
  struct ww_ccr_hashes hashes;
  enum ww_err err = ww_ccr_hash(set, &hashes);
  if (err == WW_OK)
    err = ww_ccr_hash_client_vrps(set, hashes.vrps);
  if (err != WW_OK)
    return err;
  fprintf(to, "{\n\"metadata\": {\"buildtime\": \"%s\", \"vrps\": %zu, \"bgpsec_pubkeys\": %zu, \"aspas\": %zu",
          ww_time_format(at, time), set->vrp_count, set->key_count, set->aspa_count);
  put_hash(to, "ccr_vrps_hash", hashes.vrps);
  put_hash(to, "ccr_vaps_hash", hashes.aspas);
  put_hash(to, "ccr_brks_hash", hashes.keys);
  fputs("},\n", to);
  put_vrps(to, set, &style);
  put_keys(to, set);
  put_aspas(to, set);
  fputs("\n}\n", to);
  return WW_OK;
}

static enum ww_err put_stayrtr(FILE *to, const struct ww_payloads *set, ww_unix_time at) {
  static const struct json_style style = {.asn = "", .tail = "", .expires = true};
  char time[WW_TIME_STRLEN];
  fprintf(to, "{\n\"metadata\": {\"buildtime\": \"%s\", \"vrps\": %zu, \"bgpsec_pubkeys\": %zu},\n",
          ww_time_format(at, time), set->vrp_count, set->key_count);
  put_vrps(to, set, &style);
  put_keys(to, set);
  fputs("\n}\n", to);
  return WW_OK;
}

static enum ww_err put_rtrtr(FILE *to, const struct ww_payloads *set, ww_unix_time at) {
  static const struct json_style style = {.asn = "\"", .tail = ", \"ta\": \"N/A\""};
  (void)at;
  fputs("{\n", to);
  put_vrps(to, set, &style);
  fputs("\n}\n", to);
  return WW_OK;
}

static enum ww_err put_routinator(FILE *to, const struct ww_payloads *set, ww_unix_time at) {
  static const struct json_style style = {.asn = "\"AS", .tail = ", \"ta\": \"N/A\""};
  char text[WW_BASE64_SIZE(WW_SPKI_MAX)];
  fprintf(to, "{\n\"metadata\": {\"generated\": %" PRId64 ", \"generatedTime\": \"%s\"},\n", at,
          ww_time_format(at, text));
  put_vrps(to, set, &style);
  fputs(",\n\"routerKeys\": [", to);
  for (size_t i = 0; i < set->key_count; i++) {
    const struct ww_router_key *key = &set->keys[i];
    (void)ww_base64url_encode(key->spki, key->spki_len, text);
    fprintf(to, "%s{\"asn\": \"AS%" PRIu32 "\", \"SKI\": \"", i ? ",\n" : "\n", key->asn);
    put_ski(to, key->ski);
    fprintf(to, "\", \"routerPublicKey\": \"%s\"%s}", text, style.tail);
  }
  fputs("\n],\n\"aspas\": [", to);
  for (size_t i = 0; i < set->aspa_count; i++) {
    const struct ww_aspa *aspa = &set->aspas[i];
    fprintf(to, "%s{\"customer\": \"AS%" PRIu32 "\", \"providers\": [", i ? ",\n" : "\n", aspa->customer);
    for (uint32_t k = 0; k < aspa->provider_count; k++)
      fprintf(to, "%s\"AS%" PRIu32 "\"", k ? ", " : "", aspa->providers[k]);
    fprintf(to, "]%s}", style.tail);
  }
  fputs("\n]\n}\n", to);
  return WW_OK;
}

/* --- CSV ------------------------------------------------------------------------------------------------------- */

static void put_csv_lines(FILE *to, const struct ww_payloads *set, bool expires) {
  char buf[WW_PREFIX_STRLEN];
  fprintf(to, "ASN,IP Prefix,Max Length,Trust Anchor%s\n", expires ? ",Expires" : "");
  for (size_t i = 0; i < set->vrp_count; i++) {
    const struct ww_vrp *vrp = &set->vrps[i];
    fprintf(to, "AS%" PRIu32 ",%s,%u,%s", vrp->asn, ww_prefix_format(&vrp->prefix, buf), vrp->max_len,
            expires ? "," : "");
    if (expires && vrp->expires)
      fprintf(to, "%" PRId64, vrp->expires);
    fputc('\n', to);
  }
}

static enum ww_err put_csv(FILE *to, const struct ww_payloads *set, ww_unix_time at) {
  (void)at;
  put_csv_lines(to, set, true);
  return WW_OK;
}

static enum ww_err put_csv_routinator(FILE *to, const struct ww_payloads *set, ww_unix_time at) {
  (void)at;
  put_csv_lines(to, set, false);
  return WW_OK;
}

/* --- CCR ------------------------------------------------------------------------------------------------------- */

static bool put_octets(void *ctx, const void *data, size_t len) { return fwrite(data, 1, len, ctx) == len; }

static enum ww_err put_ccr(FILE *to, const struct ww_payloads *set, ww_unix_time at) {
  struct ww_ccr_state *state = ww_ccr_state_new();
  enum ww_err err = state ? ww_ccr_state_set(state, set) : WW_ERR_NOMEM;
  if (err == WW_OK)
    err = ww_ccr_state_write(state, at, put_octets, to);
  ww_ccr_state_free(state);
  return err;
}

/* --- configuration of routing daemons -------------------------------------------------------------------------- */

static enum ww_err put_openbgpd(FILE *to, const struct ww_payloads *set, ww_unix_time at) {
  char prefix[WW_PREFIX_STRLEN], time[WW_TIME_STRLEN];
  fprintf(to, "# VRPs and ASPAs of %s\nroa-set {\n", ww_time_format(at, time));
  for (size_t i = 0; i < set->vrp_count; i++) {
    const struct ww_vrp *vrp = &set->vrps[i];
    fprintf(to, "\t%s ", ww_prefix_format(&vrp->prefix, prefix));
    if (vrp->max_len != vrp->prefix.len)
      fprintf(to, "maxlen %u ", vrp->max_len);
    fprintf(to, "source-as %" PRIu32, vrp->asn);
    if (vrp->expires)
      fprintf(to, " expires %" PRId64, vrp->expires);
    fputc('\n', to);
  }
  fputs("}\n\naspa-set {\n", to);
  for (size_t i = 0; i < set->aspa_count; i++) {
    const struct ww_aspa *aspa = &set->aspas[i];
    fprintf(to, "\tcustomer-as %" PRIu32, aspa->customer);
    if (aspa->expires)
      fprintf(to, " expires %" PRId64, aspa->expires);
    fputs(" provider-as {", to);
    for (uint32_t k = 0; k < aspa->provider_count; k++)
      fprintf(to, "%s %" PRIu32, k ? "," : "", aspa->providers[k]);
    fputs(" }\n", to);
  }
  fputs("}\n", to);
  return WW_OK;
}

/* One protocol of BIRD for each kind, feeding a table that the configuration declares. */
static enum ww_err put_bird(FILE *to, const struct ww_payloads *set, ww_unix_time at) {
  char prefix[WW_PREFIX_STRLEN], time[WW_TIME_STRLEN];
  static const uint8_t families[] = {WW_AFI_IPV4, WW_AFI_IPV6};
  fprintf(to, "# VRPs and ASPAs of %s\n", ww_time_format(at, time));
  for (unsigned f = 0; f < 2; f++) {
    unsigned digit = f ? 6 : 4;
    fprintf(to, "roa%u table ROAS%u;\nprotocol static {\n\troa%u { table ROAS%u; };\n", digit, digit, digit, digit);
    for (size_t i = 0; i < set->vrp_count; i++)
      if (set->vrps[i].prefix.afi == families[f])
        fprintf(to, "\troute %s max %u as %" PRIu32 ";\n", ww_prefix_format(&set->vrps[i].prefix, prefix),
                set->vrps[i].max_len, set->vrps[i].asn);
    fputs("}\n", to);
  }
  if (!set->aspa_count) /* BIRD before 2.16 knows no ASPA */
    return WW_OK;
  fputs("aspa table ASPAS;\nprotocol static {\n\taspa { table ASPAS; };\n", to);
  for (size_t i = 0; i < set->aspa_count; i++) {
    const struct ww_aspa *aspa = &set->aspas[i];
    fprintf(to, "\troute aspa %" PRIu32 " providers", aspa->customer);
    for (uint32_t k = 0; k < aspa->provider_count; k++)
      fprintf(to, "%s %" PRIu32, k ? "," : "", aspa->providers[k]);
    fputs(";\n", to);
  }
  fputs("}\n", to);
  return WW_OK;
}

/* --- formats --------------------------------------------------------------------------------------------------- */

static const struct format {
  const char *name;
  enum ww_err (*put)(FILE *to, const struct ww_payloads *set, ww_unix_time at);
  bool aspas, keys, expiry;
} formats[] = {
    [WW_OUTPUT_RPKI_CLIENT] = {"rpki-client", put_rpki_client, true, true, true},
    [WW_OUTPUT_ROUTINATOR] = {"routinator", put_routinator, true, true, false},
    [WW_OUTPUT_STAYRTR] = {"stayrtr", put_stayrtr, false, true, true},
    [WW_OUTPUT_RTRTR] = {"rtrtr", put_rtrtr, false, false, false},
    [WW_OUTPUT_CSV] = {"csv", put_csv, false, false, true},
    [WW_OUTPUT_CSV_ROUTINATOR] = {"csv-routinator", put_csv_routinator, false, false, false},
    [WW_OUTPUT_CCR] = {"ccr", put_ccr, true, true, false},
    [WW_OUTPUT_OPENBGPD] = {"openbgpd", put_openbgpd, true, false, true},
    [WW_OUTPUT_BIRD] = {"bird", put_bird, true, false, false},
};

const char ww_output_format_names[] =
    "rpki-client (or json), routinator, stayrtr, rtrtr, csv, csv-routinator, ccr, openbgpd, bird";

bool ww_output_format_parse(const char *name, enum ww_output_format *out) {
  if (strcmp(name, "json") == 0)
    name = formats[WW_OUTPUT_RPKI_CLIENT].name;
  for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
    if (strcmp(name, formats[i].name) == 0) {
      *out = (enum ww_output_format)i;
      return true;
    }
  return false;
}

static size_t with_expiry(const struct ww_payloads *set) {
  size_t n = 0;
  for (size_t i = 0; i < set->vrp_count; i++)
    n += set->vrps[i].expires != 0;
  for (size_t i = 0; i < set->aspa_count; i++)
    n += set->aspas[i].expires != 0;
  for (size_t i = 0; i < set->key_count; i++)
    n += set->keys[i].expires != 0;
  return n;
}

/* Says what the format has no place for. CHOICE: an expiry that is lost is said, and is no error for --strict: the set
 * is the same, and of a CCR it is so by design. */
static int tell_losses(const char *command, const struct ww_payloads *set, const struct ww_output *output) {
  const struct format *f = &formats[output->format];
  size_t aspas = f->aspas ? 0 : set->aspa_count, keys = f->keys ? 0 : set->key_count;
  size_t expiries = f->expiry ? 0 : with_expiry(set);
  if (aspas || keys)
    (void)ww_cli_fail(command, "%s has no place for %zu ASPAs and %zu router keys%s", f->name, aspas, keys,
                      output->strict ? "" : ": they are left out");
  if (expiries)
    (void)ww_cli_fail(command, "%s does not say when records expire: %zu lose it", f->name, expiries);
  return output->strict && (aspas || keys) ? WW_EXIT_FAILED : WW_EXIT_OK;
}

/* The rights that a new file gets. */
static mode_t new_file_mode(void) {
  mode_t mask = umask(0);
  (void)umask(mask);
  return 0666 & ~mask;
}

static int output_failed(const char *command, const char *path, enum ww_err err, int error) {
  return ww_cli_fail(command, "%s: %s", path, err == WW_OK || err == WW_ERR_IO ? strerror(error) : ww_err_name(err));
}

static int to_file(const char *command, const char *path, const struct ww_payloads *set,
                   const struct ww_output *output) {
  size_t size = strlen(path) + sizeof(".XXXXXX");
  char *temporary = malloc(size);
  if (!temporary)
    return ww_cli_fail(command, "%s", ww_err_name(WW_ERR_NOMEM));
  (void)snprintf(temporary, size, "%s.XXXXXX", path);
  int fd = mkstemp(temporary);
  FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
  enum ww_err err = WW_OK;
  bool ok = to != NULL;
  if (to) {
    err = formats[output->format].put(to, set, output->produced_at);
    ok = err == WW_OK && fflush(to) == 0 && !ferror(to) && fchmod(fd, new_file_mode()) == 0 && fsync(fd) == 0;
    int error = errno;
    ok = fclose(to) == 0 && ok;
    if (!ok)
      errno = error;
    ok = ok && rename(temporary, path) == 0;
  } else if (fd >= 0) {
    (void)close(fd);
  }
  int error = errno;
  if (!ok && fd >= 0)
    (void)unlink(temporary);
  free(temporary);
  return ok ? WW_EXIT_OK : output_failed(command, path, err, error);
}

int ww_output_payloads(const char *command, const char *path, const struct ww_payloads *set,
                       const struct ww_output *output) {
  int code = tell_losses(command, set, output);
  if (code != WW_EXIT_OK)
    return code;
  if (strcmp(path, "-") != 0)
    return to_file(command, path, set, output);
  enum ww_err err = formats[output->format].put(stdout, set, output->produced_at);
  bool ok = err == WW_OK && fflush(stdout) == 0 && !ferror(stdout);
  return ok ? WW_EXIT_OK : output_failed(command, "standard output", err, errno);
}
