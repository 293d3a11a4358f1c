/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RTR client machine under a script. The first octet configures: bit 0 the version, bit 1 whether a session is
 * resumed, bit 2 its version, bit 3 a limit of four records, bit 4 version 2 as the highest, bit 5 as the session's,
 * bit 6 version 1 as the lowest. Then operations, `op = octet & 7`:
 *
 *     0 n        tick, 2^(n & 31) ms later
 *     1          connected          2 connect failed          3 closed
 *     4 n ...    input: n octets, all at once if n is even, one at a time if odd
 *     5 t a b    input: a well-formed PDU of type t & 15, version a & 1, or 2 by bit 7 of a; its other fields from a
 * and b 6 n        committed: ok by bit 0, n >> 1 unknown withdrawals 7          the output is sent
 *
 * What must hold whatever comes: output is queries and Error Reports, one query at a time, and bounded; an update comes
 * only after a Cache Response and an End of Data, holds no more records than arrived in between, is sorted and unique,
 * and no second one comes before the first is committed; after a tick the deadline lies ahead; a closed machine sends
 * nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "sources/rtr_client.h"
#include "wire/rtr.h"

#define CHECK(x)                                                                                                       \
  do {                                                                                                                 \
    if (!(x))                                                                                                          \
      abort();                                                                                                         \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
  struct ww_rtr_client *client;
  struct ww_now now;
  uint8_t min_version, max_version;
  bool connecting, in_input, pending, asked; /* asked: a query is out and unanswered */
  /* a second, simpler reading of what was put in since the connection opened */
  uint8_t stream[4096];
  size_t stream_len;
  bool stream_lost; /* it grew too long, or the chunk was not fed octet by octet */
};

static void check_sorted(const struct ww_payloads *set) {
  for (size_t i = 0; i < set->vrp_count; i++) {
    CHECK(ww_prefix_is_canonical(&set->vrps[i].prefix) && set->vrps[i].max_len >= set->vrps[i].prefix.len);
    CHECK(!i || ww_vrp_compare(&set->vrps[i - 1], &set->vrps[i]) < 0);
  }
  for (size_t i = 1; i < set->key_count; i++)
    CHECK(ww_router_key_compare(&set->keys[i - 1], &set->keys[i]) < 0);
  for (size_t i = 0; i < set->aspa_count; i++) {
    const struct ww_aspa *aspa = &set->aspas[i];
    CHECK(!i || set->aspas[i - 1].customer < aspa->customer);
    for (size_t k = 1; k < aspa->provider_count; k++)
      CHECK(aspa->providers[k - 1] && aspa->providers[k - 1] < aspa->providers[k]);
  }
}

/* The stream so far must end in an End of Data, with enough records since the last Cache Response. */
static void check_complete(const struct fuzz *f, const struct ww_rtr_update *update) {
  size_t records = 0, at = 0;
  uint8_t last = UINT8_MAX;
  bool responded = false;
  while (at < f->stream_len) {
    struct ww_rtr_pdu pdu;
    uint16_t code;
    CHECK(ww_rtr_decode(f->stream + at, f->stream_len - at, &pdu, &code, NULL) == WW_OK);
    last = pdu.type;
    if (pdu.type == WW_RTR_CACHE_RESPONSE) {
      records = 0;
      responded = true;
    }
    records += pdu.type == WW_RTR_IPV4_PREFIX || pdu.type == WW_RTR_IPV6_PREFIX || pdu.type == WW_RTR_ROUTER_KEY ||
               pdu.type == WW_RTR_ASPA;
    at += pdu.len;
  }
  CHECK(responded && last == WW_RTR_END_OF_DATA);
  const struct ww_payload_delta *d = &update->delta;
  CHECK(d->announce.vrp_count + d->announce.key_count + d->announce.aspa_count + d->withdraw.vrp_count +
            d->withdraw.key_count + d->withdraw.aspa_count <=
        records);
}

static void on_update(void *ctx, struct ww_rtr_update *update) {
  struct fuzz *f = ctx;
  CHECK(f->in_input && !f->pending && f->asked);
  f->pending = true;
  f->asked = false;
  check_sorted(&update->delta.announce);
  check_sorted(&update->delta.withdraw);
  CHECK(update->version >= f->min_version && update->version <= f->max_version);
  CHECK(update->version == WW_RTR_V2 || (!update->delta.announce.aspa_count && !update->delta.withdraw.aspa_count));
  for (size_t i = 0; i < update->delta.announce.aspa_count; i++)
    CHECK(update->delta.announce.aspas[i].provider_count);
  for (size_t i = 0; i < update->delta.withdraw.aspa_count; i++)
    CHECK(!update->delta.withdraw.aspas[i].provider_count);
  CHECK(update->refresh >= 1 && update->retry >= 1 && update->expire >= 600);
  CHECK(update->refresh < update->expire && update->retry < update->expire && update->expire <= 172800);
  if (update->full)
    CHECK(!update->delta.withdraw.vrp_count && !update->delta.withdraw.key_count && !update->delta.withdraw.aspa_count);
  if (!f->stream_lost)
    check_complete(f, update);
  ww_payload_delta_fini(&update->delta);
}

