/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payload files: telling the format, taking finished records, ending.
 *
 * A file is fed in pieces of any size. The first octet that is not white space names the reader: `{` the JSON one, a
 * letter or quote the CSV one; what is compressed, DER, or a JSON array is refused by name. The readers find values and
 * hand over records here, where they are checked and added to the set. Memory holds the records and one value.
 *
 * Invariants: after an error nothing more is read, and no part of the set gets out. Every record of the set has passed
 * the same checks, whatever file it came from.
 *
 * Expiry: a record whose time is before `now` is dropped and counted, unless the options say otherwise; then it keeps
 * its expiry, so that evidence shows how old it is.
 */
#include "sources/payload_file_internal.h"

#include <stdlib.h>
#include <string.h>

struct ww_payload_file *ww_payload_file_new(const struct ww_payload_file_options *options) {
  struct ww_payload_file *file = calloc(1, sizeof(*file));
  if (!file)
    return NULL;
  file->options = *options;
  file->line = 1;
  return file;
}

void ww_payload_file_free(struct ww_payload_file *file) {
  if (!file)
    return;
  ww_payload_json_free(file->json);
  ww_payload_csv_free(file->csv);
  ww_payloads_fini(&file->set);
  free(file);
}

unsigned ww_payload_lines(const uint8_t *data, size_t len) {
  unsigned lines = 0;
  if (!len)
    return 0;
  const uint8_t *end = data + len;
  while (len && (data = memchr(data, '\n', (size_t)(end - data))) != NULL) {
    lines++;
    data++;
    len = (size_t)(end - data);
  }
  return lines;
}

static enum ww_err unsupported(struct ww_diag *diag, const char *what) {
  return ww_fail(diag, WW_ERR_UNSUPPORTED, 0, NULL, "%s", what);
}

static enum ww_err wrong_format(struct ww_payload_file *file, uint8_t first, struct ww_diag *diag) {
  if (first == '[')
    return ww_fail(diag, WW_ERR_MALFORMED, file->offset, NULL, "the top level is an array, and should be an object");
  return ww_fail(diag, WW_ERR_MALFORMED, file->offset, NULL, "neither JSON nor CSV with a header line");
}

/* What other files begin with. */
static enum ww_err refuse_known(const uint8_t *p, size_t len, struct ww_diag *diag) {
  static const struct {
    const char *magic;
    const char *text;
  } packed[] = {{"\x1f\x8b", "the file is compressed by gzip: unpack it first"},
                {"BZh", "the file is compressed by bzip2: unpack it first"},
                {"\xfd"
                 "7zXZ",
                 "the file is compressed by xz: unpack it first"},
                {"\x28\xb5\x2f\xfd", "the file is compressed by zstd: unpack it first"}};
  for (unsigned i = 0; i < sizeof(packed) / sizeof(packed[0]); i++)
    if (len >= strlen(packed[i].magic) && memcmp(p, packed[i].magic, strlen(packed[i].magic)) == 0)
      return unsupported(diag, packed[i].text);
  if (len > 1 && p[0] == 0x30 && (p[1] & 0x80))
    return unsupported(diag, "the file is DER, perhaps a CCR: JSON and CSV are read");
  return WW_OK;
}

/* Finds the reader from the first octets. White space before them, and a byte order mark, are passed over: *skip. */
static enum ww_err choose_reader(struct ww_payload_file *file, const uint8_t *data, size_t len, size_t *skip,
                                 struct ww_diag *diag) {
  static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
  size_t i = 0;
  if (file->offset == 0 && len >= sizeof(mark) && memcmp(data, mark, sizeof(mark)) == 0)
    i = sizeof(mark);
  for (; i < len; i++) {
    uint8_t c = data[i];
    file->line += c == '\n';
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
      break;
  }
  *skip = i;
  if (i == len)
    return WW_OK;
  uint8_t c = data[i];
  if (c == '{')
    file->json = ww_payload_json_new(file);
  else if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '"')
    file->csv = ww_payload_csv_new(file);
  else
    return wrong_format(file, c, diag);
  return file->json || file->csv ? WW_OK : WW_ERR_NOMEM;
}

