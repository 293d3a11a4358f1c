/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads files that hold secrets.
 *
 * CHOICE: a file that its group or everybody may read is warned about and not refused. Service managers hand out
 * credentials in ways whose mode bits tell little, and a daemon that does not start is the worse failure.
 */
#include "daemon/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void ww_secret_wipe(char *text, size_t len) {
  if (text)
    explicit_bzero(text, len);
  free(text);
}

enum ww_err ww_secret_read(const char *path, char **text, size_t *len, struct ww_diag *diag) {
  *text = NULL;
  *len = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return ww_fail(diag, WW_ERR_IO, 0, NULL, "'%s': %s", path, strerror(errno));
  char *buf = malloc(WW_SECRET_FILE_MAX + 1);
  size_t at = 0;
  enum ww_err err = buf ? WW_OK : ww_fail(diag, WW_ERR_NOMEM, 0, NULL, "no memory for '%s'", path);
  while (err == WW_OK && at <= WW_SECRET_FILE_MAX) {
    ssize_t n = read(fd, buf + at, WW_SECRET_FILE_MAX + 1 - at);
    if (n == 0)
      break;
    if (n > 0)
      at += (size_t)n;
    else if (errno != EINTR)
      err = ww_fail(diag, WW_ERR_IO, 0, NULL, "'%s': %s", path, strerror(errno));
  }
  close(fd);
  if (err == WW_OK && at > WW_SECRET_FILE_MAX)
    err = ww_fail(diag, WW_ERR_LIMIT, 0, NULL, "'%s' is longer than %d octets", path, WW_SECRET_FILE_MAX);
  if (err != WW_OK) {
    ww_secret_wipe(buf, at);
    return err;
  }
  *text = buf;
  *len = at;
  return WW_OK;
}

void ww_secret_check_mode(const char *path, const char *who, const struct ww_log *log) {
  struct stat st;
  if (stat(path, &st) == 0 && st.st_mode & (S_IRWXG | S_IRWXO))
    ww_log(log, WW_LOG_WARNING, "%s: '%s' is a secret and has mode %04o: chmod 600 keeps others out", who, path,
           (unsigned)(st.st_mode & 07777));
}
