/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading a payload file: ours, and StayRTR from start to listening, on the same file in the same run.
 *
 *   bench_payload_load FILE.json [RUNS]
 *
 * StayRTR drops records that have expired, so both are given a copy of the file with every "expires" moved to 2033: the
 * same work for both. Ours is timed from opening the file to the sorted set, each run in a process of its own so that
 * peak RSS means something; StayRTR from exec to the moment its RTR port takes a connection. It is found through PATH,
 * bound to loopback, and stopped by its process id.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sources/payload_file.h"

enum { PEER_TIMEOUT_S = 120 };

struct outcome {
  double seconds;
  double cpu; /* user and system: what a busy machine does not distort */
  double peak_mb;
  size_t vrps;
};

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

/* The file again with fresh expiries; returns its name, in `out`. */
static void copy_fresh(const char *path, char *out) {
  static const char key[] = "\"expires\":";
  char line[65536];
  FILE *in = fopen(path, "r");
  int fd = mkstemp(out);
  FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
  if (!in || !to)
    die(in ? out : path);
  while (fgets(line, sizeof(line), in)) {
    for (char *p = line; (p = strstr(p, key)) != NULL;) {
      p += sizeof(key) - 1;
      while (*p == ' ')
        p++;
      for (const char *digit = "2000000000"; isdigit((unsigned char)*p) && *digit; digit++)
        *p++ = *digit;
    }
    fputs(line, to);
  }
  fclose(in);
  if (fclose(to) != 0)
    die(out);
}

static void load(const char *path, int report) {
  double start = seconds();
  struct ww_payload_file_options options = {.now = time(NULL)};
  struct ww_payload_file *file = ww_payload_file_new(&options);
  struct ww_payloads set;
  struct ww_diag diag = {0};
  static char buf[1 << 18];
  int fd = open(path, O_RDONLY);
  if (!file || fd < 0)
    die(path);
  ssize_t n;
  enum ww_err err = WW_OK;
  while (err == WW_OK && (n = read(fd, buf, sizeof(buf))) > 0)
    err = ww_payload_file_feed(file, buf, (size_t)n, &diag);
  if (err == WW_OK)
    err = ww_payload_file_finish(file, &set, NULL, &diag);
  if (err != WW_OK) {
    fprintf(stderr, "%s:%u: %s\n", path, diag.line, diag.text);
    exit(1);
  }
  struct outcome o = {.seconds = seconds() - start, .vrps = set.vrp_count};
  if (write(report, &o, sizeof(o)) != sizeof(o))
    die("report");
  _exit(0); /* what the parent has in its buffers is the parent's to print */
}

/* Waits for the process and takes what it used. */
static void account(pid_t pid, struct outcome *o) {
  int status;
  struct rusage usage;
  while (wait4(pid, &status, 0, &usage) < 0)
    if (errno != EINTR)
      die("wait4");
  o->peak_mb = (double)usage.ru_maxrss / 1024;
  o->cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static struct outcome run_ours(const char *path) {
  int ends[2];
  struct outcome o = {0};
  if (pipe(ends) != 0)
    die("pipe");
  pid_t pid = fork();
  if (pid < 0)
    die("fork");
  if (pid == 0) {
    close(ends[0]);
    load(path, ends[1]);
  }
  close(ends[1]);
  if (read(ends[0], &o, sizeof(o)) != sizeof(o)) {
    fputs("the loader gave no result\n", stderr);
    exit(1);
  }
  close(ends[0]);
  account(pid, &o);
  return o;
}

static int loopback_socket(struct sockaddr_in *at, uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    die("socket");
  *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  return fd;
}

static uint16_t free_port(void) {
  struct sockaddr_in at;
  socklen_t len = sizeof(at);
  int fd = loopback_socket(&at, 0);
  if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || getsockname(fd, (struct sockaddr *)&at, &len) != 0)
    die("bind");
  close(fd);
  return ntohs(at.sin_port);
}

static bool listens(uint16_t port) {
  struct sockaddr_in at;
  int fd = loopback_socket(&at, port);
  bool ok = connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
  close(fd);
  return ok;
}

/* seconds < 0: there is no stayrtr. */
static struct outcome run_stayrtr(const char *path) {
  struct outcome o = {.seconds = -1};
  char bind_to[32], metrics[32];
  uint16_t port = free_port();
  snprintf(bind_to, sizeof(bind_to), "127.0.0.1:%u", port);
  snprintf(metrics, sizeof(metrics), "127.0.0.1:%u", free_port());
  double start = seconds();
  pid_t pid = fork();
  if (pid < 0)
    die("fork");
  if (pid == 0) {
    int null = open("/dev/null", O_RDWR);
    dup2(null, 1);
    dup2(null, 2);
    execlp("stayrtr", "stayrtr", "-bind", bind_to, "-cache", path, "-checktime=false", "-metrics.addr", metrics,
           (char *)NULL);
    _exit(127);
  }
  while (seconds() - start < PEER_TIMEOUT_S) {
    int status;
    if (waitpid(pid, &status, WNOHANG) == pid)
      return o;
    if (listens(port)) {
      o.seconds = seconds() - start;
      break;
    }
    usleep(2000);
  }
  kill(pid, SIGKILL);
  account(pid, &o);
  return o;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s FILE.json [RUNS]\n", argv[0]);
    return 2;
  }
  long runs = argc > 2 ? strtol(argv[2], NULL, 10) : 5;
  char copy[] = "/tmp/ww-payload-load-XXXXXX";
  copy_fresh(argv[1], copy);
  struct outcome best = {0};
  for (long i = 0; i < runs; i++) {
    struct outcome o = run_ours(copy);
    printf("waywarden  %.3f s  cpu %.3f s  peak %.0f MB  %zu VRPs\n", o.seconds, o.cpu, o.peak_mb, o.vrps);
    if (i == 0 || o.seconds < best.seconds)
      best = o;
  }
  struct outcome peer = run_stayrtr(copy);
  unlink(copy);
  if (peer.seconds < 0) {
    puts("stayrtr    not found, or it did not start: no ratio");
    return 0;
  }
  printf("stayrtr    %.3f s  cpu %.3f s  peak %.0f MB  start to listening\n", peer.seconds, peer.cpu, peer.peak_mb);
  printf("ratio      %.1fx faster, %.1fx less cpu, %.1fx less memory (best of %ld)\n", peer.seconds / best.seconds,
         peer.cpu / best.cpu, peer.peak_mb / best.peak_mb, runs);
  return 0;
}
