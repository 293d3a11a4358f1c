/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `waywarden bgpsec`: keys of routers, requests for their certificates, and signed UPDATEs, made and verified.
 *
 * One table tells which action takes which option, so that an option that an action would pass over is refused. UPDATEs
 * come as octets or as hexadecimal text, several one after another; they are written as text, a line each. Files with
 * private keys are created with mode 0600 and never overwritten.
 */
#include "cli/cli.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/json_out.h"
#include "cli/payload_input.h"
#include "daemon/clock.h"
#include "wire/bgp.h"
#include "wire/bgp_bgpsec.h"
#include <waywarden/bgpsec.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum { FILE_MAX_OCTETS = 64 << 20, LIST_MAX = 64, OUT_MAX = WW_BGP_MAX_LEN_EXTENDED };

enum {
  OPT_OUT = 256,
  OPT_AS,
  OPT_KEY,
  OPT_SUITE,
  OPT_TARGET,
  OPT_PREFIX,
  OPT_UPDATE,
  OPT_PCOUNT,
  OPT_CONFED,
  OPT_LEAVE,
  OPT_NEXT_HOP,
  OPT_PAYLOADS,
  OPT_STORE,
  OPT_PEER_AS,
  OPT_LOCAL_AS,
  OPT_ALLOW_PCOUNT0,
  OPT_INTERNAL,
  OPT_CONFED_ID,
  OPT_MEMBER,
  OPT_SKIP_CONFED,
  OPT_OWN_AS,
  OPT_JSON,
  OPT_FAIL_ON,
  OPT_NOW,
  OPT_REFERENCE,
};

struct request {
  const char *out, *key, *update, *fail_on[LIST_MAX], *payloads[LIST_MAX], *store, *now;
  size_t fail_on_count, payload_count;
  uint32_t asn, target;
  bool has_asn, has_target, has_prefix, has_peer, has_local, has_next_hop;
  struct ww_prefix prefix;
  struct ww_addr next_hop;
  uint8_t pcount, suites[2];
  size_t suite_count;
  bool confed, leave, json, reference;
  struct ww_bgpsec_session session;
  uint32_t members[LIST_MAX], own[LIST_MAX];
};

/* --- files ------------------------------------------------------------------------------------------------------ */

struct octets {
  uint8_t *data;
  size_t len;
};

