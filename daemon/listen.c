/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listening sockets: a bound socket with a uv_poll_t, and a timer for when the process has run out of descriptors.
 * Accepted sockets are non-blocking and belong to the callback. Addresses are numeric: what a daemon listens on must
 * not depend on a look-up.
 */
#include "daemon/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LISTEN_BACKLOG = 64, ACCEPTS_A_TURN = 16, ACCEPT_REST_MS = 500 };

struct ww_listener {
  uv_poll_t poll;
  uv_timer_t rest; /* after running out of descriptors */
  int fd;
  ww_accept_fn accepted;
  void *ctx;
  char address[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
  bool is_unix;
};

static void on_incoming(uv_poll_t *handle, int status, int events);

static void on_rested(uv_timer_t *timer) {
  struct ww_listener *l = timer->data;
  uv_poll_start(&l->poll, UV_READABLE, on_incoming);
}

static void on_incoming(uv_poll_t *handle, int status, int events) {
  (void)status;
  (void)events;
  struct ww_listener *l = handle->data;
  for (int i = 0; i < ACCEPTS_A_TURN; i++) {
    struct sockaddr_storage peer;
    socklen_t len = sizeof(peer);
    int fd = accept4(l->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      /* Out of descriptors or memory: the connection stays in the queue and would wake us for ever. */
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        uv_poll_stop(handle);
        uv_timer_start(&l->rest, on_rested, ACCEPT_REST_MS, 0);
      }
      return;
    }
    l->accepted(l->ctx, fd, l->is_unix ? NULL : (struct sockaddr *)&peer);
    if (uv_is_closing((uv_handle_t *)handle))
      return;
  }
}

static enum ww_err start_listening(uv_loop_t *loop, int fd, const char *where, ww_accept_fn accepted, void *ctx,
                                   struct ww_listener **out, struct ww_diag *diag) {
  struct ww_listener *l = calloc(1, sizeof(*l));
  if (!l) {
    close(fd);
    return ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "no memory for a listener");
  }
  l->fd = fd;
  l->accepted = accepted;
  l->ctx = ctx;
  if (listen(fd, LISTEN_BACKLOG) != 0 || uv_poll_init(loop, &l->poll, fd) != 0) {
    enum ww_err err = ww_fail(diag, WW_ERR_IO, 0, NULL, "cannot listen on %s: %s", where, strerror(errno));
    close(fd);
    free(l);
    return err;
  }
  uv_timer_init(loop, &l->rest);
  l->poll.data = l->rest.data = l;
  uv_poll_start(&l->poll, UV_READABLE, on_incoming);
  *out = l;
  return WW_OK;
}

enum ww_err ww_listen(uv_loop_t *loop, const char *where, ww_accept_fn accepted, void *ctx, struct ww_listener **out,
                      struct ww_diag *diag) {
  struct sockaddr_storage address = {0};
  socklen_t len;
  enum ww_err err = ww_endpoint_parse(where, &address, &len, diag);
  if (err != WW_OK)
    return err;
  int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  if (fd < 0)
    return ww_fail(diag, WW_ERR_IO, 0, NULL, "cannot listen on %s: %s", where, strerror(errno));
  (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address.ss_family == AF_INET6)
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  if (bind(fd, (struct sockaddr *)&address, len) != 0) {
    err = ww_fail(diag, WW_ERR_IO, 0, NULL, "cannot listen on %s: %s", where, strerror(errno));
    close(fd);
    return err;
  }
  err = start_listening(loop, fd, where, accepted, ctx, out, diag);
  if (err != WW_OK)
    return err;
  len = sizeof(address);
  getsockname(fd, (struct sockaddr *)&address, &len);
  ww_endpoint_format((struct sockaddr *)&address, (*out)->address);
  return WW_OK;
}

