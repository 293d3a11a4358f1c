/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SLURM: local exceptions to what the RPKI says (RFC 8416), with filters and assertions for ASPAs
 * (draft-ietf-sidrops-aspa-slurm-04, slurmVersion 2).
 *
 * A set of files is read, checked and combined as one: either the whole set is good and gives a `struct ww_slurm`, or
 * nothing does and every problem found is listed with its file, line and JSON pointer. What comes out never changes, so
 * any number of threads may use it.
 */
#ifndef WW_SLURM_SLURM_H
#define WW_SLURM_SLURM_H

#include <waywarden/payload.h>

struct ww_slurm;

enum {
  WW_SLURM_FILE_MAX = 16 << 20, /* octets of a file; more are refused */
  WW_SLURM_FILES_MAX = 256,     /* files of a set */
  WW_SLURM_PROBLEMS_MAX = 1000, /* problems listed; what follows is counted */
  WW_SLURM_POINTER_MAX = 160,   /* with the final NUL: a longer JSON pointer is cut */
};

struct ww_slurm_file {
  const char *name; /* for messages; copied */
  const void *text;
  size_t len;
};

struct ww_slurm_options {
  /* Refuses what the documents do not allow but the field writes: padding and the standard alphabet in base64,
   * "customerAsid", SKIs that are not 20 octets, keys that are no P-256 SubjectPublicKeyInfo. Otherwise these are
   * warnings. */
  bool strict;
};

/* --- problems --------------------------------------------------------------------------------------------------- */

struct ww_slurm_problem {
  bool warning;                       /* does not keep the set from being used */
  uint32_t file;                      /* index in the set */
  unsigned line;                      /* from 1; 0: of no line (an empty or too long file) */
  const char *clause;                 /* static storage, or NULL */
  char pointer[WW_SLURM_POINTER_MAX]; /* RFC 6901; "" is the whole document */
  char text[200];
};

/* Zero-initialise; free with ww_slurm_problems_fini(). Ordered by file, then as found. */
struct ww_slurm_problems {
  struct ww_slurm_problem *list;
  size_t count, cap;
  size_t errors, warnings; /* all of them, listed or not */
};

void ww_slurm_problems_fini(struct ww_slurm_problems *problems);
/* "NAME:LINE: POINTER: text (clause)", one line, cut to `size`; returns `buf`. */
char *ww_slurm_problem_format(const struct ww_slurm_problem *problem, const char *name, char *buf, size_t size);

/* --- a set of files --------------------------------------------------------------------------------------------- */

/*
 * Reads, checks and combines `count` files. WW_ERR_MALFORMED: `problems` has at least one error, and *out is NULL.
 * `options` may be NULL. No files at all make a set that changes nothing.
 */
enum ww_err ww_slurm_read(const struct ww_slurm_file *files, size_t count, const struct ww_slurm_options *options,
                          struct ww_slurm **out, struct ww_slurm_problems *problems) WW_MUST_USE;
void ww_slurm_free(struct ww_slurm *slurm); /* NULL is fine */

enum ww_slurm_kind {
  WW_SLURM_PREFIX_FILTER,
  WW_SLURM_BGPSEC_FILTER,
  WW_SLURM_ASPA_FILTER,
  WW_SLURM_PREFIX_ASSERTION,
  WW_SLURM_BGPSEC_ASSERTION,
  WW_SLURM_ASPA_ASSERTION,
  WW_SLURM_KINDS
};

static inline bool ww_slurm_is_filter(enum ww_slurm_kind kind) { return kind <= WW_SLURM_ASPA_FILTER; }

/* One filter or assertion, as it was written. Pointers are borrowed from the set. */
struct ww_slurm_item {
  enum ww_slurm_kind kind;
  uint32_t file;  /* index in the set */
  uint32_t index; /* in its array of that file */
  unsigned line;
  const char *comment; /* UTF-8, or NULL */
  bool has_prefix, has_asn, has_ski;
  bool foreign_ski; /* a filter's SKI is not 20 octets long: it matches nothing */
  uint8_t max_len;  /* of a prefix assertion */
  struct ww_prefix prefix;
  uint32_t asn; /* of ASPA filters and assertions: the customer */
  uint8_t ski[WW_SKI_LEN];
  uint32_t spki_len;
  const uint8_t *spki;
  uint32_t provider_count;
  const uint32_t *providers;
};

