/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A SLURM set together with the texts that it was read from, as the pipeline keeps it in force and in the store.
 */
#ifndef WW_DAEMON_SLURM_SET_H
#define WW_DAEMON_SLURM_SET_H

#include "slurm/slurm.h"
#include "store/store.h"

struct ww_slurm_set {
  struct ww_slurm *slurm;
  struct ww_store_slurm texts;
  size_t counts[WW_SLURM_KINDS];
};

/*
 * Takes *texts (zeroed), even after a failure. Each problem found, errors and warnings, goes to `say` as one line.
 * WW_ERR_MALFORMED: the texts are no good set.
 */
enum ww_err ww_slurm_set_new(struct ww_store_slurm *texts, void *ctx,
                             void (*say)(void *ctx, bool warning, const char *text),
                             struct ww_slurm_set **out) WW_MUST_USE;
void ww_slurm_set_free(struct ww_slurm_set *set); /* NULL is fine */
/* The same files with the same octets, read the same way. NULL is a set without files. */
bool ww_slurm_set_equal(const struct ww_store_slurm *a, const struct ww_store_slurm *b);

/* Reads the files. The first one that cannot be read is said, and WW_ERR_IO returned. */
enum ww_err ww_slurm_texts_read(char *const *paths, size_t count, bool strict, int64_t now, void *ctx,
                                void (*say)(void *ctx, bool warning, const char *text),
                                struct ww_store_slurm *out) WW_MUST_USE;

#endif
