/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/name.h"

#include <string.h>

#include "base/ip.h"
#include "base/label.h"

#define LABEL_VALUE                                                                                \
	"at most 63 letters, digits, \"-\", \"_\" and \".\", with a letter or digit at both ends " \
	"(the value of a Kubernetes label)"
#define DNS_NAME                                                                             \
	"lower-case letters, digits and \"-\" with dots between, a letter or digit at both " \
	"ends of each part (RFC 1123)"

const char *mrd_name_fault_place(const char *text)
{
	if (strchr(text, '*'))
		return "must be one place: \"*\" is for rules";
	if (strchr(text, '/'))
		return "must be one level, without \"/\": a zone and a subzone have places of "
		       "their own";
	return mrd_label_is_value(text, strlen(text)) ? NULL : "must be " LABEL_VALUE;
}

const char *mrd_name_fault_label(const char *text)
{
	return mrd_label_is_value(text, strlen(text)) ? NULL : "must be " LABEL_VALUE;
}

const char *mrd_name_fault_namespace(const char *text)
{
	return mrd_label_is_dns(text, strlen(text))
		       ? NULL
		       : "must be a namespace: at most 63 lower-case letters, digits and \"-\", "
			 "with a letter or digit at both ends (RFC 1123)";
}

const char *mrd_name_fault_domain(const char *text)
{
	struct mrd_ip ip;
	const size_t len = strlen(text);

	if (len > 1 && text[len - 1] == '.' && mrd_label_is_dns_name(text, len - 1))
		return "must be a domain without the dot at its end";
	if (!mrd_ip_parse(text, &ip))
		return "must be a domain like cluster.local, not an address";
	return mrd_label_is_dns_name(text, len) ? NULL
						: "must be a domain like cluster.local: " DNS_NAME;
}

const char *mrd_name_fault_node(const char *text)
{
	return mrd_label_is_dns_name(text, strlen(text))
		       ? NULL
		       : "must be the node's name in Kubernetes: " DNS_NAME;
}

const char *mrd_name_fault_line(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '\x7f')
			return "must have no control characters";
	return NULL;
}
