/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routes to be judged: single ones from arguments, many from a file or a pipe.
 *
 * A batch is read line by line, so that a program may ask over a pipe and wait for each answer; only a document
 * {"routes": [...]} that spans lines is read whole (bounded). Every route says what is wrong with it by line, or by its
 * place in the document, and never stops the others.
 */
#include "cli/route_input.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "rib/origin.h"

enum { DOCUMENT_MAX = 256 << 20, TOKENS = 3 };

static enum ww_err read_prefix(struct ww_route_query *out, const char *text, struct ww_diag *diag) {
  if (ww_prefix_parse(text, &out->prefix) == WW_OK)
    return WW_OK;
  struct ww_addr addr;
  char copy[WW_PREFIX_STRLEN];
  const char *slash = strchr(text, '/');
  size_t n = slash ? (size_t)(slash - text) : strlen(text);
  bool address = n < sizeof(copy);
  if (address) {
    memcpy(copy, text, n);
    copy[n] = '\0';
    address = ww_addr_parse(copy, &addr) == WW_OK;
  }
  if (!address)
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "%.60s is not a prefix", text);
  char *end = NULL;
  unsigned long len = slash && isdigit((unsigned char)slash[1]) ? strtoul(slash + 1, &end, 10) : 999;
  if (!end || *end || len > ww_afi_bits(addr.afi))
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL,
                   "%.60s is not a prefix: no length that an address of its family has", text);
  return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "%.60s has bits set beyond its length", text);
}

static enum ww_err read_asn(const char *text, uint32_t *out, struct ww_diag *diag) {
  if (ww_asn_parse(text, out) == WW_OK)
    return WW_OK;
  return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "%.60s is not an AS number", text);
}

enum ww_err ww_route_from_asn(struct ww_route_query *out, const char *prefix, const char *asn, struct ww_diag *diag) {
  out->has_path = false;
  out->origin = (struct ww_origin){0};
  enum ww_err err = read_prefix(out, prefix, diag);
  return err == WW_OK ? read_asn(asn, &out->origin.asn, diag) : err;
}

static void take_path(struct ww_route_query *out, uint32_t local_as) {
  out->has_path = true;
  out->origin = ww_origin_of_path((struct ww_as_path){out->path, out->path_len}, local_as);
}

enum ww_err ww_route_from_path(struct ww_route_query *out, const char *prefix, const char *path, uint32_t local_as,
                               struct ww_diag *diag) {
  enum ww_err err = read_prefix(out, prefix, diag);
  if (err != WW_OK)
    return err;
  struct ww_writer w = ww_writer_make(out->path, sizeof(out->path));
  err = ww_as_path_parse(path, &w, diag);
  if (err != WW_OK)
    return err;
  out->path_len = w.len;
  take_path(out, local_as);
  return WW_OK;
}

/* --- JSON ------------------------------------------------------------------------------------------------------ */

static enum ww_err json_asn(const json_t *value, uint32_t *out, struct ww_diag *diag) {
  if (json_is_integer(value)) {
    json_int_t n = json_integer_value(value);
    if (n < 0 || n > UINT32_MAX)
      return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "an AS number out of range");
    *out = (uint32_t)n;
    return WW_OK;
  }
  if (json_is_string(value))
    return read_asn(json_string_value(value), out, diag);
  return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "an AS number that is neither a number nor a string");
}

static enum ww_err json_segment(struct ww_writer *w, uint8_t type, const json_t *list, size_t from, size_t count,
                                struct ww_diag *diag) {
  if (count == 0 || count > 255)
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "a segment of the AS path with %zu AS numbers", count);
  ww_writer_u8(w, type);
  ww_writer_u8(w, (uint8_t)count);
  for (size_t i = 0; i < count; i++) {
    uint32_t asn;
    enum ww_err err = json_asn(json_array_get(list, from + i), &asn, diag);
    if (err != WW_OK)
      return err;
    ww_writer_u32(w, asn);
  }
  return WW_OK;
}

