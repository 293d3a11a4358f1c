/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A daemon's status as metrics.
 */
#ifndef WW_CLI_METRICS_H
#define WW_CLI_METRICS_H

#include <jansson.h>
#include <stdio.h>

/* `status`: the answer of the control socket's command of that name. In the text format of Prometheus 0.0.4. */
void ww_metrics_print(FILE *out, json_t *status);

#endif
