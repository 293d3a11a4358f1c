/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses, prefixes and AS numbers as values. The invariant everything else leans on: a prefix that left a parser or
 * a decoder has no host bit set, so that comparing octets compares prefixes. Parsers here take exactly one spelling of
 * a number and nothing around it; text from people is trimmed by whoever reads it.
 */
#include <waywarden/prefix.h>

#include <arpa/inet.h>
#include <string.h>

#include "base/decimal.h"

/* Digits only, no sign, no leading zero, at most `max`. False for anything else. */
static bool parse_number(const char *text, uint32_t max, uint32_t *out) {
  if (text[0] == '0' && text[1] != '\0')
    return false;
  uint64_t value = 0;
  const char *p = text;
  for (; *p >= '0' && *p <= '9'; p++) {
    value = value * 10 + (uint64_t)(*p - '0');
    if (value > max)
      return false;
  }
  if (p == text || *p)
    return false;
  *out = (uint32_t)value;
  return true;
}

enum ww_err ww_addr_parse(const char *text, struct ww_addr *out) {
  struct ww_addr addr = {.afi = strchr(text, ':') ? WW_AFI_IPV6 : WW_AFI_IPV4};
  if (inet_pton(addr.afi == WW_AFI_IPV6 ? AF_INET6 : AF_INET, text, addr.bytes) != 1)
    return WW_ERR_MALFORMED;
  *out = addr;
  return WW_OK;
}

enum ww_err ww_prefix_parse(const char *text, struct ww_prefix *out) {
  const char *slash = strchr(text, '/');
  char host[WW_ADDR_STRLEN];
  if (!slash || (size_t)(slash - text) >= sizeof(host))
    return WW_ERR_MALFORMED;
  memcpy(host, text, (size_t)(slash - text));
  host[slash - text] = '\0';
  struct ww_addr addr;
  if (ww_addr_parse(host, &addr) != WW_OK)
    return WW_ERR_MALFORMED;
  uint32_t len = 0;
  if (!parse_number(slash + 1, ww_afi_bits(addr.afi), &len))
    return WW_ERR_MALFORMED;
  struct ww_prefix prefix = {.afi = addr.afi, .len = (uint8_t)len};
  memcpy(prefix.addr, addr.bytes, sizeof(prefix.addr));
  if (!ww_prefix_is_canonical(&prefix))
    return WW_ERR_MALFORMED;
  *out = prefix;
  return WW_OK;
}

/* These write no NUL and return where the text ends: addresses are printed by the million, so without printf. */
static char *format_v4(const uint8_t *b, char *p) {
  for (int i = 0; i < 4; i++) {
    if (i)
      *p++ = '.';
    p = ww_decimal_u32(p, b[i]);
  }
  return p;
}

static char *format_group(unsigned group, char *p) {
  static const char digits[] = "0123456789abcdef";
  for (int shift = group > 0xfff ? 12 : group > 0xff ? 8 : group > 0xf ? 4 : 0; shift >= 0; shift -= 4)
    *p++ = digits[group >> shift & 15];
  return p;
}

/* RFC 5952 §4: lower case, no leading zeros, "::" for the first longest run of at least two zero groups. */
static char *format_v6(const uint8_t *b, char *buf) {
  static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (memcmp(b, mapped, sizeof(mapped)) == 0) {
    /* RFC 5952 §5: dotted decimal where the embedded address is known to be one, as in the IPv4-mapped range. */
    memcpy(buf, "::ffff:", 7);
    return format_v4(b + 12, buf + 7);
  }
  int run_at = -1, run_len = 1;
  for (int i = 0; i < 8;) {
    int n = 0;
    while (i + n < 8 && !b[2 * (i + n)] && !b[2 * (i + n) + 1])
      n++;
    if (n > run_len) {
      run_at = i;
      run_len = n;
    }
    i += n ? n : 1;
  }
  char *p = buf;
  for (int i = 0; i < 8; i++) {
    if (i == run_at) {
      *p++ = ':';
      i += run_len - 1;
      if (i == 7)
        *p++ = ':';
      continue;
    }
    if (i)
      *p++ = ':';
    p = format_group((unsigned)b[2 * i] << 8 | b[2 * i + 1], p);
  }
  return p;
}

static char *format(uint8_t afi, const uint8_t *bytes, char *buf) {
  if (afi == WW_AFI_IPV4)
    return format_v4(bytes, buf);
  if (afi == WW_AFI_IPV6)
    return format_v6(bytes, buf);
  memcpy(buf, "none", 4);
  return buf + 4;
}

char *ww_addr_format(const struct ww_addr *addr, char *buf) {
  *format(addr->afi, addr->bytes, buf) = '\0';
  return buf;
}

char *ww_prefix_format(const struct ww_prefix *prefix, char *buf) {
  char *p = format(prefix->afi, prefix->addr, buf);
  *p++ = '/';
  *ww_decimal_u32(p, prefix->len) = '\0';
  return buf;
}

int ww_prefix_compare(const struct ww_prefix *a, const struct ww_prefix *b) {
  if (a->afi != b->afi)
    return a->afi < b->afi ? -1 : 1;
  int c = memcmp(a->addr, b->addr, sizeof(a->addr));
  return c ? c : (int)a->len - (int)b->len;
}

bool ww_prefix_covers(const struct ww_prefix *outer, const struct ww_prefix *inner) {
  if (outer->afi != inner->afi || outer->len > inner->len)
    return false;
  unsigned whole = outer->len / 8u, rest = outer->len % 8u;
  if (memcmp(outer->addr, inner->addr, whole) != 0)
    return false;
  return !rest || (outer->addr[whole] ^ inner->addr[whole]) >> (8 - rest) == 0;
}

void ww_prefix_mask(struct ww_prefix *prefix) {
  unsigned whole = prefix->len / 8u, rest = prefix->len % 8u;
  if (whole >= sizeof(prefix->addr))
    return;
  prefix->addr[whole] = (uint8_t)(prefix->addr[whole] & (0xff00u >> rest));
  memset(prefix->addr + whole + 1, 0, sizeof(prefix->addr) - whole - 1);
}

bool ww_prefix_is_canonical(const struct ww_prefix *prefix) {
  if (!ww_afi_bits(prefix->afi) || prefix->len > ww_afi_bits(prefix->afi))
    return false;
  struct ww_prefix masked = *prefix;
  ww_prefix_mask(&masked);
  return memcmp(masked.addr, prefix->addr, sizeof(masked.addr)) == 0;
}

enum ww_err ww_asn_parse(const char *text, uint32_t *out) {
  /* RFC 5396 §3: asplain, the decimal value; the usual "AS" before it is taken too. */
  if ((text[0] == 'A' || text[0] == 'a') && (text[1] == 'S' || text[1] == 's'))
    text += 2;
  return parse_number(text, UINT32_MAX, out) ? WW_OK : WW_ERR_MALFORMED;
}
