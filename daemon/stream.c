/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream is a non-blocking socket with a uv_poll_t, plain or under TLS, in one of these states:
 *
 *   RESOLVING -> CONNECTING -> HANDSHAKE -> OPEN -> LINGER -> DEAD
 *
 * Accepted sockets start at HANDSHAKE, plain ones pass it at once. LINGER is our orderly end: close_notify and FIN are
 * out, what still comes in is thrown away until the peer ends too or two seconds are over. DEAD waits for libuv to let
 * go of the handles.
 *
 * The socket is polled rather than wrapped in uv_tcp_t: OpenSSL then reads and writes it directly, there is no queue of
 * write requests that could grow, and whoever writes learns at once how much the socket took.
 *
 * Ownership: the stream owns the socket and the TLS session and frees itself when its last handle is closed; its user
 * holds a borrowed pointer that ends with `closed` or with the user's own close. A user's callback may end the stream,
 * so after every callback the state is looked at again before anything else is touched.
 *
 * A failure found while writing is not reported from inside ww_stream_write() (its caller is in the middle of
 * something) but from the loop: `again` is an idle handle that runs on_again() once.
 */
#include "daemon/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/listen.h"

enum {
  CONNECT_TIMEOUT_MS = 10000, /* for each address */
  HANDSHAKE_TIMEOUT_MS = 10000,
  LINGER_MS = 2000,
  READ_CHUNK = 64 * 1024,
  READ_CHUNKS_A_TURN = 4, /* then other handles get their turn */
  KEEPALIVE_IDLE_S = 30,
  KEEPALIVE_INTERVAL_S = 10,
  KEEPALIVE_PROBES = 3,
};

enum stream_state { STREAM_RESOLVING, STREAM_CONNECTING, STREAM_HANDSHAKE, STREAM_OPEN, STREAM_LINGER, STREAM_DEAD };

struct ww_stream {
  uv_loop_t *loop;
  struct ww_stream_events events;
  enum stream_state state;
  struct ww_tls *tls; /* a reference; NULL plain */
  struct ww_tls_session *session;
  int fd;
  uv_poll_t *poll; /* its own allocation: each address tried has a new socket and so a new handle */
  int polling;     /* events asked of it */
  uv_timer_t timer;
  uv_idle_t again;
  uv_getaddrinfo_t resolve;
  bool resolving;
  struct addrinfo *addresses, *address; /* list, and the one being tried */
  bool paused, want_write, flip;        /* flip: the handshake, or a write, waits for readability */
  bool failed;
  unsigned handles; /* embedded handles and requests that libuv still holds */
  char server_name[256];
  char peer[WW_ENDPOINT_STRLEN];
  char why[640];
  uint8_t buf[READ_CHUNK];
};

static void on_poll(uv_poll_t *handle, int status, int events);
static void on_again(uv_idle_t *handle);
static void try_address(struct ww_stream *s);

/* ---- endings ---- */

static void release(struct ww_stream *s) {
  if (--s->handles > 0)
    return;
  ww_tls_unref(s->tls);
  free(s);
}

static void on_timer_closed(uv_handle_t *handle) { release(handle->data); }

static void on_poll_closed(uv_handle_t *handle) { free(handle); }

static void drop_socket(struct ww_stream *s) {
  ww_tls_session_free(s->session);
  s->session = NULL;
  if (s->poll) {
    uv_poll_stop(s->poll);
    uv_close((uv_handle_t *)s->poll, on_poll_closed);
    s->poll = NULL;
    s->polling = 0;
  }
  if (s->fd >= 0)
    close(s->fd);
  s->fd = -1;
}

static void kill_stream(struct ww_stream *s) {
  if (s->state == STREAM_DEAD)
    return;
  s->state = STREAM_DEAD;
  drop_socket(s);
  if (s->addresses)
    uv_freeaddrinfo(s->addresses);
  s->addresses = NULL;
  if (s->resolving)
    uv_cancel((uv_req_t *)&s->resolve);
  uv_close((uv_handle_t *)&s->timer, on_timer_closed);
  uv_close((uv_handle_t *)&s->again, on_timer_closed);
}

