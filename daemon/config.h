/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration file: what it may say (docs/man/waywarden.conf.5 has every option) and what it said.
 */
#ifndef WW_DAEMON_CONFIG_H
#define WW_DAEMON_CONFIG_H

#include "base/log.h"
#include "engine/engine.h"
#include <stdbool.h>
#include <waywarden/payload.h>

enum { WW_NAME_LEN = 64 }; /* with the final NUL; of sources, routers and stations */
#define WW_STATIC_SOURCE "static"
#define WW_SLURM_SOURCE "slurm" /* what SLURM asserts is held under this name */

enum ww_transport { WW_TRANSPORT_TCP, WW_TRANSPORT_TLS, WW_TRANSPORT_SSH, WW_TRANSPORT_TCP_MD5, WW_TRANSPORT_TCP_AO };
const char *ww_transport_name(enum ww_transport transport); /* as the configuration spells it */

struct ww_config_rtr {
  char name[WW_NAME_LEN];
  char *host, *port;
  enum ww_transport transport;
  char *source_address;                       /* NULL: any */
  char *server_name, *ca, *certificate, *key; /* TLS; server_name NULL: the host */
  char *ssh_user, *ssh_key, *ssh_known_hosts; /* SSH */
  char *password_file, *key_file;             /* TCP MD5; TCP-AO */
  uint8_t min_version, max_version;
  uint16_t preference;
  bool keep_expired; /* on-expiry = "keep" */
};

struct ww_config_file {
  char name[WW_NAME_LEN];
  char *path;
  bool ignore_expiry;
  unsigned refresh_interval; /* seconds between looks at the file */
};

struct ww_config_router {
  char name[WW_NAME_LEN];
  struct ww_addr address; /* afi 0: none */
  char *sys_name;         /* NULL: the name */
  uint32_t local_as;      /* 0: learnt from Peer Up */
  unsigned views;         /* bit mask of 1 << enum ww_rib_view */
  struct ww_engine_role *peers;
  size_t peer_count;
  uint8_t role;    /* enum ww_role: of peers not listed */
  uint8_t no_role; /* enum ww_no_role */
};

struct ww_config_station {
  char name[WW_NAME_LEN];
  char *host, *port;
  bool plain;
  char *certificate, *key, *ca, *server_name;
  int profile; /* enum ww_profile */
  uint32_t enterprise_number;
  uint8_t tlv_draft;
  bool covering;
  unsigned retry_min, retry_max; /* seconds */
};

/* Where routers may fetch the effective set. */
struct ww_config_rtr_listen {
  char *where;                  /* ADDRESS:PORT */
  char *certificate, *key, *ca; /* NULL: plain TCP */
  bool check_address;           /* of the client's certificate */
  size_t max_clients;
  uint8_t min_version, max_version;
  unsigned refresh, retry, expire, notify_interval; /* seconds */
  bool shutdown;                                    /* on-stop: routers are to drop the data */
};

struct ww_config {
  char *path;
  char *store;
  char *control; /* NULL: none */
  enum ww_log_level log_level;
  unsigned startup_grace; /* seconds */
  size_t journal_entries;
  int64_t history;     /* seconds; 0: only the last epoch */
  size_t history_size; /* octets */
  struct ww_config_rtr *caches;
  size_t cache_count;
  struct ww_config_file *files;
  size_t file_count;
  char **slurm;
  size_t slurm_count;
  bool slurm_strict;
  unsigned failover_delay; /* seconds */
  bool has_static;
  struct ww_payloads statics; /* sorted */
  char **listens;
  size_t listen_count;
  struct ww_config_router *routers;
  size_t router_count;
  struct ww_config_station *stations;
  size_t station_count;
  struct ww_config_rtr_listen *rtr_listens;
  size_t rtr_listen_count;
};

/* Reads and checks a file. On failure diag->line and diag->text say where and what. */
enum ww_err ww_config_load(const char *path, struct ww_config **out, struct ww_diag *diag) WW_MUST_USE;
void ww_config_free(struct ww_config *config); /* NULL is fine */

/* Calls `visit` with each option there is: `section` is NULL for those outside sections, else the innermost one. */
void ww_config_options(void *ctx, void (*visit)(void *ctx, const char *section, const char *option));

#endif
