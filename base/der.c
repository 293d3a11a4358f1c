/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The strict DER reader, and the little that writes DER.
 *
 * Everything goes through header(): it checks tag and length against what is left before anything else looks, so that a
 * child's bounds always lie within its parent's. Nothing recurses and nothing is allocated: how deep a structure goes
 * is in the caller's code.
 *
 * Clauses: X.690 8.1 and 10.1 (lengths), 8.3 (INTEGER), 8.6 and 11.2 (BIT STRING), 8.19 (OBJECT IDENTIFIER), 11.7
 * (GeneralizedTime), RFC 5280 §4.1.2.5.2 (no fractions).
 */
#include "base/der.h"

#include "base/calendar.h"

struct ww_der ww_der_open(struct ww_der_input *input, const void *data, size_t len) {
  *input = (struct ww_der_input){.start = data};
  return (struct ww_der){.in = ww_reader_make(data, len), .input = input};
}

void ww_der_fail_at(struct ww_der *d, size_t offset, const char *why) {
  if (d->input->why)
    return;
  d->input->why = why;
  d->input->offset = offset;
}

void ww_der_fail(struct ww_der *d, const char *why) { ww_der_fail_at(d, ww_der_offset(d), why); }

bool ww_der_end(struct ww_der *d) {
  if (ww_der_more(d))
    ww_der_fail(d, "more than should be here");
  return ww_der_ok(d);
}

static const char *not_the_tag(unsigned tag) {
  switch (tag) {
  case WW_DER_BOOLEAN:
    return "not a BOOLEAN";
  case WW_DER_INTEGER:
    return "not an INTEGER";
  case WW_DER_BIT_STRING:
    return "not a BIT STRING";
  case WW_DER_OCTET_STRING:
    return "not an OCTET STRING";
  case WW_DER_OID:
    return "not an OBJECT IDENTIFIER";
  case WW_DER_GENERALIZED_TIME:
    return "not a GeneralizedTime";
  case WW_DER_SEQUENCE:
    return "not a SEQUENCE";
  case WW_DER_SET:
    return "not a SET";
  default:
    return "not the tag that should be here";
  }
}

/* The header of the next element: the reader moves past it, and *len octets of contents are there. `tag` 0: any. */
static bool header(struct ww_der *d, unsigned tag, size_t *len) {
  const uint8_t *p = d->in.p, *end = d->in.end;
  *len = 0;
  if (d->input->why)
    return false;
  if (end - p < 2) {
    ww_der_fail(d, p == end ? "ends where an element should be" : "ends within the header of an element");
    return false;
  }
  if ((p[0] & 0x1f) == 0x1f || (tag && p[0] != tag)) {
    ww_der_fail(d, tag ? not_the_tag(tag) : "a tag number above 30");
    return false;
  }
  size_t n = p[1];
  const uint8_t *contents = p + 2;
  if (n >= 0x80) {
    size_t octets = n & 0x7f;
    if (octets == 0 || octets > 4) {
      /* X.690 10.1: the definite form, in as few octets as will do. */
      ww_der_fail(d, octets ? "a length of more than four octets" : "an indefinite length");
      return false;
    }
    if ((size_t)(end - contents) < octets) {
      ww_der_fail(d, "ends within the header of an element");
      return false;
    }
    n = 0;
    for (size_t i = 0; i < octets; i++)
      n = n << 8 | contents[i];
    if (n < 0x80 || contents[0] == 0) {
      ww_der_fail(d, "a length that is not in its shortest form");
      return false;
    }
    contents += octets;
  }
  if ((size_t)(end - contents) < n) {
    ww_der_fail(d, "an element that is longer than what it stands in");
    return false;
  }
  d->in.p = contents;
  *len = n;
  return true;
}

struct ww_der_span ww_der_contents(struct ww_der *d, unsigned tag) {
  size_t len;
  if (!header(d, tag, &len))
    return (struct ww_der_span){.p = d->in.end};
  struct ww_der_span s = {.p = d->in.p, .len = len}; /* header() has seen that they are all there */
  d->in.p += len;
  return s;
}

struct ww_der ww_der_enter(struct ww_der *d, unsigned tag) {
  struct ww_der_span s = ww_der_contents(d, tag);
  return (struct ww_der){.in = {.p = s.p, .end = s.len ? s.p + s.len : s.p}, .input = d->input};
}

struct ww_der_span ww_der_element(struct ww_der *d, unsigned tag) {
  const uint8_t *start = d->in.p;
  struct ww_der_span s = ww_der_contents(d, tag);
  if (!ww_der_ok(d))
    return s;
  return (struct ww_der_span){.p = start, .len = (size_t)(d->in.p - start)};
}

struct ww_der_span ww_der_any(struct ww_der *d) {
  return ww_der_element(d, 0);
}

struct ww_der_span ww_der_unsigned(struct ww_der *d) {
  size_t at = ww_der_offset(d);
  struct ww_der_span s = ww_der_contents(d, WW_DER_INTEGER);
  if (!ww_der_ok(d))
    return s;
  const char *why = NULL;
  /* X.690 8.3.2: the first nine bits are neither all 0 nor all 1. */
  if (s.len == 0)
    why = "an INTEGER without octets";
  else if (s.len > 1 && ((s.p[0] == 0 && s.p[1] < 0x80) || (s.p[0] == 0xff && s.p[1] >= 0x80)))
    why = "an INTEGER that is not in its shortest form";
  else if (s.p[0] >= 0x80)
    why = "a negative INTEGER";
  if (why) {
    ww_der_fail_at(d, at, why);
    return (struct ww_der_span){.p = d->in.end};
  }
  if (s.len > 1 && s.p[0] == 0) {
    s.p++;
    s.len--;
  }
  return s;
}

