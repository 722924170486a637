/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/link_message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "link_messages.h"

/* Recorded on Linux 6.18 (ip link add a type veth peer name b netns …; the statistics left out). */
static const unsigned char recorded[] = {
#include "data/link_veth.inc"
};

struct link_case {
	const char *name;
	struct link_words words;
	enum mrd_link_word want;
	struct mrd_link want_link;
};

static const struct link_case link_cases[] = {
	{
		.name = "a pod's veth",
		.words = {.type = RTM_NEWLINK,
			  .index = 7,
			  .name = "cali12",
			  .kind = "veth",
			  .has_netns_id = 1,
			  .netns_id = 3},
		.want = MRD_LINK_IS,
		.want_link = {.index = 7,
			      .name = "cali12",
			      .kind = "veth",
			      .netns_id = 3,
			      .is_ethernet = true},
	},
	{
		.name = "namespace 0 is one",
		.words = {.type = RTM_NEWLINK,
			  .index = 7,
			  .name = "v",
			  .kind = "veth",
			  .has_netns_id = 1},
		.want = MRD_LINK_IS,
		.want_link = {.index = 7, .name = "v", .kind = "veth", .is_ethernet = true},
	},
	{
		.name = "hardware",
		.words = {.type = RTM_NEWLINK, .index = 2, .name = "eth0"},
		.want = MRD_LINK_IS,
		.want_link = {.index = 2, .name = "eth0", .netns_id = -1, .is_ethernet = true},
	},
	{
		.name = "a tunnel without Ethernet",
		.words = {.type = RTM_NEWLINK,
			  .index = 4,
			  .name = "tun0",
			  .kind = "tun",
			  .hardware = ARPHRD_NONE},
		.want = MRD_LINK_IS,
		.want_link = {.index = 4, .name = "tun0", .kind = "tun", .netns_id = -1},
	},
	{
		.name = "loopback",
		.words = {.type = RTM_NEWLINK,
			  .index = 1,
			  .name = "lo",
			  .hardware = ARPHRD_LOOPBACK,
			  .interface_flags = IFF_UP | IFF_LOOPBACK},
		.want = MRD_LINK_IS,
		.want_link = {.index = 1, .name = "lo", .netns_id = -1, .is_loopback = true},
	},
	{
		.name = "a list that was overtaken",
		.words = {.type = RTM_NEWLINK,
			  .flags = NLM_F_MULTI | NLM_F_DUMP_INTR,
			  .index = 2,
			  .name = "eth0"},
		.want = MRD_LINK_IS,
		.want_link = {.index = 2,
			      .name = "eth0",
			      .netns_id = -1,
			      .is_ethernet = true,
			      .is_listed = true,
			      .is_torn = true},
	},
	{
		.name = "a list",
		.words = {.type = RTM_NEWLINK, .flags = NLM_F_MULTI, .index = 2, .name = "eth0"},
		.want = MRD_LINK_IS,
		.want_link = {.index = 2,
			      .name = "eth0",
			      .netns_id = -1,
			      .is_ethernet = true,
			      .is_listed = true},
	},
	{
		.name = "deleted",
		.words = {.type = RTM_DELLINK, .index = 7, .name = "v", .kind = "veth"},
		.want = MRD_LINK_GONE,
		.want_link = {.index = 7,
			      .name = "v",
			      .kind = "veth",
			      .netns_id = -1,
			      .is_ethernet = true},
	},
	{
		.name = "it only leaves its bridge",
		.words = {.type = RTM_DELLINK, .family = AF_BRIDGE, .index = 7, .name = "v"},
		.want = MRD_LINK_OTHER,
	},
	{
		.name = "its port's state",
		.words = {.type = RTM_NEWLINK, .family = AF_BRIDGE, .index = 7, .name = "v"},
		.want = MRD_LINK_OTHER,
	},
	{
		.name = "an address",
		.words = {.type = RTM_NEWADDR, .index = 7, .name = "v"},
		.want = MRD_LINK_OTHER,
	},
};

