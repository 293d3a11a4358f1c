/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The effective set served to routers over RTR: the sockets, timers and worker jobs around sources/rtr_server.c.
 */
#ifndef WW_DAEMON_RTR_SERVER_IO_H
#define WW_DAEMON_RTR_SERVER_IO_H

#include "daemon/daemon.h"
#include "sources/rtr_server.h"

struct ww_rtr_server_io;

struct ww_rtr_server_io *ww_rtr_server_io_new(struct ww_daemon *daemon); /* NULL when memory ran out */
/* Loads certificates and listens. False: something is wrong, and the log says what. */
bool ww_rtr_server_io_start(struct ww_rtr_server_io *io);
/* A snapshot was put in force. `deltas` lead to it from the one before; NULL: it is not known what does. */
void ww_rtr_server_io_publish(struct ww_rtr_server_io *io, struct ww_snapshot *snapshot,
                              const struct ww_payload_delta *deltas, size_t count);
void ww_rtr_server_io_reload(struct ww_rtr_server_io *io); /* certificates; connections keep theirs */
/* Says farewell. Clients that do not take it are cut after a while; the loop runs until then. */
void ww_rtr_server_io_stop(struct ww_rtr_server_io *io); /* NULL is fine, here and below */
void ww_rtr_server_io_free(struct ww_rtr_server_io *io); /* after the loop has ended */

struct ww_rtr_client_status {
  const char *address, *listener, *transport;
  int64_t since;
  struct ww_rtr_session_stats session;
};
/* The i-th client, or false. Strings are valid in the same callback only. */
bool ww_rtr_server_io_client(const struct ww_rtr_server_io *io, size_t i, struct ww_rtr_client_status *out);

struct ww_rtr_server_status {
  size_t listeners, clients;
  uint64_t connects, refused; /* refused: there were max-clients already */
  bool ready;
  uint32_t serial;
  uint16_t sessions[WW_RTR_VERSIONS];
  struct ww_rtr_data_stats data;
};
void ww_rtr_server_io_status(const struct ww_rtr_server_io *io, struct ww_rtr_server_status *out);

#endif
