/* SPDX-License-Identifier: BSD-2-Clause */
/* What a SLURM file may hold, what is said of each kind of bad one, and which files go together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* */
#include <cmocka.h>

#include "slurm/slurm.h"

struct result {
  enum ww_err err;
  struct ww_slurm *slurm;
  struct ww_slurm_problems problems;
};

/* Each text is handed over in a heap block of just its size. */
static struct result read_texts(const char *const *texts, const size_t *lens, size_t count, bool strict) {
  struct result r = {.err = WW_OK};
  struct ww_slurm_file files[8] = {0};
  char names[8][24];
  struct ww_slurm_options options = {.strict = strict};
  for (size_t i = 0; i < count; i++) {
    char *exact = malloc(lens[i] ? lens[i] : 1);
    assert_non_null(exact);
    memcpy(exact, texts[i], lens[i]);
    (void)snprintf(names[i], sizeof(names[i]), "f%zu", i);
    files[i] = (struct ww_slurm_file){.name = names[i], .text = exact, .len = lens[i]};
  }
  r.err = ww_slurm_read(files, count, &options, &r.slurm, &r.problems);
  for (size_t i = 0; i < count; i++)
    free((void *)(uintptr_t)files[i].text);
  assert_true((r.err == WW_OK) == (r.slurm != NULL));
  assert_true((r.err == WW_OK) == (r.problems.errors == 0));
  return r;
}

static struct result read_text(const char *text, bool strict) {
  return read_texts(&text, &(size_t){strlen(text)}, 1, strict);
}

static void done(struct result *r) {
  ww_slurm_free(r->slurm);
  ww_slurm_problems_fini(&r->problems);
}

#define SKI "AAECAwQFBgcICQoLDA0ODxAREhM" /* 0 to 19 */
#define KEY                                                                                                            \
  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEgFcjQ_g__LAQerAH2Mpp-GucoDAGBbhIqD33wNPsXxnAGb-mtZ7XQrVO9DQ6UlAShtig5-QfEKpTt"  \
  "FgiqfiAFQ"

/* A version 1 or 2 file with these elements in its arrays, each array on a line of its own: 3 to 5, 7 to 9. */
#define V1(pf, bf, pa, ba)                                                                                             \
  "{\"slurmVersion\": 1,\n\"validationOutputFilters\": {\n\"prefixFilters\": [" pf "],\n\"bgpsecFilters\": [" bf       \
  "]\n},\n\"locallyAddedAssertions\": {\n\"prefixAssertions\": [" pa "],\n\"bgpsecAssertions\": [" ba "]}}\n"
#define V2(pf, bf, af, pa, ba, aa)                                                                                     \
  "{\"slurmVersion\": 2,\n\"validationOutputFilters\": {\n\"prefixFilters\": [" pf "],\n\"bgpsecFilters\": [" bf       \
  "],\n\"aspaFilters\": [" af "]},\n\"locallyAddedAssertions\": {\n\"prefixAssertions\": [" pa                         \
  "],\n\"bgpsecAssertions\": [" ba "],\n\"aspaAssertions\": [" aa "]}}\n"

#define FULL                                                                                                           \
  V2("{\"prefix\": \"192.0.2.0/24\", \"comment\": \"caf\\u00e9\"}, {\"asn\": 64496},\n"                                \
     "{\"prefix\": \"198.51.100.0/24\", \"asn\": 64497}",                                                              \
     "{\"asn\": 64496}, {\"SKI\": \"" SKI "\"}, {\"asn\": 64497, \"SKI\": \"" SKI "\"}", "{\"customerAsn\": 64496}",   \
     "{\"asn\": 64496, \"prefix\": \"198.51.100.0/24\"}, {\"asn\": 64496, \"prefix\": \"2001:DB8::/32\", "             \
     "\"maxPrefixLength\": 48}",                                                                                       \
     "{\"asn\": 64496, \"SKI\": \"" SKI "\", \"routerPublicKey\": \"" KEY "\"}",                                       \
     "{\"customerAsn\": 64496, \"providerAsns\": [64497, 64498], \"comment\": \"mine\"}")

/* --- good ------------------------------------------------------------------------------------------------------- */

