/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "kube/http_tls.h"

#include <arpa/inet.h>
#include <string.h>

enum {
	NAMES_MAX = 12, /* an API server's has about eight */
	NAME_LEN_MAX = 253,
	IPV4_LEN = 4,
	IPV6_LEN = 16,
};

void mrd_tls_report_free(struct mrd_tls_report *report)
{
	mrd_strbuf_free(&report->fault);
	mrd_strbuf_free(&report->names);
}

/* Printable: whoever answers has written it. */
static void add_shown(struct mrd_strbuf *buf, const unsigned char *text, size_t len)
{
	for (size_t i = 0; i < len && i < NAME_LEN_MAX; i++)
		mrd_strbuf_addf(buf, "%c", text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?');
}

static void add_distinguished(struct mrd_strbuf *buf, const X509_NAME *name)
{
	BIO *bio = sym_BIO_new(sym_BIO_s_mem());
	char *text = NULL;
	long len;

	if (!bio)
		return;
	sym_X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
	len = sym_BIO_ctrl(bio, BIO_CTRL_INFO, 0, &text);
	if (len > 0)
		add_shown(buf, (const unsigned char *)text, (size_t)len);
	else
		mrd_strbuf_addf(buf, "nobody");
	sym_BIO_free(bio);
}

static void add_time(struct mrd_strbuf *buf, const ASN1_TIME *at)
{
	BIO *bio = sym_BIO_new(sym_BIO_s_mem());
	char *text = NULL;
	long len;

	if (!bio)
		return;
	sym_ASN1_TIME_print(bio, at);
	len = sym_BIO_ctrl(bio, BIO_CTRL_INFO, 0, &text);
	if (len > 0)
		mrd_strbuf_add(buf, text, (size_t)len);
	sym_BIO_free(bio);
}

static void add_name(struct mrd_strbuf *buf, const GENERAL_NAME *name)
{
	char address[INET6_ADDRSTRLEN];
	const ASN1_STRING *text;

	if (name->type != GEN_DNS && name->type != GEN_IPADD)
		return;
	mrd_strbuf_addf(buf, "%s", buf->len ? ", " : "");
	text = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
	if (name->type == GEN_DNS)
		add_shown(buf, sym_ASN1_STRING_get0_data(text),
			  (size_t)sym_ASN1_STRING_length(text));
	else if (sym_ASN1_STRING_length(text) == IPV4_LEN ||
		 sym_ASN1_STRING_length(text) == IPV6_LEN)
		mrd_strbuf_addf(
			buf, "%s",
			inet_ntop(sym_ASN1_STRING_length(text) == IPV4_LEN ? AF_INET : AF_INET6,
				  sym_ASN1_STRING_get0_data(text), address, sizeof(address)));
}

static void report_names(struct mrd_strbuf *buf, const X509 *certificate)
{
	GENERAL_NAMES *names = sym_X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

	const OPENSSL_STACK *list = (const OPENSSL_STACK *)names;

	for (int i = 0; names && i < sym_OPENSSL_sk_num(list) && i < NAMES_MAX; i++)
		add_name(buf, sym_OPENSSL_sk_value(list, i));
	sym_GENERAL_NAMES_free(names);
	if (!buf->len)
		add_distinguished(buf, sym_X509_get_subject_name(certificate));
}

static void report_fault(struct mrd_strbuf *buf, X509_STORE_CTX *store)
{
	const X509 *certificate = sym_X509_STORE_CTX_get_current_cert(store);
	const int error = sym_X509_STORE_CTX_get_error(store);

	mrd_strbuf_addf(buf, "the certificate");
	if (certificate) {
		mrd_strbuf_addf(buf, " of ");
		add_distinguished(buf, sym_X509_get_subject_name(certificate));
	}
	switch (certificate ? error : X509_V_OK) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		mrd_strbuf_addf(buf, " is issued by ");
		add_distinguished(buf, sym_X509_get_issuer_name(certificate));
		mrd_strbuf_addf(buf, ", which is not among the trusted (certificate-authority)");
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		mrd_strbuf_addf(buf, " has expired on ");
		add_time(buf, sym_X509_get0_notAfter(certificate));
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		mrd_strbuf_addf(buf, " is not valid before ");
		add_time(buf, sym_X509_get0_notBefore(certificate));
		break;
	default:
		mrd_strbuf_addf(buf, " is not good: %s", sym_X509_verify_cert_error_string(error));
	}
}

static int on_verify(X509_STORE_CTX *store, void *self)
{
	struct mrd_tls_report *report = self;
	const int good = sym_X509_verify_cert(store);

	mrd_tls_report_free(report);
	if (good > 0)
		report_names(&report->names, sym_X509_STORE_CTX_get0_cert(store));
	else
		report_fault(&report->fault, store);
	return good;
}

static CURLcode on_context(CURL *easy, void *context, void *self)
{
	(void)easy;
	sym_SSL_CTX_set_cert_verify_callback(context, on_verify, self);
	return CURLE_OK;
}

void mrd_tls_watch(CURL *easy, struct mrd_tls_report *report)
{
	sym_curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_context);
	sym_curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, report);
}
