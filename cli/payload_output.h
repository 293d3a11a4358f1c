/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payload sets as files that other programs read.
 */
#ifndef WW_CLI_PAYLOAD_OUTPUT_H
#define WW_CLI_PAYLOAD_OUTPUT_H

#include <stdio.h>
#include <waywarden/payload.h>

enum ww_output_format {
  WW_OUTPUT_RPKI_CLIENT,
  WW_OUTPUT_ROUTINATOR,
  WW_OUTPUT_STAYRTR,
  WW_OUTPUT_RTRTR,
  WW_OUTPUT_CSV,            /* rpki-client's, with a column Expires */
  WW_OUTPUT_CSV_ROUTINATOR, /* without */
  WW_OUTPUT_CCR,
  WW_OUTPUT_OPENBGPD,
  WW_OUTPUT_BIRD,
};

struct ww_output {
  enum ww_output_format format;
  ww_unix_time produced_at; /* what the file says of its age */
  bool strict;              /* records that the format cannot hold are an error */
};

/* By name, or by `json`. False: no such format. */
bool ww_output_format_parse(const char *name, enum ww_output_format *out);
/* The names, with commas. */
extern const char ww_output_format_names[];

/*
 * Writes the sorted set record by record. What the format has no place for is left out, and said on stderr with its
 * number. `path`: "-" is standard output; a file appears whole or not at all: it is written beside `path`, then
 * renamed. Returns an exit code, and has said what went wrong.
 */
int ww_output_payloads(const char *command, const char *path, const struct ww_payloads *set,
                       const struct ww_output *output);

#endif
