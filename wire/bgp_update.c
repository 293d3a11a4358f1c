/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding an UPDATE: its three fields, every path attribute with the error handling of RFC 7606, and the canonical
 * form that the rest of the program works with.
 *
 * The message is cut into three bounded readers (withdrawn routes, attributes, NLRI) before anything is decoded, so a
 * bad attribute never moves the others. A first pass goes over the attributes, checks each by a table of rules and
 * lists those that stay; a second writes the listed ones in the order received: AS_PATH and AGGREGATOR with 4-octet AS
 * numbers, known attributes with the unused flag bits cleared and the extended length bit just when needed, unknown
 * ones octet for octet. Two passes, because AS4_PATH follows AS_PATH and changes it (RFC 6793 §4.2.3). The only
 * allocation is the output, sized beforehand, from the message's arena.
 *
 * Every fault goes through fault(), which keeps the strongest disposition and the first diagnostic of it (RFC 7606
 * §3 (h)). Nothing here returns an error but NOMEM.
 *
 * CHOICE: an incorrect MP_REACH_NLRI or MP_UNREACH_NLRI asks for a session reset, never for "AFI/SAFI disable"; RFC
 * 7606 §3 (j) and §7.11 leave it open, and a reset needs no second disposition for the other routes of the message.
 * CHOICE: the value of NEXT_HOP is not judged (RFC 4271 §6.3 wants a host address): a router's Loc-RIB reports local
 * routes with 0.0.0.0, and a monitor forwards nothing.
 *
 * Clauses: RFC 4271 §4.3, §5, §6.3; RFC 4724 §2; RFC 4760 §3-§5; RFC 6793 §4.2.3, §6; RFC 7606 §3-§7; RFC 7607 §2;
 * RFC 7911 §3; RFC 8092 §6; RFC 8205 §3; RFC 8671 §5.2; RFC 8950 §3; RFC 9234 §5.
 */
#include "wire/bgp_internal.h"

enum { FLAGS_CHECKED = WW_ATTR_OPTIONAL | WW_ATTR_TRANSITIVE, FLAGS_UNUSED = 0x0f };

enum length_rule {
  LEN_ANY,      /* judged by the attribute's own code, or not at all */
  LEN_EXACT,    /* just `unit` octets */
  LEN_MULTIPLE, /* a non-zero multiple of `unit` */
};

struct rule {
  const char *name; /* NULL: not a code we know */
  uint8_t flags;    /* Optional and Transitive as specified */
  uint8_t length, unit;
  uint8_t disposition; /* of a bad length */
  bool internal;       /* discarded when an external peer sent it */
  const char *clause;  /* of the length */
};

enum {
  WELL_KNOWN = WW_ATTR_TRANSITIVE,
  NON_TRANSITIVE = WW_ATTR_OPTIONAL,
  OPT_TRANSITIVE = WW_ATTR_OPTIONAL | WW_ATTR_TRANSITIVE,
  WITHDRAW = WW_BGP_TREAT_AS_WITHDRAW,
  DISCARD = WW_BGP_ATTRIBUTE_DISCARD,
};

