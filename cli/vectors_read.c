/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strict reading of conformance vectors: members, AS numbers, prefixes, payloads. The first thing wrong is kept with
 * its JSON pointer; after it every function may still be called, and changes nothing.
 */
#include "cli/vectors.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "wire/bgp.h"

enum { SEGMENT_MAX = 255 };

bool ww_vector_bad(struct ww_vector_reader *r, const char *fmt, ...) {
  va_list args;
  if (r->error[0])
    return false;
  int n = snprintf(r->error, sizeof r->error, "%s: ", r->pointer[0] ? r->pointer : "top level");
  if (n > 0 && (size_t)n < sizeof r->error) {
    va_start(args, fmt);
    (void)vsnprintf(r->error + n, sizeof r->error - (size_t)n, fmt, args);
    va_end(args);
  }
  return false;
}

size_t ww_vector_enter(struct ww_vector_reader *r, const char *name) {
  size_t mark = strlen(r->pointer), at = mark;
  if (at + 1 < sizeof r->pointer)
    r->pointer[at++] = '/';
  /* RFC 6901 §3: '~' and '/' in a name are written ~0 and ~1. A pointer that grows too long is cut. */
  for (; *name && at + 2 < sizeof r->pointer; name++) {
    bool escape = *name == '~' || *name == '/';
    r->pointer[at++] = escape ? '~' : *name;
    if (escape)
      r->pointer[at++] = *name == '~' ? '0' : '1';
  }
  r->pointer[at] = 0;
  return mark;
}

size_t ww_vector_enter_index(struct ww_vector_reader *r, size_t index) {
  char text[24];
  (void)snprintf(text, sizeof text, "%zu", index);
  return ww_vector_enter(r, text);
}

void ww_vector_leave(struct ww_vector_reader *r, size_t mark) { r->pointer[mark] = 0; }

static bool is_one_of(const char *name, const char *const *names) {
  for (; *names; names++)
    if (strcmp(name, *names) == 0)
      return true;
  return false;
}

static const char *type_name(json_type type) {
  switch (type) {
  case JSON_OBJECT:
    return "an object";
  case JSON_ARRAY:
    return "an array";
  case JSON_STRING:
    return "a string";
  case JSON_INTEGER:
    return "a whole number";
  default:
    return "another type";
  }
}

bool ww_vector_members(struct ww_vector_reader *r, json_t *object, const char *const *names) {
  const char *name;
  json_t *value;
  if (!json_is_object(object))
    return ww_vector_bad(r, "must be an object");
  json_object_foreach(object, name, value) {
    if (strncmp(name, "x-", 2) == 0 || is_one_of(name, names))
      continue;
    size_t mark = ww_vector_enter(r, name);
    (void)ww_vector_bad(r, "unknown member");
    ww_vector_leave(r, mark);
    return false;
  }
  return true;
}

json_t *ww_vector_member(struct ww_vector_reader *r, json_t *object, const char *name, json_type type, bool required) {
  json_t *value = json_object_get(object, name);
  if (!value) {
    if (required)
      (void)ww_vector_bad(r, "lacks the member \"%s\"", name);
    return NULL;
  }
  if (json_typeof(value) == type)
    return value;
  size_t mark = ww_vector_enter(r, name);
  (void)ww_vector_bad(r, "must be %s", type_name(type));
  ww_vector_leave(r, mark);
  return NULL;
}

bool ww_vector_asn(struct ww_vector_reader *r, json_t *value, uint32_t *asn) {
  if (json_is_integer(value)) {
    json_int_t number = json_integer_value(value);
    if (number < 0 || number > UINT32_MAX)
      return ww_vector_bad(r, "is no AS number");
    *asn = (uint32_t)number;
    return true;
  }
  if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value) ||
      ww_asn_parse(json_string_value(value), asn))
    return ww_vector_bad(r, "is no AS number");
  return true;
}

bool ww_vector_prefix(struct ww_vector_reader *r, json_t *value, struct ww_prefix *prefix) {
  if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value) ||
      ww_prefix_parse(json_string_value(value), prefix))
    return ww_vector_bad(r, "is no prefix, or has bits set beyond its length");
  return true;
}

