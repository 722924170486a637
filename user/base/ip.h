/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* IP addresses and CIDR blocks, as text and as bytes. */
#ifndef MRD_BASE_IP_H
#define MRD_BASE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mrd_ip_version { MRD_IP_NONE = 0, MRD_IPV4 = 4, MRD_IPV6 = 6 };

struct mrd_ip {
	uint8_t bytes[16]; /* network order; IPv4 in the first four, the rest zero */
	enum mrd_ip_version version;
};

struct mrd_cidr {
	struct mrd_ip ip; /* host bits are zero */
	unsigned int prefix_len;
};

enum { MRD_IP_TEXT_MAX = 64, MRD_CIDR_TEXT_MAX = 72 };

/* -EINVAL: not an address. IPv4-mapped IPv6 becomes IPv4. No zone index, no leading zeros. */
int mrd_ip_parse(const char *text, struct mrd_ip *ret_ip);
/* -EINVAL: not a block. -EDOM: bits below the prefix are set ("10.0.0.1/16"). */
int mrd_cidr_parse(const char *text, struct mrd_cidr *ret_cidr);

/* "80": 1 to 65535, digits alone, no leading zeros. -EINVAL. */
int mrd_port_parse(const char *text, uint16_t *ret_port);
/* "10.0.0.5", "10.0.0.5:9080", "fd00::5", "[fd00::5]:9080". Port 0: none is said. -EINVAL. */
int mrd_ip_port_parse(const char *text, struct mrd_ip *ret_ip, uint16_t *ret_port);

const char *mrd_ip_format(const struct mrd_ip *ip, char buf[MRD_IP_TEXT_MAX]);
/* "10.0.0.5:9080", "[fd00::5]:9080" */
const char *mrd_ip_port_format(const struct mrd_ip *ip, uint16_t port, char buf[MRD_IP_TEXT_MAX]);
const char *mrd_cidr_format(const struct mrd_cidr *cidr, char buf[MRD_CIDR_TEXT_MAX]);

int mrd_ip_compare(const struct mrd_ip *a, const struct mrd_ip *b); /* by version, then bytes */
bool mrd_cidr_contains(const struct mrd_cidr *cidr, const struct mrd_ip *ip);
bool mrd_cidr_overlaps(const struct mrd_cidr *a, const struct mrd_cidr *b);

#endif
