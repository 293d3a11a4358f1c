/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From an RTR cache to the first verdict: a thread plays a cache that sends a prepared set at full speed over loopback;
 * the client machine takes it, the store commits it to disk, the snapshot is built, a route is validated. Beside it
 * Debian's librtr synchronises from the same thread and validates the same route.
 *
 *   bench_rtr_sync [VRPS.csv]
 *
 * Without a file it makes 700000 VRPs, spread as those of bench/gen_vrps.py, from a fixed seed, and sends them in no
 * order. A file has lines `asn,prefix,maxLength[,...]`. The store is made under $TMPDIR, else /tmp. Times are wall
 * clock, the best of several rounds.
 */
#include "sources/rtr_client.h"
#include "store/store.h"
#include "wire/rtr.h"
#include <waywarden/snapshot.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifdef WW_HAVE_RTRLIB
#include <rtrlib/rtrlib.h>
#endif

enum { VRPS = 700000, ROUNDS = 5, CHUNK = 65536, SESSION = 4711, SERIAL = 1, DELTA = 1000, DELTA_ROUNDS = 20 };

static void die(const char *fmt, ...) WW_PRINTF(1, 2) __attribute__((noreturn));
static void die(const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  fputs("bench_rtr_sync: ", stderr);
  vfprintf(stderr, fmt, args);
  fputc('\n', stderr);
  va_end(args);
  exit(1);
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct ww_now now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (struct ww_now){.mono = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000, .unix_sec = time(NULL)};
}

/* ------------------------------------------------------------------ the set */

static uint64_t state = 8210;

static uint32_t pick(uint32_t n) { /* xorshift64*; 0..n-1 */
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (uint32_t)((state * 0x2545f4914f6cdd1du >> 33) % n);
}

static uint8_t weighted(const uint8_t (*table)[2], size_t count) {
  uint32_t sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += table[i][1];
  uint32_t at = pick(sum);
  for (size_t i = 0; i < count; i++) {
    if (at < table[i][1])
      return table[i][0];
    at -= table[i][1];
  }
  return table[0][0];
}

static struct ww_vrp make_vrp(bool v6) {
  static const uint8_t v4_lengths[][2] = {{24, 58}, {23, 9}, {22, 13}, {21, 5}, {20, 6},
                                          {19, 4},  {18, 2}, {17, 1},  {16, 2}};
  static const uint8_t v6_lengths[][2] = {{32, 25}, {48, 45}, {40, 8}, {44, 7}, {36, 6}, {33, 2}, {35, 2}, {46, 5}};
  struct ww_vrp vrp = {.prefix = {.afi = v6 ? WW_AFI_IPV6 : WW_AFI_IPV4}};
  vrp.prefix.len = v6 ? weighted(v6_lengths, sizeof(v6_lengths) / 2) : weighted(v4_lengths, sizeof(v4_lengths) / 2);
  for (size_t i = 0; i < 6; i++)
    vrp.prefix.addr[i] = (uint8_t)pick(256);
  if (v6)
    vrp.prefix.addr[0] = (uint8_t)(0x20 + pick(12));
  else
    vrp.prefix.addr[0] = (uint8_t)(1 + pick(223));
  if (!v6)
    vrp.prefix.addr[4] = vrp.prefix.addr[5] = 0;
  ww_prefix_mask(&vrp.prefix);
  uint8_t top = v6 ? 48 : 24;
  uint32_t kind = pick(100); /* 75 % exact, 15 % up to /24 or /48, 10 % in between */
  vrp.max_len = vrp.prefix.len;
  if (kind >= 90)
    vrp.max_len = (uint8_t)(vrp.prefix.len + pick(top - vrp.prefix.len + 1u));
  else if (kind >= 75)
    vrp.max_len = top;
  uint32_t rank = (uint32_t)((uint64_t)pick(75000) * pick(75000) / 75000); /* few hold many */
  vrp.asn = rank < 60000 ? 1 + rank : 131072 + rank;
  return vrp;
}