static const struct rule rules[] = {
    [WW_ATTR_ORIGIN] = {"ORIGIN", WELL_KNOWN, LEN_EXACT, 1, WITHDRAW, false, "RFC 7606 §7.1"},
    [WW_ATTR_AS_PATH] = {"AS_PATH", WELL_KNOWN, LEN_ANY, 0, WITHDRAW, false, "RFC 7606 §7.2"},
    [WW_ATTR_NEXT_HOP] = {"NEXT_HOP", WELL_KNOWN, LEN_EXACT, 4, WITHDRAW, false, "RFC 7606 §7.3"},
    [WW_ATTR_MED] = {"MULTI_EXIT_DISC", NON_TRANSITIVE, LEN_EXACT, 4, WITHDRAW, false, "RFC 7606 §7.4"},
    [WW_ATTR_LOCAL_PREF] = {"LOCAL_PREF", WELL_KNOWN, LEN_EXACT, 4, WITHDRAW, true, "RFC 7606 §7.5"},
    [WW_ATTR_ATOMIC_AGGREGATE] = {"ATOMIC_AGGREGATE", WELL_KNOWN, LEN_EXACT, 0, DISCARD, false, "RFC 7606 §7.6"},
    [WW_ATTR_AGGREGATOR] = {"AGGREGATOR", OPT_TRANSITIVE, LEN_ANY, 0, DISCARD, false, "RFC 7606 §7.7"},
    [WW_ATTR_COMMUNITIES] = {"COMMUNITIES", OPT_TRANSITIVE, LEN_MULTIPLE, 4, WITHDRAW, false, "RFC 7606 §7.8"},
    [WW_ATTR_ORIGINATOR_ID] = {"ORIGINATOR_ID", NON_TRANSITIVE, LEN_EXACT, 4, WITHDRAW, true, "RFC 7606 §7.9"},
    [WW_ATTR_CLUSTER_LIST] = {"CLUSTER_LIST", NON_TRANSITIVE, LEN_MULTIPLE, 4, WITHDRAW, true, "RFC 7606 §7.10"},
    [WW_ATTR_MP_REACH] = {"MP_REACH_NLRI", NON_TRANSITIVE, LEN_ANY, 0, WW_BGP_SESSION_RESET, false, "RFC 7606 §5.3"},
    [WW_ATTR_MP_UNREACH] = {"MP_UNREACH_NLRI", NON_TRANSITIVE, LEN_ANY, 0, WW_BGP_SESSION_RESET, false,
                            "RFC 7606 §5.3"},
    [WW_ATTR_EXT_COMMUNITIES] = {"EXTENDED_COMMUNITIES", OPT_TRANSITIVE, LEN_MULTIPLE, 8, WITHDRAW, false,
                                 "RFC 7606 §7.14"},
    [WW_ATTR_AS4_PATH] = {"AS4_PATH", OPT_TRANSITIVE, LEN_ANY, 0, DISCARD, false, "RFC 6793 §6"},
    [WW_ATTR_AS4_AGGREGATOR] = {"AS4_AGGREGATOR", OPT_TRANSITIVE, LEN_EXACT, 8, DISCARD, false, "RFC 6793 §6"},
    [WW_ATTR_IPV6_EXT_COMMUNITIES] = {"IPV6_EXTENDED_COMMUNITIES", OPT_TRANSITIVE, LEN_MULTIPLE, 20, WITHDRAW, false,
                                      "RFC 7606 §7.15"},
    [WW_ATTR_LARGE_COMMUNITIES] = {"LARGE_COMMUNITIES", OPT_TRANSITIVE, LEN_MULTIPLE, 12, WITHDRAW, false,
                                   "RFC 8092 §6"},
    /* Kept octet for octet: what is in it is for whoever verifies signatures. */
    [WW_ATTR_BGPSEC_PATH] = {"BGPSEC_PATH", NON_TRANSITIVE, LEN_ANY, 0, WITHDRAW, false, "RFC 8205 §3"},
    [WW_ATTR_OTC] = {"ONLY_TO_CUSTOMER", OPT_TRANSITIVE, LEN_EXACT, 4, WITHDRAW, false, "RFC 9234 §5"},
};

static const struct rule *rule_of(uint8_t type) {
  return type < sizeof rules / sizeof rules[0] && rules[type].name ? &rules[type] : NULL;
}

const char *ww_bgp_attr_name(uint8_t code) {
  const struct rule *rule = rule_of(code);
  return rule ? rule->name : "attribute";
}

/* One attribute as received. */
struct attr {
  const uint8_t *start, *value; /* header, and what follows it */
  uint16_t len;                 /* of the value */
  uint8_t flags, type;
};

struct decoder {
  const uint8_t *body;
  const struct ww_bgp_session *session;
  struct ww_bgp_update *out;
  struct ww_diag *diag;
  uint64_t seen[4]; /* type codes, one bit each */
  unsigned attributes, kept_count;
  const struct attr *as_path, *aggregator, *as4_path, *as4_aggregator; /* in kept[] or as4[]; NULL when absent or bad */
  const uint8_t *next_hop;
  bool other_reachable; /* MP_REACH of a family not handled has NLRI */
  struct attr as4[2];
  struct attr kept[256]; /* a type occurs once */
};

