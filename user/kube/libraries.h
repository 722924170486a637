/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * libcurl and OpenSSL, loaded when the first API server is asked for: an agent that reads folders
 * alone does without them, and is smaller by some 3.5 MB. Each function that is used stands in a
 * list here, and is called by its name behind "sym_".
 */
#ifndef MRD_KUBE_LIBRARIES_H
#define MRD_KUBE_LIBRARIES_H

/* The checks of curl's macros look for its own functions. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* clang-format off */
#define MRD_LIBCURL(X) \
	X(curl_easy_cleanup) \
	X(curl_easy_getinfo) \
	X(curl_easy_init) \
	X(curl_easy_pause) \
	X(curl_easy_setopt) \
	X(curl_easy_strerror) \
	X(curl_free) \
	X(curl_global_init) \
	X(curl_multi_add_handle) \
	X(curl_multi_cleanup) \
	X(curl_multi_info_read) \
	X(curl_multi_init) \
	X(curl_multi_remove_handle) \
	X(curl_multi_setopt) \
	X(curl_multi_socket_action) \
	X(curl_slist_append) \
	X(curl_slist_free_all) \
	X(curl_url) \
	X(curl_url_cleanup) \
	X(curl_url_get) \
	X(curl_url_set)

#define MRD_LIBSSL(X) \
	X(SSL_CTX_set_cert_verify_callback)

#define MRD_LIBCRYPTO(X) \
	X(ASN1_STRING_get0_data) \
	X(ASN1_STRING_length) \
	X(ASN1_TIME_print) \
	X(BIO_ctrl) \
	X(BIO_free) \
	X(BIO_new) \
	X(BIO_s_mem) \
	X(GENERAL_NAMES_free) \
	X(OPENSSL_sk_num) \
	X(OPENSSL_sk_value) \
	X(X509_NAME_print_ex) \
	X(X509_STORE_CTX_get0_cert) \
	X(X509_STORE_CTX_get_current_cert) \
	X(X509_STORE_CTX_get_error) \
	X(X509_get0_notAfter) \
	X(X509_get0_notBefore) \
	X(X509_get_ext_d2i) \
	X(X509_get_issuer_name) \
	X(X509_get_subject_name) \
	X(X509_verify_cert) \
	X(X509_verify_cert_error_string)
/* clang-format on */

#define MRD_DECLARE_SYMBOL(name) extern typeof(name) *sym_##name;
MRD_LIBCURL(MRD_DECLARE_SYMBOL)
MRD_LIBSSL(MRD_DECLARE_SYMBOL)
MRD_LIBCRYPTO(MRD_DECLARE_SYMBOL)
#undef MRD_DECLARE_SYMBOL

/* NULL, or why they cannot be used: one sentence, which stays. They stay loaded. */
const char *mrd_libraries_load(void);

#endif
