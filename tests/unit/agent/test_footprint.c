/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/footprint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <curl/curl.h>

/* Resident pages of files: the program's and its libraries'. */
static size_t file_pages(void)
{
	FILE *statm = fopen("/proc/self/statm", "re");
	size_t pages;

	assert_non_null(statm);
	assert_int_equal(fscanf(statm, "%*u %*u %zu", &pages), 1);
	fclose(statm);
	return pages;
}

static void start_of_libraries_is_given_back(void **state)
{
	size_t before;
	size_t after;

	(void)state;
	assert_int_equal(curl_global_init(CURL_GLOBAL_ALL), 0);
	before = file_pages();
	mrd_footprint_shrink();
	after = file_pages();
	print_message("%zu pages, then %zu\n", before, after);
	assert_true(after < before / 2);
	/* All of it is still there. */
	assert_non_null(curl_version());
	curl_global_cleanup();
	assert_int_equal(curl_global_init(CURL_GLOBAL_ALL), 0);
	curl_global_cleanup();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_of_libraries_is_given_back),
	};

	return cmocka_run_group_tests_name("agent/footprint", tests, NULL, NULL);
}
