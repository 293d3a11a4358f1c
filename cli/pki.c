/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `waywarden pki`: a lab's own certificate authority, for BMPS and later RTR over TLS.
 *
 * A folder holds ca.pem and ca.key, and for each name NAME.pem and NAME.key. Keys are P-256, files with keys have mode
 * 0600, and nothing that exists is ever overwritten: files are created with O_EXCL, the key before its certificate, and
 * a key whose certificate could not be made is removed again.
 *
 * Clauses: RFC 5280 §4.1.2 and §4.2.1 (serial numbers, validity, extensions), RFC 9525 (names stand in subjectAltName).
 */
#include "cli/cli.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CA_DAYS = 3650, LEAF_DAYS = 365, DAYS_MAX = 36500, BACKDATE_S = 300, SERIAL_OCTETS = 16, NAMES_MAX = 64 };

/* What a certificate is to say. */
struct request {
  const char *name; /* subject CN */
  bool ca, client, server;
  const char *names[NAMES_MAX]; /* "DNS:x" or "IP:x" */
  size_t name_count;
  long days; /* negative: expired already, for tests */
};

static int fail_ssl(const char *what) {
  const char *text = ERR_reason_error_string(ERR_peek_error());
  return ww_cli_fail("pki", "%s: %s", what, text ? text : "failed");
}

/* Creates a file that must not exist. */
static FILE *create(const char *path, mode_t mode) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
  if (!file) {
    ww_cli_fail("pki", "%s: %s", path, errno == EEXIST ? "exists; it is never overwritten" : strerror(errno));
    if (fd >= 0)
      close(fd);
  }
  return file;
}

static bool save_key(const char *path, EVP_PKEY *key) {
  FILE *file = create(path, 0600);
  if (!file)
    return false;
  bool written = PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
  if (fclose(file) != 0 || !written) {
    ww_cli_fail("pki", "%s: cannot be written", path);
    unlink(path);
    return false;
  }
  return true;
}

static bool save_certificate(const char *path, X509 *certificate) {
  FILE *file = create(path, 0644);
  if (!file)
    return false;
  bool written = PEM_write_X509(file, certificate) == 1;
  if (fclose(file) != 0 || !written) {
    ww_cli_fail("pki", "%s: cannot be written", path);
    unlink(path);
    return false;
  }
  return true;
}

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
  X509V3_CTX ctx;
  X509V3_set_ctx_nodb(&ctx);
  X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
  bool ok = extension && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return ok;
}

static bool add_names(X509 *certificate, const struct request *request) {
  GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
  bool ok = names != NULL;
  for (size_t i = 0; ok && i < request->name_count; i++) {
    bool dns = strncmp(request->names[i], "DNS:", 4) == 0;
    const char *value = strchr(request->names[i], ':') + 1;
    GENERAL_NAME *name = a2i_GENERAL_NAME(NULL, NULL, NULL, dns ? GEN_DNS : GEN_IPADD, value, 0);
    ok = name && sk_GENERAL_NAME_push(names, name) > 0;
    if (!ok)
      GENERAL_NAME_free(name);
  }
  ok = ok && X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
  GENERAL_NAMES_free(names);
  return ok;
}

static bool set_extensions(X509 *certificate, X509 *issuer, const struct request *request) {
  /* RFC 5280 §4.2.1.9: critical in CA certificates. CHOICE: the lab root signs end-entity certificates only. */
  bool ok = add_extension(certificate, issuer, NID_basic_constraints,
                          request->ca ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
            /* RFC 5280 §4.2.1.3: critical where it appears. */
            add_extension(certificate, issuer, NID_key_usage,
                          request->ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
            add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
            add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
  if (!ok || request->ca)
    return ok;
  const char *usage = request->client && request->server ? "clientAuth,serverAuth"
                      : request->client                  ? "clientAuth"
                                                         : "serverAuth";
  return add_extension(certificate, issuer, NID_ext_key_usage, usage) &&
         (request->name_count == 0 || add_names(certificate, request));
}

/* RFC 5280 §4.1.2.2: positive and at most 20 octets; from the random generator, so that they are unique. */
static bool set_serial(X509 *certificate) {
  unsigned char octets[SERIAL_OCTETS];
  if (RAND_bytes(octets, sizeof(octets)) != 1)
    return false;
  octets[0] = (unsigned char)((octets[0] & 0x7f) | 0x40);
  BIGNUM *number = BN_bin2bn(octets, sizeof(octets), NULL);
  bool ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  BN_free(number);
  return ok;
}

/* `issuer` NULL: self-signed. */
static X509 *make_certificate(EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, const struct request *request) {
  X509 *certificate = X509_new();
  if (!certificate)
    return NULL;
  X509_NAME *subject = X509_get_subject_name(certificate);
  /* An expired certificate was valid once: its term ends `days` ago and began a day before that. */
  long start = request->days < 0 ? (request->days - 1) * 86400L : -(long)BACKDATE_S;
  bool ok =
      X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
      X509_gmtime_adj(X509_getm_notBefore(certificate), start) &&
      X509_time_adj_ex(X509_getm_notAfter(certificate), (int)request->days, 0, NULL) &&
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)request->name, -1, -1, 0) == 1 &&
      X509_set_issuer_name(certificate, issuer ? X509_get_subject_name(issuer) : subject) == 1 &&
      X509_set_pubkey(certificate, key) == 1 && set_extensions(certificate, issuer ? issuer : certificate, request) &&
      X509_sign(certificate, issuer_key ? issuer_key : key, EVP_sha256()) > 0;
  if (!ok) {
    X509_free(certificate);
    return NULL;
  }
  return certificate;
}

