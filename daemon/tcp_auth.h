/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segments signed by the kernel: TCP MD5 (RFC 2385) and TCP-AO (RFC 5925), for connections that we open.
 */
#ifndef WW_DAEMON_TCP_AUTH_H
#define WW_DAEMON_TCP_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <waywarden/error.h>

enum { WW_TCP_KEY_MAX = 80 }; /* octets: the kernel's limit, and what RFC 8210 §9.3, §9.4 ask for */

/* Keys, shared by connections, which hold references; wiped with the last one. */
struct ww_tcp_auth;
/* A file with one line: the password as it is, or "hex:" and its octets. *diag names the file and why not. */
enum ww_err ww_tcp_md5_new(const char *path, struct ww_tcp_auth **out, struct ww_diag *diag) WW_MUST_USE;
/* A file of lines SEND-ID RECEIVE-ID ALGORITHM KEY, the first being the key to begin with. WW_ERR_UNSUPPORTED: the
 * kernel has no TCP-AO. */
enum ww_err ww_tcp_ao_new(const char *path, struct ww_tcp_auth **out, struct ww_diag *diag) WW_MUST_USE;
/* Only the file. */
enum ww_err ww_tcp_ao_read(const char *path, struct ww_tcp_auth **out, struct ww_diag *diag) WW_MUST_USE;
struct ww_tcp_auth *ww_tcp_auth_ref(struct ww_tcp_auth *auth); /* NULL is fine, here and below */
void ww_tcp_auth_unref(struct ww_tcp_auth *auth);

/* Before connect(): false with errno when the kernel does not take a key. */
bool ww_tcp_auth_apply(const struct ww_tcp_auth *auth, int fd, const struct sockaddr *peer, socklen_t len);
const char *ww_tcp_auth_name(const struct ww_tcp_auth *auth); /* "TCP MD5", "TCP-AO" */
size_t ww_tcp_auth_count(const struct ww_tcp_auth *auth);     /* keys */

#endif
