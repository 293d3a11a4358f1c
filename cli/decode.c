/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `waywarden decode`: octets of BMP, RTR or BGP as they come from a wire, to JSON lines, one for each message.
 *
 * The input is read in pieces and cut into messages as a station would cut them. A message that is sound in its frame
 * but not inside is said on standard error with the place in the input, and the next one is read; when the framing is
 * lost, that is the end. What was decoded before stands, and the exit code is 1.
 */
#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bmpout/json.h"
#include "bmpout/numbers.h"
#include "bmpout/render.h"
#include "wire/rtr.h"

enum { PIECE = 1 << 16, JSON_ARENA_MAX = 16 << 20 };

enum protocol { PROTOCOL_GUESS, PROTOCOL_BMP, PROTOCOL_RTR, PROTOCOL_BGP };

struct decoding {
  const char *name; /* of the input, for messages */
  enum protocol protocol;
  uint32_t pen;
  struct ww_render_state *state;
  struct ww_bgp_session bgp;
  struct ww_buf in, out;
  uint64_t at; /* octets of the input before `in` */
  bool faulty;
};

static void complain(struct decoding *d, const struct ww_diag *diag, enum ww_err err) {
  fprintf(stderr, "waywarden decode: %s: at octet %llu: %s", d->name, (unsigned long long)d->at + diag->offset,
          diag->text[0] ? diag->text : ww_err_name(err));
  if (diag->clause)
    fprintf(stderr, " (%s)", diag->clause);
  fputc('\n', stderr);
  d->faulty = true;
}

/* --- RTR ------------------------------------------------------------------------------------------------------------
 */

/* "End of Data" as JSON has its words: end-of-data. */
static void word(struct ww_json *j, const char *key, const char *name) {
  char text[64];
  size_t n = 0;
  for (; name && name[n] && n + 1 < sizeof text; n++)
    text[n] = name[n] == ' ' ? '-' : (char)tolower((unsigned char)name[n]);
  text[n] = '\0';
  ww_json_str(j, key, name ? text : NULL);
}

static void rtr_flags(struct ww_json *j, bool announce) {
  ww_json_str(j, "action", announce ? "announce" : "withdraw");
}

static void rtr_members(struct ww_json *j, const struct ww_rtr_pdu *p) {
  switch (p->type) {
  case WW_RTR_SERIAL_NOTIFY:
  case WW_RTR_SERIAL_QUERY:
    ww_json_num(j, "session", p->session);
    ww_json_num(j, "serial", p->u.serial.serial);
    break;
  case WW_RTR_CACHE_RESPONSE:
    ww_json_num(j, "session", p->session);
    break;
  case WW_RTR_END_OF_DATA:
    ww_json_num(j, "session", p->session);
    ww_json_num(j, "serial", p->u.eod.serial);
    if (p->u.eod.timers) {
      ww_json_num(j, "refresh", p->u.eod.refresh);
      ww_json_num(j, "retry", p->u.eod.retry);
      ww_json_num(j, "expire", p->u.eod.expire);
    }
    break;
  case WW_RTR_IPV4_PREFIX:
  case WW_RTR_IPV6_PREFIX:
    rtr_flags(j, p->u.prefix.announce);
    ww_json_prefix(j, "prefix", &p->u.prefix.vrp.prefix);
    ww_json_num(j, "maxLength", p->u.prefix.vrp.max_len);
    ww_json_num(j, "asn", p->u.prefix.vrp.asn);
    if (p->u.prefix.host_bits)
      ww_json_bool(j, "host_bits", true);
    break;
  case WW_RTR_ROUTER_KEY:
    rtr_flags(j, p->u.key.announce);
    ww_json_num(j, "asn", p->u.key.key.asn);
    ww_json_hex(j, "SKI", p->u.key.key.ski, WW_SKI_LEN);
    ww_json_hex(j, "routerPublicKey", p->u.key.key.spki, p->u.key.key.spki_len);
    break;
  case WW_RTR_ASPA: {
    struct ww_reader providers = ww_reader_make(p->u.aspa.providers, (size_t)p->u.aspa.provider_count * 4);
    rtr_flags(j, p->u.aspa.announce);
    ww_json_num(j, "customer", p->u.aspa.customer);
    ww_json_open_array(j, "providers");
    while (ww_reader_left(&providers))
      ww_json_num(j, NULL, ww_reader_u32(&providers));
    ww_json_close_array(j);
    if (p->u.aspa.old_layout)
      ww_json_bool(j, "old_layout", true);
    break;
  }
  case WW_RTR_ERROR_REPORT:
    ww_json_num(j, "error", p->u.error.code);
    word(j, "error_name", ww_rtr_error_name(p->u.error.code));
    ww_json_hex(j, "pdu", p->u.error.pdu, p->u.error.pdu_len);
    ww_json_text(j, "text", p->u.error.text, p->u.error.text_len);
    break;
  default:
    break;
  }
}

