/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The codec of the RPKI-to-Router protocol, versions 0 (RFC 6810), 1 (RFC 8210) and 2 (draft-ietf-sidrops-8210bis-26).
 *
 *     version(8)  type(8)  session, error code, or flags and zero(16)  length(32)  body
 *
 * A decode looks at the header first and judges the length before it waits for the body: every type has one length for
 * each version but Router Key, Error Report and ASPA, which have bounds. A
 * corrupt length is therefore told at its eighth octet, and nobody waits for 2 GB that will never come. The body is
 * read by a reader bounded to that length and must be used up.
 *
 * What comes out borrows from the input (keys, embedded PDUs, texts); nothing is allocated. Which PDU may come when is
 * not judged here: sources/rtr_client.c does that. Reserved fields are not looked at and are written as zero.
 *
 * The ASPA PDU changed its form under one version number and one type (see decode_aspa()); the two can be told apart by
 * content only.
 *
 * Clauses: RFC 8210 §5.1 to §5.11, §12; RFC 6810 §5.1 to §5.10; draft-ietf-sidrops-8210bis-26 §5.1, §5.12, §12.
 */
#include "wire/rtr.h"

enum {
  RTR_SHORT_LEN = 8,   /* Reset Query, Cache Response, Cache Reset */
  RTR_SERIAL_LEN = 12, /* Serial Notify, Serial Query, End of Data of version 0 */
  RTR_IPV4_LEN = 20,
  RTR_EOD_LEN = 24,
  RTR_IPV6_LEN = 32,
  RTR_KEY_MIN_LEN = 32,   /* and the key itself */
  RTR_ERROR_MIN_LEN = 16, /* and the PDU and the text */
  RTR_ASPA_MIN_LEN = 12,  /* and the providers */
  RTR_ASPA_OLD_LEN = 16,  /* of the old layout, and the providers */
  RTR_ASN_LEN = 4,
  RTR_OLD_AFI_MAX = 3, /* two bits at most were ever given a meaning */
  RTR_FLAG_ANNOUNCE = 1,
};

const char *ww_rtr_error_name(uint16_t code) {
  switch (code) {
  case WW_RTR_CORRUPT_DATA:
    return "Corrupt Data";
  case WW_RTR_INTERNAL_ERROR:
    return "Internal Error";
  case WW_RTR_NO_DATA:
    return "No Data Available";
  case WW_RTR_INVALID_REQUEST:
    return "Invalid Request";
  case WW_RTR_UNSUPPORTED_VERSION:
    return "Unsupported Protocol Version";
  case WW_RTR_UNSUPPORTED_PDU:
    return "Unsupported PDU Type";
  case WW_RTR_UNKNOWN_WITHDRAWAL:
    return "Withdrawal of Unknown Record";
  case WW_RTR_DUPLICATE:
    return "Duplicate Announcement Received";
  case WW_RTR_UNEXPECTED_VERSION:
    return "Unexpected Protocol Version";
  case WW_RTR_ASPA_LIST:
    return "ASPA Provider List Error";
  case WW_RTR_TRANSPORT_ERROR:
    return "Transport Error";
  case WW_RTR_ORDERING:
    return "Ordering Error";
  case WW_RTR_CACHE_RESTART:
    return "Cache Restart";
  case WW_RTR_CACHE_SHUTDOWN:
    return "Cache Shutdown";
  default:
    return "unknown error";
  }
}

const char *ww_rtr_type_name(uint8_t type) {
  switch (type) {
  case WW_RTR_SERIAL_NOTIFY:
    return "Serial Notify";
  case WW_RTR_SERIAL_QUERY:
    return "Serial Query";
  case WW_RTR_RESET_QUERY:
    return "Reset Query";
  case WW_RTR_CACHE_RESPONSE:
    return "Cache Response";
  case WW_RTR_IPV4_PREFIX:
    return "IPv4 Prefix";
  case WW_RTR_IPV6_PREFIX:
    return "IPv6 Prefix";
  case WW_RTR_END_OF_DATA:
    return "End of Data";
  case WW_RTR_CACHE_RESET:
    return "Cache Reset";
  case WW_RTR_ROUTER_KEY:
    return "Router Key";
  case WW_RTR_ERROR_REPORT:
    return "Error Report";
  case WW_RTR_ASPA:
    return "ASPA";
  default:
    return "unknown PDU";
  }
}

