/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secrets that lie in files: read once, kept no longer than needed, wiped.
 */
#ifndef WW_DAEMON_SECRET_H
#define WW_DAEMON_SECRET_H

#include <stddef.h>
#include <waywarden/error.h>

#include "base/log.h"

enum { WW_SECRET_FILE_MAX = 8192 }; /* octets of a file with secrets */

/* The file's octets, freed by ww_secret_wipe(). */
enum ww_err ww_secret_read(const char *path, char **text, size_t *len, struct ww_diag *diag) WW_MUST_USE;
void ww_secret_wipe(char *text, size_t len); /* overwrites and frees; NULL is fine */

/* Warns when others than the owner may read the file. `who` begins the line, as in "rtr cache main". */
void ww_secret_check_mode(const char *path, const char *who, const struct ww_log *log);

#endif
