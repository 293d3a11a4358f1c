/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS 1.3 with mutual authentication, on OpenSSL.
 *
 * A ww_tls is an SSL_CTX: one end's certificate, key and trusted roots. A ww_tls_session is an SSL on a non-blocking
 * socket that it borrows. What this file adds to OpenSSL is the policy and the words: OpenSSL tells of a failure by a
 * queue of codes, of which the first is the cause; a verify callback keeps which certificate failed and why, since by
 * the time the handshake has failed the certificate is gone.
 *
 * Invariants: a session verifies its peer's chain always, and as a client the peer's name always; there is no switch
 * that turns either off. The error queue is empty before every OpenSSL call, so what is in it afterwards is that
 * call's.
 *
 * Clauses: draft-hmntsharma-grow-bmp-over-tls-01 (mutual authentication, TLS 1.3, no integrity-only suites), RFC 8446
 * §6 (alerts, close_notify), RFC 9325 (practices), RFC 9525 (names).
 */
#include "daemon/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509err.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { TLS_REASON_LEN = 640, TLS_NAME_LEN = 128, TLS_READ_AHEAD = 64 * 1024, TLS_LAST_READS = 64 };

/* Octets that one call may take from the socket, and a whole handshake: OpenSSL goes on inside a call for as long as it
 * finds messages that it may ignore, and a peer that never stops sending those would keep the loop in there. */
enum { TLS_CALL_MAX = 256 * 1024, TLS_HANDSHAKE_MAX = 512 * 1024 };

struct ww_tls {
  SSL_CTX *ctx;
  unsigned refs;
  enum ww_tls_role role;
};

struct ww_tls_session {
  SSL *ssl;
  enum ww_tls_role role;
  size_t taken;     /* from the socket, in this call */
  size_t handshake; /* and in the handshake's calls before */
  char peer_name[256];
  char refused[TLS_REASON_LEN]; /* by the verify callback; "" none */
  char reason[TLS_REASON_LEN];
  char describe[TLS_REASON_LEN];
};

static void name_of(const X509 *certificate, char *buf, size_t size) {
  snprintf(buf, size, "unnamed");
  BIO *bio = BIO_new(BIO_s_mem());
  if (bio && certificate && X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0) {
    int n = BIO_read(bio, buf, (int)size - 1);
    if (n > 0)
      buf[n] = '\0';
  }
  BIO_free(bio);
  ww_text_one_line(buf);
}

static void time_of(const ASN1_TIME *time, char *buf, size_t size) {
  struct tm tm;
  if (ASN1_TIME_to_tm(time, &tm) != 1 || strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
    snprintf(buf, size, "unknown");
}

/* The names that a certificate is for, as "DNS:a, IP:b". */
static void names_of(X509 *certificate, char *buf, size_t size) {
  buf[0] = '\0';
  GENERAL_NAMES *names = certificate ? X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL) : NULL;
  size_t at = 0;
  for (int i = 0; i < sk_GENERAL_NAME_num(names) && at < size; i++) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
    char text[INET6_ADDRSTRLEN] = "";
    int n = 0;
    if (name->type == GEN_DNS) {
      n = snprintf(buf + at, size - at, "%sDNS:%.*s", at ? ", " : "", ASN1_STRING_length(name->d.dNSName),
                   (const char *)ASN1_STRING_get0_data(name->d.dNSName));
    } else if (name->type == GEN_IPADD) {
      int len = ASN1_STRING_length(name->d.iPAddress);
      if ((len == 4 || len == 16) &&
          inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name->d.iPAddress), text, sizeof(text)))
        n = snprintf(buf + at, size - at, "%sIP:%s", at ? ", " : "", text);
    }
    at += n > 0 ? (size_t)n : 0;
  }
  GENERAL_NAMES_free(names);
  if (!buf[0])
    snprintf(buf, size, "no DNS or IP name");
  ww_text_one_line(buf);
}

