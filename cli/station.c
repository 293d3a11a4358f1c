/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `waywarden station`: a BMP station over TLS 1.3 with mutual authentication, and over plain TCP on a port of its own.
 * Every message becomes a JSON line (or a line of text), or is only counted.
 *
 * One libuv loop. A session is one connection: it gathers octets until a whole BMP message is there, taken straight
 * from what was read where possible. A message that cannot be rendered is said on standard error and passed over; one
 * that breaks the framing ends its session, since nothing after it can be found. The station never sends BMP.
 *
 * Clauses: RFC 7854 §3.2 (the station is silent), §4.1 (unknown types are ignored: they are shown as such);
 * draft-hmntsharma-grow-bmp-over-tls-01 (BMP and BMPS on separate ports).
 */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/arena.h"
#include "base/buf.h"
#include "bmpout/numbers.h"
#include "bmpout/render.h"
#include "daemon/listen.h"
#include "daemon/stream.h"
#include "daemon/tls.h"
#include "wire/bmp.h"
#include "wire/bmp_tlv.h"

enum { SESSIONS_MAX = 1024, COUNT_ARENA_MAX = 4 << 20 };

enum station_format { FORMAT_NDJSON, FORMAT_TEXT };

struct station;

struct session {
  struct station *station;
  struct session *next;
  struct ww_stream *stream;
  struct ww_buf buf; /* the start of a message whose end is still to come */
  struct ww_render_state *state;
  bool tls;
};

struct station {
  uv_loop_t loop;
  struct ww_tls *tls;
  struct ww_listener *listener, *plain_listener;
  uv_signal_t on_term, on_int;
  struct session *sessions;
  size_t session_count;
  enum station_format format;
  bool discard;
  uint64_t count; /* stop after so many messages; 0: never */
  uint32_t pen;
  struct ww_buf out;
  struct ww_arena arena;
  uint64_t messages, bytes, routes, withdrawals, skipped, by_type[256];
  uint64_t first_ns, last_ns;
  bool stopping, output_failed;
};

static void stop(struct station *st);

/* ---- counting, for --discard ---- */

static uint64_t count_nlri(struct ww_nlri nlri) {
  struct ww_prefix prefix;
  uint32_t path_id;
  uint64_t n = 0;
  while (ww_nlri_next(&nlri, &prefix, &path_id))
    n++;
  return n;
}

static void count_update(struct station *st, const uint8_t *pdu, size_t len) {
  struct ww_bgp_session session = {.as4 = true};
  struct ww_bgp_update update;
  ww_arena_reset(&st->arena);
  if (len < WW_BGP_HEADER_LEN || ww_bgp_update_decode(pdu + WW_BGP_HEADER_LEN, len - WW_BGP_HEADER_LEN, &session,
                                                      &st->arena, &update, NULL) != WW_OK)
    return;
  for (int i = 0; i < 2; i++) {
    st->routes += count_nlri(update.announced[i]);
    st->withdrawals += count_nlri(update.withdrawn[i]);
  }
}

/* Route Monitoring of version 3 holds the PDU bare; of version 4, and RPKI_VALIDATION always, in a TLV. */
static void count_message(struct station *st, const struct ww_bmp_header *header, const uint8_t *msg) {
  bool validation = header->type == WW_BMP_RPKI_VALIDATION;
  size_t skip = WW_BMP_HEADER_LEN + WW_BMP_PEER_HEADER_LEN;
  if ((!validation && header->type != WW_BMP_ROUTE_MONITORING) || header->len < skip)
    return;
  if (!validation && header->version == 3) {
    count_update(st, msg + skip, header->len - skip);
    return;
  }
  struct ww_reader r = ww_reader_make(msg + skip, header->len - skip);
  struct ww_tlv tlv;
  while (ww_tlv_next(&r, true, &tlv))
    if (!tlv.enterprise && tlv.type == WW_RM_TLV21_BGP_MESSAGE) { /* the same number in both drafts */
      count_update(st, tlv.value, tlv.len);
      return;
    }
}

/* ---- messages ---- */

