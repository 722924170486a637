/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Pure: memory that several CPUs write. */
#ifndef MRD_BPF_ONCE_H
#define MRD_BPF_ONCE_H

#include <stdbool.h>

#include "maps/abi.h"

/* Reads memory that another CPU may write, once. */
#define MRD_READ_ONCE(x) (*(const volatile typeof(x) *)&(x))

/* Writes a word if it is still what it was. */
static inline bool mrd_swap(__u32 *word, __u32 was, __u32 is)
{
#ifdef MRD_LEGACY_ATOMICS
	if (MRD_READ_ONCE(*word) != was)
		return false;
	*word = is; /* what another CPU writes in between is lost */
	return true;
#else
	return __sync_val_compare_and_swap(word, was, is) == was;
#endif
}

/* Writes a word, and returns what it was. */
static inline __u32 mrd_exchange(__u32 *word, __u32 is)
{
#ifdef MRD_LEGACY_ATOMICS
	const __u32 was = MRD_READ_ONCE(*word);

	*word = is; /* likewise */
	return was;
#else
	return __sync_lock_test_and_set(word, is);
#endif
}

#endif
