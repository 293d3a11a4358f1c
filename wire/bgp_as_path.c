/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AS_PATH: checking it on the wire, bringing it into canonical form, iterating it, and its text form.
 *
 * The canonical form is the wire form of a session with 4-octet AS numbers: segments {type 8, count 8, count x 32}, in
 * the order received. A path from a 2-octet session is widened, and merged with AS4_PATH as RFC 6793 §4.2.3 asks. All
 * functions borrow their input and write through a ww_writer; none allocates except ww_bgp_update_strip_as(), which
 * takes its copy from the message's arena.
 *
 * Clauses: RFC 4271 §4.3 and §5.1.2, RFC 5065 §3 and §5, RFC 6793 §4.2.3 and §6, RFC 7606 §7.2, RFC 7607 §2.
 */
#include "wire/bgp_internal.h"

#include <ctype.h>
#include <stdio.h>

enum { SEGMENT_HEADER = 2, SEGMENT_MAX = 255 };

static bool is_confed(uint8_t type) { return type == WW_SEG_CONFED_SEQUENCE || type == WW_SEG_CONFED_SET; }

const char *ww_as_path_fault(const uint8_t *data, size_t len, unsigned width, bool confed) {
  struct ww_reader r = ww_reader_make(data, len);
  while (ww_reader_left(&r)) {
    /* RFC 7606 §7.2: a single octet left cannot hold even an empty segment's header. */
    if (ww_reader_left(&r) < SEGMENT_HEADER)
      return "underrun: one octet after the last segment";
    uint8_t type = ww_reader_u8(&r);
    size_t count = ww_reader_u8(&r);
    if (type < WW_SEG_AS_SET || type > WW_SEG_CONFED_SET)
      return "unrecognised segment type"; /* RFC 7606 §7.2 */
    /* RFC 5065 §5: confederation segments from outside of the confederation make the AS_PATH malformed. */
    if (!confed && is_confed(type))
      return "confederation segment from outside of the confederation";
    if (count == 0)
      return "segment of length zero"; /* RFC 7606 §7.2 */
    struct ww_reader asns = ww_reader_sub(&r, count * width);
    if (r.bad)
      return "segment overruns the attribute"; /* RFC 7606 §7.2 */
    while (ww_reader_left(&asns)) {
      /* RFC 7607 §2: AS 0 in AS_PATH makes it malformed. */
      if ((width == 4 ? ww_reader_u32(&asns) : ww_reader_u16(&asns)) == 0)
        return "AS number zero";
    }
  }
  return NULL;
}

const char *ww_as4_path_fault(const uint8_t *data, size_t len, bool *confed) {
  *confed = false;
  /* RFC 6793 §6: not a multiple of two, or too small for one AS number. */
  if (len % 2 || len < SEGMENT_HEADER + 4)
    return "length is odd or below 6";
  const char *fault = ww_as_path_fault(data, len, 4, true);
  if (fault)
    return fault;
  struct ww_as_path path = {.data = data, .len = len};
  for (struct ww_as_segment s; ww_as_path_next(&path, &s);)
    *confed |= is_confed(s.type);
  return NULL;
}

/* A segment of a path whose AS numbers take 2 or 4 octets. */
struct segment {
  uint8_t type;
  unsigned count;
  const uint8_t *asns;
};

static bool next_segment(struct ww_reader *r, unsigned width, struct segment *s) {
  if (!ww_reader_left(r))
    return false;
  s->type = ww_reader_u8(r);
  s->count = ww_reader_u8(r);
  s->asns = ww_reader_take(r, (size_t)s->count * width);
  return !r->bad;
}

static void write_widened(struct ww_writer *w, const uint8_t *asns, unsigned count) {
  struct ww_reader r = ww_reader_make(asns, (size_t)count * 2);
  while (ww_reader_left(&r))
    ww_writer_u32(w, ww_reader_u16(&r));
}

static void write_header(struct ww_writer *w, uint8_t type, unsigned count) {
  ww_writer_u8(w, type);
  ww_writer_u8(w, (uint8_t)count);
}

void ww_as_path_widen(struct ww_writer *w, const uint8_t *path, size_t len) {
  struct ww_reader r = ww_reader_make(path, len);
  for (struct segment s; next_segment(&r, 2, &s);) {
    write_header(w, s.type, s.count);
    write_widened(w, s.asns, s.count);
  }
}

/* RFC 4271 §9.1.2.2 (a): an AS_SET counts as one. RFC 5065 §5.3: confederation segments do not count. */
static unsigned long path_length(const uint8_t *path, size_t len, unsigned width) {
  struct ww_reader r = ww_reader_make(path, len);
  unsigned long n = 0;
  for (struct segment s; next_segment(&r, width, &s);)
    n += s.type == WW_SEG_AS_SEQUENCE ? s.count : s.type == WW_SEG_AS_SET ? 1 : 0;
  return n;
}

