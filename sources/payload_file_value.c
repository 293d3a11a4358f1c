/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spellings of the values in payload files: what rpki-client writes as a number, Routinator writes as "AS64496" and
 * RTRTR as "64496". Strict within each spelling: no sign, no fraction, no white space, nothing beyond the range.
 *
 * Clauses: RFC 4648 §4, §5 and §8 (base64, base64url, hex), RFC 3339 §5.6 (times).
 */
#include "sources/payload_file_internal.h"

#include <string.h>

#include "base/base64.h"
#include "base/calendar.h"

static bool refuse(const char **why, const char *text) {
  *why = text;
  return false;
}

bool ww_payload_read_number(const char *text, size_t len, uint64_t max, uint64_t *out, const char **why) {
  uint64_t value = 0;
  if (len == 0)
    return refuse(why, "a number is missing");
  for (size_t i = 0; i < len; i++) {
    unsigned digit = (unsigned)(unsigned char)text[i] - '0';
    if (digit > 9)
      return refuse(why, "not a whole number");
    if (value > (UINT64_MAX - digit) / 10)
      return refuse(why, "the number is too large");
    value = value * 10 + digit;
  }
  if (value > max)
    return refuse(why, "the number is too large");
  *out = value;
  return true;
}

bool ww_payload_read_asn(const char *text, size_t len, uint32_t *out, const char **why) {
  if (len > 2 && (text[0] == 'A' || text[0] == 'a') && (text[1] == 'S' || text[1] == 's')) {
    text += 2;
    len -= 2;
  }
  uint64_t value;
  if (!ww_payload_read_number(text, len, UINT32_MAX, &value, why))
    return refuse(why, "not an AS number from 0 to 4294967295");
  *out = (uint32_t)value;
  return true;
}

/* The common case without a detour: "192.0.2.0/24". False: leave it to ww_prefix_parse(). */
static bool read_ipv4(const char *text, size_t len, struct ww_prefix *out) {
  uint32_t address = 0;
  unsigned parts = 0, value = 0, digits = 0;
  size_t i = 0;
  for (; i < len; i++) {
    unsigned digit = (unsigned)(unsigned char)text[i] - '0';
    if (digit <= 9) {
      if (digits && value == 0)
        return false; /* 01 */
      value = value * 10 + digit;
      if (++digits > 3 || value > 255)
        return false;
      continue;
    }
    if (!digits)
      return false;
    address = address << 8 | value;
    parts++;
    value = digits = 0;
    if (text[i] == '/')
      break;
    if (text[i] != '.' || parts == 4)
      return false;
  }
  if (parts != 4 || len - i < 2 || len - i > 3)
    return false;
  unsigned bits = 0;
  for (size_t k = i + 1; k < len; k++) {
    unsigned digit = (unsigned)(unsigned char)text[k] - '0';
    if (digit > 9 || (k > i + 1 && bits == 0))
      return false;
    bits = bits * 10 + digit;
  }
  if (bits > 32 || (bits < 32 && address & UINT32_MAX >> bits))
    return false;
  *out = (struct ww_prefix){.afi = WW_AFI_IPV4, .len = (uint8_t)bits};
  for (unsigned b = 0; b < 4; b++)
    out->addr[b] = (uint8_t)(address >> (24 - 8 * b));
  return true;
}

bool ww_payload_read_prefix(const char *text, size_t len, struct ww_prefix *out, const char **why) {
  if (read_ipv4(text, len, out))
    return true;
  char copy[WW_PREFIX_STRLEN];
  if (len >= sizeof(copy) || memchr(text, 0, len))
    return refuse(why, "not a prefix");
  memcpy(copy, text, len);
  copy[len] = '\0';
  if (ww_prefix_parse(copy, out) == WW_OK)
    return true;
  /* What is wrong with it? */
  char *slash = strchr(copy, '/');
  struct ww_addr addr;
  uint64_t bits;
  if (!slash)
    return refuse(why, "not a prefix: no \"/\"");
  *slash = '\0';
  if (ww_addr_parse(copy, &addr) != WW_OK)
    return refuse(why, "not a prefix: the address is malformed");
  if (!ww_payload_read_number(slash + 1, strlen(slash + 1), ww_afi_bits(addr.afi), &bits, why))
    return refuse(why, "not a prefix: the length is malformed or too large");
  return refuse(why, "the prefix has bits set beyond its length");
}