static enum ww_err rtr_render(const struct ww_rtr_pdu *pdu, struct ww_buf *out) {
  struct ww_arena arena;
  struct ww_json j;
  enum ww_err err = WW_ERR_NOMEM;
  ww_arena_init(&arena, JSON_ARENA_MAX);
  if (ww_json_begin(&j, &arena)) {
    ww_json_open(&j, NULL);
    ww_json_num(&j, "version", pdu->version);
    word(&j, "type", ww_rtr_type_name(pdu->type));
    ww_json_num(&j, "code", pdu->type);
    ww_json_num(&j, "length", pdu->len);
    rtr_members(&j, pdu);
    ww_json_close(&j);
    err = ww_json_end(&j, out);
  }
  ww_arena_fini(&arena);
  return err;
}

/* --- one message off the front: each returns WW_ERR_SHORT for "more octets are needed"
 * -------------------------------- */

static enum ww_err take_rtr(struct decoding *d, const uint8_t *data, size_t avail, size_t *len, struct ww_diag *diag) {
  struct ww_rtr_pdu pdu;
  uint16_t code;
  enum ww_err err = ww_rtr_decode(data, avail, &pdu, &code, diag);
  if (err != WW_OK)
    return err;
  *len = pdu.len;
  return rtr_render(&pdu, &d->out);
}

static enum ww_err take_bmp(struct decoding *d, const uint8_t *data, size_t avail, size_t *len, struct ww_diag *diag) {
  struct ww_bmp_header header;
  enum ww_err err = ww_bmp_frame(data, avail, WW_BMP_MAX_LEN, &header, diag);
  if (err != WW_OK)
    return err;
  if (header.len > avail)
    return ww_fail(diag, WW_ERR_SHORT, avail, "RFC 7854 §4.1", "message of %u octets cut off after %zu", header.len,
                   avail);
  struct ww_render_options options = {.pen = d->pen, .state = d->state};
  *len = header.len;
  err = ww_bmp_render(data, header.len, &options, &d->out, diag);
  if (err == WW_OK || err == WW_ERR_NOMEM)
    return err;
  complain(d, diag, err);
  return WW_OK;
}

/* RFC 6793 §4.1: 4-octet AS numbers only between two that have said so; of a stream both OPENs may be there, or none.
 */
static void learn_open(struct decoding *d, const uint8_t *msg, size_t len) {
  struct ww_arena arena;
  struct ww_bgp_open open;
  ww_arena_init(&arena, JSON_ARENA_MAX);
  if (ww_bgp_open_decode(msg, len, &arena, &open, NULL) == WW_OK && !open.as4)
    d->bgp.as4 = false;
  ww_arena_fini(&arena);
}

static enum ww_err take_bgp(struct decoding *d, const uint8_t *data, size_t avail, size_t *len, struct ww_diag *diag) {
  uint8_t type;
  enum ww_err err = ww_bgp_frame(data, avail, WW_BGP_MAX_LEN_EXTENDED, len, &type, diag);
  if (err != WW_OK)
    return err;
  if (*len > avail)
    return ww_fail(diag, WW_ERR_SHORT, avail, "RFC 4271 §4.1", "message of %zu octets cut off after %zu", *len, avail);
  if (type == WW_BGP_OPEN)
    learn_open(d, data, *len);
  err = ww_bgp_render(data, *len, &d->bgp, &d->out, diag);
  if (err == WW_OK || err == WW_ERR_NOMEM)
    return err;
  complain(d, diag, err);
  return WW_OK;
}

/* A BGP message begins with sixteen octets of ones, BMP with version 3 or 4, RTR with version 0, 1 or 2. */
static enum protocol guess(uint8_t first) {
  if (first == 0xff)
    return PROTOCOL_BGP;
  return first == 3 || first == 4 ? PROTOCOL_BMP : PROTOCOL_RTR;
}

static enum ww_err take(struct decoding *d, size_t *len, struct ww_diag *diag) {
  const uint8_t *data = ww_buf_head(&d->in);
  if (d->protocol == PROTOCOL_GUESS)
    d->protocol = guess(data[0]);
  switch (d->protocol) {
  case PROTOCOL_RTR:
    return take_rtr(d, data, d->in.len, len, diag);
  case PROTOCOL_BGP:
    return take_bgp(d, data, d->in.len, len, diag);
  default:
    return take_bmp(d, data, d->in.len, len, diag);
  }
}

