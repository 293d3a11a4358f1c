/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payloads from files and stores, for `check` and `payloads`.
 *
 * A source is what one file holds, or one source of a store. A store is read in one transaction, so all its sources
 * belong to one epoch, and closed at once. Of a store counts what counted for the daemon in that epoch: the sources
 * that were active, without what its SLURM set filters, and what that asserts. What has expired by `now` is dropped and
 * counted, in a store as in a file; a source of a store whose data as a whole has run out counts as expired altogether.
 * A folder of router certificates is one source, too; without one that will do it has no data.
 */
#include "cli/payload_input.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "daemon/slurm_set.h"
#include <waywarden/bgpsec.h>

enum { READ_SIZE = 1 << 18 };

static struct ww_input_source *grow(struct ww_input *input, const char *command) {
  struct ww_input_source *larger = realloc(input->sources, (input->count + 1) * sizeof(*larger));
  if (!larger || input->count >= UINT16_MAX - 1) {
    input->sources = larger ? larger : input->sources;
    ww_cli_fail(command, "too many sources");
    return NULL;
  }
  input->sources = larger;
  struct ww_input_source *source = &larger[input->count++];
  *source = (struct ww_input_source){.id = (ww_source_id)input->count};
  return source;
}

static void set_name(struct ww_input_source *source, const char *name, size_t len) {
  if (len >= sizeof(source->name)) { /* the end of a path says more than its start */
    name += len - sizeof(source->name) + 1;
    len = sizeof(source->name) - 1;
  }
  memcpy(source->name, name, len);
  source->name[len] = '\0';
}

/* Records there were, and every one of them is out of date: that is no data, and must not pass for an RPKI that says
 * nothing. */
static void judge_expiry(struct ww_input_source *source, const char *command) {
  const struct ww_payload_file_stats *stats = &source->stats;
  if (!source->complete || !stats->records || stats->expired < stats->records)
    return;
  source->complete = false;
  (void)ww_cli_fail(command, "%s: all %zu records have expired and do not count (--ignore-expiry keeps them)",
                    source->name, stats->records);
}

/* Metadata that names another hash than the records have. */
static void judge_hashes(const struct ww_input_source *source, const char *command) {
  static const char *const names[WW_PAYLOAD_HASHES] = {"ccr_vrps_hash", "ccr_vaps_hash", "ccr_brks_hash"};
  for (unsigned i = 0; i < WW_PAYLOAD_HASHES; i++)
    if (source->stats.hashes_wrong & 1u << i)
      (void)ww_cli_fail(command, "%s: warning: metadata.%s is not the hash of the records in the file", source->name,
                        names[i]);
}

static int read_fd(struct ww_input *input, const char *command, const char *path, int fd,
                   struct ww_input_source *source) {
  struct ww_diag diag = {0};
  struct ww_payload_file *file = ww_payload_file_new(&input->options);
  char *buf = malloc(READ_SIZE);
  enum ww_err err = file && buf ? WW_OK : WW_ERR_NOMEM;
  while (err == WW_OK) {
    ssize_t n = read(fd, buf, READ_SIZE);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      err = ww_fail(&diag, WW_ERR_IO, 0, NULL, "%s", strerror(errno));
    if (n <= 0)
      break;
    err = ww_payload_file_feed(file, buf, (size_t)n, &diag);
  }
  if (err == WW_OK)
    err = ww_payload_file_finish(file, &source->set, &source->stats, &diag);
  ww_payload_file_free(file);
  free(buf);
  source->complete = err == WW_OK;
  judge_expiry(source, command);
  judge_hashes(source, command);
  return err == WW_OK ? WW_EXIT_OK : ww_cli_fail_diag(command, path, err, &diag);
}

static int add_file(struct ww_input *input, const char *command, const char *name, size_t name_len, const char *path) {
  bool standard = strcmp(path, "-") == 0;
  int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return ww_cli_fail(command, "%s: %s", path, strerror(errno));
  struct ww_input_source *source = grow(input, command);
  int code = WW_EXIT_FAILED;
  if (source) {
    set_name(source, name, name_len);
    code = read_fd(input, command, path, fd, source);
  }
  input->epoch = 1;
  if (!standard)
    close(fd);
  return code;
}

/* --- router certificates ----------------------------------------------------------------------------------------- */

static const char certs_scheme[] = "router-certs:";

static bool is_certificate(const char *name) {
  static const char *const ends[] = {".cer", ".crt", ".der", ".pem", ".p7c", ".p7b"};
  size_t len = strlen(name);
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
    if (len > 4 && name[0] != '.' && strcasecmp(name + len - 4, ends[i]) == 0)
      return true;
  return false;
}

/* One file of the folder. What does not meet the profile is named and left out: one certificate that has run out must
 * not cost the others. */
