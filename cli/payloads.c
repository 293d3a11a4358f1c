/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `waywarden payloads`: what a payload file or a store holds, its CCR state hashes, and what differs between two.
 *
 * Everything works on sorted sets, so counting is a walk and comparing is a merge. JSON is written as it is found.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "cli/cli.h"
#include "cli/json_out.h"
#include "cli/payload_input.h"
#include "cli/payload_output.h"
#include "daemon/clock.h"
#include "sources/ccr_hash.h"
#include "validator/verdict_json.h"

struct request {
  bool json;
  const char *store;
  struct ww_payload_file_options options;
  struct ww_output output;
  bool has_format;
};

/* --- summary --------------------------------------------------------------------------------------------------- */

struct counts {
  size_t v4, v6, aspas, keys, asns;
  size_t without_expiry;
  int64_t earliest, latest; /* 0: none */
};

static int order_u32(const void *a, const void *b) {
  const uint32_t *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

static void count_expiry(struct counts *c, int64_t expires) {
  if (!expires) {
    c->without_expiry++;
    return;
  }
  if (!c->earliest || expires < c->earliest)
    c->earliest = expires;
  if (!c->latest || expires > c->latest)
    c->latest = expires;
}

static bool count(const struct ww_payloads *set, struct counts *c) {
  *c = (struct counts){.aspas = set->aspa_count, .keys = set->key_count};
  uint32_t *asns = malloc((set->vrp_count + 1) * sizeof(*asns));
  if (!asns)
    return false;
  for (size_t i = 0; i < set->vrp_count; i++) {
    if (set->vrps[i].prefix.afi == WW_AFI_IPV4)
      c->v4++;
    else
      c->v6++;
    asns[i] = set->vrps[i].asn;
    count_expiry(c, set->vrps[i].expires);
  }
  for (size_t i = 0; i < set->aspa_count; i++)
    count_expiry(c, set->aspas[i].expires);
  for (size_t i = 0; i < set->key_count; i++)
    count_expiry(c, set->keys[i].expires);
  qsort(asns, set->vrp_count, sizeof(*asns), order_u32);
  for (size_t i = 0; i < set->vrp_count; i++)
    c->asns += i == 0 || asns[i] != asns[i - 1];
  free(asns);
  return true;
}

static const char *type_name(uint8_t type) {
  switch (type) {
  case WW_SOURCE_RTR:
    return "rtr";
  case WW_SOURCE_IBGP:
    return "ibgp";
  case WW_SOURCE_EBGP:
    return "ebgp";
  case WW_SOURCE_STATIC:
    return "static";
  case WW_SOURCE_SLURM:
    return "slurm";
  case WW_SOURCE_FILE:
    return "file";
  default:
    return "unknown";
  }
}

static void print_counts(const struct counts *c, const char *indent) {
  char a[WW_TIME_STRLEN], b[WW_TIME_STRLEN];
  printf("%sVRPs          %zu: %zu IPv4, %zu IPv6, of %zu AS numbers\n", indent, c->v4 + c->v6, c->v4, c->v6, c->asns);
  printf("%sASPAs         %zu\n", indent, c->aspas);
  printf("%srouter keys   %zu\n", indent, c->keys);
  if (c->earliest)
    printf("%sexpiry        from %s to %s\n", indent, ww_time_format(c->earliest, a), ww_time_format(c->latest, b));
  if (c->without_expiry)
    printf("%s              %zu without one\n", indent, c->without_expiry);
}

static void json_counts(yajl_gen gen, const struct counts *c) {
  char buf[WW_TIME_STRLEN];
  ww_json_out_number(gen, "vrps", c->v4 + c->v6);
  ww_json_out_number(gen, "vrps_ipv4", c->v4);
  ww_json_out_number(gen, "vrps_ipv6", c->v6);
  ww_json_out_number(gen, "aspas", c->aspas);
  ww_json_out_number(gen, "router_keys", c->keys);
  ww_json_out_number(gen, "distinct_asns", c->asns);
  if (c->earliest) {
    ww_json_out_text(gen, "earliest_expiry", ww_time_format(c->earliest, buf));
    ww_json_out_text(gen, "latest_expiry", ww_time_format(c->latest, buf));
  }
  ww_json_out_number(gen, "without_expiry", c->without_expiry);
}

static void print_source(const struct ww_input *input, const struct ww_input_source *s, const struct counts *c) {
  char buf[WW_TIME_STRLEN];
  printf("%s%s%s\n", input->from_store ? "source " : "", s->name,
         s->complete  ? ""
         : s->reserve ? "  (in reserve: does not count)"
                      : "  (not complete: does not count)");
  if (input->from_store) {
    printf("  type          %s\n", type_name(s->record.type));
    printf("  last update   %s\n", s->record.last_sync ? ww_time_format(s->record.last_sync, buf) : "never");
  }
  print_counts(c, "  ");
  if (s->stats.expired)
    printf("  expired       %zu of %zu records, dropped\n", s->stats.expired, s->stats.records);
  if (s->stats.skipped_members)
    printf("  unknown       %zu members passed over\n", s->stats.skipped_members);
  if (s->stats.produced_at)
    printf("  CCR           of %s, with %zu manifests and %zu trust anchors\n",
           ww_time_format(s->stats.produced_at, buf), s->stats.manifests, s->stats.trust_anchors);
}

static void json_source(yajl_gen gen, const struct ww_input *input, const struct ww_input_source *s,
                        const struct counts *c) {
  char buf[WW_TIME_STRLEN];
  (void)yajl_gen_map_open(gen);
  ww_json_out_text(gen, "name", s->name);
  if (input->from_store) {
    ww_json_out_text(gen, "type", type_name(s->record.type));
    if (s->record.last_sync)
      ww_json_out_text(gen, "last_update", ww_time_format(s->record.last_sync, buf));
  }
  ww_json_out_string(gen, "complete");
  (void)yajl_gen_bool(gen, s->complete || s->reserve);
  if (input->from_store) {
    ww_json_out_string(gen, "active");
    (void)yajl_gen_bool(gen, s->complete);
  }
  json_counts(gen, c);
  ww_json_out_number(gen, "records", s->stats.records);
  ww_json_out_number(gen, "expired", s->stats.expired);
  ww_json_out_number(gen, "skipped_members", s->stats.skipped_members);
  if (s->stats.produced_at) {
    ww_json_out_text(gen, "produced_at", ww_time_format(s->stats.produced_at, buf));
    ww_json_out_number(gen, "manifests", s->stats.manifests);
    ww_json_out_number(gen, "trust_anchors", s->stats.trust_anchors);
  }
  (void)yajl_gen_map_close(gen);
}

static int summary(struct ww_input *input, const struct request *request) {
  struct counts c;
  yajl_gen gen = NULL;
  if (request->json) {
    gen = ww_json_out_begin();
    if (!gen)
      return ww_cli_fail("payloads", "out of memory");
    (void)yajl_gen_map_open(gen);
    if (input->from_store)
      ww_json_out_number(gen, "epoch", input->epoch);
    ww_json_out_string(gen, "sources");
    (void)yajl_gen_array_open(gen);
  } else if (input->from_store) {
    printf("epoch %" PRIu32 "\n", input->epoch);
  }
  int code = WW_EXIT_OK;
  size_t complete = ww_input_complete(input);
  for (size_t i = 0; i < input->count && code == WW_EXIT_OK; i++) {
    const struct ww_input_source *s = &input->sources[i];
    if (!count(&s->set, &c))
      code = ww_cli_fail("payloads", "out of memory");
    else if (gen)
      json_source(gen, input, s, &c);
    else
      print_source(input, s, &c);
  }
  struct ww_payloads all = {0};
  if (gen)
    (void)yajl_gen_array_close(gen);
  /* What counts, taken together: a record of two sources once. */
  if (code == WW_EXIT_OK && complete && (gen || input->count > 1)) {
    code = ww_input_unite(input, "payloads", &all);
    if (code == WW_EXIT_OK && !count(&all, &c))
      code = ww_cli_fail("payloads", "out of memory");
    if (code == WW_EXIT_OK && gen) {
      ww_json_out_string(gen, "total");
      (void)yajl_gen_map_open(gen);
      json_counts(gen, &c);
      (void)yajl_gen_map_close(gen);
    } else if (code == WW_EXIT_OK) {
      puts("all complete sources");
      print_counts(&c, "  ");
    }
  }
  ww_payloads_fini(&all);
  if (gen) {
    (void)yajl_gen_map_close(gen);
    ww_json_out_end(gen);
  }
  return code == WW_EXIT_OK && !complete ? WW_EXIT_NOT_READY : code;
}

/* --- hash ------------------------------------------------------------------------------------------------------ */

static int hash(struct ww_input *input, const struct request *request) {
  struct ww_payloads all;
  struct ww_ccr_hashes h;
  int code = ww_input_unite(input, "payloads", &all);
  if (code != WW_EXIT_OK)
    return code;
  uint8_t client[WW_CCR_HASH_LEN];
  enum ww_err err = ww_ccr_hash(&all, &h);
  if (err == WW_OK)
    err = ww_ccr_hash_client_vrps(&all, client);
  ww_payloads_fini(&all);
  if (err != WW_OK)
    return ww_cli_fail("payloads", "%s", ww_err_name(err));
  const struct {
    const char *key, *label;
    const uint8_t *hash;
  } rows[] = {{"roas_hash", "vrps", h.vrps},
              {"aspas_hash", "aspas", h.aspas},
              {"keys_hash", "keys", h.keys},
              {"roas_hash_rpki_client", "client", client}};
  yajl_gen gen = request->json ? ww_json_out_begin() : NULL;
  if (request->json && !gen)
    return ww_cli_fail("payloads", "out of memory");
  if (gen)
    (void)yajl_gen_map_open(gen);
  for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char text[WW_BASE64_SIZE(WW_CCR_HASH_LEN)];
    (void)ww_base64_encode(rows[i].hash, WW_CCR_HASH_LEN, text);
    if (gen)
      ww_json_out_text(gen, rows[i].key, text);
    else
      printf("%-6s %s\n", rows[i].label, text);
  }
  if (gen) {
    (void)yajl_gen_map_close(gen);
    ww_json_out_end(gen);
  }
  return WW_EXIT_OK;
}

