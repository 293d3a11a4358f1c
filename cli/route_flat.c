/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plain JSON objects, read without a tree: what all but a few lines of a large batch are.
 *
 * Plain is an object of the members that a route may have, each at most once, strings without escapes and in ASCII,
 * numbers without sign, fraction or exponent that fit, and paths of numbers alone. Anything else, malformed lines
 * included, is not plain: the caller hands it to jansson. So this code decides nothing but speed, as long as it takes
 * no line that jansson would read otherwise; tests/cli/test_flat.py compares the two on mutated lines.
 */
#include "cli/route_flat.h"

#include <string.h>

#include "base/bytes.h"
#include "wire/bgp.h"

struct scan {
  const char *p, *end;
};

static void blanks(struct scan *s) {
  while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\r' || *s->p == '\n'))
    s->p++;
}

static bool take(struct scan *s, char c) {
  blanks(s);
  if (s->p == s->end || *s->p != c)
    return false;
  s->p++;
  return true;
}

/* A string into buf[size], NUL-terminated. */
static bool string(struct scan *s, char *buf, size_t size) {
  if (!take(s, '"'))
    return false;
  for (size_t n = 0; s->p < s->end && n < size; s->p++, n++) {
    char c = *s->p;
    if (c == '"') {
      buf[n] = '\0';
      s->p++;
      return true;
    }
    if (c == '\\' || c < ' ' || c > '~')
      return false;
    buf[n] = c;
  }
  return false;
}

static bool number(struct scan *s, uint32_t *out) {
  blanks(s);
  const char *first = s->p;
  uint64_t value = 0;
  for (; s->p < s->end && *s->p >= '0' && *s->p <= '9' && s->p - first < 10; s->p++)
    value = value * 10 + (uint64_t)(*s->p - '0');
  if (s->p == first || (*first == '0' && s->p - first > 1) || value > UINT32_MAX)
    return false;
  /* 1.5, 1e3 and an eleventh digit are somebody else's. */
  if (s->p < s->end && ((*s->p >= '0' && *s->p <= '9') || *s->p == '.' || *s->p == 'e' || *s->p == 'E'))
    return false;
  *out = (uint32_t)value;
  return true;
}

static bool asn(struct scan *s, uint32_t *out) {
  char text[24];
  blanks(s);
  if (s->p < s->end && *s->p == '"')
    return string(s, text, sizeof text) && ww_asn_parse(text, out) == WW_OK;
  return number(s, out);
}

static bool path(struct scan *s, struct ww_route_query *out) {
  enum { SEGMENT_MAX = 255 };
  struct ww_writer w = ww_writer_make(out->path, sizeof(out->path));
  uint32_t value;
  size_t count = 0, at = 0;
  if (!take(s, '['))
    return false;
  if (take(s, ']')) {
    out->path_len = 0;
    return true;
  }
  do {
    if (count % SEGMENT_MAX == 0) {
      at = w.len + 1;
      ww_writer_u8(&w, WW_SEG_AS_SEQUENCE);
      ww_writer_u8(&w, 0);
    }
    if (!asn(s, &value))
      return false;
    ww_writer_u32(&w, value);
    if (w.overflow)
      return false;
    out->path[at]++;
    count++;
  } while (take(s, ','));
  out->path_len = w.len;
  return take(s, ']');
}

enum member { PREFIX = 1, PATH = 2, ORIGIN = 4, ASN = 8, ROLE = 16, DIRECTION = 32, NEIGHBOR = 64 };

static unsigned member_of(const char *name) {
  static const struct {
    const char *name;
    unsigned member;
  } members[] = {{"prefix", PREFIX}, {"as_path", PATH},        {"origin", ORIGIN},       {"asn", ASN},
                 {"role", ROLE},     {"direction", DIRECTION}, {"neighbor_as", NEIGHBOR}};
  for (unsigned i = 0; i < sizeof members / sizeof members[0]; i++)
    if (strcmp(members[i].name, name) == 0)
      return members[i].member;
  return 0;
}

static bool value(struct scan *s, unsigned member, struct ww_route_query *out) {
  char text[WW_PREFIX_STRLEN];
  switch (member) {
  case PREFIX:
    return string(s, text, sizeof text) && ww_prefix_parse(text, &out->prefix) == WW_OK;
  case PATH:
    return path(s, out);
  case ORIGIN:
  case ASN:
    return asn(s, &out->origin.asn);
  case ROLE:
    return string(s, text, sizeof text) && ww_role_parse(text, &out->session.role);
  case DIRECTION:
    return string(s, text, sizeof text) && ww_direction_parse(text, &out->session.role);
  case NEIGHBOR:
    return asn(s, &out->session.neighbor_as);
  default:
    return false;
  }
}

bool ww_route_flat(struct ww_route_query *out, const struct ww_route_defaults *defaults, const char *line, size_t len) {
  struct scan s = {line, line + len};
  unsigned seen = 0;
  if (!take(&s, '{'))
    return false;
  do {
    char name[16];
    if (!string(&s, name, sizeof name) || !take(&s, ':'))
      return false;
    unsigned member = member_of(name);
    if (seen & member || !value(&s, member, out))
      return false;
    seen |= member;
  } while (take(&s, ','));
  if (!take(&s, '}'))
    return false;
  blanks(&s);
  unsigned route = seen & (PATH | ORIGIN | ASN);
  if (s.p != s.end || !(seen & PREFIX) || (seen & ROLE && seen & DIRECTION) ||
      (route != PATH && route != ORIGIN && route != ASN))
    return false;
  if (route == PATH)
    ww_route_take_path(out, defaults->local_as);
  return true;
}
