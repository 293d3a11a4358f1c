/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One SLURM file: its text becomes items, or a list of everything that is wrong with it.
 *
 * The JSON library checks the grammar and gives a tree; a walk of the text beside it (place.c) gives each value its
 * line. A `struct cursor` is a position in both. Reading goes on after an error, so that one run of a checker is
 * enough; the items of a file with errors are of no use, and the set they would belong to is dropped by the caller.
 *
 * RFC 8416 §3.1: members that are not defined must not be used, and any deviation is an error. DEVIATION: in the
 * default, tolerant mode four spellings that widely used programs write or publish in their examples are warnings:
 * padded or standard base64, "customerAsid", filters with an SKI that is not 20 octets, and keys that are no
 * P-256 SubjectPublicKeyInfo. None of them changes what another entry means. Strict mode refuses them.
 *
 * Clauses: RFC 8416 §3 and its parts, draft-ietf-sidrops-aspa-slurm-04 §2, §3.1, §3.2; RFC 8259 as the JSON library
 * reads it, with names given twice refused.
 */
#include "slurm/internal.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

static const char RFC_VERSION[] = "RFC 8416 §3.2";
static const char RFC_JSON[] = "RFC 8416 §3.1";
static const char RFC_PREFIX_FILTER[] = "RFC 8416 §3.3.1";
static const char RFC_BGPSEC_FILTER[] = "RFC 8416 §3.3.2";
static const char RFC_PREFIX_ASSERTION[] = "RFC 8416 §3.4.1";
static const char RFC_BGPSEC_ASSERTION[] = "RFC 8416 §3.4.2";
static const char DRAFT_FILE[] = "draft-ietf-sidrops-aspa-slurm-04 §2";
static const char DRAFT_FILTER[] = "draft-ietf-sidrops-aspa-slurm-04 §3.1";
static const char DRAFT_ASSERTION[] = "draft-ietf-sidrops-aspa-slurm-04 §3.2";

enum { MEMBERS_MAX = 5 }; /* that an object of a SLURM file may have */

struct parser {
  struct ww_slurm *slurm;
  uint32_t file;
  bool strict;
  struct ww_slurm_problems *problems;
  size_t errors; /* of this file */
  const struct ww_slurm_place *places;
  char pointer[WW_SLURM_POINTER_MAX];
  const char *clause; /* of the array in hand */
  enum ww_err err;    /* memory */
};

struct cursor {
  json_t *json; /* NULL: absent */
  uint32_t place;
  const char *name; /* of a member */
};

/* --- problems --------------------------------------------------------------------------------------------------- */

static bool fail(struct parser *p, struct cursor at, const char *clause, const char *text) {
  p->errors++;
  ww_slurm_problem_add(p->problems, false, p->file, p->places[at.place].line, p->pointer, clause, "%s", text);
  return false;
}

/* A spelling that strict mode refuses. True when the value may be used. */
static bool loose(struct parser *p, struct cursor at, const char *clause, const char *text) {
  if (p->strict)
    return fail(p, at, clause, text);
  ww_slurm_problem_add(p->problems, true, p->file, p->places[at.place].line, p->pointer, clause, "%s", text);
  return true;
}

static size_t enter(struct parser *p, struct cursor at) {
  return ww_slurm_pointer_enter(p->pointer, at.name, strlen(at.name));
}

static void leave(struct parser *p, size_t mark) { p->pointer[mark] = '\0'; }

/* As fail(), of a member of the object in hand. */
static bool fail_member(struct parser *p, struct cursor member, const char *clause, const char *text) {
  size_t mark = enter(p, member);
  fail(p, member, clause, text);
  leave(p, mark);
  return false;
}

static bool fail_missing(struct parser *p, struct cursor object, const char *name, const char *clause) {
  p->errors++;
  ww_slurm_problem_add(p->problems, false, p->file, p->places[object.place].line, p->pointer, clause,
                       "the member \"%s\" is missing", name);
  return false;
}

static void out_of_memory(struct parser *p) { p->err = WW_ERR_NOMEM; }

/* --- objects and values ----------------------------------------------------------------------------------------- */