bool ww_rtr_error_is_fatal(uint8_t version, uint16_t code) {
  switch (code) {
  case WW_RTR_NO_DATA:
    return false;
  case WW_RTR_UNSUPPORTED_VERSION: /* draft-ietf-sidrops-8210bis-26 §12: no longer */
  case WW_RTR_CACHE_RESTART:
    return version < WW_RTR_V2;
  default:
    return true;
  }
}

/* The lengths that a PDU of this version and type may have; false: no such type in this version. */
static bool length_bounds(uint8_t version, uint8_t type, uint32_t *min, uint32_t *max) {
  switch (type) {
  case WW_RTR_SERIAL_NOTIFY:
  case WW_RTR_SERIAL_QUERY:
    *min = *max = RTR_SERIAL_LEN;
    return true;
  case WW_RTR_RESET_QUERY:
  case WW_RTR_CACHE_RESPONSE:
  case WW_RTR_CACHE_RESET:
    *min = *max = RTR_SHORT_LEN;
    return true;
  case WW_RTR_IPV4_PREFIX:
    *min = *max = RTR_IPV4_LEN;
    return true;
  case WW_RTR_IPV6_PREFIX:
    *min = *max = RTR_IPV6_LEN;
    return true;
  case WW_RTR_END_OF_DATA:
    *min = *max = version == WW_RTR_V0 ? RTR_SERIAL_LEN : RTR_EOD_LEN;
    return true;
  case WW_RTR_ROUTER_KEY:
    /* CHOICE: RFC 8210 §5.10 bounds the key neither way; an empty one is none, and WW_SPKI_MAX is ten times P-256. */
    *min = RTR_KEY_MIN_LEN + 1;
    *max = RTR_KEY_MIN_LEN + WW_SPKI_MAX;
    return version >= WW_RTR_V1;
  case WW_RTR_ERROR_REPORT:
    /* CHOICE: versions 0 and 1 have no upper bound; that of draft-ietf-sidrops-8210bis-26 §5.1 is taken. */
    *min = RTR_ERROR_MIN_LEN;
    *max = WW_RTR_MAX_LEN;
    return true;
  case WW_RTR_ASPA:
    *min = RTR_ASPA_MIN_LEN;
    *max = WW_RTR_MAX_LEN; /* draft-ietf-sidrops-8210bis-26 §5.1 */
    return version >= WW_RTR_V2;
  default:
    return false;
  }
}

static enum ww_err bad_prefix(struct ww_diag *diag, unsigned len, unsigned max_len, unsigned bits) {
  return ww_fail(diag, WW_ERR_MALFORMED, 9, "RFC 8210 §5.1", "prefix length %u with max length %u, of %u bits", len,
                 max_len, bits);
}

static enum ww_err decode_ipv4(struct ww_reader *r, struct ww_rtr_pdu *out, struct ww_diag *diag) {
  uint8_t flags = ww_reader_u8(r), len = ww_reader_u8(r), max_len = ww_reader_u8(r);
  (void)ww_reader_u8(r); /* zero */
  uint32_t addr = ww_reader_u32(r);
  uint32_t asn = ww_reader_u32(r);
  /* RFC 8210 §5.1: Max Length MUST NOT be less than Prefix Length; §5.6: both are 0..32. */
  if (max_len > 32 || len > max_len)
    return bad_prefix(diag, len, max_len, 32);
  uint32_t mask = len ? UINT32_MAX << (32 - len) : 0;
  out->u.prefix.announce = (flags & RTR_FLAG_ANNOUNCE) != 0;
  out->u.prefix.host_bits = (addr & ~mask) != 0;
  addr &= mask;
  out->u.prefix.vrp = (struct ww_vrp){
      .prefix = {.afi = WW_AFI_IPV4,
                 .len = len,
                 .addr = {(uint8_t)(addr >> 24), (uint8_t)(addr >> 16), (uint8_t)(addr >> 8), (uint8_t)addr}},
      .max_len = max_len,
      .asn = asn,
  };
  return WW_OK;
}

