/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that verify BGPsec signatures, and one that builds tables for hot keys meanwhile.
 *
 * One owner submits batches and takes them back, in the order in which they were submitted; within a batch results[i]
 * is of requests[i]. What the threads do when is nobody's business.
 */
#ifndef WW_DAEMON_VERIFY_POOL_H
#define WW_DAEMON_VERIFY_POOL_H

#include <waywarden/bgpsec.h>

enum { WW_VERIFY_THREADS_MAX = 64 };

/* All of it is borrowed from submission until it is taken back. */
struct ww_verify_batch {
  const struct ww_bgpsec_key_source *keys;
  const struct ww_bgpsec_request *requests;
  struct ww_bgpsec_result *results;
  size_t count;
  void *ctx;       /* the owner's */
  enum ww_err err; /* of the work; results count only when there is none */

  struct ww_verify_batch *next; /* the pool's from here on */
  size_t given, done;           /* requests handed to threads, and finished */
};

struct ww_verify_pool;

/* `notify` (may be NULL) is called by a thread of the pool when some batch is finished: it may only wake the owner, as
 * uv_async_send() does. `threads` from 1 to WW_VERIFY_THREADS_MAX. */
enum ww_err ww_verify_pool_new(struct ww_bgpsec_verifier *verifier, unsigned threads, void (*notify)(void *ctx),
                               void *ctx, struct ww_verify_pool **out) WW_MUST_USE;
/* Ends the threads, after what they have in hand. Batches that were not taken back are the owner's again, unfinished or
 * not. The verifier remains. */
void ww_verify_pool_free(struct ww_verify_pool *pool);

void ww_verify_pool_submit(struct ww_verify_pool *pool, struct ww_verify_batch *batch);
/* The batch submitted first, if it is finished; else NULL. With `wait`, NULL only when there is none at all. */
struct ww_verify_batch *ww_verify_pool_take(struct ww_verify_pool *pool, bool wait);

#endif
