/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CSV payload files: rpki-client's and Routinator's (csv, csvcompat, csvext). The first line names the columns, in any
 * order; ASN and IP Prefix must be there, Max Length and a time (Expires, Not After) may.
 *
 * Lines are taken out of the chunk where they lie; only one that spans two chunks is put together in `held`. Fields may
 * be quoted; a comma or line end within quotes is not expected in any column that matters, and is refused by the
 * count of columns.
 *
 * CHOICE: the last line must end with a line end, as both programs write it. A file cut in the middle of a number would
 * otherwise be taken for whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sources/payload_file_internal.h"

enum { LINE_MAX_LEN = 4096, COLUMNS_MAX = 32 };

enum column { COLUMN_UNKNOWN, COLUMN_IGNORED, COLUMN_ASN, COLUMN_PREFIX, COLUMN_MAX_LEN, COLUMN_EXPIRES };

static const struct {
  const char *name;
  enum column column;
} column_names[] = {
    {"ASN", COLUMN_ASN},
    {"IP Prefix", COLUMN_PREFIX},
    {"Max Length", COLUMN_MAX_LEN},
    {"Expires", COLUMN_EXPIRES},
    {"Not After", COLUMN_EXPIRES},
    {"Trust Anchor", COLUMN_IGNORED},
    {"Not Before", COLUMN_IGNORED},
    {"URI", COLUMN_IGNORED},
};

struct ww_payload_csv {
  struct ww_payload_file *file;
  enum column columns[COLUMNS_MAX];
  unsigned column_count; /* 0: the header has not been seen */
  char held[LINE_MAX_LEN];
  size_t held_len;
};

struct field {
  const char *text;
  size_t len;
};

struct ww_payload_csv *ww_payload_csv_new(struct ww_payload_file *file) {
  struct ww_payload_csv *csv = calloc(1, sizeof(*csv));
  if (csv)
    csv->file = file;
  return csv;
}

void ww_payload_csv_free(struct ww_payload_csv *csv) { free(csv); }

