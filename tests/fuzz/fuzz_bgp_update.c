/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ww_bgp_update_decode(): the first octet chooses the session, the rest is the UPDATE's body. Whatever decodes must be
 * canonical and survive the way back: written as an UPDATE and decoded again it gives the same.
 */
#include "wire/bgp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition))                                                                                                  \
      abort();                                                                                                         \
  } while (0)

/* All prefixes of a run: at most one for each of its octets. */
static size_t read_items(struct ww_nlri nlri, struct ww_bgp_nlri_item *items) {
  size_t n = 0, max = nlri.len;
  while (n < max && ww_nlri_next(&nlri, &items[n].prefix, &items[n].path_id)) {
    CHECK(items[n].prefix.afi == nlri.afi && ww_prefix_is_canonical(&items[n].prefix));
    n++;
  }
  CHECK(nlri.len == 0);
  return n;
}

/* The attributes are valid wire form, each type once, and the path lies where it should. */
static void check_attributes(const struct ww_bgp_update *u) {
  bool seen[256] = {false}, path_found = false;
  struct ww_reader r = ww_reader_make(u->attrs, u->attrs_len);
  while (ww_reader_left(&r)) {
    uint8_t flags = ww_reader_u8(&r), type = ww_reader_u8(&r);
    size_t len = flags & WW_ATTR_EXTENDED ? ww_reader_u16(&r) : ww_reader_u8(&r);
    struct ww_reader value = ww_reader_sub(&r, len);
    CHECK(!r.bad && !seen[type]);
    seen[type] = true;
    CHECK(type != WW_ATTR_MP_REACH && type != WW_ATTR_MP_UNREACH && type != WW_ATTR_NEXT_HOP &&
          type != WW_ATTR_AS4_PATH && type != WW_ATTR_AS4_AGGREGATOR);
    if (type == WW_ATTR_AS_PATH) {
      path_found = true;
      CHECK(u->as_path.data == value.p && u->as_path.len == len);
    }
  }
  CHECK(path_found == u->has_as_path);
  struct ww_as_path path = u->as_path;
  for (struct ww_as_segment s; ww_as_path_next(&path, &s);)
    CHECK(s.count > 0 && s.type >= WW_SEG_AS_SET && s.type <= WW_SEG_CONFED_SET);
  CHECK(path.len == 0);
}

static void round_trip(const struct ww_bgp_update *u, unsigned which, const struct ww_bgp_session *session,
                       const struct ww_bgp_nlri_item *items, size_t count, struct ww_bgp_nlri_item *again) {
  static uint8_t buf[WW_BGP_MAX_LEN_EXTENDED];
  struct ww_writer w = ww_writer_make(buf, sizeof buf);
  ww_bgp_update_write(&w, u->announced[which].afi, u->attrs, u->attrs_len, u->next_hop[which], u->next_hop_len[which],
                      u->announced[which].add_path, items, count);
  if (w.overflow)
    return; /* grew over what a message holds */
  size_t len;
  uint8_t type;
  CHECK(ww_bgp_frame(buf, w.len, sizeof buf, &len, &type, NULL) == WW_OK && len == w.len && type == WW_BGP_UPDATE);
  struct ww_bgp_session canonical = *session;
  canonical.as4 = true;
  struct ww_arena arena;
  ww_arena_init(&arena, 0);
  struct ww_bgp_update v;
  CHECK(ww_bgp_update_decode(buf + WW_BGP_HEADER_LEN, len - WW_BGP_HEADER_LEN, &canonical, &arena, &v, NULL) == WW_OK);
  CHECK(v.disposition == WW_BGP_ACCEPT && v.attrs_len == u->attrs_len && v.origin == u->origin);
  CHECK(u->attrs_len == 0 || memcmp(v.attrs, u->attrs, u->attrs_len) == 0);
  unsigned where = v.announced[0].len ? 0 : 1;
  if (u->next_hop[which])
    CHECK(v.next_hop_len[where] == u->next_hop_len[which] &&
          memcmp(v.next_hop[where], u->next_hop[which], u->next_hop_len[which]) == 0);
  CHECK(read_items(v.announced[where], again) == count);
  for (size_t i = 0; i < count; i++)
    CHECK(ww_prefix_compare(&items[i].prefix, &again[i].prefix) == 0 && items[i].path_id == again[i].path_id);
  ww_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1 || size > WW_BGP_MAX_LEN_EXTENDED - WW_BGP_HEADER_LEN + 1)
    return 0;
  struct ww_bgp_session session = {
      .as4 = data[0] & 1,
      .add_path_ipv4 = data[0] & 2,
      .add_path_ipv6 = data[0] & 4,
      .ebgp = data[0] & 8,
      .confed = data[0] & 16,
      .empty_mandatory = data[0] & 32,
  };
  size_t len = size - 1;
  uint8_t *body = malloc(len ? len : 1);
  struct ww_bgp_nlri_item *items = malloc(2 * size * sizeof *items);
  if (!body || !items)
    abort();
  if (len)
    memcpy(body, data + 1, len);
  struct ww_arena arena;
  ww_arena_init(&arena, 0);
  struct ww_bgp_update u;
  struct ww_diag why = {0};
  CHECK(ww_bgp_update_decode(body, len, &session, &arena, &u, &why) == WW_OK);
  CHECK((u.disposition == WW_BGP_ACCEPT) == (why.text[0] == '\0'));
  for (unsigned i = 0; i < 2; i++) {
    (void)read_items(u.withdrawn[i], items);
    size_t count = read_items(u.announced[i], items);
    /* An ORIGIN that may be empty (RFC 8671 §5.2) is left out, and would be missing. */
    if (u.disposition < WW_BGP_TREAT_AS_WITHDRAW && count && !(session.empty_mandatory && u.origin == 255))
      round_trip(&u, i, &session, items, count, items + size);
  }
  if (u.disposition >= WW_BGP_TREAT_AS_WITHDRAW)
    CHECK(u.attrs_len == 0 && !u.has_as_path);
  check_attributes(&u);
  CHECK(!u.eor || (!u.withdrawn[0].len && !u.withdrawn[1].len && !u.announced[0].len && !u.announced[1].len));
  ww_arena_fini(&arena);
  free(items);
  free(body);
  return 0;
}