/* Ends the stream and tells its user. */
static void finish(struct ww_stream *s, const char *why) {
  if (s->state == STREAM_DEAD)
    return;
  bool tell = s->state != STREAM_LINGER;
  struct ww_stream_events events = s->events;
  char text[sizeof(s->why)];
  if (why)
    snprintf(text, sizeof(text), "%s", why);
  kill_stream(s); /* memory stays until the loop has closed the handles */
  if (tell)
    events.closed(events.ctx, why ? text : NULL);
}

/* To be told from the loop. */
static void fail_later(struct ww_stream *s, const char *why) {
  if (s->failed)
    return;
  s->failed = true;
  snprintf(s->why, sizeof(s->why), "%s", why);
  uv_idle_start(&s->again, on_again);
}

/* ---- polling ---- */

static void rearm(struct ww_stream *s) {
  if (!s->poll || s->state == STREAM_DEAD)
    return;
  int events = 0;
  switch (s->state) {
  case STREAM_CONNECTING:
    events = UV_WRITABLE;
    break;
  case STREAM_HANDSHAKE:
    events = s->want_write ? UV_WRITABLE : UV_READABLE;
    break;
  case STREAM_OPEN:
    events = (s->paused ? 0 : UV_READABLE) | (s->want_write && !s->flip ? UV_WRITABLE : 0);
    break;
  default:
    events = UV_READABLE;
  }
  if (events == s->polling)
    return;
  s->polling = events;
  if (events)
    uv_poll_start(s->poll, events, on_poll);
  else
    uv_poll_stop(s->poll);
}

static bool adopt_socket(struct ww_stream *s, int fd) {
  s->fd = fd;
  s->poll = calloc(1, sizeof(*s->poll));
  if (!s->poll)
    return false;
  if (uv_poll_init(s->loop, s->poll, fd) != 0) {
    free(s->poll);
    s->poll = NULL;
    return false;
  }
  s->poll->data = s;
  return true;
}