enum ww_err ww_listen_unix(uv_loop_t *loop, const char *path, ww_accept_fn accepted, void *ctx,
                           struct ww_listener **out, struct ww_diag *diag) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof(address.sun_path))
    return ww_fail(diag, WW_ERR_LIMIT, 0, NULL, "%s: longer than a socket's path may be (%zu octets)", path,
                   sizeof(address.sun_path) - 1);
  memcpy(address.sun_path, path, strlen(path) + 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return ww_fail(diag, WW_ERR_IO, 0, NULL, "%s: %s", path, strerror(errno));
  struct stat st;
  enum ww_err err = WW_OK;
  if (lstat(path, &st) == 0) {
    if (!S_ISSOCK(st.st_mode))
      err = ww_fail(diag, WW_ERR_EXISTS, 0, NULL, "%s: exists and is not a socket", path);
    else if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN)
      err = ww_fail(diag, WW_ERR_EXISTS, 0, NULL, "%s: another process listens there", path);
    else
      unlink(path);
  }
  if (err == WW_OK) {
    mode_t old = umask(0177);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
      err = ww_fail(diag, WW_ERR_IO, 0, NULL, "%s: %s", path, strerror(errno));
    umask(old);
  }
  if (err != WW_OK) {
    close(fd);
    return err;
  }
  err = start_listening(loop, fd, path, accepted, ctx, out, diag);
  if (err != WW_OK) {
    unlink(path);
    return err;
  }
  (*out)->is_unix = true;
  memcpy((*out)->address, path, strlen(path) + 1);
  return WW_OK;
}

const char *ww_listener_address(const struct ww_listener *listener) { return listener->address; }

static void on_listener_closed(uv_handle_t *handle) { free(handle->data); }

/* Handles close in the order asked for, but nothing promises it: the second is closed when the first is. */
static void on_listener_poll_closed(uv_handle_t *handle) {
  struct ww_listener *l = handle->data;
  uv_close((uv_handle_t *)&l->rest, on_listener_closed);
}

void ww_listener_close(struct ww_listener *listener) {
  if (!listener)
    return;
  uv_poll_stop(&listener->poll);
  uv_timer_stop(&listener->rest);
  uv_close((uv_handle_t *)&listener->poll, on_listener_poll_closed);
  close(listener->fd);
  if (listener->is_unix)
    unlink(listener->address);
}

/* ---- addresses ---- */

enum ww_err ww_endpoint_parse(const char *text, struct sockaddr_storage *out, socklen_t *len, struct ww_diag *diag) {
  char host[INET6_ADDRSTRLEN + 1];
  const char *colon = strrchr(text, ':');
  const char *end = colon;
  const char *start = text;
  if (colon && text[0] == '[') {
    start++;
    end = colon > text && colon[-1] == ']' ? colon - 1 : NULL;
  } else if (colon && memchr(text, ':', (size_t)(colon - text))) {
    end = NULL; /* an IPv6 address must stand in brackets, or its last group would be a port */
  }
  if (!end || end < start || (size_t)(end - start) >= sizeof(host))
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "'%s' is not ADDRESS:PORT (IPv6: [ADDRESS]:PORT)", text);
  memcpy(host, start, (size_t)(end - start));
  host[end - start] = '\0';
  char *rest;
  errno = 0;
  unsigned long port = strtoul(colon + 1, &rest, 10);
  if (colon[1] < '0' || colon[1] > '9' || *rest || errno || port > 65535)
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "'%s': '%s' is not a port (0 to 65535)", text, colon + 1);
  memset(out, 0, sizeof(*out));
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
    memcpy(out, &v4, sizeof(v4));
    *len = sizeof(v4);
  } else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
    memcpy(out, &v6, sizeof(v6));
    *len = sizeof(v6);
  } else {
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "'%s': '%s' is not an address", text, host);
  }
  return WW_OK;
}

char *ww_endpoint_format(const struct sockaddr *address, char *buf) {
  char host[INET6_ADDRSTRLEN] = "";
  buf[0] = '\0';
  if (address->sa_family == AF_INET) {
    struct sockaddr_in v4;
    memcpy(&v4, address, sizeof(v4));
    inet_ntop(AF_INET, &v4.sin_addr, host, sizeof(host));
    snprintf(buf, WW_ENDPOINT_STRLEN, "%s:%u", host, ntohs(v4.sin_port));
  } else if (address->sa_family == AF_INET6) {
    struct sockaddr_in6 v6;
    memcpy(&v6, address, sizeof(v6));
    inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof(host));
    snprintf(buf, WW_ENDPOINT_STRLEN, "[%s]:%u", host, ntohs(v6.sin6_port));
  }
  return buf;
}
