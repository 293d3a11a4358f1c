/* SPDX-License-Identifier: BSD-2-Clause */
/* The words for states, reasons and roles, one spelling for every output, the storage of results, and how the kinds of
 * validation combine. */
#include <waywarden/verdict.h>

#include <stdlib.h>

void ww_origin_result_fini(struct ww_origin_result *result) {
  free(result->hits);
  *result = (struct ww_origin_result){.state = WW_STATE_NOT_EVALUATED};
}

void ww_aspa_result_fini(struct ww_aspa_result *result) {
  free(result->hops);
  free(result->hits);
  *result = (struct ww_aspa_result){.state = WW_STATE_NOT_EVALUATED, .role = WW_ROLE_NONE};
}

void ww_bgpsec_report_fini(struct ww_bgpsec_report *report) {
  free(report->segments);
  free(report->hits);
  *report = (struct ww_bgpsec_report){.state = WW_STATE_NOT_EVALUATED};
}

void ww_verdict_fini(struct ww_verdict *verdict) {
  ww_origin_result_fini(&verdict->origin);
  ww_aspa_result_fini(&verdict->aspa);
  ww_bgpsec_report_fini(&verdict->bgpsec);
  verdict->epoch = 0;
  verdict->state = WW_STATE_NOT_EVALUATED;
}

enum ww_state ww_verdict_combine(enum ww_state origin, enum ww_state aspa, enum ww_state bgpsec) {
  const enum ww_state kinds[] = {origin, aspa, bgpsec};
  enum ww_state overall = WW_STATE_UNKNOWN;
  for (unsigned i = 0; i < 3; i++) {
    if (kinds[i] == WW_STATE_NOT_READY)
      return WW_STATE_NOT_READY;
    if (kinds[i] == WW_STATE_INVALID || (kinds[i] == WW_STATE_VALID && overall != WW_STATE_INVALID))
      overall = kinds[i];
  }
  return overall;
}

const char *ww_role_name(enum ww_role role) {
  switch (role) {
  case WW_ROLE_PROVIDER:
    return "provider";
  case WW_ROLE_RS:
    return "rs";
  case WW_ROLE_RS_CLIENT:
    return "rs-client";
  case WW_ROLE_CUSTOMER:
    return "customer";
  case WW_ROLE_PEER:
    return "peer";
  case WW_ROLE_MUTUAL_TRANSIT:
    return "mutual-transit";
  case WW_ROLE_NONE:
    return "none";
  }
  return "?";
}

const char *ww_aspa_procedure_name(enum ww_aspa_procedure procedure) {
  switch (procedure) {
  case WW_ASPA_NONE:
    return "none";
  case WW_ASPA_UPSTREAM:
    return "upstream";
  case WW_ASPA_DOWNSTREAM:
    return "downstream";
  }
  return "?";
}

const char *ww_aspa_hop_state_name(enum ww_aspa_hop_state state) {
  switch (state) {
  case WW_HOP_PROVIDER:
    return "provider";
  case WW_HOP_NOT_PROVIDER:
    return "not-provider";
  case WW_HOP_NO_ATTESTATION:
    return "no-attestation";
  }
  return "?";
}

const char *ww_bgpsec_segment_state_name(enum ww_bgpsec_segment_state state) {
  switch (state) {
  case WW_BGPSEC_SEGMENT_VALID:
    return "valid";
  case WW_BGPSEC_SEGMENT_BAD:
    return "bad";
  case WW_BGPSEC_SEGMENT_NO_KEY:
    return "no-key";
  case WW_BGPSEC_SEGMENT_MALFORMED:
    return "malformed";
  case WW_BGPSEC_SEGMENT_NOT_CHECKED:
    return "not-checked";
  case WW_BGPSEC_SEGMENT_SKIPPED:
    return "skipped";
  case WW_BGPSEC_SEGMENT_UNSUPPORTED:
    return "unsupported";
  }
  return "?";
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
  case WW_REASON_ASPA_AS_SET:
    return "as-set";
  case WW_REASON_ASPA_NOT_PROVIDER:
    return "not-provider";
  case WW_REASON_ASPA_VALLEY:
    return "valley";
  case WW_REASON_ASPA_FIRST_AS:
    return "first-as";
  case WW_REASON_ASPA_CONFED:
    return "confed";
  case WW_REASON_ASPA_EMPTY:
    return "empty";
  case WW_REASON_ASPA_UNATTESTED:
    return "unattested";
  case WW_REASON_ASPA_NO_ROLE:
    return "no-role";
  case WW_REASON_BGPSEC_SIGNATURE:
    return "bad-signature";
  case WW_REASON_BGPSEC_NO_KEY:
    return "no-key";
  case WW_REASON_BGPSEC_SUITE:
    return "unsupported-suite";
  case WW_REASON_BGPSEC_PEER_AS:
    return "peer-as";
  case WW_REASON_BGPSEC_CONFED:
    return "confed-segment";
  case WW_REASON_BGPSEC_PCOUNT:
    return "pcount-zero";
  case WW_REASON_BGPSEC_LOOP:
    return "loop";
  case WW_REASON_BGPSEC_FORM:
    return "form";
  }
  return "?";
}