static void show_message(struct session *s, const uint8_t *msg, size_t len) {
  struct station *st = s->station;
  struct ww_render_options options = {.pen = st->pen, .state = s->state};
  struct ww_diag diag = {0};
  enum ww_err err = st->format == FORMAT_TEXT ? ww_bmp_render_text(msg, len, &options, &st->out, &diag)
                                              : ww_bmp_render(msg, len, &options, &st->out, &diag);
  if (err == WW_OK)
    return;
  st->skipped++;
  fprintf(stderr, "waywarden station: %s: %s message of %zu octets passed over: at octet %zu: %s\n",
          ww_stream_peer(s->stream), ww_bmp_type_name(msg[5]), len, diag.offset,
          diag.text[0] ? diag.text : ww_err_name(err));
}

/* Takes whole messages off the front; returns the octets taken, or -1 when framing is lost. */
static ssize_t take_messages(struct session *s, const uint8_t *data, size_t len) {
  struct station *st = s->station;
  size_t at = 0;
  while (at < len && !st->stopping) {
    struct ww_bmp_header header;
    struct ww_diag diag = {0};
    enum ww_err err = ww_bmp_frame(data + at, len - at, WW_BMP_MAX_LEN, &header, &diag);
    if (err == WW_ERR_SHORT)
      break;
    if (err != WW_OK) {
      fprintf(stderr, "waywarden station: %s: session closed: %s%s%s\n", ww_stream_peer(s->stream), diag.text,
              diag.clause ? ", " : "", diag.clause ? diag.clause : "");
      return -1;
    }
    if (header.len > len - at)
      break;
    st->messages++;
    st->by_type[header.type]++;
    if (st->discard)
      count_message(st, &header, data + at);
    else
      show_message(s, data + at, header.len);
    at += header.len;
    if (st->count && st->messages >= st->count)
      stop(st);
  }
  return (ssize_t)at;
}

static void flush_output(struct station *st) {
  if (!st->out.len)
    return;
  if (fwrite(ww_buf_head(&st->out), 1, st->out.len, stdout) != st->out.len || fflush(stdout) != 0) {
    st->output_failed = true;
    stop(st);
  }
  ww_buf_clear(&st->out);
}

/* ---- sessions ---- */

static void session_free(struct session *s) {
  for (struct session **at = &s->station->sessions; *at; at = &(*at)->next)
    if (*at == s) {
      *at = s->next;
      s->station->session_count--;
      break;
    }
  ww_render_state_free(s->state);
  ww_buf_fini(&s->buf);
  free(s);
}

static void on_opened(void *ctx) {
  struct session *s = ctx;
  fprintf(stderr, "waywarden station: %s: connected (%s)\n", ww_stream_peer(s->stream), ww_stream_describe(s->stream));
}

static void on_input(void *ctx, const uint8_t *data, size_t len) {
  struct session *s = ctx;
  struct station *st = s->station;
  st->last_ns = uv_hrtime();
  if (!st->first_ns)
    st->first_ns = st->last_ns;
  st->bytes += len;
  ssize_t taken = 0;
  bool lost = false;
  if (s->buf.len) {
    lost = ww_buf_append(&s->buf, data, len) != WW_OK;
    taken = lost ? -1 : take_messages(s, ww_buf_head(&s->buf), s->buf.len);
    if (taken > 0)
      ww_buf_consume(&s->buf, (size_t)taken);
  } else {
    taken = take_messages(s, data, len);
    if (taken >= 0 && (size_t)taken < len && !st->stopping)
      lost = ww_buf_append(&s->buf, data + taken, len - (size_t)taken) != WW_OK;
  }
  flush_output(st);
  if (st->stopping)
    return; /* every session was closed */
  if (taken < 0 || lost) {
    ww_stream_close(s->stream);
    session_free(s);
  }
}

static void on_writable(void *ctx) { (void)ctx; }

static void on_closed(void *ctx, const char *why) {
  struct session *s = ctx;
  fprintf(stderr, "waywarden station: %s: %s%s\n", ww_stream_peer(s->stream), why ? why : "closed by the router",
          s->buf.len ? ", in the middle of a message" : "");
  session_free(s);
}

