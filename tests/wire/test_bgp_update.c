/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding UPDATEs: every attribute's errors by clause, what survives them, the canonical form, and the way back.
 * Attributes are written as octets: flags, type, length, value.
 */
#include "tests/wire/hex.h"

#include "wire/bgp.h"

#define ORIGIN "40010100 "
#define PATH "4002060201 0000fbf4 " /* 64500 */
#define PATH2 "4002040201 fbf4 "    /* the same with 2 octets */
#define HOP "400304c0000201 "
#define GOOD ORIGIN PATH HOP
#define GOOD2 ORIGIN PATH2 HOP
#define NET "18c63364 "    /* 198.51.100.0/24 */
#define NET6 "2020010db8 " /* 2001:db8::/32 */
#define HOP6 "20010db8000000000000000000000001 "
#define REACH6 "800e1a 0002 01 10 " HOP6 "00 " NET6
#define UNREACH6 "800f08 0002 01 " NET6

enum { AS2 = 1, EBGP = 2, CONFED = 4, ADDPATH = 8, EMPTY = 16 };

static struct ww_arena arena;

static int setup(void **state) {
  (void)state;
  ww_arena_init(&arena, 0);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  ww_arena_fini(&arena);
  return 0;
}

static struct ww_bgp_session session_of(unsigned bits) {
  return (struct ww_bgp_session){
      .as4 = !(bits & AS2),
      .ebgp = bits & EBGP,
      .confed = bits & CONFED,
      .add_path_ipv4 = bits & ADDPATH,
      .add_path_ipv6 = bits & ADDPATH,
      .empty_mandatory = bits & EMPTY,
  };
}

/* A body: withdrawn routes, attributes, NLRI. */
static struct octets body_of(const char *withdrawn, const char *attrs, const char *nlri) {
  struct octets w = hex(withdrawn), a = hex(attrs), n = hex(nlri);
  uint8_t *buf = malloc(w.len + a.len + n.len + 4);
  assert_non_null(buf);
  struct ww_writer out = ww_writer_make(buf, w.len + a.len + n.len + 4);
  ww_writer_u16(&out, (uint16_t)w.len);
  ww_writer_bytes(&out, w.data, w.len);
  ww_writer_u16(&out, (uint16_t)a.len);
  ww_writer_bytes(&out, a.data, a.len);
  ww_writer_bytes(&out, n.data, n.len);
  assert_false(out.overflow);
  struct octets body = octets_of(buf, out.len);
  free(buf);
  free(w.data);
  free(a.data);
  free(n.data);
  return body;
}

static struct ww_diag why;

static struct ww_bgp_update decode(struct octets body, unsigned bits) {
  struct ww_bgp_session session = session_of(bits);
  struct ww_bgp_update update;
  ww_arena_reset(&arena);
  why = (struct ww_diag){0};
  assert_int_equal(ww_bgp_update_decode(body.data, body.len, &session, &arena, &update, &why), WW_OK);
  return update;
}

struct attr_case {
  const char *what;
  unsigned bits;
  const char *withdrawn, *attrs, *nlri;
  enum ww_bgp_disposition disposition;
  uint8_t bad_attr;
  const char *clause;
};

#define OK WW_BGP_ACCEPT
#define DISCARD WW_BGP_ATTRIBUTE_DISCARD
#define WITHDRAW WW_BGP_TREAT_AS_WITHDRAW
#define RESET WW_BGP_SESSION_RESET

