/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stream sockets on the event loop: connecting out by name, and moving octets, plain, inside TLS or inside SSH. Nothing
 * here knows a protocol.
 */
#ifndef WW_DAEMON_STREAM_H
#define WW_DAEMON_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/ssh.h"
#include "daemon/tcp_auth.h"
#include "daemon/tls.h"

struct ww_stream;

/* All on the loop's thread. After `closed` the stream is gone; after ww_stream_close() or _abort() nothing is called
 * any more. Any callback may close its stream. */
struct ww_stream_events {
  void *ctx;
  void (*opened)(void *ctx); /* connected, and with TLS or SSH both sides are authenticated */
  void (*input)(void *ctx, const uint8_t *data, size_t len); /* never with len 0 */
  void (*writable)(void *ctx);                               /* after a short write: there is room again */
  void (*closed)(void *ctx, const char *why); /* `why` NULL: the peer ended it in order. One line, valid in the call */
};

/* Where to connect to, and how. At most one of tls, ssh and auth. */
struct ww_stream_target {
  const char *host, *port;
  const char *source; /* own address, as a number; NULL: any */
  struct ww_tls *tls;
  const char *server_name; /* what the certificate must carry */
  struct ww_ssh *ssh;
  const char *subsystem;
  struct ww_tcp_auth *auth;
};

/* Connects to host and port, trying each address in turn. References are taken, texts are copied. NULL when memory ran
 * out. Failures, also that of the look-up, come as `closed`, later. */
struct ww_stream *ww_stream_connect(uv_loop_t *loop, const struct ww_stream_target *target,
                                    const struct ww_stream_events *events);
/* Takes an accepted socket, and owns it even on failure. */
struct ww_stream *ww_stream_accept(uv_loop_t *loop, int fd, struct ww_tls *tls, const struct ww_stream_events *events);

/* Right after accepting with TLS: the client's certificate must carry its own address (subjectAltName iPAddress). */
void ww_stream_check_address(struct ww_stream *stream);

/* Gives octets to the socket and returns how many it took; less than `len` means that `writable` will be called, and
 * that the next call must begin with the octets not taken. 0 after a failure, which comes as `closed`. */
size_t ww_stream_write(struct ww_stream *stream, const void *data, size_t len);
void ww_stream_pause(struct ww_stream *stream, bool pause); /* stops and resumes reading */
/* Ends in order: close_notify, then FIN, then waits for the peer to do so for at most two seconds, so that what was
 * written last is not lost to a reset. */
void ww_stream_close(struct ww_stream *stream);
void ww_stream_abort(struct ww_stream *stream);                 /* at once */
const char *ww_stream_peer(const struct ww_stream *stream);     /* "192.0.2.1:1790"; "" before the connection */
const char *ww_stream_describe(const struct ww_stream *stream); /* what TLS or SSH agreed on, or "plain" */
/* Whether that is the word of TLS or SSH on the other side, or the other side's on us, and no mere cut. */
bool ww_stream_is_verdict(const char *why);
bool ww_stream_address(const struct ww_stream *stream, struct sockaddr_storage *out); /* the peer's; false: none yet */

#endif