/* "aspaFilters" in a file of version 1 is the usual slip: say what it needs. */
static const char *unknown_member(const char *name) {
  if (strcmp(name, "aspaFilters") == 0 || strcmp(name, "aspaAssertions") == 0)
    return "not a member that is defined here: it needs \"slurmVersion\": 2";
  return "not a member that is defined here";
}

/*
 * Finds the members of an object by name: found[i] is names[i], its json NULL where it is absent. `names` ends with
 * NULL. False when it is no object; members of other names are errors that do not keep the rest from being read.
 */
static bool members(struct parser *p, struct cursor object, const char *const *names, const char *clause,
                    struct cursor found[MEMBERS_MAX]) {
  const char *name;
  json_t *value;
  uint32_t place = object.place + 1;
  for (int i = 0; i < MEMBERS_MAX; i++)
    found[i] = (struct cursor){0};
  if (!json_is_object(object.json))
    return fail(p, object, clause, "must be an object");
  /* The library keeps members in the order of the text, which is the order of places. */
  json_object_foreach(object.json, name, value) {
    struct cursor at = {.json = value, .place = place, .name = name};
    int i = 0;
    while (names[i] && strcmp(names[i], name) != 0)
      i++;
    if (names[i])
      found[i] = at;
    else
      fail_member(p, at, RFC_JSON, unknown_member(name));
    place = p->places[place].end;
  }
  return true;
}

static bool read_asn(struct parser *p, struct cursor at, uint32_t *asn) {
  json_int_t value = json_integer_value(at.json);
  /* CHOICE: 64496.0 and 6e4 are refused, though JSON does not tell them from whole numbers. */
  if (!json_is_integer(at.json) || value < 0 || value > UINT32_MAX)
    return fail_member(p, at, p->clause, "must be a number, an AS number from 0 to 4294967295");
  *asn = (uint32_t)value;
  return true;
}

static bool read_prefix(struct parser *p, struct cursor at, struct ww_prefix *prefix) {
  /* CHOICE: any spelling of an IPv6 address is read: the examples of RFC 8416 are no RFC 5952 §4.3 themselves. */
  if (!json_is_string(at.json) || ww_prefix_parse(json_string_value(at.json), prefix) != WW_OK)
    return fail_member(p, at, p->clause, "must be a string, an IPv4 or IPv6 prefix without bits set beyond its length");
  return true;
}

/* Copies a comment. An absent one is fine. */
static bool read_comment(struct parser *p, struct cursor at, const char **comment) {
  *comment = NULL;
  if (!at.json)
    return true;
  if (!json_is_string(at.json))
    return fail_member(p, at, p->clause, "must be a string");
  *comment = ww_arena_copy(&p->slurm->arena, json_string_value(at.json), json_string_length(at.json) + 1);
  if (!*comment)
    out_of_memory(p);
  return *comment != NULL;
}

static bool read_octets(struct parser *p, struct cursor at, uint8_t out[WW_SPKI_MAX], size_t *len) {
  if (!json_is_string(at.json))
    return fail_member(p, at, p->clause, "must be a string");
  /* RFC 8416 asks for base64url without padding (RFC 4648 §5). Files in the field use the standard alphabet, padding,
   * or both alphabets in one file (the example of draft-ietf-sidrops-aspa-slurm-04 does): read, and told apart. */
  switch (ww_base64_decode(json_string_value(at.json), json_string_length(at.json), out, WW_SPKI_MAX, len)) {
  case WW_BASE64_BAD:
    return fail_member(p, at, p->clause, "must be base64url");
  case WW_BASE64_TOO_LONG:
    return fail_member(p, at, p->clause, "is longer than 1024 octets");
  case WW_BASE64_LOOSE: {
    size_t mark = enter(p, at);
    bool ok = loose(p, at, p->clause, "should be base64url without padding");
    leave(p, mark);
    if (!ok)
      return false;
    break;
  }
  case WW_BASE64_URL:
    break;
  }
  return *len > 0 || fail_member(p, at, p->clause, "must not be empty");
}

