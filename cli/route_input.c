/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routes to be judged: single ones from arguments, many from lines or documents. Every route says what is wrong with it
 * by line, or by its place in the document, and never stops the others.
 *
 * Objects are read with jansson. Most lines of a large batch are plain, though: one object of few members, without
 * escapes, nesting or anything else that needs a parser with a tree. cli/route_flat.c reads those, and leaves all
 * others (bad ones too) to jansson, so that there is one judge of what is bad.
 */
#include "cli/route_input.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/route_flat.h"
#include "rib/origin.h"

enum { TOKENS = 3 };

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

static void clear(struct ww_route_query *out, const struct ww_route_defaults *defaults) {
  out->has_path = false;
  out->path_len = 0;
  out->origin = (struct ww_origin){0};
  out->aspa = (struct ww_aspa_path){.asns = out->asns};
  out->session = defaults->session;
}

enum ww_err ww_route_from_asn(struct ww_route_query *out, const struct ww_route_defaults *defaults, const char *prefix,
                              const char *asn, struct ww_diag *diag) {
  clear(out, defaults);
  enum ww_err err = read_prefix(out, prefix, diag);
  return err == WW_OK ? read_asn(asn, &out->origin.asn, diag) : err;
}

void ww_route_take_path(struct ww_route_query *out, uint32_t local_as) {
  struct ww_as_path path = {out->path, out->path_len};
  struct ww_as_segment segment;
  out->has_path = true;
  out->origin = ww_origin_of_path(path, local_as);
  out->aspa = (struct ww_aspa_path){.asns = out->asns};
  while (ww_as_path_next(&path, &segment)) {
    out->aspa.has_set = out->aspa.has_set || segment.type == WW_SEG_AS_SET;
    out->aspa.has_confed =
        out->aspa.has_confed || segment.type == WW_SEG_CONFED_SEQUENCE || segment.type == WW_SEG_CONFED_SET;
    for (unsigned i = 0; i < segment.count; i++)
      out->asns[out->aspa.count++] = ww_as_segment_at(&segment, i);
  }
}

enum ww_err ww_route_from_path(struct ww_route_query *out, const struct ww_route_defaults *defaults, const char *prefix,
                               const char *path, struct ww_diag *diag) {
  clear(out, defaults);
  enum ww_err err = read_prefix(out, prefix, diag);
  if (err != WW_OK)
    return err;
  struct ww_writer w = ww_writer_make(out->path, sizeof(out->path));
  err = ww_as_path_parse(path, &w, diag);
  if (err != WW_OK)
    return err;
  out->path_len = w.len;
  ww_route_take_path(out, defaults->local_as);
  return WW_OK;
}

bool ww_role_parse(const char *text, uint8_t *role) {
  static const uint8_t roles[] = {WW_ROLE_PROVIDER, WW_ROLE_RS,   WW_ROLE_RS_CLIENT,
                                  WW_ROLE_CUSTOMER, WW_ROLE_PEER, WW_ROLE_MUTUAL_TRANSIT};
  for (unsigned i = 0; i < sizeof(roles); i++)
    if (strcmp(text, ww_role_name((enum ww_role)roles[i])) == 0) {
      *role = roles[i];
      return true;
    }
  return false;
}

bool ww_direction_parse(const char *text, uint8_t *role) {
  /* A role that leads to the procedure: what sets the others apart is not asked for. */
  bool up = strcmp(text, ww_aspa_procedure_name(WW_ASPA_UPSTREAM)) == 0;
  if (!up && strcmp(text, ww_aspa_procedure_name(WW_ASPA_DOWNSTREAM)) != 0)
    return false;
  *role = up ? WW_ROLE_PROVIDER : WW_ROLE_CUSTOMER;
  return true;
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

static enum ww_err json_session(struct ww_route_query *out, const json_t *object, struct ww_diag *diag) {
  const json_t *role = json_object_get(object, "role"), *direction = json_object_get(object, "direction");
  const json_t *neighbor = json_object_get(object, "neighbor_as");
  const char *word = json_string_value(role ? role : direction);
  if (role && direction)
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "only one of \"role\" and \"direction\" should be there");
  if ((role || direction) && (!word || !(role ? ww_role_parse : ww_direction_parse)(word, &out->session.role)))
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, role ? "\"role\" is not one" : "\"direction\" is not one");
  return neighbor ? json_asn(neighbor, &out->session.neighbor_as, diag) : WW_OK;
}