static enum ww_err read_certificate(struct ww_input *input, const char *command, int folder, const char *dir,
                                    const char *name, struct ww_input_source *source) {
  static uint8_t data[WW_ROUTER_CERT_FILE_MAX + 1];
  struct ww_payloads set = {0};
  struct ww_diag diag = {0};
  size_t len = 0;
  ssize_t n = -1;
  int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
  while (fd >= 0 && len < sizeof data && (n = read(fd, data + len, sizeof data - len)) != 0) {
    if (n > 0)
      len += (size_t)n;
    else if (errno != EINTR)
      break;
  }
  enum ww_err err = n < 0 ? ww_fail(&diag, WW_ERR_IO, 0, NULL, "%s", strerror(errno))
                          : ww_bgpsec_router_certificates(data, len, input->options.now, &set, &diag);
  if (fd >= 0)
    close(fd);
  char path[PATH_MAX];
  (void)snprintf(path, sizeof path, "%s/%s", dir, name);
  source->stats.records += set.key_count;
  for (size_t i = 0; i < set.key_count && !err; i++)
    err = ww_payloads_add_key(&source->set, &set.keys[i]);
  ww_payloads_fini(&set);
  if (err && err != WW_ERR_NOMEM)
    (void)ww_cli_fail_diag(command, path, err, &diag);
  return err == WW_ERR_NOMEM ? err : WW_OK;
}

/* Every certificate of a folder: router keys. The relying party's work is not done here: whoever fills the folder
 * vouches for what is in it. */
static int add_certificates(struct ww_input *input, const char *command, const char *name, size_t name_len,
                            const char *dir) {
  DIR *folder = opendir(dir);
  if (!folder)
    return ww_cli_fail(command, "%s: %s", dir, strerror(errno));
  struct ww_input_source *source = grow(input, command);
  enum ww_err err = source ? WW_OK : WW_ERR_NOMEM;
  if (source)
    set_name(source, name, name_len);
  for (struct dirent *entry; !err && (entry = readdir(folder)) != NULL;)
    if (is_certificate(entry->d_name))
      err = read_certificate(input, command, dirfd(folder), dir, entry->d_name, source);
  if (!err)
    err = ww_payloads_sort(&source->set);
  closedir(folder);
  input->epoch = 1;
  if (err)
    return ww_cli_fail(command, "%s: %s", dir, ww_err_name(err));
  source->complete = source->set.key_count > 0;
  if (!source->complete)
    (void)ww_cli_fail(command, "%s: no router certificate that will do", dir);
  return WW_EXIT_OK;
}

