/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Pure: the n-th connection's number → its ticket, 0 to 9999.
 *
 * The ticket is the radical inverse in base 10 over four digits: the fastest digit of the number
 * becomes the slowest of the ticket, so that any ten connections in a row visit each tenth of the
 * range once, any hundred each hundredth. The digits are permuted, which spreads shares that are
 * no multiple of ten. Whatever window of connections one looks at, a hop's count differs from its
 * share of them by at most 0.9 for 10 %, 1.6 for other whole tens, 2.2 for 33 %, 4.2 for thirds.
 */
#ifndef MRD_BPF_TICKET_H
#define MRD_BPF_TICKET_H

#include "maps/abi.h"

enum { MRD_TICKETS = 10000 };
_Static_assert((int)MRD_TICKETS == (int)MRD_SHARE_TOTAL, "a ticket is a share's unit");

/* 0 5 2 7 4 9 1 6 3 8, a nibble each from the lowest: no table, so no map behind it. */
#define MRD_TICKET_DIGITS 0x8361947250ULL

static inline __u32 mrd_ticket_digit(__u32 digit)
{
	return (MRD_TICKET_DIGITS >> (digit * 4)) & 0xf;
}

/* x / 10 for x below 16,384: the kernel's target turns no division into a multiplication. */
static inline __u32 mrd_ticket_tenth(__u32 x)
{
	return (x * 6554) >> 16;
}

static inline __u32 mrd_ticket_of(__u64 number)
{
	/* 32 bits divide faster; every 2^32 connections one round of tickets is cut short. */
	__u32 rest = (__u32)number % MRD_TICKETS;
	__u32 ticket = 0;

	for (int i = 0; i < 4; i++) {
		const __u32 tenth = mrd_ticket_tenth(rest);

		ticket = ticket * 10 + mrd_ticket_digit(rest - tenth * 10);
		rest = tenth;
	}
	return ticket;
}

#endif
