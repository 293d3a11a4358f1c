/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structures as CBOR maps, by libcbor's streaming encoder and decoder: no tree is built and nothing is allocated.
 *
 * A structure is one map of text keys, so that a later version may add members and this one passes over them, and so
 * that generic tools can read a store. A table says which member is which field. Items are pulled one at a time
 * (base/cbor_item.h); depth and length are bounded before anything is looked at. Members may come in any order.
 *
 * Clauses: RFC 8949 §3 (items), §5.6 (a map with two equal keys is not valid).
 */
#include "store/cbor.h"

#include <cbor.h>
#include <string.h>

#include "base/cbor_item.h"

static uint64_t number_max(enum ww_cbor_type type) {
  switch (type) {
  case WW_CBOR_U8:
    return UINT8_MAX;
  case WW_CBOR_U16:
    return UINT16_MAX;
  case WW_CBOR_U32:
    return UINT32_MAX;
  case WW_CBOR_TIME:
    return INT64_MAX;
  default:
    return UINT64_MAX;
  }
}

static void store_number(void *field, enum ww_cbor_type type, uint64_t value) {
  if (type == WW_CBOR_U8)
    *(uint8_t *)field = (uint8_t)value;
  else if (type == WW_CBOR_U16)
    *(uint16_t *)field = (uint16_t)value;
  else if (type == WW_CBOR_U32)
    *(uint32_t *)field = (uint32_t)value;
  else
    *(uint64_t *)field = value; /* WW_CBOR_TIME too: int64_t, and the value fits */
}

static uint64_t load_number(const void *field, enum ww_cbor_type type) {
  if (type == WW_CBOR_U8)
    return *(const uint8_t *)field;
  if (type == WW_CBOR_U16)
    return *(const uint16_t *)field;
  if (type == WW_CBOR_U32)
    return *(const uint32_t *)field;
  return *(const uint64_t *)field;
}

static bool read_text(const struct ww_cbor_member *m, const struct ww_cbor_item *item, uint8_t *field) {
  if (item->kind != WW_ITEM_TEXT || item->text_len == 0 || item->text_len >= m->size ||
      memchr(item->text, 0, item->text_len))
    return false;
  memset(field, 0, m->size);
  memcpy(field, item->text, item->text_len);
  return true;
}

static bool read_member(const struct ww_cbor_member *m, const struct ww_cbor_item *item, void *out) {
  uint8_t *field = (uint8_t *)out + m->offset;
  if (m->present)
    *(bool *)((uint8_t *)out + m->present) = true;
  if (m->type == WW_CBOR_TEXT)
    return read_text(m, item, field);
  if (m->type == WW_CBOR_BYTES) {
    if (item->kind != WW_ITEM_BYTES || item->text_len != m->size)
      return false;
    memcpy(field, item->text, m->size);
    return true;
  }
  if (m->type == WW_CBOR_BOOL) {
    *(bool *)field = item->value != 0;
    return item->kind == WW_ITEM_BOOL;
  }
  if (m->type == WW_CBOR_TIME && item->kind == WW_ITEM_NEGINT && item->value <= INT64_MAX) {
    *(int64_t *)field = -1 - (int64_t)item->value;
    return true;
  }
  if (item->kind != WW_ITEM_UINT || item->value > number_max(m->type))
    return false;
  store_number(field, m->type, item->value);
  return true;
}

static const struct ww_cbor_member *find_member(const struct ww_cbor_map *map, const struct ww_cbor_item *key) {
  for (unsigned i = 0; i < map->count; i++)
    if (strlen(map->members[i].key) == key->text_len && memcmp(map->members[i].key, key->text, key->text_len) == 0)
      return &map->members[i];
  return NULL;
}