static void set_options(int fd) {
  int on = 1, idle = KEEPALIVE_IDLE_S, interval = KEEPALIVE_INTERVAL_S, probes = KEEPALIVE_PROBES;
  /* They fail on Unix sockets, harmlessly. RFC 7854 §3.2 has stations silent, so a dead one shows by keepalive only. */
  (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void on_timer(uv_timer_t *timer) {
  struct ww_stream *s = timer->data;
  if (s->state == STREAM_CONNECTING) {
    snprintf(s->why, sizeof(s->why), "%s: no answer in %d s", s->peer, CONNECT_TIMEOUT_MS / 1000);
    drop_socket(s);
    s->address = s->address->ai_next;
    try_address(s);
  } else if (s->state == STREAM_HANDSHAKE) {
    finish(s, "TLS: handshake not finished in 10 s");
  } else {
    kill_stream(s); /* lingered long enough */
  }
}

/* ---- opening ---- */

static void handshake(struct ww_stream *s) {
  switch (ww_tls_handshake(s->session)) {
  case WW_TLS_DONE:
    s->want_write = false;
    s->state = STREAM_OPEN;
    uv_timer_stop(&s->timer);
    rearm(s);
    if (ww_tls_pending(s->session))
      uv_idle_start(&s->again, on_again);
    s->events.opened(s->events.ctx);
    return;
  case WW_TLS_WANT_READ:
    s->want_write = false;
    break;
  case WW_TLS_WANT_WRITE:
    s->want_write = true;
    break;
  case WW_TLS_EOF:
    finish(s, "connection closed during the TLS handshake");
    return;
  case WW_TLS_FAILED:
    snprintf(s->why, sizeof(s->why), "%s", ww_tls_session_reason(s->session));
    /* Our alert is in the socket; unread input must not turn it into a reset. */
    {
      struct ww_stream_events events = s->events;
      char why[sizeof(s->why)];
      memcpy(why, s->why, sizeof(why));
      s->state = STREAM_LINGER;
      ww_tls_session_free(s->session);
      s->session = NULL;
      shutdown(s->fd, SHUT_WR);
      uv_timer_start(&s->timer, on_timer, LINGER_MS, 0);
      rearm(s);
      events.closed(events.ctx, why);
    }
    return;
  }
  rearm(s);
}

static void begin(struct ww_stream *s) {
  set_options(s->fd);
  if (!s->tls) {
    s->state = STREAM_OPEN;
    uv_timer_stop(&s->timer);
    rearm(s);
    s->events.opened(s->events.ctx);
    return;
  }
  s->session = ww_tls_session_new(s->tls, s->fd, s->server_name);
  if (!s->session) {
    finish(s, "TLS: no session could be made");
    return;
  }
  s->state = STREAM_HANDSHAKE;
  uv_timer_start(&s->timer, on_timer, HANDSHAKE_TIMEOUT_MS, 0);
  handshake(s);
}

static void connected(struct ww_stream *s) {
  int error = 0;
  socklen_t len = sizeof(error);
  getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len);
  if (error) {
    snprintf(s->why, sizeof(s->why), "%s: %s", s->peer, strerror(error));
    drop_socket(s);
    s->address = s->address->ai_next;
    try_address(s);
    return;
  }
  begin(s);
}

/* Tries s->address and those after it; s->why holds what the last one said. */
static void try_address(struct ww_stream *s) {
  for (; s->address; s->address = s->address->ai_next) {
    const struct addrinfo *a = s->address;
    ww_endpoint_format(a->ai_addr, s->peer);
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      snprintf(s->why, sizeof(s->why), "%s: %s", s->peer, strerror(errno));
      continue;
    }
    if (connect(fd, a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS) {
      snprintf(s->why, sizeof(s->why), "%s: %s", s->peer, strerror(errno));
      close(fd);
      continue;
    }
    s->state = STREAM_CONNECTING;
    if (!adopt_socket(s, fd)) {
      snprintf(s->why, sizeof(s->why), "%s: cannot be polled", s->peer);
      drop_socket(s);
      continue;
    }
    uv_timer_start(&s->timer, on_timer, CONNECT_TIMEOUT_MS, 0);
    rearm(s);
    return;
  }
  finish(s, s->why[0] ? s->why : "no address");
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses) {
  struct ww_stream *s = request->data;
  s->resolving = false;
  if (s->state == STREAM_DEAD) {
    if (addresses)
      uv_freeaddrinfo(addresses);
    release(s);
    return;
  }
  s->handles--; /* others are left: the timer at least */
  s->addresses = s->address = addresses;
  if (status != 0)
    snprintf(s->why, sizeof(s->why), "look-up failed: %s", uv_strerror(status));
  try_address(s);
}

static struct ww_stream *stream_new(uv_loop_t *loop, struct ww_tls *tls, const struct ww_stream_events *events) {
  struct ww_stream *s = calloc(1, sizeof(*s));
  if (!s)
    return NULL;
  s->loop = loop;
  s->tls = ww_tls_ref(tls);
  s->events = *events;
  s->fd = -1;
  uv_timer_init(loop, &s->timer);
  uv_idle_init(loop, &s->again);
  s->timer.data = s;
  s->again.data = s;
  s->handles = 2;
  return s;
}

struct ww_stream *ww_stream_connect(uv_loop_t *loop, const char *host, const char *port, struct ww_tls *tls,
                                    const char *server_name, const struct ww_stream_events *events) {
  struct ww_stream *s = stream_new(loop, tls, events);
  if (!s)
    return NULL;
  s->state = STREAM_RESOLVING;
  snprintf(s->server_name, sizeof(s->server_name), "%s", server_name ? server_name : "");
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  s->resolve.data = s;
  int status = uv_getaddrinfo(loop, &s->resolve, on_resolved, host, port, &hints);
  if (status == 0) {
    s->resolving = true;
    s->handles++;
  } else {
    fail_later(s, uv_strerror(status));
  }
  return s;
}

struct ww_stream *ww_stream_accept(uv_loop_t *loop, int fd, struct ww_tls *tls, const struct ww_stream_events *events) {
  struct ww_stream *s = stream_new(loop, tls, events);
  if (!s) {
    close(fd);
    return NULL;
  }
  struct sockaddr_storage peer = {0};
  socklen_t len = sizeof(peer);
  if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0)
    ww_endpoint_format((struct sockaddr *)&peer, s->peer);
  s->state = STREAM_HANDSHAKE;
  if (!adopt_socket(s, fd))
    fail_later(s, "socket cannot be polled");
  else
    uv_idle_start(&s->again, on_again); /* begins from the loop, so that `opened` follows this call */
  return s;
}

