/* SPDX-License-Identifier: BSD-2-Clause */
/* Words for states and reasons, as vectors, JSON and people have them. */
#include <waywarden/bgpsec.h>

#include <stdlib.h>

const char *ww_bgpsec_state_name(enum ww_bgpsec_state state) {
  static const char *const names[] = {[WW_BGPSEC_VALID] = "valid",
                                      [WW_BGPSEC_NOT_VALID] = "not-valid",
                                      [WW_BGPSEC_UNSIGNED] = "unsigned",
                                      [WW_BGPSEC_WITHDRAW] = "withdraw",
                                      [WW_BGPSEC_NOT_CHECKED] = "not-checked"};
  return (unsigned)state < sizeof names / sizeof names[0] ? names[state] : "?";
}

const char *ww_bgpsec_reason_name(enum ww_bgpsec_reason reason) {
  static const char *const names[] = {
      [WW_BGPSEC_REASON_NONE] = "none",
      [WW_BGPSEC_REASON_UPDATE] = "update",
      [WW_BGPSEC_REASON_AS_PATH] = "as-path",
      [WW_BGPSEC_REASON_SYNTAX] = "syntax",
      [WW_BGPSEC_REASON_SUITE_RESERVED] = "suite-reserved",
      [WW_BGPSEC_REASON_SUITE_REPEATED] = "suite-repeated",
      [WW_BGPSEC_REASON_SEGMENTS] = "segments",
      [WW_BGPSEC_REASON_NLRI] = "nlri",
      [WW_BGPSEC_REASON_PEER_AS] = "peer-as",
      [WW_BGPSEC_REASON_CONFED_SET] = "confed-set",
      [WW_BGPSEC_REASON_CONFED_CLEAR] = "confed-clear",
      [WW_BGPSEC_REASON_PCOUNT_ZERO] = "pcount-zero",
      [WW_BGPSEC_REASON_LOOP] = "loop",
      [WW_BGPSEC_REASON_PATH_LENGTH] = "path-length",
      [WW_BGPSEC_REASON_NO_PATH] = "no-path",
      [WW_BGPSEC_REASON_NO_SUITE] = "no-suite",
      [WW_BGPSEC_REASON_NO_KEY] = "no-key",
      [WW_BGPSEC_REASON_SIGNATURE] = "signature",
      [WW_BGPSEC_REASON_DEFERRED] = "deferred",
  };
  return (unsigned)reason < sizeof names / sizeof names[0] ? names[reason] : "?";
}

enum ww_state ww_bgpsec_verdict(enum ww_bgpsec_state state) {
  switch (state) {
  case WW_BGPSEC_VALID:
    return WW_STATE_VALID;
  /* CHOICE: RFC 8205 §5.2 has the second one's route withdrawn. Where it is there all the same, it must not pass for
   * one that simply was not signed. */
  case WW_BGPSEC_NOT_VALID:
  case WW_BGPSEC_WITHDRAW:
    return WW_STATE_INVALID;
  case WW_BGPSEC_UNSIGNED:
  case WW_BGPSEC_NOT_CHECKED:
    break;
  }
  return WW_STATE_NOT_EVALUATED;
}

void ww_bgpsec_result_fini(struct ww_bgpsec_result *result) {
  free(result->segments);
  free(result->as_path);
  *result = (struct ww_bgpsec_result){0};
}