/* Ones in the first `len` of 64 bits; all of them from 64 on. */
static uint64_t mask64(unsigned len) { return len >= 64 ? UINT64_MAX : len ? UINT64_MAX << (64 - len) : 0; }

static enum ww_err decode_ipv6(struct ww_reader *r, struct ww_rtr_pdu *out, struct ww_diag *diag) {
  uint8_t flags = ww_reader_u8(r), len = ww_reader_u8(r), max_len = ww_reader_u8(r);
  (void)ww_reader_u8(r); /* zero */
  uint64_t high = ww_reader_u64(r), low = ww_reader_u64(r);
  uint32_t asn = ww_reader_u32(r);
  if (max_len > 128 || len > max_len) /* RFC 8210 §5.1, §5.7 */
    return bad_prefix(diag, len, max_len, 128);
  uint64_t high_mask = mask64(len), low_mask = mask64(len > 64 ? len - 64u : 0);
  out->u.prefix.announce = (flags & RTR_FLAG_ANNOUNCE) != 0;
  out->u.prefix.host_bits = ((high & ~high_mask) | (low & ~low_mask)) != 0;
  struct ww_vrp *vrp = &out->u.prefix.vrp;
  *vrp = (struct ww_vrp){.prefix = {.afi = WW_AFI_IPV6, .len = len}, .max_len = max_len, .asn = asn};
  struct ww_writer w = ww_writer_make(vrp->prefix.addr, sizeof(vrp->prefix.addr));
  ww_writer_u64(&w, high & high_mask);
  ww_writer_u64(&w, low & low_mask);
  return WW_OK;
}

/*
 * The form of revisions up to -15 had no flags in the header and began its body with
 *
 *     flags(8)  zero, earlier AFI flags(8)  provider count(16)  customer(32)  providers ...
 *
 * Read by today's form that is a withdrawal with a list, which §5.12 forbids, of a customer between AS16777216 and
 * AS16842751 or, for an old withdrawal, of one below AS65536. Taken for old is only an announcement whose count agrees
 * with its length: every cache begins with one, and no cache withdraws a customer of those by mistake in just that
 * form.
 */
static bool aspa_is_old(const struct ww_rtr_pdu *pdu, struct ww_reader body) {
  if ((pdu->session >> 8 & RTR_FLAG_ANNOUNCE) != 0 || pdu->len < RTR_ASPA_OLD_LEN)
    return false;
  uint8_t flags = ww_reader_u8(&body), afi = ww_reader_u8(&body);
  uint32_t count = ww_reader_u16(&body);
  return flags == RTR_FLAG_ANNOUNCE && afi <= RTR_OLD_AFI_MAX && count == (pdu->len - RTR_ASPA_OLD_LEN) / RTR_ASN_LEN;
}