static void fault(struct decoder *d, enum ww_bgp_disposition what, uint8_t type, const uint8_t *at, const char *clause,
                  const char *text) {
  if (what <= d->out->disposition)
    return;
  d->out->disposition = what;
  d->out->bad_attr = type;
  size_t offset = at ? (size_t)(at - d->body) : 0;
  if (type)
    (void)ww_fail(d->diag, WW_ERR_MALFORMED, offset, clause, "%s (%u): %s", ww_bgp_attr_name(type), type, text);
  else
    (void)ww_fail(d->diag, WW_ERR_MALFORMED, offset, clause, "%s", text);
}

static bool was_seen(const struct decoder *d, uint8_t type) { return d->seen[type / 64] >> type % 64 & 1; }

static struct ww_nlri make_nlri(const struct decoder *d, uint8_t afi, struct ww_reader r) {
  return (struct ww_nlri){
      .afi = afi,
      .add_path = afi == WW_AFI_IPV4 ? d->session->add_path_ipv4 : d->session->add_path_ipv6, /* RFC 7911 §3 */
      .data = r.p,
      .len = ww_reader_left(&r),
  };
}

/* RFC 4760 §3: {AFI 16, SAFI 8, next hop length 8, next hop, reserved 8, NLRI}. */
static void read_mp_reach(struct decoder *d, const struct attr *a) {
  struct ww_reader r = ww_reader_make(a->value, a->len);
  unsigned afi = ww_reader_u16(&r), safi = ww_reader_u8(&r);
  uint8_t hop_len = ww_reader_u8(&r);
  const uint8_t *hop = ww_reader_take(&r, hop_len);
  (void)ww_reader_u8(&r);
  if (r.bad) {
    /* RFC 7606 §5.3: shorter than 5 octets; §7.11: a next hop beyond the attribute. */
    fault(d, WW_BGP_SESSION_RESET, a->type, a->start, "RFC 7606 §5.3", "too short for its next hop");
    return;
  }
  if (safi != WW_SAFI_UNICAST || (afi != WW_AFI_IPV4 && afi != WW_AFI_IPV6)) {
    d->out->other_family = true;
    d->other_reachable = ww_reader_left(&r) != 0;
    return;
  }
  /* RFC 7606 §7.11: a next hop of unexpected length hides where the NLRI begins. RFC 2545 §3: 16 or 32 octets for
   * IPv6; RFC 8950 §3: the same for IPv4, besides 4. CHOICE: taken without asking whether it was negotiated. */
  bool expected = hop_len == 16 || hop_len == 32 || (hop_len == 4 && afi == WW_AFI_IPV4) ||
                  (hop_len == 0 && d->session->empty_mandatory);
  if (!expected) {
    fault(d, WW_BGP_SESSION_RESET, a->type, a->start, "RFC 7606 §7.11", "next hop of unexpected length");
    return;
  }
  d->out->announced[1] = make_nlri(d, (uint8_t)afi, r);
  d->out->next_hop[1] = hop_len ? hop : NULL;
  d->out->next_hop_len[1] = hop_len;
  if (!ww_nlri_check(&d->out->announced[1]))
    fault(d, WW_BGP_SESSION_RESET, a->type, a->start, "RFC 7606 §5.3", "bad prefix");
}

/* RFC 4760 §4: {AFI 16, SAFI 8, withdrawn routes}. */
static void read_mp_unreach(struct decoder *d, const struct attr *a) {
  struct ww_reader r = ww_reader_make(a->value, a->len);
  unsigned afi = ww_reader_u16(&r), safi = ww_reader_u8(&r);
  if (r.bad) {
    fault(d, WW_BGP_SESSION_RESET, a->type, a->start, "RFC 7606 §5.3", "shorter than 3 octets");
    return;
  }
  if (safi != WW_SAFI_UNICAST || (afi != WW_AFI_IPV4 && afi != WW_AFI_IPV6)) {
    d->out->other_family = true;
    return;
  }
  d->out->withdrawn[1] = make_nlri(d, (uint8_t)afi, r);
  if (!ww_nlri_check(&d->out->withdrawn[1]))
    fault(d, WW_BGP_SESSION_RESET, a->type, a->start, "RFC 7606 §5.3", "bad prefix");
}

