/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a CCR file.
 *
 * One walk from front to end. Each state is { SEQUENCE OF ..., [more], hash }: the sequence is hashed as it lies there,
 * tag and length included, and compared with the hash before its elements are looked at, so that a file that was
 * damaged is told from one that was badly made. A file is taken whole or not at all: the caller gets records only when
 * every state has been verified, the ones that it does not use too.
 *
 * CHOICE: a CCR says nothing of expiry, so its records have none; producedAt is told to the caller. States that a later
 * revision may add behind [5] are passed over and counted, as the extension marker allows.
 *
 * Clauses: draft-ietf-sidrops-rpki-ccr-11 §3, §5.1 (integrity), §6 (bounds), RFC 5652 §3 (ContentInfo).
 */
#include "sources/ccr_read.h"

#include <openssl/sha.h>
#include <stdio.h>

#include "sources/ccr_decode.h"
#include "sources/ccr_encode.h"

enum {
  MANIFEST_SIZE_MIN = 1000,
  MANIFEST_NUMBER_MAX = 20, /* octets */
  KEY_ID_LEN = 20,
};

struct reading {
  struct ww_ccr_decoding to;
  struct ww_ccr_info *info;
  enum ww_err err;    /* WW_OK: what is wrong is malformed */
  const char *clause; /* of the state at hand */
  const char *name;   /* of the sequence at hand */
  size_t index;       /* of its element at hand */
  bool in_sequence;
  ww_unix_time latest_manifest;
};

static void unsupported(struct reading *r, struct ww_der *d, size_t at, const char *why) {
  if (ww_der_ok(d))
    r->err = WW_ERR_UNSUPPORTED;
  ww_der_fail_at(d, at, why);
}

/* --- parts of states ------------------------------------------------------------------------------------------- */

/* A state: its sequence, the contents of which are given, and the reader of what follows it. */
struct state {
  struct ww_der in;
  struct ww_der_span whole; /* of the sequence, with its header: what is hashed */
  struct ww_der list;
};

static struct state enter_state(struct reading *r, struct ww_der *d, unsigned tag, const char *name,
                                const char *clause) {
  struct ww_der outer = ww_der_enter(d, WW_DER_CONTEXT | tag);
  struct state s;
  r->name = name;
  r->clause = clause;
  r->index = 0;
  s.in = ww_der_enter(&outer, WW_DER_SEQUENCE);
  (void)ww_der_end(&outer);
  struct ww_der again = s.in;
  s.whole = ww_der_element(&s.in, WW_DER_SEQUENCE);
  s.list = ww_der_enter(&again, WW_DER_SEQUENCE);
  return s;
}

/* The hash at the end of the state, over its sequence. */
static void check_hash(struct state *s) {
  size_t at = ww_der_offset(&s->in);
  const uint8_t *hash = ww_ccr_read_octets(&s->in, WW_CCR_DIGEST_LEN, "a hash that is not of 32 octets");
  uint8_t own[WW_CCR_DIGEST_LEN];
  if (!ww_der_end(&s->in))
    return;
  SHA256(s->whole.p, s->whole.len, own);
  if (memcmp(hash, own, sizeof(own)) != 0)
    ww_der_fail_at(&s->in, at, "the hash is not that of the sequence: the file is damaged");
}

/* A SEQUENCE of ascending, unique key identifiers, which must not be empty. Their number. */
static size_t read_key_ids(struct ww_der *list, const char *order) {
  const uint8_t *last = NULL;
  size_t count = 0;
  if (ww_der_ok(list) && !ww_der_more(list))
    ww_der_fail(list, "an empty list of key identifiers");
  while (ww_der_more(list)) {
    size_t at = ww_der_offset(list);
    const uint8_t *id = ww_ccr_read_octets(list, KEY_ID_LEN, "a key identifier that is not of 20 octets");
    if (id && last && memcmp(last, id, KEY_ID_LEN) >= 0)
      ww_der_fail_at(list, at, order);
    last = id;
    count++;
  }
  return count;
}

/* --- [1] ManifestState ----------------------------------------------------------------------------------------- */

/* AccessDescription ::= SEQUENCE { accessMethod OBJECT IDENTIFIER, accessLocation GeneralName }: a URI. */
static void read_location(struct ww_der *d) {
  struct ww_der in = ww_der_enter(d, WW_DER_SEQUENCE);
  (void)ww_der_oid(&in);
  size_t at = ww_der_offset(&in);
  struct ww_der_span uri = ww_der_contents(&in, WW_DER_CONTEXT_PRIMITIVE | 6);
  bool sound = uri.len > 0;
  for (size_t i = 0; i < uri.len && sound; i++)
    sound = uri.p[i] > 0x20 && uri.p[i] < 0x7f;
  if (!sound)
    ww_der_fail_at(d, at, "a location that is not a URI");
  (void)ww_der_end(&in);
}