/* Reads a member with one of the readers above. False when bad; absent and not required is fine, and *found says so. */
static bool read_asn(struct ww_vector_reader *r, json_t *object, const char *name, uint32_t *asn) {
  json_t *value = json_object_get(object, name);
  if (!value)
    return ww_vector_bad(r, "lacks the member \"%s\"", name);
  size_t mark = ww_vector_enter(r, name);
  bool ok = ww_vector_asn(r, value, asn);
  ww_vector_leave(r, mark);
  return ok;
}

static bool read_expires(struct ww_vector_reader *r, json_t *object, ww_unix_time *expires) {
  json_t *value = ww_vector_member(r, object, "expires", JSON_INTEGER, false);
  *expires = value ? (ww_unix_time)json_integer_value(value) : 0;
  if (*expires >= 0)
    return !r->error[0];
  size_t mark = ww_vector_enter(r, "expires");
  (void)ww_vector_bad(r, "must not be negative");
  ww_vector_leave(r, mark);
  return false;
}

static bool note_add(struct ww_vector_reader *r, enum ww_err err) {
  return err == WW_OK || ww_vector_bad(r, "%s", err == WW_ERR_INVAL ? "is no sound record" : ww_err_name(err));
}

static bool read_roa(struct ww_vector_reader *r, json_t *roa, struct ww_payloads *out) {
  static const char *const names[] = {"prefix", "maxLength", "asn", "expires", NULL};
  struct ww_vrp vrp = {0};
  if (!ww_vector_members(r, roa, names))
    return false;
  json_t *prefix = ww_vector_member(r, roa, "prefix", JSON_STRING, true);
  json_t *max_len = ww_vector_member(r, roa, "maxLength", JSON_INTEGER, false);
  if (!read_asn(r, roa, "asn", &vrp.asn) || !read_expires(r, roa, &vrp.expires) || r->error[0])
    return false;
  size_t mark = ww_vector_enter(r, "prefix");
  bool ok = ww_vector_prefix(r, prefix, &vrp.prefix);
  ww_vector_leave(r, mark);
  if (!ok)
    return false;
  json_int_t len = max_len ? json_integer_value(max_len) : vrp.prefix.len;
  if (len < vrp.prefix.len || len > ww_afi_bits(vrp.prefix.afi)) {
    mark = ww_vector_enter(r, "maxLength");
    (void)ww_vector_bad(r, "must be between the prefix length and %u", ww_afi_bits(vrp.prefix.afi));
    ww_vector_leave(r, mark);
    return false;
  }
  vrp.max_len = (uint8_t)len;
  return note_add(r, ww_payloads_add_vrp(out, &vrp));
}

static bool read_aspa(struct ww_vector_reader *r, json_t *item, struct ww_payloads *out) {
  static const char *const names[] = {"customer", "providers", "expires", NULL};
  static uint32_t asns[WW_ASPA_PROVIDERS_MAX];
  struct ww_aspa aspa = {.providers = asns};
  size_t i;
  json_t *value;
  if (!ww_vector_members(r, item, names))
    return false;
  json_t *providers = ww_vector_member(r, item, "providers", JSON_ARRAY, true);
  if (!read_asn(r, item, "customer", &aspa.customer) || !read_expires(r, item, &aspa.expires) || r->error[0])
    return false;
  size_t mark = ww_vector_enter(r, "providers");
  if (json_array_size(providers) == 0 || json_array_size(providers) > WW_ASPA_PROVIDERS_MAX)
    return ww_vector_bad(r, "must hold 1 to %d AS numbers", WW_ASPA_PROVIDERS_MAX);
  json_array_foreach(providers, i, value) {
    size_t inner = ww_vector_enter_index(r, i);
    if (!ww_vector_asn(r, value, &asns[i]))
      return false;
    ww_vector_leave(r, inner);
  }
  ww_vector_leave(r, mark);
  aspa.provider_count = (uint32_t)json_array_size(providers);
  return note_add(r, ww_payloads_add_aspa(out, &aspa));
}

static int hex_digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

static bool parse_hex(const char *text, uint8_t *out, size_t len) {
  if (strlen(text) != len * 2)
    return false;
  for (size_t i = 0; i < len; i++) {
    int high = hex_digit(text[i * 2]), low = hex_digit(text[i * 2 + 1]);
    if (high < 0 || low < 0)
      return false;
    out[i] = (uint8_t)(high << 4 | low);
  }
  return true;
}