static void test_full(void **state) {
  (void)state;
  struct result r = read_text(FULL, true);
  assert_int_equal(r.err, WW_OK);
  assert_int_equal(r.problems.warnings, 0);
  size_t count;
  const struct ww_slurm_item *items = ww_slurm_items(r.slurm, &count);
  char pointer[WW_SLURM_POINTER_MAX];
  assert_int_equal(count, 11);
  assert_string_equal(items[0].comment, "caf\xc3\xa9");
  assert_null(items[1].comment);
  assert_true(items[0].has_prefix && !items[0].has_asn && !items[1].has_prefix && items[1].has_asn);
  assert_int_equal(items[1].asn, 64496);
  assert_int_equal(items[0].line, 3);
  assert_int_equal(items[2].line, 4);
  assert_string_equal(ww_slurm_item_pointer(&items[2], pointer), "/validationOutputFilters/prefixFilters/2");
  assert_int_equal(items[6].kind, WW_SLURM_ASPA_FILTER);
  assert_int_equal(items[7].max_len, 24);
  assert_int_equal(items[8].max_len, 48);
  assert_int_equal(items[9].spki_len, 91);
  assert_int_equal(items[9].ski[19], 19);
  assert_int_equal(items[10].provider_count, 2);
  assert_int_equal(items[10].providers[1], 64498);
  assert_string_equal(ww_slurm_item_pointer(&items[10], pointer), "/locallyAddedAssertions/aspaAssertions/0");
  assert_int_equal(ww_slurm_file_version(r.slurm, 0), 2);
  assert_string_equal(ww_slurm_file_name(r.slurm, 0), "f0");
  const struct ww_payloads *asserted = ww_slurm_assertions(r.slurm);
  assert_int_equal(asserted->vrp_count, 2);
  assert_int_equal(asserted->key_count, 1);
  assert_int_equal(asserted->aspa_count, 1);
  done(&r);
}

static void test_empty(void **state) {
  (void)state;
  struct result r = read_text(V1("", "", "", ""), true);
  assert_int_equal(r.err, WW_OK);
  assert_int_equal(ww_slurm_file_version(r.slurm, 0), 1);
  done(&r);
  r = read_text(V2("", "", "", "", "", ""), true);
  assert_int_equal(r.err, WW_OK);
  done(&r);
  r = read_texts(NULL, NULL, 0, true);
  assert_int_equal(r.err, WW_OK);
  done(&r);
}

static void test_duplicates_are_one(void **state) {
  (void)state;
  struct result r = read_text(V1("", "",
                                 "{\"asn\": 1, \"prefix\": \"10.0.0.0/8\"}, {\"asn\": 1, \"prefix\": \"10.0.0.0/8\", "
                                 "\"maxPrefixLength\": 8}, {\"asn\": 1, \"prefix\": \"10.0.0.0/8\", "
                                 "\"maxPrefixLength\": 9}",
                                 ""),
                              true);
  assert_int_equal(r.err, WW_OK);
  assert_int_equal(ww_slurm_assertions(r.slurm)->vrp_count, 2);
  done(&r);
}

/* --- spellings of the field ------------------------------------------------------------------------------------- */

/* One warning in tolerant mode, one error in strict mode, at the same place. */
static void check_loose(const char *text, unsigned line, const char *pointer) {
  struct result r = read_text(text, false);
  assert_int_equal(r.err, WW_OK);
  assert_int_equal(r.problems.warnings, 1);
  assert_true(r.problems.list[0].warning);
  assert_string_equal(r.problems.list[0].pointer, pointer);
  assert_int_equal(r.problems.list[0].line, line);
  done(&r);
  r = read_text(text, true);
  assert_int_equal(r.err, WW_ERR_MALFORMED);
  assert_false(r.problems.list[0].warning);
  assert_string_equal(r.problems.list[0].pointer, pointer);
  assert_int_equal(r.problems.list[0].line, line);
  done(&r);
}

static void test_loose_spellings(void **state) {
  (void)state;
  check_loose(V1("", "{\"SKI\": \"" SKI "=\"}", "", ""), 4, "/validationOutputFilters/bgpsecFilters/0/SKI");
  check_loose(V1("", "{\"SKI\": \"AAECAwQFBgcICQoLDA0ODxAREh8\"}, {\"SKI\": \"++ECAwQFBgcICQoLDA0ODxAREh8\"}", "", ""),
              4, "/validationOutputFilters/bgpsecFilters/1/SKI");
  check_loose(V1("", "{\"SKI\": \"Zm9v\"}", "", ""), 4, "/validationOutputFilters/bgpsecFilters/0/SKI");
  check_loose(V2("", "", "{\"customerAsid\": 1}", "", "", ""), 5,
              "/validationOutputFilters/aspaFilters/0/customerAsid");
  check_loose(V2("", "", "", "", "", "{\"customerAsid\": 1, \"providerAsns\": [2]}"), 9,
              "/locallyAddedAssertions/aspaAssertions/0/customerAsid");
  check_loose(V1("", "", "", "{\"asn\": 1, \"SKI\": \"" SKI "\", \"routerPublicKey\": \"Ymx1YmI\"}"), 8,
              "/locallyAddedAssertions/bgpsecAssertions/0/routerPublicKey");
}

