/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON payload files, by yajl's event parser: no tree, one record at a time.
 *
 * A small state machine knows where in the file it is (`place`), which record it is filling (`fields`) and which member
 * the next value belongs to. Values of members that it does not know are passed over and counted. Accepted are the
 * spellings of rpki-client (new and of 2023), Routinator (json and jsonext), StayRTR and RTRTR:
 *
 *   roas[]: asn, prefix, maxLength, ta, expires, source[]
 *   aspas[]: customer_asid | customer, providers | provider_asids, expires; provider_authorizations.ipv4[] and .ipv6[]
 *   bgpsec_keys[] | routerKeys[]: asn, ski | SKI, pubkey | routerPublicKey, ta, expires
 *
 * rpki-client's metadata may name the CCR state hashes of the lists; payload_file.c checks them at the end.
 *
 * Routinator's jsonext gives for each VRP the objects that it came from instead of a time: it lives as long as the
 * longest of their chains, and for ever when a local exception is among them.
 *
 * Hostile input: nesting is bounded; yajl collects a string that spans pieces in memory, so the octets since the last
 * event are bounded too. Keys given twice in one object are refused: which of the two was meant is anybody's guess.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/base64.h"
#include "sources/ccr_hash.h"
#include "sources/payload_file_internal.h"

enum { DEPTH_MAX = 64, QUIET_MAX = 1 << 20 };

enum place {
  PLACE_TOP,       /* outside */
  PLACE_ROOT,      /* in the one object */
  PLACE_AUTHS,     /* in provider_authorizations */
  PLACE_METADATA,  /* in metadata */
  PLACE_LIST,      /* in an array of records */
  PLACE_RECORD,    /* in a record */
  PLACE_PROVIDERS, /* in its providers */
  PLACE_SOURCES,   /* in its source array */
  PLACE_SOURCE,    /* in one of those */
  PLACE_CHAIN,     /* in its chainValidity */
  PLACE_END,
};

enum record_kind { RECORD_VRP, RECORD_ASPA, RECORD_KEY };

/* What a key of the root object names. */
struct section {
  const char *key;
  enum place opens; /* PLACE_END: known, and of no use here */
  enum record_kind kind;
};

static const struct section root_sections[] = {
    {"roas", PLACE_LIST, RECORD_VRP},
    {"aspas", PLACE_LIST, RECORD_ASPA},
    {"bgpsec_keys", PLACE_LIST, RECORD_KEY},
    {"routerKeys", PLACE_LIST, RECORD_KEY},
    {"provider_authorizations", PLACE_AUTHS, RECORD_ASPA},
    {"metadata", PLACE_METADATA, RECORD_VRP},
    {"nonfunc_cas", PLACE_END, RECORD_VRP},
    {"signedprefixlists", PLACE_END, RECORD_VRP},
};
static const struct section auth_sections[] = {
    {"ipv4", PLACE_LIST, RECORD_ASPA},
    {"ipv6", PLACE_LIST, RECORD_ASPA},
};
/* rpki-client's metadata. */
static const char *const hash_names[WW_PAYLOAD_HASHES] = {"ccr_vrps_hash", "ccr_vaps_hash", "ccr_brks_hash"};

enum {
  ROOT_SECTIONS = sizeof root_sections / sizeof root_sections[0],
  AUTH_SECTIONS = sizeof auth_sections / sizeof auth_sections[0]
};

enum member {
  MEMBER_UNKNOWN, /* passed over and counted */
  MEMBER_IGNORED, /* known, and of no use here */
  MEMBER_ASN,
  MEMBER_PREFIX,
  MEMBER_MAX_LEN,
  MEMBER_EXPIRES,
  MEMBER_PROVIDERS,
  MEMBER_SKI,
  MEMBER_SPKI,
  MEMBER_SOURCE,
  MEMBER_SOURCE_TYPE,
  MEMBER_CHAIN,
  MEMBER_NOT_AFTER,
  MEMBER_HASH,
};