static enum ww_err decode_aspa(struct ww_reader *r, struct ww_rtr_pdu *out, uint16_t *error_code,
                               struct ww_diag *diag) {
  struct ww_rtr_aspa *aspa = &out->u.aspa;
  *aspa = (struct ww_rtr_aspa){.old_layout = aspa_is_old(out, *r)};
  aspa->announce = aspa->old_layout || (out->session >> 8 & RTR_FLAG_ANNOUNCE) != 0;
  out->session = 0;
  if (aspa->old_layout)
    (void)ww_reader_u32(r); /* seen by aspa_is_old() */
  aspa->customer = ww_reader_u32(r);
  aspa->provider_count = (uint32_t)(ww_reader_left(r) / RTR_ASN_LEN);
  aspa->providers = ww_reader_take(r, (size_t)aspa->provider_count * RTR_ASN_LEN);
  if (!aspa->announce || aspa->old_layout)
    return WW_OK;
  *error_code = WW_RTR_ASPA_LIST;
  if (!aspa->provider_count) /* draft-ietf-sidrops-8210bis-26 §5.12: at least one */
    return ww_fail(diag, WW_ERR_MALFORMED, WW_RTR_HEADER_LEN, "draft-ietf-sidrops-8210bis-26 §5.12",
                   "ASPA of AS%u without a provider", aspa->customer);
  struct ww_reader list = ww_reader_make(aspa->providers, (size_t)aspa->provider_count * RTR_ASN_LEN);
  uint32_t before = ww_reader_u32(&list);
  for (uint32_t i = 1; i < aspa->provider_count; i++) {
    uint32_t asn = ww_reader_u32(&list);
    /* draft-ietf-sidrops-8210bis-26 §5.12: in increasing order, each unique, and no AS 0 among several; where they
     * ascend it could only be the first. */
    if (!before || asn <= before)
      return ww_fail(diag, WW_ERR_MALFORMED, RTR_ASPA_MIN_LEN + (size_t)i * RTR_ASN_LEN,
                     "draft-ietf-sidrops-8210bis-26 §5.12", "ASPA of AS%u: provider AS%u follows AS%u", aspa->customer,
                     asn, before);
    before = asn;
  }
  return WW_OK;
}

static enum ww_err decode_error(struct ww_reader *r, struct ww_rtr_pdu *out, struct ww_diag *diag) {
  out->u.error.code = out->session;
  out->session = 0;
  out->u.error.pdu_len = ww_reader_u32(r);
  out->u.error.pdu = ww_reader_take(r, out->u.error.pdu_len);
  out->u.error.text_len = ww_reader_u32(r);
  out->u.error.text = ww_reader_take(r, out->u.error.text_len);
  if (ww_reader_done(r))
    return WW_OK;
  out->u.error.pdu = out->u.error.text = NULL;
  out->u.error.pdu_len = out->u.error.text_len = 0;
  return ww_fail(diag, WW_ERR_MALFORMED, WW_RTR_HEADER_LEN, "RFC 8210 §5.11",
                 "the inner lengths of an Error Report of %u octets do not add up", out->len);
}