/* --- diff ------------------------------------------------------------------------------------------------------ */

enum side { ADDED, REMOVED, CHANGED, SIDES };

/* What the walk found. Text is printed at once; JSON is told in one array for each side, so the walk is made thrice. */
struct diff {
  yajl_gen gen;     /* NULL: text */
  enum side wanted; /* for JSON */
  bool any;
};

static bool told(struct diff *d, enum side side) {
  d->any = true;
  if (!d->gen)
    printf("%c ", "+-~"[side]);
  return !d->gen || d->wanted == side;
}

static void tell_vrp(struct diff *d, enum side side, const struct ww_vrp *v) {
  char buf[WW_PREFIX_STRLEN];
  if (!told(d, side))
    return;
  ww_prefix_format(&v->prefix, buf);
  if (!d->gen) {
    printf("vrp %s-%u AS%" PRIu32 "\n", buf, v->max_len, v->asn);
    return;
  }
  (void)yajl_gen_map_open(d->gen);
  ww_json_out_text(d->gen, "kind", "vrp");
  ww_json_out_text(d->gen, "prefix", buf);
  ww_json_out_number(d->gen, "maxLength", v->max_len);
  ww_json_out_number(d->gen, "asn", v->asn);
  (void)yajl_gen_map_close(d->gen);
}