void ww_stream_check_address(struct ww_stream *stream) {
  struct sockaddr_storage peer = {0};
  socklen_t len = sizeof(peer);
  const void *address = NULL;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  if (stream->fd >= 0 && getpeername(stream->fd, (struct sockaddr *)&peer, &len) == 0) {
    memcpy(&v4, &peer, sizeof(v4));
    memcpy(&v6, &peer, sizeof(v6));
    address = peer.ss_family == AF_INET    ? (const void *)&v4.sin_addr
              : peer.ss_family == AF_INET6 ? (const void *)&v6.sin6_addr
                                           : NULL;
  }
  if (!address || !inet_ntop(peer.ss_family, address, stream->server_name, sizeof(stream->server_name)))
    fail_later(stream, "its address is not known, so its certificate cannot be checked");
}

/* ---- reading ---- */

enum read_result { READ_MORE, READ_WAIT, READ_OVER };

static enum read_result read_once(struct ww_stream *s, size_t *n) {
  *n = 0;
  if (s->session) {
    switch (ww_tls_read(s->session, s->buf, sizeof(s->buf), n)) {
    case WW_TLS_DONE:
      return READ_MORE;
    case WW_TLS_WANT_READ:
      return READ_WAIT;
    case WW_TLS_WANT_WRITE: /* a key update to be answered */
      s->want_write = true;
      return READ_WAIT;
    case WW_TLS_EOF:
      finish(s, NULL);
      return READ_OVER;
    case WW_TLS_FAILED:
      finish(s, ww_tls_session_reason(s->session));
      return READ_OVER;
    }
  }
  ssize_t got = recv(s->fd, s->buf, sizeof(s->buf), 0);
  if (got > 0) {
    *n = (size_t)got;
    return READ_MORE;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return READ_WAIT;
  finish(s, got == 0 ? NULL : strerror(errno));
  return READ_OVER;
}

static void read_turn(struct ww_stream *s) {
  for (int i = 0; i < READ_CHUNKS_A_TURN; i++) {
    size_t n;
    enum read_result result = read_once(s, &n);
    if (result == READ_OVER)
      return;
    if (result == READ_WAIT) {
      rearm(s);
      return;
    }
    s->events.input(s->events.ctx, s->buf, n);
    if (s->state != STREAM_OPEN || s->paused)
      return;
    if (!s->session && n < sizeof(s->buf))
      return; /* the socket is empty, or poll says otherwise */
  }
  if (s->session && ww_tls_pending(s->session))
    uv_idle_start(&s->again, on_again); /* poll does not know what OpenSSL holds */
}

static void linger_turn(struct ww_stream *s) {
  ssize_t got = recv(s->fd, s->buf, sizeof(s->buf), 0);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
    kill_stream(s);
}

static void on_again(uv_idle_t *handle) {
  struct ww_stream *s = handle->data;
  uv_idle_stop(handle);
  if (s->state == STREAM_DEAD)
    return;
  if (s->failed)
    finish(s, s->why);
  else if (s->state == STREAM_HANDSHAKE && !s->session)
    begin(s);
  else if (s->state == STREAM_OPEN && !s->paused)
    read_turn(s);
}

static void on_poll(uv_poll_t *handle, int status, int events) {
  struct ww_stream *s = handle->data;
  if (s->state == STREAM_DEAD || s->poll != handle)
    return;
  if (status < 0)
    events = UV_READABLE | UV_WRITABLE; /* the socket itself says what is wrong */
  switch (s->state) {
  case STREAM_CONNECTING:
    connected(s);
    return;
  case STREAM_HANDSHAKE:
    if (s->session)
      handshake(s);
    return;
  case STREAM_LINGER:
    linger_turn(s);
    return;
  default:
    break;
  }
  if ((events & UV_WRITABLE || (s->flip && events & UV_READABLE)) && s->want_write) {
    s->want_write = s->flip = false;
    rearm(s);
    s->events.writable(s->events.ctx);
    if (s->state != STREAM_OPEN || s->poll != handle)
      return;
  }
  if (events & UV_READABLE && !s->paused && !s->failed)
    read_turn(s);
}

/* ---- the user's calls ---- */

size_t ww_stream_write(struct ww_stream *stream, const void *data, size_t len) {
  struct ww_stream *s = stream;
  const uint8_t *p = data;
  size_t done = 0;
  if (s->state != STREAM_OPEN || s->failed)
    return 0;
  while (done < len) {
    size_t n = 0;
    if (s->session) {
      enum ww_tls_io io = ww_tls_write(s->session, p + done, len - done, &n);
      if (io == WW_TLS_DONE) {
        done += n;
        continue;
      }
      if (io == WW_TLS_FAILED || io == WW_TLS_EOF) {
        fail_later(s, io == WW_TLS_FAILED ? ww_tls_session_reason(s->session) : "the peer closed the connection");
        return done;
      }
      s->flip = io == WW_TLS_WANT_READ;
    } else {
      ssize_t sent = send(s->fd, p + done, len - done, MSG_NOSIGNAL);
      if (sent >= 0) {
        done += (size_t)sent;
        continue;
      }
      if (errno == EINTR)
        continue;
      if (errno != EAGAIN) {
        fail_later(s, strerror(errno));
        return done;
      }
    }
    s->want_write = true;
    rearm(s);
    break;
  }
  return done;
}

void ww_stream_pause(struct ww_stream *stream, bool pause) {
  if (stream->paused == pause || stream->state != STREAM_OPEN)
    return;
  stream->paused = pause;
  rearm(stream);
  if (!pause && stream->session && ww_tls_pending(stream->session))
    uv_idle_start(&stream->again, on_again);
}

void ww_stream_close(struct ww_stream *stream) {
  struct ww_stream *s = stream;
  if (s->state != STREAM_OPEN || s->failed) {
    kill_stream(s);
    return;
  }
  /* RFC 8446 §6.1: close_notify before the connection ends. Should the socket be full it does not fit; then the peer
   * sees the end as a cut, which it is. */
  if (s->session)
    (void)!ww_tls_close(s->session);
  ww_tls_session_free(s->session);
  s->session = NULL;
  shutdown(s->fd, SHUT_WR);
  s->state = STREAM_LINGER;
  uv_idle_stop(&s->again);
  uv_timer_start(&s->timer, on_timer, LINGER_MS, 0);
  rearm(s);
}

void ww_stream_abort(struct ww_stream *stream) { kill_stream(stream); }

const char *ww_stream_peer(const struct ww_stream *stream) { return stream->peer; }

const char *ww_stream_describe(const struct ww_stream *stream) {
  return stream->session ? ww_tls_session_describe(stream->session) : "plain";
}