static enum ww_err json_route(struct ww_route_reader *reader, const json_t *object, struct ww_diag *diag) {
  struct ww_route_query *out = &reader->query;
  const char *prefix = json_string_value(json_object_get(object, "prefix"));
  const json_t *path = json_object_get(object, "as_path"), *origin = json_object_get(object, "origin");
  const json_t *asn = json_object_get(object, "asn");
  clear(out, &reader->defaults);
  if (!prefix)
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "no \"prefix\"");
  enum ww_err err = read_prefix(out, prefix, diag);
  if (err == WW_OK)
    err = json_session(out, object, diag);
  if (err != WW_OK)
    return err;
  if ((path != NULL) + (origin != NULL) + (asn != NULL) != 1)
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL, "one of \"asn\", \"origin\" and \"as_path\" should be there");
  if (path) {
    err = json_path(out, path, diag);
    if (err == WW_OK)
      ww_route_take_path(out, reader->defaults.local_as);
    return err;
  }
  if (origin && json_is_null(origin)) { /* a path that ends in an AS_SET */
    out->origin.none = true;
    return WW_OK;
  }
  return json_asn(asn ? asn : origin, &out->origin.asn, diag);
}

/* --- lines and documents ---------------------------------------------------------------------------------------- */

static void refuse(struct ww_route_reader *reader, enum ww_err err, struct ww_diag *diag, unsigned line) {
  diag->line = line;
  diag->offset = 0;
  reader->refuse(reader->ctx, err, diag);
}

static int judge(struct ww_route_reader *reader, enum ww_err err, struct ww_diag *diag, unsigned line) {
  if (err == WW_OK)
    return reader->visit(reader->ctx, &reader->query);
  refuse(reader, err, diag, line);
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

static int text_line(struct ww_route_reader *reader, char *line, unsigned number) {
  char *tokens[TOKENS + 1], prefix[WW_PREFIX_STRLEN + 8];
  struct ww_diag diag = {0};
  unsigned n = split(line, tokens);
  if (n == 0 || tokens[0][0] == '#')
    return 0;
  enum ww_err err;
  if (n == 2) {
    err = ww_route_from_asn(&reader->query, &reader->defaults, tokens[0], tokens[1], &diag);
  } else if (n == 3 && (size_t)snprintf(prefix, sizeof(prefix), "%s/%s", tokens[0], tokens[1]) < sizeof(prefix)) {
    err = ww_route_from_asn(&reader->query, &reader->defaults, prefix, tokens[2], &diag);
  } else {
    err = ww_fail(&diag, WW_ERR_MALFORMED, 0, NULL, "none of: PREFIX => ASN, PREFIX ASN, ADDRESS LENGTH ASN, JSON");
  }
  return judge(reader, err, &diag, number);
}

static int routes(struct ww_route_reader *reader, const json_t *root) {
  const json_t *list = json_object_get(root, "routes");
  struct ww_diag diag = {0};
  if (!json_is_array(list)) {
    refuse(reader, ww_fail(&diag, WW_ERR_MALFORMED, 0, NULL, "no \"routes\" array"), &diag, 0);
    return 0;
  }
  for (size_t i = 0; i < json_array_size(list); i++) {
    enum ww_err err = json_route(reader, json_array_get(list, i), &diag);
    if (err != WW_OK) {
      char why[sizeof(diag.text)];
      memcpy(why, diag.text, sizeof(why));
      err = ww_fail(&diag, err, 0, NULL, "routes[%zu]: %.200s", i, why);
    }
    int stop = judge(reader, err, &diag, 0);
    if (stop)
      return stop;
  }
  return 0;
}

bool ww_route_line_is_blank(const char *line) {
  line += strspn(line, " \t\r\n,");
  return *line == '\0' || *line == '#';
}

bool ww_route_line_is_cut(const char *line, size_t len) {
  if (line[strspn(line, " \t")] != '{')
    return false;
  json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
  json_decref(object);
  return !object;
}

int ww_route_document(struct ww_route_reader *reader, const char *text, size_t len) {
  json_error_t error;
  struct ww_diag diag = {0};
  json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
  int stop = 0;
  if (!root)
    refuse(reader, ww_fail(&diag, WW_ERR_MALFORMED, 0, NULL, "%.200s", error.text), &diag, (unsigned)error.line);
  else
    stop = routes(reader, root);
  json_decref(root);
  return stop;
}

int ww_route_line(struct ww_route_reader *reader, char *line, size_t len, unsigned number) {
  if (line[strspn(line, " \t")] != '{')
    return text_line(reader, line, number);
  clear(&reader->query, &reader->defaults);
  if (ww_route_flat(&reader->query, &reader->defaults, line, len))
    return reader->visit(reader->ctx, &reader->query);
  struct ww_diag diag = {0};
  json_error_t error;
  json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
  int stop = 0;
  if (!object)
    refuse(reader, ww_fail(&diag, WW_ERR_MALFORMED, 0, NULL, "%.200s", error.text), &diag, number);
  else
    stop = json_object_get(object, "routes") ? routes(reader, object)
                                             : judge(reader, json_route(reader, object, &diag), &diag, number);
  json_decref(object);
  return stop;
}