enum ww_err ww_rtr_decode(const uint8_t *data, size_t avail, struct ww_rtr_pdu *out, uint16_t *error_code,
                          struct ww_diag *diag) {
  if (avail < WW_RTR_HEADER_LEN) {
    *out = (struct ww_rtr_pdu){0};
    return WW_ERR_SHORT;
  }
  struct ww_reader r = ww_reader_make(data, avail);
  out->version = ww_reader_u8(&r);
  out->type = ww_reader_u8(&r);
  out->session = ww_reader_u16(&r);
  out->len = ww_reader_u32(&r);

  /* CHOICE: RFC 8210 §7 has a router ignore a Serial Notify, and never answer an Error Report, whatever its version;
   * so these two, whose form has been the same in all versions, are read from any. */
  *error_code = WW_RTR_UNSUPPORTED_VERSION;
  if (out->version > WW_RTR_VERSION_MAX && out->type != WW_RTR_SERIAL_NOTIFY && out->type != WW_RTR_ERROR_REPORT)
    return ww_fail(diag, WW_ERR_MALFORMED, 0, "RFC 8210 §7", "protocol version %u", out->version);
  *error_code = WW_RTR_UNSUPPORTED_PDU;
  uint32_t min, max;
  if (!length_bounds(out->version, out->type, &min, &max))
    return ww_fail(diag, WW_ERR_MALFORMED, 1, "RFC 8210 §12", "PDU type %u is not of version %u", out->type,
                   out->version);
  *error_code = WW_RTR_CORRUPT_DATA;
  if (out->len < min || out->len > max ||
      (out->type == WW_RTR_ASPA && (out->len - RTR_ASPA_MIN_LEN) % RTR_ASN_LEN != 0))
    return ww_fail(diag, WW_ERR_MALFORMED, 4, "RFC 8210 §5", "length %u of a %s of version %u", out->len,
                   ww_rtr_type_name(out->type), out->version);
  if (avail < out->len)
    return WW_ERR_SHORT;

  struct ww_reader body = ww_reader_sub(&r, out->len - WW_RTR_HEADER_LEN);
  enum ww_err err = WW_OK;
  switch (out->type) {
  case WW_RTR_IPV4_PREFIX:
    out->session = 0; /* reserved here, RFC 8210 §5: ignored on receipt */
    err = decode_ipv4(&body, out, diag);
    break;
  case WW_RTR_IPV6_PREFIX:
    out->session = 0;
    err = decode_ipv6(&body, out, diag);
    break;
  case WW_RTR_SERIAL_NOTIFY:
  case WW_RTR_SERIAL_QUERY:
    out->u.serial.serial = ww_reader_u32(&body);
    break;
  case WW_RTR_RESET_QUERY:
  case WW_RTR_CACHE_RESET:
    out->session = 0;
    break;
  case WW_RTR_CACHE_RESPONSE:
    break;
  case WW_RTR_END_OF_DATA:
    out->u.eod.serial = ww_reader_u32(&body);
    out->u.eod.timers = out->version != WW_RTR_V0;
    out->u.eod.refresh = out->u.eod.retry = out->u.eod.expire = 0;
    if (out->u.eod.timers) {
      out->u.eod.refresh = ww_reader_u32(&body);
      out->u.eod.retry = ww_reader_u32(&body);
      out->u.eod.expire = ww_reader_u32(&body);
    }
    break;
  case WW_RTR_ROUTER_KEY:
    out->u.key.announce = (out->session >> 8 & RTR_FLAG_ANNOUNCE) != 0;
    out->session = 0;
    out->u.key.key = (struct ww_router_key){0};
    ww_reader_bytes(&body, out->u.key.key.ski, WW_SKI_LEN);
    out->u.key.key.asn = ww_reader_u32(&body);
    out->u.key.key.spki_len = out->len - RTR_KEY_MIN_LEN;
    out->u.key.key.spki = ww_reader_take(&body, out->u.key.key.spki_len);
    break;
  case WW_RTR_ASPA:
    err = decode_aspa(&body, out, error_code, diag);
    break;
  default: /* Error Report: the types are closed by length_bounds() */
    err = decode_error(&body, out, diag);
    break;
  }
  if (err == WW_OK && !ww_reader_done(&body)) /* each length above is exact, so this is a slip of this file */
    return ww_fail(diag, WW_ERR_MALFORMED, 4, "RFC 8210 §5", "%s of %u octets is not used up",
                   ww_rtr_type_name(out->type), out->len);
  return err;
}

static void write_prefix(struct ww_writer *w, const struct ww_rtr_pdu *pdu, size_t addr_len) {
  const struct ww_vrp *vrp = &pdu->u.prefix.vrp;
  ww_writer_u8(w, pdu->u.prefix.announce ? RTR_FLAG_ANNOUNCE : 0);
  ww_writer_u8(w, vrp->prefix.len);
  ww_writer_u8(w, vrp->max_len);
  ww_writer_u8(w, 0);
  ww_writer_bytes(w, vrp->prefix.addr, addr_len);
  ww_writer_u32(w, vrp->asn);
}

