/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A verdict in words: what an operator reads. One rendering for `check`, `explain` and whoever else tells people; it
 * takes a verdict and nothing live.
 */
#ifndef WW_VALIDATOR_VERDICT_TEXT_H
#define WW_VALIDATOR_VERDICT_TEXT_H

#include "base/buf.h"
#include "validator/verdict_json.h"

/* "PREFIX ASN: state (...)", without a line's end. `separator` stands behind the AS number: ":" or "". */
enum ww_err ww_verdict_text_answer(struct ww_buf *out, const struct ww_verdict_view *view,
                                   const char *separator) WW_MUST_USE;
/* The reasons, a sentence or more a line, kind by kind. */
enum ww_err ww_verdict_text_reasons(struct ww_buf *out, const struct ww_verdict_view *view) WW_MUST_USE;
/* Hops and records, one a line, indented. */
enum ww_err ww_verdict_text_records(struct ww_buf *out, const struct ww_verdict_view *view) WW_MUST_USE;

#endif
