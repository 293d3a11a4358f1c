/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `waywarden metrics`: what a running daemon says of itself, in the text format of Prometheus, for a textfile collector
 * or whatever else reads it.
 *
 * The table below is the whole list: which member of the daemon's status becomes which metric, by which labels. A
 * member that is null, or that an older daemon does not send, is left out: absent beats a false zero.
 */
#include "cli/metrics.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct metric {
  const char *name, *type, *help;
  const char *list;   /* the array whose objects have the member, or NULL: it is the status's own */
  const char *object; /* an object in between, or NULL */
  const char *member;
  const char *labels[2]; /* members of the list's objects, each a label of its own name */
};

#define OWN(name, type, help, object, member)                                                                          \
  {                                                                                                                    \
    "waywarden_" name, type, help, NULL, object, member, { NULL, NULL }                                                \
  }
#define SOURCE(name, type, help, member)                                                                               \
  {                                                                                                                    \
    "waywarden_source_" name, type, help, "sources", NULL, member, { "name", "type" }                                  \
  }
#define ROUTER(name, type, help, object, member)                                                                       \
  {                                                                                                                    \
    "waywarden_router_" name, type, help, "routers", object, member, { "name", NULL }                                  \
  }
#define STATION(name, type, help, member)                                                                              \
  {                                                                                                                    \
    "waywarden_station_" name, type, help, "stations", NULL, member, { "station", "router" }                           \
  }

static const struct metric metrics[] = {
    OWN("ready", "gauge", "1 when verdicts are given", NULL, "ready"),
    OWN("epoch", "gauge", "number of the payload set in force", NULL, "epoch"),
    OWN("start_time_seconds", "gauge", "when the daemon started", NULL, "started"),
    OWN("vrps_ipv4", "gauge", "IPv4 VRPs in force", NULL, "vrps_ipv4"),
    OWN("vrps_ipv6", "gauge", "IPv6 VRPs in force", NULL, "vrps_ipv6"),
    OWN("aspas", "gauge", "ASPAs in force", NULL, "aspas"),
    OWN("index_bytes", "gauge", "memory of the index", NULL, "index_bytes"),
    OWN("store_used_bytes", "gauge", "octets of the store in use", "store", "used_bytes"),
    OWN("store_readers", "gauge", "other processes that read the store", "store", "readers"),
    OWN("store_reader_lag", "gauge", "transactions that the oldest reader is behind", "store", "reader_lag"),
    OWN("slurm_loads_total", "counter", "SLURM sets that came into force", "slurm", "loads"),
    OWN("slurm_errors_total", "counter", "SLURM sets that were refused; the last good one stayed", "slurm", "errors"),
    OWN("slurm_load_time_seconds", "gauge", "when the SLURM set in force was loaded", "slurm", "loaded"),
    SOURCE("complete", "gauge", "1 when the source has delivered a whole set", "complete"),
    SOURCE("active", "gauge", "1 when its payloads are in force", "active"),
    SOURCE("records", "gauge", "payloads that it has", "records"),
    SOURCE("errors_total", "counter", "errors", "errors"),
    SOURCE("last_sync_time_seconds", "gauge", "when it was last in step", "last_sync"),
    SOURCE("expired", "gauge", "1 when expired data is kept in force", "expired"),
    SOURCE("missing", "gauge", "payloads that other caches of its preference have and it has not", "missing"),
    SOURCE("extra", "gauge", "payloads that it has and another cache of its preference has not", "extra"),
    ROUTER("connected", "gauge", "1 while its BMP session is up", NULL, "connected"),
    ROUTER("peers_up", "gauge", "peers that are up", NULL, "peers_up"),
    ROUTER("routes", "gauge", "routes held", NULL, "routes"),
    ROUTER("routes_valid", "gauge", "routes whose verdict is valid", NULL, "valid"),
    ROUTER("routes_invalid", "gauge", "routes whose verdict is invalid", NULL, "invalid"),
    ROUTER("routes_unknown", "gauge", "routes whose verdict is unknown", NULL, "unknown"),
    ROUTER("routes_not_ready", "gauge", "routes without a verdict, for want of data", NULL, "not_ready"),
    ROUTER("origin_valid", "gauge", "routes whose origin is valid", "origin_validation", "valid"),
    ROUTER("origin_invalid", "gauge", "routes whose origin is invalid", "origin_validation", "invalid"),
    ROUTER("origin_not_found", "gauge", "routes whose origin no VRP covers", "origin_validation", "not_found"),
    ROUTER("aspa_valid", "gauge", "routes whose path is valid", "aspa", "valid"),
    ROUTER("aspa_invalid", "gauge", "routes whose path is invalid", "aspa", "invalid"),
    ROUTER("aspa_unknown", "gauge", "routes whose path is unknown", "aspa", "unknown"),
    ROUTER("bgpsec_valid", "gauge", "signed routes whose signatures verify", "bgpsec", "valid"),
    ROUTER("bgpsec_invalid", "gauge", "signed routes whose signatures do not", "bgpsec", "invalid"),
    ROUTER("evaluated_total", "counter", "routes judged", NULL, "evaluated"),
    ROUTER("changed_total", "counter", "verdicts that changed", NULL, "changed"),
    ROUTER("malformed_updates_total", "counter", "UPDATEs with an error (RFC 7606)", NULL, "malformed_updates"),
    ROUTER("table_bytes", "gauge", "memory of its tables", NULL, "table_bytes"),
    STATION("messages_total", "counter", "BMP messages sent in this session", "messages"),
    STATION("validations_total", "counter", "RPKI_VALIDATION messages sent in this session", "validations"),
    STATION("bytes_total", "counter", "octets sent in this session", "bytes"),
    STATION("resyncs_total", "counter", "times that everything was told again", "resyncs"),
    STATION("lag", "gauge", "changes that the station is behind", "lag"),
    OWN("rtr_connects_total", "counter", "routers that have connected", "rtr_server", "connects"),
    OWN("rtr_refused_total", "counter", "routers that were refused", "rtr_server", "refused"),
};

