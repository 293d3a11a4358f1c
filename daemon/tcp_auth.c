/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys for TCP MD5 and TCP-AO, from files to sockets.
 *
 * A connection whose segments carry no signature, or another than the peer wants, is not refused: the peer's kernel
 * throws the segments away, and what shows is a connection attempt that nobody answers. stream.c says so.
 *
 * Who owns what: a ww_tcp_auth owns its keys and wipes them; the socket has copies in the kernel.
 *
 * Clauses: RFC 8210 §9.3, §9.4; RFC 5925 §3.1, §5.1, §7.2.
 */
#include "daemon/tcp_auth.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/secret.h"
#include "daemon/tcp_ao_uapi.h"

enum { AO_KEYS_MAX = 16 };

/* RFC 8210 §9.4: the algorithms of RFC 5926, with MACs of 96 bits (RFC 5925 §5.1). */
static const struct algorithm {
  const char *name, *kernel;
  uint8_t mac_len;
} algorithms[] = {{"hmac-sha1-96", "hmac(sha1)", 12}, {"cmac-aes-128", "cmac(aes128)", 12}};

struct key {
  const struct algorithm *algorithm; /* NULL: MD5 */
  uint8_t send_id, receive_id;
  uint8_t len;
  uint8_t octets[WW_TCP_KEY_MAX];
};

struct ww_tcp_auth {
  unsigned refs;
  bool ao;
  size_t count;
  struct key keys[AO_KEYS_MAX];
};

static int hex_digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

/* RFC 8210 §9.3, §9.4: printable ASCII of up to 80 octets, and hexadecimal sequences. CHOICE: the latter, marked by
 * "hex:", are the octets that they spell; without the mark the digits themselves are the key. NULL, or what is wrong.
 */
static const char *parse_secret(const char *text, size_t len, struct key *key) {
  if (len >= 4 && memcmp(text, "hex:", 4) == 0) {
    text += 4;
    len -= 4;
    if (len % 2)
      return "has an odd number of hexadecimal digits";
    if (len / 2 > WW_TCP_KEY_MAX)
      return "is longer than 80 octets";
    for (size_t i = 0; i < len; i += 2) {
      int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
      if (high < 0 || low < 0)
        return "has something else than hexadecimal digits after \"hex:\"";
      key->octets[key->len++] = (uint8_t)(high << 4 | low);
    }
  } else {
    if (len > WW_TCP_KEY_MAX)
      return "is longer than 80 octets";
    for (size_t i = 0; i < len; i++) {
      if (text[i] < 0x20 || text[i] > 0x7e)
        return "has octets that are no printable ASCII; write it as \"hex:\" and digits";
      key->octets[key->len++] = (uint8_t)text[i];
    }
  }
  return key->len ? NULL : "is empty";
}

static struct ww_tcp_auth *auth_new(bool ao) {
  struct ww_tcp_auth *auth = calloc(1, sizeof(*auth));
  if (auth) {
    auth->refs = 1;
    auth->ao = ao;
  }
  return auth;
}

struct ww_tcp_auth *ww_tcp_auth_ref(struct ww_tcp_auth *auth) {
  if (auth)
    auth->refs++;
  return auth;
}

void ww_tcp_auth_unref(struct ww_tcp_auth *auth) {
  if (!auth || --auth->refs > 0)
    return;
  explicit_bzero(auth, sizeof(*auth));
  free(auth);
}

const char *ww_tcp_auth_name(const struct ww_tcp_auth *auth) { return auth->ao ? "TCP-AO" : "TCP MD5"; }

size_t ww_tcp_auth_count(const struct ww_tcp_auth *auth) { return auth->count; }

/* Cuts the next line, without its end, off the front. */
static bool next_line(const char **text, size_t *left, const char **line, size_t *len) {
  if (!*left)
    return false;
  const char *end = memchr(*text, '\n', *left);
  size_t whole = end ? (size_t)(end - *text) + 1 : *left;
  *line = *text;
  *len = end ? whole - 1 : whole;
  if (*len && (*line)[*len - 1] == '\r')
    (*len)--;
  *text += whole;
  *left -= whole;
  return true;
}

