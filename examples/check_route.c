/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks libwaywarden about one route, given payload records, and prints why.
 *
 *   cc check_route.c $(pkg-config --cflags --libs waywarden) -o check_route
 */
#include <stdio.h>
#include <waywarden/snapshot.h>

int main(void) {
  /* What a source says: here one record; payload files and RTR caches give 700000. */
  struct ww_payload_delta delta = {.source = 1};
  struct ww_vrp vrp = {.max_len = 24, .asn = 64500};
  if (ww_prefix_parse("192.0.2.0/24", &vrp.prefix) != WW_OK || ww_payloads_add_vrp(&delta.announce, &vrp) != WW_OK ||
      ww_payloads_sort(&delta.announce) != WW_OK)
    return 1;

  /* An immutable snapshot of it, complete (ready) and numbered 1. */
  struct ww_snapshot *empty = ww_snapshot_new(), *snapshot = NULL;
  if (!empty || ww_snapshot_apply(empty, &delta, 1, true, &snapshot) != WW_OK)
    return 1;

  struct ww_prefix route;
  struct ww_origin origin = {.asn = 64501};
  struct ww_origin_result result = {0};
  if (ww_prefix_parse("192.0.2.128/25", &route) != WW_OK ||
      ww_origin_explain(snapshot, &route, origin, &result) != WW_OK)
    return 1;
  printf("192.0.2.128/25 from AS64501: %s (%s)\n", ww_origin_state_name((enum ww_state)result.state),
         ww_reason_name((enum ww_reason)result.reason));
  for (size_t i = 0; i < result.hit_count; i++) {
    char text[WW_PREFIX_STRLEN];
    const struct ww_vrp *hit = &result.hits[i].vrp;
    printf("  covered by %s, up to /%u, for AS%u\n", ww_prefix_format(&hit->prefix, text), hit->max_len, hit->asn);
  }

  ww_origin_result_fini(&result);
  ww_snapshot_unref(snapshot);
  ww_snapshot_unref(empty);
  ww_payload_delta_fini(&delta);
  return 0;
}