static void make_set(struct ww_payloads *set) {
  for (bool v6 = false;; v6 = true) {
    size_t want = v6 ? VRPS : VRPS / 5 * 4;
    while (set->vrp_count < want) {
      while (set->vrp_count < want) {
        struct ww_vrp vrp = make_vrp(v6);
        if (ww_payloads_add_vrp(set, &vrp))
          die("cannot make the set");
      }
      if (ww_payloads_sort(set)) /* drops what was made twice */
        die("no memory");
    }
    if (v6)
      return;
  }
}

static void load_set(struct ww_payloads *set, const char *file) {
  FILE *f = fopen(file, "r");
  if (!f)
    die("%s: %s", file, strerror(errno));
  char text[256];
  for (size_t line = 1; fgets(text, sizeof(text), f); line++) {
    struct ww_vrp vrp = {0};
    char *save, *asn = strtok_r(text, ",\r\n", &save), *prefix = strtok_r(NULL, ",\r\n", &save),
                *max_len = strtok_r(NULL, ",\r\n", &save);
    if (!max_len || ww_asn_parse(asn, &vrp.asn) || ww_prefix_parse(prefix, &vrp.prefix))
      die("%s:%zu: not asn,prefix,maxLength", file, line);
    vrp.max_len = (uint8_t)atoi(max_len);
    if (ww_payloads_add_vrp(set, &vrp))
      die("%s:%zu: not a VRP", file, line);
  }
  fclose(f);
  if (ww_payloads_sort(set))
    die("no memory");
}

static void shuffle(struct ww_payloads *set) {
  for (size_t i = set->vrp_count; i > 1; i--) {
    size_t j = pick((uint32_t)i);
    struct ww_vrp vrp = set->vrps[i - 1];
    set->vrps[i - 1] = set->vrps[j];
    set->vrps[j] = vrp;
  }
}

/* ------------------------------------------------------------------ the cache */

static uint8_t *stream; /* Cache Response to End of Data, version 1 */
static size_t stream_len;
static int listener = -1;
static uint16_t port;

static void encode(const struct ww_payloads *set) {
  size_t cap = 64 + set->vrp_count * 32;
  stream = malloc(cap);
  if (!stream)
    die("no memory");
  struct ww_writer w = ww_writer_make(stream, cap);
  struct ww_rtr_pdu pdu = {.version = WW_RTR_V1, .type = WW_RTR_CACHE_RESPONSE, .session = SESSION};
  ww_rtr_write(&w, &pdu);
  for (size_t i = 0; i < set->vrp_count; i++) {
    pdu.type = set->vrps[i].prefix.afi == WW_AFI_IPV4 ? WW_RTR_IPV4_PREFIX : WW_RTR_IPV6_PREFIX;
    pdu.u.prefix.announce = true;
    pdu.u.prefix.vrp = set->vrps[i];
    ww_rtr_write(&w, &pdu);
  }
  pdu = (struct ww_rtr_pdu){.version = WW_RTR_V1,
                            .type = WW_RTR_END_OF_DATA,
                            .session = SESSION,
                            .u.eod = {.serial = SERIAL, .refresh = 3600, .retry = 600, .expire = 7200, .timers = true}};
  ww_rtr_write(&w, &pdu);
  if (w.overflow)
    die("the stream does not fit");
  stream_len = w.len;
}

/* Answers the first query of each connection with the stream, then waits until the router leaves. */
static void *cache_main(void *unused) {
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0)
      return unused;
    uint8_t query[64];
    if (recv(fd, query, sizeof(query), 0) > 0) {
      for (size_t at = 0; at < stream_len;) {
        ssize_t n = send(fd, stream + at, stream_len - at, MSG_NOSIGNAL);
        if (n <= 0)
          break;
        at += (size_t)n;
      }
      while (recv(fd, query, sizeof(query), 0) > 0)
        ;
    }
    close(fd);
  }
}

static void cache_listen(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(at);
  listener = socket(AF_INET, SOCK_STREAM, 0);
  /* Through void: the sockets API takes one struct for another. */
  if (listener < 0 || bind(listener, (void *)&at, len) || listen(listener, 8) ||
      getsockname(listener, (void *)&at, &len))
    die("listen: %s", strerror(errno));
  port = ntohs(at.sin_port);
}

