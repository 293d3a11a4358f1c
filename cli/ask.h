/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions to a running daemon over its control socket. */
#ifndef WW_CLI_ASK_H
#define WW_CLI_ASK_H

#include "base/buf.h"

enum { WW_ANSWER_MAX = 64 << 20 };

/* `question` is one line with its end. Returns an exit code, and has said what went wrong for `command`. */
int ww_cli_ask(const char *command, const char *path, const char *question, struct ww_buf *answer);

#endif