struct ww_payload_json {
  struct ww_payload_file *file;
  yajl_handle yajl;
  uint64_t events;
  size_t quiet; /* octets since the last event */

  const struct section *section;
  size_t index; /* of the record in its list */
  struct ww_payload_fields fields;
  uint32_t *providers;
  int64_t source_latest; /* of the record: the latest end of the chains of its sources */
  int64_t chain_end;

  enum place place;
  unsigned depth;                /* of open objects and arrays */
  unsigned skip_depth;           /* passing over a value that opened at this depth; 0: not */
  unsigned root_seen, auth_seen; /* bit by section */
  enum member member;
  unsigned hash;   /* of MEMBER_HASH: which */
  unsigned hashes; /* bit by enum ww_payload_hash: named by the metadata */
  uint32_t provider_count, provider_cap;
  enum ww_err err;
  bool in_auths;
  bool source_unbounded; /* of the record: a source without an end is among those seen */
  bool chain_has_end;
  char member_name[24];
  char text[200];
};

/* --- saying what is wrong -------------------------------------------------------------------------------------- */

/* Where the machine is, as roas[17].prefix. */
static void place_text(const struct ww_payload_json *j, char *buf, size_t size) {
  size_t n = 0;
  buf[0] = '\0';
  if (j->place == PLACE_TOP || j->place == PLACE_END || (j->place <= PLACE_AUTHS && !j->section))
    return;
  n = (size_t)snprintf(buf, size, "%s%s", j->in_auths ? "provider_authorizations." : "",
                       j->section ? j->section->key : "");
  if (j->place >= PLACE_LIST && n < size)
    n += (size_t)snprintf(buf + n, size - n, "[%zu]", j->index);
  if ((j->place >= PLACE_RECORD || j->place == PLACE_METADATA) && j->member_name[0] && n < size)
    n += (size_t)snprintf(buf + n, size - n, ".%s", j->member_name);
  if (j->place == PLACE_PROVIDERS && n < size)
    (void)snprintf(buf + n, size - n, "[%u]", j->provider_count);
}

static int refuse(struct ww_payload_json *j, enum ww_err err, const char *why) {
  char where[120];
  place_text(j, where, sizeof(where));
  j->err = err;
  (void)snprintf(j->text, sizeof(j->text), "%s%s%s", where, where[0] ? ": " : "", why);
  return 0;
}

static int malformed(struct ww_payload_json *j, const char *why) { return refuse(j, WW_ERR_MALFORMED, why); }

/* --- members --------------------------------------------------------------------------------------------------- */

static bool is(const char *key, size_t len, const char *name) {
  return strlen(name) == len && memcmp(key, name, len) == 0;
}

static enum member vrp_member(const char *key, size_t len) {
  if (is(key, len, "asn"))
    return MEMBER_ASN;
  if (is(key, len, "prefix"))
    return MEMBER_PREFIX;
  if (is(key, len, "maxLength"))
    return MEMBER_MAX_LEN;
  if (is(key, len, "ta"))
    return MEMBER_IGNORED;
  if (is(key, len, "expires"))
    return MEMBER_EXPIRES;
  return is(key, len, "source") ? MEMBER_SOURCE : MEMBER_UNKNOWN;
}

static enum member aspa_member(const char *key, size_t len) {
  if (is(key, len, "customer_asid") || is(key, len, "customer"))
    return MEMBER_ASN;
  if (is(key, len, "providers") || is(key, len, "provider_asids"))
    return MEMBER_PROVIDERS;
  if (is(key, len, "expires"))
    return MEMBER_EXPIRES;
  if (is(key, len, "source"))
    return MEMBER_SOURCE;
  return is(key, len, "ta") || is(key, len, "afi") ? MEMBER_IGNORED : MEMBER_UNKNOWN;
}