enum ww_err ww_cbor_read(const struct ww_cbor_map *map, const void *data, size_t len, void *out, struct ww_diag *diag) {
  if (len > map->max)
    return ww_fail(diag, WW_ERR_LIMIT, 0, NULL, "%s of %zu octets, at most %zu are read", map->what, len, map->max);
  struct ww_cbor_pull p = {.data = data, .len = len};
  struct ww_cbor_item first = ww_cbor_next(&p);
  if (p.bad || first.kind != WW_ITEM_MAP)
    return ww_fail(diag, WW_ERR_MALFORMED, 0, "RFC 8949 §3", "%s is not a CBOR map", map->what);
  uint32_t seen = 0;
  for (uint64_t i = 0; i < first.value && !p.bad; i++) {
    size_t at = p.at;
    struct ww_cbor_item key = ww_cbor_next(&p);
    if (!p.bad && key.kind != WW_ITEM_TEXT) {
      /* CHOICE: only text keys are ours; members under other keys are passed over like unknown ones. */
      ww_cbor_skip(&p, key, WW_CBOR_DEPTH);
      ww_cbor_skip(&p, ww_cbor_next(&p), WW_CBOR_DEPTH);
      continue;
    }
    struct ww_cbor_item value = ww_cbor_next(&p);
    if (p.bad)
      break;
    const struct ww_cbor_member *m = find_member(map, &key);
    if (!m) {
      ww_cbor_skip(&p, value, WW_CBOR_DEPTH);
      continue;
    }
    uint32_t bit = UINT32_C(1) << (m - map->members);
    if (seen & bit)
      return ww_fail(diag, WW_ERR_MALFORMED, at, "RFC 8949 §5.6", "%s: \"%s\" is there twice", map->what, m->key);
    seen |= bit;
    if (!read_member(m, &value, out))
      return ww_fail(diag, WW_ERR_MALFORMED, at, NULL, "%s: \"%s\" has a value that cannot be", map->what, m->key);
  }
  if (p.bad)
    return ww_fail(diag, WW_ERR_MALFORMED, p.at, "RFC 8949 §3", "%s is not well-formed CBOR", map->what);
  if (p.at != p.len)
    return ww_fail(diag, WW_ERR_MALFORMED, p.at, NULL, "%s has octets after its end", map->what);
  for (unsigned i = 0; i < map->count; i++)
    if (map->members[i].required && !(seen & UINT32_C(1) << i))
      return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "%s has no \"%s\"", map->what, map->members[i].key);
  return WW_OK;
}

/* Where the next item goes; len 0 from an encoder means that it did not fit. */
struct push {
  uint8_t *buf;
  size_t size, at;
  bool full;
};

static void pushed(struct push *p, size_t n) {
  if (n == 0)
    p->full = true;
  p->at += n;
}

static void push_octets(struct push *p, bool text, const void *data, size_t len) {
  uint8_t *to = p->buf + p->at;
  size_t left = p->size - p->at;
  pushed(p, text ? cbor_encode_string_start(len, to, left) : cbor_encode_bytestring_start(len, to, left));
  if (p->full || p->size - p->at < len) {
    p->full = true;
    return;
  }
  memcpy(p->buf + p->at, data, len);
  p->at += len;
}

static void push_member(struct push *p, const struct ww_cbor_member *m, const void *in) {
  const uint8_t *field = (const uint8_t *)in + m->offset;
  push_octets(p, true, m->key, strlen(m->key));
  if (p->full)
    return;
  uint8_t *to = p->buf + p->at;
  size_t left = p->size - p->at;
  if (m->type == WW_CBOR_TEXT)
    push_octets(p, true, field, strlen((const char *)field));
  else if (m->type == WW_CBOR_BYTES)
    push_octets(p, false, field, m->size);
  else if (m->type == WW_CBOR_BOOL)
    pushed(p, cbor_encode_bool(*(const bool *)field, to, left));
  else if (m->type == WW_CBOR_TIME && *(const int64_t *)field < 0)
    pushed(p, cbor_encode_negint((uint64_t)(-1 - *(const int64_t *)field), to, left));
  else
    pushed(p, cbor_encode_uint(load_number(field, m->type), to, left));
}

static bool present(const struct ww_cbor_member *m, const void *in) {
  return !m->present || *(const bool *)((const uint8_t *)in + m->present);
}

size_t ww_cbor_write(const struct ww_cbor_map *map, const void *in, uint8_t *buf, size_t size) {
  struct push p = {.buf = buf, .size = size};
  size_t count = 0;
  for (unsigned i = 0; i < map->count; i++)
    count += present(&map->members[i], in);
  pushed(&p, cbor_encode_map_start(count, buf, size));
  for (unsigned i = 0; i < map->count && !p.full; i++)
    if (present(&map->members[i], in))
      push_member(&p, &map->members[i], in);
  return p.full ? 0 : p.at;
}
