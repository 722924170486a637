/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/ip.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void addresses_in_one_form(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* NULL: -EINVAL */
		enum mrd_ip_version version;
	} cases[] = {
		{.text = "10.0.0.5", .want = "10.0.0.5", .version = MRD_IPV4},
		{.text = "255.255.255.255", .want = "255.255.255.255", .version = MRD_IPV4},
		{.text = "fd00::5", .want = "fd00::5", .version = MRD_IPV6},
		{.text = "FD00:0:0:0:0:0:0:5", .want = "fd00::5", .version = MRD_IPV6},
		{.text = "::", .want = "::", .version = MRD_IPV6},
		{.text = "::ffff:10.0.0.5", .want = "10.0.0.5", .version = MRD_IPV4},
		{.text = "::ffff:a00:5", .want = "10.0.0.5", .version = MRD_IPV4},
		{.text = "::10.0.0.5", .want = "::10.0.0.5", .version = MRD_IPV6},
		{.text = ""},
		{.text = "10.0.0"},
		{.text = "10.0.0.256"},
		{.text = "10.0.0.05"},
		{.text = "10.0.0.5 "},
		{.text = " 10.0.0.5"},
		{.text = "10.0.0.5:80"},
		{.text = "fe80::1%eth0"},
		{.text = "[fd00::5]"},
		{.text = "1:2:3:4:5:6:7:8:9"},
		{.text = "localhost"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mrd_ip ip = {.bytes = {1, 2, 3}, .version = MRD_IP_NONE};
		const struct mrd_ip before = ip;
		char buf[MRD_IP_TEXT_MAX];

		print_message("case '%s'\n", cases[i].text);
		assert_int_equal(mrd_ip_parse(cases[i].text, &ip), cases[i].want ? 0 : -EINVAL);
		if (!cases[i].want) {
			assert_memory_equal(&ip, &before, sizeof(ip));
			continue;
		}
		assert_int_equal(ip.version, cases[i].version);
		assert_string_equal(mrd_ip_format(&ip, buf), cases[i].want);
	}
}

static void bytes_stand_where_the_kernel_wants_them(void **state)
{
	static const uint8_t want[16] = {10, 1, 2, 3};
	struct mrd_ip ip;

	(void)state;
	memset(&ip, 0xff, sizeof(ip));
	assert_int_equal(mrd_ip_parse("10.1.2.3", &ip), 0);
	assert_memory_equal(ip.bytes, want, sizeof(want));
	memset(&ip, 0xff, sizeof(ip));
	assert_int_equal(mrd_ip_parse("::ffff:10.1.2.3", &ip), 0);
	assert_memory_equal(ip.bytes, want, sizeof(want));
}

static void addresses_with_ports(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* NULL: -EINVAL */
		uint16_t port;
	} cases[] = {
		{.text = "10.0.0.5", .want = "10.0.0.5"},
		{.text = "10.0.0.5:9080", .want = "10.0.0.5", .port = 9080},
		{.text = "10.0.0.5:65535", .want = "10.0.0.5", .port = 65535},
		{.text = "0.0.0.0:1", .want = "0.0.0.0", .port = 1},
		{.text = "fd00::5", .want = "fd00::5"},
		{.text = "[fd00::5]", .want = "fd00::5"},
		{.text = "[fd00::5]:9080", .want = "fd00::5", .port = 9080},
		{.text = "[::]:80", .want = "::", .port = 80},
		{.text = "[::ffff:10.0.0.5]:80", .want = "10.0.0.5", .port = 80},
		{.text = ""},
		{.text = ":80"},
		{.text = "[]:80"},
		{.text = "[fd00::5"},
		{.text = "[fd00::5]80"},
		{.text = "[fd00::5]:"},
		{.text = "fd00::5]:80"},
		{.text = "10.0.0.5:"},
		{.text = "10.0.0.5:0"},
		{.text = "10.0.0.5:65536"},
		{.text = "10.0.0.5:99999999999999999999999"},
		{.text = "10.0.0.5:-1"},
		{.text = "10.0.0.5:+1"},
		{.text = "10.0.0.5:080"},
		{.text = "10.0.0.5:00"},
		{.text = "10.0.0.5: 1"},
		{.text = "10.0.0.5:80x"},
		{.text = "10.0.0.5:80:80"},
		{.text = "localhost:80"},
		{.text = "[0000000000000000000000000000000000000000000000000000000000000000000]:"
			 "80"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mrd_ip ip = {.bytes = {1, 2, 3}, .version = MRD_IP_NONE};
		const struct mrd_ip before = ip;
		char buf[MRD_IP_TEXT_MAX];
		uint16_t port = 7;

		print_message("case '%s'\n", cases[i].text);
		assert_int_equal(mrd_ip_port_parse(cases[i].text, &ip, &port),
				 cases[i].want ? 0 : -EINVAL);
		assert_int_equal(port, cases[i].want ? cases[i].port : 7);
		if (cases[i].want)
			assert_string_equal(mrd_ip_format(&ip, buf), cases[i].want);
		else
			assert_memory_equal(&ip, &before, sizeof(ip));
	}
}

