// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "bpf/lib/packet.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { L3 = 14 };

static void test_an_ipv4_header_is_read(void **state)
{
	static const struct {
		const char *name;
		uint8_t version_words;
		uint16_t total, fragment;
		enum mrd_reading want;
		enum mrd_part want_part;
		uint32_t want_l4, want_end;
	} rows[] = {
		{.name = "plain",
		 .version_words = 0x45,
		 .total = 60,
		 .fragment = 0x4000,
		 .want_l4 = L3 + 20,
		 .want_end = L3 + 60},
		{.name = "options",
		 .version_words = 0x4f,
		 .total = 60,
		 .want_l4 = L3 + 60,
		 .want_end = L3 + 60},
		{.name = "no length",
		 .version_words = 0x45,
		 .want_l4 = L3 + 20,
		 .want_end = MRD_END_UNKNOWN},
		{.name = "first fragment",
		 .version_words = 0x45,
		 .total = 60,
		 .fragment = 0x2000,
		 .want_part = MRD_PART_FIRST,
		 .want_l4 = L3 + 20,
		 .want_end = L3 + 60},
		{.name = "middle fragment",
		 .version_words = 0x45,
		 .total = 60,
		 .fragment = 0x2001,
		 .want_part = MRD_PART_LATER,
		 .want_l4 = L3 + 20,
		 .want_end = L3 + 60},
		{.name = "last fragment",
		 .version_words = 0x45,
		 .total = 60,
		 .fragment = 0x1fff,
		 .want_part = MRD_PART_LATER,
		 .want_l4 = L3 + 20,
		 .want_end = L3 + 60},
		{.name = "short header",
		 .version_words = 0x44,
		 .total = 60,
		 .want = MRD_READ_MALFORMED},
		{.name = "shorter than its header",
		 .version_words = 0x46,
		 .total = 23,
		 .want = MRD_READ_MALFORMED},
		{.name = "version 6",
		 .version_words = 0x65,
		 .total = 60,
		 .want = MRD_READ_MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct mrd_ipv4_header ip = {
			.version_words = rows[i].version_words,
			.total = htons(rows[i].total),
			.fragment = htons(rows[i].fragment),
			.id = htons(0x1234),
			.protocol = 17,
			.source = {10, 0, 0, 2},
			.destination = {172, 16, 0, 10},
		};
		struct mrd_packet packet = {.l3 = L3};

		printf("%s\n", rows[i].name);
		memset(packet.key.tuple.source, 0xff, MRD_ADDR_LEN);
		assert_int_equal(mrd_ipv4_read(&ip, &packet), rows[i].want);
		if (rows[i].want != MRD_READ_DONE)
			continue;
		assert_int_equal(packet.part, rows[i].want_part);
		assert_int_equal(packet.l4, rows[i].want_l4);
		assert_int_equal(packet.end, rows[i].want_end);
		assert_int_equal(packet.fragment_id, 0x1234);
		assert_int_equal(packet.key.protocol, MRD_PROTOCOL_UDP);
		assert_memory_equal(packet.key.tuple.source, "\x0a\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0",
				    MRD_ADDR_LEN);
	}
}

static void test_an_ipv6_header_is_read(void **state)
{
	struct mrd_ipv6_header ip = {
		.version_class = {0x60},
		.payload = htons(100),
		.next = 6,
		.source = {0xfd, [15] = 2},
		.destination = {0xfd, [15] = 3},
	};
	struct mrd_packet packet = {.l3 = L3};

	(void)state;
	assert_int_equal(mrd_ipv6_read(&ip, &packet), MRD_READ_DONE);
	assert_int_equal(packet.l4, L3 + 40);
	assert_int_equal(packet.end, L3 + 140);
	assert_memory_equal(packet.key.tuple.destination, ip.destination, MRD_ADDR_LEN);
	ip.next = 60;
	assert_int_equal(mrd_ipv6_read(&ip, &packet), MRD_READ_MORE);
	ip.payload = 0;
	assert_int_equal(mrd_ipv6_read(&ip, &packet), MRD_READ_MORE);
	assert_int_equal(packet.end, MRD_END_UNKNOWN);
	ip.version_class[0] = 0x40;
	assert_int_equal(mrd_ipv6_read(&ip, &packet), MRD_READ_MALFORMED);
}

static void test_an_ipv6_extension_is_passed(void **state)
{
	static const struct {
		const char *name;
		uint32_t protocol;
		struct mrd_ipv6_extension header;
		enum mrd_reading want;
		enum mrd_part want_part;
		uint32_t want_len;
	} rows[] = {
		{.name = "options", .protocol = 60, .header = {.next = 6}, .want_len = 8},
		{.name = "long options",
		 .protocol = 0,
		 .header = {.next = 6, .more_units = 255},
		 .want_len = 2048},
		{.name = "another one",
		 .protocol = 0,
		 .header = {.next = 43},
		 .want = MRD_READ_MORE,
		 .want_len = 8},
		{.name = "a finished route", .protocol = 43, .header = {.next = 17}, .want_len = 8},
		{.name = "a route to go",
		 .protocol = 43,
		 .header = {.next = 17, .route = {4, 1}},
		 .want = MRD_READ_HEADERS},
		{.name = "options with what a route would have there",
		 .protocol = 60,
		 .header = {.next = 17, .route = {4, 1}},
		 .want_len = 8},
		{.name = "a fragment that is all",
		 .protocol = 44,
		 .header = {.next = 17},
		 .want_len = 8},
		{.name = "the first fragment",
		 .protocol = 44,
		 .header = {.next = 60, .more_units = 9, .route = {0, 1}},
		 .want = MRD_READ_MORE,
		 .want_part = MRD_PART_FIRST,
		 .want_len = 8},
		{.name = "the last fragment, behind which is no header",
		 .protocol = 44,
		 .header = {.next = 60, .route = {0, 8}},
		 .want_part = MRD_PART_LATER,
		 .want_len = 8},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mrd_packet packet = {.l4 = 54};

		printf("%s\n", rows[i].name);
		packet.key.protocol = (enum mrd_protocol)rows[i].protocol;
		assert_int_equal(mrd_ipv6_step(&rows[i].header, &packet), rows[i].want);
		if (rows[i].want == MRD_READ_HEADERS)
			continue;
		assert_int_equal(packet.part, rows[i].want_part);
		assert_int_equal(packet.l4, 54 + rows[i].want_len);
		assert_int_equal(packet.key.protocol, rows[i].header.next);
	}
}

static void test_errors_are_told_from_other_icmp(void **state)
{
	static const uint8_t errors[] = {3, 11, 12};

	(void)state;
	for (uint32_t type = 0; type < 256; type++) {
		printf("type %u\n", type);
		assert_int_equal(mrd_icmp_is_error(MRD_FAMILY_IPV4, type),
				 memchr(errors, (int)type, sizeof(errors)) != NULL);
		assert_int_equal(mrd_icmp_is_error(MRD_FAMILY_IPV6, type), type > 0 && type < 128);
	}
}

static uint16_t check_of(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* All pairs of a few words, next to where a carry comes and goes. */
static void test_a_checksum_follows_a_change(void **state)
{
	static const uint16_t words[] = {0, 1, 0x00ff, 0x7fff, 0x8000, 0xfffe, 0xffff};

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++)
		for (size_t j = 0; j < COUNT(words); j++) {
			uint8_t bytes[4] = {0x12, 0x34};
			const uint32_t diff = (uint32_t)words[j] + (uint16_t)~words[i];
			uint16_t was;

			memcpy(bytes + 2, &words[i], sizeof(words[i]));
			was = check_of(bytes, sizeof(bytes));
			memcpy(bytes + 2, &words[j], sizeof(words[j]));
			printf("%04x to %04x\n", words[i], words[j]);
			assert_int_equal(mrd_check_changed(was, diff) % 0xffff,
					 check_of(bytes, sizeof(bytes)) % 0xffff);
		}
}

/*
 * A checksum is never taken for a sum that the device completes: its ports' part would be missing.
 * Such a sum is known, unless nothing was added.
 */
static void test_a_partial_sum_is_known_by_its_change(void **state)
{
	static const uint16_t words[] = {0, 1, 0x00ff, 0x7fff, 0x8000, 0xfffe, 0xffff};

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++)
		for (size_t j = 0; j < COUNT(words); j++) {
			const uint16_t was = words[i], added = words[j];
			const uint16_t sum = (uint16_t)((was + added) % 0xffff);

			printf("%04x and %04x\n", was, added);
			assert_int_equal(mrd_sum_add(was, added) % 0xffff, sum);
			assert_false(
				mrd_check_is_partial(was, mrd_check_changed(was, added), added));
			assert_int_equal(mrd_check_is_partial(was, mrd_sum_add(was, added), added),
					 added % 0xffff != 0);
		}
}