static bool read_key(struct ww_vector_reader *r, json_t *item, struct ww_payloads *out) {
  static const char *const names[] = {"asn", "SKI", "routerPublicKey", "expires", NULL};
  uint8_t spki[WW_SPKI_MAX];
  struct ww_router_key key = {.spki = spki};
  if (!ww_vector_members(r, item, names))
    return false;
  json_t *ski = ww_vector_member(r, item, "SKI", JSON_STRING, true);
  json_t *public_key = ww_vector_member(r, item, "routerPublicKey", JSON_STRING, true);
  if (!read_asn(r, item, "asn", &key.asn) || !read_expires(r, item, &key.expires) || r->error[0])
    return false;
  size_t mark = ww_vector_enter(r, "SKI");
  if (!parse_hex(json_string_value(ski), key.ski, sizeof key.ski))
    return ww_vector_bad(r, "must be 40 hexadecimal digits");
  ww_vector_leave(r, mark);
  mark = ww_vector_enter(r, "routerPublicKey");
  size_t len = 0;
  if (ww_base64_decode(json_string_value(public_key), json_string_length(public_key), spki, sizeof spki, &len) >=
          WW_BASE64_BAD ||
      len == 0)
    return ww_vector_bad(r, "must be base64 of 1 to %d octets", WW_SPKI_MAX);
  key.spki_len = (uint32_t)len;
  ww_vector_leave(r, mark);
  return note_add(r, ww_payloads_add_key(out, &key));
}

static bool read_each(struct ww_vector_reader *r, json_t *array, struct ww_payloads *out,
                      bool (*read)(struct ww_vector_reader *r, json_t *item, struct ww_payloads *out)) {
  size_t i;
  json_t *item;
  json_array_foreach(array, i, item) {
    size_t mark = ww_vector_enter_index(r, i);
    if (!read(r, item, out))
      return false;
    ww_vector_leave(r, mark);
  }
  return true;
}

bool ww_vector_roas(struct ww_vector_reader *r, json_t *array, struct ww_payloads *out) {
  if (!json_is_array(array))
    return ww_vector_bad(r, "must be an array");
  return read_each(r, array, out, read_roa) && note_add(r, ww_payloads_sort(out));
}

bool ww_vector_payloads(struct ww_vector_reader *r, json_t *object, struct ww_payloads *out) {
  static const char *const names[] = {"roas", "aspas", "routerKeys", NULL};
  static bool (*const readers[])(struct ww_vector_reader *, json_t *, struct ww_payloads *) = {read_roa, read_aspa,
                                                                                               read_key};
  if (!ww_vector_members(r, object, names))
    return false;
  for (int i = 0; i < 3; i++) {
    json_t *array = ww_vector_member(r, object, names[i], JSON_ARRAY, false);
    size_t mark = ww_vector_enter(r, names[i]);
    if (r->error[0] || (array && !read_each(r, array, out, readers[i])))
      return false;
    ww_vector_leave(r, mark);
  }
  return note_add(r, ww_payloads_sort(out));
}

/* --- AS paths --------------------------------------------------------------------------------------------------- */

static void begin_segment(struct ww_writer *w, enum ww_segment_type type, size_t count) {
  ww_writer_u8(w, (uint8_t)type);
  ww_writer_u8(w, (uint8_t)count);
}

static bool write_asns(struct ww_vector_reader *r, json_t *array, size_t from, size_t to, struct ww_writer *w) {
  for (size_t i = from; i < to; i++) {
    uint32_t asn = 0; /* so that the analyser need not know what ww_asn_parse() does */
    size_t mark = ww_vector_enter_index(r, i);
    if (!json_is_integer(json_array_get(array, i)))
      return ww_vector_bad(r, "is no AS number");
    if (!ww_vector_asn(r, json_array_get(array, i), &asn))
      return false;
    ww_vector_leave(r, mark);
    ww_writer_u32(w, asn);
  }
  return true;
}

/* A segment of its own: an AS_SET, or a confederation segment. */
static bool write_segment(struct ww_vector_reader *r, json_t *array, enum ww_segment_type type, struct ww_writer *w) {
  size_t count = json_array_size(array);
  if (!json_is_array(array) || count == 0 || count > SEGMENT_MAX)
    return ww_vector_bad(r, "must be an array of 1 to %d AS numbers", SEGMENT_MAX);
  begin_segment(w, type, count);
  return write_asns(r, array, 0, count, w);
}