static uint32_t aggregator_as(const struct attr *a) {
  struct ww_reader r = ww_reader_make(a->value, a->len);
  return a->len == 8 ? ww_reader_u32(&r) : ww_reader_u16(&r);
}

static bool length_fits(const struct rule *rule, size_t len) {
  if (rule->length == LEN_EXACT)
    return len == rule->unit;
  return rule->length == LEN_ANY || (len != 0 && len % rule->unit == 0);
}

/* Judges one known attribute; true when it goes into the canonical form. */
static bool read_known(struct decoder *d, const struct attr *a, const struct rule *rule) {
  bool as4 = d->session->as4, mp = a->type == WW_ATTR_MP_REACH || a->type == WW_ATTR_MP_UNREACH;
  if (as4 && (a->type == WW_ATTR_AS4_PATH || a->type == WW_ATTR_AS4_AGGREGATOR)) {
    fault(d, WW_BGP_ATTRIBUTE_DISCARD, a->type, a->start, "RFC 6793 §6", "from a peer with 4-octet AS numbers");
    return false;
  }
  if (rule->internal && d->session->ebgp) {
    fault(d, WW_BGP_ATTRIBUTE_DISCARD, a->type, a->start, rule->clause, "from an external peer");
    return false;
  }
  if ((a->flags & FLAGS_CHECKED) != rule->flags) {
    /* RFC 7606 §3 (c), for every attribute; of the MP ones §5.3 says that they are incorrect, hence a reset. */
    fault(d, mp ? WW_BGP_SESSION_RESET : WW_BGP_TREAT_AS_WITHDRAW, a->type, a->start,
          mp ? "RFC 7606 §5.3" : "RFC 7606 §3", "conflicting attribute flags");
    return false;
  }
  /* RFC 8671 §5.2: attributes unknown before the outbound policy may be empty. */
  if (d->session->empty_mandatory && a->len == 0 && (a->type == WW_ATTR_ORIGIN || a->type == WW_ATTR_NEXT_HOP))
    return false;
  if (!length_fits(rule, a->len)) {
    fault(d, (enum ww_bgp_disposition)rule->disposition, a->type, a->start, rule->clause, "bad length");
    return false;
  }
  const char *text = NULL;
  switch (a->type) {
  case WW_ATTR_ORIGIN:
    if (a->value[0] > 2) {
      fault(d, WW_BGP_TREAT_AS_WITHDRAW, a->type, a->start, rule->clause, "undefined value");
      return false;
    }
    d->out->origin = a->value[0];
    return true;
  case WW_ATTR_AS_PATH:
    text = ww_as_path_fault(a->value, a->len, as4 ? 4 : 2, d->session->confed);
    if (text) {
      fault(d, WW_BGP_TREAT_AS_WITHDRAW, a->type, a->start, rule->clause, text);
      return false;
    }
    d->as_path = &d->kept[d->kept_count];
    return true;
  case WW_ATTR_NEXT_HOP:
    d->next_hop = a->value;
    return false;
  case WW_ATTR_AGGREGATOR:
    /* RFC 7607 §2: AS 0 makes it malformed. */
    if (a->len != (as4 ? 8 : 6) || aggregator_as(a) == 0) {
      fault(d, WW_BGP_ATTRIBUTE_DISCARD, a->type, a->start, rule->clause, "bad length or AS number zero");
      return false;
    }
    d->aggregator = &d->kept[d->kept_count];
    return true;
  case WW_ATTR_MP_REACH:
    read_mp_reach(d, a);
    return false;
  case WW_ATTR_MP_UNREACH:
    read_mp_unreach(d, a);
    return false;
  case WW_ATTR_AS4_PATH: {
    bool confed;
    text = ww_as4_path_fault(a->value, a->len, &confed);
    if (text || confed)
      fault(d, WW_BGP_ATTRIBUTE_DISCARD, a->type, a->start, rule->clause, text ? text : "confederation segments");
    if (!text) {
      d->as4[0] = *a;
      d->as4_path = &d->as4[0];
    }
    return false;
  }
  case WW_ATTR_AS4_AGGREGATOR:
    if (aggregator_as(a) == 0) {
      fault(d, WW_BGP_ATTRIBUTE_DISCARD, a->type, a->start, "RFC 7607 §2", "AS number zero");
      return false;
    }
    d->as4[1] = *a;
    d->as4_aggregator = &d->as4[1];
    return false;
  case WW_ATTR_BGPSEC_PATH:
    /* RFC 7606 §4: only AS_PATH and ATOMIC_AGGREGATE may be empty. */
    if (a->len == 0) {
      fault(d, WW_BGP_TREAT_AS_WITHDRAW, a->type, a->start, "RFC 7606 §4", "length is zero");
      return false;
    }
    return true;
  default:
    return true;
  }
}

