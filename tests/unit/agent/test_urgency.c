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

enum what { REST, WAKE, EASE, END };

struct step {
	enum what what;
	uint64_t at_us;
	bool want; /* urgent after it */
};

static void run(const char *name, const struct step *steps, size_t count)
{
	struct mrd_urgency urgency = {.set = fake_set};

	print_message("case: %s\n", name);
	answer = 0;
	asked = false;
	for (size_t i = 0; i < count; i++) {
		const struct step *step = &steps[i];
		const uint64_t now_ns = step->at_us * 1000;
		int ret = 0;

		print_message("  step %zu, %u us\n", i, (unsigned int)step->at_us);
		if (step->what == REST)
			ret = mrd_urgency_rest(&urgency, now_ns);
		else if (step->what == WAKE)
			mrd_urgency_wake(&urgency, now_ns);
		else if (step->what == EASE)
			mrd_urgency_ease(&urgency, now_ns);
		else
			mrd_urgency_end(&urgency, now_ns);
		assert_int_equal(ret, 0);
		assert_int_equal(urgency.is_urgent, step->want);
		assert_int_equal(asked, step->want);
	}
}

#define RUN(name, ...)                                \
	run(name, (const struct step[]){__VA_ARGS__}, \
	    sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

static void a_moment_is_urgent(void **state)
{
	(void)state;
	RUN("after a long sleep", {REST, 0, true}, {WAKE, 100000, true}, {EASE, 100500, true},
	    {EASE, 101999, true}, {EASE, 102000, false}, {EASE, 102001, false},
	    {REST, 103000, true});
	RUN("what takes long ends it at once", {REST, 0, true}, {WAKE, 100000, true},
	    {END, 100000, false}, {EASE, 100001, false});
	RUN("before the first rest there is none", {WAKE, 100000, false}, {EASE, 100001, false});
}

static void moments_are_a_tenth_of_the_sleep(void **state)
{
	(void)state;
	RUN("used up", {REST, 0, true}, {WAKE, 100000, true}, {EASE, 102000, false},
	    {REST, 103000, true}, {WAKE, 103000, true}, {EASE, 103000, false}, {REST, 104000, true},
	    {WAKE, 114000, true}, {EASE, 114999, true}, {EASE, 115000, false});
	RUN("what was too long is paid back", {REST, 0, true}, {WAKE, 100000, true},
	    {EASE, 103000, false}, {REST, 104000, true}, {WAKE, 114000, true},
	    {EASE, 114000, false}, {REST, 114000, true}, {WAKE, 124000, true}, {EASE, 124999, true},
	    {EASE, 125000, false});
	RUN("so is what it rests after", {REST, 0, true}, {WAKE, 100000, true},
	    {REST, 103000, true}, {WAKE, 113000, true}, {EASE, 113000, false});
	RUN("but nothing that is not urgent is counted", {REST, 0, true}, {WAKE, 100000, true},
	    {END, 101000, false}, {REST, 150000, true}, {WAKE, 150000, true}, {EASE, 150999, true},
	    {EASE, 151000, false});
	RUN("what is not used is left", {REST, 0, true}, {WAKE, 100000, true}, {REST, 100500, true},
	    {WAKE, 100500, true}, {EASE, 101999, true}, {EASE, 102000, false});
	RUN("but no more than one moment", {REST, 0, true}, {WAKE, 100000, true},
	    {REST, 100001, true}, {WAKE, 900000, true}, {EASE, 901999, true},
	    {EASE, 902000, false});
}

static void the_kernel_is_asked_when_it_changes(void **state)
{
	struct mrd_urgency urgency = {.set = fake_set};

	(void)state;
	calls = answer = 0;
	mrd_urgency_end(&urgency, 3);
	assert_int_equal(calls, 0);
	mrd_urgency_rest(&urgency, 1);
	mrd_urgency_rest(&urgency, 2);
	assert_int_equal(calls, 1);
	mrd_urgency_end(&urgency, 3);
	mrd_urgency_end(&urgency, 3);
	assert_int_equal(calls, 2);
}

static void a_refusal_is_told_once(void **state)
{
	struct mrd_urgency urgency = {.set = fake_set};

	(void)state;
	calls = 0;
	answer = -EPERM;
	assert_int_equal(mrd_urgency_rest(&urgency, 1), -EPERM);
	mrd_urgency_end(&urgency, 3);
	assert_int_equal(mrd_urgency_rest(&urgency, 2), 0);
	assert_int_equal(calls, 1);
	assert_false(urgency.is_urgent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_moment_is_urgent),
		cmocka_unit_test(moments_are_a_tenth_of_the_sleep),
		cmocka_unit_test(the_kernel_is_asked_when_it_changes),
		cmocka_unit_test(a_refusal_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