/* The customer of an ASPA filter or assertion, under either name. */
static bool read_customer(struct parser *p, struct cursor object, struct cursor asn, struct cursor asid,
                          uint32_t *customer) {
  if (asn.json && asid.json)
    return fail_member(p, asid, p->clause, "is another name for \"customerAsn\", which is there too");
  if (!asn.json && !asid.json)
    return fail_missing(p, object, "customerAsn", p->clause);
  if (!asn.json) {
    /* Older drafts had this name, and rpki-rs still reads and writes it in filters. */
    size_t mark = enter(p, asid);
    bool ok = loose(p, asid, p->clause, "should be named \"customerAsn\"");
    leave(p, mark);
    if (!ok)
      return false;
  }
  return read_asn(p, asn.json ? asn : asid, customer);
}

/* --- items ------------------------------------------------------------------------------------------------------ */

/* Each reads one element of its array into `item`; false when it is bad, and noted. */

static bool read_prefix_filter(struct parser *p, struct cursor at, struct ww_slurm_item *item) {
  static const char *const names[] = {"prefix", "asn", "comment", NULL};
  struct cursor found[MEMBERS_MAX];
  if (!members(p, at, names, p->clause, found))
    return false;
  item->has_prefix = found[0].json != NULL;
  item->has_asn = found[1].json != NULL;
  bool ok = read_comment(p, found[2], &item->comment);
  if (!item->has_prefix && !item->has_asn)
    return fail(p, at, p->clause, "needs a \"prefix\", an \"asn\" or both");
  if (item->has_prefix)
    ok = read_prefix(p, found[0], &item->prefix) && ok;
  if (item->has_asn)
    ok = read_asn(p, found[1], &item->asn) && ok;
  return ok;
}

static bool read_bgpsec_filter(struct parser *p, struct cursor at, struct ww_slurm_item *item) {
  static const char *const names[] = {"asn", "SKI", "comment", NULL};
  struct cursor found[MEMBERS_MAX];
  uint8_t ski[WW_SPKI_MAX];
  size_t len = 0;
  if (!members(p, at, names, p->clause, found))
    return false;
  item->has_asn = found[0].json != NULL;
  item->has_ski = found[1].json != NULL;
  bool ok = read_comment(p, found[2], &item->comment);
  if (!item->has_asn && !item->has_ski)
    return fail(p, at, p->clause, "needs an \"asn\", an \"SKI\" or both");
  if (item->has_asn)
    ok = read_asn(p, found[0], &item->asn) && ok;
  if (!item->has_ski)
    return ok;
  if (!read_octets(p, found[1], ski, &len))
    return false;
  item->foreign_ski = len != WW_SKI_LEN;
  if (item->foreign_ski) {
    /* RFC 8416 §3.5 has such SKIs in its example. */
    size_t mark = enter(p, found[1]);
    ok = loose(p, found[1], p->clause, "is not 20 octets, so the filter matches nothing") && ok;
    leave(p, mark);
  } else {
    memcpy(item->ski, ski, WW_SKI_LEN);
  }
  return ok;
}

static bool read_aspa_filter(struct parser *p, struct cursor at, struct ww_slurm_item *item) {
  static const char *const names[] = {"customerAsn", "customerAsid", "comment", NULL};
  struct cursor found[MEMBERS_MAX];
  if (!members(p, at, names, p->clause, found))
    return false;
  item->has_asn = true;
  bool ok = read_comment(p, found[2], &item->comment);
  return read_customer(p, at, found[0], found[1], &item->asn) && ok;
}

static bool read_max_len(struct parser *p, struct cursor at, struct ww_slurm_item *item) {
  json_int_t value = at.json ? json_integer_value(at.json) : item->prefix.len;
  if (at.json && !json_is_integer(at.json))
    return fail_member(p, at, p->clause, "must be a number");
  if (value < item->prefix.len || value > ww_afi_bits(item->prefix.afi))
    return fail_member(p, at, p->clause,
                       item->prefix.afi == WW_AFI_IPV4 ? "must lie between the length of the prefix and 32"
                                                       : "must lie between the length of the prefix and 128");
  item->max_len = (uint8_t)value;
  return true;
}