static enum member key_member(const char *key, size_t len) {
  if (is(key, len, "asn"))
    return MEMBER_ASN;
  if (is(key, len, "ski") || is(key, len, "SKI"))
    return MEMBER_SKI;
  if (is(key, len, "pubkey") || is(key, len, "routerPublicKey"))
    return MEMBER_SPKI;
  if (is(key, len, "expires"))
    return MEMBER_EXPIRES;
  if (is(key, len, "source"))
    return MEMBER_SOURCE;
  return is(key, len, "ta") ? MEMBER_IGNORED : MEMBER_UNKNOWN;
}

static enum member source_member(const char *key, size_t len) {
  if (is(key, len, "type"))
    return MEMBER_SOURCE_TYPE;
  return is(key, len, "chainValidity") ? MEMBER_CHAIN : MEMBER_IGNORED;
}

static unsigned member_field(enum member member) {
  switch (member) {
  case MEMBER_ASN:
    return FIELD_ASN;
  case MEMBER_PREFIX:
    return FIELD_PREFIX;
  case MEMBER_MAX_LEN:
    return FIELD_MAX_LEN;
  case MEMBER_EXPIRES:
    return FIELD_EXPIRES;
  case MEMBER_PROVIDERS:
    return FIELD_PROVIDERS;
  case MEMBER_SKI:
    return FIELD_SKI;
  case MEMBER_SPKI:
    return FIELD_SPKI;
  case MEMBER_SOURCE:
    return FIELD_SOURCE;
  default:
    return 0;
  }
}

static enum member metadata_member(struct ww_payload_json *j, const char *key, size_t len) {
  for (j->hash = 0; j->hash < WW_PAYLOAD_HASHES; j->hash++)
    if (is(key, len, hash_names[j->hash]))
      return MEMBER_HASH;
  return MEMBER_IGNORED;
}

static void name_member(struct ww_payload_json *j, const char *key, size_t len) {
  size_t n = len < sizeof(j->member_name) - 1 ? len : sizeof(j->member_name) - 1;
  memcpy(j->member_name, key, n);
  j->member_name[n] = '\0';
}

static int section_key(struct ww_payload_json *j, const char *key, size_t len) {
  const struct section *sections = j->place == PLACE_ROOT ? root_sections : auth_sections;
  unsigned count = j->place == PLACE_ROOT ? ROOT_SECTIONS : AUTH_SECTIONS;
  unsigned *seen = j->place == PLACE_ROOT ? &j->root_seen : &j->auth_seen;
  j->section = NULL;
  j->member = MEMBER_UNKNOWN;
  for (unsigned i = 0; i < count; i++) {
    if (!is(key, len, sections[i].key))
      continue;
    j->section = &sections[i];
    if (*seen & 1u << i)
      return malformed(j, "is there twice");
    *seen |= 1u << i;
    if (sections[i].opens == PLACE_END)
      j->member = MEMBER_IGNORED;
    return 1;
  }
  return 1;
}

static int on_key(void *ctx, const unsigned char *text, size_t len) {
  struct ww_payload_json *j = ctx;
  const char *key = (const char *)text;
  j->events++;
  if (j->skip_depth)
    return 1;
  switch (j->place) {
  case PLACE_ROOT:
  case PLACE_AUTHS:
    return section_key(j, key, len);
  case PLACE_RECORD:
    j->member = j->section->kind == RECORD_VRP    ? vrp_member(key, len)
                : j->section->kind == RECORD_ASPA ? aspa_member(key, len)
                                                  : key_member(key, len);
    break;
  case PLACE_METADATA:
    j->member = metadata_member(j, key, len);
    name_member(j, key, len);
    return j->member == MEMBER_HASH && j->hashes & 1u << j->hash ? malformed(j, "is there twice") : 1;
  case PLACE_SOURCE:
    j->member = source_member(key, len);
    return 1;
  case PLACE_CHAIN:
    j->member = is(key, len, "notAfter") ? MEMBER_NOT_AFTER : MEMBER_IGNORED;
    return 1;
  default:
    return 1;
  }
  name_member(j, key, len);
  unsigned field = member_field(j->member);
  if (field & j->fields.have)
    return malformed(j, "is there twice");
  j->fields.have |= field;
  return 1;
}