static int cache_connect(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (void *)&at, sizeof(at)))
    die("connect: %s", strerror(errno));
  return fd;
}

/* ------------------------------------------------------------------ our side */

struct router {
  struct ww_rtr_client *client;
  struct ww_rtr_update update;
  bool done;
};

static void on_update(void *ctx, struct ww_rtr_update *update) {
  struct router *r = ctx;
  r->update = *update;
  r->done = true;
}

static void on_flush(void *ctx, const char *why) {
  (void)ctx;
  die("flush: %s", why);
}

static void router_open(struct router *r) {
  *r = (struct router){0};
  struct ww_rtr_client_config config = {.name = "bench", .max_version = WW_RTR_V1};
  struct ww_rtr_client_events events = {.ctx = r, .update = on_update, .flush = on_flush};
  r->client = ww_rtr_client_new(&config, NULL, &events, NULL, now());
  if (!r->client || ww_rtr_client_tick(r->client, now()) != WW_RTR_CONNECT)
    die("the machine does not start");
}

static void router_query(struct router *r, int fd) {
  if (ww_rtr_client_connected(r->client, now()) != WW_RTR_STAY)
    die("the machine does not ask");
  struct ww_buf *out = ww_rtr_client_output(r->client);
  if (fd >= 0 && send(fd, ww_buf_head(out), out->len, MSG_NOSIGNAL) != (ssize_t)out->len)
    die("send: %s", strerror(errno));
  ww_buf_consume(out, out->len);
}

static void router_close(struct router *r) {
  ww_rtr_client_free(r->client);
  ww_payload_delta_fini(&r->update.delta);
}

/* The decoder alone, and the machine without a socket. */
static void in_memory(size_t records) {
  double decode = 1e9, machine = 1e9;
  for (int round = 0; round < ROUNDS; round++) {
    double begin = seconds();
    size_t pdus = 0;
    uint32_t sum = 0;
    for (size_t at = 0; at < stream_len; pdus++) {
      struct ww_rtr_pdu pdu;
      uint16_t code;
      if (ww_rtr_decode(stream + at, stream_len - at, &pdu, &code, NULL))
        die("our own stream does not decode");
      sum += pdu.u.prefix.vrp.asn;
      at += pdu.len;
    }
    double took = seconds() - begin;
    if (pdus != records + 2 || !sum)
      die("%zu PDUs of %zu", pdus, records + 2);
    if (took < decode)
      decode = took;

    struct router r;
    router_open(&r);
    router_query(&r, -1);
    begin = seconds();
    struct ww_now t = now();
    for (size_t at = 0; at < stream_len; at += CHUNK)
      if (ww_rtr_client_input(r.client, stream + at, stream_len - at < CHUNK ? stream_len - at : CHUNK, t))
        die("refused");
    took = seconds() - begin;
    if (!r.done || r.update.delta.announce.vrp_count != records)
      die("no complete update");
    if (took < machine)
      machine = took;
    router_close(&r);
  }
  printf("decode alone          %8.4f s  %6.1f M PDU/s\n", decode, (double)records / decode / 1e6);
  printf("machine, no socket    %8.4f s  %6.1f M PDU/s, with sorting\n", machine, (double)records / machine / 1e6);
}

struct parts {
  double receive, commit, index, verdict, total;
  double delta_best, delta_worst, delta_cpu; /* of DELTA records */
};

static void remove_store(const char *dir) {
  static const char *const files[] = {"data.mdb", "lock.mdb", ""};
  char path[512];
  for (size_t i = 0; files[i][0]; i++) {
    snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
    unlink(path);
  }
  rmdir(dir);
}

/* ------------------------------------------------------------------ a delta */

/* Withdraws DELTA / 2 of the records held and announces as many that are not; over and over, so that each round finds
 * the same state. The octets of one response, from the serial before to `serial`. */
