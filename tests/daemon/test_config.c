/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: what is accepted becomes what it says, what is not is refused with its line and a reason, and the
 * manual page names the same options as the tables.
 */
#include "daemon/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bmpout/session.h"
#include "feeds/bmp_feed.h"

#define SOURCE "static { vrp = {\"192.0.2.0/24 AS64500\"} }\n"
#define SKI "88C5DE295A3276D69E9BB7469BD46EF972DE32AC"
#define SPKI                                                                                                           \
  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE64mxtNmdKd1bxIjgWrGJutr11LDeA56L8cc1NLL/WW9RZ+rbi+G4rFSvfrEjxzRPt6tcNWpgEINq"   \
  "7tOR7J5dAg=="
#define STORE "store = \"/tmp/x\"\n"

/* Writes `text` to a file of its own and loads it. */
static enum ww_err load(const char *text, struct ww_config **out, struct ww_diag *diag) {
  char path[] = "/tmp/ww-test-config-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
  close(fd);
  enum ww_err err = ww_config_load(path, out, diag);
  unlink(path);
  return err;
}

struct bad {
  const char *text;
  unsigned line;
  const char *says; /* part of the diagnostic */
};

static const struct bad bad[] = {
    {STORE SOURCE "stor = \"x\"\n", 3, "no such option 'stor'"},
    {STORE SOURCE "router \"a\" {\n  policy = \"strict\"\n}\n", 4, "no such option 'policy'"},
    {STORE SOURCE "log-level = \"loud\"\n", 3, "'loud' is none of error, warning, notice, info, debug"},
    {STORE SOURCE "log-level = \n", 4, ""},
    {STORE SOURCE "startup-grace = -1\n", 3, "startup-grace: -1 is not between 0 and 86400"},
    {STORE SOURCE "startup-grace = soon\n", 3, "invalid integer value for option 'startup-grace'"},
    {STORE SOURCE "journal-entries = 3\n", 3, "journal-entries: 3 is not between"},
    {STORE SOURCE "journal-entries = 99999999999999999999\n", 3, "journal-entries"},
    {STORE "rtr-cache \"a\" {\n}\n", 3, "rtr-cache \"a\": option 'host' is missing"},
    {STORE "rtr-cache \"a\" {\n  host = \"\"\n}\n", 3, "host: empty"},
    {STORE "rtr-cache \"a\" {\n  host = \"h\"\n  port = 70000\n}\n", 4, "port: 70000 is not between 1 and 65535"},
    {STORE "rtr-cache \"a\" { host = \"h\" max-version = 3 }\n", 2, "max-version: 3 is not between 0 and 2"},
    {STORE "rtr-cache \"a\" { host = \"h\" min-version = -1 }\n", 2, "min-version: -1 is not between 0 and 2"},
    {STORE "rtr-cache \"a\" {\n  host = \"h\"\n  min-version = 2\n  max-version = 1\n}\n", 6,
     "rtr-cache \"a\": min-version 2 is above max-version 1"},
    {STORE "rtr-cache \"a\" { host = \"h\" transport = \"udp\" }\n", 2,
     "'udp' is none of tcp, tls, ssh, tcp-md5, tcp-ao"},
    {STORE "rtr-cache \"a\" { host = \"h\" transport = \"tls\" }\n", 2, "option 'ca' is missing"},
    {STORE "rtr-cache \"a\" { host = \"h\" transport = \"tls\" ca = \"/dev/null\" }\n", 2,
     "option 'certificate' is missing"},
    {STORE "rtr-cache \"a\" { host = \"h\"\ntransport = \"ssh\" ssh-user = \"u\"\n}\n", 4,
     "option 'ssh-key' is missing"},
    {STORE "rtr-cache \"a\" { host = \"h\" transport = \"tcp-md5\" }\n", 2, "option 'password-file' is missing"},
    {STORE "rtr-cache \"a\" { host = \"h\" transport = \"tcp-ao\" }\n", 2, "option 'key-file' is missing"},
    {STORE "rtr-cache \"a\" { host = \"h\" server-name = \"n\" }\n", 2,
     "'server-name' has no meaning with transport \"tcp\""},
    {STORE "rtr-cache \"a\" { host = \"h\" transport = \"tcp-md5\" password-file = \"/dev/null\" ssh-user = \"u\" }\n",
     2, "'ssh-user' has no meaning with transport \"tcp-md5\""},
    {STORE "rtr-cache \"a\" {\n  host = \"h\"\n  password-file = \"/nonexistent/p\"\n}\n", 4,
     "password-file: '/nonexistent/p': No such file"},
    {STORE "rtr-cache \"a\" {\n  source-address = \"here\"\n}\n", 3, "source-address: 'here' is not an address"},
    {STORE "rtr-cache \"a\" { host = \"h\" ssh-user = \"\" }\n", 2, "ssh-user: empty"},
    {STORE "rtr-cache \"a\" { host = \"h\" }\nrtr-cache \"a\" { host = \"h\" }\n", 3, "found duplicate title 'a'"},
    {STORE "rtr-cache \"a\" { host = \"h\" }\npayload-file \"a\" { path = \"p\" }\n", 3,
     "another source has this name"},
    {STORE "rtr-cache \"a\" { host = \"h\" preference = 0 }\n", 2, "preference: 0 is not between 1 and 65535"},
    {STORE "rtr-cache \"a\" { host = \"h\" on-expiry = \"forget\" }\n", 2, "'forget' is none of flush, keep"},
    {STORE "rtr-cache \"slurm\" { host = \"h\" }\n", 2, "belongs to SLURM's assertions"},
    {STORE SOURCE "failover-delay = -1\n", 3, "failover-delay: -1 is not between 0 and 86400"},
    {STORE SOURCE "slurm = {\"a.json\", \"\"}\n", 3, "slurm: empty"},
    {STORE SOURCE "slurm-strict = perhaps\n", 3, "invalid boolean value"},
    {STORE SOURCE "history = -1\n", 3, "history: -1 is not between"},
    {STORE SOURCE "history-size = 0\n", 3, "history-size: 0 is not between 1 and"},
    {STORE "payload-file \"static\" { path = \"p\" }\n", 2, "belongs to the static section"},
    {STORE "payload-file \"a\" {\n  ignore-expiry = maybe\n}\n", 3, "invalid boolean value"},
    {STORE "payload-file \"a\" {\n  path = \"p\"\n  refresh-interval = 0\n}\n", 4,
     "refresh-interval: 0 is not between"},
    {STORE "static {\n  vrp = {\"192.0.2.0/24 AS64500\",\n    \"192.0.2.1/24 AS64500\"}\n}\n", 4, "host bits"},
    {STORE "static { vrp = {\"192.0.2.0/24\"} }\n", 2, "is not PREFIX[-MAXLENGTH] ASN"},
    {STORE "static { vrp = {\"192.0.2.0/24-23 AS1\"} }\n", 2, "maxLength shorter than the prefix"},
    {STORE "static { vrp = {\"192.0.2.0/24-33 AS1\"} }\n", 2, "no maxLength after '-'"},
    {STORE "static { vrp = {\"192.0.2.0/24 AS4294967296\"} }\n", 2, "no AS number"},
    {STORE "static { vrp = {\"192.0.2.0/24 AS1 x\"} }\n", 2, "is not PREFIX"},
    {STORE SOURCE "bmp-listen \"localhost:1\" { }\n", 3, "'localhost' is not an address"},
    {STORE SOURCE "bmp-listen \"::1:1790\" { }\n", 3, "is not ADDRESS:PORT"},
    {STORE SOURCE "bmp-listen \"127.0.0.1:65536\" { }\n", 3, "'65536' is not a port"},
    {STORE SOURCE "bmp-listen \"127.0.0.1:1\" { port = 3 }\n", 3, "no such option 'port'"},
    {STORE SOURCE "router \"a\" {\n  address = \"here\"\n}\n", 4, "address: 'here' is not an address"},
    {STORE SOURCE "router \"a\" { address = \"::1\" sys-name = \"b\" }\n", 3, "not by both"},
    {STORE SOURCE "router \"a\" { local-as = \"AS-1\" }\n", 3, "local-as: 'AS-1' is not an AS number"},
    {STORE SOURCE "router \"a\" { views = {\"loc-rib\"} }\n", 3, "'loc-rib' is none of pre-policy, post-policy"},
    {STORE SOURCE "router \"a\" {\n  role = \"boss\"\n}\n", 4, "role: 'boss' is none of provider, rs, rs-client"},
    {STORE SOURCE "router \"a\" {\n  no-role = \"valid\"\n}\n", 4, "no-role: 'valid' is none of not-evaluated"},
    {STORE SOURCE "router \"a\" {\n  peer \"edge\" { }\n}\n", 4, "is neither the address of a neighbor nor an AS"},
    {STORE SOURCE "router \"a\" {\n  peer \"AS0\" { }\n}\n", 4, "is neither the address of a neighbor nor an AS"},
    {STORE SOURCE "router \"a\" {\n  peer \"64500\" { }\n}\n", 4, "is neither the address of a neighbor nor an AS"},
    {STORE SOURCE "router \"a\" { peer \"::1\" {\n  role = \"none of them\"\n}}\n", 4, "is none of provider, rs"},
    {STORE SOURCE "router \"a\" { peer \"::1\" {\n  rank = 1\n}}\n", 4, "no such option 'rank'"},
    {STORE SOURCE "router \"\" { }\n", 3, "a name has 1 to 63 octets"},
    {STORE SOURCE "station \"a\" {\n  port = 1\n}\n", 5, "option 'host' is missing"},
    {STORE SOURCE "station \"a\" { host = \"h\" plain = true }\n", 3, "option 'port' is missing"},
    {STORE SOURCE "station \"a\" { host = \"h\" port = 1 }\n", 3, "option 'certificate' is missing"},
    {STORE SOURCE "station \"a\" {\n  key = \"/nonexistent/key\"\n}\n", 4, "key: '/nonexistent/key': No such file"},
    {STORE SOURCE "station \"a\" { host = \"192.0.2.1\" port = 1 plain = true }\n", 3, "loopback addresses only"},
    {STORE SOURCE "station \"a\" { host = \"localhost\" port = 1 plain = true }\n", 3, "loopback addresses only"},
    {STORE SOURCE "station \"a\" { host = \"::1\" port = 1 plain = true server-name = \"x\" }\n", 3,
     "'server-name' has no meaning with plain"},
    {STORE SOURCE "station \"a\" { profile = \"v5\" }\n", 3, "'v5' is none of v4, exp3, std3"},
    {STORE SOURCE "station \"a\" { tlv-draft = 20 }\n", 3, "20 is not a revision that is spoken here (19, 21)"},
    {STORE SOURCE "station \"a\" { enterprise-number = 0 }\n", 3, "enterprise-number: 0 is not between"},
    {STORE SOURCE "station \"a\" { host = \"::1\" port = 1 plain = true retry-min = 9 retry-max = 8 }\n", 3,
     "retry-min is longer than retry-max"},
    {STORE SOURCE "station \"a\" {\n", 0, ""},
    {STORE SOURCE "rtr-listen \"localhost:323\" { }\n", 3, "'localhost' is not an address"},
    {STORE SOURCE "rtr-listen \"::1\" { }\n", 3, "is not ADDRESS:PORT"},
    {STORE SOURCE "rtr-listen \"[::1]:323\" {\n key = \"/dev/null\"\n}\n", 5, "option 'certificate' is missing"},
    {STORE SOURCE "rtr-listen \"[::1]:323\" {\n ca = \"/nonexistent/ca\"\n}\n", 4, "No such file"},
    {STORE SOURCE "rtr-listen \"[::1]:323\" { max-clients = 0 }\n", 3, "max-clients: 0 is not between"},
    {STORE SOURCE "rtr-listen \"[::1]:323\" { max-version = 3 }\n", 3, "max-version: 3 is not between 0 and 2"},
    {STORE "static {\n  aspa = {\"AS1: AS2\",\n    \"AS1 AS2\"}\n}\n", 4, "is not CUSTOMER: PROVIDER..."},
    {STORE "static { aspa = {\"ASX: AS2\"} }\n", 2, "is not CUSTOMER"},
    {STORE "static { aspa = {\"AS1:\"} }\n", 2, "has no providers"},
    {STORE "static { aspa = {\"AS1: AS2 x\"} }\n", 2, "a provider that is no AS number"},
    {STORE "static { aspa = {\"AS1: AS2,,AS3\"} }\n", 2, "a provider that is no AS number"},
    {STORE "static { aspa = {\"AS1: AS4294967296\"} }\n", 2, "a provider that is no AS number"},
    {STORE "static { aspa = {\"AS1: AS2 AS1\"} }\n", 2, "the customer among its providers"},
    {STORE "static { aspa = {\"AS1: AS2 AS2\"} }\n", 2, "a provider twice"},
    {STORE "static { aspa = {\"AS1: AS2 AS0\"} }\n", 2, "AS0 beside other providers"},
    {STORE "static { router-key = {\"AS1\"} }\n", 2, "is not ASN SKI KEY"},
    {STORE "static { router-key = {\"AS1 " SKI "\"} }\n", 2, "is not ASN SKI KEY"},
    {STORE "static { router-key = {\"X " SKI " " SPKI "\"} }\n", 2, "no AS number in front"},
    {STORE "static { router-key = {\"AS1 88C5 " SPKI "\"} }\n", 2, "not 40 hexadecimal digits"},
    {STORE "static { router-key = {\"AS1 " SKI "0 " SPKI "\"} }\n", 2, "not 40 hexadecimal digits"},
    {STORE "static { router-key = {\"AS1 " SKI " MAA=\"} }\n", 2,
     "neither base64 of a SubjectPublicKeyInfo nor a path"},
    {STORE "static { router-key = {\"AS1 " SKI " /nonexistent\"} }\n", 2, "a key file that cannot be read"},
    {STORE "static { router-key = {\"AS1 " SKI " /dev/null\"} }\n", 2, "holds no SubjectPublicKeyInfo"},
    {STORE SOURCE "rtr-listen \"[::1]:323\" { min-version = 2 max-version = 1 }\n", 3, "2 is above max-version 1"},
    {STORE SOURCE "rtr-listen \"[::1]:323\" { refresh = 86401 }\n", 3, "refresh: 86401 is not between"},
    {STORE SOURCE "rtr-listen \"[::1]:323\" { retry = 7201 }\n", 3, "retry: 7201 is not between"},
    {STORE SOURCE "rtr-listen \"[::1]:323\" { expire = 599 }\n", 3, "expire: 599 is not between 600 and 172800"},
    {STORE SOURCE "rtr-listen \"[::1]:323\" { expire = 3600 }\n", 3, "expire 3600 is not longer than refresh 3600"},
    {STORE SOURCE "rtr-listen \"[::1]:323\" { notify-interval = 59 }\n", 3, "notify-interval: 59 is not between 60"},
    {STORE SOURCE "rtr-listen \"[::1]:323\" { on-stop = \"sleep\" }\n", 3, "'sleep' is none of restart, shutdown"},
    {SOURCE, 0, "option 'store' is missing"},
    {STORE, 0, "no source of payloads"},
    {STORE "static { }\n", 0, "no source of payloads"},
    {"\x01\x02\x03", 0, ""},
    {"", 0, "option 'store' is missing"},
};