/* False: said already. */
static bool read_whole(const char *path, struct octets *out) {
  bool standard = strcmp(path, "-") == 0;
  int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  size_t cap = 0;
  ssize_t n = -1;
  *out = (struct octets){0};
  while (fd >= 0) {
    if (out->len == cap) {
      cap = cap ? cap * 2 : 4096;
      uint8_t *larger = cap <= FILE_MAX_OCTETS ? malloc(cap) : NULL;
      if (!larger) {
        errno = EFBIG;
        n = -1;
        break;
      }
      if (out->len)
        memcpy(larger, out->data, out->len);
      ww_bgpsec_secret_free(out->data, out->len); /* it may be a private key */
      out->data = larger;
    }
    n = read(fd, out->data + out->len, cap - out->len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    out->len += (size_t)n;
  }
  int error = errno;
  if (fd >= 0 && !standard)
    close(fd);
  if (n == 0)
    return true;
  ww_cli_fail("bgpsec", "%s: %s", path, strerror(error));
  ww_bgpsec_secret_free(out->data, out->len);
  return false;
}

static bool write_new(const char *path, mode_t mode, const void *data, size_t len) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  const uint8_t *p = data;
  ssize_t n = 0;
  if (fd < 0) {
    ww_cli_fail("bgpsec", "%s: %s", path, errno == EEXIST ? "exists; it is never overwritten" : strerror(errno));
    return false;
  }
  while (len > 0) {
    n = write(fd, p, len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    p += n;
    len -= (size_t)n;
  }
  if (close(fd) == 0 && len == 0)
    return true;
  ww_cli_fail("bgpsec", "%s: cannot be written", path);
  unlink(path);
  return false;
}

static struct ww_bgpsec_signer *read_signer(const char *path) {
  struct octets file;
  struct ww_bgpsec_signer *signer = NULL;
  struct ww_diag diag = {0};
  if (!read_whole(path, &file))
    return NULL;
  enum ww_err err = ww_bgpsec_signer_read(file.data, file.len, &signer, &diag);
  ww_bgpsec_secret_free(file.data, file.len);
  if (err)
    ww_cli_fail_diag("bgpsec", path, err, &diag);
  return err ? NULL : signer;
}

static void print_hex(const uint8_t *data, size_t len, const char *end) {
  for (size_t i = 0; i < len; i++)
    printf("%02X", data[i]);
  fputs(end, stdout);
}

/* --- keygen, csr, ski -------------------------------------------------------------------------------------------- */

static int run_keygen(const struct request *q, const char *path) {
  struct ww_bgpsec_signer *signer;
  uint8_t ski[WW_SKI_LEN], *pem = NULL;
  size_t len = 0;
  (void)q;
  if (ww_bgpsec_signer_generate(&signer))
    return ww_cli_fail("bgpsec", "cannot make a key");
  bool ok = ww_bgpsec_signer_write(signer, &pem, &len) == WW_OK && write_new(path, 0600, pem, len);
  ww_bgpsec_secret_free(pem, len);
  ok = ok && ww_bgpsec_ski(ww_bgpsec_signer_spki(signer), WW_BGPSEC_SPKI_LEN, ski);
  ww_bgpsec_signer_free(signer);
  if (ok)
    print_hex(ski, sizeof ski, "\n");
  return ok ? WW_EXIT_OK : WW_EXIT_FAILED;
}

static int run_csr(const struct request *q, const char *path) {
  struct ww_bgpsec_signer *signer = read_signer(path);
  char name[sizeof "ROUTER-FFFFFFFF"];
  uint8_t *der = NULL;
  size_t len = 0;
  if (!signer)
    return WW_EXIT_FAILED;
  /* RFC 8209 §3.1.1: the name that is recommended. */
  (void)snprintf(name, sizeof name, "ROUTER-%08X", q->asn);
  enum ww_err err = ww_bgpsec_request(signer, q->has_asn ? name : NULL, &der, &len);
  ww_bgpsec_signer_free(signer);
  if (err)
    return ww_cli_fail("bgpsec", "%s: no request could be made", path);
  bool ok = true;
  if (q->out) {
    ok = write_new(q->out, 0644, der, len);
  } else {
    const unsigned char *p = der;
    X509_REQ *request = d2i_X509_REQ(NULL, &p, (long)len);
    ok = request && PEM_write_X509_REQ(stdout, request) == 1;
    X509_REQ_free(request);
  }
  free(der);
  return ok ? WW_EXIT_OK : WW_EXIT_FAILED;
}

/* The public key of whatever the file is: a key of either kind, a request. NULL: it is none of them. */
static EVP_PKEY *public_key_of(const struct octets *file) {
  BIO *bio = BIO_new_mem_buf(file->data, (int)file->len);
  EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
  const unsigned char *p = file->data;
  X509_REQ *request = NULL;
  if (!key)
    key = d2i_PUBKEY(NULL, &p, (long)file->len);
  if (!key) {
    p = file->data;
    request = d2i_X509_REQ(NULL, &p, (long)file->len);
    if (!request && bio && BIO_reset(bio) == 1)
      request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    key = request ? X509_REQ_get_pubkey(request) : NULL;
  }
  X509_REQ_free(request);
  BIO_free(bio);
  ERR_clear_error();
  return key;
}

static bool print_spki(const uint8_t *spki, size_t len, const uint8_t *expected) {
  uint8_t ski[WW_SKI_LEN];
  if (!ww_bgpsec_ski(spki, len, ski)) {
    ww_cli_fail("bgpsec", "not the public key of a BGPsec router (RFC 8608 §3.1)");
    return false;
  }
  print_hex(ski, sizeof ski, "\n");
  if (expected && memcmp(expected, spki, len) != 0) {
    ww_cli_fail("bgpsec", "it is not the public key of --key");
    return false;
  }
  return true;
}

/* RFC 8635 §7: the certificate that came back must be of the key that was sent. */
static int run_ski(const struct request *q, const char *path) {
  struct octets file;
  struct ww_diag diag = {0};
  struct ww_payloads set = {0};
  struct ww_bgpsec_signer *own = NULL, *signer = NULL;
  const uint8_t *expected = NULL;
  int64_t now = ww_clock_read().unix_sec;
  int code = WW_EXIT_FAILED;
  if (q->now && ww_payload_time_parse(q->now, &now))
    return ww_cli_usage(&ww_cmd_bgpsec, "--now: '%s' is no point of time", q->now);
  if (q->key && !(own = read_signer(q->key)))
    return code;
  expected = own ? ww_bgpsec_signer_spki(own) : NULL;
  if (!read_whole(path, &file)) {
    ww_bgpsec_signer_free(own);
    return code;
  }
  EVP_PKEY *key = NULL;
  if (ww_bgpsec_signer_read(file.data, file.len, &signer, NULL) == WW_OK) {
    code = print_spki(ww_bgpsec_signer_spki(signer), WW_BGPSEC_SPKI_LEN, expected) ? WW_EXIT_OK : WW_EXIT_FAILED;
  } else if ((key = public_key_of(&file))) {
    unsigned char *spki = NULL;
    int len = i2d_PUBKEY(key, &spki);
    code = len > 0 && print_spki(spki, (size_t)len, expected) ? WW_EXIT_OK : WW_EXIT_FAILED;
    OPENSSL_free(spki);
  } else {
    enum ww_err err = ww_bgpsec_router_certificates(file.data, file.len, now, &set, &diag);
    code = err ? ww_cli_fail_diag("bgpsec", path, err, &diag) : WW_EXIT_OK;
    for (size_t i = 0; i < set.key_count && code == WW_EXIT_OK; i++) {
      printf("AS%u ", set.keys[i].asn);
      if (!print_spki(set.keys[i].spki, set.keys[i].spki_len, expected))
        code = WW_EXIT_FAILED;
    }
  }
  EVP_PKEY_free(key);
  ww_bgpsec_signer_free(signer);
  ww_bgpsec_signer_free(own);
  ww_payloads_fini(&set);
  ww_bgpsec_secret_free(file.data, file.len);
  return code;
}

/* --- UPDATEs ---------------------------------------------------------------------------------------------------- */

/* Text of hexadecimal digits becomes octets; what begins with a BGP marker is octets already. */
static bool to_octets(const char *path, struct octets *file) {
  static const uint8_t marker[4] = {0xff, 0xff, 0xff, 0xff};
  if (file->len >= sizeof marker && memcmp(file->data, marker, sizeof marker) == 0)
    return true;
  size_t n = 0, digits = 0;
  for (size_t i = 0; i < file->len; i++) {
    int c = file->data[i];
    if (isspace(c))
      continue;
    if (!isxdigit(c)) {
      ww_cli_fail("bgpsec", "%s: at octet %zu: neither a BGP message nor hexadecimal digits", path, i);
      return false;
    }
    unsigned v = (unsigned)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
    if (digits++ % 2 == 0)
      file->data[n] = (uint8_t)(v << 4);
    else
      file->data[n++] |= (uint8_t)v;
  }
  file->len = n;
  if (digits && digits % 2 == 0)
    return true;
  ww_cli_fail("bgpsec", "%s: %s", path, digits ? "an odd number of hexadecimal digits" : "nothing in it");
  return false;
}

static int write_update(const struct request *q, const struct ww_prefix *prefix, const uint8_t *attrs, size_t attrs_len,
                        const uint8_t *path, size_t path_len) {
  static uint8_t octets[OUT_MAX];
  struct ww_writer w = ww_writer_make(octets, sizeof octets);
  struct ww_addr hop = q->next_hop;
  if (!q->has_next_hop)
    hop = (struct ww_addr){.afi = prefix->afi}; /* the unspecified address */
  ww_bgpsec_update_write(&w, prefix, hop.bytes, hop.afi == WW_AFI_IPV4 ? 4 : 16, attrs, attrs_len, path, path_len);
  if (w.overflow)
    return ww_cli_fail("bgpsec", "the UPDATE exceeds 65535 octets");
  if (w.len > WW_BGP_MAX_LEN)
    fprintf(stderr, "waywarden bgpsec: %zu octets: only for peers that take extended messages (RFC 8654)\n", w.len);
  print_hex(octets, w.len, "\n");
  return WW_EXIT_OK;
}

/* What goes on to an external peer of what was received: ORIGIN, and what is transitive and optional. */
static void keep_attributes(const struct ww_bgp_update *update, struct ww_writer *w) {
  struct ww_reader r = ww_reader_make(update->attrs, update->attrs_len);
  while (ww_reader_left(&r)) {
    const uint8_t *start = r.p;
    uint8_t flags = ww_reader_u8(&r), type = ww_reader_u8(&r);
    size_t len = flags & WW_ATTR_EXTENDED ? ww_reader_u16(&r) : ww_reader_u8(&r);
    (void)ww_reader_take(&r, len);
    bool kept = type == WW_ATTR_ORIGIN || (flags & WW_ATTR_OPTIONAL && flags & WW_ATTR_TRANSITIVE);
    if (kept && !r.bad)
      ww_writer_bytes(w, start, (size_t)(r.p - start));
  }
}

static int run_sign(const struct request *q, const char *unused) {
  static const uint8_t origin[] = {WW_ATTR_TRANSITIVE, WW_ATTR_ORIGIN, 1, 0};
  static uint8_t path[OUT_MAX], attrs[OUT_MAX];
  struct ww_writer kept = ww_writer_make(attrs, sizeof attrs);
  struct ww_bgpsec_sign_key keys[2];
  struct ww_bgpsec_sign_request s = {.prefix = q->prefix,
                                     .asn = q->asn,
                                     .pcount = q->pcount,
                                     .confed = q->confed,
                                     .leave_confed = q->leave,
                                     .target_as = q->target,
                                     .keys = keys,
                                     .key_count = q->suite_count};
  struct octets file = {0};
  struct ww_arena arena;
  struct ww_bgp_update update = {0};
  struct ww_diag diag = {0};
  int code = WW_EXIT_FAILED;
  (void)unused;
  ww_arena_init(&arena, 0);
  struct ww_bgpsec_signer *signer = read_signer(q->key);
  if (!signer)
    return code;
  for (size_t i = 0; i < q->suite_count; i++)
    keys[i] = (struct ww_bgpsec_sign_key){.suite = q->suites[i], .signer = signer};
  ww_writer_bytes(&kept, origin, sizeof origin);
  if (q->update) {
    size_t len;
    uint8_t type;
    const struct ww_bgp_session session = {.as4 = true};
    if (!read_whole(q->update, &file) || !to_octets(q->update, &file))
      goto out;
    enum ww_err err = ww_bgp_frame(file.data, file.len, WW_BGP_MAX_LEN_EXTENDED, &len, &type, &diag);
    if (!err && (type != WW_BGP_UPDATE || len != file.len))
      err = ww_fail(&diag, WW_ERR_MALFORMED, 0, NULL, "not just one UPDATE");
    if (!err)
      err = ww_bgp_update_decode(file.data + WW_BGP_HEADER_LEN, len - WW_BGP_HEADER_LEN, &session, &arena, &update,
                                 &diag);
    if (!err && (update.disposition >= WW_BGP_TREAT_AS_WITHDRAW || !update.bgpsec_path || update.has_as_path ||
                 !ww_nlri_next(&update.announced[1], &s.prefix, NULL) || update.announced[1].len))
      err = ww_fail(&diag, WW_ERR_MALFORMED, 0, "RFC 8205 §4.1",
                    "not a signed route: one prefix in MP_REACH_NLRI, BGPsec_PATH, no AS_PATH");
    if (err) {
      ww_cli_fail_diag("bgpsec", q->update, err, &diag);
      goto out;
    }
    s.path = update.bgpsec_path;
    s.path_len = update.bgpsec_path_len;
    kept.len = 0;
    keep_attributes(&update, &kept);
  }
  size_t path_len;
  enum ww_err err = ww_bgpsec_sign(&s, path, sizeof path, &path_len, &diag);
  code = err ? ww_cli_fail_diag("bgpsec", q->update ? q->update : "sign", err, &diag)
             : write_update(q, &s.prefix, attrs, kept.len, path, path_len);
out:
  ww_bgpsec_signer_free(signer);
  ww_arena_fini(&arena);
  free(file.data);
  return code;
}

/* --- verify ----------------------------------------------------------------------------------------------------- */

static void print_text(const struct ww_bgpsec_result *r, const struct ww_diag *diag) {
  char path[4096];
  printf("%s", ww_bgpsec_state_name((enum ww_bgpsec_state)r->state));
  if (r->reason)
    printf(": %s", ww_bgpsec_reason_name((enum ww_bgpsec_reason)r->reason));
  if (r->state == WW_BGPSEC_WITHDRAW)
    printf(" (%s)", ww_bgp_disposition_name((enum ww_bgp_disposition)r->disposition));
  if (r->state == WW_BGPSEC_WITHDRAW && diag->text[0])
    printf(": %s", diag->text);
  putchar('\n');
  if (r->state != WW_BGPSEC_WITHDRAW && r->segment_count)
    printf("  AS path %s\n",
           ww_as_path_format((struct ww_as_path){.data = r->as_path, .len = r->as_path_len}, path, sizeof path));
  for (size_t i = 0; i < r->segment_count; i++) {
    const struct ww_bgpsec_segment_result *s = &r->segments[i];
    printf("  suite %u AS%u pCount %u%s SKI ", s->suite, s->asn, s->pcount,
           s->flags & WW_BGPSEC_FLAG_CONFED ? " confederation" : "");
    print_hex(s->ski, sizeof s->ski, "");
    printf(" %s\n", ww_bgpsec_segment_state_name((enum ww_bgpsec_segment_state)s->state));
  }
}

static void print_json(yajl_gen gen, const struct ww_bgpsec_result *r, const struct ww_diag *diag) {
  char text[4096];
  (void)yajl_gen_map_open(gen);
  ww_json_out_text(gen, "state", ww_bgpsec_state_name((enum ww_bgpsec_state)r->state));
  ww_json_out_text(gen, "reason", ww_bgpsec_reason_name((enum ww_bgpsec_reason)r->reason));
  if (r->state == WW_BGPSEC_WITHDRAW) {
    ww_json_out_text(gen, "disposition", ww_bgp_disposition_name((enum ww_bgp_disposition)r->disposition));
    if (diag->text[0])
      ww_json_out_text(gen, "text", diag->text);
  } else if (r->segment_count) {
    ww_json_out_text(
        gen, "as_path",
        ww_as_path_format((struct ww_as_path){.data = r->as_path, .len = r->as_path_len}, text, sizeof text));
  }
  ww_json_out_number(gen, "signatures_checked", r->signatures_checked);
  ww_json_out_string(gen, "segments");
  (void)yajl_gen_array_open(gen);
  for (size_t i = 0; i < r->segment_count; i++) {
    const struct ww_bgpsec_segment_result *s = &r->segments[i];
    for (size_t n = 0; n < sizeof s->ski; n++)
      (void)snprintf(text + 2 * n, 3, "%02X", s->ski[n]);
    (void)yajl_gen_map_open(gen);
    ww_json_out_number(gen, "suite", s->suite);
    ww_json_out_number(gen, "asn", s->asn);
    ww_json_out_text(gen, "ski", text);
    ww_json_out_number(gen, "pcount", s->pcount);
    ww_json_out_number(gen, "flags", s->flags);
    ww_json_out_text(gen, "state", ww_bgpsec_segment_state_name((enum ww_bgpsec_segment_state)s->state));
    (void)yajl_gen_map_close(gen);
  }
  (void)yajl_gen_array_close(gen);
  (void)yajl_gen_map_close(gen);
}

static bool named(const struct request *q, enum ww_bgpsec_state state) {
  for (size_t i = 0; i < q->fail_on_count; i++)
    if (strcmp(q->fail_on[i], ww_bgpsec_state_name(state)) == 0)
      return true;
  return false;
}

static int verify_all(const struct request *q, const char *path, const struct octets *file,
                      const struct ww_payloads *set) {
  struct ww_bgpsec_options options = {.suites = q->suites, .suite_count = q->suite_count, .reference = q->reference};
  struct ww_bgpsec_keys *keys = ww_bgpsec_keys_new(set->keys, set->key_count);
  struct ww_bgpsec_key_source source = ww_bgpsec_keys_source(keys);
  struct ww_bgpsec_verifier *verifier = NULL;
  struct ww_bgpsec_worker *worker = NULL;
  struct ww_bgpsec_result result = {0};
  struct ww_diag diag = {0};
  yajl_gen gen = q->json ? ww_json_out_begin() : NULL;
  int code = WW_EXIT_OK;
  enum ww_err err = keys && (gen || !q->json) ? ww_bgpsec_verifier_new(&options, &verifier) : WW_ERR_NOMEM;
  if (!err)
    err = ww_bgpsec_worker_new(verifier, &worker);
  if (!err && gen)
    (void)yajl_gen_array_open(gen);
  for (size_t at = 0, len; at < file->len && !err; at += len) {
    uint8_t type;
    diag = (struct ww_diag){0};
    err = ww_bgp_frame(file->data + at, file->len - at, WW_BGP_MAX_LEN_EXTENDED, &len, &type, &diag);
    if (!err)
      err = ww_bgpsec_verify_update(worker, &source, &q->session, file->data + at, len, &result, &diag);
    if (err) {
      diag.offset += at;
      break;
    }
    if (gen)
      print_json(gen, &result, &diag);
    else
      print_text(&result, &diag);
    code = named(q, (enum ww_bgpsec_state)result.state) ? WW_EXIT_VERDICT : code;
  }
  if (gen) {
    (void)yajl_gen_array_close(gen);
    ww_json_out_end(gen);
  }
  ww_bgpsec_result_fini(&result);
  ww_bgpsec_worker_free(worker);
  ww_bgpsec_verifier_free(verifier);
  ww_bgpsec_keys_free(keys);
  return err ? ww_cli_fail_diag("bgpsec", path, err, &diag) : code;
}

static int run_verify(const struct request *q, const char *path) {
  struct ww_input input = {.options = {.now = ww_clock_read().unix_sec}};
  struct ww_payloads set = {0};
  struct octets file = {0};
  int code = WW_EXIT_OK;
  if (q->now && !ww_input_set_now(&input, "bgpsec", q->now))
    return WW_EXIT_USAGE;
  for (size_t i = 0; i < q->payload_count && code == WW_EXIT_OK; i++)
    code = ww_input_add(&input, "bgpsec", q->payloads[i]);
  if (code == WW_EXIT_OK && q->store)
    code = ww_input_add_store(&input, "bgpsec", q->store);
  if (code == WW_EXIT_OK)
    code = ww_input_unite(&input, "bgpsec", &set);
  if (code == WW_EXIT_OK)
    code = read_whole(path, &file) && to_octets(path, &file) ? verify_all(q, path, &file, &set) : WW_EXIT_FAILED;
  free(file.data);
  ww_payloads_fini(&set);
  ww_input_fini(&input);
  return code;
}

/* --- options ---------------------------------------------------------------------------------------------------- */

struct action {
  const char *name;
  int (*run)(const struct request *q, const char *argument);
  bool argument;
  const char *argument_name;
  int options[24]; /* that it takes; ends with 0 */
};

static const struct action actions[] = {
    {"keygen", run_keygen, true, "a file to write the key to", {0}},
    {"csr", run_csr, true, "the file of a private key", {OPT_AS, OPT_OUT, 0}},
    {"ski", run_ski, true, "the file of a key, request or certificate", {OPT_KEY, OPT_NOW, 0}},
    {"sign",
     run_sign,
     false,
     NULL,
     {OPT_KEY, OPT_AS, OPT_TARGET, OPT_PREFIX, OPT_UPDATE, OPT_PCOUNT, OPT_CONFED, OPT_LEAVE, OPT_NEXT_HOP, OPT_SUITE,
      0}},
    {"verify",
     run_verify,
     true,
     "a file with UPDATEs, - for standard input",
     {OPT_PAYLOADS, OPT_STORE, OPT_PEER_AS, OPT_LOCAL_AS, OPT_ALLOW_PCOUNT0, OPT_INTERNAL, OPT_CONFED_ID, OPT_MEMBER,
      OPT_SKIP_CONFED, OPT_OWN_AS, OPT_SUITE, OPT_JSON, OPT_FAIL_ON, OPT_NOW, OPT_REFERENCE, 0}},
};

static bool takes(const struct action *action, int option) {
  for (const int *o = action->options; *o; o++)
    if (*o == option)
      return true;
  return false;
}

static bool read_number(const char *text, unsigned long max, uint8_t *out) {
  char *rest;
  errno = 0;
  unsigned long v = strtoul(text, &rest, 10);
  if (errno || *rest || rest == text || !isdigit((unsigned char)*text) || v > max)
    return false;
  *out = (uint8_t)v;
  return true;
}

static bool add_asn(const char *text, uint32_t *list, size_t *count) {
  return *count < LIST_MAX && ww_asn_parse(text, &list[(*count)++]) == WW_OK;
}

static bool is_state(const char *word) {
  for (int i = WW_BGPSEC_VALID; i <= WW_BGPSEC_WITHDRAW; i++)
    if (strcmp(word, ww_bgpsec_state_name((enum ww_bgpsec_state)i)) == 0)
      return true;
  return false;
}

/* False: the value does not suit. */
static bool read_option(struct request *q, int option, const char *value) {
  switch (option) {
  case OPT_OUT:
    q->out = value;
    return true;
  case OPT_KEY:
    q->key = value;
    return true;
  case OPT_UPDATE:
    q->update = value;
    return true;
  case OPT_NOW:
    q->now = value;
    return true;
  case OPT_STORE:
    q->store = value;
    return true;
  case OPT_PAYLOADS:
    if (q->payload_count == LIST_MAX)
      return false;
    q->payloads[q->payload_count++] = value;
    return true;
  case OPT_AS:
    q->has_asn = true;
    return ww_asn_parse(value, &q->asn) == WW_OK;
  case OPT_TARGET:
    q->has_target = true;
    return ww_asn_parse(value, &q->target) == WW_OK;
  case OPT_PEER_AS:
    q->has_peer = true;
    return ww_asn_parse(value, &q->session.peer_as) == WW_OK;
  case OPT_LOCAL_AS:
    q->has_local = true;
    return ww_asn_parse(value, &q->session.local_as) == WW_OK;
  case OPT_CONFED_ID:
    return ww_asn_parse(value, &q->session.confed_id) == WW_OK && q->session.confed_id != 0;
  case OPT_MEMBER:
    return add_asn(value, q->members, &q->session.confed_member_count);
  case OPT_OWN_AS:
    return add_asn(value, q->own, &q->session.own_as_count);
  case OPT_PREFIX:
    q->has_prefix = true;
    return ww_prefix_parse(value, &q->prefix) == WW_OK;
  case OPT_NEXT_HOP:
    q->has_next_hop = true;
    return ww_addr_parse(value, &q->next_hop) == WW_OK;
  case OPT_PCOUNT:
    return read_number(value, 255, &q->pcount);
  case OPT_SUITE:
    return q->suite_count < 2 && read_number(value, 254, &q->suites[q->suite_count++]) &&
           (q->suites[q->suite_count - 1] == WW_BGPSEC_SUITE_P256 || q->suites[q->suite_count - 1] >= 0xf7);
  case OPT_FAIL_ON:
    if (q->fail_on_count == LIST_MAX || !is_state(value))
      return false;
    q->fail_on[q->fail_on_count++] = value;
    return true;
  case OPT_CONFED:
    return q->confed = true;
  case OPT_LEAVE:
    return q->leave = true;
  case OPT_JSON:
    return q->json = true;
  case OPT_REFERENCE:
    return q->reference = true;
  case OPT_ALLOW_PCOUNT0:
    return q->session.allow_pcount0 = true;
  case OPT_INTERNAL:
    return q->session.internal = true;
  case OPT_SKIP_CONFED:
    return q->session.skip_confed_signatures = true;
  default:
    return false;
  }
}

static int run_bgpsec(int argc, char **argv) {
  static const struct option options[] = {
      {"out", required_argument, NULL, OPT_OUT},
      {"as", required_argument, NULL, OPT_AS},
      {"key", required_argument, NULL, OPT_KEY},
      {"suite", required_argument, NULL, OPT_SUITE},
      {"target", required_argument, NULL, OPT_TARGET},
      {"prefix", required_argument, NULL, OPT_PREFIX},
      {"update", required_argument, NULL, OPT_UPDATE},
      {"pcount", required_argument, NULL, OPT_PCOUNT},
      {"confed", no_argument, NULL, OPT_CONFED},
      {"leave-confed", no_argument, NULL, OPT_LEAVE},
      {"next-hop", required_argument, NULL, OPT_NEXT_HOP},
      {"payloads", required_argument, NULL, OPT_PAYLOADS},
      {"store", required_argument, NULL, OPT_STORE},
      {"peer-as", required_argument, NULL, OPT_PEER_AS},
      {"local-as", required_argument, NULL, OPT_LOCAL_AS},
      {"allow-pcount0", no_argument, NULL, OPT_ALLOW_PCOUNT0},
      {"internal", no_argument, NULL, OPT_INTERNAL},
      {"confed-id", required_argument, NULL, OPT_CONFED_ID},
      {"confed-member", required_argument, NULL, OPT_MEMBER},
      {"skip-confed", no_argument, NULL, OPT_SKIP_CONFED},
      {"own-as", required_argument, NULL, OPT_OWN_AS},
      {"json", no_argument, NULL, OPT_JSON},
      {"fail-on", required_argument, NULL, OPT_FAIL_ON},
      {"now", required_argument, NULL, OPT_NOW},
      {"reference", no_argument, NULL, OPT_REFERENCE},
      {NULL, 0, NULL, 0},
  };
  const struct action *action = NULL;
  for (size_t i = 0; argc > 1 && i < sizeof actions / sizeof actions[0]; i++)
    if (strcmp(argv[1], actions[i].name) == 0)
      action = &actions[i];
  if (!action)
    return ww_cli_usage(&ww_cmd_bgpsec, argc > 1 ? "no action '%s'" : "say what to do%s", argc > 1 ? argv[1] : "");
  struct request q = {.pcount = 1};
  q.session.confed_members = q.members;
  q.session.own_as = q.own;
  int opt, index = 0;
  argc--;
  argv++;
  while ((opt = getopt_long(argc, argv, "", options, &index)) != -1) {
    if (opt == '?')
      return WW_EXIT_USAGE;
    if (!takes(action, opt))
      return ww_cli_usage(&ww_cmd_bgpsec, "%s does not take --%s", action->name, options[index].name);
    if (!read_option(&q, opt, optarg))
      return ww_cli_usage(&ww_cmd_bgpsec, "--%s: '%s' will not do", options[index].name, optarg ? optarg : "");
  }
  if (argc - optind != action->argument)
    return action->argument ? ww_cli_usage(&ww_cmd_bgpsec, "%s takes %s", action->name, action->argument_name)
                            : ww_cli_usage(&ww_cmd_bgpsec, "%s takes options only", action->name);
  if (!q.suite_count)
    q.suites[q.suite_count++] = WW_BGPSEC_SUITE_P256;
  if (action->run == run_sign && (!q.key || !q.has_asn || !q.has_target || q.has_prefix == (q.update != NULL)))
    return ww_cli_usage(&ww_cmd_bgpsec, "sign needs --key, --as, --target, and either --prefix or --update");
  if (action->run == run_verify && (!q.has_peer || !q.has_local || !q.payload_count == !q.store))
    return ww_cli_usage(&ww_cmd_bgpsec, "verify needs --peer-as, --local-as, and either --payloads or --store");
  return action->run(&q, action->argument ? argv[optind] : NULL);
}

const struct ww_command ww_cmd_bgpsec = {
    .name = "bgpsec",
    .synopsis = "keygen FILE | csr KEY | ski FILE | sign --key KEY --as ASN --target ASN --prefix P|--update FILE | "
                "verify FILE --payloads FILE --peer-as ASN --local-as ASN",
    .summary = "make router keys and requests, sign and verify BGPsec UPDATEs",
    .help =
        "  keygen FILE         a new P-256 key (PKCS#8 in PEM, mode 0600, never overwritten); prints its SKI\n"
        "  csr KEY             a PKCS#10 request (RFC 8209, RFC 8635) in PEM; --out FILE: in DER to a file;\n"
        "                      --as ASN: with the subject ROUTER-<ASN>, else without one\n"
        "  ski FILE            SKI of a key, request or certificate (DER, PEM, PKCS#7 certs-only), of certificates "
        "with\n"
        "                      the AS numbers, checked against RFC 8209; --key KEY: exit 1 unless it is of that key;\n"
        "                      --now TIME. Whether a trust anchor stands behind a certificate is not checked\n"
        "  sign                an UPDATE, as hexadecimal digits: --prefix P originates it, --update FILE hands it on\n"
        "    --key KEY --as ASN --target ASN   who signs, and for whom\n"
        "    --pcount N        default 1\n"
        "    --confed          set Confed_Segment; --leave-confed: first take off the confederation's segments\n"
        "    --suite N         1, or 247 to 254 (experiments, documentation: P-256 all the same); two: two blocks\n"
        "    --next-hop ADDR   default: the unspecified address\n"
        "  verify FILE         UPDATEs, as octets or hexadecimal digits\n"
        "    --payloads FILE   router keys, several times: JSON, CSV, CCR, or router-certs:DIR; or --store DIR\n"
        "    --peer-as ASN --local-as ASN      of the OPENs of the session\n"
        "    --allow-pcount0   the peer may set pCount 0; --internal: iBGP though the AS numbers differ\n"
        "    --confed-id ASN --confed-member ASN...   our confederation; --skip-confed: its signatures are not "
        "verified\n"
        "    --own-as ASN      a further AS number of ours, several times\n"
        "    --suite N         a supported suite, up to two; default 1\n"
        "    --json            one JSON array; --fail-on STATE: exit code 3 when one is valid, not-valid, unsigned or\n"
        "                      withdraw; --now TIME: judge expiry at this time; --reference: libcrypto's own ECDSA\n",
    .run = run_bgpsec,
};
