/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/base64.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

/* RFC 4648 §10, and what kubeconfigs come with. */
static const struct row {
	const char *text;
	const char *data; /* NULL: refused */
	bool one_way;	  /* is not what the encoder writes */
} rows[] = {
	{.text = "", .data = ""},
	{.text = "Zg==", .data = "f"},
	{.text = "Zm8=", .data = "fo"},
	{.text = "Zm9v", .data = "foo"},
	{.text = "Zm9vYg==", .data = "foob"},
	{.text = "Zm9vYmE=", .data = "fooba"},
	{.text = "Zm9vYmFy", .data = "foobar"},
	{.text = "/+8=", .data = "\xff\xef"},
	{.text = "Zm9v\nYmFy\n", .data = "foobar", .one_way = true},
	{.text = "Zm9v\r\nYg==\r\n", .data = "foob", .one_way = true},
	{.text = "Zg="},
	{.text = "Zg"},
	{.text = "Z"},
	{.text = "Z==="},
	{.text = "===="},
	{.text = "Zg==Zg=="},
	{.text = "Zg===="},
	{.text = "Zm9v Zm9v"},
	{.text = "Zm9-"},
	{.text = "-----BEGIN CERTIFICATE-----"},
};

static void texts_are_decoded_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		MRD_AUTO_FREE char *data = NULL;
		size_t len = SIZE_MAX;

		print_message("%s\n", rows[i].text);
		if (!rows[i].data) {
			assert_int_equal(mrd_base64_decode(rows[i].text, &data, &len), -EINVAL);
			assert_null(data);
			continue;
		}
		assert_int_equal(mrd_base64_decode(rows[i].text, &data, &len), 0);
		assert_int_equal(len, strlen(rows[i].data));
		assert_string_equal(data, rows[i].data);
	}
}

static void data_is_encoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		MRD_AUTO_STRBUF struct mrd_strbuf buf = {0};

		if (!rows[i].data || rows[i].one_way)
			continue;
		print_message("%s\n", rows[i].text);
		mrd_strbuf_add(&buf, "", 0);
		mrd_strbuf_add_base64(&buf, rows[i].data, strlen(rows[i].data));
		assert_string_equal(buf.text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_decoded_or_refused),
		cmocka_unit_test(data_is_encoded),
	};

	return cmocka_run_group_tests_name("base/base64", tests, NULL, NULL);
}