/* Makes a key and its certificate and saves both under DIR/STEM. */
static int make_pair(const char *dir, const char *stem, X509 *issuer, EVP_PKEY *issuer_key,
                     const struct request *request) {
  char key_path[PATH_MAX], certificate_path[PATH_MAX];
  int a = snprintf(key_path, sizeof(key_path), "%s/%s.key", dir, stem);
  int b = snprintf(certificate_path, sizeof(certificate_path), "%s/%s.pem", dir, stem);
  if (a >= (int)sizeof(key_path) || b >= (int)sizeof(certificate_path))
    return ww_cli_fail("pki", "%s: path too long", dir);
  if (access(certificate_path, F_OK) == 0)
    return ww_cli_fail("pki", "%s: exists; it is never overwritten", certificate_path);
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = key ? make_certificate(key, issuer, issuer_key, request) : NULL;
  int code = WW_EXIT_FAILED;
  if (!certificate) {
    code = fail_ssl(stem);
  } else if (save_key(key_path, key)) {
    if (save_certificate(certificate_path, certificate))
      code = WW_EXIT_OK;
    else
      unlink(key_path);
  }
  if (code == WW_EXIT_OK)
    printf("%s\n%s\n", certificate_path, key_path);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return code;
}

static int pki_init(const char *dir, const struct request *options) {
  struct request request = {.name = options->name ? options->name : "Waywarden lab CA",
                            .ca = true,
                            .days = options->days ? options->days : CA_DAYS};
  if (mkdir(dir, 0755) != 0 && errno != EEXIST)
    return ww_cli_fail("pki", "%s: %s", dir, strerror(errno));
  return make_pair(dir, "ca", NULL, NULL, &request);
}

static FILE *open_in(const char *dir, const char *name) {
  char path[PATH_MAX];
  snprintf(path, sizeof(path), "%s/%s", dir, name);
  FILE *file = fopen(path, "r");
  if (!file)
    ww_cli_fail("pki", "%s: %s; `waywarden pki init %s` makes it", path, strerror(errno), dir);
  return file;
}

static int pki_issue(const char *dir, const struct request *request) {
  X509 *ca = NULL;
  EVP_PKEY *ca_key = NULL;
  int code = WW_EXIT_FAILED;
  FILE *file = open_in(dir, "ca.pem");
  if (!file)
    return code;
  ca = PEM_read_X509(file, NULL, NULL, NULL);
  fclose(file);
  if (ca && !(file = open_in(dir, "ca.key")))
    goto out;
  if (ca) {
    ca_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
  }
  if (!ca || !ca_key)
    ww_cli_fail("pki", "%s: %s is not PEM", dir, ca ? "ca.key" : "ca.pem");
  else if (X509_check_private_key(ca, ca_key) != 1)
    ww_cli_fail("pki", "%s: ca.key does not belong to ca.pem", dir);
  else
    code = make_pair(dir, request->name, ca, ca_key, request);
out:
  X509_free(ca);
  EVP_PKEY_free(ca_key);
  return code;
}

/* A file's name, and a subject that cannot surprise: no path, no control characters. */
static bool good_name(const char *name) {
  if (!name[0] || name[0] == '.' || strlen(name) > 64 || strcmp(name, "ca") == 0)
    return false;
  for (const char *p = name; *p; p++)
    if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("-_.", *p)))
      return false;
  return true;
}