static const struct attr_case cases[] = {
    {"plain", 0, "", GOOD, NET, OK, 0, NULL},
    {"plain, 2 octets", AS2, "", GOOD2, NET, OK, 0, NULL},
    {"withdrawal only", 0, NET, "", "", OK, 0, NULL},
    {"attributes without NLRI need not be complete", 0, "", ORIGIN, "", OK, 0, NULL},

    /* RFC 7606 §3 (c): flags. */
    {"ORIGIN optional", 0, "", "c0010100" PATH HOP, NET, WITHDRAW, 1, "RFC 7606 §3"},
    {"ORIGIN not transitive", 0, "", "00010100" PATH HOP, NET, WITHDRAW, 1, "RFC 7606 §3"},
    {"ORIGIN partial is not judged", 0, "", "60010100" PATH HOP, NET, OK, 0, NULL},
    {"unused flag bits are ignored", 0, "", "4f010100" PATH HOP, NET, OK, 0, NULL},
    {"MED transitive", 0, "", GOOD "c00404 00000001", NET, WITHDRAW, 4, "RFC 7606 §3"},
    {"COMMUNITIES well-known", 0, "", GOOD "400804 00000001", NET, WITHDRAW, 8, "RFC 7606 §3"},
    {"AGGREGATOR flags are not its length", 0, "", GOOD "400708 0000fbf4 c0000201", NET, WITHDRAW, 7, "RFC 7606 §3"},
    {"ATOMIC_AGGREGATE flags", 0, "", GOOD "800600", NET, WITHDRAW, 6, "RFC 7606 §3"},
    {"AS4_PATH flags", AS2, "", GOOD2 "801106 0201 0000fbf4", NET, WITHDRAW, 17, "RFC 7606 §3"},
    {"BGPSEC_PATH flags", 0, "", GOOD "c02101 00", NET, WITHDRAW, 33, "RFC 7606 §3"},
    {"MP_REACH flags", 0, "", ORIGIN PATH "c00e1a 0002 01 10 " HOP6 "00" NET6, "", RESET, 14, "RFC 7606 §5.3"},
    {"MP_UNREACH flags", 0, "", "400f08 0002 01 " NET6, "", RESET, 15, "RFC 7606 §5.3"},

    /* RFC 7606 §3 (d): what must be there. */
    {"no ORIGIN", 0, "", PATH HOP, NET, WITHDRAW, 1, "RFC 7606 §3"},
    {"no AS_PATH", 0, "", ORIGIN HOP, NET, WITHDRAW, 2, "RFC 7606 §3"},
    {"no NEXT_HOP", 0, "", ORIGIN PATH, NET, WITHDRAW, 3, "RFC 7606 §3"},
    {"no ORIGIN, MP", 0, "", REACH6 PATH, "", WITHDRAW, 1, "RFC 7606 §3"},
    {"no AS_PATH, MP", 0, "", REACH6 ORIGIN, "", WITHDRAW, 2, "RFC 7606 §3"},
    {"no NEXT_HOP is right with MP_REACH", 0, "", REACH6 ORIGIN PATH, "", OK, 0, NULL},
    {"no attributes at all", 0, "", "", NET, WITHDRAW, 1, "RFC 7606 §3"},
    {"BGPSEC_PATH instead of AS_PATH", 0, "", REACH6 ORIGIN "802104 deadbeef", "", OK, 0, NULL},
    {"no ORIGIN for a family not handled", 0, "", PATH "800e0a 0001 02 04 c0000201 00 00", "", WITHDRAW, 1,
     "RFC 7606 §3"},

    /* RFC 7606 §3 (g): repetition. */
    {"ORIGIN twice", 0, "", GOOD "40010102", NET, DISCARD, 1, "RFC 7606 §3"},
    {"unknown twice", 0, "", GOOD "c0c801aa c0c801bb", NET, DISCARD, 200, "RFC 7606 §3"},
    {"second one malformed does not matter", 0, "", GOOD "400102ffff", NET, DISCARD, 1, "RFC 7606 §3"},
    {"MP_REACH twice", 0, "", REACH6 REACH6 ORIGIN PATH, "", RESET, 14, "RFC 7606 §3"},
    {"MP_UNREACH twice", 0, "", UNREACH6 UNREACH6, "", RESET, 15, "RFC 7606 §3"},

    /* RFC 7606 §3 (h): the strongest action, and the first fault of it. */
    {"discard, then withdraw", 0, "", GOOD "400601aa 800403000000", NET, WITHDRAW, 4, "RFC 7606 §7.4"},
    {"withdraw, then discard", 0, "", GOOD "800403000000 400601aa", NET, WITHDRAW, 4, "RFC 7606 §7.4"},
    {"two to withdraw", 0, "", GOOD "800403000000 c00801aa", NET, WITHDRAW, 4, "RFC 7606 §7.4"},
    {"withdraw, then reset", 0, "", GOOD "800403000000 800f020001", NET, RESET, 15, "RFC 7606 §5.3"},

    /* RFC 7606 §4: lengths of attributes against the whole. */
    {"value beyond the attributes", 0, "", GOOD "c008050000", NET, WITHDRAW, 0, "RFC 7606 §4"},
    {"one octet left", 0, "", GOOD "c0", NET, WITHDRAW, 0, "RFC 7606 §4"},
    {"two octets left", 0, "", GOOD "c008", NET, WITHDRAW, 0, "RFC 7606 §4"},
    {"three octets left, extended", 0, "", GOOD "d00800", NET, WITHDRAW, 0, "RFC 7606 §4"},
    {"NLRI is found by the lengths all the same", 0, "", "4001ff", NET, WITHDRAW, 0, "RFC 7606 §4"},
    {"ORIGIN of zero octets", 0, "", "400100" PATH HOP, NET, WITHDRAW, 1, "RFC 7606 §7.1"},
    {"COMMUNITIES of zero octets", 0, "", GOOD "c00800", NET, WITHDRAW, 8, "RFC 7606 §7.8"},
    {"BGPSEC_PATH of zero octets", 0, "", REACH6 ORIGIN "802100", "", WITHDRAW, 33, "RFC 7606 §4"},
    {"AS_PATH of zero octets is right", 0, "", ORIGIN "400200" HOP, NET, OK, 0, NULL},
    {"ATOMIC_AGGREGATE of zero octets is right", 0, "", GOOD "400600", NET, OK, 0, NULL},
    {"unknown of zero octets is kept", 0, "", GOOD "c0c800", NET, OK, 0, NULL},

    /* RFC 7606 §5.2: an error and no reachable NLRI. */
    {"bad MED, no NLRI", 0, "", ORIGIN "800403000000", "", RESET, 4, "RFC 7606 §5.2"},
    {"bad MED beside withdrawals", 0, NET, "800403000000", "", RESET, 4, "RFC 7606 §5.2"},
    {"bad MED beside MP_UNREACH", 0, "", UNREACH6 "800403000000", "", RESET, 4, "RFC 7606 §5.2"},
    {"discard without NLRI stays a discard", 0, "", ORIGIN "400601aa", "", DISCARD, 6, "RFC 7606 §7.6"},
    {"garbage after MP_UNREACH", 0, "", UNREACH6 "40", "", RESET, 0, "RFC 7606 §5.2"},

    /* RFC 7606 §5.3: NLRI. */
    {"NLRI of 33 bits", 0, "", GOOD, "21c633640000", RESET, 0, "RFC 7606 §5.3"},
    {"NLRI cut off", 0, "", GOOD, "18c633", RESET, 0, "RFC 7606 §5.3"},
    {"withdrawn of 33 bits", 0, "21c633640000", "", "", RESET, 0, "RFC 7606 §5.3"},
    {"withdrawn cut off", 0, "18c633", "", "", RESET, 0, "RFC 7606 §5.3"},
    {"MP_REACH of 129 bits", 0, "", ORIGIN PATH "800e27 0002 01 10 " HOP6 "00 81" HOP6 "00", "", RESET, 14,
     "RFC 7606 §5.3"},
    {"MP_REACH of IPv4, 33 bits", 0, "", ORIGIN PATH "800e0f 0001 01 04 c0000201 00 21c633640000", "", RESET, 14,
     "RFC 7606 §5.3"},
    {"MP_REACH NLRI cut off", 0, "", ORIGIN PATH "800e19 0002 01 10 " HOP6 "00 20 20010d", "", RESET, 14,
     "RFC 7606 §5.3"},
    {"MP_UNREACH NLRI cut off", 0, "", "800f05 0002 01 2020", "", RESET, 15, "RFC 7606 §5.3"},
    {"MP_REACH of 4 octets", 0, "", "800e04 0002 01 00", "", RESET, 14, "RFC 7606 §5.3"},
    {"MP_REACH of 0 octets", 0, "", "800e00", "", RESET, 14, "RFC 7606 §5.3"},
    {"MP_UNREACH of 2 octets", 0, "", "800f02 0002", "", RESET, 15, "RFC 7606 §5.3"},
    {"MP_UNREACH of 0 octets", 0, "", "800f00", "", RESET, 15, "RFC 7606 §5.3"},
    {"path id cut off", ADDPATH, "", GOOD, "000001", RESET, 0, "RFC 7606 §5.3"},
    {"path id without prefix", ADDPATH, "", GOOD, "00000001", RESET, 0, "RFC 7606 §5.3"},

    /* RFC 7606 §7, attribute by attribute. */
    {"7.1 ORIGIN of 2 octets", 0, "", "4001020000" PATH HOP, NET, WITHDRAW, 1, "RFC 7606 §7.1"},
    {"7.1 ORIGIN 3", 0, "", "40010103" PATH HOP, NET, WITHDRAW, 1, "RFC 7606 §7.1"},
    {"7.1 ORIGIN 2", 0, "", "40010102" PATH HOP, NET, OK, 0, NULL},
    {"7.2 segment type 0", 0, "", ORIGIN "4002060001 0000fbf4" HOP, NET, WITHDRAW, 2, "RFC 7606 §7.2"},
    {"7.2 segment type 5", 0, "", ORIGIN "4002060501 0000fbf4" HOP, NET, WITHDRAW, 2, "RFC 7606 §7.2"},
    {"7.2 overrun", 0, "", ORIGIN "4002060202 0000fbf4" HOP, NET, WITHDRAW, 2, "RFC 7606 §7.2"},
    {"7.2 overrun by one octet", 0, "", ORIGIN "4002050201 0000fb" HOP, NET, WITHDRAW, 2, "RFC 7606 §7.2"},
    {"7.2 underrun", 0, "", ORIGIN "4002070201 0000fbf4 02" HOP, NET, WITHDRAW, 2, "RFC 7606 §7.2"},
    {"7.2 empty segment", 0, "", ORIGIN "4002080201 0000fbf4 0200" HOP, NET, WITHDRAW, 2, "RFC 7606 §7.2"},
    {"7.2 only an empty segment", 0, "", ORIGIN "4002020200" HOP, NET, WITHDRAW, 2, "RFC 7606 §7.2"},
    {"7.2 4-octet path in a 2-octet session", AS2, "", ORIGIN "4002060201 0000fbf4" HOP, NET, WITHDRAW, 2,
     "RFC 7606 §7.2"},
    {"RFC 7607 AS 0", 0, "", ORIGIN "40020a0202 0000fbf4 00000000" HOP, NET, WITHDRAW, 2, "RFC 7606 §7.2"},
    {"RFC 7607 AS 0, 2 octets", AS2, "", ORIGIN "4002040201 0000" HOP, NET, WITHDRAW, 2, "RFC 7606 §7.2"},
    {"RFC 5065 confederation, from outside", 0, "", ORIGIN "4002060301 0000fbf4" HOP, NET, WITHDRAW, 2,
     "RFC 7606 §7.2"},
    {"RFC 5065 confederation set, from outside", 0, "", ORIGIN "4002060401 0000fbf4" HOP, NET, WITHDRAW, 2,
     "RFC 7606 §7.2"},
    {"RFC 5065 confederation, from inside", CONFED, "", ORIGIN "40020c0301 0000fbf4 0401 0000fbf5" HOP, NET, OK, 0,
     NULL},
    {"7.3 NEXT_HOP of 3 octets", 0, "", ORIGIN PATH "400303c00002", NET, WITHDRAW, 3, "RFC 7606 §7.3"},
    {"7.3 NEXT_HOP of 5 octets", 0, "", ORIGIN PATH "400305c000020101", NET, WITHDRAW, 3, "RFC 7606 §7.3"},
    {"7.3 NEXT_HOP of 0 octets", 0, "", ORIGIN PATH "400300", NET, WITHDRAW, 3, "RFC 7606 §7.3"},
    {"7.3 NEXT_HOP 0.0.0.0 is not judged", 0, "", ORIGIN PATH "400304 00000000", NET, OK, 0, NULL},
    {"7.4 MED of 3 octets", 0, "", GOOD "800403000000", NET, WITHDRAW, 4, "RFC 7606 §7.4"},
    {"7.4 MED of 5 octets", 0, "", GOOD "8004050000000000", NET, WITHDRAW, 4, "RFC 7606 §7.4"},
    {"7.5 LOCAL_PREF from outside", EBGP, "", GOOD "400504 00000064", NET, DISCARD, 5, "RFC 7606 §7.5"},
    {"7.5 LOCAL_PREF of 3 octets from outside", EBGP, "", GOOD "400503 000064", NET, DISCARD, 5, "RFC 7606 §7.5"},
    {"7.5 LOCAL_PREF of 3 octets", 0, "", GOOD "400503 000064", NET, WITHDRAW, 5, "RFC 7606 §7.5"},
    {"7.5 LOCAL_PREF", 0, "", GOOD "400504 00000064", NET, OK, 0, NULL},
    {"7.6 ATOMIC_AGGREGATE of 1 octet", 0, "", GOOD "400601 00", NET, DISCARD, 6, "RFC 7606 §7.6"},
    {"7.7 AGGREGATOR of 6 octets", 0, "", GOOD "c00706 fbf4 c0000201", NET, DISCARD, 7, "RFC 7606 §7.7"},
    {"7.7 AGGREGATOR of 8 octets", 0, "", GOOD "c00708 0000fbf4 c0000201", NET, OK, 0, NULL},
    {"7.7 AGGREGATOR of 8 octets, 2-octet session", AS2, "", GOOD2 "c00708 0000fbf4 c0000201", NET, DISCARD, 7,
     "RFC 7606 §7.7"},
    {"7.7 AGGREGATOR of 6 octets, 2-octet session", AS2, "", GOOD2 "c00706 fbf4 c0000201", NET, OK, 0, NULL},
    {"7.7 AGGREGATOR of 0 octets", 0, "", GOOD "c00700", NET, DISCARD, 7, "RFC 7606 §7.7"},
    {"RFC 7607 AGGREGATOR AS 0", 0, "", GOOD "c00708 00000000 c0000201", NET, DISCARD, 7, "RFC 7606 §7.7"},
    {"7.8 COMMUNITIES of 6 octets", 0, "", GOOD "c00806 000000000000", NET, WITHDRAW, 8, "RFC 7606 §7.8"},
    {"7.8 COMMUNITIES", 0, "", GOOD "c00808 0000000000000001", NET, OK, 0, NULL},
    {"7.9 ORIGINATOR_ID from outside", EBGP, "", GOOD "800903 000001", NET, DISCARD, 9, "RFC 7606 §7.9"},
    {"7.9 ORIGINATOR_ID of 3 octets", 0, "", GOOD "800903 000001", NET, WITHDRAW, 9, "RFC 7606 §7.9"},
    {"7.9 ORIGINATOR_ID", 0, "", GOOD "800904 00000001", NET, OK, 0, NULL},
    {"7.10 CLUSTER_LIST from outside", EBGP, "", GOOD "800a04 00000001", NET, DISCARD, 10, "RFC 7606 §7.10"},
    {"7.10 CLUSTER_LIST of 5 octets", 0, "", GOOD "800a05 0000000100", NET, WITHDRAW, 10, "RFC 7606 §7.10"},
    {"7.10 CLUSTER_LIST of 0 octets", 0, "", GOOD "800a00", NET, WITHDRAW, 10, "RFC 7606 §7.10"},
    {"7.10 CLUSTER_LIST", 0, "", GOOD "800a08 0000000100000002", NET, OK, 0, NULL},
    {"7.11 next hop of 4 octets for IPv6", 0, "", ORIGIN PATH "800e0e 0002 01 04 c0000201 00" NET6, "", RESET, 14,
     "RFC 7606 §7.11"},
    {"7.11 next hop of 15 octets", 0, "", ORIGIN PATH "800e19 0002 01 0f 20010db80000000000000000000000 00" NET6, "",
     RESET, 14, "RFC 7606 §7.11"},
    {"7.11 next hop of 0 octets", 0, "", ORIGIN PATH "800e0a 0002 01 00 00" NET6, "", RESET, 14, "RFC 7606 §7.11"},
    {"7.11 next hop beyond the attribute", 0, "", ORIGIN PATH "800e06 0002 01 10 0000", "", RESET, 14, "RFC 7606 §5.3"},
    {"7.11 next hop of 32 octets", 0, "", ORIGIN PATH "800e2a 0002 01 20 " HOP6 HOP6 "00" NET6, "", OK, 0, NULL},
    {"7.14 EXTENDED_COMMUNITIES of 7 octets", 0, "", GOOD "c01007 00000000000000", NET, WITHDRAW, 16, "RFC 7606 §7.14"},
    {"7.14 EXTENDED_COMMUNITIES of 0 octets", 0, "", GOOD "c01000", NET, WITHDRAW, 16, "RFC 7606 §7.14"},
    {"7.14 EXTENDED_COMMUNITIES of unknown type", 0, "", GOOD "c01008 ff00000000000000", NET, OK, 0, NULL},
    {"7.15 IPv6 EXTENDED_COMMUNITIES of 8 octets", 0, "", GOOD "c01908 0000000000000000", NET, WITHDRAW, 25,
     "RFC 7606 §7.15"},
    {"7.15 IPv6 EXTENDED_COMMUNITIES", 0, "", GOOD "c01914 0000000000000000000000000000000000000000", NET, OK, 0, NULL},
    {"RFC 8092 LARGE_COMMUNITIES of 8 octets", 0, "", GOOD "c02008 0000000000000000", NET, WITHDRAW, 32, "RFC 8092 §6"},
    {"RFC 8092 LARGE_COMMUNITIES", 0, "", GOOD "c0200c 0000fbf40000000100000002", NET, OK, 0, NULL},
    {"RFC 9234 OTC of 2 octets", 0, "", GOOD "c02302 fbf4", NET, WITHDRAW, 35, "RFC 9234 §5"},
    {"RFC 9234 OTC", 0, "", GOOD "c02304 0000fbf4", NET, OK, 0, NULL},

    /* RFC 4271 §6.3: a well-known attribute nobody knows. */
    {"unknown well-known", 0, "", GOOD "40c801aa", NET, RESET, 200, "RFC 4271 §6.3"},
    {"unknown optional", 0, "", GOOD "80c801aa", NET, OK, 0, NULL},

    /* RFC 6793 §6. */
    {"AS4_PATH in a 4-octet session", 0, "", GOOD "c01106 0201 0000fbf4", NET, DISCARD, 17, "RFC 6793 §6"},
    {"AS4_PATH with bad flags in a 4-octet session", 0, "", GOOD "001106 0201 0000fbf4", NET, DISCARD, 17,
     "RFC 6793 §6"},
    {"AS4_AGGREGATOR in a 4-octet session", 0, "", GOOD "c01208 0000fbf4 c0000201", NET, DISCARD, 18, "RFC 6793 §6"},
    {"AS4_PATH of 7 octets", AS2, "", GOOD2 "c01107 0201 0000fbf4 00", NET, DISCARD, 17, "RFC 6793 §6"},
    {"AS4_PATH of 4 octets", AS2, "", GOOD2 "c01104 0201 fbf4", NET, DISCARD, 17, "RFC 6793 §6"},
    {"AS4_PATH of 0 octets", AS2, "", GOOD2 "c01100", NET, DISCARD, 17, "RFC 6793 §6"},
    {"AS4_PATH with an empty segment", AS2, "", GOOD2 "c01108 0200 0201 0000fbf4", NET, DISCARD, 17, "RFC 6793 §6"},
    {"AS4_PATH overrun", AS2, "", GOOD2 "c01106 0202 0000fbf4", NET, DISCARD, 17, "RFC 6793 §6"},
    {"AS4_PATH segment type 9", AS2, "", GOOD2 "c01106 0901 0000fbf4", NET, DISCARD, 17, "RFC 6793 §6"},
    {"AS4_PATH confederation segment", AS2, "", GOOD2 "c0110c 0301 0000fbf4 0201 0000fbf4", NET, DISCARD, 17,
     "RFC 6793 §6"},
    {"AS4_AGGREGATOR of 6 octets", AS2, "", GOOD2 "c01206 fbf4 c0000201", NET, DISCARD, 18, "RFC 6793 §6"},

    /* RFC 8671 §5.2: pre-policy Adj-RIB-Out. */
    {"empty ORIGIN and NEXT_HOP allowed", EMPTY, "", "400100" PATH "400300", NET, OK, 0, NULL},
    {"empty MP next hop allowed", EMPTY, "", ORIGIN PATH "800e0a 0002 01 00 00" NET6, "", OK, 0, NULL},
    {"empty MED still not", EMPTY, "", GOOD "800400", NET, WITHDRAW, 4, "RFC 7606 §7.4"},
};

