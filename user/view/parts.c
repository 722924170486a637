/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "view/parts.h"

#include <string.h>

#include "plan/plan_text.h"

/* Names fill their field when they are as long as they may be, without a zero at the end. */
static void copy_name(char buf[MRD_NAME_LEN + 1], const char name[MRD_NAME_LEN])
{
	const size_t len = strnlen(name, MRD_NAME_LEN);

	memcpy(buf, name, len);
	buf[len] = '\0';
}

int mrd_view_compare_names(const struct mrd_name *a, const struct mrd_name *b)
{
	int order = strncmp(a->namespace_, b->namespace_, MRD_NAME_LEN);

	order = order ? order : strncmp(a->service, b->service, MRD_NAME_LEN);
	order = order ? order : strncmp(a->port_name, b->port_name, MRD_NAME_LEN);
	order = order ? order : (int)a->protocol - (int)b->protocol;
	return order ? order : (int)a->family - (int)b->family;
}

json_t *mrd_view_name(const struct mrd_name *name)
{
	static const struct mrd_name unknown;
	char namespace_[MRD_NAME_LEN + 1], service[MRD_NAME_LEN + 1], port[MRD_NAME_LEN + 1];

	name = name ? name : &unknown;
	copy_name(namespace_, name->namespace_);
	copy_name(service, name->service);
	copy_name(port, name->port_name);
	return json_pack("{s:s++, s:s, s:s, s:s}", "service", namespace_, *service ? "/" : "",
			 service, "port", port, "protocol", mrd_protocol_name(name->protocol),
			 "family", mrd_family_name(name->family));
}

int mrd_view_set_locality(json_t *object, const struct mrd_rowset *localities, uint32_t locality_id)
{
	static const struct mrd_locality unknown;
	const struct mrd_locality *locality = mrd_rowset_find(localities, &locality_id);
	char buf[MRD_NAME_LEN + 1];
	int r;

	locality = locality ? locality : &unknown;
	copy_name(buf, locality->region);
	r = json_object_set_new(object, "region", json_string(buf));
	copy_name(buf, locality->zone);
	r |= json_object_set_new(object, "zone", json_string(buf));
	copy_name(buf, locality->subzone);
	return r | json_object_set_new(object, "subzone", json_string(buf));
}

const char *mrd_view_region(const struct mrd_rowset *localities, uint32_t locality_id,
			    char buf[MRD_NAME_LEN + 1])
{
	const struct mrd_locality *locality = mrd_rowset_find(localities, &locality_id);

	*buf = '\0';
	if (locality)
		copy_name(buf, locality->region);
	return buf;
}

const char *mrd_view_address(const uint8_t addr[MRD_ADDR_LEN], enum mrd_family family,
			     uint32_t port, char buf[MRD_IP_TEXT_MAX])
{
	struct mrd_ip ip = {.version = family == MRD_FAMILY_IPV6 ? MRD_IPV6 : MRD_IPV4};

	memcpy(ip.bytes, addr, MRD_ADDR_LEN);
	return mrd_ip_port_format(&ip, (uint16_t)port, buf);
}

json_t *mrd_view_number(uint64_t number)
{
	return json_integer((json_int_t)number);
}

json_t *mrd_view_mean_ms(uint64_t sum_us, uint64_t count)
{
	return count ? json_real((double)sum_us / (double)count / 1000.0) : json_null();
}

json_t *mrd_view_classes(const uint64_t responses[MRD_CLASSES])
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "1xx", (json_int_t)responses[0], "2xx",
			 (json_int_t)responses[1], "3xx", (json_int_t)responses[2], "4xx",
			 (json_int_t)responses[3], "5xx", (json_int_t)responses[4]);
}

/* -------------------------------------------------------------------------------------- text */

const char *mrd_view_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

long long mrd_view_integer(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

double mrd_view_real(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

const char *mrd_view_place(const json_t *object, char *buf, size_t size)
{
	const char *zone = mrd_view_text(object, "zone");
	const char *subzone = mrd_view_text(object, "subzone");

	snprintf(buf, size, "%s%s%s%s%s", mrd_view_text(object, "region"), *zone ? "/" : "", zone,
		 *subzone ? "/" : "", subzone);
	return buf;
}

const char *mrd_view_span(long long ms, char *buf, size_t size)
{
	enum { S = 1000, MIN = 60 * S, H = 60 * MIN, D = 24 * H };

	if (ms < S)
		snprintf(buf, size, "%lldms", ms);
	else if (ms < MIN)
		snprintf(buf, size, "%llds", ms / S);
	else if (ms < H)
		snprintf(buf, size, "%lldm%02llds", ms / MIN, ms % MIN / S);
	else if (ms < D)
		snprintf(buf, size, "%lldh%02lldm", ms / H, ms % H / MIN);
	else
		snprintf(buf, size, "%lldd%02lldh", ms / D, ms % D / H);
	return buf;
}