/* --- bad -------------------------------------------------------------------------------------------------------- */

struct bad {
  const char *text;
  unsigned line;
  const char *pointer;
  const char *says;
};

#define PF "/validationOutputFilters/prefixFilters/"
#define BF "/validationOutputFilters/bgpsecFilters/"
#define AF "/validationOutputFilters/aspaFilters/"
#define PA "/locallyAddedAssertions/prefixAssertions/"
#define BA "/locallyAddedAssertions/bgpsecAssertions/"
#define AA "/locallyAddedAssertions/aspaAssertions/"

static const struct bad bads[] = {
    /* The text. */
    {"", 1, "", "expected"},
    {"null", 1, "", "expected"},
    {"[]", 1, "", "must be an object"},
    {"\"slurmVersion\"", 1, "", "expected"},
    {"{} {}", 1, "", "end of file"},
    {"{\"slurmVersion\": 1", 1, "/slurmVersion", "expected"},
    {"{\n\"slurmVersion\": 1,\n\"slurmVersion\": 1}", 3, "/slurmVersion", "duplicate"},
    {V1("{\"asn\": 1,\n\"asn\": 2}", "", "", ""), 4, PF "0/asn", "duplicate"},
    {V1("{\"asn\": 1}, {\"asn\": 01}", "", "", ""), 3, PF "1/asn", ""},
    {V1("{\"asn\": 99999999999999999999}", "", "", ""), 3, PF "0/asn", "too big"},
    {V1("{\"comment\": \"\xff\"}", "", "", ""), 3, PF "0/comment", "decode byte"},
    /* The file. */
    {"{}", 1, "", "\"slurmVersion\" is missing"},
    {"{\"slurmVersion\":\n1, \"validationOutputFilters\": {}}", 2, "/validationOutputFilters",
     "\"prefixFilters\" is missing"},
    {"{\"slurmVersion\": \"1\"}", 1, "/slurmVersion", "the number 1 or 2"},
    {"{\"slurmVersion\": 1.0}", 1, "/slurmVersion", "the number 1 or 2"},
    {"{\"slurmVersion\": true}", 1, "/slurmVersion", "the number 1 or 2"},
    {"{\"slurmVersion\": 0}", 1, "/slurmVersion", "the number 1 or 2"},
    {"{\"slurmVersion\": 3}", 1, "/slurmVersion", "the number 1 or 2"},
    {"{\"slurmVersion\": 1,\n\"x-mine\": 1}", 2, "/x-mine", "not a member that is defined"},
    {"{\"a/b~c\": 1}", 1, "/a~1b~0c", "not a member that is defined"},
    {"{\"slurmVersion\": 1, \"validationOutputFilters\": []}", 1, "/validationOutputFilters", "must be an object"},
    {"{\"slurmVersion\": 1, \"locallyAddedAssertions\": null}", 1, "/locallyAddedAssertions", "must be an object"},
    {"{\"slurmVersion\": 1, \"validationOutputFilters\": {\"prefixFilters\": {}, \"bgpsecFilters\": []}, "
     "\"locallyAddedAssertions\": {\"prefixAssertions\": [], \"bgpsecAssertions\": []}}",
     1, "/validationOutputFilters/prefixFilters", "must be an array"},
    {"{\"slurmVersion\": 1, \"validationOutputFilters\": {\"prefixFilters\": [], \"bgpsecFilters\": [],\n"
     "\"aspaFilters\": []}, \"locallyAddedAssertions\": {\"prefixAssertions\": [], \"bgpsecAssertions\": []}}",
     2, "/validationOutputFilters/aspaFilters", "needs \"slurmVersion\": 2"},
    {"{\"slurmVersion\": 2, \"validationOutputFilters\": {\"prefixFilters\": [], \"bgpsecFilters\": [],\n"
     "\"aspaFilter\": []}, \"locallyAddedAssertions\": {\"prefixAssertions\": [], \"bgpsecAssertions\": [], "
     "\"aspaAssertions\": []}}",
     2, "/validationOutputFilters/aspaFilter", "not a member that is defined"},
    /* Prefix filters. */
    {V1("{}", "", "", ""), 3, PF "0", "needs a \"prefix\""},
    {V1("{\"comment\": \"x\"}", "", "", ""), 3, PF "0", "needs a \"prefix\""},
    {V1("[]", "", "", ""), 3, PF "0", "must be an object"},
    {V1("null", "", "", ""), 3, PF "0", "must be an object"},
    {V1("{\"asn\": 1},\n{\"asn\": 2, \"maxPrefixLength\": 24}", "", "", ""), 4, PF "1/maxPrefixLength", "not a member"},
    {V1("{\"Asn\": 1, \"asn\": 2}", "", "", ""), 3, PF "0/Asn", "not a member"},
    {V1("{\"asn\": \"64496\"}", "", "", ""), 3, PF "0/asn", "must be a number"},
    {V1("{\"asn\": \"AS64496\"}", "", "", ""), 3, PF "0/asn", "must be a number"},
    {V1("{\"asn\": -1}", "", "", ""), 3, PF "0/asn", "from 0 to 4294967295"},
    {V1("{\"asn\": 4294967296}", "", "", ""), 3, PF "0/asn", "from 0 to 4294967295"},
    {V1("{\"asn\": 64496.0}", "", "", ""), 3, PF "0/asn", "must be a number"},
    {V1("{\"asn\": null, \"prefix\": \"10.0.0.0/8\"}", "", "", ""), 3, PF "0/asn", "must be a number"},
    {V1("{\"prefix\": 10}", "", "", ""), 3, PF "0/prefix", "must be a string"},
    {V1("{\"prefix\": \"10.0.0.0\"}", "", "", ""), 3, PF "0/prefix", "prefix"},
    {V1("{\"prefix\": \"10.0.0.1/8\"}", "", "", ""), 3, PF "0/prefix", "bits set"},
    {V1("{\"prefix\": \"10.0.0.0/33\"}", "", "", ""), 3, PF "0/prefix", "prefix"},
    {V1("{\"prefix\": \"10/8\"}", "", "", ""), 3, PF "0/prefix", "prefix"},
    {V1("{\"prefix\": \"2001:db8::/129\"}", "", "", ""), 3, PF "0/prefix", "prefix"},
    {V1("{\"prefix\": \" 10.0.0.0/8\"}", "", "", ""), 3, PF "0/prefix", "prefix"},
    {V1("{\"prefix\": \"\"}", "", "", ""), 3, PF "0/prefix", "prefix"},
    {V1("{\"asn\": 1, \"comment\": 2}", "", "", ""), 3, PF "0/comment", "must be a string"},
    /* BGPsec filters. */
    {V1("", "{}", "", ""), 4, BF "0", "needs an \"asn\""},
    {V1("", "{\"asn\": 1, \"prefix\": \"10.0.0.0/8\"}", "", ""), 4, BF "0/prefix", "not a member"},
    {V1("", "{\"asn\": 1, \"ski\": \"" SKI "\"}", "", ""), 4, BF "0/ski", "not a member"},
    {V1("", "{\"SKI\": \"\"}", "", ""), 4, BF "0/SKI", "empty"},
    {V1("", "{\"SKI\": \"A\"}", "", ""), 4, BF "0/SKI", "base64url"},
    {V1("", "{\"SKI\": \"A===\"}", "", ""), 4, BF "0/SKI", "base64url"},
    {V1("", "{\"SKI\": \"AA=A\"}", "", ""), 4, BF "0/SKI", "base64url"},
    {V1("", "{\"SKI\": \"AB\"}", "", ""), 4, BF "0/SKI", "base64url"}, /* bits left over */
    {V1("", "{\"SKI\": \"<some base64 SKI>\"}", "", ""), 4, BF "0/SKI", "base64url"},
    {V1("", "{\"SKI\": 5}", "", ""), 4, BF "0/SKI", "must be a string"},
    /* Prefix assertions. */
    {V1("", "", "{\"asn\": 1}", ""), 7, PA "0", "\"prefix\" is missing"},
    {V1("", "", "{\"prefix\": \"10.0.0.0/8\"}", ""), 7, PA "0", "\"asn\" is missing"},
    {V1("", "", "{\"asn\": 1, \"prefix\": \"10.0.0.0/8\", \"maxPrefixLength\": 7}", ""), 7, PA "0/maxPrefixLength",
     "and 32"},
    {V1("", "", "{\"asn\": 1, \"prefix\": \"10.0.0.0/8\", \"maxPrefixLength\": 33}", ""), 7, PA "0/maxPrefixLength",
     "and 32"},
    {V1("", "", "{\"asn\": 1, \"prefix\": \"2001:db8::/32\", \"maxPrefixLength\": 129}", ""), 7, PA "0/maxPrefixLength",
     "and 128"},
    {V1("", "", "{\"asn\": 1, \"prefix\": \"10.0.0.0/8\", \"maxPrefixLength\": \"9\"}", ""), 7, PA "0/maxPrefixLength",
     "must be a number"},
    {V1("", "", "{\"asn\": 1, \"prefix\": \"10.0.0.0/8\", \"maxPrefixLength\": null}", ""), 7, PA "0/maxPrefixLength",
     "must be a number"},
    {V1("", "", "{\"asn\": 1, \"prefix\": \"10.0.0.0/8\", \"maxLength\": 9}", ""), 7, PA "0/maxLength", "not a member"},
    /* BGPsec assertions. */
    {V1("", "", "", "{\"SKI\": \"" SKI "\", \"routerPublicKey\": \"" KEY "\"}"), 8, BA "0", "\"asn\" is missing"},
    {V1("", "", "", "{\"asn\": 1, \"routerPublicKey\": \"" KEY "\"}"), 8, BA "0", "\"SKI\" is missing"},
    {V1("", "", "", "{\"asn\": 1, \"SKI\": \"" SKI "\"}"), 8, BA "0", "\"routerPublicKey\" is missing"},
    {V1("", "", "", "{\"asn\": 1, \"SKI\": \"Zm9v\", \"routerPublicKey\": \"" KEY "\"}"), 8, BA "0/SKI", "20 octets"},
    {V1("", "", "", "{\"asn\": 1, \"SKI\": \"" SKI "\", \"routerPublicKey\": \"\"}"), 8, BA "0/routerPublicKey",
     "empty"},
    {V1("", "", "", "{\"asn\": 1, \"SKI\": \"" SKI "\", \"routerPublicKey\": \"!\"}"), 8, BA "0/routerPublicKey",
     "base64url"},
    /* ASPA filters and assertions. */
    {V2("", "", "{}", "", "", ""), 5, AF "0", "\"customerAsn\" is missing"},
    {V2("", "", "{\"customerAsn\": 1, \"customerAsid\": 1}", "", "", ""), 5, AF "0/customerAsid", "another name"},
    {V2("", "", "{\"customerAsn\": 1, \"providerAsns\": [2]}", "", "", ""), 5, AF "0/providerAsns", "not a member"},
    {V2("", "", "{\"asn\": 1}", "", "", ""), 5, AF "0/asn", "not a member"},
    {V2("", "", "", "", "", "{\"customerAsn\": 1}"), 9, AA "0", "\"providerAsns\" is missing"},
    {V2("", "", "", "", "", "{\"customerAsn\": 1, \"providers\": [2], \"providerAsns\": [2]}"), 9, AA "0/providers",
     "not a member"},
    {V2("", "", "", "", "", "{\"providerAsns\": [1]}"), 9, AA "0", "\"customerAsn\" is missing"},
    {V2("", "", "", "", "", "{\"customerAsn\": 1, \"providerAsns\": []}"), 9, AA "0/providerAsns", "empty"},
    {V2("", "", "", "", "", "{\"customerAsn\": 1, \"providerAsns\": 2}"), 9, AA "0/providerAsns", "must be an array"},
    {V2("", "", "", "", "", "{\"customerAsn\": 1, \"providerAsns\": [2, \"3\"]}"), 9, AA "0/providerAsns/1",
     "must be a number"},
    {V2("", "", "", "", "", "{\"customerAsn\": 1, \"providerAsns\": [0,\n1]}"), 10, AA "0/providerAsns/1", "customer"},
    {V2("", "", "", "", "", "{\"customerAsn\": 1, \"providerAsns\": [2, 2]}"), 9, AA "0/providerAsns/1", "twice"},
    {V2("", "", "", "", "", "{\"customerAsn\": 1, \"providerAsns\": [3, 2]}"), 9, AA "0/providerAsns/1", "ascend"},
    {V2("", "", "", "", "", "{\"customerAsn\": 1, \"providerAsns\": [0, 2]}"), 9, AA "0/providerAsns/0", "AS 0"},
};

