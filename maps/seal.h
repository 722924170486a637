/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Seals: a 32-bit check over what must belong together in a row (see the rules in abi.h). Not
 * against forgery, only against reading a row half rewritten. The mixing step is MurmurHash3's
 * public one.
 */
#ifndef MRD_MAPS_SEAL_H
#define MRD_MAPS_SEAL_H

#include "abi.h"

static inline __attribute__((always_inline)) __u32 mrd_seal_mix(__u32 seal, __u32 word)
{
	word *= 0xcc9e2d51U;
	word = (word << 15) | (word >> 17);
	seal ^= word * 0x1b873593U;
	seal = (seal << 13) | (seal >> 19);
	return seal * 5 + 0xe6546b64U;
}

/* addr: that of a row, which stands on four bytes; the kernel's target loads bytes otherwise. */
static inline __attribute__((always_inline)) __u32 mrd_seal_addr(__u32 seal, const __u8 *addr)
{
	addr = __builtin_assume_aligned(addr, 4);
	for (int i = 0; i < MRD_ADDR_LEN; i += 4) {
		__u32 word;

		__builtin_memcpy(&word, addr + i, sizeof(word));
		seal = mrd_seal_mix(seal, word);
	}
	return seal;
}

static inline __attribute__((always_inline)) __u32 mrd_member_seal(__u32 service_id,
								   const struct mrd_member *member)
{
	__u32 seal = mrd_seal_mix(0x6d72646dU, service_id);

	seal = mrd_seal_mix(seal, member->endpoint_id);
	seal = mrd_seal_mix(seal, member->port);
	return mrd_seal_addr(seal, member->addr);
}

static inline __attribute__((always_inline)) __u32
mrd_service_seal(const struct mrd_vip_key *key, const struct mrd_service *service)
{
	__u32 seal = mrd_seal_mix(0x6d726473U, service->service_id);

	seal = mrd_seal_mix(seal, (__u32)service->affinity);
	seal = mrd_seal_mix(seal, service->affinity_timeout_s);
	seal = mrd_seal_mix(seal, service->has_setting);
	seal = mrd_seal_mix(seal, key->port);
	seal = mrd_seal_mix(seal, ((__u32)key->family << 8) | (__u32)key->protocol);
	return mrd_seal_addr(seal, key->addr);
}

#endif
