/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests for router certificates: PKCS#10 as RFC 8209 §3.2 and RFC 8635 §6 want it.
 *
 * The request names neither AS nor BGP Identifier: the operator sends them beside it (RFC 8635 §6). Its subject is
 * empty, which leaves the name to the CA (RFC 6487 §6.1.1), unless the caller wants one. It asks for the two extensions
 * that a CA honours, key usage and the extended key usage of BGPsec routers.
 *
 * Clauses: RFC 2986 §4; RFC 6487 §6.1.1; RFC 8209 §3.2; RFC 8608 §2.2.1; RFC 8635 §6.
 */
#include "bgpsec/sign.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* RFC 8209 §3.1.3.2: id-kp-bgpsec-router. */
#define ROUTER_PURPOSE "1.3.6.1.5.5.7.3.30"

static bool add_extension(STACK_OF(X509_EXTENSION) * list, int nid, const char *value) {
  X509V3_CTX ctx;
  X509V3_set_ctx_nodb(&ctx);
  X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
  if (extension && sk_X509_EXTENSION_push(list, extension) > 0)
    return true;
  X509_EXTENSION_free(extension);
  return false;
}

enum ww_err ww_bgpsec_request(const struct ww_bgpsec_signer *signer, const char *common_name, uint8_t **der,
                              size_t *len) {
  *der = NULL;
  if (!signer->key)
    return WW_ERR_STATE;
  X509_REQ *request = X509_REQ_new();
  STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
  bool ok =
      request && list && X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
      (!common_name || X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", V_ASN1_PRINTABLESTRING,
                                                  (const unsigned char *)common_name, -1, -1, 0) == 1) &&
      X509_REQ_set_pubkey(request, signer->key) == 1 &&
      add_extension(list, NID_key_usage, "critical,digitalSignature") &&
      add_extension(list, NID_ext_key_usage, ROUTER_PURPOSE) && X509_REQ_add_extensions(request, list) == 1 &&
      X509_REQ_sign(request, signer->key, EVP_sha256()) > 0;
  unsigned char *made = NULL;
  int n = ok ? i2d_X509_REQ(request, &made) : 0;
  if (n > 0 && (*der = malloc((size_t)n))) {
    memcpy(*der, made, (size_t)n);
    *len = (size_t)n;
  }
  OPENSSL_free(made);
  sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
  X509_REQ_free(request);
  if (!*der)
    ERR_clear_error();
  return *der ? WW_OK : WW_ERR_NOMEM;
}
