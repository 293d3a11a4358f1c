/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SSH client, on libssh in its non-blocking mode, driven by the loop like TLS.
 *
 * CHOICE: no thread. libssh's calls answer SSH_AGAIN when they would wait, each time after reading what the socket has,
 * so a session fits the stream's question "readable or writable?" as OpenSSL's does, and there is one way in which
 * connections time out, end and are told of. A thread of its own with a pair of sockets would make the calls simpler
 * and stopping harder: libssh cannot be interrupted. What a session costs the loop is one key exchange, as with TLS.
 *
 *   CONNECT (banner, key exchange) -> HOST_KEY -> AUTH -> CHANNEL -> SUBSYSTEM -> OPEN
 *
 * libssh closes the descriptor that it works on whenever it meets an error. It gets a duplicate, so that the stream's
 * own stays what the loop polls.
 *
 * The server's standard error is read along and thrown away but for its first line: libssh would keep it without bound,
 * for it accepts more than the window that it granted. What is not read in the handshake is bounded by the stream's
 * timeout, and comes from a server whose key is known.
 *
 * Nobody is asked: a key with a passphrase is refused when it is loaded, no agent is used, no configuration of a user
 * or of the system is read, and a host key that is not known is a failure.
 *
 * Ownership: a session holds a reference to its ww_ssh, owns the libssh session, and with it the duplicate.
 *
 * Clauses: RFC 8210 §9.1; draft-ietf-sidrops-8210bis-26 §9.1.
 */
#include "daemon/ssh.h"

#include <errno.h>
#include <fcntl.h>
#include <libssh/libssh.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum { REASON_LEN = 640, SAID_LEN = 160, ERR_SCRATCH = 4096, DRAIN_MAX = 16 };

struct ww_ssh {
  unsigned refs;
  char *user, *key_path, *known_hosts;
  ssh_key key;
};

enum stage { STAGE_CONNECT, STAGE_HOST_KEY, STAGE_AUTH, STAGE_CHANNEL, STAGE_SUBSYSTEM, STAGE_OPEN };

struct ww_ssh_session {
  struct ww_ssh *ssh;
  ssh_session session;
  ssh_channel channel;
  enum stage stage;
  char *host, *subsystem;
  char host_key[SAID_LEN]; /* "ssh-ed25519 SHA256:..." */
  char said[SAID_LEN];     /* first line of the server's standard error */
  char reason[REASON_LEN];
  char describe[REASON_LEN];
};

/* ---- user, key, known hosts ---- */

static int no_passphrase(const char *prompt, char *buf, size_t len, int echo, int verify, void *ctx) {
  (void)prompt, (void)buf, (void)len, (void)echo, (void)verify, (void)ctx;
  return -1;
}

enum ww_err ww_ssh_new(const struct ww_ssh_files *files, struct ww_ssh **out, struct ww_diag *diag) {
  *out = NULL;
  struct ww_ssh *ssh = calloc(1, sizeof(*ssh));
  if (!ssh)
    return ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "no memory for SSH");
  ssh->refs = 1;
  ssh->user = strdup(files->user);
  ssh->key_path = strdup(files->key);
  ssh->known_hosts = strdup(files->known_hosts);
  enum ww_err err = WW_OK;
  if (!ssh->user || !ssh->key_path || !ssh->known_hosts) {
    err = ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "no memory for SSH");
  } else if (strchr(files->known_hosts, '%')) {
    err = ww_fail(diag, WW_ERR_INVAL, 0, NULL, "known hosts file '%s': '%%' in its name is not possible",
                  files->known_hosts);
  } else if (access(files->known_hosts, R_OK) != 0) {
    err = ww_fail(diag, WW_ERR_IO, 0, NULL, "known hosts file '%s': %s", files->known_hosts, strerror(errno));
  } else if (access(files->key, R_OK) != 0) {
    err = ww_fail(diag, WW_ERR_IO, 0, NULL, "key file '%s': %s", files->key, strerror(errno));
  } else if (ssh_pki_import_privkey_file(files->key, NULL, no_passphrase, NULL, &ssh->key) != SSH_OK) {
    err = ww_fail(diag, WW_ERR_INVAL, 0, NULL, "key file '%s' is no private key for SSH, or has a passphrase",
                  files->key);
  }
  if (err != WW_OK)
    ww_ssh_unref(ssh);
  else
    *out = ssh;
  return err;
}