/* As the conformance vectors write paths: numbers, an array for an AS_SET, {"confed": []}, {"confed_set": []}. */
static enum ww_err json_path(struct ww_route_query *out, const json_t *path, struct ww_diag *diag) {
  struct ww_writer w = ww_writer_make(out->path, sizeof(out->path));
  enum ww_err err = WW_OK;
  if (json_is_string(path))
    err = ww_as_path_parse(json_string_value(path), &w, diag);
  else if (!json_is_array(path))
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "as_path is neither an array nor a string");
  size_t n = json_array_size(path);
  for (size_t i = 0; i < n && err == WW_OK;) {
    const json_t *item = json_array_get(path, i);
    const json_t *sequence = json_object_get(item, "confed"), *set = json_object_get(item, "confed_set");
    if (json_is_array(item)) {
      err = json_segment(&w, WW_SEG_AS_SET, item, 0, json_array_size(item), diag);
      i++;
    } else if (json_is_object(item)) {
      if (json_object_size(item) != 1 || !(json_is_array(sequence) || json_is_array(set)))
        return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "as_path[%zu] is not a segment", i);
      const json_t *list = sequence ? sequence : set;
      err =
          json_segment(&w, sequence ? WW_SEG_CONFED_SEQUENCE : WW_SEG_CONFED_SET, list, 0, json_array_size(list), diag);
      i++;
    } else {
      size_t end = i;
      while (end < n && end - i < 255 && !json_is_array(json_array_get(path, end)) &&
             !json_is_object(json_array_get(path, end)))
        end++;
      err = json_segment(&w, WW_SEG_AS_SEQUENCE, path, i, end - i, diag);
      i = end;
    }
  }
  if (err == WW_OK && w.overflow)
    err = ww_fail(diag, WW_ERR_LIMIT, 0, NULL, "the AS path is too long");
  out->path_len = w.len;
  return err;
}

static enum ww_err json_route(struct ww_route_query *out, const json_t *object, uint32_t local_as,
                              struct ww_diag *diag) {
  const char *prefix = json_string_value(json_object_get(object, "prefix"));
  const json_t *path = json_object_get(object, "as_path"), *origin = json_object_get(object, "origin");
  const json_t *asn = json_object_get(object, "asn");
  if (!prefix)
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "no \"prefix\"");
  enum ww_err err = read_prefix(out, prefix, diag);
  if (err != WW_OK)
    return err;
  out->has_path = false;
  out->origin = (struct ww_origin){0};
  if ((path != NULL) + (origin != NULL) + (asn != NULL) != 1)
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "one of \"asn\", \"origin\" and \"as_path\" should be there");
  if (path) {
    err = json_path(out, path, diag);
    if (err == WW_OK)
      take_path(out, local_as);
    return err;
  }
  if (origin && json_is_null(origin)) { /* a path that ends in an AS_SET */
    out->origin.none = true;
    return WW_OK;
  }
  return json_asn(asn ? asn : origin, &out->origin.asn, diag);
}

/* --- batches --------------------------------------------------------------------------------------------------- */

struct batch {
  const char *command, *name;
  uint32_t local_as;
  int (*visit)(void *ctx, const struct ww_route_query *query);
  void *ctx;
  size_t *bad;
  struct ww_route_query query;
};

static void refuse(struct batch *b, enum ww_err err, struct ww_diag *diag, unsigned line) {
  diag->line = line;
  diag->offset = 0;
  (void)ww_cli_fail_diag(b->command, b->name, err, diag);
  ++*b->bad;
}

static int judge(struct batch *b, enum ww_err err, struct ww_diag *diag, unsigned line) {
  if (err == WW_OK)
    return b->visit(b->ctx, &b->query);
  refuse(b, err, diag, line);
  return 0;
}

/* Cuts `line` into tokens at blanks, commas and one "=>". At most one more than a form has: too many is seen. */
static unsigned split(char *line, char *tokens[TOKENS + 1]) {
  static const char blanks[] = " \t\r\n,";
  unsigned n = 0;
  char *arrow = strstr(line, "=>"), *save;
  if (arrow)
    arrow[0] = arrow[1] = ' ';
  for (char *p = strtok_r(line, blanks, &save); p && n <= TOKENS; p = strtok_r(NULL, blanks, &save))
    tokens[n++] = p;
  return n;
}

static int text_line(struct batch *b, char *line, unsigned number) {
  char *tokens[TOKENS + 1], prefix[WW_PREFIX_STRLEN + 8];
  struct ww_diag diag = {0};
  unsigned n = split(line, tokens);
  if (n == 0 || tokens[0][0] == '#')
    return 0;
  enum ww_err err;
  if (n == 2) {
    err = ww_route_from_asn(&b->query, tokens[0], tokens[1], &diag);
  } else if (n == 3 && (size_t)snprintf(prefix, sizeof(prefix), "%s/%s", tokens[0], tokens[1]) < sizeof(prefix)) {
    err = ww_route_from_asn(&b->query, prefix, tokens[2], &diag);
  } else {
    err = ww_fail(&diag, WW_ERR_MALFORMED, 0, NULL, "none of: PREFIX => ASN, PREFIX ASN, ADDRESS LENGTH ASN, JSON");
  }
  return judge(b, err, &diag, number);
}

