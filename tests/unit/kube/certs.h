/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Certificates that are made while a test runs, so that none expires in the tree. */
#ifndef MRD_TEST_KUBE_CERTS_H
#define MRD_TEST_KUBE_CERTS_H

#include <assert.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

enum { CERT_DAY_S = 24 * 60 * 60 };

struct cert {
	EVP_PKEY *key;
	X509 *x509;
	char *pem;
	char *key_pem;
};

static inline char *cert_text_of(BIO *bio)
{
	char *at = NULL;
	const long len = BIO_get_mem_data(bio, &at);
	char *text = strndup(at, (size_t)len);

	BIO_free(bio);
	return text;
}

static inline void cert_add_extension(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert(extension);
	X509_add_ext(x509, extension, -1);
	X509_EXTENSION_free(extension);
}

/* issuer NULL: it signs itself, and is an authority. names: "DNS:a,IP:127.0.0.1", or NULL. */
static inline struct cert cert_make(const char *subject, const char *names,
				    const struct cert *issuer, int days)
{
	static long serial = 1;
	struct cert cert = {.key = EVP_EC_gen("P-256"), .x509 = X509_new()};
	X509_NAME *name = X509_get_subject_name(cert.x509);
	BIO *bio;

	X509_set_version(cert.x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert.x509), serial++);
	X509_gmtime_adj(X509_getm_notBefore(cert.x509), -2L * CERT_DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(cert.x509), (long)days * CERT_DAY_S);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)subject, -1,
				   -1, 0);
	X509_set_issuer_name(cert.x509, X509_get_subject_name(issuer ? issuer->x509 : cert.x509));
	X509_set_pubkey(cert.x509, cert.key);
	if (!issuer)
		cert_add_extension(cert.x509, NID_basic_constraints, "critical,CA:TRUE");
	if (names)
		cert_add_extension(cert.x509, NID_subject_alt_name, names);
	X509_sign(cert.x509, issuer ? issuer->key : cert.key, EVP_sha256());

	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(bio, cert.x509);
	cert.pem = cert_text_of(bio);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(bio, cert.key, NULL, NULL, 0, NULL, NULL);
	cert.key_pem = cert_text_of(bio);
	return cert;
}

static inline void cert_free(struct cert *cert)
{
	EVP_PKEY_free(cert->key);
	X509_free(cert->x509);
	free(cert->pem);
	free(cert->key_pem);
}

#endif