static void print_providers(const struct ww_aspa *a) {
  for (uint32_t i = 0; i < a->provider_count; i++)
    printf(" AS%" PRIu32, a->providers[i]);
}

static void json_providers(yajl_gen gen, const char *key, const struct ww_aspa *a) {
  ww_json_out_string(gen, key);
  (void)yajl_gen_array_open(gen);
  for (uint32_t i = 0; i < a->provider_count; i++)
    (void)yajl_gen_integer(gen, a->providers[i]);
  (void)yajl_gen_array_close(gen);
}

/* `was`: for what changed, else NULL. */
static void tell_aspa(struct diff *d, enum side side, const struct ww_aspa *a, const struct ww_aspa *was) {
  if (!told(d, side))
    return;
  if (!d->gen) {
    printf("aspa AS%" PRIu32 ":", a->customer);
    if (was) {
      print_providers(was);
      printf(" ->");
    }
    print_providers(a);
    putchar('\n');
    return;
  }
  (void)yajl_gen_map_open(d->gen);
  ww_json_out_text(d->gen, "kind", "aspa");
  ww_json_out_number(d->gen, "customer", a->customer);
  json_providers(d->gen, "providers", a);
  if (was)
    json_providers(d->gen, "before", was);
  (void)yajl_gen_map_close(d->gen);
}