enum ww_err ww_tcp_md5_new(const char *path, struct ww_tcp_auth **out, struct ww_diag *diag) {
  char *file;
  size_t size, len, rest;
  const char *line, *at;
  *out = NULL;
  enum ww_err err = ww_secret_read(path, &file, &size, diag);
  if (err != WW_OK)
    return err;
  struct ww_tcp_auth *auth = auth_new(false);
  at = file;
  rest = size;
  if (!auth) {
    err = ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "no memory for a password");
  } else if (!next_line(&at, &rest, &line, &len)) {
    err = ww_fail(diag, WW_ERR_INVAL, 0, NULL, "'%s': the password is empty", path);
  } else if (rest) {
    err = ww_fail(diag, WW_ERR_INVAL, 0, NULL, "'%s' has more than one line", path);
  } else {
    const char *wrong = parse_secret(line, len, &auth->keys[0]);
    auth->count = 1;
    if (wrong)
      err = ww_fail(diag, WW_ERR_INVAL, 0, NULL, "'%s': the password %s", path, wrong);
  }
  ww_secret_wipe(file, size);
  if (err != WW_OK)
    ww_tcp_auth_unref(auth);
  else
    *out = auth;
  return err;
}

/* ---- TCP-AO ---- */

/* The next word of a line, which blanks end; false at the end of the line. */
static bool next_word(const char **line, size_t *len, const char **word, size_t *word_len) {
  size_t i = 0, begin;
  while (i < *len && ((*line)[i] == ' ' || (*line)[i] == '\t'))
    i++;
  begin = i;
  while (i < *len && (*line)[i] != ' ' && (*line)[i] != '\t')
    i++;
  *word = *line + begin;
  *word_len = i - begin;
  *line += i;
  *len -= i;
  return *word_len > 0;
}

/* RFC 5925 §3.1: KeyIDs are of one octet. */
static bool parse_id(const char *word, size_t len, uint8_t *id) {
  unsigned n = 0;
  if (len > 3)
    return false;
  for (size_t i = 0; i < len; i++) {
    if (word[i] < '0' || word[i] > '9')
      return false;
    n = n * 10 + (unsigned)(word[i] - '0');
  }
  *id = (uint8_t)n;
  return n <= UINT8_MAX;
}

/* NULL, or what is wrong. */
static const char *parse_ao_key(const char *line, size_t len, struct key *key) {
  const char *word;
  size_t word_len;
  if (!next_word(&line, &len, &word, &word_len) || !parse_id(word, word_len, &key->send_id) ||
      !next_word(&line, &len, &word, &word_len) || !parse_id(word, word_len, &key->receive_id))
    return "must begin with the two key ids, 0 to 255, for sending and receiving";
  if (next_word(&line, &len, &word, &word_len))
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
      if (strlen(algorithms[i].name) == word_len && memcmp(algorithms[i].name, word, word_len) == 0)
        key->algorithm = &algorithms[i];
  if (!key->algorithm)
    return "must name hmac-sha1-96 or cmac-aes-128 after the ids";
  if (!next_word(&line, &len, &word, &word_len))
    return "has no key at its end";
  /* The key may hold blanks; those at its ends are not its. */
  len += word_len;
  while (len && (word[len - 1] == ' ' || word[len - 1] == '\t'))
    len--;
  const char *wrong = parse_secret(word, len, key);
  return wrong ? wrong : NULL;
}

static enum ww_err take_ao_keys(struct ww_tcp_auth *auth, const char *path, const char *text, size_t left,
                                struct ww_diag *diag) {
  const char *line;
  size_t len;
  for (unsigned n = 1; next_line(&text, &left, &line, &len); n++) {
    if (!len || line[0] == '#')
      continue;
    if (auth->count == AO_KEYS_MAX)
      return ww_fail(diag, WW_ERR_LIMIT, 0, NULL, "'%s', line %u: more than %d keys", path, n, AO_KEYS_MAX);
    struct key *key = &auth->keys[auth->count];
    const char *wrong = parse_ao_key(line, len, key);
    if (wrong)
      return ww_fail(diag, WW_ERR_INVAL, 0, NULL, "'%s', line %u %s%s", path, n,
                     strncmp(wrong, "is ", 3) == 0 ? ": the key " : "", wrong);
    /* RFC 5925 §3.1: ids MUST NOT overlap for one connection. */
    for (size_t i = 0; i < auth->count; i++)
      if (auth->keys[i].send_id == key->send_id || auth->keys[i].receive_id == key->receive_id)
        return ww_fail(diag, WW_ERR_INVAL, 0, NULL, "'%s', line %u has an id of a line before", path, n);
    auth->count++;
  }
  if (!auth->count)
    return ww_fail(diag, WW_ERR_INVAL, 0, NULL, "'%s' has no key", path);
  return WW_OK;
}

