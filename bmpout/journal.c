/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The change journal: what a monitored router's tables tell their export sessions, without either waiting for the
 * other.
 *
 * Data structure: a ring of 2^n changes, indexed by the low bits of a 64-bit sequence number that starts at 1 and never
 * wraps. `last` is the newest number given out, `passed` the newest that the owner was told nobody needs; the ring
 * holds (passed, last]. Readers stand in a list and have the number that they will read next.
 *
 * Invariants:
 *  - last - passed <= capacity: adding to a full ring passes the oldest entry first, and every reader that had not
 *    read it has lost it.
 *  - on_passed runs exactly once for each number, in order. Not for what is still held when the journal is freed: its
 *    owner is taking everything down then.
 *  - An entry handed to a reader is held for it until that reader asks for the next one, so that the object behind it
 *    can be looked at in between; and the newest entry is not passed by the call that adds it, so that the owner can
 *    write the number into the object first.
 *  - A reader that lost entries holds back nothing. It learns of the loss once, at its next call, and then stands at
 *    the end as of that call: whatever was added before it is to be found by walking the tables.
 *
 * Ownership: the journal belongs to the tables' owner, a reader to its session. Either may go first. on_passed must not
 * call back into the journal.
 */
#include "bmpout/view.h"

#include <stdlib.h>

enum { JOURNAL_MIN = 16 };
#define JOURNAL_MAX ((size_t)1 << 28) /* entries; 2 GiB */

struct ww_journal_reader {
  struct ww_journal *journal; /* NULL once the journal is gone */
  struct ww_journal_reader *next;
  uint64_t pos; /* read next */
  bool holding; /* pos - 1 was handed out and not yet left */
  bool lost;
};

struct ww_journal {
  struct ww_change *ring;
  uint64_t mask;
  uint64_t last, passed;
  struct ww_journal_reader *readers;
  void (*on_passed)(void *ctx, const struct ww_change *change, uint64_t seq);
  void *ctx;
};

struct ww_journal *ww_journal_new(size_t entries, void (*on_passed)(void *ctx, const struct ww_change *, uint64_t seq),
                                  void *ctx) {
  if (entries > JOURNAL_MAX)
    return NULL;
  size_t size = JOURNAL_MIN;
  while (size < entries)
    size *= 2;
  struct ww_journal *j = calloc(1, sizeof *j);
  if (!j)
    return NULL;
  j->ring = calloc(size, sizeof *j->ring);
  if (!j->ring) {
    free(j);
    return NULL;
  }
  j->mask = size - 1;
  j->on_passed = on_passed;
  j->ctx = ctx;
  return j;
}

void ww_journal_free(struct ww_journal *j) {
  if (!j)
    return;
  for (struct ww_journal_reader *r = j->readers; r; r = r->next)
    r->journal = NULL;
  free(j->ring);
  free(j);
}

static void pass_to(struct ww_journal *j, uint64_t seq) {
  while (j->passed < seq) {
    j->passed++;
    if (j->on_passed) {
      struct ww_change change = j->ring[j->passed & j->mask];
      j->on_passed(j->ctx, &change, j->passed);
    }
  }
}

/* Passes what no reader needs, up to and including `limit`. */
static void pass_unneeded(struct ww_journal *j, uint64_t limit) {
  uint64_t upto = limit;
  for (const struct ww_journal_reader *r = j->readers; r; r = r->next) {
    if (r->lost)
      continue;
    uint64_t needs = r->pos - (r->holding ? 1 : 0);
    if (needs - 1 < upto)
      upto = needs - 1;
  }
  pass_to(j, upto);
}

uint64_t ww_journal_add(struct ww_journal *j, struct ww_change change) {
  if (j->last - j->passed > j->mask) {
    uint64_t oldest = j->passed + 1;
    for (struct ww_journal_reader *r = j->readers; r; r = r->next) {
      if (r->lost)
        continue;
      if (r->pos <= oldest)
        r->lost = true;
      else if (r->pos - 1 == oldest)
        r->holding = false;
    }
    pass_to(j, oldest);
  }
  /* Without this a journal that nobody reads would fill before it passes anything. */
  pass_unneeded(j, j->last);
  j->last++;
  j->ring[j->last & j->mask] = change;
  return j->last;
}

struct ww_journal_reader *ww_journal_reader_new(struct ww_journal *j) {
  struct ww_journal_reader *r = calloc(1, sizeof *r);
  if (!r)
    return NULL;
  r->journal = j;
  r->pos = j->last + 1;
  r->next = j->readers;
  j->readers = r;
  return r;
}

void ww_journal_reader_free(struct ww_journal_reader *r) {
  if (!r)
    return;
  struct ww_journal *j = r->journal;
  if (j) {
    struct ww_journal_reader **link = &j->readers;
    while (*link != r)
      link = &(*link)->next;
    *link = r->next;
    pass_unneeded(j, j->last);
  }
  free(r);
}

int ww_journal_reader_next(struct ww_journal_reader *r, struct ww_change *out, uint64_t *seq) {
  struct ww_journal *j = r->journal;
  if (!j)
    return 0;
  if (r->lost) {
    r->lost = false;
    r->holding = false;
    r->pos = j->last + 1;
    return -1;
  }
  uint64_t left = r->holding ? r->pos - 1 : 0;
  r->holding = false;
  int got = 0;
  if (r->pos <= j->last) {
    *out = j->ring[r->pos & j->mask];
    *seq = r->pos;
    r->pos++;
    r->holding = true;
    got = 1;
  }
  if (left == j->passed + 1) /* only the hindmost reader's step can set an entry free */
    pass_unneeded(j, j->last);
  return got;
}

uint64_t ww_journal_reader_lag(const struct ww_journal_reader *r) {
  return r->journal ? r->journal->last + 1 - r->pos : 0;
}

uint64_t ww_journal_reader_end(const struct ww_journal_reader *r) { return r->journal ? r->journal->last : r->pos - 1; }