static void read_attributes(struct decoder *d, struct ww_reader r) {
  while (ww_reader_left(&r) && d->out->disposition < WW_BGP_SESSION_RESET) {
    struct attr a = {.start = r.p};
    a.flags = ww_reader_u8(&r);
    a.type = ww_reader_u8(&r);
    a.len = a.flags & WW_ATTR_EXTENDED ? ww_reader_u16(&r) : ww_reader_u8(&r);
    a.value = ww_reader_take(&r, a.len);
    if (r.bad) {
      /* RFC 7606 §4: either case: too few octets for a header, or a value beyond the Total Attribute Length. */
      fault(d, WW_BGP_TREAT_AS_WITHDRAW, 0, a.start, "RFC 7606 §4", "attribute overruns the Total Attribute Length");
      return;
    }
    d->attributes++;
    if (was_seen(d, a.type)) {
      /* RFC 7606 §3 (g): only a repeated MP attribute is fatal. */
      if (a.type == WW_ATTR_MP_REACH || a.type == WW_ATTR_MP_UNREACH)
        fault(d, WW_BGP_SESSION_RESET, a.type, a.start, "RFC 7606 §3", "occurs more than once");
      else
        fault(d, WW_BGP_ATTRIBUTE_DISCARD, a.type, a.start, "RFC 7606 §3", "occurs more than once");
      continue;
    }
    d->seen[a.type / 64] |= (uint64_t)1 << a.type % 64;
    const struct rule *rule = rule_of(a.type);
    if (rule) {
      if (!read_known(d, &a, rule))
        continue;
    } else if (!(a.flags & WW_ATTR_OPTIONAL)) {
      /* RFC 4271 §6.3: unrecognised well-known attribute; RFC 7606 leaves that as it was. */
      fault(d, WW_BGP_SESSION_RESET, a.type, a.start, "RFC 4271 §6.3", "unrecognised well-known attribute");
      continue;
    }
    d->kept[d->kept_count++] = a;
  }
}

/* What an UPDATE with these routes must have, once all of it was read. */
static void check_whole(struct decoder *d) {
  struct ww_bgp_update *out = d->out;
  bool reachable = out->announced[0].len || out->announced[1].len || d->other_reachable;
  if (reachable) {
    if (!was_seen(d, WW_ATTR_ORIGIN)) /* RFC 7606 §3 (d), here and below */
      fault(d, WW_BGP_TREAT_AS_WITHDRAW, WW_ATTR_ORIGIN, NULL, "RFC 7606 §3", "missing");
    /* RFC 8205 §3: BGPsec_PATH stands in for AS_PATH. */
    if (!was_seen(d, WW_ATTR_AS_PATH) && !was_seen(d, WW_ATTR_BGPSEC_PATH))
      fault(d, WW_BGP_TREAT_AS_WITHDRAW, WW_ATTR_AS_PATH, NULL, "RFC 7606 §3", "missing");
    if (!was_seen(d, WW_ATTR_NEXT_HOP) && out->announced[0].len && !d->session->next_hop_optional)
      fault(d, WW_BGP_TREAT_AS_WITHDRAW, WW_ATTR_NEXT_HOP, NULL, "RFC 7606 §3", "missing");
  }
  /* RFC 7606 §5.2: attributes, an error, and no reachable NLRI: who knows what was meant to be withdrawn. */
  if (!reachable && out->disposition == WW_BGP_TREAT_AS_WITHDRAW)
    fault(d, WW_BGP_SESSION_RESET, out->bad_attr, NULL, "RFC 7606 §5.2", "error in an UPDATE without reachable NLRI");
}

