/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions to a running daemon: one line each way over its control socket, with a bound on the answer's length and on
 * how long it may take.
 */
#include "cli/ask.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli.h"

enum { ANSWER_TIMEOUT_S = 10, READ_SIZE = 64 * 1024 };

int ww_cli_ask(const char *command, const char *path, const char *question, struct ww_buf *answer) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};
  if (strlen(path) >= sizeof(address.sun_path))
    return ww_cli_fail(command, "%s: longer than a socket's path may be", path);
  memcpy(address.sun_path, path, strlen(path) + 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return ww_cli_fail(command, "%s", strerror(errno));
  int code = WW_EXIT_FAILED;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
    bool dead = errno == ENOENT || errno == ECONNREFUSED;
    ww_cli_fail(command, "%s: %s%s", path, strerror(errno), dead ? "; is the daemon running?" : "");
  } else if (send(fd, question, strlen(question), MSG_NOSIGNAL) != (ssize_t)strlen(question)) {
    ww_cli_fail(command, "%s: %s", path, strerror(errno));
  } else {
    for (;;) {
      uint8_t *to = ww_buf_reserve(answer, READ_SIZE);
      ssize_t n = to ? recv(fd, to, READ_SIZE, 0) : -1;
      if (n <= 0) {
        ww_cli_fail(command, "%s: %s", path,
                    n == 0            ? "closed in the middle of the answer"
                    : !to             ? "answer too long"
                    : errno == EAGAIN ? "no answer"
                                      : strerror(errno));
        break;
      }
      ww_buf_commit(answer, (size_t)n);
      if (to[n - 1] == '\n') {
        code = WW_EXIT_OK;
        break;
      }
    }
  }
  close(fd);
  return code;
}
