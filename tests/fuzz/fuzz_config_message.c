/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message of type 251. What decodes is written again, in as many messages as it takes, and says the same when it is
 * read back, as far as the format can say it.
 */
#include <stdlib.h>
#include <string.h>

#include "bmpout/config_message.h"

#define CHECK(x)                                                                                                       \
  do {                                                                                                                 \
    if (!(x))                                                                                                          \
      abort();                                                                                                         \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct ww_config_item *a, const struct ww_config_item *b) {
  CHECK(a->kind == b->kind);
  if (a->kind == WW_CONFIG_SOURCE) {
    const struct ww_config_source_item *x = a->u.source, *y = b->u.source;
    CHECK(x->id == y->id && x->status == y->status && x->errors == y->errors && x->label.len >= y->label.len);
    CHECK(x->label.len > WW_CONFIG_TEXT_MAX || x->label.len == y->label.len);
    CHECK(memcmp(x->records, y->records, sizeof x->records) == 0);
    CHECK(x->rtr.present == y->rtr.present && x->bgp.present == y->bgp.present && x->slurm.present == y->slurm.present);
  } else if (a->kind == WW_CONFIG_POLICY) {
    CHECK(strcmp(a->u.policy->name, b->u.policy->name) == 0);
    for (unsigned kind = WW_KIND_ORIGIN; kind <= WW_KIND_BGPSEC; kind++)
      CHECK(a->u.policy->kinds[kind].mode == b->u.policy->kinds[kind].mode);
  } else {
    CHECK(a->u.overrides.count == b->u.overrides.count);
    for (size_t i = 0; i < a->u.overrides.count; i++)
      CHECK(memcmp(&a->u.overrides.list[i].prefix, &b->u.overrides.list[i].prefix, sizeof(struct ww_prefix)) == 0 &&
            a->u.overrides.list[i].asn == b->u.overrides.list[i].asn);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t out[UINT16_MAX];
  struct ww_arena arena;
  struct ww_config_message message, again;
  struct ww_diag diag = {0};
  uint8_t *exact = malloc(size ? size : 1);
  if (!exact)
    return 0;
  if (size)
    memcpy(exact, data, size);
  ww_arena_init(&arena, 0);
  if (ww_config_decode(exact, size, 32473, &arena, &message, &diag) == WW_OK) {
    struct ww_encode_message m = {.version = message.version, .tlv_draft = message.tlv_draft, .pen = 32473};
    for (size_t i = 0; i < message.item_count; i++) { /* one by one: what came in one message may not fit in one */
      struct ww_writer w = ww_writer_make(out, sizeof out);
      size_t taken, part = 0;
      enum ww_err err = ww_config_encode(&m, false, &message.items[i], 1, sizeof out, &w, &taken, &part);
      CHECK(err == WW_OK);
      CHECK(ww_config_decode(out, w.len, 32473, &arena, &again, &diag) == WW_OK);
      bool empty = message.items[i].kind == WW_CONFIG_SLURM && message.items[i].u.overrides.count == 0;
      if (taken == 1 && !empty) {
        CHECK(again.item_count == 1);
        same(&message.items[i], &again.items[0]);
      }
    }
  } else {
    CHECK(diag.text[0]);
  }
  ww_arena_fini(&arena);
  free(exact);
  return 0;
}
