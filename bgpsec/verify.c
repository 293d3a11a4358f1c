/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verifying UPDATEs: RFC 8205 §5.2, many at a time.
 *
 * A request goes through the cheap checks, which settle most of what an attacker can send, and then takes a slot of the
 * worker. The slots advance in rounds: each gives its one next signature, all of a round are verified together (they
 * share an inversion, ecdsa_fast.c), and each slot goes on from its answer. So a message costs just the signatures that
 * one by one would cost, with early termination (§7.3), and still profits from company.
 *
 * Within a block: first all hops are looked over for what costs nothing, an unknown key or a signature that is no
 * ECDSA-Sig-Value. Then signatures are verified from the newest to the oldest. The newest is what the peer itself made,
 * and a path that somebody tampered with or replayed fails there or right after; it also means that a path whose first
 * signature is bad costs one verification, however long it is.
 *
 * CHOICE: a block that lacks a key for any of its hops is Not Valid without a verification, though the text would find
 * out hop by hop; §5 asks for the same outcome, not for the same way.
 *
 * Several keys of one AS and SKI are all tried (step 2 speaks of triples). CHOICE: up to WW_BGPSEC_KEYS_TRIED_MAX: more
 * would let whoever registers keys decide what a signature costs us.
 *
 * Clauses: RFC 8205 §3, §4.1, §4.3, §4.4, §5, §5.2, §7.3, §8.3; RFC 7606 §2.
 */
#include "bgpsec/check.h"
#include "bgpsec/message.h"
#include "bgpsec/verifier.h"
#include "wire/bgp.h"

#include <stdlib.h>
#include <string.h>

/* One request on its way. */
struct slot {
  const struct ww_bgpsec_request *request;
  struct ww_bgpsec_result *result;
  struct ww_bgpsec_path path;
  struct ww_bgpsec_message message; /* of the block in hand; storage is kept from request to request */
  size_t block, hop;
  bool laid_out;                         /* the message is of this block */
  size_t key_index;                      /* the next of the hop's keys to try */
  bool digested;                         /* job->digest is of this hop */
  bool tried;                            /* the hop had a usable key */
  uint8_t last_point[WW_P256_POINT_LEN]; /* tried last: one key may come from several sources */
  struct ww_verifier_key key;            /* behind the job */
  struct ww_known_tag tag;
};

struct ww_bgpsec_worker {
  struct ww_bgpsec_verifier *verifier;
  struct ww_p256_scratch *scratch;
  struct slot slots[WW_P256_BATCH];
  struct ww_p256_job jobs[WW_P256_BATCH]; /* of the slot with the same index */
  struct ww_arena arena;
};

enum ww_err ww_bgpsec_worker_new(struct ww_bgpsec_verifier *verifier, struct ww_bgpsec_worker **out) {
  struct ww_bgpsec_worker *w = calloc(1, sizeof *w);
  if (!w)
    return WW_ERR_NOMEM;
  w->verifier = verifier;
  ww_arena_init(&w->arena, 0);
  enum ww_err err = ww_p256_scratch_new(ww_verifier_p256(verifier), &w->scratch);
  if (err) {
    ww_bgpsec_worker_free(w);
    return err;
  }
  *out = w;
  return WW_OK;
}

void ww_bgpsec_worker_free(struct ww_bgpsec_worker *w) {
  if (!w)
    return;
  for (unsigned i = 0; i < WW_P256_BATCH; i++)
    ww_bgpsec_message_fini(&w->slots[i].message);
  ww_p256_scratch_free(w->scratch);
  ww_arena_fini(&w->arena);
  free(w);
}

/* --- results ---------------------------------------------------------------------------------------------------- */

static void start_result(struct ww_bgpsec_result *result) {
  *result = (struct ww_bgpsec_result){.segments = result->segments,
                                      .segment_cap = result->segment_cap,
                                      .as_path = result->as_path,
                                      .as_path_cap = result->as_path_cap};
}

static void settle(struct ww_bgpsec_result *result, enum ww_bgpsec_state state, enum ww_bgpsec_reason reason) {
  result->state = (uint8_t)state;
  result->reason = (uint8_t)reason;
  result->disposition = state == WW_BGPSEC_WITHDRAW ? WW_BGP_TREAT_AS_WITHDRAW : WW_BGP_ACCEPT;
}

