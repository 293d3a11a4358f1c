/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pool: a queue of batches under one lock. A thread takes a piece of the oldest batch that has requests left, goes
 * through it with its own worker, and notes it as done. Pieces are large enough that signatures of one key meet in one
 * (bgpsec/ecdsa_fast.c), and small enough that all threads share a batch.
 *
 * The queue keeps the order of submission: a batch leaves it only from the front, by ww_verify_pool_take().
 *
 * Tables of hot keys are built by a thread of its own, woken when a batch is finished: some 20 ms each, which no batch
 * should wait for.
 */
#include "daemon/verify_pool.h"

#include <pthread.h>
#include <stdlib.h>

enum { PIECE_MIN = 64, PIECE_MAX = 1024 };

struct ww_verify_pool {
  struct ww_bgpsec_verifier *verifier;
  void (*notify)(void *ctx);
  void *ctx;
  pthread_mutex_t lock; /* of what follows */
  pthread_cond_t work, finished, tables;
  struct ww_verify_batch *first, **end; /* submitted and not taken back */
  bool stop, look_for_tables;
  unsigned thread_count;
  bool has_builder;
  struct ww_bgpsec_worker *workers[WW_VERIFY_THREADS_MAX];
  pthread_t threads[WW_VERIFY_THREADS_MAX], builder;
};

struct piece {
  struct ww_verify_batch *batch;
  size_t from, count;
};

/* With the lock held. */
static bool next_piece(struct ww_verify_pool *pool, struct piece *piece) {
  struct ww_verify_batch *batch = pool->first;
  while (batch && batch->given == batch->count)
    batch = batch->next;
  if (!batch)
    return false;
  size_t share = (batch->count + pool->thread_count - 1) / pool->thread_count;
  size_t count = share < PIECE_MIN ? PIECE_MIN : share > PIECE_MAX ? PIECE_MAX : share;
  if (count > batch->count - batch->given)
    count = batch->count - batch->given;
  *piece = (struct piece){.batch = batch, .from = batch->given, .count = count};
  batch->given += count;
  return true;
}

struct start {
  struct ww_verify_pool *pool;
  struct ww_bgpsec_worker *worker;
};

static void *verify(void *arg) {
  struct start start = *(struct start *)arg;
  struct ww_verify_pool *pool = start.pool;
  struct piece piece;
  free(arg);
  pthread_mutex_lock(&pool->lock);
  while (!pool->stop) {
    if (!next_piece(pool, &piece)) {
      pthread_cond_wait(&pool->work, &pool->lock);
      continue;
    }
    pthread_mutex_unlock(&pool->lock);
    struct ww_verify_batch *batch = piece.batch;
    enum ww_err err = ww_bgpsec_verify(start.worker, batch->keys, batch->requests + piece.from,
                                       batch->results + piece.from, piece.count);
    pthread_mutex_lock(&pool->lock);
    if (err)
      batch->err = err;
    batch->done += piece.count;
    if (batch->done < batch->count)
      continue;
    pool->look_for_tables = true;
    pthread_cond_signal(&pool->tables);
    pthread_cond_broadcast(&pool->finished);
    if (pool->notify)
      pool->notify(pool->ctx);
  }
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

static void *build_tables(void *arg) {
  struct ww_verify_pool *pool = arg;
  pthread_mutex_lock(&pool->lock);
  while (!pool->stop) {
    if (!pool->look_for_tables) {
      pthread_cond_wait(&pool->tables, &pool->lock);
      continue;
    }
    pool->look_for_tables = false;
    pthread_mutex_unlock(&pool->lock);
    bool more = ww_bgpsec_build_tables(pool->verifier, 1) > 0;
    pthread_mutex_lock(&pool->lock);
    pool->look_for_tables |= more;
  }
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

static enum ww_err add_thread(struct ww_verify_pool *pool) {
  struct start *start = malloc(sizeof *start);
  struct ww_bgpsec_worker *worker = NULL;
  enum ww_err err = start ? ww_bgpsec_worker_new(pool->verifier, &worker) : WW_ERR_NOMEM;
  if (!err) {
    *start = (struct start){.pool = pool, .worker = worker};
    if (pthread_create(&pool->threads[pool->thread_count], NULL, verify, start) != 0)
      err = WW_ERR_NOMEM;
  }
  if (err) {
    ww_bgpsec_worker_free(worker);
    free(start);
    return err;
  }
  pool->workers[pool->thread_count] = worker;
  return WW_OK;
}

enum ww_err ww_verify_pool_new(struct ww_bgpsec_verifier *verifier, unsigned threads, void (*notify)(void *ctx),
                               void *ctx, struct ww_verify_pool **out) {
  if (threads < 1 || threads > WW_VERIFY_THREADS_MAX)
    return WW_ERR_INVAL;
  struct ww_verify_pool *pool = calloc(1, sizeof *pool);
  if (!pool)
    return WW_ERR_NOMEM;
  pool->verifier = verifier;
  pool->notify = notify;
  pool->ctx = ctx;
  pool->end = &pool->first;
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->work, NULL);
  pthread_cond_init(&pool->finished, NULL);
  pthread_cond_init(&pool->tables, NULL);
  enum ww_err err = WW_OK;
  /* Threads that are there already look at the number of them. */
  pthread_mutex_lock(&pool->lock);
  while (!err && pool->thread_count < threads) {
    err = add_thread(pool);
    pool->thread_count += !err;
  }
  pool->has_builder = !err && pthread_create(&pool->builder, NULL, build_tables, pool) == 0;
  pthread_mutex_unlock(&pool->lock);
  if (!err && !pool->has_builder)
    err = WW_ERR_NOMEM;
  if (err) {
    ww_verify_pool_free(pool);
    return err;
  }
  *out = pool;
  return WW_OK;
}

void ww_verify_pool_free(struct ww_verify_pool *pool) {
  if (!pool)
    return;
  pthread_mutex_lock(&pool->lock);
  pool->stop = true;
  pthread_cond_broadcast(&pool->work);
  pthread_cond_broadcast(&pool->tables);
  pthread_mutex_unlock(&pool->lock);
  for (unsigned i = 0; i < pool->thread_count; i++) {
    pthread_join(pool->threads[i], NULL);
    ww_bgpsec_worker_free(pool->workers[i]);
  }
  if (pool->has_builder)
    pthread_join(pool->builder, NULL);
  pthread_cond_destroy(&pool->work);
  pthread_cond_destroy(&pool->finished);
  pthread_cond_destroy(&pool->tables);
  pthread_mutex_destroy(&pool->lock);
  free(pool);
}

void ww_verify_pool_submit(struct ww_verify_pool *pool, struct ww_verify_batch *batch) {
  batch->next = NULL;
  batch->given = batch->done = 0;
  batch->err = WW_OK;
  pthread_mutex_lock(&pool->lock);
  *pool->end = batch;
  pool->end = &batch->next;
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->lock);
}

struct ww_verify_batch *ww_verify_pool_take(struct ww_verify_pool *pool, bool wait) {
  pthread_mutex_lock(&pool->lock);
  struct ww_verify_batch *batch = pool->first;
  while (wait && batch && batch->done < batch->count)
    pthread_cond_wait(&pool->finished, &pool->lock);
  if (batch && batch->done < batch->count)
    batch = NULL;
  if (batch) {
    pool->first = batch->next;
    if (!pool->first)
      pool->end = &pool->first;
  }
  pthread_mutex_unlock(&pool->lock);
  return batch;
}