static void assert_link(const struct mrd_link *want, const struct mrd_link *seen)
{
	assert_int_equal(seen->index, want->index);
	assert_string_equal(seen->name, want->name);
	assert_string_equal(seen->kind, want->kind);
	assert_int_equal(seen->netns_id, want->netns_id);
	assert_int_equal(seen->is_ethernet, want->is_ethernet);
	assert_int_equal(seen->is_loopback, want->is_loopback);
	assert_int_equal(seen->is_listed, want->is_listed);
	assert_int_equal(seen->is_torn, want->is_torn);
}

static void reads_links(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(link_cases) / sizeof(*link_cases); i++) {
		const struct link_case *test = &link_cases[i];
		struct link_messages messages = {0};
		enum mrd_link_word word;
		struct mrd_link link;
		size_t offset = 0;

		print_message("%s\n", test->name);
		messages_add_link(&messages, &test->words);
		assert_int_equal(
			mrd_link_message(messages.bytes, messages.len, &offset, &word, &link), 1);
		assert_int_equal(word, test->want);
		if (word == MRD_LINK_IS || word == MRD_LINK_GONE)
			assert_link(&test->want_link, &link);
		assert_int_equal(
			mrd_link_message(messages.bytes, messages.len, &offset, &word, &link), 0);
	}
}