static bool read_prefix_assertion(struct parser *p, struct cursor at, struct ww_slurm_item *item) {
  static const char *const names[] = {"prefix", "asn", "maxPrefixLength", "comment", NULL};
  struct cursor found[MEMBERS_MAX];
  if (!members(p, at, names, p->clause, found))
    return false;
  item->has_prefix = item->has_asn = true;
  bool ok = read_comment(p, found[3], &item->comment);
  ok = (found[1].json ? read_asn(p, found[1], &item->asn) : fail_missing(p, at, "asn", p->clause)) && ok;
  if (!found[0].json)
    return fail_missing(p, at, "prefix", p->clause);
  return read_prefix(p, found[0], &item->prefix) && read_max_len(p, found[2], item) && ok;
}

static bool read_assertion_ski(struct parser *p, struct cursor at, struct ww_slurm_item *item) {
  uint8_t ski[WW_SPKI_MAX];
  size_t len = 0;
  if (!read_octets(p, at, ski, &len))
    return false;
  /* RFC 8210 §5.10: the field of a Router Key PDU is 20 octets; there is no record of any other length. */
  if (len != WW_SKI_LEN)
    return fail_member(p, at, p->clause, "must be base64url of 20 octets");
  item->has_ski = true;
  memcpy(item->ski, ski, WW_SKI_LEN);
  return true;
}

static bool read_assertion_key(struct parser *p, struct cursor at, struct ww_slurm_item *item) {
  uint8_t spki[WW_SPKI_MAX];
  size_t len = 0;
  if (!read_octets(p, at, spki, &len))
    return false;
  if (!ww_slurm_is_p256_spki(spki, len)) {
    size_t mark = enter(p, at);
    bool ok = loose(p, at, p->clause, "is no SubjectPublicKeyInfo of an uncompressed P-256 key");
    leave(p, mark);
    if (!ok)
      return false;
  }
  item->spki_len = (uint32_t)len;
  item->spki = ww_arena_copy(&p->slurm->arena, spki, len);
  if (!item->spki)
    out_of_memory(p);
  return item->spki != NULL;
}

static bool read_bgpsec_assertion(struct parser *p, struct cursor at, struct ww_slurm_item *item) {
  static const char *const names[] = {"asn", "SKI", "routerPublicKey", "comment", NULL};
  struct cursor found[MEMBERS_MAX];
  if (!members(p, at, names, p->clause, found))
    return false;
  item->has_asn = true;
  bool ok = read_comment(p, found[3], &item->comment);
  ok = (found[0].json ? read_asn(p, found[0], &item->asn) : fail_missing(p, at, names[0], p->clause)) && ok;
  ok = (found[1].json ? read_assertion_ski(p, found[1], item) : fail_missing(p, at, names[1], p->clause)) && ok;
  return (found[2].json ? read_assertion_key(p, found[2], item) : fail_missing(p, at, names[2], p->clause)) && ok;
}

/* draft-ietf-sidrops-aspa-slurm-04 §3.2: ascending, unique, without the customer. */
static bool check_providers(struct parser *p, struct cursor at, struct cursor list, const struct ww_slurm_item *item) {
  uint32_t place = list.place + 1;
  bool ok = true;
  for (uint32_t i = 0; i < item->provider_count; i++) {
    const char *text = NULL;
    if (item->providers[i] == item->asn)
      text = "is the customer itself";
    else if (i && item->providers[i] == item->providers[i - 1])
      text = "is there twice";
    else if (i && item->providers[i] < item->providers[i - 1])
      text = "is out of order: providers ascend";
    else if (item->providers[i] == 0 && item->provider_count > 1)
      text = "must not stand beside others: AS 0 says that there are no providers";
    if (text) {
      size_t mark = enter(p, list);
      (void)ww_slurm_pointer_enter_index(p->pointer, i);
      at.place = place;
      fail(p, at, p->clause, text);
      leave(p, mark);
      ok = false;
    }
    place = p->places[place].end;
  }
  return ok;
}

