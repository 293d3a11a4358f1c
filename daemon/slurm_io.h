/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SLURM files of the configuration: reads them at the start, looks for changes, and hands good sets to the
 * pipeline.
 */
#ifndef WW_DAEMON_SLURM_IO_H
#define WW_DAEMON_SLURM_IO_H

#include "daemon/daemon.h"

struct ww_slurm_set;

/* Reads the files. NULL: some file is bad, or memory ran out; said to the log. */
struct ww_slurm_io *ww_slurm_io_new(struct ww_daemon *daemon);
/* The set that was read, to begin with; NULL without files. The caller's, once. */
struct ww_slurm_set *ww_slurm_io_take(struct ww_slurm_io *io);
void ww_slurm_io_start(struct ww_slurm_io *io); /* after the pipeline has started */
/* The files, as a configuration read again names them. They are read now, changed or not. */
void ww_slurm_io_reload(struct ww_slurm_io *io, char *const *paths, size_t count, bool strict);
void ww_slurm_io_stop(struct ww_slurm_io *io); /* NULL is fine */
void ww_slurm_io_free(struct ww_slurm_io *io); /* after the loop has ended; NULL is fine */

struct ww_slurm_io_status {
  size_t files;           /* configured */
  uint64_t loads, errors; /* sets put in force and sets refused, since the start */
  int64_t error_time;     /* of last_error; 0: never */
  const char *last_error; /* "" when the last reading was good */
};
void ww_slurm_io_status(const struct ww_slurm_io *io, struct ww_slurm_io_status *out);

#endif