/* --- values ---------------------------------------------------------------------------------------------------- */

static int provider(struct ww_payload_json *j, const char *text, size_t len) {
  const char *why;
  uint32_t asn;
  if (!ww_payload_read_asn(text, len, &asn, &why))
    return malformed(j, why);
  if (j->provider_count >= WW_ASPA_PROVIDERS_MAX)
    return refuse(j, WW_ERR_LIMIT, "too many providers");
  if (j->provider_count == j->provider_cap) {
    uint32_t cap = j->provider_cap ? j->provider_cap * 2 : 32;
    uint32_t *larger = realloc(j->providers, cap * sizeof(*larger));
    if (!larger)
      return refuse(j, WW_ERR_NOMEM, "out of memory");
    j->providers = larger;
    j->provider_cap = cap;
  }
  j->providers[j->provider_count++] = asn;
  return 1;
}

/* A number or a string where a record's member wants one. */
static int record_value(struct ww_payload_json *j, const char *text, size_t len, bool string) {
  struct ww_payload_fields *f = &j->fields;
  const char *why = "of another type";
  bool ok = false;
  switch (j->member) {
  case MEMBER_ASN:
    ok = ww_payload_read_asn(text, len, &f->asn, &why);
    break;
  case MEMBER_PREFIX:
    ok = string && ww_payload_read_prefix(text, len, &f->prefix, &why);
    break;
  case MEMBER_MAX_LEN:
    ok = ww_payload_read_number(text, len, UINT64_MAX, &f->max_len, &why);
    break;
  case MEMBER_EXPIRES:
    ok = ww_payload_read_time(text, len, &f->expires, &why);
    break;
  case MEMBER_SKI:
    ok = string && ww_payload_read_hex(text, len, f->ski, sizeof(f->ski), &why);
    break;
  case MEMBER_SPKI:
    ok = string && ww_payload_read_base64(text, len, f->spki, sizeof(f->spki), &f->spki_len, &why);
    break;
  case MEMBER_UNKNOWN:
    j->file->stats.skipped_members++;
    return 1;
  case MEMBER_IGNORED:
    return 1;
  default:
    break;
  }
  return ok ? 1 : malformed(j, why);
}

/* The state hash of what is to come, or has been. */
static int metadata_hash(struct ww_payload_json *j, const char *text, size_t len) {
  uint8_t hash[WW_CCR_HASH_LEN];
  size_t octets = 0;
  if (ww_base64_decode(text, len, hash, sizeof(hash), &octets) >= WW_BASE64_BAD || octets != sizeof(hash))
    return malformed(j, "not base64 of 32 octets");
  memcpy(j->file->expected_hashes[j->hash], hash, sizeof(hash));
  j->hashes |= 1u << j->hash;
  j->file->expects_hashes = true;
  return 1;
}

enum scalar { SCALAR_NUMBER, SCALAR_STRING, SCALAR_OTHER /* null, true, false */ };

