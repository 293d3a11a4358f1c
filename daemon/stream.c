/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream is a non-blocking socket with a uv_poll_t, plain or under TLS or SSH, in one of these states:
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
 * TLS and SSH are two layers with the same questions (secure.h); the functions layer_*() ask the one that is there.
 *
 * Ownership: the stream owns the socket and the layer's session and frees itself when its last handle is closed; its
 * user holds a borrowed pointer that ends with `closed` or with the user's own close. A user's callback may end the
 * stream, so after every callback the state is looked at again before anything else is touched.
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
  struct ww_tls *tls; /* references; NULL: not that layer */
  struct ww_ssh *ssh;
  struct ww_tcp_auth *auth;
  struct ww_tls_session *session; /* one of the two at most */
  struct ww_ssh_session *ssh_session;
  bool more; /* the layer may hold octets that poll knows nothing of */
  int fd;
  uv_poll_t *poll; /* its own allocation: each address tried has a new socket and so a new handle */
  int polling;     /* events asked of it */
  uv_timer_t timer;
  uv_idle_t again;
  uv_getaddrinfo_t resolve;
  bool resolving;
  struct addrinfo *addresses, *address; /* list, and the one being tried */
  bool paused, want_write, flip;        /* flip: the handshake, or a write, waits for readability */
  bool read_wants_write;                /* reading goes on when the socket is writable */
  bool failed;
  unsigned handles; /* embedded handles and requests that libuv still holds */
  char host[256], port[8], source[64], subsystem[32], server_name[256];
  char peer[WW_ENDPOINT_STRLEN];
  char why[640];
  uint8_t buf[READ_CHUNK];
};

static void on_poll(uv_poll_t *handle, int status, int events);
static void on_again(uv_idle_t *handle);
static void try_address(struct ww_stream *s);

/* ---- the layer ---- */

static bool layered(const struct ww_stream *s) { return s->session || s->ssh_session; }

static void layer_free(struct ww_stream *s) {
  ww_tls_session_free(s->session);
  ww_ssh_session_free(s->ssh_session);
  s->session = NULL;
  s->ssh_session = NULL;
  s->more = false;
}

static bool layer_new(struct ww_stream *s) {
  if (s->ssh)
    s->ssh_session = ww_ssh_session_new(s->ssh, s->fd, s->host, s->port, s->subsystem);
  else
    s->session = ww_tls_session_new(s->tls, s->fd, s->server_name);
  return layered(s);
}

static const char *layer_name(const struct ww_stream *s) { return s->ssh ? "SSH" : "TLS"; }

static enum ww_secure_io layer_handshake(struct ww_stream *s) {
  return s->ssh_session ? ww_ssh_handshake(s->ssh_session) : ww_tls_handshake(s->session);
}

static enum ww_secure_io layer_read(struct ww_stream *s, void *buf, size_t size, size_t *n) {
  enum ww_secure_io io =
      s->ssh_session ? ww_ssh_read(s->ssh_session, buf, size, n) : ww_tls_read(s->session, buf, size, n);
  s->more = s->ssh_session ? io == WW_SECURE_DONE : ww_tls_pending(s->session);
  return io;
}

static enum ww_secure_io layer_write(struct ww_stream *s, const void *data, size_t len, size_t *n) {
  return s->ssh_session ? ww_ssh_write(s->ssh_session, data, len, n) : ww_tls_write(s->session, data, len, n);
}

static const char *layer_reason(const struct ww_stream *s) {
  return s->ssh_session ? ww_ssh_session_reason(s->ssh_session) : ww_tls_session_reason(s->session);
}

/* ---- endings ---- */

static void release(struct ww_stream *s) {
  if (--s->handles > 0)
    return;
  ww_tls_unref(s->tls);
  ww_ssh_unref(s->ssh);
  ww_tcp_auth_unref(s->auth);
  free(s);
}

static void on_timer_closed(uv_handle_t *handle) { release(handle->data); }

static void on_poll_closed(uv_handle_t *handle) { free(handle); }