/* RFC 6793 §4.2.3, the aggregators: decides which of the four attributes of a 2-octet session count. */
static void settle_as4(struct decoder *d) {
  if (d->as4_aggregator && !d->aggregator)
    d->as4_aggregator = NULL; /* CHOICE: the text speaks of both together; alone it says nothing */
  if (d->aggregator && d->as4_aggregator && aggregator_as(d->aggregator) != WW_AS_TRANS) {
    d->as4_aggregator = NULL;
    d->as4_path = NULL;
  }
}

static void write_path_value(const struct decoder *d, struct ww_writer *w) {
  const struct attr *path = d->as_path, *as4 = d->as4_path;
  if (d->session->as4)
    ww_writer_bytes(w, path->value, path->len);
  else if (as4)
    ww_as_path_merge(w, path->value, path->len, as4->value, as4->len);
  else
    ww_as_path_widen(w, path->value, path->len);
}

static void write_header(struct ww_writer *w, uint8_t flags, uint8_t type, size_t len) {
  ww_writer_u8(w, (uint8_t)((flags & ~(WW_ATTR_EXTENDED | FLAGS_UNUSED)) | (len > UINT8_MAX ? WW_ATTR_EXTENDED : 0)));
  ww_writer_u8(w, type);
  if (len > UINT8_MAX)
    ww_writer_u16(w, (uint16_t)len);
  else
    ww_writer_u8(w, (uint8_t)len);
}

static void write_attribute(const struct decoder *d, struct ww_writer *w, const struct attr *a, size_t path_len) {
  if (a == d->as_path) {
    write_header(w, a->flags, a->type, path_len);
    d->out->has_as_path = true;
    d->out->as_path = (struct ww_as_path){.data = w->buf + w->len, .len = path_len};
    write_path_value(d, w);
  } else if (a == d->aggregator && !d->session->as4) {
    const struct attr *from = d->as4_aggregator ? d->as4_aggregator : a;
    write_header(w, a->flags, a->type, 8);
    ww_writer_u32(w, aggregator_as(from));
    ww_writer_bytes(w, from->value + from->len - 4, 4);
  } else if (rule_of(a->type) && a->type != WW_ATTR_BGPSEC_PATH) {
    write_header(w, a->flags, a->type, a->len);
    ww_writer_bytes(w, a->value, a->len);
  } else {
    ww_writer_bytes(w, a->start, (size_t)(a->value - a->start) + a->len);
    if (a->type == WW_ATTR_BGPSEC_PATH) {
      d->out->bgpsec_path = w->buf + w->len - a->len;
      d->out->bgpsec_path_len = a->len;
    }
  }
}

/* `room`: octets of the attributes as received. */
static enum ww_err write_canonical(struct decoder *d, struct ww_arena *arena, size_t room) {
  size_t path_len = 0;
  if (d->as_path) {
    struct ww_writer measure = ww_writer_make(NULL, 0);
    write_path_value(d, &measure);
    path_len = measure.len;
    if (path_len > UINT16_MAX) {
      /* CHOICE: an AS_PATH that no message can carry with 4-octet AS numbers is malformed. */
      fault(d, WW_BGP_TREAT_AS_WITHDRAW, WW_ATTR_AS_PATH, d->as_path->start, "RFC 7606 §7.2", "too long once widened");
      check_whole(d);
      return WW_OK;
    }
  }
  /* Widening at most doubles AS_PATH, AGGREGATOR grows by 2, a header by 1; merging adds at most AS4_PATH's octets. */
  size_t cap = d->session->as4 ? room : 2 * room + 16;
  uint8_t *buf = ww_arena_alloc(arena, cap);
  if (!buf)
    return ww_fail(d->diag, WW_ERR_NOMEM, 0, NULL, "no memory for attributes");
  struct ww_writer w = ww_writer_make(buf, cap);
  for (unsigned i = 0; i < d->kept_count; i++)
    write_attribute(d, &w, &d->kept[i], path_len);
  if (w.overflow)
    return ww_fail(d->diag, WW_ERR_NOMEM, 0, NULL, "attributes outgrew their buffer");
  d->out->attrs = buf;
  d->out->attrs_len = w.len;
  return WW_OK;
}