static size_t encode_delta(uint8_t *to, size_t cap, const struct ww_payloads *set, uint32_t serial) {
  bool there = serial % 2;
  struct ww_writer w = ww_writer_make(to, cap);
  struct ww_rtr_pdu pdu = {.version = WW_RTR_V1, .type = WW_RTR_CACHE_RESPONSE, .session = SESSION};
  ww_rtr_write(&w, &pdu);
  size_t step = set->vrp_count / DELTA;
  for (size_t i = 0; i < DELTA; i++) {
    pdu.u.prefix.vrp = set->vrps[i * step];
    bool stranger = i % 2;
    if (stranger) /* an AS that make_vrp() does not give */
      pdu.u.prefix.vrp.asn = 4200000000u + (uint32_t)i;
    pdu.type = pdu.u.prefix.vrp.prefix.afi == WW_AFI_IPV4 ? WW_RTR_IPV4_PREFIX : WW_RTR_IPV6_PREFIX;
    pdu.u.prefix.announce = stranger ? !there : there;
    ww_rtr_write(&w, &pdu);
  }
  pdu = (struct ww_rtr_pdu){.version = WW_RTR_V1,
                            .type = WW_RTR_END_OF_DATA,
                            .session = SESSION,
                            .u.eod = {.serial = serial, .refresh = 3600, .retry = 600, .expire = 7200, .timers = true}};
  ww_rtr_write(&w, &pdu);
  if (w.overflow)
    die("the delta does not fit");
  return w.len;
}

struct delta_time {
  double best, worst, cpu; /* cpu: the least of a round */
};

static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* From the first octet of the response to the snapshot that has it: decoded, collected, on disk, indexed. */
static struct delta_time deltas(struct router *r, struct ww_store *store, struct ww_source_record *source,
                                struct ww_snapshot **snapshot, const struct ww_payloads *set) {
  static uint8_t octets[DELTA * 32 + 64];
  struct delta_time out = {.best = 1e9, .cpu = 1e9};
  struct ww_now t = now();
  for (uint32_t serial = SERIAL + 1; serial <= SERIAL + DELTA_ROUNDS; serial++) {
    size_t len = encode_delta(octets, sizeof(octets), set, serial);
    t.mono += 3600 * 1000; /* the Refresh Interval */
    t.unix_sec += 3600;
    struct ww_buf *query = ww_rtr_client_output(r->client);
    if (ww_rtr_client_tick(r->client, t) != WW_RTR_STAY || !query->len)
      die("the machine does not ask for a delta");
    ww_buf_consume(query, query->len);
    r->done = false;
    ww_payload_delta_fini(&r->update.delta);
    uint32_t epoch;
    struct ww_diag diag;
    struct ww_payload_delta delta = {0};
    struct ww_snapshot *next;
    double begin = seconds(), cpu = cpu_seconds();
    if (ww_rtr_client_input(r->client, octets, len, t) != WW_RTR_STAY || !r->done || r->update.full)
      die("the delta is refused");
    source->rtr_serial = r->update.serial;
    if (ww_store_commit_delta(store, source, &r->update.delta, NULL, NULL, &delta, &epoch, &diag))
      die("store: %s", diag.text);
    if (ww_snapshot_apply(*snapshot, &delta, epoch, true, &next))
      die("no snapshot");
    double took = seconds() - begin;
    cpu = cpu_seconds() - cpu;
    if (delta.announce.vrp_count + delta.withdraw.vrp_count != DELTA ||
        ww_rtr_client_committed(r->client, true, 0, t) != WW_RTR_STAY)
      die("a delta of %zu and %zu", delta.announce.vrp_count, delta.withdraw.vrp_count);
    ww_snapshot_unref(*snapshot);
    *snapshot = next;
    ww_payload_delta_fini(&delta);
    out.best = took < out.best ? took : out.best;
    out.worst = took > out.worst ? took : out.worst;
    out.cpu = cpu < out.cpu ? cpu : out.cpu;
  }
  return out;
}