static void test_bad(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
    const struct bad *bad = &bads[i];
    for (int strict = 0; strict < 2; strict++) {
      struct result r = read_text(bad->text, strict);
      const struct ww_slurm_problem *found = NULL;
      for (size_t k = 0; k < r.problems.count; k++)
        if (!found && strcmp(r.problems.list[k].pointer, bad->pointer) == 0 && !r.problems.list[k].warning &&
            strstr(r.problems.list[k].text, bad->says))
          found = &r.problems.list[k];
      if (r.err != WW_ERR_MALFORMED || !found || found->line != bad->line) {
        char text[600] = "accepted";
        if (r.problems.count)
          (void)ww_slurm_problem_format(&r.problems.list[0], "is", text, sizeof(text));
        fail_msg("case %zu (%s): %s\nexpected line %u: %s: ...%s...", i, bad->text, text, bad->line, bad->pointer,
                 bad->says);
      }
      done(&r);
    }
  }
}

/* Everything wrong is told in one go, in the order of the text. */
static void test_every_error(void **state) {
  (void)state;
  struct result r = read_text(V1("{\"asn\": -1},\n{\"prefix\": \"x\", \"asn\": \"y\", \"z\": 0},\n{\"asn\": 3}",
                                 "{\"SKI\": \"\"}", "{\"prefix\": \"z\"}", "7"),
                              false);
  static const char *const expected[] = {PF "0/asn", PF "1/z", PF "1/prefix", PF "1/asn",
                                         BF "0/SKI", PA "0",   PA "0/prefix", BA "0"};
  assert_int_equal(r.problems.errors, 8);
  for (size_t i = 0; i < 8; i++)
    assert_string_equal(r.problems.list[i].pointer, expected[i]);
  assert_int_equal(r.problems.list[1].line, 4);
  char text[600];
  assert_string_equal(ww_slurm_problem_format(&r.problems.list[5], "file", text, sizeof(text)),
                      "file:9: /locallyAddedAssertions/prefixAssertions/0: the member \"asn\" is missing "
                      "(RFC 8416 §3.4.1)");
  done(&r);
}