void ww_rtr_write(struct ww_writer *w, const struct ww_rtr_pdu *pdu) {
  size_t start = w->len;
  ww_writer_u8(w, pdu->version);
  ww_writer_u8(w, pdu->type);
  switch (pdu->type) {
  case WW_RTR_SERIAL_NOTIFY:
  case WW_RTR_SERIAL_QUERY:
  case WW_RTR_CACHE_RESPONSE:
  case WW_RTR_END_OF_DATA:
    ww_writer_u16(w, pdu->session);
    break;
  case WW_RTR_ROUTER_KEY:
    ww_writer_u8(w, pdu->u.key.announce ? RTR_FLAG_ANNOUNCE : 0);
    ww_writer_u8(w, 0);
    break;
  case WW_RTR_ASPA:
    ww_writer_u8(w, pdu->u.aspa.announce ? RTR_FLAG_ANNOUNCE : 0);
    ww_writer_u8(w, 0);
    break;
  case WW_RTR_ERROR_REPORT:
    ww_writer_u16(w, pdu->u.error.code);
    break;
  default:
    ww_writer_u16(w, 0);
    break;
  }
  size_t length_at = w->len;
  ww_writer_u32(w, 0);
  switch (pdu->type) {
  case WW_RTR_SERIAL_NOTIFY:
  case WW_RTR_SERIAL_QUERY:
    ww_writer_u32(w, pdu->u.serial.serial);
    break;
  case WW_RTR_IPV4_PREFIX:
    write_prefix(w, pdu, 4);
    break;
  case WW_RTR_IPV6_PREFIX:
    write_prefix(w, pdu, 16);
    break;
  case WW_RTR_END_OF_DATA:
    ww_writer_u32(w, pdu->u.eod.serial);
    if (pdu->version != WW_RTR_V0) {
      ww_writer_u32(w, pdu->u.eod.refresh);
      ww_writer_u32(w, pdu->u.eod.retry);
      ww_writer_u32(w, pdu->u.eod.expire);
    }
    break;
  case WW_RTR_ROUTER_KEY:
    ww_writer_bytes(w, pdu->u.key.key.ski, WW_SKI_LEN);
    ww_writer_u32(w, pdu->u.key.key.asn);
    ww_writer_bytes(w, pdu->u.key.key.spki, pdu->u.key.key.spki_len);
    break;
  case WW_RTR_ERROR_REPORT:
    ww_writer_u32(w, pdu->u.error.pdu_len);
    ww_writer_bytes(w, pdu->u.error.pdu, pdu->u.error.pdu_len);
    ww_writer_u32(w, pdu->u.error.text_len);
    ww_writer_bytes(w, pdu->u.error.text, pdu->u.error.text_len);
    break;
  case WW_RTR_ASPA:
    ww_writer_u32(w, pdu->u.aspa.customer);
    ww_writer_bytes(w, pdu->u.aspa.providers, (size_t)pdu->u.aspa.provider_count * RTR_ASN_LEN);
    break;
  default: /* Reset Query, Cache Response, Cache Reset end with their header */
    break;
  }
  ww_writer_patch_u32(w, length_at, w->len - start);
}

void ww_rtr_write_aspa(struct ww_writer *w, uint8_t version, bool announce, const struct ww_aspa *aspa) {
  /* draft-ietf-sidrops-8210bis-26 §5.12: a withdrawal has no provider list and is 12 octets long. */
  uint32_t count = announce ? aspa->provider_count : 0;
  ww_writer_u8(w, version);
  ww_writer_u8(w, WW_RTR_ASPA);
  ww_writer_u8(w, announce ? RTR_FLAG_ANNOUNCE : 0);
  ww_writer_u8(w, 0);
  ww_writer_u32(w, RTR_ASPA_MIN_LEN + count * RTR_ASN_LEN);
  ww_writer_u32(w, aspa->customer);
  for (uint32_t i = 0; i < count; i++)
    ww_writer_u32(w, aspa->providers[i]);
}