static void accept_session(struct station *st, int fd, bool tls) {
  struct session *s = st->session_count < SESSIONS_MAX ? calloc(1, sizeof(*s)) : NULL;
  struct ww_stream_events events = {s, on_opened, on_input, on_writable, on_closed};
  if (!s || !(s->state = ww_render_state_new())) {
    fprintf(stderr, "waywarden station: a connection was refused: too many, or no memory\n");
    free(s);
    close(fd);
    return;
  }
  s->station = st;
  s->tls = tls;
  ww_buf_init(&s->buf, 2 * (size_t)WW_BMP_MAX_LEN);
  s->next = st->sessions;
  st->sessions = s;
  st->session_count++;
  s->stream = ww_stream_accept(&st->loop, fd, tls ? st->tls : NULL, &events);
  if (!s->stream)
    session_free(s);
}

static void on_tls(void *ctx, int fd, const struct sockaddr *peer) {
  (void)peer;
  accept_session(ctx, fd, true);
}

static void on_plain(void *ctx, int fd, const struct sockaddr *peer) {
  (void)peer;
  accept_session(ctx, fd, false);
}

/* ---- life ---- */

static void stop(struct station *st) {
  if (st->stopping)
    return;
  st->stopping = true;
  ww_listener_close(st->listener);
  ww_listener_close(st->plain_listener);
  uv_close((uv_handle_t *)&st->on_term, NULL);
  uv_close((uv_handle_t *)&st->on_int, NULL);
  for (struct session *s = st->sessions; s; s = s->next)
    ww_stream_close(s->stream);
}

static void on_signal(uv_signal_t *handle, int number) {
  (void)number;
  stop(handle->data);
}

static void print_summary(const struct station *st) {
  double seconds = st->last_ns > st->first_ns ? (double)(st->last_ns - st->first_ns) / 1e9 : 0;
  printf("{\"messages\":%" PRIu64 ",\"routes\":%" PRIu64 ",\"withdrawals\":%" PRIu64 ",\"bytes\":%" PRIu64
         ",\"seconds\":%.3f,\"by_type\":{",
         st->messages, st->routes, st->withdrawals, st->bytes, seconds);
  const char *comma = "";
  for (int i = 0; i < 256; i++)
    if (st->by_type[i]) {
      printf("%s\"%d\":%" PRIu64, comma, i, st->by_type[i]);
      comma = ",";
    }
  printf("}}\n");
}

static int serve(struct station *st, const char *listen, const char *plain) {
  struct ww_diag diag = {0};
  if (uv_loop_init(&st->loop) != 0)
    return ww_cli_fail("station", "no event loop");
  enum ww_err err = WW_OK;
  if (listen)
    err = ww_listen(&st->loop, listen, on_tls, st, &st->listener, &diag);
  if (err == WW_OK && plain)
    err = ww_listen(&st->loop, plain, on_plain, st, &st->plain_listener, &diag);
  uv_signal_init(&st->loop, &st->on_term);
  uv_signal_init(&st->loop, &st->on_int);
  st->on_term.data = st->on_int.data = st;
  if (err != WW_OK) {
    ww_cli_fail("station", "%s", diag.text);
    stop(st);
  } else {
    uv_signal_start(&st->on_term, on_signal, SIGTERM);
    uv_signal_start(&st->on_int, on_signal, SIGINT);
    if (st->listener)
      fprintf(stderr, "waywarden station: listening on %s (tls)\n", ww_listener_address(st->listener));
    if (st->plain_listener)
      fprintf(stderr, "waywarden station: listening on %s (plain)\n", ww_listener_address(st->plain_listener));
  }
  uv_run(&st->loop, UV_RUN_DEFAULT);
  for (struct session *next, *s = st->sessions; s; s = next) {
    next = s->next;
    session_free(s);
  }
  uv_loop_close(&st->loop);
  if (err != WW_OK)
    return WW_EXIT_FAILED;
  if (st->output_failed)
    return ww_cli_fail("station", "standard output: write failed");
  if (st->discard)
    print_summary(st);
  return WW_EXIT_OK;
}

