// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "dataplane/flow_delete.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "maps/abi.h"

/* In the place of libbpf's: what the run comes to, and what it was given. */
static struct {
	int error;
	__u32 retval;
	int fd;
	struct mrd_flow_order order;
} run;

int bpf_prog_test_run_opts(int prog_fd, struct bpf_test_run_opts *opts)
{
	run.fd = prog_fd;
	assert_int_equal(opts->data_size_in, sizeof(run.order));
	memcpy(&run.order, opts->data_in, sizeof(run.order));
	opts->retval = run.retval;
	errno = run.error;
	return run.error ? -run.error : 0;
}

static void a_program_is_given_the_key(void **state)
{
	const struct mrd_flow_key key = {.tuple.source_port = 7, .protocol = MRD_PROTOCOL_TCP};

	(void)state;
	run.error = 0;
	run.retval = 0;
	assert_int_equal(mrd_flow_delete(5, &key), 0);
	assert_int_equal(run.fd, 5);
	assert_memory_equal(&run.order.key, &key, sizeof(key));
	assert_int_equal(run.order.is_reset, 0);
	assert_int_equal(mrd_flow_reset(5, &key), 0);
	assert_memory_equal(&run.order.key, &key, sizeof(key));
	assert_int_equal(run.order.is_reset, 1);
}

static void what_the_program_leaves_is_told(void **state)
{
	const struct mrd_flow_key key = {.protocol = MRD_PROTOCOL_TCP};

	(void)state;
	run.error = 0;
	run.retval = 2;
	assert_int_equal(mrd_flow_delete(5, &key), -EBUSY);
	run.error = EBADF;
	assert_int_equal(mrd_flow_delete(5, &key), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_is_given_the_key),
		cmocka_unit_test(what_the_program_leaves_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