static void test_dispositions(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const struct attr_case *c = &cases[i];
    struct octets body = body_of(c->withdrawn, c->attrs, c->nlri);
    struct ww_bgp_update u = decode(body, c->bits);
    if (u.disposition != c->disposition || u.bad_attr != c->bad_attr ||
        (c->clause ? !why.clause || strcmp(why.clause, c->clause) != 0 : why.text[0] != '\0')) {
      print_error("%s: %s, attribute %u, clause %s (%s)\n", c->what, ww_bgp_disposition_name(u.disposition), u.bad_attr,
                  why.clause ? why.clause : "none", why.text);
      fail();
    }
    switch (u.disposition) {
    case WW_BGP_SESSION_RESET: /* nothing of it may be used */
      assert_true(!u.announced[0].len && !u.announced[1].len && !u.withdrawn[0].len && !u.withdrawn[1].len);
      assert_true(u.attrs_len == 0 && !u.has_as_path && !u.eor);
      break;
    case WW_BGP_TREAT_AS_WITHDRAW: /* the routes are known, their attributes are not; a family we skip shows none */
      assert_true(u.announced[0].len || u.announced[1].len || u.other_family);
      assert_true(u.attrs_len == 0 && !u.has_as_path);
      break;
    default:
      break;
    }
    free(body.data);
  }
}