static void put_out(struct decoding *d) {
  if (d->out.len)
    fwrite(ww_buf_head(&d->out), 1, d->out.len, stdout);
  ww_buf_clear(&d->out);
}

/* Takes all whole messages. False: there is no going on. */
static bool take_all(struct decoding *d, bool at_end) {
  while (d->in.len) {
    size_t len = 0;
    struct ww_diag diag = {0};
    enum ww_err err = take(d, &len, &diag);
    if (err == WW_ERR_SHORT && !at_end)
      break;
    if (err != WW_OK) {
      complain(d, &diag, err);
      return false;
    }
    ww_buf_consume(&d->in, len);
    d->at += len;
    if (d->out.len >= PIECE)
      put_out(d);
  }
  return true;
}

static int decode_file(struct decoding *d, FILE *file) {
  bool go_on = true;
  for (size_t n = 1; go_on && n;) {
    uint8_t *p = ww_buf_reserve(&d->in, PIECE);
    if (!p)
      return ww_cli_fail("decode", "%s: memory ran out", d->name);
    n = fread(p, 1, PIECE, file);
    ww_buf_commit(&d->in, n);
    if (n == 0 && ferror(file)) {
      ww_cli_fail("decode", "%s: %s", d->name, strerror(errno));
      d->faulty = true;
    }
    go_on = take_all(d, n == 0);
  }
  put_out(d);
  return d->faulty ? WW_EXIT_FAILED : WW_EXIT_OK;
}

static int run(int argc, char **argv);

const struct ww_command ww_cmd_decode = {
    .name = "decode",
    .synopsis = "[--as bmp|rtr|bgp] [--pen N] FILE|-",
    .summary = "turn octets of BMP, RTR or BGP into JSON lines",
    .help = "  --as PROTOCOL  bmp, rtr or bgp; by default the first octet tells\n"
            "  --pen N        enterprise number of RPKI_VALIDATION messages to read (default 32473)\n"
            "\n"
            "Errors name the octet of the input; what was decoded before them stands, and the exit code is 1.\n",
    .run = run,
};

static bool parse_protocol(const char *text, enum protocol *out) {
  static const char *const names[] = {NULL, "bmp", "rtr", "bgp"};
  for (unsigned i = 1; i < sizeof names / sizeof names[0]; i++)
    if (strcmp(text, names[i]) == 0) {
      *out = (enum protocol)i;
      return true;
    }
  return false;
}

static bool parse_number(const char *text, uint32_t *out) {
  char *end;
  errno = 0;
  unsigned long long n = strtoull(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end || errno || n > UINT32_MAX)
    return false;
  *out = (uint32_t)n;
  return true;
}

static int run(int argc, char **argv) {
  static const struct option options[] = {
      {"as", required_argument, NULL, 'a'}, {"pen", required_argument, NULL, 'p'}, {NULL, 0, NULL, 0}};
  struct decoding d = {.pen = WW_PEN_EXAMPLE, .bgp = {.as4 = true, .confed = true}};
  opterr = 0;
  for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    if (c == 'a' && parse_protocol(optarg, &d.protocol))
      continue;
    if (c == 'p' && parse_number(optarg, &d.pen))
      continue;
    if (c == '?')
      return ww_cli_usage(&ww_cmd_decode, "no such option, or its value is missing: %s", argv[optind - 1]);
    return ww_cli_usage(&ww_cmd_decode, c == 'a' ? "--as: '%s' is not bmp, rtr or bgp" : "--pen: '%s' is no number",
                        optarg);
  }
  if (argc - optind != 1)
    return ww_cli_usage(&ww_cmd_decode, "one FILE, or - for standard input");
  d.name = argv[optind];
  bool standard_input = strcmp(d.name, "-") == 0;
  FILE *file = standard_input ? stdin : fopen(d.name, "rb");
  if (!file)
    return ww_cli_fail("decode", "%s: %s", d.name, strerror(errno));
  if (standard_input)
    d.name = "standard input";
  ww_buf_init(&d.in, 0);
  ww_buf_init(&d.out, 0);
  d.state = ww_render_state_new();
  int code = d.state ? decode_file(&d, file) : ww_cli_fail("decode", "memory ran out");
  ww_render_state_free(d.state);
  ww_buf_fini(&d.in);
  ww_buf_fini(&d.out);
  if (!standard_input)
    fclose(file);
  return code;
}