static void refuses_with_line_and_reason(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct ww_config *config = NULL;
    struct ww_diag diag;
    enum ww_err err = load(bad[i].text, &config, &diag);
    if (err == WW_OK || config || !diag.text[0] || !strstr(diag.text, bad[i].says) ||
        (bad[i].line && diag.line != bad[i].line))
      fail_msg("case %zu: %s\n-> error %d, line %u: %s\nwanted line %u: %s", i, bad[i].text, err, diag.line, diag.text,
               bad[i].line, bad[i].says);
  }
}

static void refuses_what_is_no_file(void **state) {
  struct ww_config *config;
  struct ww_diag diag;
  (void)state;
  assert_int_equal(ww_config_load("/nonexistent/waywarden.conf", &config, &diag), WW_ERR_IO);
  assert_string_equal(diag.text, "No such file or directory");
}

static void reads_what_is_said(void **state) {
  static const char text[] = STORE
      "control = \"/run/c\" log-level = \"debug\" startup-grace = 7 journal-entries = 1024\n"
      "rtr-cache \"main\" { host = \"rtr.example.net\" }\n"
      "rtr-cache \"old\" { host = \"::1\" port = 8282 min-version = 1 max-version = 1 }\n"
      "rtr-cache \"t\" { host = \"c.example\" transport = \"tls\" ca = \"/dev/null\" certificate = \"/dev/null\"\n"
      "  key = \"/dev/null\" source-address = \"::1\" }\n"
      "rtr-cache \"s\" { host = \"fe80::1%lo\" transport = \"ssh\" ssh-user = \"u\" ssh-key = \"/dev/null\"\n"
      "  ssh-known-hosts = \"/dev/null\" }\n"
      "rtr-cache \"m\" { host = \"h\" transport = \"tcp-md5\" password-file = \"/dev/null\" }\n"
      "rtr-cache \"o\" { host = \"h\" transport = \"tcp-ao\" key-file = \"/dev/null\" port = 8323 }\n"
      "payload-file \"dump\" { path = \"/x.json\" ignore-expiry = true refresh-interval = 60 }\n"
      "static { vrp = {\"2001:db8::/32-48 64501\", \"192.0.2.0/24 AS64500\"}\n"
      "  aspa = {\"AS64500: 64502, AS64501\", \"64503:AS0\"} router-key = {\"AS64500 " SKI " " SPKI "\"} }\n"
      "bmp-listen \"127.0.0.1:11019\" { }\n bmp-listen \"[::1]:0\" { }\n"
      "router \"edge1\" { address = \"192.0.2.1\" local-as = 64500 views = {\"pre-policy\", \"post-policy\"} }\n"
      "router \"edge2\" { sys-name = \"e2\" views = {\"post-policy\"} role = \"customer\" no-role = \"upstream\"\n"
      "  peer \"192.0.2.9\" { role = \"rs-client\" allow-pcount-0 = true } peer \"AS64501\" { role = "
      "\"mutual-transit\" }\n"
      "  peer \"2001:db8::9\" { } }\n router \"edge3\" { }\n"
      "station \"p\" { host = \"127.0.0.1\" port = 1790 plain = true profile = \"std3\" tlv-draft = 19 covering "
      "= true\n"
      "  enterprise-number = 4294967295 retry-min = 1 retry-max = 2 }\n"
      "rtr-listen \"127.0.0.1:323\" { }\n"
      "rtr-listen \"[::1]:324\" { certificate = \"/dev/null\" key = \"/dev/null\" ca = \"/dev/null\"\n"
      "  check-address = false max-clients = 9 min-version = 1 max-version = 1 refresh = 60 retry = 61\n"
      "  expire = 600 notify-interval = 61 on-stop = \"shutdown\" }\n";
  struct ww_config *c;
  struct ww_diag diag;
  (void)state;
  if (load(text, &c, &diag) != WW_OK)
    fail_msg("line %u: %s", diag.line, diag.text);
  assert_string_equal(c->store, "/tmp/x");
  assert_string_equal(c->control, "/run/c");
  assert_int_equal(c->log_level, WW_LOG_DEBUG);
  assert_int_equal(c->startup_grace, 7);
  assert_int_equal(c->journal_entries, 1024);
  assert_int_equal(c->cache_count, 6);
  assert_int_equal(c->caches[0].transport, WW_TRANSPORT_TCP);
  assert_null(c->caches[0].source_address);
  assert_int_equal(c->caches[2].transport, WW_TRANSPORT_TLS);
  assert_string_equal(c->caches[2].port, "324");
  assert_string_equal(c->caches[2].source_address, "::1");
  assert_null(c->caches[2].server_name);
  assert_int_equal(c->caches[3].transport, WW_TRANSPORT_SSH);
  assert_string_equal(c->caches[3].port, "22");
  assert_string_equal(c->caches[3].ssh_user, "u");
  assert_string_equal(c->caches[4].port, "323");
  assert_string_equal(c->caches[4].password_file, "/dev/null");
  assert_string_equal(c->caches[5].port, "8323");
  assert_string_equal(ww_transport_name(c->caches[5].transport), "tcp-ao");
  assert_string_equal(c->caches[0].name, "main");
  assert_string_equal(c->caches[0].port, "323");
  assert_int_equal(c->caches[0].max_version, 2);
  assert_int_equal(c->caches[0].min_version, 0);
  assert_string_equal(c->caches[1].host, "::1");
  assert_string_equal(c->caches[1].port, "8282");
  assert_int_equal(c->caches[1].max_version, 1);
  assert_int_equal(c->caches[1].min_version, 1);
  assert_int_equal(c->file_count, 1);
  assert_true(c->files[0].ignore_expiry);
  assert_int_equal(c->files[0].refresh_interval, 60);
  assert_true(c->has_static);
  assert_int_equal(c->statics.aspa_count, 2);
  assert_int_equal(c->statics.aspas[0].customer, 64500);
  assert_int_equal(c->statics.aspas[0].provider_count, 2);
  assert_int_equal(c->statics.aspas[0].providers[0], 64501);
  assert_int_equal(c->statics.aspas[1].providers[0], 0);
  assert_int_equal(c->statics.key_count, 1);
  assert_int_equal(c->statics.keys[0].spki_len, 91);
  assert_int_equal(c->statics.keys[0].ski[0], 0x88);
  assert_int_equal(c->statics.vrp_count, 2);
  assert_int_equal(c->statics.vrps[0].asn, 64500); /* sorted: IPv4 first */
  assert_int_equal(c->statics.vrps[0].max_len, 24);
  assert_int_equal(c->statics.vrps[1].max_len, 48);
  assert_int_equal(c->listen_count, 2);
  assert_string_equal(c->listens[1], "[::1]:0");
  assert_int_equal(c->router_count, 3);
  assert_int_equal(c->routers[0].address.afi, WW_AFI_IPV4);
  assert_int_equal(c->routers[0].local_as, 64500);
  assert_int_equal(c->routers[0].views, 1u << WW_VIEW_ADJ_IN_PRE | 1u << WW_VIEW_ADJ_IN_POST);
  assert_string_equal(c->routers[1].sys_name, "e2");
  assert_int_equal(c->routers[1].views, 1u << WW_VIEW_ADJ_IN_POST);
  assert_int_equal(c->routers[0].role, WW_ROLE_NONE);
  assert_int_equal(c->routers[0].no_role, WW_NO_ROLE_SKIP);
  assert_int_equal(c->routers[0].peer_count, 0);
  assert_int_equal(c->routers[1].role, WW_ROLE_CUSTOMER);
  assert_int_equal(c->routers[1].no_role, WW_NO_ROLE_UPSTREAM);
  assert_int_equal(c->routers[1].peer_count, 3);
  assert_int_equal(c->routers[1].peers[0].address.afi, WW_AFI_IPV4);
  assert_int_equal(c->routers[1].peers[0].role, WW_ROLE_RS_CLIENT);
  assert_true(c->routers[1].peers[0].allow_pcount0);
  assert_false(c->routers[1].peers[1].allow_pcount0);
  assert_int_equal(c->routers[1].peers[1].address.afi, 0);
  assert_int_equal(c->routers[1].peers[1].asn, 64501);
  assert_int_equal(c->routers[1].peers[1].role, WW_ROLE_MUTUAL_TRANSIT);
  assert_true(c->routers[1].peers[2].role_not_said && !c->routers[1].peers[0].role_not_said);
  assert_null(c->routers[2].sys_name);
  assert_int_equal(c->routers[2].views, 1u << WW_VIEW_ADJ_IN_PRE);
  assert_int_equal(c->station_count, 1);
  assert_int_equal(c->stations[0].profile, WW_PROFILE_STD3);
  assert_int_equal(c->stations[0].tlv_draft, 19);
  assert_int_equal(c->stations[0].enterprise_number, UINT32_MAX);
  assert_true(c->stations[0].plain && c->stations[0].covering);
  assert_int_equal(c->stations[0].retry_max, 2);
  assert_int_equal(c->rtr_listen_count, 2);
  assert_string_equal(c->rtr_listens[0].where, "127.0.0.1:323");
  assert_null(c->rtr_listens[0].certificate);
  assert_true(c->rtr_listens[0].check_address && !c->rtr_listens[0].shutdown);
  assert_int_equal(c->rtr_listens[0].max_version, 2);
  assert_int_equal(c->rtr_listens[0].refresh, 3600);
  assert_int_equal(c->rtr_listens[0].expire, 7200);
  assert_string_equal(c->rtr_listens[1].ca, "/dev/null");
  assert_true(!c->rtr_listens[1].check_address && c->rtr_listens[1].shutdown);
  assert_int_equal(c->rtr_listens[1].max_clients, 9);
  assert_int_equal(c->rtr_listens[1].min_version, 1);
  assert_int_equal(c->rtr_listens[1].retry, 61);
  assert_int_equal(c->rtr_listens[1].notify_interval, 61);
  ww_config_free(c);
}