/* In the order of files, then of kinds, then as written. */
const struct ww_slurm_item *ww_slurm_items(const struct ww_slurm *slurm, size_t *count);
size_t ww_slurm_file_count(const struct ww_slurm *slurm);
const char *ww_slurm_file_name(const struct ww_slurm *slurm, size_t file);
unsigned ww_slurm_file_version(const struct ww_slurm *slurm, size_t file); /* 1 or 2 */

/* The name of its array: "prefixFilters" ... */
const char *ww_slurm_kind_name(enum ww_slurm_kind kind);
/* "/validationOutputFilters/prefixFilters/3"; returns `buf`. */
char *ww_slurm_item_pointer(const struct ww_slurm_item *item, char buf[WW_SLURM_POINTER_MAX]);

/* --- application ------------------------------------------------------------------------------------------------ */

/* True when some filter matches the record. For deltas: RFC 8416 §2 filters both sides alike. */
bool ww_slurm_filters_vrp(const struct ww_slurm *slurm, const struct ww_vrp *vrp);
bool ww_slurm_filters_key(const struct ww_slurm *slurm, const struct ww_router_key *key);
bool ww_slurm_filters_aspa(const struct ww_slurm *slurm, const struct ww_aspa *aspa);

/* All assertions, sorted and without duplicates, ASPAs of one customer united; they have no expiry. Borrowed. */
const struct ww_payloads *ww_slurm_assertions(const struct ww_slurm *slurm);

struct ww_slurm_counts {
  size_t vrps, aspas, keys;
};

/* Zero-initialise; free with ww_slurm_report_fini(). */
struct ww_slurm_report {
  /* By item. Of a filter: records of the input that it matches (others may match them too). Of an assertion: 1 when it
   * added something, 0 when what it says was there already, from the input or an assertion before it. */
  size_t *effects;
  size_t count;
  struct ww_slurm_counts in, filtered, out;
};

/*
 * Filters `in` (in any order, left as it is), adds the assertions, and moves the result, sorted, to *out, which the
 * caller frees. `report` may be NULL. After a failure *out and *report are untouched.
 */
enum ww_err ww_slurm_apply(const struct ww_slurm *slurm, const struct ww_payloads *in, struct ww_payloads *out,
                           struct ww_slurm_report *report) WW_MUST_USE;
void ww_slurm_report_fini(struct ww_slurm_report *report);

/* --- changes ---------------------------------------------------------------------------------------------------- */

/*
 * What is in force of a source is what it says less what some filter matches. These keep it so without starting over.
 * A set that is NULL filters and asserts nothing. `out` is zero-initialised or freed; its records are copies, its parts
 * sorted if those of the input are. After a failure it holds nothing.
 */

/* True when the set has no filter, so that filtering would copy a source's records for nothing. */
bool ww_slurm_lets_all_pass(const struct ww_slurm *slurm);
/* RFC 8416 §2: what an update of a source, which changed `raw` of its records, changes in force. */
enum ww_err ww_slurm_filter_delta(const struct ww_slurm *slurm, const struct ww_payload_delta *raw,
                                  struct ww_payload_delta *out) WW_MUST_USE;
/* What changes in force of a source with these records when `after` takes the place of `before`. */
enum ww_err ww_slurm_change_source(const struct ww_slurm *before, const struct ww_slurm *after,
                                   const struct ww_payloads *records, struct ww_payload_delta *out) WW_MUST_USE;
/* What changes in the assertions then. */
enum ww_err ww_slurm_change_assertions(const struct ww_slurm *before, const struct ww_slurm *after,
                                       struct ww_payload_delta *out) WW_MUST_USE;

#endif
