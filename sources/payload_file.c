/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payload files: telling the format, taking finished records, ending.
 *
 * A file is fed in pieces of any size. What gzip packed is unpacked first. Then the first octet that is not white space
 * names the reader: `{` the JSON one, a letter or quote the CSV one; a file that begins with a DER SEQUENCE goes to the
 * CCR one. What another program compressed, and a JSON array, is refused by name. The readers of text find values and
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

#include "sources/ccr_hash.h"

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
  ww_payload_ccr_free(file->ccr);
  ww_payload_gzip_free(file->gzip);
  ww_payloads_fini(&file->set);
  ww_payloads_fini(&file->outdated);
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
  return ww_fail(diag, WW_ERR_MALFORMED, file->offset, NULL, "neither JSON nor CSV with a header line nor CCR");
}

/* What other files begin with. */
static enum ww_err refuse_known(const uint8_t *p, size_t len, struct ww_diag *diag) {
  static const struct {
    const char *magic;
    const char *text;
  } packed[] = {{"\x1f\x8b", "the file is compressed by gzip twice"},
                {"BZh", "the file is compressed by bzip2: unpack it first"},
                {"\xfd"
                 "7zXZ",
                 "the file is compressed by xz: unpack it first"},
                {"\x28\xb5\x2f\xfd", "the file is compressed by zstd: unpack it first"}};
  for (unsigned i = 0; i < sizeof(packed) / sizeof(packed[0]); i++)
    if (len >= strlen(packed[i].magic) && memcmp(p, packed[i].magic, strlen(packed[i].magic)) == 0)
      return unsupported(diag, packed[i].text);
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
  if (c == 0x30 && file->offset + i == 0) /* SEQUENCE */
    file->ccr = ww_payload_ccr_new(file);
  else if (c == '{')
    file->json = ww_payload_json_new(file);
  else if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '"')
    file->csv = ww_payload_csv_new(file);
  else
    return wrong_format(file, c, diag);
  return file->json || file->csv || file->ccr ? WW_OK : WW_ERR_NOMEM;
}

static bool has_reader(const struct ww_payload_file *file) { return file->json || file->csv || file->ccr; }

static enum ww_err feed_reader(struct ww_payload_file *file, const uint8_t *p, size_t len, struct ww_diag *diag) {
  if (file->ccr)
    return ww_payload_ccr_feed(file->ccr, p, len, diag);
  return file->json ? ww_payload_json_feed(file->json, p, len, diag) : ww_payload_csv_feed(file->csv, p, len, diag);
}

/* In pieces, so that a reader may look at its limits now and then. */
static enum ww_err feed(struct ww_payload_file *file, const uint8_t *p, size_t len, struct ww_diag *diag) {
  enum ww_err err = WW_OK;
  if (!has_reader(file)) {
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
    err = feed_reader(file, p, n, diag);
    if (err == WW_OK) {
      file->line += file->ccr ? 0 : ww_payload_lines(p, n);
      file->offset += n;
      p += n;
      len -= n;
    }
  }
  return err;
}

/* The first octets tell what the file is not, and whether it is packed; they are put together first, however they
 * come. */
static enum ww_err feed_head(struct ww_payload_file *file, struct ww_diag *diag) {
  uint8_t head[sizeof(file->head)];
  size_t len = file->head_len;
  memcpy(head, file->head, sizeof(head));
  file->head_done = true;
  if (!file->gzip && len >= 2 && head[0] == 0x1f && head[1] == 0x8b) {
    file->gzip = ww_payload_gzip_new();
    if (!file->gzip)
      return ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "no memory to unpack it");
    file->head_len = 0; /* now of what is inside */
    file->head_done = false;
    return ww_payload_gzip_feed(file->gzip, file, head, len, diag);
  }
  enum ww_err err = refuse_known(head, len, diag);
  return err == WW_OK && len ? feed(file, head, len, diag) : err;
}

enum ww_err ww_payload_feed_plain(struct ww_payload_file *file, const uint8_t *p, size_t len, struct ww_diag *diag) {
  enum ww_err err = WW_OK;
  while (len && !file->head_done && file->head_len < sizeof(file->head)) {
    file->head[file->head_len++] = *p++;
    len--;
  }
  if (!file->head_done && file->head_len == sizeof(file->head)) {
    bool packed = file->gzip != NULL;
    err = feed_head(file, diag);
    if (err == WW_OK && len && !packed && file->gzip) /* it just turned out to be */
      return ww_payload_gzip_feed(file->gzip, file, p, len, diag);
  }
  return err == WW_OK && len ? feed(file, p, len, diag) : err;
}

enum ww_err ww_payload_file_feed(struct ww_payload_file *file, const void *data, size_t len, struct ww_diag *diag) {
  if (file->failed)
    return ww_fail(diag, WW_ERR_STATE, 0, NULL, "the file was refused already");
  enum ww_err err = file->gzip ? ww_payload_gzip_feed(file->gzip, file, data, len, diag)
                               : ww_payload_feed_plain(file, data, len, diag);
  file->failed = err != WW_OK;
  return err;
}

/* --- the end --------------------------------------------------------------------------------------------------- */