uint64_t ww_der_u64(struct ww_der *d, uint64_t max) {
  size_t at = ww_der_offset(d);
  struct ww_der_span s = ww_der_unsigned(d);
  uint64_t v = 0;
  if (s.len <= sizeof(v))
    for (size_t i = 0; i < s.len; i++)
      v = v << 8 | s.p[i];
  if (s.len <= sizeof(v) && v <= max)
    return v;
  ww_der_fail_at(d, at, "an INTEGER that is too large");
  return 0;
}

struct ww_der_span ww_der_bits(struct ww_der *d, unsigned *unused) {
  size_t at = ww_der_offset(d);
  struct ww_der_span s = ww_der_contents(d, WW_DER_BIT_STRING);
  const char *why = NULL;
  if (unused)
    *unused = 0;
  if (!ww_der_ok(d))
    return s;
  if (s.len == 0)
    why = "a BIT STRING without octets";
  else if (s.p[0] > 7 || (s.len == 1 && s.p[0]))
    why = "a BIT STRING with more unused bits than there are";
  else if (s.p[0] && s.p[s.len - 1] & ((1u << s.p[0]) - 1)) /* X.690 11.2.1 */
    why = "a BIT STRING whose unused bits are set";
  else if (s.p[0] && !unused)
    why = "a BIT STRING that does not end with an octet";
  if (why) {
    ww_der_fail_at(d, at, why);
    return (struct ww_der_span){.p = d->in.end};
  }
  if (unused)
    *unused = s.p[0];
  return (struct ww_der_span){.p = s.p + 1, .len = s.len - 1};
}

struct ww_der_span ww_der_oid(struct ww_der *d) {
  size_t at = ww_der_offset(d);
  struct ww_der_span s = ww_der_contents(d, WW_DER_OID);
  if (!ww_der_ok(d))
    return s;
  bool sound = s.len && s.p[s.len - 1] < 0x80;
  for (size_t i = 0; i < s.len && sound; i++) /* X.690 8.19.2: no subidentifier begins with an idle octet */
    sound = s.p[i] != 0x80 || (i && s.p[i - 1] >= 0x80);
  if (sound)
    return s;
  ww_der_fail_at(d, at, "a malformed OBJECT IDENTIFIER");
  return (struct ww_der_span){.p = d->in.end};
}

void ww_der_expect_oid(struct ww_der *d, const uint8_t *oid, size_t len, const char *why) {
  size_t at = ww_der_offset(d);
  struct ww_der_span s = ww_der_oid(d);
  if (ww_der_ok(d) && !ww_der_span_is(s, oid, len))
    ww_der_fail_at(d, at, why);
}

int64_t ww_der_time(struct ww_der *d) {
  size_t at = ww_der_offset(d);
  struct ww_der_span s = ww_der_contents(d, WW_DER_GENERALIZED_TIME);
  if (!ww_der_ok(d))
    return 0;
  /* RFC 5280 §4.1.2.5.2: Greenwich Mean Time with seconds, without fractions. */
  static const uint8_t widths[] = {4, 2, 2, 2, 2, 2};
  unsigned values[sizeof(widths)] = {0};
  bool sound = s.len == WW_DER_TIME_LEN && s.p[WW_DER_TIME_LEN - 1] == 'Z';
  size_t i = 0;
  for (unsigned f = 0; f < sizeof(widths) && sound; f++)
    for (unsigned k = 0; k < widths[f]; k++, i++) {
      unsigned digit = s.p[i] - (unsigned)'0';
      sound = sound && digit <= 9;
      values[f] = values[f] * 10 + digit;
    }
  int64_t out = 0;
  struct ww_calendar c = {values[0], values[1], values[2], values[3], values[4], values[5]};
  if (sound && ww_calendar_to_unix(&c, &out))
    return out;
  ww_der_fail_at(d, at, "not a time of the form YYYYMMDDHHMMSSZ");
  return 0;
}

/* --- writing --------------------------------------------------------------------------------------------------- */

void ww_der_put_header(struct ww_writer *w, unsigned tag, size_t len) {
  size_t octets = ww_der_length_size(len);
  ww_writer_u8(w, (uint8_t)tag);
  if (octets == 1) {
    ww_writer_u8(w, (uint8_t)len);
    return;
  }
  ww_writer_u8(w, (uint8_t)(0x80 | (octets - 1)));
  for (size_t i = octets - 1; i-- > 0;)
    ww_writer_u8(w, (uint8_t)(len >> (8 * i)));
}

void ww_der_put_u64(struct ww_writer *w, uint64_t v) {
  size_t octets = ww_der_u64_size(v) - 2;
  ww_writer_u8(w, WW_DER_INTEGER);
  ww_writer_u8(w, (uint8_t)octets);
  for (size_t i = octets; i-- > 0;)
    ww_writer_u8(w, (uint8_t)(i < sizeof(v) ? v >> (8 * i) : 0));
}

void ww_der_put(struct ww_writer *w, unsigned tag, const void *data, size_t len) {
  ww_der_put_header(w, tag, len);
  ww_writer_bytes(w, data, len);
}

void ww_der_put_time(struct ww_writer *w, int64_t unix_sec) {
  struct ww_calendar c;
  if (!ww_calendar_from_unix(unix_sec, &c)) {
    w->overflow = true;
    return;
  }
  const unsigned values[] = {c.year / 100, c.year % 100, c.month, c.day, c.hour, c.minute, c.second};
  ww_der_put_header(w, WW_DER_GENERALIZED_TIME, WW_DER_TIME_LEN);
  for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
    ww_writer_u8(w, (uint8_t)('0' + values[i] / 10));
    ww_writer_u8(w, (uint8_t)('0' + values[i] % 10));
  }
  ww_writer_u8(w, 'Z');
}