/* Keeps the first thing that is wrong with the peer's chain, in words. The verdict stays OpenSSL's. */
static int on_verify(int ok, X509_STORE_CTX *store) {
  SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  struct ww_tls_session *s = ssl ? SSL_get_app_data(ssl) : NULL;
  if (ok || !s || s->refused[0])
    return ok;
  int error = X509_STORE_CTX_get_error(store);
  X509 *certificate = X509_STORE_CTX_get_current_cert(store);
  char name[TLS_NAME_LEN], more[TLS_NAME_LEN];
  name_of(certificate, name, sizeof(name));
  switch (error) {
  case X509_V_ERR_CERT_HAS_EXPIRED:
    time_of(X509_get0_notAfter(certificate), more, sizeof(more));
    snprintf(s->refused, sizeof(s->refused), "certificate of %s expired at %s", name, more);
    break;
  case X509_V_ERR_CERT_NOT_YET_VALID:
    time_of(X509_get0_notBefore(certificate), more, sizeof(more));
    snprintf(s->refused, sizeof(s->refused), "certificate of %s is not valid before %s", name, more);
    break;
  case X509_V_ERR_HOSTNAME_MISMATCH:
  case X509_V_ERR_IP_ADDRESS_MISMATCH:
    names_of(certificate, more, sizeof(more));
    snprintf(s->refused, sizeof(s->refused), "certificate of %s is for another name: wanted %s, it has %s", name,
             s->peer_name, more);
    break;
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
  case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
  case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    snprintf(s->refused, sizeof(s->refused), "certificate of %s is not signed by a CA that is trusted here (%s)", name,
             X509_verify_cert_error_string(error));
    break;
  default:
    snprintf(s->refused, sizeof(s->refused), "certificate of %s: %s", name, X509_verify_cert_error_string(error));
  }
  return ok;
}

/* What the first code in OpenSSL's queue says; for files. */
static const char *queue_text(void) {
  unsigned long code = ERR_peek_error();
  if (ERR_SYSTEM_ERROR(code))
    return strerror(ERR_GET_REASON(code));
  const char *text = ERR_reason_error_string(code);
  return text ? text : "unknown error";
}

/* Of an encrypted key: a daemon has nobody to ask, and OpenSSL's own way is to ask the terminal. */
static int no_password(char *buf, int size, int writing, void *ctx) {
  (void)buf, (void)size, (void)writing, (void)ctx;
  return 0;
}

enum ww_err ww_tls_new(enum ww_tls_role role, const struct ww_tls_files *files, struct ww_tls **out,
                       struct ww_diag *diag) {
  *out = NULL;
  ERR_clear_error();
  struct ww_tls *tls = calloc(1, sizeof(*tls));
  SSL_CTX *ctx = SSL_CTX_new(role == WW_TLS_SERVER ? TLS_server_method() : TLS_client_method());
  if (!tls || !ctx) {
    free(tls);
    SSL_CTX_free(ctx);
    return ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "no memory for a TLS context");
  }
  tls->ctx = ctx;
  tls->refs = 1;
  tls->role = role;
  enum ww_err err = WW_OK;
  /* draft-hmntsharma-grow-bmp-over-tls-01: TLS 1.3 is required to implement. CHOICE: nothing older is spoken. */
  if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") !=
          1) {
    err = ww_fail(diag, WW_ERR_IO, 0, NULL, "TLS 1.3 is not available: %s", queue_text());
    goto out;
  }
  /* draft-hmntsharma-grow-bmp-over-tls-01: mutual TLS is required. */
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, on_verify);
  /* CHOICE: no session tickets. A resumed session would not look at the certificate again, and connections that live
   * for weeks gain nothing from a cheaper handshake. */
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(ctx, 0);
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  /* RFC 9325 §3.6: no early data: it can be replayed. */
  SSL_CTX_set_max_early_data(ctx, 0);
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(ctx, 1);
  SSL_CTX_set_default_read_buffer_len(ctx, TLS_READ_AHEAD);
  SSL_CTX_set_default_passwd_cb(ctx, no_password);

  if (SSL_CTX_load_verify_locations(ctx, files->ca, NULL) != 1)
    err = ww_fail(diag, WW_ERR_IO, 0, NULL, "CA file '%s': %s", files->ca, queue_text());
  else if (SSL_CTX_use_certificate_chain_file(ctx, files->certificate) != 1)
    err = ww_fail(diag, WW_ERR_IO, 0, NULL, "certificate file '%s': %s", files->certificate, queue_text());
  else if (SSL_CTX_use_PrivateKey_file(ctx, files->key, SSL_FILETYPE_PEM) != 1)
    err = ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH
              ? ww_fail(diag, WW_ERR_INVAL, 0, NULL, "key file '%s' does not belong to certificate file '%s'",
                        files->key, files->certificate)
              : ww_fail(diag, WW_ERR_IO, 0, NULL, "key file '%s': %s", files->key, queue_text());
  if (err == WW_OK && role == WW_TLS_SERVER) {
    /* Tells clients which CA to choose their certificate by. */
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(files->ca);
    if (names)
      SSL_CTX_set_client_CA_list(ctx, names);
  }
out:
  ERR_clear_error();
  if (err != WW_OK)
    ww_tls_unref(tls);
  else
    *out = tls;
  return err;
}

struct ww_tls *ww_tls_ref(struct ww_tls *tls) {
  if (tls)
    tls->refs++;
  return tls;
}

void ww_tls_unref(struct ww_tls *tls) {
  if (!tls || --tls->refs > 0)
    return;
  SSL_CTX_free(tls->ctx);
  free(tls);
}

