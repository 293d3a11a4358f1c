/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payloads for commands that answer questions: from files, from standard input, or from a store.
 */
#ifndef WW_CLI_PAYLOAD_INPUT_H
#define WW_CLI_PAYLOAD_INPUT_H

#include "sources/payload_file.h"
#include "store/store.h"

struct ww_slurm_set;

struct ww_input_source {
  ww_source_id id;
  char name[64];          /* of a store; for files the name given, or the end of the path */
  bool complete;          /* counts */
  bool reserve;           /* of a store: would count, were it not for a better cache */
  bool assertions;        /* of a store: what SLURM adds; alone it is no data */
  struct ww_payloads set; /* sorted; what has expired, or is filtered by a store's SLURM set, is not in it */
  struct ww_payload_file_stats stats;
  struct ww_source_record record; /* of a store */
};

struct ww_input {
  struct ww_payload_file_options options;
  struct ww_input_source *sources;
  size_t count;
  bool from_store;
  bool raw;                   /* set before: sources of a store unfiltered, its SLURM set beside them */
  struct ww_slurm_set *slurm; /* then; NULL when there is none */
  uint32_t epoch;             /* of the store; 1 for files */
};

/* Each returns an exit code, and has said what went wrong. `where` is FILE, name=FILE, -, router-certs:DIR or, where it
 * is a folder, a store. */
int ww_input_add(struct ww_input *input, const char *command, const char *where);
int ww_input_add_store(struct ww_input *input, const char *command, const char *dir);
/* How many sources count; there is no verdict from none. */
size_t ww_input_complete(const struct ww_input *input);
/* All complete sources as one set, sorted. Takes the records out of the input. */
int ww_input_unite(struct ww_input *input, const char *command, struct ww_payloads *out);
void ww_input_fini(struct ww_input *input);

/* --now TIME. False: said already. */
bool ww_input_set_now(struct ww_input *input, const char *command, const char *text);

#endif