/* What stays of an attribute set, octet for octet. */
static void test_canonical(void **state) {
  (void)state;
  static const struct {
    const char *what;
    unsigned bits;
    const char *attrs, *nlri, *canonical;
  } c[] = {
      {"next hop taken out", 0, GOOD, NET, ORIGIN PATH},
      {"order as received", 0, PATH "c00804 00000001" HOP ORIGIN, NET, PATH "c00804 00000001" ORIGIN},
      {"MP taken out", 0, REACH6 ORIGIN PATH UNREACH6 "800404 00000001", "", ORIGIN PATH "800404 00000001"},
      {"extended length taken back", 0, ORIGIN "5002000602010000fbf4" HOP, NET, ORIGIN PATH},
      {"unused flags cleared, partial kept", 0, GOOD "ef0804 00000001", NET, ORIGIN PATH "e00804 00000001"},
      {"unknown octet for octet", 0, GOOD "f7c80002 aabb", NET, ORIGIN PATH "f7c80002 aabb"},
      {"BGPsec octet for octet", 0, REACH6 ORIGIN "90210003 aabbcc", "", ORIGIN "90210003 aabbcc"},
      {"first of two stays", 0, GOOD "40010102", NET, ORIGIN PATH},
      {"discarded is gone", 0, GOOD "400601aa c00804 00000001", NET, ORIGIN PATH "c00804 00000001"},
      {"2 octets widened", AS2, GOOD2, NET, ORIGIN PATH},
      {"empty path", AS2, ORIGIN "400200" HOP, NET, ORIGIN "400200"},
      {"AGGREGATOR widened", AS2, GOOD2 "c00706 fbf4 c0000201", NET, ORIGIN PATH "c00708 0000fbf4 c0000201"},
      {"AS4_* of a 4-octet session", 0, GOOD "c01106 0201 00012345 c01208 00012345 c0000201", NET, ORIGIN PATH},
      {"LOCAL_PREF from outside", EBGP, GOOD "400504 00000064", NET, ORIGIN PATH},
  };
  for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
    struct octets body = body_of("", c[i].attrs, c[i].nlri);
    struct ww_bgp_update u = decode(body, c[i].bits);
    print_message("%s\n", c[i].what);
    assert_octets(u.attrs, u.attrs_len, c[i].canonical);
    free(body.data);
  }
}