static int run_station(int argc, char **argv) {
  enum { OPT_LISTEN = 256, OPT_PLAIN, OPT_CERT, OPT_KEY, OPT_CA, OPT_FORMAT, OPT_COUNT, OPT_DISCARD, OPT_PEN };
  static const struct option long_options[] = {
      {"listen", required_argument, NULL, OPT_LISTEN}, {"plain", required_argument, NULL, OPT_PLAIN},
      {"cert", required_argument, NULL, OPT_CERT},     {"key", required_argument, NULL, OPT_KEY},
      {"ca", required_argument, NULL, OPT_CA},         {"format", required_argument, NULL, OPT_FORMAT},
      {"count", required_argument, NULL, OPT_COUNT},   {"discard", no_argument, NULL, OPT_DISCARD},
      {"pen", required_argument, NULL, OPT_PEN},       {NULL, 0, NULL, 0},
  };
  struct station st = {.format = FORMAT_NDJSON, .pen = WW_PEN_EXAMPLE};
  const char *listen = NULL, *plain = NULL;
  struct ww_tls_files files = {0};
  int opt;
  while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
    char *rest = NULL;
    errno = 0;
    switch (opt) {
    case OPT_LISTEN:
      listen = optarg;
      break;
    case OPT_PLAIN:
      plain = optarg;
      break;
    case OPT_CERT:
      files.certificate = optarg;
      break;
    case OPT_KEY:
      files.key = optarg;
      break;
    case OPT_CA:
      files.ca = optarg;
      break;
    case OPT_FORMAT:
      if (strcmp(optarg, "text") == 0)
        st.format = FORMAT_TEXT;
      else if (strcmp(optarg, "ndjson") != 0)
        return ww_cli_usage(&ww_cmd_station, "--format: '%s' is neither ndjson nor text", optarg);
      break;
    case OPT_COUNT:
      st.count = strtoull(optarg, &rest, 10);
      if (errno || *rest || *optarg < '0' || *optarg > '9' || st.count == 0)
        return ww_cli_usage(&ww_cmd_station, "--count: '%s' is not a number from 1", optarg);
      break;
    case OPT_DISCARD:
      st.discard = true;
      break;
    case OPT_PEN: {
      unsigned long long pen = strtoull(optarg, &rest, 10);
      if (errno || *rest || *optarg < '0' || *optarg > '9' || pen == 0 || pen > UINT32_MAX)
        return ww_cli_usage(&ww_cmd_station, "--pen: '%s' is not a number from 1 to 4294967295", optarg);
      st.pen = (uint32_t)pen;
      break;
    }
    default:
      return WW_EXIT_USAGE;
    }
  }
  if (optind < argc)
    return ww_cli_usage(&ww_cmd_station, "'%s': takes options only", argv[optind]);
  if (!listen && !plain)
    return ww_cli_usage(&ww_cmd_station, "say where to listen: --listen, or --plain");
  if (listen && (!files.certificate || !files.key || !files.ca))
    return ww_cli_usage(&ww_cmd_station, "--listen needs --cert, --key and --ca");
  if (!listen && (files.certificate || files.key || files.ca))
    return ww_cli_usage(&ww_cmd_station, "--cert, --key and --ca are for --listen");

  struct ww_diag diag = {0};
  if (listen && ww_tls_new(WW_TLS_SERVER, &files, &st.tls, &diag) != WW_OK)
    return ww_cli_fail("station", "%s", diag.text);
  ww_buf_init(&st.out, 0);
  ww_arena_init(&st.arena, COUNT_ARENA_MAX);
  int code = serve(&st, listen, plain);
  ww_arena_fini(&st.arena);
  ww_buf_fini(&st.out);
  ww_tls_unref(st.tls);
  return code;
}

const struct ww_command ww_cmd_station = {
    .name = "station",
    .synopsis = "--listen ADDR:PORT --cert FILE --key FILE --ca FILE [--plain ADDR:PORT] [OPTION...]",
    .summary = "receive BMP over TLS (BMPS) and print it",
    .help = "  --listen ADDR:PORT      BMPS: TLS 1.3, clients must have a certificate of the CA (port 0: a free one)\n"
            "  --cert FILE             own certificate, with its chain\n"
            "  --key FILE              its key\n"
            "  --ca FILE               roots that clients' certificates must lead to\n"
            "  --plain ADDR:PORT       BMP over plain TCP, on a port of its own\n"
            "  --format ndjson|text    a JSON line for each message (default), or lines to read\n"
            "  --count N               end after N messages\n"
            "  --discard               print nothing but a summary at the end, as JSON\n"
            "  --pen N                 whose RPKI_VALIDATION to read (default 32473)\n",
    .run = run_station,
};