static int scalar(struct ww_payload_json *j, enum scalar kind, const char *text, size_t len) {
  j->events++;
  if (j->skip_depth)
    return 1;
  switch (j->place) {
  case PLACE_ROOT:
  case PLACE_AUTHS:
    if (j->section && j->section->opens != PLACE_END && j->section->opens != PLACE_METADATA)
      return malformed(j, j->section->opens == PLACE_LIST ? "not an array" : "not an object");
    j->file->stats.skipped_members += !j->section;
    return 1;
  case PLACE_METADATA:
    return j->member == MEMBER_HASH && kind == SCALAR_STRING ? metadata_hash(j, text, len) : 1;
  case PLACE_LIST:
    return malformed(j, "not an object");
  case PLACE_RECORD:
    if (kind != SCALAR_OTHER)
      return record_value(j, text, len, kind == SCALAR_STRING);
    if (j->member == MEMBER_EXPIRES && len == 0) { /* null: not said */
      j->fields.have &= ~(unsigned)FIELD_EXPIRES;
      return 1;
    }
    j->file->stats.skipped_members += j->member == MEMBER_UNKNOWN;
    return j->member <= MEMBER_IGNORED ? 1 : malformed(j, "of another type");
  case PLACE_PROVIDERS:
    return kind == SCALAR_OTHER ? malformed(j, "not an AS number from 0 to 4294967295") : provider(j, text, len);
  case PLACE_SOURCES:
    return malformed(j, "not a list of objects");
  case PLACE_SOURCE:
    if (j->member == MEMBER_SOURCE_TYPE && kind == SCALAR_STRING && is(text, len, "exception"))
      j->source_unbounded = true;
    return 1;
  case PLACE_CHAIN: {
    const char *why;
    if (j->member != MEMBER_NOT_AFTER)
      return 1;
    if (kind == SCALAR_OTHER || !ww_payload_read_time(text, len, &j->chain_end, &why))
      return malformed(j, "chainValidity.notAfter is not a time");
    j->chain_has_end = true;
    return 1;
  }
  default:
    return malformed(j, "the top level should be an object");
  }
}

static int on_null(void *ctx) { return scalar(ctx, SCALAR_OTHER, NULL, 0); }
static int on_bool(void *ctx, int value) { return scalar(ctx, SCALAR_OTHER, value ? "true" : "false", 1); }
static int on_number(void *ctx, const char *text, size_t len) { return scalar(ctx, SCALAR_NUMBER, text, len); }
static int on_string(void *ctx, const unsigned char *text, size_t len) {
  return scalar(ctx, SCALAR_STRING, (const char *)text, len);
}

/* --- objects and arrays ---------------------------------------------------------------------------------------- */

static int skip_value(struct ww_payload_json *j, bool count) {
  j->skip_depth = j->depth;
  j->file->stats.skipped_members += count;
  return 1;
}

/* Every opening passes here. False: the caller has nothing more to do, and returns *result. */
static bool opened(struct ww_payload_json *j, int *result) {
  j->events++;
  j->depth++;
  *result = 1;
  if (j->depth > DEPTH_MAX)
    *result = refuse(j, WW_ERR_LIMIT, "nested too deeply");
  return *result && !j->skip_depth;
}

static int on_start_map(void *ctx) {
  struct ww_payload_json *j = ctx;
  int result;
  if (!opened(j, &result))
    return result;
  switch (j->place) {
  case PLACE_TOP:
    j->place = PLACE_ROOT;
    return 1;
  case PLACE_ROOT:
    if (j->section && j->section->opens == PLACE_AUTHS) {
      j->place = PLACE_AUTHS;
      j->in_auths = true;
      j->section = NULL;
      return 1;
    }
    if (j->section && j->section->opens == PLACE_METADATA) {
      j->place = PLACE_METADATA;
      j->member_name[0] = '\0';
      return 1;
    }
    break;
  case PLACE_METADATA:
    return skip_value(j, false);
  case PLACE_LIST:
    j->place = PLACE_RECORD;
    j->fields.have = 0;
    j->provider_count = 0;
    j->member_name[0] = '\0';
    j->source_unbounded = false;
    j->source_latest = 0;
    return 1;
  case PLACE_SOURCES:
    j->place = PLACE_SOURCE;
    j->chain_has_end = false;
    return 1;
  case PLACE_SOURCE:
    if (j->member == MEMBER_CHAIN) {
      j->place = PLACE_CHAIN;
      return 1;
    }
    return skip_value(j, false);
  case PLACE_RECORD:
    if (j->member > MEMBER_IGNORED)
      return malformed(j, "of another type");
    return skip_value(j, j->member == MEMBER_UNKNOWN);
  case PLACE_PROVIDERS:
    return malformed(j, "not an AS number from 0 to 4294967295");
  default:
    break;
  }
  if (j->section && j->section->opens == PLACE_LIST)
    return malformed(j, "not an array");
  return skip_value(j, !j->section);
}