static enum ww_state ask(const struct ww_snapshot *snapshot, const struct ww_vrp *vrp) {
  enum ww_reason reason;
  return ww_origin_validate(snapshot, &vrp->prefix, (struct ww_origin){.asn = vrp->asn}, &reason);
}

static struct parts full_way(const struct ww_payloads *set, const struct ww_vrp *probe, unsigned store_flags) {
  size_t records = set->vrp_count;
  const char *base = getenv("TMPDIR");
  char dir[256];
  snprintf(dir, sizeof(dir), "%s/ww-bench-rtr-XXXXXX", base ? base : "/tmp");
  if (!mkdtemp(dir))
    die("mkdtemp: %s", strerror(errno));
  struct ww_diag diag;
  struct ww_store *store;
  struct ww_source_record source;
  if (ww_store_open(dir, store_flags, &store, &diag) || ww_store_source(store, "bench", WW_SOURCE_RTR, &source, &diag))
    die("store: %s", diag.text);

  struct router r;
  router_open(&r);
  double t0 = seconds();
  int fd = cache_connect();
  router_query(&r, fd);
  static uint8_t chunk[CHUNK];
  while (!r.done) {
    ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
    if (n <= 0 || ww_rtr_client_input(r.client, chunk, (size_t)n, now()) != WW_RTR_STAY)
      die("the session broke");
  }
  double t1 = seconds();
  uint32_t epoch;
  struct ww_payload_delta delta = {0};
  source.complete = source.has_session = true;
  source.rtr_version = r.update.version;
  source.rtr_session = r.update.session;
  source.rtr_serial = r.update.serial;
  if (ww_store_commit_full(store, &source, &r.update.delta.announce, NULL, NULL, &delta, &epoch, &diag))
    die("store: %s", diag.text);
  if (ww_rtr_client_committed(r.client, true, 0, now()) != WW_RTR_STAY)
    die("the machine is not content");
  double t2 = seconds();
  struct ww_snapshot *empty = ww_snapshot_new(), *snapshot;
  if (!empty || ww_snapshot_apply(empty, &delta, epoch, true, &snapshot))
    die("no snapshot");
  double t3 = seconds();
  if (ask(snapshot, probe) != WW_STATE_VALID)
    die("a wrong verdict");
  double t4 = seconds();
  struct ww_snapshot_counts counts;
  ww_snapshot_counts(snapshot, &counts);
  if (counts.vrps_v4 + counts.vrps_v6 != records)
    die("%zu VRPs of %zu", counts.vrps_v4 + counts.vrps_v6, records);
  struct delta_time d = deltas(&r, store, &source, &snapshot, set);
  ww_snapshot_unref(snapshot);
  ww_snapshot_unref(empty);
  ww_payload_delta_fini(&delta);
  router_close(&r);
  close(fd);
  ww_store_close(store);
  remove_store(dir);
  return (struct parts){.receive = t1 - t0,
                        .commit = t2 - t1,
                        .index = t3 - t2,
                        .verdict = t4 - t3,
                        .total = t4 - t0,
                        .delta_best = d.best,
                        .delta_worst = d.worst,
                        .delta_cpu = d.cpu};
}

static struct parts best_full_way(const struct ww_payloads *set, const struct ww_vrp *probe, unsigned store_flags) {
  struct parts best = {.total = 1e9};
  for (int round = 0; round < ROUNDS; round++) {
    struct parts p = full_way(set, probe, store_flags);
    if (p.total < best.total)
      best = p;
  }
  return best;
}

/* ------------------------------------------------------------------ the peer */

#ifdef WW_HAVE_RTRLIB
/* Debian builds librtr with its debugging output on; it goes nowhere while the peer runs. */
static int mute(void) {
  fflush(stderr);
  int saved = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
  if (saved < 0 || null < 0 || dup2(null, STDERR_FILENO) < 0)
    die("cannot silence librtr");
  close(null);
  return saved;
}

static void unmute(int saved) {
  fflush(stderr);
  if (dup2(saved, STDERR_FILENO) < 0)
    exit(1);
  close(saved);
}