/* In pieces, so that a reader may look at its limits now and then. */
static enum ww_err feed(struct ww_payload_file *file, const uint8_t *p, size_t len, struct ww_diag *diag) {
  enum ww_err err = WW_OK;
  if (!file->json && !file->csv) {
    size_t skip = 0;
    err = choose_reader(file, p, len, &skip, diag);
    if (err != WW_OK && diag)
      diag->line = file->line;
    p += skip;
    len -= skip;
    file->offset += skip;
  }
  while (err == WW_OK && len) {
    size_t n = len < WW_PAYLOAD_FILE_PIECE ? len : WW_PAYLOAD_FILE_PIECE;
    err = file->json ? ww_payload_json_feed(file->json, p, n, diag) : ww_payload_csv_feed(file->csv, p, n, diag);
    if (err == WW_OK) {
      file->line += ww_payload_lines(p, n);
      file->offset += n;
      p += n;
      len -= n;
    }
  }
  return err;
}

/* The first octets tell what the file is not; they are put together first, however they come. */
static enum ww_err feed_head(struct ww_payload_file *file, struct ww_diag *diag) {
  file->head_done = true;
  enum ww_err err = refuse_known(file->head, file->head_len, diag);
  return err == WW_OK && file->head_len ? feed(file, file->head, file->head_len, diag) : err;
}

enum ww_err ww_payload_file_feed(struct ww_payload_file *file, const void *data, size_t len, struct ww_diag *diag) {
  if (file->failed)
    return ww_fail(diag, WW_ERR_STATE, 0, NULL, "the file was refused already");
  const uint8_t *p = data;
  enum ww_err err = WW_OK;
  while (len && file->head_len < sizeof(file->head)) {
    file->head[file->head_len++] = *p++;
    len--;
  }
  if (!file->head_done && file->head_len == sizeof(file->head))
    err = feed_head(file, diag);
  if (err == WW_OK && len)
    err = feed(file, p, len, diag);
  file->failed = err != WW_OK;
  return err;
}

enum ww_err ww_payload_file_finish(struct ww_payload_file *file, struct ww_payloads *out,
                                   struct ww_payload_file_stats *stats, struct ww_diag *diag) {
  if (file->failed)
    return ww_fail(diag, WW_ERR_STATE, 0, NULL, "the file was refused already");
  file->failed = true; /* ended: nothing may follow */
  enum ww_err err = file->head_done ? WW_OK : feed_head(file, diag);
  if (err != WW_OK)
    return err;
  if (!file->json && !file->csv)
    return ww_fail(diag, WW_ERR_SHORT, file->offset, NULL, "the file is empty");
  err = file->json ? ww_payload_json_finish(file->json, diag) : ww_payload_csv_finish(file->csv, diag);
  if (err != WW_OK)
    return err;
  err = ww_payloads_sort(&file->set);
  if (err != WW_OK)
    return ww_fail(diag, err, 0, NULL, "%s while sorting", ww_err_name(err));
  if (stats)
    *stats = file->stats;
  *out = file->set;
  file->set = (struct ww_payloads){0};
  return WW_OK;
}

/* --- finished records ------------------------------------------------------------------------------------------ */

/* Counts the record; false when it is not to be added. */
static bool current(struct ww_payload_file *file, const struct ww_payload_fields *f) {
  file->stats.records++;
  if (file->options.ignore_expiry || !(f->have & FIELD_EXPIRES) || f->expires == 0 || f->expires >= file->options.now)
    return true;
  file->stats.expired++;
  return false;
}

static enum ww_err refuse(const char **why, const char *text) {
  *why = text;
  return WW_ERR_MALFORMED;
}

static enum ww_err added(enum ww_err err, const char **why) {
  *why = err == WW_ERR_INVAL ? "a record that cannot be" : ww_err_name(err);
  return err == WW_ERR_INVAL ? WW_ERR_MALFORMED : err;
}

