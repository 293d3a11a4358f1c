/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole verification, with input that knows its way: a script makes a signed path of up to 8 ASes, changes it, and
 * chooses session and keys; what follows the script replaces octets of the path. Two verifiers, libcrypto's own
 * verification and the fast one with tables, must agree on everything, and so must one that has seen it before. */
#include <stdlib.h>
#include <string.h>

#include "bgpsec/ecdsa.h"
#include "wire/bgp_bgpsec.h"
#include <waywarden/bgpsec.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEYS = 4, LOCAL = 9, CAP = 4096, HOPS_MAX = 8 };

static void require(bool condition) {
  if (!condition)
    abort();
}

/* A signature that costs nothing: with the private key 1, r = x(k G) for k = 1, s = e + r. Good for nothing else. */
static bool sign_cheaply(void *ctx, const uint8_t *digest, uint8_t *der, size_t *len) {
  static const uint8_t n[] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                              0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                              0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
  const uint8_t *g = ctx;
  BIGNUM *r = BN_bin2bn(g, 32, NULL), *e = BN_bin2bn(digest, 32, NULL), *order = BN_bin2bn(n, 32, NULL), *s = BN_new();
  BN_CTX *bn = BN_CTX_new();
  require(r && e && order && s && bn && BN_mod_add(s, e, r, order, bn));
  ECDSA_SIG *signature = ECDSA_SIG_new();
  require(signature && ECDSA_SIG_set0(signature, r, s));
  unsigned char *p = der;
  *len = (size_t)i2d_ECDSA_SIG(signature, &p);
  ECDSA_SIG_free(signature);
  BN_free(e);
  BN_free(order);
  BN_CTX_free(bn);
  return true;
}

static uint8_t spki[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
                         0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1,
                         0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d,
                         0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe,
                         0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b,
                         0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};
static const uint8_t suites[] = {1, 247};
static struct ww_bgpsec_signer *signer;
static struct ww_bgpsec_verifier *slow, *fast;
static struct ww_bgpsec_worker *slow_worker, *fast_worker;
static struct ww_bgpsec_key_source sources[2];

static void start(void) {
  static struct ww_router_key records[KEYS];
  struct ww_bgpsec_options reference = {.suites = suites, .suite_count = 2, .reference = true, .no_known = true},
                           quick = {.suites = suites, .suite_count = 2, .hot_after = 1, .known_max = 64};
  require(ww_bgpsec_signer_external(spki, sizeof spki, sign_cheaply, spki + 27, &signer) == WW_OK);
  for (uint32_t i = 0; i < KEYS; i++) {
    records[i] = (struct ww_router_key){.asn = 1 + i, .spki = spki, .spki_len = sizeof spki};
    require(ww_bgpsec_ski(spki, sizeof spki, records[i].ski));
  }
  sources[0] = ww_bgpsec_keys_source(ww_bgpsec_keys_new(records, KEYS));
  sources[1] = ww_bgpsec_keys_source(ww_bgpsec_keys_new(records, KEYS - 1));
  require(sources[0].ctx && sources[1].ctx);
  require(ww_bgpsec_verifier_new(&reference, &slow) == WW_OK && ww_bgpsec_verifier_new(&quick, &fast) == WW_OK);
  require(ww_bgpsec_worker_new(slow, &slow_worker) == WW_OK && ww_bgpsec_worker_new(fast, &fast_worker) == WW_OK);
}

static size_t make_path(struct ww_reader *script, uint8_t *path, const struct ww_prefix *prefix) {
  unsigned hops = 1 + ww_reader_u8(script) % HOPS_MAX, mode = ww_reader_u8(script);
  const struct ww_bgpsec_sign_key keys[] = {{.suite = 1, .signer = signer}, {.suite = 247, .signer = signer}};
  size_t len = 0;
  for (unsigned i = 0; i < hops; i++) {
    uint8_t before[CAP];
    memcpy(before, path, len);
    uint8_t flags = ww_reader_u8(script);
    struct ww_bgpsec_sign_request q = {.prefix = *prefix,
                                       .path = i ? before : NULL,
                                       .path_len = len,
                                       .asn = 1 + i % (KEYS + (mode >> 4 & 1)), /* maybe one without a key */
                                       .pcount = flags & 3,
                                       .confed = flags & 4,
                                       .leave_confed = flags & 8,
                                       .target_as = i + 1 == hops ? LOCAL : 1 + (i + 1) % (KEYS + (mode >> 4 & 1)),
                                       .keys = keys + (mode & 1),
                                       .key_count = mode & 2 ? 1 : 2 - (mode & 1)};
    require(ww_bgpsec_sign(&q, path, CAP, &len, NULL) == WW_OK);
  }
  return len;
}

static void same(const struct ww_bgpsec_result *a, const struct ww_bgpsec_result *b, bool counts) {
  require(a->state == b->state && a->reason == b->reason && a->suite == b->suite &&
          a->segment_count == b->segment_count && a->as_path_len == b->as_path_len);
  require(!counts || a->signatures_checked == b->signatures_checked + b->signatures_known);
  for (size_t i = 0; i < a->segment_count; i++)
    require(a->segments[i].state == b->segments[i].state);
  require(a->as_path_len == 0 || memcmp(a->as_path, b->as_path, a->as_path_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t path[CAP];
  static const uint32_t members[] = {1, 2, 3, LOCAL};
  static struct ww_bgpsec_result a, b;
  if (!signer)
    start();
  struct ww_reader script = ww_reader_make(data, size);
  struct ww_prefix prefix = {.afi = WW_AFI_IPV4, .len = ww_reader_u8(&script) % 33};
  ww_reader_bytes(&script, prefix.addr, 4);
  ww_prefix_mask(&prefix);
  uint8_t how = ww_reader_u8(&script);
  size_t len = make_path(&script, path, &prefix);
  struct ww_bgpsec_session session = {.local_as = LOCAL,
                                      .peer_as = how & 1 ? ww_reader_u8(&script) : (uint32_t)path[5],
                                      .allow_pcount0 = how & 2,
                                      .internal = how & 4,
                                      .skip_confed_signatures = how & 8,
                                      .confed_id = how & 16 ? 8 : 0,
                                      .confed_members = members,
                                      .confed_member_count = 4};
  /* {place 16, value 8}: octets of the path that are replaced; then perhaps it is cut short. */
  while (ww_reader_left(&script) >= 3 && len) {
    unsigned place = ww_reader_u16(&script);
    path[place % len] ^= ww_reader_u8(&script);
  }
  if (ww_reader_left(&script) && len)
    len -= ww_reader_u8(&script) % 8 % len;
  uint8_t *copy = malloc(len ? len : 1);
  require(copy != NULL);
  memcpy(copy, path, len);
  struct ww_bgpsec_request q = {.session = &session, .prefix = prefix, .path = copy, .path_len = len};
  const struct ww_bgpsec_key_source *source = &sources[how >> 5 & 1];
  require(ww_bgpsec_verify(slow_worker, source, &q, &a, 1) == WW_OK);
  for (int i = 0; i < 2; i++) {
    require(ww_bgpsec_verify(fast_worker, source, &q, &b, 1) == WW_OK);
    same(&a, &b, true);
    (void)ww_bgpsec_build_tables(fast, 1);
  }
  q.defer = true;
  require(ww_bgpsec_verify(fast_worker, source, &q, &b, 1) == WW_OK);
  require((b.state == WW_BGPSEC_NOT_CHECKED) == (a.state <= WW_BGPSEC_NOT_VALID) && b.signatures_checked == 0);
  free(copy);
  return 0;
}