int ww_input_add(struct ww_input *input, const char *command, const char *where) {
  struct stat st;
  const char *path = where, *equals = strchr(where, '=');
  size_t name_len = strlen(where);
  /* A name has no "/": so a path that happens to hold a "=" can always be given. */
  if (equals && equals != where && !memchr(where, '/', (size_t)(equals - where))) {
    path = equals + 1;
    name_len = (size_t)(equals - where);
  }
  if (strncmp(path, certs_scheme, sizeof certs_scheme - 1) == 0)
    return add_certificates(input, command, where, name_len, path + sizeof certs_scheme - 1);
  if (path == where && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
    return ww_input_add_store(input, command, path);
  return add_file(input, command, where, name_len, path);
}

/* Takes what has expired out of a stored set. Order and uniqueness stay. */
static void drop_expired(struct ww_input *input, struct ww_input_source *source) {
  struct ww_payloads *set = &source->set;
  const struct ww_source_record *r = &source->record;
  size_t before = set->vrp_count + set->aspa_count + set->key_count, n = 0;
  int64_t now = input->options.now;
  source->stats.records = before;
  if (input->options.ignore_expiry)
    return;
  bool all = r->valid_until && r->valid_until < now;
  for (size_t i = 0; i < set->vrp_count; i++)
    if (!all && (!set->vrps[i].expires || set->vrps[i].expires >= now))
      set->vrps[n++] = set->vrps[i];
  set->vrp_count = n;
  n = 0;
  for (size_t i = 0; i < set->aspa_count; i++)
    if (!all && (!set->aspas[i].expires || set->aspas[i].expires >= now))
      set->aspas[n++] = set->aspas[i];
  set->aspa_count = n;
  n = 0;
  for (size_t i = 0; i < set->key_count; i++)
    if (!all && (!set->keys[i].expires || set->keys[i].expires >= now))
      set->keys[n++] = set->keys[i];
  set->key_count = n;
  source->stats.expired = before - (set->vrp_count + set->aspa_count + set->key_count);
  source->complete = source->complete && !all; /* an empty set may run out, too */
}

struct reader {
  const char *command;
};

static void say_problem(void *ctx, bool warning, const char *text) {
  const struct reader *reader = ctx;
  if (!warning)
    (void)ww_cli_fail(reader->command, "SLURM as stored: %s", text);
}

/* The SLURM set of the epoch; NULL without one. */
static enum ww_err read_slurm(struct ww_store *store, const char *command, struct ww_slurm_set **out,
                              struct ww_diag *diag) {
  struct ww_store_slurm texts = {0};
  struct reader reader = {.command = command};
  *out = NULL;
  enum ww_err err = ww_store_read_slurm(store, &texts, diag);
  if (err == WW_OK && texts.count)
    err = ww_slurm_set_new(&texts, &reader, say_problem, out);
  ww_store_slurm_fini(&texts);
  return err;
}

static enum ww_err read_source(struct ww_store *store, const struct ww_slurm_set *slurm, struct ww_input *input,
                               struct ww_input_source *source, const char *command, struct ww_diag *diag) {
  struct ww_payload_delta raw = {0}, passed = {0};
  enum ww_err err = WW_OK;
  source->assertions = source->record.type == WW_SOURCE_SLURM;
  if (source->assertions) {
    err = ww_slurm_change_assertions(NULL, slurm ? slurm->slurm : NULL, &raw);
    source->set = raw.announce;
    source->complete = slurm != NULL;
    return err;
  }
  source->complete = source->record.complete && source->record.active;
  source->reserve = source->record.complete && !source->record.active;
  err = ww_store_read_source(store, source->id, &raw.announce, diag);
  if (err == WW_OK && slurm && !input->raw) {
    err = ww_slurm_filter_delta(slurm->slurm, &raw, &passed);
    ww_payload_delta_fini(&raw);
    raw = passed;
  }
  source->set = raw.announce;
  if (err == WW_OK) {
    drop_expired(input, source);
    judge_expiry(source, command);
  }
  return err;
}

int ww_input_add_store(struct ww_input *input, const char *command, const char *dir) {
  struct ww_store *store = NULL;
  struct ww_source_record *records = NULL;
  struct ww_slurm_set *slurm = NULL;
  size_t count = 0;
  struct ww_diag diag = {0};
  int code = WW_EXIT_OK;
  enum ww_err err = ww_store_open(dir, WW_STORE_READONLY, &store, &diag);
  if (err == WW_OK)
    err = ww_store_read_begin(store, &input->epoch, &diag);
  if (err == WW_OK)
    err = ww_store_sources(store, &records, &count, &diag);
  if (err == WW_OK)
    err = read_slurm(store, command, &slurm, &diag);
  for (size_t i = 0; i < count && err == WW_OK && code == WW_EXIT_OK; i++) {
    if (input->raw && records[i].type == WW_SOURCE_SLURM)
      continue;
    struct ww_input_source *source = grow(input, command);
    if (!source) {
      code = WW_EXIT_FAILED;
      break;
    }
    source->id = records[i].id;
    source->record = records[i];
    set_name(source, records[i].name, strlen(records[i].name));
    err = read_source(store, slurm, input, source, command, &diag);
  }
  free(records);
  ww_store_close(store);
  input->from_store = true;
  if (err == WW_OK && input->raw) {
    input->slurm = slurm;
    slurm = NULL;
  }
  ww_slurm_set_free(slurm);
  if (err == WW_OK)
    return code;
  diag.offset = 0; /* of no use to who reads this */
  (void)ww_cli_fail_diag(command, dir, err, &diag);
  return err == WW_ERR_NOTFOUND ? WW_EXIT_NOT_READY : WW_EXIT_FAILED;
}

size_t ww_input_complete(const struct ww_input *input) {
  size_t count = 0;
  for (size_t i = 0; i < input->count; i++)
    count += input->sources[i].complete && !input->sources[i].assertions;
  return count;
}

int ww_input_unite(struct ww_input *input, const char *command, struct ww_payloads *out) {
  struct ww_payloads all = {0};
  enum ww_err err = WW_OK;
  bool any = ww_input_complete(input) > 0, first = true;
  for (size_t i = 0; i < input->count && err == WW_OK; i++) {
    struct ww_input_source *source = &input->sources[i];
    if (!source->complete)
      continue;
    if (first) {
      all = source->set;
      source->set = (struct ww_payloads){0};
    } else {
      err = ww_payloads_add_set(&all, &source->set);
      ww_payloads_fini(&source->set);
    }
    first = false;
  }
  if (err == WW_OK)
    err = ww_payloads_sort(&all);
  if (err != WW_OK) {
    ww_payloads_fini(&all);
    return ww_cli_fail(command, "%s", ww_err_name(err));
  }
  *out = all;
  if (any)
    return WW_EXIT_OK;
  (void)ww_cli_fail(command, "no source is complete yet");
  return WW_EXIT_NOT_READY;
}

void ww_input_fini(struct ww_input *input) {
  for (size_t i = 0; i < input->count; i++)
    ww_payloads_fini(&input->sources[i].set);
  free(input->sources);
  ww_slurm_set_free(input->slurm);
  *input = (struct ww_input){0};
}

bool ww_input_set_now(struct ww_input *input, const char *command, const char *text) {
  if (ww_payload_time_parse(text, &input->options.now) == WW_OK)
    return true;
  (void)ww_cli_fail(command, "--now %s: neither Unix seconds nor a time like 2026-11-21T00:00:00Z", text);
  return false;
}