/* RFC 6793 §4.2.3, by the texts of the paths before and after. */
static void test_as4_merge(void **state) {
  (void)state;
  static const struct {
    const char *what, *path, *as4, *rest, *merged;
  } c[] = {
      {"none", "64500 23456", NULL, "", "64500 23456"},
      {"equal length", "64500 23456", "64500 70000", "", "64500 70000"},
      {"one OLD speaker in front", "64499 64500 23456", "64500 70000", "", "64499 64500 70000"},
      {"three in front", "1 2 3 23456", "70000", "", "1 2 3 70000"},
      {"AS4_PATH longer: ignored", "64500 23456", "64500 70000 70001", "", "64500 23456"},
      {"AS_PATH empty: ignored", "", "70000", "", ""},
      {"set counts as one", "1 {2,3} 23456", "{2,3} 70000", "", "1 {2,3} 70000"},
      {"set taken whole", "{1,2,3} 23456", "70000", "", "{1,2,3} 70000"},
      {"set in AS4_PATH counts as one", "1 23456 {4,5}", "70000 {4,70005}", "", "1 70000 {4,70005}"},
      {"set stands for a sequence", "1 2 23456", "{70000,70001}", "", "1 2 {70000,70001}"},
      {"leading confederation comes along", "(65001) 64500 23456", "64500 70000", "", "(65001) 64500 70000"},
      {"confederation set too", "[65001,65002] 23456", "70000", "", "[65001,65002] 70000"},
      {"adjacent to a segment taken", "1 (65001) 23456", "70000", "", "1 (65001) 70000"},
      {"several adjacent", "(65001) 1 (65002) [65003] 23456", "70000", "", "(65001) 1 (65002) [65003] 70000"},
      {"after a segment not taken", "23456 (65001) 2", "70000 2", "", "70000 2"},
      {"after one taken in part", "1 23456 (65001) 2", "70000 2", "", "1 70000 2"},
      {"confederation does not count", "(65001 65002) 23456", "64500 70000", "", "(65001 65002) 23456"},
      {"confederation in AS4_PATH discarded", "1 23456", "(65001) 70000", "", "1 70000"},
      {"nothing but confederation in AS4_PATH", "1 23456", "(65001)", "", "1 23456"},
      {"AGGREGATOR is AS_TRANS", "1 23456", "70000", "c00706 5ba0 c0000201 c01208 00011170 c0000202", "1 70000"},
      {"AGGREGATOR is not: AS4_PATH ignored", "1 23456", "70000", "c00706 0005 c0000201 c01208 00011170 c0000202",
       "1 23456"},
      {"AGGREGATOR alone does not matter", "1 23456", "70000", "c00706 0005 c0000201", "1 70000"},
      {"AS4_AGGREGATOR alone neither", "1 23456", "70000", "c01208 00011170 c0000202", "1 70000"},
  };
  for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
    uint8_t wide[256], attrs[1024];
    struct ww_writer w = ww_writer_make(wide, sizeof wide), a = ww_writer_make(attrs, sizeof attrs);
    print_message("%s\n", c[i].what);
    static const uint8_t head[] = {0x40, 1, 1, 0, 0x40, 3, 4, 192, 0, 2, 1};
    ww_writer_bytes(&a, head, sizeof head);
    /* AS_PATH, narrowed by hand. */
    assert_int_equal(ww_as_path_parse(c[i].path, &w, NULL), WW_OK);
    struct ww_as_path path = {.data = wide, .len = w.len};
    ww_writer_u8(&a, 0x40);
    ww_writer_u8(&a, 2);
    size_t at = a.len;
    ww_writer_u8(&a, 0);
    for (struct ww_as_segment s; ww_as_path_next(&path, &s);) {
      ww_writer_u8(&a, s.type);
      ww_writer_u8(&a, s.count);
      for (unsigned j = 0; j < s.count; j++)
        ww_writer_u16(&a, (uint16_t)ww_as_segment_at(&s, j));
    }
    attrs[at] = (uint8_t)(a.len - at - 1);
    if (c[i].as4) {
      w = ww_writer_make(wide, sizeof wide);
      assert_int_equal(ww_as_path_parse(c[i].as4, &w, NULL), WW_OK);
      ww_writer_u8(&a, 0xc0);
      ww_writer_u8(&a, 17);
      ww_writer_u8(&a, (uint8_t)w.len);
      ww_writer_bytes(&a, wide, w.len);
    }
    struct octets rest = hex(c[i].rest);
    ww_writer_bytes(&a, rest.data, rest.len);
    free(rest.data);
    uint8_t buf[1200];
    struct ww_writer b = ww_writer_make(buf, sizeof buf);
    ww_writer_u16(&b, 0);
    ww_writer_u16(&b, (uint16_t)a.len);
    ww_writer_bytes(&b, attrs, a.len);
    static const uint8_t net[] = {24, 198, 51, 100};
    ww_writer_bytes(&b, net, sizeof net);
    struct octets body = octets_of(buf, b.len);
    struct ww_bgp_update u = decode(body, AS2 | CONFED);
    assert_true(u.disposition <= DISCARD && u.has_as_path);
    char text[256];
    assert_string_equal(ww_as_path_format(u.as_path, text, sizeof text), c[i].merged);
    free(body.data);
  }
}

/* RFC 6793 §4.2.3, the aggregators. */
static void test_as4_aggregator(void **state) {
  (void)state;
  struct octets body = body_of("", GOOD2 "c00706 5ba0 c0000201 c01208 00011170 c0000202", NET);
  struct ww_bgp_update u = decode(body, AS2);
  assert_int_equal(u.disposition, OK);
  assert_octets(u.attrs, u.attrs_len, ORIGIN PATH "c00708 00011170 c0000202");
  free(body.data);
  body = body_of("", GOOD2 "c00706 0005 c0000201 c01208 00011170 c0000202", NET);
  u = decode(body, AS2);
  assert_octets(u.attrs, u.attrs_len, ORIGIN PATH "c00708 00000005 c0000201");
  free(body.data);
}