static enum ww_err finish_reader(struct ww_payload_file *file, struct ww_diag *diag) {
  enum ww_err err = file->head_done ? WW_OK : feed_head(file, diag);
  if (err == WW_OK && file->gzip)
    err = ww_payload_gzip_finish(file->gzip, diag);
  if (err == WW_OK && !file->head_done) /* of what was packed */
    err = feed_head(file, diag);
  if (err != WW_OK)
    return err;
  if (!has_reader(file))
    return ww_fail(diag, WW_ERR_SHORT, file->offset, NULL, "the file is empty");
  if (file->ccr)
    return ww_payload_ccr_finish(file->ccr, diag);
  return file->json ? ww_payload_json_finish(file->json, diag) : ww_payload_csv_finish(file->csv, diag);
}

/* Compares the hashes that the file names with those of what was read of it, the expired records included. */
static enum ww_err check_hashes(struct ww_payload_file *file, struct ww_diag *diag) {
  static const char *const names[WW_PAYLOAD_HASHES] = {"ccr_vrps_hash", "ccr_vaps_hash", "ccr_brks_hash"};
  struct ww_payloads all = {0};
  struct ww_ccr_hashes own;
  bool some_expired = file->stats.expired > 0;
  enum ww_err err = some_expired ? ww_payloads_add_set(&all, &file->outdated) : WW_OK;
  if (err == WW_OK && some_expired)
    err = ww_payloads_add_set(&all, &file->set);
  if (err == WW_OK)
    err = ww_payloads_sort(&all);
  const struct ww_payloads *set = some_expired ? &all : &file->set;
  if (err == WW_OK)
    err = ww_ccr_hash(set, &own);
  /* rpki-client has an order of its own (ccr_hash.h). */
  if (err == WW_OK && file->expected & 1u << WW_PAYLOAD_HASH_VRPS &&
      memcmp(file->expected_hashes[WW_PAYLOAD_HASH_VRPS], own.vrps, WW_CCR_HASH_LEN) != 0)
    err = ww_ccr_hash_client_vrps(set, own.vrps);
  ww_payloads_fini(&all);
  if (err != WW_OK)
    return ww_fail(diag, err, 0, NULL, "%s while checking the hashes in the metadata", ww_err_name(err));
  const uint8_t *const hashes[WW_PAYLOAD_HASHES] = {own.vrps, own.aspas, own.keys};
  for (unsigned i = 0; i < WW_PAYLOAD_HASHES; i++) {
    if (!(file->expected & 1u << i))
      continue;
    file->stats.hashes_checked |= 1u << i;
    if (memcmp(file->expected_hashes[i], hashes[i], WW_CCR_HASH_LEN) == 0)
      continue;
    file->stats.hashes_wrong |= 1u << i;
    if (file->options.strict)
      return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "metadata.%s is not the hash of the records in the file",
                     names[i]);
  }
  return WW_OK;
}

enum ww_err ww_payload_file_finish(struct ww_payload_file *file, struct ww_payloads *out,
                                   struct ww_payload_file_stats *stats, struct ww_diag *diag) {
  if (file->failed)
    return ww_fail(diag, WW_ERR_STATE, 0, NULL, "the file was refused already");
  file->failed = true; /* ended: nothing may follow */
  enum ww_err err = finish_reader(file, diag);
  if (err != WW_OK)
    return err;
  err = ww_payloads_sort(&file->set);
  if (err != WW_OK)
    return ww_fail(diag, err, 0, NULL, "%s while sorting", ww_err_name(err));
  err = file->expected ? check_hashes(file, diag) : WW_OK;
  if (err != WW_OK)
    return err;
  if (stats)
    *stats = file->stats;
  *out = file->set;
  file->set = (struct ww_payloads){0};
  return WW_OK;
}

/* --- finished records ------------------------------------------------------------------------------------------ */

/* Counts the record. Where it goes: to the set, or, expired, to those that a hash is to be checked of, or nowhere. */
static struct ww_payloads *place_of(struct ww_payload_file *file, const struct ww_payload_fields *f) {
  file->stats.records++;
  if (file->options.ignore_expiry || !(f->have & FIELD_EXPIRES) || f->expires == 0 || f->expires >= file->options.now)
    return &file->set;
  file->stats.expired++;
  if (file->expects_hashes)
    return &file->outdated;
  file->dropped = true;
  return NULL;
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
  struct ww_payloads *set = place_of(file, f);
  if (!set)
    return WW_OK;
  vrp.expires = f->have & FIELD_EXPIRES ? f->expires : 0;
  return added(ww_payloads_add_vrp(set, &vrp), why);
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
  struct ww_payloads *set = place_of(file, f);
  if (!set)
    return WW_OK;
  struct ww_aspa aspa = {.customer = f->asn,
                         .provider_count = count,
                         .providers = providers,
                         .expires = f->have & FIELD_EXPIRES ? f->expires : 0};
  enum ww_err err = ww_payloads_add_aspa(set, &aspa);
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
  struct ww_payloads *set = place_of(file, f);
  if (!set)
    return WW_OK;
  struct ww_router_key key = {.asn = f->asn,
                              .spki = f->spki,
                              .spki_len = (uint32_t)f->spki_len,
                              .expires = f->have & FIELD_EXPIRES ? f->expires : 0};
  memcpy(key.ski, f->ski, sizeof(key.ski));
  return added(ww_payloads_add_key(set, &key), why);
}
