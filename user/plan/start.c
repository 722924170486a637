/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "plan/start.h"

#include <errno.h>
#include <string.h>

#include "base/name.h"

enum { IPV4_DOTS = 3 };

/* Like an IPv4 address: no region is called so. */
static bool is_dotted(const char *text)
{
	size_t dots = 0;

	for (; *text && *text != '/'; text++) {
		if (*text != '.' && (*text < '0' || *text > '9'))
			return false;
		dots += *text == '.';
	}
	return dots == IPV4_DOTS;
}

/* What is wrong if the text was meant for an address, which is none by itself; or NULL. */
static const char *address_fault(const char *text)
{
	struct mrd_cidr cidr;
	struct mrd_ip ip;
	uint16_t port;

	if (!mrd_ip_parse(text, &ip))
		return "an address is no place";
	if (!mrd_ip_port_parse(text, &ip, &port))
		return port ? "a pod's address stands alone, without a port"
			    : "a pod's address stands alone, without brackets";
	if (mrd_cidr_parse(text, &cidr) != -EINVAL)
		return "a pod's address stands alone, without a prefix length";
	return is_dotted(text) || strchr(text, ':') ? "it is no address" : NULL;
}

const char *mrd_start_parse_place(const char *text, struct mrd_start *ret_start)
{
	struct mrd_start start = {0};
	char *const levels[] = {start.region, start.zone, start.subzone};
	enum { LEVELS = sizeof(levels) / sizeof(levels[0]) };
	const char *fault = address_fault(text);
	bool more = true;

	for (size_t i = 0; !fault && more; i++) {
		const size_t len = strcspn(text, "/");
		char level[MRD_NAME_LEN] = "";

		more = text[len] == '/';
		if (!len)
			return "a region, zone or subzone is empty";
		if (len >= sizeof(level))
			return "a region, zone or subzone has at most 63 characters";
		memcpy(level, text, len);
		fault = mrd_name_fault_place(level);
		if (i < LEVELS)
			memcpy(levels[i], level, sizeof(level));
		text += len + more;
	}
	if (!fault)
		*ret_start = start;
	return fault;
}

const char *mrd_start_parse(const char *text, struct mrd_start *ret_start)
{
	struct mrd_start start = {0};

	if (mrd_ip_parse(text, &start.ip))
		return mrd_start_parse_place(text, ret_start);
	*ret_start = start;
	return NULL;
}