static bool want_name(SSL *ssl, const char *name) {
  unsigned char address[16];
  X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
  if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
    return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
  /* RFC 9525 §6.3: the subject's common name does not count, and a wildcard is the whole left-most label. */
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  char host[TLSEXT_MAXLEN_host_name + 1]; /* the macro casts const away, and nothing longer can be sent */
  if (snprintf(host, sizeof(host), "%s", name) >= (int)sizeof(host))
    return false;
  return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

/* Asked before and told after each read of the socket. */
static long on_bio(BIO *bio, int op, const char *data, size_t len, int argi, long argl, int ret, size_t *done) {
  struct ww_tls_session *s = (void *)BIO_get_callback_arg(bio);
  (void)data, (void)len, (void)argi, (void)argl;
  if (op == BIO_CB_READ && s->taken >= TLS_CALL_MAX) {
    BIO_clear_retry_flags(bio);
    BIO_set_retry_read(bio); /* as if the socket were empty; it is not, so the loop comes back at once */
    return -1;
  }
  if (op == (BIO_CB_READ | BIO_CB_RETURN) && ret > 0)
    s->taken += *done;
  return ret;
}

struct ww_tls_session *ww_tls_session_new(struct ww_tls *tls, int fd, const char *peer_name) {
  struct ww_tls_session *s = calloc(1, sizeof(*s));
  if (!s)
    return NULL;
  ERR_clear_error();
  s->role = tls->role;
  s->ssl = SSL_new(tls->ctx);
  if (!s->ssl || SSL_set_fd(s->ssl, fd) != 1)
    goto fail;
  SSL_set_app_data(s->ssl, s);
  BIO_set_callback_arg(SSL_get_rbio(s->ssl), (char *)s);
  BIO_set_callback_ex(SSL_get_rbio(s->ssl), on_bio);
  if (tls->role == WW_TLS_SERVER) {
    SSL_set_accept_state(s->ssl);
    if (peer_name && peer_name[0]) {
      snprintf(s->peer_name, sizeof(s->peer_name), "%s", peer_name);
      if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s->ssl), s->peer_name) != 1)
        goto fail;
    }
  } else {
    SSL_set_connect_state(s->ssl);
    snprintf(s->peer_name, sizeof(s->peer_name), "%s", peer_name);
    if (!want_name(s->ssl, s->peer_name))
      goto fail;
  }
  return s;
fail:
  ww_tls_session_free(s);
  return NULL;
}

void ww_tls_session_free(struct ww_tls_session *session) {
  if (!session)
    return;
  SSL_free(session->ssl);
  free(session);
}

/* RFC 8446 §6.2: what the peer's fatal alert says about us. */
static const char *alert_words(int alert) {
  switch (alert) {
  case SSL_AD_HANDSHAKE_FAILURE:
    return "no common parameters";
  case SSL_AD_BAD_CERTIFICATE:
    return "it found our certificate bad";
  case SSL_AD_UNSUPPORTED_CERTIFICATE:
    return "it does not accept the kind of our certificate";
  case SSL_AD_CERTIFICATE_REVOKED:
    return "it says that our certificate was revoked";
  case SSL_AD_CERTIFICATE_EXPIRED:
    return "it says that our certificate has expired";
  case SSL_AD_CERTIFICATE_UNKNOWN:
    return "it did not accept our certificate";
  case SSL_AD_UNKNOWN_CA:
    return "it does not trust the CA of our certificate";
  case SSL_AD_ACCESS_DENIED:
    return "it denies access to our certificate";
  case SSL_AD_DECRYPT_ERROR:
    return "it could not verify our signature";
  case SSL_AD_PROTOCOL_VERSION:
    return "it does not speak TLS 1.3";
  case SSL_AD_UNRECOGNIZED_NAME:
    return "it is not the server we named";
  case SSL_AD_CERTIFICATE_REQUIRED:
    return "certificate required: it got none that it asks for";
  case SSL_AD_INTERNAL_ERROR:
    return "internal error";
  default:
    return SSL_alert_desc_string_long(alert);
  }
}

