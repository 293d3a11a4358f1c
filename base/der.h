/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DER (X.690 clauses 8 to 11), as far as RPKI and CMS need it: a strict reader upon ww_reader, and the sizes and
 * elements that writers need, upon ww_writer.
 *
 * A reader walks the contents of one element. ww_der_enter() gives another for the contents of the next element. All of
 * them share the ww_der_input, which keeps the first thing found wrong, and where: from then on every getter gives 0 or
 * nothing, ww_der_more() is false, and so loops stop. Look at ww_der_ok() once, at the end.
 *
 * What BER allows and DER does not is refused: indefinite and long-winded lengths, INTEGERs with idle octets, BIT
 * STRINGs whose unused bits are set, times with a zone or fraction. Tag numbers above 30 are refused too: nothing uses
 * them.
 */
#ifndef WW_BASE_DER_H
#define WW_BASE_DER_H

#include "base/bytes.h"

enum ww_der_tag {
  WW_DER_BOOLEAN = 0x01,
  WW_DER_INTEGER = 0x02,
  WW_DER_BIT_STRING = 0x03,
  WW_DER_OCTET_STRING = 0x04,
  WW_DER_NULL = 0x05,
  WW_DER_OID = 0x06,
  WW_DER_UTF8_STRING = 0x0c,
  WW_DER_PRINTABLE_STRING = 0x13,
  WW_DER_GENERALIZED_TIME = 0x18,
  WW_DER_SEQUENCE = 0x30,
  WW_DER_SET = 0x31,
  WW_DER_CONTEXT_PRIMITIVE = 0x80, /* | n: [n] IMPLICIT of a primitive type */
  WW_DER_CONTEXT = 0xa0,           /* | n: [n] EXPLICIT, or IMPLICIT of a constructed type */
};

enum { WW_DER_TIME_LEN = 15 }; /* YYYYMMDDHHMMSSZ */

struct ww_der_input {
  const uint8_t *start;
  const char *why; /* what is wrong first, one line, static storage; NULL: nothing */
  size_t offset;   /* where: octets from the start */
};

struct ww_der {
  struct ww_reader in;
  struct ww_der_input *input;
};

/* Borrowed octets. */
struct ww_der_span {
  const uint8_t *p;
  size_t len;
};

/* A reader of a whole input, which must outlive it and all that is read. */
struct ww_der ww_der_open(struct ww_der_input *input, const void *data, size_t len);

static inline bool ww_der_ok(const struct ww_der *d) { return !d->input->why; }
/* Something is left, and nothing has been wrong. */
static inline bool ww_der_more(const struct ww_der *d) { return !d->input->why && d->in.p != d->in.end; }
/* The next element has this tag. */
static inline bool ww_der_is(const struct ww_der *d, unsigned tag) { return ww_der_more(d) && d->in.p[0] == tag; }
/* Where the reader stands: the offset for ww_der_fail_at(). */
static inline size_t ww_der_offset(const struct ww_der *d) { return ww_reader_offset(&d->in, d->input->start); }

/* Makes the input bad, for what only the caller can judge; the first reason stays. The second form names the place. */
void ww_der_fail(struct ww_der *d, const char *why);
void ww_der_fail_at(struct ww_der *d, size_t offset, const char *why);
/* Nothing may be left here. True when that holds and nothing has been wrong. */
bool ww_der_end(struct ww_der *d);

/* The next element, which must have the tag: a reader of its contents, its contents, or all of it with its header. */
struct ww_der ww_der_enter(struct ww_der *d, unsigned tag);
struct ww_der_span ww_der_contents(struct ww_der *d, unsigned tag);
struct ww_der_span ww_der_element(struct ww_der *d, unsigned tag);
/* The next element of any tag, with its header. */
struct ww_der_span ww_der_any(struct ww_der *d);

/* INTEGER of 0 to max. */
uint64_t ww_der_u64(struct ww_der *d, uint64_t max);
static inline uint32_t ww_der_u32(struct ww_der *d) { return (uint32_t)ww_der_u64(d, UINT32_MAX); }
/* INTEGER of 0 or more, of any size: its octets, without the one that only keeps the sign bit clear. 0 is one octet. */
struct ww_der_span ww_der_unsigned(struct ww_der *d);
/* BIT STRING: its octets; *unused (may be NULL: then it must be 0) of the last octet's low bits do not count. */
struct ww_der_span ww_der_bits(struct ww_der *d, unsigned *unused);
/* OBJECT IDENTIFIER: its octets, without tag and length. */
struct ww_der_span ww_der_oid(struct ww_der *d);
/* OBJECT IDENTIFIER which must be this one, else `why`. */
void ww_der_expect_oid(struct ww_der *d, const uint8_t *oid, size_t len, const char *why);
/* GeneralizedTime as RFC 5280 §4.1.2.5.2 has it: Unix seconds. */
int64_t ww_der_time(struct ww_der *d);

static inline bool ww_der_span_is(struct ww_der_span span, const void *data, size_t len) {
  return span.len == len && (!len || memcmp(span.p, data, len) == 0);
}

/* --- writing: lengths stand before contents, so sizes are known first ------------------------------------------- */

/* Octets of the length field for contents of `len`. */
static inline size_t ww_der_length_size(size_t len) {
  size_t n = 1;
  if (len >= 0x80)
    for (; len; len >>= 8)
      n++;
  return n;
}

/* Octets of an element with contents of `len`. */
static inline size_t ww_der_size(size_t len) { return 1 + ww_der_length_size(len) + len; }

/* Octets of a whole INTEGER. */
static inline size_t ww_der_u64_size(uint64_t v) {
  size_t n = 3;
  for (; v > 0x7f; v >>= 8)
    n++;
  return n;
}

void ww_der_put_header(struct ww_writer *w, unsigned tag, size_t len);
void ww_der_put_u64(struct ww_writer *w, uint64_t v);
/* A whole element of any primitive type: OCTET STRING, OBJECT IDENTIFIER, ... */
void ww_der_put(struct ww_writer *w, unsigned tag, const void *data, size_t len);
/* Overflows the writer for times before the year 0 or after 9999. */
void ww_der_put_time(struct ww_writer *w, int64_t unix_sec);

#endif
