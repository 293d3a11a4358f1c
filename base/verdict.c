/* SPDX-License-Identifier: BSD-2-Clause */
/* The words for states and reasons, one spelling for every output, and the storage of a result. */
#include <waywarden/verdict.h>

#include <stdlib.h>

void ww_origin_result_fini(struct ww_origin_result *result) {
  free(result->hits);
  *result = (struct ww_origin_result){.state = WW_STATE_NOT_EVALUATED};
}

const char *ww_state_name(enum ww_state state) {
  switch (state) {
  case WW_STATE_VALID:
    return "valid";
  case WW_STATE_UNKNOWN:
    return "unknown";
  case WW_STATE_INVALID:
    return "invalid";
  case WW_STATE_NOT_EVALUATED:
    return "not-evaluated";
  case WW_STATE_NOT_READY:
    return "not-ready";
  }
  return "?";
}

const char *ww_origin_state_name(enum ww_state state) {
  /* RFC 6811 §2: the states are NotFound, Valid and Invalid. */
  return state == WW_STATE_UNKNOWN ? "not-found" : ww_state_name(state);
}

const char *ww_reason_name(enum ww_reason reason) {
  switch (reason) {
  case WW_REASON_NONE:
    return "none";
  case WW_REASON_ORIGIN_AS:
    return "as";
  case WW_REASON_ORIGIN_LENGTH:
    return "length";
  case WW_REASON_ORIGIN_AS0:
    return "as0";
  case WW_REASON_ORIGIN_AS_SET:
    return "as-set";
  }
  return "?";
}