static const uint8_t *read_manifest(struct reading *r, struct ww_der *d) {
  struct ww_der in = ww_der_enter(d, WW_DER_SEQUENCE);
  const uint8_t *hash = ww_ccr_read_octets(&in, WW_CCR_DIGEST_LEN, "a manifest's hash that is not of 32 octets");
  size_t at = ww_der_offset(&in);
  if (ww_der_u64(&in, INT64_MAX) < MANIFEST_SIZE_MIN)
    ww_der_fail_at(d, at, "a manifest of less than 1000 octets");
  (void)ww_ccr_read_octets(&in, KEY_ID_LEN, "a key identifier that is not of 20 octets");
  at = ww_der_offset(&in);
  /* draft-ietf-sidrops-rpki-ccr-11 §6: "the manifestNumber field cannot be longer than 20 octets" */
  if (ww_der_unsigned(&in).len > MANIFEST_NUMBER_MAX)
    ww_der_fail_at(d, at, "a manifestNumber of more than 20 octets");
  ww_unix_time this_update = ww_der_time(&in);
  if (this_update > r->latest_manifest || r->info->manifests == 0)
    r->latest_manifest = this_update;
  struct ww_der locations = ww_der_enter(&in, WW_DER_SEQUENCE);
  if (ww_der_ok(d) && !ww_der_more(&locations))
    ww_der_fail(&locations, "a manifest without locations");
  while (ww_der_more(&locations))
    read_location(&locations);
  if (ww_der_more(&in)) {
    struct ww_der subordinates = ww_der_enter(&in, WW_DER_SEQUENCE);
    (void)read_key_ids(&subordinates, "subordinates that do not ascend");
  }
  return ww_der_end(&in) ? hash : NULL;
}

static void read_manifests(struct reading *r, struct ww_der *d) {
  struct state s = enter_state(r, d, WW_CCR_MANIFESTS, "mfts.mis", "draft-ietf-sidrops-rpki-ccr-11 §3.4.1");
  size_t at = ww_der_offset(&s.in);
  ww_unix_time most_recent = ww_der_time(&s.in);
  check_hash(&s);
  const uint8_t *last = NULL;
  for (r->in_sequence = true; ww_der_more(&s.list); r->index++) {
    size_t one_at = ww_der_offset(&s.list);
    const uint8_t *hash = read_manifest(r, &s.list);
    /* draft-ietf-sidrops-rpki-ccr-11 §3.4.1.1 */
    if (hash && last && memcmp(last, hash, WW_CCR_DIGEST_LEN) >= 0)
      ww_der_fail_at(&s.list, one_at, "manifests whose hashes do not ascend");
    if (!ww_der_ok(d))
      return;
    last = hash;
    r->info->manifests++;
  }
  r->in_sequence = false;
  /* draft-ietf-sidrops-rpki-ccr-11 §3.4.1.2 */
  if (most_recent != (r->info->manifests ? r->latest_manifest : 0))
    ww_der_fail_at(d, at, "a mostRecentUpdate that is not the latest thisUpdate");
  else if (most_recent > r->info->produced_at)
    ww_der_fail_at(d, at, "a mostRecentUpdate after producedAt");
  r->info->most_recent_update = most_recent;
}

/* --- [2], [3], [5]: payloads ----------------------------------------------------------------------------------- */

static void read_payloads(struct reading *r, struct ww_der *d, unsigned tag, const char *name, const char *clause,
                          uint32_t (*read)(struct ww_der *, struct ww_ccr_decoding *), const char *order) {
  struct state s = enter_state(r, d, tag, name, clause);
  check_hash(&s);
  uint32_t last = 0;
  for (r->in_sequence = true; ww_der_more(&s.list); r->index++) {
    size_t at = ww_der_offset(&s.list);
    uint32_t asn = read(&s.list, &r->to);
    if (ww_der_ok(d) && r->index && asn <= last)
      ww_der_fail_at(d, at, order);
    if (!ww_der_ok(d))
      return;
    last = asn;
  }
  r->in_sequence = false;
}

/* --- [4] TrustAnchorState -------------------------------------------------------------------------------------- */

static void read_trust_anchors(struct reading *r, struct ww_der *d) {
  struct state s = enter_state(r, d, WW_CCR_TRUST_ANCHORS, "tas.skis", "draft-ietf-sidrops-rpki-ccr-11 §3.4.4");
  check_hash(&s);
  r->info->trust_anchors = read_key_ids(&s.list, "trust anchors that do not ascend");
}

/* --- the whole ------------------------------------------------------------------------------------------------- */

