/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Small files that stand for much: each ends, with few findings of few words. */
#include "policy/policy_yaml.h"

#include <errno.h>

#include "base/cleanup.h"
#include "tests/unit/policy/load_text.h"

enum { LONG = 100000, FINDING_MAX = 2048 };

static void repeat(struct mrd_strbuf *text, const char *piece, size_t times)
{
	for (size_t i = 0; i < times; i++)
		mrd_strbuf_add(text, piece, strlen(piece));
}

/* "head piece… middle again… tail" */
struct bomb {
	const char *name;
	const char *head;
	const char *piece;
	size_t times;
	const char *middle;
	const char *again;
	size_t again_times;
	const char *tail;
	const char *says; /* a part of some finding's reason */
	bool is_fine;	  /* but for warnings */
};

#define PORT "portLevelSettings: [&p {port: {number: 80}, outlierDetection: *o}"

#define LONG_VALUE                                                                          \
	.head = RULE "    outlierDetection: &o {consecutive5xxErrors: &v \"", .piece = "a", \
	.times = LONG,                                                                      \
	.middle = "\", interval: *v, baseEjectionTime: *v, maxEjectionPercent: *v}\n"       \
		  "    " PORT,                                                              \
	.again = ", *p", .tail = "]\n"

static const struct bomb bombs[] = {
	{
		.name = "a long value in many places",
		LONG_VALUE,
		.again_times = 40000,
		.says = "too long texts",
	},
	{
		.name = "a long value in some places",
		LONG_VALUE,
		.again_times = 20,
		.says = "must be a whole number, not \"aaa",
	},
	{
		.name = "many mistakes in many places",
		.head = RULE "    outlierDetection: &o {a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1",
		.piece = "",
		.middle = "}\n    " PORT,
		.again = ", *p",
		.again_times = 9000,
		.tail = "]\n",
		.says = "more errors, not shown",
	},
	{
		.name = "many warnings in many places",
		.head = RULE "    connectionPool: &o {http: {maxRetries: 1",
		.piece = "",
		.middle = "}}\n    portLevelSettings: [&p {port: {number: 80}, connectionPool: *o}",
		.again = ", *p",
		.again_times = 40000,
		.tail = "]\n",
		.says = "more warnings, not shown",
		.is_fine = true,
	},
	{
		.name = "many long labels",
		.head = "localityLbSetting: {failoverPriority: [&v \"",
		.piece = "a",
		.times = LONG,
		.middle = "=x\"",
		.again = ", *v",
		.again_times = 20000,
		.tail = "]}\n",
		.says = "too long texts",
	},
	{
		.name = "many long hosts",
		.head = "serviceSettings: [{settings: {clusterLocal: true}, hosts: [&v \"",
		.piece = "a.",
		.times = LONG / 2,
		.middle = "a\"",
		.again = ", *v",
		.again_times = 10000,
		.tail = "]}]\n",
		.says = "too long texts",
	},
	{
		.name = "a key as long as libyaml takes it",
		.head = "localityLbSetting: {distribute: [{from: a, to: {\"",
		.piece = "a",
		.times = 900,
		.middle = "\": 0}}",
		.again = "",
		.tail = "]}\n",
		.says = "must be from 1 to 100",
	},
};

static char *text_of(const struct bomb *bomb)
{
	struct mrd_strbuf text = {0};

	repeat(&text, bomb->head, 1);
	repeat(&text, bomb->piece, bomb->times);
	repeat(&text, bomb->middle, 1);
	repeat(&text, bomb->again, bomb->again_times);
	repeat(&text, bomb->tail, 1);
	return mrd_strbuf_steal(&text);
}

static bool some_says(const struct mrd_diag *diag, const char *words)
{
	for (size_t i = 0; i < diag->count; i++)
		if (strstr(diag->findings[i].reason, words))
			return true;
	return false;
}

static void bombs_end_in_a_bounded_number_of_findings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bombs) / sizeof(*bombs); i++) {
		MRD_AUTO_FREE char *text = text_of(&bombs[i]);
		const char *const texts[] = {text, NULL};
		MRD_AUTO_DIAG struct mrd_diag diag = {0};
		struct mrd_policy *policy = NULL;

		print_message("%s\n", bombs[i].name);
		assert_int_equal(load_texts(texts, &diag, &policy),
				 bombs[i].is_fine ? 0 : -EBADMSG);
		mrd_policy_free(policy);
		assert_in_range(diag.count, 1, 2 * (MRD_FINDINGS_MAX + 1));
		for (size_t k = 0; k < diag.count; k++) {
			MRD_AUTO_FREE char *line = mrd_finding_text(&diag.findings[k]);

			assert_in_range(strlen(line), 1, FINDING_MAX);
		}
		assert_true(some_says(&diag, bombs[i].says));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bombs_end_in_a_bounded_number_of_findings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