static int json_line(struct batch *b, const json_t *object, unsigned number) {
  struct ww_diag diag = {0};
  return judge(b, json_route(&b->query, object, b->local_as, &diag), &diag, number);
}

static int document(struct batch *b, const json_t *root) {
  const json_t *routes = json_object_get(root, "routes");
  struct ww_diag diag = {0};
  if (!json_is_array(routes)) {
    refuse(b, ww_fail(&diag, WW_ERR_MALFORMED, 0, NULL, "no \"routes\" array"), &diag, 0);
    return 0;
  }
  for (size_t i = 0; i < json_array_size(routes); i++) {
    enum ww_err err = json_route(&b->query, json_array_get(routes, i), b->local_as, &diag);
    if (err != WW_OK) {
      char why[sizeof(diag.text)];
      memcpy(why, diag.text, sizeof(why));
      err = ww_fail(&diag, err, 0, NULL, "routes[%zu]: %.200s", i, why);
    }
    int stop = judge(b, err, &diag, 0);
    if (stop)
      return stop;
  }
  return 0;
}

/* The first line opened an object that it does not close: takes the whole input as one. */
static int whole_document(struct batch *b, FILE *in, const char *first, size_t first_len) {
  size_t cap = first_len + 65536, len = first_len;
  char *text = malloc(cap);
  struct ww_diag diag = {0};
  enum ww_err err = text ? WW_OK : WW_ERR_NOMEM;
  if (text)
    memcpy(text, first, first_len);
  while (err == WW_OK) {
    size_t n = fread(text + len, 1, cap - len, in);
    if (n == 0)
      break;
    len += n;
    if (len < cap)
      continue;
    char *larger = len < DOCUMENT_MAX ? realloc(text, cap * 2) : NULL;
    if (larger) {
      text = larger;
      cap *= 2;
    } else {
      err = ww_fail(&diag, WW_ERR_LIMIT, 0, NULL, "the document is too long: give one route a line");
    }
  }
  json_error_t error;
  json_t *root = err == WW_OK ? json_loadb(text, len, JSON_REJECT_DUPLICATES, &error) : NULL;
  int stop = 0;
  if (err == WW_OK && !root)
    err = ww_fail(&diag, WW_ERR_MALFORMED, 0, NULL, "%.200s", error.text);
  if (err != WW_OK)
    refuse(b, err, &diag, root || err != WW_ERR_MALFORMED ? 0 : (unsigned)error.line);
  else
    stop = document(b, root);
  json_decref(root);
  free(text);
  return stop;
}

int ww_routes_read(FILE *in, const char *command, const char *name, uint32_t local_as,
                   int (*visit)(void *ctx, const struct ww_route_query *query), void *ctx, size_t *bad) {
  struct batch b = {.command = command, .name = name, .local_as = local_as, .visit = visit, .ctx = ctx, .bad = bad};
  char *line = NULL;
  size_t cap = 0;
  ssize_t len;
  int stop = 0;
  bool routes_seen = false;
  for (unsigned number = 1; !stop && (len = getline(&line, &cap, in)) >= 0; number++) {
    size_t blank = strspn(line, " \t");
    if (line[blank] != '{') {
      stop = text_line(&b, line, number);
      routes_seen = routes_seen || line[blank] > ' ';
      continue;
    }
    json_error_t error;
    json_t *object = json_loadb(line, (size_t)len, JSON_REJECT_DUPLICATES, &error);
    if (!object && !routes_seen) {
      stop = whole_document(&b, in, line, (size_t)len);
      break;
    }
    routes_seen = true;
    struct ww_diag diag = {0};
    if (!object)
      refuse(&b, ww_fail(&diag, WW_ERR_MALFORMED, 0, NULL, "%.200s", error.text), &diag, number);
    else
      stop = json_object_get(object, "routes") ? document(&b, object) : json_line(&b, object, number);
    json_decref(object);
  }
  free(line);
  if (ferror(in)) {
    struct ww_diag diag = {0};
    refuse(&b, ww_fail(&diag, WW_ERR_IO, 0, NULL, "read failed"), &diag, 0);
  }
  return stop;
}