static int on_start_array(void *ctx) {
  struct ww_payload_json *j = ctx;
  int result;
  if (!opened(j, &result))
    return result;
  switch (j->place) {
  case PLACE_ROOT:
  case PLACE_AUTHS:
    if (j->section && j->section->opens == PLACE_LIST) {
      j->place = PLACE_LIST;
      j->index = 0;
      return 1;
    }
    if (j->section && j->section->opens == PLACE_AUTHS)
      return malformed(j, "not an object");
    return skip_value(j, !j->section);
  case PLACE_RECORD:
    if (j->member == MEMBER_PROVIDERS)
      j->place = PLACE_PROVIDERS;
    else if (j->member == MEMBER_SOURCE)
      j->place = PLACE_SOURCES;
    else if (j->member > MEMBER_IGNORED)
      return malformed(j, "of another type");
    else
      return skip_value(j, j->member == MEMBER_UNKNOWN);
    return 1;
  case PLACE_LIST:
    return malformed(j, "not an object");
  case PLACE_PROVIDERS:
    return malformed(j, "not an AS number from 0 to 4294967295");
  case PLACE_SOURCES:
    return malformed(j, "not a list of objects");
  case PLACE_METADATA:
  case PLACE_SOURCE:
  case PLACE_CHAIN:
    return skip_value(j, false);
  default:
    return malformed(j, "the top level is an array, and should be an object");
  }
}

static int take_record(struct ww_payload_json *j) {
  const char *why = "";
  /* A time of its own goes before those of its sources. */
  if (!(j->fields.have & FIELD_EXPIRES) && j->fields.have & FIELD_SOURCE && !j->source_unbounded && j->source_latest) {
    j->fields.expires = j->source_latest;
    j->fields.have |= FIELD_EXPIRES;
  }
  enum ww_err err = WW_OK;
  j->member_name[0] = '\0';
  switch (j->section->kind) {
  case RECORD_VRP:
    err = ww_payload_take_vrp(j->file, &j->fields, &why);
    break;
  case RECORD_ASPA:
    err = ww_payload_take_aspa(j->file, &j->fields, j->providers, j->provider_count, &why);
    break;
  case RECORD_KEY:
    err = ww_payload_take_key(j->file, &j->fields, &why);
    break;
  }
  if (err != WW_OK)
    return refuse(j, err, err == WW_ERR_LIMIT ? "too many records" : why);
  j->place = PLACE_LIST;
  j->index++;
  return 1;
}

static int on_end(void *ctx) {
  struct ww_payload_json *j = ctx;
  j->events++;
  unsigned depth = j->depth--;
  if (j->skip_depth) {
    if (depth == j->skip_depth)
      j->skip_depth = 0;
    return 1;
  }
  switch (j->place) {
  case PLACE_ROOT:
    j->place = PLACE_END;
    break;
  case PLACE_AUTHS:
    j->place = PLACE_ROOT;
    j->in_auths = false;
    break;
  case PLACE_METADATA:
    j->place = PLACE_ROOT;
    j->section = NULL;
    break;
  case PLACE_LIST:
    j->place = j->in_auths ? PLACE_AUTHS : PLACE_ROOT;
    j->section = NULL;
    break;
  case PLACE_RECORD:
    return take_record(j);
  case PLACE_PROVIDERS:
  case PLACE_SOURCES:
    j->place = PLACE_RECORD;
    break;
  case PLACE_SOURCE:
    if (!j->chain_has_end)
      j->source_unbounded = true;
    else if (j->chain_end > j->source_latest)
      j->source_latest = j->chain_end;
    j->place = PLACE_SOURCES;
    break;
  case PLACE_CHAIN:
    j->place = PLACE_SOURCE;
    break;
  default:
    break;
  }
  return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_bool,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end,
};

/* --- feeding --------------------------------------------------------------------------------------------------- */

