/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RPKI-to-Router PDUs, versions 0 (RFC 6810), 1 (RFC 8210) and 2 (draft-ietf-sidrops-8210bis-26; every number that only
 * version 2 has is in this file and says so). Pure: octets <-> structs.
 */
#ifndef WW_WIRE_RTR_H
#define WW_WIRE_RTR_H

#include "base/bytes.h"
#include <waywarden/payload.h>

enum {
  WW_RTR_HEADER_LEN = 8,
  WW_RTR_MAX_LEN = 65535, /* draft-ietf-sidrops-8210bis-26 §5.1; taken for all versions */
  WW_RTR_V0 = 0,
  WW_RTR_V1 = 1,
  WW_RTR_V2 = 2,
  WW_RTR_VERSION_MAX = WW_RTR_V2,
};

enum ww_rtr_type {
  WW_RTR_SERIAL_NOTIFY = 0,
  WW_RTR_SERIAL_QUERY = 1,
  WW_RTR_RESET_QUERY = 2,
  WW_RTR_CACHE_RESPONSE = 3,
  WW_RTR_IPV4_PREFIX = 4,
  WW_RTR_IPV6_PREFIX = 6,
  WW_RTR_END_OF_DATA = 7,
  WW_RTR_CACHE_RESET = 8,
  WW_RTR_ROUTER_KEY = 9,
  WW_RTR_ERROR_REPORT = 10,
  WW_RTR_ASPA = 11, /* version 2 */
};

enum ww_rtr_error {
  WW_RTR_CORRUPT_DATA = 0,
  WW_RTR_INTERNAL_ERROR = 1,
  WW_RTR_NO_DATA = 2,
  WW_RTR_INVALID_REQUEST = 3,
  WW_RTR_UNSUPPORTED_VERSION = 4,
  WW_RTR_UNSUPPORTED_PDU = 5,
  WW_RTR_UNKNOWN_WITHDRAWAL = 6,
  WW_RTR_DUPLICATE = 7,
  WW_RTR_UNEXPECTED_VERSION = 8,
  /* version 2 */
  WW_RTR_ASPA_LIST = 9,
  WW_RTR_TRANSPORT_ERROR = 10,
  WW_RTR_ORDERING = 11,
  WW_RTR_CACHE_RESTART = 12,
  WW_RTR_CACHE_SHUTDOWN = 13,
};
const char *ww_rtr_error_name(uint16_t code);
const char *ww_rtr_type_name(uint8_t type);
/* Whether a session of this version ends by this code. In version 2 that also means that the router drops what it has
 * learnt from the cache. A code that the version does not define is fatal. */
bool ww_rtr_error_is_fatal(uint8_t version, uint16_t code);

/*
 * ASPA. `providers` are `provider_count` ASNs of four octets, big-endian, borrowed from the input. An announcement has
 * one or more, ascending and unique, AS 0 only alone; there may be more than WW_ASPA_PROVIDERS_MAX. A withdrawal
 * should have none (§5.12), but what it has is read.
 *
 * old_layout: the PDU is in the form of revisions up to -15, with the flags and a provider count in the body, which no
 * announcement or withdrawal of today's form looks like. It is read as what it meant; ww_rtr_write() does not make it.
 */
struct ww_rtr_aspa {
  bool announce, old_layout;
  uint32_t customer, provider_count;
  const uint8_t *providers;
};

struct ww_rtr_pdu {
  uint8_t version, type;
  uint16_t session; /* Notify, Query, Response, End of Data */
  uint32_t len;
  union {
    struct {
      uint32_t serial;
    } serial; /* Notify, Serial Query */
    struct {
      uint32_t serial, refresh, retry, expire;
      bool timers;
    } eod; /* timers: version 1 */
    struct {
      bool announce;
      struct ww_vrp vrp;
      bool host_bits;
    } prefix; /* vrp.prefix masked; host_bits: were set */
    struct {
      bool announce;
      struct ww_router_key key;
    } key; /* key.spki borrows from the input */
    struct ww_rtr_aspa aspa;
    struct {
      uint16_t code;
      const uint8_t *pdu;
      uint32_t pdu_len;
      const uint8_t *text;
      uint32_t text_len;
    } error;
  } u;
};

/* WW_ERR_SHORT: the PDU is not complete, or not even its header (then out->len is 0). WW_ERR_MALFORMED: *error_code
 * says which Error Report to send (ww_rtr_error). Reads one PDU from the front; out->len octets are consumed. Whenever
 * the header was there out->version, type and len hold it, whatever is returned. A Serial Notify or an Error Report is
 * read from any version, other PDUs from versions 0 to 2. */
enum ww_err ww_rtr_decode(const uint8_t *data, size_t avail, struct ww_rtr_pdu *out, uint16_t *error_code,
                          struct ww_diag *diag) WW_MUST_USE;
/* Lengths are computed, pdu->len is not looked at; reserved fields are written as zero. */
void ww_rtr_write(struct ww_writer *w, const struct ww_rtr_pdu *pdu);
/* An ASPA PDU from a record; a withdrawal is written without its providers (draft-ietf-sidrops-8210bis-26 §5.12). */
void ww_rtr_write_aspa(struct ww_writer *w, uint8_t version, bool announce, const struct ww_aspa *aspa);

#endif