static void blocks(void **state)
{
	static const struct {
		const char *text;
		int want;
		const char *format; /* NULL: as written */
	} cases[] = {
		{.text = "10.0.0.0/16"},
		{.text = "0.0.0.0/0"},
		{.text = "10.0.0.1/32"},
		{.text = "10.128.0.0/9"},
		{.text = "fd00::/8"},
		{.text = "::/0"},
		{.text = "fd00::1/128"},
		{.text = "::ffff:10.0.0.0/104", .format = "10.0.0.0/8"},
		{.text = "::ffff:10.0.0.0/95", .want = -EINVAL},
		{.text = "10.0.0.1/16", .want = -EDOM},
		{.text = "10.64.0.0/9", .want = -EDOM},
		{.text = "fd00::1/127", .want = -EDOM},
		{.text = "10.0.0.0/33", .want = -EINVAL},
		{.text = "fd00::/129", .want = -EINVAL},
		{.text = "10.0.0.0", .want = -EINVAL},
		{.text = "10.0.0.0/", .want = -EINVAL},
		{.text = "10.0.0.0/016", .want = -EINVAL},
		{.text = "10.0.0.0/+8", .want = -EINVAL},
		{.text = "10.0.0.0/8 ", .want = -EINVAL},
		{.text = "10.0.0.0/99999999999", .want = -EINVAL},
		{.text = "/8", .want = -EINVAL},
		{.text = "", .want = -EINVAL},
		{.text = "1111111111111111111111111111111111111111111111111111/8", .want = -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mrd_cidr cidr;
		char buf[MRD_CIDR_TEXT_MAX];

		print_message("case '%s'\n", cases[i].text);
		assert_int_equal(mrd_cidr_parse(cases[i].text, &cidr), cases[i].want);
		if (!cases[i].want)
			assert_string_equal(mrd_cidr_format(&cidr, buf),
					    cases[i].format ? cases[i].format : cases[i].text);
	}
}

static void containing_and_overlapping(void **state)
{
	static const struct {
		const char *block;
		const char *other; /* a block; "/32" and "/128" also serve as addresses */
		bool contains;
		bool overlaps;
	} cases[] = {
		{.block = "10.0.0.0/16",
		 .other = "10.0.0.0/32",
		 .contains = true,
		 .overlaps = true},
		{.block = "10.0.0.0/16",
		 .other = "10.0.255.255/32",
		 .contains = true,
		 .overlaps = true},
		{.block = "10.0.0.0/16", .other = "10.1.0.0/32"},
		{.block = "10.0.0.0/9",
		 .other = "10.127.0.0/16",
		 .contains = true,
		 .overlaps = true},
		{.block = "10.0.0.0/9", .other = "10.128.0.0/16"},
		{.block = "10.0.0.0/16", .other = "10.0.0.0/8", .contains = true, .overlaps = true},
		{.block = "10.1.0.0/16", .other = "10.0.0.0/8", .overlaps = true},
		{.block = "0.0.0.0/0", .other = "9.9.9.9/32", .contains = true, .overlaps = true},
		{.block = "0.0.0.0/0", .other = "::/0"},
		{.block = "::/0", .other = "0.0.0.0/0"},
		{.block = "fd00::/64", .other = "fd00::1/128", .contains = true, .overlaps = true},
		{.block = "fd00::/64", .other = "fd00:0:0:1::/64"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mrd_cidr block;
		struct mrd_cidr other;

		print_message("case %s %s\n", cases[i].block, cases[i].other);
		assert_int_equal(mrd_cidr_parse(cases[i].block, &block), 0);
		assert_int_equal(mrd_cidr_parse(cases[i].other, &other), 0);
		assert_int_equal(mrd_cidr_contains(&block, &other.ip), cases[i].contains);
		assert_int_equal(mrd_cidr_overlaps(&block, &other), cases[i].overlaps);
		assert_int_equal(mrd_cidr_overlaps(&other, &block), cases[i].overlaps);
	}
}

static void order_and_endpoints(void **state)
{
	struct mrd_ip low;
	struct mrd_ip high;
	struct mrd_ip v6;
	const struct mrd_ip none = {0};
	char buf[MRD_IP_TEXT_MAX];

	(void)state;
	assert_int_equal(mrd_ip_parse("10.0.0.5", &low), 0);
	assert_int_equal(mrd_ip_parse("200.0.0.1", &high), 0);
	assert_int_equal(mrd_ip_parse("2001:db8:1111:2222:3333:4444:5555:6666", &v6), 0);
	assert_true(mrd_ip_compare(&low, &high) < 0);
	assert_true(mrd_ip_compare(&high, &low) > 0);
	assert_int_equal(mrd_ip_compare(&low, &low), 0);
	assert_true(mrd_ip_compare(&high, &v6) < 0);
	assert_string_equal(mrd_ip_port_format(&low, 9080, buf), "10.0.0.5:9080");
	assert_string_equal(mrd_ip_port_format(&v6, 65535, buf),
			    "[2001:db8:1111:2222:3333:4444:5555:6666]:65535");
	assert_string_equal(mrd_ip_format(&none, buf), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_in_one_form),
		cmocka_unit_test(bytes_stand_where_the_kernel_wants_them),
		cmocka_unit_test(addresses_with_ports),
		cmocka_unit_test(blocks),
		cmocka_unit_test(containing_and_overlapping),
		cmocka_unit_test(order_and_endpoints),
	};

	return cmocka_run_group_tests_name("base/ip", tests, NULL, NULL);
}