enum ww_err ww_tcp_ao_read(const char *path, struct ww_tcp_auth **out, struct ww_diag *diag) {
  char *file;
  size_t size;
  *out = NULL;
  enum ww_err err = ww_secret_read(path, &file, &size, diag);
  if (err != WW_OK)
    return err;
  struct ww_tcp_auth *auth = auth_new(true);
  err = auth ? take_ao_keys(auth, path, file, size, diag) : ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "no memory for keys");
  ww_secret_wipe(file, size);
  if (err != WW_OK)
    ww_tcp_auth_unref(auth);
  else
    *out = auth;
  return err;
}

/* Gives one key to a socket. */
static bool add_ao_key(int fd, const struct key *key, const struct sockaddr *peer, socklen_t len, bool first) {
  struct ww_tcp_ao_add add = {.prefix = peer->sa_family == AF_INET6 ? 128 : 32,
                              .sndid = key->send_id,
                              .rcvid = key->receive_id,
                              .maclen = key->algorithm->mac_len,
                              .keylen = key->len};
  /* RFC 5925 §7.2: which key signs first, and which one is asked for. The peer may turn to another by its own. */
  add.set_current = add.set_rnext = first;
  memcpy(&add.addr, peer, len < sizeof(add.addr) ? len : sizeof(add.addr));
  if (peer->sa_family == AF_INET6) {
    struct sockaddr_in6 any_port;
    memcpy(&any_port, &add.addr, sizeof(any_port));
    any_port.sin6_port = 0;
    memcpy(&add.addr, &any_port, sizeof(any_port));
  } else {
    struct sockaddr_in any_port;
    memcpy(&any_port, &add.addr, sizeof(any_port));
    any_port.sin_port = 0;
    memcpy(&add.addr, &any_port, sizeof(any_port));
  }
  snprintf(add.alg_name, sizeof(add.alg_name), "%s", key->algorithm->kernel);
  memcpy(add.key, key->octets, key->len);
  bool ok = setsockopt(fd, IPPROTO_TCP, WW_TCP_AO_ADD_KEY, &add, sizeof(add)) == 0;
  int saved = errno;
  explicit_bzero(&add, sizeof(add));
  errno = saved;
  return ok;
}

enum ww_err ww_tcp_ao_new(const char *path, struct ww_tcp_auth **out, struct ww_diag *diag) {
  enum ww_err err = ww_tcp_ao_read(path, out, diag);
  if (err != WW_OK)
    return err;
  /* The keys themselves are the question whether the kernel knows them. */
  struct sockaddr_in peer = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_storage address = {0};
  memcpy(&address, &peer, sizeof(peer));
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    err = ww_fail(diag, WW_ERR_IO, 0, NULL, "no socket: %s", strerror(errno));
  } else if (!ww_tcp_auth_apply(*out, fd, (struct sockaddr *)&address, sizeof(peer))) {
    err =
        errno == ENOPROTOOPT || errno == EOPNOTSUPP
            ? ww_fail(diag, WW_ERR_UNSUPPORTED, 0, NULL,
                      "this kernel has no TCP-AO: it takes Linux 6.7 or later, built with CONFIG_TCP_AO")
        : errno == ENOENT
            ? ww_fail(diag, WW_ERR_UNSUPPORTED, 0, NULL, "this kernel lacks an algorithm that '%s' names", path)
            : ww_fail(diag, WW_ERR_IO, 0, NULL, "the kernel does not take the keys of '%s': %s", path, strerror(errno));
  }
  if (fd >= 0)
    close(fd);
  if (err != WW_OK) {
    ww_tcp_auth_unref(*out);
    *out = NULL;
  }
  return err;
}

/* ---- both ---- */

bool ww_tcp_auth_apply(const struct ww_tcp_auth *auth, int fd, const struct sockaddr *peer, socklen_t len) {
  if (auth->ao) {
    for (size_t i = 0; i < auth->count; i++)
      if (!add_ao_key(fd, &auth->keys[i], peer, len, i == 0))
        return false;
    return true;
  }
  const struct key *key = &auth->keys[0];
  struct tcp_md5sig sig = {.tcpm_keylen = key->len};
  memcpy(&sig.tcpm_addr, peer, len < sizeof(sig.tcpm_addr) ? len : sizeof(sig.tcpm_addr));
  memcpy(sig.tcpm_key, key->octets, key->len);
  bool ok = setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof(sig)) == 0;
  int saved = errno;
  explicit_bzero(&sig, sizeof(sig));
  errno = saved;
  return ok;
}
