/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An engine of toy size for tests of export sessions: peers, routes and verdicts in arrays, changed by calls, told
 * through struct ww_out_view and a journal. Ids of routes are reused at once, last freed first, to provoke confusion.
 */
#ifndef WW_TESTS_FAKE_VIEW_H
#define WW_TESTS_FAKE_VIEW_H

#include "bmpout/view.h"

enum { FAKE_PEERS = 6, FAKE_PREFIXES = 48, FAKE_ATTRS = 10, FAKE_PATHS = 4, FAKE_ROUTES = 2048 };

struct fake_route {
  bool used, withdrawn;
  uint8_t peer; /* 1.. */
  uint8_t prefix;
  uint8_t path_id;
  uint8_t attrs;
  uint8_t trigger;
  uint32_t verdict; /* seed: what the verdict and its rules are */
  uint64_t seq;
  uint32_t birth;
};

struct fake_peer {
  bool present, up, eor[3];
  uint32_t incarnation;
  uint8_t opens[512];
  size_t open_len;
};

struct fake {
  struct ww_journal *journal;
  bool ready;
  uint32_t epoch, births;
  struct fake_peer peers[FAKE_PEERS + 1];
  struct fake_route routes[FAKE_ROUTES];
  uint16_t live[FAKE_PEERS + 1][FAKE_PREFIXES][FAKE_PATHS]; /* id of the live route, 0 none */
  uint32_t free_ids[FAKE_ROUTES];
  size_t free_count;
  uint8_t attrs[FAKE_ATTRS][400];
  size_t attrs_len[FAKE_ATTRS];
  uint64_t passed; /* entries */
};

void fake_init(struct fake *f, size_t journal_entries);
void fake_fini(struct fake *f);
void fake_view(struct fake *f, struct ww_out_view *out);

void fake_peer_up(struct fake *f, uint8_t peer);   /* nothing when it is up */
void fake_peer_down(struct fake *f, uint8_t peer); /* its routes are gone at once, without entries */
void fake_announce(struct fake *f, uint8_t peer, uint8_t prefix, uint8_t path_id, uint8_t attrs, uint32_t verdict);
void fake_withdraw(struct fake *f, uint8_t peer, uint8_t prefix, uint8_t path_id);
void fake_eor(struct fake *f, uint8_t peer, uint8_t afi);
/* New data: every `step`th route from `first` gets another verdict. */
void fake_dataset(struct fake *f, uint32_t first, uint32_t step);
void fake_ready(struct fake *f); /* as the engine does: every route goes into the journal */

struct ww_prefix fake_prefix(uint8_t prefix); /* even ones IPv4, odd ones IPv6 */
bool fake_add_path(uint8_t peer);
struct ww_bmp_peer fake_header(uint8_t peer);
/* The verdict that a seed stands for, with what the attributes' path stands for. */
void fake_verdict(uint32_t seed, uint8_t attrs, const struct ww_prefix *prefix, struct ww_verdict *verdict);
struct fake_route *fake_find(struct fake *f, uint8_t peer, uint8_t prefix, uint8_t path_id);

#endif