static double peer(const struct ww_vrp *probe) {
  char port_text[8], host[] = "127.0.0.1", prefix[WW_PREFIX_STRLEN];
  snprintf(port_text, sizeof(port_text), "%u", port);
  struct tr_tcp_config tcp = {.host = host, .port = port_text};
  struct tr_socket transport;
  if (tr_tcp_init(&tcp, &transport) != TR_SUCCESS)
    die("librtr: no transport");
  struct rtr_socket socket = {.tr_socket = &transport};
  struct rtr_socket *sockets[] = {&socket};
  struct rtr_mgr_group group = {.sockets = sockets, .sockets_len = 1, .preference = 1};
  struct rtr_mgr_config *config;
  if (rtr_mgr_init(&config, &group, 1, 3600, 7200, 600, NULL, NULL, NULL, NULL) != RTR_SUCCESS)
    die("librtr: no manager");
  ww_prefix_format(&probe->prefix, prefix);
  *strchr(prefix, '/') = '\0';
  struct lrtr_ip_addr addr;
  if (lrtr_ip_str_to_addr(prefix, &addr))
    die("librtr: %s", prefix);
  double begin = seconds();
  if (rtr_mgr_start(config) != RTR_SUCCESS)
    die("librtr: no start");
  while (!rtr_mgr_conf_in_sync(config))
    usleep(200);
  enum pfxv_state verdict;
  if (rtr_mgr_validate(config, probe->asn, &addr, probe->prefix.len, &verdict) != PFX_SUCCESS ||
      verdict != BGP_PFXV_STATE_VALID)
    die("librtr: a wrong verdict");
  double took = seconds() - begin;
  rtr_mgr_stop(config);
  rtr_mgr_free(config);
  return took;
}
#endif

int main(int argc, char **argv) {
  struct ww_payloads set = {0};
  if (argc > 1)
    load_set(&set, argv[1]);
  else
    make_set(&set);
  struct ww_vrp probe = set.vrps[set.vrp_count / 3];
  shuffle(&set);
  encode(&set);
  size_t records = set.vrp_count;
  printf("%zu VRPs, %.1f MB on the wire, in random order\n", records, (double)stream_len / 1e6);
  in_memory(records);

  cache_listen();
  pthread_t thread;
  if (pthread_create(&thread, NULL, cache_main, NULL))
    die("no thread");
  struct parts p = best_full_way(&set, &probe, 0);
  printf("receive and sort      %8.4f s  over loopback\n", p.receive);
  printf("commit                %8.4f s  to disk, synced\n", p.commit);
  printf("index                 %8.4f s\n", p.index);
  printf("first verdict         %8.6f s\n", p.verdict);
  printf("waywarden, in all     %8.4f s\n", p.total);
  struct parts loose = best_full_way(&set, &probe, WW_STORE_NOSYNC);
  printf("  without fsync       %8.4f s  (receive %.4f, commit %.4f, index %.4f)\n", loose.total, loose.receive,
         loose.commit, loose.index);
  printf("a delta of %d records  %.4f to %.4f s  from PDUs to the new snapshot, synced to disk, %.4f s of it CPU\n",
         DELTA, p.delta_best, p.delta_worst, p.delta_cpu);
  printf("  without fsync       %8.4f to %.4f s, %.4f s of it CPU\n", loose.delta_best, loose.delta_worst,
         loose.delta_cpu);
  ww_payloads_fini(&set);
#ifdef WW_HAVE_RTRLIB
  double best = 1e9;
  int saved = mute();
  for (int round = 0; round < 3; round++) {
    double took = peer(&probe);
    if (took < best)
      best = took;
  }
  unmute(saved);
  printf("librtr, in all        %8.4f s  keeps nothing on disk\n", best);
  printf("ratio librtr / ours   %8.2f    (without our commit %.2f)\n", best / p.total, best / (p.total - p.commit));
#else
  puts("librtr is not installed: no peer");
#endif
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("peak memory of all this %ld MB\n", usage.ru_maxrss / 1024);
  shutdown(listener, SHUT_RDWR);
  pthread_join(thread, NULL);
  close(listener);
  free(stream);
  return 0;
}