static void read_state(struct reading *r, struct ww_der *d, unsigned tag) {
  r->info->states |= 1u << tag;
  switch (tag) {
  case WW_CCR_MANIFESTS:
    read_manifests(r, d);
    break;
  case WW_CCR_VRPS:
    read_payloads(r, d, tag, "vrps.rps", "draft-ietf-sidrops-rpki-ccr-11 §3.4.2", ww_ccr_read_roa,
                  "asIDs that do not ascend");
    break;
  case WW_CCR_ASPAS:
    read_payloads(r, d, tag, "vaps.aps", "draft-ietf-sidrops-rpki-ccr-11 §3.4.3", ww_ccr_read_aspa,
                  "customerASIDs that do not ascend");
    break;
  case WW_CCR_TRUST_ANCHORS:
    read_trust_anchors(r, d);
    break;
  case WW_CCR_KEYS:
    read_payloads(r, d, tag, "rks.rksets", "draft-ietf-sidrops-rpki-ccr-11 §3.4.5", ww_ccr_read_keys,
                  "asIDs that do not ascend");
    break;
  default:
    (void)ww_der_any(d);
    r->info->skipped++;
  }
}

static void read_content(struct reading *r, struct ww_der *d) {
  size_t at = ww_der_offset(d);
  r->clause = "draft-ietf-sidrops-rpki-ccr-11 §3.1";
  if (ww_der_is(d, WW_DER_CONTEXT)) {
    struct ww_der version = ww_der_enter(d, WW_DER_CONTEXT);
    uint64_t v = ww_der_u64(&version, UINT64_MAX);
    (void)ww_der_end(&version);
    if (ww_der_ok(d) && v == 0) /* X.690 11.5 */
      ww_der_fail_at(d, at, "version 0 is the default and to be left out");
    unsupported(r, d, at, "a version of CCR that is not known here");
  }
  r->clause = "draft-ietf-sidrops-rpki-ccr-11 §3.2";
  struct ww_der algorithm = ww_der_enter(d, WW_DER_SEQUENCE);
  at = ww_der_offset(&algorithm);
  struct ww_der_span oid = ww_der_oid(&algorithm);
  if (!ww_der_span_is(oid, ww_ccr_sha256_oid, sizeof(ww_ccr_sha256_oid)))
    unsupported(r, d, at, "a hash algorithm that is not SHA-256");
  if (ww_der_more(&algorithm))
    ww_der_fail(&algorithm, "parameters of SHA-256, which are to be absent");
  r->clause = "draft-ietf-sidrops-rpki-ccr-11 §3.3";
  r->info->produced_at = ww_der_time(d);
  unsigned last = 0;
  while (ww_der_more(d)) {
    unsigned tag = d->in.p[0] & 0x1fu;
    r->clause = "draft-ietf-sidrops-rpki-ccr-11 §3.4";
    r->name = NULL;
    if ((d->in.p[0] & 0xe0) != WW_DER_CONTEXT || tag <= last || tag > 30) {
      ww_der_fail(d, "not a state, or states out of order");
      break;
    }
    last = tag;
    read_state(r, d, tag);
  }
  if (ww_der_ok(d) && !(r->info->states & 0x3e))
    ww_der_fail(d, "no state is there");
}

static void read_content_info(struct reading *r, struct ww_der *d) {
  struct ww_der info = ww_der_enter(d, WW_DER_SEQUENCE);
  size_t at = ww_der_offset(&info);
  struct ww_der_span oid = ww_der_oid(&info);
  if (!ww_der_span_is(oid, ww_ccr_content_oid, sizeof(ww_ccr_content_oid)))
    unsupported(r, d, at, "DER, but not a Canonical Cache Representation: another content type");
  struct ww_der content = ww_der_enter(&info, WW_DER_CONTEXT);
  struct ww_der ccr = ww_der_enter(&content, WW_DER_SEQUENCE);
  if (ww_der_ok(d))
    read_content(r, &ccr);
  r->clause = NULL;
  (void)ww_der_end(&content);
  (void)ww_der_end(&info);
  (void)ww_der_end(d);
}

enum ww_err ww_ccr_read(const void *data, size_t len, struct ww_payloads *out, struct ww_ccr_info *info,
                        struct ww_diag *diag) {
  struct reading r = {.to.out = out, .info = info};
  struct ww_der_input input;
  struct ww_der d = ww_der_open(&input, data, len);
  *info = (struct ww_ccr_info){0};
  read_content_info(&r, &d);
  info->by_client = r.to.by_client;
  if (!input.why)
    return WW_OK;
  if (r.to.err != WW_OK)
    r.err = r.to.err;
  char where[64] = "";
  if (r.name && r.in_sequence)
    (void)snprintf(where, sizeof(where), "%s[%zu]: ", r.name, r.index);
  else if (r.name)
    (void)snprintf(where, sizeof(where), "%s: ", r.name);
  return ww_fail(diag, r.err != WW_OK ? r.err : WW_ERR_MALFORMED, input.offset, r.clause, "%s%s", where, input.why);
}