static void test_problems_are_bounded(void **state) {
  (void)state;
  enum { N = 3 * WW_SLURM_PROBLEMS_MAX };
  static char text[N * 4 + 400];
  static char list[N * 4 + 1];
  for (size_t i = 0; i < N; i++)
    memcpy(list + i * 4, "{}, ", 4);
  list[N * 4 - 2] = '\0';
  (void)snprintf(text, sizeof(text),
                 "{\"slurmVersion\": 1, \"validationOutputFilters\": {\"prefixFilters\": [%s], \"bgpsecFilters\": []}, "
                 "\"locallyAddedAssertions\": {\"prefixAssertions\": [], \"bgpsecAssertions\": []}}",
                 list);
  struct result r = read_text(text, false);
  assert_int_equal(r.err, WW_ERR_MALFORMED);
  assert_int_equal(r.problems.errors, N);
  assert_int_equal(r.problems.count, WW_SLURM_PROBLEMS_MAX);
  done(&r);
}

/* A file cut short anywhere is refused, and the place named. */
static void test_truncation(void **state) {
  (void)state;
  const char *text = FULL;
  size_t len = strlen(text) - 1; /* the last octet is a line end */
  for (size_t n = 0; n < len; n++) {
    struct result r = read_texts(&text, &n, 1, false);
    assert_int_equal(r.err, WW_ERR_MALFORMED);
    assert_int_equal(r.problems.errors, 1);
    assert_true(r.problems.list[0].line > 0 && r.problems.list[0].text[0]);
    done(&r);
  }
}

