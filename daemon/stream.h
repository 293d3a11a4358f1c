/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stream sockets on the event loop: connecting out by name, and moving octets, plain or inside TLS. Nothing here knows
 * a protocol.
 */
#ifndef WW_DAEMON_STREAM_H
#define WW_DAEMON_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/tls.h"

struct ww_stream;

/* All on the loop's thread. After `closed` the stream is gone; after ww_stream_close() or _abort() nothing is called
 * any more. Any callback may close its stream. */
struct ww_stream_events {
  void *ctx;
  void (*opened)(void *ctx);                                 /* connected, and with TLS both sides are authenticated */
  void (*input)(void *ctx, const uint8_t *data, size_t len); /* never with len 0 */
  void (*writable)(void *ctx);                               /* after a short write: there is room again */
  void (*closed)(void *ctx, const char *why); /* `why` NULL: the peer ended it in order. One line, valid in the call */
};

/* Connects to host and port, trying each address in turn. `tls` NULL: plain; else `server_name` is what the
 * certificate must carry. NULL when memory ran out. Failures, also that of the look-up, come as `closed`, later. */
struct ww_stream *ww_stream_connect(uv_loop_t *loop, const char *host, const char *port, struct ww_tls *tls,
                                    const char *server_name, const struct ww_stream_events *events);
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
const char *ww_stream_describe(const struct ww_stream *stream); /* what TLS agreed on, or "plain" */

#endif
