/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/link_message.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>

struct bytes {
	const unsigned char *at;
	size_t len;
};

/* Both headers of this protocol start with their length in the kernel's byte order, and what
 * follows is aligned to four. */
static size_t aligned(size_t len)
{
	return (len + NLMSG_ALIGNTO - 1) & ~(size_t)(NLMSG_ALIGNTO - 1);
}

static void advance(struct bytes *bytes, size_t len)
{
	const size_t step = aligned(len);

	/* The last one's padding may be missing. */
	bytes->at += step < bytes->len ? step : bytes->len;
	bytes->len -= step < bytes->len ? step : bytes->len;
}

/* 1: *ret_type and *ret_value are those of the attribute that was taken off; 0: that was the last.
 */
static int take_attribute(struct bytes *bytes, unsigned int *ret_type, struct bytes *ret_value)
{
	struct rtattr head;

	if (!bytes->len)
		return 0;
	if (bytes->len < sizeof(head))
		return -EBADMSG;
	memcpy(&head, bytes->at, sizeof(head));
	if (head.rta_len < sizeof(head) || head.rta_len > bytes->len)
		return -EBADMSG;
	*ret_type = head.rta_type & NLA_TYPE_MASK;
	*ret_value = (struct bytes){bytes->at + sizeof(head), head.rta_len - sizeof(head)};
	advance(bytes, head.rta_len);
	return 1;
}

static int read_text(const struct bytes *value, char out[MRD_LINK_NAME_LEN])
{
	const size_t len = strnlen((const char *)value->at, value->len);

	if (len >= MRD_LINK_NAME_LEN)
		return -EBADMSG;
	memset(out, 0, MRD_LINK_NAME_LEN);
	memcpy(out, value->at, len);
	return 0;
}

static int read_kind(struct bytes info, struct mrd_link *link)
{
	struct bytes value;
	unsigned int type;
	int r;

	while ((r = take_attribute(&info, &type, &value)) > 0) {
		if (type != IFLA_INFO_KIND)
			continue;
		r = read_text(&value, link->kind);
		if (r)
			return r;
	}
	return r;
}

static int read_attribute(unsigned int type, const struct bytes *value, struct mrd_link *link)
{
	switch (type) {
	case IFLA_IFNAME:
		return read_text(value, link->name);
	case IFLA_LINKINFO:
		return read_kind(*value, link);
	case IFLA_LINK_NETNSID:
		if (value->len != sizeof(link->netns_id))
			return -EBADMSG;
		memcpy(&link->netns_id, value->at, sizeof(link->netns_id));
		return 0;
	default:
		return 0;
	}
}

static int read_link(struct bytes body, struct mrd_link *ret_link, bool *ret_concerns)
{
	struct mrd_link link = {.netns_id = -1};
	struct ifinfomsg head;
	struct bytes value;
	unsigned int type;
	int r;

	if (body.len < sizeof(head))
		return -EBADMSG;
	memcpy(&head, body.at, sizeof(head));
	/* A port that leaves its bridge is told of as a deletion in the bridge's family. */
	*ret_concerns = head.ifi_family == AF_UNSPEC && head.ifi_index > 0;
	link.index = (uint32_t)head.ifi_index;
	link.is_ethernet = head.ifi_type == ARPHRD_ETHER;
	link.is_loopback = head.ifi_flags & IFF_LOOPBACK;
	advance(&body, sizeof(head));
	while ((r = take_attribute(&body, &type, &value)) > 0) {
		r = read_attribute(type, &value, &link);
		if (r)
			return r;
	}
	if (r == 0)
		*ret_link = link;
	return r;
}

/* What ends a list carries its result. */
static int read_result(const struct bytes *body, enum mrd_link_word good,
		       enum mrd_link_word *ret_word)
{
	int32_t error;

	if (body->len < sizeof(error))
		return -EBADMSG;
	memcpy(&error, body->at, sizeof(error));
	*ret_word = error ? MRD_LINK_ERROR : good;
	return 0;
}

static int read_message(const struct nlmsghdr *head, const struct bytes *body,
			enum mrd_link_word *ret_word, struct mrd_link *ret_link)
{
	const bool is_torn = head->nlmsg_flags & NLM_F_DUMP_INTR;
	bool concerns = false;
	int r;

	*ret_word = MRD_LINK_OTHER;
	switch (head->nlmsg_type) {
	case NLMSG_ERROR:
		return read_result(body, MRD_LINK_OTHER, ret_word);
	case NLMSG_DONE:
		r = read_result(body, is_torn ? MRD_LINK_ERROR : MRD_LINK_END, ret_word);
		break;
	case NLMSG_OVERRUN:
		*ret_word = MRD_LINK_ERROR;
		return 0;
	case RTM_NEWLINK:
	case RTM_DELLINK:
		r = read_link(*body, ret_link, &concerns);
		ret_link->is_listed = head->nlmsg_flags & NLM_F_MULTI;
		ret_link->is_torn = is_torn;
		if (!r && concerns)
			*ret_word = head->nlmsg_type == RTM_NEWLINK ? MRD_LINK_IS : MRD_LINK_GONE;
		break;
	default:
		return 0;
	}
	return r;
}

int mrd_link_message(const void *data, size_t len, size_t *offset, enum mrd_link_word *ret_word,
		     struct mrd_link *ret_link)
{
	struct bytes rest = {(const unsigned char *)data + *offset, len - *offset};
	struct nlmsghdr head;
	struct bytes body;
	int r;

	if (*offset >= len)
		return 0;
	if (rest.len < sizeof(head))
		return -EBADMSG;
	memcpy(&head, rest.at, sizeof(head));
	if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > rest.len)
		return -EBADMSG;
	body = (struct bytes){rest.at + sizeof(head), head.nlmsg_len - sizeof(head)};
	r = read_message(&head, &body, ret_word, ret_link);
	if (r < 0)
		return r;
	advance(&rest, head.nlmsg_len);
	*offset = len - rest.len;
	return 1;
}