/* Every octet of a good file replaced: no crash, and an error always says where. */
static void test_mutation(void **state) {
  (void)state;
  static const char with[] = {'\0', '"', '{', ']', '0', '-', '\\', '\xff', '\n', ','};
  char text[] = FULL;
  const char *one = text;
  size_t len = strlen(text);
  for (size_t i = 0; i < len; i++)
    for (size_t k = 0; k < sizeof(with); k++) {
      char kept = text[i];
      text[i] = with[k];
      struct result r = read_texts(&one, &len, 1, false);
      assert_true(r.err == WW_OK || (r.problems.list[0].line > 0 && r.problems.list[0].text[0]));
      done(&r);
      text[i] = kept;
    }
}

static void test_limits(void **state) {
  (void)state;
  size_t len = WW_SLURM_FILE_MAX + 1;
  char *text = malloc(len);
  memset(text, ' ', len);
  struct ww_slurm_file file = {.name = "big", .text = text, .len = len};
  struct ww_slurm_problems problems = {0};
  struct ww_slurm *slurm;
  assert_int_equal(ww_slurm_read(&file, 1, NULL, &slurm, &problems), WW_ERR_MALFORMED);
  assert_non_null(strstr(problems.list[0].text, "longer than"));
  ww_slurm_problems_fini(&problems);
  /* Brackets, as deep as the file is long. */
  memset(text, '[', len);
  file.len = len - 1;
  assert_int_equal(ww_slurm_read(&file, 1, NULL, &slurm, &problems), WW_ERR_MALFORMED);
  ww_slurm_problems_fini(&problems);
  free(text);
  assert_int_equal(ww_slurm_read(&file, WW_SLURM_FILES_MAX + 1, NULL, &slurm, &problems), WW_ERR_MALFORMED);
  ww_slurm_problems_fini(&problems);
}

