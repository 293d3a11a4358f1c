/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heads of the stored SLURM set as CBOR maps. docs/formats/store.md lists the members.
 */
#ifndef WW_STORE_SLURM_SET_H
#define WW_STORE_SLURM_SET_H

#include "store/store.h"

enum {
  WW_STORE_SLURM_FILES_MAX = 4096,
  WW_STORE_SLURM_NAME_MAX = 4095,      /* octets */
  WW_STORE_SLURM_TEXT_MAX = 256 << 20, /* octets of one file */
  WW_STORE_SLURM_HEAD_MAX = 4352       /* octets of a map */
};

struct ww_slurm_set_head {
  int64_t time;
  bool strict;
  uint32_t files;
};
struct ww_slurm_file_head {
  char name[WW_STORE_SLURM_NAME_MAX + 1];
  uint32_t octets;
};

/* The octets written, 0 when they do not fit. */
size_t ww_slurm_set_head_encode(const struct ww_slurm_set_head *head, uint8_t *buf, size_t size);
size_t ww_slurm_file_head_encode(const struct ww_slurm_file_head *head, uint8_t *buf, size_t size);
enum ww_err ww_slurm_set_head_decode(const void *data, size_t len, struct ww_slurm_set_head *out,
                                     struct ww_diag *diag) WW_MUST_USE;
enum ww_err ww_slurm_file_head_decode(const void *data, size_t len, struct ww_slurm_file_head *out,
                                      struct ww_diag *diag) WW_MUST_USE;

#endif
