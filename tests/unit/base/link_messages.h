/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Builds what the kernel says of interfaces, message by message, into one datagram. */
#ifndef MRD_TEST_LINK_MESSAGES_H
#define MRD_TEST_LINK_MESSAGES_H

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct link_messages {
	_Alignas(NLMSG_ALIGNTO) unsigned char bytes[4096];
	size_t len;
	size_t message; /* where the last one starts */
};

struct link_words {
	uint16_t type; /* RTM_NEWLINK */
	uint16_t flags;
	uint8_t family;
	uint16_t hardware; /* 0: ARPHRD_ETHER */
	int32_t index;
	uint32_t interface_flags;
	const char *name; /* NULL: not told */
	const char *kind; /* NULL: not told */
	int has_netns_id;
	int32_t netns_id;
};

static inline void messages_add(struct link_messages *messages, const void *bytes, size_t len)
{
	memcpy(messages->bytes + messages->len, bytes, len);
	memset(messages->bytes + messages->len + len, 0, NLMSG_ALIGN(len) - len);
	messages->len += NLMSG_ALIGN(len);
}

static inline void messages_add_attribute(struct link_messages *messages, uint16_t type,
					  const void *bytes, size_t len)
{
	const struct rtattr head = {.rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = type};

	messages_add(messages, &head, sizeof(head));
	messages_add(messages, bytes, len);
}

/* Sets the length of the last message. */
static inline void messages_close(struct link_messages *messages)
{
	const uint32_t len = (uint32_t)(messages->len - messages->message);

	memcpy(messages->bytes + messages->message, &len, sizeof(len));
}

static inline void messages_open(struct link_messages *messages, uint16_t type, uint16_t flags)
{
	const struct nlmsghdr head = {.nlmsg_type = type, .nlmsg_flags = flags};

	messages->message = messages->len;
	messages_add(messages, &head, sizeof(head));
}

static inline void messages_add_result(struct link_messages *messages, uint16_t type,
				       uint16_t flags, int32_t error)
{
	messages_open(messages, type, flags);
	messages_add(messages, &error, sizeof(error));
	messages_close(messages);
}

static inline void messages_add_kind(struct link_messages *messages, const char *kind)
{
	struct link_messages info = {0};

	messages_add_attribute(&info, IFLA_INFO_KIND, kind, strlen(kind) + 1);
	messages_add_attribute(&info, IFLA_INFO_DATA, "\0\0\0\0", 4);
	messages_add_attribute(messages, IFLA_LINKINFO | NLA_F_NESTED, info.bytes, info.len);
}

static inline void messages_add_link(struct link_messages *messages, const struct link_words *words)
{
	const struct ifinfomsg body = {
		.ifi_family = words->family,
		.ifi_type = words->hardware ? words->hardware : ARPHRD_ETHER,
		.ifi_index = words->index,
		.ifi_flags = words->interface_flags,
	};

	messages_open(messages, words->type, words->flags);
	messages_add(messages, &body, sizeof(body));
	if (words->name)
		messages_add_attribute(messages, IFLA_IFNAME, words->name, strlen(words->name) + 1);
	messages_add_attribute(messages, IFLA_MTU, "\xdc\x05\0\0", 4);
	if (words->kind)
		messages_add_kind(messages, words->kind);
	if (words->has_netns_id)
		messages_add_attribute(messages, IFLA_LINK_NETNSID, &words->netns_id,
				       sizeof(words->netns_id));
	messages_close(messages);
}

#endif
