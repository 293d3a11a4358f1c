/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payload sets as files that other programs read: JSON as rpki-client writes it, and CSV.
 */
#ifndef WW_CLI_PAYLOAD_OUTPUT_H
#define WW_CLI_PAYLOAD_OUTPUT_H

#include <stdio.h>
#include <waywarden/payload.h>

enum ww_output_format { WW_OUTPUT_JSON, WW_OUTPUT_CSV };

/* Writes record by record, in the order of the set. CSV has no place for ASPAs and router keys: they are left out. */
void ww_output_payloads(FILE *to, const struct ww_payloads *set, enum ww_output_format format);

/* As ww_output_payloads() into a file that appears whole or not at all: written beside `path`, then renamed. Returns an
 * exit code, and has said what went wrong. */
int ww_output_payloads_file(const char *command, const char *path, const struct ww_payloads *set,
                            enum ww_output_format format);

#endif