static bool read_providers(struct parser *p, struct cursor at, struct cursor list, struct ww_slurm_item *item) {
  size_t count = json_array_size(list.json);
  if (!json_is_array(list.json))
    return fail_member(p, list, p->clause, "must be an array of AS numbers");
  /* The ASN.1 that §3.2 refers to has SIZE(1..MAX). */
  if (count == 0)
    return fail_member(p, list, p->clause, "must not be empty (AS 0 says that there are no providers)");
  if (count > WW_ASPA_PROVIDERS_MAX)
    return fail_member(p, list, p->clause, "holds more than 10000 AS numbers");
  uint32_t *asns = ww_arena_alloc(&p->slurm->arena, count * sizeof(*asns));
  if (!asns) {
    out_of_memory(p);
    return false;
  }
  uint32_t place = list.place + 1;
  size_t mark = enter(p, list);
  bool ok = true;
  for (size_t i = 0; i < count; i++) {
    json_t *json = json_array_get(list.json, i);
    json_int_t value = json_integer_value(json);
    if (!json_is_integer(json) || value < 0 || value > UINT32_MAX) {
      size_t inner = ww_slurm_pointer_enter_index(p->pointer, i);
      ok = fail(p, (struct cursor){.place = place}, p->clause, "must be a number, an AS number from 0 to 4294967295");
      leave(p, inner);
    }
    asns[i] = (uint32_t)value;
    place = p->places[place].end;
  }
  leave(p, mark);
  item->providers = asns;
  item->provider_count = (uint32_t)count;
  return ok && check_providers(p, at, list, item);
}

static bool read_aspa_assertion(struct parser *p, struct cursor at, struct ww_slurm_item *item) {
  static const char *const names[] = {"customerAsn", "customerAsid", "providerAsns", "comment", NULL};
  struct cursor found[MEMBERS_MAX];
  if (!members(p, at, names, p->clause, found))
    return false;
  item->has_asn = true;
  bool ok = read_comment(p, found[3], &item->comment);
  ok = read_customer(p, at, found[0], found[1], &item->asn) && ok;
  if (!found[2].json)
    return fail_missing(p, at, "providerAsns", p->clause);
  return ok && read_providers(p, at, found[2], item);
}

/* --- the file --------------------------------------------------------------------------------------------------- */

struct item_reader {
  const char *clause;
  bool (*read)(struct parser *p, struct cursor at, struct ww_slurm_item *item);
};

static const struct item_reader readers[WW_SLURM_KINDS] = {
    [WW_SLURM_PREFIX_FILTER] = {RFC_PREFIX_FILTER, read_prefix_filter},
    [WW_SLURM_BGPSEC_FILTER] = {RFC_BGPSEC_FILTER, read_bgpsec_filter},
    [WW_SLURM_ASPA_FILTER] = {DRAFT_FILTER, read_aspa_filter},
    [WW_SLURM_PREFIX_ASSERTION] = {RFC_PREFIX_ASSERTION, read_prefix_assertion},
    [WW_SLURM_BGPSEC_ASSERTION] = {RFC_BGPSEC_ASSERTION, read_bgpsec_assertion},
    [WW_SLURM_ASPA_ASSERTION] = {DRAFT_ASSERTION, read_aspa_assertion},
};

static bool add_item(struct parser *p, const struct ww_slurm_item *item) {
  struct ww_slurm *slurm = p->slurm;
  if (slurm->item_count == slurm->item_cap) {
    size_t cap = slurm->item_cap ? slurm->item_cap * 2 : 32;
    struct ww_slurm_item *items = realloc(slurm->items, cap * sizeof(*items));
    if (!items) {
      out_of_memory(p);
      return false;
    }
    slurm->items = items;
    slurm->item_cap = cap;
  }
  slurm->items[slurm->item_count++] = *item;
  return true;
}

static void read_items(struct parser *p, struct cursor list, enum ww_slurm_kind kind) {
  uint32_t place = list.place + 1;
  p->clause = readers[kind].clause;
  size_t mark = enter(p, list);
  if (!json_is_array(list.json))
    fail(p, list, p->clause, "must be an array");
  for (size_t i = 0; i < json_array_size(list.json) && p->err == WW_OK; i++) {
    struct cursor at = {.json = json_array_get(list.json, i), .place = place};
    struct ww_slurm_item item = {.kind = kind, .file = p->file, .index = (uint32_t)i, .line = p->places[place].line};
    size_t inner = ww_slurm_pointer_enter_index(p->pointer, i);
    if (readers[kind].read(p, at, &item))
      (void)add_item(p, &item);
    leave(p, inner);
    place = p->places[place].end;
  }
  leave(p, mark);
}

