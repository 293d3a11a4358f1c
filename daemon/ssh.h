/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SSH version 2 as a client that opens one subsystem (RFC 8210 §9.1): the server's key must be a known one, we show
 * a key of ours, and nobody is ever asked for anything. Works on a non-blocking socket, as daemon/tls.h does.
 */
#ifndef WW_DAEMON_SSH_H
#define WW_DAEMON_SSH_H

#include <stdbool.h>
#include <stddef.h>
#include <waywarden/error.h>

#include "daemon/secure.h"

struct ww_ssh_files {
  const char *user;
  const char *key;         /* private, without a passphrase */
  const char *known_hosts; /* as OpenSSH writes it */
};

/* User, key and known hosts, shared by connections, which hold references. */
struct ww_ssh;
/* WW_ERR_IO, WW_ERR_INVAL: *diag names the file and why. */
enum ww_err ww_ssh_new(const struct ww_ssh_files *files, struct ww_ssh **out, struct ww_diag *diag) WW_MUST_USE;
struct ww_ssh *ww_ssh_ref(struct ww_ssh *ssh); /* NULL is fine, here and below */
void ww_ssh_unref(struct ww_ssh *ssh);

/* One connection. Works on a duplicate of the socket, because the library closes the one it is given. */
struct ww_ssh_session;
/* `host` and `port` are what the known hosts are searched for. NULL when memory or descriptors ran out. */
struct ww_ssh_session *ww_ssh_session_new(struct ww_ssh *ssh, int fd, const char *host, const char *port,
                                          const char *subsystem);
void ww_ssh_session_free(struct ww_ssh_session *session);

/* Key exchange, host key, user, channel, subsystem. */
enum ww_secure_io ww_ssh_handshake(struct ww_ssh_session *session) WW_MUST_USE;
enum ww_secure_io ww_ssh_read(struct ww_ssh_session *session, void *buf, size_t size, size_t *n) WW_MUST_USE;
/* May take a part. */
enum ww_secure_io ww_ssh_write(struct ww_ssh_session *session, const void *data, size_t len, size_t *n) WW_MUST_USE;
/* Ends the channel and the session, as far as the socket takes it. */
void ww_ssh_close(struct ww_ssh_session *session);
bool ww_ssh_wants_write(struct ww_ssh_session *session); /* octets wait that the library wants to send by itself */

/* After WW_SECURE_FAILED: one line. Lives as long as the session. */
const char *ww_ssh_session_reason(const struct ww_ssh_session *session);
/* "SSH-2.0, curve25519-sha256, aes256-gcm@openssh.com, host key ssh-ed25519 SHA256:..." of an open session. */
const char *ww_ssh_session_describe(const struct ww_ssh_session *session);

#endif