struct ww_ssh *ww_ssh_ref(struct ww_ssh *ssh) {
  if (ssh)
    ssh->refs++;
  return ssh;
}

void ww_ssh_unref(struct ww_ssh *ssh) {
  if (!ssh || --ssh->refs > 0)
    return;
  ssh_key_free(ssh->key); /* wipes it */
  free(ssh->user);
  free(ssh->key_path);
  free(ssh->known_hosts);
  free(ssh);
}

/* ---- one connection ---- */

static bool set_options(struct ww_ssh_session *s, int fd, const char *port) {
  unsigned number = (unsigned)strtoul(port, NULL, 10);
  long seconds = 10;
  int quiet = SSH_LOG_NOLOG;
  bool no = false;
  /* Nothing of whoever runs us, or of the system, takes part: neither configuration nor other known hosts. */
  return ssh_options_set(s->session, SSH_OPTIONS_LOG_VERBOSITY, &quiet) == 0 &&
         ssh_options_set(s->session, SSH_OPTIONS_PROCESS_CONFIG, &no) == 0 &&
         ssh_options_set(s->session, SSH_OPTIONS_SSH_DIR, "/") == 0 &&
         ssh_options_set(s->session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null") == 0 &&
         ssh_options_set(s->session, SSH_OPTIONS_HOST, s->host) == 0 &&
         ssh_options_set(s->session, SSH_OPTIONS_PORT, &number) == 0 &&
         ssh_options_set(s->session, SSH_OPTIONS_USER, s->ssh->user) == 0 &&
         ssh_options_set(s->session, SSH_OPTIONS_KNOWNHOSTS, s->ssh->known_hosts) == 0 &&
         ssh_options_set(s->session, SSH_OPTIONS_TIMEOUT, &seconds) == 0 &&
         ssh_options_set(s->session, SSH_OPTIONS_COMPRESSION, "no") == 0 &&
         ssh_options_set(s->session, SSH_OPTIONS_FD, &fd) == 0;
}

struct ww_ssh_session *ww_ssh_session_new(struct ww_ssh *ssh, int fd, const char *host, const char *port,
                                          const char *subsystem) {
  struct ww_ssh_session *s = calloc(1, sizeof(*s));
  if (!s)
    return NULL;
  s->ssh = ww_ssh_ref(ssh);
  s->host = strdup(host);
  s->subsystem = strdup(subsystem);
  s->session = ssh_new();
  int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (!s->host || !s->subsystem || !s->session || own < 0 || !set_options(s, own, port)) {
    if (own >= 0)
      close(own); /* the library was not told of it: that is the last option */
    ww_ssh_session_free(s);
    return NULL;
  }
  ssh_set_blocking(s->session, 0);
  return s;
}

void ww_ssh_session_free(struct ww_ssh_session *session) {
  struct ww_ssh_session *s = session;
  if (!s)
    return;
  if (s->session)
    ssh_free(s->session); /* with the channel, and with the descriptor from the first call of ssh_connect() on */
  ww_ssh_unref(s->ssh);
  free(s->host);
  free(s->subsystem);
  free(s);
}

static enum ww_secure_io waiting(struct ww_ssh_session *s) {
  return ww_ssh_wants_write(s) ? WW_SECURE_WANT_WRITE : WW_SECURE_WANT_READ;
}

static enum ww_secure_io failed(struct ww_ssh_session *s, const char *what) {
  const char *why = ssh_get_error(s->session);
  bool cut = !why[0] || strstr(why, "disconnected") || strstr(why, "Socket error");
  if (cut && s->stage == STAGE_OPEN) {
    snprintf(s->reason, sizeof(s->reason), "connection closed without an end of the SSH session");
    return WW_SECURE_FAILED;
  }
  if (cut)
    why = s->stage == STAGE_CONNECT ? "the connection ended; perhaps the port is not SSH" : "the connection ended";
  snprintf(s->reason, sizeof(s->reason), "SSH: %s: %.400s", what, why);
  ww_text_one_line(s->reason);
  return WW_SECURE_FAILED;
}

/* Names the server's key, for messages; false when there is none. */
static bool name_host_key(struct ww_ssh_session *s) {
  ssh_key key = NULL;
  unsigned char *hash = NULL;
  size_t len = 0;
  if (ssh_get_server_publickey(s->session, &key) != SSH_OK)
    return false;
  bool ok = ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &len) == 0;
  char *print = ok ? ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, len) : NULL;
  if (print)
    snprintf(s->host_key, sizeof(s->host_key), "%s %s", ssh_key_type_to_char(ssh_key_type(key)), print);
  ssh_string_free_char(print);
  ssh_clean_pubkey_hash(&hash);
  ssh_key_free(key);
  return s->host_key[0] != '\0';
}