/* A sequence that grows over 255 AS numbers by the merge is left in two segments. */
static void test_as4_merge_long(void **state) {
  (void)state;
  uint8_t attrs[3000];
  struct ww_writer a = ww_writer_make(attrs, sizeof attrs);
  static const uint8_t head[] = {0x40, 1, 1, 0, 0x40, 3, 4, 192, 0, 2, 1};
  ww_writer_bytes(&a, head, sizeof head);
  ww_writer_u8(&a, 0x50);
  ww_writer_u8(&a, 2);
  ww_writer_u16(&a, 2 + 255 * 2 + 2 + 1 * 2);
  ww_writer_u16(&a, 0x02ff);
  for (unsigned i = 0; i < 255; i++)
    ww_writer_u16(&a, 64500);
  ww_writer_u16(&a, 0x0201);
  ww_writer_u16(&a, 23456);
  ww_writer_u32(&a, 0xc0110602);
  ww_writer_u8(&a, 1);
  ww_writer_u32(&a, 70000);
  uint8_t buf[3100];
  struct ww_writer b = ww_writer_make(buf, sizeof buf);
  ww_writer_u16(&b, 0);
  ww_writer_u16(&b, (uint16_t)a.len);
  ww_writer_bytes(&b, attrs, a.len);
  ww_writer_u8(&b, 0); /* 0.0.0.0/0 */
  struct octets body = octets_of(buf, b.len);
  struct ww_bgp_update u = decode(body, AS2);
  assert_int_equal(u.disposition, OK);
  assert_int_equal(u.as_path.len, 2 + 255 * 4 + 2 + 4);
  assert_int_equal(u.attrs[4], 0x50); /* over 255 octets now: extended length */
  struct ww_as_segment s;
  struct ww_as_path path = u.as_path;
  assert_true(ww_as_path_next(&path, &s) && s.count == 255 && ww_as_segment_at(&s, 254) == 64500);
  assert_true(ww_as_path_next(&path, &s) && s.count == 1 && ww_as_segment_at(&s, 0) == 70000);
  assert_false(ww_as_path_next(&path, &s));
  free(body.data);
}

/* A 2-octet path that no message could carry once it is widened. */
static void test_path_too_long(void **state) {
  (void)state;
  size_t segments = 80, value = segments * (2 + 255 * 2);
  uint8_t *buf = calloc(1, value + 64);
  assert_non_null(buf);
  struct ww_writer w = ww_writer_make(buf, value + 64);
  ww_writer_u16(&w, 0);
  ww_writer_u16(&w, (uint16_t)(value + 4 + 11));
  static const uint8_t head[] = {0x40, 1, 1, 0, 0x40, 3, 4, 192, 0, 2, 1, 0x50, 2};
  ww_writer_bytes(&w, head, sizeof head);
  ww_writer_u16(&w, (uint16_t)value);
  for (size_t s = 0; s < segments; s++) {
    ww_writer_u16(&w, 0x02ff);
    for (unsigned i = 0; i < 255; i++)
      ww_writer_u16(&w, 1);
  }
  ww_writer_u8(&w, 0);
  struct octets body = octets_of(buf, w.len);
  struct ww_bgp_update u = decode(body, AS2);
  assert_int_equal(u.disposition, WITHDRAW);
  assert_int_equal(u.bad_attr, WW_ATTR_AS_PATH);
  assert_int_equal(u.announced[0].len, 1);
  free(body.data);
  free(buf);
}

static void assert_prefixes(struct ww_nlri nlri, const char *text) {
  char got[512] = "", one[WW_PREFIX_STRLEN];
  struct ww_prefix p;
  for (uint32_t id; ww_nlri_next(&nlri, &p, &id);) {
    size_t at = strlen(got);
    if (nlri.add_path)
      (void)snprintf(got + at, sizeof got - at, "%s%s#%u", at ? " " : "", ww_prefix_format(&p, one), (unsigned)id);
    else
      (void)snprintf(got + at, sizeof got - at, "%s%s", at ? " " : "", ww_prefix_format(&p, one));
  }
  assert_string_equal(got, text);
}

static void test_nlri(void **state) {
  (void)state;
  struct octets body = body_of("00 20c0000201", GOOD REACH6 UNREACH6, NET "19c63364ff");
  struct ww_bgp_update u = decode(body, 0);
  assert_int_equal(u.disposition, OK);
  assert_prefixes(u.withdrawn[0], "0.0.0.0/0 192.0.2.1/32");
  assert_prefixes(u.withdrawn[1], "2001:db8::/32");
  assert_prefixes(u.announced[0], "198.51.100.0/24 198.51.100.128/25"); /* trailing bits cleared */
  assert_prefixes(u.announced[1], "2001:db8::/32");
  assert_octets(u.next_hop[0], u.next_hop_len[0], "c0000201");
  assert_octets(u.next_hop[1], u.next_hop_len[1], HOP6);
  free(body.data);

  body = body_of("00000007 00", GOOD "800e1e 0002 01 10 " HOP6 "00 ffffffff" NET6, "00000001" NET "00000002" NET);
  u = decode(body, ADDPATH);
  assert_int_equal(u.disposition, OK);
  assert_prefixes(u.withdrawn[0], "0.0.0.0/0#7");
  assert_prefixes(u.announced[0], "198.51.100.0/24#1 198.51.100.0/24#2");
  assert_prefixes(u.announced[1], "2001:db8::/32#4294967295");
  free(body.data);

  /* IPv4 in MP_REACH, with either next hop (RFC 8950 §3). */
  body = body_of("", ORIGIN PATH "800e0d 0001 01 04 c0000201 00" NET, "");
  u = decode(body, 0);
  assert_int_equal(u.disposition, OK);
  assert_prefixes(u.announced[1], "198.51.100.0/24");
  assert_int_equal(u.next_hop_len[1], 4);
  free(body.data);
  body = body_of("", ORIGIN PATH "800e19 0001 01 10" HOP6 "00" NET, "");
  u = decode(body, 0);
  assert_int_equal(u.disposition, OK);
  assert_prefixes(u.announced[1], "198.51.100.0/24");
  assert_int_equal(u.next_hop_len[1], 16);
  free(body.data);

  /* RFC 4760 §3: NEXT_HOP beside MP_REACH alone is ignored. */
  body = body_of("", REACH6 GOOD, "");
  u = decode(body, 0);
  assert_int_equal(u.disposition, OK);
  assert_null(u.next_hop[0]);
  assert_non_null(u.next_hop[1]);
  free(body.data);
}

static void test_other_families(void **state) {
  (void)state;
  /* IPv4 multicast beside IPv4 unicast: the one is skipped, the other read. */
  struct octets body = body_of("", GOOD "800e0a 0001 02 04 c0000201 00 00 800f06 0019 46 aabbcc", NET);
  struct ww_bgp_update u = decode(body, 0);
  assert_int_equal(u.disposition, OK);
  assert_true(u.other_family);
  assert_int_equal(u.announced[1].len, 0);
  assert_prefixes(u.announced[0], "198.51.100.0/24");
  free(body.data);
  /* An unknown AFI whose low octet looks like IPv4. */
  body = body_of("", GOOD "800e0a 0101 01 04 c0000201 00 00", NET);
  u = decode(body, 0);
  assert_int_equal(u.disposition, OK);
  assert_true(u.other_family && u.announced[1].len == 0);
  free(body.data);
}