/* A number, a truth or a time; false for anything else. */
static bool value_of(json_t *value, char *text, size_t size) {
  struct tm tm = {0};
  if (json_is_integer(value))
    return snprintf(text, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value)) > 0;
  if (json_is_boolean(value))
    return snprintf(text, size, "%d", json_is_true(value)) > 0;
  const char *end = json_is_string(value) ? strptime(json_string_value(value), "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;
  return end && !*end && snprintf(text, size, "%lld", (long long)timegm(&tm)) > 0;
}

/* name="value", with what the format wants escaped. */
static void print_label(FILE *out, const char *name, const char *value, bool first) {
  fprintf(out, "%s%s=\"", first ? "{" : ",", name);
  for (; *value; value++) {
    if (*value == '\n')
      fputs("\\n", out);
    else if (*value == '"' || *value == '\\')
      fprintf(out, "\\%c", *value);
    else
      fputc(*value, out);
  }
  fputc('"', out);
}

/* One sample; `said`: whether the metric's head has been printed. */
static void print_sample(FILE *out, const struct metric *m, json_t *of, bool *said) {
  char text[32];
  json_t *holder = m->object ? json_object_get(of, m->object) : of;
  if (!value_of(json_object_get(holder, m->member), text, sizeof text))
    return;
  if (!*said)
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, m->type);
  *said = true;
  fputs(m->name, out);
  for (unsigned i = 0; i < 2 && m->labels[i]; i++) {
    const char *label = json_string_value(json_object_get(of, m->labels[i]));
    print_label(out, m->labels[i], label ? label : "", i == 0);
  }
  fprintf(out, "%s %s\n", m->labels[0] ? "}" : "", text);
}

void ww_metrics_print(FILE *out, json_t *status) {
  for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
    const struct metric *m = &metrics[i];
    json_t *list = m->list ? json_object_get(status, m->list) : NULL;
    bool said = false;
    if (!m->list)
      print_sample(out, m, status, &said);
    for (size_t k = 0; k < json_array_size(list); k++)
      print_sample(out, m, json_array_get(list, k), &said);
  }
}
