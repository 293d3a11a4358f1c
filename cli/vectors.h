/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the vector runner (vectors.c) and the suites (vectors_<suite>.c). A suite reads the `input` and `expect` of
 * one test strictly, runs it, and says whether what came out is what was expected. vectors_read.c holds what they
 * share.
 */
#ifndef WW_CLI_VECTORS_H
#define WW_CLI_VECTORS_H

#include <jansson.h>
#include <stdbool.h>
#include <waywarden/payload.h>

#include "base/bytes.h"

/* Reading one file. `pointer` is the JSON pointer (RFC 6901) of what is being read, for messages. */
struct ww_vector_reader {
  char pointer[512];
  char error[512]; /* first thing wrong with the file; empty while there is none */
};

/* Notes what is wrong at the pointer, if nothing was before; false, so that a failing path is one statement. */
bool ww_vector_bad(struct ww_vector_reader *r, const char *fmt, ...) WW_PRINTF(2, 3);

/* Appends "/name" or "/index" to the pointer; leave() takes it off again. */
size_t ww_vector_enter(struct ww_vector_reader *r, const char *name);
size_t ww_vector_enter_index(struct ww_vector_reader *r, size_t index);
void ww_vector_leave(struct ww_vector_reader *r, size_t mark);

/* True for an object whose members are all in `names` (ends with NULL) or begin with "x-". */
bool ww_vector_members(struct ww_vector_reader *r, json_t *object, const char *const *names);
/* A member of the type, or NULL: absent (an error when required) or of another type (an error). */
json_t *ww_vector_member(struct ww_vector_reader *r, json_t *object, const char *name, json_type type, bool required);

/* Values; false when noted as bad. */
bool ww_vector_asn(struct ww_vector_reader *r, json_t *value, uint32_t *asn); /* number, "AS123" or "123" */
bool ww_vector_prefix(struct ww_vector_reader *r, json_t *value, struct ww_prefix *prefix);
bool ww_vector_roas(struct ww_vector_reader *r, json_t *array, struct ww_payloads *out);      /* sorted */
bool ww_vector_payloads(struct ww_vector_reader *r, json_t *object, struct ww_payloads *out); /* sorted */

/* An AS path, neighbor first and origin last, as canonical octets (wire/bgp.h). */
bool ww_vector_path(struct ww_vector_reader *r, json_t *path, struct ww_writer *w);

/* Two sorted sets, without regard to expiry: the first difference goes into `message`, or nothing. */
void ww_vector_compare(const struct ww_payloads *want, const struct ww_payloads *got, char *message, size_t size);

struct ww_vector_test {
  const struct ww_payloads *payloads; /* the test's, or else its group's; sorted; empty when neither has any */
  json_t *input;                      /* NULL when absent */
  json_t *expect;
  char message[512]; /* what differs; empty when the test passes */
};

struct ww_vector_suite {
  const char *name;
  /* False when the test is not well formed (noted) or memory ran out (noted likewise). */
  bool (*run)(struct ww_vector_reader *r, struct ww_vector_test *test);
};

/* Suite rtr, role client: vectors_rtr_client.c. Input and expectation are those of the test. */
bool ww_vector_rtr_client(struct ww_vector_reader *r, struct ww_vector_test *test);
/* Likewise, role cache: vectors_rtr_cache.c. */
bool ww_vector_rtr_cache(struct ww_vector_reader *r, struct ww_vector_test *test);
/* One step's octets, written as hexadecimal digits. NULL when they are not (noted); else freed by the caller. */
uint8_t *ww_vector_octets(struct ww_vector_reader *r, json_t *value, size_t *len);

extern const struct ww_vector_suite ww_vector_suite_rov, ww_vector_suite_ccr, ww_vector_suite_slurm,
    ww_vector_suite_aspa, ww_vector_suite_bgpsec, ww_vector_suite_rtr;

#endif