/* More providers of one customer than an ASPA can have, put together from several assertions. */
static void test_too_many_providers(void **state) {
  (void)state;
  enum { EACH = 6000 };
  static char text[2 * EACH * 12 + 1000];
  size_t n = 0;
  n += (size_t)snprintf(text, sizeof(text),
                        "{\"slurmVersion\": 2, \"validationOutputFilters\": {\"prefixFilters\": [], \"bgpsecFilters\": "
                        "[], \"aspaFilters\": []}, \"locallyAddedAssertions\": {\"prefixAssertions\": [], "
                        "\"bgpsecAssertions\": [], \"aspaAssertions\": [");
  for (unsigned k = 0; k < 2; k++) {
    n += (size_t)snprintf(text + n, sizeof(text) - n, "%s{\"customerAsn\": 1, \"providerAsns\": [", k ? "," : "");
    for (unsigned i = 0; i < EACH; i++)
      n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%u", i ? "," : "", 100000 + k * EACH + i);
    n += (size_t)snprintf(text + n, sizeof(text) - n, "]}");
  }
  (void)snprintf(text + n, sizeof(text) - n, "]}}");
  struct result r = read_text(text, false);
  assert_int_equal(r.err, WW_ERR_MALFORMED);
  assert_non_null(strstr(r.problems.list[0].text, "more than 10000 providers"));
  done(&r);
}

/* --- several files ---------------------------------------------------------------------------------------------- */

static struct result read_two(const char *a, const char *b) {
  const char *texts[] = {a, b};
  size_t lens[] = {strlen(a), strlen(b)};
  return read_texts(texts, lens, 2, true);
}

static void check_overlap(const char *a, const char *b, const char *pointer) {
  struct result r = read_two(a, b);
  assert_int_equal(r.err, pointer ? WW_ERR_MALFORMED : WW_OK);
  if (pointer) {
    assert_int_equal(r.problems.errors, 1);
    assert_int_equal(r.problems.list[0].file, 1);
    assert_string_equal(r.problems.list[0].pointer, pointer);
    assert_non_null(strstr(r.problems.list[0].text, "f0:"));
    assert_string_equal(r.problems.list[0].clause, "RFC 8416 §4.2");
  }
  done(&r);
}

#define ASSERT_8 "{\"asn\": 1, \"prefix\": \"10.0.0.0/8\"}"
#define ASSERT_9 "{\"asn\": 2, \"prefix\": \"10.128.0.0/9\"}"
#define KEY_1 "{\"asn\": 1, \"SKI\": \"" SKI "\", \"routerPublicKey\": \"" KEY "\"}"

static void test_overlap(void **state) {
  (void)state;
  /* Case 1: a common address, whichever array, whichever is the wider. */
  check_overlap(V1("", "", ASSERT_8, ""), V1("", "", ASSERT_8, ""), PA "0");
  check_overlap(V1("", "", ASSERT_8, ""), V1("", "", ASSERT_9, ""), PA "0");
  check_overlap(V1("", "", ASSERT_9, ""), V1("", "", ASSERT_8, ""), PA "0");
  check_overlap(V1("{\"prefix\": \"10.0.0.0/8\"}", "", "", ""), V1("", "", ASSERT_9, ""), PA "0");
  check_overlap(V1("{\"prefix\": \"0.0.0.0/0\"}", "", "", ""),
                V1("{\"asn\": 5}, {\"prefix\": \"10.0.0.0/8\", \"asn\": 6}", "", "", ""), PF "1");
  check_overlap(V1("{\"prefix\": \"::/0\"}", "", "", ""), V1("", "", ASSERT_8, ""), NULL);
  check_overlap(V1("{\"prefix\": \"10.0.0.0/9\"}", "", "", ""), V1("", "", ASSERT_9, ""), NULL);
  /* AS numbers of prefix filters and assertions do not count. */
  check_overlap(V1("{\"asn\": 1}", "", "", ""), V1("{\"asn\": 1}", "", ASSERT_8, ""), NULL);
  /* Within a file anything goes. */
  check_overlap(V1("{\"prefix\": \"10.0.0.0/8\"}", "", ASSERT_8 "," ASSERT_9, ""), V1("", "", "", ""), NULL);
  /* Case 2: a common AS number. */
  check_overlap(V1("", "{\"asn\": 1}", "", ""), V1("", "{\"asn\": 1}", "", ""), BF "0");
  check_overlap(V1("", "{\"asn\": 1}", "", ""), V1("", "", "", KEY_1), BA "0");
  check_overlap(V1("", "{\"asn\": 2}", "", ""), V1("", "", "", KEY_1), NULL);
  check_overlap(V1("", "{\"SKI\": \"" SKI "\"}", "", ""), V1("", "{\"SKI\": \"" SKI "\"}", "", KEY_1), NULL);
  /* Between an AS number of prefixes and one of keys there is none. */
  check_overlap(V1("{\"asn\": 1}", "", ASSERT_8, ""), V1("", "{\"asn\": 1}", "", KEY_1), NULL);
}