/* ---- the manual page and the tables name the same options ---- */

struct names {
  char text[128][96]; /* "section option", or "- option" */
  size_t count;
};

static void add_name(struct names *names, const char *section, const char *option) {
  assert_true(names->count < 128);
  snprintf(names->text[names->count++], sizeof(names->text[0]), "%s %s", section ? section : "-", option);
}

static void add_option(void *ctx, const char *section, const char *option) { add_name(ctx, section, option); }

/* Options of the page: .It Ic NAME, in the section of the last .Ss (global before the first); signals are .It Dv. */
static void read_page(struct names *names) {
  FILE *page = fopen("docs/man/waywarden.conf.5", "r");
  char line[512], section[64] = "", word[64];
  assert_non_null(page);
  while (fgets(line, sizeof(line), page)) {
    if (sscanf(line, ".Ss %63s", word) == 1)
      snprintf(section, sizeof(section), "%s", word);
    else if (strncmp(line, ".Sh ", 4) == 0)
      section[0] = '\0';
    else if (sscanf(line, ".It Ic %63s", word) == 1)
      add_name(names, section[0] ? section : NULL, word);
  }
  fclose(page);
}

static bool holds(const struct names *names, const char *text) {
  for (size_t i = 0; i < names->count; i++)
    if (strcmp(names->text[i], text) == 0)
      return true;
  return false;
}