/* Every number of hops, with all other words of the header as they are. */
static void test_a_hop_is_counted(void **state)
{
	(void)state;
	for (unsigned int ttl = 1; ttl < 256; ttl++) {
		uint8_t bytes[4] = {0x45, 0xff, (uint8_t)ttl, 6};
		const uint16_t was = check_of(bytes, sizeof(bytes));

		bytes[2]--;
		printf("%u hops\n", ttl);
		assert_int_equal(mrd_check_hop(was), check_of(bytes, sizeof(bytes)));
	}
}

static void test_what_acknowledges_a_fin(void **state)
{
	static const struct {
		const char *name;
		uint32_t seq, end;
		uint8_t words;
		uint32_t want;
	} rows[] = {
		{.name = "alone", .seq = 7, .end = 54, .words = 0x50, .want = 8},
		{.name = "behind data", .seq = 7, .end = 154, .words = 0x50, .want = 108},
		{.name = "behind options", .seq = 7, .end = 66, .words = 0x80, .want = 8},
		{.name = "numbers go round",
		 .seq = 0xfffffffe,
		 .end = 58,
		 .words = 0x50,
		 .want = 3},
		{.name = "a length that is not told",
		 .seq = 7,
		 .end = MRD_END_UNKNOWN,
		 .words = 0x50},
		{.name = "shorter than its header", .seq = 7, .end = 60, .words = 0xf0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct mrd_packet packet = {.l4 = 34, .end = rows[i].end};
		const struct mrd_tcp_header tcp = {.seq = htonl(rows[i].seq),
						   .words = rows[i].words};

		printf("%s\n", rows[i].name);
		assert_int_equal(ntohl(mrd_fin_ack_of(&packet, &tcp)), rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_ipv4_header_is_read),
		cmocka_unit_test(test_an_ipv6_header_is_read),
		cmocka_unit_test(test_an_ipv6_extension_is_passed),
		cmocka_unit_test(test_errors_are_told_from_other_icmp),
		cmocka_unit_test(test_a_checksum_follows_a_change),
		cmocka_unit_test(test_a_partial_sum_is_known_by_its_change),
		cmocka_unit_test(test_a_hop_is_counted),
		cmocka_unit_test(test_what_acknowledges_a_fin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