static bool write_confed(struct ww_vector_reader *r, json_t *object, struct ww_writer *w) {
  json_t *sequence = json_object_get(object, "confed"), *set = json_object_get(object, "confed_set");
  if (json_object_size(object) != 1 || (!sequence && !set))
    return ww_vector_bad(r, "must have the one member \"confed\" or \"confed_set\"");
  size_t mark = ww_vector_enter(r, sequence ? "confed" : "confed_set");
  if (!write_segment(r, sequence ? sequence : set, sequence ? WW_SEG_CONFED_SEQUENCE : WW_SEG_CONFED_SET, w))
    return false;
  ww_vector_leave(r, mark);
  return true;
}

/* Numbers in a row are an AS_SEQUENCE. */
bool ww_vector_path(struct ww_vector_reader *r, json_t *path, struct ww_writer *w) {
  for (size_t i = 0, end; i < json_array_size(path); i = end) {
    json_t *item = json_array_get(path, i);
    end = i + 1;
    size_t mark = ww_vector_enter_index(r, i);
    if (json_is_array(item)) {
      if (!write_segment(r, item, WW_SEG_AS_SET, w))
        return false;
    } else if (json_is_object(item)) {
      if (!write_confed(r, item, w))
        return false;
    } else {
      ww_vector_leave(r, mark);
      while (end < json_array_size(path) && end - i < SEGMENT_MAX && !json_is_array(json_array_get(path, end)) &&
             !json_is_object(json_array_get(path, end)))
        end++;
      begin_segment(w, WW_SEG_AS_SEQUENCE, end - i);
      if (!write_asns(r, path, i, end, w))
        return false;
    }
    ww_vector_leave(r, mark);
  }
  return !w->overflow || ww_vector_bad(r, "is too long");
}

/* The first record that one set has and the other has not; sets are sorted. */
static void compare_vrps(const struct ww_payloads *want, const struct ww_payloads *got, char *message, size_t size) {
  for (size_t i = 0; i < want->vrp_count || i < got->vrp_count; i++) {
    bool missing = i >= got->vrp_count, extra = i >= want->vrp_count;
    int c = missing || extra ? 0 : ww_vrp_compare(&want->vrps[i], &got->vrps[i]);
    if (!missing && !extra && c == 0)
      continue;
    const struct ww_vrp *vrp = missing || c < 0 ? &want->vrps[i] : &got->vrps[i];
    char prefix[WW_PREFIX_STRLEN];
    (void)snprintf(message, size, "roas: %s %s-%u AS%u", missing || c < 0 ? "missing" : "unexpected",
                   ww_prefix_format(&vrp->prefix, prefix), vrp->max_len, vrp->asn);
    return;
  }
}

static bool same_aspa(const struct ww_aspa *a, const struct ww_aspa *b) {
  return a->customer == b->customer && a->provider_count == b->provider_count &&
         (!a->provider_count || memcmp(a->providers, b->providers, a->provider_count * sizeof(*a->providers)) == 0);
}

void ww_vector_compare(const struct ww_payloads *want, const struct ww_payloads *got, char *message, size_t size) {
  compare_vrps(want, got, message, size);
  if (message[0])
    return;
  if (want->aspa_count != got->aspa_count) {
    (void)snprintf(message, size, "aspas: expected %zu, got %zu", want->aspa_count, got->aspa_count);
    return;
  }
  for (size_t i = 0; i < want->aspa_count; i++)
    if (!same_aspa(&want->aspas[i], &got->aspas[i])) {
      (void)snprintf(message, size, "aspas: expected AS%u with %u providers, got AS%u with %u or others",
                     want->aspas[i].customer, want->aspas[i].provider_count, got->aspas[i].customer,
                     got->aspas[i].provider_count);
      return;
    }
  if (want->key_count != got->key_count) {
    (void)snprintf(message, size, "routerKeys: expected %zu, got %zu", want->key_count, got->key_count);
    return;
  }
  for (size_t i = 0; i < want->key_count; i++)
    if (ww_router_key_compare(&want->keys[i], &got->keys[i]) != 0) {
      (void)snprintf(message, size, "routerKeys: expected one of AS%u, got another, of AS%u", want->keys[i].asn,
                     got->keys[i].asn);
      return;
    }
}