static void manual_page_has_the_same_options(void **state) {
  struct names table = {.count = 0}, page = {.count = 0};
  (void)state;
  ww_config_options(&table, add_option);
  read_page(&page);
  assert_true(table.count > 30);
  for (size_t i = 0; i < table.count; i++)
    if (!holds(&page, table.text[i]))
      fail_msg("waywarden.conf(5) lacks: %s", table.text[i]);
  for (size_t i = 0; i < page.count; i++)
    if (!holds(&table, page.text[i]))
      fail_msg("waywarden.conf(5) has an option that does not exist: %s", page.text[i]);
}

/* A key in a file: DER, base64 over two lines, PEM. */
static void reads_key_files(void **state) {
  static const uint8_t der[] = {0x30, 0x0c, 0x30, 0x05, 0x06, 0x03, 0x2a, 0x03, 0x04, 0x03, 0x03, 0x00, 0xaa, 0xbb};
  static const struct {
    const void *text;
    size_t len;
  } files[] = {
      {der, sizeof(der)},
      {"MAwwBQYDKgME\nAwMAqrs=\n", 21},
      {"-----BEGIN PUBLIC KEY-----\nMAwwBQYDKgMEAwMAqrs=\n-----END PUBLIC KEY-----\n", 73},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
    char path[] = "/tmp/ww-test-key-XXXXXX", text[256];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, files[i].text, files[i].len), files[i].len);
    close(fd);
    snprintf(text, sizeof(text), STORE "static { router-key = {\"AS1 " SKI " %s\"} }\n", path);
    struct ww_config *config = NULL;
    struct ww_diag diag = {0};
    if (load(text, &config, &diag) != WW_OK)
      fail_msg("file %zu: %s", i, diag.text);
    unlink(path);
    assert_int_equal(config->statics.keys[0].spki_len, sizeof(der));
    assert_memory_equal(config->statics.keys[0].spki, der, sizeof(der));
    ww_config_free(config);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(refuses_with_line_and_reason),
      cmocka_unit_test(refuses_what_is_no_file),
      cmocka_unit_test(reads_what_is_said),
      cmocka_unit_test(reads_key_files),
      cmocka_unit_test(manual_page_has_the_same_options),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