static void tell_key(struct diff *d, enum side side, const struct ww_router_key *k) {
  char ski[2 * WW_SKI_LEN + 1], spki[WW_BASE64_SIZE(WW_SPKI_MAX)];
  if (!told(d, side))
    return;
  for (unsigned i = 0; i < WW_SKI_LEN; i++)
    (void)snprintf(ski + 2 * i, 3, "%02X", k->ski[i]);
  (void)ww_base64_encode(k->spki, k->spki_len, spki);
  if (!d->gen) {
    printf("router-key AS%" PRIu32 " %s %s\n", k->asn, ski, spki);
    return;
  }
  (void)yajl_gen_map_open(d->gen);
  ww_json_out_text(d->gen, "kind", "router-key");
  ww_json_out_number(d->gen, "asn", k->asn);
  ww_json_out_text(d->gen, "SKI", ski);
  ww_json_out_text(d->gen, "routerPublicKey", spki);
  (void)yajl_gen_map_close(d->gen);
}

/* Which of two sorted lists goes on: by the comparison, or by the end of the other. */
static int step(bool have_a, bool have_b, int compared) { return !have_a ? 1 : !have_b ? -1 : compared; }

static bool same_providers(const struct ww_aspa *a, const struct ww_aspa *b) {
  return a->provider_count == b->provider_count &&
         (!a->provider_count || memcmp(a->providers, b->providers, a->provider_count * sizeof(*a->providers)) == 0);
}

static void walk(struct diff *d, const struct ww_payloads *a, const struct ww_payloads *b) {
  for (size_t i = 0, j = 0; i < a->vrp_count || j < b->vrp_count;) {
    bool have_a = i < a->vrp_count, have_b = j < b->vrp_count;
    int c = step(have_a, have_b, have_a && have_b ? ww_vrp_compare(&a->vrps[i], &b->vrps[j]) : 0);
    if (c < 0)
      tell_vrp(d, REMOVED, &a->vrps[i]);
    else if (c > 0)
      tell_vrp(d, ADDED, &b->vrps[j]);
    i += c <= 0;
    j += c >= 0;
  }
  for (size_t i = 0, j = 0; i < a->aspa_count || j < b->aspa_count;) {
    bool have_a = i < a->aspa_count, have_b = j < b->aspa_count;
    int c = step(have_a, have_b, have_a && have_b ? order_u32(&a->aspas[i].customer, &b->aspas[j].customer) : 0);
    if (c < 0)
      tell_aspa(d, REMOVED, &a->aspas[i], NULL);
    else if (c > 0)
      tell_aspa(d, ADDED, &b->aspas[j], NULL);
    else if (!same_providers(&a->aspas[i], &b->aspas[j]))
      tell_aspa(d, CHANGED, &b->aspas[j], &a->aspas[i]);
    i += c <= 0;
    j += c >= 0;
  }
  for (size_t i = 0, j = 0; i < a->key_count || j < b->key_count;) {
    bool have_a = i < a->key_count, have_b = j < b->key_count;
    int c = step(have_a, have_b, have_a && have_b ? ww_router_key_compare(&a->keys[i], &b->keys[j]) : 0);
    if (c < 0)
      tell_key(d, REMOVED, &a->keys[i]);
    else if (c > 0)
      tell_key(d, ADDED, &b->keys[j]);
    i += c <= 0;
    j += c >= 0;
  }
}

