/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this room share: the set itself, the index of its filters, and where in a text a value stands.
 * Nobody else includes it.
 */
#ifndef WW_SLURM_INTERNAL_H
#define WW_SLURM_INTERNAL_H

#include "base/arena.h"
#include "slurm/slurm.h"

#define WW_SLURM_NONE UINT32_MAX /* no rule, no node */

/* What a filter asks for; filters that ask for the same are one rule. Sorted by ww_slurm_rule_compare(). */
enum ww_slurm_rule_class {
  WW_SLURM_RULE_PREFIX, /* and perhaps an AS number */
  WW_SLURM_RULE_ASN,    /* of VRPs */
  WW_SLURM_RULE_KEY_ASN,
  WW_SLURM_RULE_KEY_SKI,
  WW_SLURM_RULE_KEY_BOTH,
  WW_SLURM_RULE_CUSTOMER,
  WW_SLURM_RULE_CLASSES
};

struct ww_slurm_rule {
  uint8_t rule_class;
  bool has_asn; /* of WW_SLURM_RULE_PREFIX */
  uint32_t asn;
  struct ww_prefix prefix;
  uint8_t ski[WW_SKI_LEN];
};

/* A distinct prefix of the prefix rules; sorted, so that what covers a prefix comes before it. */
struct ww_slurm_node {
  struct ww_prefix prefix;
  uint32_t parent;     /* the longest other prefix that covers this one, or WW_SLURM_NONE */
  uint32_t first, end; /* its rules: the one without an AS number first, then by AS number */
};

struct ww_slurm {
  struct ww_arena arena; /* comments, keys, provider lists, names */
  const char **names;    /* by file */
  uint8_t *versions;
  size_t file_count;
  struct ww_slurm_item *items;
  uint32_t *item_rule; /* by item; WW_SLURM_NONE for assertions, and for filters that match nothing */
  size_t item_count, item_cap;
  struct ww_slurm_rule *rules;
  uint32_t class_begin[WW_SLURM_RULE_CLASSES + 1];
  struct ww_slurm_node *nodes;
  uint32_t node_count;
  struct ww_payloads assertions;
};

/* --- problem.c --- */

void ww_slurm_problem_add(struct ww_slurm_problems *problems, bool warning, uint32_t file, unsigned line,
                          const char *pointer, const char *clause, const char *fmt, ...) WW_PRINTF(7, 8);
/* Appends "/name" to a pointer of WW_SLURM_POINTER_MAX octets; returns its length before. */
size_t ww_slurm_pointer_enter(char *pointer, const char *name, size_t len);
size_t ww_slurm_pointer_enter_index(char *pointer, size_t index);

/* --- place.c --- */

/* A value of a JSON text, in the order in which they begin. */
struct ww_slurm_place {
  unsigned line; /* of the value; of a member, of its name */
  uint32_t end;  /* index of the first value that begins after this one has ended */
};

/* The values of a text that is known to be well formed. The caller frees *out. */
enum ww_err ww_slurm_places(const char *text, size_t len, struct ww_slurm_place **out, size_t *count) WW_MUST_USE;
/* The pointer of what stands `position` octets into a text that need not be well formed. */
enum ww_err ww_slurm_pointer_at(const char *text, size_t len, size_t position, char *pointer) WW_MUST_USE;

/* --- parse.c --- */

/* Appends the items of one file. WW_ERR_MALFORMED when errors were noted. */
enum ww_err ww_slurm_parse(struct ww_slurm *slurm, uint32_t file, const struct ww_slurm_file *text,
                           const struct ww_slurm_options *options, struct ww_slurm_problems *problems) WW_MUST_USE;

/* --- value.c --- */

/* RFC 8208 §3.1: an uncompressed point of P-256 as a DER SubjectPublicKeyInfo. */
bool ww_slurm_is_p256_spki(const uint8_t *spki, size_t len);

/* --- overlap.c --- */

/* RFC 8416 §4.2. WW_ERR_MALFORMED when two files overlap. */
enum ww_err ww_slurm_check_overlap(const struct ww_slurm *slurm, struct ww_slurm_problems *problems) WW_MUST_USE;

/* --- filter.c --- */

enum ww_err ww_slurm_index(struct ww_slurm *slurm) WW_MUST_USE;
/* Adds one to counts[rule] for every rule that matches; the number of those. */
size_t ww_slurm_count_vrp(const struct ww_slurm *slurm, const struct ww_vrp *vrp, size_t *counts);
size_t ww_slurm_count_key(const struct ww_slurm *slurm, const struct ww_router_key *key, size_t *counts);
size_t ww_slurm_count_aspa(const struct ww_slurm *slurm, const struct ww_aspa *aspa, size_t *counts);

#endif
