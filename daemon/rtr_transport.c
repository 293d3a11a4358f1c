/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From an rtr-cache section to what a stream connects with.
 *
 * Clauses: RFC 8210 §9, §9.1 to §9.4.
 */
#include "daemon/rtr_transport.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "daemon/secret.h"
#include "daemon/ssh.h"
#include "daemon/tcp_auth.h"
#include "daemon/tls.h"

enum ww_err ww_rtr_transport_load(const struct ww_config_rtr *config, const struct ww_log *log,
                                  struct ww_rtr_transport *out, struct ww_diag *diag) {
  const struct ww_config_rtr *c = config;
  const char *secret = NULL;
  enum ww_err err = WW_OK;
  memset(out, 0, sizeof(*out));
  switch (c->transport) {
  case WW_TRANSPORT_TCP:
    return WW_OK;
  case WW_TRANSPORT_TLS: {
    struct ww_tls_files files = {.certificate = c->certificate, .key = c->key, .ca = c->ca};
    /* RFC 8210 §9.2: the reference identifier is the cache's DNS name. A scope is for us, not part of an address. */
    snprintf(out->server_name, sizeof(out->server_name), "%s", c->server_name ? c->server_name : c->host);
    if (!c->server_name && strchr(out->server_name, ':'))
      out->server_name[strcspn(out->server_name, "%")] = '\0';
    secret = c->key;
    err = ww_tls_new(WW_TLS_CLIENT, &files, &out->tls, diag);
    break;
  }
  case WW_TRANSPORT_SSH: {
    struct ww_ssh_files files = {.user = c->ssh_user, .key = c->ssh_key, .known_hosts = c->ssh_known_hosts};
    secret = c->ssh_key;
    err = ww_ssh_new(&files, &out->ssh, diag);
    break;
  }
  case WW_TRANSPORT_TCP_MD5:
    secret = c->password_file;
    err = ww_tcp_md5_new(c->password_file, &out->auth, diag);
    break;
  case WW_TRANSPORT_TCP_AO:
    secret = c->key_file;
    err = ww_tcp_ao_new(c->key_file, &out->auth, diag);
    break;
  }
  if (err == WW_OK) {
    char who[WW_NAME_LEN + 16];
    snprintf(who, sizeof(who), "rtr cache %s", c->name);
    ww_secret_check_mode(secret, who, log);
  }
  return err;
}

void ww_rtr_transport_fini(struct ww_rtr_transport *transport) {
  ww_tls_unref(transport->tls);
  ww_ssh_unref(transport->ssh);
  ww_tcp_auth_unref(transport->auth);
  memset(transport, 0, sizeof(*transport));
}

struct ww_stream_target ww_rtr_transport_target(const struct ww_config_rtr *config,
                                                const struct ww_rtr_transport *transport) {
  return (struct ww_stream_target){.host = config->host,
                                   .port = config->port,
                                   .source = config->source_address,
                                   .tls = transport->tls,
                                   .server_name = transport->server_name,
                                   .ssh = transport->ssh,
                                   .subsystem = "rpki-rtr", /* RFC 8210 §9.1 */
                                   .auth = transport->auth};
}

static bool v4_is_near(const uint8_t a[4]) {
  return a[0] == 127 || a[0] == 10 || (a[0] == 172 && (a[1] & 0xf0) == 16) || (a[0] == 192 && a[1] == 168) ||
         (a[0] == 169 && a[1] == 254) || (a[0] == 100 && (a[1] & 0xc0) == 64);
}

bool ww_rtr_address_is_near(const struct sockaddr *address) {
  if (address->sa_family == AF_INET) {
    struct sockaddr_in v4;
    uint8_t octets[4];
    memcpy(&v4, address, sizeof(v4));
    memcpy(octets, &v4.sin_addr, sizeof(octets));
    return v4_is_near(octets);
  }
  if (address->sa_family != AF_INET6)
    return true;
  struct sockaddr_in6 v6;
  memcpy(&v6, address, sizeof(v6));
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
    return v4_is_near(v6.sin6_addr.s6_addr + 12);
  return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) || IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) ||
         (v6.sin6_addr.s6_addr[0] & 0xfe) == 0xfc;
}