static void reads_what_ends_a_list(void **state)
{
	static const struct {
		uint16_t type;
		uint16_t flags;
		int32_t error;
		enum mrd_link_word want;
	} cases[] = {
		{.type = NLMSG_DONE, .want = MRD_LINK_END},
		{.type = NLMSG_DONE, .error = -EINTR, .want = MRD_LINK_ERROR},
		{.type = NLMSG_DONE, .flags = NLM_F_DUMP_INTR, .want = MRD_LINK_ERROR},
		{.type = NLMSG_ERROR, .error = -EBUSY, .want = MRD_LINK_ERROR},
		{.type = NLMSG_ERROR, .want = MRD_LINK_OTHER}, /* an acknowledgement */
		{.type = NLMSG_OVERRUN, .want = MRD_LINK_ERROR},
		{.type = NLMSG_NOOP, .want = MRD_LINK_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct link_messages messages = {0};
		enum mrd_link_word word;
		struct mrd_link link;
		size_t offset = 0;

		print_message("case %zu\n", i);
		messages_add_result(&messages, cases[i].type, cases[i].flags, cases[i].error);
		assert_int_equal(
			mrd_link_message(messages.bytes, messages.len, &offset, &word, &link), 1);
		assert_int_equal(word, cases[i].want);
	}
}

static void reads_one_behind_the_other(void **state)
{
	const struct link_words first = {.type = RTM_NEWLINK, .index = 5, .name = "a"};
	const struct link_words second = {.type = RTM_DELLINK, .index = 6, .name = "bcd"};
	struct link_messages messages = {0};
	enum mrd_link_word word;
	struct mrd_link link;
	size_t offset = 0;

	(void)state;
	messages_add_link(&messages, &first);
	messages_add_link(&messages, &second);
	messages_add_result(&messages, NLMSG_DONE, 0, 0);
	assert_int_equal(mrd_link_message(messages.bytes, messages.len, &offset, &word, &link), 1);
	assert_int_equal(word, MRD_LINK_IS);
	assert_int_equal(link.index, 5);
	assert_int_equal(mrd_link_message(messages.bytes, messages.len, &offset, &word, &link), 1);
	assert_int_equal(word, MRD_LINK_GONE);
	assert_int_equal(link.index, 6);
	assert_int_equal(mrd_link_message(messages.bytes, messages.len, &offset, &word, &link), 1);
	assert_int_equal(word, MRD_LINK_END);
	assert_int_equal(mrd_link_message(messages.bytes, messages.len, &offset, &word, &link), 0);
}

static void reads_a_recorded_one(void **state)
{
	static const struct mrd_link want = {
		.index = 3, .name = "host", .kind = "veth", .netns_id = 0, .is_ethernet = true};
	enum mrd_link_word word;
	struct mrd_link link;
	size_t offset = 0;

	(void)state;
	assert_int_equal(mrd_link_message(recorded, sizeof(recorded), &offset, &word, &link), 1);
	assert_int_equal(word, MRD_LINK_IS);
	assert_link(&want, &link);
	assert_int_equal(offset, sizeof(recorded));
}

/* The bytes end where the memory does, so that a read beyond them is seen. */
static int read_copy(const void *bytes, size_t len, enum mrd_link_word *ret_word,
		     struct mrd_link *ret_link)
{
	unsigned char *copy = malloc(len ? len : 1);
	size_t offset = 0;
	int r;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	r = mrd_link_message(copy, len, &offset, ret_word, ret_link);
	free(copy);
	return r;
}

static void refuses_what_is_cut_off(void **state)
{
	enum mrd_link_word word;
	struct mrd_link link;

	(void)state;
	assert_int_equal(read_copy(recorded, 0, &word, &link), 0);
	for (size_t len = 1; len < sizeof(recorded); len++) {
		print_message("%zu bytes\n", len);
		assert_int_equal(read_copy(recorded, len, &word, &link), -EBADMSG);
	}
}

/* A header that says less than follows cuts attributes instead: each is whole or refused. */
static void refuses_lengths_that_lie(void **state)
{
	unsigned char bytes[sizeof(recorded)];

	(void)state;
	for (uint32_t len = 0; len < sizeof(bytes); len++) {
		enum mrd_link_word word = MRD_LINK_OTHER;
		struct mrd_link link;
		int r;

		memcpy(bytes, recorded, sizeof(bytes));
		memcpy(bytes, &len, sizeof(len));
		r = read_copy(bytes, len > sizeof(struct nlmsghdr) ? len : sizeof(bytes), &word,
			      &link);
		print_message("%u bytes: %d\n", len, r);
		assert_true(r == -EBADMSG || (r == 1 && word == MRD_LINK_IS));
	}
}

static void refuses_odd_attributes(void **state)
{
	static const struct {
		const char *name;
		uint16_t type;
		const char *bytes;
		size_t len;
	} cases[] = {
		{"a name of 16 characters", IFLA_IFNAME, "0123456789abcdef", 16},
		{"a name without an end", IFLA_IFNAME, "0123456789abcdefghij", 20},
		{"half a number", IFLA_LINK_NETNSID, "\1\0", 2},
		{"nothing in the place of a number", IFLA_LINK_NETNSID, "", 0},
		{"half a nested attribute", IFLA_LINKINFO, "\x09\0\1", 3},
		{"a nested one beyond its room", IFLA_LINKINFO, "\x10\0\1\0veth", 8},
		{"a nested one shorter than its head", IFLA_LINKINFO, "\3\0\1\0veth", 8},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct ifinfomsg body = {.ifi_index = 3};
		struct link_messages messages = {0};
		enum mrd_link_word word;
		struct mrd_link link;

		print_message("%s\n", cases[i].name);
		messages_open(&messages, RTM_NEWLINK, 0);
		messages_add(&messages, &body, sizeof(body));
		messages_add_attribute(&messages, cases[i].type, cases[i].bytes, cases[i].len);
		messages_close(&messages);
		assert_int_equal(read_copy(messages.bytes, messages.len, &word, &link), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_links),
		cmocka_unit_test(reads_what_ends_a_list),
		cmocka_unit_test(reads_one_behind_the_other),
		cmocka_unit_test(reads_a_recorded_one),
		cmocka_unit_test(refuses_what_is_cut_off),
		cmocka_unit_test(refuses_lengths_that_lie),
		cmocka_unit_test(refuses_odd_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