static void test_eor(void **state) {
  (void)state;
  static const struct {
    const char *withdrawn, *attrs, *nlri;
    int afi;
  } c[] = {
      {"", "", "", WW_AFI_IPV4},
      {"", "800f03 0002 01", "", WW_AFI_IPV6},
      {"", "900f0003 0002 01", "", WW_AFI_IPV6},
      {"", "800f03 0001 01", "", WW_AFI_IPV4},
      {"", "800f03 0001 02", "", 0}, /* of a family not handled */
      {"", UNREACH6, "", 0},
      {"", ORIGIN "800f03 0002 01", "", 0},
      {NET, "800f03 0002 01", "", 0},
      {NET, "", "", 0},
      {"", ORIGIN, "", 0},
  };
  for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
    struct octets body = body_of(c[i].withdrawn, c[i].attrs, c[i].nlri);
    struct ww_bgp_update u = decode(body, 0);
    assert_int_equal(u.disposition, OK);
    assert_int_equal(u.eor, c[i].afi != 0);
    assert_int_equal(u.eor_afi, c[i].afi);
    free(body.data);
  }
  for (uint8_t afi = WW_AFI_IPV4; afi <= WW_AFI_IPV6; afi++) {
    uint8_t buf[64];
    struct ww_writer w = ww_writer_make(buf, sizeof buf);
    ww_bgp_eor_write(&w, afi);
    assert_false(w.overflow);
    struct octets body = octets_of(buf + WW_BGP_HEADER_LEN, w.len - WW_BGP_HEADER_LEN);
    struct ww_bgp_update u = decode(body, 0);
    assert_true(u.eor && u.eor_afi == afi);
    free(body.data);
  }
}

/* RFC 7606 §3 (b). */
static void test_field_lengths(void **state) {
  (void)state;
  static const char *const bad[] = {"",
                                    "00",
                                    "0000",
                                    "000000",
                                    "0001 0000",
                                    "ffff0000",
                                    "0000 0001",
                                    "0000 ffff",
                                    "0004 18c63364",
                                    "0005 18c63364 0000",
                                    "0004 18c63364 00",
                                    "0000 0004 400101"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct octets body = hex(bad[i]);
    struct ww_bgp_update u = decode(body, 0);
    assert_int_equal(u.disposition, RESET);
    assert_string_equal(why.clause, "RFC 7606 §3");
    free(body.data);
  }
}

/* Every cut of a rich UPDATE decodes to something, with no octet read beyond it (ASan), in every kind of session. */
static void test_truncation(void **state) {
  (void)state;
  struct octets body =
      body_of("18c63365",
              REACH6 GOOD "800404 00000001 400504 00000064 400600 c00708 0000fbf4 c0000201 c00804 00000001"
                          "800904 00000001 800a04 00000001" UNREACH6
                          "c01008 ff00000000000000 c01106 0201 0000fbf4 c01208 0000fbf4"
                          "c0000201 c0200c 0000fbf40000000100000002 802104 deadbeef c02304 0000fbf4 d0c80003 aabbcc",
              NET);
  for (unsigned bits = 0; bits < 32; bits++)
    for (size_t len = 0; len <= body.len; len++) {
      struct octets cut = octets_of(body.data, len);
      struct ww_bgp_update u = decode(cut, bits);
      if (len < body.len && bits == 0)
        assert_true(u.disposition == RESET || u.announced[0].len < 4);
      for (unsigned i = 0; i < 2; i++) {
        struct ww_prefix p;
        while (ww_nlri_next(&u.announced[i], &p, NULL))
          assert_true(ww_prefix_is_canonical(&p));
        while (ww_nlri_next(&u.withdrawn[i], &p, NULL))
          assert_true(ww_prefix_is_canonical(&p));
      }
      free(cut.data);
    }
  free(body.data);
}

/* encode(decode(x)) decodes to the same. */
static void test_round_trip(void **state) {
  (void)state;
  static const struct {
    unsigned bits;
    const char *attrs, *nlri;
  } c[] = {
      {0, GOOD, NET},
      {0, GOOD "c00804 00000001 f7c80002 aabb",
       NET "00"
           "20c0000201"},
      {ADDPATH, GOOD, "00000001" NET "00000002 00"},
      {AS2, GOOD2 "c01106 0201 00012345 c00706 5ba0 c0000201 c01208 00011170 c0000202", NET},
      {0, REACH6 ORIGIN PATH, ""},
      {0, ORIGIN PATH "800e2a 0002 01 20 " HOP6 HOP6 "00" NET6, ""},
      {0, ORIGIN PATH "800e19 0001 01 10" HOP6 "00" NET, ""},
      {0, REACH6 ORIGIN "802104 deadbeef", ""},
      {0, PATH "c00804 00000001" HOP ORIGIN, NET},
  };
  for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
    struct octets body = body_of("", c[i].attrs, c[i].nlri);
    struct ww_bgp_update u = decode(body, c[i].bits);
    assert_true(u.disposition <= DISCARD);
    unsigned which = u.announced[0].len ? 0 : 1;
    struct ww_bgp_nlri_item items[8];
    size_t count = 0;
    struct ww_nlri nlri = u.announced[which];
    while (ww_nlri_next(&nlri, &items[count].prefix, &items[count].path_id))
      count++;
    uint8_t buf[WW_BGP_MAX_LEN];
    struct ww_writer w = ww_writer_make(buf, sizeof buf);
    ww_bgp_update_write(&w, u.announced[which].afi, u.attrs, u.attrs_len, u.next_hop[which], u.next_hop_len[which],
                        u.announced[which].add_path, items, count);
    assert_false(w.overflow);
    size_t len;
    uint8_t type;
    assert_int_equal(ww_bgp_frame(buf, w.len, WW_BGP_MAX_LEN, &len, &type, NULL), WW_OK);
    assert_int_equal(type, WW_BGP_UPDATE);
    struct octets attrs = octets_of(u.attrs, u.attrs_len), hop = octets_of(u.next_hop[which], u.next_hop_len[which]);
    struct octets again = octets_of(buf + WW_BGP_HEADER_LEN, w.len - WW_BGP_HEADER_LEN);
    struct ww_bgp_update v = decode(again, c[i].bits & ADDPATH);
    assert_int_equal(v.disposition, OK);
    assert_int_equal(v.attrs_len, attrs.len);
    assert_memory_equal(v.attrs, attrs.data, attrs.len);
    unsigned where = v.announced[0].len ? 0 : 1;
    assert_int_equal(v.next_hop_len[where], hop.len);
    assert_memory_equal(v.next_hop[where], hop.data, hop.len);
    struct ww_prefix p;
    uint32_t id;
    for (size_t j = 0; j < count; j++) {
      assert_true(ww_nlri_next(&v.announced[where], &p, &id));
      assert_int_equal(ww_prefix_compare(&p, &items[j].prefix), 0);
      assert_int_equal(id, items[j].path_id);
    }
    assert_false(ww_nlri_next(&v.announced[where], &p, &id));
    free(attrs.data);
    free(hop.data);
    free(again.data);
    free(body.data);
  }
}