/* The cover that collides may lie behind others of the own file, and be the second with its prefix. */
static void test_overlap_behind(void **state) {
  (void)state;
  check_overlap(
      V1("{\"prefix\": \"10.0.0.0/8\"}", "", "", ""),
      V1("{\"prefix\": \"11.0.0.0/8\"}, {\"prefix\": \"11.0.0.0/9\"}, {\"prefix\": \"10.1.0.0/16\"}", "", "", ""),
      PF "2");
  struct result r = read_two(V1("{\"prefix\": \"10.0.0.0/8\"}, {\"prefix\": \"10.0.0.0/10\"}", "", ASSERT_8, ""),
                             V1("{\"prefix\": \"10.0.0.0/8\", \"asn\": 5}", "",
                                "{\"asn\": 1, \"prefix\": "
                                "\"10.1.0.0/16\"}",
                                ""));
  assert_int_equal(r.err, WW_ERR_MALFORMED);
  assert_true(r.problems.errors >= 2);
  for (size_t i = 0; i < r.problems.count; i++)
    assert_int_equal(r.problems.list[i].file, 1);
  done(&r);
}

/* Nothing is said of ASPAs: united, with a warning. */
static void test_overlap_aspa(void **state) {
  (void)state;
  struct result r = read_two(V2("", "", "", "", "", "{\"customerAsn\": 1, \"providerAsns\": [2]}"),
                             V2("", "", "", "", "", "{\"customerAsn\": 1, \"providerAsns\": [3]}"));
  assert_int_equal(r.err, WW_OK);
  assert_int_equal(r.problems.warnings, 1);
  assert_int_equal(ww_slurm_assertions(r.slurm)->aspa_count, 1);
  assert_int_equal(ww_slurm_assertions(r.slurm)->aspas[0].provider_count, 2);
  done(&r);
}

/* Good files beside a bad one give nothing, and the bad one is named. */
static void test_all_or_nothing(void **state) {
  (void)state;
  const char *texts[] = {V1("", "", ASSERT_8, ""), "{", V1("{\"asn\": 1}", "", "", ""), "{}"};
  size_t lens[] = {strlen(texts[0]), 1, strlen(texts[2]), 2};
  struct result r = read_texts(texts, lens, 4, true);
  assert_int_equal(r.err, WW_ERR_MALFORMED);
  assert_int_equal(r.problems.errors, 2);
  assert_int_equal(r.problems.list[0].file, 1);
  assert_int_equal(r.problems.list[1].file, 3);
  done(&r);
}

/* --- files of others -------------------------------------------------------------------------------------------- */

static void test_samples(void **state) {
  (void)state;
  static const struct {
    const char *name;
    size_t errors, warnings; /* tolerant */
    size_t strict_errors;
  } samples[] = {
      {"draft-aspa-slurm-04.example.json", 0, 1, 1}, /* its key is of the standard alphabet */
      {"routinator.full.json", 2, 2, 4},             /* its assertion holds "<some base64 SKI>" */
      {"rtrtr.exceptions.json", 2, 2, 4},
      {"rpki-rs.full_v2.json", 0, 2, 2},          /* "customerAsid", a key that is none */
      {"stayrtr.prefixfile.slurm.json", 2, 6, 6}, /* version 2 without ASPA members; padding, 16-octet SKIs */
  };
  const char *root = getenv("WW_SHARED");
  for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
    char path[512];
    static char text[8192];
    (void)snprintf(path, sizeof(path), "%s/data/slurm/%s", root ? root : "../shared", samples[i].name);
    FILE *f = fopen(path, "rb");
    if (!f)
      skip();
    size_t len = fread(text, 1, sizeof(text) - 1, f);
    text[len] = '\0';
    (void)fclose(f);
    struct result r = read_text(text, false), strict = read_text(text, true);
    print_message("%s: %zu errors, %zu warnings; strict %zu\n", samples[i].name, r.problems.errors, r.problems.warnings,
                  strict.problems.errors);
    assert_int_equal(r.problems.errors, samples[i].errors);
    assert_int_equal(r.problems.warnings, samples[i].warnings);
    assert_int_equal(strict.problems.errors, samples[i].strict_errors);
    done(&r);
    done(&strict);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bad),
      cmocka_unit_test(test_every_error),
      cmocka_unit_test(test_problems_are_bounded),
      cmocka_unit_test(test_truncation),
      cmocka_unit_test(test_mutation),
      cmocka_unit_test(test_limits),
      cmocka_unit_test(test_too_many_providers),
      cmocka_unit_test(test_loose_spellings),
      cmocka_unit_test(test_full),
      cmocka_unit_test(test_empty),
      cmocka_unit_test(test_duplicates_are_one),
      cmocka_unit_test(test_overlap),
      cmocka_unit_test(test_overlap_behind),
      cmocka_unit_test(test_overlap_aspa),
      cmocka_unit_test(test_all_or_nothing),
      cmocka_unit_test(test_samples),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
