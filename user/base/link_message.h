/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the kernel says of network interfaces (rtnetlink(7)), read out of a datagram's bytes. Pure;
 * whatever is cut off or contradicts itself is refused, never read beyond.
 */
#ifndef MRD_BASE_LINK_MESSAGE_H
#define MRD_BASE_LINK_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MRD_LINK_NAME_LEN = 16 }; /* IFNAMSIZ, with its zero */

struct mrd_link {
	uint32_t index;
	char name[MRD_LINK_NAME_LEN];
	char kind[MRD_LINK_NAME_LEN]; /* "veth", "bridge"; "" of hardware */
	int32_t netns_id; /* where the other end is, as this namespace numbers it; -1: here, or
			     there is no other end */
	bool is_ethernet;
	bool is_loopback;
	bool is_listed; /* told as part of a list; otherwise it is news */
	bool is_torn;	/* changes came between the parts of the list that this stands in */
};

enum mrd_link_word {
	MRD_LINK_IS,	/* ret_link is there, as it says */
	MRD_LINK_GONE,	/* ret_link.index was deleted, or moved to another namespace */
	MRD_LINK_END,	/* of a list that was asked for */
	MRD_LINK_ERROR, /* the list is not to be had, or there is more to say than was said */
	MRD_LINK_OTHER, /* of no concern */
};

/*
 * Reads the message at *offset, which starts with 0, and moves it behind. 1: there was one, 0: that
 * was the last, -EBADMSG: the bytes are no message.
 */
int mrd_link_message(const void *data, size_t len, size_t *offset, enum mrd_link_word *ret_word,
		     struct mrd_link *ret_link);

#endif