/* RFC 8210 §9.1: client routers SHOULD verify the public key of the cache. CHOICE: there is no way not to. */
static bool check_host_key(struct ww_ssh_session *s) {
  if (!name_host_key(s)) {
    snprintf(s->reason, sizeof(s->reason), "SSH: the server has shown no key");
    return false;
  }
  switch (ssh_session_is_known_server(s->session)) {
  case SSH_KNOWN_HOSTS_OK:
    return true;
  case SSH_KNOWN_HOSTS_CHANGED:
    snprintf(
        s->reason, sizeof(s->reason),
        "SSH: the host key of %s has changed to %s, which is not the one in '%s': the cache was given a new key, or "
        "this is not the cache",
        s->host, s->host_key, s->ssh->known_hosts);
    return false;
  case SSH_KNOWN_HOSTS_OTHER:
    snprintf(s->reason, sizeof(s->reason), "SSH: the host key of %s is %s, and '%s' has one of another type", s->host,
             s->host_key, s->ssh->known_hosts);
    return false;
  case SSH_KNOWN_HOSTS_UNKNOWN:
  case SSH_KNOWN_HOSTS_NOT_FOUND:
    snprintf(s->reason, sizeof(s->reason), "SSH: the host key of %s, %s, is not in '%s'", s->host, s->host_key,
             s->ssh->known_hosts);
    return false;
  case SSH_KNOWN_HOSTS_ERROR:
    break;
  }
  (void)failed(s, "the known hosts cannot be searched");
  return false;
}

static void describe(struct ww_ssh_session *s) {
  const char *kex = ssh_get_kex_algo(s->session), *cipher = ssh_get_cipher_in(s->session);
  snprintf(s->describe, sizeof(s->describe), "SSH-2.0, %s, %s, host key %s", kex ? kex : "-", cipher ? cipher : "-",
           s->host_key);
}

static enum ww_secure_io authenticate(struct ww_ssh_session *s) {
  /* draft-ietf-sidrops-8210bis-26 §9.1: "publickey" MUST be supported, "none" MUST NOT be used: it is not even asked
   * for. CHOICE: no passwords: a daemon with a key needs none. */
  switch (ssh_userauth_publickey(s->session, NULL, s->ssh->key)) {
  case SSH_AUTH_SUCCESS:
    s->stage = STAGE_CHANNEL;
    return WW_SECURE_DONE;
  case SSH_AUTH_AGAIN:
    return waiting(s);
  case SSH_AUTH_DENIED:
    snprintf(s->reason, sizeof(s->reason), "SSH: the server refused user '%s' with the key of '%s'", s->ssh->user,
             s->ssh->key_path);
    return WW_SECURE_FAILED;
  case SSH_AUTH_PARTIAL:
    snprintf(s->reason, sizeof(s->reason),
             "SSH: the key of '%s' is not enough for the server: it wants more of user '%s'", s->ssh->key_path,
             s->ssh->user);
    return WW_SECURE_FAILED;
  default:
    return failed(s, "authentication failed");
  }
}