/* Every signature of the message, none of them looked at yet. */
static enum ww_err list_segments(const struct ww_bgpsec_verifier *v, const struct ww_bgpsec_path *path,
                                 struct ww_bgpsec_result *result) {
  size_t count = path->count * path->block_count;
  if (count > result->segment_cap) {
    struct ww_bgpsec_segment_result *larger = realloc(result->segments, count * sizeof *larger);
    if (!larger)
      return WW_ERR_NOMEM;
    result->segments = larger;
    result->segment_cap = count;
  }
  for (size_t b = 0; b < path->block_count; b++) {
    const struct ww_bgpsec_block *block = &path->blocks[b];
    struct ww_reader left = ww_reader_make(block->signatures, block->len);
    struct ww_bgpsec_signature signature;
    bool supported = ww_verifier_supports(v, block->suite);
    for (size_t i = 0; i < path->count && ww_bgpsec_signature_next(&left, &signature); i++) {
      struct ww_bgpsec_segment segment = ww_bgpsec_segment_at(path, i);
      struct ww_bgpsec_segment_result *out = &result->segments[result->segment_count++];
      *out = (struct ww_bgpsec_segment_result){.asn = segment.asn,
                                               .suite = block->suite,
                                               .pcount = segment.pcount,
                                               .flags = segment.flags,
                                               .state = supported ? WW_BGPSEC_SEGMENT_NOT_CHECKED
                                                                  : WW_BGPSEC_SEGMENT_UNSUPPORTED};
      memcpy(out->ski, signature.ski, sizeof out->ski);
    }
  }
  return WW_OK;
}

/* *fits false: no path attribute could hold it. */
static enum ww_err rebuild_as_path(const struct ww_bgpsec_path *path, struct ww_bgpsec_result *result, bool *fits) {
  struct ww_writer measure = ww_writer_make(NULL, 0);
  ww_bgpsec_as_path_write(&measure, path);
  *fits = measure.len <= UINT16_MAX;
  if (!*fits)
    return WW_OK;
  if (measure.len > result->as_path_cap) {
    uint8_t *larger = realloc(result->as_path, measure.len);
    if (!larger)
      return WW_ERR_NOMEM;
    result->as_path = larger;
    result->as_path_cap = measure.len;
  }
  if (measure.len) {
    struct ww_writer w = ww_writer_make(result->as_path, result->as_path_cap);
    ww_bgpsec_as_path_write(&w, path);
    result->as_path_len = w.len;
  }
  return WW_OK;
}

static struct ww_bgpsec_segment_result *segment_result(const struct slot *slot, size_t hop) {
  return &slot->result->segments[slot->block * slot->path.count + hop];
}

/* --- the checks without cryptography ---------------------------------------------------------------------------- */

/* *settled: the result stands. Otherwise slot->path is decoded and has a supported block. */
static enum ww_err begin(const struct ww_bgpsec_verifier *v, struct slot *slot, bool *settled) {
  const struct ww_bgpsec_request *q = slot->request;
  struct ww_bgpsec_result *result = slot->result;
  start_result(result);
  *settled = true;
  if (!q->path) {
    settle(result, WW_BGPSEC_UNSIGNED, WW_BGPSEC_REASON_NO_PATH);
    return WW_OK;
  }
  /* RFC 8205 §5.2: check 4, then 1 and 3, then the others. */
  enum ww_bgpsec_reason reason =
      q->has_as_path ? WW_BGPSEC_REASON_AS_PATH : ww_bgpsec_path_decode(q->path, q->path_len, &slot->path, NULL);
  if (!reason)
    reason = ww_bgpsec_check_session(q->session, &slot->path);
  bool fits = true;
  if (!reason) {
    enum ww_err err = rebuild_as_path(&slot->path, result, &fits);
    if (err)
      return err;
  }
  /* CHOICE: as of an AS_PATH that is too long once its AS numbers have four octets (wire/bgp_update.c). */
  if (!fits)
    reason = WW_BGPSEC_REASON_PATH_LENGTH;
  if (reason) {
    settle(result, WW_BGPSEC_WITHDRAW, reason);
    return WW_OK;
  }
  enum ww_err err = list_segments(v, &slot->path, result);
  if (err)
    return err;
  bool supported = false;
  for (size_t b = 0; b < slot->path.block_count; b++)
    supported |= ww_verifier_supports(v, slot->path.blocks[b].suite);
  if (!supported) {
    settle(result, WW_BGPSEC_UNSIGNED, WW_BGPSEC_REASON_NO_SUITE);
  } else if (q->defer) {
    settle(result, WW_BGPSEC_NOT_CHECKED, WW_BGPSEC_REASON_DEFERRED);
  } else {
    /* Until some block says better. */
    settle(result, WW_BGPSEC_NOT_VALID, WW_BGPSEC_REASON_SIGNATURE);
    slot->block = slot->hop = 0;
    slot->laid_out = false;
    *settled = false;
  }
  return WW_OK;
}

