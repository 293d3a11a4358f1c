/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An RTR server and one client of it under a script. The first octet configures: bits 0-1 the lowest version, bits 2-3
 * the highest, bit 4 whether there is data at the start. Then operations, `op = octet & 7`:
 *
 *     0 n        tick, 2^(n & 31) ms later
 *     1 n        publication: record n & 7 comes or goes; with bit 7 as one that nobody knows the difference of
 *     2 n ...    input: n octets, all at once if n is even, one at a time if odd
 *     3 t a      input: a Serial Query (t odd) or Reset Query (even) of version a & 3, of the right session unless bit
 * 2 of a, and of a serial a >> 3 before the present one 4 n        up to 8 * n octets of output are taken 5 the set
 * that is waited for is encoded 6          the server stops 7          the client comes anew
 *
 * What must hold whatever comes: output is sound PDUs of one version and of those a cache sends, records stand between
 * Cache Response and End of Data and nowhere else, nothing follows an Error Report that ends the session; what is kept
 * of input is bounded; after a tick the deadline lies ahead; a session that is over stays so.
 */
#include <stdlib.h>
#include <string.h>

#include "sources/rtr_server.h"

#define CHECK(x)                                                                                                       \
  do {                                                                                                                 \
    if (!(x))                                                                                                          \
      abort();                                                                                                         \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STREAM_MAX = 8192 };

struct fuzz {
  struct ww_rtr_server *server;
  struct ww_rtr_session *session;
  struct ww_rtr_service service;
  struct ww_snapshot *snapshot;
  unsigned held; /* bit n: record n */
  struct ww_now now;
  bool stopped;
  /* the output, read again */
  uint8_t stream[STREAM_MAX];
  size_t len;
  bool in_answer, over;
  int version; /* -1: none yet */
};

static const uint16_t sessions[WW_RTR_VERSIONS] = {7, 8, 9};

static void check_pdu(struct fuzz *f, const struct ww_rtr_pdu *pdu) {
  CHECK(!f->over);
  bool reports_version = pdu->type == WW_RTR_ERROR_REPORT && pdu->u.error.code == WW_RTR_UNSUPPORTED_VERSION;
  if (!reports_version) {
    CHECK(f->version < 0 || f->version == pdu->version);
    f->version = pdu->version;
  }
  switch (pdu->type) {
  case WW_RTR_CACHE_RESPONSE:
    CHECK(!f->in_answer && pdu->session == sessions[pdu->version]);
    f->in_answer = true;
    break;
  case WW_RTR_END_OF_DATA:
    CHECK(f->in_answer && pdu->session == sessions[pdu->version]);
    f->in_answer = false;
    break;
  case WW_RTR_IPV4_PREFIX:
  case WW_RTR_IPV6_PREFIX:
  case WW_RTR_ROUTER_KEY:
  case WW_RTR_ASPA:
    CHECK(f->in_answer);
    break;
  case WW_RTR_SERIAL_NOTIFY:
  case WW_RTR_CACHE_RESET:
    CHECK(!f->in_answer);
    break;
  case WW_RTR_ERROR_REPORT:
    CHECK(!f->in_answer && pdu->u.error.pdu_len <= 256);
    f->over = pdu->u.error.code != WW_RTR_NO_DATA &&
              (pdu->u.error.code != WW_RTR_UNSUPPORTED_VERSION || pdu->version < WW_RTR_V2 || f->version >= 0);
    break;
  default:
    abort();
  }
}

static void take_output(struct fuzz *f, size_t budget) {
  size_t len;
  const uint8_t *out;
  while (budget > 0 && (out = ww_rtr_session_output(f->session, &len)) != NULL) {
    size_t n = len < budget ? len : budget, room = STREAM_MAX - f->len;
    n = n < room ? n : room;
    memcpy(f->stream + f->len, out, n);
    f->len += n;
    budget -= n;
    ww_rtr_session_sent(f->session, n, f->now);
    size_t at = 0;
    for (;;) {
      struct ww_rtr_pdu pdu;
      uint16_t code;
      enum ww_err err = ww_rtr_decode(f->stream + at, f->len - at, &pdu, &code, NULL);
      if (err == WW_ERR_SHORT)
        break;
      CHECK(err == WW_OK);
      check_pdu(f, &pdu);
      at += pdu.len;
    }
    memmove(f->stream, f->stream + at, f->len - at);
    f->len -= at;
  }
}

static void connect_anew(struct fuzz *f) {
  ww_rtr_session_free(f->session);
  f->session = f->stopped ? NULL : ww_rtr_session_new(f->server, &f->service, "fuzz", f->now);
  f->len = 0;
  f->in_answer = f->over = false;
  f->version = -1;
}

static void build(struct fuzz *f) {
  struct ww_rtr_build *b;
  while ((b = ww_rtr_server_build(f->server)) != NULL) {
    ww_rtr_build_run(b);
    ww_rtr_server_built(f->server, b, f->now);
  }
}

