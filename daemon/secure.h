/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a layer over a non-blocking socket (daemon/tls.h, daemon/ssh.h) answers to the stream that drives it.
 */
#ifndef WW_DAEMON_SECURE_H
#define WW_DAEMON_SECURE_H

enum ww_secure_io {
  WW_SECURE_DONE,       /* handshake or close finished; octets were moved */
  WW_SECURE_WANT_READ,  /* try again when the socket is readable */
  WW_SECURE_WANT_WRITE, /* try again when it is writable */
  WW_SECURE_EOF,        /* the peer ended the session in order */
  WW_SECURE_FAILED,     /* the session's reason says why; only _free() is left */
};

#endif