/* RFC 8205 §4.3: may be left out, if the operator says so. */
static bool is_skipped(const struct slot *slot, const struct ww_bgpsec_segment *segment) {
  return slot->request->session->skip_confed_signatures && segment->flags & WW_BGPSEC_FLAG_CONFED;
}

/* Is there any key that could be tried? */
static bool has_key(const struct ww_bgpsec_key_source *keys, const struct ww_bgpsec_hop *hop) {
  struct ww_router_key key;
  for (size_t i = 0; keys->find(keys->ctx, hop->segment.asn, hop->signature.ski, i, &key); i++)
    if (ww_p256_spki_point(key.spki, key.spki_len))
      return true;
  return false;
}

/* All hops of the block, for what costs nothing. False: the block is Not Valid. */
static bool look_over(struct slot *slot, const struct ww_bgpsec_key_source *keys) {
  struct ww_p256_signature unused;
  bool sound = true;
  for (size_t i = 0; i < slot->message.hop_count; i++) {
    const struct ww_bgpsec_hop *hop = &slot->message.hops[i];
    struct ww_bgpsec_segment_result *out = segment_result(slot, i);
    if (is_skipped(slot, &hop->segment)) {
      out->state = WW_BGPSEC_SEGMENT_SKIPPED;
      continue;
    }
    bool malformed = !ww_p256_signature_parse(hop->signature.sig, hop->signature.sig_len, &unused);
    if (!malformed && has_key(keys, hop))
      continue;
    if (sound) /* the newest one gives the reason */
      slot->result->reason = malformed ? WW_BGPSEC_REASON_SIGNATURE : WW_BGPSEC_REASON_NO_KEY;
    out->state = malformed ? WW_BGPSEC_SEGMENT_MALFORMED : WW_BGPSEC_SEGMENT_NO_KEY;
    sound = false;
  }
  return sound;
}

/* --- rounds ----------------------------------------------------------------------------------------------------- */

static void next_hop(struct slot *slot) {
  slot->hop++;
  slot->key_index = 0;
  slot->digested = slot->tried = false;
}

static void next_block(struct slot *slot) {
  slot->block++;
  slot->laid_out = false;
}

/* The hop verified. */
static void accept(struct slot *slot) {
  segment_result(slot, slot->hop)->state = WW_BGPSEC_SEGMENT_VALID;
  next_hop(slot);
}

/* No key is left to try: the block is Not Valid (RFC 8205 §7.3: nothing more of it is looked at). */
static void reject(struct slot *slot) {
  segment_result(slot, slot->hop)->state = slot->tried ? WW_BGPSEC_SEGMENT_BAD : WW_BGPSEC_SEGMENT_NO_KEY;
  slot->result->reason = slot->tried ? WW_BGPSEC_REASON_SIGNATURE : WW_BGPSEC_REASON_NO_KEY;
  next_block(slot);
}