/* RFC 8416 §3.2, draft-ietf-sidrops-aspa-slurm-04 §2: exactly two members, exactly three in version 2. */
static void read_section(struct parser *p, struct cursor section, enum ww_slurm_kind first, unsigned version) {
  const char *const names[] = {ww_slurm_kind_name(first), ww_slurm_kind_name(first + 1),
                               version == 2 ? ww_slurm_kind_name(first + 2) : NULL, NULL};
  struct cursor found[MEMBERS_MAX];
  const char *clause = version == 2 ? DRAFT_FILE : RFC_VERSION;
  size_t mark = enter(p, section);
  bool ok = members(p, section, names, clause, found);
  for (unsigned i = 0; ok && names[i]; i++)
    if (found[i].json)
      read_items(p, found[i], first + i);
    else
      fail_missing(p, section, names[i], clause);
  leave(p, mark);
}

static void read_root(struct parser *p, struct cursor root) {
  static const char *const names[] = {"slurmVersion", "validationOutputFilters", "locallyAddedAssertions", NULL};
  static const enum ww_slurm_kind first[] = {0, WW_SLURM_PREFIX_FILTER, WW_SLURM_PREFIX_ASSERTION};
  struct cursor found[MEMBERS_MAX];
  if (!members(p, root, names, RFC_VERSION, found))
    return;
  if (!found[0].json) {
    fail_missing(p, root, names[0], RFC_VERSION);
    return;
  }
  json_int_t version = json_integer_value(found[0].json);
  if (!json_is_integer(found[0].json) || (version != 1 && version != 2)) {
    /* What the rest should look like is unknown. */
    fail_member(p, found[0], RFC_VERSION, "must be the number 1 or 2");
    return;
  }
  p->slurm->versions[p->file] = (uint8_t)version;
  for (int i = 1; i < 3; i++)
    if (found[i].json)
      read_section(p, found[i], first[i], (unsigned)version);
    else
      fail_missing(p, root, names[i], version == 2 ? DRAFT_FILE : RFC_VERSION);
}

/* What the JSON library has to say, at the place where it says it. */
static enum ww_err refuse_text(struct parser *p, const struct ww_slurm_file *text, const json_error_t *error) {
  enum json_error_code code = json_error_code(error);
  if (code == json_error_out_of_memory)
    return WW_ERR_NOMEM;
  enum ww_err err =
      ww_slurm_pointer_at(text->text, text->len, error->position > 0 ? (size_t)error->position : 0, p->pointer);
  if (err != WW_OK)
    return err;
  ww_slurm_problem_add(p->problems, false, p->file, error->line > 0 ? (unsigned)error->line : 0, p->pointer,
                       code == json_error_duplicate_key ? RFC_JSON : NULL, "%s", error->text);
  return WW_ERR_MALFORMED;
}

enum ww_err ww_slurm_parse(struct ww_slurm *slurm, uint32_t file, const struct ww_slurm_file *text,
                           const struct ww_slurm_options *options, struct ww_slurm_problems *problems) {
  struct parser p = {.slurm = slurm, .file = file, .strict = options && options->strict, .problems = problems};
  struct ww_slurm_place *places = NULL;
  size_t count = 0;
  json_error_t error;
  if (text->len > WW_SLURM_FILE_MAX) {
    ww_slurm_problem_add(problems, false, file, 0, "", NULL, "the file is longer than %d octets", WW_SLURM_FILE_MAX);
    return WW_ERR_MALFORMED;
  }
  json_t *root = json_loadb(text->len ? text->text : "", text->len, JSON_REJECT_DUPLICATES, &error);
  if (!root)
    return refuse_text(&p, text, &error);
  enum ww_err err = ww_slurm_places(text->text, text->len, &places, &count);
  if (err == WW_OK) {
    p.places = places;
    read_root(&p, (struct cursor){.json = root});
    err = p.err != WW_OK ? p.err : p.errors ? WW_ERR_MALFORMED : WW_OK;
  }
  free(places);
  json_decref(root);
  return err;
}