static void on_flush(void *ctx, const char *why) {
  (void)ctx;
  CHECK(why && why[0]);
}

static void check_output(struct fuzz *f, size_t before) {
  const struct ww_buf *out = ww_rtr_client_output(f->client);
  CHECK(out->len <= 65536);
  if (out->len < before)
    before = 0; /* a new connection starts with an empty queue */
  for (size_t at = before; at < out->len;) {
    struct ww_rtr_pdu pdu;
    uint16_t code;
    CHECK(ww_rtr_decode(ww_buf_head(out) + at, out->len - at, &pdu, &code, NULL) == WW_OK);
    CHECK(pdu.version >= f->min_version && pdu.version <= f->max_version);
    if (pdu.type == WW_RTR_ERROR_REPORT) /* and in the codes of its version */
      CHECK(pdu.u.error.code <= (pdu.version == WW_RTR_V2   ? WW_RTR_TRANSPORT_ERROR
                                 : pdu.version == WW_RTR_V1 ? WW_RTR_UNEXPECTED_VERSION
                                                            : WW_RTR_DUPLICATE));
    if (pdu.type == WW_RTR_ERROR_REPORT)
      CHECK(pdu.u.error.pdu_len < 2 || pdu.u.error.pdu[1] != WW_RTR_ERROR_REPORT);
    else {
      CHECK(pdu.type == WW_RTR_SERIAL_QUERY || pdu.type == WW_RTR_RESET_QUERY);
      CHECK(!f->pending);
      f->asked = true;
    }
    at += pdu.len;
  }
}

static void act(struct fuzz *f, enum ww_rtr_action action, size_t before, bool ticked) {
  CHECK(action == WW_RTR_STAY || action == WW_RTR_CONNECT || action == WW_RTR_CLOSE);
  CHECK(action != WW_RTR_CONNECT || (ticked && !f->pending));
  if (action != WW_RTR_STAY)
    f->asked = false;
  if (action == WW_RTR_CONNECT)
    f->connecting = true;
  if (action == WW_RTR_CLOSE)
    f->connecting = false;
  check_output(f, before);
  if (ticked)
    CHECK(ww_rtr_client_deadline(f->client) > f->now.mono);
  struct ww_rtr_client_stats stats;
  ww_rtr_client_stats(f->client, &stats);
  CHECK(stats.version >= f->min_version && stats.version <= f->max_version &&
        memchr(stats.last_error, 0, sizeof(stats.last_error)));
  CHECK(ww_rtr_status_name(stats.status));
}

static void input(struct fuzz *f, const uint8_t *octets, size_t len, bool bytewise) {
  for (size_t at = 0; at < len;) {
    size_t n = bytewise ? 1 : len;
    uint8_t *exact = malloc(n);
    CHECK(exact);
    memcpy(exact, octets + at, n);
    if (!bytewise || f->stream_len + n > sizeof(f->stream)) {
      f->stream_lost = true;
    } else {
      memcpy(f->stream + f->stream_len, exact, n);
      f->stream_len += n;
    }
    size_t before = ww_rtr_client_output(f->client)->len;
    f->in_input = true;
    enum ww_rtr_action action = ww_rtr_client_input(f->client, exact, n, f->now);
    f->in_input = false;
    free(exact);
    act(f, action, before, false);
    at += n;
  }
}