static bool too_many(const struct ww_payload_file *file) { return file->stats.records >= WW_PAYLOAD_FILE_RECORDS_MAX; }

enum ww_err ww_payload_take_vrp(struct ww_payload_file *file, const struct ww_payload_fields *f, const char **why) {
  if (!(f->have & FIELD_ASN))
    return refuse(why, "no \"asn\"");
  if (!(f->have & FIELD_PREFIX))
    return refuse(why, "no \"prefix\"");
  struct ww_vrp vrp = {.prefix = f->prefix, .max_len = f->prefix.len, .asn = f->asn};
  if (f->have & FIELD_MAX_LEN) {
    /* RFC 6811 §2: without a maximum length it is the prefix's own. */
    if (f->max_len < f->prefix.len)
      return refuse(why, "maxLength is less than the length of the prefix");
    if (f->max_len > ww_afi_bits(f->prefix.afi))
      return refuse(why, f->prefix.afi == WW_AFI_IPV4 ? "maxLength is over 32" : "maxLength is over 128");
    vrp.max_len = (uint8_t)f->max_len;
  }
  if (too_many(file))
    return WW_ERR_LIMIT;
  if (!current(file, f))
    return WW_OK;
  vrp.expires = f->have & FIELD_EXPIRES ? f->expires : 0;
  return added(ww_payloads_add_vrp(&file->set, &vrp), why);
}

enum ww_err ww_payload_take_aspa(struct ww_payload_file *file, const struct ww_payload_fields *f,
                                 const uint32_t *providers, uint32_t count, const char **why) {
  if (!(f->have & FIELD_ASN))
    return refuse(why, "no \"customer_asid\" or \"customer\"");
  if (!(f->have & FIELD_PROVIDERS))
    return refuse(why, "no \"providers\"");
  if (!count)
    return refuse(why, "the list of providers is empty");
  if (too_many(file))
    return WW_ERR_LIMIT;
  if (!current(file, f))
    return WW_OK;
  struct ww_aspa aspa = {.customer = f->asn,
                         .provider_count = count,
                         .providers = providers,
                         .expires = f->have & FIELD_EXPIRES ? f->expires : 0};
  enum ww_err err = ww_payloads_add_aspa(&file->set, &aspa);
  if (err == WW_ERR_INVAL)
    return refuse(why, "AS 0 beside other providers");
  return added(err, why);
}

/* Does this look like a SubjectPublicKeyInfo: one DER SEQUENCE that fills it? What is in it is for who uses the key. */
static bool is_sequence(const uint8_t *p, size_t len) {
  if (len < 2 || p[0] != 0x30)
    return false;
  if (p[1] < 0x80)
    return len == 2u + p[1];
  if (p[1] == 0x81)
    return len >= 3 && p[2] >= 0x80 && len == 3u + p[2];
  return p[1] == 0x82 && len >= 4 && p[2] > 0 && len == 4u + ((size_t)p[2] << 8 | p[3]);
}

enum ww_err ww_payload_take_key(struct ww_payload_file *file, const struct ww_payload_fields *f, const char **why) {
  if (!(f->have & FIELD_ASN))
    return refuse(why, "no \"asn\"");
  if (!(f->have & FIELD_SKI))
    return refuse(why, "no \"ski\"");
  if (!(f->have & FIELD_SPKI))
    return refuse(why, "no \"pubkey\" or \"routerPublicKey\"");
  if (!is_sequence(f->spki, f->spki_len))
    return refuse(why, "the public key is not a DER SubjectPublicKeyInfo");
  if (too_many(file))
    return WW_ERR_LIMIT;
  if (!current(file, f))
    return WW_OK;
  struct ww_router_key key = {.asn = f->asn,
                              .spki = f->spki,
                              .spki_len = (uint32_t)f->spki_len,
                              .expires = f->have & FIELD_EXPIRES ? f->expires : 0};
  memcpy(key.ski, f->ski, sizeof(key.ski));
  return added(ww_payloads_add_key(&file->set, &key), why);
}