void ww_as_path_merge(struct ww_writer *w, const uint8_t *path, size_t len, const uint8_t *as4, size_t as4_len) {
  unsigned long total = path_length(path, len, 2), known = path_length(as4, as4_len, 4);
  /* RFC 6793 §4.2.3: AS_PATH shorter than AS4_PATH: AS4_PATH is ignored. One that holds nothing but confederation
   * segments holds nothing once those are discarded (§6). */
  if (known == 0 || total < known) {
    ww_as_path_widen(w, path, len);
    return;
  }
  /* RFC 6793 §4.2.3: as many AS numbers and segments from the leading part as make the count that of AS_PATH.
   * Confederation segments are taken along when they lead or follow a segment taken, which is to say: until the first
   * segment that is not taken as a whole. The last one taken is held back, see below. */
  unsigned long missing = total - known;
  struct ww_reader r = ww_reader_make(path, len);
  struct segment held = {.count = 0};
  for (struct segment s; next_segment(&r, 2, &s);) {
    unsigned take = s.count;
    if (!is_confed(s.type)) {
      if (missing == 0)
        break;
      if (s.type == WW_SEG_AS_SEQUENCE && take > missing)
        take = (unsigned)missing;
      missing -= s.type == WW_SEG_AS_SEQUENCE ? take : 1;
    }
    if (held.count) {
      write_header(w, held.type, held.count);
      write_widened(w, held.asns, held.count);
    }
    held = (struct segment){.type = s.type, .count = take, .asns = s.asns};
    if (take < s.count)
      break;
  }
  r = ww_reader_make(as4, as4_len);
  for (struct segment s; next_segment(&r, 4, &s);) {
    if (is_confed(s.type))
      continue; /* RFC 6793 §6: they MUST be discarded from AS4_PATH */
    /* CHOICE: a sequence that was cut in two becomes one again, so that the path equals that of a 4-octet session. */
    bool join = held.count && held.type == WW_SEG_AS_SEQUENCE && s.type == WW_SEG_AS_SEQUENCE &&
                held.count + s.count <= SEGMENT_MAX;
    if (held.count) {
      write_header(w, held.type, held.count + (join ? s.count : 0));
      write_widened(w, held.asns, held.count);
    }
    if (!join)
      write_header(w, s.type, s.count);
    ww_writer_bytes(w, s.asns, (size_t)s.count * 4);
    held.count = 0;
  }
}

bool ww_as_path_next(struct ww_as_path *path, struct ww_as_segment *segment) {
  struct ww_reader r = ww_reader_make(path->data, path->len);
  struct segment s;
  if (!next_segment(&r, 4, &s)) {
    path->len = 0;
    return false;
  }
  *segment = (struct ww_as_segment){.type = s.type, .count = (uint8_t)s.count, .asns = s.asns};
  path->data = r.p;
  path->len = ww_reader_left(&r);
  return true;
}

enum ww_err ww_bgp_update_strip_as(struct ww_bgp_update *update, uint32_t asn, struct ww_arena *arena) {
  struct ww_as_path rest = update->as_path;
  struct ww_as_segment first;
  if (!update->has_as_path || !ww_as_path_next(&rest, &first) || first.type != WW_SEG_AS_SEQUENCE ||
      ww_as_segment_at(&first, 0) != asn)
    return WW_OK;
  /* The attribute shrinks by one AS number, or by the whole segment; its header may shrink too. Everything before and
   * after it is copied as it is. */
  size_t value_at = (size_t)(update->as_path.data - update->attrs);
  size_t old_header = update->as_path.len > UINT8_MAX ? 4 : 3;
  size_t head_at = value_at - old_header, tail_at = value_at + update->as_path.len;
  size_t gone = first.count == 1 ? SEGMENT_HEADER + 4 : 4, len = update->as_path.len - gone;
  uint8_t *copy = ww_arena_alloc(arena, update->attrs_len);
  if (!copy)
    return WW_ERR_NOMEM;
  struct ww_writer w = ww_writer_make(copy, update->attrs_len);
  ww_writer_bytes(&w, update->attrs, head_at);
  ww_writer_u8(&w, (uint8_t)(WW_ATTR_TRANSITIVE | (len > UINT8_MAX ? WW_ATTR_EXTENDED : 0)));
  ww_writer_u8(&w, WW_ATTR_AS_PATH);
  if (len > UINT8_MAX)
    ww_writer_u16(&w, (uint16_t)len);
  else
    ww_writer_u8(&w, (uint8_t)len);
  size_t new_at = w.len;
  if (first.count > 1) {
    write_header(&w, first.type, first.count - 1u);
    ww_writer_bytes(&w, first.asns + 4, (first.count - 1u) * 4u);
  }
  ww_writer_bytes(&w, rest.data, rest.len);
  ww_writer_bytes(&w, update->attrs + tail_at, update->attrs_len - tail_at);
  if (w.overflow)
    return WW_ERR_INVAL; /* as_path does not lie in attrs */
  update->attrs = copy;
  update->attrs_len = w.len;
  update->as_path = (struct ww_as_path){.data = copy + new_at, .len = len};
  return WW_OK;
}

/* --- text --- */

struct brackets {
  char open, close;
};

