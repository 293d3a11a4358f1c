/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BMP station machine on a stream: given whole, and given in portions whose size the first octet sets. Both must
 * end in the same state, and the promises of its events are checked: up and down of peers alternate, no update of a
 * peer that is down, withdrawals only where an UPDATE was malformed.
 */
#include "feeds/bmp_feed.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition))                                                                                                  \
      abort();                                                                                                         \
  } while (0)

enum { MAX_UP = 64 };

/* Peers up, as the events tell; more than MAX_UP are not followed. */
struct watch {
  struct ww_bmp_peer up[MAX_UP];
  size_t count;
  bool lost;
  uint64_t sum; /* of what was seen, in order */
};

static bool same_peer(const struct ww_bmp_peer *a, const struct ww_bmp_peer *b) {
  return a->type == b->type && a->distinguisher == b->distinguisher &&
         memcmp(a->address, b->address, sizeof a->address) == 0 &&
         (a->type == WW_BMP_PEER_LOC_RIB || ((a->flags ^ b->flags) & WW_BMP_FLAG_V) == 0);
}

static size_t find(const struct watch *w, const struct ww_bmp_peer *peer) {
  size_t i = 0;
  while (i < w->count && !same_peer(&w->up[i], peer))
    i++;
  return i;
}

static void note(struct watch *w, uint64_t v) { w->sum = (w->sum ^ v) * 1099511628211u; }

static void on_initiation(void *ctx, const char *name, const char *descr) {
  note(ctx, strlen(name) + strlen(descr) * 1000);
}

static void on_up(void *ctx, const struct ww_bmp_peer *peer, const struct ww_bmp_msg *msg) {
  struct watch *w = ctx;
  CHECK(msg->header.type == WW_BMP_PEER_UP && msg->u.up.sent_open && msg->u.up.received_open);
  CHECK(w->lost || find(w, peer) == w->count);
  if (w->count == MAX_UP)
    w->lost = true;
  else
    w->up[w->count++] = *peer;
  note(w, 1);
}

static void on_down(void *ctx, const struct ww_bmp_peer *peer, const struct ww_bmp_msg *msg) {
  struct watch *w = ctx;
  CHECK(msg->header.type == WW_BMP_PEER_DOWN);
  size_t i = find(w, peer);
  CHECK(w->lost || i < w->count);
  if (i < w->count)
    w->up[i] = w->up[--w->count];
  note(w, 2);
}

static void on_update(void *ctx, const struct ww_bmp_peer *peer, enum ww_rib_view view,
                      const struct ww_bgp_update *update) {
  struct watch *w = ctx;
  CHECK(w->lost || find(w, peer) < w->count);
  CHECK(update->disposition <= WW_BGP_TREAT_AS_WITHDRAW);
  note(w, 3 + (uint64_t)view);
  for (unsigned i = 0; i < 2; i++) {
    struct ww_prefix prefix;
    struct ww_nlri nlri = update->withdrawn[i];
    for (uint32_t id; ww_nlri_next(&nlri, &prefix, &id);)
      note(w, 100u + prefix.len + id);
    nlri = update->announced[i];
    CHECK(nlri.len == 0 || update->disposition < WW_BGP_TREAT_AS_WITHDRAW);
    for (uint32_t id; ww_nlri_next(&nlri, &prefix, &id);)
      note(w, 1000u + prefix.len + id);
  }
  for (size_t i = 0; i < update->attrs_len; i++)
    note(w, update->attrs[i]);
}

static void on_stats(void *ctx, const struct ww_bmp_peer *peer, const struct ww_bmp_msg *msg) {
  (void)peer;
  note(ctx, msg->u.stats.count);
}

static void on_termination(void *ctx, uint16_t reason, const char *text) { note(ctx, reason + strlen(text)); }

static void run(const uint8_t *data, size_t size, size_t step, struct watch *w, struct ww_bmp_feed_stats *stats,
                enum ww_err *err) {
  struct ww_bmp_feed_events events = {.ctx = w,
                                      .initiation = on_initiation,
                                      .peer_up = on_up,
                                      .peer_down = on_down,
                                      .update = on_update,
                                      .stats = on_stats,
                                      .termination = on_termination};
  struct ww_bmp_feed *feed = ww_bmp_feed_new(&events, NULL);
  if (!feed)
    abort();
  *err = WW_OK;
  for (size_t at = 0; at < size && *err == WW_OK; at += step) {
    size_t n = size - at < step ? size - at : step;
    uint8_t *portion = malloc(n);
    if (!portion)
      abort();
    memcpy(portion, data + at, n);
    struct ww_diag why = {0};
    *err = ww_bmp_feed_input(feed, portion, n, &why);
    CHECK((*err == WW_OK) == (why.text[0] == '\0'));
    free(portion);
  }
  ww_bmp_feed_stats(feed, stats);
  CHECK(w->lost || stats->peers == w->count);
  ww_bmp_feed_free(feed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2)
    return 0;
  static struct watch whole, split;
  memset(&whole, 0, sizeof whole);
  memset(&split, 0, sizeof split);
  struct ww_bmp_feed_stats a, b;
  enum ww_err ea, eb;
  run(data + 1, size - 1, size, &whole, &a, &ea);
  run(data + 1, size - 1, (size_t)data[0] + 1, &split, &b, &eb);
  CHECK(ea == eb && whole.sum == split.sum && whole.count == split.count);
  CHECK(a.messages == b.messages && a.updates == b.updates && a.ignored == b.ignored &&
        a.malformed_updates == b.malformed_updates && a.unknown_peer == b.unknown_peer && a.peers == b.peers);
  return 0;
}