static void structured(struct fuzz *f, uint8_t type, uint8_t a, uint8_t b) {
  static const uint8_t spki[] = {0x30, 0x02, 0x05, 0x00};
  static const uint8_t providers[] = {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3};
  uint8_t octets[64];
  struct ww_rtr_pdu pdu = {.version = a & 0x80 ? WW_RTR_V2 : a & 1, .type = type & 15, .session = a >> 1 & 3};
  switch (pdu.type) {
  case WW_RTR_SERIAL_NOTIFY:
  case WW_RTR_SERIAL_QUERY:
    pdu.u.serial.serial = b;
    break;
  case WW_RTR_IPV4_PREFIX:
  case WW_RTR_IPV6_PREFIX:
    pdu.u.prefix.announce = b & 1;
    pdu.u.prefix.vrp = (struct ww_vrp){.prefix = {.len = 8, .addr = {b >> 1 & 7}}, .max_len = 24, .asn = b >> 4};
    break;
  case WW_RTR_END_OF_DATA:
    pdu.u.eod.serial = b;
    pdu.u.eod.refresh = pdu.u.eod.retry = (uint32_t)a * 40;
    pdu.u.eod.expire = (uint32_t)b * 1000;
    break;
  case WW_RTR_ROUTER_KEY:
    pdu.u.key.announce = b & 1;
    pdu.u.key.key = (struct ww_router_key){.asn = b >> 1 & 3, .ski = {b >> 3}, .spki = spki, .spki_len = sizeof(spki)};
    break;
  case WW_RTR_ASPA:
    pdu.u.aspa = (struct ww_rtr_aspa){.announce = b & 1,
                                      .customer = b >> 1 & 3,
                                      .provider_count = b >> 3 & 3,
                                      .providers = providers + 4 * (b >> 5 & 1)};
    break;
  case WW_RTR_ERROR_REPORT:
    pdu.u.error.code = b & 15;
    break;
  default:
    break;
  }
  struct ww_writer w = ww_writer_make(octets, sizeof(octets));
  ww_rtr_write(&w, &pdu);
  CHECK(!w.overflow);
  input(f, octets, w.len, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz f = {.now = {.mono = 1000, .unix_sec = 1700000000}};
  struct ww_reader r = ww_reader_make(data, size);
  uint8_t setup = ww_reader_u8(&r);
  f.max_version = setup & 16 ? WW_RTR_V2 : setup & 1;
  f.min_version = setup & 64 && f.max_version ? WW_RTR_V1 : WW_RTR_V0;
  struct ww_rtr_client_config config = {.name = "fuzz",
                                        .min_version = f.min_version,
                                        .max_version = f.max_version,
                                        .max_records = setup & 8 ? 4 : 0,
                                        .jitter_seed = setup};
  struct ww_rtr_resume resume = {.valid = true,
                                 .version = setup & 32 ? WW_RTR_V2 : setup >> 2 & 1,
                                 .session = 1,
                                 .serial = 1,
                                 .refresh = 60,
                                 .retry = 10,
                                 .expire = 600,
                                 .last_sync = 1700000000 - 60};
  struct ww_rtr_client_events events = {.ctx = &f, .update = on_update, .flush = on_flush};
  f.client = ww_rtr_client_new(&config, setup & 2 ? &resume : NULL, &events, NULL, f.now);
  if (!f.client)
    return 0;
  while (ww_reader_left(&r)) {
    enum ww_rtr_action action = WW_RTR_STAY;
    bool ticked = false;
    size_t before = ww_rtr_client_output(f.client)->len;
    switch (ww_reader_u8(&r) & 7) {
    case 0: {
      uint64_t ms = 1ull << (ww_reader_u8(&r) & 31);
      f.now.mono += ms;
      f.now.unix_sec += (int64_t)(ms / 1000);
      action = ww_rtr_client_tick(f.client, f.now);
      ticked = true;
      break;
    }
    case 1:
      if (f.connecting) { /* out of turn it must change nothing */
        f.stream_len = 0;
        f.stream_lost = false;
        f.connecting = false;
      }
      action = ww_rtr_client_connected(f.client, f.now);
      break;
    case 2:
      f.asked = f.connecting = false;
      action = ww_rtr_client_connect_failed(f.client, "refused", f.now);
      break;
    case 3:
      f.asked = f.connecting = false;
      action = ww_rtr_client_closed(f.client, f.now);
      break;
    case 4: {
      size_t n = ww_reader_u8(&r), left = ww_reader_left(&r);
      bool bytewise = n & 1;
      if (n > left)
        n = left;
      input(&f, ww_reader_take(&r, n), n, bytewise);
      continue;
    }
    case 5: {
      uint8_t type = ww_reader_u8(&r), a = ww_reader_u8(&r), b = ww_reader_u8(&r);
      structured(&f, type, a, b);
      continue;
    }
    case 6: {
      uint8_t n = ww_reader_u8(&r);
      f.pending = false;
      action = ww_rtr_client_committed(f.client, n & 1, n >> 1, f.now);
      break;
    }
    default:
      ww_buf_clear(ww_rtr_client_output(f.client));
      break;
    }
    act(&f, action, before, ticked);
  }
  ww_rtr_client_free(f.client);
  return 0;
}