/* The hop's next key, parsed: NOTFOUND when there is none. */
static enum ww_err next_key(struct ww_bgpsec_worker *w, struct slot *slot, const struct ww_bgpsec_key_source *keys) {
  const struct ww_bgpsec_hop *hop = &slot->message.hops[slot->hop];
  struct ww_router_key record;
  while (slot->key_index < WW_BGPSEC_KEYS_TRIED_MAX &&
         keys->find(keys->ctx, hop->segment.asn, hop->signature.ski, slot->key_index, &record)) {
    slot->key_index++;
    const uint8_t *point = ww_p256_spki_point(record.spki, record.spki_len);
    if (!point || (slot->tried && memcmp(point, slot->last_point, WW_P256_POINT_LEN) == 0))
      continue;
    enum ww_err err = ww_verifier_take(w->verifier, point, &slot->key);
    if (err == WW_ERR_INVAL) /* not on the curve: no key of this suite */
      continue;
    memcpy(slot->last_point, point, WW_P256_POINT_LEN);
    slot->tried = true;
    return err;
  }
  return WW_ERR_NOTFOUND;
}

/* Goes on with a slot until it has a signature to verify, in its job, or its result stands (*settled). */
static enum ww_err advance(struct ww_bgpsec_worker *w, struct slot *slot, const struct ww_bgpsec_key_source *keys,
                           struct ww_p256_job *job, bool *settled) {
  const struct ww_bgpsec_request *q = slot->request;
  struct ww_known *known = ww_verifier_known(w->verifier);
  *settled = false;
  while (slot->block < slot->path.block_count) {
    const struct ww_bgpsec_block *block = &slot->path.blocks[slot->block];
    if (!ww_verifier_supports(w->verifier, block->suite)) {
      next_block(slot);
      continue;
    }
    if (!slot->laid_out) {
      enum ww_err err =
          ww_bgpsec_message_build(&slot->message, &slot->path, slot->block, q->session->local_as, &q->prefix);
      if (err)
        return err;
      slot->laid_out = true;
      slot->hop = SIZE_MAX;
      next_hop(slot);
      if (!look_over(slot, keys)) {
        next_block(slot);
        continue;
      }
    }
    if (slot->hop == slot->message.hop_count) {
      settle(slot->result, WW_BGPSEC_VALID, WW_BGPSEC_REASON_NONE);
      slot->result->suite = block->suite;
      *settled = true;
      return WW_OK;
    }
    const struct ww_bgpsec_hop *hop = &slot->message.hops[slot->hop];
    if (is_skipped(slot, &hop->segment)) {
      next_hop(slot);
      continue;
    }
    enum ww_err err = next_key(w, slot, keys);
    if (err == WW_ERR_NOTFOUND) {
      reject(slot);
      continue;
    }
    if (err)
      return err;
    if (!slot->digested) {
      size_t len;
      const uint8_t *octets = ww_bgpsec_message_of(&slot->message, slot->hop, &len);
      if (!ww_p256_digest(w->scratch, octets, len, job->digest))
        return WW_ERR_NOMEM;
      (void)ww_p256_signature_parse(hop->signature.sig, hop->signature.sig_len, &job->signature); /* did before */
      slot->digested = true;
    }
    if (known) {
      if (!ww_known_tag(known, w->scratch, slot->key.generation, job, &slot->tag))
        return WW_ERR_NOMEM;
      if (ww_known_has(known, &slot->tag)) {
        ww_verifier_drop(&slot->key);
        slot->result->signatures_known++;
        accept(slot);
        continue;
      }
    }
    job->key = slot->key.key;
    job->table = slot->key.table;
    return WW_OK;
  }
  *settled = true;
  return WW_OK;
}

static void take_answer(struct ww_bgpsec_worker *w, struct slot *slot, bool good) {
  struct ww_known *known = ww_verifier_known(w->verifier);
  atomic_fetch_add_explicit(&slot->key.key->uses, 1, memory_order_relaxed);
  ww_verifier_drop(&slot->key);
  slot->result->signatures_checked++;
  if (!good)
    return; /* the next round tries the next key */
  if (known)
    ww_known_add(known, &slot->tag);
  accept(slot);
}