/* One stage; DONE when it is over. */
static enum ww_secure_io advance(struct ww_ssh_session *s) {
  int rc;
  switch (s->stage) {
  case STAGE_CONNECT:
    rc = ssh_connect(s->session);
    if (rc == SSH_AGAIN)
      return waiting(s);
    if (rc != SSH_OK)
      return failed(s, "no session");
    s->stage = STAGE_HOST_KEY;
    return WW_SECURE_DONE;
  case STAGE_HOST_KEY:
    if (!check_host_key(s))
      return WW_SECURE_FAILED;
    s->stage = STAGE_AUTH;
    return WW_SECURE_DONE;
  case STAGE_AUTH:
    return authenticate(s);
  case STAGE_CHANNEL:
    if (!s->channel && !(s->channel = ssh_channel_new(s->session)))
      return failed(s, "no channel");
    rc = ssh_channel_open_session(s->channel);
    if (rc == SSH_AGAIN)
      return waiting(s);
    if (rc != SSH_OK)
      return failed(s, "the server opens no channel");
    s->stage = STAGE_SUBSYSTEM;
    return WW_SECURE_DONE;
  case STAGE_SUBSYSTEM:
    rc = ssh_channel_request_subsystem(s->channel, s->subsystem);
    if (rc == SSH_AGAIN)
      return waiting(s);
    if (rc != SSH_OK) {
      snprintf(s->reason, sizeof(s->reason), "SSH: the server has no subsystem '%s' for us", s->subsystem);
      return WW_SECURE_FAILED;
    }
    describe(s);
    s->stage = STAGE_OPEN;
    return WW_SECURE_DONE;
  case STAGE_OPEN:
    break;
  }
  return WW_SECURE_DONE;
}

enum ww_secure_io ww_ssh_handshake(struct ww_ssh_session *session) {
  while (session->stage != STAGE_OPEN) {
    enum ww_secure_io io = advance(session);
    if (io != WW_SECURE_DONE)
      return io;
  }
  return WW_SECURE_DONE;
}

/* Reads what the server says beside the protocol. */
static void drain_stderr(struct ww_ssh_session *s) {
  char text[ERR_SCRATCH];
  for (int i = 0; i < DRAIN_MAX; i++) {
    int n = ssh_channel_read_nonblocking(s->channel, text, sizeof(text) - 1, 1);
    if (n <= 0)
      return;
    if (s->said[0])
      continue;
    text[n] = '\0';
    snprintf(s->said, sizeof(s->said), "%.*s", (int)strcspn(text, "\r\n"), text);
    ww_text_one_line(s->said);
  }
}

enum ww_secure_io ww_ssh_read(struct ww_ssh_session *session, void *buf, size_t size, size_t *n) {
  struct ww_ssh_session *s = session;
  *n = 0;
  int got = ssh_channel_read_nonblocking(s->channel, buf, (uint32_t)size, 0);
  drain_stderr(s);
  if (got > 0) {
    *n = (size_t)got;
    return WW_SECURE_DONE;
  }
  if (got == 0 && !ssh_channel_is_eof(s->channel) && ssh_channel_is_open(s->channel) && ssh_is_connected(s->session))
    return waiting(s);
  if (got != SSH_ERROR || ssh_channel_is_eof(s->channel)) {
    if (!s->said[0])
      return WW_SECURE_EOF;
    snprintf(s->reason, sizeof(s->reason), "SSH: the server ended the channel, saying: %s", s->said);
    return WW_SECURE_FAILED;
  }
  return failed(s, "reading");
}

enum ww_secure_io ww_ssh_write(struct ww_ssh_session *session, const void *data, size_t len, size_t *n) {
  struct ww_ssh_session *s = session;
  *n = 0;
  int put = ssh_channel_write(s->channel, data, (uint32_t)len);
  if (put < 0)
    return failed(s, "writing");
  *n = (size_t)put;
  return put > 0 ? WW_SECURE_DONE : WW_SECURE_WANT_READ; /* the server has to open its window */
}

void ww_ssh_close(struct ww_ssh_session *session) {
  struct ww_ssh_session *s = session;
  if (s->channel && s->stage == STAGE_OPEN && ssh_channel_is_open(s->channel)) {
    (void)ssh_channel_send_eof(s->channel);
    (void)ssh_channel_close(s->channel);
  }
  ssh_disconnect(s->session);
  s->channel = NULL; /* went with it */
}

bool ww_ssh_wants_write(struct ww_ssh_session *session) {
  return (ssh_get_poll_flags(session->session) & SSH_WRITE_PENDING) != 0;
}

const char *ww_ssh_session_reason(const struct ww_ssh_session *session) { return session->reason; }

const char *ww_ssh_session_describe(const struct ww_ssh_session *session) { return session->describe; }