/* Two prefixes of each family, two ASPAs, two keys. */
static void publish(struct fuzz *f, uint8_t n) {
  static const uint8_t spki[] = {0x30, 0x00};
  static const uint32_t providers[] = {1, 2};
  unsigned which = n & 7;
  bool announce = !(f->held >> which & 1);
  struct ww_payload_delta delta = {.source = 1};
  struct ww_payloads *to = announce ? &delta.announce : &delta.withdraw;
  enum ww_err err;
  f->held ^= 1u << which;
  if (which < 4) {
    struct ww_vrp vrp = {.prefix = {.afi = which & 1 ? WW_AFI_IPV6 : WW_AFI_IPV4, .len = 16, .addr = {32, 1}},
                         .max_len = (uint8_t)(16 + which),
                         .asn = which};
    err = ww_payloads_add_vrp(to, &vrp);
  } else if (which < 6) {
    struct ww_aspa aspa = {.customer = which, .provider_count = announce ? 2 : 0, .providers = providers};
    err = ww_payloads_add_aspa(to, &aspa);
  } else {
    struct ww_router_key key = {.asn = which, .spki = spki, .spki_len = sizeof spki};
    err = ww_payloads_add_key(to, &key);
  }
  struct ww_snapshot *next = NULL;
  struct ww_effective_delta change = {{0}, {0}, {0}};
  if (err == WW_OK && ww_snapshot_apply(f->snapshot, &delta, 1, true, &next) == WW_OK &&
      ww_effective_delta(f->snapshot, next, &delta, 1, &change) == WW_OK) {
    CHECK(ww_effective_delta_count(&change) == 1);
    ww_rtr_server_publish(f->server, next, n & 0x80 ? NULL : &change, f->now);
    ww_snapshot_unref(f->snapshot);
    f->snapshot = next;
  } else {
    ww_snapshot_unref(next);
  }
  ww_effective_delta_fini(&change);
  ww_payload_delta_fini(&delta);
}

static void query(struct fuzz *f, uint8_t t, uint8_t a) {
  const struct ww_rtr_data *served = ww_rtr_server_data(f->server);
  uint8_t octets[12], version = a & 3;
  struct ww_rtr_pdu pdu = {.version = version, .type = t & 1 ? WW_RTR_SERIAL_QUERY : WW_RTR_RESET_QUERY};
  pdu.session = (uint16_t)(sessions[version % WW_RTR_VERSIONS] ^ (a & 4));
  if (t & 1)
    pdu.u.serial.serial = ww_rtr_data_serial(served) - (a >> 3);
  struct ww_writer w = ww_writer_make(octets, sizeof octets);
  ww_rtr_write(&w, &pdu);
  ww_rtr_session_input(f->session, octets, w.len, f->now);
}

static void input(struct fuzz *f, const uint8_t *data, size_t len, bool one_by_one) {
  uint8_t *copy = malloc(len ? len : 1);
  if (!copy)
    return;
  if (len)
    memcpy(copy, data, len);
  for (size_t i = 0; one_by_one && i < len; i++)
    ww_rtr_session_input(f->session, copy + i, 1, f->now);
  if (!one_by_one)
    ww_rtr_session_input(f->session, copy, len, f->now);
  free(copy);
}

static size_t step(struct fuzz *f, const uint8_t *at, size_t left) {
  uint8_t a = left > 1 ? at[1] : 0, b = left > 2 ? at[2] : 0;
  size_t n;
  switch (at[0] & 7) {
  case 0:
    f->now.mono += (ww_mono_ms)1 << (a & 31);
    if (f->session) {
      ww_rtr_session_tick(f->session, f->now);
      CHECK(ww_rtr_session_deadline(f->session) > f->now.mono || ww_rtr_session_fate(f->session) != WW_RTR_GOES_ON);
    }
    return 2;
  case 1:
    publish(f, a);
    return 2;
  case 2:
    n = left < 2 ? 0 : a < left - 2 ? a : left - 2;
    if (f->session)
      input(f, at + 2, n, a & 1);
    return 2 + n;
  case 3:
    if (f->session)
      query(f, a, b);
    return 3;
  case 4:
    if (f->session)
      take_output(f, (size_t)a * 8);
    return 2;
  case 5:
    build(f);
    return 1;
  case 6:
    f->stopped = true;
    ww_rtr_server_stop(f->server, f->now);
    return 1;
  default:
    connect_anew(f);
    return 1;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz f = {.service = ww_rtr_service_default, .now = {.mono = 1000000}, .version = -1};
  uint8_t min = size ? data[0] & 3 : 0, max = size ? data[0] >> 2 & 3 : 3;
  f.service.max_version = max > WW_RTR_VERSION_MAX ? WW_RTR_VERSION_MAX : max;
  f.service.min_version = min > f.service.max_version ? f.service.max_version : min;
  f.server = ww_rtr_server_new(sessions, 0xfffffffe, NULL);
  f.snapshot = ww_snapshot_new();
  if (f.server && f.snapshot) {
    if (size && data[0] & 0x10)
      publish(&f, 0);
    connect_anew(&f);
    for (size_t i = 1; i < size;) {
      i += step(&f, data + i, size - i);
      if (f.session && ww_rtr_session_fate(f.session) != WW_RTR_GOES_ON) {
        take_output(&f, STREAM_MAX);
        CHECK(ww_rtr_session_fate(f.session) != WW_RTR_GOES_ON);
        connect_anew(&f);
      }
    }
    /* a client that goes on reading gets to the end of its answer */
    build(&f);
    if (f.session) {
      take_output(&f, 1 << 20);
      CHECK(f.len == 0 || ww_rtr_session_fate(f.session) == WW_RTR_CUT);
      CHECK(!f.in_answer || ww_rtr_session_fate(f.session) == WW_RTR_CUT);
    }
  }
  ww_rtr_session_free(f.session);
  ww_rtr_server_free(f.server);
  ww_snapshot_unref(f.snapshot);
  return 0;
}