enum ww_err ww_bgpsec_verify(struct ww_bgpsec_worker *w, const struct ww_bgpsec_key_source *keys,
                             const struct ww_bgpsec_request *requests, struct ww_bgpsec_result *results, size_t count) {
  size_t next = 0, active = 0, verified = 0, known = 0;
  enum ww_err err = WW_OK;
  do {
    /* Slots 0 to active - 1 each have a job; the free ones behind them are filled with new requests. */
    for (size_t i = 0; i < WW_P256_BATCH && !err; i++) {
      struct slot *slot = &w->slots[i];
      bool settled = i >= active;
      if (!settled)
        err = advance(w, slot, keys, &w->jobs[i], &settled);
      while (settled && !err && next < count) {
        slot->request = &requests[next];
        slot->result = &results[next++];
        err = begin(w->verifier, slot, &settled);
        if (!err && !settled)
          err = advance(w, slot, keys, &w->jobs[i], &settled);
      }
      if (!settled) {
        active = i >= active ? i + 1 : active;
        continue;
      }
      /* Nothing for this slot any more: the last active one moves here. */
      if (i >= active)
        break;
      active--;
      if (i < active) {
        struct ww_bgpsec_message spare = slot->message;
        *slot = w->slots[active];
        w->slots[active].message = spare;
        w->jobs[i] = w->jobs[active];
        i--; /* it has not been advanced yet */
      }
    }
    if (!err)
      err = ww_p256_verify(w->scratch, w->jobs, active, ww_verifier_tier(w->verifier));
    for (size_t i = 0; i < active && !err; i++)
      take_answer(w, &w->slots[i], w->jobs[i].good);
    verified += err ? 0 : active;
  } while (active && !err);
  for (size_t i = 0; i < WW_P256_BATCH && err; i++) /* those whose answer never came */
    ww_verifier_drop(&w->slots[i].key);
  for (size_t i = 0; i < next && !err; i++)
    known += results[i].signatures_known;
  ww_verifier_count(w->verifier, verified, known);
  return err;
}

/* --- a whole message -------------------------------------------------------------------------------------------- */

/* RFC 8205 §4.1: one prefix, in MP_REACH_NLRI. */
static bool one_prefix(const struct ww_bgp_update *update, struct ww_prefix *prefix) {
  struct ww_nlri nlri = update->announced[1];
  struct ww_prefix more;
  return !update->announced[0].len && !update->other_family && ww_nlri_next(&nlri, prefix, NULL) &&
         !ww_nlri_next(&nlri, &more, NULL);
}

enum ww_err ww_bgpsec_verify_update(struct ww_bgpsec_worker *w, const struct ww_bgpsec_key_source *keys,
                                    const struct ww_bgpsec_session *session, const uint8_t *message, size_t len,
                                    struct ww_bgpsec_result *result, struct ww_diag *diag) {
  size_t message_len;
  uint8_t type;
  enum ww_err err = ww_bgp_frame(message, len, WW_BGP_MAX_LEN_EXTENDED, &message_len, &type, diag);
  if (err)
    return err;
  if (type != WW_BGP_UPDATE || message_len != len)
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, type != WW_BGP_UPDATE ? "not an UPDATE" : "more than one message");
  struct ww_bgp_session bgp = {.as4 = true,
                               .ebgp = !session->internal && session->peer_as != session->local_as,
                               .confed = session->confed_id != 0};
  struct ww_bgp_update update;
  ww_arena_reset(&w->arena);
  err = ww_bgp_update_decode(message + WW_BGP_HEADER_LEN, len - WW_BGP_HEADER_LEN, &bgp, &w->arena, &update, diag);
  if (err)
    return err;
  start_result(result);
  if (update.disposition >= WW_BGP_TREAT_AS_WITHDRAW) {
    settle(result, WW_BGPSEC_WITHDRAW,
           update.bad_attr == WW_ATTR_BGPSEC_PATH ? WW_BGPSEC_REASON_SYNTAX : WW_BGPSEC_REASON_UPDATE);
    result->disposition = (uint8_t)update.disposition;
    return WW_OK;
  }
  struct ww_bgpsec_request request = {.session = session,
                                      .path = update.bgpsec_path,
                                      .path_len = update.bgpsec_path_len,
                                      .has_as_path = update.has_as_path};
  if (request.path && !one_prefix(&update, &request.prefix)) {
    (void)ww_fail(diag, WW_ERR_MALFORMED, 0, "RFC 8205 §4.1", "not one prefix in MP_REACH_NLRI");
    settle(result, WW_BGPSEC_WITHDRAW, WW_BGPSEC_REASON_NLRI);
    return WW_OK;
  }
  return ww_bgpsec_verify(w, keys, &request, result, 1);
}