static bool good_dns(const char *name) {
  size_t len = strlen(name);
  if (len == 0 || len > 253)
    return false;
  for (const char *p = name; *p; p++)
    if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("-_.*", *p)))
      return false;
  return true;
}

static int run_pki(int argc, char **argv) {
  enum { OPT_DNS = 256, OPT_IP, OPT_DAYS, OPT_CLIENT, OPT_SERVER };
  static const struct option long_options[] = {
      {"dns", required_argument, NULL, OPT_DNS},   {"ip", required_argument, NULL, OPT_IP},
      {"days", required_argument, NULL, OPT_DAYS}, {"client", no_argument, NULL, OPT_CLIENT},
      {"server", no_argument, NULL, OPT_SERVER},   {NULL, 0, NULL, 0},
  };
  struct request request = {0};
  char texts[NAMES_MAX][260];
  bool only_for_issue = false;
  int opt;
  while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
    unsigned char address[16];
    char *rest;
    switch (opt) {
    case OPT_DNS:
    case OPT_IP:
      only_for_issue = true;
      if (opt == OPT_DNS && !good_dns(optarg))
        return ww_cli_usage(&ww_cmd_pki, "--dns: '%s' is not a DNS name", optarg);
      if (opt == OPT_IP && inet_pton(AF_INET, optarg, address) != 1 && inet_pton(AF_INET6, optarg, address) != 1)
        return ww_cli_usage(&ww_cmd_pki, "--ip: '%s' is not an address", optarg);
      if (request.name_count == NAMES_MAX)
        return ww_cli_usage(&ww_cmd_pki, "more than %d names", NAMES_MAX);
      snprintf(texts[request.name_count], sizeof(texts[0]), "%s:%s", opt == OPT_DNS ? "DNS" : "IP", optarg);
      request.names[request.name_count] = texts[request.name_count];
      request.name_count++;
      break;
    case OPT_DAYS:
      errno = 0;
      request.days = strtol(optarg, &rest, 10);
      if (errno || *rest || rest == optarg || request.days == 0 || labs(request.days) > DAYS_MAX)
        return ww_cli_usage(&ww_cmd_pki, "--days: '%s' is not a number from 1 to %d (negative: expired so long ago)",
                            optarg, DAYS_MAX);
      break;
    case OPT_CLIENT:
      only_for_issue = request.client = true;
      break;
    case OPT_SERVER:
      only_for_issue = request.server = true;
      break;
    default:
      return WW_EXIT_USAGE;
    }
  }
  argc -= optind;
  argv += optind;
  if (argc < 1)
    return ww_cli_usage(&ww_cmd_pki, "say init or issue");
  if (strcmp(argv[0], "init") == 0) {
    if (argc != 2)
      return ww_cli_usage(&ww_cmd_pki, "init takes a folder");
    if (only_for_issue)
      return ww_cli_usage(&ww_cmd_pki, "init takes --days only");
    return pki_init(argv[1], &request);
  }
  if (strcmp(argv[0], "issue") != 0)
    return ww_cli_usage(&ww_cmd_pki, "no action '%s': init or issue", argv[0]);
  if (argc != 3)
    return ww_cli_usage(&ww_cmd_pki, "issue takes a folder and a name");
  if (!good_name(argv[2]))
    return ww_cli_usage(&ww_cmd_pki, "'%s': a name has letters, digits, '-', '_' and '.', at most 64, and is not 'ca'",
                        argv[2]);
  request.name = argv[2];
  if (!request.client && !request.server)
    request.client = request.server = true;
  if (!request.days)
    request.days = LEAF_DAYS;
  return pki_issue(argv[1], &request);
}

const struct ww_command ww_cmd_pki = {
    .name = "pki",
    .synopsis = "init DIR [--days N] | issue DIR NAME [--dns NAME]... [--ip ADDR]... [--days N] [--client] [--server]",
    .summary = "make a lab CA and certificates for BMPS",
    .help =
        "  init DIR          make DIR/ca.pem and DIR/ca.key\n"
        "  issue DIR NAME    make DIR/NAME.pem and DIR/NAME.key, signed by that CA\n"
        "  --dns NAME        a DNS name the certificate is for (repeatable)\n"
        "  --ip ADDR         an address it is for (repeatable)\n"
        "  --days N          valid for N days (default: CA 3650, others 365); negative: expired N days ago, for tests\n"
        "  --client          only to connect with; --server: only to listen with; default: both\n"
        "Keys are P-256 with mode 0600. Nothing that exists is overwritten.\n",
    .run = run_pki,
};
