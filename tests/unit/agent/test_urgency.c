/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/urgency.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int answer;
static int calls;
static bool asked;

static int fake_set(bool urgent)
{
	calls++;
	asked = urgent;
	return answer;
}

struct step {
	bool urgent;
	int kernel; /* what it answers if asked */
	int want;
	int want_calls; /* in all */
};

static void check(const char *name, const struct step *steps, size_t count)
{
	struct mrd_urgency urgency = {.set = fake_set};

	print_message("case: %s\n", name);
	calls = 0;
	for (size_t i = 0; i < count; i++) {
		answer = steps[i].kernel;
		assert_int_equal(mrd_urgency_be(&urgency, steps[i].urgent), steps[i].want);
		assert_int_equal(calls, steps[i].want_calls);
		if (i && steps[i].want_calls != steps[i - 1].want_calls)
			assert_int_equal(asked, steps[i].urgent);
	}
}

static void the_kernel_is_asked_when_it_changes(void **state)
{
	static const struct step steps[] = {
		{.urgent = false, .want_calls = 0}, {.urgent = true, .want_calls = 1},
		{.urgent = true, .want_calls = 1},  {.urgent = false, .want_calls = 2},
		{.urgent = true, .want_calls = 3},
	};

	(void)state;
	check("allowed", steps, sizeof(steps) / sizeof(*steps));
}

static void a_refusal_is_told_once(void **state)
{
	static const struct step steps[] = {
		{.urgent = true, .kernel = -EPERM, .want = -EPERM, .want_calls = 1},
		{.urgent = false, .want_calls = 1},
		{.urgent = true, .kernel = -EPERM, .want_calls = 1},
	};

	(void)state;
	check("refused", steps, sizeof(steps) / sizeof(*steps));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_is_asked_when_it_changes),
		cmocka_unit_test(a_refusal_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
