/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "dataplane/flow_delete.h"

#include <errno.h>

#include <bpf/bpf.h>

#include "maps/abi.h"

static int order(int program_fd, const struct mrd_flow_key *key, bool is_reset)
{
	const struct mrd_flow_order order = {.key = *key, .is_reset = is_reset};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &order, .data_size_in = sizeof(order));

	if (bpf_prog_test_run_opts(program_fd, &opts) < 0)
		return -errno;
	return opts.retval ? -EBUSY : 0;
}

int mrd_flow_delete(int program_fd, const struct mrd_flow_key *key)
{
	return order(program_fd, key, false);
}

int mrd_flow_reset(int program_fd, const struct mrd_flow_key *key)
{
	return order(program_fd, key, true);
}
