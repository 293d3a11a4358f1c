/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A crowd of routers for an RTR cache that is running, ours or another: connects, asks everything at once, and tells
 * how long it took until the last one had its End of Data and what the cache's process grew by. bench/rtr_server.sh
 * runs it against both with the same data.
 *
 *     bench_rtr_server PORT VERSION CLIENTS PID [delta COMMAND]
 *
 * `delta`: runs COMMAND, waits for the Serial Notify that follows, and times the Serial Query.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 2000, CHUNK = 1 << 18, PDU_MAX = 65535 };

struct router {
  int fd;
  uint8_t head[PDU_MAX]; /* of a PDU that is not complete */
  size_t len;
  size_t skip; /* octets of a payload PDU that are not looked at */
  uint64_t octets, records;
  bool done, notified;
  uint16_t session;
  uint32_t serial;
};

static struct router *routers;
static unsigned count;
static uint8_t version;
static uint8_t chunk[CHUNK];

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what) {
  fprintf(stderr, "bench_rtr_server: %s: %s\n", what, strerror(errno));
  exit(1);
}

static uint32_t be32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* KiB; without what lies in the pages of shared files. */
static long resident(const char *pid, const char *what) {
  char path[64], line[256];
  long kib = 0;
  snprintf(path, sizeof path, "/proc/%.20s/status", pid);
  FILE *f = fopen(path, "r");
  if (!f)
    die(path);
  while (fgets(line, sizeof line, f))
    if (strncmp(line, what, strlen(what)) == 0)
      kib = strtol(line + strlen(what), NULL, 10);
  fclose(f);
  return kib;
}

static void take(struct router *r, const uint8_t *data, size_t len) {
  r->octets += len;
  while (len > 0) {
    size_t n;
    if (r->skip > 0) {
      n = len < r->skip ? len : r->skip;
      r->skip -= n;
    } else if (r->len < 8) {
      n = len < 8 - r->len ? len : 8 - r->len;
      memcpy(r->head + r->len, data, n);
      r->len += n;
      if (r->len == 8) {
        uint8_t type = r->head[1];
        uint32_t whole = be32(r->head + 4);
        r->session = (uint16_t)(type == 3 ? r->head[2] << 8 | r->head[3] : r->session);
        if (type == 10)
          fprintf(stderr, "bench_rtr_server: Error Report, code %u\n", r->head[3]);
        bool payload = type == 4 || type == 6 || type == 9 || type == 11;
        r->records += payload;
        if (payload || whole == 8 || type == 10) {
          r->skip = whole - 8;
          r->len = 0;
        }
      }
    } else { /* End of Data, Serial Notify */
      size_t whole = be32(r->head + 4);
      n = len < whole - r->len ? len : whole - r->len;
      memcpy(r->head + r->len, data, n);
      r->len += n;
      if (r->len == whole) {
        r->done |= r->head[1] == 7;
        r->notified |= r->head[1] == 0;
        if (r->head[1] == 7)
          r->serial = be32(r->head + 8);
        r->len = 0;
      }
    }
    data += n;
    len -= n;
  }
}

/* Reads whoever has something until `enough` says so. */
static void read_until(bool (*enough)(void)) {
  static struct pollfd polls[CLIENTS_MAX];
  while (!enough()) {
    for (unsigned i = 0; i < count; i++)
      polls[i] = (struct pollfd){.fd = routers[i].fd, .events = POLLIN};
    if (poll(polls, count, 120000) <= 0)
      die("nothing comes");
    for (unsigned i = 0; i < count; i++) {
      if (!polls[i].revents)
        continue;
      ssize_t n = recv(routers[i].fd, chunk, sizeof chunk, 0);
      if (n <= 0)
        die("connection ended");
      take(&routers[i], chunk, (size_t)n);
    }
  }
}

static bool all_done(void) {
  for (unsigned i = 0; i < count; i++)
    if (!routers[i].done)
      return false;
  return true;
}

static bool all_notified(void) {
  for (unsigned i = 0; i < count; i++)
    if (!routers[i].notified)
      return false;
  return true;
}

static void ask(struct router *r, bool serial) {
  uint8_t query[12] = {version, serial ? 1 : 2, 0, 0, 0, 0, 0, serial ? 12 : 8};
  if (serial) {
    query[2] = (uint8_t)(r->session >> 8);
    query[3] = (uint8_t)r->session;
    for (unsigned i = 0; i < 4; i++)
      query[8 + i] = (uint8_t)(r->serial >> (24 - 8 * i));
  }
  r->done = false;
  if (send(r->fd, query, query[7], MSG_NOSIGNAL) != query[7])
    die("send");
}

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: bench_rtr_server PORT VERSION CLIENTS PID [delta COMMAND]\n");
    return 2;
  }
  version = (uint8_t)atoi(argv[2]);
  count = (unsigned)atoi(argv[3]);
  if (count < 1 || count > CLIENTS_MAX || !(routers = calloc(count, sizeof *routers)))
    die("clients");
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  long rss = resident(argv[4], "RssAnon:");
  for (unsigned i = 0; i < count; i++) {
    int on = 1;
    routers[i].fd = socket(AF_INET, SOCK_STREAM, 0);
    if (routers[i].fd < 0 || connect(routers[i].fd, (struct sockaddr *)&to, sizeof to) != 0)
      die("connect");
    setsockopt(routers[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  double start = seconds();
  for (unsigned i = 0; i < count; i++)
    ask(&routers[i], false);
  if (count > 1) { /* all in the middle of their answers */
    sleep(2);
    printf("  %u clients, none reads:  process +%.1f MiB (%.0f KiB a client)\n", count,
           (double)(resident(argv[4], "RssAnon:") - rss) / 1024, (double)(resident(argv[4], "RssAnon:") - rss) / count);
    start = seconds();
  }
  read_until(all_done);
  double took = seconds() - start;
  printf("  %u client%s:  %llu records each, %.1f MB in all, %.1f ms, %.0f MB/s, process +%.1f MiB (now %.1f)\n", count,
         count > 1 ? "s" : "", (unsigned long long)routers[0].records, (double)routers[0].octets * count / 1e6,
         took * 1e3, (double)routers[0].octets * count / 1e6 / took,
         (double)(resident(argv[4], "RssAnon:") - rss) / 1024, (double)resident(argv[4], "RssAnon:") / 1024);
  if (argc > 6 && strcmp(argv[5], "delta") == 0) {
    if (system(argv[6]) != 0)
      die("command");
    for (unsigned i = 0; i < count; i++)
      routers[i].records = 0;
    read_until(all_notified);
    start = seconds();
    for (unsigned i = 0; i < count; i++)
      ask(&routers[i], true);
    read_until(all_done);
    printf("  delta to %u client%s:  %llu records each, %.2f ms from query to the last End of Data\n", count,
           count > 1 ? "s" : "", (unsigned long long)routers[0].records, (seconds() - start) * 1e3);
  }
  return 0;
}
