// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "bpf/lib/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define CLIENT              \
	{                   \
		10, 0, 0, 2 \
	}
#define VIP                    \
	{                      \
		172, 16, 0, 10 \
	}
#define POD                 \
	{                   \
		10, 1, 0, 2 \
	}

#define THERE MRD_FLOW_FORWARD
#define BACK  MRD_FLOW_REVERSE

static const struct mrd_flow_key to_vip = {
	.tuple = {CLIENT, VIP, 40000, 80},
	.family = MRD_FAMILY_IPV4,
	.protocol = MRD_PROTOCOL_TCP,
};
static const struct mrd_flow_tuple to_pod = {CLIENT, POD, 40000, 8080};
static const struct mrd_flow_tuple of_pod = {POD, CLIENT, 8080, 40000};
static const struct mrd_flow_tuple of_vip = {VIP, CLIENT, 80, 40000};
/* The client is its own endpoint. */
static const struct mrd_flow_tuple as_vip = {VIP, CLIENT, 40000, 8080};
static const struct mrd_flow_tuple to_mask = {CLIENT, VIP, 8080, 40000};

static void test_each_row_names_the_other(void **state)
{
	struct mrd_flow_key reverse, forward;

	(void)state;
	mrd_flow_other(&reverse, &to_vip, &to_pod);
	assert_memory_equal(&reverse.tuple, &of_pod, sizeof(of_pod));
	mrd_flow_other(&forward, &reverse, &of_vip);
	assert_memory_equal(&forward, &to_vip, sizeof(to_vip));
	mrd_flow_other(&reverse, &to_vip, &as_vip);
	assert_memory_equal(&reverse.tuple, &to_mask, sizeof(to_mask));
}

