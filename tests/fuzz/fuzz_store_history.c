/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * History entries and SLURM heads from a store. The first octet says which; whatever decodes, encodes again to
 * something that decodes to the same, and a change that says it can be undone can.
 */
#include <stdlib.h>
#include <string.h>

#include "store/change.h"
#include "store/slurm_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok) {
  if (!ok)
    abort();
}

static void try_head(const uint8_t *data, size_t size) {
  struct ww_change_head head, again;
  struct ww_diag diag;
  uint8_t buf[WW_CHANGE_HEAD_MAX], second[WW_CHANGE_HEAD_MAX];
  if (ww_change_head_decode(data, size, &head, &diag) != WW_OK)
    return;
  size_t len = ww_change_head_encode(&head, buf, sizeof(buf));
  must(len && ww_change_head_decode(buf, len, &again, NULL) == WW_OK);
  must(ww_change_head_encode(&again, second, sizeof(second)) == len && memcmp(buf, second, len) == 0);
}

static void try_undo(struct ww_store_change *change) {
  struct ww_payload_delta *undo;
  enum ww_err err = ww_store_change_undo(change, &undo);
  must(err == (change->complete ? WW_OK : WW_ERR_STATE) || err == WW_ERR_NOMEM);
  for (size_t i = 0; undo && i < change->delta_count; i++) {
    must(undo[i].announce.vrp_count == change->deltas[i].withdraw.vrp_count);
    must(undo[i].withdraw.key_count == change->deltas[i].announce.key_count);
    ww_payload_delta_fini(&undo[i]);
  }
  free(undo);
}

static void try_deltas(const uint8_t *data, size_t size) {
  struct ww_change_head first = {0}, second = {0};
  struct ww_diag diag;
  uint8_t *once, *twice;
  if (ww_change_deltas_decode(data, size, &first.change, &diag) != WW_OK)
    return;
  must(ww_change_deltas_encode(&first, SIZE_MAX, &once, NULL) == WW_OK);
  must(first.octets <= size);
  try_undo(&first.change);
  must(ww_change_deltas_decode(once, first.octets, &second.change, NULL) == WW_OK);
  must(ww_change_deltas_encode(&second, SIZE_MAX, &twice, NULL) == WW_OK);
  must(first.octets == second.octets && (!once || memcmp(once, twice, first.octets) == 0));
  must(first.announced == second.announced && first.withdrawn == second.withdrawn);
  free(once);
  free(twice);
  ww_store_change_fini(&first.change);
  ww_store_change_fini(&second.change);
}

static void try_slurm(const uint8_t *data, size_t size) {
  struct ww_slurm_set_head set, set_again;
  struct ww_slurm_file_head file, file_again;
  struct ww_diag diag;
  uint8_t buf[WW_STORE_SLURM_HEAD_MAX];
  if (ww_slurm_set_head_decode(data, size, &set, &diag) == WW_OK) {
    size_t len = ww_slurm_set_head_encode(&set, buf, sizeof(buf));
    must(len && ww_slurm_set_head_decode(buf, len, &set_again, NULL) == WW_OK);
    must(set.time == set_again.time && set.strict == set_again.strict && set.files == set_again.files);
  }
  if (ww_slurm_file_head_decode(data, size, &file, &diag) == WW_OK) {
    size_t len = ww_slurm_file_head_encode(&file, buf, sizeof(buf));
    must(len && ww_slurm_file_head_decode(buf, len, &file_again, NULL) == WW_OK);
    must(strcmp(file.name, file_again.name) == 0 && file.octets == file_again.octets);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size)
    return 0;
  uint8_t *exact = malloc(size);
  if (!exact)
    return 0;
  memcpy(exact, data + 1, size - 1);
  if (data[0] == 'h')
    try_head(exact, size - 1);
  else if (data[0] == 'd')
    try_deltas(exact, size - 1);
  else
    try_slurm(exact, size - 1);
  free(exact);
  return 0;
}