static struct brackets brackets_of(uint8_t type) {
  switch (type) {
  case WW_SEG_AS_SET:
    return (struct brackets){'{', '}'};
  case WW_SEG_CONFED_SEQUENCE:
    return (struct brackets){'(', ')'};
  case WW_SEG_CONFED_SET:
    return (struct brackets){'[', ']'};
  default:
    return (struct brackets){0, 0};
  }
}

static uint8_t type_of_bracket(char c) {
  return c == '{' ? WW_SEG_AS_SET : c == '(' ? WW_SEG_CONFED_SEQUENCE : c == '[' ? WW_SEG_CONFED_SET : 0;
}

static bool is_space(char c) { return c == ' ' || c == '\t'; }

/* Reads AS numbers, parted by blanks (in brackets by commas too), up to `stop`; writes them as segments of `type`. */
static const char *parse_segment(const char *text, const char *p, char stop, uint8_t type, struct ww_writer *out,
                                 struct ww_diag *diag) {
  size_t header = 0;
  unsigned long n = 0;
  for (;;) {
    while (is_space(*p))
      p++;
    if (*p == '\0' || (stop ? *p == stop : type_of_bracket(*p) != 0))
      break;
    char word[16];
    size_t len = 0;
    while (len < sizeof word - 1 && isalnum((unsigned char)p[len])) {
      word[len] = p[len];
      len++;
    }
    word[len] = '\0';
    uint32_t asn;
    if (len == 0 || ww_asn_parse(word, &asn) != WW_OK) {
      (void)ww_fail(diag, WW_ERR_MALFORMED, (size_t)(p - text), NULL, "not an AS number");
      return NULL;
    }
    p += len;
    while (is_space(*p))
      p++;
    if (stop && *p == ',') {
      p++;
      while (is_space(*p))
        p++;
      if (!isalnum((unsigned char)*p)) {
        (void)ww_fail(diag, WW_ERR_MALFORMED, (size_t)(p - text), NULL, "AS number missing after ','");
        return NULL;
      }
    }
    if (n % SEGMENT_MAX == 0) { /* RFC 4271 §5.1.2: a segment holds 255 at most, then a new one starts */
      header = out->len;
      write_header(out, type, 0);
    }
    n++;
    ww_writer_u32(out, asn);
    ww_writer_patch_u16(out, header, ((size_t)type << 8) + (n - 1) % SEGMENT_MAX + 1);
  }
  if (stop && *p != stop) {
    (void)ww_fail(diag, WW_ERR_MALFORMED, (size_t)(p - text), NULL, "'%c' missing", stop);
    return NULL;
  }
  if (stop && n == 0) {
    (void)ww_fail(diag, WW_ERR_MALFORMED, (size_t)(p - text), NULL, "empty segment");
    return NULL;
  }
  return stop ? p + 1 : p;
}

enum ww_err ww_as_path_parse(const char *text, struct ww_writer *out, struct ww_diag *diag) {
  const char *p = text;
  for (;;) {
    while (is_space(*p))
      p++;
    if (*p == '\0')
      break;
    uint8_t type = type_of_bracket(*p);
    if (type)
      p = parse_segment(text, p + 1, brackets_of(type).close, type, out, diag);
    else
      p = parse_segment(text, p, 0, WW_SEG_AS_SEQUENCE, out, diag);
    if (!p)
      return WW_ERR_MALFORMED;
  }
  if (out->overflow)
    return ww_fail(diag, WW_ERR_FULL, 0, NULL, "AS path does not fit");
  return WW_OK;
}

/* A text being put together; `cut` once something did not fit. */
struct text {
  char *buf;
  size_t size, len;
  bool cut;
};

static void text_add(struct text *t, const char *s) {
  size_t n = strlen(s);
  if (t->cut || t->len + n + 1 > t->size) {
    t->cut = true;
    return;
  }
  memcpy(t->buf + t->len, s, n + 1);
  t->len += n;
}

char *ww_as_path_format(struct ww_as_path path, char *buf, size_t size) {
  struct text t = {.buf = buf, .size = size};
  if (size == 0)
    return buf;
  buf[0] = '\0';
  bool first = true;
  for (struct ww_as_segment s; !t.cut && ww_as_path_next(&path, &s); first = false) {
    struct brackets b = brackets_of(s.type);
    /* Members of a set have no order: commas. */
    const char *between = s.type == WW_SEG_AS_SET || s.type == WW_SEG_CONFED_SET ? "," : " ";
    for (unsigned i = 0; i < s.count && !t.cut; i++) {
      char word[16];
      (void)snprintf(word, sizeof word, "%.1s%lu", i || !b.open ? "" : &b.open, (unsigned long)ww_as_segment_at(&s, i));
      if (i || !first)
        text_add(&t, i ? between : " ");
      text_add(&t, word);
    }
    if (b.close)
      text_add(&t, (const char[]){b.close, '\0'});
  }
  if (t.cut) {
    size_t at = t.len + 4 <= size ? t.len : size >= 4 ? size - 4 : 0;
    (void)snprintf(buf + at, size - at, "...");
  }
  return buf;
}