static void test_a_row_of_another_flow_does_not_fit(void **state)
{
	static const struct mrd_flow_tuple other_port = {CLIENT, POD, 40001, 8080};
	static const struct mrd_flow_tuple other_client = {{10, 0, 0, 3}, POD, 40000, 8080};
	static const struct mrd_flow_tuple back_to_other = {VIP, {10, 0, 0, 3}, 80, 40000};
	static const struct mrd_flow_tuple back_to_port = {VIP, CLIENT, 80, 40001};
	const struct {
		const char *name;
		const struct mrd_flow_tuple *key, *value;
		enum mrd_flow_way way;
		bool want;
	} rows[] = {
		{"forward", &to_vip.tuple, &to_pod, MRD_FLOW_FORWARD, true},
		{"forward, a hairpin", &to_vip.tuple, &as_vip, MRD_FLOW_FORWARD, true},
		{"forward, another port", &to_vip.tuple, &other_port, MRD_FLOW_FORWARD, false},
		{"forward, another client", &to_vip.tuple, &other_client, MRD_FLOW_FORWARD, false},
		{"reverse", &of_pod, &of_vip, MRD_FLOW_REVERSE, true},
		{"reverse, a hairpin", &to_mask, &of_vip, MRD_FLOW_REVERSE, true},
		{"reverse, another client", &of_pod, &back_to_other, MRD_FLOW_REVERSE, false},
		{"reverse, another port", &of_pod, &back_to_port, MRD_FLOW_REVERSE, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		printf("%s\n", rows[i].name);
		assert_int_equal(mrd_flow_fits(rows[i].key, rows[i].value, rows[i].way),
				 rows[i].want);
	}
}

static void test_what_opens_a_flow(void **state)
{
	static const struct {
		const char *name;
		__u32 protocol, flags;
		enum mrd_part part;
		bool want;
	} rows[] = {
		{"SYN", 6, MRD_TCP_SYN, MRD_PART_WHOLE, true},
		{"SYN with other bits", 6, MRD_TCP_SYN | 0xc8, MRD_PART_WHOLE, true},
		{"SYN+ACK", 6, MRD_TCP_SYN | MRD_TCP_ACK, MRD_PART_WHOLE, false},
		{"SYN+RST", 6, MRD_TCP_SYN | MRD_TCP_RST, MRD_PART_WHOLE, false},
		{"SYN+FIN", 6, MRD_TCP_SYN | MRD_TCP_FIN, MRD_PART_WHOLE, false},
		{"ACK", 6, MRD_TCP_ACK, MRD_PART_WHOLE, false},
		{"datagram", 17, 0, MRD_PART_WHOLE, true},
		{"first fragment", 17, 0, MRD_PART_FIRST, true},
		{"later fragment", 17, 0, MRD_PART_LATER, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mrd_packet packet = {.part = rows[i].part, .tcp_flags = rows[i].flags};

		printf("%s\n", rows[i].name);
		packet.key.protocol = (enum mrd_protocol)rows[i].protocol;
		assert_int_equal(mrd_is_opening(&packet), rows[i].want);
	}
}

static void test_states(void **state)
{
	static const struct {
		enum mrd_flow_state was;
		enum mrd_flow_way way;
		__u32 flags;
		enum mrd_flow_state want;
	} rows[] = {
		{MRD_FLOW_SYN_SENT, THERE, MRD_TCP_SYN, MRD_FLOW_SYN_SENT},
		{MRD_FLOW_SYN_SENT, BACK, MRD_TCP_SYN, MRD_FLOW_SYN_RECV},
		{MRD_FLOW_SYN_RECV, BACK, MRD_TCP_SYN, MRD_FLOW_SYN_RECV},
		{MRD_FLOW_SYN_RECV, BACK, 0, MRD_FLOW_SYN_RECV},
		{MRD_FLOW_SYN_RECV, THERE, MRD_TCP_SYN, MRD_FLOW_SYN_RECV},
		{MRD_FLOW_SYN_RECV, THERE, 0, MRD_FLOW_ESTABLISHED},
		{MRD_FLOW_SYN_RECV, THERE, MRD_TCP_FIN, MRD_FLOW_FIN_WAIT},
		{MRD_FLOW_SYN_RECV, BACK, MRD_TCP_FIN, MRD_FLOW_CLOSE_WAIT},
		{MRD_FLOW_SYN_RECV, THERE, MRD_TCP_RST, MRD_FLOW_RESET},
		{MRD_FLOW_SYN_SENT, BACK, 0, MRD_FLOW_SYN_SENT},
		{MRD_FLOW_SYN_SENT, THERE, MRD_TCP_RST, MRD_FLOW_SYN_SENT},
		{MRD_FLOW_SYN_SENT, BACK, MRD_TCP_RST, MRD_FLOW_RESET},
		{MRD_FLOW_SYN_SENT, THERE, MRD_TCP_FIN, MRD_FLOW_FIN_WAIT},
		{MRD_FLOW_SYN_SENT, BACK, MRD_TCP_FIN, MRD_FLOW_CLOSE_WAIT},
		{MRD_FLOW_ESTABLISHED, THERE, 0, MRD_FLOW_ESTABLISHED},
		{MRD_FLOW_ESTABLISHED, THERE, MRD_TCP_SYN, MRD_FLOW_ESTABLISHED},
		{MRD_FLOW_ESTABLISHED, THERE, MRD_TCP_FIN, MRD_FLOW_FIN_WAIT},
		{MRD_FLOW_ESTABLISHED, BACK, MRD_TCP_FIN, MRD_FLOW_CLOSE_WAIT},
		{MRD_FLOW_ESTABLISHED, THERE, MRD_TCP_RST, MRD_FLOW_RESET},
		{MRD_FLOW_ESTABLISHED, BACK, MRD_TCP_RST, MRD_FLOW_RESET},
		{MRD_FLOW_RESET, BACK, 0, MRD_FLOW_RESET},
		{MRD_FLOW_RESET, BACK, MRD_TCP_FIN, MRD_FLOW_RESET},
		{MRD_FLOW_RESET, THERE, MRD_TCP_RST, MRD_FLOW_RESET},
		{MRD_FLOW_RESET, THERE, MRD_TCP_SYN, MRD_FLOW_RESET},
		{MRD_FLOW_RESET, THERE, 0, MRD_FLOW_DOUBTED},
		{MRD_FLOW_DOUBTED, THERE, 0, MRD_FLOW_DOUBTED},
		{MRD_FLOW_DOUBTED, BACK, MRD_TCP_RST, MRD_FLOW_RESET},
		{MRD_FLOW_DOUBTED, BACK, MRD_TCP_SYN, MRD_FLOW_DOUBTED},
		{MRD_FLOW_DOUBTED, BACK, 0, MRD_FLOW_ESTABLISHED},
		{MRD_FLOW_DOUBTED, BACK, MRD_TCP_FIN, MRD_FLOW_CLOSE_WAIT},
		{MRD_FLOW_CLOSED, THERE, MRD_TCP_RST, MRD_FLOW_CLOSED},
		{MRD_FLOW_CLOSED, BACK, MRD_TCP_RST, MRD_FLOW_CLOSED},
		{MRD_FLOW_FIN_WAIT, THERE, MRD_TCP_FIN, MRD_FLOW_FIN_WAIT},
		{MRD_FLOW_FIN_WAIT, BACK, 0, MRD_FLOW_FIN_WAIT},
		{MRD_FLOW_FIN_WAIT, BACK, MRD_TCP_FIN, MRD_FLOW_CLOSED},
		{MRD_FLOW_CLOSE_WAIT, BACK, MRD_TCP_FIN, MRD_FLOW_CLOSE_WAIT},
		{MRD_FLOW_CLOSE_WAIT, THERE, MRD_TCP_FIN, MRD_FLOW_CLOSED},
		{MRD_FLOW_CLOSED, THERE, 0, MRD_FLOW_CLOSED},
		{MRD_FLOW_CLOSED, BACK, MRD_TCP_FIN, MRD_FLOW_CLOSED},
		{MRD_FLOW_UDP_UNREPLIED, THERE, 0, MRD_FLOW_UDP_UNREPLIED},
		{MRD_FLOW_UDP_UNREPLIED, BACK, 0, MRD_FLOW_UDP_REPLIED},
		{MRD_FLOW_UDP_REPLIED, THERE, 0, MRD_FLOW_UDP_REPLIED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		printf("row %zu\n", i);
		assert_int_equal(mrd_flow_next(rows[i].was, rows[i].way, rows[i].flags),
				 rows[i].want);
	}
}

static void test_clients_of_affinity_are_told_apart(void **state)
{
	static const __u8 addrs[][MRD_ADDR_LEN] = {
		{10, 0, 0, 2},	  {10, 0, 0, 3},       {0, 0, 0, 0, 10, 0, 0, 2}, {0xfd, [15] = 2},
		{0xfd, [15] = 3}, {0xfd, 1, [15] = 2}, {[8] = 10, 0, 0, 2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(addrs); i++)
		for (size_t j = 0; j < i; j++) {
			__u8 a[MRD_ADDR_LEN] __attribute__((aligned(8)));
			__u8 b[MRD_ADDR_LEN] __attribute__((aligned(8)));

			memcpy(a, addrs[i], sizeof(a));
			memcpy(b, addrs[j], sizeof(b));
			printf("%zu, %zu\n", i, j);
			assert_true(mrd_affinity_client(a) != mrd_affinity_client(b));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_row_names_the_other),
		cmocka_unit_test(test_a_row_of_another_flow_does_not_fit),
		cmocka_unit_test(test_what_opens_a_flow),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_clients_of_affinity_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
