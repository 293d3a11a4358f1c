/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream of RTR PDUs. What decodes must be canonical and must survive being written and read again; what does not
 * must not move the reader, and a PDU said to be short must have been longer than the input.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/rtr.h"

#define CHECK(x)                                                                                                       \
  do {                                                                                                                 \
    if (!(x))                                                                                                          \
      abort();                                                                                                         \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *exact = malloc(size ? size : 1);
  if (!exact)
    return 0;
  if (size)
    memcpy(exact, data, size);
  size_t at = 0;
  for (;;) {
    struct ww_rtr_pdu pdu, again;
    uint16_t code;
    struct ww_diag diag;
    enum ww_err err = ww_rtr_decode(exact + at, size - at, &pdu, &code, &diag);
    if (err == WW_ERR_SHORT) {
      CHECK(size - at < WW_RTR_HEADER_LEN || (pdu.len > size - at && pdu.len <= WW_RTR_MAX_LEN));
      break;
    }
    if (err != WW_OK) {
      CHECK(err == WW_ERR_MALFORMED && code <= WW_RTR_ASPA_LIST && diag.text[0]);
      break;
    }
    CHECK(pdu.len >= WW_RTR_HEADER_LEN && pdu.len <= size - at);
    bool prefix = pdu.type == WW_RTR_IPV4_PREFIX || pdu.type == WW_RTR_IPV6_PREFIX;
    if (prefix)
      CHECK(ww_prefix_is_canonical(&pdu.u.prefix.vrp.prefix) &&
            pdu.u.prefix.vrp.max_len >= pdu.u.prefix.vrp.prefix.len);
    if (pdu.type == WW_RTR_ASPA) {
      const struct ww_rtr_aspa *aspa = &pdu.u.aspa;
      CHECK(pdu.version == WW_RTR_V2 && pdu.len == (aspa->old_layout ? 16 : 12) + aspa->provider_count * 4);
      if (aspa->old_layout) { /* is not written */
        at += pdu.len;
        continue;
      }
      CHECK(!aspa->announce || aspa->provider_count);
      for (size_t i = 1; aspa->announce && i < aspa->provider_count; i++)
        CHECK(memcmp(aspa->providers + 4 * (i - 1), aspa->providers + 4 * i, 4) < 0 &&
              memcmp(aspa->providers, "\0\0\0", 4) != 0);
    }
    uint8_t *out = malloc(pdu.len);
    CHECK(out);
    struct ww_writer w = ww_writer_make(out, pdu.len);
    ww_rtr_write(&w, &pdu);
    CHECK(!w.overflow && w.len == pdu.len);
    CHECK(ww_rtr_decode(out, w.len, &again, &code, &diag) == WW_OK);
    CHECK(again.version == pdu.version && again.type == pdu.type && again.session == pdu.session);
    if (prefix)
      CHECK(again.u.prefix.announce == pdu.u.prefix.announce && !again.u.prefix.host_bits &&
            ww_vrp_compare(&again.u.prefix.vrp, &pdu.u.prefix.vrp) == 0);
    if (pdu.type == WW_RTR_ROUTER_KEY)
      CHECK(again.u.key.announce == pdu.u.key.announce && ww_router_key_compare(&again.u.key.key, &pdu.u.key.key) == 0);
    if (pdu.type == WW_RTR_ASPA)
      CHECK(again.u.aspa.announce == pdu.u.aspa.announce && again.u.aspa.customer == pdu.u.aspa.customer &&
            again.u.aspa.provider_count == pdu.u.aspa.provider_count);
    free(out);
    at += pdu.len;
  }
  free(exact);
  return 0;
}
