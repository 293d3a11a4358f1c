/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How an RTR cache is reached: what its section of the configuration says of the transport, made ready to connect.
 */
#ifndef WW_DAEMON_RTR_TRANSPORT_H
#define WW_DAEMON_RTR_TRANSPORT_H

#include "daemon/config.h"
#include "daemon/stream.h"

/* Keys and certificates of one cache. Zero-initialise; freed by _fini(). */
struct ww_rtr_transport {
  struct ww_tls *tls;
  struct ww_ssh *ssh;
  struct ww_tcp_auth *auth;
  char server_name[256]; /* with TLS: what the certificate must carry */
};

/* Reads the files. *diag says what is wrong; what the log should know beside that it is told. */
enum ww_err ww_rtr_transport_load(const struct ww_config_rtr *config, const struct ww_log *log,
                                  struct ww_rtr_transport *out, struct ww_diag *diag) WW_MUST_USE;
void ww_rtr_transport_fini(struct ww_rtr_transport *transport);

struct ww_stream_target ww_rtr_transport_target(const struct ww_config_rtr *config,
                                                const struct ww_rtr_transport *transport);
/* An address that RFC 8210 §9 could mean by "the same trusted and controlled network". */
bool ww_rtr_address_is_near(const struct sockaddr *address);

#endif
