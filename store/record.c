/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Source records as CBOR (cbor.c): the table of their members. `type` and `name` must be there; a record from before
 * cache groups has no `active`, and is.
 */
#include "store/record.h"

#include "store/cbor.h"

#define MEMBER(text, kind, field)                                                                                      \
  { text, kind, offsetof(struct ww_source_record, field), 0, false, 0 }
static const struct ww_cbor_member members[] = {
    {"type", WW_CBOR_U8, offsetof(struct ww_source_record, type), 0, true, 0},
    {"name", WW_CBOR_TEXT, offsetof(struct ww_source_record, name), sizeof(((struct ww_source_record *)0)->name), true,
     0},
    MEMBER("complete", WW_CBOR_BOOL, complete),
    MEMBER("last-sync", WW_CBOR_TIME, last_sync),
    MEMBER("valid-until", WW_CBOR_TIME, valid_until),
    MEMBER("errors", WW_CBOR_U64, errors),
    MEMBER("active", WW_CBOR_BOOL, active),
    MEMBER("preference", WW_CBOR_U16, preference),
    MEMBER("has-session", WW_CBOR_BOOL, has_session),
    MEMBER("rtr-version", WW_CBOR_U8, rtr_version),
    MEMBER("rtr-session", WW_CBOR_U16, rtr_session),
    MEMBER("rtr-serial", WW_CBOR_U32, rtr_serial),
    MEMBER("refresh", WW_CBOR_U32, refresh),
    MEMBER("retry", WW_CBOR_U32, retry),
    MEMBER("expire", WW_CBOR_U32, expire),
    MEMBER("vrps-ipv4", WW_CBOR_U64, vrps_v4),
    MEMBER("vrps-ipv6", WW_CBOR_U64, vrps_v6),
    MEMBER("aspas", WW_CBOR_U64, aspas),
    MEMBER("router-keys", WW_CBOR_U64, router_keys),
};
#undef MEMBER

static const struct ww_cbor_map map = {"source record", WW_STORE_RECORD_MAX, members,
                                       sizeof(members) / sizeof(members[0])};

enum ww_err ww_source_record_decode(const void *data, size_t len, struct ww_source_record *out, struct ww_diag *diag) {
  struct ww_source_record record = {.id = out->id, .active = true};
  enum ww_err err = ww_cbor_read(&map, data, len, &record, diag);
  if (err == WW_OK)
    *out = record;
  return err;
}

size_t ww_source_record_encode(const struct ww_source_record *record, uint8_t *buf, size_t size) {
  return ww_cbor_write(&map, record, buf, size);
}
