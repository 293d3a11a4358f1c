/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sources/ccr_notation.h"

#include <ctype.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "base/der.h"

static size_t hex_of(const char **at, uint8_t *out, size_t cap) {
  size_t n = 0;
  for (; isxdigit((unsigned char)(*at)[0]) && isxdigit((unsigned char)(*at)[1]); *at += 2) {
    const char pair[3] = {(*at)[0], (*at)[1], '\0'};
    if (n == cap)
      abort();
    out[n++] = (uint8_t)strtoul(pair, NULL, 16);
  }
  return n;
}

/* Elements up to the end or a closing bracket. */
static size_t elements(const char **at, uint8_t *out, size_t cap) {
  struct ww_writer w = ww_writer_make(out, cap);
  size_t first = 0;
  uint8_t body[8192];
  while (**at && **at != ')') {
    char kind = *(*at)++;
    char *end;
    size_t n;
    switch (kind) {
    case ' ':
    case '\n':
      continue;
    case 'S':
    case 'C': {
      unsigned tag = WW_DER_SEQUENCE;
      if (kind == 'C') {
        tag = WW_DER_CONTEXT | (unsigned)strtoul(*at, &end, 10);
        *at = end;
      }
      if (*(*at)++ != '(')
        abort();
      n = elements(at, body, sizeof(body));
      if (*(*at)++ != ')')
        abort();
      ww_der_put(&w, tag, body, n);
      break;
    }
    case 'I':
      ww_der_put_u64(&w, strtoull(*at, &end, 10));
      *at = end;
      break;
    case 'B':
      body[0] = (uint8_t)strtoul(*at, &end, 10);
      *at = end + 1;
      n = hex_of(at, body + 1, sizeof(body) - 1);
      ww_der_put(&w, WW_DER_BIT_STRING, body, n + 1);
      break;
    case 'O':
    case 'N':
    case 'R':
      n = hex_of(at, body, sizeof(body));
      if (kind == 'R')
        ww_writer_bytes(&w, body, n);
      else
        ww_der_put(&w, kind == 'O' ? WW_DER_OCTET_STRING : WW_DER_OID, body, n);
      break;
    case 'T':
      n = strspn(*at, "0123456789");
      n += (*at)[n] == 'Z';
      ww_der_put(&w, WW_DER_GENERALIZED_TIME, *at, n);
      *at += n;
      break;
    case 'U':
      ww_der_put(&w, WW_DER_CONTEXT_PRIMITIVE | 6, "rsync://example.net/a.mft", 25);
      break;
    case 'K':
      memset(body, 0, 20);
      if (hex_of(at, body + 19, 1) != 1)
        abort();
      ww_der_put(&w, WW_DER_OCTET_STRING, body, 20);
      break;
    case 'Z':
      SHA256(out, first, body);
      ww_der_put(&w, WW_DER_OCTET_STRING, body, 32);
      break;
    default:
      abort();
    }
    if (!first)
      first = w.len;
  }
  if (w.overflow)
    abort();
  return w.len;
}

size_t der_of(const char *notation, uint8_t *out, size_t cap) {
  size_t n = elements(&notation, out, cap);
  if (*notation)
    abort();
  return n;
}