/* RFC 4724 §2: nothing at all is End-of-RIB of IPv4; an empty MP_UNREACH_NLRI alone is that of its family. */
static void find_eor(struct decoder *d, bool empty_fields, size_t attrs_len) {
  if (!empty_fields || d->out->disposition != WW_BGP_ACCEPT)
    return;
  if (attrs_len == 0) {
    d->out->eor = true;
    d->out->eor_afi = WW_AFI_IPV4;
  } else if (d->attributes == 1 && d->out->withdrawn[1].afi && d->out->withdrawn[1].len == 0) {
    d->out->eor = true;
    d->out->eor_afi = d->out->withdrawn[1].afi;
  }
}

enum ww_err ww_bgp_update_decode(const uint8_t *body, size_t len, const struct ww_bgp_session *session,
                                 struct ww_arena *arena, struct ww_bgp_update *out, struct ww_diag *diag) {
  *out = (struct ww_bgp_update){.origin = 255};
  struct decoder d; /* kept[] and as4[] are large and stay unset */
  d.body = body;
  d.session = session;
  d.out = out;
  d.diag = diag;
  memset(d.seen, 0, sizeof d.seen);
  d.attributes = d.kept_count = 0;
  d.as_path = d.aggregator = d.as4_path = d.as4_aggregator = NULL;
  d.next_hop = NULL;
  d.other_reachable = false;

  struct ww_reader r = ww_reader_make(body, len);
  struct ww_reader withdrawn = ww_reader_sub(&r, ww_reader_u16(&r));
  struct ww_reader attrs = ww_reader_sub(&r, ww_reader_u16(&r));
  size_t withdrawn_len = ww_reader_left(&withdrawn), attrs_len = ww_reader_left(&attrs), nlri_len = ww_reader_left(&r);
  if (r.bad) {
    fault(&d, WW_BGP_SESSION_RESET, 0, r.p, "RFC 7606 §3", "field lengths exceed the message"); /* §3 (b) */
    return WW_OK;
  }
  out->withdrawn[0] = make_nlri(&d, WW_AFI_IPV4, withdrawn);
  out->announced[0] = make_nlri(&d, WW_AFI_IPV4, r);
  /* RFC 7606 §3 (i), (j), §5.3: a field that does not parse leaves nothing to be withdrawn with confidence. */
  if (!ww_nlri_check(&out->withdrawn[0]))
    fault(&d, WW_BGP_SESSION_RESET, 0, withdrawn.p, "RFC 7606 §5.3", "bad prefix in the Withdrawn Routes field");
  if (!ww_nlri_check(&out->announced[0]))
    fault(&d, WW_BGP_SESSION_RESET, 0, r.p, "RFC 7606 §5.3", "bad prefix in the NLRI field");
  read_attributes(&d, attrs);
  check_whole(&d);
  if (!session->as4)
    settle_as4(&d);
  enum ww_err err = WW_OK;
  if (out->disposition < WW_BGP_TREAT_AS_WITHDRAW && d.kept_count)
    err = write_canonical(&d, arena, attrs_len);
  if (out->disposition >= WW_BGP_AFI_SAFI_DISABLE) { /* no route of this message counts */
    *out = (struct ww_bgp_update){.disposition = out->disposition, .bad_attr = out->bad_attr, .origin = 255};
    return err;
  }
  if (out->announced[0].len && d.next_hop) { /* RFC 4760 §3: NEXT_HOP beside MP_REACH_NLRI alone is ignored */
    out->next_hop[0] = d.next_hop;
    out->next_hop_len[0] = 4;
  }
  find_eor(&d, withdrawn_len == 0 && nlri_len == 0, attrs_len);
  return err;
}
