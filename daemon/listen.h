/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listening sockets on the event loop, and numeric addresses with ports.
 */
#ifndef WW_DAEMON_LISTEN_H
#define WW_DAEMON_LISTEN_H

#include <sys/socket.h>
#include <uv.h>
#include <waywarden/error.h>

struct ww_listener;
/* The socket is the callback's. `peer` is NULL for Unix sockets. */
typedef void (*ww_accept_fn)(void *ctx, int fd, const struct sockaddr *peer);
/* "ADDR:PORT" or "[ADDR]:PORT"; port 0 takes a free one. */
enum ww_err ww_listen(uv_loop_t *loop, const char *where, ww_accept_fn accepted, void *ctx, struct ww_listener **out,
                      struct ww_diag *diag) WW_MUST_USE;
/* A Unix socket, mode 0600. One left behind by a dead process is replaced, a live one is not. */
enum ww_err ww_listen_unix(uv_loop_t *loop, const char *path, ww_accept_fn accepted, void *ctx,
                           struct ww_listener **out, struct ww_diag *diag) WW_MUST_USE;
const char *ww_listener_address(const struct ww_listener *listener); /* as bound, with the real port */
void ww_listener_close(struct ww_listener *listener);                /* NULL is fine; removes a Unix socket's file */

enum { WW_ENDPOINT_STRLEN = 64 };
/* Splits and checks "ADDR:PORT" with a numeric address. */
enum ww_err ww_endpoint_parse(const char *text, struct sockaddr_storage *out, socklen_t *len,
                              struct ww_diag *diag) WW_MUST_USE;
char *ww_endpoint_format(const struct sockaddr *address, char *buf); /* >= WW_ENDPOINT_STRLEN */

#endif