static void drop_socket(struct ww_stream *s) {
  layer_free(s);
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
    if (s->read_wants_write)
      events |= UV_WRITABLE;
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
    /* What a wrong key looks like is nothing at all. */
    snprintf(s->why, sizeof(s->why), "%s: no answer in %d s%s%s%s", s->peer, CONNECT_TIMEOUT_MS / 1000,
             s->auth ? ": perhaps another password there, or no " : "", s->auth ? ww_tcp_auth_name(s->auth) : "",
             s->auth ? ", or nobody listens" : "");
    drop_socket(s);
    s->address = s->address->ai_next;
    try_address(s);
  } else if (s->state == STREAM_HANDSHAKE) {
    snprintf(s->why, sizeof(s->why), "%s: handshake not finished in %d s", layer_name(s), HANDSHAKE_TIMEOUT_MS / 1000);
    finish(s, s->why);
  } else {
    kill_stream(s); /* lingered long enough */
  }
}

/* ---- opening ---- */

static void handshake(struct ww_stream *s) {
  switch (layer_handshake(s)) {
  case WW_SECURE_DONE:
    s->want_write = false;
    s->state = STREAM_OPEN;
    uv_timer_stop(&s->timer);
    rearm(s);
    uv_idle_start(&s->again, on_again); /* what came with the handshake's last octets is in the layer */
    s->events.opened(s->events.ctx);
    return;
  case WW_SECURE_WANT_READ:
    s->want_write = false;
    break;
  case WW_SECURE_WANT_WRITE:
    s->want_write = true;
    break;
  case WW_SECURE_EOF:
    snprintf(s->why, sizeof(s->why), "connection closed during the %s handshake", layer_name(s));
    finish(s, s->why);
    return;
  case WW_SECURE_FAILED:
    snprintf(s->why, sizeof(s->why), "%s", layer_reason(s));
    /* Our alert is in the socket; unread input must not turn it into a reset. */
    {
      struct ww_stream_events events = s->events;
      char why[sizeof(s->why)];
      memcpy(why, s->why, sizeof(why));
      s->state = STREAM_LINGER;
      layer_free(s);
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
  if (!s->tls && !s->ssh) {
    s->state = STREAM_OPEN;
    uv_timer_stop(&s->timer);
    rearm(s);
    s->events.opened(s->events.ctx);
    return;
  }
  if (!layer_new(s)) {
    snprintf(s->why, sizeof(s->why), "%s: no session could be made", layer_name(s));
    finish(s, s->why);
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

/* Binds to the own address, and gives the kernel the keys. False with s->why. */
static bool prepare(struct ww_stream *s, int fd, const struct addrinfo *to) {
  if (s->source[0]) {
    struct addrinfo hints = {
        .ai_family = to->ai_family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_PASSIVE};
    struct addrinfo *from = NULL;
    if (getaddrinfo(s->source, NULL, &hints, &from) != 0) {
      snprintf(s->why, sizeof(s->why), "%s: not of the family of the source address %s", s->peer, s->source);
      return false;
    }
    int rc = bind(fd, from->ai_addr, from->ai_addrlen);
    freeaddrinfo(from);
    if (rc != 0) {
      snprintf(s->why, sizeof(s->why), "source address %s: %s", s->source, strerror(errno));
      return false;
    }
  }
  if (s->auth && !ww_tcp_auth_apply(s->auth, fd, to->ai_addr, to->ai_addrlen)) {
    snprintf(s->why, sizeof(s->why), "%s: the kernel takes no key for %s: %s", s->peer, ww_tcp_auth_name(s->auth),
             strerror(errno));
    return false;
  }
  return true;
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
    if (!prepare(s, fd, a)) {
      close(fd);
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
    snprintf(s->why, sizeof(s->why), "look-up of '%s' failed: %s", s->host, uv_strerror(status));
  try_address(s);
}

static struct ww_stream *stream_new(uv_loop_t *loop, const struct ww_stream_events *events) {
  struct ww_stream *s = calloc(1, sizeof(*s));
  if (!s)
    return NULL;
  s->loop = loop;
  s->events = *events;
  s->fd = -1;
  uv_timer_init(loop, &s->timer);
  uv_idle_init(loop, &s->again);
  s->timer.data = s;
  s->again.data = s;
  s->handles = 2;
  return s;
}

static void copy(char *to, size_t size, const char *from) { snprintf(to, size, "%s", from ? from : ""); }

struct ww_stream *ww_stream_connect(uv_loop_t *loop, const struct ww_stream_target *target,
                                    const struct ww_stream_events *events) {
  struct ww_stream *s = stream_new(loop, events);
  if (!s)
    return NULL;
  s->state = STREAM_RESOLVING;
  s->tls = ww_tls_ref(target->tls);
  s->ssh = ww_ssh_ref(target->ssh);
  s->auth = ww_tcp_auth_ref(target->auth);
  copy(s->host, sizeof(s->host), target->host);
  copy(s->port, sizeof(s->port), target->port);
  copy(s->source, sizeof(s->source), target->source);
  copy(s->subsystem, sizeof(s->subsystem), target->subsystem);
  copy(s->server_name, sizeof(s->server_name), target->server_name);
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  s->resolve.data = s;
  int status = uv_getaddrinfo(loop, &s->resolve, on_resolved, target->host, target->port, &hints);
  if (status == 0) {
    s->resolving = true;
    s->handles++;
  } else {
    fail_later(s, uv_strerror(status));
  }
  return s;
}

struct ww_stream *ww_stream_accept(uv_loop_t *loop, int fd, struct ww_tls *tls, const struct ww_stream_events *events) {
  struct ww_stream *s = stream_new(loop, events);
  if (!s) {
    close(fd);
    return NULL;
  }
  s->tls = ww_tls_ref(tls);
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
  if (layered(s)) {
    s->read_wants_write = false;
    switch (layer_read(s, s->buf, sizeof(s->buf), n)) {
    case WW_SECURE_DONE:
      return READ_MORE;
    case WW_SECURE_WANT_READ:
      return READ_WAIT;
    case WW_SECURE_WANT_WRITE: /* a key update to be answered, a window to be opened */
      s->read_wants_write = true;
      return READ_WAIT;
    case WW_SECURE_EOF:
      finish(s, NULL);
      return READ_OVER;
    case WW_SECURE_FAILED:
      finish(s, layer_reason(s));
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
    if (!layered(s) && n < sizeof(s->buf))
      return; /* the socket is empty, or poll says otherwise */
  }
  if (s->more)
    uv_idle_start(&s->again, on_again); /* poll does not know what the layer holds */
  rearm(s);
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
  else if (s->state == STREAM_HANDSHAKE && !layered(s))
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
    if (layered(s))
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
  if ((events & UV_READABLE || (s->read_wants_write && events & UV_WRITABLE)) && !s->paused && !s->failed)
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
    if (layered(s)) {
      enum ww_secure_io io = layer_write(s, p + done, len - done, &n);
      if (io == WW_SECURE_DONE) {
        done += n;
        continue;
      }
      if (io == WW_SECURE_FAILED || io == WW_SECURE_EOF) {
        fail_later(s, io == WW_SECURE_FAILED ? layer_reason(s) : "the peer closed the connection");
        return done;
      }
      s->flip = io == WW_SECURE_WANT_READ;
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
  if (s->ssh_session)
    uv_idle_start(&s->again, on_again); /* libssh may have read while it wrote, or keep what the socket did not take */
  return done;
}

void ww_stream_pause(struct ww_stream *stream, bool pause) {
  if (stream->paused == pause || stream->state != STREAM_OPEN)
    return;
  stream->paused = pause;
  rearm(stream);
  if (!pause && stream->more)
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
  if (s->ssh_session)
    ww_ssh_close(s->ssh_session);
  layer_free(s);
  shutdown(s->fd, SHUT_WR);
  s->state = STREAM_LINGER;
  uv_idle_stop(&s->again);
  uv_timer_start(&s->timer, on_timer, LINGER_MS, 0);
  rearm(s);
}

void ww_stream_abort(struct ww_stream *stream) { kill_stream(stream); }

const char *ww_stream_peer(const struct ww_stream *stream) { return stream->peer; }

const char *ww_stream_describe(const struct ww_stream *stream) {
  if (stream->ssh_session)
    return ww_ssh_session_describe(stream->ssh_session);
  return stream->session ? ww_tls_session_describe(stream->session) : "plain";
}

bool ww_stream_is_verdict(const char *why) { return strncmp(why, "TLS: ", 5) == 0 || strncmp(why, "SSH: ", 5) == 0; }

bool ww_stream_address(const struct ww_stream *stream, struct sockaddr_storage *out) {
  socklen_t len = sizeof(*out);
  memset(out, 0, sizeof(*out));
  return stream->fd >= 0 && getpeername(stream->fd, (struct sockaddr *)out, &len) == 0;
}
