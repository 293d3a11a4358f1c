/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the values of a JSON text stand. The parser of the JSON library says where a text is broken, but keeps no lines
 * for values; this walk of the same text gives every value its line, in document order, which is the order in which the
 * library keeps the members of an object. It checks nothing: that is the parser's, whose refusal comes first. On a text
 * that was refused it finds the pointer of the place where that happened.
 *
 * Everything is bounded by the text: one entry for a value at most, one level for an opening bracket.
 */
#include "slurm/internal.h"

#include <stdlib.h>
#include <string.h>

struct level {
  uint32_t place; /* of the array or object */
  bool is_array, has_key;
  size_t index; /* of the value in hand, in an array */
  const char *key;
  size_t key_len;
  unsigned key_line;
};

struct walk {
  const char *text;
  size_t len, at; /* the walk ends at `len` */
  unsigned line;
  struct level *levels;
  size_t depth, level_cap;
  struct ww_slurm_place *places;
  size_t count, place_cap;
  bool keep; /* places are wanted */
};

static bool grow(void **array, size_t count, size_t *cap, size_t size) {
  if (count < *cap)
    return true;
  size_t want = *cap ? *cap * 2 : 64;
  void *larger = want > UINT32_MAX / 2 ? NULL : realloc(*array, want * size);
  if (!larger)
    return false;
  *array = larger;
  *cap = want;
  return true;
}

/* A value begins. */
static bool begin(struct walk *w) {
  if (!w->keep)
    return true;
  void *places = w->places;
  bool ok = grow(&places, w->count, &w->place_cap, sizeof(*w->places));
  w->places = places;
  if (!ok)
    return false;
  const struct level *level = w->depth ? &w->levels[w->depth - 1] : NULL;
  w->places[w->count] = (struct ww_slurm_place){.line = level && level->has_key ? level->key_line : w->line,
                                                .end = (uint32_t)w->count + 1};
  w->count++;
  return true;
}

static bool open_level(struct walk *w, bool is_array) {
  if (!begin(w))
    return false;
  void *levels = w->levels;
  bool ok = grow(&levels, w->depth, &w->level_cap, sizeof(*w->levels));
  w->levels = levels;
  if (!ok)
    return false;
  w->levels[w->depth++] = (struct level){.place = w->count ? (uint32_t)w->count - 1 : 0, .is_array = is_array};
  return true;
}

static void close_level(struct walk *w) {
  if (!w->depth)
    return;
  const struct level *level = &w->levels[--w->depth];
  if (w->keep)
    w->places[level->place].end = (uint32_t)w->count;
}

/* From the opening quote; it is a name where an object awaits one. */
static bool string(struct walk *w) {
  size_t from = ++w->at;
  while (w->at < w->len && w->text[w->at] != '"')
    w->at += w->text[w->at] == '\\' ? 2 : 1;
  if (w->at > w->len)
    w->at = w->len;
  struct level *level = w->depth ? &w->levels[w->depth - 1] : NULL;
  if (!level || level->is_array || level->has_key)
    return begin(w);
  level->has_key = true;
  level->key = w->text + from;
  level->key_len = w->at - from;
  level->key_line = w->line;
  return true;
}

static void next_value(struct walk *w) {
  if (!w->depth)
    return;
  struct level *level = &w->levels[w->depth - 1];
  level->index++;
  level->has_key = false;
}

static bool is_literal(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' || c == '.';
}

static enum ww_err run(struct walk *w) {
  bool ok = true;
  for (; w->at < w->len && ok; w->at++) {
    char c = w->text[w->at];
    if (c == '\n')
      w->line++;
    else if (c == '{' || c == '[')
      ok = open_level(w, c == '[');
    else if (c == '}' || c == ']')
      close_level(w);
    else if (c == ',')
      next_value(w);
    else if (c == '"')
      ok = string(w);
    else if (is_literal(c)) {
      ok = begin(w);
      while (w->at + 1 < w->len && is_literal(w->text[w->at + 1]))
        w->at++;
    }
  }
  return ok ? WW_OK : WW_ERR_NOMEM;
}

enum ww_err ww_slurm_places(const char *text, size_t len, struct ww_slurm_place **out, size_t *count) {
  struct walk w = {.text = text, .len = len, .line = 1, .keep = true};
  enum ww_err err = run(&w);
  free(w.levels);
  if (err != WW_OK) {
    free(w.places);
    return err;
  }
  *out = w.places;
  *count = w.count;
  return WW_OK;
}

enum ww_err ww_slurm_pointer_at(const char *text, size_t len, size_t position, char *pointer) {
  struct walk w = {.text = text, .len = position < len ? position : len, .line = 1};
  enum ww_err err = run(&w);
  pointer[0] = '\0';
  for (size_t i = 0; i < w.depth && err == WW_OK; i++) {
    const struct level *level = &w.levels[i];
    if (level->is_array)
      (void)ww_slurm_pointer_enter_index(pointer, level->index);
    else if (level->has_key)
      (void)ww_slurm_pointer_enter(pointer, level->key, level->key_len);
  }
  free(w.levels);
  return err;
}
