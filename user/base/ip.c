/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * inet_pton() reads exactly what is wanted (no zone index, and no leading zeros, which some read as
 * octal), so this only adds families, blocks, and the one form of an IPv4-mapped address.
 */
#include "base/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BITS_PER_BYTE = 8,
	IPV4_BITS = 32,
	IPV6_BITS = 128,
	MAPPED_PREFIX_LEN = 12, /* bytes of ::ffff:0:0/96 */
};

static const uint8_t mapped_prefix[MAPPED_PREFIX_LEN] = {[10] = 0xff, [11] = 0xff};

static unsigned int version_bits(enum mrd_ip_version version)
{
	return version == MRD_IPV6 ? IPV6_BITS : IPV4_BITS;
}

int mrd_ip_parse(const char *text, struct mrd_ip *ret_ip)
{
	struct mrd_ip ip = {0};

	if (inet_pton(AF_INET, text, ip.bytes) == 1) {
		ip.version = MRD_IPV4;
	} else if (inet_pton(AF_INET6, text, ip.bytes) == 1) {
		ip.version = MRD_IPV6;
		if (!memcmp(ip.bytes, mapped_prefix, sizeof(mapped_prefix))) {
			struct mrd_ip v4 = {.version = MRD_IPV4};

			memcpy(v4.bytes, ip.bytes + MAPPED_PREFIX_LEN, IPV4_BITS / BITS_PER_BYTE);
			ip = v4;
		}
	} else {
		return -EINVAL;
	}
	*ret_ip = ip;
	return 0;
}

/* One to three digits without a leading zero. */
static int parse_prefix_len(const char *text, unsigned int most, unsigned int *ret_len)
{
	unsigned int len = 0;
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 3 || text[digits] || (text[0] == '0' && digits > 1))
		return -EINVAL;
	for (size_t i = 0; i < digits; i++)
		len = len * 10 + (unsigned int)(text[i] - '0');
	if (len > most)
		return -EINVAL;
	*ret_len = len;
	return 0;
}

/* The mask's byte at index: how much of it a prefix of prefix_len bits covers. */
static uint8_t mask_byte(unsigned int prefix_len, unsigned int index)
{
	const unsigned int start = index * BITS_PER_BYTE;

	if (prefix_len >= start + BITS_PER_BYTE)
		return UINT8_MAX;
	if (prefix_len <= start)
		return 0;
	return (uint8_t)(UINT8_MAX << (BITS_PER_BYTE - (prefix_len - start)));
}

int mrd_cidr_parse(const char *text, struct mrd_cidr *ret_cidr)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	struct mrd_cidr cidr;
	bool mapped;
	int ret;

	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	ret = mrd_ip_parse(address, &cidr.ip);
	if (ret < 0)
		return ret;
	/* A mapped block counts its prefix from the IPv6 form: ::ffff:10.0.0.0/104 = 10.0.0.0/8. */
	mapped = cidr.ip.version == MRD_IPV4 && strchr(address, ':');
	ret = parse_prefix_len(slash + 1, mapped ? IPV6_BITS : version_bits(cidr.ip.version),
			       &cidr.prefix_len);
	if (ret < 0)
		return ret;
	if (mapped) {
		if (cidr.prefix_len < IPV6_BITS - IPV4_BITS)
			return -EINVAL;
		cidr.prefix_len -= IPV6_BITS - IPV4_BITS;
	}
	for (unsigned int i = 0; i < version_bits(cidr.ip.version) / BITS_PER_BYTE; i++)
		if (cidr.ip.bytes[i] & (uint8_t)~mask_byte(cidr.prefix_len, i))
			return -EDOM;
	*ret_cidr = cidr;
	return 0;
}

int mrd_port_parse(const char *text, uint16_t *ret_port)
{
	const size_t digits = strspn(text, "0123456789");
	unsigned long number;

	if (!digits || text[digits] || *text == '0')
		return -EINVAL;
	number = strtoul(text, NULL, 10);
	if (number > UINT16_MAX)
		return -EINVAL;
	*ret_port = (uint16_t)number;
	return 0;
}

int mrd_ip_port_parse(const char *text, struct mrd_ip *ret_ip, uint16_t *ret_port)
{
	const bool in_brackets = *text == '[';
	const char *address = text + in_brackets;
	const char *end = strchr(text, in_brackets ? ']' : ':');
	char buf[MRD_IP_TEXT_MAX];
	uint16_t port = 0;
	struct mrd_ip ip;

	if (!mrd_ip_parse(text, ret_ip)) {
		*ret_port = 0;
		return 0;
	}
	if (!end || (size_t)(end - address) >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, address, (size_t)(end - address));
	buf[end - address] = '\0';
	end += in_brackets;
	if (mrd_ip_parse(buf, &ip) || (*end && *end != ':') ||
	    (*end && mrd_port_parse(end + 1, &port)))
		return -EINVAL;
	*ret_ip = ip;
	*ret_port = port;
	return 0;
}

const char *mrd_ip_format(const struct mrd_ip *ip, char buf[MRD_IP_TEXT_MAX])
{
	const int family = ip->version == MRD_IPV6 ? AF_INET6 : AF_INET;

	if (ip->version == MRD_IP_NONE || !inet_ntop(family, ip->bytes, buf, MRD_IP_TEXT_MAX))
		snprintf(buf, MRD_IP_TEXT_MAX, "none");
	return buf;
}

const char *mrd_ip_port_format(const struct mrd_ip *ip, uint16_t port, char buf[MRD_IP_TEXT_MAX])
{
	char address[MRD_IP_TEXT_MAX];

	mrd_ip_format(ip, address);
	snprintf(buf, MRD_IP_TEXT_MAX, ip->version == MRD_IPV6 ? "[%.45s]:%u" : "%.45s:%u", address,
		 (unsigned int)port);
	return buf;
}

const char *mrd_cidr_format(const struct mrd_cidr *cidr, char buf[MRD_CIDR_TEXT_MAX])
{
	char address[MRD_IP_TEXT_MAX];

	snprintf(buf, MRD_CIDR_TEXT_MAX, "%.45s/%u", mrd_ip_format(&cidr->ip, address),
		 cidr->prefix_len);
	return buf;
}

int mrd_ip_compare(const struct mrd_ip *a, const struct mrd_ip *b)
{
	if (a->version != b->version)
		return a->version < b->version ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool mrd_cidr_contains(const struct mrd_cidr *cidr, const struct mrd_ip *ip)
{
	if (cidr->ip.version != ip->version || ip->version == MRD_IP_NONE)
		return false;
	for (unsigned int i = 0; i < version_bits(ip->version) / BITS_PER_BYTE; i++)
		if ((cidr->ip.bytes[i] ^ ip->bytes[i]) & mask_byte(cidr->prefix_len, i))
			return false;
	return true;
}

bool mrd_cidr_overlaps(const struct mrd_cidr *a, const struct mrd_cidr *b)
{
	/* Blocks are nested or apart, never crossed: the longer one's first address decides. */
	return a->prefix_len <= b->prefix_len ? mrd_cidr_contains(a, &b->ip)
					      : mrd_cidr_contains(b, &a->ip);
}