static void test_write(void **state) {
  (void)state;
  uint8_t buf[256];
  struct ww_bgp_nlri_item item = {0};
  assert_int_equal(ww_prefix_parse("198.51.100.0/24", &item.prefix), WW_OK);
  struct octets attrs = hex(ORIGIN PATH "c00804 00000001"), hop = hex("c0000201");
#define MARKER "ffffffffffffffffffffffffffffffff"
  struct ww_writer w = ww_writer_make(buf, sizeof buf);
  ww_bgp_update_write(&w, WW_AFI_IPV4, attrs.data, attrs.len, hop.data, 4, false, &item, 1);
  assert_octets(buf, w.len, MARKER "0036 02 0000 001b" ORIGIN PATH HOP "c00804 00000001" NET);
  w = ww_writer_make(buf, sizeof buf);
  ww_bgp_update_write(&w, WW_AFI_IPV4, attrs.data, attrs.len, NULL, 0, false, &item, 1);
  assert_octets(buf, w.len, MARKER "0036 02 0000 001b" ORIGIN PATH "400304 00000000 c00804 00000001" NET);
  w = ww_writer_make(buf, sizeof buf);
  ww_bgp_update_write(&w, WW_AFI_IPV4, NULL, 0, NULL, 0, true, &item, 1);
  assert_octets(buf, w.len, MARKER "001f 02 0008 00000000" NET "0000");
  assert_int_equal(ww_prefix_parse("2001:db8::/32", &item.prefix), WW_OK);
  w = ww_writer_make(buf, sizeof buf);
  ww_bgp_update_write(&w, WW_AFI_IPV6, NULL, 0, NULL, 0, false, &item, 1);
  assert_octets(buf, w.len, MARKER "0023 02 0000 000c 900f0008 0002 01" NET6);
  w = ww_writer_make(buf, sizeof buf);
  ww_bgp_update_write(&w, WW_AFI_IPV6, attrs.data, attrs.len, NULL, 0, false, &item, 1);
  assert_octets(buf, w.len,
                MARKER "0049 02 0000 0032 900e001a 0002 01 10 00000000000000000000000000000000 00" NET6 ORIGIN PATH
                       "c00804 00000001");
  for (size_t cap = 0; cap < w.len; cap++) { /* too little room is overflow, never more */
    struct octets room = octets_of(buf, cap);
    struct ww_writer tight = ww_writer_make(room.data, cap);
    ww_bgp_update_write(&tight, WW_AFI_IPV6, attrs.data, attrs.len, NULL, 0, false, &item, 1);
    assert_true(tight.overflow);
    free(room.data);
  }
  struct ww_writer measure = ww_writer_make(NULL, 0);
  ww_bgp_update_write(&measure, WW_AFI_IPV6, attrs.data, attrs.len, NULL, 0, false, &item, 1);
  assert_int_equal(measure.len, w.len);
  free(attrs.data);
  free(hop.data);
}

/* A message over 65,535 octets can't be written. */
static void test_write_too_long(void **state) {
  (void)state;
  size_t count = 20000;
  struct ww_bgp_nlri_item *items = calloc(count, sizeof *items);
  uint8_t *buf = malloc(200000);
  assert_true(items && buf);
  for (size_t i = 0; i < count; i++)
    items[i].prefix = (struct ww_prefix){.afi = WW_AFI_IPV4, .len = 24};
  struct ww_writer w = ww_writer_make(buf, 200000);
  ww_bgp_update_write(&w, WW_AFI_IPV4, NULL, 0, NULL, 0, false, items, count);
  assert_true(w.overflow);
  free(items);
  free(buf);
}

static void test_strip(void **state) {
  (void)state;
  static const struct {
    const char *before, *after;
  } c[] = {
      {"65000 65010 64500", "65010 64500"},
      {"65000", ""},
      {"65000 {1,2}", "{1,2}"},
      {"65000 65000 1", "65000 1"},
      {"65010 65000", "65010 65000"},
      {"{65000} 1", "{65000} 1"},
      {"(65000) 1", "(65000) 1"},
      {"", ""},
  };
  for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
    uint8_t path[64], buf[256];
    struct ww_writer p = ww_writer_make(path, sizeof path), b = ww_writer_make(buf, sizeof buf);
    assert_int_equal(ww_as_path_parse(c[i].before, &p, NULL), WW_OK);
    static const uint8_t origin[] = {0x40, 1, 1, 0}, tail[] = {0x40, 3, 4, 192, 0, 2, 1, 0xc0, 8, 4, 0, 0, 0, 1};
    ww_writer_u16(&b, 0);
    ww_writer_u16(&b, (uint16_t)(sizeof origin + 4 + p.len + sizeof tail));
    ww_writer_bytes(&b, origin, sizeof origin);
    ww_writer_u8(&b, 0x50);
    ww_writer_u8(&b, 2);
    ww_writer_u16(&b, (uint16_t)p.len);
    ww_writer_bytes(&b, path, p.len);
    ww_writer_bytes(&b, tail, sizeof tail);
    ww_writer_u8(&b, 0);
    struct octets body = octets_of(buf, b.len);
    struct ww_bgp_update u = decode(body, CONFED);
    assert_int_equal(u.disposition, OK);
    size_t before = u.attrs_len;
    assert_int_equal(ww_bgp_update_strip_as(&u, 65000, &arena), WW_OK);
    char text[128];
    assert_string_equal(ww_as_path_format(u.as_path, text, sizeof text), c[i].after);
    if (strcmp(c[i].before, c[i].after) != 0)
      assert_true(u.attrs_len < before);
    /* Still valid wire form, and the path still points into it. */
    assert_octets(u.attrs, 4, ORIGIN);
    assert_int_equal(u.attrs[6], u.as_path.len);
    assert_ptr_equal(u.attrs + 7, u.as_path.data);
    assert_octets(u.as_path.data + u.as_path.len, 7, "c00804 00000001");
    assert_int_equal(u.attrs_len, 4 + 3 + u.as_path.len + 7);
    free(body.data);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dispositions),
      cmocka_unit_test(test_canonical),
      cmocka_unit_test(test_as4_merge),
      cmocka_unit_test(test_as4_aggregator),
      cmocka_unit_test(test_as4_merge_long),
      cmocka_unit_test(test_path_too_long),
      cmocka_unit_test(test_nlri),
      cmocka_unit_test(test_other_families),
      cmocka_unit_test(test_eor),
      cmocka_unit_test(test_field_lengths),
      cmocka_unit_test(test_truncation),
      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_write),
      cmocka_unit_test(test_write_too_long),
      cmocka_unit_test(test_strip),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
