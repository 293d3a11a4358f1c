/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS as BMPS needs it: version 1.3 only, both sides authenticated, names checked, and a plain sentence for every
 * refusal. Works on a non-blocking socket and says what it waits for; the event loop is daemon/stream.c's business.
 */
#ifndef WW_DAEMON_TLS_H
#define WW_DAEMON_TLS_H

#include <stdbool.h>
#include <waywarden/error.h>

#include "daemon/secure.h"

enum ww_tls_role { WW_TLS_CLIENT, WW_TLS_SERVER };

/* PEM files. `ca` holds every root that is trusted; the system's are not. */
struct ww_tls_files {
  const char *certificate; /* own certificate, then its chain */
  const char *key;
  const char *ca;
};

/* Certificate, key and trust of one end, shared by its connections, which hold references. */
struct ww_tls;
/* WW_ERR_IO, WW_ERR_INVAL: *diag names the file and why. */
enum ww_err ww_tls_new(enum ww_tls_role role, const struct ww_tls_files *files, struct ww_tls **out,
                       struct ww_diag *diag) WW_MUST_USE;
struct ww_tls *ww_tls_ref(struct ww_tls *tls); /* NULL is fine, here and below */
void ww_tls_unref(struct ww_tls *tls);

/* One connection. Borrows the socket. */
struct ww_tls_session;
/* `peer_name`: DNS name or address that a client wants the server's certificate to carry (and sends as SNI when it is a
 * name); for servers an address that the client's must carry, or NULL. NULL when memory ran out. */
struct ww_tls_session *ww_tls_session_new(struct ww_tls *tls, int fd, const char *peer_name);
void ww_tls_session_free(struct ww_tls_session *session); /* NULL is fine */

enum ww_secure_io ww_tls_handshake(struct ww_tls_session *session) WW_MUST_USE;
enum ww_secure_io ww_tls_read(struct ww_tls_session *session, void *buf, size_t size, size_t *n) WW_MUST_USE;
/* May take a part. After WANT_* call again with the same octets in front (they may have moved). */
enum ww_secure_io ww_tls_write(struct ww_tls_session *session, const void *data, size_t len, size_t *n) WW_MUST_USE;
/* Sends close_notify. DONE: it is in the socket. */
enum ww_secure_io ww_tls_close(struct ww_tls_session *session) WW_MUST_USE;
bool ww_tls_pending(const struct ww_tls_session *session); /* octets were read from the socket and not yet handed out */

/* After WW_SECURE_FAILED: one line. Lives as long as the session. */
const char *ww_tls_session_reason(const struct ww_tls_session *session);
/* "TLSv1.3, TLS_AES_256_GCM_SHA384, peer CN=..." of an established session. */
const char *ww_tls_session_describe(struct ww_tls_session *session);

#endif
