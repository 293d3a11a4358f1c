/* SPDX-License-Identifier: BSD-2-Clause */
/* A JSON line over yajl_gen: keys and values in one call, and peers' text made valid UTF-8 (RFC 8259 §8.1). */
#include "bmpout/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

bool ww_json_begin(struct ww_json *j, struct ww_arena *arena) {
  *j = (struct ww_json){.g = yajl_gen_alloc(NULL), .arena = arena};
  return j->g != NULL;
}

void ww_json_drop(struct ww_json *j) {
  if (j->g)
    yajl_gen_free(j->g);
  j->g = NULL;
}

enum ww_err ww_json_end(struct ww_json *j, struct ww_buf *out) {
  const unsigned char *text = NULL;
  size_t len = 0;
  enum ww_err err = WW_ERR_NOMEM;
  if (!j->failed && yajl_gen_get_buf(j->g, &text, &len) == yajl_gen_status_ok) {
    uint8_t *p = ww_buf_reserve(out, len + 1);
    if (p) {
      memcpy(p, text, len);
      p[len] = '\n';
      ww_buf_commit(out, len + 1);
      err = WW_OK;
    }
  }
  ww_json_drop(j);
  return err;
}

static void put(struct ww_json *j, const char *text, size_t len) {
  (void)yajl_gen_string(j->g, (const unsigned char *)text, len);
}

static void key_of(struct ww_json *j, const char *key) {
  if (key)
    put(j, key, strlen(key));
}

void ww_json_open(struct ww_json *j, const char *key) {
  key_of(j, key);
  (void)yajl_gen_map_open(j->g);
}

void ww_json_close(struct ww_json *j) { (void)yajl_gen_map_close(j->g); }

void ww_json_open_array(struct ww_json *j, const char *key) {
  key_of(j, key);
  (void)yajl_gen_array_open(j->g);
}

void ww_json_close_array(struct ww_json *j) { (void)yajl_gen_array_close(j->g); }

void ww_json_str(struct ww_json *j, const char *key, const char *value) {
  key_of(j, key);
  if (value)
    put(j, value, strlen(value));
  else
    (void)yajl_gen_null(j->g);
}

/* Length of the UTF-8 sequence at p (RFC 3629 §4), 0 when it is none. */
static size_t utf8_len(const uint8_t *p, size_t left) {
  if (p[0] < 0x80)
    return 1;
  size_t n = p[0] >= 0xc2 && p[0] <= 0xdf ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : 0;
  if (!n || left < n)
    return 0;
  for (size_t i = 1; i < n; i++)
    if ((p[i] & 0xc0) != 0x80)
      return 0;
  bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
  bool surrogate = p[0] == 0xed && p[1] > 0x9f, beyond = p[0] == 0xf4 && p[1] > 0x8f;
  return overlong || surrogate || beyond ? 0 : n;
}

void ww_json_text(struct ww_json *j, const char *key, const void *text, size_t len) {
  static const char replacement[] = "\xef\xbf\xbd";
  const uint8_t *p = text;
  key_of(j, key);
  char *clean = ww_arena_alloc(j->arena, len * 3 + 1);
  if (!clean) {
    j->failed = true;
    return;
  }
  size_t n = 0;
  for (size_t i = 0; i < len;) {
    size_t step = utf8_len(p + i, len - i);
    memcpy(clean + n, step ? (const char *)p + i : replacement, step ? step : 3);
    n += step ? step : 3;
    i += step ? step : 1;
  }
  put(j, clean, n);
}

void ww_json_hex(struct ww_json *j, const char *key, const uint8_t *data, size_t len) {
  static const char digits[] = "0123456789abcdef";
  key_of(j, key);
  char *text = ww_arena_alloc(j->arena, len * 2 + 1);
  if (!text) {
    j->failed = true;
    return;
  }
  for (size_t i = 0; i < len; i++) {
    text[2 * i] = digits[data[i] >> 4];
    text[2 * i + 1] = digits[data[i] & 15];
  }
  put(j, text, len * 2);
}

void ww_json_num(struct ww_json *j, const char *key, uint64_t value) {
  char text[24];
  key_of(j, key);
  int n = snprintf(text, sizeof text, "%" PRIu64, value);
  (void)yajl_gen_number(j->g, text, (size_t)n);
}

void ww_json_bool(struct ww_json *j, const char *key, bool value) {
  key_of(j, key);
  (void)yajl_gen_bool(j->g, value);
}

void ww_json_addr(struct ww_json *j, const char *key, const struct ww_addr *addr) {
  char text[WW_ADDR_STRLEN];
  ww_json_str(j, key, ww_afi_bits(addr->afi) ? ww_addr_format(addr, text) : NULL);
}

void ww_json_ipv4(struct ww_json *j, const char *key, uint32_t v) {
  struct ww_addr addr = {.afi = WW_AFI_IPV4,
                         .bytes = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v}};
  ww_json_addr(j, key, &addr);
}

void ww_json_prefix(struct ww_json *j, const char *key, const struct ww_prefix *prefix) {
  char text[WW_PREFIX_STRLEN];
  ww_json_str(j, key, ww_prefix_format(prefix, text));
}

void ww_json_time(struct ww_json *j, const char *key, uint64_t sec, uint32_t usec) {
  char text[48];
  struct tm tm;
  time_t t = (time_t)sec;
  if (sec > INT64_MAX || !gmtime_r(&t, &tm) || tm.tm_year > 8099) { /* RFC 3339: four digits */
    ww_json_str(j, key, NULL);
    return;
  }
  size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
  if (usec && usec < 1000000)
    n += (size_t)snprintf(text + n, sizeof text - n, ".%06" PRIu32, usec);
  snprintf(text + n, sizeof text - n, "Z");
  ww_json_str(j, key, text);
}
