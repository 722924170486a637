/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Pure: addresses as hooks see them (words in network order) and as rows hold them (16 bytes, IPv4
 * in the first four). An IPv4-mapped address (::ffff:a.b.c.d) is IPv4 everywhere but in the socket
 * call and in mrd_cidr, whose trie needs one width.
 */
#ifndef MRD_BPF_ADDR_H
#define MRD_BPF_ADDR_H

#include <stdbool.h>

#include "maps/abi.h"

enum { MRD_PREFIX_MAX = 128 };

/*
 * What the compiler cannot see through it cannot turn into a branch. A branch on a number that
 * later finds an array's element, or is branched on again, doubles the verifier's paths through all
 * that follows.
 */
#define MRD_OPAQUE(x) __asm__("" : "+r"(x))

/*
 * Rows stand on four bytes. Said so, the compiler loads words; a byte pointer alone would make it
 * put every word together from four loads.
 */
static inline __u8 *mrd_addr_aligned(const __u8 *addr)
{
	return __builtin_assume_aligned((__u8 *)addr, 4);
}

/* 0: the same. One test for the whole, as each branch costs the verifier a path. */
static inline __u32 mrd_addr_differ(const __u8 *a, const __u8 *b)
{
	__u32 differ = 0;

	for (int i = 0; i < MRD_ADDR_LEN; i += 4) {
		__u32 x, y;

		__builtin_memcpy(&x, mrd_addr_aligned(a) + i, sizeof(x));
		__builtin_memcpy(&y, mrd_addr_aligned(b) + i, sizeof(y));
		differ |= x ^ y;
	}
	return differ;
}

static inline void mrd_addr_copy(__u8 *to, const __u8 *from)
{
	__builtin_memcpy(mrd_addr_aligned(to), mrd_addr_aligned(from), MRD_ADDR_LEN);
}

static inline void mrd_addr_from_ipv4(__u8 *addr, __u32 ipv4_be)
{
	__builtin_memset(mrd_addr_aligned(addr), 0, MRD_ADDR_LEN);
	__builtin_memcpy(mrd_addr_aligned(addr), &ipv4_be, sizeof(ipv4_be));
}

static inline __u32 mrd_addr_to_ipv4(const __u8 *addr)
{
	__u32 ipv4_be;

	__builtin_memcpy(&ipv4_be, mrd_addr_aligned(addr), sizeof(ipv4_be));
	return ipv4_be;
}

/* The third word of ::ffff:0:0/96 */
static inline __u32 mrd_addr_mapped_mark(void)
{
	const __u8 mark[4] = {0, 0, 0xff, 0xff};
	__u32 word;

	__builtin_memcpy(&word, mark, sizeof(word));
	return word;
}

/* Both ways in one, for a branch here would have the verifier go twice through all that follows. */
static inline enum mrd_family mrd_addr_from_ipv6(__u8 *addr, const __u32 *words)
{
	const __u32 differs = words[0] | words[1] | (words[2] ^ mrd_addr_mapped_mark());
	__u32 sign = differs | -differs; /* its top bit is set unless they are the same */
	__u32 row[4], is_ipv6, mask;

	MRD_OPAQUE(sign);
	is_ipv6 = sign >> 31;
	MRD_OPAQUE(is_ipv6);
	mask = -is_ipv6;
	row[0] = (words[0] & mask) | (words[3] & ~mask);
	row[1] = words[1] & mask;
	row[2] = words[2] & mask;
	row[3] = words[3] & mask;
	__builtin_memcpy(mrd_addr_aligned(addr), row, MRD_ADDR_LEN);
	return (enum mrd_family)(MRD_FAMILY_IPV4 + is_ipv6);
}

static inline void mrd_addr_to_ipv6(__u32 *words, const __u8 *addr, enum mrd_family family)
{
	if (family == MRD_FAMILY_IPV6) {
		__builtin_memcpy(words, mrd_addr_aligned(addr), MRD_ADDR_LEN);
		return;
	}
	words[0] = 0;
	words[1] = 0;
	words[2] = mrd_addr_mapped_mark();
	words[3] = mrd_addr_to_ipv4(addr);
}

/* The trie's key for one whole address. */
static inline void mrd_cidr_key_of(struct mrd_cidr_key *key, const __u8 *addr,
				   enum mrd_family family)
{
	__u32 words[4];

	mrd_addr_to_ipv6(words, addr, family);
	key->prefix_len = MRD_PREFIX_MAX;
	__builtin_memcpy(key->addr, words, MRD_ADDR_LEN);
}

#endif