/* Cuts the next field off *line, without its quotes and the blanks around it. */
static struct field next_field(const char **line, const char *end) {
  const char *start = *line;
  const char *comma = memchr(start, ',', (size_t)(end - start));
  const char *stop = comma ? comma : end;
  *line = comma ? comma + 1 : NULL;
  while (start < stop && (*start == ' ' || *start == '\t'))
    start++;
  while (stop > start && (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r'))
    stop--;
  if (stop - start >= 2 && *start == '"' && stop[-1] == '"') {
    start++;
    stop--;
  }
  return (struct field){start, (size_t)(stop - start)};
}

static enum ww_err refuse(struct ww_diag *diag, enum ww_err err, const char *where, const char *why) {
  return ww_fail(diag, err, 0, NULL, "%s%s%s", where, where[0] ? ": " : "", why);
}

static enum ww_err read_header(struct ww_payload_csv *csv, const char *line, const char *end, struct ww_diag *diag) {
  unsigned seen = 0;
  for (const char *at = line; at;) {
    struct field f = next_field(&at, end);
    if (csv->column_count == COLUMNS_MAX)
      return refuse(diag, WW_ERR_LIMIT, "", "the header has too many columns");
    enum column column = COLUMN_UNKNOWN;
    for (unsigned i = 0; i < sizeof(column_names) / sizeof(column_names[0]); i++)
      if (strlen(column_names[i].name) == f.len && strncasecmp(column_names[i].name, f.text, f.len) == 0)
        column = column_names[i].column;
    if (column >= COLUMN_ASN && seen & 1u << column)
      return refuse(diag, WW_ERR_MALFORMED, "", "the header names a column twice");
    seen |= 1u << column;
    csv->file->stats.skipped_members += column == COLUMN_UNKNOWN;
    csv->columns[csv->column_count++] = column;
  }
  if (!(seen & 1u << COLUMN_ASN) || !(seen & 1u << COLUMN_PREFIX))
    return refuse(diag, WW_ERR_MALFORMED, "",
                  "neither JSON nor CSV with a header line that names the columns \"ASN\" and \"IP Prefix\"");
  return WW_OK;
}

static enum ww_err read_record(struct ww_payload_csv *csv, const char *line, const char *end, struct ww_diag *diag) {
  struct ww_payload_fields fields;
  fields.have = 0;
  unsigned n = 0;
  for (const char *at = line; at; n++) {
    struct field f = next_field(&at, end);
    const char *why = NULL, *where = "";
    bool ok = true;
    switch (n < csv->column_count ? csv->columns[n] : COLUMN_UNKNOWN) {
    case COLUMN_ASN:
      where = "ASN";
      ok = ww_payload_read_asn(f.text, f.len, &fields.asn, &why);
      fields.have |= FIELD_ASN;
      break;
    case COLUMN_PREFIX:
      where = "IP Prefix";
      ok = ww_payload_read_prefix(f.text, f.len, &fields.prefix, &why);
      fields.have |= FIELD_PREFIX;
      break;
    case COLUMN_MAX_LEN:
      where = "Max Length";
      if (f.len) {
        ok = ww_payload_read_number(f.text, f.len, UINT64_MAX, &fields.max_len, &why);
        fields.have |= FIELD_MAX_LEN;
      }
      break;
    case COLUMN_EXPIRES:
      where = "Expires";
      if (f.len) {
        ok = ww_payload_read_time(f.text, f.len, &fields.expires, &why);
        fields.have |= FIELD_EXPIRES;
      }
      break;
    default:
      break;
    }
    if (!ok)
      return refuse(diag, WW_ERR_MALFORMED, where, why);
  }
  if (n != csv->column_count)
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "%u columns, and the header has %u", n, csv->column_count);
  const char *why = "";
  enum ww_err err = ww_payload_take_vrp(csv->file, &fields, &why);
  return err == WW_OK ? WW_OK : refuse(diag, err, "", err == WW_ERR_LIMIT ? "too many records" : why);
}

static enum ww_err read_line(struct ww_payload_csv *csv, const char *line, const char *end, struct ww_diag *diag) {
  if (end > line && end[-1] == '\r')
    end--;
  if (end == line)
    return WW_OK;
  return csv->column_count ? read_record(csv, line, end, diag) : read_header(csv, line, end, diag);
}

enum ww_err ww_payload_csv_feed(struct ww_payload_csv *csv, const uint8_t *data, size_t len, struct ww_diag *diag) {
  const char *p = (const char *)data, *end = p + len;
  unsigned line = csv->file->line;
  enum ww_err err = WW_OK;
  while (p < end && err == WW_OK) {
    const char *stop = memchr(p, '\n', (size_t)(end - p));
    size_t n = (size_t)((stop ? stop : end) - p);
    if (csv->held_len || !stop) {
      if (n > sizeof(csv->held) - csv->held_len) {
        err = refuse(diag, WW_ERR_LIMIT, "", "the line is too long");
        break;
      }
      memcpy(csv->held + csv->held_len, p, n);
      csv->held_len += n;
      if (!stop)
        return WW_OK;
      err = read_line(csv, csv->held, csv->held + csv->held_len, diag);
      csv->held_len = 0;
    } else {
      err = read_line(csv, p, stop, diag);
    }
    if (err != WW_OK)
      break;
    p = stop + 1;
    line++;
  }
  if (err != WW_OK && diag) {
    diag->line = line;
    diag->offset = csv->file->offset + (size_t)(p - (const char *)data);
  }
  return err;
}

enum ww_err ww_payload_csv_finish(struct ww_payload_csv *csv, struct ww_diag *diag) {
  if (!csv->held_len && csv->column_count)
    return WW_OK;
  enum ww_err err =
      ww_fail(diag, WW_ERR_SHORT, csv->file->offset, NULL, "the last line has no line end: the file is cut short");
  if (diag)
    diag->line = csv->file->line;
  return err;
}
