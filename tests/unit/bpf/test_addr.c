// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Addresses between socket calls and rows; sequence numbers and what a segment carries. */
#include "bpf/lib/addr.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/lib/tcp_seq.h"

static void test_ipv6_calls_name_rows_of_either_family(void **state)
{
	static const struct {
		const char *call; /* as an IPv6 socket names it */
		enum mrd_family family;
		const char *row;
		const char *cidr; /* as the trie has it */
	} cases[] = {
		{"::ffff:172.16.0.20", MRD_FAMILY_IPV4, "172.16.0.20", "::ffff:172.16.0.20"},
		{"::ffff:0.0.0.0", MRD_FAMILY_IPV4, "0.0.0.0", "::ffff:0.0.0.0"},
		{"::ffff:255.255.255.255", MRD_FAMILY_IPV4, "255.255.255.255",
		 "::ffff:255.255.255.255"},
		{"fd00:16::1", MRD_FAMILY_IPV6, "fd00:16::1", "fd00:16::1"},
		{"::1", MRD_FAMILY_IPV6, "::1", "::1"},
		{"::", MRD_FAMILY_IPV6, "::", "::"},
		{"::172.16.0.20", MRD_FAMILY_IPV6, "::172.16.0.20", "::172.16.0.20"},
		{"::fffe:172.16.0.20", MRD_FAMILY_IPV6, "::fffe:172.16.0.20", "::fffe:172.16.0.20"},
		{"1::ffff:ac10:14", MRD_FAMILY_IPV6, "1::ffff:ac10:14", "1::ffff:ac10:14"},
		{"0:1::ffff:ac10:14", MRD_FAMILY_IPV6, "0:1::ffff:ac10:14", "0:1::ffff:ac10:14"},
		{"0:0:1:0:0:ffff:ac10:14", MRD_FAMILY_IPV6, "0:0:1:0:0:ffff:ac10:14",
		 "0:0:1:0:0:ffff:ac10:14"},
		{"8000::", MRD_FAMILY_IPV6, "8000::", "8000::"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_Alignas(8) __u8 row[MRD_ADDR_LEN], want[MRD_ADDR_LEN] = {0};
		_Alignas(8) __u8 want_cidr[MRD_ADDR_LEN];
		__u32 words[4], back[4];
		struct mrd_cidr_key key;

		printf("%s\n", cases[i].call);
		assert_int_equal(inet_pton(AF_INET6, cases[i].call, words), 1);
		assert_int_equal(inet_pton(cases[i].family == MRD_FAMILY_IPV4 ? AF_INET : AF_INET6,
					   cases[i].row, want),
				 1);
		assert_int_equal(inet_pton(AF_INET6, cases[i].cidr, want_cidr), 1);

		memset(row, 0xaa, sizeof(row));
		assert_int_equal(mrd_addr_from_ipv6(row, words), cases[i].family);
		assert_memory_equal(row, want, sizeof(want));
		assert_int_equal(mrd_addr_differ(row, want), 0);

		mrd_addr_to_ipv6(back, row, cases[i].family);
		assert_memory_equal(back, words, sizeof(words));

		mrd_cidr_key_of(&key, row, cases[i].family);
		assert_int_equal(key.prefix_len, 128);
		assert_memory_equal(key.addr, want_cidr, sizeof(want_cidr));
	}
}

static void test_ipv4_there_and_back(void **state)
{
	_Alignas(8) __u8 row[MRD_ADDR_LEN];
	const __u8 want[MRD_ADDR_LEN] = {10, 1, 0, 7};
	__u32 word;

	(void)state;
	assert_int_equal(inet_pton(AF_INET, "10.1.0.7", &word), 1);
	memset(row, 0xaa, sizeof(row));
	mrd_addr_from_ipv4(row, word);
	assert_memory_equal(row, want, sizeof(want));
	assert_int_equal(mrd_addr_to_ipv4(row), word);
}

static void test_any_byte_makes_a_difference(void **state)
{
	_Alignas(8) __u8 a[MRD_ADDR_LEN] = {0}, b[MRD_ADDR_LEN];

	(void)state;
	for (int i = 0; i < MRD_ADDR_LEN; i++) {
		printf("byte %d\n", i);
		mrd_addr_copy(b, a);
		assert_int_equal(mrd_addr_differ(a, b), 0);
		b[i] ^= 0x80;
		assert_int_not_equal(mrd_addr_differ(a, b), 0);
	}
}

static void test_what_a_segment_carries_of_a_range(void **state)
{
	static const struct {
		const char *name;
		__u32 want_seq, want_len, seq, len;
		struct mrd_overlap want;
	} cases[] = {
		{"all, at the start", 1000, 12, 1000, 100, {0, 0, 12}},
		{"all, inside", 1000, 12, 900, 200, {0, 100, 12}},
		{"all, exactly", 1000, 12, 1000, 12, {0, 0, 12}},
		{"first byte", 1000, 12, 1000, 1, {0, 0, 1}},
		{"last byte of the segment", 1000, 12, 991, 10, {0, 9, 1}},
		{"middle", 1000, 12, 1005, 3, {5, 0, 3}},
		{"end", 1000, 12, 1011, 50, {11, 0, 1}},
		{"just before", 1000, 12, 990, 10, {0, 0, 0}},
		{"just behind", 1000, 12, 1012, 10, {0, 0, 0}},
		{"long before", 1000, 12, 1, 10, {0, 0, 0}},
		{"no payload", 1000, 12, 1000, 0, {0, 0, 0}},
		{"over the wrap", 0xfffffffe, 12, 0xfffffff0, 100, {0, 14, 12}},
		{"segment behind the wrap", 0xfffffffe, 12, 3, 2, {5, 0, 2}},
		{"segment before the wrap", 2, 12, 0xfffffffe, 5, {0, 4, 1}},
		{"half the space away", 0x80000000, 12, 0, 100, {0, 0, 0}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mrd_overlap got = mrd_seq_overlap(cases[i].want_seq, cases[i].want_len,
							       cases[i].seq, cases[i].len);

		printf("%s\n", cases[i].name);
		assert_int_equal(got.count, cases[i].want.count);
		if (!got.count)
			continue;
		assert_int_equal(got.at, cases[i].want.at);
		assert_int_equal(got.offset, cases[i].want.offset);
	}
}

static void test_sequence_numbers_wrap(void **state)
{
	(void)state;
	assert_true(mrd_seq_before(1, 2));
	assert_false(mrd_seq_before(2, 2));
	assert_false(mrd_seq_before(3, 2));
	assert_true(mrd_seq_before(0xfffffff0, 5));
	assert_false(mrd_seq_before(5, 0xfffffff0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv6_calls_name_rows_of_either_family),
		cmocka_unit_test(test_ipv4_there_and_back),
		cmocka_unit_test(test_any_byte_makes_a_difference),
		cmocka_unit_test(test_what_a_segment_carries_of_a_range),
		cmocka_unit_test(test_sequence_numbers_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