/* Puts the failure of the last call into s->reason. `code` is what SSL_get_error() said. */
static enum ww_secure_io failed(struct ww_tls_session *s, int code, int saved_errno) {
  char *to = s->reason;
  size_t size = sizeof(s->reason);
  unsigned long first = ERR_peek_error();
  int reason = ERR_GET_REASON(first);
  const char *peer = s->role == WW_TLS_SERVER ? "client" : "server";
  if (code == SSL_ERROR_SYSCALL || first == 0) {
    snprintf(to, size, "%s", saved_errno ? strerror(saved_errno) : "connection closed without close_notify");
  } else if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
    snprintf(to, size, "TLS: the %s refused: %s (alert %d)", peer, alert_words(reason - SSL_AD_REASON_OFFSET),
             reason - SSL_AD_REASON_OFFSET);
  } else {
    switch (reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      snprintf(to, size, "TLS: %s refused: %.600s", peer,
               s->refused[0] ? s->refused : X509_verify_cert_error_string(SSL_get_verify_result(s->ssl)));
      break;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      snprintf(to, size, "TLS: %s refused: it presented no certificate", peer);
      break;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
      snprintf(to, size, "TLS: %s refused: it does not speak TLS 1.3", peer);
      break;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_RECORD_LENGTH_MISMATCH:
      snprintf(to, size, "TLS: the %s does not speak TLS", peer);
      break;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      snprintf(to, size, "connection closed without close_notify");
      break;
    default:
      snprintf(to, size, "TLS: %s", queue_text());
    }
  }
  ERR_clear_error();
  return WW_SECURE_FAILED;
}

static enum ww_secure_io outcome(struct ww_tls_session *s, int ret) {
  int saved_errno = errno;
  int code = SSL_get_error(s->ssl, ret);
  switch (code) {
  case SSL_ERROR_WANT_READ:
    return WW_SECURE_WANT_READ;
  case SSL_ERROR_WANT_WRITE:
    return WW_SECURE_WANT_WRITE;
  case SSL_ERROR_ZERO_RETURN:
    return WW_SECURE_EOF;
  default:
    return failed(s, code, saved_errno);
  }
}

enum ww_secure_io ww_tls_handshake(struct ww_tls_session *session) {
  ERR_clear_error();
  errno = 0;
  session->taken = 0;
  int ret = SSL_do_handshake(session->ssl);
  if (ret == 1)
    return WW_SECURE_DONE;
  session->handshake += session->taken;
  if (session->handshake > TLS_HANDSHAKE_MAX) {
    snprintf(session->reason, sizeof(session->reason), "TLS: handshake of more than %d KiB", TLS_HANDSHAKE_MAX / 1024);
    ERR_clear_error();
    return WW_SECURE_FAILED;
  }
  return outcome(session, ret);
}

enum ww_secure_io ww_tls_read(struct ww_tls_session *session, void *buf, size_t size, size_t *n) {
  ERR_clear_error();
  errno = 0;
  *n = 0;
  session->taken = 0;
  int ret = SSL_read_ex(session->ssl, buf, size, n);
  return ret == 1 ? WW_SECURE_DONE : outcome(session, ret);
}

enum ww_secure_io ww_tls_write(struct ww_tls_session *session, const void *data, size_t len, size_t *n) {
  ERR_clear_error();
  errno = 0;
  *n = 0;
  session->taken = 0;
  int ret = SSL_write_ex(session->ssl, data, len, n);
  if (ret == 1)
    return WW_SECURE_DONE;
  enum ww_secure_io io = outcome(session, ret);
  if (io != WW_SECURE_FAILED)
    return io;
  /* RFC 8446 §6.2: a server that refuses our certificate says so after our handshake is over. The alert may wait in the
   * socket while writing only finds the connection gone, so look there for the cause. */
  uint8_t scratch[256];
  size_t got = 0;
  ERR_clear_error();
  errno = 0;
  char before[sizeof(session->reason)];
  memcpy(before, session->reason, sizeof(before));
  for (int i = 0; i < TLS_LAST_READS && (ret = SSL_read_ex(session->ssl, scratch, sizeof(scratch), &got)) == 1; i++)
    ;
  if (outcome(session, ret) != WW_SECURE_FAILED || strncmp(session->reason, "TLS: ", 5) != 0)
    memcpy(session->reason, before, sizeof(before));
  return WW_SECURE_FAILED;
}

enum ww_secure_io ww_tls_close(struct ww_tls_session *session) {
  ERR_clear_error();
  errno = 0;
  int ret = SSL_shutdown(session->ssl);
  return ret >= 0 ? WW_SECURE_DONE : outcome(session, ret);
}

bool ww_tls_pending(const struct ww_tls_session *session) { return SSL_has_pending(session->ssl) == 1; }

const char *ww_tls_session_reason(const struct ww_tls_session *session) { return session->reason; }

const char *ww_tls_session_describe(struct ww_tls_session *session) {
  char name[TLS_NAME_LEN];
  X509 *certificate = SSL_get1_peer_certificate(session->ssl);
  name_of(certificate, name, sizeof(name));
  X509_free(certificate);
  snprintf(session->describe, sizeof(session->describe), "%s, %s, peer %s", SSL_get_version(session->ssl),
           SSL_get_cipher_name(session->ssl), name);
  return session->describe;
}
