/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "base/doc_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

/* Reads from the start to where libyaml stops. Returns whether JSON follows there. */
static bool read_one(struct mrd_doc_text *text, size_t *ret_given)
{
	yaml_event_type_t type = YAML_NO_EVENT;
	yaml_event_t event;
	yaml_parser_t yaml;
	bool more;

	assert_int_equal(yaml_parser_initialize(&yaml), 1);
	mrd_doc_text_give(text, &yaml);
	while (type != YAML_STREAM_END_EVENT && yaml_parser_parse(&yaml, &event)) {
		type = event.type;
		yaml_event_delete(&event);
	}
	*ret_given = text->given - text->start;
	more = mrd_doc_text_next_json(text, &yaml);
	yaml_parser_delete(&yaml);
	return more;
}

/* Or a file's price would be the number of its documents times what libyaml reads ahead. On one
 * line it looks for the ":" behind a key, 1,024 characters far. */
static void json_in_a_row_is_read_in_small_pieces(void **state)
{
	enum { TIMES = 4000 };
	static const struct {
		const char *one;
		size_t given_max;
	} cases[] = {{"{}\n", MRD_DOC_PIECE_MIN}, {"{}", 8 * MRD_DOC_PIECE_MIN}};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		const size_t len = strlen(cases[k].one);
		MRD_AUTO_FREE char *bytes = malloc(TIMES * len);
		struct mrd_doc_text text = {.bytes = bytes, .len = TIMES * len};

		assert_non_null(bytes);
		for (size_t i = 0; i < TIMES; i++)
			memcpy(bytes + i * len, cases[k].one, len);
		for (size_t i = 1; i <= TIMES; i++) {
			size_t given;
			const bool more = read_one(&text, &given);

			assert_int_equal(more, i < TIMES);
			assert_in_range(given, len, cases[k].given_max);
			assert_int_equal(text.start, (i - !more) * len);
		}
	}
}

static void pieces_grow(void **state)
{
	enum { LEN = 1000000 };
	MRD_AUTO_FREE char *bytes = malloc(LEN);
	struct mrd_doc_text text = {.bytes = bytes, .len = LEN};
	size_t given;

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'a', LEN);
	assert_false(read_one(&text, &given));
	assert_int_equal(given, LEN);
	assert_int_equal(text.piece, MRD_DOC_PIECE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_in_a_row_is_read_in_small_pieces),
		cmocka_unit_test(pieces_grow),
	};

	return cmocka_run_group_tests_name("base/doc_text", tests, NULL, NULL);
}
