/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An export session driven by a script of octets: changes to a toy engine and pulls of any size, in any order. At the
 * end a station that believed every message must know just what is so.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fake_view.h"
#include "station_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fake fake;
static struct station station;

static void step(struct ww_bmpout_session *s, struct ww_buf *wire, struct ww_now *now, const uint8_t op[4]) {
  uint8_t peer = (uint8_t)(1 + op[1] % FAKE_PEERS), prefix = op[2] % FAKE_PREFIXES;
  switch (op[0] % 16) {
  case 0:
    fake_peer_up(&fake, peer);
    break;
  case 1:
    fake_peer_down(&fake, peer);
    break;
  case 2:
    fake_withdraw(&fake, peer, prefix, op[3] % 3);
    break;
  case 3:
    fake_eor(&fake, peer, (uint8_t)(1 + op[2] % 2));
    break;
  case 4:
    fake_dataset(&fake, op[1], 1u + op[2]);
    break;
  case 5:
    fake_ready(&fake);
    break;
  case 6: /* a burst: makes small journals overflow */
    for (uint8_t i = 0; i < op[3]; i++)
      fake_announce(&fake, peer, (uint8_t)((prefix + i) % FAKE_PREFIXES), 0, i % FAKE_ATTRS, op[3] + i);
    break;
  case 7:
  case 8:
  case 9:
  case 10:
    now->mono += op[3];
    station.verdicts_allowed = fake.ready || station.config.profile == WW_PROFILE_STD3;
    (void)ww_bmpout_session_pull(s, wire, (size_t)op[1] * op[2], *now);
    station_take(&station, &fake, wire);
    break;
  default:
    fake_announce(&fake, peer, prefix, op[3] % 3, op[3] % FAKE_ATTRS, (uint32_t)op[0] * op[3]);
    break;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 4 || size > 4 * 2000)
    return 0;
  struct ww_bmpout_config config = {.profile = (enum ww_profile)(data[0] % 3),
                                    .pen = 32473,
                                    .tlv_draft = data[0] & 4 ? 19 : 21,
                                    .covering = data[0] & 8,
                                    .max_message = data[0] & 16 ? 8192 : 65535};
  struct ww_out_view view;
  struct ww_buf wire;
  struct ww_now now = {.mono = 1, .unix_sec = 1800000000};
  fake_init(&fake, (size_t)1 << (4 + data[1] % 8));
  fake.ready = data[2] & 1;
  fake_view(&fake, &view);
  station_init(&station, &config);
  ww_buf_init(&wire, 0);
  struct ww_bmpout_session *s = ww_bmpout_session_new(&config, &view, fake.journal, NULL);
  for (size_t at = 4; s && at + 4 <= size; at += 4)
    step(s, &wire, &now, data + at);
  fake_ready(&fake);
  station.verdicts_allowed = true;
  bool more = true;
  for (unsigned i = 0; s && more && i < 10000; i++) {
    more = ww_bmpout_session_pull(s, &wire, 65536, now);
    station_take(&station, &fake, &wire);
  }
  station_compare(&station, &fake);
  if (station.fault[0] || more) {
    fprintf(stderr, "%s\n", more ? "never done" : station.fault);
    abort();
  }
  ww_bmpout_session_free(s);
  fake_fini(&fake);
  ww_buf_fini(&wire);
  return 0;
}
