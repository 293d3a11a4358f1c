/* SPDX-License-Identifier: BSD-2-Clause */
/* `waywarden slurm --preview`: what a SLURM set would change of the verdicts on a running daemon's routes. */
#ifndef WW_CLI_SLURM_PREVIEW_H
#define WW_CLI_SLURM_PREVIEW_H

#include "slurm/slurm.h"

/* `control` is the daemon's socket. Prints the changes; nothing in the daemon is changed. Returns an exit code. */
int ww_cli_slurm_preview(const struct ww_slurm *slurm, const char *control, bool as_json);

#endif