static int diff(const struct ww_payloads *a, const struct ww_payloads *b, const struct request *request) {
  static const char *const keys[SIDES] = {"added", "removed", "changed"};
  struct diff d = {0};
  if (!request->json) {
    walk(&d, a, b);
    return d.any ? WW_EXIT_FAILED : WW_EXIT_OK;
  }
  d.gen = ww_json_out_begin();
  if (!d.gen)
    return ww_cli_fail("payloads", "out of memory");
  (void)yajl_gen_map_open(d.gen);
  for (unsigned side = 0; side < SIDES; side++) {
    d.wanted = (enum side)side;
    ww_json_out_string(d.gen, keys[side]);
    (void)yajl_gen_array_open(d.gen);
    walk(&d, a, b);
    (void)yajl_gen_array_close(d.gen);
  }
  (void)yajl_gen_map_close(d.gen);
  ww_json_out_end(d.gen);
  return d.any ? WW_EXIT_FAILED : WW_EXIT_OK;
}

/* --- the command ----------------------------------------------------------------------------------------------- */

static int load(struct ww_input *input, const struct request *request, const char *where) {
  *input = (struct ww_input){.options = request->options};
  return where ? ww_input_add(input, "payloads", where) : ww_input_add_store(input, "payloads", request->store);
}

static int run_one(const char *what, const struct request *request, const char *where) {
  struct ww_input input;
  int code = load(&input, request, where);
  if (code == WW_EXIT_OK)
    code = strcmp(what, "hash") == 0 ? hash(&input, request) : summary(&input, request);
  ww_input_fini(&input);
  return code;
}

static int run_diff(const struct request *request, const char *a, const char *b) {
  struct ww_input inputs[2] = {0};
  struct ww_payloads sets[2] = {0};
  const char *where[2] = {a, b};
  int code = WW_EXIT_OK;
  for (unsigned i = 0; i < 2 && code == WW_EXIT_OK; i++) {
    code = load(&inputs[i], request, where[i]);
    if (code == WW_EXIT_OK)
      code = ww_input_unite(&inputs[i], "payloads", &sets[i]);
  }
  if (code == WW_EXIT_OK)
    code = diff(&sets[0], &sets[1], request);
  for (unsigned i = 0; i < 2; i++) {
    ww_payloads_fini(&sets[i]);
    ww_input_fini(&inputs[i]);
  }
  return code;
}

static int run_convert(struct request *request, const char *in, const char *out) {
  struct ww_input input;
  struct ww_payloads set = {0};
  int code = load(&input, request, in);
  /* What a CCR said of its age stays true of the copy. */
  request->output.produced_at = request->options.now;
  if (code == WW_EXIT_OK && input.count == 1 && input.sources[0].stats.produced_at)
    request->output.produced_at = input.sources[0].stats.produced_at;
  if (code == WW_EXIT_OK)
    code = ww_input_unite(&input, "payloads", &set);
  if (code == WW_EXIT_OK)
    code = ww_output_payloads("payloads", out, &set, &request->output);
  ww_payloads_fini(&set);
  ww_input_fini(&input);
  return code;
}