/* `count` digits at text[*at]. */
static bool digits(const char *text, size_t len, size_t *at, unsigned count, unsigned *out) {
  unsigned value = 0;
  for (unsigned i = 0; i < count; i++, ++*at) {
    unsigned digit = *at < len ? (unsigned)(unsigned char)text[*at] - '0' : 10;
    if (digit > 9)
      return false;
    value = value * 10 + digit;
  }
  *out = value;
  return true;
}

static bool one_of(const char *text, size_t len, size_t *at, const char *set) {
  if (*at >= len || !text[*at] || !strchr(set, text[*at]))
    return false;
  ++*at;
  return true;
}

bool ww_payload_read_time(const char *text, size_t len, int64_t *out, const char **why) {
  uint64_t seconds;
  if (len < 5 || text[4] != '-') {
    if (!ww_payload_read_number(text, len, INT64_MAX, &seconds, why))
      return false;
    *out = (int64_t)seconds;
    return true;
  }
  struct ww_calendar c = {0};
  unsigned zone_hour = 0, zone_minute = 0;
  size_t at = 0;
  bool ok = digits(text, len, &at, 4, &c.year) && one_of(text, len, &at, "-") && digits(text, len, &at, 2, &c.month) &&
            one_of(text, len, &at, "-") && digits(text, len, &at, 2, &c.day) && one_of(text, len, &at, "Tt ") &&
            digits(text, len, &at, 2, &c.hour) && one_of(text, len, &at, ":") && digits(text, len, &at, 2, &c.minute) &&
            one_of(text, len, &at, ":") && digits(text, len, &at, 2, &c.second);
  if (ok && at < len && text[at] == '.')
    for (at++; at < len && text[at] >= '0' && text[at] <= '9';)
      at++;
  int64_t zone = 0;
  if (ok && at < len && !one_of(text, len, &at, "Zz")) {
    int64_t sign = text[at] == '-' ? -1 : 1;
    ok = one_of(text, len, &at, "+-") && digits(text, len, &at, 2, &zone_hour) && one_of(text, len, &at, ":") &&
         digits(text, len, &at, 2, &zone_minute) && zone_hour < 24 && zone_minute < 60;
    zone = sign * (int64_t)(zone_hour * 3600 + zone_minute * 60);
  }
  /* RFC 3339 §5.6: a leap second is written as 60. */
  int64_t leap = ok && c.second == 60;
  c.second -= (unsigned)leap;
  if (!ok || at != len || !ww_calendar_to_unix(&c, out))
    return refuse(why, "not a time: Unix seconds or RFC 3339");
  *out += leap - zone;
  return true;
}

enum ww_err ww_payload_time_parse(const char *text, int64_t *out) {
  const char *why;
  return ww_payload_read_time(text, strlen(text), out, &why) ? WW_OK : WW_ERR_MALFORMED;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool ww_payload_read_hex(const char *text, size_t len, uint8_t *out, size_t out_len, const char **why) {
  if (len != out_len * 2)
    return refuse(why, "not 40 hexadecimal digits");
  for (size_t i = 0; i < out_len; i++) {
    int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0)
      return refuse(why, "not 40 hexadecimal digits");
    out[i] = (uint8_t)(high << 4 | low);
  }
  return true;
}

bool ww_payload_read_base64(const char *text, size_t len, uint8_t *out, size_t cap, size_t *out_len, const char **why) {
  switch (ww_base64_decode(text, len, out, cap, out_len)) {
  case WW_BASE64_URL:
  case WW_BASE64_LOOSE:
    return true;
  case WW_BASE64_TOO_LONG:
    return refuse(why, "the key is too long");
  case WW_BASE64_BAD:
    break;
  }
  return refuse(why, "not base64");
}