struct ww_payload_json *ww_payload_json_new(struct ww_payload_file *file) {
  struct ww_payload_json *j = calloc(1, sizeof(*j));
  if (!j)
    return NULL;
  j->file = file;
  j->yajl = yajl_alloc(&callbacks, NULL, j);
  if (!j->yajl) {
    free(j);
    return NULL;
  }
  /* No string that is kept may hold anything but ASCII, and the readers of values see to that. */
  yajl_config(j->yajl, yajl_dont_validate_strings, 1);
  return j;
}

void ww_payload_json_free(struct ww_payload_json *j) {
  if (!j)
    return;
  yajl_free(j->yajl);
  free(j->providers);
  free(j);
}

/* What stopped the parser, with the line it stopped in. */
static enum ww_err stopped(struct ww_payload_json *j, yajl_status status, const uint8_t *data, size_t len,
                           struct ww_diag *diag) {
  size_t consumed = yajl_get_bytes_consumed(j->yajl);
  if (consumed > len)
    consumed = len;
  enum ww_err err = WW_ERR_MALFORMED;
  size_t offset = j->file->offset + consumed;
  if (status == yajl_status_client_canceled) {
    err = ww_fail(diag, j->err, offset, NULL, "%s", j->text);
  } else {
    char where[120];
    unsigned char *text = yajl_get_error(j->yajl, 0, data, len);
    place_text(j, where, sizeof(where));
    size_t n = text ? strcspn((const char *)text, "\n") : 0;
    err = ww_fail(diag, err, offset, NULL, "%s%s%.*s", where, where[0] ? ": " : "", (int)(n < 100 ? n : 100),
                  text ? (const char *)text : "");
    if (text)
      yajl_free_error(j->yajl, text);
  }
  if (diag)
    diag->line = j->file->line + ww_payload_lines(data, consumed);
  return err;
}

enum ww_err ww_payload_json_feed(struct ww_payload_json *j, const uint8_t *data, size_t len, struct ww_diag *diag) {
  uint64_t events = j->events;
  yajl_status status = yajl_parse(j->yajl, data, len);
  if (status != yajl_status_ok)
    return stopped(j, status, data, len, diag);
  j->quiet = j->events == events ? j->quiet + len : 0;
  if (j->quiet > QUIET_MAX) {
    enum ww_err err = ww_fail(diag, WW_ERR_LIMIT, j->file->offset, NULL, "a value of more than %d octets", QUIET_MAX);
    if (diag)
      diag->line = j->file->line;
    return err;
  }
  return WW_OK;
}

enum ww_err ww_payload_json_finish(struct ww_payload_json *j, struct ww_diag *diag) {
  if (j->place != PLACE_END) {
    char where[120];
    place_text(j, where, sizeof(where));
    enum ww_err err = ww_fail(diag, WW_ERR_SHORT, j->file->offset, NULL, "%s%sthe file ends here: it is cut short",
                              where, where[0] ? ": " : "");
    if (diag)
      diag->line = j->file->line;
    return err;
  }
  yajl_status status = yajl_complete_parse(j->yajl);
  if (status != yajl_status_ok)
    return stopped(j, status, NULL, 0, diag);
  unsigned useful = 0, kinds = 0;
  for (unsigned i = 0; i < ROOT_SECTIONS; i++)
    if (root_sections[i].opens == PLACE_LIST || root_sections[i].opens == PLACE_AUTHS) {
      useful |= 1u << i;
      if (j->root_seen & 1u << i)
        kinds |= 1u << root_sections[i].kind;
    }
  /* Another file altogether, SLURM perhaps, must not pass for an RPKI that is empty. */
  if (!(j->root_seen & useful))
    return ww_fail(diag, WW_ERR_MALFORMED, 0, NULL,
                   "no payloads: none of \"roas\", \"aspas\", \"bgpsec_keys\", \"routerKeys\" is there");
  /* rpki-client leaves lists out by option, and hashes what it validated; the kinds come in the order of the hashes. */
  if (!j->file->dropped)
    j->file->expected = j->hashes & kinds;
  return WW_OK;
}
