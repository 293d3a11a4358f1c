/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payload sets as files. Records are written one after the other, so memory holds the set and never the text.
 *
 * JSON is what rpki-client writes ("roas", "bgpsec_keys", "aspas"), without what is not known here: the trust anchor.
 * A record that has no expiry has no "expires".
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

static void put_expires(FILE *to, ww_unix_time expires) {
  if (expires)
    fprintf(to, ", \"expires\": %" PRId64, expires);
}

static void put_json(FILE *to, const struct ww_payloads *set) {
  char buf[WW_PREFIX_STRLEN], spki[WW_BASE64_SIZE(WW_SPKI_MAX)];
  fprintf(to, "{\n\"metadata\": {\"vrps\": %zu, \"bgpsec_pubkeys\": %zu, \"aspas\": %zu},\n\"roas\": [", set->vrp_count,
          set->key_count, set->aspa_count);
  for (size_t i = 0; i < set->vrp_count; i++) {
    const struct ww_vrp *vrp = &set->vrps[i];
    fprintf(to, "%s{\"asn\": %" PRIu32 ", \"prefix\": \"%s\", \"maxLength\": %u", i ? ",\n" : "\n", vrp->asn,
            ww_prefix_format(&vrp->prefix, buf), vrp->max_len);
    put_expires(to, vrp->expires);
    fputc('}', to);
  }
  fputs("\n],\n\"bgpsec_keys\": [", to);
  for (size_t i = 0; i < set->key_count; i++) {
    const struct ww_router_key *key = &set->keys[i];
    fprintf(to, "%s{\"asn\": %" PRIu32 ", \"ski\": \"", i ? ",\n" : "\n", key->asn);
    for (unsigned k = 0; k < WW_SKI_LEN; k++)
      fprintf(to, "%02X", key->ski[k]);
    fputs("\", \"pubkey\": \"", to);
    (void)ww_base64_encode(key->spki, key->spki_len, spki);
    fputs(spki, to);
    fputc('"', to);
    put_expires(to, key->expires);
    fputc('}', to);
  }
  fputs("\n],\n\"aspas\": [", to);
  for (size_t i = 0; i < set->aspa_count; i++) {
    const struct ww_aspa *aspa = &set->aspas[i];
    fprintf(to, "%s{\"customer_asid\": %" PRIu32 ", \"providers\": [", i ? ",\n" : "\n", aspa->customer);
    for (uint32_t k = 0; k < aspa->provider_count; k++)
      fprintf(to, "%s%" PRIu32, k ? ", " : "", aspa->providers[k]);
    fputc(']', to);
    put_expires(to, aspa->expires);
    fputc('}', to);
  }
  fputs("\n]\n}\n", to);
}

static void put_csv(FILE *to, const struct ww_payloads *set) {
  char buf[WW_PREFIX_STRLEN];
  fputs("ASN,IP Prefix,Max Length,Trust Anchor,Expires\n", to);
  for (size_t i = 0; i < set->vrp_count; i++) {
    const struct ww_vrp *vrp = &set->vrps[i];
    fprintf(to, "AS%" PRIu32 ",%s,%u,,", vrp->asn, ww_prefix_format(&vrp->prefix, buf), vrp->max_len);
    if (vrp->expires)
      fprintf(to, "%" PRId64, vrp->expires);
    fputc('\n', to);
  }
}

void ww_output_payloads(FILE *to, const struct ww_payloads *set, enum ww_output_format format) {
  if (format == WW_OUTPUT_CSV)
    put_csv(to, set);
  else
    put_json(to, set);
}

/* The rights that a new file gets. */
static mode_t new_file_mode(void) {
  mode_t mask = umask(0);
  (void)umask(mask);
  return 0666 & ~mask;
}

int ww_output_payloads_file(const char *command, const char *path, const struct ww_payloads *set,
                            enum ww_output_format format) {
  size_t size = strlen(path) + sizeof(".XXXXXX");
  char *temporary = malloc(size);
  if (!temporary)
    return ww_cli_fail(command, "%s", ww_err_name(WW_ERR_NOMEM));
  (void)snprintf(temporary, size, "%s.XXXXXX", path);
  int fd = mkstemp(temporary);
  FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
  bool ok = to != NULL;
  if (to) {
    ww_output_payloads(to, set, format);
    ok = fflush(to) == 0 && !ferror(to) && fchmod(fd, new_file_mode()) == 0 && fsync(fd) == 0;
    ok = fclose(to) == 0 && ok;
    ok = ok && rename(temporary, path) == 0;
  } else if (fd >= 0) {
    (void)close(fd);
  }
  int error = errno;
  if (!ok && fd >= 0)
    (void)unlink(temporary);
  free(temporary);
  return ok ? WW_EXIT_OK : ww_cli_fail(command, "%s: %s", path, strerror(error));
}