static int run_payloads(int argc, char **argv) {
  enum { OPT_JSON = 256, OPT_STORE, OPT_IGNORE_EXPIRY, OPT_NOW, OPT_TO, OPT_STRICT };
  static const struct option options[] = {{"json", no_argument, NULL, OPT_JSON},
                                          {"store", required_argument, NULL, OPT_STORE},
                                          {"ignore-expiry", no_argument, NULL, OPT_IGNORE_EXPIRY},
                                          {"now", required_argument, NULL, OPT_NOW},
                                          {"to", required_argument, NULL, OPT_TO},
                                          {"strict", no_argument, NULL, OPT_STRICT},
                                          {NULL, 0, NULL, 0}};
  struct request request = {.options.now = ww_clock_read().unix_sec};
  struct ww_input now = {0};
  for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    switch (c) {
    case OPT_JSON:
      request.json = true;
      break;
    case OPT_STORE:
      request.store = optarg;
      break;
    case OPT_IGNORE_EXPIRY:
      request.options.ignore_expiry = true;
      break;
    case OPT_NOW:
      if (!ww_input_set_now(&now, "payloads", optarg))
        return WW_EXIT_USAGE;
      request.options.now = now.options.now;
      break;
    case OPT_TO:
      request.has_format = ww_output_format_parse(optarg, &request.output.format);
      if (!request.has_format)
        return ww_cli_usage(&ww_cmd_payloads, "--to %s: one of %s", optarg, ww_output_format_names);
      break;
    case OPT_STRICT:
      request.options.strict = request.output.strict = true;
      break;
    default:
      return WW_EXIT_USAGE;
    }
  }
  if (optind == argc)
    return ww_cli_usage(&ww_cmd_payloads, "summary, hash, diff or convert?");
  const char *what = argv[optind++];
  int given = argc - optind;
  bool diffs = strcmp(what, "diff") == 0, converts = strcmp(what, "convert") == 0;
  if (!diffs && !converts && strcmp(what, "summary") != 0 && strcmp(what, "hash") != 0)
    return ww_cli_usage(&ww_cmd_payloads, "no such thing as '%s'", what);
  if (converts && !request.has_format)
    return ww_cli_usage(&ww_cmd_payloads, "convert to what? --to %s", ww_output_format_names);
  if (converts && given == 1 && request.store)
    return run_convert(&request, NULL, argv[optind]);
  if (converts)
    return given == 2 && !request.store
               ? run_convert(&request, argv[optind], argv[optind + 1])
               : ww_cli_usage(&ww_cmd_payloads, "convert takes what to read and where to write");
  if (request.has_format)
    return ww_cli_usage(&ww_cmd_payloads, "--to is for convert");
  if (diffs)
    return given == 2 && !request.store ? run_diff(&request, argv[optind], argv[optind + 1])
                                        : ww_cli_usage(&ww_cmd_payloads, "diff compares two files or stores");
  if (given + (request.store != NULL) != 1)
    return ww_cli_usage(&ww_cmd_payloads, "%s takes one file, or --store", what);
  return run_one(what, &request, given ? argv[optind] : NULL);
}

const struct ww_command ww_cmd_payloads = {
    .name = "payloads",
    .synopsis = "summary|hash FILE|--store DIR | diff A B | convert IN OUT --to FORMAT",
    .summary = "tell what payload files and stores hold, hash, compare and convert them",
    .help =
        "  summary             records by kind and source, AS numbers, expiry\n"
        "  hash                CCR state hashes (SHA-256 of the DER, base64): the same data has the same hash\n"
        "  diff A B            + added, - removed, ~ changed; exit code 1 when they differ\n"
        "  convert IN OUT      writes what IN holds; OUT - is standard output\n"
        "Files are JSON (rpki-client, Routinator, StayRTR, RTRTR), CSV or CCR, or any of them packed by gzip; - is\n"
        "standard input, a folder is a store.\n"
        "  --to FORMAT         rpki-client (or json), routinator, stayrtr, rtrtr, csv, csv-routinator, ccr, openbgpd,\n"
        "                      bird; what a format cannot hold is left out, and said\n"
        "  --strict            it is an error instead; so is a CCR hash in metadata that the records do not have\n"
        "  --store DIR         the store of a daemon, which may be running\n"
        "  --json              one JSON document\n"
        "  --ignore-expiry     keep records that have expired (old dumps)\n"
        "  --now TIME          judge expiry at this time: Unix seconds or RFC 3339\n"
        "Exit code 4: no source has complete data.\n",
    .run = run_payloads,
};
