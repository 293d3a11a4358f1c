/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A router at full speed, for bench/e2e.sh: connects to a BMP station, plays a synthetic version 3 session with big
 * writes, and keeps the connection open until it is told to end.
 *
 *   bench_bmp_feeder ADDR PORT ROUTES.csv PER_UPDATE [PEERS]
 *
 * ROUTES.csv is what bench/gen_vrps.py --routes writes: "prefix,origin" lines. IPv4 goes first; the routes are spread
 * over the peers. PER_UPDATE routes share an UPDATE, with the path of the first: so with more than 1 the verdicts
 * differ from those of the list, and with 1 they are those of the list exactly. The whole
 * stream is built first; only writing is timed. Prints the octets, messages and routes, then the seconds until the
 * socket took all of it, and ends at end of file on standard input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "wire/bgp.h"
#include "wire/bmp.h"

enum { PEERS_MAX = 64, PER_UPDATE_MAX = 200, WRITE_SIZE = 1 << 20 };

struct route {
  struct ww_prefix prefix;
  uint32_t origin;
};

struct feeder {
  struct route *routes;
  size_t count, cap;
  uint8_t *data;
  size_t len, data_cap;
  size_t messages;
};

static void die(const char *what) {
  fprintf(stderr, "bench_bmp_feeder: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void read_routes(struct feeder *f, const char *path) {
  FILE *file = fopen(path, "r");
  char line[256];
  if (!file)
    die(path);
  while (fgets(line, sizeof(line), file)) {
    struct route route;
    char *comma = strchr(line, ',');
    if (!comma)
      continue;
    *comma = '\0';
    char *end = comma + 1 + strcspn(comma + 1, ",\r\n");
    *end = '\0';
    if (ww_prefix_parse(line, &route.prefix) != WW_OK || ww_asn_parse(comma + 1, &route.origin) != WW_OK)
      continue; /* the heading */
    if (f->count == f->cap) {
      f->cap = f->cap ? f->cap * 2 : 1 << 16;
      f->routes = realloc(f->routes, f->cap * sizeof(*f->routes));
      if (!f->routes)
        die("routes");
    }
    f->routes[f->count++] = route;
  }
  fclose(file);
}

/* Brings IPv4 to the front; inside a family the order stays. */
static void split_families(struct feeder *f) {
  struct route *sorted = malloc((f->count + 1) * sizeof(*sorted));
  size_t n = 0;
  if (!sorted)
    die("routes");
  for (int afi = WW_AFI_IPV4; afi <= WW_AFI_IPV6; afi++)
    for (size_t i = 0; i < f->count; i++)
      if (f->routes[i].prefix.afi == afi)
        sorted[n++] = f->routes[i];
  free(f->routes);
  f->routes = sorted;
}

static struct ww_writer room(struct feeder *f) {
  if (f->data_cap - f->len < WW_BGP_MAX_LEN + 1024) {
    f->data_cap = f->data_cap ? f->data_cap * 2 : 64 << 20;
    f->data = realloc(f->data, f->data_cap);
    if (!f->data)
      die("stream");
  }
  return ww_writer_make(f->data + f->len, f->data_cap - f->len);
}

static void took(struct feeder *f, const struct ww_writer *w) {
  if (w->overflow) {
    fprintf(stderr, "bench_bmp_feeder: message does not fit\n");
    exit(1);
  }
  f->len += w->len;
  f->messages++;
}

static struct ww_bmp_peer peer_of(unsigned i) {
  struct ww_bmp_peer peer = {.asn = 64600 + i, .bgp_id = 0xc0000201u + i, .sec = 1700000000};
  uint8_t address[4] = {192, 0, 2, (uint8_t)(1 + i)};
  memcpy(peer.address + 12, address, sizeof(address));
  return peer;
}

static void add_peer_up(struct feeder *f, unsigned i) {
  struct ww_bmp_peer peer = peer_of(i);
  struct ww_addr local = {.afi = WW_AFI_IPV4, .bytes = {192, 0, 2, 254}};
  uint8_t sent[128], received[128];
  struct ww_writer s = ww_writer_make(sent, sizeof(sent)), r = ww_writer_make(received, sizeof(received));
  ww_bgp_open_write(&s, 64599, 90, 0xc00002feu, NULL, 0);
  ww_bgp_open_write(&r, peer.asn, 90, peer.bgp_id, NULL, 0);
  struct ww_writer w = room(f);
  ww_bmp_peer_up_write(&w, 3, &peer, &local, 179, 40000, sent, s.len, received, r.len, NULL);
  took(f, &w);
}

/* ORIGIN, AS_PATH of four hops (peer, two transits by origin, origin), MED. */
static size_t write_attributes(uint8_t *to, size_t size, uint32_t peer_as, uint32_t origin) {
  struct ww_writer w = ww_writer_make(to, size);
  ww_writer_bytes(&w, (const uint8_t[]){0x40, WW_ATTR_ORIGIN, 1, 0}, 4);
  ww_writer_bytes(&w, (const uint8_t[]){0x40, WW_ATTR_AS_PATH, 2 + 16, WW_SEG_AS_SEQUENCE, 4}, 5);
  ww_writer_u32(&w, peer_as);
  ww_writer_u32(&w, 3000 + origin % 61);
  ww_writer_u32(&w, 6000 + origin % 509);
  ww_writer_u32(&w, origin);
  ww_writer_bytes(&w, (const uint8_t[]){0x80, WW_ATTR_MED, 4, 0, 0, 0, 10}, 7);
  return w.len;
}

static void add_updates(struct feeder *f, size_t per_update, unsigned peers) {
  struct ww_bgp_nlri_item items[PER_UPDATE_MAX];
  static const uint8_t next_hop[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, next_hop4[4] = {192, 0, 2, 254};
  unsigned turn = 0;
  for (size_t i = 0; i < f->count;) {
    struct ww_bmp_peer peer = peer_of(turn++ % peers);
    size_t n = 0, first = i;
    while (n < per_update && i < f->count && f->routes[i].prefix.afi == f->routes[first].prefix.afi)
      items[n++] = (struct ww_bgp_nlri_item){.prefix = f->routes[i++].prefix};
    uint8_t attributes[128], update[WW_BGP_MAX_LEN];
    size_t attributes_len = write_attributes(attributes, sizeof(attributes), peer.asn, f->routes[first].origin);
    bool v4 = items[0].prefix.afi == WW_AFI_IPV4;
    struct ww_writer u = ww_writer_make(update, sizeof(update));
    ww_bgp_update_write(&u, items[0].prefix.afi, attributes, attributes_len, v4 ? next_hop4 : next_hop, v4 ? 4 : 16,
                        false, items, n);
    if (u.overflow) {
      fprintf(stderr, "bench_bmp_feeder: %zu routes do not fit one UPDATE\n", n);
      exit(1);
    }
    struct ww_writer w = room(f);
    ww_bmp_route_write(&w, &peer, update, u.len);
    took(f, &w);
  }
}

static int connect_to(const char *address, const char *port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
    die("connect");
  return fd;
}

int main(int argc, char **argv) {
  struct feeder f = {0};
  if (argc < 5) {
    fprintf(stderr, "usage: bench_bmp_feeder ADDR PORT ROUTES.csv PER_UPDATE [PEERS]\n");
    return 2;
  }
  size_t per_update = (size_t)atol(argv[4]);
  unsigned peers = argc > 5 ? (unsigned)atoi(argv[5]) : 4;
  if (per_update < 1 || per_update > PER_UPDATE_MAX || peers < 1 || peers > PEERS_MAX) {
    fprintf(stderr, "bench_bmp_feeder: PER_UPDATE is 1 to %d, PEERS 1 to %d\n", PER_UPDATE_MAX, PEERS_MAX);
    return 2;
  }
  read_routes(&f, argv[3]);
  split_families(&f);
  struct ww_writer w = room(&f);
  ww_bmp_initiation_write(&w, 3, "synthetic router", "bench", NULL);
  took(&f, &w);
  for (unsigned i = 0; i < peers; i++)
    add_peer_up(&f, i);
  add_updates(&f, per_update, peers);
  printf("{\"routes\":%zu,\"messages\":%zu,\"bytes\":%zu}\n", f.count, f.messages, f.len);
  fflush(stdout);

  struct timespec a, b;
  int fd = connect_to(argv[1], argv[2]);
  clock_gettime(CLOCK_MONOTONIC, &a);
  for (size_t at = 0; at < f.len;) {
    ssize_t n = write(fd, f.data + at, f.len - at < WRITE_SIZE ? f.len - at : WRITE_SIZE);
    if (n < 0)
      die("write");
    at += (size_t)n;
  }
  clock_gettime(CLOCK_MONOTONIC, &b);
  printf("{\"written_seconds\":%.3f}\n", (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9);
  fflush(stdout);
  char c;
  while (read(STDIN_FILENO, &c, 1) > 0)
    ;
  close(fd);
  free(f.data);
  free(f.routes);
  return 0;
}
